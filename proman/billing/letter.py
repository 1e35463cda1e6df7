"""Owns the words and the locale's figures of the documents that are sent to tenants."""

from collections.abc import Sequence

from babel import Locale

from proman.billing.document import DocumentLine, InvoiceDocument, Logo, Settlement
from proman.billing.manner import Manner
from proman.billing.payment_code import is_iban, payment_code, spaced_iban
from proman.billing.snapshots import Issuer, Recipient
from proman.web.pdf import make_pdf, svg_of_image

Pairs = list[tuple[str, str]]
TITLES = {
    "invoice": "Invoice",
    "credit_note": "Credit note",
    "deposit_request": "Deposit request",
    "opening": "Opening balance",
}
_LETTER_PAPER = frozenset("US CA MX PH CO CL VE CR GT PA DO PR SV NI HN".split())


def heading(document: InvoiceDocument) -> str:
    """What the document is called: "Invoice 2027-00012"."""
    return f"{TITLES[document.kind]} {document.number or ''}".strip()


def letter(document: InvoiceDocument) -> dict[str, object]:
    """The document as data for templates/pdf/invoice.typ."""
    manner = Manner(document.issuer["locale"], document.currency)
    return {
        **letter_frame(document.issuer, document.recipient, document.logo),
        "heading": heading(document),
        "facts": _facts(document, manner),
        "intro": _intro(document, manner),
        "line_heading": "Description",
        "tax_heading": "Tax" if document.taxes else None,
        "amount_heading": f"{'Net' if document.taxes else 'Amount'} ({document.currency})",
        "lines": [_line(line, manner) for line in document.lines],
        "totals": _totals(document, manner),
        "payment": _payment(document, manner),
        "notes": [document.issuer["footer"]] if document.issuer["footer"] else [],
    }


def letter_frame(issuer: Issuer, recipient: Recipient, logo: Logo | None) -> dict[str, object]:
    """Letterhead, window and foot of any document of the organization."""
    address = address_lines(issuer, issuer["country"])
    name = issuer["legal_name"] or issuer["name"]
    return {
        "paper": "us-letter" if issuer["country"] in _LETTER_PAPER else "a4",
        "logo": svg_of_image(logo.media_type, logo.content) if logo else None,
        "issuer": {
            "name": issuer["name"],
            "address": address,
            "contact": _given(issuer["phone"], issuer["email"]),
        },
        "return_line": " · ".join([issuer["name"], *address]),
        "recipient": {
            "names": recipient["names"],
            "address": address_lines(recipient, issuer["country"]),
        },
        "footer": _footer(issuer, name, address),
    }


def address_lines(place: Issuer | Recipient, home: str) -> list[str]:
    """Street; postal code and city in the country's order; the country if it is not `home`."""
    country = place["country"] or home
    if country in _LETTER_PAPER or country in ("GB", "AU", "NZ", "IE", "IN"):
        city = " ".join(_given(place["city"], place["postal_code"]))
    else:
        city = " ".join(_given(place["postal_code"], place["city"]))
    abroad = Locale.parse("en").territories.get(country, country) if country != home else ""
    return _given(place["street"], city, abroad)


def _given(*values: str) -> list[str]:
    return [value for value in values if value]


def _footer(issuer: Issuer, name: str, address: list[str]) -> list[list[str]]:
    tax = [f"Tax number {issuer['tax_number']}"] if issuer["tax_number"] else []
    bank = _given(issuer["bank_name"], spaced_iban(issuer["bank_account"]), issuer["bank_code"])
    columns = ([name, *address], [*_given(issuer["email"], issuer["website"]), *tax], bank)
    return [column for column in columns if column]


def _facts(document: InvoiceDocument, manner: Manner) -> Pairs:
    recipient = document.recipient
    facts = [
        ("Date", manner.day(document.issue_date)),
        ("Due" if document.kind != "credit_note" else "", manner.day(document.due_date)),
        ("Period", manner.days(document.period_start, document.period_end)),
        ("Property", recipient["property_name"]),
        ("Unit", recipient["unit_label"]),
        ("Lease", recipient["lease_reference"]),
        ("Your tax number", recipient["tax_number"]),
    ]
    return [(label, value) for label, value in facts if label and value]


