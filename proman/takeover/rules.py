"""Decides what an import would make: a plan where all is told and right, else what is not."""

from datetime import date

from proman.takeover.agreements import plan_lease
from proman.takeover.cells import Reader
from proman.takeover.checks import (
    differing_totals,
    doubled_references,
    missing_columns,
    overlaps,
)
from proman.takeover.headings import language_of
from proman.takeover.mapping import Mapping
from proman.takeover.plan import Fault, Outcome, Plan, PlannedLease, Setting
from proman.takeover.questions import group_rows, open_questions
from proman.takeover.sheets import Sheet
from proman.takeover.tenants import People
from proman.takeover.units import Portfolio
from proman.takeover.words import is_vacant

_LETTING = ("rent", "balance", "owed", "credit", "deposit", "first_day", "move_in", "email")


def _is_vacant(reader: Reader, status: str) -> bool:
    """Whether nobody rents the row's unit; a row that says so and also names someone is a fault."""
    tenant = reader.text("tenant") or reader.text("last_name")
    if tenant and not is_vacant(tenant):
        if status == "vacant":
            reader.fault("status", f"The status is vacant, but the tenant is {tenant}.")
        return False
    told = [target for target in _LETTING if reader.cell(target).text]
    if is_vacant(tenant) or status == "vacant":
        _check_vacant(reader)
        return True
    if told:
        reader.fault("tenant", f"No tenant is named, but there is “{reader.heading(told[0])}”.")
    return True


def _check_vacant(reader: Reader) -> None:
    """A vacant unit owes nothing: whose balance or deposit it would be is not told."""
    for target in ("balance", "owed", "credit", "deposit"):
        if reader.amount(target, negative=True):
            shown = reader.cell(target).text
            reader.fault(target, f"The unit is vacant; whose “{shown}” is this?")


def _note_let(reader: Reader, unit: tuple[str, str], cut_over: date | None) -> None:
    """A unit told as vacant that has a lease here is left as it is, and the manager is told."""
    for first, last in reader.setting.existing.occupied.get(unit, []):
        if cut_over is not None and first <= cut_over <= last:
            reader.note("tenant", f"Told as vacant, but it is let here since {first}.")


def _plan_rows(
    reader: Reader, cut_over: date | None
) -> tuple[Portfolio, People, list[PlannedLease]]:
    portfolio = Portfolio(reader)
    people = People(reader, language_of(reader.sheet.header))
    leases: list[PlannedLease] = []
    groups = {row.number for row in group_rows(reader.sheet, reader.mapping)}
    group = ""
    for row in reader.sheet.rows:
        reader.at(row)
        if row.number in groups:
            group = row.cell(0).text if reader.mapping.group_rows == "property" else ""
            continue
        name = portfolio.property_of_row(group)
        label = portfolio.unit_of_row(name)
        status = reader.status()
        if _is_vacant(reader, status):
            _note_let(reader, (name.casefold(), label.casefold()), cut_over)
            continue
        tenants = people.of_row(people.names())
        lease = plan_lease(reader, (name, label), tenants, status, cut_over)
        if lease is not None:
            leases.append(lease)
    return portfolio, people, leases


def judge(sheet: Sheet, mapping: Mapping, setting: Setting) -> Outcome:
    """The dry run of a file: its open questions, every fault by row and column, and the plan.

    Faults are looked for with what is answered so far; while a question is open, those that it
    alone would cause are left out. Nothing is ever guessed.
    """
    questions = open_questions(sheet, mapping, setting)
    asked = frozenset(question.key for question in questions)
    reader = Reader(sheet, mapping, setting, asked)
    faults = list(missing_columns(sheet, mapping))
    if faults:
        return Outcome(None, tuple(faults), questions)
    cut_over = _cut_over(mapping)
    portfolio, people, leases = _plan_rows(reader, cut_over)
    faults += reader.faults
    if "date_order" not in asked:
        faults += overlaps(leases, setting, reader.heading("unit"))
    faults += doubled_references(leases, setting, reader.heading("reference"))
    notes = [*reader.notes, *differing_totals(sheet, mapping), *_unread(sheet)]
    plan = None
    if not faults and not questions and cut_over is not None:
        plan = Plan(
            cut_over,
            setting.currency,
            tuple(portfolio.properties.values()),
            tuple(portfolio.units.values()),
            tuple(people.planned),
            tuple(leases),
        )
    return Outcome(plan, tuple(sorted(set(faults))), questions, tuple(sorted(set(notes))))


def _unread(sheet: Sheet) -> list[Fault]:
    """Notes on the lines below the table, which belong to no unit."""
    return [
        Fault(row.number, "", f"Not read: “{row.filled()[0].text}”.") for row in sheet.footnotes
    ]


def _cut_over(mapping: Mapping) -> date | None:
    try:
        return date.fromisoformat(mapping.cut_over)
    except ValueError:
        return None
