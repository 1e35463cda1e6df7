"""Owns invoices and their like, numbering, what was billed, allocations, deposits, deliveries."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from proman.db import Base, JsonText, Minor, Scoped, flag, foreign_key, id_column, moment
from proman.leases.models import Lease

INVOICE_KINDS = ("invoice", "credit_note", "deposit_request", "opening")


class NumberSeries(Scoped, Base):
    """The last number given in a series and year; raised inside the issuing transaction."""

    __tablename__ = "number_series"
    __audited__: ClassVar[bool] = False
    __table_args__ = (UniqueConstraint("organization_id", "series", "year"),)

    id: Mapped[int] = id_column()
    series: Mapped[str] = mapped_column(String(20), nullable=False)
    year: Mapped[int] = mapped_column(nullable=False)
    last_sequence: Mapped[int] = mapped_column(nullable=False)
    last_issue_date: Mapped[date] = mapped_column(nullable=False)
    """The series' dates never go back."""


class BillingRun(Scoped, Base):
    """One run that issued something: as of which day, when, by whom, how much."""

    __tablename__ = "billing_runs"
    __audited__: ClassVar[bool] = False
    __table_args__ = (Index("ix_billing_runs_organization_id_id", "organization_id", "id"),)

    id: Mapped[int] = id_column()
    as_of: Mapped[date] = mapped_column(nullable=False)
    run_at: Mapped[datetime] = moment(nullable=False)
    run_by: Mapped[int | None] = foreign_key("users.id")
    issued: Mapped[int] = mapped_column(nullable=False)
    total: Mapped[int] = mapped_column(Minor, nullable=False)


class Invoice(Scoped, Base):
    """An issued document: invoice, credit note, deposit request or opening item. Immutable.

    Only `open` moves: what of the total is not yet settled today, kept by the verbs that allocate,
    credit and reverse, and proven by doctor against the allocations. A credit note's amounts are
    positive and its `open` is nil.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('invoice', 'credit_note', 'deposit_request', 'opening')", name="kind"
        ),
        CheckConstraint("total >= 0 AND total = net + tax", name="total"),
        CheckConstraint("open >= 0 AND open <= total", name="open"),
        CheckConstraint(
            "(kind = 'opening' AND number IS NULL AND sequence IS NULL)"
            " OR (kind <> 'opening' AND number IS NOT NULL AND sequence IS NOT NULL)",
            name="number",
        ),
        UniqueConstraint(
            "organization_id", "series", "year", "sequence", name="uq_invoices_sequence"
        ),
        UniqueConstraint("organization_id", "number", name="uq_invoices_number"),
        Index("ix_invoices_open", "organization_id", "open", "due_date", "kind", "lease_id"),
        Index("ix_invoices_lease_id", "lease_id", "due_date", "id"),
        Index("ix_invoices_refers_to_id", "refers_to_id"),
        Index("ix_invoices_due_date", "organization_id", "due_date", "id", "kind", "total", "open"),
        Index(
            "ix_invoices_issue_date",
            "organization_id",
            "issue_date",
            "id",
            # What the list counts, sums and searches, so that it never reads the wide rows for it.
            "kind",
            "due_date",
            "total",
            "open",
            "property_id",
            "lease_id",
            "number",
            "net",
        ),
    )

    id: Mapped[int] = id_column()
    kind: Mapped[str] = mapped_column(String(20), nullable=False)
    series: Mapped[str | None] = mapped_column(String(20))
    year: Mapped[int | None] = mapped_column(nullable=True)
    sequence: Mapped[int | None] = mapped_column(nullable=True)
    number: Mapped[str | None] = mapped_column(String(60))
    lease_id: Mapped[int] = foreign_key("leases.id", nullable=False)
    property_id: Mapped[int] = foreign_key("properties.id", nullable=False, index=True)
    refers_to_id: Mapped[int | None] = foreign_key("invoices.id")
    """The invoice that a credit note credits."""
    run_id: Mapped[int | None] = foreign_key("billing_runs.id", index=True)
    issue_date: Mapped[date] = mapped_column(nullable=False)
    due_date: Mapped[date] = mapped_column(nullable=False)
    period_start: Mapped[date | None] = mapped_column(nullable=True)
    period_end: Mapped[date | None] = mapped_column(nullable=True)
    net: Mapped[int] = mapped_column(Minor, nullable=False)
    tax: Mapped[int] = mapped_column(Minor, nullable=False)
    total: Mapped[int] = mapped_column(Minor, nullable=False)
    open: Mapped[int] = mapped_column(Minor, nullable=False)
    currency: Mapped[str] = mapped_column(String(3), nullable=False)
    reason: Mapped[str] = mapped_column(String(500), nullable=False, default="", server_default="")
    issuer: Mapped[Any] = mapped_column(JsonText, nullable=False)
    """The organization's name, address, tax and bank data of the day of issue."""
    recipient: Mapped[Any] = mapped_column(JsonText, nullable=False)
    """The tenants' names and address, the unit and property of the day of issue."""
    issued_at: Mapped[datetime] = moment(nullable=False)
    issued_by: Mapped[int | None] = foreign_key("users.id")

    lease: Mapped[Lease] = relationship(lazy="raise_on_sql")
    lines: Mapped[list["InvoiceLine"]] = relationship(
        back_populates="invoice", lazy="raise_on_sql", order_by="InvoiceLine.position"
    )


