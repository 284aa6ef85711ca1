"""What a submission can see, reach and use up from inside; each tried from inside."""

import base64
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sessions import environment_in_tmp, needs_jail, session

from autograder import allowed, jail, namespaces
from autograder.errors import CourseError, IsolationError, SubmissionError
from autograder.limits import Limits, explain_error
from autograder.request import JailRequest, pack

pytestmark = needs_jail
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def kernel():
    """A kernel that no test of this module changes."""
    with session(packages=("numpy", "matplotlib", "course")) as one:
        yield one


def listed(kernel, path):
    """What a folder holds inside, sorted."""
    return eval(kernel.run(f"import os; print(sorted(os.listdir({str(path)!r})))").text)


# --- what it sees


def test_the_root_folder_holds_what_a_kernel_needs_and_nothing_of_the_machines_users(kernel):
    inside = set(listed(kernel, "/"))
    assert {"usr", "proc", "dev", "tmp", "home"} <= inside
    assert "boot" not in inside and "var" not in inside and "mnt" not in inside
    assert listed(kernel, "/home") == ["student"]


def test_of_the_repository_only_the_python_environment_and_the_course_package_are_there(kernel):
    if not Path(sys.prefix).is_relative_to(REPOSITORY):
        pytest.skip("the environment lies outside the repository")
    assert listed(kernel, REPOSITORY) == [Path(sys.prefix).relative_to(REPOSITORY).parts[0]]
    found = kernel.run("import course; print(course.__path__[0])").text.strip()
    assert found == str(namespaces.PACKAGES / "course")


@pytest.mark.parametrize("path", ["source", "solutions", "nbgrader_config.py", "autograder"])
def test_the_course_folder_is_not_there(kernel, path):
    assert (REPOSITORY / path).exists()
    assert kernel.run(f"import os; print(os.path.exists({str(REPOSITORY / path)!r}))").text == (
        "False\n"
    )


def test_a_file_of_the_graders_user_is_not_there(kernel, tmp_path):
    secret = tmp_path / "gradebook.db"
    secret.write_text("secret")
    assert "FileNotFoundError" in kernel.run(f"open({str(secret)!r})").error


def test_the_environment_holds_none_of_the_graders_variables(kernel):
    assert "HOME" in os.environ
    inside = eval(kernel.run("import os; print(dict(os.environ))").text)
    assert inside["HOME"] == "/home/student" and inside["USER"] == "student"
    names = set(jail.environment({})) | {"PWD", "SHLVL", "OLDPWD"}
    # These ipykernel sets for itself.
    names |= {"TERM", "CLICOLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "PAGER", "GIT_PAGER"}
    assert set(inside) <= names | {"PYDEVD_USE_FRAME_EVAL", "KMP_DUPLICATE_LIB_OK"}


def test_no_process_but_its_own_is_in_sight(kernel):
    code = "import os; print([p for p in os.listdir('/proc') if p.isdigit()], os.getpid())"
    assert kernel.run(code).text == "['1', '2'] 2\n"


@pytest.mark.parametrize("name", ["environ", "mem", "maps", "fd", "root", "cwd"])
def test_the_jails_init_cannot_be_looked_into(kernel, name):
    code = f"import os; p='/proc/1/{name}'; (os.listdir if os.path.isdir(p) else open)(p)"
    assert kernel.run(f"{code}.read(1)").error.startswith("PermissionError")


def test_no_file_descriptor_leads_out(kernel):
    code = """
import os
links = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")[:-1]]
print(sorted({link.partition(":")[0] for link in links}))
"""
    assert set(eval(kernel.run(code).text)) <= {"/dev/null", "anon_inode", "pipe", "socket"}


def test_what_the_server_saw_is_covered(kernel):
    assert listed(kernel, namespaces.SERVER_SIDE) == []


def test_only_its_own_run_directory_is_there(kernel):
    with session() as other:
        assert listed(kernel, namespaces.RUN) == ["k-1", "k-2", "k-3", "k-4", "k-5", "kernel.json"]
        assert other.run("1").text == "1"


def test_one_submission_does_not_see_what_another_wrote():
    code = "import os; open('/tmp/a','w'); open('/dev/shm/b','w'); open('c','w'); os.openpty()"
    look = "import os; print([os.listdir(d) for d in ('/tmp','/dev/shm','.','/dev/pts')])"
    with session() as first:
        assert first.run(code).error == ""
        with session() as second:
            assert second.run(look).text == f"[{environment_in_tmp()}, [], [], ['ptmx']]\n"


def test_the_socket_that_the_engine_listens_on_can_be_reached(tmp_path):
    from autograder.kernels import new_run_directory

    run_dir = new_run_directory()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(run_dir / "wire"))
        listener.listen()
        with session(run_dir=run_dir) as kernel:
            path = kernel.provisioner.run_dir_inside / "wire"
            code = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({str(path)!r})"
            assert kernel.run(f"{code}; s.send(b'hello')").error == ""
            connection, _ = listener.accept()
            with connection:
                assert connection.recv(10) == b"hello"


