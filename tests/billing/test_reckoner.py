"""Another mind's reckoning of the same rules says the same, to the cent and the day.

Each example is a book of random leases, what is done to them, and runs over five years, lived
through on both sides; then every invoice, line and credit note is compared. 200 leases, and at
PROMAN_TEST_SCALE=20 (`scripts/test -m long`) 10,000.
"""

import os
from collections.abc import Callable
from pprint import pformat

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings

from proman.db import db
from proman.identity.session import acting_for
from tests import factories
from tests.billing.books import breaches
from tests.billing.histories import History, histories
from tests.billing.replay import Documents, replay

SCALE = int(os.environ.get("PROMAN_TEST_SCALE", "1"))
BOOKS = 8 if SCALE == 1 else 10 * SCALE
LEASES = 25 if SCALE < 20 else 50


# A history is longer than hypothesis likes to print; without it nobody could repeat it.
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
@pytest.mark.long
def test_the_reckoner_agrees(app: Flask, empty_again: Callable[[], None]) -> None:
    @settings(
        max_examples=BOOKS,
        deadline=None,
        derandomize=SCALE == 1,
        # An explanation would take as many examples again; the failing lease is printed.
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(histories(LEASES))
    def every_book(history: History) -> None:
        db.session.remove()
        empty_again()
        with acting_for(factories.make_organization()):
            agree(history)

    with app.app_context():
        every_book()


def agree(history: History) -> None:
    """Live through a history on both sides and compare all documents, lease by lease."""
    database, reckoning = replay(history)
    printed, reckoned = database.documents(), reckoning.documents()
    for lease in history.leases:
        here = printed.get(lease.name, Documents())
        there = reckoned.get(lease.name, Documents())
        assert here == there, (
            f"{pformat(lease)}\n{pformat(history.deeds_of(lease))}\nruns on {history.runs}\n"
            f"ProMan alone: {missing(here, there)}\nThe reckoner alone: {missing(there, here)}"
        )
    assert breaches() == []


def missing(here: Documents, there: Documents) -> str:
    """What one side has and the other has not."""
    invoices = [each for each in here.invoices if each not in there.invoices]
    credits = [each for each in here.credits if each not in there.credits]
    return pformat([*invoices, *credits] or "the same in another order", width=150)
