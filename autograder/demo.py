"""The demonstration: a class of 24 synthetic students hands in lesson 01, and is graded.

Everything lies in a room of its own, ``grading/demo``; a real class is never touched.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import replace

import nbformat
from nbformat import NotebookNode

from autograder.build import build, release_notebook
from autograder.classroom import diagnose_class
from autograder.errors import CourseError, IsolationError
from autograder.fates import FATES, fill, hand_in, non_utf8, reference
from autograder.feedback import write_feedback
from autograder.folder import CourseFolder
from autograder.grade import Options, Run, grade
from autograder.isolation import choose
from autograder.mistakes import Variant, read_mistakes
from autograder.progress import Meter, console, say
from autograder.report import class_table, write_report

SEED = 20
# A cell of lesson 01 takes less than a second; an endless loop need not take two minutes.
CELL_SECONDS = 10
MARKER = ".demo"

# Honest students first, then one for each fate.
STUDENTS = [
    "amara.okafor", "bjorn.lindqvist", "chen.wei", "dalia.haddad", "emre.yildiz",
    "fatima.zahra", "giulia.rossi", "hiroshi.tanaka", "ines.carvalho", "jonas.weber",
    "kavya.raman", "liam.byrne", "mariana.silva", "nikolai.petrov", "oluwaseun.ade",
    "priya.sharma", "quentin.moreau", "rosa.jimenez", "sofia.nowak", "thabo.mokoena",
    "ulrike.brandt", "viktor.horvat", "wanjiru.kamau",
]  # fmt: skip
LATIN_1 = "zoë.laurent"


def run_demo(folder: CourseFolder, jobs: int, isolation: str = "") -> Run:
    """Build lesson 01, make the class, grade it, and show what came of it.

    Args:
        folder: the course.
        jobs: submissions at once.
        isolation: ``jail`` or ``process``; the jail when this machine has one if empty.

    Raises:
        CourseError: when the course has no lesson, or the room of the demonstration holds
            something else.
    """
    name = folder.lessons()[0] if folder.lessons() else ""
    if not name:
        raise CourseError("no lesson to show: there is no text", where=folder.source)
    for file in build(folder, [name], log=say):
        say(f"built {file.relative_to(folder.root)}")
    demo = demo_folder(folder)
    clear(demo)
    students = make_class(demo, name)
    say(f"a class of {len(students)} in {demo.submitted}")
    options = Options(jobs, isolation or _isolation(), CELL_SECONDS)
    with Meter(f"grading {name}") as meter:
        run = grade(demo, name, options, meter.graded)
    with Meter(f"known mistakes of {name}") as meter:
        findings = diagnose_class(demo, name, jobs, meter.step)
    with Meter(f"feedback on {name}") as meter:
        pages = write_feedback(demo, name, progress=meter.at, diagnoses=findings.sentences())
    report = write_report(demo, name, findings.ranking(demo))
    console.print(class_table(demo, name))
    say(f"{run.graded} graded in {run.seconds:.1f} s (isolation: {run.isolation})")
    say(f"feedback: {len(pages)} pages in {demo.feedback}, such as {pages[0]}")
    say(f"report:   {report}")
    return run


def demo_folder(folder: CourseFolder) -> CourseFolder:
    """The same course with a room of its own for students, scores and pages."""
    room = folder.autograded.parent / "demo"
    return replace(
        folder,
        submitted=room / "submitted",
        autograded=room / "autograded",
        feedback=room / "feedback",
        results=room / "results",
        report=room / "report",
        db_url=f"sqlite:///{room / 'gradebook.db'}",
    )


def clear(demo: CourseFolder) -> None:
    """Empty the room of the demonstration.

    Raises:
        CourseError: when the room was not made by a demonstration.
    """
    room = demo.submitted.parent
    if room.exists() and not (room / MARKER).is_file():
        raise CourseError(
            "holds something that no demo made", where=room, remedy="move it, and run again"
        )
    if room.exists():
        shutil.rmtree(room)
    room.mkdir(parents=True)
    (room / MARKER).write_text("Made by `autograder demo`, which empties this folder each time.\n")


def make_class(demo: CourseFolder, name: str) -> dict[str, str]:
    """Hand in for every student; the same class each time.

    Returns:
        What each student is, by folder name: ``perfect``, ``mistakes`` …, or the fate.
    """
    master_path = demo.master(name)
    master = nbformat.read(master_path, as_version=4)
    release, stem = release_notebook(master, demo.config), master_path.stem
    chance = random.Random(SEED)
    names = iter(STUDENTS)
    kinds: dict[str, str] = {}
    for kind, notebook in _honest(master, release, read_mistakes(demo.mistakes(name)), chance):
        student = next(names)
        kinds[student] = kind
        hand_in(demo.submitted / student / name, stem, notebook)
    answers = reference(master)
    victim = next(iter(answers))
    for fate in FATES:
        student = non_utf8(LATIN_1) if fate.name == "non-UTF-8 name" else next(names)
        kinds[student] = fate.name
        fate.write(demo.submitted / student / name, stem, fill(release, answers), victim)
    return kinds


def _honest(
    master: NotebookNode, release: NotebookNode, variants: list[Variant], chance: random.Random
) -> list[tuple[str, NotebookNode]]:
    """Submissions that run: perfect, right in other ways, wrong in some, unfinished."""
    answers = reference(master)
    right = [variant for variant in variants if variant.right]
    wrong = [variant for variant in variants if not variant.right]
    half = dict(list(answers.items())[: len(answers) // 2])
    found = [("perfect", answers)]
    found += [("alternatives", {**answers, **_draw(right, 99, chance)}) for _ in range(2)]
    found += [("mistakes", {**answers, **_draw(wrong, count, chance)}) for count in (2, 4, 7)]
    found += [("half finished", half), ("untouched", {})]
    return [(kind, fill(release, filled)) for kind, filled in found]


def _draw(variants: list[Variant], count: int, chance: random.Random) -> dict[str, str]:
    """One variant for each of ``count`` exercises, or for as many as there are."""
    by_cell: dict[str, list[Variant]] = {}
    for variant in variants:
        by_cell.setdefault(variant.cell, []).append(variant)
    cells = sorted(chance.sample(sorted(by_cell), min(count, len(by_cell))))
    return {cell: _code(chance.choice(by_cell[cell])) for cell in cells}


def _code(variant: Variant) -> str:
    """The variant as a student would write it: without the comment that explains it."""
    lines = variant.source.splitlines()
    while not variant.right and lines and lines[0].startswith("#"):
        lines.pop(0)
    return "\n".join(lines)


def _isolation() -> str:
    """The jail where there can be one: these students are the program's own."""
    try:
        return choose()
    except IsolationError as error:
        say(f"no jail: {error}")
        return "process"
