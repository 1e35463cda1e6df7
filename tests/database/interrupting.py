"""A small migration of every kind of statement, and processes that are killed in its middle."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

from flask_migrate import downgrade, upgrade
from sqlalchemy import Engine, event

from proman.app import MIGRATIONS, create_app
from proman.database.revisions import head_revision
from proman.settings import Settings

REVISION = "29990101_0000"
FILE = f"{REVISION}_keep_keys.py"
TEXT = '''"""Keep the keys of the units.

Why: to have something of everything to interrupt.
"""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unit_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_unit_keys"),
    )
    op.execute("INSERT INTO unit_keys (id, label) VALUES (1, 'front')")
    op.add_column("unit_keys", sa.Column("count", sa.Integer(), nullable=True))
    op.execute("UPDATE unit_keys SET count = 2")
    op.execute("INSERT INTO unit_keys (id, label, count) VALUES (2, 'back', 1)")
    op.execute("UPDATE unit_keys SET count = count + 1")
    op.create_index("ix_unit_keys_label", "unit_keys", ["label"])
    with op.batch_alter_table("tenants") as batch:
        batch.add_column(sa.Column("key_count", sa.Integer(), server_default="0", nullable=False))
        batch.create_unique_constraint("uq_tenants_keys", ["organization_id", "id", "key_count"])
    op.execute("UPDATE tenants SET key_count = key_count + 1"){more}


def downgrade() -> None:
    with op.batch_alter_table("tenants") as batch:
        batch.drop_constraint("uq_tenants_keys", type_="unique")
        batch.drop_column("key_count")
    op.drop_index("ix_unit_keys_label", table_name="unit_keys")
    op.drop_table("unit_keys")
'''


def with_keys(folder: Path, head: str, more: str = "") -> Path:
    """A copy of the migrations with one revision more; `more` is put at the end of its upgrade."""
    directory = folder / "migrations"
    if not directory.exists():
        shutil.copytree(MIGRATIONS, directory, ignore=shutil.ignore_patterns("__pycache__"))
    text = TEXT.format(revision=REVISION, head=head, more=more and f"\n    {more}")
    (directory / "versions" / FILE).write_text(text)
    return directory


def run(
    settings: Settings, way: str, directory: Path, statement: int = 0, after: bool = True
) -> None:
    """Upgrades or downgrades, killed before or after so many statements; 0 lets it live.

    Prints which of them are the first and the last that change something.
    """
    count = 0
    changing: list[int] = []

    def kill(connection: Any, cursor: Any, order: str, *of: Any) -> None:
        nonlocal count
        count += 1
        if "unit_keys" in order or ("tenants" in order and not order.startswith("SELECT")):
            changing.append(count)
        if count == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    moment = "after_cursor_execute" if after else "before_cursor_execute"
    event.listen(Engine, moment, kill)
    app = create_app(settings)
    with app.app_context():
        if way == "upgrade":
            upgrade(directory=str(directory))
        else:
            downgrade(directory=str(directory), revision=head_revision(MIGRATIONS))
    print(f"changes: {min(changing, default=0)} to {max(changing, default=0)}")
