"""What the pages of records that an import made tell of it."""

import re
from collections.abc import Callable

from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from proman.db import begin_write, db
from proman.identity.actor import Actor
from proman.identity.session import acting_for
from proman.leases.models import Lease, LeaseParty
from proman.properties.models import Unit
from proman.takeover.models import Import, ImportRecord
from proman.tenants.models import Tenant
from tests import factories
from tests.conftest import Cast
from tests.statements import MOST_QUERIES, statements_of
from tests.takeover.rolls import LINDENHOF, LINDENHOF_ANSWERS
from tests.takeover.test_actions import take_over


def time_line(client: FlaskClient, address: str) -> list[str]:
    """The lines of a page's time line, the newest first."""
    page = BeautifulSoup(client.get(address).get_data(as_text=True), "lxml")
    return [re.sub(r"\s+", " ", line.get_text(" ")).strip() for line in page.select(".timeline li")]


def by_mona(cast: Cast) -> None:
    """Mona takes over the roll of Lindenhof."""
    mona = Actor(id=cast.mona, organization_id=cast.organization, role="manager", name="Mona")
    with acting_for(cast.organization, mona):
        take_over(LINDENHOF, LINDENHOF_ANSWERS)


def an_imported_lease(cast: Cast) -> dict[str, int]:
    """The ids of a lease that was taken over, and of its tenant, unit and property."""
    with acting_for(cast.organization):
        lease = db.session.scalars(select(Lease).order_by(Lease.id).limit(1)).one()
        unit = db.session.get_one(Unit, lease.unit_id)
        tenant = select(LeaseParty.tenant_id).where(LeaseParty.lease_id == lease.id)
        return {
            "lease": lease.id,
            "unit": unit.id,
            "property": unit.property_id,
            "tenant": db.session.scalars(tenant).first() or 0,
        }


def test_what_was_taken_over_says_from_which_file_and_by_whom(
    app: Flask, cast: Cast, mona: FlaskClient
) -> None:
    with app.app_context():
        by_mona(cast)
        ids = an_imported_lease(cast)
    for address in (
        f"/leases/{ids['lease']}",
        f"/tenants/{ids['tenant']}",
        f"/properties/{ids['property']}",
        f"/properties/units/{ids['unit']}",
    ):
        (line,) = time_line(mona, address)
        assert "Taken over from rent-roll-lindenhof.csv, cut-over 31 Oct 2026" in line, address
        assert line.endswith("· Mona"), address


def test_what_is_changed_later_stands_above_the_take_over(
    app: Flask, cast: Cast, mona: FlaskClient
) -> None:
    with app.app_context():
        by_mona(cast)
        tenant = an_imported_lease(cast)["tenant"]
        with acting_for(cast.organization):
            begin_write()
            db.session.get_one(Tenant, tenant).phone = "030 1"
            db.session.commit()
    newest, first = time_line(mona, f"/tenants/{tenant}")
    assert newest.startswith("Changed: phone")
    assert first.startswith("Taken over")


def test_what_was_added_by_hand_tells_of_no_take_over(
    app: Flask, cast: Cast, mona: FlaskClient
) -> None:
    with app.app_context():
        by_mona(cast)
        with acting_for(cast.organization):
            lease = factories.make_lease(reference="BY-HAND")
    assert "Taken over" not in " ".join(time_line(mona, f"/leases/{lease}"))
    assert "Lease made" in time_line(mona, f"/leases/{lease}")[-1]


def test_a_record_of_the_same_number_elsewhere_is_another(
    app: Flask, cast: Cast, sign_in: Callable[[str], FlaskClient]
) -> None:
    with app.app_context():
        with acting_for(cast.other_organization):
            theirs = factories.make_lease()
        by_mona(cast)
        with acting_for(cast.organization):
            # An import's memory that names the number of another organization's lease.
            begin_write()
            made = db.session.scalars(select(Import.id)).one()
            db.session.add(ImportRecord(import_id=made, kind="leases", record_id=theirs))
            db.session.commit()
    assert "Taken over" not in " ".join(time_line(sign_in("charlie"), f"/leases/{theirs}"))


def test_the_page_asks_no_more_of_a_lease_taken_over(
    app: Flask, cast: Cast, mona: FlaskClient
) -> None:
    with app.app_context():
        with acting_for(cast.organization):
            by_hand = factories.make_lease(reference="BY-HAND")
        by_mona(cast)
        taken_over = an_imported_lease(cast)["lease"]
    counted = []
    for lease in (by_hand, taken_over):
        with statements_of(app) as said:
            mona.get(f"/leases/{lease}")
        counted.append(len(said))
    assert counted[0] == counted[1] <= MOST_QUERIES
