"""Reads `/metrics` strictly: what is not quite Prometheus's text format 0.0.4 fails."""

import re
import time
from dataclasses import dataclass, field

import requests

Key = frozenset[tuple[str, str]]
"""The labels of a series; its name is the label `__name__`."""
_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)")
_LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
_SUFFIXES = {"histogram": {"_bucket", "_sum", "_count"}, "gauge": {""}, "counter": {""}}


@dataclass
class Scrape:
    """What was asked at a moment (seconds since 1970): values by series, kinds by metric."""

    at: float
    values: dict[Key, float] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float:
        """The value of the one series of a name."""
        (found,) = self.of(name).values()
        return found

    def __contains__(self, name: str) -> bool:
        return bool(self.of(name))

    def of(self, name: str) -> dict[Key, float]:
        """The series of a name, without it."""
        label = ("__name__", name)
        return {key - {label}: value for key, value in self.values.items() if label in key}

    def one(self, metric: str, **labels: str) -> float:
        """The value of the series with exactly these labels."""
        return self.of(metric)[frozenset(labels.items())]


def scraped(url: str) -> Scrape:
    """What a server says now."""
    answer = requests.get(f"{url}/metrics", timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return parsed(answer.text, time.time())


def parsed(text: str, at: float = 0.0) -> Scrape:
    """The values of a page: of each metric one HELP, one TYPE, then its series, each once."""
    assert text.endswith("\n")
    assert "\r" not in text
    found = Scrape(at)
    helped = metric = ""
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            helped = line.split()[2]
            assert re.fullmatch(rf"# HELP {helped} \S.*", line), line
            assert "\\" not in line
        elif line.startswith("# TYPE "):
            _, _, metric, kind = line.split(" ")
            assert metric == helped
            assert metric not in found.kinds, line
            assert kind in _SUFFIXES
            assert (kind == "counter") == metric.endswith("_total")
            found.kinds[metric] = kind
        else:
            _take(found, metric, line)
    _prove_histograms(found)
    return found


def _take(found: Scrape, metric: str, line: str) -> None:
    sample = _SAMPLE.fullmatch(line)
    assert sample, line
    name, told, value = sample.groups()
    assert name.startswith(metric), line
    assert name.removeprefix(metric) in _SUFFIXES[found.kinds[metric]], line
    labels = {label: _unquoted(quoted) for label, quoted in _LABEL.findall(told or "")}
    assert _LABEL.sub("", told or "") == "", line
    key = frozenset({**labels, "__name__": name}.items())
    assert key not in found.values, line
    found.values[key] = float(value)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), text)


def _prove_histograms(found: Scrape) -> None:
    for metric, kind in found.kinds.items():
        if kind != "histogram":
            continue
        for key, count in found.of(f"{metric}_count").items():
            ends = {
                float(dict(each)["le"]): value
                for each, value in found.of(f"{metric}_bucket").items()
                if each - {("le", dict(each)["le"])} == key
            }
            rising = [ends[end] for end in sorted(ends)]
            assert rising == sorted(rising)
            assert ends[float("inf")] == count
            assert key in found.of(f"{metric}_sum")
