"""Hashes of passwords and links."""

from proman.identity.passwords import hash_password, hash_token, is_password, new_token


def test_a_hash_carries_owasps_setting_and_fits_only_its_password() -> None:
    stored = hash_password("correct horse battery")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert is_password(stored, "correct horse battery")
    assert not is_password(stored, "correct horse batterY")


def test_no_hash_fits_no_password() -> None:
    assert not is_password(None, "")
    assert not is_password("not a hash", "anything")


def test_a_token_is_stored_as_its_hash_only() -> None:
    token, stored = new_token()
    assert hash_token(token) == stored
    assert token not in stored
    assert len(stored) == 64
