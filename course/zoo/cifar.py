"""CIFAR-10 in its official binary form, from a folder or fetched once with its checksum."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pooch
import torch
from torch import Tensor

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
CHECKSUM = "md5:c32a1d4ab5d03f1284b67883e8d87530"  # as published on the data set's page
INNER = "cifar-10-batches-bin"
TRAIN = tuple(f"data_batch_{k}.bin" for k in range(1, 6))
TEST = ("test_batch.bin",)
RECORD = 1 + 3 * 32 * 32  # a label, then the image, channel first


def fetch() -> Path:
    """The folder with the official files; downloads 170 MB the first time.

    ``COURSE_DATA`` names another cache folder than the system's.

    Raises:
        ValueError: from pooch, when what came does not have the published checksum.
    """
    cache = Path(os.environ.get("COURSE_DATA") or pooch.os_cache("cnn-course"))
    unpack = pooch.Untar(extract_dir="cifar-10")
    files = pooch.retrieve(
        URL,
        CHECKSUM,
        fname="cifar-10-binary.tar.gz",
        path=cache,
        processor=unpack,
        progressbar=True,
    )
    return next(Path(name).parent for name in files if name.endswith(TEST[0]))


def read(folder: Path, names: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """Images and labels of some files of ``folder`` (or of ``cifar-10-batches-bin`` in it).

    Returns:
        uint8 ``(N, 3, 32, 32)`` and int64 ``(N,)``, in the files' order.

    Raises:
        FileNotFoundError: when a file is missing.
        ValueError: when a file is no sequence of records with labels 0 to 9.
    """
    parts = []
    for name in names:
        path = locate(folder) / name
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing: CIFAR-10's binary version has it")
        data = np.fromfile(path, np.uint8)
        if data.size == 0 or data.size % RECORD:
            raise ValueError(f"{path} has {data.size} bytes, no multiple of {RECORD}")
        parts.append(data.reshape(-1, RECORD))
    records = np.concatenate(parts)  # (N, 3073)
    if records[:, 0].max() > 9:
        raise ValueError(f"{folder} holds a label above 9: is this CIFAR-10's binary version?")
    images = np.ascontiguousarray(records[:, 1:]).reshape(-1, 3, 32, 32)
    return torch.from_numpy(images), torch.from_numpy(records[:, 0].astype(np.int64))


def locate(folder: Path) -> Path:
    """``folder`` itself, or the archive's own folder in it."""
    inner = Path(folder) / INNER
    return inner if inner.is_dir() else Path(folder)


def fingerprint(folder: Path) -> str:
    """SHA-256 over the six files in order: says whether two people trained on the same bytes."""
    digest = hashlib.sha256()
    for name in (*TRAIN, *TEST):
        digest.update((locate(folder) / name).read_bytes())
    return digest.hexdigest()
