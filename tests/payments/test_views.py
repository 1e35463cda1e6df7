"""The pages of payments, as a manager, a viewer and an outsider meet them."""

from collections.abc import Callable
from datetime import date

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from sqlalchemy import func, select

from proman.billing.deposits import request_deposit
from proman.billing.models import Allocation
from proman.db import begin_write, db
from proman.leases.models import Lease
from proman.payments.models import Payment
from tests.conftest import Cast
from tests.factories import make_lease, make_tenant
from tests.money import actor, make_invoice, open_of

DAY = "2026-03-02"


def soup(text: str) -> BeautifulSoup:
    return BeautifulSoup(text, "lxml")


def reference_of(lease_id: int) -> str:
    found: str = db.session.scalars(select(Lease.reference).where(Lease.id == lease_id)).one()
    return found


def typed(lease_id: int, amount: str = "1500.00", **changes: str) -> dict[str, str]:
    values = {
        "lease": reference_of(lease_id),
        "amount": amount,
        "received_on": DAY,
        "method": "transfer",
        "reference": "March",
        "payer": "",
        "how": "oldest",
    }
    return values | changes


def count() -> int:
    db.session.rollback()
    found: int = db.session.execute(select(func.count(Payment.id))).scalar_one()
    return found


def fresh_open(*ids: int) -> list[int]:
    db.session.rollback()
    db.session.expire_all()
    return open_of(*ids)


def test_a_payment_is_recorded_and_pays_the_oldest(home: Cast, mona: FlaskClient) -> None:
    lease_id = make_lease()
    a = make_invoice(lease_id, 100_000, due=date(2026, 3, 1))
    answer = mona.post("/payments/", data=typed(lease_id))
    assert answer.status_code == 303
    page = mona.get(answer.location).text
    assert "€1,500.00" in page
    assert "€500.00" in page
    assert "T-0" in page
    assert fresh_open(a) == [0]
    listed = mona.get("/payments/?state=unused").text
    assert "€500.00" in listed
    assert "March" in listed


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    home: Cast, mona: FlaskClient
) -> None:
    lease_id = make_lease()
    wrong = typed(lease_id, "10,00,0", received_on="2199-01-01", reference="keep me")
    answer = mona.post("/payments/", data=wrong)
    assert answer.status_code == 422
    page = soup(answer.text)
    assert page.select_one("#amount")["aria-invalid"] == "true"  # type: ignore[index]
    assert page.select_one("#amount")["value"] == "10,00,0"  # type: ignore[index]
    assert page.select_one("#reference")["value"] == "keep me"  # type: ignore[index]
    later = mona.post("/payments/", data=typed(lease_id, received_on="2199-01-01"))
    assert later.status_code == 422
    assert (
        "cannot be received in the future" in soup(later.text).select_one("#received_on-error").text
    )  # type: ignore[union-attr]
    assert count() == 0


@pytest.mark.parametrize("text", ["", "nobody at all", "Hanna"])
def test_a_lease_has_to_be_one(home: Cast, mona: FlaskClient, text: str) -> None:
    one = make_lease(None, [make_tenant(name="Hanna A")])
    make_lease(None, [make_tenant(name="Hanna B")])
    answer = mona.post("/payments/", data=typed(one, lease=text))
    assert answer.status_code == 422
    assert soup(answer.text).select_one("#lease-error")
    assert count() == 0


def test_a_tenants_name_is_enough_where_it_is_one(home: Cast, mona: FlaskClient) -> None:
    lease_id = make_lease(None, [make_tenant(name="Søren Østergård")])
    assert mona.post("/payments/", data=typed(lease_id, lease="østerg")).status_code == 303
    options = mona.get("/payments/leases?lease=østerg").text
    assert reference_of(lease_id) in options


def test_the_preview_shows_what_would_be_paid_and_changes_nothing(
    home: Cast, mona: FlaskClient
) -> None:
    lease_id = make_lease()
    a = make_invoice(lease_id, 100_000, due=date(2026, 3, 1))
    answer = mona.post("/payments/preview", data=typed(lease_id), headers={"HX-Request": "true"})
    assert answer.text.startswith('<div id="preview">')
    assert "€1,000.00 settles 1 document; €500.00 stays credit" in answer.text
    whole = mona.post("/payments/preview", data=typed(lease_id))
    assert whole.status_code == 200
    assert "<html" in whole.text
    assert (count(), fresh_open(a)) == (0, [100_000])


