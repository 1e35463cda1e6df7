"""Maintenance keeps everybody out, on every machine, and goes with the process that holds it."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from flask import Flask

from proman.app import create_app
from proman.base.errors import Refused
from proman.database.maintenance import (
    InMaintenance,
    Notice,
    at_work,
    begin_work,
    maintenance,
    notice_in,
)
from proman.db import begin_write, db
from tests.conftest import make_settings
from tests.servers import ROOT, database_of, environment_of

on_servers = pytest.mark.engines("postgresql", "mysql")
NOTICE = Notice("a backup is being restored", "Alice", "2026-11-22 12:00:00")
HOLD = """
import time
from proman.database.maintenance import Notice, maintenance
from proman.settings import read_settings
with maintenance(read_settings(), Notice('a restore', 'x', 'now')):
    print('held', flush=True)
    time.sleep(600)
"""


@pytest.fixture
def elsewhere(anywhere, tmp_path) -> Iterator[Flask]:
    """The application on another machine, which shares nothing but the database server."""
    url = anywhere.site.settings.database_url
    app = create_app(make_settings(tmp_path / "elsewhere", database_url=url))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.mark.engines
def test_it_waits_for_work_and_keeps_new_work_out(anywhere):
    settings = anywhere.site.settings
    descriptor = begin_work(settings)
    with (
        pytest.raises(Refused, match="still under way"),
        maintenance(settings, NOTICE, drain=0.1),
    ):
        pass
    os.close(descriptor)
    with maintenance(settings, NOTICE):
        assert notice_in(settings) == NOTICE
        with pytest.raises(InMaintenance, match="started by Alice"), at_work(settings):
            pass
        with pytest.raises(InMaintenance):
            anywhere.rename("changed")
    with at_work(settings):
        anywhere.rename("changed")


@pytest.mark.engines
def test_the_marker_of_a_killed_holder_is_void(anywhere):
    settings = anywhere.site.settings
    holding = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment_of(settings.data_dir, **database_of(settings)),
    )
    with holding.stdout as said:
        assert said.readline() == "held\n"
        with pytest.raises(InMaintenance):
            anywhere.rename("changed")
        holding.kill()
        holding.wait()
    # The server notices a moment later that its client is gone.
    while True:
        try:
            anywhere.rename("changed")
        except InMaintenance:
            continue
        break
    with at_work(settings):
        pass


@on_servers
def test_another_machine_answers_503_and_changes_nothing(anywhere, elsewhere):
    client = elsewhere.test_client()
    with elsewhere.app_context():
        assert client.get("/login").status_code == 200
        with maintenance(anywhere.site.settings, NOTICE):
            with pytest.raises(InMaintenance):
                begin_write()
            answer = client.get("/login")
            while answer.status_code != 503:  # it looks once a second
                answer = client.get("/login")
            assert int(answer.headers["Retry-After"]) > 0
            assert "started by Alice" in answer.text
            assert "maintenance" in client.get("/readyz").text
        begin_write()
        db.session.rollback()
        while client.get("/login").status_code == 503:
            pass


@on_servers
def test_a_change_under_way_on_another_machine_is_waited_for(anywhere, elsewhere):
    began, entered = threading.Event(), threading.Event()

    def enter() -> None:
        began.set()
        with maintenance(anywhere.site.settings, NOTICE):
            entered.set()

    with elsewhere.app_context():
        begin_write()
        with (
            pytest.raises(Refused, match="still under way on another machine"),
            maintenance(anywhere.site.settings, NOTICE, drain=1),
        ):
            pass
        entering = threading.Thread(target=enter)
        entering.start()
        began.wait()
        assert not entered.is_set()
        db.session.rollback()
        entering.join()
        assert entered.is_set()
