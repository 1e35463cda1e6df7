"""Runs migrations on one connection of their own, in one transaction where the engine can."""

from pathlib import Path

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from proman.base.commands import refusals_in_one_line
from proman.database import quarantine
from proman.database.migrating import (
    Steps,
    compared,
    has_work,
    looking_connection,
    migration_connection,
    require_ours,
)
from proman.database.mysql_steps import follow
from proman.database.retrying import again_if_taken_back

settings = current_app.extensions["proman_settings"]
migrations = Path(context.config.get_main_option("script_location"))


def configure(connection: Connection, **more: object) -> None:
    context.configure(
        connection=connection,
        target_metadata=current_app.extensions["proman_metadata"],
        transactional_ddl=connection.dialect.name in ("sqlite", "postgresql"),
        **current_app.extensions["migrate"].configure_args,
        **more,
    )


def run() -> None:
    with context.begin_transaction():
        context.run_migrations()


def look() -> bool:
    """Runs what changes nothing; whether there is something that does."""
    with looking_connection(settings) as connection:
        configure(connection)
        if has_work(context.get_context(), migrations):
            return True
        run()
        return False


attributes = context.config.attributes
given = attributes.get("connection")
if given is not None:
    configure(given)
    follow(context.get_context(), migrations)
    run()
else:
    with refusals_in_one_line():
        quarantine.finish_pending(settings)
        # A Galera node ends whoever looks at a table that a migration on another node changes.
        if again_if_taken_back(look):
            with attributes.get("connecting", migration_connection)(settings) as connection:
                steps = Steps(connection)
                configure(connection, on_version_apply=steps.note)
                require_ours(context.get_context())
                follow(context.get_context(), migrations)
                with compared(context.get_context(), migrations):
                    run()
                attributes.get("verify", lambda connection: None)(connection)
            steps.tell()
