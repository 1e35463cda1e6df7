"""The table of which tests ran where counts what the reports of the runs say, the latest last."""

from pathlib import Path

import pytest

from scripts import make_matrix

HERE = "tests.test_matrix"


def report(folder: Path, engine: str, name: str, *cases: str) -> None:
    place = folder / engine
    place.mkdir(exist_ok=True)
    suite = f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>"
    (place / f"{name}.xml").write_text(suite)


def case(test: str, said: str = "", module: str = HERE) -> str:
    return f'<testcase classname="{module}" name="{test}">{said}</testcase>'


def test_a_row_for_each_module_and_a_column_for_each_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_matrix, "KEPT", tmp_path)
    report(tmp_path, "PostgreSQL 18.6", "1", case("one"))
    report(tmp_path, "PostgreSQL 15.20", "1", case("one", "<failure/>"), case("two"))
    report(tmp_path, "PostgreSQL 15.20", "2", case("one"))
    skipped, broken = case("three", "<skipped/>"), case("four", "<error/>")
    house = case("five", module="tests.test_house.Inside")
    report(tmp_path, "SQLite 3.53.4", "1", case("one"), skipped, broken, house)
    assert make_matrix.table_of(make_matrix.results_kept()).splitlines() == [
        "| tests | SQLite 3.53.4 | PostgreSQL 15.20 | PostgreSQL 18.6 |",
        "|---|--:|--:|--:|",
        "| test_house | 1 | – | – |",
        "| test_matrix | 1, 1 failed | 2 | 1 |",
        "| **all** | **2, 1 failed** | **2** | **1** |",
    ]
