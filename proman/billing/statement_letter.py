"""Owns the words and figures of a lease's printed statement."""

from proman.billing.document import StatementDocument, StatementRow
from proman.billing.letter import letter_frame, payment_rows_of
from proman.billing.manner import Manner
from proman.web.pdf import make_pdf


def statement_pdf(statement: StatementDocument) -> bytes:
    """The account of a lease as an accessible PDF, dated on its last day."""
    manner = Manner(statement.issuer["locale"], statement.currency)
    return make_pdf(
        "statement.typ",
        "Statement of account",
        statement.issuer["name"],
        statement.last_day,
        statement.issuer["locale"],
        [statement_letter(statement, manner)],
    )


def statement_letter(statement: StatementDocument, manner: Manner) -> dict[str, object]:
    """The statement as data for templates/pdf/statement.typ."""
    recipient = statement.recipient
    facts = [
        ("Period", manner.days(statement.first_day, statement.last_day)),
        ("Property", recipient["property_name"]),
        ("Unit", recipient["unit_label"]),
        ("Lease", recipient["lease_reference"]),
    ]
    return {
        **letter_frame(statement.issuer, recipient, statement.logo),
        "heading": "Statement of account",
        "facts": [(label, value) for label, value in facts if value],
        "intro": [_balance_sentence(statement, manner)],
        "columns": ["Date", "What", "Charged", "Received", f"Balance ({statement.currency})"],
        "rows": [_opening(statement, manner), *(_row(row, manner) for row in statement.rows)],
        "sums": _sums(statement, manner),
        "notes": [_how_to_pay(statement)] if statement.closing > 0 else [],
    }


def _opening(statement: StatementDocument, manner: Manner) -> list[str]:
    day = manner.day(statement.first_day)
    return [day, "Balance brought forward", "", "", manner.amount(statement.opening)]


def _row(row: StatementRow, manner: Manner) -> list[str]:
    charged, received = (manner.amount(v) if v else "" for v in (row.charged, row.received))
    return [manner.day(row.day), row.text, charged, received, manner.amount(row.balance)]


def _sums(statement: StatementDocument, manner: Manner) -> list[str]:
    charged = sum(row.charged for row in statement.rows)
    received = sum(row.received for row in statement.rows)
    day = manner.day(statement.last_day)
    amounts = (manner.amount(value) for value in (charged, received, statement.closing))
    return [day, "Balance", *amounts]


def _balance_sentence(statement: StatementDocument, manner: Manner) -> str:
    day = manner.day(statement.last_day)
    if statement.closing > 0:
        return f"On {day} you owe {manner.money(statement.closing)}."
    if statement.closing < 0:
        return f"On {day} you are {manner.money(-statement.closing)} in credit."
    return f"On {day} nothing is owed."


def _how_to_pay(statement: StatementDocument) -> str:
    rows = payment_rows_of(statement.issuer, statement.recipient["lease_reference"])
    return "Please pay to: " + ", ".join(f"{label} {value}" for label, value in rows)
