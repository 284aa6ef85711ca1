# ---
# jupyter:
#   autograder:
#     packages:
#     - numpy
#     - matplotlib
#     - torch
#     - course.checks
#     - course.data
#     - course.degradation
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
# # 08 · Residual learning
#
# In 2014 the best networks for ImageNet had about 20 layers. In 2015 one with 152 won. Nobody had simply stacked
# more layers: stacked layers get *worse*, and not because they overfit. In this lesson you
# make that failure happen on your own machine, question the usual suspects one by one, and see what a single
# addition, $F(x) + x$, does about it.
#
# **Time** 5 to 6 hours · **Difficulty** ●●●●○ · **You need** lessons 03 (chain rule), 04 (BatchNorm) and some
# PyTorch (`nn.Module`, autograd) · **Runs on** any laptop, without a GPU; three experiments take a minute or
# more each (slow machine? see *The laboratory* below)
#
# **After this lesson you can**
#
# - build a plain and a residual network that differ in one addition and in no parameter;
# - tell **degradation** from overfitting, with several seeds and not with one lucky run;
# - prove that a good deep network *exists* by writing its weights down;
# - measure gradients layer by layer, and say what they do and do not explain;
# - explain $\partial L/\partial x = (I + \partial F/\partial x)^{\mathsf T}\,\partial L/\partial y$ and what it
#   does not promise;
# - draw a loss landscape whose shape means something.
#
# | part | you build | points |
# |---|---|---|
# | 1 · Plain networks | `PlainBlock`, `DigitNet` | 12 |
# | 2 · Deeper is worse | `train_epoch`, `evaluate`, `diagnose`, the experiment | 17 |
# | 3 · A good deep net exists | `make_identity`, `deepen` | 8 |
# | 4 · Is it the gradient? | `gradient_norms` | 10 |
# | 5 · Residual blocks | `shortcut`, `ResidualBlock`, `start_as_identity`, the experiment again | 17 |
# | 6 · What the shortcut does to gradients | `jacobian`, `residual_backward` | 7 |
# | 7 · How long a shortcut? | `SpanBlock` | 8 |
# | 8 · Small steps | `response_stds`, claims and evidence | 8 |
# | 9 · The landscape | `filter_normalised`, `loss_along`, `loss_surface` | 13 |
#
# **How it works.** Complete each cell that says `raise NotImplementedError`, then run the checks below it.
# Grading runs the same checks and further ones, on other shapes and numbers, so write for any input of the
# described shape and change nothing that a function is given, unless the text says *in place*. Questions ask
# you to predict *before* you run the cell that shows the truth; the check below a question only asks whether
# your answer is one of the options, or a number, and grading whether it is right. Cells whose code is folded draw and
# measure: run them like any other. You may import NumPy and PyTorch.

# %% tags=["parameters"]
# Scripts that run this notebook set these; leave them as they are.
seed = 0
device = "auto"
quick = False

# %%
import copy
import platform
import time
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from course import degradation
from course.checks import (
    check_choice,
    check_close,
    check_number,
    check_raises,
    check_shape,
    check_unchanged,
    in_submission,
)
from course.data import digits

torch.manual_seed(seed)
torch.set_num_threads(1)  # so that results do not depend on how many cores a machine has

# %% [markdown]
# ## The laboratory
#
# Networks with 56 layers on ImageNet take days. Ours must train in seconds, so we work on the 1,797 handwritten
# digits of scikit-learn, enlarged from 8 × 8 to 16 × 16 pixels: 1,437 for training, 360 for testing. All
# networks and images stay on the CPU.
#
# **Slow machine?** The three long experiments (parts 2 and 5, part 7, part 9) take a few minutes in all. With
# `LIVE = False` they are not run: their cells draw curves that were measured beforehand with the reference
# solution of this very notebook, and that come with the course; a line below each figure says so. (Single nets that
# parts 3, 4, 6, 8 and 9 take apart are trained in any case, about a fifth of the work.) You lose no
# points: what is graded are the functions that you write and your answers.

# %%
LIVE = not quick  # False: draw the curves that come with the course

images, labels = digits()  # (1797, 1, 8, 8), (1797,)
order = np.random.default_rng(0).permutation(len(labels))
pixels = torch.from_numpy(images[order]).float()  # (1797, 1, 8, 8)
pixels = functional.interpolate(pixels, scale_factor=2, mode="bilinear")  # (1797, 1, 16, 16)
pixels = (pixels - pixels[:1437].mean()) / pixels[:1437].std()  # the training images' mean and std
targets = torch.from_numpy(labels[order])  # (1797,)
x_train, y_train = pixels[:1437], targets[:1437]
x_test, y_test = pixels[1437:], targets[1437:]

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axes = plt.subplots(1, 12, figsize=(12, 1.4))
for axis, picture, label in zip(axes, x_train, y_train):
    axis.imshow(picture[0], cmap="gray")
    axis.set_title(int(label), fontsize=10)
    axis.axis("off")
plt.show()
figure, axis = plt.subplots(figsize=(8, 3))
winners = ["AlexNet\n2012", "Clarifai\n2013", "GoogLeNet\n2014", "ResNet\n2015"]
depths, errors = [8, 8, 22, 152], [15.3, 11.7, 6.7, 3.57]
axis.bar(winners, depths, color=["0.7", "0.7", "0.7", "C0"], width=0.6)
for place, (depth, error) in enumerate(zip(depths, errors)):
    axis.text(place, depth + 3, f"{depth} layers, {error}%", ha="center", fontsize=9)
axis.set(ylabel="weight layers", ylim=(0, 175))
axis.set_title("ImageNet winners: depth, and top-5 test error of the winning ensemble", fontsize=10)
figure.tight_layout()
plt.show()


# %% [markdown]
# The jump from 22 to 152 is what this lesson is about. The paper (He, Zhang, Ren, Sun: *Deep residual learning
# for image recognition*) appeared in December 2015 and at CVPR in 2016, so you will see both years. Its
# standard networks have 18 to 152 weight layers. "Hundreds of layers" are the exception: one with 1,202 layers
# was trained on the small images of CIFAR-10 to see whether it could be done. It could, with less than 0.1%
# training error, and its test error was 7.93%, worse than the 6.43% of a 110-layer net: now it *was*
# overfitting.
#
# ### What you need from lessons 04 and 05, in five sentences
#
# - **BatchNorm** normalises every channel with mean and variance of the batch while training, and with running
#   averages in evaluation (`net.train()`, `net.eval()`); then it multiplies by $\gamma$ and adds $\beta$, both
#   learned. Calls in training mode also move the running averages.
# - A convolution right before BatchNorm needs **no bias**: the mean would remove it.
# - **He initialisation** draws weights with variance $2/\text{fan\_in}$, which keeps the size of signals through
#   convolution + ReLU about constant. PyTorch's default has a sixth of that variance.
# - **SGD with momentum** steps along a running sum of gradients; **weight decay** $\lambda$ adds $\lambda w$ to
#   the gradient.
# - `loss.backward()` **adds** to each parameter's `.grad`; `optimizer.zero_grad()` clears them.
#
# `he_init` is given, and so are two helpers that the tests use. (`@in_submission` tells the grader to run a
# helper beside your networks; to you it changes nothing.)

# %% nbgrader={"grade": false, "grade_id": "given", "locked": true, "schema_version": 3, "solution": false, "task": false}
def he_init(net):
    """Draw the weights of all convolutions in net from N(0, 2 / fan_in), in place."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")


def random_state(state, seed):
    """Random float64 tensors in the shapes of a state dict; running variances are positive."""
    generator = torch.Generator().manual_seed(seed)
    drawn = {}
    for name in sorted(state):
        shape = tuple(state[name].shape)
        draw = torch.randn(shape, generator=generator, dtype=torch.float64)
        if name.endswith("running_var"):
            draw = 0.5 + draw.abs()
        elif name.endswith("num_batches_tracked"):
            draw = torch.tensor(3)
        elif len(shape) == 4:
            draw = draw / (shape[1] * shape[2]) ** 0.5
        drawn[name] = draw
    return drawn


@in_submission
def parameters_of(net):
    """How many numbers the net learns."""
    return sum(p.numel() for p in net.parameters())


# %% [markdown]
# ## Part 1 · Plain networks
#
# ### Exercise 1 · The plain block
#
# VGG taught: stack 3 × 3 convolutions. Our unit of stacking is two of them, each with BatchNorm, which since 2015
# stands after every convolution of such networks:

# %% jupyter={"source_hidden": true}
def draw_block(axis, residual):
    """Draw the block of this lesson from top to bottom; with residual, its shortcut too."""
    steps = ["3×3 conv (stride)", "BatchNorm", "ReLU", "3×3 conv", "BatchNorm"]
    steps += ["+", "ReLU"] if residual else ["ReLU"]
    colours = {"3": "#9ecae1", "B": "#c7e9c0", "R": "#fdd0a2", "+": "white"}
    arrow = {"arrowstyle": "->", "color": "0.3"}
    for place, step in enumerate(steps):
        y = -0.8 * place
        shape = "circle,pad=0.2" if step == "+" else "round,pad=0.3"
        box = {"boxstyle": shape, "facecolor": colours[step[0]], "edgecolor": "0.4"}
        axis.annotate("", (0, y + 0.22), (0, y + 0.62), arrowprops=arrow)
        axis.text(0, y, step, ha="center", va="center", bbox=box, fontsize=10)
    end = -0.8 * len(steps)
    axis.annotate("", (0, end + 0.1), (0, end + 0.5), arrowprops=arrow)
    axis.text(0.1, 0.7, "x", fontsize=12)
    if residual:
        axis.plot([0, 1.5, 1.5], [0.5, 0.5, -4], color="crimson", linewidth=2)
        axis.annotate("", (0.2, -4), (1.55, -4), arrowprops={"arrowstyle": "->", "color": "crimson", "lw": 2})
        axis.text(1.6, -1.8, "shortcut: x as it is", rotation=270, va="center", color="crimson")
        axis.text(-1.35, -1.7, "F(x)", fontsize=12)
        axis.text(0.15, end + 0.1, "ReLU(F(x) + x)", fontsize=11)
    else:
        axis.text(0.15, end + 0.1, "ReLU(F(x))", fontsize=11)
    axis.set(xlim=(-2, 2.6), ylim=(-5.8 if residual else -5.1, 1))
    axis.axis("off")


# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axis = plt.subplots(figsize=(3.4, 3.8))
draw_block(axis, residual=False)
plt.show()


# %% [markdown]
# Write it as an `nn.Module`:
#
# - `PlainBlock(c_in, c_out, stride=1)` takes `(N, c_in, H, W)` and returns `(N, c_out, OH, OW)`;
# - four parts with these names: `conv1`, `bn1`, `conv2`, `bn2`;
# - both convolutions 3 × 3, padding 1, **no bias**; `conv1` has the stride and changes the channels;
# - a ReLU in the middle, and one at the end. (In a plain net the final ReLU simply follows `bn2`.)
#
# **Example.** `PlainBlock(8, 16, 2)` on `(4, 8, 16, 16)` gives `(4, 16, 8, 8)`, nothing in it negative, and
# has $9\cdot8\cdot16 + 2\cdot16 + 9\cdot16\cdot16 + 2\cdot16 = 3520$ parameters.

# %% nbgrader={"grade": false, "grade_id": "plain-block", "locked": false, "schema_version": 3, "solution": true, "task": false}
class PlainBlock(nn.Module):
    """conv, BatchNorm, ReLU, conv, BatchNorm, ReLU: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        ### BEGIN SOLUTION
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        return functional.relu(self.bn2(self.conv2(y)))  # (N, c_out, OH, OW)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-plain-block-parts", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Parts: four, with their names and shapes
state = PlainBlock(8, 16, 2).state_dict()
parameters = {name: tuple(value.shape) for name, value in state.items() if "running" not in name}
assert parameters.get("conv1.weight") == (16, 8, 3, 3), "conv1.weight should have shape (16, 8, 3, 3)"
assert parameters.get("bn2.weight") == (16,), "bn2.weight should have shape (16,)"
assert "conv1.bias" not in parameters, "a convolution before BatchNorm needs no bias"
### BEGIN HIDDEN TESTS
state = PlainBlock(3, 5).state_dict()
found = {name: tuple(value.shape) for name, value in state.items()}
wanted = {"conv1.weight": (5, 3, 3, 3), "conv2.weight": (5, 5, 3, 3)}
for part in ("bn1", "bn2"):
    for name in ("weight", "bias", "running_mean", "running_var"):
        wanted[f"{part}.{name}"] = (5,)
    wanted[f"{part}.num_batches_tracked"] = ()
assert found == wanted, f"PlainBlock(3, 5) holds {sorted(found)}: look at the names and shapes"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-plain-block-training", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Values in training mode
y = PlainBlock(8, 16, 2)(torch.randn(4, 8, 16, 16))
check_shape(y, (4, 16, 8, 8), "PlainBlock(8, 16, 2) of (4, 8, 16, 16)")
assert float(y.detach().min()) >= 0, "nothing is negative after the final ReLU"
### BEGIN HIDDEN TESTS
for number, (c_in, c_out, stride) in enumerate(((3, 3, 1), (2, 5, 1), (4, 3, 2))):
    block = PlainBlock(c_in, c_out, stride).double()
    state = random_state(block.state_dict(), 800 + number)
    block.load_state_dict(state)
    block.train()
    x = torch.randn(3, c_in, 7, 6, generator=torch.Generator().manual_seed(number)).double()
    h = functional.conv2d(x, state["conv1.weight"], stride=stride, padding=1)
    h = functional.batch_norm(h, None, None, state["bn1.weight"], state["bn1.bias"], True)
    h = functional.conv2d(functional.relu(h), state["conv2.weight"], padding=1)
    h = functional.batch_norm(h, None, None, state["bn2.weight"], state["bn2.bias"], True)
    what = f"PlainBlock({c_in}, {c_out}, {stride}) in training mode"
    check_close(block(x), functional.relu(h), what, rtol=1e-5, atol=1e-6)
