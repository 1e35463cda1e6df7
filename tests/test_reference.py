"""docs/reference says what the code says, and leaves out no command and no variable."""

import re
import shlex
from pathlib import Path

import click
import pytest
from flask.cli import FlaskGroup, ScriptInfo

from proman import settings
from proman.app import create_app
from proman.settings import read_settings, variables
from scripts.write_reference import FOLDER, PAGES, ROOT, defaults_of_the_image, every_command


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


TYPED = re.compile(r"(?<![\w/.-])flask (?!--)([a-z][^`\n#|<>;&…)]*)")


def typed_commands() -> list[tuple[str, list[str]]]:
    """The words after `flask` of every command in a document, as a shell takes them apart."""
    found = []
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        if path.parent != FOLDER:
            text = path.read_text("utf-8")
            blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
            for piece in (*blocks, *re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)):
                for words in TYPED.findall(piece.replace("\\\n", " ")):
                    found.append((path.name, shlex.split(words)))
    return found


def test_every_command_that_a_document_types_is_one() -> None:
    """With options that it has; `flask db downgrade -1` stood in one, and is none."""
    groups = {name: dict(commands) for name, commands in every_command().items()}
    known = {words: one for commands in groups.values() for words, one in commands.items()}
    typed = typed_commands()
    assert len(typed) > 60
    for name, words in typed:
        if len(words) == 1 and any(one.startswith(f"flask {words[0]} ") for one in known):
            continue  # a group, spoken of as a whole
        length = 1 if f"flask {words[0]}" in known else 2
        command = known[f"flask {' '.join(words[:length])}"]
        options = [word for word in words[length:] if word.startswith("-") and word != "-"]
        has = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
        assert {option.partition("=")[0] for option in options} <= has, (name, words)


def test_every_variable_that_is_read_is_there() -> None:
    source = Path(settings.__file__).read_text("utf-8")
    reader = source[source.index("def read_settings") :]
    read = set(re.findall(r'"([A-Z][A-Z_]{3,})"', reader))
    assert read == {one.name for one in variables().values()}


def test_the_image_sets_what_the_reference_says_of_it() -> None:
    assert defaults_of_the_image()["PROMAN_DATA_DIR"] == "/data"
    assert "in the image `/backups`" in (FOLDER / "variables.md").read_text("utf-8")
