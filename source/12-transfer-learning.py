# ---
# jupyter:
#   autograder:
#     packages:
#     - numpy
#     - matplotlib
#     - torch
#     - safetensors
#     - course
#   jupytext:
#     notebook_metadata_filter: kernelspec,autograder,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 12 · Transfer learning
#
# A network that has seen 50,000 photographs of aeroplanes, frogs and ships has never seen a brick wall or a
# face. Give it **five** labelled pictures of each: does what it has seen before help it to tell them apart, or would
# a network that starts from nothing do as well? And does it help with handwritten digits, which are no photographs
# at all? In this lesson you write the few functions that transfer learning consists of, and then measure when it
# pays, instead of believing a table.
#
# **Time** 5 to 6 hours · **Difficulty** ●●●○○ · **You need** lessons 05 (training in PyTorch, BatchNorm) and 09
# (the ResNet that is reused here) · **Runs on** any laptop; a GPU makes it faster and adds one section
#
# **After this lesson you can**
#
# - write training code that runs unchanged on a CPU and on a GPU;
# - take a trained network apart: new head, frozen layers, and BatchNorm that is *really* frozen;
# - fine-tune in four ways with one function, and say which weights move, and how fast;
# - save 99% of the work of feature extraction by computing features once;
# - measure what each stage of a network knows, with linear probes;
# - choose a strategy from evidence: labels, similarity, three seeds, error bars;
# - find out whether two networks lie in one valley of the loss or in two, and not be misled by BatchNorm;
# - use a GPU well: pinned memory, autocast, channels-last, honest timing, memory.
#
# | part | you build | points |
# |---|---|---|
# | 1 · One code, any device | `pick_device`, `move`, `to_network` | 10 |
# | 2 · Taking a network apart | `new_head`, `load_backbone`, `freeze`, `train_mode` | 22 |
# | 3 · Four strategies, one function | `parameter_groups`, `fit`, `plan`, `finetune`, `accuracy`, `few_labels` | 24 |
# | 4 · What does a frozen network know? | `cached_features`, `stage_features`, `fit_probe`, `choose` | 14 |
# | 5 · The two tables, measured | `spread`, questions | 7 |
# | 6 · One valley or two | `interpolate`, `reestimate`, `barrier` | 10 |
# | 7 · On a GPU | `make_loader`, `amp_step`, `timed`, `saved_bytes` | 11 |
# | 8 · Where transfer is used | two questions | 2 |
#
# **How it works.** Complete each cell that says `raise NotImplementedError`, then run the checks below it. Grading
# runs the same checks and further ones, with other networks and other numbers. Questions ask you to predict
# *before* you run the cell that shows the truth. The long experiments run your functions and take a few minutes
# together; they are not graded, what you conclude from them is. While you work you may set `quick = True` in the cell
# below, to see them in a rougher form. Your numbers differ a little from those in the text: your `few_labels` draws
# other pictures than ours. You may import NumPy, PyTorch and the course's own package.

# %% tags=["parameters"]
# Scripts that run this notebook set these; leave them as they are.
seed = 0
device = "auto"
quick = False

# %%
import copy
import time

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from course.checks import (
    check_choice,
    check_close,
    check_number,
    check_raises,
    check_shape,
    in_submission,
)
from course.data import digits, faces, photo, texture_patches
from course.plots import show_images
from course.zoo import CLASSES, MEAN, STD, card, resnet20

# %% [markdown]
# ## What is given
#
# `resnet20(pretrained=True)` is the CIFAR ResNet-20 that you built in lesson 09, with weights that the project
# trained on CIFAR-10. Its parts have names that you will need all the time:
#
# | part | what it is | output for a 32 × 32 picture |
# |---|---|---|
# | `net.stem` | 3 × 3 convolution, BatchNorm, ReLU | `(N, 16, 32, 32)` |
# | `net.stage1` | three residual blocks | `(N, 16, 32, 32)` |
# | `net.stage2` | three residual blocks, the first with stride 2 | `(N, 32, 16, 16)` |
# | `net.stage3` | three residual blocks, the first with stride 2 | `(N, 64, 8, 8)` |
# | `net.pool` | global average pooling and flatten | `(N, 64)` |
# | `net.head` | one linear layer | `(N, 10)` |
#
# `net.features(x)` is everything but the head, `(N, 64)`; it is also called the **backbone**. `SmallNet` below
# has the same parts with far fewer channels. The checks use it, because it is fast. Your functions work with
# both, and with any network that has these names: never write 64 where `net.head.in_features` is meant.

# %% nbgrader={"grade": false, "grade_id": "given", "locked": true, "schema_version": 3, "solution": false, "task": false}
class SmallNet(nn.Module):
    """A ResNet20's parts in small: channels 4, 4, 6, 8; any picture size, any number of classes."""

    def __init__(self, num_classes=3):
        super().__init__()

        def layer(c_in, c_out, stride):
            convolution = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)
            return nn.Sequential(convolution, nn.BatchNorm2d(c_out), nn.ReLU())

        self.stem, self.stage1 = layer(3, 4, 1), layer(4, 4, 1)
        self.stage2, self.stage3 = layer(4, 6, 2), layer(6, 8, 2)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(8, num_classes)

    def features(self, x):
        """What the head sees: (N, 3, H, W) to (N, 8)."""
        return self.pool(self.stage3(self.stage2(self.stage1(self.stem(x)))))

    def forward(self, x):
        """Logits: (N, 3, H, W) to (N, num_classes)."""
        return self.head(self.features(x))


def small_net(num_classes=3, seed=0):
    """A SmallNet whose weights and BatchNorm statistics are the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    net = SmallNet(num_classes)
    with torch.no_grad():
        for value in net.state_dict().values():
            if value.is_floating_point():
                value.copy_(0.4 * torch.randn(value.shape, generator=generator))
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_var.copy_(0.5 + module.running_var.abs())
                module.weight.add_(1)
    return net


def pictures(n, size=8, seed=0):
    """Random pictures (n, 3, size, size) and labels (n,) of three classes, to test with."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 3, size, size, generator=generator)
    return x, torch.randint(3, (n,), generator=generator)


def draw_batches(n, batch, steps, seed):
    """Which of n samples each step takes: (steps, batch), random; all n where a batch holds them."""
    if n <= batch:
        return torch.arange(n).repeat(steps, 1)  # (steps, n)
    return torch.randint(n, (steps, batch), generator=torch.Generator().manual_seed(seed))


# %% [markdown]
# ## Part 1 · One code, any device
#
# A tensor lives on a *device*: in the computer's memory (`cpu`) or in a GPU's (`cuda`). An operation needs all its
# tensors on one device. Code that says `.cuda()` in twenty places runs on no laptop. Code that decides **once**, at
# the top, and then asks its tensors where they are, runs everywhere. That is the rule for this whole lesson:
#
# 1. one variable `device`, chosen in the first cell;
# 2. models are moved once, data batch by batch;
# 3. a function that gets a network asks *it*: `next(net.parameters()).device`.
#
# ### Exercise 1 · Choose the device
#
# - `pick_device("auto")` is the device `cuda` when `torch.cuda.is_available()`, else `cpu`.
# - Any other name is taken as it is: `"cpu"`, `"cuda:1"`, `"meta"`.
# - A name that asks for CUDA where there is none raises a **`RuntimeError`** at once, not an hour later.
#
# **Example.** On a laptop without a GPU `pick_device("auto")` is `torch.device("cpu")`.

# %% nbgrader={"grade": false, "grade_id": "pick-device", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pick_device(name="auto"):
    """The torch.device that ``name`` asks for; RuntimeError for CUDA where there is none."""
    ### BEGIN SOLUTION
    available = torch.cuda.is_available()
    if name == "auto":
        return torch.device("cuda" if available else "cpu")
    chosen = torch.device(name)
    if chosen.type == "cuda" and not available:
        raise RuntimeError(f"there is no CUDA device here: {name!r} cannot be used")
    return chosen
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-pick-device", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Auto, a name, and a device that is not there
chosen = pick_device("cpu")
assert isinstance(chosen, torch.device), "pick_device should return a torch.device"
assert chosen == torch.device("cpu"), "pick_device('cpu') should be the CPU"
### BEGIN HIDDEN TESTS
expected = torch.device("cuda" if torch.cuda.is_available() else "cpu")
assert pick_device("auto") == expected, "'auto' should take the GPU if there is one, else the CPU"
assert pick_device() == expected, "without a name pick_device should choose like 'auto'"
assert pick_device("meta") == torch.device("meta"), "any other name is taken as it is"
if not torch.cuda.is_available():
    for name in ("cuda", "cuda:0", "cuda:1"):
        check_raises(RuntimeError, pick_device, name)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 2 · Move a batch
#
# A batch is rarely one tensor: it is a pair of images and labels, or a dict with more in it. `module.to(device)`
# moves a module *in place*; `tensor.to(device)` returns a **copy** and leaves the tensor where it is, a
# classic trap. Write `move`, which handles nested batches:
#
# - a tensor is moved, with `non_blocking=True` (part 7 says what that does; on a CPU it does nothing);
# - a tuple, list or dict is rebuilt with everything in it moved, and keeps its type;
# - anything else (a string, a number, `None`) is returned as it is.
#
# The device `meta` holds shapes without numbers. It is handy to test such code on a machine without a GPU.
#
# **Example.** `move((images, {"label": labels, "name": "a.png"}), torch.device("meta"))` is a tuple of a `meta`
# tensor and a dict with a `meta` tensor and the string.

# %% nbgrader={"grade": false, "grade_id": "move", "locked": false, "schema_version": 3, "solution": true, "task": false}
def move(batch, device):
    """``batch``, nested tuples, lists and dicts of tensors and other things, on ``device``."""
    ### BEGIN SOLUTION
    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, dict):
        return {key: move(value, device) for key, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        return type(batch)(move(value, device) for value in batch)
    return batch
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-move", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Nested batches arrive on the device with their types
moved = move(torch.zeros(2, 3), "meta")
assert moved.device == torch.device("meta"), "move should return the tensor on the device asked for"
pair = move((torch.zeros(2), "a.png"), "cpu")
assert isinstance(pair, tuple) and pair[1] == "a.png", "a tuple stays a tuple, a string as it is"
### BEGIN HIDDEN TESTS
images = torch.arange(6.0).reshape(2, 3)


def batch():
    inner = {"label": torch.tensor([1, 0]), "name": "a.png", "more": (torch.zeros(1), None, 3)}
    return [images.clone(), inner]


kept = move(batch(), torch.device("cpu"))
assert isinstance(kept, list) and isinstance(kept[1], dict), "lists and dicts keep their type"
check_close(kept[0], images, "the images of a nested batch")
check_close(kept[1]["label"], [1, 0], "the labels of a nested batch")
assert isinstance(kept[1]["more"], tuple), "a tuple inside a dict stays a tuple"
assert kept[1]["more"][1] is None and kept[1]["more"][2] == 3, "None and numbers stay as they are"
assert kept[1]["name"] == "a.png", "strings stay as they are"
away = move(batch(), torch.device("meta"))
for tensor in (away[0], away[1]["label"], away[1]["more"][0]):
    assert tensor.device == torch.device("meta"), "every tensor of a nested batch should be moved"
assert tuple(away[0].shape) == (2, 3), "the images should keep their shape on the new device"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: my list of tensors came back where it was</summary>
#
# `tensor.to(device)` returns a new tensor. A loop that calls it and throws the result away moves nothing.
# Build a new list from what it returns.
# </details>
#
# From here on the lesson runs on whatever `device` you have.

# %%
device = pick_device(device)
print(f"running on {device}, PyTorch {torch.__version__}")

# %% [markdown]
# ### Exercise 3 · Pictures as the network knows them
#
# A trained network expects its inputs exactly as in training: same number of channels, same range, same
# normalisation. The *network's* numbers count, not those of your new pictures, and not those of ImageNet that
# half of the web copies: subtract `MEAN` and divide by `STD`, CIFAR-10's per-channel values in the range
# [0, 1], which `course.zoo` exports. Nothing crashes when you get this wrong. It is just worse.
#
# `to_network(images, size)` takes an array `(N, C, H, W)` with values in [0, 1], C = 1 (gray) or 3, and
# returns a float32 tensor `(N, 3, size, size)`:
#
# 1. resized by `F.interpolate(..., (size, size), mode="bilinear", antialias=True)`;
# 2. gray repeated to three equal channels;
# 3. normalised per channel.
#
# **Example.** A gray picture that is 0.4914 everywhere gives zeros in channel 0 and $(0.4914-0.4822)/0.2435 =
# 0.0378$ in channel 1.

# %% nbgrader={"grade": false, "grade_id": "to-network", "locked": false, "schema_version": 3, "solution": true, "task": false}
def to_network(images, size=32):
    """Arrays (N, 1 or 3, H, W) in [0, 1] as the zoo's networks want them: (N, 3, size, size)."""
    ### BEGIN SOLUTION
    x = torch.as_tensor(images, dtype=torch.float32)
    x = F.interpolate(x, (size, size), mode="bilinear", antialias=True)  # (N, C, size, size)
    x = x.expand(-1, 3, -1, -1)  # (N, 3, size, size)
    mean, std = torch.tensor(MEAN).view(1, 3, 1, 1), torch.tensor(STD).view(1, 3, 1, 1)
    return (x - mean) / std
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-to-network", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Shape and type for gray and coloured pictures of any size
check_shape(to_network(np.zeros((2, 1, 8, 8)), 16), (2, 3, 16, 16), "to_network of gray pictures")
check_shape(to_network(np.zeros((2, 3, 9, 5))), (2, 3, 32, 32), "to_network of colour pictures")
### BEGIN HIDDEN TESTS
assert to_network(np.zeros((1, 1, 4, 4)), 8).dtype == torch.float32, "the result should be float32"
check_shape(to_network(np.zeros((1, 3, 40, 40)), 5), (1, 3, 5, 5), "to_network, made smaller")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-to-network-values", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The values are those that the network was trained on
plain = to_network(np.full((1, 1, 4, 4), 0.4914), 4)
check_close(plain[0, :, 0, 0], [0, 0.03778, 0.17164], "a pixel of plain gray 0.4914", atol=1e-4)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1203)
for shape, size in (((2, 1, 6, 9), 6), ((3, 3, 7, 7), 5), ((2, 3, 4, 5), 8)):
    x = rng.random(shape)
    y = F.interpolate(torch.tensor(x).float(), (size, size), mode="bilinear", antialias=True)
    y = (y.numpy() - np.array([0.4914, 0.4822, 0.4465]).reshape(1, 3, 1, 1)) / np.array(
        [0.2470, 0.2435, 0.2616]
    ).reshape(1, 3, 1, 1)
    check_close(to_network(x.copy(), size), y, f"to_network of {shape}", atol=1e-4, rtol=1e-3)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the numbers are off by a factor near 2, or the colours are shifted</summary>
#
# Did you use the mean and deviation of *these* pictures, or ImageNet's (0.485, 0.456, 0.406)? The constants to
# use are `MEAN` and `STD` of `course.zoo`, and they belong to values in [0, 1], not 0 to 255.
# </details>
#
# Before anything is transferred: what does the network see in photographs from outside its data set? It knows ten
# words. Each picture is shrunk to 32 × 32 first, as the lower row shows.

