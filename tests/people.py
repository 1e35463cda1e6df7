"""People who use a running server over HTTP: they sign in, and send forms with their token."""

import re
from typing import Any

import requests

_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


class Person:
    """Somebody signed in to a server; a session of their own."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self.url = url
        self.http = requests.Session()
        answer = self.post("/login", start="/login", email=email, password=password)
        assert answer.status_code == 303, answer.text

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET a path of the server."""
        return self.http.get(self.url + path, timeout=60, **options)

    def post(
        self, path: str, *, start: str = "/password/change", **fields: Any
    ) -> requests.Response:
        """POST a form, with the token that the page `start` gives; redirects are not followed."""
        return self.send(path, self.token(start), **fields)

    def token(self, start: str = "/password/change") -> str:
        """The token that a page gives for the forms of this session."""
        token = _TOKEN.search(self.get(start).text)
        assert token is not None
        return token.group(1)

    def send(self, path: str, token: str, **fields: Any) -> requests.Response:
        """POST a form with a token that a page gave before; redirects are not followed."""
        data = {**fields, "csrf_token": token}
        return self.http.post(self.url + path, data=data, timeout=60, allow_redirects=False)
