"""Turns the generated portfolio into rows of the tables, ready to be inserted at once."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from proman.demo.values import DemoLease, Portfolio

Row = dict[str, Any]


class PortfolioRows:
    """The rows of one portfolio, in the order of its values.

    Rows that refer to others are asked for once the ids of those are known; whoever inserts them
    puts the ids down here.
    """

    def __init__(self, portfolio: Portfolio, *, country: str, region: str, now: datetime) -> None:
        self.portfolio = portfolio
        self.country = country
        self.region = region
        self.now = now
        self.places = [
            (index, position)
            for index, place in enumerate(portfolio.properties)
            for position in range(len(place.units))
        ]
        self.property_ids: list[int] = []
        self.unit_ids: dict[tuple[int, int], int] = {}
        self.tenant_ids: list[int] = []
        self.lease_ids: list[int] = []

    def reference(self, index: int) -> str:
        """What the tenants of a lease write on their payments."""
        return f"L-{index + 1:05d}"

    def property_id(self, index: int) -> int:
        """The property of a lease."""
        return self.property_ids[self.portfolio.leases[index].property_index]

    def properties(self) -> Iterator[Row]:
        for place in self.portfolio.properties:
            yield {
                "name": place.name,
                "type": place.kind,
                "is_single_unit": place.kind == "house",
                "street": place.street,
                "postal_code": place.postal_code,
                "city": place.city,
                "country": self.country,
                "region": self.region,
                "notes": "",
                "created_at": self.now,
            }

    def units(self) -> Iterator[Row]:
        for index, position in self.places:
            unit = self.portfolio.properties[index].units[position]
            yield {
                "property_id": self.property_ids[index],
                "label": unit.label,
                "bedrooms": None if unit.commercial else unit.bedrooms,
                "bathrooms": None if unit.commercial else unit.bathrooms * 10,
                "area": unit.area * 100,
                "market_rent": unit.market_rent,
                "notes": "",
                "created_at": self.now,
            }

    def tenants(self) -> Iterator[Row]:
        for tenant in self.portfolio.tenants:
            yield {
                "kind": "company" if tenant.is_company else "person",
                "name": tenant.name,
                "email": tenant.email,
                "phone": tenant.phone,
                "notes": "",
                "created_at": self.now,
            }

    def leases(self) -> Iterator[Row]:
        for index, lease in enumerate(self.portfolio.leases):
            yield self._lease(index, lease)

    def parties(self) -> Iterator[Row]:
        for index, lease in enumerate(self.portfolio.leases):
            for position, tenant in enumerate(lease.tenants):
                yield {
                    "lease_id": self.lease_ids[index],
                    "tenant_id": self.tenant_ids[tenant],
                    "position": position,
                }

    def rents(self) -> Iterator[Row]:
        for index, lease in enumerate(self.portfolio.leases):
            for rent in lease.rents:
                yield {
                    "lease_id": self.lease_ids[index],
                    "effective_from": rent.from_day,
                    "amount": rent.amount,
                    "tax_rate": lease.rent_tax_rate,
                    "recorded_at": self.now,
                }

    def charges(self) -> Iterator[Row]:
        for index, lease in enumerate(self.portfolio.leases):
            for charge in lease.charges:
                yield {
                    "lease_id": self.lease_ids[index],
                    "kind": charge.kind,
                    "description": charge.description,
                    "amount": charge.amount,
                    "first_day": charge.from_day,
                    "tax_rate": charge.tax_rate,
                    "gross": charge.is_gross,
                    "recorded_at": self.now,
                }

    def endings(self) -> Iterator[Row]:
        for index, lease in enumerate(self.portfolio.leases):
            if lease.ended_on is not None:
                yield {
                    "lease_id": self.lease_ids[index],
                    "ended_on": lease.ended_on,
                    "reason": "Notice given by the tenant",
                    "recorded_at": self.now,
                }

    def _lease(self, index: int, lease: DemoLease) -> Row:
        return {
            "unit_id": self.unit_ids[lease.property_index, lease.unit_index],
            "reference": self.reference(index),
            "status": lease.status,
            "first_day": lease.first_day,
            "last_day": lease.last_day,
            "ended_on": lease.ended_on,
            "cut_over": lease.cut_over,
            "frequency": lease.frequency,
            "periods": lease.periods,
            "timing": lease.timing,
            "due_rule": lease.due_rule,
            "lead_days": 5,
            "proration": "actual",
            "holding_over": "continue",
            "deposit": lease.deposit,
            "notes": "",
            "created_at": self.now,
        }
