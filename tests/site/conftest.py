"""The site's own package lies in docs/site, outside what is installed."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs" / "site"))


@pytest.fixture(scope="session")
def contents():
    from coursesite.contents import read_contents

    return read_contents(ROOT)
