"""The vocabulary of rent rolls, one file of `languages/` each, and how words are compared."""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("languages")
_LETTERS = str.maketrans({"ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "đ": "d", "²": "2", "³": "3"})
CHARGE_KINDS = {
    "parking": "parking",
    "operating": "service",
    "heating": "heating",
    "water": "utilities",
    "utilities": "utilities",
    "storage": "other",
    "pet": "other",
    "internet": "other",
    "other": "other",
}
"""From the kinds in the language files to the kinds of a lease's charges."""


@lru_cache(maxsize=65536)
def plain(text: str) -> str:
    """The text without case, accents and punctuation, its words parted by single blanks."""
    folded = unicodedata.normalize("NFKD", text.translate(_LETTERS).casefold())
    bare = "".join(sign for sign in folded if not unicodedata.combining(sign))
    return " ".join(re.findall(r"[^\W_]+", bare))


@dataclass(frozen=True, slots=True)
class Language:
    """The words of one language; `headings` and `charges` go from plain words to a meaning."""

    code: str
    conjunctions: tuple[str, ...]
    vacant: frozenset[str]
    open_ended: frozenset[str]
    totals: frozenset[str]
    as_of: tuple[str, ...]
    roll: tuple[str, ...]
    working_day: tuple[str, ...]
    month_before: tuple[str, ...]
    month_after: tuple[str, ...]
    month_end: frozenset[str]
    couple: tuple[str, ...]
    headings: dict[str, tuple[str, ...]]
    charges: dict[str, str]
    status: dict[str, str]
    frequency: dict[str, str]


def _phrases(data: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """From each phrase to what it may mean, in the order of the file."""
    found: dict[str, tuple[str, ...]] = {}
    for meaning, phrases in data.items():
        for phrase in phrases:
            key = plain(phrase)
            found[key] = (*found.get(key, ()), meaning)
    return found


def _first(data: dict[str, list[str]]) -> dict[str, str]:
    return {phrase: meanings[0] for phrase, meanings in _phrases(data).items()}


def _load(path: Path) -> Language:
    data = tomllib.loads(path.read_text("utf-8"))

    def words(key: str) -> tuple[str, ...]:
        return tuple(plain(word) for word in data[key])

    return Language(
        code=path.stem,
        conjunctions=tuple(data["conjunctions"]),
        vacant=frozenset(words("vacant")),
        open_ended=frozenset(words("open_ended")),
        totals=frozenset(words("totals")),
        as_of=words("as_of"),
        roll=words("roll"),
        working_day=words("working_day"),
        month_before=words("month_before"),
        month_after=words("month_after"),
        month_end=frozenset(words("month_end")),
        couple=words("couple"),
        headings=_phrases(data["headings"]),
        charges={phrase: CHARGE_KINDS[kind] for phrase, kind in _first(data["charges"]).items()},
        status=_first(data["status"]),
        frequency=_first(data["frequency"]),
    )


@lru_cache(maxsize=1)
def languages() -> tuple[Language, ...]:
    """Every language that rent rolls are understood in, English first."""
    found = [_load(path) for path in sorted(_FOLDER.glob("*.toml"))]
    return tuple(sorted(found, key=lambda language: (language.code != "en", language.code)))


@lru_cache(maxsize=16)
def any_of(name: str) -> frozenset[str]:
    """The plain words of that list in all languages together."""
    return frozenset(word for language in languages() for word in getattr(language, name))


@lru_cache(maxsize=4)
def meanings(name: str) -> dict[str, str]:
    """From plain words to a meaning (`status`, `frequency`, `charges`) in all languages."""
    found: dict[str, str] = {}
    for language in languages():
        for phrase, meaning in getattr(language, name).items():
            found.setdefault(phrase, meaning)
    return found


def is_vacant(text: str) -> bool:
    """Whether the cell says that nobody rents the unit."""
    return plain(text) in any_of("vacant")


def is_open_ended(text: str) -> bool:
    """Whether the cell says that no last day was agreed."""
    bare = plain(text)
    return not bare or bare in any_of("open_ended")


def is_total(text: str) -> bool:
    """Whether the cell heads a line of sums: “Totals”, “Summe:”, “Total (48 units)”."""
    bare = plain(re.sub(r"\(.*\)", "", text))
    words = any_of("totals")
    if bare in words:
        return True
    head = re.match(r"\s*([^\d:]+?)\s*(:|\d)", text)
    return head is not None and plain(head[1]) in words
