"""A day in the container: bills, PDF, backup, restore; it is killed and stopped."""

import fcntl
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from proman.database import restores
from proman.database.turns import PLACE, TURN
from tests.containers import ADDRESS, Engine
from tests.people import Person

pytestmark = [pytest.mark.image, pytest.mark.xdist_group("image")]
PASSWORD = "correct horse battery"
DEMONSTRATION = ("demo", "load", "--leases", "3", "--months", "2", "--password", PASSWORD)
LEASE = {
    "tenants-0-name": "Anna Petersen",
    "tenants-0-kind": "person",
    "rent": "1000",
    "rent_tax_rate": "0",
    "frequency": "monthly",
    "periods": "calendar",
    "timing": "advance",
    "due_number": "1",
    "due_kind": "day",
    "due_month": "",
    "lead_days": "0",
    "proration": "actual",
    "holding_over": "continue",
    "activate": "1",
}
HOME = "/admin/database"
PATIENCE = 60


def wait_until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.02)


def sign_in(address: str = ADDRESS) -> Person:
    return Person(address, "admin@example.com", PASSWORD)


def bill(alice: Person) -> str:
    """Let a house from the first of this month on and bill what is due; its invoice's address."""
    today = datetime.now(UTC).date()
    house = alice.post("/properties/", name="Mill", type="house", country="DE").headers["Location"]
    assert alice.post(f"{house}/units", label="Whole").status_code == 303
    unit = found_in(alice.get(house).text, r"/properties/units/(\d+)")
    lease = LEASE | {"unit_id": unit, "first_day": today.replace(day=1).isoformat()}
    assert alice.post("/leases/", **lease).status_code == 303
    run = alice.post("/billing/runs", as_of=today.isoformat()).headers["Location"]
    return found_in(alice.get(run).text, r"(/invoices/\d+)")


def found_in(page: str, address: str) -> str:
    """The part of the first link of that form."""
    found = re.search(f'href="{address}"', page)
    assert found is not None, page
    return found[1]


def add_tenant(alice: Person, name: str) -> str:
    """The address of somebody new, once it is acknowledged."""
    answer = alice.post("/tenants/", name=name, kind="person")
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def put_back(alice: Person, data: Path, backup: str) -> None:
    """Restore by the page, as far as its end."""
    address = alice.post(f"{HOME}/restores", name=backup).headers["Location"]
    one = address.rsplit("/", 1)[-1]
    wait_until(lambda: restores.load(data, one).stage == "ready")
    confirmed = alice.post(f"{address}/confirmation", password=PASSWORD, word="RESTORE")
    assert confirmed.status_code == 303, confirmed.text
    wait_until(lambda: restores.load(data, one).stage == "done")


def test_a_day_in_it(engine: Engine) -> None:
    data, backups = engine.volume("day"), engine.volume("day-backups")
    container = engine.run("-v", f"{data}:/data", "-v", f"{backups}:/backups")
    exec_in = ("podman", "exec", container)
    with engine.within():
        engine.wait_until_ready(container)
        engine.call(*exec_in, "flask", *DEMONSTRATION)
        alice = sign_in()
        invoice = bill(alice)
        assert alice.get(f"{invoice}.pdf").content.startswith(b"%PDF")
        assert alice.post(f"{HOME}/backups").status_code == 303
        wait_until(lambda: list(backups.glob("proman-*.json")))
        (backup,) = backups.glob("proman-*.sqlite")
        stranger = add_tenant(alice, "Afterwards")
        put_back(alice, data, backup.name)
        alice = sign_in()
        assert alice.get(stranger).status_code == 404
        assert alice.get(f"{invoice}.pdf").content.startswith(b"%PDF")
        acknowledged = add_tenant(alice, "Acknowledged")
        engine.call("podman", "kill", "--signal", "KILL", container)
        engine.call("podman", "wait", container)
        engine.call("podman", "start", container)
        engine.wait_until_ready(container)
        assert "Acknowledged" in alice.get(acknowledged).text
        assert "All is well" in engine.call(*exec_in, "flask", "doctor").stdout
        assert stopped_meanwhile(engine, container, data, alice) == 303
    code = engine.call("podman", "inspect", "-f", "{{.State.ExitCode}}", container)
    assert code.stdout.strip() == "0"
    engine.call("podman", "rm", container)


def stopped_meanwhile(engine: Engine, container: str, data: Path, alice: Person) -> int:
    """What a change is answered while the container is stopped: TERM, and KILL 10 s later."""
    place, token = data / f"proman.sqlite{PLACE}", alice.token()
    with (data / f"proman.sqlite{TURN}").open() as turn, ThreadPoolExecutor(2) as at_once:
        fcntl.flock(turn, fcntl.LOCK_EX)
        change = at_once.submit(alice.send, "/tenants/", token, name="At the end", kind="person")
        wait_until(lambda: is_taken(place))
        stop = at_once.submit(engine.call, "podman", "stop", "--time", "10", container)
        wait_until(lambda: not answers())
        fcntl.flock(turn, fcntl.LOCK_UN)
        stop.result()
        return change.result().status_code


def is_taken(lock: Path) -> bool:
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def answers() -> bool:
    """Whether a new request is taken; one that stops lets it wait or refuses it."""
    try:
        return requests.get(f"{ADDRESS}/healthz", timeout=0.5).ok
    except (requests.ConnectionError, requests.Timeout):
        return False
