"""Sites on hosts that send no headers. The sites' own service worker isolates them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Lab, build_site, new_page, open_lab, serve, wait_for_app
from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("isolation"), isolate_with_service_worker=True)


@pytest.fixture(scope="module")
def base(site: Path) -> Iterator[str]:
    """The site without COOP/COEP headers, in a folder, as on GitHub Pages."""
    (site.parent / "host").mkdir()
    (site.parent / "host" / "lab-course").symlink_to(site)
    server, address = serve(site.parent / "host", isolated=False)
    yield f"{address}/lab-course"
    server.shutdown()
    server.server_close()


def test_the_first_visit_is_isolated(lab: Lab) -> None:
    assert lab.js("crossOriginIsolated")
    assert lab.run("open('data.txt').read()").result == "'hello'"
    lab.run("with open('made.txt', 'w') as file: file.write('x' * 300_000)")
    assert lab.run("len(open('made.txt').read())").result == "300000"


def test_stop_goes_through_shared_memory(lab: Lab) -> None:
    ename = lab.js(
        """async () => {
          const running = bg.run('while True: pass');
          await new Promise(resolve => setTimeout(resolve, 300));
          await kernel.interrupt();
          return (await running).reply.content.ename;
        }"""
    )
    assert ename == "KeyboardInterrupt"


def test_later_visits_are_isolated_without_another_load(lab: Lab, base: str) -> None:
    page = lab.page.context.new_page()
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    page.goto(f"{base}/notebooks/index.html?path=sub/data.txt")
    assert page.evaluate("crossOriginIsolated")
    assert len(loads) == 1
    page.close()


def test_a_page_without_service_workers_loads_all_the_same(browser: Browser, base: str) -> None:
    page = new_page(browser, service_workers="block")
    context = page.context
    warnings: list[str] = []
    page.on("console", lambda message: warnings.append(message.text))
    page.goto(f"{base}/lab/index.html")
    wait_for_app(page)
    assert not page.evaluate("crossOriginIsolated")
    assert any("not cross-origin isolated" in text for text in warnings)
    lab = Lab(page)
    lab.start()
    kept = lab.run("x = 1\n%store x")
    assert kept.content["ename"] == "UsageError"
    assert "nowhere to keep variables" in kept.content["evalue"]
    assert lab.run("%store x >x.txt\nopen('x.txt').read()").result == r"'1\n'"
    context.close()


def test_a_frame_is_left_as_it_is(browser: Browser, base: str) -> None:
    page = new_page(browser)
    context = page.context
    page.goto(f"{base.rsplit('/', 1)[0]}/")
    page.set_content(f'<iframe src="{base}/lab/index.html" style="width: 900px; height: 600px"></iframe>')
    frame = page.frame_locator("iframe")
    frame.locator("#main, #jp-main-content-panel, .jp-LabShell").first.wait_for()
    context.close()


def test_the_service_worker_is_reached(browser: Browser, base: str) -> None:
    lab = open_lab(browser, base)
    assert lab.js("navigator.serviceWorker.ready.then(r => r.active.scriptURL)").startswith(f"{base}/service-worker.js")
    lab.page.context.close()
