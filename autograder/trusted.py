"""Which names a test takes from the master and which from the submission.

Worked out from the master's text alone: a submission that defines ``np``, ``assert_close`` or
``len`` shadows nothing. A name that a solution cell defines is the submission's; imports,
functions, classes and constants of the other cells are the referee's own, unless they need what
only the submission has; any other name is data, and comes from the submission.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from dataclasses import dataclass, field

from nbformat import NotebookNode

from autograder.exercises import grade_id, role
from autograder.scopes import (
    bound_names,
    loaded_names,
    plain_python,
    read_at_once,
    read_first,
    reworked_names,
)

# What IPython gives a notebook; the referee brings its own.
NOTEBOOK = {"get_ipython", "display", "In", "Out"}


@dataclass(frozen=True)
class Names:
    """The names that one test may ask the submission for.

    Attributes:
        solution: last defined, before the test, by a solution cell or as data by another cell;
            always the submission's.
        data: defined by no cell that the referee can read; the submission's unless an earlier test
            defined it.
    """

    solution: tuple[str, ...]
    data: tuple[str, ...]


@dataclass
class Trusted:
    """The referee's own code, and what each test asks of the submission.

    Attributes:
        statements: imports, definitions and constants that tests use.
        names: what each test asks for, by grade_id.
        tests: the tests' sources, by grade_id, so that they are compiled once for all submissions.
    """

    statements: str = ""
    names: dict[str, Names] = field(default_factory=dict)
    tests: dict[str, str] = field(default_factory=dict)


@dataclass
class _Statement:
    source: str
    binds: set[str]
    loads: set[str]
    needs: set[str]  # what it reads when it runs, not when what it defines is called
    star: bool = False
    constant: bool = False


def read_trusted(master: NotebookNode) -> Trusted:
    """Sort the names of a master notebook; what no test needs is left out."""
    cells = [(role(c), grade_id(c), plain_python(c.source)) for c in master.cells if _code(c)]
    solution, tests = set(), set()
    statements: list[_Statement] = []
    computed, reworked = set(), set()
    for kind, _, source in cells:
        if kind == "test":
            tests |= bound_names(source)
            continue
        answers = kind in ("solution", "manual")
        if answers:
            solution |= bound_names(source)
        own = _own_statements(source, imports_only=answers)
        statements += own
        if not answers:
            # A name that is also bound by other statements, or mended in place, is no constant.
            fixed = set().union(*(s.binds for s in own)) if own else set()
            computed |= bound_names(source) - fixed
            reworked |= reworked_names(source)
    constants = set().union(*(s.binds for s in statements if s.constant)) if statements else set()
    own = _runnable(statements, solution | computed | (reworked & constants))
    known = set().union(*(s.binds for s in own)) if own else set()
    binder: dict[str, str] = {}
    names, wanted = {}, set()
    for kind, name, source in cells:
        if kind == "test":
            needed = _closure(source, own, solution)
            wanted |= needed
            asked = {n for n in needed if binder.get(n) in ("solution", "data")}
            unread = needed - known - solution - tests - set(binder) - set(dir(builtins)) - NOTEBOOK
            late = {n for n in needed & solution if n not in binder}
            names[name] = Names(tuple(sorted(asked | late)), tuple(sorted(unread)))
        for bound in bound_names(source):
            if kind == "test":
                binder[bound] = "test"
            elif bound not in known or bound in solution:
                binder[bound] = "solution" if bound in solution else "data"
    kept = [s for s in own if s.star or s.binds & wanted]
    sources = {grade_id(c): c.source for c in master.cells if role(c) == "test"}
    return Trusted("\n".join(s.source for s in kept), names, sources)


def _code(cell: NotebookNode) -> bool:
    return bool(cell.cell_type == "code")


def _runnable(statements: list[_Statement], foreign: set[str]) -> list[_Statement]:
    """The statements that bind nothing ``foreign`` and need nothing that is not there yet."""
    there, found, star = set(dir(builtins)) | NOTEBOOK, [], False
    for statement in statements:
        # Behind a star any name may be there, but for those that are known to be elsewhere.
        missing = statement.needs - there
        if not statement.star and (
            statement.binds & foreign or (missing & foreign if star else missing)
        ):
            continue
        star = star or statement.star
        found.append(statement)
        there |= statement.binds
    return found


def _own_statements(source: str, imports_only: bool = False) -> list[_Statement]:
    """The top-level statements that the referee may run by itself, without the submission."""
    found = []
    for node in ast.parse(source).body:
        is_definition = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if not _is_import(node) and (imports_only or not (is_definition or _is_constant(node))):
            continue
        text = ast.unparse(node)
        table = symtable.symtable(text, "<cell>", "exec")
        binds = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
        star = isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names)
        needs, constant = read_at_once(table), _is_constant(node)
        found.append(_Statement(text, binds, loaded_names(text), needs, star, constant))
    return found


def _is_import(node: ast.stmt) -> bool:
    """Whether a statement imports, be it with a second choice for when that fails."""
    if isinstance(node, ast.Try):
        parts = [*node.body, *node.orelse, *(s for h in node.handlers for s in h.body)]
        imports = any(isinstance(part, ast.Import | ast.ImportFrom) for part in node.body)
        return imports and all(_is_import(p) or _is_constant(p) for p in parts)
    return isinstance(node, ast.Import | ast.ImportFrom)


def _is_constant(node: ast.stmt) -> bool:
    """Whether a statement assigns a literal, such as a seed or a time-out."""
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        targets = [node.target]
    else:
        return False
    if not all(isinstance(t, ast.Name) for t in targets):
        return False
    try:
        ast.literal_eval(node.value)  # type: ignore[arg-type]
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _closure(source: str, statements: list[_Statement], solution: set[str]) -> set[str]:
    """The names that a test reads before it binds them, itself or through the referee's own."""
    own = bound_names(source)
    needed, todo = set(), list(read_first(ast.parse(source).body, set(), own))
    while todo:
        name = todo.pop()
        if name in needed:
            continue
        needed.add(name)
        if name not in solution:
            for statement in statements:
                if name in statement.binds:
                    todo += statement.loads - own
    return needed
