"""Both implementations of the manifest rules agree on generated manifests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterlite_browsergrad.manifest import ManifestError, is_semver_compatible, parse_manifest

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "scripts"))

import toolchain  # noqa: E402  # found through the path above

BASE = json.loads((REPO / "tests/fixtures/manifest_cases.json").read_text("utf-8"))["base"]
#: Generates each part of a path or URL that one of the rules concerns.
PIECES = [
    "", ".", "..", "/", "\\", "a", "b.py", "%2e", "%2E%2e", "%2f", "%5C", "%00", "%", "%c3%a4", " ", "\n", "\t", "\0", "\x7f",
    "C:", "http:", "https://", "HTTPS://", "https://example.org", "HTTPS://a.b", "%7F", "file:///", "data:,", "//", "é", "\u2028", "\ud800", "😀", "~", "?q=1", "#f", "example.org", "@", ":80", "[::1]",
]  # fmt: skip
paths = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
numbers = st.sampled_from(["0", "1", "8", "9", "10", "01", "9007199254740991", "9007199254740992", "-1", "x", ""])
pins = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "^", "~", ">=", "^^", " "]), numbers, st.just("."), numbers, st.just("."), numbers,
        st.sampled_from(["", "-", "-0", "-01", "-a", "-a.1", "-a.-", "-a..b", "+b", "-a+b", "\n", ".4", "-é"]),
    ),
)  # fmt: skip
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8), paths, pins,
)  # fmt: skip
keys = st.one_of(
    st.sampled_from([*BASE, "name", "url", "hash", "a/b", "a~b", "__proto__", "constructor", ""]), st.text(max_size=4)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)
datasets = st.lists(
    st.dictionaries(st.sampled_from(["name", "url", "hash", "other"]), values, max_size=4)
    | st.fixed_dictionaries(
        {"name": st.sampled_from(["a", "b", ""]), "url": paths},
        optional={"hash": st.from_regex(r"\A(sha256|md5):[0-9A-Fa-f]{63,65}\n?\Z")},
    )
    | values,
    max_size=5,
)
FIELDS = {
    "id": st.from_regex(r"[a-z0-9A-Z-]{0,6}\n?") | values,
    "version": pins | values,
    "requires_browsergrad": pins | values,
    "required_ops": st.lists(st.text(max_size=3) | values, max_size=4) | values,
    "rubric_path": paths | values,
    "starter_path": paths | values,
    "reference_path": paths | values,
    "datasets": datasets | values,
}
#: A valid manifest with some fields changed, added or missing.
manifests = st.builds(
    lambda changed, dropped, added: {key: v for key, v in (BASE | changed | added).items() if key not in dropped},
    st.fixed_dictionaries({}, optional=FIELDS),
    st.sets(st.sampled_from([*BASE]), max_size=1),
    st.dictionaries(keys, values, max_size=1),
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """JSON texts of manifests with parts removed, doubled and inserted."""
    text = json.dumps(draw(manifests), ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        put = draw(
            st.sampled_from(
                ["", text[start:end] * 2, '"id": "x", ', '"\\u0069d": "y", ', "{", "]", "NaN", "\ufeff", "\x00", "\u00a0",
                 "//", '"', "\\", "1e999", "-0", "[" * 99, "[" * 100, '{"a":' * 120, "\r\n"]
            )
        )  # fmt: skip
        text = text[:start] + put + text[end:]
    return text


class Other:
    """The TypeScript implementation."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def ask(self, **request: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def other() -> Iterator[Other]:
    command = [str(toolchain.node_bin() / "node"), "scripts/manifest_verdicts.mjs"]
    with subprocess.Popen(
        command, cwd=REPO / "labextension", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Other(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 0


def verdict(source: object) -> object:
    try:
        return parse_manifest(source).to_dict()
    except ManifestError as error:
        return sorted([item.path, item.code] for item in error.errors)


def verdict_of(answer: dict[str, Any]) -> object:
    if answer["ok"]:
        return answer["manifest"]
    return sorted([item["path"], item["code"]] for item in answer["details"])


@settings(max_examples=400, deadline=None)
@given(manifests)
def test_values_get_one_verdict_and_the_same_error_paths(other: Other, value: dict[str, Any]) -> None:
    assert verdict_of(other.ask(value=value)) == verdict(value)


@settings(max_examples=400, deadline=None)
@given(texts())
def test_texts_get_one_verdict_and_the_same_error_paths(other: Other, text: str) -> None:
    assert verdict_of(other.ask(text=text)) == verdict(text)


@settings(max_examples=300, deadline=None)
@given(values)
def test_any_json_gets_one_verdict(other: Other, value: object) -> None:
    assert verdict_of(other.ask(text=json.dumps(value))) == verdict(json.dumps(value))


@settings(max_examples=400, deadline=None)
@given(pins, pins)
def test_pins_fit_the_same_versions(other: Other, pin: str, version: str) -> None:
    assert other.ask(pin=pin, version=version) == is_semver_compatible(pin, version)


@settings(max_examples=600, deadline=None)
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=3).map("".join), min_size=8, max_size=8))
def test_paths_and_urls_get_one_verdict(other: Other, chosen: list[str]) -> None:
    names = ("rubric_path", "starter_path", "reference_path")
    urls = [{"name": str(index), "url": url} for index, url in enumerate(chosen[3:])]
    value = BASE | dict(zip(names, chosen, strict=False)) | {"datasets": urls}
    assert verdict_of(other.ask(value=value)) == verdict(value)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=4).map("".join),
    st.sampled_from(["..", "/", "//host", "\\", "C:", "http:", "file:", "data:", "javascript:", "\0", "%2e."]),
)
def test_no_path_of_a_manifest_leaves_the_lab(other: Other, rest: str, lead: str) -> None:
    path = f"{lead}/{rest}"
    for name in ("rubric_path", "starter_path", "reference_path"):
        value = BASE | {name: path}
        assert [f"/{name}", "path"] in verdict(value)
        assert [f"/{name}", "path"] in verdict_of(other.ask(value=value))
    value = BASE | {"datasets": [{"name": "d", "url": path}]}
    assert ["/datasets/0/url", "url"] in verdict(value)
    assert ["/datasets/0/url", "url"] in verdict_of(other.ask(value=value))
