"""What travels between the grader and whoever grades for it: a lesson, a submission, an outcome."""

from __future__ import annotations

from dataclasses import dataclass, field

from autograder.limits import Limits


@dataclass(frozen=True)
class Lesson:
    """What a worker knows of an assignment.

    Attributes:
        name: the assignment.
        master: the source notebook as bytes, hidden tests inside.
        release: the release notebook as bytes.
        limits: what one submission may use.
        isolation: ``jail`` or ``process``.
        files: the assignment's own files beside its notebook, by relative path; they stand in for
            what a submission lacks or changed, and the tests find them too.
    """

    name: str
    master: bytes
    release: bytes
    limits: Limits = field(default_factory=Limits)
    isolation: str = "process"
    files: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True)
class Brief:
    """What a crew is to grade.

    Attributes:
        lessons: the notebooks of one assignment.
        jobs: submissions that run their code at once; 0 when there are no more workers than that.
    """

    lessons: tuple[Lesson, ...]
    jobs: int = 0


@dataclass(frozen=True)
class Task:
    """One submission.

    Attributes:
        student: the name for people and the gradebook.
        content: the notebook file; None when there is none to run.
        refusal: why there is none.
        notes: what a person should know of how it was found.
        files: the other files of the submission, by relative path.
        fingerprint: digest of all that the outcome depends on.
        whole: False for an author's own excerpt of the master, which is run as it is.
    """

    student: str
    content: bytes | None
    refusal: str = ""
    notes: tuple[str, ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()
    fingerprint: str = ""
    whole: bool = True


@dataclass(frozen=True)
class Outcome:
    """What came of a task: result as JSON, autograded notebook if it was run, packed call logs."""

    student: str
    result: str
    notebook: bytes | None
    calls: bytes = b""
