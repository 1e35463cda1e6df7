import csv
import json
import os
import pty
import select
import subprocess
import sys
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text

from proman.db import db
from proman.settings import Settings
from tests import factories
from tests.servers import database_of
from tests.takeover.rolls import HARBOUR

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def organizations(app: Flask) -> None:
    with app.app_context():
        factories.make_organization(name="Hof", currency="EUR", country="DE", region="BE")
        factories.make_organization(name="Court", currency="USD", country="US", area_unit="sqft")


def run(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(args=[str(each) for each in arguments])


@pytest.fixture
def roll(tmp_path: Path) -> Path:
    path = tmp_path / HARBOUR.name
    path.write_bytes(HARBOUR.read_bytes())
    return path


def answer(path: Path, **answers: str) -> Path:
    """Answer the open questions in a map file, as a person would in an editor."""
    target = Path(f"{path}.map.toml")
    lines = target.read_text("utf-8").splitlines()
    for key, value in answers.items():
        assert f'{key} = ""' in lines
        lines[lines.index(f'{key} = ""')] = f'{key} = "{value}"'
    target.write_text("\n".join(lines), "utf-8")
    return target


ANSWERS = {
    "cut_over": "2026-10-31",
    "property": "Harbour Court",
    "frequency": "monthly",
    "periods": "anniversary",
    "due": "day:1",
    "balance_sign": "positive_owed",
}


@pytest.mark.usefixtures("organizations")
def test_without_a_terminal_the_questions_are_written_down(app: Flask, roll: Path) -> None:
    result = run(app, "portfolio", "import", roll, "--json", "--organization", "Court")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["created"] == {}
    assert [each["key"] for each in told["questions"]] == list(ANSWERS)
    assert told["questions"][0]["choices"] == ["2026-10-31"]
    assert "6 questions are open" in result.stderr
    assert result.stderr.count("\n") == 1
    written = tomllib.loads(Path(f"{roll}.map.toml").read_text("utf-8"))
    assert written["columns"]["Lease From"] == "first_day"
    assert written["cut_over"] == ""


@pytest.mark.usefixtures("organizations")
def test_with_the_answered_map_it_runs(app: Flask, roll: Path) -> None:
    run(app, "portfolio", "import", roll, "--organization", "Court")
    target = answer(roll, **ANSWERS)
    common = ["portfolio", "import", roll, "--map", target, "--json", "--organization", "Court"]
    tried = run(app, *common, "--dry-run")
    assert tried.exit_code == 0, tried.stderr
    assert json.loads(tried.stdout)["created"]["leases"] == 43
    with app.app_context():
        assert db.session.execute(text("SELECT COUNT(*) FROM leases")).scalar() == 0
    made = run(app, *common)
    assert made.exit_code == 0, made.stderr
    told = json.loads(made.stdout)
    assert told["created"]["units"] == 48
    assert told["faults"] == []
    assert told["sums"]["rent"] == "63087.13"
    again = run(app, *common)
    assert again.exit_code == 1
    assert len(json.loads(again.stdout)["faults"]) == 43
    undone = run(app, "portfolio", "undo", told["import_id"], "--organization", "Court")
    assert undone.exit_code == 0
    assert run(app, *common).exit_code == 0


@pytest.mark.usefixtures("organizations")
def test_the_second_roll_of_a_make_asks_only_what_is_its_own(app: Flask, roll: Path) -> None:
    run(app, "portfolio", "import", roll, "--organization", "Court")
    target = answer(roll, **ANSWERS)
    made = run(app, "portfolio", "import", roll, "--map", target, "--organization", "Court")
    assert made.exit_code == 0
    assert "flask portfolio undo 1" in made.stdout
    second = run(app, "portfolio", "import", roll, "--json", "--organization", "Court")
    keys = [each["key"] for each in json.loads(second.stdout)["questions"]]
    assert keys == ["cut_over", "property"]


@pytest.mark.usefixtures("organizations")
def test_answers_in_a_map_that_is_there_are_never_overwritten(app: Flask, roll: Path) -> None:
    run(app, "portfolio", "import", roll, "--organization", "Court")
    target = answer(roll, due="day:5")
    result = run(app, "portfolio", "import", roll, "--organization", "Court")
    assert "is there already" in result.stderr
    assert 'due = "day:5"' in target.read_text("utf-8")


@pytest.mark.usefixtures("organizations")
def test_what_is_refused_is_one_line_and_exit_1(app: Flask, roll: Path, tmp_path: Path) -> None:
    several = run(app, "portfolio", "import", roll)
    assert several.exit_code == 1
    assert "choose with --organization: Court, Hof" in several.stderr
    unknown = run(app, "portfolio", "import", roll, "--organization", "Nope")
    assert (unknown.exit_code, unknown.stderr.count("\n")) == (1, 1)
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04 nothing")
    result = run(app, "portfolio", "import", broken, "--json", "--organization", "Hof")
    assert result.exit_code == 1
    assert "damaged" in json.loads(result.stdout)["faults"][0]["message"]
    assert run(app, "portfolio", "import", tmp_path / "no.csv").exit_code == 2
    euro = run(app, "portfolio", "import", roll, "--json", "--organization", "Hof")
    assert {fault["row"] for fault in json.loads(euro.stdout)["faults"]} == {4}


@pytest.mark.usefixtures("organizations")
def test_a_map_of_another_file_is_refused(app: Flask, roll: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("Unit,Tenant,Rent\nA1,Ann,5\nA2,Bo,6\nA3,Cy,7\n", "utf-8")
    run(app, "portfolio", "import", roll, "--organization", "Court")
    result = run(
        app,
        *("portfolio", "import", other, "--map", f"{roll}.map.toml", "--organization", "Hof"),
    )
    assert result.exit_code == 1
    assert "is it the map of another file?" in result.stderr


@pytest.mark.usefixtures("organizations")
def test_the_template_needs_no_map(app: Flask, tmp_path: Path) -> None:
    template = run(app, "portfolio", "template")
    path = tmp_path / "template.csv"
    path.write_text(template.stdout, "utf-8")
    result = run(
        app,
        *("portfolio", "import", path, "--cut-over", "2026-10-31", "--json"),
        *("--organization", "Hof"),
    )
    assert result.exit_code == 0, result.stderr
    created = json.loads(result.stdout)["created"]
    assert created == {
        "properties": 1,
        "units": 1,
        "tenants": 2,
        "leases": 1,
        "rents": 1,
        "charges": 3,
        "deposits": 1,
    }


def _typed(
    arguments: list[str], environment: dict[str, str], answers: list[str]
) -> tuple[int, str]:
    """Run a command on a real terminal and type an answer whenever it asks."""
    lead, follow = pty.openpty()
    process = subprocess.Popen(
        arguments, stdin=follow, stdout=follow, stderr=follow, env=environment, cwd=ROOT
    )
    os.close(follow)
    shown, waiting = "", list(answers)
    while True:
        ready, _, _ = select.select([lead], [], [], 30)
        assert ready, f"it neither asked nor ended: {shown}"
        try:
            piece = os.read(lead, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece.decode()
        if shown.rstrip().endswith((":", "]:")) and shown.endswith(": ") and waiting:
            os.write(lead, f"{waiting.pop(0)}\n".encode())
    os.close(lead)
    return process.wait(30), shown


@pytest.mark.usefixtures("organizations")
def test_a_terminal_is_asked(app: Flask, roll: Path) -> None:
    settings: Settings = app.extensions["proman_settings"]
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    environment = {
        **os.environ,
        **database_of(settings),
        "PROMAN_DATA_DIR": str(settings.data_dir),
        "FLASK_APP": "proman",
        "SECRET_KEY": "only-for-tests",
        "COLUMNS": "200",
    }
    code, shown = _typed(
        [
            *(sys.executable, "-m", "flask", "portfolio", "import", str(roll)),
            *("--organization", "Court"),
        ],
        environment,
        ["y", "", "", "monthly", "anniversary", "soon", "1st", "positive_owed", "y"],
    )
    assert code == 0, shown
    assert "is not a due day" in shown
    assert "43 leases" in shown
    assert "Imported." in shown


@pytest.mark.usefixtures("organizations")
def test_export_of_everything(app: Flask, roll: Path, tmp_path: Path) -> None:
    run(app, "portfolio", "import", roll, "--organization", "Court")
    target = answer(roll, **ANSWERS)
    run(app, "portfolio", "import", roll, "--map", target, "--organization", "Court")
    folder = tmp_path / "out"
    assert run(app, "export", folder).exit_code == 0

    def rows(kind: str) -> list[dict[str, str]]:
        with (folder / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    assert [each["name"] for each in rows("organization")] == ["Court", "Hof"]
    assert len(rows("leases")) == 43
    joint = [lease for lease in rows("leases") if " " in lease["tenant_ids"]]
    assert len(joint) == 13
    assert sum(Decimal(rent["amount"]) for rent in rows("rents")) == Decimal("63087.13")
    assert {rent["currency"] for rent in rows("rents")} == {"USD"}
    opening = rows("invoices")
    assert {each["kind"] for each in opening} == {"opening"}
    assert {each["due_date"] for each in opening} == {"2026-10-31"}
    assert next(unit for unit in rows("units") if unit["label"] == "A-04")["bathrooms"] == "1.5"
    postings = rows("postings")
    debit = sum(round(float(each["debit"]) * 100) for each in postings)
    assert debit == sum(round(float(each["credit"]) * 100) for each in postings) > 0
    one = tmp_path / "one"
    assert run(app, "export", one, "--organization", "Hof").exit_code == 0
    assert not (one / "leases.csv").read_text("utf-8").splitlines()[1:]
    assert run(app, "export", roll).exit_code == 2
