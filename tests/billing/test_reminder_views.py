"""Reminders as people meet them: written, looked at, made once, mailed, printed, read."""

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select, update

from proman.billing.models import Delivery, Invoice
from proman.billing.reminder_making import make_reminders, set_levels
from proman.billing.reminder_models import Reminder, ReminderItem
from proman.billing.reminding import USUAL
from proman.billing.sending import send_queued
from proman.db import begin_write, db, utc_now
from tests.billing.books import breaches, pay, run
from tests.conftest import Cast
from tests.factories import make_lease, make_tenant
from tests.money import actor
from tests.web.sink import mailing_through

WRITTEN = "/admin/organization/reminders"
PAGE = "/billing/reminders"
TODAY = utc_now().date()
DUE = TODAY - timedelta(days=10)


def typed(**changes: str) -> dict[str, str]:
    """The three usual steps as the form sends them; an empty `level_N-used` leaves one out."""
    values: dict[str, str] = {}
    for usual in USUAL:
        name = f"level_{usual.level}"
        for key in ("days", "pay_within", "title", "text"):
            values[f"{name}-{key}"] = str(getattr(usual, key))
        values[f"{name}-minimum"] = ""
        values[f"{name}-used"] = "y"
    values |= {key.replace("__", "-"): value for key, value in changes.items()}
    return {key: value for key, value in values.items() if not (key.endswith("used") and not value)}


def set_usual() -> None:
    begin_write()
    set_levels(USUAL)
    db.session.commit()


def late_lease(name: str = "Zoë Müller", email: str | None = "zoe@example.com") -> int:
    """A lease with an invoice of 1,000.00 that was due ten days ago."""
    lease = make_lease(
        tenant_ids=[make_tenant(name=name, email=email)],
        first_day=DUE,
        proration="none",
        lead_days=0,
    )
    run(DUE)
    return lease


def test_what_is_issued_late_is_not_reminded_of_on_that_day(home: Cast, mona: FlaskClient) -> None:
    set_usual()
    make_lease(first_day=DUE, proration="none", lead_days=0)
    run(TODAY)
    assert "1,000.00" not in mona.get(PAGE).text
    assert "1,000.00" not in mona.get(f"{PAGE}?as_of={TODAY + timedelta(days=6)}").text
    assert "1,000.00" in mona.get(f"{PAGE}?as_of={TODAY + timedelta(days=7)}").text


def reminders() -> list[Reminder]:
    db.session.rollback()
    return list(db.session.scalars(select(Reminder).order_by(Reminder.id)))


def errors_of(page: str) -> set[str]:
    return {str(one["id"]) for one in BeautifulSoup(page, "lxml").select(".field-error[id]")}


def test_an_administrator_writes_them(home: Cast, alice: FlaskClient, mona: FlaskClient) -> None:
    assert mona.get(WRITTEN).status_code == 403
    assert mona.post(WRITTEN, data=typed()).status_code == 403
    assert "Nobody is reminded yet" in mona.get(PAGE).text
    assert "Dear {names}" in alice.get(WRITTEN).text
    assert alice.post(WRITTEN, data=typed(level_3__used="")).status_code == 303
    page = BeautifulSoup(alice.get(WRITTEN).text, "lxml")
    used = [box["name"] for box in page.select("input[type=checkbox]") if box.has_attr("checked")]
    assert used == ["level_1-used", "level_2-used"]
    assert "after 7, 21 days" in mona.get(PAGE).text
    assert alice.post(WRITTEN, data={}).status_code == 303
    assert "Nobody is reminded yet" in mona.get(PAGE).text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"level_1__days": ""}, "level_1-days"),
        ({"level_1__days": "soon"}, "level_1-days"),
        ({"level_2__days": "7"}, "level_2-days"),
        ({"level_2__pay_within": "0"}, "level_2-pay_within"),
        ({"level_3__text": "Dear {nmes}"}, "level_3-text"),
        ({"level_3__title": ""}, "level_3-title"),
        ({"level_1__minimum": "-1"}, "level_1-minimum"),
        ({"level_1__title": "x" * 101}, "level_1-title"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    home: Cast, alice: FlaskClient, wrong: dict[str, str], field: str
) -> None:
    answer = alice.post(WRITTEN, data=typed(**wrong))
    assert (answer.status_code, errors_of(answer.text)) == (422, {f"{field}-error"})
    assert "error-summary" in answer.text
    db.session.rollback()
    assert "Nobody is reminded yet" in alice.get(PAGE).text


def test_a_manager_looks_prints_and_finds_it_made(home: Cast, mona: FlaskClient) -> None:
    set_usual()
    lease = late_lease()
    page = mona.get(PAGE).text
    assert "Zoë Müller" in page
    assert "1 lease" in page
    answer = mona.post(PAGE, data={"lease": str(lease), "channel": "pdf"})
    assert answer.status_code == 200
    text = PdfReader(io.BytesIO(answer.data)).pages[0].extract_text()
    for part in ("Payment reminder", "Zoë Müller", "10 days overdue", "1,000.00"):
        assert part in text
    (made,) = reminders()
    assert (made.level, made.total, made.pay_by) == (1, 100_000, TODAY + timedelta(days=7))
    assert "Nobody to remind" in mona.get(PAGE).text
    assert "Yes" in mona.get(f"{PAGE}/made").text
    assert "Payment reminder" in mona.get(f"{PAGE}/of-lease/{lease}").text
    assert mona.get(f"{PAGE}/{made.id}.pdf").data.startswith(b"%PDF")
    assert "L-" in mona.get(f"{PAGE}/made.csv").text
    again = mona.post(PAGE, data={"lease": str(lease), "channel": "pdf"})
    assert (again.status_code, len(reminders())) == (303, 1)
    assert breaches() == []


