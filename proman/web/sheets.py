"""Writes a whole filtered list as CSV or Excel, amounts exact, dates ISO, formulas defused."""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from flask import Blueprint, Response, request, stream_with_context
from flask.sansio.blueprints import BlueprintSetupState

from proman.base.money import decimal_string, exponent
from proman.db import db
from proman.identity.session import business_today, current_organization
from proman.web.dispatch import may_be_behind
from proman.web.listing import Column, Listing

KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def export_routes(
    blueprint: Blueprint,
    listing: Listing | Callable[[], Listing],
    name: str,
    values: Callable[[], Mapping[str, Any]] = dict,
) -> None:
    """Serve a list whole at `<address>.csv` and `.xlsx`, with the filters of the address.

    `values` binds what the list's statement needs besides, such as today.
    """

    def the_listing() -> Listing:
        return listing if isinstance(listing, Listing) else listing()

    @may_be_behind
    def export(kind: str) -> Response:
        rows = the_listing().every(request.args, values())
        return sheet_response(the_listing().columns, rows, kind, name)

    def add(state: BlueprintSetupState) -> None:
        base = the_listing().address.rstrip("/")
        for rule in (f"{base}.<any(csv, xlsx):kind>", f"{base}/.<any(csv, xlsx):kind>"):
            state.app.add_url_rule(rule, f"{blueprint.name}.export_{name}", export)

    blueprint.record(add)


def sheet_response(
    columns: Sequence[Column], rows: Iterable[Any], kind: str, name: str
) -> Response:
    """The rows as a download; amounts are decimals of the organization's currency."""
    organization = current_organization()
    body = (
        csv_lines(columns, rows, organization.currency)
        if kind == "csv"
        else xlsx_chunks(columns, rows, organization.currency)
    )
    return streamed(body, KINDS[kind], f"{name}-{business_today().isoformat()}.{kind}")


def streamed(body: Iterator[bytes], content_type: str, file_name: str) -> Response:
    """A download that is written while it is sent: by then the view's session is gone."""
    lasting = _working_for(dict(db.session.info), body)
    response = Response(stream_with_context(lasting), content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response


def _working_for(info: Mapping[str, Any], body: Iterator[bytes]) -> Iterator[bytes]:
    """The body, read by a session that works for the same organization and person."""
    db.session.info.update(info)
    yield from body


def csv_lines(columns: Sequence[Column], rows: Iterable[Any], currency: str) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, so that spreadsheet programs read it right."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([*(column.heading for column in columns), "Currency"])
    yield b"\xef\xbb\xbf"
    for number, row in enumerate(rows):
        writer.writerow([*(_text(column, row, currency) for column in columns), currency])
        if number % 200 == 0:
            yield _drain(buffer)
    yield _drain(buffer)


def xlsx_chunks(columns: Sequence[Column], rows: Iterable[Any], currency: str) -> Iterator[bytes]:
    """An Excel file written row by row, in constant memory."""
    import xlsxwriter  # only here: every command would wait for it

    with tempfile.TemporaryFile() as file:
        book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False})
        sheet = book.add_worksheet()
        places = exponent(currency)
        formats = {
            "amount": book.add_format(
                {"num_format": "#,##0." + "0" * places if places else "#,##0"}
            ),
            "day": book.add_format({"num_format": "yyyy-mm-dd"}),
        }
        bold = book.add_format({"bold": True})
        for place, column in enumerate(columns):
            sheet.write_string(0, place, column.heading, bold)
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(rows, 1):
            for place, column in enumerate(columns):
                _write_cell(sheet, number, place, column, row, currency, formats)
        book.close()
        file.seek(0)
        while chunk := file.read(65536):
            yield chunk


def _write_cell(
    sheet: Any, number: int, place: int, column: Column, row: Any, currency: str, formats: Any
) -> None:
    value = getattr(row, column.key)
    if value is None or value == "":
        return
    if column.kind == "amount":
        sheet.write_number(
            number, place, Decimal(decimal_string(value, currency)), formats["amount"]
        )
    elif column.kind == "day":
        sheet.write_datetime(number, place, value, formats["day"])
    elif column.kind == "number":
        sheet.write_number(number, place, value)
    else:
        sheet.write_string(number, place, _said(value))


def _drain(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _text(column: Column, row: Any, currency: str) -> str:
    value = getattr(row, column.key)
    if value is None:
        return ""
    if column.kind == "amount":
        return decimal_string(value, currency)
    if isinstance(value, date):
        return value.isoformat()
    text = _said(value)
    # A cell that begins like a formula would be run by a spreadsheet program.
    return (
        f"'{text}"
        if text[:1] in ("=", "+", "-", "@", "\t", "\r") and column.kind == "text"
        else text
    )


def _said(value: Any) -> str:
    """A value as text; what has parts as JSON, which programs read again."""
    is_json = isinstance(value, dict | list)
    return json.dumps(value, ensure_ascii=False) if is_json else str(value)
