"""Files for ProMan alone: nobody else on the machine may read the books, the keys, the uploads.

One rule decides for a folder and all that is made in it. A folder that its group shares (the group
may write, and others may do nothing or new files take its group) is a volume on a platform that
chooses another user at each start: there the group may what the owner may. Elsewhere the owner
alone. What root makes in a folder of somebody else is given to the owner of the folder: a command
that is run as root must not keep the server's own user from its files.
"""

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path


def is_shared(folder: Path) -> bool:
    """Whether the folder is meant for its group."""
    mode = folder.stat().st_mode
    is_for_others = bool(mode & stat.S_IRWXO)
    return bool(mode & stat.S_IWGRP) and (not is_for_others or bool(mode & stat.S_ISGID))


def file_mode(folder: Path) -> int:
    """What a file in this folder allows."""
    return 0o660 if is_shared(folder) else 0o600


def keep_private(path: Path) -> None:
    """Give a file that is there the rights of its folder's rule; one of another owner stays.

    What is no plain file stays as it is: a folder that was named by mistake may be everybody's.
    """
    with contextlib.suppress(OSError):
        wanted, found = file_mode(path.parent), path.stat()
        if not stat.S_ISREG(found.st_mode):
            return
        if stat.S_IMODE(found.st_mode) != wanted and found.st_uid == os.geteuid():
            path.chmod(wanted)


def open_private(path: Path, flags: int) -> int:
    """A descriptor of a file that is made, or was, with the rights of its folder's rule.

    Raises OSError as `os.open` does.
    """
    descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)
    keep_private(path)
    _give_to_owner(path, descriptor)
    return descriptor


@contextlib.contextmanager
def whole_file(path: Path, text: str) -> Iterator[Path]:
    """A private file beside `path` that holds the text (ASCII) and is on the disk.

    Inside the block it can be linked or moved to its name; after it, it is gone. Raises OSError.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(open_private(partial, os.O_WRONLY | os.O_EXCL), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield partial
    finally:
        partial.unlink(missing_ok=True)


def made_once(path: Path, text: str) -> str:
    """What a file holds (ASCII, without blanks around), which is made of the text if it is missing.

    It never has its name before it is whole, and those who make it at once get the same. Raises
    OSError.
    """
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="ascii").strip()
    with whole_file(path, text) as partial, contextlib.suppress(FileExistsError):
        os.link(partial, path)
    return path.read_text(encoding="ascii").strip()


def give_directory(path: Path) -> None:
    """Give a directory that root has just made to the owner of the folder that it lies in."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            _give_to_owner(path, descriptor)
        finally:
            os.close(descriptor)


def _give_to_owner(path: Path, descriptor: int) -> None:
    """Never more than what lies in that very place: a link there may lead to what is root's own."""
    if os.geteuid() != 0:
        return
    with contextlib.suppress(OSError):  # a user namespace or a network file system may refuse
        folder, own = path.parent.stat(), os.fstat(descriptor)
        is_in_place = os.path.samestat(own, path.lstat())
        is_one = stat.S_ISDIR(own.st_mode) or (stat.S_ISREG(own.st_mode) and own.st_nlink == 1)
        if own.st_uid == 0 != folder.st_uid and is_in_place and is_one:
            os.fchown(descriptor, folder.st_uid, folder.st_gid)


def make_private_directory(path: Path) -> None:
    """Make the directory unless it is there, which then stays as it is. Raises OSError.

    In a folder that its group shares it is shared too.
    """
    if path.is_dir():
        return
    missing = [one for one in (path, *path.parents) if not one.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    for one in reversed(missing):
        give_directory(one)
    if is_shared(path.parent):
        with contextlib.suppress(OSError):
            path.chmod(0o770)
