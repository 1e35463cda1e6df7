"""Days without rent: they bear nil, and every other day bears what it bore."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proman.base.errors import Refused
from proman.billing.rules import plan
from proman.db import begin_write, db
from proman.identity.actor import system_actor
from proman.leases.actions import change_rent
from proman.leases.dated_rents import rent_free, rent_on
from proman.leases.models import Lease
from proman.leases.queries import the_lease
from proman.leases.rent_free import grant_rent_free
from proman.leases.rules import Frequency, LeaseTerms, Periods, RentChange, RentStep
from tests.conftest import Cast
from tests.factories import make_lease

FIRST = date(2026, 1, 17)
SPLIT, DEFER = RentChange.SPLIT, RentChange.DEFER


def terms(*steps: RentStep) -> LeaseTerms:
    return LeaseTerms(1, FIRST, rents=(RentStep(FIRST, 100_000), *steps))


def billed(of: LeaseTerms, until: str) -> list[tuple[str, str, int]]:
    found = plan(of, as_of=date.fromisoformat(until)).invoices
    lines = [line for invoice in found for line in invoice.lines]
    return [(str(line.first_day), str(line.last_day), line.net) for line in lines]


def test_a_month_and_a_half_without_rent() -> None:
    lease = terms()
    free = rent_free(lease, date(2026, 3, 1), date(2026, 4, 15))
    lease = replace(lease, rents=lease.rents + free)
    assert billed(lease, "2026-04-30") == [
        ("2026-01-17", "2026-01-31", 48_387),
        ("2026-02-01", "2026-02-28", 100_000),
        ("2026-04-16", "2026-04-30", 50_000),
        ("2026-05-01", "2026-05-31", 100_000),
    ]


def test_a_rise_agreed_within_the_free_days_holds_after_them() -> None:
    lease = terms(RentStep(date(2026, 3, 10), 110_000), RentStep(date(2026, 3, 20), 120_000, DEFER))
    free = rent_free(lease, date(2026, 3, 5), date(2026, 3, 24))
    lease = replace(lease, rents=lease.rents + free)
    march = [(days[0], days[1]) for days in billed(lease, "2026-03-26")][2:4]
    assert march == [("2026-03-01", "2026-03-04"), ("2026-03-25", "2026-03-31")]
    assert rent_on(lease, date(2026, 3, 25)).amount == 110_000
    assert rent_on(lease, date(2026, 4, 1)).amount == 120_000


STEPS = st.lists(
    st.builds(
        RentStep,
        st.integers(1, 200).map(lambda days: FIRST + timedelta(days)),
        st.sampled_from([0, 90_000, 110_000, 120_000]),
        st.sampled_from([SPLIT, DEFER]),
    ),
    max_size=5,
)


@given(
    STEPS,
    st.integers(0, 200),
    st.integers(0, 90),
    st.sampled_from(Frequency),
    st.sampled_from(Periods),
)
def test_every_other_day_bears_what_it_bore(
    steps: list[RentStep], after: int, length: int, frequency: Frequency, periods: Periods
) -> None:
    lease = replace(terms(*steps), frequency=frequency, periods=periods)
    first = FIRST + timedelta(after)
    last = first + timedelta(length)
    freed = replace(lease, rents=lease.rents + rent_free(lease, first, last))
    for days in range(400):
        day = FIRST + timedelta(days)
        expected = 0 if first <= day <= last else rent_on(lease, day).amount
        assert rent_on(freed, day).amount == expected, day
    assert rent_free(freed, first, last) == ()


def granted(lease_id: int, first: str, last: str) -> Lease:
    begin_write()
    actor = system_actor(db.session.info["organization_id"])
    grant_rent_free(
        the_lease(lease_id), date.fromisoformat(first), date.fromisoformat(last), actor=actor
    )
    db.session.commit()
    return the_lease(lease_id)


@pytest.mark.engines
def test_it_is_kept_beside_the_rents_agreed_before(home: Cast) -> None:
    lease = granted(make_lease(), "2026-05-01", "2026-06-30")
    kept = [(str(rent.effective_from), rent.amount) for rent in lease.rents]
    assert kept == [("2026-01-01", 100_000), ("2026-05-01", 0), ("2026-07-01", 100_000)]


def test_days_outside_the_lease_and_days_that_are_free_are_refused(home: Cast) -> None:
    lease = make_lease(status="ended", ended_on=date(2026, 8, 31))
    for first, last, why in (
        ("2025-12-31", "2026-01-31", "has not begun"),
        ("2026-08-01", "2026-09-01", "has ended"),
        ("2026-08-02", "2026-08-01", "before the first"),
    ):
        with pytest.raises(Refused, match=why):
            granted(lease, first, last)
        db.session.rollback()
    granted(lease, "2026-02-01", "2026-02-28")
    with pytest.raises(Refused, match="already"):
        granted(lease, "2026-02-10", "2026-02-12")


def changed(lease_id: int, amount: int, day: str, change: str = "split") -> list[tuple[str, int]]:
    """The rents that count after a change, by day."""
    begin_write()
    actor = system_actor(db.session.info["organization_id"])
    day_of = date.fromisoformat(day)
    change_rent(the_lease(lease_id), amount, day_of, change=change, actor=actor)
    db.session.commit()
    counting = {str(rent.effective_from): rent.amount for rent in the_lease(lease_id).rents}
    return sorted(counting.items())


def test_a_rent_set_before_or_within_the_free_days_holds_after_them(home: Cast) -> None:
    lease = granted(make_lease(), "2026-05-01", "2026-06-30").id
    assert changed(lease, 110_000, "2026-03-01")[1:] == [
        ("2026-03-01", 110_000), ("2026-05-01", 0), ("2026-07-01", 110_000)
    ]  # fmt: skip
    assert changed(lease, 50_000, "2026-06-01")[2:] == [
        ("2026-05-01", 0), ("2026-06-01", 50_000), ("2026-07-01", 50_000)
    ]  # fmt: skip


def test_what_else_was_agreed_for_later_days_holds(home: Cast) -> None:
    lease = make_lease()
    changed(lease, 130_000, "2026-09-01")
    granted(lease, "2026-05-01", "2026-06-30")
    granted(lease, "2026-10-01", "2026-10-31")
    assert changed(lease, 120_000, "2026-04-01")[1:] == [
        ("2026-04-01", 120_000), ("2026-05-01", 0), ("2026-07-01", 120_000),
        ("2026-09-01", 130_000), ("2026-10-01", 0), ("2026-11-01", 130_000),
    ]  # fmt: skip


def test_a_rent_that_waits_is_not_yet_that_of_the_day(home: Cast) -> None:
    lease = make_lease()
    changed(lease, 150_000, "2026-01-10", "defer")
    assert ("2026-01-20", 150_000) in changed(lease, 150_000, "2026-01-20")
    with pytest.raises(Refused, match="already"):
        changed(lease, 150_000, "2026-01-25")
