"""A forked kernel behaves as a cold one, and nothing of it or its server stays behind."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest
from jupyter_client.manager import KernelManager
from jupyter_core.utils import ensure_event_loop
from sessions import Session, environment_in_tmp, needs_jail, session

from autograder import rundirs, servers
from autograder.errors import IsolationError
from autograder.kernels import close_servers, new_run_directory
from autograder.limits import Limits

ISOLATIONS = [pytest.param("jail", marks=needs_jail), "process"]
PACKAGES = ("numpy", "matplotlib", "course")
TORCH = (*PACKAGES, "torch")

SHOW = "def show(x): import json; print(json.dumps(x, default=str))"

# Some of everything that a cell can leave behind in a process.
PLANT = """
import atexit, builtins, gc, os, random, signal, sys, threading, warnings
import numpy as np, matplotlib, matplotlib.pyplot as plt
planted = 1
builtins.planted = np.planted = sys.planted = matplotlib.planted = 1
np.array_equal = lambda *_: True
os.environ["PLANTED"] = "1"
sys.path.append("/planted"); sys.modules["planted"] = sys
sys.setrecursionlimit(12345); np.seterr(all="raise"); np.set_printoptions(precision=1)
random.seed(0); np.random.seed(0)
plt.rcParams["lines.linewidth"] = 77; plt.figure()
signal.signal(signal.SIGUSR1, lambda *_: None)
warnings.simplefilter("error"); gc.disable()
threading.Thread(target=threading.Event().wait, name="planted", daemon=True).start()
def planted_hook(*_): pass
get_ipython().events.register("pre_run_cell", planted_hook)
get_ipython().input_transformers_cleanup.append(lambda lines: lines)
get_ipython().run_line_magic("load_ext", "autoreload")
os.chdir("/tmp"); os.umask(0o77); open("/tmp/planted", "w")
"""
LOOK = """
import builtins, gc, os, signal, sys, threading, warnings
import numpy as np, matplotlib.pyplot as plt
show({
    "names": [n for n in globals() if "planted" in n],
    "attributes": [m.__name__ for m in sys.modules.values() if hasattr(m, "planted")],
    "patched": np.array_equal(1, 2),
    "environment": "PLANTED" in os.environ,
    "path": "/planted" in sys.path, "module": "planted" in sys.modules,
    "recursion": sys.getrecursionlimit() == 12345,
    "errors": np.geterr()["over"] == "raise",
    "printing": np.get_printoptions()["precision"] == 1,
    "figures": plt.get_fignums(), "style": plt.rcParams["lines.linewidth"] == 77,
    "signal": signal.getsignal(signal.SIGUSR1) is not signal.SIG_DFL,
    "warnings": ("error", None, Warning, None, 0) in warnings.filters, "gc": not gc.isenabled(),
    "threads": [t.name for t in threading.enumerate() if t.name == "planted"],
    "hooks": [f.__name__ for f in get_ipython().events.callbacks["pre_run_cell"]],
    "transformers": len(get_ipython().input_transformers_cleanup) - TRANSFORMERS,
    "extensions": [n for n in get_ipython().extension_manager.loaded if "autoreload" in n],
    "umask": os.umask(0o22) == 0o77, "file": os.path.exists("/tmp/planted"),
    "history": [line for line in get_ipython().history_manager.input_hist_raw if "PLANT" in line],
})
"""


@pytest.fixture(autouse=True, scope="module")
def _end():
    yield
    close_servers()


def value(kernel, code):
    """What ``show(...)`` in a cell was given."""
    output = kernel.run(f"{SHOW}\n{code}")
    assert output.error == ""
    return json.loads(output.text)


# --- as a cold kernel


@needs_jail
def test_no_state_of_one_submission_reaches_the_next():
    count = "TRANSFORMERS = len(get_ipython().input_transformers_cleanup)"
    with session(packages=PACKAGES) as before:
        fresh = value(before, f"{count}\n{LOOK}")
    with session(packages=PACKAGES) as first:
        assert first.run(count).error == ""
        assert first.run(PLANT).error == ""
        seen = value(first, LOOK)
    with session(packages=PACKAGES) as second:
        assert value(second, f"{count}\n{LOOK}") == fresh
    # Every trace is one that the look would have found.
    assert {name for name in fresh if seen[name] == fresh[name]} == set()


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_random_numbers_differ_from_one_kernel_to_the_next(isolation):
    draw = "import random, numpy as np; show([random.random(), np.random.rand(), "
    draw += "np.random.default_rng().random()])"
    with session(isolation=isolation) as first, session(isolation=isolation) as second:
        assert not set(value(first, draw)) & set(value(second, draw))


@needs_jail
def test_torch_draws_differ_from_one_kernel_to_the_next():
    draw = "import torch; show([torch.initial_seed(), torch.rand(1).item()])"
    with session(packages=TORCH) as first, session(packages=TORCH) as second:
        assert not set(value(first, draw)) & set(value(second, draw))


def look_around():
    """What a cell sees of its own process; the same in a warm kernel and a cold one."""
    return """
