"""People of a soak: they sign in, write and read as fast as people do, and see no error.

All that they may meet beside the page they asked for: 503 in maintenance, a connection that breaks
when the server is killed, and after a restore the login page.
"""

import random
import re
import threading
from collections.abc import Callable

import requests

from tests.factories import PASSWORD
from tests.soaking import Books, Place

PATIENCE = 60
THINKING = 0.08
PAGES = ("/", "/leases/", "/payments/", "/tenants/", "/invoices/", "/properties/")
LEASES = 20
REFERENCE = "SOAK-{:02d}"
BROKEN_OFF = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
Form = tuple[str, dict[str, str]]


class CutOff(Exception):
    """The server was killed meanwhile: nobody knows whether the request was done."""


class KeptOut(Exception):
    """A restore is under way, or the login is void: the request was not done."""


class Soaker:
    """Somebody with a session of their own, who goes on until the soak is over."""

    def __init__(self, place: Place, email: str, chance: random.Random) -> None:
        self.place = place
        self.email = email
        self.chance = chance
        self.http = requests.Session()
        self.token = ""
        self.since = 0
        self.done = 0

    def ask(self, method: str, path: str, /, **fields: str) -> requests.Response:
        """What the server answers; raises CutOff or KeptOut where a kill or restore says why."""
        self.place.up.wait(PATIENCE)
        deaths, restores = self.place.deaths, self.place.restores
        data = {**fields, "csrf_token": self.token} if method == "POST" else None
        try:
            answer = self.http.request(
                method, self.place.url + path, data=data, timeout=PATIENCE, allow_redirects=False
            )
        except BROKEN_OFF as error:
            if self.place.deaths == deaths and deaths % 2 == 0:
                self.place.blame(f"{method} {path} broke off: {error}")
            raise CutOff from error
        was_restored = restores % 2 == 1 or self.place.restores != restores
        if answer.status_code == 503 and "in maintenance" in answer.text and was_restored:
            assert answer.headers["Retry-After"], "503 without Retry-After"
            raise KeptOut
        is_void = answer.status_code == 401 or "/login" in answer.headers.get("Location", "")
        if is_void and (self.place.restores != self.since or self.since % 2 == 1):
            raise KeptOut
        if answer.status_code >= 400:
            self.place.blame(f"{method} {path}: {answer.status_code}\n{answer.text}")
        return answer

    def sign_in(self) -> None:
        """Until it succeeds, or the soak is over."""
        while not self.place.over.is_set():
            try:
                self.http.cookies.clear()
                self.since = self.place.restores
                self.read_token("/login")
                self.ask("POST", "/login", email=self.email, password=PASSWORD)
                self.read_token("/password/change")
                return
            except (CutOff, KeptOut):
                self.place.over.wait(THINKING)

    def read_token(self, page: str) -> None:
        found = _TOKEN.search(self.ask("GET", page).text)
        assert found is not None, page
        self.token = found.group(1)

    def go_on(self, act: Callable[[], None]) -> threading.Thread:
        """Does the act again and again in a thread of its own."""

        def run() -> None:
            try:
                self.sign_in()
                while not self.place.over.wait(self.chance.uniform(0, THINKING)):
                    try:
                        act()
                        self.done += 1
                    except CutOff:
                        continue
                    except KeptOut:
                        self.sign_in()
            except Exception as error:
                self.place.blame(repr(error))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def read(self) -> None:
        """Opens a page."""
        path = self.chance.choice(PAGES)
        answer = self.ask("GET", path)
        if answer.status_code != 200 or "</html>" not in answer.text:
            self.place.blame(f"{path}: {answer.status_code}, {len(answer.text)} characters")

    def write(self, books: Books) -> None:
        """Records a payment, a charge that is invoiced at once, or a tenant."""
        make = self.chance.choice((self._payment, self._payment, self._charge, self._tenant))
        key = books.send()
        path, fields = make(key)
        try:
            answer = self.ask("POST", path, **fields)
        except CutOff:
            books.end(key, "cut off")
            raise
        except KeptOut:
            books.end(key, "refused")
            raise
        if answer.status_code == 303:
            books.end(key, "acknowledged")
        else:
            self.place.blame(f"{path}: {answer.status_code}\n{answer.text}")

    def _payment(self, key: str) -> Form:
        return "/payments/", {
            "lease": REFERENCE.format(self.chance.randrange(LEASES)),
            "amount": f"{self.chance.randrange(1, 900)}.{self.chance.randrange(100):02d}",
            "received_on": "2026-03-01",
            "method": "transfer",
            "reference": key,
            "how": "oldest",
        }

    def _charge(self, key: str) -> Form:
        return f"/billing/leases/{self.chance.randint(1, LEASES)}/charges", {
            "description": key,
            "kind": "other",
            "amount": "12.34",
            "recurrence": "at_once",
            "first_day": "2026-03-01",
        }

    def _tenant(self, key: str) -> Form:
        return "/tenants/", {"kind": "person", "name": key}
