"""The map file: a mapping as TOML that a person can read, answer and keep."""

import textwrap
import tomllib
from typing import Any

import tomli_w

from proman.base.errors import Refused
from proman.takeover.headings import LABELS
from proman.takeover.mapping import SCALARS, Mapping
from proman.takeover.plan import Question

_ABOUT = """\
# How ProMan reads the file beside this one. Keys: docs/import.md.
# An empty value is an open question; answer it here, then run the import again with --map.
"""
_MEANS = {
    "cut_over": "the last day that the old system billed (YYYY-MM-DD)",
    "date_order": "dmy (31/10/2026) or mdy (10/31/2026)",
    "decimal": "point (1,234.50) or comma (1.234,50)",
    "balance_sign": "positive_owed or negative_owed: what a balance above nil, or below, means",
    "property": "the property of all units, where no column tells it",
    "frequency": "weekly fortnightly four_weekly monthly quarterly half_yearly yearly",
    "periods": "calendar, or anniversary: from each lease's own first day",
    "due": "day:1 to day:31 or workday:1 to workday:23, then :before or :after for another month",
    "timing": "advance or arrears; empty: as the organization's settings say",
    "group_rows": "rows with one cell only: property (its name for the rows below) or ignore",
    "encoding": "utf-8 utf-16 windows-1252 windows-1250 iso-8859-15 mac-roman",
    "delimiter": "comma semicolon tab bar",
    "sheet": "the sheet of a workbook",
}


def write_map(mapping: Mapping, questions: tuple[Question, ...] = ()) -> str:
    """The mapping as TOML; every open question stands above the key that answers it."""
    asked = {question.key: question for question in questions}
    lines = [_ABOUT]
    for key in SCALARS:
        lines += _about_key(asked.get(key), _MEANS[key])
        lines.append(f"{key} = {_text(getattr(mapping, key))}")
    lines += ["# the row of the headings", f"header_row = {mapping.header_row}", ""]
    lines += ["[columns]", *_wrapped("What each column holds: " + ", ".join(LABELS))]
    for name, target in mapping.columns.items():
        lines += _about_key(asked.get(f"columns.{name}"), "")
        lines.append(f"{_text(name)} = {_text(target)}")
    if mapping.statuses or any(key.startswith("status.") for key in asked):
        lines += ["", "[status]", "# current, holdover, vacant, future or ended"]
        words = dict.fromkeys(key[7:] for key in asked if key.startswith("status."))
        for word, meaning in (dict.fromkeys(words, "") | mapping.statuses).items():
            lines.append(f"{_text(word)} = {_text(meaning)}")
    return "\n".join(lines) + "\n"


def _about_key(question: Question | None, means: str) -> list[str]:
    if question is None:
        return [f"# {means}"] if means else []
    choices = f" Choices: {', '.join(question.choices)}." if question.choices else ""
    return _wrapped(f"QUESTION: {question.question}{choices}")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 96, initial_indent="# ", subsequent_indent="# ")


def _text(value: str) -> str:
    """The value as TOML writes a basic string."""
    return tomli_w.dumps({"v": value}).split("=", 1)[1].strip()


def _strings(data: dict[str, Any], table: str) -> dict[str, str]:
    found = data.pop(table, {})
    if not isinstance(found, dict) or any(not isinstance(each, str) for each in found.values()):
        raise Refused(f"Map: [{table}] holds a text for each key.")
    return found


def read_map(text: str) -> Mapping:
    """The mapping that a map file holds. Raises Refused on what is not one."""
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"The map is not TOML: {error}.") from error
    columns, statuses = _strings(data, "columns"), _strings(data, "status")
    header_row = data.pop("header_row", 0)
    if not isinstance(header_row, int):
        raise Refused("Map: header_row is the number of a row.")
    unknown = [key for key in data if key not in SCALARS]
    if unknown:
        raise Refused(f"Map: the key {unknown[0]} is not known; known are {', '.join(SCALARS)}.")
    targets = [target for target in columns.values() if target and target not in LABELS]
    if targets:
        raise Refused(f"Map: a column cannot hold “{targets[0]}”; known are {', '.join(LABELS)}.")
    return Mapping(
        columns=columns,
        statuses=statuses,
        header_row=header_row,
        **{key: str(value).strip() for key, value in data.items()},
    )
