"""Keep up to which day the books are locked, with every decision on it.

Why: what was handed to an accountant or an authority must not change behind their back. Decisions are
only added, so that it can be told what was locked when. A downgrade forgets them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "20261127_0135"
down_revision = "20261126_2105"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    op.create_table(
        "period_locks",
        sa.Column("id", ID, nullable=False),
        sa.Column("locked_through", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=500), server_default="", nullable=False),
        sa.Column("newest_entry_id", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=f"fk_period_locks_{column}", ondelete="RESTRICT"
            )
            for column, table in (("recorded_by", "users"), ("organization_id", "organizations"))
        ),
        sa.PrimaryKeyConstraint("id", name="pk_period_locks"),
    )
    op.create_index("ix_period_locks_organization_id", "period_locks", ["organization_id", "id"])


def downgrade() -> None:
    op.drop_table("period_locks")
