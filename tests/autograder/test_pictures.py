"""Illustrations are passed over, but for those that a student's answer reads."""

import time

from nbformat import v4

from autograder.pictures import idle_pictures

IMPORTS = "import numpy as np"
PHOTO = "rng = np.random.default_rng(0)\nscene = rng.random((4, 4))"
SHEET = "tiles = [scene, scene.T]\nprint(len(tiles))"
PICTURES = frozenset([PHOTO, SHEET])


def cell(source, **meta):
    made = v4.new_code_cell(source)
    if meta:
        made.metadata.nbgrader = {"schema_version": 3, "grade_id": "x", **meta}
    return made


def locked(source):
    return cell(source, grade=False, solution=False, locked=True)


def answer(source):
    return cell(source, grade=False, solution=True, locked=False)


def submission(*own):
    lesson = [locked(IMPORTS), locked(PHOTO), locked(SHEET)]
    return v4.new_notebook(cells=[*lesson, *own])


def test_all_are_idle_when_no_answer_mentions_them():
    assert idle_pictures(submission(answer("def f(x):\n    return x")), PICTURES) == PICTURES


def test_one_that_an_answer_reads_is_run():
    idle = idle_pictures(submission(answer("def f():\n    return scene.sum()")), PICTURES)
    assert idle == {SHEET}


def test_what_such_a_one_needs_itself_is_run_as_well():
    assert idle_pictures(submission(answer("n = len(tiles)")), PICTURES) == frozenset()


def test_a_comment_or_a_name_of_ones_own_draws_nothing():
    for source in (
        "# the scene of above\ny = 1",
        "def f(scene):\n    return scene",
        "scene = 3\n\ndef f():\n    return scene",
        "def f():\n    rng = 1\n    return rng",
    ):
        assert idle_pictures(submission(answer(source)), PICTURES) == PICTURES, source


def test_what_the_lesson_gave_before_draws_nothing():
    again = f"{IMPORTS}\npicture = np.ones(3)"
    notebook = submission(locked(again), answer("def f():\n    return np.ones(2)"))
    assert idle_pictures(notebook, PICTURES | {again}) == PICTURES | {again}


def test_a_cell_that_the_student_added_counts_when_an_answer_needs_it():
    between = cell("bright = scene > 0.5")
    assert idle_pictures(submission(between, answer("y = 1")), PICTURES) == PICTURES
    assert idle_pictures(submission(between, answer("y = bright.sum()")), PICTURES) == {SHEET}


def test_the_loop_of_a_cell_that_an_answer_needs_draws_nothing():
    between = cell("sizes = []\nfor scene in range(3):\n    sizes.append(scene)")
    assert idle_pictures(submission(between, answer("y = sizes[0]")), PICTURES) == PICTURES


def test_magics_and_broken_code_are_no_obstacle():
    for source in (
        "%time scene.sum()",
        "%%bash\necho scene",
        "def f(:\n  scene",
        "scene = (",
        "",
        f"scene{'(' * 9000}{')' * 9000}",
    ):
        assert idle_pictures(submission(answer(source)), PICTURES) <= PICTURES


def test_thousands_of_cells_take_no_time_to_speak_of():
    own = [answer(f"a{number} = scene" if number % 2 else "b = a1") for number in range(2000)]
    start = time.process_time()
    assert idle_pictures(submission(*own), PICTURES) == {SHEET}
    assert time.process_time() - start < 5
