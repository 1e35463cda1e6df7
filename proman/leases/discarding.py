"""Discards a draft that came to nothing: the only lease that can go, for nothing rests on it."""

from sqlalchemy import bindparam, func, select

from proman.base.errors import Refused
from proman.db import db
from proman.leases.index_models import IndexClause
from proman.leases.models import Charge, Lease, LeaseParty, Rent
from proman.leases.rules import LeaseStatus
from proman.resting import in_words, references_to

_OWN = frozenset(each.__tablename__ for each in (LeaseParty, Rent, Charge, IndexClause))


def discard_draft(lease: Lease) -> None:
    """Take a draft away with its tenants' places, rent, index clause and charges; its tenants stay.

    The audit trail keeps what it said. Must be inside a write, with the lease loaded whole. Raises
    Refused for any lease but a draft, and while anything of another kind refers to it.
    """
    if lease.status != LeaseStatus.DRAFT:
        raise Refused("Only a draft can be discarded. End this lease instead: its books are kept.")
    resting = _what_rests_on(lease)
    if resting:
        raise Refused(
            f"This draft cannot be discarded while this rests on it: {', '.join(resting)}."
        )
    clauses = [lease.index_clause] if lease.index_clause else []
    for row in (*lease.parties, *lease.rents, *lease.charges, *clauses, lease):
        db.session.delete(row)
    db.session.flush()


def _what_rests_on(lease: Lease) -> list[str]:
    ids = {
        Lease.__tablename__: [lease.id],
        LeaseParty.__tablename__: [party.id for party in lease.parties],
        Rent.__tablename__: [rent.id for rent in lease.rents],
        Charge.__tablename__: [charge.id for charge in lease.charges],
    }
    found: dict[str, int] = {}
    for table, column, kind in references_to(ids):
        if table.name in _OWN:
            continue
        statement = select(func.count()).where(
            table.c.organization_id == bindparam("organization_id"),
            table.c[column].in_(ids[kind]),
        )
        count = db.session.execute(statement, {}).scalar_one()
        if count:
            found[table.name] = max(found.get(table.name, 0), count)
    return in_words(found)
