"""Reads XLSX: values instead of formulas, real dates, currencies of formats, within limits."""

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from proman.base.errors import Refused
from proman.takeover.sheets import EMPTY, Cell, Row, Table
from proman.takeover.texts import MAX_CELL, MAX_COLUMNS, MAX_ROWS

MAX_UNPACKED = 100_000_000
MAX_PARTS = 2_000
_BLANK_ROWS = 1_000
_CURRENCY = re.compile(r"\[\$([^\]\-]+)[^\]]*\]|\"([^\"]+)\"|([$€£¥])")
_UNREADABLE = "The workbook is damaged or is not XLSX. Save it again as XLSX, or as CSV."


def _inspect(data: bytes) -> None:
    """Refuse an archive that unpacks to too much, or whose XML declares entities."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
                raise Refused("The workbook unpacks to more than 100 MB; it was not opened.")
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    with archive.open(part) as stream:
                        if b"<!DOCTYPE" in stream.read(65_536):
                            raise Refused("The workbook holds declarations that XLSX never has.")
    except Refused:
        raise
    except Exception as error:  # a damaged archive fails in as many ways as it has bytes
        raise Refused(_UNREADABLE) from error


def _open(data: bytes, *, values: bool) -> Any:
    import openpyxl  # only here: every command would wait for it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return openpyxl.load_workbook(
                io.BytesIO(data), read_only=True, data_only=values, keep_links=False
            )
    except Exception as error:  # openpyxl lets through whatever its parsers meet
        raise Refused(_UNREADABLE) from error


def _number(value: int | float) -> Decimal:
    """The number that was typed: binary noise beyond nine decimals is dropped."""
    exact = Decimal(repr(value))
    return exact if isinstance(value, int) else round(exact, 9).normalize() + 0


def _sign(number_format: str) -> str:
    found = _CURRENCY.search(number_format or "")
    sign = next((group for group in found.groups() if group), "") if found else ""
    return sign.strip()


def _cell(value: Any, formula: Any, number_format: str, row: int) -> Cell:
    """`formula` is what the cell holds, `value` the result that was stored with it."""
    if isinstance(formula, str) and formula.startswith("=") and value is None:
        return Cell(formula, None, "a formula without a stored result; save the file once more")
    if value is None or isinstance(value, bool):
        return EMPTY if value is None else Cell(str(value).lower())
    if isinstance(value, datetime):
        return Cell(value.date().isoformat(), value.date())
    if isinstance(value, date):
        return Cell(value.isoformat(), value)
    if isinstance(value, (int, float)):
        number = _number(value)
        return Cell(f"{number:f} {_sign(number_format)}".strip(), number)
    if isinstance(value, time):
        return Cell(value.isoformat())
    text = str(value).strip()
    if len(text) > MAX_CELL:
        raise Refused(f"Row {row} has a cell of more than {MAX_CELL:,} characters.")
    return Cell(text)


def _rows(values: Any, formulas: Any) -> Iterator[Row]:
    """Rows of a sheet, each cell with its stored result; ends after a long blank stretch."""
    blank = 0
    options = {"max_col": MAX_COLUMNS + 1}
    pairs = zip(values.iter_rows(**options), formulas.iter_rows(**options), strict=False)
    for number, (results, sources) in enumerate(pairs, 1):
        if number > MAX_ROWS:
            raise Refused(f"The sheet has more than {MAX_ROWS:,} rows; split it.")
        cells = tuple(
            _cell(result.value, source.value, getattr(result, "number_format", ""), number)
            for result, source in zip(results, sources, strict=False)
        )
        if len(cells) > MAX_COLUMNS and cells[MAX_COLUMNS]:
            raise Refused(f"The sheet has more than {MAX_COLUMNS} columns.")
        blank = 0 if any(cells) else blank + 1
        if blank > _BLANK_ROWS:
            return
        yield Row(number, cells)


def read_workbook(data: bytes, *, sheet: str = "") -> list[Table]:
    """The visible sheets that hold something, or only the one named. Raises Refused."""
    _inspect(data)
    values, formulas = _open(data, values=True), _open(data, values=False)
    try:
        names = tuple(
            each.title
            for each in values.worksheets
            if getattr(each, "sheet_state", "visible") == "visible"
        )
        if sheet and sheet not in names:
            raise Refused(f"The workbook has no sheet “{sheet}”, but: {', '.join(names)}.")
        tables = [_table(values, formulas, name, names) for name in ([sheet] if sheet else names)]
    except Refused:
        raise
    except Exception as error:  # a damaged part shows only when it is read
        raise Refused(_UNREADABLE) from error
    finally:
        values.close()
        formulas.close()
    return [table for table in tables if table.rows]


def _table(values: Any, formulas: Any, name: str, names: tuple[str, ...]) -> Table:
    for book in (values, formulas):
        book[name].reset_dimensions()
    rows = [row for row in _rows(values[name], formulas[name]) if row.filled()]
    return Table(tuple(rows), "xlsx", sheet=name, sheets=names)
