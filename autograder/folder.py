"""The course folder: where everything lies, read from the folder's own nbgrader_config.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader

from autograder.errors import CourseError


@dataclass(frozen=True)
class CourseFolder:
    """The rooms of one course; every path is absolute.

    Any nbgrader course folder will do: what its ``nbgrader_config.py`` does not say is nbgrader's
    default (``source``, ``release``, ``submitted``, ``autograded``, ``gradebook.db``).
    """

    root: Path
    config: Config
    source: Path
    release: Path
    solutions: Path
    submitted: Path
    autograded: Path
    feedback: Path
    results: Path
    report: Path
    db_url: str

    @classmethod
    def open(cls, root: Path | str = ".") -> CourseFolder:
        """Read the configuration of the course folder ``root``.

        Raises:
            CourseError: when the folder has neither a configuration nor a ``source`` folder, or
                its configuration does not load.
        """
        root = Path(root).resolve()
        config = _load_config(root)
        directory = CourseDirectory(config=config)
        directory.root = str(root)
        source = root / directory.source_directory
        if not source.is_dir():
            raise CourseError(
                "no course here: there is no source folder",
                where=source,
                remedy="go to the course folder, or name it with --course-dir",
            )
        # What nbgrader does not know of lies beside the autograded notebooks.
        grading = (root / directory.autograded_directory).parent
        return cls(
            root=root,
            config=config,
            source=source,
            release=root / directory.release_directory,
            solutions=root / directory.solution_directory,
            submitted=root / directory.submitted_directory,
            autograded=root / directory.autograded_directory,
            feedback=root / directory.feedback_directory,
            results=grading / "results",
            report=grading / "report",
            db_url=_absolute_db_url(directory.db_url, root),
        )

    def assignments(self) -> list[str]:
        """Names of the assignments that have a built notebook or a text, sorted."""
        folders = {p.parent.name for p in self.source.glob("*/*.ipynb")}
        return sorted(folders | set(self.lessons()))

    def lessons(self) -> list[str]:
        """Names of the assignments that are written as text, sorted."""
        texts = self.source.glob("*.py")
        return sorted(p.stem for p in texts if not p.name.endswith(".mistakes.py"))

    def text(self, name: str) -> Path:
        """The lesson's text."""
        return self.source / f"{name}.py"

    def mistakes(self, name: str) -> Path:
        """The lesson's known mistakes."""
        return self.source / f"{name}.mistakes.py"

    def master(self, name: str) -> Path:
        """The built source notebook, hidden tests inside.

        Raises:
            CourseError: when there is no such assignment, or it has several notebooks.
        """
        notebooks = self.masters(name)
        if len(notebooks) == 1:
            return notebooks[0]
        raise CourseError(
            f"{len(notebooks)} notebooks in one assignment; this command takes one",
            where=self.source / name,
            remedy="give each notebook an assignment of its own",
        )

    def masters(self, name: str) -> list[Path]:
        """The source notebooks of an assignment, sorted; the one with its name if there is one.

        Raises:
            CourseError: when there is no such assignment.
        """
        named = self.source / name / f"{name}.ipynb"
        if named.is_file():
            return [named]
        if notebooks := sorted((self.source / name).glob("*.ipynb")):
            return notebooks
        known = ", ".join(self.assignments()) or "none"
        raise CourseError(
            f"no assignment {name!r}", where=self.source, remedy=f"there are: {known}"
        )


def _load_config(root: Path) -> Config:
    try:
        config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    except ConfigFileNotFound:
        config = Config()
    except Exception as error:
        raise CourseError(
            f"does not load: {type(error).__name__}: {error}", where=root / "nbgrader_config.py"
        ) from error
    config.CourseDirectory.root = str(root)
    return config


def _absolute_db_url(url: str, root: Path) -> str:
    prefix = "sqlite:///"
    if url.startswith(prefix):
        return prefix + str((root / url.removeprefix(prefix)).resolve())
    return url
