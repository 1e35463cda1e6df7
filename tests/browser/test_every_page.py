"""Every page that links lead to: it answers, and axe finds nothing, in both lights and widths."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from proman.identity.queries import organizations
from proman.settings import Settings
from tests.browser.walks import PASSWORD, set_up, sign_in
from tests.servers import Server, database_of, flask, serving

pytestmark = pytest.mark.browser

SIZES = ((1280, 900), (390, 844))
# The manager's pages are looked at in so many tests, which share the work among the workers.
PARTS = 6
DOWNLOADS = re.compile(r"\.(beancount|csv|xlsx|pdf|zip|tar|sqlite|txt)(\?|$)|/export$")
# Colours in the middle of a transition are nobody's choice.
STANDS_STILL = "Promise.all(document.getAnimations().map((each) => each.finished.catch(() => 0)))"
LIGHT = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# What the dark scheme changes is colours alone.
DARK = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


@dataclass(frozen=True)
class Demonstration:
    """A served demonstration portfolio, and the pages found in it by where a crawl began."""

    server: Server
    pages: dict[str, list[str]] = field(default_factory=dict)

    def address(self, path: str) -> str:
        return urljoin(self.server.url, path)


@pytest.fixture(scope="module")
def demonstration(
    tmp_path_factory: pytest.TempPathFactory, new_installation: Callable[..., Settings]
) -> Iterator[Demonstration]:
    settings = new_installation(tmp_path_factory.mktemp("demonstration"))
    folder, database = settings.data_dir, database_of(settings)
    size = ("--leases", "40", "--months", "6")
    loaded = flask(folder, "demo", "load", *size, "--password", PASSWORD, **database)
    assert loaded.returncode == 0, loaded.stderr
    with serving(folder, **database) as server:
        yield Demonstration(server)


def endpoint_of(app: Flask, path: str) -> str | None:
    """The view behind a path, or None when there is none."""
    try:
        return app.url_map.bind("").match(urlsplit(path).path)[0]
    except RequestRedirect:
        return "redirect"
    except HTTPException:
        return None


def crawl(page: Page, demonstration: Demonstration, app: Flask, start: str) -> list[str]:
    """One path for every page that links lead to; every link and every region must answer."""
    found: dict[str, str] = {}
    waiting, seen, pages = [start], {start}, {start}
    while waiting:
        path = waiting.pop(0)
        endpoint = endpoint_of(app, path)
        assert endpoint is not None, f"{path} leads nowhere"
        if endpoint in found or endpoint == "redirect":
            continue
        found[endpoint] = path
        answer = page.request.get(demonstration.address(path), max_redirects=5)
        assert answer.ok, f"{path} answers {answer.status}"
        if DOWNLOADS.search(path):
            continue
        for kind, address in re.findall(r'(href|hx-get)="(/[^"]*)"', answer.text()):
            link = address.replace("&amp;", "&").partition("#")[0]
            if kind == "href":
                pages.add(urlsplit(link).path)
            if link not in seen and not link.startswith("/static/"):
                seen.add(link)
                waiting.append(link)
    shown = (path for path in found.values() if urlsplit(path).path in pages)
    return [path for path in shown if not DOWNLOADS.search(path)]


def faults(page: Page, where: str) -> list[str]:
    """What axe finds on the page as it stands, in both lights and widths."""
    told = []
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for light in ("light", "dark"):
            page.emulate_media(color_scheme=light, reduced_motion="reduce")
            page.evaluate(STANDS_STILL)
            result = Axe().run(page, options=DARK if light == "dark" else LIGHT)
            for violation in result.response["violations"]:
                for node in violation["nodes"][:3]:
                    told.append(
                        f"{where} {width}px {light}: {violation['id']}: {node['html'][:160]}"
                    )
            wide = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            if wide > 0:
                told.append(f"{where} {width}px: scrolls sideways by {wide}px")
    return told


@pytest.mark.parametrize(
    ("email", "start", "least", "part", "parts"),
    [
        *(("admin@example.com", "/", 75, part, PARTS) for part in range(PARTS)),
        ("tenant@example.com", "/portal/", 3, 0, 1),
    ],
)
def test_every_page_is_accessible(
    page: Page,
    demonstration: Demonstration,
    app: Flask,
    email: str,
    start: str,
    least: int,
    part: int,
    parts: int,
) -> None:
    sign_in(page, demonstration.server, email)
    if start not in demonstration.pages:
        demonstration.pages[start] = crawl(page, demonstration, app, start)
    paths = demonstration.pages[start]
    assert len(paths) >= least, paths
    told = []
    # By name, so that the workers agree which part a page is of.
    for path in sorted(paths)[part::parts]:
        page.goto(demonstration.address(path))
        page.wait_for_load_state("networkidle")
        told += faults(page, path)
    assert not told, "\n".join(told)


@pytest.mark.parametrize("path", ["/login", "/password/forgotten", "/nothing-here"])
def test_pages_before_signing_in_are_accessible(
    page: Page, demonstration: Demonstration, path: str
) -> None:
    page.goto(demonstration.address(path))
    told = faults(page, path)
    assert not told, "\n".join(told)


def test_setup_and_the_empty_installation_are_accessible(
    page: Page, tmp_path: Path, app: Flask
) -> None:
    database = database_of(app.extensions["proman_settings"])
    with serving(tmp_path / "empty", **database) as server:
        empty = Demonstration(server)
        page.goto(empty.address("/"))
        told = faults(page, "/setup")
        set_up(page, server, "Empty Estates", "DE", "EUR")
        for path in ("/", *("/properties/ /tenants/ /leases/ /invoices/ /payments/".split())):
            page.goto(empty.address(path))
            page.wait_for_load_state("networkidle")
            told += faults(page, f"empty {path}")
    assert not told, "\n".join(told)
    with app.app_context():
        assert len(organizations()) == 1
