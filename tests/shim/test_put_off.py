"""Modules that the memory snapshot does not hold are imported when something uses them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsergrad_kernel import put_off

FILES = {
    "put_off_package/__init__.py": "",
    "put_off_package/rare.py": "value = 42\nclass Rare: pass\ndef double(number, *, times=1):\n    return 2 * number * times\n",
    "put_off_user.py": (
        "import put_off_package.rare\nfrom put_off_package import rare\nfrom put_off_package.rare import double\n"
        "def value():\n    return rare.value\ndef quadruple(number):\n    return double(number, times=2)\n"
    ),
}


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module that has imported another one, which is then put off."""
    for name, source in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(put_off._FUNCTIONS, "put_off_package.rare", ("double",))
    import put_off_user

    put_off.put_off(("put_off_package.rare", "put_off_package.absent"))
    yield put_off_user
    for name in [name for name in sys.modules if name.startswith(("put_off_package", "put_off_user"))]:
        del sys.modules[name]


def test_it_is_not_there_until_something_uses_it(user: Any) -> None:
    assert "put_off_package.rare" not in sys.modules
    assert not hasattr(user.put_off_package, "rare")
    assert user.value() == 42
    assert "put_off_package.rare" in sys.modules


def test_a_function_that_was_imported_by_name_works(user: Any) -> None:
    assert user.quadruple(1) == 4


def test_all_get_the_same_module(user: Any) -> None:
    kind = user.rare.Rare
    import put_off_package.rare

    assert put_off_package.rare.Rare is kind
    assert user.put_off_package.rare is put_off_package.rare


def test_what_it_lacks_is_an_attribute_error(user: Any) -> None:
    with pytest.raises(AttributeError, match=r"put_off_package\.rare.*nothing"):
        user.rare.nothing  # noqa: B018 - the access is what is tested
