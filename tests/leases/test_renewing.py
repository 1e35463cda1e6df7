"""Renewing a lease, and what its page says is ahead of it."""

from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from proman.base.errors import Refused
from proman.billing.previewing import preview_change
from proman.billing.queries import plans
from proman.db import begin_write, db
from proman.identity.actor import system_actor
from proman.leases.actions import NewCharge, add_charge, change_rent
from proman.leases.agreed import terms_of
from proman.leases.ahead import ahead_of
from proman.leases.models import Lease
from proman.leases.queries import the_lease
from proman.leases.renewing import Renewal, changes_from, renew, renewed
from tests.conftest import Cast
from tests.factories import make_lease, make_unit

TODAY = date(2026, 11, 22)
LAST = date(2026, 12, 31)
HTMX = {"HX-Request": "true"}


def going_on(lease_id: int, **changes: Any) -> Lease:
    return renewed_here(lease_id, Renewal(**changes))


@pytest.mark.engines
def test_it_goes_on_with_another_rent_from_the_day_after(home: Cast) -> None:
    parking = {"amount": 5_000, "last_day": LAST}
    lease = going_on(
        make_lease(last_day=LAST, charges=[parking]),
        last_day=date(2027, 12, 31),
        rent=105_000,
        with_charges=True,
    )
    assert lease.last_day == date(2027, 12, 31)
    assert [charge.last_day for charge in lease.charges] == [date(2027, 12, 31)]
    rents = [(rent.effective_from, rent.amount) for rent in lease.rents]
    assert rents == [(date(2026, 1, 1), 100_000), (date(2027, 1, 1), 105_000)]


def test_the_rent_and_the_charges_stay_unless_it_is_said(home: Cast) -> None:
    lease = going_on(
        make_lease(last_day=LAST, charges=[{"amount": 5_000, "last_day": LAST}]), last_day=None
    )
    assert lease.last_day is None
    assert [charge.last_day for charge in lease.charges] == [LAST]
    assert len(lease.rents) == 1


def test_a_held_over_lease_is_renewed(home: Cast) -> None:
    lease = going_on(make_lease(last_day=date(2026, 6, 30)), last_day=date(2027, 6, 30))
    assert lease.last_day == date(2027, 6, 30)


@pytest.mark.parametrize(
    ("lease", "last_day", "why"),
    [
        ({"last_day": None}, date(2027, 1, 1), "no last day"),
        ({"last_day": LAST}, LAST, "after the old one"),
        ({"last_day": date(2026, 6, 30)}, TODAY, "after the old one"),
        ({"status": "ended", "ended_on": LAST}, date(2027, 1, 1), "Only an active"),
        ({"status": "draft", "last_day": LAST}, date(2027, 1, 1), "Only an active"),
    ],
)
def test_what_cannot_be_renewed_says_why(
    home: Cast, lease: dict[str, Any], last_day: date, why: str
) -> None:
    with pytest.raises(Refused, match=why):
        going_on(make_lease(**lease), last_day=last_day)


def test_the_next_lease_of_the_unit_is_in_the_way(home: Cast) -> None:
    unit = make_unit()
    lease = make_lease(unit, last_day=LAST)
    make_lease(unit, first_day=date(2027, 3, 1), reference="NEXT")
    with pytest.raises(Refused, match="NEXT"):
        going_on(lease, last_day=None)
    db.session.rollback()
    assert going_on(lease, last_day=date(2027, 2, 28)).last_day == date(2027, 2, 28)


def test_what_is_ahead_is_told_in_order(home: Cast) -> None:
    unit = make_unit()
    lease_id = make_lease(unit, last_day=LAST)
    make_lease(unit, first_day=date(2027, 3, 1))
    begin_write()
    lease, actor = the_lease(lease_id), system_actor(db.session.info["organization_id"])
    change_rent(lease, 0, date(2026, 12, 1), actor=actor)
    parking = NewCharge("parking", "Space 4", 5_000, date(2026, 11, 1), date(2026, 11, 30))
    add_charge(lease, parking, today=TODAY, actor=actor)
    lease.parties[0].left_on = date(2026, 12, 14)
    told = [(one.day, one.text) for one in ahead_of(lease, date(2027, 3, 1), TODAY)]
    name = lease.parties[0].tenant.name
    assert told == [
        (date(2026, 11, 30), "Space 4 is charged for the last time"),
        (date(2026, 12, 1), "Rent-free"),
        (date(2026, 12, 15), f"{name} is no longer on the lease"),
        (LAST, "The agreed last day"),
        (date(2027, 3, 1), "The unit’s next lease begins"),
    ]
    assert ahead_of(lease, None, date(2027, 1, 1)) == []


