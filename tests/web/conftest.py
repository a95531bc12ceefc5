"""The browser of the page's tests: one for each file, with nobody's page left open behind a test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.conftest import missing
from tools.driving import browser, find_chromium


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    if find_chromium() is None:
        missing("no Chromium; on Debian: apt-get install chromium")
    with browser() as launched:
        yield launched


@pytest.fixture(autouse=True)
def closed_pages(chromium: Browser) -> Iterator[None]:
    """Close every page behind the test: a forgotten wall of live tiles takes a core from the next one."""
    yield
    for context in chromium.contexts:
        context.close()
