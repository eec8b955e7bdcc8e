"""The Deno process of a sandbox: where the program is, its permissions, and its use of memory and threads."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path

from ..boot import javascript
from ..errors import BrowsergradError

__all__ = ["ENVIRONMENT", "Permissions", "SandboxError", "command", "find_deno", "usage"]

#: Hosts of PyPI and its files.
PYPI_HOSTS = ("pypi.org", "files.pythonhosted.org")
#: The whole environment of the process. It contains nothing of ours, so nothing could be read from it even if Deno's permissions failed.
#: The folder for Deno's cache cannot be created: Deno writes to its cache without a permission, for example the compiled TypeScript of
#: a module in a data: address, and that must not reach the disk.
ENVIRONMENT = {"DENO_DIR": "/dev/null/none", "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
#: Node's modules, which a browser does not have. They are hidden from the worker one by one, since import maps have no wildcards.
_NODE = """assert assert/strict async_hooks buffer child_process cluster console constants crypto dgram
diagnostics_channel dns dns/promises domain events fs fs/promises http http2 https inspector inspector/promises module
net os path path/posix path/win32 perf_hooks process punycode querystring readline readline/promises repl sea sqlite
stream stream/consumers stream/promises stream/web string_decoder sys test test/reporters timers timers/promises tls
trace_events tty url util util/types v8 vm wasi worker_threads zlib""".split()  # noqa: SIM905 - one name a line would hide the rest
_REFUSED = "data:text/javascript,throw new Error('the sandbox has no modules of Node')"


class SandboxError(BrowsergradError, RuntimeError):
    """A sandbox could not be started, or ended."""


#: About how many bytes of code a WebAssembly function runs before V8 optimises it. V8's default is a tenth of this. Optimising takes more
#: time than the code of an ordinary submission. Because it begins later, a long computation loses a fraction of a second.
BRIEF_BUDGET = 130_000_000


@dataclass(frozen=True)
class Permissions:
    """What a Deno process runs and may do.

    Attributes
    ----------
    script
        The program.
    readable
        Files and folders it may read.
    memory_bytes
        Greatest size of WebAssembly's memory.
    allow_pypi
        Whether it may connect to PyPI's hosts.
    brief
        Whether it lives only for seconds, so that optimising much of WebAssembly's code is not worth the time.
    """

    script: Path
    memory_bytes: int
    readable: list[Path] = field(default_factory=list)
    allow_pypi: bool = False
    brief: bool = False


def find_deno() -> str:
    """Return the path of Deno.

    Raises
    ------
    SandboxError
        There is none.
    """
    found = javascript.deno()
    if found is None:
        raise SandboxError(
            'the sandbox runs in Deno, which is not installed: pip install "jupyterlite-browsergrad[server]"'
        )
    return found


def command(program: str, allowed: Permissions) -> list[str]:
    """Return the command line. It needs no temporary files, so nothing is left behind."""
    imports = {f"{prefix}{name}": _REFUSED for name in _NODE for prefix in ("node:", "")}
    import_map = base64.b64encode(json.dumps({"imports": imports}).encode()).decode()
    megabytes = allowed.memory_bytes >> 20
    engine = [f"--wasm-max-mem-pages={megabytes * 16}", f"--max-old-space-size={max(256, megabytes // 4)}"]
    if allowed.brief:
        engine.append(f"--wasm-tiering-budget={BRIEF_BUDGET}")
    return [
        program,
        "run",
        "--quiet",
        "--no-prompt",
        "--no-config",
        "--no-lock",
        "--no-npm",
        "--no-remote",
        f"--import-map=data:application/json;base64,{import_map}",
        f"--v8-flags={','.join(engine)}",
        f"--allow-read={','.join(str(path) for path in allowed.readable)}",
        *([f"--allow-net={','.join(PYPI_HOSTS)}"] if allowed.allow_pypi else []),
        str(allowed.script),
    ]


def usage(pid: int) -> tuple[int, int]:
    """Bytes of memory and number of threads of a process; zeros if the system does not report them."""
    try:
        text = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
        values = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        return int(values.get("VmRSS", "0 kB").split()[0]) * 1024, int(values.get("Threads", "0"))
    except (OSError, ValueError, LookupError):
        return _usage_elsewhere(pid)


def _usage_elsewhere(pid: int) -> tuple[int, int]:
    try:
        import psutil  # ipykernel brings it

        process = psutil.Process(pid)
        return process.memory_info().rss, process.num_threads()
    except Exception:  # without psutil, or the process has gone
        return 0, 0
