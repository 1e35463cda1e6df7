"""Reminds some of the demonstration's late tenants, so that there is something to look at."""

from datetime import date, timedelta

from proman.billing.reminder_making import make_reminders, set_levels
from proman.billing.reminder_queries import letters_due
from proman.billing.reminding import USUAL
from proman.identity.actor import Actor

_MOST = 100
_SINCE = timedelta(days=15)


def remind(today: date, *, actor: Actor) -> None:
    """Decide on the usual levels; some were reminded two weeks ago, the others wait to be."""
    set_levels(USUAL)
    then = today - _SINCE
    late = [letter.lease_id for letter in letters_due(then, USUAL)]
    make_reminders(late[::2][:_MOST], today=then, actor=actor)
