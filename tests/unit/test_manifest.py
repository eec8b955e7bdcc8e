"""The rules of lab manifests, tested with the cases that TypeScript's tests use too."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import jupyterlite_browsergrad
from jupyterlite_browsergrad.errors import BrowsergradError
from jupyterlite_browsergrad.labs import manifest_rules
from jupyterlite_browsergrad.manifest import (
    LabRuntimeMismatch,
    Manifest,
    ManifestError,
    assert_compatible_runtime,
    is_semver_compatible,
    parse_manifest,
)

FIXTURE = json.loads((Path(__file__).parents[1] / "fixtures" / "manifest_cases.json").read_text("utf-8"))
SCHEMA = json.loads(
    (Path(jupyterlite_browsergrad.__file__).parent / "schemas" / "manifest.v1.schema.json").read_text("utf-8")
)
CASES = FIXTURE["cases"]
#: Rules that JSON Schema cannot express.
BEYOND_SCHEMA = {
    "two datasets of one name",
    "version '9007199254740992.0.0'",
    "pin '^9007199254740992.0.0'",
}


def value_of(case: dict[str, Any]) -> dict[str, Any]:
    value = FIXTURE["base"] | case["set"]
    return {name: item for name, item in value.items() if name not in case.get("remove", [])}


def text_of(case: dict[str, Any]) -> str:
    if "text" in case:
        return "".join(part * times for part, times in case["text"])
    return json.dumps(value_of(case))


def errors_of(source: object) -> list[list[str]]:
    try:
        parse_manifest(source)
    except ManifestError as error:
        assert len(error.errors) == len({(item.path, item.code) for item in error.errors})
        return sorted([item.path, item.code] for item in error.errors)
    return []


def by_name(cases: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("case", cases, ids=[case["name"] for case in cases])


def test_the_fixture_has_cases_of_every_code() -> None:
    codes = {code for case in CASES for _, code in case["errors"]}
    assert codes == set(manifest_rules.Code.__args__)
    assert len(CASES) >= 150


@by_name(CASES)
def test_text_gives_exactly_the_expected_errors(case: dict[str, Any]) -> None:
    assert errors_of(text_of(case)) == case["errors"]
    assert errors_of(text_of(case).encode()) == case["errors"]


@by_name([case for case in CASES if "set" in case])
def test_a_value_gives_exactly_the_expected_errors(case: dict[str, Any]) -> None:
    assert errors_of(value_of(case)) == case["errors"]


@by_name([case for case in CASES if "set" in case])
def test_the_schema_agrees(case: dict[str, Any]) -> None:
    valid = Draft202012Validator(SCHEMA).is_valid(value_of(case))
    codes = {code for _, code in case["errors"]}
    # The schema accepts more in three points: in rules that it cannot express, in the form of URLs, and before a last
    # line feed. There Python's `$` matches, but ECMAScript's, which JSON Schema requires, does not.
    looser = (
        case["name"] in BEYOND_SCHEMA
        or codes == {"url"}
        or (codes == {"path"} and "%" in case["name"])
        or "\\n'" in case["name"]
    )
    assert valid == (not codes) or (valid and looser)


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("source", [b'{"id": "\xff"}', None, 1, [], object()])
def test_anything_else_is_an_error_too(source: object) -> None:
    assert [path for path, _ in errors_of(source)] == [""]


def test_a_valid_manifest_is_normalised_and_goes_round() -> None:
    data = FIXTURE["base"] | {
        "rubric_path": "./a//b/./rubric.py",
        "datasets": [{"name": "d", "url": "d.csv", "hash": "sha256:" + "AB" * 32}],
    }
    manifest = parse_manifest(data)
    assert manifest.rubric_path == "a/b/rubric.py"
    assert manifest.datasets[0].hash == "sha256:" + "ab" * 32
    assert parse_manifest(json.dumps(manifest.to_dict())) == manifest


def test_the_error_tells_every_place() -> None:
    with pytest.raises(ManifestError) as caught:
        parse_manifest("{}")
    assert isinstance(caught.value, BrowsergradError)
    assert isinstance(caught.value, ValueError)
    for name in ("id", "version", "requires_browsergrad", "required_ops", "rubric_path"):
        assert f"/{name}: " in str(caught.value)


def test_many_equal_keys_are_checked_in_time() -> None:
    text = "{" + ", ".join(f'"{index % 20000}": 1' for index in range(60000)) + "}"
    with pytest.raises(ManifestError) as caught:
        parse_manifest(text)
    assert sum(item.code == "duplicate" for item in caught.value.errors) == 20000


# --- versions


@pytest.mark.parametrize(("pin", "satisfied"), FIXTURE["satisfied"])
def test_pins_mean_what_they_mean_to_npm(pin: str, satisfied: list[str]) -> None:
    assert [version for version in FIXTURE["versions"] if is_semver_compatible(pin, version)] == satisfied


@pytest.mark.parametrize(("pin", "version"), FIXTURE["unreadable"])
def test_what_cannot_be_read_is_not_compatible(pin: Any, version: Any) -> None:
    assert not is_semver_compatible(pin, version)


def test_a_mismatch_names_both_versions() -> None:
    manifest: Manifest = parse_manifest(FIXTURE["base"])
    assert_compatible_runtime(manifest, "0.8.1")
    with pytest.raises(LabRuntimeMismatch, match=r"^lab requires \^0\.8\.0, runtime is 0\.9\.0$") as caught:
        assert_compatible_runtime(manifest, "0.9.0")
    assert (caught.value.required, caught.value.actual) == ("^0.8.0", "0.9.0")
    assert caught.value.code == "lab-runtime-mismatch"
    with pytest.raises(LabRuntimeMismatch):
        assert_compatible_runtime(manifest, "not a version")


NUMBERS = st.integers(0, 3)
PRERELEASES = st.sampled_from(["", "-0", "-1", "-alpha", "-alpha.1", "-alpha.10", "-alpha.beta", "-rc.1"])
VERSIONS = st.builds("{}.{}.{}{}".format, NUMBERS, NUMBERS, NUMBERS, PRERELEASES)


@given(VERSIONS)
def test_every_version_satisfies_its_own_pins(version: str) -> None:
    assert all(is_semver_compatible(operator + version, version) for operator in ("", "^", "~"))


@given(VERSIONS, VERSIONS)
def test_what_satisfies_exactly_satisfies_the_ranges(pin: str, version: str) -> None:
    exact, tilde, caret = (is_semver_compatible(operator + pin, version) for operator in ("", "~", "^"))
    assert tilde or not exact
    assert caret or not exact
    # `~0.0.1` allows 0.0.2, and `^0.0.1` does not. From 0.1 on, `^` allows all that `~` allows.
    assert caret or not tilde or pin.startswith("0.0.")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.fixed_dictionaries({}, optional={name: JSON for name in FIXTURE["base"]}) | JSON)
def test_no_value_breaks_the_check(value: Any) -> None:
    try:
        manifest = parse_manifest(value)
    except ManifestError as error:
        assert error.errors
    else:
        assert parse_manifest(manifest.to_dict()) == manifest


def test_manifests_can_be_pickled() -> None:
    manifest = parse_manifest(FIXTURE["base"])
    assert pickle.loads(pickle.dumps(manifest)) == manifest
