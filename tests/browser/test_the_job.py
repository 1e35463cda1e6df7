"""The main job as a new user does it, in a real browser on a real server and a real file.

Set up, take over two portfolios, make a lease from 17 March due on the last day, bill March to May,
take a part payment and the rest, invite the tenant, back up, change things, restore from the
download, undo the restore.
"""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from proman.settings import Settings
from tests.browser.walks import PASSWORD, set_up, sign_in
from tests.servers import Server, database_of, serving

pytestmark = pytest.mark.browser

ROLLS = Path(__file__).resolve().parent.parent / "data"
YEAR = 2026


def test_the_whole_job(
    page: Page,
    chromium: Browser,
    tmp_path: Path,
    new_installation: Callable[..., Settings],
) -> None:
    settings = new_installation(tmp_path / "home")
    with serving(settings.data_dir, **database_of(settings)) as server:
        set_up(page, server, "Lindenhof Verwaltung", "DE", "EUR")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        take_over_lindenhof(page, server)
        take_over_harbour_court(chromium, server)
        make_the_lease(page, server)
        bill_march_to_may(page, server)
        pay_in_two_parts(page, server)
        link = invite_the_tenant(page, server)
        the_tenant_looks(chromium, server, link)
        backup = back_up(page, server, tmp_path)
        restore_and_undo(page, server, backup)
    assert server.flask("doctor").returncode == 0


def take_over(
    page: Page, server: Server, roll: str, typed: dict[str, str], chosen: tuple[str, ...]
) -> None:
    """Upload a roll, confirm the columns, answer what is asked, import."""
    page.goto(f"{server.url}/takeover/")
    page.get_by_label("Rent roll").set_input_files(ROLLS / roll)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="Confirm the columns").click()
    expect(page.get_by_role("heading", name="What the file does not tell")).to_be_visible()
    for label, answer in typed.items():
        page.get_by_label(label).fill(answer)
    for answer in chosen:
        page.locator(f"main input[type=radio][value='{answer}']").check()
    page.get_by_role("button", name="Answer", exact=True).click()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("button", name="Undo the import")).to_be_visible()


def take_over_lindenhof(page: Page, server: Server) -> None:
    take_over(
        page,
        server,
        "rent-roll-lindenhof.csv",
        {"Cut-over date": "2026-10-31"},
        ("monthly", "calendar", "negative_owed"),
    )
    page.goto(f"{server.url}/leases/")
    expect(page.locator("#page-count")).to_have_text("23")
    page.goto(f"{server.url}/leases/?q=Beatriz")
    page.get_by_role("link", name="Beatriz Kowalski").click()
    expect(page.get_by_text("1.113,34").first).to_be_visible()


def take_over_harbour_court(chromium: Browser, server: Server) -> None:
    """The other roll is in dollars: another organization, made by the operator's command."""
    made = server.flask(
        "organizations", "create", "Harbour Court LLC",
        "--country", "US", "--region", "CA", "--currency", "USD",
        "--time-zone", "America/Los_Angeles",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    invited = server.flask(
        "users", "create-admin", "dora@example.com", "--organization", "Harbour Court LLC"
    )
    assert invited.returncode == 0, invited.stderr
    link = re.search(r"/password/\S+", invited.stdout)
    assert link is not None
    context = chromium.new_context(locale="en-US")
    page = context.new_page()
    choose_password(page, f"{server.url}{link.group()}")
    take_over(
        page,
        server,
        "rent-roll-harbour-court.csv",
        {"Cut-over date": "2026-10-31", "Property": "Harbour Court", "Due day": "day:1"},
        ("monthly", "anniversary", "positive_owed"),
    )
    page.goto(f"{server.url}/leases/")
    expect(page.locator("#page-count")).to_have_text("43")
    context.close()


def choose_password(page: Page, address: str) -> None:
    """Follow an invitation's link, choose a password, and sign in with it."""
    page.goto(address)
    page.get_by_label("New password").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)


