"""Moving to another unit: one lease ends the day before, one of the same terms begins."""

from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from proman.base.errors import Refused
from proman.billing.actions import run_billing
from proman.billing.models import Invoice
from proman.billing.transferring import Transfer, Transferred, transfer_lease
from proman.db import begin_write, db
from proman.identity.actor import system_actor
from proman.leases.actions import change_rent
from proman.leases.models import Lease
from proman.leases.queries import the_lease
from tests.billing.books import breaches
from tests.conftest import Cast
from tests.factories import make_lease, make_tenant, make_unit

TODAY = date(2026, 11, 22)
MOVES = date(2026, 11, 16)
HTMX = {"HX-Request": "true"}


def actor() -> Any:
    return system_actor(db.session.info["organization_id"])


def moved(lease_id: int, unit_id: int, **changes: Any) -> Transferred:
    begin_write()
    wanted = {"moves_on": MOVES, "unit_id": unit_id, "rent": 120_000, "deposit": 240_000}
    done = transfer_lease(lease_id, Transfer(**(wanted | changes)), today=TODAY, actor=actor())
    db.session.commit()
    return done


def billed(until: date, *leases: int) -> None:
    begin_write()
    run_billing(until, today=until, actor=actor(), lease_ids=list(leases))
    db.session.commit()


@pytest.mark.engines
def test_the_old_days_are_credited_and_the_new_ones_billed(home: Cast) -> None:
    parking = {"amount": 5_000}
    gone = {"amount": 1_000, "description": "Garden", "last_day": date(2026, 10, 31)}
    anna, ben = make_tenant(name="Anna"), make_tenant(name="Ben")
    old = make_lease(
        tenant_ids=[anna, ben],
        first_day=date(2026, 11, 1),
        last_day=date(2027, 10, 31),
        charges=[parking, gone | {"first_day": date(2026, 10, 1)}],
        deposit=200_000,
    )
    begin_write()
    the_lease(old).parties[1].left_on = date(2026, 11, 10)
    db.session.commit()
    billed(date(2026, 11, 1), old)
    done = moved(old, make_unit())
    ended, new = the_lease(old), the_lease(done.lease.id)
    assert (ended.status, ended.ended_on) == ("ended", date(2026, 11, 15))
    assert [note.total for note in done.credits] == [52_500]
    assert (new.first_day, new.last_day) == (MOVES, date(2027, 10, 31))
    assert [party.tenant_id for party in new.parties] == [anna]
    assert [(rent.effective_from, rent.amount) for rent in new.rents] == [(MOVES, 120_000)]
    assert [(c.description, c.amount, c.first_day) for c in new.charges] == [
        ("Parking space", 5_000, MOVES)
    ]
    assert new.deposit == 240_000
    assert ended.reference in new.notes
    billed(MOVES, old, new.id)
    totals = db.session.scalars(select(Invoice.total).where(Invoice.lease_id == new.id)).all()
    assert totals == [62_500]
    assert breaches() == []


def test_what_was_agreed_for_the_old_unit_alone_stays_there(home: Cast) -> None:
    old = make_lease(last_day=date(2026, 11, 15), charges=[{"amount": 5_000}])
    begin_write()
    change_rent(the_lease(old), 110_000, date(2027, 1, 1), actor=actor())
    db.session.commit()
    new = the_lease(moved(old, make_unit(), with_charges=False).lease.id)
    assert new.last_day is None
    assert [rent.amount for rent in new.rents] == [120_000]
    assert new.charges == []


def test_what_cannot_move_says_why_and_changes_nothing(home: Cast) -> None:
    unit, other = make_unit(), make_unit()
    lease = make_lease(unit)
    make_lease(other, first_day=date(2027, 1, 1), reference="NEXT")
    cases: list[tuple[int, dict[str, Any], str, str]] = [
        (unit, {}, "unit_id", "of this unit already"),
        (other, {}, "unit_id", "NEXT"),
        (make_unit(), {"moves_on": date(2026, 1, 1)}, "moves_on", "before its first"),
    ]
    for unit_id, changes, field, why in cases:
        with pytest.raises(Refused, match=why) as refused:
            moved(lease, unit_id, **changes)
        assert refused.value.field == field
        db.session.rollback()
        assert the_lease(lease).status == "active"
        assert len(db.session.scalars(select(Lease)).all()) == 2


def test_the_page_shows_the_money_first_and_moves(home: Cast, mona: FlaskClient) -> None:
    lease, unit = make_lease(reference="OLD"), make_unit(label="The loft")
    here = f"/billing/leases/{lease}/transfer"
    assert here in mona.get(f"/leases/{lease}").text
    assert "The loft" in mona.get(f"{here}?unit_q=loft", headers=HTMX).text
    assert "No other unit" in mona.get(f"{here}?unit_q=nowhere").text
    assert mona.get(f"{here}?moves_on=nonsense").status_code == 422
    chosen = mona.get(f"{here}?unit_id={unit}&moves_on=2026-12-01")
    assert "Deposit held" in chosen.text
    assert "Move on" in chosen.text
    form = {"unit_id": unit, "moves_on": "2026-12-01", "rent": "1,300.00", "deposit": ""}
    assert "1,300.00" in mona.post(f"{here}-preview", data=form, headers=HTMX).text
    refused = mona.post(here, data=form | {"rent": "much"})
    assert refused.status_code == 422
    assert "The loft" in refused.text
    done = mona.post(here, data=form)
    assert done.status_code == 303
    new = mona.get(done.location).text
    assert "1,300.00" in new
    db.session.rollback()
    assert str(the_lease(lease).ended_on) == "2026-11-30"
