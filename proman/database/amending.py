"""Changes a manifest that is there: read anew and written back while nobody else does the same.

Pins come at any moment, also while a drill or a verification of the same backup has been at work
for minutes. Whoever wrote back what was read before would take the pin away again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from proman.base.errors import Refused
from proman.base.private import open_private
from proman.database import manifest as manifests
from proman.database.manifest import Manifest

LOCK = ".proman-manifests.lock"


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Keeps every other process from changing a manifest of the directory; for moments only."""
    try:
        descriptor = open_private(directory / LOCK, os.O_RDWR)
    except OSError as error:
        why = f"The manifests in {directory} cannot be written: {error.strerror}."
        raise Refused(why) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def amend(path: Path, change: Callable[[Manifest], Manifest]) -> Manifest | None:
    """What the manifest is now, after the change; None, and nothing written, where there is none.

    `change` may raise; then the manifest stays as it was. Raises Unreadable for one that nobody can
    read: it is never written over.
    """
    with alone(path.parent):
        known = manifests.read(path)
        if known is None:
            return None
        changed = change(known)
        if changed != known:
            manifests.write(path, changed)
        return changed
