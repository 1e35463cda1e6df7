"""What a manager types of a property and of a unit."""

from typing import Any

from wtforms import BooleanField, IntegerField, StringField, TextAreaField
from wtforms.validators import (
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)

from proman.identity import places
from proman.properties.actions import UNIT_VALUES
from proman.web.editing import EditForm
from proman.web.forms import NOT_NEGATIVE, AmountField, ChoiceField, ScaledField, strip

TYPES = (
    ("apartments", "Apartments"),
    ("house", "Single house"),
    ("commercial", "Commercial"),
    ("mixed", "Mixed use"),
    ("parking", "Parking"),
    ("other", "Other"),
)


def upper(text: str | None) -> str:
    """Typed text in capitals; a filter for country codes."""
    return strip(text).upper()


class PropertyForm(EditForm):
    """A property: name, type, address; of one that is let as a whole also what it offers."""

    name = StringField("Name", [DataRequired("Give it a name."), Length(max=200)], filters=[strip])
    type = ChoiceField("Type", choices=TYPES)
    is_single_unit = BooleanField("It is let as a whole, to one household or business")
    street = StringField("Street and number", [Length(max=200)], filters=[strip])
    postal_code = StringField("Postal code", [Length(max=20)], filters=[strip])
    city = StringField("City", [Length(max=100)], filters=[strip])
    country = StringField(
        "Country",
        [InputRequired("Two letters, such as DE."), Length(2, 2, "Two letters, such as DE.")],
        filters=[upper],
    )
    region = StringField("Region", filters=[strip])
    notes = TextAreaField("Notes", [Length(max=5000)], filters=[strip])
    bedrooms = IntegerField("Bedrooms", [Optional(), NumberRange(0, 99)])
    bathrooms = ScaledField("Bathrooms", [Optional()], places=1)
    area = ScaledField("Area", [Optional()], places=2)
    market_rent = AmountField("Market rent", [Optional(), NOT_NEGATIVE])

    def validate_country(self, field: StringField) -> None:
        """Its holidays decide when rent is due: it must be one that is."""
        if field.data not in dict(places.countries()):
            raise ValidationError("There is no such country. Two letters, such as DE.")

    def validate_region(self, field: StringField) -> None:
        """A code or a name of a region of the country; the code is kept."""
        if not field.data:
            return
        country = self.country.data or ""
        code = places.region_code(country, field.data)
        if code is None:
            known = ", ".join(f"{code} ({name})" for code, name in places.regions(country))
            raise ValidationError(
                f"The regions with holidays of their own are {known}."
                if known
                else "This country has no regions with holidays of their own: leave it empty."
            )
        field.data = code

    def parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What was typed of the property, and of its only unit."""
        values = self.values()
        unit = {key: values.pop(key) for key in UNIT_VALUES if key in values}
        return values, unit


class UnitForm(EditForm):
    """A unit: what can be let by itself."""

    label = StringField(
        "Label", [DataRequired("How do you call it?"), Length(max=60)], filters=[strip]
    )
    location = StringField("Where in the building", [Length(max=100)], filters=[strip])
    bedrooms = IntegerField("Bedrooms", [Optional(), NumberRange(0, 99)])
    bathrooms = ScaledField("Bathrooms", [Optional()], places=1)
    area = ScaledField("Area", [Optional()], places=2)
    market_rent = AmountField("Market rent", [Optional(), NOT_NEGATIVE])
    notes = TextAreaField("Notes", [Length(max=5000)], filters=[strip])
