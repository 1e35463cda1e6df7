"""The words of indexation, the same in forms, pages, refusals and time lines."""

from proman.leases.index_models import IndexClause, RentIndexation
from proman.leases.indexing import Skipped, TakesEffect, Why
from proman.web.filters import day, index_value, money, month, rate

TAKES_EFFECT = (
    (TakesEffect.MONTH.value, "On the first of a month"),
    (TakesEffect.ANNIVERSARY.value, "On the anniversary of the lease's first day"),
)


def clause_in_words(clause: IndexClause) -> str:
    """What is agreed, in one line."""
    parts = [
        clause.series.name,
        f"base {month(clause.base_month)}",
        effect_in_words(clause.takes_effect, clause.notice_months),
        f"unchanged for {_months(clause.hold_months)}" if clause.hold_months else "",
        f"from a change of {rate(clause.threshold)}" if clause.threshold else "",
        "upwards only" if clause.up_only else "",
        "same month each year" if clause.same_month else "",
        f"the rent last changed on {day(clause.unchanged_since)}" if clause.unchanged_since else "",
    ]
    return ", ".join(filter(None, parts))


def effect_in_words(takes_effect: str, notice_months: int) -> str:
    """From when a new rent holds."""
    if takes_effect == TakesEffect.ANNIVERSARY:
        lead = f", {_months(notice_months)} after the notice" if notice_months else ""
        return f"on the anniversary{lead}"
    if notice_months < 2:
        return ("from the next month", "from the month after next")[notice_months]
    return f"from the first of the month, {_months(notice_months)} after that of the notice"


def calculation_in_words(found: RentIndexation) -> str:
    """How an indexed rent was reckoned: "€1,000.00 × 117.3 ÷ 112.5 = €1,042.67"."""
    return (
        f"{money(found.old_rent)} × {index_value(found.new_value.value)}"
        f" ÷ {index_value(found.base_value.value)} = {money(found.new_rent)}"
    )


def _months(count: int) -> str:
    return "1 month" if count == 1 else f"{count} months"


def why_in_words(skipped: Skipped) -> str:
    """Why a rent stays as it is, in a sentence."""
    on, about = day(skipped.effective_from), day(skipped.day)
    of_month, change = month(skipped.day), rate(abs(skipped.change))
    moved = "fell" if skipped.change < 0 else "rose"
    return {
        Why.NO_BASE: f"No value of {of_month}, the base, was published by then.",
        Why.NO_NEWER: f"No value newer than {of_month} was published by then.",
        Why.NOT_BEGUN: f"The lease begins on {about} only.",
        Why.ENDS: f"The lease ends on {about}, before {on}.",
        Why.COMING: f"Another rent is set from {about}.",
        Why.RENT_FREE: f"It is rent-free from {about}.",
        Why.HELD: f"The rent may change from {about} on; by this notice it would on {on}.",
        Why.THRESHOLD: f"The index {moved} by {change} to {of_month}, less than agreed.",
        Why.FELL: f"The index fell by {change} to {of_month}, and the rent goes upwards only.",
        Why.SAME: f"With the index of {of_month} the rent stays the same.",
    }[skipped.why]
