"""Tells what happened to a lease, when and by whom, in words."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from proman.identity.history import Event, Happening, Told, time_line
from proman.leases.index_models import RentIndexation
from proman.leases.index_wording import calculation_in_words
from proman.leases.models import Lease
from proman.web.filters import day, money

WORDS = {
    "reference": "reference",
    "due_rule": "due day",
    "lead_days": "days before due",
    "holding_over": "what follows the agreed last day",
    "deposit": "deposit agreed",
    "notes": "notes",
    "frequency": "frequency",
    "periods": "periods",
    "timing": "timing",
    "proration": "part-periods",
    "first_day": "first day",
    "unit_id": "unit",
}
BEGUN = Told("Lease recorded", icon="file-plus")


def lease_history(lease: Lease) -> list[Event]:
    """The newest events of the lease, its rents, charges and tenants."""
    subjects = {
        "leases": [lease.id],
        "rents": [rent.id for rent in lease.rents],
        "charges": [charge.id for charge in lease.charges],
        "lease_parties": [party.id for party in lease.parties],
    }
    names = {party.id: party.tenant.name for party in lease.parties}
    indexed = {rent.id: rent.indexation for rent in lease.rents if rent.indexation}
    charges = {charge.id: charge.description for charge in lease.charges}
    return time_line(
        ("leases", lease.id),
        subjects,
        lambda one: _told(one, names, charges, indexed),
        BEGUN,
        lease.created_at,
    )


def _told(
    one: Happening,
    names: dict[int, str],
    charges: dict[int, str],
    indexed: dict[int, RentIndexation],
) -> Iterator[Told]:
    if one.subject_type == "leases":
        yield from _lease(one)
    elif one.subject_type == "rents" and one.action == "created":
        amount, from_day = money(one.after.get("amount", 0)), _day(one.after["effective_from"])
        words = f"Rent set to {amount} from {from_day}"
        if one.subject_id in indexed:
            how = calculation_in_words(indexed[one.subject_id])
            yield Told(f"Rent indexed from {from_day}: {how}", icon="math-function")
        else:
            is_free = not one.after.get("amount")
            yield Told(f"Rent-free from {from_day}" if is_free else words, icon="cash")
    elif one.subject_type == "charges":
        what = charges.get(one.subject_id, "Charge")
        if one.action == "created":
            amount, from_day = money(one.after.get("amount", 0)), _day(one.after["first_day"])
            yield Told(f"{what} charged with {amount} from {from_day}", icon="receipt")
        elif "last_day" in one.after:
            yield Told(f"{what} charged to {_day(one.after['last_day'])}", icon="receipt-off")
    elif one.subject_type == "lease_parties":
        yield from _party(one, names.get(one.subject_id, "A tenant"))


def _lease(one: Happening) -> Iterator[Told]:
    if one.action == "created":
        is_draft = one.after.get("status") == "draft"
        yield Told("Lease drafted" if is_draft else "Lease made", icon="file-plus")
        return
    if one.after.get("status") == "active":
        yield Told("Lease activated", icon="player-play")
    if one.after.get("ended_on"):
        yield Told(f"Lease ended on {_day(one.after['ended_on'])}", icon="calendar-off")
    if "last_day" in one.after:
        until = _day(one.after["last_day"]) or "no last day"
        yield Told(f"Agreed last day is now {until}", icon="calendar")
    if "index_clause" in one.after or "index_clause" in one.before:
        agreed = one.after.get("index_clause")
        words = f"Index clause agreed: {agreed}" if agreed else "Index clause taken away"
        yield Told(words, icon="math-function")
    changed = [WORDS[key] for key in one.after if key in WORDS]
    if changed:
        yield Told("Changed: " + ", ".join(changed), icon="pencil")


def _party(one: Happening, name: str) -> Iterator[Told]:
    if one.action == "created":
        since = one.after.get("joined_on")
        when = f" from {_day(since)}" if since else ""
        yield Told(f"{name} is on the lease{when}", icon="user-plus")
    elif one.after.get("left_on"):
        yield Told(f"{name} is on the lease to {_day(one.after['left_on'])}", icon="user-minus")
    elif one.before.get("left_on"):
        left = _day(one.before["left_on"])
        yield Told(f"{name} stays on the lease; leaving on {left} is taken back", icon="user-plus")


def _day(value: Any) -> str:
    return day(date.fromisoformat(value)) if value else ""
