"""The documentation builds without a warning, is whole, and asks nothing of other servers."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from proman.settings import variables
from scripts.write_reference import every_command
from tests.sites import ROOT, build, build_site, copy_source

pytestmark = pytest.mark.site
FETCHED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "link": "href",
    "form": "action",
}
OUTSIDE = re.compile(r"^(https?:)?//", re.IGNORECASE)
OUTSIDE_OF_A_STYLE = re.compile(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", re.IGNORECASE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("site"))


def page(site: Path, address: str) -> BeautifulSoup:
    return BeautifulSoup((site / address / "index.html").read_text("utf-8"), "lxml")


def headings(site: Path, address: str, level: str) -> set[str]:
    found = page(site, address).select(f"article {level}")
    return {one.get_text().removesuffix("¶") for one in found}


def test_every_command_and_every_variable_has_its_place(site: Path) -> None:
    commands = {words for group in every_command().values() for words, _ in group}
    assert commands <= headings(site, "reference/commands", "h3")
    assert {one.name for one in variables().values()} <= headings(site, "reference/variables", "h2")


def test_every_document_is_a_page_and_the_start_leads_to_it(site: Path) -> None:
    links = {
        str(link["href"]).removeprefix("./").strip("/")
        for link in page(site, "").select("nav a[href]")
    }
    for path in (ROOT / "docs").rglob("*.md"):
        address = path.relative_to(ROOT / "docs").with_suffix("").as_posix()
        assert (site / address / "index.html").is_file(), address
        assert address in links
    assert "changelog" in links


def test_no_page_fetches_anything_from_outside(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 12
    for path in pages:
        soup = BeautifulSoup(path.read_text("utf-8"), "lxml")
        for tag, attribute in FETCHED.items():
            for one in soup.find_all(tag):
                assert not OUTSIDE.match(str(one.get(attribute, ""))), (path.name, str(one))
        for style in soup.find_all("style"):
            assert not OUTSIDE_OF_A_STYLE.search(style.get_text()), path.name
    for path in site.rglob("*.css"):
        assert not OUTSIDE_OF_A_STYLE.search(path.read_text("utf-8")), path.name


def test_a_page_at_the_top_of_the_source_keeps_its_links(site: Path) -> None:
    links = {str(link["href"]) for link in page(site, "").select("article a[href]")}
    assert {"backup/#faults-that-were-made", "changelog/", "license/"} <= links
    assert not [link for link in links if link.startswith("docs/") or link.endswith(".md")]


def test_a_link_to_a_file_of_the_source_leads_to_that_file(site: Path) -> None:
    links = [str(link["href"]) for link in page(site, "observability").select("article a[href]")]
    (rules,) = (link for link in links if link.endswith("proman.rules.yaml"))
    there = (site / "observability" / rules).resolve()
    assert there.read_bytes() == (ROOT / "deploy" / "prometheus" / there.name).read_bytes()


@pytest.mark.parametrize(
    ("name", "text", "warning"),
    [
        ("ledger.md", "[gone](gone.md)", "contains a link 'gone.md'"),
        ("ledger.md", "[gone](../scripts/gone)", "link '../scripts/gone'"),
        ("ledger.md", "[gone](billing.md#gone)", "does not contain an anchor '#gone'"),
        ("lost.md", "# On no page", 'not included in the "nav"'),
    ],
)
def test_what_leads_nowhere_stops_the_build(
    tmp_path: Path, name: str, text: str, warning: str
) -> None:
    top = copy_source(tmp_path / "source")
    with (top / "docs" / name).open("a", encoding="utf-8") as file:
        file.write(f"\n{text}\n")
    done = build(tmp_path / "site", top)
    assert done.returncode != 0
    assert warning in done.stderr
