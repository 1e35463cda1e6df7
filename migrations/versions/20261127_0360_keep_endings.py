"""Keep with each billed period whether the charge's own last day ended it, or the lease's.

Why: a last day may be moved after it was billed to. What the rest of the period bears then depends on
which of the two days it was, and a lease that charges one thing alone leaves no other sign of it. What
was billed before stays without the answer and is inferred as it was. A downgrade forgets the answers.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261127_0360"
down_revision = "20261127_0350"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("billed_periods", sa.Column("ended_itself", sa.Boolean(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("billed_periods") as periods:
        periods.drop_column("ended_itself")
