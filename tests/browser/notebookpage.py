"""A notebook in JupyterLab as a person uses it: menus, cells, *Validate*."""

from __future__ import annotations

from lab import Lab
from playwright.sync_api import Locator, Page, expect


class Notebook:
    """A notebook that is open on a page of JupyterLab."""

    def __init__(self, page: Page, lab: Lab, path: str) -> None:
        self.page, self.path = page, lab.root / path
        page.goto(lab.address(f"lab/tree/{path}"))
        self.panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        expect(self.panel).to_be_visible()
        self._kernel_is("idle")

    def menu(self, *names: str) -> None:
        """Choose an entry of the menus as a person does."""
        bar = self.page.locator("#jp-menu-panel")
        bar.get_by_role("menuitem", name=names[0], exact=True).click()
        self.page.locator(".lm-Menu").get_by_text(names[1], exact=True).click()

    def run_all(self) -> None:
        """*Run All Cells*, and wait until the last has run or one has failed."""
        self.menu("Edit", "Clear Outputs of All Cells")  # so that what shows is of this run
        self.menu("Run", "Run All Cells")
        self.finished()

    def restart_and_run_all(self) -> None:
        """*Restart Kernel and Run All Cells…*, as the README asks for before handing in."""
        self.menu("Edit", "Clear Outputs of All Cells")
        self.menu("Kernel", "Restart Kernel and Run All Cells…")
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()
        self.finished()

    def finished(self) -> None:
        """Wait until the last code cell has its number, or a cell shows an error."""
        self.page.wait_for_function(
            """() => {
              const cells = [...jupyterapp.shell.currentWidget.content.model.cells];
              const code = cells.filter(cell => cell.type === 'code');
              const failed = cell => cell.outputs.toJSON().some(o => o.output_type === 'error');
              return code.some(failed) || code.every(
                cell => cell.executionCount !== null || !cell.sharedModel.source.trim());
            }""",
        )
        self._kernel_is("idle")

    def save(self) -> None:
        """*Save Notebook*, and wait until nothing is left to save."""
        self.menu("File", "Save Notebook")
        self.page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")

    def cell(self, start: str) -> Locator:
        """The cell whose text starts so, scrolled into view: others may not be drawn at all."""
        self.page.evaluate(
            """start => {
              const notebook = jupyterapp.shell.currentWidget.content;
              const at = notebook.widgets.findIndex(
                w => w.model.sharedModel.source.startsWith(start));
              notebook.activeCellIndex = at;
              return notebook.scrollToItem(at, 'start');
            }""",
            start,
        )
        return self.panel.locator(".jp-Cell.jp-mod-active")

    def validate(self) -> Locator:
        """Press *Validate*; the dialog that tells the result."""
        self.panel.get_by_role("button", name="Validate", exact=True).click()
        dialog = self.page.locator(".jp-Dialog")
        expect(dialog).to_be_visible()
        expect(dialog).to_contain_text("Validation Results")
        return dialog

    def _kernel_is(self, status: str) -> None:
        self.page.wait_for_function(
            "wanted => window.jupyterapp?.shell.currentWidget?.context?.sessionContext"
            "?.session?.kernel?.status === wanted",
            arg=status,
        )