def test_by_hand(home: Cast, mona: FlaskClient) -> None:
    lease_id = make_lease()
    a = make_invoice(lease_id, 100_000, due=date(2026, 3, 1))
    b = make_invoice(lease_id, 100_000, due=date(2026, 4, 1), issued=date(2026, 3, 1))
    values = typed(lease_id, how="hand") | {f"allocation-{b}": "700.00", f"allocation-{a}": ""}
    assert mona.post("/payments/", data=values).status_code == 303
    assert fresh_open(a, b) == [100_000, 30_000]


def test_too_much_by_hand_is_told_beside_the_amount(home: Cast, mona: FlaskClient) -> None:
    lease_id = make_lease()
    a = make_invoice(lease_id, 100_000, due=date(2026, 3, 1))
    values = typed(lease_id, how="hand") | {f"allocation-{a}": "1000.01"}
    answer = mona.post("/payments/", data=values)
    assert answer.status_code == 422
    error = soup(answer.text).select_one(f"#allocation-{a}-error")
    assert error is not None
    assert "more than is open" in error.text
    assert count() == 0


def test_a_deposit_is_received_on_its_own_line(home: Cast, mona: FlaskClient) -> None:
    lease_id = make_lease(deposit=200_000)
    today = date(2026, 3, 1)
    begin_write()
    request_id = request_deposit(lease_id, 200_000, today, today=today, actor=actor()).id
    db.session.commit()
    page = mona.post("/payments/preview", data=typed(lease_id))
    assert f'name="deposit-{request_id}"' in page.text
    values = typed(lease_id, "2500.00") | {f"deposit-{request_id}": "2000.00"}
    answer = mona.post("/payments/", data=values)
    assert fresh_open(request_id) == [0]
    assert "Deposit" in mona.get(answer.location).text
    assert "€2,000.00" in mona.get(f"/billing/leases/{lease_id}/deposit").text


def test_one_receipt_is_split_over_leases(home: Cast, mona: FlaskClient) -> None:
    one, two = make_lease(), make_lease()
    a, b = make_invoice(one, due=date(2026, 3, 1)), make_invoice(two, due=date(2026, 3, 1))
    split = {"share_lease-1": reference_of(two), "share_amount-1": "600"}
    answer = mona.post("/payments/", data=typed(one, "1600") | split)
    assert answer.status_code == 303
    assert fresh_open(a, b) == [0, 40_000]
    assert "Other parts of this receipt" in mona.get(answer.location).text


@pytest.mark.parametrize(
    ("lease", "amount"), [("nobody", "10"), ("", "10"), ("own", "10"), ("two", ""), ("two", "1500")]
)
def test_a_split_that_cannot_be(home: Cast, mona: FlaskClient, lease: str, amount: str) -> None:
    one, two = make_lease(), make_lease()
    name = {"own": reference_of(one), "two": reference_of(two)}.get(lease, lease)
    split = {"share_lease-1": name, "share_amount-1": amount}
    assert mona.post("/payments/", data=typed(one) | split).status_code == 422
    assert count() == 0


def test_a_possible_double_asks_and_is_recorded_when_confirmed(
    home: Cast, mona: FlaskClient
) -> None:
    lease_id = make_lease()
    mona.post("/payments/", data=typed(lease_id))
    asked = mona.post("/payments/", data=typed(lease_id))
    assert asked.status_code == 422
    assert soup(asked.text).select_one('input[type="checkbox"][name="confirmed"]')
    assert count() == 1
    assert mona.post("/payments/", data=typed(lease_id, confirmed="y")).status_code == 303
    assert count() == 2


def record(mona: FlaskClient, lease_id: int, amount: str = "1500.00") -> int:
    answer = mona.post("/payments/", data=typed(lease_id, amount))
    return int(answer.location.rpartition("/")[2])