# %% tags=["illustration"]
net = resnet20(pretrained=True).to(device).eval()
names = ["chelsea", "astronaut", "coffee", "china"]
squares = [photo(name) for name in names]
squares = [x[:, :, (x.shape[2] - x.shape[1]) // 2 :][:, :, : x.shape[1]] for x in squares]
x = torch.cat([to_network(square[None]) for square in squares])  # (4, 3, 32, 32)
with torch.inference_mode():
    chances = net(x.to(device)).softmax(1).cpu()  # (4, 10)
titles = []
for row in chances:
    best = row.topk(2)
    said = [f"{CLASSES[i]} {p:.0%}" for p, i in zip(best.values.tolist(), best.indices.tolist())]
    titles.append("\n".join(said))
small = [x[i].numpy() * np.array(STD)[:, None, None] + np.array(MEAN)[:, None, None] for i in range(4)]
show_images(squares + [np.clip(p, 0, 1) for p in small], names + titles, columns=4, size=2.2)
plt.show()
facts = card()
print(f"trained on CIFAR-10 in {facts['training_seconds'] / 60:.0f} min on {facts['hardware']};", end=" ")
print(f"test accuracy {facts['test_accuracy']:.2%} (n = {facts['data']['test_images']})")

# %% [markdown]
# A cat is one of its ten classes; an astronaut, a cup and a pagoda are not, and it answers all the same. **The
# head is useless for a new task.** The 64 numbers below it may not be: they had to tell fur from metal, and
# sky from grass. Transfer learning is the bet that they serve for more than the ten words.
#
# ## Part 2 · Taking a network apart
#
# ### Exercise 4 · A new head
#
# `new_head(net, num_classes)` replaces `net.head` with a freshly initialised `nn.Linear` of the same
# input width with `num_classes` outputs, **in place**, and returns `net`. Nothing else changes. The new head
#
# - has the device and the dtype of the old one (a network on the GPU must not get a head on the CPU);
# - can be trained, even where the old one was frozen;
# - has a bias, random weights, and no memory of the old head.

# %% nbgrader={"grade": false, "grade_id": "new-head", "locked": false, "schema_version": 3, "solution": true, "task": false}
def new_head(net, num_classes):
    """Give ``net`` a fresh linear head for ``num_classes``, in place; returns ``net``."""
    ### BEGIN SOLUTION
    old = net.head
    net.head = nn.Linear(
        old.in_features, num_classes, device=old.weight.device, dtype=old.weight.dtype
    )
    return net
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-new-head", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The head has the right shape, and the network uses it
@in_submission
def given_head(classes):
    return new_head(small_net(3), classes).head


head = given_head(5)
check_shape(head.weight, (5, 8), "the new head's weight")
check_shape(head.bias, (5,), "the new head's bias")
### BEGIN HIDDEN TESTS
@in_submission
def changed_head(classes, doubled, frozen):
    net = small_net(4, seed=3)
    net = net.double() if doubled else net
    for parameter in net.parameters():
        parameter.requires_grad_(not frozen)
    return new_head(net, classes)


x, _ = pictures(3, seed=4)
for classes in (1, 2, 7):
    out = changed_head(classes, False, False).eval()(x)
    check_shape(out, (3, classes), "the logits with a new head")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-new-head-rest", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Everything below the head stays what it was
@in_submission
def backbone_after(classes):
    state = new_head(small_net(3, seed=1), classes).state_dict()
    return {name: value for name, value in state.items() if not name.startswith("head.")}


after = backbone_after(4)
for name, value in small_net(3, seed=1).state_dict().items():
    if not name.startswith("head."):
        check_close(after[name], value, name)
### BEGIN HIDDEN TESTS
@in_submission
def state_after(classes):
    net = small_net(4, seed=9)
    kept = net.stem[0].weight
    state = dict(new_head(net, classes).state_dict())
    return state, net.stem[0].weight is kept, net.head.out_features


before = small_net(4, seed=9).state_dict()
state, same, width = state_after(6)
assert same and width == 6, "new_head should change the network that it is given, not a copy"
for name, value in before.items():
    if not name.startswith("head."):
        check_close(state[name], value, name)
again, _, _ = state_after(4)
fresh = (again["head.weight"] - before["head.weight"]).abs().min()
assert fresh > 0, "the new head should be freshly initialised even when the width stays the same"
assert again["head.weight"].std() > 0.01, "the new head should have random weights"
other, _, _ = state_after(4)
assert not torch.equal(other["head.weight"], again["head.weight"]), "two new heads should differ"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-new-head-kind", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The head can be trained, and has the old one's dtype and device
@in_submission
def head_kind(doubled, frozen, place="cpu"):
    net = small_net(4, seed=3).to(place)
    net = net.double() if doubled else net
    for parameter in net.parameters():
        parameter.requires_grad_(not frozen)
    head = new_head(net, 2).head
    trainable = head.weight.requires_grad and head.bias.requires_grad
    return head.weight.dtype, trainable, head.weight.device.type


kind = head_kind(False, False)
assert kind == (torch.float32, True, "cpu"), "a new head is float32, trainable and beside the rest"
### BEGIN HIDDEN TESTS
assert head_kind(False, True)[:2] == (torch.float32, True), "a new head can be trained, always"
assert head_kind(True, False)[0] == torch.float64, "a float64 network should get a float64 head"
assert head_kind(False, False, "meta")[2] == "meta", "the head should be where the old one was"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 5 · Loading weights, loudly
#
# The most expensive mistake of transfer learning makes no noise: the weights were never loaded. `load_state_dict(...,
# strict=False)` skips every name that does not match. If all names carry a prefix `module.` (from
# `DataParallel`), it skips *everything*, returns normally, and you fine-tune random weights.
#
# `load_backbone(net, state)` copies a state dict into `net`, **except its head**, whose width may differ:
#
# - every entry of `net.state_dict()` whose name does not begin with `head.` must be in `state` with the same
#   shape, and is loaded, BatchNorm's statistics included;
# - entries of `state` that begin with `head.` are ignored, and `net.head` keeps its own weights;
# - if an entry is missing, has another shape, or `state` has one that `net` does not know: **`ValueError`**, and
#   the network is left as it was;
# - returns the number of entries that were loaded.

# %% nbgrader={"grade": false, "grade_id": "load-backbone", "locked": false, "schema_version": 3, "solution": true, "task": false}
def load_backbone(net, state):
    """Load ``state`` into all of ``net`` but its head; ValueError if it does not fit exactly."""
    ### BEGIN SOLUTION
    wanted = {k: v for k, v in net.state_dict().items() if not k.startswith("head.")}
    given = {k: v for k, v in state.items() if not k.startswith("head.")}
    odd = sorted(wanted.keys() ^ given.keys())
    odd += [k for k in wanted.keys() & given.keys() if wanted[k].shape != given[k].shape]
    if odd:
        raise ValueError(f"the weights do not fit: {', '.join(odd[:3])} …")
    net.load_state_dict(given, strict=False)
    return len(given)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-load-backbone", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Everything below the head is loaded, the head is kept
@in_submission
def loaded(source_classes, own_classes):
    state = small_net(source_classes, seed=11).state_dict()
    net = small_net(own_classes, seed=12)
    number = load_backbone(net, state)
    return dict(net.state_dict()), number


source, own = small_net(3, seed=11).state_dict(), small_net(3, seed=12).state_dict()
after, number = loaded(3, 3)
for name in after:
    check_close(after[name], (own if name.startswith("head.") else source)[name], name)
### BEGIN HIDDEN TESTS
check_number(number, len(source) - 2, "the number of entries that load_backbone loaded")
after, _ = loaded(7, 3)
for name in after:
    check_close(after[name], (own if name.startswith("head.") else source)[name], name)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-load-backbone-errors", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Weights that do not fit raise a ValueError and change nothing
@in_submission
def refuses(change):
    import torch

    state = dict(small_net(3, seed=11).state_dict())
    if change == "prefix":
        state = {"module." + name: value for name, value in state.items()}
    elif change == "missing":
        del state["stage2.1.running_var"]
    elif change == "extra":
        state["stage4.0.weight"] = torch.zeros(2)
    elif change == "larger":
        state["stage1.0.weight"] = torch.zeros(5, 4, 3, 3)
    elif change == "smaller":
        state["stage1.0.weight"] = torch.zeros(4, 4, 1, 1)
    net = small_net(3, seed=12)
    try:
        load_backbone(net, state)
    except ValueError:
        return True, dict(net.state_dict())
    return False, dict(net.state_dict())


raised, _ = refuses("prefix")
assert raised, "when no name fits, load_backbone should raise a ValueError"
### BEGIN HIDDEN TESTS
own = small_net(3, seed=12).state_dict()
for change, what in (
    ("prefix", "names that carry a prefix"),
    ("missing", "a missing entry"),
    ("extra", "an entry that the network does not have"),
    ("larger", "an entry of a larger shape"),
    ("smaller", "an entry of a smaller shape"),
):
    raised, after = refuses(change)
    assert raised, f"{what} should raise a ValueError"
    for name in own:
        check_close(after[name], own[name], f"{name} after a refused load ({what})")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 6 · Freezing parameters
#
# A parameter with `requires_grad = False` gets no gradient, and an optimizer leaves it alone. `freeze(net,
# trainable)` sets **every** parameter of the network:
#
# - those inside the parts that `trainable` names get `requires_grad = True`, all others `False`. A name is a
#   module's, with dots: `"stage3"`, `"head"`, `"stage3.2"`;
# - a part is meant as a whole name: `"stage1"` does not stand for a module `stage10`;
# - a name that fits no parameter raises a **`ValueError`** (a typo would silently freeze what you meant to train);
# - returns how many *numbers* can be trained now.
#
# It can be called again with other names: nothing stays from the call before.
#
# **Example.** `freeze(resnet20(), ["head"])` is `650`: 64 × 10 weights and 10 biases of 269,722.

# %% nbgrader={"grade": false, "grade_id": "freeze", "locked": false, "schema_version": 3, "solution": true, "task": false}
def freeze(net, trainable):
    """Let only the parts named in ``trainable`` be trained; returns how many numbers that is."""
    ### BEGIN SOLUTION
    parameters = dict(net.named_parameters())
    for part in trainable:
        if not any(name.startswith(part + ".") for name in parameters):
            raise ValueError(f"no parameter of the network belongs to {part!r}")
    for name, parameter in parameters.items():
        chosen = any(name.startswith(part + ".") for part in trainable)
        parameter.requires_grad_(chosen)
    return sum(p.numel() for p in parameters.values() if p.requires_grad)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-freeze", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The named parts can be trained, all others cannot
@in_submission
def flags(calls, seed=0):
    net = small_net(3, seed=seed)
    number = None
    for trainable in calls:
        number = freeze(net, trainable)
    return {name: p.requires_grad for name, p in net.named_parameters()}, number


grads, number = flags([["head"]])
assert grads["head.weight"] and grads["head.bias"], "the head should be trainable"
assert not grads["stage3.0.weight"], "stage3 should be frozen when only the head is named"
### BEGIN HIDDEN TESTS
for calls in (
    [["head"]],
    [["stage3", "head"]],
    [["stem", "stage1", "stage2", "stage3", "head"], ["head"]],
    [["head"], ["stage2"]],
    [["stage1.1"]],
    [["stage1.0", "head"]],
    [[]],
):
    grads, number = flags(calls)
    net = small_net(3)
    for name in grads:
        expected = any(f"{name}.".startswith(f"{part}.") for part in calls[-1])
        word = "trainable" if expected else "frozen"
        assert grads[name] == expected, f"after freeze(net, {calls[-1]}) {name} should be {word}"
    total = sum(
        p.numel()
        for name, p in net.named_parameters()
        if any(f"{name}.".startswith(f"{part}.") for part in calls[-1])
    )
    check_number(number, total, f"what freeze(net, {calls[-1]}) returns")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-freeze-names", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# A name is a whole part, and a name that fits nothing is an error
@in_submission
def frozen_lookalike(trainable):
    from torch import nn

    net = nn.ModuleDict({name: nn.Linear(2, 2) for name in ("stage1", "stage10", "head", "header")})
    freeze(net, trainable)
    return {name: p.requires_grad for name, p in net.named_parameters()}


look = frozen_lookalike(["stage1"])
assert look["stage1.weight"], "stage1 was named and should be trainable"
### BEGIN HIDDEN TESTS
assert not look["stage10.weight"], "'stage1' should not mean 'stage10'"
look = frozen_lookalike(["head"])
assert look["head.bias"] and not look["header.bias"], "'head' should not mean 'header'"


@in_submission
def typo(trainable):
    try:
        freeze(small_net(3), trainable)
    except ValueError:
        return True
    return False


assert typo(["haed"]), "a name that fits no parameter should raise a ValueError"
assert typo(["head", "stage"]), "'stage' is no part of the network: a ValueError is due"
assert not typo(["head", "stage3"]), "names that fit should not raise"
### END HIDDEN TESTS

# %% [markdown]
# #### Question · Frozen?
#
# `freeze(net, [])` has frozen **every** parameter of a ResNet-20. Then one batch runs through it, `net.train();
# net(x)`, with no optimizer anywhere. `net.state_dict()` has 116 tensors: 59 parameters and 57 buffers (each of
# the 19 BatchNorm layers keeps three: `running_mean`, `running_var`, `num_batches_tracked`). How many of
# the 116 are different afterwards?

# %% nbgrader={"grade": false, "grade_id": "q-frozen", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_frozen: a number of tensors, 0 to 116
### BEGIN SOLUTION
q_frozen = 57
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-frozen", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# How many tensors a forward pass changes
check_number(q_frozen, q_frozen, "q_frozen")
### BEGIN HIDDEN TESTS
check_number(q_frozen, 57, "q_frozen")
### END HIDDEN TESTS

# %%
net = resnet20(pretrained=True).to(device)
freeze(net, [])
before = {name: value.clone() for name, value in net.state_dict().items()}
net.train()
net(to_network(np.random.default_rng(0).random((8, 1, 8, 8)), 8).to(device))
changed = [name for name, value in net.state_dict().items() if not torch.equal(value, before[name])]
print(f"{len(changed)} of {len(before)} tensors changed, such as {changed[:3]}")

# %% [markdown]
# **`requires_grad = False` does not freeze BatchNorm.** Lectures say "freeze: do not train these layers", and mean
# the weights. The running statistics are no parameters; in training mode every forward pass moves them, whatever
# `requires_grad` says. And that is half of it: in training mode BatchNorm also *normalises* with the batch at
# hand, so the "frozen" features of one picture depend on its neighbours in the batch.
#
# ### Exercise 7 · Training mode, with frozen layers left alone
#
# `train_mode(net)` puts the network into training mode, except BatchNorm that is frozen:
#
# - every module goes to training mode, as `net.train()` does it,
# - then each `nn.BatchNorm2d` **none of whose own parameters requires a gradient** goes to evaluation mode (also one
#   that has no parameters).
#
# It returns `net`. Call it wherever you used to call `net.train()`: that call would undo it.

# %% nbgrader={"grade": false, "grade_id": "train-mode", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_mode(net):
    """Training mode for ``net``, but evaluation mode for its frozen BatchNorm; returns ``net``."""
    ### BEGIN SOLUTION
    net.train()
    for module in net.modules():
        frozen = not any(p.requires_grad for p in module.parameters())
        if isinstance(module, nn.BatchNorm2d) and frozen:
            module.eval()
    return net
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-train-mode-buffers", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Frozen BatchNorm keeps its statistics, trained BatchNorm updates them
@in_submission
def buffers_after(frozen_parts, evaluated):
    net = small_net(3, seed=21)
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(name.split(".")[0] not in frozen_parts)
    net = net.eval() if evaluated else net
    train_mode(net)
    x, _ = pictures(6, seed=22)
    net(x)
    return dict(net.named_buffers())


before = dict(small_net(3, seed=21).named_buffers())
after = buffers_after(["stem", "stage1", "stage2", "stage3"], False)
for name in before:
    check_close(after[name], before[name], name)
### BEGIN HIDDEN TESTS
x, _ = pictures(6, seed=22)
for frozen_parts in ([], ["stem", "stage1"], ["stem", "stage1", "stage2", "stage3"]):
    for evaluated in (False, True):
        after = buffers_after(frozen_parts, evaluated)
        net = small_net(3, seed=21).train()
        for part in frozen_parts:
            getattr(net, part).eval()
        net(x)
        for name, value in net.named_buffers():
            check_close(after[name], value, f"{name} with {frozen_parts} frozen", atol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-train-mode-modes", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Everything else is in training mode, and a later call sees what has been unfrozen
@in_submission
def modes(frozen_affine):
    from torch import nn

    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.BatchNorm2d(4))
    for parameter in net[0].parameters():
        parameter.requires_grad_(False)
    if frozen_affine:
        for parameter in net[1].parameters():
            parameter.requires_grad_(False)
    same = train_mode(net) is net
    first = [module.training for module in net]
    for parameter in net.parameters():
        parameter.requires_grad_(True)
    train_mode(net)
    return first, [module.training for module in net], same


first, second, same = modes(True)
assert first[2], "dropout should be in training mode"
assert not first[1], "BatchNorm with frozen parameters should be in evaluation mode"
### BEGIN HIDDEN TESTS
assert first == [True, False, True, True], "only the frozen BatchNorm should be in evaluation mode"
assert second == [True] * 4, "after unfreezing, train_mode should train everything again"
assert same, "train_mode should return the network"
first, _, _ = modes(False)
assert first == [True] * 4, "a BatchNorm that can be trained stays in training mode"


@in_submission
def half_frozen():
    from torch import nn

    net = nn.Sequential(nn.BatchNorm2d(4))
    net[0].weight.requires_grad_(False)
    return train_mode(net)[0].training


assert half_frozen(), "a BatchNorm with one trainable parameter is not frozen"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the buffers of frozen layers still move</summary>
#
# Is `net.train()` called *after* the frozen layers were set to evaluation mode? It walks through all submodules and
# undoes your work.
# </details>
#
# Does it matter? At the end of part 3, when you have a training loop, you see the same frozen backbone with the same
# few labels and a head trained in the same way, once with `net.train()` and once with `train_mode(net)`.
#
# %% [markdown]
# ## Part 3 · Four strategies, one function
#
# | strategy | what is trained | when |
# |---|---|---|
# | **features** (feature extraction, linear evaluation) | the new head | all the time |
# | **partial** fine-tuning | `stage3` and the head | all the time |
# | **combined** | first the head; then everything | half of the steps each |
# | **full** fine-tuning | everything | all the time |
#
# The trained weights are the *start* in all four; they differ in what may move. "Combined" has a reason: in the first
# steps a random head sends large, meaningless gradients down into good weights. Training the head
# first lets it calm down.
#
# ### Exercise 8 · Which part at which speed
#
# The second tool is the learning rate. The head is new and has everything to learn; the backbone is
# trained and should only drift. "A tenth of the head's learning rate" is the usual start.
#
# `parameter_groups(net, lr, factor=0.1)` returns what an optimizer takes: a list of dicts with `"params"` and
# `"lr"`,
#
# - first the head's parameters with `lr`,
# - then all others with `lr * factor`;
# - **only parameters that require a gradient**, and a group that would be empty is left out.
#
# **Example.** After `freeze(net, ["head"])` there is one group; after `freeze(net, ["stage3", "head"])` two.

# %% nbgrader={"grade": false, "grade_id": "parameter-groups", "locked": false, "schema_version": 3, "solution": true, "task": false}
def parameter_groups(net, lr, factor=0.1):
    """Optimizer groups of what can be trained: the head at lr, the rest at lr * factor."""
    ### BEGIN SOLUTION
    groups = []
    head = {id(p) for p in net.head.parameters()}
    trainable = [p for p in net.parameters() if p.requires_grad]
    for inside, rate in ((True, lr), (False, lr * factor)):
        chosen = [p for p in trainable if (id(p) in head) == inside]
        if chosen:
            groups.append({"params": chosen, "lr": rate})
    return groups
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-parameter-groups", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Who is in which group
@in_submission
def grouped(trainable, lr, factor, fresh=False):
    net = small_net(3, seed=31)
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(name.split(".")[0] in trainable)
    if fresh:
        new_head(net, 5)
    names = {id(p): name for name, p in net.named_parameters()}
    groups = parameter_groups(net, lr, factor)
    return [(sorted(names.get(id(p), "?") for p in g["params"]), g["lr"]) for g in groups]


ALL_PARTS = ["stem", "stage1", "stage2", "stage3", "head"]
groups = grouped(["head"], 0.5, 0.1)
assert len(groups) == 1, "when only the head can be trained there should be one group"
assert groups[0][0] == ["head.bias", "head.weight"], "the head's two parameters should be in it"
### BEGIN HIDDEN TESTS
for trainable in (["head"], ["stage3", "head"], ALL_PARTS, ["stage1"]):
    found = {name for name, _ in small_net(3).named_parameters() if name.split(".")[0] in trainable}
    head = sorted(name for name in found if name.startswith("head."))
    rest = sorted(found - set(head))
    wanted = [names for names in (head, rest) if names]
    groups = grouped(trainable, 0.5, 0.1)
    assert [names for names, _ in groups] == wanted, (
        f"with {trainable} trainable the groups should hold the head, then the rest, each once"
    )
groups = grouped([], 0.5, 0.1, True)
assert [names for names, _ in groups] == [["head.bias", "head.weight"]], (
    "a head that new_head has made belongs to the groups"
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-parameter-groups-lr", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The head learns at lr, the backbone at lr * factor
groups = grouped(["head"], 0.5, 0.1)
check_number(groups[0][1], 0.5, "the head's learning rate", rtol=1e-9)
### BEGIN HIDDEN TESTS
for lr, factor in ((0.5, 0.1), (0.04, 0.25), (1.0, 1.0), (0.1, 3.0)):
    groups = grouped(ALL_PARTS, lr, factor)
    rates = {name: rate for names, rate in groups for name in names}
    check_number(rates["head.weight"], lr, "the head's learning rate", rtol=1e-9)
    check_number(rates["stem.0.weight"], lr * factor, "the backbone's learning rate", rtol=1e-9)
    check_number(rates["stage3.1.bias"], lr * factor, "stage3's learning rate", rtol=1e-9)


@in_submission
def default_rates():
    return [g["lr"] for g in parameter_groups(small_net(3), 2.0)]


check_close(default_rates(), [2.0, 0.2], "the learning rates with the default factor")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 9 · The training loop
#
# `fit(net, optimizer, images, labels, batches)` trains for as many steps as `batches` has rows. Before the first it
# calls `train_mode(net)` once, so that frozen BatchNorm stays frozen. Each row is a tensor of indices, the samples of
# one step:
#
# 1. take the batch, and move it to the **network's** device;
# 2. mean cross-entropy, gradients (old ones cleared), one step of `optimizer`.
#
# It returns the losses, a list of Python floats, one a step. `net` may be any module, a bare `nn.Linear` too:
# that will be useful in part 4.

# %% nbgrader={"grade": false, "grade_id": "fit", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fit(net, optimizer, images, labels, batches):
    """Train ``net``, one step for each row of indices in ``batches``; returns the losses."""
    ### BEGIN SOLUTION
    place = next(net.parameters()).device
    losses = []
    train_mode(net)
    for chosen in batches:
        x, y = move((images[chosen], labels[chosen]), place)
        loss = F.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-fit", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Every step is one step of the optimizer, on the right samples
def fitted_here(net, x, y, batches, lr, momentum):
    """What fit should do, written for a network without frozen parts."""
    sgd = torch.optim.SGD(net.parameters(), lr=lr, momentum=momentum)
    net.train()
    losses = []
    for chosen in batches:
        sgd.zero_grad()
        loss = F.cross_entropy(net(x[chosen]), y[chosen])
        loss.backward()
        sgd.step()
        losses.append(loss.item())
    return losses


@in_submission
def fitted(batches, lr, momentum, seed):
    import torch

    net = small_net(3, seed=seed)
    sgd = torch.optim.SGD(net.parameters(), lr=lr, momentum=momentum)
    x, y = pictures(12, seed=seed)
    losses = fit(net, sgd, x, y, batches)
    return losses, dict(net.state_dict())


batches = draw_batches(12, 4, 1, seed=2)
losses, _ = fitted(batches, 0.1, 0.0, 41)
check_shape(losses, (1,), "the losses of one step")
### BEGIN HIDDEN TESTS
for number, steps, momentum in ((42, 1, 0.0), (43, 4, 0.0), (44, 5, 0.9)):
    batches = draw_batches(12, 5, steps, seed=number)
    net = small_net(3, seed=number)
    wanted = fitted_here(net, *pictures(12, seed=number), batches, 0.05, momentum)
    losses, state = fitted(batches, 0.05, momentum, number)
    assert all(isinstance(loss, float) for loss in losses), "the losses should be Python floats"
    check_close(losses, wanted, f"the losses of {steps} steps", rtol=1e-3, atol=1e-4)
    for name, value in net.state_dict().items():
        check_close(state[name], value, f"{name} after {steps} steps", rtol=1e-3, atol=1e-4)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-fit-frozen", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Frozen parts stay what they were: weights and BatchNorm statistics
@in_submission
def fitted_frozen(frozen_parts):
    import torch

    net = small_net(3, seed=46)
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(name.split(".")[0] not in frozen_parts)
    trained = [p for p in net.parameters() if p.requires_grad]
    sgd = torch.optim.SGD(trained, lr=0.1)
    x, y = pictures(12, seed=46)
    fit(net, sgd, x, y, draw_batches(12, 6, 3, seed=1))
    return dict(net.state_dict())


before = small_net(3, seed=46).state_dict()
after = fitted_frozen(["stem", "stage1", "stage2", "stage3"])
for name in before:
    if not name.startswith("head."):
        check_close(after[name], before[name], name)
### BEGIN HIDDEN TESTS
for frozen_parts in (["stem", "stage1"], ["stem", "stage1", "stage2", "stage3"]):
    after = fitted_frozen(frozen_parts)
    for name in before:
        if name.split(".")[0] in frozen_parts:
            check_close(after[name], before[name], name)
        elif "num_batches" not in name:
            assert not torch.allclose(after[name], before[name]), f"{name} should have been trained"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 10 · A plan for each strategy
#
# `plan(strategy, steps)` says what the table at the beginning of this part says, as a list of phases
# `(trainable, steps)`. `trainable` is a list of parts as `freeze` takes it, from `"stem"`, `"stage1"`, `"stage2"`,
# `"stage3"`, `"head"`. In `"combined"` the first phase takes `steps // 2` and the second the rest. An unknown
# strategy raises a **`ValueError`**.
#
# **Example.** `plan("features", 60)` is `[(["head"], 60)]`.

# %% nbgrader={"grade": false, "grade_id": "plan", "locked": false, "schema_version": 3, "solution": true, "task": false}
def plan(strategy, steps):
    """The phases of a strategy: a list of (parts to train, steps)."""
    ### BEGIN SOLUTION
    everything = ["stem", "stage1", "stage2", "stage3", "head"]
    plans = {
        "features": [(["head"], steps)],
        "partial": [(["stage3", "head"], steps)],
        "combined": [(["head"], steps // 2), (everything, steps - steps // 2)],
        "full": [(everything, steps)],
    }
    if strategy not in plans:
        raise ValueError(f"no strategy {strategy!r}; there are {', '.join(plans)}")
    return plans[strategy]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-plan", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The phases of the four strategies
phases = plan("features", 60)
assert len(phases) == 1 and set(phases[0][0]) == {"head"}, "features: one phase, only the head"
check_number(phases[0][1], 60, "the steps of plan('features', 60)")
### BEGIN HIDDEN TESTS
everything = {"stem", "stage1", "stage2", "stage3", "head"}
for steps in (60, 7):
    half = steps // 2
    for strategy, wanted in (
        ("features", [({"head"}, steps)]),
        ("partial", [({"stage3", "head"}, steps)]),
        ("combined", [({"head"}, half), (everything, steps - half)]),
        ("full", [(everything, steps)]),
    ):
        phases = plan(strategy, steps)
        found = [(set(parts), n) for parts, n in phases]
        assert found == wanted, f"plan({strategy!r}, {steps}) is {phases}, which is not right"
check_raises(ValueError, plan, "frozen", 10)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 11 · One function for all four
#
# Now they come together. `finetune(net, phases, images, labels, batches, lr, factor=0.1)`, with phases
# as `plan` gives them:
#
# - for each phase: `freeze`, then a **new** `torch.optim.SGD` over `parameter_groups(net, lr, factor)`, momentum
#   0.9, then `fit` with the **next** `steps` rows of `batches`;
# - the second phase goes on with the weights of the first;
# - the network has its new head already, and is changed in place; the losses of all phases are returned, one list.
#
# The order matters: an optimizer takes the parameters that it is *given*. Freeze first, then make the optimizer.

# %% nbgrader={"grade": false, "grade_id": "finetune", "locked": false, "schema_version": 3, "solution": true, "task": false}
def finetune(net, phases, images, labels, batches, lr, factor=0.1):
    """Train ``net`` through ``phases`` of (parts, steps); returns the losses of all steps."""
    ### BEGIN SOLUTION
    losses, begin = [], 0
    for trainable, steps in phases:
        freeze(net, trainable)
        optimizer = torch.optim.SGD(parameter_groups(net, lr, factor), momentum=0.9)
        losses += fit(net, optimizer, images, labels, batches[begin : begin + steps])
        begin += steps
    return losses
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-finetune", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# One phase: what is frozen stays, what is trained ends where it should
PARTS = ["stem", "stage1", "stage2", "stage3", "head"]


def finetuned_here(net, phases, x, y, batches, lr, factor):
    """What finetune should do, phase by phase, written out."""
    done, losses = 0, []
    for parts, steps in phases:
        rest = [p for part in PARTS[:-1] if part in parts for p in getattr(net, part).parameters()]
        head = list(net.head.parameters()) if "head" in parts else []
        pairs = ((head, lr), (rest, lr * factor))
        groups = [{"params": list(params), "lr": rate} for params, rate in pairs if params]
        sgd = torch.optim.SGD(groups, lr=lr, momentum=0.9)
        net.eval()
        for part in parts:
            getattr(net, part).train()
        for chosen in batches[done : done + steps]:
            net.zero_grad()
            loss = F.cross_entropy(net(x[chosen]), y[chosen])
            loss.backward()
            sgd.step()
            losses.append(loss.item())
        done += steps
    return losses


@in_submission
def finetuned(phases, batches, lr, factor, seed):
    net = small_net(3, seed=seed)
    x, y = pictures(12, seed=seed)
    rest = () if factor is None else (factor,)
    losses = finetune(net, phases, x, y, batches, lr, *rest)
    return losses, dict(net.state_dict())


batches = draw_batches(12, 5, 2, seed=3)
losses, after = finetuned([(["head"], 2)], batches, 0.05, 0.1, 51)
check_shape(losses, (2,), "the losses of two steps")
check_close(after["stem.0.weight"], small_net(3, seed=51).stem[0].weight.detach(), "the frozen stem")
### BEGIN HIDDEN TESTS
for number, parts, factor in (
    (52, ["head"], 0.1),
    (53, ["stage3", "head"], 0.1),
    (54, PARTS, 0.25),
    (55, PARTS, None),
):
    phases, batches = [(parts, 4)], draw_batches(12, 5, 4, seed=number)
    net = small_net(3, seed=number)
    wanted = finetuned_here(net, phases, *pictures(12, seed=number), batches, 0.05, factor or 0.1)
    losses, after = finetuned(phases, batches, 0.05, factor, number)
    check_close(losses, wanted, f"the losses of training {parts}", rtol=1e-3, atol=1e-4)
    for name, value in net.state_dict().items():
        check_close(after[name], value, f"{name} after {parts}", rtol=1e-3, atol=2e-4)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-finetune-phases", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Two phases: the second goes on where the first ended, on new batches
batches = draw_batches(12, 5, 4, seed=5)
losses, _ = finetuned([(["head"], 2), (PARTS, 2)], batches, 0.05, 0.1, 55)
check_shape(losses, (4,), "the losses of two phases of two steps")
### BEGIN HIDDEN TESTS
for number, phases in (
    (56, [(["head"], 3), (PARTS, 3)]),
    (57, [(["head"], 2), (["stage3", "head"], 3), (PARTS, 1)]),
    (58, [(PARTS, 2), (["head"], 3)]),
):
    batches = draw_batches(12, 5, 6, seed=number)
    net = small_net(3, seed=number)
    wanted = finetuned_here(net, phases, *pictures(12, seed=number), batches, 0.05, 0.2)
    losses, after = finetuned(phases, batches, 0.05, 0.2, number)
    check_close(losses, wanted, "the losses of all phases", rtol=1e-3, atol=1e-4)
    for name, value in net.state_dict().items():
        check_close(after[name], value, f"{name} after {len(phases)} phases", rtol=1e-3, atol=2e-4)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the second phase trains only the head</summary>
#
# The optimizer was made once, before the loop over the phases, from what could be trained *then*. What is unfrozen
# later gets gradients, and nobody takes a step with them.
# </details>
#
# <details><summary>Help: the backbone jumps about</summary>
#
# Is `lr` given to the groups, or only to SGD? A group's own `"lr"` wins; a group without one takes SGD's.
# </details>
#
# ### Exercise 12 · Accuracy that leaves no trace
#
# `accuracy(net, images, labels, batch=100)` is the share of right answers, a float in [0, 1]: in evaluation mode,
# without gradients, in batches (the last one may be smaller), on the network's device. Afterwards **every module
# is in the mode in which it was found**. A bare `net.train()` at the end would not do: it would wake up your
# frozen BatchNorm, in the middle of a training.

# %% nbgrader={"grade": false, "grade_id": "accuracy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def accuracy(net, images, labels, batch=100):
    """Share of right answers of ``net`` in evaluation mode; all modules keep their mode."""
    ### BEGIN SOLUTION
    place = next(net.parameters()).device
    modes = {module: module.training for module in net.modules()}
    net.eval()
    right = 0
    with torch.inference_mode():
        for begin in range(0, len(images), batch):
            x, y = move((images[begin : begin + batch], labels[begin : begin + batch]), place)
            right += (net(x).argmax(1) == y).sum().item()
    for module, training in modes.items():
        module.training = training
    return right / len(images)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-accuracy", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The share of right answers, in evaluation mode
@in_submission
def measured(n, batch, seed, training, sure=False):
    net = small_net(3, seed=seed).train(training)
    x, y = pictures(n, seed=seed)
    if sure:  # labels that the network gets right, all of them
        y = small_net(3, seed=seed).eval()(x).argmax(1)
    return accuracy(net, x, y, batch)


score = measured(10, 100, 61, False)
assert 0 <= score <= 1, f"an accuracy lies between 0 and 1, yours is {score}"
### BEGIN HIDDEN TESTS
for n, batch, number in ((10, 100, 62), (23, 5, 63), (24, 8, 64), (7, 1, 65)):
    x, y = pictures(n, seed=number)
    right = (small_net(3, seed=number).eval()(x).argmax(1) == y).float().mean().item()
    for training in (True, False):
        got = measured(n, batch, number, training)
        assert isinstance(got, float), "the accuracy should be a Python float"
        check_number(got, right, f"the accuracy over {n} pictures", rtol=1e-6)
    got = measured(n, batch, number, False, True)
    check_number(got, 1, f"the accuracy where all {n} are right", rtol=1e-6)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-accuracy-trace", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# No module changes its mode, nothing else changes either
@in_submission
def trace(mixed):
    net = small_net(3, seed=66).train()
    if mixed:
        net.stage1.eval()
        net.stem[1].eval()
    before = [module.training for module in net.modules()]
    x, y = pictures(9, seed=66)
    outs = []
    hook = net.head.register_forward_hook(lambda module, given, out: outs.append(out))
    accuracy(net, x, y, 4)
    hook.remove()
    after = [module.training for module in net.modules()]
    return before == after, dict(net.state_dict()), any(out.requires_grad for out in outs)


same, state, gradients = trace(False)
assert same, "a network in training mode should be in training mode afterwards"
### BEGIN HIDDEN TESTS
same, state, gradients = trace(True)
assert same, "parts that were in evaluation mode should be so afterwards, the others not"
assert not gradients, "to measure an accuracy no gradients need to be recorded"
for name, value in small_net(3, seed=66).state_dict().items():
    check_close(state[name], value, f"{name} after measuring the accuracy")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 13 · k labels a class
#
# "Little data" has to mean something: *k* labelled samples of each class. `few_labels(labels, k, seed)`
# draws them from an integer array of labels, `(N,)`, and returns two **sorted** index arrays, `(chosen, rest)`:
# `chosen` has exactly `k` random samples of every class that occurs, without repetition, and `rest` is
# everything else. The same seed gives the same draw, another seed another one. A class with fewer than `k`
# samples raises a **`ValueError`**.

# %% nbgrader={"grade": false, "grade_id": "few-labels", "locked": false, "schema_version": 3, "solution": true, "task": false}
def few_labels(labels, k, seed):
    """k random samples of each class: sorted indices (chosen, rest)."""
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    chosen = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < k:
            raise ValueError(f"class {label} has {len(members)} samples, {k} are asked for")
        chosen.append(rng.permutation(members)[:k])
    chosen = np.sort(np.concatenate(chosen))
    return chosen, np.setdiff1d(np.arange(len(labels)), chosen)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-few-labels", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# k of each class, the rest apart, errors
labels = np.array([0, 1, 0, 1, 1, 0, 0])
chosen, rest = few_labels(labels, 2, 0)
check_shape(chosen, (4,), "two of each of two classes")
check_shape(rest, (3,), "the rest of seven")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1213)
labels = np.concatenate([rng.integers(0, 4, 40), [7] * 6, np.arange(4).repeat(6)])
rng.shuffle(labels)
for k in (1, 3, 5, 6):
    chosen, rest = (np.asarray(part) for part in few_labels(labels.copy(), k, k))
    for label in np.unique(labels):
        count = int(np.sum(labels[chosen] == label))
        assert count == k, f"{count} samples of class {label} were chosen, {k} are asked for"
    together = np.concatenate([chosen, rest])
    check_close(np.sort(together), np.arange(len(labels)), "chosen and rest together, sorted")
    assert (np.diff(chosen) > 0).all() and (np.diff(rest) > 0).all(), "both should be sorted"
check_raises(ValueError, few_labels, labels, 7, 0)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-few-labels-random", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Random, and the same for the same seed
labels = np.repeat([0, 1, 2], 12)
first, _ = few_labels(labels, 4, 3)
check_close(few_labels(labels, 4, 3)[0], first, "a second draw with the same seed")
### BEGIN HIDDEN TESTS
draws = [np.asarray(few_labels(labels, 4, number)[0]) for number in range(40)]
assert len({tuple(draw) for draw in draws}) > 30, "other seeds should give other samples"
seen = np.bincount(np.concatenate(draws), minlength=36)
assert seen.min() > 0, "every sample should have its chance to be chosen"
### END HIDDEN TESTS

# %% [markdown]
# ### The tasks
#
# Three small tasks from pictures that are installed already. Two look like photographs, from which the network
# comes, and one does not.
#
# | task | classes | picture | test set |
# |---|---|---|---|
# | textures: patches of brick, grass, gravel | 3 | 20 × 20 | 384 patches of the *other half* of each photograph |
# | faces: LFW faces or other patches, gray | 2 | 20 × 20 | the remaining pictures |
# | digits: handwritten, gray | 10 | 16 × 16 | 500 digits |

# %%
def texture_task(k, seed):
    """Textures: ((images, labels) to train, (images, labels) to test) with k labels a class."""
    images, labels, held_out = texture_patches(32)
    left = np.flatnonzero(~held_out)
    chosen = left[few_labels(labels[left], k, seed)[0]]
    train = to_network(images[chosen], 20), torch.tensor(labels[chosen])
    return train, (to_network(images[held_out], 20), torch.tensor(labels[held_out]))


def face_task(k, seed):
    """Faces and other patches, as texture_task."""
    images, labels = faces()
    chosen, rest = few_labels(labels, k, seed)
    train = to_network(images[chosen], 20), torch.tensor(labels[chosen])
    return train, (to_network(images[rest], 20), torch.tensor(labels[rest]))


def digit_task(k, seed):
    """Handwritten digits, as texture_task; 500 of the rest to test."""
    images, labels = digits()
    chosen, rest = few_labels(labels, k, seed)
    rest = np.random.default_rng(seed).permutation(rest)[:500]
    train = to_network(images[chosen], 16), torch.tensor(labels[chosen])
    return train, (to_network(images[rest], 16), torch.tensor(labels[rest]))


TASKS = {"textures": (texture_task, 3), "faces": (face_task, 2), "digits": (digit_task, 10)}


def start_net(pretrained, classes, number):
    """A ResNet-20 with a new head, trained or random; the same for the same number."""
    torch.manual_seed(1000 * seed + number)
    return new_head(resnet20(pretrained=pretrained), classes).to(device)


# %% [markdown]
# ### It works: five pictures a class
#
# The textures, five labelled patches a class, 15 in all. The cell runs your `finetune` twice with the same seed: from
# trained weights, of which `stage3` and the head may move ("partial"), and from random ones. There everything is new, so
# everything learns, and at the full rate: factor 1.

# %% tags=["illustration"]
(x, y), (x_test, y_test) = texture_task(5, seed)
print(f"{len(y)} training patches, {len(y_test)} test patches {tuple(x_test.shape[1:])}")
figure, axis = plt.subplots(figsize=(7, 3))
for name, strategy, colour in (("fine-tuned", "partial", "C0"), ("from scratch", "full", "C1")):
    net = start_net(name == "fine-tuned", 3, 0)
    batches = draw_batches(len(x), 32, 60, seed=seed)
    factor = 0.1 if name == "fine-tuned" else 1.0
    losses = finetune(net, plan(strategy, 60), x, y, batches, 0.05, factor)
    score = accuracy(net, x_test, y_test)
    axis.plot(losses, color=colour, label=f"{name}: test accuracy {score:.1%} (n = {len(y_test)})")
axis.set(xlabel="step", ylabel="training loss", ylim=(0, None))
axis.legend()
plt.show()

# %% [markdown]
# One seed proves nothing, and part 5 runs three. But note the curves: both come down to a training loss near zero, for 15
# pictures are quickly learned by heart. What differs is what the *test* says.
#
# ### The promised experiment: frozen with and without `train_mode`
#
# The backbone is frozen with `requires_grad = False` in both cases and a new head is trained for 60 steps on digits,
# 25 labels a class. Digits are far from photographs, so their statistics differ a lot from CIFAR-10's. Once the
# loop calls your `train_mode`, once `net.train()`.

# %% tags=["illustration"]
rows = {"train_mode(net)": [], "net.train()": []}
for number in range(1 if quick else 3):
    (x, y), (x_test, y_test) = digit_task(25, number)
    for name in rows:
        net = start_net(True, 10, number)
        freeze(net, ["head"])
        sgd = torch.optim.SGD(net.head.parameters(), lr=0.1, momentum=0.9)
        for chosen in draw_batches(len(x), 32, 60, seed=number):
            net.train() if name == "net.train()" else train_mode(net)
            a, b = x[chosen].to(device), y[chosen].to(device)
            loss = F.cross_entropy(net(a), b)
            sgd.zero_grad()
            loss.backward()
            sgd.step()
        rows[name].append(accuracy(net, x_test, y_test))
for name, scores in rows.items():
    print(f"{name:16s} test accuracy {np.mean(scores):.3f}", [f"{s:.3f}" for s in scores], end="")
    print(f"  (n = {len(y_test)}, 25 labels a class, {len(scores)} seeds)")

# %% [markdown]
# With `net.train()` the accuracy is lower for every seed, by several points at least, although not one weight of the backbone
# differs. The head was trained on features that each batch of 32 normalised for itself, and is tested on features normalised
# with running statistics, which have been drifting the whole time. Training and test see different features. Statistics
# that adapt to a new domain can be a method of their own, but then on purpose, and *before* the head is trained.
#
# ## Part 4 · What does a frozen network know?
#
# ### Exercise 14 · Compute features once
#
# A frozen backbone gives the same 64 numbers for the same picture, in every epoch, as long as BatchNorm is in
# evaluation mode and the picture is not augmented. So compute them **once** and train the head on those.
#
# `cached_features(net, images, batch=100)` returns `net.features` of all images, `(N, C)`: on the CPU, without
# gradient history, in evaluation mode, in the order of the images, in batches of at most `batch`. Modes are
# left as they were, as in `accuracy`.

# %% nbgrader={"grade": false, "grade_id": "cached-features", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cached_features(net, images, batch=100):
    """Features (N, C) of the frozen network in evaluation mode, on the CPU."""
    ### BEGIN SOLUTION
    place = next(net.parameters()).device
    modes = {module: module.training for module in net.modules()}
    net.eval()
    with torch.no_grad():
        parts = [net.features(part.to(place)).cpu() for part in images.split(batch)]
    for module, training in modes.items():
        module.training = training
    return torch.cat(parts)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-cached-features", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The features are those of the frozen forward pass, picture by picture
@in_submission
def cached(n, batch, seed, training=True):
    net = small_net(3, seed=seed).train(training)
    net.stage1.eval()
    modes = [module.training for module in net.modules()]
    got = cached_features(net, pictures(n, seed=seed)[0], batch)
    same = modes == [module.training for module in net.modules()]
    return got, same, dict(net.named_buffers())


features, same, _ = cached(7, 100, 71)
check_shape(features, (7, 8), "the cached features of 7 pictures")
### BEGIN HIDDEN TESTS
for n, batch, number in ((7, 100, 72), (7, 3, 73), (6, 2, 74), (1, 1, 75)):
    for training in (True, False):
        net = small_net(3, seed=number).eval()
        with torch.no_grad():
            wanted = net.features(pictures(n, seed=number)[0])
        features, same, buffers = cached(n, batch, number, training)
        check_close(features, wanted, f"the features of {n} pictures", rtol=1e-3, atol=1e-5)
        for name, value in net.named_buffers():
            check_close(buffers[name], value, f"{name} after caching")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-cached-features-trace", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# No gradient history, and every module keeps its mode
features, same, _ = cached(5, 2, 76)
assert not features.requires_grad, "cached features should not carry a gradient history"
### BEGIN HIDDEN TESTS
assert features.device == torch.device("cpu"), "cached features should lie on the CPU"
for training in (True, False):
    _, same, _ = cached(5, 2, 77, training)
    assert same, "after caching, every module should be in the mode in which it was found"
### END HIDDEN TESTS

# %% [markdown]
# #### Question · What caching saves
#
# One forward pass of ResNet-20 on a 32 × 32 picture costs 40.6 million MACs, of which the head has 640. You train a head
# for 100 epochs. Counting **forward MACs only**: how many times less work is it to cache the features and
# train the head on them, than to run the frozen network in every epoch? (Within 2%.)

# %% nbgrader={"grade": false, "grade_id": "q-cached", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_cached: a ratio, forward MACs without the cache / with the cache
### BEGIN SOLUTION
q_cached = 99.84  # 100 · 40.6e6 / (40.6e6 + 100 · 640)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-cached", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# How many times less work
check_number(q_cached, q_cached, "q_cached")
### BEGIN HIDDEN TESTS
check_number(q_cached, 100 * 40.6e6 / (40.6e6 + 100 * 640), "q_cached", rtol=0.02)
### END HIDDEN TESTS

# %% [markdown]
# And it is *the same* training, not an approximation. `fit` on the frozen network and `fit` of its bare head on
# cached features give the same weights up to rounding. That is what the next cell checks with your functions. It would not
# hold with augmentation: cached features of one random crop stay those of that one crop forever.

# %%
net = small_net(3, seed=5).to(device)
x, y = pictures(40, seed=5)
batches = draw_batches(40, 8, 30, seed=0)
features = cached_features(net, x).to(device)  # (40, 8)
head = copy.deepcopy(net.head)
finetune(net, [(["head"], 30)], x, y, batches, 0.05)
fit(head, torch.optim.SGD(head.parameters(), lr=0.05, momentum=0.9), features, y, batches)
gap = (net.head.weight - head.weight).abs().max().item()
print(f"largest difference of the two heads' weights: {gap:.1e}")

# %% [markdown]
# ### Exercise 15 · Features of every stage
#
# "Early layers are general, late ones specific", say the lectures. Whether that is so can be *measured*: take the
# output of each stage, average it over space, and see what a linear classifier makes of it.
#
# `stage_features(net, images)` returns a dict with the keys `"stem"`, `"stage1"`, `"stage2"`, `"stage3"`. Each value
# is that part's output averaged over height and width, `(N, C)`, in evaluation mode and without gradient
# history. The network is left as it was: modes, weights, no hooks. (All images may go through at once.)

# %% nbgrader={"grade": false, "grade_id": "stage-features", "locked": false, "schema_version": 3, "solution": true, "task": false}
def stage_features(net, images):
    """Global average of each part's output: {"stem": (N, C), "stage1": ..., "stage3": ...}."""
    ### BEGIN SOLUTION
    x = images.to(next(net.parameters()).device)
    modes = {module: module.training for module in net.modules()}
    net.eval()
    found = {}
    with torch.no_grad():
        for name in ("stem", "stage1", "stage2", "stage3"):
            x = getattr(net, name)(x)  # (N, C, H, W)
            found[name] = x.mean((2, 3)).cpu()  # (N, C)
    for module, training in modes.items():
        module.training = training
    return found
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-stage-features", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The right parts, averaged over space, and nothing left behind
@in_submission
def staged(n, size, seed, training):
    net = small_net(3, seed=seed).train(training)
    got = dict(stage_features(net, pictures(n, size, seed=seed)[0]))
    hooks = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in net.modules())
    same = all(module.training == training for module in net.modules())
    return got, hooks, same, dict(net.named_buffers())


found, hooks, same, _ = staged(2, 8, 81, False)
assert set(found) == {"stem", "stage1", "stage2", "stage3"}, "the keys should be the four parts"
for name, channels in (("stem", 4), ("stage1", 4), ("stage2", 6), ("stage3", 8)):
    check_shape(found[name], (2, channels), f"the features of {name}")
### BEGIN HIDDEN TESTS
for n, size, number, training in ((2, 8, 82, False), (3, 6, 83, True), (1, 8, 84, True)):
    net = small_net(3, seed=number).eval()
    found, hooks, same, buffers = staged(n, size, number, training)
    x = pictures(n, size, seed=number)[0]
    for name in ("stem", "stage1", "stage2", "stage3"):
        x = getattr(net, name)(x).detach()
        wanted = x.flatten(2).mean(2)
        check_close(found[name], wanted, f"the features of {name}", rtol=1e-3, atol=1e-5)
        assert not found[name].requires_grad, "the features should carry no gradient history"
    assert hooks == 0, "stage_features should leave no hook in the network"
    assert same, "stage_features should leave the modes as they were"
    for name, value in net.named_buffers():
        check_close(buffers[name], value, f"{name} after stage_features")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 16 · A linear probe
#
# A linear classifier on fixed features needs no training loop. Ridge regression to one-hot targets has a closed
# form and gives nearly the same accuracy. With features $x_i \in \mathbb R^C$ and one-hot labels $t_i$:
#
# 1. standardise each feature with the mean $\mu$ and the deviation $\sigma$ of the **training** features
#    (population deviation, divide by $N$; where a feature is constant take $\sigma = 1$): $\hat x = (x-\mu)/\sigma$;
# 2. minimise $\frac1N\sum_i \lVert \hat x_i W + b - t_i\rVert^2 + \lambda\lVert W\rVert^2$. The bias is not
#    penalised. Since $\hat x$ has mean zero, the solution is
#    $$b = \bar t, \qquad W = \Big(\tfrac1N \hat X^{\mathsf T}\hat X + \lambda I\Big)^{-1}\tfrac1N \hat X^{\mathsf T}T;$$
# 3. return a weight and a bias for the **raw** features, so that `features @ weight + bias` is $\hat x W + b$.
#
# `fit_probe(features, labels, num_classes, strength=0.1)` returns `(weight, bias)`, shapes `(C, K)` and `(K,)`;
# `strength` is $\lambda$. `features` is a tensor `(N, C)`, `labels` int64 `(N,)`; a class may be missing. Compute in
# float64 and return float32.

# %% nbgrader={"grade": false, "grade_id": "fit-probe", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fit_probe(features, labels, num_classes, strength=0.1):
    """Ridge regression to one-hot labels: (weight (C, K), bias (K,)) for raw features."""
    ### BEGIN SOLUTION
    x = features.double()  # (N, C)
    t = F.one_hot(labels, num_classes).double()  # (N, K)
    mean, std = x.mean(0), x.std(0, correction=0)
    std = torch.where(std > 0, std, 1.0)
    z = (x - mean) / std
    gram = z.T @ z / len(z) + strength * torch.eye(z.shape[1])  # (C, C)
    weight = torch.linalg.solve(gram, z.T @ t / len(z)) / std[:, None]  # (C, K)
    bias = t.mean(0) - mean @ weight
    return weight.float(), bias.float()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-fit-probe", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The values of the solution
@in_submission
def probed(features, labels, classes, *strength):
    weight, bias = fit_probe(features, labels, classes, *strength)
    return weight, bias


features = torch.tensor([[0.0], [2.0]])
weight, bias = probed(features, torch.tensor([0, 1]), 2, 1.0)
check_shape(weight, (1, 2), "the weight of a probe of 1 feature and 2 classes")
check_shape(bias, (2,), "its bias")
check_close(features @ weight + bias, [[0.75, 0.25], [0.25, 0.75]], "the probe's answers", atol=1e-5)
### BEGIN HIDDEN TESTS
def probe_here(x, labels, classes, strength):
    x, n = x.double(), len(x)
    std = ((x - x.mean(0)) ** 2).mean(0).sqrt()
    std[std == 0] = 1
    z = (x - x.mean(0)) / std
    target = torch.eye(classes, dtype=torch.float64)[labels]
    # One least-squares problem: the samples, then one row a feature for the penalty.
    top = torch.cat([z, torch.ones(n, 1)], 1) / n**0.5
    low = torch.cat([strength**0.5 * torch.eye(x.shape[1]), torch.zeros(x.shape[1], 1)], 1)
    right = torch.cat([target / n**0.5, torch.zeros(x.shape[1], classes)])
    w = torch.linalg.lstsq(torch.cat([top, low]), right).solution
    return lambda new: (((new.double() - x.mean(0)) / std) @ w[:-1] + w[-1]).float()


generator = torch.Generator().manual_seed(1215)
for n, c, classes, strength in ((20, 5, 3, 0.1), (6, 9, 2, 0.1), (30, 4, 4, 2.0)):
    x = 3 + torch.randn(n, c, generator=generator) * torch.logspace(-1, 1, c)
    y = torch.randint(classes, (n,), generator=generator)
    new = 3 + torch.randn(7, c, generator=generator)
    weight, bias = probed(x, y, classes, strength)
    assert weight.dtype == bias.dtype == torch.float32, "weight and bias should be float32"
    wanted = probe_here(x, y, classes, strength)
    check_close(new @ weight + bias, wanted(new), "the probe's answers", rtol=1e-3, atol=1e-3)
weight, bias = probed(x, y, classes)
wanted = probe_here(x, y, classes, 0.1)
check_close(new @ weight + bias, wanted(new), "the answers at the usual strength", rtol=1e-3, atol=1e-3)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-fit-probe-edges", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# A constant feature, a class without samples
x = torch.tensor([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]])
weight, bias = probed(x, torch.tensor([0, 2, 2]), 4, 0.1)
assert torch.isfinite(weight).all(), "a constant feature should not lead to infinite weights"
### BEGIN HIDDEN TESTS
check_shape(weight, (2, 4), "the weight for four classes")
check_close(weight[1], [0, 0, 0, 0], "the weights of a constant feature", atol=1e-5)
out = x @ weight + bias
check_close(out[:, [1, 3]], np.zeros((3, 2)), "the answers for classes without samples", atol=1e-5)
check_close(out.mean(0), [1 / 3, 0, 2 / 3, 0], "the mean answers over the training set", atol=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# Now the measurement: probes behind every part, for three tasks, in the trained network and in a random one of
# the same architecture (its averages are features too). 25 labels a class, three seeds.

# %% tags=["illustration"]
PARTS_SHOWN = ["stem", "stage1", "stage2", "stage3"]
seeds = range(1 if quick else 3)
figure, axes = plt.subplots(1, 3, figsize=(11, 3.1), sharey=True)
for axis, (name, (task, classes)) in zip(axes, TASKS.items()):
    for pretrained, label in ((True, "trained on CIFAR-10"), (False, "random weights")):
        scores = []
        for number in seeds:
            (x, y), (x_test, y_test) = task(25, number)
            net = start_net(pretrained, classes, number)
            if not pretrained:  # BatchNorm statistics of its own, those of all training pictures
                for module in net.modules():
                    if isinstance(module, nn.BatchNorm2d):
                        module.momentum = 1.0
                with torch.no_grad():
                    net.train()(x.to(device))
            here, there = stage_features(net, x), stage_features(net, x_test)
            row = []
            for part in PARTS_SHOWN:
                weight, bias = fit_probe(here[part], y, classes)
                answers = (there[part] @ weight + bias).argmax(1)
                row.append((answers == y_test).float().mean().item())
            scores.append(row)
        scores = np.array(scores)  # (seeds, parts)
        spread_of = scores.std(0, ddof=1) if len(scores) > 1 else None
        axis.errorbar(PARTS_SHOWN, scores.mean(0), spread_of, marker="o", capsize=4, label=label)
        print(f"{name:9s} {label:20s}", np.round(scores.mean(0), 3), f"n = {len(y_test)}")
    axis.set_title(f"{name}, 25 labels a class")
    axis.grid(alpha=0.3)
axes[0].set_ylabel("test accuracy of a linear probe")
axes[1].legend(loc="lower left")
figure.tight_layout()
plt.show()

# %% [markdown]
# Three tasks, three answers, so the rule of thumb is one. **Textures**: the best probe sits in the middle of the network, and
# behind `stage3` it is worse. That is "late layers are specific": the last stage keeps what tells ten objects apart, and lets
# go of the rest. **Faces**: hardly any difference, and even the stem is good. **Digits**: it climbs up to `stage2`, and the last
# stage neither adds much nor loses anything. And a network with **random** weights? Its averages are features too. Behind the
# stem they are *better* than the trained network's on textures and faces: 16 random filters are a fine start. But there they
# get worse with depth, and behind every stage the trained network is ahead: what it gains on the way, it has learned.
#
# The best stage for textures was read off the *test* set just now. In a report that would be cheating, which brings us to
# the next exercise.
#
# ### Exercise 17 · Choose without looking
#
# Which stage, which $\lambda$, which strategy? Every such choice is made on a **validation** set, cut from the
# training data. Who chooses by the test score reports the best of several lucky draws.
#
# `choose(candidates)` gets a list of `(name, validation, test)` and returns `(name, test)` of the candidate with the
# highest validation score; of several with the same one, the first.

# %% nbgrader={"grade": false, "grade_id": "choose", "locked": false, "schema_version": 3, "solution": true, "task": false}
def choose(candidates):
    """The (name, test score) of the candidate that is best on the validation set."""
    ### BEGIN SOLUTION
    name, _, test = max(candidates, key=lambda candidate: candidate[1])
    return name, test
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-choose", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The best on the validation set, with its own test score
name, test = choose([("a", 0.7, 0.9), ("b", 0.8, 0.6)])
assert name == "b", "the validation score decides"
### BEGIN HIDDEN TESTS
check_number(test, 0.6, "the test score that is reported")
name, test = choose([("a", 0.5, 0.9), ("b", 0.8, 0.6), ("c", 0.8, 0.7), ("d", 0.1, 1.0)])
assert name == "b", "of several with the same validation score the first should be chosen"
check_number(test, 0.6, "the test score that is reported")
name, test = choose([("last", 0.2, 0.3)])
assert name == "last" and test == 0.3, "one candidate alone is chosen"
### END HIDDEN TESTS

# %% [markdown]
# #### Question · Best of twenty
#
# Twenty candidates all have the same true accuracy, 80%. The test set has 100 pictures, so each measured test score
# scatters with a standard deviation of $\sqrt{0.8\cdot0.2/100} = 4\%$. You report the **best of the twenty test
# scores**. What will it be, on average? (Think of where the highest of twenty normal numbers lies, or draw some.)
#
# - `"a"`: about 80%
# - `"b"`: about 84%
# - `"c"`: about 87%
# - `"d"`: about 92%

# %% nbgrader={"grade": false, "grade_id": "q-best", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_best: one of "a", "b", "c", "d"
### BEGIN SOLUTION
q_best = "c"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-best", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The best of twenty equal candidates
assert q_best in ("a", "b", "c", "d"), "q_best should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_choice(q_best, "c", ["a", "b", "c", "d"], "q_best")
### END HIDDEN TESTS

# %%
draws = np.random.default_rng(seed).binomial(100, 0.8, size=(10_000, 20)) / 100
print(f"mean of one score {draws.mean():.3f}, mean of the best of twenty {draws.max(1).mean():.3f}")
# %% [markdown]
# ## Part 5 · The two tables, measured
#
# Lectures give advice as a table: how much data, how similar to the source. Two of them, side by side:
#
# | | a first lecture says | a second lecture says |
# |---|---|---|
# | **similar, little data** | freeze most layers, train a linear classifier | linear classifier on the top layer |
# | **similar, a lot** | fine-tune the **entire** network | fine-tune **a few** layers |
# | **different, little** | *do not* fine-tune; keep some initial layers, train a **custom network** on them | "you are in trouble"; **linear classifiers** from different stages |
# | **different, a lot** | fine-tune the entire network | fine-tune more layers, **or train from scratch** |
#
# #### Question · Do they agree?
#
# In how many of the four rows do the two give the **same** advice? (An alternative that only one of them offers makes
# a difference.)

# %% nbgrader={"grade": false, "grade_id": "q-agree", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_agree: a number of rows, 0 to 4
### BEGIN SOLUTION
q_agree = 1
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-agree", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# How many rows agree
check_number(q_agree, q_agree, "q_agree")
### BEGIN HIDDEN TESTS
check_number(q_agree, 1, "q_agree")
### END HIDDEN TESTS

# %% [markdown]
# So measure. Everything is there: three tasks, four strategies and scratch, *k* from 1 to 100 labels a class, three
# seeds. A seed decides which samples are labelled, the head's (or the network's) random weights, and the
# batches. Every training has 50 steps at learning rate 0.05 and 25 more at a tenth of it, with 24 samples a step,
# or all there are where that is fewer. That is the longest cell of this lesson: three to four minutes on one core.
#
# ### Exercise 18 · Mean, spread, error
#
# Three runs give three numbers. `spread(runs)` gets an array `(seeds, ...)` of scores and returns three arrays of
# shape `(...)`:
#
# - the mean over the seeds;
# - the **sample** standard deviation (divide by $n-1$), which says how far single runs scatter;
# - the standard error of the mean, $s/\sqrt n$, which says how well the mean is known.
#
# With one seed there is no spread to estimate: a **`ValueError`**.

# %% nbgrader={"grade": false, "grade_id": "spread", "locked": false, "schema_version": 3, "solution": true, "task": false}
def spread(runs):
    """Mean, sample standard deviation and standard error over axis 0 of (seeds, ...)."""
    ### BEGIN SOLUTION
    if len(runs) < 2:
        raise ValueError("one run says nothing about the spread")
    deviation = runs.std(0, ddof=1)
    return runs.mean(0), deviation, deviation / np.sqrt(len(runs))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-spread", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Mean, deviation, error
mean, deviation, error = spread(np.array([[1.0, 2.0], [3.0, 2.0]]))
check_close(mean, [2, 2], "the mean")
check_close(deviation, [2**0.5, 0], "the standard deviation")
check_close(error, [1, 0], "the standard error")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1218)
for shape in ((3, 4), (5,), (4, 2, 3)):
    runs = rng.random(shape)
    mean, deviation, error = spread(runs.copy())
    n = shape[0]
    centre = runs.sum(0) / n
    wanted = np.sqrt(((runs - centre) ** 2).sum(0) / (n - 1))
    check_close(mean, centre, f"the mean of {shape}")
    check_close(deviation, wanted, f"the standard deviation of {shape}")
    check_close(error, wanted / np.sqrt(n), f"the standard error of {shape}")
check_raises(ValueError, spread, rng.random((1, 4)))
### END HIDDEN TESTS

# %% [markdown]
# #### Question · Where will the frozen network win?
#
# Predict before you run. The competitors are a linear probe on the frozen features (`features`), and the same
# architecture from scratch. Each bar is the mean of three seeds. On which tasks has `features` the higher test accuracy?
#
# - `"a"`: on all three, at 5 and at 100 labels a class (50 for faces)
# - `"b"`: at 5 labels on textures and faces; on digits scratch is ahead at 100
# - `"c"`: nowhere: training from scratch is always better
# - `"d"`: on digits at every k, on textures and faces nowhere

# %% nbgrader={"grade": false, "grade_id": "q-winner", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_winner: one of "a", "b", "c", "d"
### BEGIN SOLUTION
q_winner = "b"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-winner", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Where frozen features win
assert q_winner in ("a", "b", "c", "d"), "q_winner should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_choice(q_winner, "b", ["a", "b", "c", "d"], "q_winner")
### END HIDDEN TESTS

# %% tags=["illustration"]
def train_and_settle(net, phases, x, y, number, factor):
    """STEPS steps at learning rate 0.05, then SETTLE with the last phase's parts at a tenth."""
    order = draw_batches(len(x), 24, STEPS + SETTLE, seed=number)
    finetune(net, phases, x, y, order[:STEPS], 0.05, factor)
    finetune(net, [(phases[-1][0], SETTLE)], x, y, order[STEPS:], 0.005, factor)


def run_once(strategy, task, k, number):
    """Test accuracy of one strategy on one task with k labels a class, and seconds of training."""
    make, classes = TASKS[task]
    (x, y), (x_test, y_test) = make(k, number)
    net = start_net(strategy != "scratch", classes, number)
    begin = time.perf_counter()
    if strategy == "features":  # cached, and in closed form
        weight, bias = fit_probe(cached_features(net, x), y, classes)
        net.head.load_state_dict({"weight": weight.T, "bias": bias})
    else:
        phases = plan("full" if strategy == "scratch" else strategy, STEPS)
        train_and_settle(net, phases, x, y, number, 1.0 if strategy == "scratch" else 0.1)
    took = time.perf_counter() - begin
    return accuracy(net, x_test, y_test, 250), took


STEPS, SETTLE = 50, 25
STRATEGIES = ["features", "partial", "combined", "full", "scratch"]
LABELS = {"textures": [1, 5, 25, 100], "faces": [1, 5, 25, 50], "digits": [1, 5, 25, 100]}
if quick:
    LABELS = {task: counts[1:3] for task, counts in LABELS.items()}
runs = range(2 if quick else 3)
results, begin = {}, time.process_time()
for task, counts in LABELS.items():
    for strategy in STRATEGIES:
        table = [[run_once(strategy, task, k, number) for k in counts] for number in runs]
        results[task, strategy] = np.array(table)  # (seeds, k, 2): accuracy, seconds
    print(f"{task} done after {time.process_time() - begin:.0f} s of CPU time")
figure, axes = plt.subplots(1, 3, figsize=(12, 3.8))
for axis, (task, counts) in zip(axes, LABELS.items()):
    for j, strategy in enumerate(STRATEGIES):
        mean, deviation, _ = spread(results[task, strategy][..., 0])
        places = np.array(counts) * 1.06 ** (j - 2)  # side by side, so that the bars can be read
        style = "--" if strategy == "scratch" else "-"
        axis.errorbar(places, mean, deviation, fmt=f"o{style}", ms=4, capsize=3, label=strategy)
    axis.set(xscale="log", xticks=counts, title=task, xlabel="labels a class")
    axis.set_xticks(counts, [str(k) for k in counts])
    axis.minorticks_off()
    axis.grid(alpha=0.3)
axes[0].set_ylabel("test accuracy")
axes[0].legend(fontsize=8)
figure.suptitle(f"mean and standard deviation of {len(runs)} seeds, {STEPS + SETTLE} steps", fontsize=10)
figure.tight_layout()
plt.show()
for task, counts in LABELS.items():
    print(f"\n{task:10s}" + "".join(f"{f'k = {k}':>16s}" for k in counts) + "    s at the largest k")
    for strategy in STRATEGIES:
        mean, deviation, _ = spread(results[task, strategy])
        cells = "".join(f"{m:10.3f} ± {d:.3f}" for m, d in zip(mean[:, 0], deviation[:, 0]))
        print(f"{strategy:10s}{cells}{mean[-1, 1]:10.2f}")

# %% [markdown]
# Now read the tables of the lectures again, cell by cell.
#
# - **One label a class**: look at the bars before you look at the means. Three pictures say more about the draw than
#   about a strategy. Scratch has the lowest mean on all three tasks (on digits by a hair), and more cannot be concluded here.
# - **Similar, little data** (textures and faces, 5 labels). Frozen features beat scratch on both, by about ten points. The
#   cheapest strategy, a probe in closed form on cached features, is done in a fraction of a second and within the bars of
#   the others. Which of the four comes first or last is a matter of the draw: your order may well differ from ours, and
#   neither means anything.
# - **Similar, more data** (25 labels and more). All that starts from trained weights moves together. On faces scratch
#   catches up, or nearly; on textures it does not, not even with 100.
# - **Different, little data** (digits, 1 and 5 labels). "You are in trouble", says the table. Trouble, yes. As frozen
#   features the trained weights gain little or nothing; fine-tuned, they beat scratch.
# - **Different, more data** (digits, 25 and 100 labels). Frozen features are the **worst** choice. Scratch has passed them, and
#   what helps is to let more of the network learn, its last stage at least, from whichever start.
#
# So one rule stands behind the tables: *the more labels, and the further away the task, the less you should freeze*. Where exactly
# one changes over is a measurement, not a rule. And know what this measurement is: one small network, three small tasks,
# three seeds, 75 steps each. With 384, 100 to 198 and 500 test pictures a difference of a point or two means nothing.
#
# ### The knob that matters most: the backbone's learning rate
#
# "A tenth" is a start, no law. The same full fine-tuning on digits, 25 labels a class, with other factors. Zero is a
# frozen backbone (whose BatchNorm still adapts, since its parameters are free); one treats it like the head. (It takes
# about 20 seconds.)

# %% tags=["illustration"]
factors = [0.0, 0.1, 1.0] if quick else [0.0, 0.1, 0.3, 1.0, 10.0]
known = results["digits", "full"][:, LABELS["digits"].index(25), 0]  # factor 0.1, run above
scores = []
for number in runs:
    (x, y), (x_test, y_test) = digit_task(25, number)
    row = []
    for factor in factors:
        if factor == 0.1:
            row.append(known[number])
            continue
        net = start_net(True, 10, number)
        train_and_settle(net, plan("full", STEPS), x, y, number, factor)
        row.append(accuracy(net, x_test, y_test, 250))
    scores.append(row)
mean, deviation, _ = spread(np.array(scores))
figure, axis = plt.subplots(figsize=(6.5, 3))
axis.errorbar(range(len(factors)), mean, deviation, fmt="o-", capsize=4, label="full fine-tuning")
for strategy, colour in (("scratch", "C3"), ("features", "C2")):
    level = results["digits", strategy][:, LABELS["digits"].index(25), 0].mean()
    axis.axhline(level, color=colour, linestyle="--", label=strategy)
axis.set_xticks(range(len(factors)), [str(factor) for factor in factors])
axis.set(xlabel="learning rate of the backbone / of the head (0.05)", ylabel="test accuracy")
axis.set_title(f"digits, 25 labels a class, {len(runs)} seeds, n = {len(y_test)}", fontsize=10)
axis.legend()
axis.grid(alpha=0.3)
plt.show()
print("  ".join(f"{factor}: {m:.3f} ± {d:.3f}" for factor, m, d in zip(factors, mean, deviation)))

# %% [markdown]
# Three things to see. A backbone that stands still (factor 0) is far below even `features`: its weights are frozen, its
# BatchNorm is not, the trap of part 2 once more. From a tenth to one the accuracy rises by one or two points: a tenth
# is *not* the best on this task. And even ten times the head's rate is no disaster here. If you can afford one sweep,
# sweep this.
#
# ### What the papers say, and what they do not
#
# - **Features off the shelf** (Donahue et al. 2014; Razavian et al. 2014): a linear classifier on ImageNet features
#   beat the hand-made pipelines of the time on a dozen tasks.
# - **"Fewer than a million images: pre-train first"** is a rule of thumb of 2014 to 2018, not a law. It depends on
#   task, model and schedule, as your own tables show: with 100 digits a class scratch passes frozen features and comes
#   near fine-tuning.
# - **Better source networks transfer better** (Kornblith et al. 2019): over 16 networks and 12 data sets, ImageNet accuracy
#   and accuracy after transfer rise together.
# - **Random networks do learn from few labels**, only worse: the dashed lines start low, not at chance.
# - **"Training from scratch is just as good"** (He, Girshick, Dollár 2019) is how a paper is often quoted. Read what it
#   says: the abstract of [arXiv:1811.08883](https://arxiv.org/abs/1811.08883) is enough for the question about it below.
#
# #### Question · Better here, worse there?
#
# The same study found tricks, label smoothing among them, that **raise** a network's ImageNet accuracy by pulling the
# features of a class tightly together. What happens to a linear classifier that is trained on such frozen features for
# *another* task? (The weights that you use were trained without label smoothing.)
#
# - `"a"`: it gets better too, by about as much
# - `"b"`: nothing: the head is new anyway
# - `"c"`: it gets worse: what told apart pictures within a class is gone from the features
# - `"d"`: it cannot be trained any more

# %% nbgrader={"grade": false, "grade_id": "q-smoothing", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_smoothing: one of "a", "b", "c", "d"
### BEGIN SOLUTION
q_smoothing = "c"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-smoothing", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# What label smoothing does to frozen features
assert q_smoothing in ("a", "b", "c", "d"), "q_smoothing should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_choice(q_smoothing, "c", ["a", "b", "c", "d"], "q_smoothing")
### END HIDDEN TESTS

# %% [markdown]
# #### Question · Rethinking ImageNet pre-training
#
# What did He, Girshick and Dollár (2019) show?
#
# - `"a"`: With few labels, random initialisation beats fine-tuning.
# - `"b"`: On COCO detection and segmentation, from scratch catches up when trained 2 to 3 times as long, even with
#   10% of COCO (about 10,000 pictures); pre-training speeds up convergence. Small data is another matter.
# - `"c"`: Pre-training never helps once there is a GPU.
# - `"d"`: Fine-tuned networks lie in one basin of the loss.

# %% nbgrader={"grade": false, "grade_id": "q-he", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_he: one of "a", "b", "c", "d"
### BEGIN SOLUTION
q_he = "b"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-he", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# What the paper shows
assert q_he in ("a", "b", "c", "d"), "q_he should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_choice(q_he, "b", ["a", "b", "c", "d"], "q_he")
### END HIDDEN TESTS

# %% [markdown]
# ## Part 6 · One valley or two
#
# What *is* transferred? Neyshabur, Sedghi and Zhang (2020, not the paper of the last question, to which
# slides have credited it) fine-tuned two networks from the same trained weights and walked from one to the other
# in a straight line: $\theta(t) = (1-t)\,\theta_A + t\,\theta_B$. If the loss stays low all the way, both lie
# in one **basin**. If it climbs over a **barrier**, they found different ones.
#
# ### Exercise 19 · Between two networks
#
# `interpolate(a, b, t)` gets two state dicts of the same network and returns a new one: $(1-t)\,a + t\,b$ for
# every floating-point tensor, and `a`'s own value for integers (`num_batches_tracked`). `a` and `b` stay as they
# are, and the result shares no memory with them.

# %% nbgrader={"grade": false, "grade_id": "interpolate", "locked": false, "schema_version": 3, "solution": true, "task": false}
def interpolate(a, b, t):
    """The state dict (1 - t) * a + t * b; integer tensors are copied from a."""
    ### BEGIN SOLUTION
    mixed = {}
    for name, value in a.items():
        mixed[name] = (
            (1 - t) * value + t * b[name] if value.is_floating_point() else value.clone()
        )
    return mixed
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-interpolate", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# On the line, at its ends, and integers apart
a = {"w": torch.tensor([0.0, 2.0]), "n": torch.tensor(3)}
b = {"w": torch.tensor([4.0, 2.0]), "n": torch.tensor(8)}
middle = interpolate(a, b, 0.25)
check_close(middle["w"], [1, 2], "a quarter of the way from [0, 2] to [4, 2]")
### BEGIN HIDDEN TESTS
assert set(middle) == {"w", "n"}, "every entry should be in the result"
check_number(middle["n"], 3, "an integer tensor of a")
assert middle["n"].dtype == torch.int64, "integers should stay integers"
a, b = dict(small_net(3, seed=91).state_dict()), dict(small_net(3, seed=92).state_dict())
before = {name: value.clone() for name, value in a.items()}
wanted = {name: torch.lerp(a[name].double(), b[name].double(), 0.3) for name in a if a[name].ndim}
mixed = interpolate(a, b, 0.3)
for name in wanted:
    check_close(mixed[name], wanted[name], name, atol=1e-6)
    check_close(a[name], before[name], f"{name} of a afterwards")
for t, end in ((0, before), (1, b)):
    mixed = interpolate(a, b, t)
    for name in wanted:
        check_close(mixed[name], end[name], f"{name} at t = {t}")


@in_submission
def shares_memory():
    a, b = dict(small_net(3, seed=93).state_dict()), dict(small_net(3, seed=94).state_dict())
    shared = []
    for t in (0, 0.5, 1):
        for name, value in interpolate(a, b, t).items():
            if value.data_ptr() in (a[name].data_ptr(), b[name].data_ptr()):
                shared.append((t, name))
    return shared


assert not shares_memory(), "the result should share no memory with a or b: copy"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 20 · Statistics that fit the weights
#
# A trap lies on the line. Halfway between two networks the activations are neither's, and BatchNorm's running
# statistics, averaged as well, describe a network that does not exist. The loss then jumps for a reason that has
# nothing to do with valleys. So at every point the statistics are estimated anew.
#
# `reestimate(net, images, batch=100)`:
#
# - forgets the running statistics of every `nn.BatchNorm2d` (there is `reset_running_stats`),
# - sends the images through in training mode, without gradients, in order, in batches of `batch` (the last may be
#   smaller),
# - so that afterwards `running_mean` and `running_var` are the **plain average over the batches** of what training
#   mode computes, each batch with the same weight. `momentum=None` makes PyTorch do just that;
# - leaves weights, momenta and the modes of all modules as they were, and returns `net`.

# %% nbgrader={"grade": false, "grade_id": "reestimate", "locked": false, "schema_version": 3, "solution": true, "task": false}
def reestimate(net, images, batch=100):
    """New BatchNorm statistics for ``net`` from these images, nothing else changed."""
    ### BEGIN SOLUTION
    place = next(net.parameters()).device
    modes = {module: module.training for module in net.modules()}
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    net.train()
    with torch.no_grad():
        for part in images.split(batch):
            net(part.to(place))
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    for module, training in modes.items():
        module.training = training
    return net
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-reestimate", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The statistics are the average over the batches
@in_submission
def reestimated(n, batch, seed, training=True):
    net = small_net(3, seed=seed).train()
    net(pictures(5, seed=7)[0])  # statistics of other pictures, to be forgotten
    net.train(training)
    net.stage2[1].eval()
    net.stage3[1].momentum = 0.3
    momenta = [m.momentum for m in net.modules() if hasattr(m, "momentum")]
    modes, outs = [m.training for m in net.modules()], []
    hook = net.head.register_forward_hook(lambda module, given, out: outs.append(out))
    rest = () if batch is None else (batch,)
    same_net = reestimate(net, pictures(n, seed=seed)[0], *rest) is net
    hook.remove()
    tidy = same_net and not any(out.requires_grad for out in outs)
    same_modes = modes == [m.training for m in net.modules()]
    same_momenta = momenta == [m.momentum for m in net.modules() if hasattr(m, "momentum")]
    return dict(net.state_dict()), same_modes, same_momenta, tidy


state, *_ = reestimated(6, 100, 101)
x = small_net(3, seed=101).stem[0](pictures(6, seed=101)[0]).detach()  # (6, 4, 8, 8)
check_close(state["stem.1.running_mean"], x.mean((0, 2, 3)), "the stem's running mean", atol=1e-5)
### BEGIN HIDDEN TESTS
for n, batch, number in ((6, 100, 102), (9, 4, 103), (8, 2, 104), (130, None, 107)):
    net, sums, count = small_net(3, seed=number), {}, 0
    for part in pictures(n, seed=number)[0].split(batch or 100):
        twin = small_net(3, seed=number).train()
        for module in twin.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0
        with torch.no_grad():
            twin(part)
        count += 1
        for name, value in twin.named_buffers():
            sums[name] = sums.get(name, 0) + value
    for training in (True, False):
        state, *_ = reestimated(n, batch, number, training)
        for name in sums:
            if "num_batches" not in name:
                check_close(state[name], sums[name] / count, name, rtol=1e-3, atol=1e-4)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-reestimate-rest", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Weights, momenta and modes stay, no gradients are recorded, the network is returned
state, same_modes, same_momenta, tidy = reestimated(6, 4, 105)
assert same_modes, "every module should be in the mode in which it was found"
### BEGIN HIDDEN TESTS
assert same_momenta, "the momentum of every BatchNorm should be what it was"
for training in (True, False):
    state, same_modes, same_momenta, tidy = reestimated(6, 4, 106, training)
    assert same_modes and same_momenta, "modes and momenta should be as they were"
    assert tidy, "reestimate should record no gradients, and return the network that it was given"
    for name, value in small_net(3, seed=106).named_parameters():
        check_close(state[name], value.detach(), f"{name} afterwards")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 21 · How high is the barrier
#
# `barrier(losses)` gets the losses at equally spaced points of the line, from $t=0$ to $t=1$, ends included (two at
# least). It returns by how much the curve rises **above the straight line between its ends**:
#
# $$\max_t\;\big[\,L(t) - \big((1-t)\,L(0) + t\,L(1)\big)\big].$$
#
# A curve that sags below has barrier 0, which the ends themselves give.
#
# **Example.** `barrier([0, 2, 1])` is 1.5.

# %% nbgrader={"grade": false, "grade_id": "barrier", "locked": false, "schema_version": 3, "solution": true, "task": false}
def barrier(losses):
    """Largest height of equally spaced losses above the line between the first and the last."""
    ### BEGIN SOLUTION
    line = np.linspace(losses[0], losses[-1], len(losses))
    return np.max(losses - line)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-barrier", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The height above the line between the ends
check_number(barrier([0, 2, 1]), 1.5, "barrier([0, 2, 1])", rtol=1e-6)
### BEGIN HIDDEN TESTS
for losses, wanted in (
    ([3.0, 1.0, 1.0], 0.0),
    ([1.0, 4.0, 3.0, 1.0], 3.0),
    ([4.0, 4.0, 4.0, 4.0, 0.0], 3.0),
    ([0.0, 0.0, 0.0, 0.0, 8.0], 0.0),
    ([5.0, 5.0], 0.0),
):
    got = barrier(losses)
    assert abs(float(got) - wanted) < 1e-9, f"barrier({losses}) is {got}, which is not right"
### END HIDDEN TESTS

# %% [markdown]
# #### Question · Predict the barriers
#
# Two networks are fine-tuned from the zoo's weights, with the same head to begin with and different batches. Two more are
# trained from different random weights. All four learn the same 1,000 digits until they are nearly always right. Statistics
# are re-estimated along the line. What do you expect? (Answer first; the experiment below takes about 20 seconds.)
#
# - `"a"`: no barrier for either pair
# - `"b"`: a high barrier for both
# - `"c"`: almost none between the fine-tuned two, a high one between the two random ones
# - `"d"`: the other way round

# %% nbgrader={"grade": false, "grade_id": "q-basin", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_basin: one of "a", "b", "c", "d"
### BEGIN SOLUTION
q_basin = "c"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-basin", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Who has a barrier
assert q_basin in ("a", "b", "c", "d"), "q_basin should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_choice(q_basin, "c", ["a", "b", "c", "d"], "q_basin")
### END HIDDEN TESTS

# %% tags=["illustration"]
(x, y), (x_test, y_test) = digit_task(100, seed)
steps = 60 if quick else 150


x_half, y_half = x[::2], y[::2]  # every other training picture is enough to see the loss


def loss_of(net):
    """Mean cross-entropy over half of the training set, in evaluation mode."""
    net.eval()
    with torch.inference_mode():
        parts = zip(x_half.split(250), y_half.split(250))
        sums = [F.cross_entropy(net(a.to(device)), b.to(device), reduction="sum") for a, b in parts]
    return sum(s.item() for s in sums) / len(x_half)


pairs = {}
for kind, pretrained, starts in (("fine-tuned", True, (7, 7)), ("from scratch", False, (7, 8))):
    ends = []
    for number, start in enumerate(starts):
        net = start_net(pretrained, 10, start)
        order = draw_batches(len(x), 32, steps, seed=100 + number)
        finetune(net, plan("full", steps), x, y, order, 0.05, 0.5 if pretrained else 1.0)
        ends.append(copy.deepcopy(net.state_dict()))
        print(f"{kind} {number}: test accuracy {accuracy(net, x_test, y_test, 250):.3f}", end="  ")
    pairs[kind] = ends
    print()
points = np.linspace(0, 1, 7 if quick else 11)
figure, axes = plt.subplots(1, 2, figsize=(10, 3.2), sharey=True)
net = start_net(False, 10, 0)
for axis, anew in zip(axes, (True, False)):
    for kind, (a, b) in pairs.items():
        curve = []
        for t in points:
            net.load_state_dict(interpolate(a, b, float(t)))
            curve.append(loss_of(reestimate(net, x_half, 250) if anew else net))
        axis.plot(points, curve, "o-", ms=4, label=f"{kind}: barrier {barrier(curve):.2f}")
    axis.set_title("statistics re-estimated" if anew else "statistics interpolated", fontsize=10)
    axis.set_xlabel("t, from one network to the other")
    axis.grid(alpha=0.3)
    axis.legend(loc="upper right")
axes[0].set_ylim(top=1.3 * axes[0].get_ylim()[1])  # room for the legends
axes[0].set_ylabel(f"training loss, n = {len(x_half)}")
figure.tight_layout()
plt.show()

# %% [markdown]
# **Left.** From one fine-tuned network to the other the loss stays where it is: one basin. Between the two that were trained from
# scratch stands a barrier, although at both ends they solve the same task. Two random networks number their hidden units
# differently: the mean of unit 5 here and unit 5 there is neither. (Bring the units into the same order first, and most of the
# barrier goes away: Ainsworth et al. 2023.) What transfer learning hands over is not only features: it is a *place*.
#
# **Right.** The same line with interpolated statistics. Part of what looked like a barrier was BatchNorm. An experiment
# that forgets to re-estimate measures its own mistake.
#
# ## Part 7 · On a GPU
#
# Everything above ran on whatever `device` is. This part makes it fast on a GPU, and the functions work, and are
# graded, on a CPU as well.
#
# ### Exercise 22 · A loader that does not keep the GPU waiting
#
# Copies from ordinary ("pageable") memory go through a staging buffer and make the program wait. From **pinned**
# (page-locked) memory the GPU fetches by itself, and with `non_blocking=True` the program prepares
# the next batch meanwhile. Both together overlap; one alone does not. Pinning is of no use without a GPU.
#
# `make_loader(images, labels, batch, device, seed=0)` returns a `torch.utils.data.DataLoader` of `(image, label)`
# pairs that
#
# - gives batches of `batch`, the last may be smaller, **shuffled** anew each epoch;
# - draws its order from a generator of its own, seeded with `seed`: two loaders with the same seed agree;
# - has `pin_memory=True` exactly if `device` is a CUDA device. `device` is a string or a `torch.device`.

# %% nbgrader={"grade": false, "grade_id": "make-loader", "locked": false, "schema_version": 3, "solution": true, "task": false}
def make_loader(images, labels, batch, device, seed=0):
    """A shuffling, seeded DataLoader of (images, labels); pinned memory for CUDA only."""
    ### BEGIN SOLUTION
    return DataLoader(
        TensorDataset(images, labels),
        batch_size=batch,
        shuffle=True,
        generator=torch.Generator().manual_seed(seed),
        pin_memory=torch.device(device).type == "cuda",
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-make-loader", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Every sample once an epoch, shuffled, reproducible, pinned for CUDA only
@in_submission
def epochs_of(n, batch, seed, epochs, others=0):  # seed None: make_loader's own
    import torch

    x, y = pictures(n, 4, seed=1)
    x[:, 0, 0, 0] = torch.arange(n)
    loader = make_loader(x, y, batch, "cpu", *(() if seed is None else (seed,)))
    torch.manual_seed(others)  # other code draws numbers too
    return [[(a[:, 0, 0, 0].tolist(), b.tolist()) for a, b in loader] for _ in range(epochs)]


@in_submission
def pinned(device, as_object):
    import torch

    x, y = pictures(4, 4)
    return make_loader(x, y, 2, torch.device(device) if as_object else device).pin_memory


(epoch,) = epochs_of(7, 3, 0, 1)
assert [len(b) for _, b in epoch] == [3, 3, 1], "7 samples make batches of 3, 3 and 1"
### BEGIN HIDDEN TESTS
labels = pictures(20, 4, seed=1)[1]
first, second = epochs_of(20, 6, 5, 2)
orders = []
for epoch in (first, second):
    order = [int(number) for a, _ in epoch for number in a]
    orders.append(order)
    check_close([y for _, b in epoch for y in b], labels[order], "the labels in the epoch's order")
    check_close(sorted(order), np.arange(20), "all samples of an epoch, sorted")
assert orders[0] != orders[1] and orders[0] != sorted(orders[0]), "each epoch has its own order"
again = [int(number) for a, _ in epochs_of(20, 6, 5, 1, 77)[0] for number in a]
assert again == orders[0], "the same seed should give the same order"
other = [int(number) for a, _ in epochs_of(20, 6, 6, 1, 77)[0] for number in a]
assert other != orders[0], "another seed should give another order"
usual, zero = (epochs_of(20, 6, number, 1)[0] for number in (None, 0))
assert usual == zero, "without a seed the order should be that of seed 0"
for as_object in (False, True):
    assert pinned("cpu", as_object) is False, "on a CPU there is nothing to pin"
    assert pinned("cuda", as_object) is True, "for a CUDA device memory should be pinned"
assert pinned("cuda:1", False) is True, "'cuda:1' is a CUDA device too"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 23 · A step in mixed precision
#
# `torch.autocast` runs convolutions and matrix products in bfloat16, half as many bytes and much faster on recent GPUs
# (and on some CPUs), and what needs precision in float32. **The weights stay float32.** Only the forward pass
# and the loss belong inside; the backward pass follows the forward's types by itself.
#
# `amp_step(net, optimizer, x, y, amp=True)` does one training step and returns the loss, a float:
#
# 1. moves `x`, `y` to the network's device;
# 2. under `torch.autocast` **for the network's device type** with dtype bfloat16, switched on only if `amp`: logits and
#    mean cross-entropy;
# 3. outside: clear old gradients, backward, step.
#
# The mode of the network is the caller's business. (float16 would also need a `GradScaler`, since its smallest numbers
# are not small enough for gradients. bfloat16 has float32's range.)

# %% nbgrader={"grade": false, "grade_id": "amp-step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def amp_step(net, optimizer, x, y, amp=True):
    """One training step, the forward pass in bfloat16 where autocast allows; returns the loss."""
    ### BEGIN SOLUTION
    place = next(net.parameters()).device
    x, y = move((x, y), place)
    with torch.autocast(place.type, dtype=torch.bfloat16, enabled=amp):
        loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-amp-step", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Without amp: an ordinary float32 step
@in_submission
def stepped(steps, amp, seed):
    import torch

    net = small_net(3, seed=seed).train()
    seen = []
    net.stage1[0].register_forward_hook(lambda m, i, out: seen.append(str(out.dtype)))
    sgd = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    x, y = pictures(6, seed=seed)
    rest = () if amp is None else (amp,)
    losses = [amp_step(net, sgd, x, y, *rest) for _ in range(steps)]
    kinds = sorted({str(p.dtype) for p in net.parameters()})
    return losses, dict(net.state_dict()), seen, kinds


losses, state, seen, kinds = stepped(1, False, 111)
assert isinstance(losses[0], float), "amp_step should return a float"
### BEGIN HIDDEN TESTS
def stepped_here(steps, amp, seed):
    net = small_net(3, seed=seed).train()
    sgd = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    x, y = pictures(6, seed=seed)
    losses = []
    for _ in range(steps):
        with torch.autocast("cpu", torch.bfloat16, enabled=amp):
            loss = F.cross_entropy(net(x), y)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        losses.append(loss.item())
    return losses, net.state_dict()


for steps, number in ((1, 112), (3, 113)):
    wanted, weights = stepped_here(steps, False, number)
    losses, state, seen, kinds = stepped(steps, False, number)
    check_close(losses, wanted, "the losses in float32", rtol=1e-4, atol=1e-5)
    assert set(seen) == {"torch.float32"}, "without amp the convolutions should run in float32"
    for name, value in weights.items():
        check_close(state[name], value, f"{name} after {steps} float32 steps", rtol=1e-3, atol=1e-4)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-amp-step-bf16", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# With amp: convolutions in bfloat16, weights in float32
losses, state, seen, kinds = stepped(1, True, 114)
assert kinds == ["torch.float32"], "the weights should stay float32"
### BEGIN HIDDEN TESTS
assert set(seen) == {"torch.bfloat16"}, "with amp the convolutions should run in bfloat16"
assert set(stepped(1, None, 114)[2]) == {"torch.bfloat16"}, "amp should be on unless it is refused"
for steps, number in ((1, 115), (2, 116)):
    wanted, weights = stepped_here(steps, True, number)
    losses, state, seen, kinds = stepped(steps, True, number)
    assert kinds == ["torch.float32"], "the weights should stay float32"
    check_close(losses, wanted, "the losses in bfloat16", rtol=0.02, atol=0.02)
    for name, value in weights.items():
        if "num_batches" not in name:
            check_close(state[name], value, f"{name} after {steps} steps", rtol=0.05, atol=0.03)
### END HIDDEN TESTS

# %% [markdown]
# #### Question · Channels last
#
# `x.to(memory_format=torch.channels_last)` keeps the shape `(N, C, H, W)` and every index, and changes only how
# the numbers lie in memory: the channels of one pixel next to each other. Convolutions on GPUs with tensor cores
# like that. What is `x.stride()` then for `x` of shape `(2, 3, 4, 5)`? (A tuple of four numbers; in the usual layout it
# is `(60, 20, 5, 1)`.)

# %% nbgrader={"grade": false, "grade_id": "q-strides", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_strides: a tuple of four numbers
### BEGIN SOLUTION
q_strides = (60, 1, 15, 3)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-strides", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The strides of a channels-last tensor
check_shape(q_strides, (4,), "q_strides")
### BEGIN HIDDEN TESTS
check_close(q_strides, (60, 1, 15, 3), "q_strides")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 24 · Honest timing
#
# A GPU works **asynchronously**: Python queues work and goes on. A clock around a call measures how long it
# took to *ask*. And the first calls are slow for other reasons: kernels are chosen, memory is allocated. So warm up
# first, and on a GPU let **CUDA events** take the time on the device itself.
#
# `timed(function, device, repeats=10, warmup=3)` calls `function()` exactly `warmup + repeats` times, and returns the
# times of the last `repeats` calls in **milliseconds**, a list of floats:
#
# - on CUDA: `torch.cuda.Event(enable_timing=True)` recorded before and after each call, `torch.cuda.synchronize()`
#   once at the end, then `start.elapsed_time(end)`;
# - elsewhere: `time.perf_counter()` around each call.

# %% nbgrader={"grade": false, "grade_id": "timed", "locked": false, "schema_version": 3, "solution": true, "task": false}
def timed(function, device, repeats=10, warmup=3):
    """Milliseconds of each of ``repeats`` calls after ``warmup`` that are not counted."""
    ### BEGIN SOLUTION
    cuda = torch.device(device).type == "cuda"

    def mark():
        """This moment: a recorded CUDA event, or seconds."""
        if not cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    marks = []
    for k in range(warmup + repeats):
        start = mark()
        function()
        if k >= warmup:
            marks.append((start, mark()))
    if not cuda:
        return [1000 * (end - start) for start, end in marks]
    torch.cuda.synchronize()
    return [start.elapsed_time(end) for start, end in marks]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-timed", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# As many calls and times as asked, in milliseconds
@in_submission
def timed_calls(repeats, warmup, as_object):
    import time
    import torch

    calls = []

    def work():
        calls.append(1)
        time.sleep(0.02 if len(calls) > warmup else 0)

    begin = time.perf_counter()
    times = timed(work, torch.device("cpu") if as_object else "cpu", repeats, warmup)
    return len(calls), [float(t) for t in times], 1000 * (time.perf_counter() - begin)


@in_submission
def usual_calls():
    calls = []
    times = timed(lambda: calls.append(1), "cpu")
    return len(calls), len(times)


calls, times, _ = timed_calls(2, 1, False)
assert calls == 3, f"1 warm-up and 2 timed calls make 3, yours made {calls}"
check_shape(times, (2,), "the times")
### BEGIN HIDDEN TESTS
calls, times, whole = timed_calls(3, 2, True)
assert calls == 5, f"2 warm-up and 3 timed calls make 5, yours made {calls}"
check_shape(times, (3,), "the times of 3 calls")
assert min(times) >= 19, "a call that sleeps 20 ms should take 20 ms or more, in milliseconds"
assert sum(times) <= 1.01 * whole, "all calls together cannot take longer than timed itself"
calls, times, _ = timed_calls(2, 0, True)
assert calls == 2 and len(times) == 2, "without warm-up every call is timed"
assert usual_calls() == (13, 10), "unless told otherwise timed warms up 3 times and times 10 calls"
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 25 · Where the memory goes
#
# A GPU runs out of memory long before it runs out of patience. Weights, gradients and momentum of a ResNet-20 take
# 3 × 1.1 MB. The rest is **activations**, kept for the backward pass, and they grow with the batch. PyTorch
# lets you watch: `torch.autograd.graph.saved_tensors_hooks(pack, unpack)` calls `pack(tensor)` for each tensor
# that it keeps, on any device.
#
# `saved_bytes(net, x)` runs `net(x)` once, in the mode the network is in, and returns the bytes that autograd keeps:
#
# - **storages**, not tensors: `t.untyped_storage()`, with its `data_ptr()` and `nbytes()`. A storage that is saved
#   twice counts once;
# - storages of the network's own parameters and buffers do not count: they are there anyway;
# - `x` counts if it is saved, as any other.

# %% nbgrader={"grade": false, "grade_id": "saved-bytes", "locked": false, "schema_version": 3, "solution": true, "task": false}
def saved_bytes(net, x):
    """Bytes that one forward pass keeps for the backward pass, without the network's own."""
    ### BEGIN SOLUTION
    own = {t.untyped_storage().data_ptr() for t in (*net.parameters(), *net.buffers())}
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = net(x)  # bound, so that nothing kept is freed and no address comes twice  # noqa: F841
    return sum(kept.values())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-saved-bytes", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Each storage once, the network's own left out
@in_submission
def saved_linear(n):
    import torch
    from torch import nn

    net = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2))
    return saved_bytes(net, torch.zeros(n, 6))


# Saved are x (n·6 numbers) and the ReLU's output (n·4), which ReLU and the next layer share.
check_number(saved_linear(5), 4 * 5 * (6 + 4), "what two linear layers keep for 5 samples")
### BEGIN HIDDEN TESTS
def saved_here(net, x):
    kept, out = [], None
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        out = net(x)
    own = {t.untyped_storage().data_ptr() for t in [*net.parameters(), *net.buffers()]}
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in kept}
    return sum(size for pointer, size in storages.items() if pointer not in own)


