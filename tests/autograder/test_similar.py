"""Similar submissions: a copy is found whatever it was dressed in, and nothing else is."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from functools import cache
from html import unescape
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat import NotebookNode
from playwright.sync_api import sync_playwright
from submissions.toy import Course
from typer.testing import CliRunner

from autograder.build import release_notebook
from autograder.cli import app
from autograder.demo import demo_folder, make_class
from autograder.errors import CourseError
from autograder.fates import fill, hand_in, reference
from autograder.fingerprints import LENGTH, Code
from autograder.folder import CourseFolder
from autograder.likeness import FEWEST, GROUP, unusual
from autograder.mistakes import read_mistakes
from autograder.similar import Comparison, find_similar

REPOSITORY = Path(__file__).parents[2]
NAME = "01-convolution"
# Written by one person, in no known way.
OWN = {
    "xcorr2d": """\
def xcorr2d(image, kernel):
    # slide the window by hand, row after row
    tall, wide = kernel.shape
    answer = []
    for top in range(len(image) - tall + 1):
        strip = image[top : top + tall]
        answer.append([])
        for left in range(image.shape[1] - wide + 1):
            window = strip[:, left : left + wide]
            answer[-1].append(sum(a * b for a, b in zip(window.ravel(), kernel.ravel())))
    return np.asarray(answer, dtype=float)
""",
    "depthwise": """\
def depthwise_forward(x, w, b):
    planes = []
    for picture in x:
        layers = [xcorr2d(layer, w[c]) + b[c] for c, layer in enumerate(picture)]
        planes.append(np.stack(layers, axis=0))
    return np.concatenate([p[np.newaxis] for p in planes])
""",
    "im2col": """\
def im2col(x, kh, kw, stride=1, padding=0):
    frame = [(0, 0)] * 2 + [(padding, padding)] * 2
    bigger = np.pad(x, frame, mode="constant")
    stop_y, stop_x = bigger.shape[2] - kh, bigger.shape[3] - kw
    corners = [(r, c) for r in range(0, stop_y + 1, stride) for c in range(0, stop_x + 1, stride)]
    pieces = [bigger[:, :, r : r + kh, c : c + kw].reshape(len(x), -1) for r, c in corners]
    return np.stack(pieces, axis=-1)
""",
}
# The same work with other names, other comments, other line breaks, statements moved.
DRESSED = {
    "xcorr2d": '''\
def xcorr2d(image, kernel):
    """Correlation."""
    out = []
    k_rows, k_cols = kernel.shape  # size of the filter
    for i in range(len(image) - k_rows + 1):
        out.append([])
        band = image[i : i + k_rows]
        for j in range(image.shape[1] - k_cols + 1):
            # one patch
            patch = band[:, j : j + k_cols]
            out[-1].append(
                sum(u * v for u, v in zip(patch.ravel(), kernel.ravel()))
            )
    return np.asarray(out, dtype=float)
''',
    "depthwise": '''\
def depthwise_forward(inputs, weights, bias):
    result = []
    for img in inputs:
        maps = [xcorr2d(ch, weights[i]) + bias[i] for i, ch in enumerate(img)]
        result.append(np.stack(maps, axis=0))
    return np.concatenate([m[np.newaxis] for m in result])
''',
    "im2col": '''\
def im2col(x, kh, kw, stride=1, padding=0):
    margins = [(0, 0)] * 2 + [(padding, padding)] * 2
    padded = np.pad(x, margins, mode='constant')
    last_row, last_col = padded.shape[2] - kh, padded.shape[3] - kw
    places = [
        (y, z)
        for y in range(0, last_row + 1, stride)
        for z in range(0, last_col + 1, stride)
    ]
    blocks = [padded[:, :, y : y + kh, z : z + kw].reshape(len(x), -1) for y, z in places]
    return np.stack(blocks, axis=-1)
''',
}  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> CourseFolder:
    """A copy of lesson 01 with the demonstration's class of 24."""
    root = tmp_path_factory.mktemp("similar") / "course"
    for part in ("source", "release"):
        shutil.copytree(REPOSITORY / part / NAME, root / part / NAME)
    for part in ("nbgrader_config.py", f"source/{NAME}.py", f"source/{NAME}.mistakes.py"):
        shutil.copy(REPOSITORY / part, root / part)
    demo = demo_folder(CourseFolder.open(root))
    make_class(demo, NAME)
    return demo


