"""Writes into docs/database.md which tests ran on which engine, with what result."""

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from proman.database.driver import sqlite3
from tests.engines import MYSQL, POSTGRESQL, SQLITE, administration

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "matrix"
DOCUMENT = ROOT / "docs" / "database.md"
BEGIN, END = "<!-- matrix: made by scripts/matrix -->", "<!-- end of the matrix -->"
ORDER = ("SQLite", "PostgreSQL", "MySQL", "MariaDB")
Results = dict[str, dict[str, dict[str, bool]]]
"""By engine and version, then module, then test: whether it passed."""


def version_of(engine: str) -> str:
    """An engine with the version that answers, such as `PostgreSQL 15.18`."""
    if engine == SQLITE:
        return f"SQLite {sqlite3.sqlite_version}"
    statement = "SELECT version()" if engine == MYSQL else "SHOW server_version"
    with administration(engine) as server:
        said = str(server.exec_driver_sql(statement).scalar_one())
    name = {POSTGRESQL: "PostgreSQL", MYSQL: "MySQL"}[engine]
    found = re.match(r"[\d.]+", said)
    assert found is not None, said
    return f"{'MariaDB' if 'MariaDB' in said else name} {found.group()}"


def results_kept() -> Results:
    """What is known of every test; of one that ran twice, the later."""
    results: Results = defaultdict(lambda: defaultdict(dict))
    for file in sorted(KEPT.glob("*/*.xml"), key=lambda file: file.name):
        for module, test, passed in _cases(file):
            results[file.parent.name][module][test] = passed
    return results


def _cases(file: Path) -> Iterator[tuple[str, str, bool]]:
    for case in ElementTree.parse(file).iter("testcase"):
        if case.find("skipped") is None:
            parts = case.attrib["classname"].split(".")
            while not (ROOT / "/".join(parts)).with_suffix(".py").exists() and len(parts) > 1:
                parts.pop()  # a class inside its module
            passed = case.find("failure") is None and case.find("error") is None
            yield "/".join(parts[1:]), f"{case.attrib['classname']}.{case.attrib['name']}", passed


def table_of(results: Results) -> str:
    """The table, a row for each module and a column for each engine and version."""
    engines = sorted(results, key=_place)
    modules = sorted({module for engine in engines for module in results[engine]})
    lines = [
        "| tests | " + " | ".join(engines) + " |",
        "|---|" + "--:|" * len(engines),
    ]
    for module in modules:
        cells = [_cell(results[engine].get(module, {})) for engine in engines]
        lines.append(f"| {module} | " + " | ".join(cells) + " |")
    totals = [
        _cell({f"{m}{t}": ok for m, tests in results[engine].items() for t, ok in tests.items()})
        for engine in engines
    ]
    lines.append("| **all** | " + " | ".join(f"**{total}**" for total in totals) + " |")
    return "\n".join(lines)


def _place(engine: str) -> tuple[int, list[int]]:
    name, _, version = engine.partition(" ")
    return ORDER.index(name), [int(part) for part in version.split(".")]


def _cell(tests: dict[str, bool]) -> str:
    failed = sum(not passed for passed in tests.values())
    if not tests:
        return "–"
    return f"{len(tests) - failed}" + (f", {failed} failed" if failed else "")


def write_between(document: Path, begin: str, end: str, made: str) -> None:
    """Puts what was made between the two marks of a document."""
    before, _, rest = document.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    document.write_text(f"{before}{begin}\n{made}\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "version":
        print(version_of(sys.argv[2]))
    else:
        write_between(DOCUMENT, BEGIN, END, table_of(results_kept()))
