"""Makes a sheet of a file: the header among the rows, titles above it, sums below the table."""

from dataclasses import replace

from proman.base.errors import Refused
from proman.takeover.headings import guesses
from proman.takeover.sheets import Cell, Row, Sheet, Table
from proman.takeover.texts import read_text
from proman.takeover.words import is_total
from proman.takeover.workbooks import read_workbook

MAX_BYTES = 15_000_000
_HEADER_WITHIN = 60
_FOREIGN = (
    (b"%PDF", "This is a PDF. Export the rent roll as CSV or XLSX."),
    (b"\xd0\xcf\x11\xe0", "This is an old Excel file (.xls). Save it as XLSX or CSV."),
    (b"\x1f\x8b", "This is a compressed file. Unpack it first."),
    (b"SQLite format 3", "This is a database, not a table."),
    (b"{\\rtf", "This is a text document. Export the rent roll as CSV or XLSX."),
)


def _known(row: Row) -> int:
    """How many of the row's cells are headings that are understood for certain."""
    return sum(
        1 for cell in row.cells if cell.text and any(g.score >= 90 for g in guesses(cell.text))
    )


def _header_index(rows: tuple[Row, ...]) -> int:
    """The row with the most headings; else the first that is as wide as the table and all words."""
    first = [row for row in rows if row.filled()][:_HEADER_WITHIN]
    if not first:
        raise Refused("The file is empty.")
    best = max(first, key=lambda row: (_known(row), -row.number))
    if _known(best) >= 2:
        return best.number
    width = max(len(row.filled()) for row in first)
    for row in first:
        words = [cell for cell in row.filled() if not any(sign.isdigit() for sign in cell.text)]
        if len(row.filled()) >= max(2, width - 1) and len(words) == len(row.filled()):
            return row.number
    raise Refused(
        "No row with column headings was found. The first row of the table must name its columns, "
        "such as Unit, Tenant and Rent."
    )


def _headings(row: Row, width: int) -> tuple[str, ...]:
    """Headings as they stand, a number behind those that come twice, “Column 3” for none."""
    seen: dict[str, int] = {}
    names: list[str] = []
    for index in range(width):
        name = " ".join(row.cell(index).text.split()) or f"Column {index + 1}"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(names)


def _is_sums(row: Row) -> bool:
    """A line headed “Totals” and the like, in the first of its filled cells."""
    filled = row.filled()
    return bool(filled) and is_total(filled[0].text)


def _apart(rows: list[Row]) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """The table's rows, and the lines of one cell below it that a blank row or sums part off."""
    kept = list(rows)
    while len(kept) > 1 and len(kept[-1].filled()) == 1:
        kept.pop()
    notes = rows[len(kept) :]
    if not notes or notes[0].number == kept[-1].number + 1:
        return tuple(rows), ()
    return tuple(kept), tuple(notes)


def _title(row: Row) -> str:
    return " ".join(cell.text for cell in row.filled())


def shape(table: Table, header_row: int = 0) -> Sheet:
    """The table's parts; `header_row` (as a spreadsheet counts) where it was told."""
    number = header_row or _header_index(table.rows)
    header = next((row for row in table.rows if row.number == number), None)
    if header is None or not header.filled():
        raise Refused(f"Row {number} holds no headings.", "header_row")
    body = [row for row in table.rows if row.number > number and row.filled()]
    body = [row for row in body if row.cells != header.cells]
    rows, footnotes = _apart([row for row in body if not _is_sums(row)])
    used = [i for row in (header, *rows) for i, cell in enumerate(row.cells) if cell]
    width = max(used) + 1
    above = [row for row in table.rows if row.number < number and row.filled()]
    return Sheet(
        header=_headings(header, width),
        header_row=number,
        rows=rows,
        titles=tuple(_title(row) for row in above),
        totals=tuple(row for row in body if _is_sums(row)),
        footnotes=footnotes,
        kind=table.kind,
        encoding=table.encoding,
        delimiter=table.delimiter,
        sheet=table.sheet,
        sheets=table.sheets,
    )


def _best_sheet(tables: list[Table], header_row: int) -> Sheet:
    """The sheet whose header is understood best; the others are named in `sheets`."""
    shaped: list[tuple[int, Sheet]] = []
    for table in tables:
        try:
            sheet = shape(table, header_row)
        except Refused:
            continue
        header = Row(0, tuple(Cell(text) for text in sheet.header))
        shaped.append((_known(header), sheet))
    if not shaped:
        return shape(tables[0], header_row)
    scores = [score for score, _ in shaped]
    rivals = tuple(s.sheet for score, s in shaped if score >= max(3, max(scores) - 1) and s.rows)
    best = max(shaped, key=lambda pair: pair[0])[1]
    return replace(best, sheets=rivals or (best.sheet,))


def read_file(
    data: bytes, *, encoding: str = "", delimiter: str = "", sheet: str = "", header_row: int = 0
) -> Sheet:
    """Reads CSV, TSV, semicolons or XLSX; what is not told is found out. Raises Refused."""
    if not data:
        raise Refused("The file is empty.")
    if len(data) > MAX_BYTES:
        raise Refused(f"The file is larger than {MAX_BYTES // 1_000_000} MB.")
    for magic, message in _FOREIGN:
        if data.startswith(magic):
            raise Refused(message)
    if data.startswith(b"PK\x03\x04"):
        tables = read_workbook(data, sheet=sheet)
        if not tables:
            raise Refused("The workbook holds no visible sheet with a table.")
        result = _best_sheet(tables, header_row)
    else:
        result = shape(read_text(data, encoding=encoding, delimiter=delimiter), header_row)
    if not result.rows:
        raise Refused("There is a header, but no row below it.")
    return result
