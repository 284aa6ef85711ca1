"""One notebook on its two processes, for real: a warm kernel and the referee."""

import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import v4
from papermill.engines import papermill_engines

from autograder.bout import Bout
from autograder.limits import Limits
from autograder.outputs import Outputs
from autograder.registration import KERNEL_NAME, register
from autograder.results import Status
from autograder.trusted import read_trusted

PACKAGES = ["numpy", "matplotlib", "course"]
add = Outputs.add
HONEST = "def double(x):\n    return 2 * x"


def code(source):
    return v4.new_code_cell(source)


def marked(source, name, **wanted):
    cell = code(source)
    cell.metadata["nbgrader"] = {
        "grade": False,
        "solution": False,
        "locked": True,
        "task": False,
        "points": 0,
        "grade_id": name,
        "schema_version": 3,
        **wanted,
    }
    return cell


def solution(source, name="double"):
    return marked(source, name, solution=True, locked=False)


def graded(source, name="test-double", points=2):
    return marked(source, name, grade=True, points=points)


def run(*cells, kernel=KERNEL_NAME, **wanted):
    """Run cells and return the bout and the notebook."""
    register()
    notebook = v4.new_notebook(cells=[nbformat.from_dict(cell) for cell in cells])
    for number, part in enumerate((notebook, *notebook.cells)):
        part.metadata["papermill"] = {}
        if part is not notebook:
            part.id = f"cell-{number}"
    limits = Limits(**{"cell_seconds": 30, **wanted.pop("limits", {})})
    bout = Bout(**{"packages": PACKAGES, "limits": limits, **wanted})
    ran = papermill_engines.execute_notebook_with_engine(
        "referee", notebook, kernel_name=kernel, progress_bar=False, log_output=False, bout=bout
    )
    return bout, ran


def result_of(*cells, **wanted):
    bout, _ = run(*cells, **wanted)
    return bout.results["test-double"]


def test_a_right_answer_earns_the_points_of_its_cell():
    result = result_of(solution(HONEST), graded("assert double(2) == 4"))
    assert (result.status, result.points, result.message) == (Status.PASSED, 2, "")


def test_a_cold_kernel_gives_the_same():
    result = result_of(
        solution(HONEST), graded("assert double(2) == 4"), kernel="python3", packages=None
    )
    assert result.status is Status.PASSED


def test_a_wrong_answer_is_told_in_the_words_of_the_test():
    result = result_of(
        solution("def double(x):\n    return x"),
        graded('assert double(2) == 4, "double(2) should be twice two"'),
    )
    assert (result.status, result.points) == (Status.FAILED, 0)
    assert result.message == "double(2) should be twice two"


def test_what_the_submission_raises_is_told_as_its_own():
    result = result_of(solution("def double(x):\n    return x / 0"), graded("double(2)"))
    assert result.message == "your code raised ZeroDivisionError: division by zero"


def test_a_function_that_never_ends_is_a_time_out_and_the_next_test_still_runs():
    bout, _ = run(
        solution("def double(x):\n    while x: pass\n    return 0"),
        graded("double(2)"),
        graded("assert double(0) == 0", "test-zero"),
        limits={"cell_seconds": 1},
    )
    assert bout.results["test-double"].status is Status.TIMEOUT
    assert "1 s" in bout.results["test-double"].message
    assert bout.results["test-zero"].status is Status.PASSED


def test_a_function_that_ignores_the_interrupt_is_ended_with_its_kernel():
    stubborn = """
import signal
def double(x):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True: pass
"""
    bout, _ = run(
        solution(stubborn),
        graded("double(2)"),
        graded("assert True", "test-next"),
        limits={"cell_seconds": 1},
    )
    assert bout.results["test-double"].points == 0
    assert bout.results["test-next"].status is Status.DIED
    assert len(bout.problems) == 1


def test_a_cell_that_never_ends_is_interrupted_and_the_rest_runs():
    bout, _ = run(
        code("while True: pass"),
        solution(HONEST),
        graded("assert double(1) == 2"),
        limits={"cell_seconds": 1},
    )
    assert bout.results["test-double"].status is Status.PASSED
    assert "took longer than 1 s" in bout.problems[0]


