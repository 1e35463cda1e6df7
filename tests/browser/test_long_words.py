"""Names of 200 letters without a blank: pages grow taller by them, never wider."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from playwright.sync_api import Page

from proman.app import create_app
from proman.billing.actions import run_billing
from proman.db import begin_write, db, utc_now
from proman.identity.session import acting_for
from proman.leases.index_actions import (
    Agreed,
    agree_clause,
    index_rents,
    save_series,
    save_value,
)
from proman.leases.index_models import IndexSeries, IndexValue
from proman.leases.index_queries import the_candidate
from proman.leases.indexing import Indexation
from proman.leases.queries import the_lease
from proman.settings import Settings
from tests import factories
from tests.browser.walks import sign_in
from tests.money import actor
from tests.servers import Server, database_of, serving

pytestmark = pytest.mark.browser

MONA = "mona@example.com"
NAME = "Donaudampfschifffahrtsgesellschaft" * 6
BASE, NEW = date(2024, 1, 1), date(2025, 1, 1)
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PAGES = (
    "/leases/",
    "/leases/1",
    "/leases/1/edit",
    "/leases/1/index-clause",
    "/leases/1/indexation",
    "/leases/1/rents/new",
    "/leases/2/indexation",
    "/leases/indexes/",
    "/leases/indexes/1",
    "/leases/indexation/",
    "/leases/indexation/?show=waiting",
    "/leases/indexation/made",
    "/tenants/",
    "/tenants/1",
    "/properties/",
    "/properties/1",
    "/properties/units",
    "/invoices/",
    "/invoices/1",
    "/invoices/drafts/new?lease=1",
    "/billing/preview",
    "/billing/leases/1/ending",
    "/billing/leases/1/account",
    "/payments/new?lease=1",
    "/reports/rent-roll",
    "/",
)


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, new_installation: Callable[..., Settings]
) -> Iterator[Server]:
    settings = new_installation(tmp_path_factory.mktemp("long"))
    app = create_app(settings)
    with app.app_context():
        home = factories.make_organization()
        factories.make_user(home, MONA, "manager")
        with acting_for(home):
            _make()
        db.session.remove()
        db.engine.dispose()
    with serving(settings.data_dir, **database_of(settings)) as server:
        yield server


def _make() -> None:
    today = utc_now().date()
    tenants = [factories.make_tenant(name=NAME[:200]), factories.make_tenant(name=NAME[:199])]
    leases = []
    for letters in (200, 199):
        building = factories.make_property(name=NAME[:letters])
        unit = factories.make_unit(building, label=NAME[:40])
        leases.append(factories.make_lease(unit, tenants, first_day=BASE, notes=NAME * 9))
    begin_write()
    series = save_series(IndexSeries(), NAME[:120])
    for month, value in ((BASE, 117_600), (NEW, 120_300)):
        save_value(IndexValue(series_id=series.id), month, value, month, today=today)
    for key in leases:
        agreed = Agreed(series.id, BASE)
        agree_clause(the_lease(key), agreed, today=today, actor=actor())
    found = the_candidate(leases[1], today).outcome
    assert isinstance(found, Indexation)
    index_rents({leases[1]: found.new_rent}, today, today=today, actor=actor())
    run_billing(today, today=today, actor=actor(), lease_ids=leases[:1])
    db.session.commit()


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_scrolls_sideways(page: Page, server: Server, width: int) -> None:
    sign_in(page, server, MONA, factories.PASSWORD)
    page.set_viewport_size({"width": width, "height": 900})
    wide = {}
    for address in PAGES:
        answer = page.goto(f"{server.url}{address}", wait_until="networkidle")
        assert answer is not None
        assert answer.ok, address
        if (by := page.evaluate(WIDER)) > 0:
            wide[address] = by
    assert wide == {}
