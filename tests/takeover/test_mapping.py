from dataclasses import replace

import pytest

from proman.base.errors import Refused
from proman.takeover.answers import answered, checked
from proman.takeover.mapfile import read_map, write_map
from proman.takeover.mapping import Mapping, propose
from proman.takeover.questions import open_questions
from proman.takeover.reading import read_file
from tests.takeover.rolls import DOLLARS, EUROS, HARBOUR, LINDENHOF, roll


def keys(text: str, setting=DOLLARS, **answers: str) -> list[str]:
    sheet = read_file(text.encode())
    mapping = replace(propose(sheet), **answers)
    return [question.key for question in open_questions(sheet, mapping, setting)]


def test_harbour_court() -> None:
    sheet = read_file(HARBOUR.read_bytes())
    mapping = propose(sheet)
    assert mapping.columns == {
        "Unit": "unit",
        "Bd/Ba": "rooms",
        "Sq Ft": "area",
        "Tenant": "tenant",
        "E-mail": "email",
        "Phone": "phone",
        "Status": "status",
        "Move-in": "move_in",
        "Lease From": "first_day",
        "Lease To": "last_day",
        "Market Rent": "market_rent",
        "Rent": "rent",
        "Deposit": "deposit",
        "Balance": "balance",
    }
    assert (mapping.date_order, mapping.decimal) == ("mdy", "point")
    questions = {each.key: each for each in open_questions(sheet, mapping, DOLLARS)}
    assert list(questions) == [
        "cut_over",
        "property",
        "frequency",
        "periods",
        "due",
        "balance_sign",
    ]
    assert questions["cut_over"].choices == ("2026-10-31",)
    assert questions["property"].choices == ("Harbour Court",)


def test_lindenhof() -> None:
    sheet = read_file(LINDENHOF.read_bytes())
    mapping = propose(sheet)
    assert list(mapping.columns.values()) == [
        "property",
        "unit",
        "floor",
        "area",
        "tenant",
        "email",
        "first_day",
        "last_day",
        "rent",
        "charge:service",
        "charge:heating",
        "charge:parking",
        "due",
        "deposit",
        "balance",
    ]
    assert (mapping.date_order, mapping.decimal) == ("dmy", "comma")
    questions = {each.key: each for each in open_questions(sheet, mapping, EUROS)}
    assert list(questions) == ["cut_over", "frequency", "periods", "balance_sign"]
    assert questions["cut_over"].choices == ()
    assert "-1.113,34 €" in questions["balance_sign"].question


@pytest.mark.parametrize(
    ("header", "targets"),
    [
        (
            "Immeuble;Lot;Locataire;Courriel;Date de début;Fin du bail;Loyer HC;"
            "Provision pour charges;Dépôt de garantie;Solde",
            "property unit tenant email first_day last_day rent charge:service deposit balance",
        ),
        (
            "Inmueble;Piso;Inquilino;Correo electrónico;Inicio del contrato;Vencimiento;"
            "Renta mensual;Garaje;Fianza;Saldo",
            "property unit tenant email first_day last_day rent charge:parking deposit balance",
        ),
        (
            "Immobile;Interno;Conduttore;E-mail;Decorrenza;Scadenza;Canone mensile;"
            "Spese condominiali;Deposito cauzionale;Saldo",
            "property unit tenant email first_day last_day rent charge:service deposit balance",
        ),
        (
            "Complex;Woning;Huurder;E-mail;Ingangsdatum;Einddatum;Kale huur;Servicekosten;"
            "Waarborgsom;Saldo",
            "property unit tenant email first_day last_day rent charge:service deposit balance",
        ),
        (
            "Imóvel;Fração;Arrendatário;E-mail;Início do contrato;Fim do contrato;Renda;"
            "Condomínio;Caução;Saldo",
            "property unit tenant email first_day last_day rent charge:service deposit balance",
        ),
        (
            "Nieruchomość;Lokal;Najemca;E-mail;Początek umowy;Koniec umowy;Czynsz;Opłaty;"
            "Kaucja;Saldo",
            "property unit tenant email first_day last_day rent charge:service deposit balance",
        ),
        (
            "Liegenschaft;WE-Nr.;Mietername;E-Mail;Vertragsbeginn;Vertragsende;"
            "Nettokaltmiete (EUR);Nebenkostenvorauszahlung;Mietsicherheit;Mietkonto",
            "property unit tenant email first_day last_day rent charge:service deposit balance",
        ),
        (
            "Building;Apt #;Resident Name;Email Address;Lease Start Date;Lease Expiration;"
            "Monthly Rent;Parking Fee;Security Deposit;Account Balance",
            "property unit tenant email first_day last_day rent charge:parking deposit balance",
        ),
    ],
)
def test_headings_in_eight_languages(header: str, targets: str) -> None:
    row = "Haus;1;Ana Gil;a@b.co;15.03.2024;31.12.2026;500,00;20,00;1000,00;-5,00"
    mapping = propose(read_file(f"{header}\n{row}".encode()))
    assert " ".join(mapping.columns.values()) == targets


def test_values_decide_where_headings_do_not() -> None:
    sheet = roll("A1,x@example.com,01/15/2025,5", header="Unit,Contact,Due,Tenant")
    columns = propose(sheet).columns
    assert columns["Contact"] == "email"
    assert columns["Due"] == "ignore"


