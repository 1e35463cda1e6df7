"""Below a path of a shared host: nothing leads out of it, whichever way the proxy hands it on."""

import re
from urllib.parse import urlsplit

import click
import pytest
from flask import Flask
from flask.testing import FlaskClient

from proman.app import create_app
from tests.conftest import Cast, make_settings
from tests.factories import PASSWORD
from tests.people import Person
from tests.servers import flask, serving

HERE = "/proman"
MONA = {"email": "mona@example.com", "password": PASSWORD}
ADDRESSES = re.compile(r"""\s(?:href|src|action|formaction|hx-\w+(?:-url)?)=["']([^"']*)""")


def another(app: Flask, **changes: object) -> Flask:
    """The application once more, on the same database with other settings."""
    settings = app.extensions["proman_settings"]
    own = {"database_url": settings.database_url}
    again = create_app(make_settings(settings.data_dir, **own, **changes))
    again.config["WTF_CSRF_ENABLED"] = False
    return again


@pytest.fixture
def below(app: Flask, cast: Cast) -> FlaskClient:
    """The manager's client of the same installation, below /proman."""
    client = another(app, public_url=f"http://localhost{HERE}").test_client()
    assert client.post(f"{HERE}/login", data=MONA).status_code == 303
    return client


def leading_out(text: str) -> list[str]:
    """The addresses of a page that begin at the root of the host, and not below the path."""
    found = [one for one in ADDRESSES.findall(text) if one.startswith("/")]
    return [one for one in found if not (one + "/").startswith(f"{HERE}/")]


@pytest.mark.parametrize("path", ["/", "/leases/", "/leases/new", "/billing/", "/reports/"])
def test_no_address_of_a_page_leads_out_of_it(below: FlaskClient, path: str) -> None:
    page = below.get(HERE + path)
    assert page.status_code == 200
    assert f'href="{HERE}/leases/' in page.text
    assert leading_out(page.text) == []
    assert int(page.headers["Content-Length"]) == len(page.data)


def test_addresses_in_headers_have_it_too(below: FlaskClient) -> None:
    stranger = below.application.test_client()
    away = stranger.get(f"{HERE}/leases/")
    assert away.headers["Location"].startswith(f"{HERE}/login?next=")
    cookies = stranger.post(f"{HERE}/login", data=MONA).headers.getlist("Set-Cookie")
    (cookie,) = [one for one in cookies if one.startswith("proman=")]
    assert f"Path={HERE}/" in cookie
    said = {"HX-Request": "true", "HX-Current-URL": f"http://localhost{HERE}/leases/?q=a"}
    refused = below.application.test_client().post(f"{HERE}/leases/", headers=said)
    assert refused.headers["HX-Redirect"] == f"{HERE}/login?next=/leases/?q%3Da"


def test_a_proxy_that_takes_the_path_off_is_understood(below: FlaskClient) -> None:
    page = below.get("/healthz")
    assert page.status_code == 200
    login = below.application.test_client().get("/login")
    assert leading_out(login.text) == []


def test_only_a_trusted_proxy_names_a_path(app: Flask, cast: Cast) -> None:
    said = {"X-Forwarded-Prefix": "/homes"}
    for proxies, expected in ((0, '"/static/'), (1, '"/homes/static/')):
        again = another(app, trusted_proxies=proxies)
        assert expected in again.test_client().get("/login", headers=said).text
    for bad in ('/"><script>', "//elsewhere.example.com", "homes", "/a b"):
        page = again.test_client().get("/login", headers={"X-Forwarded-Prefix": bad})
        assert '"/static/' in page.text


def test_an_address_without_its_last_slash_stays_below(below: FlaskClient) -> None:
    answer = below.get(f"{HERE}/leases")
    assert answer.status_code == 308
    assert urlsplit(answer.headers["Location"]).path == f"{HERE}/leases/"


@pytest.mark.parametrize("path", ["/portal", "/admin/database", "/static"])
def test_a_path_that_is_a_page_of_proman_is_refused(app: Flask, path: str) -> None:
    with pytest.raises(click.ClickException, match=f"PROMAN_URL has the path {path}, where"):
        another(app, public_url=f"http://localhost{path}")


def test_no_visitor_moves_what_the_address_says(app: Flask, cast: Cast) -> None:
    again = another(app, public_url=f"http://localhost{HERE}", trusted_proxies=1)
    answer = again.test_client().get("/", headers={"X-Forwarded-Prefix": "/evil"})
    assert answer.headers["Location"].startswith(f"{HERE}/login")


def test_a_server_below_a_path(tmp_path, new_installation) -> None:
    settings = new_installation(tmp_path)
    folder = settings.data_dir
    done = flask(folder, "demo", "load", "--leases", "5", "--months", "2", "--password", PASSWORD)
    assert done.returncode == 0, done.stderr
    with serving(folder, PROMAN_URL=f"http://127.0.0.1{HERE}") as server:
        manager = Person(server.url + HERE, "manager@example.com", PASSWORD)
        page = manager.get("/leases/")
        assert leading_out(page.text) == []
        style = re.search(r'href="([^"]+proman[^"]*\.css[^"]*)"', page.text)
        assert style is not None
        sheet = manager.http.get(server.url + style[1], timeout=60)
        assert sheet.status_code == 200
        assert urlsplit(style[1]).path.startswith(f"{HERE}/static/")
        pdf = re.search(rf'href="{HERE}(/invoices/\d+)"', manager.get("/invoices/").text)
        assert pdf is not None
        assert manager.get(f"{pdf[1]}.pdf").content.startswith(b"%PDF")