@in_submission
def saved_small(n, size, training, frozen_parts):
    net = small_net(3, seed=121).train(training)
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(name.split(".")[0] not in frozen_parts)
    return saved_bytes(net, pictures(n, size, seed=1)[0])


check_number(saved_linear(32), 4 * 32 * 10, "what two linear layers keep for 32 samples")
BACKBONE = ["stem", "stage1", "stage2", "stage3"]
for n, size, training, frozen_parts in (
    (2, 8, True, []),
    (5, 6, True, []),
    (2, 8, False, []),
    (3, 8, True, ["stem", "stage1"]),
    (4, 8, False, BACKBONE),
):
    net = small_net(3, seed=121).train(training)
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(name.split(".")[0] not in frozen_parts)
    wanted = saved_here(net, pictures(n, size, seed=1)[0])
    got = saved_small(n, size, training, frozen_parts)
    check_number(got, wanted, f"the bytes kept for {n} pictures with {frozen_parts} frozen")
### END HIDDEN TESTS

# %% [markdown]
# #### Question · A frozen backbone's memory
#
# The backbone of a ResNet-20 is frozen (`freeze(net, ["head"])`, `train_mode(net)`), only the head is trained. A
# batch of 32 pictures, float32. How many **bytes** does autograd keep for the backward pass of `net(x)`, the network's own
# weights apart? Think about what the gradient of a linear layer's weight needs, and what a frozen layer needs.

