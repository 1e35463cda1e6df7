"""Indexes and clauses as people meet them: written, corrected, agreed, changed, taken away."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from sqlalchemy import select

from proman.db import begin_write, db, utc_now
from proman.leases.index_actions import Agreed, agree_clause, index_rents, save_series, save_value
from proman.leases.index_models import IndexClause, IndexSeries, IndexValue
from proman.leases.index_queries import the_candidate
from proman.leases.indexing import Indexation
from proman.leases.queries import the_lease
from tests.conftest import Cast
from tests.factories import make_lease
from tests.money import actor

SERIES = "/leases/indexes"
TODAY = utc_now().date()
VPI = "Verbraucherpreisindex, 2020 = 100"
BASE, NEW = date(2024, 1, 1), date(2025, 1, 1)
CLAUSE = {
    "base_month": "2024-01",
    "takes_effect": "month",
    "notice_months": "1",
    "hold_months": "12",
    "threshold": "",
    "unchanged_since": "",
}


def make_series(name: str = VPI, *, values: bool = True) -> int:
    """Destatis: 117.6 in January 2024, 120.3 in January 2025."""
    begin_write()
    series = save_series(IndexSeries(), name).id
    published = ((BASE, 117_600, date(2024, 2, 9)), (NEW, 120_300, date(2025, 2, 13)))
    for month, thousandths, day in published if values else ():
        save_value(IndexValue(series_id=series), month, thousandths, day, today=TODAY)
    db.session.commit()
    return series


def agree(lease: int, series: int, **changes: object) -> None:
    begin_write()
    agreed = Agreed(**{"series_id": series, "base_month": BASE} | changes)  # type: ignore[arg-type]
    agree_clause(the_lease(lease), agreed, today=TODAY, actor=actor())
    db.session.commit()


def index_now(lease: int) -> int:
    """Index the lease's rent by a notice of today; returns the new rent."""
    begin_write()
    found = the_candidate(lease, TODAY).outcome
    assert isinstance(found, Indexation)
    index_rents({lease: found.new_rent}, TODAY, today=TODAY, actor=actor())
    db.session.commit()
    return found.new_rent


def values_of(series: int) -> list[tuple[str, int, str]]:
    db.session.rollback()
    rows = db.session.scalars(
        select(IndexValue).where(IndexValue.series_id == series).order_by(IndexValue.id)
    )
    return [(f"{row.month:%Y-%m}", row.value, row.published_on.isoformat()) for row in rows]


def clause_of(lease: int) -> IndexClause | None:
    db.session.rollback()
    return the_lease(lease).index_clause


def errors_of(page: str) -> set[str]:
    found = BeautifulSoup(page, "lxml").select(".field-error[id]")
    return {str(one["id"]).removesuffix("-error") for one in found}


def typed(month: str = "2025-01", value: str = "120,3", day: str = "2025-02-13") -> dict[str, str]:
    return {"month": month, "value": value, "published_on": day}


def test_an_index_and_its_values_are_written(home: Cast, mona: FlaskClient) -> None:
    assert "No index yet" in mona.get(f"{SERIES}/").text
    answer = mona.post(f"{SERIES}/", data={"name": VPI})
    assert answer.status_code == 303
    assert "No value yet" in mona.get(answer.location).text
    for values in (typed("2024-01", "117.6", "2024-02-09"), typed()):
        assert mona.post(f"{answer.location}/values", data=values).status_code == 303
    page = mona.get(answer.location).text
    for part in ("January 2024", "117.6", "9 Feb 2024", "January 2025", "120.3"):
        assert part in page
    row = BeautifulSoup(mona.get(f"{SERIES}/").text, "lxml").select_one("table.ledger tbody tr")
    assert row is not None
    assert row.get_text(" ", strip=True) == f"{VPI} January 2025 2 0"


