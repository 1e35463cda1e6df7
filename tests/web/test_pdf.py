"""The files themselves: archival, accessible, repeatable, made by many threads at once."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from pypdf import PdfReader

from proman.billing.letter import invoices_pdf
from proman.web.pdf import font_families, image_size, svg_of_image
from tests.billing.documents import make_document, make_logo, make_recipient


def test_the_file_is_archival_accessible_and_dated() -> None:
    reader = PdfReader(io.BytesIO(invoices_pdf([make_document(issue_date=date(2027, 3, 12))])))
    assert reader.metadata is not None
    assert reader.metadata.title == "Invoice 2027-00012"
    assert reader.metadata.creation_date is not None
    assert reader.metadata.creation_date.date() == date(2027, 3, 12)
    catalog = reader.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"].startswith("en")
    xmp = catalog["/Metadata"].get_object().get_data()
    assert b"pdfuaid:part" in xmp
    assert b"pdfaid:part" in xmp


def test_the_same_document_is_the_same_file() -> None:
    assert invoices_pdf([make_document()]) == invoices_pdf([make_document()])


def test_a_sign_that_no_font_holds_makes_a_plain_tagged_file_and_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pdf = invoices_pdf([make_document(recipient=make_recipient("\U00012000 of Ur"))])
    catalog = PdfReader(io.BytesIO(pdf)).trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert "A document by invoice.typ is a plain tagged PDF" in caplog.text


def test_threads_make_files_side_by_side() -> None:
    documents = [make_document(number=f"2027-{number:05d}") for number in range(24)]
    with ThreadPoolExecutor(4) as threads:
        files = list(threads.map(lambda document: invoices_pdf([document]), documents))
    for document, pdf in zip(documents, files, strict=True):
        assert str(document.number) in PdfReader(io.BytesIO(pdf)).pages[0].extract_text()


@pytest.mark.parametrize(
    ("locale", "family"), [("ja_JP", "JP"), ("zh_TW", "TC"), ("ko", "KR"), ("de_DE", "SC")]
)
def test_han_signs_have_the_shape_of_the_locale(locale: str, family: str) -> None:
    assert font_families(locale)[1] == f"Noto Sans CJK {family}"


def test_a_logo_keeps_its_proportions() -> None:
    logo = make_logo(30, 10)
    assert image_size(logo.media_type, logo.content) == (30, 10)
    assert 'viewBox="0 0 30 10"' in svg_of_image(logo.media_type, logo.content)


def test_a_logo_that_cannot_be_read_leaves_its_place_empty() -> None:
    broken = make_logo()
    cut = type(broken)(broken.media_type, broken.content[:40])
    assert invoices_pdf([make_document(logo=cut)]).startswith(b"%PDF-")
