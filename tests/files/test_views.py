"""Documents over HTTP: who may add, see and remove them, and what a browser is given."""

import io
from collections.abc import Callable

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from proman.database import contents
from proman.database.contents import Content
from proman.database.installation import installation
from proman.db import db
from proman.files import actions
from proman.files.models import Document
from proman.files.rules import LARGEST
from proman.identity.models import AuditEntry
from tests import factories
from tests.conftest import Cast
from tests.factories import PASSWORD
from tests.portfolio import make_portfolio

HTMX = {"HX-Request": "true"}
EVIL = b"<!doctype html><script>alert(document.cookie)</script>"


def send(client: FlaskClient, to: str, content: bytes, name: str, **more: str) -> TestResponse:
    headers = more.pop("headers", {})  # type: ignore[arg-type]
    data = {"file": (io.BytesIO(content), name), **more}
    return client.post(to, data=data, headers=headers, content_type="multipart/form-data")


def documents() -> list[Document]:
    db.session.rollback()
    return list(db.session.scalars(select(Document).order_by(Document.id)))


@pytest.fixture
def lease(home: Cast) -> int:
    return factories.make_lease()


def test_a_document_is_added_seen_and_removed(home: Cast, lease: int, mona: FlaskClient) -> None:
    to = f"/files/of-lease/{lease}"
    answer = send(mona, to, b"%PDF-1.7 signed", "Lease.pdf")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/leases/{lease}")
    (one,) = documents()
    assert (one.name, one.media_type, one.size_bytes) == ("Lease.pdf", "application/pdf", 15)
    assert one.uploaded_by == home.mona
    address, kept = f"/files/{one.id}", Content(one.sha256, one.size_bytes)
    page = mona.get(to)
    assert "Lease.pdf" in page.text
    assert "Mona" in page.text
    assert mona.get(address).data == b"%PDF-1.7 signed"
    assert mona.post(f"{address}/removal").headers["Location"] == f"/leases/{lease}"
    assert documents() == []
    assert mona.get(address).status_code == 404
    assert contents.is_good(installation().files_dir, kept)
    trail = select(AuditEntry.action, AuditEntry.actor_id, AuditEntry.subject_label)
    trail = trail.where(AuditEntry.subject_type == "documents").order_by(AuditEntry.id)
    who = (home.mona, "Lease.pdf")
    assert [tuple(row) for row in db.session.execute(trail)] == [
        ("created", *who),
        ("deleted", *who),
    ]


def test_with_htmx_the_card_alone_is_drawn_anew(lease: int, mona: FlaskClient) -> None:
    to = f"/files/of-lease/{lease}"
    answer = send(mona, to, b"one", "One.txt", headers=HTMX)  # type: ignore[arg-type]
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "One.txt was added." in answer.headers["HX-Trigger"]
    (one,) = documents()
    answer = mona.post(f"/files/{one.id}/removal", headers=HTMX)
    assert "One.txt" not in answer.text
    assert send(mona, to, b"", "None.txt", headers=HTMX).status_code == 422  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["property", "unit", "tenant", "lease"])
def test_each_kind_of_record_has_its_own(
    app: Flask, home: Cast, mona: FlaskClient, word: str
) -> None:
    ids = make_portfolio(home.organization, "Zebra", home.mona).ids
    page = mona.get(
        {
            "property": f"/properties/{ids['property_id']}",
            "unit": f"/properties/units/{ids['unit_id']}",
            "tenant": f"/tenants/{ids['tenant_id']}",
            "lease": f"/leases/{ids['lease_id']}",
        }[word]
    )
    to = f"/files/of-{word}/{ids[f'{word}_id']}"
    assert f'hx-get="{to}"' in page.text
    before = BeautifulSoup(mona.get(to).text, "lxml").select("tbody tr")
    assert send(mona, to, b"text", f"{word}.txt").status_code == 303
    after = BeautifulSoup(mona.get(to).text, "lxml").select("tbody tr")
    assert len(after) == len(before) + 1
    assert f"{word}.txt" in after[0].text
    assert mona.get(f"/files/of-{word}/987654").status_code == 404
    assert send(mona, f"/files/of-{word}/987654", b"x", "x").status_code == 404