check_shape(PlainBlock(2, 4)(torch.randn(2, 2, 5, 6)), (2, 4, 5, 6), "PlainBlock(2, 4), without a stride,")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-plain-block-evaluation", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Values in evaluation mode: running statistics
block = PlainBlock(2, 4)
block.eval()
x = torch.randn(2, 2, 5, 5)
check_close(block(x)[:1], block(x[:1]), "the first image alone", rtol=1e-4, atol=1e-5)
### BEGIN HIDDEN TESTS
for number, (c_in, c_out, stride) in enumerate(((3, 3, 1), (2, 5, 2))):
    block = PlainBlock(c_in, c_out, stride).double()
    s = random_state(block.state_dict(), 810 + number)
    block.load_state_dict(s)
    block.eval()
    x = torch.randn(2, c_in, 5, 8, generator=torch.Generator().manual_seed(number)).double()
    h = functional.conv2d(x, s["conv1.weight"], stride=stride, padding=1)
    statistics = s["bn1.running_mean"], s["bn1.running_var"], s["bn1.weight"], s["bn1.bias"]
    h = functional.relu(functional.batch_norm(h, *statistics))
    h = functional.conv2d(h, s["conv2.weight"], padding=1)
    statistics = s["bn2.running_mean"], s["bn2.running_var"], s["bn2.weight"], s["bn2.bias"]
    want = functional.relu(functional.batch_norm(h, *statistics))
    what = f"PlainBlock({c_in}, {c_out}, {stride}) in evaluation mode"
    check_close(block(x), want, what, rtol=1e-5, atol=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: "cannot assign module before Module.__init__() call"</summary>
#
# `super().__init__()` comes first in your `__init__`; it is in the stub, write below it.
# </details>
#
# <details><summary>Help: training mode passes, evaluation mode does not</summary>
#
# Did you make two BatchNorms? One that serves twice keeps one mixed set of running statistics. And let the
# module decide about its mode: `nn.BatchNorm2d` knows whether it is in training.
# </details>
#
# ### Exercise 2 · A net of any depth
#
# The same family as in the paper's experiments on CIFAR-10, smaller:
#
# | part | output, for `width=8` and 16 × 16 images | weight layers |
# |---|---|---|
# | `stem`: 3 × 3 conv, 1 → `width`, no bias; `bn`; ReLU | `(N, 8, 16, 16)` | 1 |
# | stage 1: $n$ blocks | `(N, 8, 16, 16)` | $2n$ |
# | stage 2: $n$ blocks, the first halves the image and doubles the channels | `(N, 16, 8, 8)` | $2n$ |
# | stage 3: $n$ blocks, likewise | `(N, 32, 4, 4)` | $2n$ |
# | mean over all pixels, then `fc`: linear to 10 logits | `(N, 10)` | 1 |
#
# A block with two convolutions makes the depth $6n + 2$. Part 7 will need blocks with another number of
# convolutions, so let it be a parameter, `span`: depth $= 3\cdot n\cdot\text{span} + 2$.
#
# - `DigitNet(depth, block, width=8, span=2)`: `block` is a class (or function) that is called as
#   `block(c_in, c_out, stride)`.
# - Parts: `stem`, `bn`, `blocks` (one `nn.Sequential` of all $3n$ blocks), `fc` (with bias).
# - At the end of `__init__` call `he_init(self)`.
# - A depth for which no whole $n \ge 1$ exists raises `ValueError`.
#
# **Example.** `DigitNet(8, PlainBlock)` has $n = 1$: blocks `(8, 8, 1)`, `(8, 16, 2)`, `(16, 32, 2)`, and 19,074
# parameters. `DigitNet(9, PlainBlock)` raises.

# %% nbgrader={"grade": false, "grade_id": "digit-net", "locked": false, "schema_version": 3, "solution": true, "task": false}
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        ### BEGIN SOLUTION
        n, rest = divmod(depth - 2, 3 * span)
        if n < 1 or rest:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, c_in = [], width
        for stage in range(3):
            c_out = width * 2**stage
            for number in range(n):
                blocks.append(block(c_in, c_out, 2 if stage > 0 and number == 0 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(c_in, 10)
        he_init(self)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        x = functional.relu(self.bn(self.stem(x)))  # (N, width, H, W)
        x = self.blocks(x)  # (N, 4*width, ceil(H/4), ceil(W/4))
        return self.fc(x.mean(dim=(2, 3)))  # (N, 10)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-net-layout", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Layout: channels and strides of every block, in order


@in_submission
def blocks_asked_for(make_net, depth, width, span):
    """The (c_in, c_out, stride) with which a net asks for its blocks."""
    from torch import nn

    asked = []

    def block(c_in, c_out, stride=1):
        asked.append((int(c_in), int(c_out), int(stride)))
        return nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1)

    net = make_net(depth, block, width, span)
    return asked, len(net.blocks)


asked, count = blocks_asked_for(DigitNet, 8, 8, 2)
assert asked == [(8, 8, 1), (8, 16, 2), (16, 32, 2)], f"the blocks of depth 8 are {asked}"
### BEGIN HIDDEN TESTS
for depth, width, span in ((20, 4, 2), (56, 8, 2), (20, 6, 1), (20, 4, 3), (11, 5, 1)):
    asked, count = blocks_asked_for(DigitNet, depth, width, span)
    n = (depth - 2) // (3 * span)
    want = [(width, width, 1)] * n
    want += [(width, 2 * width, 2)] + [(2 * width, 2 * width, 1)] * (n - 1)
    want += [(2 * width, 4 * width, 2)] + [(4 * width, 4 * width, 1)] * (n - 1)
    what = f"DigitNet({depth}, block, {width}, span={span})"
    assert len(asked) == len(want), f"{what} has {len(asked)} blocks: that is not its depth"
    wrong = [i for i in range(len(want)) if asked[i] != want[i]]
    assert not wrong, f"{what}: block {wrong[:1]} is made as {asked[wrong[0]] if wrong else ''}"
    assert count == len(want), f"{what}: net.blocks should hold every block"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-net-parameters", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Number of parameters
check_number(parameters_of(DigitNet(8, PlainBlock)), 19074, "the parameters of DigitNet(8, PlainBlock)")
### BEGIN HIDDEN TESTS
# The paper's ResNet-20 and -56 for CIFAR-10 have 269,722 and 853,018, on 3 input channels, not 1.
for depth, published in ((20, 269_722), (56, 853_018)):
    net = DigitNet(depth, PlainBlock, width=16)
    check_number(parameters_of(net), published - 2 * 9 * 16, f"the parameters at depth {depth}, width 16")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-net-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Values: the logits of a net with known weights
check_shape(DigitNet(8, PlainBlock)(torch.randn(3, 1, 16, 16)), (3, 10), "logits of 3 images")


@in_submission
def logits_of_simple_net(make_net, random_state, x, train):
    """A net of depth 5 with one convolution a block and random weights: its state and logits."""
    from torch import nn

    def block(c_in, c_out, stride=1):
        return nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)

    net = make_net(5, block, 3, 1).double()
    state = random_state(net.state_dict(), 821)
    net.load_state_dict(state)
    net.train(train)
    return sorted(state), net(x).detach()


### BEGIN HIDDEN TESTS
shapes = {"stem.weight": (3, 1, 3, 3), "fc.weight": (10, 12), "fc.bias": (10,), "blocks.0.weight": (3, 3, 3, 3)}
shapes |= {"blocks.1.weight": (6, 3, 3, 3), "blocks.2.weight": (12, 6, 3, 3), "bn.num_batches_tracked": ()}
shapes |= {f"bn.{name}": (3,) for name in ("weight", "bias", "running_mean", "running_var")}
s = random_state({name: torch.empty(shape) for name, shape in shapes.items()}, 821)
for train, size in ((False, (16, 16)), (True, (16, 16)), (False, (11, 14))):
    x = torch.randn(4, 1, *size, generator=torch.Generator().manual_seed(7)).double()
    names, got = logits_of_simple_net(DigitNet, random_state, x, train)
    assert names == sorted(s), f"the net's state holds {names}: look at the names of its parts"
    h = functional.conv2d(x, s["stem.weight"], padding=1)
    statistics = s["bn.running_mean"].clone(), s["bn.running_var"].clone(), s["bn.weight"], s["bn.bias"]
    h = functional.relu(functional.batch_norm(h, *statistics, training=train))
    for number, stride in enumerate((1, 2, 2)):
        h = functional.conv2d(h, s[f"blocks.{number}.weight"], stride=stride, padding=1)
    want = functional.linear(h.mean(dim=(2, 3)), s["fc.weight"], s["fc.bias"])
    mode = "training" if train else "evaluation"
    check_close(got, want, f"logits in {mode} mode of {size} images", rtol=1e-5, atol=1e-6)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-net-init", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The convolutions are born with He's variance
state = DigitNet(8, PlainBlock, width=16).state_dict()
### BEGIN HIDDEN TESTS
for name in ("blocks.0.conv1.weight", "blocks.1.conv2.weight", "blocks.2.conv2.weight"):
    weight = state[name]
    ratio = float(weight.std() / (2 / (9 * weight.shape[1])) ** 0.5)
    assert 0.85 < ratio < 1.15, f"{name}: the standard deviation is {ratio:.2f} times He's"
### END HIDDEN TESTS
assert float(state["blocks.2.conv2.weight"].std()) > 0, "the weights are all the same"

# %% nbgrader={"grade": true, "grade_id": "test-net-refuses", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Impossible depths raise ValueError
check_raises(ValueError, DigitNet, 9, PlainBlock)
### BEGIN HIDDEN TESTS
for depth in (2, 7, 10, 18, 57, -4):
    check_raises(ValueError, DigitNet, depth, PlainBlock)
check_raises(ValueError, DigitNet, 8, PlainBlock, 8, 3)
parameters = parameters_of(DigitNet(14, PlainBlock))
assert parameters > 0, "depth 14 is possible: n = 2"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the number of parameters is far too small</summary>
#
# Modules in a Python list are invisible to PyTorch: they get no optimizer and no place in `state_dict`. Put them
# into `nn.Sequential(*list)`.
# </details>
#
# <details><summary>Help: the layout is off by one block</summary>
#
# Only the *first* block of stages 2 and 3 has stride 2 and more output than input channels. Keep a variable for
# the channels that the next block receives.
# </details>
#
# ## Part 2 · Deeper is worse
#
# ### Exercise 3 · One epoch
#
# `train_epoch(net, x, y, optimizer, order, batch_size=64)` goes once through the images, in the order given:
# the first batch is `x[order[:64]]`, and so on; the last one may be smaller. For each batch: cross-entropy (its
# mean over the batch), gradient, one step of the optimizer. The net trains in training mode.
#
# It returns a float: the mean loss over all **images**, each with the loss it had when its batch
# was seen. So a last, small batch counts for as many images as it has.
#
# **Example.** Batches of 64, 64 and 2 images with losses 1.0, 2.0 and 5.0 give
# $(64\cdot1 + 64\cdot2 + 2\cdot5)/130 = 1.554$, not 2.667.

# %% nbgrader={"grade": false, "grade_id": "train-epoch", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_epoch(net, x, y, optimizer, order, batch_size=64):
    """Train net for one epoch on x (N, C, H, W), y (N,), batches in `order` (N,); returns the mean loss."""
    ### BEGIN SOLUTION
    net.train()
    total = 0.0
    for batch in order.split(batch_size):
        loss = functional.cross_entropy(net(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(order)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-train-epoch-loss", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The mean loss over images, with a smaller last batch


@in_submission
def trained_epochs(train_epoch, x, y, orders, batch_size, lr):
    """Train a small net; returns the losses, the net's state, its mode and the data afterwards."""
    import torch
    from torch import nn

    torch.manual_seed(5)
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 4))
    net = net.double().eval()
    optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    size = () if batch_size is None else (batch_size,)
    losses = [float(train_epoch(net, x, y, optimizer, order, *size)) for order in orders]
    return losses, {name: value.clone() for name, value in net.state_dict().items()}


rng = torch.Generator().manual_seed(0)
x, y = torch.randn(10, 1, 6, 6, generator=rng).double(), torch.arange(10) % 4
losses, state = trained_epochs(train_epoch, x, y, [torch.arange(10)] * 8, 4, 0.1)
assert losses[-1] < losses[0], f"the loss went from {losses[0]:.3f} to {losses[-1]:.3f} in 8 epochs"
### BEGIN HIDDEN TESTS
rng = torch.Generator().manual_seed(830)
x, y = torch.randn(11, 1, 6, 6, generator=rng).double(), torch.randint(4, (11,), generator=rng)
orders = [torch.randperm(11, generator=rng) for _ in range(3)]
torch.manual_seed(5)
net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 4)).double()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
want = []
for order in orders:
    seen = []
    for start in range(0, 11, 4):
        batch = order[start : start + 4]
        each = functional.cross_entropy(net(x[batch]), y[batch], reduction="none")
        optimizer.zero_grad()
        each.mean().backward()
        optimizer.step()
        seen += each.tolist()
    want.append(sum(seen) / 11)
losses, state = trained_epochs(train_epoch, x, y, orders, 4, 0.1)
check_close(losses, want, "the losses of three epochs", rtol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-train-epoch-weights", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The weights after three epochs, in the given order
rng = torch.Generator().manual_seed(1)
x, y = torch.randn(6, 1, 6, 6, generator=rng).double(), torch.arange(6) % 4
first, _ = trained_epochs(train_epoch, x, y, [torch.arange(6)] * 2, 2, 0.1)
second, _ = trained_epochs(train_epoch, x, y, [torch.arange(6).flip(0)] * 2, 2, 0.1)
assert first != second, "another order of the images should give other losses"
### BEGIN HIDDEN TESTS
rng = torch.Generator().manual_seed(831)
x, y = torch.randn(9, 1, 6, 6, generator=rng).double(), torch.randint(4, (9,), generator=rng)
orders = [torch.randperm(9, generator=rng) for _ in range(3)]
torch.manual_seed(5)
net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 4)).double()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for order in orders:
    for start in range(0, 9, 3):
        batch = order[start : start + 3]
        optimizer.zero_grad()
        functional.cross_entropy(net(x[batch]), y[batch]).backward()
        optimizer.step()
_, state = trained_epochs(train_epoch, x, y, orders, 3, 0.05)
for name, value in net.state_dict().items():
    if value.ndim > 0:
        check_close(state[name], value, f"{name} after three epochs", rtol=1e-5, atol=1e-8)
x, y = torch.randn(130, 1, 6, 6, generator=rng).double(), torch.randint(4, (130,), generator=rng)
want, _ = trained_epochs(train_epoch, x, y, [torch.arange(130)] * 2, 64, 0.1)
losses, _ = trained_epochs(train_epoch, x, y, [torch.arange(130)] * 2, None, 0.1)
check_close(losses, want, "the losses with the batch size that is not given, 64,", rtol=1e-9)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-train-epoch-returns", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# A plain float comes back, and images and labels stay as they were


@in_submission
def kind_of_result(train_epoch, x, y):
    """The class of train_epoch's result, and the data after it."""
    import torch
    from torch import nn

    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    result = train_epoch(net, x, y, optimizer, torch.arange(len(y)), 2)
    return type(result).__name__, x, y


x, y = torch.randn(4, 1, 2, 2), torch.tensor([0, 2, 1, 1])
kept = x.clone()
kind, after, _ = kind_of_result(train_epoch, x, y)
assert kind == "float", f"a float is asked, not {kind} (a tensor would keep its whole graph alive)"
### BEGIN HIDDEN TESTS
check_unchanged(after, kept, "x")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the losses are right in the first batch only</summary>
#
# Gradients add up. Clear them before every `backward`, not once an epoch.
# </details>
#
# <details><summary>Help: "order" seems to be ignored</summary>
#
# `order` holds image numbers. `x[order[start : start + batch_size]]` picks a batch;
# `x[start : start + batch_size]` does not.
# </details>
#
# ### Exercise 4 · Loss and error
#
# `evaluate(net, x, y)` returns two floats: mean cross-entropy and **error**, the share of images read wrong
# (0.25 means a quarter). A measurement leaves no trace:
#
# - it uses evaluation mode, whatever mode the net came in, and gives it back in the mode it came in;
# - no gradient is computed, nothing in the net changes, its running statistics neither.
#
# **Example.** Logits that are all 0 for 4 classes: loss $\ln 4 = 1.386$.

# %% nbgrader={"grade": false, "grade_id": "evaluate", "locked": false, "schema_version": 3, "solution": true, "task": false}
def evaluate(net, x, y):
    """Mean cross-entropy and error (share wrong) of net on x (N, C, H, W), y (N,): two floats."""
    ### BEGIN SOLUTION
    was_training = net.training
    net.eval()
    with torch.no_grad():
        logits = net(x)  # (N, classes)
    net.train(was_training)
    loss = functional.cross_entropy(logits, y)
    error = (logits.argmax(dim=1) != y).double().mean()
    return loss.item(), error.item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-evaluate-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Loss and error in evaluation mode


@in_submission
def evaluated(evaluate, x, y, train, seed):
    """Evaluate a small net that has running statistics of its own: results, traces left behind."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Dropout(0.5), nn.Linear(48, 4))
    net = net.double()
    with torch.no_grad():
        net[1].running_mean.copy_(torch.tensor([0.3, -0.2, 0.1]))
        net[1].running_var.copy_(torch.tensor([0.5, 2.0, 0.2]))
    net.train(train)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    graphs = []
    net.register_forward_hook(lambda module, inputs, logits: graphs.append(logits.requires_grad))
    result = evaluate(net, x, y)
    after = net.state_dict()
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    graded = [name for name, p in net.named_parameters() if p.grad is not None]
    graded += ["the logits (use torch.no_grad())"] * any(graphs)
    modes = sorted({part.training for part in net.modules()})
    return tuple(result), [type(value).__name__ for value in result], changed, graded, modes


rng = torch.Generator().manual_seed(3)
x, y = torch.randn(8, 1, 6, 6, generator=rng).double(), torch.arange(8) % 4
(loss, error), kinds, *_ = evaluated(evaluate, x, y, False, 6)
assert 0 <= error <= 1, f"the error is a share between 0 and 1, not {error}"
### BEGIN HIDDEN TESTS
for number, size in enumerate((9, 30)):
    rng = torch.Generator().manual_seed(840 + number)
    x, y = torch.randn(size, 1, 6, 6, generator=rng).double(), torch.randint(4, (size,), generator=rng)
    torch.manual_seed(6 + number)
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Dropout(0.5), nn.Linear(48, 4))
    net = net.double()
    net[1].running_mean.copy_(torch.tensor([0.3, -0.2, 0.1]))
    net[1].running_var.copy_(torch.tensor([0.5, 2.0, 0.2]))
    logits = net.eval()(x).detach()
    scores = logits.log_softmax(dim=1)
    want = -float(sum(scores[i, y[i]] for i in range(size))) / size
    wrong = sum(int(logits[i].argmax()) != int(y[i]) for i in range(size)) / size
    for train in (False, True):
        (loss, error), *_ = evaluated(evaluate, x, y, train, 6 + number)
        came = "training" if train else "evaluation"
        check_close(loss, want, f"the loss of a net that came in {came} mode", rtol=1e-5)
        check_close(error, wrong, f"the error of a net that came in {came} mode", rtol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-evaluate-no-trace", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The net is as it was: statistics, gradients, mode
rng = torch.Generator().manual_seed(4)
x, y = torch.randn(6, 1, 6, 6, generator=rng).double(), torch.arange(6) % 4
_, _, changed, graded, modes = evaluated(evaluate, x, y, True, 8)
assert not changed, f"evaluate changed {changed}"
### BEGIN HIDDEN TESTS
for train in (True, False):
    _, _, changed, graded, modes = evaluated(evaluate, x, y, train, 9)
    assert not changed and not graded, f"evaluate left changes in {changed}, gradients in {graded}"
    assert modes == [train], f"a net that came with training={train} should leave so, not {modes}"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-evaluate-floats", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Two floats come back
rng = torch.Generator().manual_seed(4)
x, y = torch.randn(6, 1, 6, 6, generator=rng).double(), torch.arange(6) % 4
(loss, error), kinds, *_ = evaluated(evaluate, x, y, False, 6)
assert kinds == ["float", "float"], f"two floats are asked, not {kinds}"
### BEGIN HIDDEN TESTS
assert error in [k / 6 for k in range(7)], "the error of 6 images is a multiple of 1/6"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the values differ although the formula is right</summary>
#
# In which mode did the net compute? In training mode BatchNorm uses the batch, and dropout throws dice.
# </details>
#
# ### The experiment
#
# Three plain nets that differ in depth alone: 8, 20 and 56. Everything else is held fixed: images, 8 epochs,
# batches of 64, SGD with learning rate 0.1, momentum 0.9, weight decay 1e-4 (as in the paper, without its later
# cuts of the learning rate). A single run proves little, so each is done with three seeds: other initial
# weights, other order of images. The next cell has the code that all experiments of this lesson use; read it.
# (`ResidualBlock` comes in part 5.)

# %% nbgrader={"grade": false, "grade_id": "given-experiment", "locked": true, "schema_version": 3, "solution": false, "task": false}
RESULTS = {"records": {}, "surfaces": {}}  # what the long experiments measured
TRAINED = {}
SEEDS = (0, 1, 2)
PLAIN = {f"plain-{depth}": lambda depth=depth: DigitNet(depth, PlainBlock) for depth in (8, 20, 56)}
RESIDUAL = {f"residual-{depth}": lambda depth=depth: DigitNet(depth, ResidualBlock) for depth in (8, 20, 56)}


def trained(name, make_net, seed=0, epochs=8, lr=0.1):
    """A net made by make_net() and trained on the digits, and its record; a second call remembers.

    The record holds a list, one number an epoch, for each of `loss` (mean while training) and,
    after the epoch, `train_loss`, `train_error`, `test_loss`, `test_error`.
    """
    if (name, seed) in TRAINED:
        return TRAINED[name, seed]
    torch.manual_seed(seed)
    net = make_net()
    optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9, weight_decay=1e-4)
    generator = torch.Generator().manual_seed(seed)
    keys = ("loss", "train_loss", "train_error", "test_loss", "test_error")
    record = {key: [] for key in keys}
    for _ in range(epochs):
        order = torch.randperm(len(y_train), generator=generator)  # (1437,)
        loss = train_epoch(net, x_train, y_train, optimizer, order)
        measured = (loss, *evaluate(net, x_train, y_train), *evaluate(net, x_test, y_test))
        for key, value in zip(keys, measured):
            record[key].append(value)
    TRAINED[name, seed] = net, record
    return net, record


def measure(nets, seeds=SEEDS, **settings):
    """The records of several nets, {name: [one a seed]}; nets: {name: make_net}. Prints what it trains."""
    records, start, total = {}, time.perf_counter(), len(nets) * len(seeds)
    for name, make_net in nets.items():
        records[name] = []
        for run_seed in seeds:
            new = (name, run_seed) not in TRAINED
            _, record = trained(name, make_net, run_seed, **settings)
            records[name].append(record)
            done = sum(map(len, records.values()))
            if new:
                print(
                    f"run {done:2d} of {total}: {name}, seed {run_seed}: loss {record['loss'][-1]:.3f}, "
                    f"test error {record['test_error'][-1]:6.1%}; {time.perf_counter() - start:4.0f} s so far"
                )
    RESULTS["records"] |= records
    return records


# %% jupyter={"source_hidden": true}
COLOURS = {"8": "C2", "20": "C0", "56": "C3"}


def draw_curves(records, names, title):
    """Training error and test error in % after each epoch: thin lines seeds, thick line their mean."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.4), sharey=True)
    for axis, key in zip(axes, ("train_error", "test_error")):
        for name in names:
            runs = 100 * np.array([record[key] for record in records[name]])  # (seeds, epochs)
            epochs = np.arange(1, runs.shape[1] + 1)
            colour = COLOURS[name.rpartition("-")[2]]
            style = "-" if not name.startswith("plain") or len(names) < 4 else "--"
            axis.plot(epochs, runs.T, style, color=colour, alpha=0.3, linewidth=1)
            axis.plot(epochs, runs.mean(axis=0), style, color=colour, linewidth=2, label=name)
        axis.set(xlabel="epoch", title=key.replace("_", "ing ", 1).replace("testing", "test"))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("%")
    axes[1].legend(fontsize=9)
    figure.suptitle(title, fontsize=11)
    figure.tight_layout()
    plt.show()


