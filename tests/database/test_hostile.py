"""Good backups with random damage: refused with a reason, or the rows that the file holds."""

import os
import random
from collections.abc import Callable

import pytest

from proman.base.errors import Refused
from proman.database import durable
from proman.database.backup import back_up
from proman.database.staging import stage
from proman.identity.session import acting_for
from tests import factories

ROUNDS = int(os.environ.get("PROMAN_TEST_SCALE", "1")) * 25
PAGE = 4096


def flip(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 3, 20))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def swap_pages(content: bytearray, chance: random.Random) -> None:
    one, other = (chance.randrange(len(content) // PAGE) * PAGE for _ in range(2))
    here, there = content[one : one + PAGE], content[other : other + PAGE]
    content[one : one + PAGE], content[other : other + PAGE] = there, here


def blank(content: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(content))
    content[start : start + chance.choice((4, 100, PAGE))] = b""
    content.extend(bytes(-len(content) % PAGE))


def scribble_header(content: bytearray, chance: random.Random) -> None:
    content[chance.randrange(16, 100)] = chance.randrange(256)


def truncate(content: bytearray, chance: random.Random) -> None:
    del content[chance.randrange(len(content)) :]


DAMAGE: list[Callable[[bytearray, random.Random], None]] = [
    flip, swap_pages, blank, scribble_header, truncate,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_refused_or_harmless_and_never_a_crash(house, tmp_path, damage):
    with acting_for(house.organization):
        place = factories.make_property()
        for _ in range(30):
            factories.make_unit(place)
    made = back_up(house.site, "manual", "Alice")
    good = made.path.read_bytes()
    chance = random.Random(damage.__name__)
    outcomes = set()
    for number in range(ROUNDS // len(DAMAGE) + 1):
        content = bytearray(good)
        damage(content, chance)
        path = tmp_path / f"{number}.sqlite"
        path.write_bytes(content)
        target = tmp_path / "staged.sqlite"
        if bytes(content) != good:
            with pytest.raises(Refused):
                stage(house.site, path, made.manifest, target, lambda *progress: None)
        try:
            staged = stage(house.site, path, None, target, lambda *progress: None)
        except Refused:
            assert not target.exists()
            outcomes.add("refused")
        else:
            assert staged.facts.rows["users"] == staged.verdict.facts.rows["users"]
            durable.remove_database(target)
            outcomes.add("taken")
        path.unlink()
    assert outcomes
    assert house.name() == "before"
