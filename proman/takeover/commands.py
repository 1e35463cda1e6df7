"""`flask portfolio …` and `flask export`: a terminal is asked, without one nothing is guessed."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from proman.base.commands import CommandGroup
from proman.base.errors import NotThere, Refused
from proman.database.readiness import on_ready_database
from proman.database.replica import read_from_replica
from proman.database.statistics import refresh_statistics
from proman.db import begin_write, db
from proman.identity.actor import Actor
from proman.identity.models import Organization
from proman.identity.queries import organizations
from proman.identity.session import acting_for
from proman.takeover.actions import File, dry_run, import_file
from proman.takeover.answers import answered, check
from proman.takeover.export import export_to
from proman.takeover.headings import LABELS
from proman.takeover.mapfile import read_map, write_map
from proman.takeover.mapping import Mapping
from proman.takeover.plan import Fault, Outcome, Question
from proman.takeover.proposing import proposed, read_as_told, reread
from proman.takeover.queries import setting_of_today, the_import
from proman.takeover.questions import open_questions
from proman.takeover.sheets import Sheet
from proman.takeover.telling import how_read, place, told_json, told_plan, told_question
from proman.takeover.template import template
from proman.takeover.undo import undo_import

organization_option = click.option(
    "--organization", "wanted", help="Its name, where there are several."
)


def chosen_organization(name: str | None) -> Organization:
    """The organization of that name, or the only one; raises Refused with what to do."""
    found = organizations()
    if name is not None:
        match = [each for each in found if each.name == name]
        if not match:
            raise NotThere(f"There is no organization named {name}.")
        return match[0]
    if not found:
        raise Refused("There is no organization yet; run: flask organizations create")
    if len(found) > 1:
        known = ", ".join(each.name for each in found)
        raise Refused(f"There are several organizations; choose with --organization: {known}.")
    return found[0]


@click.group("portfolio", cls=CommandGroup)
def portfolio() -> None:
    """Taking over a running portfolio from a rent roll."""


@portfolio.command("template")
def template_command() -> None:
    """Print a CSV whose columns need no map, with an example row."""
    click.echo(template(), nl=False)


@portfolio.command("undo")
@click.argument("import_id", type=int)
@organization_option
@on_ready_database
def undo_command(import_id: int, wanted: str | None) -> None:
    """Undo an import, while nothing rests on it."""
    with acting_for(chosen_organization(wanted).id) as actor:
        begin_write()
        made = the_import(import_id)
        undo_import(made, actor=actor)
        name = made.file_name
        db.session.commit()
    click.echo(f"The import of {name} was undone; everything it had made is gone.")


@portfolio.command("import")
@click.argument(
    "path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--map", "map_path", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="How the file is read, and the answers: FILE.map.toml.",
)  # fmt: skip
@click.option("--cut-over", default="", help="The last day the old system billed (YYYY-MM-DD).")
@click.option("--dry-run", "only_try", is_flag=True, help="Show what would be made, make nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object and nothing else.")
@organization_option
@on_ready_database
def import_command(
    path: Path,
    map_path: Path | None,
    cut_over: str,
    only_try: bool,
    as_json: bool,
    wanted: str | None,
) -> None:
    """Take over a running portfolio from CSV, TSV or XLSX, all or nothing."""
    job = _Job(path, map_path, as_json=as_json)
    try:
        with acting_for(chosen_organization(wanted).id) as actor:
            job.run(check("cut_over", cut_over), actor, only_try=only_try)
    except (Refused, NotThere) as error:
        if as_json:
            click.echo(told_json(Outcome(None, (Fault(0, "", error.message),))))
        raise


class _Job:
    """One run of the import command."""

    def __init__(self, path: Path, map_path: Path | None, *, as_json: bool) -> None:
        self.path = path
        self.map_path = map_path
        self.as_json = as_json
        self.asks = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
        self.file = File(path.name, path.read_bytes())

    def run(self, cut_over: str, actor: Actor, *, only_try: bool) -> None:
        sheet, mapping = self._read()
        if cut_over:
            mapping = replace(mapping, cut_over=cut_over)
        self._say(how_read(sheet))
        if self.asks:
            mapping = self._ask(sheet, mapping)
        outcome = dry_run(sheet, mapping)
        self._show(outcome)
        if outcome.questions:
            self._stop_with_questions(mapping, outcome)
        if outcome.faults:
            self._stop_with_faults(outcome)
        created: dict[str, Any] = {
            "created": outcome.plan.counts() if outcome.plan else {},
            "dry_run": only_try,
        }
        if self.asks and not only_try:
            click.confirm("Import this?", abort=True)
        if not only_try:
            made = import_file(self.file, sheet, mapping, actor=actor)
            created |= {"created": made.created, "import_id": made.id}
            db.session.commit()
            refresh_statistics(db.engine)
        self._end(outcome, created)

    def _read(self) -> tuple[Sheet, Mapping]:
        if self.map_path is None:
            sheet = read_as_told(self.file.content, Mapping())
            return sheet, proposed(sheet)
        try:
            text = self.map_path.read_text("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Refused(f"{self.map_path} is not text in UTF-8.") from error
        return reread(self.file.content, read_map(text))

    def _say(self, *lines: str) -> None:
        if not self.as_json:
            for line in lines:
                click.echo(line)

    def _ask(self, sheet: Sheet, mapping: Mapping) -> Mapping:
        """Confirm the columns, then ask question after question; answers may bring new ones."""
        for name, target in mapping.columns.items():
            click.echo(f"  {name:<30} {LABELS.get(target, '(asked below)')}")
        if not click.confirm("Is this what the columns hold?", default=True):
            self._write_map(mapping, ())
            raise Refused(f"Correct {self._map_file()} and run again with --map.")
        setting = setting_of_today()
        while questions := open_questions(sheet, mapping, setting):
            mapping = _asked(mapping, questions[0])
        return mapping

    def _show(self, outcome: Outcome) -> None:
        for note in outcome.notes:
            self._say(f"Note: {place(note)}{note.message}")
        for fault in outcome.faults:
            self._say(f"Fault: {place(fault)}{fault.message}")
        for question in outcome.questions:
            self._say(*told_question(question))
        self._say(*told_plan(outcome))

    def _stop_with_questions(self, mapping: Mapping, outcome: Outcome) -> None:
        told = f"answer them in {self.map_path} and run again"
        if self.map_path is None:
            told = self._write_map(mapping, outcome.questions)
        if self.as_json:
            click.echo(told_json(outcome, map=str(self.map_path or self._map_file())))
        number = len(outcome.questions)
        raise click.ClickException(
            f"{number} question{'s are' if number > 1 else ' is'} open; {told}. "
            "Nothing was imported."
        )

    def _stop_with_faults(self, outcome: Outcome) -> None:
        if self.as_json:
            click.echo(told_json(outcome))
        first = outcome.faults[0]
        number = len(outcome.faults)
        raise click.ClickException(
            f"{number} fault{'s' if number > 1 else ''}, the first in {place(first)}"
            f"{first.message} Nothing was imported; correct the file or the map."
        )

    def _end(self, outcome: Outcome, created: dict[str, Any]) -> None:
        if self.as_json:
            click.echo(told_json(outcome, **created))
        elif created["dry_run"]:
            click.echo("A dry run: nothing was made.")
        else:
            click.echo(f"Imported. To undo it: flask portfolio undo {created['import_id']}")

    def _map_file(self) -> Path:
        return self.path.with_name(f"{self.path.name}.map.toml")

    def _write_map(self, mapping: Mapping, questions: tuple[Question, ...]) -> str:
        """Write FILE.map.toml, but never over one that is there: it may hold answers."""
        target = self._map_file()
        try:
            with target.open("x", encoding="utf-8") as file:
                file.write(write_map(mapping, questions))
        except FileExistsError:
            return f"{target} is there already: answer them in it and run again with --map {target}"
        except OSError as error:
            return f"{target} could not be written ({error.strerror}): write a map and use --map"
        return f"answer them in {target} and run again with --map {target}"


def _asked(mapping: Mapping, question: Question) -> Mapping:
    click.echo(question.question)
    proposal = question.choices[0] if question.is_free and question.choices else None
    kind = None if question.is_free else click.Choice(question.choices)
    while True:
        answer = click.prompt(question.key, default=proposal, type=kind)
        try:
            return answered(mapping, question.key, str(answer))
        except Refused as error:
            click.echo(error.message)


@click.command("export")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@organization_option
@on_ready_database
def export_command(folder: Path, wanted: str | None) -> None:
    """Write everything as CSV, one file for each kind of record; of all organizations or of one."""
    try:
        chosen = [chosen_organization(wanted)] if wanted is not None else organizations()
        read_from_replica()
        counts, missing = export_to(folder, [each.id for each in chosen])
    except (Refused, NotThere) as error:
        raise click.ClickException(error.message) from error
    for name in missing:
        click.echo(f"Note: the content of {name} is not in the data directory.", err=True)
    click.echo(f"{sum(counts.values()):,} records of {len(counts)} kinds are in {folder}.")
