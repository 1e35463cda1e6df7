"""Whose rents are to be indexed, and what comes of it: rents, base, invoices, notices."""

import io
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import Update, select, update

from proman.base.period import add_months
from proman.db import begin_write, db
from proman.leases.actions import change_rent
from proman.leases.index_actions import save_value
from proman.leases.index_models import IndexValue, RentIndexation
from proman.leases.indexing import Clause, effective_day
from proman.leases.models import Rent
from proman.leases.queries import the_lease
from proman.web.filters import day as day_text
from tests.billing.books import breaches, invoices, run
from tests.conftest import Cast
from tests.factories import make_lease, make_tenant
from tests.leases.test_index_views import BASE, NEW, TODAY, VPI, agree, index_now, make_series
from tests.money import actor

PAGE = "/leases/indexation/"
FROM = effective_day(Clause(BASE), BASE, TODAY)


def make_indexed(name: str = "Zoë Müller", **changes: object) -> int:
    """A lease of 1,000.00 since January 2024 that goes by the index of that month."""
    lease = make_lease(tenant_ids=[make_tenant(name=name)], first_day=BASE)
    series = changes.pop("series_id", None)
    agree(lease, int(series) if series else make_series(), **changes)  # type: ignore[call-overload]
    return lease


def rents_of(lease: int) -> list[tuple[date, int]]:
    db.session.rollback()
    return [(rent.effective_from, rent.amount) for rent in the_lease(lease).rents]


def post(client: FlaskClient, *chosen: str, notice: date = TODAY, **more: str) -> tuple[int, str]:
    data = {"lease": list(chosen), "notice": notice.isoformat(), **more}
    answer = client.post(PAGE, data=data, follow_redirects=True)
    return answer.status_code, " ".join(BeautifulSoup(answer.text, "lxml").get_text(" ").split())


@pytest.mark.engines
def test_a_manager_looks_and_indexes(home: Cast, mona: FlaskClient) -> None:
    assert "No lease goes by an index" in mona.get(PAGE).text
    lease = make_indexed()
    page = BeautifulSoup(mona.get(PAGE).text, "lxml").select_one("table.ledger tbody tr")
    assert page is not None
    said = page.get_text(" ", strip=True)
    for part in ("Zoë Müller", "117.6", "January 2024", "120.3", "€1,000.00", "€1,022.96"):
        assert part in said
    one = mona.get(f"/leases/{lease}/indexation").text
    for part in (
        "€1,000.00 × 120.3 ÷ 117.6 = €1,022.96",
        VPI,
        "published on 9 Feb 2024",
        "published on 13 Feb 2025",
    ):
        assert part in one
    status, text = post(mona, f"{lease}:102296")
    assert (status, "1 rent was indexed." in text) == (200, True)
    assert rents_of(lease) == [(BASE, 100_000), (FROM, 102_296)]
    (made,) = db.session.scalars(select(RentIndexation))
    assert (made.old_rent, made.new_rent, made.notice_day) == (100_000, 102_296, TODAY)
    page = mona.get(f"/leases/{lease}").text
    assert "Rent indexed from" in page
    assert page.count("€1,000.00 × 120.3 ÷ 117.6 = €1,022.96") == 2
    assert "base January 2025" in page
    assert "Zoë Müller" in mona.get("/leases/indexation/made").text
    assert "120300" in mona.get("/leases/indexation/made.csv").text
    assert "No value newer than January 2025" in mona.get(f"{PAGE}?show=waiting").text
    # Pressed twice, it is done once, and the second is told why.
    status, text = post(mona, f"{lease}:102296")
    assert (status, "No value newer" in text, len(rents_of(lease))) == (422, True, 2)


