"""Formulas as MathML, written at build time by docutils: no script, nothing from elsewhere."""

from __future__ import annotations

import html
import re
from xml.etree import ElementTree

from docutils import nodes
from docutils.utils.math import MathError, latex2mathml, pick_math_environment
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.writers.html5 import HTML5Translator

SPACE = "http://www.w3.org/1998/Math/MathML"
# What TeX knows and docutils does not, in words that it does know.
OTHER_WORDS = (
    (re.compile(r"\\dots(?![a-zA-Z])|…"), r"\\ldots "),
    (re.compile(r"\\([bB]igg?)(?![a-zA-Z])"), r"\\\1l "),
    (re.compile(r"\\([dt]?frac)\s*([0-9a-zA-Z])\s*([0-9a-zA-Z])"), r"\\\1{\2}{\3}"),
)
ACCENTS = set("ˆ^~˜ˉ¯˙¨ˇ˘→⃗")
NAMED = re.compile(r"&(?!lt;|gt;|amp;|quot;|#)\w+;")  # XML knows five of HTML's names
BRACES = {"⏟": "munder", "⏞": "mover"}

ElementTree.register_namespace("", SPACE)


class FormulaError(ValueError):
    """A formula holds something that cannot be shown."""


def mathml(tex: str, *, block: bool = False) -> str:
    """A formula in TeX as a ``<math>`` element.

    Raises:
        FormulaError: when docutils does not know something in it.
    """
    words = tex
    for pattern, known in OTHER_WORDS:
        words = pattern.sub(known, words)
    environment = pick_math_environment(words) if block else ""
    if "align" in environment and "\\begin{" not in words:
        words = f"\\begin{{{environment}}}{words}\\end{{{environment}}}"
    try:
        text = str(latex2mathml.tex2mathml(words, as_block=block))
        tree = ElementTree.fromstring(NAMED.sub(lambda name: html.unescape(name[0]), text))
    except (MathError, ElementTree.ParseError) as error:
        raise FormulaError(f"formula that cannot be shown: {tex!r} ({error})") from error
    for element in list(tree.iter()):
        _place_scripts(element)
    return ElementTree.tostring(tree, encoding="unicode").strip()


def _place_scripts(element: ElementTree.Element) -> None:
    """Set right where docutils puts an index of ŷ (below it) and a brace's label (beside it)."""
    kind, parts = element.tag.rpartition("}")[2], list(element)
    if kind == "munderover" and _text(parts[2]) in ACCENTS:
        base, index, accent = parts
        accented = ElementTree.Element(f"{{{SPACE}}}mover", {"accent": "true"})
        accented.extend([base, accent])
        element.tag = f"{{{SPACE}}}msub"
        element[:] = [accented, index]
    elif kind in ("msub", "msup") and len(parts[0]) == 2 and _text(parts[0][1]) in BRACES:
        element.tag = f"{{{SPACE}}}{BRACES[_text(parts[0][1])]}"


def _text(element: ElementTree.Element) -> str:
    return (element.text or "").strip()


def visit_inline(translator: HTML5Translator, node: nodes.Element) -> None:
    """A formula in a line."""
    translator.body.append(_shown(node, block=False))
    raise nodes.SkipNode


def visit_block(translator: HTML5Translator, node: nodes.Element) -> None:
    """A formula of its own; the box around it scrolls where the screen is narrow."""
    translator.body.append(f'<div class="formula">{_shown(node, block=True)}</div>\n')
    raise nodes.SkipNode


def _shown(node: nodes.Element, *, block: bool) -> str:
    try:
        return mathml(node.astext(), block=block)
    except FormulaError as error:
        raise ExtensionError(str(error)) from error


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer under the name ``mathml``."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
