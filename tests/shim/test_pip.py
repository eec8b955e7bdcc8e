"""The command lines of %pip: pip's options, requirement files, and pip amid other code."""

from __future__ import annotations

import asyncio
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browsergrad_kernel import micropip_downloads, pip_lines, pip_options, pip_requirements
from browsergrad_kernel.pip_options import COMMANDS, GENERAL, NOT_HERE, REFUSED, PipError
from pip._internal.commands import commands_dict, create_command

from .conftest import Client
from .test_packages import installs as installs  # a fixture

REFERENCE = Path(__file__).parents[2] / "docs/reference/pip.md"


@pytest.fixture
def wheel(tmp_path: Path) -> Callable[[str], Path]:
    """Write a file that has enough of a wheel to be found."""

    def write(name: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("tinylab/__init__.py", "")
        return path

    return write


# --- the vocabulary


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_pip_is_known(command: str) -> None:
    parser = create_command(command).parser
    theirs = {
        (name, option.takes_value())
        for group in (parser, *parser.option_groups)
        for option in group.option_list
        for name in option._long_opts + option._short_opts
    }
    ours = {(name, item.takes_value) for item in COMMANDS[command][1] + GENERAL for name in item.names}
    assert not theirs - ours


def test_every_command_of_pip_is_known() -> None:
    assert set(commands_dict) == COMMANDS.keys() | NOT_HERE.keys()


def test_the_reference_shows_every_option_and_what_becomes_of_it() -> None:
    rows = set(re.findall(r"^\| .*\|$", REFERENCE.read_text("utf-8"), re.MULTILINE))
    wanted = {reference_row(item) for _, options in COMMANDS.values() for item in options + GENERAL}
    wanted |= {f"| `{name}` | {why} |" for name, why in NOT_HERE.items()}
    assert not wanted - rows


def reference_row(item: pip_options.Option) -> str:
    return f"| `{item.spelling}` | {item.fate} | {item.why} |"


@pytest.mark.parametrize(
    ("line", "options", "arguments"),
    [
        ("install -U -qq --no-cache-dir one", {"--upgrade", "--quiet", "--no-cache-dir"}, ["one"]),
        ("install -qU one", {"--upgrade", "--quiet"}, ["one"]),
        ("install one --upgrade two", {"--upgrade"}, ["one", "two"]),
        ("-q install one", {"--quiet"}, ["one"]),
        ("install --force one", {"--force-reinstall"}, ["one"]),
        ("install --requirement=a.txt -rb.txt -r c.txt one", {"--requirement"}, ["one"]),
        ("install --timeout 5 --proxy http://x one", {"--timeout", "--proxy"}, ["one"]),
        ("uninstall -y one two", {"--yes"}, ["one", "two"]),
        ("install --trusted-host a --trusted-host=b one", {"--trusted-host"}, ["one"]),
    ],
)
def test_options_are_read_as_pip_reads_them(line: str, options: set[str], arguments: list[str]) -> None:
    read = pip_options.parse(line.split())
    assert (set(read.options), read.arguments) == (options, arguments)


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (command, item)
        for command, (_, options) in COMMANDS.items()
        for item in options + GENERAL
        if item.fate == REFUSED
    ],
    ids=lambda value: value.name if isinstance(value, pip_options.Option) else value,
)
def test_a_refused_option_names_itself_and_what_to_do(command: str, option: pip_options.Option) -> None:
    for name in option.names:
        with pytest.raises(PipError) as raised:
            pip_options.parse([command, name, *(["x"] if option.takes_value else [])])
        assert name in str(raised.value) and option.why in str(raised.value)


