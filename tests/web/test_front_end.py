"""The shape of templates and static files: icons that exist, nothing inline, no strangers."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SPRITE = (ROOT / "static/vendor/tabler-icons-3.51.0.svg").read_text("utf-8")


def test_every_icon_in_use_is_in_the_sprite() -> None:
    names = runpy.run_path(str(ROOT / "scripts/sprite"))["names_in_use"]()
    made = set(re.findall(r'<symbol id="([^"]+)"', SPRITE))
    assert sorted(set(names) - made) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_script_or_style_stands_in_a_page(template: Path) -> None:
    text = template.read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style\b|\sstyle=|\son[a-z]+=", text)
    assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", text)


def test_what_is_vendored_says_its_licence() -> None:
    vendor = ROOT / "static/vendor"
    for file in vendor.iterdir():
        name = re.split(r"-\d", file.name)[0].split("-latin")[0].split("-")[0]
        assert any(other.name.startswith(name) for other in vendor.glob("*LICENSE.txt")), file.name


def test_styles_and_scripts_load_nothing_from_elsewhere() -> None:
    for file in [*(ROOT / "static/css").iterdir(), *(ROOT / "static/js").iterdir()]:
        assert not re.search(r"https?://", file.read_text("utf-8")), file.name
