"""What is drawn once and kept is what would be drawn anew, under the same words only."""

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask, g
from markupsafe import Markup

from proman.base.money import Money
from proman.web import drawing
from proman.web.manner import Manner


@pytest.fixture
def page(app: Flask) -> Iterator[Flask]:
    """A request of an organization that writes the British way."""
    with app.test_request_context("/"):
        g.manner = Manner("en_GB", "GBP", "Europe/London", "m2")
        yield app


def _remembered(app: Flask) -> object:
    text = "{% macro _mark(a, b='') %}<i>{{ a }}{{ b }}</i>{% endmacro %}"
    text += "{% set mark = remembered(_mark) %}"
    return app.jinja_env.from_string(text).module.mark  # type: ignore[attr-defined]


def test_a_text_is_not_the_ready_markup_of_the_same_letters(page: Flask) -> None:
    mark = _remembered(page)
    assert callable(mark)
    assert mark(Markup("<b>x</b>")) == "<i><b>x</b></i>"
    assert mark("<b>x</b>") == "<i>&lt;b&gt;x&lt;/b&gt;</i>"
    assert mark(1) == mark("1") == "<i>1</i>"
    assert mark(True) == "<i>True</i>"
    assert mark("a", b=Markup("&")) == "<i>a&</i>"
    assert mark("a", b="&") == "<i>a&amp;</i>"


def test_what_is_kept_under_one_prefix_is_not_shown_under_another(app: Flask) -> None:
    text = "{% macro _file() %}{{ static_path('logo.svg') }}{% endmacro %}"
    text += "{% set file = remembered(_file) %}"
    with app.test_request_context("/"):
        file = app.jinja_env.from_string(text).module.file  # type: ignore[attr-defined]
        assert file().startswith("/static/logo.svg?v=")
        assert drawing.icon("x").count("/static/") == 1
    with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": "/homes"}):
        assert file().startswith("/homes/static/logo.svg?v=")
        assert "/homes/static/" in drawing.icon("x")


def test_amounts_and_days_are_written_in_the_manner_of_who_reads(app: Flask) -> None:
    day = date(2026, 12, 31)
    for locale, currency, amount, written in (
        ("en_GB", "GBP", "£1,234.56", "31 Dec 2026"),
        ("de_DE", "EUR", "1.234,56\u00a0€", "31.12.2026"),
        ("en_GB", "GBP", "£1,234.56", "31 Dec 2026"),
    ):
        with app.test_request_context("/"):
            g.manner = Manner(locale, currency, "UTC", "m2")
            assert drawing.money(123456) == f'<span class="money">{amount}</span>'
            assert f'<time datetime="2026-12-31">{written}</time>' in drawing.day_cell(day, "Due")


def test_cells(page: Flask) -> None:
    assert drawing.money(Money(-1, "EUR")) == '<span class="money is-negative">-€0.01</span>'
    assert drawing.money_cell(0, "Open").endswith('"><span class="money">£0.00</span></td>')
    assert drawing.money_cell(None, "A & B") == (
        '<td class="num" data-label="A &amp; B"><span class="none">–</span></td>'
    )
    assert drawing.day_cell(None, "Due") == (
        '<td class="date" data-label="Due"><span class="none">–</span></td>'
    )
