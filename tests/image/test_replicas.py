"""Three containers on one empty PostgreSQL, started at once, of which one is killed."""

import re
import time

import pytest

from tests.containers import Engine
from tests.engines import POSTGRESQL, fresh_database
from tests.image.test_walk import DEMONSTRATION, PASSWORD
from tests.people import Person

pytestmark = [
    pytest.mark.image,
    pytest.mark.postgresql,
    pytest.mark.xdist_group("image"),
]
REPLICAS = 3
_PORT = re.compile(r"ProMan is running on http://127.0.0.1:(\d+)")


def address_of(engine: Engine, container: str) -> str:
    """Where it listens, once it is ready."""
    deadline = time.monotonic() + 120
    while not (found := _PORT.search(engine.logs(container))):
        assert time.monotonic() < deadline, engine.logs(container)
        time.sleep(0.1)
    address = f"http://127.0.0.1:{found[1]}"
    engine.wait_until_ready(container, address)
    return address


def test_three_replicas_start_at_once_and_two_go_on(engine: Engine) -> None:
    data, backups = engine.volume("replicas"), engine.volume("replicas-backups")
    words = ["-v", f"{data}:/data", "-v", f"{backups}:/backups"]
    words += ["-e", "HOST=127.0.0.1", "-e", "PORT=0"]
    with fresh_database(POSTGRESQL) as url:
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        words += ["-e", f"DATABASE_URL={plain}"]
        replicas = [engine.run(*words, network="host") for _ in range(REPLICAS)]
        try:
            addresses = [address_of(engine, one) for one in replicas]
            said = [engine.logs(one) for one in replicas]
            # The one that migrates says each revision, the others wait for it.
            assert sum("Applied " in one for one in said) == 1
            engine.call("podman", "exec", replicas[0], "flask", *DEMONSTRATION)
            alice = Person(addresses[0], "admin@example.com", PASSWORD)
            made = alice.post("/tenants/", name="Of the first", kind="person").headers["Location"]
            engine.call("podman", "kill", "--signal", "KILL", replicas[0])
            for address in addresses[1:]:
                # The cookie of the first is good at the others: they share the key in /data.
                alice.url = address
                assert "Of the first" in alice.get(made).text
                assert alice.post("/tenants/", name=address, kind="person").status_code == 303
            doctor = engine.call("podman", "exec", replicas[1], "flask", "doctor")
            assert "All is well" in doctor.stdout
        finally:
            engine.call("podman", "rm", "--force", "--time", "10", *replicas, fails=True)
