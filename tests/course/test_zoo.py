"""The zoo's ResNet-20: the paper's network, weights that load, a training that can be killed."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from course.zoo import CLASSES, ResNet20, card, preprocess, resnet20
from course.zoo.cifar import RECORD, TEST, TRAIN, read
from course.zoo.resnet import count_parameters, logits_of
from course.zoo.train import PAD, Recipe, augment, learning_rate, main, optimizer_of, train
from course.zoo.weights import FOLDER, WEIGHTS

STORED = Path(__file__).parent / "zoo"
TINY = Recipe(epochs=2, cycles=3, averaged=2, batch=8, precision="fp32", seed=5)
needs_weights = pytest.mark.skipif(
    not (FOLDER / WEIGHTS).is_file(), reason="the weights are not trained yet"
)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files in CIFAR-10's binary layout whose classes differ in brightness: 60 and 20 images."""
    rng = np.random.default_rng(0)
    place = tmp_path_factory.mktemp("data") / "cifar-10-batches-bin"
    place.mkdir()
    for name, n in [*((name, 12) for name in TRAIN), (TEST[0], 20)]:
        records = np.empty((n, RECORD), np.uint8)
        records[:, 0] = rng.integers(0, 10, n)
        noise = rng.integers(0, 20, (n, RECORD - 1))
        records[:, 1:] = 20 * records[:, :1] + noise
        records.tofile(place / name)
    return place.parent


@pytest.fixture(scope="module")
def images(folder):
    return read(folder, TRAIN)


# --- the network


def test_it_has_the_papers_number_of_parameters():
    assert count_parameters(ResNet20()) == 269_722


def test_it_has_the_papers_twenty_weight_layers_and_no_weights_in_its_shortcuts():
    layers = [m for m in ResNet20().modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(layers) == 20
    assert not any(m.kernel_size == (1, 1) for m in layers if isinstance(m, torch.nn.Conv2d))


def test_it_does_the_papers_40_million_multiplications_on_an_image():
    macs = 0

    def count(module, _inputs, out):
        nonlocal macs
        macs += out.numel() // out.shape[0] * module.weight[0].numel()

    net = ResNet20().eval()
    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            module.register_forward_hook(count)
    net(torch.zeros(1, 3, 32, 32))
    assert round(macs / 1e6, 1) == 40.6  # of which 640 are the head's


def test_stages_have_16_32_64_channels_at_full_half_and_quarter_size():
    net, x = ResNet20().eval(), torch.zeros(2, 3, 32, 32)
    shapes = []
    for part in (net.stem, net.stage1, net.stage2, net.stage3):
        x = part(x)
        shapes.append(tuple(x.shape))
    assert shapes == [(2, 16, 32, 32), (2, 16, 32, 32), (2, 32, 16, 16), (2, 64, 8, 8)]


@pytest.mark.parametrize("size", [(32, 32), (8, 8), (40, 25), (5, 7)])
def test_any_picture_size_gives_logits_of_its_features(size):
    net, x = ResNet20(7).eval(), torch.randn(2, 3, *size)
    assert net(x).shape == (2, 7)
    torch.testing.assert_close(net(x), net.head(net.features(x)))


def test_a_stage_whose_branches_give_zero_is_its_shortcuts():
    stage = ResNet20().stage2.eval()
    for name, parameter in stage.named_parameters():
        if name.endswith("bn2.weight"):
            torch.nn.init.zeros_(parameter)
    x = torch.rand(2, 16, 6, 7)
    want = torch.zeros(2, 32, 3, 4)
    want[:, 8:24] = x[:, :, ::2, ::2]
    torch.testing.assert_close(stage(x), want)


@pytest.mark.parametrize("training", [True, False])
def test_a_stage_computes_the_papers_blocks(training):
    torch.manual_seed(3)
    stage, x = ResNet20().stage3.train(training), torch.randn(3, 32, 7, 6)
    state = {name: value.clone() for name, value in stage.state_dict().items()}

    def unit(y, place, half, stride):
        norm = [state[f"{place}.bn{half}.{part}"] for part in ("running_mean", "running_var")]
        norm += [state[f"{place}.bn{half}.{part}"] for part in ("weight", "bias")]
        y = torch.nn.functional.conv2d(y, state[f"{place}.conv{half}.weight"], None, stride, 1)
        return torch.nn.functional.batch_norm(y, *norm, training=training)

    want = x
    for place in range(3):
        stride = 1 if place else 2
        branch = unit(unit(want, place, 1, stride).relu(), place, 2, 1)
        skipped = want[:, :, ::stride, ::stride]
        more = (branch.shape[1] - skipped.shape[1]) // 2
        want = (branch + torch.nn.functional.pad(skipped, (0, 0, 0, 0, more, more))).relu()
    torch.testing.assert_close(stage(x), want, rtol=1e-4, atol=1e-4)


# --- weights


def test_preprocess_takes_bytes_floats_and_gray_alike():
    pixels = np.random.default_rng(1).integers(0, 256, (2, 1, 4, 5), dtype=np.uint8)
    x = preprocess(pixels)
    assert x.shape == (2, 3, 4, 5)
    assert x.dtype == torch.float32
    torch.testing.assert_close(preprocess(pixels / 255), x)
    torch.testing.assert_close(preprocess(np.repeat(pixels, 3, axis=1)), x)
    assert x[0, 1, 2, 3].item() == pytest.approx((pixels[0, 0, 2, 3] / 255 - 0.4822) / 0.2435)


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 4, 8, 8)])
def test_preprocess_refuses_what_is_no_batch_of_pictures(shape):
    with pytest.raises(ValueError, match=r"images should be \(N, 3, H, W\)"):
        preprocess(np.zeros(shape))


