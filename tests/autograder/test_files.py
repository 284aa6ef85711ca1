"""Nobody ever sees half a file."""

import os
import threading

import pytest

from autograder.files import write_atomically


def test_a_file_is_written_with_its_folders(tmp_path):
    path = tmp_path / "a" / "b" / "c.txt"
    write_atomically(path, b"text")
    assert path.read_bytes() == b"text" and list(path.parent.iterdir()) == [path]


def test_a_reader_sees_the_old_or_the_new_and_nothing_between(tmp_path):
    path = tmp_path / "a"
    contents = [bytes([n]) * 200_000 for n in (1, 2)]
    write_atomically(path, contents[0])
    stop = threading.Event()
    seen = set()

    def read():
        while not stop.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(200):
        write_atomically(path, contents[n % 2])
    stop.set()
    reader.join()
    assert seen <= set(contents)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "a"
    write_atomically(path, b"old")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OSError):
            write_atomically(path, b"new")
    finally:
        tmp_path.chmod(0o700)
    assert path.read_bytes() == b"old"


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "a"
    path.mkdir()  # cannot be replaced by a file
    with pytest.raises(OSError):
        write_atomically(path, b"new")
    assert path.is_dir() and list(tmp_path.iterdir()) == [path]
