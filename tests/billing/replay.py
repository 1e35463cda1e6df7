"""A history of leases, once in ProMan's database by its verbs, once in the reckoner's books."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from sqlalchemy import select

from proman.base.errors import Refused
from proman.billing.actions import run_billing
from proman.billing.crediting import credit_invoice
from proman.billing.ending import end_lease
from proman.billing.models import Invoice, InvoiceLine
from proman.db import begin_write, db
from proman.leases import actions
from proman.leases.models import Charge, Lease, LeaseParty, Rent
from proman.leases.queries import the_charge, the_lease
from proman.properties.models import Property, Unit
from proman.tenants.models import Tenant
from tests.billing.histories import HOLIDAYS, Deed, History, region_of
from tests.money import actor
from tests.reckoner import books, terms

WORDS = {
    "fixed 30": "fixed_30",
    "365": "days_365",
    "four-weekly": "four_weekly",
    "half-yearly": "half_yearly",
}
SHIFTS = {-1: ":before", 0: "", 1: ":after"}


class PrintedLine(NamedTuple):
    """A line as both sides must print it; cents, and the rate in thousandths of a per cent."""

    charge: str
    start: date
    end: date
    net: int
    tax: int
    rate: int
    gross: bool


class Printed(NamedTuple):
    """An invoice as both sides must print it."""

    due: date
    issued: date
    lines: tuple[PrintedLine, ...]


class PrintedCredit(NamedTuple):
    """A credit note: which invoice it refers to, when it was issued, net and tax by rate."""

    invoice: Printed
    issued: date
    sums: tuple[tuple[int, bool, int, int], ...]


@dataclass
class Documents:
    """All documents of one lease."""

    invoices: list[Printed] = field(default_factory=list)
    credits: list[PrintedCredit] = field(default_factory=list)


def thousandths(rate: Fraction) -> int:
    return int(rate * 100_000)


def written(rule: terms.DueRule) -> str:
    return f"{'workday' if rule.working else 'day'}:{rule.number}{SHIFTS[rule.months]}"


class Database:
    """ProMan's side. Needs an empty organization at work."""

    def __init__(self, leases: tuple[terms.Lease, ...]) -> None:
        begin_write()
        houses = {region: Property(**HOUSE, name=region, region=region) for region in HOLIDAYS}
        tenant = Tenant(name="Hanna Vargas")
        db.session.add_all([*houses.values(), tenant])
        db.session.flush()
        made = []
        for lease in leases:
            unit = Unit(property_id=houses[region_of(lease)].id, label=lease.name)
            db.session.add(unit)
            db.session.flush()
            made.append(_row(lease, unit.id, tenant.id))
            if lease.succeeded_on:
                made.append(_successor(lease.succeeded_on, lease.name, unit.id, tenant.id))
        db.session.add_all(made)
        db.session.flush()
        self.ids = {row.reference: row.id for row in made}
        self.charges = {(row.id, c.description): c.id for row in made for c in row.charges}
        db.session.commit()

    def run(self, as_of: date) -> None:
        begin_write()
        run_billing(as_of, today=as_of, actor=actor())
        db.session.commit()

    def do(self, deed: Deed, invoice: Printed | None) -> bool:
        """Whether ProMan did it; it may have refused."""
        begin_write()
        try:
            self._do(deed, self.ids[deed.lease], invoice)
        except Refused:
            db.session.rollback()
            return False
        db.session.commit()
        return True

    def _do(self, deed: Deed, lease_id: int, invoice: Printed | None) -> None:
        if deed.what == "end":
            end_lease(lease_id, deed.day, "", today=deed.on, actor=actor())
        elif deed.what == "credit":
            chosen = next(key for key, (_, it) in invoices_by_id(lease_id).items() if it == invoice)
            credit_invoice(chosen, "Billed in error", today=deed.on, actor=actor())
        elif deed.what == "charge-end" and (lease_id, "charge 0") in self.charges:
            charge = the_charge(lease_id, self.charges[lease_id, "charge 0"])
            actions.end_charge(charge, deed.day)
        elif deed.dated:
            actions.change_rent(
                the_lease(lease_id),
                deed.dated.amount,
                deed.dated.start,
                change="defer" if deed.dated.deferred else "split",
                tax_rate=thousandths(deed.dated.rate),
                gross=deed.dated.gross,
                actor=actor(),
            )
        elif deed.charge:
            new = actions.NewCharge("other", **_charge(deed.charge))
            actions.add_charge(the_lease(lease_id), new, today=deed.on, actor=actor())
        elif deed.terms:
            lease = the_lease(lease_id)
            actions.change_standing_terms(
                lease,
                today=deed.on,
                last_day=deed.terms.agreed_last,
                reference=lease.reference,
                due_rule=written(deed.terms.due),
                lead_days=deed.terms.lead,
                holding_over="stop" if deed.terms.stops else "continue",
                deposit=lease.deposit,
                notes=lease.notes,
            )

    def documents(self) -> dict[str, Documents]:
        """Of every lease, by its name."""
        names = {key: name for name, key in self.ids.items()}
        found: dict[str, Documents] = defaultdict(Documents)
        printed = invoices_by_id()
        for lease_id, invoice in printed.values():
            found[names[lease_id]].invoices.append(invoice)
        for note, lines in _documents("credit_note"):
            sums: dict[tuple[int, bool], list[int]] = defaultdict(lambda: [0, 0])
            for line in lines:
                sums[line.tax_rate, line.gross][0] += line.net
                sums[line.tax_rate, line.gross][1] += line.tax
            by_rate = tuple(sorted((*key, *value) for key, value in sums.items()))
            _, of = printed[note.refers_to_id]
            found[names[note.lease_id]].credits.append(PrintedCredit(of, note.issue_date, by_rate))
        return found


