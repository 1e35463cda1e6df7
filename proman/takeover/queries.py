"""Reads what an import must know of the organization, its drafts, and the imports made so far."""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Table, bindparam, func, select

from proman.base.errors import NotThere
from proman.db import db
from proman.identity.models import Organization, User
from proman.identity.queries import the_organization
from proman.leases.models import Lease
from proman.properties.models import Property, Unit
from proman.takeover.models import Import, ImportDraft, ImportMapping
from proman.takeover.plan import Existing, Setting
from proman.takeover.sheets import Sheet
from proman.tenants.models import Tenant

_p: Table = Property.__table__  # type: ignore[assignment]
_u: Table = Unit.__table__  # type: ignore[assignment]
_t: Table = Tenant.__table__  # type: ignore[assignment]
_l: Table = Lease.__table__  # type: ignore[assignment]
_i: Table = Import.__table__  # type: ignore[assignment]
_users: Table = User.__table__  # type: ignore[assignment]

_PROPERTIES = select(_p.c.id, _p.c.name).where(_p.c.organization_id == bindparam("organization_id"))
_UNITS = (
    select(_u.c.id, _p.c.name, _u.c.label)
    .join(_p, _p.c.id == _u.c.property_id)
    .where(_u.c.organization_id == bindparam("organization_id"))
)
_TENANTS = select(_t.c.id, _t.c.email, _t.c.name).where(
    _t.c.organization_id == bindparam("organization_id"), _t.c.email.is_not(None)
)
_REFERENCES = select(_l.c.reference).where(_l.c.organization_id == bindparam("organization_id"))
_OCCUPIED = (
    select(
        _p.c.name,
        _u.c.label,
        _l.c.first_day,
        func.coalesce(_l.c.ended_on, _l.c.last_day).label("last_day"),
    )
    .join(_u, _u.c.id == _l.c.unit_id)
    .join(_p, _p.c.id == _u.c.property_id)
    .where(_l.c.organization_id == bindparam("organization_id"), _l.c.status != "draft")
)
_IMPORTS = (
    select(
        _i.c.id,
        _i.c.file_name,
        _i.c.cut_over,
        _i.c.created,
        _i.c.imported_at,
        _i.c.undone_at,
        _users.c.name.label("imported_by"),
    )
    .outerjoin(_users, _users.c.id == _i.c.imported_by)
    .where(_i.c.organization_id == bindparam("organization_id"))
    .order_by(_i.c.id.desc())
    .limit(200)
)


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of what is there already, by casefolded names, labels and e-mails."""

    properties: dict[str, int]
    units: dict[tuple[str, str], int]
    tenants: dict[str, int]
    references: frozenset[str]


def _own_organization() -> Organization:
    return the_organization(int(db.session.info["organization_id"]))


def setting_of_today() -> Setting:
    """The organization's currency, manners and everything that a file could run into."""
    organization = _own_organization()
    occupied: dict[tuple[str, str], list[tuple[date, date]]] = {}
    for name, label, first, last in db.session.execute(_OCCUPIED):
        key = (name.casefold(), label.casefold())
        occupied.setdefault(key, []).append((first, last or date.max))
    existing = Existing(
        properties={name.casefold(): name for _, name in db.session.execute(_PROPERTIES)},
        units=frozenset(
            (name.casefold(), label.casefold()) for _, name, label in db.session.execute(_UNITS)
        ),
        tenants={email: name for _, email, name in db.session.execute(_TENANTS)},
        references=frozenset(db.session.scalars(_REFERENCES)),
        occupied=occupied,
    )
    return Setting(
        currency=organization.currency,
        country=organization.country,
        area_unit=organization.area_unit,
        due_rule=organization.due_rule,
        timing=organization.timing,
        existing=existing,
    )


def ids_of_today() -> Ids:
    """The ids of properties, units and tenants that an import joins to."""
    return Ids(
        properties={name.casefold(): key for key, name in db.session.execute(_PROPERTIES)},
        units={
            (name.casefold(), label.casefold()): key
            for key, name, label in db.session.execute(_UNITS)
        },
        tenants={email: key for key, email, _ in db.session.execute(_TENANTS)},
        references=frozenset(db.session.scalars(_REFERENCES)),
    )


def draft(draft_id: int) -> ImportDraft:
    """An upload that waits to be imported. Raises NotThere."""
    found = db.session.scalars(select(ImportDraft).where(ImportDraft.id == draft_id)).one_or_none()
    if found is None:
        raise NotThere("This upload is gone: it was imported or given up. Upload the file again.")
    return found


def drafts() -> list[Any]:
    """Uploads that wait, newest first, without their content."""
    statement = select(ImportDraft.id, ImportDraft.file_name, ImportDraft.uploaded_at)
    return list(db.session.execute(statement.order_by(ImportDraft.id.desc()).limit(20)))


def header_hash(sheet: Sheet) -> str:
    """What makes two files ones of the same make: their headings, in their order."""
    return hashlib.sha256("\x1f".join(sheet.header).encode()).hexdigest()


def kept_mapping(header_hash: str) -> ImportMapping | None:
    """The mapping that was confirmed for files with this header."""
    statement = select(ImportMapping).where(ImportMapping.header_hash == header_hash)
    return db.session.scalars(statement).one_or_none()


def imports() -> list[Any]:
    """The imports made so far, newest first, with who made them."""
    return list(db.session.execute(_IMPORTS))


def the_import(import_id: int) -> Import:
    """One import. Raises NotThere."""
    found = db.session.scalars(select(Import).where(Import.id == import_id)).one_or_none()
    if found is None:
        raise NotThere("This import does not exist.")
    return found
