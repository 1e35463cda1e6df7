"""Brings what stands outside of docs/ into the documentation's site, as a hook of mkdocs.

Links are written for whoever looks at the source, where a git host follows them. In the site the
same files have other places, so that their links are set right here, and nowhere else: README.md
and its like become pages, any other file that a page links to is put beside them as it is.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
AT_THE_TOP = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "LICENSE": "license.md"}
_LINK = re.compile(r"(?<=\]\()(?!\w+:)([^)#\s]+)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from the top, and the files of the source that pages link to."""
    texts = {name: (ROOT / name).read_text("utf-8") for name in AT_THE_TOP}
    linked = {path for name, text in texts.items() for path in _linked_from(name, text)}
    for file in files.documentation_pages():
        name = f"docs/{file.src_uri}"
        linked.update(_linked_from(name, file.content_string))
    for name, text in texts.items():
        page = AT_THE_TOP[name]
        if page == "license.md":
            text = f"# License\n\n```text\n{text}```\n"
        files.append(File.generated(config, page, content=_set_right(text, name, page)))
    for path in sorted(linked):
        place = _place(path)
        if place.startswith("source/") and (ROOT / path).is_file():
            files.append(File.generated(config, place, content=(ROOT / path).read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead the links of docs/ to where their targets stand in the site."""
    if page.file.src_uri in AT_THE_TOP.values():
        return markdown
    return _set_right(markdown, f"docs/{page.file.src_uri}", page.file.src_uri)


def _linked_from(name: str, text: str) -> set[str]:
    """The files of the source, from its top, that a document of it links to."""
    folder = posixpath.dirname(name)
    return {posixpath.normpath(posixpath.join(folder, link)) for link in _LINK.findall(text)}


def _place(path: str) -> str:
    """Where in the site a file of the source stands."""
    if path in AT_THE_TOP:
        return AT_THE_TOP[path]
    return path.removeprefix("docs/") if path.startswith("docs/") else f"source/{path}"


def _set_right(text: str, name: str, page: str) -> str:
    def target(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), link[1]))
        if not (ROOT / path).exists():
            return link[1]  # as it is written, so that mkdocs complains of that
        return posixpath.relpath(_place(path), posixpath.dirname(page) or ".")

    return _LINK.sub(target, text)
