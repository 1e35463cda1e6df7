"""The pictures of the guide are taken as `scripts/shots --guide` takes them."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from scripts.take_guide_shots import MOST_BYTES, PICTURES, WIDTH, take
from scripts.take_shots import load_demonstration
from tests.servers import serving

pytestmark = pytest.mark.browser


def test_a_picture_of_the_portal_is_taken(chromium: Browser, tmp_path: Path) -> None:
    load_demonstration(tmp_path / "home", leases=5, months=2)
    (portal,) = (one for one in PICTURES if one.name == "portal")
    with serving(tmp_path / "home") as server:
        path = take(portal, chromium, server.url, tmp_path)
    content = path.read_bytes()
    assert (content[:4], content[8:16]) == (b"RIFF", b"WEBPVP8X")
    assert int.from_bytes(content[24:27], "little") + 1 == WIDTH
    assert 5_000 < len(content) <= MOST_BYTES