def table(records, names):
    """Print each net's last epoch: mean over the seeds, smallest and largest in brackets."""
    print(f"{'after the last epoch':22s}{'training loss':>24s}{'training error':>26s}{'test error':>26s}")
    for name in names:
        cells = []
        for key, unit in (("train_loss", "6.3f"), ("train_error", "6.1%"), ("test_error", "6.1%")):
            last = np.array([record[key][-1] for record in records[name]])
            cells.append(f"{last.mean():{unit}} [{last.min():{unit}}, {last.max():{unit}}]")
        print(f"{name:22s}{cells[0]:>24s}{cells[1]:>26s}{cells[2]:>26s}")


# %% [markdown]
# #### Question · Your prediction
#
# All three nets contain what the shallower ones contain, and more: plain-56 has 214,402 parameters, plain-20 has
# 67,906, plain-8 has 19,074. Which of them has the lowest error **on the training images** after 8 epochs?

# %% nbgrader={"grade": false, "grade_id": "q-lowest", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_lowest: one of 8, 20, 56 (the depth)
### BEGIN SOLUTION
q_lowest = 8
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-lowest", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The depth with the lowest training error
assert q_lowest in (8, 20, 56), "q_lowest should be one of 8, 20, 56"
### BEGIN HIDDEN TESTS
check_choice(q_lowest, 8, [8, 20, 56], "q_lowest")
### END HIDDEN TESTS

# %% [markdown]
# Now run it: nine trainings, a minute or two on one core.

# %% jupyter={"source_hidden": true} tags=["illustration"]
if LIVE:
    records = measure(PLAIN)
    print(f"measured here: {platform.machine()}, one thread, torch {torch.__version__}")
else:
    records = degradation.load()["records"]
    print(degradation.origin())
draw_curves(records, list(PLAIN), "Plain nets, 1,437 digits for training, 360 for testing, 3 seeds each")
table(records, list(PLAIN))

# %% [markdown]
# This is the **degradation problem**. He et al. saw it with 20 and 56 layers on CIFAR-10, and with 18 and 34 on
# ImageNet. (`training loss` in the table is measured after the epoch, in evaluation mode. At a learning rate of
# 0.1 this jumps about from one epoch to the next, for plain-20 in particular: another reason for several
# seeds.)
#
# ### Exercise 5 · A diagnosis with seeds
#
# When a deeper net is worse, which of two things happened? *Overfitting*: it fits the training images as well
# or better, and is worse on new ones. *Degradation*: it cannot even fit the training images. The training error
# decides. And one run each is not enough: runs with different seeds differ.
#
# `diagnose(shallow, deep)` gets two lists of pairs `(training error, test error)`, one pair a seed (the lists
# may have different lengths). Call a quantity **clearly worse** in the deep net if *every* deep run has a
# larger value than *every* shallow run. Return
#
# - `"degradation"` if the training error is clearly worse,
# - else `"overfitting"` if the test error is clearly worse,
# - else `"no clear difference"`.
#
# **Examples.**
#
# - `diagnose([(0.00, 0.02), (0.01, 0.03)], [(0.70, 0.72), (0.60, 0.61)])` → `"degradation"`
# - `diagnose([(0.00, 0.02), (0.01, 0.03)], [(0.00, 0.08), (0.00, 0.09)])` → `"overfitting"`
# - `diagnose([(0.00, 0.02), (0.01, 0.08)], [(0.00, 0.05), (0.02, 0.09)])` → `"no clear difference"`

# %% nbgrader={"grade": false, "grade_id": "diagnose", "locked": false, "schema_version": 3, "solution": true, "task": false}
def diagnose(shallow, deep):
    """Compare runs of two nets, lists of (training error, test error), one pair a seed.

    Returns "degradation", "overfitting" or "no clear difference".
    """
    ### BEGIN SOLUTION
    for column, verdict in enumerate(("degradation", "overfitting")):
        if min(run[column] for run in deep) > max(run[column] for run in shallow):
            return verdict
    return "no clear difference"
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-diagnose-kinds", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The three verdicts
good = [(0.00, 0.02), (0.01, 0.03)]
verdicts = ("degradation", "overfitting", "no clear difference")
check_choice(diagnose(good, [(0.70, 0.72), (0.60, 0.61)]), "degradation", verdicts, "the first example")
check_choice(diagnose(good, [(0.00, 0.08), (0.00, 0.09)]), "overfitting", verdicts, "the second example")
### BEGIN HIDDEN TESTS
third = diagnose([(0.00, 0.02), (0.01, 0.08)], [(0.00, 0.05), (0.02, 0.09)])
check_choice(third, "no clear difference", verdicts, "the third example")
cases = (
    ([(0.1, 0.2)], [(0.0, 0.1)], "no clear difference"),
    ([(0.1, 0.2)], [(0.3, 0.1)], "degradation"),
    ([(0.3, 0.1)], [(0.1, 0.2)], "overfitting"),
    ([(0.2, 0.2), (0.1, 0.1)], [(0.15, 0.3), (0.25, 0.4)], "overfitting"),
)
for number, (shallow, deep, want) in enumerate(cases):
    check_choice(diagnose(shallow, deep), want, verdicts, f"the verdict on hidden case {number}")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-diagnose-seeds", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Every run counts: overlap, equality, different numbers of seeds
verdicts = ("degradation", "overfitting", "no clear difference")
got = diagnose([(0.01, 0.1), (0.30, 0.1)], [(0.20, 0.1), (0.25, 0.1), (0.90, 0.1)])
check_choice(got, "no clear difference", verdicts, "the verdict on overlapping runs with a larger mean")
### BEGIN HIDDEN TESTS
cases = (
    ([(0.1, 0.1), (0.2, 0.2)], [(0.2, 0.2), (0.3, 0.3)], "no clear difference"),
    ([(0.1, 0.1), (0.2, 0.2)], [(0.21, 0.1)], "degradation"),
    ([(0.5, 0.1)], [(0.51, 0.1), (0.6, 0.0), (0.52, 0.9)], "degradation"),
    ([(0.3, 0.1), (0.1, 0.1)], [(0.2, 0.4), (0.4, 0.4)], "overfitting"),
    ([(0.1, 0.5), (0.1, 0.1)], [(0.0, 0.4), (0.1, 0.9)], "no clear difference"),
)
for number, (shallow, deep, want) in enumerate(cases):
    check_choice(diagnose(shallow, deep), want, verdicts, f"the verdict on hidden case {number}")
### END HIDDEN TESTS

# %% [markdown]
# #### Question · What happened?
#
# Look at both panels of the figure. Why does plain-56 read test digits worse than plain-8?
#
# - `"a"` It overfits: so many parameters learn the training images by heart.
# - `"b"` It underfits: it does not even fit the training images, so training failed, not generalisation.
# - `"c"` Its parameters are too few for the task.
# - `"d"` Nothing can be said: it was an unlucky seed.

# %% nbgrader={"grade": false, "grade_id": "q-what-happened", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_what_happened: one of "a", "b", "c", "d"
### BEGIN SOLUTION
q_what_happened = "b"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-what-happened", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Why the deep plain net is worse
assert q_what_happened in ("a", "b", "c", "d"), "q_what_happened should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_choice(q_what_happened, "b", ["a", "b", "c", "d"], "q_what_happened")
### END HIDDEN TESTS

# %% [markdown]
# A good experimenter doubts. Perhaps plain-56 only needs **more time**, or **smaller steps**? One run each
# (seed 0, so take it as a hint): three times the epochs, and a tenth of the learning rate.

# %% jupyter={"source_hidden": true} tags=["illustration"]
make = PLAIN["plain-56"]
if LIVE:
    doubts = measure({"plain-56, 24 epochs": make}, (0,), epochs=24)
    doubts |= measure({"plain-56, lr 0.01": make}, (0,), lr=0.01)
else:
    doubts = degradation.load()["records"]
    print(degradation.origin())
table(doubts, ["plain-56, 24 epochs", "plain-56, lr 0.01"])


# %% [markdown]
# Both help a little; neither comes near what plain-8 reaches in 8 epochs. (That no setting would is more than
# two runs can say.)
#
# ## Part 3 · A good deep net exists
#
# Could it be that a 56-layer net simply *cannot* represent a good solution? No, and the proof is a
# construction. Take a shallow net that works. Insert more blocks that do nothing: identities. The result is
# deeper and gives the **same** outputs. So among the weights of the deep net are some that are as good as the
# shallow net's.
#
# ### Exercise 6 · A plain block that does nothing
#
# Can a plain block be the identity? Its input comes out of a ReLU, so it is never negative, and a ReLU passes
# that unchanged. A 3 × 3 convolution is the identity if filter $c$ has a 1 at the centre of input channel $c$
# and 0 elsewhere. And BatchNorm in *evaluation* computes $\gamma\,(x-\mu)/\sqrt{\sigma^2+\varepsilon} + \beta$
# with stored $\mu$ and $\sigma^2$: choose $\gamma$ and $\beta$ so that this is $x$.
#
# `make_identity(block)` sets the parameters of a `PlainBlock(C, C)` **in place** so that in evaluation mode,
# with the running statistics that the block has when you get it, `block(x)` equals `x` for every $x \ge 0$.
# ($\varepsilon$ is `bn1.eps`. Write to parameters inside `with torch.no_grad():`.)
#
# **Example.** For $\mu = 2$, $\sigma^2 + \varepsilon = 9$: $\gamma = 3$, $\beta = 2$.

# %% nbgrader={"grade": false, "grade_id": "make-identity", "locked": false, "schema_version": 3, "solution": true, "task": false}
def make_identity(block):
    """Set the parameters of a PlainBlock(C, C), in place: block(x) = x for x >= 0 in evaluation mode."""
    ### BEGIN SOLUTION
    with torch.no_grad():
        for conv in (block.conv1, block.conv2):
            nn.init.dirac_(conv.weight)  # (C, C, 3, 3)
        for bn in (block.bn1, block.bn2):
            bn.weight.copy_((bn.running_var + bn.eps).sqrt())
            bn.bias.copy_(bn.running_mean)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-identity-fresh", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# A new block becomes the identity
block = PlainBlock(4, 4)
make_identity(block)
block.eval()
x = torch.rand(2, 4, 5, 5)
check_close(block(x), x, "block(x)", rtol=1e-4, atol=1e-5)
### BEGIN HIDDEN TESTS
for channels, size in ((1, (3, 4)), (6, (5, 2))):
    block = PlainBlock(channels, channels)
    make_identity(block)
    block.eval()
    x = 3 * torch.rand(3, channels, *size, generator=torch.Generator().manual_seed(850))
    check_close(block(x), x, f"block(x) with {channels} channels", rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-identity-statistics", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# A block with running statistics becomes the identity
block = PlainBlock(3, 3)
for _ in range(5):
    block(2 + 3 * torch.randn(8, 3, 6, 6))  # training mode: the statistics move
make_identity(block)
block.eval()
x = torch.rand(2, 3, 5, 5)
check_close(block(x), x, "block(x)", rtol=1e-4, atol=1e-5)
### BEGIN HIDDEN TESTS
block = PlainBlock(5, 5).double()
block.load_state_dict(random_state(block.state_dict(), 851))
make_identity(block)
block.eval()
x = 10 * torch.rand(3, 5, 4, 6, generator=torch.Generator().manual_seed(852)).double()
check_close(block(x), x, "block(x) with random running statistics", rtol=1e-7, atol=1e-8)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: nearly right, off by 0.0005%</summary>
#
# $\varepsilon$ stands under the root: $\gamma = \sqrt{\sigma^2 + \varepsilon}$.
# </details>
#
# <details><summary>Help: the channels come out summed or mixed</summary>
#
# The filter tensor is `(C_out, C_in, 3, 3)`: entry `[c, c, 1, 1]` is 1, all others 0. An all-ones centre adds
# the channels up.
# </details>
#
# ### Exercise 7 · Deeper, and the same
#
# `deepen(net, extra)` returns a **new** net: a copy of `net` (a `DigitNet` of `PlainBlock`s) with `extra`
# identity blocks appended to `net.blocks`, as wide as the last stage. In evaluation mode it gives the same
# logits. The old net stays as it is, and shares no tensor with the new one.
#
# **Example.** `deepen(DigitNet(8, PlainBlock), 24)` has 27 blocks: depth 56. The last stage has as many
# channels as `fc` has inputs, 32.

# %% nbgrader={"grade": false, "grade_id": "deepen", "locked": false, "schema_version": 3, "solution": true, "task": false}
def deepen(net, extra):
    """A copy of a plain DigitNet with `extra` identity blocks at its end; same logits in evaluation."""
    ### BEGIN SOLUTION
    deeper = copy.deepcopy(net)
    channels = net.fc.in_features
    for _ in range(extra):
        block = PlainBlock(channels, channels)
        make_identity(block)
        deeper.blocks.append(block)
    return deeper
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-deepen-logits", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# More blocks, the same logits
net = DigitNet(8, PlainBlock)
deeper = deepen(net, 2)
net.eval(), deeper.eval()
x = torch.randn(4, 1, 16, 16)
assert len(deeper.blocks) == 5, f"3 blocks and 2 more make {len(deeper.blocks)}?"
check_close(deeper(x), net(x), "the deeper net's logits", rtol=1e-4, atol=1e-5)
### BEGIN HIDDEN TESTS
for depth, extra, width in ((8, 24, 2), (14, 1, 3), (8, 0, 4)):
    net = DigitNet(depth, PlainBlock, width)
    state = random_state(net.state_dict(), 853)
    net.load_state_dict(state)
    net.eval()
    x = torch.randn(3, 1, 9, 12, generator=torch.Generator().manual_seed(854))
    want = net(x).detach()
    deeper = deepen(net, extra)
    deeper.eval()
    what = f"DigitNet({depth}) and {extra} blocks"
    found = parameters_of(deeper) - parameters_of(net)
    assert len(deeper.blocks) == (depth - 2) // 2 + extra, f"{what}: {len(deeper.blocks)} blocks"
    assert found == extra * (2 * 9 * (4 * width) ** 2 + 16 * width), f"{what}: {found} new parameters"
    check_close(deeper(x), want, f"the logits of {what}", rtol=1e-3, atol=1e-4)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-deepen-copy", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The old net stays as it is
net = DigitNet(8, PlainBlock, 2)
deeper = deepen(net, 1)
assert len(net.blocks) == 3, f"the old net has {len(net.blocks)} blocks now, it had 3"
### BEGIN HIDDEN TESTS
kept = {name: value.clone() for name, value in net.state_dict().items()}
deeper.load_state_dict(random_state(deeper.state_dict(), 855))
after = net.state_dict()
same = [name for name in kept if torch.equal(kept[name], after[name])]
assert len(same) == len(kept), "changing the new net changed the old one: copy it, tensors and all"
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true} tags=["illustration"]
shallow_net, _ = trained("plain-8", PLAIN["plain-8"])
constructed = deepen(shallow_net, 24)
_, shallow_error = evaluate(shallow_net, x_train, y_train)
_, constructed_error = evaluate(constructed, x_train, y_train)
depth = 2 + 2 * len(constructed.blocks)
print(f"plain-8, trained                     training error {shallow_error:.2%}")
print(f"{depth} layers, by construction        training error {constructed_error:.2%}")
with torch.no_grad():
    gap = (shallow_net.eval()(x_test) - constructed.eval()(x_test)).abs().max()
