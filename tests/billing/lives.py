"""The life of a portfolio as a list of deeds that can be lived again: who did what, on which day.

A deed names what it is done to by its place among what there is, so that the same list does the
same to a portfolio that begins anew.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select

from proman.base.errors import NotThere, Refused
from proman.base.period import add_months
from proman.billing.actions import run_billing
from proman.billing.adjusting import refund, take_back, write_off
from proman.billing.again import bill_again
from proman.billing.crediting import credit_invoice, creditable
from proman.billing.deposit_settling import Outcome, settle_deposit
from proman.billing.deposit_settling import take_back as give_back
from proman.billing.deposits import request_deposit
from proman.billing.ending import end_lease
from proman.billing.late import LatePolicy
from proman.billing.late_charging import charge_late_invoices, decide
from proman.billing.models import Adjustment, DepositEvent, Invoice
from proman.billing.transferring import Transfer, transfer_lease
from proman.db import begin_write, db
from proman.leases.actions import NewCharge, add_charge, change_rent, end_charge
from proman.leases.index_actions import Agreed, agree_clause, index_rents, save_series, save_value
from proman.leases.index_models import IndexSeries, IndexValue
from proman.leases.index_queries import candidates
from proman.leases.indexing import Indexation
from proman.leases.models import Charge, Lease
from proman.leases.queries import the_lease
from proman.leases.renewing import Renewal, renew
from proman.leases.rent_free import grant_rent_free
from proman.ledger.locking import lock_books, open_books
from proman.ledger.models import Entry, Posting
from proman.payments.actions import NewPayment, Share, record_payment, reverse_payment
from proman.payments.models import Payment
from proman.payments.queries import payment as payment_by_id
from proman.properties.models import Unit
from proman.takeover.actions import File, import_file
from proman.takeover.models import Import
from proman.takeover.undo import undo_import
from tests import factories
from tests.money import actor
from tests.takeover.rolls import ANSWERS, HEADER, answered, roll

FIRST_DAY = date(2027, 1, 1)
UNITS = 4


@dataclass(frozen=True)
class Deed:
    """One deed on a day: the verb, and the numbers that say to what and how much."""

    on: date
    verb: str
    numbers: tuple[int, ...]


@dataclass
class Life:
    """An organization with four units, of which three are let, and what was done so far."""

    deeds: list[Deed] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    """How often each verb did something, and how often it was refused."""

    def begin(self) -> None:
        house = factories.make_property()
        units = [factories.make_unit(house, label=f"U{number}") for number in range(UNITS)]
        for number, unit in enumerate(units[:3]):
            factories.make_lease(
                unit,
                first_day=FIRST_DAY + timedelta(days=9 * number),
                last_day=FIRST_DAY + timedelta(days=190) if number == 1 else None,
                timing=("advance", "arrears")[number % 2],
                due_rule=("day:31", "workday:3", "day:5:before")[number],
                proration=("actual", "fixed_30", "days_365")[number],
                periods=("calendar", "anniversary")[number % 2],
                reference=f"L-{number}",
                charges=[{"amount": 3_335, "tax_rate": 19_000, "gross": number == 2}],
            )

    def do(self, deed: Deed) -> bool:
        """Do a deed as a whole or not at all; whether it was done."""
        # Once: what was read before another call of it may be older than what comes after.
        begin_write()
        try:
            VERBS[deed.verb](deed)
        except (Refused, NotThere):
            db.session.rollback()
            self.told[f"{deed.verb} refused"] += 1
            return False
        # Whoever holds the write is the only one, so the list is in the order of the commits.
        self.deeds.append(deed)
        db.session.commit()
        self.told[deed.verb] += 1
        return True


def books() -> list[tuple[Any, ...]]:
    """All documents and the sums of every account, to the cent, without what is chance: the ids."""
    db.session.rollback()
    documents = db.session.execute(
        select(
            Invoice.kind,
            Invoice.number,
            Lease.reference,
            Invoice.issue_date,
            Invoice.due_date,
            Invoice.net,
            Invoice.tax,
            Invoice.open,
        )
        .join(Lease, Lease.id == Invoice.lease_id)
        .order_by(Invoice.id)
    )
    accounts = db.session.execute(
        select(Posting.account, Entry.event, func.sum(Posting.debit), func.sum(Posting.credit))
        .join(Entry, Entry.id == Posting.entry_id)
        .group_by(Posting.account, Entry.event)
        .order_by(Posting.account, Entry.event)
    )
    return [tuple(row) for row in (*documents, *accounts)]


def one_of(column: Any, which: int, *where: ColumnElement[bool]) -> int:
    """The id at that place among those there are, counted round. Raises NotThere for none."""
    ids = db.session.scalars(select(column).where(*where).order_by(column)).all()
    if not ids:
        raise NotThere("There is none.")
    return int(ids[which % len(ids)])


def a_lease(which: int) -> Lease:
    return the_lease(one_of(Lease.id, which))


def day_from(deed: Deed, number: int) -> date:
    """A day up to two months away from the deed's, before or after."""
    return deed.on + timedelta(days=number % 121 - 60)


