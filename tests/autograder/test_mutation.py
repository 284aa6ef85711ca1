"""Judging mutants: many in one kernel, and each as if it were alone."""

import json
import time
from textwrap import dedent

import pytest
from submissions.toy import meta

from autograder.cases import Lesson
from autograder.errors import LessonError
from autograder.exercises import read_exercises
from autograder.folder import CourseFolder
from autograder.mutants import Mutant
from autograder.mutation import judge_mutants, sample
from autograder.text import dump, read_text

TESTS = {
    "test-two": 'assert double(2) == 4, "two"',
    "test-three": 'assert double(3) == 6, "three"',
    "test-arrays": 'assert double(np.ones(2)).tolist() == [2, 2], "arrays"',
}


@pytest.fixture
def bench(tmp_path):
    """Judge bodies of ``double``, in a lesson of one exercise; what each of them fails."""

    def judge(*bodies, tests=TESTS, above="seen = []", reference="return 2 * x", jobs=1):
        (tmp_path / "source").mkdir(exist_ok=True)
        parts = [
            f"# %%\nimport os\nimport numpy as np\n{above}\n",
            f"# %% {meta('double', solution=True)}",
        ]
        parts.append(f"def double(x):\n    {reference}\n")
        for name, source in tests.items():
            parts.append(f"# %% {meta(name, 1)}\n{dedent(source)}\n")
        (tmp_path / "source" / "01-toy.py").write_text("\n".join(parts))
        master = read_text(tmp_path / "source" / "01-toy.py")
        lesson = Lesson("01-toy", dump(master), dump(master))
        exercises = read_exercises(master)
        wanted = [
            Mutant(
                "double",
                "by hand",
                2,
                reference,
                body,
                f"def double(x):\n    {body}\n" if body else "pass\n",
            )
            for body in bodies
        ]
        found = judge_mutants(CourseFolder.open(tmp_path), lesson, exercises, wanted, jobs)
        return [found[mutant] for mutant in wanted]

    return judge


def test_a_survivor_fails_nothing_and_a_mutant_the_tests_that_see_it(bench):
    assert bench("return x + x", "return x * x", "return 2 * int(x)") == [
        (), ("test-three", "test-arrays"), ("test-arrays",),
    ]  # fmt: skip


def test_two_failed_tests_are_enough(bench):
    assert bench("return 0") == [("test-two", "test-three")]


def test_what_an_earlier_mutant_defined_is_no_help_to_a_later_one(bench):
    assert bench("return x + x", "")[1] == ("test-two", "test-three")


def test_a_loop_without_an_end_is_cut_soon_and_counts_as_caught(bench):
    started = time.monotonic()
    looping = "while True: pass"
    assert bench(looping, "return x + x") == [("test-two", "test-three"), ()]
    assert time.monotonic() - started < 60  # the limit of a cell is 120 s


def test_a_mutant_that_ends_the_kernel_is_caught_and_takes_no_other_with_it(bench):
    assert bench("return x + x", "os._exit(1)", "return 3 * x", "return 2.0 * x") == [
        (), ("test-two",), ("test-two", "test-three"), (),
    ]  # fmt: skip


def test_a_mutant_that_spoils_the_next_one_is_found_out_and_each_is_judged_alone(bench):
    above = "factor = [2]"
    spoils = "factor.append(5); return factor[-1] * x"
    found = bench(spoils, "return sum(factor) * x", above=above, reference="return factor[-1] * x")
    assert found == [("test-two", "test-three"), ()]


def test_points_that_hang_on_changed_arguments_are_no_points(bench):
    tests = {
        "test-arrays": "x = np.arange(3.0)\ny = double(x)\nassert np.allclose(y, 2 * x), 'twice'"
    }
    assert bench("x *= 0; return x", tests=tests) == [("test-arrays",)]


def test_many_are_judged_side_by_side_in_the_order_they_came(bench):
    bodies = [f"return {n} * x" for n in range(3, 58)] + ["return x + x"]
    found = bench(*bodies, jobs=2)
    assert found[-1] == () and all(failed == ("test-two", "test-three") for failed in found[:-1])


def test_what_is_known_is_not_judged_again_until_something_changes(bench, tmp_path):
    assert bench("return x + x") == [()]
    (path,) = (tmp_path / ".cache" / "autograder" / "01-toy" / "mutants").glob("*.json")
    (name,) = json.loads(path.read_text())
    path.write_text(json.dumps({name: ["remembered"]}))
    assert bench("return x + x") == [("remembered",)]
    assert bench("return x + x", above="seen = [0]") == [()]
    stricter = {**TESTS, "test-two": 'assert double(2) == 4 and double(5) == 10, "two"'}
    assert bench("return x + x", tests=stricter) == [()]


def test_modules_of_the_course_folder_are_part_of_what_is_known(bench, tmp_path):
    above = "try:\n    import helpers\nexcept ImportError:\n    pass"
    for text in ("scale = 2\n", "scale = 3\n"):
        (tmp_path / "helpers.py").write_text(text)
        assert bench("return x + x", above=above) == [()]
    assert len(list((tmp_path / ".cache" / "autograder" / "01-toy" / "mutants").iterdir())) == 2


def test_a_reference_that_fails_by_itself_is_named(bench):
    with pytest.raises(LessonError, match="fails test-three by itself: three"):
        bench("return x + x", reference="return x * x")


def test_a_sample_is_in_order_and_stays_when_other_mutants_come():
    many = [
        Mutant("f", "operator", n, f"y = {n}", f"y = {n + 1}", f"y = {n + 1}\n") for n in range(40)
    ]
    drawn = sample(many, 5)
    assert len(drawn) == 5 and drawn == sorted(drawn, key=lambda m: m.line)
    assert set(drawn) <= set(sample(many, 9)) and sample(many, None) == many
