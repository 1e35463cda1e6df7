from pathlib import Path

import pytest

from proman.base.private import file_mode, is_shared, keep_private, make_private_directory


def rights(path: Path) -> str:
    return oct(path.stat().st_mode & 0o7777)


@pytest.mark.parametrize(
    ("mode", "shared"),
    [
        (0o700, False),
        (0o755, False),
        (0o750, False),
        # What a careless umask leaves is no wish to share.
        (0o775, False),
        (0o777, False),
        (0o770, True),
        (0o2770, True),
        # As a volume comes whose platform gives it a group.
        (0o2775, True),
    ],
)
def test_a_folder_is_shared_when_it_is_for_its_group(
    tmp_path: Path, mode: int, shared: bool
) -> None:
    tmp_path.chmod(mode)
    assert is_shared(tmp_path) is shared
    assert file_mode(tmp_path) == (0o660 if shared else 0o600)


def test_what_was_open_to_others_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    file = tmp_path / "proman.sqlite"
    file.touch(0o644)
    keep_private(file)
    assert rights(file) == "0o600"
    keep_private(tmp_path / "missing")


def test_a_directory_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "a" / "mine", tmp_path / "theirs"
    theirs.mkdir(0o750)
    make_private_directory(mine)
    make_private_directory(theirs)
    assert (rights(mine), rights(theirs)) == ("0o700", "0o750")


def test_a_directory_in_a_shared_folder_is_shared(tmp_path: Path) -> None:
    tmp_path.chmod(0o770)
    make_private_directory(tmp_path / "uploads")
    assert rights(tmp_path / "uploads") == "0o770"
