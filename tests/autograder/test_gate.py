"""An import that the assignment does not allow is refused with the reason; all else is as ever."""

import subprocess
import sys

import pytest

PROGRAM = """
from autograder import gate
gate.close({packages!r})
{source}
print("done")
"""


def run(source, *packages):
    """What a fresh interpreter says of ``source`` behind the gate: "done", or its last line."""
    program = PROGRAM.format(packages=list(packages), source=source)
    got = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    return got.stdout.strip() or got.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np; np.linalg.norm([1.0])",
        "import numpy.linalg",
        "from numpy import linalg, ones",
        "import math, json, collections.abc",
        "from os import *",
        "import sklearn.metrics",
        "from sklearn import metrics",
        "from sklearn.metrics import accuracy_score",
    ],
)
def test_what_is_allowed_is_imported(source):
    assert run(source, "numpy", "sklearn.metrics") == "done"


@pytest.mark.parametrize(
    "source, name",
    [
        ("import torch", "torch"),
        ("import torch.nn.functional as F", "torch.nn.functional"),
        ("from torch import nn", "torch"),
        ("from scipy.signal import convolve2d", "scipy.signal"),
        ("from sklearn import datasets", "sklearn.datasets"),
        ("from sklearn import *", "sklearn.*"),
        ("import numpyro", "numpyro"),
        ("__import__('torch')", "torch"),
        ("def f():\n    import torch\nf()", "torch"),
        ("exec('import torch')", "torch"),
    ],
)
def test_what_is_not_allowed_is_refused_by_name(source, name):
    assert run(source, "numpy", "sklearn.metrics") == (
        f"ImportError: {name} is not allowed in this assignment; "
        "it may import numpy, sklearn.metrics and the standard library"
    )


def test_an_allowed_package_may_import_what_it_needs():
    assert run("import skimage.filters", "skimage") == "done"


def test_an_unknown_module_is_still_unknown():
    assert "No module named 'numpy.nowhere'" in run("import numpy.nowhere", "numpy")
