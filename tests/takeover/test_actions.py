from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from sqlalchemy import func, select

from proman.base.errors import NotThere, Refused
from proman.billing.actions import run_billing
from proman.billing.models import DepositEvent, Invoice, InvoiceLine
from proman.database.revisions import head_revision
from proman.db import begin_write, db
from proman.doctor import examine
from proman.identity.models import AuditEntry
from proman.identity.session import acting_for
from proman.leases.models import Charge, Lease, LeaseParty, Rent
from proman.ledger.models import Posting
from proman.properties.models import Property, Unit
from proman.takeover.actions import File, dry_run, import_file, start_draft
from proman.takeover.mapfile import write_map
from proman.takeover.mapping import propose
from proman.takeover.models import Import, ImportDraft, ImportMapping, ImportRecord
from proman.takeover.queries import draft, setting_of_today, the_import
from proman.takeover.reading import read_file
from proman.takeover.undo import undo_import, what_rests_on
from proman.tenants.models import Tenant
from tests import factories
from tests.conftest import Cast
from tests.takeover.rolls import HARBOUR, HARBOUR_ANSWERS, LINDENHOF, LINDENHOF_ANSWERS
from tests.takeover.test_views import import_button


def take_over(path: Path, answers: dict[str, str]) -> int:
    """Import a roll and commit; returns the import's id."""
    file = File(path.name, path.read_bytes())
    sheet = read_file(file.content)
    mapping = replace(propose(sheet), **answers)
    made = import_file(file, sheet, mapping, actor=db.session.info["actor"])
    db.session.commit()
    return made.id


def lindenhof() -> int:
    return take_over(LINDENHOF, LINDENHOF_ANSWERS)


def harbour() -> int:
    return take_over(HARBOUR, HARBOUR_ANSWERS)


def counts() -> dict[str, int]:
    """How many rows every table of the business has."""
    kinds = (Property, Unit, Tenant, Lease, LeaseParty, Rent, Charge, Invoice, DepositEvent)
    kinds += (Posting, ImportRecord)
    return {k.__tablename__: db.session.scalar(select(func.count(k.id))) or 0 for k in kinds}


def doctor() -> list[str]:
    """The breaches of every invariant."""
    head = head_revision(Path(current_app.extensions["migrate"].directory))
    with db.engine.connect() as connection:
        return [f"{b.where}: {b.invariant}: {b.what}" for b in examine(connection, head)]


def balance(account: str) -> int:
    """Debits less credits of an account."""
    total = select(func.sum(Posting.debit - Posting.credit)).where(Posting.account == account)
    return db.session.scalar(total) or 0


def test_both_rolls_go_into_two_organizations(cast: Cast, app: Flask) -> None:
    with app.app_context(), acting_for(cast.organization):
        lindenhof()
        assert db.session.scalar(select(func.sum(Rent.amount))) == 1_843_036
        assert db.session.scalar(select(func.sum(Charge.amount))) == 575_944
        assert balance("receivable") == 240_937
        assert balance("deposits_held") == -5_187_544
        assert balance("tenant_credit") == 0
        assert counts()["properties"] == 3
        with pytest.raises(Refused, match="USD"):
            harbour()
    with app.app_context(), acting_for(cast.other_organization):
        harbour()
        assert db.session.scalar(select(func.sum(Rent.amount))) == 6_308_713
        assert balance("receivable") == 1_074_194
        assert balance("tenant_credit") == -175_625
        assert balance("deposits_held") == -6_831_838
        assert balance("opening_balances") == -1_074_194 + 175_625 + 6_831_838
        assert counts()["units"] == 48
        assert doctor() == []


