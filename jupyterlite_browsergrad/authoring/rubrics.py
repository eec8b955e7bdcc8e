"""Makes rubrics from the tests of a source."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator

from browsergrad.hosting import plain

from .own_names import ReferenceNames
from .plan import Plan, Test
from .source import Problems, SourceCell

__all__ = ["asserting", "comparing", "rubric_text", "test_code"]


def rubric_text(plan: Plan, title: str, *, hidden: bool, problems: Problems) -> str:
    """Return the rubric with each test as a check.

    Parameters
    ----------
    title
        Its docstring.
    hidden
        Whether the rubric is for grading, and includes hidden tests and the hidden lines of other tests.
    """
    parts = [f'"""{title}"""\n\nimport browsergrad as bg\n']
    tests = [(test, test.whole if hidden else test.shown) for test in plan.tests]
    code = [(test, text) for test, text in tests if text]
    parts += [f"{line}\n" for line in _imports(plan.given, [text for _, text in code])]
    names = ReferenceNames(each.text for each in plan.reference if each.kind == "code" and "test" not in each.marks)
    for test, text in code:
        try:
            body = _body(test, text)
        except (SyntaxError, ValueError) as error:  # ValueError: the code has null bytes
            if hidden:  # the published rubric has the same error, which is not reported twice
                said = getattr(error, "msg", str(error)) + (
                    ": IPython's magics and shell commands do not work in a rubric"
                    if "%" in text or "!" in text
                    else ""
                )
                problems.add(
                    test.cell,
                    getattr(error, "lineno", None) or 1,
                    f"the test {test.name!r} is not plain Python: {said}",
                )
            continue
        parts.append(_check(test, body, names.changed_by(text)))
    if not plan.tests:  # a rubric has to report something
        parts.append('\nbg.assert_pass("your answers are graded by a person", points=0)\n')
    return "".join(parts)


def _check(test: Test, body: str, changed: list[str]) -> str:
    """A check as a block of code; as a function that runs with the student's own names if it changes any of them."""
    options = "" if test.points is None else f", points={plain(test.points, 12)!r}"
    for name, value in (
        ("group", test.group),
        ("feedback_pass", test.feedback_pass),
        ("feedback_fail", test.feedback_fail),
    ):
        options += "" if value is None else f", {name}={value!r}"
    call = f"bg.check({test.name!r}{options})"
    if changed:
        whole = f"\n@{call}\n@bg.in_place\ndef _test():\n    global {', '.join(changed)}\n{body}\n\n\n_test()\n"
        try:
            compile(whole, "rubric.py", "exec")
        except SyntaxError:  # such as `from module import *`, which a function cannot have
            changed.clear()
        else:
            return whole
    return f"\nwith {call}:\n{body}\n"


def _body(test: Test, text: str) -> str:
    """The code of a check, indented. Raises SyntaxError."""
    code = asserting(text, test.expected)
    lines = code.splitlines()
    while lines and not lines[0].strip():
        lines = lines[1:]
        code = "\n".join(lines)
    kept = _inside_texts(code)
    return "\n".join(
        line if number in kept or not line else f"    {line}" for number, line in enumerate(lines, 1)
    ).rstrip()


def test_code(test: Test) -> str:
    """The code of a test as students see it in their notebook. Raises SyntaxError."""
    return asserting(test.shown, test.expected).strip("\n")


def asserting(text: str, expected: str | None) -> str:
    """Return a test's code with a comparison of its output, if it has to have one. Raises SyntaxError."""
    tree = ast.parse(text)
    lines = text.splitlines()
    if expected is not None and tree.body and isinstance(tree.body[-1], ast.Expr):
        lines = comparing(tree, lines, expected)
    return "\n".join(lines)


def comparing(tree: ast.Module, lines: list[str], expected: str) -> list[str]:
    """Return the lines with a comparison of the test's output. Like otter, compare the last expression's value or the printed text."""
    last = tree.body[-1]
    assert isinstance(last, ast.Expr)
    before = lines[: last.lineno - 1]
    value = ast.unparse(last.value)
    shown = expected.strip("\n")
    if _is_call_of_print(last.value):
        return [
            "import contextlib, io",
            "with contextlib.redirect_stdout(io.StringIO()) as printed:",
            *(f"    {line}" for line in [*before, value] if line.strip()),
            f"assert printed.getvalue().strip() == {shown.strip()!r}",
        ]
    if shown == "True":
        return [*before, f"assert {value}"]
    if shown == "":
        return [*before, f"assert ({value}) is None"]
    if "\n" in shown and _calls_print(last.value):  # it prints, and has a value
        return [
            "import contextlib, io",
            "with contextlib.redirect_stdout(io.StringIO()) as printed:",
            *(f"    {line}" for line in before if line.strip()),
            f"    print(repr({value}))",
            f"assert printed.getvalue().strip() == {shown.strip()!r}",
        ]
    return [*before, f"assert repr({value}) == {shown!r}"]


def _calls_print(node: ast.expr) -> bool:
    return any(isinstance(each, ast.expr) and _is_call_of_print(each) for each in ast.walk(node))


def _is_call_of_print(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"


def _inside_texts(code: str) -> set[int]:
    """Numbers of the lines that begin inside a string. They must not be indented, since that would change the string."""
    inside: set[int] = set()
    starts: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        kind = tokenize.tok_name[token.type]
        if kind in ("FSTRING_START", "TSTRING_START"):
            starts.append(token.start[0])
        elif kind in ("FSTRING_END", "TSTRING_END"):
            inside.update(range(starts.pop() + 1, token.end[0] + 1))
        elif kind == "STRING":
            inside.update(range(token.start[0] + 1, token.end[0] + 1))
    return inside


def _imports(given: Iterable[SourceCell], tests: Iterable[str]) -> Iterator[str]:
    """Imports in the shared cells that tests use. The rubric repeats them, since it may run in an interpreter of its own."""
    used: set[str] = set()
    for text in tests:
        try:
            used |= {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
        except SyntaxError:
            continue
    seen: set[str] = set()
    for cell in given:
        try:
            body = ast.parse(cell.source).body
        except SyntaxError:  # magics, or an error that shows when the reference runs
            continue
        for node in body:
            if isinstance(node, (ast.Import, ast.ImportFrom)) and not _is_local(cell, node):
                names = {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
                text = ast.unparse(node)
                if names & used and text not in seen and "*" not in names:
                    seen.add(text)
                    yield text


def _is_local(cell: SourceCell, node: ast.Import | ast.ImportFrom) -> bool:
    """Whether a module is beside the source. A rubric cannot import it from there."""
    modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    tops = [module.partition(".")[0] for module in modules]
    folder = cell.file.parent
    return any(not top or (folder / top).exists() or (folder / f"{top}.py").exists() for top in tops)
