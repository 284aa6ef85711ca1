"""``python -m coursesite``: write the pages, let Sphinx make them HTML, check what came out.

Exit code 0: the site is whole. 1: it is built, and has broken links. 2: not built.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

from autograder.errors import AutograderError
from coursesite.contents import read_contents
from coursesite.links import broken_links
from coursesite.pages import site_files

ROOM = Path(__file__).resolve().parents[1]
ROOT = ROOM.parents[1]


def main(arguments: list[str] | None = None) -> int:
    """Build the site of the course that this file lies in, or of ``--course-dir``."""
    parser = argparse.ArgumentParser(prog="coursesite", description="Build the course's website.")
    parser.add_argument("--course-dir", type=Path, default=ROOT, help="the course folder")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "site", help="the site")
    parser.add_argument("--students", action="store_true", help="the lessons alone")
    chosen = parser.parse_args(arguments)
    try:
        files = site_files(read_contents(chosen.course_dir.resolve()), students=chosen.students)
    except AutograderError as error:
        print(error, file=sys.stderr)
        return 2
    if code := build(files, chosen.output.resolve()):
        return code
    problems = broken_links(chosen.output.resolve())
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    print(f"{len(problems)} broken links; the site is {chosen.output / 'index.html'}")
    return 1 if problems else 0


def build(files: dict[str, bytes], output: Path) -> int:
    """Run Sphinx over ``files`` into an empty ``output``; 0, or 2 for failure."""
    pages = output.with_name(f"{output.name}-pages")
    for place in (pages, output):
        shutil.rmtree(place, ignore_errors=True)
    for path, content in files.items():
        place = pages / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    words = ["-b", "html", "-q", "-W", "--keep-going", "-c", str(ROOM), str(pages), str(output)]
    failed = build_main(words)
    shutil.rmtree(output / ".doctrees", ignore_errors=True)
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
