"""The small changes that make mutants: what one AST node can be replaced by."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

Change = tuple[str, ast.AST]

OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq, ast.LtE, ast.GtE),
    ast.NotEq: (ast.Eq, ast.Lt, ast.Gt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
SYMMETRIC = (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr, ast.BitXor)
TWINS = {
    one: other
    for pair in (
        ("max", "min"), ("amax", "amin"), ("argmax", "argmin"), ("maximum", "minimum"),
        ("sum", "mean"), ("any", "all"), ("zeros", "ones"), ("zeros_like", "ones_like"),
        ("floor", "ceil"), ("vstack", "hstack"), ("sin", "cos"),
    )
    for one, other in (pair, pair[::-1])
}  # fmt: skip
DROPPABLE = (
    ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Raise, ast.Assert, ast.Delete, ast.For,
    ast.While,
)  # fmt: skip


@dataclass(frozen=True)
class Names:
    """What is known of the names around a node.

    Attributes:
        local: those that the cell itself binds.
        neighbours: the names beside which each was bound: ``kh, kw = …``, two loops, parameters.
    """

    local: frozenset[str] = frozenset()
    neighbours: dict[str, tuple[str, ...]] = field(default_factory=dict)


def names_of(scope: ast.AST, around: Names | None = None) -> Names:
    """The names that ``scope`` binds, with those of the scope around it."""
    local = set(around.local) if around else set()
    neighbours = {name: list(found) for name, found in around.neighbours.items()} if around else {}
    groups: list[list[str]] = []
    loops: list[str] = []
    for node in ast.walk(scope):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            local.add(node.id)
        elif isinstance(node, ast.arg):
            local.add(node.arg)
        if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Store):
            groups.append([e.id for e in node.elts if isinstance(e, ast.Name)])
        elif isinstance(node, ast.For) and isinstance(node.target, ast.Name):
            loops.append(node.target.id)
    if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
        groups.append([a.arg for a in scope.args.args if a.arg != "self"])
        for group in (*groups, loops):
            for one, other in pairwise(group):
                for name, beside in ((one, other), (other, one)):
                    known = neighbours.setdefault(name, [])
                    if "_" not in (name, beside) and name != beside and beside not in known:
                        known.append(beside)
    return Names(frozenset(local), {n: tuple(found) for n, found in neighbours.items()})


def changes(node: ast.AST, names: Names) -> Iterator[Change]:
    """What ``node`` may be replaced by, each with the sort of change that it is."""
    if isinstance(node, ast.stmt):
        yield from _of_statement(node)
    elif isinstance(node, ast.Constant):
        yield from (("constant", ast.Constant(value)) for value in _other_values(node.value))
    elif isinstance(node, ast.BinOp):
        yield from _of_arithmetic(node)
    elif isinstance(node, ast.Call):
        yield from _of_call(node, names)
    elif isinstance(node, ast.Slice):
        yield from _of_slice(node)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        for other in names.neighbours.get(node.id, ()):
            yield "neighbouring name", ast.Name(other, ast.Load())
    else:
        yield from _of_logic(node)
        yield from _of_structure(node)


def _of_statement(node: ast.stmt) -> Iterator[Change]:
    if isinstance(node, DROPPABLE) and not _is_docstring(node):
        yield "dropped statement", ast.Pass()
    match node:
        case ast.Return(value=value) if value is not None:
            yield "dropped statement", ast.Return(None)
        case ast.AugAssign():
            if other := OPERATORS.get(type(node.op)):
                yield "operator", ast.AugAssign(node.target, other(), node.value)
            yield "operator", ast.Assign([node.target], node.value)
        case ast.If():
            yield "condition", _with_test(node, ast.Constant(True))
            yield "condition", _with_test(node, ast.Constant(False))
            if not isinstance(node.test, ast.Compare | ast.UnaryOp):
                yield "condition", _with_test(node, ast.UnaryOp(ast.Not(), node.test))
        case ast.While() if not isinstance(node.test, ast.Compare | ast.UnaryOp):
            test = ast.UnaryOp(ast.Not(), node.test)
            yield "condition", ast.While(test, node.body, node.orelse)
        case ast.With():
            yield "dropped context", ast.If(ast.Constant(True), node.body, [])
        case ast.Break():
            yield "loop control", ast.Continue()
        case ast.Continue():
            yield "loop control", ast.Break()
        case ast.Raise(exc=ast.Call(func=ast.Name(id=name)) as call) if name != "RuntimeError":
            error = ast.Call(ast.Name("RuntimeError", ast.Load()), call.args, call.keywords)
            yield "exception", ast.Raise(error, node.cause)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _with_test(node: ast.If, test: ast.expr) -> ast.If:
    return ast.If(test, node.body, node.orelse)


def _other_values(value: object) -> Iterator[str | int | float]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, float):
        yield from (value + 1.0, value / 2) if value else (1.0,)
    elif isinstance(value, str) and value:
        yield ""
        head, arrow, tail = value.partition("->")
        if arrow and len(tail.strip()) > 1:  # einsum: the axes of its result
            tail = tail.strip()
            yield head + arrow + tail[:-2] + tail[-1] + tail[-2]


def _of_arithmetic(node: ast.BinOp) -> Iterator[Change]:
    left, right, kind = node.left, node.right, type(node.op)
    if other := OPERATORS.get(kind):
        yield "operator", ast.BinOp(left, other(), right)
    if kind is ast.FloorDiv:
        up = ast.BinOp(ast.UnaryOp(ast.USub(), left), ast.FloorDiv(), right)
        yield "rounded up", ast.UnaryOp(ast.USub(), up)
        yield "operator", ast.BinOp(left, ast.Div(), right)
    yield "dropped operand", left
    if kind in SYMMETRIC:
        yield "dropped operand", right
    else:
        yield "swapped operands", ast.BinOp(right, node.op, left)


def _of_call(node: ast.Call, names: Names) -> Iterator[Change]:
    args, keywords = node.args, node.keywords
    starred = any(isinstance(a, ast.Starred) for a in args)
    for i in range(len(args) - 1 if not starred else 0):
        swapped = [*args[:i], args[i + 1], args[i], *args[i + 2 :]]
        yield "swapped arguments", ast.Call(node.func, swapped, keywords)
    if len(args) > 1 and not starred:
        yield "dropped argument", ast.Call(node.func, args[:-1], keywords)
    for i in range(len(keywords)):
        kept = keywords[:i] + keywords[i + 1 :]
        yield "dropped argument", ast.Call(node.func, args, kept)
    yield from _unwrapped(node, names)
    if isinstance(node.func, ast.Name):
        if node.func.id == "range" and args and not starred:
            at = 0 if len(args) == 1 else 1
            for bound in _one_off(args[at]):
                moved = [*args[:at], bound, *args[at + 1 :]]
                yield "off by one", ast.Call(node.func, moved, keywords)
        twin = TWINS.get(node.func.id)
        if twin and twin != "mean":  # only NumPy and torch have one
            yield "twin", ast.Call(ast.Name(twin, ast.Load()), args, keywords)
    elif isinstance(node.func, ast.Attribute) and (twin := TWINS.get(node.func.attr)):
        func = ast.Attribute(node.func.value, twin, ast.Load())
        yield "twin", ast.Call(func, args, keywords)


def _unwrapped(node: ast.Call, names: Names) -> Iterator[Change]:
    """Without the call: ``abs(x)`` and ``x.copy()`` become ``x``."""
    func, args = node.func, node.args
    if isinstance(func, ast.Attribute):
        root: ast.expr = func.value
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        method = not isinstance(root, ast.Name) or root.id in names.local
        if method:
            yield "dropped call", func.value
            return
    if args and not isinstance(args[0], ast.Starred) and not _is_super(func):
        yield "dropped call", args[0]


def _is_super(func: ast.expr) -> bool:
    return isinstance(func, ast.Name) and func.id in ("super", "range")


def _one_off(bound: ast.expr) -> Iterator[ast.expr]:
    """A bound one further and one nearer; a constant is another change's."""
    if not isinstance(bound, ast.Constant | ast.UnaryOp):
        yield ast.BinOp(bound, ast.Add(), ast.Constant(1))
        yield ast.BinOp(bound, ast.Sub(), ast.Constant(1))


