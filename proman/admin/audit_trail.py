"""The page of the audit trail: who changed what, when, with the values before and after."""

from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import Row

from proman.admin.queries import CHANGES, colleagues
from proman.schema import metadata
from proman.web.guard import needs
from proman.web.render import render
from proman.web.sheets import sheet_response

blueprint = Blueprint("audit_trail", __name__)
PAGES = {
    "properties": "/properties/{}",
    "tenants": "/tenants/{}",
    "leases": "/leases/{}",
    "invoices": "/invoices/{}",
    "payments": "/payments/{}",
    "users": "/admin/users/{}",
    "organizations": "/admin/organization",
    "tax_rates": "/admin/organization/taxes",
}
BOOKKEEPING = frozenset({"alembic_version", "audit_entries", "access_tokens", "login_failures"})


@blueprint.get("/admin/audit")
@needs("administrator")
def index() -> Response:
    """The newest changes first; filtered by person, kind of record and day."""
    context: dict[str, Any] = {
        "page": CHANGES.page(request.args),
        "colleagues": colleagues(),
        "kinds": kinds_of_record(),
        "changed_values": changed_values,
        "address_of": address_of,
        "word_of": word_of,
    }
    return render("admin/audit/index.html", "admin/audit/_list.html", **context)


@blueprint.get("/admin/audit.<any(csv, xlsx):kind>")
@needs("administrator")
def export(kind: str) -> Response:
    """The whole trail that the filters leave."""
    return sheet_response(CHANGES.columns, CHANGES.every(request.args), kind, "audit")


def kinds_of_record() -> list[tuple[str, str]]:
    """What a change can be about: table names and their words."""
    names = sorted(set(metadata.tables) - BOOKKEEPING)
    return [(name, name.replace("_", " ").capitalize()) for name in names]


def word_of(table: str) -> str:
    """One record of a table in words: `lease_parties` is a lease party."""
    words = table.replace("_", " ")
    return f"{words[:-3]}y" if words.endswith("ies") else words.removesuffix("s")


def changed_values(row: Row[Any]) -> list[tuple[str, Any, Any]]:
    """Each value that the change touched: its name, before, after."""
    before, after = (part if isinstance(part, dict) else {} for part in (row.before, row.after))
    keys = [key for key in {**before, **after} if key not in ("id", "organization_id")]
    return [(key.replace("_", " "), before.get(key), after.get(key)) for key in keys]


def address_of(row: Row[Any]) -> str:
    """The page of what was changed, or nothing where it has none."""
    page = PAGES.get(row.subject_type, "")
    return page.format(row.subject_id) if row.subject_id or "{}" not in page else ""
