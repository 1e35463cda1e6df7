"""Passwords, waiting after failures, where a login may lead, patterns of numbers."""

from datetime import datetime, timedelta

import pytest

from proman.base.errors import Refused
from proman.identity.rules import (
    is_safe_next,
    refuse_unusable_pattern,
    refuse_weak_password,
    tries_again_at,
    wait_after,
)


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "nine char",
        "x" * 201,
        "Password123",
        "aaaaaaaaaaaa",
        "alice@example.com",
        "ALICE MILLER",
    ],
)
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(Refused) as refusal:
        refuse_weak_password(password, email="alice@example.com", name="Alice Miller")
    assert refusal.value.field == "password"


@pytest.mark.parametrize(
    "password", ["ten chars!", "correct horse battery", "пароль длинный", "x1y2" * 50]
)
def test_a_long_enough_password_is_taken(password: str) -> None:
    refuse_weak_password(password, email="alice@example.com", name="Alice Miller")


@pytest.mark.parametrize(
    ("kind", "failures", "seconds"),
    [
        ("email", 0, 0),
        ("email", 4, 0),
        ("email", 5, 1),
        ("email", 6, 2),
        ("email", 9, 16),
        ("email", 15, 900),
        ("email", 100_000, 900),
        ("address", 19, 0),
        ("address", 20, 1),
    ],
)
def test_waiting_doubles_and_is_capped(kind: str, failures: int, seconds: int) -> None:
    assert wait_after(kind, failures) == timedelta(seconds=seconds)


def test_the_wait_counts_from_the_last_failure() -> None:
    last = datetime(2027, 3, 28, 1, 59, 59)
    assert tries_again_at("email", 7, last) == datetime(2027, 3, 28, 2, 0, 3)


@pytest.mark.parametrize("target", ["/", "/leases/?q=a&page=2", "/invoices/7", "/a?next=http://b"])
def test_paths_of_this_server_are_safe(target: str) -> None:
    assert is_safe_next(target)


@pytest.mark.parametrize(
    "target",
    [
        "",
        "leases/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/a\r\nSet-Cookie: x=1",
    ],
)
def test_everything_else_is_not(target: str) -> None:
    assert not is_safe_next(target)


@pytest.mark.parametrize(
    "pattern", ["{year}-{sequence:05d}", "R{year}/{sequence}", "{sequence:6d}/{year}"]
)
def test_patterns_that_tell_documents_apart(pattern: str) -> None:
    refuse_unusable_pattern(pattern, "invoice_pattern")


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "INV",
        "{sequence:05d}",
        "{year}",
        "{year}{year}{sequence}",
        "{year}-{sequence",
        "{year}-{sequence:x}",
        "{year}-{sequence:9999d}",
        "{year.real}-{sequence}",
        "{year!r}-{sequence}",
        "{0}-{year}-{sequence}",
        "{year}-{sequence}-{month}",
        "{year}-{sequence}" + "x" * 40,
    ],
)
def test_patterns_that_do_not_are_refused(pattern: str) -> None:
    with pytest.raises(Refused) as refusal:
        refuse_unusable_pattern(pattern, "invoice_pattern")
    assert refusal.value.field == "invoice_pattern"
