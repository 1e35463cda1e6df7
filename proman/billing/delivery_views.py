"""The pages of the sent-list: what was delivered, and the delivery of what is chosen."""

from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, request

from proman.base.errors import NotThere, Refused
from proman.billing.deliveries import (
    deliverable,
    printable,
    queue_mail,
    record_by_hand,
    record_printed,
)
from proman.billing.delivery_queries import CHANNELS, DELIVERIES, STATUSES, messages_waiting
from proman.billing.document_queries import documents_by_id
from proman.billing.invoice_page_queries import addresses_of, deliveries_of
from proman.billing.invoice_queries import INVOICES
from proman.billing.invoice_views import pdf_response
from proman.billing.sending import letter_to, post_office, send_in_background
from proman.db import begin_write, db, utc_now
from proman.identity.session import business_today, current_actor
from proman.web.ids import ids_of
from proman.web.render import render, see_other
from proman.web.sheets import export_routes

blueprint = Blueprint("deliveries", __name__, url_prefix="/invoices")
MOST_TEXTS = 50
export_routes(blueprint, DELIVERIES, "deliveries")


@blueprint.get("/deliveries/")
def index() -> Response:
    """When what was delivered to whom, and what went wrong."""
    return render(
        "deliveries/index.html",
        "deliveries/_list.html",
        page=DELIVERIES.page(request.args),
        statuses=STATUSES.items(),
        channels=CHANNELS,
        waiting=messages_waiting(),
    )


@blueprint.get("/<int:invoice_id>/deliveries")
def of_invoice(invoice_id: int) -> Response:
    """How one document was delivered, and what can be done now."""
    if invoice_id not in deliverable([invoice_id]):
        raise NotThere("There is nothing to deliver here.")
    people = addresses_of([invoice_id])[invoice_id]
    return render(
        "deliveries/of_invoice.html",
        "deliveries/_of_invoice.html",
        invoice_id=invoice_id,
        deliveries=deliveries_of(invoice_id),
        addresses=[email for _, email in people if email],
        channels=CHANNELS,
        has_mail=post_office() is not None,
    )


@blueprint.post("/deliveries/")
def deliver() -> Response:
    """Deliver what is chosen: by mail apart from this request, as text to copy, or as one PDF."""
    channel = request.form.get("channel")
    if channel not in ("mail", "pdf"):
        raise Refused("Choose how: by mail or as one PDF.")
    ids = _chosen()
    if channel == "pdf":
        return _print(ids)
    if post_office() is None:
        return _to_texts(ids)
    begin_write()
    queued = queue_mail(ids, actor=current_actor(), now=utc_now())
    db.session.commit()
    send_in_background()
    tone = "warn" if queued.without_address else "good"
    return see_other("/invoices/deliveries/", queued.sentence, tone)


def _to_texts(ids: list[int]) -> Response:
    """An address holds only so much: the first ones, and how many more there are."""
    query = {"invoice": ids[:MOST_TEXTS], "more": max(0, len(ids) - MOST_TEXTS)}
    return see_other("/invoices/deliveries/texts?" + urlencode(query, doseq=True))


def _chosen() -> list[int]:
    """The documents ticked; or all not delivered that the list's filters leave."""
    everything = request.form.get("everything")
    if everything is None:
        return ids_of(request.form.getlist("invoice"))
    filters = dict(parse_qsl(everything)) | {"delivered": "no"}
    return [row.id for row in INVOICES.every(filters, {"today": business_today()})]


def _print(ids: list[int]) -> Response:
    """The file is made before the write begins: many documents take seconds."""
    documents = documents_by_id(printable(ids), business_today())
    answer = pdf_response([*documents.values()])
    begin_write()
    record_printed(list(documents), actor=current_actor(), now=utc_now())
    db.session.commit()
    return answer


@blueprint.get("/deliveries/texts")
def texts() -> Response:
    """What would be mailed, to copy: for an installation without a mail server."""
    chosen = ids_of(request.args.getlist("invoice"))
    ids = list(deliverable(chosen[:MOST_TEXTS]))
    people = addresses_of(ids)
    messages = [
        (key, [email for _, email in people[key] if email], *letter_to(document))
        for key, document in documents_by_id(ids, business_today()).items()
    ]
    left_out = request.args.get("more", 0, type=int)
    return render("deliveries/texts.html", messages=messages, ids=ids, left_out=left_out)


@blueprint.post("/deliveries/by-hand")
def by_hand() -> Response:
    """Record that somebody mailed the texts themselves."""
    ids = ids_of(request.form.getlist("invoice"))
    begin_write()
    count = record_by_hand(ids, actor=current_actor(), now=utc_now())
    db.session.commit()
    return see_other("/invoices/deliveries/", f"{count} recorded as mailed by hand.")
