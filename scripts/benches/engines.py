"""List, billing run and copy on each engine side by side, the copy beside its own bulk load."""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Table
from sqlalchemy.exc import OperationalError

from proman.app import create_app
from proman.billing.actions import run_billing
from proman.database.copying import copy_to
from proman.database.driver import sqlite3
from proman.database.engines import direct_engine
from proman.database.shape import tables_of
from proman.database.sqlite_copy import opened, silent
from proman.db import begin_write, db
from proman.demo.actions import demonstration_today
from proman.identity.queries import organizations
from proman.identity.session import acting_for
from proman.settings import Settings
from scripts.benches.clients import ask
from scripts.benches.sites import PASSWORD, ROOT, constant, folder_of, sign_in
from tests.conftest import make_settings
from tests.engines import MYSQL, POSTGRESQL, SQLITE, fresh_database
from tests.servers import database_of, environment_of, serving

ADDRESS = "/leases/"
QUICK = {
    SQLITE: "PRAGMA synchronous = FULL",
    POSTGRESQL: "SET session_replication_role = replica",
    MYSQL: "SET SESSION foreign_key_checks = 0, unique_checks = 0",
}
"""What lets rows in as quickly as the engine can: nothing that they refer to is looked up."""


def measure(arguments: list[str]) -> None:
    """The same demonstration on each engine; those that do not answer are left out."""
    parser = argparse.ArgumentParser(prog="scripts/bench engines", description=__doc__)
    parser.add_argument("--leases", type=int, default=10_000)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="keep the demonstration there, or take the one that is")
    wanted = parser.parse_args(arguments)
    with folder_of(wanted.folder) as folder, constant() as yardstick:
        source = _demonstration(folder / "source", wanted)
        print(
            f"{'':<12}{'list/s':>8}{'of constant':>13}{'billing s':>11}{'invoices':>10}"
            f"{'copy s':>8}{'bulk s':>8}{'times bulk':>12}{'rows':>11}",
            flush=True,
        )
        for engine in (SQLITE, POSTGRESQL, MYSQL):
            try:
                _measure(engine, folder, source, yardstick, wanted)
            except OperationalError as error:
                print(f"{engine:<12}left out: {error.orig}")


def _measure(
    engine: str, folder: Path, source: Settings, yardstick: str, wanted: argparse.Namespace
) -> None:
    with _blank(engine, folder / f"{engine}-bulk") as target:
        bulk = _bulk(engine, source, target)
    with _blank(engine, folder / engine) as target:
        copied, rows = _copied(source, target)
        rate, ratio = _list(target, yardstick, wanted)
        billed, invoices = _billed(target)
    print(
        f"{engine:<12}{rate:>8.0f}{ratio:>13.3f}{billed:>11.1f}{invoices:>10,}"
        f"{copied:>8.1f}{bulk:>8.1f}{copied / bulk:>12.2f}{rows:>11,}",
        flush=True,
    )


def _demonstration(folder: Path, wanted: argparse.Namespace) -> Settings:
    settings = make_settings(folder)
    size = ["--leases", str(wanted.leases), "--months", str(wanted.months), "--password", PASSWORD]
    is_new = not (folder / "proman.sqlite").exists()
    for words in (["db", "upgrade"], *([["demo", "load", *size]] if is_new else [])):
        _flask(settings, *words)
    return settings


def _flask(settings: Settings, *words: str) -> None:
    command = [str(Path(sys.executable).parent / "flask"), *words]
    environment = environment_of(settings.data_dir, **database_of(settings))
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)


@contextmanager
def _blank(engine: str, folder: Path) -> Iterator[Settings]:
    """An installation whose database holds nothing and is gone afterwards."""
    if engine == SQLITE:
        with folder_of(None) as own:
            yield make_settings(own)
        return
    with fresh_database(engine) as url:
        yield make_settings(folder, database_url=url)


def _copied(source: Settings, target: Settings) -> tuple[float, int]:
    """Seconds of a copy with all its proofs, and its rows."""
    app = create_app(source)
    address = target.database_url.render_as_string(hide_password=False)
    with app.app_context():
        began = time.perf_counter()
        done = copy_to(app.extensions["proman_installation"], address, "the bench", silent)
        return time.perf_counter() - began, sum(done.rows.values())


def _bulk(engine: str, source: Settings, target: Settings) -> float:
    """Seconds to put the same rows into tables that are there, by the driver alone."""
    _flask(target, "db", "upgrade")
    assert source.database_file is not None
    tables = tables_of(source.database_file)
    with _raw(target.database_url) as raw, opened(source.database_file, "mode=ro") as file:
        cursor = raw.cursor()
        cursor.execute(QUICK[engine])
        began = time.perf_counter()
        for table in tables:
            names = ", ".join(f'"{column.name}"' for column in table.columns)
            rows = file.execute(f'SELECT {names} FROM "{table.name}"')
            _put(engine, cursor, table, rows)
        raw.commit()
        return time.perf_counter() - began


def _put(engine: str, cursor: Any, table: Table, rows: Any) -> None:
    quote = "`" if engine == MYSQL else '"'
    names = ", ".join(f"{quote}{column.name}{quote}" for column in table.columns)
    into = f"{quote}{table.name}{quote} ({names})"
    if engine == POSTGRESQL:
        with cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    places = ", ".join(["?" if engine == SQLITE else "%s"] * len(table.columns))
    while some := rows.fetchmany(10_000):
        cursor.executemany(f"INSERT INTO {into} VALUES ({places})", some)


@contextmanager
def _raw(url: URL) -> Iterator[Any]:
    """The driver's own connection, with nothing of ProMan's around it."""
    if url.get_backend_name() == SQLITE:
        with closing(sqlite3.connect(str(url.database))) as connection:
            yield connection
        return
    engine = direct_engine(url)
    with closing(engine.raw_connection()) as raw:
        yield raw.driver_connection
    engine.dispose()


def _list(target: Settings, yardstick: str, wanted: argparse.Namespace) -> tuple[float, float]:
    """Answers a second of the list of leases, and their part of a constant view's."""
    with serving(target.data_dir, **database_of(target)) as server:
        cookie = sign_in(server.url, "manager@example.com")
        ask(server.url + ADDRESS, cookie=cookie, seconds=0.5)
        rates, ratios = [], []
        for _ in range(wanted.rounds):
            one = ask(yardstick, seconds=wanted.seconds)
            other = ask(server.url + ADDRESS, cookie=cookie, seconds=wanted.seconds)
            rates.append(other.per_second)
            ratios.append(other.per_second / one.per_second)
    return statistics.median(rates), statistics.median(ratios)


def _billed(target: Settings) -> tuple[float, int]:
    """Seconds of the next month's billing run, and the invoices it issued."""
    app = create_app(target)
    with app.app_context():
        (home, *_) = [each.id for each in organizations()]
        db.session.remove()
        with acting_for(home) as actor:
            day = demonstration_today() + timedelta(days=31)
            began = time.perf_counter()
            begin_write()
            issued = len(run_billing(day, today=day, actor=actor).issued)
            db.session.commit()
            took = time.perf_counter() - began
        db.session.remove()
        db.engine.dispose()
    return took, issued