def test_pages_renew_and_grant_free_days(home: Cast, mona: FlaskClient) -> None:
    today = date.today()
    last = today + timedelta(days=60)
    lease_id = make_lease(last_day=last)
    here, money = f"/leases/{lease_id}", f"/billing/leases/{lease_id}"
    assert f"{here}/renewals/new" in mona.get(here).text
    form = {"last_day": (last + timedelta(days=365)).isoformat(), "rent": "1,050.00"}
    assert "1,050.00" in mona.post(f"{money}/renewal-preview", data=form, headers=HTMX).text
    assert mona.post(f"{here}/renewals", data={"last_day": today.isoformat()}).status_code == 422
    assert mona.post(f"{here}/renewals", data=form).status_code == 303
    page = mona.get(here).text
    assert "The agreed last day" in page
    assert "1,050.00" in page
    days = {"first_day": (last + timedelta(days=1)).isoformat(), "last_day": "2099-01-31"}
    wrong = {"first_day": "2099-01-31", "last_day": "2099-01-01"}
    assert mona.get(f"{here}/rent-free/new").status_code == 200
    assert "before the first" in mona.post(f"{here}/rent-free", data=wrong).text
    preview = mona.post(f"{money}/rent-free-preview", data=days, headers=HTMX)
    assert preview.status_code == 200
    assert mona.post(f"{here}/rent-free", data=days).status_code == 303
    assert "Rent-free" in mona.get(here).text


@pytest.mark.parametrize(
    ("terms", "renewal"),
    [
        ({}, {"rent": 120_000}),
        ({"holding_over": "stop", "last_day": date(2026, 8, 31)}, {"last_day": date(2027, 8, 31)}),
        ({"timing": "arrears", "proration": "days_365"}, {"rent": 110_000, "with_charges": True}),
        ({"last_day": date(2027, 4, 21)}, {"rent": 300_000, "rent_from": date(2027, 4, 22)}),
        ({}, {"last_day": date(2026, 12, 22), "with_charges": True}),
        ({"later": True}, {"rent": 190_000, "rent_from": date(2027, 1, 15)}),
    ],
)
def test_the_preview_is_what_is_billed_then(
    home: Cast, terms: dict[str, Any], renewal: dict[str, Any]
) -> None:
    own = {"last_day": date(2026, 12, 19), "first_day": date(2026, 7, 1)} | terms
    is_later = own.pop("later", False)
    parking = {"amount": 5_000, "last_day": own["last_day"]}
    lease_id = make_lease(charges=[parking], **own)
    if is_later:
        begin_write()
        actor = system_actor(db.session.info["organization_id"])
        later = date(2026, 12, 10)
        change_rent(the_lease(lease_id), 170_000, later, change="defer", actor=actor)
        db.session.commit()
    wanted = Renewal(**({"last_day": None} | renewal))
    first = changes_from(terms_of(the_lease(lease_id)), wanted)
    shown = preview_change(lease_id, TODAY, first, lambda found: renewed(found, wanted))
    renewed_lease = renewed_here(lease_id, wanted)
    (planned,) = plans(TODAY + timedelta(days=395), [renewed_lease.id])
    billed = [one for one in planned.invoices if one.last_day >= first][: len(shown)]
    assert len(shown) >= 1
    assert [(one.due_date, one.total) for one in shown] == [
        (one.due_date, one.total) for one in billed
    ]


def renewed_here(lease_id: int, wanted: Renewal) -> Lease:
    begin_write()
    actor = system_actor(db.session.info["organization_id"])
    renew(the_lease(lease_id), wanted, today=TODAY, actor=actor)
    db.session.commit()
    return the_lease(lease_id)
