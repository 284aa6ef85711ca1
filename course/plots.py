"""Pictures that more than one lesson draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure


def show_images(
    images: Sequence[Any],
    titles: Sequence[str] = (),
    *,
    columns: int | None = None,
    size: float = 2.4,
    cmap: str = "gray",
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Draw pictures side by side.

    Args:
        images: arrays of shape ``(H, W)`` or ``(1, H, W)``, or ``(3, H, W)`` with values in [0, 1].
        titles: one a picture, or none.
        columns: pictures a row; all in one row by default.
        size: height of one picture in inches.
        cmap: colour map of the ``(H, W)`` pictures.
        limits: the values drawn darkest and brightest; each picture's own range by default.

    Returns:
        The figure, so that a caller can add to it or save it.

    Raises:
        ValueError: for no picture, more titles than pictures, or an array of another shape.
    """
    pictures, titles = [_picture(image) for image in images], list(titles)
    if not pictures or len(titles) > len(pictures):
        raise ValueError(f"{len(pictures)} pictures for {len(titles)} titles")
    columns = columns or len(pictures)
    rows = -(-len(pictures) // columns)
    height, width = pictures[0].shape[:2]
    figure, axes = plt.subplots(
        rows, columns, figsize=(size * columns * width / height, (size + 0.3) * rows), squeeze=False
    )
    vmin, vmax = limits or (None, None)
    for axis, picture in zip(axes.flat, pictures, strict=False):
        axis.imshow(picture, cmap=cmap, vmin=vmin, vmax=vmax)
    for axis, title in zip(axes.flat, titles, strict=False):
        axis.set_title(title, fontsize=9)
    for axis in axes.flat:
        axis.axis("off")
    figure.tight_layout()
    return figure


def _picture(image: Any) -> np.ndarray:
    """``image`` as matplotlib draws it: (H, W), or (H, W, 3) cut to [0, 1]."""
    image = np.asarray(image)
    if image.ndim == 2:
        return image
    if image.ndim == 3 and image.shape[0] == 1:
        return image[0]
    if image.ndim == 3 and image.shape[0] == 3:
        return image.transpose(1, 2, 0).clip(0, 1)
    raise ValueError(f"no picture: shape {image.shape}, expected (H, W), (1, H, W) or (3, H, W)")


def annotate_grid(
    axis: Any, values: Any, *, format_spec: str = "g", cmap: str = "Blues", size: float = 11
) -> None:
    """Draw a small matrix ``(H, W)`` as a grid of cells with its numbers written in."""
    values = np.asarray(values)
    axis.imshow(values, cmap=cmap, alpha=0.6)
    for (row, column), value in np.ndenumerate(values):
        axis.text(column, row, format(value, format_spec), ha="center", va="center", fontsize=size)
    axis.set_xticks(np.arange(values.shape[1] + 1) - 0.5, labels=[])
    axis.set_yticks(np.arange(values.shape[0] + 1) - 0.5, labels=[])
    # Gray shows on pale cells and on dark ones.
    axis.grid(color="0.7", linewidth=1)
    axis.tick_params(length=0)
