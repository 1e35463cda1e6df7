"""An undo goes back from the last restore, once, and never from an earlier one."""

from dataclasses import replace

import pytest

from proman.base.errors import Refused
from proman.database import catalogue, restore, restores, sources
from proman.database.backup import back_up
from proman.database.lock import ops_lock
from proman.database.restores import Restore
from proman.db import db
from tests.database.conftest import House
from tests.database.locking import OURS
from tests.factories import PASSWORD

HOME = "/admin/database"


def waiting(house: House, name: str, undoes: str = "") -> Restore:
    """A restore of a backup of the list, or an undo, ready to be confirmed."""
    one = sources.from_list(house.site, name, "Alice", house.alice, bool(undoes), undoes)
    one = restore.judge_and_stage(house.site, one.id)
    assert one.stage == "ready", one.fault
    return one


def carried_out(house: House, one: Restore) -> Restore:
    restores.confirm(house.folder, one.id)
    return restore.carry_out(house.site, one.id, db.engine.dispose)


def restored_twice(house: House) -> tuple[Restore, Restore]:
    made = back_up(house.site, "manual", "Alice")
    house.rename("between")
    first = carried_out(house, waiting(house, made.name))
    house.rename("after")
    return first, carried_out(house, waiting(house, made.name))


@pytest.mark.engines
def test_what_was_done_cannot_be_left(anywhere):
    house = anywhere
    first, second = restored_twice(house)
    client = house.client()
    for one in (first, second):
        answer = client.post(f"{HOME}/restores/{one.id}/dismissal")
        assert answer.status_code == 422
        assert "does not wait" in answer.text
    assert restore.undoable(house.site).id == second.id


@pytest.mark.engines
def test_without_the_state_of_the_last_restore_no_earlier_one_is_undone(anywhere):
    first, second = restored_twice(anywhere)
    restores.forget(anywhere.folder, second.id)
    assert first.stage == "done"
    assert restore.undoable(anywhere.site) is None


@pytest.mark.parametrize("stage", ["judging", "confirmed", "restoring", "swapping", "failed"])
def test_what_may_have_been_done_cannot_be_left(house, stage):
    one = waiting(house, back_up(house.site, "manual", "Alice").name)
    restores.save(house.folder, replace(one, stage=stage))
    with pytest.raises(Refused):
        restores.dismiss(house.folder, one.id)
    assert restores.directory_of(house.folder, one.id).is_dir()


@pytest.mark.engines
def test_of_two_who_undo_at_once_one_is_told_that_it_was_done(anywhere):
    house = anywhere
    made = back_up(house.site, "manual", "Alice")
    house.rename("after")
    done = carried_out(house, waiting(house, made.name))
    one, other = (waiting(house, done.safety, done.id) for _ in range(2))
    assert carried_out(house, one).stage == "done"
    house.rename("later")
    late = carried_out(house, other)
    assert late.stage == "failed"
    assert "cannot be undone any more" in late.fault
    assert house.name() == "later"


def test_an_undo_that_another_restore_overtook_is_refused(house):
    made = back_up(house.site, "manual", "Alice")
    done = carried_out(house, waiting(house, made.name))
    undo = waiting(house, done.safety, done.id)
    carried_out(house, waiting(house, made.name))
    house.rename("later")
    assert carried_out(house, undo).stage == "failed"
    assert house.name() == "later"


def test_an_undo_that_takes_another_passphrase_shows_where_to_give_it(house, set_to):
    made = back_up(house.site, "manual", "Alice")
    set_to(house, OURS)
    done = carried_out(house, waiting(house, made.name))
    assert catalogue.backup_named(house.site.backup_dir, done.safety).is_encrypted
    set_to(house, None)
    answer = house.client().post(f"{HOME}/restores/{done.id}/undo")
    assert answer.status_code == 422
    assert 'name="passphrase"' in answer.text
    assert "passphrase" in answer.text.partition('name="passphrase"')[2]
    assert [one.id for one in restores.every(house.folder)] == [done.id]


def test_a_restore_that_has_to_wait_was_not_confirmed(house):
    one = waiting(house, back_up(house.site, "manual", "Alice").name)
    client = house.client()
    with ops_lock(house.site.settings, "drill", "Bob"):
        data = {"password": PASSWORD, "word": "RESTORE"}
        answer = client.post(f"{HOME}/restores/{one.id}/confirmation", data=data)
        assert answer.status_code == 409
    assert not house.sql("SELECT count(*) FROM audit_entries WHERE action = 'confirmed a restore'")
