"""Draws the demonstration's tenants: persons in several scripts, couples, companies."""

from random import Random

from proman.demo.names import (
    COMPANY_FORMS,
    COMPANY_STEMS,
    COMPANY_TRADES,
    LATIN_FAMILY,
    LATIN_GIVEN,
    OTHER_SCRIPTS,
)
from proman.demo.values import DemoTenant

LONG_NAME = (
    "Maximiliana Alexandra Wilhelmina von und zu Hohenstein-Rautenberg, née MacGillycuddy",
    "maximiliana.hohenstein",
)
PORTAL_EMAIL = "tenant@example.com"
SHARE_OTHER_SCRIPTS = 15
"""Per cent of persons whose name is not in Latin letters."""


def draw_person(random: Random, number: int) -> DemoTenant:
    """The `number`-th tenant (from 0) as a person; the number makes the address unique.

    Number 0 is the tenant of the portal's demonstration login; number 7 has a name of more than
    80 characters, because some tenant always has.
    """
    if number == 0:
        return DemoTenant("Niamh Gallagher", PORTAL_EMAIL, _phone(random))
    if number == 7:
        name, plain = LONG_NAME
    elif random.randrange(100) < SHARE_OTHER_SCRIPTS:
        name, plain = random.choice(OTHER_SCRIPTS)
    else:
        given, family = random.choice(LATIN_GIVEN), random.choice(LATIN_FAMILY)
        name, plain = f"{given[0]} {family[0]}", f"{given[1]}.{family[1]}"
    return DemoTenant(name, f"{plain}.{number}@example.net", _phone(random))


def draw_company(random: Random, number: int) -> DemoTenant:
    """The `number`-th tenant as a company with a trade and a legal form."""
    stem, trade = random.choice(COMPANY_STEMS), random.choice(COMPANY_TRADES)
    name = f"{stem} {trade} {random.choice(COMPANY_FORMS)}"
    plain = "".join(letter for letter in stem.lower() if letter.isascii() and letter.isalpha())
    return DemoTenant(name, f"accounts.{plain}.{number}@example.org", _phone(random), True)


def _phone(random: Random) -> str:
    """A number from the range that Ireland's regulator keeps for fiction (020 91x xxxx)."""
    return f"+353 20 91{random.randrange(10)} {random.randrange(10000):04d}"
