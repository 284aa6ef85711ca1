"""Surroundings: what stands beside the lessons of a student repository, as bytes by path.

README, packaging, environments and containers. Dependencies, Python version and licence come from
the course's ``pyproject.toml``, exact versions from its ``requirements.lock``. A course says more
in ``nbgrader_config.py``::

    c.Autograder.publish = {"title": "Networks", "packages": ["course"]}
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from autograder.errors import CourseError
from autograder.folder import CourseFolder

# For a course that has no pyproject.toml: what opening and validating a notebook takes.
DEPENDENCIES = ["jupyterlab>=4.2,<5", "nbgrader>=0.9.5,<0.10"]
PYTHON = ">=3.11"
CONTAINER_PYTHON = "3.11"  # which the locked versions are tested with
# conda does not normalise names.
CONDA_NAMES = {"torch": "pytorch"}
CPU_TORCH = "https://download.pytorch.org/whl/cpu"
URL = re.compile(r"https?://[\w.-]+(:\d+)?(/[\w.~-]+)+/?")
IGNORED = [".venv/", "__pycache__/", ".ipynb_checkpoints/", "*.egg-info/", "build/", ".DS_Store"]


@dataclass(frozen=True)
class Settings:
    """What the course says of its student repository."""

    title: str
    packages: tuple[str, ...]
    slug: str
    version: str
    python: str
    licence: str
    dependencies: tuple[str, ...]
    pins: tuple[str, ...]  # NAME==VERSION of all that the dependencies bring; empty: no lock

    @classmethod
    def read(cls, folder: CourseFolder) -> Settings:
        """From ``nbgrader_config.py``, ``pyproject.toml`` and ``requirements.lock``.

        Raises:
            CourseError: when one of them cannot be read or names what is not there.
        """
        given = dict(folder.config.get("Autograder", {}).get("publish", {}))
        if unknown := set(given) - {"title", "packages"}:
            raise CourseError(
                f"c.Autograder.publish has no {', '.join(sorted(unknown))}",
                where=folder.root / "nbgrader_config.py",
                remedy="it may name title and packages",
            )
        project = _project(folder.root / "pyproject.toml")
        name = str(folder.config.CourseDirectory.get("course_id", "") or folder.root.name)
        slug = re.sub(r"[^a-z0-9]+", "-", str(project.get("name", name)).lower()).strip("-")
        dependencies = tuple(project.get("dependencies", DEPENDENCIES))
        lock = folder.root / "requirements.lock"
        return cls(
            title=str(given.get("title", name)),
            packages=tuple(given.get("packages", ())),
            slug=slug or "lessons",
            version=str(project.get("version", "1.0")),
            python=str(project.get("requires-python", PYTHON)),
            licence=str(project.get("license", "")) if _licence(folder).is_file() else "",
            dependencies=dependencies,
            pins=_pins(lock, dependencies) if lock.is_file() else (),
        )


def surroundings(
    folder: CourseFolder, settings: Settings, lessons: dict[str, str], packages: list[str], url: str
) -> dict[str, bytes]:
    """Everything beside lessons and packages: README, environments, containers, licence.

    Args:
        folder: the course.
        settings: what it says of its student repository.
        lessons: heading by name.
        packages: paths of the files of the helper packages.
        url: where the repository will be; empty if that is not known.

    Raises:
        CourseError: for a URL that is none.
    """
    torch = any(Requirement(line).name == "torch" for line in settings.dependencies)
    values = {
        **vars(settings),
        "lessons": sorted(lessons.items()),
        "first": min(lessons),
        "url": url.rstrip("/"),
        "badge": binder(url) if url else "",
        "torch": torch,
        "python_words": re.sub(r"^>=([\d.]+)$", r"\1 or newer", settings.python),
        "packages": sorted({p.rpartition("/")[0].replace("/", ".") for p in packages if _py(p)}),
        "data": _package_data(packages),
        "conda": [conda(line) for line in settings.dependencies],
    }
    wanted = list(settings.pins or settings.dependencies)
    binder_lines = [*([f"--extra-index-url {CPU_TORCH}"] if torch else []), *wanted]
    files = {
        "README.md": _render("student-README.md", values),
        "pyproject.toml": _render("student-pyproject.toml", values),
        "environment.yml": _render("student-environment.yml", values),
        "requirements.txt": _lines([*wanted, "--editable ."]),
        ".binder/requirements.txt": _lines(binder_lines),
        ".binder/runtime.txt": f"python-{CONTAINER_PYTHON}\n",
        ".binder/postBuild": "#!/bin/sh\nset -e\npython -m pip install --no-deps --editable .\n",
        ".devcontainer/devcontainer.json": _container(settings.title, torch),
        ".gitignore": _lines(IGNORED),
        "nbgrader_config.py": _config(folder),
    }
    contents = {path: text.encode() for path, text in files.items()}
    if _licence(folder).is_file():
        contents["LICENSE"] = _licence(folder).read_bytes()
    return contents


def binder(url: str) -> str:
    """Where Binder opens the repository at ``url``.

    Raises:
        CourseError: for anything but the address of a repository.
    """
    if not URL.fullmatch(url):
        raise CourseError(
            f"--url {url!r} is no address of a repository",
            remedy="such as https://github.com/OWNER/REPOSITORY",
        )
    parts = urlsplit(url.rstrip("/"))
    path = parts.path.strip("/").removesuffix(".git")
    if parts.netloc == "github.com" and path.count("/") == 1:
        place = f"gh/{path}"
    elif parts.netloc == "gitlab.com":
        place = f"gl/{quote(path, safe='')}"
    else:
        place = f"git/{quote(url.rstrip('/'), safe='')}"
    return f"https://mybinder.org/v2/{place}/HEAD?urlpath=lab"


def conda(line: str) -> str:
    """A requirement as conda writes it."""
    requirement = Requirement(line)
    name = CONDA_NAMES.get(requirement.name, requirement.name)
    # packaging sorts the bounds by text; the lower one reads better first.
    bounds = ",".join(sorted(map(str, requirement.specifier), reverse=True))
    return f"{name} {bounds}".strip()


def _project(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        project = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
        for line in project.get("dependencies", []):
            Requirement(line)
    except ValueError as error:  # of TOML, of UTF-8, of a requirement
        raise CourseError(f"cannot be read: {error}", where=path) from error
    return project


def _pins(lock: Path, dependencies: tuple[str, ...]) -> tuple[str, ...]:
    """The lines of the lock that the dependencies lead to, through what is installed here."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    found = [
        Requirement(line) for line in lines if line.strip() and not line.startswith(("#", "-"))
    ]
    pins = {str(canonicalize_name(pinned.name)): str(pinned) for pinned in found}
    waiting = [Requirement(line) for line in dependencies]
    reached: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        name, extras = str(canonicalize_name(requirement.name)), frozenset(requirement.extras)
        if (name, extras) in reached or name not in pins:
            continue
        reached.add((name, extras))
        try:
            needs = [Requirement(line) for line in metadata.requires(name) or ()]
        except metadata.PackageNotFoundError as error:
            raise CourseError(
                f"{name} is not installed here, so nobody knows what it needs",
                where=lock,
                remedy="install what it pins, then publish",
            ) from error
        waiting += [
            need
            for need in needs
            if not need.marker or any(need.marker.evaluate({"extra": e}) for e in ("", *extras))
        ]
    return tuple(sorted({pins[name] for name, _ in reached}, key=str.lower))


