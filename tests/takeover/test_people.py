import pytest

from proman.takeover.people import is_company, split_emails, split_people
from proman.takeover.words import is_open_ended, is_total, is_vacant

WORDS = ("and", "et", "und", "e", "y")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ewa Tanaka & Dmitri Duarte", ("Ewa Tanaka", "Dmitri Duarte")),
        ("Victor D'Souza und Mateo Costa", ("Victor D'Souza", "Mateo Costa")),
        ("Anna und Peter Müller", ("Anna Müller", "Peter Müller")),
        ("Ann Lee and Bo Chan", ("Ann Lee", "Bo Chan")),
        ("Ann Lee / Bo Chan", ("Ann Lee", "Bo Chan")),
        ("Ann Lee, Bo Chan & Cy Ray", ("Ann Lee", "Bo Chan", "Cy Ray")),
        ("Ann Lee\nBo Chan", ("Ann Lee", "Bo Chan")),
        ("Ana Ruiz y Luis Gil", ("Ana Ruiz", "Luis Gil")),
        ("José Ortega y Gasset", ("José Ortega y Gasset",)),
        ("Müller & Söhne GmbH", ("Müller & Söhne GmbH",)),
        ("Müller & Söhne", ("Müller & Söhne",)),
        ("Smith and Jones LLP", ("Smith and Jones LLP",)),
        ("Bäckerei Huber e.K.", ("Bäckerei Huber e.K.",)),
        ("Kowalski i Synowie Sp. z o.o.", ("Kowalski i Synowie Sp. z o.o.",)),
        ("Brandt & Co", ("Brandt & Co",)),
        ("Mr. and Mrs. Smith", ("Mr. and Mrs. Smith",)),
        ("Eheleute Schmidt", ("Eheleute Schmidt",)),
        ("Fischer, Mateo", ("Fischer, Mateo",)),
        ("Anderson Brandy", ("Anderson Brandy",)),
        ("  Noor   O'Brien ", ("Noor O'Brien",)),
        ("", ()),
    ],
)
def test_who_is_named(text: str, names: tuple[str, ...]) -> None:
    assert split_people(text, WORDS) == names


def test_companies() -> None:
    assert is_company("Acme Holdings LLC")
    assert is_company("Wohnbau AG")
    assert is_company("Rossi S.r.l.")
    assert not is_company("Inc Moreau")
    assert not is_company("Sal Costa")


def test_addresses() -> None:
    assert split_emails("A@x.org; b@x.org") == ("a@x.org", "b@x.org")


@pytest.mark.parametrize(
    "text", ["VACANT", "Leerstand", "vacío", "Sfitto", "leegstand", "Pustostan", "- vacant -"]
)
def test_vacant(text: str) -> None:
    assert is_vacant(text)


@pytest.mark.parametrize(
    "text", ["MTM", "Month-to-Month", "unbefristet", "indéterminée", "indefinido", "onbepaald", "-"]
)
def test_open_ended(text: str) -> None:
    assert is_open_ended(text)


def test_totals() -> None:
    assert is_total("Totals")
    assert is_total("Summe:")
    assert is_total("Total (48 units)")
    assert not is_total("Total Care Ltd")
    assert not is_total("A-01")
