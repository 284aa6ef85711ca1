# ---
# jupyter:
#   autograder:
#     packages:
#     - numpy
#     - matplotlib
#     - torch
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
# # 05 · Training a CNN
#
# A network's equations fit on one page. Whether it *learns* depends on things that the page leaves out: how large the
# first random weights are, what scale the data has, which bend sits between the layers, what is switched off
# in training and on again in the test. Lectures hand these out as rules of thumb. This lesson takes each
# rule, writes it down exactly, builds it, and then measures on real digits whether it does what is said of it. Some
# of the rules turn out to be wrong as printed, and one true elsewhere but not here.
#
# **Time** 6 to 7 hours · **Difficulty** ●●●○○ · **You need** lessons 03 (losses, SGD) and 04 (backprop,
# BatchNorm); a little PyTorch helps, the first page says what you need · **Runs on** any laptop's CPU; the whole
# notebook with its experiments takes two to three minutes
#
# **After this lesson you can**
#
# - write a training loop and an evaluation in PyTorch, and say what `train()`, `eval()` and `zero_grad()` are for;
# - build the network that a lecture calls LeNet, and the real LeNet-5 of 1998, and tell them apart;
# - put data on one scale without leaking the test set, and say in one number why that speeds up training;
# - compute from the fan-in whether a signal survives twenty layers, *before* running anything;
# - write BatchNorm and dropout exactly, in both modes, buffers and gradients included;
# - compare activations or learning rates fairly, and report seeds, $n$, time and hardware with the result;
# - look inside a trained network: filters, activation maps, top patches, and a deconvnet with switches.
#
# | part | you build | points |
# |---|---|---|
# | 1 · A loop, and two LeNets | `split`, `train`, `accuracy`, `LeNet`, `Subsample`, `LeNet5` | 24 |
# | 2 · Data on one scale | three normalisations, `standardise`, `ridge_gradient`, `curvature` | 16 |
# | 3 · The first weights | `weight_std`, `draw_filters`, `activation_profile` | 13 |
# | 4 · Which bend? | `steps_to`, `dead_units` | 8 |
# | 5 · BatchNorm | `BatchNorm2d`, `conv_block` | 17 |
# | 6 · Dropout and weight decay | `dropout_forward`, `dropout_backward` | 9 |
# | 7 · Looking inside | `record`, `own_scale`, `top_patches`, `unpool`, `deconvnet` | 13 |
#
# **How it works.** Complete each cell that says `raise NotImplementedError`, then run the checks below it.
# Grading runs the same checks and further ones, on other shapes and other numbers. Change no tensor that a
# function is given. Questions ask you to predict *before* you run the cell that shows the truth; the check below a
# question only asks whether your answer is a number, or one of the options. Folded cells run experiments and
# draw: run them like any other. Times in the solved notebook are those of one core of an AMD EPYC.

# %% tags=["parameters"]
# Scripts that run this notebook set these; leave them as they are.
seed = 0
device = "auto"
quick = False

# %%
import math
import platform
import time
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from course.checks import (
    check_choice,
    check_close,
    check_number,
    check_shape,
    check_unchanged,
    in_submission,
)
from course.data import digits, photo
from course.plots import show_images

torch.set_flush_denormal(True)  # numbers below 1e-38 become 0: they would be slow, and soon we meet some
CLOSE = {"rtol": 1e-4, "atol": 1e-5}  # float32 carries seven digits, a sum of many products fewer


def report(start, what):
    """One line under an experiment: what ran, how long, on what."""
    machine = f"{platform.machine()}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}"
    print(f"{what}; {time.perf_counter() - start:.0f} s on {machine}")


# %% [markdown]
# ## PyTorch in one page
#
# In lesson 04 every layer of yours had a forward, a backward, a dict of parameters and a dict of gradients. PyTorch
# has the same things under other names:
#
# | you wrote (NumPy) | PyTorch | |
# |---|---|---|
# | an array | a *tensor*, `torch.tensor(…)` | `x.numpy()` and `torch.from_numpy(a)` go to and fro |
# | `layer.params` | `module.parameters()` | tensors that ask for a gradient |
# | running statistics | `module.buffers()` | kept and saved, never learned |
# | `backward(…)`, by hand | `loss.backward()` | fills `.grad` of every parameter |
# | `train=True` | `module.train()`, `module.eval()` | a switch in every layer, `module.training` |
# | `sgd_step(…)` | `torch.optim.SGD(…).step()` | |
#
# Three habits follow. Gradients **add up** in `.grad` until `zero_grad()` clears them. The mode is **state**: a
# network stays in training mode until somebody says `eval()`. And PyTorch remembers how each tensor was made, to
# walk back over it; `with torch.no_grad():` says that nobody will walk back.

# %%
w = torch.tensor([2.0, -1.0], requires_grad=True)  # (2,)
loss = (w * torch.tensor([3.0, 4.0])).sum() ** 2  # (3·2 − 4)² = 4
loss.backward()
print("loss", loss.item(), " gradient", w.grad.tolist(), " (2 · 2 · [3, 4])")
loss = (w * torch.tensor([3.0, 4.0])).sum() ** 2
loss.backward()
print("a second backward, nothing cleared:", w.grad.tolist())

# %% [markdown]
# A network is a class: layers in `__init__`, what happens to a batch in `forward`. Everything assigned to `self` that
# is a layer or an `nn.Parameter` is found by `parameters()`; `register_buffer(name, tensor)` adds a buffer.

# %%
class Scale(nn.Module):
    """Multiply each channel of (N, C, H, W) by a learned number."""

    def __init__(self, channels):
        super().__init__()
        self.factor = nn.Parameter(torch.ones(channels))  # (C,)

    def forward(self, x):
        return x * self.factor[:, None, None]  # (N, C, H, W)


print([(name, tuple(p.shape)) for name, p in Scale(3).named_parameters()])
print(tuple(Scale(3)(torch.zeros(2, 3, 5, 4)).shape))


# %% [markdown]
# ## Part 1 · A loop, and two LeNets
#
# ### Three heaps of data
#
# A network is *fitted* on the **training** set. Everything that a person chooses (learning rate, depth, when to
# stop) is chosen on the **validation** set. The **test** set answers one question, once: how good is the network on
# images that nobody has looked at? Choose on the test set and its answer is worth nothing. The three must not
# overlap, and since data often lie sorted (our digits stand person by person), they must be drawn at random.
#
# When data are too few for three heaps, *cross-validation* cuts the training images into $k$ parts and lets each of
# them be the validation set in turn.
#
# ### Exercise 1 · Train, validation, test
#
# Write `split(n, seed)`, which deals out the numbers $0 … n-1$ at random into three integer arrays: validation and
# test get `n // 5` each, training the rest. The same seed must give the same split.
#
# **Example.** `split(12, seed=0)` returns arrays of length 8, 2 and 2, in this order: train, validation, test.

# %% nbgrader={"grade": false, "grade_id": "split", "locked": false, "schema_version": 3, "solution": true, "task": false}
def split(n, seed):
    """Deal out 0 … n-1 at random; returns three int arrays train, validation, test."""
    ### BEGIN SOLUTION
    order = np.random.default_rng(seed).permutation(n)  # (n,)
    fifth = n // 5
    return order[2 * fifth :], order[:fifth], order[fifth : 2 * fifth]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-split", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The sizes; every number is in exactly one of the three
train_part, val_part, test_part = split(12, 0)
check_shape(train_part, (8,), "the training part of 12")
check_shape(val_part, (2,), "the validation part of 12")
check_shape(test_part, (2,), "the test part of 12")
### BEGIN HIDDEN TESTS
for n, number in ((1797, 1), (23, 2), (50, 3)):
    parts = [np.asarray(part) for part in split(n, number)]
    for part, size in zip(parts, (n - 2 * (n // 5), n // 5, n // 5)):
        check_shape(part, (size,), f"a part of split({n}, seed={number})")
    together = np.sort(np.concatenate(parts))
    assert np.array_equal(together, np.arange(n)), "each number should be in exactly one part"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-split-random", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# At random, and the same again with the same seed
first, again = split(60, 5), split(60, 5)
for one, two in zip(first, again):
    check_close(two, one, "split(60, seed=5) called twice")
### BEGIN HIDDEN TESTS
for number in range(3):
    train_part, val_part, test_part = (np.asarray(part) for part in split(600, number))
    for part, name in ((train_part, "training"), (val_part, "validation"), (test_part, "test")):
        middle = float(np.mean(part))
        assert 220 < middle < 380, f"the {name} part is not drawn from all of 0 … 599 at random"
other = np.sort(np.asarray(split(600, 7)[2]))
assert not np.array_equal(np.sort(np.asarray(split(600, 8)[2])), other), "another seed, another split"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the parts overlap</summary>
#
# Draw **one** permutation and cut it twice. Three separate draws know nothing of each other.
# </details>
#
# The rest of the lesson uses one fixed split. Images are float32 with the training pixels' mean and standard
# deviation taken off (part 2 says why). The second cell has what the experiments share: mini-batches drawn at
# random, and the digits enlarged to the 28 × 28 pixels that LeNet expects.

# %% nbgrader={"grade": false, "grade_id": "data", "locked": true, "schema_version": 3, "solution": false, "task": false}
images, labels = digits()
order = np.random.default_rng(0).permutation(len(labels))
rows = {"train": order[:1077], "val": order[1077:1437], "test": order[1437:]}
pixels = images[rows["train"]]
x_all = torch.tensor((images - pixels.mean()) / pixels.std(), dtype=torch.float32)  # (1797, 1, 8, 8)
y_all = torch.tensor(labels)  # (1797,)
x_train, y_train = x_all[rows["train"]], y_all[rows["train"]]  # (1077, 1, 8, 8), (1077,)
x_val, y_val = x_all[rows["val"]], y_all[rows["val"]]  # (360, 1, 8, 8), (360,)
x_test, y_test = x_all[rows["test"]], y_all[rows["test"]]  # (360, 1, 8, 8), (360,)


# %% nbgrader={"grade": false, "grade_id": "given", "locked": true, "schema_version": 3, "solution": false, "task": false}
def draw_batches(x, y, steps, size, seed):
    """A list of mini-batches (x (size, …), y (size,)), drawn at random with replacement."""
    generator = torch.Generator().manual_seed(seed)
    chosen = [torch.randint(len(y), (size,), generator=generator) for _ in range(steps)]
    return [(x[rows], y[rows]) for rows in chosen]


def enlarge(x, size=28):
    """Images (N, 1, 8, 8) enlarged to (N, 1, size, size) by bilinear interpolation."""
    return F.interpolate(x, size=(size, size), mode="bilinear", align_corners=False)


def smooth(losses, window=10):
    """The mean of each `window` losses in a row; the result is window - 1 shorter."""
    return np.convolve(losses, np.ones(window) / window, mode="valid")


# %% jupyter={"source_hidden": true} tags=["illustration"]
show_images(
    [*x_train[:9, 0], *enlarge(x_train[:9])[:, 0]],
    [str(int(label)) for label in y_train[:9]],
    columns=9,
    size=1.1,
)
plt.show()

# %% [markdown]
# Top: digits of 8 × 8 pixels (1,797 in all). Below, enlarged for LeNet. Enlarging adds no information; it lets the
# lecture's network run as it stands, without a download.
#
# ### Question 1 · Who moves?
#
# A CNN is often drawn as two halves: convolutions and pooling "learn features", then fully connected layers
# "classify". Take such a network, two convolutions and two linear layers with random weights, and one single step
# of gradient descent on the cross-entropy. Whose weights change?
#
# - `"a"`: the last linear layer's; the others follow when it is good enough
# - `"b"`: the convolutions'; the classifier is fitted at the end
# - `"c"`: all four layers'

# %% nbgrader={"grade": false, "grade_id": "q-joint", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_joint: one of "a", "b", "c"
### BEGIN SOLUTION
q_joint = "c"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-joint", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Whose weights change in one step
assert q_joint in ("a", "b", "c"), "q_joint should be one of 'a', 'b', 'c'"
### BEGIN HIDDEN TESTS
check_choice(q_joint, "c", ["a", "b", "c"], "q_joint")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 2 · The training loop
#
# All of them: gradients reach every layer, so features and classifier are learned *together*, from the first step
# on. A CNN is trained exactly as a fully connected network is: forward, loss, gradients, one step downhill, again.
# Write `train(model, batches, lr, momentum=0.9, weight_decay=0.0)`. Put the model into training mode. Then, for
# each batch `(x, y)`: the mean cross-entropy of the logits `model(x)`, fresh gradients, one step of SGD, as
# `torch.optim.SGD` takes it. Return the losses as a list of Python floats, one a batch, each *before* its step.

# %% nbgrader={"grade": false, "grade_id": "train", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    """Train model by SGD, one step for each batch (x, y); returns the losses, a list of floats."""
    ### BEGIN SOLUTION
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )
    model.train()
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-train-losses", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The losses of plain SGD, one a batch, as floats
@in_submission
def linear_model(weight, bias):
    """A linear classifier with these weights."""
    import torch

    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(*weight.shape[::-1]))
    model.load_state_dict({"1.weight": weight, "1.bias": bias})
    return model


x, y = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1])  # (2, 2), (2,)
losses = train(linear_model(torch.zeros(2, 2), torch.zeros(2)), [(x, y)] * 3, lr=0.5, momentum=0.0)
check_shape(losses, (3,), "the losses of three batches")
check_close(losses[0], math.log(2), "the first loss of a network that knows nothing", rtol=1e-4)
assert losses[2] < losses[0], "three steps on the same batch should bring the loss down"
### BEGIN HIDDEN TESTS
draw = torch.Generator().manual_seed(501)
W, b = torch.randn(3, 8, generator=draw), torch.randn(3, generator=draw)
batches = [
    (torch.randn(n, 2, 2, 2, generator=draw), torch.randint(3, (n,), generator=draw)) for n in (4, 2, 5, 3)
]
want, w, c = [], W.double(), b.double()
for x, y in batches:
    flat = x.double().flatten(1)
    log_p = torch.log_softmax(flat @ w.T + c, dim=1)
    want.append(float(-log_p[torch.arange(len(y)), y].mean()))
    dz = (log_p.exp() - F.one_hot(y, 3)) / len(y)
    w, c = w - 0.3 * dz.T @ flat, c - 0.3 * dz.sum(dim=0)
model = linear_model(W, b)
losses = train(model, batches, lr=0.3, momentum=0.0)
assert isinstance(losses, list) and all(type(loss) is float for loss in losses), (
    "the losses should be a list of Python floats: a tensor drags its whole graph along"
)
check_close(losses, want, "the losses of four batches", **CLOSE)
check_close(model.state_dict()["1.weight"], w.float(), "the weights after four steps", **CLOSE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-train-momentum", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Momentum and weight decay reach the optimizer
@in_submission
def linear_model(weight, bias):
    """A linear classifier with these weights."""
    import torch

    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(*weight.shape[::-1]))
    model.load_state_dict({"1.weight": weight, "1.bias": bias})
    return model


model = linear_model(torch.zeros(2, 1), torch.zeros(2))
train(model, [(torch.ones(1, 1), torch.tensor([0]))], 1.0, momentum=0.5, weight_decay=0.1)
check_close(model.state_dict()["1.weight"], [[0.5], [-0.5]], "one step from zero, lr 1", **CLOSE)
### BEGIN HIDDEN TESTS
draw = torch.Generator().manual_seed(502)
W, b = torch.randn(3, 4, generator=draw), torch.randn(3, generator=draw)
batches = [(torch.randn(n, 4, generator=draw), torch.randint(3, (n,), generator=draw)) for n in (4, 2, 3)]
for momentum, decay, given in ((0.9, 0.0, {}), (0.5, 0.0, {"momentum": 0.5}), (0.9, 0.2, {"weight_decay": 0.2})):
    w, c = W.double(), b.double()
    vw, vc = torch.zeros_like(w), torch.zeros_like(c)
    for x, y in batches:
        dz = (torch.softmax(x.double() @ w.T + c, dim=1) - F.one_hot(y, 3)) / len(y)
        vw = momentum * vw + dz.T @ x.double() + decay * w
        vc = momentum * vc + dz.sum(dim=0) + decay * c
        w, c = w - 0.1 * vw, c - 0.1 * vc
    model = linear_model(W, b)
    train(model, batches, 0.1, **given)
    what = f"after three steps, momentum {momentum}, weight decay {decay}"
    check_close(model.state_dict()["1.weight"], w.float(), f"the weights {what}", **CLOSE)
    check_close(model.state_dict()["1.bias"], c.float(), f"the biases {what}", **CLOSE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-train-mode", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The model trains in training mode
@in_submission
def modes_seen(train):
    """In which mode a model that comes in evaluation mode is called."""
    import torch

    class Watch(torch.nn.Linear):
        def forward(self, x):
            seen.append(self.training)
            return super().forward(x)

    seen, model = [], torch.nn.Sequential(Watch(2, 2), torch.nn.Dropout(0.5))
    model.eval()
    train(model, [(torch.ones(2, 2), torch.tensor([0, 1]))] * 2, 0.1)
    return seen


assert modes_seen(train) == [True, True], (
    "the model came in evaluation mode: train should put it into training mode before the first batch"
)

# %% [markdown]
# <details><summary>Help: the first step is right, the later ones are not</summary>
#
# Is `zero_grad()` called for every batch? Is there one optimizer for the whole training, or a new one, without a
# velocity, for each batch?
# </details>
#
# <details><summary>Help: memory grows while training</summary>
#
# A loss tensor remembers everything that it was computed from. `loss.item()` is just the number.
# </details>
#
# ### Exercise 3 · Accuracy
#
# Write `accuracy(model, x, y)`: the share of images whose largest logit is at the right label, a float. Evaluate **in
# evaluation mode**, and put the model back into the mode in which it came, so that an evaluation in the middle
# of training leaves no trace.

# %% nbgrader={"grade": false, "grade_id": "accuracy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def accuracy(model, x, y):
    """Share of the images x (N, …) that model reads as y (N,), in evaluation mode; a float."""
    ### BEGIN SOLUTION
    mode = model.training
    model.eval()
    with torch.no_grad():
        read = model(x).argmax(dim=1)  # (N,)
    model.train(mode)
    return (read == y).float().mean().item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-accuracy", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The share of right answers, with dropout switched off
@in_submission
def forgetful_model(weight):
    """A linear classifier behind BatchNorm and heavy dropout, in training mode."""
    import torch

    model = torch.nn.Sequential(
        torch.nn.Dropout(0.9), torch.nn.BatchNorm1d(weight.shape[1]), torch.nn.Linear(*weight.shape[::-1])
    )
    with torch.no_grad():
        model[2].weight.copy_(weight)
        model[2].bias.zero_()
    return model.train()


x = torch.eye(3).repeat(4, 1)  # (12, 3)
share = accuracy(forgetful_model(torch.eye(3)), x, torch.tensor([0, 1, 1] * 4))
check_close(share, 2 / 3, "accuracy")
assert isinstance(share, float), "accuracy should be a float, not a tensor: `.item()` takes the number out"
### BEGIN HIDDEN TESTS
draw = torch.Generator().manual_seed(503)
W, x = torch.randn(5, 6, generator=draw), torch.randn(80, 6, generator=draw)
y = torch.where(torch.rand(80, generator=draw) < 0.6, (x @ W.T).argmax(dim=1), 0)
want = float(((x @ W.T).argmax(dim=1) == y).float().mean())
check_close(accuracy(forgetful_model(W), x, y), want, "accuracy on 80 random images")
check_close(accuracy(forgetful_model(W), x[:1], y[:1] * 0 + 9), 0.0, "accuracy on one wrong answer")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-accuracy-trace", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Evaluation leaves no trace: mode and running statistics are as before
@in_submission
def traces(accuracy):
    """Modes after an evaluation in either mode, and whether the running statistics moved."""
    import torch

    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 3))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modes = []
    for mode in (True, False):
        model.train(mode)
        accuracy(model, torch.randn(6, 3), torch.zeros(6, dtype=torch.long))
        modes.append([part.training for part in model.modules()])
    return modes, all(torch.equal(before[name], value) for name, value in model.state_dict().items())


