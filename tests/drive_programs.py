"""Programs that work with files. Each prints the same on Linux and on a kernel's drive.

Every program runs in an empty folder of its own. The files that it leaves there are compared too.
"""

from __future__ import annotations

import difflib
import json
import subprocess
import sys
from pathlib import Path

PROGRAMS: dict[str, str] = {
    "removed while open for writing": """
f = open('gone.txt', 'w'); f.write('secret'); f.flush()
os.remove('gone.txt')
print(os.path.exists('gone.txt'), os.fstat(f.fileno()).st_nlink, os.fstat(f.fileno()).st_size)
f.write(' more'); f.close()
print(os.path.exists('gone.txt'), os.listdir())
""",
    "removed while open for reading": """
Path('a').write_bytes(b'x' * 100_000)
with open('a', 'rb') as f:
    print(len(f.read(10))); os.unlink('a'); print(len(f.read()), f.read(), f.seek(5), f.read(3))
print(os.listdir())
""",
    "removed and made again while open": """
f = open('a', 'w+'); f.write('old'); f.flush(); os.remove('a')
Path('a').write_text('new')
f.seek(0); print(f.read(), Path('a').read_text()); f.write('!'); f.close()
print(Path('a').read_text())
""",
    "temporary files": """
import tempfile
with tempfile.TemporaryFile(dir='.') as f:
    f.write(b'abc'); f.seek(0); print(f.read(), os.listdir())
with tempfile.NamedTemporaryFile(dir='.', suffix='.txt') as f:
    f.write(b'abc'); f.flush(); print(Path(f.name).read_bytes(), len(os.listdir()))
print(os.listdir())
with tempfile.NamedTemporaryFile('w', dir='.', delete=False) as f:
    f.write('kept')
os.replace(f.name, 'kept.txt'); print(Path('kept.txt').read_text())
with tempfile.TemporaryDirectory(dir='.') as d:
    Path(d, 'x').write_text('x')
with tempfile.SpooledTemporaryFile(max_size=10, dir='.') as f:
    f.write(b'y' * 100); f.seek(90); print(f.read())
print(os.listdir())
""",
    "locks": """
import errno, fcntl
with open('shared', 'w') as f:
    for operation in (fcntl.LOCK_EX, fcntl.LOCK_SH | fcntl.LOCK_NB, fcntl.LOCK_UN):
        print(fcntl.flock(f, operation), fcntl.flock(f.fileno(), operation))
    fcntl.flock(f, fcntl.LOCK_EX); f.write('one'); f.flush(); os.remove('shared')
    print(fcntl.flock(f, fcntl.LOCK_UN), os.listdir())
    try: fcntl.flock(f, 3)
    except OSError as error: print(errno.errorcode[error.errno])
    descriptor = f.fileno()
try: fcntl.flock(descriptor, fcntl.LOCK_EX)
except OSError as error: print(errno.errorcode[error.errno])
try: fcntl.flock(f, fcntl.LOCK_EX)
except ValueError as error: print(error)
""",
    "a mapping for reading": """
import mmap
Path('m').write_bytes(b'0123456789' * 2000)
with open('m', 'rb') as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as m:
    print(len(m), m[2:5], m.find(b'789'), m.rfind(b'0'), m.readline()[:4], m.size())
    try: m[0] = 1
    except TypeError as error: print(error)
print(Path('m').stat().st_size)
""",
    "a mapping for writing": """
import mmap
Path('m').write_bytes(b'.' * 20)
with open('m', 'r+b') as f:
    m = mmap.mmap(f.fileno(), 0)
    m[3:6] = b'abc'; m.flush(); print(Path('m').read_bytes())
    m.seek(10); m.write(b'def'); m.close()
print(Path('m').read_bytes())
""",
    "a mapping outlives its file": """
import mmap
Path('m').write_bytes(b'.' * 20)
with open('m', 'r+b') as f: m = mmap.mmap(f.fileno(), 0)
with open('other', 'w+b') as g:
    g.write(b'-' * 20); g.flush(); m[0:3] = b'abc'; m.flush(); m[5:6] = b'd'; m.close()
print(Path('m').read_bytes(), Path('other').read_bytes())
with open('m', 'r+b') as f: m = mmap.mmap(f.fileno(), 10)
m[9:10] = b'e'; del m; gc.collect()
print(Path('m').read_bytes())
""",
    "a private mapping": """
import mmap
Path('m').write_bytes(b'.' * 9)
with open('m', 'rb') as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY) as m:
    m[:3] = b'abc'; print(m[:]); m.flush()
print(Path('m').read_bytes())
with mmap.mmap(-1, 5) as m: m[:] = b'alone'; print(m[:], m.read(3), isinstance(m, mmap.mmap), type(m).__name__)
""",
    "times": """
Path('a').write_text('a')
os.utime('a', (1_000_000_000, 1_100_000_000.5)); s = os.stat('a'); print(s.st_atime, s.st_mtime)
print(Path('a').read_text(), os.stat('a').st_mtime)
os.rename('a', 'b'); print(os.stat('b').st_mtime)
shutil.copy2('b', 'c'); print(os.stat('c').st_mtime)
Path('b').write_text('b'); print(abs(os.stat('b').st_mtime - time.time()) < 60)
os.utime('b', ns=(10**18, 10**18)); print(os.stat('b').st_mtime_ns)
os.utime('b'); print(abs(os.stat('b').st_mtime - time.time()) < 60)
with open('d', 'w') as f:
    f.write('d'); f.flush(); os.utime('d', (5, 7)); print(os.stat('d').st_mtime)
print(os.stat('d').st_mtime)
Path('e').touch(); print(abs(Path('e').stat().st_mtime - time.time()) < 60)
os.mkdir('f'); os.utime('f', (1, 2)); print(os.stat('f').st_mtime)
""",
    "replaced while open": """
Path('a').write_text('old'); Path('b').write_text('new')
with open('a') as f:
    print(f.read(1)); os.replace('b', 'a'); print(f.read(), Path('a').read_text())
print(os.listdir())
w = open('a', 'w'); w.write('lost'); w.flush()
Path('c').write_text('kept'); os.rename('c', 'a'); w.write('more'); w.close()
print(Path('a').read_text(), os.listdir())
os.remove('a'); print(os.listdir()); Path('a').write_text('again'); print(Path('a').read_text())
""",
    "renamed while open": """
f = open('a', 'w'); f.write('one '); f.flush(); os.rename('a', 'b'); f.write('two'); f.close()
print(os.listdir(), Path('b').read_text())
os.makedirs('d/e'); f = open('d/e/x', 'w'); f.write('x'); os.rename('d', 'g'); f.close()
print(Path('g/e/x').read_text(), os.path.exists('d'))
""",
    "folders renamed": """
os.mkdir('a'); os.mkdir('b'); Path('a/x').write_text('x')
os.rename('a', 'b'); print(os.listdir(), os.listdir('b'))
os.mkdir('c'); Path('c/y').write_text('y'); Path('f').write_text('f')
for old, new in [('b', 'c'), ('f', 'c'), ('c', 'f'), ('none', 'x'), ('b', 'b/inside')]:
    try: os.rename(old, new); print('renamed', old, new)
    except OSError as error: print(old, new, errno.errorcode[error.errno])
print(sorted(os.listdir()), Path('c/y').read_text(), Path('f').read_text())
""",
    "names": """
for name in ['n' * 255, 'ü' * 127, 'a b', 'x;y&z', '100%', '%41', 'q?#', "it's", 'quo"te', 'back\\\\slash', 'tab\\tname', 'läng€😀', 'new\\nline']:
    Path(name).write_text(name); print(Path(name).read_text() == name, name in os.listdir()); os.rename(name, 'r'); os.rename('r', name); os.remove(name)
Path('short').write_text('s')
for name in ['n' * 256, 'ü' * 128, '😀' * 64]:
    for use in (lambda: open(name, 'w'), lambda: os.mkdir(name), lambda: os.stat(name), lambda: os.rename('short', name), lambda: open(name)):
        try: use(); print('done')
        except OSError as error: print(errno.errorcode[error.errno])
print(os.path.exists('n' * 256), os.listdir())
""",
    "truncated and extended": """
with open('a', 'w+b') as f:
    f.write(b'0123456789'); print(f.truncate(4), f.tell(), os.fstat(f.fileno()).st_size)
    f.seek(8); f.write(b'x'); f.seek(0); print(f.read())
    f.truncate(12); f.seek(0); print(f.read()); f.truncate(2); f.truncate(5); f.seek(0); print(f.read())
os.truncate('a', 3); print(Path('a').read_bytes()); os.truncate('a', 6); print(Path('a').read_bytes())
with open('a', 'ab') as f: f.seek(0); f.write(b'end'); print(f.tell())
with open('a', 'a+b') as f: f.write(b'!'); f.seek(0); print(f.read())
with open('a', 'r+b') as f: f.seek(20); f.write(b'z')
print(Path('a').read_bytes())
with open('a', 'r+') as one, open('a', 'w') as two: print(repr(one.read())); two.write('two'); two.flush(); print(one.read())
""",
    "descriptors": """
fd = os.open('a', os.O_RDWR | os.O_CREAT | os.O_EXCL)
print(os.write(fd, b'abcdef'), os.lseek(fd, 0, os.SEEK_SET), os.read(fd, 2), os.pread(fd, 3, 1), os.pwrite(fd, b'XY', 4))
other = os.dup(fd); print(os.read(other, 1)); os.close(fd); print(os.read(other, 10), os.write(other, b'!')); os.fsync(other); os.close(other)
print(Path('a').read_bytes())
for flags in (os.O_WRONLY | os.O_CREAT | os.O_EXCL, os.O_RDONLY | os.O_DIRECTORY):
    try: os.open('a', flags)
    except OSError as error: print(errno.errorcode[error.errno])
fd = os.open('a', os.O_WRONLY | os.O_TRUNC); os.write(fd, b'z'); os.close(fd); print(Path('a').read_bytes())
for use in (lambda: os.listdir('a'), lambda: open('.'), lambda: os.rmdir('a'), lambda: os.unlink('none'), lambda: open('none/x', 'w'), lambda: os.mkdir('a')):
    try: use()
    except OSError as error: print(errno.errorcode[error.errno])
""",
    "seen by others while it is open": """
f = open('log', 'a'); f.write('one\\n'); f.flush(); print(repr(Path('log').read_text()), os.path.getsize('log'))
g = open('log'); print(g.readlines()); f.write('two\\n'); f.flush(); print(g.readlines()); f.close(); g.close()
a, b = os.stat('log'), os.stat('log'); print(a.st_ino == b.st_ino, os.path.samefile('log', './log'), stat.filemode(a.st_mode)[0])
os.chmod('log', 0o444); print(oct(os.stat('log').st_mode & 0o777)); os.chmod('log', 0o644)
""",
    "trees": """
for p in ('t/a/b', 't/c'): os.makedirs(p)
for p in ('t/x.txt', 't/a/y.bin', 't/a/b/z'): Path(p).write_bytes(p.encode() * 10)
def tree(top): return sorted(os.path.relpath(os.path.join(d, n), top) for d, ds, fs in os.walk(top) for n in ds + fs)
shutil.copytree('t', 'u'); print(tree('u'), filecmp.cmp('t/a/y.bin', 'u/a/y.bin', shallow=False))
shutil.move('u/a', 'u/c'); print(tree('u')); shutil.move('u/x.txt', 'moved.txt'); print(Path('moved.txt').read_text()[:7])
shutil.copytree('t', 'u', dirs_exist_ok=True); print(tree('u'))
shutil.rmtree('u'); print(os.path.exists('u'), sorted(os.listdir()))
print(sorted(str(p) for p in Path('t').rglob('*')), sorted(str(p) for p in Path('t').glob('*.txt')))
shutil.make_archive('arch', 'zip', 't'); shutil.unpack_archive('arch.zip', 'v'); print(tree('v') == tree('t'))
try: os.rmdir('t')
except OSError as error: print(errno.errorcode[error.errno])
""",
    "paths": """
p = Path('d/e'); p.mkdir(parents=True); q = p / 'f.txt'; q.write_text('ü\\n' * 3); print(q.exists(), q.is_file(), p.is_dir(), q.stat().st_size)
print([x.name for x in p.iterdir()], q.read_bytes()[:4], q.suffix, q.resolve().relative_to(Path.cwd()))
q = q.rename(p / 'g.md'); print(q, q.with_suffix('.x').exists()); q.replace('top.md'); print(Path('top.md').read_text().count('ü'))
p.rmdir(); Path('top.md').unlink(); Path('none').unlink(missing_ok=True); print(os.listdir())
try: p.mkdir(exist_ok=True); p.mkdir()
except FileExistsError as error: print(type(error).__name__)
""",
    "a folder that changes while it is read": """
for i in range(20): Path(f'f{i:02}').write_text('x')
seen = []
with os.scandir('.') as entries:
    for n, entry in enumerate(entries):
        seen.append(entry.name)
        if n == 5: Path('new').write_text('x')
        os.remove(entry.name) if entry.name[0] == 'f' else None
print(sorted(s for s in seen if s != 'new')[:3], len([s for s in seen if s != 'new']), os.listdir())
for p in list(Path('.').iterdir()): p.unlink()
print(os.listdir())
""",
    "a database": """
import sqlite3
db = sqlite3.connect('d.db'); db.execute('create table t (a, b)'); db.commit()
with db: db.executemany('insert into t values (?, ?)', [(i, 'x' * 50) for i in range(2000)])
print(db.execute('select count(*), sum(a) from t').fetchone())
db.execute('delete from t where a > 10'); db.rollback(); print(db.execute('select count(*) from t').fetchone())
other = sqlite3.connect('d.db'); print(other.execute('select max(a) from t').fetchone())
with db: db.execute("update t set b = 'y' where a < 5")
print(other.execute("select count(*) from t where b = 'y'").fetchone()); other.close()
db.execute('vacuum'); db.close(); print(os.listdir(), sqlite3.connect('d.db').execute('pragma integrity_check').fetchone())
try: sqlite3.connect('none/x.db')
except sqlite3.OperationalError as error: print(error)
""",
    "archives": """
import tarfile, zipfile
with zipfile.ZipFile('z.zip', 'w') as z: z.writestr('a.txt', 'a' * 1000)
with zipfile.ZipFile('z.zip', 'a', zipfile.ZIP_DEFLATED) as z: z.writestr('b.txt', 'b' * 1000); print(z.testzip())
with zipfile.ZipFile('z.zip') as z: print(z.namelist(), z.read('b.txt')[:3]); z.extractall('out')
Path('out/a.txt').touch(); os.utime('out/a.txt', (10**9, 10**9))
with tarfile.open('t.tar.gz', 'w:gz') as t: t.add('out')
with tarfile.open('t.tar.gz') as t: t.extractall('back', filter='data')
print(os.stat('back/out/a.txt').st_mtime, Path('back/out/b.txt').read_text()[:3])
""",
    "other formats": """
import csv, json, pickle, gzip
with open('c.csv', 'w', newline='') as f: csv.writer(f).writerows([[1, 'ä'], [2, 'b,c']])
print(Path('c.csv').read_bytes(), list(csv.reader(open('c.csv', newline=''))))
Path('j.json').write_text('{"a": 1.0, "b": 12345678901234567890, "a": 2}'); print(Path('j.json').read_text())
pickle.dump({1: [2]}, open('p.pkl', 'wb'), 2); gc.collect(); print(pickle.load(open('p.pkl', 'rb')))
with gzip.open('g.gz', 'wt') as f: f.write('x' * 5000)
print(len(gzip.open('g.gz', 'rt').read()))
with open('crlf.txt', 'w', newline='\\r\\n') as f: f.write('a\\nb\\n')
print(Path('crlf.txt').read_bytes())
gc.collect()
""",
    "ten megabytes": """
data = bytes(range(256)) * 40_000; Path('big').write_bytes(data); print(Path('big').read_bytes() == data, os.path.getsize('big'))
with open('big', 'r+b') as f: f.seek(5_000_000); f.write(b'here'); f.seek(-4, 2); print(f.read())
with open('big', 'rb') as f: f.seek(5_000_000); print(f.read(4))
text = 'line ü\\n' * 300_000
with open('big.txt', 'w') as f:
    for line in text.splitlines(True): f.write(line)
print(open('big.txt').read() == text); gc.collect(); os.remove('big'); os.remove('big.txt')
""",
}

