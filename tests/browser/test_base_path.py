"""ProMan below a path of a shared host: a browser at work never leaves it."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from proman.settings import Settings
from tests.browser.walks import PASSWORD
from tests.servers import database_of, flask, serving

pytestmark = pytest.mark.browser
HERE = "/proman"


def test_a_browser_stays_below_the_path(
    page: Page, tmp_path: Path, new_installation: Callable[..., Settings]
) -> None:
    settings = new_installation(tmp_path)
    database = database_of(settings)
    size = ("--leases", "8", "--months", "3")
    done = flask(settings.data_dir, "demo", "load", *size, "--password", PASSWORD, **database)
    assert done.returncode == 0, done.stderr
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    own = {"PROMAN_URL": f"http://127.0.0.1{HERE}"}
    with serving(settings.data_dir, **database, **own) as server:
        page.goto(f"{server.url}{HERE}/leases/")
        page.get_by_label("E-mail").fill("manager@example.com")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**{HERE}/leases/**")
        with page.expect_response("**/leases/?**"):
            page.get_by_role("searchbox", name="Search leases").fill("a")
        page.locator("#list .row-link").first.click()
        page.wait_for_url(f"**{HERE}/leases/*")
        page.locator("#lease-money .facts, #lease-money table").first.wait_for()
        page.get_by_role("link", name="Change the rent").click()
        page.get_by_label("New rent").fill("1234")
        with page.expect_response("**/rent-preview"):
            page.get_by_label("From", exact=True).fill("2030-01-01")
            page.get_by_label("From", exact=True).blur()
        page.get_by_role("button", name="Set the new rent").click()
        page.get_by_text("1,234.00").first.wait_for()
    assert [path for path in asked if not path.startswith(f"{HERE}/")] == []
