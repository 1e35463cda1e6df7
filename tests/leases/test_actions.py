"""Writing, activating and changing leases."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from proman.base.errors import Refused
from proman.db import begin_write, db
from proman.identity.actor import system_actor
from proman.leases import actions
from proman.leases.actions import Agreement, NewCharge, Signer
from proman.leases.models import Lease
from proman.leases.queries import the_lease
from proman.tenants.models import Tenant
from tests.conftest import Cast
from tests.factories import make_lease, make_tenant, make_unit

TODAY = date(2026, 11, 22)


def agreement(unit_id: int, *signers: Signer, **changes: object) -> Agreement:
    """1,000.00 a month from 17 March 2027, due on the last day."""
    values: dict[str, object] = {
        "unit_id": unit_id,
        "signers": signers or (Signer(name="Anna Petersen", email="anna@example.com"),),
        "first_day": date(2027, 3, 17),
        "last_day": None,
        "rent": 100_000,
        "rent_tax_rate": 0,
        "rent_gross": False,
        "frequency": "monthly",
        "periods": "calendar",
        "timing": "advance",
        "due_rule": "day:31",
        "lead_days": 5,
        "proration": "actual",
        "holding_over": "continue",
        "deposit": 200_000,
        "reference": "",
        "notes": "",
        "charges": (),
    }
    return Agreement(**(values | changes))  # type: ignore[arg-type]


def write(made: Agreement, *, active: bool = True) -> Lease:
    begin_write()
    actor = system_actor(db.session.info["organization_id"])
    lease = actions.write_lease(made, active=active, actor=actor)
    db.session.commit()
    return the_lease(lease.id)


def test_a_lease_makes_its_tenants_on_the_way(home: Cast) -> None:
    known = make_tenant(name="Zoë")
    parking = NewCharge("parking", "Space 4", 5_000, date(2027, 4, 1))
    lease = write(
        agreement(
            make_unit(),
            Signer(name="Anna Petersen", email="anna@example.com"),
            Signer(tenant_id=known),
            charges=(parking,),
        )
    )
    assert [party.tenant.name for party in lease.parties] == ["Anna Petersen", "Zoë"]
    assert [(rent.effective_from, rent.amount) for rent in lease.rents] == [
        (date(2027, 3, 17), 100_000)
    ]
    assert [charge.description for charge in lease.charges] == ["Space 4"]
    assert (lease.status, lease.reference) == ("active", "L-00001")


def test_references_go_on_and_are_never_twice(home: Cast) -> None:
    write(agreement(make_unit(), reference="L-00002"))
    second = agreement(make_unit(), Signer(name="B"))
    assert write(second).reference == "L-00003"
    with pytest.raises(Refused, match="L-00002") as caught:
        write(agreement(make_unit(), Signer(name="C"), reference="L-00002"))
    assert caught.value.field == "reference"


def test_an_email_of_another_tenant_is_refused_and_nothing_is_kept(home: Cast) -> None:
    make_tenant(name="Anna P.", email="anna@example.com")
    with pytest.raises(Refused, match=r"Anna P\.") as caught:
        write(agreement(make_unit()))
    assert caught.value.field == "tenants-0-email"
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Tenant)) == 1


@pytest.mark.parametrize(
    ("first", "last", "refused"),
    [
        (date(2027, 3, 1), date(2027, 3, 16), False),
        (date(2027, 3, 1), date(2027, 3, 17), True),
        (date(2027, 3, 1), None, True),
        (date(2027, 6, 30), None, True),
        (date(2027, 7, 1), None, False),
        (date(2027, 4, 1), date(2027, 4, 2), True),
    ],
)
def test_two_leases_of_a_unit_never_overlap(
    home: Cast, first: date, last: date | None, refused: bool
) -> None:
    unit = make_unit()
    write(agreement(unit, last_day=date(2027, 6, 30)))
    other = agreement(unit, Signer(name="B"), first_day=first, last_day=last)
    if not refused:
        assert write(other).status == "active"
        return
    with pytest.raises(Refused, match=r"L-00001 \(Anna Petersen\)") as caught:
        write(other)
    assert caught.value.field == "first_day"


def test_the_database_itself_refuses_an_overlap(home: Cast) -> None:
    unit = make_unit()
    write(agreement(unit))
    with pytest.raises(IntegrityError, match="leases_overlap"):
        make_lease(unit, first_day=date(2028, 1, 1))
    db.session.rollback()


def test_a_draft_waits_and_is_written_anew(home: Cast) -> None:
    unit, other = make_unit(), make_unit()
    write(agreement(unit))
    draft = write(agreement(unit, Signer(name="B")), active=False)
    assert draft.status == "draft"
    begin_write()
    lease = the_lease(draft.id)
    with pytest.raises(Refused, match="L-00001"):
        actions.activate(lease)
    actor = system_actor(home.organization)
    changed = agreement(other, Signer(name="C"), rent=90_000, reference=draft.reference)
    actions.rewrite_draft(lease, changed, active=True, actor=actor)
    db.session.commit()
    lease = the_lease(draft.id)
    assert lease.status == "active"
    assert [party.tenant.name for party in lease.parties] == ["C"]
    assert [rent.amount for rent in lease.rents] == [90_000]
    with pytest.raises(Refused, match="Only a draft"):
        actions.rewrite_draft(lease, changed, active=True, actor=actor)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"last_day": date(2027, 3, 16)}, "last_day"),
        ({"signers": ()}, "tenants"),
        ({"due_rule": "day:32"}, "due_rule"),
        ({"signers": (Signer(tenant_id=999_999),)}, "tenants"),
    ],
)
def test_what_contradicts_itself_is_refused(
    home: Cast, changes: dict[str, object], field: str
) -> None:
    made = replace(agreement(make_unit()), **changes)  # type: ignore[arg-type]
    with pytest.raises(Refused) as caught:
        write(made)
    assert caught.value.field == field


def test_a_tenant_signs_once(home: Cast) -> None:
    known = make_tenant(name="Zoë")
    with pytest.raises(Refused, match="Zoë is named twice"):
        write(agreement(make_unit(), Signer(tenant_id=known), Signer(tenant_id=known)))


def test_a_rent_changes_from_a_day_on(home: Cast) -> None:
    lease = the_lease(make_lease())
    actor = system_actor(home.organization)
    begin_write()
    lease = the_lease(lease.id)
    actions.change_rent(lease, 110_000, date(2026, 4, 17), actor=actor)
    for day, field in ((date(2025, 12, 31), "effective_from"), (date(2026, 5, 1), "amount")):
        with pytest.raises(Refused) as caught:
            actions.change_rent(lease, 110_000, day, actor=actor)
        assert caught.value.field == field
    db.session.commit()
    assert [rent.amount for rent in the_lease(lease.id).rents] == [100_000, 110_000]


def test_a_charge_ends_on_a_day_of_its_own(home: Cast) -> None:
    begin_write()
    lease = the_lease(make_lease())
    begin_write()
    lease = the_lease(lease.id)
    actor = system_actor(home.organization)
    parking = NewCharge("parking", "Space 4", 5_000, date(2026, 2, 1))
    charge = actions.add_charge(lease, parking, today=TODAY, actor=actor)
    with pytest.raises(Refused, match="before the charge begins"):
        actions.end_charge(charge, date(2026, 1, 31))
    actions.end_charge(charge, date(2026, 2, 1))
    once = replace(parking, recurrence="once")
    with pytest.raises(Refused, match="one-off"):
        actions.end_charge(
            actions.add_charge(lease, once, today=TODAY, actor=actor), date(2026, 3, 1)
        )
    early = replace(parking, first_day=date(2025, 12, 1))
    with pytest.raises(Refused, match="not begun"):
        actions.add_charge(lease, early, today=TODAY, actor=actor)
    db.session.commit()


def test_a_lease_that_will_end_takes_charges_until_its_last_day(home: Cast) -> None:
    last = date(2026, 12, 31)
    begin_write()
    lease = the_lease(make_lease(status="ended", ended_on=last))
    begin_write()
    lease = the_lease(lease.id)
    actor = system_actor(home.organization)
    parking = NewCharge("parking", "Space 4", 5_000, last)
    for day in (TODAY, last):
        actions.add_charge(lease, parking, today=day, actor=actor)
    for charge, today, words in (
        (replace(parking, first_day=date(2027, 1, 1)), TODAY, "ended by then"),
        (parking, date(2027, 1, 1), "only a one-off charge"),
    ):
        with pytest.raises(Refused, match=words):
            actions.add_charge(lease, charge, today=today, actor=actor)
    once = replace(parking, first_day=date(2027, 1, 15), recurrence="once")
    actions.add_charge(lease, once, today=date(2027, 1, 15), actor=actor)
    db.session.commit()
    assert len(the_lease(lease.id).charges) == 3


def standing(lease: Lease, **changes: object) -> None:
    values = {
        key: getattr(lease, key)
        for key in "last_day reference due_rule lead_days holding_over deposit notes".split()
    }
    actions.change_standing_terms(lease, today=TODAY, **(values | changes))


def test_the_agreed_last_day_moves_but_not_into_the_past(home: Cast) -> None:
    unit = make_unit()
    lease_id = make_lease(unit, last_day=date(2026, 12, 31))
    make_lease(unit, first_day=date(2027, 2, 1))
    begin_write()
    lease = the_lease(lease_id)
    standing(lease, last_day=date(2027, 1, 31))
    for day, words in ((date(2026, 11, 21), "today or later"), (date(2027, 2, 1), "holds")):
        with pytest.raises(Refused, match=words) as caught:
            standing(lease, last_day=day)
        assert caught.value.field == "last_day"
    db.session.commit()
    assert the_lease(lease_id).last_day == date(2027, 1, 31)
