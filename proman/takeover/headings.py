"""What a column can hold, and which of it a heading or the values below it speak for."""

import re
from dataclasses import dataclass
from functools import lru_cache

from proman.takeover.days import orders
from proman.takeover.numbers import currencies_of, readings
from proman.takeover.sheets import Cell
from proman.takeover.terms import read_due, read_frequency, read_rooms
from proman.takeover.words import any_of, languages, meanings, plain

_TEXT = "property street postal_code city country region unit floor reference phone".split()
_DAYS = "first_day move_in".split()
_ENDS = "last_day move_out".split()
_AMOUNTS = "market_rent rent total deposit balance owed credit".split()
KINDS: dict[str, str] = (
    dict.fromkeys(_TEXT, "text")
    | dict.fromkeys(("tenant", "first_name", "last_name", "second_tenant"), "name")
    | dict.fromkeys(_DAYS, "day")
    | dict.fromkeys(_ENDS, "end")
    | dict.fromkeys(_AMOUNTS, "amount")
    | {"rooms": "rooms", "bedrooms": "count", "bathrooms": "count", "area": "number"}
    | {"email": "email", "status": "status", "due": "due", "frequency": "frequency"}
    | {"periods": "choice", "timing": "choice", "tax_rate": "percent"}
)
"""Every single field that a column can be mapped to, and the kind of its values."""

LABELS = {
    "property": "Property",
    "street": "Street",
    "postal_code": "Postal code",
    "city": "City",
    "country": "Country (two letters)",
    "region": "Region (code)",
    "unit": "Unit",
    "floor": "Location in the building",
    "rooms": "Bedrooms/bathrooms",
    "bedrooms": "Bedrooms",
    "bathrooms": "Bathrooms",
    "area": "Area",
    "market_rent": "Market rent",
    "tenant": "Tenant",
    "first_name": "Tenant’s first name",
    "last_name": "Tenant’s last name",
    "second_tenant": "Second tenant",
    "email": "E-mail",
    "phone": "Phone",
    "status": "Status",
    "move_in": "Moved in",
    "move_out": "Moves out",
    "first_day": "Lease’s first day",
    "last_day": "Lease’s last day",
    "rent": "Rent of one period",
    "total": "Rent and charges together (checked only)",
    "due": "Due day",
    "frequency": "Frequency",
    "periods": "Periods (calendar, anniversary)",
    "timing": "Timing (advance, arrears)",
    "deposit": "Deposit held",
    "balance": "Balance (owed or in credit)",
    "owed": "Owed at cut-over",
    "credit": "In credit at cut-over",
    "tax_rate": "Tax rate in per cent",
    "reference": "Lease’s reference",
    "charge:parking": "Charge: parking",
    "charge:service": "Charge: service, operating costs",
    "charge:heating": "Charge: heating",
    "charge:utilities": "Charge: utilities",
    "charge:other": "Charge: other",
    "ignore": "— not taken over —",
}
_NOISE = frozenset(
    """date datum eur usd gbp chf pln euro vz vorauszahlung mtl monatl monatlich pro in der des le
    du de la am an no nr mo per each monthly mensuel mensuelle mensual mensile mese per maand
    vorschuss akonto abschlag anzahlung betrag amount montant importe importo bedrag valor kwota
    m2 qm sqm ft current actual the tenant lease""".split()
)
_COMPOUND = re.compile(r"(?<=\w{4})(vorauszahlung(en)?|vorschuss|abschlag|pauschale)$")
_PER_AREA = re.compile(r"/ ?(m²|m2|qm|sf|sq)|per (sq|sf|m2)|pro (m²|qm)|je (m²|qm)", re.IGNORECASE)


def kind_of(target: str) -> str:
    """The kind of the values of a field or charge; nothing for `ignore`."""
    return "amount" if target.startswith("charge:") else KINDS.get(target, "")


@lru_cache(maxsize=1)
def _dictionary() -> dict[str, tuple[str, ...]]:
    """From a plain heading to the targets that it can mean in any language."""
    found: dict[str, list[str]] = {plain(field): [field] for field in KINDS}
    for language in languages():
        for phrase, fields in language.headings.items():
            found.setdefault(phrase, []).extend(fields)
    for phrase, kind in meanings("charges").items():
        found.setdefault(phrase, []).append(f"charge:{kind}")
    for target in LABELS:
        if target.startswith("charge:"):
            found.setdefault(plain(target), []).append(target)
    return {phrase: tuple(dict.fromkeys(targets)) for phrase, targets in found.items()}


@dataclass(frozen=True, slots=True)
class Guess:
    """A target that a heading can mean, and how surely."""

    target: str
    score: int


@lru_cache(maxsize=4096)
def guesses(heading: str) -> tuple[Guess, ...]:
    """What the heading can mean, the surest first: whole, without noise, then by its parts."""
    if _PER_AREA.search(heading):
        return (Guess("ignore", 100),)
    words = _dictionary()
    whole = plain(heading)
    bare = plain(re.sub(r"\(.*?\)|\[.*?\]", " ", heading))
    words_of = (_COMPOUND.sub("", word) for word in bare.split())
    quiet = " ".join(word for word in words_of if word not in _NOISE)
    found: dict[str, int] = {}
    for phrase, score in ((whole, 100), (bare, 95), (quiet, 90)):
        for target in words.get(phrase, ()):
            found.setdefault(target, score)
    padded = f" {bare} "
    for phrase, targets in words.items():
        inside = f" {phrase} " in padded and len(phrase) > 1
        joined = len(phrase) >= 6 and phrase in bare
        if inside or joined:
            score = min(80, (40 if inside else 20) + 2 * len(phrase))
            for target in targets:
                found[target] = max(found.get(target, 0), score)
    ranked = sorted(found.items(), key=lambda item: -item[1])
    return tuple(Guess(target, score) for target, score in ranked)


def _accepts(kind: str, cell: Cell) -> bool:
    """Whether the cell can be a value of that kind."""
    text = cell.text
    if kind in ("day", "end"):
        return bool(orders(text)) or (kind == "end" and plain(text) in any_of("open_ended"))
    if kind in ("amount", "number", "percent"):
        return cell.value is not None or bool(readings(text.rstrip(" %")))
    if kind == "email":
        return "@" in text
    if kind in ("due", "frequency", "rooms"):
        readers = {"due": read_due, "frequency": read_frequency, "rooms": read_rooms}
        try:
            readers[kind](text)
        except Exception:
            return False
        return True
    return True


def fits(target: str, cells: list[Cell]) -> bool:
    """Whether at least half of a column's values can be what the target holds."""
    kind = kind_of(target)
    sample = cells[:200]
    return 2 * sum(_accepts(kind, cell) for cell in sample) >= len(sample)


def looks_like_money(cells: list[Cell]) -> bool:
    """Whether a column holds amounts: a sign of currency, or decimals in most of its values."""
    marked = [cell for cell in cells if readings(cell.text) and re.search(r"\d", cell.text)]
    money = [
        cell
        for cell in marked
        if currencies_of(cell.text) or re.search(r"[.,]\d\d\)?-?$", cell.text.strip())
    ]
    return 2 * len(money) >= max(1, len(cells))


def language_of(headings: tuple[str, ...]) -> str:
    """The language whose words the headings are; English where nothing tells."""
    scores = {
        language.code: sum(
            plain(text) in language.headings or plain(text) in language.charges for text in headings
        )
        for language in languages()
    }
    return max(scores, key=lambda code: scores[code])
