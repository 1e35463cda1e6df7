"""Keep documents: what was uploaded for a property, unit, tenant or lease.

Why: signed leases and the photos of inspections belong to the record that they are about. A row
says what a file is and by which SHA-256 its content lies in the data directory. No data moves; a
downgrade forgets the rows and leaves the content.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "20261126_1515"
down_revision = "20261126_0900"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("id", ID, nullable=False),
        sa.Column("property_id", ID, nullable=True),
        sa.Column("unit_id", ID, nullable=True),
        sa.Column("tenant_id", ID, nullable=True),
        sa.Column("lease_id", ID, nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("is_shown", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("uploaded_at", MOMENT, nullable=False),
        sa.Column("uploaded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint(
            "CASE WHEN property_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN unit_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN tenant_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN lease_id IS NULL THEN 0 ELSE 1 END = 1",
            name=op.f("ck_documents_one_subject"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=f"fk_documents_{column}", ondelete="RESTRICT"
            )
            for column, table in (
                ("property_id", "properties"),
                ("unit_id", "units"),
                ("tenant_id", "tenants"),
                ("lease_id", "leases"),
                ("uploaded_by", "users"),
                ("organization_id", "organizations"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name="pk_documents"),
    )
    op.create_index("ix_documents_organization_id_id", "documents", ["organization_id", "id"])
    op.create_index("ix_documents_property_id", "documents", ["property_id", "id"])
    op.create_index("ix_documents_unit_id", "documents", ["unit_id", "id"])
    op.create_index("ix_documents_tenant_id", "documents", ["tenant_id", "id"])
    op.create_index("ix_documents_lease_id", "documents", ["lease_id", "id"])


def downgrade() -> None:
    op.drop_table("documents")
