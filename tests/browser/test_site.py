"""The documentation in a browser: its search finds, and nothing is asked of another server."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, Route, expect

from tests.sites import build_site

pytestmark = [pytest.mark.browser, pytest.mark.site]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: the lines would stand between those of the tests."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    site = build_site(tmp_path_factory.mktemp("site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_search_finds_a_command_and_asks_nothing_outside(
    page: Page, address: str, width: int
) -> None:
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    page.route(lambda url: not url.startswith((address, "data:", "blob:")), refuse)
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(address)
    if width < 1000:
        page.locator("label.md-header__button[for=__search]").click()
    page.get_by_role("textbox", name="Search").press_sequentially("flask database drill")
    found = page.locator(".md-search-result__item a")
    found.filter(has_text="flask database drill").first.click()
    expect(page.get_by_role("heading", name="flask database drill")).to_be_in_viewport()
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wider)
    assert not asked
