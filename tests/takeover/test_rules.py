import csv
import io
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proman.leases.periods import full_period, period_index
from proman.leases.rules import DueRule, Frequency, LeaseTerms, Periods
from proman.takeover.plan import Existing, Outcome, Plan
from proman.takeover.reading import read_file
from proman.takeover.rules import judge
from tests.takeover.rolls import (
    DOLLARS,
    EUROS,
    HARBOUR,
    HARBOUR_ANSWERS,
    HEADER,
    LINDENHOF,
    LINDENHOF_ANSWERS,
    ROW,
    answered,
    faults,
    outcome,
    roll,
    workbook,
)


def harbour() -> Outcome:
    return outcome(read_file(HARBOUR.read_bytes()), **HARBOUR_ANSWERS)


def lindenhof(**answers: str) -> Outcome:
    return outcome(
        read_file(LINDENHOF.read_bytes()),
        EUROS,
        property="",
        due="",
        **(LINDENHOF_ANSWERS | answers),
    )


def plan_of(result: Outcome) -> Plan:
    assert result.faults == ()
    assert result.questions == ()
    assert result.plan is not None
    return result.plan


def _column(path_text: str, delimiter: str, name: str, header_row: int) -> list[Decimal]:
    """The column's amounts, read by other means than ours."""
    rows = list(csv.reader(io.StringIO(path_text), delimiter=delimiter))
    index = rows[header_row].index(name)
    found = []
    for row in rows[header_row + 1 :]:
        text = row[index] if index < len(row) else ""
        bare = re.sub(r"[^\d,.\-()]", "", text)
        if not bare:
            continue
        if delimiter == ";":
            bare = bare.replace(".", "").replace(",", ".")
        bare = bare.replace(",", "")
        negative = bare.startswith(("(", "-"))
        number = Decimal(bare.strip("()-"))
        found.append(-number if negative else number)
    return found


def test_harbour_court_to_the_cent() -> None:
    plan = plan_of(harbour())
    text = HARBOUR.read_bytes().decode("utf-8-sig")
    sums = plan.sums()
    balances = _column(text, ",", "Balance", 2)
    assert sums["rent"] == sum(_column(text, ",", "Rent", 2)) * 100
    assert sums["deposits held"] == sum(_column(text, ",", "Deposit", 2)) * 100
    assert sums["owed"] == sum(each for each in balances if each > 0) * 100
    assert sums["in credit"] == -sum(each for each in balances if each < 0) * 100
    market = sum(unit.market_rent or 0 for unit in plan.units)
    assert market == sum(_column(text, ",", "Market Rent", 2)) * 100
    assert plan.counts() == {
        "properties": 1,
        "units": 48,
        "tenants": 56,
        "leases": 43,
        "rents": 43,
        "opening_items": 13,
        "opening_credits": 2,
        "deposits": 43,
    }


def test_harbour_court_in_its_details() -> None:
    plan = plan_of(harbour())
    leases = {lease.unit: lease for lease in plan.leases}
    assert (leases["B-07"].owed, leases["B-07"].credit) == (0, 110_000)
    assert leases["A-07"].owed == 26_558
    assert leases["A-02"].last_day is None
    assert leases["A-01"].last_day == date(2026, 8, 31)
    people = [plan.tenants[key] for key in leases["A-10"].tenants]
    assert [(p.name, p.email) for p in people] == [
        ("Ewa Tanaka", "ewa.tanaka.9@example.com"),
        ("Dmitri Duarte", None),
    ]
    unit = next(unit for unit in plan.units if unit.label == "A-04")
    assert (unit.bedrooms, unit.bathrooms, unit.area) == (3, 15, 110_000)
    assert "A-03" not in leases
    assert any(unit.label == "A-03" for unit in plan.units)


def test_victor_vargas_of_two_addresses_is_two_people() -> None:
    plan = plan_of(harbour())
    victors = [tenant for tenant in plan.tenants if tenant.name == "Victor Vargas"]
    assert len({tenant.email for tenant in victors}) == 2


def test_a07_is_first_billed_from_28_november() -> None:
    lease = next(lease for lease in plan_of(harbour()).leases if lease.unit == "A-07")
    terms = LeaseTerms(
        1,
        lease.first_day,
        lease.last_day,
        frequency=Frequency(lease.frequency),
        periods=Periods(lease.periods),
        due_rule=DueRule.parse(lease.due_rule),
        cut_over=date(2026, 10, 31),
    )
    index = period_index(terms, date(2026, 10, 31))
    assert full_period(terms, index + 1).first == date(2026, 11, 28)


