"""The weights that come with the course: where they lie, how they are read, what they expect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from course.zoo.resnet import ResNet20

FOLDER = Path(__file__).resolve().parent
WEIGHTS = "resnet20_cifar10.safetensors"
CARD = "resnet20_cifar10.json"

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
# Per-channel mean and standard deviation of CIFAR-10's 50,000 training images in [0, 1].
MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2470, 0.2435, 0.2616)


def preprocess(images: Any) -> Tensor:
    """Pictures as the zoo's networks want them: three channels, CIFAR-10's mean and deviation.

    Args:
        images: array or tensor, ``(N, 3, H, W)`` or ``(N, 1, H, W)`` (gray is repeated), uint8 in
            0..255 or floats in [0, 1].

    Returns:
        float32 ``(N, 3, H, W)``, on the device of ``images``.

    Raises:
        ValueError: for another shape.
    """
    x = torch.as_tensor(images)
    if x.ndim != 4 or x.shape[1] not in (1, 3):
        raise ValueError(f"images should be (N, 3, H, W) or (N, 1, H, W), not {tuple(x.shape)}")
    x = x.float() / 255 if x.dtype == torch.uint8 else x.float()
    mean, std = (torch.tensor(v, device=x.device).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (x.expand(-1, 3, -1, -1) - mean) / std


def resnet20(pretrained: bool = False, *, num_classes: int = 10, folder: Path = FOLDER) -> ResNet20:
    """The CIFAR ResNet-20, 269,722 parameters with 10 classes.

    Args:
        pretrained: with the weights trained on CIFAR-10; else freshly initialised.
        num_classes: width of the head; pretrained weights have 10.
        folder: where the weights lie.

    Returns:
        The network on the CPU, in training mode as any fresh module.

    Raises:
        FileNotFoundError: when the weights are not there.
        ValueError: when the file is damaged or belongs to another network, or when pretrained
            weights are asked for with another number of classes.
    """
    if pretrained and num_classes != len(CLASSES):
        raise ValueError(
            f"pretrained weights have {len(CLASSES)} classes, not {num_classes}: load them, then "
            "replace net.head"
        )
    net = ResNet20(num_classes)
    if not pretrained:
        return net
    path = Path(folder) / WEIGHTS
    if not path.is_file():
        raise FileNotFoundError(
            f"no weights at {path}: install the course again (git checkout or pip brings them), "
            "or train them with `python -m course.zoo.train`"
        )
    try:
        net.load_state_dict(load_file(path), strict=True)
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged ({error}): fetch it again") from error
    except RuntimeError as error:
        raise ValueError(f"{path} holds another network's weights: {error}") from error
    return net


def card(folder: Path = FOLDER) -> dict[str, Any]:
    """Where the weights come from: data, recipe, commit, accuracy, time, hardware.

    Raises:
        FileNotFoundError: when no card lies in ``folder``.
    """
    found: dict[str, Any] = json.loads((Path(folder) / CARD).read_text(encoding="utf-8"))
    return found
