"""Runs an operation that outlasts its request in a thread of its own."""

import logging
import threading
from collections.abc import Callable

from flask import Flask, current_app, request

from proman import logs
from proman.base.errors import NotThere, Refused
from proman.database.journal_events import Origin, acting_from
from proman.identity.session import current_actor

log = logging.getLogger(__name__)
SHORT_WAIT = 2.0


def start(work: Callable[[], object], wait: float = SHORT_WAIT) -> None:
    """Begins the work and waits a moment, so that what is quick is done when the page comes.

    What goes wrong is kept by the work itself where people look; here it is logged.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    origin = Origin(request.remote_addr or "unknown", current_actor().id)
    thread = threading.Thread(target=logs.carried(_run), args=(app, work, origin), daemon=True)
    thread.start()
    thread.join(wait)


def _run(app: Flask, work: Callable[[], object], origin: Origin) -> None:
    with app.app_context(), acting_from(origin):
        try:
            work()
        except (Refused, NotThere) as refusal:
            # Its words are on the page of the operation, and may name what somebody uploaded.
            log.warning("An operation on the database was refused: %s", logs.told(refusal))
        except Exception:
            log.exception("An operation on the database failed")
