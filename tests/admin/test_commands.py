"""`flask audit export`: the whole trail or some days of it, of one organization."""

import csv
import io
import json
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select

from proman.db import begin_write, db
from proman.identity.models import AuditEntry
from proman.identity.session import acting_for
from tests.conftest import Cast
from tests.factories import make_property


@pytest.fixture
def trail(app: Flask, cast: Cast) -> list[str]:
    """Labels of three changes: of 30 June (Berlin), 1 July and today."""
    names = ["Early House", "Summer House", "Late House"]
    with app.app_context(), acting_for(cast.organization):
        for name in names:
            make_property(name=name)
        begin_write()
        moments = [datetime(2026, 6, 30, 21, 59), datetime(2026, 6, 30, 22, 0)]
        for name, at in zip(names, moments, strict=False):
            found = db.session.scalars(select(AuditEntry).where(AuditEntry.subject_label == name))
            found.one().at = at
        db.session.commit()
        db.session.remove()
    return names


def exported(app: Flask, path: Path, *words: str) -> list[dict[str, str]]:
    home = ("--organization", "Harbour Homes")
    done = app.test_cli_runner().invoke(args=["audit", "export", str(path), *home, *words])
    assert done.exit_code == 0, done.output
    assert done.output == f"The audit trail is in {path}.\n"
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))


@pytest.mark.engines
def test_the_trail_is_written_newest_first(app: Flask, trail: list[str], tmp_path: Path) -> None:
    rows = exported(app, tmp_path / "trail.csv")
    houses = [row for row in rows if row["Kind of record"] == "properties"]
    assert [row["Record"] for row in houses] == trail[::-1]
    assert json.loads(houses[0]["After"])["name"] == "Late House"
    assert "Charlie" not in (tmp_path / "trail.csv").read_text("utf-8")


def test_nobody_else_reads_it(app: Flask, trail: list[str], tmp_path: Path) -> None:
    path = tmp_path / "trail.csv"
    exported(app, path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_days_are_the_organizations_own(app: Flask, trail: list[str], tmp_path: Path) -> None:
    june = exported(app, tmp_path / "june.csv", "--to", "2026-06-30")
    july = exported(app, tmp_path / "july.csv", "--from", "2026-07-01", "--to", "2026-07-01")
    assert [[row["Record"] for row in rows] for rows in (june, july)] == [[trail[0]], [trail[1]]]
    every = exported(app, tmp_path / "every.csv", "--from", "0001-01-01", "--to", "9999-12-31")
    assert {row["Record"] for row in every} >= set(trail)


def test_excel_too(app: Flask, trail: list[str], tmp_path: Path) -> None:
    path = tmp_path / "trail.xlsx"
    words = ["audit", "export", str(path), "--organization", "Harbour Homes"]
    assert app.test_cli_runner().invoke(args=words).exit_code == 0
    sheet = load_workbook(path).active
    assert sheet is not None
    labels = [row[5] for row in sheet.iter_rows(values_only=True)]
    assert set(trail) < set(labels)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trail.txt"], "ends in .csv or in .xlsx"),
        (["a.csv", "--from", "2026-02-02", "--to", "2026-02-01"], "before the first day"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(app: Flask, words: list[str], said: str) -> None:
    done = app.test_cli_runner().invoke(args=["audit", "export", *words])
    assert done.exit_code == 2
    assert said in done.output
