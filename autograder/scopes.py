"""What Python code binds and reads, from its text alone."""

from __future__ import annotations

import ast
import symtable

from IPython.core.inputtransformer2 import TransformerManager

MUTATORS = {
    "append", "extend", "insert", "remove", "pop", "popitem", "clear", "sort", "reverse",
    "update", "setdefault", "add", "discard", "fill", "put",
}  # fmt: skip


def plain_python(source: str) -> str:
    """The cell without IPython's magics, or nothing when it is not Python."""
    first, _, rest = source.partition("\n")
    if first.startswith(("%%time", "%%capture")):
        source = rest  # the cell itself is what counts
    for attempt in (lambda: source, lambda: TransformerManager().transform_cell(source)):
        try:
            python = attempt()
            compile(python, "<cell>", "exec", dont_inherit=True)
            return python
        except (SyntaxError, ValueError):
            continue
    return ""


def bound_names(source: str, imports: bool = False) -> set[str]:
    """The names that ``source`` binds at its top level, those of imports on request."""
    symbols = symtable.symtable(source, "<cell>", "exec").get_symbols()
    if imports:
        return {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}
    return {s.get_name() for s in symbols if s.is_assigned() and not s.is_imported()}


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


def read_at_once(table: symtable.SymbolTable) -> set[str]:
    """The global names that a statement reads when it runs: decorators, defaults, class bodies."""
    names = set()
    for symbol in table.get_symbols():
        here = table.get_type() == "module" and not symbol.is_assigned()
        if symbol.is_referenced() and not symbol.is_imported() and (here or symbol.is_global()):
            names.add(symbol.get_name())
    for child in table.get_children():
        if child.get_type() == "class":
            names |= read_at_once(child)
    return names


def reworked_names(source: str) -> set[str]:
    """The names whose objects a cell changes: ``x.append(…)``, ``x[0] = …``, ``x += …``."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        target: ast.AST | None = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            target = node.func.value if node.func.attr in MUTATORS else None
        elif isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
            target = node.value
        elif isinstance(node, ast.AugAssign):
            target = node.target
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
        if isinstance(target, ast.Name):
            names.add(target.id)
    return names


def read_first(body: list[ast.stmt], bound: set[str], own: set[str]) -> set[str]:
    """The global names that statements read before they bind them; ``bound`` grows on the way.

    Args:
        body: statements in order; what only some paths bind counts as bound.
        bound: names bound so far.
        own: names bound anywhere in the cell, which its functions may read when they are called.
    """
    found: set[str] = set()
    for node in body:
        text = ast.unparse(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found |= loaded_names(text) - own - {node.name}
        elif isinstance(node, ast.For | ast.While | ast.If | ast.With | ast.Try):
            for part in ast.iter_child_nodes(node):
                if isinstance(part, ast.expr | ast.withitem):
                    bare = part.context_expr if isinstance(part, ast.withitem) else part
                    if isinstance(node, ast.For) and part is node.target:
                        continue
                    found |= loaded_names(ast.unparse(bare)) - bound
            bound |= bound_names(_header(node))
            for field_ in ("body", "handlers", "orelse", "finalbody"):
                for part in getattr(node, field_, []):
                    inner = part.body if isinstance(part, ast.ExceptHandler) else [part]
                    if isinstance(part, ast.ExceptHandler):
                        bound |= {part.name} if part.name else set()
                        kinds = ast.unparse(part.type) if part.type else ""
                        found |= loaded_names(kinds) - bound
                    found |= read_first(inner, bound, own)
        else:
            found |= loaded_names(text) - bound
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                found |= {node.target.id} - bound
        bound |= bound_names(text, imports=True)
    return found


def _header(node: ast.stmt) -> str:
    """A compound statement with nothing in it: it binds its loop variable and its ``as`` names."""
    if isinstance(node, ast.For):
        return f"for {ast.unparse(node.target)} in (): pass"
    if isinstance(node, ast.With):
        return f"with {', '.join(ast.unparse(item) for item in node.items)}: pass"
    return ""
