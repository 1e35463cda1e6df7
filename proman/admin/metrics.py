"""Finds what `/metrics` says: of requests, processes, backups, database, books and schedule."""

import os
import re
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy import func, select

from proman.base.exposition import Family, Metric
from proman.database import alarm, catalogue, outcomes, runs
from proman.database.installation import Installation
from proman.database.live import require_live
from proman.database.manifest import moment_from
from proman.database.models import ScheduledJob
from proman.database.replica import replica
from proman.db import db
from proman.ledger.models import Posting
from proman.measures import BUCKETS, Measures

Value = TypeVar("Value")
LEDGER_SECONDS = 300
"""So long a proof of the whole ledger counts; every process answers with the last one."""
FAILED = "failed: "
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_proving = threading.Lock()
_postings = Posting.__table__
_unbalanced = (
    select(_postings.c.entry_id)
    .group_by(_postings.c.entry_id)
    .having(func.sum(_postings.c.debit) != func.sum(_postings.c.credit))
)
UNBALANCED = (
    select(func.count()).select_from(_unbalanced.subquery()).execution_options(everywhere=True)
)

_OF_SERVER = (
    ("info", "gauge", ("version",), "Always 1; the version of ProMan."),
    ("processes", "gauge", (), "Processes that serve now."),
    ("processes_wanted", "gauge", (), "Processes that should serve."),
    ("processes_replaced_total", "counter", (), "Processes that died and were replaced."),
    (
        "process_start_time_seconds", "gauge", ("process",),
        "When a serving process began, in seconds since 1970.",
    ),
    ("process_resident_memory_bytes", "gauge", ("process",), "Memory of a serving process."),
    (
        "http_request_duration_seconds", "histogram", ("route", "status"),
        "How long requests took, by route and class of status.",
    ),
    (
        "http_statements_total", "counter", ("route",),
        "Statements that requests sent to the database.",
    ),
)  # fmt: skip
_OF_INSTALLATION = (
    (
        "ready", "gauge", (),
        "1 when the database answers, can be written and is at this revision.",
    ),
    ("database_size_bytes", "gauge", (), "Size of the database."),
    ("free_bytes", "gauge", (), "Space that is left where backups are kept."),
    (
        "data_free_bytes", "gauge", (),
        "Space that is left in the data directory: uploads, keys and a SQLite database.",
    ),
    ("backups", "gauge", (), "Backups in the list, verified or not."),
    (
        "backup_last_success_timestamp_seconds", "gauge", (),
        "When the newest verified backup was taken.",
    ),
    ("backup_age_seconds", "gauge", (), "Seconds since the newest verified backup was taken."),
    (
        "backup_overdue", "gauge", (),
        "1 when that is more than twice the interval of the schedule ago.",
    ),
    ("backup_failed", "gauge", (), "1 when the last backup failed."),
    (
        "drill_last_success_timestamp_seconds", "gauge", (),
        "When a backup was last proven by a restore.",
    ),
    ("drill_failed", "gauge", (), "1 when the last drill failed."),
    (
        "ledger_unbalanced_entries", "gauge", (),
        "Entries of the ledger whose debits are not their credits; proven every 5 minutes.",
    ),
    ("job_last_run_timestamp_seconds", "gauge", ("task",), "When it last ran, well or not."),
    (
        "job_last_success_timestamp_seconds", "gauge", ("task",),
        "When it last succeeded; of several organizations, the one for which that is longest ago.",
    ),
    (
        "job_next_due_timestamp_seconds", "gauge", ("task",),
        "When it is to run next; of several organizations, the first.",
    ),
    ("job_failing", "gauge", ("task",), "For how many organizations its last run failed."),
    ("job_failures_total", "counter", ("task",), "How often it failed."),
    (
        "replica_usable", "gauge", (),
        "1 when the read replica answers and is connected; only where there is one.",
    ),
    ("replica_lag_seconds", "gauge", (), "How far the read replica is behind."),
)  # fmt: skip
METRICS = tuple(
    Metric(f"proman_{name}", kind, labels, about)
    for name, kind, labels, about in (*_OF_SERVER, *_OF_INSTALLATION)
)


def measured(site: Installation, measures: Measures, now: datetime) -> list[Family]:
    """Every metric with its values at `now` (naive UTC), in the order of METRICS.

    A database or disk that does not answer leaves out what only it knows.
    """
    families = {metric.name.removeprefix("proman_"): Family(metric) for metric in METRICS}
    _of_requests(families, measures)
    _of_processes(families, measures)
    _of_disks(families, site)
    _of_backups(families, site, now)
    found = or_none(lambda: unbalanced_entries(measures))
    families["ledger_unbalanced_entries"].add(found)
    rows = or_none(_jobs)
    if rows:
        _of_jobs(families, rows, runs.read(site.data_dir))
    _of_replica(families)
    return list(families.values())


def or_none(ask: Callable[[], Value]) -> Value | None:
    """A database or disk that does not answer is one of the things that are measured here."""
    try:
        return ask()
    except Exception:
        db.session.rollback()
        return None


