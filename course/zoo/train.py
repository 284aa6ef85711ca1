"""Train the zoo's ResNet-20 on CIFAR-10: ``python -m course.zoo.train``.

SGD with Nesterov momentum, random crops and flips; the learning rate runs through one-cycle
schedules, each with half the peak of the one before (restarts as in SGDR, Loshchilov and Hutter
2017). The weights at the ends of the last cycles are averaged (stochastic weight averaging,
Izmailov et al. 2018). Killed, it goes on from the last whole epoch when called again, and ends
with the very weights of an undisturbed run.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, update_bn
from tqdm import tqdm

from course.zoo import cifar
from course.zoo.resnet import ResNet20, count_parameters, logits_of
from course.zoo.weights import CARD, FOLDER, WEIGHTS, preprocess

PAD = 4  # zero pixels around an image before a random crop, as in He et al.


@dataclass(frozen=True)
class Recipe:
    """What decides the weights, next to the data and the hardware's arithmetic."""

    epochs: int = 30  # of one cycle
    cycles: int = 3
    averaged: int = 2  # of the cycles, the last ones: the mean of the weights at their ends
    batch: int = 128
    peak_lr: float = 0.2
    warmup: float = 0.2  # share of the steps in which the learning rate rises
    momentum: float = 0.9
    weight_decay: float = 5e-4  # on convolutions and the head, not on biases and batch norm
    label_smoothing: float = 0.0
    precision: str = "bf16"  # of the forward pass: bf16 (autocast) or fp32
    seed: int = 0


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """A random 32×32 crop of each padded image, half of them mirrored, as one gather.

    Args:
        images: ``(N, 3, 32 + 2·PAD, 32 + 2·PAD)``, any dtype.
        generator: on the CPU; the draws do not depend on the device.

    Returns:
        ``(N, 3, 32, 32)``.
    """
    n, channels, height, width = images.shape
    size = height - 2 * PAD
    corner = torch.randint(0, 2 * PAD + 1, (2, n, 1), generator=generator)
    rows = corner[0] + torch.arange(size)  # (N, size)
    columns = corner[1] + torch.arange(size)
    mirrored = torch.rand(n, 1, generator=generator) < 0.5
    columns = torch.where(mirrored, columns.flip(1), columns)
    pixels = (rows[:, :, None] * width + columns[:, None, :]).view(n, 1, -1)  # (N, 1, size²)
    pixels = pixels.to(images.device).expand(-1, channels, -1)
    return images.flatten(2).gather(2, pixels).view(n, channels, size, size)


def optimizer_of(net: nn.Module, recipe: Recipe) -> torch.optim.SGD:
    """SGD that decays matrices and kernels only."""
    parameters = list(net.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=recipe.peak_lr, momentum=recipe.momentum, nesterov=True)


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """The learning rate of ``step``, counted from 0 over all cycles of ``steps`` each.

    In a cycle it rises from a 25th of the peak to the peak and falls to nearly nothing, both along
    half a cosine, as torch's ``OneCycleLR`` does.
    """
    cycle, step = divmod(step, steps)
    peak = recipe.peak_lr / 2**cycle
    top = recipe.warmup * steps - 1
    if step < top:
        low, share = peak / 25, 1 - step / top
    else:
        low, share = peak / 250_000, (step - top) / (steps - 1 - top)
    return low + (peak - low) * (1 + math.cos(math.pi * share)) / 2


def measure_batch_norm(mean: AveragedModel, padded: Tensor, seed: int, batch: int = 500) -> None:
    """Measure the running statistics of averaged weights, which no training step has seen.

    Args:
        mean: changed in place.
        padded: uint8 ``(N, 3, 32 + 2·PAD, 32 + 2·PAD)``, the training images; each is augmented.
        seed: of the augmentation.
        batch: images at a time.
    """
    generator = torch.Generator().manual_seed(seed)
    update_bn((preprocess(augment(part, generator)) for part in padded.split(batch)), mean)


def write(path: Path, save: Callable[[Path], object]) -> None:
    """Let ``save`` write beside ``path``, then rename: a kill leaves the old file or the new."""
    beside = path.with_name(path.name + ".part")
    save(beside)
    beside.chmod(0o644)  # safetensors writes for its owner alone
    beside.replace(path)


