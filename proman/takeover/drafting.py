"""Owns an upload on its way to an import: opened with its sheet and mapping, changed, saved."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import PurePath

from proman.db import begin_write, db
from proman.identity.actor import Actor
from proman.takeover.actions import File, start_draft
from proman.takeover.mapfile import read_map, write_map
from proman.takeover.mapping import Mapping
from proman.takeover.proposing import proposed, read_as_told, reread
from proman.takeover.queries import draft
from proman.takeover.sheets import Sheet

_ASKED = ("cut_over", "balance_sign", "property", "frequency", "periods", "due", "group_rows")


@dataclass(frozen=True, slots=True)
class Job:
    """A waiting upload: its file, what was read of it, and its mapping so far."""

    id: int
    file: File
    sheet: Sheet
    mapping: Mapping

    def with_columns(self, columns: dict[str, str]) -> "Job":
        """The same with these columns mapped anew."""
        return replace(self, mapping=replace(self.mapping, columns=self.mapping.columns | columns))

    def answered(self, mapping: Mapping) -> "Job":
        """The same with answers; another sheet of the workbook is read and mapped anew."""
        if mapping.sheet == self.mapping.sheet:
            return replace(self, mapping=mapping)
        return reread_differently(self, Mapping(sheet=mapping.sheet))

    @property
    def state(self) -> str:
        """Stands for this file with these answers: a page that shows another state is outdated."""
        told = write_map(self.mapping).encode()
        return hashlib.sha256(self.file.content + b"\0" + told).hexdigest()[:32]

    def reading(self) -> dict[str, str]:
        """How the file is read, for the form."""
        return {
            "encoding": self.mapping.encoding,
            "delimiter": self.mapping.delimiter,
            "header_row": str(self.mapping.header_row),
        }


def start(file: File, *, actor: Actor) -> int:
    """Read an upload, propose its mapping and keep both; begins the write itself."""
    name = PurePath(file.name.replace("\\", "/")).name[-200:] or "rent roll"
    sheet = read_as_told(file.content, Mapping())
    mapping = proposed(sheet)
    begin_write()
    return start_draft(File(name, file.content), mapping, actor=actor).id


def opened(draft_id: int) -> Job:
    """The upload with its sheet and mapping. Raises NotThere and Refused."""
    kept = draft(draft_id)
    sheet, mapping = reread(kept.content, read_map(kept.mapping))
    return Job(draft_id, File(kept.file_name, kept.content), sheet, mapping)


def save(job: Job) -> None:
    """Keep the mapping; begins the write itself."""
    begin_write()
    draft(job.id).mapping = write_map(job.mapping)


def reread_differently(job: Job, told: Mapping) -> Job:
    """The file read as told, its mapping proposed anew. Raises Refused."""
    sheet = read_as_told(job.file.content, told)
    return replace(job, sheet=sheet, mapping=proposed(sheet))


def without_answers(job: Job) -> Job:
    """The same with every question open again that the file does not answer."""
    return replace(job, mapping=replace(job.mapping, **dict.fromkeys(_ASKED, "")))  # type: ignore[arg-type]


def give_up(draft_id: int) -> str:
    """Let an upload go; returns its file's name. Begins the write itself."""
    begin_write()
    kept = draft(draft_id)
    name = kept.file_name
    db.session.delete(kept)
    return name