# %% nbgrader={"grade": false, "grade_id": "q-saved", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_saved: a number of bytes
### BEGIN SOLUTION
q_saved = 32 * 64 * 4
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-saved", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The bytes that a frozen backbone leaves to keep
check_number(q_saved, q_saved, "q_saved")
### BEGIN HIDDEN TESTS
check_number(q_saved, 8192, "q_saved")
### END HIDDEN TESTS

# %% tags=["illustration"]
x, _ = pictures(32, 32)
rows = {"features": ["head"], "partial": ["stage3", "head"], "full": ["stem", "stage1", "stage2", "stage3", "head"]}
for strategy, parts in rows.items():
    net = resnet20(pretrained=True).to(device)
    freeze(net, parts)
    train_mode(net)
    kept = saved_bytes(net, x.to(device))
    print(f"{strategy:9s} keeps {kept:>12,d} bytes for 32 pictures of 32 × 32")

# %% [markdown]
# Feature extraction keeps next to nothing, full fine-tuning over a megabyte a picture. If memory is what you lack, what
# you freeze decides, and so does the batch.
#
# ### Your device
#
# The next cell measures a training step of ResNet-20 on your `device` in several ways, with your `timed` and
# `amp_step`. On a CPU it is a short comparison. The rows that need CUDA are skipped there, with a note.

