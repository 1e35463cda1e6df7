"""Brings what stands at the top of the source into the documentation's site, as a hook of mkdocs.

Links are written for whoever looks at the source, where a git host follows them. In the site the
same files have other places, so that their links are set right here, and nowhere else.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
AT_THE_TOP = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "LICENSE": "license.md"}
_LINK = re.compile(r"(?<=\]\()([^)#\s]+)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from the top."""
    for name, page in AT_THE_TOP.items():
        text = (ROOT / name).read_text("utf-8")
        if page == "license.md":
            text = f"# License\n\n```text\n{text}```\n"
        files.append(File.generated(config, page, content=_LINK.sub(_from_the_top, text)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead the links of docs/ that go to the top to where those pages stand in the site."""
    up = "../" * page.file.src_uri.count("/")
    for name, target in AT_THE_TOP.items():
        markdown = markdown.replace(f"]({up}../{name}", f"]({up}{target}")
    return markdown


def _from_the_top(link: re.Match[str]) -> str:
    return AT_THE_TOP.get(link[1], link[1].removeprefix("docs/"))