def _of_slice(node: ast.Slice) -> Iterator[Change]:
    lower, upper, step = node.lower, node.upper, node.step
    if lower is not None:
        yield "slice bound", ast.Slice(None, upper, step)
        yield from (("off by one", ast.Slice(b, upper, step)) for b in _one_off(lower))
    if upper is not None:
        yield "slice bound", ast.Slice(lower, None, step)
        yield from (("off by one", ast.Slice(lower, b, step)) for b in _one_off(upper))
    if step is not None:
        yield "slice bound", ast.Slice(lower, upper, None)


def _of_logic(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.UnaryOp(operand=operand):
            yield "dropped sign", operand
        case ast.BoolOp(op=op, values=values):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield "operator", ast.BoolOp(other, values)
            for i in range(len(values)):
                kept = values[:i] + values[i + 1 :]
                yield "dropped operand", kept[0] if len(kept) == 1 else ast.BoolOp(op, kept)
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = [left, *others]
            for i, relation in enumerate(ops):
                words = any(isinstance(v, ast.Constant) and isinstance(v.value, str) for v in sides)
                # Words are the same or not; which one comes first says nothing.
                for new in COMPARISONS[type(relation)][: 1 if words else None]:
                    yield "comparison", ast.Compare(left, [*ops[:i], new(), *ops[i + 1 :]], others)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield "condition", body
            yield "condition", orelse
            if not isinstance(test, ast.Compare | ast.UnaryOp):
                yield "condition", ast.IfExp(test, orelse, body)
        case ast.comprehension(ifs=ifs):
            for i in range(len(ifs)):
                kept_ifs = ifs[:i] + ifs[i + 1 :]
                yield (
                    "condition",
                    ast.comprehension(node.target, node.iter, kept_ifs, node.is_async),
                )


def _of_structure(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Tuple(elts=elts) | ast.List(elts=elts) if not any(
            isinstance(e, ast.Starred) for e in elts
        ):
            for i in range(len(elts) - 1):
                swapped = [*elts[:i], elts[i + 1], elts[i], *elts[i + 2 :]]
                yield "swapped elements", type(node)(swapped, node.ctx)
        case ast.Dict(keys=keys, values=values):
            for i in range(len(values) - 1):
                swapped = [*values[:i], values[i + 1], values[i], *values[i + 2 :]]
                yield "swapped elements", ast.Dict(keys, swapped)
        case ast.Subscript(value=value, slice=index) if isinstance(node.ctx, ast.Load):
            if isinstance(index, ast.Slice | ast.Tuple):
                yield "dropped index", value
        case ast.Attribute(value=value, attr="T" | "mT"):
            yield "dropped transpose", value