import asyncio, gc, os, signal, sys, threading, warnings
import numpy
show({
    "globals": sorted(n for n in globals() if n[:2] != "_i" or n == "_ih"),
    "file": "__file__" in globals(), "name": __name__, "main": sys.modules["__main__"].__dict__
        is globals(), "spec": __spec__, "builtins": __builtins__.__class__.__name__,
    "argv": [os.path.basename(a) for a in sys.argv[:2]], "path": sys.path[0],
    "count": get_ipython().execution_count, "Out": Out, "prompt": sys.ps1,
    "threads": sorted(t.name for t in threading.enumerate()), "main thread":
        threading.current_thread() is threading.main_thread(),
    "loop": asyncio.get_running_loop().is_running(),
    "sigint": signal.getsignal(signal.SIGINT).__name__,
    "sigterm": str(signal.getsignal(signal.SIGTERM)),
    "recursion": sys.getrecursionlimit(), "switch": sys.getswitchinterval(),
    "gc": (gc.isenabled(), gc.get_threshold()),
    "stdout": type(sys.stdout).__name__, "stdin": type(sys.stdin).__name__,
    "hooks": (sys.excepthook.__name__, type(sys.displayhook).__name__, sys.gettrace()),
    "magics": sorted(get_ipython().magics_manager.magics["line"]),
    "shell": type(get_ipython()).__name__, "backend": os.environ.get("MPLBACKEND"),
    "filters": [f[0:1] + f[2:3] for f in warnings.filters if f[1] is None],
    "leader": os.getsid(0) == os.getpid(),
})
"""


@needs_jail
def test_a_warm_kernel_looks_from_inside_like_a_cold_one():
    with session() as warm:
        seen = value(warm, look_around())
    with Cold() as cold:
        expected = value(cold, look_around())
    # No history is kept, so no thread keeps it.
    expected["threads"].remove("IPythonHistorySavingThread")
    for look in (seen, expected):
        look["threads"] = _kinds(look["threads"])
    different = {name for name in expected if seen[name] != expected[name]}
    assert {name: (seen[name], expected[name]) for name in different} == {}


def _kinds(threads):
    """Thread names without their numbers, and without those that have nothing but a number."""
    return sorted(filter(None, (re.sub(r"Thread-\d+ ?", "", name) for name in threads)))


class Cold(Session):
    """A plain ipykernel, asked the same way."""

    def __init__(self):
        self.run_dir = Path(tempfile.mkdtemp())
        self.manager = KernelManager(kernel_name="python3")
        # ipykernel behaves otherwise under pytest, and the jail's kernels do not know of it.
        unwanted = {"MPLBACKEND", "PYTEST_CURRENT_TEST"}
        environment = {k: v for k, v in os.environ.items() if k not in unwanted}
        self.manager.start_kernel(env=environment, cwd=str(self.run_dir))
        self.client = self.manager.client()
        self.client.start_channels(stdin=False, hb=False)
        self.client.wait_for_ready(timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_figures_threads_processes_and_shell_commands_work(isolation):
    with session(packages=PACKAGES, isolation=isolation) as kernel:
        code = "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([0, 1]);"
        assert len(kernel.run(code).pictures) == 1
        code = "from concurrent.futures import *\nwith ThreadPoolExecutor(2) as pool:\n"
        assert kernel.run(f"{code}    print(sum(pool.map(abs, [-1, 2])))").text == "3\n"
        code = "import multiprocessing as m\nwith m.get_context('fork').Pool(2) as pool:\n"
        assert kernel.run(f"{code}    print(sum(pool.map(abs, [-1, 2])))").text == "3\n"
        assert kernel.run("!echo shell").text.strip() == "shell"
        code = "import subprocess as s; print(s.run(['echo', 'x'], capture_output=True).stdout)"
        assert kernel.run(code).text == "b'x\\n'\n"
        assert kernel.run("await __import__('asyncio').sleep(0, 'awaited')").text == "'awaited'"


@needs_jail
def test_what_c_code_prints_is_output_too():
    with session() as kernel:
        text = kernel.run("import os, time; os.write(1, b'raw'); time.sleep(0.2)").text
        assert text == "raw3" or text.startswith("raw")


@needs_jail
def test_no_history_file_is_written():
    with session() as kernel:
        own = tuple(f"/tmp/{name}" for name in environment_in_tmp())
        code = (
            "import os; print([f for d, _, fs in os.walk('/tmp') "
            f"for f in fs if not d.startswith({own!r})])"
        )
        assert kernel.run(code).text == "[]\n"
        assert kernel.run("get_ipython().history_manager.enabled").text == "False"


@needs_jail
def test_a_cell_is_interrupted_by_a_signal_and_the_kernel_goes_on():
    with session() as kernel:
        code = "import time; started = True; time.sleep(60)"
        kernel.client.execute(code, stop_on_error=False)
        time.sleep(0.3)
        kernel.manager.interrupt_kernel()
        reply = kernel.client.get_shell_msg(timeout=20)
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert kernel.run("print(started)").text == "True\n"


@pytest.mark.parametrize("packages", [PACKAGES, TORCH])
@needs_jail
def test_a_server_has_one_thread_and_no_gpu(packages):
    with session(packages=packages) as kernel:
        server = servers.server_for(kernel.provisioner.request.server_key())
        assert server.hello["threads"] == 1
        if "torch" in packages:
            code = "import torch; print(torch.cuda.is_initialized(), torch.get_num_threads())"
            assert kernel.run(code).text == "False 1\n"


@needs_jail
def test_numeric_libraries_may_use_threads_after_the_fork():
    code = (
        "import torch; a = torch.rand(600, 600); b = (a @ a).sum(); print(torch.get_num_threads())"
    )
    with session(packages=("numpy", "torch"), threads=2) as kernel:
        assert kernel.run(code).text == "2\n"


@needs_jail
def test_a_package_that_starts_threads_as_it_is_imported_does_no_harm(tmp_path):
    code = "import threading\nthreading.Thread(target=threading.Event().wait).start()\n"
    (tmp_path / "threaded").mkdir()
    (tmp_path / "threaded/__init__.py").write_text(code)
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(0o755)
    sys.path.insert(0, str(tmp_path))
    try:
        with session(packages=("numpy", "threaded")) as kernel:
            assert kernel.run("import threaded; print('works')").text == "works\n"
            server = servers.server_for(kernel.provisioner.request.server_key())
            assert server.hello["threads"] == 2
            kernel.manager.shutdown_kernel(now=True)
    finally:
        sys.path.remove(str(tmp_path))


@needs_jail
def test_a_kernel_imports_nothing_new_for_its_first_cells():
    code = "import sys; before = set(sys.modules)"
    with session(packages=PACKAGES) as kernel:
        kernel.run(code)
        kernel.run(
            "%matplotlib inline\nimport matplotlib.pyplot as plt, numpy as np\nplt.plot([1]);"
        )
        kernel.run("np.random.default_rng(0).random(3)")
        kernel.run("raise NotImplementedError")
        assert kernel.run("print(sorted(set(sys.modules) - before))").text == "[]\n"


# --- what it costs


@needs_jail
def test_a_kernel_is_ready_in_moments_and_costs_little():
    with session():
        pass
    costs, waits = [], []
    for _ in range(5):
        began = time.perf_counter()
        kernel = Session()
        kernel.client.kernel_info(reply=True, timeout=20)
        waits.append(time.perf_counter() - began)
        kernel.close()
        costs.append(kernel.provisioner.ended.cpu_seconds)
    # Ten times what an idle machine needs: this is no benchmark, but a cold start costs a second.
    assert min(costs) < 0.3 and min(waits) < 0.6


# --- what stays behind


def children():
    """Every descendant of this process."""
    return {p.pid for p in psutil.Process().children(recursive=True)}


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_everything_a_submission_started_ends_with_its_kernel(isolation):
    escape = """
