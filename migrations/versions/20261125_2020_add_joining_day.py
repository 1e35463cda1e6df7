"""Keep the day on which a tenant joined a lease that others had signed.

Why: who left and when was kept, who came later was not. No data moves: an empty day says that the
tenant is on the lease from its first day.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261125_2020"
down_revision = "20261122_1913"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lease_parties", sa.Column("joined_on", sa.Date(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("lease_parties") as batch:
        batch.drop_column("joined_on")
