"""Lives through the demonstration's months: deposits, billing runs, receipts, bounced payments.

Each day of billing runs the real billing as of that day, so that numbers, dates, proration and
credit come about as they would have.
"""

from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from random import Random

from proman.billing.actions import run_billing
from proman.billing.crediting import credit_invoice
from proman.billing.issuing import Issued
from proman.demo import deposits
from proman.demo.behaviour import receipts
from proman.demo.deposits import Held
from proman.demo.receiving import Arrival, bounce, receive
from proman.demo.rows import PortfolioRows
from proman.demo.terms import DAYS_OF
from proman.identity.actor import Actor

BILLING_DAYS: dict[int, tuple[str, ...]] = {1: ("day:3", "day:5"), 10: ("day:15",), 18: (), 27: ()}
"""On the 27th every lease is billed, else those by the week and those of these due rules."""
CREDITED_EVERY = 40
"""The second invoice of one lease in so many is credited at once."""
CREDIT_REASON = "A month without rent was agreed for the repair of the heating"
_ONE_DAY = timedelta(days=1)

Tell = Callable[[int, int], None]


def billing_days(starts_on: date, today: date) -> list[date]:
    """The days on which billing runs: from five days before the first month to today, inclusive."""
    day = starts_on - timedelta(days=5)
    found: list[date] = []
    while day < today:
        if day.day in BILLING_DAYS or not found:
            found.append(day)
        day += _ONE_DAY
    return [*found, today]