modes, same = traces(accuracy)
assert modes[0] == [True] * 4, "a model that came in training mode should be in training mode again"
assert modes[1] == [False] * 4, "a model that came in evaluation mode should stay in it"
assert same, "the model's parameters or running statistics have changed: evaluate in evaluation mode"

# %% [markdown]
# ### The lecture's LeNet
#
# One lecture shows this network as "LeNet", for images of 28 × 28:
#
# | layer | output | parameters |
# |---|---|---|
# | `conv1`: 20 filters 5 × 5, then ReLU | `(N, 20, 24, 24)` | 520 |
# | max-pool 2 × 2 | `(N, 20, 12, 12)` | |
# | `conv2`: 50 filters 5 × 5, then ReLU | `(N, 50, 8, 8)` | 25,050 |
# | max-pool 2 × 2, flatten | `(N, 800)` | |
# | dropout 0.5 | `(N, 800)` | |
# | `fc1`: linear, then ReLU | `(N, 500)` | ? |
# | dropout 0.5 | `(N, 500)` | |
# | `fc2`: linear | `(N, 10)`: the logits | 5,010 |
# | | | **431,080** |
#
# The last two layers are the *head*: a plain MLP that combines the features, with a softmax at the end (which the
# loss contains). Other classifiers would do, too: people have put a support vector machine on such features.
#
# ### Question 2 · Where the parameters are
#
# How many parameters does `fc1` have?

# %% nbgrader={"grade": false, "grade_id": "q-fc1", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_fc1: a number
### BEGIN SOLUTION
q_fc1 = 400_500
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-fc1", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The parameters of fc1
check_number(q_fc1, q_fc1, "q_fc1")
### BEGIN HIDDEN TESTS
check_number(q_fc1, 400_500, "q_fc1")
### END HIDDEN TESTS

# %% [markdown]
# 93% of the network is this one layer. Lesson 07 shows how later networks got rid of it.
#
# ### Exercise 4 · LeNet
#
# Write the class. Use these attribute names: `conv1`, `conv2`, `fc1`, `fc2` (grading puts weights into them by
# name). Both dropouts are off in evaluation mode.

# %% nbgrader={"grade": false, "grade_id": "lenet", "locked": false, "schema_version": 3, "solution": true, "task": false}
class LeNet(nn.Module):
    """The lecture's LeNet: x (N, 1, 28, 28) to logits (N, 10)."""

    ### BEGIN SOLUTION
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)
        self.drop_out = nn.Dropout(0.5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (N, 20, 12, 12)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 50, 4, 4)
        x = self.drop_out(x.flatten(1))  # (N, 800)
        x = self.drop_out(F.relu(self.fc1(x)))  # (N, 500)
        return self.fc2(x)  # (N, 10)

    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-lenet-parameters", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The parameters, by name
net = LeNet()
shapes = {name: tuple(value.shape) for name, value in net.state_dict().items()}
for name, shape in (("conv1.weight", (20, 1, 5, 5)), ("fc2.weight", (10, 500))):
    assert name in shapes, f"there is no parameter {name}"
    assert shapes[name] == shape, f"{name} has shape {shapes[name]}, expected {shape}"
### BEGIN HIDDEN TESTS
wanted = {"conv1": (20, 1, 5, 5), "conv2": (50, 20, 5, 5), "fc1": (500, 800), "fc2": (10, 500)}
for name, shape in wanted.items():
    assert shapes.get(name + ".weight") == shape, f"{name}.weight has shape {shapes.get(name + '.weight')}"
    assert shapes.get(name + ".bias") == shape[:1], f"{name}.bias has shape {shapes.get(name + '.bias')}"
count = sum(math.prod(shape) for shape in shapes.values())
assert count == 431_080, f"the network has {count:,} numbers, asked are 431,080"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-lenet-forward", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The logits, in evaluation mode
net = LeNet()
net.eval()
check_shape(net(torch.zeros(3, 1, 28, 28)), (3, 10), "the logits of 3 images")
### BEGIN HIDDEN TESTS
draw = torch.Generator().manual_seed(504)
shapes = {"conv1": (20, 1, 5, 5), "conv2": (50, 20, 5, 5), "fc1": (500, 800), "fc2": (10, 500)}
state = {}
for name, shape in shapes.items():
    state[name + ".weight"] = torch.randn(shape, generator=draw) / math.sqrt(math.prod(shape[1:]))
    state[name + ".bias"] = 0.3 * torch.randn(shape[:1], generator=draw)
x = torch.randn(3, 1, 28, 28, generator=draw)
z = F.max_pool2d(F.conv2d(x, state["conv1.weight"], state["conv1.bias"]).clamp(min=0), 2)
z = F.max_pool2d(F.conv2d(z, state["conv2.weight"], state["conv2.bias"]).clamp(min=0), 2)
z = F.linear(z.flatten(1), state["fc1.weight"], state["fc1.bias"]).clamp(min=0)
want = F.linear(z, state["fc2.weight"], state["fc2.bias"])
net.load_state_dict(state)
check_close(net(x), want, "the logits of 3 images, for given weights", rtol=1e-3, atol=1e-4)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-lenet-dropout", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Two dropouts in training, behind the flattened features and behind fc1
net = LeNet()
net.train()
x = torch.ones(1, 1, 28, 28)
assert not torch.equal(net(x), net(x)), "in training mode two passes of one image should differ"
### BEGIN HIDDEN TESTS
net = LeNet()
state = {name: torch.zeros_like(value) for name, value in net.state_dict().items()}
state["conv2.bias"] += 1  # all 800 features are 1
state["fc1.weight"][0] = 1 / 800  # unit 0 is their mean
state["fc2.weight"][0, 0] = 1  # and logit 0 is unit 0, plus 0.5
state["fc2.bias"] += 0.5
net.load_state_dict(state)
net.train()
first = net(torch.zeros(64, 1, 28, 28))[:, 0].detach().numpy() - 0.5
zeros = int(np.sum(first == 0))
assert 8 <= zeros <= 56, "behind fc1, each unit should be dropped for about half of the images"
kept = first[first != 0]
assert np.ptp(kept) > 0.02, "the 800 features should be dropped at random too, before fc1"
assert 1.8 < kept.mean() < 2.2, "what is kept behind fc1 should be scaled up by 2, once"
net.eval()
calm = net(torch.zeros(4, 1, 28, 28))[:, 0] - 0.5
check_close(calm, np.ones(4), "logit 0 in evaluation mode: the mean of 800 ones", **CLOSE)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: mat1 and mat2 shapes cannot be multiplied</summary>
#
# `fc1` wants 800 numbers an image. Print the shape before it. `flatten(1)` keeps the batch axis, `flatten()` does
# not.
# </details>
#
# <details><summary>Help: nothing is dropped in training</summary>
#
# `F.dropout(x, 0.5)` is switched by its own argument, not by `net.train()`. `nn.Dropout` as a layer in
# `__init__` is.
# </details>
#
# Now it learns. The network that you built, the loop that you wrote, real digits. (The function remembers its
# result: part 7 looks inside this very network.)

# %% nbgrader={"grade": false, "grade_id": "trained", "locked": true, "schema_version": 3, "solution": false, "task": false}
@cache
def trained_lenet(seed=0, steps=300, lr=0.02, weight_decay=0.0):
    """A LeNet trained on the enlarged digits, in evaluation mode, and its losses."""
    torch.manual_seed(seed)
    net = LeNet()
    batches = draw_batches(enlarge(x_train), y_train, steps, 64, seed)
    losses = train(net, batches, lr=lr, weight_decay=weight_decay)
    return net.eval(), losses


# %% jupyter={"source_hidden": true} tags=["illustration"]
start = time.perf_counter()
steps, seeds = (60, 1) if quick else (300, 3)
heaps = {"training": (x_train, y_train), "validation": (x_val, y_val), "test": (x_test, y_test)}
for name, (x, y) in heaps.items():
    scores = [accuracy(trained_lenet(seed + s, steps)[0], enlarge(x), y) for s in range(seeds)]
    print(f"{name:10s} accuracy {np.mean(scores):.3f}, by seed {np.round(scores, 3)} (n = {len(y)})")
report(start, f"LeNet, {steps} steps of 64 images, {seeds} trainings, seeds {seed} to {seed + seeds - 1}")
losses = trained_lenet(seed, steps)[1]
figure, axis = plt.subplots(figsize=(8, 3))
axis.semilogy(losses, linewidth=0.6, color="C0", alpha=0.5, label="each mini-batch")
axis.semilogy(np.arange(9, len(losses)), smooth(losses), color="C0", label="mean of ten")
axis.axhline(math.log(10), color="gray", linestyle="--", label="ln 10: knows nothing")
axis.set(xlabel="step", ylabel="cross-entropy")
axis.legend()
figure.tight_layout()
plt.show()

# %% [markdown]
# The curve is that of training mode, with half of the features missing in every step; the accuracies are those of
# evaluation mode, with all of them there. Read them with their $n$: one test image is 0.3 points, and trainings that
# differ in nothing but the seed end up to a point apart. A single number proves little; three are the least.
#
# ### The real LeNet-5
#
# The lecture's network is a later relative. LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998) has neither ReLU nor
# max-pooling nor dropout. Nor was it "the very first CNN": Fukushima's Neocognitron (1980), the time-delay
# networks of 1987 and LeCun's own network of 1989 came before. What it has, for images of 32 × 32:
#
# | layer | what | output | trainable |
# |---|---|---|---|
# | C1 | 6 filters 5 × 5 | 6 × 28 × 28 | 156 |
# | S2 | subsampling: **sum** of 2 × 2, times one coefficient, plus one bias, each per map | 6 × 14 × 14 | 12 |
# | C3 | 16 filters 5 × 5, each sees **only some** of the 6 maps | 16 × 10 × 10 | ? |
# | S4 | subsampling | 16 × 5 × 5 | 32 |
# | C5 | 120 filters 5 × 5 | 120 × 1 × 1 | 48,120 |
# | F6 | linear, 84 units | 84 | 10,164 |
# | out | distance to ten fixed code words | 10 | 0 |
#
# After each layer from C1 to F6 comes the squashing function $f(a) = 1.7159\,\tanh(\tfrac23 a)$. A slide says
# "average pooling" of S2; the coefficient swallows the factor ¼, so it is an average with a learned gain.
#
# The C3 table, as printed in the paper, is drawn below. Six maps see three neighbours, six see four neighbours,
# three see four others, one sees all. It broke the symmetry between the maps and saved time, in 1998.

# %% nbgrader={"grade": false, "grade_id": "table", "locked": true, "schema_version": 3, "solution": false, "task": false}
GROUPS = [(0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)]
GROUPS += [(0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)]
GROUPS += [(0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5)]
TABLE = torch.zeros(16, 6)  # TABLE[f, c] is 1 where C3's map f sees S2's map c
for row, group in enumerate(GROUPS):
    TABLE[row, list(group)] = 1
# The paper's code words are pictures of characters, 7 × 12. Random ±1 serve as well here.
CODES = torch.from_numpy(np.random.default_rng(1998).choice([-1.0, 1.0], size=(10, 84))).float()


def squash(a):
    """The squashing function of LeNet-5: odd, ±1 at ±1, steepest at 0."""
    return 1.7159 * torch.tanh(2 / 3 * a)


# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axis = plt.subplots(figsize=(8, 2.8))
axis.imshow(TABLE.T, cmap="Blues", vmin=0, vmax=1.4)
axis.set(xlabel="map of C3", ylabel="map of S2", title="C3 of LeNet-5: who sees whom")
axis.set_xticks(range(16))
axis.set_yticks(range(6))
axis.set_xticks(np.arange(17) - 0.5, minor=True)
axis.set_yticks(np.arange(7) - 0.5, minor=True)
axis.grid(which="minor", color="white", linewidth=2)
axis.tick_params(which="both", length=0)
figure.tight_layout()
plt.show()

# %% [markdown]
# ### Question 3 · Sixty thousand
#
# How many trainable parameters has C3, weights and biases, with this table? (The paper says that the whole network
# has 60,000. Check your answer against that.)

# %% nbgrader={"grade": false, "grade_id": "q-c3", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_c3: a number
### BEGIN SOLUTION
q_c3 = 1516
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-c3", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The trainable parameters of C3
check_number(q_c3, q_c3, "q_c3")
### BEGIN HIDDEN TESTS
check_number(q_c3, 1516, "q_c3")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 5 · Subsampling with a coefficient
#
# Write the layer `Subsample(channels)`, with two parameters of shape `(C,)`: `coefficient`, born as ¼, and `bias`,
# born as 0. It adds up each 2 × 2 block of a map, multiplies by the map's coefficient and adds its bias. The
# squashing is not part of it. Heights and widths are even.
#
# **Example.** A map `[[1, 2], [3, 6]]`, coefficient 0.5, bias 1: $0.5 \cdot 12 + 1 = 7$.

# %% nbgrader={"grade": false, "grade_id": "subsample", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Subsample(nn.Module):
    """LeNet-5's subsampling: x (N, C, H, W), H and W even, to (N, C, H/2, W/2)."""

    ### BEGIN SOLUTION
    def __init__(self, channels):
        super().__init__()
        self.coefficient = nn.Parameter(torch.full((channels,), 0.25))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)

    def forward(self, x):
        total = 4 * F.avg_pool2d(x, 2)  # (N, C, H/2, W/2)
        return total * self.coefficient[:, None, None] + self.bias[:, None, None]

    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-subsample", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Sum of each block, times coefficient, plus bias, per map
layer = Subsample(1)
check_close(layer(torch.tensor([[[[1.0, 2], [3, 6]]]])), [[[[3.0]]]], "a new Subsample of [[1, 2], [3, 6]]")
### BEGIN HIDDEN TESTS
draw = torch.Generator().manual_seed(505)
layer = Subsample(3)
names = sorted(name for name, _ in layer.named_parameters())
assert names == ["bias", "coefficient"], f"the parameters should be coefficient and bias, not {names}"
c, b = torch.randn(3, generator=draw), torch.randn(3, generator=draw)
layer.load_state_dict({"coefficient": c, "bias": b})
x = torch.randn(2, 3, 4, 6, generator=draw)
want = x.reshape(2, 3, 2, 2, 3, 2).sum(dim=(3, 5)) * c[:, None, None] + b[:, None, None]
check_close(layer(x), want, "Subsample of (2, 3, 4, 6)", **CLOSE)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 6 · LeNet-5
#
# Assemble `LeNet5(table, codes)` for `x` of shape `(N, 1, 32, 32)`. Attribute names: `c1`, `s2`, `c3`, `s4`, `c5`,
# `f6`, where `c1`, `c3`, `c5` are `nn.Conv2d`, `f6` an `nn.Linear`, `s2` and `s4` your `Subsample`. Keep `table`
# and `codes` as **buffers** (they are not learned). In the forward pass, C3 uses its weights times the table, so
# that a map that is not in the group has no say. `squash` follows each of the six layers. The output for class $k$
# is the squared distance of F6's 84 numbers $u$ to code word $k$,
#
# $$ y_k = \sum_{i=1}^{84} (u_i - \text{codes}_{k,i})^2 $$
#
# so the *smallest* output is the answer.

# %% nbgrader={"grade": false, "grade_id": "lenet5", "locked": false, "schema_version": 3, "solution": true, "task": false}
class LeNet5(nn.Module):
    """LeNet-5 (1998): x (N, 1, 32, 32) to squared distances (N, 10); table (16, 6), codes (10, 84)."""

    ### BEGIN SOLUTION
    def __init__(self, table, codes):
        super().__init__()
        self.c1, self.s2 = nn.Conv2d(1, 6, 5), Subsample(6)
        self.c3, self.s4 = nn.Conv2d(6, 16, 5), Subsample(16)
        self.c5, self.f6 = nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
        self.register_buffer("table", table)
        self.register_buffer("codes", codes)

    def forward(self, x):
        x = squash(self.s2(squash(self.c1(x))))  # (N, 6, 14, 14)
        x = F.conv2d(x, self.c3.weight * self.table[:, :, None, None], self.c3.bias)
        x = squash(self.s4(squash(x)))  # (N, 16, 5, 5)
        x = squash(self.c5(x)).flatten(1)  # (N, 120)
        x = squash(self.f6(x))  # (N, 84)
        return ((x[:, None] - self.codes) ** 2).sum(dim=2)  # (N, 10)

    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-lenet5-parameters", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The learned parameters by name; table and codes are buffers