@pytest.mark.parametrize(
    "body", ["import os; os._exit(0)", "import os; os.kill(os.getpid(), 9)"], ids=["exit", "kill"]
)
def test_a_function_that_ends_its_kernel_earns_nothing_and_says_why(body):
    bout, _ = run(
        solution(f"def double(x):\n    {body}"),
        graded("double(2)"),
        graded("assert True", "test-next"),
    )
    assert bout.results["test-double"].status is Status.DIED
    assert bout.results["test-next"].points == 0
    assert "the kernel stopped in cell test-double" in bout.problems[0]


def test_a_cell_that_ends_its_kernel_is_one_line():
    bout, notebook = run(solution("import os; os._exit(3)"), graded("double(2)"))
    assert len(bout.problems) == 1, bout.problems
    assert bout.problems[0].startswith("the kernel stopped in cell double (")
    (error,) = notebook.cells[0].outputs
    assert error.evalue == bout.problems[0]


def test_points_earned_before_the_kernel_died_stay():
    bout, _ = run(
        solution(HONEST),
        graded("assert double(2) == 4"),
        code("import os; os._exit(3)"),
        graded("assert double(2) == 4", "test-late"),
    )
    assert bout.results["test-double"].points == 2
    assert bout.results["test-late"].points == 0


def test_sys_exit_in_a_tested_function_is_a_failed_test():
    result = result_of(solution("import sys\ndef double(x): sys.exit(0)"), graded("double(2)"))
    assert (result.status, result.points) == (Status.FAILED, 0)


def test_endless_printing_is_cut_off_and_the_rest_runs():
    bout, ran = run(
        code("while True: print('x' * 1000)"),
        solution(HONEST),
        graded("assert double(1) == 2"),
        limits={"output_mb": 1, "cell_seconds": 20},
    )
    assert bout.results["test-double"].status is Status.PASSED
    assert "output_mb" in bout.problems[0]
    assert len(str(ran.cells[0].outputs)) < 2_000_000


def test_endless_printing_is_sent_in_small_parts_and_seen_at_once(monkeypatch):
    parts = []
    monkeypatch.setattr(
        Outputs, "add", lambda self, message: parts.append(message) or add(self, message)
    )
    bout, _ = run(
        code("while True: print('still running ' * 200)"), limits={"output_mb": 2, "memory_mb": 600}
    )
    assert "output_mb" in bout.problems[0]
    texts = [part["content"]["text"] for part in parts if part["msg_type"] == "stream"]
    assert max(map(len, texts)) < 2 << 20
    assert len(texts) > 1
    assert "characters)" not in texts[0], "a text was cut that fits"


def test_what_is_kept_of_endless_printing_is_the_same_each_time():
    kept = [
        run(code("while True: print('x' * 999)"), limits={"output_mb": 1})[1].cells[0].outputs
        for _ in range(2)
    ]
    assert kept[0] == kept[1]
    assert len(kept[0]) == 1
    assert 1_000_000 < len(kept[0][0].text) < 1 << 20


def test_a_message_that_is_too_large_is_refused_and_named():
    result = result_of(
        solution("import numpy as np\ndef double(x): return np.zeros(10**6)"),
        graded("double(2)"),
        limits={"message_mb": 1},
    )
    assert result.points == 0
    assert "too large" in result.message


def test_an_in_place_change_is_seen_by_the_test():
    result = result_of(
        solution("def double(x):\n    x *= 2"),
        graded("import numpy as np\na = np.ones(3)\ndouble(a)\nassert a.sum() == 6"),
    )
    assert result.status is Status.PASSED


def test_a_function_of_the_test_is_called_back():
    result = result_of(
        solution("def double(f): return 2 * f(3)"),
        graded(
            "seen = []\nassert double(lambda x: seen.append(x) or x + 1) == 8\nassert seen == [3]"
        ),
    )
    assert result.status is Status.PASSED


def test_an_object_that_equals_everything_equals_nothing_here():
    result = result_of(
        solution("class Yes:\n    def __eq__(self, o): return True\ndef double(x): return Yes()"),
        graded("assert double(2) == 4"),
    )
    assert result.status is Status.FAILED