import os, signal, time
for attempt in range(3):
    if os.fork() == 0:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        if os.fork() == 0:
            time.sleep(300)
        os._exit(0)
time.sleep(0.2)
"""
    with session(isolation=isolation):
        pass
    before = children()
    with session(isolation=isolation) as kernel:
        kernel.run(escape)
        assert len(children() - before) >= 5
    assert children() - before == set()


@needs_jail
def test_a_submission_can_end_its_own_kernel_and_nobody_elses():
    with session() as bystander, session() as kernel:
        kernel.client.execute("import os; os._exit(7)")
        ended = kernel.wait_for_end()
        assert (ended.returncode, ended.asked) == (7, False)
        assert "exit status 7" in ended.explain()
        assert bystander.run("1 + 1").text == "2"


@needs_jail
@pytest.mark.parametrize("target", ["1", "-1", "os.getppid()", "0"])
def test_signals_reach_nothing_outside(target):
    with session() as bystander, session() as kernel:
        kernel.client.execute(f"import os, signal\nos.kill({target}, signal.SIGKILL)")
        time.sleep(0.2)
        assert bystander.run("1 + 1").text == "2"
    with session() as after:
        assert after.run("1 + 1").text == "2"


@needs_jail
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP", "SIGSTOP", "SIGCHLD", "SIGUSR1"])
def test_init_does_not_hear_the_submissions_signals(number):
    with session() as kernel:
        kernel.run(f"import os, signal\nos.kill(1, signal.{number})")
        assert kernel.run("1 + 1").text == "2"


@needs_jail
def test_a_kernel_that_stops_itself_can_still_be_ended():
    with session() as kernel:
        kernel.client.execute("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
        time.sleep(0.2)
        began = time.monotonic()
    assert time.monotonic() - began < 2


GRADER = """
import sys, time
sys.path.insert(0, {tests!r})
from sessions import Session
kernel = Session(isolation={isolation!r})
kernel.client.execute("import os, time\\nif os.fork() == 0: os.setsid()\\ntime.sleep(300)")
from autograder import rundirs
print(rundirs.folder(), flush=True)
while True:
    time.sleep(0.05)