def test_missing_weights_say_where_they_should_be_and_how_to_get_them(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no weights at .*course\.zoo\.train"):
        resnet20(pretrained=True, folder=tmp_path)


def test_damaged_weights_are_named_as_damaged(tmp_path):
    (tmp_path / WEIGHTS).write_bytes(b"no tensors here")
    with pytest.raises(ValueError, match="is damaged"):
        resnet20(pretrained=True, folder=tmp_path)


@pytest.mark.parametrize("change", ["missing", "extra", "shape"])
def test_weights_of_another_network_are_refused(tmp_path, change):
    state = {k: v.contiguous() for k, v in ResNet20().state_dict().items()}
    if change == "missing":
        del state["stage2.1.bn1.running_var"]
    elif change == "extra":
        state["stage4.0.conv1.weight"] = torch.zeros(1)
    else:
        state["head.weight"] = torch.zeros(5, 64)
    save_file(state, tmp_path / WEIGHTS)
    with pytest.raises(ValueError, match="another network's weights"):
        resnet20(pretrained=True, folder=tmp_path)


def test_pretrained_weights_with_another_head_are_refused_before_anything_is_read(tmp_path):
    with pytest.raises(ValueError, match=r"replace net\.head"):
        resnet20(pretrained=True, num_classes=2, folder=tmp_path)


@needs_weights
def test_the_weights_take_less_than_one_and_a_fifth_megabytes():
    assert (FOLDER / WEIGHTS).stat().st_size < 1_200_000


@needs_weights
def test_every_tensor_of_the_weights_arrives_in_the_network():
    stored, net = load_file(FOLDER / WEIGHTS), resnet20(pretrained=True)
    assert stored.keys() == net.state_dict().keys()
    for name, value in net.state_dict().items():
        torch.testing.assert_close(value, stored[name], rtol=0, atol=0)
    assert net.training
    assert all(parameter.requires_grad for parameter in net.parameters())


@needs_weights
def test_the_cards_accuracy_is_that_of_the_stored_logits():
    stored = load_file(STORED / "test_logits.safetensors")
    logits, labels = stored["logits"], stored["labels"]
    assert logits.shape == (10_000, 10)
    right = (logits.argmax(1) == labels).sum().item()
    assert right / 10_000 == card()["test_accuracy"]
    assert right >= 8_800


@needs_weights
def test_the_stored_weights_give_the_stored_logits():
    # Photographs of scikit-image: nothing of CIFAR-10 is stored here.
    stored = load_file(STORED / "photo_logits.safetensors")
    logits = logits_of(resnet20(pretrained=True), preprocess(stored["photos"]))
    torch.testing.assert_close(logits, stored["logits"], rtol=1e-3, atol=1e-3)


@needs_weights
def test_the_card_names_data_recipe_commit_time_and_hardware():
    facts = card()
    assert facts["parameters"] == 269_722
    assert facts["data"]["training_images"] == 50_000
    assert {"recipe", "commit", "training_seconds", "hardware"} <= facts.keys()
    assert len(CLASSES) == 10


@needs_weights
@pytest.mark.skipif("CIFAR10" not in os.environ, reason="CIFAR10 names no folder with the data")
def test_the_weights_reach_the_cards_accuracy_on_the_test_set():
    test_images, labels = read(Path(os.environ["CIFAR10"]), TEST)
    logits = logits_of(resnet20(pretrained=True), preprocess(test_images))
    accuracy = (logits.argmax(1) == labels).double().mean().item()
    assert accuracy == pytest.approx(card()["test_accuracy"], abs=0.002)


# --- data


def test_records_are_read_in_order_with_their_labels(folder):
    raw = np.fromfile(folder / "cifar-10-batches-bin" / TRAIN[1], np.uint8).reshape(-1, RECORD)
    images, labels = read(folder, TRAIN)
    assert images.shape == (60, 3, 32, 32)
    np.testing.assert_array_equal(labels[12:24], raw[:, 0])
    np.testing.assert_array_equal(images[13, 2].ravel(), raw[1, 1 + 2048 :])
    again, _ = read(folder / "cifar-10-batches-bin", TRAIN)
    torch.testing.assert_close(again, images)


def test_a_missing_file_a_cut_one_and_a_strange_label_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"test_batch\.bin is missing"):
        read(tmp_path, TEST)
    (tmp_path / TEST[0]).write_bytes(bytes(RECORD - 1))
    with pytest.raises(ValueError, match="no multiple of 3073"):
        read(tmp_path, TEST)
    (tmp_path / TEST[0]).write_bytes(bytes([10]) + bytes(RECORD - 1))
    with pytest.raises(ValueError, match="label above 9"):
        read(tmp_path, TEST)


