"""%pip with the real micropip, from files alone: the distributions that it installs, replaces and removes."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox


def make_wheel(folder: Path, version: str, *, name: str = "tinylab", metadata: str = "") -> str:
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(inside, text)
    return path.name


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Path]]:
    folder = tmp_path_factory.mktemp("drive")
    for version in ("1.0", "9.0", "10.0"):
        make_wheel(folder, version)
    (folder / "wheels").mkdir()
    for version in ("9.5", "10.5"):
        make_wheel(folder / "wheels", version, name="helplab")
    make_wheel(
        folder / "wheels",
        "1.0",
        name="toplab",
        metadata='Requires-Dist: helplab<10\nProvides-Extra: more\nRequires-Dist: tinylab; extra == "more"\n',
    )
    with Sandbox(folder) as sandbox:
        yield sandbox, folder


@pytest.fixture
def sandbox(shared: tuple[Sandbox, Path]) -> Iterator[Sandbox]:
    """A sandbox in which nothing is installed."""
    yield shared[0]
    run(
        shared[0],
        "%pip uninstall -y tinylab helplab toplab\nimport sys\nfor name in ('tinylab', 'helplab', 'toplab'): sys.modules.pop(name, None)",
    )


def run(sandbox: Sandbox, code: str) -> str:
    result = sandbox.execute(code)
    assert result.content["status"] == "ok", result.content
    return result.text()


def versions(sandbox: Sandbox, name: str = "tinylab") -> str:
    """All distributions of that name, since a replaced one must leave nothing behind."""
    return run(
        sandbox,
        f"from importlib.metadata import distributions\nprint([d.version for d in distributions() if d.name == {name!r}])",
    ).strip()


WHEEL = "tinylab-{}-py3-none-any.whl"
ONE = WHEEL.format("1.0")


@pytest.mark.parametrize(
    "code",
    [
        f"%pip install ./{ONE}  # needed for task 2",
        f"%pip install -U -qq --no-cache-dir emfs:{ONE}",
        f"%pip install file:/drive/{ONE}",
        f"!{{__import__('sys').executable}} -m pip install {ONE}",
        f"%%capture said\n%pip install -v {ONE}",
        f"%%time\n!pip install {ONE}",
        f"%%bash\npip install {ONE}\npip check",
        f"def prepare():\n    %pip install {ONE}\nprepare()",
        f"class Lab:\n    %pip install {ONE}",
        f"for _ in range(2):\n    try:\n        %pip install {ONE}\n    finally:\n        pass",
        "%pip install --no-index --find-links=. tinylab==1.*",
        "open('limits.txt', 'w').write('tinylab<9\\n')\n%pip install --no-index -f . tinylab -c limits.txt",
        f"open('list.txt', 'w').write('# all\\n./{ONE}  # ours\\nabsent; python_version < \"3\"\\n')\n%pip install --requirement=list.txt -q",
    ],
)
def test_packages_are_installed_however_it_is_written(sandbox: Sandbox, code: str) -> None:
    run(sandbox, code)
    assert run(sandbox, "import tinylab; print(tinylab.version)") == "1.0\n"


def test_messages_under_capture_stay_out_of_the_notebook(sandbox: Sandbox) -> None:
    assert run(sandbox, f"%%capture said\n%pip install -v {ONE}") == ""
    assert "Successfully installed tinylab-1.0" in run(sandbox, "print(said.stdout)")
    assert "Successfully installed tinylab-9.0" in run(sandbox, f"%pip install -v {WHEEL.format('9.0')}")


def test_upgrade_takes_the_newest_version_and_leaves_nothing_of_the_old(sandbox: Sandbox) -> None:
    run(sandbox, f"%pip install {ONE}")
    run(sandbox, "%pip install --no-index -f . tinylab")
    assert versions(sandbox) == "['1.0']"
    run(sandbox, "%pip install --upgrade --no-index -f . tinylab")
    assert versions(sandbox) == "['10.0']"
    assert run(sandbox, "import tinylab; print(tinylab.version)") == "10.0\n"


def test_upgrade_keeps_what_is_newest_already_and_what_no_index_has(sandbox: Sandbox) -> None:
    run(sandbox, f"%pip install {WHEEL.format('10.0')}\n%pip install -U --no-index -f wheels tinylab")
    assert versions(sandbox) == "['10.0']"


def test_another_version_replaces_the_one_that_is_there(sandbox: Sandbox) -> None:
    for version in ("9.0", "1.0"):
        run(sandbox, f"%pip install {WHEEL.format(version)}")
        assert versions(sandbox) == f"['{version}']"
    run(sandbox, "%pip install --no-index -f . 'tinylab~=9.0'")
    assert versions(sandbox) == "['9.0']"


def test_a_module_that_is_in_use_is_told_to_need_a_restart(sandbox: Sandbox) -> None:
    assert run(sandbox, f"%pip install {ONE}\nimport tinylab") == ""
    assert run(sandbox, f"%pip install {ONE}") == ""
    said = run(sandbox, f"%pip install --upgrade {WHEEL.format('9.0')}")
    assert (
        said.startswith("tinylab 9.0 is installed, but tinylab 1.0 has been imported") and "Restart the kernel" in said
    )


def test_dependencies_come_along_and_fit(sandbox: Sandbox) -> None:
    run(sandbox, "%pip install --no-index -f wheels -f . toplab[more]")
    assert [versions(sandbox, name) for name in ("toplab", "helplab", "tinylab")] == ["['1.0']", "['9.5']", "['10.0']"]
    assert run(sandbox, "%pip check") == "No broken requirements found.\n"
    run(sandbox, "%pip install -U --no-index -f wheels helplab")
    assert "toplab 1.0 requires helplab<10, but you have helplab 10.5." in run(sandbox, "%pip check")


def test_no_deps_installs_none(sandbox: Sandbox) -> None:
    run(sandbox, "%pip install --no-deps --no-index -f wheels toplab")
    assert versions(sandbox, "helplab") == "[]"


def test_an_unknown_extra_is_a_warning(sandbox: Sandbox) -> None:
    result = sandbox.execute(f"%pip install ./{ONE}[nothing]")
    assert result.content["status"] == "ok"
    assert "does not provide the extra 'nothing'" in result.text("stderr")


def test_hashes_are_compared(sandbox: Sandbox) -> None:
    run(sandbox, "import hashlib\nright = hashlib.sha256(open('" + ONE + "', 'rb').read()).hexdigest()")
    refused = sandbox.execute(
        "open('hashed.txt', 'w').write('tinylab==1.0 --hash=sha256:00')\n%pip install --no-index -f . -r hashed.txt"
    ).content
    assert refused["ename"] == "UsageError" and "has not the hash" in refused["evalue"]
    assert versions(sandbox) == "[]"
    run(
        sandbox,
        "open('hashed.txt', 'w').write(f'tinylab==1.0 --hash=sha256:{right}')\n%pip install --require-hashes --no-index -f . -r hashed.txt",
    )
    assert versions(sandbox) == "['1.0']"


@pytest.mark.parametrize(
    ("code", "phrase"),
    [
        ("%pip install 'ipython>99'", "the kernel itself runs on ipython"),
        ("%pip uninstall -y ipython", "the kernel itself runs on it"),
        ("%pip install git+https://github.com/a/b", "no version control"),
        ("%pip install ./absent-1.0-py3-none-any.whl", "wheels there: tinylab-1.0"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(sandbox: Sandbox, code: str, phrase: str) -> None:
    content = sandbox.execute(code).content
    assert content["ename"] == "UsageError" and phrase in content["evalue"]
    assert len(content["traceback"]) == 1


def test_what_the_kernel_runs_on_stays(sandbox: Sandbox) -> None:
    before = versions(sandbox, "ipython")
    assert (
        run(sandbox, "%pip install --upgrade pip ipython traitlets")
        == "pip is part of this kernel: it stays as it is\n"
    )
    assert versions(sandbox, "ipython") == before


def test_uninstall_removes_what_is_there_and_skips_the_rest(sandbox: Sandbox) -> None:
    run(sandbox, f"%pip install {ONE}")
    result = sandbox.execute("%pip uninstall --yes tinylab absent")
    assert result.content["status"] == "ok" and "Skipping absent" in result.text("stderr")
    assert versions(sandbox) == "[]"
