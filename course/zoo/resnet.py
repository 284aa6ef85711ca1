"""ResNet-20 for 32×32 pictures, as in He et al. (2016), section 4.2: 269,722 parameters.

The network is a table: nineteen rows, one for each convolution with its batch norm. What adds the
shortcuts is one loop over the rows of a stage, not a module of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

WIDTHS = (16, 32, 64)  # channels of the three stages
SHORTCUTS = 3  # a stage; each spans two convolutions, so the depth is 6·3 + 2


class Row(NamedTuple):
    """One 3×3 convolution with its batch norm, and the names of both in the weights' file."""

    conv: str
    norm: str
    c_in: int
    c_out: int
    stride: int
    joins: bool  # a shortcut ends behind it, and the next one begins


def stage_rows(c_in: int, c_out: int, stride: int) -> Iterator[Row]:
    """The six rows of a stage; the first one has the stride and takes the ``c_in`` channels."""
    for k in range(2 * SHORTCUTS):
        place, half = divmod(k, 2)
        names = f"{place}.conv{half + 1}", f"{place}.bn{half + 1}"
        yield Row(*names, c_out if k else c_in, c_out, 1 if k else stride, half == 1)


class Stage(nn.Module):
    """The rows of a table, one after the other.

    A shortcut has no parameters (option A): where the stage takes every second pixel and more
    channels, what it brings is added onto the middle channels, and the outer ones get nothing.

    Args:
        c_in: channels that come in.
        c_out: channels that go out, at least ``c_in``.
        stride: of the first convolution, ``s`` above.
    """

    def __init__(self, c_in: int, c_out: int, stride: int):
        super().__init__()
        self.rows = tuple(stage_rows(c_in, c_out, stride))
        for row in self.rows:
            conv = nn.Conv2d(row.c_in, row.c_out, 3, row.stride, padding=1, bias=False)
            for name, layer in ((row.conv, conv), (row.norm, nn.BatchNorm2d(row.c_out))):
                place, own_name = name.split(".")
                if place not in self._modules:
                    self.add_module(place, nn.Module())
                self.get_submodule(place).add_module(own_name, layer)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, c_in, H, W)`` to ``(N, c_out, ⌈H/s⌉, ⌈W/s⌉)``."""
        carried, step = x, 1  # what the open shortcut brings, and the stride since it began
        for row in self.rows:
            x = self.get_submodule(row.norm)(self.get_submodule(row.conv)(x))
            step *= row.stride
            if row.joins:
                outer = (x.shape[1] - carried.shape[1]) // 2
                middle = x.narrow(1, outer, carried.shape[1])
                middle += carried[..., ::step, ::step]
            x = torch.relu(x)
            if row.joins:
                carried, step = x, 1
        return x


class ResNet20(nn.Module):
    """Stem, three stages, global average pooling, a linear head.

    ``stem`` gives 16 channels, ``stage1`` 16 at full size, ``stage2`` 32 at half, ``stage3`` 64 at
    a quarter; ``pool`` averages over what space is left, so any size from 4×4 up will do.

    Args:
        num_classes: width of ``head``.
    """

    def __init__(self, num_classes: int = 10):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, WIDTHS[0], 3, padding=1, bias=False), nn.BatchNorm2d(WIDTHS[0]), nn.ReLU()
        )
        self.stage1 = Stage(WIDTHS[0], WIDTHS[0], 1)
        self.stage2 = Stage(WIDTHS[0], WIDTHS[1], 2)
        self.stage3 = Stage(WIDTHS[1], WIDTHS[2], 2)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(WIDTHS[2], num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def features(self, x: Tensor) -> Tensor:
        """What the head sees: ``(N, 3, H, W)`` to ``(N, 64)``."""
        return self.pool(self.stage3(self.stage2(self.stage1(self.stem(x)))))

    def forward(self, x: Tensor) -> Tensor:
        """Logits: ``(N, 3, H, W)`` to ``(N, num_classes)``."""
        return self.head(self.features(x))


def count_parameters(module: nn.Module) -> int:
    """How many numbers training may change; buffers are not counted."""
    return sum(parameter.numel() for parameter in module.parameters())


def logits_of(net: nn.Module, images: Tensor, batch: int = 500) -> Tensor:
    """Logits of all ``images`` in evaluation mode, in float32 on the CPU; ``net`` keeps its mode.

    Args:
        net: on any device.
        images: ``(N, 3, H, W)`` on the CPU, preprocessed.
        batch: how many go through at once.
    """
    device = next(net.parameters()).device
    was_training = net.training
    net.eval()
    with torch.inference_mode():
        parts = [net(part.to(device)).float().cpu() for part in images.split(batch)]
    net.train(was_training)
    return torch.cat(parts)
