"""Every page asks the database as much of a large book as of a small one, and six times at most.

The small book has 10 leases, the large one 500; PROMAN_TEST_SCALE=20 makes that 10,000. Lists are
asked with each of the filters and orders that they offer, too.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from proman.db import begin_write, db
from proman.demo.actions import Wanted, demonstration_today, load_demonstration
from proman.identity.passwords import hash_password
from proman.properties.models import Property
from proman.settings import Settings
from tests.conftest import make_app
from tests.factories import PASSWORD
from tests.statements import MOST_QUERIES, ids_of_a_lease, statements_of
from tests.walking import addresses

FEW = 10
MANY = min(10_000, 500 * int(os.environ.get("PROMAN_TEST_SCALE", "1")))
MONTHS = 4
MORE = {"/takeover/export.zip": 70, "/ending": 10, "/readyz": 8}
"""Addresses that may ask more: all there is, table by table; all that a lease ever brought; whether
the schema is whole, which a probe asks and no person waits for."""
TYPED = ("gal", "2026-0", "mühl")
"""What is searched for: a part of names, of numbers, and letters beyond ASCII."""


@dataclass
class Book:
    """A demonstration, who looks at it, and the ids of a lease and all that belongs to it."""

    app: Flask
    ids: Mapping[str, int]
    clients: dict[str, FlaskClient] = field(default_factory=dict)

    def asks(self, who: str, address: str) -> tuple[int, list[str]]:
        """The status of an answer, and what the database was asked for it by new connections."""
        client = self.client(who)
        with self.app.app_context():
            # What was kept of earlier answers goes with the connections.
            db.engine.dispose()
        with statements_of(self.app) as said:
            answer = client.get(address)
            answer.get_data()
        return answer.status_code, list(said)

    def client(self, who: str) -> FlaskClient:
        """A client who is signed in."""
        if who not in self.clients:
            client = self.clients[who] = self.app.test_client()
            typed = {"email": f"{who}@example.com", "password": PASSWORD}
            assert client.post("/login", data=typed).status_code == 303
        return self.clients[who]


def _book(settings: Settings, leases: int) -> Book:
    app = make_app(settings)
    with app.app_context():
        begin_write()
        wanted = Wanted(leases, MONTHS, 1, demonstration_today())
        load_demonstration(wanted, hash_password(PASSWORD), lambda done, total: None)
        db.session.commit()
        with db.engine.connect() as connection:
            return Book(app, ids_of_a_lease(connection))


@pytest.fixture(scope="module")
def books(
    tmp_path_factory: pytest.TempPathFactory, new_installation: Callable[..., Settings]
) -> Iterator[tuple[Book, Book]]:
    """The small book and the large one."""
    folder = tmp_path_factory.mktemp("books")
    few = _book(new_installation(folder / "few"), FEW)
    many = _book(new_installation(folder / "many"), MANY)
    yield few, many
    for book in (few, many):
        with book.app.app_context():
            db.engine.dispose()


def _most(address: str) -> int:
    return next((most for end, most in MORE.items() if address.endswith(end)), MOST_QUERIES)


def _asked_oftener(few: list[str], many: list[str]) -> list[str]:
    """What is asked again and again of many leases, and is not of few.

    What is asked once, and of few not at all, grows with nothing: few may have none of a kind.
    """
    once, again = (
        Counter(re.sub(r"(\?, )+\?", "?", each) for each in said) for said in (few, many)
    )
    return [each for each, times in again.items() if times > max(1, once[each])]


def _compare(books: tuple[Book, Book], who: str, pairs: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, by address; `pairs` are the addresses in the small book and in the large."""
    few, many = books
    wrong = {}
    for small, large in pairs.items():
        (status, asked), (other_status, other_asked) = few.asks(who, small), many.asks(who, large)
        if status != other_status:
            wrong[large] = f"{status} of few leases, {other_status} of many"
        elif oftener := _asked_oftener(asked, other_asked):
            wrong[large] = f"{len(asked)} of few, {len(other_asked)} of many: {oftener}"
        elif len(asked) > _most(large):
            wrong[large] = f"{len(asked)}: {other_asked}"
    return wrong


def _every_page(books: tuple[Book, Book], who: str) -> dict[str, str]:
    """Every address of the application that somebody may open, in the one book and the other."""
    few, many = books
    return {
        small.path: large.path
        for small, large in zip(
            addresses(few.app, "GET", few.ids), addresses(many.app, "GET", many.ids), strict=True
        )
        if small.rule.endpoint != "static" and few.client(who).get(small.path).status_code == 200
    }


def _ways_to_look(book: Book, page: str) -> list[str]:
    """A list with every filter and every order that it offers."""
    answer = book.client("manager").get(page)
    if answer.mimetype != "text/html":
        return []
    soup = BeautifulSoup(answer.text, "lxml")
    address = urlsplit(page).path
    ways = [str(link["href"]) for link in soup.select("a.sort")]
    for form in soup.select("form.filters"):
        for control in form.select("input[type=search]"):
            ways += [f"{address}?{urlencode({str(control['name']): word})}" for word in TYPED]
        for control in form.select("select"):
            values = [str(option.get("value") or "") for option in control.select("option")]
            ways += [f"{address}?{urlencode({str(control['name']): v})}" for v in values[:8] if v]
    return ways


@pytest.mark.xdist_group("books")
@pytest.mark.parametrize(("who", "at_least"), [("manager", 70), ("admin", 80), ("tenant", 6)])
def test_every_page(books: tuple[Book, Book], who: str, at_least: int) -> None:
    pages = _every_page(books, who)
    assert len(pages) >= at_least
    assert _compare(books, who, pages) == {}


@pytest.mark.xdist_group("books")
@pytest.mark.parametrize("single", [True, False])
def test_a_property_let_as_a_whole_and_one_in_parts(books: tuple[Book, Book], single: bool) -> None:
    whole = select(func.min(Property.id)).where(Property.is_single_unit == single)
    pages = []
    for book in books:
        with book.app.app_context():
            key = db.session.scalar(whole.execution_options(everywhere=True))
            pages.append(f"/properties/{key}")
    assert _compare(books, "manager", {pages[0]: pages[1]}) == {}


@pytest.mark.xdist_group("books")
def test_every_list_however_it_is_filtered_and_sorted(books: tuple[Book, Book]) -> None:
    ways = {}
    for page in _every_page(books, "manager"):
        ways.update({way: way for way in _ways_to_look(books[0], page)})
    assert len(ways) > 100
    assert _compare(books, "manager", ways) == {}
