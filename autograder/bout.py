"""How one notebook is to be run and what came of it, and how its kernel is asked for and booted."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from autograder.limits import Limits
from autograder.request import JailRequest
from autograder.results import CellResult
from autograder.trusted import Trusted
from autograder.turns import Turns
from autograder.warmkernel import BRIDGE


@dataclass
class Bout:
    """How to run one notebook, and what came of it.

    Attributes:
        trusted: the referee's own code and names; read from the notebook itself when None.
        packages: what the submission may import; None lifts the restriction.
        files: folder whose files lie beside the notebook while it runs.
        skip: sources of the master's illustrations, run only where an answer reads what they bind.
        limits: what the submission may use up.
        isolation: ``jail`` or ``process``, for the kernel named ``submission``.
        own_files: folder of the assignment's own files, where the tests run.
        turns: of which the submission's code waits for one; None when it need not wait.
        results: filled in: one entry per graded cell, by grade_id.
        problems: filled in: what a person should know.
        calls: filled in: the call log of each graded cell, by grade_id.
        leaning: filled in: cells that passed only because arguments were changed in place.
        cpu_seconds: filled in: CPU seconds of the submission's own processes, in a warm kernel.
    """

    trusted: Trusted | None = None
    packages: list[str] | None = None
    files: Path | None = None
    skip: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=Limits)
    isolation: str = "process"
    own_files: Path | None = None
    turns: Turns | None = None
    results: dict[str, CellResult] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    calls: dict[str, dict] = field(default_factory=dict)
    leaning: set[str] = field(default_factory=set)
    cpu_seconds: float = 0.0


def jail_request(bout: Bout, run_dir: Path | None = None) -> JailRequest:
    """What the kernel named ``submission`` is asked for."""
    packages = None if bout.packages is None else tuple(bout.packages)
    return JailRequest(run_dir, bout.files, packages, bout.limits, isolation=bout.isolation)


def boot_code(wire: str, limit: int, packages: list[str] | None, warm: bool) -> str:
    """What the submission's kernel runs before any of its cells: connect, and close the gate.

    The bridge's modules travel as text, so the kernel's environment need not have this package; a
    warm kernel has them already.
    """
    here = Path(__file__).parent
    names = () if warm else BRIDGE
    texts = {name: (here / f"{name}.py").read_text(encoding="utf-8") for name in names}
    return f"""
def _boot():
    import sys, types
    kernel = get_ipython().kernel
    package = vars(kernel).pop("_bridge", None) or types.ModuleType("autograder")
    sys.modules["autograder"], package.__path__ = package, []
    for name in {BRIDGE!r}:
        module = getattr(package, name, None) or types.ModuleType("autograder." + name)
        sys.modules["autograder." + name] = module
        setattr(package, name, module)
    for name, text in {texts!r}.items():
        code = compile(text, "autograder/" + name + ".py", "exec")
        exec(code, vars(getattr(package, name)))
    package.bridge.connect({wire!r}, get_ipython().user_ns, {limit})
    package.bridge.attend(kernel)
    if {packages!r} is not None:
        package.gate.close({packages!r})
_boot()
del _boot
"""
