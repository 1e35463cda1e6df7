"""Who is on a lease, from when and to when: one joins, one leaves, a leaving is taken back."""

from collections.abc import Sequence
from datetime import date, timedelta

from proman.base.errors import Refused
from proman.db import db
from proman.leases.actions import Signer, tenants_of_signers
from proman.leases.models import Lease, LeaseParty
from proman.leases.rules import LeaseStatus
from proman.tenants.models import Tenant


def join(lease: Lease, signers: Sequence[Signer], joined_on: date) -> list[Tenant]:
    """Let tenants join an active lease from a day on (inclusive), made on the way where new.

    The lease's one balance is theirs too. Raises Refused with the field for a day outside the
    lease, and for somebody who is or was on it.
    """
    _refuse_outside(lease, joined_on, "joined_on")
    joining = tenants_of_signers(signers)
    if not joining:
        raise Refused("Who joins the lease?", "tenants")
    known = {party.tenant_id: party for party in lease.parties}
    for tenant in joining:
        if tenant.id in known:
            raise Refused(_is_known(known[tenant.id]), "tenants")
    place = max(party.position for party in lease.parties) + 1 if lease.parties else 0
    lease.parties += [
        LeaseParty(tenant_id=tenant.id, position=place + n, joined_on=joined_on)
        for n, tenant in enumerate(joining)
    ]
    db.session.flush()
    return joining


def _is_known(party: LeaseParty) -> str:
    name = party.tenant.name
    if party.left_on is None:
        return f"{name} is on this lease already."
    return (
        f"{name} was on this lease to {party.left_on:%-d %B %Y}. "
        "If they stayed or came back, take the leaving back on the lease's page."
    )


def _refuse_outside(lease: Lease, day: date, field: str) -> None:
    if lease.status != LeaseStatus.ACTIVE:
        raise Refused("Tenants join and leave an active lease; in a draft they are chosen anew.")
    if day < lease.first_day:
        raise Refused(f"The lease begins on {lease.first_day:%-d %B %Y}.", field)


def let_leave(lease: Lease, tenant_id: int, left_on: date) -> Tenant:
    """Record the last day (inclusive) on which a tenant is on the lease.

    Raises Refused when nobody would be left, or for a day before they were on it.
    """
    staying = [party for party in lease.parties if party.left_on is None]
    leaving = [party for party in staying if party.tenant_id == tenant_id]
    if not leaving:
        raise Refused("This tenant is not on the lease any more.")
    if len(staying) == 1:
        raise Refused("Somebody has to stay on the lease. End it instead.", "left_on")
    (party,) = leaving
    if left_on < (party.joined_on or lease.first_day) - timedelta(days=1):
        raise Refused("That is before they were on the lease.", "left_on")
    party.left_on = left_on
    return party.tenant


def take_back_leaving(lease: Lease, party_id: int) -> Tenant:
    """Let a tenant be on the lease as if they had not left; the trail keeps the day noted.

    Raises Refused when they have not left, or the lease has ended.
    """
    left = [one for one in lease.parties if one.id == party_id and one.left_on is not None]
    if not left:
        raise Refused("Nobody has left there.")
    if lease.status != LeaseStatus.ACTIVE:
        raise Refused("The lease has ended; who was on it stays as it is.")
    left[0].left_on = None
    return left[0].tenant
