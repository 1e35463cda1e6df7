"""Imports every table, so that the metadata is whole for migrations and for the database tools."""

from proman.billing import draft_models as drafts
from proman.billing import models as billing
from proman.billing import reminder_models as reminders
from proman.database import models as database
from proman.db import Base
from proman.expenses import models as expenses
from proman.files import models as files
from proman.identity import models as identity
from proman.leases import index_models as indexes
from proman.leases import models as leases
from proman.ledger import models as ledger
from proman.payments import models as payments
from proman.portal import models as portal
from proman.properties import models as properties
from proman.takeover import models as takeover
from proman.tenants import models as tenants

metadata = Base.metadata

__all__ = [
    "billing",
    "database",
    "drafts",
    "expenses",
    "files",
    "identity",
    "indexes",
    "leases",
    "ledger",
    "metadata",
    "payments",
    "portal",
    "properties",
    "reminders",
    "takeover",
    "tenants",
]
