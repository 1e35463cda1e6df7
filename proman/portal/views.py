"""The tenant's pages, and the manager's ways of letting a tenant in."""

from typing import Any

from flask import Blueprint, Response, request

from proman.base.errors import NotThere, Refused
from proman.billing.document_queries import the_document
from proman.billing.invoice_views import pdf_response
from proman.billing.letter import payment_rows, payment_sentence
from proman.billing.manner import Manner
from proman.billing.reminder_queries import the_reminder
from proman.billing.reminder_views import reminders_response
from proman.billing.states import KINDS
from proman.db import begin_write, db, utc_now
from proman.files.rules import in_words
from proman.files.sending import sent
from proman.identity import audit
from proman.identity.letters import link_address, mail_link
from proman.identity.session import business_today, current_actor
from proman.portal import actions
from proman.portal.queries import (
    MY_DOCUMENTS,
    MY_INVOICES,
    MY_PAYMENTS,
    access_of,
    account_of,
    has_logo,
    my_document,
    my_reminders,
    require_mine,
    require_my_reminder,
)
from proman.web.guard import needs
from proman.web.ids import id_of
from proman.web.render import render, see_other

blueprint = Blueprint("portal", __name__, url_prefix="/portal")


def _user_id() -> int:
    user_id = current_actor().id
    assert user_id is not None
    return user_id


def _mine() -> dict[str, Any]:
    return {"user_id": _user_id(), "today": business_today()}


def _show(template: str, part: str | None = None, *, logo: bool, **context: Any) -> Response:
    address = "/admin/organization/logo" if logo else ""
    return render(template, part, logo_url=address, kinds=KINDS, **context)


@blueprint.get("/")
@needs("tenant")
def index() -> Response:
    """Where the tenant stands, and what is to be paid."""
    account = account_of(_user_id(), business_today())
    invoices = MY_INVOICES.page({"state": "unsettled"}, _mine())
    return _show("portal/index.html", logo=account.has_logo, account=account, page=invoices)


@blueprint.get("/reminders/")
@needs("tenant")
def reminders() -> Response:
    """The letters that reminded the tenant, the newest first."""
    found = my_reminders(_user_id())
    return _show("portal/reminders.html", logo=has_logo(), reminders=found)


@blueprint.get("/reminders/<int:reminder_id>.pdf")
@needs("tenant")
def reminder_pdf(reminder_id: int) -> Response:
    """A reminder that the tenant was sent."""
    require_my_reminder(reminder_id, _user_id())
    return reminders_response([the_reminder(reminder_id)])


@blueprint.get("/invoices/")
@needs("tenant")
def invoices() -> Response:
    """Every invoice, credit note and deposit request of the tenant."""
    page = MY_INVOICES.page(request.args, _mine())
    return _show("portal/invoices.html", "portal/_invoices.html", logo=has_logo(), page=page)


@blueprint.get("/invoices/<int:invoice_id>")
@needs("tenant")
def invoice(invoice_id: int) -> Response:
    """One document, with how every amount came about and how to pay it."""
    logo = require_mine(invoice_id, _user_id())
    document = the_document(invoice_id, business_today(), with_logo=False)
    manner = Manner(document.issuer["locale"], document.currency)
    return _show(
        "portal/invoice.html",
        logo=logo,
        invoice_id=invoice_id,
        document=document,
        rows=payment_rows(document),
        sentence=payment_sentence(document, manner),
    )


@blueprint.get("/invoices/<int:invoice_id>.pdf")
@needs("tenant")
def invoice_pdf(invoice_id: int) -> Response:
    """The document as a PDF; an opening balance has none."""
    require_mine(invoice_id, _user_id())
    document = the_document(invoice_id, business_today())
    if document.kind == "opening":
        raise NotThere("There is no PDF of an opening balance.")
    return pdf_response([document])


@blueprint.get("/payments/")
@needs("tenant")
def payments() -> Response:
    """What was received from the tenant."""
    page = MY_PAYMENTS.page(request.args, _mine())
    return _show("portal/payments.html", "portal/_payments.html", logo=has_logo(), page=page)


@blueprint.get("/documents/")
@needs("tenant")
def documents() -> Response:
    """What the manager shows the tenant of their leases."""
    page = MY_DOCUMENTS.page(request.args, _mine())
    return _show(
        "portal/documents.html",
        "portal/_documents.html",
        logo=has_logo(),
        page=page,
        in_words=in_words,
    )


@blueprint.get("/documents/<int:document_id>")
@needs("tenant")
def document(document_id: int) -> Response:
    """One document that was shown."""
    return sent(my_document(document_id, _user_id()))


@blueprint.get("/tenants/<int:tenant_id>")
@needs("manager")
def access(tenant_id: int) -> Response:
    """For the manager: whether a tenant can sign in, and what to do about it."""
    return render("portal/access.html", "portal/_access.html", access=access_of(tenant_id))


@blueprint.post("/invitations")
@needs("manager")
def invite() -> Response:
    """Invite a tenant: the link is mailed, or shown to copy; its secret is known only now."""
    tenant_id = id_of(request.form.get("tenant_id")) or 0
    begin_write()
    try:
        link = actions.invite_tenant(access_of(tenant_id), actor=current_actor(), now=utc_now())
    except Refused as error:
        db.session.rollback()
        return see_other(f"/tenants/{tenant_id}", error.message, "bad")
    audit.record("invited to the portal", "users", link.user.id, link.user.name)
    db.session.commit()
    address = link_address(link)
    problem = mail_link(link, address)
    return render(
        "portal/invitation.html", link=link, tenant_id=tenant_id, address=address, problem=problem
    )


@blueprint.post("/tenants/<int:tenant_id>/ending")
@needs("manager")
def end_access(tenant_id: int) -> Response:
    """End a tenant's access at once."""
    begin_write()
    tenant = access_of(tenant_id)
    actions.end_access(tenant, actor=current_actor(), now=utc_now())
    db.session.commit()
    return see_other(f"/tenants/{tenant_id}", f"{tenant.name} can no longer sign in.")
