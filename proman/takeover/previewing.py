"""Shows what a mapping makes of a file: for each column some values as written and as read."""

from dataclasses import dataclass, replace

from proman.base.errors import Refused
from proman.base.money import decimal_string
from proman.takeover.cells import Reader
from proman.takeover.export import scaled_text
from proman.takeover.headings import kind_of, language_of
from proman.takeover.mapping import Mapping
from proman.takeover.plan import POSITIVE_OWED, Setting
from proman.takeover.sheets import Row, Sheet
from proman.takeover.tenants import People
from proman.takeover.terms import read_due, read_frequency, read_status
from proman.takeover.words import is_open_ended, is_vacant

SAMPLES = 3
UNITS = {"m2": "m²", "sqft": "sq ft"}


@dataclass(frozen=True, slots=True)
class Sample:
    """A cell as it is written, what it is read as, and whether it cannot be read."""

    written: str
    read: str
    is_wrong: bool = False


@dataclass(frozen=True, slots=True)
class ColumnPreview:
    """A column: its place, its heading, what it is mapped to, and samples of its values."""

    index: int
    heading: str
    target: str
    filled: int
    samples: tuple[Sample, ...]


def previews(sheet: Sheet, mapping: Mapping, setting: Setting) -> list[ColumnPreview]:
    """Every column with samples: the first values that differ, whatever is odd among them."""
    found: list[ColumnPreview] = []
    for index, heading in enumerate(sheet.header):
        target = mapping.columns.get(heading, "")
        alone = replace(mapping, columns={heading: target})
        rows = [row for row in sheet.rows if row.cell(index)]
        reader = Reader(sheet, alone, setting)
        samples = tuple(_sample(reader, row, index, target) for row in _different(rows, index))
        found.append(ColumnPreview(index, heading, target, len(rows), samples))
    return found


def _different(rows: list[Row], index: int) -> list[Row]:
    """Rows with different values; the shortest and the longest text are shown too."""
    seen: dict[str, Row] = {}
    for row in rows:
        seen.setdefault(row.cell(index).text, row)
    texts = list(seen)
    longest = max(texts, key=len, default="")
    others = [text for text in texts if text != longest]
    chosen = [*others[: SAMPLES - 1], longest]
    return [seen[text] for text in texts if text in chosen]


def _sample(reader: Reader, row: Row, index: int, target: str) -> Sample:
    written = row.cell(index).text
    reader.at(row)
    before = len(reader.faults)
    try:
        read = _read(reader, index, target) if target not in ("", "ignore") else ""
    except Refused as refusal:
        return Sample(written, refusal.message, True)
    if len(reader.faults) > before:
        return Sample(written, reader.faults[-1].message, True)
    return Sample(written, read)


def _read(reader: Reader, index: int, target: str) -> str:
    kind = kind_of(target)
    if kind == "amount":
        minor = reader.amount_at(index, negative=target in ("balance", "credit"))
        currency = reader.setting.currency
        if minor is None:
            return "nothing"
        told = decimal_string(minor, currency)
        return _balance(reader, told) if target == "balance" else f"{told} {currency}"
    if kind == "day":
        return str(reader.day(target) or "")
    if kind == "end":
        return str(reader.end(target) or "open-ended")
    return _word(reader, target, reader.text(target))


def _word(reader: Reader, target: str, text: str) -> str:
    """What a cell of words or figures other than amounts and dates is read as."""
    if target in ("tenant", "second_tenant"):
        return "vacant" if is_vacant(text) else _names(reader)
    if target == "area":
        return f"{scaled_text(reader.area() or 0, 2)} {UNITS.get(reader.setting.area_unit, '')}"
    if target in ("rooms", "bedrooms", "bathrooms"):
        return _rooms(*reader.rooms())
    if target == "due":
        return _due(reader.word("due", read_due))
    if target == "frequency":
        return reader.word("frequency", read_frequency)
    if target == "status":
        return reader.status() or read_status(text) or "asked"
    if target == "email":
        return ", ".join(reader.emails())
    return "open-ended" if kind_of(target) == "end" and is_open_ended(text) else text


def _balance(reader: Reader, told: str) -> str:
    """A balance with what its sign means, once that is answered."""
    amount, currency = told.lstrip("-"), reader.setting.currency
    if not reader.mapping.balance_sign or not amount.strip("0."):
        return f"{told} {currency}"
    owed = (reader.mapping.balance_sign == POSITIVE_OWED) != told.startswith("-")
    return f"{amount} {currency} {'owed' if owed else 'in credit'}"


def _due(rule: str) -> str:
    """A due rule in words: “working day 3”, “day 15 of the month before”."""
    kind, _, rest = rule.partition(":")
    number, _, shift = rest.partition(":")
    words = f"{'working day' if kind == 'workday' else 'day'} {number}"
    return f"{words} of the month {shift}" if shift else words


def _names(reader: Reader) -> str:
    return " + ".join(People(reader, language_of(reader.sheet.header)).names())


def _rooms(bedrooms: int | None, bathrooms: int | None) -> str:
    parts = [] if bedrooms is None else [f"{bedrooms} bedroom{'s' if bedrooms != 1 else ''}"]
    if bathrooms is not None:
        whole, part = divmod(bathrooms, 10)
        shown = f"{whole}.{part}" if part else str(whole)
        parts.append(f"{shown} bathroom{'s' if bathrooms != 10 else ''}")
    return ", ".join(parts)
