"""Payments in a real browser: what one will settle while it is typed, and the grid by keyboard."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from proman.addresses import parse_database_url
from proman.app import create_app
from proman.billing.models import Invoice
from proman.db import db
from proman.identity.session import acting_for
from proman.payments.models import Payment
from proman.settings import Settings
from tests import factories, money
from tests.browser.walks import sign_in
from tests.conftest import make_settings
from tests.factories import PASSWORD
from tests.servers import Server, database_of, serving

pytestmark = pytest.mark.browser
MONA = "mona@example.com"


@pytest.fixture
def server(tmp_path: Path, new_installation: Callable[..., Settings]) -> Iterator[Server]:
    """Zoë and Li each owe 1,000.00 since ten days."""
    settings = new_installation(tmp_path / "data")
    app = create_app(settings)
    due = date.today() - timedelta(days=10)
    with app.app_context():
        home = factories.make_organization()
        factories.make_user(home, MONA, "manager")
        with acting_for(home):
            for name, reference in (("Zoë Müller", "Z-1"), ("Li Wei", "L-1")):
                tenant = factories.make_tenant(name=name)
                lease_id = factories.make_lease(None, [tenant], reference=reference)
                money.make_invoice(lease_id, 100_000, due=due)
        db.session.remove()
        db.engine.dispose()
    with serving(settings.data_dir, **database_of(settings)) as server:
        yield server


def recorded(server: Server) -> tuple[list[int], list[int]]:
    """The amounts of the payments, and what is open of the invoices."""
    url = parse_database_url(server.environment["DATABASE_URL"], server.folder)
    app = create_app(make_settings(server.folder, database_url=url))
    with app.app_context():
        chosen = select(Payment.amount).order_by(Payment.id).execution_options(everywhere=True)
        amounts = list(db.session.scalars(chosen))
        left = select(Invoice.open).order_by(Invoice.id).execution_options(everywhere=True)
        found = amounts, list(db.session.scalars(left))
        db.session.remove()
        db.engine.dispose()
    return found


def test_a_payment_shows_what_it_settles_while_it_is_typed(page: Page, server: Server) -> None:
    sign_in(page, server, MONA, PASSWORD)
    page.goto(f"{server.url}/payments/new")
    page.locator("#lease").press_sequentially("zoë")
    expect(page.locator("#lease-options option")).to_have_count(1)
    page.locator("#amount").fill("1500")
    page.locator("#amount").press("Tab")
    outcome = page.locator("#outcome")
    expect(outcome).to_contain_text("€1,000.00 settles 1 document; €500.00 stays credit")
    page.get_by_label("As I say").check()
    box = page.get_by_label("Pays of T-")
    box.fill("1000.01")
    box.press("Tab")
    expect(outcome).to_contain_text("more than is open")
    box.fill("250")
    box.press("Tab")
    expect(outcome).to_contain_text("€1,250.00 stays credit")
    page.get_by_role("button", name="Record payment").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("€1,500.00")
    assert recorded(server) == ([150_000], [75_000, 100_000])


def test_the_grid_is_filled_by_keyboard_alone(page: Page, server: Server) -> None:
    sign_in(page, server, MONA, PASSWORD)
    page.goto(f"{server.url}/payments/batches/new")
    page.locator("#lease-1").focus()
    page.keyboard.type("zoë")
    page.keyboard.press("Enter")
    expect(page.locator("#lease-2")).to_be_focused()
    expect(page.locator("#note-1")).to_contain_text("Zoë Müller: owes €1,000.00")
    page.keyboard.type("nobody")
    page.keyboard.press("Tab")
    expect(page.locator("#note-2")).to_contain_text("No lease has “nobody”")
    page.locator("#lease-2").fill("li wei")
    page.locator("#amount-1").focus()
    page.keyboard.type("1000")
    page.keyboard.press("Enter")
    expect(page.locator("#amount-2")).to_be_focused()
    page.keyboard.type("400,50")
    page.locator("#day-2").focus()
    expect(page.locator("#day-2")).to_have_value(page.locator("#day-1").input_value())
    expect(page.locator("#note-2")).to_contain_text("Li Wei: owes €1,000.00")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("2 payments of €1,400.50 together")
    assert recorded(server) == ([100_000, 40_050], [0, 59_950])


def test_without_javascript_the_same_is_done(chromium: Browser, server: Server) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    sign_in(page, server, MONA, PASSWORD)
    page.goto(f"{server.url}/payments/new")
    page.fill("#lease", "zoë")
    page.fill("#amount", "300")
    page.get_by_role("button", name="Show what it pays").click()
    expect(page.locator("#outcome")).to_contain_text("€300.00 settles 1 document")
    page.get_by_role("button", name="Record payment").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("€300.00")
    page.goto(f"{server.url}/payments/batches/new")
    page.fill("#lease-1", "li wei")
    page.fill("#amount-1", "x")
    page.get_by_role("button", name="Record all").click()
    expect(page.locator("#amount-1-error")).to_contain_text("not an amount")
    page.fill("#amount-1", "1000")
    page.get_by_role("button", name="Record all").click()
    page.wait_for_url(f"{server.url}/payments/")
    context.close()
    assert recorded(server) == ([30_000, 100_000], [70_000, 0])
