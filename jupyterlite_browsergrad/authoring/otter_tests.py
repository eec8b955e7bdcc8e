"""Reads tests that otter has generated: in ``tests/*.py`` or in a notebook's metadata, as dictionaries or as functions.

A file is read, and never run.
"""

from __future__ import annotations

import ast
import doctest
import json
import math
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from browsergrad.hosting import plain

from ..errors import AuthoringError
from .otter import Question
from .rubrics import comparing
from .source import Problems, SourceCell

__all__ = ["GeneratedTest", "settings_of", "tests_of_file", "tests_of_metadata"]


@dataclass
class GeneratedTest:
    """A test case, with its code as plain Python. If `points` is None, the question's settings give its points."""

    question: str
    name: str
    code: str
    hidden: bool
    points: float | None = None
    feedback_pass: str | None = None
    feedback_fail: str | None = None


def tests_of_metadata(path: Path, metadata: dict[str, Any]) -> list[GeneratedTest]:
    """Return the tests in a notebook's metadata. Raises `AuthoringError` if they are not in otter's form."""
    tests = metadata.get("tests")
    found: list[GeneratedTest] = []
    for name, spec in (tests if isinstance(tests, dict) else {}).items():
        if isinstance(spec, dict):
            found += _of_spec(path, spec)
        elif isinstance(spec, str) or (isinstance(spec, list) and all(isinstance(line, str) for line in spec)):
            found += _of_text(path, spec if isinstance(spec, str) else "".join(spec))
        else:
            raise AuthoringError(f"{path}: its metadata hold a test {name!r} that is not of otter's form")
    return found


def tests_of_file(path: Path) -> list[GeneratedTest]:
    """Return the tests of a file in the folder ``tests``.

    Raises
    ------
    AuthoringError
        It cannot be read, or is not of otter's form.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AuthoringError(f"{path} cannot be read: {error}") from error
    return _of_text(path, text)


def _of_text(path: Path, text: str) -> list[GeneratedTest]:
    try:
        tree = ast.parse(text)
        values = {
            node.targets[0].id: ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        if isinstance(values.get("test"), dict):
            return _of_spec(path, values["test"])
        name = str(values["name"])
        cases = [_case(node, name) for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    except (SyntaxError, ValueError, LookupError, TypeError) as error:
        raise AuthoringError(f"{path} is not a test file of otter's: {type(error).__name__}: {error}") from error
    return _named(path, cases, values.get("points"), bool(values.get("all_or_nothing")))


def _of_spec(path: Path, spec: dict[str, Any]) -> list[GeneratedTest]:
    try:
        name = str(spec["name"])
        (suite,) = spec["suites"]
        if suite.get("type", "doctest") != "doctest" or suite.get("setup") or suite.get("teardown"):
            raise ValueError("it has a suite that is not a plain doctest")
        cases = [
            GeneratedTest(
                name,
                str(each.get("name") or ""),
                _code_of_doctest(textwrap.dedent(each["code"])),
                bool(each.get("hidden", True)),
                each.get("points"),
                each.get("success_message"),
                each.get("failure_message"),
            )
            for each in suite["cases"]
        ]
    except (SyntaxError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise AuthoringError(f"{path} is not a test file of otter's: {type(error).__name__}: {error}") from error
    return _named(path, cases, spec.get("points"), bool(spec.get("all_or_nothing")))


def _named(path: Path, cases: list[GeneratedTest], points: Any, all_or_nothing: bool) -> list[GeneratedTest]:
    """Name the test cases as otter does, and give each its points. If they give all points or none, make one test of them."""
    problems = Problems()
    for number, case in enumerate(cases, 1):
        case.name = case.name or f"{case.question} - {number}"
    question = Question(cases[0].question if cases else "", points, cell=SourceCell(path, "code", "", 1))
    question.share_points(cases, problems)
    problems.check()
    return [_joined(cases)] if all_or_nothing and cases else cases


def _joined(cases: list[GeneratedTest]) -> GeneratedTest:
    hidden = all(each.hidden for each in cases)
    parts = []
    for each in cases:
        marked = each.hidden and not hidden
        parts.append(f"### BEGIN HIDDEN TESTS\n{each.code}\n### END HIDDEN TESTS" if marked else each.code)
    said = (
        " ".join(text for each in cases if (text := getattr(each, name))) or None
        for name in ("feedback_pass", "feedback_fail")
    )
    name = cases[0].question
    return GeneratedTest(
        name, f"{name} - all", "\n".join(parts), hidden, plain(math.fsum(each.points or 0 for each in cases)), *said
    )


def _code_of_doctest(text: str) -> str:
    """A doctest as plain Python: the expected output becomes an assertion."""
    lines: list[str] = []
    for example in doctest.DocTestParser().get_examples(text):
        source = example.source.rstrip("\n")
        tree = ast.parse(source)
        if example.exc_msg is not None:
            kind = example.exc_msg.partition(":")[0].strip()
            lines += ["try:", textwrap.indent(source, "    "), f"except {kind}:", "    pass", "else:"]
            lines.append(f"    raise AssertionError({'no ' + kind!r})")
        elif example.want and tree.body and isinstance(tree.body[-1], ast.Expr):
            lines += comparing(tree, source.splitlines(), example.want)
        elif example.want:
            lines += ["import contextlib, io", "with contextlib.redirect_stdout(io.StringIO()) as printed:"]
            lines += [textwrap.indent(source, "    "), f"assert printed.getvalue() == {example.want!r}"]
        else:
            lines.append(source)
    return "\n".join(lines)


def _case(node: ast.FunctionDef, question: str) -> GeneratedTest:
    """A function with the decorator ``@test_case(…)``. The test defines it and calls it with the names that its parameters have."""
    call = next(each for each in node.decorator_list if isinstance(each, ast.Call))
    options = {each.arg: ast.literal_eval(each.value) for each in call.keywords if each.arg}
    names = [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    node.decorator_list = []
    arguments = ", ".join(f"{name}=globals()" if name == "env" else f"{name}={name}" for name in names)
    code = f"{ast.unparse(node)}\n{node.name}({arguments})"
    return GeneratedTest(
        question, str(options.get("name") or ""), code, bool(options.get("hidden", False)), options.get("points"),
        options.get("success_message"), options.get("failure_message"),
    )  # fmt: skip


def settings_of(path: Path) -> list[str]:
    """Return the names of the settings in ``otter_config.json``. Raises `AuthoringError` if it is not JSON."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise AuthoringError(f"{path} cannot be read: {error}") from error
    return sorted(found) if isinstance(found, dict) else []
