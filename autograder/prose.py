"""An author's Markdown as HTML for a page without scripts: formulas as plain letters.

``prose`` gives text, lists, tables and code. Raw HTML is escaped, addresses and pictures are left
out, so a page loads nothing whatever a lesson links to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from markdown_it import MarkdownIt
from markupsafe import Markup

# Code comes first: a dollar in it is no formula.
PIECE = re.compile(
    r"(?P<code>(?P<fence>`{3,}|~{3,}).*?(?P=fence)|(?P<tick>`+)(?!`).+?(?<!`)(?P=tick)(?!`))"
    r"|\$\$(?P<block>.+?)\$\$|(?<![\\$])\$(?P<inline>[^$\n]+(?:\n[^$\n]+)*?)\$",
    re.DOTALL,
)
TOKEN = re.compile(r"\\[a-zA-Z]+\*?|\\.|\s+|.", re.DOTALL)
FORMULA = "\ue000{}\ue001"  # where a formula stands while Markdown is read
DEPTH = 30  # of braces and scripts in a formula

SYMBOLS = {
    "cdot": "·", "times": "×", "div": "÷", "pm": "±", "le": "≤", "leq": "≤", "ge": "≥",
    "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "equiv": "≡", "sim": "∼", "propto": "∝",
    "to": "→", "rightarrow": "→", "leftarrow": "←", "mapsto": "↦", "Rightarrow": "⇒",
    "infty": "∞", "partial": "∂", "nabla": "∇", "sum": "∑", "prod": "∏", "int": "∫", "in": "∈",
    "notin": "∉", "subset": "⊂", "cup": "∪", "cap": "∩", "forall": "∀", "exists": "∃",
    "dots": "…", "ldots": "…", "cdots": "⋯", "vdots": "⋮", "ddots": "⋱", "langle": "⟨",
    "rangle": "⟩", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "lVert": "‖",
    "rVert": "‖", "Vert": "‖", "lvert": "|", "rvert": "|", "mid": "|", "vert": "|", "top": "⊤",
    "circ": "∘", "odot": "⊙", "oplus": "⊕", "otimes": "⊗", "ast": "∗", "star": "⋆",
    "ell": "ℓ", "prime": "′", "colon": ":", "setminus": "∖", "bmod": " mod ",
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε",
    "zeta": "ζ", "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν",
    "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "varphi": "φ",
    "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ",
    "Lambda": "Λ", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
    "quad": "\u2003", "qquad": "\u2003\u2003", "lbrace": "{", "rbrace": "}",
}  # fmt: skip
ACCENTS = {"hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303", "bar": "\u0304",
           "overline": "\u0304", "dot": "\u0307", "vec": "\u20d7"}  # fmt: skip
SILENT = {"left", "right", "displaystyle", "limits", "nolimits", "text", "mathrm", "mathsf",
          "mathbf", "mathbb", "mathcal", "operatorname", "boldsymbol", "underbrace", "overbrace",
          "big", "Big", "bigl", "bigr", "Bigl", "Bigr", "bigg", "Bigg", "textbf", "textit",
          "mathit", "boxed", "substack"}  # fmt: skip
UPRIGHT = {"text", "mathrm", "operatorname", "textbf", "textit"}
FRACTIONS = {"frac", "tfrac", "dfrac", "binom"}
BRACKETS = {"bmatrix": "[]", "pmatrix": "()", "vmatrix": "||", "cases": "{ "}


def prose(markdown: str) -> Markup:
    """``markdown`` as safe HTML: what it says, without what it loads or links to."""
    formulas: list[str] = []

    def keep(match: re.Match[str]) -> str:
        if match["code"]:
            return match[0]
        block = match["block"]
        shown = formula(match["inline"] or block)
        formulas.append(f'<span class="formula">{shown}</span>' if block else shown)
        return FORMULA.format(len(formulas) - 1)

    # Its marks are ours alone.
    text = PIECE.sub(keep, re.sub("[\ue000\ue001]", "", markdown))
    html = _reader().render(text)
    return Markup(re.sub("\ue000(\\d+)\ue001", lambda match: formulas[int(match[1])], html))


def formula(tex: str) -> str:
    """TeX as HTML of letters, ``<sub>`` and ``<sup>``; what it does not know it shows as it is."""
    return _row(iter(TOKEN.findall(tex)), "", 0).strip()


def _row(tokens: Iterator[str], end: str, depth: int) -> str:
    """The formula up to the token ``end``."""
    found = ""
    for token in tokens:
        if token == end:
            break
        found += _shown(token, tokens, depth)
    return found


def _shown(token: str, tokens: Iterator[str], depth: int) -> str:
    name, depth = token[1:], depth + 1
    if depth > DEPTH:
        return escape(token)
    if token == "{":
        return _row(tokens, "}", depth)
    if token in ("_", "^"):
        inner, tag = _next(tokens, depth), "sub" if token == "_" else "sup"
        return inner if inner == "′" else f"<{tag}>{inner}</{tag}>"
    if token == "'":
        return "′"
    if token == "&":
        return " "
    if token.isspace():
        return " "
    if token == "-":
        return "−"
    if not name or token[0] != "\\":
        return f"<i>{token}</i>" if token.isalpha() else escape(token)
    if name in FRACTIONS:
        above, below = _next(tokens, depth), _next(tokens, depth)
        return f"{_whole(above)}/{_whole(below)}"
    if name == "sqrt":
        return f"√{_whole(_next(tokens, depth))}"
    if name in ACCENTS:
        return _next(tokens, depth).replace("</i>", "", 1) + ACCENTS[name]
    if name in ("begin", "end"):
        kind = re.sub("<.*?>", "", _next(tokens, depth))
        return BRACKETS.get(kind, "  ")[name == "end"].strip()
    if name in UPRIGHT:
        return re.sub("</?i>", "", _next(tokens, depth))
    if token == "\\\\":
        return "; "
    if name in SYMBOLS:
        return SYMBOLS[name]
    if name in SILENT or name in ("!",):
        return ""
    if name in (",", ";", ":", " "):
        return "\u2009"
    # A function such as \ln, or a character such as \% .
    return escape(name)


def _next(tokens: Iterator[str], depth: int) -> str:
    """The next group or token."""
    for token in tokens:
        if not token.isspace():
            return _shown(token, tokens, depth)
    return ""


def _whole(inner: str) -> str:
    """In brackets when there is more to it than one letter, number or product."""
    plain = re.sub(r"<su[bp]>.*?</su[bp]>|</?i>", "", inner).strip()
    return inner.strip() if re.fullmatch(r"[\w∂…]*", plain) else f"({inner.strip()})"


def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    # A link is its words, a picture its description.
    for rule in ("link_open", "link_close"):
        reader.add_render_rule(rule, lambda *_: "")
    reader.add_render_rule("image", lambda _, tokens, place, *__: escape(tokens[place].content))
    for rule in ("heading_open", "heading_close"):  # the page has headings of its own
        tag = "<p><strong>" if rule == "heading_open" else "</strong></p>\n"
        reader.add_render_rule(rule, lambda *_, tag=tag: tag)
    return reader
