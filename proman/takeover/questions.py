"""What a file does not tell and the manager is asked, with the answers there are."""

from collections.abc import Iterator
from datetime import date

from proman.base.errors import Refused
from proman.leases.rules import Frequency
from proman.takeover.days import is_ambiguous, orders, read_day
from proman.takeover.headings import LABELS, kind_of
from proman.takeover.mapping import Mapping, date_orders, decimal_signs
from proman.takeover.numbers import figure, readings
from proman.takeover.plan import NEGATIVE_OWED, POSITIVE_OWED, Question, Setting
from proman.takeover.sheets import Cell, Row, Sheet
from proman.takeover.terms import FREQUENCIES, PERIODS, STATUSES, read_frequency, read_status
from proman.takeover.titles import cut_over_proposals, property_proposals
from proman.takeover.words import is_vacant, plain

WEEKLY = tuple(each.value for each in Frequency if each.days)
_DUE_CHOICES = ("day:1", "day:3", "day:5", "day:15", "workday:1", "workday:3", "workday:5")


def group_rows(sheet: Sheet, mapping: Mapping) -> list[Row]:
    """Rows with one cell only, in the first column: they may name the property of those below."""
    if mapping.has(sheet, "property"):
        return []
    return [
        row
        for row in sheet.rows
        if len(row.filled()) == 1 and row.cell(0) and not is_vacant(row.cell(0).text)
    ]


def letting_rows(sheet: Sheet, mapping: Mapping) -> list[Row]:
    """The rows that speak of a lease: neither vacant nor a heading between them."""
    groups = {row.number for row in group_rows(sheet, mapping)}
    tenants = [i for t in ("tenant", "last_name") for i in mapping.indexes(sheet, t)]
    return [
        row
        for row in sheet.rows
        if row.number not in groups
        and any(row.cell(i).text and not is_vacant(row.cell(i).text) for i in tenants)
    ]


def _filled(sheet: Sheet, mapping: Mapping, target: str) -> list[tuple[int, Cell]]:
    rows = {row.number for row in letting_rows(sheet, mapping)}
    indexes = mapping.indexes(sheet, target)
    return [(n, cell) for i in indexes for n, cell in sheet.column(i) if n in rows]


def _lacks(sheet: Sheet, mapping: Mapping, target: str) -> bool:
    """Whether a lease's row says nothing of the target."""
    told = {number for number, _ in _filled(sheet, mapping, target)}
    return any(row.number not in told for row in letting_rows(sheet, mapping))


def _columns(sheet: Sheet, mapping: Mapping) -> Iterator[Question]:
    for index, name in enumerate(sheet.header):
        cells = sheet.column(index)
        if mapping.columns.get(name, "ignore" if not cells else "") == "":
            shown = ", ".join(f"“{cell.text}”" for _, cell in cells[:3])
            yield Question(
                f"columns.{name}", f"What does the column “{name}” hold ({shown})?", tuple(LABELS)
            )


def _example(sheet: Sheet, mapping: Mapping, kinds: tuple[str, ...], day: bool) -> str:
    """A value of those kinds that can be read in both ways."""
    for index, name in enumerate(sheet.header):
        if kind_of(mapping.columns.get(name, "")) not in kinds:
            continue
        for number, cell in sheet.column(index):
            both = is_ambiguous(cell.text) if day else len(readings(cell.text)) > 1
            if cell.value is None and both and (day or set(cell.text) & {".", ","}):
                return f"“{cell.text}” in row {number}"
    return "the titles" if day else "the file"


def _manners(sheet: Sheet, mapping: Mapping) -> Iterator[Question]:
    if not mapping.date_order and date_orders(sheet, mapping)[1]:
        example = _example(sheet, mapping, ("day", "end"), day=True)
        yield Question(
            "date_order",
            f"Does the day or the month come first in dates? No date of the file proves it "
            f"({example} can be read both ways, or its dates disagree).",
            ("dmy", "mdy"),
        )
    if not mapping.decimal and decimal_signs(sheet, mapping)[1]:
        example = _example(sheet, mapping, ("amount", "number", "percent"), day=False)
        yield Question(
            "decimal",
            f"Is the decimal sign a point or a comma? Nothing in the file proves it "
            f"({example} can be read both ways, or its numbers disagree).",
            ("point", "comma"),
        )


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text) is not None
    except ValueError:
        return False


def _time(sheet: Sheet, mapping: Mapping) -> Iterator[Question]:
    if _is_day(mapping.cut_over):
        return
    proposals = cut_over_proposals(sheet, mapping.date_order)
    why = f" The title says “{sheet.titles[0]}”." if proposals else ""
    yield Question(
        "cut_over",
        "Which is the cut-over date (YYYY-MM-DD)? Periods begun by that day were billed by "
        f"the system taken over from; balances and deposits are as of then.{why}",
        proposals,
        is_free=True,
    )


