"""Lets some of the demonstration's rents go by an invented index, and indexes a few of them."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from proman.base.period import add_months
from proman.db import db, utc_now
from proman.demo.placing import insert_rows
from proman.demo.rows import PortfolioRows
from proman.identity.actor import Actor
from proman.leases.index_actions import index_rents
from proman.leases.index_models import IndexClause, IndexSeries, IndexValue
from proman.leases.index_queries import candidates
from proman.leases.indexing import Indexation, TakesEffect

_NAME = "Consumer price index (invented), 2015 = 100"
_MONTHS = 144
_EVERY = 3
_MOST = 60
_SINCE = timedelta(days=10)


def index_some(rows: PortfolioRows, *, seed: int, today: date, actor: Actor) -> None:
    """Twelve years of values, a clause in every third running lease, and some rents indexed.

    The notices were given ten days ago, so the new rents lie ahead of everything that was billed.
    """
    series = IndexSeries(name=_NAME)
    db.session.add(series)
    db.session.flush()
    values = list(_values(series.id, Random(f"index-{seed}"), today))
    insert_rows(IndexValue, values)
    newest = values[-1]["month"]
    insert_rows(IndexClause, list(_clauses(rows, series.id, values[0]["month"], newest)))
    due = {
        each.lease.id: each.outcome.new_rent
        for each in candidates(today - _SINCE)
        if isinstance(each.outcome, Indexation)
    }
    chosen = dict([*due.items()][: min(_MOST, len(due) // 2)])
    index_rents(chosen, today - _SINCE, today=today, actor=actor)


def _values(series_id: int, random: Random, today: date) -> Iterator[dict[str, Any]]:
    """Published on the twelfth of the month that follows, one decimal, as offices do."""
    month, value = add_months(today.replace(day=1), -_MONTHS), 100_000
    while (published_on := add_months(month, 1).replace(day=12)) <= today:
        yield {
            "series_id": series_id,
            "month": month,
            "value": value // 100 * 100,
            "published_on": published_on,
        }
        value += value * random.randrange(-1, 6) // 1000
        month = add_months(month, 1)


def _clauses(
    rows: PortfolioRows, series_id: int, oldest: date, newest: date
) -> Iterator[dict[str, Any]]:
    for place, lease in enumerate(rows.portfolio.leases):
        if lease.status != "active" or place % _EVERY:
            continue
        since = lease.rents[-1].from_day.replace(day=1)
        yield {
            "lease_id": rows.lease_ids[place],
            "series_id": series_id,
            "base_month": min(max(since, oldest), newest),
            "notice_months": 1,
            "hold_months": 12,
            "takes_effect": TakesEffect.MONTH.value,
            "threshold": 5_000 if lease.rent_tax_rate else 0,
            "recorded_at": utc_now(),
        }
