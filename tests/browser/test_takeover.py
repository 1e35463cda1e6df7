"""A manager takes over the two rent rolls in a browser, and axe finds nothing on the way."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from proman.settings import Settings
from tests.browser.walks import set_up
from tests.servers import Server, database_of, serving

pytestmark = pytest.mark.browser

DATA = Path(__file__).resolve().parents[1] / "data"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PAINTED = """light => new Promise(done => {
    const look = () => matchMedia(`(prefers-color-scheme: ${light})`).matches
        ? requestAnimationFrame(() => requestAnimationFrame(done))
        : requestAnimationFrame(look);
    look();
})"""
PICTURES = os.environ.get("PROMAN_TEST_PICTURES", "")


@pytest.fixture
def server(tmp_path: Path, new_installation: Callable[..., Settings]) -> Iterator[Server]:
    """A new installation."""
    settings = new_installation(tmp_path / "data")
    with serving(settings.data_dir, **database_of(settings)) as running:
        yield running


def look(page: Page, name: str) -> None:
    """The page has no fault that axe finds, in both lights and widths, and nothing sticks out."""
    for width, height in ((1280, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        for light in ("light", "dark"):
            page.emulate_media(color_scheme=light, reduced_motion="reduce")  # type: ignore[arg-type]
            page.evaluate(PAINTED, light)
            found = Axe().run(page, options=RULES).response["violations"]
            told = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]
            assert not told, (name, width, light, told)
            if PICTURES:
                path = Path(PICTURES) / f"{name}-{width}-{light}.png"
                page.screenshot(path=str(path), full_page=True)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, (name, width, wide)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")


def test_lindenhof_from_the_upload_to_the_undo(page: Page, server: Server) -> None:
    set_up(page, server, "Hof Verwaltung", "DE", "EUR")
    page.goto(f"{server.url}/takeover/")
    look(page, "1-index")
    page.get_by_role("button", name="Upload").click()
    page.get_by_text("Choose a file").first.wait_for()
    look(page, "2-index-error")
    page.locator("input[type=file]").set_input_files(DATA / "rent-roll-lindenhof.csv")
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("heading", name="What the columns hold").wait_for()
    assert page.locator("select[name=column-8]").input_value() == "rent"
    look(page, "3-columns")
    page.get_by_role("button", name="Confirm the columns").click()
    page.get_by_role("heading", name="What the file does not tell").wait_for()
    look(page, "4-questions")
    page.get_by_role("button", name="Answer").click()
    page.get_by_text("Nothing was saved yet").wait_for()
    look(page, "5-questions-error")
    page.get_by_label("Cut-over date").fill("2026-10-31")
    page.get_by_label("Every month").check()
    page.get_by_label("Calendar months").check()
    page.get_by_label("Below nil is owed").check()
    page.get_by_role("button", name="Answer").click()
    page.get_by_role("heading", name="Sums to compare").wait_for()
    assert "2.409,37" in page.locator("main").inner_text()
    look(page, "6-preview")
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url(re.compile(r"/takeover/imports/\d+$"))
    look(page, "7-result")
    result = page.url
    page.goto(f"{server.url}/takeover/")
    look(page, "8-index-after")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export everything").click()
    assert download.value.suggested_filename.endswith(".zip")
    page.goto(result)
    page.get_by_role("button", name="Undo the import").click()
    page.wait_for_url(f"{server.url}/takeover/")
    page.get_by_text("Undone").first.wait_for()
    page.goto(result)
    look(page, "9-undone")


def test_faults_are_shown_by_row_and_column(page: Page, server: Server) -> None:
    set_up(page, server, "Hof Verwaltung", "DE", "EUR")
    page.goto(f"{server.url}/takeover/")
    page.locator("input[type=file]").set_input_files(DATA / "rent-roll-harbour-court.csv")
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("heading", name="What the columns hold").wait_for()
    page.get_by_role("link", name="3. What would be made").click()
    page.get_by_role("heading", name="Faults").wait_for()
    assert page.get_by_role("cell", name="Market Rent").count() == 1
    look(page, "10-faults")
