"""Owns the judgement of an uploaded logo: a small picture that runs nothing and prints."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import typst

from proman.base.errors import Refused
from proman.web.pdf import image_size

LARGEST = 500_000
WIDEST = 4_000
SVG = "{http://www.w3.org/2000/svg}"
XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
DRAWING_ELEMENTS = frozenset(
    "svg g defs title desc metadata path rect circle ellipse line polyline polygon text tspan "
    "linearGradient radialGradient stop clipPath mask pattern symbol use".split()
)
_reference = re.compile(r"url\(\s*['\"]?(?!#)", re.IGNORECASE)


@dataclass(frozen=True)
class Logo:
    """A picture that was judged safe, with its media type."""

    media_type: str
    content: bytes


def judge_logo(content: bytes) -> Logo:
    """The upload as a logo. Raises Refused (field `logo`) unless it is a PNG, JPEG or plain SVG.

    At most 500 kB and 4,000 pixels a side; an SVG may draw and nothing else; and it is printed once
    for trial, so that no invoice fails because of it.
    """
    if len(content) > LARGEST:
        raise Refused("The picture is larger than 500 kB.", "logo")
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        logo = Logo("image/png", content)
    elif content.startswith(b"\xff\xd8\xff"):
        logo = Logo("image/jpeg", content)
    else:
        _refuse_unsafe_svg(content)
        logo = Logo("image/svg+xml", content)
    _refuse_large(logo)
    _refuse_unprintable(logo)
    return logo


def _refuse_large(logo: Logo) -> None:
    width, height = image_size(logo.media_type, logo.content)
    if not 0 < width <= WIDEST or not 0 < height <= WIDEST:
        raise Refused(f"The picture must be at most {WIDEST:,} pixels wide and high.", "logo")


def _refuse_unsafe_svg(content: bytes) -> None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("Upload a PNG, JPEG or SVG picture.", "logo") from None
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper() or "<?xml-stylesheet" in text:
        raise Refused("This SVG declares a document type or style sheet; save it plain.", "logo")
    try:
        root = ElementTree.fromstring(text)  # no document type, so no entities can grow
    except ElementTree.ParseError:
        raise Refused("Upload a PNG, JPEG or SVG picture.", "logo") from None
    if root.tag != f"{SVG}svg":
        raise Refused("Upload a PNG, JPEG or SVG picture.", "logo")
    for element in root.iter():
        _refuse_unsafe_element(element)


def _refuse_unsafe_element(element: ElementTree.Element) -> None:
    name = str(element.tag).removeprefix(SVG)
    if (
        "}" in name
    ):  # an editor's own notes: never drawn, and never served as anything but a picture
        name = "metadata"
    if name not in DRAWING_ELEMENTS:
        raise Refused(f"This SVG holds “{name}”; only plain drawing is taken.", "logo")
    for attribute, value in element.attrib.items():
        is_link = attribute in ("href", XLINK_HREF) and not value.startswith("#")
        if attribute.lower().startswith("on") or is_link or _reference.search(value):
            raise Refused("This SVG runs something or loads something; save it plain.", "logo")


def _refuse_unprintable(logo: Logo) -> None:
    kind = {"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg"}[logo.media_type]
    page = f'#set page(width: 80mm, height: 40mm)\n#image("logo.{kind}", height: 10mm)'
    with TemporaryDirectory() as folder:
        (Path(folder) / "main.typ").write_text(page, encoding="utf-8")
        (Path(folder) / f"logo.{kind}").write_bytes(logo.content)
        try:
            typst.compile(f"{folder}/main.typ", root=folder, ignore_system_fonts=True)
        except RuntimeError:
            raise Refused("This picture is damaged; save it again as PNG.", "logo") from None
