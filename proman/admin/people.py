"""The pages of colleagues: list, invitation, role, link, deactivation."""

from flask import Blueprint, Response, request
from flask_login import current_user

from proman.admin.people_form import InvitationForm, NameForm, RoleForm
from proman.admin.queries import PEOPLE
from proman.base.errors import Refused
from proman.db import begin_write, db, utc_now
from proman.identity import audit
from proman.identity.actions import (
    Link,
    change_role,
    deactivate,
    invite,
    reactivate,
    renew_link,
)
from proman.identity.letters import link_address, mail_link
from proman.identity.queries import the_user
from proman.identity.session import current_actor
from proman.web.guard import needs
from proman.web.render import render, see_other

blueprint = Blueprint("people", __name__, url_prefix="/admin/users")


@blueprint.get("")
@needs("administrator")
def index() -> Response:
    """Everybody who has a login here."""
    page = PEOPLE.page(request.args)
    return render("admin/people/index.html", "admin/people/_list.html", page=page)


@blueprint.get("/new")
@needs("administrator")
def new() -> Response:
    """The form of an invitation."""
    form = InvitationForm(formdata=None, role="manager")
    return render("admin/people/new.html", form=form)


@blueprint.post("/new")
@needs("administrator")
def create() -> Response:
    """Invite a colleague; the link is mailed, or shown to copy."""
    form = InvitationForm()
    if not form.validate():
        return render("admin/people/new.html", form=form, status=422)
    begin_write()
    try:
        link = _invite(form)
    except Refused as error:
        db.session.rollback()
        form.refuse(error)
        return render("admin/people/new.html", form=form, status=422)
    db.session.commit()
    return _hand_over(link)


def _invite(form: InvitationForm) -> Link:
    if form.is_operator.data and not current_user.is_operator:
        raise Refused("Only an operator can say who is one.", "is_operator")
    return invite(
        str(form.email.data),
        str(form.name.data),
        str(form.role.data),
        now=utc_now(),
        is_operator=bool(form.is_operator.data),
    )


@blueprint.get("/<int:user_id>")
@needs("administrator")
def show(user_id: int) -> Response:
    """A person: what they may do, and what can be done about it."""
    return _page(user_id)


@blueprint.post("/<int:user_id>")
@needs("administrator")
def rename(user_id: int) -> Response:
    """Correct a person's name."""
    form = NameForm()
    if not form.validate():
        return _page(user_id, status=422, names=form)
    begin_write()
    the_user(user_id).name = str(form.name.data)
    db.session.commit()
    return see_other(f"/admin/users/{user_id}", "The name is changed.")


@blueprint.post("/<int:user_id>/role")
@needs("administrator")
def assign_role(user_id: int) -> Response:
    """Give a colleague another role."""
    form = RoleForm()
    if not form.validate():
        return _page(user_id, status=422, roles=form)
    begin_write()
    user = the_user(user_id)
    role, operator = str(form.role.data), bool(form.is_operator.data)
    try:
        change_role(user, role, operator, by_operator=current_user.is_operator)
    except Refused as error:
        db.session.rollback()
        form.refuse(error)
        return _page(user_id, status=422, roles=form)
    db.session.commit()
    return see_other(f"/admin/users/{user_id}", "The role is changed.")


@blueprint.post("/<int:user_id>/link")
@needs("administrator")
def give_link(user_id: int) -> Response:
    """Make a link to choose a password; links made before are void."""
    begin_write()
    user = the_user(user_id)
    link = renew_link(user, now=utc_now())
    audit.record("made a link", "users", user.id, user.name)
    db.session.commit()
    return _hand_over(link)


@blueprint.post("/<int:user_id>/deactivation")
@needs("administrator")
def end_access(user_id: int) -> Response:
    """End a person's access at once."""
    begin_write()
    user = the_user(user_id)
    deactivate(user, actor=current_actor(), now=utc_now())
    db.session.commit()
    return see_other(f"/admin/users/{user_id}", "The login is deactivated.")


@blueprint.post("/<int:user_id>/reactivation")
@needs("administrator")
def restore_access(user_id: int) -> Response:
    """Let a deactivated person sign in again."""
    begin_write()
    reactivate(the_user(user_id))
    db.session.commit()
    return see_other(f"/admin/users/{user_id}", "The login is active again.")


def _page(
    user_id: int,
    *,
    status: int = 200,
    names: NameForm | None = None,
    roles: RoleForm | None = None,
) -> Response:
    user = the_user(user_id)
    context = {
        "user": user,
        "names": names or NameForm(formdata=None, name=user.name),
        "roles": roles or RoleForm(formdata=None, role=user.role, is_operator=user.is_operator),
    }
    return render("admin/people/show.html", status=status, **context)


def _hand_over(link: Link) -> Response:
    """Mail the link, or show it to copy: its secret is known only now."""
    address = link_address(link)
    problem = mail_link(link, address)
    return render(
        "admin/people/link.html", link=link, user=link.user, address=address, problem=problem
    )