HOUSE = {
    "type": "apartments",
    "street": "Lindenhof 3",
    "postal_code": "10115",
    "city": "Berlin",
    "country": "DE",
}


def _row(lease: terms.Lease, unit_id: int, tenant_id: int) -> Lease:
    rent, *others = lease.charges
    return Lease(
        unit_id=unit_id,
        reference=lease.name,
        status="active",
        first_day=lease.first,
        last_day=lease.agreed_last,
        cut_over=lease.cut_over,
        frequency=WORDS.get(lease.frequency, lease.frequency),
        periods="anniversary" if lease.anniversary else "calendar",
        timing="arrears" if lease.arrears else "advance",
        due_rule=written(lease.due),
        lead_days=lease.lead,
        proration=WORDS.get(lease.method, lease.method),
        holding_over="stop" if lease.stops else "continue",
        parties=[LeaseParty(tenant_id=tenant_id, position=0)],
        rents=[
            Rent(
                effective_from=dated.start,
                amount=dated.amount,
                change="defer" if dated.deferred else "split",
                tax_rate=thousandths(dated.rate),
                gross=dated.gross,
            )
            for dated in rent.amounts
        ],
        charges=[Charge(kind="other", **_charge(charge)) for charge in others],
    )


def _charge(charge: terms.Charge) -> dict[str, object]:
    [dated] = charge.amounts
    return {
        "description": charge.name,
        "amount": dated.amount,
        "first_day": charge.first,
        "last_day": charge.last,
        "tax_rate": thousandths(dated.rate),
        "gross": dated.gross,
    }


def _successor(first: date, name: str, unit_id: int, tenant_id: int) -> Lease:
    """The unit's next lease, which brings nothing of its own."""
    free = terms.Charge("rent", (terms.Dated(first, 0),))
    return _row(terms.Lease(f"{name} next", first, (free,)), unit_id, tenant_id)


def _documents(
    kind: str, lease_id: int | None = None
) -> Iterator[tuple[Invoice, list[InvoiceLine]]]:
    of = [] if lease_id is None else [Invoice.lease_id == lease_id]
    invoices = db.session.scalars(
        select(Invoice).where(Invoice.kind == kind, *of).order_by(Invoice.id)
    )
    lines: dict[int, list[InvoiceLine]] = defaultdict(list)
    chosen = select(InvoiceLine).join(Invoice).where(Invoice.kind == kind, *of)
    for line in db.session.scalars(chosen.order_by(InvoiceLine.id)):
        lines[line.invoice_id].append(line)
    for invoice in invoices:
        yield invoice, lines[invoice.id]


