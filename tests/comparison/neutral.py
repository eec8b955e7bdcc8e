"""The parts of two kernels' answers that must be equal: without addresses, times, folders, and frames inside libraries."""

from __future__ import annotations

import itertools
import re
from typing import Any

from .hosts import Answer

#: Texts that differ between processes, and their replacements.
_REPLACED = [
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"<ipython-input-\d+-\w+>|(?<![^\s\"'(])[^\s\"'(]*ipykernel_\d+/\d+\.py"), "<cell>"),
    (re.compile(r"\b\d{5,}\.py\b"), "<cell>"),  # the part of the name that a syntax error keeps
    (re.compile(r"In\[\d+\]"), "In[n]"),
    (re.compile(r"File <frozen [\w.]+>:\d+"), "File <lib>/frozen.py"),
    (
        re.compile(r"The slowest run took .*\n|(?:Compiler|Parser) +: .*\n"),
        "",
    ),  # notes of %timeit, some of them only on a busy machine
    (re.compile(r"\b0x[0-9a-f]{4,}\b"), "0x0"),
    # A library's file. Versions of Python have other lines.
    (
        re.compile(
            r"(?<![\w./~-])[\w./~-]*/python3\.?\d+(?:\.zip)?/(?:(?:site|dist)-packages/)?([\w./-]+\.py)(?::\d+)?"
        ),
        r"<lib>/\1",
    ),
    (re.compile(r"\b\d+(?:\.\d+)?(?:e[+-]?\d+)? ?(?:[nmµu]|μ)?s\b"), "<time>"),
    (re.compile(r"\x1b\]8;[^\x07\x1b]*(?:\x07|\x1b\\)"), ""),
]
#: The first line of a frame in a traceback.
_FRAME = re.compile(r"^(?:Cell In|File )", re.MULTILINE)


def text(value: str, folder: str) -> str:
    """A text without the parts that name a process, a time or a place."""
    value = value.replace(folder, "<folder>")
    for pattern, instead in _REPLACED:
        value = pattern.sub(instead, value)
    return value


def traceback(lines: list[str], folder: str) -> list[str]:
    """The frames of a traceback. Successive frames of libraries count as one, since their number depends on the version."""
    whole = text("\n".join(lines), folder)
    starts = [0, *(found.start() for found in _FRAME.finditer(whole)), len(whole)]
    parts = [whole[start:end].strip() for start, end in itertools.pairwise(starts)]
    found: list[str] = []
    for index, part in enumerate(parts):
        if part.startswith("File <lib>") and index < len(parts) - 1:
            part = "<library>"
        elif part.startswith("File <lib>"):
            part = "<library>\n" + part.rpartition("\n\n")[2]  # the text after the last frame
        if part and not (part == "<library>" and found and found[-1] == part):
            found.append(part)
    return found


def _plain(value: Any, folder: str) -> Any:
    if isinstance(value, str):
        return text(value, folder)
    if isinstance(value, dict):
        return {key: _plain(item, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, folder) for item in value]
    return value


def _error(content: dict[str, Any], folder: str) -> dict[str, Any]:
    return {
        "ename": content["ename"],
        "evalue": text(content["evalue"], folder),
        "traceback": traceback(content["traceback"], folder),
    }


class Comparable:
    """Turns the answers of one kernel into what is compared. Execution counts start at its first cell, and comms get names."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.first: int | None = None
        self.comms: dict[str, str] = {}

    def _count(self, count: int | None) -> int | None:
        if count is None:
            return None
        self.first = count if self.first is None else self.first
        return count - self.first

    def cell(self, answer: Answer) -> list[Any]:
        """Messages in order, streams joined, then the reply."""
        found: list[Any] = []
        # Messages of different channels have no fixed order.
        for kind, content in sorted(answer.messages, key=lambda message: message[0] != "input_request"):
            if kind == "status":
                continue
            content = dict(content)
            if kind == "stream" and found and found[-1][0] == kind and found[-1][1]["name"] == content["name"]:
                found[-1][1]["text"] += content["text"]
                continue
            found.append((kind, content))
        return [(kind, self._content(kind, content)) for kind, content in found] + [
            ("reply", self._reply(answer.reply))
        ]

    def _content(self, kind: str, content: dict[str, Any]) -> Any:
        if kind == "error":
            return _error(content, self.folder)
        if "execution_count" in content:
            content["execution_count"] = self._count(content["execution_count"])
        if "comm_id" in content:
            content["comm_id"] = self.comms.setdefault(content["comm_id"], f"comm {len(self.comms)}")
        if "transient" in content and content["transient"].get("display_id", "fixed-id") != "fixed-id":
            content["transient"] = "an id of its own"
        return _plain(content, self.folder)

    def _reply(self, reply: dict[str, Any]) -> dict[str, Any]:
        kept = {key: reply.get(key) for key in ("status", "payload", "user_expressions")}
        kept["execution_count"] = self._count(reply.get("execution_count"))
        if reply["status"] == "error":
            kept["error"] = _error(reply, self.folder)
        if kept["user_expressions"]:
            kept["user_expressions"] = {
                name: {key: value for key, value in entry.items() if key != "traceback"}
                for name, entry in kept["user_expressions"].items()
            }
        return _plain(kept, self.folder)
