import pytest
from traitlets.config import Config

from autograder.errors import CourseError
from autograder.limits import Limits, explain_error, explain_exit, limits_text


def config(limits):
    c = Config()
    c.Autograder.limits = limits
    return c


def test_a_course_that_says_nothing_has_the_defaults():
    assert Limits.from_config(Config()) == Limits()


def test_a_course_changes_the_limits_it_names_and_no_others():
    limits = Limits.from_config(config({"memory_mb": 4096, "cell_seconds": 30}))
    assert (limits.memory_mb, limits.cell_seconds) == (4096, 30)
    assert limits.processes == Limits().processes


def test_limits_can_also_be_added_to():
    c = Config()
    c.Autograder.limits.update({"scratch_mb": 64})
    assert Limits.from_config(c).scratch_mb == 64


def test_a_limit_that_does_not_exist_is_named_with_those_that_do():
    with pytest.raises(CourseError, match=r"no such limit: memory.*there are: .*memory_mb"):
        Limits.from_config(config({"memory": 4096}))


@pytest.mark.parametrize("value", [0, -1, 2.5, "2048", None, True])
def test_a_limit_is_a_whole_number_greater_than_zero(value):
    with pytest.raises(CourseError, match=r"limit memory_mb is .*whole number"):
        Limits.from_config(config({"memory_mb": value}))


@pytest.mark.parametrize("value", [4096, "memory_mb", ["memory_mb"]])
def test_limits_that_are_no_dictionary_are_refused(value):
    with pytest.raises(CourseError, match=r"c.Autograder.limits: is "):
        Limits.from_config(config(value))


@pytest.mark.parametrize(
    ("returncode", "limit", "words"),
    [
        (-9, "memory", "memory_mb"),
        (-9, "cpu", "cpu_seconds"),
        (-24, None, "cpu_seconds"),
        (-25, None, "file_mb"),
        (-9, None, "no memory left"),
        (-11, None, "segmentation fault"),
        (-31, None, "system call"),
        (-6, None, "SIGABRT"),
        (-64, None, "SIGRTMAX"),
        (0, None, "exit status 0"),
        (3, None, "exit status 3"),
        (None, None, "still running"),
    ],
)
def test_each_way_a_kernel_ends_has_words_of_its_own(returncode, limit, words):
    assert words in explain_exit(returncode, limit)


@pytest.mark.parametrize(
    ("name", "message", "limit"),
    [
        ("MemoryError", "", "memory_mb"),
        ("_ArrayMemoryError", "Unable to allocate 8.00 GiB for an array", "memory_mb"),
        ("RuntimeError", "[enforce fail] DefaultCPUAllocator: not enough memory", "memory_mb"),
        ("RuntimeError", "can't start new thread", "processes"),
        ("BlockingIOError", "[Errno 11] Resource temporarily unavailable", "processes"),
        ("OSError", "[Errno 27] File too large", "file_mb"),
        ("OSError", "[Errno 24] Too many open files: 'x'", "open_files"),
        ("OSError", "[Errno 28] No space left on device", "scratch_mb"),
    ],
)
def test_an_error_that_a_limit_causes_names_the_limit(name, message, limit):
    assert f"limit {limit}" in explain_error(name, message)


@pytest.mark.parametrize(
    ("name", "message"),
    [("AssertionError", "11 != 28"), ("FileNotFoundError", "[Errno 2] No such file: 'x'")],
)
def test_an_error_of_the_submissions_own_names_no_limit(name, message):
    assert explain_error(name, message) is None


def test_every_limit_is_shown_with_its_value():
    assert "memory_mb 2048" in limits_text(Limits())
