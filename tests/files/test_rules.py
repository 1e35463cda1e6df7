"""What a file is, by its content alone; what it is called."""

import pytest

from proman.files.rules import SHOWN_IN_BROWSER, clean_name, media_type_of

DOCX = b"PK\x03\x04" + b"\x00" * 26 + b"[Content_Types].xml" + b"word/document.xml"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\x00", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "application/octet-stream"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"PK\x03\x04anything", "application/zip"),
        ("Übergabe am 3. März\n".encode(), "text/plain"),
        ("Übergabe".encode()[:1], "text/plain"),
        (b"  <!doctype html><html>", "text/html"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><svg onload='x()'>", "image/svg+xml"),
        (b"<p>x</p><script>x()</script>", "text/html"),
        (b"<note/>", "text/xml"),
        (b"MZ\x90\x00", "application/octet-stream"),
        (b"\x7fELF\x02", "application/octet-stream"),
        (b"", "text/plain"),
    ],
)
def test_a_file_is_what_its_content_says(head: bytes, kind: str) -> None:
    assert media_type_of(head) == kind


def test_nothing_that_could_run_is_shown_by_a_browser() -> None:
    assert SHOWN_IN_BROWSER.isdisjoint({"text/html", "text/xml", "image/svg+xml"})


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("Lease.pdf", "Lease.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\mona\\Mietvertrag Müller.pdf", "Mietvertrag Müller.pdf"),
        ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie: x=1.pdf"),
        ("fdp.\u202eexe", "fdp.exe"),
        ("..", "document"),
        (".htaccess", "htaccess"),
        ("", "document"),
        ("\x00\x1b", "document"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("y" * 300, "y" * 200),
    ],
)
def test_a_name_keeps_what_can_be_shown(sent: str, name: str) -> None:
    assert clean_name(sent) == name
