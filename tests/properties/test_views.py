"""The pages of properties, as a manager, a viewer and an outsider meet them."""

import html
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from proman.db import db
from proman.properties.models import Property
from tests.conftest import Cast
from tests.factories import make_lease, make_property, make_unit


def test_the_list_pages_by_key_in_both_directions(home: Cast, mona: FlaskClient) -> None:
    for number in range(120):
        make_property(name=f"House {number:03d}")
    first = mona.get("/properties/").text
    assert "House 000" in first
    assert "House 049" in first
    assert "House 050" not in first
    after = first.split('id="page-next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = mona.get(after).text
    assert "House 050" in second
    assert "House 099" in second
    assert "House 100" not in second
    before = second.split('id="page-previous" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "House 049" in mona.get(before).text


def test_the_list_finds_by_part_of_a_name_in_any_script(home: Cast, mona: FlaskClient) -> None:
    make_property(name="Łukasz Court")
    make_property(name="Elsewhere")
    answer = mona.get("/properties/?q=łuka").text
    assert "Łukasz Court" in answer
    assert "Elsewhere" not in answer


def test_htmx_gets_the_list_alone(home: Cast, mona: FlaskClient) -> None:
    make_property(name="Mühle")
    answer = mona.get("/properties/", headers={"HX-Request": "true"})
    assert answer.text.startswith('<div id="list"')
    assert "HX-Request" in answer.headers["Vary"]


def test_a_property_is_added(mona: FlaskClient) -> None:
    answer = mona.post("/properties/", data={"name": "Mühle", "type": "house", "country": "DE"})
    assert answer.status_code == 303
    assert "Mühle" in mona.get(answer.location).text


def test_what_is_wrong_stands_beside_its_field(mona: FlaskClient) -> None:
    answer = mona.post("/properties/", data={"name": "", "type": "house", "country": "DE"})
    assert answer.status_code == 422
    assert "Give it a name." in answer.text


@pytest.mark.parametrize(
    ("country", "region", "told"),
    [
        ("ZZ", "", "There is no such country."),
        ("<x", "", "There is no such country."),
        ("DE", "XX", "BW (Baden-Württemberg), BY (Bayern)"),
        ("LU", "BY", "This country has no regions"),
    ],
)
def test_a_place_without_holidays_of_its_own_is_refused(
    mona: FlaskClient, country: str, region: str, told: str
) -> None:
    data = {"name": "Mühle", "type": "house", "country": country, "region": region}
    answer = mona.post("/properties/", data=data)
    assert answer.status_code == 422
    assert told in html.unescape(answer.text)


def test_a_region_is_known_by_its_name_too(home: Cast, mona: FlaskClient) -> None:
    for number, said in enumerate(("BY", "by", "Bayern", "bayern", "")):
        data = {"name": f"Mühle {number}", "type": "house", "country": "de", "region": said}
        assert mona.post("/properties/", data=data).status_code == 303
    db.session.rollback()
    regions = db.session.scalars(select(Property.region).order_by(Property.id)).all()
    assert regions == ["BY", "BY", "BY", "BY", ""]


def test_a_market_rent_below_nil_is_refused(mona: FlaskClient) -> None:
    data = {"name": "Mühle", "type": "house", "country": "DE", "market_rent": "-5"}
    answer = mona.post("/properties/", data=data)
    assert (answer.status_code, "This cannot be less than nil." in answer.text) == (422, True)


def test_marks_that_turn_a_line_around_are_no_part_of_a_name(mona: FlaskClient) -> None:
    data = {"name": "\u202eMühle\u2066 am Bach", "type": "house", "country": "DE"}
    text = mona.get(mona.post("/properties/", data=data).location).text
    assert "Mühle am Bach" in text
    assert not {"\u202e", "\u2066"} & set(text)


def test_a_viewer_may_not_add(sign_in: Callable[[str], FlaskClient]) -> None:
    answer = sign_in("vera").post("/properties/", data={"name": "Mühle"})
    assert answer.status_code == 403


def test_an_outsider_sees_nothing(home: Cast, sign_in: Callable[[str], FlaskClient]) -> None:
    building = make_property(name="Mühle")
    charlie = sign_in("charlie")
    assert charlie.get(f"/properties/{building}").status_code == 404
    assert "Mühle" not in charlie.get("/properties/").text


def test_the_list_is_exported_whole(home: Cast, mona: FlaskClient) -> None:
    make_property(name="=HYPERLINK()", city="Köln")
    text = mona.get("/properties.csv").data.decode("utf-8-sig")
    assert text.splitlines()[0] == "Name,Type,Street,Postal code,City,Units,Units let,Currency"
    assert "'=HYPERLINK()" in text
    assert "Köln" in text
    assert mona.get("/properties.xlsx").data[:2] == b"PK"


def test_a_property_let_as_a_whole_gets_its_unit_and_never_shows_it(
    home: Cast, mona: FlaskClient
) -> None:
    data = {
        "name": "Mill",
        "type": "house",
        "country": "de",
        "is_single_unit": "y",
        "area": "120.5",
    }
    address = mona.post("/properties/", data=data).location
    text = mona.get(address).text
    assert "Add unit" not in text
    assert "120.5" in text
    assert "Vacant" in text
    data = data | {"name": "Old Mill", "market_rent": "900"}
    assert mona.post(address, data=data).status_code == 303
    assert "Old Mill" in mona.get("/properties/units?q=old").text
    assert "€900.00" in mona.get(address).text


def test_units_are_added_corrected_and_archived(home: Cast, mona: FlaskClient) -> None:
    building = make_property(name="Court")
    here = f"/properties/{building}/units"
    unit = {"label": "A-01", "bathrooms": "1.5", "area": "50", "market_rent": "800"}
    assert mona.get(f"{here}/new").status_code == 200
    assert mona.post(here, data=unit | {"another": "1"}).location.endswith("/units/new")
    assert "has a unit A-01 already" in mona.post(here, data=unit).text
    assert mona.post(here, data={"label": "A-02"}).status_code == 303
    text = mona.get(f"/properties/{building}").text
    assert "A-01" in text
    assert "0 of 2" in text
    assert "€800.00" in text
    found = mona.get(f"/properties/units?property={building}&q=a-01").text
    address = found.split('class="row-link" href="')[1].split('"')[0]
    assert "1.5" in mona.get(address).text
    assert mona.post(address, data=unit | {"label": "A-02"}).status_code == 422
    assert mona.post(address, data=unit | {"label": "B-01"}).status_code == 303
    make_lease(int(address.rsplit("/", 1)[1]))
    mona.post(f"{address}/archiving")
    assert "has not ended" in mona.get(address).text
    assert "1 of 2" in mona.get(f"/properties/{building}").text
    mona.post(f"/properties/{building}/archiving")
    assert "has not ended" in mona.get(f"/properties/{building}").text


def test_an_archived_property_is_off_the_list_and_comes_back(home: Cast, mona: FlaskClient) -> None:
    building = make_property(name="Court")
    mona.post(f"/properties/{building}/archiving")
    assert "Court" not in mona.get("/properties/", headers={"HX-Request": "true"}).text
    assert "Court" in mona.get("/properties/?archived=all").text
    mona.post(f"/properties/{building}/return")
    assert "1 property" in mona.get("/properties/").text


def test_occupancy_in_the_list(home: Cast, mona: FlaskClient) -> None:
    court, full, bare = (make_property(name=name) for name in ("Court", "Full", "Bare"))
    make_lease(make_unit(court))
    make_unit(court)
    make_lease(make_unit(full))
    assert "1 vacant" in mona.get("/properties/?q=court").text
    assert "Fully let" in mona.get("/properties/?q=full").text
    assert "No units yet" in mona.get("/properties/?q=bare").text
    vacant = mona.get("/properties/?let=vacant").text
    assert "Court" in vacant
    assert ">Full<" not in vacant
    assert bare
