"""Servers to measure: ProMan with its demonstration, and a Flask view that answers a constant."""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.servers import environment_of, serving

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "look around freely"
CONSTANT = """
from flask import Flask
from waitress import create_server
app = Flask("constant")
app.add_url_rule("/", view_func=lambda: "constant")
server = create_server(app, host="127.0.0.1", port=0, threads=8)
print(server.effective_port, flush=True)
server.run()
"""


@contextmanager
def constant() -> Iterator[str]:
    """The address of the yardstick, on the same server software with the same threads."""
    process = subprocess.Popen(
        [sys.executable, "-c", CONSTANT],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    port = process.stdout.readline().strip()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@contextmanager
def folder_of(kept: str | None) -> Iterator[Path]:
    """A folder to keep, or one that is gone afterwards."""
    if kept:
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory(prefix="proman-bench-") as name:
        yield Path(name)


@contextmanager
def demonstration(
    folder: Path, leases: int, months: int, who: str = "manager@example.com"
) -> Iterator[tuple[str, str]]:
    """ProMan's address with a demonstration of that size, and the cookie of who looks at it.

    One that stands in the folder already is taken as it is.
    """
    began = time.perf_counter()
    size = ["--leases", str(leases), "--months", str(months), "--password", PASSWORD]
    is_new = not (folder / "proman.sqlite").exists()
    for words in (["db", "upgrade"], *([["demo", "load", *size]] if is_new else [])):
        command = [str(Path(sys.executable).parent / "flask"), *words]
        subprocess.run(
            command, cwd=ROOT, env=environment_of(folder), check=True, capture_output=True
        )
    if is_new:
        print(f"{leases:,} leases, {months} months, loaded in {time.perf_counter() - began:.0f} s")
    with serving(folder) as server:
        yield server.url, sign_in(server.url, who)


def sign_in(url: str, email: str) -> str:
    """The cookie of a person."""
    session = requests.Session()
    token = re.search(r'name="csrf-token" content="([^"]+)"', session.get(f"{url}/login").text)
    assert token is not None
    typed = {"email": email, "password": PASSWORD, "csrf_token": token.group(1)}
    answer = session.post(f"{url}/login", data=typed, allow_redirects=False)
    assert answer.status_code == 303, answer.text
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
