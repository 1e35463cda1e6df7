import csv
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.takeover.rolls import HARBOUR, HEADER, LINDENHOF, ROW

ANSWERS = {
    "Cut-over date": "2026-10-31",
    "How often rent is paid": "monthly",
    "begin inside a month": "calendar",
    "Sign of balances": "negative_owed",
}


def upload(client: FlaskClient, path: Path) -> TestResponse:
    with path.open("rb") as file:
        return client.post("/takeover/drafts", data={"file": (file, path.name)})


def page(response: TestResponse) -> BeautifulSoup:
    return BeautifulSoup(response.get_data(as_text=True), "lxml")


def chosen_columns(client: FlaskClient, address: str) -> dict[str, str]:
    found = {}
    for select in page(client.get(address)).select("select[name^=column-]"):
        option = select.select_one("option[selected]")
        assert option is not None
        found[str(select["name"])] = str(option["value"])
    return found


def filled(form: BeautifulSoup, answers: dict[str, str]) -> dict[str, str]:
    """The answers by the names of the questions' fields."""
    data = {}
    for group in form.select("fieldset.is-choices, .field:not(.is-check)"):
        control = group.select_one("input[name^=q], select[name^=q]")
        told = [words for words in answers if words in group.get_text()]
        if control is not None and told:
            data[str(control["name"])] = answers[told[0]]
    return data


def import_button(client: FlaskClient, address: str) -> str:
    """Where the button of the preview sends."""
    form = page(client.get(f"{address}/preview")).select_one("form[action*='/import?']")
    assert form is not None
    return str(form["action"])


@pytest.mark.sqlite
def test_an_outdated_preview_imports_nothing(mona: FlaskClient) -> None:
    address = upload(mona, LINDENHOF).location
    mona.post(address, data=chosen_columns(mona, address))
    asked = page(mona.get(f"{address}/questions"))
    mona.post(f"{address}/questions", data=filled(asked, ANSWERS))
    outdated = import_button(mona, address)
    mona.post(f"{address}/removal")
    assert upload(mona, HARBOUR).location == address  # SQLite gives a number again
    answer = mona.post(outdated)
    assert answer.location == f"{address}/preview"
    assert "out of date" in mona.get(answer.location).text
    assert mona.post(f"{address}/import").location == f"{address}/preview"
    assert "Lindenhof 3" not in mona.get("/properties/").text


def test_from_the_upload_to_the_undo(mona: FlaskClient) -> None:
    sent = upload(mona, LINDENHOF)
    assert sent.status_code == 303
    address = sent.location
    columns = chosen_columns(mona, address)
    assert columns["column-0"] == "property"
    shown = page(mona.get(address)).get_text(" ")
    assert "Victor D'Souza + Mateo Costa" in shown
    assert "working day 3" in shown
    assert "809.08 EUR" in shown
    confirmed = mona.post(address, data=columns)
    assert confirmed.location == f"{address}/questions"
    asked = page(mona.get(confirmed.location))
    answered = mona.post(confirmed.location, data=filled(asked, ANSWERS))
    assert answered.status_code == 303, page(answered).get_text(" ", strip=True)
    done = mona.get(answered.location)
    assert done.status_code == 303
    assert done.location == f"{address}/preview"
    preview = page(mona.get(done.location)).get_text(" ")
    assert "€18,430.36" in preview
    assert "the first 20 of 23" in preview
    made = mona.post(import_button(mona, address))
    assert made.status_code == 303
    assert re.fullmatch(r"/takeover/imports/\d+", made.location)
    assert mona.get(address).status_code == 404
    assert "Undo the import" in page(mona.get(made.location)).get_text()
    assert "Lindenhof 3" in mona.get("/properties/").get_data(as_text=True)
    undone = mona.post(f"{made.location}/undo")
    assert undone.status_code == 303
    assert "Lindenhof 3" not in mona.get("/properties/").get_data(as_text=True)
    assert "was undone" in page(mona.get(made.location)).get_text()
    assert mona.post(f"{made.location}/undo").status_code == 422


def test_what_cannot_be_read_is_told_beside_the_field(mona: FlaskClient, tmp_path: Path) -> None:
    path = tmp_path / "roll.pdf"
    path.write_bytes(b"%PDF-1.7")
    refused = upload(mona, path)
    assert refused.status_code == 422
    error = page(refused).select_one("#file-error")
    assert error is not None
    assert "PDF" in error.get_text()
    assert mona.post("/takeover/drafts").status_code == 422


