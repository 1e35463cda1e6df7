"""Whatever manner a rent roll is written in, the same portfolio comes out of it."""

import csv
import io
from dataclasses import dataclass
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from proman.takeover.plan import Setting
from proman.takeover.reading import read_file
from proman.takeover.rules import judge
from tests.takeover.rolls import answered, workbook

PEOPLE = (
    (("Ann Lee",), "Ann Lee"),
    (("Ewa Tanaka", "Dmitri Duarte"), "Ewa Tanaka & Dmitri Duarte"),
    (("Müller & Söhne GmbH",), "Müller & Söhne GmbH"),
    (("Noor O'Brien",), "Noor O'Brien"),
)
SETTING = Setting("EUR", "DE")
_DAYS = st.dates(date(1995, 1, 1), date(2026, 10, 1))
_CENTS = st.integers(0, 10_000_000)


@dataclass(frozen=True)
class Let:
    """A row of a roll as it is meant."""

    people: tuple[tuple[str, ...], str]
    first: date
    months: int | None
    rent: int
    parking: int
    deposit: int
    balance: int

    @property
    def last(self) -> date | None:
        return None if self.months is None else date(self.first.year + 40, 6, 15)


@dataclass(frozen=True)
class Manner:
    """How a system writes its rolls."""

    delimiter: str
    encoding: str
    comma: bool
    month_first: bool
    brackets: bool
    sign: str
    title: bool
    totals: bool

    def amount(self, cents: int) -> str:
        whole, part = divmod(abs(cents), 100)
        text = f"{whole:,}.{part:02d}"
        if self.comma:
            text = text.translate(str.maketrans(",.", ".,"))
        text = self.sign.format(text)
        if cents >= 0:
            return text
        return f"({text})" if self.brackets else f"-{text}"

    def day(self, day: date | None) -> str:
        if day is None:
            return "MTM"
        return day.strftime("%m/%d/%Y" if self.month_first else "%d.%m.%Y")


LETS = st.lists(
    st.builds(
        Let,
        st.sampled_from(PEOPLE),
        _DAYS,
        st.sampled_from([None, 1]),
        _CENTS,
        st.integers(0, 10_000),
        _CENTS,
        st.integers(-500_000, 500_000),
    ),
    min_size=1,
    max_size=6,
)
MANNERS = st.builds(
    Manner,
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    comma=st.booleans(),
    month_first=st.booleans(),
    brackets=st.booleans(),
    sign=st.sampled_from(["{}", "{} €", "€{}", "EUR {}"]),
    title=st.booleans(),
    totals=st.booleans(),
)
HEADER = ["Unit", "Tenant", "Lease From", "Lease To", "Rent", "Parking", "Deposit", "Balance"]


def written(lets: list[Let], manner: Manner) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=manner.delimiter)
    if manner.title:
        writer.writerows([["Court - Rent Roll"], []])
    writer.writerow(HEADER)
    for number, each in enumerate(lets):
        amounts = (each.rent, each.parking, each.deposit, each.balance)
        writer.writerow(
            [
                f"U{number}",
                each.people[1],
                manner.day(each.first),
                manner.day(each.last),
                *(manner.amount(amount) for amount in amounts),
            ]
        )
    if manner.totals:
        writer.writerows([[], ["Totals"]])
    return stream.getvalue().encode(manner.encoding)


ANSWERS = {
    "cut_over": "2026-10-31",
    "property": "Court",
    "frequency": "monthly",
    "periods": "calendar",
    "due": "day:1",
    "balance_sign": "positive_owed",
}


def made_of(data: bytes, **more: str) -> list[tuple[object, ...]]:
    sheet = read_file(data)
    result = judge(sheet, answered(sheet, **ANSWERS, **more), SETTING)
    assert result.faults == ()
    assert result.questions == ()
    assert result.plan is not None
    plan = result.plan
    return [
        (
            lease.unit,
            tuple(plan.tenants[key].name for key in lease.tenants),
            lease.first_day,
            lease.last_day,
            lease.rent,
            sum(charge.amount for charge in lease.charges),
            lease.deposit,
            lease.owed - lease.credit,
        )
        for lease in plan.leases
    ]


def meant(lets: list[Let]) -> list[tuple[object, ...]]:
    return [
        (
            f"U{number}",
            each.people[0],
            each.first,
            each.last,
            each.rent,
            each.parking,
            each.deposit,
            each.balance,
        )
        for number, each in enumerate(lets)
    ]


@settings(deadline=None)
@given(LETS, MANNERS)
def test_a_roll_in_any_manner(lets: list[Let], manner: Manner) -> None:
    told = {
        "date_order": "mdy" if manner.month_first else "dmy",
        "decimal": "comma" if manner.comma else "point",
    }
    assert made_of(written(lets, manner), **told) == meant(lets)


@settings(deadline=None)
@given(LETS)
def test_a_workbook_needs_no_answer_about_dates_and_decimals(lets: list[Let]) -> None:
    rows: list[list[object]] = [list(HEADER)]
    for number, each in enumerate(lets):
        amounts = (each.rent, each.parking, each.deposit, each.balance)
        rows.append(
            [
                f"U{number}",
                each.people[1],
                each.first,
                each.last or "MTM",
                *(amount / 100 for amount in amounts),
            ]
        )
    assert made_of(workbook(rows)) == meant(lets)
