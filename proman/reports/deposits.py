"""The deposits that are held on a day, lease by lease; together they are the liability."""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Subquery, Table, bindparam, case, func, select, true

from proman.leases.models import Lease, LeaseEnding
from proman.leases.queries import tenants_of
from proman.leases.standing import place
from proman.ledger.models import Entry, Posting
from proman.properties.models import Property, Unit
from proman.web.listing import Column, Filter, Listing, of_id

_e: Table = Entry.__table__  # type: ignore[assignment]
_p: Table = Posting.__table__  # type: ignore[assignment]
_l: Table = Lease.__table__  # type: ignore[assignment]
_u: Table = Unit.__table__  # type: ignore[assignment]
_pr: Table = Property.__table__  # type: ignore[assignment]
_endings: Table = LeaseEnding.__table__  # type: ignore[assignment]
_HERE: ColumnElement[int] = bindparam("organization_id")
_AS_OF: ColumnElement[date] = bindparam("as_of")
NEVER = date(9999, 12, 31)
STATES = (("overdue", "Return overdue"), ("to_return", "To be returned"), ("running", "Lease runs"))


def _held() -> Subquery:
    amount = func.sum(_p.c.credit - _p.c.debit)
    return (
        select(_p.c.lease_id, amount.label("held"))
        .join(_e, _e.c.id == _p.c.entry_id)
        .where(_p.c.organization_id == _HERE, _p.c.account == "deposits_held")
        .where(_e.c.effective_on <= _AS_OF)
        .group_by(_p.c.lease_id)
        .having(amount != 0)
        .subquery("held")
    )


_h = _held()
_due = (
    select(func.max(_endings.c.deposit_return_due))
    .where(_endings.c.lease_id == _l.c.id)
    .correlate(_l)
    .scalar_subquery()
)
_has_ended = (_l.c.status == "ended") & (_l.c.ended_on <= _AS_OF)

DEPOSITS = Listing(
    address="/reports/deposits",
    rows=select(
        _l.c.id,
        tenants_of.label("tenants"),
        place().label("place"),
        _l.c.reference,
        _l.c.deposit.label("agreed"),
        _h.c.held,
        case((_has_ended, _l.c.ended_on)).label("ended_on"),
        case((_has_ended, _due)).label("return_due"),
        case(
            (_has_ended & (_due < _AS_OF), "overdue"), (_has_ended, "to_return"), else_="running"
        ).label("state"),
    )
    .select_from(_h.join(_l, _l.c.id == _h.c.lease_id))
    .join(_u, _u.c.id == _l.c.unit_id)
    .join(_pr, _pr.c.id == _u.c.property_id)
    .where(_l.c.organization_id == _HERE),
    counted=select(_l.c.id)
    .select_from(_h.join(_l, _l.c.id == _h.c.lease_id))
    .where(_l.c.organization_id == _HERE),
    id=_l.c.id,
    sorts={
        "held": _h.c.held,
        "agreed": _l.c.deposit,
        "due": func.coalesce(case((_has_ended, _due)), NEVER),
    },
    default="due",
    filters={
        "as_of": Filter(true(), lambda text: {"as_of": date.fromisoformat(text)}),
        "state": Filter(
            {
                "overdue": _has_ended & (_due < _AS_OF),
                "to_return": _has_ended,
                "running": ~_has_ended,
            }
        ),
        "property": Filter(
            _l.c.unit_id.in_(
                select(_u.c.id).where(
                    _u.c.organization_id == _HERE, _u.c.property_id == bindparam("of_property")
                )
            ),
            of_id("of_property"),
        ),
    },
    totals={"held": _h.c.held},
    columns=(
        Column("Tenants", "tenants"),
        Column("Unit", "place"),
        Column("Lease", "reference"),
        Column("Agreed", "agreed", "amount"),
        Column("Held", "held", "amount"),
        Column("Lease ended", "ended_on", "day"),
        Column("Return due", "return_due", "day"),
        Column("State", "state"),
    ),
)


def bound(as_of: date) -> dict[str, Any]:
    """The values that the statements of the list bind for a day (inclusive)."""
    return {"as_of": as_of}
