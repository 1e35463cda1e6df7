"""Which pictures are taken as a logo."""

import struct
import zlib

import pytest

from proman.admin.logo import judge_logo
from proman.base.errors import Refused


def png(width: int, height: int) -> bytes:
    """A grey PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def svg(inner: str, attributes: str = "") -> bytes:
    """An SVG with something in it."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="40" height="20" {attributes}>{inner}</svg>'
    ).encode()


def test_a_png_is_taken_as_it_is() -> None:
    content = png(40, 20)
    logo = judge_logo(content)
    assert (logo.media_type, logo.content) == ("image/png", content)


def test_a_plain_svg_is_taken() -> None:
    drawing = svg(
        '<defs><linearGradient id="a"/></defs><rect width="9" height="9" fill="url(#a)"/>'
    )
    assert judge_logo(drawing).media_type == "image/svg+xml"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"%PDF-1.7",
        b"<html></html>",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
        png(40, 20)[:60],
        b"\xff\xd8\xff\xe0" + b"\0" * 40,
        png(5_000, 1),
        b"\x89PNG\r\n\x1a\n" + b"x" * 500_000,
        svg("<script>alert(1)</script>"),
        svg("", 'onload="alert(1)"'),
        svg("<foreignObject/>"),
        svg("<style>@import 'x'</style>"),
        svg('<image href="https://example.com/spy.png"/>'),
        svg('<use xlink:href="https://example.com/a.svg#b"/>'),
        svg('<rect fill="url(https://example.com/a)"/>'),
        svg('<a href="javascript:alert(1)"/>'),
        b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaa">]>' + svg("&a;"),
        svg("<rect"),
    ],
)
def test_everything_that_runs_loads_or_breaks_is_refused(content: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        judge_logo(content)
    assert refusal.value.field == "logo"
