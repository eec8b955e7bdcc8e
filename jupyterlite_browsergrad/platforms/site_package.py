"""Packs a built site into one zip file: for Moodle's file resource, or as a SCORM package."""

from __future__ import annotations

import html
import json
import os
import re
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..constants import OFFLINE_PLUGIN
from ..errors import ConfigurationError, SiteError
from ..whole_files import replacing

__all__ = ["SCORM_VERSIONS", "Packed", "files_of_site", "moodle_package", "scorm_package", "write_zip"]

SCORM_VERSIONS = ("1.2", "2004")
CONFIG = "jupyter-lite.json"
LAUNCHER = "browsergrad-scorm.html"
SCRIPT = "browsergrad-scorm.js"
RESULTS = "jupyterlite-browsergrad:results"
#: Time of each file in the package, the earliest that zip files can hold. So the same site gives the same bytes each time.
TIME = (1980, 1, 1, 0, 0, 0)
#: Matches what Moodle removes from file names. Pages would not find such a file.
_MOODLE = re.compile(r"[\x00-\x1f\x7f&<>\"`|':\\]|\.\.+")
#: Longest path, and longest name, of a file in Moodle, in characters.
MOODLE_LONGEST = 255
#: Suffixes of files that are compressed already.
_PACKED = (".bin", ".gz", ".br", ".zip", ".whl", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".woff", ".woff2")


@dataclass(frozen=True)
class Packed:
    """The package that was written."""

    path: Path
    files: int
    size_bytes: int


def moodle_package(site: Path, out: Path) -> Packed:
    """Pack a site for Moodle's resource *File*. The teacher unpacks it there and makes ``index.html`` the main file.

    Raises
    ------
    ConfigurationError
        It is not a built site, or `out` cannot be written.
    SiteError
        The site has file names that Moodle would change. The message names all of them. Nothing was written.
    """
    files = files_of_site(site)
    problems = [
        f"{name}: Moodle would change this name, so that pages would not find it: rename it to {'/'.join(_MOODLE.sub('_', part) for part in name.split('/'))!r}"
        for name in files
        if any(_MOODLE.search(part) for part in name.split("/"))
    ]
    problems += [
        f"{name}: Moodle takes paths and names of up to {MOODLE_LONGEST} characters"
        for name in files
        if len(name.rpartition("/")[2]) > MOODLE_LONGEST or len(name.rpartition("/")[0]) > MOODLE_LONGEST - 2
    ]
    if problems:
        raise SiteError(problems)
    return write_zip(files, {}, out)


def scorm_package(site: Path, out: Path, version: str, notebook: str | None = None, title: str | None = None) -> Packed:
    """Pack a site as a SCORM package with one lab. The platform gets the lab's score and whether it is complete.

    Parameters
    ----------
    notebook
        Path of the lab's notebook in the site, such as ``search/search.ipynb``. If None, the only notebook of the site.
    title
        Title of the package. If None, the notebook's name.

    Raises
    ------
    ConfigurationError
        It is not a built site, it has no such notebook, or `out` cannot be written.
    SiteError
        Its settings cannot be read. Nothing was written.
    """
    files = files_of_site(site)
    notebook = _notebook(files, notebook)
    title = title or Path(notebook).stem
    options = {
        "version": version,
        "notebook": notebook,
        "address": f"notebooks/index.html?path={quote(notebook, safe='')}",
    }
    if "notebooks/index.html" not in files:
        options["address"] = f"lab/index.html?path={quote(notebook, safe='')}"
    added = {
        CONFIG: _config(files[CONFIG]),
        SCRIPT: resources.files(__package__).joinpath("scorm.js").read_bytes(),
        LAUNCHER: _launcher(title, options).encode(),
    }
    names = sorted(files.keys() | added.keys())
    added["imsmanifest.xml"] = _manifest(title, version, names).encode()
    return write_zip(files, added, out)


def files_of_site(site: Path) -> dict[str, Path]:
    """The files of a site by their path in it."""
    lost = [name for name in ("index.html", CONFIG) if not (site / name).is_file()]
    if lost:
        raise ConfigurationError(f"{site} has no {lost[0]}: give the folder that `jupyter lite build` wrote")
    found = {}
    for folder, names, inside in os.walk(site):
        names.sort()
        for name in sorted(inside):
            path = Path(folder, name)
            found[path.relative_to(site).as_posix()] = path
    return found


