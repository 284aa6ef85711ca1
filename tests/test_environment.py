"""pyproject.toml, environment.yml and requirements.lock agree on packages and bounds."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = SETTINGS["project"]
EXTRAS = PROJECT["optional-dependencies"]
# What environment.yml installs; developers add their extra with pip.
CONDA_GROUPS = ("instructors", "cluster")
# conda does not normalise names, so a hyphen counts.
CONDA_NAMES = {"torch": "pytorch", "jupyter-client": "jupyter_client"}
# A CPU course installs none of these; torchvision's wheel brings the CUDA build of torch along.
UNWANTED = re.compile(r"^(nvidia|cuda|triton|torchvision|torchaudio)", re.IGNORECASE)


def declared(*groups):
    """Requirements of the notebooks and of ``groups``, by canonical name."""
    lines = [*PROJECT["dependencies"], *(line for group in groups for line in EXTRAS[group])]
    found = [Requirement(line) for line in lines]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def environment():
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def conda_requirements():
    """Bounds by conda's own spelling of the name, python and pip left out."""
    lines = [line for line in environment()["dependencies"] if isinstance(line, str)]
    found = [Requirement(line) for line in lines]
    return {r.name: r.specifier for r in found if r.name not in ("python", "pip")}


def lock_lines():
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def pins():
    """Pinned version by canonical name."""
    found = [Requirement(line) for line in lock_lines()]
    return {canonicalize_name(r.name): next(iter(r.specifier)).version for r in found}


def test_every_package_of_the_project_is_installed():
    """A checkout finds all of them anyway; an installed copy has those that are listed."""
    found = [
        path.parent
        for name in ("autograder", "course")
        for path in (ROOT / name).rglob("__init__.py")
    ]
    names = {".".join(path.relative_to(ROOT).parts) for path in found}
    assert set(SETTINGS["tool"]["setuptools"]["packages"]) == names


def test_conda_installs_what_pyproject_names_within_the_same_bounds():
    wanted = {
        CONDA_NAMES.get(name, name): requirement.specifier
        for name, requirement in declared(*CONDA_GROUPS).items()
    }
    assert conda_requirements() == wanted


def test_conda_and_pyproject_ask_for_the_same_python():
    (python,) = [
        line
        for line in environment()["dependencies"]
        if isinstance(line, str) and line.startswith("python ")
    ]
    assert SpecifierSet(python.removeprefix("python ")) == SpecifierSet(PROJECT["requires-python"])


def test_conda_takes_everything_from_conda_forge_and_this_project_from_here():
    assert environment()["channels"] == ["conda-forge", "nodefaults"]
    (pip,) = [line["pip"] for line in environment()["dependencies"] if isinstance(line, dict)]
    assert pip == ["-e ."]


def test_every_difference_of_names_is_one_that_is_used():
    assert set(CONDA_NAMES) <= set(declared(*CONDA_GROUPS))


def test_the_lock_pins_each_package_once_and_exactly():
    for line in lock_lines():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line), f"{line!r} is no exact pin"
    assert len(pins()) == len(lock_lines())


@pytest.mark.parametrize("name", sorted(declared(*EXTRAS)))
def test_the_lock_pins_each_dependency_within_its_bounds(name):
    assert name in pins(), f"requirements.lock does not pin {name}"
    requirement = declared(*EXTRAS)[name]
    assert requirement.specifier.contains(Version(pins()[name])), (
        f"{pins()[name]} is no {requirement}"
    )


def test_the_lock_takes_the_plain_torch_that_every_index_has():
    assert Version(pins()["torch"]).local is None


def test_the_lock_brings_no_cuda_and_no_torchvision():
    assert [line for line in lock_lines() if UNWANTED.match(line)] == []
