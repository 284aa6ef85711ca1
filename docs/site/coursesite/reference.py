"""The reference of the Python packages: signatures and docstrings, read without importing."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

# What a lesson imports, and what somebody who extends the autograder meets first. Every other
# module is in the map, with its job in a line.
PAGES = {
    "course": ("checks", "data", "plots", "degradation", "zoo"),
    "autograder": (
        "build",
        "collect",
        "doctor",
        "engine",
        "errors",
        "execution",
        "exercises",
        "export",
        "feedback",
        "folder",
        "grade",
        "gradebook",
        "jail",
        "kernels",
        "limits",
        "mistakes",
        "mutation",
        "publish",
        "referee",
        "remote",
        "report",
        "restore",
        "results",
        "syllabus",
        "text",
        "verify",
        "wire",
    ),
}
SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Yields):[ ]*$")
ENTRY = re.compile(r"^(\*{0,2}[\w.]+)(?: \([^)]*\))?:\s+(.*)$")


def reference_pages(root: Path) -> dict[str, str]:
    """``reference/PACKAGE.md`` for each package, and the map ``reference/modules.md``."""
    pages = {"reference/modules.md": _map(root)}
    for package, names in PAGES.items():
        parts = [f"# {package}", _package_words(root / package)]
        parts += [
            module_part(module_file(root / package, name), f"{package}.{name}") for name in names
        ]
        pages[f"reference/{package}.md"] = "\n\n".join(parts) + "\n"
    return pages


def module_file(package: Path, name: str) -> Path:
    """Where a module's text lies; a package's is its ``__init__.py``."""
    module = package / f"{name}.py"
    return module if module.is_file() else package / name / "__init__.py"


def module_part(path: Path, name: str) -> str:
    """One module: its docstring, its public classes and functions, as Markdown."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = [f"## {name}", docstring(tree)]
    parts += [part for node in tree.body if (part := _member(node, name))]
    return "\n\n".join(part for part in parts if part)


def docstring(node: ast.AST) -> str:
    """A docstring as Markdown: ``Args:`` and its like become lists, indented blocks stay."""
    assert isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
    lines, open_section = [], False
    for line in inspect.cleandoc(ast.get_docstring(node) or "").splitlines():
        if section := SECTION.match(line):
            lines += [f"**{section[1]}**", ""]
            open_section = True
        elif open_section and line.startswith("    "):
            entry = ENTRY.match(line[4:])
            lines.append(f"- `{entry[1]}`: {entry[2]}" if entry else f"  {line.strip()}")
        else:
            open_section = open_section and not line.strip()
            lines.append(line)
    return "\n".join(lines).strip()


def _member(node: ast.stmt, module: str) -> str:
    if not isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return ""
    if node.name.startswith("_") or not ast.get_docstring(node):
        return ""
    if isinstance(node, ast.ClassDef):
        inside = "\n\n".join(part for child in node.body if (part := _member(child, "")))
        return _directive("class", _class_signature(node), module, docstring(node), inside)
    kind = "function" if module else "method"
    return _directive(kind, _signature(node), module, docstring(node))


def _directive(kind: str, signature: str, module: str, words: str, inside: str = "") -> str:
    """An object of Sphinx's Python domain; what stands inside needs fewer colons."""
    marks = "::::" if inside or kind == "class" else ":::"
    options = f"\n:module: {module}\n" if module else "\n"
    body = "\n\n".join(part for part in (words, inside) if part)
    return f"{marks}{{py:{kind}}} {signature}{options}\n{body}\n{marks}"


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    arguments = node.args
    first = [*arguments.posonlyargs, *arguments.args][:1]
    if first and first[0].arg in ("self", "cls"):
        node = ast.parse(ast.unparse(node)).body[0]  # type: ignore[assignment]
        rest = node.args.posonlyargs or node.args.args
        rest.pop(0)
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({ast.unparse(node.args)}){returns}"


def _class_signature(node: ast.ClassDef) -> str:
    """A dataclass shows its fields; any other class what its ``__init__`` takes."""
    decorators = [ast.unparse(each) for each in node.decorator_list]
    if any(each.startswith("dataclass") for each in decorators):
        fields = [ast.unparse(each) for each in node.body if isinstance(each, ast.AnnAssign)]
        return f"{node.name}({', '.join(fields)})"
    makers = (each for each in node.body if isinstance(each, ast.FunctionDef))
    maker = next((each for each in makers if each.name == "__init__"), None)
    if maker is None:
        return node.name
    return node.name + _signature(maker).removeprefix("__init__").partition(" -> ")[0]


def _map(root: Path) -> str:
    parts = ["# Modules", "Every module has one job. In the order of the alphabet:"]
    for package in PAGES:
        lines = [f"## {package}", "", "| module | job |", "|---|---|"]
        lines += [
            f"| `{name}` | {job.replace('|', chr(92) + '|')} |"
            for name, job in _jobs(root / package)
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _jobs(package: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(package.rglob("*.py")):
        words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        parts = path.relative_to(package).with_suffix("").parts
        if name := ".".join(part for part in parts if part != "__init__"):
            yield name, " ".join(words.split("\n\n")[0].split())


def _package_words(package: Path) -> str:
    tree = ast.parse((package / "__init__.py").read_text(encoding="utf-8"))
    return textwrap.dedent(docstring(tree))