def train(
    recipe: Recipe,
    images: Tensor,
    labels: Tensor,
    run: Path,
    *,
    device: str = "cpu",
    stop_after: int | None = None,
) -> tuple[ResNet20, list[dict[str, float]]]:
    """Train, or go on training, and leave ``run/checkpoint.pt`` after each epoch.

    Args:
        recipe: all that is to be decided.
        images: uint8 ``(N, 3, 32, 32)``.
        labels: int64 ``(N,)``.
        run: folder of the checkpoint.
        device: ``"cpu"`` or ``"cuda"``.
        stop_after: leave after this many epochs in all, as if killed.

    Returns:
        The network, in the end with the averaged weights, and one row an epoch: loss, accuracy on
        the augmented batches, seconds.

    Raises:
        ValueError: when ``run`` holds a checkpoint of another recipe.
    """
    torch.manual_seed(recipe.seed)
    net = ResNet20().to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    steps = len(images) // recipe.batch  # the last, smaller batch is left out
    sgd = optimizer_of(net, recipe)
    mean = AveragedModel(net)
    total = recipe.epochs * recipe.cycles
    history: list[dict[str, float]] = []
    checkpoint = run / "checkpoint.pt"
    if checkpoint.is_file():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        if state["recipe"] != asdict(recipe):
            raise ValueError(f"{checkpoint} belongs to another recipe: name another --run folder")
        net.load_state_dict(state["net"])
        sgd.load_state_dict(state["sgd"])
        mean.load_state_dict(state["mean"])
        history = state["history"]
    padded = functional.pad(images.to(device), (PAD,) * 4)
    labels = labels.to(device)
    for epoch in range(len(history), min(total, stop_after or total)):
        # One generator an epoch: a resumed run draws what an undisturbed one would.
        generator = torch.Generator().manual_seed(recipe.seed * 100_003 + epoch)
        order = torch.randperm(len(images), generator=generator).to(device)
        begin, net = time.perf_counter(), net.train()
        losses, hits = torch.zeros((), device=device), torch.zeros((), device=device)
        bar = tqdm(range(steps), f"epoch {epoch + 1}/{total}", mininterval=1, leave=False)
        for step in bar:
            chosen = order[step * recipe.batch : (step + 1) * recipe.batch]
            x, y = preprocess(augment(padded[chosen], generator)), labels[chosen]
            x = x.contiguous(memory_format=torch.channels_last)
            with torch.autocast(device, torch.bfloat16, enabled=recipe.precision == "bf16"):
                logits = net(x)
                loss = functional.cross_entropy(logits, y, label_smoothing=recipe.label_smoothing)
            sgd.zero_grad()
            loss.backward()
            for group in sgd.param_groups:
                group["lr"] = learning_rate(recipe, epoch * steps + step, recipe.epochs * steps)
            sgd.step()
            losses += loss.detach()
            hits += (logits.argmax(1) == y).sum()
        row = {
            "loss": losses.item() / steps,
            "accuracy": hits.item() / (steps * recipe.batch),
            "seconds": time.perf_counter() - begin,
        }
        history = [*history, row]
        cycle, left = divmod(len(history), recipe.epochs)
        if not left and cycle > recipe.cycles - recipe.averaged:
            mean.update_parameters(net)
        state = {
            "recipe": asdict(recipe),
            "net": net.state_dict(),
            "sgd": sgd.state_dict(),
            "mean": mean.state_dict(),
            "history": history,
        }
        run.mkdir(parents=True, exist_ok=True)
        write(checkpoint, lambda path, state=state: torch.save(state, path))  # type: ignore[misc]
        print(
            f"epoch {epoch + 1}/{total}: loss {row['loss']:.4f}, "
            f"training accuracy {row['accuracy']:.4f}, {row['seconds']:.0f} s",
            flush=True,
        )
    if recipe.averaged > 1 and len(history) == total:
        measure_batch_norm(mean, padded, recipe.seed)
        net.load_state_dict(mean.module.state_dict())
    return net, history