def unbalanced_entries(measures: Measures) -> int:
    """Entries that do not sum to nil, over all organizations; as proven in the last minutes."""
    with _proving:
        known = measures.ledger.get(time.time() - LEDGER_SECONDS)
        if known is None:
            known = float(db.session.execute(UNBALANCED).scalar_one())
            db.session.rollback()
            measures.ledger.put(known)
    return int(known)


def _of_requests(families: dict[str, Family], measures: Measures) -> None:
    durations = families["http_request_duration_seconds"]
    for one in measures.answered():
        labels = {"route": one.route, "status": one.status}
        *within, total = accumulate(one.counts)
        for end, count in zip((*map(str, BUCKETS), "+Inf"), (*within, total), strict=True):
            durations.add(count, {**labels, "le": end.removesuffix(".0")}, "_bucket")
        durations.add(one.seconds, labels, "_sum")
        durations.add(total, labels, "_count")
    for route, count in measures.statements():
        families["http_statements_total"].add(count, {"route": route})


def _of_processes(families: dict[str, Family], measures: Measures) -> None:
    living = measures.living()
    families["info"].add(1, {"version": version("proman")})
    families["processes"].add(len(living))
    families["processes_wanted"].add(measures.processes)
    families["processes_replaced_total"].add(measures.replaced())
    for one in living:
        labels = {"process": str(one.place)}
        families["process_start_time_seconds"].add(round(one.begun, 3), labels)
        memory = or_none(lambda number=one.number: _resident(number))  # type: ignore[misc]
        families["process_resident_memory_bytes"].add(memory, labels)


def _resident(number: int) -> int:
    return int(Path(f"/proc/{number}/statm").read_text().split()[1]) * _PAGE_BYTES


def _of_disks(families: dict[str, Family], site: Installation) -> None:
    place = site.backup_dir if site.backup_dir.is_dir() else site.data_dir
    families["ready"].add(int(or_none(_is_ready) or False))
    families["database_size_bytes"].add(or_none(lambda: require_live(site).about().size))
    families["free_bytes"].add(or_none(lambda: shutil.disk_usage(place).free))
    families["data_free_bytes"].add(or_none(lambda: shutil.disk_usage(site.data_dir).free))


def _is_ready() -> bool:
    return not current_app.extensions["proman_readiness"]()


def _of_backups(families: dict[str, Family], site: Installation, now: datetime) -> None:
    listed, unreadable = alarm.survey(site)
    saved = catalogue.saved_until(listed)
    last = {what: outcomes.last(site.data_dir, what) for what in ("backup", "drill")}
    drill = last["drill"]
    ended = moment_from(drill.at) if drill and not drill.fault else None
    proven = max((at for at in (catalogue.last_proven(listed), ended) if at), default=None)
    overdue = bool(unreadable or alarm.overdue(site, listed, now))
    families["backups"].add(None if unreadable else len(listed))
    families["backup_last_success_timestamp_seconds"].add(_seconds(saved))
    age = max(0, int((now - saved).total_seconds())) if saved else None
    families["backup_age_seconds"].add(age)
    families["backup_overdue"].add(int(overdue))
    families["drill_last_success_timestamp_seconds"].add(_seconds(proven))
    for what, one in last.items():
        families[f"{what}_failed"].add(int(bool(one and one.fault)))


def _jobs() -> list[ScheduledJob]:
    rows = list(db.session.scalars(select(ScheduledJob).order_by(ScheduledJob.name)))
    db.session.expunge_all()
    db.session.rollback()
    return rows


def _of_jobs(
    families: dict[str, Family], rows: list[ScheduledJob], known: dict[str, runs.Runs]
) -> None:
    for task, of_task in _by_task(rows).items():
        labels = {"task": task}
        mine = [known.get(row.name, runs.Runs()) for row in of_task]
        ran = [row.last_run_at for row in of_task if row.last_run_at]
        well = [one.success for one in mine if one.success]
        failing = sum(row.last_result.startswith(FAILED) for row in of_task)
        values: dict[str, Any] = {
            "job_last_run_timestamp_seconds": _seconds(max(ran, default=None)),
            "job_last_success_timestamp_seconds": _seconds(min(well, default=None)),
            "job_next_due_timestamp_seconds": _seconds(min(row.next_due_at for row in of_task)),
            "job_failing": failing,
            "job_failures_total": sum(one.failures for one in mine),
        }
        for name, value in values.items():
            families[name].add(value, labels)


def _by_task(rows: list[ScheduledJob]) -> dict[str, list[ScheduledJob]]:
    """The jobs of every organization together: a label for each would be one without end."""
    found = defaultdict(list)
    for row in rows:
        found[re.sub(r" \d+$", "", row.name)].append(row)
    return found


def _of_replica(families: dict[str, Family]) -> None:
    own = replica()
    if own is not None:
        lag = or_none(own.lag)
        families["replica_usable"].add(int(lag is not None))
        families["replica_lag_seconds"].add(lag)


def _seconds(moment: datetime | None) -> int | None:
    return int(moment.replace(tzinfo=UTC).timestamp()) if moment else None
