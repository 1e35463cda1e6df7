"""Count the changes of each organization, so that a Galera cluster sees that two of them meet.

Why: a lock is held on one node of a Galera cluster only. What its nodes agree on is which rows were
written: a change that writes its organization's row cannot be certified beside another one's. No
data moves: every count begins at 0, and other databases leave it there.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261126_0900"
down_revision = "20261125_2020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "organizations", sa.Column("changes", sa.BigInteger(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    with op.batch_alter_table("organizations") as batch:
        batch.drop_column("changes")
