"""What commands say while they work: a bar on a terminal, elsewhere nothing."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.database.conftest import House
from tests.servers import PROGRAMS, ROOT, environment_of, flask


def on_a_terminal(folder: Path, *words: str) -> tuple[str, str]:
    """What `flask …` prints on its standard output, and what on a terminal as standard error."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [str(PROGRAMS / "flask"), *words],
        cwd=ROOT,
        env=environment_of(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    ) as command:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65_536):
                shown += piece
        except OSError:  # the terminal closed: the command has ended
            pass
        finally:
            os.close(ours)
        assert command.stdout is not None
        printed = command.stdout.read()
        assert command.wait() == 0, shown
    return printed, shown.decode()


def test_without_a_terminal_only_the_outcome_is_printed(house: House):
    made = flask(house.folder, "database", "backup")
    assert made.returncode == 0, made.stderr
    path = made.stdout.removesuffix("\n")
    assert Path(path).is_file()
    assert made.stderr == ""
    again = flask(house.folder, "database", "backup", "--json")
    assert json.loads(again.stdout)["verified"] is True
    assert again.stderr == ""
    for command in (["verify", path], ["drill"], ["restore", path, "--yes"]):
        done = flask(house.folder, "database", *command)
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == 1
        assert "Checking" not in done.stderr
        assert "%" not in done.stderr


@pytest.mark.parametrize("command", ["backup", "verify", "drill", "restore"])
def test_on_a_terminal_a_bar_goes_to_its_end_and_the_outcome_alone_is_printed(house, command):
    path = flask(house.folder, "database", "backup").stdout.strip()
    words = {"backup": [], "verify": [path], "drill": [], "restore": [path, "--yes"]}[command]
    printed, shown = on_a_terminal(house.folder, "database", command, *words)
    assert len(printed.splitlines()) == 1
    assert "\r" not in printed
    assert "%" not in printed
    assert "Checking integrity …" in shown
    if command != "verify":
        assert f"[{'#' * 30}] 100 %" in shown
    assert shown.endswith("\n")


def test_a_failure_without_a_terminal_is_one_line(house):
    house.site.live.write_bytes(b"x" * 4096)
    failed = flask(house.folder, "database", "backup")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert failed.stderr.startswith("Error: ")
    assert failed.stderr.count("\n") == 1
