"""Exports of learning platforms, in the naming that each really has."""

import os
import stat
import subprocess
import zipfile
from datetime import UTC, datetime

import pytest
from zips import zipped

from autograder import inbox
from autograder.errors import CourseError
from autograder.inbox import read_inbox

NAME = "07-sums"
NOTEBOOK = b'{"cells": []}'


def seen(found):
    return {hand_in.user: sorted(hand_in.files) for hand_in in found.hand_ins}


def test_canvas_names_tell_user_lateness_and_attempt(tmp_path):
    path = zipped(
        tmp_path / "submissions.zip",
        {
            f"lovelaceada_10234_55001_{NAME}.ipynb": NOTEBOOK,
            "lovelaceada_10234_55001_data.csv": b"1,2",
            f"hoppergrace_LATE_10777_55002_{NAME}-1.ipynb": NOTEBOOK,
        },
    )
    found = read_inbox(path, NAME)
    assert found.system == "canvas"
    assert seen(found) == {"10234": [f"{NAME}.ipynb", "data.csv"], "10777": [f"{NAME}.ipynb"]}
    assert [hand_in.name for hand_in in found.hand_ins] == ["lovelaceada", "hoppergrace"]
    assert not found.problems


def test_moodle_folders_tell_the_participant_although_names_have_spaces(tmp_path):
    path = zipped(
        tmp_path / "CNN-07 sums-4711.zip",
        {
            f"Ada Lovelace_991001_assignsubmission_file_/{NAME}.ipynb": NOTEBOOK,
            f"Grace Brewster Hopper_991002_assignsubmission_file_/{NAME}.ipynb": NOTEBOOK,
            "Grace Brewster Hopper_991002_assignsubmission_onlinetext_/onlinetext.html": b"hi",
        },
    )
    found = read_inbox(path, NAME)
    assert found.system == "moodle"
    assert seen(found) == {
        "991001": [f"{NAME}.ipynb"],
        "991002": [f"{NAME}.ipynb", "onlinetext.html"],
    }
    assert found.hand_ins[1].name == "Grace Brewster Hopper"


def test_clones_of_github_classroom_tell_the_user_and_the_time_of_the_last_commit(tmp_path):
    root = tmp_path / f"{NAME}-submissions"
    clone = root / f"{NAME}-ada-l"
    clone.mkdir(parents=True)
    (clone / f"{NAME}.ipynb").write_bytes(NOTEBOOK)
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a"}
    when = {"GIT_AUTHOR_DATE": "2026-02-03T10:00:00Z", "GIT_COMMITTER_DATE": "2026-02-03T10:00:00Z"}
    environment = {**os.environ, **who, **when, "GIT_COMMITTER_EMAIL": "a@b"}
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "done"]):
        subprocess.run(["git", *command], cwd=clone, env=environment, check=True)
    [hand_in] = read_inbox(root, NAME).hand_ins
    assert (hand_in.system, hand_in.user) == ("github", "ada-l")
    assert hand_in.when == datetime(2026, 2, 3, 10, tzinfo=UTC)
    assert list(hand_in.files) == [f"{NAME}.ipynb"]


def test_a_plain_folder_may_hold_a_folder_or_a_notebook_a_student(tmp_path):
    (tmp_path / "ada" / NAME).mkdir(parents=True)
    (tmp_path / "ada" / NAME / f"{NAME}.ipynb").write_bytes(NOTEBOOK)
    (tmp_path / "ada" / NAME / "notes.txt").write_bytes(b"x")
    (tmp_path / "grace").mkdir()
    (tmp_path / "grace" / f"{NAME} (1).ipynb").write_bytes(NOTEBOOK)
    (tmp_path / "emmy.ipynb").write_bytes(NOTEBOOK)
    found = read_inbox(tmp_path, NAME)
    assert found.system == "folder"
    notebook = f"{NAME}.ipynb"
    assert seen(found) == {
        "ada": [notebook, "notes.txt"],
        "grace": [notebook],
        "emmy": [notebook],
    }


