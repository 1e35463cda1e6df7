"""Who is on a lease, from when and to when."""

from collections.abc import Callable
from datetime import date

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from proman.base.errors import Refused
from proman.billing.parties import addressee
from proman.db import begin_write, db
from proman.leases import parties
from proman.leases.actions import Signer
from proman.leases.models import Lease
from proman.leases.queries import the_lease
from tests.conftest import Cast
from tests.factories import make_lease, make_tenant

HTMX = {"HX-Request": "true"}
JOINING = {"tenants-0-name": "Cleo Marsh", "tenants-0-kind": "person", "joined_on": "2026-08-01"}


@pytest.fixture
def shared(home: Cast) -> int:
    """A lease from 1 January 2026 that Anna and Bob signed."""
    return make_lease(None, [make_tenant(name="Anna"), make_tenant(name="Bob")])


def opened(lease_id: int) -> Lease:
    begin_write()
    return the_lease(lease_id)


def days(lease_id: int) -> dict[str, tuple[date | None, date | None]]:
    """The days of joining and leaving by name."""
    db.session.rollback()
    rows = the_lease(lease_id).parties
    return {one.tenant.name: (one.joined_on, one.left_on) for one in rows}


def test_who_left_is_kept_and_somebody_stays(shared: int) -> None:
    lease = opened(shared)
    anna, bob = (party.tenant_id for party in lease.parties)
    parties.let_leave(lease, anna, date(2026, 6, 30))
    with pytest.raises(Refused, match="not on the lease any more"):
        parties.let_leave(lease, anna, date(2026, 7, 1))
    with pytest.raises(Refused, match="has to stay"):
        parties.let_leave(lease, bob, date(2026, 7, 1))
    db.session.commit()
    assert days(shared) == {"Anna": (None, date(2026, 6, 30)), "Bob": (None, None)}


def test_who_joins_is_on_the_lease_from_that_day(shared: int) -> None:
    parties.join(opened(shared), [Signer(name="Cleo Marsh")], date(2026, 8, 1))
    db.session.commit()
    assert days(shared)["Cleo Marsh"] == (date(2026, 8, 1), None)
    before, after = (addressee(shared, date(2026, 8, day)) for day in (1, 2))
    assert addressee(shared, date(2026, 7, 31)).recipient["names"] == ["Anna", "Bob"]
    assert before.recipient["names"] == after.recipient["names"] == ["Anna", "Bob", "Cleo Marsh"]


def test_nobody_joins_twice_or_before_the_lease(shared: int) -> None:
    lease = opened(shared)
    anna, bob = (party.tenant_id for party in lease.parties)
    with pytest.raises(Refused, match="Bob is on this lease already"):
        parties.join(lease, [Signer(tenant_id=bob)], date(2026, 8, 1))
    with pytest.raises(Refused, match="begins on 1 January 2026"):
        parties.join(lease, [Signer(name="Cleo")], date(2025, 12, 31))
    parties.let_leave(lease, anna, date(2026, 6, 30))
    with pytest.raises(Refused, match="Anna was on this lease to 30 June 2026"):
        parties.join(lease, [Signer(tenant_id=anna)], date(2026, 8, 1))


def test_a_tenant_who_joined_cannot_have_left_before(shared: int) -> None:
    lease = opened(shared)
    (cleo,) = parties.join(lease, [Signer(name="Cleo")], date(2026, 8, 1))
    with pytest.raises(Refused, match="before they were on the lease"):
        parties.let_leave(lease, cleo.id, date(2026, 7, 1))
    parties.let_leave(lease, cleo.id, date(2026, 8, 1))


def test_nobody_joins_a_draft_or_what_has_ended(home: Cast) -> None:
    for changes in ({"status": "draft"}, {"status": "ended", "ended_on": date(2026, 5, 31)}):
        lease = opened(make_lease(**changes))
        with pytest.raises(Refused, match="join and leave an active lease"):
            parties.join(lease, [Signer(name="Cleo")], date(2026, 3, 1))
        db.session.rollback()