def invoices_by_id(lease_id: int | None = None) -> dict[int, tuple[int, Printed]]:
    """Each with its lease's id, in the order of their numbers."""
    return {
        invoice.id: (
            invoice.lease_id,
            Printed(invoice.due_date, invoice.issue_date, _printed(lines)),
        )
        for invoice, lines in _documents("invoice", lease_id)
    }


def _printed(lines: list[InvoiceLine]) -> tuple[PrintedLine, ...]:
    return tuple(
        PrintedLine(
            "rent" if line.charge_id is None else line.description,
            *(line.period_start, line.period_end, line.net, line.tax, line.tax_rate, line.gross),
        )
        for line in lines
    )


def reckoned(invoice: books.Invoice) -> Printed:
    """An invoice of the reckoner's."""
    lines = tuple(
        PrintedLine(
            line.charge, line.start, line.end, line.net, line.tax,
            thousandths(line.rate[0]), line.rate[1],
        )
        for line in invoice.lines
    )  # fmt: skip
    return Printed(invoice.due, invoice.issued, lines)


class Reckoning:
    """The reckoner's side."""

    def __init__(self, leases: tuple[terms.Lease, ...]) -> None:
        self.books = books.Books({lease.name: lease for lease in leases})

    def run(self, as_of: date) -> None:
        self.books.run(as_of)

    def chosen(self, deed: Deed) -> books.Invoice | None:
        """The newest invoice of the lease that is not yet credited in full."""
        for invoice in reversed(self.books.invoices):
            if invoice.lease == deed.lease and any(line.left for line in invoice.lines):
                return invoice
        return None

    def do(self, deed: Deed, invoice: books.Invoice | None) -> None:
        lease = self.books.leases[deed.lease]
        rent, *others = lease.charges
        if deed.what == "end":
            self.books.end(deed.lease, deed.day, deed.on)
            return
        if invoice:
            self.books.credit(invoice, deed.on)
            return
        if deed.what == "charge-end":
            others = [
                replace(charge, last=deed.day) if charge.name == "charge 0" else charge
                for charge in others
            ]
        elif deed.dated:
            rent = replace(rent, amounts=(*rent.amounts, deed.dated))
        elif deed.charge:
            others = [*others, deed.charge]
        elif deed.terms:
            lease = replace(
                lease,
                agreed_last=deed.terms.agreed_last,
                due=deed.terms.due,
                lead=deed.terms.lead,
                stops=deed.terms.stops,
            )
        self.books.leases[deed.lease] = replace(lease, charges=(rent, *others))

    def documents(self) -> dict[str, Documents]:
        found: dict[str, Documents] = defaultdict(Documents)
        for invoice in self.books.invoices:
            found[invoice.lease].invoices.append(reckoned(invoice))
        for credit in self.books.credits:
            sums = tuple(
                sorted(
                    (thousandths(rate), gross, amount - tax if gross else amount, tax)
                    for (rate, gross), (amount, tax) in credit.sums.items()
                )
            )
            printed = PrintedCredit(reckoned(credit.invoice), credit.issued, sums)
            found[credit.invoice.lease].credits.append(printed)
        return found


def replay(history: History) -> tuple[Database, Reckoning]:
    """Live through the history on both sides."""
    database, reckoning = Database(history.leases), Reckoning(history.leases)
    days: list[tuple[date, Deed | None]] = [(deed.on, deed) for deed in history.deeds]
    days += [(day, None) for day in history.runs]
    for day, deed in sorted(days, key=lambda each: each[0]):
        if deed is None:
            database.run(day)
            reckoning.run(day)
            continue
        chosen = reckoning.chosen(deed) if deed.what == "credit" else None
        if deed.what == "credit" and chosen is None:
            continue
        if database.do(deed, reckoned(chosen) if chosen else None):
            reckoning.do(deed, chosen)
    return database, reckoning