def test_what_cannot_be_taken_is_told_beside_its_field(lease: int, mona: FlaskClient) -> None:
    to = f"/files/of-lease/{lease}"
    nothing = mona.post(to, data={}, content_type="multipart/form-data")
    empty = send(mona, to, b"", "Empty.pdf")
    # Written out by hand: of a large form the client would leave its temporary file open.
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="Large.pdf"\r\n\r\n'
    kind = "multipart/form-data; boundary=x"
    body = head + b"x" * (LARGEST + 1) + b"\r\n--x--\r\n"
    large = mona.post(to, data=body, content_type=kind)
    for answer, said in (
        (nothing, "Choose a file."),
        (empty, "The file is empty."),
        (large, "larger than 25 MB"),
    ):
        assert answer.status_code == 422
        error = BeautifulSoup(answer.text, "lxml").select_one("#file-error")
        assert error is not None
        assert said in error.text
    assert mona.post(to, data=b"x" * (33 << 20), content_type=kind).status_code == 413
    assert documents() == []
    assert list(installation().files_dir.rglob(".proman-*")) == []


def test_a_record_takes_no_more_than_it_can_show(
    lease: int, mona: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.make_document(lease)
    monkeypatch.setattr(actions, "MOST_OF_ONE", 1)
    answer = send(mona, f"/files/of-lease/{lease}", b"x", "x.txt")
    assert answer.status_code == 422
    assert "the most that it takes" in answer.text


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (EVIL, "photo.png", "text/html"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "plan.svg", "image/svg+xml"),
        (b"%PDF-1.7 /JavaScript", "lease.pdf", "application/pdf"),
        (b"MZ\x90\x00", "run.exe", "application/octet-stream"),
    ],
)
def test_what_could_run_is_only_downloaded(
    lease: int, mona: FlaskClient, content: bytes, name: str, kind: str
) -> None:
    data = {"file": (io.BytesIO(content), name, "image/png")}
    mona.post(f"/files/of-lease/{lease}", data=data, content_type="multipart/form-data")
    (one,) = documents()
    answer = mona.get(f"/files/{one.id}")
    assert answer.mimetype == kind
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer.data == content


def test_a_picture_is_shown_in_a_sandbox(lease: int, mona: FlaskClient) -> None:
    send(mona, f"/files/of-lease/{lease}", b"\xff\xd8\xff\xe0 photo", "Küche 1.jpg")
    (one,) = documents()
    answer = mona.get(f"/files/{one.id}")
    assert answer.headers["Content-Disposition"].startswith("inline;")
    assert "K%C3%BCche%201.jpg" in answer.headers["Content-Disposition"]
    assert answer.headers["Content-Security-Policy"].startswith("sandbox;")


def test_a_hostile_name_is_only_a_name(lease: int, mona: FlaskClient) -> None:
    names = ["../../../etc/cron.d/x", 'a"><script>x()</script>.txt', "..\\..\\evil.txt"]
    for name in names:
        assert send(mona, f"/files/of-lease/{lease}", name.encode(), name).status_code == 303
    found = [one.name for one in documents()]
    assert found[0] == "x"
    assert found[2] == "evil.txt"
    page = mona.get(f"/files/of-lease/{lease}")
    assert "<script>x()" not in page.text
    for one in documents():
        assert mona.get(f"/files/{one.id}").status_code == 200
    store = installation().files_dir
    assert {one.parent.parent for one in store.rglob("*/*") if one.is_file()} == {store}


