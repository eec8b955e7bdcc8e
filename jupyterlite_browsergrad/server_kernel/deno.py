"""The Deno process that a sandbox runs in: where the program is, what it may do, and what it uses."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path

from ..boot import javascript
from ..errors import BrowsergradError

__all__ = ["ENVIRONMENT", "Permissions", "SandboxError", "command", "find_deno", "usage"]

#: Where PyPI and its files are.
PYPI_HOSTS = ("pypi.org", "files.pythonhosted.org")
#: Nothing of ours is known inside, whatever becomes of Deno's permissions. The cache's folder can't be made, so that nothing which
#: Deno keeps without asking for a permission, such as compiled TypeScript of a module in a data: address, gets to the disk.
ENVIRONMENT = {"DENO_DIR": "/dev/null/none", "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
#: Node's modules that a browser has not: to the worker they do not exist. A list, since an import map knows no wildcard.
_NODE = """assert assert/strict async_hooks buffer child_process cluster console constants crypto dgram
diagnostics_channel dns dns/promises domain events fs fs/promises http http2 https inspector inspector/promises module
net os path path/posix path/win32 perf_hooks process punycode querystring readline readline/promises repl sea sqlite
stream stream/consumers stream/promises stream/web string_decoder sys test test/reporters timers timers/promises tls
trace_events tty url util util/types v8 vm wasi worker_threads zlib""".split()  # noqa: SIM905 - one name a line would hide the rest
_REFUSED = "data:text/javascript,throw new Error('the sandbox has no modules of Node')"


class SandboxError(BrowsergradError, RuntimeError):
    """A sandbox could not be started, or ended."""


#: About how many bytes of code a WebAssembly function runs through before V8 optimises it; V8's own number is a tenth of it. Optimising
#: takes more time than an ordinary submission's code, and a long computation loses a fraction of a second by the later start.
BRIEF_BUDGET = 130_000_000


@dataclass(frozen=True)
class Permissions:
    """What Deno gets.

    Attributes
    ----------
    script
        The program.
    readable
        Files and folders it may read.
    memory_bytes
        Most that WebAssembly's memory may grow to.
    allow_pypi
        Whether it may reach PyPI's hosts.
    brief
        Whether it lives for seconds, so that optimising much of WebAssembly's code would not pay.
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
    """Return the command line. Nothing of it is a file of its own, so nothing is left behind."""
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
    """Bytes of memory and number of threads of a process; zeros where the system does not tell."""
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
