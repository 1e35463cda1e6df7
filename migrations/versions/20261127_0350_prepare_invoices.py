"""Prepare invoices: what is to be charged beside a lease's terms, until it is issued.

Why: an invoice of several lines is written over days and looked at by another before it goes out. A
draft has no number and is in no books, so it is no invoice yet and has tables of its own. A downgrade
forgets drafts that were not issued.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "20261127_0350"
down_revision = "20261127_0300"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    op.create_table(
        "invoice_drafts",
        sa.Column("id", ID, nullable=False),
        sa.Column("lease_id", ID, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        *_references(
            "invoice_drafts",
            ("lease_id", "leases"),
            ("recorded_by", "users"),
            ("organization_id", "organizations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_drafts")),
    )
    op.create_index(
        "ix_invoice_drafts_organization_id_id", "invoice_drafts", ["organization_id", "id"]
    )
    op.create_table(
        "invoice_draft_lines",
        sa.Column("id", ID, nullable=False),
        sa.Column("draft_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate", sa.Integer(), server_default="0", nullable=False),
        sa.Column("gross", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_invoice_draft_lines_amount")),
        *_references(
            "invoice_draft_lines",
            ("draft_id", "invoice_drafts"),
            ("organization_id", "organizations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_draft_lines")),
        sa.UniqueConstraint("draft_id", "position", name="uq_invoice_draft_lines_position"),
    )


def _references(table: str, *columns: tuple[str, str]) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="RESTRICT"
        )
        for column, target in columns
    ]


def downgrade() -> None:
    op.drop_table("invoice_draft_lines")
    op.drop_table("invoice_drafts")
