"""The code that a banking app reads: only where the standard has one."""

import pytest

from proman.billing.payment_code import is_iban, payment_code, spaced_iban

IBAN = "DE89 3704 0044 0532 0130 00"


@pytest.mark.parametrize("account", [IBAN, "GB29NWBK60161331926819", "NO93 8601 1117 947"])
def test_an_iban_has_right_check_digits(account: str) -> None:
    assert is_iban(account)


@pytest.mark.parametrize("account", ["", "DE88 3704 0044 0532 0130 00", "000123456789", "DE89"])
def test_anything_else_is_just_an_account(account: str) -> None:
    assert not is_iban(account)
    assert spaced_iban(account) == account


def test_an_iban_is_printed_in_groups_of_four() -> None:
    assert spaced_iban("de89370400440532013000") == IBAN


def test_the_code_is_a_picture() -> None:
    code = payment_code("Lindenhof GmbH", IBAN, "SSKMDEMMXXX", 48387, "EUR", "L-0042 2027-00012")
    assert code is not None
    assert code.startswith("<svg")


@pytest.mark.parametrize(
    ("holder", "account", "cents", "currency"),
    [
        ("Lindenhof", IBAN, 48387, "USD"),
        ("Lindenhof", "000123456789", 48387, "EUR"),
        ("Lindenhof", IBAN, 0, "EUR"),
        ("", IBAN, 48387, "EUR"),
        ("Lindenhof", IBAN, 100_000_000_000, "EUR"),
    ],
)
def test_there_is_none_outside_the_standard(
    holder: str, account: str, cents: int, currency: str
) -> None:
    assert payment_code(holder, account, "", cents, currency, "L-0042") is None
