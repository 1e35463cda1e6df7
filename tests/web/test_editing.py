"""Two who edit one record at the same time: both keep what they changed, or the second is asked."""

from collections.abc import Callable

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.conftest import Cast
from tests.factories import make_lease, make_property, make_tenant, make_unit

Fields = dict[str, str]


def shown(client: FlaskClient, page: str) -> Fields:
    """What a browser would send of the form on a page, untouched."""
    form = BeautifulSoup(client.get(page).text, "lxml").select_one("main form.form")
    assert form is not None
    fields = {str(each["name"]): str(each.get("value", "")) for each in form.select("input[name]")}
    for area in form.select("textarea[name]"):
        fields[str(area["name"])] = area.get_text().removeprefix("\r").removeprefix("\n")
    for select in form.select("select[name]"):
        chosen = select.select_one("option[selected]")
        fields[str(select["name"])] = str(chosen["value"]) if chosen else ""
    return fields


def lease() -> str:
    return f"/leases/{make_lease()}"


def tenant() -> str:
    return f"/tenants/{make_tenant()}"


def building() -> str:
    return f"/properties/{make_property()}"


def unit() -> str:
    return f"/properties/units/{make_unit()}"


RECORDS = [
    pytest.param(lease, "lead_days", "notes", id="lease"),
    pytest.param(tenant, "phone", "notes", id="tenant"),
    pytest.param(building, "city", "notes", id="property"),
    pytest.param(unit, "location", "notes", id="unit"),
]


@pytest.mark.parametrize(("make", "one", "other"), RECORDS)
def test_changes_of_different_things_are_both_kept(
    home: Cast, mona: FlaskClient, make: Callable[[], str], one: str, other: str
) -> None:
    record = make()
    first, second = (shown(mona, f"{record}/edit") for _ in range(2))
    assert mona.post(record, data=first | {one: "7"}).status_code == 303
    assert mona.post(record, data=second | {other: "Second tab"}).status_code == 303
    now = shown(mona, f"{record}/edit")
    assert (now[one], now[other]) == ("7", "Second tab")


@pytest.mark.parametrize(("make", "one", "other"), RECORDS)
def test_who_changes_the_same_later_is_asked(
    home: Cast, mona: FlaskClient, make: Callable[[], str], one: str, other: str
) -> None:
    record = make()
    first, second = (shown(mona, f"{record}/edit") for _ in range(2))
    assert mona.post(record, data=first | {one: "7"}).status_code == 303
    asked = mona.post(record, data=second | {one: "9", other: "Second tab"})
    assert asked.status_code == 422
    page = BeautifulSoup(asked.text, "lxml")
    assert "Somebody changed this meanwhile: it is “7” now." in page.get_text()
    assert shown(mona, f"{record}/edit")[one] == "7"
    again = again_from(asked)
    assert (again[one], again[other]) == ("9", "Second tab")
    assert mona.post(record, data=again).status_code == 303
    now = shown(mona, f"{record}/edit")
    assert (now[one], now[other]) == ("9", "Second tab")


def again_from(answer: TestResponse) -> Fields:
    """What the form of an answer would send."""

    class Answered:
        def get(self, page: str) -> TestResponse:
            return answer

    return shown(Answered(), "")  # type: ignore[arg-type]


def test_the_same_change_twice_is_no_conflict(home: Cast, mona: FlaskClient) -> None:
    record = tenant()
    first, second = (shown(mona, f"{record}/edit") for _ in range(2))
    for fields in (first, second):
        assert mona.post(record, data=fields | {"phone": "030 1"}).status_code == 303


@pytest.mark.parametrize("before", ["", "[]", "{", "null"])
def test_a_form_without_marks_prevails(home: Cast, mona: FlaskClient, before: str) -> None:
    record = tenant()
    fields = shown(mona, f"{record}/edit") | {"phone": "030 1", "before": before}
    assert mona.post(record, data=fields).status_code == 303
    assert shown(mona, f"{record}/edit")["phone"] == "030 1"
