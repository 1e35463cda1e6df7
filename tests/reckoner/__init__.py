"""A second reckoning of rents, written from the written rules alone; it knows nothing of ProMan.

What it says and what ProMan says are compared in tests/billing/test_reckoner.py. Days are
`date`, money is whole cents, everything between is a Fraction. `Books` keeps the leases, is told
of runs, changes and endings, and says which invoices and credit notes there must be.
"""