def test_a_number_that_decides_its_own_comparison_is_refused():
    result = result_of(
        solution(
            "class N:\n"
            "    def __sub__(self, o): return 0\n"
            "    __rsub__ = __sub__\n"
            "    def __float__(self): return 4.0\n"
            "    def __array__(self, *a, **k):\n"
            "        import numpy as np\n"
            "        return np.array(4.0)\n"
            "def double(x): return N()"
        ),
        graded("import numpy as np\nassert np.abs(np.asarray(double(2)) - 4) < 1"),
    )
    assert result.status is Status.FAILED


def test_names_of_the_referee_cannot_be_shadowed():
    test = graded("assert np.allclose(double(2), 4)\nassert abs(double(2) - 4) == 0")
    master = v4.new_notebook(cells=[code("import numpy as np"), solution(HONEST), test])
    cheat = (
        "import builtins\nimport numpy as np\n"
        "np.allclose = lambda *a: True\nbuiltins.abs = lambda x: 0\n"
        "class np:\n    allclose = staticmethod(lambda *a: True)\n"
        "def abs(x): return 0\ndef double(x): return x"
    )
    wrong = result_of(solution(cheat), test, trusted=read_trusted(master))
    right = result_of(solution(HONEST), test, trusted=read_trusted(master))
    assert (wrong.status, right.status) == (Status.FAILED, Status.PASSED)


def test_partial_credit_is_the_value_of_the_last_expression_and_never_above_the_points():
    half = result_of(solution(HONEST), graded("score = 1 if double(1) == 2 else 0\nscore"))
    more = result_of(solution(HONEST), graded("double(50)"))
    assert (half.status, half.points) == (Status.PARTIAL, 1)
    assert (more.status, more.points) == (Status.PASSED, 2)


def test_a_warning_costs_nothing():
    result = result_of(
        solution("import warnings\ndef double(x):\n    warnings.warn('old')\n    return 2 * x"),
        graded("assert double(2) == 4"),
    )
    assert result.status is Status.PASSED


def test_what_the_submission_prints_while_tested_is_kept_for_its_feedback():
    result = result_of(
        solution("def double(x):\n    print('I got', x)\n    return 2 * x"),
        graded("assert double(2) == 4"),
    )
    assert result.output == "I got 2\n"


@pytest.mark.parametrize("line", ["import scipy.signal", "from torch import nn"])
def test_a_package_that_is_not_allowed_is_refused_by_name(line):
    _, ran = run(code(line), packages=["numpy"])
    (output,) = ran.cells[0].outputs
    assert output.ename in ("ImportError", "ModuleNotFoundError")
    assert "not allowed" in output.evalue


def test_a_helper_marked_in_submission_runs_beside_the_students_objects():
    test = """
from course.checks import in_submission

@in_submission
def kind(thing):
    return type(thing).__name__, thing.value + 1

assert kind(double(3)) == ("Box", 4)
"""
    result = result_of(
        solution("class Box:\n    def __init__(s, v): s.value = v\ndef double(x): return Box(x)"),
        graded(test),
    )
    assert result.status is Status.PASSED, result.message


def test_a_missing_name_is_explained():
    result = result_of(solution("pass"), graded("triple(2)"))
    assert "triple" in result.message
    assert "did the cell that defines it run?" in result.message


def test_time_for_the_whole_submission_is_bounded():
    bout, _ = run(
        code("import time; time.sleep(1.2)"),
        solution(HONEST),
        graded("assert double(1) == 2"),
        limits={"submission_seconds": 1},
    )
    assert bout.results["test-double"].points == 0
    assert any("1 s" in problem for problem in bout.problems)


def test_a_submission_that_forges_the_bridge_gains_nothing():
    forger = """
import sys
bridge = sys.modules["autograder.bridge"]
bridge.serve = lambda: None
def double(x): return 4
"""
    bout, _ = run(solution(forger), graded("assert double(3) == 6"), limits={"cell_seconds": 5})
    assert bout.results["test-double"].points == 0


def test_illustrations_of_the_master_are_not_drawn_again():
    _, ran = run(
        code("print('a picture')"), code("print('mine')"), skip=frozenset(["print('a picture')"])
    )
    assert ran.cells[0].outputs == []
    assert ran.cells[1].outputs[0].text == "mine\n"


