"""The confined process that seals a key with a passphrase, or opens one that is sealed.

How much work it costs to try a passphrase, age measures anew each time: what takes a second at
this moment. On a busy machine it measures too little, so a seal would be weak; or it takes an
honest seal for an attack, so a good passphrase would be refused. Hence both are tried again.
"""

from __future__ import annotations

import base64
import re
import time
from typing import Any

import pyrage

from proman.base.errors import Refused
from proman.database.confined import main
from proman.database.sqlite_copy import Progress

WANTED = range(16, 19)
"""Powers of two: of 1 KiB of memory, and so of work; 18 are 256 MiB and a second or less."""
MOST_WORK = 20
TRIES = 12
TRIES_OF_TOO_MUCH = 2
"""A machine that is fast enough for more measures more each time, and takes a second for it."""
PATIENCE_SECONDS = 60
_STANZA = re.compile(rb"^-> scrypt \S+ (\d{1,2})$", re.MULTILINE)
_SECRET = re.compile(r"^AGE-SECRET-KEY-1\w+$", re.MULTILINE)


def work(request: dict[str, Any], report: Progress) -> dict[str, Any]:
    """`sealed` of a `text`; or the `secret` key in `sealed` and its `recipient`.

    These are empty when the passphrase does not open it. `request`: passphrase, text or sealed.
    """
    if "text" in request:
        report("sealing the key", 0, 0)
        return {"sealed": seal(request["text"], request["passphrase"])}
    report("opening the key", 0, 0)
    return unseal(request["sealed"], request["passphrase"])


def seal(text: str, passphrase: str) -> str:
    """The text, sealed by work of the wanted size, or the nearest that this machine offers."""
    best, distance, too_much = b"", 99, 0
    for _ in range(TRIES):
        sealed = bytes(pyrage.passphrase.encrypt(text.encode(), passphrase, armored=True))
        power = work_of(sealed)
        if power in WANTED:
            return sealed.decode()
        if abs(power - WANTED[-1]) < distance:
            best, distance = sealed, abs(power - WANTED[-1])
        too_much += power in range(WANTED.stop, MOST_WORK + 1)
        if too_much == TRIES_OF_TOO_MUCH:
            break
    return best.decode()


def unseal(sealed: str, passphrase: str) -> dict[str, str]:
    """Raises Refused for what would take more memory than is allowed."""
    nothing = {"secret": "", "recipient": ""}
    try:
        if work_of(sealed.encode()) > MOST_WORK:
            raise Refused("Its key was sealed so that it takes more than a gigabyte to open it.")
        text = _opened(sealed.encode(), passphrase).decode("ascii")
        secret = _SECRET.search(text)
        if secret is None:
            return nothing
        recipient = pyrage.x25519.Identity.from_str(secret[0]).to_public()
    except (pyrage.DecryptError, pyrage.IdentityError, ValueError):
        return nothing
    return {"secret": secret[0], "recipient": str(recipient)}


def work_of(sealed: bytes) -> int:
    """The power of two that says how much work a try is; raises ValueError for what is no seal."""
    lines = sealed.split(b"-----")[2].split() if sealed.count(b"-----") >= 4 else []
    stanza = _STANZA.search(base64.b64decode(b"".join(lines)))
    if stanza is None:
        raise ValueError("not sealed with a passphrase")
    return int(stanza[1])


def _opened(sealed: bytes, passphrase: str) -> bytes:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return bytes(pyrage.passphrase.decrypt(sealed, passphrase))
        except pyrage.DecryptError as error:
            if "Excessive work" not in str(error):
                raise
            if time.monotonic() > until:
                raise Refused("This machine is too slow or too busy to open the key.") from error


if __name__ == "__main__":
    main(work)
