"""Files that are either whole and on the disk, or not there at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from proman.base.errors import Refused
from proman.base.private import give_directory, make_private_directory, open_private
from proman.database.rules import backup_name, stem_of

PARTIAL = ".partial"
FROM_SCRIPT = ".proman-script-"
SIDE_FILES = ("-wal", "-shm", "-journal")
CHUNK = 1 << 20
RESERVE = 16 << 20
"""Bytes of a disk that are left free for the database itself."""
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def private_directory(path: Path) -> Path:
    """Makes the directory, for ProMan alone, where it is missing; refuses one it cannot write."""
    try:
        make_private_directory(path)
    except OSError as error:
        raise Refused(f"The directory {path} cannot be made: {error.strerror}.") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise Refused(f"The directory {path} cannot be written.")
    return path


@contextlib.contextmanager
def partial(directory: Path) -> Iterator[Path]:
    """A new, empty, hidden file, for ProMan alone, that is gone afterwards, with its side files."""
    path = directory / f".proman-{uuid.uuid4().hex}{PARTIAL}"
    try:
        os.close(open_private(path, os.O_EXCL | os.O_WRONLY))
    except OSError as error:
        raise Refused(f"Nothing can be written to {directory}: {error.strerror}.") from error
    try:
        yield path
    finally:
        remove_database(path)


@contextlib.contextmanager
def scratch_directory(parent: Path) -> Iterator[Path]:
    """A hidden directory that is gone afterwards; what a kill leaves of it is swept."""
    with tempfile.TemporaryDirectory(prefix=".proman-", suffix=PARTIAL, dir=parent) as name:
        give_directory(Path(name))
        descriptor = os.open(name, os.O_RDONLY)
        try:
            # Tells those who sweep that it is in use. (Shared, as NFS wants it of a reader.)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield Path(name)
        finally:
            os.close(descriptor)


def remove_database(path: Path) -> None:
    """Removes a database file and its side files; what is not there is no error."""
    for suffix in ("", *SIDE_FILES):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def publish(
    source: Path,
    directory: Path,
    moment: datetime,
    manifest: Callable[[datetime, str], bytes],
    is_sealed: bool = False,
) -> Path:
    """Gives a finished partial its final name, the next second's when that is taken.

    Its manifest, made for that moment and name, is on the disk before: a kill between the two
    leaves no backup of which nobody knows why it was made. A name is never overwritten: `link`
    fails on an existing one, `rename` would replace it.
    """
    while True:
        final = directory / backup_name(moment, is_sealed)
        beside = directory / f"{stem_of(final.name)}.json"
        other = directory / backup_name(moment, not is_sealed)
        is_free = not final.exists() and not other.exists()
        if is_free and written_new(beside, manifest(moment, final.name)):
            is_ours = False
            try:
                is_ours = _claim(source, final)
                if is_ours:
                    sync_directory(directory)
                    return final
            except BaseException:
                # Listed without its manifest it would stand there as if another had made it.
                if is_ours:
                    final.unlink()
                beside.unlink()
                raise
            beside.unlink()
        moment += timedelta(seconds=1)


def written_new(path: Path, content: bytes) -> bool:
    """Writes the whole file, on the disk when it returns, unless the name is taken: then False."""
    with partial(path.parent) as temporary:
        temporary.write_bytes(content)
        sync_file(temporary)
        if not _claim(temporary, path):
            return False
    sync_directory(path.parent)
    return True


def write_durably(path: Path, content: bytes) -> None:
    """Writes the whole file or leaves the old one; on the disk when it returns."""
    with partial(path.parent) as temporary:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    sync_directory(path.parent)


def sync_file(path: Path) -> None:
    """Returns when the file's content is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Returns when the names in the directory are on the disk."""
    sync_file(path)


def sha256_from_disk(path: Path, on_bytes: Callable[[int], None] | None = None) -> str:
    """SHA-256 (hex) of the file as the disk has it: the page cache is dropped first."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        with contextlib.suppress(OSError, AttributeError):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            if on_bytes is not None:
                on_bytes(file.tell())
    return digest.hexdigest()


def require_space(directory: Path, needed: int) -> None:
    """Refuses when `needed` bytes and the reserve do not fit beside what is there."""
    free = shutil.disk_usage(directory).free
    if free < needed + RESERVE:
        raise Refused(
            f"Not enough space in {directory}: {needed >> 20} MiB are needed, "
            f"{free >> 20} MiB are free. Nothing was changed."
        )


def sweep(directory: Path) -> int:
    """Removes what a killed process left and returns how many; only while holding the lock.

    What the script left, which works without the lock, is removed when it is a day old.
    """
    found = 0
    for path in directory.glob(".proman-*.part*"):
        if path.is_dir():
            if _is_in_use(path):
                continue
            shutil.rmtree(path, ignore_errors=True)
        elif not path.name.startswith(FROM_SCRIPT) or _is_a_day_old(path):
            path.unlink(missing_ok=True)
        else:
            continue
        found += 1
    return found


def _is_in_use(directory: Path) -> bool:
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:
        return True  # another user's: it is not for this one to remove
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _is_a_day_old(path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime > 86_400
    return False


def _claim(source: Path, final: Path) -> bool:
    """Gives `source` the name `final`, unless it is taken."""
    try:
        os.link(source, final)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _claim_without_links(source, final)
    return True


def _claim_without_links(source: Path, final: Path) -> bool:
    """The same on file systems that know no hard links: reserve the name, then replace it."""
    try:
        os.close(open_private(final, os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    try:
        source.replace(final)
    except OSError:
        final.unlink()
        raise
    return True
