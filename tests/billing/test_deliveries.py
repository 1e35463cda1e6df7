"""Delivery: by mail to a real mail server, as one PDF, as text to copy, and what is kept of it."""

import dataclasses
import io
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select, update

from proman.billing.deliveries import queue_mail
from proman.billing.models import Delivery
from proman.billing.sending import send_queued
from proman.db import begin_write, db, utc_now
from tests.billing.books import run
from tests.conftest import Cast
from tests.factories import make_lease, make_tenant
from tests.money import actor
from tests.web.sink import Sink, mailing_through


@pytest.fixture
def leases(home: Cast) -> list[int]:
    """Two leases with one invoice each; the second is signed by two people."""
    anna = make_tenant(name="Anna Schmidt", email="anna@example.com")
    wang = make_tenant(name="王小明", email="wang@example.com")
    ben = make_tenant(name="Ben Ali", email=None)
    first = date(2027, 1, 1)
    made = [
        make_lease(tenant_ids=[anna], first_day=first),
        make_lease(tenant_ids=[anna, wang], first_day=first),
        make_lease(tenant_ids=[ben], first_day=first),
    ]
    run(date(2027, 1, 1))
    return made


@pytest.fixture
def sink(app: Flask) -> Iterator[Sink]:
    """A mail server that the application sends through."""
    with mailing_through(app) as running:
        yield running


def deliveries() -> list[Delivery]:
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.scalars(select(Delivery).order_by(Delivery.id)))


def settled(condition: Callable[[], bool]) -> bool:
    """Whether a condition comes to hold within ten seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_no_other_way_of_delivery_is_taken_for_mail(leases: list[int], mona: FlaskClient) -> None:
    for channel in ({"channel": "fax"}, {}):
        answer = mona.post("/invoices/deliveries/", data={"invoice": ["1"]} | channel)
        assert answer.status_code == 422
    assert deliveries() == []


def test_chosen_invoices_are_mailed_apart_from_the_request(
    leases: list[int], mona: FlaskClient, sink: Sink
) -> None:
    data = {"invoice": ["1", "2", "3"], "channel": "mail"}
    answer = mona.post("/invoices/deliveries/", data=data)
    assert (answer.status_code, answer.location) == (303, "/invoices/deliveries/")
    page = mona.get(answer.location).text
    assert "3 messages are on the way. No e-mail address for 2027-00003: print them." in page
    assert settled(lambda: [d.status for d in deliveries()] == ["sent"] * 3)
    sent = sorted((str(mail["To"]), str(mail["Subject"])) for mail in sink.mails)
    assert sent == [
        ("anna@example.com", "Invoice 2027-00001, Harbour Homes"),
        ("anna@example.com", "Invoice 2027-00002, Harbour Homes"),
        ("wang@example.com", "Invoice 2027-00002, Harbour Homes"),
    ]
    (file,) = sink.mails[0].iter_attachments()
    assert file.get_filename() == "2027-00001.pdf"
    assert "Anna Schmidt" in PdfReader(io.BytesIO(file.get_content())).pages[0].extract_text()
    kept = deliveries()[0]
    assert kept.finished_at is not None
    assert kept.requested_by is not None
    assert mona.get("/invoices/?delivered=no").text.count("row-link") == 1


def test_an_address_that_fails_is_shown_and_can_be_tried_again(
    leases: list[int], mona: FlaskClient, sink: Sink
) -> None:
    sink.refuses.add("wang@example.com")
    mona.post("/invoices/deliveries/", data={"invoice": "2", "channel": "mail"})
    assert settled(lambda: [d.status for d in deliveries()] == ["sent", "failed"])
    page = mona.get("/invoices/deliveries/?status=failed").text
    assert "550 No such person" in page
    assert "wang@example.com" in page
    assert "Send again" in page
    assert "550 No such person" in mona.get("/invoices/2/deliveries").text


def test_a_mail_server_that_is_gone_fails_visibly(
    leases: list[int], app: Flask, sink: Sink
) -> None:
    begin_write()
    queue_mail([1], actor=actor(), now=utc_now())
    db.session.commit()
    settings = app.extensions["proman_settings"]
    app.extensions["proman_settings"] = dataclasses.replace(settings, smtp_url="smtp://127.0.0.1:1")
    assert send_queued() == 0
    (failed,) = deliveries()
    assert failed.status == "failed"
    assert "No mail server at 127.0.0.1:1" in failed.error


def test_what_waited_when_the_server_ended_is_sent_by_the_next_run(
    leases: list[int], sink: Sink
) -> None:
    begin_write()
    queue_mail([1], actor=actor(), now=utc_now())
    db.session.commit()
    assert send_queued() == 1
    assert send_queued() == 0
    assert len(sink.mails) == 1


def test_one_that_was_interrupted_is_never_sent_twice_unasked(
    leases: list[int], sink: Sink
) -> None:
    begin_write()
    queue_mail([1], actor=actor(), now=utc_now())
    db.session.flush()
    db.session.execute(
        update(Delivery).values(status="sending", finished_at=utc_now() - timedelta(hours=1))
    )
    db.session.commit()
    assert send_queued() == 0
    (interrupted,) = deliveries()
    assert interrupted.status == "failed"
    assert "It may have arrived" in interrupted.error
    assert sink.mails == []


def test_one_pdf_of_all_and_it_is_recorded_as_given_out(
    leases: list[int], mona: FlaskClient
) -> None:
    data = {"everything": "sort=due", "channel": "pdf"}
    answer = mona.post("/invoices/deliveries/", data=data)
    assert answer.content_type == "application/pdf"
    assert len(PdfReader(io.BytesIO(answer.data)).pages) == 3
    assert [(d.channel, d.status) for d in deliveries()] == [("pdf", "sent")] * 3
    again = mona.post("/invoices/deliveries/", data=data)
    assert again.status_code == 422
    assert "Choose at least one" in again.text


def test_without_a_mail_server_there_is_text_to_copy(leases: list[int], mona: FlaskClient) -> None:
    data = {"invoice": ["1", "3"], "channel": "mail"}
    answer = mona.post("/invoices/deliveries/", data=data)
    assert answer.status_code == 303
    page = mona.get(answer.location).text
    assert "Dear Anna Schmidt," in page
    assert "please find attached invoice 2027-00001" in page
    assert "no e-mail address: print the PDF" in page
    assert deliveries() == []
    mona.post("/invoices/deliveries/by-hand", data={"invoice": ["1", "3"]})
    assert [(d.channel, d.recipient) for d in deliveries()] == [
        ("mail", "anna@example.com"),
        ("mail", ""),
    ]


def test_documents_of_others_are_not_delivered(
    leases: list[int], sign_in: Callable[[str], FlaskClient], sink: Sink
) -> None:
    charlie = sign_in("charlie")
    for channel in ("mail", "pdf"):
        data = {"invoice": ["1", "2"], "channel": channel}
        assert charlie.post("/invoices/deliveries/", data=data).status_code == 422
    assert "Anna" not in charlie.get("/invoices/deliveries/texts?invoice=1").text
    assert deliveries() == []


def test_so_many_texts_that_no_address_holds_them_are_shown_in_portions(
    leases: list[int], mona: FlaskClient
) -> None:
    data = {"invoice": [str(number) for number in range(1, 300)], "channel": "mail"}
    answer = mona.post("/invoices/deliveries/", data=data)
    assert len(answer.location) < 2000
    assert "249 more were chosen" in mona.get(answer.location).text
