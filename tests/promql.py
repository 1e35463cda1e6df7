"""Evaluates the part of PromQL that the alert rules use, on scrapes of a real server.

Selectors with matchers, `[5m]` in rate(), increase(), changes() and max_over_time(), time(),
absent(), histogram_quantile(), sum, min and max with `by` and `without`, arithmetic, comparisons
that filter, and, or, unless. As in Prometheus the two sides of an operator are matched by all
labels; a rate is not extrapolated.
"""

import operator
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise

from tests.scraping import Key, Scrape

Vector = dict[Key, float]
Value = float | Vector
_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<span>\d+[smhdw])|(?P<number>\d+(?:\.\d+)?(?:e\d+)?)'
    r"|(?P<name>[a-zA-Z_:][\w:]*)|(?P<sign>=~|!~|==|!=|>=|<=|[-+*/()<>={}\[\],]))"
)
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq, "!=": operator.ne, ">": operator.gt,
    "<": operator.lt, ">=": operator.ge, "<=": operator.le,
}  # fmt: skip
_SUM: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
    "/": lambda a, b: a / b if b else float("nan"),
}  # fmt: skip
_LEVELS = ({"or"}, {"and", "unless"}, set(_COMPARE), {"+", "-"}, {"*", "/"})
_JOIN = {"sum": sum, "min": min, "max": max}


def seconds(span: str) -> int:
    """`15m` in seconds."""
    return int(span[:-1]) * SECONDS[span[-1]]


def evaluated(expression: str, scrapes: Sequence[Scrape], now: float | None = None) -> Value:
    """The value at `now` (default: the last scrape's time); an alert fires where it has any."""
    parser = _Parser(expression, scrapes, scrapes[-1].at if now is None else now)
    value = parser.level(0)
    assert parser.at == len(parser.tokens), f"{expression}: {parser.tokens[parser.at :]}"
    return value


class _Parser:
    def __init__(self, expression: str, scrapes: Sequence[Scrape], now: float) -> None:
        self.scrapes = scrapes
        self.now = now
        self.at = 0
        self.tokens: list[tuple[str, str]] = []
        place, expression = 0, expression.strip()
        while place < len(expression):
            found = _TOKEN.match(expression, place)
            assert found is not None, f"not understood: {expression[place:]}"
            assert found.lastgroup is not None
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            place = found.end()

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        _, text = self.tokens[self.at]
        assert not wanted or text == wanted, f"{text} stands where {wanted} should"
        self.at += 1
        return text

    def level(self, depth: int) -> Value:
        if depth == len(_LEVELS):
            return self.atom()
        left = self.level(depth + 1)
        while self.peek() in _LEVELS[depth]:
            sign = self.take()
            left = _combined(sign, left, self.level(depth + 1))
        return left

    def atom(self) -> Value:
        kind, text = self.tokens[self.at]
        if text == "(":
            return self.inside()
        self.take()
        if kind == "number":
            return float(text)
        assert kind == "name", f"{text} begins nothing"
        if text == "time":
            self.take("(")
            self.take(")")
            return self.now
        if text in _JOIN:
            return self.joined(text)
        if text in ("rate", "increase", "changes"):
            self.take("(")
            found = self.change(text)
            self.take(")")
            return found
        if text == "max_over_time":
            self.take("(")
            over = self.most()
            self.take(")")
            return over
        if text == "absent":
            return {} if self.inside() else {frozenset(): 1.0}
        if text == "histogram_quantile":
            self.take("(")
            share = self.level(0)
            self.take(",")
            buckets = self.level(0)
            self.take(")")
            assert isinstance(share, float)
            assert isinstance(buckets, dict)
            return _quantile(share, buckets)
        return self.selected(text, self.scrapes[-1])

    def inside(self) -> Value:
        self.take("(")
        value = self.level(0)
        self.take(")")
        return value

    def labels(self) -> set[str]:
        self.take("(")
        found = set()
        while self.peek() != ")":
            found.add(self.take())
            if self.peek() == ",":
                self.take()
        self.take(")")
        return found

    def joined(self, how: str) -> Vector:
        word = self.take() if self.peek() in ("by", "without") else "by"
        names = self.labels() if self.tokens[self.at - 1][1] in ("by", "without") else set()
        value = self.inside()
        assert isinstance(value, dict)
        groups = defaultdict(list)
        for key, each in value.items():
            named = _unnamed(key)
            kept = {pair for pair in named if (pair[0] in names) == (word == "by")}
            groups[frozenset(kept)].append(each)
        return {key: float(_JOIN[how](each)) for key, each in groups.items()}

    def matchers(self) -> list[tuple[str, str, str]]:
        found = []
        if self.peek() == "{":
            self.take()
            while self.peek() != "}":
                found.append((self.take(), self.take(), self.take()[1:-1]))
                if self.peek() == ",":
                    self.take()
            self.take("}")
        return found

    def selected(self, name: str, scrape: Scrape) -> Vector:
        matchers = self.matchers()
        return {
            key: value
            for key, value in scrape.values.items()
            if dict(key)["__name__"] == name and _fits(dict(key), matchers)
        }

    def most(self) -> Vector:
        """The highest value of each series within a span, of those that are gone as well."""
        name, begin = self.take(), self.at
        self.matchers()
        self.take("[")
        span = seconds(self.take())
        self.take("]")
        after, found = self.at, dict[Key, float]()
        for one in self.scrapes:
            self.at = begin
            if self.now - span <= one.at <= self.now:
                for key, value in self.selected(name, one).items():
                    found[key] = max(value, found.get(key, value))
        self.at = after
        return {_unnamed(key): value for key, value in found.items()}

    def change(self, how: str) -> Vector:
        name, begin = self.take(), self.at
        last = self.selected(name, self.scrapes[-1])
        end = self.at
        self.take("[")
        span = seconds(self.take())
        self.take("]")
        within = [one for one in self.scrapes if self.now - span <= one.at <= self.now]
        if len(within) < 2:
            return {}
        after = self.at
        grown: Vector = dict.fromkeys(last, 0.0)
        for earlier, later in pairwise(within):
            self.at = begin
            old = self.selected(name, earlier)
            for key in grown:
                now, before = later.values.get(key, 0.0), old.get(key, 0.0)
                if how == "changes":
                    grown[key] += now != before
                else:
                    grown[key] += now - before if now >= before else now
        assert self.at == end
        self.at = after
        took = within[-1].at - within[0].at
        over = took if how == "rate" else 1
        return {_unnamed(key): value / over for key, value in grown.items()}


