"""What expenses must always satisfy against the journal."""

from proman.base.checks import Check

CHECKS = (
    Check(
        "An expense left the bank once, or came back when it was reversed",
        "expense {0}",
        "It is of {1} on {2}; the journal says {3} for its property (minor units).",
        """SELECT x.id, x.amount, x.paid_on, COALESCE(SUM(p.debit), 0)
        FROM expenses x
        LEFT JOIN entries e ON e.id = x.entry_id AND e.event = 'expense'
            AND e.effective_on = x.paid_on AND e.organization_id = x.organization_id
        LEFT JOIN postings p ON p.entry_id = e.id AND p.account = 'expense'
            AND COALESCE(p.property_id, 0) = COALESCE(x.property_id, 0)
        GROUP BY x.id, x.amount, x.paid_on HAVING COALESCE(SUM(p.debit), 0) <> x.amount""",
    ),
    Check(
        "An expense is reversed in the books exactly when its page says so",
        "expense {0}",
        "It says {1} reversals, the journal has {2}.",
        """SELECT x.id, COUNT(r.id), COUNT(e.id)
        FROM expenses x
        LEFT JOIN expense_reversals r ON r.expense_id = x.id
        LEFT JOIN entries e ON e.reverses_id = x.entry_id
        GROUP BY x.id
        HAVING COUNT(r.id) <> COUNT(e.id) OR MAX(r.reversed_on) <> MAX(e.effective_on)""",
    ),
)
