"""What nbgrader's own tests read when they run with our executor: only what runs is exchanged."""

import os

c = get_config()

c.Autograde.autograde_preprocessors = [
    "autograder.preprocessor.RefereeExecute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.RefereeExecute.isolation = os.environ["TEST_ISOLATION"]
