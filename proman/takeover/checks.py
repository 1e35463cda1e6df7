"""Checks a plan as a whole: columns that must be there, leases that overlap, sums that differ."""

from collections.abc import Iterator
from decimal import Decimal

from proman.base.errors import Refused
from proman.takeover.headings import KINDS, LABELS, kind_of
from proman.takeover.mapping import Mapping
from proman.takeover.numbers import read_number
from proman.takeover.plan import Fault, PlannedLease, Setting
from proman.takeover.sheets import Cell, Sheet


def missing_columns(sheet: Sheet, mapping: Mapping) -> Iterator[Fault]:
    """What no row can do without, and what two columns cannot both hold."""
    needed = (
        (("tenant", "last_name"), "Tenant"),
        (("rent",), "Rent"),
        (("first_day", "move_in"), "Lease’s first day"),
    )
    for targets, label in needed:
        if not mapping.has(sheet, *targets):
            yield Fault(sheet.header_row, "", f"No column is mapped to “{label}”.")
    if not mapping.has(sheet, "unit", "property"):
        yield Fault(sheet.header_row, "", "No column is mapped to “Unit”.")
    for target in KINDS:
        found = mapping.indexes(sheet, target)
        if len(found) > 1:
            names = " and ".join(f"“{sheet.header[i]}”" for i in found)
            yield Fault(
                sheet.header_row, sheet.header[found[1]], f"{names} are both “{LABELS[target]}”."
            )
    if mapping.has(sheet, "balance") and mapping.has(sheet, "owed", "credit"):
        yield Fault(
            sheet.header_row,
            sheet.header[mapping.indexes(sheet, "balance")[0]],
            "Balance and owed or credit are both told; leave one of them out.",
        )


def overlaps(leases: list[PlannedLease], setting: Setting, heading: str) -> Iterator[Fault]:
    """Two leases of one unit that share a day, within the file or with what is there already."""
    by_unit: dict[tuple[str, str], list[PlannedLease]] = {}
    for lease in leases:
        key = (lease.property_name.casefold(), lease.unit.casefold())
        first, last = lease.occupied
        for other in by_unit.setdefault(key, []):
            if first <= other.occupied[1] and other.occupied[0] <= last:
                yield Fault(
                    lease.row,
                    heading,
                    f"{lease.unit} of {lease.property_name} is let in row {other.row} already, "
                    "on days that overlap.",
                )
                break
        by_unit[key].append(lease)
        for start, end in setting.existing.occupied.get(key, []):
            if first <= end and start <= last:
                yield Fault(
                    lease.row,
                    heading,
                    f"{lease.unit} of {lease.property_name} is let here already, from {start}.",
                )
                break


def doubled_references(
    leases: list[PlannedLease], setting: Setting, heading: str
) -> Iterator[Fault]:
    """A lease's reference is its own in the whole organization."""
    seen: dict[str, int] = {}
    for lease in leases:
        if not lease.reference:
            continue
        if lease.reference in setting.existing.references:
            yield Fault(lease.row, heading, f"{lease.reference} is another lease’s here already.")
        elif lease.reference in seen:
            row = seen[lease.reference]
            yield Fault(lease.row, heading, f"{lease.reference} stands in row {row} already.")
        seen.setdefault(lease.reference, lease.row)


def differing_totals(sheet: Sheet, mapping: Mapping) -> Iterator[Fault]:
    """Notes on sums in the last line of totals that the rows above do not add up to."""
    if not sheet.totals:
        return
    last = sheet.totals[-1]
    for index, name in enumerate(sheet.header):
        if kind_of(mapping.columns.get(name, "")) != "amount" or not last.cell(index):
            continue
        try:
            stated = _number(last.cell(index), mapping)
            added = [_number(cell, mapping) for _, cell in sheet.column(index)]
        except Refused:
            continue
        total = sum(number for number in added if number is not None)
        if stated is not None and stated != total:
            yield Fault(
                last.number, name, f"The file says “{last.cell(index).text}”, its rows {total}."
            )


def _number(cell: Cell, mapping: Mapping) -> Decimal | None:
    if isinstance(cell.value, Decimal):
        return cell.value
    return read_number(cell.text, mapping.decimal or "point")
