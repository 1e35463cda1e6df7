"""Content by its hash: whole on the disk or not there; never removed from under a change."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proman.base.errors import Refused
from proman.database import contents
from proman.database.contents import Content
from tests import processes

LEASE = b"signed by both"


def keep(folder: Path, content: bytes = LEASE, most: int = 1000) -> Content:
    return contents.keep(folder, io.BytesIO(content), most, "Lease.txt")


def files_in(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


def test_the_same_content_is_kept_once_under_its_hash_for_nobody_else(tmp_path: Path) -> None:
    store = tmp_path / "files"
    first, second = keep(store), keep(store)
    assert first == second == Content(first.sha256, len(LEASE), "Lease.txt")
    assert files_in(store) == [f"{first.sha256[:2]}/{first.sha256[2:]}"]
    assert contents.is_good(store, first)
    path = contents.path_of(store, first.sha256)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("content", "said"), [(b"", "empty"), (b"x" * 1001, "larger than")])
def test_what_is_refused_leaves_nothing(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(Refused, match=said):
        keep(tmp_path / "files", content)
    assert files_in(tmp_path) == []


def test_damaged_content_is_told_and_replaced_by_who_brings_it_again(tmp_path: Path) -> None:
    kept = keep(tmp_path)
    path = contents.path_of(tmp_path, kept.sha256)
    path.write_bytes(b"signed by none")
    assert contents.is_there(tmp_path, kept)
    assert not contents.is_good(tmp_path, kept)
    assert not contents.copy(path, kept, tmp_path / "pool")
    assert files_in(tmp_path / "pool") == []
    keep(tmp_path)
    assert contents.copy(path, kept, tmp_path / "pool")
    assert contents.is_good(tmp_path / "pool", kept)


def test_a_copy_shares_nothing_with_what_it_was_made_of(tmp_path: Path) -> None:
    kept = keep(tmp_path / "store")
    assert contents.copy(contents.path_of(tmp_path / "store", kept.sha256), kept, tmp_path / "pool")
    contents.path_of(tmp_path / "store", kept.sha256).write_bytes(b"x")
    assert contents.is_good(tmp_path / "pool", kept)


@pytest.mark.parametrize("name", ["../../x", "", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_only_a_hash_becomes_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        contents.path_of(tmp_path, name)
    assert not contents.is_there(tmp_path, Content(name, 0))


def test_nobody_removes_while_something_is_stored_and_not_yet_committed(tmp_path: Path) -> None:
    with contents.in_use(tmp_path), contents.alone(tmp_path) as is_free:
        assert not is_free
    with contents.alone(tmp_path) as is_free:
        assert is_free


def store_slowly(folder: Path, calls: int) -> None:
    """Stores content and dies by KILL before the given call that the disk would remember."""
    import os
    import signal

    done = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal done
            done += 1
            if done == calls:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        return call

    os.fsync = counted(os.fsync)
    Path.replace = counted(Path.replace)  # type: ignore[method-assign]
    keep(folder)


def test_a_kill_at_any_step_leaves_all_of_it_or_nothing(tmp_path: Path) -> None:
    whole = keep(tmp_path / "whole")
    for calls in range(1, 20):
        store = tmp_path / str(calls)
        code, _ = processes.start(tmp_path, store_slowly, store, calls).end()
        named = [one for one in files_in(store) if not one.startswith(".")]
        assert named in ([], [f"{whole.sha256[:2]}/{whole.sha256[2:]}"])
        assert not named or contents.is_good(store, whole)
        if code == 0:
            break
    else:
        pytest.fail("it was never done")
