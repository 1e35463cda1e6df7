"""MariaDB stands for MySQL here: its schema and what ProMan sends it are such as both know.

Oracle's MySQL itself is not among the machines that these tests have run on.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import text
from sqlalchemy.dialects.mysql.reserved_words import RESERVED_WORDS_MARIADB, RESERVED_WORDS_MYSQL

from proman.addresses import parse_database_url
from proman.database.autogenerate import OWN_TABLES
from proman.db import begin_write, db
from proman.demo.actions import Wanted, load_demonstration
from proman.doctor import CHECKS
from proman.identity.passwords import hash_password
from proman.identity.session import acting_for
from tests.conftest import make_app, make_settings
from tests.engines import MYSQL, fresh_database
from tests.factories import PASSWORD, make_organization, make_property, make_tenant
from tests.statements import statements_of

FORMS = ("mysql", "mariadb")
ONLY_MARIADB = re.compile(
    r"\bRETURNING\b|\bNEXT VALUE\b|\bNEXTVAL\b|\bCREATE SEQUENCE\b|\bCREATE OR REPLACE TABLE\b"
    r"|\b(COLUMN|INDEX|KEY|CONSTRAINT) IF (NOT )?EXISTS\b|\bSYSTEM VERSIONING\b"
    r"|\bFOR SYSTEM_TIME\b|\b(EXCEPT|INTERSECT) ALL\b|\bWAIT \d",
    re.IGNORECASE,
)
# Words that SQL has for what they are used for here.
MEANT = frozenset({"over", "recursive", "row_number", "lag", "lead", "of", "lateral"})
PAGES = (
    "/", "/properties/", "/tenants/", "/leases/", "/invoices/", "/payments/", "/search?q=a",
    "/reports/rent-roll", "/reports/aged-receivables", "/reports/statements", "/admin/audit",
)  # fmt: skip


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Flask]]:
    """A function that gives the application on a migrated database under that form of address."""
    with fresh_database(MYSQL) as url:
        made: dict[str, Flask] = {}

        def app_of(form: str) -> Flask:
            if form not in made:
                plain = url.set(drivername=form).render_as_string(hide_password=False)
                folder = tmp_path_factory.mktemp(form)
                settings = make_settings(folder, database_url=parse_database_url(plain, Path()))
                made[form] = make_app(settings)
                with made[form].app_context():
                    upgrade()
            return made[form]

        yield app_of
        for app in made.values():
            with app.app_context():
                db.engine.dispose()


def column(statement: str) -> list[str]:
    with db.engine.connect() as connection:
        return [str(value) for value in connection.execute(text(statement)).scalars()]


@pytest.mark.mysql
@pytest.mark.parametrize("form", FORMS)
def test_the_schema_is_one_that_both_take(apps: Callable[[str], Flask], form: str) -> None:
    here = "table_schema = DATABASE()"
    with apps(form).app_context():
        assert db.engine.dialect.name == form
        tables = "CONCAT(engine, ' ', table_collation)"
        own = ", ".join(f"'{name}'" for name in sorted(OWN_TABLES))
        ours = f"{here} AND table_name NOT IN ({own})"
        made = column(f"SELECT {tables} FROM information_schema.tables WHERE {ours}")
        assert set(made) == {"InnoDB utf8mb4_bin"}
        # MySQL takes no default for a text, and wants the names of checks unlike in a database.
        texts = "data_type IN ('tinytext', 'text', 'mediumtext', 'longtext', 'blob', 'mediumblob')"
        no_default = "(column_default IS NULL OR column_default = 'NULL')"
        assert not column(
            "SELECT CONCAT(table_name, '.', column_name) FROM information_schema.columns"
            f" WHERE {here} AND {texts} AND NOT {no_default}"
        )
        names = column(
            "SELECT constraint_name FROM information_schema.check_constraints"
            " WHERE constraint_schema = DATABASE()"
        )
        assert names
        assert len(names) == len(set(names))


@pytest.mark.mysql
@pytest.mark.parametrize("form", FORMS)
def test_every_connection_is_strict_and_names_differ_as_they_are_written(
    apps: Callable[[str], Flask], form: str
) -> None:
    with apps(form).app_context():
        (mode,) = column("SELECT @@sql_mode")
        assert "STRICT_ALL_TABLES" in mode
        assert "ANSI" not in mode
        with acting_for(make_organization(name=f"Company of {form}")):
            for name in ("Müllerstraße 1", "Mullerstrasse 1", "müllerstraße 1"):
                make_property(name=name)
            make_tenant(name="𝔄da 👩‍🔧")
            assert "𝔄da 👩‍🔧" in column("SELECT name FROM tenants")


@pytest.mark.mysql
def test_what_is_sent_to_mariadb_mysql_would_take_too(apps: Callable[[str], Flask]) -> None:
    app = apps("mariadb")
    with app.app_context():
        for table in ("tenants", "properties", "organizations"):
            with db.engine.execution_options(write=True).begin() as connection:
                connection.execute(text("SET foreign_key_checks = 0"))
                connection.execute(text(f"DELETE FROM {table}"))
    with statements_of(app) as said:
        with app.app_context():
            begin_write()
            wanted = Wanted(10, 3, 1, date(2026, 11, 22))
            load_demonstration(wanted, hash_password(PASSWORD), lambda done, total: None)
            db.session.commit()
        look_around(app.test_client())
    assert len(said) > 200
    assert [statement for statement in said if ONLY_MARIADB.search(statement)] == []


def look_around(client: FlaskClient) -> None:
    typed = {"email": "admin@example.com", "password": PASSWORD}
    assert client.post("/login", data=typed).status_code == 303
    for page in PAGES:
        assert client.get(page).status_code == 200, page


def test_statements_written_by_hand_use_no_word_that_mysql_keeps_for_itself() -> None:
    kept = {word.lower() for word in RESERVED_WORDS_MYSQL - RESERVED_WORDS_MARIADB} - MEANT
    for check in CHECKS:
        words = set(re.findall(r"[a-z_]+", re.sub(r"'[^']*'", "", check.sql.lower())))
        assert not words & kept, (check.invariant, words & kept)
