"""The kernel as Jupyter's tools see it: by name, through its provisioner."""

import asyncio
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import papermill
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from sessions import needs_jail, session

from autograder.errors import IsolationError, SubmissionError
from autograder.kernels import (
    KERNEL_NAME,
    JailRequest,
    close_servers,
    new_run_directory,
    register,
)
from autograder.limits import Limits

ISOLATIONS = [pytest.param("jail", marks=needs_jail), "process"]


@pytest.fixture(autouse=True, scope="module")
def _end():
    yield
    close_servers()


def notebook(*cells):
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )


def test_the_kernel_is_found_by_name_after_register(monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", "/elsewhere")
    register()
    register()
    assert os.environ["JUPYTER_PATH"].endswith("autograder/kernelspecs:/elsewhere")
    found = KernelSpecManager().get_kernel_spec(KERNEL_NAME)
    provisioner = found.metadata["kernel_provisioner"]["provisioner_name"]
    assert provisioner == "autograder-fork"


@needs_jail
def test_papermill_runs_a_notebook_on_it_by_name(tmp_path):
    register()
    nbformat.write(notebook("import os; print(os.getcwd())", "print('x')"), tmp_path / "in.ipynb")
    out = str(tmp_path / "out.ipynb")
    papermill.execute_notebook(
        str(tmp_path / "in.ipynb"), out, kernel_name=KERNEL_NAME, progress_bar=False
    )
    ran = nbformat.read(out, as_version=4)
    assert ran.cells[0].outputs[0].text == "/home/student/work\n"


@needs_jail
def test_the_command_papermill_finds_it_too(tmp_path):
    register()
    nbformat.write(notebook("import getpass; print(getpass.getuser())"), tmp_path / "in.ipynb")
    command = [sys.executable, "-m", "papermill", "--kernel", KERNEL_NAME, "in.ipynb", "out.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ran = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert ran.cells[0].outputs[0].text == "student\n"


@needs_jail
def test_nbclient_reports_errors_and_time_outs_as_on_any_kernel():
    register()
    client = NotebookClient(
        notebook("1 / 0", "import time; time.sleep(60)", "print('after')"),
        kernel_name=KERNEL_NAME,
        timeout=1,
        allow_errors=True,
        interrupt_on_timeout=True,
    )
    ran = client.execute()
    assert [cell.outputs[0].get("ename", "-") for cell in ran.cells] == [
        "ZeroDivisionError",
        "KeyboardInterrupt",
        "-",
    ]


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.parametrize("now", [True, False])
def test_a_kernel_ends_at_once_whichever_way_it_is_asked(isolation, now):
    with session(isolation=isolation) as kernel:
        kernel.run("1")
        began = time.perf_counter()
        kernel.manager.shutdown_kernel(now=now)
        assert time.perf_counter() - began < 1
        # Asked politely, it may have gone before it was made to.
        assert kernel.provisioner.ended.asked or not now
        assert not kernel.manager.is_alive()
        assert kernel.provisioner.ended.explain() == "was ended by the grader"
        assert not kernel.manager.has_kernel


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_a_kernel_can_be_started_again(isolation):
    with session(isolation=isolation) as kernel:
        kernel.run("x = 1")
        kernel.client.stop_channels()
        kernel.manager.restart_kernel(now=True)
        kernel.client = kernel.manager.client()
        kernel.client.start_channels(stdin=False, hb=False)
        assert kernel.run("x").error == "NameError: name 'x' is not defined"


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_an_import_that_is_not_allowed_says_what_is(isolation):
    with session(isolation=isolation, packages=("numpy",)) as kernel:
        assert kernel.run("import scipy.signal").error == (
            "ModuleNotFoundError: scipy is not allowed in this assignment: it may import numpy"
        )
        assert kernel.run("import numpy, json, no_such_module").error == (
            "ModuleNotFoundError: No module named 'no_such_module'"
        )


def test_without_a_jail_a_submission_has_its_files_and_limits_all_the_same(tmp_path):
    (tmp_path / "data.txt").write_text("data")
    limits = Limits(memory_mb=100, cpu_seconds=1)
    with session(isolation="process", files=tmp_path, limits=limits) as kernel:
        assert kernel.run("print(open('data.txt').read())").text == "data\n"
        assert kernel.run("bytearray(300 << 20)").error == "MemoryError: "
        kernel.client.execute("while True: pass")
        assert "cpu_seconds" in kernel.wait_for_end().explain()


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_the_end_of_a_kernel_can_be_waited_for_by_its_pid(isolation):
    with session(isolation=isolation) as kernel:
        fd = os.pidfd_open(kernel.provisioner.pid)
        try:
            assert select.select([fd], [], [], 0)[0] == []
            kernel.client.execute("import os; os._exit(3)")
            assert select.select([fd], [], [], 10)[0] == [fd]
        finally:
            os.close(fd)
        assert not kernel.manager.is_alive()
        assert kernel.provisioner.ended.returncode == 3


@needs_jail
def test_several_kernels_at_once_keep_to_themselves():
    register()

    async def one(number):
        run_dir = new_run_directory()
        manager = AsyncKernelManager(
            kernel_name=KERNEL_NAME,
            transport="ipc",
            ip=str(run_dir / "k"),
            connection_file=str(run_dir / "kernel.json"),
        )
        await manager.start_kernel(autograder=JailRequest(run_dir=run_dir, packages=("numpy",)))
        client = manager.client()
        client.start_channels(stdin=False, hb=False)
        client.execute(f"x = {number}; open('/tmp/x', 'w').write(str(x))")
        await client.get_shell_msg(timeout=30)
        client.execute("", user_expressions={"x": "(x, open('/tmp/x').read())"})
        reply = await client.get_shell_msg(timeout=30)
        client.stop_channels()
        await manager.shutdown_kernel(now=True)
        shutil.rmtree(run_dir)
        return reply["content"]["user_expressions"]["x"]["data"]["text/plain"]

    async def every():
        return await asyncio.gather(*(one(number) for number in range(8)))

    assert asyncio.run(every()) == [f"({n}, '{n}')" for n in range(8)]


@needs_jail
def test_a_run_directory_of_ones_own_is_refused(tmp_path):
    with pytest.raises(IsolationError, match="sees no run directory but"):
        session(run_dir=tmp_path).__enter__()


@needs_jail
def test_a_submission_that_does_not_fit_starts_no_kernel(tmp_path):
    (tmp_path / "large").write_bytes(bytes(2 << 20))
    with pytest.raises(SubmissionError, match="larger than 1 MiB"):
        session(files=tmp_path, limits=Limits(scratch_mb=1)).__enter__()
    with session() as kernel:
        assert kernel.run("1").text == "1"


def test_a_missing_bubblewrap_is_named_with_what_to_do():
    code = "from autograder.kernels import *; from sessions import session; session().__enter__()"
    environment = {"PATH": "/nowhere", "PYTHONPATH": str(Path(__file__).parent), "HOME": "/tmp"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.stderr.strip().splitlines()[-1] == (
        "autograder.errors.IsolationError: bubblewrap is not installed; "
        "install it (apt-get install bubblewrap), or grade with --isolation process"
    )


@needs_jail
def test_a_kernel_that_asks_for_nothing_gets_the_usual_packages():
    with session(packages=None) as kernel:
        assert kernel.run("import numpy, scipy, course").error == ""
        assert "not allowed" in kernel.run("import nbgrader").error
        assert kernel.run("import autograder").error.startswith("ModuleNotFoundError")
