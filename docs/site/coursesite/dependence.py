"""Which cells of a notebook depend on what a student writes, found by reading, without running.

A cell depends on a solution when it uses a name that a solution cell defines, or that another
depending cell defines or fills. What cannot be read as Python counts as depending.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

from autograder.exercises import role

UNCONDITIONAL = (
    ast.Assign,
    ast.AnnAssign,
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.ClassDef,
)
CONTAINERS = {"list", "dict", "set", "defaultdict", "OrderedDict", "Counter", "deque"}


@dataclass(frozen=True)
class Names:
    """What one cell does with the notebook's names.

    Attributes:
        bound: defined here, by assignment, ``def``, ``class`` or a loop.
        imported: bound by an import.
        used: taken from cells before, inside functions as well.
        renewed: bound here whatever happens, so what they were before counts no more.
        filled: objects that it may change in place: ``history.append(…)``, ``rows[0] = …``.
        containers: bound here to a container, which a function may fill.
        handed: given to a function as they are.
        functions: bound here by ``def`` or ``class``.
    """

    bound: frozenset[str]
    imported: frozenset[str]
    used: frozenset[str]
    renewed: frozenset[str]
    filled: frozenset[str]
    containers: frozenset[str]
    handed: frozenset[str]
    functions: frozenset[str]


def read_names(source: str) -> Names | None:
    """The names in a cell's code; None when it is not plain Python."""
    try:
        tree = ast.parse(source)
        table = symtable.symtable(source, "cell", "exec")
    except (SyntaxError, ValueError):
        return None
    imported = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_imported()}
    bound = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned()}
    nodes = list(ast.walk(tree))
    renewed: set[str] = set()
    used = set(_follow(tree.body, renewed))
    return Names(
        bound=frozenset(bound),
        imported=frozenset(imported),
        used=frozenset(used),
        renewed=frozenset(renewed),
        filled=frozenset(set(_filled(nodes)) - imported),
        containers=frozenset(_containers(nodes)),
        handed=frozenset(_handed(nodes)),
        functions=frozenset(
            node.name
            for node in tree.body
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        ),
    )


def depending(notebook: NotebookNode) -> set[str]:
    """The ids of the code cells whose results depend on a solution; solution cells among them."""
    tainted: set[str] = set()
    containers: set[str] = set()
    modules: set[str] = set()
    found: set[str] = set()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        names = read_names(cell.source)
        if names is None:
            found.add(cell.id)
            continue
        modules |= names.imported
        if role(cell) in ("solution", "manual") or names.used & tainted:
            found.add(cell.id)
            tainted |= (names.bound | names.filled) - modules
            tainted |= names.handed & (containers | names.containers)
        else:
            tainted -= names.renewed  # a new thing under an old name: `figure, axes = …`
        containers |= names.containers
    return found


def is_question(source: str) -> bool:
    """Whether a solution cell asks for values, not for functions or classes."""
    names = read_names(source)
    return names is None or not names.functions


def _follow(statements: Iterable[ast.stmt], renewed: set[str]) -> Iterator[str]:
    """Names taken from cells before; ``renewed`` gathers those that mean something new from here.

    The body of a loop counts as run; a branch may be skipped, so what it binds may be old as well.
    """
    for statement in statements:
        if isinstance(statement, ast.For):
            yield from _taken(ast.Expr(statement.iter), renewed)
            renewed |= _bound(ast.Assign([statement.target], ast.Constant(0)))
            yield from _follow([*statement.body, *statement.orelse], renewed)
        elif isinstance(statement, ast.With):
            yield from _taken(ast.With(statement.items, [ast.Pass()]), renewed)
            yield from _follow(statement.body, renewed)
        elif isinstance(statement, ast.If):
            yield from _taken(ast.Expr(statement.test), renewed)
            for branch in (statement.body, statement.orelse):
                yield from _follow(branch, set(renewed))
        else:
            yield from _taken(statement, renewed)
            if isinstance(statement, UNCONDITIONAL):
                renewed |= _bound(statement)


def _taken(statement: ast.stmt, renewed: set[str]) -> set[str]:
    return set(_used(_table(statement))) - renewed


def _bound(statement: ast.stmt) -> set[str]:
    symbols = _table(statement).get_symbols()
    return {each.get_name() for each in symbols if each.is_assigned() or each.is_imported()}


def _table(statement: ast.stmt) -> symtable.SymbolTable:
    text = ast.unparse(ast.fix_missing_locations(statement))
    return symtable.symtable(text, "statement", "exec")


def _used(table: symtable.SymbolTable) -> Iterator[str]:
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (top or symbol.is_global()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _used(child)


def _filled(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, (ast.Subscript, ast.Attribute)):
            if isinstance(node.ctx, (ast.Store, ast.Del)):
                yield from _root(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield from _root(node.value.func)


def _root(node: ast.expr) -> Iterator[str]:
    """The name that ``history`` is in ``history.rows[0].append``; none for a bare name."""
    if isinstance(node, ast.Name):
        return
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _containers(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if not isinstance(node, ast.Assign):
            continue
        value = node.value
        made = value.func if isinstance(value, ast.Call) else None
        if isinstance(value, (ast.List, ast.Dict, ast.Set)) or (
            isinstance(made, ast.Name) and made.id in CONTAINERS
        ):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _handed(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Call):
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            yield from (value.id for value in values if isinstance(value, ast.Name))