def test_a_download_that_broke_off_goes_on(lease: int, mona: FlaskClient) -> None:
    content = bytes(range(256)) * 40
    address = f"/files/{factories.make_document(lease, 'Plan.bin', content)}"
    whole = mona.get(address)
    assert (whole.data, whole.headers["Accept-Ranges"]) == (content, "bytes")
    rest = mona.get(address, headers={"Range": "bytes=5000-", "If-Range": whole.headers["ETag"]})
    assert (rest.status_code, rest.data) == (206, content[5000:])
    assert mona.get(address, headers={"Range": "bytes=99999-"}).status_code == 416


def test_lost_content_is_told_and_nothing_else_is_given(lease: int, mona: FlaskClient) -> None:
    lost = factories.make_document(lease, "Lost.txt", sha256="0" * 64)
    answer = mona.get(f"/files/{lost}")
    assert answer.status_code == 422
    assert "The content of Lost.txt is not in the data directory" in answer.text


def test_a_viewer_sees_and_changes_nothing(
    lease: int, sign_in: Callable[[str], FlaskClient]
) -> None:
    vera, one = sign_in("vera"), factories.make_document(lease)
    page = vera.get(f"/files/of-lease/{lease}")
    assert "Lease.txt" in page.text
    assert 'method="post"' not in page.text.partition("<main")[2]
    assert vera.get(f"/files/{one}").status_code == 200
    assert send(vera, f"/files/of-lease/{lease}", b"x", "x").status_code == 403
    for act in ("removal", "showing"):
        assert vera.post(f"/files/{one}/{act}").status_code == 403


def test_another_organization_reaches_nothing(
    lease: int, sign_in: Callable[[str], FlaskClient]
) -> None:
    charlie, one = sign_in("charlie"), factories.make_document(lease)
    for answer in (
        charlie.get(f"/files/{one}"),
        charlie.get(f"/files/of-lease/{lease}"),
        send(charlie, f"/files/of-lease/{lease}", b"x", "x"),
        charlie.post(f"/files/{one}/removal"),
        charlie.post(f"/files/{one}/showing", data={"shown": "1"}),
        charlie.get(f"/portal/documents/{one}"),
    ):
        assert answer.status_code in (403, 404)
    (still,) = documents()
    assert not still.is_shown


def test_a_tenant_sees_what_they_are_shown_of_their_own_lease(
    app: Flask, home: Cast, mona: FlaskClient
) -> None:
    zebra = make_portfolio(home.organization, "Zebra", home.mona)
    quagga = make_portfolio(home.organization, "Quagga", home.mona)
    own, others = zebra.ids["document_id"], quagga.ids["document_id"]
    tenant = app.test_client()
    tenant.post("/login", data={"email": zebra.login, "password": PASSWORD})
    assert "Zebra signed.txt" not in tenant.get("/portal/documents/").text
    assert tenant.get(f"/portal/documents/{own}").status_code == 404
    for one in (own, others):
        mona.post(f"/files/{one}/showing", data={"shown": "1"})
    page = tenant.get("/portal/documents/").text
    assert "Zebra signed.txt" in page
    assert "Quagga" not in page
    assert tenant.get(f"/portal/documents/{own}").data == b"Zebra signs"
    assert tenant.get(f"/portal/documents/{others}").status_code == 404
    assert tenant.get(f"/files/{own}").status_code == 403
    mona.post(f"/files/{own}/showing", data={"shown": "0"})
    assert tenant.get(f"/portal/documents/{own}").status_code == 404


def test_only_a_leases_document_is_shown_to_tenants(home: Cast, mona: FlaskClient) -> None:
    to = f"/files/of-tenant/{factories.make_tenant()}"
    send(mona, to, b"passport", "Passport.txt", is_shown="y")
    (one,) = documents()
    assert not one.is_shown
    assert mona.post(f"/files/{one.id}/showing", data={"shown": "1"}).status_code == 422


def test_a_draft_with_documents_is_not_discarded(home: Cast, mona: FlaskClient) -> None:
    draft = factories.make_lease(status="draft")
    factories.make_document(draft)
    answer = mona.post(f"/leases/{draft}/discarding", follow_redirects=True)
    assert "while this rests on it: 1 document" in answer.text
