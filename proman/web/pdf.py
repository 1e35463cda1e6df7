"""Owns making PDFs: a template of templates/pdf and JSON data become an accessible file."""

import base64
import json
import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

import typst

_ROOT = Path(__file__).resolve().parents[2] / "templates" / "pdf"
_FONT_PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk")
_CJK = {"ja": "JP", "ko": "KR", "zh_Hant": "TC", "zh_TW": "TC", "zh_HK": "HK"}
_log = logging.getLogger(__name__)
_local = threading.local()
_fonts_lock = threading.Lock()


@cache
def _load_fonts() -> typst.Fonts:
    folders = [
        Path(spec.origin).parent
        for spec in map(find_spec, _FONT_PACKAGES)
        if spec is not None and spec.origin is not None
    ]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)


def _compiler() -> typst.Compiler:
    """The thread's own compiler: one may not be used by two threads at once; fonts are shared."""
    compiler: typst.Compiler | None = getattr(_local, "compiler", None)
    if compiler is None:
        with _fonts_lock:
            fonts = _load_fonts()
        compiler = _local.compiler = typst.Compiler(root=_ROOT, font_paths=fonts)
    return compiler


def font_families(locale: str) -> list[str]:
    """Every bundled family, Latin first; Han signs in the shape of the locale's country."""
    with _fonts_lock:
        families = _load_fonts().families()
    shape = next((s for prefix, s in _CJK.items() if locale.startswith(prefix)), "SC")
    first = ["Noto Sans", f"Noto Sans CJK {shape}"]
    return first + [family for family in families if family not in first]


@lru_cache(maxsize=8)
def svg_of_image(media_type: str, content: bytes) -> str:
    """An uploaded image as SVG text, the form in which data can carry it to a template.

    An image that cannot be read leaves its place empty; it never stops a document.
    """
    data = base64.b64encode(content).decode()
    width, height = image_size(media_type, content)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:{media_type};base64,{data}"/></svg>'
    )


def image_size(media_type: str, content: bytes) -> tuple[int, int]:
    """Width and height in pixels of a PNG or JPEG; (3, 1) when it cannot be told."""
    if media_type == "image/png" and content[12:16] == b"IHDR":
        return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    at = 2
    while media_type == "image/jpeg" and at + 9 < len(content) and content[at] == 0xFF:
        if 0xC0 <= content[at + 1] <= 0xCF and content[at + 1] not in (0xC4, 0xC8, 0xCC):
            height = int.from_bytes(content[at + 5 : at + 7], "big")
            return int.from_bytes(content[at + 7 : at + 9], "big"), height
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return 3, 1


def make_pdf(
    template: str,
    title: str,
    author: str,
    day: date,
    locale: str,
    letters: Sequence[Mapping[str, object]],
) -> bytes:
    """The PDF of `letters` by `templates/pdf/<template>`; its date is `day`, so it is repeatable.

    It is PDF/A-3a and PDF/UA-1. A sign that no bundled font holds makes a plain tagged PDF
    instead, and a line in the log. Raises typst.TypstError when the template itself is wrong.
    """
    data = {
        "title": title,
        "author": author,
        "date": {"year": day.year, "month": day.month, "day": day.day},
        "fonts": font_families(locale),
        "letters": letters,
    }
    inputs = {"data": json.dumps(data, ensure_ascii=False)}
    moment = datetime.combine(day, time(12), UTC)
    try:
        return _compile(template, inputs, moment, archival=True)
    except typst.TypstError as error:
        if "could not be displayed" not in error.message:
            raise
        # Neither its title nor the sign, which stands in somebody's name.
        _log.warning("A document by %s is a plain tagged PDF: no font holds a sign", template)
        return _compile(template, inputs, moment, archival=False)


def _compile(
    template: str,
    inputs: dict[str, str],
    moment: datetime,
    *,
    archival: bool,
) -> bytes:
    pdf = _compiler().compile(
        input=_ROOT / template,
        format="pdf",
        sys_inputs=inputs,
        pdf_standards=["a-3a", "ua-1"] if archival else [],
        timestamp=moment,
    )
    assert isinstance(pdf, bytes)
    return pdf