print(f"largest difference of their logits on the test digits: {gap:.0e}")

# %% [markdown]
# (The 24 new blocks all stand in stage 3, so this is a plain net of 56 layers with other widths than plain-56.
# Inserting identity blocks into each stage works as well.)
#
# #### Question · What the construction proves
#
# `deepen` has made a deep net out of a trained shallow one. Which sentence does that prove?
#
# - `"a"` A 56-layer net trained with SGD will reach at least the training error of the 8-layer net.
# - `"b"` There are weights with which the deep net's training error is no higher than the shallow net's. SGD
#   need not find them.
# - `"c"` A deeper net has a lower test error, if one trains long enough.

# %% nbgrader={"grade": false, "grade_id": "q-construction", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_construction: one of "a", "b", "c"
### BEGIN SOLUTION
q_construction = "b"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-construction", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# What the construction proves
assert q_construction in ("a", "b", "c"), "q_construction should be one of 'a', 'b', 'c'"
### BEGIN HIDDEN TESTS
check_choice(q_construction, "b", ["a", "b", "c"], "q_construction")
### END HIDDEN TESTS

# %% [markdown]
# ## Part 4 · Is it the gradient?
#
# So training fails where a solution exists. Why? Most slides, and many lectures, say: the gradient **vanishes** on
# its way through so many layers, so the early layers do not learn. That can be measured.
#
# ### Exercise 8 · Gradient norms
#
# `gradient_norms(net, x, y)` returns a list of floats: for each convolution in `net.blocks`, from the first to
# the last, the Euclidean norm $\lVert\partial L/\partial W\rVert$ of the gradient of the mean cross-entropy on
# the batch `x`, `y`, **in training mode**: we want the gradients that training sees. (Convolution weights are
# the parameters with four axes.)
#
# Again without a trace: afterwards the net has the parameters, the `.grad`s, the mode and the running
# statistics that it had before. (Working on a `copy.deepcopy` is fine. Mind that a copy brings its `.grad`s
# along, and that `backward` adds to them.)
#
# **Example.** A gradient with the four entries 1, 1, 1, 1 has norm 2.

# %% nbgrader={"grade": false, "grade_id": "gradient-norms", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gradient_norms(net, x, y):
    """Norm of the loss's gradient for each convolution in net.blocks, first to last: a list of floats."""
    ### BEGIN SOLUTION
    probe = copy.deepcopy(net).train()
    weights = [p for p in probe.blocks.parameters() if p.ndim == 4]
    loss = functional.cross_entropy(probe(x), y)
    return [slope.norm().item() for slope in torch.autograd.grad(loss, weights)]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-gradient-norms-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The norms, first convolution to last


@in_submission
def norms_of_small_net(gradient_norms, x, y, train, old):
    """Norms for a net of four convolutions in three blocks; what changed in the net."""
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(1, 3, 3, padding=1)
            two = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(4, 5, 3))
            first = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU())
            self.blocks = nn.Sequential(first, two, nn.Sequential(nn.Conv2d(5, 2, 1), nn.BatchNorm2d(2)))
            self.fc = nn.Linear(2, 4)

        def forward(self, x):
            return self.fc(self.blocks(self.stem(x)).mean(dim=(2, 3)))

    torch.manual_seed(8)
    net = Net().double()
    net.train(train)
    if old:
        for p in net.parameters():
            p.grad = torch.full_like(p, 7.0)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    norms = gradient_norms(net, x, y)
    floats = all(isinstance(value, float) for value in norms)
    after = net.state_dict()
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    grads = [p.grad for p in net.parameters()]
    kept = all(g is not None and bool((g == 7).all()) for g in grads) if old else all(g is None for g in grads)
    modes = sorted({part.training for part in net.modules()})
    return [float(value) for value in norms], changed, kept, modes, floats


rng = torch.Generator().manual_seed(9)
x, y = torch.randn(6, 1, 6, 6, generator=rng).double(), torch.arange(6) % 4
norms, *_, floats = norms_of_small_net(gradient_norms, x, y, True, False)
check_shape(norms, (4,), "the norms of a net with four convolutions in its blocks")
assert floats, "gradient_norms should return floats, not tensors"
### BEGIN HIDDEN TESTS
torch.manual_seed(8)
stem = nn.Conv2d(1, 3, 3, padding=1)
two = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(4, 5, 3))
first = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU())
last = nn.Sequential(nn.Conv2d(5, 2, 1), nn.BatchNorm2d(2))
head = nn.Linear(2, 4)
oracle = nn.Sequential(stem, first, two, last).double()
head = head.double()
for size in (6, 7):
    rng = torch.Generator().manual_seed(860 + size)
    x, y = torch.randn(size, 1, 6, 5, generator=rng).double(), torch.randint(4, (size,), generator=rng)
    oracle.zero_grad()
    functional.cross_entropy(head(oracle(x).mean(dim=(2, 3))), y).backward()
    want = [float(conv.weight.grad.pow(2).sum().sqrt()) for conv in (first[0], two[0], two[2], last[0])]
    norms, *_ = norms_of_small_net(gradient_norms, x, y, True, False)
    check_close(norms, want, "the norms", rtol=1e-5, atol=1e-9)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-gradient-norms-mode", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Training mode and fresh gradients, whatever the net came with
rng = torch.Generator().manual_seed(10)
x, y = torch.randn(5, 1, 6, 6, generator=rng).double(), torch.arange(5) % 4
in_training, *_ = norms_of_small_net(gradient_norms, x, y, True, False)
in_evaluation, *_ = norms_of_small_net(gradient_norms, x, y, False, False)
check_close(in_evaluation, in_training, "the norms of a net that came in evaluation mode", rtol=1e-5)
### BEGIN HIDDEN TESTS
torch.manual_seed(8)
stem = nn.Conv2d(1, 3, 3, padding=1)
two = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(4, 5, 3))
first = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU())
last = nn.Sequential(nn.Conv2d(5, 2, 1), nn.BatchNorm2d(2))
head = nn.Linear(2, 4).double()
oracle = nn.Sequential(stem, first, two, last).double()
functional.cross_entropy(head(oracle(x).mean(dim=(2, 3))), y).backward()
want = [float(conv.weight.grad.pow(2).sum().sqrt()) for conv in (first[0], two[0], two[2], last[0])]
for train, old in ((True, True), (False, True), (False, False)):
    norms, *_ = norms_of_small_net(gradient_norms, x, y, train, old)
    came = f"training={train}" + (" and old gradients" if old else "")
    check_close(norms, want, f"the norms of a net that came with {came}", rtol=1e-5, atol=1e-9)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-gradient-norms-no-trace", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The net is as it was: statistics, gradients, mode
rng = torch.Generator().manual_seed(11)
x, y = torch.randn(5, 1, 6, 6, generator=rng).double(), torch.arange(5) % 4
_, changed, kept, modes, _ = norms_of_small_net(gradient_norms, x, y, True, False)
assert not changed, f"gradient_norms changed {changed}"
### BEGIN HIDDEN TESTS
for train, old in ((False, False), (True, True), (False, True), (True, False)):
    _, changed, kept, modes, _ = norms_of_small_net(gradient_norms, x, y, train, old)
    assert not changed, f"gradient_norms changed {changed}"
    assert kept, "the parameters' .grad should be as before: nothing added, nothing cleared"
    assert modes == [train], f"a net that came with training={train} should leave so"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: there are too many norms</summary>
#
# BatchNorm's $\gamma$ and $\beta$ and biases have one axis, convolutions four. The stem is outside `net.blocks`.
# </details>
#
# #### Question · Your prediction
#
# Take plain-56 with BatchNorm and He initialisation, **before any training**. Compare the gradient norm of the
# first convolution (near the image) with that of the last (near the loss).
#
# - `"a"` The first is at least 100 times **smaller**: the gradient vanishes on its way to the input.
# - `"b"` They are equal within a factor of 10.
# - `"c"` The first is at least 100 times **larger**.

# %% nbgrader={"grade": false, "grade_id": "q-ratio", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_ratio: one of "a", "b", "c"
### BEGIN SOLUTION
q_ratio = "c"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-ratio", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Gradient norms of plain-56 with BatchNorm, first against last
assert q_ratio in ("a", "b", "c"), "q_ratio should be one of 'a', 'b', 'c'"
### BEGIN HIDDEN TESTS
check_choice(q_ratio, "c", ["a", "b", "c"], "q_ratio")
### END HIDDEN TESTS

# %% [markdown]
# Now measure. Left: plain-56 at birth, with BatchNorm and without (`nn.Identity` in its place), with He's
# initialisation and with PyTorch's default. Right: plain-56 with BatchNorm while it trains, and fails to.

# %% jupyter={"source_hidden": true} tags=["illustration"]
def without_batchnorm(net):
    """A copy of net with nn.Identity in the place of each BatchNorm."""
    net = copy.deepcopy(net)
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    return net


def default_init(net):
    """A copy of net whose convolutions are drawn by PyTorch's default."""
    net = copy.deepcopy(net)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.reset_parameters()
    return net


batch = x_train[:256].double(), y_train[:256]  # float64: float32 cannot hold the smallest of them
torch.manual_seed(seed)
born = DigitNet(56, PlainBlock).double()
cases = {
    "BatchNorm, He": born,
    "no BatchNorm, He": without_batchnorm(born),
    "no BatchNorm, PyTorch's default": default_init(without_batchnorm(born)),
}
figure, (left, right) = plt.subplots(1, 2, figsize=(12, 3.8))
for (name, net), colour in zip(cases.items(), ("C3", "C0", "0.5")):
    norms = gradient_norms(net, *batch)
    left.semilogy(range(1, len(norms) + 1), norms, color=colour, label=name)
    print(f"plain-56 at birth, {name:33s} first {norms[0]:8.1e}   last {norms[-1]:8.1e}   "
          f"first / last {norms[0] / norms[-1]:8.1e}")  # fmt: skip
left.set(xlabel="convolution, from image to loss", ylabel="gradient norm", title="plain-56 at birth")
left.legend(fontsize=9)
for epochs, colour in ((0, "C3"), (1, "C1"), (2, "C4"), (4, "C6"), (8, "k")):
    if quick and epochs > 2:
        break
    name = "plain-56" if epochs == 8 else f"plain-56 after {epochs}"  # 8 are trained already
    net = trained(name, PLAIN["plain-56"], seed, epochs=epochs)[0]
    norms = gradient_norms(net, x_train[:256], y_train[:256])
    right.semilogy(range(1, len(norms) + 1), norms, color=colour, label=f"epochs trained: {epochs}")
    size = net.blocks[0].conv1.weight.detach().norm()
    print(f"plain-56, BatchNorm, epochs trained: {epochs}; gradient norms from {min(norms):.1e} to {max(norms):.1e}, "
          f"first convolution's weights have norm {size:.1f}")  # fmt: skip
right.set(xlabel="convolution, from image to loss", title="plain-56 with BatchNorm, while training")
right.legend(fontsize=9)
figure.tight_layout()
plt.show()

# %% [markdown]
# With BatchNorm the gradient of the new net does the opposite of vanishing: it grows by a factor of about a
# thousand on its way to the image. One epoch of training ends that: steps along such gradients blow up the
# first layers' weights (their norm is in the printout), and behind BatchNorm larger weights get smaller
# gradients. From then on the norms of all layers lie between about 0.002 and 0.2: none has vanished. The
# *explosion* has left a mark, though: a gradient of 0.005 hardly moves weights of norm 400. That is one way in
# which this net is hard to optimise, and hardly the only one, for with a tenth of the learning rate it failed
# too.
#
# One of the three curves on the left comes near the popular story. Which one is the second question below.
#
# He et al. checked this in 2015: their plain nets had BatchNorm, so forward signals have non-zero variances,
# and the gradients had "healthy norms". They wrote that the difficulty is **unlikely to be caused by vanishing
# gradients**, conjectured that deep plain nets have exponentially low convergence rates, and left the reason to
# future work. (Later work found, for example, that gradients of deep plain nets come to resemble white noise:
# Balduzzi et al. 2017; the explosion at birth is explained in Yang et al. 2019.)
#
# #### Question · The verdict
#
# Which conclusion do the measurements support?
#
# - `"a"` plain-56 fails because its gradients vanish.
# - `"b"` plain-56 fails although its gradients do not vanish; it is a difficulty of optimisation, and the norms
#   alone do not explain it.
# - `"c"` plain-56 fails because its gradients explode during the whole training.

# %% nbgrader={"grade": false, "grade_id": "q-verdict", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_verdict: one of "a", "b", "c"
### BEGIN SOLUTION
q_verdict = "b"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-verdict", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# What the gradient norms say about degradation
assert q_verdict in ("a", "b", "c"), "q_verdict should be one of 'a', 'b', 'c'"
### BEGIN HIDDEN TESTS
check_choice(q_verdict, "b", ["a", "b", "c"], "q_verdict")
### END HIDDEN TESTS

# %% [markdown]
# #### Question · Where the popular story is nearly true
#
# In which of these nets are, in the left figure, the gradients of all the convolutions too small to teach them anything?
#
# - `"a"` plain-56 with BatchNorm and He's initialisation
# - `"b"` plain-56 without BatchNorm, with He's initialisation
# - `"c"` plain-56 without BatchNorm, with PyTorch's default initialisation

# %% nbgrader={"grade": false, "grade_id": "q-popular", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_popular: one of "a", "b", "c"
### BEGIN SOLUTION
q_popular = "c"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-popular", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The nets whose gradient vanishes
assert q_popular in ("a", "b", "c"), "q_popular should be one of 'a', 'b', 'c'"
### BEGIN HIDDEN TESTS
check_choice(q_popular, "c", ["a", "b", "c"], "q_popular")
### END HIDDEN TESTS

# %% [markdown]
# Only nearly true, for look at the shape of that curve: it does not fall towards the image, it is low and flat. Its
# weights are too small by a factor in every layer. So the signal shrinks on its way forward, the gradient on its
# way back, and the gradient of a convolution, which is made of both, is tiny in the last layer too.
#
# ## Part 5 · Residual blocks
#
# The construction of part 3 needs the identity in many layers, and SGD does not find it: two filter banks and
# four vectors must be hit exactly. So make the identity the *default*, and let the layers learn only the
# difference.
#
# If $H(x)$ is the mapping that we would like a block to have, let its layers fit the **residual**
# $F(x) = H(x) - x$, and add $x$ back by a **shortcut**: the block computes $F(x) + x$. If the identity is
# wanted, all the layers have to do is to output zero.

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axes = plt.subplots(1, 2, figsize=(7.4, 4.4))
for axis, residual in zip(axes, (False, True)):
    draw_block(axis, residual)
    axis.set_ylim(-5.8, 1)
    axis.set_title("residual block" if residual else "plain block", fontsize=11)
figure.tight_layout()
plt.show()

# %% [markdown]
# #### Question · Who learns what?
#
# Slides get this wrong in every possible way. $H$ is the mapping from the block's input to its output (leave
# the final ReLU aside), $F$ what the layers between compute. Which is right?
#
# - `"a"` "The block computes $H(x) - x$, and the final output is $F(x) = H(x) + x$."
# - `"b"` "The layers learn $F(x) = H(x) - x$, and the block outputs $H(x) = F(x) + x$."
# - `"c"` "The layers learn $H(x)$; the shortcut subtracts $x$ from it."

# %% nbgrader={"grade": false, "grade_id": "q-words", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_words: one of "a", "b", "c"
### BEGIN SOLUTION
q_words = "b"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-words", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Residual and mapping
assert q_words in ("a", "b", "c"), "q_words should be one of 'a', 'b', 'c'"
### BEGIN HIDDEN TESTS
check_choice(q_words, "b", ["a", "b", "c"], "q_words")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 9 · A shortcut without parameters
#
# $F(x) + x$ needs equal shapes. Where a block halves the image and doubles the channels, `x` must follow. The
# paper's option A does it without any parameter, so that plain and residual nets stay comparable number by
# number (options B and C, with 1 × 1 convolutions, are for lesson 09):
#
# - with stride $S$ keep every $S$-th row and column, beginning with the first: 0, $S$, $2S$, …;
# - append channels of zeros **behind** the old ones, up to `channels`.
#
# **Example.** `x = [[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]]`, shape `(1, 1, 3, 3)`: `shortcut(x, 2, 2)` has shape
# `(1, 2, 2, 2)`, channel 0 is `[[1, 3], [7, 9]]` and channel 1 is zero. `shortcut(x, 1, 1)` is `x`.

