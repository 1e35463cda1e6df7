"""What a manager types of a lease, and how it becomes an agreement."""

from collections.abc import Sequence
from typing import Any

from wtforms import (
    BooleanField,
    FieldList,
    FormField,
    HiddenField,
    IntegerField,
    StringField,
    TextAreaField,
)
from wtforms import Form as PartForm
from wtforms.validators import (
    DataRequired,
    Email,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)
from wtforms.widgets import HiddenInput

from proman.base.errors import Refused
from proman.leases import wording
from proman.leases.actions import Agreement, NewCharge, Signer
from proman.leases.rules import DueRule
from proman.web.editing import EditForm
from proman.web.forms import (
    NOT_NEGATIVE,
    AmountField,
    ChoiceField,
    DayField,
    Form,
    lower,
    none_if_empty,
    strip,
)
from proman.web.ids import id_of

MAX_ROWS = 20


class WholeField(IntegerField):
    """A whole number as typed."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0]).strip() if valuelist else ""
        self.data: int | None = None
        if not text:
            return
        if not text.isdecimal() or len(text) > 6:
            raise ValueError("Write a whole number.")
        self.data = int(text)


class RateField(ChoiceField):
    """One of the organization's tax rates, in thousandths of a per cent; nil is no tax."""

    def __init__(self, label: str = "Tax", **kw: Any) -> None:
        choices: list[Any] = [(0, "No tax")]
        super().__init__(label, coerce=int, default=0, choices=choices, **kw)


class TenantPart(PartForm):
    """One who signs: a tenant chosen before, or somebody new."""

    tenant_id = HiddenField()
    name = StringField("Name", [Length(max=200)], filters=[strip])
    kind = ChoiceField("Kind", choices=(("person", "Person"), ("company", "Company")))
    email = StringField(
        "E-mail",
        [Optional(), Email("This is not an e-mail address."), Length(max=254)],
        filters=[lower, none_if_empty],
    )
    phone = StringField("Phone", [Length(max=50)], filters=[strip])

    @property
    def chosen(self) -> int | None:
        """The id of a tenant chosen from those there are."""
        return id_of(str(self.tenant_id.data or ""))

    def validate(self, extra_validators: Any = None) -> bool:
        """A tenant chosen needs nothing typed."""
        return self.chosen is not None or bool(super().validate(extra_validators))

    def validate_name(self, field: StringField) -> None:
        """Somebody new needs a name."""
        if self.chosen is None and not field.data:
            raise ValidationError("Whom do you mean? Give a name.")


class ChargePart(PartForm):
    """Something charged beside the rent."""

    description = StringField(
        "What for", [DataRequired("Say what it is for."), Length(max=200)], filters=[strip]
    )
    kind = ChoiceField("Kind", choices=wording.CHARGE_KINDS, default="other")
    amount = AmountField("Amount", [InputRequired("How much?"), NOT_NEGATIVE])
    recurrence = ChoiceField("Charged", choices=wording.RECURRENCES[:2], default="period")
    tax_rate = RateField()
    gross = BooleanField("The amount holds the tax")
    first_day = DayField("From", [Optional()])
    last_day = DayField("To", [Optional()])


class SignersForm(Form):
    """Who signs: rows of tenants that grow as needed."""

    tenants = FieldList(FormField(TenantPart), "Tenant", max_entries=MAX_ROWS)

    @property
    def signers(self) -> tuple[Signer, ...]:
        """Who was chosen or typed, once it is valid."""
        return tuple(signer_of(part) for part in self.tenants)

    def refuse(self, error: Refused) -> None:
        """Show a refusal beside its field, also in a row ("tenants-0-email")."""
        row, _, rest = (error.field or "").partition("-")
        place, _, name = rest.partition("-")
        if name and place.isdecimal():
            field = self[row][int(place)][name]
            field.errors = [*field.errors, error.message]
            self[row].errors = [*self[row].errors, {name: [error.message]}]
            return
        known = {"due_rule": "due_number"}.get(row, row)
        super().refuse(Refused(error.message, known if known in SIMPLE else None))


