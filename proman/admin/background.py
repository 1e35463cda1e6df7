"""Runs an operation that outlasts its request in a thread of its own."""

import logging
import threading
from collections.abc import Callable

from flask import Flask, current_app

from proman.base.errors import NotThere, Refused

log = logging.getLogger(__name__)
SHORT_WAIT = 2.0


def start(work: Callable[[], object], wait: float = SHORT_WAIT) -> None:
    """Begins the work and waits a moment, so that what is quick is done when the page comes.

    What goes wrong is kept by the work itself where people look; here it is logged.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    thread = threading.Thread(target=_run, args=(app, work), daemon=True)
    thread.start()
    thread.join(wait)


def _run(app: Flask, work: Callable[[], object]) -> None:
    with app.app_context():
        try:
            work()
        except (Refused, NotThere) as refusal:
            log.warning("%s", refusal.message)
        except Exception:
            log.exception("An operation on the database failed")
