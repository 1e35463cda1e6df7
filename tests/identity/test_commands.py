"""`flask users …` and `flask organizations …`."""

from flask import Flask
from flask.testing import FlaskCliRunner

from tests.conftest import Cast


def run(app: Flask, *words: str) -> tuple[int, str]:
    runner: FlaskCliRunner = app.test_cli_runner()
    result = runner.invoke(args=list(words))
    return result.exit_code, result.output


def test_an_operator_who_is_locked_out_gets_a_link(app: Flask, cast: Cast) -> None:
    code, said = run(app, "users", "reset-password", "mona@example.com")
    assert code == 0, said
    link = said.splitlines()[-1].partition("127.0.0.1:0")[2]
    client = app.test_client()
    assert client.post(link, data={"password": "brand new words"}).status_code == 303
    typed = {"email": "mona@example.com", "password": "brand new words"}
    assert client.post("/login", data=typed).status_code == 303


def test_nobody_gets_no_link(app: Flask, cast: Cast) -> None:
    code, said = run(app, "users", "reset-password", "nobody@example.com")
    assert (code, "Nobody signs in" in said) == (1, True)


def test_with_several_organizations_one_is_chosen(app: Flask, cast: Cast) -> None:
    code, said = run(app, "users", "create-admin", "new@example.com")
    assert (code, "--organization" in said) == (1, True)
    words = ("users", "create-admin", "new@example.com", "--organization", "Charlie's Courts")
    assert run(app, *words)[0] == 0
    code, said = run(app, *words)
    assert (code, "already has a login" in said) == (1, True)


def test_an_organization_takes_its_countrys_currency_and_time_zone(app: Flask) -> None:
    code, said = run(app, "organizations", "create", "Lindenhof", "--country", "de")
    assert code == 0, said
    assert "organization 1" in said
    code, said = run(app, "organizations", "create", "Lindenhof", "--country", "DE")
    assert (code, "of this name already" in said) == (1, True)


def test_codes_that_do_not_exist_are_refused(app: Flask) -> None:
    for words in (
        ("--country", "XX"),
        ("--country", "DE", "--region", "ZZ"),
        ("--country", "DE", "--currency", "DEM"),
        ("--country", "DE", "--time-zone", "Europe/Nowhere"),
    ):
        code, said = run(app, "organizations", "create", "X", *words)
        assert code == 1, (words, said)
        assert len(said.strip().splitlines()) == 1
    assert run(app, "organizations", "create", "X")[0] == 2


def test_without_an_organization_there_is_no_administrator(app: Flask) -> None:
    code, said = run(app, "users", "create-admin", "a@example.com")
    assert (code, "organizations create" in said) == (1, True)
