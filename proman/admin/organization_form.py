"""Owns what is typed about the organization: letterhead, bank, manner, rules, tax rates, logo."""

import re
from typing import Any

from flask_wtf.file import FileField
from wtforms import EmailField, IntegerField, StringField, TextAreaField
from wtforms.validators import (
    DataRequired,
    Email,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    Regexp,
    ValidationError,
)

from proman.base.errors import Refused
from proman.identity import places
from proman.identity.models import Organization
from proman.identity.rules import refuse_unusable_pattern
from proman.leases.rules import DueRule
from proman.web.formats import LOCALES
from proman.web.forms import ChoiceField, Form, ScaledField, strip

DUE_KINDS = [("day", "Day of the month"), ("workday", "Working day of the month")]
DUE_MONTHS = [
    ("before", "The month before the period begins"),
    ("", "The month in which the period begins"),
    ("after", "The month after the period begins"),
]
TIMINGS = [("advance", "In advance"), ("arrears", "In arrears")]
PRORATIONS = [
    ("actual", "Actual days of the period (17–31 March of 1,000: × 15/31 = 483.87)"),
    ("fixed_30", "Months of 30 days (× 15/30 = 500.00)"),
    ("days_365", "Yearly amount over 365 days (12,000 × 15/365 = 493.15)"),
    ("none", "None: a part-period costs as much as a whole one"),
]
HOLDING_OVER = [
    ("continue", "Bill on until the lease is ended or the next one begins"),
    ("stop", "Stop at the agreed last day"),
]
PATTERNS = ("invoice_pattern", "credit_note_pattern", "deposit_request_pattern")


WEBSITE = re.compile(r"(https?://)?[\w.-]+\.[\w-]{2,}(:\d+)?([/?#]\S*)?$", re.IGNORECASE)
NO_WEBSITE = "Write an address such as www.example.com."


def _text(label: str, longest: int) -> StringField:
    return StringField(label, [Length(max=longest)], [strip])


class OrganizationForm(Form):
    """Letterhead, contact, bank details, and the manner of dates and numbers."""

    name = StringField("Name", [DataRequired("Enter a name."), Length(max=200)], [strip])
    legal_name = _text("Legal name", 200)
    street = _text("Street and number", 200)
    postal_code = _text("Postal code", 20)
    city = _text("City", 100)
    region = ChoiceField("Region")
    email = EmailField("E-mail", [Optional(), Length(max=254), Email()], [strip])
    phone = _text("Telephone", 50)
    website = StringField(
        "Website", [Optional(), Length(max=200), Regexp(WEBSITE, message=NO_WEBSITE)], [strip]
    )
    tax_number = _text("Tax number", 50)
    footer = TextAreaField("Footer", [Length(max=500)], [strip])
    bank_account_holder = _text("Account holder", 200)
    bank_account = _text("IBAN or account number", 50)
    bank_code = _text("BIC, sort code or routing number", 50)
    bank_name = _text("Bank", 100)
    currency = ChoiceField("Currency", choices=places.currencies())
    time_zone = ChoiceField("Time zone")
    locale = ChoiceField("Dates and numbers", choices=list(LOCALES.items()))
    area_unit = ChoiceField("Areas", choices=[("m2", "Square metres"), ("sqft", "Square feet")])

    fixed_currency = ""

    def offer(self, country: str, fixed_currency: str = "") -> None:
        """Fill the lists for the organization's country; a fixed currency is not asked for.

        Where another is sent all the same, by a page that was open before, it is refused.
        """
        self.region.choices = [("", "The whole country"), *places.regions(country)]
        self.time_zone.choices = places.time_zones(country)
        self.fixed_currency = fixed_currency
        if self.currency.data == fixed_currency:
            del self.currency

    def validate_currency(self, field: ChoiceField) -> None:
        """Amounts that are there would become others."""
        if self.fixed_currency:
            raise ValidationError(
                f"There are amounts in {self.fixed_currency} already, so the currency stays."
            )


class RulesForm(Form):
    """What a new lease begins with, and how documents are numbered."""

    due_kind = ChoiceField("Rent is due on the", choices=DUE_KINDS)
    due_number = IntegerField("Which one", [InputRequired("Enter a number.")])
    due_month = ChoiceField("In", choices=DUE_MONTHS)
    timing = ChoiceField("A period is paid", choices=TIMINGS)
    lead_days = IntegerField(
        "Days before the due date to issue", [InputRequired(), NumberRange(0, 90, "0 to 90 days.")]
    )
    proration = ChoiceField("Part-periods", choices=PRORATIONS)
    holding_over = ChoiceField("After the agreed last day", choices=HOLDING_OVER)
    deposit_return_days = IntegerField(
        "Days to return a deposit", [InputRequired(), NumberRange(0, 365, "0 to 365 days.")]
    )
    invoice_pattern = StringField("Invoices", [DataRequired(), Length(max=60)], [strip])
    credit_note_pattern = StringField("Credit notes", [DataRequired(), Length(max=60)], [strip])
    deposit_request_pattern = StringField(
        "Deposit requests", [DataRequired(), Length(max=60)], [strip]
    )

    @classmethod
    def showing(cls, organization: Organization) -> "RulesForm":
        """The form with the rules as they are."""
        rule = DueRule.parse(organization.due_rule)
        kind = "workday" if rule.working_day else "day"
        month = {-1: "before", 0: "", 1: "after"}[rule.shift]
        return cls(
            formdata=None, obj=organization, due_kind=kind, due_number=rule.n, due_month=month
        )

    def due_rule(self) -> str:
        """The due rule as it is stored. Raises Refused (field `due_number`)."""
        month = f":{self.due_month.data}" if self.due_month.data else ""
        try:
            return str(DueRule.parse(f"{self.due_kind.data}:{self.due_number.data}{month}"))
        except Refused:
            raise Refused("A day is 1 to 31, a working day 1 to 23.", "due_number") from None

    def store_in(self, organization: Organization) -> None:
        """Write the rules. Raises Refused for a due day or a pattern that cannot be used."""
        patterns = [str(self[name].data) for name in PATTERNS]
        for name, pattern in zip(PATTERNS, patterns, strict=True):
            refuse_unusable_pattern(pattern, name)
        if len(set(patterns)) < len(patterns):
            raise Refused("Two kinds of documents would get the same numbers.", PATTERNS[1])
        organization.due_rule = self.due_rule()
        for name in ("timing", "lead_days", "proration", "holding_over", "deposit_return_days"):
            setattr(organization, name, self[name].data)
        for name, pattern in zip(PATTERNS, patterns, strict=True):
            setattr(organization, name, pattern)


class TaxRateForm(Form):
    """A rate of tax; a name such as “Standard rate”."""

    name = StringField("Name", [DataRequired("Give it a name."), Length(max=100)], [strip])
    rate = ScaledField("Per cent", [InputRequired("Enter a rate, such as 19 or 8.875.")], places=3)

    def validate_rate(self, field: Any) -> None:
        """At most 100 per cent."""
        if field.data is not None and field.data > 100_000:
            raise ValidationError("A rate is at most 100 per cent.")


class LogoForm(Form):
    """The picture of the letterhead."""

    logo = FileField("Picture", description="PNG, JPEG or plain SVG, at most 500 kB")