def test_answers_that_are_none_are_told_beside_their_field(mona: FlaskClient) -> None:
    address = upload(mona, LINDENHOF).location
    wrong = mona.post(f"{address}/questions", data={"q0": "10/31/2026"})
    assert wrong.status_code == 422
    shown = page(wrong)
    assert shown.select_one("#q0-error") is not None
    assert shown.select_one("#q1-error") is not None
    assert mona.get(f"{address}/preview").status_code == 200
    early = mona.post(f"{address}/import")
    assert early.location == f"{address}/preview"


def test_faults_are_shown_by_row_and_column(mona: FlaskClient) -> None:
    address = upload(mona, HARBOUR).location
    shown = page(mona.get(f"{address}/preview"))
    rows = [[cell.get_text(strip=True) for cell in row.select("td")] for row in shown.select("tr")]
    assert ["4", "Rent"] in [row[:2] for row in rows]


def test_read_differently(mona: FlaskClient, tmp_path: Path) -> None:
    path = tmp_path / "roll.csv"
    path.write_bytes("Lokal;Najemca;Czynsz\n1;Łukasz Wójcik;1 200,00 zł".encode("cp1250"))
    address = upload(mona, path).location
    assert "Łukasz Wójcik" not in mona.get(address).get_data(as_text=True)
    told = {"encoding": "windows-1250", "delimiter": "semicolon", "header_row": "1"}
    again = mona.post(f"{address}/reading", data=told)
    assert again.status_code == 303
    assert "Łukasz Wójcik" in mona.get(address).get_data(as_text=True)
    digits = mona.post(f"{address}/reading", data=told | {"header_row": "9" * 5_000})
    assert (digits.status_code, "is a number, such as 3" in digits.text) == (422, True)
    refused = mona.post(f"{address}/reading", data=told | {"header_row": "99"})
    assert refused.status_code == 422
    assert page(refused).select_one("#header_row-error") is not None


def test_an_upload_is_given_up(mona: FlaskClient) -> None:
    address = upload(mona, LINDENHOF).location
    assert LINDENHOF.name in mona.get("/takeover/").get_data(as_text=True)
    assert mona.post(f"{address}/removal").status_code == 303
    mona.get("/")
    assert address not in mona.get("/takeover/").get_data(as_text=True)


def test_the_map_and_the_template_are_downloads(mona: FlaskClient) -> None:
    address = upload(mona, LINDENHOF).location
    assert 'balance_sign = ""' in mona.get(f"{address}/map.toml").get_data(as_text=True)
    header = mona.get("/takeover/template.csv").get_data(as_text=True).splitlines()[0]
    assert header.startswith("property,street")


def test_what_is_in_a_file_is_never_markup(mona: FlaskClient, tmp_path: Path) -> None:
    path = tmp_path / "<b>roll.csv"
    path.write_text(f"{HEADER}\n{ROW}\n".replace("Ann Lee", "<script>alert(1)</script>"), "utf-8")
    text = mona.get(upload(mona, path).location).get_data(as_text=True)
    assert "<script>alert" not in text
    assert "<b>roll" not in text


def test_viewers_and_outsiders_see_nothing(
    mona: FlaskClient, sign_in: Callable[[str], FlaskClient]
) -> None:
    address = upload(mona, LINDENHOF).location
    vera, charlie = sign_in("vera"), sign_in("charlie")
    for each in ("/takeover/", address, f"{address}/preview", "/takeover/export.zip"):
        assert vera.get(each).status_code == 403
    assert upload(vera, LINDENHOF).status_code == 403
    assert charlie.get(address).status_code == 404
    assert charlie.post(f"{address}/import").status_code == 404
    assert LINDENHOF.name not in charlie.get("/takeover/").get_data(as_text=True)


def test_the_export_is_one_archive(mona: FlaskClient) -> None:
    response = mona.get("/takeover/export.zip")
    assert response.content_type == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.data)) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 29
        text = archive.read("organization.csv").decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["name"], row["currency"]) for row in rows] == [("Harbour Homes", "EUR")]
