"""Owns the state of a document, derived for any day from what is open, paid and credited."""

from datetime import date

KINDS = {
    "invoice": "Invoice",
    "credit_note": "Credit note",
    "deposit_request": "Deposit request",
    "opening": "Opening balance",
}
STATES = {
    "unsettled": "Anything to pay",
    "open": "Open",
    "partly_paid": "Partly paid",
    "overdue": "Overdue",
    "paid": "Paid",
    "credited": "Credited",
    "written_off": "Written off",
}
"""What a list can be filtered by; `unsettled` is all that is not settled, overdue or not."""


def document_state(
    kind: str,
    total: int,
    open_amount: int,
    credited: int,
    due_date: date,
    today: date,
    written_off: int = 0,
) -> str:
    """The state on the day `today`; amounts in minor units, `credited` the sum of credit notes.

    What was settled, and some of it by giving it up, is written off and not paid.
    A credit note is always "issued". On the due date itself nothing is overdue yet.
    """
    if kind == "credit_note":
        return "issued"
    if credited >= total:
        return "credited"
    if open_amount == 0:
        return "written_off" if written_off else "paid"
    if due_date < today:
        return "overdue"
    if open_amount == total:
        return "open"
    return "partly_credited" if open_amount + credited == total else "partly_paid"