# %% tags=["illustration"]
def step_time(batch, amp, last, compiled=False):
    """Milliseconds of one training step (median), and pictures a second."""
    net = resnet20(pretrained=True).to(device).train()
    x, y = pictures(batch, 32)
    x, y = x.to(device), y.to(device)
    if last:
        net, x = (t.to(memory_format=torch.channels_last) for t in (net, x))
    runner = torch.compile(net) if compiled else net
    sgd = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
    few = device.type == "cpu"
    step = lambda: amp_step(runner, sgd, x, y, amp)  # noqa: E731
    milliseconds = float(np.median(timed(step, device, 3 if few else 30, 1 if few else 10)))
    return milliseconds, 1000 * batch / milliseconds


cuda = device.type == "cuda"
name = torch.cuda.get_device_name() if cuda else f"CPU, {torch.get_num_threads()} threads"
batch = 512 if cuda else 32
print(f"one training step of ResNet-20, batch {batch}, 32 × 32, on {name}, PyTorch {torch.__version__}")
variants = [(amp, last, False) for amp in (False, True) for last in (False, True)]
for amp, last, compiled in variants + ([(True, True, True)] if cuda else []):
    milliseconds, rate = step_time(batch, amp, last, compiled)
    words = ["bfloat16" if amp else "float32"] + ["channels-last"] * last + ["compiled"] * compiled
    print(f"{', '.join(words):34s} {milliseconds:8.2f} ms {rate:10,.0f} pictures/s")
