"""The papermill engine ``referee``: one notebook, its code in a kernel, its tests out of its reach.

    papermill IN OUT --engine referee

papermill loads this module when it is itself half loaded, so the work is one import further on.
"""

from __future__ import annotations

from typing import Any

from autograder.registration import register

# Whoever uses papermill here finds the kernel `submission` by its name.
register()


class RefereeEngine:
    """What papermill calls; see ``autograder.execution.TwoProcessEngine``."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, **kwargs: Any) -> Any:
        """Run a notebook; returns it with outputs."""
        from autograder.execution import TwoProcessEngine

        return TwoProcessEngine.execute_notebook(nb, kernel_name, **kwargs)

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> str:
        """The kernel that the notebook names, or ``name``."""
        from papermill.utils import nb_kernel_name

        return str(nb_kernel_name(nb, name))

    @classmethod
    def nb_language(cls, nb: Any, language: str | None = None) -> str:
        """The language that the notebook names, or ``language``."""
        from papermill.utils import nb_language

        return str(nb_language(nb, language))
