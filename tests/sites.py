"""Builds the documentation's site as people do, into a folder of a test."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_PARTS = ("docs", "scripts", "deploy", "README.md", "CHANGELOG.md", "LICENSE", "mkdocs.yml")


def build(folder: Path, top: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run `scripts/docs` of a source; the site is made in the folder."""
    command = [str(top / "scripts" / "docs"), "--into", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def build_site(folder: Path) -> Path:
    """The built site of this source, which has to build without a warning."""
    done = build(folder)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def copy_source(folder: Path) -> Path:
    """What the site is made from, to be changed by a test."""
    folder.mkdir()
    for name in (*_PARTS, "requirements-docs.txt"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
        else:
            shutil.copyfile(ROOT / name, folder / name)
    return folder