@pytest.mark.parametrize(
    ("line", "phrases"),
    [
        ("install --no-such-flag x", ["--no-such-flag", "--help"]),
        ("install --dryrun x", ["--dryrun", "did you mean --dry-run?"]),
        ("isntall x", ["'isntall'", "did you mean install?"]),
        ("download x", ["download", "%pip install"]),
        ("search x", ["search", "pypi.org"]),
        ("install -r", ["-r", "requires 1 argument"]),
        ("install", ["needs the name"]),
        ("uninstall", ["needs the name"]),
        ("show", ["needs the name"]),
        ("list --format=xml", ["xml", "json"]),
        ("install 'one", ["quotation mark", "not closed"]),
        ("install git+https://github.com/a/b", ["version control", "wheel"]),
        ("install 'b @ git+https://github.com/a/b'", ["version control", "wheel"]),
        ("install git@github.com:a/b.git", ["version control"]),
        ("install -e .", ["-e", "sys.path"]),
        ("install .", ["folder", "wheel"]),
        ("install ./absent", ["there is no ./absent"]),
        ("install one-1.0.tar.gz", ["built from source"]),
        ("install https://host/one.zip", ["built from source"]),
        ("install https://host/one", ["not the address of a wheel"]),
        ("install ./absent-1.0-py3-none-any.whl", ["no such file"]),
        ("install one=1.2", ["NAME==1.2"]),
        ("install one = 1.2", ["NAME==1.2"]),
        ("install -r absent.txt", ["absent.txt", "No such file"]),
        ("install -f https://host/links one", ["--find-links", "folder"]),
        ("install --require-hashes one", ["--hash", "one"]),
        ("install --upgrade-strategy sometimes one", ["eager"]),
        ("help isntall", ["'isntall'"]),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    client: Client, installs: list[dict[str, Any]], line: str, phrases: list[str]
) -> None:
    reply = client.run(f"%pip {line}").reply
    assert reply["ename"] == "UsageError"
    assert all(phrase in reply["evalue"] for phrase in phrases), reply["evalue"]
    assert reply["traceback"] == [f"UsageError: {reply['evalue']}"]
    assert installs == []


# --- requirements


@pytest.mark.parametrize(
    "text", ["one", "one==1.0", "one[a,b]~=1.0", "one>=1,<2", "one; python_version > '3'", "One_two.three"]
)
def test_names_and_versions_go_on_as_they_are(text: str) -> None:
    assert pip_requirements.resolve(text) == [text]


NAME = "tinylab-1.0-py3-none-any.whl"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (NAME, "emfs:{here}/" + NAME),
        ("./" + NAME, "emfs:{here}/" + NAME),
        ("../here/" + NAME, "emfs:{here}/" + NAME),
        ("{here}/" + NAME, "emfs:{here}/" + NAME),
        ("emfs:" + NAME, "emfs:{here}/" + NAME),
        ("file://{here}/" + NAME, "emfs:{here}/" + NAME),
        ("file:" + NAME, "emfs:{here}/" + NAME),
        ("./*.whl", "emfs:{here}/" + NAME),
        ("./" + NAME + "[extra]", "tinylab[extra] @ emfs:{here}/" + NAME),
        ("tinylab @ ./" + NAME, "tinylab @ emfs:{here}/" + NAME),
        ("./" + NAME + " ; python_version > '3'", "emfs:{here}/" + NAME),
        ("https://host/a/" + NAME + "#sha256=00", "https://host/a/" + NAME + "#sha256=00"),
    ],
)
def test_wheels_are_found_wherever_paths_point(
    wheel: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, text: str, wanted: str
) -> None:
    here = wheel(f"here/{NAME}").parent
    monkeypatch.chdir(here)
    assert pip_requirements.resolve(text.replace("{here}", str(here))) == [wanted.replace("{here}", str(here))]
    assert pip_requirements.name_of(wanted) == "tinylab"


def test_a_wheel_whose_marker_does_not_apply_is_left_out(wheel: Callable[[str], Path]) -> None:
    assert pip_requirements.resolve(f"{wheel(NAME)} ; python_version < '3'") == []


def test_a_path_with_signs_that_mean_something_in_addresses_works(wheel: Callable[[str], Path]) -> None:
    (found,) = pip_requirements.resolve(str(wheel(f"C# course (50%)/{NAME}")))
    assert zipfile.is_zipfile(found.removeprefix("emfs:")) and "#" not in found and found.endswith(f"/{NAME}")


def test_a_file_that_is_no_wheel_is_named(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("<html>")
    with pytest.raises(PipError, match=r"not a wheel; it may be cut off, or a web page"):
        pip_requirements.resolve(str(tmp_path / NAME))


FILES = {
    "all.txt": """\ufeff# course
one==1.0   # pinned
two \\
    >= 2
three; python_version < '3'   # never
--pre
--find-links=wheels
-r sub/more.txt
-c limits.txt
${WHICH}
""",
    "sub/more.txt": "--requirement last.txt\nfour~=4.0 --hash=sha256:aa \\\n --hash=sha256:bb\n./../wheels/tinylab-1.0-py3-none-any.whl\n",
    "sub/last.txt": "five[x] # z\n--trusted-host a\n",
    "limits.txt": "six<6\n-r more-limits.txt\n",
    "more-limits.txt": "seven<7\n",
}


def read(name: str, wanted: pip_requirements.Wanted | None = None) -> pip_requirements.Wanted:
    wanted = wanted or pip_requirements.Wanted()

    async def fetch(address: str) -> str:
        return f"from-{address.rpartition('/')[2]}\n"

    asyncio.run(pip_requirements.read(wanted, name, fetch))
    return wanted


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wheel: Callable[[str], Path]) -> Path:
    wheel(f"wheels/{NAME}")
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WHICH", "eight==8")
    return tmp_path


