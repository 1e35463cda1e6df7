"""The demonstration portfolio as plain values: what is to be written, before any database."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class DemoUnit:
    """One lettable unit; amounts in minor units of the organization's currency."""

    label: str
    bedrooms: int
    bathrooms: int
    area: int
    market_rent: int
    commercial: bool = False


@dataclass(frozen=True, slots=True)
class DemoProperty:
    """A building or a house with its units."""

    name: str
    kind: str
    street: str
    postal_code: str
    city: str
    units: tuple[DemoUnit, ...]


@dataclass(frozen=True, slots=True)
class DemoTenant:
    """A person or a company that rents."""

    name: str
    email: str
    phone: str
    is_company: bool = False


@dataclass(frozen=True, slots=True)
class DemoRent:
    """The rent of one period from a day on (inclusive)."""

    from_day: date
    amount: int


@dataclass(frozen=True, slots=True)
class DemoCharge:
    """A recurring charge beside the rent; `tax_rate` in thousandths of a per cent."""

    kind: str
    description: str
    amount: int
    tax_rate: int
    from_day: date
    is_gross: bool = False


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a tenant pays: the kind, a number of days, and from when nothing comes any more."""

    kind: str
    days: int
    stops_on: date | None = None


@dataclass(frozen=True, slots=True)
class DemoLease:
    """The terms of one lease; both ends of its range are inclusive."""

    property_index: int
    unit_index: int
    tenants: tuple[int, ...]
    status: str
    first_day: date
    last_day: date | None
    ended_on: date | None
    cut_over: date | None
    frequency: str
    periods: str
    timing: str
    due_rule: str
    rents: tuple[DemoRent, ...]
    charges: tuple[DemoCharge, ...]
    rent_tax_rate: int
    deposit: int
    behaviour: Behaviour


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Everything that one seed makes; leases refer to the other two by position."""

    starts_on: date
    today: date
    properties: tuple[DemoProperty, ...]
    tenants: tuple[DemoTenant, ...]
    leases: tuple[DemoLease, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money that arrived for an invoice, and the day it bounced, where it did."""

    received_on: date
    amount: int
    method: str
    bounced_on: date | None = None
