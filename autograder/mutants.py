"""Mechanical mutants: a reference solution with one small thing changed, source in, sources out.

These are AST transforms of this project's own: cosmic-ray knows no slices, axes, dropped statements
or swapped arguments and brings a database, and mutmut mutates a package on disk to run pytest on.

Mutants come in the order of the source, the same each time. One whose bytecode is that of the
reference, or of an earlier mutant, is left out.
"""

from __future__ import annotations

import ast
import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

from autograder.edits import Names, changes, names_of

# What makes a statement compound: its text is its header, without these.
BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")

Path = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class Mutant:
    """One changed solution cell.

    Attributes:
        cell: grade_id of the solution cell.
        kind: what sort of change it is, such as ``off by one``.
        line: 1-based line of the changed statement in the cell.
        original: the statement as Python prints it; of a compound one the header.
        mutated: the same after the change; ``pass`` for a statement that was dropped.
        source: the full text of the mutated cell.
    """

    cell: str
    kind: str
    line: int
    original: str
    mutated: str
    source: str

    @property
    def change(self) -> tuple[str, str, str]:
        """What an author's marking has to name; line numbers and layout have no part in it."""
        return self.cell, self.original, self.mutated


def mutants(cell: str, source: str) -> list[Mutant]:
    """All mutants of one solution cell; none when it is not plain Python.

    Args:
        cell: its grade_id.
        source: its text.
    """
    try:
        tree = ast.parse(source)
        seen = {_bytecode(source)}
    except SyntaxError:
        return []
    found = []
    idle = _idle_constants(tree)
    for path, node, names in _nodes(tree, (), names_of(tree)):
        for kind, new in changes(node, names) if id(node) not in idle else ():
            changed = copy.deepcopy(tree)
            _put(changed, path, new)
            text = ast.unparse(ast.fix_missing_locations(changed)) + "\n"
            try:
                code = _bytecode(text)
            except SyntaxError:
                continue
            if code in seen:
                continue
            seen.add(code)
            at = _statement(path, tree)
            before, after = _get(tree, at), _get(changed, at)
            line = getattr(before, "lineno", 1)
            found.append(Mutant(cell, kind, line, header(before), header(after), text))
    return found


def header(node: ast.AST) -> str:
    """A statement as Python prints it; of a compound one what stands before its body."""
    if not isinstance(node, ast.stmt) or not getattr(node, "body", None):
        return ast.unparse(node)
    bare = copy.deepcopy(node)
    for block in BLOCKS:
        if hasattr(bare, block):
            setattr(bare, block, [ast.Pass()] if block == "body" else [])
    if isinstance(bare, ast.Try):
        return "try:"
    if isinstance(bare, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        bare.decorator_list = []
    return ast.unparse(bare).rsplit("\n", 1)[0]


def normal(line: str) -> str:
    """A line of code as ``Mutant.original`` and ``Mutant.mutated`` write it.

    Raises:
        SyntaxError: when it is no statement, nor the header of one.
    """
    text = line.strip()
    if text.startswith("elif "):
        text = text[2:]
    for candidate in (text, f"{text}\n    pass"):
        try:
            tree = ast.parse(candidate)
        except SyntaxError:
            continue
        if len(tree.body) == 1:
            return header(tree.body[0])
    raise SyntaxError(f"not one statement: {line!r}")


def _nodes(node: ast.AST, path: Path, names: Names) -> Iterator[tuple[Path, ast.AST, Names]]:
    """Every node that may be changed, in the order of the source."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        names = names_of(node, names)
    yield path, node, names
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params") or _is_wording(node):
            continue
        if isinstance(value, ast.AST):
            yield from _nodes(value, (*path, (name, None)), names)
        elif isinstance(value, list):
            for index, child in enumerate(value):
                if isinstance(child, ast.AST):
                    yield from _nodes(child, (*path, (name, index)), names)


def _is_wording(node: ast.AST) -> bool:
    """Whether it is text for people, which no test reads: docstrings, messages, f-strings."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.JoinedStr | ast.Raise)


def _idle_constants(tree: ast.AST) -> set[int]:
    """The 1 in ``x.reshape(n, -1)``: NumPy takes any negative size for -1."""
    return {
        id(node.operand)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "reshape"
        for node in ast.walk(call)
        if isinstance(node, ast.UnaryOp)
    }


def _get(tree: ast.AST, path: Path) -> ast.AST:
    node = tree
    for name, index in path:
        child = getattr(node, name)
        node = child if index is None else child[index]
    return node


def _put(tree: ast.AST, path: Path, new: ast.AST) -> None:
    parent = _get(tree, path[:-1])
    name, index = path[-1]
    new = copy.deepcopy(new)
    if index is None:
        setattr(parent, name, new)
    else:
        getattr(parent, name)[index] = new


def _statement(path: Path, tree: ast.AST) -> Path:
    """The path of the innermost statement that holds what ``path`` leads to."""
    while path and not isinstance(_get(tree, path), ast.stmt):
        path = path[:-1]
    return path


def _bytecode(source: str) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _essence(compile(source, "<mutant>", "exec"))


def _essence(code: CodeType) -> object:
    """What of a code object decides what it does: not its lines, nor its file."""
    constants = tuple(
        _essence(constant) if isinstance(constant, CodeType) else repr(constant)
        for constant in code.co_consts
    )
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    return code.co_code, constants, names, counts, code.co_exceptiontable
