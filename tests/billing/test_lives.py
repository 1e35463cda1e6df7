"""Whatever is done to a portfolio and when: it stays sound, and lived again it is the same."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import zip_longest

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from proman.billing.queries import in_order, plans, preview_run
from proman.db import db
from proman.identity.session import acting_for
from tests import factories
from tests.billing.books import breaches
from tests.billing.lives import FIRST_DAY, VERBS, Deed, Life, books

SCALE = int(os.environ.get("PROMAN_TEST_SCALE", "1"))
STEPS = 60
NUMBERS = st.tuples(*[st.integers(0, 10**6)] * 4)
OFTEN = "again credit take_over undo move go_on settle receive bill bill publish index".split()
DEEDS = st.tuples(st.sampled_from([*VERBS, *OFTEN]), NUMBERS)


class Portfolio(RuleBasedStateMachine):
    """Days go by, and every verb that there is comes in any order, two at once too."""

    app: Flask
    empty_again: Callable[[], None]
    told: Counter[str]

    @initialize()
    def begin(self) -> None:
        self.today = FIRST_DAY
        self.life = self.lived_from_the_start()

    def lived_from_the_start(self) -> Life:
        db.session.remove()
        self.empty_again()
        self.organization = factories.make_organization(currency="USD", country="US")
        life = Life(told=self.told)
        with acting_for(self.organization):
            life.begin()
        return life

    @rule(days=st.integers(1, 35))
    def days_go_by(self, days: int) -> None:
        self.today += timedelta(days=days)

    @rule(deed=DEEDS)
    def somebody_does(self, deed: tuple[str, tuple[int, ...]]) -> None:
        with acting_for(self.organization):
            self.life.do(Deed(self.today, *deed))

    @rule(deeds=st.tuples(DEEDS, DEEDS))
    def two_do_at_once(self, deeds: tuple[tuple[str, tuple[int, ...]], ...]) -> None:
        together = threading.Barrier(2)

        def do(deed: tuple[str, tuple[int, ...]]) -> None:
            with self.app.app_context(), acting_for(self.organization):
                together.wait()
                self.life.do(Deed(self.today, *deed))

        db.session.remove()
        with ThreadPoolExecutor(2) as people:
            list(people.map(do, deeds))

    @invariant()
    def the_doctor_is_content(self) -> None:
        if hasattr(self, "life"):
            assert breaches() == []

    @invariant()
    def the_preview_is_what_a_run_would_do(self) -> None:
        """Also where it remembers: whatever was done since is in it."""
        if hasattr(self, "life"):
            db.session.rollback()
            with acting_for(self.organization):
                planned = [one for each in plans(self.today) for one in each.invoices]
                assert list(preview_run(self.today).invoices) == in_order(planned)

    def teardown(self) -> None:
        """The same deeds in the order in which they were done give the same cents."""
        if not hasattr(self, "life"):
            return
        with acting_for(self.organization):
            lived = books()
        deeds = self.life.deeds
        again = self.lived_from_the_start()
        with acting_for(self.organization):
            done = [again.do(deed) for deed in deeds]
            assert all(done), [deed for deed, was in zip(deeds, done, strict=True) if not was]
            differing = [pair for pair in zip_longest(lived, books()) if pair[0] != pair[1]]
            assert differing == []


@pytest.fixture
def machine(app: Flask, empty_again: Callable[[], None]) -> Iterator[type[Portfolio]]:
    with app.app_context():
        own = {"app": app, "empty_again": staticmethod(empty_again), "told": Counter()}
        yield type("PortfolioHere", (Portfolio,), own)


def test_a_portfolio_stays_sound_and_lived_again_is_the_same(machine: type[Portfolio]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15 * SCALE,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    never = {verb for verb in VERBS if not machine.told[verb]}
    # Chance may leave out what is refused most of the time; most of it is done in every run.
    assert len(never) < len(VERBS) / 2, never