def test_a_payment_is_reversed_with_a_reason(home: Cast, mona: FlaskClient) -> None:
    lease_id = make_lease()
    a = make_invoice(lease_id, 100_000, due=date(2026, 3, 1))
    payment_id = record(mona, lease_id)
    address = f"/payments/{payment_id}/reversal"
    without = mona.post(address, data={"on": "2026-03-05", "reason": " "})
    assert without.status_code == 422
    assert "Say why" in without.text
    early = mona.post(address, data={"on": "2026-03-01", "reason": "No funds"})
    assert early.status_code == 422
    assert "before it was received" in early.text
    assert mona.post(address, data={"on": "2026-03-05", "reason": "No funds"}).status_code == 303
    assert fresh_open(a) == [100_000]
    page = mona.get(f"/payments/{payment_id}").text
    assert "No funds" in page
    assert "Reversed" in page
    assert mona.post(address, data={"on": "2026-03-05", "reason": "Again"}).status_code == 422
    assert "Reversed" in mona.get("/payments/?state=reversed").text


def test_an_allocation_is_released_and_the_rest_used_again(home: Cast, mona: FlaskClient) -> None:
    lease_id = make_lease()
    a = make_invoice(lease_id, 100_000, due=date(2026, 3, 1))
    payment_id = record(mona, lease_id, "1000")
    db.session.rollback()
    allocation_id = db.session.scalars(select(Allocation.id)).one()
    address = f"/payments/{payment_id}"
    assert mona.post(f"{address}/releases", data={"allocation": allocation_id}).status_code == 303
    assert fresh_open(a) == [100_000]
    too_much = mona.post(f"{address}/allocations", data={f"allocation-{a}": "2000", "how": "hand"})
    assert too_much.status_code == 422
    assert "more than is open" in too_much.text
    mona.post(f"{address}/allocations", data={f"allocation-{a}": "300", "how": "hand"})
    assert fresh_open(a) == [70_000]
    mona.post(f"{address}/allocations", data={"how": "oldest"})
    assert fresh_open(a) == [0]
    again = mona.post(f"{address}/releases", data={"allocation": allocation_id})
    assert again.status_code == 422


def grid(*rows: dict[str, str], **more: str) -> dict[str, str]:
    values = {"rows": str(len(rows)), "method": "transfer", **more}
    for place, row in enumerate(rows, 1):
        values |= {f"{name}-{place}": text for name, text in row.items()}
    return values


def test_a_grid_records_all_rows_and_copies_the_day_down(home: Cast, mona: FlaskClient) -> None:
    one, two = make_lease(), make_lease()
    a, b = make_invoice(one, due=date(2026, 3, 1)), make_invoice(two, due=date(2026, 3, 1))
    rows = grid(
        {"day": DAY, "lease": reference_of(one), "amount": "1000"},
        {"day": "", "lease": reference_of(two), "amount": "999,50", "reference": "R 2"},
        {"day": "", "lease": "", "amount": ""},
    )
    assert mona.post("/payments/batches/", data=rows).status_code == 303
    assert fresh_open(a, b) == [0, 50]
    days = db.session.scalars(select(Payment.received_on)).all()
    assert days == [date(2026, 3, 2)] * 2


def test_a_grid_says_beside_each_field_what_is_wrong_and_saves_nothing(
    home: Cast, mona: FlaskClient
) -> None:
    lease_id = make_lease()
    rows = grid(
        {"day": DAY, "lease": reference_of(lease_id), "amount": "1000"},
        {"day": "2199-01-01", "lease": "nobody", "amount": "x"},
        {"day": "never", "lease": reference_of(lease_id), "amount": ""},
    )
    answer = mona.post("/payments/batches/", data=rows)
    assert answer.status_code == 422
    page = soup(answer.text)
    for field in ("day-2", "lease-2", "amount-2", "day-3", "amount-3"):
        assert page.select_one(f"#{field}-error"), field
    assert not page.select_one("#lease-1-error")
    assert page.select_one("#amount-2")["value"] == "x"  # type: ignore[index]
    assert count() == 0
    assert mona.post("/payments/batches/", data=grid({})).status_code == 422


