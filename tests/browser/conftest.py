"""The system's Chromium, pages of it, and pictures of them for people to look at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab import PATIENCE
from playwright.sync_api import Browser, Page, expect, sync_playwright

PICTURES = Path(__file__).parents[2] / "build" / "browser"  # which git ignores
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no `chromium` on this machine: apt-get install chromium")
    # Chromium's own sandbox refuses to start as root.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        yield browser
        browser.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[[], Page]]:
    """Opens pages, each of a person of their own."""
    pages: list[Page] = []

    def open_page() -> Page:
        page = browser.new_page(viewport={"width": 1440, "height": 960})
        page.set_default_timeout(PATIENCE)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.context.close()


@pytest.fixture
def page(new_page: Callable[[], Page]) -> Page:
    return new_page()


@pytest.fixture
def shoot(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Keeps a picture of a page in ``build/browser``, for people to look at."""
    PICTURES.mkdir(parents=True, exist_ok=True)

    def take(page: Page, name: str) -> None:
        page.screenshot(path=PICTURES / f"{request.path.stem.removeprefix('test_')}-{name}.png")

    return take


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """A picture of every open page of a test that failed."""
    report = yield
    if call.when == "setup":
        for old in PICTURES.glob(f"failed-{item.name}-*"):
            old.unlink()
    if call.when == "call" and report.failed and "browser" in getattr(item, "funcargs", {}):
        PICTURES.mkdir(parents=True, exist_ok=True)
        pages = [page for ctx in item.funcargs["browser"].contexts for page in ctx.pages]
        for number, page in enumerate(pages):
            page.screenshot(path=PICTURES / f"failed-{item.name}-{number}.png")
    return report
