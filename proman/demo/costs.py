"""Draws what the demonstration's properties cost, and writes it in bulk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from proman.base.period import add_months
from proman.db import utc_now
from proman.demo.placing import insert_rows
from proman.demo.values import DemoProperty, Portfolio
from proman.expenses.models import Expense
from proman.identity.actor import Actor
from proman.ledger.actions import Concerning, Event, post_many

SHARED_FEE = 48_000
"""What the bookkeeping of the whole business costs in a month, minor units."""
_EVERY, _QUARTERLY = range(1, 13), (2, 5, 8, 11)
USUAL = (
    ("maintenance", "Hausmeister Brandt", 28, 4, _EVERY),
    ("property_tax", "City treasury", 15, 11, _QUARTERLY),
    ("utilities", "Stadtwerke", 9, 22, _QUARTERLY),
    ("insurance", "Hansa Versicherung", 5, 35, (1,)),
)
"""Category, who is paid, the day, per cent of a month's market rents, the months of the year."""
REPAIRS = (
    ("Sanitär Ostermann", "Drain cleared"),
    ("Elektro Jansen", "Stairwell light replaced"),
    ("Tischlerei Feld", "Front door adjusted"),
    ("Dach & Rinne Kolb", "Gutter repaired"),
    ("Heizung Albers", "Boiler serviced"),
)
_AT_ONCE = 4_000


@dataclass(frozen=True, slots=True)
class Cost:
    """Money spent on the property at a position, or on none; minor units."""

    property_index: int | None
    category: str
    paid_on: date
    supplier: str
    reference: str
    description: str
    amount: int


def draw_costs(portfolio: Portfolio, seed: int) -> list[Cost]:
    """Every cost from the first billed month up to today, in order of days."""
    found: list[Cost] = []
    for index, building in enumerate(portfolio.properties):
        random = Random(f"costs-{seed}-{index}")
        month = portfolio.starts_on
        while month <= portfolio.today:
            found += _month(index, building, month, random)
            month = add_months(month, 1)
    month = portfolio.starts_on
    while month <= portfolio.today:
        found.append(_cost(None, "advice", month.replace(day=20), "Kanzlei Behrens", SHARED_FEE))
        month = add_months(month, 1)
    due = [cost for cost in found if cost.paid_on <= portfolio.today]
    return sorted(due, key=lambda cost: (cost.paid_on, cost.property_index or 0, cost.category))


def _month(index: int, building: DemoProperty, month: date, random: Random) -> Iterator[Cost]:
    rents = sum(unit.market_rent for unit in building.units)
    yield _cost(index, "maintenance", month.replace(day=28), "Hausmeister Brandt", rents * 4 // 100)
    if month.month % 3 == 2:
        yield _cost(
            index, "property_tax", month.replace(day=15), "City treasury", rents * 11 // 100
        )
        yield _cost(index, "utilities", month.replace(day=9), "Stadtwerke", rents * 22 // 100)
    if month.month == 1:
        yield _cost(
            index, "insurance", month.replace(day=5), "Hansa Versicherung", rents * 35 // 100
        )
    if random.randrange(100) < 25:
        supplier, description = random.choice(REPAIRS)
        amount = random.randrange(9_000, 85_000)
        day = month.replace(day=random.randrange(1, 28))
        bill = f"R-{random.randrange(10_000, 99_999)}"
        yield Cost(index, "repairs", day, supplier, bill, description, amount)


def _cost(index: int | None, category: str, on: date, supplier: str, amount: int) -> Cost:
    return Cost(index, category, on, supplier, f"{on:%Y-%m}", "", max(amount, 1))


def spend(costs: Sequence[Cost], property_ids: Sequence[int], *, actor: Actor) -> None:
    """Write the costs, each with its entry."""
    now = utc_now()
    for begin in range(0, len(costs), _AT_ONCE):
        batch = costs[begin : begin + _AT_ONCE]
        places = [
            None if cost.property_index is None else property_ids[cost.property_index]
            for cost in batch
        ]
        entries = post_many(
            (_event(cost, place) for cost, place in zip(batch, places, strict=True)), actor=actor
        )
        insert_rows(
            Expense,
            (
                {
                    "property_id": place,
                    "category": cost.category,
                    "paid_on": cost.paid_on,
                    "supplier": cost.supplier,
                    "reference": cost.reference,
                    "description": cost.description,
                    "amount": cost.amount,
                    "entry_id": entry_id,
                    "recorded_at": now,
                    "recorded_by": actor.id,
                }
                for cost, place, entry_id in zip(batch, places, entries, strict=True)
            ),
        )


def _event(cost: Cost, property_id: int | None) -> Event:
    explanation = f"{cost.supplier} {cost.reference}"
    about = Concerning(property_id=property_id)
    return Event("expense", cost.paid_on, {"amount": cost.amount}, about, explanation)
