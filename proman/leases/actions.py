"""Changes of leases: writing one, activating it, its rent, its charges."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.exc import IntegrityError

from proman.base.errors import Refused
from proman.db import db
from proman.identity.actor import Actor
from proman.leases.agreed import rents_of, terms_of
from proman.leases.dated_rents import is_set_already, with_change
from proman.leases.models import Charge, Lease, LeaseParty, Rent
from proman.leases.queries import (
    count_of_leases,
    is_archived,
    lease_in_the_way,
    reference_is_taken,
)
from proman.leases.rules import DueRule, LeaseStatus, RentChange, RentStep
from proman.tenants.actions import save_tenant
from proman.tenants.models import Tenant
from proman.tenants.queries import tenants_by_id


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: a tenant there is (`tenant_id`), or one to be made from what was typed."""

    tenant_id: int | None = None
    name: str = ""
    kind: str = "person"
    email: str | None = None
    phone: str = ""


@dataclass(frozen=True, slots=True)
class NewCharge:
    """A charge beside the rent; amounts in minor units, both days inclusive."""

    kind: str
    description: str
    amount: int
    first_day: date
    last_day: date | None = None
    tax_rate: int = 0
    gross: bool = False
    recurrence: str = "period"


@dataclass(frozen=True, slots=True)
class Agreement:
    """All that a lease says; amounts in minor units, both days inclusive, no last day: open."""

    unit_id: int
    signers: tuple[Signer, ...]
    first_day: date
    last_day: date | None
    rent: int
    rent_tax_rate: int
    rent_gross: bool
    frequency: str
    periods: str
    timing: str
    due_rule: str
    lead_days: int
    proration: str
    holding_over: str
    deposit: int
    reference: str
    notes: str
    charges: tuple[NewCharge, ...]


GREATEST_RATE = 100_000
"""Thousandths of a per cent."""
TERMS = (
    "unit_id first_day last_day frequency periods timing due_rule lead_days proration"
    " holding_over deposit notes"
).split()


def write_lease(agreement: Agreement, *, active: bool, actor: Actor) -> Lease:
    """Make a lease, and the tenants it names for the first time; as a draft unless `active`.

    Raises Refused with the field when the agreement contradicts itself, the reference is taken,
    an e-mail is another tenant's, or another lease holds the unit.
    """
    lease = Lease(status=LeaseStatus.DRAFT.value)
    return _put_down(lease, agreement, active=active, actor=actor)


def rewrite_draft(lease: Lease, agreement: Agreement, *, active: bool, actor: Actor) -> Lease:
    """Put all of a draft's terms anew. Raises Refused as `write_lease`, and for any other state."""
    if lease.status != LeaseStatus.DRAFT:
        raise Refused("Only a draft is written anew; an active lease is changed from a day on.")
    for rows in (lease.parties, lease.rents, lease.charges):
        for row in list(rows):
            db.session.delete(row)
        rows.clear()
    db.session.flush()
    return _put_down(lease, agreement, active=active, actor=actor)


def _put_down(lease: Lease, agreement: Agreement, *, active: bool, actor: Actor) -> Lease:
    _check(agreement)
    for key in TERMS:
        setattr(lease, key, getattr(agreement, key))
    lease.reference = _reference(agreement.reference, lease.id)
    lease.parties = [
        LeaseParty(tenant_id=tenant.id, position=place)
        for place, tenant in enumerate(tenants_of_signers(agreement.signers))
    ]
    lease.rents = [
        Rent(
            effective_from=agreement.first_day,
            amount=agreement.rent,
            tax_rate=agreement.rent_tax_rate,
            gross=agreement.rent_gross,
            recorded_by=actor.id,
        )
    ]
    lease.charges = [_charge(charge, actor) for charge in agreement.charges]
    if active:
        activate(lease)
    db.session.add(lease)
    flush_or_refuse()
    return lease


def _check(agreement: Agreement) -> None:
    if agreement.last_day is not None and agreement.last_day < agreement.first_day:
        raise Refused("The last day is before the first day.", "last_day")
    if not agreement.signers:
        raise Refused("A lease needs at least one tenant.", "tenants")
    DueRule.parse(agreement.due_rule)
    check_rate(agreement.rent_tax_rate, "rent_tax_rate")


def check_rate(tax_rate: int, field: str) -> None:
    """A tax takes a part of an amount or adds to it; it never gives."""
    if not 0 <= tax_rate <= GREATEST_RATE:
        raise Refused("A tax rate is from 0 to 100 %.", field)


def _reference(typed: str, lease_id: int | None) -> str:
    if typed:
        if reference_is_taken(typed, lease_id):
            raise Refused(f"Another lease has the reference {typed} already.", "reference")
        return typed
    number = count_of_leases() + 1
    while reference_is_taken(f"L-{number:05d}", lease_id):
        number += 1
    return f"L-{number:05d}"


def tenants_of_signers(signers: Sequence[Signer]) -> list[Tenant]:
    """The tenants whom they mean, in order, made on the way where new.

    Raises Refused for one who is gone or named twice, and for an e-mail of another.
    """
    known = tenants_by_id([one.tenant_id for one in signers if one.tenant_id is not None])
    found: list[Tenant] = []
    for place, signer in enumerate(signers):
        if signer.tenant_id is not None:
            if signer.tenant_id not in known:
                raise Refused("A tenant chosen does not exist any more.", "tenants")
            tenant = known[signer.tenant_id]
        else:
            tenant = _new_tenant(signer, place)
        if tenant in found:
            raise Refused(f"{tenant.name} is named twice.", "tenants")
        found.append(tenant)
    return found


