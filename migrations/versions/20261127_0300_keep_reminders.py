"""Keep when tenants are reminded, the reminders that were made, and how they were delivered.

Why: who is to be reminded follows from due dates and from the reminders that were made, so those must
be kept, with the words and amounts of their day. A reminder stands on the sent-list beside invoices,
so a delivery is now of one or of the other. Nobody has decided on reminders yet, so nobody is
reminded. A downgrade forgets all three.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "20261127_0300"
down_revision = "20261127_0150"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
LONG_TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
WHAT = "ck_deliveries_what"
ONE = (
    "(invoice_id IS NULL AND reminder_id IS NOT NULL)"
    " OR (invoice_id IS NOT NULL AND reminder_id IS NULL)"
)


def upgrade() -> None:
    op.create_table(
        "reminder_levels",
        sa.Column("id", ID, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("pay_within", sa.Integer(), nullable=False),
        sa.Column("minimum", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("text", LONG_TEXT, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint("level >= 1 AND level <= 3", name=op.f("ck_reminder_levels_level")),
        sa.CheckConstraint(
            "days >= 1 AND pay_within >= 1 AND minimum >= 0",
            name=op.f("ck_reminder_levels_bounds"),
        ),
        *_references("reminder_levels", ("organization_id", "organizations")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_levels")),
        sa.UniqueConstraint("organization_id", "level", name="uq_reminder_levels_level"),
    )
    op.create_table(
        "reminders",
        sa.Column("id", ID, nullable=False),
        sa.Column("lease_id", ID, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("pay_by", sa.Date(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("text", LONG_TEXT, nullable=False),
        sa.Column("issuer", LONG_TEXT, nullable=False),
        sa.Column("recipient", LONG_TEXT, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint("total > 0 AND pay_by >= made_on", name=op.f("ck_reminders_reminder")),
        *_references(
            "reminders",
            ("lease_id", "leases"),
            ("recorded_by", "users"),
            ("organization_id", "organizations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminders")),
        sa.UniqueConstraint("lease_id", "made_on", name="uq_reminders_once"),
    )
    op.create_index("ix_reminders_organization_id_id", "reminders", ["organization_id", "id"])
    op.create_table(
        "reminder_items",
        sa.Column("id", ID, nullable=False),
        sa.Column("reminder_id", ID, nullable=False),
        sa.Column("invoice_id", ID, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("open", sa.BigInteger(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint(
            "open > 0 AND level >= 0 AND level <= 3", name=op.f("ck_reminder_items_item")
        ),
        *_references(
            "reminder_items",
            ("reminder_id", "reminders"),
            ("invoice_id", "invoices"),
            ("organization_id", "organizations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_items")),
        sa.UniqueConstraint("reminder_id", "invoice_id", name="uq_reminder_items_once"),
    )
    op.create_index(
        "ix_reminder_items_invoice_id", "reminder_items", ["invoice_id", "reminder_id", "level"]
    )
    with op.batch_alter_table("deliveries") as deliveries:
        deliveries.alter_column("invoice_id", existing_type=ID, nullable=True)
        deliveries.add_column(sa.Column("reminder_id", ID, nullable=True))
        deliveries.create_foreign_key(
            op.f("fk_deliveries_reminder_id"),
            "reminders",
            ["reminder_id"],
            ["id"],
            ondelete="RESTRICT",
        )
        deliveries.create_check_constraint(op.f(WHAT), ONE)
    op.create_index("ix_deliveries_reminder_id", "deliveries", ["reminder_id", "status"])


def _references(table: str, *columns: tuple[str, str]) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="RESTRICT"
        )
        for column, target in columns
    ]


def downgrade() -> None:
    op.execute("DELETE FROM deliveries WHERE reminder_id IS NOT NULL")
    with op.batch_alter_table("deliveries") as deliveries:
        deliveries.drop_constraint(op.f(WHAT), type_="check")
        deliveries.drop_constraint(op.f("fk_deliveries_reminder_id"), type_="foreignkey")
        deliveries.drop_index("ix_deliveries_reminder_id")
        deliveries.drop_column("reminder_id")
        deliveries.alter_column("invoice_id", existing_type=ID, nullable=False)
    op.drop_table("reminder_items")
    op.drop_table("reminders")
    op.drop_table("reminder_levels")