def _unnamed(key: Key) -> Key:
    return frozenset(pair for pair in key if pair[0] != "__name__")


def _fits(labels: dict[str, str], matchers: list[tuple[str, str, str]]) -> bool:
    tests = {
        "=": lambda has, wanted: has == wanted,
        "!=": lambda has, wanted: has != wanted,
        "=~": lambda has, wanted: re.fullmatch(wanted, has) is not None,
        "!~": lambda has, wanted: re.fullmatch(wanted, has) is None,
    }
    return all(tests[sign](labels.get(name, ""), wanted) for name, sign, wanted in matchers)


def _combined(sign: str, left: Value, right: Value) -> Value:
    if sign in ("and", "or", "unless"):
        assert isinstance(left, dict)
        assert isinstance(right, dict)
        there = {_unnamed(key) for key in right}
        if sign == "or":
            mine = {_unnamed(key) for key in left}
            return {**left, **{key: v for key, v in right.items() if _unnamed(key) not in mine}}
        return {k: v for k, v in left.items() if (_unnamed(k) in there) == (sign == "and")}
    if isinstance(left, float) and isinstance(right, float):
        return _SUM[sign](left, right)
    pairs = _paired(left, right)
    if sign in _COMPARE:
        kept = left if isinstance(left, dict) else right
        assert isinstance(kept, dict)
        return {key: kept[key] for key, a, b in pairs if _COMPARE[sign](a, b)}
    return {_unnamed(key): _SUM[sign](a, b) for key, a, b in pairs}


def _paired(left: Value, right: Value) -> list[tuple[Key, float, float]]:
    if isinstance(left, float):
        assert isinstance(right, dict)
        return [(key, left, value) for key, value in right.items()]
    if isinstance(right, float):
        return [(key, value, right) for key, value in left.items()]
    others = {_unnamed(key): value for key, value in right.items()}
    return [(k, v, others[_unnamed(k)]) for k, v in left.items() if _unnamed(k) in others]


def _quantile(share: float, buckets: Vector) -> Vector:
    groups: dict[Key, dict[float, float]] = defaultdict(dict)
    for key, count in buckets.items():
        end = dict(key)["le"]
        groups[_unnamed(key) - {("le", end)}][float(end)] = count
    found = {}
    for key, counts in groups.items():
        ends = sorted(counts)
        wanted = share * counts[ends[-1]]
        if not wanted:
            continue
        place = next(n for n, end in enumerate(ends) if counts[end] >= wanted)
        if place == len(ends) - 1:
            found[key] = ends[-2]
            continue
        low, below = (ends[place - 1], counts[ends[place - 1]]) if place else (0.0, 0.0)
        part = (wanted - below) / (counts[ends[place]] - below)
        found[key] = low + (ends[place] - low) * part
    return found