# --- augmentation and optimizer


def test_every_augmented_image_is_a_crop_of_its_padded_one_or_the_crops_mirror():
    padded = torch.rand(40, 3, 8 + 2 * PAD, 8 + 2 * PAD)
    out = augment(padded, torch.Generator().manual_seed(2))
    assert out.shape == (40, 3, 8, 8)
    seen = set()
    for image, source in zip(out, padded, strict=True):
        crops = {}
        for row, column in np.ndindex(2 * PAD + 1, 2 * PAD + 1):
            crop = source[:, row : row + 8, column : column + 8]
            crops |= {(row, column, False): crop, (row, column, True): crop.flip(2)}
        found = [place for place, crop in crops.items() if torch.equal(crop, image)]
        assert len(found) == 1
        seen.add(found[0])
    rows, columns, mirrors = map(set, zip(*seen, strict=True))
    assert len(rows) > 6
    assert len(columns) > 6
    assert mirrors == {False, True}


def test_biases_and_batch_norm_do_not_decay():
    net = ResNet20()
    sgd = optimizer_of(net, TINY)
    decays = {id(p): g["weight_decay"] for g in sgd.param_groups for p in g["params"]}
    for name, parameter in net.named_parameters():
        wanted = 0 if "bn" in name or name.endswith("bias") or name == "stem.1.weight" else 5e-4
        assert decays[id(parameter)] == wanted, name


def test_the_rate_runs_through_pytorchs_one_cycle_and_then_through_half_of_it():
    steps = 50
    sgd = optimizer_of(ResNet20(), TINY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        sgd, TINY.peak_lr, total_steps=steps, pct_start=TINY.warmup, cycle_momentum=False
    )
    for step in range(steps):
        wanted = schedule.get_last_lr()[0]
        assert learning_rate(TINY, step, steps) == pytest.approx(wanted)
        assert learning_rate(TINY, step + steps, steps) == pytest.approx(wanted / 2)
        sgd.step()
        if step < steps - 1:
            schedule.step()


# --- training


def test_a_few_epochs_lower_the_loss(images, tmp_path):
    _, history = train(replace(TINY, epochs=6, cycles=1), *images, tmp_path)
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]