# %% nbgrader={"grade": false, "grade_id": "shortcut", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shortcut(x, channels, stride):
    """x (N, C, H, W), every stride-th pixel, zero channels appended: (N, channels, OH, OW)."""
    ### BEGIN SOLUTION
    x = x[:, :, ::stride, ::stride]  # (N, C, OH, OW)
    return functional.pad(x, (0, 0, 0, 0, 0, channels - x.shape[1]))  # (N, channels, OH, OW)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-shortcut-stride", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Stride: the right pixels, also of odd sizes
x = torch.arange(1.0, 10).reshape(1, 1, 3, 3)
check_close(shortcut(x, 1, 2), [[[[1, 3], [7, 9]]]], "shortcut(x, 1, 2) of the example")
check_close(shortcut(x, 1, 1), x, "shortcut(x, 1, 1)")
### BEGIN HIDDEN TESTS
for height, width, stride in ((6, 5, 2), (7, 4, 2), (8, 7, 3), (4, 5, 1)):
    x = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(870))
    kept = x.clone()
    want = [[[[float(kept[n, c, i, j]) for j in range(0, width, stride)] for i in range(0, height, stride)]
             for c in range(3)] for n in range(2)]  # fmt: skip
    check_close(shortcut(x, 3, stride), want, f"shortcut of {height}×{width}, stride {stride}")
    check_unchanged(x, kept, "x")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-shortcut-channels", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Channels: zeros behind the old ones
x = torch.arange(1.0, 10).reshape(1, 1, 3, 3)
check_close(shortcut(x, 2, 2), [[[[1, 3], [7, 9]], [[0, 0], [0, 0]]]], "shortcut(x, 2, 2) of the example")
### BEGIN HIDDEN TESTS
for c_in, c_out, stride in ((2, 4, 2), (3, 5, 1), (2, 7, 2), (1, 2, 1)):
    x = torch.randn(3, c_in, 5, 6, generator=torch.Generator().manual_seed(871))
    want = torch.zeros(3, c_out, (5 + stride - 1) // stride, (6 + stride - 1) // stride)
    want[:, :c_in] = x[:, :, ::stride, ::stride]
    what = f"shortcut of {c_in} channels to {c_out}, stride {stride}"
    check_close(shortcut(x, c_out, stride), want, what)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 10 · The residual block
#
# `ResidualBlock(c_in, c_out, stride=1)`: the same four parts as `PlainBlock`, with the same names, and
#
# $$y = \operatorname{ReLU}\bigl(F(x) + \text{shortcut}(x)\bigr), \qquad F = \text{bn2} \circ \text{conv2} \circ \text{ReLU} \circ \text{bn1} \circ \text{conv1}.$$
#
# The addition comes **after** `bn2` and **before** the last ReLU. No parameter is added.

# %% nbgrader={"grade": false, "grade_id": "residual-block", "locked": false, "schema_version": 3, "solution": true, "task": false}
class ResidualBlock(nn.Module):
    """ReLU(F(x) + shortcut(x)), F as in PlainBlock: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        ### BEGIN SOLUTION
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.stride = stride
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        y = self.bn2(self.conv2(y))  # (N, c_out, OH, OW)
        return functional.relu(y + shortcut(x, y.shape[1], self.stride))  # (N, c_out, OH, OW)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-residual-parameters", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The same parameters as the plain block, name by name
state = ResidualBlock(8, 16, 2).state_dict()
parameters = {name: tuple(value.shape) for name, value in state.items()}
assert parameters.get("conv1.weight") == (16, 8, 3, 3), "conv1.weight should have shape (16, 8, 3, 3)"
### BEGIN HIDDEN TESTS
for c_in, c_out, stride in ((3, 5, 2), (4, 4, 1)):
    found = {n: tuple(v.shape) for n, v in ResidualBlock(c_in, c_out, stride).state_dict().items()}
    wanted = {"conv1.weight": (c_out, c_in, 3, 3), "conv2.weight": (c_out, c_out, 3, 3)}
    for part in ("bn1", "bn2"):
        for name in ("weight", "bias", "running_mean", "running_var"):
            wanted[f"{part}.{name}"] = (c_out,)
        wanted[f"{part}.num_batches_tracked"] = ()
    assert found == wanted, f"ResidualBlock({c_in}, {c_out}) holds {sorted(found)}"
check_number(parameters_of(DigitNet(20, ResidualBlock, 16)), 269_722 - 288, "the parameters of residual-20, width 16")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-residual-same-shape", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Values where the shapes agree, in both modes
y = ResidualBlock(3, 3)(torch.randn(2, 3, 5, 6))
check_shape(y, (2, 3, 5, 6), "ResidualBlock(3, 3) of (2, 3, 5, 6)")
assert float(y.detach().min()) >= 0, "nothing is negative after the final ReLU"
### BEGIN HIDDEN TESTS
for train in (True, False):
    for channels, size in ((3, (5, 6)), (4, (6, 6))):
        block = ResidualBlock(channels, channels).double()
        s = random_state(block.state_dict(), 872)
        block.load_state_dict(s)
        block.train(train)
        x = torch.randn(3, channels, *size, generator=torch.Generator().manual_seed(873)).double()
        h = x
        for number in ("1", "2"):
            h = functional.conv2d(h, s[f"conv{number}.weight"], padding=1)
            bn = [s[f"bn{number}.{name}"].clone() for name in ("running_mean", "running_var", "weight", "bias")]
            h = functional.batch_norm(h, *bn, training=train)
            h = functional.relu(h if number == "1" else h + x)
        mode = "training" if train else "evaluation"
        what = f"ResidualBlock({channels}, {channels}) in {mode} mode"
        check_close(block(x), h, what, rtol=1e-5, atol=1e-6)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-residual-new-shape", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Values where the block changes channels and size
check_shape(ResidualBlock(8, 16, 2)(torch.randn(2, 8, 7, 6)), (2, 16, 4, 3), "ResidualBlock(8, 16, 2)")
### BEGIN HIDDEN TESTS
for train in (True, False):
    for c_in, c_out, stride in ((2, 4, 2), (3, 5, 1), (2, 3, 3)):
        block = ResidualBlock(c_in, c_out, stride).double()
        s = random_state(block.state_dict(), 874)
        block.load_state_dict(s)
        block.train(train)
        x = torch.randn(3, c_in, 7, 8, generator=torch.Generator().manual_seed(875)).double()
        h = functional.conv2d(x, s["conv1.weight"], stride=stride, padding=1)
        bn = [s[f"bn1.{name}"].clone() for name in ("running_mean", "running_var", "weight", "bias")]
        h = functional.relu(functional.batch_norm(h, *bn, training=train))
        h = functional.conv2d(h, s["conv2.weight"], padding=1)
        bn = [s[f"bn2.{name}"].clone() for name in ("running_mean", "running_var", "weight", "bias")]
        h = functional.batch_norm(h, *bn, training=train)
        h[:, :c_in] += x[:, :, ::stride, ::stride]
        mode = "training" if train else "evaluation"
        what = f"ResidualBlock({c_in}, {c_out}, {stride}) in {mode} mode"
        check_close(block(x), functional.relu(h), what, rtol=1e-5, atol=1e-6)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-residual-gradient", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The gradient passes through the shortcut too


@in_submission
def gradients_of_block(make_block, random_state, x, dy, arguments):
    """Gradients of sum(block(x) * dy) for the input and for the first convolution."""
    block = make_block(*arguments).double()
    block.load_state_dict(random_state(block.state_dict(), 876))
    block.eval()
    x = x.clone().requires_grad_()
    (block(x) * dy).sum().backward()
    return x.grad, block.conv1.weight.grad


dx, dw = gradients_of_block(ResidualBlock, random_state, torch.rand(1, 2, 3, 3).double(), 1.0, (2, 2))
check_shape(dx, (1, 2, 3, 3), "the gradient for x")
### BEGIN HIDDEN TESTS
shapes = {"conv1.weight": (4, 2, 3, 3), "conv2.weight": (4, 4, 3, 3)}
for part in ("bn1", "bn2"):
    shapes |= {f"{part}.{name}": (4,) for name in ("weight", "bias", "running_mean", "running_var")}
    shapes[f"{part}.num_batches_tracked"] = ()
s = random_state({name: torch.empty(shape) for name, shape in shapes.items()}, 876)
rng = torch.Generator().manual_seed(877)
x, dy = torch.randn(2, 2, 6, 5, generator=rng).double(), torch.randn(2, 4, 3, 3, generator=rng).double()
dx, dw = gradients_of_block(ResidualBlock, random_state, x, dy, (2, 4, 2))
x.requires_grad_()
s["conv1.weight"].requires_grad_()
h = functional.conv2d(x, s["conv1.weight"], stride=2, padding=1)
bn = [s[f"bn1.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
h = functional.conv2d(functional.relu(functional.batch_norm(h, *bn)), s["conv2.weight"], padding=1)
bn = [s[f"bn2.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
h = functional.batch_norm(h, *bn) + functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, 2))
(functional.relu(h) * dy).sum().backward()
check_close(dx, x.grad, "the gradient for x", rtol=1e-5, atol=1e-7)
check_close(dw, s["conv1.weight"].grad, "the gradient for conv1.weight", rtol=1e-5, atol=1e-7)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: values nearly right, sometimes</summary>
#
# Where do you add? `relu(bn2(…)) + x` adds after the ReLU: then the stream can only grow from block to block.
# `bn2(… + x)` normalises the sum and bends the shortcut. Right is `relu(bn2(…) + x)`.
# </details>
#
# <details><summary>Help: the values pass, the gradient does not</summary>
#
# `.detach()`, `.data`, `torch.no_grad()` or `torch.tensor(x)` cut the shortcut out of the graph: forward it
# adds, backward nothing comes through.
# </details>
#
# ### Exercise 11 · A residual block that does nothing
#
# For a plain block you needed two identity filter banks and BatchNorms whose $\gamma, \beta$ undo the running
# statistics; in training mode, with the batch's own statistics, even that fails. For a residual block it takes
# two vectors of zeros, in **both** modes.
#
# `start_as_identity(net)`: set, **in place**, $\gamma$ and $\beta$ of the last BatchNorm (`bn2`) of every block
# in `net.blocks` to zero. Then $F(x) = 0$, and each block that keeps the shape passes its non-negative input
# unchanged. (A common way to start training of deep residual nets. We will not use it below.)

# %% nbgrader={"grade": false, "grade_id": "start-as-identity", "locked": false, "schema_version": 3, "solution": true, "task": false}
def start_as_identity(net):
    """Set weight and bias of bn2 in each block of net.blocks to zero, in place."""
    ### BEGIN SOLUTION
    with torch.no_grad():
        for block in net.blocks:
            block.bn2.weight.zero_()
            block.bn2.bias.zero_()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-start-as-identity", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Every block becomes the identity, in both modes
net = DigitNet(14, ResidualBlock, 4)
start_as_identity(net)
x = torch.rand(2, 4, 6, 6)
check_close(net.blocks[0](x), x, "the first block's output")
### BEGIN HIDDEN TESTS
net = DigitNet(14, ResidualBlock, 3).double()
state = random_state(net.state_dict(), 878)
net.load_state_dict(state)
start_as_identity(net)
for train in (True, False):
    net.train(train)
    for place, channels in ((0, 3), (1, 3), (3, 6), (5, 12)):
        x = torch.rand(3, channels, 5, 4, generator=torch.Generator().manual_seed(879)).double()
        what = f"the output of block {place} with training={train}"
        check_close(net.blocks[place](x), x, what, rtol=1e-6, atol=1e-9)
after = net.state_dict()
touched = sorted(n for n in state if "bn2" not in n and "running" not in n and "num" not in n
                 and not torch.equal(after[n], state[n]))  # fmt: skip
assert not touched, f"these should have stayed as they were: {touched}"
### END HIDDEN TESTS

# %% [markdown]
# ### The experiment again
#
# The same nine trainings with `ResidualBlock` in the place of `PlainBlock`: same depths, same parameters, same
# seeds, same settings. (The paper's learning rate needed one adjustment, at 110 layers: a short warm-up. At 56
# none.)

# %% jupyter={"source_hidden": true} tags=["illustration"]
if LIVE:
    records = measure(PLAIN) | measure(RESIDUAL)
    print(f"measured here: {platform.machine()}, one thread, torch {torch.__version__}")
else:
    records = degradation.load()["records"]
    print(degradation.origin())
draw_curves(records, ["plain-56", *RESIDUAL], "Residual nets: as before, and + x (plain-56 for comparison)")
table(records, [*PLAIN, *RESIDUAL])
for kind in ("plain", "residual"):
    runs = [
        [(r["train_error"][-1], r["test_error"][-1]) for r in records[f"{kind}-{depth}"]]
        for depth in (20, 56)
    ]
    print(f"your diagnosis, 20 against 56 layers, {kind} nets: {diagnose(*runs)}")

# %% [markdown]
# From 68% training error to 2.5%, at the same depth, by an addition.
#
# And then the last line: by your own `diagnose`, residual-56 too is *clearly worse* than residual-20. Honest
# counting says so, and it is no bug: with the learning rate held at 0.1, eight epochs are short for 56 layers
# of either kind. A smaller step, which did not save plain-56 in part 2, is all that residual-56 needs to fit
# every training image (one run each, seed 0):

# %% jupyter={"source_hidden": true} tags=["illustration"]
if LIVE:
    calm = measure({"plain-56, lr 0.01": PLAIN["plain-56"]}, (0,), lr=0.01)
    calm |= measure({"residual-56, lr 0.01": RESIDUAL["residual-56"]}, (0,), lr=0.01)
else:
    calm = degradation.load()["records"]
    print(degradation.origin())
table(calm, ["plain-56, lr 0.01", "residual-56, lr 0.01"])

# %% [markdown]
# #### Question · What the runs support
#
# Which statement do these numbers support?
#
# - `"a"` The shortcuts take away nearly all of the harm that depth does: residual-56 fits the training images
#   better than plain-56 in each pair of runs. That depth *helps* on these digits they do not show: residual-56
#   is no better than residual-8.
# - `"b"` The deeper a residual net, the better: residual-56 reads test digits better than residual-8 in every run.
# - `"c"` residual-56 is better than plain-56 because it has more parameters.

# %% nbgrader={"grade": false, "grade_id": "q-support", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_support: one of "a", "b", "c"
### BEGIN SOLUTION
q_support = "a"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-support", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# What 18 runs show
assert q_support in ("a", "b", "c"), "q_support should be one of 'a', 'b', 'c'"
### BEGIN HIDDEN TESTS
check_choice(q_support, "a", ["a", "b", "c"], "q_support")
### END HIDDEN TESTS

# %% [markdown]
# Digits are an easy task, and an 8-layer net all but solves it; depth has nothing left to win. Where the task
# is hard it does win: in the paper, residual nets of 20, 32, 44, 56 and 110 layers reach 8.75, 7.51, 7.17, 6.97
# and 6.43% test error on CIFAR-10, while the plain 56-layer net is worse than the plain 20-layer net in
# training and in test. On ImageNet, plain-34 is worse than plain-18 and ResNet-34 is better than ResNet-18.
#
# #### Question · The same count
#
# How many more parameters does `DigitNet(56, ResidualBlock)` have than `DigitNet(56, PlainBlock)`?

# %% nbgrader={"grade": false, "grade_id": "q-more", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_more: a number of parameters
### BEGIN SOLUTION
q_more = 0
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-more", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Parameters that the shortcuts add
check_number(q_more, q_more, "q_more")
### BEGIN HIDDEN TESTS
check_number(q_more, 0, "q_more")
### END HIDDEN TESTS

# %% [markdown]
# ## Part 6 · What the shortcut does to gradients
#
# For $y = x + F(x)$ (again without the last ReLU) the chain rule of lesson 03 says
#
# $$\frac{\partial L}{\partial x} = \Bigl(I + \frac{\partial F}{\partial x}\Bigr)^{\!\mathsf T} \frac{\partial L}{\partial y}
#   = \frac{\partial L}{\partial y} + \Bigl(\frac{\partial F}{\partial x}\Bigr)^{\!\mathsf T} \frac{\partial L}{\partial y}.$$
#
# One copy of the upstream gradient arrives unchanged, whatever $F$ does. This is true, useful, and *another
# statement* than "plain nets fail because gradients vanish".
#
# ### Exercise 12 · Jacobian
#
# `jacobian(function, x, step=1e-4)`: the matrix of all partial derivatives of `function` at `x`, by central
# differences (as in lesson 03), float64. `x` has any shape with $n$ entries, `function(x)` any shape with $m$
# entries; the result is `(m, n)`, with entry $[i, j] = \partial f_i/\partial x_j$, both flattened in memory
# order. `function` takes a tensor and returns one; hand it float64, and leave `x` as it is.
#
# **Example.** For $f(x) = (x_0^2,\; x_0 x_1,\; 5)$ at $x = (2, 3)$: `[[4, 0], [3, 2], [0, 0]]`.

# %% nbgrader={"grade": false, "grade_id": "jacobian", "locked": false, "schema_version": 3, "solution": true, "task": false}
def jacobian(function, x, step=1e-4):
    """Matrix (m, n) of d function(x)[i] / d x[j], by central differences, float64."""
    ### BEGIN SOLUTION
    columns = []
    with torch.no_grad():
        for place in range(x.numel()):
            nudge = torch.zeros(x.numel(), dtype=torch.float64)
            nudge[place] = step
            nudge = nudge.reshape(x.shape)
            rise = function(x.double() + nudge) - function(x.double() - nudge)
            columns.append(rise.flatten() / (2 * step))  # (m,)
    return torch.stack(columns, dim=1)  # (m, n)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-jacobian", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Values, with different numbers of inputs and outputs
point = torch.tensor([2.0, 3.0], dtype=torch.float64)
got = jacobian(lambda v: torch.stack([v[0] ** 2, v[0] * v[1], 0 * v[0] + 5]), point)
check_close(got, [[4, 0], [3, 2], [0, 0]], "the Jacobian of the example", rtol=1e-4, atol=1e-6)
### BEGIN HIDDEN TESTS
rng = torch.Generator().manual_seed(880)
for rows, columns in ((2, 3), (4, 2)):
    matrix = torch.randn(rows, columns, generator=rng, dtype=torch.float64)
    x = torch.randn(columns, generator=rng, dtype=torch.float64)
    want = (1 - torch.tanh(matrix @ x) ** 2)[:, None] * matrix
    got = jacobian(lambda v, m=matrix: torch.tanh(m @ v), x)
    check_close(got, want, "the Jacobian of tanh(Mx)", rtol=1e-4, atol=1e-6)
zero = torch.zeros(1, dtype=torch.float64)  # central differences of x³ at 0: step²
check_close(jacobian(lambda v: v**3, zero, 0.5), [[0.25]], "the Jacobian of x³ at 0, with step 0.5", rtol=1e-6)
check_close(jacobian(lambda v: 1e8 * v**3, zero), [[1.0]], "the Jacobian of 10⁸x³ at 0, with the usual step", rtol=1e-6)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-jacobian-shapes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Images in, images out; x is left alone
x = torch.ones(1, 2, 2, dtype=torch.float64)
check_shape(jacobian(lambda v: v.sum(dim=0), x), (4, 4), "the Jacobian of a function from (1, 2, 2) to (2, 2)")
check_shape(jacobian(lambda v: v[0, :1], x), (2, 4), "the Jacobian of a function from (1, 2, 2) to (1, 2)")
### BEGIN HIDDEN TESTS
rng = torch.Generator().manual_seed(881)
x = torch.randn(1, 2, 2, 3, generator=rng, dtype=torch.float64)
weight = torch.randn(2, 2, 1, 2, generator=rng, dtype=torch.float64)
kept = x.clone()
want = torch.zeros(8, 12, dtype=torch.float64)
for f, c, i, j, k in np.ndindex(2, 2, 2, 2, 2):
    want[f * 4 + i * 2 + j, c * 6 + i * 3 + j + k] = weight[f, c, 0, k]
got = jacobian(lambda v: functional.conv2d(v, weight), x)
check_close(got, want, "the Jacobian of a convolution", rtol=1e-4, atol=1e-6)
check_unchanged(x, kept, "x")
got = jacobian(lambda v: v**2, torch.tensor([[1.0, 2.0]]))
check_close(got, [[2, 0], [0, 4]], "the Jacobian at a float32 point", rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 13 · Backward through a residual block
#
# `residual_backward(dy, jacobian_f)`: from the upstream gradient `dy`, shape `(n,)`, and
# $\partial F/\partial x$, shape `(n, n)`, the gradient $\partial L/\partial x$ of $y = x + F(x)$, shape `(n,)`.
#
# **Example.** `dy = [1, 2]`, $\partial F/\partial x$ = `[[0, 1], [0, 0]]`: `dx = [1, 3]`. (Row 0 says: $F_0$
# grows with $x_1$. So $x_1$ gets $dy_1 + dy_0$.)

# %% nbgrader={"grade": false, "grade_id": "residual-backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def residual_backward(dy, jacobian_f):
    """dL/dx (n,) of y = x + F(x), from dy (n,) and the Jacobian of F (n, n)."""
    ### BEGIN SOLUTION
    return dy + jacobian_f.T @ dy
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-residual-backward", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Values, with an asymmetric Jacobian
dy, jacobian_f = torch.tensor([1.0, 2.0]), torch.tensor([[0.0, 1.0], [0.0, 0.0]])
check_close(residual_backward(dy, jacobian_f), [1, 3], "dx of the example")
### BEGIN HIDDEN TESTS
rng = torch.Generator().manual_seed(882)
for n in (3, 5):
    dy, matrix = torch.randn(n, generator=rng).double(), torch.randn(n, n, generator=rng).double()
    kept = dy.clone(), matrix.clone()
    want = [float(dy[j]) + sum(float(matrix[i, j]) * float(dy[i]) for i in range(n)) for j in range(n)]
    check_close(residual_backward(dy, matrix), want, "dx", rtol=1e-6)
    check_unchanged(dy, kept[0], "dy")
    check_unchanged(matrix, kept[1], "jacobian_f")
### END HIDDEN TESTS

# %% [markdown]
# Put both together on a real block, and look at the matrices. The block has 2 channels of 3 × 4 pixels, so 24
# numbers; its last ReLU is left out.

# %% jupyter={"source_hidden": true} tags=["illustration"]
torch.manual_seed(seed)
block = ResidualBlock(2, 2).double().eval()
he_init(block)
x = torch.rand(1, 2, 3, 4, dtype=torch.float64)


def residual_part(x):
    """F(x): the block before the addition."""
    return block.bn2(block.conv2(functional.relu(block.bn1(block.conv1(x)))))


with torch.no_grad():
    of_f, of_sum = jacobian(residual_part, x), jacobian(lambda x: residual_part(x) + x, x)
figure, axes = plt.subplots(1, 3, figsize=(10, 3.3))
for axis, matrix, title in zip(axes, (of_f, torch.eye(24), of_sum), ("∂F/∂x", "I", "I + ∂F/∂x")):
    axis.imshow(matrix, cmap="RdBu_r", vmin=-1.5, vmax=1.5)
    axis.set_title(title)
    axis.set(xticks=[], yticks=[])
figure.tight_layout()
plt.show()
leaf = x.clone().requires_grad_()
dy = torch.randn(24, dtype=torch.float64)
((residual_part(leaf) + leaf).flatten() * dy).sum().backward()
difference = (leaf.grad.flatten() - residual_backward(dy, of_f)).abs().max()
print(f"largest difference between your dx and autograd's: {difference:.0e}")

# %% [markdown]
# #### Question · Twenty in a chain
#
# In one dimension: 20 blocks, each with $F(x) = 0.1\,x$. In a **plain** chain, $x \to F(x) \to F(F(x)) \dots$,
# the derivative of the output in the input is $0.1^{20} = 10^{-20}$. What is it in the **residual** chain,
# where each block computes $x + F(x)$? (Within 1%.)

# %% nbgrader={"grade": false, "grade_id": "q-chain", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_chain: a number
### BEGIN SOLUTION
q_chain = 1.1**20
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-chain", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The derivative of the residual chain
check_number(q_chain, q_chain, "q_chain")
### BEGIN HIDDEN TESTS
check_number(q_chain, 1.1**20, "q_chain", rtol=0.01)
### END HIDDEN TESTS

# %% [markdown]
# #### Question · No guarantee
#
# "With shortcuts, gradients cannot vanish." They can. For which slope $a$ of $F(x) = a\,x$ does a residual
# block pass **no** gradient?

# %% nbgrader={"grade": false, "grade_id": "q-dead", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_dead: a number, the slope a
### BEGIN SOLUTION
q_dead = -1
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-dead", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The slope at which nothing passes
check_number(q_dead, q_dead, "q_dead")
### BEGIN HIDDEN TESTS
check_number(q_dead, -1, "q_dead")
### END HIDDEN TESTS

# %% [markdown]
# How do the gradients of the real nets look? Plain-56 and residual-56, with BatchNorm and He's initialisation,
# at birth and after one epoch:

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axes = plt.subplots(1, 2, figsize=(11, 3.4), sharey=True)
for axis, epochs in zip(axes, (0, 1)):
    for name, colour in (("plain-56", "C3"), ("residual-56", "C0")):
        make_net = (PLAIN | RESIDUAL)[name]
        net = trained(f"{name} after {epochs}", make_net, seed, epochs=epochs)[0]
        norms = gradient_norms(net, x_train[:256], y_train[:256])
        axis.semilogy(range(1, len(norms) + 1), norms, color=colour, label=name)
        print(f"{name:12s} epochs trained: {epochs}; gradient norm of the first / of the last: {norms[0] / norms[-1]:8.2f}")
    axis.set(xlabel="convolution, from image to loss", title="after one epoch" if epochs else "at birth")
axes[0].set_ylabel("gradient norm")
axes[0].legend()
figure.tight_layout()
plt.show()

# %% [markdown]
# At birth the shortcut keeps the norms within a factor of about ten, where the plain net's run over three
# powers of ten. That is a real difference, and the start of the residual net is the calmer one for it. But read
# the right panel too: after one epoch neither net's gradients vanish, and only one of them learns.
#
# ## Part 7 · How long a shortcut?
#
# Our shortcut spans two convolutions; the bottleneck blocks of lesson 09 span three. Slides say shortcuts go
# "into each layer", that is, span one. Try it.
#
# ### Exercise 14 · A block of any span
#
# `SpanBlock(c_in, c_out, stride=1, span=2)`: `span` convolutions (3 × 3, padding 1, no bias; the first has the
# stride and changes the channels), each followed by its own BatchNorm; a ReLU between them, but **not** after
# the last BatchNorm; then `+ shortcut(x)`, then ReLU.
#
# - Parts: `convs` and `norms`, two `nn.ModuleList`s of length `span`.
# - `SpanBlock(c_in, c_out, stride, 2)` computes the same as `ResidualBlock(c_in, c_out, stride)`.
# - With `span=1`: $y = \operatorname{ReLU}(\text{bn}(\text{conv}(x)) + \text{shortcut}(x))$.

# %% nbgrader={"grade": false, "grade_id": "span-block", "locked": false, "schema_version": 3, "solution": true, "task": false}
class SpanBlock(nn.Module):
    """A residual block whose shortcut spans `span` convolutions: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1, span=2):
        super().__init__()
        ### BEGIN SOLUTION
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        for number in range(span):
            step, channels = (stride, c_in) if number == 0 else (1, c_out)
            self.convs.append(nn.Conv2d(channels, c_out, 3, stride=step, padding=1, bias=False))
            self.norms.append(nn.BatchNorm2d(c_out))
        self.stride = stride
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        y = x
        for number, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            y = norm(conv(functional.relu(y) if number else y))  # (N, c_out, OH, OW)
        return functional.relu(y + shortcut(x, y.shape[1], self.stride))  # (N, c_out, OH, OW)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-span-parts", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Parts: a convolution and a BatchNorm for each layer
