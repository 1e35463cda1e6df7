"""Knows how this request writes amounts and days, looked up once: a list asks hundreds of times."""

from typing import NamedTuple

from flask.ctx import _AppCtxGlobals
from flask.globals import app_ctx, request_ctx
from flask_login import current_user

FALLBACK_LOCALE = "en_GB"


class Manner(NamedTuple):
    """What a page writes by: the organization's locale, currency, zone, unit of area."""

    locale: str
    currency: str
    time_zone: str
    area_unit: str


NOBODYS = Manner(FALLBACK_LOCALE, "", "UTC", "m2")


def manner() -> Manner:
    """The manner of the organization at work; British English in UTC while nobody is signed in."""
    try:
        # Asked through the proxies every time, it would cost more than writing the amount.
        kept: _AppCtxGlobals = app_ctx._get_current_object().g  # type: ignore[attr-defined]
    except RuntimeError:
        return NOBODYS
    known: Manner | None = kept.get("manner")
    if known is None:
        organization = getattr(current_user, "organization", None)
        if organization is None:
            return NOBODYS
        known = kept.manner = Manner(
            organization.locale,
            organization.currency,
            organization.time_zone,
            organization.area_unit,
        )
    return known


def script_root() -> str:
    """The prefix a proxy gives to every address; it stands in those of icons and files too."""
    root: str = request_ctx._get_current_object().request.script_root  # type: ignore[attr-defined]
    return root
