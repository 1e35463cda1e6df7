"""What a lease that is still being typed will bring first: invoices with formula and due date."""

from collections.abc import Callable
from datetime import date, timedelta

from proman.base.errors import NotThere
from proman.billing.queries import writer_of_here
from proman.billing.rules import PlannedInvoice, first_invoices, plan
from proman.billing.terms import billable_leases
from proman.identity.session import current_organization
from proman.leases.actions import Agreement, NewCharge
from proman.leases.queries import unit_in_words
from proman.leases.rules import (
    ChargeTerms,
    DueRule,
    Frequency,
    HoldingOver,
    LeaseTerms,
    Periods,
    Proration,
    Recurrence,
    RentStep,
    Timing,
)

SHOWN = 3


def preview_agreement(agreement: Agreement) -> tuple[PlannedInvoice, ...]:
    """The first three invoices of a lease with these terms. Raises Refused for a bad due rule."""
    return first_invoices(terms_of(agreement), SHOWN, show=writer_of_here())


def preview_change(
    lease_id: int, today: date, changed_on: date, change: Callable[[LeaseTerms], LeaseTerms]
) -> tuple[PlannedInvoice, ...]:
    """The next three invoices of a lease if its terms were changed from a day on; nothing is kept.

    Raises NotThere, and what `change` raises.
    """
    found = billable_leases([lease_id])
    if not found:
        raise NotThere("This lease does not exist.")
    terms = change(found[0].terms)
    period = timedelta(days=terms.frequency.days or 31 * terms.frequency.months)
    horizon = max(today, changed_on) + SHOWN * period
    planned = plan(terms, as_of=horizon, billed=found[0].billed, show=writer_of_here())
    touched = [one for one in planned.invoices if one.last_day >= changed_on]
    return tuple(touched[:SHOWN])


def terms_of(agreement: Agreement) -> LeaseTerms:
    """The terms for billing; holidays are those of the unit's place, else the organization's."""
    home = current_organization()
    unit = unit_in_words(agreement.unit_id)
    country = unit.country if unit and unit.country else home.country
    region = unit.region if unit and unit.region else ""
    if not region and country == home.country:
        region = home.region
    step = RentStep(
        agreement.first_day,
        agreement.rent,
        tax_rate=agreement.rent_tax_rate,
        gross=agreement.rent_gross,
    )
    return LeaseTerms(
        lease_id=0,
        first_day=agreement.first_day,
        last_day=agreement.last_day,
        frequency=Frequency(agreement.frequency),
        periods=Periods(agreement.periods),
        timing=Timing(agreement.timing),
        due_rule=DueRule.parse(agreement.due_rule),
        lead_days=agreement.lead_days,
        proration=Proration(agreement.proration),
        holding_over=HoldingOver(agreement.holding_over),
        rents=(step,),
        charges=_charges(agreement),
        country=country,
        region=region,
    )


def _charges(agreement: Agreement) -> tuple[ChargeTerms, ...]:
    return tuple(charge_terms(place, one) for place, one in enumerate(agreement.charges, 1))


def charge_terms(charge_id: int, charge: NewCharge) -> ChargeTerms:
    """A charge that is being typed as billing sees it, under an id of no other charge."""
    return ChargeTerms(
        charge_id,
        charge.kind,
        charge.description,
        charge.amount,
        charge.first_day,
        last_day=charge.last_day,
        tax_rate=charge.tax_rate,
        gross=charge.gross,
        recurrence=Recurrence(charge.recurrence),
    )
