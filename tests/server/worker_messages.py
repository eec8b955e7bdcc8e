"""Generates the messages that a worker may send: frames of every kind, right, almost right and wrong."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from jupyterlite_browsergrad.server_kernel import frames

#: Names with a meaning, so that not all combinations are refused at the first check.
_WORDS = [
    "", "a", "..", ".", "data.txt", "sub", "sub/new", "a/" * 3000, "x" * 300, "ж" * 120, "out/secret", "\0", "\ud800", "/etc/passwd", "\x1b[2J",
    "idle", "busy", "ok", "iopub", "shell", "stdin", "control", "status", "execute_reply", "stream", "request", "get", "put", "mknod", "rename",
    "readdir", "rmdir", "lookup", "getattr", "x" * 5000,
]  # fmt: skip
TEXTS = st.sampled_from(_WORDS) | st.text(max_size=20)
NUMBERS = (
    st.sampled_from([0, 1, -1, 2**31, 2**32, 2**63, -(2**63), 10**30, 0o40777, 0o100666, 0o10666, 1.5, -0.0, 1e308])
    | st.integers()
)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=10
)


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with these fields, any of which may be missing or have any value."""
    return st.fixed_dictionaries({}, optional={name: value | VALUES for name, value in fields.items()})


_HEADER = _some(msg_id=st.sampled_from(["request", "x"]), msg_type=TEXTS, session=TEXTS)
_MESSAGE = st.fixed_dictionaries(
    {
        "channel": st.sampled_from(["shell", "iopub", "stdin", "control"]),
        "header": st.fixed_dictionaries({"msg_id": TEXTS, "msg_type": TEXTS}),
        "parent_header": st.sampled_from([{"msg_id": "request"}, {}]),
        "metadata": st.just({}),
        "content": st.dictionaries(TEXTS | st.just("execution_state"), VALUES, max_size=3),
    }
) | _some(channel=TEXTS, header=_HEADER, parent_header=_HEADER, metadata=VALUES, content=VALUES)
#: Messages of each type that Deno sends, and of other types.
FRAMES = st.one_of(
    _some(message=_MESSAGE).map(lambda fields: {"type": "message", **fields}),
    _some(id=NUMBERS, method=TEXTS, path=TEXTS, newPath=TEXTS, mode=NUMBERS).map(
        lambda fields: {"type": "drive", **fields}
    ),
    _some(level=TEXTS, text=TEXTS, message=TEXTS, reason=TEXTS).flatmap(
        lambda fields: st.sampled_from(["ready", "failed", "restarted", "log", "unknown"]).map(
            lambda kind: {**fields, "type": kind}
        )
    ),
    _some(type=TEXTS),
)
BUFFERS = st.lists(st.binary(max_size=50), max_size=3)


def _raw(text: bytes, rest: bytes = b"") -> bytes:
    return frames.HEAD.pack(len(text), len(rest)) + text + rest


def _encode(frame: dict[str, Any], buffers: list[bytes]) -> bytes:
    text = json.dumps({**frame, "buffers": [len(part) for part in buffers]}).encode()
    return _raw(text, b"".join(buffers))


#: The same as frames on the pipe, and bytes that are not a frame: torn, nested too deeply, too long, or with wrong lengths.
BYTES = st.one_of(
    st.builds(_encode, FRAMES, BUFFERS),
    st.builds(
        lambda frame, lengths: _raw(json.dumps({**frame, "buffers": lengths}).encode(), b"abc"),
        FRAMES,
        st.lists(NUMBERS, max_size=3) | VALUES,
    ),
    st.sampled_from(
        [
            _raw(b'{"type":"log","text":' + b"[" * 100_000),
            _raw(b'{"type":"log","text":' + b'{"a":' * 100_000),
            _raw(b'{"type":"drive","id":NaN,"buffers":[]}'),
            _raw(b'{"type":"drive","id":' + b"9" * 5000 + b',"buffers":[]}'),
            _raw(b'{"type":"message","buffers":[' + b"0," * 20_000 + b"0]}"),
            _raw(b'{"type":"message"}'),
            _raw(b"[]"),
            _raw(b"null"),
            _raw(b"\xff"),
            frames.HEAD.pack(0xFFFFFFFF, 0xFFFFFFFF),
            frames.HEAD.pack(0, 0xFFFFFFFF),
            b"\0",
        ]
    ),
    st.binary(max_size=40),
)
