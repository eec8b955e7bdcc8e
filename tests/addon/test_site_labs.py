"""Labs among a site's contents, built by the real ``jupyter lite build``."""

from __future__ import annotations

import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from lab_manifest import MANIFEST
from test_site import Site

SECRET = b"def answer():\n    return 'the-secret-solution-of-this-lab'\n"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def add_lab(site: Site, folder: str = "labs/one", **changes: Any) -> Path:
    lab = site.source / "files" / folder
    (lab / "solution").mkdir(parents=True)
    (lab / "manifest.json").write_text(
        json.dumps(MANIFEST | {"reference_path": "solution/reference.py"} | changes), "utf-8"
    )
    (lab / "rubric.py").write_text("import browsergrad as bg\n", "utf-8")
    (lab / "starter.py").write_text("def answer(): ...\n", "utf-8")
    (lab / "solution/reference.py").write_bytes(SECRET)
    return lab


def holds_secret(folder: Path) -> list[str]:
    """Return the files that contain the solution, as bytes. Looks into archives too."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        parts = [path.read_bytes()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                parts += [archive.read(name) for name in archive.namelist()]
        elif tarfile.is_tarfile(path):
            with tarfile.open(path) as tar:
                parts += [file.read() for member in tar if (file := tar.extractfile(member))]
        if any(b"the-secret-solution" in part for part in parts):
            found.append(path.relative_to(folder).as_posix())
    return found


def test_reference_solutions_are_not_in_the_site(site: Site) -> None:
    add_lab(site)
    out = site.configure() or site.lite("build")
    assert "reference solution left out of the site: labs/one/solution/reference.py" in out
    assert (site.output / "files/labs/one/rubric.py").is_file()
    assert holds_secret(site.output) == []
    listed = json.loads((site.output / "api/contents/labs/one/all.json").read_text("utf-8"))
    assert {entry["name"] for entry in listed["content"]} >= {"manifest.json", "rubric.py", "starter.py"}
    indexes = [path.read_bytes() for path in (site.output / "api/contents").rglob("*.json")]
    assert not [index for index in indexes if b"reference.py" in index]
    site.lite("archive")
    (archive,) = site.output.glob("*.tgz")
    with tarfile.open(archive) as tar:
        assert not [name for name in tar.getnames() if "reference.py" in name]
    assert holds_secret(site.output) == []


def test_a_rubric_for_grading_beside_a_lab_is_never_in_the_site(site: Site) -> None:
    lab = add_lab(site)
    (lab / "solution/reference.py").write_text("def answer():\n    return 1\n", "utf-8")
    hidden = lab.with_name("one.hidden")
    hidden.mkdir()
    (hidden / "rubric.py").write_bytes(SECRET)
    site.build(keep_references=True)
    assert (site.output / "files/labs/one/rubric.py").is_file()
    assert holds_secret(site.output) == [] and not (site.output / "files/labs/one.hidden").exists()
    indexes = [path.read_bytes() for path in (site.output / "api/contents").rglob("*.json")]
    assert not [index for index in indexes if b"one.hidden" in index]


def test_a_solution_that_was_published_goes_when_it_is_no_longer_to_be(site: Site) -> None:
    add_lab(site)
    site.build(keep_references=True)
    assert "files/labs/one/solution/reference.py" in holds_secret(site.output)
    site.build()
    assert holds_secret(site.output) == []


def test_the_author_is_told_where_else_the_solution_can_be_read(site: Site) -> None:
    lab = add_lab(site)
    (lab / "notes.md").write_bytes(b"# For me\n\n" + SECRET)
    with zipfile.ZipFile(lab / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/reference.py", SECRET)
    site.configure()
    out = site.lite("build")
    assert "can be read in the site: " in out
    assert "notes.md" in out
    assert "all.zip, in it inner/reference.py" in out


def test_a_bad_manifest_fails_the_build_and_names_file_and_field(site: Site) -> None:
    add_lab(site, "labs/good")
    add_lab(site, "labs/bad", id="Not Kebab", rubric_path="../rubric.py")
    out = site.fail()
    assert "labs/bad/manifest.json: /id: must be kebab-case" in out
    assert "labs/bad/manifest.json: /rubric_path: leaves the folder by .." in out
    assert "labs/good" not in out.split("bad labs among the contents")[1].split("\n\n")[0]


def test_a_link_out_of_the_lab_fails_the_build(site: Site) -> None:
    lab = add_lab(site)
    (lab.parent / "secret.txt").write_text("s", "utf-8")
    (lab / "starter.py").unlink()
    (lab / "starter.py").symlink_to("../secret.txt")
    assert "/starter_path: starter.py is a link out of the lab's folder" in site.fail()


def test_missing_files_and_datasets_elsewhere_are_warnings(site: Site) -> None:
    lab = add_lab(site, datasets=[{"name": "far", "url": "https://example.org/far.csv"}])
    (lab / "rubric.py").unlink()
    site.configure()
    out = site.lite("build")
    assert "/rubric_path: there is no file rubric.py" in out
    assert "/datasets/0/url: the dataset far comes from another site" in out


def test_what_jupyterlite_ignores_is_not_judged(site: Site) -> None:
    ignored = site.source / "files/build/x"
    ignored.mkdir(parents=True)
    (ignored / "manifest.json").write_text("{}", "utf-8")
    site.build()