def test_harbour_court_notes_who_holds_over() -> None:
    noted = [note.row for note in harbour().notes]
    assert noted == [4, 17, 24, 26, 41, 49, 50]


def test_lindenhof_to_the_cent() -> None:
    plan = plan_of(lindenhof())
    text = LINDENHOF.read_bytes().decode("cp1252")
    sums = plan.sums()
    assert sums["rent"] == sum(_column(text, ";", "Kaltmiete", 0)) * 100
    charges = sum(
        sum(_column(text, ";", name, 0))
        for name in ("Betriebskosten VZ", "Heizkosten VZ", "Stellplatz")
    )
    assert sums["charges"] == charges * 100
    assert sums["deposits held"] == sum(_column(text, ";", "Kaution", 0)) * 100
    assert sums["owed"] == -sum(_column(text, ";", "Saldo", 0)) * 100
    assert sums["in credit"] == 0


def test_lindenhof_in_its_details() -> None:
    plan = plan_of(lindenhof())
    assert [each.name for each in plan.properties] == [
        "Lindenhof 3",
        "Lindenhof 5",
        "Am Mühlgraben 17",
    ]
    lease = next(
        each for each in plan.leases if (each.property_name, each.unit) == ("Lindenhof 5", "WE 07")
    )
    assert lease.owed == lease.rent + sum(charge.amount for charge in lease.charges) == 111_334
    assert [(c.kind, c.description, c.amount) for c in lease.charges] == [
        ("service", "Betriebskosten VZ", 13_803),
        ("heating", "Heizkosten VZ", 12_480),
    ]
    assert (lease.due_rule, lease.first_day) == ("workday:3", date(2026, 3, 1))
    first = plan.leases[1]
    assert first.due_rule == "day:1"
    assert len(first.tenants) == 2
    assert plan.units[0].location == "EG links"
    assert plan.units[0].area == 6_822


def test_the_sign_of_balances_turns_them() -> None:
    sums = plan_of(lindenhof(balance_sign="positive_owed")).sums()
    assert (sums["owed"], sums["in credit"]) == (0, 240_937)


def test_another_currency_is_refused_by_row_and_column() -> None:
    found = outcome(read_file(LINDENHOF.read_bytes()), DOLLARS, due="", **LINDENHOF_ANSWERS).faults
    assert {(fault.row, fault.column) for fault in found} == {
        (2, "Kaltmiete"),
        (2, "Betriebskosten VZ"),
        (2, "Heizkosten VZ"),
        (2, "Stellplatz"),
        (2, "Kaution"),
        (2, "Saldo"),
    }
    assert "EUR" in found[0].message
    assert "USD" in found[0].message


def test_a_good_row() -> None:
    plan = plan_of(outcome(roll(ROW)))
    lease = plan.leases[0]
    assert (lease.rent, lease.deposit, lease.owed) == (10_000, 5_000, 0)


ROWS = [
    (ROW.replace("$100.00", ""), "Rent"),
    (ROW.replace("$100.00", "lots"), "Rent"),
    (ROW.replace("$100.00", "($100.00)"), "Rent"),
    (ROW.replace("$100.00", "$100.005"), "Rent"),
    (ROW.replace("$100.00", "€100.00"), "Rent"),
    (ROW.replace("$100.00", "$99999999999999999.00"), "Rent"),
    (ROW.replace("$50.00", "-$50.00"), "Deposit"),
    (ROW.replace("$0.00", "owes"), "Balance"),
    (ROW.replace("01/15/2025", ""), "Lease From"),
    (ROW.replace("01/15/2025", "15/01/2025"), "Lease From"),
    (ROW.replace("01/15/2025", "13/32/2025"), "Lease From"),
    (ROW.replace("01/15/2025", "01/15/1850"), "Lease From"),
    (ROW.replace("MTM", "01/14/2025"), "Lease To"),
    (ROW.replace("MTM", "someday"), "Lease To"),
    (ROW.replace("ann@example.com", "ann(at)example"), "E-mail"),
    (ROW.replace("ann@example.com", "a@example.com; b@example.com"), "E-mail"),
    (ROW.replace("Ann Lee", ""), "Tenant"),
    (ROW.replace("Ann Lee", "Ann Lee & Ann Lee").replace("ann@example.com", ""), None),
    (ROW.replace("Current", "Vacant"), "Status"),
    (ROW.replace("Current", "Past"), "Lease To"),
    (ROW.replace("Ann Lee", "VACANT").replace("Current", "Vacant"), "Deposit"),
    (ROW.replace("A1", ""), "Unit"),
    (ROW.replace("A1", "A" * 61), "Unit"),
    (ROW.replace("Ann Lee", "A" * 201), "Tenant"),
]