@pytest.fixture
def folder(built: CourseFolder) -> CourseFolder:
    """The same; who a test adds to the class is gone after it."""
    before = set(built.submitted.iterdir())
    yield built
    for path in set(built.submitted.iterdir()) - before:
        shutil.rmtree(path)


@cache
def lesson(path: Path) -> tuple[NotebookNode, dict[str, str]]:
    """The release and the reference answers."""
    master = nbformat.read(path, as_version=4)
    return release_notebook(master, CourseFolder.open(REPOSITORY).config), reference(master)


def submit(folder: CourseFolder, student: str, **answers: str) -> None:
    release, known = lesson(folder.master(NAME))
    filled = known | {name.replace("_", "-"): source for name, source in answers.items()}
    hand_in(folder.submitted / student / NAME, NAME, fill(release, filled))


def names(found: Comparison) -> list[tuple[str, str]]:
    return [(pair.left.student, pair.right.student) for pair in found.likeness.pairs]


def words(page: str) -> str:
    body = re.sub(r"(?s)<style>.*?</style>", "", page)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_renamed_variables_comments_and_layout_change_no_fingerprint() -> None:
    for cell in OWN:
        own, dressed = Code(OWN[cell]), Code(DRESSED[cell])
        shared = own.prints.keys() & dressed.prints.keys()
        share = len(own.covered(shared)) / len(own.tokens)
        assert share > 0.75 if cell == "xcorr2d" else share == 1, (cell, share)


def test_other_code_has_other_fingerprints() -> None:
    assert not Code(OWN["im2col"]).prints.keys() & Code(OWN["depthwise"]).prints.keys()
    plus, minus = Code("a = f(b, c) + d[0]"), Code("a = f(b, c) - d[0]")
    assert plus.prints and not plus.prints.keys() & minus.prints.keys()
    total, highest = Code("y.sum(axis=0, k)"), Code("y.max(axis=0, k)")
    assert total.prints and not total.prints.keys() & highest.prints.keys()


def test_a_dressed_up_copy_is_the_one_pair_found_in_a_class(folder: CourseFolder) -> None:
    submit(folder, "owen.hale", **OWN)
    submit(folder, "petra.lund", **DRESSED)
    found = find_similar(folder, NAME)
    assert names(found) == [("owen.hale", "petra.lund")]
    (pair,) = found.likeness.pairs
    assert list(pair.marks) == ["xcorr2d", "depthwise", "im2col"]
    assert pair.tokens > 2 * FEWEST and pair.share > 0.8
    page = found.page.read_text(encoding="utf-8")
    text = words(page)
    assert "26 submissions" in text and "1 unusual pair" in text and "accuses nobody" in text
    assert "owen.hale and petra.lund" in text and "Cross-correlate" not in text
    marks = re.findall(r"(?s)<mark>(.*?)</mark>", page)
    marked = [unescape(re.sub(r"<[^>]+>", "", passage)) for passage in marks]
    assert "planes.append(np.stack(layers, axis=0))" in marked
    assert "result.append(np.stack(maps, axis=0))" in marked
    assert not any("x.shape" in passage or "import" in passage for passage in marked)


def test_the_shown_code_is_the_code_whatever_is_highlighted() -> None:
    source = DRESSED["im2col"] + "x = f'{a!r:>{width}} <b>' 'more'  # é\n\n\tdef 'broken"
    code = Code(source)
    some = set(range(3, 40)) | {60, 62, len(code.tokens) - 1}
    for marked, alike in ((set(), set()), (some, set()), (some, set(range(90))), (set(), some)):
        shown = str(code.shown(marked, alike, 10_000))
        assert unescape(re.sub(r"<[^>]+>", "", shown)) == source
        assert (
            shown.count("<mark") == shown.count("</mark>") > (0 if some & (marked | alike) else -1)
        )
    assert unescape(re.sub(r"<[^>]+>", "", str(code.shown(some, some, 50)))) == source[:50]