if not cuda:
    print("no CUDA device: torch.compile, pinned copies, memory and the profiler are skipped")
else:
    size = (2048, 3, 32, 32)
    sources = {"pageable": torch.zeros(size), "pinned": torch.zeros(size).pin_memory()}
    for kind, source in sources.items():
        copy_ms = np.median(timed(lambda s=source: s.to(device, non_blocking=True), device, 30))
        print(f"copy of {source.nbytes / 1e6:.0f} MB from {kind} memory: {copy_ms:.2f} ms")
    for size in (64, 256, 1024, 4096):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        step_time(size, True, True)
        print(f"batch {size:5d}: peak {torch.cuda.max_memory_allocated() / 2**20:8.0f} MiB")
    from torch.profiler import ProfilerActivity, profile

    net = resnet20(pretrained=True).to(device)
    sgd = torch.optim.SGD(net.parameters(), lr=0.001)
    x, y = pictures(512, 32)
    amp_step(net, sgd, x, y)
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as recorded:
        for _ in range(5):
            amp_step(net, sgd, x, y)
    print(recorded.key_averages().table(sort_by="cuda_time_total", row_limit=8))

# %% [markdown]
# No GPU was at hand where the solution of this notebook was run: its numbers are a CPU's, and the rows for CUDA are not in
# it, so we print no GPU table that we have not measured. On yours, look for this:
#
# - bfloat16 with channels-last against float32: tensor cores work on 16-bit numbers, and channels-last spares them a rearrangement.
#   `torch.compile` then fuses what lies between the convolutions.
# - the copy from pinned memory against the pageable one, in bytes per second;
# - the peak memory: how does it grow from batch to batch? Compare with `saved_bytes`;
# - the profiler's table: are the first rows convolutions and batch norm, or copies and waiting? A GPU that waits for its data
#   gains nothing from faster arithmetic.
#
# ## Part 8 · Where transfer is used
#
# A classifier's backbone is the start of most vision systems. What changes is the head, and what it is attached to:
#
# | task | head | attached to |
# |---|---|---|
# | your own classes | linear layer | pooled features, `net.features(x)` |
# | semantic segmentation (FCN) | 1 × 1 convolution to class scores, upsampled | feature maps, `net.stage3` and earlier |
# | detection (SSD, YOLO, RetinaNet) | convolutions to classes and box corners | feature maps of several stages |
# | pose | convolutions to one heat map a joint | feature maps |
# | captions, scene graphs | a language model, with word vectors (word2vec) for its words | pooled features or feature maps |
#
# A classic exercise of these lectures takes VGG-16, freezes its convolutions and retrains its fully connected layers for two
# classes of your own. With `freeze` it is one line, and `new_head` needs a net with a `head`. To read on, outside this
# course: autoencoders (image to image, no labels), instance segmentation (Mask R-CNN), video, and WaveNet, which builds
# speech sample by sample with dilated causal convolutions.
#
# #### Question · The odd one out
#
# Which of these does **not** begin with the backbone of a trained image classifier?
#
# - `"a"`: FCN, which labels every pixel of a photograph
# - `"b"`: RetinaNet, which finds objects in a photograph
# - `"c"`: a network that writes captions for photographs
# - `"d"`: WaveNet, which generates speech