# --- the packages


@pytest.mark.parametrize("name", ["torch", "scipy.signal", "sklearn", "skimage.filters", "pytest"])
def test_a_package_that_is_not_allowed_says_what_is(kernel, name):
    top = name.partition(".")[0]
    assert kernel.run(f"import {name}").error == (
        f"ModuleNotFoundError: {top} is not allowed in this assignment: "
        "it may import numpy, matplotlib, course"
    )


@pytest.mark.parametrize("name", ["nbgrader", "autograder", "papermill"])
def test_the_graders_own_packages_are_not_there(kernel, name):
    assert kernel.run(f"import {name}").error.startswith("ModuleNotFoundError")
    code = f"import sys; sys.meta_path[:] = sys.meta_path[1:-1]; import {name}"
    with session() as bare:
        assert bare.run(code).error == f"ModuleNotFoundError: No module named '{name}'"


def test_the_code_of_a_package_that_is_not_allowed_is_nowhere(kernel):
    code = """
import os
print([os.path.join(d, f) for d, _, files in os.walk("/") for f in files
       if d[:5] not in ("/proc", "/sys/") and f.endswith((".py", ".so"))
       and any(part in ("torch", "scipy", "nbgrader", "autograder") for part in d.split("/"))])
"""
    assert kernel.run(code).text == "[]\n"


def test_a_library_may_ask_whether_an_optional_package_is_there(kernel):
    code = "import importlib.util as u; print(u.find_spec('torch'), u.find_spec('nowhere'))"
    assert kernel.run(code).text == "None None\n"


def test_pictures_of_hidden_packages_can_be_read(kernel):
    code = "from course import data; print(data.photo('china').shape, data.digits()[0].shape)"
    output = kernel.run(code)
    assert (output.text, output.error) == ("(3, 427, 640) (1797, 1, 8, 8)\n", "")


def test_a_hidden_part_of_an_allowed_package_says_so():
    with session(packages=("numpy", "scipy"), hidden=("scipy.signal",)) as kernel:
        assert kernel.run("import scipy.ndimage").error == ""
        assert "scipy.signal is not allowed" in kernel.run("import scipy.signal").error
        code = "import os, scipy; print(os.listdir(scipy.__path__[0] + '/signal'))"
        assert kernel.run(code).text == "[]\n"


def test_a_folder_that_the_course_names_can_be_read_and_not_written(tmp_path):
    (tmp_path / "table.csv").write_text("1,2\n")
    tmp_path.chmod(0o777)  # so that nothing but the jail keeps it from being written
    with session(readable=(tmp_path,)) as kernel:
        path = str(tmp_path / "table.csv")
        assert kernel.run(f"print(open({path!r}).read())").text == "1,2\n\n"
        assert kernel.run(f"open({path!r}, 'a')").error
        assert "Read-only" in kernel.run(f"open({str(tmp_path / 'x')!r}, 'w')").error


def test_a_folder_of_the_courses_own_package_is_hidden_where_only_other_parts_are_named():
    read = "import course; print(open(course.__path__[0] + '/zoo/resnet.py').read()[:9])"
    with session(packages=("matplotlib", "course.checks", "course.data")) as kernel:
        assert kernel.run("import course.checks, course.data").error == ""
        for line in ("import course.zoo", "__import__('importlib').import_module('course.zoo')"):
            assert "course.zoo is not allowed" in kernel.run(line).error
        assert "FileNotFoundError" in kernel.run(read).error
    with session(packages=("numpy", "torch", "safetensors", "course")) as kernel:
        assert kernel.run("import course.zoo; print(1)").text == "1\n"


def test_a_secret_folder_is_hidden_even_inside_a_readable_one(tmp_path):
    (tmp_path / "course").mkdir()
    (tmp_path / "course/answers.py").write_text("secret")
    tmp_path.chmod(0o755)
    with session(readable=(tmp_path,), secret=(tmp_path / "course",)) as kernel:
        assert listed(kernel, tmp_path / "course") == []


def test_an_allowed_package_brings_what_it_requires_and_no_more():
    names = {path.name for path in allowed.visible(("matplotlib",)).entries}
    assert {"matplotlib", "numpy", "PIL", "ipykernel"} <= names
    assert not names & {"torch", "scipy", "nbgrader", "debugpy", "pytest"}


