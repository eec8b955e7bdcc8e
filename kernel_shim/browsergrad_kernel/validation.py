"""Checks the content of requests.

Source: "Messaging in Jupyter", the sections about each request. Fields that the specification does not
name are accepted.
"""

from __future__ import annotations

from typing import Any


class BadRequest(ValueError):
    """A message that does not fit its type.

    Attributes
    ----------
    field
        Dotted path of the field that is wrong, such as ``content.code``.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field} {problem}")
        self.field = field


_TEXT, _FLAG, _NUMBER, _OBJECT = (str,), (bool,), (int,), (dict,)
_NOTHING = (type(None),)
_NAMES = {str: "a string", bool: "true or false", int: "a whole number", dict: "an object", type(None): "null"}

#: Message type -> field -> types. None is among the types of optional fields.
_FIELDS: dict[str, dict[str, tuple[type, ...]]] = {
    "execute_request": {
        "code": _TEXT,
        "silent": _FLAG + _NOTHING,
        "store_history": _FLAG + _NOTHING,
        "user_expressions": _OBJECT + _NOTHING,
        "allow_stdin": _FLAG + _NOTHING,
        "stop_on_error": _FLAG + _NOTHING,
    },
    "complete_request": {"code": _TEXT, "cursor_pos": _NUMBER + _NOTHING},
    "inspect_request": {"code": _TEXT, "cursor_pos": _NUMBER + _NOTHING, "detail_level": _NUMBER + _NOTHING},
    "is_complete_request": {"code": _TEXT},
    "history_request": {
        "hist_access_type": _TEXT + _NOTHING,
        "output": _FLAG + _NOTHING,
        "raw": _FLAG + _NOTHING,
        "session": _NUMBER + _NOTHING,
        "start": _NUMBER + _NOTHING,
        "stop": _NUMBER + _NOTHING,
        "n": _NUMBER + _NOTHING,
        "pattern": _TEXT + _NOTHING,
        "unique": _FLAG + _NOTHING,
    },
    "comm_info_request": {"target_name": _TEXT + _NOTHING},
    "shutdown_request": {"restart": _FLAG + _NOTHING},
    "comm_open": {"comm_id": _TEXT, "target_name": _TEXT, "data": _OBJECT + _NOTHING},
    "comm_msg": {"comm_id": _TEXT, "data": _OBJECT + _NOTHING},
    "comm_close": {"comm_id": _TEXT, "data": _OBJECT + _NOTHING},
}


def check(message: dict[str, Any]) -> dict[str, Any]:
    """The content of `message`, with absent optional fields left out.

    Raises
    ------
    BadRequest
        A field is wrong. The error names the first one.
    """
    content = message.get("content")
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise BadRequest("content", f"must be an object, not {_describe(content)}")
    for field, types in _FIELDS.get(message["header"]["msg_type"], {}).items():
        value = content.get(field)
        if value is None and type(None) not in types:
            raise BadRequest(f"content.{field}", "is missing")
        # In Python, but not in JSON, bool is a kind of int.
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise BadRequest(f"content.{field}", f"must be {_NAMES[types[0]]}, not {_describe(value)}")
    return {field: value for field, value in content.items() if value is not None}


def _describe(value: Any) -> str:
    return _NAMES.get(type(value), "an array" if isinstance(value, list) else "a number")
