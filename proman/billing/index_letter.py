"""Owns the notice of an indexed rent as it is printed, and reads what stands in it."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, Table, bindparam, select

from proman.base.errors import NotThere
from proman.billing.document import Logo
from proman.billing.document_queries import logos_by_id
from proman.billing.invoice_queries import selective
from proman.billing.letter import letter_frame
from proman.billing.manner import Manner
from proman.billing.parties import Addressee, addressees, issuer_of_today
from proman.billing.snapshots import Issuer
from proman.db import db
from proman.leases.index_models import IndexSeries, IndexValue, RentIndexation
from proman.leases.models import Lease, Rent
from proman.leases.wording import PER_PERIOD
from proman.web.pdf import make_pdf

_x: Table = RentIndexation.__table__  # type: ignore[assignment]
_v: Table = IndexValue.__table__  # type: ignore[assignment]
_s: Table = IndexSeries.__table__  # type: ignore[assignment]
_r: Table = Rent.__table__  # type: ignore[assignment]
_l: Table = Lease.__table__  # type: ignore[assignment]
_base, _new = _v.alias("base"), _v.alias("newer")
_NOTICES = (
    select(
        _x.c.id,
        _x.c.lease_id,
        _x.c.old_rent,
        _x.c.new_rent,
        _x.c.notice_day,
        _x.c.effective_from,
        _l.c.frequency,
        _r.c.tax_rate,
        _r.c.gross,
        _s.c.name.label("series"),
        _base.c.month.label("base_month"),
        _base.c.value.label("base_value"),
        _base.c.published_on.label("base_published_on"),
        _new.c.month.label("new_month"),
        _new.c.value.label("new_value"),
        _new.c.published_on.label("new_published_on"),
    )
    .join(_l, _l.c.id == _x.c.lease_id)
    .join(_r, _r.c.id == _x.c.rent_id)
    .join(_base, _base.c.id == _x.c.base_value_id)
    .join(_new, _new.c.id == _x.c.new_value_id)
    .join(_s, _s.c.id == _new.c.series_id)
    .where(selective(_x), _x.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(_x.c.id)
)


def notices_pdf(ids: Collection[int]) -> bytes:
    """The notices of these indexations as one PDF, each addressed as on the day of its notice.

    Raises NotThere where none of them is there.
    """
    rows: list[Any] = [*db.session.execute(_NOTICES, {"ids": list(ids)})]
    if not rows:
        raise NotThere("This notice does not exist.")
    issuer, currency = issuer_of_today()
    logo = logos_by_id({issuer["logo_id"]}).get(issuer["logo_id"] or 0)
    to = _addressees(rows)
    title = "Change of the rent" if len(rows) == 1 else f"{len(rows)} changes of rents"
    newest = max(row.notice_day for row in rows)
    letters = [_letter(row, issuer, to[row.id], logo, currency) for row in rows]
    return make_pdf("invoice.typ", title, issuer["name"], newest, issuer["locale"], letters)


def _addressees(rows: Sequence[Row[Any]]) -> dict[int, Addressee]:
    """Who gets each notice: one statement for each day on which some were given."""
    found: dict[int, Addressee] = {}
    days: dict[date, list[Row[Any]]] = {}
    for row in rows:
        days.setdefault(row.notice_day, []).append(row)
    for day, of_day in days.items():
        to = addressees({row.lease_id for row in of_day}, day)
        found.update({row.id: to[row.lease_id] for row in of_day})
    return found


def _letter(
    row: Row[Any], issuer: Issuer, to: Addressee, logo: Logo | None, currency: str
) -> dict[str, object]:
    """The notice as data for templates/pdf/invoice.typ."""
    recipient = to.recipient
    manner = Manner(issuer["locale"], currency)
    facts = [
        ("Date", manner.day(row.notice_day)),
        ("Property", recipient["property_name"]),
        ("Unit", recipient["unit_label"]),
        ("Lease", recipient["lease_reference"]),
    ]
    from_day, per_period = manner.day(row.effective_from), PER_PERIOD[row.frequency]
    change = "rises" if row.new_rent > row.old_rent else "falls"
    return {
        **letter_frame(issuer, recipient, logo),
        "heading": "Change of the rent",
        "facts": [(label, value) for label, value in facts if value],
        "intro": [
            f"As agreed in the lease, the rent goes by the index “{row.series}”. By its change the"
            f" rent {change} from {manner.money(row.old_rent)} to {manner.money(row.new_rent)}"
            f" {per_period} from {from_day} on."
        ],
        "line_heading": "How it is reckoned",
        "tax_heading": None,
        "amount_heading": "",
        "lines": [
            _value(manner, "Base index", row.base_month, row.base_value, row.base_published_on),
            _value(manner, "New index", row.new_month, row.new_value, row.new_published_on),
            _line("Rent until then", _tax(manner, row), manner.money(row.old_rent)),
            _line("Rent × new index ÷ base index", _formula(manner, row), ""),
        ],
        "totals": [
            {
                "label": f"Rent from {from_day}, {per_period}",
                "amount": manner.money(row.new_rent),
                "strong": True,
            }
        ],
        "payment": None,
        "notes": [
            "Everything else that the lease says stays as it is.",
            *([issuer["footer"]] if issuer["footer"] else []),
        ],
    }


def _line(description: str, detail: str, amount: str) -> dict[str, object]:
    return {
        "description": description,
        "details": [detail] if detail else [],
        "tax": "",
        "amount": amount,
    }


def _value(
    manner: Manner, word: str, month: date, value: int, published_on: date
) -> dict[str, object]:
    published = f"published on {manner.day(published_on)}"
    return _line(f"{word}, {manner.month(month)}", published, manner.index_value(value))


def _tax(manner: Manner, row: Row[Any]) -> str:
    if not row.tax_rate:
        return ""
    rate = manner.rate(row.tax_rate)
    return f"with {rate} tax in it" if row.gross else f"without tax of {rate}"


def _formula(manner: Manner, row: Row[Any]) -> str:
    new, base = manner.index_value(row.new_value), manner.index_value(row.base_value)
    return f"{manner.amount(row.old_rent)} × {new} ÷ {base} = {manner.amount(row.new_rent)}"