def test_a_package_that_is_not_installed_is_an_error_of_the_course():
    with pytest.raises(CourseError, match="allows numpi, which is not installed"):
        allowed.visible(("numpi", "math", "numpy"))


# --- what it may do


def test_there_is_no_network(kernel):
    code = "import socket; print([n for _, n in socket.if_nameindex()]); "
    output = kernel.run(code + "socket.create_connection(('192.0.2.1', 80), timeout=2)")
    assert output.text == "['lo']\n"
    assert "Network is unreachable" in output.error


def test_nothing_can_be_written_outside_the_scratch(kernel):
    code = """
import os
found = []
for folder, inside, _ in os.walk("/"):
    if folder in ("/proc", "/sys"):
        inside.clear()
    try:
        open(os.path.join(folder, ".probe"), "w").close()
        os.remove(os.path.join(folder, ".probe"))
        found.append(folder)
        inside.clear()
    except OSError:
        pass
print(sorted(found))
"""
    assert kernel.run(code).text == "['/dev/shm', '/home/student', '/tmp']\n"


def test_it_has_no_privileges_and_can_get_none(kernel):
    status = kernel.run("print(open('/proc/self/status').read())").text
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert {int(fields[f"Cap{name}"], 16) for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}
    assert fields["NoNewPrivs"] == "1" and fields["Seccomp"] == "2"
    assert fields["Uid"].split() == ["1000"] * 4


@pytest.mark.parametrize(
    ("call", "number"),
    [("unshare(0x10000000)", 1), ("ptrace(16, 1, 0, 0)", 1), ("chroot(b'/tmp')", 1)],
)
def test_system_calls_that_attacks_begin_with_are_refused(kernel, call, number):
    code = f"import ctypes; c = ctypes.CDLL(None, use_errno=True); print(c.{call}, "
    assert kernel.run(code + "ctypes.get_errno())").text == f"-1 {number}\n"


@pytest.mark.parametrize("call", ["os.memfd_create('x')", "socket.socket(40, socket.SOCK_STREAM)"])
def test_memory_and_sockets_that_no_limit_or_namespace_holds_are_refused(kernel, call):
    assert kernel.run(f"import os, socket; {call}").error.startswith("OSError")


def test_its_run_directory_cannot_fill_the_disk(kernel):
    assert "Read-only" in kernel.run(f"open('{namespaces.RUN}/x', 'w')").error


def test_on_the_machine_it_is_nobody():
    with session() as kernel:
        owner = {line.split()[1] for line in _uid_maps(kernel)}
        expected = namespaces.OUTSIDE_ID if jail.runs_as_root() else os.geteuid()
        assert owner == {str(expected)}


def _uid_maps(kernel):
    return [kernel.run("print(open('/proc/self/uid_map').read())").text]


# --- its limits


def test_memory_beyond_the_limit_is_an_error_that_names_it():
    with session(limits=Limits(memory_mb=200)) as kernel:
        assert kernel.run("import numpy as np; a = np.ones(20_000_000); del a").error == ""
        name, _, message = kernel.run("np.ones(40_000_000)").error.partition(": ")
        assert explain_error(name, message) == "used more memory than it may (limit memory_mb)"
        assert kernel.run("1 + 1").text == "2"


def test_memory_counts_over_all_processes():
    code = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        block = bytearray(80 << 20)
        time.sleep(30)
time.sleep(30)
"""
    with session(limits=Limits(memory_mb=200)) as kernel:
        kernel.client.execute(code)
        ended = kernel.wait_for_end()
        assert ended.limit == "memory" and "memory_mb" in ended.explain()


def test_a_submission_that_hides_its_memory_is_counted_all_the_same():
    code = """
import ctypes, os, time
for _ in range(4):
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
        block = bytearray(80 << 20)
        time.sleep(30)
time.sleep(30)
"""
    with session(limits=Limits(memory_mb=200)) as kernel:
        kernel.client.execute(code)
        assert kernel.wait_for_end().limit == "memory"


def test_cpu_seconds_end_the_kernel():
    with session(limits=Limits(cpu_seconds=1)) as kernel:
        kernel.client.execute("while True: pass")
        assert "cpu_seconds" in kernel.wait_for_end().explain()


def test_cpu_seconds_count_over_all_processes():
    code = "import os\nfor _ in range(2): os.fork()\nwhile True: pass"
    with session(limits=Limits(cpu_seconds=2)) as kernel:
        kernel.client.execute(code)
        ended = kernel.wait_for_end()
        assert ended.limit == "cpu" and ended.cpu_seconds < 6


def test_processes_beyond_the_limit_are_refused():
    code = """