def _notebook(files: Mapping[str, Path], wanted: str | None) -> str:
    there = [name.removeprefix("files/") for name in files if name.startswith("files/") and name.endswith(".ipynb")]
    if wanted is not None:
        there = [name for name in there if name == wanted] or there
    if len(there) != 1 or (wanted is not None and there[0] != wanted):
        said = f"no notebook {wanted}" if wanted is not None else f"{len(there)} notebooks"
        raise ConfigurationError(f"the site has {said}: give --notebook, one of {', '.join(there) or 'none'}")
    return there[0]


def _config(path: Path) -> bytes:
    """The site's settings, changed so that it posts results to the launcher, which has the same origin."""
    try:
        config: dict[str, Any] = json.loads(path.read_text("utf-8"))
        settings = config.setdefault("jupyter-config-data", {}).setdefault("litePluginSettings", {})
        settings.setdefault(RESULTS, {})["parentOrigin"] = "self"
        settings.pop(OFFLINE_PLUGIN, None)  # its list has other settings, and platforms show the site in a frame
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise SiteError([f"{path} cannot be read: {error}: build the site again"]) from error
    return json.dumps(config, indent=2).encode()


def _launcher(title: str, options: dict[str, str]) -> str:
    data = json.dumps(options).replace("<", "\\u003c")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>
  html, body {{ height: 100%; margin: 0; }}
  body {{ display: flex; flex-direction: column; font: 14px/1.4 system-ui, sans-serif; }}
  iframe {{ border: 0; flex: 1; width: 100%; }}
  p {{ margin: 0; padding: 0.25rem 0.75rem; }}
  p:empty {{ display: none; }}
</style>
</head>
<body>
<p id="said" role="status"></p>
<iframe id="lab" title="{html.escape(title)}" allow="cross-origin-isolated; clipboard-read; clipboard-write"></iframe>
<script type="module">
  import {{ launch }} from './{SCRIPT}';
  const said = document.getElementById('said');
  launch(window, document.getElementById('lab'), text => {{ said.textContent = text; }}, {data});
</script>
</body>
</html>
"""


def _manifest(title: str, version: str, names: list[str]) -> str:
    name = html.escape(title)
    files = "\n".join(f'      <file href="{html.escape(quote(each))}"/>' for each in names)
    if version == "1.2":
        spaces = 'xmlns="http://www.imsproject.org/xsd/imscp_rootv1p1p2" xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_rootv1p2"'
        schema, kind = "1.2", "adlcp:scormtype"
    else:
        spaces = 'xmlns="http://www.imsglobal.org/xsd/imscp_v1p1" xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_v1p3"'
        schema, kind = "2004 4th Edition", "adlcp:scormType"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<manifest identifier="browsergrad-lab" version="1.0" {spaces}>
  <metadata>
    <schema>ADL SCORM</schema>
    <schemaversion>{schema}</schemaversion>
  </metadata>
  <organizations default="course">
    <organization identifier="course">
      <title>{name}</title>
      <item identifier="lab" identifierref="launcher">
        <title>{name}</title>
      </item>
    </organization>
  </organizations>
  <resources>
    <resource identifier="launcher" type="webcontent" {kind}="sco" href="{LAUNCHER}">
{files}
    </resource>
  </resources>
</manifest>
"""


def write_zip(
    files: Mapping[str, Path], added: Mapping[str, bytes], out: Path, programs: Collection[str] = ()
) -> Packed:
    """Write the zip file whole or not at all. Its files of the names `programs` can be run."""
    names = sorted(files.keys() | added.keys())
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with replacing(out) as fresh, zipfile.ZipFile(fresh, "w", compresslevel=6) as target:
            for name in names:
                info = zipfile.ZipInfo(name, TIME)
                info.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED) else zipfile.ZIP_DEFLATED
                info.create_system = 3  # Unix, whatever this system is: else programs could not be run
                info.external_attr = (0o100755 if name in programs else 0o100644) << 16
                target.writestr(info, added[name] if name in added else files[name].read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"{out} cannot be written: {error.strerror or error}: give another file with --out"
        ) from error
    return Packed(out, len(names), out.stat().st_size)
