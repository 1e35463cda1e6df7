"""Owns the fields that ProMan's forms share: amounts, rates, days, and errors told beside them."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import NumberRange, ValidationError

from proman.base.errors import Refused
from proman.base.money import decimal_string, parse_amount
from proman.identity.session import current_organization

NOT_NEGATIVE = NumberRange(min=0, message="This cannot be less than nil.")
_TURNING = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""Characters that nobody sees and that turn the letters of a whole line around."""


class Form(FlaskForm):
    """A form whose refusals by a verb land beside the field they belong to."""

    def values(self) -> dict[str, Any]:
        """What was typed, by name of the field, without the token."""
        return {key: value for key, value in self.data.items() if key != "csrf_token"}

    def validate(self, extra_validators: Any = None) -> bool:
        """As the fields say; and no text holds what a database or a page cannot write."""
        is_valid = bool(super().validate(extra_validators))
        for field in self:
            if field.process_errors:
                # What could not be read is neither missing nor too small.
                field.errors = list(field.process_errors)
            if isinstance(field.data, str) and "\x00" in field.data:
                field.errors = [*field.errors, "This holds a character that cannot be written."]
                is_valid = False
        return is_valid

    def refuse(self, error: Refused) -> None:
        """Show a refusal beside its field, or at the head of the form."""
        field = self._fields.get(error.field) if error.field else None
        if field is None:
            self.form_errors.append(error.message)
        else:
            field.errors = [*field.errors, error.message]


class AmountField(StringField):
    """An amount as typed; `data` is whole minor units of `currency`, or None when empty.

    Without a currency it is that of the organization at work.
    """

    def __init__(
        self, label: str = "", validators: Any = None, currency: str = "", **kw: Any
    ) -> None:
        self.currency = currency or current_organization().currency
        super().__init__(label, validators, **kw)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        if self.data is None:
            return ""
        return decimal_string(int(self.data), self.currency)

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0]).strip() if valuelist else ""
        self.data: Any = None
        if not text:
            return
        try:
            self.data = parse_amount(text, self.currency).minor
        except Refused as error:
            raise ValueError(error.message) from error


class ScaledField(StringField):
    """A decimal as typed, kept as a whole number: 1.5 with one of `places` is 15.

    Where it can be `thousands`, "1,234" is refused as amounts refuse it; a rate never is.
    """

    def __init__(
        self,
        label: str = "",
        validators: Any = None,
        places: int = 2,
        *,
        thousands: bool = False,
        **kw: Any,
    ) -> None:
        super().__init__(label, validators, **kw)
        self.places, self.thousands = places, thousands

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        if self.data is None:
            return ""
        whole, part = divmod(int(self.data), 10**self.places)
        digits = f"{part:0{self.places}d}".rstrip("0")
        return f"{whole}.{digits}" if digits else str(whole)

    def process_formdata(self, valuelist: list[Any]) -> None:
        typed = str(valuelist[0]).strip() if valuelist else ""
        self.data: Any = None
        if not typed:
            return
        if self.thousands and re.fullmatch(r"[1-9]\d{0,2},\d{3}", typed):
            plain = typed.replace(",", "."), typed.replace(",", "")
            raise ValueError(f"“{typed}” can be read in two ways. Write {plain[0]} or {plain[1]}.")
        text = typed.replace(",", ".")
        whole, _, part = text.partition(".")
        if not (whole + part).isdecimal() or len(part) > self.places or len(whole) > 9:
            raise ValueError(f"Write a number with at most {self.places} decimals, such as 12.5.")
        self.data = int(whole or 0) * 10**self.places + int(part.ljust(self.places, "0") or 0)


class DayField(DateField):
    """A date by the browser's own picker (ISO in the request)."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        if not valuelist or not str(valuelist[0]).strip():
            self.data: date | None = None
            return
        try:
            self.data = date.fromisoformat(str(valuelist[0]).strip())
        except ValueError as error:
            raise ValueError("Write a date as year-month-day, such as 2026-03-17.") from error
        if not 1900 <= self.data.year <= 2200:
            raise ValueError("Write a year from 1900 to 2200.")


class ChoiceField(SelectField):
    """A choice out of (value, words) pairs; anything else is refused."""

    def __init__(
        self,
        label: str = "",
        validators: Any = None,
        choices: Iterable[tuple[str, str]] = (),
        **kw: Any,
    ) -> None:
        super().__init__(label, validators, choices=as_choices(choices), **kw)

    def pre_validate(self, form: Any) -> None:
        try:
            super().pre_validate(form)
        except (ValidationError, ValueError) as error:
            raise ValidationError("Choose one of the list.") from error


def as_choices(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """(value, words) pairs as WTForms takes them; also for choices known only in the view."""
    return [SelectChoice(value=value, label=words) for value, words in pairs]


def strip(text: str | None) -> str:
    """Typed text without blanks at its ends and marks of direction; a filter for text fields."""
    return (text or "").translate(_TURNING).strip()


def lower(text: str | None) -> str:
    """Typed text without blanks at its ends, in lower case; a filter for e-mail addresses."""
    return strip(text).lower()


def none_if_empty(text: str | None) -> str | None:
    """None for an empty text; a filter for columns that are unique where given."""
    return strip(text) or None