_PRELUDE = "import errno, filecmp, gc, os, shutil, stat, time, warnings\nfrom pathlib import Path\n"
#: Prints the name and content of each file that is left, without bytes that hold times.
_LEFT = """
def left():
    found = {}
    for folder, _, names in os.walk('.'):
        for name in names:
            path = os.path.join(folder, name)
            found[path] = os.path.getsize(path) if name.endswith(('.zip', '.gz', '.db')) else hash_of(path)
    return dict(sorted(found.items()))
def hash_of(path):
    import hashlib
    return hashlib.md5(open(path, 'rb').read()).hexdigest()
with warnings.catch_warnings():
    warnings.simplefilter('ignore'); print({k: v for k, v in left().items() if 'arch.zip' not in k and '.gz' not in k})
"""


def cell(name: str) -> str:
    """A program as one cell, which runs in a folder of its own and leaves its files there."""
    number = list(PROGRAMS).index(name)
    return (
        f"{_PRELUDE}import warnings\nwarnings.simplefilter('ignore', ResourceWarning)\n"
        f"_top = os.getcwd()\nos.mkdir('program-{number}')\nos.chdir('program-{number}')\n"
        f"try:\n    exec({PROGRAMS[name] + _LEFT!r}, globals())\nfinally:\n    os.chdir(_top)\n"
    )


def on_linux(folder: Path) -> dict[str, str]:
    """The text that CPython prints for each program, in an empty folder."""
    code = f"import contextlib, io, json\nshown = {{}}\nfor name, cell in {[(n, cell(n)) for n in PROGRAMS]!r}:\n" + (
        "    with contextlib.redirect_stdout(io.StringIO()) as out: exec(cell, {'__name__': '__main__'})\n"
        "    shown[name] = out.getvalue()\nprint(json.dumps(shown))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown: dict[str, str] = json.loads(done.stdout)
    return shown


def different(shown: dict[str, str], expected: dict[str, str]) -> dict[str, list[str]]:
    """The lines that differ, by program."""
    lines = {name: difflib.ndiff(expected[name].splitlines(), shown[name].splitlines()) for name in expected}
    found = {name: [line for line in compared if line[0] in "-+"] for name, compared in lines.items()}
    return {name: differing for name, differing in found.items() if differing}