class JoiningForm(SignersForm):
    """Tenants who join a lease, and from when."""

    joined_on = DayField("First day on the lease", [InputRequired("From which day?")])


class LeaseForm(SignersForm):
    """All that a lease says; rows of tenants and charges grow as needed."""

    unit_id = HiddenField("Unit")
    first_day = DayField("First day", [InputRequired("When does it begin?")])
    last_day = DayField("Last day", [Optional()])
    rent = AmountField(
        "Rent", [InputRequired("How much for one period? 0 for rent-free."), NOT_NEGATIVE]
    )
    rent_tax_rate = RateField("Tax on the rent")
    rent_gross = BooleanField("The rent holds the tax")
    frequency = ChoiceField("Frequency", choices=wording.FREQUENCIES, default="monthly")
    periods = ChoiceField("Periods", choices=wording.PERIODS, default="calendar")
    timing = ChoiceField("Paid", choices=wording.TIMINGS)
    due_number = WholeField("Due on the", [InputRequired("Which day?"), NumberRange(1, 31)])
    due_kind = ChoiceField("Counted as", choices=wording.DUE_KINDS)
    due_month = ChoiceField("In", choices=wording.DUE_MONTHS)
    lead_days = WholeField("Issued, days before due", [InputRequired(), NumberRange(0, 90)])
    proration = ChoiceField("Part-periods are reckoned", choices=wording.PRORATIONS)
    holding_over = ChoiceField("After the agreed last day", choices=wording.HOLDING_OVER)
    deposit = AmountField("Deposit agreed", [Optional(), NOT_NEGATIVE])
    reference = StringField("Reference", [Length(max=40)], filters=[strip])
    notes = TextAreaField("Notes", [Length(max=5000)], filters=[strip])
    charges = FieldList(FormField(ChargePart), "Charge", max_entries=MAX_ROWS)

    def offer_rates(
        self, rates: Sequence[tuple[int, str]], retired: Sequence[tuple[int, str]]
    ) -> None:
        """Let the tax fields choose from these rates; a retired one that a draft has stays."""
        fields = [self.rent_tax_rate, *(part.tax_rate for part in self.charges)]
        for field in fields:
            kept = [one for one in retired if one[0] == field.data and one[0] not in dict(rates)]
            field.choices = [(0, "No tax"), *rates, *kept[:1]]

    @property
    def due_rule(self) -> str:
        """The due rule of the three fields, as it is kept."""
        month = f":{self.due_month.data}" if self.due_month.data else ""
        return f"{self.due_kind.data}:{self.due_number.data}{month}"

    def agreement(self) -> Agreement:
        """What was typed, once it is valid."""
        first_day = self.first_day.data
        assert first_day is not None
        return Agreement(
            unit_id=id_of(str(self.unit_id.data or "")) or 0,
            signers=self.signers,
            first_day=first_day,
            last_day=self.last_day.data,
            rent=self.rent.data,
            rent_tax_rate=self.rent_tax_rate.data,
            rent_gross=self.rent_gross.data,
            frequency=self.frequency.data,
            periods=self.periods.data,
            timing=self.timing.data,
            due_rule=self.due_rule,
            lead_days=self.lead_days.data or 0,
            proration=self.proration.data,
            holding_over=self.holding_over.data,
            deposit=self.deposit.data or 0,
            reference=self.reference.data or "",
            notes=self.notes.data or "",
            charges=tuple(charge_of(part, first_day) for part in self.charges),
        )


SIMPLE = frozenset(
    "first_day last_day rent frequency periods timing due_number lead_days proration holding_over"
    " deposit reference notes joined_on".split()
)


def signer_of(part: Any) -> Signer:
    """A row of the tenants as who signs."""
    if part.form.chosen is not None:
        return Signer(tenant_id=part.form.chosen)
    return Signer(
        name=part.form.name.data,
        kind=part.form.kind.data,
        email=part.form.email.data,
        phone=part.form.phone.data,
    )


