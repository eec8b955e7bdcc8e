"""%pip, files with the names of Python's modules, and absent modules, in isolated pages and others."""

from __future__ import annotations

import textwrap

import pytest
from conftest import Lab

pytestmark = pytest.mark.pages("plain")

MAKE_WHEEL = textwrap.dedent(
    """
    import zipfile
    def make_wheel(version):
        info, name = f"tinylab-{version}.dist-info", f"tinylab-{version}-py3-none-any.whl"
        texts = {
            "tinylab/__init__.py": f"version = {version!r}",
            f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: tinylab\\nVersion: {version}\\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        }
        with zipfile.ZipFile(name, "w") as wheel:
            for path, text in texts.items():
                wheel.writestr(path, text)
            wheel.writestr(f"{info}/RECORD", "".join(f"{path},,\\n" for path in [*texts, f"{info}/RECORD"]))
    make_wheel("1.0"); make_wheel("2.0")
    """
)
INSTALLED = (
    "from importlib.metadata import distributions\n[item.version for item in distributions() if item.name == 'tinylab']"
)
ONE = "./tinylab-1.0-py3-none-any.whl"


@pytest.fixture
def wheels(lab: Lab) -> Lab:
    assert lab.run(MAKE_WHEEL).content["status"] == "ok"
    lab.run("%pip uninstall -y tinylab")
    return lab


@pytest.mark.parametrize(
    "code",
    [
        f"%pip install -U -qq {ONE}  # it's needed",
        f"!python -m pip install {ONE}",
        f"%%capture said\n%pip install {ONE}",
        f"%%time\n%pip install {ONE}",
        f"def prepare():\n    %pip install {ONE}\nprepare()",
        f"open('list.txt', 'w').write('{ONE}  # ours\\n')\n%pip install --requirement=list.txt",
    ],
)
def test_wheels_beside_the_notebook_are_installed_however_it_is_written(wheels: Lab, code: str) -> None:
    run = wheels.run(code)
    assert run.content["status"] == "ok" and run.idle, run.content
    assert wheels.run(INSTALLED).result == "['1.0']"


def test_upgrade_replaces_a_version(wheels: Lab) -> None:
    wheels.run(f"%pip install {ONE}")
    wheels.run("%pip install --upgrade --no-index -f . tinylab")
    assert wheels.run(INSTALLED).result == "['2.0']"


@pytest.mark.parametrize(
    ("folder", "answer"),
    [
        ("absent", "404 (Not Found); there is no such file: check the address"),
        ("never", "503 (Service Unavailable); the server has failed: try again later"),
    ],
)
@pytest.mark.parametrize(
    "code",
    ["%pip install {}", "import micropip\nawait micropip.install('{}')", "import piplite\nawait piplite.install('{}')"],
    ids=["pip", "micropip", "piplite"],
)
def test_an_address_that_answers_with_an_error_is_named_with_the_status(
    wheels: Lab, base: str, code: str, folder: str, answer: str
) -> None:
    address = f"{base}/{folder}/tinylab-1.0-py3-none-any.whl"
    content = wheels.run(code.format(address)).content
    assert content["evalue"] == f"{address} cannot be installed: its server answers {answer}"
    assert wheels.run(INSTALLED).result == "[]"


def test_a_version_that_is_installed_is_not_fetched_from_an_address_and_a_line_says_so(wheels: Lab, base: str) -> None:
    wheels.run(f"%pip install {ONE}")
    address = f"{base}/absent/tinylab-1.0-py3-none-any.whl"
    run = wheels.run(f"%pip install {address}")
    said = f"tinylab 1.0 is already installed, so {address} was not fetched; --force-reinstall installs it from there\n"
    assert (run.content["status"], run.text()) == ("ok", said)
    assert wheels.run(f"%pip install 'tinylab @ {address}'").text() == said
    assert wheels.run(f"%pip install -q {address}").text() == ""
    for line in (f"--force-reinstall {address}", f"'tinylab @ {address.replace('1.0', '2.0')}'"):
        assert "404 (Not Found)" in wheels.run(f"%pip install {line}").content["evalue"], line
    assert wheels.run(INSTALLED).result == "['1.0']"


def test_the_debugger_works_beside_namesakes_of_its_modules(lab: Lab) -> None:
    lab.run("for name in ('code', 'cmd', 'bdb', 'statistics'): open(f'{name}.py', 'w').write('mine = 1')")
    assert lab.run("import code, statistics\nstatistics.mine").result == "1"
    run = lab.run("n = 3\nbreakpoint()\nprint('on')", input=["p n", "c"])
    assert run.content["status"] == "ok" and "3" in run.text() and run.text().endswith("on\n")
    shown = "\n".join(lab.run("statistics.mean").content["traceback"])
    assert "/drive/sub/statistics.py hides Python's own module statistics" in shown
    lab.run("import os\nfor name in ('code', 'cmd', 'bdb', 'statistics'): os.remove(f'{name}.py')")


def test_modules_are_whole_or_absent(lab: Lab) -> None:
    assert (
        lab.run("import fcntl, resource, termios\nresource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0").result
        == "True"
    )
    assert "pexpect is not here" in "\n".join(lab.run("import pexpect").content["traceback"])
    assert "no processes" in lab.run("import subprocess; subprocess.run(['ls'])").content["evalue"]
