"""The state of a document on any day."""

from datetime import date

import pytest

from proman.billing.states import document_state

DUE = date(2027, 3, 31)


@pytest.mark.parametrize(
    ("kind", "open_amount", "credited", "today", "state"),
    [
        ("invoice", 1000, 0, date(2027, 3, 31), "open"),
        ("invoice", 1000, 0, date(2027, 4, 1), "overdue"),
        ("invoice", 400, 0, date(2027, 3, 31), "partly_paid"),
        ("invoice", 400, 0, date(2027, 4, 1), "overdue"),
        ("invoice", 400, 600, date(2027, 3, 31), "partly_credited"),
        ("invoice", 300, 600, date(2027, 3, 31), "partly_paid"),
        ("invoice", 0, 0, date(2027, 4, 1), "paid"),
        ("invoice", 0, 600, date(2027, 4, 1), "paid"),
        ("invoice", 0, 1000, date(2027, 4, 1), "credited"),
        ("deposit_request", 1000, 0, date(2027, 4, 1), "overdue"),
        ("credit_note", 0, 0, date(2027, 4, 1), "issued"),
    ],
)
def test_a_state_is_derived(
    kind: str, open_amount: int, credited: int, today: date, state: str
) -> None:
    assert document_state(kind, 1000, open_amount, credited, DUE, today) == state
