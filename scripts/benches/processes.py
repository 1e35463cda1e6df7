"""One server process and several on one socket: the list of leases, as a multiple (2: 1.6)."""

import argparse
import os
import statistics
import tempfile
from pathlib import Path

from scripts.benches.clients import ask
from scripts.benches.sites import demonstration, sign_in
from tests.servers import serving

ADDRESS = "/leases/"


def measure(arguments: list[str]) -> None:
    """Both in turn, several rounds; the middle one of their ratios."""
    parser = argparse.ArgumentParser(prog="scripts/bench processes", description=__doc__)
    parser.add_argument("--leases", type=int, default=10_000)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    wanted = parser.parse_args(arguments)
    print(f"{os.cpu_count()} cores; the one who asks needs a part of them too")
    with (
        tempfile.TemporaryDirectory(prefix="proman-bench-") as folder,
        demonstration(Path(folder), wanted.leases, wanted.months) as (one, cookie),
        serving(Path(folder), "--processes", str(wanted.processes)) as several,
    ):
        cookies = {one: cookie, several.url: sign_in(several.url, "manager@example.com")}
        rates: dict[str, list[float]] = {url: [] for url in cookies}
        for _ in range(wanted.rounds):
            for url, own in cookies.items():
                rate = ask(url + ADDRESS, cookie=own, seconds=wanted.seconds)
                rates[url].append(rate.per_second)
        ratios = [many / single for single, many in zip(*rates.values(), strict=True)]
        print(f"{'processes':<10}{'answers/s':>10}{'of one':>8}")
        print(f"{1:<10}{statistics.median(rates[one]):>10.0f}{1:>8.2f}")
        many = statistics.median(rates[several.url])
        print(f"{wanted.processes:<10}{many:>10.0f}{statistics.median(ratios):>8.2f}")