class Months:
    """What is still to come of the demonstration's money, in order of days."""

    def __init__(self, rows: PortfolioRows, *, seed: int, actor: Actor) -> None:
        self.rows = rows
        self.portfolio = rows.portfolio
        self.actor = actor
        self.index_of = {lease_id: index for index, lease_id in enumerate(rows.lease_ids)}
        self.randoms = [
            Random(f"pays-{seed}-{index}") for index in range(len(self.portfolio.leases))
        ]
        self.issued: Counter[int] = Counter()
        self.arrivals: list[tuple[date, int, Arrival]] = []
        self.bounces: list[tuple[date, int]] = []
        self.to_request = list(self._new_deposits())
        self.chosen = {
            day: [
                rows.lease_ids[index]
                for index, lease in enumerate(self.portfolio.leases)
                if lease.frequency in DAYS_OF or lease.due_rule in rules
            ]
            for day, rules in BILLING_DAYS.items()
        }

    def live_through(self, tell: Tell) -> None:
        """From the take-over to today; `tell` hears which day of how many is done."""
        deposits.take_over(
            list(self._old_deposits()), self.portfolio.starts_on - _ONE_DAY, actor=self.actor
        )
        days = billing_days(self.portfolio.starts_on, self.portfolio.today)
        for number, day in enumerate(days, 1):
            self._money_comes(day)
            self._request_deposits(day)
            self._bill(day, every_lease=day.day == 27 or number in (1, len(days)))
            tell(number, len(days))
        self._money_comes(self.portfolio.today)
        deposits.give_back(list(self._returned()), actor=self.actor)

    def _bill(self, day: date, *, every_lease: bool) -> None:
        chosen = None if every_lease else [*self.chosen[day.day], *self._beginning(day)]
        result = run_billing(day, today=day, actor=self.actor, lease_ids=chosen)
        for invoice in result.issued:
            index = self.index_of[invoice.lease_id]
            self.issued[index] += 1
            if index % CREDITED_EVERY == 1 and self.issued[index] == 2:
                credit_invoice(invoice.id, CREDIT_REASON, today=day, actor=self.actor)
            else:
                self._expect_receipts(index, invoice)

    def _expect_receipts(self, index: int, invoice: Issued) -> None:
        """What the tenants of the lease will pay for an invoice, and when."""
        behaviour, today = self.portfolio.leases[index].behaviour, self.portfolio.today
        due, random = invoice.due_date, self.randoms[index]
        for receipt in receipts(behaviour, due, invoice.total, today, random):
            came = max(receipt.received_on, invoice.issue_date)
            self._expect(
                Arrival(
                    came,
                    invoice.lease_id,
                    invoice.property_id,
                    receipt.amount,
                    receipt.method,
                    self.rows.reference(index),
                    self._payer(index),
                    self._bounce_day(receipt.bounced_on, came),
                )
            )

    def _beginning(self, day: date) -> Iterator[int]:
        """The leases that began lately or are about to: their first part-period is due then."""
        first, last = day - timedelta(days=10), day + timedelta(days=5)
        for index, lease in enumerate(self.portfolio.leases):
            if first < lease.first_day <= last and lease.status != "draft":
                yield self.rows.lease_ids[index]

    def _bounce_day(self, bounced_on: date | None, came: date) -> date | None:
        return None if bounced_on is None else min(max(bounced_on, came), self.portfolio.today)

    def _payer(self, index: int) -> str:
        return self.portfolio.tenants[self.portfolio.leases[index].tenants[0]].name

    def _expect(self, arrival: Arrival) -> None:
        if arrival.received_on <= self.portfolio.today:
            self.arrivals.append((arrival.received_on, len(self.arrivals), arrival))

    def _money_comes(self, until: date) -> None:
        self.arrivals.sort(key=lambda each: each[:2])
        cut = sum(on <= until for on, _, _ in self.arrivals)
        here, self.arrivals = self.arrivals[:cut], self.arrivals[cut:]
        going = receive([arrival for _, _, arrival in here], actor=self.actor)
        for payment_id, on in going.items():
            insort(self.bounces, (on, payment_id))
        due = [(payment_id, on) for on, payment_id in self.bounces if on <= until]
        self.bounces = self.bounces[len(due) :]
        bounce(due, today=until, actor=self.actor)

    def _request_deposits(self, day: date) -> None:
        """A fortnight before a lease begins its deposit is asked for, due on its first day."""
        soon = day + timedelta(days=14)
        now = [each for each in self.to_request if each[0] <= soon]
        self.to_request = [each for each in self.to_request if each[0] > soon]
        for first_day in sorted({each[0] for each in now}):
            asked = [held for on, held in now if on == first_day]
            due = max(first_day, day)
            for held, issued in zip(
                asked, deposits.request(asked, day, due, actor=self.actor), strict=True
            ):
                self._expect_deposit(held, issued)

    def _expect_deposit(self, held: Held, issued: Issued) -> None:
        index = self.index_of[held.lease_id]
        random = self.randoms[index]
        if random.randrange(12) == 0:
            return
        came = max(issued.due_date - timedelta(days=random.randrange(6)), issued.issue_date)
        self._expect(
            Arrival(
                came,
                held.lease_id,
                held.property_id,
                held.amount,
                "transfer",
                issued.number,
                self._payer(index),
                deposit_request_id=issued.id,
            )
        )

    def _old_deposits(self) -> Iterator[Held]:
        """Of those who lived there already; what was returned before is not among them."""
        for index, lease in enumerate(self.portfolio.leases):
            if lease.cut_over is not None and lease.deposit:
                yield self._held(index)

    def _new_deposits(self) -> Iterator[tuple[date, Held]]:
        for index, lease in enumerate(self.portfolio.leases):
            if lease.cut_over is None and lease.deposit and lease.status == "active":
                yield lease.first_day, self._held(index)

    def _returned(self) -> Iterator[tuple[Held, date]]:
        """Deposits of leases that ended three weeks ago or longer."""
        for index, lease in enumerate(self.portfolio.leases):
            if lease.cut_over is not None and lease.ended_on is not None and lease.deposit:
                on = lease.ended_on + timedelta(days=21)
                if on <= self.portfolio.today:
                    yield self._held(index), on

    def _held(self, index: int) -> Held:
        return Held(
            self.rows.lease_ids[index],
            self.rows.property_id(index),
            self.rows.reference(index),
            self.portfolio.leases[index].deposit,
        )
