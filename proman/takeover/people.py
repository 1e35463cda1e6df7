"""Who is named in a tenant's cell: one person, several, or a company."""

import re

from proman.takeover.words import any_of, plain

_FORMS = frozenset(
    """gmbh mbh ag kg kgaa ohg gbr ug ek ev eg se stiftung verein ltd limited llc llp lp inc
    incorporated corp corporation plc pllc pty company co sarl sas sasu sci snc eurl sl slu scp
    srl spa sapa sas bv nv vof cv stichting lda ltda eireli sa aps oy ab as a/s asa hf doo dd
    zoo spzoo spolka foundation trust partners associates brothers bros sons söhne soehne sohne
    partner cie fils figli hijos filhos synowie zonen gebrüder gebruder""".split()
)
_SPELT = re.compile(
    r"\b(s\. ?a\.|s\. ?l\.|s\. ?r\. ?l\.|s\. ?p\. ?a\.|b\. ?v\.|n\. ?v\.|e\. ?v\.|e\. ?k\.|"
    r"sp\. ?z ?o\. ?o\.|l\. ?l\. ?c\.|& ?co\b)",
    re.IGNORECASE,
)
_SHORT = frozenset(("y", "e", "ed", "i", "en", "u."))


def is_company(text: str) -> bool:
    """Whether a legal form or a firm's word (“& Söhne”, “LLC”) stands in the name."""
    if _SPELT.search(text):
        return True
    words = plain(text).split()
    return len(words) > 1 and any(word in _FORMS for word in words[1:])


def _joint(text: str) -> bool:
    """“Mr. and Mrs. Smith”, “Eheleute Müller”: one party, told as one."""
    bare = plain(text)
    return any(bare == word or bare.startswith(word + " ") for word in any_of("couple"))


def _with_surname(names: list[str]) -> list[str]:
    """“Anna & Peter Müller” are Anna Müller and Peter Müller."""
    surname = names[-1].split()
    if len(surname) < 2:
        return names
    return [name if len(name.split()) > 1 else f"{name} {surname[-1]}" for name in names]


def _parts(text: str, conjunctions: tuple[str, ...]) -> list[str]:
    parts = re.split(r"\s*[&+;\n]\s*|\s+/\s+", text)
    for word in conjunctions:
        parts = [
            piece
            for part in parts
            for piece in _at_word(part, word, sides=2 if word in _SHORT else 1)
        ]
    if len(parts) > 1:
        parts = [
            piece
            for part in parts
            for piece in (
                re.split(r"\s*,\s*", part)
                if all(len(each.split()) > 1 for each in part.split(","))
                else [part]
            )
        ]
    return [part.strip(" ,") for part in parts if part.strip(" ,")]


def _at_word(text: str, word: str, *, sides: int) -> list[str]:
    """Parted at the word, where each side has at least so many words of its own."""
    pieces = re.split(rf"\s+{re.escape(word)}\s+", text, flags=re.IGNORECASE)
    return pieces if all(len(piece.split()) >= sides for piece in pieces) else [text]


def split_people(text: str, conjunctions: tuple[str, ...]) -> tuple[str, ...]:
    """The names in a tenant's cell, in their order; a company or a couple stays whole.

    `conjunctions` are the words for “and” in the language of the file: short ones (Spanish “y”)
    part only where full names stand on both sides, so that double surnames stay whole.
    """
    bare = re.sub(r"[ \t\u00a0]+", " ", text).strip()
    if not bare:
        return ()
    if is_company(bare) or _joint(bare):
        return (" ".join(bare.split()),)
    return tuple(" ".join(name.split()) for name in _with_surname(_parts(bare, conjunctions)))


def split_emails(text: str) -> tuple[str, ...]:
    """The addresses in a cell, lower case, in their order; not yet checked."""
    return tuple(part.lower() for part in re.split(r"[\s;,|]+(?:/\s+)?", text.strip()) if part)
