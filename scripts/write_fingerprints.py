"""Walks the chain of migrations on each engine and writes down what each revision makes."""

import shutil
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from flask_migrate import upgrade
from sqlalchemy.exc import OperationalError

from proman.app import MIGRATIONS, create_app
from proman.database.description import Schema, describe
from proman.database.fingerprints import FOLDER, write
from proman.database.migrating import looking_connection
from proman.database.revisions import chain_to
from proman.db import db
from tests.conftest import make_settings
from tests.engines import MYSQL, POSTGRESQL, SQLITE, fresh_database


def write_fingerprints(engine: str) -> None:
    """One file for each revision on an engine."""
    place = nullcontext() if engine == SQLITE else fresh_database(engine)
    with place as url, tempfile.TemporaryDirectory() as folder:
        changes = {} if url is None else {"database_url": url}
        settings = make_settings(Path(folder), **changes)
        app = create_app(settings)
        shutil.rmtree(MIGRATIONS / FOLDER / engine, ignore_errors=True)
        before: Schema = {}
        with app.app_context():
            for revision in chain_to(MIGRATIONS, "head"):
                upgrade(revision=revision)
                with looking_connection(settings) as connection:
                    after = describe(connection)
                print(write(MIGRATIONS, engine, revision, before, after).relative_to(Path.cwd()))
                before = after
            db.engine.dispose()


def main() -> None:
    """Every engine; one whose server does not answer is named, and the exit code says so."""
    silent = []
    for engine in (SQLITE, POSTGRESQL, MYSQL):
        try:
            write_fingerprints(engine)
        except OperationalError as error:
            print(f"{engine}: {str(error.orig).splitlines()[0]}", file=sys.stderr)
            silent.append(engine)
    if silent:
        sys.exit(f"Not written: {', '.join(silent)}. Their fingerprints are due as well.")


if __name__ == "__main__":
    main()
