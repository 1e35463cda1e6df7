"""What the journal must always satisfy, as statements that find the breaches."""

from proman.base.checks import Check
from proman.ledger.rules import Account

_KNOWN = ", ".join(f"'{account}'" for account in Account)

CHECKS = (
    Check(
        "Every entry sums to nil",
        "entry {0}",
        "Debits are {1}, credits are {2} (minor units).",
        """SELECT e.id, COALESCE(SUM(p.debit), 0), COALESCE(SUM(p.credit), 0)
        FROM entries e LEFT JOIN postings p ON p.entry_id = e.id
        GROUP BY e.id
        HAVING COALESCE(SUM(p.debit), 0) <> COALESCE(SUM(p.credit), 0) OR COUNT(p.id) = 0""",
    ),
    Check(
        "Every posting is to a known account, in its entry's organization",
        "posting {0}",
        "It is to “{1}” in entry {2}.",
        f"""SELECT p.id, p.account, p.entry_id
        FROM postings p JOIN entries e ON e.id = p.entry_id
        WHERE p.account NOT IN ({_KNOWN}) OR p.organization_id <> e.organization_id""",
    ),
    Check(
        "An entry that takes another back is its mirror image",
        "entry {0}",
        "Together with entry {1} it leaves {3} on {2} (minor units).",
        """SELECT b.id, b.reverses_id, p.account, SUM(p.debit - p.credit)
        FROM entries b JOIN postings p ON p.entry_id IN (b.id, b.reverses_id)
        WHERE b.reverses_id IS NOT NULL
        GROUP BY b.id, b.reverses_id, p.account HAVING SUM(p.debit - p.credit) <> 0""",
    ),
    Check(
        "Nothing is dated in a period after it was locked",
        "entry {0}",
        "It is dated {1}, and the books were locked up to {2} before it was recorded.",
        """SELECT e.id, e.effective_on, l.locked_through
        FROM period_locks l
        JOIN entries e ON e.organization_id = l.organization_id
            AND e.effective_on <= l.locked_through AND e.id > l.newest_entry_id
        LEFT JOIN period_locks f ON f.id = (
            SELECT MIN(n.id) FROM period_locks n
            WHERE n.organization_id = l.organization_id AND n.id > l.id)
        WHERE f.id IS NULL OR e.id <= f.newest_entry_id""",
    ),
    Check(
        "A lease's credit is never negative, on no day and of no payment",
        "lease {0}",
        "Credit is {2} on {1} (minor units).",
        """SELECT lease_id, effective_on, balance FROM (
            SELECT lease_id, payment_id, effective_on, SUM(moved) OVER (
                PARTITION BY lease_id, payment_id ORDER BY effective_on
            ) AS balance
            FROM (
                SELECT p.lease_id, p.payment_id, e.effective_on, SUM(p.credit - p.debit) AS moved
                FROM postings p JOIN entries e ON e.id = p.entry_id
                WHERE p.account = 'tenant_credit'
                GROUP BY p.lease_id, p.payment_id, e.effective_on
            ) days
        ) balances WHERE balance < 0""",
    ),
    Check(
        "What tenants owe and have in credit is owed by a lease",
        "posting {0}",
        "It is to “{1}” and names no lease.",
        """SELECT id, account FROM postings WHERE lease_id IS NULL
        AND account IN ('receivable', 'tenant_credit', 'deposits_requested', 'deposits_held')""",
    ),
)
