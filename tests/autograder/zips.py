"""Zip files as learning platforms make them."""

import zipfile


def zipped(path, files, when=(2026, 2, 3, 14, 5, 6)):
    """A zip file with these names and contents; a name may come with a time of its own."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            content, stamp = content if isinstance(content, tuple) else (content, when)
            archive.writestr(zipfile.ZipInfo(name, stamp), content)
    return path
