"""Which backups retention keeps, whatever the clock does."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proman.database.rules import (
    BEFORE_RESTORE,
    FLOOR,
    FOUND,
    Candidate,
    Retention,
    backup_name,
    is_stale,
    kept,
    may_delete,
    moment_of,
    to_delete,
)

NOW = datetime(2026, 11, 22, 12, 0)
POLICY = Retention()

MOMENTS = st.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2028, 1, 1))


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    """Any directory: clocks jump between backups, so times do not follow the sequence."""
    count = draw(st.integers(0, 40))
    return [
        Candidate(
            name=f"b{number}",
            sequence=number,
            created_at=draw(MOMENTS),
            reason=draw(st.sampled_from(["manual", "schedule", BEFORE_RESTORE, FOUND])),
            verified=draw(st.booleans()),
            pinned=draw(st.booleans()),
        )
        for number in range(count)
    ]


POLICIES = st.builds(
    Retention,
    last=st.integers(0, 5),
    daily=st.integers(0, 9),
    weekly=st.integers(0, 6),
    monthly=st.integers(0, 14),
) | st.builds(Retention, *[st.integers(-(10**9), 10**9)] * 4)
"""Likely ones, and whatever may stand in a file that somebody wrote by hand."""


@given(candidates(), POLICIES, MOMENTS)
def test_the_floors_hold_for_any_directory_any_policy_and_any_clock(backups, policy, now):
    gone = set(to_delete(backups, policy, now))
    verified = [one for one in backups if one.verified]
    left = [one for one in verified if one.name not in gone]
    assert len(left) >= min(FLOOR, len(verified))
    if verified:
        assert verified[-1].name not in gone
    own = [one.name for one in verified if one.reason != FOUND]
    assert not gone & set(own[-FLOOR:])
    for one in backups:
        if one.pinned or not one.verified:
            assert one.name not in gone
        if one.reason == BEFORE_RESTORE and now - one.created_at <= timedelta(days=7):
            assert one.name not in gone
    if any(one.created_at > now for one in verified):
        assert not gone


@given(candidates(), POLICIES, MOMENTS)
def test_pruning_again_at_once_removes_nothing_more(backups, policy, now):
    gone = set(to_delete(backups, policy, now))
    assert to_delete([one for one in backups if one.name not in gone], policy, now) == []


@given(candidates(), POLICIES, MOMENTS)
def test_every_backup_is_either_kept_for_a_reason_or_deleted(backups, policy, now):
    stays = kept(backups, policy, now)
    assert {one.name for one in backups} == set(stays) | set(to_delete(backups, policy, now))
    assert all(stays.values())


def nightly(days: int, **changes: object) -> list[Candidate]:
    first = NOW - timedelta(days=days)
    return [
        Candidate(f"n{day}", day, first + timedelta(days=day), **changes)  # type: ignore[arg-type]
        for day in range(1, days + 1)
    ]


def test_a_year_of_nightly_backups_keeps_days_weeks_and_months():
    backups = nightly(365)
    left = len(backups) - len(to_delete(backups, POLICY, NOW))
    reasons = list(kept(backups, POLICY, NOW).values())
    assert reasons.count("one of the last") == 3
    assert reasons.count("daily") == 4
    assert 7 + 3 <= left <= 7 + 4 + 12


@pytest.mark.fault(
    "Clock ten years ahead",
    how="retention with a moment of ten years later",
    outcome="no more goes than in any night",
)
def test_a_clock_ten_years_ahead_deletes_no_more_than_one_ordinary_night_does():
    backups = nightly(10)
    leap = Candidate("leap", 11, NOW + timedelta(days=3653))
    ordinary = Candidate("leap", 11, NOW + timedelta(days=1))
    ahead = to_delete([*backups, leap], POLICY, leap.created_at)
    assert ahead == to_delete([*backups, ordinary], POLICY, ordinary.created_at)


@pytest.mark.fault(
    "Clock set back",
    how="retention with a moment before the newest backup",
    outcome="nothing is removed",
)
def test_a_clock_that_was_set_back_deletes_nothing():
    assert to_delete(nightly(60), POLICY, NOW - timedelta(days=30)) == []


def test_a_leap_of_the_clock_does_not_age_the_backup_made_before_a_restore():
    backups = [Candidate("safety", 0, NOW - timedelta(days=1), BEFORE_RESTORE), *nightly(3)]
    assert "safety" not in to_delete(backups, Retention(1, 1, 0, 0), NOW + timedelta(days=3653))


def test_unverified_backups_do_not_push_verified_ones_out():
    backups = nightly(3) + [
        Candidate(f"u{n}", 3 + n, NOW - timedelta(minutes=n), verified=False) for n in range(1, 20)
    ]
    assert to_delete(backups, Retention(1, 0, 0, 0), NOW) == []


def test_a_person_may_not_delete_the_newest_verified_or_a_pinned_backup():
    backups = [*nightly(3), Candidate("p", 0, NOW, pinned=True)]
    assert may_delete("n1", backups) is None
    assert "newest verified" in (may_delete("n3", backups) or "")
    assert "pinned" in (may_delete("p", backups) or "")


def test_names_carry_their_moment_to_the_second():
    moment = datetime(2026, 2, 8, 2, 0, 5)
    assert backup_name(moment) == "proman-20260208-020005.sqlite"
    assert moment_of("proman-20260208-020005.sqlite") == moment
    for other in ("proman-20260208-020005.json", "proman-20261308-020005.sqlite", "x.sqlite"):
        assert moment_of(other) is None


def test_backups_are_stale_after_twice_the_interval():
    day = timedelta(days=1)
    assert is_stale(None, NOW, day)
    assert is_stale(NOW - timedelta(days=2, seconds=1), NOW, day)
    assert not is_stale(NOW - timedelta(days=2), NOW, day)
