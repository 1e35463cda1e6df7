"""Reads the cells of one row by the mapping and collects what is wrong with them."""

import re
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

from email_validator import EmailNotValidError, validate_email

from proman.base.errors import Refused
from proman.base.money import exponent
from proman.takeover.days import read_day
from proman.takeover.headings import kind_of
from proman.takeover.mapping import Mapping
from proman.takeover.numbers import currencies_of, read_number, to_units
from proman.takeover.people import split_emails
from proman.takeover.plan import Fault, Setting
from proman.takeover.sheets import EMPTY, Cell, Row, Sheet
from proman.takeover.terms import read_count, read_rooms, read_status
from proman.takeover.words import is_open_ended, plain

T = TypeVar("T")
_LIMITS = {"property": 200, "unit": 60, "floor": 100, "street": 200, "city": 100, "phone": 50}
_LIMITS |= {"postal_code": 20, "reference": 40, "tenant": 200}
_MAX_MINOR = 10**15
_SQUARE_FEET = re.compile(r"\b(sq\.? ?ft|sqft|square f|sf)\b", re.IGNORECASE)
_SQUARE_METRES = re.compile(r"m²|m2|\bqm\b|\bmq\b|sq\.? ?m\b|sqm", re.IGNORECASE)
_FOOT_IN_METRES = Decimal("0.09290304")


def _suspended(asked: frozenset[str]) -> frozenset[str]:
    """Targets and kinds whose faults an open question may explain."""
    found: set[str] = set()
    if "date_order" in asked:
        found |= {"day", "end"}
    if "decimal" in asked:
        found |= {"amount", "number", "percent"}
    if asked & {"property", "group_rows"}:
        found.add("property")
    return frozenset(found)


def _named(currencies: tuple[str, ...]) -> str:
    """“EUR”, or “USD, CAD or another” where a sign is that of several."""
    return currencies[0] if len(currencies) == 1 else f"{', '.join(currencies[:2])} or another"