def _py(path: str) -> bool:
    return path.endswith("/__init__.py")


def _package_data(paths: list[str]) -> dict[str, list[str]]:
    """Files beside the modules, by package: a wheel leaves out what is not named."""
    packages = {path.rpartition("/")[0] for path in paths if _py(path)}
    data: dict[str, list[str]] = {}
    for path in sorted(paths):
        if not path.endswith(".py"):
            owner = max((p for p in packages if path.startswith(p + "/")), key=len)
            data.setdefault(owner.replace("/", "."), []).append(path.removeprefix(owner + "/"))
    return data


def _container(title: str, torch: bool) -> str:
    content: dict[str, Any] = {
        "name": title,
        "image": f"mcr.microsoft.com/devcontainers/python:1-{CONTAINER_PYTHON}-bookworm",
        "postCreateCommand": "python -m pip install --requirement requirements.txt",
        "forwardPorts": [8888],
        "customizations": {
            "vscode": {"extensions": ["ms-python.python", "ms-toolsai.jupyter"]},
        },
    }
    if torch:
        content["containerEnv"] = {"PIP_EXTRA_INDEX_URL": CPU_TORCH}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _config(folder: CourseFolder) -> str:
    """nbgrader's settings for students: the course's name, and its patience with slow cells."""
    course_id = str(folder.config.CourseDirectory.get("course_id", ""))
    lines = ['"""Settings for `nbgrader validate` and the exchange."""', "", "c = get_config()"]
    lines += [f"c.CourseDirectory.course_id = {json.dumps(course_id)}"] if course_id else []
    timeout = folder.config.get("ExecutePreprocessor", {}).get("timeout")
    lines += [f"c.ExecutePreprocessor.timeout = {timeout}"] if isinstance(timeout, int) else []
    return _lines(lines)


def _licence(folder: CourseFolder) -> Path:
    return folder.root / "LICENSE"


def _lines(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _render(template: str, values: dict[str, Any]) -> str:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    pages = Environment(loader=loader, autoescape=False, undefined=StrictUndefined)
    pages.trim_blocks = pages.lstrip_blocks = pages.keep_trailing_newline = True
    pages.filters["quoted"] = lambda value: json.dumps(value, ensure_ascii=False)
    return pages.get_template(template).render(values)
