"""What an import would make, as frozen values, with its faults, notes and open questions."""

from dataclasses import dataclass, field
from datetime import date

POSITIVE_OWED, NEGATIVE_OWED = "positive_owed", "negative_owed"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What keeps a file from being imported: the row and column it stands in, and why."""

    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Question:
    """What the file does not tell. `choices` are the answers, or proposals where `is_free`."""

    key: str
    question: str
    choices: tuple[str, ...] = ()
    is_free: bool = False


@dataclass(frozen=True, slots=True)
class PlannedProperty:
    row: int
    name: str
    street: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""
    region: str = ""
    is_single_unit: bool = False


@dataclass(frozen=True, slots=True)
class PlannedUnit:
    """Bathrooms in tenths, area in hundredths of the organization's unit, rent in minor units."""

    row: int
    property_name: str
    label: str
    location: str = ""
    bedrooms: int | None = None
    bathrooms: int | None = None
    area: int | None = None
    market_rent: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedTenant:
    """`key` joins a lease to its tenants; an e-mail makes two rows the same person."""

    key: int
    row: int
    name: str
    kind: str = "person"
    email: str | None = None
    phone: str = ""


@dataclass(frozen=True, slots=True)
class PlannedCharge:
    """A charge of every period from the lease's first day on; the amount in minor units."""

    kind: str
    description: str
    amount: int


@dataclass(frozen=True, slots=True)
class PlannedLease:
    """A lease with its first rent, and what stood on its account at cut-over, in minor units."""

    row: int
    property_name: str
    unit: str
    tenants: tuple[int, ...]
    first_day: date
    last_day: date | None
    ended_on: date | None
    frequency: str
    periods: str
    timing: str
    due_rule: str
    rent: int
    tax_rate: int = 0
    charges: tuple[PlannedCharge, ...] = ()
    deposit: int = 0
    owed: int = 0
    credit: int = 0
    reference: str = ""

    @property
    def occupied(self) -> tuple[date, date]:
        """First and last day (inclusive) on which it holds its unit."""
        return self.first_day, self.ended_on or self.last_day or date.max


@dataclass(frozen=True, slots=True)
class Plan:
    """All that an import makes, as of the cut-over date, in the organization's currency."""

    cut_over: date
    currency: str
    properties: tuple[PlannedProperty, ...] = ()
    units: tuple[PlannedUnit, ...] = ()
    tenants: tuple[PlannedTenant, ...] = ()
    leases: tuple[PlannedLease, ...] = ()

    def counts(self) -> dict[str, int]:
        """How many of each kind would be made, for those kinds that are."""
        found = {
            "properties": len(self.properties),
            "units": len(self.units),
            "tenants": len(self.tenants),
            "leases": len(self.leases),
            "rents": len(self.leases),
            "charges": sum(len(lease.charges) for lease in self.leases),
            "opening_items": sum(lease.owed > 0 for lease in self.leases),
            "opening_credits": sum(lease.credit > 0 for lease in self.leases),
            "deposits": sum(lease.deposit > 0 for lease in self.leases),
        }
        return {kind: number for kind, number in found.items() if number}

    def sums(self) -> dict[str, int]:
        """What the amounts of the file add up to, in minor units, to compare with its totals."""
        charges = [charge.amount for lease in self.leases for charge in lease.charges]
        return {
            "rent": sum(lease.rent for lease in self.leases),
            "charges": sum(charges),
            "deposits held": sum(lease.deposit for lease in self.leases),
            "owed": sum(lease.owed for lease in self.leases),
            "in credit": sum(lease.credit for lease in self.leases),
        }


@dataclass(frozen=True, slots=True)
class Existing:
    """What is there already; names and labels by their casefolded spelling.

    `occupied` has the days that each unit is let, with the tenant's name.
    """

    properties: dict[str, str] = field(default_factory=dict)
    units: frozenset[tuple[str, str]] = frozenset()
    tenants: dict[str, str] = field(default_factory=dict)
    references: frozenset[str] = frozenset()
    occupied: dict[tuple[str, str], list[tuple[date, date]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setting:
    """What of the organization an import has to know."""

    currency: str
    country: str = ""
    area_unit: str = "m2"
    due_rule: str = "day:1"
    timing: str = "advance"
    existing: Existing = field(default_factory=Existing)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a dry run found; there is a plan only where no fault and no question is left."""

    plan: Plan | None
    faults: tuple[Fault, ...] = ()
    questions: tuple[Question, ...] = ()
    notes: tuple[Fault, ...] = ()