def test_the_next_one_begins_where_the_last_ended(home: Cast, mona: FlaskClient) -> None:
    series = make_series()
    lease = make_indexed(series_id=series, hold_months=0)
    index_now(lease)
    begin_write()
    for thousandths, month, day in (
        # January 2025 as it might be corrected later, and a newer month.
        (121_000, date(2025, 1, 1), date(2025, 8, 1)),
        (122_700, date(2025, 9, 1), date(2025, 10, 14)),
    ):
        save_value(IndexValue(series_id=series), month, thousandths, day, today=TODAY)
    db.session.commit()
    assert "Another rent is set" not in mona.get(f"/leases/{lease}/indexation").text
    # 1,022.96 × 122.7 ÷ 120.3: by the value that was used, not by its correction.
    assert index_now(lease) == 104_337
    assert "€1,022.96 × 122.7 ÷ 120.3 = €1,043.37" in mona.get(f"/leases/{lease}").text


def test_the_list_follows_what_is_agreed(home: Cast, mona: FlaskClient) -> None:
    series = make_series()
    lease = make_indexed(series_id=series)
    assert len(rows_of(mona.get(PAGE).text)) == 1
    changed_on = TODAY - timedelta(days=30)
    agree(lease, series, unchanged_since=changed_on)
    assert rows_of(mona.get(PAGE).text) == []
    assert "The rent may change from" in mona.get(f"{PAGE}?show=waiting").text
    assert f"the rent last changed on {day_text(changed_on)}" in mona.get(f"/leases/{lease}").text


def rows_of(page: str) -> list[object]:
    return list(BeautifulSoup(page, "lxml").select("table.ledger tbody tr"))


def test_one_that_was_a_mistake_is_set_back_and_made_anew(home: Cast, mona: FlaskClient) -> None:
    series = make_series()
    lease = make_indexed(series_id=series)
    index_now(lease)
    begin_write()
    change_rent(the_lease(lease), 100_000, FROM, actor=actor())
    db.session.commit()
    agree(lease, series)
    # Neither the rent nor how long it held remembers the mistake; the list of those made does.
    assert rents_of(lease) == [(BASE, 100_000), (FROM, 102_296), (FROM, 100_000)]
    assert "€1,000.00 × 120.3 ÷ 117.6 = €1,022.96" in mona.get(f"/leases/{lease}/indexation").text
    assert index_now(lease) == 102_296
    made = BeautifulSoup(mona.get("/leases/indexation/made").text, "lxml")
    assert len(made.select("table.ledger tbody tr")) == 2


def test_all_or_none_and_each_refused_one_is_named(home: Cast, mona: FlaskClient) -> None:
    series = make_series()
    good, held = make_indexed(series_id=series), make_indexed("Ben Ali", series_id=series)
    begin_write()
    held_from = add_months(TODAY.replace(day=1), -3)
    db.session.add(Rent(lease_id=held, effective_from=held_from, amount=110_000))
    db.session.commit()
    status, text = post(mona, f"{good}:102296", f"{held}:102296")
    assert status == 422
    assert "No rent was changed" in text
    assert "(Ben Ali): The rent may change from" in text
    assert "(Zoë Müller)" not in text
    assert len(rents_of(good)) == 1
    again = mona.post(PAGE, data={"lease": [f"{good}:102297"]}).text
    ticked = BeautifulSoup(again, "lxml").select("input[name=lease][checked]")
    assert [box["value"] for box in ticked] == [f"{good}:102296"]
    status, text = post(mona, f"{good}:102297")
    assert (status, "the values changed meanwhile; look again" in text) == (422, True)
    for wrong in ((), ("nonsense",), ("999999:1",), (f"{good}",)):
        assert post(mona, *wrong)[0] == 422
    assert post(mona, f"{good}:102296", notice=TODAY + timedelta(days=9))[0] == 422
    assert len(rents_of(good)) == 1
    assert "1 rent was indexed." in post(mona, everything="yes", shown=shown(mona))[1]
    assert rents_of(good)[-1] == (FROM, 102_296)


def shown(client: FlaskClient) -> str:
    mark = BeautifulSoup(client.get(PAGE).text, "lxml").select_one("input[name=shown]")
    assert mark is not None
    return str(mark["value"])


