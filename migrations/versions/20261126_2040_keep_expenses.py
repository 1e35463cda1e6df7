"""Keep expenses: what was spent on a property, its reversal, and the receipts that prove it.

Why: the profit and loss of a property needs what it cost beside what it brought in. Documents can
hang on an expense now, so the check that each hangs on one record counts one column more; the index
of invoices by day of issue holds their net, so that the income of a year is summed in it alone. No
data moves. A downgrade forgets expenses and the documents on them; their entries stay in the
journal.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "20261126_2040"
down_revision = "20261126_1515"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
SUBJECTS = ("property_id", "unit_id", "tenant_id", "lease_id")
ISSUED = ["organization_id", "issue_date", "id", "kind", "due_date", "total", "open"]
ISSUED += ["property_id", "lease_id", "number"]


def upgrade() -> None:
    op.create_table(
        "expenses",
        sa.Column("id", ID, nullable=False),
        sa.Column("property_id", ID, nullable=True),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("supplier", sa.String(length=200), nullable=False),
        sa.Column("reference", sa.String(length=140), server_default="", nullable=False),
        sa.Column("description", sa.String(length=500), server_default="", nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", ID, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_expenses_amount")),
        _refers("expenses", "entry_id", "entries"),
        _refers("expenses", "organization_id", "organizations"),
        _refers("expenses", "property_id", "properties"),
        _refers("expenses", "recorded_by", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expenses")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_expenses_entry_id")),
    )
    listed = ["organization_id", "paid_on", "id", "amount", "property_id", "category"]
    op.create_index("ix_expenses_organization_id_paid_on", "expenses", listed)
    op.create_index("ix_expenses_amount", "expenses", ["organization_id", "amount", "id"])
    op.create_index("ix_expenses_property_id", "expenses", ["property_id", "paid_on", "id"])
    op.create_table(
        "expense_reversals",
        sa.Column("id", ID, nullable=False),
        sa.Column("expense_id", ID, nullable=False),
        sa.Column("reversed_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        _refers("expense_reversals", "expense_id", "expenses"),
        _refers("expense_reversals", "organization_id", "organizations"),
        _refers("expense_reversals", "recorded_by", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expense_reversals")),
        sa.UniqueConstraint("expense_id", name=op.f("uq_expense_reversals_expense_id")),
    )
    _hang_on((*SUBJECTS, "expense_id"))
    op.create_index("ix_documents_expense_id", "documents", ["expense_id", "id"])
    op.drop_index("ix_invoices_issue_date", table_name="invoices")
    op.create_index("ix_invoices_issue_date", "invoices", [*ISSUED, "net"])


def downgrade() -> None:
    op.drop_index("ix_invoices_issue_date", table_name="invoices")
    op.create_index("ix_invoices_issue_date", "invoices", ISSUED)
    op.execute("DELETE FROM documents WHERE expense_id IS NOT NULL")
    _hang_on(SUBJECTS)
    op.drop_table("expense_reversals")
    op.drop_table("expenses")


def _refers(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="RESTRICT")


def _hang_on(subjects: tuple[str, ...]) -> None:
    """Documents hang on exactly one of these; `expense_id` comes with the last of them, or goes."""
    name, key = op.f("ck_documents_one_subject"), op.f("fk_documents_expense_id")
    terms = [f"CASE WHEN {subject} IS NULL THEN 0 ELSE 1 END" for subject in subjects]
    with op.batch_alter_table("documents") as documents:
        documents.drop_constraint(name, type_="check")
        if "expense_id" in subjects:
            documents.add_column(sa.Column("expense_id", ID, nullable=True))
            documents.create_foreign_key(
                key, "expenses", ["expense_id"], ["id"], ondelete="RESTRICT"
            )
        else:
            documents.drop_constraint(key, type_="foreignkey")
            documents.drop_index("ix_documents_expense_id")
            documents.drop_column("expense_id")
        documents.create_check_constraint(name, " + ".join(terms) + " = 1")