@pytest.mark.parametrize(("row", "column"), ROWS)
def test_each_fault_has_its_row_and_column(row: str, column: str | None) -> None:
    good = ROW.replace("A1", "B1").replace("ann@", "bo@")
    found = faults(roll(good, row), date_order="mdy")
    assert found == ([(3, column)] if column else [])


def test_an_ended_lease_needs_its_day_and_no_later_one() -> None:
    ended = ROW.replace("Current", "Past")
    assert faults(roll(ended.replace("MTM", "11/30/2026"))) == [(2, "Status")]
    plan = plan_of(outcome(roll(ended.replace("MTM", "09/30/2026"))))
    assert plan.leases[0].ended_on == date(2026, 9, 30)


def test_overlapping_leases_of_a_unit() -> None:
    second = ROW.replace("01/15/2025", "06/01/2026").replace("ann@", "bo@")
    assert faults(roll(ROW, second)) == [(3, "Unit")]
    ending = ROW.replace("MTM", "05/31/2026")
    assert faults(roll(ending, second)) == []


def test_one_address_for_two_names() -> None:
    other = ROW.replace("A1", "A2").replace("Ann Lee", "Bo Chan")
    assert faults(roll(ROW, other)) == [(3, "E-mail")]
    same = ROW.replace("A1", "A2")
    assert len(plan_of(outcome(roll(ROW, same))).tenants) == 1


def test_without_addresses_the_same_name_is_two_people() -> None:
    bare = ROW.replace("ann@example.com", "")
    assert len(plan_of(outcome(roll(bare, bare.replace("A1", "A2")))).tenants) == 2


def test_two_addresses_beside_two_names() -> None:
    row = ROW.replace("Ann Lee", "Ann Lee & Bo Chan").replace(
        "ann@example.com", "a@example.com / b@example.com"
    )
    assert [t.email for t in plan_of(outcome(roll(row))).tenants] == [
        "a@example.com",
        "b@example.com",
    ]


def test_columns_that_are_missing_or_doubled() -> None:
    sheet = roll("A1,01/15/2025,$5.00,$6.00", header="Unit,Lease From,Deposit,Fee")
    found = outcome(sheet).faults
    assert [fault.row for fault in found] == [1, 1]
    assert "Tenant" in found[0].message
    assert "Rent" in found[1].message
    doubled = answered(sheet, columns={"Fee": "deposit", "Deposit": "deposit"})
    messages = [fault.message for fault in judge(sheet, doubled, DOLLARS).faults]
    assert any("“Deposit” and “Fee” are both" in message for message in messages)


def test_what_is_there_already() -> None:
    there = Existing(
        properties={"court": "Court"},
        units=frozenset({("court", "a1")}),
        tenants={"ann@example.com": "Ann Lee"},
        references=frozenset({"L-1"}),
        occupied={("court", "a1"): [(date(2025, 1, 1), date.max)]},
    )
    found = outcome(roll(ROW), replace(DOLLARS, existing=there)).faults
    assert [(fault.row, fault.column) for fault in found] == [(2, "Unit")]
    free = replace(there, occupied={})
    plan = plan_of(outcome(roll(ROW), replace(DOLLARS, existing=free)))
    assert plan.counts() == {"tenants": 1, "leases": 1, "rents": 1, "deposits": 1}


def test_a_unit_told_as_vacant_that_is_let_here_is_noted() -> None:
    there = Existing(
        properties={"court": "Court"},
        units=frozenset({("court", "a1")}),
        occupied={("court", "a1"): [(date(2025, 1, 1), date.max)]},
    )
    result = outcome(roll("A1,VACANT,,,,,,,Vacant"), replace(DOLLARS, existing=there))
    assert [(note.row, note.column) for note in result.notes] == [(2, "Tenant")]


