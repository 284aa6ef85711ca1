"""The site in a browser: wide and narrow, light and dark; pictures in build/browser to look at."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[2]
# A page of each kind; of the lessons, the one with the most formulas.
PAGES = (
    "index.html",
    "lessons/01-convolution.html",
    "lessons/03-losses-and-gradients.html",
    "syllabus.html",
    "errata.html",
    "guides/grading.html",
    "guides/security.html",
    "commands.html",
    "reference/autograder.html",
    "reference/modules.html",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("site") / "site"
    env = {**os.environ, "PYTHONPATH": str(ROOT / "docs" / "site")}
    words = [sys.executable, "-m", "coursesite", "--output", str(output)]
    subprocess.run(words, cwd=ROOT, env=env, check=True, capture_output=True)
    return output


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_every_kind_of_page_fits_and_loads_nothing_from_elsewhere(
    browser: Browser, site: Path, shoot: Callable[[Page, str], None], width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
    )
    complaints: list[str] = []
    try:
        page = context.new_page()
        page.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        for name in PAGES:
            page.goto((site / name).as_uri())
            wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wider <= 0, f"{name} is {wider} px wider than the screen"
            shoot(page, f"{name.removesuffix('.html').replace('/', '-')}-{width}-{scheme}")
    finally:
        context.close()
    assert complaints == []


def test_dark_pages_are_dark_and_light_ones_light(browser: Browser, site: Path) -> None:
    seen = {}
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto((site / "errata.html").as_uri())
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        seen[scheme] = sum(map(int, colour.strip("rgba()").split(",")[:3]))
        context.close()
    assert seen["light"] > 700
    assert seen["dark"] < 100


def test_formulas_stand_in_the_site_s_own_font(page: Page, site: Path) -> None:
    page.goto((site / "lessons" / "03-losses-and-gradients.html").as_uri())
    page.evaluate("document.fonts.ready")
    assert page.evaluate("document.fonts.check('16px \"Site Math\"')")
    high = page.locator("math[display=block] munderover").first.bounding_box()
    assert high is not None
    assert high["height"] > 30, "the limits of a sum stand above and below it"


def test_a_row_of_the_syllabus_leads_to_its_place_in_the_lesson(page: Page, site: Path) -> None:
    page.goto((site / "syllabus.html").as_uri())
    page.locator("#S003 a", has_text="Exercise 2").click()
    page.wait_for_url("**/lessons/01-convolution.html#*")
    page.wait_for_function("""() => {
        const titles = [...document.querySelectorAll('h2, h3, h4')];
        const top = titles.find(t => t.textContent.includes('Exercise 2')).getBoundingClientRect().top;
        return top >= 0 && top < 300;
    }""")


def test_a_check_unfolds(page: Page, site: Path) -> None:
    page.goto((site / "lessons" / "01-convolution.html").as_uri())
    check = page.locator("details.check").first
    code = check.locator("pre")
    assert not code.is_visible()
    check.locator("summary").click()
    assert code.is_visible()


def test_the_search_finds_a_lesson_without_a_server(page: Page, site: Path) -> None:
    page.goto((site / "search.html").as_uri() + "?q=im2col")
    page.wait_for_selector("#search-results li a")
    assert page.locator("#search-results a", has_text="01 · Convolution by hand").count() == 1
