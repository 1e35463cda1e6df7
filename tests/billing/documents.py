"""Documents to print: an organization in Munich, a tenant of it, and whatever a test changes."""

import struct
import zlib
from datetime import date
from typing import Any

from proman.billing.document import DocumentLine, InvoiceDocument, Logo
from proman.billing.snapshots import Issuer, Recipient


def make_issuer(**changes: Any) -> Issuer:
    return Issuer(
        **{
            "name": "Lindenhof Hausverwaltung",
            "legal_name": "Lindenhof Hausverwaltung GmbH",
            "street": "Lindenallee 4",
            "postal_code": "80331",
            "city": "München",
            "country": "DE",
            "email": "info@lindenhof.example",
            "phone": "+49 89 123456",
            "website": "www.lindenhof.example",
            "tax_number": "DE123456789",
            "footer": "Amtsgericht München HRB 12345",
            "bank_name": "Stadtsparkasse München",
            "bank_account_holder": "",
            "bank_account": "DE89370400440532013000",
            "bank_code": "SSKMDEMMXXX",
            "locale": "de_DE",
            "logo_id": None,
            **changes,
        }
    )


def make_recipient(*names: str, **changes: Any) -> Recipient:
    return Recipient(
        **{
            "names": list(names or ("Anna Schmidt",)),
            "street": "Gartenstraße 12",
            "postal_code": "80469",
            "city": "München",
            "country": "DE",
            "tax_number": "",
            "property_name": "Gartenhof",
            "unit_label": "3. OG links",
            "lease_reference": "L-0042",
            **changes,
        }
    )


def make_line(net: int = 48387, tax_rate: int = 0, tax: int = 0, **changes: Any) -> DocumentLine:
    given: dict[str, Any] = {
        "description": "Rent",
        "period_start": date(2027, 3, 17),
        "period_end": date(2027, 3, 31),
        "explanation": "1000.00 × 15/31 days",
        **changes,
    }
    return DocumentLine(net=net, tax_rate=tax_rate, tax=tax, **given)


def make_document(*lines: DocumentLine, **changes: Any) -> InvoiceDocument:
    lines = lines or (make_line(),)
    net, tax = sum(line.net for line in lines), sum(line.tax for line in lines)
    given: dict[str, Any] = {
        "kind": "invoice",
        "number": "2027-00012",
        "issuer": make_issuer(),
        "recipient": make_recipient(),
        "logo": None,
        "currency": "EUR",
        "issue_date": date(2027, 3, 12),
        "due_date": date(2027, 3, 31),
        "period_start": date(2027, 3, 17),
        "period_end": date(2027, 3, 31),
        "net": net,
        "tax": tax,
        "total": net + tax,
        "open": net + tax,
        "as_of": date(2027, 3, 12),
        **changes,
    }
    return InvoiceDocument(lines=lines, **given)


def make_logo(width: int = 30, height: int = 10) -> Logo:
    """A PNG in one colour."""
    rows = b"".join(b"\0" + b"\x20\x60\xa0" * width for _ in range(height))

    def chunk(kind: bytes, body: bytes) -> bytes:
        whole = kind + body
        return struct.pack(">I", len(body)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    picture = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return Logo("image/png", b"\x89PNG\r\n\x1a\n" + picture)
