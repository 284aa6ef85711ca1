"""What the grader's processes do without, each looked at in a process of its own."""

import subprocess
import sys


def python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def test_what_serves_nobody_here_is_not_imported():
    code = "import autograder.cli, autograder.grade, sys\nprint(*sys.modules, sep='\\n')"
    loaded = python(code)
    assert "nbgrader.preprocessors" in loaded
    for name in ("lark", "nbgrader.server_extensions.formgrader", "papermill", "torch"):
        assert name not in loaded


def test_notebooks_are_still_validated():
    code = (
        "import autograder.lean, nbformat\n"
        "book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell('')])\n"
        "nbformat.validate(book)\n"
        "book.cells[0].cell_type = 'poem'\n"
        "try: nbformat.validate(book)\n"
        "except nbformat.ValidationError: print('refused')"
    )
    assert python(code) == ["refused"]


def test_the_extensions_of_the_server_are_there_for_whoever_names_them():
    code = "import autograder.lean, nbgrader.server_extensions.formgrader as it\nprint(it.__file__)"
    assert python(code)[0].endswith("formgrader/__init__.py")