def _new_tenant(signer: Signer, place: int) -> Tenant:
    values = {
        "name": signer.name,
        "kind": signer.kind,
        "email": signer.email,
        "phone": signer.phone,
    }
    try:
        return save_tenant(Tenant(), values)
    except Refused as error:
        raise Refused(error.message, f"tenants-{place}-email") from error


def _charge(charge: NewCharge, actor: Actor) -> Charge:
    if charge.last_day is not None and charge.last_day < charge.first_day:
        raise Refused(f"“{charge.description}” ends before it begins.", "charges")
    check_rate(charge.tax_rate, "charges")
    return Charge(
        kind=charge.kind,
        description=charge.description,
        amount=charge.amount,
        first_day=charge.first_day,
        last_day=charge.last_day,
        tax_rate=charge.tax_rate,
        gross=charge.gross,
        recurrence=charge.recurrence,
        recorded_by=actor.id,
    )


def activate(lease: Lease) -> None:
    """Let a draft count: it holds its unit and is billed from now on.

    Raises Refused for an archived unit, and (field `first_day`) naming the lease that holds the
    unit on one of its days.
    """
    if lease.status != LeaseStatus.DRAFT:
        raise Refused("This lease is active already.")
    if is_archived(lease.unit_id):
        raise Refused("This unit is archived. Bring it back first, or choose another.", "unit_id")
    refuse_overlap(lease, lease.last_day)
    lease.status = LeaseStatus.ACTIVE.value


def refuse_overlap(lease: Lease, last_day: date | None, field: str = "first_day") -> None:
    """Raise Refused, naming it, when another lease holds the unit up to `last_day` (inclusive)."""
    with db.session.no_autoflush:
        other = lease_in_the_way(lease.unit_id, lease.first_day, last_day, lease.id)
    if other is None:
        return
    names = ", ".join(party.tenant.name for party in other.parties) or "no tenant"
    end = other.ended_on or other.last_day
    until = f"to {end:%-d %B %Y}" if end else "with no last day"
    raise Refused(
        f"Lease {other.reference} ({names}) holds this unit from "
        f"{other.first_day:%-d %B %Y} {until}. Choose other days, or end that lease first.",
        field,
    )


def flush_or_refuse() -> None:
    """Write what was changed; the database's own refusal of an overlap is told as one."""
    try:
        db.session.flush()
    except IntegrityError as error:
        if "leases_overlap" not in str(error.orig):
            raise
        db.session.rollback()
        raise Refused(
            "Another lease holds this unit on some of these days.", "first_day"
        ) from error


def change_rent(
    lease: Lease,
    amount: int,
    effective_from: date,
    *,
    change: str = RentChange.SPLIT,
    tax_rate: int = 0,
    gross: bool = False,
    actor: Actor,
) -> Rent:
    """Set the rent of one period (minor units) from a day on; what is issued stays as it is.

    In mid-period the line is split, or the change deferred to the next period. After days without
    rent that come later it is the new rent too. Raises Refused for a day outside the lease, and
    when the rent is that already.
    """
    if effective_from < lease.first_day:
        raise Refused("The lease has not begun by then.", "effective_from")
    if lease.ended_on is not None and effective_from > lease.ended_on:
        raise Refused("The lease has ended by then.", "effective_from")
    check_rate(tax_rate, "tax_rate")
    new = RentStep(effective_from, amount, RentChange(change), tax_rate, gross)
    terms = terms_of(lease)
    if is_set_already(terms, new):
        raise Refused("The rent is that already on this day.", "amount")
    made = rents_of(with_change(terms, new), actor)
    lease.rents.extend(made)
    db.session.flush()
    return made[0]


def add_charge(lease: Lease, charge: NewCharge, *, today: date, actor: Actor) -> Charge:
    """Charge something beside the rent. Raises Refused for days outside the lease.

    A lease whose last day is still to come takes charges as before, up to that day.
    """
    if charge.recurrence == "period":
        _check_days_of_charge(lease, charge.first_day, today)
    made = _charge(charge, actor)
    lease.charges.append(made)
    db.session.flush()
    return made


def _check_days_of_charge(lease: Lease, first_day: date, today: date) -> None:
    if first_day < lease.first_day:
        raise Refused("The lease has not begun by then.", "first_day")
    if lease.ended_on is None:
        return
    if lease.ended_on < today:
        raise Refused(
            "This lease has ended; only a one-off charge can still be made.", "recurrence"
        )
    if first_day > lease.ended_on:
        raise Refused("The lease has ended by then.", "first_day")


def end_charge(charge: Charge, last_day: date) -> None:
    """Charge it no more after a day (inclusive). What is issued stays. Raises Refused."""
    if charge.recurrence != "period":
        raise Refused("A one-off charge has no end.", "last_day")
    if last_day < charge.first_day:
        raise Refused("That is before the charge begins.", "last_day")
    charge.last_day = last_day


def change_standing_terms(
    lease: Lease,
    *,
    today: date,
    last_day: date | None,
    reference: str,
    due_rule: str,
    lead_days: int,
    holding_over: str,
    deposit: int,
    notes: str,
) -> None:
    """Change what an active lease says for the time to come; nothing issued is touched.

    The agreed last day may be moved to today or later, or taken away. Raises Refused with the
    field for an earlier day, an overlap, a reference that is taken.
    """
    if last_day != lease.last_day:
        if last_day is not None and last_day < max(today, lease.first_day):
            raise Refused(
                "The agreed last day can be moved to today or later. To end the lease earlier, "
                "end it: that also shows what it does to the money.",
                "last_day",
            )
        refuse_overlap(lease, last_day, "last_day")
        lease.last_day = last_day
    DueRule.parse(due_rule)
    lease.reference = _reference(reference, lease.id)
    lease.due_rule, lease.lead_days = due_rule, lead_days
    lease.holding_over, lease.deposit, lease.notes = holding_over, deposit, notes
    flush_or_refuse()
