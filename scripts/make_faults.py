"""Writes into docs/backup.md which faults a run of the tests made, how, where, with what result."""

import contextlib
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from platform import release
from xml.etree import ElementTree

import pytest
from sqlalchemy.exc import OperationalError

from scripts.make_matrix import ROOT, version_of, write_between
from tests.engines import MYSQL, POSTGRESQL, SQLITE
from tests.faults import LINES, Fault, engine_of, made_by

DOCUMENT = ROOT / "docs" / "backup.md"
BEGIN, END = "<!-- faults: made by scripts/faults -->", "<!-- end of the faults -->"
ENGINES = (SQLITE, POSTGRESQL, MYSQL)
PASSED, FAILED = "passed", "**failed**"
NOT_RUN, DITTO = "not run", "″"
Known = list[tuple[Fault, str, str]]
"""Fault, engine and node id of every test that makes one."""
Results = dict[str, str]
"""By node id what came of it: passed, failed, or why it was not run."""


@dataclass
class Collector:
    """Takes down what the tests say of themselves while pytest collects them."""

    known: Known

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            self.known += [(fault, engine_of(item), item.nodeid) for fault in made_by(item)]


def known_faults() -> Known:
    """Of every test that makes a fault: the fault, its engine and its node id."""
    collector = Collector([])
    with contextlib.redirect_stdout(sys.stderr):
        ended = pytest.main(["--collect-only", "-qq", "-m", "fault"], [collector])
    assert ended == pytest.ExitCode.OK, ended
    return collector.known


def results_in(report: Path) -> Results:
    """What a report in the form of JUnit says of the tests that make a fault."""
    results = {}
    for case in ElementTree.parse(report).iter("testcase"):
        for about in case.iter("property"):
            if about.attrib["name"] == "nodeid":
                results[about.attrib["value"]] = _result(case)
    return results


def _result(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return FAILED
    skipped = case.find("skipped")
    return PASSED if skipped is None else f"{NOT_RUN}: {skipped.attrib['message']}"


def table_of(known: Known, results: Results, names: dict[str, str]) -> str:
    """The table, in the order of the list; `names` are those of the engines, with their versions.

    A row for each way in which a fault is made; what nobody could make is named as not run.
    """
    rows = ["| fault | how it is made | engines | outcome | result |", "|---|---|---|---|---|"]
    for line in LINES:
        ways = list(dict.fromkeys(fault for fault, _, _ in known if fault.name == line))
        if not ways:
            rows.append(f"| {line} | – | – | – | {NOT_RUN} |")
        for way in ways:
            ran = {node: engine for fault, engine, node in known if fault == way}
            told = line if way is ways[0] else DITTO
            rows.append(f"| {told} | {way.how} | {_row(ran, results, names, way.outcome)} |")
    return "\n".join(rows)


def _row(ran: dict[str, str], results: Results, names: dict[str, str], outcome: str) -> str:
    """Engines, outcome and result of the tests of one row, which are given with their engines."""
    came = {node: results.get(node, NOT_RUN) for node in ran}
    made = [
        one for one in ENGINES if any(came[n] in (PASSED, FAILED) for n in ran if ran[n] == one)
    ]
    where = ", ".join(names[one].split(" ")[0] for one in made) or "–"
    missing = dict.fromkeys(came[node] for node in ran if ran[node] not in made)
    result = FAILED if FAILED in came.values() else "; ".join([*[PASSED][: len(made)], *missing])
    return f"{where} | {outcome} | {result}"


def names_of_engines() -> dict[str, str]:
    """The engines with their versions; of a server that does not answer, the name."""
    names = {SQLITE: version_of(SQLITE), POSTGRESQL: "PostgreSQL", MYSQL: "MariaDB"}
    for engine in (POSTGRESQL, MYSQL):
        with contextlib.suppress(OperationalError):
            names[engine] = version_of(engine)
    return names


if __name__ == "__main__":
    names = names_of_engines()
    table = table_of(known_faults(), results_in(Path(sys.argv[1])), names)
    told = (
        f"Made on {datetime.now(UTC).date()} with {', '.join(names.values())} on Linux {release()}."
    )
    write_between(DOCUMENT, BEGIN, END, f"{told}\n\n{table}")
