"""The rent rolls of the tests: the two real ones and small ones made to order."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl

from proman.takeover.mapping import Mapping, propose
from proman.takeover.plan import Outcome, Setting
from proman.takeover.reading import read_file
from proman.takeover.rules import judge
from proman.takeover.sheets import Sheet

DATA = Path(__file__).resolve().parent.parent / "data"
HARBOUR = DATA / "rent-roll-harbour-court.csv"
LINDENHOF = DATA / "rent-roll-lindenhof.csv"
DOLLARS = Setting("USD", "US", "sqft")
EUROS = Setting("EUR", "DE")
HARBOUR_ANSWERS = {
    "cut_over": "2026-10-31",
    "property": "Harbour Court",
    "frequency": "monthly",
    "periods": "anniversary",
    "due": "day:1",
    "balance_sign": "positive_owed",
}
LINDENHOF_ANSWERS = {
    "cut_over": "2026-10-31",
    "frequency": "monthly",
    "periods": "calendar",
    "balance_sign": "negative_owed",
}
HEADER = "Unit,Tenant,E-mail,Lease From,Lease To,Rent,Deposit,Balance,Status"
ROW = "A1,Ann Lee,ann@example.com,01/15/2025,MTM,$100.00,$50.00,$0.00,Current"
ANSWERS = HARBOUR_ANSWERS | {"property": "Court", "periods": "calendar"}


def roll(*rows: str, header: str = HEADER) -> Sheet:
    """A small American rent roll."""
    return read_file("\r\n".join((header, *rows)).encode())


def outcome(sheet: Sheet, setting: Setting = DOLLARS, **answers: str) -> Outcome:
    """The dry run of a sheet with the proposed mapping and every answer."""
    return judge(sheet, answered(sheet, **(ANSWERS | answers)), setting)


def answered(sheet: Sheet, **answers: Any) -> Mapping:
    """The proposed mapping with these answers."""
    return replace(propose(sheet), **answers)


def faults(sheet: Sheet, setting: Setting = DOLLARS, **answers: str) -> list[tuple[int, str]]:
    """Row and column of every fault."""
    return [(fault.row, fault.column) for fault in outcome(sheet, setting, **answers).faults]


def workbook(rows: list[list[Any]], formats: dict[str, str] | None = None) -> bytes:
    """An XLSX file with these rows; `formats` are number formats by cell."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for row in rows:
        page.append(row)
    for cell, number_format in (formats or {}).items():
        page[cell].number_format = number_format
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