# %% nbgrader={"grade": false, "grade_id": "q-uses", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_uses: one of "a", "b", "c", "d"
### BEGIN SOLUTION
q_uses = "d"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-uses", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Which one needs no image classifier
assert q_uses in ("a", "b", "c", "d"), "q_uses should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_choice(q_uses, "d", ["a", "b", "c", "d"], "q_uses")
### END HIDDEN TESTS

# %% [markdown]
# Weights to start from are in model zoos: `torchvision.models`, `timm`, Hugging Face Hub, Keras applications. A good one
# comes with a card that says how it was trained, like `course.zoo.card()`.
#
# #### Question · Somebody else's weights
#
# You replace the zoo's network by one from a hub, with parts of the same names. Its card says: *ImageNet, 224 × 224,
# values in [0, 1], mean (0.485, 0.456, 0.406), deviation (0.229, 0.224, 0.225)*. Your code runs without an error, and the
# accuracy is disappointing. What do you correct first?
#
# - `"a"`: `to_network`: its size, mean and deviation
# - `"b"`: `new_head`: ImageNet has 1,000 classes
# - `"c"`: the seed
# - `"d"`: nothing: transfer does not work for this task

# %% nbgrader={"grade": false, "grade_id": "q-hub", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_hub: one of "a", "b", "c", "d"
### BEGIN SOLUTION
q_hub = "a"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-hub", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# What has to fit somebody else's weights
assert q_hub in ("a", "b", "c", "d"), "q_hub should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_choice(q_hub, "a", ["a", "b", "c", "d"], "q_hub")
### END HIDDEN TESTS

