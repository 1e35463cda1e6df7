"""Owns the code that a banking app reads from an invoice (EPC069-12, "Scan to pay")."""

import io
import re

import segno

from proman.base.money import decimal_string

_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")
_MOST = 999_999_999_99
_MASK = 3


def is_iban(account: str) -> bool:
    """Whether the account number is an IBAN with the right check digits (ISO 13616)."""
    bare = account.replace(" ", "").upper()
    if not _IBAN.fullmatch(bare):
        return False
    digits = "".join(str(int(sign, 36)) for sign in bare[4:] + bare[:4])
    return int(digits) % 97 == 1


def spaced_iban(account: str) -> str:
    """An IBAN in groups of four, as it is printed; anything else unchanged."""
    bare = account.replace(" ", "").upper()
    if not is_iban(bare):
        return account
    return " ".join(bare[at : at + 4] for at in range(0, len(bare), 4))


def payment_code(
    holder: str, account: str, bank_code: str, cents: int, currency: str, text: str
) -> str | None:
    """The code as SVG text, or None where the standard has none: another currency than EUR,
    no IBAN, nothing to pay. `text` is what the payer's transfer will say (140 characters kept).
    """
    if currency != "EUR" or not is_iban(account) or not 0 < cents <= _MOST or not holder:
        return None
    bic = bank_code.replace(" ", "").upper()
    fields = (
        *("BCD", "002", "1", "SCT"),
        bic if _BIC.fullmatch(bic) else "",
        " ".join(holder[:70].split()),
        account.replace(" ", "").upper(),
        "EUR" + decimal_string(cents, "EUR"),
        *("", ""),
        " ".join(text[:140].split()),
    )
    return _svg("\n".join(fields))


def _svg(data: str) -> str:
    # Choosing among the eight masks takes four times as long as all the rest, and any may be read.
    code = segno.make(data, error="m", micro=False, boost_error=False, encoding="utf-8", mask=_MASK)
    image = io.BytesIO()
    code.save(image, kind="svg", border=0, xmldecl=False)
    return image.getvalue().decode()
