"""The short way of templates writes what Flask's own templates write, and nothing stands in raw."""

from flask import Flask
from flask.templating import Environment
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import DictLoader
from markupsafe import Markup

from proman.web.templating import ShortEnvironment

SHORT = ShortEnvironment(Flask("short"), autoescape=True)
USUAL = Environment(Flask("usual"), autoescape=True)
PAGE = (
    "{% macro cell(x) %}<td>{{ x }}</td>{% endmacro %}"
    '<p title="{{ value }}">{{ value }}{{ value ~ "<" }}</p>{{ cell(value) }}'
    "{% for one in [value, 3, none] %}{{ one }}{{ loop.index }}{% endfor %}{{ value|upper }}"
)
VALUES = st.one_of(
    st.text(),
    st.text(alphabet="<>&\"' ab"),
    st.builds(Markup, st.text()),
    st.integers(),
    st.booleans(),
    st.none(),
    st.dates(),
    st.lists(st.text()),
)


@given(VALUES)
def test_the_short_way_to_escape_writes_what_the_usual_one_writes(value: object) -> None:
    assert SHORT.from_string(PAGE).render(value=value) == USUAL.from_string(PAGE).render(
        value=value
    )


def test_without_automatic_escaping_nothing_is_escaped() -> None:
    text = "{% autoescape false %}{{ value }}{% endautoescape %}{{ value }}"
    assert SHORT.from_string(text).render(value="<b>") == "<b>&lt;b&gt;"


LOOPS = {
    "base": "{% for x in rows %}<{{ x }}>{% endfor %}{% block body %}{% endblock %}!",
    "part": "{% for x in rows %}[{{ x }}{% include 'one' %}]{% endfor %}",
    "one": "{% for y in rows if y %}{{ loop.index }}{{ y }}{{ x }}{% else %}none{% endfor %}",
    "macros": "{% macro twice(x) %}{% for n in (1, 2) %}{{ x }}{{ caller() if caller }}{% endfor %}"
    "{% endmacro %}",
    "page": "{% extends 'base' %}{% from 'macros' import twice %}{% block body %}{{ super() }}"
    "{% include 'part' %}{% for x in rows %}{{ twice(x) }}{% call twice(x) %}&{{ x }}{% endcall %}"
    "{% set ns = namespace(n=0) %}{% for y in rows recursive %}{% set ns.n = ns.n + 1 %}{{ ns.n }}"
    "{% if y %}{{ loop([]) }}{% endif %}{% endfor %}{% endfor %}{% endblock %}",
}


@given(st.lists(VALUES, max_size=4))
@settings(deadline=None)
def test_loops_includes_blocks_and_components(rows: list[object]) -> None:
    pages = []
    for kind in (ShortEnvironment, Environment):
        environment = kind(Flask("loops"), autoescape=True, loader=DictLoader(LOOPS))
        pages.append(environment.get_template("page").render(rows=rows))
    assert pages[0] == pages[1]


def test_the_application_writes_so(app: Flask) -> None:
    assert isinstance(app.jinja_env, ShortEnvironment)
    assert app.jinja_env.from_string("{{ value }}").render(value="<b>") == "&lt;b&gt;"
