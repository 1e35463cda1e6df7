"""The shape of the house: doors, headers, templates, sizes."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import Cast
from tests.portfolio import make_portfolio
from tests.walking import addresses, offered_forms

ROOT = Path(__file__).resolve().parent.parent
INLINE = re.compile(
    r"<style|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|<script(?![^>]*\ssrc=)|javascript:", re.IGNORECASE
)
EVERY_PAGE_SAYS = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def test_every_template_compiles(app: Flask) -> None:
    templates = ROOT / "templates"
    found = [path for path in templates.rglob("*") if path.suffix in (".html", ".txt")]
    assert len(found) > 50
    for path in found:
        app.jinja_env.get_template(path.relative_to(templates).as_posix())


def test_no_template_has_script_or_style_in_line() -> None:
    for path in (ROOT / "templates").rglob("*.html"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            assert not INLINE.search(line), f"{path.name}:{number}: {line.strip()}"


@pytest.mark.parametrize(
    ("folder", "pattern", "most"),
    [
        ("proman", "*.py", 400),
        ("tests", "*.py", 400),
        ("migrations", "env.py", 250),
        ("templates", "[!_]*.html", 125),
        ("templates", "_*.html", 60),
        ("static/js", "*.js", 400),
    ],
)
def test_no_file_is_longer_than_one_can_read(folder: str, pattern: str, most: int) -> None:
    for path in (ROOT / folder).rglob(pattern):
        lines = len(path.read_text("utf-8").splitlines())
        assert lines <= most, f"{path.relative_to(ROOT)} has {lines} lines"


def test_no_function_is_longer_than_a_page() -> None:
    for path in (ROOT / "proman").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.end_lineno:
                lines = node.end_lineno - node.lineno
                assert lines <= 60, f"{path.name}: {node.name} has {lines} lines"


def test_no_module_has_a_name_that_says_nothing() -> None:
    banned = {"utils", "helpers", "common", "manager", "services", "misc"}
    assert not [path for path in (ROOT / "proman").rglob("*.py") if path.stem in banned]


@pytest.fixture
def ids(app: Flask, cast: Cast) -> dict[str, int]:
    """Ids of a record of every kind."""
    with app.app_context():
        return make_portfolio(cast.organization, "Zebra", cast.mona).ids


def test_every_answer_carries_the_headers_and_no_page_has_anything_in_line(
    app: Flask, alice: FlaskClient, ids: dict[str, int]
) -> None:
    for client in (alice, app.test_client()):
        for address in addresses(app, "GET", ids):
            if address.rule.endpoint in ("static", "organization.logo"):
                continue
            answer = client.get(address.path)
            assert answer.status_code < 500, address.path
            for header, wanted in EVERY_PAGE_SAYS.items():
                assert wanted in answer.headers.get(header, ""), (address.path, header)
            if answer.content_type.startswith("text/html"):
                for tag in BeautifulSoup(answer.text, "lxml").find_all(True):
                    assert not INLINE.search(_opening(str(tag))), (address.path, tag.name)


def _opening(tag: str) -> str:
    """The opening tag, with the values of what a person typed emptied."""
    opening = tag.partition(">")[0] + ">"
    return re.sub(r"(content|value|title|aria-label|placeholder)=\"[^\"]*\"", "", opening)


def test_errors_carry_the_headers_too(app: Flask, alice: FlaskClient) -> None:
    for answer in (
        alice.get("/nowhere"),
        alice.delete("/admin/users"),
        alice.post("/admin/users/new", data={}),
    ):
        assert answer.status_code in (404, 405, 422)
        for header, wanted in EVERY_PAGE_SAYS.items():
            assert wanted in answer.headers.get(header, ""), (answer.status_code, header)


@pytest.fixture
def guarded(app: Flask) -> Iterator[Flask]:
    """The application with its check of forged requests on, as it runs."""
    app.config["WTF_CSRF_ENABLED"] = True
    yield app
    app.config["WTF_CSRF_ENABLED"] = False


def test_no_change_without_the_forms_token(
    alice: FlaskClient, guarded: Flask, ids: dict[str, int]
) -> None:
    posts = list(addresses(guarded, "POST", ids))
    assert len(posts) > 40
    for address in posts:
        answer = alice.post(address.path, data={"name": "a"})
        assert answer.status_code == 400, address.path


def test_every_form_that_changes_something_carries_a_token(
    alice: FlaskClient, guarded: Flask, ids: dict[str, int]
) -> None:
    forms = offered_forms(guarded, alice, ids)
    assert len(forms) > 20
    for form in forms:
        assert "csrf_token" in form.fields, (form.page, form.path)


def test_every_form_leads_somewhere(app: Flask, alice: FlaskClient, ids: dict[str, int]) -> None:
    for form in offered_forms(app, alice, ids):
        app.url_map.bind("localhost").match(form.path, method="POST")


def test_a_page_of_https_says_so_for_a_year(app: Flask) -> None:
    answer = app.test_client().get("/healthz", base_url="https://localhost")
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
