"""Gives templates the organization's manner of amounts and dates, and the paths of static files."""

import hashlib
from datetime import date, datetime
from functools import cache
from pathlib import Path

from flask import Flask, current_app, url_for

from proman.base.money import Money
from proman.web import formats
from proman.web.manner import manner, script_root


def install(app: Flask) -> None:
    """Register the filters and globals that every template may use."""
    app.jinja_env.filters.update(
        money=money,
        day=day,
        month=month,
        moment=moment,
        rate=rate,
        area=area,
        tenths=tenths,
        index_value=index_value,
    )
    app.jinja_env.globals.update(static_path=static_path)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def money(amount: int | Money | None, currency: str | None = None) -> str:
    """Minor units (or Money) in the organization's currency and manner; nothing for None."""
    if amount is None:
        return ""
    writing = manner()
    if isinstance(amount, Money):
        return formats.format_money(amount.minor, amount.currency, writing.locale)
    return formats.format_money(amount, currency or writing.currency, writing.locale)


def day(value: date | None) -> str:
    """A date in the organization's manner; nothing for None."""
    return formats.format_day(value, manner().locale) if value else ""


def month(value: date | None) -> str:
    """The month of a date with its year in the organization's manner; nothing for None."""
    return formats.format_month(value, manner().locale) if value else ""


def moment(value: datetime | None) -> str:
    """A UTC instant as the organization's local time; nothing for None."""
    if value is None:
        return ""
    writing = manner()
    return formats.format_moment(value, writing.locale, writing.time_zone)


def rate(value: int) -> str:
    """Thousandths of a per cent as a percentage."""
    return formats.format_rate(value, manner().locale)


def area(value: int | None) -> str:
    """Hundredths of the organization's unit of area, with that unit."""
    if value is None:
        return ""
    writing = manner()
    unit = {"m2": "m²", "sqft": "sq ft"}[writing.area_unit]
    return f"{formats.format_scaled(value, 2, writing.locale)}\u00a0{unit}"


def tenths(value: int | None) -> str:
    """Tenths as a decimal: 15 bathrooms are 1.5."""
    return "" if value is None else formats.format_scaled(value, 1, manner().locale)


def index_value(value: int) -> str:
    """Thousandths as an index is published: 117400 is 117.4."""
    return formats.format_index(value, manner().locale)


def static_path(name: str) -> str:
    """The address of a static file with its content's hash, so that it may be cached for ever."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    if app.debug:
        version = (Path(str(app.static_folder)) / name).stat().st_mtime_ns
        return url_for("static", filename=name, v=version)
    return _static_address(str(app.static_folder), script_root(), name)


@cache
def _static_address(folder: str, root: str, name: str) -> str:
    # A page names a hundred icons: building each address anew took a quarter of a list's time.
    digest = hashlib.sha256((Path(folder) / name).read_bytes()).hexdigest()
    return url_for("static", filename=name, v=digest[:12])