def test_references_are_their_lease_s_own() -> None:
    header = f"{HEADER},Lease ID"
    rows = [f"{ROW},L-1", f"{ROW.replace('A1', 'A2')},L-1"]
    assert faults(roll(*rows, header=header)) == [(3, "Lease ID")]


def test_questions_hide_only_the_faults_that_they_explain() -> None:
    row = ROW.replace("01/15/2025", "01/02/2025")
    rows = [row, row.replace("A1", "A2").replace("ann@example.com", "nobody")]
    result = outcome(roll(*rows), cut_over="", property="")
    assert {question.key for question in result.questions} == {"cut_over", "date_order", "property"}
    assert [(fault.row, fault.column) for fault in result.faults] == [(3, "E-mail")]
    assert result.plan is None


def test_notes() -> None:
    header = f"{HEADER},Move-in,Total Rent"
    rows = [
        f"{ROW.replace('MTM', '08/31/2026')},09/01/2020,$120.00",
        "Totals,,,,,$101.00,$50.00,$0.00,,,",
        ",,,,,,,,,,",
        "* MTM means month to month,,,,,,,,,,",
    ]
    notes = outcome(roll(*rows, header=header)).notes
    assert [(note.row, note.column) for note in notes] == [
        (2, "Lease To"),
        (2, "Move-in"),
        (2, "Total Rent"),
        (3, "Rent"),
        (5, ""),
    ]


def test_owed_and_credit_in_columns_of_their_own() -> None:
    header = HEADER.replace("Balance", "Past Due").replace("Status", "Prepaid")
    row = ROW.replace("$0.00", "$12.00").replace("Current", "")
    lease = plan_of(outcome(roll(row, header=header), balance_sign="")).leases[0]
    assert (lease.owed, lease.credit) == (1_200, 0)
    both = row + "$5.00"
    assert faults(roll(both, header=header)) == [(2, "Prepaid")]


def test_a_property_with_one_unit_each() -> None:
    sheet = roll(
        "Oak House,Ann Lee,01/15/2025,$100.00,$5.00",
        header="Property,Tenant,Lease From,Rent,Deposit",
    )
    plan = plan_of(outcome(sheet))
    assert plan.properties[0].is_single_unit
    assert [unit.label for unit in plan.units] == ["1"]


def test_properties_in_rows_of_their_own() -> None:
    sheet = roll("Oak House,,,,,,,,", ROW, "Elm House,,,,,,,,", ROW.replace("ann@", "bo@"))
    plan = plan_of(outcome(sheet, property="", group_rows="property"))
    assert [each.name for each in plan.properties] == ["Oak House", "Elm House"]
    assert [lease.property_name for lease in plan.leases] == ["Oak House", "Elm House"]


def test_feet_become_metres_where_the_organization_keeps_metres() -> None:
    sheet = roll("A1,1000,Ann Lee,01/15/2025,100.00", header="Unit,Sq Ft,Tenant,Lease From,Rent")
    assert plan_of(outcome(sheet, EUROS)).units[0].area == 9_290


def test_a_workbook_is_the_same_roll() -> None:
    rows: list[list[object]] = [
        ["Unit", "Tenant", "E-mail", "Lease From", "Lease To", "Rent", "Deposit", "Balance"],
        ["A1", "Ann Lee", "ann@example.com", date(2025, 1, 15), "MTM", 100.1, 50, -12.5],
        ["A2", "Bo Chan", "", date(2025, 1, 15), date(9999, 12, 31), "=5*2", 50, 0],
    ]
    result = outcome(read_file(workbook(rows, {"F2": '"$"#,##0.00'})))
    assert [(fault.row, fault.column) for fault in result.faults] == [(3, "Rent")]
    plan = plan_of(outcome(read_file(workbook(rows[:2]))))
    assert (plan.leases[0].rent, plan.leases[0].credit) == (10_010, 1_250)


@settings(deadline=None)
@given(st.lists(st.text(max_size=12), min_size=9, max_size=9))
def test_no_row_makes_it_stumble(cells: list[str]) -> None:
    stream = io.StringIO()
    csv.writer(stream).writerow([re.sub(r"[\x00-\x1f]", " ", cell) for cell in cells])
    result = outcome(read_file(f"{HEADER}\n{ROW}\n{stream.getvalue()}".encode("utf-8", "replace")))
    assert result.plan is None or len(result.plan.leases) >= 1
