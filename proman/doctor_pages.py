"""Which page to open for what the doctor found: that of the record, or of its lease."""

from sqlalchemy import Connection, text

PAGES = {
    "lease": "/leases/{}",
    "unit": "/properties/units/{}",
    "property": "/properties/{}",
    "tenant": "/tenants/{}",
    "invoice": "/invoices/{}",
    "payment": "/payments/{}",
    "expense": "/expenses/{}",
}
_PLURALS = {f"{name}s": page for name, page in PAGES.items()} | {"properties": PAGES["property"]}
_ELSEWHERE = {
    "database": "/admin/database",
    "journal.jsonl": "/admin/database/journal",
    "organization": "/admin/organization",
}
_OWNERS = {
    "entry": "SELECT MAX(lease_id), MAX(property_id) FROM postings WHERE entry_id = :id",
    "posting": "SELECT lease_id, property_id FROM postings WHERE id = :id",
    "allocation": "SELECT lease_id, NULL FROM allocations WHERE id = :id",
    "billed period": "SELECT lease_id, NULL FROM billed_periods WHERE id = :id",
    "adjustment": "SELECT lease_id, NULL FROM adjustments WHERE id = :id",
    "document": "SELECT lease_id, property_id FROM documents WHERE id = :id",
}
"""Records without a page of their own, and how their lease or property is found."""


def page_of(connection: Connection, where: str) -> str:
    """The address within ProMan for a breach at `where`, such as `lease 7`; empty without one."""
    if where.split(" ")[0] in _ELSEWHERE:
        return _ELSEWHERE[where.split(" ")[0]]
    kind, _, key = where.rpartition(" ")
    if not key.isdecimal():
        return ""
    if kind in _OWNERS:
        owners = connection.execute(text(_OWNERS[kind]), {"id": int(key)}).first()
        lease_id, property_id = owners or (None, None)
        if lease_id is not None:
            return PAGES["lease"].format(lease_id)
        return PAGES["property"].format(property_id) if property_id is not None else ""
    page = PAGES.get(kind) or _PLURALS.get(kind, "")
    return page.format(key)
