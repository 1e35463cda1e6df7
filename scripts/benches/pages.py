"""Every page at 10,000 leases for one person: p95 (100 ms) and the number of queries (6)."""

import argparse

from flask import Flask
from flask.testing import FlaskClient

from proman.app import create_app
from proman.db import db
from scripts.benches.clients import ask
from scripts.benches.sites import PASSWORD, demonstration, folder_of
from tests.conftest import make_settings
from tests.statements import MOST_QUERIES, ids_of_a_lease, statements_of
from tests.walking import addresses

WHO = "admin@example.com"
BESIDES = (
    "/search?q=gal",
    "/search?q=2026-001",
    "/properties/?let=vacant",
    "/tenants/?q=gal",
    "/leases/?state=expiring",
    "/leases/?sort=-rent",
    "/leases/?q=gal",
    "/invoices/?state=overdue",
    "/invoices/?state=paid",
    "/invoices/?delivered=no",
    "/invoices/?q=gal",
    "/payments/?state=unused",
    "/payments/?q=gal",
    "/reports/aged-receivables?by=tenant",
    "/reports/aged-receivables?by=property",
    "/reports/rent-roll?q=gal",
    "/reports/profit-and-loss?from=2000-01-01",
    "/expenses/?q=drain",
)
"""Pages as they are looked at often: searched, filtered, sorted."""
SLOWEST = 100


def measure(arguments: list[str]) -> None:
    """Each page asked alone by one person, and its queries counted in this process.

    Those are all pages that an administrator may open; downloads are none.
    """
    parser = argparse.ArgumentParser(prog="scripts/bench pages", description=__doc__)
    parser.add_argument("--leases", type=int, default=10_000)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--folder", help="keep the demonstration there, or take the one that is")
    parser.add_argument("pages", nargs="*", help="these pages only")
    wanted = parser.parse_args(arguments)
    with (
        folder_of(wanted.folder) as folder,
        demonstration(folder, wanted.leases, wanted.months, WHO) as (url, cookie),
    ):
        app = create_app(make_settings(folder))
        client = _client(app)
        print(f"{'page':<46}{'p95 ms':>9}{'queries':>9}")
        for page in wanted.pages or [*_pages(app, client), *BESIDES]:
            queries = _queries(app, client, page)
            rate = ask(url + page, cookie=cookie, seconds=wanted.seconds, connections=1)
            over = "  too many" if queries > MOST_QUERIES else ""
            over += f"  above {SLOWEST} ms" if rate.p95 > SLOWEST else ""
            print(f"{page:<46}{rate.p95:>9.1f}{queries:>9}{over}", flush=True)
        with app.app_context():
            db.engine.dispose()


def _client(app: Flask) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    client.post("/login", data={"email": WHO, "password": PASSWORD})
    return client


def _pages(app: Flask, client: FlaskClient) -> list[str]:
    """Every address that answers with a page, with the ids of a lease and of what belongs to it."""
    with app.app_context(), db.engine.connect() as connection:
        ids = ids_of_a_lease(connection)
    found = []
    for address in addresses(app, "GET", ids):
        answer = client.get(address.path, buffered=True)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            found.append(address.path)
    return sorted(found)


def _queries(app: Flask, client: FlaskClient, page: str) -> int:
    """How many statements a page asks of new connections, which have nothing kept."""
    with app.app_context():
        db.engine.dispose()
    with statements_of(app) as said:
        client.get(page, buffered=True)
    return len(said)