def hardware(device: str) -> str:
    """The accelerator's name, or the processor's with the threads that torch used."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text(encoding="utf-8").splitlines()
        name = next((line.split(":")[1].strip() for line in lines if "model name" in line), name)
    return f"{name} CPU, {torch.get_num_threads()} threads"


def commit() -> str:
    """The repository's commit, marked when the package's code differs from it."""
    git = ["git", "-C", str(FOLDER)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        changed = [*git, "status", "--porcelain", "--", "*.py"]
        edits = subprocess.run(changed, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + (" with changes" if edits.stdout.strip() else "")


def publish(net: ResNet20, facts: dict[str, Any], logits: Tensor, run: Path, out: Path) -> None:
    """Write weights and card into ``out``, the test set's logits into ``run``; each at once."""
    out.mkdir(parents=True, exist_ok=True)
    tensors = {k: v.detach().cpu().contiguous() for k, v in net.state_dict().items()}
    write(run / "test_logits.safetensors", lambda path: save_file({"logits": logits}, path))
    write(out / WEIGHTS, lambda path: save_file(tensors, path))
    text = json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
    write(out / CARD, lambda path: path.write_text(text, encoding="utf-8"))


def main(arguments: list[str] | None = None) -> None:
    """The command; see ``--help``."""
    parser = argparse.ArgumentParser(prog="python -m course.zoo.train", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, help="folder of CIFAR-10's binary files; left out: download them")
    add("--data-note", default="official binary version", help="what the card says of the data")
    add("--run", type=Path, default=Path("zoo-run"), help="folder of the checkpoint")
    add("--out", type=Path, default=FOLDER, help="where weights and card go (default: the package)")
    add("--device", default="auto", choices=["auto", "cpu", "cuda"])
    add("--epochs", type=int, default=Recipe.epochs)
    add("--cycles", type=int, default=Recipe.cycles)
    add("--averaged", type=int, default=Recipe.averaged)
    add("--batch", type=int, default=Recipe.batch)
    add("--peak-lr", type=float, default=Recipe.peak_lr)
    add("--label-smoothing", type=float, default=Recipe.label_smoothing)
    add("--precision", default=Recipe.precision, choices=["bf16", "fp32"])
    add("--seed", type=int, default=Recipe.seed)
    add("--threads", type=int, help="threads of the CPU (default: torch's own choice)")
    args = parser.parse_args(arguments)
    if args.threads:
        torch.set_num_threads(args.threads)
    gpu = torch.cuda.is_available()
    device = ("cuda" if gpu else "cpu") if args.device == "auto" else args.device
    names = {"epochs", "cycles", "averaged", "batch", "peak_lr", "label_smoothing", "precision"}
    recipe = Recipe(**{name: getattr(args, name) for name in names | {"seed"}})
    source = commit()  # of the code that is running, not of what comes after
    try:
        data = args.data or cifar.fetch()
        images, labels = cifar.read(data, cifar.TRAIN)
        test_images, test_labels = cifar.read(data, cifar.TEST)
        net, history = train(recipe, images, labels, args.run, device=device)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"not trained: {error}")
    logits = logits_of(net, preprocess(test_images))  # (N, 10)
    accuracy = (logits.argmax(1) == test_labels).double().mean().item()
    facts = {
        "network": "ResNet-20 (He et al. 2016), option A shortcuts",
        "parameters": count_parameters(net),
        "data": {
            "name": "CIFAR-10",
            "training_images": len(images),
            "test_images": len(test_images),
            "note": args.data_note,
            "sha256": cifar.fingerprint(data),
        },
        "recipe": {
            **asdict(recipe),
            "optimizer": "SGD, Nesterov",
            "schedule": "one-cycle, cosine; peak halved in each cycle",
        },
        "augmentation": f"random crop after {PAD} pixels of zero padding, horizontal flip",
        "test_accuracy": accuracy,
        "training_accuracy_last_epoch": history[-1]["accuracy"],
        "training_seconds": round(sum(row["seconds"] for row in history), 1),
        "hardware": hardware(device),
        "torch": torch.__version__,
        "command": "python -m course.zoo.train",
        "commit": source,
    }
    publish(net, facts, logits, args.run, args.out)
    print(f"test accuracy {accuracy:.4f} (n = {len(test_images)}); written to {args.out}")


if __name__ == "__main__":
    main()
