"""Draws what pages repeat, once for the same words: icons, cells of lists, whole macros."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any

from flask import Flask, current_app
from flask_wtf.csrf import generate_csrf
from jinja2.runtime import Macro
from markupsafe import Markup

from proman.base.money import Money
from proman.web import formats
from proman.web.filters import static_path
from proman.web.manner import manner, script_root

SPRITE = "vendor/tabler-icons-3.51.0.svg"
NONE = Markup('<span class="none">–</span>')
KEPT = 2048
"""How many drawings of each kind stay at hand."""


def install(app: Flask) -> None:
    """Lend the drawings to every template, as globals: each import of a component takes time.

    In long lists the filters are to be used, which cost less than calls.
    """
    app.jinja_env.globals.update(
        csrf=csrf,
        icon=icon,
        money=money,
        money_cell=money_cell,
        day_cell=day_cell,
        remembered=remembered,
    )
    app.jinja_env.filters.update(money_mark=money, money_cell=money_cell, day_cell=day_cell)


def remembered(macro: Macro, kept: int = KEPT) -> Callable[..., str]:
    """The macro, drawn once for the same arguments; it must read nothing but them.

    They are compared with their types: a text is not the ready markup of the same letters.
    """

    @lru_cache(maxsize=kept, typed=True)
    def draw(root: str, *arguments: Any, **named: Any) -> Markup:
        return Markup(macro(*arguments, **named))

    def drawn(*arguments: Any, **named: Any) -> Markup:
        return draw(script_root(), *arguments, **named)

    # While one develops, files change whose hashes stand in addresses.
    return macro if current_app.debug else drawn


def csrf() -> Markup:
    """The hidden token that every form that changes something carries."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


def icon(name: str, label: str = "") -> Markup:
    """An icon of the sprite; with a label it speaks, without it is decoration.

    For a new one use its Tabler name, then make the sprite anew with scripts/sprite.
    """
    return _icon(static_path(SPRITE), name, label)


@lru_cache(maxsize=KEPT)
def _icon(sprite: str, name: str, label: str) -> Markup:
    spoken = Markup('role="img" aria-label="{}"').format(label) if label else 'aria-hidden="true"'
    return Markup('<svg class="icon" viewBox="0 0 24 24" {}><use href="{}#{}"></use></svg>').format(
        Markup(spoken), sprite, name
    )


def money(amount: int | Money) -> Markup:
    """Minor units (or Money) in tabular figures; a negative amount is marked."""
    writing = manner()
    if isinstance(amount, Money):
        return _money(amount.minor, amount.currency, writing.locale)
    return _money(amount, writing.currency, writing.locale)


@lru_cache(maxsize=16 * KEPT)
def _money(minor: int, currency: str, locale: str) -> Markup:
    mark = " is-negative" if minor < 0 else ""
    written = formats.format_money(minor, currency, locale)
    return Markup('<span class="money{}">{}</span>').format(mark, written)


def money_cell(amount: int | Money | None, label: str) -> Markup:
    """An amount as a right-aligned cell; a phone shows the label beside it; a dash for None."""
    return _money_cell(NONE if amount is None else money(amount), label)


@lru_cache(maxsize=16 * KEPT)
def _money_cell(written: Markup, label: str) -> Markup:
    return Markup('<td class="num" data-label="{}">{}</td>').format(label, written)


def day_cell(day: date | None, label: str) -> Markup:
    """A date in the organization's manner as a cell; a dash for none."""
    return _day_cell(day or None, label, manner().locale)


@lru_cache(maxsize=8 * KEPT)
def _day_cell(day: date | None, label: str, locale: str) -> Markup:
    written = NONE
    if day is not None:
        shown = formats.format_day(day, locale)
        written = Markup('<time datetime="{}">{}</time>').format(day, shown)
    return Markup('<td class="date" data-label="{}">{}</td>').format(label, written)
