"""Decides what an uploaded file is, what it is called, and how a browser may be given it."""

import codecs

LARGEST = 25 << 20
"""Bytes of one document: a request of ProMan holds 32 MiB at most."""
MOST_OF_ONE = 500
"""Documents of one record."""
HEAD = 8192
"""So many bytes from the beginning tell what a file is."""
NAME_LENGTH = 200
PLAIN = "application/octet-stream"
SHOWN_IN_BROWSER = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "text/plain"})
"""What a browser may show as it is; everything else is only ever downloaded."""
POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Whatever an upload holds: nothing in it runs, loads or sends anything."""
WORDS = {
    "application/pdf": "PDF",
    "image/png": "PNG picture",
    "image/jpeg": "JPEG picture",
    "image/gif": "GIF picture",
    "image/webp": "WebP picture",
    "image/tiff": "TIFF picture",
    "image/heic": "HEIC picture",
    "image/svg+xml": "SVG drawing",
    "video/mp4": "MP4 film",
    "text/plain": "Text",
    "text/html": "Web page",
    "text/xml": "XML",
    "application/rtf": "RTF text",
    "application/zip": "ZIP archive",
    "application/x-ole-storage": "Office document",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel workbook",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "Slides",
    "application/vnd.oasis.opendocument.text": "OpenDocument text",
    "application/vnd.oasis.opendocument.spreadsheet": "OpenDocument table",
}
_BEGINNINGS = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"{\\rtf", "application/rtf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
_PACKED = (
    (b"mimetypeapplication/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
    (
        b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.spreadsheet",
    ),
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)


def media_type_of(head: bytes) -> str:
    """What a file is by its first bytes, whatever its sender or its name says."""
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return "image/heic" if head[8:12] in (b"heic", b"heix", b"mif1") else "video/mp4"
    if head.startswith(b"PK\x03\x04"):
        return next((kind for mark, kind in _PACKED if mark in head), "application/zip")
    return _text_type_of(head)


def _text_type_of(head: bytes) -> str:
    try:
        # The last letter may be cut in the middle.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return PLAIN
    if any(letter < " " and letter not in "\t\n\r\f" for letter in text):
        return PLAIN
    text = text.removeprefix("\ufeff").lstrip().lower()
    if not text.startswith("<"):
        return "text/plain"
    if "<svg" in text:
        return "image/svg+xml"
    return "text/html" if "<html" in text or "<script" in text or "<body" in text else "text/xml"


def in_words(media_type: str) -> str:
    """What a file is, for people."""
    return WORDS.get(media_type, "File")


def clean_name(sent: str) -> str:
    """The last part of a name that a browser sent, in characters that can be shown and saved.

    At most 200 of them; of a longer name the ending stays.
    """
    last = sent.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(letter for letter in last if letter.isprintable()).strip().lstrip(".")
    if len(name) <= NAME_LENGTH:
        return name or "document"
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 10:
        return name[:NAME_LENGTH]
    return stem[: NAME_LENGTH - len(ending) - 1] + dot + ending