def test_an_unknown_column_of_amounts_is_asked_about() -> None:
    text = "Unit,Tenant,Lease From,Rent,Zork\nA1,Ann Lee,2025-01-01,$100.00,$25.00\n"
    assert "columns.Zork" in keys(text)
    sheet = read_file(text.encode())
    mapping = answered(propose(sheet), "columns.Zork", "charge:other")
    assert "columns.Zork" not in [q.key for q in open_questions(sheet, mapping, DOLLARS)]


def test_the_order_of_dates_is_asked_only_where_nothing_proves_it() -> None:
    head = "Unit,Tenant,Lease From,Rent\n"
    assert "date_order" in keys(head + "A1,Ann,01/02/2025,100\n")
    assert "date_order" not in keys(head + "A1,Ann,01/02/2025,100\nA2,Bo,01/15/2025,100\n")
    assert "date_order" not in keys(head + "A1,Ann,2025-02-01,100\n")
    assert "date_order" in keys(head + "A1,Ann,31/01/2025,100\nA2,Bo,01/15/2025,100\n")
    assert "date_order" not in keys("As of 10/31/2026,,,\n" + head + "A1,Ann,01/02/2025,100\n")


def test_the_decimal_sign_is_asked_only_where_nothing_proves_it() -> None:
    head = "Unit;Tenant;Lease From;Rent\n"
    assert "decimal" in keys(head + "A1;Ann;2025-01-01;1.200\n")
    assert "decimal" not in keys(head + "A1;Ann;2025-01-01;1200\n")
    assert "decimal" not in keys(head + "A1;Ann;2025-01-01;1.200\nA2;Bo;2025-01-01;1.200,50\n")
    assert "decimal" in keys(head + "A1;Ann;2025-01-01;1,200.50\nA2;Bo;2025-01-01;1.200,50\n")


def test_what_the_file_tells_is_not_asked() -> None:
    text = "Unit,Tenant,Lease From,Monthly Rent,Rent due\nA1,Ann,2025-01-01,100,1st\n"
    assert keys(text, property="Court", cut_over="2026-10-31") == []


def test_periods_are_asked_only_where_they_matter() -> None:
    head = "Unit,Tenant,Lease From,Rent,Frequency\n"
    assert "periods" in keys(head + "A1,Ann,2025-01-15,100,monthly\n")
    assert "periods" not in keys(head + "A1,Ann,2025-01-01,100,monthly\n")
    assert "periods" not in keys(head + "A1,Ann,2025-01-15,100,weekly\n", frequency="weekly")


def test_unknown_statuses_are_asked_about() -> None:
    text = "Unit,Tenant,Lease From,Rent,Status\nA1,Ann,2025-01-01,100,Zork\n"
    assert "status.Zork" in keys(text)
    assert "status.Zork" not in keys(text, statuses={"zork": "current"})


def test_headings_of_properties_between_the_rows() -> None:
    text = "Unit,Tenant,Lease From,Rent\nOak House,,,\nA1,Ann,2025-01-01,100\n"
    assert "group_rows" in keys(text)
    assert "property" not in keys(text)
    assert "property" in keys(text, group_rows="ignore")


def test_a_map_file_says_all_and_reads_back() -> None:
    for path, setting in ((HARBOUR, DOLLARS), (LINDENHOF, EUROS)):
        sheet = read_file(path.read_bytes())
        mapping = replace(propose(sheet), statuses={'Zo"rk': "current"})
        text = write_map(mapping, open_questions(sheet, mapping, setting))
        assert read_map(text) == mapping
        assert "QUESTION" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not toml at all", "not TOML"),
        ('zork = "1"', "zork is not known"),
        ('[columns]\n"Unit" = "zork"', "cannot hold"),
        ("header_row = 'x'", "number of a row"),
        ("[columns]\nUnit = 5", "a text for each key"),
    ],
)
def test_maps_that_are_none(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read_map(text)


def test_answers_are_checked() -> None:
    assert answered(Mapping(), "due", "3. Werktag").due == "workday:3"
    assert answered(Mapping(), "cut_over", "2026-10-31").cut_over == "2026-10-31"
    assert read_map("cut_over = 2026-10-31").cut_over == "2026-10-31"
    for key, answer in (("cut_over", "10/31/2026"), ("frequency", "often"), ("due", "soon")):
        with pytest.raises(Refused):
            answered(Mapping(), key, answer)
    with pytest.raises(Refused):
        checked(Mapping(decimal="dot"))


def test_what_was_confirmed_is_proposed_again() -> None:
    text = "Unit,Tenant,Lease From,Rent,Zork\nA1,Ann,01/02/2025,100,$5.00\n"
    kept = Mapping(
        columns={"Zork": "charge:other"}, date_order="mdy", due="day:5", property="P", cut_over="x"
    )
    mapping = propose(read_file(text.encode()), kept)
    assert mapping.columns["Zork"] == "charge:other"
    assert (mapping.date_order, mapping.due) == ("mdy", "day:5")
    assert (mapping.property, mapping.cut_over) == ("", "")
    proven = propose(read_file(text.replace("01/02", "31/01").encode()), kept)
    assert proven.date_order == "dmy"
