"""Ends leases: shows first what it does to money, then records it and credits what is left over."""

from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import select

from proman.base.errors import NotThere, Refused
from proman.billing.amounts import writer
from proman.billing.corrections import credit_for_ending
from proman.billing.crediting import (
    CreditOf,
    documents,
    issue_credit_notes,
    issued_lines,
    refuse_what_is_settled_otherwise,
)
from proman.billing.issuing import Issued
from proman.billing.queries import writer_of_here
from proman.billing.reckoning import Show
from proman.billing.rules import PlannedInvoice, day_text, plan
from proman.billing.terms import BillableLease, billable_leases
from proman.db import db, utc_now
from proman.identity.actor import Actor
from proman.identity.models import Organization
from proman.leases.models import Lease, LeaseEnding
from proman.leases.rules import LeaseStatus, LeaseTerms
from proman.ledger import queries as journal


class EndingPreview(NamedTuple):
    """What ending a lease on a day does to its money; amounts in minor units."""

    ended_on: date
    credits: tuple[CreditOf, ...]
    still_to_bill: tuple[PlannedInvoice, ...]
    balance: int
    """What is owed now, less the credit."""
    deposit_held: int
    deposit_return_due: date

    @property
    def credited(self) -> int:
        """What the credit notes come to."""
        return sum(credit.total for credit in self.credits)

    @property
    def to_bill(self) -> int:
        """What is yet to be invoiced up to the last day."""
        return sum(invoice.total for invoice in self.still_to_bill)

    @property
    def final_balance(self) -> int:
        """What is owed once all is credited and billed; below nil: in the tenants' favour."""
        return self.balance - self.credited + self.to_bill


def the_billable(lease_id: int) -> BillableLease:
    """A lease with what of it was billed. Raises NotThere."""
    found = billable_leases([lease_id])
    if not found:
        raise NotThere("There is no such lease.")
    return found[0]


def preview_ending(lease: BillableLease, ended_on: date, *, today: date) -> EndingPreview:
    """What `end_lease` would do, without doing it. Raises the same refusals."""
    lease_id = lease.terms.lease_id
    _check(lease.terms, ended_on)
    ended = replace(lease.terms, ended_on=ended_on, status=LeaseStatus.ENDED)
    last = max(today, ended_on)
    horizon = last + timedelta(days=400)
    here = _here()
    show = writer(here.locale, here.currency)
    credits = _credits(lease.terms, ended_on, show)
    refuse_what_is_settled_otherwise(credits)
    rest = plan(ended, as_of=horizon, billed=lease.billed, show=show)
    return EndingPreview(
        ended_on,
        credits,
        rest.invoices,
        journal.lease_balance(lease_id).balance,
        journal.deposits_held([lease_id])[lease_id],
        _return_due(here, ended_on),
    )


def end_lease(
    lease_id: int, ended_on: date, reason: str, *, today: date, actor: Actor
) -> list[Issued]:
    """End a lease on its last day (inclusive) and credit at once what was issued beyond it.

    Runs go on billing up to that day; what is owed stays owed; the deposit's return deadline
    starts. Returns the credit notes. Must be inside a write. Raises Refused for a draft, a lease
    that ended before, a day before its first, or one on which the unit's next lease has begun.
    """
    terms = the_billable(lease_id).terms
    _check(terms, ended_on)
    _record(lease_id, ended_on, reason.strip(), actor)
    credits = _credits(terms, ended_on, writer_of_here())
    if not credits:
        return []
    text = reason.strip() or f"The lease ended on {day_text(ended_on)}."
    return issue_credit_notes(credits, text, today=today, actor=actor)


def _record(lease_id: int, ended_on: date, reason: str, actor: Actor) -> None:
    """The ending with who, when and why; the lease's unit is free from the next day."""
    lease = db.session.scalars(select(Lease).where(Lease.id == lease_id)).one()
    lease.status, lease.ended_on = "ended", ended_on
    ending = LeaseEnding(
        lease_id=lease_id,
        ended_on=ended_on,
        reason=reason,
        deposit_return_due=_return_due(_here(), ended_on),
        recorded_at=utc_now(),
        recorded_by=actor.id,
    )
    db.session.add(ending)
    db.session.flush()


def _check(terms: LeaseTerms, ended_on: date) -> None:
    """Refuse an ending that cannot be."""
    if terms.status is LeaseStatus.DRAFT:
        raise Refused("This lease is a draft: it never began, so it cannot end.")
    if terms.status is LeaseStatus.ENDED:
        raise Refused("This lease has been ended already.")
    if ended_on < terms.first_day:
        raise Refused(
            f"Its last day cannot be before its first, {day_text(terms.first_day)}.", "ended_on"
        )
    following = terms.next_lease_first_day
    if following is not None and ended_on >= following:
        raise Refused(
            f"The unit's next lease begins on {day_text(following)}; this one ends before it.",
            "ended_on",
        )


def _credits(terms: LeaseTerms, ended_on: date, show: Show) -> tuple[CreditOf, ...]:
    lines = credit_for_ending(terms, ended_on, issued_lines(terms.lease_id), show=show)
    by_invoice = documents(sorted({line.of.invoice_id for line in lines}))
    return tuple(
        CreditOf(document, [line for line in lines if line.of.invoice_id == invoice_id])
        for invoice_id, document in sorted(by_invoice.items())
    )


def _here() -> Organization:
    return db.session.get_one(Organization, db.session.info["organization_id"])


def _return_due(organization: Organization, ended_on: date) -> date:
    return ended_on + timedelta(days=organization.deposit_return_days)
