"""What is remembered holds until the organization changes anything, and for it alone."""

from proman.db import db
from proman.identity.remembering import KEPT, Remembered
from proman.identity.session import acting_for
from tests.conftest import Cast
from tests.factories import make_property, make_tenant


def test_it_is_reckoned_again_once_anything_was_changed(home: Cast) -> None:
    asked: list[str] = []
    remembered: Remembered[int] = Remembered()

    def ask(about: str) -> int:
        def reckon() -> int:
            asked.append(about)
            return len(asked)

        db.session.rollback()
        return remembered.get(about, reckon)

    assert [ask("today"), ask("today"), ask("tomorrow"), ask("today")] == [1, 1, 2, 1]
    make_property(name="Quay House")
    assert ask("today") == 3
    with acting_for(home.other_organization):
        assert ask("today") == 4
        make_property(name="Their house")
    assert ask("today") == 3


def test_what_it_cannot_hang_on_does_not_make_it_reckoned_again(home: Cast) -> None:
    remembered: Remembered[int] = Remembered("tenants", "users")
    assert remembered.get("today", lambda: 1) == 1
    make_tenant(name="Zoë Müller")
    assert remembered.get("today", lambda: 2) == 1
    make_property(name="Quay House")
    assert remembered.get("today", lambda: 3) == 3
    make_tenant(name="Ben Ali")
    assert remembered.get("today", lambda: 4) == 3


def test_no_more_is_kept_than_there_is_room_for(home: Cast) -> None:
    remembered: Remembered[int] = Remembered()
    for number in range(KEPT + 1):
        assert remembered.get(number, lambda number=number: number) == number
    assert remembered.get(0, lambda: -1) == -1
    assert remembered.get(KEPT, lambda: -1) == KEPT
