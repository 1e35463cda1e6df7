"""Reads the list of the rents that were indexed, newest first, with both values of each."""

from sqlalchemy import Table, bindparam, select

from proman.identity.models import User
from proman.leases.index_models import IndexSeries, IndexValue, RentIndexation
from proman.leases.models import Lease
from proman.leases.queries import is_found, tenants_of
from proman.web.listing import Column, Filter, Listing, contains

_x: Table = RentIndexation.__table__  # type: ignore[assignment]
_v: Table = IndexValue.__table__  # type: ignore[assignment]
_s: Table = IndexSeries.__table__  # type: ignore[assignment]
_leases: Table = Lease.__table__  # type: ignore[assignment]
_users: Table = User.__table__  # type: ignore[assignment]
_base, _new = _v.alias("base"), _v.alias("newer")

INDEXATIONS = Listing(
    address="/leases/indexation/made",
    rows=select(
        _x.c.id,
        _x.c.lease_id,
        _leases.c.reference,
        tenants_of.label("tenants"),
        _s.c.name.label("series"),
        _base.c.month.label("base_month"),
        _base.c.value.label("base_value"),
        _base.c.published_on.label("base_published_on"),
        _new.c.month.label("new_month"),
        _new.c.value.label("new_value"),
        _new.c.published_on.label("new_published_on"),
        _x.c.old_rent,
        _x.c.new_rent,
        _x.c.notice_day,
        _x.c.effective_from,
        _users.c.name.label("recorded_by_name"),
    )
    .join(_leases, _leases.c.id == _x.c.lease_id)
    .join(_base, _base.c.id == _x.c.base_value_id)
    .join(_new, _new.c.id == _x.c.new_value_id)
    .join(_s, _s.c.id == _new.c.series_id)
    .outerjoin(_users, _users.c.id == _x.c.recorded_by)
    .where(_x.c.organization_id == bindparam("organization_id")),
    id=_x.c.id,
    sorts={"made": _x.c.id, "from": _x.c.effective_from},
    default="-made",
    filters={"q": Filter(is_found, contains)},
    columns=(
        Column("Notice given on", "notice_day", "day"),
        Column("Tenants", "tenants"),
        Column("Lease", "reference"),
        Column("Old rent", "old_rent", "amount"),
        Column("New rent", "new_rent", "amount"),
        Column("From", "effective_from", "day"),
        Column("Index", "series"),
        Column("Base month", "base_month", "day"),
        Column("Base value, thousandths", "base_value", "number"),
        Column("Base published on", "base_published_on", "day"),
        Column("New month", "new_month", "day"),
        Column("New value, thousandths", "new_value", "number"),
        Column("New published on", "new_published_on", "day"),
        Column("By", "recorded_by_name"),
    ),
)
