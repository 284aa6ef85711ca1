"""Which names a test takes from the master and which from the submission.

Worked out from the master's text alone: a submission that defines ``np``, ``assert_close`` or
``len`` shadows nothing. A name that a solution cell defines is the submission's; imports,
functions, classes and literals of the other cells are the referee's own; any other name is data,
and comes from the submission.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from dataclasses import dataclass, field

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from autograder.exercises import grade_id, role


@dataclass(frozen=True)
class Names:
    """The names that one test may ask the submission for.

    Attributes:
        solution: defined by a solution cell; always the submission's.
        data: not known to the referee; the submission's unless an earlier test defined it.
    """

    solution: tuple[str, ...]
    data: tuple[str, ...]


@dataclass
class Trusted:
    """The referee's own code, and what each test asks of the submission."""

    statements: str = ""
    names: dict[str, Names] = field(default_factory=dict)


@dataclass
class _Statement:
    source: str
    binds: set[str]
    loads: set[str]
    star: bool = False


def read_trusted(master: NotebookNode) -> Trusted:
    """Sort the names of a master notebook; what no test needs is left out."""
    statements: list[_Statement] = []
    solution_names: set[str] = set()
    test_names: set[str] = set()
    tests: dict[str, str] = {}
    for cell in master.cells:
        if cell.cell_type != "code":
            continue
        source, kind = plain_python(cell.source), role(cell)
        if kind == "test":
            tests[grade_id(cell)] = source
            test_names |= bound_names(source)
        elif kind in ("solution", "manual"):
            solution_names |= bound_names(source)
            statements += _own_statements(source, imports_only=True)
        else:
            statements += _own_statements(source)
    own = [s for s in statements if s.star or not s.binds & solution_names]
    closures = {name: _closure(source, own, solution_names) for name, source in tests.items()}
    wanted = set().union(*closures.values()) if closures else set()
    kept = [s for s in own if s.star or s.binds & wanted]
    known = set().union(*(s.binds for s in kept)) if kept else set()
    names = {}
    for test, needed in closures.items():
        outside = needed - known - test_names - set(dir(builtins))
        names[test] = Names(
            solution=tuple(sorted(needed & solution_names)),
            data=tuple(sorted(outside - solution_names)),
        )
    return Trusted("\n".join(s.source for s in kept), names)


def plain_python(source: str) -> str:
    """The cell without IPython's magics, or nothing when it is not Python."""
    try:
        ast.parse(source)
        return source
    except (SyntaxError, ValueError):
        pass
    try:
        transformed = TransformerManager().transform_cell(source)
        ast.parse(transformed)
        return transformed
    except (SyntaxError, ValueError):
        return ""


def bound_names(source: str) -> set[str]:
    """The names that ``source`` binds at its top level, imports left out."""
    table = symtable.symtable(source, "<cell>", "exec")
    return {s.get_name() for s in table.get_symbols() if s.is_assigned() and not s.is_imported()}


def loaded_names(source: str) -> set[str]:
    """The global names that ``source`` reads, at any depth."""
    names: set[str] = set()

    def visit(table: symtable.SymbolTable) -> None:
        for symbol in table.get_symbols():
            outer = table.get_type() == "module" or symbol.is_global()
            if outer and symbol.is_referenced():
                names.add(symbol.get_name())
        for child in table.get_children():
            visit(child)

    visit(symtable.symtable(source, "<cell>", "exec"))
    return names


def _own_statements(source: str, imports_only: bool = False) -> list[_Statement]:
    """The top-level statements that the referee may run by itself, without the submission."""
    found = []
    for node in ast.parse(source).body:
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        is_definition = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if not is_import and (imports_only or not (is_definition or _is_literal(node))):
            continue
        text = ast.unparse(node)
        table = symtable.symtable(text, "<cell>", "exec")
        binds = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
        star = isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names)
        found.append(_Statement(text, binds, loaded_names(text), star))
    return found


def _is_literal(node: ast.stmt) -> bool:
    """Whether a statement assigns a constant, such as a seed or a time-out."""
    if not isinstance(node, ast.Assign) or not all(isinstance(t, ast.Name) for t in node.targets):
        return False
    try:
        ast.literal_eval(node.value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _closure(source: str, statements: list[_Statement], solution: set[str]) -> set[str]:
    """The names that a test reads, itself or through the referee's own functions."""
    needed, todo = set(), list(loaded_names(source))
    while todo:
        name = todo.pop()
        if name in needed:
            continue
        needed.add(name)
        if name not in solution:
            for statement in statements:
                if name in statement.binds:
                    todo += statement.loads
    return needed