net = LeNet5(TABLE, CODES)
shapes = {name: tuple(value.shape) for name, value in net.named_parameters()}
assert shapes.get("c1.weight") == (6, 1, 5, 5), "c1.weight should have shape (6, 1, 5, 5)"
### BEGIN HIDDEN TESTS
wanted = {"c1": (6, 1, 5, 5), "c3": (16, 6, 5, 5), "c5": (120, 16, 5, 5), "f6": (84, 120)}
for name, shape in wanted.items():
    assert shapes.get(name + ".weight") == shape, f"{name}.weight has shape {shapes.get(name + '.weight')}"
    assert shapes.get(name + ".bias") == shape[:1], f"{name}.bias has shape {shapes.get(name + '.bias')}"
for name, maps in (("s2", 6), ("s4", 16)):
    for part in ("coefficient", "bias"):
        assert shapes.get(f"{name}.{part}") == (maps,), f"{name}.{part} should have shape ({maps},)"
assert len(shapes) == 12, f"only these 12 tensors are learned; yours are {', '.join(shapes)}"
kept = sorted(tuple(value.shape) for _, value in net.named_buffers())
assert kept == [(10, 84), (16, 6)], "table and codes should be registered as buffers"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-lenet5-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The squared distances, for given weights
net = LeNet5(TABLE, CODES)
check_shape(net(torch.zeros(2, 1, 32, 32)), (2, 10), "the distances of 2 images")
### BEGIN HIDDEN TESTS
draw = torch.Generator().manual_seed(506)
state = dict(net.state_dict())
for name in ("c1", "c3", "c5", "f6"):
    weight = state[name + ".weight"]
    state[name + ".weight"] = torch.randn(weight.shape, generator=draw) / math.sqrt(weight[0].numel())
    state[name + ".bias"] = torch.randn(len(weight), generator=draw)
for name, maps in (("s2", 6), ("s4", 16)):
    state[name + ".coefficient"] = 0.5 * torch.randn(maps, generator=draw)
    state[name + ".bias"] = 0.5 * torch.randn(maps, generator=draw)
x = torch.randn(3, 1, 32, 32, generator=draw)
bend = lambda a: 1.7159 * torch.tanh(a * 2 / 3)
z = bend(F.conv2d(x, state["c1.weight"], state["c1.bias"]))
z = 4 * F.avg_pool2d(z, 2) * state["s2.coefficient"][:, None, None] + state["s2.bias"][:, None, None]
masked = state["c3.weight"] * TABLE[:, :, None, None]
z = bend(F.conv2d(bend(z), masked, state["c3.bias"]))
z = 4 * F.avg_pool2d(z, 2) * state["s4.coefficient"][:, None, None] + state["s4.bias"][:, None, None]
z = bend(F.conv2d(bend(z), state["c5.weight"], state["c5.bias"])).flatten(1)
z = bend(F.linear(z, state["f6.weight"], state["f6.bias"]))
want = torch.stack([((z - CODES[k]) ** 2).sum(dim=1) for k in range(10)], dim=1)
net.load_state_dict(state)
check_close(net(x), want, "the distances of 3 images, for given weights", rtol=1e-3, atol=1e-3)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: table or codes do not appear in state_dict()</summary>
#
# A plain `self.table = table` is an attribute, not a buffer. `self.register_buffer("table", table)` is.
# </details>
#
# <details><summary>Help: the values are off</summary>
#
# Count the squashings: there are six. Is the table multiplied into C3's *weights*, `(16, 6, 1, 1)` against
# `(16, 6, 5, 5)`?
# </details>
#
# Trained with the cross-entropy of *minus* the distances (the paper's own loss is close to that), it reads digits
# too:

# %% jupyter={"source_hidden": true} tags=["illustration"]
class Nearest(nn.Module):
    """Minus the distances of LeNet-5, as logits."""

    def __init__(self):
        super().__init__()
        self.net = LeNet5(TABLE, CODES)

    def forward(self, x):
        return -0.1 * self.net(x)  # (N, 10)


start = time.perf_counter()
torch.manual_seed(seed)
old = Nearest()
losses = train(old, draw_batches(enlarge(x_train, 32), y_train, 60 if quick else 300, 64, seed), lr=0.02)
print(f"LeNet-5: test accuracy {accuracy(old, enlarge(x_test, 32), y_test):.3f} (n = 360)")
print(f"numbers in its learned tensors: {sum(p.numel() for p in old.parameters()):,}, ", end="")
print(f"of which the table switches off {int((1 - TABLE).sum()) * 25}")
report(start, f"{len(losses)} steps of 64 images, one training, seed {seed}")

# %% [markdown]
# ## Part 2 · Data on one scale
#
# ### Three ways to normalise images
#
# Pixels arrive as bytes, 0 … 255. First they are divided by 255. Then slides give three recipes:
#
# 1. subtract the **mean image**: one number for each pixel *and* channel, the mean over the training images
#    (AlexNet);
# 2. subtract the **mean of each channel**, over images, rows and columns: three numbers (VGG);
# 3. subtract it and divide by the **standard deviation of each channel**: what most code does today.
#
# Whatever is subtracted is computed from the **training** images alone, kept, and applied unchanged to validation and
# test images. An image that is normalised by its own mean, or a test set by its own statistics, is not on
# the scale that the network has learned.
#
# ### Exercise 7 · Fit on training, apply anywhere
#
# Write `fit_normalisation(images, kind)` for byte images `(N, C, H, W)`. It returns two float arrays, `mean` and
# `std`, for pixels **after** the division by 255:
#
# | `kind` | `mean` | `std` |
# |---|---|---|
# | `"image"` | `(C, H, W)` | ones, `(C, 1, 1)` |
# | `"channel"` | `(C, 1, 1)` | ones, `(C, 1, 1)` |
# | `"standard"` | `(C, 1, 1)` | the standard deviation (divide by the count), `(C, 1, 1)` |
#
# And `normalise(images, mean, std)`: bytes in, `(pixels / 255 − mean) / std` out, as floats. Use NumPy.
#
# **Example.** Two images of one pixel and one channel, 0 and 255: mean 0.5, std 0.5, normalised −1 and 1.

# %% nbgrader={"grade": false, "grade_id": "normalisation", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fit_normalisation(images, kind):
    """Statistics of byte images (N, C, H, W) scaled to [0, 1]; kind "image", "channel", "standard".

    Returns mean, (C, H, W) or (C, 1, 1), and std (C, 1, 1).
    """
    ### BEGIN SOLUTION
    scaled = images / 255.0  # (N, C, H, W)
    ones = np.ones((images.shape[1], 1, 1))
    if kind == "image":
        return scaled.mean(axis=0), ones
    mean = scaled.mean(axis=(0, 2, 3))[:, None, None]  # (C, 1, 1)
    if kind == "channel":
        return mean, ones
    return mean, scaled.std(axis=(0, 2, 3))[:, None, None]
    ### END SOLUTION


def normalise(images, mean, std):
    """Byte images (N, C, H, W) on the scale of mean and std; returns floats (N, C, H, W)."""
    ### BEGIN SOLUTION
    return (images / 255.0 - mean) / std
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-mean-image", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The mean image
bytes_ = np.array([[[[0, 51]]], [[[255, 51]]]], dtype=np.uint8)  # (2, 1, 1, 2)
check_close(fit_normalisation(bytes_, "image")[0], [[[0.5, 0.2]]], "the mean image")
### BEGIN HIDDEN TESTS
for shape, number in (((5, 3, 4, 6), 511), ((3, 3, 3, 3), 512)):
    many = np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8)
    want = sum(image.astype(float) for image in many) / len(many) / 255
    mean, std = fit_normalisation(many, "image")
    check_close(mean, want, f"the mean image of {shape}")
    check_close(std, np.ones((shape[1], 1, 1)), "the std that goes with a mean image")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-channel-mean", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The mean of each channel
bytes_ = np.array([[[[0, 51]]], [[[255, 51]]]], dtype=np.uint8)  # (2, 1, 1, 2)
check_close(fit_normalisation(bytes_, "channel")[0], [[[0.35]]], "the channel mean")
### BEGIN HIDDEN TESTS
for shape, number in (((5, 3, 4, 6), 513), ((3, 3, 3, 3), 514)):
    many = np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8)
    many = many // np.arange(1, shape[1] + 1, dtype=np.uint8)[:, None, None]
    want = np.array([many[:, c].astype(float).sum() / many[:, c].size / 255 for c in range(shape[1])])
    mean, std = fit_normalisation(many, "channel")
    check_close(mean, want[:, None, None], f"the channel means of {shape}")
    check_close(std, np.ones((shape[1], 1, 1)), "the std that goes with channel means")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-channel-std", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Mean and standard deviation of each channel
bytes_ = np.array([[[[0]]], [[[255]]]], dtype=np.uint8)  # (2, 1, 1, 1)
mean, std = fit_normalisation(bytes_, "standard")
check_close(mean, [[[0.5]]], "the mean of 0 and 255")
check_close(std, [[[0.5]]], "the std of 0 and 255")
### BEGIN HIDDEN TESTS
for shape, number in (((5, 3, 4, 6), 515), ((2, 3, 2, 3), 516)):
    many = np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8)
    many = many // np.arange(1, shape[1] + 1, dtype=np.uint8)[:, None, None]
    means, spreads = [], []
    for c in range(shape[1]):
        values = many[:, c].astype(float).ravel() / 255
        means.append(values.sum() / values.size)
        spreads.append(math.sqrt(((values - means[-1]) ** 2).sum() / values.size))
    mean, std = fit_normalisation(many, "standard")
    check_close(mean, np.array(means)[:, None, None], f"the channel means of {shape}")
    check_close(std, np.array(spreads)[:, None, None], f"the channel stds of {shape}")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-normalise", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Other images on the scale of the training images
one = np.array([[[[51, 255]]]], dtype=np.uint8)  # (1, 1, 1, 2)
got = normalise(one, np.array([[[0.2]]]), np.array([[[0.4]]]))
check_close(got, [[[[0.0, 2.0]]]], "51 and 255 with mean 0.2 and std 0.4")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(517)
for mean_shape in ((3, 1, 1), (3, 2, 5)):
    many = rng.integers(0, 256, (4, 3, 2, 5), dtype=np.uint8)
    mean, std = rng.uniform(size=mean_shape), rng.uniform(0.5, 2, size=(3, 1, 1))
    kept = many.copy()
    want = np.stack([(image.astype(float) / 255 - mean) / std for image in many])
    check_close(normalise(many, mean, std), want, f"normalised images, mean of shape {mean_shape}")
    check_unchanged(many, kept, "images")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the right values in the wrong shape</summary>
#
# A mean of shape `(C,)` lines up with the *last* axis of `(N, C, H, W)`, which is the width. `keepdims=True` or
# `[:, None, None]` makes it `(C, 1, 1)`.
# </details>
#
# The three on patches of a photograph: 48 × 48 pixels, 154 patches, 100 to fit, the rest new. Each statistic does
# what it says on the training patches, and only about so on the new ones. That is right: the scale is the training
# set's.

# %% jupyter={"source_hidden": true} tags=["illustration"]
picture = (255 * photo("coffee")).astype(np.uint8)  # (3, 400, 600)
corners = [(i, j) for i in range(0, 353, 32) for j in range(0, 553, 32)]
patches = np.stack([picture[:, i : i + 48, j : j + 48] for i, j in corners])  # (N, 3, 48, 48)
patches = patches[np.random.default_rng(seed).permutation(len(patches))[:154]]
fresh = patches[100:]
figure, axes = plt.subplots(1, 5, figsize=(13, 2.7), width_ratios=[1, 1.5, 1.5, 1.5, 1.5])
mean_image = fit_normalisation(patches[:100], "image")[0]
axes[0].imshow(mean_image.transpose(1, 2, 0))
axes[0].set_title("mean image", fontsize=10)
axes[0].axis("off")
scaled = {"pixels / 255": fresh / 255}
for kind, title in (("image", "− mean image"), ("channel", "− channel mean"), ("standard", "… and / std")):
    scaled[title] = normalise(fresh, *fit_normalisation(patches[:100], kind))
for axis, (title, values) in zip(axes[1:], scaled.items()):
    for c, colour in enumerate(("crimson", "seagreen", "royalblue")):
        axis.hist(values[:, c].ravel(), bins=60, histtype="step", color=colour, density=True)
    axis.axvline(0, color="gray", linewidth=0.8)
    axis.set_title(title, fontsize=10)
    axis.set_yticks([])
figure.suptitle("54 new patches, red, green and blue, under the training patches' statistics", fontsize=10)
figure.tight_layout()
plt.show()
means, spreads = scaled["… and / std"].mean(axis=(0, 2, 3)), scaled["… and / std"].std(axis=(0, 2, 3))
print("new patches after recipe 3: means", means.round(2), " stds", spreads.round(2))

# %% [markdown]
# ### Question 4 · Who did what?
#
# A slide says in its title "in practice for images: **center only**", says further down that dividing by the standard
# deviation is "not common", and names ResNet as an example of mean and standard deviation per channel. The paper says
# (section 3.4): *"… with the per-pixel mean subtracted"*. Which statement is right?
#
# - `"a"`: the ResNet paper used recipe 3, as the slide says
# - `"b"`: the ResNet paper used recipe 1; recipe 3 is the habit of later code, and is common today
# - `"c"`: the ResNet paper used recipe 2; dividing by the standard deviation has stayed uncommon

# %% nbgrader={"grade": false, "grade_id": "q-resnet", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_resnet: one of "a", "b", "c"
### BEGIN SOLUTION
q_resnet = "b"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-resnet", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Which normalisation the ResNet paper used
assert q_resnet in ("a", "b", "c"), "q_resnet should be one of 'a', 'b', 'c'"
### BEGIN HIDDEN TESTS
check_choice(q_resnet, "b", ["a", "b", "c"], "q_resnet")
### END HIDDEN TESTS

# %% [markdown]
# ### Why a common scale helps: two features
#
# A lecture's example: ridge regression on two features, $x_1 \in [0, 1]$ and $x_2 \in [10, 1000]$,
#
# $$\hat y = w_0 + w_1x_1 + w_2x_2, \qquad
#   J(w) = \frac1N\sum_i (\hat y_i - y_i)^2 + \lambda\,(w_1^2 + w_2^2)$$
#
# The intercept $w_0$ is not punished. Say both features matter equally, $y = x_1 + 0.001\,x_2$: each moves $y$ by
# about one over its range. So $w_1 = 1$, and $w_2 = 0.001$.
#
# ### Question 5 · Whom does the penalty hit?
#
# With $\lambda = 0.1$, which weight is pulled towards zero so much that the fit suffers?
#
# - `"a"`: $w_1$, which has to be large because its feature is small; the intercept makes up for part of the loss
# - `"b"`: $w_2$, whose feature is large
# - `"c"`: both alike, the penalty treats them alike

# %% nbgrader={"grade": false, "grade_id": "q-penalty", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_penalty: one of "a", "b", "c"
### BEGIN SOLUTION
q_penalty = "a"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-penalty", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The weight that the penalty hits
assert q_penalty in ("a", "b", "c"), "q_penalty should be one of 'a', 'b', 'c'"
### BEGIN HIDDEN TESTS
check_choice(q_penalty, "a", ["a", "b", "c"], "q_penalty")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 8 · Standardise
#
# Write `standardise(X)` for features `(N, D)`. For each column, $\mu_j = \frac1N\sum_i x_{ij}$, $\;\sigma_j^2 =
# \frac1N\sum_i (x_{ij}-\mu_j)^2$, $\;\hat x_{ij} = (x_{ij}-\mu_j)/\sigma_j$. (One slide prints $\mu_j$ without the
# $\frac1N$, a later one has it.) Return $\hat X$ `(N, D)`, $\mu$ `(D,)`, $\sigma$ `(D,)`. No column is constant.

# %% nbgrader={"grade": false, "grade_id": "standardise", "locked": false, "schema_version": 3, "solution": true, "task": false}
def standardise(X):
    """Bring each column of X (N, D) to mean 0 and standard deviation 1.

    Returns the new (N, D), the means (D,) and the standard deviations (D,).
    """
    ### BEGIN SOLUTION
    mu, sigma = X.mean(axis=0), X.std(axis=0)  # (D,), (D,)
    return (X - mu) / sigma, mu, sigma
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-standardise", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Columns of mean 0 and standard deviation 1, and the statistics
X_hat, mu, sigma = standardise(np.array([[1.0, 10.0], [3.0, 10.5]]))
check_close(X_hat, [[-1, -1], [1, 1]], "the standardised columns")
check_close(mu, [2, 10.25], "the means")
check_close(sigma, [1, 0.25], "the standard deviations")
### BEGIN HIDDEN TESTS
for shape, number in (((7, 3), 521), ((4, 4), 522)):
    rng = np.random.default_rng(number)
    X = rng.normal(size=shape) * rng.uniform(0.1, 100, size=shape[1]) + rng.normal(size=shape[1])
    kept = X.copy()
    mean = np.array([sum(column) / len(column) for column in X.T])
    spread = np.array([math.sqrt(sum((column - m) ** 2) / len(column)) for column, m in zip(X.T, mean)])
    X_hat, mu, sigma = standardise(X)
    check_unchanged(X, kept, "X")
    check_close(mu, mean, f"the means of {shape}")
    check_close(sigma, spread, f"the standard deviations of {shape}")
    check_close(X_hat, (kept - mean) / spread, f"the standardised {shape}")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 9 · The gradient of ridge regression
#
# Write `ridge_gradient(X, y, w, lam)` for features `X` of shape `(N, D)` and `w` of shape `(D + 1,)`, where `w[0]`
# is the intercept: the gradient of $J$ above, `(D + 1,)`. A slide prints $\partial J/\partial w_1 = (\partial
# L/\partial w_1)\,x_1 + 2\lambda w_1$. Does that make sense? $x_1$ appears when $\partial L/\partial\hat y$ is
# carried on to $w_1$.
#
# **Example.** `X = [[2]]`, `y = [1]`, `w = [0, 1]`, $\lambda = 0.5$: $\hat y = 2$, $\partial L/\partial\hat y =
# 2\cdot(2-1) = 2$. So the gradient is $[2,\; 2\cdot 2 + 2\cdot 0.5\cdot 1] = [2, 5]$.