def test_what_equals_the_reference_or_a_known_answer_is_no_evidence(folder: CourseFolder) -> None:
    variants = read_mistakes(folder.mistakes(NAME))
    answers = {variant.cell: variant.source for variant in variants}
    assert len(answers) > 15
    submit(folder, "ada")
    submit(folder, "ben")
    submit(folder, "cyd", **answers)
    submit(folder, "dan", **answers)
    found = find_similar(folder, NAME)
    assert names(found) == [] and max(found.likeness.closest) < FEWEST
    assert "No two submissions are." in words(found.page.read_text(encoding="utf-8"))


def test_what_a_large_part_of_the_class_wrote_is_no_evidence(folder: CourseFolder) -> None:
    for number in range(10):  # of 34
        submit(folder, f"s{number}", **OWN)
    found = find_similar(folder, NAME)
    assert names(found) == []


def test_a_group_of_four_is_six_pairs(folder: CourseFolder) -> None:
    for number in range(4):
        submit(folder, f"s{number}", **(OWN if number % 2 else DRESSED))
    assert len(names(find_similar(folder, NAME))) == 6


def test_names_that_only_two_chose_are_shown(folder: CourseFolder) -> None:
    submit(folder, "owen.hale", **OWN)
    submit(folder, "petra.lund", **OWN)
    (pair,) = find_similar(folder, NAME).likeness.pairs
    assert {"bigger", "strip", "# slide the window by hand, row after row"} <= set(pair.names)
    assert not {"image", "kernel", "np", "stride"} & set(pair.names)


def test_broken_submissions_are_a_line_each_and_stop_nothing(folder: CourseFolder) -> None:
    submit(folder, "owen.hale", **OWN)
    submit(folder, "petra.lund", **DRESSED)
    submit(folder, "a-huge-cell", xcorr2d="x = [" + "1, 22, 'three', " * 200_000 + "]")
    submit(
        folder, "b-broken", im2col="def broken(x:\n  '''\n" + "\x00(((" * 5000, depthwise="‮\ud800é𝒳"
    )
    hostile = {"xcorr2d": "</code><script>alert(1)</script>\x1b[31m # " + "é" * 90}
    submit(folder, "<script>c", **{**OWN, **hostile})
    found = find_similar(folder, NAME)
    told = dict(found.problems)
    assert found.submissions == 29 and found.compared == 29 - 6
    assert "3,200,006 characters; the first 50,000 were compared" in told["a-huge-cell"]
    assert sorted(
        reason.split(":")[0] for reason in told.values() if "characters" not in reason
    ) == [
        "cut off or damaged",
        "its notebook format is 7, which no reader knows",
        "no notebook",
        "no solution cell is left in the notebook",
        "not a notebook",
        "the file is empty",
    ]
    assert ("owen.hale", "petra.lund") in names(found)
    page = found.page.read_text(encoding="utf-8")
    assert "<script" not in page and "\x00" not in page and "\x1b" not in page
    assert "&lt;script&gt;c" in page and "the file is empty" in page


def test_nothing_but_its_page_is_written(folder: CourseFolder) -> None:
    submit(folder, "owen.hale", **OWN)
    page = folder.report / f"{NAME}.similar.html"
    page.unlink(missing_ok=True)

    def state() -> dict[Path, bytes]:
        files = (path for path in folder.root.rglob("*") if path.is_file())
        return {path: hashlib.sha256(path.read_bytes()).digest() for path in files}

    before = state()
    find_similar(folder, NAME)
    after = state()
    assert set(after) - set(before) == {page}
    assert {path: after[path] for path in before} == before


def run(folder: CourseFolder, *arguments: str):
    return CliRunner().invoke(app, ["similar", *arguments, "--course-dir", str(folder.root)])


