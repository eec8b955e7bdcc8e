"""IPython's display formatter, with a short way for values of Python's own types."""

from __future__ import annotations

from typing import Any

from IPython.core.formatters import (
    BaseFormatter,
    DisplayFormatter,
    IPythonDisplayFormatter,
    MimeBundleFormatter,
    PlainTextFormatter,
)
from IPython.lib import pretty
from traitlets import observe

#: Types whose values have no attributes but those of the type, which nobody can change. So they have no method such as `_repr_html_`.
_PLAIN = frozenset(
    {int, float, complex, bool, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, type(None), type(...)}
)
#: For each of these types, the keys under which a formatter could know it: classes, and pairs of module and name.
_KEYS = {
    kind: frozenset([*kind.__mro__, *((each.__module__, each.__name__) for each in kind.__mro__)]) for kind in _PLAIN
}
#: Those whose `repr` is one line of text that IPython's printer writes as it is.
_SIMPLE = frozenset({int, bool, str, type(None)})
_TEXT = "text/plain"
#: The traits of a formatter that hold its printers: by the id of an object, by class, and by module and name.
_PRINTERS = ("singleton_printers", "type_printers", "deferred_printers")


class KernelDisplayFormatter(DisplayFormatter):
    """Formats as IPython does, but asks only the formatter of plain text about values that no other one can know.

    IPython asks twelve formatters, each of which looks for a printer of the type and for a method of the value. For a number, that takes
    most of the time of a display.
    """

    #: The formatters beside the one of plain text; None if they have to be looked at.
    _others: list[Any] | None = None
    #: The printers of all but the one of plain text; None if one of them decides in a way of its own.
    _tables: tuple[tuple[dict[int, Any], dict[Any, Any], dict[Any, Any]], ...] | None = None

    def format(self, obj: Any, include: Any = None, exclude: Any = None) -> Any:
        """Return an object's MIME bundle and its metadata, as the base class does."""
        if type(obj) in _PLAIN and not include and not exclude and self._is_only_text(obj):
            # The text may come with metadata.
            text = _plain_text(self.formatters[_TEXT], obj)
            metadata = None
            if isinstance(text, tuple) and len(text) == 2:
                text, metadata = text
            return {} if text is None else {_TEXT: text}, {} if metadata is None else {_TEXT: metadata}
        return super().format(obj, include=include, exclude=exclude)  # type: ignore[no-untyped-call]

    @observe("formatters", "ipython_display_formatter", "mimebundle_formatter")
    def _forget(self, _change: Any = None) -> None:
        self._others = None

    def _is_only_text(self, obj: Any) -> bool:
        formatters = self.formatters
        others = [each for key, each in formatters.items() if key != _TEXT]
        if self._others != others:
            self._look_at(others)
        if self._tables is None or _TEXT not in formatters:
            return False
        keys = _KEYS[type(obj)]
        for singletons, types, deferred in self._tables:
            if types and not keys.isdisjoint(types):
                return False
            if deferred and not keys.isdisjoint(deferred):
                return False
            if singletons and id(obj) in singletons:
                return False
        return True

    def _look_at(self, others: list[Any]) -> None:
        first = (self.ipython_display_formatter, self.mimebundle_formatter)
        every = [*first, *others]
        are_usual = (
            [type(each) for each in first] == [IPythonDisplayFormatter, MimeBundleFormatter]
            and all(map(_is_usual, others))
            and not any(hasattr(kind, each.print_method) for each in every for kind in _PLAIN)
        )
        for each in every if are_usual else []:
            each.observe(self._forget, names=[*_PRINTERS, "print_method"])
        self._tables = tuple(tuple(getattr(each, name) for name in _PRINTERS) for each in every) if are_usual else None
        self._others = others


def find_numpys_floats_by_name(formatter: PlainTextFormatter) -> None:
    """Let the formatter of plain text know NumPy's floats by the name of their class.

    At the first result, IPython imports ``numpy`` for them if that has been imported. If it is a student's file, no result can be shown then.
    """

    def print_float(obj: Any, printer: Any, cycle: bool) -> None:
        printer.text(formatter.float_format % obj)

    types: dict[type, Any] = {**pretty._type_pprinters, float: print_float}
    formatter.set_trait("type_printers", types)
    formatter.for_type_by_name("numpy", "float64", print_float)


def _plain_text(formatter: Any, obj: Any) -> Any:
    """What the formatter of plain text returns. If its printer writes a number's or a text's `repr`, this needs no printer."""
    kind = type(obj)
    if kind in _SIMPLE and type(formatter) is PlainTextFormatter and formatter.pprint:
        singletons: dict[Any, Any] = formatter.singleton_printers
        types: dict[Any, Any] = formatter.type_printers
        printer = singletons.get(id(obj)) or types.get(kind)
        if printer is pretty._repr_pprint:
            try:
                return repr(obj)  # one line, so nothing has to be broken
            except ValueError:  # an integer of too many digits, which the formatter reports
                pass
    return formatter(obj)


def _is_usual(formatter: Any) -> bool:
    """Whether a formatter looks for printers and methods as IPython's own do."""
    kind = type(formatter)
    return all(
        getattr(kind, name, None) is getattr(BaseFormatter, name) for name in ("__call__", "lookup", "lookup_by_type")
    )