"""


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_stays_when_the_grader_is_killed(isolation, number, tmp_path):
    code = GRADER.format(tests=str(Path(__file__).parent), isolation=isolation)
    grader = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        folder = Path(grader.stdout.readline().strip())
        assert folder.is_dir()
        started = {p.pid for p in psutil.Process(grader.pid).children(recursive=True)}
        assert len(started) >= 4
    finally:
        # Ctrl-C goes to the whole group of the terminal's foreground.
        os.killpg(grader.pid, number)
        grader.wait(20)
        grader.stdout.close()
    end = time.monotonic() + 10
    while (left := alive(started)) or folder.exists():
        assert time.monotonic() < end, f"left: {left}, {folder.exists()}"
        time.sleep(0.05)
    assert not re.search(folder.name, Path("/proc/self/mountinfo").read_text())


def alive(pids):
    """Those of ``pids`` that run; a zombie waits for a parent that is not ours."""
    found = []
    for pid in pids:
        try:
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append((pid, psutil.Process(pid).cmdline()[:3]))
        except psutil.Error:
            continue
    return found


@needs_jail
def test_closing_the_servers_leaves_no_process_and_no_folder():
    close_servers()
    before = children()
    with session():
        folder = rundirs.folder()
        assert children() - before
    close_servers()
    assert children() - before == set()
    assert not folder.exists()


@needs_jail
def test_a_server_outlives_the_thread_that_started_it():
    def in_thread():
        with session() as kernel:
            seen.append(kernel.run("1").text)
        ensure_event_loop().close()  # jupyter_client made one for this thread

    close_servers()
    seen = []
    thread = threading.Thread(target=in_thread)
    thread.start()
    thread.join()
    with session() as kernel:
        server = servers.server_for(kernel.provisioner.request.server_key())
        assert kernel.run("2").text == "2"
    assert seen == ["1"] and server.alive
    # The next one may be the main thread's, and die with it.
    close_servers()


@needs_jail
def test_a_server_that_died_is_replaced():
    with session() as kernel:
        server = servers.server_for(kernel.provisioner.request.server_key())
        psutil.Process(server.process.pid).children()[0].kill()
        assert kernel.wait_for_end().returncode == -signal.SIGKILL
        server.process.wait(10)
    with session() as kernel:
        assert kernel.run("1 + 1").text == "2"


def test_a_fork_of_the_grader_leaves_the_servers_alone():
    with session(isolation="process") as kernel:
        pid = os.fork()
        if pid == 0:
            close_servers()
            os._exit(0)
        os.waitpid(pid, 0)
        assert kernel.run("1 + 1").text == "2"
        assert rundirs.folder().is_dir()


def test_a_full_disk_is_one_clear_line(monkeypatch):
    with session(isolation="process"):
        folder = rundirs.folder()
        shutil.rmtree(folder)
        with pytest.raises(IsolationError, match="no folder for sockets: No such file"):
            new_run_directory()
    close_servers()


@needs_jail
def test_a_full_disk_stops_no_kernel_that_runs(tmp_path):
    """A grader on a disk of its own, which is then filled; bubblewrap gives it that disk."""
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small disk")
    if environment_in_tmp():
        pytest.skip("the small disk would hide the Python environment, which lies in /tmp")
    code = f"""
