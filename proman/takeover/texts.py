"""Reads CSV, TSV and the like: the encoding, the delimiter, the rows, within fixed limits."""

import codecs
import csv
import io
import re

from proman.base.errors import Refused
from proman.takeover.sheets import Cell, Row, Table

MAX_ROWS = 50_000
MAX_COLUMNS = 200
MAX_CELL = 2_000
ENCODINGS = ("utf-8", "utf-16", "windows-1252", "windows-1250", "iso-8859-15", "mac-roman")
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8", "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16"),
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def _decode(data: bytes, encoding: str) -> tuple[str, str]:
    """The text and the name of its encoding; the given one when it was chosen by a person."""
    if encoding:
        if encoding not in ENCODINGS:
            raise Refused(f"Encoding “{encoding}” is not known; choose {', '.join(ENCODINGS)}.")
        codec = "utf-8-sig" if encoding == "utf-8" else encoding
        return _strictly(data, codec), encoding
    for bom, name, codec in _BOMS:
        if data.startswith(bom):
            return _strictly(data, codec), name
    for codec in ("utf-16-le", "utf-16-be"):
        if _looks_like(data, codec):
            return _strictly(data, codec), "utf-16"
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _strictly(data, "windows-1252"), "windows-1252"


def _strictly(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise Refused(
            f"The file is not text in {codec.removesuffix('-sig')} (byte {error.start + 1}). "
            "Save it as CSV in UTF-8, or as XLSX."
        ) from error


def _looks_like(data: bytes, codec: str) -> bool:
    """UTF-16 without its mark: every other byte of Western text is nil."""
    odd = data[1 if codec == "utf-16-le" else 0 : 2000 : 2]
    even = data[0 if codec == "utf-16-le" else 1 : 2000 : 2]
    return len(odd) > 4 and odd.count(0) > len(odd) * 0.6 and even.count(0) == 0


def _records(text: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records: list[list[str]] = []
    try:
        for record in reader:
            records.append(record)
            if len(records) > MAX_ROWS:
                raise Refused(f"The file has more than {MAX_ROWS:,} rows; split it.")
    except csv.Error as error:
        raise Refused(
            f"Row {len(records) + 1}: a quotation mark is not closed, or stands inside a cell. "
            "Save the file again from the spreadsheet."
        ) from error
    return records


def _score(records: list[list[str]]) -> tuple[int, int]:
    """How many rows have the commonest width (of at least two), and that width."""
    widths: dict[int, int] = {}
    for record in records[:500]:
        if len(record) > 1:
            widths[len(record)] = widths.get(len(record), 0) + 1
    if not widths:
        return (0, 0)
    width = max(widths, key=lambda each: (widths[each], each))
    return (widths[width], width)


def _split(text: str, delimiter: str) -> tuple[list[list[str]], str]:
    """The records and the name of their delimiter: the one that gives the most even rows."""
    if delimiter:
        if delimiter not in DELIMITERS:
            raise Refused(f"Delimiter “{delimiter}” is not known; choose {', '.join(DELIMITERS)}.")
        return _records(text, DELIMITERS[delimiter]), delimiter
    stated = re.match(r"sep=(.)\r?\n", text)
    names = [name for name, sign in DELIMITERS.items() if stated and sign == stated[1]]
    if stated and names:
        return [[], *_records(text[stated.end() :], stated[1])], names[0]
    best: tuple[tuple[int, int], list[list[str]], str] | None = None
    failure: Refused | None = None
    for name, sign in DELIMITERS.items():
        try:
            records = _records(text, sign)
        except Refused as error:
            failure = failure or error
            continue
        score = _score(records)
        if best is None or score > best[0]:
            best = (score, records, name)
    if best is None or (best[0] == (0, 0) and failure):
        raise failure or Refused("The file holds no table.")
    return best[1], best[2]


def _cell(text: str, row: int) -> Cell:
    bare = text.strip().replace("\u200b", "")
    if len(bare) > MAX_CELL:
        raise Refused(f"Row {row} has a cell of more than {MAX_CELL:,} characters.")
    protected = re.fullmatch(r'="(.*)"', bare)
    return Cell(protected[1] if protected else bare)


def read_text(data: bytes, *, encoding: str = "", delimiter: str = "") -> Table:
    """All rows of a delimited file; what is not given is found out. Raises Refused."""
    text, encoding = _decode(data, encoding)
    if found := _CONTROLS.search(text):
        raise Refused(
            f"This is not a table in text: it holds the control character {ord(found[0])}. "
            "CSV, TSV and XLSX can be read."
        )
    records, delimiter = _split(text, delimiter)
    if any(len(record) > MAX_COLUMNS for record in records):
        raise Refused(f"The file has more than {MAX_COLUMNS} columns.")
    rows = tuple(
        Row(number, tuple(_cell(text, number) for text in record))
        for number, record in enumerate(records, 1)
    )
    return Table(rows, "text", encoding, delimiter)
