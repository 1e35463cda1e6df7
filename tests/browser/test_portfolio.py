"""The front end in a real browser: a lease as one types it, live lists, drafts, the keyboard."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from proman.app import create_app
from proman.db import db
from proman.identity.session import acting_for
from proman.settings import Settings
from tests import factories
from tests.browser.walks import sign_in
from tests.factories import PASSWORD
from tests.servers import Server, database_of, serving

pytestmark = pytest.mark.browser
MONA = "mona@example.com"


@pytest.fixture
def server(tmp_path: Path, new_installation: Callable[..., Settings]) -> Iterator[Server]:
    """Harbour Court with a let and a vacant unit, and Zoë, who rents the first."""
    settings = new_installation(tmp_path / "data")
    app = create_app(settings)
    with app.app_context():
        home = factories.make_organization()
        factories.make_user(home, MONA, "manager")
        with acting_for(home):
            court = factories.make_property(name="Harbour Court")
            zoe = factories.make_tenant(name="Zoë Müller")
            factories.make_lease(factories.make_unit(court, label="A-01"), [zoe])
            factories.make_unit(court, label="A-02", market_rent=98_000)
        db.session.remove()
        db.engine.dispose()
    with serving(settings.data_dir, **database_of(settings)) as server:
        yield server


def test_a_lease_shows_its_first_invoices_while_it_is_typed(page: Page, server: Server) -> None:
    sign_in(page, server, MONA, PASSWORD)
    page.goto(f"{server.url}/leases/new")
    page.get_by_label("Unit", exact=True).fill("a-02")
    page.get_by_role("button", name="Harbour Court · A-02").click()
    expect(page.locator("#rent")).to_have_value("980.00")
    page.locator("#tenants-0-name").fill("Nora New")
    page.get_by_role("button", name="Add another tenant").click()
    expect(page.locator("#tenants-1-name")).to_be_focused()
    page.locator("#tenants-1-name").press_sequentially("zoë")
    page.get_by_role("button", name="Zoë Müller").click()
    expect(page.get_by_role("group", name="Tenant 2")).to_contain_text("Zoë Müller")
    expect(page.locator("#tenants-0-name")).to_have_value("Nora New")
    page.locator("#first_day").fill("2027-03-17")
    page.locator("#rent").fill("1000")
    page.get_by_text("When it is due").click()
    page.locator("#due_number").fill("31")
    page.locator("#due_number").press("Tab")
    preview = page.locator("#lease-preview")
    expect(preview).to_contain_text("Due 31 Mar 2027")
    for words in ("€483.87", "1,000.00 × 15/31 days", "Due 30 Apr 2027", "Due 31 May 2027"):
        expect(preview).to_contain_text(words)
    page.get_by_role("button", name="Save and activate").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Nora New, Zoë Müller")
    expect(page.locator("#lease-money")).to_contain_text("31 Mar 2027")


def test_the_same_without_javascript(chromium: Browser, server: Server) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, server, MONA, PASSWORD)
    page.goto(f"{server.url}/leases/new")
    page.get_by_role("button", name="Harbour Court · A-02").click()
    page.locator("#tenants-0-name").fill("zoë")
    page.get_by_role("button", name="Find among your tenants").click()
    page.get_by_role("button", name="Zoë Müller").click()
    page.locator("#first_day").fill("2027-03-17")
    with context.expect_page() as opened:
        page.get_by_role("button", name="Preview first invoices").click()
    expect(opened.value.locator("main")).to_contain_text("€474.19")
    page.get_by_role("button", name="Save and activate").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Zoë Müller")
    page.get_by_role("link", name="Balance, invoices and payments").click()
    expect(page.locator("main")).to_contain_text("Next due")
    context.close()


def test_a_list_filters_live_and_keeps_the_focus_and_the_address(
    page: Page, server: Server
) -> None:
    sign_in(page, server, MONA, PASSWORD)
    page.goto(f"{server.url}/properties/units")
    search = page.get_by_label("Search units")
    search.press_sequentially("a-02")
    expect(page.locator("#list")).not_to_contain_text("A-01")
    expect(page.locator("#page-count")).to_have_text("1")
    assert "q=a-02" in page.url
    assert "property=" not in page.url
    expect(search).to_be_focused()
    # A list that was asked for once more as the search is left would take a click with it.
    asked: list[str] = []
    page.on("request", lambda told: "/units?" in told.url and asked.append(told.url))
    search.blur()
    expect(search).not_to_be_focused()
    page.get_by_label("Occupancy").select_option("vacant")
    expect(page).to_have_url(re.compile("state=vacant"))
    assert len(asked) == 1, asked
    export = page.get_by_role("link", name="CSV").get_attribute("href") or ""
    assert "q=a-02" in export
    page.get_by_role("link", name="Unit", exact=True).click()
    page.wait_for_url("**sort=-label*")
    expect(page.locator("#sort-unit")).to_be_focused()
    page.go_back()
    expect(search).to_have_value("a-02")
    page.locator("tbody tr").click(position={"x": 300, "y": 10})
    expect(page.get_by_role("heading", level=1)).to_contain_text("A-02")


def test_what_was_typed_survives_a_login_that_expired(page: Page, server: Server) -> None:
    sign_in(page, server, MONA, PASSWORD)
    page.goto(f"{server.url}/tenants/new")
    page.get_by_label("Name").fill("Nora New")
    page.locator("#notes").fill("Two cats")
    page.context.clear_cookies()
    page.get_by_role("button", name="Add tenant").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in again")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("E-mail").fill(MONA)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/tenants/new")
    expect(page.get_by_label("Name")).to_have_value("Nora New")
    expect(page.locator("#notes")).to_have_value("Two cats")
    expect(page.locator("#toasts")).to_contain_text("What you had typed is back")


def test_the_keyboard_opens_the_search_and_the_switch_keeps_the_theme(
    page: Page, server: Server
) -> None:
    sign_in(page, server, MONA, PASSWORD)
    page.goto(f"{server.url}/tenants/")
    page.keyboard.press("Control+k")
    page.keyboard.type("zo")
    found = page.locator("#search-results").get_by_role("link").first
    expect(found).to_contain_text("Zoë Müller")
    page.keyboard.press("ArrowDown")
    expect(found).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Zoë Müller")
    page.locator(".side-person summary").click()
    for _ in ("light", "dark"):
        page.locator(".side-person [data-theme-switch]").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
