"""Asks a server as fast as it answers, over connections that are kept open."""

import socket
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Rate:
    """How many answers a second, and how long 95 of 100 took at most (milliseconds)."""

    per_second: float
    p95: float


def ask(url: str, *, cookie: str = "", seconds: float = 2.0, connections: int = 8) -> Rate:
    """GET an address again and again. Raises RuntimeError for an answer other than 200."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {cookie}\r\n\r\n".encode()
    place = (parts.hostname or "127.0.0.1", parts.port or 80)
    times: list[float] = []
    faults: list[str] = []
    end = time.perf_counter() + seconds

    def run() -> None:
        with socket.create_connection(place, timeout=30) as connection:
            reader = connection.makefile("rb")
            while time.perf_counter() < end and not faults:
                began = time.perf_counter()
                connection.sendall(request)
                status = reader.readline()
                if b" 200 " not in status:
                    faults.append(f"{path} answers {status.decode().strip()}")
                    return
                _rest(reader)
                times.append(time.perf_counter() - began)

    threads = [threading.Thread(target=run) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(faults[0])
    times.sort()
    return Rate(len(times) / seconds, 1000 * times[int(0.95 * (len(times) - 1))])


def _rest(reader: "socket.SocketIO | object") -> None:
    """Read headers and body of one answer."""
    length, chunked = 0, False
    while line := reader.readline().strip().lower():  # type: ignore[attr-defined]
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
        chunked = chunked or line == b"transfer-encoding: chunked"
    if not chunked:
        reader.read(length)  # type: ignore[attr-defined]
        return
    while size := int(reader.readline().strip() or b"0", 16):  # type: ignore[attr-defined]
        reader.read(size + 2)  # type: ignore[attr-defined]
    reader.readline()  # type: ignore[attr-defined]