def past(deed: Deed, number: int) -> date:
    return deed.on - timedelta(days=number % 40)


def publish(deed: Deed) -> None:
    """A value of the index for one of the last twelve months."""
    value, back, *_ = deed.numbers
    thousandths = 90_000 + value % 40_000
    series = db.session.scalars(select(IndexSeries)).first()
    series = series or save_series(IndexSeries(), "Prices")
    month = add_months(deed.on.replace(day=1), -(back % 12))
    save_value(IndexValue(series_id=series.id), month, thousandths, deed.on, today=deed.on)


def agree_index(deed: Deed) -> None:
    which, back, *_ = deed.numbers
    series = one_of(IndexSeries.id, 0)
    base = add_months(deed.on.replace(day=1), -(back % 12))
    wanted = Agreed(series, base, notice_months=1, hold_months=back % 3)
    agree_clause(a_lease(which), wanted, today=deed.on, actor=actor())


def index(deed: Deed) -> None:
    found = [each for each in candidates(deed.on) if isinstance(each.outcome, Indexation)]
    if not found:
        raise NotThere("There is none.")
    wanted = {each.lease.id: each.outcome.new_rent for each in found}
    index_rents(wanted, deed.on, today=deed.on, actor=actor())


def bill(deed: Deed) -> None:
    run_billing(deed.on, today=deed.on, actor=actor())


def receive(deed: Deed) -> None:
    which, amount, days, _ = deed.numbers
    lease = one_of(Lease.id, which)
    reference = f"{deed.on} {amount}"
    share = Share(lease, 1 + amount % 200_000)
    new = NewPayment(past(deed, days), "transfer", reference, (share,))
    record_payment(new, today=deed.on, actor=actor(), confirmed=True)


def receive_for_two(deed: Deed) -> None:
    one, two, amount, days = deed.numbers
    leases = {one_of(Lease.id, one), one_of(Lease.id, two)}
    shares = tuple(Share(lease, 1 + amount % 90_000) for lease in sorted(leases))
    new = NewPayment(past(deed, days), "cash", f"{deed.on} both {amount}", shares)
    record_payment(new, today=deed.on, actor=actor(), confirmed=True)


def bounce(deed: Deed) -> None:
    chosen = payment_by_id(one_of(Payment.id, deed.numbers[0]))
    reverse_payment(chosen, deed.on, "No funds", today=deed.on, actor=actor())


