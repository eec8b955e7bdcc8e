"""Names of special methods and attributes that one side may ask the other for."""

from __future__ import annotations

import types

#: Attribute of a stand-in that holds the other side's number of the object.
ID = "_browsergrad_id"

COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")
_BINARY = [
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "divmod",
    "pow",
    "lshift",
    "rshift",
    "and",
    "or",
    "xor",
    "matmul",
]
ARITHMETIC = tuple(
    f"__{prefix}{name}__" for name in _BINARY for prefix in ("", "r", "i") if (prefix, name) != ("i", "divmod")
)
PROTOCOLS = tuple(
    f"__{name}__"
    for name in [
        "len",
        "length_hint",
        "iter",
        "next",
        "reversed",
        "bool",
        "str",
        "repr",
        "format",
        "abs",
        "neg",
        "pos",
        "invert",
        "float",
        "int",
        "index",
        "complex",
        "round",
        "trunc",
        "floor",
        "ceil",
        "enter",
        "exit",
        "call",
        "getitem",
        "setitem",
        "delitem",
        "contains",
        "missing",
        "fspath",
        "bytes",
    ]
)
#: All special methods that one side may call on the other.
SPECIAL = (*COMPARISONS, *ARITHMETIC, *PROTOCOLS)
#: Attributes with two underscores on each side that one side may read on the other.
READABLE = frozenset(
    f"__{name}__"
    for name in [
        "name",
        "qualname",
        "doc",
        "module",
        "annotations",
        "defaults",
        "kwdefaults",
        "wrapped",
        "dataclass_fields",
        "dataclass_params",
        "match_args",
        "closure",
        "code",
        "slots",
        "members",
        "func",
        "self",
        "notes",
        "version",
        "author",
        "all",
        "abstractmethods",
        "cause",
        "context",
        "post_init",
        "required_keys",
        "optional_keys",
        "type_params",
    ]
)
#: Built-in classes that a stand-in can name as its ``__class__``, so that `inspect` and `isinstance` take it for one of their objects.
FLAVOURS: dict[str, type] = {
    "function": types.FunctionType,
    "generator": types.GeneratorType,
    "coroutine": types.CoroutineType,
    "method": types.MethodType,
    "builtin_function_or_method": types.BuiltinFunctionType,
    "module": types.ModuleType,
}
FLAVOUR_NAMES = {kind: name for name, kind in FLAVOURS.items()}


def is_special(name: str) -> bool:
    """Whether a name has two underscores on each side."""
    return name.startswith("__") and name.endswith("__")