def _intro(document: InvoiceDocument, manner: Manner) -> list[str]:
    sentences = []
    if document.refers_to is not None:
        number, day = document.refers_to
        sentences.append(f"This credit note corrects invoice {number} of {manner.day(day)}.")
    if document.kind == "deposit_request":
        sentences.append("The deposit is held as security for the lease; it is not rent.")
    if document.reason:
        sentences.append(f"Reason: {document.reason}")
    return sentences


def _line(line: DocumentLine, manner: Manner) -> dict[str, object]:
    return {
        "description": line.description,
        "details": _given(manner.days(line.period_start, line.period_end), line.explanation),
        "tax": manner.rate(line.tax_rate),
        "amount": manner.amount(line.net),
    }


def _row(label: str, amount: str, *, strong: bool = False) -> dict[str, object]:
    return {"label": label, "amount": amount, "strong": strong}


def _totals(document: InvoiceDocument, manner: Manner) -> list[dict[str, object]]:
    rows = []
    if document.taxes:
        rows.append(_row("Net", manner.amount(document.net)))
    for share in document.taxes:
        label = f"Tax {manner.rate(share.rate)} on {manner.amount(share.net)}"
        rows.append(_row(label, manner.amount(share.tax)))
    total = "Total credited" if document.kind == "credit_note" else "Total"
    rows.append(_row(total, manner.money(document.total), strong=True))
    for settlement in document.settlements:
        rows.append(_settled(settlement, manner))
    if document.settlements and document.kind != "credit_note":
        label = f"Still to pay on {manner.day(document.as_of)}"
        rows.append(_row(label, manner.money(document.open), strong=True))
    return rows


def _settled(settlement: Settlement, manner: Manner) -> dict[str, object]:
    sign = "\N{MINUS SIGN}" if settlement.amount > 0 else "+"
    label = f"{settlement.label}, {manner.day(settlement.day)}"
    return _row(label, sign + manner.amount(abs(settlement.amount)))


def payment_rows(document: InvoiceDocument) -> Pairs:
    """Where to pay and what to quote; a detail that is not known is left out."""
    return payment_rows_of(document.issuer, payment_reference(document))


def payment_rows_of(issuer: Issuer, reference: str) -> Pairs:
    """The issuer's account, and the reference to quote on the payment."""
    account, iban = issuer["bank_account"], is_iban(issuer["bank_account"])
    rows = [
        ("Account holder", account_holder(issuer)),
        ("IBAN" if iban else "Account", spaced_iban(account)),
        ("BIC" if iban else "Bank code", issuer["bank_code"]),
        ("Bank", issuer["bank_name"]),
    ]
    if not account:
        rows = []
    return [(label, value) for label, value in (*rows, ("Reference", reference)) if value]


def account_holder(issuer: Issuer) -> str:
    """Whose account it is; the organization's own name where nothing else was said."""
    return issuer["bank_account_holder"] or issuer["legal_name"] or issuer["name"]


def payment_reference(document: InvoiceDocument) -> str:
    """What the tenant writes on the payment: the lease's reference, then the number."""
    return " ".join(_given(document.recipient["lease_reference"], document.number or ""))


def payment_sentence(document: InvoiceDocument, manner: Manner) -> str:
    """What is to be done, in one sentence."""
    owed = manner.money(document.open)
    if document.due_date < document.as_of:
        return f"{owed} has been due since {manner.day(document.due_date)}. Please pay it now."
    return f"Please pay {owed} by {manner.day(document.due_date)} and quote the reference."


def _payment(document: InvoiceDocument, manner: Manner) -> dict[str, object] | None:
    if not document.asks_for_money:
        return None
    issuer = document.issuer
    return {
        "heading": "Payment",
        "sentence": payment_sentence(document, manner),
        "rows": payment_rows(document),
        "qr": payment_code(
            account_holder(issuer),
            issuer["bank_account"],
            issuer["bank_code"],
            document.open,
            document.currency,
            payment_reference(document),
        ),
    }


def invoices_pdf(documents: Sequence[InvoiceDocument]) -> bytes:
    """One document, or many in the order given in one file, each with its own page numbers."""
    first = documents[0]
    title = heading(first) if len(documents) == 1 else f"{len(documents)} invoices"
    return make_pdf(
        "invoice.typ",
        title,
        first.issuer["name"],
        max(document.issue_date for document in documents),
        first.issuer["locale"],
        [letter(document) for document in documents],
    )