def test_what_was_made_stays_as_it_was(home: Cast, alice: FlaskClient, mona: FlaskClient) -> None:
    set_usual()
    lease = late_lease()
    mona.post(PAGE, data={"lease": str(lease), "channel": "pdf"})
    (made,) = reminders()
    before = mona.get(f"{PAGE}/{made.id}.pdf").data
    alice.post(WRITTEN, data=typed(level_1__text="Pay {total}.", level_1__title="Now"))
    pay(lease, 100_000, TODAY)
    assert mona.get(f"{PAGE}/{made.id}.pdf").data == before


def test_mail_goes_to_those_who_have_an_address(home: Cast, app: Flask, mona: FlaskClient) -> None:
    set_usual()
    leases = [late_lease(), late_lease("Ben Ali", None)]
    with mailing_through(app) as sink:
        answer = mona.post(PAGE, data={"everything": "yes", "channel": "mail"})
        assert answer.status_code == 303
        assert "No e-mail address for Ben Ali" in mona.get(answer.location).text
        send_queued()
        (mail,) = sink.mails
    assert (mail["To"], mail["Subject"]) == ("zoe@example.com", "Payment reminder, Harbour Homes")
    body = mail.get_body(("plain",)).get_content()
    assert "Dear Zoë Müller," in body
    assert "Overdue: €1,000.00" in body
    (file,) = mail.iter_attachments()
    assert file.get_filename().startswith("reminder-L-")
    assert [one.lease_id for one in reminders()] == leases
    statuses = db.session.scalars(select(Delivery.status)).all()
    assert statuses == ["sent"]
    assert "Payment reminder" in mona.get("/invoices/deliveries/?q=reminder").text
    # Who has no address is printed, and then stands as delivered too.
    printed = mona.post(
        f"{PAGE}/deliveries", data={"reminder": str(reminders()[1].id), "channel": "pdf"}
    )
    assert printed.data.startswith(b"%PDF")
    assert mona.get(f"{PAGE}/made").text.count("Not yet") == 0


def test_a_receipt_before_the_click_leaves_nothing_to_remind(home: Cast, mona: FlaskClient) -> None:
    set_usual()
    lease = late_lease()
    pay(lease, 100_000, TODAY)
    answer = mona.post(PAGE, data={"lease": str(lease), "channel": "pdf"})
    assert (answer.status_code, reminders()) == (303, [])


def test_levels_follow_and_a_reversed_receipt_goes_on_where_it_was(
    home: Cast, mona: FlaskClient
) -> None:
    set_usual()
    lease = late_lease()
    early = TODAY - timedelta(days=3)
    begin_write()
    make_reminders([lease], today=early, actor=actor())
    db.session.commit()
    for day, levels in ((10, []), (11, [2])):
        later = early + timedelta(days=day + 3)
        page = mona.get(f"{PAGE}?as_of={later.isoformat()}").text
        assert ("Second reminder" in page) == bool(levels), day
    begin_write()
    make_reminders([lease], today=early + timedelta(days=14), actor=actor())
    db.session.commit()
    items = db.session.scalars(select(ReminderItem).order_by(ReminderItem.id)).all()
    assert [item.level for item in items] == [1, 2]


def test_nothing_is_made_of_what_is_refused(home: Cast, mona: FlaskClient) -> None:
    set_usual()
    lease = late_lease()
    for data in (
        {"lease": str(lease)},
        {"lease": str(lease), "channel": "fax"},
        {"channel": "pdf"},
        {"lease": str(lease), "channel": "mail"},
        {"lease": "9" * 30, "channel": "pdf"},
    ):
        assert mona.post(PAGE, data=data).status_code in (303, 422), data
    assert mona.post(f"{PAGE}/deliveries", data={"channel": "pdf"}).status_code == 422
    assert mona.get(f"{PAGE}/999999").status_code == 404
    assert mona.get(f"{PAGE}?as_of=never").status_code == 422
    assert reminders() == []


def test_others_neither_see_nor_make_them(
    home: Cast, mona: FlaskClient, sign_in: Callable[[str], FlaskClient]
) -> None:
    set_usual()
    lease = late_lease()
    vera, charlie = sign_in("vera"), sign_in("charlie")
    assert "Zoë Müller" in vera.get(PAGE).text
    assert "As one PDF" not in vera.get(PAGE).text
    assert vera.post(PAGE, data={"lease": str(lease), "channel": "pdf"}).status_code == 403
    mona.post(PAGE, data={"lease": str(lease), "channel": "pdf"})
    (made,) = reminders()
    assert charlie.get(f"{PAGE}/{made.id}").status_code == 404
    assert charlie.get(f"{PAGE}/{made.id}.pdf").status_code == 404
    answer = charlie.post(f"{PAGE}/deliveries", data={"reminder": str(made.id), "channel": "pdf"})
    assert answer.status_code == 422


def test_an_invoice_that_is_not_late_is_left_alone(home: Cast, mona: FlaskClient) -> None:
    set_usual()
    late_lease()
    begin_write()
    db.session.execute(update(Invoice).values(due_date=TODAY))
    db.session.commit()
    assert "Nobody to remind" in mona.get(PAGE).text
