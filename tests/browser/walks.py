"""What people do again and again in a browser: set ProMan up, and sign in."""

from playwright.sync_api import Page

from tests.servers import Server

PASSWORD = "a believable password"


def set_up(page: Page, server: Server, business: str, country: str, currency: str) -> None:
    """Make the first administrator (owner@example.com) and organization on the first visit."""
    page.goto(server.url)
    page.wait_for_url("**/setup")
    page.get_by_label("Your name").fill("Olivia Owner")
    page.get_by_label("Your e-mail").fill("owner@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Name of the business").fill(business)
    with page.expect_response("**/setup/places*"):
        page.get_by_label("Country").select_option(country)
    page.locator(f"#currency option[value={currency}]:checked").wait_for(state="attached")
    page.get_by_role("button", name="Set up").click()
    page.wait_for_url(f"{server.url}/")


def sign_in(page: Page, server: Server, email: str, password: str = PASSWORD) -> None:
    """Sign in and wait for the first page."""
    page.goto(f"{server.url}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)
