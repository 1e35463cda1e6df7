"""Owns forms that change what is there: two people, or two tabs, who edit it at the same time.

The form carries along what it showed. What was not touched stays as it is now, so that two who
change different things both keep their change; where both changed the same, the second is asked.
"""

import hashlib
import json
from typing import Any, Self

from wtforms import HiddenField

from proman.base.errors import Refused
from proman.web.forms import Form

OWN = frozenset(("csrf_token", "before"))


class EditForm(Form):
    """A form on a record; `before` holds a mark of each value that it showed."""

    before = HiddenField()

    def values(self) -> dict[str, Any]:
        """What was typed, by name of the field, without what the form is for itself."""
        return {key: value for key, value in super().values().items() if key not in OWN}

    def noted(self) -> Self:
        """The same, filled with the record as it is shown: it keeps a mark of each value."""
        self.before.data = json.dumps({key: _mark(value) for key, value in self.values().items()})
        return self

    def merge(self, now: Self) -> None:
        """Take over what others changed since the form was shown; `now` shows the record.

        Call it with the write lock held. Raises Refused, beside the field, where the same was
        changed to something else; sent again, the form prevails.
        """
        shown, current = self._shown(), now.values()
        conflicts = []
        for key, mark in shown.items():
            if key not in current or _mark(current[key]) == mark:
                continue
            if _mark(self[key].data) == mark:
                self.take_over(key, current[key])
            elif _mark(self[key].data) != _mark(current[key]):
                conflicts.append(key)
        self.before.data = now.noted().before.data
        if conflicts:
            says = now[conflicts[0]]._value() if hasattr(now[conflicts[0]], "_value") else ""
            what = f": it is “{says}” now" if says else ""
            words = f"Somebody changed this meanwhile{what}. Save again to replace it."
            raise Refused(words, conflicts[0])

    def take_over(self, key: str, value: Any) -> None:
        """Let a field be what somebody else made of it."""
        self[key].data = value

    def _shown(self) -> dict[str, str]:
        try:
            shown = json.loads(self.before.data or "{}")
        except ValueError:
            return {}
        return shown if isinstance(shown, dict) else {}


def _mark(value: Any) -> str:
    return hashlib.sha256(str(value or "").encode()).hexdigest()[:12]
