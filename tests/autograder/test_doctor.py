import json
import os
import subprocess
import sys

import pytest
from sessions import needs_jail, session

from autograder import doctor, jail
from autograder.kernels import close_servers
from autograder.probes import PROBES, PROBLEMS, probe_code


@pytest.fixture(autouse=True, scope="module")
def _end():
    yield
    close_servers()


@needs_jail
def test_a_machine_that_can_jail_is_told_so_wall_by_wall():
    report = doctor.examine().to_json()
    assert report["isolation"] == "jail"
    assert set(report["checks"]) == {
        *("versions", "bubblewrap", "namespaces", "kernel", "network", "file system"),
        *("secrets", "privileges", "memory", "processes", "scratch", "cpu"),
        "warm kernel without a jail",
    }
    assert all(check["ok"] and check["detail"] for check in report["checks"].values())
    assert json.loads(json.dumps(report)) == report


def test_a_machine_without_bubblewrap_is_told_what_to_do():
    code = "import json; from autograder.doctor import examine; "
    code += "print(json.dumps(examine().to_json()))"
    environment = {"PATH": "/nowhere", "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    report = json.loads(done.stdout)
    assert report["isolation"] == "process"
    assert not report["checks"]["bubblewrap"]["ok"]
    assert "apt-get install bubblewrap" in report["checks"]["bubblewrap"]["detail"]
    assert report["checks"]["warm kernel without a jail"]["ok"]


def test_a_bubblewrap_that_may_make_no_namespaces_is_told_what_to_do(tmp_path, monkeypatch):
    broken = tmp_path / "bwrap"
    broken.write_text(
        "#!/bin/sh\n[ $1 = --version ] && exec echo bubblewrap 9.0\necho no >&2; exit 1"
    )
    broken.chmod(0o755)
    monkeypatch.setattr(jail, "bubblewrap", lambda: str(broken))
    report = doctor.examine()
    assert report.isolation == "process"
    assert report.checks["bubblewrap"].detail.startswith("bubblewrap 9")
    detail = report.checks["namespaces"].detail
    assert detail.startswith("no; ") and ("namespaces" in detail or "container" in detail)


@pytest.mark.parametrize("name", ["secrets", "privileges"])
def test_a_probe_finds_the_hole_where_there_is_no_wall(name, tmp_path):
    (tmp_path / "secret").write_text("secret")
    with session(isolation="process") as kernel:
        ok, seen = json.loads(kernel.run(probe_code(name, tmp_path / "secret")).text)
    assert not ok and seen


@needs_jail
@pytest.mark.parametrize("name", ["memory", "processes", "scratch"])
def test_a_probe_finds_a_limit_that_is_not_there(name, tmp_path):
    with session() as kernel:
        ok, seen = json.loads(kernel.run(probe_code(name, tmp_path / "secret")).text)
    # With the usual limits, larger than the probe's, it gets further than it should.
    assert (ok, "could" in seen) == ((True, False) if name == "processes" else (False, True))


def test_every_probe_says_what_to_do_where_it_fails():
    assert set(PROBES) == set(PROBLEMS)
