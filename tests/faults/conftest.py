"""A short folder for temporary files: the paths of sockets may have 107 characters."""

import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def temp():
    path = Path(tempfile.mkdtemp(prefix="t-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)
