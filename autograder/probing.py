"""Asks the rest of a failed test's questions, so that a diagnosis has more than one answer.

A test stops at its first failing check. After all marks are settled, the referee runs a failed test
once more with its checks disarmed: a statement that raises is skipped, and the next one runs. The
verdict stands; only the call log grows.
"""

from __future__ import annotations

import ast
import contextlib
import io
import warnings
from typing import Any

GUARDED = (ast.Expr, ast.Assert, ast.Assign, ast.AugAssign, ast.AnnAssign)
WHOLE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.Try)
BLOCKS = ("body", "orelse", "finalbody")


class _Guard(ast.NodeTransformer):
    """Wraps each simple statement outside functions so that an exception does not end the cell."""

    def visit(self, node: ast.AST) -> ast.AST:
        """Leave functions alone: a helper that raises ends the statement that called it."""
        return node if isinstance(node, WHOLE) else super().visit(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Guard the statements of every block."""
        for block in BLOCKS:
            statements = getattr(node, block, None)
            if isinstance(statements, list):
                setattr(node, block, [guarded(self.visit(s)) for s in statements])
        return node


def guarded(statement: ast.AST) -> ast.AST:
    """``try: statement`` that forgets what it would have bound when it raises."""
    if not isinstance(statement, GUARDED):
        return statement
    targets = [n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and _stores(n)]
    forget: list[ast.stmt] = [
        ast.parse(f"globals().pop({name!r}, None)").body[0] for name in dict.fromkeys(targets)
    ]
    handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, forget or [ast.Pass()])
    return ast.Try([statement], [handler], [], [])


def _stores(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def disarm(source: str) -> ast.Module:
    """The test with every statement guarded, loops and branches included.

    Raises:
        SyntaxError: when the cell is not plain Python.
    """
    tree = ast.parse(source)
    _Guard().visit(tree)
    tree.body = [
        s if isinstance(s, ast.Try) or not isinstance(s, ast.For | ast.If | ast.With | ast.While)
        else _whole(s)
        for s in tree.body
    ]  # fmt: skip
    return ast.fix_missing_locations(tree)


def _whole(statement: ast.stmt) -> ast.stmt:
    """A block whose own header raises is skipped."""
    handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [ast.Pass()])
    return ast.Try([statement], [handler], [], [])


def probe(source: str, name: str, namespace: dict[str, Any]) -> None:
    """Run a disarmed test in a copy of ``namespace``; what it prints is dropped."""
    code = compile(disarm(source), f"<{name}>", "exec")
    silence = io.StringIO()
    with (
        contextlib.redirect_stdout(silence),
        contextlib.redirect_stderr(silence),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        exec(code, dict(namespace))
