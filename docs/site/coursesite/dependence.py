"""Which cells of a notebook depend on what a student writes, found by reading, without running.

A cell depends on a solution when it uses a name that a solution cell defines, or that another
depending cell defines or fills. What cannot be read as Python counts as depending.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

from autograder.exercises import role

CONTAINERS = {"list", "dict", "set", "defaultdict", "OrderedDict", "Counter", "deque"}


@dataclass(frozen=True)
class Names:
    """What one cell does with the notebook's names.

    Attributes:
        bound: defined here, by assignment, ``def``, ``class`` or a loop.
        used: read here, inside functions as well.
        filled: objects that it may change in place: ``history.append(…)``, ``rows[0] = …``.
        containers: bound here to a container, which a function may fill.
        handed: given to a function as they are.
        functions: bound here by ``def`` or ``class``.
    """

    bound: frozenset[str]
    used: frozenset[str]
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
    symbols = table.get_symbols()
    imported = {symbol.get_name() for symbol in symbols if symbol.is_imported()}
    bound = {symbol.get_name() for symbol in symbols if symbol.is_assigned()}
    nodes = list(ast.walk(tree))
    return Names(
        bound=frozenset(bound | imported),
        used=frozenset(_used(table)),
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
        modules |= _imports(cell.source)
        if role(cell) in ("solution", "manual") or names.used & tainted:
            found.add(cell.id)
            tainted |= (names.bound - modules) | (names.filled - modules)
            tainted |= names.handed & (containers | names.containers)
        containers |= names.containers
    return found


def is_question(source: str) -> bool:
    """Whether a solution cell asks for values, not for functions or classes."""
    names = read_names(source)
    return names is None or not names.functions


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


def _imports(source: str) -> set[str]:
    table = symtable.symtable(source, "cell", "exec")
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_imported()}
