"""What invoices, allocations, deposits and numbers must always satisfy against the journal."""

from proman.base.checks import Check

CHECKS = (
    Check(
        "What is owed is what is open of invoices, deposit requests and opening items",
        "organization {0}",
        "The journal says {1}, the documents say {2} (minor units).",
        """SELECT o.id, COALESCE(j.owed, 0), COALESCE(d.open_now, 0)
        FROM organizations o
        LEFT JOIN (
            SELECT organization_id, SUM(debit - credit) AS owed
            FROM postings WHERE account = 'receivable' GROUP BY organization_id
        ) j ON j.organization_id = o.id
        LEFT JOIN (
            SELECT organization_id, SUM(open) AS open_now FROM invoices GROUP BY organization_id
        ) d ON d.organization_id = o.id
        WHERE COALESCE(j.owed, 0) <> COALESCE(d.open_now, 0)""",
    ),
    Check(
        "What is open of a document is what the journal says is owed for it",
        "invoice {0}",
        "Open is {2}, the journal says {3} (minor units; number {1}).",
        """SELECT i.id, i.number, i.open, COALESCE(j.owed, 0)
        FROM invoices i
        LEFT JOIN (
            SELECT invoice_id, SUM(debit - credit) AS owed
            FROM postings WHERE account = 'receivable' GROUP BY invoice_id
        ) j ON j.invoice_id = i.id
        WHERE i.open <> COALESCE(j.owed, 0)""",
    ),
    Check(
        "The paid part of a document is its allocations and the deposit withheld for it",
        "invoice {0}",
        "Total {2} less open {3} is not its allocations, credit notes and other settlements, {4}"
        " (minor units; number {1}).",
        """SELECT i.id, i.number, i.total, i.open,
            COALESCE(a.paid, 0) + COALESCE(c.credited, 0) + COALESCE(s.settled, 0)
        FROM invoices i
        LEFT JOIN (
            SELECT invoice_id, SUM(amount) AS paid FROM allocations GROUP BY invoice_id
        ) a ON a.invoice_id = i.id
        LEFT JOIN (
            SELECT refers_to_id, SUM(total) AS credited
            FROM invoices WHERE kind = 'credit_note' GROUP BY refers_to_id
        ) c ON c.refers_to_id = i.id
        LEFT JOIN (
            SELECT p.invoice_id, SUM(p.credit - p.debit) AS settled
            FROM entries e JOIN postings p ON p.entry_id = e.id
            WHERE e.event IN ('deposit_withheld', 'deposit_withheld_reversal', 'write_off',
                'write_off_reversal') AND p.account = 'receivable'
            GROUP BY p.invoice_id
        ) s ON s.invoice_id = i.id
        WHERE i.kind <> 'credit_note' AND i.total - i.open
            <> COALESCE(a.paid, 0) + COALESCE(c.credited, 0) + COALESCE(s.settled, 0)""",
    ),
    Check(
        "A write-off or refund is in the journal as its record says",
        "adjustment {0}",
        "It says {2} of lease {1}, the journal says {3} (minor units).",
        """SELECT s.id, s.lease_id, s.amount, COALESCE(SUM(p.debit - p.credit), 0)
        FROM adjustments s
        LEFT JOIN entries e ON e.id = s.entry_id AND e.effective_on = s.happened_on
        LEFT JOIN postings p ON p.entry_id = e.id AND p.lease_id = s.lease_id
            AND p.account = CASE WHEN s.kind = 'write_off' THEN 'bad_debt' ELSE 'tenant_credit' END
            AND COALESCE(p.invoice_id, 0) = COALESCE(s.invoice_id, 0)
            AND COALESCE(p.payment_id, 0) = COALESCE(s.payment_id, 0)
        GROUP BY s.id, s.lease_id, s.amount HAVING COALESCE(SUM(p.debit - p.credit), 0) <> s.amount
        """,
    ),
    Check(
        "No more of an allocation is released than there was",
        "allocation {0}",
        "Of {1} were {2} released (minor units).",
        """SELECT a.id, a.amount, -SUM(r.amount)
        FROM allocations r JOIN allocations a ON a.id = r.reverses_id
        GROUP BY a.id, a.amount
        HAVING a.amount + SUM(r.amount) < 0 OR MAX(r.amount) > 0""",
    ),
    Check(
        "An allocation puts a lease's credit against that lease's own document",
        "allocation {0}",
        "It is of lease {1}, its document {2} is of lease {3}.",
        """SELECT a.id, a.lease_id, i.id, i.lease_id
        FROM allocations a JOIN invoices i ON i.id = a.invoice_id
        WHERE a.lease_id <> i.lease_id OR a.organization_id <> i.organization_id
            OR a.effective_on < i.issue_date""",
    ),
    Check(
        "Allocations and the journal agree on what each payment paid",
        "lease {0}",
        "Of payment {1} the allocations say {2}, the journal {3} (minor units).",
        """SELECT lease_id, payment_id, SUM(allocated), SUM(posted) FROM (
            SELECT lease_id, payment_id, amount AS allocated, 0 AS posted FROM allocations
            UNION ALL
            SELECT p.lease_id, p.payment_id, 0, p.credit - p.debit
            FROM postings p JOIN entries e ON e.id = p.entry_id
            WHERE p.account = 'receivable' AND e.event IN
                ('allocation', 'allocation_to_deposit', 'release', 'release_of_deposit')
        ) both_sides
        GROUP BY lease_id, payment_id HAVING SUM(allocated) <> SUM(posted)""",
    ),
    Check(
        "The deposits held are the liability",
        "lease {0}",
        "Its deposit comes to {1} by what happened and to {2} in the journal (minor units).",
        """SELECT lease_id, SUM(happened), SUM(posted) FROM (
            SELECT lease_id, CASE WHEN event IN ('received', 'interest') THEN amount
                WHEN event IN ('withheld', 'returned') THEN -amount ELSE 0 END AS happened,
                0 AS posted
            FROM deposit_events
            UNION ALL
            SELECT lease_id, 0, credit - debit FROM postings WHERE account = 'deposits_held'
        ) both_sides
        GROUP BY lease_id HAVING SUM(happened) <> SUM(posted)""",
    ),
    Check(
        "A deposit held is never negative, on no day",
        "lease {0}",
        "It is {2} on {1} (minor units).",
        """SELECT lease_id, effective_on, balance FROM (
            SELECT lease_id, effective_on, SUM(moved) OVER (
                PARTITION BY lease_id ORDER BY effective_on
            ) AS balance
            FROM (
                SELECT p.lease_id, e.effective_on, SUM(p.credit - p.debit) AS moved
                FROM postings p JOIN entries e ON e.id = p.entry_id
                WHERE p.account = 'deposits_held' GROUP BY p.lease_id, e.effective_on
            ) days
        ) balances WHERE balance < 0""",
    ),
    Check(
        "Deposits requested and not received are the open deposit requests",
        "lease {0}",
        "The journal says {1}, the requests say {2} (minor units).",
        """SELECT lease_id, SUM(posted), SUM(wanted) FROM (
            SELECT lease_id, credit - debit AS posted, 0 AS wanted
            FROM postings WHERE account = 'deposits_requested'
            UNION ALL
            SELECT lease_id, 0, open FROM invoices WHERE kind = 'deposit_request'
        ) both_sides
        GROUP BY lease_id HAVING SUM(posted) <> SUM(wanted)""",
    ),
    Check(
        "Numbers have no gap",
        "organization {0}",
        "Series “{1}” of {2} has {3} documents, ends at {4} and was given out to {5}.",
        """SELECT n.organization_id, n.series, n.year, n.documents, n.newest, s.last_sequence
        FROM (
            SELECT organization_id, series, year, COUNT(*) AS documents,
                MIN(sequence) AS oldest, MAX(sequence) AS newest
            FROM invoices WHERE series IS NOT NULL GROUP BY organization_id, series, year
        ) n
        LEFT JOIN number_series s ON s.organization_id = n.organization_id
            AND s.series = n.series AND s.year = n.year
        WHERE n.oldest <> 1 OR n.documents <> n.newest OR COALESCE(s.last_sequence, 0) <> n.newest
        """,
    ),
    Check(
        "A series' dates never go back",
        "invoice {0}",
        "Number {1} is dated {2}, an earlier number {3}.",
        """SELECT id, number, issue_date, before_it FROM (
            SELECT id, number, issue_date, LAG(issue_date) OVER (
                PARTITION BY organization_id, series, year ORDER BY sequence
            ) AS before_it
            FROM invoices WHERE series IS NOT NULL
        ) dated WHERE before_it > issue_date""",
    ),
    Check(
        "A document's amounts are the sum of what is printed",
        "invoice {0}",
        "Net {2} and tax {3}, the lines come to {4} and {5} (minor units; number {1}).",
        """SELECT i.id, i.number, i.net, i.tax, COALESCE(SUM(l.net), 0), COALESCE(SUM(l.tax), 0)
        FROM invoices i LEFT JOIN invoice_lines l ON l.invoice_id = i.id
        GROUP BY i.id, i.number, i.net, i.tax
        HAVING COUNT(l.id) > 0 AND (i.net <> SUM(l.net) OR i.tax <> SUM(l.tax))""",
    ),
    Check(
        "A credit note takes back no more than was invoiced",
        "invoice {0}",
        "Of {1} were {2} credited (minor units).",
        """SELECT i.id, i.total, SUM(c.total)
        FROM invoices c JOIN invoices i ON i.id = c.refers_to_id
        WHERE c.kind = 'credit_note' GROUP BY i.id, i.total HAVING SUM(c.total) > i.total""",
    ),
    Check(
        "A late fee is what its document says",
        "invoice {0}",
        "Its late fee of {1} is of document {2} ({3}), which comes to {4} (minor units).",
        """SELECT i.id, f.amount, d.id, d.kind, d.total
        FROM late_fees f
        JOIN invoices d ON d.id = f.document_id
        JOIN invoices i ON i.id = f.invoice_id
        WHERE d.lease_id <> i.lease_id OR d.organization_id <> f.organization_id
            OR i.kind <> 'invoice' OR d.total <> ABS(f.amount)
            OR d.kind <> CASE WHEN f.amount > 0 THEN 'invoice' ELSE 'credit_note' END""",
    ),
    Check(
        "What was billed of a lease stands on an invoice of that lease",
        "billed period {0}",
        "It is of lease {1}, its invoice {2} of lease {3}.",
        """SELECT b.id, b.lease_id, i.id, i.lease_id
        FROM billed_periods b JOIN invoices i ON i.id = b.invoice_id
        WHERE b.lease_id <> i.lease_id OR b.organization_id <> i.organization_id
            OR i.kind <> 'invoice' OR b.period_end < b.period_start""",
    ),
    Check(
        "No two active leases of a unit overlap",
        "lease {0}",
        "It begins on {2}, while unit {1} is let to {3}.",
        """SELECT id, unit_id, first_day, let_to FROM (
            SELECT id, unit_id, first_day, MAX(COALESCE(ended_on, last_day, '9999-12-31')) OVER (
                PARTITION BY unit_id ORDER BY first_day, id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS let_to
            FROM leases WHERE status <> 'draft'
        ) ranges WHERE let_to >= first_day""",
    ),
)