def test_each_cell_keeps_what_it_said_although_the_kernel_runs_ahead():
    cells = [code(f"print({number}); {number} * 10") for number in range(30)]
    _, ran = run(*cells)
    said = [(cell.outputs[0].text, cell.outputs[1].data["text/plain"]) for cell in ran.cells]
    assert said == [(f"{number}\n", f"{number * 10}") for number in range(30)]


def test_a_cell_that_printed_too_much_and_ended_costs_the_next_cell_nothing():
    flood = code("print('x' * (4 << 20), flush=True)")
    slow = solution(f"import time\ntime.sleep(1.5)\n{HONEST}")
    bout, ran = run(flood, slow, graded("assert double(2) == 4"), limits={"output_mb": 1})
    assert bout.results["test-double"].status is Status.PASSED, bout.problems
    assert not ran.cells[1].outputs


@pytest.mark.parametrize("long", ["print('a' * (3 << 20))", "raise ValueError('é\\0' * (3 << 19))"])
def test_a_text_that_is_too_long_is_cut_and_says_how_long_it_was(long):
    _, ran = run(code(long), code("print('still here')"), limits={"output_mb": 1})
    assert re.search(r"\(the first [\d,]+ of 3,145,72\d characters\)", str(ran.cells[0].outputs))
    assert ran.cells[1].outputs[0].text == "still here\n"


def test_an_error_whose_text_is_cut_keeps_its_name():
    _, ran = run(code("raise ValueError('a' * (3 << 20))"), limits={"output_mb": 1})
    assert ran.cells[0].outputs[0].ename == "ValueError"


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the memory used")
@pytest.mark.parametrize(
    "flood",
    [
        "print('x' * 5_000_000)",
        "display('x' * 100_000)",
        "sys.stdout.pub_thread.send_multipart([b'x' * 50_000_000] * 6)",
        "get_ipython().kernel.iopub_socket.send(b'x' * 50_000_000)",
    ],
)
def test_the_grader_stays_small_whatever_is_printed(flood):
    solution_cell = solution(f"import sys\n{HONEST}\nwhile True: {flood}")
    Path("/proc/self/clear_refs").write_text("5")  # the largest size is counted anew
    before = size_of_this_process("VmRSS")
    run(solution_cell, graded("assert double(2) == 4"), limits={"cell_seconds": 5})
    assert size_of_this_process("VmHWM") - before < 150


def size_of_this_process(kind):
    """In MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(kind))


def test_a_cell_may_wait_for_what_it_awaits():
    waiting = solution(f"import asyncio\nawait asyncio.sleep(0.01)\n{HONEST}")
    assert result_of(waiting, graded("assert double(2) == 4")).status is Status.PASSED


@pytest.mark.parametrize("kernel", [KERNEL_NAME, "python3"])
def test_input_is_refused_with_a_reason(kernel):
    _, ran = run(code("input()"), kernel=kernel, packages=None)
    assert ran.cells[0].outputs[0].ename == "StdinNotImplementedError"


def test_magics_shell_variables_and_counts_are_those_of_a_notebook():
    cells = [code("%matplotlib inline\n6 * 7"), code("_ + 1"), code("In[2], Out[1]")]
    _, ran = run(*cells)
    values = [cell.outputs[-1].data["text/plain"] for cell in ran.cells]
    assert values == ["42", "43", "('_ + 1', 42)"]


def test_a_test_that_unfolds_a_huge_answer_runs_out_of_its_own_memory_alone():
    bout, _ = run(
        solution("def double(x):\n    return range(1 << 24)"),
        graded("assert len([i + 0.5 for i in double(1)] * 40) == 4"),
        graded("assert list(double(1))[:2] == [0, 1]", name="test-next"),
        limits={"memory_mb": 1024},
    )
    assert (bout.results["test-double"].status, bout.results["test-double"].error) == (
        Status.FAILED,
        "MemoryError",
    )
    assert bout.results["test-next"].status is Status.PASSED


def test_a_helper_of_a_locked_cell_may_run_in_the_submission_too():
    helper = """
from course.checks import in_submission

@in_submission
def kinds(things):
    return [type(thing).__name__ for thing in things]
"""
    result = result_of(
        marked(helper, "helpers"),
        solution("class Odd: pass\ndef double(x):\n    return [Odd()] * x"),
        graded("assert kinds(double(2)) == ['Odd', 'Odd']"),
    )
    assert result.status is Status.PASSED, result.message
