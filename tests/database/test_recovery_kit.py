"""What is printed is enough, with a bare file and the passphrase, and nothing beside."""

import shutil
import subprocess
from contextlib import closing

from bs4 import BeautifulSoup

from proman.database import keys
from proman.database.backup import back_up
from proman.database.driver import sqlite3
from tests.database.locking import LATER, OURS, found_in, furnish

PAGE = "/admin/database/recovery-kit"


def test_without_a_backup_it_says_what_to_do_first(house, set_to):
    page = house.client().get(PAGE).text
    assert "There is no verified backup yet" in page
    set_to(house, OURS)
    page = house.client().get(PAGE).text
    assert "There is no key yet" in page
    assert "Passphrase of the backups" in page


def test_plain_backups_need_no_key(house):
    made = back_up(house.site, "manual", "Alice")
    page = house.client().get(PAGE).text
    assert made.name in page
    assert "Passphrase of the backups" not in page
    assert "AGE ENCRYPTED FILE" not in page


def test_the_printed_key_and_the_passphrase_open_a_bare_file(house, set_to, tmp_path):
    furnish(house)
    set_to(house, LATER)
    back_up(house.site, "manual", "Alice")
    set_to(house, OURS)
    made = back_up(house.site, "manual", "Alice")
    page = house.client().get(PAGE).text
    assert not found_in(page.encode())
    printed = [one.text for one in BeautifulSoup(page, "lxml").select(".kit-key pre")]
    assert len(printed) == 2
    assert len(BeautifulSoup(page, "lxml").select(".kit-key svg")) == 2
    home = tmp_path / "another machine"
    home.mkdir()
    bare = shutil.copy(made.path, home / "found.sqlite.age")
    name = keys.file_of(home, made.manifest.recipient).name
    assert name in page
    (home / name).write_text(printed[0])
    type_in = ["script", "-qec", f"age -d -o key.txt {name}", "/dev/null"]
    subprocess.run(type_in, cwd=home, input=f"{OURS}\n", text=True, check=True, capture_output=True)
    command = ["age", "-d", "-i", "key.txt", "-o", "proman.sqlite", str(bare)]
    subprocess.run(command, cwd=home, check=True)
    with closing(sqlite3.connect(home / "proman.sqlite")) as opened:
        assert opened.execute("SELECT legal_name FROM organizations").fetchall() == [("before",)]


def test_only_operators_see_it(mona, alice):
    assert mona.get(PAGE).status_code == 403
    assert alice.get(PAGE).status_code == 200
