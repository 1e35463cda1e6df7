"""Writes docs/reference from the code: every command and every variable of the environment."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import click
from flask.cli import routes_command, run_command, shell_command

from proman.addresses import UnusableSetting
from proman.app import create_app
from proman.cli import program
from proman.settings import Settings, Variable, read_settings, variables

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"
FLASKS_OWN = (routes_command, run_command, shell_command)
BORROWED = {
    "db": "Flask-Migrate's own. `flask database deploy` and `flask database push` do the same with"
    " a backup and a proof ([database](../database.md#migrations)).",
    "Flask": "What Flask itself brings, for development; the server is `proman serve`.",
}

COMMANDS = """\
# Commands

Written by `scripts/reference` from the code. In the folder of the source they are run as
`.venv/bin/flask …` and `.venv/bin/proman serve`, in the image as they stand here. Every command
knows `--help`, works on the installation that the [variables](variables.md) name, and needs
`FLASK_APP=proman`, which the folder (`.flaskenv`) and the image set.

Exit codes: 0 done, 1 refused or failed (one line on standard error says what, and what to do), 2
wrong usage. `--json` prints one JSON object on standard output and nothing else. Dates are written
YYYY-MM-DD.

"""

VARIABLES = """\
# Variables

Written by `scripts/reference` from the code (`proman/settings.py`, the one reader of the
environment). A variable that is empty counts as not set. A value that cannot be used stops the
start with one line that names the variable, what is wrong, and an example.

What is secret may lie in a file instead: `NAME_FILE` names it, and `NAME`, where set, goes before.

"""


def leaves(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """The command itself, or every one below a group, in alphabetical order."""
    if not isinstance(command, click.Group):
        yield words, command
        return
    for name, one in sorted(command.commands.items()):
        yield from leaves(f"{words} {name}", one)


def every_command() -> dict[str, list[tuple[str, click.Command]]]:
    """The commands by their group, what Flask and Flask-Migrate bring at the end."""
    with tempfile.TemporaryDirectory() as folder:
        groups = create_app(read_settings({"PROMAN_DATA_DIR": folder})).cli.commands
    found = {"proman": list(leaves("proman", program))}
    for name in sorted(groups, key=lambda name: (name in BORROWED, name)):
        found[name] = list(leaves(f"flask {name}", groups[name]))
    found["Flask"] = [(f"flask {one.name}", one) for one in FLASKS_OWN]
    return found


def on_one_line(text: str) -> str:
    """A text of click, as a cell of a table or as a paragraph takes it."""
    text = re.sub(r"(\d+)<=x<=(\d+)", r"\1 to \2", re.sub(r"\s+", " ", text).strip())
    return text.replace("|", "\\|")


def described(words: str, command: click.Command) -> Iterator[str]:
    """A command's heading, its help, how it is called, and a table of what it takes."""
    context = click.Context(command, info_name=words)
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"### {words}\n\n"
    for paragraph in re.split(r"\n\s*\n", dedent(command.help or "").replace("\b", "")):
        yield f"{on_one_line(paragraph).replace('<', '&lt;')}\n\n"
    yield f"```text\n{words} {pieces}\n```\n\n"
    options = [one for one in command.params if isinstance(one, click.Option)]
    if options:
        yield "| option | meaning |\n|---|---|\n"
        for option in options:
            written, meaning = option.get_help_record(context) or ("", "")
            meaning = on_one_line(meaning).replace("<", "&lt;")
            yield f"| `{on_one_line(written).removesuffix(' RANGE')}` | {meaning} |\n"
        yield "\n"


def commands_page() -> str:
    """docs/reference/commands.md."""
    parts = [COMMANDS]
    for group, commands in every_command().items():
        parts.append(f"## {group}\n\n")
        if group in BORROWED:
            parts.append(f"{BORROWED[group]}\n\n")
        for words, command in commands:
            parts += described(words, command)
    return "".join(parts).rstrip() + "\n"


def default_of(name: str, variable: Variable) -> str:
    """In words where the code works it out, else the value beside the field."""
    if variable.default:
        return variable.default
    value = Settings.__dataclass_fields__[name].default
    if value is None or value == "":
        return "none"
    return "off" if value is False else f"`{value}`"


def refusal(variable: Variable, value: str) -> str:
    """The line that the start ends with, for a value that is refused."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            read_settings({"PROMAN_DATA_DIR": folder, variable.name: value})
        except UnusableSetting as error:
            return str(error)
    raise SystemExit(f"{variable.name}={value} is taken, and said to be refused.")


def defaults_of_the_image() -> dict[str, str]:
    """What the Dockerfile's last stage sets."""
    stage = (ROOT / "Dockerfile").read_text("utf-8").split("\nFROM ")[-1]
    assignments = re.findall(r"^(?:ENV| ) *([A-Z_]+)=(\S+)", stage, re.MULTILINE)
    return dict(assignments)


def variables_page() -> str:
    """docs/reference/variables.md."""
    image = defaults_of_the_image()
    parts = [VARIABLES]
    for name, variable in variables().items():
        default = default_of(name, variable)
        if image.get(variable.name, default.strip("`")) != default.strip("`"):
            default += f"; in the image `{image[variable.name]}`"
        parts.append(f"## {variable.name}\n\n{variable.meaning}\n\nDefault: {default}.\n\n")
        if variable.is_secret:
            parts.append(f"Secret: also as `{variable.name}_FILE`.\n\n")
        if variable.refused:
            told = "\n".join(refusal(variable, value) for value in variable.refused)
            parts.append(f"Refused, for example:\n\n```text\n{told}\n```\n\n")
    return "".join(parts).rstrip() + "\n"


PAGES = {"commands.md": commands_page, "variables.md": variables_page}


def main() -> None:
    """Both files anew."""
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
        print((FOLDER / name).relative_to(ROOT))


if __name__ == "__main__":
    main()
