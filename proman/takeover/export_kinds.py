"""What is exported: each kind of record with its columns, stable, as docs/export.md tells."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Table, bindparam, literal, select

from proman.billing.draft_models import InvoiceDraft, InvoiceDraftLine
from proman.billing.models import (
    Adjustment,
    Allocation,
    DepositEvent,
    Invoice,
    InvoiceLine,
    LateFee,
    LateFeePolicy,
)
from proman.billing.reminder_models import Reminder, ReminderItem, ReminderLevel
from proman.expenses.models import Expense, ExpenseReversal
from proman.files.models import Document
from proman.identity.models import Organization
from proman.leases.index_models import IndexClause, IndexSeries, IndexValue, RentIndexation
from proman.leases.models import Charge, Lease, LeaseEnding, LeaseParty, Rent
from proman.ledger.models import Entry, Posting
from proman.payments.models import Payment, PaymentReversal
from proman.properties.models import Property, Unit
from proman.tenants.models import Tenant

AMOUNT, RATE, PLAIN = "amount", "rate", ""
TENTHS, HUNDREDTHS, THOUSANDTHS = "tenths", "hundredths", "thousandths"


@dataclass(frozen=True, slots=True)
class Kind:
    """One file: its name, its columns with the form of their values, and the rows behind them."""

    name: str
    columns: tuple[tuple[str, str], ...]
    rows: Select[Any]


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


def _kind(name: str, model: Any, columns: str, source: Any = None, **own: Any) -> Kind:
    """`columns` are names, each with the form of its value behind a slash where it has one, and
    with `<name` where the database calls it otherwise; `own` are expressions instead."""
    table = _table(model)
    found: list[tuple[str, str]] = []
    expressions = []
    for word in columns.split():
        told, _, form = word.partition("/")
        heading, _, name_there = told.partition("<")
        expression = own[heading] if heading in own else table.c[name_there or heading]
        expressions.append(expression.label(heading))
        found.append((heading, form))
    rows = select(*expressions).select_from(table if source is None else source)
    rows = rows.where(table.c.organization_id == bindparam("organization_id")).order_by(table.c.id)
    return Kind(name, tuple(found), rows)


def _organization() -> Kind:
    table = _table(Organization)
    rows = select(*table.c).where(table.c.id == bindparam("own_id"))
    return Kind("organization", tuple((column.name, PLAIN) for column in table.c), rows)


_postings, _entries = _table(Posting), _table(Entry)
_payments, _reversals = _table(Payment), _table(PaymentReversal)
_expenses, _taken_back = _table(Expense), _table(ExpenseReversal)

KINDS: tuple[Kind, ...] = (
    _organization(),
    _kind(
        "properties",
        Property,
        "id name type street postal_code city country region is_single_unit archived_at notes",
    ),
    _kind(
        "units",
        Unit,
        "id property_id label bedrooms bathrooms/tenths area/hundredths market_rent/amount"
        " location archived_at notes",
    ),
    _kind(
        "tenants",
        Tenant,
        "id name email phone kind street postal_code city country tax_number archived_at notes",
    ),
    _kind(
        "leases",
        Lease,
        "id unit_id tenant_ids status first_day last_day ended_on cut_over frequency periods timing"
        " due_rule lead_days proration holding_over reference deposit/amount notes",
        tenant_ids=literal(""),
    ),
    _kind("lease_parties", LeaseParty, "id lease_id tenant_id position joined_on left_on"),
    _kind(
        "lease_endings", LeaseEnding, "id lease_id ended_on reason deposit_return_due recorded_at"
    ),
    _kind(
        "rents",
        Rent,
        "id lease_id from<effective_from amount/amount change tax_rate/rate gross recorded_at",
    ),
    _kind("index_series", IndexSeries, "id name"),
    _kind("index_values", IndexValue, "id series_id month value/thousandths published_on"),
    _kind(
        "index_clauses",
        IndexClause,
        "id lease_id series_id base_month base_value_id takes_effect notice_months hold_months"
        " threshold/rate up_only same_month unchanged_since recorded_at",
    ),
    _kind(
        "rent_indexations",
        RentIndexation,
        "id lease_id rent_id old_rent/amount new_rent/amount base_value_id new_value_id notice_day"
        " from<effective_from recorded_at",
    ),
    _kind(
        "charges",
        Charge,
        "id lease_id kind description amount/amount from<first_day to<last_day tax_rate/rate gross"
        " recurrence recorded_at",
    ),
    _kind(
        "invoices",
        Invoice,
        "id number kind series year sequence lease_id refers_to<refers_to_id issue_date due_date"
        " net/amount tax/amount total/amount open/amount currency property_id period_start"
        " period_end reason issued_at",
    ),
    _kind(
        "invoice_lines",
        InvoiceLine,
        "id invoice_id charge_id kind period_start period_end net/amount tax_rate/rate tax/amount"
        " explanation description position",
    ),
    _kind(
        "payments",
        Payment,
        "id lease_id payment_group received_on method reference amount/amount reversed_on payer"
        " recorded_at",
        source=_payments.outerjoin(_reversals, _reversals.c.payment_id == _payments.c.id),
        reversed_on=_reversals.c.reversed_on,
    ),
    _kind(
        "allocations",
        Allocation,
        "payment_id invoice_id amount/amount effective_on id lease_id reverses_id recorded_at",
    ),
    _kind(
        "adjustments",
        Adjustment,
        "id kind lease_id invoice_id payment_id on<happened_on amount/amount note entry_id"
        " reverses_id recorded_at",
    ),
    _kind(
        "late_fee_policies",
        LateFeePolicy,
        "id due_from kind grace_days flat/amount rate/rate minimum/amount cap/amount daily"
        " recorded_at",
    ),
    _kind(
        "late_fees",
        LateFee,
        "id invoice_id document_id amount/amount through sequence recorded_at",
    ),
    _kind("invoice_drafts", InvoiceDraft, "id lease_id due_on recorded_at"),
    _kind(
        "invoice_draft_lines",
        InvoiceDraftLine,
        "id draft_id position kind description amount/amount tax_rate/rate gross",
    ),
    _kind("reminder_levels", ReminderLevel, "id level days pay_within minimum/amount title text"),
    _kind(
        "reminders",
        Reminder,
        "id lease_id level made_on pay_by total/amount currency title text recorded_at",
    ),
    _kind("reminder_items", ReminderItem, "id reminder_id invoice_id level open/amount"),
    _kind(
        "deposits",
        DepositEvent,
        "lease_id event on<happened_on amount/amount id invoice_id payment_id recorded_at entry_id"
        " reverses_id note",
    ),
    _kind(
        "postings",
        Posting,
        "entry_id event effective_on recorded_at account lease_id property_id invoice_id"
        " debit/amount credit/amount id payment_id reverses_id explanation",
        source=_postings.join(_entries, _entries.c.id == _postings.c.entry_id),
        **{
            name: _entries.c[name]
            for name in ("event", "effective_on", "recorded_at", "reverses_id", "explanation")
        },
    ),
    _kind(
        "expenses",
        Expense,
        "id property_id category paid_on supplier reference description amount/amount reversed_on"
        " recorded_at",
        source=_expenses.outerjoin(_taken_back, _taken_back.c.expense_id == _expenses.c.id),
        reversed_on=_taken_back.c.reversed_on,
    ),
    _kind(
        "documents",
        Document,
        "id name media_type size_bytes sha256 property_id unit_id tenant_id lease_id is_shown"
        " uploaded_at expense_id",
    ),
)
"""Every kind of record, in the order of docs/export.md."""
