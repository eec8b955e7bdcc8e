"""The JupyterLite addon: puts the kernel, its Pyodide and vendored packages into a site."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import doit.tools
from jupyterlite_core.addons.base import BaseAddon
from jupyterlite_core.addons.federated_extensions import FederatedExtensionAddon
from jupyterlite_core.constants import (
    JSON_FMT,
    JUPYTER_CONFIG_DATA,
    JUPYTERLITE_IPYNB,
    JUPYTERLITE_JSON,
    JUPYTERLITE_METADATA,
    LAB_EXTENSIONS,
    UTF8,
)
from jupyterlite_core.manager import LiteManager
from traitlets import Bool, List, Unicode, default

from .. import isolation, offline, paths
from ..constants import (
    DISABLE_PYPI_FALLBACK,
    HAND_IN_KEY,
    HAND_IN_PLUGIN,
    KERNEL_NAME,
    KERNEL_PLUGIN,
    KERNEL_URL,
    LABEXTENSION,
    OFFLINE_COPY,
    OFFLINE_PLUGIN,
    PIPLITE_INDEX,
    PIPLITE_URLS,
    PYODIDE_INDEX_URL,
    PYODIDE_LOCK,
    SITE_KERNEL,
    SITE_PYODIDE,
)
from ..errors import ConfigurationError, LabsError, SiteError
from ..grading.hand_in_keys import public_key_problem
from ..terminal import say
from . import direct_requests, distribution, published_labs, verification
from .choice import SiteImports
from .imports import files_of
from .own_pyodide import OwnPyodide, Settings

__all__ = ["BrowsergradAddon"]

Tasks = Iterator[dict[str, Any]]

DEFAULT_KERNEL = "defaultKernelName"
NOTEBOOK_TRACKER = "@jupyterlab/notebook-extension:tracker"
INDEX_URL = f"./{SITE_PYODIDE}/"
SITE_KERNEL_URL = f"./{SITE_KERNEL}/"
PIPLITE_URL = f"./{SITE_PYODIDE}/{PIPLITE_INDEX}"


class BrowsergradAddon(BaseAddon):
    """Build a site with the BrowserGrad kernel. Without any setting it works, and loads nothing from another origin."""

    _contents: tuple[list[Path], list[str]] | None = None
    _warned = False

    __all__ = ["status", "pre_build", "build", "post_build", "check"]

    aliases = {"browsergrad-pyodide": "BrowsergradAddon.pyodide_url"}

    flags = {
        "browsergrad-offline": (
            {"BrowsergradAddon": {"offline": True}},
            "Use only what earlier builds have fetched for the BrowserGrad kernel",
        )
    }

    pyodide_url = Unicode(
        allow_none=True,
        help=(
            "another Pyodide distribution for the kernel, instead of the embedded one: a folder, a .tar.bz2, .tar.gz "
            "or .zip archive (relative paths count from lite_dir), the URL of an archive, or that of a folder such as a CDN's, "
            "fetched at build time; it is copied into the site. Default: the environment variable JUPYTERLITE_BROWSERGRAD_PYODIDE_URL, else none"
        ),
    ).tag(config=True)

    packages = List(
        Unicode(),
        help=(
            "requirements (PEP 508) or paths of .whl files that `import` and `%pip install` find on the site itself; "
            'taken with their dependencies from Pyodide\'s release, else from PyPI. The entry "auto" stands for all packages of '
            "Pyodide's release that the published notebooks, modules and labs import"
        ),
    ).tag(config=True)

    package_base_url = Unicode(
        allow_none=True,
        help=(
            "address or folder (relative to lite_dir) that has the packages of the Pyodide release which the distribution lacks; "
            "they are fetched at build time and compared with its lock. Default: the environment variable "
            "JUPYTERLITE_BROWSERGRAD_PACKAGE_BASE_URL, else pyodide_url where that is such an address, else the CDN of that "
            "Pyodide version"
        ),
    ).tag(config=True)

    offline = Bool(
        False, help="whether a build uses only what earlier ones have fetched; also as --browsergrad-offline"
    ).tag(config=True)

    disable_pypi_fallback = Bool(
        True,
        help="whether `%pip install` is confined to the site's own packages; if `False` visitors' browsers may ask PyPI",
    ).tag(config=True)

    keep_references = Bool(
        False,
        help=(
            "whether the reference solutions of labs (`reference_path` in manifest.json) are published; "
            "if `False` they are left out of the site"
        ),
    ).tag(config=True)

    isolate_with_service_worker = Bool(
        False,
        help=(
            "whether pages make themselves cross-origin isolated through the site's service worker, for hosts that can't send "
            "the headers; a first visit then loads twice"
        ),
    ).tag(config=True)

    offline_copy = Bool(
        False,
        help=(
            "whether visitors' browsers keep a copy of the whole site, so that it opens without a network after one visit; "
            "a visit then downloads all files of the site, not only those that it needs"
        ),
    ).tag(config=True)

    @default("pyodide_url")
    def _default_pyodide_url(self) -> str | None:
        return os.environ.get("JUPYTERLITE_BROWSERGRAD_PYODIDE_URL") or None

    @default("package_base_url")
    def _default_package_base_url(self) -> str | None:
        named = os.environ.get("JUPYTERLITE_BROWSERGRAD_PACKAGE_BASE_URL")
        if not named and self.pyodide_url and distribution.is_base_address(self.pyodide_url):
            return self.pyodide_url
        return named or None

    @property
    def output(self) -> Path:
        return Path(self.manager.output_dir)

    @property
    def own_pyodide(self) -> OwnPyodide:
        settings = Settings(self.pyodide_url, self.package_base_url, list(self.packages), self.offline)
        return OwnPyodide(self, settings, self.imports)

    @cached_property
    def imports(self) -> SiteImports:
        """The imports of the contents. Solutions and hidden rubrics are included, since grading runs them with this site's packages."""
        return SiteImports(files_of(*(self._contents or self._contents_now())), paths.static("kernel"))

    def _contents_now(self) -> tuple[list[Path], list[str]]:
        """Return the contents, and the patterns of files that are left out."""
        ignore = [*self.manager.ignore_contents, *self.manager.extra_ignore_contents]
        return [Path(path) for path in self.manager.contents], ignore

    def status(self, manager: LiteManager) -> Tasks:
        """Report what a build would put into the site."""
        yield self.task(name="browsergrad", actions=[self.print_status])

    def print_status(self) -> None:
        print(f"    labextension: {paths.labextension()}")
        print(f"         Pyodide: {self.pyodide_url or 'embedded'}")
        print(f"        packages: {', '.join(self.packages) or 'none'}")
        print(f"   PyPI fallback: {'off' if self.disable_pypi_fallback else 'on: visitors may ask another origin'}")

    def pre_build(self, manager: LiteManager) -> Tasks:
        """Check the labs in the contents, and copy the labextension if JupyterLite's own addon does not."""
        labs = self.collect_labs()
        self._contents = self._contents_now()
        self.leave_out(labs.hidden())
        if not self.keep_references:
            self.leave_out(labs.references())
        yield self.task(name="labs", actions=[(self.check_labs, [labs])])
        yield from self.copy_labextension()

    @property
    def output_files(self) -> Path:
        return self.output / "files"

    def collect_labs(self) -> published_labs.SiteLabs:
        return published_labs.collect(*self._contents_now())

    def leave_out(self, secrets: list[tuple[PurePosixPath, Path]]) -> None:
        """Keep JupyterLite from copying reference solutions, and rubrics for grading."""
        patterns = [published_labs.ignore_pattern(path) for path, _ in secrets]
        self.manager.extra_ignore_contents = [*self.manager.extra_ignore_contents, *patterns]
        # Patterns do not apply to contents that are listed file by file.
        left_out = {path.resolve() for _, path in secrets}
        self.manager.contents = [path for path in self.manager.contents if Path(path).resolve() not in left_out]

    def check_labs(self, labs: published_labs.SiteLabs) -> None:
        """Fail if labs have errors, report their warnings, and remove solutions that an earlier build has copied."""
        for finding in labs.warnings:
            self.log.warning("[browsergrad] %s", finding)
        if labs.errors:
            raise LabsError([str(finding) for finding in labs.errors])
        for path, _ in labs.hidden():
            self.delete_one(self.output_files / path)
        if not self.keep_references:
            for path, source in labs.references():
                if source.is_file():
                    say(f"    reference solution left out of the site: {path}", keep="")
                self.delete_one(self.output_files / path)

    def copy_labextension(self) -> Tasks:
        """Copy the labextension if JupyterLite does not: it is outside ``sys.prefix``, or that is ignored."""
        if self.is_copied_by_jupyterlite():
            return
        source = paths.labextension()
        target = self.output / LAB_EXTENSIONS / LABEXTENSION
        files = [
            path for path in sorted(source.rglob("*")) if path.is_file() and not self.is_ignored_sourcemap(path.name)
        ]
        yield self.task(
            name="copy:labextension",
            file_dep=files,
            targets=[target / path.relative_to(source) for path in files],
            actions=[(self.copy_one, [source, target])],
        )

    def is_copied_by_jupyterlite(self) -> bool:
        for addon in self.manager._addons.values():
            if isinstance(addon, FederatedExtensionAddon):
                roots = [Path(extra) for extra in addon.extra_labextensions_path]
                if not addon.is_sys_prefix_ignored():
                    roots.append(addon.labextensions_path)
                return any((root / LABEXTENSION / "package.json").is_file() for root in roots)
        return False

    def build(self, manager: LiteManager) -> Tasks:
        """Publish the site's own Pyodide, if it has one, with the front ends of its packages.

        This comes before ``post_build``, in which JupyterLite lists the front ends that it finds in the site.
        """
        own = self.own_pyodide
        if own.is_wanted:
            # Not done again for the same inputs: `jupyter lite check` runs these tasks too, and must find damage, not repair it.
            yield self.task(
                name="pyodide",
                uptodate=[doit.tools.config_changed(own.inputs())],
                targets=[own.pyodide / PYODIDE_LOCK],
                actions=[own.publish],
            )
        else:
            yield self.task(name="pyodide:none", actions=[own.remove])

    def post_build(self, manager: LiteManager) -> Tasks:
        """Tell the kernel about the site's own Pyodide."""
        yield self.task(name=f"patch:{JUPYTERLITE_JSON}", actions=[self.patch_config])
        yield self.task(name="imports", actions=[self.warn_of_imports])
        if not self.keep_references:
            yield self.task(name="labs:leaks", actions=[self.warn_of_leaks])
        is_direct = not (self.isolate_with_service_worker or self.offline_copy)
        change = direct_requests.install if is_direct else direct_requests.remove
        yield self.task(name="requests", actions=[(change, [self.output])])
        if self.isolate_with_service_worker:
            yield self.task(name="isolate", actions=[(isolation.install, [self.output])])
        elif isolation.is_installed(self.output):
            yield self.task(name="isolate:not", actions=[(isolation.remove, [self.output])])
        if self.offline_copy:
            yield self.task(name="offline", actions=[(offline.install, [self.output])])
        elif offline.is_installed(self.output):
            yield self.task(name="offline:not", actions=[(offline.remove, [self.output])])

    def warn_of_imports(self) -> None:
        """List the imports of notebooks and modules that the site does not have. Only once, although `check` builds too."""
        if self._warned:
            return
        self._warned = True
        for line in self.own_pyodide.unmet_imports():
            self.log.warning("[browsergrad] %s", line)

    def warn_of_leaks(self) -> None:
        """Warn of files of the site that contain a reference solution after all."""
        labs = self.collect_labs()
        for path, source in labs.references():
            if source.is_file():
                for place in published_labs.leaks(source.read_bytes(), self.output_files):
                    self.log.warning("[browsergrad] the reference solution %s can be read in the site: %s", path, place)

    def patch_config(self) -> None:
        """Write the plugin's settings, and make our kernel the default unless the site names one.

        A notebook made for another Python kernel then opens with the default kernel, and students need not choose.
        """
        path, own = self.output / JUPYTERLITE_JSON, self.own_pyodide
        config = json.loads(path.read_text(**UTF8))
        before = json.dumps(config)
        data = config.setdefault(JUPYTER_CONFIG_DATA, {})
        if not self.site_names_kernel():
            data[DEFAULT_KERNEL] = KERNEL_NAME
            tracker = data.setdefault("settingsOverrides", {}).setdefault(NOTEBOOK_TRACKER, {})
            tracker.setdefault("autoStartDefaultKernel", True)
        plugins = data.setdefault("litePluginSettings", {})
        key = plugins.get(HAND_IN_PLUGIN, {}).get(HAND_IN_KEY)
        if problem := public_key_problem(str(key)) if key else None:
            raise ConfigurationError(f"{JUPYTERLITE_JSON}: {HAND_IN_KEY} of {HAND_IN_PLUGIN} {problem}")
        settings = plugins.setdefault(KERNEL_PLUGIN, {})
        settings[DISABLE_PYPI_FALLBACK] = self.disable_pypi_fallback
        if own.is_wanted:
            settings[PYODIDE_INDEX_URL] = INDEX_URL
        elif settings.get(PYODIDE_INDEX_URL) == INDEX_URL:
            del settings[PYODIDE_INDEX_URL]
        if (own.kernel / "manifest.json").is_file():
            settings[KERNEL_URL] = SITE_KERNEL_URL
        elif settings.get(KERNEL_URL) == SITE_KERNEL_URL:
            del settings[KERNEL_URL]
        if self.offline_copy:
            plugins[OFFLINE_PLUGIN] = {OFFLINE_COPY: True}
        else:
            plugins.pop(OFFLINE_PLUGIN, None)
        urls = [url for url in settings.get(PIPLITE_URLS, []) if url != PIPLITE_URL]
        if (own.pyodide / PIPLITE_INDEX).is_file():
            urls.insert(0, PIPLITE_URL)
        settings[PIPLITE_URLS] = urls
        if json.dumps(config) != before:
            path.write_text(json.dumps(config, **JSON_FMT), **UTF8)
            self.maybe_timestamp(path)

    def site_names_kernel(self) -> bool:
        """Tell whether the site's author has chosen a default kernel. JupyterLite's own template always names one."""
        for path in (Path(self.manager.lite_dir) / name for name in (JUPYTERLITE_JSON, JUPYTERLITE_IPYNB)):
            if not path.is_file():
                continue
            config = json.loads(path.read_text(**UTF8))
            if path.name == JUPYTERLITE_IPYNB:
                config = config["metadata"].get(JUPYTERLITE_METADATA, {})
            if DEFAULT_KERNEL in config.get(JUPYTER_CONFIG_DATA, {}):
                return True
        return False

    def check(self, manager: LiteManager) -> Tasks:
        """Verify files, hashes, lock entries and addresses of the built site."""
        yield self.task(name="site", actions=[self.check_site])

    def check_site(self) -> None:
        self.warn_of_imports()
        problems = verification.problems(self.output, list(self.get_output_config_paths()))
        if problems:
            raise SiteError(problems)
