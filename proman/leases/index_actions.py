"""Changes of indexation: values as they are published, what leases agree on, rents indexed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from proman.base.errors import Refused
from proman.db import db, utc_now
from proman.identity import audit
from proman.identity.actor import Actor
from proman.leases.actions import change_rent
from proman.leases.index_models import IndexClause, IndexSeries, IndexValue, RentIndexation
from proman.leases.index_queries import Candidate, candidates, is_used, the_series
from proman.leases.index_wording import clause_in_words, why_in_words
from proman.leases.indexing import Indexation, TakesEffect
from proman.leases.models import Lease
from proman.leases.queries import leases_to_change

MOST_AT_ONCE = 500
_USED = (
    "A rent was reckoned from this value, so it stays as it is. Record what was published since as"
    " a value of the same month with its own day of publication."
)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a lease agrees on (see `indexing.Clause`); `threshold` in thousandths of a per cent."""

    series_id: int
    base_month: date
    notice_months: int = 1
    hold_months: int = 12
    takes_effect: str = TakesEffect.MONTH
    threshold: int = 0
    up_only: bool = False
    same_month: bool = False
    unchanged_since: date | None = None


def save_series(series: IndexSeries, name: str) -> IndexSeries:
    """Name a series, new or there already. Raises Refused where another has the name."""
    others = select(IndexSeries.id).where(IndexSeries.name == name)
    if any(found != series.id for found in db.session.scalars(others)):
        raise Refused("Another index has this name already.", "name")
    series.name = name
    db.session.add(series)
    db.session.flush()
    return series


def save_value(
    value: IndexValue, month: date, thousandths: int, published_on: date, *, today: date
) -> IndexValue:
    """Record what was published of a month (its first day), or correct what was typed wrong.

    `value` is new with its series, or there already. Raises Refused for what is not published yet
    or was published before its month began, for the same publication twice, and once a rent was
    reckoned from it.
    """
    if value.id is not None and is_used(value.id):
        raise Refused(_USED)
    if published_on > today:
        raise Refused("It is not published yet on this day.", "published_on")
    if published_on < month:
        raise Refused("It was not published before its month began.", "published_on")
    same = select(IndexValue.id).where(
        IndexValue.series_id == value.series_id,
        IndexValue.month == month,
        IndexValue.published_on == published_on,
    )
    if any(found != value.id for found in db.session.scalars(same)):
        raise Refused(f"The value of {month:%B %Y} published on this day is there.", "month")
    value.month, value.value, value.published_on = month, thousandths, published_on
    db.session.add(value)
    db.session.flush()
    return value


def remove_value(value: IndexValue) -> None:
    """Take away a value that was typed wrong. Raises Refused once a rent was reckoned from it."""
    if is_used(value.id):
        raise Refused(_USED)
    db.session.delete(value)
    db.session.flush()


def agree_clause(lease: Lease, agreed: Agreed, *, today: date, actor: Actor) -> IndexClause:
    """Agree on how the lease's rent goes by an index, instead of what was agreed before.

    Where index and base month stay, so does the base value that the last indexation ended with.
    Raises Refused for a lease whose last day has passed.
    """
    if lease.ended_on is not None and lease.ended_on < today:
        raise Refused("This lease has ended; its rent changes no more.")
    series = the_series(agreed.series_id)
    clause = lease.index_clause
    before = clause_in_words(clause) if clause else None
    if clause is None:
        clause = IndexClause(lease_id=lease.id)
        db.session.add(clause)
    elif (clause.series_id, clause.base_month) != (agreed.series_id, agreed.base_month):
        clause.base_value_id = None
    for key in Agreed.__dataclass_fields__:
        setattr(clause, key, getattr(agreed, key))
    clause.series = series
    clause.recorded_at, clause.recorded_by = utc_now(), actor.id
    db.session.flush()
    _tell(lease, before, clause_in_words(clause))
    return clause


def remove_clause(lease: Lease) -> None:
    """The rent goes by no index any more; what was indexed stays. Raises Refused without one."""
    clause = lease.index_clause
    if clause is None:
        raise Refused("This lease has no index clause.")
    _tell(lease, clause_in_words(clause), None)
    db.session.delete(clause)
    db.session.flush()


def _tell(lease: Lease, before: str | None, after: str | None) -> None:
    """On the lease's own time line, which stays when the clause goes."""
    if before != after:
        was, now = ({"index_clause": each} for each in (before, after))
        audit.record("changed", "leases", lease.id, lease.reference, was, now)


def index_rents(
    wanted: Mapping[int, int], notice_day: date, *, today: date, actor: Actor
) -> list[RentIndexation]:
    """Set the new rents of these leases by a notice of that day: all of them, or none.

    `wanted` is the new rent (minor units) that was shown for each lease. Must be inside a write.
    Raises Refused, naming each lease whose rent would not become that, for a day to come, and for
    too many at once.
    """
    if notice_day > today:
        raise Refused("A notice is recorded on its day or later.", "notice")
    if len(wanted) > MOST_AT_ONCE:
        raise Refused(f"{len(wanted)} rents at once; choose at most {MOST_AT_ONCE}.")
    found = {each.lease.id: each for each in candidates(notice_day, lease_ids=wanted)}
    refused = [text for key in wanted if (text := _refusal(found.get(key), wanted[key]))]
    if refused:
        raise Refused(" ".join(refused))
    leases = {lease.id: lease for lease in leases_to_change(wanted)}
    return [_index(leases[key], found[key].outcome, actor) for key in wanted]


def _refusal(candidate: Candidate | None, new_rent: int) -> str:
    if candidate is None:
        return "A lease chosen had ended by then, or has no index clause."
    outcome, lease = candidate.outcome, candidate.lease
    if not isinstance(outcome, Indexation):
        return f"{lease.reference} ({lease.tenants}): {why_in_words(outcome)}"
    if outcome.new_rent != new_rent:
        return f"{lease.reference} ({lease.tenants}): the values changed meanwhile; look again."
    return ""


def _index(lease: Lease, found: object, actor: Actor) -> RentIndexation:
    assert isinstance(found, Indexation)
    clause = lease.index_clause
    assert clause is not None
    rent = change_rent(
        lease,
        found.new_rent,
        found.effective_from,
        tax_rate=found.before.tax_rate,
        gross=found.before.gross,
        actor=actor,
    )
    clause.base_month, clause.base_value_id = found.new.month, found.new.id
    made = RentIndexation(
        lease_id=lease.id,
        rent_id=rent.id,
        base_value_id=found.base.id,
        new_value_id=found.new.id,
        old_rent=found.old_rent,
        new_rent=found.new_rent,
        notice_day=found.notice_day,
        effective_from=found.effective_from,
        recorded_by=actor.id,
    )
    db.session.add(made)
    db.session.flush()
    return made


def named(made: Sequence[RentIndexation]) -> str:
    """What was done, in words."""
    return "1 rent was indexed." if len(made) == 1 else f"{len(made)} rents were indexed."