state = SpanBlock(2, 4, 2, 3).state_dict()
assert tuple(state["convs.0.weight"].shape) == (4, 2, 3, 3), "the first convolution goes from 2 to 4 channels"
### BEGIN HIDDEN TESTS
for span in (1, 2, 3, 4):
    found = {n: tuple(v.shape) for n, v in SpanBlock(3, 5, 1, span).state_dict().items()}
    wanted = {}
    for number in range(span):
        wanted[f"convs.{number}.weight"] = (5, 5 if number else 3, 3, 3)
        wanted[f"norms.{number}.num_batches_tracked"] = ()
        for name in ("weight", "bias", "running_mean", "running_var"):
            wanted[f"norms.{number}.{name}"] = (5,)
    assert found == wanted, f"SpanBlock(3, 5, 1, {span}) holds {sorted(found)}"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-span-two", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Span 2 is the residual block
torch.manual_seed(0)
check_shape(SpanBlock(2, 4, 2)(torch.randn(2, 2, 5, 6)), (2, 4, 3, 3), "SpanBlock(2, 4, 2)")
### BEGIN HIDDEN TESTS
for train in (True, False):
    for c_in, c_out, stride in ((3, 3, 1), (2, 4, 2)):
        block = SpanBlock(c_in, c_out, stride).double()
        s = random_state(block.state_dict(), 885)
        block.load_state_dict(s)
        block.train(train)
        x = torch.randn(3, c_in, 6, 7, generator=torch.Generator().manual_seed(886)).double()
        h = x
        for k in range(2):
            h = functional.conv2d(h, s[f"convs.{k}.weight"], stride=1 if k else stride, padding=1)
            bn = [s[f"norms.{k}.{n}"].clone() for n in ("running_mean", "running_var", "weight", "bias")]
            h = functional.batch_norm(h, *bn, training=train)
            h = h if k else functional.relu(h)
        h[:, :c_in] += x[:, :, ::stride, ::stride]
        mode = "training" if train else "evaluation"
        what = f"SpanBlock({c_in}, {c_out}, {stride}) in {mode} mode"
        check_close(block(x), functional.relu(h), what, rtol=1e-5, atol=1e-6)
