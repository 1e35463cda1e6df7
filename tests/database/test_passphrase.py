"""The key that a passphrase seals: work to try, open with any tool, and nothing readable left."""

import base64
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from proman.app import create_app
from proman.base.errors import Refused
from proman.database import (
    archive,
    catalogue,
    contents,
    nightly,
    passphrase_process,
    sealing,
    sources,
)
from proman.database.backup import back_up
from proman.settings import Settings
from tests import processes
from tests.database.locking import LEASE, OURS, furnish, readable_in
from tests.servers import ROOT


def test_a_key_takes_work_to_try_and_a_busy_machine_opens_it(made_keys):
    for key in made_keys.values():
        work = passphrase_process.work_of(key.sealed.encode())
        assert passphrase_process.WANTED.start <= work <= passphrase_process.MOST_WORK
    sealing.unseal.cache_clear()
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(4)]
    try:
        assert sealing.unseal(made_keys[OURS].sealed, OURS) == made_keys[OURS]
    finally:
        for one in busy:
            one.kill()
            one.wait()


def test_a_key_that_takes_more_than_a_machine_has_is_refused(made_keys):
    sealed = made_keys[OURS].sealed
    lines = sealed.splitlines()
    content = base64.b64decode("".join(lines[1:-1]))
    greedy = re.sub(rb"(-> scrypt \S+) \d+", rb"\1 30", content)
    text = base64.b64encode(greedy).decode()
    folded = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    with pytest.raises(Refused, match="more than a gigabyte"):
        sealing.unseal(f"{lines[0]}\n{folded}\n{lines[-1]}\n", OURS)


@pytest.mark.skipif(shutil.which("age") is None, reason="needs apt: age")
def test_the_commands_of_the_documentation_open_an_archive(locked, tmp_path):
    house, made, lease = locked
    text = (ROOT / "docs" / "backup.md").read_text("utf-8").partition("## Encryption")[2]
    commands = re.search(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[1]
    (tmp_path / f"{made.name}.tar").write_bytes(archive.archive_of(made).read_all())
    typed = tmp_path / "typed.sh"
    typed.write_text(commands.replace("proman-20260208-020000", made.name))
    done = subprocess.run(
        ["script", "-qec", f"bash -euo pipefail {typed}", "/dev/null"],
        input=f"{OURS}\n",
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    with sources.readable(house.site, made) as plain:
        assert (tmp_path / "proman.sqlite").read_bytes() == plain.read_bytes()
    assert contents.path_of(tmp_path / "documents", lease.sha256).read_bytes() == LEASE
    assert not (tmp_path / "key.txt").exists()


STEPS = ["copying", "encrypting", "decrypting", "checking integrity", "copying documents"]


def back_up_and_die(settings: Settings, step: str) -> None:
    """Makes a backup and dies by KILL when it comes to the step."""

    def watch(phase: str, done: int, total: int) -> None:
        if phase == step:
            os.kill(os.getpid(), signal.SIGKILL)

    app = create_app(settings)
    with app.app_context():
        back_up(app.extensions["proman_installation"], "manual", "Alice", watch=watch)


@pytest.mark.fault(
    "Kill during a backup",
    how="SIGKILL at each step of an encrypted one",
    outcome="not listed; nothing beside the backups can be read, the start sweeps the rest",
)
def test_a_kill_at_any_step_leaves_nothing_that_can_be_read(house, set_to, tmp_path):
    lease = furnish(house)
    set_to(house, OURS)
    for step in STEPS:
        code, said = processes.start(tmp_path, back_up_and_die, house.site.settings, step).end()
        assert code == -signal.SIGKILL, said
        assert catalogue.backups_in(house.site.backup_dir) == []
        assert readable_in(house.site.backup_dir) == []
        for one in house.folder.glob(".proman-*.partial"):
            assert one.stat().st_mode & 0o077 == 0
    nightly.tidy(house.site)
    assert not list(house.folder.rglob(".proman-*.partial"))
    uploaded = contents.path_of(house.site.files_dir, lease.sha256)
    assert set(readable_in(house.folder)) == {house.folder / "proman.sqlite", uploaded}
    assert back_up(house.site, "manual", "Alice").is_verified