class InvoiceLine(Scoped, Base):
    """One printed line with its own dates, tax and the formula that made it."""

    __tablename__ = "invoice_lines"
    __audited__: ClassVar[bool] = False
    __table_args__ = (
        Index("ix_invoice_lines_invoice_id", "invoice_id", "position"),
        Index("ix_invoice_lines_credits_line_id", "credits_line_id"),
    )

    id: Mapped[int] = id_column()
    invoice_id: Mapped[int] = foreign_key("invoices.id", nullable=False)
    position: Mapped[int] = mapped_column(nullable=False)
    charge_id: Mapped[int | None] = foreign_key("charges.id", index=True)
    """Empty for rent."""
    credits_line_id: Mapped[int | None] = foreign_key("invoice_lines.id")
    kind: Mapped[str] = mapped_column(String(20), nullable=False)
    description: Mapped[str] = mapped_column(String(300), nullable=False)
    period_start: Mapped[date | None] = mapped_column(nullable=True)
    period_end: Mapped[date | None] = mapped_column(nullable=True)
    net: Mapped[int] = mapped_column(Minor, nullable=False)
    tax_rate: Mapped[int] = mapped_column(nullable=False)
    tax: Mapped[int] = mapped_column(Minor, nullable=False)
    gross: Mapped[bool] = flag()
    """Whether the amount agreed holds the tax."""
    period_amount: Mapped[int] = mapped_column(Minor, nullable=False, default=0, server_default="0")
    """The amount of one whole period that the line was reckoned from, net or gross as agreed."""
    explanation: Mapped[str] = mapped_column(
        String(500), nullable=False, default="", server_default=""
    )

    invoice: Mapped[Invoice] = relationship(back_populates="lines", lazy="raise_on_sql")


class BilledPeriod(Scoped, Base):
    """That a charge of a lease was billed for a period: the key that makes billing idempotent."""

    __tablename__ = "billed_periods"
    __audited__: ClassVar[bool] = False
    __table_args__ = (
        UniqueConstraint(
            "lease_id", "charge_key", "period_start", "repetition", name="uq_billed_periods_once"
        ),
        Index("ix_billed_periods_invoice_id", "invoice_id"),
        Index(
            "ix_billed_periods_covered",
            *("organization_id", "lease_id", "charge_key", "period_start", "period_end", "days"),
        ),
    )

    id: Mapped[int] = id_column()
    lease_id: Mapped[int] = foreign_key("leases.id", nullable=False)
    charge_key: Mapped[int] = mapped_column(nullable=False)
    """The charge's id; 0 for rent."""
    period_start: Mapped[date] = mapped_column(nullable=False)
    period_end: Mapped[date] = mapped_column(nullable=False)
    days: Mapped[int] = mapped_column(nullable=False)
    """Both ends counted, nil when billed again; where their sum fills the span, none was missed."""
    repetition: Mapped[int] = mapped_column(nullable=False, default=0, server_default="0")
    ended_itself: Mapped[bool | None] = mapped_column(nullable=True)
    """Whether the charge's own last day ended it, before the lease's part did; empty: not kept."""
    invoice_id: Mapped[int] = foreign_key("invoices.id", nullable=False)