def test_all_are_what_was_shown_or_none(home: Cast, mona: FlaskClient) -> None:
    series = make_series()
    first = make_indexed(series_id=series)
    seen = shown(mona)
    second = make_indexed("Ben Ali", series_id=series)
    for mark in (seen, ""):
        status, text = post(mona, everything="yes", shown=mark)
        assert (status, "changed since it was shown; look again" in text) == (422, True)
    seen = shown(mona)
    begin_write()
    # The same month as it was corrected today: both rents would become others.
    save_value(IndexValue(series_id=series), NEW, 120_900, TODAY, today=TODAY)
    db.session.commit()
    assert post(mona, everything="yes", shown=seen)[0] == 422
    assert [len(rents_of(each)) for each in (first, second)] == [1, 1]
    assert "2 rents were indexed." in post(mona, everything="yes", shown=shown(mona))[1]
    assert [rents_of(each)[-1][1] for each in (first, second)] == [102_806, 102_806]


def test_a_lease_that_will_end_is_indexed_until_then(home: Cast, mona: FlaskClient) -> None:
    series = make_series()
    long, short = make_indexed(series_id=series), make_indexed("Ben Ali", series_id=series)
    last = FROM - timedelta(days=1)
    begin_write()
    for lease, day in ((long, FROM), (short, last)):
        the_lease(lease).status, the_lease(lease).ended_on = "ended", day
    db.session.commit()
    why = f"The lease ends on {day_text(last)}"
    assert why in mona.get(f"{PAGE}?show=waiting").text
    assert why in mona.get(f"/leases/{short}/indexation").text
    assert mona.get(f"/leases/{short}/indexation?notice={FROM}").status_code == 404
    assert "1 rent was indexed." in post(mona, everything="yes", shown=shown(mona))[1]
    assert rents_of(long)[-1] == (FROM, 102_296)


def test_a_rent_that_waits_for_the_next_period_holds_from_there(
    home: Cast, mona: FlaskClient
) -> None:
    lease = make_lease(first_day=BASE, frequency="quarterly")
    agree(lease, make_series())
    begin_write()
    second = date(2026, 2, 10)
    db.session.add(Rent(lease_id=lease, effective_from=second, amount=200_000, change="defer"))
    db.session.commit()
    # From 1 April 2026, so a year later: a notice of 1 February would be for 1 April.
    notice = "notice=2027-01-20"
    text = "The rent may change from 1 Apr 2027 on; by this notice it would on 1 Mar 2027."
    assert text in mona.get(f"/leases/{lease}/indexation?{notice}").text
    assert "€2,045.92" in mona.get(f"/leases/{lease}/indexation?notice=2027-02-20").text


def test_a_day_to_come_only_previews_and_another_finds_what_was_known(
    home: Cast, mona: FlaskClient
) -> None:
    make_indexed()
    ahead = mona.get(f"{PAGE}?notice={TODAY + timedelta(days=40)}").text
    assert "Preview of" in ahead
    assert "Set new rents" not in ahead
    assert "No value newer" in mona.get(f"{PAGE}?notice=2025-02-12&show=waiting").text
    assert "€1,022.96" in mona.get(f"{PAGE}?notice=2025-02-13").text
    assert "€1,022.96" in mona.get(f"{PAGE}?q=müll").text
    assert "No lease fits" in mona.get(f"{PAGE}?q=nobody").text
    assert mona.get(f"{PAGE}?notice=never").status_code == 422
    assert mona.get("/leases/999999/indexation").status_code == 404


def test_the_tax_stays_and_the_next_invoices_are_shown(home: Cast, mona: FlaskClient) -> None:
    lease = make_indexed()
    begin_write()
    rent = the_lease(lease).rents[0]
    rent.tax_rate, rent.gross = 19_000, True
    db.session.commit()
    form = BeautifulSoup(mona.get(f"/leases/{lease}/indexation").text, "lxml").select_one(
        "#index-form"
    )
    assert form is not None
    sent = {str(each["name"]): str(each["value"]) for each in form.select("input")}
    assert sent["tax_rate"] == "19000"
    index_now(lease)
    assert [(each.tax_rate, each.gross) for each in the_lease(lease).rents] == [(19_000, True)] * 2


