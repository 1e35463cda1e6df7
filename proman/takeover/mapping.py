"""The mapping of a file: what each column holds, and the answers that the file does not give."""

from dataclasses import dataclass, field, replace

from proman.takeover.days import ORDERS, days_in_title, is_ambiguous, orders
from proman.takeover.headings import (
    KINDS,
    fits,
    guesses,
    kind_of,
    looks_like_money,
)
from proman.takeover.numbers import DECIMALS, readings
from proman.takeover.sheets import Cell, Sheet
from proman.takeover.terms import frequency_in

_SURE_ENOUGH = 60
_NUMERIC = ("amount", "number", "percent")
SCALARS = (
    "cut_over date_order decimal balance_sign property frequency periods due timing group_rows "
    "encoding delimiter sheet"
).split()
"""The keys of a map file that hold one text each, in the order in which they are written."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Column headings to targets ("" is asked), status words to statuses, and the answers."""

    columns: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    cut_over: str = ""
    date_order: str = ""
    decimal: str = ""
    balance_sign: str = ""
    property: str = ""
    frequency: str = ""
    periods: str = ""
    due: str = ""
    timing: str = ""
    group_rows: str = ""
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    header_row: int = 0

    def indexes(self, sheet: Sheet, target: str) -> list[int]:
        """The columns of the sheet that are mapped to the target."""
        return [i for i, name in enumerate(sheet.header) if self.columns.get(name) == target]

    def has(self, sheet: Sheet, *targets: str) -> bool:
        """Whether a column of the sheet is mapped to one of the targets."""
        return any(self.indexes(sheet, target) for target in targets)


def _cells(sheet: Sheet, index: int) -> list[Cell]:
    return [cell for _, cell in sheet.column(index)]


def _columns(sheet: Sheet) -> dict[str, str]:
    """Each heading with the surest target that its values fit; every single target once."""
    ranked = sorted(
        (
            (guess.score, -index, name, guess.target)
            for index, name in enumerate(sheet.header)
            for guess in guesses(name)
            if guess.score >= _SURE_ENOUGH
        ),
        reverse=True,
    )
    found: dict[str, str] = {}
    for _, negative_index, name, target in ranked:
        taken = target in KINDS and target in found.values()
        if name in found or taken or not fits(target, _cells(sheet, -negative_index)):
            continue
        found[name] = target
    for index, name in enumerate(sheet.header):
        if name not in found:
            found[name] = _by_values(_cells(sheet, index), set(found.values()))
    return {name: found[name] for name in sheet.header}


def _by_values(cells: list[Cell], taken: set[str]) -> str:
    """For a heading that says nothing: e-mails tell themselves, amounts are asked about."""
    if not cells:
        return "ignore"
    if "email" not in taken and all("@" in cell.text for cell in cells):
        return "email"
    return "" if looks_like_money(cells) else "ignore"


def _texts(sheet: Sheet, mapping: Mapping, kinds: tuple[str, ...]) -> list[str]:
    """What stands in the columns of those kinds, where the file does not type it itself."""
    return [
        cell.text
        for index, name in enumerate(sheet.header)
        if kind_of(mapping.columns.get(name, "")) in kinds
        for cell in _cells(sheet, index)
        if cell.value is None
    ]


def date_orders(sheet: Sheet, mapping: Mapping) -> tuple[frozenset[str], bool]:
    """The orders by which every date of the file can be read, and whether it matters which."""
    texts = _texts(sheet, mapping, ("day", "end"))
    texts += [found for title in sheet.titles for found in days_in_title(title)]
    possible = frozenset(ORDERS)
    for text in texts:
        possible &= orders(text) or possible
    return possible, not possible or any(is_ambiguous(text) for text in texts)


def decimal_signs(sheet: Sheet, mapping: Mapping) -> tuple[frozenset[str], bool]:
    """The decimal signs by which every number can be read, and whether it matters which."""
    texts = [text.rstrip(" %") for text in _texts(sheet, mapping, _NUMERIC)]
    possible = frozenset(DECIMALS)
    for text in texts:
        possible &= readings(text) or possible
    return possible, not possible or any("." in text or "," in text for text in texts)


def _proven(found: tuple[frozenset[str], bool], default: str, kept: str) -> str:
    """What the file proves, or the default where it does not matter, or what was answered last."""
    possible, matters = found
    if len(possible) == 1:
        return next(iter(possible))
    if not matters:
        return default
    return kept if kept in possible else ""


def propose(sheet: Sheet, kept: Mapping | None = None) -> Mapping:
    """A mapping from headings, values and what was confirmed for such a file before.

    What only the next file can tell (cut-over, property) is never kept.
    """
    before = kept or Mapping()
    columns = _columns(sheet)
    columns |= {name: before.columns[name] for name in columns if name in before.columns}
    found = replace(
        before,
        columns=columns,
        cut_over="",
        property="",
        encoding=sheet.encoding,
        delimiter=sheet.delimiter,
        sheet=sheet.sheet if len(sheet.sheets) < 2 else "",
        header_row=sheet.header_row,
    )
    rent = [name for name, target in columns.items() if target == "rent"]
    return replace(
        found,
        date_order=_proven(date_orders(sheet, found), "dmy", before.date_order),
        decimal=_proven(decimal_signs(sheet, found), "point", before.decimal),
        frequency=before.frequency or next(map(frequency_in, rent), ""),
    )
