"""Owns the shape of what an issued document keeps of its day: who issued it and who received it."""

from collections.abc import Sequence
from typing import Protocol, TypedDict


class Issuer(TypedDict):
    """`invoices.issuer`: the organization on the day of issue; `logo_id` is its logo's row."""

    name: str
    legal_name: str
    street: str
    postal_code: str
    city: str
    country: str
    email: str
    phone: str
    website: str
    tax_number: str
    footer: str
    bank_name: str
    bank_account_holder: str
    bank_account: str
    bank_code: str
    locale: str
    logo_id: int | None


class Recipient(TypedDict):
    """`invoices.recipient`: the tenants on the day of issue, and what they rent."""

    names: list[str]
    street: str
    postal_code: str
    city: str
    country: str
    tax_number: str
    property_name: str
    unit_label: str
    lease_reference: str


class Addressed(Protocol):
    """What has a postal address: a tenant, a property, a row with the same columns."""

    @property
    def street(self) -> str: ...
    @property
    def postal_code(self) -> str: ...
    @property
    def city(self) -> str: ...
    @property
    def country(self) -> str: ...


class Letting(Addressed, Protocol):
    """The organization as its letterhead, bank and footer show it."""

    @property
    def name(self) -> str: ...
    @property
    def legal_name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def phone(self) -> str: ...
    @property
    def website(self) -> str: ...
    @property
    def tax_number(self) -> str: ...
    @property
    def footer(self) -> str: ...
    @property
    def bank_name(self) -> str: ...
    @property
    def bank_account_holder(self) -> str: ...
    @property
    def bank_account(self) -> str: ...
    @property
    def bank_code(self) -> str: ...
    @property
    def locale(self) -> str: ...


def issuer_snapshot(organization: Letting, logo_id: int | None) -> Issuer:
    """The organization as it is now; `logo_id` is its newest logo, or None."""
    return Issuer(
        name=organization.name,
        legal_name=organization.legal_name,
        street=organization.street,
        postal_code=organization.postal_code,
        city=organization.city,
        country=organization.country,
        email=organization.email,
        phone=organization.phone,
        website=organization.website,
        tax_number=organization.tax_number,
        footer=organization.footer,
        bank_name=organization.bank_name,
        bank_account_holder=organization.bank_account_holder,
        bank_account=organization.bank_account,
        bank_code=organization.bank_code,
        locale=organization.locale,
        logo_id=logo_id,
    )


def recipient_snapshot(
    names: Sequence[str],
    tenant: Addressed,
    let: Addressed,
    *,
    property_name: str,
    unit_label: str,
    lease_reference: str,
    tax_number: str = "",
) -> Recipient:
    """All tenants by name; written to the first one's own address, else to what is let.

    `let` is the property; `unit_label` is empty where a property has but one unit.
    """
    address = tenant if tenant.street or tenant.city else let
    return Recipient(
        names=list(names),
        street=address.street,
        postal_code=address.postal_code,
        city=address.city,
        country=address.country,
        tax_number=tax_number,
        property_name=property_name,
        unit_label=unit_label,
        lease_reference=lease_reference,
    )
