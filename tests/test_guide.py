"""The user guide speaks in the words of the pages, and shows pictures that there are."""

import re

from scripts.take_guide_shots import FIRST_VISIT, IMAGES, MOST_BYTES, PICTURES, ROOT

GUIDE = ROOT / "docs" / "guide"
PAGES = {path.name: path.read_text("utf-8") for path in sorted(GUIDE.glob("*.md"))}


def test_every_button_and_page_that_it_names_is_there() -> None:
    sources = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "proman").rglob("*.py")]
    said = "\n".join(path.read_text("utf-8") for path in sources)
    for name, text in PAGES.items():
        for words in re.findall(r"\*\*(.+?)\*\*", text, re.DOTALL):
            assert " ".join(words.split()) in said, (name, words)


def test_each_picture_is_shown_and_none_is_missing() -> None:
    shown = set(re.findall(r"\(\.\./images/([a-z-]+)\.webp\)", "".join(PAGES.values())))
    taken = {picture.name for picture in (FIRST_VISIT, *PICTURES)}
    assert shown == taken
    assert {path.name for path in IMAGES.iterdir()} == {f"{name}.webp" for name in taken}


def test_a_picture_is_small() -> None:
    for path in IMAGES.iterdir():
        assert path.stat().st_size <= MOST_BYTES, path.name
