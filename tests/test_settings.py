"""Which addresses of a database and which passphrases are taken, and what they become."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from proman.addresses import UnusableSetting, parse_database_url, shown
from proman.settings import read_settings

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


SECRET = "geheim"


@pytest.mark.parametrize(
    ("address", "as_shown"),
    [
        ("postgresql://u:geheim@host:5433/proman", "postgresql://u:***@host:5433/proman"),
        (
            "postgresql://host/proman?user=u&password=geheim",
            "postgresql://host/proman?password=***&user=u",
        ),
        (
            "postgresql://u@one,two:5433,[::1]:5434/proman?sslpassword=geheim",
            "postgresql://u@one:5432,two:5433,[::1]:5434/proman?"
            "sslpassword=***&target_session_attrs=read-write",
        ),
        ("postgresql:///proman?host=/run/pg", "postgresql:///proman?host=/run/pg"),
        (
            "mysql://u:geheim@host/proman?ssl_key_password=geheim",
            "mysql://u:***@host/proman?ssl_key_password=***",
        ),
        ("sqlite:////data/a.sqlite", "sqlite:////data/a.sqlite"),
    ],
)
def test_an_address_is_shown_as_it_is_written_without_what_is_secret(
    address: str, as_shown: str
) -> None:
    url = parse_database_url(address, Path())
    assert parse_database_url(as_shown.replace("***", SECRET), Path()) == url
    assert shown(url) == as_shown


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("sqlite:////", "names /, which is a directory. Example: DATABASE_URL=sqlite:"),
        ("file:/", "names /, which is a directory."),
        ("sqlite:////a.sqlite?mode=ro", "takes no options"),
        ("postgresql://u:ge@heim@host/proman", "has an @ in the user or the password"),
        ("mysql://one,two:3306/proman", "names several hosts, as only PostgreSQL may"),
        ("mysql://u:geheim@host/proman?bogus=1", "the driver does not know (bogus)"),
        ("mysql://u:geheim@host/proman?connect_timeout=abc", "does not fit (invalid literal"),
        ("mysql://u:geheim@host/proman?ssl_ca=/nonexistent", "cannot be read (/nonexistent)"),
        ("postgresql://u:geheim@host/proman?bogus=1", 'invalid connection option "bogus"'),
        ("postgresql://u:geheim@host/proman?connect_timeout=abc", "bad value for connect_timeout"),
    ],
)
def test_what_no_connection_could_be_made_with_is_told_before_one_is_tried(
    address: str, words: str
) -> None:
    with pytest.raises(UnusableSetting) as refused:
        parse_database_url(address, Path())
    assert words in str(refused.value)
    assert str(refused.value).startswith("DATABASE_URL ")
    assert "heim" not in str(refused.value)


@pytest.mark.parametrize("hosts", ["one,", ",one", "one,:5433", "one,two:x"])
def test_a_host_that_is_missing_is_told(hosts: str) -> None:
    with pytest.raises(UnusableSetting, match="DATABASE_URL is not an address"):
        parse_database_url(f"postgresql://u@{hosts}/proman", Path())


PASSPHRASE = "PROMAN_BACKUP_PASSPHRASE"


def test_a_passphrase_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    own = {"PROMAN_DATA_DIR": str(tmp_path)}
    file = tmp_path / "passphrase"
    file.write_text("seven words from a file\n")
    assert read_settings(own).backup_passphrase is None
    assert read_settings({**own, PASSPHRASE: ""}).backup_passphrase is None
    found = read_settings({**own, f"{PASSPHRASE}_FILE": str(file)})
    assert found.backup_passphrase == "seven words from a file"
    assert "seven words" not in repr(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("eleven char", "has 11 characters; at least 12 are needed."),
        ("", "in {file} has 0 characters; at least 12 are needed."),
        ("   \t", "holds blanks alone."),
        ("two lines that\nnobody types", "is more than one line, or cannot be typed."),
    ],
)
def test_a_passphrase_that_protects_nothing_is_refused(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "passphrase"
    file.write_text(text)
    values = {PASSPHRASE: text} if text else {f"{PASSPHRASE}_FILE": str(file)}
    with pytest.raises(UnusableSetting) as refused:
        read_settings({"PROMAN_DATA_DIR": str(tmp_path), **values})
    assert str(refused.value).startswith(f"{PASSPHRASE} {words.format(file=file)} Example: ")


def test_the_secret_key_is_made_once_for_all_who_start_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        own = {"PROMAN_DATA_DIR": str(tmp_path)}
        keys = {one.secret_key for one in pool.map(lambda _: read_settings(own), range(40))}
    assert len(keys) == 1
    assert keys == {(tmp_path / "secret.key").read_text()}
    assert [one.name for one in tmp_path.iterdir()] == ["secret.key"]


@pytest.mark.parametrize("held", ["", "\n", "short"])
def test_a_file_without_a_key_signs_nothing(tmp_path: Path, held: str) -> None:
    file = tmp_path / "secret.key"
    file.write_text(held)
    with pytest.raises(UnusableSetting) as refused:
        read_settings({"PROMAN_DATA_DIR": str(tmp_path)})
    assert str(refused.value).startswith(f"SECRET_KEY is not set, and {file} holds no key. Remove ")
    assert "\n" not in str(refused.value)
    assert file.read_text() == held
    assert (
        read_settings({"PROMAN_DATA_DIR": str(tmp_path), "SECRET_KEY": "own"}).secret_key == "own"
    )


def test_an_address_may_end_in_a_new_line(tmp_path: Path) -> None:
    own = {"PROMAN_DATA_DIR": str(tmp_path), "DATABASE_URL": "postgresql://u@host/proman\n"}
    assert read_settings(own).database_url.database == "proman"


@pytest.mark.parametrize("tail", ['/a"onx=1', "/pro man", "//x", "?x=1", "/a%20b", "/a#b", "/ä"])
def test_a_path_that_would_be_read_otherwise_is_refused(tmp_path: Path, tail: str) -> None:
    own = {"PROMAN_DATA_DIR": str(tmp_path), "PROMAN_URL": f"https://example.com{tail}"}
    with pytest.raises(UnusableSetting, match="PROMAN_URL may have a path of letters"):
        read_settings(own)


@pytest.mark.parametrize("tail", ["", "/", "/proman", "/a/b-c.d_e~f/"])
def test_a_path_below_a_host_is_taken(tmp_path: Path, tail: str) -> None:
    own = {"PROMAN_DATA_DIR": str(tmp_path), "PROMAN_URL": f"https://example.com:8443{tail}"}
    assert read_settings(own).public_url == f"https://example.com:8443{tail}".rstrip("/")
