"""Hand-in files and their keys."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterlite_browsergrad.cli import main
from jupyterlite_browsergrad.constants import HAND_IN_KEY, HAND_IN_PLUGIN
from jupyterlite_browsergrad.errors import GradingError
from jupyterlite_browsergrad.grading.hand_in_file import BadHandIn, read_hand_in
from jupyterlite_browsergrad.grading.hand_in_keys import make_keys, public_key_problem, read_keys
from jupyterlite_browsergrad.grading.submissions import cells_of, find_submissions
from jupyterlite_browsergrad.site import verification
from tests.hand_in import NOTEBOOK, bad_files, encrypted, hand_in, notebook

GOOD = {NOTEBOOK: notebook("x = 1", "y = 'ü'"), "data/own.txt": b"mine"}
LIMIT = 16 << 20
BAD = bad_files(GOOD)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "course.key"
    make_keys(path)
    return path


def public(path: Path) -> str:
    return str(read_keys([path])[0].to_public())


def test_a_sound_file_gives_its_notebook_and_what_its_list_says() -> None:
    found = read_hand_in(hand_in(GOOD), [], LIMIT)
    assert found.notebook == GOOD[NOTEBOOK]
    assert found.about["lab"] == {"id": "search", "version": "1.2.3"}


def test_an_encrypted_file_needs_its_key(key: Path, tmp_path: Path) -> None:
    make_keys(tmp_path / "other.key")
    content = encrypted(hand_in(GOOD), public(key))
    keys, other = read_keys([key]), read_keys([tmp_path / "other.key"])
    assert read_hand_in(content, keys, LIMIT).notebook == GOOD[NOTEBOOK]
    assert read_hand_in(content, other + keys, LIMIT).notebook == GOOD[NOTEBOOK]
    with pytest.raises(BadHandIn, match="give the private key with --key"):
        read_hand_in(content, [], LIMIT)
    with pytest.raises(BadHandIn, match="encrypted to another key"):
        read_hand_in(content, other, LIMIT)
    for damaged in (content[:-1], content[:40], content[:-20] + b"x" + content[-19:], content + b"x"):
        with pytest.raises(BadHandIn, match=r"damaged|another key"):
            read_hand_in(damaged, keys, LIMIT)
    with pytest.raises(BadHandIn, match="is not a hand-in file"):
        read_hand_in(encrypted(b"x = 1", public(key)), keys, LIMIT)
    with pytest.raises(BadHandIn, match=r"encrypted to another key|cannot be decrypted"):
        read_hand_in(bytes(pyrage.passphrase.encrypt(hand_in(GOOD), "secret")), keys, LIMIT)


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_with_the_reason(name: str) -> None:
    content, reason = BAD[name]
    with pytest.raises(BadHandIn) as error:
        read_hand_in(content, [], LIMIT)
    assert reason in str(error.value)
    assert str(error.value).startswith("it")


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damage_anywhere_is_an_error_or_changes_nothing(data: st.DataObject) -> None:
    content = bytearray(hand_in(GOOD))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read_hand_in(bytes(content), [], LIMIT)
    except BadHandIn:
        return
    assert found.notebook == GOOD[NOTEBOOK]


def test_submissions_may_be_hand_in_files(key: Path, tmp_path: Path) -> None:
    (tmp_path / "a.bglab").write_bytes(encrypted(hand_in(GOOD), public(key)))
    (tmp_path / "b.bglab").write_bytes(b"x")
    one, other = find_submissions([tmp_path])
    read = one.read(LIMIT, read_keys([key]))
    assert (read.problem, cells_of(one.name, read.content)) == (None, ["x = 1", "y = 'ü'"])
    assert "is not a hand-in file" in str(other.read(LIMIT).problem)


def test_keys_are_made_once_and_only_their_owner_can_read_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "course.key"
    before = os.umask(0)
    try:
        assert main(["keys", str(path)]) == 0
    finally:
        os.umask(before)
    made, said = capsys.readouterr()
    assert made.startswith("age1") and "AGE-SECRET-KEY" not in made + said
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = path.read_bytes()
    assert main(["keys", str(path)]) == 1
    assert "is not overwritten" in capsys.readouterr().err
    assert path.read_bytes() == content
    assert main(["keys", "--show", str(path)]) == 0
    assert capsys.readouterr() == (made, "")
    path.chmod(0o640)
    assert main(["keys", "--show", str(path)]) == 0
    assert "chmod 600" in capsys.readouterr().err
    link = tmp_path / "link.key"
    link.symlink_to(tmp_path / "elsewhere.key")
    assert main(["keys", str(link)]) == 1
    assert not (tmp_path / "elsewhere.key").exists()
    assert main(["keys", str(tmp_path / "missing" / "a.key")]) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no private key"),
        (b"# only a comment\n", "no private key"),
        (b"age1wf05ejtm70y994ddxfnt0eltyr032vvnpeuzgtsac7cgzp5edehswl5muc\n", "a public key, which cannot decrypt"),
        (b"AGE-SECRET-KEY-1QQQQ\n", "damaged"),
        (b"\xff\xfe\0", "is not text"),
        (b"secret words", "no private key"),
    ],
)
def test_a_file_without_a_private_key_is_refused_and_never_quoted(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.key"
    path.write_bytes(content)
    with pytest.raises(GradingError, match=said) as error:
        read_keys([path])
    assert "QQQQ" not in str(error.value) and "secret words" not in str(error.value)
    with pytest.raises(GradingError, match="cannot be read"):
        read_keys([tmp_path / "missing.key"])


def test_public_keys_are_told_from_all_else(key: Path) -> None:
    good = public(key)
    assert public_key_problem(good) is None
    for at in range(4, len(good)):
        swapped = good[:at] + ("q" if good[at] != "q" else "p") + good[at + 1 :]
        assert public_key_problem(swapped) is not None
    private = key.read_text("utf-8").split()[-1]
    assert "private key" in str(public_key_problem(private))
    assert private not in str(public_key_problem(private))
    for text in ("age1", good.upper(), good[:-1], good + "q", "ssh-ed25519 AAAA", "age1" + "b" * 58):
        assert public_key_problem(text) is not None


def test_a_site_that_names_another_key_is_not_whole(key: Path, tmp_path: Path) -> None:
    config = tmp_path / "jupyter-lite.json"

    def found(value: object) -> list[str]:
        settings = {HAND_IN_PLUGIN: {HAND_IN_KEY: value}}
        config.write_text(json.dumps({"jupyter-config-data": {"litePluginSettings": settings}}), "utf-8")
        return [text for text in verification.problems(tmp_path, [config]) if HAND_IN_KEY in text]

    assert found(public(key)) == found("") == []
    (problem,) = found(key.read_text("utf-8").split()[-1])
    assert "is a private key" in problem and "AGE-SECRET" not in problem


def test_reports_read_hand_in_files(key: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.bglab").write_bytes(encrypted(hand_in(GOOD), public(key)))
    assert main(["report", str(tmp_path), "--key", str(key)]) == 0
    assert "a.bglab: 0 passed, 0 failed, 0 errors" in capsys.readouterr().out
    assert main(["report", str(tmp_path)]) == 2
    assert "give the private key with --key" in capsys.readouterr().err
