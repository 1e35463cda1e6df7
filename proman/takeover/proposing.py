"""Puts together how a file is read and mapped: what was told, what was kept, what is proven."""

from dataclasses import fields, replace
from typing import Any

from proman.base.errors import Refused
from proman.takeover.answers import checked
from proman.takeover.mapfile import read_map
from proman.takeover.mapping import Mapping, propose
from proman.takeover.queries import header_hash, kept_mapping
from proman.takeover.reading import read_file
from proman.takeover.sheets import Sheet


def read_as_told(data: bytes, told: Mapping) -> Sheet:
    """The file, read with the encoding, delimiter, sheet and header row that a mapping names."""
    return read_file(
        data,
        encoding=told.encoding,
        delimiter=told.delimiter,
        sheet=told.sheet,
        header_row=told.header_row,
    )


def proposed(sheet: Sheet) -> Mapping:
    """What headings, values and the mapping kept for such a file propose."""
    kept = kept_mapping(header_hash(sheet))
    return propose(sheet, checked(read_map(kept.mapping)) if kept else None)


def told_or_proposed(sheet: Sheet, told: Mapping) -> Mapping:
    """What a map tells, and for what it leaves out what is proposed. Raises Refused.

    A column of the map that the file does not have is refused: the map is of another file.
    """
    told = checked(told)
    strange = [name for name in told.columns if name not in sheet.header]
    if strange:
        raise Refused(f"Map: the file has no column “{strange[0]}”; is it the map of another file?")
    basis = propose(sheet)
    answers: dict[str, Any] = {
        field.name: getattr(told, field.name) for field in fields(told) if getattr(told, field.name)
    }
    answers["columns"] = basis.columns | told.columns
    return replace(basis, **answers)


def reread(data: bytes, told: Mapping) -> tuple[Sheet, Mapping]:
    """The sheet and the whole mapping that a map file or a waiting upload stands for."""
    sheet = read_as_told(data, told)
    return sheet, told_or_proposed(sheet, told)
