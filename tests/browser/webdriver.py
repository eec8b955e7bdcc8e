"""Firefox and WebKit as Debian ships them, driven without further programs.

Both know the commands of the W3C's WebDriver. Firefox takes them itself, on a socket (Marionette: what geckodriver speaks);
WebKit takes them by HTTP from WebKitWebDriver, which is part of the package. So no driver has to fit a version of the browser.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from hangs import HANG_MS, HANG_S

#: Method and path of WebDriver's commands, by the names that Marionette gives them.
COMMANDS = {
    "Back": ("POST", "/back"),
    "ElementClick": ("POST", "/element/{id}/click"),
    "ExecuteAsyncScript": ("POST", "/execute/async"),
    "Forward": ("POST", "/forward"),
    "Navigate": ("POST", "/url"),
    "PerformActions": ("POST", "/actions"),
    "Refresh": ("POST", "/refresh"),
    "SetTimeouts": ("POST", "/timeouts"),
    "SetWindowRect": ("POST", "/window/rect"),
    "SwitchToFrame": ("POST", "/frame"),
    "TakeScreenshot": ("GET", "/screenshot"),
}
TIMEOUTS = {"script": 5 * HANG_MS, "pageLoad": HANG_MS, "implicit": 0}
#: Settings of Firefox's profile. The rest of what automation needs is set by Firefox when Marionette runs.
FIREFOX = {
    "marionette.port": 0,
    # Nothing is asked from Mozilla.
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "app.normandy.enabled": False,
    "browser.safebrowsing.blockedURIs.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.newtabpage.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.systemAddon.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
}


class DriverError(RuntimeError):
    """A command that the browser refused."""


class Driver(Protocol):
    """A browser with one page.

    Attributes
    ----------
    version
        The browser's version.
    pid
        Its process, or the driver's that started it.
    """

    version: str
    pid: int

    def call(self, command: str, parameters: Mapping[str, Any] | None = None) -> Any: ...


def until(what: str, ready: Any) -> Any:
    """Wait for something true outside of any page. Nothing there can be awaited."""
    deadline = time.monotonic() + HANG_S
    while not (found := ready()):
        assert time.monotonic() < deadline, f"no {what}"
        time.sleep(0.02)
    return found


@contextlib.contextmanager
def _process(command: list[str], environ: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended with all its children."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, env={**os.environ, **environ}, stdout=quiet, stderr=quiet, start_new_session=True
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def refusing_proxy(asked: list[str]) -> Iterator[int]:
    """A proxy that refuses every request and remembers it in `asked`: the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def refuse(self) -> None:
            asked.append(self.path)
            self.send_error(502)

        do_GET = do_POST = do_CONNECT = do_HEAD = refuse

        def log_message(self, *args: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


class Marionette:
    """Firefox's own protocol: each message is its length, a colon, and JSON."""

    def __init__(self, port: int, pid: int):
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._stream = self._socket.makefile("rb")
        self._count = 0
        self._read()  # it says who it is
        self.pid = pid
        self.version = self.call("NewSession")["capabilities"]["browserVersion"]
        self.call("SetTimeouts", TIMEOUTS)

    def _read(self) -> Any:
        length = b""
        while (byte := self._stream.read(1)) != b":":
            if not byte:
                raise DriverError("Firefox has closed the connection")
            length += byte
        return json.loads(self._stream.read(int(length)))

    def call(self, command: str, parameters: Mapping[str, Any] | None = None) -> Any:
        self._count += 1
        name = command if ":" in command else f"WebDriver:{command}"
        data = json.dumps([0, self._count, name, parameters or {}]).encode()
        self._socket.sendall(b"%d:%s" % (len(data), data))
        _, _, error, result = self._read()
        if error:
            raise DriverError(f"{command}: {error['error']}: {error['message']}")
        return result["value"] if isinstance(result, dict) and set(result) == {"value"} else result

    def close(self) -> None:
        self._stream.close()
        self._socket.close()


@contextlib.contextmanager
def firefox(proxy: int, settings: Mapping[str, Any] | None = None, private: bool = False) -> Iterator[Driver]:
    """A Firefox with a new profile, in a private window or not. `settings` are added to those of the profile."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        proxies = {"network.proxy.type": 1, "network.proxy.http": "127.0.0.1", "network.proxy.ssl": "127.0.0.1"}
        ports = {"network.proxy.http_port": proxy, "network.proxy.ssl_port": proxy}
        always = {"browser.privatebrowsing.autostart": private}
        lines = {**FIREFOX, **proxies, **ports, **always, **(settings or {})}.items()
        Path(profile, "user.js").write_text(
            "".join(f'user_pref("{key}", {json.dumps(value)});\n' for key, value in lines)
        )
        program = shutil.which("firefox-esr") or "firefox"
        command = [program, "--marionette", "--headless", "--no-remote", "--profile", profile]
        # Without this variable it ignores the server of settings that is set above.
        with _process(command, {"HOME": profile, "MOZ_REMOTE_SETTINGS_DEVTOOLS": "1"}) as process:
            port = Path(profile, "MarionetteActivePort")
            text = until("port of Marionette", lambda: port.exists() and port.read_text())
            driver = Marionette(int(text), process.pid)
            with contextlib.closing(driver):
                yield driver


class WebKitDriver:
    """WebKitWebDriver, by HTTP."""

    def __init__(self, port: int, pid: int, proxy: int):
        self._port = port
        self.pid = pid
        browser = next(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"))
        arguments = [
            "--automation",
            f"--proxy=http://127.0.0.1:{proxy}",
            "--ignore-host=127.0.0.1",
            "--ignore-host=localhost",
        ]
        options = {"webkitgtk:browserOptions": {"binary": str(browser), "args": arguments}, "timeouts": TIMEOUTS}
        made = self._send("POST", "/session", {"capabilities": {"alwaysMatch": options}})
        self._session = f"/session/{made['sessionId']}"
        self.version = made["capabilities"]["browserVersion"]

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=6 * HANG_S)
        with contextlib.closing(connection):
            data = None if method == "GET" else json.dumps(body or {})
            connection.request(method, path, data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            value = json.loads(answer.read())["value"]
        if answer.status >= 400:
            raise DriverError(f"{path}: {value['error']}: {value['message']}")
        return value

    def call(self, command: str, parameters: Mapping[str, Any] | None = None) -> Any:
        method, path = COMMANDS[command]
        return self._send(method, self._session + path.format(**(parameters or {})), parameters)

    def close(self) -> None:
        self._send("DELETE", self._session, None)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def _listens(port: int) -> bool:
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@contextlib.contextmanager
def screen() -> Iterator[str]:
    """A screen without a monitor: its name."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL) as process:
        os.close(write)
        with open(read, "rb") as numbers:
            yield f":{numbers.readline().decode().strip()}"
        process.terminate()


@contextlib.contextmanager
def webkit(proxy: int, display: str, shares: bool) -> Iterator[Driver]:
    """WebKitGTK's small browser. `shares`: isolated pages have `SharedArrayBuffer`, as in Safari."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environ = {
            **{name: home for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")},
            **{"DISPLAY": display, "NO_AT_BRIDGE": "1", "LIBGL_ALWAYS_SOFTWARE": "1", "GDK_BACKEND": "x11"},
            "WEBKIT_DISABLE_COMPOSITING_MODE": "1",
            "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",  # root cannot start its sandbox
            "JSC_useSharedArrayBuffer": "1" if shares else "0",
        }
        port = free_port()
        driver = shutil.which("WebKitWebDriver") or "WebKitWebDriver"
        with _process([driver, "-p", str(port)], environ) as process:
            until("WebKitWebDriver", lambda: _listens(port))
            browser = WebKitDriver(port, process.pid, proxy)
            with contextlib.closing(browser):
                yield browser
