"""Owns `flask users …` and `flask organizations …`, for the operator who is locked out."""

import click
from flask import current_app

from proman.base.commands import CommandGroup
from proman.base.errors import NotThere, Refused
from proman.database.readiness import on_ready_database
from proman.db import begin_write, db, utc_now
from proman.identity.actions import Link, invite, make_link
from proman.identity.installation import NewOrganization, create_organization
from proman.identity.models import Organization
from proman.identity.places import usual_currency, usual_time_zone
from proman.identity.queries import account_of, organizations, the_user
from proman.identity.rules import INVITATION_DAYS, RESET_HOURS
from proman.identity.session import acting_for
from proman.settings import Settings


@click.group("users", cls=CommandGroup)
def users() -> None:
    """The logins of this installation."""


@users.command("create-admin")
@click.argument("email")
@click.option("--name", default="Administrator", show_default=True)
@click.option("--organization", "wanted", help="Its name, where there are several.")
@on_ready_database
def create_admin(email: str, name: str, wanted: str | None) -> None:
    """Make one more administrator and operator; prints a link to choose the password."""
    with acting_for(_organization(wanted).id):
        begin_write()
        link = invite(email, name, "administrator", now=utc_now(), is_operator=True)
        _print_and_commit(link, f"{INVITATION_DAYS} days")


@users.command("reset-password")
@click.argument("email")
@on_ready_database
def reset_password(email: str) -> None:
    """Print a link that lets a person choose a new password."""
    account = account_of(email)
    if account is None:
        raise NotThere(f"Nobody signs in as {email}.")
    with acting_for(account.organization_id):
        begin_write()
        link = make_link(the_user(account.id), "reset", now=utc_now())
        _print_and_commit(link, f"{RESET_HOURS} hours")


def _print_and_commit(link: Link, lifetime: str) -> None:
    settings: Settings = current_app.extensions["proman_settings"]
    base = settings.public_url or f"http://{settings.host}:{settings.port}"
    address, email = f"{base}{link.path}", link.user.email
    db.session.commit()
    click.echo(f"This link lets {email} choose a password. It works once, for {lifetime}:")
    click.echo(address)


def _organization(name: str | None) -> Organization:
    found = organizations()
    if not found:
        raise Refused("There is no organization yet; run: flask organizations create")
    if name is None and len(found) > 1:
        known = ", ".join(one.name for one in found)
        raise Refused(f"There are several organizations; choose with --organization: {known}.")
    for one in found:
        if name is None or one.name == name:
            return one
    raise NotThere(f"There is no organization named {name}.")


@click.group("organizations", cls=CommandGroup)
def organizations_group() -> None:
    """The organizations of this installation."""


@organizations_group.command("create")
@click.argument("name")
@click.option("--country", required=True, help="Two letters, such as DE.")
@click.option("--region", default="", help="A region with holidays of its own, such as BY.")
@click.option("--currency", help="Three letters, such as EUR; default: the country's.")
@click.option("--time-zone", help="Such as Europe/Berlin; default: most people's there.")
@on_ready_database
def create(
    name: str, country: str, region: str, currency: str | None, time_zone: str | None
) -> None:
    """One more organization in this installation."""
    country = country.upper()
    new = NewOrganization(
        name=name.strip(),
        country=country,
        region=region.upper(),
        currency=(currency or usual_currency(country)).upper(),
        time_zone=time_zone or usual_time_zone(country),
    )
    begin_write()
    organization = create_organization(new, now=utc_now())
    number, shown = organization.id, organization.name
    db.session.commit()
    click.echo(f"{shown} is organization {number}. Its first administrator:")
    click.echo(f"  flask users create-admin EMAIL --organization '{shown}'")
