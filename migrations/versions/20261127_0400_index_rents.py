"""Keep published index values, the index clauses of leases, and the rents that were indexed.

Why: an indexed rent is rent × new index ÷ base index, so both values must be kept with the days on
which they were published, and what was agreed of notice and of how long a rent holds. No lease has
a clause yet, so nothing changes. A downgrade forgets all of it; the rents stay.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "20261127_0400"
down_revision = "20261127_0360"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    op.create_table(
        "index_series",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        *_references("index_series", ("organization_id", "organizations")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_series")),
        sa.UniqueConstraint("organization_id", "name", name="uq_index_series_name"),
    )
    op.create_table(
        "index_values",
        sa.Column("id", ID, nullable=False),
        sa.Column("series_id", ID, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint("value > 0", name=op.f("ck_index_values_value")),
        *_references(
            "index_values", ("series_id", "index_series"), ("organization_id", "organizations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_values")),
        sa.UniqueConstraint("series_id", "month", "published_on", name="uq_index_values_once"),
    )
    op.create_index(
        "ix_index_values_organization_id", "index_values", ["organization_id", "series_id", "month"]
    )
    _create_clauses()
    _create_indexations()


def _create_clauses() -> None:
    op.create_table(
        "index_clauses",
        sa.Column("id", ID, nullable=False),
        sa.Column("lease_id", ID, nullable=False),
        sa.Column("series_id", ID, nullable=False),
        sa.Column("base_month", sa.Date(), nullable=False),
        sa.Column("base_value_id", ID, nullable=True),
        sa.Column("notice_months", sa.Integer(), nullable=False),
        sa.Column("hold_months", sa.Integer(), nullable=False),
        sa.Column("takes_effect", sa.String(length=12), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("up_only", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("same_month", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("unchanged_since", sa.Date(), nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint(
            "notice_months >= 0 AND notice_months <= 24 AND hold_months >= 0"
            " AND hold_months <= 120 AND threshold >= 0 AND threshold <= 100000",
            name=op.f("ck_index_clauses_bounds"),
        ),
        sa.CheckConstraint(
            "takes_effect IN ('month', 'anniversary')", name=op.f("ck_index_clauses_takes_effect")
        ),
        *_references(
            "index_clauses",
            ("lease_id", "leases"),
            ("series_id", "index_series"),
            ("base_value_id", "index_values"),
            ("recorded_by", "users"),
            ("organization_id", "organizations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_clauses")),
        sa.UniqueConstraint("lease_id", name="uq_index_clauses_lease_id"),
    )
    op.create_index(
        "ix_index_clauses_organization_id", "index_clauses", ["organization_id", "lease_id"]
    )


def _create_indexations() -> None:
    op.create_table(
        "rent_indexations",
        sa.Column("id", ID, nullable=False),
        sa.Column("lease_id", ID, nullable=False),
        sa.Column("rent_id", ID, nullable=False),
        sa.Column("base_value_id", ID, nullable=False),
        sa.Column("new_value_id", ID, nullable=False),
        sa.Column("old_rent", sa.BigInteger(), nullable=False),
        sa.Column("new_rent", sa.BigInteger(), nullable=False),
        sa.Column("notice_day", sa.Date(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint(
            "old_rent > 0 AND new_rent >= 0", name=op.f("ck_rent_indexations_rents")
        ),
        sa.CheckConstraint("effective_from > notice_day", name=op.f("ck_rent_indexations_notice")),
        *_references(
            "rent_indexations",
            ("lease_id", "leases"),
            ("rent_id", "rents"),
            ("base_value_id", "index_values"),
            ("new_value_id", "index_values"),
            ("recorded_by", "users"),
            ("organization_id", "organizations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rent_indexations")),
        sa.UniqueConstraint("rent_id", name="uq_rent_indexations_rent_id"),
    )
    for name, columns in (
        ("lease_id", ["lease_id", "id"]),
        ("organization_id", ["organization_id", "id"]),
        ("base_value_id", ["base_value_id"]),
        ("new_value_id", ["new_value_id"]),
    ):
        op.create_index(f"ix_rent_indexations_{name}", "rent_indexations", columns)


def _references(table: str, *columns: tuple[str, str]) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="RESTRICT"
        )
        for column, target in columns
    ]


def downgrade() -> None:
    op.drop_table("rent_indexations")
    op.drop_table("index_clauses")
    op.drop_table("index_values")
    op.drop_table("index_series")
