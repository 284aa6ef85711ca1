"""ResNet-20 for 32×32 pictures, as in He et al. (2016), section 4.2: 269,722 parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTHS = (16, 32, 64)  # channels of the three stages
BLOCKS = 3  # residual blocks a stage; depth = 6·3 + 2


class Block(nn.Module):
    """Two 3×3 convolutions with batch norm around a shortcut without parameters (option A).

    Args:
        c_in: channels that come in.
        c_out: channels that go out, at least ``c_in``.
        stride: of the first convolution; the shortcut subsamples by it.
    """

    def __init__(self, c_in: int, c_out: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.stride = stride
        self.extra = c_out - c_in

    def shortcut(self, x: Tensor) -> Tensor:
        """``x`` itself, or every ``stride``-th pixel with zero channels on both sides."""
        if self.stride > 1:
            x = x[:, :, :: self.stride, :: self.stride]
        if self.extra:
            before = self.extra // 2
            x = functional.pad(x, (0, 0, 0, 0, before, self.extra - before))
        return x

    def forward(self, x: Tensor) -> Tensor:
        """``(N, c_in, H, W)`` to ``(N, c_out, ⌈H/stride⌉, ⌈W/stride⌉)``."""
        y = functional.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return functional.relu(y + self.shortcut(x))


class ResNet20(nn.Module):
    """Stem, three stages of three blocks, global average pooling, a linear head.

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
        self.stage1 = _stage(WIDTHS[0], WIDTHS[0], 1)
        self.stage2 = _stage(WIDTHS[0], WIDTHS[1], 2)
        self.stage3 = _stage(WIDTHS[1], WIDTHS[2], 2)
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


def _stage(c_in: int, c_out: int, stride: int) -> nn.Sequential:
    rest = [Block(c_out, c_out) for _ in range(BLOCKS - 1)]
    return nn.Sequential(Block(c_in, c_out, stride), *rest)


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
