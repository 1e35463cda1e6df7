"""Gives documents their numbers: inside the issuing transaction, without a gap or a double."""

from datetime import date
from typing import NamedTuple

from sqlalchemy import Table, bindparam, insert, select, update

from proman.billing.models import NumberSeries
from proman.db import db
from proman.identity.models import Organization

INVOICES, CREDIT_NOTES, DEPOSIT_REQUESTS = "invoice", "credit_note", "deposit_request"

_s: Table = NumberSeries.__table__  # type: ignore[assignment]
_o: Table = Organization.__table__  # type: ignore[assignment]
_PATTERNS = select(
    _o.c.invoice_pattern.label(INVOICES),
    _o.c.credit_note_pattern.label(CREDIT_NOTES),
    _o.c.deposit_request_pattern.label(DEPOSIT_REQUESTS),
).where(_o.c.id == bindparam("id"))
_LAST = select(_s.c.year, _s.c.last_sequence, _s.c.last_issue_date).where(
    _s.c.organization_id == bindparam("organization_id"), _s.c.series == bindparam("series")
)
_RAISE = (
    update(_s)
    .where(
        _s.c.organization_id == bindparam("of_organization"),
        _s.c.series == bindparam("of_series"),
        _s.c.year == bindparam("of_year"),
    )
    .values(last_sequence=bindparam("last"), last_issue_date=bindparam("issued"))
)


class Numbers(NamedTuple):
    """A block of numbers of one series and year, and the day on which they are issued."""

    series: str
    year: int
    first: int
    issue_date: date
    pattern: str

    def written(self, sequence: int) -> str:
        """The number as it is printed."""
        return self.pattern.format(year=self.year, sequence=sequence)


def take_numbers(series: str, count: int, on: date) -> Numbers:
    """The next `count` numbers of a series, for documents issued on that day.

    The series' dates never go back: a later last date wins. The number's year is that of the
    issue date. Must be inside a write; a rollback gives the numbers back.
    """
    patterns = db.session.execute(_PATTERNS, {"id": db.session.info["organization_id"]}).one()
    years = {row.year: row for row in db.session.execute(_LAST, {"series": series})}
    issued = max([on, *(row.last_issue_date for row in years.values())])
    last = years[issued.year].last_sequence if issued.year in years else 0
    values = {"last_sequence": last + count, "last_issue_date": issued}
    if issued.year in years:
        key = {"of_series": series, "of_year": issued.year}
        db.session.execute(_RAISE, {**key, "last": last + count, "issued": issued})
    else:
        row = {"series": series, "year": issued.year, **values}
        db.session.execute(insert(_s), [row])
    return Numbers(series, issued.year, last + 1, issued, patterns._mapping[series])
