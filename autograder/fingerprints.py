"""Fingerprints of code: what it does token by token, whatever its names, comments and layout.

A fingerprint is a run of ``LENGTH`` tokens in which every name of the writer's own is one and the
same word. Renamed variables, other comments and other line breaks leave all of them as they are; a
statement that is moved elsewhere changes only those that reach over its edges. Any text has
fingerprints: pygments reads what Python would not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape
from pygments.lexers import PythonLexer
from pygments.token import STANDARD_TYPES, Comment, Name, Number, String, Text, _TokenType

LENGTH = 9  # tokens: about a line
LEXER = PythonLexer(stripnl=False, ensurenl=False)
NAME, TEXT = "name", '"text"'
TONES = ("", '<mark class="also">', "<mark>")


@dataclass(frozen=True)
class Token:
    """One token: what it counts as, and where it stands (characters)."""

    word: str
    start: int
    end: int


class Code:
    """The code of one cell.

    Attributes:
        source: as it was written.
        tokens: without comments, docstrings and blanks.
        prints: each fingerprint with the numbers of the tokens that it starts at.
        names: identifiers and comments, as they stand there.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self._pieces = list(LEXER.get_tokens_unprocessed(source))
        self.tokens: list[Token] = []
        self.names: set[str] = set()
        for start, kind, text in self._pieces:
            if kind in Comment:
                self.names.add(" ".join(text.split()))
            elif kind not in Text and kind not in String.Doc:
                self._add(start, kind, text)
        words = [token.word for token in self.tokens]
        self.prints: dict[int, list[int]] = {}
        for at in range(len(words) - LENGTH + 1):
            self.prints.setdefault(hash(tuple(words[at : at + LENGTH])), []).append(at)

    def _add(self, start: int, kind: _TokenType, text: str) -> None:
        last = self.tokens[-1] if self.tokens else None
        end = start + len(text)
        if kind in String:
            if last and last.word == TEXT:  # quotes, text and formats of one literal
                start = self.tokens.pop().start
            self.tokens.append(Token(TEXT, start, end))
            return
        word = text
        if kind in Name and not (last and last.word == "."):
            self.names.add(text)
            word = text if kind in Name.Builtin and text != "self" else NAME
        elif kind in Number:
            word = text.lower().rstrip("0").rstrip(".") if "." in text else text
        self.tokens.append(Token(word, start, end))

    def covered(self, prints: Iterable[int]) -> set[int]:
        """The numbers of the tokens that belong to one of these fingerprints."""
        starts = (at for value in prints for at in self.prints.get(value, ()))
        return {token for at in starts for token in range(at, at + LENGTH)}

    def shown(self, marked: set[int], alike: set[int], limit: int) -> Markup:
        """Its first ``limit`` characters with their colours; some tokens highlighted.

        Args:
            marked: numbers of tokens to highlight strongly.
            alike: numbers of tokens to highlight faintly.
            limit: how many characters.
        """
        tones = [TONES[(i in marked) * 2 or i in alike] for i in range(len(self.tokens))]
        out: list[str] = []
        last, token = "", 0
        for start, kind, text in self._pieces:
            if start >= limit:
                break
            while token < len(tones) and self.tokens[token].end <= start:
                token += 1
            tone = self._tone(tones, token, start)
            if tone != last:
                out.append("</mark>" * bool(last) + tone)
                last = tone
            name = STANDARD_TYPES.get(kind, "")
            piece = escape(text[: limit - start])
            out.append(f'<span class="{name}">{piece}</span>' if name else str(piece))
        return Markup("".join(out) + "</mark>" * bool(last))

    def _tone(self, tones: list[str], token: int, start: int) -> str:
        """The tone of a piece of source; a gap in a line takes that of both its neighbours."""
        if token == len(tones):
            return ""
        if self.tokens[token].start <= start:
            return tones[token]
        if token == 0 or tones[token - 1] != tones[token]:
            return ""
        gap = self.source[self.tokens[token - 1].end : self.tokens[token].start]
        return "" if "\n" in gap else tones[token]


class Known:
    """Code that is no evidence: the release's own text and the well-known ways to write it."""

    def __init__(self, sources: Iterable[str]) -> None:
        codes = [Code(source) for source in sources]
        self.prints = {value for code in codes for value in code.prints}
        self.names = {name for code in codes for name in code.names}

    def own(self, code: Code) -> set[int]:
        """The numbers of the tokens that no known code explains."""
        explained = code.covered(self.prints.intersection(code.prints))
        return set(range(len(code.tokens))) - explained
