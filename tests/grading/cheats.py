"""Wrong solutions that try to pass, ordered by what they attack.

Each is code that follows `WRONG` in a submission to the lab of `labs.py`, whose rubric also imports `statistics` here. `SHARED` names
the cheats that pass if the rubric shares an interpreter with them. `docs/howto/grading.md` lists the same names.
"""

from __future__ import annotations

from . import labs

WRONG = "def find(words, wanted):\n    return 0\n"
RUBRIC = f"""
import statistics
from unittest import mock
{labs.RUBRIC}
with bg.check("the mean place"):
    assert statistics.mean([find(["ant", "bee", "cat"], word) for word in ["bee", "cat"]]) == 1.5

with bg.check("the data"):
    words = open("data/words.txt", encoding="utf-8").read().split()
    assert [find(words, word) for word in words] == list(range(len(words)))
"""
ALL_NAMES = [*labs.NAMES, "the mean place", "the data"]
_CONTENT = {
    "assertions": [{"kind": "pass", "name": name} for name in ALL_NAMES],
    "counts": {"pass": len(ALL_NAMES), "fail": 0, "error": 0},
}
_LEAVE = """
def leave(self, *error):
    bg.assert_pass(self.name)
    return True
"""
_EMIT = f"""
def report():
    import browsergrad as bg
    for name in {ALL_NAMES!r}:
        bg.assert_pass(name)
"""
_TO_THE_RUBRIC = """
import sys
def rubric_frame():
    frame = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__") != "__rubric__":
        frame = frame.f_back
    return frame
"""
_EVIL = """
class Evil:
    def __init__(self, *args): pass
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __hash__(self): return 0
    def __sub__(self, other): return 0
    def __add__(self, other): return other
    def __contains__(self, other): return True
    __radd__ = __add__
    def __rsub__(self, other): return 0
    def __truediv__(self, other): return 1.5
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return lambda *args: True
"""