def test_what_is_made_is_right_in_its_details(home: Cast) -> None:
    lindenhof()
    unit = db.session.scalars(
        select(Unit).join(Property).where(Property.name == "Lindenhof 5", Unit.label == "WE 07")
    ).one()
    lease = db.session.scalars(select(Lease).where(Lease.unit_id == unit.id)).one()
    assert (lease.status, lease.cut_over, lease.due_rule, lease.deposit, lease.holding_over) == (
        "active",
        date(2026, 10, 31),
        "workday:3",
        255_153,
        "continue",
    )
    opening = db.session.scalars(select(Invoice).where(Invoice.lease_id == lease.id)).one()
    assert (opening.kind, opening.number, opening.total, opening.open, opening.due_date) == (
        "opening",
        None,
        111_334,
        111_334,
        date(2026, 10, 31),
    )
    assert opening.recipient["names"] == ["Beatriz Kowalski"]
    references = list(db.session.scalars(select(Lease.reference).order_by(Lease.id)))
    assert references[:2] == ["L-00001", "L-00002"]
    assert len(set(references)) == 23


def test_the_mapping_is_kept_for_the_next_time(home: Cast) -> None:
    lindenhof()
    kept = db.session.scalars(select(ImportMapping)).one()
    assert 'balance_sign = "negative_owed"' in kept.mapping


def test_the_same_file_again_is_refused_row_by_row(home: Cast) -> None:
    lindenhof()
    before = counts()
    sheet = read_file(LINDENHOF.read_bytes())
    result = dry_run(sheet, replace(propose(sheet), **LINDENHOF_ANSWERS))
    assert len(result.faults) == 23
    assert "is let here already" in result.faults[0].message
    with pytest.raises(Refused, match="is let here already"):
        lindenhof()
    db.session.rollback()
    assert counts() == before


def test_an_existing_tenant_of_that_address_becomes_the_tenant(home: Cast) -> None:
    there = factories.make_tenant(name="Hanna Vargas", email="hanna.vargas.0@example.com")
    made = lindenhof()
    assert the_import(made).created["tenants"] == 26
    assert db.session.scalar(select(func.count(LeaseParty.id)).where(LeaseParty.tenant_id == there))
    begin_write()
    undo_import(the_import(made), actor=db.session.info["actor"])
    db.session.commit()
    assert db.session.get(Tenant, there) is not None


def test_a_unit_that_is_there_is_let_and_not_made_twice(home: Cast) -> None:
    building = factories.make_property(name="Lindenhof 3")
    factories.make_unit(building, label="WE 01")
    made = lindenhof()
    assert the_import(made).created["properties"] == 2
    assert the_import(made).created["units"] == 23
    assert doctor() == []


def test_nothing_is_made_when_the_last_step_fails(
    home: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = counts()
    monkeypatch.setattr("proman.takeover.actions._remember", _fail)
    with pytest.raises(RuntimeError, match="the disk is gone"):
        lindenhof()
    db.session.rollback()
    assert counts() == before
    assert doctor() == []


def _fail(*_: object) -> None:
    raise RuntimeError("the disk is gone")


def test_undo_leaves_nothing_behind_and_is_audited(home: Cast) -> None:
    before = counts()
    made = lindenhof()
    begin_write()
    undo_import(the_import(made), actor=db.session.info["actor"])
    db.session.commit()
    assert counts() == before
    assert the_import(made).undone_at is not None
    assert doctor() == []
    audit = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "undone").execution_options(everywhere=True)
    ).one()
    assert audit.before["leases"] == 23
    begin_write()
    with pytest.raises(Refused, match="undone already"):
        undo_import(the_import(made), actor=db.session.info["actor"])
    lindenhof()


def _a_rent(lease: Lease) -> object:
    return Rent(lease_id=lease.id, effective_from=date(2027, 1, 1), amount=1)


def _a_unit(lease: Lease) -> object:
    property_id = db.session.scalar(select(Unit.property_id).where(Unit.id == lease.unit_id))
    return Unit(property_id=property_id, label="new")


def _a_party(lease: Lease) -> object:
    tenant = Tenant(name="Somebody")
    db.session.add(tenant)
    db.session.flush()
    return LeaseParty(lease_id=lease.id, tenant_id=tenant.id, position=9)


