"""The table of events in the documentation is the one that is posted by."""

import re
from pathlib import Path

from proman.ledger.rules import EVENTS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "ledger.md"
ROW = re.compile(r"\| `(\w+)`[^|]*\| ([^|]+) \| ([^|]+) \|")


def test_the_documented_table_is_the_one_in_the_code() -> None:
    written = {
        event: (set(debit.split("; ")), set(credit.split("; ")))
        for event, debit, credit in ROW.findall(DOCUMENT.read_text(encoding="utf-8"))
    }
    coded = {
        event: ({str(leg.debit) for leg in legs}, {str(leg.credit) for leg in legs})
        for event, legs in EVENTS.items()
    }
    assert written == coded
