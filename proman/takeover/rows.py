"""Turns a plan into the rows of the tables, so that they can be inserted at once."""

from datetime import date, datetime, timedelta
from typing import Any

from proman.base.money import decimal_string
from proman.identity.models import Organization
from proman.takeover.plan import Plan, PlannedLease
from proman.takeover.queries import Ids

Row = dict[str, Any]


class PlanRows:
    """The rows of one plan, in its order; what is there already keeps its id.

    Rows that refer to others are asked for once those are inserted and `keep` knows their ids.
    """

    def __init__(
        self,
        plan: Plan,
        ids: Ids,
        organization: Organization,
        *,
        actor_id: int | None,
        now: datetime,
        next_reference: int,
    ) -> None:
        self.plan = plan
        self.organization = organization
        self.actor_id = actor_id
        self.now = now
        self.made: dict[str, list[int]] = {}
        self.new_tenants = [each for each in plan.tenants if each.email not in ids.tenants]
        self._property_ids = dict(ids.properties)
        self._unit_ids = dict(ids.units)
        self._tenant_ids = {
            each.key: ids.tenants[each.email] for each in plan.tenants if each.email in ids.tenants
        }
        self._references = self._told_references(ids, next_reference)

    def keep(self, name: str, ids: list[int]) -> None:
        """Remember the ids that the rows of a table were given."""
        self.made[name] = ids
        if name == "properties":
            names = [each.name.casefold() for each in self.plan.properties]
            self._property_ids.update(zip(names, ids, strict=True))
        elif name == "units":
            labels = [_place(each.property_name, each.label) for each in self.plan.units]
            self._unit_ids.update(zip(labels, ids, strict=True))
        elif name == "tenants":
            keys = [each.key for each in self.new_tenants]
            self._tenant_ids.update(zip(keys, ids, strict=True))

    def _told_references(self, ids: Ids, number: int) -> list[str]:
        """The leases' own references; for those without one the next numbers that are free."""
        taken = ids.references | {lease.reference for lease in self.plan.leases}
        found: list[str] = []
        for lease in self.plan.leases:
            reference = lease.reference
            while not reference or (reference in taken and reference != lease.reference):
                reference = f"L-{number:05d}"
                number += 1
                if reference in taken:
                    reference = ""
            found.append(reference)
        return found

    def property_id(self, lease: PlannedLease) -> int:
        """The id of a lease's property."""
        return self._property_ids[lease.property_name.casefold()]

    def lease_ids(self) -> list[tuple[int, PlannedLease]]:
        """Each lease with its id."""
        return list(zip(self.made["leases"], self.plan.leases, strict=True))

    def properties(self) -> list[Row]:
        return [
            {
                "name": each.name,
                "type": "house" if each.is_single_unit else "apartments",
                "is_single_unit": each.is_single_unit,
                "street": each.street,
                "postal_code": each.postal_code,
                "city": each.city,
                "country": each.country or self.organization.country,
                "region": each.region,
                "created_at": self.now,
            }
            for each in self.plan.properties
        ]

    def units(self) -> list[Row]:
        return [
            {
                "property_id": self._property_ids[each.property_name.casefold()],
                "label": each.label,
                "location": each.location,
                "bedrooms": each.bedrooms,
                "bathrooms": each.bathrooms,
                "area": each.area,
                "market_rent": each.market_rent,
                "created_at": self.now,
            }
            for each in self.plan.units
        ]

    def tenants(self) -> list[Row]:
        return [
            {
                "kind": each.kind,
                "name": each.name,
                "email": each.email,
                "phone": each.phone,
                "created_at": self.now,
            }
            for each in self.new_tenants
        ]

    def leases(self) -> list[Row]:
        return [
            {
                "unit_id": self._unit_ids[_place(lease.property_name, lease.unit)],
                "reference": reference,
                "status": "ended" if lease.ended_on else "active",
                "first_day": lease.first_day,
                "last_day": lease.last_day,
                "ended_on": lease.ended_on,
                "cut_over": self.plan.cut_over,
                "frequency": lease.frequency,
                "periods": lease.periods,
                "timing": lease.timing,
                "due_rule": lease.due_rule,
                "lead_days": self.organization.lead_days,
                "proration": self.organization.proration,
                "holding_over": self.organization.holding_over,
                "deposit": lease.deposit,
                "created_at": self.now,
            }
            for lease, reference in zip(self.plan.leases, self._references, strict=True)
        ]

    def lease_parties(self) -> list[Row]:
        return [
            {"lease_id": lease_id, "tenant_id": self._tenant_ids[key], "position": position}
            for lease_id, lease in self.lease_ids()
            for position, key in enumerate(lease.tenants)
        ]

    def rents(self) -> list[Row]:
        return [
            {
                "lease_id": lease_id,
                "effective_from": lease.first_day,
                "amount": lease.rent,
                "change": "split",
                "tax_rate": lease.tax_rate,
                **self._recorded(),
            }
            for lease_id, lease in self.lease_ids()
        ]

    def charges(self) -> list[Row]:
        return [
            {
                "lease_id": lease_id,
                "kind": charge.kind,
                "description": charge.description,
                "amount": charge.amount,
                "first_day": lease.first_day,
                "tax_rate": lease.tax_rate,
                "recurrence": "period",
                **self._recorded(),
            }
            for lease_id, lease in self.lease_ids()
            for charge in lease.charges
        ]

    def lease_endings(self) -> list[Row]:
        days = timedelta(days=self.organization.deposit_return_days)
        return [
            {
                "lease_id": lease_id,
                "ended_on": lease.ended_on,
                "reason": "Ended before the take-over",
                "deposit_return_due": lease.ended_on + days if lease.deposit else None,
                **self._recorded(),
            }
            for lease_id, lease in self.lease_ids()
            if lease.ended_on is not None
        ]

    def deposit_events(self) -> list[Row]:
        return [
            {
                "lease_id": lease_id,
                "event": "received",
                "happened_on": self.plan.cut_over,
                "amount": lease.deposit,
                **self._recorded(),
            }
            for lease_id, lease in self.lease_ids()
            if lease.deposit
        ]

    def owing(self) -> list[tuple[int, PlannedLease]]:
        """Each lease that owed something at cut-over, with its id."""
        return [(lease_id, lease) for lease_id, lease in self.lease_ids() if lease.owed]

    def opening_lines(self, file_name: str) -> list[Row]:
        """The one line of each opening item, which says where its amount stood."""
        return [
            {
                "invoice_id": invoice_id,
                "position": 1,
                "kind": "opening",
                "description": "Balance taken over",
                "net": lease.owed,
                "tax_rate": 0,
                "tax": 0,
                "explanation": _source(lease, self.plan, file_name),
            }
            for invoice_id, (_, lease) in zip(self.made["invoices"], self.owing(), strict=True)
        ]

    def _recorded(self) -> Row:
        return {"recorded_at": self.now, "recorded_by": self.actor_id}


def _source(lease: PlannedLease, plan: Plan, file_name: str) -> str:
    amount = decimal_string(lease.owed, plan.currency)
    text = (
        f"{amount} {plan.currency} owed as of {_iso(plan.cut_over)}: row {lease.row}, {file_name}"
    )
    return text[:500]


def _place(property_name: str, label: str) -> tuple[str, str]:
    return property_name.casefold(), label.casefold()


def _iso(day: date) -> str:
    return day.isoformat()
