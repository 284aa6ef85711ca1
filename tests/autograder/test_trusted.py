"""Which names a test takes from the master: a submission that redefines one shadows nothing."""

import pytest
from nbformat import v4

from autograder.trusted import read_trusted

KINDS = {
    "solution": {"solution": True, "grade": False, "locked": False},
    "test": {"grade": True, "solution": False, "locked": True, "points": 1},
    "locked": {"grade": False, "solution": False, "locked": True},
    "manual": {"grade": True, "solution": True, "locked": False, "points": 1},
}


def master(*cells):
    """A notebook of (kind, source) pairs; the n-th cell has the grade_id ``cN``."""
    notebook = v4.new_notebook()
    for number, (kind, source) in enumerate(cells):
        cell = v4.new_code_cell(source)
        if kind in KINDS:
            cell.metadata["nbgrader"] = {"grade_id": f"c{number}", "schema_version": 3}
            cell.metadata["nbgrader"] |= KINDS[kind]
        notebook.cells.append(cell)
    return notebook


def asked(*cells):
    """What the last cell asks of the submission: always, and unless a test has defined it."""
    trusted = read_trusted(master(*cells))
    names = trusted.names[f"c{len(cells) - 1}"]
    return set(names.solution), set(names.data)


def own(*cells):
    """The names that the referee has after running its own statements, really run."""
    namespace = {}
    exec(read_trusted(master(*cells)).statements, namespace)
    return namespace


SOLUTION = ("solution", "import numpy as np\ndef f(x):\n    return np.sum(x)")


def test_a_solutions_names_come_from_the_submission_and_imports_do_not():
    assert asked(SOLUTION, ("test", "assert f(1) == np.sum(1)")) == ({"f"}, set())
    assert "np" in own(SOLUTION, ("test", "assert f(1) == np.sum(1)"))


def test_builtins_are_never_asked_for_unless_a_solution_is_to_write_one():
    assert asked(SOLUTION, ("test", "assert len([f]) == abs(1)")) == ({"f"}, set())
    assert asked(("solution", "def abs(x): return x"), ("test", "abs(1)")) == ({"abs"}, set())


@pytest.mark.parametrize("kind", ["plain", "locked"])
def test_helpers_and_constants_of_other_cells_are_the_referees_own(kind):
    cells = [
        SOLUTION,
        (kind, "SEED: int = 7\nSHAPE = (2, 3)\ndef helper(x): return deeper(x) + SEED"),
        (kind, "def deeper(x): return x\nclass Box:\n    size = SEED"),
        ("test", "assert helper(1) == 8 and Box.size == SEED == f(7) and SHAPE"),
    ]
    assert asked(*cells) == ({"f"}, set())
    namespace = own(*cells)
    assert namespace["helper"](1) == 8 and namespace["Box"].size == 7


def test_a_helper_that_calls_the_solution_brings_its_name_along():
    cells = [SOLUTION, ("locked", "def twice(x): return f(f(x))"), ("test", "assert twice(1) == 1")]
    assert asked(*cells) == ({"f"}, set())


def test_what_needs_the_solution_when_it_is_defined_comes_from_the_submission():
    net = ("solution", "class Net:\n    def run(self): return 1")
    for helper in (
        "class Deep(Net):\n    pass",
        "@Net\ndef Deep(): pass",
        "def Deep(net=Net()): return net",
        "class Deep:\n    made = Net()",
    ):
        cells = [net, ("plain", helper), ("test", "assert Deep()")]
        assert asked(*cells) == ({"Deep"}, set()), helper
        own(*cells)


def test_data_of_plain_cells_comes_from_the_submission():
    cells = [
        ("plain", "import numpy as np\nimage = np.ones(3)"),
        ("test", "assert image.sum() == 3"),
    ]
    assert asked(*cells) == ({"image"}, set())


@pytest.mark.parametrize(
    "change",
    [
        "losses.append(1)",
        "losses[0] = 1",
        "losses += [1]",
        "losses = [f(1)]",
        "for losses in f(1): pass",
        "for i in range(3):\n    losses.append(f(i))",
    ],
)
def test_a_literal_that_a_later_cell_changes_is_data(change):
    cells = [SOLUTION, ("plain", "losses = []"), ("plain", change), ("test", "assert losses")]
    assert asked(*cells) == ({"losses"}, set())


