"""Bills the periods of a wholly credited invoice again: credit and bill again."""

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Table, bindparam, select

from proman.base.errors import NotThere, Refused
from proman.billing.actions import draft_of
from proman.billing.allocation import allocate_to_new
from proman.billing.billed import Billed, Span
from proman.billing.invoice_queries import CREDITED
from proman.billing.issuing import Issued, issue
from proman.billing.models import BilledPeriod, Invoice
from proman.billing.queries import writer_of_here
from proman.billing.rules import PlannedInvoice, plan_again
from proman.billing.terms import lease_terms
from proman.db import db
from proman.identity import audit
from proman.identity.actor import Actor
from proman.ledger.actions import Concerning, post

_i: Table = Invoice.__table__  # type: ignore[assignment]
_b: Table = BilledPeriod.__table__  # type: ignore[assignment]
_HERE: BindParameter[int] = bindparam("organization_id")
_INVOICE = select(
    _i.c.id, _i.c.kind, _i.c.number, _i.c.lease_id, _i.c.due_date, _i.c.total, CREDITED
).where(_i.c.organization_id == _HERE, _i.c.id == bindparam("id"))
_SPANS = (
    select(_b.c.charge_key, _b.c.period_start, _b.c.period_end, _b.c.repetition, _b.c.invoice_id)
    .where(_b.c.organization_id == _HERE, _b.c.lease_id == bindparam("lease_id"))
    .order_by(_b.c.charge_key, _b.c.period_start, _b.c.repetition)
)


class Again(NamedTuple):
    """What would be issued in place of a wholly credited invoice, on its own due date."""

    id: int
    number: str
    lease_id: int
    due_date: date
    planned: PlannedInvoice
    repetition: int


def what_again(invoice_id: int, *, today: date) -> Again:
    """What billing an invoice's periods again would issue, by the terms as they are now.

    Raises NotThere; Refused when the invoice is not wholly credited, was billed again already, or
    when by the terms of today nothing is to be billed for its periods.
    """
    row = db.session.execute(_INVOICE, {"id": invoice_id}).one_or_none()
    if row is None:
        raise NotThere("This invoice does not exist.")
    if row.kind != "invoice" or row[6] < row.total:
        raise Refused("Only an invoice that is credited in full is billed again.")
    rows = db.session.execute(_SPANS, {"lease_id": row.lease_id}).all()
    own = {(one.charge_key, one.period_start): one for one in rows if one.invoice_id == invoice_id}
    if not own:
        raise Refused("It bills no period of the lease, so there is nothing to bill again.")
    for one in rows:
        mine = own.get((one.charge_key, one.period_start))
        if mine is not None and one.repetition > mine.repetition:
            raise Refused("It was billed again already.")
    wanted = [_span(one) for one in own.values()]
    others = [_span(one) for one in rows if (one.charge_key, one.period_start) not in own]
    as_of = max(today, row.due_date)
    planned = _planned(row.lease_id, wanted, Billed.of(others), as_of)
    highest = max(one.repetition for one in own.values())
    return Again(row.id, row.number, row.lease_id, row.due_date, planned, highest + 1)


def bill_again(invoice_id: int, *, today: date, actor: Actor) -> Issued:
    """Issue what `what_again` says, with the due date of the invoice that was credited.

    Must be inside a write. Raises as that does.
    """
    again = what_again(invoice_id, today=today)
    draft = draft_of(again.planned)._replace(
        due_date=again.due_date,
        repetition=again.repetition,
        reason=f"In place of {again.number}",
    )
    (issued,) = issue("invoice", [draft], today, actor=actor)
    about = Concerning(issued.lease_id, issued.property_id, issued.id)
    post("invoice", issued.issue_date, about, actor=actor, net=issued.net, tax=issued.tax)
    allocate_to_new([(issued.id, issued.lease_id)], actor=actor)
    after = {"in_place_of": again.number, "total": issued.total}
    audit.record("issued", "invoices", issued.id, issued.number, after=after)
    return issued


def _span(row: Any) -> Span:
    return Span(row.charge_key, row.period_start, row.period_end)


def _planned(lease_id: int, wanted: list[Span], billed: Billed, as_of: date) -> PlannedInvoice:
    (terms,) = lease_terms([lease_id])
    planned = plan_again(terms, wanted, as_of=as_of, billed=billed, show=writer_of_here())
    if planned is None:
        raise Refused("By the terms as they are now, nothing is to be billed for its periods.")
    return planned
