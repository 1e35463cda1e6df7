"""Owns how ProMan logs: a line for each event, in JSON or readable, and nothing about people in it.

A line never holds the text of an error that nobody foresaw: a database quotes the values that it
refuses, and those are names and addresses. It holds the error's kind, its code and its place.
"""

import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, ParamSpec, TypeVar

import click
from sqlalchemy.exc import DBAPIError

log = logging.getLogger(__name__)
Given = ParamSpec("Given")
Result = TypeVar("Result")
ROOT = f"{Path(__file__).resolve().parent.parent}{os.sep}"
MOST_FRAMES = 40
MOST_CAUSES = 5
_TELLS_OF_CODE = (AttributeError, NameError, ImportError, TypeError, NotImplementedError)
"""Errors whose text names what stands in the code, not what somebody typed."""
_MASKS = (
    (re.compile(r"(\w://)[^\s/@]+@"), r"\1…@"),
    (re.compile(r"[^\s/…<>“”\"'=,;:(]+@[^\s<>“”\"',;)]+\.\w+"), "…@…"),
    (re.compile(r"(/password/)(?!<|forgotten\b)[^\s/?#\"']+"), r"\1…"),
)
"""What is taken out of every message, whoever wrote it: credentials, e-mails, links to log in."""
_encode = json.JSONEncoder(ensure_ascii=False).encode
_IN_MESSAGE = frozenset({"method", "route", "status"})
"""Fields that the message of a request says already."""
_NOTHING: Mapping[str, str] = MappingProxyType({})
_part_of: ContextVar[Mapping[str, str]] = ContextVar("part_of", default=_NOTHING)


@contextmanager
def part_of(**names: str) -> Iterator[None]:
    """Every line of the block says that it belongs to this, such as `task="backup"`."""
    token = _part_of.set({**_part_of.get(), **names})
    try:
        yield
    finally:
        _part_of.reset(token)


def belong_to(**names: str) -> None:
    """From now on the lines of this thread belong to this alone; to nothing without names."""
    _part_of.set(names)


def carried(work: Callable[Given, Result]) -> Callable[Given, Result]:
    """`work` for another thread: its lines belong to what those of this one belong to."""
    names = dict(_part_of.get())

    def run(*arguments: Given.args, **named: Given.kwargs) -> Result:
        with part_of(**names):
            return work(*arguments, **named)

    return run


def told(error: BaseException | None) -> str:
    """What an error is, without what it says: its kind and code, and those of what caused it."""
    return " from ".join(_kind(one) for one in _causes(error))


def install(kind: str) -> None:
    """Log to standard error from now on; called again, in the other manner.

    Commands speak for themselves, so in text only what is wrong is logged until `tell_all`.
    JSON is for what collects lines: a terminal gets text all the same.
    """
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _ToStandardError)]:
        root.removeHandler(handler)
    handler = _ToStandardError()
    is_json = kind == "json" and not sys.stderr.isatty()
    handler.setFormatter(JsonLines() if is_json else Readable())
    handler.addFilter(_keep_addresses_out)
    root.addHandler(handler)
    logging.getLogger("proman").setLevel(logging.NOTSET)
    if is_json:
        tell_all()


def tell_all() -> None:
    """Log what goes well, too."""
    logging.getLogger("proman").setLevel(logging.INFO)


def is_json() -> bool:
    """Whether lines are written in JSON."""
    return any(isinstance(one.formatter, JsonLines) for one in logging.getLogger().handlers)


def announce(line: str) -> None:
    """Tell whoever started the server: on standard output, or as a line of the log."""
    if is_json():
        log.info("%s", line)
    else:
        click.echo(line)


class JsonLines(logging.Formatter):
    """One JSON object a line; docs/observability.md says what is in it."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _moment(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": masked(record.getMessage()),
            "process": record.process,
            **belongings(),
            **getattr(record, "fields", {}),
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line["error"] = told(error)
            line["trace"] = [_place(frame) for frame in _frames(error)]
        return _encode(line)


class Readable(logging.Formatter):
    """One line for a person, and below it where an error came from."""

    def format(self, record: logging.LogRecord) -> str:
        message = "".join(c if c.isprintable() else " " for c in masked(record.getMessage()))
        fields = getattr(record, "fields", {})
        named = {**fields, **belongings()}.items()
        details = [f"{name}={value}" for name, value in named if name not in _IN_MESSAGE]
        when = _moment(record).astimezone().strftime("%H:%M:%S")
        begin = f"{when} {record.levelname} {record.name}: {message}"
        text = "  ".join((begin, " ".join(details))) if details else begin
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return text
        frames = [f"    {_place(frame)}: {frame.line}" for frame in _frames(error)]
        return "\n".join((text, *frames, f"    {told(error)}"))


class _ToStandardError(logging.Handler):
    """Standard error as it is at that moment: tests and commands put another in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            # In one piece: several processes write to it.
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except Exception:
            self.handleError(record)


def belongings() -> dict[str, str]:
    """What a line of this thread belongs to: a request, a task of the schedule, a command."""
    found = dict(_part_of.get())
    context = click.get_current_context(silent=True)
    if context is not None:
        found["command"] = context.command_path.partition(" ")[2] or context.command_path
    return found


def masked(text: str) -> str:
    """The text without credentials in addresses, e-mails and links that set a password."""
    if "@" in text or "/password/" in text:
        for pattern, instead in _MASKS:
            text = pattern.sub(instead, text)
    return text


def _keep_addresses_out(record: logging.LogRecord) -> bool:
    # Waitress writes the path of a request that broke off, and in a path there may be a secret.
    if record.name == "waitress" and " while serving " in record.getMessage():
        record.msg, record.args = "A request broke off", None
    return True


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(MOST_CAUSES):
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _kind(error: BaseException) -> str:
    name = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return f"{name} ({error.strerror})"
    if isinstance(error, _TELLS_OF_CODE):
        return f"{name} ({masked(str(error))})"
    code = _code(error)
    return f"{name} ({code})" if code else name


def _code(error: BaseException) -> str:
    """The number or state by which a database or a mail server says what it means."""
    said = error.orig if isinstance(error, DBAPIError) else error
    for name in ("sqlstate", "sqlite_errorname", "smtp_code"):
        found = getattr(said, name, None)
        if found:
            return str(found)
    first = said.args[0] if said is not None and said.args else None
    is_number = isinstance(first, int) and not isinstance(first, bool)
    return str(first) if is_number and isinstance(error, DBAPIError) else ""


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    return list(traceback.extract_tb(error.__traceback__))[-MOST_FRAMES:]


def _place(frame: traceback.FrameSummary) -> str:
    file = frame.filename.removeprefix(ROOT)
    packages = f"site-packages{os.sep}"
    return f"{file.rpartition(packages)[2]}:{frame.lineno} {frame.name}"
