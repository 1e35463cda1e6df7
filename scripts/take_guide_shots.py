"""Takes the pictures of the user guide, on a real server with the demonstration of a fixed day."""

import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import manimgx_fonts
import manimgx_fonts_cjk
from playwright.sync_api import Browser, Page, sync_playwright

from scripts.take_shots import ROOT, launch, load_demonstration, run_flask, sign_in
from tests.servers import serving

IMAGES = ROOT / "docs" / "images"
DAY = "2026-11-16 09:00:00"
WIDTH, HEIGHT = 1280, 860
MOST_BYTES = 120_000
MANAGER, ADMINISTRATOR, TENANT = (f"{who}@example.com" for who in ("manager", "admin", "tenant"))
Walk = Callable[[Page], None]
"""Goes from the start page to what is to be seen; addresses are relative to the server's."""


@dataclass(frozen=True)
class Picture:
    """One picture: the name of its file, how to come to what it shows, and as whom."""

    name: str
    walk: Walk
    who: str = MANAGER


def at(path: str) -> Walk:
    """A page as it opens."""

    def walk(page: Page) -> None:
        page.goto(path)

    return walk


def first_of(listing: str, link: str = "") -> Walk:
    """The page of a list's first row; from there by a link."""

    def walk(page: Page) -> None:
        page.goto(listing)
        page.locator("#list tbody tr a").first.click()
        page.wait_for_url(re.compile(r"/\d+$"))
        if link:
            page.get_by_role("link", name=link).first.click()

    return walk


def _set_up(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Your name").fill("Olivia Owner")
    page.get_by_label("Your e-mail").fill("olivia@example.com")
    page.get_by_label("Name of the business").fill("Meadowbank Property Management")
    with page.expect_response("**/setup/places*"):
        page.get_by_label("Country").select_option("IE")


def _lease_from_17_december(page: Page) -> None:
    page.goto("/leases/new")
    page.get_by_label("Unit", exact=True).fill("Woodville")
    page.get_by_role("button", name="Woodville").click()
    page.get_by_label("Name").first.fill("Tilda Tenant")
    page.get_by_label("First day").first.fill("2026-12-17")
    page.get_by_label("Rent", exact=True).fill("1000.00")
    page.get_by_label("Rent", exact=True).blur()
    page.locator("#lease-preview").get_by_text("483.87").first.wait_for()


def _renewal(page: Page) -> None:
    first_of("/leases/?state=expiring", "Renew")(page)
    page.get_by_label("New last day").fill("2027-12-30")
    page.get_by_label("New rent").fill("760.00")
    page.get_by_label("From").fill("2026-12-31")
    with page.expect_response("**/renewal-preview"):
        page.get_by_label("From").blur()


def _payment(page: Page) -> None:
    page.goto("/leases/1")
    page.get_by_role("link", name="Record a payment").click()
    page.get_by_label("Amount").first.fill("1400.00")
    with page.expect_response("**/payments/preview"):
        page.get_by_label("Amount").first.blur()


PICTURES = (
    Picture("dashboard", at("/")),
    Picture("property", at("/properties/1")),
    Picture("lease", at("/leases/1")),
    Picture("lease-new", _lease_from_17_december),
    Picture("renewal", _renewal),
    Picture("billing-run", at("/billing/?as_of=2026-11-26")),
    Picture("invoice", first_of("/invoices/?state=overdue")),
    Picture("payment", _payment),
    Picture("deposit", at("/billing/leases/1/deposit/outcome")),
    Picture("late-fees", at("/admin/organization/late-fees"), ADMINISTRATOR),
    Picture("reminders", at("/billing/reminders")),
    Picture("indexation", at("/leases/indexation/")),
    Picture("profit-and-loss", at("/reports/profit-and-loss")),
    Picture("journal", at("/reports/journal")),
    Picture("portal", at("/portal/"), TENANT),
)
FIRST_VISIT = Picture("first-visit", _set_up, "")


def take(picture: Picture, browser: Browser, url: str, folder: Path) -> Path:
    """One picture in WebP, which Playwright itself does not write; ends where it grew too large."""
    context = browser.new_context(
        base_url=url,
        viewport={"width": WIDTH, "height": HEIGHT},
        locale="en-IE",
        color_scheme="light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    if picture.who:
        sign_in(page, url, picture.who)
    picture.walk(page)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0); document.fonts.ready")
    wanted = {"format": "webp", "quality": 80}
    answer = context.new_cdp_session(page).send("Page.captureScreenshot", wanted)
    context.close()
    content = base64.b64decode(answer["data"])
    if len(content) > MOST_BYTES:
        sys.exit(f"{picture.name} has {len(content)} bytes; {MOST_BYTES} are the most.")
    path = folder / f"{picture.name}.webp"
    path.write_bytes(content)
    return path


def draw_every_script(folder: Path) -> None:
    """Give Chromium the fonts that ProMan prints with, whatever the machine has.

    It reads where they are from its environment, when it starts.
    """
    places = [*manimgx_fonts.__path__, *manimgx_fonts_cjk.__path__]
    folders = "".join(f"<dir>{place}</dir>" for place in places)
    file = folder / "fonts.conf"
    file.write_text(
        "<?xml version='1.0'?><fontconfig>"
        f"<include ignore_missing='yes'>/etc/fonts/fonts.conf</include>{folders}</fontconfig>",
        encoding="utf-8",
    )
    os.environ["FONTCONFIG_FILE"] = str(file)


def environment_of_the_day() -> dict[str, str]:
    """What makes a process live on the fixed day; nothing where faketime is missing."""
    faketime = shutil.which("faketime")
    if faketime is None:
        print("faketime is missing: the pictures are of today", file=sys.stderr)
        return {}
    told = subprocess.run([faketime, DAY, "env"], capture_output=True, text=True, check=True).stdout
    pairs = (line.partition("=") for line in told.splitlines())
    return {name: value for name, _, value in pairs if name in ("LD_PRELOAD", "FAKETIME")}


def main() -> None:
    """All of them anew, into docs/images."""
    environment = environment_of_the_day()
    with tempfile.TemporaryDirectory(prefix="proman-guide-") as folder:
        draw_every_script(Path(folder))
        empty, full = Path(folder, "empty"), Path(folder, "full")
        run_flask(empty, "db", "upgrade", **environment)
        load_demonstration(full, leases=60, months=14, **environment)
        with sync_playwright() as playwright:
            browser = launch(playwright)
            for pictures, home in (((FIRST_VISIT,), empty), (PICTURES, full)):
                with serving(home, **environment) as server:
                    for picture in pictures:
                        print(take(picture, browser, server.url, IMAGES).relative_to(ROOT))
            browser.close()


if __name__ == "__main__":
    main()
