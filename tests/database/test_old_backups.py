"""Backups of past versions, with data: restored on every engine, or copied into place by hand."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import MetaData, func, select

from proman.app import create_app
from proman.database import contents, restore, restores, sources, status
from proman.database.migrating import looking_connection
from proman.database.revisions import chain_to
from proman.database.sqlite_copy import count_rows, opened
from proman.db import db
from proman.doctor import examine
from tests import factories
from tests.conftest import make_settings
from tests.database.test_documentation import leave_a_log
from tests.factories import PASSWORD
from tests.people import Person
from tests.portfolio import make_portfolio
from tests.servers import ROOT, flask, serving

DOCUMENT = ROOT / "docs" / "backup.md"
MOVING = ("audit_entries", "login_failures", "jobs")
"""Tables to which a start or a login adds something."""
CHAIN = chain_to(ROOT / "migrations", "head")
EVERY = CHAIN if int(os.environ.get("PROMAN_TEST_SCALE", "1")) > 1 else (CHAIN[0], CHAIN[-2])
"""The first revision and the last before this one; at full length every one."""


@dataclass(frozen=True)
class Old:
    """A database at a past revision, where its documents lie, how many rows each table holds."""

    path: Path
    documents: Path
    rows: Mapping[str, int]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Old]]:
    """A database with data at each past revision, by revision."""
    folder = tmp_path_factory.mktemp("old")
    settings = make_settings(folder / "data")
    app = create_app(settings)
    found = {}
    with app.app_context():
        upgrade()
        home = factories.make_organization(legal_name="of old")
        alice = factories.make_user(home, "alice@example.com", "administrator", operator=True)
        make_portfolio(home, "Mark", alice)
        db.session.remove()
        for revision in reversed(EVERY):
            downgrade(revision=revision)
            db.engine.dispose()
            path = folder / f"{revision}.sqlite"
            with opened(settings.data_dir / "proman.sqlite", "mode=rw") as connection:
                connection.execute("VACUUM INTO ?", (str(path),))
            with opened(path) as connection:
                found[revision] = Old(
                    path, settings.data_dir / contents.FOLDER, count_rows(connection)
                )
        yield found


@pytest.mark.fault(
    "Older revision with data",
    how="a backup of every past revision, restored",
    outcome="upgraded and restored, every row of it is there and the doctor content",
)
@pytest.mark.engines
def test_it_is_restored_and_brought_up_to_this_version(anywhere, old):
    for revision, one in old.items():
        anywhere.rename(f"before {revision}")
        with one.path.open("rb") as content:
            upload = sources.from_upload(
                anywhere.site, content, one.path.name, "Alice", anywhere.alice
            )
        upload = restore.judge_and_stage(anywhere.site, upload.id)
        assert upload.stage == "ready", upload.fault
        assert (upload.findings.revision, upload.findings.head) == (revision, CHAIN[-1])
        restores.confirm(anywhere.folder, upload.id)
        done = restore.carry_out(anywhere.site, upload.id, db.engine.dispose)
        assert done.stage == "done", done.fault
        assert anywhere.name() == "of old"
        with looking_connection(anywhere.site.settings) as connection:
            tables = MetaData()
            tables.reflect(connection)
            rows = {
                name: connection.scalar(select(func.count()).select_from(tables.tables[name]))
                for name in one.rows
            }
            # The restore itself is recorded.
            assert rows == {**one.rows, "audit_entries": one.rows["audit_entries"] + 1}
            assert examine(connection, CHAIN[-1]) == []
        assert status.drift(anywhere.site) == []


def recovery_by_hand() -> str:
    """The commands of the documentation."""
    chapter = DOCUMENT.read_text("utf-8").split("\n## Recovery by hand\n")[1].split("\n## ")[0]
    (fence,) = re.findall(r"^```sh\n(.*?)^```", chapter, re.MULTILINE | re.DOTALL)
    return fence


@pytest.mark.fault(
    "Older revision with data",
    how="a bare file of every past revision, copied into place by hand",
    outcome="migrated at the start, every row of it is there and the doctor content",
)
@pytest.mark.parametrize("revision", EVERY)
def test_a_bare_file_is_copied_back_and_the_next_start_migrates_it(old, revision, tmp_path):
    settings = make_settings(tmp_path / "data")
    live = settings.data_dir / "proman.sqlite"
    shutil.copyfile(old[EVERY[-1]].path, live)
    shutil.copytree(old[revision].documents, settings.data_dir / contents.FOLDER)
    leave_a_log(live)
    saved = tmp_path / "of old.sqlite"
    # As people save it, without ProMan: a bare file, no manifest.
    subprocess.run(["sqlite3", str(old[revision].path), f".backup '{saved}'"], check=True)
    commands = recovery_by_hand()
    for said, here in (
        ("/data", settings.data_dir),
        ("/backups/proman-20260208-020000.sqlite", saved),
    ):
        assert said in commands
        commands = commands.replace(said, shlex.quote(str(here)))
    subprocess.run(["sh", "-eu", "-c", commands], check=True)
    assert flask(settings.data_dir, "db", "upgrade").returncode == 0
    with serving(settings.data_dir) as server:
        alice = Person(server.url, "alice@example.com", PASSWORD)
        assert alice.get("/admin/database").status_code == 200
    with opened(live) as connection:
        rows = count_rows(connection)
        (names,) = connection.execute("SELECT name FROM organizations")
    assert names != ("lost",)
    assert {name: rows[name] for name in old[revision].rows if name not in MOVING} == {
        name: count for name, count in old[revision].rows.items() if name not in MOVING
    }
    done = flask(settings.data_dir, "doctor")
    assert done.returncode == 0, done.stdout
