"""Makes a whole portfolio from a seed: the same seed, size and day give the same portfolio.

It knows neither database nor clock, so that it can be tested alone and loaded anywhere.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from proman.base.period import add_months
from proman.demo.behaviour import draw_behaviour
from proman.demo.histories import Stay, draw_history
from proman.demo.people import draw_company, draw_person
from proman.demo.places import draw_property
from proman.demo.terms import (
    MONTHS_OF,
    STANDARD_TAX,
    draw_charges,
    draw_due_rule,
    draw_rents,
    draw_rhythm,
)
from proman.demo.values import DemoLease, DemoProperty, DemoTenant, DemoUnit, Portfolio

SHARE_JOINT = 18
"""Per cent of homes that two people rent together."""


def generate(*, leases: int, months: int, seed: int, today: date) -> Portfolio:
    """A portfolio of exactly `leases` leases whose last `months` months are to be billed.

    `leases` counts every lease: running, ended, upcoming, draft. The first billed month is the one
    `months - 1` before today's. Raises ValueError below one lease or one month.
    """
    if leases < 1 or months < 1:
        raise ValueError("At least one lease and one month are needed.")
    starts_on = add_months(today.replace(day=1), 1 - months)
    return _Drawing(Random(f"proman-{seed}"), leases, (starts_on, today)).portfolio()


class _Drawing:
    """The state of one drawing: what was made so far."""

    def __init__(self, random: Random, wanted: int, window: tuple[date, date]) -> None:
        self.random = random
        self.wanted = wanted
        self.window = window
        self.units = 0
        self.names: set[str] = set()
        self.properties: list[DemoProperty] = []
        self.tenants: list[DemoTenant] = []
        self.leases: list[DemoLease] = []

    def portfolio(self) -> Portfolio:
        while len(self.leases) < self.wanted:
            self._add_property()
        return Portfolio(
            *self.window, tuple(self.properties), tuple(self.tenants), tuple(self.leases)
        )

    def _add_property(self) -> None:
        index = len(self.properties)
        drawn = draw_property(self.random, index, self.wanted - len(self.leases))
        while drawn.name in self.names:
            drawn = draw_property(self.random, index, self.wanted - len(self.leases))
        self.names.add(drawn.name)
        self.properties.append(drawn)
        for position, unit in enumerate(drawn.units):
            for stay in draw_history(self.random, self.units, self.window):
                if len(self.leases) < self.wanted:
                    self.leases.append(self._lease((index, position), unit, stay))
            self.units += 1

    def _lease(self, where: tuple[int, int], unit: DemoUnit, stay: Stay) -> DemoLease:
        random, starts_on = self.random, self.window[0]
        frequency, periods, timing = draw_rhythm(random, commercial=unit.commercial)
        until = min(self.window[1], stay.ended_on or self.window[1])
        rents = draw_rents(random, unit, frequency, stay.first_day, (starts_on, until))
        return DemoLease(
            property_index=where[0],
            unit_index=where[1],
            tenants=tuple(self._draw_tenants(unit)),
            status=stay.status,
            first_day=stay.first_day,
            last_day=stay.last_day,
            ended_on=stay.ended_on,
            cut_over=starts_on - timedelta(days=1) if stay.first_day < starts_on else None,
            frequency=frequency,
            periods=periods,
            timing=timing,
            due_rule=draw_due_rule(random),
            rents=rents,
            charges=draw_charges(random, unit, frequency, stay.first_day),
            rent_tax_rate=STANDARD_TAX if unit.commercial else 0,
            deposit=self._deposit(unit, frequency, rents[0].amount),
            behaviour=draw_behaviour(random, len(self.leases), self.window),
        )

    def _draw_tenants(self, unit: DemoUnit) -> Iterator[int]:
        joint = not unit.commercial and self.random.randrange(100) < SHARE_JOINT
        draw = draw_company if unit.commercial else draw_person
        for _ in range(2 if joint else 1):
            yield len(self.tenants)
            self.tenants.append(draw(self.random, len(self.tenants)))

    def _deposit(self, unit: DemoUnit, frequency: str, rent: int) -> int:
        """One month's rent for a home (four weeks' where it is by the week), three for business."""
        if self.random.randrange(100) < 6:
            return 0
        if unit.commercial:
            return 3 * rent // MONTHS_OF[frequency]
        return rent * {"weekly": 4, "fortnightly": 2}.get(frequency, 1)
