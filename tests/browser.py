"""A real browser for tests of pages: Debian's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.processes import PATIENCE_SECONDS

CHROMIUM = shutil.which("chromium")
# no connection of the browser's own, such as a look for updates
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LAPTOP, PHONE = {"width": 1280, "height": 720}, {"width": 390, "height": 844}
in_browser = [
    pytest.mark.slow,
    # CI installs it; there its absence is a failure
    pytest.mark.skipif(CHROMIUM is None and "CI" not in os.environ, reason="Chromium is not installed"),
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests of a process: Playwright cannot be started twice."""
    expect.set_options(timeout=1000 * PATIENCE_SECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM or "/usr/bin/chromium", args=QUIET)
        yield browser
        browser.close()


class Watched:
    """A page with all that went wrong on it, and all that it asked for."""

    def __init__(self, page: Page):
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def hosts(self) -> set[str]:
        """Whom it asked; what lies in the page itself or in a file has none."""
        return {host for url in self.requests if (host := urlsplit(url).netloc)}


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A fresh page, as large as a laptop's."""
    context = browser.new_context(viewport=LAPTOP)  # type: ignore[arg-type]
    page = context.new_page()
    yield Watched(page)
    context.close()