def charge_of(part: Any, lease_first_day: Any) -> NewCharge:
    """A row of the charges; without a first day it begins with the lease."""
    form = getattr(part, "form", part)
    return NewCharge(
        kind=form.kind.data,
        description=form.description.data,
        amount=form.amount.data,
        first_day=form.first_day.data or lease_first_day,
        last_day=form.last_day.data,
        tax_rate=form.tax_rate.data,
        gross=form.gross.data,
        recurrence=form.recurrence.data,
    )


def due_fields(due_rule: str) -> dict[str, Any]:
    """A due rule as the values of its three fields."""
    rule = DueRule.parse(due_rule)
    return {
        "due_kind": "workday" if rule.working_day else "day",
        "due_number": rule.n,
        "due_month": {-1: "before", 0: "", 1: "after"}[rule.shift],
    }


class StandingTermsForm(EditForm):
    """What may be changed of an active lease without touching what was issued."""

    last_day = DayField("Agreed last day", [Optional()])
    reference = StringField("Reference", [DataRequired(), Length(max=40)], filters=[strip])
    due_number = WholeField("Due on the", [InputRequired("Which day?"), NumberRange(1, 31)])
    due_kind = ChoiceField("Counted as", choices=wording.DUE_KINDS)
    due_month = ChoiceField("In", choices=wording.DUE_MONTHS)
    lead_days = WholeField("Issued, days before due", [InputRequired(), NumberRange(0, 90)])
    holding_over = ChoiceField("After the agreed last day", choices=wording.HOLDING_OVER)
    deposit = AmountField("Deposit agreed", [Optional(), NOT_NEGATIVE])
    notes = TextAreaField("Notes", [Length(max=5000)], filters=[strip])

    due_rule = LeaseForm.due_rule


class RentForm(Form):
    """A new rent from a day on."""

    amount = AmountField("New rent", [InputRequired("How much for one period?"), NOT_NEGATIVE])
    effective_from = DayField("From", [InputRequired("From which day?")])
    change = ChoiceField(
        "In the middle of a period",
        choices=(("split", "Split that period by days"), ("defer", "Wait for the next period")),
    )
    tax_rate = RateField("Tax on the rent")
    gross = BooleanField("The rent holds the tax")


class RentFreeForm(Form):
    """Days without rent, both inclusive."""

    first_day = DayField("From", [InputRequired("From which day?")])
    last_day = DayField("To", [InputRequired("To which day?")])


class RenewalForm(Form):
    """How a lease goes on beyond its agreed last day."""

    last_day = DayField("New last day", [Optional()])
    rent = AmountField("New rent", [Optional(), NOT_NEGATIVE])
    rent_from = DayField("From", [Optional()])
    with_charges = BooleanField("Charges that end with the lease go on too", default=True)


class ChargeForm(Form):
    """A charge added to a lease."""

    description = StringField(
        "What for", [DataRequired("Say what it is for."), Length(max=200)], filters=[strip]
    )
    kind = ChoiceField("Kind", choices=wording.CHARGE_KINDS, default="other")
    amount = AmountField("Amount", [InputRequired("How much?"), NOT_NEGATIVE])
    recurrence = ChoiceField("Charged", choices=wording.RECURRENCES, default="period")
    first_day = DayField("From", [InputRequired("From which day?")])
    last_day = DayField("To", [Optional()])
    tax_rate = RateField()
    gross = BooleanField("The amount holds the tax")


class ChargeEndForm(Form):
    """The last day of a charge."""

    last_day = DayField("Last day", [InputRequired("Its last day?")])


class LeavingForm(Form):
    """The last day of a tenant on a lease."""

    tenant_id = IntegerField(widget=HiddenInput(), validators=[InputRequired()])
    left_on = DayField("Last day on the lease", [InputRequired("Their last day?")])
