"""The schedule: which job, which verb, when; and the one thread of the server that keeps it."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import click
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from proman import logs
from proman.admin.alarm_letters import watch_backups
from proman.base.commands import CommandGroup
from proman.billing.actions import run_billing
from proman.billing.late_charging import charge_late_invoices
from proman.billing.sending import send_queued
from proman.database import nightly, runs
from proman.database.installation import installation
from proman.database.maintenance import InMaintenance, at_work
from proman.database.models import ScheduledJob
from proman.database.outcomes import reason_of
from proman.database.readiness import on_ready_database
from proman.database.retrying import until_it_stands
from proman.database.statistics import refresh_statistics
from proman.db import begin_write, db, utc_now
from proman.identity.models import Organization
from proman.identity.session import acting_for, today_in

log = logging.getLogger(__name__)
UTC_ZONE = "UTC"
_ORGANIZATIONS = select(Organization.__table__.c.id, Organization.__table__.c.time_zone).order_by(
    Organization.__table__.c.id
)
TICK_SECONDS = 30.0
CLAIM = timedelta(hours=2)
RETRY = timedelta(hours=1)
FAILED = "failed: "


@dataclass(frozen=True)
class Job:
    """A verb, run each day (or each `weekday`, Monday is 0) at a wall-clock time of a zone.

    With `every` below 24 it also runs so many hours before and after, through the day.
    """

    name: str
    run: Callable[[datetime], str]
    at: time
    zone: str = UTC_ZONE
    weekday: int | None = None
    every: int = 24

    def next_after(self, moment: datetime) -> datetime:
        """The first time after `moment` at which it is due; both naive UTC."""
        zone = ZoneInfo(self.zone)
        day = moment.replace(tzinfo=ZoneInfo(UTC_ZONE)).astimezone(zone).date()
        while True:
            for at in self._times:
                local = datetime.combine(day, at, zone)
                due = local.astimezone(ZoneInfo(UTC_ZONE)).replace(tzinfo=None)
                if due > moment and self.weekday in (None, day.weekday()):
                    return due
            day += timedelta(days=1)

    @property
    def _times(self) -> list[time]:
        hours = sorted((self.at.hour + more) % 24 for more in range(0, 24, self.every))
        return [self.at.replace(hour=hour) for hour in hours]


@dataclass(frozen=True)
class Ran:
    """A job that was run, and what it said."""

    name: str
    result: str

    @property
    def is_failed(self) -> bool:
        """Whether it will be tried again within the hour."""
        return self.result.startswith(FAILED)


def schedule() -> list[Job]:
    """Every job of this installation as it stands now."""
    plan = installation().plan
    backup = partial(Job, "backup", lambda now: nightly.by_schedule(installation()))
    everywhere = [
        backup(time(plan.hour), every=min(plan.every, 24)),
        Job("statistics", lambda now: refresh_statistics(db.engine), time(2, 30)),
        Job("drill", lambda now: nightly.weekly_drill(installation()), time(3), weekday=6),
        Job("tidy", lambda now: nightly.tidy(installation()), time(1, 30)),
    ]
    rows = db.session.execute(_ORGANIZATIONS).all()
    db.session.rollback()
    own_jobs = [job(own, zone) for own, zone in rows for job in (_billing, _late_fees)]
    return everywhere + own_jobs


def _billing(organization_id: int, zone: str) -> Job:
    """The billing run of an organization, in its own early morning."""

    def run(now: datetime) -> str:
        today = today_in(zone)

        def bill() -> str:
            begin_write()
            result = run_billing(today, today=today, actor=actor)
            db.session.commit()
            return f"{len(result.issued)} issued"

        with acting_for(organization_id) as actor:
            return until_it_stands(bill)

    return Job(f"billing {organization_id}", run, time(4), zone)


def _late_fees(organization_id: int, zone: str) -> Job:
    """The late fees of an organization, after its billing run."""

    def run(now: datetime) -> str:
        today = today_in(zone)

        def charge() -> str:
            begin_write()
            done = charge_late_invoices(today=today, actor=actor)
            db.session.commit()
            return f"{len(done.fees)} charged, {len(done.credit_notes)} taken back"

        with acting_for(organization_id) as actor:
            return until_it_stands(charge)

    return Job(f"late fees {organization_id}", run, time(4, 30), zone)


def run_due(now: datetime, jobs: Iterable[Job] | None = None) -> list[Ran]:
    """Runs each job that is due, once over all processes; one run makes up for all that passed.

    A job that fails is tried again within the hour. In maintenance nothing runs.
    """
    ran = []
    for job in list(jobs if jobs is not None else schedule()):
        try:
            with at_work(installation().settings):
                if until_it_stands(partial(_claim, job, now)):
                    with logs.part_of(task=job.name):
                        ran.append(_carry_out(job, now))
        except InMaintenance:
            break
    return ran


def start(app: Flask) -> Callable[[], None]:
    """Begins the thread that keeps the schedule; the answer ends it."""
    stop = threading.Event()
    thread = threading.Thread(target=_keep, args=(app, stop), daemon=True, name="schedule")
    thread.start()

    def end() -> None:
        stop.set()
        thread.join(timeout=5)

    return end


def _keep(app: Flask, stop: threading.Event) -> None:
    while not stop.is_set():
        with app.app_context():
            for act in (lambda: run_due(utc_now()), send_waiting_mail, watch):
                try:
                    act()
                except Exception:  # a database that does not answer now may answer at the next tick
                    log.exception("The schedule could not be kept")
        stop.wait(TICK_SECONDS)


def send_waiting_mail() -> int:
    """Sends what a server that ended left waiting; returns how many messages were taken."""
    try:
        with at_work(installation().settings):
            return send_queued()
    except InMaintenance:
        return 0


def watch() -> None:
    """Looks whether backups have stopped, and tells those who are to know."""
    with suppress(InMaintenance), at_work(installation().settings):
        watch_backups()


def _claim(job: Job, now: datetime) -> bool:
    """Takes the job for this process if it is due and free; a new job waits for its first time."""
    row = db.session.scalar(select(ScheduledJob).where(ScheduledJob.name == job.name))
    if row is not None and not _is_due(row, job, now):
        db.session.rollback()
        return False
    begin_write()
    row = db.session.get(ScheduledJob, job.name, populate_existing=True, with_for_update=True)
    if row is None:
        db.session.add(ScheduledJob(name=job.name, next_due_at=job.next_after(now)))
        with suppress(IntegrityError):  # another process was faster
            db.session.commit()
        db.session.rollback()
        return False
    is_due = row.next_due_at <= now and _is_due(row, job, now)
    # A time further away than the next regular one was set while the clock was ahead.
    row.next_due_at = min(row.next_due_at, job.next_after(now))
    if is_due:
        row.claimed_at, row.claimed_by = now, f"{socket.gethostname()} {os.getpid()}"[:100]
    db.session.commit()
    return is_due


def _is_due(row: ScheduledJob, job: Job, now: datetime) -> bool:
    is_free = row.claimed_at is None or not now - CLAIM < row.claimed_at <= now
    return is_free and (row.next_due_at <= now or row.next_due_at > job.next_after(now))


def _carry_out(job: Job, now: datetime) -> Ran:
    begun = monotonic()
    try:
        ran = Ran(job.name, job.run(now))
        log.info("%s: %s", job.name, ran.result, extra=_took(begun))
    except Exception as error:
        log.exception("%s failed", job.name, extra=_took(begun))
        ran = Ran(job.name, FAILED + reason_of(error))
    runs.note(installation().data_dir, job.name, now, is_failed=ran.is_failed)
    db.session.rollback()
    begin_write()
    row = db.session.get(ScheduledJob, job.name, populate_existing=True)
    if row is not None:
        regular = job.next_after(now)
        row.next_due_at = min(regular, now + RETRY) if ran.is_failed else regular
        row.claimed_at, row.claimed_by = None, ""
        row.last_run_at, row.last_result = now, ran.result
    db.session.commit()
    return ran


def _took(begun: float) -> dict[str, Any]:
    return {"fields": {"duration_ms": round((monotonic() - begun) * 1000, 1)}}


@click.group("jobs", cls=CommandGroup)
def group() -> None:
    """The schedule, for cron; the server keeps it by itself."""


@group.command("run")
@on_ready_database
def run_command() -> None:
    """Every scheduled job that is due, once."""
    ran = run_due(utc_now())
    send_waiting_mail()
    watch()
    for one in ran:
        click.echo(f"{one.name}: {one.result}", err=one.is_failed)
    if any(one.is_failed for one in ran):
        raise click.exceptions.Exit(1)
