"""The kernel through JupyterLite's own client, in a real page, isolated and not."""

from __future__ import annotations

import re
import textwrap

import pytest
from conftest import Lab, open_lab
from playwright.sync_api import Browser

pytestmark = pytest.mark.pages("either")

TEN_THOUSAND = "for i in range(10_000): print(i)"


def plain_text(traceback: list[str]) -> str:
    """A traceback without its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(traceback))


def test_a_cell_has_output_a_result_and_a_reply(lab: Lab) -> None:
    run = lab.run("print('hi')\n6 * 7")
    assert run.text() == "hi\n"
    assert run.result == "42"
    assert run.content["status"] == "ok"
    assert run.idle


def test_names_persist_and_top_level_await_works(lab: Lab) -> None:
    lab.run("import asyncio\nn = 20")
    assert lab.run("await asyncio.sleep(0.01)\nn + 1").result == "21"


def test_an_error_carries_its_bare_name(lab: Lab) -> None:
    run = lab.run("def f():\n    raise ValueError('no')\nf()")
    assert run.content["ename"] == "ValueError"
    assert run.content["evalue"] == "no"
    assert "raise ValueError('no')" in plain_text(run.of("error")[0]["traceback"])
    assert run.idle


def test_what_the_kernel_consists_of_is_no_burden_to_the_garbage_collector(lab: Lab) -> None:
    assert int(lab.run("import gc; gc.get_freeze_count()").result or 0) > 10_000
    assert int(lab.run("gc.collect(); len(gc.get_objects())").result or 0) < 10_000


def test_python_reads_the_drive_from_the_notebook_folder(lab: Lab) -> None:
    assert lab.run("open('data.txt').read()").result == "'hello'"
    assert lab.run("import os; os.getcwd()").result == "'/drive/sub'"


def test_python_writes_what_the_page_reads(lab: Lab) -> None:
    lab.run("with open('made.txt', 'w') as f:\n    f.write('grüße\\n' * 3)")
    content = lab.js(
        "async () => (await jupyterapp.serviceManager.contents.get('sub/made.txt', {content: true})).content"
    )
    assert content == "grüße\n" * 3


def test_bytes_survive_the_drive(lab: Lab) -> None:
    code = "data = bytes(range(256)) * 5000\nopen('b.bin', 'wb').write(data)\nopen('b.bin', 'rb').read() == data"
    assert lab.run(code).result == "True"
    assert lab.run("open('/drive/broken.txt', 'rb').read()").result == r"b'caf\xe9 \xff\xfe'"
    assert lab.run("open('/drive/broken.txt', encoding='utf-8').read()").content["ename"] == "UnicodeDecodeError"


def test_modules_are_found_however_late_they_come(lab: Lab) -> None:
    assert lab.run("import surely_not_there_yet").content["ename"] == "ModuleNotFoundError"
    lab.js(
        "() => jupyterapp.serviceManager.contents.save('sub/by_user.py', {type: 'file', format: 'text', content: 'made = 1'})"
    )
    assert lab.run("import by_user\nby_user.made").result == "1"
    code = """
    made = []
    for number in range(20):
        with open(f"by_cell_{number}.py", "w") as file:
            file.write("made = 2")
        made.append(__import__(f"by_cell_{number}").made)
    sum(made)
    """
    assert lab.run(textwrap.dedent(code)).result == "40"


def test_folders_can_be_made_listed_renamed_and_removed(lab: Lab) -> None:
    code = """
    import os, pathlib, shutil
    os.makedirs('a/b')
    pathlib.Path('a/b/c.txt').write_text('x')
    os.rename('a/b/c.txt', 'a/b/d.txt')
    listed = os.listdir('a/b')
    try:
        os.rmdir('a')
    except OSError as error:
        refused = type(error).__name__
    shutil.rmtree('a')
    listed, refused, os.path.exists('a'), os.path.exists('nowhere')
    """
    assert lab.run(textwrap.dedent(code)).result == "(['d.txt'], 'OSError', False, False)"


def test_input_and_getpass_ask_the_notebook(lab: Lab) -> None:
    run = lab.run("a = input('name? ')\nfrom getpass import getpass\nb = getpass('secret? ')\na, b", ["Ada", "xyz"])
    assert run.result == "('Ada', 'xyz')"
    assert [(c["prompt"], c["password"]) for c in run.of("input_request")] == [
        ("name? ", False),
        ("secret? ", True),
    ]


def test_a_long_line_of_input_is_whole(lab: Lab) -> None:
    line = "é" * 2_000_000
    assert lab.run("line = input()\nlen(line), set(line)", [line]).result == "(2000000, {'é'})"


def test_input_without_a_front_end_that_asks_is_an_error(lab: Lab) -> None:
    assert lab.run("input()").content["ename"] == "StdinNotImplementedError"


def test_the_debugger_asks_the_notebook(lab: Lab) -> None:
    run = lab.run("def f(n):\n    breakpoint()\n    return n + 1\nf(41)", ["p n * 2", "c"])
    assert run.result == "42"
    assert "82" in run.text()
    assert [c["prompt"].split()[0] for c in run.of("input_request")] == ["(Pdb)", "(Pdb)"]
    lab.run("def g(n):\n    return n / 0\ng(3)")
    run = lab.run("%debug", ["p n", "q"])
    assert run.content["status"] == "ok" and "3" in run.text()
    run = lab.run(
        "import time\ndef h(n):\n    breakpoint()\n    time.sleep(.3)\n    n += 1\n    return n\nh(1)",
        ["n", "n", "n", "p n + 40", "c"],
    )
    assert run.result == "2" and "42" in run.text()
    assert "--Call--" not in run.text(), "nothing else is stepped into"


def test_the_debugger_ends_with_the_front_ends_interest(lab: Lab) -> None:
    run = lab.run("breakpoint()")
    assert run.content["ename"] in ("StdinNotImplementedError", "BdbQuit") and run.idle
    assert lab.run("1 + 1").result == "2"


def test_asyncio_runs_in_every_way(lab: Lab) -> None:
    lab.run(
        "import asyncio\nasync def twice(n):\n    await asyncio.sleep(0.01)\n    return 2 * n\nasync def numbers():\n    for i in range(3):\n        yield i"
    )
    assert lab.run("asyncio.run(twice(2))").result == "4"
    assert lab.run("[i async for i in numbers()]").result == "[0, 1, 2]"
    assert lab.run("await asyncio.gather(twice(1), twice(2))").result == "[2, 4]"
    assert (
        lab.run(
            "async with asyncio.TaskGroup() as group:\n    task = group.create_task(twice(5))\ntask.result()"
        ).result
        == "10"
    )
    assert lab.run("await asyncio.wait_for(asyncio.sleep(60), 0.01)").content["ename"] == "TimeoutError"


def test_text_of_callbacks_and_tasks_reaches_a_cell(lab: Lab) -> None:
    lab.run(
        "import asyncio\nasync def later():\n    await asyncio.sleep(0.2)\n    print('from the task')\ntask = asyncio.create_task(later())\n"
        "from js import setTimeout\nfrom pyodide.ffi import create_once_callable\nfired = asyncio.Event()\n"
        "def callback():\n    print('from JavaScript')\n    fired.set()"
    )
    run = lab.run("setTimeout(create_once_callable(callback), 10)\nawait fired.wait()\nawait task")
    assert run.text() == "from JavaScript\n", "the task's text belongs to its own cell"


def test_a_traceback_through_javascript_shows_only_the_users_frames(lab: Lab) -> None:
    code = "import js\ndef fail():\n    1 / 0\njs.eval('f => f()')(fail)"
    shown = plain_text(lab.run(code).content["traceback"])
    assert "in fail()" in shown
    assert "://" not in shown and "Could not get source" not in shown


def test_a_task_begins_before_the_next_cell(lab: Lab) -> None:
    lab.run("import asyncio\nbegun = []\nasync def begin():\n    begun.append(1)")
    seen = lab.js("""async () => {
      const seen = [];
      for (let i = 0; i < 30; i++) {
        void bg.run('task = asyncio.create_task(begin())');
        const { messages } = await bg.run('len(begun)');
        seen.push(messages.find(({ type }) => type === 'execute_result').content.data['text/plain']);
      }
      return seen;
    }""")
    assert seen == [str(n) for n in range(1, 31)]


def test_payloads_reach_the_front_end(lab: Lab) -> None:
    lab.run("%%writefile loaded.py\na = 1")
    assert lab.run("%load loaded.py").content["payload"] == [
        {"source": "set_next_input", "text": "# %load loaded.py\na = 1\n", "replace": True}
    ]
    (page,) = lab.run("len?").content["payload"]
    assert page["source"] == "page" and "Return the number of items" in page["data"]["text/plain"]
    assert lab.run("%run loaded.py\na").result == "1"
    (exit,) = lab.run("exit").content["payload"]
    assert exit["source"] == "ask_exit"


def test_a_big_history_is_searched(lab: Lab) -> None:
    lab.js("async () => { for (let i = 0; i < 300; i++) await bg.run(`big_${i} = ${i}`); }")
    request = {
        "hist_access_type": "search",
        "pattern": "big_2*",
        "n": 500,
        "raw": True,
        "output": False,
        "unique": True,
    }
    found = lab.request("history_request", request).content["history"]
    assert len(found) == 111 and found[-1][2] == "big_299 = 299"


def test_displays_update_and_clear(lab: Lab) -> None:
    run = lab.run(
        "h = display('a', display_id=True)\nh.update('b')\nfrom IPython.display import clear_output\nclear_output(wait=True)"
    )
    first, second = run.of("display_data")[0], run.of("update_display_data")[0]
    assert first["data"]["text/plain"] == "'a'"
    assert second["data"]["text/plain"] == "'b'"
    assert first["transient"]["display_id"] == second["transient"]["display_id"]
    assert run.of("clear_output") == [{"wait": True}]


#: Most messages in which 10,000 lines may come. `make bench` compares with the stock kernel.
MAX_MESSAGES = 200


def test_ten_thousand_lines_arrive_whole_and_in_few_messages(lab: Lab) -> None:
    run = lab.run(TEN_THOUSAND)
    assert run.text() == "".join(f"{i}\n" for i in range(10_000))
    assert len(run.of("stream")) <= MAX_MESSAGES


def test_ten_thousand_lines_between_stderr_and_displays_arrive_in_order(lab: Lab) -> None:
    code = (
        "import sys\nfor i in range(10_000):\n    print(i)\n"
        "    if i % 1000 == 500: print('err', i, file=sys.stderr)\n    if i % 1000 == 999: display(i)"
    )
    run = lab.run(code)
    seen = ""
    for message in run.messages:
        if message["type"] == "stream":
            seen += message["content"]["text"]
        elif message["type"] == "display_data":
            seen += f"shown {message['content']['data']['text/plain']}\n"
    expected = ""
    for i in range(10_000):
        expected += f"{i}\n" + (f"err {i}\n" if i % 1000 == 500 else "") + (f"shown {i}\n" if i % 1000 == 999 else "")
    assert seen == expected
    assert len(run.of("stream")) <= MAX_MESSAGES


def test_text_shows_while_the_code_goes_on_computing(lab: Lab) -> None:
    """The first text is sent at once. The second waits until the worker asks Python for it."""
    status = lab.js(
        """async code => {
          const running = kernel.requestExecute({ code }, false);
          let text = '';
          await new Promise(resolve => {
            running.onIOPub = message => {
              text += message.content.text ?? '';
              if (text.includes('second')) resolve();
            };
          });
          await kernel.interrupt();
          return (await running.done).content.ename;
        }""",
        "print('first', end='')\nprint('second', end='')\nwhile True: pass",
    )
    assert status == "KeyboardInterrupt"


def test_text_of_every_sort_arrives_as_it_was_written(lab: Lab) -> None:
    """Python holds back short texts that follow each other, until the worker takes them."""
    code = r"""import sys
