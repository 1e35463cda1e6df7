"""A table as it was read from a file: its header, its rows with their numbers, what was found."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

Value = Decimal | date | None


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows, and its value where the file itself says that it is a number or a day.

    `problem` says why the cell cannot be relied on (a formula without a stored result).
    """

    text: str = ""
    value: Value = None
    problem: str = ""

    def __bool__(self) -> bool:
        return bool(self.text) or self.value is not None or bool(self.problem)


EMPTY = Cell()


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row, and the number that a spreadsheet shows beside it."""

    number: int
    cells: tuple[Cell, ...]

    def cell(self, index: int) -> Cell:
        """That column's cell; empty where the row is too short."""
        return self.cells[index] if index < len(self.cells) else EMPTY

    def filled(self) -> list[Cell]:
        """The cells that hold something."""
        return [cell for cell in self.cells if cell]


@dataclass(frozen=True, slots=True)
class Table:
    """All rows of a file or of one sheet of a workbook, before anything was made of them."""

    rows: tuple[Row, ...]
    kind: str
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with its header known; `totals` are the lines of sums that belong to no unit,
    `footnotes` the lines of text below the table.
    """

    header: tuple[str, ...]
    header_row: int
    rows: tuple[Row, ...]
    titles: tuple[str, ...] = ()
    totals: tuple[Row, ...] = ()
    footnotes: tuple[Row, ...] = ()
    kind: str = "csv"
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = field(default=())

    def column(self, index: int) -> list[tuple[int, Cell]]:
        """Row number and cell of that column wherever it holds something."""
        return [(row.number, row.cell(index)) for row in self.rows if row.cell(index)]
