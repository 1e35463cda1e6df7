"""Composes the form of a lease: its defaults, its growing rows, and the units it offers.

Every step is a button of the one form, so it works the same with and without JavaScript.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy import Row, select

from proman.base.errors import Refused
from proman.db import db
from proman.identity.models import Organization, TaxRate
from proman.identity.session import business_today, current_organization
from proman.leases.choosing import TENANT_STEPS, Choosing, Steps, put
from proman.leases.forms import LeaseForm, due_fields
from proman.leases.models import Lease
from proman.leases.queries import unit_in_words, units_to_let
from proman.leases.wording import due_in_words
from proman.web.filters import rate
from proman.web.ids import id_of


@dataclass
class Composition(Choosing):
    """The form and what the page shows beside its fields."""

    form: LeaseForm
    unit: Row[Any] | None = None
    units: Sequence[Row[Any]] = ()
    unit_q: str = ""

    @property
    def due(self) -> str:
        """When a period is due by the fields as they are, in words; nothing while they are not."""
        form = self.form
        try:
            due = due_in_words(form.due_rule, str(form.frequency.data), str(form.timing.data))
        except Refused:
            return ""
        paid = "in advance" if form.timing.data == "advance" else "in arrears"
        return f"{paid}, {due}"


def tax_rates() -> list[tuple[int, str]]:
    """The organization's rates in use, as choices."""
    return all_tax_rates()[0]


def all_tax_rates() -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """The organization's rates in use, and those that are offered no more, as choices."""
    rows = db.session.scalars(select(TaxRate).order_by(TaxRate.rate, TaxRate.id)).all()
    in_use, retired = (
        [(one.rate, f"{one.name} ({rate(one.rate)})") for one in rows if bool(one.retired_at) is no]
        for no in (False, True)
    )
    return in_use, retired


def new_form(unit_id: str, tenant_id: str) -> LeaseForm:
    """A form with the organization's defaults, for the unit and tenant that a link named."""
    home = db.session.get_one(Organization, current_organization().id)
    return LeaseForm(
        formdata=None,
        data={
            "unit_id": id_of(unit_id) or "",
            "tenants": [{"tenant_id": id_of(tenant_id) or ""}],
            "timing": home.timing,
            "lead_days": home.lead_days,
            "proration": home.proration,
            "holding_over": home.holding_over,
            **due_fields(home.due_rule),
        },
    )


def draft_form(lease: Lease) -> LeaseForm:
    """A form filled with a draft's terms."""
    rent = lease.rents[-1]
    terms = (
        "unit_id first_day last_day frequency periods timing lead_days proration holding_over"
        " deposit reference notes"
    ).split()
    charge_terms = "description kind amount recurrence tax_rate gross first_day last_day".split()
    return LeaseForm(
        formdata=None,
        data={
            **{key: getattr(lease, key) for key in terms},
            **due_fields(lease.due_rule),
            "rent": rent.amount,
            "rent_tax_rate": rent.tax_rate,
            "rent_gross": rent.gross,
            "tenants": [{"tenant_id": str(party.tenant_id)} for party in lease.parties],
            "charges": [{key: getattr(c, key) for key in charge_terms} for c in lease.charges],
        },
    )


def compose(form: LeaseForm, step: str = "") -> Composition:
    """Take the step that a button asked for, and gather what the page shows."""
    made = Composition(form, unit_q=request.form.get("unit_q", "").strip())
    made.take(step, STEPS)
    form.offer_rates(*all_tax_rates())
    made.load_known()
    unit_id = id_of(str(form.unit_id.data or ""))
    made.unit = None if unit_id is None else unit_in_words(unit_id)
    if made.unit is None:
        made.units = units_to_let(made.unit_q, business_today())
    elif form.rent.data is None and not (form.rent.raw_data or [""])[0] and not form.errors:
        put(form.rent, made.unit.market_rent)
    return made


def _use_unit(made: Composition, unit_id: int) -> None:
    put(made.form.unit_id, str(unit_id))
    made.focus = "unit-change"


def _forget_unit(made: Composition) -> None:
    put(made.form.unit_id, "")
    made.focus = "unit-q"


def _add_charge(made: Composition) -> None:
    part = made.form.charges.append_entry({})
    made.focus = f"{part.id}-description"


def _drop_charge(made: Composition, place: int) -> None:
    if place < len(made.form.charges.entries):
        del made.form.charges.entries[place]
    made.focus = "add-charge"


STEPS: Steps = {
    **TENANT_STEPS,
    "use-unit": (_use_unit, 1),
    "forget-unit": (_forget_unit, 0),
    "add-charge": (_add_charge, 0),
    "drop-charge": (_drop_charge, 1),
}