check_shape(SpanBlock(2, 4)(torch.randn(2, 2, 5, 6)), (2, 4, 5, 6), "SpanBlock(2, 4), without a stride,")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-span-one-three", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Spans 1 and 3
check_shape(SpanBlock(2, 4, 2, 3)(torch.randn(2, 2, 5, 6)), (2, 4, 3, 3), "SpanBlock(2, 4, 2, 3)")
check_shape(SpanBlock(2, 4, 2, 1)(torch.randn(2, 2, 5, 6)), (2, 4, 3, 3), "SpanBlock(2, 4, 2, 1)")
### BEGIN HIDDEN TESTS
for span in (1, 3):
    for c_in, c_out, stride in ((3, 3, 1), (2, 4, 2)):
        block = SpanBlock(c_in, c_out, stride, span).double()
        s = random_state(block.state_dict(), 887)
        block.load_state_dict(s)
        block.eval()
        x = torch.randn(3, c_in, 6, 7, generator=torch.Generator().manual_seed(888)).double()
        h = x
        for k in range(span):
            h = functional.conv2d(h, s[f"convs.{k}.weight"], stride=1 if k else stride, padding=1)
            bn = [s[f"norms.{k}.{n}"] for n in ("running_mean", "running_var", "weight", "bias")]
            h = functional.batch_norm(h, *bn)
            h = functional.relu(h) if k < span - 1 else h
        h[:, :c_in] += x[:, :, ::stride, ::stride]
        what = f"SpanBlock({c_in}, {c_out}, {stride}, {span})"
        check_close(block(x), functional.relu(h), what, rtol=1e-5, atol=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# Now spans 1, 2 and 3 at depth 56: 54, 27 and 18 shortcuts over the same 54 convolutions, the same number of
# parameters. (Span 2 is residual-56; it is not trained again.)

# %% jupyter={"source_hidden": true} tags=["illustration"]
SPANS = {
    f"span {span}": partial(DigitNet, 56, partial(SpanBlock, span=span), span=span) for span in (1, 3)
}
if LIVE:
    records = measure({k: v for k, v in (PLAIN | RESIDUAL).items() if "56" in k} | SPANS)
    print(f"measured here: {platform.machine()}, one thread, torch {torch.__version__}")
else:
    records = degradation.load()["records"]
    print(degradation.origin())
shown = {"no shortcut": "plain-56", "span 1": "span 1", "span 2": "residual-56", "span 3": "span 3"}
table({name: records[key] for name, key in shown.items()}, list(shown))
figure, axis = plt.subplots(figsize=(7, 3))
for place, (name, key) in enumerate(shown.items()):
    losses = [record["loss"][-1] for record in records[key]]
    axis.semilogy([place] * len(losses), losses, "o", color="C0", alpha=0.7)
axis.set_xticks(range(len(shown)), list(shown))
axis.set(ylabel="training loss, last epoch", title="depth 56, three seeds each")
axis.grid(alpha=0.3)
figure.tight_layout()
plt.show()

# %% [markdown]
# Any shortcut beats none here. Span 1 does worst of the three; spans 2 and 3 are about equal. The paper is
# short on span 1: with a single layer, $y = W_1x + x$ is "similar to a linear layer", and the authors "have not
# observed advantages". That is all it says.
#
# A lecture goes further: "using shortcut 2 is theoretically optimal". The theorem behind it (Li et al.,
# *Demystifying ResNet*, 2016) is about **linear** nets with weights **near zero**. There it is easy to see.
# Take a chain of $L$ linear blocks $x + W_s \cdots W_1 x$ in two dimensions and the squared distance to some
# matrix $A$. The Hessian at $W = 0$ says how the loss bends around the start:

# %% jupyter={"source_hidden": true} tags=["illustration"]
def chain_loss(weights, blocks, span, goal):
    """Half the squared distance of a linear residual chain to the matrix goal; weights is flat."""
    product = torch.eye(2, dtype=torch.float64)
    for matrices in weights.reshape(blocks, span, 2, 2):
        step = torch.eye(2, dtype=torch.float64)
        for matrix in matrices:
            step = matrix @ step
        product = product + step @ product
    return 0.5 * (product - goal).pow(2).sum()


goal = torch.tensor([[1.5, 0.4], [-0.2, 0.3]], dtype=torch.float64)
print("Hessian at zero weights           eigenvalues: smallest and largest |value|, their ratio")
for span in (1, 2, 3):
    for blocks in (2, 4, 6):
        start = torch.zeros(blocks * span * 4, dtype=torch.float64)
        hessian = torch.autograd.functional.hessian(lambda w: chain_loss(w, blocks, span, goal), start)
        sizes = torch.linalg.eigvalsh(hessian).abs()
        ratio = f"{float(sizes.max() / sizes.min()):8.2f}" if sizes.min() > 1e-9 else "       –"
        name = f"span {span}, {blocks} blocks"
        print(f"{name:34s}{float(sizes.min()):8.3f} {float(sizes.max()):8.3f} {ratio}")

# %% [markdown]
# #### Question · The flat start
#
# Read off the printout: for span 3, how many of the Hessian's eigenvalues at $W = 0$ differ from zero?

# %% nbgrader={"grade": false, "grade_id": "q-flat", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_flat: a number of eigenvalues
### BEGIN SOLUTION
q_flat = 0
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-flat", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Curvature at zero for shortcuts around three linear layers
check_number(q_flat, q_flat, "q_flat")
### BEGIN HIDDEN TESTS
check_number(q_flat, 0, "q_flat")
### END HIDDEN TESTS

# %% [markdown]
# With span 2 the eigenvalues do not depend on the number of blocks; with span 1 the largest grows with it, and
# the ratio is about a hundred times worse; with span 3 the start is flat: neither gradient nor curvature shows a way.
# So in *this* setting 2 is special.
#
# #### Question · What is proved?
#
# Which sentence may a slide say?
#
# - `"a"` A shortcut around two layers is theoretically optimal.
# - `"b"` For linear residual chains near zero weights, span 2 alone gives a Hessian whose conditioning does not
#   get worse with depth. Nothing is proved for nets with ReLU, BatchNorm and ordinary weights; bottleneck
#   blocks span three layers and train well.
# - `"c"` Shortcuts around three layers cannot be trained.

# %% nbgrader={"grade": false, "grade_id": "q-optimal", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_optimal: one of "a", "b", "c"
### BEGIN SOLUTION
q_optimal = "b"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-optimal", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# What the theorem on span 2 covers
assert q_optimal in ("a", "b", "c"), "q_optimal should be one of 'a', 'b', 'c'"
### BEGIN HIDDEN TESTS
check_choice(q_optimal, "b", ["a", "b", "c"], "q_optimal")
### END HIDDEN TESTS

# %% [markdown]
# ## Part 8 · Small steps
#
# Why should a residual be easier to learn? The paper's *hypothesis*: what blocks have to do is often close to
# the identity, so $F$ is small. It cannot be proved, but it can be looked at. How large are the responses of
# the layers, compared with those of a plain net?
#
# ### Exercise 15 · The standard deviation of responses
#
# `response_stds(net, x)` returns a list of floats, two for each block of `net.blocks`, in order: the standard
# deviation of what comes out of `bn1`, then of what comes out of `bn2`. That is after BatchNorm and **before**
# ReLU and addition, as in the paper's figure 7. Over all entries `(N, C, H, W)` together: the square root of
# the mean squared distance from their mean (division by the number of entries). In evaluation mode, without a
# trace: mode and running statistics as before, no hook left behind.
#
# A **forward hook** listens to a module: `handle = module.register_forward_hook(f)` calls
# `f(module, inputs, output)` at each call of the module, until `handle.remove()`.
#
# **Example.** If `bn1` puts out the values 1, 1, 3, 3, its number is 1.0.

# %% nbgrader={"grade": false, "grade_id": "response-stds", "locked": false, "schema_version": 3, "solution": true, "task": false}
def response_stds(net, x):
    """Standard deviations of the outputs of bn1 and bn2 of each block, first to last: a list of floats."""
    ### BEGIN SOLUTION
    stds, was_training = [], net.training

    def listen(module, inputs, output):
        stds.append(output.std(correction=0).item())

    parts = [part for block in net.blocks for part in (block.bn1, block.bn2)]
    handles = [part.register_forward_hook(listen) for part in parts]
    net.eval()
    with torch.no_grad():
        net(x)
    net.train(was_training)
    for handle in handles:
        handle.remove()
    return stds
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-responses-values", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Values: after BatchNorm, before ReLU and addition


@in_submission
def responses_of_small_net(response_stds, x, train):
    """Responses of a net with two residual blocks, and what was left behind in it."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Block(nn.Module):
        def __init__(self, c):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c)
            self.conv2, self.bn2 = nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c)

        def forward(self, x):
            y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
            return functional.relu(x + y)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.Sequential(Block(2), Block(2))

        def forward(self, x):
            return self.blocks(x).mean(dim=(2, 3))

    net = Net().double()
    generator = torch.Generator().manual_seed(12)
    state = {}
    for name, value in net.state_dict().items():
        draw = torch.randn(value.shape, generator=generator, dtype=torch.float64)
        state[name] = draw.abs() + 0.5 if "var" in name else torch.tensor(3) if value.ndim == 0 else draw
    net.load_state_dict(state)
    net.train(train)
    stds = response_stds(net, x)
    floats = all(isinstance(value, float) for value in stds)
    stds = [float(value) for value in stds]
    after = net.state_dict()
    changed = [name for name in state if not torch.equal(state[name], after[name])]
    hooks = sum(len(part._forward_hooks) for part in net.modules())
    return stds, state, changed, hooks, sorted({part.training for part in net.modules()}), floats


x = torch.randn(4, 2, 5, 6, generator=torch.Generator().manual_seed(13)).double()
stds, *_, floats = responses_of_small_net(response_stds, x, False)
check_shape(stds, (4,), "the responses of a net with two blocks")
assert floats, "response_stds should return floats, not tensors"
### BEGIN HIDDEN TESTS
shapes = []
for block in (0, 1):
    for number in (1, 2):
        shapes.append((f"blocks.{block}.conv{number}.weight", (2, 2, 3, 3)))
        for name in ("weight", "bias", "running_mean", "running_var"):
            shapes.append((f"blocks.{block}.bn{number}.{name}", (2,)))
        shapes.append((f"blocks.{block}.bn{number}.num_batches_tracked", ()))
generator, s = torch.Generator().manual_seed(12), {}
for name, shape in shapes:
    draw = torch.randn(shape, generator=generator, dtype=torch.float64)
    s[name] = draw.abs() + 0.5 if "var" in name else draw
for images in (4, 7):
    x = torch.randn(images, 2, 5, 6, generator=torch.Generator().manual_seed(889)).double()
    want, h = [], x
    for block in (0, 1):
        y = h
        for number in (1, 2):
            part = f"blocks.{block}.bn{number}."
            y = functional.conv2d(y, s[f"blocks.{block}.conv{number}.weight"], padding=1)
            y = functional.batch_norm(y, *[s[part + n] for n in ("running_mean", "running_var", "weight", "bias")])
            want.append(float(((y - y.mean()) ** 2).mean().sqrt()))
            y = functional.relu(y) if number == 1 else y
        h = functional.relu(h + y)
    for train in (False, True):
        stds, *_ = responses_of_small_net(response_stds, x, train)
        check_close(stds, want, f"the responses of a net that came with training={train}", rtol=1e-6)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-responses-no-trace", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The net is as it was: statistics, mode, hooks
x = torch.randn(4, 2, 5, 6, generator=torch.Generator().manual_seed(14)).double()
_, _, changed, hooks, modes, _ = responses_of_small_net(response_stds, x, True)
assert not changed, f"response_stds changed {changed}"
### BEGIN HIDDEN TESTS
for train in (False, True):
    stds, _, changed, hooks, modes, _ = responses_of_small_net(response_stds, x, train)
    assert len(stds) == 4 and not changed, f"response_stds changed {changed}"
    assert hooks == 0, f"{hooks} hooks are left behind"
    assert modes == [train], f"a net that came with training={train} should leave so"
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, (left, right) = plt.subplots(1, 2, figsize=(12, 3.6))
nets = {"plain-20": PLAIN["plain-20"], "residual-20": RESIDUAL["residual-20"]}
if not quick:
    nets |= {"plain-56": PLAIN["plain-56"], "residual-56": RESIDUAL["residual-56"]}
for name, make_net in nets.items():
    net = trained(name, make_net, seed)[0]
    stds = response_stds(net, x_test)
    style = "--" if name.startswith("plain") else "-"
    colour = COLOURS[name.rpartition("-")[2]]
    left.semilogy(range(1, len(stds) + 1), stds, style, color=colour, label=name)
    print(f"{name:12s} responses: median {np.median(stds):.2f}, mean {np.mean(stds):.2f}")
left.xaxis.get_major_locator().set_params(integer=True)
left.set(xlabel="convolution, from image to loss", ylabel="standard deviation")
left.set_title("responses after BatchNorm, 360 test digits")
left.legend(fontsize=9)
for name in ("plain-20", "residual-20"):
    net = trained(name, nets[name], seed)[0]
    errors, places = [], [i for i, block in enumerate(net.blocks) if block.conv1.stride == (1, 1)]
    for place in places:
        lesioned = copy.deepcopy(net)
        lesioned.blocks[place] = nn.Identity()
        errors.append(100 * evaluate(lesioned, x_test, y_test)[1])
    style = "--" if name.startswith("plain") else "-"
    right.plot([place + 1 for place in places], errors, "o" + style, color="C0", label=name)
    print(f"{name:12s} one block cut out: test error from {min(errors):.1f}% to {max(errors):.1f}%, "
          f"whole net {100 * evaluate(net, x_test, y_test)[1]:.1f}%")  # fmt: skip
right.set(xlabel="block cut out (those that keep the shape)", ylabel="test error in %", ylim=(0, 100))
right.set_title("a lesion study")
right.legend(fontsize=9)
figure.tight_layout()
plt.show()

# %% [markdown]
# Left (logarithmic): on average the residual nets' responses are smaller than the plain nets', as in the paper;
# plain-56's first layers, those that the first steps blew up, stand out. The paper also found that *deeper*
# residual nets have smaller responses; our two do not differ. (They hardly could: in *training* mode BatchNorm
# fixes the standard deviation of each channel to $|\gamma|$, all $\gamma$ are born as 1, and eight epochs are
# short.) Right: one block of the trained net is cut out (replaced by the identity), nothing is trained
# again (an experiment of Veit et al. 2016). It fits the view that each block only **refines** what it receives:
# lose one, and the others still find something they can use. A view, not a theorem; others ("unrolled iterative
# estimation": Greff et al. 2017; "exponential reuse of features") are of the same kind.
#
# #### Question · Gamma
#
# A BatchNorm channel has $\gamma = -0.5$ and $\beta = 2$. In **training** mode, what is the standard deviation
# of its outputs over the batch? ($\varepsilon$ is negligible.)

# %% nbgrader={"grade": false, "grade_id": "q-gamma", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_gamma: a number
### BEGIN SOLUTION
q_gamma = 0.5
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-gamma", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The spread of a channel behind BatchNorm
check_number(q_gamma, q_gamma, "q_gamma")
### BEGIN HIDDEN TESTS
check_number(q_gamma, 0.5, "q_gamma")
### END HIDDEN TESTS

# %% [markdown]
# #### Question · Claims and evidence
#
# Slides list the "advantages of residual networks". Sort four of them. For each key the value is one of
#
# - `"measured"`: the paper measured it, and so did you;
# - `"hypothesis"`: an explanation that the paper proposes, with some support;
# - `"unsupported"`: neither claimed nor tested in the paper.
#
# | key | claim |
# |---|---|
# | `"training"` | deep nets become easier to train |
# | `"small"` | the residual is a smaller, simpler function than the whole mapping, hence easier to learn |
# | `"noise"` | residual nets are more robust to noise in the input |
# | `"class"` | with the same layers, the shortcuts let a net represent more complex mappings |

# %% nbgrader={"grade": false, "grade_id": "q-claims", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_claims: {"training": …, "small": …, "noise": …, "class": …}
### BEGIN SOLUTION
q_claims = {"training": "measured", "small": "hypothesis", "noise": "unsupported", "class": "unsupported"}
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-claims", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Four claims and their evidence
kinds = ["measured", "hypothesis", "unsupported"]
assert sorted(q_claims) == ["class", "noise", "small", "training"], "q_claims should have the four keys"
assert all(value in kinds for value in q_claims.values()), f"each value should be one of {kinds}"
### BEGIN HIDDEN TESTS
want = {"training": "measured", "small": "hypothesis", "noise": "unsupported", "class": "unsupported"}
wrong = sorted(key for key in want if q_claims[key] != want[key])
assert not wrong, f"not right: {', '.join(wrong)}"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: "class"</summary>
#
# The count of parameters is the same. A plain block can carry $x$ through as well (part 3 did, at the price of
# channels). The paper's point is that the good solutions become easier to *find*.
# </details>
#
# ## Part 9 · The landscape
#
# Training walks over a surface: the loss as a function of 214,402 weights. To see something of it, Li et al.
# (2018) cut it with a line or a plane: start at the trained weights $w$, choose a random direction $d$, and
# draw $L(w + \alpha d)$ for $\alpha$ from $-1$ to $1$.
#
# ### Exercise 16 · Filter normalisation
#
# How long should $d$ be? Behind BatchNorm the size of a filter means nothing: make all weights of a convolution
# 10 times larger, and the net computes the same. But a step $d$ of fixed length is then 10 times smaller
# *relative* to the weights, and the same net seems to lie in a valley ten times as wide. The remedy: give
# **each filter** of $d$ the norm of the corresponding filter of $w$,
#
# $$d_f \leftarrow \frac{d_f}{\lVert d_f\rVert}\,\lVert w_f\rVert .$$
#
# `filter_normalised(direction, weights)`, two dicts from parameter names to tensors of equal shapes, returns a
# new dict with the same names:
#
# - tensors with **two or more axes**: each slice `[f]` along axis 0 (a filter of a convolution, a row of a
#   linear layer) gets the norm of `weights[name][f]`; a slice of $d$ that is all zero stays zero;
# - tensors with one axis (BatchNorm's $\gamma$ and $\beta$, biases): zeros, they are not moved.
#
# **Example.** `direction = {"w": [[3, 4], [1, 0]], "b": [5, 5]}`,
# `weights = {"w": [[0, 10], [2, 0]], "b": [1, 1]}` gives `{"w": [[6, 8], [2, 0]], "b": [0, 0]}`.

# %% nbgrader={"grade": false, "grade_id": "filter-normalised", "locked": false, "schema_version": 3, "solution": true, "task": false}
def filter_normalised(direction, weights):
    """direction, with each filter as long as that of weights; dicts of tensors by name."""
    ### BEGIN SOLUTION
    result = {}
    for name, d in direction.items():
        if d.ndim < 2:
            result[name] = torch.zeros_like(d)
            continue
        lengths = d.flatten(1).norm(dim=1)  # (F,)
        lengths = torch.where(lengths > 0, lengths, 1)
        factors = weights[name].detach().flatten(1).norm(dim=1) / lengths  # (F,)
        result[name] = d * factors.reshape(-1, *[1] * (d.ndim - 1))
    return result
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-filter-norm-conv", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Convolutions: each filter by itself
rng = torch.Generator().manual_seed(15)
d, w = torch.randn(4, 2, 3, 3, generator=rng), torch.randn(4, 2, 3, 3, generator=rng)
got = filter_normalised({"conv": d}, {"conv": w})["conv"]
check_close(got[0].norm(), w[0].norm(), "the norm of the first filter", rtol=1e-4)
### BEGIN HIDDEN TESTS
rng = torch.Generator().manual_seed(890)
shapes = {"a": (4, 2, 3, 3), "b": (3, 5, 1, 2), "c": (2, 2, 3, 3)}
d = {name: torch.randn(shape, generator=rng).double() for name, shape in shapes.items()}
w = {name: (3 * torch.randn(shape, generator=rng)).double() for name, shape in shapes.items()}
d["a"][0], d["c"][1] = 0.01 * d["a"][0], 0  # a short filter, and one of zeros
kept_d, kept_w = {n: t.clone() for n, t in d.items()}, {n: t.clone() for n, t in w.items()}
want = {}
for name in shapes:
    want[name] = torch.zeros(shapes[name]).double()
    for f in range(shapes[name][0]):
        length = kept_d[name][f].pow(2).sum().sqrt()
        if length > 0:
            want[name][f] = kept_d[name][f] / length * kept_w[name][f].pow(2).sum().sqrt()
got = filter_normalised(d, w)
assert sorted(got) == sorted(shapes), f"the result has the names {sorted(got)}"
for name in shapes:
    check_close(got[name], want[name], f"the direction for a convolution {shapes[name]}", rtol=1e-5)
    check_unchanged(d[name], kept_d[name], "direction")
    check_unchanged(w[name], kept_w[name], "weights")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-filter-norm-rest", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Linear layers by rows; one-axis tensors do not move
direction = {"w": torch.tensor([[3.0, 4], [1, 0]]), "b": torch.tensor([5.0, 5])}
weights = {"w": torch.tensor([[0.0, 10], [2, 0]]), "b": torch.tensor([1.0, 1])}
got = filter_normalised(direction, weights)
check_close(got["w"], [[6, 8], [2, 0]], "the example's w")
check_close(got["b"], [0, 0], "the example's b")
### BEGIN HIDDEN TESTS
rng = torch.Generator().manual_seed(891)
shapes = {"fc.weight": (5, 3), "fc.bias": (5,), "bn.weight": (4,), "bn.bias": (4,)}
d = {name: torch.randn(shape, generator=rng).double() for name, shape in shapes.items()}
w = {name: torch.randn(shape, generator=rng).double() for name, shape in shapes.items()}
want = torch.stack([d["fc.weight"][f] / d["fc.weight"][f].norm() * w["fc.weight"][f].norm() for f in range(5)])
got = filter_normalised(d, w)
check_close(got["fc.weight"], want, "the direction for a linear layer", rtol=1e-5)
for name in ("fc.bias", "bn.weight", "bn.bias"):
    check_close(got[name], torch.zeros(shapes[name]), f"the direction for {name}")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 17 · The loss along a line
#
# `loss_along(net, direction, alphas, x, y)` returns a list of floats, the mean cross-entropy at $w + \alpha d$
# for each $\alpha$: in **evaluation** mode, with the running statistics that the net has. `direction` is a dict
# by parameter names, as `net.named_parameters()` gives them. Afterwards the net has exactly (not nearly) the
# weights and the mode that it had. (Each point starts from the saved weights: adding and subtracting would
# leave rounding errors.)
#
# ### Exercise 18 · The loss on a plane
#
# `loss_surface(net, first, second, alphas, betas, x, y)`: the same for $w + \alpha d_1 + \beta d_2$, as a NumPy
# array of shape `(len(alphas), len(betas))`, entry `[i, j]` for `alphas[i]` and `betas[j]`.
#
# **Example.** At $\alpha = 0$ (and $\beta = 0$) stands the loss that `evaluate` gives.

# %% nbgrader={"grade": false, "grade_id": "loss-slices", "locked": false, "schema_version": 3, "solution": true, "task": false}
def loss_along(net, direction, alphas, x, y):
    """Mean cross-entropy at w + alpha * direction for each alpha, evaluation mode: a list of floats."""
    ### BEGIN SOLUTION
    zero = {name: torch.zeros_like(d) for name, d in direction.items()}
    return loss_surface(net, direction, zero, alphas, [0.0], x, y)[:, 0].tolist()
    ### END SOLUTION


def loss_surface(net, first, second, alphas, betas, x, y):
    """Mean cross-entropy at w + alpha * first + beta * second: array (len(alphas), len(betas))."""
    ### BEGIN SOLUTION
    probe = copy.deepcopy(net).eval()
    surface = np.empty((len(alphas), len(betas)))
    with torch.no_grad():
        for i, alpha in enumerate(alphas):
            for j, beta in enumerate(betas):
                for (name, p), w in zip(probe.named_parameters(), net.parameters()):
                    p.copy_(w + float(alpha) * first[name] + float(beta) * second[name])
                surface[i, j] = functional.cross_entropy(probe(x), y)
    return surface
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-loss-along", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The loss along a line


@in_submission
def slices_of_small_net(function, directions, places, x, y, train):
    """Slices through the loss of a small net with running statistics of its own; traces left."""
    import torch
    from torch import nn

    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3)).double()
    generator = torch.Generator().manual_seed(16)
    state = {}
    for name, value in net.state_dict().items():
        draw = torch.randn(value.shape, generator=generator, dtype=torch.float64)
        state[name] = draw.abs() + 0.5 if "var" in name else torch.tensor(3) if value.ndim == 0 else draw
    net.load_state_dict(state)
    net.train(train)
    result = function(net, *directions, *places, x, y)
    after = net.state_dict()
    changed = [name for name in state if not torch.equal(state[name], after[name])]
    return result, changed, sorted({part.training for part in net.modules()})


rng = torch.Generator().manual_seed(17)
x, y = torch.randn(5, 1, 4, 4, generator=rng).double(), torch.arange(5) % 3
shapes = {"0.weight": (2, 1, 3, 3), "0.bias": (2,), "1.weight": (2,), "1.bias": (2,), "4.weight": (3, 8), "4.bias": (3,)}
d = {name: torch.randn(shape, generator=rng).double() for name, shape in shapes.items()}
losses, changed, modes = slices_of_small_net(loss_along, (d,), ([-1.0, 0.0, 0.5],), x, y, True)
check_shape(losses, (3,), "the losses at three places")
assert isinstance(losses, list), f"a list is asked, not {type(losses).__name__}"
assert all(isinstance(loss, float) for loss in losses), "the losses should be floats, not tensors"
assert all(loss > 0 for loss in losses), "a cross-entropy is positive"
### BEGIN HIDDEN TESTS
order = ("0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "n", "4.weight", "4.bias")
generator, s = torch.Generator().manual_seed(16), {}
for name in order:
    shape = shapes.get(name, () if name == "n" else (2,))
    draw = torch.randn(shape, generator=generator, dtype=torch.float64)
    s[name] = draw.abs() + 0.5 if "var" in name else draw
alphas = [-0.7, 0.0, 0.3, 1.1]
want = []
for alpha in alphas:
    w = {name: s[name] + alpha * d[name] for name in shapes}
    h = functional.conv2d(x, w["0.weight"], w["0.bias"])
    h = functional.batch_norm(h, s["1.running_mean"], s["1.running_var"], w["1.weight"], w["1.bias"])
    logits = functional.linear(functional.relu(h).flatten(1), w["4.weight"], w["4.bias"])
    want.append(float(functional.cross_entropy(logits, y)))
for train in (True, False):
    losses, *_ = slices_of_small_net(loss_along, (d,), (alphas,), x, y, train)
    check_close(losses, want, f"the losses along a line, for a net that came with training={train}", rtol=1e-6)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-loss-slices-no-trace", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The net is exactly as it was
rng = torch.Generator().manual_seed(17)
x, y = torch.randn(5, 1, 4, 4, generator=rng).double(), torch.arange(5) % 3
shapes = {"0.weight": (2, 1, 3, 3), "0.bias": (2,), "1.weight": (2,), "1.bias": (2,), "4.weight": (3, 8), "4.bias": (3,)}
d = {name: torch.randn(shape, generator=rng).double() for name, shape in shapes.items()}
alphas = [float(a) for a in np.linspace(-1, 1, 7)]
_, changed, modes = slices_of_small_net(loss_along, (d,), (alphas,), x, y, True)
assert not changed, f"loss_along changed {changed}"
### BEGIN HIDDEN TESTS
for train in (True, False):
    losses, changed, modes = slices_of_small_net(loss_along, (d,), ([0.1, 0.3, 0.77],), x, y, train)
    assert len(losses) == 3 and not changed, f"loss_along changed {changed}"
    assert modes == [train], f"a net that came with training={train} should leave so"
    _, changed, modes = slices_of_small_net(loss_surface, (d, d), ([0.1, 0.3], [0.7, 0.2, 0.9]), x, y, train)
    assert not changed, f"loss_surface changed {changed}"
    assert modes == [train], f"a net that came with training={train} should leave loss_surface so"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-loss-surface", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The loss on a plane
rng = torch.Generator().manual_seed(17)
x, y = torch.randn(5, 1, 4, 4, generator=rng).double(), torch.arange(5) % 3
shapes = {"0.weight": (2, 1, 3, 3), "0.bias": (2,), "1.weight": (2,), "1.bias": (2,), "4.weight": (3, 8), "4.bias": (3,)}
d = {name: torch.randn(shape, generator=rng).double() for name, shape in shapes.items()}
e = {name: torch.randn(shape, generator=rng).double() for name, shape in shapes.items()}
surface, *_ = slices_of_small_net(loss_surface, (d, e), ([-1.0, 0.0, 1.0], [0.0, 0.5]), x, y, False)
check_shape(surface, (3, 2), "the surface for 3 alphas and 2 betas")
line, *_ = slices_of_small_net(loss_along, (d,), ([-1.0, 0.0, 1.0],), x, y, False)
check_close(np.asarray(surface)[:, 0], line, "the column at beta = 0", rtol=1e-5)
### BEGIN HIDDEN TESTS
order = ("0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "n", "4.weight", "4.bias")
generator, s = torch.Generator().manual_seed(16), {}
for name in order:
    shape = shapes.get(name, () if name == "n" else (2,))
    draw = torch.randn(shape, generator=generator, dtype=torch.float64)
    s[name] = draw.abs() + 0.5 if "var" in name else draw
for alphas, betas in (([-0.5, 0.2, 0.9], [-1.0, 0.4]), ([0.3, -0.8], [0.6, 0.1])):
    want = np.empty((len(alphas), len(betas)))
    for i, j in np.ndindex(want.shape):
        w = {name: s[name] + alphas[i] * d[name] + betas[j] * e[name] for name in shapes}
        h = functional.conv2d(x, w["0.weight"], w["0.bias"])
        h = functional.batch_norm(h, s["1.running_mean"], s["1.running_var"], w["1.weight"], w["1.bias"])
        logits = functional.linear(functional.relu(h).flatten(1), w["4.weight"], w["4.bias"])
        want[i, j] = functional.cross_entropy(logits, y)
    surface, *_ = slices_of_small_net(loss_surface, (d, e), (alphas, betas), x, y, True)
    check_close(surface, want, "the surface", rtol=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the values change when I call it twice</summary>
#
# Something is left behind: weights that were not restored exactly, or running statistics that moved in training mode.
# </details>
#
# <details><summary>Help: "a leaf Variable that requires grad is being used in an in-place operation"</summary>
#
# Write to parameters inside `with torch.no_grad():`.
# </details>
#
# First the reason for all this care. One trained net, residual-20, and a second that computes **the same**: the
# convolutions of its blocks have 10 times larger weights, and BatchNorm behind them divides that out again (its
# running statistics are scaled along). The same random direction, raw (all of it shortened to 30%) and
# filter-normalised:

# %% jupyter={"source_hidden": true}
def gaussian_direction(net, seed):
    """Random normal numbers in the shape of each parameter of net, by name."""
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(p.shape, generator=generator) for name, p in net.named_parameters()}


# %% jupyter={"source_hidden": true} tags=["illustration"]
net = trained("residual-20", RESIDUAL["residual-20"], seed)[0]
scaled = copy.deepcopy(net)
with torch.no_grad():
    for block in scaled.blocks:
        for conv, bn in ((block.conv1, block.bn1), (block.conv2, block.bn2)):
            conv.weight.mul_(10)
            bn.running_mean.mul_(10)
            bn.running_var.mul_(100)
probe = x_train[:256], y_train[:256]
alphas = np.linspace(-1, 1, 11 if quick else 31)
figure, axes = plt.subplots(1, 2, figsize=(11, 3.5))
for axis, normalised in zip(axes, (False, True)):
    for which, name, style in ((net, "the net", "-"), (scaled, "the same function, weights × 10", "--")):
        direction = gaussian_direction(which, 1)
        if normalised:
            direction = filter_normalised(direction, dict(which.named_parameters()))
        else:
            direction = {n: 0.3 * d * (d.ndim > 1) for n, d in direction.items()}
        axis.semilogy(alphas, loss_along(which, direction, alphas, *probe), style, label=name)
    axis.set(xlabel="α", title="filter-normalised" if normalised else "one random direction, raw")
    axis.grid(alpha=0.3)
axes[0].set_ylabel("loss")
axes[0].legend(fontsize=9)
figure.tight_layout()
plt.show()

# %% [markdown]
# #### Question · Flat or sharp?
#
# Two slices along **raw** random directions: net A's valley looks ten times as wide as net B's. Both use
# BatchNorm after each convolution. What follows?
#
# - `"a"` A lies in a flatter minimum than B.
# - `"b"` A generalises better than B.
# - `"c"` Nothing yet: A may just have larger weights, even compute the same function.

# %% nbgrader={"grade": false, "grade_id": "q-wide", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_wide: one of "a", "b", "c"
### BEGIN SOLUTION
q_wide = "c"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-wide", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# What a wide valley along a raw direction means
assert q_wide in ("a", "b", "c"), "q_wide should be one of 'a', 'b', 'c'"
### BEGIN HIDDEN TESTS
check_choice(q_wide, "c", ["a", "b", "c"], "q_wide")
### END HIDDEN TESTS

# %% [markdown]
# Now the picture that made residual nets' landscapes famous, for *your* nets: plain-56 and residual-56, seed 0,
# a plane of two filter-normalised random directions through the trained weights, loss of 256 training digits.
# Colours are powers of ten.

# %% jupyter={"source_hidden": true} tags=["illustration"]
def surface_through(name, make_net, points):
    """The loss on a plane through a trained net, alphas and betas from -1 to 1."""
    net, start = trained(name, make_net)[0], time.perf_counter()
    weights = dict(net.named_parameters())
    first, second = (filter_normalised(gaussian_direction(net, s), weights) for s in (1, 2))
    sides = np.linspace(-1, 1, points)
    surface = loss_surface(net, first, second, sides, sides, x_train[:256], y_train[:256])
    print(f"{name}: {surface.size} losses in {time.perf_counter() - start:.0f} s")
    return surface


pair = {"plain-56": PLAIN["plain-56"], "residual-56": RESIDUAL["residual-56"]}
if LIVE:
    surfaces = {name: surface_through(name, make_net, 21) for name, make_net in pair.items()}
    RESULTS["surfaces"] = {name: surface.tolist() for name, surface in surfaces.items()}
else:
    surfaces = {name: np.array(surface) for name, surface in degradation.load()["surfaces"].items()}
    print(degradation.origin())
figure = plt.figure(figsize=(12, 8))
levels = np.arange(-1.5, 4.01, 0.25)
for place, (name, surface) in enumerate(surfaces.items()):
    sides = np.linspace(-1, 1, len(surface))
    heights = np.log10(surface).clip(levels[0], levels[-1])
    axis = figure.add_subplot(2, 2, 1 + place)
    contours = axis.contourf(sides, sides, heights.T, levels=levels, cmap="viridis")
    axis.contour(sides, sides, heights.T, levels=levels, colors="white", linewidths=0.3)
    axis.plot(0, 0, "r+", markersize=12)
    axis.set(xlabel="α", ylabel="β", title=name, aspect="equal", xticks=[-1, -0.5, 0, 0.5, 1])
    figure.colorbar(contours, ax=axis, label="log₁₀ of the loss", ticks=range(-1, 5))
    axis = figure.add_subplot(2, 2, 3 + place, projection="3d")
    axis.plot_surface(*np.meshgrid(sides, sides, indexing="ij"), heights, cmap="viridis", vmin=-1.5, vmax=4)
    axis.set(xlabel="α", ylabel="β", zlabel="log₁₀ loss", zlim=(-1.5, 4))
    axis.view_init(elev=35, azim=-60)
figure.tight_layout()
plt.show()
for name, surface in surfaces.items():
    middle = len(surface) // 2
    print(f"{name:12s} loss in the middle {surface[middle, middle]:8.3f}, lowest {surface.min():8.3f}, "
          f"highest {surface.max():.1e}")  # fmt: skip

# %% [markdown]
# The residual net sits at the bottom of a round bowl. The plain net sits high up, on a ragged floor between
# cliffs. It fits what we saw: on such ground a step of SGD says little about where to go next.
#
# Handle the picture with care. It shows **two** directions out of 214,402, around **one** end point each;
# plain-56 did not even arrive at a minimum; and a landscape *shows* that training was hard, it does not say
# why. What it does add to the gradient norms of part 4: those measure slopes at a point, this shows how soon
# they stop being valid.
#
# ## Summary
#
# | | what you saw |
# |---|---|
# | degradation | plain-56 has a higher **training** error than plain-8 and plain-20, in every run: no overfitting |
# | construction | a deep plain net with the shallow net's outputs exists; SGD does not find it |
# | gradients | with BatchNorm they do not vanish; at birth they even explode; degradation is a difficulty of optimisation |
# | residual block | the layers fit $F(x) = H(x) - x$, the block gives $F(x) + x$; same parameters; identity = zeros |
# | Jacobian | $I + \partial F/\partial x$: one copy of the gradient arrives unchanged; no guarantee, and no proof of the cause |
# | span | around two or three layers; "2 is optimal" is a theorem about linear nets near zero |
# | landscape | compare slices only after filter normalisation |
#
# And three habits: look at the training error first; several seeds or no claim; ask of each explanation which
# measurement could refute it.
#
# **Next:** lesson 09 builds the real family, ResNet-18 to -152, from this block.
#
# ## References
#
# - K. He, X. Zhang, S. Ren, J. Sun: *Deep residual learning for image recognition*, CVPR 2016,
#   arXiv:1512.03385. Section 4.1 on vanishing gradients, figure 7 on responses.
# - D. Balduzzi et al.: *The shattered gradients problem: if resnets are the answer, then what is the
#   question?*, ICML 2017, arXiv:1702.08591.
# - G. Yang et al.: *A mean field theory of batch normalization*, ICLR 2019, arXiv:1902.08129. Why gradients
#   explode at the birth of deep plain nets with BatchNorm.
# - S. Li et al.: *Demystifying ResNet*, 2016, arXiv:1611.01186.
# - A. Veit, M. Wilber, S. Belongie: *Residual networks behave like ensembles of relatively shallow networks*,
#   NIPS 2016, arXiv:1605.06431.
# - K. Greff, R. Srivastava, J. Schmidhuber: *Highway and residual networks learn unrolled iterative
#   estimation*, ICLR 2017, arXiv:1612.07771.
# - H. Li et al.: *Visualizing the loss landscape of neural nets*, NeurIPS 2018, arXiv:1712.09913.
# - K. He et al.: *Delving deep into rectifiers*, ICCV 2015, arXiv:1502.01852. The initialisation.
# - Data: E. Alpaydin, C. Kaynak: *Optical recognition of handwritten digits*, UCI, 1998, as shipped with
#   scikit-learn.