def credit(deed: Deed) -> None:
    which, part, *_ = deed.numbers
    chosen = one_of(Invoice.id, which, Invoice.kind != "credit_note")
    amounts = None
    if part % 2:
        lines = creditable(chosen).lines
        amounts = {line.of.line_id: line.of.left * (part % 100) // 100 for line in lines}
    credit_invoice(chosen, "In error", today=deed.on, actor=actor(), amounts=amounts)


def again(deed: Deed) -> None:
    credited = select(Invoice.refers_to_id).where(Invoice.refers_to_id.is_not(None))
    chosen = one_of(Invoice.id, deed.numbers[0], Invoice.id.in_(credited))
    bill_again(chosen, today=deed.on, actor=actor())


def set_rent(deed: Deed) -> None:
    which, amount, days, change = deed.numbers
    lease = a_lease(which)
    how = ("split", "defer")[change % 2]
    change_rent(lease, amount % 200_000, day_from(deed, days), change=how, actor=actor())


def free(deed: Deed) -> None:
    which, days, length, _ = deed.numbers
    first = day_from(deed, days)
    grant_rent_free(a_lease(which), first, first + timedelta(days=length % 45), actor=actor())


def charge(deed: Deed) -> None:
    which, amount, days, kind = deed.numbers
    recurrence = ("period", "once")[kind % 2]
    added = NewCharge(
        "service", f"Service {amount}", 1 + amount % 20_000, day_from(deed, days),
        tax_rate=7_000, recurrence=recurrence,
    )  # fmt: skip
    add_charge(a_lease(which), added, today=deed.on, actor=actor())


def stop_charge(deed: Deed) -> None:
    which, days, *_ = deed.numbers
    chosen = db.session.get_one(Charge, one_of(Charge.id, which))
    end_charge(chosen, day_from(deed, days))


def go_on(deed: Deed) -> None:
    which, days, rent, _ = deed.numbers
    last_day = deed.on + timedelta(days=30 + days % 400) if days % 3 else None
    wanted = Renewal(last_day, 90_000 + rent % 30_000 if rent % 2 else None, with_charges=True)
    lease = the_lease(one_of(Lease.id, which, Lease.last_day.is_not(None)))
    renew(lease, wanted, today=deed.on, actor=actor())


def move(deed: Deed) -> None:
    which, unit, days, rent = deed.numbers
    let = select(Lease.unit_id).where(Lease.status == "active")
    to = one_of(Unit.id, unit, Unit.id.not_in(let))
    wanted = Transfer(day_from(deed, days), to, 80_000 + rent % 40_000, deposit=0)
    transfer_lease(
        one_of(Lease.id, which, Lease.status == "active"), wanted, today=deed.on, actor=actor()
    )


def end(deed: Deed) -> None:
    which, days, *_ = deed.numbers
    lease = one_of(Lease.id, which)
    end_lease(lease, day_from(deed, days), "", today=deed.on, actor=actor())


def ask_deposit(deed: Deed) -> None:
    which, amount, *_ = deed.numbers
    lease = one_of(Lease.id, which)
    request_deposit(lease, 1 + amount % 90_000, deed.on, today=deed.on, actor=actor())


def fill_deposit(deed: Deed) -> None:
    chosen = db.session.get_one(
        Invoice,
        one_of(Invoice.id, deed.numbers[0], Invoice.kind == "deposit_request", Invoice.open > 0),
    )
    share = Share(chosen.lease_id, chosen.open, deposits={chosen.id: chosen.open})
    new = NewPayment(deed.on, "transfer", f"deposit {chosen.number} {deed.on}", (share,))
    record_payment(new, today=deed.on, actor=actor(), confirmed=True)


def settle(deed: Deed) -> None:
    which, interest, withheld, returned = deed.numbers
    lease = one_of(Lease.id, which)
    owed = select(Invoice.id).where(
        Invoice.lease_id == lease, Invoice.open > 0, Invoice.kind == "invoice"
    )
    kept = dict.fromkeys(db.session.scalars(owed.order_by(Invoice.id)), withheld % 5_000)
    outcome = Outcome(
        deed.on, "Handed over", interest % 300, dict(list(kept.items())[:1]), returned % 40_000
    )
    settle_deposit(lease, outcome, today=deed.on, actor=actor())


def give_up(deed: Deed) -> None:
    which, amount, *_ = deed.numbers
    chosen = one_of(Invoice.id, which, Invoice.open > 0)
    write_off(chosen, 1 + amount % 50_000, deed.on, "Gone", today=deed.on, actor=actor())


def pay_out(deed: Deed) -> None:
    which, amount, *_ = deed.numbers
    lease = one_of(Lease.id, which)
    refund(lease, 1 + amount % 50_000, deed.on, "Asked", today=deed.on, actor=actor())


def undo_settlement(deed: Deed) -> None:
    which, other, *_ = deed.numbers
    verb, column = ((take_back, Adjustment.id), (give_back, DepositEvent.id))[other % 2]
    verb(one_of(column, which), deed.on, "Wrong", today=deed.on, actor=actor())


def late_rule(deed: Deed) -> None:
    grace, amount, daily, off = deed.numbers
    policy = LatePolicy(grace % 10, flat=1 + amount % 3_000, daily=bool(daily % 2), cap=9_000)
    decide(None if off % 4 == 0 else policy, today=deed.on, actor=actor())


def charge_late(deed: Deed) -> None:
    charge_late_invoices(today=deed.on, actor=actor())


def lock(deed: Deed) -> None:
    through = deed.on - timedelta(days=1 + deed.numbers[0] % 400)
    lock_books(through, "Year's end", today=deed.on, actor=actor())


def unlock(deed: Deed) -> None:
    open_books("One more", actor=actor())


def take_over(deed: Deed) -> None:
    """Two leases of another house as of a day, one of which owes something."""
    rent, owed, days, _ = deed.numbers
    name = f"House {rent} {owed}"
    first = deed.on - timedelta(days=200)
    rows = [
        f"{place},{name} {place},,{first:%m/%d/%Y},MTM,${500 + rent % 900}.00,$100.00,"
        f"${owed % 700}.00,Current"
        for place in ("A", "B")
    ]
    wanted = {"cut_over": past(deed, days).isoformat(), "property": name}
    mapping = answered(roll(*rows), **(ANSWERS | wanted))
    file = File("roll.csv", "\r\n".join((HEADER, *rows)).encode())
    import_file(file, roll(*rows), mapping, actor=actor())


def undo(deed: Deed) -> None:
    # The newest: on an older one something rests.
    made = db.session.get_one(Import, one_of(Import.id, -1))
    undo_import(made, actor=actor())


VERBS: dict[str, Callable[[Deed], None]] = {
    verb.__name__: verb
    for verb in (
        bill, receive, receive_for_two, bounce, credit, again, set_rent, free, charge, stop_charge,
        go_on, move, end, ask_deposit, fill_deposit, settle, give_up, pay_out, undo_settlement,
        late_rule, charge_late, lock, unlock, take_over, undo, publish, agree_index, index,
    )
}  # fmt: skip