import json, sys, tempfile
sys.path.insert(0, {str(Path(__file__).parent)!r})
from sessions import Session, session
from autograder.errors import AutograderError
with session() as kernel:
    with open("/tmp/fill", "wb", buffering=0) as file:
        try:
            while True: file.write(bytes(1 << 16))
        except OSError: pass
    running = kernel.run("open('x', 'w').write('works'); print(open('x').read())").text
try:
    Session()
    started = "a second kernel started"
except AutograderError as error:
    started = str(error)
print(json.dumps([running, started]))
"""
    disk = ["bwrap", "--dev-bind", "/", "/", "--size", str(1 << 20), "--tmpfs", "/tmp", "--"]
    done = subprocess.run([*disk, sys.executable, "-c", code], capture_output=True, text=True)
    running, started = json.loads(done.stdout.strip().splitlines()[-1])
    assert running == "works\n"
    assert started == "a second kernel started" or "No space left" in started


@needs_jail
def test_limits_hold_in_a_warm_kernel_without_slowing_the_next():
    with session(limits=Limits(memory_mb=100)) as small:
        assert small.run("x = bytearray(300 << 20)").error == "MemoryError: "
    with session(limits=Limits(memory_mb=1000)) as large:
        assert large.run("x = bytearray(300 << 20)").error == ""


@pytest.mark.slow
@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_nothing_stays_whenever_the_grader_is_killed(isolation):
    """SIGKILL at 25 moments, from before the server's start to after a kernel's end."""
    code = GRADER.format(tests=str(Path(__file__).parent), isolation=isolation)
    own = Path(tempfile.mkdtemp(dir="/tmp"))  # a short name, for sockets
    try:
        for moment in range(25):
            grader = subprocess.Popen(
                [sys.executable, "-c", code],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "TMPDIR": str(own), "XDG_RUNTIME_DIR": ""},
                start_new_session=True,
            )
            time.sleep(0.3 + 0.05 * moment)
            started = {p.pid for p in psutil.Process(grader.pid).children(recursive=True)}
            grader.kill()
            grader.wait(20)
            end = time.monotonic() + 30
            while (left := alive(started)) or list(own.iterdir()):
                assert time.monotonic() < end, f"moment {moment}: {left}, {list(own.iterdir())}"
                time.sleep(0.05)
    finally:
        shutil.rmtree(own)
