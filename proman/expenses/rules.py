"""What expenses are filed under, when two look like one, and when one can be taken back."""

from collections.abc import Mapping
from datetime import date

from proman.base.errors import Refused

CATEGORIES: Mapping[str, str] = {
    "repairs": "Repairs",
    "maintenance": "Maintenance and caretaking",
    "cleaning": "Cleaning and garden",
    "utilities": "Heating, electricity, water",
    "waste": "Waste and sewage",
    "insurance": "Insurance",
    "property_tax": "Property tax",
    "management": "Management and administration",
    "advice": "Legal, tax and bookkeeping advice",
    "advertising": "Letting and advertising",
    "interest": "Loan interest",
    "bank": "Bank charges",
    "other": "Other",
}
"""The key that is stored, and its words; in the order of a statement."""


def check_expense(paid_on: date, today: date, category: str, supplier: str, amount: int) -> None:
    """Refuses what was not spent yet, what is filed under nothing, and what is no amount."""
    if amount <= 0:
        raise Refused("The amount must be more than nil.", "amount")
    if paid_on > today:
        raise Refused("Record it on the day it is paid: this day is in the future.", "paid_on")
    if category not in CATEGORIES:
        raise Refused("Choose what it was for.", "category")
    if not supplier.strip():
        raise Refused("Say who was paid.", "supplier")


def check_reversal(paid_on: date, on: date, today: date, reason: str) -> None:
    """Refuses the reversal of an expense on a day when it cannot be, or without a reason."""
    if on < paid_on:
        raise Refused("An expense cannot be reversed before it was paid.", "on")
    if on > today:
        raise Refused("An expense cannot be reversed on a future day.", "on")
    if not reason.strip():
        raise Refused("Say why the expense is reversed.", "reason")