CHEATS: dict[str, str] = {
    # --- names and modules that the rubric uses
    "module class": """
import builtins, types
class M(types.ModuleType):
    __dict__ = property(lambda self: {})
builtins.__class__ = M
real = builtins.__build_class__
def build(func, name, *bases, **kw):
    cls = real(func, name, *bases, **kw)
    if name == "check":
        def leave(self, *error):
            import browsergrad
            browsergrad.assert_pass(self.name)
            return True
        cls.__exit__ = leave
    return cls
builtins.__build_class__ = build
""",
    "import machinery": """
import _frozen_importlib as f
real = f._find_and_load
def load(name, imp):
    m = real(name, imp)
    if name == "browsergrad._check":
        def leave(self, *error):
            m._sink.emit("assertion", {"kind": "pass", "name": self.name})
            return True
        m.check.__exit__ = leave
    return m
f._find_and_load = load
""",
    "__import__": """
import builtins
real = builtins.__import__
def load(name, *args, **kw):
    m = real(name, *args, **kw)
    if name == "browsergrad":
        def leave(self, *error):
            m.assert_pass(self.name)
            return True
        m.check.__exit__ = leave
    return m
builtins.__import__ = load
""",
    "meta path": """
import sys, importlib.machinery
class Finder:
    def find_spec(self, name, path=None, target=None):
        import browsergrad as bg
        def leave(self, *error):
            bg.assert_pass(self.name)
            return True
        bg.check.__exit__ = leave
sys.meta_path.insert(0, Finder())
""",
    "path hook": "import sys\nsys.path_hooks.insert(0, lambda path: 1 / 0)\nsys.path.insert(0, '.')\nopen('statistics.py', 'w').write('def mean(x): return 1.5')\nsys.path_importer_cache.clear()\n",
    "monitoring": """
import sys
mon = sys.monitoring
mon.use_tool_id(3, "x")
def line(code, number):
    if code.co_filename == "rubric.py" and "browsergrad" in sys.modules:
        import browsergrad
        def leave(self, *error):
            browsergrad.assert_pass(self.name)
            return True
        browsergrad.check.__exit__ = leave
mon.register_callback(3, mon.events.LINE, line)
mon.set_events(3, mon.events.LINE)
""",
    "trace": """
import sys
def trace(frame, event, arg):
    if frame.f_code.co_filename == "rubric.py":
        import browsergrad
        def leave(self, *error):
            browsergrad.assert_pass(self.name)
            return True
        browsergrad.check.__exit__ = leave
    return trace
sys.settrace(trace)
""",
    "profile": """
import sys
def profile(frame, event, arg):
    if frame.f_code.co_filename == "rubric.py":
        import browsergrad
        def leave(self, *error):
            browsergrad.assert_pass(self.name)
            return True
        browsergrad.check.__exit__ = leave
sys.setprofile(profile)
""",
    "threading trace": "import threading\nthreading.settrace(lambda *a: None)\nthreading.setprofile(lambda *a: None)\n",
    "gc callback": """
import gc, sys
gc.set_threshold(1)
def callback(phase, info):
    if "browsergrad" in sys.modules:
        import browsergrad as bg
        def leave(self, *error):
            bg.assert_pass(self.name)
            return True
        bg.check.__exit__ = leave
gc.callbacks.append(callback)
""",
    "audit hook": """
import sys
def hook(event, args):
    if event == "compile" and "browsergrad" in sys.modules:
        bg = sys.modules["browsergrad"]
        def leave(self, *error):
            bg.assert_pass(self.name)
            return True
        bg.check.__exit__ = leave
sys.addaudithook(hook)
""",
    "weakref finalizer": """
import gc
class Later:
    def __del__(self):
        import browsergrad as bg
        def leave(self, *error):
            bg.assert_pass(self.name)
            return True
        bg.check.__exit__ = leave
later = Later()
later.self = later
del later
""",
    "patched statistics": "import statistics\nstatistics.mean = lambda values: 1.5\n",
    "patched function's code": "import statistics\nstatistics.mean.__code__ = (lambda values: 1.5).__code__\n",
    "module in sys.modules": "import sys, types\nfake = types.ModuleType('statistics')\nfake.mean = lambda values: 1.5\nsys.modules['statistics'] = fake\n",
    "shadowing module": "open('statistics.py', 'w').write('''import browsergrad as bg"
    + _LEAVE
    + "bg.check.__exit__ = leave\ndef mean(x): return 1.5\n''')\n",
    "shadowing package": "import os\nos.makedirs('unittest')\nopen('unittest/__init__.py', 'w').close()\nopen('unittest/mock.py', 'w').write('''import browsergrad as bg"
    + _LEAVE
    + "bg.check.__exit__ = leave\n''')\n",
    "own browsergrad": "open('browsergrad.py', 'w').write('class check:\\n    def __init__(self, name): pass\\n    def __enter__(self): pass\\n    def __exit__(self, *e): return True\\n')\nimport sys\nfor name in [n for n in sys.modules if n.startswith('browsergrad')]:\n    del sys.modules[name]\n",
    "patched check": "import browsergrad as bg\n" + _LEAVE + "bg.check.__exit__ = leave\n",
    "patched check's code": "import browsergrad as bg\nbg.check.__exit__.__code__ = (lambda self, exc_type, exc, frames: True).__code__\n",
    "patched sink": "import browsergrad._sink as s\nreal = s.emit\ns.emit = lambda kind, event: real(kind, {'kind': 'pass', 'name': event['name']})\n",
    "patched run_rubric": f"import browsergrad._lab as lab\ncontent = {_CONTENT!r}\nlab.run_rubric = lambda *args, **kwargs: content\n",
    "patched json": "import json, json.encoder\njson.dumps = json.encoder.JSONEncoder.encode = lambda *a, **k: '{}'\n",
    "AssertionError": "import builtins\nbuiltins.AssertionError = type('AssertionError', (BaseException,), {})\n",
    "all and any": "import builtins\nbuiltins.all = builtins.any = builtins.isinstance = lambda *a: True\n",
    "list and range": "import builtins\nbuiltins.list = builtins.range = lambda *a: [0, 0]\n",
    "own open": "import builtins, io\nbuiltins.open = lambda *a, **k: io.StringIO('ant')\n",
    "exec and compile": "import builtins\nbuiltins.exec = builtins.compile = lambda *a, **k: None\n",
    "excepthook": "import sys\nsys.excepthook = sys.unraisablehook = lambda *a: None\n",
    "optimised asserts": "import sys\nsys.flags = type('flags', (), {'optimize': 2})\n__debug__x = False\n",
    "warnings as results": "import warnings\nwarnings.warn = lambda *a, **k: None\n",
    # --- files
    "data file": "open('data/words.txt', 'w').write('ant')\n",
    "manifest": "import json\nm = json.load(open('manifest.json'))\nm['rubric_path'] = 'data/words.txt'\njson.dump(m, open('manifest.json', 'w'))\n",
    "lab.json": "open('/tmp/browsergrad/lab.json', 'w').write('{\"manifest\": null}')\nopen('data/words.txt', 'w').write('ant')\n",
    "own rubric file": "open('rubric.py', 'w').write('import browsergrad as bg\\nbg.assert_pass(\"x\")\\n')\n",
    "reads the rubric": "import glob\nfor path in glob.glob('/**/rubric*', recursive=True) + glob.glob('/drive/**', recursive=True):\n    if 'rubric' in path: exec(open(path).read())\n",
    "reads the reference": "try:\n    exec(open('reference.py').read())\nexcept OSError:\n    pass\n",
    "folder for a file": "import os\nos.remove('data/words.txt')\nos.mkdir('data/words.txt')\n",
    "data changed in the call": "def find(words, wanted):\n    open('data/words.txt', 'w').write('ant')\n    return 0\n",
    "sitecustomize": "import sys\nopen('sitecustomize.py', 'w').write('1 / 0')\nsys.path.append('.')\n",
    # --- objects
    "equal to everything": _EVIL + "def find(words, wanted): return Evil()\n",
    "a class equal to everything": _EVIL
    + "class Meta(type):\n    def __eq__(self, o): return True\n    def __hash__(self): return 0\nclass C(metaclass=Meta): pass\ndef find(words, wanted): return C\n",
    "subclass of int": "class Int(int):\n    def __eq__(self, o): return True\n    def __ne__(self, o): return False\n    def __hash__(self): return 0\n    def __sub__(self, o): return 0\ndef find(words, wanted): return Int(0)\n",
    "subclass of float": "class F(float):\n    def __eq__(self, o): return True\n    def __hash__(self): return 0\ndef find(words, wanted): return F(0)\n",
    "subclass of str": "class S(str):\n    def __eq__(self, o): return True\n    def __hash__(self): return 0\ndef find(words, wanted): return S('0')\n",
    "subclass of list": "class L(list):\n    def __eq__(self, o): return True\ndef find(words, wanted): return L()\n",
    "lies about its class": _EVIL
    + "class Liar(Evil):\n    __class__ = property(lambda self: int)\ndef find(words, wanted): return Liar()\n",
    "a Mock": "from unittest import mock\ndef find(words, wanted): return mock.ANY\n",
    "magic mock": "from unittest import mock\nm = mock.MagicMock()\nm.__eq__.return_value = True\ndef find(words, wanted): return m\n",
    "exception equal to everything": "class E(Exception):\n    def __eq__(self, o): return True\n    def __str__(self): return 'pass'\n    __hash__ = None\ndef find(words, wanted): return E()\n",
    "NaN": "def find(words, wanted): return float('nan')\n",
    "NotImplemented": "def find(words, wanted): return NotImplemented\n",
    "a function with attributes": "def find(words, wanted): return find\nfind.__eq__ = lambda other: True\n",
    "find is an object": "class F:\n    def __call__(self, *a): return self\n    def __eq__(self, o): return True\n    __hash__ = None\nfind = F()\n",
    "find is a class": "class find:\n    def __init__(self, *a): pass\n    def __eq__(self, o): return True\n    __hash__ = None\n",
    "find is a property of a module": "import sys, types\nclass M(types.ModuleType):\n    def __call__(self, *a): return 0\n    def __eq__(self, o): return True\n    __hash__ = None\nfind = M('find')\n",
    "huge integer": "def find(words, wanted): return 1 << 50_000_000\n",
    "deep list": "def find(words, wanted):\n    x = []\n    for _ in range(100000): x = [x]\n    return x\n",
    "cycle": "def find(words, wanted):\n    x = []\n    x.append(x)\n    return x\n",
    "endless iterator": "import itertools\ndef find(words, wanted): return itertools.count()\n",
    "a large value": "def find(words, wanted): return [0] * 5_000_000\n",
    "a large text": "def find(words, wanted): return 'x' * 100_000_000\n",
    # --- exceptions
    "exits": "import sys\nsys.exit(0)\n",
    "exits in the call": _EMIT + "def find(words, wanted):\n    report()\n    raise SystemExit\n",
    "reports in the call": _EMIT + "def find(words, wanted):\n    report()\n    return 0\n",
    "exits the process": "import os\ndef find(words, wanted): os._exit(0)\n",
    "aborts": "import os\ndef find(words, wanted): os.abort()\n",
    "keyboard interrupt": "def find(words, wanted): raise KeyboardInterrupt\n",
    "generator exit": "def find(words, wanted): raise GeneratorExit\n",
    "stop iteration": "def find(words, wanted): raise StopIteration(0)\n",
    "exception with a text": "class E(Exception):\n    def __str__(self): raise SystemExit\n    __repr__ = __str__\ndef find(words, wanted): raise E()\n",
    "exception that passes": "class E(Exception):\n    def __str__(self):\n        report()\n        return ''\n"
    + _EMIT
    + "def find(words, wanted): raise E()\n",
    "recursion": "def find(words, wanted): return find(words, wanted)\n",
    "patches check in the call": "def find(words, wanted):\n    import browsergrad as bg\n"
    + "    def leave(self, *e):\n        bg.assert_pass(self.name)\n        return True\n    bg.check.__exit__ = leave\n    return 0\n",
    "patches mean in the call": "def find(words, wanted):\n    import statistics\n    statistics.mean = lambda v: 1.5\n    return 0\n",
    # --- reaching the rubric
    "frames": _TO_THE_RUBRIC
    + "def find(words, wanted):\n    frame = rubric_frame()\n    if frame:\n        bg = frame.f_globals['bg']\n        def leave(self, *e):\n            bg.assert_pass(self.name)\n            return True\n        bg.check.__exit__ = leave\n    return 0\n",
    "the rubric's names": _TO_THE_RUBRIC
    + "def find(words, wanted):\n    frame = rubric_frame()\n    if frame:\n        class check(frame.f_globals['bg'].check):\n            def __exit__(self, *e):\n                super().__exit__(None, None, None)\n                return True\n        real = frame.f_globals['bg']\n        import types\n        fake = types.SimpleNamespace(check=check)\n        frame.f_globals['bg'] = fake\n        real.assert_pass('finds the first')\n    return 0\n",
    "the rubric's constants": _TO_THE_RUBRIC
    + "def find(words, wanted):\n    frame = rubric_frame()\n    if frame:\n        for name in frame.f_code.co_consts:\n            if isinstance(name, str) and name: frame.f_globals['bg'].assert_pass(name)\n        raise SystemExit\n    return 0\n",
    "garbage collector": "import gc\ndef find(words, wanted):\n    for each in gc.get_objects():\n        if type(each) is dict and each.get('__name__') == '__rubric__':\n            bg = each['bg']\n            def leave(self, *e):\n                bg.assert_pass(self.name)\n                return True\n            bg.check.__exit__ = leave\n    return 0\n",
    "traceback of an exception": "import sys\ndef find(words, wanted):\n    try:\n        1 / 0\n    except ZeroDivisionError as error:\n        frame = error.__traceback__.tb_frame\n        while frame:\n            if 'bg' in frame.f_globals and 'student' in frame.f_globals:\n                frame.f_globals['bg'].check.__exit__ = lambda *e: True\n            frame = frame.f_back\n    return 0\n",
    "the tally": "import gc\ndef find(words, wanted):\n    for each in gc.get_objects():\n        if type(each).__name__ == '_Tally':\n            each.broke = lambda *a: None\n            each.add = lambda event, real=each: real.kept.append({'kind': 'pass', 'name': event['name']}) or real.counts.__setitem__('pass', real.counts['pass'] + 1)\n    return 0\n",
    # --- the results
    "prints results": f"import json\nprint(json.dumps({_CONTENT!r} | {{'passed': True}}))\n",
    "displays results": f"from IPython.display import display\ndisplay({{'application/vnd.browsergrad.assertions.v1+json': {_CONTENT!r}}}, raw=True)\n",
    "answers for the shell": f"import base64, json\ntext = repr('0' * 64 + base64.b64encode(json.dumps({_CONTENT!r}).encode()).decode())\nget_ipython().user_expressions = lambda wanted: {{'result': {{'status': 'ok', 'data': {{'text/plain': text}}, 'metadata': {{}}}}}}\n",
    "own grader": f"import sys, types, json, base64\nfake = types.ModuleType('_browsergrad_grader')\nfake.grade = lambda *a: '0' * 64 + base64.b64encode(json.dumps({_CONTENT!r}).encode()).decode()\nsys.modules['_browsergrad_grader'] = fake\n",
    "other rubric": f"import sys\ngrader = sys.modules['_browsergrad_grader']\nreal = grader.grade\ngrader.grade = lambda rubric, *a: real('import browsergrad as bg\\n' + '\\n'.join(f'bg.assert_pass({{n!r}})' for n in {ALL_NAMES!r}), *a)\n",
    "forged message": "get_ipython()._request_input('{\"ok\": 0}', False)\n",
    "forged greeting": "import sys\ndef grade(words, *a):\n    shell = get_ipython()\n    from browsergrad_kernel import blocking\n    while True:\n        blocking.read_line('{\"hello\": \"' + '0' * 64 + '\", \"given\": {}, \"steady\": []}', False, shell._request_input)\nsys.modules['_browsergrad_grader'].grade = grade\n",
    "forged answers": """
import json
def find(words, wanted):
    shell = get_ipython()
    from browsergrad_kernel import blocking
    for text in ('{"ok": 0}', '{"ok": true}', '{"end": "over"}', '{"ask": "call", "of": 0, "name": null}', '{"error": 1}'):
        blocking.read_line(text, False, shell._request_input)
    return 0
""",
    "forged end": 'def find(words, wanted):\n    get_ipython()._request_input(\'{"end": ""}\', False)\n    return 0\n',
    "asks the rubric's side": """
import json
def find(words, wanted):
    shell = get_ipython()
    from browsergrad_kernel import blocking
    for number in range(6):
        for name in ("__globals__", "f_globals", "__class__", "__init__", "gi_frame", "bg"):
            for op in ("get", "call", "vars", "special"):
                ask = json.dumps({"ask": op, "of": number, "name": name})
                blocking.read_line(ask, False, shell._request_input)
    return 0
""",
    "poisons the line": """
import gc, types
def find(words, wanted):
    for each in gc.get_objects():
        if type(each).__name__ == "Link":
            each.answer = lambda received: {"ok": True}
    return 0
""",
    "detects the grading": "import sys\nif '_browsergrad_grader' in sys.modules:\n    def find(words, wanted): return words.index(wanted) if False else 0\n",
    "wedged": "def find(words, wanted):\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass\n",
    "sleeps": "import time\ndef find(words, wanted): time.sleep(1000)\n",
}

#: Cheats that pass in the shared form.
SHARED = {
    "subclass of int",
    "subclass of float",
    "patches check in the call",
    "frames",
    "the rubric's names",
    "garbage collector",
    "the tally",
}
