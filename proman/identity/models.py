"""Owns organizations, the people who sign in, their links and failures, and the audit trail."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from proman.db import Base, JsonText, LongText, Scoped, flag, foreign_key, id_column, moment

ROLES = ("administrator", "manager", "viewer", "tenant")


class Organization(Base):
    """A business that manages property: one currency, one time zone, its own books and settings."""

    __tablename__ = "organizations"

    id: Mapped[int] = id_column()
    name: Mapped[str] = mapped_column(String(200), nullable=False, unique=True)
    country: Mapped[str] = mapped_column(String(2), nullable=False)
    region: Mapped[str] = mapped_column(String(10), nullable=False, default="", server_default="")
    currency: Mapped[str] = mapped_column(String(3), nullable=False)
    time_zone: Mapped[str] = mapped_column(String(64), nullable=False)
    locale: Mapped[str] = mapped_column(
        String(20), nullable=False, default="en_GB", server_default="en_GB"
    )
    area_unit: Mapped[str] = mapped_column(
        String(10), nullable=False, default="m2", server_default="m2"
    )
    is_demonstration: Mapped[bool] = flag()
    created_at: Mapped[datetime] = moment(nullable=False)
    changes: Mapped[int] = mapped_column(BigInteger, nullable=False, default=0, server_default="0")
    """Changes that began on a node of a Galera cluster; elsewhere it stays 0."""

    legal_name: Mapped[str] = mapped_column(
        String(200), nullable=False, default="", server_default=""
    )
    street: Mapped[str] = mapped_column(String(200), nullable=False, default="", server_default="")
    postal_code: Mapped[str] = mapped_column(
        String(20), nullable=False, default="", server_default=""
    )
    city: Mapped[str] = mapped_column(String(100), nullable=False, default="", server_default="")
    email: Mapped[str] = mapped_column(String(254), nullable=False, default="", server_default="")
    phone: Mapped[str] = mapped_column(String(50), nullable=False, default="", server_default="")
    website: Mapped[str] = mapped_column(String(200), nullable=False, default="", server_default="")
    tax_number: Mapped[str] = mapped_column(
        String(50), nullable=False, default="", server_default=""
    )
    footer: Mapped[str] = mapped_column(String(500), nullable=False, default="", server_default="")

    bank_name: Mapped[str] = mapped_column(
        String(100), nullable=False, default="", server_default=""
    )
    bank_account_holder: Mapped[str] = mapped_column(
        String(200), nullable=False, default="", server_default=""
    )
    bank_account: Mapped[str] = mapped_column(
        String(50), nullable=False, default="", server_default=""
    )
    """IBAN, or the account number where IBANs are not used."""
    bank_code: Mapped[str] = mapped_column(
        String(50), nullable=False, default="", server_default=""
    )
    """BIC, sort code or routing number."""

    due_rule: Mapped[str] = mapped_column(
        String(20), nullable=False, default="day:1", server_default="day:1"
    )
    timing: Mapped[str] = mapped_column(
        String(10), nullable=False, default="advance", server_default="advance"
    )
    lead_days: Mapped[int] = mapped_column(nullable=False, default=5, server_default="5")
    proration: Mapped[str] = mapped_column(
        String(10), nullable=False, default="actual", server_default="actual"
    )
    holding_over: Mapped[str] = mapped_column(
        String(10), nullable=False, default="continue", server_default="continue"
    )
    deposit_return_days: Mapped[int] = mapped_column(
        nullable=False, default=30, server_default="30"
    )
    invoice_pattern: Mapped[str] = mapped_column(
        String(60),
        nullable=False,
        default="{year}-{sequence:05d}",
        server_default="{year}-{sequence:05d}",
    )
    credit_note_pattern: Mapped[str] = mapped_column(
        String(60),
        nullable=False,
        default="CN-{year}-{sequence:05d}",
        server_default="CN-{year}-{sequence:05d}",
    )
    deposit_request_pattern: Mapped[str] = mapped_column(
        String(60),
        nullable=False,
        default="DR-{year}-{sequence:05d}",
        server_default="DR-{year}-{sequence:05d}",
    )


class OrganizationLogo(Scoped, Base):
    """A logo; the newest row is the one in use, older ones stay for the invoices that show them."""

    __tablename__ = "organization_logos"
    __table_args__ = (Index("ix_organization_logos_organization_id", "organization_id", "id"),)

    id: Mapped[int] = id_column()
    media_type: Mapped[str] = mapped_column(String(50), nullable=False)
    content: Mapped[bytes] = mapped_column(LargeBinary(1_000_000), nullable=False)
    uploaded_at: Mapped[datetime] = moment(nullable=False)


class TaxRate(Scoped, Base):
    """A rate of tax a charge may bear; lines keep the rate itself, so a rate can be retired."""

    __tablename__ = "tax_rates"
    __table_args__ = (UniqueConstraint("organization_id", "name"),)

    id: Mapped[int] = id_column()
    name: Mapped[str] = mapped_column(String(100), nullable=False)
    rate: Mapped[int] = mapped_column(nullable=False)
    """Thousandths of a per cent: 19 % is 19000."""
    retired_at: Mapped[datetime | None] = moment()


class User(Scoped, Base):
    """A login. Users are invited and deactivated, never deleted."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role IN ('administrator', 'manager', 'viewer', 'tenant')", name="role"),
        Index("ix_users_organization_id_name", "organization_id", "name", "id"),
    )

    id: Mapped[int] = id_column()
    email: Mapped[str] = mapped_column(String(254), nullable=False, unique=True)
    """Lower case; unique in the installation."""
    name: Mapped[str] = mapped_column(String(200), nullable=False)
    role: Mapped[str] = mapped_column(String(20), nullable=False)
    is_operator: Mapped[bool] = flag()
    password_hash: Mapped[str | None] = mapped_column(String(200))
    session_epoch: Mapped[int] = mapped_column(nullable=False, default=0, server_default="0")
    """Raised by a new password or a deactivation: every older cookie is void."""
    invited_at: Mapped[datetime | None] = moment()
    last_seen_at: Mapped[datetime | None] = moment()
    deactivated_at: Mapped[datetime | None] = moment()
    created_at: Mapped[datetime] = moment(nullable=False)


