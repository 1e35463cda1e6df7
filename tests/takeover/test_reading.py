import contextlib
import io
import zipfile
from datetime import date, datetime
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proman.base.errors import Refused
from proman.takeover.reading import read_file
from proman.takeover.sheets import Sheet
from tests.takeover.rolls import HARBOUR, HEADER, LINDENHOF, ROW, workbook


def test_harbour_court_as_it_is() -> None:
    sheet = read_file(HARBOUR.read_bytes())
    assert sheet.titles == ("Harbour Court - Rent Roll as of 10/31/2026",)
    assert (sheet.header_row, len(sheet.rows), sheet.rows[0].number) == (3, 48, 4)
    assert [row.number for row in sheet.totals] == [53]
    assert (sheet.encoding, sheet.delimiter) == ("utf-8", "comma")
    assert sheet.header[0] == "Unit"
    assert sheet.rows[3].cell(3).text == "Farah Weiß"


def test_lindenhof_as_it_is() -> None:
    sheet = read_file(LINDENHOF.read_bytes())
    assert (sheet.header_row, len(sheet.rows), sheet.titles) == (1, 24, ())
    assert (sheet.encoding, sheet.delimiter) == ("windows-1252", "semicolon")
    assert sheet.header[3] == "Wohnfläche m²"
    assert sheet.rows[0].cell(8).text == "809,08 €"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_encodings_and_delimiters(encoding: str, sign: str) -> None:
    rows = [["Unit", "Tenant", "Rent"], ["A1", "Márta Łukasz", "$1,000.00"], ["A2", "Bo", "5"]]
    text = "\n".join(sign.join(f'"{cell}"' for cell in row) for row in rows)
    sheet = read_file(text.encode(encoding))
    assert sheet.header == ("Unit", "Tenant", "Rent")
    assert sheet.rows[0].cell(1).text == "Márta Łukasz"


def test_polish_file_with_its_encoding_told() -> None:
    data = "Lokal;Najemca;Czynsz\n1;Łukasz Wójcik;1 200,00 zł".encode("cp1250")
    assert read_file(data, encoding="windows-1250").rows[0].cell(1).text == "Łukasz Wójcik"


def test_rows_keep_the_numbers_of_the_spreadsheet() -> None:
    sheet = read_file(b'\n\nUnit,Tenant,Rent\n\nA1,"Ann\nLee",5\n\n\nA2,Bo,6\n')
    assert sheet.header_row == 3
    assert [row.number for row in sheet.rows] == [5, 8]


def test_repeated_headers_and_subtotals_are_no_rows() -> None:
    sheet = read_file(
        b"Unit,Tenant,Rent\nA1,Ann,5\nSubtotal,,5\nUnit,Tenant,Rent\nA2,Bo,6\nGrand Total:,,11\n"
    )
    assert [row.cell(0).text for row in sheet.rows] == ["A1", "A2"]
    assert [row.number for row in sheet.totals] == [3, 6]


def test_headings_that_come_twice_or_not_at_all() -> None:
    sheet = read_file(b"Unit,Tenant,Rent,Rent,\nA1,Ann,5,6,x\n")
    assert sheet.header == ("Unit", "Tenant", "Rent", "Rent (2)", "Column 5")


def test_a_stated_delimiter() -> None:
    assert read_file(b"sep=;\nUnit;Tenant;Rent\nA1;Ann;5,00\n").delimiter == "semicolon"


def test_xlsx_with_dates_numbers_currency_and_formulas() -> None:
    rows = [
        ["Harbour Court - Rent Roll as of 10/31/2026"],
        [],
        ["Unit", "Tenant", "Lease From", "Rent", "Deposit"],
        ["A1", "Ann Lee", datetime(2025, 1, 15), 1687.5, 0.1 + 0.2],
        ["A2", "Bo Chan", date(2025, 2, 1), "=1+1", 1],
    ]
    sheet = read_file(workbook(rows, {"D4": '"$"#,##0.00', "E4": "[$€-407] #,##0.00"}))
    assert (sheet.kind, sheet.header_row) == ("xlsx", 3)
    first = sheet.rows[0]
    assert (first.number, first.cell(2).value) == (4, date(2025, 1, 15))
    assert (first.cell(3).value, first.cell(3).text) == (Decimal("1687.5"), "1687.5 $")
    assert (first.cell(4).value, first.cell(4).text) == (Decimal("0.3"), "0.3 €")
    assert "formula" in sheet.rows[1].cell(3).problem


def test_the_sheet_that_looks_like_a_rent_roll_is_taken() -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["Hello", "this is the cover"])
    page = book.create_sheet("Roll")
    for row in (["Unit", "Tenant", "Rent", "Deposit"], ["A1", "Ann", 5, 6]):
        page.append(row)
    stream = io.BytesIO()
    book.save(stream)
    assert read_file(stream.getvalue()).sheet == "Roll"
    with pytest.raises(Refused, match="no sheet"):
        read_file(stream.getvalue(), sheet="Nope")


def _bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 120_000_000)
    return stream.getvalue()


def _with_entities() -> bytes:
    source = io.BytesIO(workbook([["Unit", "Tenant"], ["A", "B"]]))
    stream = io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(stream, "w") as new:
        for part in old.infolist():
            data = old.read(part)
            if part.filename == "xl/workbook.xml":
                data = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>' + data
            new.writestr(part.filename, data)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"   \n\n", "empty"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel"),
        (b"PK\x03\x04garbage", "damaged"),
        (b"Unit,Tenant\x00,Rent\nA,B,5", "control character"),
        (b"Unit,Tenant,Rent\n", "no row below"),
        (b'Unit,Tenant,Rent\nA1,"Ann,5\nA2,Bo,6\n', "quotation mark"),
        (b"just a line of text", "No row with column headings"),
        (b"Unit,Tenant,Rent\n" + b"a,b,5\n" * 50_001, "more than 50,000 rows"),
        (b"Unit,Tenant,Rent\n" + b"x" * 2_001 + b",b,5\n", "2,000 characters"),
        (b"Unit,Tenant,Rent" + b",x" * 300 + b"\n" + b"1," * 300, "200 columns"),
        (b"x" * 15_000_001, "larger than 15 MB"),
        (b"Unit;Mieter;Miete\nA;\x81;5", "not text"),
        (_bomb(), "100 MB"),
        (_with_entities(), "declarations"),
    ],
)
def test_hostile_and_broken_files_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read_file(data)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_make_it_stumble(data: bytes) -> None:
    with contextlib.suppress(Refused):
        assert isinstance(read_file(data), Sheet)


@settings(deadline=None)
@given(st.integers(0, len(HEADER + ROW)), st.binary(max_size=4))
def test_no_damage_makes_it_stumble(at: int, noise: bytes) -> None:
    whole = f"{HEADER}\n{ROW}\n".encode()
    with contextlib.suppress(Refused):
        read_file(whole[:at] + noise + whole[at:])


@settings(deadline=None)
@given(st.integers(30, 5_000), st.binary(min_size=1, max_size=8))
def test_no_damaged_workbook_makes_it_stumble(at: int, noise: bytes) -> None:
    whole = workbook([["Unit", "Tenant", "Rent"], ["A1", "Ann", 5]])
    with contextlib.suppress(Refused):
        read_file(whole[:at] + noise + whole[at + len(noise) :])
