"""docs/reference says what the code says, and leaves out no command and no variable."""

import re
from pathlib import Path

import click
import pytest
from flask.cli import FlaskGroup, ScriptInfo

from proman import settings
from proman.app import create_app
from proman.settings import read_settings, variables
from scripts.write_reference import FOLDER, PAGES, defaults_of_the_image


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == PAGES[name](), "to be run: scripts/reference"


def test_every_command_that_flask_offers_is_there(tmp_path: Path) -> None:
    """Asked as the program itself asks, which also finds what packages bring."""
    app = create_app(read_settings({"PROMAN_DATA_DIR": str(tmp_path)}))
    info = ScriptInfo(create_app=lambda: app)
    program = FlaskGroup(create_app=info.create_app)
    page = (FOLDER / "commands.md").read_text("utf-8")
    with click.Context(program, info_name="flask", obj=info) as context:
        names = program.list_commands(context)
    assert {"billing", "database", "db", "doctor", "run"} <= set(names)
    for name in names:
        below = getattr(app.cli.commands.get(name), "commands", {})
        for words in [f"{name} {one}" for one in below] or [name]:
            assert f"### flask {words}\n" in page
    assert "### proman serve\n" in page


def test_every_variable_that_is_read_is_there() -> None:
    source = Path(settings.__file__).read_text("utf-8")
    reader = source[source.index("def read_settings") :]
    read = set(re.findall(r'"([A-Z][A-Z_]{3,})"', reader))
    assert read == {one.name for one in variables().values()}


def test_the_image_sets_what_the_reference_says_of_it() -> None:
    assert defaults_of_the_image()["PROMAN_DATA_DIR"] == "/data"
    assert "in the image `/backups`" in (FOLDER / "variables.md").read_text("utf-8")
