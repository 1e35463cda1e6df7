"""What a restore would refuse is found by all that calls a backup good, and named by its row."""

import shutil
from pathlib import Path

import pytest

from proman.base.errors import Refused
from proman.database import restore, sources
from proman.database.backup import back_up
from proman.database.sqlite_copy import opened
from proman.database.verifying import verify, verify_listed
from proman.identity.session import acting_for
from tests import factories
from tests.database.conftest import House

WRONG = {
    "a character that ends texts": ("name = 'Ann' || char(0)", "tenants.name is no VARCHAR"),
    "no UTF-8": ("name = CAST(x'416EC3' AS TEXT)", "tenants.name (row"),
    "a day of the year nought": ("created_at = '0000-01-01 00:00:00.000000'", "tenants.created_at"),
    "a day that no calendar has": ("created_at = '2026-02-30'", "tenants.created_at is no DATE"),
}


@pytest.fixture(params=WRONG)
def wrong(request, house: House) -> tuple[str, str]:
    """What is wrong with the last one of two tenants, and what is said of it."""
    with acting_for(house.organization):
        factories.make_tenant(name="Bob")
        factories.make_tenant(name="Ann")
    return WRONG[request.param]


def spoil(house: House, file: Path, change: str) -> int:
    with opened(file, "mode=rw") as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        (last,) = connection.execute("SELECT max(id) FROM tenants").fetchone()
        connection.execute(f"UPDATE tenants SET {change} WHERE id = {last}")
    return int(last)


def test_no_verification_calls_good_what_no_restore_takes(house, wrong, tmp_path):
    change, words = wrong
    made = back_up(house.site, "manual", "Alice")
    file = Path(shutil.copyfile(made.path, tmp_path / "bare.sqlite"))
    row = spoil(house, file, change)
    one = sources.from_file(house.site, file, "Alice")
    by_restore = restore.judge_and_stage(house.site, one.id).fault
    with pytest.raises(Refused) as by_command:
        verify(house.site, file)
    listed = house.site.backup_dir / "proman-20200101-020000.sqlite"
    shutil.copyfile(file, listed)
    with pytest.raises(Refused) as in_list:
        verify_listed(house.site, listed.name, "Alice")
    for refusal in (by_restore, by_command.value.message, in_list.value.message):
        assert words in refusal
        assert f"(row {row})" in refusal


def test_doctor_and_the_page_of_a_restore_name_it_in_the_live_database(house, wrong):
    change, words = wrong
    made = back_up(house.site, "manual", "Alice")
    one = sources.from_list(house.site, made.name, "Alice")
    assert restore.judge_and_stage(house.site, one.id).findings.warnings == []
    row = spoil(house, house.site.live, change)
    done = house.app.test_cli_runner().invoke(args=["doctor"])
    assert done.exit_code == 1
    assert words in done.output
    one = restore.judge_and_stage(house.site, sources.from_list(house.site, made.name, "Alice").id)
    assert one.stage == "ready"
    (told,) = one.findings.warnings
    assert words in told
    assert f"(row {row})" in told
    assert "undo would be refused" in told


@pytest.mark.parametrize("table", ["tenants", "organizations"])
def test_a_text_that_is_no_utf8_is_told_of_a_first_row_too(house, table, tmp_path):
    with acting_for(house.organization):
        factories.make_tenant(name="Ann")
    file = Path(
        shutil.copyfile(back_up(house.site, "manual", "Alice").path, tmp_path / "bare.sqlite")
    )
    with opened(file, "mode=rw") as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        column = "name" if table == "tenants" else "legal_name"
        connection.execute(f"UPDATE {table} SET {column} = CAST(x'FF' AS TEXT)")
        (row,) = connection.execute(f"SELECT min(id) FROM {table}").fetchone()
    one = restore.judge_and_stage(house.site, sources.from_file(house.site, file, "Alice").id)
    assert one.fault == f"A text of {table}.{column} (row {row}) is no UTF-8."


def test_a_file_without_an_operator_is_told(house, tmp_path):
    file = Path(
        shutil.copyfile(back_up(house.site, "manual", "Alice").path, tmp_path / "bare.sqlite")
    )
    with opened(file, "mode=rw") as connection:
        connection.execute("UPDATE users SET is_operator = 0")
    told = verify(house.site, file).warnings
    assert any("no active operator" in one for one in told)
    one = restore.judge_and_stage(house.site, sources.from_file(house.site, file, "Alice").id)
    assert one.stage == "ready"
    assert "create-admin" in " ".join(one.findings.warnings)