def test_files_of_requirements_are_read_as_pip_reads_them(folder: Path) -> None:
    wanted = read("all.txt")
    assert [re.sub(r"\s+", " ", item) for item in wanted.requirements] == [
        "one==1.0", "two >= 2", "three; python_version < '3'", "five[x]", "four~=4.0", f"emfs:{folder}/wheels/{NAME}", "eight==8",
    ]  # fmt: skip
    assert wanted.constraints == ["six<6", "seven<7"]
    assert wanted.hashes == {"four": {"sha256:aa", "sha256:bb"}}
    assert (wanted.pre, wanted.find_links) == (True, [folder / "wheels"])


def test_a_file_may_be_at_an_address(folder: Path) -> None:
    assert read("https://host/list.txt").requirements == ["from-list.txt"]


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("one\n-e .\n", ["bad.txt:2", "-e"]),
        ("one\n\ngit+https://host/b\n", ["bad.txt:3", "version control"]),
        ("one = 2\n", ["bad.txt:1", "one = 2"]),
        ("--no-such-thing\n", ["bad.txt:1", "--no-such-thing"]),
        ("-r absent.txt\n", ["absent.txt", "bad.txt names"]),
        ("-r bad.txt\n", ["bad.txt", "being read already"]),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(folder: Path, text: str, phrases: list[str]) -> None:
    (folder / "bad.txt").write_text(text, "utf-8")
    with pytest.raises(PipError) as raised:
        read("bad.txt")
    assert all(phrase in str(raised.value) for phrase in phrases), str(raised.value)


def test_files_and_constraints_reach_piplite(client: Client, installs: list[dict[str, Any]], folder: Path) -> None:
    assert client.run("%pip install nine -r all.txt -c limits.txt  # for today").reply["status"] == "ok"
    (call,) = installs
    assert call["requirements"][:2] == ["nine", "one==1.0"]
    assert call["constraints"] == ["six<6", "seven<7", "six<6", "seven<7"] and call["pre"] is True


# --- pip among other code

CALL = {"requirements": ["one"], "deps": True, "reinstall": True}


@pytest.mark.parametrize(
    "code",
    [
        "%pip install one  # it's needed",
        "%pip install -U -q --no-cache-dir --user --break-system-packages one",
        "pip install one",
        "!pip install one",
        "!pip3 install -q one # c",
        "!pip install one > /dev/null 2>&1",
        "!python -m pip install one",
        "!sudo python3.11 -m pip install one",
        "!PIP_NO_INPUT=1 pip install one",
        "!{sys.executable} -m pip install one",
        '!"{sys.executable}" -m pip install one',
        "x = !pip install one",
        "%sx pip install one",
        "%%bash\n# first\npip install one",
        "%%sh\npip install \\\n  one",
        "if True:\n    !pip install one",
        "for _ in range(1):\n    try:\n        %pip install one\n    except ImportError:\n        pass",
        "with __import__('contextlib').suppress(ImportError):\n    %pip install one",
        "ä = 'é'; get_ipython().run_line_magic('pip', 'install one')",
        "async def prepare():\n    %pip install one\nawait prepare()",
    ],
)
def test_pip_works_wherever_await_may_stand(client: Client, installs: list[dict[str, Any]], code: str) -> None:
    client.run("import sys")
    answer = client.run(code)
    assert answer.reply["status"] == "ok", answer.reply
    assert installs == [CALL]


@pytest.mark.parametrize(
    "code",
    [
        "def prepare():\n    %pip install one\nprepare()",
        "class Lab:\n    !pip install one",
        "%%time\n%pip install one",
        "(lambda: get_ipython().system('pip install one'))()",
    ],
)
def test_where_nothing_can_wait_the_error_says_how_to_write_it(
    client: Client, installs: list[dict[str, Any]], code: str
) -> None:
    reply = client.run(code).reply
    assert reply["ename"] == "UsageError" and "top level of a cell of its own" in reply["evalue"]
    assert installs == []


