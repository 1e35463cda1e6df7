"""A billing run of 10,000 leases, as a multiple of INSERT … SELECT of the rows it wrote (12)."""

import argparse
import shutil
import tempfile
import time
from datetime import date
from pathlib import Path

from flask_migrate import upgrade
from sqlalchemy import insert

from proman.app import create_app
from proman.billing.actions import run_billing
from proman.database.driver import sqlite3
from proman.db import Base, begin_write, db, utc_now
from proman.identity.session import acting_for
from tests.conftest import make_settings
from tests.factories import make_organization, make_property

BUDGET = 12
FIRST = date(2026, 1, 1)
TABLES = ("invoices", "invoice_lines", "billed_periods", "entries", "postings")
"""What a run writes for each invoice, in the order of what refers to what."""


def measure(arguments: list[str]) -> None:
    """One month billed for real, then the same rows put in again without any reckoning."""
    parser = argparse.ArgumentParser(prog="scripts/bench billing", description=__doc__)
    parser.add_argument("--leases", type=int, default=10_000)
    parser.add_argument("--months", type=int, default=3)
    wanted = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="proman-bench-") as name:
        folder = Path(name)
        app = create_app(make_settings(folder))
        with app.app_context():
            upgrade()
            with acting_for(make_organization()) as actor:
                _portfolio(wanted.leases)
                for month in range(1, wanted.months + 1):
                    before = _newest(folder)
                    day = date(2026, month, 5)
                    began = time.perf_counter()
                    begin_write()
                    issued = len(run_billing(day, today=day, actor=actor).issued)
                    db.session.commit()
                    _tell(day, issued, time.perf_counter() - began, _again(folder, before))
            db.engine.dispose()


def _tell(day: date, issued: int, took: float, bare: float) -> None:
    ratio = took / bare
    verdict = "" if ratio <= BUDGET else f"  above {BUDGET}"
    print(f"{day:%Y-%m}  {issued:,} invoices  {took:.2f} s  {ratio:.1f} × INSERT … SELECT{verdict}")


def _portfolio(count: int) -> None:
    """So many leases with rent and one taxed charge, due on working days and plain ones."""
    house, now = make_property(), utc_now()
    ids = range(1, count + 1)
    texts = {"notes": "", "created_at": now}
    agreed = {"effective_from": FIRST, "recorded_at": now}
    charge = {"kind": "parking", "description": "Parking", "first_day": FIRST, "tax_rate": 19000}
    terms = {
        "status": "active",
        "first_day": FIRST,
        "frequency": "monthly",
        "periods": "calendar",
        "timing": "advance",
        "lead_days": 5,
        "proration": "actual",
        "holding_over": "continue",
    }
    begin_write()
    _add("units", [{"id": n, "property_id": house, "label": f"{n}", **texts} for n in ids])
    _add("tenants", [{"id": n, "name": f"Tenant {n}", "kind": "person", **texts} for n in ids])
    rules = ("day:1", "workday:3")
    _add(
        "leases",
        [
            {
                "id": n,
                "unit_id": n,
                "reference": f"L{n}",
                "due_rule": rules[n % 2],
                **terms,
                **texts,
            }
            for n in ids
        ],
    )
    _add("lease_parties", [{"lease_id": n, "tenant_id": n, "position": 0} for n in ids])
    _add("rents", [{"lease_id": n, "amount": 100_000 + n, **agreed} for n in ids])
    _add("charges", [{"lease_id": n, "amount": 6_000, "recorded_at": now, **charge} for n in ids])
    db.session.commit()


def _add(table: str, rows: list[dict[str, object]]) -> None:
    db.session.execute(insert(Base.metadata.tables[table]), rows)


def _newest(folder: Path) -> dict[str, int]:
    """The last id of each table before the run."""
    with sqlite3.connect(folder / "proman.sqlite") as file:
        newest = {t: file.execute(f"SELECT MAX(id) FROM {t}").fetchone()[0] or 0 for t in TABLES}
    file.close()
    return newest


def _again(folder: Path, before: dict[str, int]) -> float:
    """Seconds to put the run's rows into a copy that lacks them, with all its indexes."""
    source, copy = folder / "proman.sqlite", folder / "copy.sqlite"
    with sqlite3.connect(source) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file.close()
    shutil.copyfile(source, copy)
    file = sqlite3.connect(copy, isolation_level=None)
    file.execute("PRAGMA journal_mode = WAL")
    for table in reversed(TABLES):
        file.execute(f"DELETE FROM {table} WHERE id > {before[table]}")
    file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file.execute("PRAGMA foreign_keys = ON")
    file.execute(f"ATTACH '{source}' AS source")
    began = time.perf_counter()
    file.execute("BEGIN IMMEDIATE")
    for table in TABLES:
        file.execute(f"INSERT INTO {table} SELECT * FROM source.{table} WHERE id > {before[table]}")
    file.execute("COMMIT")
    took = time.perf_counter() - began
    file.close()
    copy.unlink()
    return took