# %% nbgrader={"grade": false, "grade_id": "ridge-gradient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ridge_gradient(X, y, w, lam):
    """Gradient of mean squared error plus lam · (squares of all weights but the intercept).

    X (N, D), y (N,), w (D + 1,) with the intercept first; returns (D + 1,).
    """
    ### BEGIN SOLUTION
    dy_hat = 2 * (w[0] + X @ w[1:] - y) / len(y)  # (N,)
    return np.concatenate([[dy_hat.sum()], X.T @ dy_hat + 2 * lam * w[1:]])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-ridge-gradient", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The gradient, with the intercept unpunished
got = ridge_gradient(np.array([[2.0]]), np.array([1.0]), np.array([0.0, 1.0]), 0.5)
check_close(got, [2, 5], "the gradient of the example")
### BEGIN HIDDEN TESTS
for (N, D), lam, number in (((7, 3), 0.3, 523), ((4, 4), 0.0, 524), ((5, 1), 2.0, 525)):
    rng = np.random.default_rng(number)
    X, y, w = rng.normal(size=(N, D)), rng.normal(size=N), rng.normal(size=D + 1) + 1
    cost = lambda v: np.mean((v[0] + X @ v[1:] - y) ** 2) + lam * np.sum(v[1:] ** 2)
    want = np.array([(cost(w + 1e-5 * e) - cost(w - 1e-5 * e)) / 2e-5 for e in np.eye(D + 1)])
    check_close(ridge_gradient(X, y, w, lam), want, f"the gradient for {N} × {D}, λ = {lam}", rtol=1e-5, atol=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# ### A valley in one number
#
# $J$ is a quadratic bowl. Its second derivatives (the Hessian $H$) do not depend on $w$ or $y$:
#
# $$ H = \frac2N A^{\mathsf T}A + 2\lambda\,\mathrm{diag}(0, 1, \dots, 1),\qquad A = [\mathbf 1\;\;X] $$
#
# Its eigenvalues are the curvatures along the bowl's axes. Gradient descent with step $\eta$ shrinks the error
# along an axis of curvature $h$ by the factor $1 - \eta h$ per step. Two consequences: $\eta$ must stay below
# $2/h_\max$, or the steepest axis blows up; and the flattest axis then needs about $h_\max/h_\min$ steps. That
# ratio is the **condition number** $\kappa$. A round bowl has $\kappa = 1$: one step with $\eta = 1/h$ and it is
# done.
#
# ### Question 6 · Which way is the valley long?
#
# In the plane of $w_1$ and $w_2$, features as they come, $\lambda = 0$. Along which weight are the contours of $J$
# stretched, and why?
#
# - `"a"`: along $w_2$: its feature is larger
# - `"b"`: along $w_1$: changing it hardly changes $\hat y$, so $J$ is flat that way
# - `"c"`: along neither: contours of a squared error are circles

# %% nbgrader={"grade": false, "grade_id": "q-valley", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_valley: one of "a", "b", "c"
### BEGIN SOLUTION
q_valley = "b"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-valley", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The direction in which the contours are long
assert q_valley in ("a", "b", "c"), "q_valley should be one of 'a', 'b', 'c'"
### BEGIN HIDDEN TESTS
check_choice(q_valley, "b", ["a", "b", "c"], "q_valley")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 10 · Curvature
#
# Write `curvature(X, lam)`: the largest learning rate bound $2/h_\max$ and the condition number $\kappa =
# h_\max/h_\min$ of the $H$ above, intercept included.
#
# **Example.** `X = [[-1], [1]]`, $\lambda = 0.5$: $H = \mathrm{diag}(2, 2 + 1)$, so $2/3$ and $1.5$.

# %% nbgrader={"grade": false, "grade_id": "curvature", "locked": false, "schema_version": 3, "solution": true, "task": false}
def curvature(X, lam):
    """Of ridge regression on X (N, D): the learning rate bound 2 / h_max, and h_max / h_min."""
    ### BEGIN SOLUTION
    A = np.column_stack([np.ones(len(X)), X])  # (N, D + 1)
    penalty = np.ones(A.shape[1])
    penalty[0] = 0
    h = np.linalg.eigvalsh(2 * A.T @ A / len(X) + 2 * lam * np.diag(penalty))  # (D + 1,), rising
    return 2 / h[-1], h[-1] / h[0]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-curvature-bound", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The largest learning rate
check_close(curvature(np.array([[-1.0], [1.0]]), 0.5)[0], 2 / 3, "the bound of the example")
### BEGIN HIDDEN TESTS
for (N, D), lam, number in (((9, 3), 0.4, 531), ((5, 2), 0.0, 532)):
    rng = np.random.default_rng(number)
    X = rng.normal(size=(N, D)) * rng.uniform(0.5, 5, size=D) + 1
    A = np.hstack([np.ones((N, 1)), X])
    H = 2 * A.T @ A / N + 2 * lam * np.diag([0.0] + [1.0] * D)
    want = 2 / np.linalg.norm(H, 2)
    check_close(curvature(X, lam)[0], want, f"the bound for {N} × {D}, λ = {lam}")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-curvature-condition", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The condition number
check_close(curvature(np.array([[-1.0], [1.0]]), 0.5)[1], 1.5, "the condition number of the example")
### BEGIN HIDDEN TESTS
for (N, D), lam, number in (((9, 3), 0.4, 533), ((5, 2), 0.0, 534)):
    rng = np.random.default_rng(number)
    X = rng.normal(size=(N, D)) * rng.uniform(0.5, 5, size=D) + 1
    A = np.hstack([np.ones((N, 1)), X])
    H = 2 * A.T @ A / N + 2 * lam * np.diag([0.0] + [1.0] * D)
    want = np.linalg.cond(H)
    check_close(curvature(X, lam)[1], want, f"the condition number for {N} × {D}, λ = {lam}", rtol=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the example's bound is 1, or its condition number 1</summary>
#
# Is the intercept's column of ones in $A$, and its entry in the penalty 0?
# </details>
#
# The lecture's example, before and after. (For the drawing $x_2$ lies in $[1, 10]$ only: with $[10, 1000]$ the left
# ellipse would be a hair.) The paths are ten steps of your gradient with the
# rate $0.9/h_\max$, just under the one that suits the steepest direction best.

# %% jupyter={"source_hidden": true} tags=["illustration"]
rng = np.random.default_rng(seed)
start = time.perf_counter()
figure, axes = plt.subplots(1, 2, figsize=(11, 4))
raw = np.column_stack([rng.uniform(0, 1, 200), rng.uniform(1, 10, 200)])  # (200, 2)
for axis, X, title in ((axes[0], raw, "as they come"), (axes[1], standardise(raw)[0], "standardised")):
    centred = X - X.mean(axis=0)  # the intercept at its best value for every (w1, w2)
    best = np.array([1.0, 1.0])
    y = centred @ best
    bound = 2 / np.linalg.eigvalsh(2 * centred.T @ centred / len(X))[-1]
    path = [np.array([0.0, -0.6, 0.2])]
    for _ in range(10):
        path.append(path[-1] - 0.45 * bound * ridge_gradient(centred, y, path[-1], 0.0))
    path = np.array(path)[:, 1:]
    grid = np.stack(np.meshgrid(np.linspace(-1, 3, 81), np.linspace(0, 2, 61)), axis=-1)  # (61, 81, 2)
    J = np.mean(((grid - best) @ centred.T) ** 2, axis=-1)  # (61, 81)
    axis.contour(grid[..., 0], grid[..., 1], np.sqrt(J), levels=12, cmap="Blues_r", linewidths=0.9)
    axis.plot(*path.T, "o-", color="crimson", markersize=3, linewidth=1)
    axis.plot(*best, "k*", markersize=11)
    axis.set(xlabel="w1", ylabel="w2", title=title, aspect="equal")
figure.tight_layout()
plt.show()
X = np.column_stack([rng.uniform(0, 1, 1000), rng.uniform(10, 1000, 1000)])
y = X @ [1, 0.001] + 0.1 * rng.normal(size=1000)
for name, features in (("as they come", X), ("standardised", standardise(X)[0])):
    bound, kappa = curvature(features, 0.0)
    w, steps = np.zeros(3), 0
    target = np.linalg.lstsq(np.column_stack([np.ones(1000), features]), y, rcond=None)[0]
    rest = lambda w: np.mean((np.column_stack([np.ones(1000), features]) @ (w - target)) ** 2)
    first = rest(w)
    while rest(w) > 1e-6 * first and steps < 20_000:
        w = w - 0.45 * bound * ridge_gradient(features, y, w, 0.0)
        steps += 1
    needed = f"{steps} steps" if steps < 20_000 else f"not there after {steps:,} steps"
    print(f"x2 in [10, 1000], {name:13s}: bound {bound:.1e}, κ {kappa:.1e}, excess error to 1e-6: {needed}")
for name, features in (("as they come", X), ("standardised", standardise(X)[0])):
    A = np.column_stack([np.ones(1000), features])
    free, tied = (np.linalg.solve(A.T @ A / 1000 + lam * np.diag([0, 1, 1]), A.T @ y / 1000) for lam in (0, 0.1))
    print(f"λ = 0.1 keeps of (w1, w2), {name:13s}: {tied[1] / free[1]:.0%}, {tied[2] / free[2]:.0%};", end=" ")
    print(f"the intercept goes from {free[0]:.2f} to {tied[0]:.2f}")
report(start, f"n = 1000 points, seed {seed}")

# %% [markdown]
# Standardised, the bowl is round: one learning rate fits all directions. And the penalty is fair, it takes the same
# share of both weights. A network's first layer is in the same situation as this regression, with its pixels for
# features. Deeper layers are, too, but their "features" change while the layers below learn. That is part 5.

# %% [markdown]
# ## Part 3 · The first weights
#
# ### What one layer does to a signal's size
#
# One output of a convolution is a sum of $n$ products, $z = \sum_{i=1}^n w_i x_i$, where $n = C\cdot KH\cdot KW$
# is the **fan-in**. (The **fan-out** is $F\cdot KH\cdot KW$: in how many outputs one input has a part.) Let the
# weights be drawn independently with mean 0. Then the mixed terms average out and
#
# $$ E[z^2] = n\cdot\mathrm{Var}(w)\cdot E[x^2] $$
#
# $z$ is as often positive as negative, so ReLU halves that: $E[\mathrm{relu}(z)^2] = \frac12E[z^2]$. One layer
# multiplies the mean square of the signal by the **gain**
#
# $$ g = \tfrac12\, n\,\mathrm{Var}(w) $$
#
# and twenty layers by $g^{20}$. Five schemes:
#
# | `scheme` | weights | who |
# |---|---|---|
# | `"lecture"` | uniform in $\pm 1/n$ | a slide |
# | `"torch"` | uniform in $\pm 1/\sqrt n$ | the default of `nn.Conv2d` and `nn.Linear` |
# | `"xavier"` | uniform in $\pm\sqrt{6/(n + n_\text{out})}$ | Glorot and Bengio 2010, fan-in and fan-out |
# | `"he"` | normal, variance $2/n$ | He et al. 2015, made for ReLU |
# | `"small"` | normal, standard deviation 0.01 | AlexNet |
#
# A uniform distribution in $\pm a$ has variance $a^2/3$.
#
# ### Exercise 11 · Five schemes
#
# Write `weight_std(scheme, shape)`: the standard deviation of the weights, for filters of shape `(F, C, KH, KW)`.
# And `draw_filters(scheme, shape, seed)`: a float32 tensor of such weights, uniform or normal as the table says,
# the same for the same seed (draw from a generator of your own, so that nobody else's random numbers change).
#
# **Example.** For `(64, 64, 3, 3)`, $n = 576$: `"torch"` has standard deviation $\frac{1}{24\sqrt3} = 0.0241$.

# %% nbgrader={"grade": false, "grade_id": "init", "locked": false, "schema_version": 3, "solution": true, "task": false}
def weight_std(scheme, shape):
    """Standard deviation of filters (F, C, KH, KW) under a scheme; a float."""
    ### BEGIN SOLUTION
    fan_in, fan_out = math.prod(shape[1:]), shape[0] * math.prod(shape[2:])
    return {
        "lecture": 1 / fan_in / math.sqrt(3),
        "torch": 1 / math.sqrt(3 * fan_in),
        "xavier": math.sqrt(2 / (fan_in + fan_out)),
        "he": math.sqrt(2 / fan_in),
        "small": 0.01,
    }[scheme]
    ### END SOLUTION


def draw_filters(scheme, shape, seed):
    """Random filters (F, C, KH, KW) under a scheme; a float32 tensor, the same for the same seed."""
    ### BEGIN SOLUTION
    generator = torch.Generator().manual_seed(seed)
    std = weight_std(scheme, shape)
    if scheme in ("he", "small"):
        return std * torch.randn(shape, generator=generator)
    return math.sqrt(3) * std * (2 * torch.rand(shape, generator=generator) - 1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-init-uniform", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The standard deviations of the three uniform schemes
check_close(weight_std("torch", (64, 64, 3, 3)), 0.0240563, "std of torch for (64, 64, 3, 3)", rtol=1e-4)
### BEGIN HIDDEN TESTS
for F_, C, KH, KW in ((8, 3, 5, 2), (4, 16, 1, 3), (6, 6, 3, 3)):
    n, m = C * KH * KW, F_ * KH * KW
    wanted = {"lecture": 1 / (n * 3**0.5), "torch": 1 / (3 * n) ** 0.5, "xavier": (2 / (n + m)) ** 0.5}
    for scheme, want in wanted.items():
        got = weight_std(scheme, (F_, C, KH, KW))
        check_number(float(got), want, f"std of {scheme} for {(F_, C, KH, KW)}", rtol=1e-4)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-init-normal", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The standard deviations of the two normal schemes
check_close(weight_std("small", (8, 4, 3, 3)), 0.01, "std of small for (8, 4, 3, 3)")
### BEGIN HIDDEN TESTS
for F_, C, KH, KW in ((8, 3, 5, 2), (4, 16, 1, 3), (6, 6, 3, 3)):
    got = float(weight_std("he", (F_, C, KH, KW)))
    check_number(got, (2 / (C * KH * KW)) ** 0.5, f"std of he for {(F_, C, KH, KW)}", rtol=1e-4)
    check_number(float(weight_std("small", (F_, C, KH, KW))), 0.01, "std of small", rtol=1e-6)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-draw", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Drawn weights: spread, shape of the distribution, seeds
weights = draw_filters("torch", (64, 64, 3, 3), 0)
check_shape(weights, (64, 64, 3, 3), "drawn weights")
assert float(torch.as_tensor(weights).abs().max()) <= 1 / 24 + 1e-6, "uniform in ±1/24: none is larger"
### BEGIN HIDDEN TESTS
shape = (48, 32, 3, 5)
n, m = 480, 720
stds = {
    "lecture": 1 / (n * 3**0.5), "torch": 1 / (3 * n) ** 0.5, "xavier": (2 / (n + m)) ** 0.5,
    "he": (2 / n) ** 0.5, "small": 0.01,
}
for number, (scheme, want) in enumerate(stds.items()):
    w = draw_filters(scheme, shape, 40 + number)
    check_shape(w, shape, f"weights of {scheme}")
    assert w.dtype == torch.float32, f"weights of {scheme} are {w.dtype}, asked is float32"
    check_close(draw_filters(scheme, shape, 40 + number), w, f"weights of {scheme}, the same seed again")
    other = draw_filters(scheme, shape, 50 + number)
    assert not torch.equal(other, w), f"weights of {scheme} are the same for another seed"
    w = w.double()
    assert abs(float(w.std()) / want - 1) < 0.05, f"the spread of {scheme} weights is not as the table says"
    assert abs(float(w.mean())) < 0.05 * want, f"weights of {scheme} should have mean 0"
    tail = float((w.abs() > 1.75 * want).double().mean())  # 0 for uniform, 8% for normal
    if scheme in ("he", "small"):
        assert 0.06 < tail < 0.10, f"weights of {scheme} should be normal"
    else:
        assert tail < 0.001, f"weights of {scheme} should be uniform"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: square filters pass, others do not</summary>
#
# Fan-in counts **input** channels, `shape[1] * KH * KW`. Fan-out counts `shape[0] * KH * KW`.
# </details>
#
# ### Question 7 · The gain of PyTorch's default
#
# What is the gain $g$ of one convolution followed by ReLU when the weights are uniform in $\pm 1/\sqrt n$? (Worked
# example: He's variance is $2/n$, so $g = \frac12 n\cdot\frac2n = 1$. The signal keeps its size, at any depth.)

# %% nbgrader={"grade": false, "grade_id": "q-gain", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_gain: a number
### BEGIN SOLUTION
q_gain = 1 / 6
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-gain", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The gain of PyTorch's default before ReLU
check_number(q_gain, q_gain, "q_gain")
### BEGIN HIDDEN TESTS
check_number(q_gain, 1 / 6, "q_gain", rtol=0.01)
### END HIDDEN TESTS

# %% [markdown]
# ### Question 8 · Twenty layers of the slide
#
# Twenty convolutions 3 × 3 with 64 channels in and out ($n = 576$), ReLU behind each, no biases, weights uniform in
# $\pm 1/n$ as the slide says. The input has standard deviation 1. Which standard deviation do you expect behind layer
# 20? (The gain is for squares: take the root.)
#
# - `"a"`: about $10^{-2}$
# - `"b"`: about $10^{-8}$
# - `"c"`: about $10^{-16}$
# - `"d"`: about $10^{-36}$

# %% nbgrader={"grade": false, "grade_id": "q-twenty", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_twenty: one of "a", "b", "c", "d"
### BEGIN SOLUTION
q_twenty = "d"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-twenty", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# What is left of the signal after twenty layers
assert q_twenty in ("a", "b", "c", "d"), "q_twenty should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_choice(q_twenty, "d", ["a", "b", "c", "d"], "q_twenty")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 12 · Through all layers
#
# Write `activation_profile(weights, x)` to see it. `weights` is a list of filters `(F, C, K, K)` with odd $K$, `x`
# is `(N, C, H, W)`. Each layer convolves with stride 1, zero padding $(K-1)/2$ and no bias, then applies ReLU.
# Return the list of the activations **behind each ReLU**, one tensor a layer.

# %% nbgrader={"grade": false, "grade_id": "profile", "locked": false, "schema_version": 3, "solution": true, "task": false}
def activation_profile(weights, x):
    """Send x (N, C, H, W) through conv and ReLU for each filter tensor; returns all activations."""
    ### BEGIN SOLUTION
    activations = []
    for w in weights:
        x = F.relu(F.conv2d(x, w, padding=w.shape[-1] // 2))  # (N, F, H, W)
        activations.append(x)
    return activations
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-profile", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The activations behind each ReLU
x = torch.tensor([[[[1.0, -2.0, 3.0]]]])  # (1, 1, 1, 3)
one, minus = torch.ones(1, 1, 1, 1), -torch.ones(1, 1, 1, 1)
got = activation_profile([one, minus], x)
assert len(got) == 2, f"two layers should give two activations, not {len(got)}"
check_close(got[0], [[[[1, 0, 3]]]], "behind the first ReLU")
check_close(got[1], [[[[0, 0, 0]]]], "behind the second ReLU")
### BEGIN HIDDEN TESTS
draws = torch.Generator().manual_seed(541)
shapes = ((4, 2, 3, 3), (3, 4, 5, 5), (5, 3, 1, 1), (5, 5, 3, 3))
filters = [torch.randn(shape, generator=draws) / math.sqrt(math.prod(shape[1:])) for shape in shapes]
x = torch.randn(2, 2, 5, 7, generator=draws)
kept, want, z = x.clone(), [], x
for w in filters:
    z = F.conv2d(z, w, padding=(w.shape[2] - 1) // 2).clamp(min=0)
    want.append(z)
got = activation_profile(filters, x)
assert len(got) == 4, f"four layers should give four activations, not {len(got)}"
for number, (one, two) in enumerate(zip(got, want)):
    check_close(one, two, f"behind layer {number + 1}", **CLOSE)
check_unchanged(x, kept, "x")
### END HIDDEN TESTS

# %% [markdown]
# The five schemes, twenty layers, 64 channels. Each little histogram shows the activations behind one layer that
# are not zero (half of them are), all on the **same** axis from 0 to 2, so that you see what happens to their
# size. The number in it is their standard deviation, zeros included. Follow a row from left to right.

# %% jupyter={"source_hidden": true} tags=["illustration"]
start = time.perf_counter()
schemes = ("lecture", "small", "torch", "xavier", "he")
shown = (1, 5, 10, 15, 20)
x = torch.randn(2 if quick else 8, 64, 16, 16, generator=torch.Generator().manual_seed(seed))
profiles = {}
figure, axes = plt.subplots(5, 5, figsize=(12, 8), sharex=True)
for number, (line, scheme) in enumerate(zip(axes, schemes)):
    filters = [draw_filters(scheme, (64, 64, 3, 3), 100 * seed + layer) for layer in range(20)]
    with torch.no_grad():
        activations = activation_profile(filters, x)
    profiles[scheme] = [float(a.double().std()) for a in activations]
    for axis, layer in zip(line, shown):
        a = activations[layer - 1].flatten()
        axis.hist(a[a > 0], bins=50, range=(0, 2), color=f"C{number}")
        axis.text(0.95, 0.85, f"std {profiles[scheme][layer - 1]:.0e}", ha="right", transform=axis.transAxes, fontsize=10)
        axis.set(yticks=[], xticks=[0, 1, 2])
        if number == 0:
            axis.set_title(f"layer {layer}", fontsize=11)
        if number == 4:
            axis.set_xlabel("activation")
    line[0].set_ylabel(scheme, fontsize=11)
figure.tight_layout()
plt.show()
figure, axis = plt.subplots(figsize=(8, 3.6))
for scheme in schemes:
    axis.semilogy(range(1, 21), profiles[scheme], marker=".", label=scheme)
axis.set(xlabel="layer", ylabel="standard deviation of the activations", xticks=range(2, 21, 2))
axis.legend(loc="lower left", ncols=2)
figure.tight_layout()
plt.show()
print("behind layer 20: ", ", ".join(f"{name} {values[-1]:.0e}" for name, values in profiles.items()))
report(start, f"n = {len(x)} random inputs of 64 × 16 × 16, one draw of weights, seed {seed}")

# %% [markdown]
# The lines are straight: each layer takes the same share, as the gain says. (The slide's $\pm1/n$ is a slip for
# $\pm1/\sqrt n$, and even that, PyTorch's default, fades by eight powers of ten in twenty layers. It survives in
# practice because nets are shallow, or have BatchNorm.) Xavier's $n\,\mathrm{Var}(w) = 1$ is made for tanh, whose
# slope at zero is 1. He's factor 2 pays for the half that ReLU cuts away. What the forward pass loses, the
# backward pass loses in the same way; a signal of $10^{-36}$ trains nothing.
#
# In the first row everything is a spike at zero from the start, in the next two from layer 5 on. Only He's row
# keeps its shape to the end. It loses half of its size: at the border the zeros of the padding stand in for
# inputs, which costs a twelfth of the mean square a layer.
#
# ### Question 9 · Whose is it?
#
# A slide about training ResNet says "Xavier initialization from He, et al.". What did the ResNet paper use?
#
# - `"a"`: Xavier's, variance $2/(n + n_\text{out})$, published by He
# - `"b"`: He's, variance $2/n$, from the PReLU paper of 2015; Xavier's is by Glorot and Bengio, 2010
# - `"c"`: the two are the same for ReLU

# %% nbgrader={"grade": false, "grade_id": "q-he", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_he: one of "a", "b", "c"
### BEGIN SOLUTION
q_he = "b"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-he", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Whose initialisation ResNet uses
assert q_he in ("a", "b", "c"), "q_he should be one of 'a', 'b', 'c'"
### BEGIN HIDDEN TESTS
check_choice(q_he, "b", ["a", "b", "c"], "q_he")
### END HIDDEN TESTS

# %% [markdown]
# ## Part 4 · Which bend?
#
# Slides say: "don't use sigmoid or tanh", "just use ReLU", "ReLU converges much faster, e.g. 6×". The six comes
# from one figure of the AlexNet paper: a four-layer CNN on CIFAR-10 reached 25% training error six times sooner
# with ReLU than with tanh, the learning rate of each "chosen independently to make training as fast as possible".
#
# To repeat that we need a number for "how soon".
#
# ### Exercise 13 · Steps to a loss
#
# A single mini-batch may be lucky. Write `steps_to(losses, target, window=10)`: the number of steps after which
# the mean of the **last** `window` losses is at most `target` for the first time, or `None` if that never happens.
# Before `window` steps there is no such mean.
#
# **Example.** `steps_to([4, 1, 3, 1, 0], target=2, window=2)`: the means of two are 2.5 (after step 2), 2 (after
# step 3) … so the answer is 3.

# %% nbgrader={"grade": false, "grade_id": "steps-to", "locked": false, "schema_version": 3, "solution": true, "task": false}
def steps_to(losses, target, window=10):
    """Steps until the mean of the last window losses is at most target; None if never."""
    ### BEGIN SOLUTION
    for step in range(window, len(losses) + 1):
        if sum(losses[step - window : step]) / window <= target:
            return step
    return None
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-steps-to", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The first window whose mean reaches the target
assert steps_to([4.0, 1.0, 3.0, 1.0, 0.0], 2.0, window=2) == 3, "steps_to of the example should be 3"
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(551)
for window in (1, 4, 10):
    curve = [float(v) for v in np.linspace(3, 0, 60) + 0.6 * rng.normal(size=60)]
    for target in (2.5, 1.0, -9.0):
        means = [np.mean(curve[i : i + window]) for i in range(60 - window + 1)]
        want = next((i + window for i, mean in enumerate(means) if mean <= target), None)
        got = steps_to(curve, target, window)
        assert got == want, f"steps_to of a noisy curve, target {target}, window {window}, is {got}: not right"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-steps-to-edges", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Never reached, and the first mean that there is
assert steps_to([3.0, 2.0, 1.0], 0.5, window=1) is None, "0.5 is never reached: the answer is None"
### BEGIN HIDDEN TESTS
assert steps_to([0.0] * 9, 1.0) is None, "nine losses have no mean of ten"
assert steps_to([0.0] * 12, 1.0) == 10, "all losses are below the target: the first mean of ten counts"
assert steps_to([1.0] * 11 + [0.0] * 10, 0.0) == 21, "the last window counts too, and so does equality"
assert steps_to([1.0, 2.0, 3.0], 2.0, window=3) == 3, "one window of exactly all losses"
### END HIDDEN TESTS

# %% [markdown]
# The network: four convolutions and a linear layer on the 8 × 8 digits, every bias 0. He's weights for ReLU,
# Xavier's for tanh and sigmoid, as their authors meant them. Each gets four learning rates and three seeds, 36
# runs in all.

# %% nbgrader={"grade": false, "grade_id": "small-cnn", "locked": true, "schema_version": 3, "solution": false, "task": false}
def small_cnn(bend, seed, convs=4, batchnorm=False, init="fit", width=16):
    """A CNN for 8 × 8 digits: convs 3 × 3, the second half twice as wide, two max-pools, one linear.

    `bend` is a class such as nn.ReLU. `init`: "fit" (He's weights for ReLU, Xavier's otherwise,
    biases 0) or "torch" (the default). The random state outside stays as it is.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers, channels = [], 1
        for number in range(convs):
            wide = width if number < convs // 2 else 2 * width
            layers.append(nn.Conv2d(channels, wide, 3, padding=1, bias=not batchnorm))
            layers += [nn.BatchNorm2d(wide)] * batchnorm + [bend()]
            if number in (convs // 2 - 1, convs - 1):
                layers.append(nn.MaxPool2d(2))
            channels = wide
        net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * channels, 10))
        for layer in net:
            if init == "fit" and isinstance(layer, nn.Conv2d | nn.Linear):
                fill = nn.init.kaiming_normal_ if bend is nn.ReLU else nn.init.xavier_normal_
                fill(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
    return net


# %% [markdown]
# ### Question 10 · Six times?
#
# Predict, then run the experiment, then correct yourself if you must. When each function gets **its own best**
# learning rate of the four, how do tanh and ReLU compare on the way to a training loss of 0.1?
#
# - `"a"`: ReLU needs about a sixth of tanh's steps, as on the slide
# - `"b"`: ReLU is ahead, but takes more than half of tanh's steps
# - `"c"`: tanh is not slower than ReLU here; ReLU is ahead only at the smaller learning rates

# %% nbgrader={"grade": false, "grade_id": "q-six", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_six: one of "a", "b", "c"
### BEGIN SOLUTION
q_six = "c"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-six", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# ReLU and tanh at their best learning rates
assert q_six in ("a", "b", "c"), "q_six should be one of 'a', 'b', 'c'"
### BEGIN HIDDEN TESTS
check_choice(q_six, "c", ["a", "b", "c"], "q_six")
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true} tags=["illustration"]
start = time.perf_counter()
bends = {"ReLU": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
rates, seeds, steps = (0.01, 0.03, 0.1, 0.3), (1 if quick else 3), (80 if quick else 300)
runs = {}
for name, bend in bends.items():
    for lr in rates:
        runs[name, lr] = [
            train(small_cnn(bend, seed + s), draw_batches(x_train, y_train, steps, 64, seed + s), lr)
            for s in range(seeds)
        ]
print("steps to a training loss of 0.1, one number a seed (None: not within", steps, "steps)")
for name in bends:
    row = "   ".join(f"{lr}: {[steps_to(losses, 0.1) for losses in runs[name, lr]]}" for lr in rates)
    print(f"{name:8s} {row}")
figure, axes = plt.subplots(1, 4, figsize=(13, 3.2), sharey=True)
for axis, lr in zip(axes, rates):
    for number, name in enumerate(bends):
        for losses in runs[name, lr]:
            axis.semilogy(np.arange(9, steps), smooth(losses).clip(1e-3, 5), color=f"C{number}", linewidth=1)
        axis.plot([], [], color=f"C{number}", label=name)
    axis.axhline(0.1, color="gray", linestyle="--", linewidth=0.8)
    axis.set(xlabel="step", title=f"learning rate {lr}", ylim=(1e-3, 5))
axes[0].set_ylabel("cross-entropy, mean of ten")
axes[0].legend(loc="lower left")
figure.tight_layout()
plt.show()
report(start, f"{len(runs) * seeds} trainings on n = {len(y_train)} digits, seeds {seed} to {seed + seeds - 1}")

# %% [markdown]
# What this shows, and what not. **Sigmoid** never starts, at any of these rates, within 300 steps: its slope is at
# most ¼, and little of a gradient gets through four of them (lesson 03). On this small problem **tanh** is as good
# as ReLU and stands a larger learning rate; at 0.01, ReLU is three times as fast. "6×" is a measurement on one
# network and one data set, no law. ReLU's case is a different one: it is cheap, it does not saturate, and *deep*
# networks train with it. Its relatives (leaky ReLU, ELU, GELU: lesson 03) move the accuracy by fractions of a per
# cent; take ReLU until you have a reason.
#
# ### When a ReLU dies
#
# A ReLU unit whose input is negative **for every training image** is dead. It outputs 0 always.
#
# ### Question 11 · Resurrection
#
# What is the gradient of the loss with respect to a dead unit's incoming weights, summed over all training images?

# %% nbgrader={"grade": false, "grade_id": "q-dead", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_dead: a number
### BEGIN SOLUTION
q_dead = 0
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-dead", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The gradient of a dead unit's weights
check_number(q_dead, q_dead, "q_dead")
### BEGIN HIDDEN TESTS
check_number(q_dead, 0, "q_dead")
### END HIDDEN TESTS

# %% [markdown]
# ### Question 12 · A slightly positive bias
#
# "People like to initialise ReLU neurons with slightly positive biases (e.g. 0.01)", says a slide, against dying.
# At the start, let a unit's input be standard normal before the bias. By how many **percentage points** does the
# bias 0.01 raise the share of images for which the unit is on? (The normal density at 0 is $1/\sqrt{2\pi} =
# 0.399$.) Within 5%.

# %% nbgrader={"grade": false, "grade_id": "q-bias", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_bias: a number, percentage points
### BEGIN SOLUTION
q_bias = 0.4
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-bias", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# What a bias of 0.01 does, in percentage points
check_number(q_bias, q_bias, "q_bias")
### BEGIN HIDDEN TESTS
check_number(q_bias, 0.399, "q_bias", rtol=0.05)
### END HIDDEN TESTS

# %% [markdown]
# Next to nothing: with He's weights (or BatchNorm) the bias is 0 today. AlexNet did use large ones, 1 in some layers,
# together with weights of standard deviation 0.01, for which 1 is a lot.
#
# ### Exercise 14 · Count the dead
#
# Write `dead_units(maps)` for activations `(N, C, H, W)` behind a ReLU: a boolean tensor `(C,)`, true for a
# channel that is zero everywhere in every image.

# %% nbgrader={"grade": false, "grade_id": "dead-units", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dead_units(maps):
    """Which channels of the activations maps (N, C, H, W) are always zero; bool (C,)."""
    ### BEGIN SOLUTION
    return (maps == 0).all(dim=3).all(dim=2).all(dim=0)  # (C,)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-dead-units", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# A channel is dead when it is zero for every image and place
maps = torch.zeros(2, 3, 2, 2)
maps[1, 0, 0, 1], maps[:, 2] = 0.5, 1.0
got = dead_units(maps)
check_shape(got, (3,), "dead_units of 3 channels")
assert [bool(v) for v in got] == [False, True, False], "only channel 1 is zero everywhere"
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(552)
for shape in ((3, 5, 4, 2), (4, 4, 3, 3), (1, 3, 2, 5)):
    maps = torch.randn(shape, generator=generator).clamp(min=0) * 1e-3
    maps[:, 0] = 0
    maps[:, 1] = 0
    maps[-1, 1, -1, -1] = 1e-6
    got = [bool(v) for v in dead_units(maps)]
    assert got == [True] + [False] * (shape[1] - 1), f"dead_units of {shape} is {got}: not right"
### END HIDDEN TESTS

# %% [markdown]
# What kills them? Steps that are too long. The same four-layer network, ReLU, 100 steps with rising learning
# rates; counted on all training images.

# %% jupyter={"source_hidden": true} tags=["illustration"]
start = time.perf_counter()
rates, seeds = (0.01, 0.03, 0.1, 0.3), (1 if quick else 3)
figure, axis = plt.subplots(figsize=(8, 3.2))
for place, lr in enumerate(rates):
    shares = []
    for s in range(seeds):
        net = small_cnn(nn.ReLU, seed + s)
        train(net, draw_batches(x_train, y_train, 100, 64, seed + s), lr)
        x, share = x_train, []
        with torch.no_grad():
            for layer in net.eval():
                x = layer(x)
                if isinstance(layer, nn.ReLU):
                    share.append(float(dead_units(x).float().mean()))
        shares.append(share)
    for layer, values in enumerate(np.array(shares).T):
        left = place + 0.2 * (layer - 1.5)
        axis.bar(left, values.mean(), 0.17, color=plt.cm.Blues(0.35 + 0.2 * layer), label=f"conv {layer + 1}" if not place else "")
        axis.plot([left] * seeds, values, "k.", markersize=4)
axis.set(xticks=range(4), xticklabels=[f"lr {lr}" for lr in rates], ylabel="share of dead channels", ylim=(0, 1.05))
axis.legend(ncols=4, loc="upper left")
figure.tight_layout()
plt.show()
report(start, f"{4 * seeds} trainings, dead on all n = {len(y_train)} training digits; dots are seeds")

# %% [markdown]
# ## Part 5 · BatchNorm
#
# Standardising the input made the first layer's bowl round. A deep network is a chain of models, and each has the
# layer below for an input. BatchNorm (Ioffe and Szegedy 2015) standardises there too, per channel, with the
# statistics of the mini-batch, and then gives each channel a scale $\gamma$ and a shift $\beta$ to learn:
#
# $$ \hat x = \frac{x-\mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad y = \gamma\,\hat x + \beta $$
#
# In a CNN it stands between the convolution and the bend. Slides leave out four things that the code must know:
# the $\varepsilon$; that $\mu$, $\sigma^2$ are taken **per channel over samples, rows and columns**; that
# evaluation uses **running averages** gathered in training; and which variance goes where.
#
# ### Question 13 · A constant channel
#
# In one batch, a channel is 7 everywhere. $\gamma = 2$, $\beta = 5$, training mode. What comes out?

# %% nbgrader={"grade": false, "grade_id": "q-constant", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_constant: a number
### BEGIN SOLUTION
q_constant = 5
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-constant", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# What BatchNorm makes of a constant channel
check_number(q_constant, q_constant, "q_constant")
### BEGIN HIDDEN TESTS
check_number(q_constant, 5, "q_constant")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 15 · BatchNorm2d
#
# Write the layer as an `nn.Module` that could stand in for PyTorch's, out of plain tensor arithmetic (no
# `nn.BatchNorm…`, no `F.batch_norm`). In lesson 04 you wrote the same as a function, backward included; here
# PyTorch derives the gradient, *if* you let it see how mean and variance were made.
#
# - `BatchNorm2d(channels, eps=1e-5, momentum=0.1)`.
# - Learned, `(C,)`: `weight` ($\gamma$, born as ones) and `bias` ($\beta$, zeros).
# - Buffers: `running_mean` (zeros, `(C,)`), `running_var` (ones, `(C,)`), `num_batches_tracked` (a long tensor, 0). Kept in
#   `state_dict()`, so that a saved network still knows them, but not parameters: no optimizer moves them.
# - **Training**: normalise with the batch's mean and **biased** variance (divide by $M = N\cdot H\cdot W$). Then
#   `running = (1 − momentum) · running + momentum · batch`, with the **unbiased** variance (divide by $M-1$) for
#   `running_var`; and `num_batches_tracked` goes up by one.
# - **Evaluation**: normalise with the running statistics; change nothing.
#
# **Example.** One channel, values 1 and 3 in a batch: mean 2, biased variance 1, so $\hat x \approx \mp1$; the
# buffers become 0.2 and $0.9\cdot1 + 0.1\cdot2 = 1.1$.

# %% nbgrader={"grade": false, "grade_id": "batchnorm", "locked": false, "schema_version": 3, "solution": true, "task": false}
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    ### BEGIN SOLUTION
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]

    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-bn-state", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Two parameters, three buffers, named and born as PyTorch's
norm = BatchNorm2d(3)
names = sorted(name for name, _ in norm.named_parameters())
assert names == ["bias", "weight"], f"the parameters should be weight and bias, not {names}"
### BEGIN HIDDEN TESTS
mine = norm.state_dict()
theirs = nn.BatchNorm2d(3).state_dict()
missing, extra = sorted(theirs.keys() - mine.keys()), sorted(mine.keys() - theirs.keys())
assert not missing and not extra, f"state_dict() lacks {missing}" if missing else f"state_dict() has {extra} too"
buffers = sorted(name for name, _ in norm.named_buffers())
assert buffers == ["num_batches_tracked", "running_mean", "running_var"], f"the buffers are {buffers}"
for name, value in theirs.items():
    check_shape(mine[name], value.shape, name)
    check_close(mine[name], value, f"{name} at birth")
assert not mine["num_batches_tracked"].is_floating_point(), "num_batches_tracked should be a whole number"
family = [kind.__name__ for kind in BatchNorm2d.mro()]
assert "_NormBase" not in family, "build BatchNorm2d on nn.Module, not on PyTorch's own BatchNorm"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-bn-train", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Training: the batch's own mean and biased variance, per channel
norm = BatchNorm2d(1)
check_close(norm(torch.tensor([1.0, 3.0]).reshape(2, 1, 1, 1)).flatten(), [-1, 1], "1 and 3", rtol=1e-4)
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(561)
for shape, scale, eps in (((3, 2, 4, 5), 2.0, 1e-5), ((2, 3, 3, 3), 3e-3, 1e-5), ((3, 3, 2, 3), 0.3, 0.1)):
    C = shape[1]
    x = scale * torch.randn(shape, generator=generator) + torch.randn(C, 1, 1, generator=generator)
    gamma, beta = torch.randn(C, generator=generator), torch.randn(C, generator=generator)
    want = torch.stack([
        gamma[c] * (x[:, c] - x[:, c].sum() / x[:, c].numel())
        / ((x[:, c] - x[:, c].mean()).double().pow(2).mean() + eps).sqrt().float() + beta[c]
        for c in range(C)
    ], dim=1)
    norm = BatchNorm2d(C, eps=eps)
    norm.load_state_dict({
        "weight": gamma, "bias": beta, "running_mean": torch.full((C,), 3.0),
        "running_var": torch.full((C,), 5.0), "num_batches_tracked": torch.tensor(4),
    })
    kept = x.clone()
    check_close(norm(x), want, f"y of {shape}, spread about {scale}, eps {eps}", rtol=1e-3, atol=1e-4)
    check_unchanged(x, kept, "x")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-bn-running", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The buffers over a sequence of batches
norm = BatchNorm2d(1)
norm(torch.tensor([1.0, 3.0]).reshape(2, 1, 1, 1))
check_close(norm.running_mean, [0.2], "running_mean after the example")
check_close(norm.running_var, [1.1], "running_var after the example")
### BEGIN HIDDEN TESTS
for momentum in (0.1, 0.4):
    generator = torch.Generator().manual_seed(562)
    norm = BatchNorm2d(3, momentum=momentum)
    mean, var = torch.zeros(3), torch.ones(3)
    for step, N in enumerate((2, 4, 3)):
        x = (step + 1) * torch.randn(N, 3, 2, 3, generator=generator) + torch.randn(3, 1, 1, generator=generator)
        values = x.transpose(0, 1).flatten(1)  # (3, M)
        mean = (1 - momentum) * mean + momentum * values.mean(dim=1)
        var = (1 - momentum) * var + momentum * values.var(dim=1, correction=1)
        norm(x.requires_grad_(True))  # as behind a layer that learns
    what = f"after three batches, momentum {momentum}"
    check_close(norm.running_mean, mean, f"running_mean {what}", **CLOSE)
    check_close(norm.running_var, var, f"running_var {what}", **CLOSE)
    check_number(int(norm.num_batches_tracked), 3, f"num_batches_tracked {what}")
    for name in ("running_mean", "running_var"):
        assert not getattr(norm, name).requires_grad, f"{name} drags the batch's graph along: update it under no_grad"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-bn-eval", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Evaluation: running statistics, one image alone, nothing changes
norm = BatchNorm2d(1)
norm.eval()
check_close(norm(torch.full((1, 1, 1, 2), 3.0)).flatten(), [3, 3], "a new layer in evaluation mode", rtol=1e-4)
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(563)
for shape, small in (((3, 2, 4, 5), 1.0), ((1, 3, 3, 3), 1e-5)):
    C = shape[1]
    state = {
        "weight": torch.randn(C, generator=generator), "bias": torch.randn(C, generator=generator),
        "running_mean": torch.randn(C, generator=generator),
        "running_var": small * (1 + torch.rand(C, generator=generator)),
        "num_batches_tracked": torch.tensor(7),
    }
    x = 3 * torch.randn(shape, generator=generator) + 1
    want = torch.stack([
        state["weight"][c] * (x[:, c] - state["running_mean"][c]) / (state["running_var"][c] + 1e-5).sqrt()
        + state["bias"][c] for c in range(C)
    ], dim=1)
    norm = BatchNorm2d(C)
    norm.load_state_dict(state)
    norm.eval()
    check_close(norm(x), want, f"y of {shape} in evaluation mode", rtol=1e-3, atol=1e-4)
    after = norm.state_dict()
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        check_close(after[name], state[name], f"{name} after an evaluation")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-bn-gradient", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Gradients: through mean and variance, and for weight and bias
@in_submission
def norm_gradients(norm, x, dy):
    """Gradients of sum(norm(x) · dy) for x, weight and bias."""
    x = x.detach().clone().requires_grad_(True)
    (norm(x) * dy).sum().backward()
    return x.grad, norm.weight.grad, norm.bias.grad


x = torch.tensor([1.0, 3.0, 4.0, 8.0]).reshape(2, 1, 1, 2)
dx, dweight, dbias = norm_gradients(BatchNorm2d(1), x, torch.ones(2, 1, 1, 2))
check_close(dbias, [4], "the gradient of bias for dy = 1")
check_close(dx, torch.zeros(2, 1, 1, 2), "the gradient of x for dy = 1: a shift changes nothing", atol=1e-5)
### BEGIN HIDDEN TESTS
for shape, number in (((3, 2, 4, 5), 564), ((2, 3, 3, 2), 565)):
    generator = torch.Generator().manual_seed(number)
    C = shape[1]
    x, dy = torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)
    state = nn.BatchNorm2d(C).state_dict()
    state["weight"], state["bias"] = torch.randn(C, generator=generator), torch.randn(C, generator=generator)
    gamma, beta = (state[name].double().requires_grad_(True) for name in ("weight", "bias"))
    z = x.double().requires_grad_(True)
    (F.batch_norm(z, None, None, gamma, beta, training=True) * dy).sum().backward()
    norm = BatchNorm2d(C)
    norm.load_state_dict(state)
    dx, dweight, dbias = norm_gradients(norm, x, dy)
    check_close(dx, z.grad.float(), f"the gradient of x, {shape}", rtol=1e-3, atol=1e-4)
    check_close(dweight, gamma.grad.float(), f"the gradient of weight, {shape}", rtol=1e-3, atol=1e-4)
    check_close(dbias, beta.grad.float(), f"the gradient of bias, {shape}", rtol=1e-3, atol=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: buffers are among the parameters, or do not appear at all</summary>
#
# `nn.Parameter` is learned. `register_buffer(name, tensor)` is kept. A plain tensor attribute is neither saved nor
# moved. And `self.running_mean = …` may only get a tensor without a graph: update under `torch.no_grad()`.
# </details>
#
# <details><summary>Help: training is right, evaluation is not</summary>
#
# $\gamma$, $\beta$ and $\varepsilon$ belong to both modes. `running_var` is a variance: its root is still to be
# taken.
# </details>
#
# <details><summary>Help: the output is right, the gradient of x is not</summary>
#
# The mean and the variance come from `x`. Computed under `no_grad()`, or detached, they are constants to PyTorch,
# and two of the three roads back (lesson 04) are closed. Only the *buffers'* update belongs under `no_grad()`.
# </details>
#
# ### Exercise 16 · A block
#
# From here on you may use `nn.BatchNorm2d`; yours is its equal. Write `conv_block(c_in, c_out, batchnorm)`, an
# `nn.Sequential` of a 3 × 3 convolution (padding 1, stride 1), BatchNorm if asked for, and ReLU, in this order.
# The convolution has a bias only where no BatchNorm follows, which would remove it.

# %% nbgrader={"grade": false, "grade_id": "conv-block", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_block(c_in, c_out, batchnorm):
    """nn.Sequential: conv 3 × 3 with padding 1, BatchNorm if batchnorm, ReLU; keeps (H, W)."""
    ### BEGIN SOLUTION
    layers = [nn.Conv2d(c_in, c_out, 3, padding=1, bias=not batchnorm)]
    if batchnorm:
        layers.append(nn.BatchNorm2d(c_out))
    return nn.Sequential(*layers, nn.ReLU())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-conv-block", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Parameters and output shape, with and without BatchNorm
for norm, count in ((False, 4 * 3 * 9 + 4), (True, 4 * 3 * 9 + 8)):
    block = conv_block(3, 4, norm)
    found = sum(p.numel() for p in block.parameters())
    assert found == count, f"conv_block(3, 4, {norm}) has {found} parameters, expected {count}"
    check_shape(block(torch.zeros(2, 3, 5, 6)), (2, 4, 5, 6), f"conv_block(3, 4, {norm}) of (2, 3, 5, 6)")
### BEGIN HIDDEN TESTS
block = conv_block(2, 5, True)
weights = [p.ndim for p in block.parameters()]
assert sorted(weights) == [1, 1, 4], "with BatchNorm: filters, γ, β, and no bias of the convolution"
assert len(list(block.named_buffers())) == 3, "BatchNorm brings three buffers"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv-block-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Convolution, then BatchNorm, then ReLU
block = conv_block(1, 2, True)
assert float(block(torch.randn(4, 1, 5, 5)).detach().min()) >= 0, "ReLU comes last: nothing is negative"
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(566)
x = torch.randn(3, 2, 5, 4, generator=generator)
for norm in (False, True):
    block = conv_block(2, 5, norm)
    state = {name: value for name, value in block.state_dict().items() if value.is_floating_point()}
    filled = {name: torch.rand(value.shape, generator=generator) - 0.4 for name, value in state.items()}
    filters = [name for name, value in filled.items() if value.ndim == 4]
    assert len(filters) == 1, "one convolution is asked for"
    z = F.conv2d(x, filled[filters[0]], padding=1)
    if norm:
        of_norm = [name for name, _ in block.named_parameters() if state[name].ndim == 1]
        beta, gamma = sorted(of_norm)  # ….bias, ….weight
        z = F.batch_norm(z, None, None, filled[gamma], filled[beta], training=True)
    else:
        (bias,) = (name for name, value in filled.items() if value.ndim == 1)
        z = z + filled[bias][:, None, None]
    block.load_state_dict({**block.state_dict(), **filled})
    block.train()
    check_close(block(x), z.clamp(min=0), f"conv_block(2, 5, {norm}) in training mode", rtol=1e-3, atol=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# ### What BatchNorm buys: learning rates
#
# Six convolutions, ReLU, 8 × 8 digits, 120 steps. Three ways to begin, seven learning rates, two seeds: PyTorch's
# default weights (whose gain you computed: ⅙ a layer), He's weights, and the default weights with BatchNorm. Low
# is good.

# %% jupyter={"source_hidden": true} tags=["illustration"]
start = time.perf_counter()
rates = (0.003, 0.1) if quick else (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
seeds, steps = (1 if quick else 2), (60 if quick else 120)
ways = {
    "default weights": {"init": "torch"},
    "He's weights": {"init": "fit"},
    "default weights, BatchNorm": {"init": "torch", "batchnorm": True},
}
figure, axis = plt.subplots(figsize=(8, 3.8))
for number, (name, options) in enumerate(ways.items()):
    ends = []
    for lr in rates:
        ends.append([])
        for s in range(seeds):
            net = small_cnn(nn.ReLU, seed + s, convs=6, **options)
            losses = train(net, draw_batches(x_train, y_train, steps, 64, seed + s), lr)
            ends[-1].append(np.nan_to_num(np.mean(losses[-10:]), nan=1e3, posinf=1e3))
    ends = np.array(ends).clip(1e-3, 5)  # (rates, seeds)
    axis.loglog(rates, ends.mean(axis=1), color=f"C{number}", label=name)
    axis.loglog(rates, ends, ".", color=f"C{number}")
    print(f"{name:27s} ", "  ".join(f"{lr}: {mean:.2g}" for lr, mean in zip(rates, ends.mean(axis=1))))
axis.axhline(math.log(10), color="gray", linestyle="--", linewidth=0.8)
axis.text(rates[0], 2.6, "ln 10: has learned nothing", fontsize=8, color="gray")
axis.set(xlabel="learning rate", ylabel=f"training loss after {steps} steps", ylim=(8e-4, 8))
axis.legend(loc="lower right", fontsize=9)
figure.tight_layout()
plt.show()
report(start, f"{len(ways) * len(rates) * seeds} trainings on n = {len(y_train)} digits; dots are seeds; cut at 5")

# %% [markdown]
# The same network with the same weights learns nothing at most rates without BatchNorm, and learns well over two
# powers of ten with it. He's weights get part of the way. That is what is meant by "less sensitive to
# initialisation" and "larger learning rates". And the sigmoid, which never started in part 4? Four convolutions,
# learning rate 0.03, without and with:

# %% jupyter={"source_hidden": true} tags=["illustration"]
start = time.perf_counter()
for norm in (False, True):
    ends = []
    for s in range(1 if quick else 3):
        net = small_cnn(nn.Sigmoid, seed + s, batchnorm=norm)
        train(net, draw_batches(x_train, y_train, 100 if quick else 300, 64, seed + s), 0.03)
        ends.append(accuracy(net, x_val, y_val))
    print(f"sigmoid {'with' if norm else 'without'} BatchNorm: validation accuracy", np.round(ends, 3), "(n = 360)")
report(start, f"one number a seed, from {seed}")

# %% [markdown]
# ### BatchNorm in the literature
#
# A slide shows the original experiment: Inception without BatchNorm reaches 72.2% accuracy on ImageNet after 31.0
# million steps. With it ("BN-Baseline", same learning rate) 13.3 million. "BN-x5", five times the learning rate:
# 2.1 million. "BN-x30": 2.7 million, and the best final accuracy, 74.8%. "BN-x5-Sigmoid" gets to 69.8%; a sigmoid
# without BatchNorm got nowhere.
#
# ### Question 14 · How many times?
#
# By which factor does BN-x5 cut the number of steps to 72.2%? Within 2%.

# %% nbgrader={"grade": false, "grade_id": "q-speedup", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_speedup: a number
### BEGIN SOLUTION
q_speedup = 31.0 / 2.1
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-speedup", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# How many times fewer steps BN-x5 needs
check_number(q_speedup, q_speedup, "q_speedup")
### BEGIN HIDDEN TESTS
check_number(q_speedup, 31.0 / 2.1, "q_speedup", rtol=0.02)
### END HIDDEN TESTS

# %% [markdown]
# ### Question 15 · Credit
#
# The paper's section 4.2.1 lists what else was changed for BN-x5: dropout and local response normalisation
# removed, the L2 penalty cut by 5, the learning rate's decay six times faster, more thorough shuffling, fewer
# photometric distortions. Which statement stands?
#
# - `"a"`: the factor of question 14 is the effect of the five times larger learning rate alone
# - `"b"`: GoogLeNet (Inception-v1, 2014) used BatchNorm, and made it popular
# - `"c"`: BatchNorm is from 2015; the factor is that of a whole recipe that BatchNorm made possible; and the explanation by
#   "internal covariate shift" is disputed
# - `"d"`: BatchNorm works because it keeps the distribution of each layer's input fixed, as has been shown

# %% nbgrader={"grade": false, "grade_id": "q-credit", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_credit: one of "a", "b", "c", "d"
### BEGIN SOLUTION
q_credit = "c"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-credit", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# What may be said of BatchNorm's effect
assert q_credit in ("a", "b", "c", "d"), "q_credit should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_choice(q_credit, "c", ["a", "b", "c", "d"], "q_credit")
### END HIDDEN TESTS

# %% [markdown]
# Santurkar et al. (2018) injected noise *behind* BatchNorm, so that distributions shifted more than without it,
# and it trained as fast. What they measured to change is the smoothness of the loss: gradients that can be trusted
# over longer steps. That is part 2's round bowl again, and it fits the experiment above.
#
# ## Part 6 · Dropout and weight decay
#
# Dropout (Srivastava et al. 2014) switches off each unit with probability $p$, anew for every image and every
# step. Each image trains a smaller network; no unit can rely on a particular other one.
#
# ### Question 16 · Which weights learn?
#
# LeNet's `fc1` has $800 \times 500$ weights. For one image 400 of its inputs and 250 of its outputs are on, all
# others dropped. For how many of the 400,000 weights can this image's gradient be different from zero?

# %% nbgrader={"grade": false, "grade_id": "q-on-on", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_on_on: a number
### BEGIN SOLUTION
q_on_on = 100_000
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-on-on", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Weights that learn from one image under dropout
check_number(q_on_on, q_on_on, "q_on_on")
### BEGIN HIDDEN TESTS
check_number(q_on_on, 100_000, "q_on_on")
### END HIDDEN TESTS

# %% [markdown]
# ### Question 17 · The rule that the slides leave out
#
# Classic dropout does nothing but dropping. A unit that sums 100 inputs then gets fewer in training than in the
# test, where all are there. So in the test its incoming weights have to be multiplied by a factor. Which, for a
# **drop** probability of $p = 0.2$?

# %% nbgrader={"grade": false, "grade_id": "q-test-rule", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_test_rule: a number
### BEGIN SOLUTION
q_test_rule = 0.8
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-test-rule", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The factor that classic dropout needs in the test
check_number(q_test_rule, q_test_rule, "q_test_rule")
### BEGIN HIDDEN TESTS
check_number(q_test_rule, 0.8, "q_test_rule", rtol=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# *Inverted* dropout, PyTorch's, pays in training instead: what is kept is divided by the same factor at once, and
# in the test nothing is done at all.
#
# ### Exercise 17 · Inverted dropout
#
# Write the pair, as in lesson 04:
#
# - `dropout_forward(x, p, training)` → `y, mask`. In training each entry of `x`, of any shape, is dropped with probability $p$
#   (`0 ≤ p < 1`), independently of all others; `mask` is 0 where dropped and $1/(1-p)$ where kept, and `y = x · mask`. In evaluation
#   `mask` is all ones.
# - `dropout_backward(dy, mask)` → `dx`.

# %% nbgrader={"grade": false, "grade_id": "dropout", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dropout_forward(x, p, training):
    """Inverted dropout with drop probability p; returns y and the mask, both of x's shape."""
    ### BEGIN SOLUTION
    if not training:
        return x, torch.ones_like(x)
    mask = (torch.rand_like(x) >= p).to(x.dtype) / (1 - p)
    return x * mask, mask
    ### END SOLUTION


def dropout_backward(dy, mask):
    """Gradient for x from dy and the mask of the forward pass, all of one shape."""
    ### BEGIN SOLUTION
    return dy * mask
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-dropout-train", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Training: dropped with probability p, scaled by 1 / (1 - p)
x = torch.full((100, 100), 3.0)
y, mask = dropout_forward(x, 0.25, True)
check_shape(y, (100, 100), "y")
assert sorted(set(y.flatten().tolist())) == [0.0, 4.0], "with p = 0.25, a 3 becomes 0 or 4"
### BEGIN HIDDEN TESTS
for shape, p in (((200, 150), 0.2), ((40, 10, 9, 8), 0.7), ((30, 50), 0.0)):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(571)) + 5
    kept = x.clone()
    y, mask = dropout_forward(x, p, True)
    check_unchanged(x, kept, "x")
    off = mask == 0
    share = float(off.double().mean())
    slack = 6 * math.sqrt(p * (1 - p) / x.numel())
    assert abs(share - p) <= slack, f"with p = {p}, {share:.1%} of {x.numel()} entries are dropped"
    check_close(mask[~off], torch.full((int((~off).sum()),), 1 / (1 - p)), f"the mask where kept, p = {p}")
    check_close(y, kept * mask, f"y, against x · mask, p = {p}", **CLOSE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-dropout-independent", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Each entry of each sample has a draw of its own, each call too
x = torch.ones(64, 50)
first, second = dropout_forward(x, 0.5, True)[0], dropout_forward(x, 0.5, True)[0]
assert not torch.equal(first, second), "two calls should drop different entries"
### BEGIN HIDDEN TESTS
for shape in ((64, 50), (32, 8, 4, 4)):
    mask = dropout_forward(torch.ones(shape), 0.5, True)[1] != 0
    flat = mask.flatten(1)
    assert len({tuple(row) for row in flat.tolist()}) > len(flat) // 2, "samples should not share a mask"
    whole = mask.flatten(2) if len(shape) == 4 else mask
    mixed = (whole.any(dim=-1) & ~whole.all(dim=-1)).double().mean()
    assert float(mixed) > 0.9, "single entries should be dropped, not whole maps or samples"
    columns = flat.any(dim=0) & ~flat.all(dim=0)
    assert float(columns.double().mean()) > 0.9, "which units are dropped should change from sample to sample"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-dropout-eval", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Evaluation: nothing is dropped, nothing is scaled
x = torch.tensor([[1.0, -2.0, 3.0]])
y, mask = dropout_forward(x, 0.5, False)
check_close(y, [[1, -2, 3]], "y in evaluation")
check_close(mask, [[1, 1, 1]], "mask in evaluation")
### BEGIN HIDDEN TESTS
x = torch.randn(4, 3, 5, 2, generator=torch.Generator().manual_seed(572))
y, mask = dropout_forward(x, 0.8, False)
check_close(y, x, "y of (4, 3, 5, 2) in evaluation")
check_close(mask, torch.ones(4, 3, 5, 2), "mask of (4, 3, 5, 2) in evaluation")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-dropout-backward", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Backward: through what was kept, with the same mask
got = dropout_backward(torch.tensor([[3.0, 5.0]]), torch.tensor([[0.0, 2.0]]))
check_close(got, [[0, 10]], "dx of the small example")
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(573)
for shape, p in (((20, 30), 0.5), ((5, 4, 3, 6), 0.3)):
    dy = torch.randn(shape, generator=generator)
    mask = (torch.rand(shape, generator=generator) >= p).float() / (1 - p)
    want = dy * mask
    check_close(dropout_backward(dy, mask), want, f"dx of {shape}, p = {p}", **CLOSE)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: too many are dropped, or too few</summary>
#
# $p$ is the probability to **drop**. `torch.rand` is below $p$ with probability $p$.
# </details>
#
# ### Does it help?
#
# The slide's experiment: fully connected networks with 2, 3 and 4 hidden layers (there 1,024 to 2,048 units on
# MNIST, here 256 on digits), half of the hidden units dropped, 200 training images so that there is something to
# overfit.

# %% jupyter={"source_hidden": true} tags=["illustration"]
start = time.perf_counter()
seeds, steps = (1 if quick else 4), (100 if quick else 600)
few = 200


def mlp(hidden, p, number):
    """A fully connected net on 8 × 8 digits, `hidden` layers of 256 units, dropout behind each."""
    torch.manual_seed(number)
    layers, width = [nn.Flatten()], 64
    for _ in range(hidden):
        layers += [nn.Linear(width, 256), nn.ReLU(), nn.Dropout(p)]
        width = 256
    return nn.Sequential(*layers, nn.Linear(width, 10))


depths = (2, 3, 4)
figure, axis = plt.subplots(figsize=(7, 3.2))
for number, p in enumerate((0.0, 0.5)):
    errors = np.zeros((len(depths), seeds))
    for row, hidden in enumerate(depths):
        for s in range(seeds):
            net = mlp(hidden, p, seed + s)
            train(net, draw_batches(x_train[:few], y_train[:few], steps, 64, seed + s), 0.02)
            errors[row, s] = 100 * (1 - accuracy(net, x_val, y_val))
    axis.plot(depths, errors.mean(axis=1), color=f"C{number}", label=f"dropout {p}" if p else "no dropout")
    axis.plot(depths, errors, ".", color=f"C{number}")
    print(f"p = {p}: validation error per depth {errors.mean(axis=1).round(1)} %, std over seeds {errors.std(axis=1).round(1)}")
axis.set(xlabel="hidden layers of 256", ylabel="validation error, %", xticks=depths)
axis.set_ylim(bottom=0)
axis.legend()
figure.tight_layout()
plt.show()
report(start, f"n = {few} training digits, 360 validation digits, {seeds} seeds, {steps} steps")

# %% [markdown]
# Look at the dots before you believe a line: one image of 360 is 0.3 points, and the seeds of one setting spread
# over one to two points. With four hidden layers the dots with dropout lie below those without, with three nothing
# can be said. On MNIST, with ten times as many units, Srivastava et al. measured a clear gain at every depth; here
# it is at best a small one. Two more things that slides get wrong or leave open. The lecture's LeNet drops
# *convolutional* features too, before `fc1`; AlexNet only dropped in its two large linear layers. And the gradient
# of a dropped unit is zero for *that image*; its weights still learn from the others of the batch.
#
# ### Weight decay
#
# The other classic regulariser is part 2's penalty, $J = L + \lambda\lVert w\rVert^2$. PyTorch's SGD calls it
# `weight_decay`, and adds `weight_decay · w` to the gradient.
#
# ### Question 18 · From λ to weight_decay
#
# With $\lambda = 0.00025$, which `weight_decay` gives the same steps?

# %% nbgrader={"grade": false, "grade_id": "q-decay", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_decay: a number
### BEGIN SOLUTION
q_decay = 0.0005
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-decay", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The weight_decay that belongs to a penalty
check_number(q_decay, q_decay, "q_decay")
### BEGIN HIDDEN TESTS
check_number(q_decay, 0.0005, "q_decay", rtol=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# ## Part 7 · Looking inside
#
# A trained LeNet, layer by layer. "First layers detect edges, deeper ones parts of objects": let us look.
#
# The filters of the first layer can be drawn as they are, 5 × 5 pixels. They are best drawn with a colour map that
# shows zero, each by its own largest weight. Deeper filters have 20 channels each and show nothing to the eye:
# there, look at what they *respond* to. Here are the 20 filters of two LeNets from the same random beginning:
# above that of part 1, below one trained with a larger learning rate, 0.05, and weight decay 0.01.

# %% jupyter={"source_hidden": true} tags=["illustration"]
start = time.perf_counter()
plain, _ = trained_lenet(seed, 60 if quick else 300)
net, losses = trained_lenet(seed, 60 if quick else 400, 0.05, 0.01)
print(f"with weight decay: test accuracy {accuracy(net, enlarge(x_test), y_test):.3f} (n = 360)")
report(start, f"{len(losses)} steps of 64 images, one training, seed {seed}")
filters = [f for one in (plain, net) for f in one.conv1.weight.detach()[:, 0]]  # 40 of (5, 5)
show_images([f / f.abs().max() for f in filters], columns=20, size=0.8, cmap="RdBu_r", limits=(-1, 1))
plt.show()

# %% [markdown]
# Above, mostly the noise of the beginning: training had no reason to remove what does no harm. Weight decay has
# one. Below, what the loss does not hold on to has faded, and bars and edges of several orientations are left, red
# against blue: the edge detectors that slides promise. It is this network that we take apart. (`trained_lenet`
# remembers it.)
#
# ### Exercise 18 · Record
#
# A *hook* is a function that PyTorch calls whenever a layer has run: `handle = layer.register_forward_hook(f)`
# calls `f(layer, inputs, output)`, until `handle.remove()`. Write `record(model, x, names)`: run `model` on `x`
# and return a dict from each name in `names` to that layer's output. `model.get_submodule(name)` finds a layer by
# name.
#
# Be a good guest. Run in evaluation mode without gradients; return tensors that are **detached copies** (a later
# in-place ReLU would overwrite what you hold); leave no hook behind, and the model in the mode it was in.

# %% nbgrader={"grade": false, "grade_id": "record", "locked": false, "schema_version": 3, "solution": true, "task": false}
def record(model, x, names):
    """Outputs of the named layers of model on x, as a dict of detached copies."""
    ### BEGIN SOLUTION
    kept, handles = {}, []
    for name in names:

        def keep(layer, inputs, output, name=name):
            kept[name] = output.detach().clone()

        handles.append(model.get_submodule(name).register_forward_hook(keep))
    mode = model.training
    model.eval()
    with torch.no_grad():
        model(x)
    model.train(mode)
    for handle in handles:
        handle.remove()
    return kept
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-record-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The outputs of the named layers, untouched by what comes after
@in_submission
def watched_model(weight):
    """Conv, an in-place ReLU, and a linear layer."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(*weight.shape[1::-1], 3, padding=1), nn.ReLU(inplace=True), nn.Flatten())
    with torch.no_grad():
        model[0].weight.copy_(weight)
        model[0].bias.zero_()
    return model


weight = torch.zeros(1, 1, 3, 3)
weight[0, 0, 1, 1] = -1
got = record(watched_model(weight), torch.ones(1, 1, 1, 2), ["0", "1"])
assert sorted(got) == ["0", "1"], f"the names should be '0' and '1', not {sorted(got)}"
check_close(got["0"], [[[[-1, -1]]]], "the convolution's output, before the in-place ReLU")
check_close(got["1"], [[[[0, 0]]]], "the ReLU's output")
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(581)
weight, x = torch.randn(3, 2, 3, 3, generator=generator), torch.randn(2, 2, 4, 5, generator=generator)
z = F.conv2d(x, weight, padding=1)
got = record(watched_model(weight), x, ["2", "0"])
assert sorted(got) == ["0", "2"], f"the names should be '0' and '2', not {sorted(got)}"
check_close(got["0"], z, "the convolution's output", **CLOSE)
check_close(got["2"], z.clamp(min=0).flatten(1), "the flattened output", **CLOSE)
assert not got["0"].requires_grad, "what is recorded should be detached"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-record-guest", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Evaluation mode while recording; mode, buffers and hooks as before
@in_submission
def guest_book(record):
    """Modes seen and left, hooks left, whether statistics moved."""
    import torch
    from torch import nn

    seen = []

    class Watch(nn.Identity):
        def forward(self, x):
            seen.append((self.training, torch.is_grad_enabled()))
            return x

    model = nn.Sequential(nn.BatchNorm2d(2), Watch())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    record(model, torch.randn(3, 2, 4, 4) + 1, ["0"])
    left = [len(part._forward_hooks) for part in model.modules()]
    same = all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    after = model.training
    model.eval()
    record(model, torch.randn(3, 2, 4, 4), ["1"])
    return seen, after, model.training, sum(left), same


seen, after_train, after_eval, hooks, same = guest_book(record)
assert [mode for mode, _ in seen] == [False, False], "the model should run once, in evaluation mode"
assert not any(grad for _, grad in seen), "the model should run under torch.no_grad()"
assert after_train is True and after_eval is False, "the model should be left in the mode it was in"
assert hooks == 0, "a hook is left behind in the model"
assert same, "recording has changed the model's running statistics"

# %% [markdown]
# ### Exercise 19 · Each map on its own scale
#
# One map reaches 0.1, its neighbour 8: drawn on one scale the first is black. Write `own_scale(maps)` for maps
# `(C, H, W)`: each brought to [0, 1] by **its own** minimum and maximum. A constant map becomes all zeros.

# %% nbgrader={"grade": false, "grade_id": "own-scale", "locked": false, "schema_version": 3, "solution": true, "task": false}
def own_scale(maps):
    """Bring each of the maps (C, H, W) to [0, 1] by its own minimum and maximum; (C, H, W)."""
    ### BEGIN SOLUTION
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)  # (C, 1, 1)
    return (maps - low) / torch.where(high > low, high - low, 1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-own-scale", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Each map from 0 to 1, a constant one to zeros
got = own_scale(torch.tensor([[[1.0, 2.0, 3.0]], [[-10.0, 10.0, 0.0]]]))
check_close(got, [[[0, 0.5, 1]], [[0, 1, 0.5]]], "two maps on their own scales")
### BEGIN HIDDEN TESTS
maps = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(582))
maps = maps * torch.tensor([0.01, 1.0, 50.0, 0.0])[:, None, None] + 3
kept = maps.clone()
want = torch.zeros(4, 3, 5)
for c in range(3):
    want[c] = (maps[c] - maps[c].min()) / (maps[c].max() - maps[c].min())
check_close(own_scale(maps), want, "four maps, one of them constant", rtol=1e-4, atol=1e-4)
check_unchanged(maps, kept, "maps")
### END HIDDEN TESTS

# %% [markdown]
# One digit inside LeNet: the 20 maps behind `conv1`, before the ReLU, each on its own scale. Different filters,
# different maps of the same image.

# %% jupyter={"source_hidden": true} tags=["illustration"]
net, _ = trained_lenet(seed, 60 if quick else 400, 0.05, 0.01)
digit = enlarge(x_test[:1])  # (1, 1, 28, 28)
maps = record(net, digit, ["conv1", "conv2"])
show_images([digit[0, 0], *own_scale(maps["conv1"][0])[:20]], ["the digit"], columns=7, size=1.2)
plt.show()

# %% [markdown]
# ### Exercise 20 · Top patches
#
# To learn what a deep unit responds to, ask the data: **which image patches excite it most?** A unit at `(i, j)`
# of a feature map sees a window of `size` rows and columns (its receptive field, lesson 02) that begins at row `i
# · jump + start` and column `j · jump + start` of the image. Write `top_patches(images, maps, channel, k, size,
# jump, start)` with images `(N, C, H, W)`, maps `(N, F, OH, OW)`. For each image take the place where `channel` is
# **largest** (one patch an image, or the same stroke comes again and again). Return the numbers of the `k` images
# with the largest values, strongest first, `(k,)`, and their patches `(k, C, size, size)`. What lies outside the
# image is 0.
#
# **Example.** LeNet's `conv2`: kernel 5, pooling 2, kernel 5 give size 14, jump 2, start 0.

# %% nbgrader={"grade": false, "grade_id": "top-patches", "locked": false, "schema_version": 3, "solution": true, "task": false}
def top_patches(images, maps, channel, k, size, jump, start):
    """The patches that excite a channel most, one an image, strongest first.

    images (N, C, H, W), maps (N, F, OH, OW); the unit (i, j) sees size × size pixels from
    (i · jump + start, j · jump + start). Returns image numbers (k,), patches (k, C, size, size).
    """
    ### BEGIN SOLUTION
    flat = maps[:, channel].flatten(1)  # (N, OH * OW)
    strength, place = flat.max(dim=1)  # (N,), (N,)
    chosen = strength.argsort(descending=True)[:k]  # (k,)
    padded = F.pad(images, (size,) * 4)
    patches = []
    for number in chosen:
        i, j = divmod(int(place[number]), maps.shape[3])
        top, left = i * jump + start + size, j * jump + start + size
        patches.append(padded[number, :, top : top + size, left : left + size])
    return chosen, torch.stack(patches)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-top-images", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Which images, strongest first
maps = torch.zeros(3, 2, 2, 2)
maps[0, 1, 0, 0], maps[1, 1, 1, 0], maps[2, 1, 0, 1], maps[:, 0] = 1.0, 3.0, 2.0, 9.0
images = torch.arange(3 * 16.0).reshape(3, 1, 4, 4)
numbers, patches = top_patches(images, maps, 1, 2, 2, 2, 0)
check_close(numbers, [1, 2], "the numbers of the two images")
check_shape(patches, (2, 1, 2, 2), "their patches")
### BEGIN HIDDEN TESTS
maps = torch.randn(9, 4, 3, 5, generator=torch.Generator().manual_seed(583))
want = sorted(range(9), key=lambda n: -float(maps[n, 2].max()))[:5]
numbers, _ = top_patches(torch.zeros(9, 2, 8, 12), maps, 2, 5, 3, 2, 1)
check_close(numbers, want, "the numbers of five of nine images")
numbers, _ = top_patches(torch.zeros(9, 2, 8, 12), maps - 10, 2, 5, 3, 2, 1)
check_close(numbers, want, "the numbers, all activations negative")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-top-patches", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The patches, also at the border
maps = torch.zeros(1, 1, 2, 2)
maps[0, 0, 1, 0] = 1.0
images = torch.arange(16.0).reshape(1, 1, 4, 4)
check_close(top_patches(images, maps, 0, 1, 2, 2, 0)[1], [[[[8, 9], [12, 13]]]], "the patch of unit (1, 0)")
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(584)
for size, jump, start, grid in ((3, 2, 0, (3, 5)), (5, 1, -2, (8, 12)), (4, 3, -1, (3, 4))):
    images = torch.rand(7, 2, 8, 12, generator=generator) + 1
    maps = torch.rand(7, 3, *grid, generator=generator)
    order_ = sorted(range(7), key=lambda n: -float(maps[n, 1].max()))[:6]
    want = torch.zeros(6, 2, size, size)
    for slot, n in enumerate(order_):
        i, j = divmod(int(maps[n, 1].argmax()), grid[1])
        for r in range(size):
            for s in range(size):
                row, column = i * jump + start + r, j * jump + start + s
                if 0 <= row < 8 and 0 <= column < 12:
                    want[slot, :, r, s] = images[n, :, row, column]
    got = top_patches(images, maps, 1, 6, size, jump, start)[1]
    check_close(got, want, f"patches of size {size}, jump {jump}, start {start}")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: patches at the border have the wrong size, or wrap around</summary>
#
# A slice that begins at −1 counts from the end. Pad the images with zeros first, and shift all places by the padding.
# </details>
#
# Six units of `conv2`, one a row, each with the eight training patches (14 × 14 of 28 × 28 pixels) that excite it
# most:

# %% jupyter={"source_hidden": true} tags=["illustration"]
net, _ = trained_lenet(seed, 60 if quick else 400, 0.05, 0.01)
pictures = enlarge(x_train)  # (1077, 1, 28, 28)
maps = record(net, pictures, ["conv2"])["conv2"]  # (1077, 50, 8, 8)
units = maps.amax(dim=(0, 2, 3)).argsort(descending=True)[:6]  # the six that get most excited
sheets, captions = [], []
for unit in units.tolist():
    numbers, patches = top_patches(pictures, maps, unit, 8, 14, 2, 0)
    sheets += list(patches[:, 0])
    captions += [f"unit {unit}: {int(y_train[numbers[0]])}"] + [str(int(y_train[n])) for n in numbers[1:]]
show_images(sheets, captions, columns=8, size=1.0, limits=(float(x_train.min()), float(x_train.max())))
plt.show()

# %% [markdown]
# The number above a patch is its image's label. A unit has its stroke: an end, a bend, a crossing, often shared by
# two or three digits, and it wants it wherever it lies. That is the hierarchy of the textbooks, one step of it:
# bars in `conv1`, parts of digits in `conv2`. In networks for photographs it goes on to textures, eyes, faces.
#
# ### A deconvnet
#
# Zeiler and Fergus (2014) asked more sharply: *which pixels of this patch* made the unit fire? Keep one activation
# of a layer, set all others to zero, and send it **back down** to the pixels, undoing each layer in turn:
#
# - **pooling**: remember in the forward pass where each maximum stood (the *switches*); on the way down put the value
#   back there, and zeros elsewhere. `F.max_pool2d(x, 2, return_indices=True)` returns the switches: for each window the
#   place of its maximum, `row · W + column` in the map before pooling;
# - **ReLU**: a ReLU again, applied to what comes down;
# - **convolution**: the same filters *transposed*, `F.conv_transpose2d(z, w)`: each value stamps its filter onto the image. It is the
#   `dX` of lesson 04. Biases are left out.
#
# ### Exercise 21 · Unpooling
#
# Write `unpool(y, switches, shape)` for `y` and `switches` of shape `(N, C, h, w)`, windows that do not overlap, and
# `shape = (H, W)` of the maps before pooling. Returns `(N, C, H, W)`.
#
# **Example.** A map `[[1, 7], [3, 2]]` has the maximum at place 1. `unpool` of the value 5 with switch 1 and shape
# (2, 2) gives `[[0, 5], [0, 0]]`.

# %% nbgrader={"grade": false, "grade_id": "unpool", "locked": false, "schema_version": 3, "solution": true, "task": false}
def unpool(y, switches, shape):
    """Put y (N, C, h, w) back at the places switches (N, C, h, w) of maps with shape (H, W)."""
    ### BEGIN SOLUTION
    N, C = y.shape[:2]
    maps = torch.zeros(N, C, shape[0] * shape[1], dtype=y.dtype)
    maps.scatter_(2, switches.flatten(2), y.flatten(2))
    return maps.reshape(N, C, *shape)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-unpool", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Each value at its switch, zeros elsewhere
got = unpool(torch.tensor([[[[5.0]]]]), torch.tensor([[[[1]]]]), (2, 2))
check_close(got, [[[[0, 5], [0, 0]]]], "5 at place 1 of a 2 × 2 map")
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(585)
for shape, window in (((2, 3, 4, 6), 2), ((2, 2, 5, 7), 2), ((1, 3, 6, 9), 3)):
    x = torch.randn(shape, generator=generator)
    pooled, switches = F.max_pool2d(x, window, return_indices=True)
    y = torch.randn(pooled.shape, generator=generator)
    want = F.max_unpool2d(y, switches, window, output_size=shape[2:])
    check_close(unpool(y, switches, shape[2:]), want, f"unpool to {shape}, windows {window} × {window}")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 22 · Down to the pixels
#
# LeNet up to its second ReLU is: `conv1` (no padding), ReLU, max-pool with switches, `conv2` (no padding), ReLU.
# Write `deconvnet(top, w2, switches, shape, w1)`: from `top` `(N, C2, h, w)`, what is kept of the activations
# behind the second ReLU, down to the pixels. In this order: ReLU, `w2` transposed, unpool to `shape`, ReLU, `w1`
# transposed. With `w2` `(C2, C1, KH, KW)` and `w1` `(C1, C0, KH, KW)` the result is `(N, C0, H, W)`.

# %% nbgrader={"grade": false, "grade_id": "deconvnet", "locked": false, "schema_version": 3, "solution": true, "task": false}
def deconvnet(top, w2, switches, shape, w1):
    """Project activations top (N, C2, h, w) down to the pixels (N, C0, H, W) through two layers.

    w2 (C2, C1, KH, KW), switches of the pooling between, shape (H1, W1) of the maps before it,
    w1 (C1, C0, KH, KW).
    """
    ### BEGIN SOLUTION
    down = F.conv_transpose2d(F.relu(top), w2)  # as the pooled maps
    down = F.relu(unpool(down, switches, shape))  # (N, C1, H1, W1)
    return F.conv_transpose2d(down, w1)  # (N, C0, H, W)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-deconvnet-shape", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# One kept activation reaches the window that it sees
switches = F.max_pool2d(torch.rand(1, 3, 8, 8), 2, return_indices=True)[1]  # (1, 3, 4, 4)
top = torch.zeros(1, 2, 2, 2)
top[0, 1, 0, 0] = 1.0
got = deconvnet(top, torch.ones(2, 3, 3, 3), switches, (8, 8), torch.ones(3, 1, 5, 5))
check_shape(got, (1, 1, 12, 12), "the pixels")
assert float(got[0, 0, :10, :10].sum()) > 0, "something should arrive"
assert float(got[0, 0, 10:].abs().sum()) == 0, "rows 10 and 11 are outside of the unit's window"
### BEGIN HIDDEN TESTS
switches = F.max_pool2d(torch.rand(2, 3, 6, 8), 2, return_indices=True)[1]  # (2, 3, 3, 4)
got = deconvnet(torch.rand(2, 4, 2, 2), torch.rand(4, 3, 2, 3), switches, (6, 8), torch.rand(3, 2, 3, 2))
check_shape(got, (2, 2, 8, 9), "the pixels, with kernels that are not square")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-deconvnet-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The pixels, through both ReLUs, switches and filters
switches = F.max_pool2d(torch.tensor([[[[1.0, 7.0], [3.0, 2.0]]]]), 2, return_indices=True)[1]
got = deconvnet(
    torch.tensor([[[[2.0]]]]), torch.tensor([[[[3.0]]]]), switches, (2, 2), torch.tensor([[[[1.0, 10.0]]]])
)
check_close(got, [[[[0, 6, 60], [0, 0, 0]]]], "2, through a weight 3, to place 1, through [1, 10]")
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(586)
for C2, C1, C0, size in ((4, 3, 2, (8, 6)), (3, 3, 3, (6, 6))):
    maps = torch.rand(2, C1, *size, generator=generator)
    pooled, switches = F.max_pool2d(maps, 2, return_indices=True)
    w2 = torch.randn(C2, C1, 3, 3, generator=generator)
    w1 = torch.randn(C1, C0, 3, 3, generator=generator)
    top = torch.randn(2, C2, size[0] // 2 - 2, size[1] // 2 - 2, generator=generator)
    # The transpose of a convolution, read off its own gradient.
    z = torch.zeros(pooled.shape, requires_grad=True)
    (F.conv2d(z, w2) * top.clamp(min=0)).sum().backward()
    down = F.max_unpool2d(z.grad, switches, 2, output_size=size).clamp(min=0)
    x = torch.zeros(2, C0, size[0] + 2, size[1] + 2, requires_grad=True)
    (F.conv2d(x, w1) * down).sum().backward()
    want = x.grad.clone()
    check_close(deconvnet(top, w2, switches, size, w1), want, f"the pixels for {C0}-{C1}-{C2} channels", **CLOSE)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: expected input to have … channels</summary>
#
# `F.conv_transpose2d` takes the **forward** filters as they are, `(C_out, C_in, KH, KW)`, and maps `C_out`
# channels back to `C_in`. Nothing needs to be transposed or flipped by hand.
# </details>
#
# The same six units. Left of each pair the patch, right what the deconvnet says excited the unit in it.

# %% jupyter={"source_hidden": true} tags=["illustration"]
net, _ = trained_lenet(seed, 60 if quick else 400, 0.05, 0.01)
pictures = enlarge(x_train)
maps = record(net, pictures, ["conv2"])["conv2"]
units = maps.amax(dim=(0, 2, 3)).argsort(descending=True)[:6]
sheets, captions = [], []
w1, w2 = net.conv1.weight.detach(), net.conv2.weight.detach()
for unit in units.tolist():
    numbers, patches = top_patches(pictures, maps, unit, 4, 14, 2, 0)
    first = F.relu(record(net, pictures[numbers], ["conv1"])["conv1"])  # (4, 20, 24, 24)
    _, switches = F.max_pool2d(first, 2, return_indices=True)
    for slot, number in enumerate(numbers.tolist()):
        place = int(maps[number, unit].argmax())
        i, j = divmod(place, 8)
        top = torch.zeros(1, 50, 8, 8)
        top[0, unit, i, j] = maps[number, unit, i, j]
        seen = deconvnet(top, w2, switches[slot : slot + 1], (24, 24), w1)[0, 0, 2 * i : 2 * i + 14, 2 * j : 2 * j + 14]
        sheets += [own_scale(patches[slot])[0], 0.5 + 0.5 * seen / seen.abs().max().clamp(min=1e-9)]
        captions += [f"unit {unit}" if slot == 0 else "", ""]
show_images(sheets, captions, columns=8, size=1.0, limits=(0, 1))
plt.show()

# %% [markdown]
# Gray is "had no say", bright is "the brighter, the more", dark is "should stay dark". The rest of the patch
# falls away.
#
# ### Question 19 · Not quite a gradient
#
# Unpooling with switches and the transposed filters are what backprop does too. Only the ReLU differs. In the
# forward pass a unit's input was $-1$. On the way down, $+3$ arrives at its ReLU. What passes?
#
# - `"a"`: deconvnet 3, gradient 0
# - `"b"`: deconvnet 0, gradient 3
# - `"c"`: 3 for both
# - `"d"`: 0 for both

# %% nbgrader={"grade": false, "grade_id": "q-relu-down", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_relu_down: one of "a", "b", "c", "d"
### BEGIN SOLUTION
q_relu_down = "a"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-relu-down", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# What passes a ReLU on the way down
assert q_relu_down in ("a", "b", "c", "d"), "q_relu_down should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_choice(q_relu_down, "a", ["a", "b", "c", "d"], "q_relu_down")
### END HIDDEN TESTS

# %% [markdown]
# The deconvnet gates by the sign of what *comes down*, backprop by the sign of what *went up*. (Guided backprop,
# 2015, asks for both.) So a deconvnet's picture is no gradient and no proof; it is a well-chosen look.
#
# ## Summary
#
# | rule | exactly | what we measured |
# |---|---|---|
# | split | three disjoint random parts; choose on validation | |
# | normalise | statistics of the training set, applied to all | κ of the two-feature bowl: from millions to about 1 |
# | He's weights | $\mathrm{Var}(w) = 2/n$: gain 1 before ReLU | ±1/n leaves $10^{-36}$ of the signal after 20 layers |
# | ReLU | cheap, does not saturate, can die | not faster than tanh on a small net; sigmoid never starts |
# | BatchNorm | per channel over N, H, W; ε; buffers; two modes | learns over a hundredfold range of learning rates |
# | dropout | keep with $1-p$, scale by $1/(1-p)$; nothing in the test | look at the seeds |
# | weight decay | $\lambda\lVert w\rVert^2$ is `weight_decay` $= 2\lambda$ | |
# | deconvnet | switches, transposed filters, ReLU on what comes down | parts of digits |
#
# Three habits: say which mode the network is in; give every choice of a comparison its own best learning rate; and
# print seeds, $n$, time and hardware under every number.
#
# **Next:** lesson 06 goes through the classic architectures, AlexNet, ZFNet (of the deconvnet's authors) and VGG,
# layer by layer.
#
# ## References
#
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: [Gradient-based learning applied to document
#   recognition](https://doi.org/10.1109/5.726791), Proceedings of the IEEE 86(11), 1998. LeNet-5.
# - X. Glorot, Y. Bengio: [Understanding the difficulty of training deep feedforward neural
#   networks](https://proceedings.mlr.press/v9/glorot10a.html), AISTATS 2010.
# - K. He, X. Zhang, S. Ren, J. Sun: [Delving deep into rectifiers](https://arxiv.org/abs/1502.01852), ICCV 2015.
# - A. Krizhevsky, I. Sutskever, G. Hinton: *ImageNet classification with deep convolutional neural networks*, NeurIPS 2012.
# - S. Ioffe, C. Szegedy: [Batch normalization](https://arxiv.org/abs/1502.03167), ICML 2015.
# - S. Santurkar, D. Tsipras, A. Ilyas, A. Mądry: [How does batch normalization help
#   optimization?](https://arxiv.org/abs/1805.11604), NeurIPS 2018.
# - N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov: [Dropout](https://jmlr.org/papers/v15/srivastava14a.html),
#   JMLR 15, 2014.
# - M. Zeiler, R. Fergus: [Visualizing and understanding convolutional networks](https://arxiv.org/abs/1311.2901), ECCV 2014.
# - J. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller: [Striving for simplicity](https://arxiv.org/abs/1412.6806), 2015. Guided backprop.
# - Data: E. Alpaydin, C. Kaynak: *Optical recognition of handwritten digits*, UCI, 1998, as shipped with scikit-learn.
