"""Takes a picture of every page that links lead to, on a real server with the demonstration."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Route, sync_playwright
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, RequestRedirect

from proman.app import create_app
from proman.settings import read_settings
from tests.servers import flask, serving

ROOT = Path(__file__).resolve().parent.parent
SHOTS = ROOT / "shots"
CHROMIUM = os.environ.get("PROMAN_TEST_CHROMIUM", "/usr/bin/chromium")
SIZES = {"wide": (1280, 900), "phone": (390, 844)}
PASSWORD = "look around freely"
PEOPLE = (("admin@example.com", "/"), ("tenant@example.com", "/portal/"))
OUTSIDE = ("/login", "/password/forgotten", "/nowhere")
NO_PAGE = re.compile(r"\.(csv|xlsx|pdf|zip|tar|sqlite|txt|json)(\?|$)|^/static/|^/logout")


def main() -> None:
    """Loads the demonstration, serves it, walks it as each person and takes the pictures."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else "/"
    SHOTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="proman-shots-") as folder:
        load_demonstration(Path(folder), leases=120, months=14)
        run_flask(Path(folder), "database", "backup")
        views = create_app(read_settings({"PROMAN_DATA_DIR": folder})).url_map.bind("localhost")
        with serving(Path(folder)) as server, sync_playwright() as playwright:
            browser = launch(playwright)
            complaints = [*_outside(browser, server.url, wanted)]
            for email, start in PEOPLE:
                complaints += _walk(browser, views, server.url, email, start, wanted)
            browser.close()
    pictures = len(list(SHOTS.glob("*.png")))
    print(f"{pictures} pictures in {SHOTS.relative_to(ROOT)}")
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)


def launch(playwright: Playwright) -> Browser:
    """Chromium as every machine runs it, root's too."""
    if not Path(CHROMIUM).exists():
        sys.exit(f"{CHROMIUM} is missing: install chromium, or name it in PROMAN_TEST_CHROMIUM")
    return playwright.chromium.launch(
        executable_path=CHROMIUM,
        chromium_sandbox=False,
        args=["--disable-gpu", "--disable-dev-shm-usage"],
    )


def load_demonstration(folder: Path, leases: int, months: int, **environment: str) -> None:
    """A new database in the folder, with the demonstration of the default seed."""
    size = ("--leases", str(leases), "--months", str(months))
    run_flask(folder, "db", "upgrade", **environment)
    run_flask(folder, "demo", "load", *size, "--password", PASSWORD, **environment)


def run_flask(folder: Path, *words: str, **environment: str) -> None:
    """`flask …` on the installation in the folder; ends with what it said where it fails."""
    done = flask(folder, *words, **environment)
    if done.returncode:
        sys.exit(f"flask {' '.join(words)}: {done.stderr}")


def sign_in(page: Page, url: str, email: str) -> None:
    """Sign in as one of the demonstration's people."""
    page.goto(f"{url}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "/login" not in address)


def _outside(browser: Browser, url: str, wanted: str) -> Iterator[str]:
    page = browser.new_page()
    for path in OUTSIDE:
        if path.startswith(wanted):
            yield from _picture(page, url, path, path.strip("/").replace("/", "-"))
    page.close()


def _walk(
    browser: Browser, views: MapAdapter, url: str, email: str, start: str, wanted: str
) -> Iterator[str]:
    """Every view that links lead to from `start`, one address of each."""
    page = browser.new_page()
    sign_in(page, url, email)
    who = email.partition("@")[0]
    for endpoint, path in _pages(page, views, url, start):
        if path.startswith(wanted):
            yield from _picture(page, url, path, f"{who}-{endpoint}")
    page.close()


def _pages(page: Page, views: MapAdapter, url: str, start: str) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    waiting = [start]
    while waiting:
        path = waiting.pop(0)
        endpoint = _endpoint(views, path)
        if endpoint is None or endpoint in found:
            continue
        found[endpoint] = path
        answer = page.request.get(url + path)
        for link in re.findall(r'href="(/[^"#]*)', answer.text()):
            link = link.replace("&amp;", "&")
            if not NO_PAGE.search(link):
                waiting.append(link)
    return sorted(found.items())


def _endpoint(views: MapAdapter, path: str) -> str | None:
    try:
        return str(views.match(urlsplit(path).path, method="GET")[0])
    except (RequestRedirect, HTTPException):
        return None


def _picture(page: Page, url: str, path: str, name: str) -> Iterator[str]:
    """Four pictures of a page; yields what its console and its requests complain of."""
    told: list[str] = []

    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and path != "/nowhere":
            told.append(f"{path}: {message.text}")

    def outside(route: Route) -> None:
        told.append(f"{path}: asks {route.request.url}")
        route.abort()

    page.on("console", console)
    page.route(lambda address: not address.startswith((url, "data:")), outside)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for light in ("light", "dark"):
            page.emulate_media(color_scheme=light, reduced_motion="reduce")
            page.goto(url + path)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=SHOTS / f"{name}-{size}-{light}.png", full_page=True)
    page.remove_listener("console", console)
    page.unroute_all()
    yield from dict.fromkeys(told)


if __name__ == "__main__":
    main()
