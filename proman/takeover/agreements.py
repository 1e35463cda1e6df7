"""Plans the lease of a row: its days, terms, rent, charges and what stood on its account."""

from dataclasses import dataclass
from datetime import date

from proman.leases.rules import Periods, Timing
from proman.takeover.cells import Reader
from proman.takeover.plan import NEGATIVE_OWED, PlannedCharge, PlannedLease
from proman.takeover.questions import WEEKLY
from proman.takeover.terms import read_due, read_frequency
from proman.takeover.words import plain


@dataclass(frozen=True, slots=True)
class _Days:
    first: date | None
    last: date | None
    ended: date | None


def _days(reader: Reader, status: str, cut_over: date | None) -> _Days:
    """First and last day; who moves out before the agreed last day leaves on that day."""
    moved_in = reader.day("move_in")
    first = reader.day("first_day") or moved_in
    if first is None and not reader.is_faulty("first_day", "move_in"):
        reader.fault("first_day", "The lease has no first day.")
    if first and moved_in and first != moved_in and reader.heading("first_day"):
        reader.note("move_in", f"Moved in on {moved_in}; the lease is taken over from {first}.")
    last, leaves = reader.end("last_day"), reader.end("move_out")
    if first and first.year < 1950:
        reader.fault("first_day", f"{first} is too long ago for a lease’s first day.")
    if first and last and last < first:
        reader.fault("last_day", f"The last day {last} is before the first day {first}.")
        return _Days(first, None, None)
    if first and leaves and leaves < first:
        reader.fault("move_out", f"{leaves} is before the lease’s first day {first}.")
        return _Days(first, last, None)
    if status == "ended":
        return _Days(first, last, _ended(reader, leaves or last, cut_over))
    if leaves is not None:
        if cut_over and leaves <= cut_over:
            reader.fault("move_out", f"Moved out on {leaves}, but the lease has not ended.")
        last = leaves
    if cut_over:
        _note_state(reader, status, first, last, cut_over)
    return _Days(first, last, None)


def _ended(reader: Reader, on: date | None, cut_over: date | None) -> date | None:
    if on is None:
        reader.fault("last_day", "The lease has ended, but on which day is not told.")
    elif cut_over and on > cut_over:
        reader.fault("status", f"The lease is told as ended, but its last day is {on}.")
        return None
    return on


def _note_state(
    reader: Reader, status: str, first: date | None, last: date | None, cut_over: date
) -> None:
    """What the manager should know of a lease past its agreed last day, or not yet begun."""
    if last is not None and last <= cut_over:
        reader.note("last_day", f"Agreed to {last} and not ended: it bills on until it is.")
    elif status == "holdover" and last is not None:
        reader.note("status", f"Told as holding over, but it was agreed to {last}.")
    if status == "future" and first is not None and first <= cut_over:
        reader.note("status", f"Told as future, but it began on {first}.")


def _charges(reader: Reader) -> tuple[PlannedCharge, ...]:
    """A charge for each column mapped to one that holds an amount; nil makes none."""
    found: list[PlannedCharge] = []
    for index, heading in enumerate(reader.sheet.header):
        target = reader.mapping.columns.get(heading, "")
        if not target.startswith("charge:"):
            continue
        amount = reader.amount_at(index)
        if amount:
            kind = target.removeprefix("charge:")
            described = kind.capitalize() if plain(heading) == plain(target) else heading
            found.append(PlannedCharge(kind, described[:200], amount))
    return tuple(found)


def _account(reader: Reader) -> tuple[int, int]:
    """What was owed and what stood in credit at cut-over, by the answered sign of balances."""
    owed, credit = reader.amount("owed") or 0, reader.amount("credit", negative=True) or 0
    balance = reader.amount("balance", negative=True) or 0
    if reader.mapping.balance_sign == NEGATIVE_OWED:
        balance = -balance
    owed, credit = owed + max(balance, 0), abs(credit) + max(-balance, 0)
    if owed and credit:
        reader.fault("credit", "The lease owes and is in credit at once; tell what is left.")
    return owed, credit


def _choice(reader: Reader, target: str, choices: type[Periods] | type[Timing]) -> str:
    text = reader.text(target)
    found = {plain(each.value): each.value for each in choices}.get(plain(text), "")
    if text and not found:
        reader.fault(target, f"“{text}” is none of {', '.join(choices)}.")
    return found


def _check_total(reader: Reader, rent: int, charges: tuple[PlannedCharge, ...]) -> None:
    total = reader.amount("total")
    if total is not None and total != rent + sum(charge.amount for charge in charges):
        reader.note("total", f"“{reader.cell('total').text}” is not the rent and its charges.")


@dataclass(frozen=True, slots=True)
class _Terms:
    frequency: str
    periods: str
    timing: str
    due_rule: str


def _terms(reader: Reader) -> _Terms:
    """The row's own terms, else those answered; weekly kinds know no calendar."""
    mapping = reader.mapping
    frequency = reader.word("frequency", read_frequency) or mapping.frequency
    periods = _choice(reader, "periods", Periods) or mapping.periods or "calendar"
    return _Terms(
        frequency=frequency,
        periods="calendar" if frequency in WEEKLY else periods,
        timing=_choice(reader, "timing", Timing) or mapping.timing or reader.setting.timing,
        due_rule=reader.word("due", read_due) or mapping.due,
    )


def plan_lease(
    reader: Reader,
    place: tuple[str, str],
    tenants: tuple[int, ...],
    status: str,
    cut_over: date | None,
) -> PlannedLease | None:
    """The row's lease, or None where a fault keeps it from being planned."""
    days = _days(reader, status, cut_over)
    rent = reader.amount("rent")
    if rent is None and not reader.is_faulty("rent"):
        reader.fault("rent", "The row has a tenant, but no rent.")
    charges = _charges(reader)
    owed, credit = _account(reader)
    _check_total(reader, rent or 0, charges)
    terms = _terms(reader)
    if days.first is None or rent is None:
        return None
    return PlannedLease(
        row=reader.row.number,
        property_name=place[0],
        unit=place[1],
        tenants=tenants,
        first_day=days.first,
        last_day=days.last,
        ended_on=days.ended,
        frequency=terms.frequency,
        periods=terms.periods,
        timing=terms.timing,
        due_rule=terms.due_rule,
        rent=rent,
        tax_rate=reader.rate(),
        charges=charges,
        deposit=reader.amount("deposit") or 0,
        owed=owed,
        credit=credit,
        reference=reader.text("reference"),
    )
