"""Changes micropip: interrupts leave no package incomplete, and ``%pip`` decides like pip.

Replaced, in micropip 0.9 (Pyodide 0.27) to 0.11 (Pyodide 314):

- ``WheelInfo.install``, and the function that removes a distribution, so that an interrupt does not leave half a package;
- ``WheelInfo.requires``, so that an extra that does not exist causes a warning;
- three methods of ``Transaction``, only while a `Plan` is in force. micropip does not have ``--upgrade`` and refuses to replace
  a version. If a future Transaction lacks these methods, micropip keeps its own behaviour.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from types import ModuleType
from typing import Any

from . import interrupts, micropip_downloads
from .pip_options import PipError
from .pip_requirements import canonical, plain_path

_plan: ContextVar[Plan | None] = ContextVar("pip_plan", default=None)


def install(micropip: ModuleType) -> None:
    """Change a micropip that has just been imported."""
    _protect_commits(micropip)
    _take_unknown_extras()
    _adapt_transactions()
    micropip_downloads.install()


def _protect_commits(micropip: ModuleType) -> None:
    """Make writing and removing a wheel's files uninterruptible. Its download can still be interrupted."""
    from micropip.package_manager import PackageManager
    from micropip.wheelinfo import WheelInfo

    install = WheelInfo.install
    # Before micropip 0.10 (Pyodide 0.27), `uninstall` itself removes the files.
    owner, name = (
        (PackageManager, "_uninstall_distributions")
        if hasattr(PackageManager, "_uninstall_distributions")
        else (micropip, "uninstall")
    )
    remove = getattr(owner, name)

    async def install_whole(self: Any, *args: Any, **kwargs: Any) -> Any:
        plan = _plan.get()
        if plan is not None:
            plan.compare_hash(self)
        with interrupts.uninterruptible():
            if plan is not None and installed(self.name):
                micropip.uninstall([self.name])  # micropip 0.9 would unpack the new version over the old one
            return await install(self, *args, **kwargs)

    def remove_whole(*args: Any, **kwargs: Any) -> Any:
        with interrupts.uninterruptible():
            return remove(*args, **kwargs)

    WheelInfo.install = install_whole
    setattr(owner, name, remove_whole)


def _take_unknown_extras() -> None:
    """Warn about an extra that a wheel does not have, like pip. micropip raises a KeyError."""
    from micropip.wheelinfo import WheelInfo

    requires = WheelInfo.requires

    def requires_of_known(self: Any, extras: set[str]) -> Any:
        known = set()
        for extra in extras:
            try:
                requires(self, {extra})
            except KeyError:
                print(f"WARNING: {self.name} {self.version} does not provide the extra '{extra}'", file=sys.stderr)
            else:
                known.add(extra)
        return requires(self, known)

    WheelInfo.requires = requires_of_known


def _adapt_transactions() -> None:
    """Let the current plan decide whether an installed version is kept."""
    try:
        from micropip.transaction import Transaction

        check, add_wheel = Transaction.check_version_satisfied, Transaction.add_wheel
        look_up = Transaction._add_requirement_from_package_index
    except (ImportError, AttributeError):  # an unknown version of micropip: keep its own behaviour
        return

    def check_version_satisfied(self: Any, req: Any, **kwargs: Any) -> Any:
        plan = _plan.get()
        return check(self, req, **kwargs) if plan is None else plan.satisfied(self, req)

    async def add_requirement_from_package_index(self: Any, req: Any) -> Any:
        try:
            return await look_up(self, req)
        except ValueError:
            plan = _plan.get()
            # No index has another version. Like pip, treat the installed one as the newest.
            if plan is None or req.name in self.locked or not plan.may_stay(req.name, req.specifier):
                raise

    async def add_wheel_unless_there(self: Any, wheel: Any, *args: Any, **kwargs: Any) -> Any:
        plan = _plan.get()
        if plan is None or not plan.keeps(wheel, kwargs.get("specifier", "")):
            await add_wheel(self, wheel, *args, **kwargs)

    Transaction.check_version_satisfied = check_version_satisfied
    Transaction._add_requirement_from_package_index = add_requirement_from_package_index
    Transaction.add_wheel = add_wheel_unless_there


