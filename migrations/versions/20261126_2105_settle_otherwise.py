"""Keep write-offs, refunds, and what becomes of deposits: interest, withheld, returned, taken back.

Why: a debt that is given up and credit that is paid back are records of their own, with a reason and
a reversal; and an event of a deposit says which entry it made, so that it can be taken back. That
entry is found for the events that there are, by lease, day and amount. A downgrade forgets these
records; their entries stay in the journal.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "20261126_2105"
down_revision = "20261126_2040"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OUTCOMES = ("interest", "withheld", "returned")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    references = ("lease_id", "leases"), ("invoice_id", "invoices"), ("payment_id", "payments")
    references += ("entry_id", "entries"), ("reverses_id", "adjustments"), ("recorded_by", "users")
    references += (("organization_id", "organizations"),)
    op.create_table(
        "adjustments",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("lease_id", ID, nullable=False),
        sa.Column("invoice_id", ID, nullable=True),
        sa.Column("payment_id", ID, nullable=True),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("entry_id", ID, nullable=False),
        sa.Column("reverses_id", ID, nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("organization_id", ID, nullable=False),
        sa.CheckConstraint(
            "(kind = 'write_off' AND invoice_id IS NOT NULL AND payment_id IS NULL)"
            " OR (kind = 'refund' AND invoice_id IS NULL)",
            name=op.f("ck_adjustments_kind"),
        ),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_adjustments_amount")),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=f"fk_adjustments_{column}", ondelete="RESTRICT"
            )
            for column, table in references
        ),
        sa.PrimaryKeyConstraint("id", name="pk_adjustments"),
        sa.UniqueConstraint("entry_id", name="uq_adjustments_entry_id"),
        sa.UniqueConstraint("reverses_id", name="uq_adjustments_reverses_id"),
    )
    op.create_index("ix_adjustments_lease_id", "adjustments", ["lease_id", "id"])
    op.create_index("ix_adjustments_invoice_id", "adjustments", ["invoice_id", "amount"])
    op.create_index("ix_adjustments_payment_id", "adjustments", ["payment_id", "amount"])
    with op.batch_alter_table("deposit_events") as events:
        events.add_column(sa.Column("entry_id", ID, nullable=True))
        events.add_column(sa.Column("reverses_id", ID, nullable=True))
        events.add_column(sa.Column("note", sa.String(500), server_default="", nullable=False))
        for column, table in (("entry_id", "entries"), ("reverses_id", "deposit_events")):
            name = f"fk_deposit_events_{column}"
            events.create_foreign_key(name, table, [column], ["id"], ondelete="RESTRICT")
        events.create_unique_constraint("uq_deposit_events_reverses_id", ["reverses_id"])
    _find_entries(op.get_bind())


def _find_entries(connection: sa.Connection) -> None:
    """Each event's entry; of several alike the first event has the first entry."""
    words = ", ".join(f"'{word}'" for word in OUTCOMES)
    entries = ", ".join(f"'deposit_{word}', 'deposit_{word}_reversal'" for word in OUTCOMES)
    happened = connection.execute(
        sa.text(
            "SELECT id, lease_id, event, happened_on, amount, invoice_id FROM deposit_events"
            f" WHERE event IN ({words}) ORDER BY id"
        )
    ).all()
    posted = connection.execute(
        sa.text(
            "SELECT e.id, p.lease_id, e.event, e.effective_on, p.credit - p.debit, p.invoice_id,"
            " e.reverses_id, e.explanation FROM entries e JOIN postings p ON p.entry_id = e.id"
            f" WHERE p.account = 'deposits_held' AND e.event IN ({entries}) ORDER BY e.id"
        )
    ).all()
    waiting: dict[tuple[object, ...], list[sa.Row[*tuple[Any, ...]]]] = {}
    for entry in posted:
        waiting.setdefault(tuple(entry[1:6]), []).append(entry)
    found = {}
    for event_id, lease_id, event, on, amount, invoice_id in happened:
        name = f"deposit_{event}" + ("_reversal" if amount < 0 else "")
        moved = amount if event == "interest" else -amount
        alike = waiting.get((lease_id, name, on, moved, invoice_id), [])
        if alike:
            entry = alike.pop(0)
            found[entry[0]] = (event_id, entry[6], entry[7])
    rows = [
        {"own": own, "entry": entry, "of": found.get(of, (None,))[0], "note": note}
        for entry, (own, of, note) in found.items()
    ]
    if rows:
        update = "UPDATE deposit_events SET entry_id = :entry, reverses_id = :of, note = :note"
        connection.execute(sa.text(f"{update} WHERE id = :own"), rows)


def downgrade() -> None:
    with op.batch_alter_table("deposit_events") as events:
        for column in ("entry_id", "reverses_id"):
            events.drop_constraint(f"fk_deposit_events_{column}", type_="foreignkey")
        events.drop_constraint("uq_deposit_events_reverses_id", type_="unique")
        if op.get_bind().dialect.name in ("mysql", "mariadb"):
            # The server made it for the key, and leaves it behind.
            events.drop_index("fk_deposit_events_entry_id")
        for column in ("entry_id", "reverses_id", "note"):
            events.drop_column(column)
    op.drop_table("adjustments")