def test_an_index_is_renamed_and_has_its_name_alone(home: Cast, mona: FlaskClient) -> None:
    first, second = make_series(), make_series("CPI, 2015 = 100")
    answer = mona.post(f"{SERIES}/{second}", data={"name": VPI})
    assert (answer.status_code, errors_of(answer.text)) == (422, {"name"})
    assert mona.post(f"{SERIES}/{second}", data={"name": "CPI"}).status_code == 303
    assert "CPI" in mona.get(f"{SERIES}/{second}/edit").text
    assert mona.post(f"{SERIES}/{first}", data={"name": VPI}).status_code == 303
    for wrong in ("", "x" * 121, VPI):
        answer = mona.post(f"{SERIES}/", data={"name": wrong})
        assert (answer.status_code, errors_of(answer.text)) == (422, {"name"})


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (typed(month=""), "month"),
        (typed(month="January"), "month"),
        (typed(month="2025-13"), "month"),
        (typed(month="1812-01"), "month"),
        (typed(value=""), "value"),
        (typed(value="0"), "value"),
        (typed(value="-1"), "value"),
        (typed(value="120.3456"), "value"),
        (typed(value="1,234"), "value"),
        (typed(value="1000000.1"), "value"),
        (typed(day=""), "published_on"),
        (typed(day="2024-12-31"), "published_on"),
        (typed(day="2199-01-01"), "published_on"),
        (typed("2024-01", "117.7", "2024-02-09"), "month"),
    ],
)
def test_what_cannot_be_a_value_is_said_beside_its_field(
    home: Cast, mona: FlaskClient, wrong: dict[str, str], field: str
) -> None:
    series = make_series()
    answer = mona.post(f"{SERIES}/{series}/values", data=wrong)
    assert (answer.status_code, errors_of(answer.text)) == (422, {field})
    assert len(values_of(series)) == 2


def test_a_value_is_corrected_until_a_rent_was_reckoned_from_it(
    home: Cast, mona: FlaskClient
) -> None:
    series, lease = make_series(), make_lease(first_day=BASE)
    newest = db.session.scalars(select(IndexValue.id).order_by(IndexValue.id.desc())).first()
    here = f"{SERIES}/{series}/values/{newest}"
    assert 'value="120.3"' in mona.get(here).text
    assert mona.post(here, data=typed(value="120.4")).status_code == 303
    assert values_of(series)[1][1] == 120_400
    answer = mona.post(here, data=typed(value=""))
    assert (answer.status_code, errors_of(answer.text)) == (422, {"value"})
    agree(lease, series)
    index_now(lease)
    assert "This value stays as it is" in mona.get(here).text
    assert mona.post(here, data=typed()).status_code == 422
    mona.post(f"{here}/removal")
    assert values_of(series)[1] == ("2025-01", 120_400, "2025-02-13")
    # What is published anew stands beside it, and is free to go again.
    assert (
        mona.post(
            f"{SERIES}/{series}/values", data=typed(value="120.5", day="2025-03-01")
        ).status_code
        == 303
    )
    assert values_of(series)[2][1] == 120_500
    again = db.session.scalars(select(IndexValue.id).order_by(IndexValue.id.desc())).first()
    assert mona.post(f"{SERIES}/{series}/values/{again}/removal").status_code == 303
    assert len(values_of(series)) == 2


def test_many_values_come_page_by_page(home: Cast, mona: FlaskClient) -> None:
    series = make_series(values=False)
    begin_write()
    for number in range(130):
        month = date(2010 + number // 12, number % 12 + 1, 1)
        save_value(IndexValue(series_id=series), month, 100_000 + number, month, today=TODAY)
    db.session.commit()
    first = mona.get(f"{SERIES}/{series}").text
    assert "Page 1 of 3" in first
    assert "October 2020" in first
    assert "January 2010" in mona.get(f"{SERIES}/{series}?page=3").text


def test_a_clause_is_agreed_changed_and_taken_away(home: Cast, mona: FlaskClient) -> None:
    lease = make_lease(first_day=BASE)
    here = f"/leases/{lease}/index-clause"
    assert "First write down the index" in mona.get(here).text
    series = make_series()
    assert "The rent goes by no index." in mona.get(f"/leases/{lease}").text
    assert mona.post(here, data={"series_id": str(series), **CLAUSE}).status_code == 303
    page = mona.get(f"/leases/{lease}").text
    agreed = f"{VPI}, base January 2024, from the month after next, unchanged for 12 months"
    assert page.count(agreed) == 2  # in the terms and on the time line
    form = BeautifulSoup(mona.get(here).text, "lxml")
    month = form.select_one("input[name=base_month]")
    assert month is not None
    assert month["value"] == "2024-01"
    changed = CLAUSE | {"threshold": "5", "up_only": "y", "notice_months": "0"}
    assert mona.post(here, data={"series_id": str(series), **changed}).status_code == 303
    clause = clause_of(lease)
    assert clause is not None
    assert (clause.threshold, clause.up_only, clause.notice_months) == (5_000, True, 0)
    assert "from a change of 5" in mona.get(f"/leases/{lease}").text
    assert mona.post(f"{here}/removal").status_code == 303
    assert "Index clause taken away" in mona.get(f"/leases/{lease}").text
    assert clause_of(lease) is None
    assert "has no index clause" in mona.post(f"{here}/removal", follow_redirects=True).text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"base_month": ""}, "base_month"),
        ({"base_month": "soon"}, "base_month"),
        ({"notice_months": ""}, "notice_months"),
        ({"notice_months": "25"}, "notice_months"),
        ({"hold_months": "121"}, "hold_months"),
        ({"hold_months": "a year"}, "hold_months"),
        ({"threshold": "101"}, "threshold"),
        ({"takes_effect": "never"}, "takes_effect"),
        ({"series_id": "0"}, "series_id"),
        ({"unchanged_since": "2025-02-30"}, "unchanged_since"),
    ],
)
def test_what_cannot_be_agreed_is_said_beside_its_field(
    home: Cast, mona: FlaskClient, wrong: dict[str, str], field: str
) -> None:
    series, lease = make_series(), make_lease(first_day=BASE)
    data = {"series_id": str(series)} | CLAUSE | wrong
    answer = mona.post(f"/leases/{lease}/index-clause", data=data)
    assert (answer.status_code, errors_of(answer.text)) == (422, {field})
    assert clause_of(lease) is None


