"""Loads the demonstration portfolio: all of it in one stroke, or nothing."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

from proman.base.errors import Refused
from proman.billing.late import LatePolicy
from proman.billing.late_charging import charge_late_invoices, decide
from proman.db import db, utc_now
from proman.demo import placing
from proman.demo.costs import draw_costs, spend
from proman.demo.generator import generate
from proman.demo.indexing import index_some
from proman.demo.months import Months
from proman.demo.queries import organization_names
from proman.demo.reminding import remind
from proman.identity import audit
from proman.identity.actor import Actor
from proman.identity.session import today_in

DEFAULT_PASSWORD = "look around freely"
_LATE_FEES = LatePolicy(grace_days=5, rate=3_000, minimum=10_000, cap=5_000)
_LATE_SINCE = timedelta(days=75)
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the demonstration is to hold; `today` is its last day."""

    leases: int
    months: int
    seed: int
    today: date


def demonstration_today() -> date:
    """Today where the demonstration's business is."""
    return today_in(placing.BUSINESS.time_zone)


def load_demonstration(wanted: Wanted, password_hash: str, tell: Tell) -> int:
    """Make the organization, its logins, its portfolio and its money; returns its id.

    `tell` hears how many steps of how many are done. Must be inside a write, which the caller
    commits: all of it or nothing. Raises Refused for a database that holds real data, or the
    demonstration already.
    """
    refuse_real_data()
    portfolio = generate(
        leases=wanted.leases, months=wanted.months, seed=wanted.seed, today=wanted.today
    )
    organization = placing.place_organization(utc_now())
    with _working_for(organization.id):
        users = placing.place_logins(password_hash, utc_now())
        manager = users["manager"]
        actor = Actor(manager.id, organization.id, manager.role, manager.name)
        rows = placing.place_portfolio(portfolio, utc_now())
        placing.place_portal_access(users["tenant"], rows.tenant_ids[0], utc_now())
        with _without_collections():
            Months(rows, seed=wanted.seed, actor=actor).live_through(tell)
            spend(draw_costs(portfolio, wanted.seed), rows.property_ids, actor=actor)
            decide(_LATE_FEES, today=wanted.today - _LATE_SINCE, actor=actor)
            charge_late_invoices(today=wanted.today, actor=actor)
            remind(wanted.today, actor=actor)
            index_some(rows, seed=wanted.seed, today=wanted.today, actor=actor)
        size = {"leases": wanted.leases, "months": wanted.months, "seed": wanted.seed}
        audit.record("loaded", "organizations", organization.id, organization.name, after=size)
    return organization.id


@contextmanager
def _without_collections() -> Iterator[None]:
    """Hundreds of thousands of rows pass by and none is part of a cycle: a sixth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _working_for(organization_id: int) -> Iterator[None]:
    """The session works for the new organization inside the same write that made it."""
    before = db.session.info.get("organization_id")
    db.session.info["organization_id"] = organization_id
    try:
        yield
        db.session.flush()
    finally:
        db.session.info["organization_id"] = before


def refuse_real_data() -> None:
    """Refuse a database with any organization that the demonstration did not make, and a second
    demonstration."""
    real = organization_names(is_demonstration=False)
    if real:
        raise Refused(
            f"This database holds real data ({', '.join(real[:3])}). Load the demonstration into"
            " an empty one, for example with PROMAN_DATA_DIR=./demonstration."
        )
    if organization_names(is_demonstration=True):
        raise Refused("The demonstration is loaded already; sign in as admin@example.com.")
