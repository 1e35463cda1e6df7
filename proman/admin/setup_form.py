"""Owns what is typed on a first visit: the first administrator and organization."""

from wtforms import EmailField, PasswordField, StringField, SubmitField
from wtforms.validators import DataRequired, Length, Optional

from proman.identity import places
from proman.identity.forms import NewPasswordForm, an_email
from proman.identity.installation import NewOrganization
from proman.web.forms import ChoiceField, lower, strip


class SetupForm(NewPasswordForm):
    """The first administrator and the first organization."""

    code = StringField("Code", [Length(max=40)], [strip])
    name = StringField("Your name", [DataRequired("Enter your name."), Length(max=200)], [strip])
    email = EmailField("Your e-mail", an_email, [lower])
    password = PasswordField("Password", [DataRequired("Choose a password.")])
    organization = StringField(
        "Name of the business", [DataRequired("Enter a name."), Length(max=200)], [strip]
    )
    country = ChoiceField("Country")
    region = ChoiceField("Region")
    currency = ChoiceField("Currency", [DataRequired("Choose a currency.")])
    time_zone = ChoiceField("Time zone", [DataRequired("Choose a time zone.")])
    with_demonstration = SubmitField("Look around first")

    def is_good_for(self, email: str, name: str) -> bool:
        """As for any password; a demonstration brings its own business, so none need be named."""
        if self.with_demonstration.data:
            self.organization.validators = [Optional()]
        return super().is_good_for(email, name)

    def offer(self, country: str) -> None:
        """Fill the lists for a country; its usual currency and time zone are chosen already."""
        self.country.choices = places.countries()
        self.region.choices = [("", "The whole country"), *places.regions(country)]
        self.currency.choices = places.currencies()
        self.time_zone.choices = places.time_zones(country)

    @property
    def new_organization(self) -> NewOrganization:
        """The organization as typed."""
        return NewOrganization(
            name=self.organization.data or "",
            country=self.country.data,
            region=self.region.data,
            currency=self.currency.data,
            time_zone=self.time_zone.data,
        )
