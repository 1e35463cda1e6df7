"""Every address of the application, filled with ids; every form that its pages offer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.routing.converters import AnyConverter, NumberConverter

WORDS = {"token": "nonsense", "name": "proman-20260101-000000.sqlite", "filename": "logo.svg"}


@dataclass(frozen=True)
class Address:
    """A rule of the application with its blanks filled in."""

    rule: Rule
    path: str
    names_a_record: bool


@dataclass(frozen=True)
class Sending:
    """A form as a page offers it, with the values that stand in it."""

    page: str
    path: str
    fields: dict[str, list[str]]


def addresses(app: Flask, method: str, ids: Mapping[str, int]) -> Iterator[Address]:
    """Every rule that takes the method; blanks that are no known id get 1."""
    for rule in app.url_map.iter_rules():
        if method not in (rule.methods or set()):
            continue
        values: dict[str, object] = {}
        for name, converter in rule._converters.items():
            if isinstance(converter, NumberConverter):
                values[name] = ids.get(name, 1)
            elif isinstance(converter, AnyConverter):
                values[name] = sorted(converter.items)[0]
            else:
                values[name] = WORDS.get(name, "nonsense")
        built = rule.build(values)
        assert built is not None, rule
        yield Address(rule, built[1], any(name in ids for name in rule.arguments))


def offered_forms(app: Flask, client: FlaskClient, ids: Mapping[str, int]) -> list[Sending]:
    """Every form that posts, on every page that the client may open."""
    found: dict[str, Sending] = {}
    for address in addresses(app, "GET", ids):
        answer = client.get(address.path)
        if answer.status_code != 200 or not answer.content_type.startswith("text/html"):
            continue
        for form in BeautifulSoup(answer.text, "lxml").find_all("form"):
            if str(form.get("method", "get")).lower() == "post":
                path = urlsplit(str(form.get("action") or address.path)).path
                found.setdefault(path, Sending(address.path, path, _fields(form)))
    return list(found.values())


def _fields(form: Tag) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for control in form.find_all(["input", "select", "textarea"]):
        name, kind = str(control.get("name") or ""), str(control.get("type") or "")
        is_off = kind in ("checkbox", "radio") and control.get("checked") is None
        if name and kind not in ("file", "submit") and not is_off:
            fields.setdefault(name, []).append(_value(control))
    return fields


def _value(control: Tag) -> str:
    if control.name == "textarea":
        return control.get_text()
    if control.name != "select":
        return str(control.get("value") or "a")
    options = control.find_all("option")
    chosen = [option for option in options if option.get("selected") is not None]
    named = [option for option in options if option.get("value")]
    return str((chosen or named or [{}])[0].get("value") or "")
