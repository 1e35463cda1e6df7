"""A text of blanks is no text: what must be given is asked for again."""

import pytest
from flask.testing import FlaskClient


@pytest.mark.parametrize(
    ("address", "typed"),
    [
        ("/properties/", {"name": "  ", "type": "apartments", "country": "DE"}),
        ("/tenants/", {"name": " \t", "kind": "person", "email": "a@example.com"}),
        ("/password/name", {"name": "   "}),
    ],
)
def test_a_name_of_blanks_is_refused(
    mona: FlaskClient, address: str, typed: dict[str, str]
) -> None:
    answer = mona.post(address, data=typed)
    assert answer.status_code == 422
    assert 'id="name-error"' in answer.text
