"""The pages of invoices, credit notes, deposit requests and opening items."""

from typing import Any

from flask import Blueprint, Response, make_response, request
from markupsafe import Markup

from proman.base.errors import Refused
from proman.base.money import decimal_string
from proman.billing.again import bill_again, what_again
from proman.billing.crediting import credit_invoice, creditable
from proman.billing.document import InvoiceDocument
from proman.billing.document_queries import the_document
from proman.billing.invoice_forms import CreditForm
from proman.billing.invoice_page_queries import InvoicePage, invoice_page
from proman.billing.invoice_queries import EXPORT, INVOICES, about, properties_to_pick
from proman.billing.letter import invoices_pdf, payment_rows_of
from proman.billing.sending import file_name, post_office
from proman.billing.states import KINDS, STATES
from proman.db import begin_write, db
from proman.identity.session import business_today, current_actor, current_organization
from proman.web.filters import day, moment
from proman.web.guard import needs
from proman.web.render import render, see_other
from proman.web.sheets import export_routes
from proman.web.typed_amounts import TypedAmounts

blueprint = Blueprint("invoices", __name__, url_prefix="/invoices")
HIDDEN_FILTERS = ("lease", "tenant", "run", "issued_from", "issued_to")
PRORATIONS = {
    "actual": "by the actual days of the period",
    "fixed_30": "every month has 30 days",
    "days_365": "yearly amount × days ÷ 365",
    "none": "the whole amount",
}


def _today() -> dict[str, Any]:
    return {"today": business_today()}


export_routes(blueprint, EXPORT, "invoices", _today)


@blueprint.get("/")
def index() -> Response:
    """The list, filtered and sorted by the address."""
    page = INVOICES.page(request.args, _today())
    return render(
        "invoices/index.html",
        "invoices/_list.html",
        page=page,
        about=about([row.id for row in page.rows], business_today()),
        kinds=KINDS,
        states=STATES.items(),
        properties=properties_to_pick(),
        hidden_filters=HIDDEN_FILTERS,
        has_mail=post_office() is not None,
    )


@blueprint.get("/<int:invoice_id>")
def show(invoice_id: int) -> Response:
    """One document, with how every amount came about."""
    page = invoice_page(invoice_id, business_today())
    return render(
        "invoices/show.html",
        page=page,
        title=f"{KINDS[page.invoice.kind]} {page.invoice.number or ''}".strip(),
        prorations=PRORATIONS,
        payment=payment_rows_of(page.invoice.issuer, _reference(page)),
        about=_about(page),
        credits_link=_credits_link(page),
    )


def _reference(page: InvoicePage) -> str:
    return " ".join(filter(None, (page.invoice.lease_reference, page.invoice.number)))


def _about(page: InvoicePage) -> list[tuple[str, Any]]:
    invoice = page.invoice
    lease = Markup('<a href="/leases/{}">{}</a>').format(invoice.lease_id, invoice.lease_reference)
    period = f"{day(invoice.period_start)} – {day(invoice.period_end)}"
    items = [
        ("Tenant", ", ".join(invoice.recipient["names"])),
        ("Property", invoice.property),
        ("Unit", invoice.unit),
        ("Lease", lease),
        ("Period", period if invoice.period_start else ""),
        ("Reason", invoice.reason),
        ("Issued by", invoice.issued_by_name or "ProMan"),
        ("Recorded", moment(invoice.issued_at)),
    ]
    return [item for item in items if item[1]]


def _credits_link(page: InvoicePage) -> Markup | str:
    invoice = page.invoice
    if not invoice.refers_to_id:
        return ""
    link = Markup('<a href="/invoices/{}">{}</a>')
    return link.format(invoice.refers_to_id, invoice.referred_number or "an opening balance")


@blueprint.get("/<int:invoice_id>/credit")
@needs("manager")
def new_credit(invoice_id: int) -> Response:
    """What a credit note would take back, and the form that asks why."""
    return _credit_page(invoice_id, CreditForm(formdata=None))


@blueprint.post("/<int:invoice_id>/credit")
@needs("manager")
def credit(invoice_id: int) -> Response:
    """Credit the amounts of the lines as they stand in the form, and go to the credit note."""
    form = CreditForm()
    typed = TypedAmounts.read(request.form, "line", current_organization().currency)
    if not form.validate() or typed.errors:
        return _credit_page(invoice_id, form, typed, status=422)
    reason, today = str(form.reason.data), business_today()
    begin_write()
    try:
        # Without a field for a line all that is left is meant.
        amounts = typed.values if any(key.startswith("line-") for key in request.form) else None
        note = credit_invoice(
            invoice_id, reason, today=today, actor=current_actor(), amounts=amounts
        )
    except Refused as error:
        db.session.rollback()
        if not typed.refuse(error):
            form.refuse(error)
        return _credit_page(invoice_id, form, typed, status=422)
    db.session.commit()
    return see_other(f"/invoices/{note.id}", f"Credit note {note.number} was issued.")


def _credit_page(
    invoice_id: int, form: CreditForm, typed: TypedAmounts | None = None, status: int = 200
) -> Response:
    found = creditable(invoice_id)
    if typed is None:
        currency = current_organization().currency
        left = {line.of.line_id: decimal_string(line.of.left, currency) for line in found.lines}
        typed = TypedAmounts("line", texts=left)
    context: dict[str, Any] = {"credit": found, "form": form, "typed": typed, "kinds": KINDS}
    return render("invoices/credit.html", status=status, **context)


@blueprint.get("/<int:invoice_id>/again")
@needs("manager")
def preview_again(invoice_id: int) -> Response:
    """What would be issued in place of a credited invoice."""
    return render("invoices/again.html", again=what_again(invoice_id, today=business_today()))


@blueprint.post("/<int:invoice_id>/again")
def again(invoice_id: int) -> Response:
    """Bill the periods again, and go to the new invoice."""
    begin_write()
    issued = bill_again(invoice_id, today=business_today(), actor=current_actor())
    db.session.commit()
    return see_other(f"/invoices/{issued.id}", f"Invoice {issued.number} was issued.")


@blueprint.get("/<int:invoice_id>.pdf")
def pdf(invoice_id: int) -> Response:
    """The document as it is sent, with what is open today."""
    return pdf_response([the_document(invoice_id, business_today())])


def pdf_response(documents: list[InvoiceDocument]) -> Response:
    """One document under its number, or many in one file."""
    response = make_response(invoices_pdf(documents))
    name = file_name(documents[0]) if len(documents) == 1 else "invoices.pdf"
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response
