"""Draws the demonstration's properties: houses, apartment buildings, offices and shops."""

from random import Random

from proman.demo.names import BUILDING_KINDS, BUILDING_STEMS, CITIES, STREET_KINDS, STREET_STEMS
from proman.demo.values import DemoProperty, DemoUnit

OPENING = (("apartments", 4), ("house", 1), ("mixed", 4), ("house", 1), ("commercial", 4))
"""Kind and most units of the first properties, so that a small portfolio shows every kind."""
KIND_WEIGHTS = (("apartments", 58), ("house", 24), ("mixed", 12), ("commercial", 6))
POSTAL_LETTERS = "ACDEFHKNPRTVWXY"
STEP = 500
"""Rents are multiples of this many minor units."""


def draw_property(random: Random, index: int, units_wanted: int) -> DemoProperty:
    """The `index`-th property; no more units than still wanted (at least one)."""
    kind, most = OPENING[index] if index < len(OPENING) else (_draw_kind(random), 48)
    street = f"{random.choice(STREET_STEMS)} {random.choice(STREET_KINDS)}"
    address = f"{random.randrange(1, 180)} {street}"
    city, routing = random.choice(CITIES)
    units = _draw_units(random, kind, max(1, min(most, units_wanted)))
    name = address if kind == "house" else _building_name(random, street)
    return DemoProperty(name, kind, address, _postal_code(random, routing), city, units)


def _draw_kind(random: Random) -> str:
    return random.choices([row[0] for row in KIND_WEIGHTS], [row[1] for row in KIND_WEIGHTS])[0]


def _building_name(random: Random, street: str) -> str:
    return f"{random.choice(BUILDING_STEMS)} {random.choice(BUILDING_KINDS)}, {street}"


def _postal_code(random: Random, routing: str) -> str:
    tail = "".join(
        random.choice(POSTAL_LETTERS if place % 2 == 0 else "0123456789") for place in range(4)
    )
    return f"{routing} {tail}"


def _draw_units(random: Random, kind: str, wanted: int) -> tuple[DemoUnit, ...]:
    if kind == "house":
        return (_house(random),)
    if kind == "commercial":
        count = min(wanted, random.randrange(4, 13))
        return tuple(_office(random, number) for number in range(1, count + 1))
    count = min(wanted, random.choice((6, 8, 9, 12, 12, 16, 20, 24, 32, 40, 48)))
    shops = 0 if kind == "apartments" else min(count - 1, random.randrange(1, 4))
    flats = tuple(_flat(random, number) for number in range(count - shops))
    return tuple(_shop(random, number) for number in range(1, shops + 1)) + flats


def _house(random: Random) -> DemoUnit:
    bedrooms = random.choice((2, 3, 3, 4, 5))
    rent = _rent(random, 120_000 + 28_000 * bedrooms)
    return DemoUnit("House", bedrooms, 1 + bedrooms // 3, 60 + 22 * bedrooms, rent)


def _flat(random: Random, number: int) -> DemoUnit:
    """Flats are counted four to a floor: 0.1 to 0.4, 1.1 …"""
    bedrooms = random.choice((0, 1, 1, 1, 2, 2, 2, 3))
    area = 28 + 19 * bedrooms + random.randrange(12)
    label = f"{number // 4}.{number % 4 + 1}"
    rent = _rent(random, 95_000 + 31_000 * bedrooms)
    return DemoUnit(label, bedrooms, 1 + bedrooms // 3, area, rent)


def _office(random: Random, number: int) -> DemoUnit:
    area = random.randrange(40, 260, 5)
    return DemoUnit(f"Suite {number}", 0, 1, area, _rent(random, 2_100 * area), commercial=True)


def _shop(random: Random, number: int) -> DemoUnit:
    area = random.randrange(35, 180, 5)
    return DemoUnit(f"Shop {number}", 0, 1, area, _rent(random, 3_000 * area), commercial=True)


def _rent(random: Random, about: int) -> int:
    """`about` within a tenth either way, rounded to whole steps."""
    return about * random.randrange(90, 111) // 100 // STEP * STEP