class Text(str): pass
class Prints:
    def __del__(self): print('gone')
written = [sys.stdout.write(text) for text in ['a', '', '\ufeff', '\ud800', 'é😀', Text('sub'), 'x' * 300, 'z']]
for i in range(300):
    if i == 150: Prints()
    print(i, end=',')
try: sys.stdout.write(1)
except TypeError as error: print(error)
print(written, file=sys.stderr)"""
    run = lab.run(code)
    numbers = "".join("gone\n150," if i == 150 else f"{i}," for i in range(300))
    said = "write() argument must be str, not int\n"
    assert run.text() == "a\ufeff\\ud800é😀sub" + "x" * 300 + "z" + numbers + said
    assert run.text("stderr") == "[1, 0, 1, 1, 2, 3, 300, 1]\n"


def test_text_of_a_background_task_stays_with_its_cell(lab: Lab) -> None:
    """Also if both write many short texts at the same time."""
    background = """import asyncio
async def tell():
    for i in range(200):
        print('old', i)
        if i % 20 == 0: await asyncio.sleep(0)
task = asyncio.create_task(tell())"""
    foreground = "for i in range(200):\n    print('new', i)\n    if i % 20 == 0: await asyncio.sleep(0)\nawait task"
    old, new = lab.js(
        """async codes => {
          const texts = ['', ''];
          const runs = codes.map((code, i) => {
            const run = kernel.requestExecute({ code }, false, false);
            run.onIOPub = message => { texts[i] += message.content.text ?? ''; };
            return run.done;
          });
          await Promise.all(runs);
          return texts;
        }""",
        [background, foreground],
    )
    assert old == "".join(f"old {i}\n" for i in range(200))
    assert new == "".join(f"new {i}\n" for i in range(200))


def test_order_is_kept_between_streams_and_displays(lab: Lab) -> None:
    code = "import sys\nfor i in range(50):\n    print(i); print(i, file=sys.stderr); display(i)"
    seen = []
    for message in lab.run(code).messages:
        if message["type"] == "stream":
            seen += [(message["content"]["name"], int(n)) for n in message["content"]["text"].split()]
        elif message["type"] == "display_data":
            seen.append(("display", int(message["content"]["data"]["text/plain"])))
    assert seen == [(kind, i) for i in range(50) for kind in ("stdout", "stderr", "display")]


def test_silent_cells_leave_no_trace(lab: Lab) -> None:
    count = lab.run("1").content["execution_count"]
    run = lab.run("1", silent=True)
    assert run.of("execute_input") == [] and run.of("execute_result") == []
    assert lab.run("1").content["execution_count"] == count + 1


def test_user_expressions_are_evaluated(lab: Lab) -> None:
    run = lab.run("v = 3", user_expressions={"a": "v + 1", "b": "1/0"})
    expressions = run.content["user_expressions"]
    assert expressions["a"]["data"]["text/plain"] == "4"
    assert expressions["b"]["ename"] == "ZeroDivisionError"


def test_completion_inspection_and_is_complete(lab: Lab) -> None:
    lab.run("alphabet = 'abc'")
    completed = lab.request("complete_request", {"code": "alpha", "cursor_pos": 5}).content
    assert "alphabet" in completed["matches"]
    inspected = lab.request("inspect_request", {"code": "alphabet", "cursor_pos": 3, "detail_level": 0}).content
    assert inspected["found"] and "str" in inspected["data"]["text/plain"]
    checks = {"x = 1": "complete", "for i in x:": "incomplete", "1 +* 2": "invalid"}
    for code, status in checks.items():
        assert lab.request("is_complete_request", {"code": code}).content["status"] == status


def test_kernel_info_tells_the_true_python(lab: Lab) -> None:
    info = lab.request("kernel_info_request", {}).content
    version = lab.run("import platform; platform.python_version()").result.strip("'")
    assert info["language_info"]["version"] == version
    assert info["implementation"] == "browsergrad"


def test_history_is_kept(lab: Lab) -> None:
    lab.run("marker_one = 1")
    history = lab.request("history_request", {"hist_access_type": "tail", "n": 3, "raw": True, "output": False})
    assert history.content["history"][-1][2] == "marker_one = 1"


def test_comms_carry_buffers_both_ways(lab: Lab) -> None:
    lab.run(
        "got = []\n"
        "def target(comm, message):\n"
        "    def receive(m):\n"
        "        data = [bytes(b) for b in m['buffers']]\n"
        "        comm.send({'n': len(data)}, buffers=[b[::-1] for b in data])\n"
        "    comm.on_msg(receive)\n"
        "get_ipython().kernel.comm_manager.register_target('echo', target)"
    )
    back = lab.js(
        """async () => {
          const comm = kernel.createComm('echo');
          const answer = new Promise(resolve => { comm.onMsg = m => resolve([m.content.data, m.buffers.map(b => Array.from(new Uint8Array(b.buffer ?? b)))]); });
          await comm.open().done;
          comm.send({}, {}, [new Uint8Array([1, 2, 3]).buffer]);
          return await answer; }"""
    )
    assert back == [{"n": 1}, [[3, 2, 1]]]


def test_a_comm_for_an_unknown_target_is_closed(lab: Lab) -> None:
    closed = lab.js(
        """async () => { const comm = kernel.createComm('nobody'); const done = new Promise(r => { comm.onClose = () => r(true); });
        comm.open(); return await done; }"""
    )
    assert closed is True


def test_what_python_asks_of_other_origins_is_counted(browser: Browser, base: str) -> None:
    page = open_lab(browser, base)
    page.start()
    run = page.run("from pyodide.http import pyfetch\nawait pyfetch('https://elsewhere.example/data.csv')")
    assert run.content["status"] == "error" and run.idle
    assert page.foreign == ["https://elsewhere.example/data.csv"]
    page.page.context.close()


def test_a_missing_module_says_how_to_get_it(lab: Lab) -> None:
    run = lab.run("import surely_not_there")
    assert run.content["ename"] == "ModuleNotFoundError"
    assert "BrowsergradAddon.packages" in plain_text(run.content["traceback"])


@pytest.mark.thinned(3)
@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("%timeit -n 10 -r 2 pass", "loop"),
        ("%time sum(range(9))", "Wall time"),
        ("%who_ls int", ""),
        ("number = 5\n%who", "number"),
        ("number = 5\n%whos", "Data/Info"),
        ("%%writefile told.py\nimport sys\nprint(__name__, sys.argv)", "told.py"),
        (
            "open('told.py', 'w').write('import sys; print(__name__, sys.argv)');\n%run told.py a",
            "__main__ ['told.py', 'a']",
        ),
        ("%cd /drive\n%cd sub", "/drive/sub"),
        ("%env COLOUR=red", "COLOUR=red"),
        ("marker_two = 2\n%history", "marker_two"),
        ("%load_ext autoreload\n%autoreload 2", ""),
        ("%pip list", ""),
        ("%autosave 60", "Settings Editor"),
        ("%connect_info", "no connection file"),
    ],
)
def test_magics_work(lab: Lab, code: str, shown: str) -> None:
    run = lab.run(code)
    assert run.content["status"] == "ok", run.content
    assert shown in run.text()


@pytest.mark.thinned(3)
@pytest.mark.parametrize(
    ("code", "ename", "shown"),
    [
        ("!ls", "OSError", "cannot run 'ls': Python in WebAssembly has no processes"),
        ("files = !ls", "OSError", "cannot run 'ls'"),
        ("%ls", "OSError", "cannot run 'ls'"),
        ("%%bash\nls", "OSError", "cannot run 'bash'"),
        ("%man ls", "OSError", "cannot run 'man'"),
        ("%uv pip install x", "OSError", "packages install with %pip install"),
        ("%conda install x", "ValueError", "Please use ``%pip install`` instead"),
        ("%autosave often", "UsageError", "%autosave needs a number of seconds"),
        ("%qtconsole", "UsageError", "open a console of JupyterLab instead"),
        ("%edit", "UsageError", "open the file from the file browser"),
        ("%no_such_magic", "UsageError", "not found"),
    ],
)
def test_magics_that_a_browser_cannot_have_say_what_to_do(lab: Lab, code: str, ename: str, shown: str) -> None:
    run = lab.run(code)
    assert run.content["ename"] == ename and run.idle
    assert shown in run.content["evalue"]


def test_stored_variables_outlive_the_kernel(lab: Lab) -> None:
    assert "Stored 'kept'" in lab.run("kept = {'a': [1, 2]}\n%store kept").text()
    lab.js("() => kernel.restart()")
    assert lab.run("'kept' in globals()").result == "False"
    assert lab.run("%store -r kept\nkept").result == "{'a': [1, 2]}"
    assert "-> {'a': [1, 2]}" in lab.run("%store").text()
    lab.run("%store -d kept")
    assert "no stored variable or alias kept" in lab.run("%store -r kept").text()


def test_browsergrad_shows_one_display_a_cell(lab: Lab) -> None:
    run = lab.run("import browsergrad as bg\nfor i in range(100): bg.assert_pass(str(i))\nbg.assert_fail('x', 'no')")
    assert len(run.of("display_data")) == 1
    last = run.of("display_data")[-1]
    bundle = last["data"]["application/vnd.browsergrad.assertions.v1+json"]
    assert bundle["counts"] == {"pass": 100, "fail": 1, "error": 0}


def test_a_thousand_cells_in_a_row_lose_none(lab: Lab) -> None:
    wrong = lab.js(
        """async () => { const out = []; for (let i = 0; i < 1000; i++) {
          const { reply, messages } = await bg.run(`print(${i})`);
          const texts = messages.filter(m => m.type === 'stream').map(m => m.content.text);
          if (reply.content.status !== 'ok' || texts.join('') !== `${i}\\n`) out.push([i, reply.content.status, texts]); }
        return out; }"""
    )
    assert wrong == []


def test_standard_input_is_at_its_end(lab: Lab) -> None:
    assert lab.run("import sys\nsys.stdin.read(), sys.stdin.readline()").result == "('', '')"
