"""The words for a lease's terms, the same in forms, pages and time lines."""

from proman.leases.rules import DueRule

FREQUENCIES = (
    ("weekly", "Weekly"),
    ("fortnightly", "Every two weeks"),
    ("four_weekly", "Every four weeks"),
    ("monthly", "Monthly"),
    ("quarterly", "Quarterly"),
    ("half_yearly", "Half-yearly"),
    ("yearly", "Yearly"),
)
PER_PERIOD = {
    "weekly": "a week",
    "fortnightly": "every two weeks",
    "four_weekly": "every four weeks",
    "monthly": "a month",
    "quarterly": "a quarter",
    "half_yearly": "half a year",
    "yearly": "a year",
}
PERIODS = (
    ("calendar", "Calendar months, quarters or years"),
    ("anniversary", "From the lease's own first day"),
)
TIMINGS = (("advance", "In advance"), ("arrears", "In arrears"))
PRORATIONS = (
    ("actual", "By the actual days of the period"),
    ("fixed_30", "By months of 30 days"),
    ("days_365", "By the yearly amount and 365 days"),
    ("none", "Not at all: always the whole amount"),
)
HOLDING_OVER = (
    ("continue", "Bill on until the lease is ended"),
    ("stop", "Bill nothing after the agreed last day"),
)
CHARGE_KINDS = (
    ("parking", "Parking"),
    ("utilities", "Utilities"),
    ("heating", "Heating"),
    ("service", "Service"),
    ("fee", "Fee"),
    ("other", "Other"),
)
RECURRENCES = (
    ("period", "Every period"),
    ("once", "Once, with the next run"),
    ("at_once", "Once, at once"),
)
DUE_KINDS = (("day", "day of the month"), ("workday", "working day of the month"))
DUE_MONTHS = (
    ("before", "the month before the period"),
    ("", "the month in which the period begins"),
    ("after", "the month after"),
)


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    teens = 11 <= number % 100 <= 13
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def due_in_words(due_rule: str, frequency: str, timing: str) -> str:
    """When a period is due, as a person would say it."""
    if frequency in ("weekly", "fortnightly", "four_weekly"):
        return "on the first day" if timing == "advance" else "on the day after the period's end"
    rule = DueRule.parse(due_rule)
    which = f"{ordinal(rule.n)} working day" if rule.working_day else f"{ordinal(rule.n)}"
    if rule.n == 31 and not rule.working_day:
        which = "last day"
    if timing == "arrears":
        return f"on the {which} after the period's end"
    month = {-1: " of the month before", 0: " of the month", 1: " of the month after"}[rule.shift]
    return f"on the {which}{month}"
