"""Makes the dashboard's figures ready to be drawn: the bars, their words, and where each leads."""

from dataclasses import dataclass
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_compact_currency

from proman.base.money import exponent
from proman.identity.session import CurrentOrganization
from proman.reports.charts import BarChart, bar_chart
from proman.reports.dashboard import Dashboard
from proman.reports.rules import BUCKETS, Bucket


@dataclass(frozen=True, slots=True)
class MonthRow:
    """A month's figures with the lists that they are the sums of."""

    name: str
    due: int
    due_url: str
    received: int
    received_url: str


@dataclass(frozen=True, slots=True)
class AgeRow:
    """What is open of one age, and the list of it."""

    bucket: Bucket
    amount: int
    url: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What the dashboard draws."""

    chart: BarChart
    ticks: tuple[str, ...]
    months: tuple[MonthRow, ...]
    ages: tuple[AgeRow, ...]

    @property
    def this_month(self) -> MonthRow:
        return self.months[-1]


def picture(figures: Dashboard, organization: CurrentOrganization) -> Picture:
    """The dashboard's figures in the organization's manner."""
    locale = organization.locale
    labels = [format_date(first, "LLL", locale=locale) for first, _ in figures.months]
    chart = bar_chart(labels, [figures.due, figures.received])
    return Picture(
        chart=chart,
        ticks=tuple(_short(tick.value, organization) for tick in chart.ticks),
        months=_months(figures, locale),
        ages=tuple(
            AgeRow(bucket, figures.ages[bucket.key], f"/reports/open-items?bucket={bucket.key}")
            for bucket in BUCKETS
        ),
    )


def _short(minor: int, organization: CurrentOrganization) -> str:
    """An amount for the edge of a chart: "€1.2M"."""
    amount = Decimal(minor).scaleb(-exponent(organization.currency))
    return str(
        format_compact_currency(
            amount, organization.currency, locale=organization.locale, fraction_digits=1
        )
    )


def _months(figures: Dashboard, locale: str) -> tuple[MonthRow, ...]:
    rows = zip(figures.months, figures.due, figures.received, strict=True)
    return tuple(
        MonthRow(
            format_date(first, "LLLL y", locale=locale),
            due,
            f"/invoices/?from={first}&to={last}",
            received,
            f"/payments/?from={first}&to={last}",
        )
        for (first, last), due, received in rows
    )