import os, signal
children = []
try:
    while len(children) < 100:
        children.append(os.fork())
        if not children[-1]:
            signal.pause()
except BlockingIOError as error:
    print(len(children), error)
for child in children:
    os.kill(child, 9)
"""
    with session(limits=Limits(processes=40)) as kernel:
        count, _, message = kernel.run(code).text.partition(" ")
        assert 10 < int(count) < 40
        assert "limit processes" in explain_error("BlockingIOError", message.strip())


def test_threads_beyond_the_limit_are_refused():
    code = """
import threading
stop = threading.Event()
for _ in range(60):
    threading.Thread(target=stop.wait, daemon=True).start()
"""
    with session(limits=Limits(processes=40)) as kernel:
        name, _, message = kernel.run(code).error.partition(": ")
        assert "limit processes" in explain_error(name, message)


def test_files_have_a_size_a_number_and_a_room():
    with session(limits=Limits(file_mb=2, open_files=100, scratch_mb=8)) as kernel:
        large = kernel.run("open('large', 'wb').write(bytes(3 << 20))").error
        many = kernel.run("files = [open('/dev/null') for _ in range(100)]").error
        kernel.run("del files; import os; os.remove('large')")
        code = "for n in range(9): open(f'/tmp/{n}', 'wb').write(bytes(1 << 20))"
        full = kernel.run(code).error
    assert [
        explain_error(*error.split(": ", 1)).split()[-1].rstrip(")")
        for error in (large, many, full)
    ] == ["file_mb", "open_files", "scratch_mb"]


# --- its files


def test_a_submissions_files_are_copied_into_its_scratch(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/table.csv").write_text("1,2\n")
    (tmp_path / "lesson.ipynb").write_text("{}")
    with session(files=tmp_path) as kernel:
        code = "import os; print(os.getcwd(), sorted(os.listdir()), open('data/table.csv').read())"
        assert kernel.run(code).text == "/home/student/work ['data', 'lesson.ipynb'] 1,2\n\n"
        assert kernel.run("open('data/table.csv', 'w').write('changed')").error == ""
    assert (tmp_path / "data/table.csv").read_text() == "1,2\n"


def test_links_out_of_a_submission_are_not_followed(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    inside = tmp_path / "submission"
    (inside / "folder").mkdir(parents=True)
    (inside / "link").symlink_to(secret)
    (inside / "folder/link").symlink_to(tmp_path)
    os.mkfifo(inside / "pipe")
    with session(files=inside) as kernel:
        code = "import os; print([(d, f) for d, _, f in os.walk('.')])"
        assert kernel.run(code).text == "[('.', []), ('./folder', [])]\n"


def test_files_larger_than_the_scratch_are_refused_before_a_kernel_starts(tmp_path):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(3 << 20)
    with pytest.raises(SubmissionError, match="larger than 2 MiB"):
        pack(tmp_path, most_mb=2)


def test_an_isolation_that_does_not_exist_is_refused():
    with pytest.raises(IsolationError, match="no isolation 'docker'"):
        JailRequest(isolation="docker")


# --- the machine


def test_the_jail_holds_for_an_ordinary_user_too(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("this whole run is an ordinary user's")
    code = """
from autograder.doctor import examine
report = examine()
print(report.isolation, {n: c.detail for n, c in report.checks.items() if not c.ok})
"""
    done = subprocess.run([*as_ordinary_user(), "-c", code], capture_output=True, text=True)
    assert done.stdout == "jail {}\n", done.stderr


def as_ordinary_user():
    """A command that runs this Python as a user who is not root but may read it."""
    python = Path(sys.base_prefix)
    show = ["bwrap", "--dev-bind", "/", "/"]
    hidden = False
    for folder in reversed(python.parents):
        if hidden:
            show += ["--perms", "0755", "--dir", str(folder)]
        elif not folder.stat().st_mode & 1:
            show += ["--perms", "0755", "--tmpfs", str(folder)]
            hidden = True
    show += ["--ro-bind", str(python), str(python)]
    drop = ["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups"]
    drop += ["--inh-caps=-all", "--bounding-set=-all"]
    return [*show, "--", *drop, "env", "HOME=/tmp", sys.executable]


def test_a_picture_is_drawn_as_everywhere(kernel):
    code = "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([0, 1])\nplt.show()"
    output = kernel.run(code)
    assert base64.b64decode(output.pictures[0]).startswith(b"\x89PNG")