def test_a_grid_asks_about_doubles_row_by_row(home: Cast, mona: FlaskClient) -> None:
    lease_id = make_lease()
    row = {"day": DAY, "lease": reference_of(lease_id), "amount": "10", "reference": "same"}
    answer = mona.post("/payments/batches/", data=grid(row, row))
    assert answer.status_code == 422
    assert soup(answer.text).select_one("#confirmed-2")
    assert not soup(answer.text).select_one("#confirmed-1")
    confirmed = grid(row, row) | {"confirmed-2": "1"}
    assert mona.post("/payments/batches/", data=confirmed).status_code == 303
    assert count() == 2


def test_a_grid_grows_and_checks_single_rows(home: Cast, mona: FlaskClient) -> None:
    lease_id = make_lease()
    make_invoice(lease_id, 100_000, due=date(2026, 3, 1))
    row = {"day": DAY, "lease": reference_of(lease_id), "amount": "10"}
    grown = mona.post("/payments/batches/", data=grid(row, more="1"))
    assert grown.status_code == 200
    assert soup(grown.text).select_one("#lease-13") is not None
    note = mona.post(
        "/payments/batches/row", data={"row": "4"} | {f"{k}-4": v for k, v in row.items()}
    ).text
    assert 'id="note-4"' in note
    assert "owes €1,000.00" in note
    assert mona.post("/payments/batches/row", data={"x": "y"}).status_code == 404
    assert count() == 0


def test_the_exports_have_every_row(home: Cast, mona: FlaskClient) -> None:
    record(mona, make_lease(), "1234.50")
    text = mona.get("/payments.csv").text
    assert "1234.50" in text
    assert "March" in text
    assert mona.get("/payments.xlsx").status_code == 200


def test_a_viewer_reads_and_changes_nothing(
    home: Cast, mona: FlaskClient, sign_in: Callable[[str], FlaskClient]
) -> None:
    payment_id = record(mona, make_lease())
    vera = sign_in("vera")
    page = vera.get(f"/payments/{payment_id}").text
    assert "March" in page
    assert "Reverse payment" not in page
    assert "Record payment" not in vera.get("/payments/").text
    for address in ("/payments/new", "/payments/batches/new"):
        assert vera.get(address).status_code == 403
    for address in ("/payments/", f"/payments/{payment_id}/reversal", "/payments/batches/"):
        assert vera.post(address).status_code == 403


def test_an_outsider_sees_nothing(
    home: Cast, mona: FlaskClient, sign_in: Callable[[str], FlaskClient]
) -> None:
    lease_id = make_lease()
    payment_id = record(mona, lease_id)
    charlie = sign_in("charlie")
    assert charlie.get(f"/payments/{payment_id}").status_code == 404
    assert charlie.get(f"/billing/leases/{lease_id}/deposit").status_code == 404
    assert "March" not in charlie.get("/payments/").text
    assert reference_of(lease_id) not in charlie.get("/payments/leases?lease=L-").text
    reason = {"on": DAY, "reason": "mine"}
    assert charlie.post(f"/payments/{payment_id}/reversal", data=reason).status_code == 404
    assert charlie.post("/payments/", data=typed(lease_id)).status_code == 422


def test_a_deposit_is_requested(home: Cast, mona: FlaskClient) -> None:
    lease_id = make_lease(deposit=200_000)
    form = mona.get(f"/billing/leases/{lease_id}/deposit-requests/new").text
    assert 'value="2000.00"' in form
    address = f"/billing/leases/{lease_id}/deposit-requests"
    assert mona.post(address, data={"amount": "", "due_on": ""}).status_code == 422
    late = mona.post(address, data={"amount": "5", "due_on": "2020-01-01"})
    assert late.status_code == 422
    assert "past" in late.text
    made = mona.post(address, data={"amount": "2000", "due_on": "2190-01-01"})
    assert made.status_code == 303
    shown = mona.get(f"/billing/leases/{lease_id}/deposit", headers={"HX-Request": "true"}).text
    assert shown.startswith('<div id="deposit">')
    assert "DR-" in shown
