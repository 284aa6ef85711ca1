"""Pictures that more than one lesson draws."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

GAP, TITLE_HEIGHT = 6, 18  # pixels of a contact sheet


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


@dataclass(frozen=True, eq=False, repr=False)
class ContactSheet:
    """A drawn sheet, which a notebook shows as the last value of a cell.

    Attributes:
        pixels: uint8, shape ``(H, W)``, or ``(H, W, 3)`` with a colour picture on it.
    """

    pixels: np.ndarray

    def __repr__(self) -> str:
        return f"<contact sheet of {self.pixels.shape[1]} × {self.pixels.shape[0]} pixels>"

    def _repr_png_(self) -> bytes:
        png = io.BytesIO()
        Image.fromarray(self.pixels).save(png, "png", compress_level=1)
        return png.getvalue()


@cache
def _title_font() -> Any:
    return ImageFont.load_default(size=12)


def contact_sheet(
    images: Sequence[Any],
    titles: Sequence[str] = (),
    *,
    columns: int | None = None,
    width: int = 160,
    limits: tuple[float, float] = (0.0, 1.0),
) -> ContactSheet:
    """Put pictures on one sheet, pixel by pixel: a twentieth of the time that a figure takes.

    Args:
        images: arrays of shape ``(H, W)`` or ``(1, H, W)``, or ``(3, H, W)`` with values in [0, 1].
        titles: one a picture, or none.
        columns: pictures a row; all in one row by default.
        width: pixels that a picture should take; each is enlarged by the nearest whole number.
        limits: the values drawn black and white in the ``(H, W)`` pictures.

    Returns:
        The sheet: leave it as the last value of a cell.

    Raises:
        ValueError: for no picture, more titles than pictures, or an array of another shape.
    """
    pictures = [_enlarged(_picture(image), width, limits) for image in images]
    if not pictures or len(titles) > len(pictures):
        raise ValueError(f"{len(pictures)} pictures for {len(titles)} titles")
    columns = columns or len(pictures)
    strip = TITLE_HEIGHT if titles else 0
    high, wide = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    rows = -(-len(pictures) // columns)
    colour = any(picture.ndim == 3 for picture in pictures)
    side = (rows * (high + strip + GAP) - GAP, columns * (wide + GAP) - GAP)
    pixels = np.full((*side, 3) if colour else side, 255, dtype=np.uint8)
    corners = [
        (place // columns * (high + strip + GAP), place % columns * (wide + GAP))
        for place in range(len(pictures))
    ]
    for picture, (top, left) in zip(pictures, corners, strict=True):
        height, across = picture.shape[:2]
        window = pixels[top + strip : top + strip + height, left : left + across]
        window[...] = picture[..., None] if colour and picture.ndim == 2 else picture
    sheet = Image.fromarray(pixels)
    pen = ImageDraw.Draw(sheet)
    for title, (top, left) in zip(titles, corners, strict=False):
        pen.text((left + 1, top + 1), title, fill=0, font=_title_font())
    return ContactSheet(np.asarray(sheet))


def _enlarged(picture: np.ndarray, width: int, limits: tuple[float, float]) -> np.ndarray:
    """``picture`` as uint8, each pixel a square, about ``width`` pixels wide."""
    low, high = limits if picture.ndim == 2 else (0.0, 1.0)
    times = max(1, round(width / picture.shape[1]))
    shades = (np.clip((picture - low) / (high - low), 0, 1) * 255).round().astype(np.uint8)
    return shades.repeat(times, axis=0).repeat(times, axis=1)


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


def layer_bars(
    names: Sequence[str],
    columns: Mapping[str, Sequence[float]],
    *,
    colors: Sequence[str] | None = None,
    title: str = "",
) -> Figure:
    """Draw where a network's memory, parameters and work go: a row a layer, a panel a quantity.

    Args:
        names: one a layer, drawn from top to bottom.
        columns: the quantities, e.g. ``{"memory, KB": [...], "MACs, millions": [...]}``, with one
            number of 0 or more a layer. Each panel's title adds the column's sum.
        colors: one a layer, e.g. by its kind; one blue by default.
        title: a line above the panels.

    Returns:
        The figure, one axis a column.

    Raises:
        ValueError: for no column, or another number of values or colours than of names.
    """
    names, colors = list(names), list(colors or ["tab:blue"] * len(names))
    sizes = {len(values) for values in columns.values()} | {len(colors)}
    if not columns or sizes != {len(names)}:
        raise ValueError(f"{len(names)} names for columns and colours of {sorted(sizes)}")
    height = 0.21 * len(names) + 0.7 + 0.3 * bool(title)
    figure, axes = plt.subplots(
        1, len(columns), figsize=(3.4 * len(columns), height), sharey=True, squeeze=False
    )
    places = np.arange(len(names))
    for axis, (what, values) in zip(axes[0], columns.items(), strict=True):
        bars = axis.barh(places, values, color=colors, height=0.75)
        axis.bar_label(bars, [_count(value) for value in values], padding=3, fontsize=8)
        axis.set_title(f"{what}: {_count(sum(values))} in all", fontsize=10)
        axis.set_xlim(0, 1.25 * max(max(values), 1e-9))  # room for the numbers
        axis.set_xticks([])
        axis.tick_params(left=False)
        axis.spines[["top", "right", "bottom"]].set_visible(False)
    axes[0, 0].set_yticks(places, names, fontsize=9)
    axes[0, 0].set_ylim(len(names) - 0.4, -0.6)
    if title:
        figure.suptitle(title, fontsize=11)
    figure.tight_layout()
    return figure


def _count(value: float) -> str:
    """A number short enough to stand beside a bar: 1,135, 784, 3.9, 0."""
    return f"{value:.2g}" if abs(value) < 9.5 else f"{value:,.0f}"