@pytest.mark.parametrize(
    ("make", "words"),
    [(_a_rent, "1 rent"), (_a_unit, "1 unit"), (_a_party, "1 tenant of leases")],
)
def test_nothing_is_undone_once_something_rests_on_it(
    home: Cast, make: Callable[[Lease], object], words: str
) -> None:
    made = lindenhof()
    assert what_rests_on(made) == []
    begin_write()
    lease = db.session.scalars(select(Lease).limit(1)).one()
    db.session.add(make(lease))
    db.session.commit()
    after = counts()
    assert what_rests_on(made) == [words]
    begin_write()
    with pytest.raises(Refused, match=words):
        undo_import(the_import(made), actor=db.session.info["actor"])
    db.session.rollback()
    assert counts() == after


def test_a_draft_is_gone_after_the_import(home: Cast) -> None:
    file = File(LINDENHOF.name, LINDENHOF.read_bytes())
    sheet = read_file(file.content)
    mapping = replace(propose(sheet), **LINDENHOF_ANSWERS)
    actor = db.session.info["actor"]
    begin_write()
    draft_id = start_draft(file, mapping, actor=actor).id
    db.session.commit()
    import_file(file, sheet, mapping, actor=actor, draft_id=draft_id)
    db.session.commit()
    assert db.session.scalar(select(func.count(ImportDraft.id))) == 0
    with pytest.raises(NotThere, match="is gone"):
        draft(draft_id)
    with pytest.raises((NotThere, Refused)):
        import_file(file, sheet, mapping, actor=actor, draft_id=draft_id)


def test_an_outsider_s_organization_sees_nothing_of_it(home: Cast, cast: Cast) -> None:
    made = lindenhof()
    with acting_for(cast.other_organization):
        assert setting_of_today().existing.units == frozenset()
        assert db.session.scalar(select(func.count(Import.id))) == 0
        with pytest.raises(NotThere):
            the_import(made)


def _bill(as_of: date) -> None:
    begin_write()
    run_billing(as_of, today=as_of, actor=db.session.info["actor"])
    db.session.commit()


def test_periods_begun_by_the_cut_over_are_never_billed_again(cast: Cast, app: Flask) -> None:
    with app.app_context(), acting_for(cast.other_organization):
        harbour()
        _bill(date(2026, 12, 31))
        lines = (
            select(Unit.label, func.min(InvoiceLine.period_start))
            .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
            .join(Lease, Lease.id == Invoice.lease_id)
            .join(Unit, Unit.id == Lease.unit_id)
            .where(Invoice.kind == "invoice")
            .group_by(Unit.label)
        )
        first = {label: day for label, day in db.session.execute(lines)}  # noqa: C416
        assert first["A-07"] == date(2026, 11, 28)
        assert first["A-01"] == date(2026, 11, 1)
        assert first["A-09"] == date(2026, 11, 5)
        assert min(first.values()) == date(2026, 11, 1)
        assert len(first) == 43
        assert doctor() == []


def test_once_billed_an_import_stays(cast: Cast, app: Flask) -> None:
    with app.app_context(), acting_for(cast.other_organization):
        made = harbour()
        _bill(date(2026, 12, 1))
        assert any("invoices" in words for words in what_rests_on(made))
        begin_write()
        with pytest.raises(Refused, match="invoices"):
            undo_import(the_import(made), actor=db.session.info["actor"])


def test_many_clicks_on_import_make_it_once(
    app: Flask, cast: Cast, sign_in: Callable[[str], FlaskClient]
) -> None:
    with LINDENHOF.open("rb") as stream:
        data = {"file": (stream, LINDENHOF.name)}
        address = sign_in("mona").post("/takeover/drafts", data=data).location
    with app.app_context(), acting_for(cast.organization):
        begin_write()
        waiting = draft(int(address.rsplit("/", 1)[1]))
        mapping = replace(propose(read_file(waiting.content)), **LINDENHOF_ANSWERS)
        waiting.mapping = write_map(mapping)
        db.session.commit()
    clients = [sign_in("mona") for _ in range(8)]
    button = import_button(clients[0], address)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda client: client.post(button), clients))
    made = [each for each in answers if each.status_code == 303 and "/imports/" in each.location]
    assert len(made) == 1
    assert all(each.status_code in (303, 404) for each in answers)
    with app.app_context(), acting_for(cast.organization):
        assert counts()["leases"] == 23
        assert doctor() == []
