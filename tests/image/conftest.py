"""The tests of the image call what runs it their engine."""

import pytest

from tests.containers import Engine


@pytest.fixture(scope="session")
def engine(image: Engine) -> Engine:
    """Where `proman:test` is, built from the Dockerfile as it is."""
    return image
