"""Where everything lies, for nbgrader's own commands and for `autograder`, which reads it too."""

import contextlib
import os
from pathlib import Path

c = get_config()
course = Path(__file__).resolve().parent

# The assignments: source/NN-topic/ is built from source/NN-topic.py.
c.CourseDirectory.course_id = "cnn-course"
c.CourseDirectory.source_directory = "source"
# What students get.
c.CourseDirectory.release_directory = "release"
# What instructors read: the executed reference.
c.CourseDirectory.solution_directory = "solutions"
# Student data stays in one place that git ignores, away from the look-alike autograder/.
c.CourseDirectory.submitted_directory = "grading/submitted"
c.CourseDirectory.autograded_directory = "grading/autograded"
c.CourseDirectory.feedback_directory = "grading/feedback"
c.CourseDirectory.db_url = f"sqlite:///{course / 'grading' / 'gradebook.db'}"
# SQLite makes the file, not its folder: without it formgrader waits for ever in a fresh clone.
with contextlib.suppress(OSError):
    (course / "grading").mkdir(exist_ok=True)
# Lesson text and mistakes lie beside the assignment folders; never copy them into a release.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "*.py", "*.yml"]

# What `autograder publish` hands out beside the releases: the packages that notebooks import.
c.Autograder.publish = {"title": "Convolutional neural networks", "packages": ["course"]}

# A stub says what to do and fails loudly, so that an untouched exercise earns nothing.
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("your code goes here")'}
c.ClearSolutions.text_stub = "*Your answer goes here.*"

# nbgrader's own execution: slow machines are no reason to fail a lesson.
c.ExecutePreprocessor.timeout = 120

# `nbgrader autograde` and formgrader's button run submissions in the jail and tests in the referee,
# as `autograder grade` does (docs/nbgrader.md). NBGRADER_EXECUTE=stock takes nbgrader's own way
# instead, so that both can be compared; it trusts submissions.
if os.environ.get("NBGRADER_EXECUTE", "referee") != "stock":
    c.Autograde.autograde_preprocessors = [
        "autograder.preprocessor.RefereeExecute",  # in the place of nbgrader.preprocessors.Execute
        "nbgrader.preprocessors.IgnorePattern",
        "nbconvert.preprocessors.ClearMetadataPreprocessor",
        "nbgrader.preprocessors.LimitOutput",
        "nbgrader.preprocessors.SaveAutoGrades",
        "nbgrader.preprocessors.AssignLatePenalties",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]
    # In a clone, release/ is there before the gradebook knows of it.
    c.Autograde.pre_convert_hook = "autograder.formgrader.know"
    # Where no jail can be had, and only for submissions that you trust:
    # c.RefereeExecute.isolation = "process"
    # nbgrader's own pages show hidden tests; these are the pages of `autograder feedback`.
    c.GenerateFeedback.exporter_class = "autograder.formgrader.FeedbackPage"
