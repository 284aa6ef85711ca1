"""The autograder: builds, proves, grades and reports nbgrader assignments."""

__version__ = "0.1.0"