def test_two_who_change_a_clause_at_once_keep_both_changes(home: Cast, mona: FlaskClient) -> None:
    series, lease = make_series(), make_lease(first_day=BASE)
    agree(lease, series)
    here = f"/leases/{lease}/index-clause"
    before = BeautifulSoup(mona.get(here).text, "lxml").select_one("input[name=before]")
    assert before is not None
    shown = {"series_id": str(series), "before": str(before["value"])} | CLAUSE
    assert mona.post(here, data=shown | {"threshold": "5"}).status_code == 303
    assert mona.post(here, data=shown | {"hold_months": "24"}).status_code == 303
    clause = clause_of(lease)
    assert clause is not None
    assert (clause.threshold, clause.hold_months) == (5_000, 24)
    assert mona.post(here, data=shown | {"hold_months": "36"}).status_code == 422


def test_a_lease_that_has_ended_agrees_on_nothing(home: Cast, mona: FlaskClient) -> None:
    lease = make_lease(first_day=BASE, status="ended", ended_on=NEW)
    data = {"series_id": str(make_series())} | CLAUSE
    answer = mona.post(f"/leases/{lease}/index-clause", data=data)
    assert (answer.status_code, "This lease has ended" in answer.text) == (422, True)
    assert "Agree on an index" not in mona.get(f"/leases/{lease}").text


def test_a_lease_that_will_end_agrees_until_its_last_day(home: Cast, mona: FlaskClient) -> None:
    lease = make_lease(first_day=BASE, status="ended", ended_on=TODAY + timedelta(days=1))
    page = mona.get(f"/leases/{lease}").text
    assert "Agree on an index" in page
    assert "Change the rent" in page
    data = {"series_id": str(make_series())} | CLAUSE
    assert mona.post(f"/leases/{lease}/index-clause", data=data).status_code == 303
    assert "Next rent" in mona.get(f"/leases/{lease}").text


def test_a_draft_takes_its_clause_along(home: Cast, mona: FlaskClient) -> None:
    series, lease = make_series(), make_lease(first_day=BASE, status="draft")
    agree(lease, series)
    answer = mona.post(f"/leases/{lease}/discarding", follow_redirects=True)
    assert "was discarded" in answer.text
    assert db.session.scalars(select(IndexClause)).all() == []


def test_who_may_not_does_not(home: Cast, sign_in: Callable[[str], FlaskClient]) -> None:
    series, lease = make_series(), make_lease(first_day=BASE)
    agree(lease, series)
    vera, charlie = sign_in("vera"), sign_in("charlie")
    assert VPI in vera.get(f"{SERIES}/{series}").text
    assert "Keep this value" not in vera.get(f"{SERIES}/{series}").text
    for address in (f"{SERIES}/{series}/edit", f"/leases/{lease}/index-clause"):
        assert vera.get(address).status_code == 403
        assert charlie.get(address).status_code == 404
    assert vera.post(f"{SERIES}/{series}/values", data=typed()).status_code == 403
    assert charlie.post(f"{SERIES}/{series}/values", data=typed("2025-02")).status_code == 404
    own = {"series_id": str(series)} | CLAUSE
    assert charlie.post(f"/leases/{lease}/index-clause", data=own).status_code == 404
    assert VPI not in charlie.get(f"{SERIES}/").text
