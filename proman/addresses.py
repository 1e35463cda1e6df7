"""Addresses of databases: from any form that people write, and back without what is secret."""

from __future__ import annotations

import inspect
import os
import re
from itertools import zip_longest
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_EXAMPLE = "sqlite:////data/proman.sqlite, or postgresql://user:password@host/proman"
_SEVERAL_HOSTS = re.compile(
    r"((?:postgres|mysql|mariadb)[a-z+]*://)([^/@]*@)?([^/@?]*,[^/@?]*)([/?].*)?"
)
_HOST = re.compile(r"(?:\[([^]]+)]|([^:]+))(?::(\d*))?")
_SECRET = re.compile("pass(wd|word)")
_FILES = ("ssl_ca", "ssl_capath", "ssl_cert", "ssl_key")


PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
"""A path below a host: no blank, no sign that a page or a header would read otherwise."""


class UnusableSetting(ValueError):
    """A variable whose value cannot be used: its name, what was wrong, and an example."""

    def __init__(self, name: str, problem: str, example: str) -> None:
        super().__init__(f"{name} {problem} Example: {name}={example}")


def parse_database_url(
    text: str, data_dir: Path, name: str = "DATABASE_URL", of_several: str = "read-write"
) -> URL:
    """Turn any accepted form of an address into a URL with ProMan's driver.

    Where it names several hosts of PostgreSQL and not which of them it means, it means one that is
    `of_several` (libpq's target_session_attrs). Raises UnusableSetting, which names the variable
    or option that it came from.
    """
    if not text:
        return URL.create("sqlite+pysqlite", database=str(data_dir / "proman.sqlite"))
    if text.startswith("file:"):
        return _file(text.removeprefix("file:").partition("?")[0], name)
    if _SEVERAL_HOSTS.fullmatch(text) and not text.startswith("postgres"):
        raise UnusableSetting(name, "names several hosts, as only PostgreSQL may.", _EXAMPLE)
    try:
        url = _from_any_form(text, of_several)
        driver = DRIVERS[url.drivername.partition("+")[0]]
    except (ArgumentError, KeyError, ValueError):
        raise UnusableSetting(
            name, "is not an address of SQLite, PostgreSQL, MySQL or MariaDB.", _EXAMPLE
        ) from None
    url = url.set(drivername=driver)
    problem = _problem(url)
    if problem:
        raise UnusableSetting(name, problem, _EXAMPLE)
    if url.get_backend_name() == "sqlite":
        return _file(url.database or "", name)
    if url.get_backend_name() != "postgresql":
        url = url.update_query_dict({"charset": "utf8mb4"})
    return url


def shown(url: URL) -> str:
    """The address as a person writes it, without passwords, wherever they stand in it."""
    secret = [name for name in url.query if _SECRET.search(name)]
    plain = url.set(drivername=url.get_backend_name()).difference_update_query(["charset"])
    plain = plain.update_query_dict(dict.fromkeys(secret, "***"))
    hosts = plain.query.get("host")
    if plain.host or not isinstance(hosts, str) or "," not in hosts:
        return _rendered(plain)
    ports = str(plain.query.get("port", "")).split(",")
    each = zip_longest(hosts.split(","), ports, fillvalue="")
    places = ",".join(_in_brackets(host) + (port and f":{port}") for host, port in each if host)
    rest = plain.difference_update_query(["host", "port"]).set(host="hosts")
    return _rendered(rest).replace("hosts", places, 1)


def _rendered(url: URL) -> str:
    return url.render_as_string().replace("%2A", "*").replace("%2F", "/")


def _in_brackets(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _file(path: str, name: str) -> URL:
    """The address of a SQLite file; a directory of that name is told here, once for all."""
    absolute = Path(path).absolute()
    if absolute.is_dir():
        raise UnusableSetting(
            name, f"names {absolute}, which is a directory.", f"sqlite:///{absolute}/proman.sqlite"
        )
    return URL.create("sqlite+pysqlite", database=str(absolute))


def _problem(url: URL) -> str:
    """Why the address cannot be used, in a sentence, or an empty text."""
    engine = url.get_backend_name()
    if engine == "sqlite":
        if not url.database or url.database == ":memory:":
            return "names no file."
        return "takes no options (after the ?) with SQLite." if url.query else ""
    if "@" in (url.host or ""):
        return "has an @ in the user or the password; write %40 for it."
    if not (url.host or url.query.get("host")) or not url.database:
        return "names no host or no database."
    return _fault_of_postgresql(url) if engine == "postgresql" else _fault_of_mysql(url)


def _fault_of_postgresql(url: URL) -> str:
    """What is wrong with the options; libpq knows their names, and tells most values itself."""
    from psycopg import Error, conninfo

    try:
        conninfo.make_conninfo("", **{name: str(value) for name, value in url.query.items()})
        conninfo.timeout_from_conninfo(dict(url.query))  # type: ignore[arg-type]
    except Error as error:
        return f"has an option that does not fit ({str(error).strip()})."
    return ""


def _fault_of_mysql(url: URL) -> str:
    """What is wrong with the options, which the driver would end with a traceback."""
    from pymysql.connections import Connection

    try:
        given = url.get_dialect()().create_connect_args(url)[1]
    except (ValueError, TypeError) as error:
        return f"has an option that does not fit ({error})."
    unknown = sorted(set(given) - set(inspect.signature(Connection.__init__).parameters))
    if unknown:
        return f"has options that the driver does not know ({', '.join(unknown)})."
    files = [str(url.query[name]) for name in _FILES if name in url.query]
    missing = [file for file in files if not os.access(file, os.R_OK)]
    return f"names files that cannot be read ({', '.join(missing)})." if missing else ""


def _from_any_form(text: str, of_several: str) -> URL:
    """SQLAlchemy takes several hosts in the query only, not before the database as libpq does."""
    found = _SEVERAL_HOSTS.fullmatch(text)
    if found is None:
        return make_url(text)
    scheme, user, hosts, rest = found.groups(default="")
    each = [_HOST.fullmatch(host) for host in hosts.split(",")]
    if None in each:
        raise ValueError(hosts)
    places = {
        "host": ",".join(one[1] or one[2] for one in each if one),
        "port": ",".join(one[3] or "5432" for one in each if one),
    }
    url = make_url(f"{scheme}{user}{rest}").update_query_dict(places)
    return url.set(query={"target_session_attrs": of_several, **url.query})
