"""Output reaches the cell that wrote it, however it was written: in isolated pages and others, in kernels and in sessions."""

from __future__ import annotations

import pytest
from conftest import Lab, new_page
from playwright.sync_api import Browser

from tests.output_programs import PROGRAMS, joined

pytestmark = pytest.mark.pages("isolated")


def test_what_is_written_in_a_kernel_is_shown_in_its_order(lab: Lab) -> None:
    shown = {name: joined(lab.run(code).of("stream")) for name, code, _ in PROGRAMS}
    assert shown == {name: expected for name, _, expected in PROGRAMS}


def test_a_descriptor_belongs_to_the_cell_after_a_completion(lab: Lab) -> None:
    lab.run("import os")
    lab.request("complete_request", {"code": "pri", "cursor_pos": 3})
    assert lab.run("os.write(1, b'mine');").text() == "mine"


def test_much_that_descriptors_write_is_whole(lab: Lab) -> None:
    text = lab.run("import os\nfor i in range(20000): os.write(1, b'%d\\n' % i);").text()
    assert text == "".join(f"{i}\n" for i in range(20000))


def test_what_is_written_in_a_session_is_shown_in_its_order(browser: Browser, base: str, static: str) -> None:
    page = new_page(browser)
    page.goto(f"{base}{static}/kernel/manifest.json")
    shown = page.evaluate(
        """async ([base, programs]) => {
        const { createSession } = await import(`${base}/runtime/index.js`);
        const session = await createSession({ pyodideIndexURL: `${base}/pyodide/` });
        const shown = {};
        for (const [name, code] of programs) {
            const messages = [];
            await session.exec({ code, onStdout: text => messages.push({ name: 'stdout', text }), onStderr: text => messages.push({ name: 'stderr', text }) });
            shown[name] = messages;
        }
        session.dispose();
        return shown; }""",
        [static, [[name, code] for name, code, _ in PROGRAMS]],
    )
    assert {name: joined(messages) for name, messages in shown.items()} == {
        name: expected for name, _, expected in PROGRAMS
    }
    page.context.close()
