"""A real Chromium, and a page that fails its test when the console reports an error."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for all tests of a worker."""
    expect.set_options(timeout=30_000)  # as long as every other wait; a busy machine is no fault
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("PROMAN_TEST_CHROMIUM", "/usr/bin/chromium"),
            headless=True,
            chromium_sandbox=False,
            args=ARGUMENTS,
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page in a context of its own; errors on its console fail the test."""
    context = chromium.new_context(locale="en-GB", accept_downloads=True)
    page = context.new_page()
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # The browser notes 4xx answers here, and htmx a request that a navigation cut short.
        cut_short = message.text.startswith(("htmx:sendError", "htmx:afterRequest"))
        refused = "Failed to load resource" in message.text
        if message.type == "error" and not (refused or cut_short):
            said.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert not said, said
