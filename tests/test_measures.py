"""What several processes count adds up, whichever of them is asked, and outlives each of them."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from flask import Flask

from proman.measures import BUCKETS, Measures
from proman.settings import Settings
from proman.web.watching import routes_of
from tests.conftest import Cast
from tests.factories import PASSWORD
from tests.people import Person
from tests.scraping import scraped
from tests.servers import Server, database_of, serving
from tests.test_processes import members, wait_until

DURATION = "proman_http_request_duration_seconds"
PROCESSES = 3


@pytest.fixture
def server(app: Flask, cast: Cast, tmp_path: Path) -> Iterator[Server]:
    """Three processes that tell what they do."""
    settings: Settings = app.extensions["proman_settings"]
    on = database_of(settings) | {"PROMAN_METRICS": "on"}
    folder = tmp_path / "home"
    folder.mkdir()
    with serving(folder, "--processes", str(PROCESSES), **on) as server:
        wait_until(lambda: scraped(server.url)["proman_processes"] == PROCESSES)
        yield server


def ask(url: str) -> Callable[[int], bool]:
    return lambda number: requests.get(f"{url}/healthz", timeout=60).ok


def answered(server: Server, route: str, status: str) -> float:
    found = scraped(server.url).of(f"{DURATION}_count")
    return found.get(frozenset({("route", route), ("status", status)}), 0)


@pytest.mark.engines
def test_all_processes_count_together_and_lose_nothing(server: Server) -> None:
    with ThreadPoolExecutor(8) as people:
        assert all(people.map(ask(server.url), range(120)))
    # The answer is there a moment before it is counted.
    wait_until(lambda: answered(server, "/healthz", "2xx") == 120)
    assert {answered(server, "/healthz", "2xx") for _ in range(9)} == {120}
    os.kill(max(members(server)), signal.SIGKILL)
    wait_until(lambda: scraped(server.url)["proman_processes_replaced_total"] == 1)
    with ThreadPoolExecutor(8) as people:
        assert all(people.map(ask(server.url), range(30)))
    wait_until(lambda: answered(server, "/healthz", "2xx") == 150)
    now = scraped(server.url)
    assert now["proman_processes"] == now["proman_processes_wanted"] == PROCESSES
    places = {dict(key)["process"] for key in now.of("proman_process_resident_memory_bytes")}
    assert places == {"0", "1", "2"}
    assert min(now.of("proman_process_resident_memory_bytes").values()) > 1 << 20
    assert server.stop() == 0


def test_no_request_makes_a_series_of_its_own(app: Flask, server: Server) -> None:
    mona = Person(server.url, "mona@example.com", PASSWORD)
    for number in range(20):
        assert mona.get(f"/tenants/{number + 1000}?q={number}").status_code == 404
        assert mona.get(f"/nowhere/{number}").status_code == 404
        assert mona.http.request(f"ODD{number}", f"{server.url}/tenants/").status_code == 405
    wait_until(lambda: answered(server, "(none)", "4xx") == 40)
    now = scraped(server.url)
    assert now.one(f"{DURATION}_count", route="/tenants/<int:tenant_id>", status="4xx") == 20
    assert now.one("proman_http_statements_total", route="/tenants/<int:tenant_id>") >= 40
    routes = set(routes_of(app))
    for key in now.of(f"{DURATION}_count"):
        assert dict(key)["route"] in routes
        assert dict(key)["status"] in {"1xx", "2xx", "3xx", "4xx", "5xx"}


@pytest.mark.parametrize(
    ("seconds", "place"), [(0.0, 0), (BUCKETS[0], 0), (0.0051, 1), (10.0, 10), (99.0, 11)]
)
def test_a_duration_falls_into_the_bucket_that_ends_with_it(seconds: float, place: int) -> None:
    measures = Measures(["/"])
    measures.count("/", 200, seconds, 3)
    measures.count("/unknown", 200, seconds, 3)
    (one,) = measures.answered()
    assert [number for number, count in enumerate(one.counts) if count] == [place]
    assert (one.status, one.seconds, list(measures.statements())) == ("2xx", seconds, [("/", 3)])
