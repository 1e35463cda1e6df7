"""Servers that say nothing, or take no changes: passed over, given up, told in one line."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text

from proman.addresses import parse_database_url
from proman.cli import program
from proman.database.engines import engine_options
from tests import clusters
from tests.engines import POSTGRESQL, address_of


@pytest.fixture
def mute() -> Iterator[int]:
    """A port whose queue is full: whoever connects hears nothing, as from a machine that is off."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        port = listening.getsockname()[1]
        with closing(socket.create_connection(("127.0.0.1", port))):
            yield port


@pytest.mark.postgresql
def test_a_host_that_says_nothing_is_passed_over(tmp_path: Path, mute: int) -> None:
    there = address_of(POSTGRESQL, "postgres")
    hosts = f"127.0.0.1:{mute},{there.host}:{there.port}"
    url = parse_database_url(f"postgresql://{hosts}/postgres?connect_timeout=2", tmp_path)
    url = url.set(username=there.username, password=there.password)
    engine = create_engine(url, **engine_options(url))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()


@pytest.mark.postgresql
def test_one_that_falls_silent_is_given_up() -> None:
    url = address_of(POSTGRESQL, "postgres")
    engine = create_engine(url, **engine_options(url))
    with engine.connect() as connection:
        number = connection.connection.dbapi_connection.fileno()
        with socket.socket(fileno=os.dup(number)) as own:
            assert own.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
            assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 25_000
    engine.dispose()


@pytest.mark.clusters
def test_none_that_takes_changes_is_told_in_one_line(tmp_path: Path) -> None:
    with clusters.primary_and_replica() as (primary, follower):
        primary.stop()
        hosts = f"127.0.0.1:{primary.port},127.0.0.1:{follower.port}"
        environment = {
            "PROMAN_DATA_DIR": str(tmp_path),
            "DATABASE_URL": f"postgresql://postgres@{hosts}/postgres",
        }
        done = CliRunner(env=environment).invoke(program, ["serve"])
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert "No server there takes changes" in done.stderr