class AccessToken(Base):
    """A link that lets its holder set a password once: an invitation or a reset."""

    __tablename__ = "access_tokens"
    __table_args__ = (CheckConstraint("purpose IN ('invitation', 'reset')", name="purpose"),)

    id: Mapped[int] = id_column()
    user_id: Mapped[int] = foreign_key("users.id", nullable=False, index=True)
    purpose: Mapped[str] = mapped_column(String(20), nullable=False)
    token_hash: Mapped[str] = mapped_column(String(64), nullable=False, unique=True)
    created_at: Mapped[datetime] = moment(nullable=False)
    expires_at: Mapped[datetime] = moment(nullable=False)
    used_at: Mapped[datetime | None] = moment()


class LoginFailure(Base):
    """How often signing in failed lately for one e-mail or one address; it slows the next try."""

    __tablename__ = "login_failures"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of `email:…` or `address:…`."""
    failures: Mapped[int] = mapped_column(nullable=False)
    last_failed_at: Mapped[datetime] = moment(nullable=False)


class AuditEntry(Base):
    """Who changed what, when, with the values before and after. Written, never changed."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_organization_id_id", "organization_id", "id"),
        Index("ix_audit_entries_subject", "organization_id", "subject_type", "subject_id", "id"),
        Index("ix_audit_entries_actor", "organization_id", "actor_id", "id"),
    )

    id: Mapped[int] = id_column()
    organization_id: Mapped[int | None] = foreign_key("organizations.id")
    at: Mapped[datetime] = moment(nullable=False)
    actor_id: Mapped[int | None] = foreign_key("users.id")
    actor_name: Mapped[str] = mapped_column(String(200), nullable=False)
    action: Mapped[str] = mapped_column(String(40), nullable=False)
    subject_type: Mapped[str] = mapped_column(String(40), nullable=False)
    subject_id: Mapped[int | None] = mapped_column(nullable=True)
    subject_label: Mapped[str] = mapped_column(String(300), nullable=False, default="")
    before: Mapped[Any] = mapped_column(JsonText, nullable=True)
    after: Mapped[Any] = mapped_column(JsonText, nullable=True)
    note: Mapped[str] = mapped_column(LongText, nullable=False, default="")