def test_the_preview_holds_the_new_rent(home: Cast, mona: FlaskClient) -> None:
    lease = make_indexed()
    run(TODAY, TODAY)
    form = BeautifulSoup(mona.get(f"/leases/{lease}/indexation").text, "lxml").select_one(
        "#index-form"
    )
    assert form is not None
    sent = {str(each["name"]): str(each["value"]) for each in form.select("input")}
    preview = mona.post(str(form["action"]), data=sent).text
    assert preview.count("1,022.96 for the whole period") == 3


def test_an_invoice_line_opens_to_both_values(home: Cast, mona: FlaskClient) -> None:
    lease = make_indexed()
    index_now(lease)
    run(FROM, FROM)
    first, last = (invoices(lease_id=lease)[at] for at in (0, -1))
    assert last.total == 102_296
    page = BeautifulSoup(mona.get(f"/invoices/{last.id}").text, "lxml").get_text(" ", strip=True)
    assert "1,000.00 × 120.3 ÷ 117.6 =" in page
    assert "January 2025, published on 13 Feb 2025, by January 2024" in page
    assert "× 120.3" not in mona.get(f"/invoices/{first.id}").text


def test_the_notice_says_all_that_the_law_asks_for(home: Cast, mona: FlaskClient) -> None:
    series = make_series()
    leases = [make_indexed(series_id=series), make_indexed("Ben Ali", series_id=series)]
    for lease in leases:
        index_now(lease)
    ids = db.session.scalars(select(RentIndexation.id).order_by(RentIndexation.id)).all()
    answer = mona.get("/billing/rent-notices.pdf?" + "&".join(f"indexation={key}" for key in ids))
    assert answer.mimetype == "application/pdf"
    pages = [
        " ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(answer.data)).pages
    ]
    assert len(pages) == 2
    for part in (
        "Zoë Müller",
        VPI,
        "Base index, January 2024",
        "published on 9 Feb 2024",
        "New index, January 2025",
        "1,000.00 × 120.3 ÷ 117.6 = 1,022.96",
        "€1,022.96",
    ):
        assert part in pages[0]
    assert "Ben Ali" in pages[1]
    assert mona.get("/billing/rent-notices.pdf").status_code == 422
    assert mona.get("/billing/rent-notices.pdf?indexation=999999").status_code == 404


def test_others_neither_see_nor_index(
    home: Cast, mona: FlaskClient, sign_in: Callable[[str], FlaskClient]
) -> None:
    lease = make_indexed()
    vera, charlie = sign_in("vera"), sign_in("charlie")
    assert "€1,022.96" in vera.get(PAGE).text
    assert "Set new rents" not in vera.get(PAGE).text
    assert post(vera, f"{lease}:102296")[0] == 403
    assert "Zoë" not in charlie.get(PAGE).text
    assert post(charlie, f"{lease}:102296")[0] == 422
    index_now(lease)
    (made,) = db.session.scalars(select(RentIndexation.id))
    assert charlie.get(f"/billing/rent-notices.pdf?indexation={made}").status_code == 404
    assert vera.get(f"/billing/rent-notices.pdf?indexation={made}").status_code == 200


@pytest.mark.engines
@pytest.mark.parametrize(
    ("broken", "invariant"),
    [
        (update(IndexValue).values(value=IndexValue.value + 700), "rent × new index ÷ base index"),
        (update(Rent).values(amount=1), "rent × new index ÷ base index"),
        (update(IndexValue).values(published_on=date(2199, 1, 1)), "published by the day"),
    ],
)
def test_the_doctor_proves_it(home: Cast, broken: Update, invariant: str) -> None:
    index_now(make_indexed())
    assert breaches() == []
    begin_write()
    of_one = IndexValue.month == NEW if "index_values" in str(broken) else Rent.amount == 102_296
    db.session.execute(broken.where(of_one).execution_options(synchronize_session=False))
    db.session.commit()
    (found,) = breaches()
    assert invariant in found.invariant