class Reader:
    """One row, seen through the mapping. What cannot be read is a fault and reads as None."""

    def __init__(
        self, sheet: Sheet, mapping: Mapping, setting: Setting, asked: frozenset[str] = frozenset()
    ) -> None:
        self.sheet = sheet
        self.mapping = mapping
        self.setting = setting
        self.places = exponent(setting.currency)
        self.faults: list[Fault] = []
        self.notes: list[Fault] = []
        self.row = sheet.rows[0]
        self._foreign: set[int] = set()
        self._suspended = _suspended(asked)
        targets = set(mapping.columns.values())
        self._at = {target: mapping.indexes(sheet, target) for target in targets}

    def at(self, row: Row) -> "Reader":
        """The same reader, on another row."""
        self.row = row
        return self

    def heading(self, target: str) -> str:
        """The heading of the column mapped to the target, or nothing."""
        found = self._at.get(target, [])
        return self.sheet.header[found[0]] if found else ""

    def fault(self, target: str, message: str) -> None:
        """Something in this row keeps it from being imported."""
        if target not in self._suspended and kind_of(target) not in self._suspended:
            self.faults.append(Fault(self.row.number, self.heading(target), message))

    def is_faulty(self, *targets: str) -> bool:
        """Whether a fault in this row was found already for one of the targets."""
        headings = {self.heading(target) for target in targets}
        return any(
            fault.row == self.row.number and fault.column in headings for fault in self.faults
        )

    def note(self, target: str, message: str) -> None:
        """Something in this row that the manager should know."""
        self.notes.append(Fault(self.row.number, self.heading(target), message))

    def cell(self, target: str) -> Cell:
        """The row's cell of that target; empty where no column is mapped to it."""
        found = self._at.get(target, [])
        return self.row.cell(found[0]) if found else EMPTY

    def text(self, target: str) -> str:
        """The cell's text without blanks around it; one that is too long is a fault."""
        text = " ".join(self.cell(target).text.split())
        limit = _LIMITS.get(target, 200)
        if len(text) > limit:
            self.fault(target, f"“{text[:40]}…” is longer than {limit} characters.")
            return text[:limit]
        return text

    def _read(self, target: str, read: Callable[[str], T]) -> T | None:
        cell = self.cell(target)
        try:
            if cell.problem:
                raise Refused(f"“{cell.text}” is {cell.problem}.")
            return read(cell.text) if cell.text else None
        except Refused as refusal:
            self.fault(target, refusal.message)
            return None

    def _decimal(self, cell: Cell) -> Decimal | None:
        if cell.problem:
            raise Refused(f"“{cell.text}” is {cell.problem}.")
        if isinstance(cell.value, Decimal):
            return cell.value
        return read_number(cell.text, self.mapping.decimal or "point") if cell.text else None

    def _amount(self, index: int) -> int | None:
        cell = self.row.cell(index)
        number = self._decimal(cell)
        if number is None:
            return None
        self._check_currency(index, cell.text)
        minor = to_units(number, self.places)
        if minor is None:
            raise Refused(f"“{cell.text}” has more decimals than {self.setting.currency} has.")
        if abs(minor) >= _MAX_MINOR:
            raise Refused(f"“{cell.text}” is too large an amount.")
        return minor

    def _check_currency(self, index: int, text: str) -> None:
        """Amounts in another currency are refused, once for each column."""
        ours = self.setting.currency
        heading = self.sheet.header[index]
        found = currencies_of(text) or currencies_of(heading)
        if not found or ours in found or index in self._foreign:
            return
        self._foreign.add(index)
        self.faults.append(
            Fault(
                self.row.number,
                heading,
                f"The amounts are in {_named(found)}, but this organization keeps its books in "
                f"{ours}. Import the file into an organization of that currency.",
            )
        )

    def amount_at(self, index: int, *, negative: bool = False) -> int | None:
        """The minor units in that column of the row; negative ones only where they make sense."""
        heading = self.sheet.header[index]
        try:
            minor = self._amount(index)
            if minor is not None and minor < 0 and not negative:
                raise Refused(f"“{self.row.cell(index).text}” is less than nil.")
        except Refused as refusal:
            if "amount" not in self._suspended:
                self.faults.append(Fault(self.row.number, heading, refusal.message))
            return None
        return minor

    def amount(self, target: str, *, negative: bool = False) -> int | None:
        """The minor units of that target, or None where there are none."""
        found = self._at.get(target, [])
        return self.amount_at(found[0], negative=negative) if found else None

    def day(self, target: str) -> date | None:
        """A date, by the file's order of day and month."""
        cell = self.cell(target)
        if isinstance(cell.value, date):
            return cell.value
        return self._read(target, lambda text: read_day(text, self.mapping.date_order or "dmy"))

    def end(self, target: str) -> date | None:
        """A last day; None for open-ended: words such as MTM or unbefristet, and the year 9999."""
        cell = self.cell(target)
        if not isinstance(cell.value, date) and is_open_ended(cell.text):
            return None
        day = self.day(target)
        return None if day is not None and day.year == 9999 else day

    def area(self) -> int | None:
        """Hundredths of the organization's unit of area; feet and metres are converted."""
        heading = self.heading("area")

        def read(_: str) -> Decimal | None:
            return self._decimal(self.cell("area"))

        number = self._read("area", read)
        if number is None:
            return None
        if number < 0 or number > 10_000_000:
            self.fault("area", f"“{self.cell('area').text}” is not an area.")
            return None
        if self.setting.area_unit == "m2" and _SQUARE_FEET.search(heading):
            number *= _FOOT_IN_METRES
        elif self.setting.area_unit != "m2" and _SQUARE_METRES.search(heading):
            number /= _FOOT_IN_METRES
        return int((number * 100).quantize(Decimal(1), ROUND_HALF_UP))

    def rooms(self) -> tuple[int | None, int | None]:
        """Bedrooms, and bathrooms in tenths."""
        both = self._read("rooms", read_rooms)
        if both is not None:
            return both.bedrooms, both.bathrooms
        beds = self._read("bedrooms", lambda text: read_count(text, 0))
        return beds, self._read("bathrooms", lambda text: read_count(text, 1))

    def word(self, target: str, read: Callable[[str], str]) -> str:
        """A word of terms (due day, frequency), or nothing."""
        return self._read(target, read) or ""

    def rate(self) -> int:
        """A tax rate in thousandths of a per cent."""

        def read(text: str) -> Decimal | None:
            cell = self.cell("tax_rate")
            return (
                cell.value
                if isinstance(cell.value, Decimal)
                else read_number(text.rstrip(" %"), self.mapping.decimal or "point")
            )

        number = self._read("tax_rate", read) or Decimal(0)
        rate = to_units(number, 3)
        if rate is None or not 0 <= rate <= 100_000:
            self.fault("tax_rate", f"“{self.cell('tax_rate').text}” is not a tax rate.")
            return 0
        return rate

    def status(self) -> str:
        """The row's status (see terms.STATUSES), by the mapping's own words first; or nothing."""
        text = self.text("status")
        if not text:
            return ""
        own = {plain(word): meaning for word, meaning in self.mapping.statuses.items()}
        return own.get(plain(text)) or read_status(text) or ""

    def emails(self) -> tuple[str, ...]:
        """The addresses in the cell, each a real one; a bad one is a fault."""
        found = split_emails(self.cell("email").text)
        good: list[str] = []
        for address in found:
            try:
                checked = validate_email(address, check_deliverability=False)
                good.append(checked.normalized.lower())
            except EmailNotValidError:
                self.fault("email", f"“{address}” is not an e-mail address.")
        return tuple(good)
