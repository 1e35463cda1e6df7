"""What `flask doctor` proves, as data: a query that finds each breach of one invariant."""

from typing import NamedTuple


class Check(NamedTuple):
    """One invariant and the statement whose rows are its breaches.

    The first column of a row names where; all columns fill `what`. Statements read the whole
    installation, every organization of it, and run on any supported engine.
    """

    invariant: str
    where: str
    what: str
    sql: str


class Breach(NamedTuple):
    """An invariant that does not hold: what is wrong, and where."""

    invariant: str
    what: str
    where: str
