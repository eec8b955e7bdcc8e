"""Labs that need packages of their site, checked, graded and run on a server with that site's Python."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hangs import HANG_S
from jupyter_client.manager import start_new_kernel

from jupyterlite_browsergrad.cli import main
from tests.wheels import make_wheel

from .labs import APART, GOOD, write_lab

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "packages.md"


@pytest.mark.release
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_packages_of_a_site_are_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lab(tmp_path / "course" / "lab", reference="import mylab\nassert mylab.version == '1.5'\n" + GOOD)
    make_wheel(tmp_path, "mylab", "1.5")
    config = {"BrowsergradAddon": {"packages": ["mylab-1.5-py3-none-any.whl"]}}
    (tmp_path / "jupyter_lite_config.json").write_text(json.dumps(config), "utf-8")
    command = [sys.executable, "-m", "jupyterlite_core", "build", "--contents", "course", "--output-dir", "site"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

    lab, site = str(tmp_path / "course" / "lab"), str(tmp_path / "site")
    assert main(["check", lab]) == 1
    assert "ModuleNotFoundError: No module named 'mylab'" in capsys.readouterr().out
    # Python starts from the site's snapshot. Otherwise `check` would report it.
    assert main(["check", lab, "--site", site]) == 0

    handed_in, out = tmp_path / "one.py", tmp_path / "results.jsonl"
    handed_in.write_text("import mylab\n" + GOOD, "utf-8")
    grade = ["grade", lab, str(handed_in), "--out", str(out), "--jobs", "2", *APART]
    assert main([*grade, "--site", site]) == 0
    (result,) = (json.loads(line) for line in out.read_text("utf-8").splitlines())
    assert result["passed"] and result["error"] is None and result["started_from"] == "snapshot", result
    assert main([*grade, "--site", str(tmp_path / "course")]) == 2
    assert "there is no site with this kernel at" in capsys.readouterr().err

    # The settings that the documentation's page shows.
    (settings,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "browsergrad_kernel_config.py").write_text(settings.replace("/srv/course/site", site), "utf-8")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    manager, client = start_new_kernel(kernel_name="browsergrad", cwd=str(tmp_path))
    try:
        reply = client.execute_interactive(
            "import mylab\nassert mylab.version == '1.5'\n%pip install mylab", timeout=HANG_S
        )
        assert reply["content"]["status"] == "ok", reply["content"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
