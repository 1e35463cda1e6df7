"""Owns the Actor: who is asking, as a frozen value."""

from dataclasses import dataclass

RANK = {"tenant": 0, "viewer": 1, "manager": 2, "administrator": 3}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking. `id` is None for the system itself (jobs, commands)."""

    id: int | None
    organization_id: int
    role: str
    name: str

    def may(self, role: str) -> bool:
        """Whether this actor has at least the rights of `role`; tenants have only their own."""
        if "tenant" in (role, self.role):
            return role == self.role
        return RANK[self.role] >= RANK[role]


def system_actor(organization_id: int, name: str = "ProMan") -> Actor:
    """The actor of scheduled jobs and commands."""
    return Actor(id=None, organization_id=organization_id, role="administrator", name=name)