def make_the_lease(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/properties/new")
    page.get_by_label("Name").first.fill("Am Mühlbach 9")
    page.get_by_label("Type").select_option("house")
    page.locator("[name=is_single_unit]").check()
    page.locator("main button[type=submit].btn-primary").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Am Mühlbach 9")
    page.goto(f"{server.url}/leases/new")
    page.get_by_label("Unit", exact=True).fill("Mühlbach")
    page.get_by_role("button", name="Am Mühlbach 9").click()
    page.get_by_label("Name").first.fill("Tilda Tenant")
    page.get_by_label("E-mail").first.fill("tilda@example.com")
    page.get_by_label("First day").first.fill(f"{YEAR}-03-17")
    page.get_by_label("Rent", exact=True).fill("1000.00")
    page.get_by_text("When it is due").click()
    page.locator("[name=due_number]").fill("31")
    page.locator("[name=due_number]").blur()
    preview = page.locator("#lease-preview")
    expect(preview).to_contain_text("483,87")
    expect(preview).to_contain_text(f"31.03.{YEAR}")
    expect(preview).to_contain_text(f"30.04.{YEAR}")
    page.get_by_role("button", name="Save and activate").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Tilda Tenant")


def bill_march_to_may(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/billing/?as_of={YEAR}-05-31")
    page.locator("main form[action='/billing/runs'] button[type=submit]").click()
    page.goto(f"{server.url}/invoices/?q=Tilda&sort=due")
    rows = page.locator("#list tbody tr")
    expect(rows).to_have_count(3)
    for row, (due, total) in enumerate(
        [
            (f"31.03.{YEAR}", "483,87"),
            (f"30.04.{YEAR}", "1.000,00"),
            (f"31.05.{YEAR}", "1.000,00"),
        ]
    ):
        expect(rows.nth(row)).to_contain_text(due)
        expect(rows.nth(row)).to_contain_text(total)


def pay(page: Page, server: Server, amount: str, reference: str) -> None:
    page.goto(f"{server.url}/leases/?q=Tilda")
    page.get_by_role("link", name="Tilda Tenant").click()
    page.get_by_role("link", name="Record a payment").click()
    page.get_by_label("Amount").first.fill(amount)
    page.get_by_label("Received on").fill(f"{YEAR}-06-01")
    page.get_by_label("Payer's reference").fill(reference)
    page.locator("main button[type=submit].btn-primary").click()
    expect(page.get_by_text("was recorded").first).to_be_visible()


def pay_in_two_parts(page: Page, server: Server) -> None:
    pay(page, server, "1000.00", "first")
    page.goto(f"{server.url}/invoices/?q=Tilda&sort=due")
    rows = page.locator("#list tbody tr")
    expect(rows.nth(0)).to_contain_text("Paid")
    expect(rows.nth(1)).to_contain_text("483,87")
    pay(page, server, "1483.87", "second")
    page.goto(f"{server.url}/invoices/?q=Tilda&state=paid")
    expect(page.locator("#list tbody tr")).to_have_count(3)


def invite_the_tenant(page: Page, server: Server) -> str:
    page.goto(f"{server.url}/tenants/?q=Tilda")
    page.get_by_role("link", name="Tilda Tenant").click()
    page.get_by_role("button", name="Invite").click()
    link = page.get_by_label("The link").input_value()
    assert "/password/" in link
    return link


def the_tenant_looks(chromium: Browser, server: Server, link: str) -> None:
    context = chromium.new_context(locale="en-GB", accept_downloads=True)
    page = context.new_page()
    choose_password(page, link)
    expect(page).to_have_url(re.compile("/portal/"))
    page.goto(f"{server.url}/portal/invoices/")
    page.locator("main #list .row-link, main .row-link").first.click()
    page.wait_for_url(re.compile(r"/portal/invoices/\d+$"))
    address = page.url
    answer = page.request.get(f"{address}.pdf")
    assert answer.ok
    text = "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(answer.body())).pages)
    assert "Tilda Tenant" in text
    for number in range(1, 40):
        if not address.endswith(f"/{number}"):
            seen = page.request.get(f"{server.url}/portal/invoices/{number}")
            assert seen.status == 404 or "Tilda Tenant" in seen.text()
    assert page.request.get(f"{server.url}/leases/", max_redirects=0).status == 403
    context.close()


def back_up(page: Page, server: Server, tmp_path: Path) -> Path:
    page.goto(f"{server.url}/admin/database")
    page.get_by_role("button", name="Back up now").click()
    archive = page.get_by_role("link", name=re.compile("Download the archive")).first
    expect(archive).to_be_visible(timeout=60_000)
    with page.expect_download() as waiting:
        archive.click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def restore_and_undo(page: Page, server: Server, backup: Path) -> None:
    page.goto(f"{server.url}/properties/new")
    page.get_by_label("Name").first.fill("Too late")
    page.locator("main button[type=submit].btn-primary").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Too late")

    page.goto(f"{server.url}/admin/database")
    page.get_by_label("Backup file").set_input_files(backup)
    page.get_by_role("button", name="Check this file").click()
    page.get_by_label(re.compile("password", re.I)).fill(PASSWORD, timeout=60_000)
    page.locator("[name=word]").fill("RESTORE")
    page.get_by_role("button", name="Restore this backup").click()
    expect(page.get_by_text("Restored", exact=True).first).to_be_visible(timeout=60_000)

    sign_in(page, server, "owner@example.com")
    page.goto(f"{server.url}/properties/")
    expect(page.get_by_text("Am Mühlbach 9").first).to_be_visible()
    expect(page.get_by_text("Too late")).to_have_count(0)

    page.goto(f"{server.url}/admin/database")
    page.get_by_role("button", name=re.compile("^Undo")).click()
    expect(page.get_by_text("Restored", exact=True).first).to_be_visible(timeout=60_000)
    sign_in(page, server, "owner@example.com")
    page.goto(f"{server.url}/properties/")
    expect(page.get_by_text("Too late").first).to_be_visible()
