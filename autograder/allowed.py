"""Which files of the Python environment a submission may see, given the packages it may import.

Nothing is visible unless an allowed package, one of its requirements, or the kernel itself needs
it. So a library that holds the answer is not merely forbidden: its code is not there.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import site
import sys
import sysconfig
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement

from autograder.errors import CourseError

# What a kernel needs to run at all, with its requirements. The debugger stays out.
KERNEL_DISTRIBUTIONS = ("ipykernel", "matplotlib-inline")
NEVER = frozenset({"autograder", "debugpy", "nbgrader"})

# Pictures and tables that packages carry and that need none of their code. They stay readable
# where the package itself is hidden: a picture to convolve needs no ready-made convolution.
DATA_FOLDERS = ("sklearn/datasets/images", "sklearn/datasets/data", "skimage/data")


@dataclass(frozen=True)
class Visible:
    """What to show of the environment; every path is absolute, the same inside as outside.

    Attributes:
        covers: folders to hide behind an empty one first.
        entries: files and folders to show then, read-only.
        hidden: folders inside ``entries`` to hide after that.
        local: allowed packages that no other package is to come with, by name: those outside
            site-packages (a course's own helpers), and those installed along with the grader.
        blocked: importable names, dotted or not, that are installed and not shown.
        partial: those of ``blocked`` whose folder is there, with data in it or empty.
    """

    covers: tuple[Path, ...]
    entries: tuple[Path, ...]
    hidden: tuple[Path, ...]
    local: dict[str, Path]
    blocked: tuple[str, ...]
    partial: tuple[str, ...]


@cache
def site_folders() -> tuple[Path, ...]:
    """The folders that pip installs into, the environment's own first."""
    own = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    others = [*site.getsitepackages(), site.getusersitepackages()]
    used = dict.fromkeys([*own, *(p for p in others if p in sys.path)])
    return tuple(Path(p) for p in used if Path(p).is_dir())


@cache
def visible(packages: tuple[str, ...] | None, hidden: tuple[str, ...] = ()) -> Visible:
    """Work out what a submission may see.

    Args:
        packages: importable names, as an instructor writes them: ``("numpy", "matplotlib")``.
            ``None`` shows all that is installed, except the grader's own packages.
        hidden: dotted names inside allowed packages to hide: ``("scipy.signal",)``.

    Raises:
        CourseError: for a package that is not installed.
    """
    # Of an open list, only what is installed without lying in site-packages has to be found.
    elsewhere = set(_distributions()) - _present_names()
    wanted = elsewhere if packages is None else {n.partition(".")[0] for n in packages}
    local = {n: place for n in wanted - NEVER if (place := _local_place(n)) is not None}
    dotted = {name: folder for name in hidden if (folder := _folder(name)) is not None}
    if packages is None:
        inside = {n: p for n in NEVER for s in site_folders() if (p := s / n).is_dir()}
        dotted |= inside
        names = tuple(dotted)
        return Visible((), site_folders(), tuple(dotted.values()), local, names, names)
    dotted |= _not_named(packages, local)
    missing = sorted(n for n in wanted - set(local) if not _is_installed(n))
    if missing:
        raise CourseError(
            f"an assignment allows {', '.join(missing)}, which is not installed",
            remedy="install it, or correct the name (the name that is imported, not pip's)",
        )
    entries = _entries(frozenset(wanted - set(local)))
    shown = {_import_name(entry) for entry in entries} | set(local)
    blocked = (_present_names() | set(filter(str.isidentifier, _distributions()))) - shown
    data = [p for s in site_folders() for folder in DATA_FOLDERS if (p := s / folder).is_dir()]
    data = [p for p in data if _top(p) in blocked]
    partial = {_top(p) for p in data} | set(dotted)
    return Visible(
        covers=site_folders(),
        entries=(*entries, *data),
        hidden=tuple(dotted.values()),
        local=local,
        blocked=tuple(sorted(blocked | set(dotted))),
        partial=tuple(sorted(partial)),
    )


def _entries(names: frozenset[str]) -> list[Path]:
    """Files and folders of the distributions that ``names`` and the kernel need."""
    todo = [*KERNEL_DISTRIBUTIONS, *(d for name in names for d in _distributions_of(name))]
    seen: set[str] = set()
    entries: dict[Path, None] = {}
    while todo:
        name = _normal(todo.pop())
        if name in seen or name in NEVER:
            continue
        seen.add(name)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        entries |= dict.fromkeys(_files(distribution))
        requirements = map(Requirement, _requires(distribution))
        todo += [r.name for r in requirements if r.marker is None or r.marker.evaluate()]
    return list(entries)


def _headers(distribution: importlib.metadata.Distribution) -> str:
    """The head of its metadata. ``distribution.metadata`` reads as an e-mail, a tenth as fast."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    return text.replace("\r\n", "\n").partition("\n\n")[0]


def _requires(distribution: importlib.metadata.Distribution) -> list[str]:
    """What it requires, less most of what it requires for its extras alone."""
    if distribution.read_text("METADATA"):
        required = re.findall(r"^Requires-Dist: *(.+(?:\n .+)*)", _headers(distribution), re.M)
    else:  # a system package keeps them elsewhere
        required = distribution.requires or []
    return [line for line in required if " or " in line or not re.search(r"extra *==", line)]


def _files(distribution: importlib.metadata.Distribution) -> list[Path]:
    """What a distribution put into site-packages, one path for each top-level file or folder."""
    base = Path(str(distribution.locate_file("")))
    if record := _record(distribution):
        tops = {line.rsplit(",", 2)[0].strip('"').split("/")[0] for line in record}
    else:  # a system package: it names its modules only
        tops = set((distribution.read_text("top_level.txt") or distribution.name).split())
        tops |= {f"{top}.py" for top in tops}
    tops -= {"..", "__pycache__", ""}
    return sorted(p for top in tops if (p := base / top).exists())


def _record(distribution: importlib.metadata.Distribution) -> list[str]:
    return (distribution.read_text("RECORD") or "").splitlines()


def _distributions_of(name: str) -> list[str]:
    try:
        return [importlib.metadata.distribution(name).name]
    except importlib.metadata.PackageNotFoundError:
        return _distributions().get(name, [])


def _is_installed(name: str) -> bool:
    return name in sys.stdlib_module_names or bool(_distributions_of(name))


def _names_of(distribution: str) -> set[str]:
    return {name for name, owners in _distributions().items() if distribution in owners}


@cache
def _distributions() -> dict[str, list[str]]:
    """Importable names at the top, and who brings each: ``packages_distributions``, but sooner."""
    found: dict[str, list[str]] = {}
    for distribution in importlib.metadata.distributions():
        if owner := re.search(r"^Name: *(\S+)", _headers(distribution), re.M):
            for name in _importable(distribution):
                found.setdefault(name, []).append(owner[1])
    return found


def _importable(distribution: importlib.metadata.Distribution) -> set[str]:
    if declared := distribution.read_text("top_level.txt"):
        return set(declared.split())
    files = (line.partition(",")[0] for line in _record(distribution))
    return {file.partition("/")[0].removesuffix(".py") for file in files if file.endswith(".py")}


@cache
def _present_names() -> set[str]:
    """Every name that can be imported from the site-packages folders."""
    found = {_import_name(p) for folder in site_folders() for p in folder.iterdir()}
    return {n for n in found if n.isidentifier() and n != "__pycache__"}


def _import_name(path: Path) -> str:
    return path.name.partition(".")[0] if path.suffix in ("", ".py", ".so") else ""


def _local_place(name: str) -> Path | None:
    """The folder, or the one file, of a package that stands alone; None for any other."""
    try:
        # setuptools' own finder warns of what others imported when it is asked for distutils.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.has_location or spec.origin is None:
        return None
    file = Path(spec.origin).resolve()
    place = file.parent if file.name == "__init__.py" else file
    library = Path(sysconfig.get_path("stdlib")).resolve()
    installed = (*(p.resolve() for p in site_folders()), library)
    if not any(place.is_relative_to(p) for p in installed):
        return place
    # A wheel that brings the grader as well requires far more than its helpers need.
    beside = {n for d in _distributions_of(name) for n in _names_of(d)}
    return place if beside & NEVER else None


def _not_named(packages: tuple[str, ...], local: dict[str, Path]) -> dict[str, Path]:
    """Folders of packages that stand alone, where ``packages`` names other parts of them only."""
    found = {}
    for name, place in local.items():
        if name in packages or not place.is_dir():
            continue
        for file in place.glob("*/__init__.py"):
            part = f"{name}.{file.parent.name}"
            if not any(asked == part or asked.startswith(f"{part}.") for asked in packages):
                found[part] = file.parent
    return found


def _folder(name: str) -> Path | None:
    """The folder of a package, found without importing it; None when there is none."""
    top, _, rest = name.partition(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations)), *rest.split(".") if rest else ())
    return folder.resolve() if folder.is_dir() else None


def _top(path: Path) -> str:
    return next(path.relative_to(s).parts[0] for s in site_folders() if path.is_relative_to(s))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
