"""Create everything: identity, portfolio, leases, ledger, billing, payments, take-over, jobs.

Why: the first revision; nothing moves. Beside the tables it makes what keeps two leases of one unit
from overlapping: an exclusion constraint on PostgreSQL, triggers on SQLite and MySQL/MariaDB.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "20261122_1700"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
LONG_TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")

OVERLAP = """EXISTS (SELECT 1 FROM leases AS other
    WHERE other.unit_id = NEW.unit_id AND other.status <> 'draft' {others}
    AND other.first_day <= COALESCE(NEW.ended_on, NEW.last_day, '9999-12-31')
    AND COALESCE(other.ended_on, other.last_day, '9999-12-31') >= NEW.first_day)"""


def upgrade() -> None:
    op.create_table(
        "login_failures",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_login_failures"),
    )
    op.create_table(
        "organizations",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("region", sa.String(length=10), server_default="", nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("locale", sa.String(length=20), server_default="en_GB", nullable=False),
        sa.Column("area_unit", sa.String(length=10), server_default="m2", nullable=False),
        sa.Column("is_demonstration", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("legal_name", sa.String(length=200), server_default="", nullable=False),
        sa.Column("street", sa.String(length=200), server_default="", nullable=False),
        sa.Column("postal_code", sa.String(length=20), server_default="", nullable=False),
        sa.Column("city", sa.String(length=100), server_default="", nullable=False),
        sa.Column("email", sa.String(length=254), server_default="", nullable=False),
        sa.Column("phone", sa.String(length=50), server_default="", nullable=False),
        sa.Column("website", sa.String(length=200), server_default="", nullable=False),
        sa.Column("tax_number", sa.String(length=50), server_default="", nullable=False),
        sa.Column("footer", sa.String(length=500), server_default="", nullable=False),
        sa.Column("bank_name", sa.String(length=100), server_default="", nullable=False),
        sa.Column("bank_account_holder", sa.String(length=200), server_default="", nullable=False),
        sa.Column("bank_account", sa.String(length=50), server_default="", nullable=False),
        sa.Column("bank_code", sa.String(length=50), server_default="", nullable=False),
        sa.Column("due_rule", sa.String(length=20), server_default="day:1", nullable=False),
        sa.Column("timing", sa.String(length=10), server_default="advance", nullable=False),
        sa.Column("lead_days", sa.Integer(), server_default="5", nullable=False),
        sa.Column("proration", sa.String(length=10), server_default="actual", nullable=False),
        sa.Column("holding_over", sa.String(length=10), server_default="continue", nullable=False),
        sa.Column("deposit_return_days", sa.Integer(), server_default="30", nullable=False),
        sa.Column(
            "invoice_pattern",
            sa.String(length=60),
            server_default="{year}-{sequence:05d}",
            nullable=False,
        ),
        sa.Column(
            "credit_note_pattern",
            sa.String(length=60),
            server_default="CN-{year}-{sequence:05d}",
            nullable=False,
        ),
        sa.Column(
            "deposit_request_pattern",
            sa.String(length=60),
            server_default="DR-{year}-{sequence:05d}",
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
        sa.UniqueConstraint("name", name="uq_organizations_name"),
    )
    op.create_table(
        "scheduled_jobs",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("next_due_at", MOMENT, nullable=False),
        sa.Column("claimed_at", MOMENT, nullable=True),
        sa.Column("claimed_by", sa.String(length=100), server_default="", nullable=False),
        sa.Column("last_run_at", MOMENT, nullable=True),
        sa.Column("last_result", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_scheduled_jobs"),
    )
    op.create_table(
        "import_mappings",
        sa.Column("id", ID, nullable=False),
        sa.Column("header_hash", sa.String(length=64), nullable=False),
        sa.Column("mapping", LONG_TEXT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_import_mappings_organization_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_import_mappings"),
        sa.UniqueConstraint(
            "organization_id", "header_hash", name="uq_import_mappings_organization_id_header_hash"
        ),
    )
    op.create_table(
        "number_series",
        sa.Column("id", ID, nullable=False),
        sa.Column("series", sa.String(length=20), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last_sequence", sa.Integer(), nullable=False),
        sa.Column("last_issue_date", sa.Date(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_number_series_organization_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_number_series"),
        sa.UniqueConstraint(
            "organization_id", "series", "year", name="uq_number_series_organization_id_series_year"
        ),
    )
    op.create_table(
        "organization_logos",
        sa.Column("id", ID, nullable=False),
        sa.Column("media_type", sa.String(length=50), nullable=False),
        sa.Column("content", sa.LargeBinary(length=1000000), nullable=False),
        sa.Column("uploaded_at", MOMENT, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_organization_logos_organization_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_organization_logos"),
    )
    op.create_index(
        "ix_organization_logos_organization_id", "organization_logos", ["organization_id", "id"]
    )

    op.create_table(
        "properties",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("is_single_unit", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("street", sa.String(length=200), server_default="", nullable=False),
        sa.Column("postal_code", sa.String(length=20), server_default="", nullable=False),
        sa.Column("city", sa.String(length=100), server_default="", nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("region", sa.String(length=10), server_default="", nullable=False),
        sa.Column("notes", LONG_TEXT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("archived_at", MOMENT, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint(
            "type IN ('apartments', 'house', 'commercial', 'mixed', 'parking', 'other')",
            name=op.f("ck_properties_type"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_properties_organization_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_properties"),
        sa.UniqueConstraint("organization_id", "name", name="uq_properties_organization_id_name"),
    )
    op.create_index(
        "ix_properties_organization_id_city", "properties", ["organization_id", "city", "id"]
    )

    op.create_table(
        "tax_rates",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("retired_at", MOMENT, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_tax_rates_organization_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tax_rates"),
        sa.UniqueConstraint("organization_id", "name", name="uq_tax_rates_organization_id_name"),
    )
    op.create_table(
        "tenants",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=10), server_default="person", nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("phone", sa.String(length=50), server_default="", nullable=False),
        sa.Column("street", sa.String(length=200), server_default="", nullable=False),
        sa.Column("postal_code", sa.String(length=20), server_default="", nullable=False),
        sa.Column("city", sa.String(length=100), server_default="", nullable=False),
        sa.Column("country", sa.String(length=2), server_default="", nullable=False),
        sa.Column("tax_number", sa.String(length=50), server_default="", nullable=False),
        sa.Column("notes", LONG_TEXT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("archived_at", MOMENT, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint("kind IN ('person', 'company')", name=op.f("ck_tenants_kind")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_tenants_organization_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_tenants"),
        sa.UniqueConstraint("organization_id", "email", name="uq_tenants_organization_id_email"),
    )
    op.create_index("ix_tenants_organization_id_name", "tenants", ["organization_id", "name", "id"])

    op.create_table(
        "users",
        sa.Column("id", ID, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("is_operator", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("session_epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("invited_at", MOMENT, nullable=True),
        sa.Column("last_seen_at", MOMENT, nullable=True),
        sa.Column("deactivated_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint(
            "role IN ('administrator', 'manager', 'viewer', 'tenant')", name=op.f("ck_users_role")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_users_organization_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_index("ix_users_organization_id_name", "users", ["organization_id", "name", "id"])

    op.create_table(
        "access_tokens",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "purpose IN ('invitation', 'reset')", name=op.f("ck_access_tokens_purpose")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_access_tokens_user_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_access_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_access_tokens_token_hash"),
    )
    op.create_index("ix_access_tokens_user_id", "access_tokens", ["user_id"])

    op.create_table(
        "audit_entries",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor_id", ID, nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject_type", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=True),
        sa.Column("subject_label", sa.String(length=300), nullable=False),
        sa.Column("before", LONG_TEXT, nullable=True),
        sa.Column("after", LONG_TEXT, nullable=True),
        sa.Column("note", LONG_TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["users.id"], name="fk_audit_entries_actor_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_audit_entries_organization_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
    )
    op.create_index(
        "ix_audit_entries_actor", "audit_entries", ["organization_id", "actor_id", "id"]
    )
    op.create_index(
        "ix_audit_entries_organization_id_id", "audit_entries", ["organization_id", "id"]
    )
    op.create_index(
        "ix_audit_entries_subject",
        "audit_entries",
        ["organization_id", "subject_type", "subject_id", "id"],
    )

    op.create_table(
        "billing_runs",
        sa.Column("id", ID, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("run_at", MOMENT, nullable=False),
        sa.Column("run_by", ID, nullable=True),
        sa.Column("issued", sa.Integer(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_billing_runs_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["run_by"], ["users.id"], name="fk_billing_runs_run_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_billing_runs"),
    )
    op.create_index("ix_billing_runs_organization_id_id", "billing_runs", ["organization_id", "id"])

    op.create_table(
        "entries",
        sa.Column("id", ID, nullable=False),
        sa.Column("event", sa.String(length=30), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("reverses_id", ID, nullable=True),
        sa.Column("explanation", sa.String(length=300), server_default="", nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_entries_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["users.id"], name="fk_entries_recorded_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["entries.id"], name="fk_entries_reverses_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_entries"),
        sa.UniqueConstraint("reverses_id", name="uq_entries_reverses_id"),
    )
    op.create_index(
        "ix_entries_organization_id_effective_on",
        "entries",
        ["organization_id", "effective_on", "id"],
    )

    op.create_table(
        "import_drafts",
        sa.Column("id", ID, nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(length=16777215), nullable=False),
        sa.Column("mapping", LONG_TEXT, nullable=False),
        sa.Column("uploaded_at", MOMENT, nullable=False),
        sa.Column("uploaded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_import_drafts_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by"], ["users.id"], name="fk_import_drafts_uploaded_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_import_drafts"),
    )
    op.create_index(
        "ix_import_drafts_organization_id_id", "import_drafts", ["organization_id", "id"]
    )

    op.create_table(
        "imports",
        sa.Column("id", ID, nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("cut_over", sa.Date(), nullable=False),
        sa.Column("created", LONG_TEXT, nullable=False),
        sa.Column("imported_at", MOMENT, nullable=False),
        sa.Column("imported_by", ID, nullable=True),
        sa.Column("undone_at", MOMENT, nullable=True),
        sa.Column("undone_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["imported_by"], ["users.id"], name="fk_imports_imported_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_imports_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["undone_by"], ["users.id"], name="fk_imports_undone_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_imports"),
    )
    op.create_index("ix_imports_organization_id_id", "imports", ["organization_id", "id"])

    op.create_table(
        "portal_accesses",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("invited_at", MOMENT, nullable=False),
        sa.Column("invited_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["users.id"], name="fk_portal_accesses_invited_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_portal_accesses_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="fk_portal_accesses_tenant_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_portal_accesses_user_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_portal_accesses"),
        sa.UniqueConstraint("tenant_id", name="uq_portal_accesses_tenant_id"),
        sa.UniqueConstraint("user_id", name="uq_portal_accesses_user_id"),
    )
    op.create_table(
        "units",
        sa.Column("id", ID, nullable=False),
        sa.Column("property_id", ID, nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("location", sa.String(length=100), server_default="", nullable=False),
        sa.Column("bedrooms", sa.Integer(), nullable=True),
        sa.Column("bathrooms", sa.Integer(), nullable=True),
        sa.Column("area", sa.Integer(), nullable=True),
        sa.Column("market_rent", sa.BigInteger(), nullable=True),
        sa.Column("notes", LONG_TEXT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("archived_at", MOMENT, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_units_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["property_id"], ["properties.id"], name="fk_units_property_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_units"),
        sa.UniqueConstraint("property_id", "label", name="uq_units_property_id_label"),
    )
    op.create_index(
        "ix_units_organization_id_property_id", "units", ["organization_id", "property_id", "label"]
    )

    op.create_table(
        "import_records",
        sa.Column("id", ID, nullable=False),
        sa.Column("import_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name="fk_import_records_import_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_import_records_organization_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_import_records"),
        sa.UniqueConstraint(
            "import_id", "kind", "record_id", name="uq_import_records_import_id_kind_record_id"
        ),
    )
    op.create_table(
        "leases",
        sa.Column("id", ID, nullable=False),
        sa.Column("unit_id", ID, nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("cut_over", sa.Date(), nullable=True),
        sa.Column("frequency", sa.String(length=15), nullable=False),
        sa.Column("periods", sa.String(length=15), nullable=False),
        sa.Column("timing", sa.String(length=10), nullable=False),
        sa.Column("due_rule", sa.String(length=20), nullable=False),
        sa.Column("lead_days", sa.Integer(), nullable=False),
        sa.Column("proration", sa.String(length=10), nullable=False),
        sa.Column("holding_over", sa.String(length=10), nullable=False),
        sa.Column("deposit", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("notes", LONG_TEXT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint(
            "(status = 'ended' AND ended_on IS NOT NULL AND ended_on >= first_day) OR (status <> 'ended' AND ended_on IS NULL)",
            name=op.f("ck_leases_ended_on"),
        ),
        sa.CheckConstraint("status IN ('draft', 'active', 'ended')", name=op.f("ck_leases_status")),
        sa.CheckConstraint(
            "last_day IS NULL OR last_day >= first_day", name=op.f("ck_leases_days")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_leases_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["units.id"], name="fk_leases_unit_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_leases"),
        sa.UniqueConstraint(
            "organization_id", "reference", name="uq_leases_organization_id_reference"
        ),
    )
    op.create_index(
        "ix_leases_organization_id_first_day", "leases", ["organization_id", "first_day", "id"]
    )
    op.create_index(
        "ix_leases_organization_id_status",
        "leases",
        ["organization_id", "status", "last_day", "id"],
    )
    op.create_index("ix_leases_unit_id_first_day", "leases", ["unit_id", "first_day"])

    op.create_table(
        "charges",
        sa.Column("id", ID, nullable=False),
        sa.Column("lease_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("tax_rate", sa.Integer(), server_default="0", nullable=False),
        sa.Column("gross", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("recurrence", sa.String(length=10), server_default="period", nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint(
            "recurrence IN ('period', 'once', 'at_once')", name=op.f("ck_charges_recurrence")
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_charges_amount")),
        sa.CheckConstraint(
            "last_day IS NULL OR last_day >= first_day", name=op.f("ck_charges_days")
        ),
        sa.ForeignKeyConstraint(
            ["lease_id"], ["leases.id"], name="fk_charges_lease_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_charges_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["users.id"], name="fk_charges_recorded_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_charges"),
    )
    op.create_index("ix_charges_lease_id", "charges", ["lease_id", "id"])

    op.create_table(
        "invoices",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("series", sa.String(length=20), nullable=True),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("number", sa.String(length=60), nullable=True),
        sa.Column("lease_id", ID, nullable=False),
        sa.Column("property_id", ID, nullable=False),
        sa.Column("refers_to_id", ID, nullable=True),
        sa.Column("run_id", ID, nullable=True),
        sa.Column("issue_date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=True),
        sa.Column("period_end", sa.Date(), nullable=True),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("open", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=500), server_default="", nullable=False),
        sa.Column("issuer", LONG_TEXT, nullable=False),
        sa.Column("recipient", LONG_TEXT, nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.Column("issued_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint(
            "(kind = 'opening' AND number IS NULL AND sequence IS NULL) OR (kind <> 'opening' AND number IS NOT NULL AND sequence IS NOT NULL)",
            name=op.f("ck_invoices_number"),
        ),
        sa.CheckConstraint(
            "kind IN ('invoice', 'credit_note', 'deposit_request', 'opening')",
            name=op.f("ck_invoices_kind"),
        ),
        sa.CheckConstraint("open >= 0 AND open <= total", name=op.f("ck_invoices_open")),
        sa.CheckConstraint("total >= 0 AND total = net + tax", name=op.f("ck_invoices_total")),
        sa.ForeignKeyConstraint(
            ["issued_by"], ["users.id"], name="fk_invoices_issued_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["lease_id"], ["leases.id"], name="fk_invoices_lease_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_invoices_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["property_id"], ["properties.id"], name="fk_invoices_property_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["refers_to_id"], ["invoices.id"], name="fk_invoices_refers_to_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["billing_runs.id"], name="fk_invoices_run_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_invoices"),
        sa.UniqueConstraint("organization_id", "number", name="uq_invoices_number"),
        sa.UniqueConstraint(
            "organization_id", "series", "year", "sequence", name="uq_invoices_sequence"
        ),
    )
    op.create_index("ix_invoices_due_date", "invoices", ["organization_id", "due_date", "id"])
    op.create_index(
        "ix_invoices_issue_date",
        "invoices",
        [
            "organization_id",
            "issue_date",
            "id",
            "kind",
            "due_date",
            "total",
            "open",
            "property_id",
            "lease_id",
            "number",
        ],
    )
    op.create_index("ix_invoices_lease_id", "invoices", ["lease_id", "due_date", "id"])
    op.create_index(
        "ix_invoices_open", "invoices", ["organization_id", "open", "due_date", "kind", "lease_id"]
    )
    op.create_index("ix_invoices_property_id", "invoices", ["property_id"])
    op.create_index("ix_invoices_refers_to_id", "invoices", ["refers_to_id"])
    op.create_index("ix_invoices_run_id", "invoices", ["run_id"])

    op.create_table(
        "lease_endings",
        sa.Column("id", ID, nullable=False),
        sa.Column("lease_id", ID, nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=500), server_default="", nullable=False),
        sa.Column("deposit_return_due", sa.Date(), nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["lease_id"], ["leases.id"], name="fk_lease_endings_lease_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_lease_endings_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["users.id"], name="fk_lease_endings_recorded_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_lease_endings"),
        sa.UniqueConstraint("lease_id", name="uq_lease_endings_lease_id"),
    )
    op.create_table(
        "lease_parties",
        sa.Column("id", ID, nullable=False),
        sa.Column("lease_id", ID, nullable=False),
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["lease_id"], ["leases.id"], name="fk_lease_parties_lease_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_lease_parties_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name="fk_lease_parties_tenant_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_lease_parties"),
        sa.UniqueConstraint("lease_id", "tenant_id", name="uq_lease_parties_lease_id_tenant_id"),
    )
    op.create_index("ix_lease_parties_tenant_id", "lease_parties", ["tenant_id", "lease_id"])

    op.create_table(
        "payments",
        sa.Column("id", ID, nullable=False),
        sa.Column("lease_id", ID, nullable=False),
        sa.Column("payment_group", sa.String(length=36), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("reference", sa.String(length=140), server_default="", nullable=False),
        sa.Column("payer", sa.String(length=200), server_default="", nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payments_amount")),
        sa.ForeignKeyConstraint(
            ["lease_id"], ["leases.id"], name="fk_payments_lease_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_payments_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["users.id"], name="fk_payments_recorded_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payments"),
    )
    op.create_index("ix_payments_amount", "payments", ["organization_id", "amount", "id"])
    op.create_index("ix_payments_lease_id", "payments", ["lease_id", "received_on", "id"])
    op.create_index(
        "ix_payments_organization_id_received_on",
        "payments",
        ["organization_id", "received_on", "id", "amount", "lease_id", "reference", "payer"],
    )
    op.create_index("ix_payments_payment_group", "payments", ["organization_id", "payment_group"])

    op.create_table(
        "rents",
        sa.Column("id", ID, nullable=False),
        sa.Column("lease_id", ID, nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.String(length=10), server_default="split", nullable=False),
        sa.Column("tax_rate", sa.Integer(), server_default="0", nullable=False),
        sa.Column("gross", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_rents_amount")),
        sa.ForeignKeyConstraint(
            ["lease_id"], ["leases.id"], name="fk_rents_lease_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_rents_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["users.id"], name="fk_rents_recorded_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_rents"),
    )
    op.create_index("ix_rents_lease_id", "rents", ["lease_id", "effective_from", "id"])

    op.create_table(
        "allocations",
        sa.Column("id", ID, nullable=False),
        sa.Column("lease_id", ID, nullable=False),
        sa.Column("payment_id", ID, nullable=True),
        sa.Column("invoice_id", ID, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("reverses_id", ID, nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_allocations_amount")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name="fk_allocations_invoice_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["lease_id"], ["leases.id"], name="fk_allocations_lease_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_allocations_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name="fk_allocations_payment_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["users.id"], name="fk_allocations_recorded_by", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"],
            ["allocations.id"],
            name="fk_allocations_reverses_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_allocations"),
    )
    op.create_index(
        "ix_allocations_invoice_id", "allocations", ["invoice_id", "effective_on", "amount"]
    )
    op.create_index("ix_allocations_lease_id", "allocations", ["lease_id", "id"])
    op.create_index("ix_allocations_payment_id", "allocations", ["payment_id", "amount"])

    op.create_table(
        "billed_periods",
        sa.Column("id", ID, nullable=False),
        sa.Column("lease_id", ID, nullable=False),
        sa.Column("charge_key", sa.Integer(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("repetition", sa.Integer(), server_default="0", nullable=False),
        sa.Column("invoice_id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"],
            ["invoices.id"],
            name="fk_billed_periods_invoice_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["lease_id"], ["leases.id"], name="fk_billed_periods_lease_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_billed_periods_organization_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_billed_periods"),
        sa.UniqueConstraint(
            "lease_id", "charge_key", "period_start", "repetition", name="uq_billed_periods_once"
        ),
    )
    op.create_index(
        "ix_billed_periods_covered",
        "billed_periods",
        ["organization_id", "lease_id", "charge_key", "period_start", "period_end", "days"],
    )
    op.create_index("ix_billed_periods_invoice_id", "billed_periods", ["invoice_id"])

    op.create_table(
        "deliveries",
        sa.Column("id", ID, nullable=False),
        sa.Column("invoice_id", ID, nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("error", sa.String(length=500), server_default="", nullable=False),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("requested_by", ID, nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint("channel IN ('mail', 'pdf')", name=op.f("ck_deliveries_channel")),
        sa.CheckConstraint(
            "status IN ('queued', 'sending', 'sent', 'failed')",
            name=op.f("ck_deliveries_status"),
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name="fk_deliveries_invoice_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_deliveries_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["users.id"], name="fk_deliveries_requested_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_invoice_id", "deliveries", ["invoice_id", "id"])
    op.create_index("ix_deliveries_organization_id_id", "deliveries", ["organization_id", "id"])
    op.create_index("ix_deliveries_status", "deliveries", ["status", "id"])

    op.create_table(
        "deposit_events",
        sa.Column("id", ID, nullable=False),
        sa.Column("lease_id", ID, nullable=False),
        sa.Column("event", sa.String(length=10), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("invoice_id", ID, nullable=True),
        sa.Column("payment_id", ID, nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint(
            "event IN ('requested', 'received', 'interest', 'withheld', 'returned')",
            name=op.f("ck_deposit_events_event"),
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"],
            ["invoices.id"],
            name="fk_deposit_events_invoice_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["lease_id"], ["leases.id"], name="fk_deposit_events_lease_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_deposit_events_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payments.id"],
            name="fk_deposit_events_payment_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["users.id"], name="fk_deposit_events_recorded_by", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deposit_events"),
    )
    op.create_index(
        "ix_deposit_events_lease_id", "deposit_events", ["lease_id", "happened_on", "id"]
    )

    op.create_table(
        "invoice_lines",
        sa.Column("id", ID, nullable=False),
        sa.Column("invoice_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("charge_id", ID, nullable=True),
        sa.Column("credits_line_id", ID, nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=True),
        sa.Column("period_end", sa.Date(), nullable=True),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate", sa.Integer(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("gross", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("period_amount", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("explanation", sa.String(length=500), server_default="", nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["charge_id"], ["charges.id"], name="fk_invoice_lines_charge_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["credits_line_id"],
            ["invoice_lines.id"],
            name="fk_invoice_lines_credits_line_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name="fk_invoice_lines_invoice_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_invoice_lines_organization_id",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_invoice_lines"),
    )
    op.create_index("ix_invoice_lines_charge_id", "invoice_lines", ["charge_id"])
    op.create_index("ix_invoice_lines_credits_line_id", "invoice_lines", ["credits_line_id"])
    op.create_index("ix_invoice_lines_invoice_id", "invoice_lines", ["invoice_id", "position"])

    op.create_table(
        "payment_reversals",
        sa.Column("id", ID, nullable=False),
        sa.Column("payment_id", ID, nullable=False),
        sa.Column("reversed_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_payment_reversals_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["payments.id"],
            name="fk_payment_reversals_payment_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"],
            ["users.id"],
            name="fk_payment_reversals_recorded_by",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_payment_reversals"),
        sa.UniqueConstraint("payment_id", name="uq_payment_reversals_payment_id"),
    )
    op.create_table(
        "postings",
        sa.Column("id", ID, nullable=False),
        sa.Column("entry_id", ID, nullable=False),
        sa.Column("account", sa.String(length=20), nullable=False),
        sa.Column("lease_id", ID, nullable=True),
        sa.Column("property_id", ID, nullable=True),
        sa.Column("invoice_id", ID, nullable=True),
        sa.Column("payment_id", ID, nullable=True),
        sa.Column("debit", sa.BigInteger(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint(
            "(debit > 0 AND credit = 0) OR (debit = 0 AND credit > 0)",
            name=op.f("ck_postings_one_side"),
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name="fk_postings_entry_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name="fk_postings_invoice_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["lease_id"], ["leases.id"], name="fk_postings_lease_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name="fk_postings_organization_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name="fk_postings_payment_id", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["property_id"], ["properties.id"], name="fk_postings_property_id", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_postings"),
    )
    op.create_index("ix_postings_entry_id", "postings", ["entry_id"])
    op.create_index(
        "ix_postings_invoice_id", "postings", ["invoice_id", "account", "debit", "credit"]
    )
    op.create_index(
        "ix_postings_lease_id_account",
        "postings",
        ["lease_id", "account", "payment_id", "entry_id"],
    )
    op.create_index(
        "ix_postings_organization_id_account",
        "postings",
        ["organization_id", "account", "lease_id", "debit", "credit"],
    )
    op.create_index("ix_postings_payment_id", "postings", ["payment_id", "account"])
    refuse_overlaps(op.get_bind().dialect.name)


def refuse_overlaps(dialect: str) -> None:
    """Make the database itself refuse two leases of one unit on one day (drafts apart)."""
    if dialect == "postgresql":
        op.execute(
            "ALTER TABLE leases ADD CONSTRAINT ex_leases_overlap EXCLUDE USING gist ("
            "int8range(unit_id, unit_id, '[]') WITH &&, "
            "daterange(first_day, COALESCE(ended_on, last_day), '[]') WITH &&) "
            "WHERE (status <> 'draft')"
        )
        return
    for moment in ("INSERT", "UPDATE"):
        others = "AND other.id <> NEW.id" if moment == "UPDATE" else ""
        if dialect == "sqlite":
            op.execute(
                f"CREATE TRIGGER leases_overlap_{moment.lower()} BEFORE {moment} ON leases "
                f"WHEN NEW.status <> 'draft' AND {OVERLAP.format(others=others)} "
                "BEGIN SELECT RAISE(ABORT, 'leases_overlap'); END"
            )
        else:
            op.execute(
                f"CREATE TRIGGER leases_overlap_{moment.lower()} BEFORE {moment} ON leases "
                "FOR EACH ROW BEGIN DECLARE locked BIGINT; "
                "SELECT id INTO locked FROM units WHERE id = NEW.unit_id FOR UPDATE; "
                f"IF NEW.status <> 'draft' AND {OVERLAP.format(others=others)} THEN "
                "SIGNAL SQLSTATE '23000' SET MYSQL_ERRNO = 1062, MESSAGE_TEXT = 'leases_overlap'; "
                "END IF; END"
            )


def downgrade() -> None:
    for table in (
        "postings",
        "payment_reversals",
        "invoice_lines",
        "deposit_events",
        "deliveries",
        "billed_periods",
        "allocations",
        "rents",
        "payments",
        "lease_parties",
        "lease_endings",
        "invoices",
        "charges",
        "leases",
        "import_records",
        "units",
        "portal_accesses",
        "imports",
        "import_drafts",
        "entries",
        "billing_runs",
        "audit_entries",
        "access_tokens",
        "users",
        "tenants",
        "tax_rates",
        "properties",
        "organization_logos",
        "number_series",
        "import_mappings",
        "scheduled_jobs",
        "organizations",
        "login_failures",
    ):
        op.drop_table(table)
