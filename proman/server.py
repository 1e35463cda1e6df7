"""Runs waitress with ProMan's settings, and stops it without losing a request."""

import logging
import signal
import socket
import sys
import tempfile
from functools import partial
from types import FrameType
from typing import NoReturn

import click
from flask import Flask
from waitress import create_server
from waitress.server import BaseWSGIServer

from proman import draining, jobs, logs
from proman.database import durable, nightly, quarantine
from proman.database.installation import installation
from proman.database.troubles import told
from proman.db import db
from proman.identity.installation import setup_code
from proman.identity.queries import is_set_up
from proman.processes import keep_running
from proman.receiving import channel_for
from proman.settings import Settings

log = logging.getLogger(__name__)


def serve(app: Flask, processes: int = 1) -> None:
    """Serve until TERM or INT; open requests are answered, then the database is closed.

    More than one process share the listening sockets; one that dies is replaced. Exits with 1 and
    one line when the database is not at this version's revision or the port is taken. Raises
    Refused when a restore that was cut off cannot be ended.
    """
    logs.tell_all()
    settings: Settings = app.extensions["proman_settings"]
    quarantine.finish_pending(settings)
    _require_ready(app)
    with app.app_context():
        nightly.tidy(installation())
    # Uploads of gigabytes belong on the data volume, not in a small /tmp; they vanish when closed.
    tempfile.tempdir = str(durable.private_directory(settings.data_dir / "uploads"))
    sockets = _listen(settings)
    shown = settings.host if settings.host != "0.0.0.0" else "127.0.0.1"
    logs.announce(f"ProMan is running on http://{shown}:{sockets[0].getsockname()[1]}")
    _tell_setup_code(app)
    app.extensions["proman_measures"] = app.extensions["proman_measures"].for_processes(processes)
    if processes == 1:
        # As process 1, Python would ignore TERM without a handler, until the server has its own.
        signal.signal(signal.SIGTERM, _leave)
        _answer_requests(app, sockets, 0)
        return
    sys.stdout.flush()
    with app.app_context():
        db.engine.dispose()
    keep_running(processes, partial(_answer_requests, app, sockets))


def _listen(settings: Settings) -> list[socket.socket]:
    """The listening sockets, one for each address of the host."""
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        return [
            socket.create_server(address[:2], family=family, backlog=1024)
            for family, _, _, _, address in found
        ]
    except OSError as error:
        _stop(
            f"{settings.host}:{settings.port} cannot be used: {error.strerror}. "
            "Set PORT to a free one."
        )


def _answer_requests(app: Flask, sockets: list[socket.socket], number: int) -> None:
    """The life of a serving process; the first of them keeps the schedule."""
    settings: Settings = app.extensions["proman_settings"]
    app.extensions["proman_measures"].begin(number)
    listening: dict[int, object] = {}
    server = create_server(
        app,
        map=listening,
        sockets=sockets,
        threads=settings.threads,
        ident="ProMan",
        max_request_body_size=8 << 30,
        channel_timeout=120,
        trusted_proxy=None,
        clear_untrusted_proxy_headers=False,
    )
    channel = channel_for(app)
    for one in listening.values():
        if isinstance(one, BaseWSGIServer):
            one.channel_class = channel
    end_schedule = jobs.start(app) if number == 0 else None
    try:
        draining.run(server, listening)
    finally:
        if end_schedule:
            end_schedule()
        with app.app_context():
            db.engine.dispose()


def _tell_setup_code(app: Flask) -> None:
    """Until there is an administrator: what a first visit from another machine is asked for."""
    settings: Settings = app.extensions["proman_settings"]
    with app.app_context():
        if not is_set_up():
            code = setup_code(settings.data_dir)
            logs.announce(f"The first visit sets it up; from another machine it asks for {code}")
        db.session.remove()


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _require_ready(app: Flask) -> None:
    with app.app_context():
        try:
            problem = app.extensions["proman_readiness"]()
        except Exception as error:  # every fault of the database stops the start
            problem = f"The database cannot be used: {told(error)}"
        finally:
            db.session.remove()
    if problem:
        _stop(problem)


def _stop(line: str) -> NoReturn:
    if logs.is_json():
        log.error("%s", line)
    else:
        click.echo(f"Error: {line}", err=True)
    sys.exit(1)
