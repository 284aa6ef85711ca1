"""Where everything lies, for nbgrader's own commands and for `autograder`, which reads it too."""

c = get_config()

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
c.CourseDirectory.db_url = "sqlite:///grading/gradebook.db"
# Lesson text and mistakes lie beside the assignment folders; never copy them into a release.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "*.py", "*.yml"]

# A stub says what to do and fails loudly, so that an untouched exercise earns nothing.
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("your code goes here")'}
c.ClearSolutions.text_stub = "*Your answer goes here.*"

# nbgrader's own execution: slow machines are no reason to fail a lesson.
c.ExecutePreprocessor.timeout = 120