def test_what_computers_leave_behind_is_no_hand_in(tmp_path):
    path = zipped(
        tmp_path / "a.zip",
        {
            f"ada/{NAME}.ipynb": NOTEBOOK,
            f"__MACOSX/ada/._{NAME}.ipynb": b"",
            "ada/.DS_Store": b"",
            f"ada/.ipynb_checkpoints/{NAME}-checkpoint.ipynb": NOTEBOOK,
        },
    )
    assert seen(read_inbox(path, NAME)) == {"ada": [f"{NAME}.ipynb"]}


@pytest.mark.parametrize(
    "name", ["../../evil.ipynb", "/etc/evil.ipynb", "ada\\..\\..\\evil", "C:\\x"]
)
def test_a_name_that_leads_out_of_the_archive_is_reported_and_left_out(tmp_path, name):
    path = zipped(tmp_path / "a.zip", {f"ada/{NAME}.ipynb": NOTEBOOK, name: b"x"})
    found = read_inbox(path, NAME)
    assert seen(found) == {"ada": [f"{NAME}.ipynb"]}
    assert len(found.problems) == 1
    assert "leads out of the archive" in found.problems[0]


def test_links_are_reported_and_never_followed(tmp_path):
    folder = tmp_path / "in"
    (folder / "ada").mkdir(parents=True)
    (tmp_path / "secret").write_text("x")
    (folder / "ada" / f"{NAME}.ipynb").symlink_to(tmp_path / "secret")
    found = read_inbox(folder, NAME)
    assert (found.hand_ins, len(found.problems)) == ([], 1)
    link = zipfile.ZipInfo(f"ada/{NAME}.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    found = read_inbox(tmp_path / "a.zip", NAME)
    assert (found.hand_ins, len(found.problems)) == ([], 1)


def test_a_zip_bomb_is_left_out_before_it_unfolds(tmp_path, monkeypatch):
    monkeypatch.setattr(inbox, "MAX_HAND_IN", 1 << 20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"ada/{NAME}.ipynb", b"\0" * (64 << 20))
        archive.writestr(f"grace/{NAME}.ipynb", NOTEBOOK)
    found = read_inbox(tmp_path / "a.zip", NAME)
    assert seen(found) == {"grace": [f"{NAME}.ipynb"]}
    assert "larger than 1 MB" in found.problems[0]


def test_files_that_are_too_many_are_cut_off_with_a_line(tmp_path, monkeypatch):
    monkeypatch.setattr(inbox, "MAX_FILES", 10)
    path = zipped(tmp_path / "a.zip", {f"s{n}/{NAME}.ipynb": NOTEBOOK for n in range(30)})
    found = read_inbox(path, NAME)
    assert len(found.hand_ins) == 10
    assert "more than 10 files" in found.problems[0]


def test_a_time_in_utc_inside_the_archive_wins_over_local_time(tmp_path):
    info = zipfile.ZipInfo(f"ada/{NAME}.ipynb", (2026, 2, 3, 23, 0, 0))
    moment = int(datetime(2026, 2, 3, 14, 5, 7, tzinfo=UTC).timestamp())
    info.extra = b"\x55\x54\x05\x00\x01" + moment.to_bytes(4, "little")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, NOTEBOOK)
    assert read_inbox(tmp_path / "a.zip", NAME).hand_ins[0].when.minute == 5


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"no zip at all"])
def test_a_broken_download_gets_one_line(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(CourseError, match="download it again"):
        read_inbox(tmp_path / "a.zip", NAME)


def test_a_missing_inbox_an_unknown_format_and_mixed_names_are_told(tmp_path):
    with pytest.raises(CourseError, match="no such inbox"):
        read_inbox(tmp_path / "nowhere.zip", NAME)
    with pytest.raises(CourseError, match="there are: canvas, moodle"):
        read_inbox(tmp_path, NAME, "blackboard")
    mixed = zipped(
        tmp_path / "a.zip", {f"ada_1_2_{NAME}.ipynb": NOTEBOOK, "readme.txt": b"read me"}
    )
    with pytest.raises(CourseError, match=r"readme\.txt.*--format"):
        read_inbox(mixed, NAME)
    found = read_inbox(mixed, NAME, "canvas")
    assert seen(found) == {"1": [f"{NAME}.ipynb"]}
    assert "readme.txt" in found.problems[0]
