"""The errata: the course's own file, and what is refused in one."""

from pathlib import Path

import pytest
import yaml
from coursesite.errata import errata_page, read_errata, taught_by

from autograder.errors import CourseError

ROOT = Path(__file__).resolve().parents[2]

GOOD = {"id": "E01", "kind": ["wrong"], "lecture": ["L1"], "says": "2 + 2 = 5", "right": "It is 4."}


def written(tmp_path, *rows, lectures=None):
    path = tmp_path / "errata.yml"
    data = {"lectures": lectures or {"L1": "A lecture"}, "errata": list(rows)}
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return path


# --- The course's own errata


def test_the_errata_are_numbered_without_a_gap(contents):
    ids = [row.id for row in contents.errata.rows]
    assert ids == [f"E{number:02d}" for number in range(1, len(ids) + 1)]
    assert len(ids) == 89


def test_each_erratum_is_set_right_by_a_row_of_the_syllabus(contents):
    assert {row.id for row in contents.errata.rows} <= set(taught_by(contents.rows))


def test_the_syllabus_names_no_erratum_that_is_not_listed(contents):
    assert set(taught_by(contents.rows)) <= {row.id for row in contents.errata.rows}


def test_every_lecture_has_an_erratum(contents):
    named = {name for row in contents.errata.rows for name in row.lectures}
    assert named == set(contents.errata.lectures)


def test_no_two_errata_say_the_same(contents):
    for part in ("says", "right"):
        texts = [getattr(row, part).casefold() for row in contents.errata.rows]
        assert len(set(texts)) == len(texts)


def test_the_page_has_an_entry_for_each_erratum_with_where_it_is_taught(contents):
    page = errata_page(contents.errata, contents.rows, {"S190": '<a href="x">there</a>'})
    for row in contents.errata.rows:
        assert f'id="{row.id}"' in page
        assert row.right in page
    (entry,) = [part for part in page.split("<section") if 'id="E02"' in part]
    assert '<a href="x">there</a>' in entry


# --- Reading errata


def test_a_row_is_read_with_all_that_it_says(tmp_path):
    errata = read_errata(written(tmp_path, {**GOOD, "see": "a book"}))
    (row,) = errata.rows
    assert (row.id, row.kinds, row.lectures) == ("E01", ("wrong",), ("L1",))
    assert (row.says, row.right, row.see) == ("2 + 2 = 5", "It is 4.", "a book")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"id": "X1"}, r"erratum 1 \(X1\) needs an id such as E01"),
        ({"kind": ["false"]}, "as kind"),
        ({"kind": "wrong"}, "as kind"),
        ({"kind": []}, "as kind"),
        ({"lecture": ["L9"]}, r"\['L1'\] as lecture"),
        ({"right": ""}, "one paragraph as right"),
        ({"says": "two\nlines"}, "one paragraph as says"),
        ({"see": 7}, "one paragraph as see"),
        ({"where": "slide 3"}, r"too much: \['where'\]"),
    ],
)
def test_a_bad_row_is_refused_with_one_line_that_names_it(tmp_path, change, complaint):
    with pytest.raises(CourseError, match=complaint) as caught:
        read_errata(written(tmp_path, {**GOOD, **change}))
    assert "erratum 1" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_yaml_takes_false_for_no_word_and_is_refused(tmp_path):
    with pytest.raises(CourseError, match="as kind"):
        read_errata(written(tmp_path, {**GOOD, "kind": [False]}))


def test_two_errata_with_one_id_are_refused(tmp_path):
    with pytest.raises(CourseError, match="two errata have the id 'E01'"):
        read_errata(written(tmp_path, GOOD, GOOD))


@pytest.mark.parametrize("text", ["", "- [", "errata: []", "lectures: {}\nerrata: 3"])
def test_a_file_that_holds_no_errata_is_refused_in_one_line(tmp_path, text):
    path = tmp_path / "errata.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CourseError, match="holds no lectures and errata") as caught:
        read_errata(path)
    assert "\n" not in str(caught.value)
