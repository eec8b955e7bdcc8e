"""``jupyter browsergrad package``: a built site as one file for a learning platform."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest

from jupyterlite_browsergrad.cli import main


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The files of a site that matter here."""
    site = tmp_path / "site"
    for name in (
        "index.html",
        "notebooks/index.html",
        "lab/index.html",
        "files/search/search.ipynb",
        "files/search/a b&c.txt",
    ):
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, "utf-8")
    config = {"jupyter-config-data": {"appName": "Course", "litePluginSettings": {"other:plugin": {"a": 1}}}}
    (site / "jupyter-lite.json").write_text(json.dumps(config), "utf-8")
    return site


@pytest.mark.parametrize("version", ["1.2", "2004"])
def test_a_scorm_package_has_the_site_its_manifest_and_a_page_that_reports(
    version: str, site: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.zip"
    assert main(["package", str(site), "--scorm", version, "--title", "Search <1>", "--out", str(out)]) == 0
    with zipfile.ZipFile(out) as found:
        assert found.testzip() is None
        names = set(found.namelist())
        manifest = ET.fromstring(found.read("imsmanifest.xml"))
        page = found.read("browsergrad-scorm.html").decode()
        config = json.loads(found.read("jupyter-lite.json"))
        assert b"export function launch" in found.read("browsergrad-scorm.js")
    tag = manifest.tag.partition("}")[0] + "}"
    resource = manifest.find(f".//{tag}resource")
    assert resource is not None
    assert [value for key, value in resource.attrib.items() if key.lower().endswith("scormtype")] == ["sco"]
    assert resource.attrib["href"] == "browsergrad-scorm.html"
    listed = {each.attrib["href"] for each in manifest.iter(f"{tag}file")}
    assert "files/search/a%20b%26c.txt" in listed
    assert len(listed) == len(names) - 1  # all but the manifest
    version_said = manifest.find(f".//{tag}schemaversion")
    assert (
        version_said is not None
        and version_said.text in ("1.2", "2004 4th Edition")
        and version in str(version_said.text)
    )
    assert f'"version": "{version}"' in page and "notebooks/index.html?path=search%2Fsearch.ipynb" in page
    assert "Search &lt;1&gt;" in page and "<1>" not in page
    settings = config["jupyter-config-data"]["litePluginSettings"]
    assert settings == {"other:plugin": {"a": 1}, "jupyterlite-browsergrad:results": {"parentOrigin": "self"}}
    # The site itself stays unchanged, and the same site gives the same file.
    assert "self" not in (site / "jupyter-lite.json").read_text("utf-8")
    before = out.read_bytes()
    main(["package", str(site), "--scorm", version, "--title", "Search <1>", "--out", str(out)])
    assert out.read_bytes() == before


def test_a_lab_is_named_where_the_site_has_several(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (site / "files" / "other.ipynb").write_text("", "utf-8")
    assert main(["package", str(site), "--scorm"]) == 2
    assert "the site has 2 notebooks: give --notebook, one of" in capsys.readouterr().err
    assert main(["package", str(site), "--scorm", "--notebook", "none.ipynb"]) == 2
    assert "the site has no notebook none.ipynb" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.zip*"))
    assert main(["package", str(site), "--scorm", "--notebook", "other.ipynb"]) == 0
    assert (tmp_path / "site-scorm.zip").is_file()


def test_moodle_gets_the_site_where_its_rules_for_names_hold(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["package", str(site), "--moodle"]) == 1
    said = capsys.readouterr().err
    assert "files/search/a b&c.txt: Moodle would change this name" in said and "'files/search/a b_c.txt'" in said
    assert not list(tmp_path.glob("*.zip*"))
    (site / "files" / "search" / "a b&c.txt").rename(site / "files" / "search" / "a b.txt")
    assert main(["package", str(site), "--moodle"]) == 0
    with zipfile.ZipFile(tmp_path / "site-moodle.zip") as found:
        assert "index.html" in found.namelist() and "imsmanifest.xml" not in found.namelist()


def test_what_is_not_a_site_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["package", str(tmp_path), "--moodle"]) == 2
    assert "give the folder that `jupyter lite build` wrote" in capsys.readouterr().err
    (tmp_path / "index.html").write_text("", "utf-8")
    (tmp_path / "jupyter-lite.json").write_text("[]", "utf-8")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.ipynb").write_text("", "utf-8")
    assert main(["package", str(tmp_path), "--scorm", "--out", str(tmp_path / "out" / "a.zip")]) == 1
    assert "jupyter-lite.json cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