def test_the_command_prints_a_table_and_one_object(course: Course) -> None:
    for student in ("ann", "bob", "cyd"):
        course.hand_in(student)
    done = run(course.folder, course.name)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "3 submissions, 3 compared, unusual pairs: 0" in done.stderr
    both = "\n".join(OWN.values())
    for student in ("dan", "eve"):
        course.hand_in(student, total=both)
    (course.place("fay")).mkdir(parents=True)
    done = run(course.folder, course.name, "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert (told["submissions"], told["compared"]) == (6, 5)
    (pair,) = told["pairs"]
    assert pair["students"] == ["dan", "eve"] and pair["cells"] == ["total"]
    assert pair["share"] == 1 and pair["tokens"] > 100
    assert told["problems"] == [
        {
            "student": "fay",
            "reason": f"no notebook: {course.name}.ipynb is missing; ask the student to hand in again",
        }
    ]
    assert Path(told["report"]).is_file()
    assert "dan" in done.stderr and "total" in done.stderr and "fay: no notebook" in done.stderr


def test_a_class_of_one_or_of_nobody_readable_is_a_page(course: Course) -> None:
    course.hand_in("ann")
    found = find_similar(course.folder, course.name)
    assert "Nothing to compare: one submission." in words(found.page.read_text(encoding="utf-8"))
    (course.place("ann") / f"{course.name}.ipynb").write_bytes(b"")
    found = find_similar(course.folder, course.name)
    assert found.problems == [("ann", "the file is empty")] and found.likeness.pairs == []
    assert "no submission could be read" in words(found.page.read_text(encoding="utf-8"))


def test_an_empty_class_and_an_unknown_assignment_are_one_line(course: Course) -> None:
    with pytest.raises(
        CourseError, match=r"no submission of 07-sums; put them into STUDENT/07-sums"
    ):
        find_similar(course.folder, course.name)
    with pytest.raises(CourseError, match="no assignment '99-nothing'"):
        find_similar(course.folder, "99-nothing")
    (course.folder.source / "08-words").mkdir()
    words_only = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Words")])
    nbformat.write(words_only, course.folder.source / "08-words" / "08-words.ipynb")
    with pytest.raises(CourseError, match="08-words has no solution cell"):
        find_similar(course.folder, "08-words")


def test_an_assignment_of_several_notebooks_is_compared_as_one(course: Course) -> None:
    source = course.folder.source / "09-two"
    for name in ("first", "second"):
        hand_in(source, name, course.master)
    for student in ("ann", "bob"):
        for name, answer in (("first", OWN["im2col"]), ("second", OWN["xcorr2d"])):
            notebook = fill(course.release, {**course.answers, "total": answer})
            hand_in(course.folder.submitted / student / "09-two", name, notebook)
    (pair,) = find_similar(course.folder, "09-two").likeness.pairs
    assert list(pair.marks) == ["first/total", "second/total"]


def test_only_what_stands_out_on_both_sides_is_unusual() -> None:
    random = np.random.default_rng(5)
    alike = random.uniform(0, 30, (60, 60))
    alike = np.triu(alike, 1) + np.triu(alike, 1).T
    assert not unusual(alike).any()
    alike[3, 7] = alike[7, 3] = 120
    assert np.argwhere(unusual(alike)).tolist() == [[3, 7], [7, 3]]
    # One whose long work shares much with everybody is close to nobody.
    alike[11, :] = alike[:, 11] = random.uniform(80, 130, 60)
    alike[11, 11] = 0
    assert np.argwhere(unusual(alike)).tolist() == [[3, 7], [7, 3]]
    assert GROUP < 60 - 1 and LENGTH > 1


def test_a_class_of_two_hundred_takes_seconds(folder: CourseFolder) -> None:
    ways = {name: [source] for name, source in lesson(folder.master(NAME))[1].items()}
    for variant in read_mistakes(folder.mistakes(NAME)):
        ways[variant.cell].append(variant.source)
    chance = np.random.default_rng(2)
    for number in range(200 - 24):
        submit(
            folder,
            f"s{number:03}",
            **{cell: found[chance.integers(len(found))] for cell, found in ways.items()},
        )
    started = time.perf_counter()
    found = find_similar(folder, NAME)
    assert time.perf_counter() - started < 60
    assert (found.submissions, names(found)) == (200, [])


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 360, 1200])
def test_a_browser_loads_nothing_and_needs_no_sideways_scroll(
    folder: CourseFolder, width: int
) -> None:
    submit(folder, "owen.hale" * 6, **OWN)
    submit(folder, "petra.lund", **{**DRESSED, "im2col": DRESSED["im2col"] + "# " + "x" * 300})
    page_path = find_similar(folder, NAME).page
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": width, "height": 800})
        heard: list[str] = []
        page.on("console", lambda message: heard.append(message.text))
        page.on("request", lambda request: heard.append(request.url[:5]))
        page.goto(page_path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.locator("mark").count() > 3
        left, right = (page.locator(".sides > div").nth(i).bounding_box() for i in (0, 1))
        assert (left["y"] == right["y"]) == (width == 1200)
        browser.close()
    assert heard == ["file:"]
