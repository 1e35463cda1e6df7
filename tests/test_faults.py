"""Every fault of the list has a test and a row in the table, which says what came of the run."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import make_faults
from tests.engines import POSTGRESQL, SQLITE
from tests.faults import LINES, Fault, named_in

HERE = Path(__file__).parent
FULL = Fault("Disk full", "a small disk", "one sentence")
CUT = Fault("Power cut", "a pulled plug", "nothing is lost")


def test_every_fault_has_a_test() -> None:
    assert named_in(HERE) == set(LINES)


def test_every_fault_has_a_row_that_tells_what_came_of_it() -> None:
    table = make_faults.DOCUMENT.read_text("utf-8").split(make_faults.BEGIN)[1]
    rows = re.findall(r"^\| ([^|]+) \|.*\| ([^|]+) \|$", table.split(make_faults.END)[0], re.M)
    told: dict[str, list[str]] = {}
    name = ""
    for fault, result in rows[1:]:
        name = name if fault == make_faults.DITTO else fault
        told.setdefault(name, []).append(result)
    assert tuple(told) == LINES
    assert all(one.startswith(("passed", "not run")) for own in told.values() for one in own)


def case(nodeid: str, said: str = "") -> str:
    about = f'<properties><property name="nodeid" value="{nodeid}"/></properties>'
    return f'<testcase classname="tests.x" name="y">{about}{said}</testcase>'


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., list[str]]:
    def table(known: make_faults.Known, *cases: str) -> list[str]:
        report = tmp_path / "report.xml"
        report.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
        names = {SQLITE: "SQLite 3.53", POSTGRESQL: "PostgreSQL 18"}
        lines = make_faults.table_of(known, make_faults.results_in(report), names)
        return lines.splitlines()

    return table


def test_engines_results_and_what_was_not_run_are_told(table: Callable[..., list[str]]) -> None:
    known = [
        (FULL, SQLITE, "a[sqlite]"),
        (FULL, POSTGRESQL, "a[postgresql]"),
        (CUT, SQLITE, "b"),
        (Fault("Power cut", "another", "the same"), SQLITE, "c"),
    ]
    skipped = '<skipped message="needs a loop device"/>'
    lines = table(known, case("a[sqlite]"), case("a[postgresql]", "<failure/>"), case("b", skipped))
    rows = {line.split(" | ")[0]: line for line in lines[2:]}
    assert [line for line in lines if "Disk full" in line] == [
        "| Disk full | a small disk | SQLite, PostgreSQL | one sentence | **failed** |"
    ]
    at = lines.index(rows["| Power cut"])
    assert lines[at : at + 2] == [
        "| Power cut | a pulled plug | – | nothing is lost | not run: needs a loop device |",
        "| ″ | another | – | the same | not run |",
    ]
    assert rows["| Empty upload"] == "| Empty upload | – | – | – | not run |"
    assert len(lines) == 2 + len(LINES) + 1
