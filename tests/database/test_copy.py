"""Everything moves to any engine and arrives as it was; what was cut off starts nothing."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import Result

from proman.app import MIGRATIONS, create_app
from proman.base.errors import Refused
from proman.database.copying import copy_to
from proman.database.migrating import looking_connection
from proman.database.revisions import head_revision
from proman.database.sqlite_copy import opened
from proman.db import db
from proman.doctor import drifted, examine
from proman.identity.session import acting_for
from proman.server import serve
from proman.settings import Settings
from tests import factories, processes
from tests.conftest import make_settings
from tests.database.furniture import ODD_BYTES, ODD_TEXT, furnish, held_by, held_in
from tests.engines import MYSQL, POSTGRESQL, SQLITE, administration, fresh_database
from tests.servers import PROGRAMS, ROOT, environment_of

DOCUMENT = ROOT / "docs" / "database.md"
SCALE = int(os.environ.get("PROMAN_TEST_SCALE", "1"))
LEASES, MONTHS = (150, 2) if SCALE == 1 else (500 * SCALE, 12)
HEAD = head_revision(MIGRATIONS)
CUT_OFF = "was not finished"


def written(settings: Settings) -> str:
    """The address as it is typed."""
    return settings.database_url.render_as_string(hide_password=False)


def flask(settings: Settings, *words: str) -> Result:
    app = create_app(settings)
    try:
        return app.test_cli_runner().invoke(args=list(words))
    finally:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def demonstration(tmp_path: Path, migrated_file: Path) -> Settings:
    """An installation with the demonstration, and values that engines keep in different ways."""
    settings = make_settings(tmp_path / "source")
    shutil.copyfile(migrated_file, settings.data_dir / "proman.sqlite")
    size = ("--leases", str(LEASES), "--months", str(MONTHS))
    assert flask(settings, "demo", "load", *size).exit_code == 0
    with opened(settings.data_dir / "proman.sqlite", "mode=rw") as live:
        live.execute("UPDATE organizations SET footer = ?", (ODD_TEXT,))
        live.execute(
            "INSERT INTO organization_logos (id, organization_id, media_type, content, uploaded_at)"
            " SELECT 9007199254740993, id, 'image/png', ?, '2026-02-28 23:59:59.999999'"
            " FROM organizations",
            (ODD_BYTES,),
        )
    return settings


@pytest.fixture
def blank(engine: str, tmp_path: Path) -> Iterator[Settings]:
    """An installation of the test's engine without a database yet, or with an empty one."""
    if engine == SQLITE:
        yield make_settings(tmp_path / "target")
        return
    with fresh_database(engine) as url:
        yield make_settings(tmp_path / "target", database_url=url)


def assert_sound_and_going_on(settings: Settings) -> None:
    """Every invariant holds, the schema is ours, and what is added gets an id of its own."""
    with looking_connection(settings) as connection:
        assert examine(connection, HEAD) == []
        assert drifted(connection, MIGRATIONS) == []
        connection.rollback()
    app = create_app(settings)
    with app.app_context():
        organization = db.session.scalar(db.text("SELECT min(id) FROM organizations"))
        newest = db.session.scalar(db.text("SELECT max(id) FROM tenants"))
        db.session.remove()
        with acting_for(organization):
            assert factories.make_tenant() > newest
        db.session.remove()
        db.engine.dispose()


@pytest.mark.postgresql
@pytest.mark.mysql
def test_around_all_engines_everything_stays_as_it_was(demonstration, tmp_path):
    before = held_in(demonstration.data_dir / "proman.sqlite")
    with fresh_database(POSTGRESQL) as second, fresh_database(MYSQL) as third:
        with administration(MYSQL) as server:  # each table says itself how it keeps texts
            server.exec_driver_sql(f"ALTER DATABASE {third.database} CHARACTER SET latin1")
        stations = [
            demonstration,
            make_settings(tmp_path / "second", database_url=second),
            make_settings(tmp_path / "third", database_url=third),
            make_settings(tmp_path / "fourth"),
        ]
        for source, target in pairwise(stations):
            done = flask(source, "database", "copy", "--to", written(target), "--json")
            assert done.exit_code == 0, done.stderr
            assert done.stderr == ""
            told = json.loads(done.stdout)
            assert (told["content_hash"], told["revision"]) == (before, HEAD)
            assert (told["left_out"], told["changes_since"]) == ([], 0)
            assert told["rows"]["leases"] == LEASES
        assert held_in(stations[-1].data_dir / "proman.sqlite") == before
        with administration(MYSQL) as server:
            counted = server.exec_driver_sql(
                "SELECT n_rows FROM mysql.innodb_table_stats WHERE table_name = 'leases'"
                f" AND database_name = '{third.database}'"
            )
            assert counted.scalar_one() > LEASES // 2
        for station in stations[1:]:
            assert_sound_and_going_on(station)


@pytest.mark.engines
def test_of_what_is_changed_meanwhile_nothing_arrives_and_that_is_told(anywhere, tmp_path):
    furnish(anywhere)
    target = make_settings(tmp_path / "target")
    made = 0

    def write(phase: str, done: int, total: int) -> None:
        nonlocal made
        made += 1
        anywhere.rename(f"later {made}")
        anywhere.sql(
            "INSERT INTO audit_entries (at, actor_name, action, subject_type, subject_label, note)"
            " VALUES ('2020-01-01', 'x', 'changed', 'x', 'x', '')"
        )

    anywhere.sql("CREATE TABLE shoes (id INTEGER)")
    try:
        copied = copy_to(anywhere.site, written(target), "Alice", write)
    finally:
        anywhere.sql("DROP TABLE shoes")
    assert made > 20
    assert (copied.changes_since, copied.left_out) == (made, ["shoes"])
    file = target.database_file
    assert copied.content_hash == held_in(file) != held_by(anywhere, file)
    with opened(file) as copy:
        assert copy.execute("SELECT legal_name FROM organizations").fetchone() == ("before",)


