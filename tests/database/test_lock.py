"""One operation at a time, over all processes; the one who waits is told by whom."""

import subprocess
import sys

import pytest

from proman.database.lock import UnderWay, holder, ops_lock, require_free
from tests.conftest import make_settings
from tests.engines import SERVERS, fresh_database


@pytest.mark.engines
def test_the_second_is_told_who_holds_it_and_how_far_it_is(blank_settings):
    assert holder(blank_settings) is None
    with ops_lock(blank_settings, "backup", "Alice") as held:
        held.report("copying", 3, 10)
        with pytest.raises(UnderWay, match="backup, started by Alice at 20"):
            ops_lock(blank_settings, "restore", "Bob").__enter__()
        found = holder(blank_settings)
        assert found is not None
        assert (found.what, found.who, found.phase, found.done) == ("backup", "Alice", "copying", 3)
    assert holder(blank_settings) is None
    with ops_lock(blank_settings, "restore", "Bob"):
        pass


@pytest.mark.postgresql
@pytest.mark.mysql
@pytest.mark.parametrize("server", SERVERS)
def test_two_machines_share_nothing_but_the_server_and_still_exclude_each_other(server, tmp_path):
    with fresh_database(server) as url, fresh_database(server) as other:
        one = make_settings(tmp_path / "one", database_url=url)
        two = make_settings(tmp_path / "two", database_url=url)
        stranger = make_settings(tmp_path / "three", database_url=other)
        with ops_lock(one, "migration", "flask db upgrade"):
            with pytest.raises(UnderWay, match="migration, started by flask db upgrade"):
                ops_lock(two, "backup", "Bob").__enter__()
            found = holder(two)
            assert found is not None
            assert found.what == "migration"
            with ops_lock(stranger, "backup", "Charlie"):
                pass
        with ops_lock(two, "backup", "Bob"), pytest.raises(UnderWay, match="started by Bob"):
            require_free(one)


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "held\n"
    return started


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


@pytest.mark.fault(
    "Lock holder dies",
    how="SIGKILL to the process that holds it",
    outcome="the next goes on",
)
@pytest.mark.engines
def test_a_holder_that_is_killed_frees_it(blank_settings):
    holding = child(
        "import sys, time, pathlib\n"
        "from proman.database.lock import ops_lock\n"
        "from tests.conftest import make_settings\n"
        "from sqlalchemy import make_url\n"
        "folder, url = pathlib.Path(sys.argv[1]), make_url(sys.argv[2])\n"
        "with ops_lock(make_settings(folder, database_url=url), 'backup', 'cron'):\n"
        "    print('held', flush=True); time.sleep(60)\n",
        blank_settings.data_dir,
        blank_settings.database_url.render_as_string(hide_password=False),
    )
    with pytest.raises(UnderWay, match="started by cron"):
        ops_lock(blank_settings, "backup", "Bob").__enter__()
    end(holding)
    with ops_lock(blank_settings, "backup", "Bob", wait=10):
        found = holder(blank_settings)
        assert found is not None
        assert found.who == "Bob"
    assert holder(blank_settings) is None
