"""What the lines above a table propose: the cut-over date and the property."""

from proman.takeover.days import days_in_title, orders, read_day
from proman.takeover.sheets import Sheet
from proman.takeover.words import any_of, plain


def titled_days(sheet: Sheet) -> list[str]:
    """The dates in the titles, those behind “as of” and its like first."""
    found: list[tuple[bool, str]] = []
    for title in sheet.titles:
        for text in days_in_title(title):
            before = f" {plain(title.split(text)[0])} "
            marked = any(before.endswith(f" {word} ") for word in any_of("as_of"))
            found.append((not marked, text))
    return [text for _, text in sorted(found, key=lambda pair: pair[0])]


def cut_over_proposals(sheet: Sheet, order: str) -> tuple[str, ...]:
    """The dates of the titles in ISO form; both readings where the order is not known yet."""
    ways = (order,) if order else ("dmy", "mdy")
    days = [
        read_day(text, way).isoformat()
        for text in titled_days(sheet)
        for way in ways
        if way in orders(text)
    ]
    return tuple(dict.fromkeys(days))


def property_proposals(sheet: Sheet) -> tuple[str, ...]:
    """Names in the titles: what is left of them without dates and words like “rent roll”."""
    found: list[str] = []
    for title in sheet.titles:
        text = title
        for day in days_in_title(title):
            text = text.replace(day, " ")
        for sign in (" - ", " – ", " — ", "|", ":", ",", ";"):
            text = text.replace(sign, "\n")
        for piece in text.split("\n"):
            bare = plain(piece)
            padded = f" {bare} "
            is_roll = any(f" {word} " in padded for word in any_of("roll"))
            if bare and not is_roll and bare not in any_of("as_of"):
                found.append(" ".join(piece.split()))
    return tuple(dict.fromkeys(found))