def _places(sheet: Sheet, mapping: Mapping, setting: Setting) -> Iterator[Question]:
    groups = group_rows(sheet, mapping)
    if groups and mapping.group_rows not in ("property", "ignore"):
        yield Question(
            "group_rows",
            f"Row {groups[0].number} holds only “{groups[0].cell(0).text}”. Is it the property of "
            "the rows below, or to be ignored?",
            ("property", "ignore"),
        )
    grouped = bool(groups) and mapping.group_rows in ("", "property")
    if not mapping.has(sheet, "property") and not mapping.property and not grouped:
        names = (*property_proposals(sheet), *setting.existing.properties.values())
        yield Question(
            "property",
            "Which property do the units belong to? No column of the file tells it.",
            tuple(dict.fromkeys(names)),
            is_free=True,
        )


def _off_first(text: str) -> bool:
    """Whether a lease begins inside a month, by either reading of its date."""
    return any(read_day(text, order).day != 1 for order in orders(text))


def _known_frequencies(sheet: Sheet, mapping: Mapping) -> set[str]:
    found = {mapping.frequency} if mapping.frequency else set()
    for _, cell in _filled(sheet, mapping, "frequency"):
        try:
            found.add(read_frequency(cell.text))
        except Refused:
            continue
    return found


def _matters_where_periods_begin(sheet: Sheet, mapping: Mapping) -> bool:
    """Whether a lease of calendar lengths begins inside a month."""
    if mapping.frequency and _known_frequencies(sheet, mapping) <= set(WEEKLY):
        return False
    starts = [
        cell.text
        for target in ("first_day", "move_in")
        for _, cell in _filled(sheet, mapping, target)
    ]
    return any(_off_first(text) for text in starts)


def _terms(sheet: Sheet, mapping: Mapping, setting: Setting) -> Iterator[Question]:
    if mapping.frequency not in FREQUENCIES and _lacks(sheet, mapping, "frequency"):
        yield Question(
            "frequency",
            "How often is rent paid? The rent is the amount of one such period.",
            FREQUENCIES,
        )
    unanswered = mapping.periods not in PERIODS and _lacks(sheet, mapping, "periods")
    if unanswered and _matters_where_periods_begin(sheet, mapping):
        yield Question(
            "periods",
            "Some leases begin inside a month. Is rent paid for periods of the calendar, or from "
            "each lease’s own first day (anniversary)?",
            PERIODS,
        )
    if not mapping.due and _lacks(sheet, mapping, "due"):
        yield Question(
            "due",
            "On which day is rent due? day:1 to day:31, or the n-th working day, such as "
            "workday:3; :before or :after for the month before or after.",
            tuple(dict.fromkeys((setting.due_rule, *_DUE_CHOICES))),
            is_free=True,
        )


def _balances(sheet: Sheet, mapping: Mapping) -> Iterator[Question]:
    shown: list[str] = []
    for number, cell in _filled(sheet, mapping, "balance"):
        try:
            parts = figure(cell.text)
        except Refused:
            continue
        if parts and parts.body.strip("0.,"):
            sign = "less than nil" if parts.negative else "more than nil"
            shown.append(f"“{cell.text}” in row {number} ({sign})")
    if shown and mapping.balance_sign not in (POSITIVE_OWED, NEGATIVE_OWED):
        yield Question(
            "balance_sign",
            "Which balances does the tenant owe: those above nil (then below nil is credit), or "
            f"those below? For example {shown[0]}.",
            (POSITIVE_OWED, NEGATIVE_OWED),
        )


def _statuses(sheet: Sheet, mapping: Mapping) -> Iterator[Question]:
    told = {plain(word) for word, meaning in mapping.statuses.items() if meaning in STATUSES}
    asked: dict[str, int] = {}
    for index in mapping.indexes(sheet, "status"):
        for number, cell in sheet.column(index):
            if read_status(cell.text) is None and plain(cell.text) not in told:
                asked.setdefault(cell.text, number)
    for text, number in asked.items():
        yield Question(
            f"status.{text}", f"What does the status “{text}” (row {number}) mean?", STATUSES
        )


def open_questions(sheet: Sheet, mapping: Mapping, setting: Setting) -> tuple[Question, ...]:
    """All that is still to be answered before the file can be imported."""
    found: list[Question] = []
    if len(sheet.sheets) > 1 and not mapping.sheet:
        found.append(Question("sheet", "Which sheet holds the rent roll?", sheet.sheets))
    found += _columns(sheet, mapping)
    found += _manners(sheet, mapping)
    found += _time(sheet, mapping)
    found += _places(sheet, mapping, setting)
    found += _terms(sheet, mapping, setting)
    found += _balances(sheet, mapping)
    found += _statuses(sheet, mapping)
    return tuple(found)
