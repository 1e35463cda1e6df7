"""Keep how late invoices are charged, decision by decision, and which fees were charged for which.

Why: what a late invoice bears is reckoned from the facts, so the rule that held when it fell due must be
kept, and what was charged so far, under a key that no two runs can both take. Nobody has decided
anything yet, so nothing is charged. A downgrade forgets both; the invoices of the fees stay.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "20261127_0150"
down_revision = "20261127_0135"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    op.create_table(
        "late_fee_policies",
        sa.Column("id", ID, nullable=False),
        sa.Column("due_from", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("flat", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("minimum", sa.BigInteger(), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=False),
        sa.Column("daily", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint(
            "(kind = 'off' AND flat = 0 AND rate = 0)"
            " OR (kind = 'flat' AND flat > 0 AND rate = 0)"
            " OR (kind = 'percent' AND flat = 0 AND rate > 0 AND rate <= 100000)",
            name=op.f("ck_late_fee_policies_kind"),
        ),
        sa.CheckConstraint(
            "grace_days >= 0 AND minimum >= 0 AND cap >= 0",
            name=op.f("ck_late_fee_policies_bounds"),
        ),
        *_references(
            "late_fee_policies", ("recorded_by", "users"), ("organization_id", "organizations")
        ),
        sa.PrimaryKeyConstraint("id", name="pk_late_fee_policies"),
    )
    op.create_index(
        "ix_late_fee_policies_organization_id", "late_fee_policies", ["organization_id", "id"]
    )
    op.create_table(
        "late_fees",
        sa.Column("id", ID, nullable=False),
        sa.Column("invoice_id", ID, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("document_id", ID, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("through", sa.Date(), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_late_fees_amount")),
        *_references(
            "late_fees",
            ("invoice_id", "invoices"),
            ("document_id", "invoices"),
            ("organization_id", "organizations"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_late_fees"),
        sa.UniqueConstraint("invoice_id", "sequence", name="uq_late_fees_once"),
        sa.UniqueConstraint("document_id", name="uq_late_fees_document_id"),
    )


def _references(table: str, *columns: tuple[str, str]) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [column], [f"{target}.id"], name=f"fk_{table}_{column}", ondelete="RESTRICT"
        )
        for column, target in columns
    ]


def downgrade() -> None:
    op.drop_table("late_fees")
    op.drop_table("late_fee_policies")
