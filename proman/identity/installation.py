"""Owns the beginning: the code of a first visit, the first administrator, organizations."""

import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

from sqlalchemy import select
from werkzeug.datastructures import Headers

from proman.base.errors import Refused
from proman.base.private import open_private
from proman.db import db
from proman.identity import places
from proman.identity.models import Organization, User
from proman.identity.queries import account_of, is_set_up

FORWARDING = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")
THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "[::1]"})
IMPERIAL = frozenset({"US", "LR", "MM"})


@dataclass(frozen=True, slots=True)
class NewOrganization:
    """What must be known of a business before anything else."""

    name: str
    country: str
    currency: str
    time_zone: str
    region: str = ""


def create_organization(new: NewOrganization, *, now: datetime) -> Organization:
    """One more organization, with the manner of dates and numbers of its country.

    Raises Refused with the field's name for a country, region, currency or time zone that does
    not exist, and for a name that is empty or taken.
    """
    if not new.name.strip():
        raise Refused("Give the organization a name.", "name")
    refuse_unknown(new)
    if db.session.scalar(select(Organization.id).where(Organization.name == new.name)):
        raise Refused("There is an organization of this name already.", "name")
    organization = Organization(
        name=new.name,
        country=new.country,
        region=new.region,
        currency=new.currency,
        time_zone=new.time_zone,
        locale=places.usual_locale(new.country),
        area_unit="sqft" if new.country in IMPERIAL else "m2",
        legal_name=new.name,
        created_at=now,
    )
    db.session.add(organization)
    db.session.flush()
    return organization


@dataclass(frozen=True, slots=True)
class FirstPerson:
    """Who sets an installation up."""

    name: str
    email: str
    password_hash: str


def set_up(new: NewOrganization, who: FirstPerson, *, now: datetime) -> User:
    """The first organization and its first administrator, who is the operator too.

    Raises Refused when somebody else was faster.
    """
    refuse_second_setup()
    return add_first_administrator(create_organization(new, now=now).id, who, now=now)


def refuse_second_setup() -> None:
    """Raises Refused once there is anybody who could sign in."""
    if is_set_up():
        raise Refused("ProMan is set up already; sign in.")


def add_first_administrator(organization_id: int, who: FirstPerson, *, now: datetime) -> User:
    """An administrator and operator with a password; raises Refused for an e-mail that is taken."""
    if account_of(who.email) is not None:
        raise Refused("This e-mail belongs to the demonstration; use your own.", "email")
    user = User(
        organization_id=organization_id,
        email=who.email.strip().lower(),
        name=who.name,
        role="administrator",
        is_operator=True,
        password_hash=who.password_hash,
        created_at=now,
    )
    db.session.add(user)
    db.session.flush()
    return user


def refuse_unknown(new: NewOrganization) -> None:
    """Refuse codes that do not exist, each with an example."""
    if new.country not in dict(places.countries()):
        raise Refused("Give the country by its two letters, such as DE or US.", "country")
    if new.region and new.region not in dict(places.regions(new.country)):
        known = ", ".join(code for code, _ in places.regions(new.country)) or "none"
        raise Refused(f"The regions with holidays of their own are: {known}.", "region")
    if new.currency not in dict(places.currencies()):
        raise Refused("Give the currency by its three letters, such as EUR.", "currency")
    if not places.is_time_zone(new.time_zone):
        raise Refused("Give a time zone such as Europe/Berlin.", "time_zone")


def setup_code(data_dir: Path) -> str:
    """The code that a first visit from another machine must give; made once, private."""
    path = data_dir / "setup.code"
    try:
        descriptor = open_private(path, os.O_WRONLY | os.O_EXCL)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    code = "-".join(f"{secrets.randbelow(10_000):04d}" for _ in range(3))
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(code)
    return code


def is_setup_code(data_dir: Path, typed: str) -> bool:
    """Whether this is the code that the start printed; blanks and dashes do not matter."""
    digits = "".join(filter(str.isdecimal, typed))
    return secrets.compare_digest(digits, setup_code(data_dir).replace("-", ""))


def forget_setup_code(data_dir: Path) -> None:
    """Once set up, the code is of no use."""
    (data_dir / "setup.code").unlink(missing_ok=True)


def is_this_machine(address: str | None, host: str, headers: Headers) -> bool:
    """Whether a request comes from the machine that serves it, as far as can be known for sure.

    A loopback address is not enough: a proxy on this machine has one for everybody's requests, and
    a page elsewhere may have pointed its name at 127.0.0.1.
    """
    if any(headers.get(name) for name in FORWARDING):
        return False
    name = host.lower() if host.endswith("]") else host.lower().rsplit(":", 1)[0]
    try:
        return ip_address(address or "").is_loopback and name in THIS_MACHINE
    except ValueError:
        return False
