"""Which addresses of a database are taken, and what they become."""

from pathlib import Path

import pytest

from proman.settings import UnusableSetting, parse_database_url

THREE = "postgresql://u@one,two:5433,[::1]:5434/proman"


def test_several_hosts_mean_the_one_that_takes_changes() -> None:
    url = parse_database_url(THREE, Path())
    assert url.query == {
        "host": "one,two,::1",
        "port": "5432,5433,5434",
        "target_session_attrs": "read-write",
    }
    assert (url.username, url.database) == ("u", "proman")
    written = url.render_as_string(hide_password=False)
    assert parse_database_url(written, Path()) == url


def test_the_address_may_say_which_of_several_it_means() -> None:
    url = parse_database_url(f"{THREE}?target_session_attrs=any&sslmode=require", Path())
    assert url.query["target_session_attrs"] == "any"
    assert url.query["sslmode"] == "require"
    assert parse_database_url(THREE, Path(), of_several="standby").query == {
        **parse_database_url(THREE, Path()).query,
        "target_session_attrs": "standby",
    }


def test_a_comma_in_a_password_names_no_hosts() -> None:
    url = parse_database_url("postgresql://u:a,b@host/proman", Path())
    assert (url.password, url.host) == ("a,b", "host")
    several = parse_database_url("postgresql://u:a,b@one,two/proman", Path())
    assert (several.password, several.query["host"]) == ("a,b", "one,two")


@pytest.mark.parametrize("hosts", ["one,", ",one", "one,:5433", "one,two:x"])
def test_a_host_that_is_missing_is_told(hosts: str) -> None:
    with pytest.raises(UnusableSetting, match="DATABASE_URL is not an address"):
        parse_database_url(f"postgresql://u@{hosts}/proman", Path())