def installed(name: str) -> Distribution | None:
    """The distribution of that name, if there is one."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def is_of_kernel(found: Distribution) -> bool:
    """Whether a distribution is a part of the kernel. Those name no installer, or browsergrad."""
    return (found.read_text("INSTALLER") or "").strip() in ("", "browsergrad")


def modules_of(found: Distribution) -> list[str]:
    """The top-level modules of a distribution."""
    tops = {Path(str(file)).parts[0] for file in found.files or ()}
    return sorted(top.removesuffix(".py") for top in tops if top.isidentifier() or top.endswith(".py"))


@dataclass
class Plan:
    """How one ``%pip install`` treats installed distributions, by pip's rules.

    Attributes
    ----------
    upgrade
        Canonical names of distributions to replace if there is a newer version.
    everything
        Whether dependencies are upgraded too.
    force
        Whether everything is installed anew.
    hashes
        Allowed digests, ``sha256:…``, by canonical name.
    find_links
        Folders of wheels that are searched first.
    imported
        Replaced distributions whose modules are imported: canonical name -> old version.
    kept
        Distributions whose version is installed, so that a wheel at an address was not fetched: address -> name and version.
    """

    upgrade: set[str] = field(default_factory=set)
    everything: bool = False
    force: bool = False
    hashes: dict[str, set[str]] = field(default_factory=dict)
    find_links: list[Path] = field(default_factory=list)
    imported: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)

    @contextlib.contextmanager
    def in_force(self) -> Iterator[None]:
        """Make micropip follow this plan, in this task and in tasks that it creates."""
        token = _plan.set(self)
        try:
            yield
        finally:
            _plan.reset(token)

    def _is_upgraded(self, name: str) -> bool:
        return self.everything or canonical(name) in self.upgrade

    def satisfied(self, transaction: Any, requirement: Any) -> tuple[bool, str]:
        """The result of `Transaction.check_version_satisfied`: whether nothing has to be done, and the installed version."""
        name = canonical(requirement.name)
        chosen = transaction.locked.get(name)
        if chosen is not None:
            if requirement.specifier.contains(chosen.version, prereleases=True):
                return True, chosen.version
            raise PipError(f"{requirement} is needed, but {name} {chosen.version} is chosen for another requirement")
        if requirement.url:
            return False, ""  # `keeps` compares the version of the wheel at that address
        found = installed(name)
        if found is None:
            return False, ""
        fits = requirement.specifier.contains(found.version, prereleases=True)
        if is_of_kernel(found):
            if fits:
                return True, found.version
            raise PipError(_part_of_kernel(requirement, found))
        if fits and not self.force:
            if not self._is_upgraded(name):
                return True, found.version
            locked = _locked_version(transaction, name)
            if locked == found.version:
                return True, found.version
        self._note(found)
        return False, ""

    def may_stay(self, name: str, specifier: Any) -> bool:
        """Whether the installed version is kept if no other can be found."""
        found = installed(name)
        return bool(
            found and not self.force and self._is_upgraded(name) and specifier.contains(found.version, prereleases=True)
        )

    def keeps(self, wheel: Any, specifier: str) -> bool:
        """Whether the installed version is kept, and not replaced by a wheel."""
        from packaging.specifiers import SpecifierSet
        from packaging.version import Version

        found = installed(wheel.name)
        if found is None:
            return False
        there, offered = Version(found.version), Version(str(wheel.version))
        if is_of_kernel(found):
            if there == offered:
                return True
            raise PipError(_part_of_kernel(f"{wheel.name}=={offered}", found))
        if not self.force:
            by_address = wheel.sha256 is None and not specifier
            if by_address and there == offered and _same_content(wheel, found):
                if wheel.parsed_url.scheme != "emfs":
                    self.kept[wheel.url] = f"{found.name} {found.version}"
                return True
            if not by_address and there >= offered and SpecifierSet(specifier).contains(there, prereleases=True):
                return True
        self._note(found)
        return False

    def _note(self, found: Distribution) -> None:
        if any(name in sys.modules for name in modules_of(found)):
            self.imported[canonical(found.name)] = found.version

    def compare_hash(self, wheel: Any) -> None:
        """Raise an error if a wheel does not have a hash that was given for it."""
        wanted = self.hashes.get(canonical(wheel.name))
        if not wanted:
            return
        for digest in wanted:
            algorithm, _, value = digest.partition(":")
            if algorithm in hashlib.algorithms_available and hashlib.new(algorithm, wheel._data).hexdigest() == value:
                return
        actual = hashlib.sha256(wheel._data).hexdigest()
        raise PipError(f"{wheel.filename} has not the hash that is asked for: it is sha256:{actual}")

    def offered(self, name: str) -> Any:
        """The wheels of a distribution in the folders of ``--find-links``: a ``ProjectInfo``, or None."""
        from micropip.wheelinfo import WheelInfo

        releases: dict[Any, list[dict[str, Any]]] = {}
        for folder in self.find_links:
            for path in sorted(folder.glob("*.whl")):
                with contextlib.suppress(ValueError):  # its name is not a wheel's
                    wheel = WheelInfo.from_url(f"emfs:{plain_path(path.resolve())}")
                    if canonical(wheel.name) == canonical(name):
                        file = {"filename": path.name, "url": wheel.url, "digests": {}}
                        releases.setdefault(wheel.version, []).append(file)
        if not releases:
            return None
        from micropip.package_index import ProjectInfo

        return ProjectInfo._compatible_only(name, releases)


def in_order(project: Any) -> Any:
    """Convert versions from strings, so that they are ordered as versions. piplite's are strings, where 9.0 is greater than 10.0."""
    from micropip.wheelinfo import Version

    if project is not None:
        project.releases = {Version(str(version)): wheels for version, wheels in project.releases.items()}
    return project


def current_plan() -> Plan | None:
    """The plan that this task follows."""
    return _plan.get()


def _part_of_kernel(wanted: Any, found: Distribution) -> str:
    return f"{wanted} is needed, but the kernel itself runs on {found.name} {found.version}, which cannot be replaced while it does"


def _locked_version(transaction: Any, name: str) -> str | None:
    """The version in the Pyodide distribution's lock."""
    layer = getattr(transaction, "_compat_layer", None)
    if layer is None:  # micropip 0.9
        from micropip import _compat

        packages = _compat.REPODATA_PACKAGES
    else:
        packages = layer.lockfile_packages
    entry = packages.get(name)
    return str(entry["version"]) if entry else None


def _same_content(wheel: Any, found: Distribution) -> bool:
    """Whether a wheel is the same file as the installed one. For a wheel on the network, only the version is compared."""
    if wheel.parsed_url.scheme != "emfs":
        return True
    return found.read_text("PYODIDE_SHA256") == hashlib.sha256(Path(wheel.parsed_url.path).read_bytes()).hexdigest()
