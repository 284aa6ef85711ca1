"""The engine behind papermill's ``--engine referee``: runs one notebook, cell by cell."""

from __future__ import annotations

from typing import Any

from papermill.engines import Engine, NotebookExecutionManager

from autograder.bout import Bout
from autograder.hearing import Hearing
from autograder.trusted import read_trusted


class TwoProcessEngine(Engine):
    """The engine behind papermill's ``--engine referee``."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        bout: Bout | None = None,
        execution_timeout: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Run all cells; a failing cell stops nothing.

        Args:
            bout: how to run it; the notebook's own metadata decide when it is None.
            execution_timeout: seconds a cell may take, instead of the limit.
        """
        notebook = nb_man.nb
        # A grader has its own record; only people at a terminal want papermill's for each cell.
        watched = bout is None
        bout = bout or Bout()
        packages = notebook.metadata.get("autograder", {}).get("packages")
        if bout.packages is None and packages:
            bout.packages = [str(name) for name in packages]
        bout.trusted = bout.trusted or read_trusted(notebook)
        seconds = float(execution_timeout or bout.limits.cell_seconds)
        with Hearing(kernel_name, bout, seconds) as hearing:
            hearing.begin(notebook)
            for index, cell in enumerate(notebook.cells):
                if watched:
                    nb_man.cell_start(cell, index)
                hearing.run(cell)
                if watched:
                    nb_man.cell_complete(cell, index)
            hearing.probe(notebook)
