"""Mechanical mutants: what is changed, what is left out, and how each is named."""

import ast
from textwrap import dedent

import pytest

from autograder.mutants import header, mutants, normal


def made(source, cell="f"):
    return mutants(cell, dedent(source))


def lines(source, kind=None):
    """The mutated lines of a source, of one kind of change."""
    return [m.mutated for m in made(source) if kind in (None, m.kind)]


@pytest.mark.parametrize(
    "line, kind, expected",
    [
        ("y = a + b", "operator", ["y = a - b"]),
        ("y = a + b", "dropped operand", ["y = a", "y = b"]),
        ("y = a - b", "swapped operands", ["y = b - a"]),
        ("y = n // s", "rounded up", ["y = -(-n // s)"]),
        ("y = a < b", "comparison", ["y = a <= b", "y = a >= b"]),
        ("y = a == 0", "comparison", ["y = a != 0", "y = a <= 0", "y = a >= 0"]),
        ("y = mode == 'max'", "comparison", ["y = mode != 'max'"]),
        ("y = a and b", "operator", ["y = a or b"]),
        ("y = not a", "dropped sign", ["y = a"]),
        ("y = f(axis=1)", "constant", ["y = f(axis=2)", "y = f(axis=0)"]),
        ("y = f(keepdims=True)", "constant", ["y = f(keepdims=False)"]),
        ("y = f(a, k=1)", "dropped argument", ["y = f(a)"]),
        ("y = f(a, b)", "swapped arguments", ["y = f(b, a)"]),
        ("y = 0.5", "constant", ["y = 1.5", "y = 0.25"]),
        ("y = 'nc,fc->nf'", "constant", ["y = ''", "y = 'nc,fc->fn'"]),
        ("y = x[a:b]", "slice bound", ["y = x[:b]", "y = x[a:]"]),
        ("y = x[::2]", "slice bound", ["y = x[:]"]),
        (
            "y = x[a:b]",
            "off by one",
            ["y = x[a + 1:b]", "y = x[a - 1:b]", "y = x[a:b + 1]", "y = x[a:b - 1]"],
        ),
        ("y = w.T", "dropped transpose", ["y = w"]),
        ("y = np.abs(x)", "dropped call", ["y = x"]),
        ("y = max(x)", "twin", ["y = min(x)"]),
        ("y = a if c else b", "condition", ["y = a", "y = b", "y = b if c else a"]),
        ("y += a", "operator", ["y -= a", "y = a"]),
        ("y = {'A': 1, 'B': 2}", "swapped elements", ["y = {'A': 2, 'B': 1}"]),
        ("a, b = s", "swapped elements", ["b, a = s"]),
        ("raise ValueError('no')", "exception", ["raise RuntimeError('no')"]),
    ],
)
def test_a_line_is_changed_in_every_such_place(line, kind, expected):
    assert lines(line, kind) == expected


def test_a_copy_that_is_not_made_is_a_mutant_and_a_module_without_its_function_is_none():
    source = """
        def f(x):
            y = x.copy()
            return np.abs(y)
    """
    assert lines(source, "dropped call") == ["y = x", "return y"]


def test_names_that_were_bound_side_by_side_take_each_others_place():
    source = """
        def f(x):
            kh, kw = x.shape
            return kh * 10 + kw
    """
    assert lines(source, "neighbouring name") == ["return kw * 10 + kw", "return kh * 10 + kh"]


def test_bounds_of_a_loop_are_off_by_one_and_conditions_always_and_never_true():
    source = """
        def f(n):
            for i in range(n):
                if i > 2:
                    g(i)
    """
    assert lines(source, "off by one") == ["for i in range(n + 1):", "for i in range(n - 1):"]
    assert lines(source, "condition") == ["if True:", "if False:"]
    assert lines(source, "dropped statement") == ["pass", "pass"]  # the loop, the call


def test_text_for_people_stays_as_it_is():
    source = '''
        def f(x: "array") -> "array":
            """Twice x."""
            print(f"twice {x} is 2")
            raise ValueError("no 2")
    '''
    assert not any("2" in m.mutated and m.kind == "constant" for m in made(source))
    assert all("Twice x" in m.source for m in made(source))


def test_what_computes_the_same_is_no_mutant():
    # 2 + 2 is 4 as well, 1 * 2 is the 2 of "y = 2", and 2 * 3 the 6 of 3 * 2.
    assert [m.mutated for m in made("y = 2 * 2")] == ["pass", "y = 2", "y = 3 * 2"]
    assert "y = x.reshape(n, -2)" not in lines("y = x.reshape(n, -1)")


def test_a_mutant_knows_its_cell_its_line_and_both_texts():
    source = "# kept apart\ndef f(x, s=1):\n    y = (x  +  1)  # (N,)\n    return y // s\n"
    found = made(source, cell="out-size")
    (mutant,) = [m for m in found if m.kind == "rounded up"]
    assert (mutant.cell, mutant.line) == ("out-size", 4)
    assert (mutant.original, mutant.mutated) == ("return y // s", "return -(-y // s)")
    assert ast.unparse(ast.parse(mutant.source)) == mutant.source.strip()
    (default,) = [m for m in found if m.mutated == "def f(x, s=2):"]
    assert default.line == 2
    assert mutant.change == ("out-size", "return y // s", "return -(-y // s)")


def test_the_same_source_gives_the_same_mutants_in_the_same_order():
    source = "def f(a, b):\n    c, d = a\n    return [c < d, a + b, b[1:]]\n"
    assert made(source) == made(source)
    assert [m.line for m in made(source)] == sorted(m.line for m in made(source))


def test_every_mutant_is_another_program_than_the_reference_and_than_the_others():
    source = "def f(a, b):\n    if a > b:\n        return a[0] + 2 * b\n    return max(a, b)\n"
    sources = [m.source for m in made(source)]
    assert len(set(sources)) == len(sources) > 20
    assert ast.unparse(ast.parse(source)) + "\n" not in sources


def test_what_is_no_plain_python_has_no_mutants():
    assert made("%matplotlib inline\ny = 1\n") == []


@pytest.mark.parametrize(
    "written, printed",
    [
        ("for  m in range( kh ):  # rows", "for m in range(kh):"),
        ("elif a  > 1:", "if a > 1:"),
        ("return (a, b)", "return (a, b)"),
        ("def f(x, stride=1):", "def f(x, stride=1):"),
        ("x = 'a'  # text", "x = 'a'"),
        ("pass", "pass"),
    ],
)
def test_a_line_is_read_however_it_is_laid_out(written, printed):
    assert normal(written) == printed


def test_every_original_and_mutated_line_reads_back_as_itself():
    source = "def f(a, b=1):\n    with g(a) as h:\n        while a < b:\n            a += h\n    return a\n"
    for mutant in made(source):
        assert normal(mutant.original) == mutant.original
        assert normal(mutant.mutated) == mutant.mutated


def test_two_statements_or_half_a_one_are_no_line():
    for text in ("a = 1; b = 2", "a ="):
        with pytest.raises(SyntaxError):
            normal(text)


def test_the_header_of_a_compound_statement_leaves_its_body_out():
    (node,) = ast.parse("if a:\n    b = 1\nelse:\n    b = 2\n").body
    assert header(node) == "if a:"