class Allocation(Scoped, Base):
    """Credit turned into paid: an amount of a lease's credit put against one invoice.

    Negative when released or reversed. Without a payment the credit came from elsewhere: an
    opening credit, or a credit note beyond what was open.
    """

    __tablename__ = "allocations"
    __audited__: ClassVar[bool] = False
    __table_args__ = (
        CheckConstraint("amount <> 0", name="amount"),
        Index("ix_allocations_invoice_id", "invoice_id", "effective_on", "amount"),
        Index("ix_allocations_payment_id", "payment_id", "amount"),
        Index("ix_allocations_lease_id", "lease_id", "id"),
    )

    id: Mapped[int] = id_column()
    lease_id: Mapped[int] = foreign_key("leases.id", nullable=False)
    payment_id: Mapped[int | None] = foreign_key("payments.id")
    invoice_id: Mapped[int] = foreign_key("invoices.id", nullable=False)
    amount: Mapped[int] = mapped_column(Minor, nullable=False)
    effective_on: Mapped[date] = mapped_column(nullable=False)
    """The later of receipt and issue."""
    reverses_id: Mapped[int | None] = foreign_key("allocations.id")
    recorded_at: Mapped[datetime] = moment(nullable=False)
    recorded_by: Mapped[int | None] = foreign_key("users.id")


class DepositEvent(Scoped, Base):
    """What happened to a lease's deposit: requested, received, interest, withheld, returned."""

    __tablename__ = "deposit_events"
    __table_args__ = (
        CheckConstraint(
            "event IN ('requested', 'received', 'interest', 'withheld', 'returned')", name="event"
        ),
        Index("ix_deposit_events_lease_id", "lease_id", "happened_on", "id"),
    )

    id: Mapped[int] = id_column()
    lease_id: Mapped[int] = foreign_key("leases.id", nullable=False)
    event: Mapped[str] = mapped_column(String(10), nullable=False)
    happened_on: Mapped[date] = mapped_column(nullable=False)
    amount: Mapped[int] = mapped_column(Minor, nullable=False)
    """Negative when it was reversed."""
    invoice_id: Mapped[int | None] = foreign_key("invoices.id")
    """The deposit request; of what was withheld the document that it settles."""
    payment_id: Mapped[int | None] = foreign_key("payments.id")
    entry_id: Mapped[int | None] = foreign_key("entries.id")
    """The entry of interest, of what was withheld or returned, and of its reversal."""
    reverses_id: Mapped[int | None] = foreign_key("deposit_events.id", unique=True)
    note: Mapped[str] = mapped_column(String(500), nullable=False, default="", server_default="")
    recorded_at: Mapped[datetime] = moment(nullable=False)
    recorded_by: Mapped[int | None] = foreign_key("users.id")


class Adjustment(Scoped, Base):
    """What moved a lease's money beside documents and payments: a write-off or a refund.

    Never changed: its reversal is a row of its own with an amount below nil.
    """

    __tablename__ = "adjustments"
    __table_args__ = (
        CheckConstraint(
            "(kind = 'write_off' AND invoice_id IS NOT NULL AND payment_id IS NULL)"
            " OR (kind = 'refund' AND invoice_id IS NULL)",
            name="kind",
        ),
        CheckConstraint("amount <> 0", name="amount"),
        Index("ix_adjustments_lease_id", "lease_id", "id"),
        Index("ix_adjustments_invoice_id", "invoice_id", "amount"),
        Index("ix_adjustments_payment_id", "payment_id", "amount"),
    )

    id: Mapped[int] = id_column()
    kind: Mapped[str] = mapped_column(String(10), nullable=False)
    lease_id: Mapped[int] = foreign_key("leases.id", nullable=False)
    invoice_id: Mapped[int | None] = foreign_key("invoices.id")
    """What was written off of."""
    payment_id: Mapped[int | None] = foreign_key("payments.id")
    """The payment whose credit was refunded; empty for credit from elsewhere."""
    happened_on: Mapped[date] = mapped_column(nullable=False)
    amount: Mapped[int] = mapped_column(Minor, nullable=False)
    note: Mapped[str] = mapped_column(String(500), nullable=False)
    """Why."""
    entry_id: Mapped[int] = foreign_key("entries.id", nullable=False, unique=True)
    reverses_id: Mapped[int | None] = foreign_key("adjustments.id", unique=True)
    recorded_at: Mapped[datetime] = moment(nullable=False)
    recorded_by: Mapped[int | None] = foreign_key("users.id")