# %% [markdown]
# ## Summary
#
# | question | answer |
# |---|---|
# | what does `requires_grad = False` freeze? | parameters, not BatchNorm's statistics |
# | what else is needed? | evaluation mode for frozen BatchNorm, after every `train()` |
# | in which order? | new head, freeze, *then* the optimizer; again for each phase |
# | how fast? | new head at full rate, backbone slower; the factor is worth a sweep |
# | same backbone, many epochs? | cache the features, unless you augment |
# | which strategy? | measured: source close, few labels: frozen. Source far, more labels: train it |
# | how sure? | three seeds at least, their spread drawn; choices by validation |
# | what is transferred? | a basin: fine-tuned networks are connected, random ones are not |
# | GPU | one `device`; pinned + non-blocking; autocast; channels-last; events, not clocks |
#
# ## References
#
# - J. Yosinski, J. Clune, Y. Bengio, H. Lipson: *How transferable are features in deep neural networks?*, NeurIPS 2014,
#   [arXiv:1411.1792](https://arxiv.org/abs/1411.1792).
# - J. Donahue et al.: *DeCAF*, ICML 2014, [arXiv:1310.1531](https://arxiv.org/abs/1310.1531).
# - A. Razavian, H. Azizpour, J. Sullivan, S. Carlsson: *CNN features off-the-shelf*, CVPR workshops 2014,
#   [arXiv:1403.6382](https://arxiv.org/abs/1403.6382).
# - G. Alain, Y. Bengio: *Understanding intermediate layers using linear classifier probes*, 2016,
#   [arXiv:1610.01644](https://arxiv.org/abs/1610.01644).
# - K. He, R. Girshick, P. Dollár: *Rethinking ImageNet pre-training*, ICCV 2019,
#   [arXiv:1811.08883](https://arxiv.org/abs/1811.08883).
# - S. Kornblith, J. Shlens, Q. Le: *Do better ImageNet models transfer better?*, CVPR 2019,
#   [arXiv:1805.08974](https://arxiv.org/abs/1805.08974).
# - B. Neyshabur, H. Sedghi, C. Zhang: *What is being transferred in transfer learning?*, NeurIPS 2020,
#   [arXiv:2008.11687](https://arxiv.org/abs/2008.11687).
# - S. Ainsworth, J. Hayase, S. Srinivasa: *Git Re-Basin*, ICLR 2023, [arXiv:2209.04836](https://arxiv.org/abs/2209.04836).
# - K. He, X. Zhang, S. Ren, J. Sun: *Deep residual learning for image recognition*, CVPR 2016,
#   [arXiv:1512.03385](https://arxiv.org/abs/1512.03385). The ResNet-20 of section 4.2.
# - A. Krizhevsky: *Learning multiple layers of features from tiny images*, 2009. CIFAR-10.
# - G. Huang et al.: *Labeled faces in the wild*, 2007; the 200 pictures are scikit-image's subset.
# - S. Kornblith, T. Chen, H. Lee, M. Norouzi: *Why do better loss functions lead to less transferable features?*, NeurIPS
#   2021, [arXiv:2010.16402](https://arxiv.org/abs/2010.16402). Label smoothing.
# - To read on: [cs231n.github.io](https://cs231n.github.io), Stanford's course, with notes on transfer learning; I. Goodfellow,
#   Y. Bengio, A. Courville: *Deep learning*, [deeplearningbook.org](https://www.deeplearningbook.org); model hubs:
#   [pytorch.org/vision](https://pytorch.org/vision), [huggingface.co](https://huggingface.co/models).