def test_bf16_trains_float32_weights(images, tmp_path):
    net, history = train(replace(TINY, precision="bf16", epochs=1, cycles=1), *images, tmp_path)
    assert {p.dtype for p in net.parameters()} == {torch.float32}
    assert np.isfinite(history[0]["loss"])


def test_a_resumed_training_ends_with_the_weights_of_an_undisturbed_one(images, tmp_path):
    whole, rows = train(TINY, *images, tmp_path / "whole")
    for epochs in (1, 3, 5):
        train(TINY, *images, tmp_path / "parts", stop_after=epochs)
    torch.manual_seed(123)  # another process has another global state
    parts, resumed = train(TINY, *images, tmp_path / "parts")
    assert [row["loss"] for row in resumed] == [row["loss"] for row in rows]
    for name, value in whole.state_dict().items():
        assert torch.equal(parts.state_dict()[name], value), name


def test_a_kill_between_checkpoints_costs_one_epoch_at_most(images, tmp_path):
    train(TINY, *images, tmp_path, stop_after=2)
    (tmp_path / "checkpoint.pt.part").write_bytes(b"half a checkpoint")
    _, history = train(TINY, *images, tmp_path)
    assert len(history) == 6


def test_the_weights_are_the_mean_of_the_ends_of_the_last_cycles(images, tmp_path):
    ends = []
    for epochs in (4, 6):
        net, _ = train(TINY, *images, tmp_path, stop_after=epochs)
        state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
        ends.append({name: value.clone() for name, value in state["net"].items()})
    for name, value in net.named_parameters():
        torch.testing.assert_close(value.detach(), (ends[0][name] + ends[1][name]) / 2)
        assert not torch.equal(value, ends[1][name])


def test_without_averaging_the_weights_are_those_of_the_last_step(images, tmp_path):
    net, _ = train(replace(TINY, cycles=1, averaged=1), *images, tmp_path)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert all(torch.equal(net.state_dict()[name], value) for name, value in state["net"].items())


def test_batch_norm_of_averaged_weights_is_measured_on_augmented_training_images(images, tmp_path):
    net, _ = train(TINY, *images, tmp_path)
    stem, norm = net.stem[0], net.stem[1]
    padded = torch.nn.functional.pad(images[0], (PAD,) * 4)
    seen = augment(padded, torch.Generator().manual_seed(TINY.seed))
    with torch.no_grad():
        maps = stem(preprocess(seen))  # (N, 16, 32, 32)
    torch.testing.assert_close(norm.running_mean, maps.mean((0, 2, 3)), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(norm.running_var, maps.var((0, 2, 3)), rtol=1e-3, atol=1e-4)


def test_a_checkpoint_of_another_recipe_is_not_continued(images, tmp_path):
    train(TINY, *images, tmp_path, stop_after=1)
    with pytest.raises(ValueError, match="another recipe"):
        train(replace(TINY, peak_lr=0.1), *images, tmp_path)


def test_the_command_writes_weights_and_a_card_that_load(folder, tmp_path, capsys):
    arguments = f"--data {folder} --run {tmp_path}/run --out {tmp_path}/out --device cpu --epochs 1"
    arguments += " --cycles 1 --averaged 1"
    main([*arguments.split(), "--batch", "8", "--precision", "fp32", "--data-note", "made up"])
    net = resnet20(pretrained=True, folder=tmp_path / "out")
    facts = card(tmp_path / "out")
    test_images, labels = read(folder, TEST)
    accuracy = (logits_of(net, preprocess(test_images)).argmax(1) == labels).double().mean().item()
    assert facts["test_accuracy"] == accuracy
    assert facts["data"]["note"] == "made up"
    assert facts["recipe"]["batch"] == 8
    assert len(json.dumps(facts)) < 4000
    assert "test accuracy" in capsys.readouterr().out
    assert sorted(p.suffix for p in (tmp_path / "out").iterdir()) == [".json", ".safetensors"]


def test_the_command_says_in_a_line_that_data_is_missing(tmp_path):
    command = [sys.executable, "-m", "course.zoo.train", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("not trained:")
    assert "data_batch_1.bin is missing" in done.stderr
