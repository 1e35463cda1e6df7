"""What the printed documents say, read back from the PDF itself."""

import io
from datetime import date

import pytest
from pypdf import PdfReader

from proman.billing.document import Settlement, StatementDocument, StatementRow
from proman.billing.letter import invoices_pdf, letter, payment_rows
from proman.billing.manner import Manner
from proman.billing.statement_letter import statement_pdf
from tests.billing.documents import (
    make_document,
    make_issuer,
    make_line,
    make_logo,
    make_recipient,
)


def pages_of(pdf: bytes) -> list[str]:
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
    return [" ".join(text.replace("\N{NO-BREAK SPACE}", " ").split()) for text in pages]


def test_an_invoice_says_who_what_when_how_much_and_where_to_pay() -> None:
    (text,) = pages_of(invoices_pdf([make_document(logo=make_logo())]))
    for said in (
        "Invoice 2027-00012",
        "Lindenhof Hausverwaltung · Lindenallee 4 · 80331 München",
        "Anna Schmidt Gartenstraße 12 80469 München",
        "17.03.2027 – 31.03.2027",
        "3. OG links",
        "1000.00 × 15/31 days",
        "Total 483,87 €",
        "Please pay 483,87 € by 31.03.2027",
        "DE89 3704 0044 0532 0130 00",
        "L-0042 2027-00012",
        "Scan to pay",
        "Amtsgericht München HRB 12345",
        "Page 1 of 1",
    ):
        assert said in text


def test_tax_is_shown_by_rate_and_the_totals_are_the_sum_of_what_is_printed() -> None:
    document = make_document(make_line(100000, 19000, 19000), make_line(50000, 7000, 3500))
    (text,) = pages_of(invoices_pdf([document]))
    assert "Net 1.500,00 Tax 19 % on 1.000,00 190,00 Tax 7 % on 500,00 35,00" in text
    assert "Total 1.725,00 €" in text


def test_what_was_paid_is_taken_off_and_the_rest_is_asked_for() -> None:
    paid = Settlement("Payment received", date(2027, 4, 2), 40000)
    document = make_document(settlements=(paid,), open=8387, as_of=date(2027, 4, 5))
    (text,) = pages_of(invoices_pdf([document]))
    assert "Payment received, 02.04.2027 −400,00" in text
    assert "Still to pay on 05.04.2027 83,87 €" in text
    assert "83,87 € has been due since 31.03.2027" in text


def test_a_paid_invoice_asks_for_nothing() -> None:
    assert letter(make_document(open=0))["payment"] is None


def test_a_credit_note_refers_to_its_invoice_and_asks_for_nothing() -> None:
    document = make_document(
        kind="credit_note",
        number="CN-2027-00003",
        open=0,
        refers_to=("2027-00012", date(2027, 3, 12)),
        reason="Wrong flat",
    )
    (text,) = pages_of(invoices_pdf([document]))
    assert "Credit note CN-2027-00003" in text
    assert "corrects invoice 2027-00012 of 12.03.2027" in text
    assert "Reason: Wrong flat" in text
    assert "Total credited 483,87 €" in text
    assert "Please pay" not in text


def test_forty_lines_run_over_pages_that_are_numbered() -> None:
    lines = [make_line(description=f"Charge {number}") for number in range(40)]
    pages = pages_of(invoices_pdf([make_document(*lines)]))
    assert len(pages) > 2
    for number, text in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in text
        assert "Description" in text or number == len(pages)
    assert all(f"Charge {number}" in " ".join(pages) for number in range(40))


def test_a_combined_file_numbers_each_documents_pages_from_one() -> None:
    long = make_document(*[make_line()] * 30, number="2027-00013")
    pages = pages_of(invoices_pdf([make_document(), long, make_document(number="2027-00014")]))
    numbered = [text[text.index("Page ") :] for text in pages]
    assert numbered[0].startswith("Page 1 of 1")
    assert numbered[1].startswith(f"Page 1 of {len(pages) - 2}")
    assert numbered[-1].startswith("Page 1 of 1")


NAMES = [
    "محمد بن سلمان",
    "יעקב כהן",
    "अनिता शर्मा",
    "王小明",
    "김철수",
    "Ελένη Παπαδοπούλου",
    "Дмитрий Шостакович",
    "สมชาย",
]


@pytest.mark.parametrize("name", [*NAMES, "X" * 80, "Prof. Dr. " + "Maximiliane " * 6])
def test_a_name_in_any_script_is_drawn_with_signs_that_exist(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    pdf = invoices_pdf([make_document(recipient=make_recipient(name))])
    assert caplog.records == []
    assert b"pdfuaid" in pdf


def test_american_letters_are_on_american_paper_in_american_manner() -> None:
    issuer = make_issuer(country="US", locale="en_US", city="Boston, MA", postal_code="02110")
    recipient = make_recipient(country="US", city="Boston, MA", postal_code="02110")
    document = make_document(issuer=issuer, recipient=recipient, currency="USD")
    pdf = invoices_pdf([document])
    (text,) = pages_of(pdf)
    assert "Boston, MA 02110" in text
    assert "Please pay $483.87 by Mar 31, 2027" in text
    assert "Scan to pay" not in text
    assert PdfReader(io.BytesIO(pdf)).pages[0].mediabox.width == 612


def test_without_a_bank_account_only_the_reference_is_given() -> None:
    document = make_document(issuer=make_issuer(bank_account=""))
    assert payment_rows(document) == [("Reference", "L-0042 2027-00012")]


@pytest.mark.parametrize(
    ("locale", "currency", "minor", "shown"),
    [
        ("de_DE", "EUR", -123456789, "-1.234.567,89"),
        ("de_CH", "CHF", 123456, "1’234.56"),
        ("ja_JP", "JPY", 123456, "123,456"),
        ("ar_KW", "KWD", 1234567, "1,234.567"),
        ("no such locale", "GBP", 5, "0.05"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(
    locale: str, currency: str, minor: int, shown: str
) -> None:
    assert Manner(locale, currency).amount(minor) == shown


@pytest.mark.parametrize(
    ("locale", "rate", "shown"),
    [
        ("en_US", 8875, "8.875\N{NO-BREAK SPACE}%"),
        ("de_DE", 19000, "19\N{NO-BREAK SPACE}%"),
        ("en_GB", 0, "0\N{NO-BREAK SPACE}%"),
    ],
)
def test_rates_of_tax_are_exact(locale: str, rate: int, shown: str) -> None:
    assert Manner(locale, "EUR").rate(rate) == shown


def test_a_statement_lists_every_movement_with_the_balance_after_it() -> None:
    statement = StatementDocument(
        make_issuer(),
        make_recipient(),
        None,
        "EUR",
        date(2027, 1, 1),
        date(2027, 3, 31),
        opening=5000,
        rows=[
            StatementRow(date(2027, 3, 12), "Invoice 2027-00012", 48387, 0, 53387),
            StatementRow(date(2027, 3, 20), "Payment by transfer", 0, 40000, 13387),
        ],
        closing=13387,
    )
    (text,) = pages_of(statement_pdf(statement))
    assert "On 31.03.2027 you owe 133,87 €." in text
    assert "01.01.2027 Balance brought forward 50,00" in text
    assert "12.03.2027 Invoice 2027-00012 483,87 533,87" in text
    assert "31.03.2027 Balance 483,87 400,00 133,87" in text