class LateFeePolicy(Scoped, Base):
    """A decision how late invoices are charged that are due from its day on, until the next one."""

    __tablename__ = "late_fee_policies"
    __table_args__ = (
        CheckConstraint(
            "(kind = 'off' AND flat = 0 AND rate = 0)"
            " OR (kind = 'flat' AND flat > 0 AND rate = 0)"
            " OR (kind = 'percent' AND flat = 0 AND rate > 0 AND rate <= 100000)",
            name="kind",
        ),
        CheckConstraint("grace_days >= 0 AND minimum >= 0 AND cap >= 0", name="bounds"),
        Index("ix_late_fee_policies_organization_id", "organization_id", "id"),
    )

    id: Mapped[int] = id_column()
    due_from: Mapped[date] = mapped_column(nullable=False)
    """The day of the decision: what was due before it keeps what held then."""
    kind: Mapped[str] = mapped_column(String(10), nullable=False)
    grace_days: Mapped[int] = mapped_column(nullable=False)
    flat: Mapped[int] = mapped_column(Minor, nullable=False)
    rate: Mapped[int] = mapped_column(nullable=False)
    """Thousandths of a per cent."""
    minimum: Mapped[int] = mapped_column(Minor, nullable=False)
    cap: Mapped[int] = mapped_column(Minor, nullable=False)
    """The most that one invoice bears; nil is no cap."""
    daily: Mapped[bool] = flag()
    recorded_at: Mapped[datetime] = moment(nullable=False)
    recorded_by: Mapped[int | None] = foreign_key("users.id")


class LateFee(Scoped, Base):
    """That a late invoice was charged a fee, or some of it was taken back (below nil)."""

    __tablename__ = "late_fees"
    __audited__: ClassVar[bool] = False
    __table_args__ = (
        CheckConstraint("amount <> 0", name="amount"),
        UniqueConstraint("invoice_id", "sequence", name="uq_late_fees_once"),
        UniqueConstraint("document_id", name="uq_late_fees_document_id"),
    )

    id: Mapped[int] = id_column()
    invoice_id: Mapped[int] = foreign_key("invoices.id", nullable=False)
    """The late invoice."""
    sequence: Mapped[int] = mapped_column(nullable=False)
    """Counts from 1 for each late invoice: the key that makes charging idempotent."""
    document_id: Mapped[int] = foreign_key("invoices.id", nullable=False)
    """The invoice of the fee, or the credit note that takes some of it back."""
    amount: Mapped[int] = mapped_column(Minor, nullable=False)
    through: Mapped[date] = mapped_column(nullable=False)
    """The day (inclusive) up to which the facts were reckoned."""
    recorded_at: Mapped[datetime] = moment(nullable=False)


class Delivery(Scoped, Base):
    """That an invoice or a reminder was delivered, or is to be: how, to whom, when, what failed."""

    __tablename__ = "deliveries"
    __audited__: ClassVar[bool] = False
    __table_args__ = (
        CheckConstraint("channel IN ('mail', 'pdf')", name="channel"),
        CheckConstraint(
            "(invoice_id IS NULL AND reminder_id IS NOT NULL)"
            " OR (invoice_id IS NOT NULL AND reminder_id IS NULL)",
            name="what",
        ),
        CheckConstraint("status IN ('queued', 'sending', 'sent', 'failed')", name="status"),
        Index("ix_deliveries_invoice_id", "invoice_id", "id"),
        Index("ix_deliveries_reminder_id", "reminder_id", "status"),
        Index("ix_deliveries_status", "status", "id"),
        Index("ix_deliveries_organization_id_id", "organization_id", "id"),
    )

    id: Mapped[int] = id_column()
    invoice_id: Mapped[int | None] = foreign_key("invoices.id")
    reminder_id: Mapped[int | None] = foreign_key("reminders.id")
    channel: Mapped[str] = mapped_column(String(10), nullable=False)
    recipient: Mapped[str] = mapped_column(String(254), nullable=False, default="")
    status: Mapped[str] = mapped_column(String(10), nullable=False)
    error: Mapped[str] = mapped_column(String(500), nullable=False, default="", server_default="")
    requested_at: Mapped[datetime] = moment(nullable=False)
    requested_by: Mapped[int | None] = foreign_key("users.id")
    finished_at: Mapped[datetime | None] = moment()
