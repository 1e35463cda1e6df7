"""Schedule and retention in a real browser, with and without JavaScript; the alarm on pages."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from proman.base.errors import Refused
from proman.database import catalogue, outcomes
from proman.database.plan import read_plan
from proman.db import db
from proman.settings import Settings
from tests.browser.test_every_page import faults
from tests.browser.walks import sign_in
from tests.conftest import make_app
from tests.database.aging import backup_of
from tests.factories import PASSWORD, make_organization, make_user
from tests.servers import Server, database_of, serving

pytestmark = pytest.mark.browser
ALICE = "alice@example.com"


@pytest.fixture
def server(tmp_path: Path, new_installation: Callable[..., Settings]) -> Iterator[Server]:
    """An installation with backups of eight nights, the oldest pinned."""
    settings = new_installation(tmp_path / "data")
    app = make_app(settings)
    with app.app_context():
        home = make_organization()
        make_user(home, ALICE, "administrator", operator=True)
        site = app.extensions["proman_installation"]
        made = [backup_of(site, 24 * days + 1) for days in range(7, -1, -1)]
        catalogue.pin(catalogue.backup_named(site.backup_dir, made[0]), True)
        db.session.remove()
        db.engine.dispose()
    with serving(settings.data_dir, **database_of(settings)) as server:
        yield server


def test_the_preview_follows_what_is_typed_and_saving_keeps_it(page: Page, server: Server) -> None:
    sign_in(page, server, ALICE, PASSWORD)
    page.goto(f"{server.url}/admin/database")
    page.get_by_role("link", name="Schedule and retention").click()
    outlook = page.get_by_label("What would stay")
    expect(outlook).to_contain_text("8 of 8 stay")
    for kind in ("Daily", "Weekly", "Monthly"):
        page.get_by_label(kind).fill("0")
    expect(outlook).to_contain_text("4 of 8 stay")
    expect(outlook).to_contain_text("No rule keeps it")
    page.get_by_label("How often").select_option(label="Every 6 hours")
    expect(outlook).to_contain_text("Every 6 hours at 02:00, 08:00, 14:00, 20:00 UTC")
    page.get_by_label("The last").fill("1")
    expect(outlook).to_contain_text("as soon as every field can be read")
    told = faults(page, "the schedule, unreadable")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#last-error")).to_contain_text("Write 3 or more")
    expect(page.get_by_role("alert")).to_be_focused()
    told += faults(page, "the schedule with an error")
    page.get_by_label("The last").fill("4")
    expect(outlook).to_contain_text("5 of 8 stay")
    told += faults(page, "the schedule, readable")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"{server.url}/admin/database")
    expect(page.locator("#state")).to_contain_text("Kept: the last 4, 0 daily")
    assert read_plan(server.folder).retention.last == 4
    assert not told, "\n".join(told)


def test_without_javascript_a_button_previews_and_what_was_typed_stays(
    chromium: Browser, server: Server
) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    sign_in(page, server, ALICE, PASSWORD)
    page.goto(f"{server.url}/admin/database/schedule")
    for kind in ("Daily", "Weekly", "Monthly"):
        page.get_by_label(kind).fill("0")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_label("What would stay")).to_contain_text("4 of 8 stay")
    expect(page.get_by_label("Daily")).to_have_value("0")
    page.get_by_label("Weekly").fill("none")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#weekly-error")).to_contain_text("Write a whole number")
    expect(page.get_by_label("Weekly")).to_have_value("none")
    page.get_by_label("Weekly").fill("2")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"{server.url}/admin/database")
    assert read_plan(server.folder).retention.weekly == 2
    context.close()


def test_a_failure_is_on_every_page_until_a_backup_is_made(page: Page, server: Server) -> None:
    with pytest.raises(Refused), outcomes.noted(server.folder, "backup", "the schedule"):
        raise Refused("No space is left where backups are kept.")
    server.flask("jobs", "run")
    sign_in(page, server, ALICE, PASSWORD)
    warning = page.get_by_role("complementary", name="Backups")
    expect(warning).to_contain_text("The last backup failed: No space is left")
    told = faults(page, "the dashboard with the alarm")
    warning.get_by_role("link").click()
    page.get_by_role("button", name="Back up now").click()
    expect(page.locator("#toasts")).to_contain_text("Backed up and verified.")
    expect(page.locator("#state")).not_to_contain_text("The last backup failed")
    page.goto(server.url)
    expect(warning).to_have_count(0)
    assert not told, "\n".join(told)