def test_somebody_new_joins_on_the_page(shared: int, mona: FlaskClient) -> None:
    here = f"/leases/{shared}"
    assert f"{here}/joinings/new" in mona.get(here).text
    assert "Who joins" in mona.get(f"{here}/joinings/new").text
    wrong = mona.post(f"{here}/joinings", data=JOINING | {"joined_on": "2025-01-01"})
    assert wrong.status_code == 422
    assert "The lease begins on 1 January 2026." in wrong.text
    assert "Cleo Marsh" in wrong.text
    assert mona.post(f"{here}/joinings", data=JOINING).location == here
    text = mona.get(here).text
    assert "Cleo Marsh joined the lease" in text
    assert "Cleo Marsh is on the lease from 1 Aug 2026" in text
    assert (
        BeautifulSoup(text, "html.parser")
        .h1.get_text(strip=True)
        .startswith("Anna, Bob, Cleo Marsh")
    )


def test_somebody_known_is_found_and_joins_with_htmx_and_without(
    shared: int, mona: FlaskClient
) -> None:
    dora = make_tenant(name="Dora Quint")
    here = f"/leases/{shared}/joinings"
    find = {"tenants-0-name": "dora", "joined_on": "2026-09-01", "step": "find-tenant:0"}
    part = mona.post(here, data=find, headers=HTMX).text
    assert not part.startswith("<!doctype")
    assert "Dora Quint" in part
    chosen = mona.post(here, data=find | {"step": f"use-tenant:0:{dora}"}).text
    assert chosen.startswith("<!doctype")
    row = BeautifulSoup(chosen, "html.parser").select_one('[name="tenants-0-tenant_id"]')
    assert row is not None
    assert row["value"] == str(dora)
    done = mona.post(here, data={"tenants-0-tenant_id": str(dora), "joined_on": "2026-09-01"})
    assert done.status_code == 303
    assert days(shared)["Dora Quint"] == (date(2026, 9, 1), None)


def test_an_email_of_another_tenant_stands_beside_its_field(shared: int, mona: FlaskClient) -> None:
    make_tenant(email="taken@example.com")
    answer = mona.post(
        f"/leases/{shared}/joinings", data=JOINING | {"tenants-0-email": "taken@example.com"}
    )
    assert answer.status_code == 422
    assert set(days(shared)) == {"Anna", "Bob"}


def test_a_leaving_is_noted_shown_and_taken_back(shared: int, mona: FlaskClient) -> None:
    here = f"/leases/{shared}"
    anna = the_lease(shared).parties[0]
    party, tenant = anna.id, anna.tenant_id
    assert "Anna leaves" in mona.get(f"{here}/leavings/new?tenant={tenant}").text
    assert mona.get(f"{here}/leavings/new?tenant=0").status_code == 404
    nobody = {"tenant_id": "Anna", "left_on": "2026-06-30"}
    assert mona.post(f"{here}/leavings", data=nobody).status_code == 422
    mona.post(f"{here}/leavings", data={"tenant_id": str(tenant), "left_on": "2026-06-30"})
    text = mona.get(here).text
    assert "to 30 Jun 2026" in text
    assert mona.post(f"{here}/leavings/{party}/withdrawal").location == here
    assert days(shared)["Anna"] == (None, None)
    assert "leaving on 30 Jun 2026 is taken back" in mona.get(here).text


def test_an_outsider_and_a_viewer_let_nobody_join(
    shared: int, sign_in: Callable[[str], FlaskClient]
) -> None:
    for person, refused in (("vera", 403), ("charlie", 404)):
        client, here = sign_in(person), f"/leases/{shared}/joinings"
        assert client.get(f"{here}/new").status_code == refused
        assert client.post(here, data=JOINING).status_code == refused
    assert set(days(shared)) == {"Anna", "Bob"}