def copy_and_end(settings: Settings, address: str, phase: str, number: int) -> None:
    """Copies and is sent the signal when that phase begins."""
    app = create_app(settings)
    sent = []

    def report(told: str, done: int, total: int) -> None:
        if told == phase and not sent:
            sent.append(number)
            os.kill(os.getpid(), number)

    with app.app_context():
        copy_to(app.extensions["proman_installation"], address, "Alice", report)


def run_serve(settings: Settings) -> None:
    serve(create_app(settings))


def assert_starts_nothing(source: Settings, target: Settings) -> None:
    """Each says in one line why, and what to do."""
    runs = [
        processes.flask(target, "db", "upgrade"),
        processes.flask(target, "database", "deploy"),
        processes.start(target.data_dir, run_serve, target),
        processes.flask(source, "database", "copy", "--to", written(target)),
        processes.flask(target, "database", "backup"),
        processes.flask(target, "database", "status"),
        processes.flask(target, "doctor"),
        processes.flask(target, "jobs", "run"),
        processes.flask(target, "demo", "load"),
    ]
    for run in runs:
        code, said = run.end()
        assert (code, said.count("\n")) == (1, 1), said
        assert CUT_OFF in said
        assert "delete the file" in said or "drop the database and make it again" in said


@pytest.mark.engines
def test_killed_in_the_middle_nothing_starts_on_the_target_until_it_is_emptied(house, blank):
    furnish(house)
    source = house.site.settings
    shape = shutil.copyfile(source.database_file, source.data_dir / "shape.sqlite")
    before = held_by(house, shape)
    at = (written(blank), "copying postings", signal.SIGKILL)
    code, said = processes.start(source.data_dir, copy_and_end, source, *at).end()
    assert code == -signal.SIGKILL, said
    assert_starts_nothing(source, blank)
    assert held_by(house, shape) == before
    if blank.is_sqlite:
        for side in ("", "-wal", "-shm"):
            Path(f"{blank.database_file}{side}").unlink()
        assert copy_to(house.site, written(blank), "x", lambda *_: None).content_hash == before
        assert_sound_and_going_on(blank)


def test_interrupted_by_hand_it_says_so(house, tmp_path):
    furnish(house)
    source, target = house.site.settings, make_settings(tmp_path / "target")
    at = (written(target), "proving postings", signal.SIGINT)
    said = processes.start(source.data_dir, copy_and_end, source, *at).end()[1]
    assert "Refused: Interrupted. The copy was not finished; the source is as it was" in said
    with pytest.raises(Refused, match=CUT_OFF):
        copy_to(house.site, written(target), "x", lambda *_: None)


@pytest.mark.fault(
    "Database server killed",
    how="connections ended in the middle of a copy",
    outcome="told; the target says that it is incomplete",
)
@pytest.mark.postgresql
def test_a_lost_connection_is_told_and_leaves_the_mark(house, tmp_path):
    furnish(house)
    with fresh_database(POSTGRESQL) as url:
        target = make_settings(tmp_path / "target", database_url=url)

        def cut(phase: str, done: int, total: int) -> None:
            if phase == "copying postings":
                with administration(POSTGRESQL) as server:
                    server.exec_driver_sql(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        f" WHERE datname = '{url.database}'"
                    )

        with pytest.raises(Refused, match="The copy was not finished"):
            copy_to(house.site, written(target), "x", cut)
        with pytest.raises(Refused, match=CUT_OFF):
            copy_to(house.site, written(target), "x", lambda *_: None)


@pytest.mark.postgresql
def test_the_commands_of_the_documentation_move_it(house, tmp_path):
    furnish(house)
    section = DOCUMENT.read_text("utf-8").split("### Moving to another engine")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    assert [block.count("flask ") for block in blocks] == [1, 2]
    with fresh_database(POSTGRESQL) as url:
        target = make_settings(tmp_path / "target", database_url=url)
        typed = "".join(blocks).replace(
            "postgresql://proman:secret@db.example.com/proman", written(target)
        )
        environment = environment_of(house.folder)
        environment["PATH"] = f"{PROGRAMS}:{environment['PATH']}"
        done = subprocess.run(
            ["bash", "-euc", typed], cwd=ROOT, env=environment, capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("Copied ")
    assert done.stdout.splitlines()[-1].startswith("All is well: ")


@pytest.mark.sqlite
def test_the_address_comes_from_standard_input_too(house, tmp_path):
    furnish(house)
    target = tmp_path / "target.sqlite"
    runner = house.app.test_cli_runner()
    done = runner.invoke(args=["database", "copy", "--to", "-"], input=f"sqlite:///{target}\n")
    assert done.exit_code == 0, done.output
    assert target.stat().st_size
    nothing = runner.invoke(args=["database", "copy", "--to", "-"], input="")
    assert nothing.exit_code == 1
    assert nothing.output.startswith("Error: --to ")
    assert nothing.output.count("\n") == 1
