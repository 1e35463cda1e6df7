"""Prometheus's text format, version 0.0.4: metrics with their help, kind and values."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels = Mapping[str, str]


@dataclass(frozen=True)
class Metric:
    """What is measured: its name, `counter`, `gauge` or `histogram`, its labels, and what it is."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


@dataclass
class Family:
    """A metric with the values that it has now. What has none is left out of the page."""

    metric: Metric
    samples: list[tuple[str, Labels, float]] = field(default_factory=list)

    def add(self, value: float | None, labels: Labels = {}, suffix: str = "") -> None:  # noqa: B006
        """One value; None is none. A histogram's values have a suffix."""
        if value is not None:
            self.samples.append((suffix, labels, value))


def as_text(families: Iterable[Family]) -> str:
    """The page."""
    return "".join(f"{line}\n" for family in families for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    metric = family.metric
    if not family.samples:
        return
    yield f"# HELP {metric.name} {metric.help}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for suffix, labels, value in family.samples:
        named = ",".join(f'{name}="{_quoted(text)}"' for name, text in labels.items())
        yield (
            f"{metric.name}{suffix}{{{named}}} {_number(value)}"
            if named
            else (f"{metric.name}{suffix} {_number(value)}")
        )


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
