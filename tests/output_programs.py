"""Ways to write that do not use ``print``: cells that run one after the other, and the text that each shows.

Shared by the tests of the sandbox and of the browser.
"""

from __future__ import annotations

#: Name, code, and the texts in their order. A text of stderr begins with ``err:``.
PROGRAMS: list[tuple[str, str, list[str]]] = [
    (
        "redirected and restored",
        "import io, sys\nsys.stdout = io.StringIO()\nprint('no')\nsys.stdout = sys.__stdout__\nprint('a')",
        ["a\n"],
    ),
    ("after a restored stream", "print('b')", ["b\n"]),
    (
        "the original streams",
        "print('o', end='', file=sys.__stdout__); print('e', file=sys.__stderr__)",
        ["o", "err:e\n"],
    ),
    (
        "descriptors among prints",
        "import os\nprint('a'); os.write(1, b'b\\n'); print('c', end=''); os.write(2, b'd'); os.write(1, b'e'); print('f')",
        ["a\nb\nc", "err:d", "ef\n"],
    ),
    ("a descriptor alone", "os.write(1, b'alone');", ["alone"]),
    ("pieces of characters", "for piece in 'aé€😀'.encode(): os.write(1, bytes([piece]))", ["aé€😀"]),
    ("half a character before text", "os.write(1, b'\\xe2\\x82'); print('x')", ["\ufffdx\n"]),
    ("half a character at the end", "os.write(2, b'\\xe2\\x82');", ["err:\ufffd"]),
    (
        "C code",
        "import ctypes\nlibc = ctypes.CDLL(None)\nprint('a', end=''); libc.printf(b'b'); print('c', end=''); libc.puts(b'd');",
        ["abcd\n"],
    ),
    (
        "bytes of the stream",
        "b = sys.stdout.buffer\nprint('a', end=''); b.write(b'b\\xc3'); b.flush(); b.write(b'\\xa9'); print('c', end=''); b.write(b'\\xc3');",
        ["abéc\ufffd"],
    ),
    (
        "files of the descriptors",
        "with io.open(1, 'w', closefd=False) as f: f.write('a')\n"
        "with io.open(sys.stderr.fileno(), 'wb', 0, closefd=False) as f: f.write(b'b');\nprint('c')",
        ["a", "err:b", "c\n"],
    ),
    (
        "a stream around the stream",
        "sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='utf-8'); print('ü', end='')",
        ["ü"],
    ),
    ("taken away again", "sys.stdout = sys.__stdout__\nsys.stdout.reconfigure(encoding='utf-8')\nprint('ü')", ["ü\n"]),
    (
        "a handler made before",
        "import logging\nlog = logging.getLogger('before')\nlog.addHandler(logging.StreamHandler())\nlog.warning('a')",
        ["err:a\n"],
    ),
    ("in a later cell", "log.warning('b')", ["err:b\n"]),
    (
        "redirected to the other stream",
        "import contextlib\nwith contextlib.redirect_stdout(sys.stderr): print('a')\nprint('b')",
        ["err:a\n", "b\n"],
    ),
    (
        "a redirected descriptor",
        "kept = os.dup(1)\nwith io.open('/tmp/taken', 'wb') as f: os.dup2(f.fileno(), 1)\n"
        "os.write(1, b'hidden'); os.dup2(kept, 1); os.close(kept); os.write(1, b'back')\nprint(io.open('/tmp/taken').read())",
        ["backhidden\n"],
    ),
    (
        "a fault handler",
        "import faulthandler\nfaulthandler.enable()\nprint(faulthandler.is_enabled(), faulthandler.disable())",
        ["True True\n"],
    ),
]


def joined(messages: list[dict[str, str]]) -> list[str]:
    """Return the texts of stream messages in the form of `PROGRAMS`."""
    texts: list[str] = []
    last = None
    for content in messages:
        if content["name"] == last:
            texts[-1] += content["text"]
        else:
            texts.append(("err:" if content["name"] == "stderr" else "") + content["text"])
        last = content["name"]
    return texts
