"""Pictures and data sets that need no download.

Photographs come out of the files that scikit-learn and scikit-image install; they are read
without importing those packages, which would cost a second and bring ready-made convolutions.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

PHOTOS = {
    "china": "sklearn/datasets/images/china.jpg",
    "flower": "sklearn/datasets/images/flower.jpg",
    "astronaut": "skimage/data/astronaut.png",
    "camera": "skimage/data/camera.png",
    "chelsea": "skimage/data/chelsea.png",
    "coffee": "skimage/data/coffee.png",
    "brick": "skimage/data/brick.png",
    "grass": "skimage/data/grass.png",
    "gravel": "skimage/data/gravel.png",
}


def _installed(path: str) -> Path:
    package, _, rest = path.partition("/")
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"{package} is not installed; it carries the picture {path}")
    return Path(spec.submodule_search_locations[0]) / rest


@cache
def _pixels(name: str) -> np.ndarray:
    if name not in PHOTOS:
        raise KeyError(f"no photograph {name!r}; there are {', '.join(sorted(PHOTOS))}")
    pixels = np.asarray(Image.open(_installed(PHOTOS[name])))
    return pixels[..., :3] if pixels.ndim == 3 else pixels


def photo(name: str, *, gray: bool = False, step: int = 1) -> np.ndarray:
    """A photograph as floats.

    Args:
        name: one of ``PHOTOS``: ``"china"`` (427×640), ``"chelsea"`` (a cat, 300×451), …
        gray: mix the channels to luma (0.299 R + 0.587 G + 0.114 B, Rec. 601).
        step: keep every ``step``-th pixel of both axes.

    Returns:
        float64 in [0, 1], shape ``(H, W)`` for gray pictures, else ``(3, H, W)``.

    Raises:
        KeyError: for a name that is not in ``PHOTOS``.
        FileNotFoundError: when the package that carries the picture is not installed.
        ValueError: for a step below 1.
    """
    if step < 1:
        raise ValueError(f"step should be at least 1, not {step}")
    pixels = _pixels(name)[::step, ::step] / 255.0  # (H, W) or (H, W, 3)
    if pixels.ndim == 2:
        return pixels
    if gray:
        return pixels @ np.array([0.299, 0.587, 0.114])  # (H, W)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))  # (3, H, W)


@cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    path = _installed("sklearn/datasets/data/digits.csv.gz")
    table = np.loadtxt(path, delimiter=",")  # (1797, 65)
    return table[:, :-1].reshape(-1, 1, 8, 8) / 16.0, table[:, -1].astype(np.int64)


def digits() -> tuple[np.ndarray, np.ndarray]:
    """The 1,797 handwritten digits that scikit-learn ships.

    Returns:
        ``images``, float64 in [0, 1], shape ``(1797, 1, 8, 8)``, and ``labels``, int64 in 0..9,
        shape ``(1797,)``; copies, in the file's order (people's digits stand together: shuffle).
    """
    images, labels = _digits()
    return images.copy(), labels.copy()


@cache
def _faces() -> np.ndarray:
    return np.load(_installed("skimage/data/lfw_subset.npy"))  # (200, 25, 25)


def faces() -> tuple[np.ndarray, np.ndarray]:
    """The 200 gray pictures that scikit-image ships: 100 faces, 100 other pieces of photographs.

    Returns:
        ``images``, float64 in [0, 1], shape ``(200, 1, 25, 25)``, and ``labels``, int64, 1 for a
        face and 0 for none, shape ``(200,)``; copies, faces first.
    """
    labels = np.repeat(np.array([1, 0]), 100)
    return _faces()[:, None].copy(), labels


def texture_patches(size: int = 32) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Brick, grass and gravel cut into squares that do not overlap.

    Args:
        size: side of a patch in pixels; a photograph of 512×512 gives ``(512 // size)²``.

    Returns:
        ``images``, float64 in [0, 1], shape ``(N, 1, size, size)``; ``labels``, int64, 0 for brick,
        1 for grass, 2 for gravel; ``held_out``, bool, True for patches of a photograph's right
        half: train on the left, test on the right, and no patch has its neighbour in the other set.
    """
    images, labels, held_out = [], [], []
    for label, name in enumerate(("brick", "grass", "gravel")):
        n = 512 // size
        pixels = photo(name)[: n * size, : n * size].reshape(n, size, n, size).swapaxes(1, 2)
        images.append(pixels.reshape(-1, 1, size, size))
        labels += [label] * n * n
        held_out.append(np.tile(np.arange(n) >= n // 2, n))
    return np.concatenate(images), np.array(labels), np.concatenate(held_out)
