"""Formgrader as an instructor uses it: its pages, its tables, its buttons."""

from __future__ import annotations

import re

from courses import LESSON
from lab import Lab, words
from playwright.sync_api import FrameLocator, Locator, Page, expect


class Formgrader:
    """Formgrader in its tab of JupyterLab."""

    def __init__(self, page: Page, lab: Lab) -> None:
        self.page = page
        page.goto(lab.address())
        page.locator("#jp-menu-panel").get_by_role("menuitem", name="Nbgrader").click()
        page.locator(".lm-Menu").get_by_text("Formgrader", exact=True).click()
        self.inside: FrameLocator = page.frame_locator("iframe")
        self.row(LESSON)

    def go(self, place: str) -> None:
        """One of the pages that the left side names."""
        self.inside.get_by_role("link", name=place, exact=True).first.click()

    def row(self, name: str) -> Locator:
        """A line of the table, once it is there."""
        row = self.inside.locator("#main-table tr").filter(has_text=name)
        expect(row).to_be_visible()
        return row

    def press(self, row: str, button: str) -> str:
        """Press a button of a line; the log of what it did, which must have succeeded."""
        self.row(row).locator(f".{button} a").click()
        modal = self.inside.locator(".modal.in")
        expect(modal).to_be_visible()
        said = words(modal)
        assert modal.get_attribute("id") == "success-modal", said[-2000:]
        modal.locator(".modal-footer button").click()
        expect(self.inside.locator(".modal, .modal-backdrop")).to_have_count(0)
        return said

    def open_answer(self, student: str, text: str) -> Locator:
        """By way of *Manual Grading* to the answer of a student that holds ``text``; its box."""
        self.go("Manual Grading")
        for name in ("Assignment ID", "Notebook ID"):
            expect(self.inside.get_by_role("columnheader", name=name)).to_be_visible()
            self.row(LESSON).get_by_role("link", name=LESSON).click()
        self.row(student)  # its name is there, hidden
        self.inside.get_by_role("button", name="Show All Names").click()
        self.row(student).get_by_role("link", name=student, exact=True).click()
        answer = self.inside.locator(".nbgrader_cell").filter(has_text=text)
        # Only then does it hear what is typed.
        for box in (".extra-credit", ".comment"):
            expect(answer.locator(box)).to_have_attribute("placeholder", re.compile(".+"))
        return answer

    def submissions(self) -> None:
        """The page with everything that was handed in."""
        self.go("Manual Grading")  # the one link that every page has
        self.go("Manage Assignments")
        self.row(LESSON).locator(".num-submissions a").click()
