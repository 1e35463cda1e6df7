"""Chooses the tenants of a lease in rows that grow: somebody known, found by name, or somebody new.

Every step is a button of the form that holds the rows, so it works with and without JavaScript.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from proman.identity.session import business_today
from proman.leases.forms import SignersForm
from proman.tenants.models import Tenant
from proman.tenants.queries import suggested_tenants, tenants_by_id
from proman.web.ids import ids_of

Steps = Mapping[str, tuple[Callable[..., None], int]]
"""What a button may ask for, and how many numbers it names (places in the form, ids)."""


@dataclass
class Choosing:
    """The rows of tenants and what the page shows beside them."""

    form: SignersForm
    known: dict[int, Tenant] = field(default_factory=dict)
    found: dict[int, Sequence[Row[Any]]] = field(default_factory=dict)
    focus: str = ""

    def take(self, step: str, steps: Steps) -> None:
        """Take the step that a button asked for; what is no step changes nothing."""
        name, *numbers = step.split(":")
        take, places = steps.get(name, (None, 0))
        read = ids_of(numbers)
        if take and len(numbers) == len(read) == places:
            take(self, *read)

    def load_known(self) -> None:
        """Load those who were chosen."""
        chosen = [part.form.chosen for part in self.form.tenants if part.form.chosen is not None]
        self.known = tenants_by_id(chosen)


def choose(form: SignersForm, step: str = "") -> Choosing:
    """The rows of a form that chooses tenants, once the step was taken."""
    made = Choosing(form)
    made.take(step, TENANT_STEPS)
    made.load_known()
    return made


def put(one: Any, value: Any) -> None:
    """Set a field to a value as if nothing had been typed."""
    one.data, one.raw_data = value, None


def _add_tenant(made: Choosing) -> None:
    part = made.form.tenants.append_entry({})
    made.focus = f"{part.id}-name"


def _drop_tenant(made: Choosing, place: int) -> None:
    if place < len(made.form.tenants.entries) > 1:
        del made.form.tenants.entries[place]
    made.focus = "add-tenant"


def _find_tenant(made: Choosing, place: int) -> None:
    if place < len(made.form.tenants.entries):
        part = made.form.tenants[place].form
        typed = part.name.data or part.email.data or ""
        made.found[place] = suggested_tenants(typed, business_today())


def _use_tenant(made: Choosing, place: int, tenant_id: int) -> None:
    if place < len(made.form.tenants.entries):
        put(made.form.tenants[place].form.tenant_id, str(tenant_id))
    made.focus = "add-tenant"


def _forget_tenant(made: Choosing, place: int) -> None:
    if place < len(made.form.tenants.entries):
        part = made.form.tenants[place]
        put(part.form.tenant_id, "")
        made.focus = f"{part.id}-name"


TENANT_STEPS: Steps = {
    "add-tenant": (_add_tenant, 0),
    "drop-tenant": (_drop_tenant, 1),
    "find-tenant": (_find_tenant, 1),
    "use-tenant": (_use_tenant, 2),
    "forget-tenant": (_forget_tenant, 1),
}