def test_a_module_that_is_used_stays_the_referees_own():
    change = "np.append([1], 2)\nnp.random.seed = None\nplt.rcParams['a'] = 1"
    cells = [("plain", "import numpy as np\nimport math as plt"), ("plain", change)]
    assert asked(*cells, ("test", "np.sum(plt.pi)")) == (set(), set())


def test_an_import_with_a_second_choice_is_the_referees_own():
    source = "try:\n    import nowhere as lib\nexcept ImportError:\n    import math as lib"
    assert asked(("plain", source), ("test", "assert lib.pi")) == (set(), set())
    assert own(("plain", source), ("test", "assert lib.pi"))["lib"].pi


def test_star_imports_are_the_referees_own_and_never_overwritten_by_data():
    cells = [("plain", "from math import *"), SOLUTION, ("test", "assert f(1) == cos(0)")]
    always, otherwise = asked(*cells)
    assert always == {"f"} and otherwise == {"cos"}  # only when the referee has no cos
    assert own(*cells)["cos"](0) == 1


def test_names_of_earlier_tests_stay_the_referees():
    cells = [SOLUTION, ("test", "expected = 5\nassert f(5) == expected")]
    assert asked(*cells) == ({"f"}, set())
    assert asked(*cells, ("test", "assert f(5) == expected")) == ({"f"}, set())


def test_a_test_reads_data_that_was_bound_after_an_earlier_tests_name():
    cells = [("test", "x = 1"), ("plain", "x = sum([1, 2])"), ("test", "assert x == 3")]
    assert asked(*cells) == ({"x"}, set())
    assert asked(cells[1], cells[0], cells[2]) == (set(), set())


def test_a_test_may_rebind_the_data_that_it_reads():
    data = ("plain", "import numpy as np\nimage = np.ones(3)")
    assert asked(data, ("test", "image = image * 2")) == ({"image"}, set())
    assert asked(data, ("test", "image = np.zeros(3)\nassert image.sum() == 0")) == (set(), set())


@pytest.mark.parametrize(
    "source",
    [
        "for x in [1]:\n    assert x",
        "with open('a') as x:\n    x.read()",
        "try:\n    pass\nexcept ValueError as x:\n    str(x)",
        "if True:\n    x = 1\nassert x",
        "assert [x for x in [1]]",
        "assert (lambda x: x)(1)",
        "def g():\n    return x\nx = 1\ng()",
        "def x(): return 1\nx()",
        "class x: pass\nx()",
        "import math as x\nx.pi",
        "while (x := 0):\n    pass\nx",
    ],
)
def test_what_a_test_binds_before_it_reads_it_is_not_asked_for(source):
    assert asked(("plain", "x = sum([1])"), ("test", source)) == (set(), set())


@pytest.mark.parametrize(
    "source",
    [
        "for i in x:\n    x = i",
        "if x:\n    pass",
        "while x:\n    break",
        "with x as y:\n    pass",
        "def g():\n    return x\ng()",
        "x += 1",
        "assert [y for y in x]",
        "try:\n    x\nexcept NameError:\n    pass",
        "print(f'{x}')",
    ],
)
def test_what_a_test_reads_first_is_asked_for(source):
    assert asked(("plain", "x = sum([1])"), ("test", source)) == ({"x"}, set())


def test_magics_are_left_out_and_never_fetched_from_the_submission():
    cells = [
        ("plain", "%matplotlib inline\nimport numpy as np\n!ls"),
        SOLUTION,
        ("test", "%time f(1)\nget_ipython()\ndisplay(np)\nassert f(1) == 1"),
    ]
    assert asked(*cells) == ({"f"}, set())
    assert asked(SOLUTION, ("test", "%%time\nassert f(1) == 1")) == ({"f"}, set())
    assert asked(("plain", "%%bash\nls"), SOLUTION, ("test", "assert f(1)")) == ({"f"}, set())


def test_cells_that_are_no_python_are_left_out():
    assert asked(("plain", "def broken("), SOLUTION, ("test", "assert f(1)")) == ({"f"}, set())
    assert asked(("plain", "return 5"), SOLUTION, ("test", "assert f(1)")) == ({"f"}, set())


def test_what_no_test_needs_is_not_run_by_the_referee():
    trusted = read_trusted(master(("plain", "import antigravity"), SOLUTION, ("test", "f(1)")))
    assert "antigravity" not in trusted.statements


def test_names_of_a_graded_answer_come_from_the_submission():
    assert asked(("manual", "answer = 5"), ("test", "assert answer == 5")) == ({"answer"}, set())
