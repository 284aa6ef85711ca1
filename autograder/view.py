"""The tree of folders that bubblewrap builds: what lies where, and what is made for it."""

from __future__ import annotations

from pathlib import Path


class View:
    """bubblewrap's arguments for one tree of folders; a later step lies on top of earlier ones.

    Attributes:
        steps: the arguments so far, in order.
    """

    def __init__(self) -> None:
        self.steps: list[str] = []
        # Whether each mount point so far holds something of the host's, or is a tmpfs of ours.
        self.mounts: dict[Path, bool] = {Path("/"): False}
        self.made: set[Path] = {Path("/")}
        self.covers: list[Path] = []

    @property
    def seals(self) -> list[str]:
        """What makes our own folders read-only once everything lies in them."""
        paths = [*self.covers, Path("/dev"), Path("/")]
        return [word for path in paths for word in ("--remount-ro", str(path))]

    def make(self, folder: Path) -> None:
        """Make a folder and those above it, open to the jail's user: bubblewrap's are not."""
        for path in (*reversed(folder.parents), folder):
            if path not in self.made and not self._is_hosts(path):
                self.steps += ["--perms", "0755", "--dir", str(path)]
                self.made.add(path)

    def _is_hosts(self, path: Path) -> bool:
        return next(self.mounts[p] for p in (path, *path.parents) if p in self.mounts)

    def add(self, option: str, source: str, target: Path) -> None:
        """Mount something of the host's at ``target``."""
        self.make(target.parent)
        self.steps += [option, source, str(target)]
        self.mounts[target] = True

    def add_text(self, fd: int, target: Path) -> None:
        """A read-only file with what ``fd`` holds."""
        self.make(target.parent)
        self.steps += ["--perms", "0644", "--ro-bind-data", str(fd), str(target)]
        self.mounts[target] = True

    def show(self, path: Path, target: Path | None = None) -> None:
        """Show a file or folder of the host, read-only, if it exists."""
        if path.is_symlink() and path.parent == Path("/"):
            self.link(str(path.readlink()), path)
        elif path.exists():
            self.add("--ro-bind", str(path.resolve()), target or path)

    def link(self, target: str, path: Path) -> None:
        """A symbolic link to ``target``."""
        self.make(path.parent)
        self.steps += ["--symlink", target, str(path)]

    def writable(self, folder: Path) -> None:
        """A folder the server may write to; each kernel mounts its own over it."""
        self.make(folder.parent)
        self.steps += ["--perms", "0777", "--tmpfs", str(folder)]
        self.mounts[folder] = False
        self.made.add(folder)

    def cover(self, path: Path) -> None:
        """Hide what is at ``path`` behind an empty folder."""
        self.make(path.parent)
        self.steps += ["--perms", "0755", "--tmpfs", str(path)]
        self.mounts[path] = False
        self.made.add(path)
        self.covers.append(path)

    def reaches(self, path: Path) -> bool:
        """Whether a folder of the host's is in sight."""
        return path.is_dir() and self._is_hosts(path)

    def other_site_folders(self) -> list[Path]:
        """Installed packages that the environment does not use but that would be in sight."""
        roots = [path for path, is_hosts in self.mounts.items() if is_hosts]
        found = [p for root in roots for p in root.glob("python*/*-packages")]
        return [p for p in found if p.is_dir() and not p.is_symlink()]