@pytest.mark.parametrize(
    "code",
    [
        "def f():\n    %pip list\nf()",
        "%%time\n!pip list",
        "%%capture said\n%pip list\n#\nprint(said)",
        "class C:\n    %pip list",
    ],
)
def test_what_need_not_wait_works_everywhere(client: Client, code: str) -> None:
    client.run(code)
    answer = client.run("print(said.stdout)") if "said" in code else client.run(code)
    assert re.search(r"^ipython +\d", answer.text(), re.MULTILINE | re.IGNORECASE)


def test_what_pip_says_can_be_kept(client: Client, tmp_path: Path) -> None:
    assert client.run("x = !pip freeze\nany(line.startswith('ipython==') for line in x)").result == "True"
    assert client.run("!pip freeze > frozen.txt").text() == ""
    assert "ipython==" in (tmp_path / "frozen.txt").read_text()
    client.run("!pip --version >> frozen.txt")
    assert "pip of BrowserGrad" in (tmp_path / "frozen.txt").read_text()


@pytest.mark.parametrize(
    ("code", "ename", "phrase"),
    [
        ("!pip list | grep ipython", "UsageError", "no shell"),
        ("!pip install $(cat names)", "UsageError", "no shell"),
        ("!apt install x && pip install one", "OSError", "cannot run 'apt'"),
        ("%%bash\nls\npip install one", "OSError", "cannot run 'ls'"),
        ("!echo pip", "OSError", "cannot run 'echo'"),
        ("!ls", "OSError", "cannot run 'ls'"),
        ("x = !ls", "OSError", "cannot run 'ls'"),
    ],
)
def test_other_programs_are_refused_before_anything_runs(
    client: Client, installs: list[dict[str, Any]], code: str, ename: str, phrase: str
) -> None:
    reply = client.run(code).reply
    assert reply["ename"] == ename and phrase in reply["evalue"]
    assert installs == []


def test_versions_are_no_redirections(client: Client, installs: list[dict[str, Any]], tmp_path: Path) -> None:
    client.run("!pip install one>=1.0 two<3 'three>2'")
    assert installs[0]["requirements"] == ["one>=1.0", "two<3", "three>2"]
    assert list(tmp_path.glob("=*")) == []


def test_a_cell_that_cannot_be_parsed_is_left_to_python() -> None:
    code = "get_ipython().run_line_magic('pip', 'list')\n1 +"
    assert pip_lines.await_pip(code) == code


def test_pip_shows_and_checks_what_is_installed(client: Client) -> None:
    shown = client.run("%pip show -f IPython nowhere")
    assert re.search(r"^Name: ipython\nVersion: [\d.]+\nSummary: .+", shown.text(), re.MULTILINE)
    assert "Requires: " in shown.text() and "traitlets" in shown.text() and "IPython/__init__.py" in shown.text()
    assert "not found: nowhere" in shown.text("stderr")
    assert client.run("%pip list --format=json --exclude ipython").text().startswith('[{"name": ')
    assert client.run("%pip check").reply["status"] == "ok"


@pytest.mark.parametrize("line", ["", " help", " --help", " -h"])
def test_help_lists_the_commands(client: Client, line: str) -> None:
    text = client.run(f"%pip{line}").text()
    assert all(command in text for command in COMMANDS)


@pytest.mark.parametrize("line", ["install --help", "help install", "install x -h"])
def test_help_of_a_command_lists_its_options(client: Client, installs: list[dict[str, Any]], line: str) -> None:
    text = client.run(f"%pip {line}").text()
    assert "--upgrade" in text and "--no-cache-dir" in text and "--editable" not in text
    assert installs == []


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "403 (Forbidden); the server does not give the file to this page"),
        (404, "404 (Not Found); there is no such file: check the address"),
        (503, "503 (Service Unavailable); the server has failed: try again later"),
        (599, "599; the server has failed: try again later"),
    ],
)
def test_an_error_names_the_address_and_the_status_of_its_answer(status: int, said: str) -> None:
    assert micropip_downloads.explain("https://one/a.whl", status) == (
        f"https://one/a.whl cannot be installed: its server answers {said}"
    )
