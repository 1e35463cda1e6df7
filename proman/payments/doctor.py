"""What payments must always satisfy against the journal."""

from proman.base.checks import Check

CHECKS = (
    Check(
        "A payment is in the bank once, or not at all when it was reversed",
        "payment {0}",
        "It is of {1}; the journal has {2} in the bank (minor units).",
        """SELECT p.id, p.amount, COALESCE(j.banked, 0)
        FROM payments p
        LEFT JOIN payment_reversals r ON r.payment_id = p.id
        LEFT JOIN (
            SELECT p.payment_id, SUM(p.debit - p.credit) AS banked
            FROM postings p JOIN entries e ON e.id = p.entry_id
            WHERE p.account = 'bank' AND e.event IN ('payment', 'payment_reversal')
            GROUP BY p.payment_id
        ) j ON j.payment_id = p.id
        WHERE COALESCE(j.banked, 0) <> CASE WHEN r.id IS NULL THEN p.amount ELSE 0 END""",
    ),
    Check(
        "A payment pays for its own lease",
        "payment {0}",
        "It is of lease {1}, its allocation {2} of lease {3}.",
        """SELECT p.id, p.lease_id, a.id, a.lease_id
        FROM allocations a JOIN payments p ON p.id = a.payment_id
        WHERE a.lease_id <> p.lease_id OR a.organization_id <> p.organization_id
            OR a.effective_on < p.received_on""",
    ),
    Check(
        "A reversed payment pays nothing",
        "payment {0}",
        "{1} of it is still allocated (minor units).",
        """SELECT r.payment_id, SUM(a.amount)
        FROM payment_reversals r JOIN allocations a ON a.payment_id = r.payment_id
        GROUP BY r.payment_id HAVING SUM(a.amount) <> 0""",
    ),
)
