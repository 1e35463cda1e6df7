"""The pages of expenses: the list, one expense, recording one and taking one back."""

from flask import Blueprint, Response, request
from flask_login import current_user

from proman.base.errors import Refused
from proman.db import begin_write, db
from proman.expenses import queries
from proman.expenses.actions import NewExpense, PossibleDuplicate, record_expense, reverse_expense
from proman.expenses.forms import SHARED, ExpenseForm, ReversalForm
from proman.expenses.listing import EXPENSES, STATES
from proman.expenses.models import Expense
from proman.expenses.rules import CATEGORIES
from proman.identity.session import business_today, current_actor
from proman.properties.queries import property_choices
from proman.web.filters import money
from proman.web.forms import as_choices
from proman.web.guard import needs
from proman.web.render import render, see_other
from proman.web.sheets import export_routes

blueprint = Blueprint("expenses", __name__, url_prefix="/expenses")
export_routes(blueprint, EXPENSES, "expenses")


@blueprint.get("/")
def index() -> Response:
    """The list, filtered and sorted by the address."""
    return render(
        "expenses/index.html",
        "expenses/_list.html",
        page=EXPENSES.page(request.args),
        states=STATES,
        categories=CATEGORIES,
        properties=property_choices(),
    )


@blueprint.get("/new")
@needs("manager")
def new() -> Response:
    """An empty form, for a property where the address names one (`property`, an id)."""
    form = ExpenseForm(formdata=None, paid_on=business_today())
    form.property_id.data = request.args.get("property", "")
    return _asked(form, 200)


@blueprint.post("/")
def create() -> Response:
    """Record the expense, or show what is wrong beside its field."""
    form = ExpenseForm()
    form.property_id.choices = as_choices((SHARED, *queries.properties_to_choose()))
    if not form.validate():
        return _asked(form, 422)
    begin_write()
    try:
        expense = _record(form)
    except Refused as refusal:
        db.session.rollback()
        form.refuse(refusal)
        alike = refusal.expense_id if isinstance(refusal, PossibleDuplicate) else None
        return _asked(form, 422, alike)
    db.session.commit()
    said = f"{money(expense.amount)} to {expense.supplier} was recorded."
    return see_other(f"/expenses/{expense.id}", said)


@blueprint.get("/<int:expense_id>")
def show(expense_id: int) -> Response:
    """One expense, with what proves it."""
    return _shown(expense_id)


@blueprint.post("/<int:expense_id>/reversal")
def reverse(expense_id: int) -> Response:
    """Take the expense back."""
    form = ReversalForm()
    if not form.validate():
        return _shown(expense_id, form, 422)
    begin_write()
    expense, today = queries.the_expense(expense_id), business_today()
    day, reason = form.on.data or today, form.reason.data or ""
    try:
        reverse_expense(expense, day, reason, today=today, actor=current_actor())
    except Refused as refusal:
        db.session.rollback()
        form.refuse(refusal)
        return _shown(expense_id, form, 422)
    db.session.commit()
    return see_other(f"/expenses/{expense_id}", "The expense was reversed.")


def _record(form: ExpenseForm) -> Expense:
    typed = NewExpense(
        paid_on=form.paid_on.data or business_today(),
        category=form.category.data,
        supplier=form.supplier.data or "",
        amount=form.amount.data,
        property_id=int(form.property_id.data) if form.property_id.data else None,
        reference=form.reference.data or "",
        description=form.description.data or "",
    )
    confirmed = bool(form.confirmed.data)
    return record_expense(typed, today=business_today(), actor=current_actor(), confirmed=confirmed)


def _asked(form: ExpenseForm, status: int, alike: int | None = None) -> Response:
    form.property_id.choices = as_choices((SHARED, *queries.properties_to_choose()))
    return render("expenses/form.html", form=form, alike=alike, status=status)


def _shown(expense_id: int, form: ReversalForm | None = None, status: int = 200) -> Response:
    return render(
        "expenses/show.html",
        expense=queries.expense_page(expense_id),
        form=form or ReversalForm(formdata=None, on=business_today()),
        categories=CATEGORIES,
        may_change=current_user.actor.may("manager"),
        status=status,
    )
