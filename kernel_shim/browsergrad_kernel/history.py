"""The history of this session, in memory, since a kernel in a browser has no file for it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from typing import Any

from IPython.core.history import HistoryManager

#: Number of entries if a request names none, as in IPython.
DEFAULT_TAIL = 10

Entry = tuple[int, int, Any]


class MemoryHistory(HistoryManager):
    """IPython's history without its database and the thread that fills it.

    ``%reset`` keeps the entries and starts a new session, as it does with a database.
    """

    def __init__(self, shell: Any = None, config: Any = None, **traits: Any) -> None:
        #: Tuples of session, line, source as it ran, source as typed. Oldest first.
        self._entries: list[tuple[int, int, str, str]] = []
        self._outputs: dict[tuple[int, int], str] = {}
        self._sessions = 0
        self.enabled = False
        super().__init__(shell=shell, config=config, hist_file=":memory:", **traits)

    #: Texts of the last cells. Plain attributes are quicker than IPython's traits, which validate and announce each change.
    _i00 = _i = _ii = _iii = ""

    def new_session(self, conn: Any = None) -> None:
        """Start the next session."""
        self._sessions += 1
        self.session_number = self._sessions

    def reset(self, new_session: bool = True) -> None:
        """Forget the session's objects. Their texts can still be searched."""
        for line, text in self.output_hist_reprs.items():
            self._outputs[self.session_number, line] = text
        super().reset(new_session)
        if new_session:
            self.output_hist_reprs.clear()

    def store_inputs(self, line_num: int, source: str, source_raw: str | None = None) -> None:
        """Remember one cell."""
        before = len(self.input_hist_raw)
        super().store_inputs(line_num, source, source_raw)
        self.db_input_cache.clear()
        if len(self.input_hist_raw) > before:  # `exit` is not remembered
            self._entries.append((self.session_number, line_num, self.input_hist_parsed[-1], self.input_hist_raw[-1]))

    def get_tail(
        self, n: int | None = DEFAULT_TAIL, raw: bool = True, output: bool = False, include_latest: bool = False
    ) -> Iterable[Entry]:
        """The last `n` cells, oldest first."""
        entries = self._entries if include_latest else self._entries[:-1]
        return self._results(_last(entries, DEFAULT_TAIL if n is None else n), raw, output)

    def search(
        self,
        pattern: str = "*",
        raw: bool = True,
        search_raw: bool = True,
        output: bool = False,
        n: int | None = None,
        unique: bool = False,
    ) -> Iterable[Entry]:
        """Cells whose text matches the glob `pattern`, oldest first. With `unique`, only the newest of equal cells."""
        matches = re.compile(translate(pattern)).match
        column = 3 if search_raw else 2
        found = [entry for entry in self._entries if matches(str(entry[column]))]
        if unique:
            newest = {entry[column]: entry for entry in found}
            found = sorted(newest.values())
        return self._results(found if n is None else _last(found, n), raw, output)

    def get_range(
        self, session: int = 0, start: int = 1, stop: int | None = None, raw: bool = True, output: bool = False
    ) -> Iterable[Entry]:
        """Cells of a session by line. 0 is the current session; negative numbers count back from it."""
        if session <= 0:
            session += self.session_number
        if session == self.session_number:
            return self._get_range_session(start, stop, raw, output)
        chosen = [
            entry
            for entry in self._entries
            if entry[0] == session and start <= entry[1] and (not stop or entry[1] < stop)
        ]
        return self._results(chosen, raw, output)

    def _results(self, entries: list[tuple[int, int, str, str]], raw: bool, output: bool) -> list[Entry]:
        return [
            (session, line, (text, self._output(session, line)) if output else text)
            for session, line, parsed, typed in entries
            for text in [typed if raw else parsed]
        ]

    def _output(self, session: int, line: int) -> str | None:
        if session == self.session_number:
            return self.output_hist_reprs.get(line)
        return self._outputs.get((session, line))


def _last(items: list[Any], n: int) -> list[Any]:
    return items[-n:] if n > 0 else []


def answer(manager: HistoryManager, content: dict[str, Any]) -> dict[str, Any]:
    """The reply to a ``history_request``."""
    raw, output = content.get("raw", True), content.get("output", False)
    kind = content.get("hist_access_type", "tail")
    if kind == "tail":
        found = manager.get_tail(content.get("n"), raw=raw, output=output, include_latest=True)
    elif kind == "range":
        found = manager.get_range(
            content.get("session", 0), content.get("start", 0), content.get("stop"), raw=raw, output=output
        )
    elif kind == "search":
        found = manager.search(
            content.get("pattern", "*"),
            raw=raw,
            output=output,
            n=content.get("n"),
            unique=content.get("unique", False),
        )
    else:
        from .validation import BadRequest

        raise BadRequest("content.hist_access_type", f"must be tail, range or search, not {kind!r}")
    # IPython gives the current session as 0. A request that named it by its number gets that number.
    asked = max(0, content.get("session") or 0)
    return {"history": [[session or asked, *entry] for session, *entry in found]}
