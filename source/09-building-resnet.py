# ---
# jupyter:
#   autograder:
#     packages:
#     - numpy
#     - matplotlib
#     - torch
#     - course.checks
#     - course.data
#     - course.plots
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
# # 09 · Building ResNet
#
# Lesson 08 asked *why* a shortcut helps. This lesson builds the networks that have carried it into
# practice: two blocks, three kinds of shortcut, one class, and out of it come ResNet-18 to ResNet-152
# with exactly the published number of parameters, and the CIFAR family from 20 layers to 1202. You read
# the paper's recipe with its right numbers, take apart a table whose columns belong to different
# networks, and train a small member of the family on real digits. And the convolution that you
# wrote in lesson 01 computes the first layer.
#
# **Time** 5 to 6 hours · **Difficulty** ●●●○○ · **You need** lessons 01 (the convolution layer), 02
# (parameters and MACs) and 08 (residual learning), and PyTorch's `nn.Module` · **Runs on** any laptop
#
# **After this lesson you can**
#
# - write the basic block and the bottleneck, in both versions that exist, and say which is which;
# - choose a shortcut (A, B or C) and say what it costs;
# - build any ResNet from its depth, so that published weights would load into it by name;
# - count parameters and MACs of a large network without giving it memory;
# - fold BatchNorm into a convolution, as every deployed network does;
# - state the training recipe with the right numbers, and correct the wrong ones on slides;
# - say, of an error rate, how it was measured, before you compare it with another.
#
# | part | you build | points |
# |---|---|---|
# | 1 · The blocks | `conv3x3`, `ZeroPad`, `make_shortcut`, `BasicBlock`, `Bottleneck` | 29 |
# | 2 · The family | `weight_layers`, `make_stage`, `ResNet`, `resnet`, `count_parameters`, `count_macs`, `feature_maps` | 32 |
# | 3 · Your own convolution | `fold_batchnorm`, `conv2d_forward`, `logits_with` | 7 |
# | 4 · The CIFAR family | `cifar_parameters`, `cifar_resnet` | 8 |
# | 5 · The recipe | `he_init`, `make_optimizer`, `learning_rate` | 11 |
# | 6 · Training | `train_epoch`, `predict`, a trained ResNet-8 | 7 |
# | 7 · Which error, measured how | `ensemble_error` | 6 |
#
# **How it works.** Complete each cell that says `raise NotImplementedError`, then run the checks below
# it. Grading runs the same checks and further ones: other sizes, training mode, gradients, weights of its own
# that it loads into your modules *by name*. So the names of attributes in the docstrings are part of the
# task. Questions ask you to predict *before* you run the cell that shows the truth; the check below a question
# only asks whether your answer is one of the options, or a number. Folded cells draw and measure: run them like
# any other.

# %% tags=["parameters"]
# Scripts that run this notebook set these; leave them as they are.
seed = 0
device = "auto"
quick = False

# %%
import platform
import time

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

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
from course.plots import annotate_grid, show_images


# %% nbgrader={"grade": false, "grade_id": "given", "locked": true, "schema_version": 3, "solution": false, "task": false}
def bn_shapes(name, channels):
    """Names and shapes of everything that BatchNorm2d(channels) stores, under the name `name`."""
    parts = ("weight", "bias", "running_mean", "running_var")
    shapes = {f"{name}.{part}": (channels,) for part in parts}
    return {**shapes, f"{name}.num_batches_tracked": ()}


def block_shapes(expansion, c_in, width, project):
    """Names and shapes of a block: basic (expansion 1) or bottleneck (4), with a projection or not."""
    c_out = expansion * width
    basic, bottleneck = [(3, c_in, width), (3, width, width)], [(1, c_in, width), (3, width, width)]
    convs = basic if expansion == 1 else [*bottleneck, (1, width, c_out)]
    shapes = {}
    for number, (side, incoming, outgoing) in enumerate(convs, start=1):
        shapes[f"conv{number}.weight"] = (outgoing, incoming, side, side)
        shapes |= bn_shapes(f"bn{number}", outgoing)
    if project:
        shapes["downsample.0.weight"] = (c_out, c_in, 1, 1)
        shapes |= bn_shapes("downsample.1", c_out)
    return shapes


def random_state(shapes, seed):
    """Random values for everything in `shapes`: name → float64 tensor, variances positive."""
    random = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in shapes.items():
        values = torch.randn(shape, generator=random, dtype=torch.float64)
        if name.endswith("num_batches_tracked"):
            values = torch.tensor(0)
        elif name.endswith("running_var") or (name.endswith("weight") and len(shape) == 1):
            values = 0.5 + values.abs()
        elif len(shape) > 1:
            values = values / np.sqrt(np.prod(shape[1:]))
        state[name] = values
    return state


# %% [markdown]
# ## What you need from earlier lessons
#
# **Residual learning** (lesson 08). A few layers compute $F(x)$; the block's output is $F(x) + x$, then
# ReLU. If the best a block can do is nothing, $F$ has to become zero, which is easier to learn than the
# identity. $F$ is the *residual*, $F(x)+x$ the mapping.
#
# **BatchNorm** (lessons 04 and 05). `nn.BatchNorm2d(C)` normalises each channel over samples, rows and
# columns, then multiplies by $\gamma_c$ (`weight`) and adds $\beta_c$ (`bias`). In training mode it uses the
# statistics of the batch and updates running averages; in evaluation mode it uses those averages. The running
# averages are *buffers*: stored, loaded, but not trained. ResNet puts it behind **every** convolution,
# and a convolution before BatchNorm has **no bias**: BatchNorm would subtract it again.
#
# **PyTorch.** An `nn.Module` that is an attribute of another one (`self.conv1 = nn.Conv2d(...)`) is found by
# `parameters()`, `state_dict()`, `train()`, `eval()` and `to()`. One that hides in a plain Python list is not.
# The name of the attribute becomes the name in the state dict: `layer1.0.conv1.weight`.
#
# The locked cell above holds three small helpers for the checks: names and shapes of what a block stores, and
# random values for them.
#
# ## Part 1 · The blocks
#
# A ResNet is made of one kind of brick. The small nets use the **basic block**, two 3×3 convolutions.
# The large ones use the **bottleneck**: 1×1 to make it narrow, 3×3 on the narrow part, 1×1 to widen it again. Shortcuts
# go round two or three layers, never round one. (The paper tried one: without a ReLU in between,
# $W_1x + x$ is a linear layer, and no advantage was seen.)


# %% jupyter={"source_hidden": true} tags=["illustration"]
def draw_block(axis, layers, title):
    """Draw layers from top to bottom with a shortcut on the right."""
    axis.set(xlim=(-1.4, 2.4), ylim=(-5.2, 0.9))
    axis.axis("off")
    axis.set_title(title, fontsize=10)
    box = {"boxstyle": "round,pad=0.35", "facecolor": "lightsteelblue", "edgecolor": "0.4"}
    down = {"arrowstyle": "->", "color": "0.3", "shrinkA": 0, "shrinkB": 0}
    axis.text(0, 0.6, "x", ha="center", va="center", fontsize=11, style="italic")
    plus = -len(layers) - 1
    starts = [0.4, *(row - 0.32 for row in range(-1, plus, -1))]
    for start, end in zip(starts, [*(row + 0.32 for row in range(-1, plus, -1)), plus + 0.2]):
        axis.annotate("", (0, end), (0, start), arrowprops=down)
    for row, text in enumerate(layers, start=1):
        axis.text(0, -row, text, ha="center", va="center", fontsize=8.5, bbox=box)
    axis.text(0, plus, "+", ha="center", va="center", fontsize=15)
    axis.plot(0, plus, "o", markersize=17, markerfacecolor="none", markeredgecolor="0.3")
    axis.annotate("", (0, plus - 0.85), (0, plus - 0.2), arrowprops=down)
    axis.text(0.12, plus - 0.5, "ReLU", va="center", fontsize=9)
    axis.plot([0, 1.9, 1.9], [0.15, 0.15, plus], color="crimson")
    axis.annotate("", (0.16, plus), (1.9, plus), arrowprops={**down, "color": "crimson"})
    axis.text(1.98, (plus + 0.15) / 2, "shortcut", color="crimson", rotation=90, va="center")


figure, axes = plt.subplots(1, 3, figsize=(11, 4.6))
basic = ["3×3, C → C, stride s\nBN, ReLU", "3×3, C → C\nBN"]
newer = ["1×1, 4C → C\nBN, ReLU", "3×3, C → C, stride s\nBN, ReLU", "1×1, C → 4C\nBN"]
older = ["1×1, 4C → C, stride s\nBN, ReLU", "3×3, C → C\nBN, ReLU", "1×1, C → 4C\nBN"]
draw_block(axes[0], basic, "basic block")
draw_block(axes[1], newer, "bottleneck, v1.5 (the usual one)")
draw_block(axes[2], older, "bottleneck, v1 (the paper's)")
figure.tight_layout()
plt.show()


# %% [markdown]
# ### Exercise 1 · Two convolutions
#
# All blocks are built from two kinds of convolution. Both keep rows and columns at stride 1; at stride 2
# they give $\lceil H/2\rceil$ and $\lceil W/2\rceil$. BatchNorm follows each, so neither has a bias.
#
# **Example.** `conv3x3(8, 16, stride=2)` on an input of shape `(1, 8, 9, 7)` gives `(1, 16, 5, 4)`.


# %% nbgrader={"grade": false, "grade_id": "convs", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv3x3(c_in, c_out, stride=1):
    """An nn.Conv2d, 3×3, without bias, that keeps the size at stride 1."""
    ### BEGIN SOLUTION
    return nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
    ### END SOLUTION


def conv1x1(c_in, c_out, stride=1):
    """An nn.Conv2d, 1×1, without bias, that keeps the size at stride 1."""
    ### BEGIN SOLUTION
    return nn.Conv2d(c_in, c_out, 1, stride=stride, bias=False)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-convs", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Both convolutions: shapes, no bias
check_shape(conv3x3(8, 16, stride=2)(torch.zeros(1, 8, 9, 7)), (1, 16, 5, 4), "conv3x3 at stride 2")
check_shape(conv1x1(8, 16)(torch.zeros(1, 8, 9, 7)), (1, 16, 9, 7), "conv1x1 at stride 1")
check_shape(conv3x3(8, 16)(torch.zeros(1, 8, 9, 7)), (1, 16, 9, 7), "conv3x3 at stride 1")
assert conv3x3(2, 3).bias is None, "BatchNorm follows: conv3x3 needs no bias"
### BEGIN HIDDEN TESTS
assert conv1x1(2, 3).bias is None, "BatchNorm follows: conv1x1 needs no bias"
for _make, _side in ((conv3x3, 3), (conv1x1, 1)):
    for _stride in (1, 2):
        _layer, _what = _make(2, 5, _stride), f"conv{_side}x{_side}(2, 5, {_stride})"
        check_shape(_layer.weight, (5, 2, _side, _side), f"the weight of {_what}")
        _x = torch.randn(2, 2, 7, 6, generator=torch.Generator().manual_seed(901))
        _want = torch.nn.functional.conv2d(_x, _layer.weight, None, _stride, _side // 2)
        check_close(_layer(_x), _want, _what, atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: 9 × 7 becomes 7 × 5, or 4 × 3</summary>
#
# A 3×3 kernel without padding loses one row and column on every side. `padding=1` keeps them.
# </details>
#
# ### Three shortcuts
#
# $F(x) + x$ needs both terms in the same shape. Where a block halves the resolution or changes the number of
# channels, $x$ does not fit, and the shortcut has to change it. The paper compares three ways:
#
# | option | where the shape stays | where it changes | parameters |
# |---|---|---|---|
# | **A** | identity | take every second row and column, add channels of zeros | none |
# | **B** | identity | projection: 1×1 convolution with the stride, then BatchNorm | few |
# | **C** | projection | projection | many |
#
# Top-1 error of ResNet-34 on ImageNet (validation set, 10 crops, from the paper): A 25.03%, B 24.52%, C 24.19%.
# Without shortcuts: 28.54%. So what matters is *that* there is a shortcut; the paper takes B for its large
# nets and A for CIFAR.

# %% jupyter={"source_hidden": true} tags=["illustration"]
pixels = np.arange(1, 26).reshape(5, 5)
figure, axes = plt.subplots(1, 3, figsize=(6.6, 2.9), width_ratios=[5, 3, 3])
for axis, values, title in (
    (axes[0], pixels, "x: one channel,\n5 × 5"),
    (axes[1], pixels[::2, ::2], "option A, channel 0:\nwhat is kept"),
    (axes[2], 0 * pixels[::2, ::2], "option A, channel 1:\nnew, zeros"),
):
    annotate_grid(axis, values)
    axis.set_title(title, fontsize=10)
for row in range(0, 5, 2):
    for column in range(0, 5, 2):
        square = plt.Rectangle(
            (column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="crimson", lw=2, zorder=5
        )
        axes[0].add_patch(square)
figure.tight_layout()
plt.show()


# %% [markdown]
# ### Exercise 2 · Option A
#
# Write `ZeroPad(c_in, c_out, stride)`: keep rows 0, `stride`, 2·`stride` … and the same columns, then append
# `c_out - c_in` channels of zeros **behind** the channels that are there. It has no parameters.
#
# **Example.** `ZeroPad(1, 3, 2)` on the `(1, 1, 5, 5)` image above gives `(1, 3, 3, 3)`: channel 0 is
# `[[1, 3, 5], [11, 13, 15], [21, 23, 25]]`, channels 1 and 2 are zero.


# %% nbgrader={"grade": false, "grade_id": "zeropad", "locked": false, "schema_version": 3, "solution": true, "task": false}
class ZeroPad(nn.Module):
    """Shortcut option A: (N, c_in, H, W) → (N, c_out, ⌈H/stride⌉, ⌈W/stride⌉)."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        ### BEGIN SOLUTION
        self.new, self.stride = c_out - c_in, stride
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        x = x[:, :, :: self.stride, :: self.stride]  # (N, c_in, ⌈H/stride⌉, ⌈W/stride⌉)
        return nn.functional.pad(x, (0, 0, 0, 0, 0, self.new))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-zeropad", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Option A: every second row and column, new channels of zeros behind
image = torch.arange(1.0, 26.0).reshape(1, 1, 5, 5)
out = ZeroPad(1, 3, 2)(image)
check_shape(out, (1, 3, 3, 3), "ZeroPad(1, 3, 2) of (1, 1, 5, 5)")
check_close(out[0, 0], [[1, 3, 5], [11, 13, 15], [21, 23, 25]], "channel 0")
### BEGIN HIDDEN TESTS
_random = torch.Generator().manual_seed(902)
for _c_in, _c_out, _stride, _size in ((2, 5, 2, (6, 7)), (4, 6, 1, (3, 4)), (3, 6, 3, (7, 8))):
    _x = torch.randn(3, _c_in, *_size, generator=_random)
    _want = np.zeros((3, _c_out, -(-_size[0] // _stride), -(-_size[1] // _stride)))
    _want[:, :_c_in] = _x[:, :, ::_stride, ::_stride].numpy()
    check_close(
        ZeroPad(_c_in, _c_out, _stride)(_x), _want, f"ZeroPad({_c_in}, {_c_out}, {_stride})"
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-zeropad-free", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Option A has nothing to learn, and lets the gradient through


@in_submission
def gradient_through(make, x, dy):
    """How much make() stores, and the gradient for its input."""
    module = make(2, 3, 2)
    x = x.clone().requires_grad_()
    module(x).backward(dy)
    return len(list(module.parameters())) + len(module.state_dict()), x.grad


stored, slope = gradient_through(ZeroPad, torch.ones(1, 2, 3, 3), torch.ones(1, 3, 2, 2))
check_number(stored, 0, "the number of parameters and buffers")
### BEGIN HIDDEN TESTS
_dy = torch.randn(2, 3, 3, 2, generator=torch.Generator().manual_seed(903))
_want = torch.zeros(2, 2, 5, 4)
_want[:, :, ::2, ::2] = _dy[:, :2]
check_close(gradient_through(ZeroPad, torch.ones(2, 2, 5, 4), _dy)[1], _want, "the gradient for x")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: padding the channels</summary>
#
# `torch.cat` along axis 1 with a tensor of zeros (`x.new_zeros(...)` has the right dtype and device), or
# `nn.functional.pad`, whose list of pads starts at the *last* axis: (left, right, top, bottom, front, back).
# </details>
#
# ### Exercise 3 · Choose the shortcut
#
# `make_shortcut(option, c_in, c_out, stride)` returns a module:
#
# - the shape stays (`stride == 1` and `c_in == c_out`): for A and B an `nn.Identity()`;
# - the shape changes: for A a `ZeroPad`, for B a projection;
# - for C always a projection;
# - any other option: raise `ValueError`.
#
# A projection is an `nn.Sequential` of your `conv1x1`, with the stride, and an `nn.BatchNorm2d`, in this order.
# (Its parts then have the names `0` and `1`.)


# %% nbgrader={"grade": false, "grade_id": "shortcut", "locked": false, "schema_version": 3, "solution": true, "task": false}
def make_shortcut(option, c_in, c_out, stride):
    """The module on the shortcut; option is "A", "B" or "C". Raises ValueError for another option."""
    ### BEGIN SOLUTION
    if option not in ("A", "B", "C"):
        raise ValueError(f"no shortcut option {option!r}; there are A, B and C")
    if option != "C" and stride == 1 and c_in == c_out:
        return nn.Identity()
    if option == "A":
        return ZeroPad(c_in, c_out, stride)
    return nn.Sequential(conv1x1(c_in, c_out, stride), nn.BatchNorm2d(c_out))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-shortcut-identity", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Where the shape stays, A and B pass x on as it is; C projects


@in_submission
def shortcut_of(make_shortcut, arguments, x):
    """Output in evaluation mode of a new shortcut, and the shapes of what it stores."""
    shortcut = make_shortcut(*arguments).eval()
    shapes = {name: tuple(value.shape) for name, value in shortcut.state_dict().items()}
    return shortcut(x).detach(), shapes


x = torch.randn(2, 4, 5, 3, generator=torch.Generator().manual_seed(904))
for option in "AB":
    out, shapes = shortcut_of(make_shortcut, [option, 4, 4, 1], x)
    check_close(out, x, f"shortcut {option}, 4 → 4 channels, stride 1")
    assert not shapes, f"shortcut {option} needs no parameters where the shape stays"
### BEGIN HIDDEN TESTS
_shapes = shortcut_of(make_shortcut, ["C", 4, 4, 1], x)[1]
_want = {"0.weight": (4, 4, 1, 1), **bn_shapes("1", 4)}
assert _shapes == _want, f"shortcut C should always project, storing {sorted(_want)}"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-shortcut-projection", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The projection: 1×1 convolution with the stride, then BatchNorm


@in_submission
def projected(make_shortcut, arguments, state, x):
    """Output of a shortcut in evaluation mode with the weights of state."""
    shortcut = make_shortcut(*arguments).double()
    shortcut.load_state_dict(state)
    return shortcut.eval()(x).detach()


shapes = {"0.weight": (6, 4, 1, 1), **bn_shapes("1", 6)}
x = torch.randn(2, 4, 5, 3, generator=torch.Generator().manual_seed(905)).double()
out = projected(make_shortcut, ["B", 4, 6, 2], random_state(shapes, 1), x)
check_shape(out, (2, 6, 3, 2), "shortcut B, 4 → 6 channels, stride 2, of (2, 4, 5, 3)")
### BEGIN HIDDEN TESTS
for _option, _stride, _c_out in (
    ("B", 2, 6),
    ("B", 1, 6),
    ("B", 2, 4),
    ("B", 1, 3),
    ("C", 2, 6),
    ("C", 1, 4),
):
    _state = random_state({"0.weight": (_c_out, 4, 1, 1), **bn_shapes("1", _c_out)}, 906)
    _z = torch.einsum(
        "nchw,fc->nfhw", x[:, :, ::_stride, ::_stride], _state["0.weight"][:, :, 0, 0]
    )
    _scale = _state["1.weight"] / (_state["1.running_var"] + 1e-5).sqrt()
    _centred = _z - _state["1.running_mean"][:, None, None]
    _want = _centred * _scale[:, None, None] + _state["1.bias"][:, None, None]
    _got = projected(make_shortcut, [_option, 4, _c_out, _stride], _state, x)
    check_close(_got, _want, f"shortcut {_option}, 4 → {_c_out} channels, stride {_stride}")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-shortcut-option-a", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Option A where the shape changes; an option that does not exist
x = torch.randn(1, 2, 4, 6, generator=torch.Generator().manual_seed(907))
check_shape(make_shortcut("A", 2, 5, 2)(x), (1, 5, 2, 3), "shortcut A, 2 → 5 channels, stride 2")
check_raises(ValueError, make_shortcut, "D", 4, 4, 1)
### BEGIN HIDDEN TESTS
_want = torch.cat([x[:, :, ::2, ::2], torch.zeros(1, 3, 2, 3)], 1)
check_close(make_shortcut("A", 2, 5, 2)(x), _want, "shortcut A, 2 → 5 channels, stride 2")
check_close(make_shortcut("A", 2, 2, 2)(x), x[:, :, ::2, ::2], "shortcut A at stride 2 alone")
check_raises(ValueError, make_shortcut, "b", 4, 8, 2)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: what changes the shape?</summary>
#
# Two things, each alone or together: a stride above 1 (rows and columns), `c_in != c_out` (channels).
# </details>
#
# ### Exercise 4 · The basic block
#
# $$y = \mathrm{ReLU}\bigl(\underbrace{\mathrm{BN}_2(\mathrm{conv}_2(\mathrm{ReLU}(\mathrm{BN}_1(\mathrm{conv}_1(x)))))}_{F(x)}
#  + \mathrm{shortcut}(x)\bigr)$$
#
# Three details, each of them a common mistake: the stride is that of the **first** convolution; the second ReLU
# comes **after** the addition, not before (else $F(x)$ could only add); and every convolution has a
# BatchNorm **of its own**.
#
# The attributes are called `conv1`, `bn1`, `conv2`, `bn2` and `downsample` (the shortcut). These are the names in the
# published weights' files, which is the one reason for the last one: it holds the shortcut even where
# nothing is sampled down. `expansion` says how many times wider than `width` the output is. The bottleneck will have
# 4 there. `v1` is for the bottleneck too: the basic block takes it and ignores it.
#
# **Example.** If `bn2.weight` and `bn2.bias` are zero, $F(x) = 0$ and `BasicBlock(4, 4)` returns `relu(x)`.


# %% nbgrader={"grade": false, "grade_id": "basic-block", "locked": false, "schema_version": 3, "solution": true, "task": false}
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        ### BEGIN SOLUTION
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-basic-names", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# What a basic block stores, name by name


@in_submission
def shapes_of(make, arguments):
    """Names and shapes of the state of make(*arguments), and the names of its parameters."""
    block = make(*arguments)
    shapes = {name: tuple(value.shape) for name, value in block.state_dict().items()}
    return shapes, [name for name, _ in block.named_parameters()]


shapes, parameters = shapes_of(BasicBlock, [8, 8])
assert set(shapes) == set(block_shapes(1, 8, 8, False)), f"BasicBlock(8, 8) stores {sorted(shapes)}"
### BEGIN HIDDEN TESTS
for _arguments, _project in (([8, 8], False), ([4, 6, 2], True), ([5, 5, 2], True), ([5, 7], True)):
    _shapes, _parameters = shapes_of(BasicBlock, _arguments)
    _want = block_shapes(1, *_arguments[:2], _project)
    assert _shapes == _want, (
        f"BasicBlock{tuple(_arguments)} stores other names or shapes than asked"
    )
    _buffers = {name for name in _want if "running" in name or "tracked" in name}
    assert set(_parameters) == set(_want) - _buffers, "buffers are not parameters, weights are"
check_number(BasicBlock.expansion, 1, "BasicBlock.expansion")
_names = set(shapes_of(BasicBlock, [8, 8, 1, "C"])[0])
assert _names == set(block_shapes(1, 8, 8, True)), "BasicBlock(8, 8, 1, 'C') stores other names"
_names = set(shapes_of(BasicBlock, [4, 8, 2, "A"])[0])
assert _names == set(block_shapes(1, 4, 8, False)), "BasicBlock(4, 8, 2, 'A') stores other names"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-basic-values", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The output of a block with known weights, in evaluation mode


@in_submission
def evaluated(make, arguments, options, state, x):
    """Output, in evaluation mode, of make(*arguments, **options) with the weights of state."""
    block = make(*arguments, **options).double()
    block.load_state_dict(state)
    return block.eval()(x).detach()


state = random_state(block_shapes(1, 4, 4, False), 1)
state["bn2.weight"], state["bn2.bias"] = torch.zeros(4).double(), torch.zeros(4).double()
x = torch.randn(2, 4, 5, 3, generator=torch.Generator().manual_seed(908)).double()
want = x.relu()
check_close(evaluated(BasicBlock, [4, 4], {}, state, x), want, "a block whose F(x) is 0")
### BEGIN HIDDEN TESTS


def reference_block(state, x, train=False, stride=1, strided=1):
    """A block of He et al. with two or three convolutions; number `strided` has the stride."""

    def conv_bn(conv, bn, x, stride):
        w = state[f"{conv}.weight"]
        x = torch.nn.functional.conv2d(x, w, None, stride, w.shape[-1] // 2)
        running = (state[f"{bn}.{part}"] for part in ("running_mean", "running_var"))
        gamma, beta = state[f"{bn}.weight"], state[f"{bn}.bias"]
        return torch.nn.functional.batch_norm(x, *running, gamma, beta, train, 0.1, 1e-5)

    y, convs = x, (3 if "conv3.weight" in state else 2)
    for k in range(1, convs + 1):
        y = conv_bn(f"conv{k}", f"bn{k}", y, stride if k == strided else 1)
        y = y.relu() if k < convs else y
    if "downsample.0.weight" in state:
        x = conv_bn("downsample.0", "downsample.1", x, stride)
    return (x + y).relu()


for _c, _size in ((4, (5, 3)), (3, (4, 4))):
    _x = torch.randn(3, _c, *_size, generator=torch.Generator().manual_seed(909)).double()
    _state = random_state(block_shapes(1, _c, _c, False), 910)
    _want = reference_block(_state, _x)
    _got = evaluated(BasicBlock, [_c, _c], {}, _state, _x)
    check_close(_got, _want, f"BasicBlock({_c}, {_c}) in evaluation mode")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-basic-downsampling", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# A block that halves the resolution and widens


@in_submission
def evaluated(make, arguments, options, state, x):
    """Output, in evaluation mode, of make(*arguments, **options) with the weights of state."""
    block = make(*arguments, **options).double()
    block.load_state_dict(state)
    return block.eval()(x).detach()


x = torch.randn(2, 3, 7, 6, generator=torch.Generator().manual_seed(911)).double()
state = random_state(block_shapes(1, 3, 5, True), 2)
check_shape(evaluated(BasicBlock, [3, 5, 2], {}, state, x), (2, 5, 4, 3), "BasicBlock(3, 5, 2)")
### BEGIN HIDDEN TESTS


def reference_block(state, x, train=False, stride=1, strided=1):
    """A block of He et al. with two or three convolutions; number `strided` has the stride."""

    def conv_bn(conv, bn, x, stride):
        w = state[f"{conv}.weight"]
        x = torch.nn.functional.conv2d(x, w, None, stride, w.shape[-1] // 2)
        running = (state[f"{bn}.{part}"] for part in ("running_mean", "running_var"))
        gamma, beta = state[f"{bn}.weight"], state[f"{bn}.bias"]
        return torch.nn.functional.batch_norm(x, *running, gamma, beta, train, 0.1, 1e-5)

    y, convs = x, (3 if "conv3.weight" in state else 2)
    for k in range(1, convs + 1):
        y = conv_bn(f"conv{k}", f"bn{k}", y, stride if k == strided else 1)
        y = y.relu() if k < convs else y
    if "downsample.0.weight" in state:
        x = conv_bn("downsample.0", "downsample.1", x, stride)
    return (x + y).relu()


for _width, _stride in ((5, 2), (5, 1), (3, 2)):
    _state = random_state(block_shapes(1, 3, _width, True), 912)
    _want = reference_block(_state, x, stride=_stride)
    _got = evaluated(BasicBlock, [3, _width, _stride], {}, _state, x)
    check_close(_got, _want, f"BasicBlock(3, {_width}, {_stride}) in evaluation mode")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-basic-training", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Training mode: the output, the gradient for the input, the running statistics


@in_submission
def in_training(make, arguments, options, state, x, dy):
    """Output in training mode, gradient for the input, and the running statistics afterwards."""
    block = make(*arguments, **options).double()
    block.load_state_dict(state)
    x = x.clone().requires_grad_()
    y = block.train()(x)
    y.backward(dy)
    running = {name: b for name, b in block.state_dict().items() if "running" in name}
    return y.detach(), x.grad, running


x = torch.randn(3, 4, 5, 4, generator=torch.Generator().manual_seed(913)).double()
state = random_state(block_shapes(1, 4, 4, False), 3)
y, dx, running = in_training(BasicBlock, [4, 4], {}, state, x, torch.ones_like(x))
check_shape(dx, (3, 4, 5, 4), "the gradient for the input")
### BEGIN HIDDEN TESTS


def reference_block(state, x, train=False, stride=1, strided=1):
    """A block of He et al. with two or three convolutions; number `strided` has the stride."""

    def conv_bn(conv, bn, x, stride):
        w = state[f"{conv}.weight"]
        x = torch.nn.functional.conv2d(x, w, None, stride, w.shape[-1] // 2)
        running = (state[f"{bn}.{part}"] for part in ("running_mean", "running_var"))
        gamma, beta = state[f"{bn}.weight"], state[f"{bn}.bias"]
        return torch.nn.functional.batch_norm(x, *running, gamma, beta, train, 0.1, 1e-5)

    y, convs = x, (3 if "conv3.weight" in state else 2)
    for k in range(1, convs + 1):
        y = conv_bn(f"conv{k}", f"bn{k}", y, stride if k == strided else 1)
        y = y.relu() if k < convs else y
    if "downsample.0.weight" in state:
        x = conv_bn("downsample.0", "downsample.1", x, stride)
    return (x + y).relu()


for _width, _stride in ((4, 1), (6, 2)):
    _state = random_state(block_shapes(1, 4, _width, _stride == 2), 914)
    _kept = {name: value.clone() for name, value in _state.items()}
    _x = x.clone().requires_grad_()
    _want = reference_block(_state, _x, True, _stride)
    _dy = torch.randn(_want.shape, generator=torch.Generator().manual_seed(915)).double()
    _want.backward(_dy)
    y, dx, running = in_training(BasicBlock, [4, _width, _stride], {}, _kept, x, _dy)
    check_close(y, _want, f"BasicBlock(4, {_width}, {_stride}) in training mode")
    check_close(dx, _x.grad, "the gradient for the input")
    for _name, _value in running.items():
        check_close(_value, _state[_name], f"{_name} after one batch")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: "Missing key(s)" or "Unexpected key(s) in state_dict"</summary>
#
# The checks load weights by name. Compare the names of your attributes with the docstring. A shortcut that is
# an `nn.Identity()` or a `ZeroPad` stores nothing, so `downsample.…` must not appear for it.
# </details>
#
# <details><summary>Help: right in evaluation mode, wrong in training mode</summary>
#
# Look for one BatchNorm used twice, for a `detach()` or `no_grad()`, and for BatchNorm layers made with other
# settings than PyTorch's usual ones.
# </details>
#
# ### The bottleneck
#
# With 256 channels a pair of 3×3 convolutions is expensive. The bottleneck does its 3×3 work on a quarter
# of the channels. Take $C$ for the narrow width, so that $4C$ channels go in and come out.
#
# #### Question · What a bottleneck costs
#
# Two 3×3 convolutions on $C$ channels hold $2 \cdot 9\,C^2 = 18\,C^2$ weights, and at every pixel a MAC for each.
# How many $C^2$ are the weights of a bottleneck with $4C$ channels in and out and $C$ inside? And how many
# $C^2$ would two 3×3 convolutions on $4C$ channels take? (Convolutions only, no shortcut.)

# %% nbgrader={"grade": false, "grade_id": "q-bottleneck", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_bottleneck, q_wide_basic: numbers, in units of C²
### BEGIN SOLUTION
q_bottleneck = 17
q_wide_basic = 288
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-bottleneck", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Weights of a bottleneck, in C²
check_number(q_bottleneck, q_bottleneck, "q_bottleneck")
### BEGIN HIDDEN TESTS
check_number(q_bottleneck, 17, "q_bottleneck")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-wide-basic", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Weights of two 3×3 convolutions on 4C channels, in C²
check_number(q_wide_basic, q_wide_basic, "q_wide_basic")
### BEGIN HIDDEN TESTS
check_number(q_wide_basic, 288, "q_wide_basic")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: how to count</summary>
#
# Weights of a convolution: outgoing channels × incoming channels × rows × columns of the kernel. The
# bottleneck has three: 1×1 from $4C$ to $C$, 3×3 from $C$ to $C$, 1×1 from $C$ to $4C$.
# </details>
#
# The same in MACs, for the blocks of the first stage: 56 × 56 pixels, $C = 64$.

# %% jupyter={"source_hidden": true} tags=["illustration"]
narrow = [conv1x1(256, 64), conv3x3(64, 64), conv1x1(64, 256)]
for name, convs in (
    ("two 3×3 on 64 channels", [conv3x3(64, 64), conv3x3(64, 64)]),
    ("bottleneck, 256 → 64 → 256", narrow),
    ("two 3×3 on 256 channels", [conv3x3(256, 256), conv3x3(256, 256)]),
):
    weights = sum(conv.weight.numel() for conv in convs)
    print(f"{name:28s} {weights // 64**2:4d} C²  {56 * 56 * weights / 1e6:8.1f} million MACs")

# %% [markdown]
# More layers, a little less work, and four times as many channels at the shortcut: a bottleneck costs what a
# basic block costs that is a quarter as wide.
#
# ### Exercise 5 · The bottleneck, twice
#
# Write `Bottleneck(c_in, width, stride, shortcut, v1)`: 1×1 to `width`, 3×3 on `width`, 1×1 to `4 * width`, with
# BatchNorm behind each and ReLU behind the first two; then the shortcut, and ReLU.
#
# There are two versions, and the same name is used for both. In the paper's (**v1**) the *first* 1×1 convolution
# has the stride. It then reads every second row and column only, and three quarters of its input
# are never looked at on that path. In the version that nearly all libraries ship (**v1.5**), the 3×3
# convolution has the stride. The parameters are the same, so weights of one load into the other without a
# complaint, and give other outputs. v1.5 is the default here.


# %% nbgrader={"grade": false, "grade_id": "bottleneck", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        ### BEGIN SOLUTION
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, stride if v1 else 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, 1 if v1 else stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-bottleneck-names", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# What a bottleneck stores, name by name


@in_submission
def shapes_of(make, arguments):
    """Names and shapes of the state of make(*arguments)."""
    state = make(*arguments).state_dict()
    return {name: tuple(value.shape) for name, value in state.items()}


shapes = shapes_of(Bottleneck, [8, 2])
assert set(shapes) == set(block_shapes(4, 8, 2, False)), f"Bottleneck(8, 2) stores {sorted(shapes)}"
### BEGIN HIDDEN TESTS
for _arguments, _project in (([8, 2], False), ([4, 4], True), ([8, 2, 2], True), ([6, 3, 2], True)):
    _want = block_shapes(4, *_arguments[:2], _project)
    _what = f"Bottleneck{tuple(_arguments)}"
    assert shapes_of(Bottleneck, _arguments) == _want, f"{_what} stores other names or shapes"
_shapes = shapes_of(Bottleneck, [8, 4, 2, "A"])
assert _shapes == block_shapes(4, 8, 4, False), "Bottleneck(8, 4, 2, 'A') stores other names"
_shapes = shapes_of(Bottleneck, [8, 2, 1, "C"])
assert _shapes == block_shapes(4, 8, 2, True), "Bottleneck(8, 2, 1, 'C') stores other names"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-bottleneck-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The output of a bottleneck with known weights, where the shape stays


@in_submission
def evaluated(make, arguments, options, state, x):
    """Output, in evaluation mode, of make(*arguments, **options) with the weights of state."""
    block = make(*arguments, **options).double()
    block.load_state_dict(state)
    return block.eval()(x).detach()


state = random_state(block_shapes(4, 8, 2, False), 1)
state["bn3.weight"], state["bn3.bias"] = torch.zeros(8).double(), torch.zeros(8).double()
x = torch.randn(2, 8, 5, 3, generator=torch.Generator().manual_seed(920)).double()
want = x.relu()
check_close(evaluated(Bottleneck, [8, 2], {}, state, x), want, "a bottleneck whose F(x) is 0")
### BEGIN HIDDEN TESTS


def reference_block(state, x, train=False, stride=1, strided=1):
    """A block of He et al. with two or three convolutions; number `strided` has the stride."""

    def conv_bn(conv, bn, x, stride):
        w = state[f"{conv}.weight"]
        x = torch.nn.functional.conv2d(x, w, None, stride, w.shape[-1] // 2)
        running = (state[f"{bn}.{part}"] for part in ("running_mean", "running_var"))
        gamma, beta = state[f"{bn}.weight"], state[f"{bn}.bias"]
        return torch.nn.functional.batch_norm(x, *running, gamma, beta, train, 0.1, 1e-5)

    y, convs = x, (3 if "conv3.weight" in state else 2)
    for k in range(1, convs + 1):
        y = conv_bn(f"conv{k}", f"bn{k}", y, stride if k == strided else 1)
        y = y.relu() if k < convs else y
    if "downsample.0.weight" in state:
        x = conv_bn("downsample.0", "downsample.1", x, stride)
    return (x + y).relu()


_state = random_state(block_shapes(4, 8, 2, False), 921)
for _v1 in (False, True):
    _want = reference_block(_state, x)
    _got = evaluated(Bottleneck, [8, 2], {"v1": _v1}, _state, x)
    check_close(_got, _want, f"Bottleneck(8, 2, v1={_v1}) in evaluation mode")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-bottleneck-v15", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Version 1.5: the 3×3 convolution has the stride


@in_submission
def evaluated(make, arguments, options, state, x):
    """Output, in evaluation mode, of make(*arguments, **options) with the weights of state."""
    block = make(*arguments, **options).double()
    block.load_state_dict(state)
    return block.eval()(x).detach()


x = torch.randn(2, 6, 7, 5, generator=torch.Generator().manual_seed(922)).double()
state = random_state(block_shapes(4, 6, 3, True), 2)
check_shape(evaluated(Bottleneck, [6, 3, 2], {}, state, x), (2, 12, 4, 3), "Bottleneck(6, 3, 2)")
### BEGIN HIDDEN TESTS


def reference_block(state, x, train=False, stride=1, strided=1):
    """A block of He et al. with two or three convolutions; number `strided` has the stride."""

    def conv_bn(conv, bn, x, stride):
        w = state[f"{conv}.weight"]
        x = torch.nn.functional.conv2d(x, w, None, stride, w.shape[-1] // 2)
        running = (state[f"{bn}.{part}"] for part in ("running_mean", "running_var"))
        gamma, beta = state[f"{bn}.weight"], state[f"{bn}.bias"]
        return torch.nn.functional.batch_norm(x, *running, gamma, beta, train, 0.1, 1e-5)

    y, convs = x, (3 if "conv3.weight" in state else 2)
    for k in range(1, convs + 1):
        y = conv_bn(f"conv{k}", f"bn{k}", y, stride if k == strided else 1)
        y = y.relu() if k < convs else y
    if "downsample.0.weight" in state:
        x = conv_bn("downsample.0", "downsample.1", x, stride)
    return (x + y).relu()


for _c_in, _width, _stride in ((6, 3, 2), (6, 3, 1), (6, 2, 2)):
    _state = random_state(block_shapes(4, _c_in, _width, True), 923)
    _want = reference_block(_state, x, stride=_stride, strided=2)
    _got = evaluated(Bottleneck, [_c_in, _width, _stride], {}, _state, x)
    check_close(_got, _want, f"Bottleneck({_c_in}, {_width}, {_stride}) in evaluation mode")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-bottleneck-v1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Version 1: the first 1×1 convolution has the stride


@in_submission
def evaluated(make, arguments, options, state, x):
    """Output, in evaluation mode, of make(*arguments, **options) with the weights of state."""
    block = make(*arguments, **options).double()
    block.load_state_dict(state)
    return block.eval()(x).detach()


x = torch.randn(2, 6, 7, 5, generator=torch.Generator().manual_seed(924)).double()
state = random_state(block_shapes(4, 6, 3, True), 3)
kept = x.clone()
out = evaluated(Bottleneck, [6, 3, 2], {"v1": True}, state, x)
check_shape(out, (2, 12, 4, 3), "Bottleneck(6, 3, 2, v1=True)")
### BEGIN HIDDEN TESTS


def reference_block(state, x, train=False, stride=1, strided=1):
    """A block of He et al. with two or three convolutions; number `strided` has the stride."""

    def conv_bn(conv, bn, x, stride):
        w = state[f"{conv}.weight"]
        x = torch.nn.functional.conv2d(x, w, None, stride, w.shape[-1] // 2)
        running = (state[f"{bn}.{part}"] for part in ("running_mean", "running_var"))
        gamma, beta = state[f"{bn}.weight"], state[f"{bn}.bias"]
        return torch.nn.functional.batch_norm(x, *running, gamma, beta, train, 0.1, 1e-5)

    y, convs = x, (3 if "conv3.weight" in state else 2)
    for k in range(1, convs + 1):
        y = conv_bn(f"conv{k}", f"bn{k}", y, stride if k == strided else 1)
        y = y.relu() if k < convs else y
    if "downsample.0.weight" in state:
        x = conv_bn("downsample.0", "downsample.1", x, stride)
    return (x + y).relu()


_want = reference_block(state, kept, stride=2, strided=1)
check_close(out, _want, "Bottleneck(6, 3, 2, v1=True) in evaluation mode")
_got = evaluated(Bottleneck, [6, 3, 2], {"v1": False}, state, kept)
assert not torch.allclose(_got, _want), "v1=False should read other pixels than v1=True"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-bottleneck-training", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Training mode: the output, the gradient for the input, the running statistics


@in_submission
def in_training(make, arguments, options, state, x, dy):
    """Output in training mode, gradient for the input, and the running statistics afterwards."""
    block = make(*arguments, **options).double()
    block.load_state_dict(state)
    x = x.clone().requires_grad_()
    y = block.train()(x)
    y.backward(dy)
    running = {name: b for name, b in block.state_dict().items() if "running" in name}
    return y.detach(), x.grad, running


x = torch.randn(3, 8, 5, 4, generator=torch.Generator().manual_seed(925)).double()
state = random_state(block_shapes(4, 8, 2, False), 4)
y, dx, running = in_training(Bottleneck, [8, 2], {}, state, x, torch.ones_like(x))
check_shape(dx, (3, 8, 5, 4), "the gradient for the input")
### BEGIN HIDDEN TESTS


def reference_block(state, x, train=False, stride=1, strided=1):
    """A block of He et al. with two or three convolutions; number `strided` has the stride."""

    def conv_bn(conv, bn, x, stride):
        w = state[f"{conv}.weight"]
        x = torch.nn.functional.conv2d(x, w, None, stride, w.shape[-1] // 2)
        running = (state[f"{bn}.{part}"] for part in ("running_mean", "running_var"))
        gamma, beta = state[f"{bn}.weight"], state[f"{bn}.bias"]
        return torch.nn.functional.batch_norm(x, *running, gamma, beta, train, 0.1, 1e-5)

    y, convs = x, (3 if "conv3.weight" in state else 2)
    for k in range(1, convs + 1):
        y = conv_bn(f"conv{k}", f"bn{k}", y, stride if k == strided else 1)
        y = y.relu() if k < convs else y
    if "downsample.0.weight" in state:
        x = conv_bn("downsample.0", "downsample.1", x, stride)
    return (x + y).relu()


for _width, _stride in ((2, 1), (3, 2)):
    _state = random_state(block_shapes(4, 8, _width, _stride == 2), 926)
    _kept = {name: value.clone() for name, value in _state.items()}
    _x = x.clone().requires_grad_()
    _want = reference_block(_state, _x, True, _stride, 2)
    _dy = torch.randn(_want.shape, generator=torch.Generator().manual_seed(927)).double()
    _want.backward(_dy)
    y, dx, running = in_training(Bottleneck, [8, _width, _stride], {}, _kept, x, _dy)
    check_close(y, _want, f"Bottleneck(8, {_width}, {_stride}) in training mode")
    check_close(dx, _x.grad, "the gradient for the input")
    for _name, _value in running.items():
        check_close(_value, _state[_name], f"{_name} after one batch")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: version 1.5 right, version 1 wrong, or the other way round</summary>
#
# Exactly one of the three convolutions has the stride, and which one depends on `v1`. The shortcut has it in both.
# </details>
#
# ## Part 2 · The family
#
# Stem, four stages of blocks, head. The whole family differs in two things: the kind of block and how many of
# them stand in each stage.
#
# | | output for 224 × 224 | 18 | 34 | 50 | 101 | 152 |
# |---|---|---|---|---|---|---|
# | stem | 64 × 56 × 56 | | | | | |
# | stage 1, width 64 | 56 × 56 | 2 | 3 | 3 | 3 | 3 |
# | stage 2, width 128 | 28 × 28 | 2 | 4 | 4 | 4 | 8 |
# | stage 3, width 256 | 14 × 14 | 2 | 6 | 6 | 23 | 36 |
# | stage 4, width 512 | 7 × 7 | 2 | 3 | 3 | 3 | 3 |
# | head | 1000 | | | | | |
# | block | | basic | basic | bottleneck | bottleneck | bottleneck |
# | parameters | | 11,689,512 | 21,797,672 | 25,557,032 | 44,549,160 | 60,192,808 |
#
# - **Stem**: 7×7 convolution with stride 2 and padding 3 to 64 channels, BatchNorm, ReLU, then 3×3 max-pooling with
#   stride 2 and padding 1. It is GoogLeNet's stem: down by 4 in each direction before the first block.
# - **Stages**: the width doubles from stage to stage. A stage's output has `expansion * width` channels: 64 to 512
#   with basic blocks, 256 to 2048 with bottlenecks. When rows and columns halve and channels double,
#   the volume of the activations halves and the MACs of a block stay the same.
# - **Head**: global average pooling (the mean over rows and columns), then *one* linear layer. What ResNet
#   lacks is VGG's stack of *large hidden* fully connected layers; "no FC layers" on a slide means those.
#
# #### Question · The first block of a stage
#
# A slide says: *"the first block of each stage halves the resolution and doubles the number of channels"*. The table
# above knows better. In which stages does the first block have stride 2?
#
# - `"a"`: 1, 2, 3 and 4
# - `"b"`: 2, 3 and 4
# - `"c"`: 1, 2 and 3
# - `"d"`: in 2, 3 and 4 with basic blocks, in all four with bottlenecks
#
# And how many *projections* are in ResNet-34 and in ResNet-50, with shortcut option B? Watch stage 1 of ResNet-50: the
# stem hands it 64 channels.

# %% nbgrader={"grade": false, "grade_id": "q-first-blocks", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_first_blocks: one of "a", "b", "c", "d"; q_projections_34, q_projections_50: numbers
### BEGIN SOLUTION
q_first_blocks = "b"
q_projections_34 = 3
q_projections_50 = 4
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-first-blocks", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The stages that halve the resolution
assert q_first_blocks in ("a", "b", "c", "d"), "q_first_blocks should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_choice(q_first_blocks, "b", ["a", "b", "c", "d"], "q_first_blocks")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-projections", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The projections of ResNet-34 and ResNet-50
check_number(q_projections_34, q_projections_34, "q_projections_34")
check_number(q_projections_50, q_projections_50, "q_projections_50")
### BEGIN HIDDEN TESTS
check_number(q_projections_34, 3, "q_projections_34")
check_number(q_projections_50, 4, "q_projections_50")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 6 · Where the name comes from
#
# The number in a ResNet's name counts the layers with weights on the main path: the stem's convolution, the
# convolutions of all blocks, the final linear layer. Projections, BatchNorm and pooling are not counted. Write
# `weight_layers(kind, counts)` for `kind` `"basic"` or `"bottleneck"` and any number of stages.
#
# **Example.** `weight_layers("basic", (2, 2, 2, 2))` is $1 + 8\cdot 2 + 1 = 18$.


# %% nbgrader={"grade": false, "grade_id": "weight-layers", "locked": false, "schema_version": 3, "solution": true, "task": false}
def weight_layers(kind, counts):
    """Layers with weights of a ResNet with `counts` blocks in its stages, as its name counts them."""
    ### BEGIN SOLUTION
    return 1 + {"basic": 2, "bottleneck": 3}[kind] * sum(counts) + 1
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-weight-layers", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The number in the name
check_number(weight_layers("basic", (2, 2, 2, 2)), 18, "weight_layers of ResNet-18")
### BEGIN HIDDEN TESTS
for _kind, _counts, _want in (
    ("basic", (3, 4, 6, 3), 34),
    ("bottleneck", (3, 4, 6, 3), 50),
    ("bottleneck", (3, 4, 23, 3), 101),
    ("bottleneck", (3, 8, 36, 3), 152),
    ("basic", (9, 9, 9), 56),
    ("bottleneck", (2, 2, 2, 2), 26),
):
    check_number(weight_layers(_kind, _counts), _want, f"weight_layers({_kind!r}, {_counts})")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 7 · A stage
#
# `make_stage(block, c_in, width, count, stride, shortcut, v1)` returns an `nn.Sequential` of `count` blocks. The
# **first** one takes the `c_in` channels that come in, and the stride. It hands on `block.expansion * width`
# channels, which all the others take, at stride 1. `block` is a class, `BasicBlock` or `Bottleneck`, and is called with its
# arguments in the order of its signature: `block(c_in, width, stride, shortcut, v1)`.


# %% nbgrader={"grade": false, "grade_id": "stage", "locked": false, "schema_version": 3, "solution": true, "task": false}
def make_stage(block, c_in, width, count, stride, shortcut="B", v1=False):
    """An nn.Sequential of `count` blocks; the first has the stride and takes c_in channels."""
    ### BEGIN SOLUTION
    blocks = [block(c_in, width, stride, shortcut, v1)]
    for _ in range(count - 1):
        blocks.append(block(block.expansion * width, width, 1, shortcut, v1))
    return nn.Sequential(*blocks)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-stage-blocks", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# How many blocks, and the channels that each takes


@in_submission
def blocks_made(make_stage, expansion, arguments):
    """With what each block of a stage was made: (c_in, width, stride, shortcut, v1)."""
    from torch import nn

    made = []

    class Recorder(nn.Module):
        def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
            super().__init__()
            made.append((c_in, width, stride, shortcut, v1))

    Recorder.expansion = expansion
    stage = make_stage(Recorder, *arguments)
    names = [name for name, child in stage.named_children() if isinstance(child, Recorder)]
    return type(stage) is nn.Sequential, names, made


made = blocks_made(make_stage, 1, [64, 64, 3, 1])[2]
assert [c for c, *_ in made] == [64, 64, 64], "three basic blocks of 64 channels take 64 each"
### BEGIN HIDDEN TESTS
for _expansion, _arguments in ((4, [64, 64, 3, 1]), (4, [256, 128, 4, 2]), (1, [5, 7, 2, 2])):
    _is_sequential, _names, _made = blocks_made(make_stage, _expansion, _arguments)
    _c_in, _width, _count, _ = _arguments
    _want = [_c_in] + [_expansion * _width] * (_count - 1)
    _what = f"a stage of {_count} blocks with expansion {_expansion}"
    assert _is_sequential, "make_stage should return an nn.Sequential"
    assert _names == [str(k) for k in range(_count)], f"{_what} should hold {_count} blocks"
    assert [c for c, *_ in _made] == _want, f"{_what}: a block takes other channels than come to it"
    assert {w for _, w, *_ in _made} == {_width}, f"{_what}: all blocks should have the width given"
check_number(len(blocks_made(make_stage, 4, [8, 8, 1, 1])[2]), 1, "blocks of a stage with count 1")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-stage-stride", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The stride belongs to the first block alone; shortcut and version to all


@in_submission
def blocks_made(make_stage, expansion, arguments):
    """With what each block of a stage was made: (c_in, width, stride, shortcut, v1)."""
    from torch import nn

    made = []

    class Recorder(nn.Module):
        def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
            super().__init__()
            made.append((c_in, width, stride, shortcut, v1))

    Recorder.expansion = expansion
    make_stage(Recorder, *arguments)
    return made


made = blocks_made(make_stage, 1, [64, 128, 3, 2])
assert [block[2] for block in made] == [2, 1, 1], "only the first block has the stride"
assert {block[3:] for block in made} == {("B", False)}, "shortcut is 'B' and v1 is False by default"
### BEGIN HIDDEN TESTS
for _shortcut, _v1, _stride in (("A", False, 2), ("C", True, 1), ("B", True, 2)):
    _made = blocks_made(make_stage, 4, [16, 8, 3, _stride, _shortcut, _v1])
    assert [block[2] for block in _made] == [_stride, 1, 1], "only the first block has the stride"
    assert {block[3] for block in _made} == {_shortcut}, (
        "every block should get the shortcut option"
    )
    assert {block[4] for block in _made} == {_v1}, "every block should get v1"
### END HIDDEN TESTS

# %% [markdown]
# #### Question · The stem's weights
#
# A slide's table gives "9 K parameters" to the stem's convolution, 9,472 before rounding, taken over from GoogLeNet. How
# many has the 7×7 convolution from 3 to 64 channels in a *ResNet*?

# %% nbgrader={"grade": false, "grade_id": "q-stem", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_stem: a number
### BEGIN SOLUTION
q_stem = 9408
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-stem", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The parameters of the stem's convolution
check_number(q_stem, q_stem, "q_stem")
### BEGIN HIDDEN TESTS
check_number(q_stem, 9408, "q_stem")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 8 · ResNet
#
# Now the whole net, for both families:
#
# - `conv1`, `bn1`: the stem's convolution, from `in_channels` to `width` channels, and its BatchNorm; ReLU. With `small`
#   a 3×3 convolution with stride 1 and padding 1, for pictures of a few pixels;
# - `maxpool`: 3×3, stride 2, padding 1; with `small` an `nn.Identity()`;
# - `layer1`, `layer2`, …: the stages, one for each number in `counts`. The first has `width` and stride 1, each further one
#   twice the width of the one before and stride 2;
# - the mean over rows and columns;
# - `fc`: `nn.Linear` to `num_classes` logits.
#
# An attribute whose name is worked out is set by `setattr(self, f"layer{number}", stage)`, and read by `getattr`.
#
# `resnet(depth, **options)` makes the ImageNet net of that depth out of `ResNet`, the table above and whatever
# options it is given, and raises `ValueError` for a depth that is not in the table.
#
# **Example.** `ResNet(BasicBlock, (1, 1), width=4, num_classes=3)` on `(2, 3, 32, 48)`: stem `(2, 4, 8, 12)`, stage 1 the same, stage 2
# `(2, 8, 4, 6)`, mean `(2, 8)`, logits `(2, 3)`.


# %% nbgrader={"grade": false, "grade_id": "resnet", "locked": false, "schema_version": 3, "solution": true, "task": false}
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        ### BEGIN SOLUTION
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)
        ### END SOLUTION


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    ### BEGIN SOLUTION
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-resnet-basic-counts", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# ResNet-18 and ResNet-34: the published number of parameters


@in_submission
def shapes_of(resnet, depth):
    """Names and shapes of the parameters of a ResNet that takes no memory."""
    import torch

    with torch.device("meta"):
        net = resnet(depth)
    return {name: tuple(parameter.shape) for name, parameter in net.named_parameters()}


shapes = shapes_of(resnet, 18)
check_number(sum(int(np.prod(s)) for s in shapes.values()), 11689512, "parameters of ResNet-18")
### BEGIN HIDDEN TESTS
assert shapes.get("layer3.0.downsample.0.weight") == (256, 128, 1, 1), (
    "layer3.0.downsample.0.weight"
)
assert shapes.get("fc.weight") == (1000, 512), "fc.weight of ResNet-18 should be (1000, 512)"
_shapes = shapes_of(resnet, 34)
check_number(sum(int(np.prod(s)) for s in _shapes.values()), 21797672, "parameters of ResNet-34")
assert len({name.rpartition(".conv")[0] for name in _shapes if ".conv" in name}) == 16, "16 blocks"
assert sum(name.endswith("downsample.0.weight") for name in _shapes) == 3, (
    "projections of ResNet-34"
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-resnet-bottleneck-counts", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# ResNet-50, ResNet-101 and ResNet-152: the published number of parameters


@in_submission
def shapes_of(resnet, depth):
    """Names and shapes of the parameters of a ResNet that takes no memory."""
    import torch

    with torch.device("meta"):
        net = resnet(depth)
    return {name: tuple(parameter.shape) for name, parameter in net.named_parameters()}


shapes = shapes_of(resnet, 50)
check_number(sum(int(np.prod(s)) for s in shapes.values()), 25557032, "parameters of ResNet-50")
### BEGIN HIDDEN TESTS
for _depth, _blocks, _want in ((101, (3, 4, 23, 3), 44549160), (152, (3, 8, 36, 3), 60192808)):
    _shapes = shapes_of(resnet, _depth)
    _total = sum(int(np.prod(shape)) for shape in _shapes.values())
    check_number(_total, _want, f"parameters of ResNet-{_depth}")
    for _stage, _count in enumerate(_blocks, start=1):
        _found = sum(name.startswith(f"layer{_stage}.") for name in _shapes if "conv3" in name)
        assert _found == _count, f"blocks in stage {_stage} of ResNet-{_depth}"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-resnet-logits", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Weights moved over from a reference net give the reference's logits


@in_submission
def evaluated(make, arguments, options, state, x):
    """Output, in evaluation mode, of make(*arguments, **options) with the weights of state."""
    block = make(*arguments, **options).double()
    block.load_state_dict(state)
    return block.eval()(x).detach()


net = ResNet(BasicBlock, (1, 1), width=4, num_classes=3)
check_shape(net(torch.zeros(2, 3, 32, 48)), (2, 3), "the logits of the example")
### BEGIN HIDDEN TESTS


def reference(expansion, counts, width=64, classes=1000, channels=3, **options):
    """The net of He et al.: its shapes by name, and its logits as a function of (state, x, train)."""
    small, v1, kind = (options.get(key) for key in ("small", "v1", "shortcut"))
    side, convs = (3 if small else 7), (3 if expansion == 4 else 2)
    shapes = {"conv1.weight": (width, channels, side, side), **bn_shapes("bn1", width)}
    blocks, c_in = [], width
    for i, count in enumerate(counts):
        w = width * 2**i
        c_out = w * expansion
        for j in range(count):
            name, stride = f"layer{i + 1}.{j}", 2 if i and not j else 1
            project = kind == "C" or (kind != "A" and (stride > 1 or c_in != c_out))
            one_block = block_shapes(expansion, c_in, w, project)
            shapes |= {f"{name}.{key}": shape for key, shape in one_block.items()}
            blocks.append((name, stride, c_out))
            c_in = c_out
    shapes |= {"fc.weight": (classes, c_in), "fc.bias": (classes,)}

    def conv_bn(state, conv, bn, x, stride, train):
        w = state[f"{conv}.weight"]
        x = torch.nn.functional.conv2d(x, w, None, stride, w.shape[-1] // 2)
        running = (state[f"{bn}.{part}"] for part in ("running_mean", "running_var"))
        gamma, beta = state[f"{bn}.weight"], state[f"{bn}.bias"]
        return torch.nn.functional.batch_norm(x, *running, gamma, beta, train, 0.1, 1e-5)

    def logits(state, x, train):
        x = conv_bn(state, "conv1", "bn1", x, 1 if small else 2, train).relu()
        x = x if small else torch.nn.functional.max_pool2d(x, 3, 2, 1)
        for name, stride, c_out in blocks:
            y, strided = x, (1 if v1 or convs == 2 else 2)
            for k in range(1, convs + 1):
                step = stride if k == strided else 1
                y = conv_bn(state, f"{name}.conv{k}", f"{name}.bn{k}", y, step, train)
                y = y.relu() if k < convs else y
            side = f"{name}.downsample"
            if f"{side}.0.weight" in state:
                x = conv_bn(state, f"{side}.0", f"{side}.1", x, stride, train)
            elif x.shape != y.shape:
                x = x[:, :, ::stride, ::stride]
                x = torch.cat([x, x.new_zeros(len(x), c_out - x.shape[1], *x.shape[2:])], 1)
            x = (x + y).relu()
        return torch.nn.functional.linear(x.mean((2, 3)), state["fc.weight"], state["fc.bias"])

    return shapes, logits


# The reference is the published family: its parameters, counted.
for _expansion, _counts, _total in ((1, (2, 2, 2, 2), 11689512), (4, (3, 4, 6, 3), 25557032)):
    _sizes = reference(_expansion, _counts)[0].items()
    _sizes = [shape for name, shape in _sizes if "running" not in name and "tracked" not in name]
    assert sum(int(np.prod(shape)) for shape in _sizes) == _total
for _block, _expansion, _counts, _size in (
    (BasicBlock, 1, (2, 1, 1, 2), (45, 38)),
    (Bottleneck, 4, (1, 2, 1, 1), (33, 64)),
):
    _x = torch.randn(2, 3, *_size, generator=torch.Generator().manual_seed(930)).double()
    _shapes, _logits = reference(_expansion, _counts, width=4, classes=7)
    _state = random_state(_shapes, 931)
    _want = _logits(_state, _x, False)
    _got = evaluated(ResNet, [_block, _counts], {"width": 4, "num_classes": 7}, _state, _x)
    check_close(_got, _want, f"logits of a small ResNet with blocks {_counts}, evaluation mode")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-resnet-training", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The reference again, in training mode: logits, input gradient, running statistics


@in_submission
def in_training(make, arguments, options, state, x, dy):
    """Output in training mode, gradient for the input, and the running statistics afterwards."""
    block = make(*arguments, **options).double()
    block.load_state_dict(state)
    x = x.clone().requires_grad_()
    y = block.train()(x)
    y.backward(dy)
    running = {name: b for name, b in block.state_dict().items() if "running" in name}
    return y.detach(), x.grad, running


def small_net(*arguments, **options):
    """A ResNet of the submission, small enough to test quickly."""
    return ResNet(BasicBlock, (1, 1), *arguments, width=4, num_classes=3, **options)


x = torch.zeros(2, 3, 32, 48).requires_grad_()
check_shape(small_net()(x), (2, 3), "the logits of the example")
### BEGIN HIDDEN TESTS


def reference(expansion, counts, width=64, classes=1000, channels=3, **options):
    """The net of He et al.: its shapes by name, and its logits as a function of (state, x, train)."""
    small, v1, kind = (options.get(key) for key in ("small", "v1", "shortcut"))
    side, convs = (3 if small else 7), (3 if expansion == 4 else 2)
    shapes = {"conv1.weight": (width, channels, side, side), **bn_shapes("bn1", width)}
    blocks, c_in = [], width
    for i, count in enumerate(counts):
        w = width * 2**i
        c_out = w * expansion
        for j in range(count):
            name, stride = f"layer{i + 1}.{j}", 2 if i and not j else 1
            project = kind == "C" or (kind != "A" and (stride > 1 or c_in != c_out))
            one_block = block_shapes(expansion, c_in, w, project)
            shapes |= {f"{name}.{key}": shape for key, shape in one_block.items()}
            blocks.append((name, stride, c_out))
            c_in = c_out
    shapes |= {"fc.weight": (classes, c_in), "fc.bias": (classes,)}

    def conv_bn(state, conv, bn, x, stride, train):
        w = state[f"{conv}.weight"]
        x = torch.nn.functional.conv2d(x, w, None, stride, w.shape[-1] // 2)
        running = (state[f"{bn}.{part}"] for part in ("running_mean", "running_var"))
        gamma, beta = state[f"{bn}.weight"], state[f"{bn}.bias"]
        return torch.nn.functional.batch_norm(x, *running, gamma, beta, train, 0.1, 1e-5)

    def logits(state, x, train):
        x = conv_bn(state, "conv1", "bn1", x, 1 if small else 2, train).relu()
        x = x if small else torch.nn.functional.max_pool2d(x, 3, 2, 1)
        for name, stride, c_out in blocks:
            y, strided = x, (1 if v1 or convs == 2 else 2)
            for k in range(1, convs + 1):
                step = stride if k == strided else 1
                y = conv_bn(state, f"{name}.conv{k}", f"{name}.bn{k}", y, step, train)
                y = y.relu() if k < convs else y
            side = f"{name}.downsample"
            if f"{side}.0.weight" in state:
                x = conv_bn(state, f"{side}.0", f"{side}.1", x, stride, train)
            elif x.shape != y.shape:
                x = x[:, :, ::stride, ::stride]
                x = torch.cat([x, x.new_zeros(len(x), c_out - x.shape[1], *x.shape[2:])], 1)
            x = (x + y).relu()
        return torch.nn.functional.linear(x.mean((2, 3)), state["fc.weight"], state["fc.bias"])

    return shapes, logits


for _block, _expansion, _counts in ((BasicBlock, 1, (2, 1)), (Bottleneck, 4, (1, 2))):
    _x = torch.randn(2, 3, 33, 40, generator=torch.Generator().manual_seed(932)).double()
    _dy = torch.randn(2, 5, generator=torch.Generator().manual_seed(933)).double()
    _shapes, _logits = reference(_expansion, _counts, width=3, classes=5)
    _state = random_state(_shapes, 934)
    _kept = {name: value.clone() for name, value in _state.items()}
    _leaf = _x.clone().requires_grad_()
    _want = _logits(_state, _leaf, True)
    _want.backward(_dy)
    _options = {"width": 3, "num_classes": 5}
    _y, _dx, _running = in_training(ResNet, [_block, _counts], _options, _kept, _x, _dy)
    check_close(_y, _want, "the logits in training mode", rtol=1e-4, atol=1e-6)
    check_close(_dx, _leaf.grad, "the gradient for the input", rtol=1e-4, atol=1e-6)
    _names = {name for name in _state if "running" in name}
    assert set(_running) == _names, "running statistics of every BatchNorm should be stored"
    for _name in sorted(_names):
        check_close(_running[_name], _state[_name], f"{_name} after one batch", atol=1e-6)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-resnet-options", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The options: width, channels, classes, shortcut, version, the small stem


@in_submission
def evaluated(make, arguments, options, state, x):
    """Output, in evaluation mode, of make(*arguments, **options) with the weights of state."""
    block = make(*arguments, **options).double()
    block.load_state_dict(state)
    return block.eval()(x).detach()


net = ResNet(BasicBlock, (1, 1, 1), width=2, num_classes=10, in_channels=1, small=True)
check_shape(net(torch.zeros(2, 1, 8, 8)), (2, 10), "the logits of a small ResNet for gray pictures")
### BEGIN HIDDEN TESTS


def reference(expansion, counts, width=64, classes=1000, channels=3, **options):
    """The net of He et al.: its shapes by name, and its logits as a function of (state, x, train)."""
    small, v1, kind = (options.get(key) for key in ("small", "v1", "shortcut"))
    side, convs = (3 if small else 7), (3 if expansion == 4 else 2)
    shapes = {"conv1.weight": (width, channels, side, side), **bn_shapes("bn1", width)}
    blocks, c_in = [], width
    for i, count in enumerate(counts):
        w = width * 2**i
        c_out = w * expansion
        for j in range(count):
            name, stride = f"layer{i + 1}.{j}", 2 if i and not j else 1
            project = kind == "C" or (kind != "A" and (stride > 1 or c_in != c_out))
            one_block = block_shapes(expansion, c_in, w, project)
            shapes |= {f"{name}.{key}": shape for key, shape in one_block.items()}
            blocks.append((name, stride, c_out))
            c_in = c_out
    shapes |= {"fc.weight": (classes, c_in), "fc.bias": (classes,)}

    def conv_bn(state, conv, bn, x, stride, train):
        w = state[f"{conv}.weight"]
        x = torch.nn.functional.conv2d(x, w, None, stride, w.shape[-1] // 2)
        running = (state[f"{bn}.{part}"] for part in ("running_mean", "running_var"))
        gamma, beta = state[f"{bn}.weight"], state[f"{bn}.bias"]
        return torch.nn.functional.batch_norm(x, *running, gamma, beta, train, 0.1, 1e-5)

    def logits(state, x, train):
        x = conv_bn(state, "conv1", "bn1", x, 1 if small else 2, train).relu()
        x = x if small else torch.nn.functional.max_pool2d(x, 3, 2, 1)
        for name, stride, c_out in blocks:
            y, strided = x, (1 if v1 or convs == 2 else 2)
            for k in range(1, convs + 1):
                step = stride if k == strided else 1
                y = conv_bn(state, f"{name}.conv{k}", f"{name}.bn{k}", y, step, train)
                y = y.relu() if k < convs else y
            side = f"{name}.downsample"
            if f"{side}.0.weight" in state:
                x = conv_bn(state, f"{side}.0", f"{side}.1", x, stride, train)
            elif x.shape != y.shape:
                x = x[:, :, ::stride, ::stride]
                x = torch.cat([x, x.new_zeros(len(x), c_out - x.shape[1], *x.shape[2:])], 1)
            x = (x + y).relu()
        return torch.nn.functional.linear(x.mean((2, 3)), state["fc.weight"], state["fc.bias"])

    return shapes, logits


for _block, _expansion, _counts, _channels, _options in (
    (BasicBlock, 1, (1, 2, 1), 1, {"small": True, "shortcut": "A"}),
    (BasicBlock, 1, (2, 1), 2, {"small": False, "shortcut": "C"}),
    (Bottleneck, 4, (1, 1), 3, {"small": True, "v1": True}),
    (Bottleneck, 4, (2, 1), 1, {"small": False, "shortcut": "C", "v1": True}),
):
    _shapes, _logits = reference(_expansion, _counts, 4, 6, _channels, **_options)
    _state = random_state(_shapes, 935)
    _x = torch.randn(2, _channels, 19, 22, generator=torch.Generator().manual_seed(936)).double()
    _want = _logits(_state, _x, False)
    _options = {"width": 4, "num_classes": 6, "in_channels": _channels, **_options}
    _got = evaluated(ResNet, [_block, _counts], _options, _state, _x)
    check_close(_got, _want, f"logits of ResNet with blocks {_counts} and {_options}")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-resnet-depths", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# A depth that does not exist; options reach the net
check_raises(ValueError, resnet, 51)
check_shape(resnet(18, width=2, num_classes=4)(torch.zeros(2, 3, 40, 40)), (2, 4), "resnet(18, …)")
### BEGIN HIDDEN TESTS
for _depth in (0, 20, 35, 56):
    check_raises(ValueError, resnet, _depth)
_out = resnet(50, width=1, num_classes=4, in_channels=2, small=True)(torch.zeros(2, 2, 16, 16))
check_shape(_out, (2, 4), "resnet(50, …) for two channels")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the number of parameters is off by a little</summary>
#
# Off by 64: the stem has a bias. By 173,824 (ResNet-34): projections are missing. By a multiple of twice a
# width: a BatchNorm is missing or there are too many. Print name and size of every parameter and compare stage by stage.
# </details>
#
# <details><summary>Help: shapes clash in stage 2 of ResNet-50</summary>
#
# Stage 1 hands on `expansion * 64 = 256` channels, not 64. Keep a variable for what arrives.
# </details>
#
# <details><summary>Help: the keys are right, the logits are not</summary>
#
# In this order: is there a ReLU between `bn1` and `maxpool`? Is the pooling padded by 1? Does stage 1 have stride 1? Is the
# mean over rows and columns only?
# </details>
#
# ### Exercise 9 · Count
#
# `count_parameters(net)` is the number of *trainable* numbers: weights and biases of convolutions, linear layers
# and BatchNorm. Buffers (running statistics) are stored but not trained, and do not count. A module that is used twice
# counts once.
#
# To count you need no memory: `with torch.device("meta"): net = resnet(152)` makes all tensors with shape and dtype
# and without numbers.
#
# **Example.** `nn.BatchNorm2d(8)` has 16 parameters, though its state dict holds 33 numbers.


# %% nbgrader={"grade": false, "grade_id": "count-parameters", "locked": false, "schema_version": 3, "solution": true, "task": false}
def count_parameters(net):
    """The number of trainable numbers in net, an nn.Module (also on the meta device)."""
    ### BEGIN SOLUTION
    return sum(parameter.numel() for parameter in net.parameters())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-count-parameters", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Parameters without buffers, each once


@in_submission
def counts(count_parameters):
    """Parameters of a BatchNorm, a small net, a net that shares a layer, one without memory."""
    import torch
    from torch import nn

    shared = nn.Linear(5, 5)
    with torch.device("meta"):
        large = nn.Sequential(nn.Conv2d(1000, 2000, 7), nn.BatchNorm2d(2000))
    nets = (
        nn.BatchNorm2d(8),
        nn.Sequential(nn.Conv2d(3, 4, (3, 5)), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1)),
        nn.Sequential(shared, nn.ReLU(), shared),
        large,
    )
    return [count_parameters(net) for net in nets]


found = counts(count_parameters)
check_number(found[0], 16, "count_parameters of nn.BatchNorm2d(8)")
### BEGIN HIDDEN TESTS
check_number(found[1], 3 * 4 * 15 + 4 + 8 + 4 * 2 + 2, "count_parameters of a small net")
check_number(found[2], 30, "count_parameters of a net that uses one linear layer twice")
check_number(found[3], 98_000_000 + 2000 + 4000, "count_parameters of a net on the meta device")
### END HIDDEN TESTS

# %% [markdown]
# The family, and what the shortcuts cost. Compare with the table above and with your prediction of the projections.

# %% jupyter={"source_hidden": true} tags=["illustration"]
with torch.device("meta"):
    for depth in (18, 34, 50, 101, 152):
        net = resnet(depth)
        projections = sum(name.endswith("downsample.0") for name, _ in net.named_modules())
        print(
            f"ResNet-{depth:<4d} {count_parameters(net):>12,d} parameters, {projections} projections"
        )
    for option in "ABC":
        total = count_parameters(resnet(34, shortcut=option))
        print(f"ResNet-34 with shortcut {option}: {total:>12,d} parameters")


# %% [markdown]
# ### Exercise 10 · MACs
#
# `count_macs(net, shape)` counts the multiply-adds of all `nn.Conv2d` and `nn.Linear` layers for **one** input of
# shape `(C, H, W)`, by sending one through and watching. A *forward hook* watches: after
# `handle = layer.register_forward_hook(watch)`, PyTorch calls `watch(layer, inputs, output)` each time the layer runs, until
# `handle.remove()`. Every output number of a convolution costs as many MACs as one filter has weights; so does every output
# number of a linear layer. Biases, BatchNorm, ReLU and pooling are not counted. A layer that runs twice counts twice.
#
# Make the input on the device of the net's parameters (it may be `meta`), and leave the net as it was: no hook
# left behind, running statistics untouched, and every module in the mode (training or evaluation) that it was in.
#
# **Example.** `nn.Conv2d(3, 8, 3, padding=1)` on `(3, 5, 4)`: $8\cdot 5\cdot 4$ outputs of $3\cdot 3\cdot 3$ MACs, 4,320.


# %% nbgrader={"grade": false, "grade_id": "count-macs", "locked": false, "schema_version": 3, "solution": true, "task": false}
def count_macs(net, shape):
    """MACs of the convolutions and linear layers of net for one input of shape (C, H, W)."""
    ### BEGIN SOLUTION
    total = 0

    def watch(layer, inputs, output):
        nonlocal total
        total += output.numel() * layer.weight[0].numel()

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(watch) for layer in layers]
    modes = {module: module.training for module in net.modules()}
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, *shape, device=next(net.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    return total
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-count-macs", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Convolutions and linear layers: kernels, strides, groups, reuse


@in_submission
def macs(count_macs):
    """MACs of some small nets; the last one is on the meta device."""
    from torch import nn

    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(4, 4, 3, padding=1)

        def forward(self, x):
            return self.conv(self.conv(x))

    flat = nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.Flatten(), nn.Linear(36, 5))
    weightless = nn.Sequential(nn.Flatten(), nn.Linear(24, 7)).to("meta")
    nets = (
        (nn.Conv2d(3, 8, 3, padding=1), (3, 5, 4)),
        (nn.Conv2d(4, 6, (3, 5), stride=(2, 1), bias=False), (4, 9, 8)),
        (nn.Conv2d(6, 12, 3, groups=3), (6, 5, 5)),
        (flat, (2, 3, 4)),
        (Twice(), (4, 5, 6)),
        (weightless, (2, 3, 4)),
    )
    return [count_macs(net, shape) for net, shape in nets]


found = macs(count_macs)
check_number(found[0], 4320, "count_macs of the example")
### BEGIN HIDDEN TESTS
check_number(found[1], 6 * 4 * 4 * 4 * 15, "count_macs of a convolution with a 3×5 kernel")
check_number(found[2], 12 * 9 * 2 * 9, "count_macs of a grouped convolution")
check_number(found[3], 3 * 12 * 2 + 36 * 5, "count_macs of a net with a linear layer")
check_number(found[4], 2 * 4 * 30 * 36, "count_macs of a layer that runs twice")
check_number(found[5], 24 * 7, "count_macs of a net on the meta device")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-count-macs-leaves", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The net is left as it was


@in_submission
def before_and_after(count_macs):
    """Hooks, modes, running statistics and passes of a net around a count."""
    import torch
    from torch import nn

    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Sequential(nn.Dropout(0.5)))
    net.train()
    net[1].eval()
    modes = [module.training for module in net.modules()]
    statistics = net[1].running_mean.clone()
    count_macs(net, (1, 5, 5))
    count_macs(net, (1, 5, 5))
    again = count_macs(net, (1, 5, 5))
    hooks = sum(len(module._forward_hooks) for module in net.modules())
    moved = not torch.equal(statistics, net[1].running_mean)
    trained = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).train()
    before = trained[1].running_mean.clone(), trained[1].running_var.clone()
    count_macs(trained, (1, 5, 5))
    after = trained[1].running_mean, trained[1].running_var
    moved = moved or not all(torch.equal(a, b) for a, b in zip(before, after))
    return again, hooks, modes == [module.training for module in net.modules()], moved


again, hooks, same_modes, moved = before_and_after(count_macs)
check_number(hooks, 0, "the number of hooks left behind")
### BEGIN HIDDEN TESTS
check_number(again, 2 * 9 * 9, "the third count of the same net")
assert same_modes, "some module is in another mode (training, evaluation) than before"
assert not moved, "the running statistics of BatchNorm changed"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-count-macs-family", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The family's MACs in both versions, here at 32 × 32


@in_submission
def macs_of_family(resnet, count_macs, cases):
    """MACs of ResNets with weights that nobody wrote, for an input of 32 × 32."""
    import torch

    found = []
    for depth, v1 in cases:
        with torch.device("meta"):
            net = resnet(depth, v1=v1)
        found.append(count_macs(net.to_empty(device="cpu"), (3, 32, 32)))
    return found


# A 49th of the convolutions' MACs at 224 × 224, and the linear layer.
want = (1814073344 - 512000) // 49 + 512000
check_number(macs_of_family(resnet, count_macs, [(18, False)])[0], want, "MACs of ResNet-18")
### BEGIN HIDDEN TESTS
_cases = {
    (34, False, 512000): 3663761408,
    (50, False, 2048000): 4089184256,
    (50, True, 2048000): 3857973248,
    (101, True, 2048000): 7570194432,
    (152, False, 2048000): 11513626624,
}
_found = macs_of_family(resnet, count_macs, [case[:2] for case in _cases])
for ((_depth, _v1, _linear), _total), _count in zip(_cases.items(), _found):
    _want = (_total - _linear) // 49 + _linear
    check_number(_count, _want, f"MACs of ResNet-{_depth} at 32 × 32, v1={_v1}")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: groups, strides, rectangles</summary>
#
# You need no formula for sizes: the hook sees `output`, and `layer.weight[0]` is one filter, with the channels of its
# group only.
# </details>
#
# <details><summary>Help: "Expected more than 1 value per channel when training"</summary>
#
# BatchNorm cannot normalise one number. Count in evaluation mode, then bring every module back to the mode it was in.
# </details>
#
# Both versions, side by side, in billions of MACs. The table of the paper, from which slides take their column
# "GFLOP", counts version 1, and counts a MAC as one operation.

# %% jupyter={"source_hidden": true} tags=["illustration"]
print("            parameters   v1.5      v1   GMAC")
points = {}
for depth in (18, 34, 50, 101, 152):
    with torch.device("meta"):
        newer, older = resnet(depth), resnet(depth, v1=True)
    gmac = [count_macs(net, (3, 224, 224)) / 1e9 for net in (newer, older)]
    points[depth] = (count_parameters(newer) / 1e6, *gmac)
    print(f"ResNet-{depth:<4d} {points[depth][0]:9.1f} M {gmac[0]:6.2f}  {gmac[1]:6.2f}")
figure, axis = plt.subplots(figsize=(6.5, 3.2))
million, newer, older = zip(*points.values())
axis.plot(million, newer, "o-", label="v1.5")
axis.plot(million, older, "s--", label="v1 (the paper)", fillstyle="none")
for depth, (x, y, _) in points.items():
    axis.annotate(str(depth), (x, y), (-4, 7), textcoords="offset points", ha="right")
axis.set(xlabel="parameters (million)", ylabel="GMAC at 224 × 224", ylim=(0, 13))
axis.legend(loc="lower right")
axis.grid(alpha=0.3)
figure.tight_layout()
plt.show()


# %% [markdown]
# From 34 to 50 layers there are 17% more parameters and, in version 1, 5% more work: ResNet-50 is ResNet-34 with
# every basic block replaced by a bottleneck. All five need less work than VGG-16 with its 15.5 GMAC (lesson 02 counts
# such totals).
#
# ### Exercise 11 · The body without its head
#
# Ten years on, ResNet-50 is mostly met as a **backbone**: cut off the mean and `fc`, and detection, segmentation or
# retrieval are built on the maps of its stages. They come at 1/4, 1/8, 1/16 and 1/32 of the picture's size, and the picture may
# have any size, because only the head ever looked at a whole map, and it took the mean.
#
# `feature_maps(net, x)` returns a list with the output of every stage, `layer1` first.


# %% nbgrader={"grade": false, "grade_id": "feature-maps", "locked": false, "schema_version": 3, "solution": true, "task": false}
def feature_maps(net, x):
    """Outputs of layer1, layer2, … of a ResNet, for x (N, C, H, W); a list of tensors."""
    ### BEGIN SOLUTION
    x = net.maxpool(torch.relu(net.bn1(net.conv1(x))))  # (N, width, H/4, W/4)
    maps = []
    for name, stage in net.named_children():
        if name.startswith("layer"):
            x = stage(x)  # (N, expansion·width·2^k, H/2^(k+2), W/2^(k+2))
            maps.append(x)
    return maps
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-feature-maps", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The maps of all stages
net = ResNet(Bottleneck, (1, 1, 1), width=4, num_classes=3)
shapes = {name: tuple(value.shape) for name, value in net.state_dict().items()}
state = {name: value.float() for name, value in random_state(shapes, 6).items()}
state["bn1.bias"] = torch.tensor([-2.0, 0.0, -1.0, 0.5])  # the ReLU of the stem has work to do
net.load_state_dict(state)
x = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(940))
shapes = [tuple(one.shape) for one in feature_maps(net, x)]
assert shapes == [(2, 16, 16, 24), (2, 32, 8, 12), (2, 64, 4, 6)], f"the maps have shapes {shapes}"
### BEGIN HIDDEN TESTS
net.eval()
_maps = feature_maps(net, x)
check_close(
    net.fc(_maps[-1].mean((2, 3))), net(x), "fc of the last map's mean", rtol=1e-4, atol=1e-5
)
check_close(net.layer2(_maps[0]), _maps[1], "layer2 of the first map", rtol=1e-4, atol=1e-5)
_small = ResNet(BasicBlock, (1, 1), width=2, num_classes=3, small=True)
_found = [tuple(one.shape) for one in feature_maps(_small.eval(), x[:, :, :9, :8])]
assert _found == [(2, 2, 9, 8), (2, 4, 5, 4)], "the maps of a small net of two stages"
### END HIDDEN TESTS

# %% [markdown]
# #### Question · A backbone
#
# A photograph of 480 × 640 pixels goes through ResNet-50. What is the shape `(C, H, W)` of `layer4`'s output?

# %% nbgrader={"grade": false, "grade_id": "q-backbone", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_backbone: a tuple of three numbers
### BEGIN SOLUTION
q_backbone = (2048, 15, 20)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-backbone", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The shape of the last maps for 480 × 640 pixels
assert len(q_backbone) == 3, "q_backbone should be a tuple (C, H, W)"
### BEGIN HIDDEN TESTS
assert type(q_backbone) in (tuple, list), "q_backbone should be a tuple (C, H, W)"
check_number(q_backbone[0], 2048, "the channels of q_backbone")
check_number(q_backbone[1], 15, "the rows of q_backbone")
check_number(q_backbone[2], 20, "the columns of q_backbone")
### END HIDDEN TESTS

# %% [markdown]
# Shortcuts made depth cheap to train, and the plain design made ResNet easy to change: stem, four stages at four
# resolutions, one linear layer. Object detectors (Faster R-CNN with feature pyramids), segmenters (Mask R-CNN,
# DeepLab) and self-supervised learning were built on exactly these maps, and $x + F(x)$ went on into the Transformer.
#
# ## Part 3 · Your own convolution
#
# `nn.Conv2d` has nothing that you did not write in lesson 01. To prove it, the stem of a ResNet shall be computed
# in NumPy, and the logits shall come out the same.
#
# ### Exercise 12 · Fold BatchNorm away
#
# In evaluation mode BatchNorm multiplies by fixed numbers and adds fixed numbers, and so does a convolution. One
# behind the other is one convolution with other weights and a bias:
#
# $$\gamma\,\frac{(w * x) - \mu}{\sqrt{\sigma^2+\varepsilon}} + \beta \;=\; w' * x + b'$$
#
# `fold_batchnorm(w, gamma, beta, mean, var, eps)` takes `w` of shape `(F, C, KH, KW)` and four arrays of shape `(F,)`, and returns
# $w'$ and $b'$. When a network is deployed this is done to all of its layers: the BatchNorms cost nothing then.
#
# **Example.** One filter, $w=2$ (1×1), $\gamma=3$, $\beta=1$, $\mu=4$, $\sigma^2=9$, $\varepsilon=0$: $3\,(2x-4)/3 + 1 = 2x - 3$, so $w'=2$, $b'=-3$.


# %% nbgrader={"grade": false, "grade_id": "fold", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fold_batchnorm(w, gamma, beta, mean, var, eps=1e-5):
    """Weights (F, C, KH, KW) and bias (F,) of the convolution that equals conv, then BatchNorm."""
    ### BEGIN SOLUTION
    scale = gamma / np.sqrt(var + eps)  # (F,)
    return w * scale[:, None, None, None], beta - mean * scale
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-fold", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# One convolution in place of two layers
one = np.ones(1)
w_new, b_new = fold_batchnorm(2 * np.ones((1, 1, 1, 1)), 3 * one, one, 4 * one, 9 * one, eps=0.0)
check_close(w_new, [[[[2.0]]]], "w' of the example")
check_close(b_new, [-3.0], "b' of the example")
### BEGIN HIDDEN TESTS
for _seed, _shape in ((941, (5, 3, 3, 2)), (942, (3, 3, 1, 1))):
    _rng = np.random.default_rng(_seed)
    _w, _gamma, _beta, _mean = (_rng.normal(size=s) for s in (_shape, *[_shape[:1]] * 3))
    _var = _rng.uniform(0.001, 2.0, size=_shape[0])
    _var[0] = 0.001  # here eps shows
    _kept = [array.copy() for array in (_w, _gamma, _beta, _mean, _var)]
    _root = np.sqrt(_var + 1e-5)
    _want_w = np.einsum("fckl,f->fckl", _w, _gamma / _root)
    _want_b = _beta - _gamma * _mean / _root
    _w_new, _b_new = fold_batchnorm(_w, _gamma, _beta, _mean, _var)
    check_close(_w_new, _want_w, "w' with the usual eps")
    check_close(_b_new, _want_b, "b' with the usual eps")
    for _array, _before in zip((_w, _gamma, _beta, _mean, _var), _kept):
        check_unchanged(_array, _before, "an argument of fold_batchnorm")
_arrays = [np.array([v]) for v in (1.5, 0.5, 2.0, 0.25)]
_w_new, _b_new = fold_batchnorm(np.ones((1, 1, 1, 1)), *_arrays, eps=0.75)
check_close(_w_new, [[[[1.5]]]], "w' with a large eps")
check_close(_b_new, [-2.5], "b' with a large eps")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: where eps goes</summary>
#
# Under the root, beside the variance: $\sqrt{\sigma^2+\varepsilon}$. The running statistic that PyTorch stores is the variance
# $\sigma^2$, not the standard deviation.
# </details>
#
# ### Exercise 13 · The first layer, in NumPy
#
# Bring the convolution layer of lesson 01 (its loops, or the version with `im2col`, which is faster). Then
# `logits_with(net, images, conv)` computes the logits of a ResNet of yours in evaluation mode, for `images`, a NumPy array
# `(N, C, H, W)`, with the *first layer* done by the function `conv`:
#
# 1. fold `net.bn1` (`weight`, `bias`, `running_mean`, `running_var`, `eps`) into `net.conv1.weight`;
# 2. call `conv(images, w, b, stride, padding)` once, with NumPy arrays and, as one whole number each, the stride and the
#    padding of `net.conv1`;
# 3. apply ReLU, turn the result into a float32 tensor, and send it through the rest: `maxpool`, the stages, the mean, `fc`.
#
# It returns a NumPy array `(N, num_classes)`, and may leave the net in evaluation mode. Attributes such as `net.conv1.stride`
# are pairs, `(2, 2)`: take one of the two. `tensor.detach().numpy()` makes an array of a parameter.


# %% nbgrader={"grade": false, "grade_id": "numpy-stem", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d_forward(x, w, b, stride=1, padding=0):
    """Lesson 01's layer: x (N, C, H, W), w (F, C, KH, KW), b (F,) → (N, F, OH, OW), NumPy only."""
    ### BEGIN SOLUTION
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]  # (N, C, OH, OW, KH, KW)
    maps = np.tensordot(windows, w, axes=((1, 4, 5), (1, 2, 3)))  # (N, OH, OW, F)
    return maps.transpose(0, 3, 1, 2) + b[:, None, None]
    ### END SOLUTION


def logits_with(net, images, conv):
    """Logits (N, num_classes) of a ResNet in evaluation mode, its first layer computed by conv."""
    ### BEGIN SOLUTION
    net.eval()
    bn = net.bn1
    parts = (net.conv1.weight, bn.weight, bn.bias, bn.running_mean, bn.running_var)
    w, b = fold_batchnorm(*(part.detach().numpy() for part in parts), bn.eps)
    stem = conv(images, w, b, net.conv1.stride[0], net.conv1.padding[0])  # (N, F, H/2, W/2)
    with torch.no_grad():
        x = net.maxpool(torch.from_numpy(np.maximum(stem, 0)).float())
        for name, stage in net.named_children():
            if name.startswith("layer"):
                x = stage(x)
        return net.fc(x.mean(dim=(2, 3))).numpy()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-conv2d", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The convolution of lesson 01 is still right
x = np.arange(1.0, 17.0).reshape(1, 1, 4, 4)
w = np.zeros((1, 1, 3, 3))
w[0, 0, 0, 1], w[0, 0, 1, 1] = 1.0, 10.0
check_close(conv2d_forward(x, w, np.array([100.0]))[0, 0], [[162, 173], [206, 217]], "a 4×4 image")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(943)
for _size, _kernel, _stride, _padding in (((7, 6), (3, 2), 2, 1), ((6, 9), (7, 7), 2, 3)):
    _x, _w = _rng.normal(size=(2, 3, *_size)), _rng.normal(size=(4, 3, *_kernel))
    _b = _rng.normal(size=4)
    _tensors = [torch.from_numpy(array) for array in (_x, _w, _b)]
    _want = torch.nn.functional.conv2d(*_tensors, stride=_stride, padding=_padding)
    _what = f"kernel {_kernel}, stride {_stride}, padding {_padding}"
    check_close(conv2d_forward(_x, _w, _b, _stride, _padding), _want, _what)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-logits-with", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The same logits as the net's own, and from the convolution that was handed over
net = ResNet(BasicBlock, (1, 1), width=4, num_classes=3)
shapes = {name: tuple(value.shape) for name, value in net.state_dict().items()}
net.load_state_dict({name: value.float() for name, value in random_state(shapes, 5).items()})
images = np.random.default_rng(944).normal(size=(2, 3, 21, 26))
want = net.eval()(torch.from_numpy(images).float())
got = logits_with(net, images, conv2d_forward)
assert isinstance(got, np.ndarray), "logits_with should return a NumPy array"
check_close(got, want, "the logits with NumPy's stem", rtol=1e-4, atol=1e-5)
### BEGIN HIDDEN TESTS
_calls = []
_state = net.state_dict()
_scale = (_state["bn1.weight"] / (_state["bn1.running_var"] + 1e-5).sqrt()).numpy()
_maps = np.random.default_rng(945).normal(size=(2, 4, 11, 13))


def _spy(x, w, b, stride=1, padding=0):
    _calls.append((np.array(x), np.array(w), np.array(b), stride, padding))
    return _maps.copy()


_got = logits_with(net, images, _spy)
assert len(_calls) == 1, "logits_with should call conv once"
_x, _w, _b, _stride, _padding = _calls[0]
check_close(_x, images, "the images handed to conv")
check_close(_w, _state["conv1.weight"].numpy() * _scale[:, None, None, None], "w", atol=1e-5)
_want_b = _state["bn1.bias"].numpy() - _state["bn1.running_mean"].numpy() * _scale
check_close(_b, _want_b, "the bias handed to conv", atol=1e-5)
assert (_stride, _padding) == (2, 3), "conv should get the stride and padding of net.conv1"
_pooled = torch.nn.functional.max_pool2d(torch.from_numpy(_maps.clip(min=0)).float(), 3, 2, 1)
_rest = net.layer2(net.layer1(_pooled))
check_close(_got, net.fc(_rest.mean((2, 3))), "the logits for other maps", rtol=1e-4, atol=1e-5)
_tiny = ResNet(BasicBlock, (1, 1, 1), width=2, num_classes=4, in_channels=1, small=True)
_gray = np.random.default_rng(946).normal(size=(3, 1, 8, 7))
_tiny.train()
_got = logits_with(_tiny, _gray, conv2d_forward)
check_close(
    _got, _tiny.eval()(torch.from_numpy(_gray).float()), "a small net", rtol=1e-4, atol=1e-5
)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the logits are close but not equal</summary>
#
# Is the net in evaluation mode? Is `eps` the net's (`net.bn1.eps`)? Differences of 1e-6 are rounding: NumPy computes
# in float64 here, torch in float32.
# </details>
#
# The real ResNet-18, on a photograph-sized input, both ways:

# %% jupyter={"source_hidden": true} tags=["illustration"]
torch.manual_seed(seed)
net = resnet(18).eval()
picture = np.random.default_rng(seed).normal(size=(1, 3, 224, 224))
with torch.no_grad():
    own = net(torch.from_numpy(picture).float()).numpy()
mine = logits_with(net, picture, conv2d_forward)
print(f"1000 logits between {own.min():.2f} and {own.max():.2f}; ", end="")
print(f"largest difference with the NumPy stem: {np.abs(own - mine).max():.1e}")

# %% [markdown]
# ## Part 4 · The CIFAR family
#
# On CIFAR-10 (32 × 32 pixels, ten classes) the paper studies depth itself, with nets that are kept thin on purpose. One
# number $n$ makes the whole net:
#
# | | output | layers |
# |---|---|---|
# | 3×3 convolution, 16 channels, stride 1, no pooling | 16 × 32 × 32 | 1 |
# | stage 1: $n$ basic blocks, width 16 | 16 × 32 × 32 | $2n$ |
# | stage 2: $n$ basic blocks, width 32 | 32 × 16 × 16 | $2n$ |
# | stage 3: $n$ basic blocks, width 64 | 64 × 8 × 8 | $2n$ |
# | mean, linear layer | 10 | 1 |
#
# That is $6n+2$ layers, with **shortcut option A**: a residual net then has exactly the parameters of the plain net that
# it is compared with.
#
# ### Exercise 14 · From 20 to 1202 layers
#
# `cifar_resnet(depth, num_classes=10, in_channels=3)` makes such a net out of your `ResNet`. `cifar_parameters(depth)` gives
# its number of parameters for ten classes and three input channels **by arithmetic**, without building it. Both raise
# `ValueError` for a depth that is not $6n+2$ with a whole $n \ge 1$.
#
# A convolution has no bias, a BatchNorm has two parameters a channel, the linear layer has a bias.
#
# **Example.** `cifar_parameters(8)` ($n=1$): stem $432 + 32$, stage 1 $2\cdot(2304+32)$, stage 2 $4608 + 9216 + 2\cdot 64$, stage 3
# $18432 + 36864 + 2\cdot 128$, linear 650, in all 75,290.


# %% nbgrader={"grade": false, "grade_id": "cifar", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cifar_parameters(depth):
    """Parameters of the CIFAR ResNet with 6n+2 layers and shortcut A. ValueError for another depth."""
    ### BEGIN SOLUTION
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    total, c_in = 9 * 3 * 16 + 2 * 16, 16
    for width in (16, 32, 64):
        total += 9 * c_in * width + (2 * n - 1) * 9 * width**2 + 2 * n * 2 * width
        c_in = width
    return total + 64 * 10 + 10
    ### END SOLUTION


def cifar_resnet(depth, num_classes=10, in_channels=3):
    """The CIFAR ResNet with 6n+2 layers: widths 16, 32, 64, shortcut A. ValueError for another depth."""
    ### BEGIN SOLUTION
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    options = {"num_classes": num_classes, "in_channels": in_channels, "shortcut": "A"}
    return ResNet(BasicBlock, (n, n, n), width=16, small=True, **options)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-cifar-parameters", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The published numbers, by arithmetic
check_number(cifar_parameters(8), 75290, "cifar_parameters(8)")
check_number(cifar_parameters(20), 269722, "cifar_parameters(20)")
### BEGIN HIDDEN TESTS
for _depth, _want in ((32, 464154), (44, 658586), (56, 853018), (110, 1727962), (1202, 19421274)):
    check_number(cifar_parameters(_depth), _want, f"cifar_parameters({_depth})")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-cifar-shapes", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The nets have that many parameters


@in_submission
def shapes_of(cifar_resnet, depth):
    """Names and shapes of the parameters of a CIFAR ResNet that takes no memory."""
    import torch

    with torch.device("meta"):
        net = cifar_resnet(depth)
    return {name: tuple(parameter.shape) for name, parameter in net.named_parameters()}


shapes = shapes_of(cifar_resnet, 20)
check_number(
    sum(int(np.prod(s)) for s in shapes.values()), 269722, "parameters of cifar_resnet(20)"
)
### BEGIN HIDDEN TESTS
for _depth, _want in ((8, 75290), (56, 853018), (110, 1727962)):
    _shapes = shapes_of(cifar_resnet, _depth)
    _total = sum(int(np.prod(shape)) for shape in _shapes.values())
    check_number(_total, _want, f"parameters of cifar_resnet({_depth})")
    _convs = sum(".conv" in name for name in _shapes)
    check_number(_convs, _depth - 2, f"convolutions in the blocks of cifar_resnet({_depth})")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-cifar-logits", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Weights moved over from a reference net give the reference's logits


@in_submission
def evaluated(make, arguments, options, state, x):
    """Output, in evaluation mode, of make(*arguments, **options) with the weights of state."""
    block = make(*arguments, **options).double()
    block.load_state_dict(state)
    return block.eval()(x).detach()


check_shape(cifar_resnet(8)(torch.zeros(2, 3, 32, 32)), (2, 10), "the logits of cifar_resnet(8)")
### BEGIN HIDDEN TESTS


def reference(expansion, counts, width=64, classes=1000, channels=3, **options):
    """The net of He et al.: its shapes by name, and its logits as a function of (state, x, train)."""
    small, v1, kind = (options.get(key) for key in ("small", "v1", "shortcut"))
    side, convs = (3 if small else 7), (3 if expansion == 4 else 2)
    shapes = {"conv1.weight": (width, channels, side, side), **bn_shapes("bn1", width)}
    blocks, c_in = [], width
    for i, count in enumerate(counts):
        w = width * 2**i
        c_out = w * expansion
        for j in range(count):
            name, stride = f"layer{i + 1}.{j}", 2 if i and not j else 1
            project = kind == "C" or (kind != "A" and (stride > 1 or c_in != c_out))
            one_block = block_shapes(expansion, c_in, w, project)
            shapes |= {f"{name}.{key}": shape for key, shape in one_block.items()}
            blocks.append((name, stride, c_out))
            c_in = c_out
    shapes |= {"fc.weight": (classes, c_in), "fc.bias": (classes,)}

    def conv_bn(state, conv, bn, x, stride, train):
        w = state[f"{conv}.weight"]
        x = torch.nn.functional.conv2d(x, w, None, stride, w.shape[-1] // 2)
        running = (state[f"{bn}.{part}"] for part in ("running_mean", "running_var"))
        gamma, beta = state[f"{bn}.weight"], state[f"{bn}.bias"]
        return torch.nn.functional.batch_norm(x, *running, gamma, beta, train, 0.1, 1e-5)

    def logits(state, x, train):
        x = conv_bn(state, "conv1", "bn1", x, 1 if small else 2, train).relu()
        x = x if small else torch.nn.functional.max_pool2d(x, 3, 2, 1)
        for name, stride, c_out in blocks:
            y, strided = x, (1 if v1 or convs == 2 else 2)
            for k in range(1, convs + 1):
                step = stride if k == strided else 1
                y = conv_bn(state, f"{name}.conv{k}", f"{name}.bn{k}", y, step, train)
                y = y.relu() if k < convs else y
            side = f"{name}.downsample"
            if f"{side}.0.weight" in state:
                x = conv_bn(state, f"{side}.0", f"{side}.1", x, stride, train)
            elif x.shape != y.shape:
                x = x[:, :, ::stride, ::stride]
                x = torch.cat([x, x.new_zeros(len(x), c_out - x.shape[1], *x.shape[2:])], 1)
            x = (x + y).relu()
        return torch.nn.functional.linear(x.mean((2, 3)), state["fc.weight"], state["fc.bias"])

    return shapes, logits


for _depth, _options in ((14, {}), (8, {"num_classes": 4, "in_channels": 1})):
    _classes, _channels = _options.get("num_classes", 10), _options.get("in_channels", 3)
    _counts = [(_depth - 2) // 6] * 3
    _shapes, _logits = reference(1, _counts, 16, _classes, _channels, small=True, shortcut="A")
    _state = random_state(_shapes, 950)
    _x = torch.randn(2, _channels, 16, 13, generator=torch.Generator().manual_seed(951)).double()
    _want = _logits(_state, _x, False)
    _got = evaluated(cifar_resnet, [_depth], _options, _state, _x)
    check_close(_got, _want, f"logits of cifar_resnet({_depth}) in evaluation mode")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-cifar-depths", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Depths that are not 6n + 2
check_raises(ValueError, cifar_parameters, 21)
check_raises(ValueError, cifar_resnet, 21)
### BEGIN HIDDEN TESTS
for _depth in (2, 18, 34, 51, -4):
    check_raises(ValueError, cifar_parameters, _depth)
    check_raises(ValueError, cifar_resnet, _depth)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the arithmetic is off</summary>
#
# Only the *first* convolution of stages 2 and 3 takes the narrower channels; the other $2n-1$ of a stage take its own
# width. If you are over by 2,752, there are projections in it: $16\cdot 32 + 64 + 32\cdot 64 + 128$.
# </details>
#
# What the paper measured with them, on the 10,000 test images of CIFAR-10 (numbers from its table 6, not from this
# notebook; each comes from one training, but the one for 110 layers is the best of five):

# %% jupyter={"source_hidden": true} tags=["illustration"]
depths = (20, 32, 44, 56, 110, 1202)
errors = (8.75, 7.51, 7.17, 6.97, 6.43, 7.93)
figure, axis = plt.subplots(figsize=(6.5, 3))
axis.plot(depths, errors, "o-", color="C0")
for depth, error in zip(depths, errors):
    offset, side = ((0, 9), "center") if depth == 1202 else ((7, 3), "left")
    offset = (0, -16) if depth == 110 else offset
    label = f"{depth} layers, {cifar_parameters(depth) / 1e6:.2f} M"
    axis.annotate(label, (depth, error), offset, textcoords="offset points", ha=side, fontsize=8)
axis.set(xscale="log", xlabel="layers", ylabel="test error, %", ylim=(6, 9.2), xlim=(15, 2500))
axis.grid(alpha=0.3)
figure.tight_layout()
plt.show()

# %% [markdown]
# #### Question · 1202 layers
#
# A slide says that ResNets go very deep *"without degrading"* and names the 1202 layers. The paper reports for this net a
# **training** error below 0.1%, and the test error in the figure. What is the right name for the rise at the end?
#
# - `"a"`: degradation as in plain nets: the optimiser can no longer fit the training set
# - `"b"`: overfitting: it fits the training set, and 19 million parameters are many for 50,000 small pictures
# - `"c"`: vanishing gradients
# - `"d"`: an average over fewer repetitions, without meaning

# %% nbgrader={"grade": false, "grade_id": "q-1202", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_1202: one of "a", "b", "c", "d"
### BEGIN SOLUTION
q_1202 = "b"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-1202", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Why 1202 layers do worse than 110
assert q_1202 in ("a", "b", "c", "d"), "q_1202 should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_choice(q_1202, "b", ["a", "b", "c", "d"], "q_1202")
### END HIDDEN TESTS

# %% [markdown]
# ## Part 5 · The recipe
#
# A network is half of a result; the other half is how it was trained. Slides often have two of its lines wrong, so here it
# is from the paper's sections 3.4 and 4.2:
#
# | | ImageNet | CIFAR-10 |
# |---|---|---|
# | BatchNorm | after every convolution, before the activation | the same |
# | initial weights | He et al. 2015 | the same |
# | optimiser | SGD, momentum 0.9 | the same |
# | weight decay | 0.0001 | 0.0001 |
# | mini-batch | 256 | 128 |
# | learning rate | 0.1, divided by 10 when the error stops falling | 0.1, divided by 10 after 32,000 and 48,000 iterations |
# | iterations | up to 600,000 | 64,000 |
# | dropout | none | none |
# | pictures | short side drawn from 256…480, a 224 × 224 crop of it, mirrored or not, colour shift; per-pixel mean subtracted | padded by 4, a 32 × 32 crop, mirrored or not |
#
# #### Question · "Xavier initialisation from He et al."
#
# A slide has this line, and it mixes two papers. **Xavier** (Glorot and Bengio, 2010) draws weights with variance
# $2/(\text{fan}_\text{in}+\text{fan}_\text{out})$ and was derived for layers *without* ReLU. **He** (He et al., 2015) corrects it for ReLU,
# which sets half of its inputs to zero and so halves the mean square of the signal: the variance is $2/\text{fan}$. ResNet uses
# He's.
#
# Take convolutions whose fan-in and fan-out are equal, each followed by ReLU, and no BatchNorm. With He's weights the signal
# keeps its mean square from layer to layer. With Xavier's it shrinks by the same factor at every layer. By what factor in all
# after **16 layers**: the mean square at the start is how many times that at the end?

# %% nbgrader={"grade": false, "grade_id": "q-xavier", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_xavier: a number above 1
### BEGIN SOLUTION
q_xavier = 2**16
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-xavier", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The shrinking under Xavier's weights
check_number(q_xavier, q_xavier, "q_xavier")
### BEGIN HIDDEN TESTS
check_number(q_xavier, 65536, "q_xavier", rtol=0.01)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: one layer first</summary>
#
# With $\text{fan}_\text{in}=\text{fan}_\text{out}=\text{fan}$, what is Xavier's variance, and how does it compare with He's $2/\text{fan}$, which
# keeps the mean square? Then 16 times.
# </details>
#
# BatchNorm repairs the scale of the signal, so a ResNet trains from either. But a recipe that says one and means the
# other cannot be repeated.
#
# ### Exercise 15 · He initialisation, and a zero
#
# `he_init(net, zero_gamma=False)` sets, in place,
#
# - every `nn.Conv2d`'s weights: normal, mean 0, variance $2/\text{fan}$, where fan is $C_\text{in}\,KH\,KW$ or
#   $C_\text{out}\,KH\,KW$ (He's paper allows either; published ResNets use the second);
# - every `nn.BatchNorm2d`: $\gamma=1$, $\beta=0$;
# - with `zero_gamma`, the **last** BatchNorm of every block ($\gamma$ of `bn2` in a `BasicBlock`, of `bn3` in a `Bottleneck`) to 0:
#   then $F(x)=0$ at birth, and every block begins as its shortcut and a ReLU. (Not in the paper; Goyal et al. 2017, and
#   common since.)
#
# It leaves all else, `fc` too, as it is, and returns `net`.


# %% nbgrader={"grade": false, "grade_id": "he-init", "locked": false, "schema_version": 3, "solution": true, "task": false}
def he_init(net, zero_gamma=False):
    """Initialise a ResNet's convolutions and BatchNorms in place; returns net."""
    ### BEGIN SOLUTION
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if zero_gamma:
        for module in net.modules():
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)
            elif isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
    return net
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-he-init", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The convolutions' weights: mean and variance


@in_submission
def initialised(he_init, make, arguments):
    """Weights of all convolutions, and of fc before and after, of a net that held something else."""
    import torch

    torch.manual_seed(5)
    net = make(*arguments)
    before = net.fc.weight.detach().clone()
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.weight.fill_(3.0)
    same = he_init(net) is net
    convs = [w.detach() for name, w in net.named_parameters() if w.dim() == 4]
    return same, convs, before, net.fc.weight.detach()


same, convs, before, after = initialised(he_init, ResNet, [BasicBlock, (1, 1), 16, 10])
assert same, "he_init should return the net that it was given"
assert all(weight.std() > 0 for weight in convs), "every convolution should get new weights"
### BEGIN HIDDEN TESTS
check_close(after, before, "fc, which he_init should leave alone")
_more = initialised(he_init, ResNet, [Bottleneck, (1, 1), 32, 10])[1]
for _weight in [*convs, *_more]:
    if _weight.numel() < 4000:
        continue
    _what = f"a convolution with weights {tuple(_weight.shape)}"
    _size = _weight.shape[-1] ** 2
    _fans = (_weight.shape[1] * _size, _weight.shape[0] * _size)
    _variance = float(_weight.var())
    assert abs(float(_weight.mean())) < 0.1 * _variance**0.5, f"{_what}: the mean should be 0"
    assert any(abs(_variance * fan / 2 - 1) < 0.12 for fan in _fans), f"{_what}: another variance"
    _tail = float(((_weight - _weight.mean()) ** 4).mean()) / _variance**2
    assert 2.5 < _tail < 3.6, f"{_what}: the weights are not drawn from a normal distribution"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-zero-gamma", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# BatchNorm: ones and zeros, and the last one of each block


@in_submission
def batch_norms(he_init, make, block, *zero_gamma):
    """Weights and biases of all BatchNorms of a net that held something else before."""
    import torch

    net = make(block, (2, 1), 4, 3)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.fill_(3.0)
                module.bias.fill_(2.0)
    he_init(net, *zero_gamma)
    norms = [(n, m) for n, m in net.named_modules() if isinstance(m, torch.nn.BatchNorm2d)]
    return {name: (norm.weight.detach(), norm.bias.detach()) for name, norm in norms}


found = batch_norms(he_init, ResNet, BasicBlock, True)
check_close(found["layer1.0.bn2"][0], np.zeros(4), "gamma of layer1.0.bn2 with zero_gamma")
### BEGIN HIDDEN TESTS
for _block, _last in ((BasicBlock, "bn2"), (Bottleneck, "bn3")):
    for _zero, _arguments in ((False, [False]), (False, []), (True, [True])):
        _found = batch_norms(he_init, ResNet, _block, *_arguments)
        assert len(_found) > 6, "the net's BatchNorms are missing"
        for _name, (_gamma, _beta) in _found.items():
            _born_zero = _zero and _name.startswith("layer") and _name.endswith(f".{_last}")
            _want = np.full(len(_gamma), 0.0 if _born_zero else 1.0)
            check_close(_gamma, _want, f"gamma of {_name}, zero_gamma={_zero}")
            check_close(_beta, np.zeros(len(_beta)), f"beta of {_name}")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: which BatchNorm is the last of its block?</summary>
#
# Walk over `net.modules()` and ask `isinstance(module, BasicBlock)`: a block knows its own `bn2`. The BatchNorm of a
# projection is on the shortcut; it stays at 1.
# </details>
#
# What a zero does. Below, the standard deviation of the signal behind each of the 27 blocks of a CIFAR ResNet-56 at
# birth, in training mode, for random pictures. Each block *adds* something, so the signal grows; at a new stage
# it drops a little, because the new channels of the shortcut are zeros. With zero $\gamma$ nothing is added at birth.

# %% jupyter={"source_hidden": true} tags=["illustration"]
torch.manual_seed(seed)
pictures = torch.randn(32, 3, 32, 32)
figure, axis = plt.subplots(figsize=(7, 3))
for zero, style in ((False, "o-"), (True, "s-")):
    net = he_init(cifar_resnet(56), zero_gamma=zero).train()
    spread = []
    with torch.no_grad():
        x = torch.relu(net.bn1(net.conv1(pictures)))
        for stage in (net.layer1, net.layer2, net.layer3):
            for block in stage:
                x = block(x)
                spread.append(float(x.std()))
    axis.plot(range(1, 28), spread, style, markersize=4, label=f"zero_gamma={zero}")
for border in (9.5, 18.5):
    axis.axvline(border, color="0.6", linestyle=":")
axis.set(xlabel="block (dotted: a new stage)", ylabel="standard deviation", ylim=(0, None))
axis.legend()
figure.tight_layout()
plt.show()


# %% [markdown]
# ### Exercise 16 · The optimiser
#
# `make_optimizer(net, lr=0.1)` returns a `torch.optim.SGD` for **all** parameters of `net`, with the momentum and the weight
# decay of the paper.


# %% nbgrader={"grade": false, "grade_id": "optimizer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def make_optimizer(net, lr=0.1):
    """The paper's optimiser for all parameters of net."""
    ### BEGIN SOLUTION
    return torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9, weight_decay=1e-4)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-optimizer", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Three steps with known gradients


@in_submission
def three_steps(make_optimizer, options, start, gradients):
    """Weight and bias of a layer after three steps."""
    import torch
    from torch import nn

    net = nn.Linear(3, 2).double()
    with torch.no_grad():
        net.weight.copy_(start[:, :3])
        net.bias.copy_(start[:, 3])
    optimizer = make_optimizer(net, **options)
    for gradient in gradients:
        net.weight.grad, net.bias.grad = gradient[:, :3].clone(), gradient[:, 3].clone()
        optimizer.step()
    return torch.cat([net.weight, net.bias[:, None]], 1).detach()


start = torch.zeros(2, 4).double()
got = three_steps(make_optimizer, {}, start, torch.ones(1, 2, 4).double())
check_close(got, np.full((2, 4), -0.1), "one step from 0 with gradient 1")
### BEGIN HIDDEN TESTS
_random = torch.Generator().manual_seed(960)
_start = 5 * torch.randn(2, 4, generator=_random).double()
_gradients = torch.randn(3, 2, 4, generator=_random).double()
for _options, _lr in (({}, 0.1), ({"lr": 0.03}, 0.03)):
    _w, _v = _start.clone(), torch.zeros(2, 4).double()
    for _g in _gradients:
        _v = 0.9 * _v + _g + 1e-4 * _w
        _w = _w - _lr * _v
    _got = three_steps(make_optimizer, _options, _start, _gradients)
    check_close(_got, _w, "weights and biases after three steps", rtol=0, atol=1e-7)
### END HIDDEN TESTS

# %% [markdown]
# #### Question · Ten times too little
#
# A slide gives the weight decay of ResNet as 1e-5; it is 1e-4. Does a factor 10 matter? With plain SGD (no momentum) and no other
# gradient, each step at learning rate $\eta$ multiplies a weight by $1-\eta\lambda$. After about how many iterations at
# $\eta = 0.1$ is a weight down to $1/e$ of its size, with $\lambda = 10^{-4}$? And with $10^{-5}$? (Within 1%. Training at
# $\eta=0.1$ takes some 150,000 iterations of the 600,000.)

# %% nbgrader={"grade": false, "grade_id": "q-decay", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_decay_paper, q_decay_slide: numbers of iterations
### BEGIN SOLUTION
q_decay_paper = 100_000
q_decay_slide = 1_000_000
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-decay", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Iterations until decay alone has shrunk a weight to 1/e
check_number(q_decay_paper, q_decay_paper, "q_decay_paper")
check_number(q_decay_slide, q_decay_slide, "q_decay_slide")
### BEGIN HIDDEN TESTS
check_number(q_decay_paper, 1e5, "q_decay_paper", rtol=0.01)
check_number(q_decay_slide, 1e6, "q_decay_slide", rtol=0.01)
### END HIDDEN TESTS

# %% [markdown]
# #### Question · How long is 600,000 iterations?
#
# ImageNet's training set has 1.28 million pictures. How many epochs are 600,000 iterations with mini-batches of 256? (Within 1%.)

# %% nbgrader={"grade": false, "grade_id": "q-epochs", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_epochs: a number
### BEGIN SOLUTION
q_epochs = 120
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-epochs", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Epochs of the ImageNet training
check_number(q_epochs, q_epochs, "q_epochs")
### BEGIN HIDDEN TESTS
check_number(q_epochs, 120, "q_epochs", rtol=0.01)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 17 · The learning rate
#
# `learning_rate(iteration, depth)` for CIFAR: 0.1, then 0.01 **from iteration 32,000 on**, then 0.001 from 48,000 on. Iterations are counted
# from 0. For 110 layers 0.1 is a little too large to start with, so the paper warms up at **0.01** until the training error
# is below 80%, about 400 iterations, then goes back to 0.1. Here: for depths of 110 and more, iterations 0 to 399 have 0.01.


# %% nbgrader={"grade": false, "grade_id": "learning-rate", "locked": false, "schema_version": 3, "solution": true, "task": false}
def learning_rate(iteration, depth=20):
    """The learning rate at an iteration (from 0) of the CIFAR training, for a net of `depth` layers."""
    ### BEGIN SOLUTION
    if iteration >= 48_000:
        return 0.001
    if iteration >= 32_000 or (depth >= 110 and iteration < 400):
        return 0.01
    return 0.1
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-learning-rate", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The two drops
check_number(learning_rate(0), 0.1, "learning_rate(0)", rtol=1e-9)
check_number(learning_rate(40_000), 0.01, "learning_rate(40_000)", rtol=1e-9)
### BEGIN HIDDEN TESTS
for _iteration, _want in (
    (31_999, 0.1),
    (32_000, 0.01),
    (47_999, 0.01),
    (48_000, 0.001),
    (63_999, 0.001),
):
    for _depth in (20, 110):
        _what = f"learning_rate({_iteration}, {_depth})"
        check_number(learning_rate(_iteration, _depth), _want, _what, rtol=1e-9)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-warm-up", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The warm-up of the deepest nets
check_number(learning_rate(0, 110), 0.01, "learning_rate(0, 110)", rtol=1e-9)
### BEGIN HIDDEN TESTS
for _iteration, _depth, _want in (
    (399, 110, 0.01),
    (400, 110, 0.1),
    (100, 1202, 0.01),
    (0, 56, 0.1),
    (399, 20, 0.1),
):
    _what = f"learning_rate({_iteration}, {_depth})"
    check_number(learning_rate(_iteration, _depth), _want, _what, rtol=1e-9)
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true} tags=["illustration"]
steps = np.unique(np.r_[np.arange(0, 1000, 5), np.arange(0, 64_000, 50)])
figure, axis = plt.subplots(figsize=(6.5, 2.4))
for depth, style in ((20, "-"), (110, "--")):
    axis.plot(steps, [learning_rate(s, depth) for s in steps], style, label=f"{depth} layers")
axis.set(yscale="log", xlabel="iteration", ylabel="learning rate")
axis.legend()
axis.grid(alpha=0.3)
figure.tight_layout()
plt.show()


# %% [markdown]
# ## Part 6 · Training
#
# A member of the family on real data: 1,797 handwritten digits of 8 × 8 pixels, 1,437 to train on and 360 to test with. A CIFAR
# ResNet-8 on one channel, half as wide as usual, has 19,074 parameters and trains in seconds.

# %%
images, labels = digits()  # (1797, 1, 8, 8), (1797,)
order = np.random.default_rng(0).permutation(1797)
x_all = torch.from_numpy((images[order] - 0.305) / 0.376).float()  # (1797, 1, 8, 8)
y_all = torch.from_numpy(labels[order])  # (1797,)
x_train, y_train, x_test, y_test = x_all[:1437], y_all[:1437], x_all[1437:], y_all[1437:]
torch.set_num_threads(1)  # layers this small only wait for each other on several threads


# %% [markdown]
# ### Exercise 18 · One epoch, and a reading
#
# `train_epoch(net, optimizer, batches)` puts the net in training mode and takes one step for every pair `(images, labels)` of
# `batches`: clear the gradients, compute the cross-entropy (`nn.functional.cross_entropy`, a mean over the batch), go backward, step. It
# returns the **mean of the losses** of the batches, a float.
#
# `predict(net, images)` returns the label with the largest logit for every image, an integer tensor `(N,)`, in evaluation mode and
# without recording gradients. It may leave the net in evaluation mode: the next `train_epoch` changes that.


# %% nbgrader={"grade": false, "grade_id": "train-epoch", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    ### BEGIN SOLUTION
    net.train()
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)
    ### END SOLUTION


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    ### BEGIN SOLUTION
    net.eval()
    with torch.no_grad():
        return net(images).argmax(dim=1)  # (N,)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-train-epoch", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Two epochs of a small model against the same steps done by hand


@in_submission
def two_epochs(train_epoch, w, batches):
    """Losses of two epochs of a linear model behind BatchNorm, its weight, running mean and mode."""
    import torch
    from torch import nn

    net = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4, momentum=0.5), nn.Linear(4, 3)).double()
    with torch.no_grad():
        net[2].weight.copy_(w)
        net[2].bias.zero_()
    net.eval()
    optimizer = torch.optim.SGD([net[2].weight], lr=0.5, momentum=0.9)
    losses = [train_epoch(net, optimizer, batches) for _ in range(2)]
    return losses, net[2].weight.detach(), net[1].running_mean, net.training


random = torch.Generator().manual_seed(970)
w = torch.randn(3, 4, generator=random).double()
batches = [
    (torch.randn(n, 1, 2, 2, generator=random).double(), torch.randint(3, (n,), generator=random))
    for n in (6, 5, 2)
]
losses = two_epochs(train_epoch, w, batches)[0]
assert all(type(loss) is float for loss in losses), "train_epoch should return a float"
assert losses[1] < losses[0], "the loss should fall from the first epoch to the second"
### BEGIN HIDDEN TESTS
_w, _v, _want, _mean = w.clone(), torch.zeros(3, 4).double(), [], torch.zeros(4).double()
for _ in range(2):
    _sum = 0.0
    for _x, _y in batches:
        _x = _x.reshape(len(_x), 4)
        _mean = 0.5 * _mean + 0.5 * _x.mean(0)
        _x = (_x - _x.mean(0)) / (_x.var(0, unbiased=False) + 1e-5).sqrt()
        _p = torch.softmax(_x @ _w.T, 1)
        _hot = torch.eye(3).double()[_y]
        _sum += float(-(_p * _hot).sum(1).log().mean())
        _v = 0.9 * _v + (_p - _hot).T @ _x / len(_x)
        _w = _w - 0.5 * _v
    _want.append(_sum / 3)
_losses, _weight, _running, _training = two_epochs(train_epoch, w, batches)
check_close(_losses, _want, "the mean losses of two epochs")
check_close(_weight, _w, "the weights after two epochs")
check_close(_running, _mean, "BatchNorm's running mean after two epochs")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-predict", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The largest logit, in evaluation mode


@in_submission
def readings(predict, images):
    """Labels of images together and one by one, how the buffers moved, whether it was recorded."""
    import torch
    from torch import nn

    recording = []

    class Witness(nn.Flatten):
        def forward(self, x):
            recording.append(torch.is_grad_enabled())
            return super().forward(x)

    net = nn.Sequential(nn.BatchNorm2d(1), Witness(), nn.Linear(4, 5))
    with torch.no_grad():
        net[0].running_mean.fill_(0.3)
        net[2].weight.copy_(torch.linspace(-1, 1, 20).sin().reshape(5, 4) * 3)
        net[2].bias.copy_(torch.tensor([0.0, 0.5, -0.5, 0.2, 0.1]))
    net.train()
    together = predict(net, images)
    alone = torch.cat([predict(net, image[None]) for image in images])
    moved = float((net[0].running_mean - 0.3).abs().max())
    return together, alone, moved, any(recording)


images = torch.randn(30, 1, 2, 2, generator=torch.Generator().manual_seed(971))
together, alone, moved, recorded = readings(predict, images)
check_shape(together, (30,), "predict of 30 images")
assert not together.dtype.is_floating_point, "predict should return integers"
### BEGIN HIDDEN TESTS
_w = torch.linspace(-1, 1, 20).sin().reshape(5, 4) * 3
_bias = torch.tensor([0.0, 0.5, -0.5, 0.2, 0.1])
_z = ((images - 0.3) / (1 + 1e-5) ** 0.5).reshape(30, 4) @ _w.T + _bias
check_close(together, _z.argmax(1), "predict of 30 images")
check_close(alone, _z.argmax(1), "predict of the images one by one")
check_close(moved, 0.0, "the change of the running mean during predict")
assert not recorded, "predict should not record gradients"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the weights go elsewhere after the first step</summary>
#
# Are the gradients cleared before each `backward`? Is the mean over batches taken of the losses, without touching the gradients?
# Is the net in *training* mode, although it came in evaluation mode?
# </details>
#
# ### Exercise 19 · A trained ResNet
#
# Train a net of yours on `x_train`, `y_train` and call it `network`: a `ResNet` with `small=True`, one input channel and ten
# classes; initialised by `he_init`, trained with `make_optimizer`. **Goal: at least 96% of the 360 test digits.** A start that works:
# `BasicBlock`, counts `(1, 1, 1)`, width 8, shortcut A; 4 epochs of mini-batches of 32 in a new random order each; learning rate
# 0.1 for three epochs and 0.01 for the last (`optimizer.param_groups[0]["lr"] = …`). Use no test image in training.
#
# Keep the mean losses of the epochs in a list `losses`.

# %% nbgrader={"grade": false, "grade_id": "run-training", "locked": false, "schema_version": 3, "solution": true, "task": false}
# network: a trained ResNet; losses: its mean loss, one an epoch
torch.manual_seed(seed)
start = time.perf_counter()
### BEGIN SOLUTION
options = {"width": 8, "num_classes": 10, "in_channels": 1, "shortcut": "A", "small": True}
network = ResNet(BasicBlock, (1, 1, 1), **options)
he_init(network)
optimizer, losses = make_optimizer(network), []
for lr in (0.1, 0.1, 0.1, 0.01):
    optimizer.param_groups[0]["lr"] = lr
    parts = torch.randperm(len(x_train)).split(32)
    losses.append(train_epoch(network, optimizer, [(x_train[p], y_train[p]) for p in parts]))
### END SOLUTION
seconds = time.perf_counter() - start

# %% nbgrader={"grade": true, "grade_id": "test-accuracy", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# At least 96% of the test digits are read right
held_out = np.random.default_rng(0).permutation(1797)[1437:]
pictures, truth = (array[held_out] for array in digits())
pictures = torch.from_numpy((pictures - 0.305) / 0.376).float()
network.eval()
logits = network(pictures)
check_shape(logits, (360, 10), "the logits of the test digits")
right = float(np.mean(logits.detach().numpy().argmax(1) == truth))
assert right >= 0.96, f"{right:.1%} of the test digits are right; at least 96% are asked"
names = set(network.state_dict())
assert {"conv1.weight", "layer1.0.conv1.weight", "fc.weight"} <= names, "network should be a ResNet"
### BEGIN HIDDEN TESTS
_single = network(pictures[:1])
check_close(_single, logits[:1], "the logits of one digit alone", rtol=1e-3, atol=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the accuracy stops at 90%, or jumps about</summary>
#
# The last epochs should have a small learning rate. Is every digit in exactly one mini-batch of an epoch, with *its* label
# (the same indices for both)?
# </details>

# %%
accuracy = float((predict(network, x_test) == y_test).float().mean())
print(f"test accuracy {accuracy:.3f} (n = {len(y_test)}, one training, seed {seed})")
print(f"training {seconds:.1f} s on {platform.machine()}, PyTorch {torch.__version__}, ", end="")
print(f"{torch.get_num_threads()} threads")

# %% jupyter={"source_hidden": true} tags=["illustration"]
read = predict(network, x_test)
missed = torch.nonzero(read != y_test).flatten().tolist()
print("mean loss of each epoch:", ", ".join(f"{loss:.3f}" for loss in losses))
if missed:
    captions = [f"is {y_test[i]}, read as {read[i]}" for i in missed[:6]]
    show_images(x_test[missed[:6], 0].numpy(), captions, size=1.5)
    plt.show()

# %% [markdown]
# ## Part 7 · Which error, measured how
#
# *"ResNet-152 has 3.57% error."* Has it? For the same network in name, four numbers are in use:
#
# | top-5 error | ? |
# |---|---|
# | 5.94% | |
# | 5.71% | |
# | 4.49% | |
# | 3.57% | |
#
# and four ways to measure, each more expensive than the one before:
#
# - `"one crop"`: the central 224 × 224 pixels of each picture, once through one net;
# - `"ten crops"`: the centre and four corners, each also mirrored; one net; the ten results averaged;
# - `"multi-scale"`: one net slides over the whole picture at five sizes (short side 224, 256, 384, 480, 640), everything averaged;
# - `"ensemble"`: six nets of different depths, averaged, on the *test* set, whose labels only the organisers have (the others: on the
#   50,000 pictures of the validation set).
#
# #### Question · Four numbers for one net
#
# Which number was measured how? Averaging more views and more nets rarely hurts.

# %% nbgrader={"grade": false, "grade_id": "q-errors", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_errors: error → "one crop", "ten crops", "multi-scale" or "ensemble"
### BEGIN SOLUTION
q_errors = {5.94: "one crop", 5.71: "ten crops", 4.49: "multi-scale", 3.57: "ensemble"}
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-ensemble", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The number that belongs to six nets
ways = ("one crop", "ten crops", "multi-scale", "ensemble")
for error in (5.94, 5.71, 4.49, 3.57):
    assert q_errors[error] in ways, f"q_errors[{error}] should be one of {ways}"
### BEGIN HIDDEN TESTS
check_choice(q_errors[3.57], "ensemble", ways, "q_errors[3.57]")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-errors", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The three numbers of a single net
for error in (5.94, 5.71, 4.49):
    assert type(q_errors[error]) is str, f"q_errors[{error}] should be one of the four ways"
### BEGIN HIDDEN TESTS
_ways = ("one crop", "ten crops", "multi-scale", "ensemble")
for _error, _want in ((5.94, "one crop"), (5.71, "ten crops"), (4.49, "multi-scale")):
    check_choice(q_errors[_error], _want, _ways, f"q_errors[{_error}]")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 20 · The error of an ensemble
#
# An ensemble averages the **probabilities** (softmax of the logits) of its members, then takes the classes with the largest. The
# top-$k$ error is the percentage of pictures whose true label is not among the $k$ largest. Ten crops work in the same way: ten rows of
# logits instead of ten members.
#
# Write `ensemble_error(logits, labels, k)` in NumPy. Logits may be large: subtract the maximum before `exp`.
#
# **Example.** Two members, one picture, three classes, probabilities $(0.5, 0.4, 0.1)$ and $(0.1, 0.3, 0.6)$. The average is $(0.3, 0.35,
# 0.35)$. The logits are the logarithms. For $k=2$ and label 0 the error is 100%, for label 1 it is 0%.


# %% nbgrader={"grade": false, "grade_id": "ensemble", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ensemble_error(logits, labels, k=1):
    """Top-k error in percent from logits (members, N, K), NumPy, and labels (N,)."""
    ### BEGIN SOLUTION
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))  # (members, N, K)
    p = (shifted / shifted.sum(axis=-1, keepdims=True)).mean(axis=0)  # (N, K)
    best = np.argsort(-p, axis=1)[:, :k]  # (N, k)
    return 100 * float(np.mean(~(best == np.asarray(labels)[:, None]).any(axis=1)))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-ensemble-top-k", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Top-k error of a single net, in percent
rng = np.random.default_rng(980)
logits = np.log(np.array([[[0.5, 0.4, 0.1]], [[0.1, 0.3, 0.6]]]))
check_number(ensemble_error(logits, np.array([0]), 2), 100.0, "the example with label 0", rtol=1e-9)
### BEGIN HIDDEN TESTS
_rows = np.array([rng.permutation(8.0 * np.arange(7)) for _ in range(40)])[None]
_labels = rng.integers(0, 7, size=40)
_ranks = np.array([np.sum(row > row[label]) for row, label in zip(_rows[0], _labels)])
for _k in (1, 2, 5):
    _want = 100 * float(np.mean(_ranks >= _k))
    _got = ensemble_error(_rows, _labels, _k)
    check_number(_got, _want, f"the top-{_k} error of one net", rtol=1e-9)
check_number(ensemble_error(_rows, _labels), 100 * float(np.mean(_ranks >= 1)), "k=1", rtol=1e-9)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-ensemble-average", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The members' probabilities are averaged, whatever their logits
first, second = np.log([[0.6, 0.3, 0.1]]), np.log([[0.1, 0.3, 0.6]])
logits = np.array([first, first, second])  # average (0.433, 0.3, 0.267)
check_number(ensemble_error(logits, np.array([0])), 0.0, "three members, label 0", rtol=1e-9)
### BEGIN HIDDEN TESTS
_labels = np.array([1])
# Averages of probabilities, of logits, and a vote of the members give three different winners.
_p = np.array([[[0.50, 0.46, 0.04]], [[0.50, 0.46, 0.04]], [[0.0001, 0.40, 0.5999]]])
check_number(ensemble_error(np.log(_p), _labels), 0.0, "members that disagree: the vote", rtol=1e-9)
_p = np.array([[[0.70, 0.30]], [[0.70, 0.30]], [[0.00001, 0.99999]]])
check_number(ensemble_error(np.log(_p), _labels), 0.0, "one sure member", rtol=1e-9)
_q = np.array([[[0.45, 0.55]], [[0.45, 0.55]], [[0.9, 0.1]]])
check_number(ensemble_error(np.log(_q), np.array([0])), 0.0, "a vote is no average", rtol=1e-9)
_logits = np.array([[[0.0, 800.0]], [[0.0, 0.1]], [[0.0, 0.1]]])
check_number(ensemble_error(_logits, _labels), 0.0, "large logits", rtol=1e-9)
_logits = np.array([[[30.0, 0.0]], [[0.0, 2.0]], [[0.0, 2.0]]])
check_number(ensemble_error(_logits, _labels), 0.0, "logits are not averaged", rtol=1e-9)
### END HIDDEN TESTS

# %% [markdown]
# What the answers of the question are worth, measured on digits. Six nets like yours, trained on 100 digits only (so that there
# are errors to count) and tested on the other 1,697. The same six nets give a different number for every way to report them.

# %% jupyter={"source_hidden": true} tags=["illustration"]
few, epochs = 100, (6 if quick else 40)
x_few, y_few, x_rest, y_rest = x_all[:few], y_all[:few], x_all[few:], y_all[few:].numpy()
views = [x_rest] + [0.7 * x_rest + 0.3 * x_rest.roll(by, axis) for by in (1, -1) for axis in (2, 3)]
logits, begin = [], time.perf_counter()
for member in range(6):
    torch.manual_seed(1000 * seed + member)
    net = ResNet(BasicBlock, (1, 1, 1), 8, 10, 1, shortcut="A", small=True)
    optimizer = make_optimizer(he_init(net))
    for epoch in range(epochs):
        done = epoch / epochs
        optimizer.param_groups[0]["lr"] = 0.1 if done < 0.6 else 0.01 if done < 0.85 else 0.001
        parts = torch.randperm(few).split(25)
        train_epoch(net, optimizer, [(x_few[p], y_few[p]) for p in parts])
    net.eval()
    with torch.no_grad():
        logits.append([net(view).numpy() for view in views])
logits = np.array(logits)  # (6 nets, 5 views, 1697, 10)
single = [ensemble_error(net[:1], y_rest) for net in logits]
bars = {
    "one net, one view: the worst": max(single),
    "one net, one view: mean of six": np.mean(single),
    "one net, one view: the best, picked afterwards": min(single),
    "one net, five views averaged: mean of six": np.mean(
        [ensemble_error(n, y_rest) for n in logits]
    ),
    "six nets averaged, one view": ensemble_error(logits[:, 0], y_rest),
    "one net, one view, top-2: mean of six": np.mean(
        [ensemble_error(net[:1], y_rest, 2) for net in logits]
    ),
}
figure, axis = plt.subplots(figsize=(8.5, 2.9))
places = np.arange(len(bars))
drawn = axis.barh(places, list(bars.values()), color=["C0"] * 3 + ["C2", "C1", "0.6"])
axis.bar_label(drawn, fmt="%.1f%%", padding=3, fontsize=9)
axis.set_yticks(places, labels=list(bars), fontsize=9)
axis.set(xlabel=f"error on {len(y_rest)} digits, %", xlim=(0, 1.15 * max(single)))
axis.invert_yaxis()
figure.tight_layout()
plt.show()
print(f"six trainings on {few} digits, {time.perf_counter() - begin:.1f} s, {platform.machine()}")


# %% [markdown]
# The ensemble beats even the best of its members, and not by chance: with `seed` 0, 1 and 2 it has 7.9% against 10.7%, 7.4% against
# 10.5% and 7.3% against 10.4%. Five views of a picture (as it is, and shifted by 0.3 pixel in four directions) gain 0.3 to 0.4 points
# at most. The best of six, picked by its *test* error, looks better than a single net is. And top-2 counts only about half the
# errors. None of these numbers is false; each answers another question.
#
# So for ImageNet, with the measurement in the head of every column (top-5 error in %, validation set):
#
# | | one crop (later training, v1.5) | ten crops (the paper) | multi-scale (the paper) |
# |---|---|---|---|
# | ResNet-34 B | 8.58 | 7.46 | 5.71 |
# | ResNet-50 | 7.13 | 6.71 | 5.25 |
# | ResNet-101 | 6.44 | 6.05 | 4.60 |
# | ResNet-152 | 5.94 | 5.71 | 4.49 |
#
# The winning entry of 2015 averaged six nets of different depths, two of them with 152 layers: 3.57% on the test set.
#
# #### Question · A row of a table
#
# A slide's table has the row: *ResNet-50, 3.8 GFLOP, top-5 error 7.13*. You have counted both versions of this net. Which
# network is it?
#
# - `"a"`: the paper's: both numbers are for version 1 at ten crops
# - `"b"`: two nets: 3.8 is the paper's version 1; 7.13 comes from other weights, for version 1.5, which takes 4.1 GMAC
# - `"c"`: version 1.5, and 3.8 is rounded
# - `"d"`: version 1, with a MAC counted as two operations

# %% nbgrader={"grade": false, "grade_id": "q-row", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_row: one of "a", "b", "c", "d"
### BEGIN SOLUTION
q_row = "b"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-row", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The network of a slide's row
assert q_row in ("a", "b", "c", "d"), "q_row should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_choice(q_row, "b", ["a", "b", "c", "d"], "q_row")
### END HIDDEN TESTS

# %% [markdown]
# #### Question · Super-human?
#
# Slides set 3.57% beside a "human" error of 5.1% and say *super-human*. The 5.1% come from Russakovsky et al. (2015): one person,
# trained for the purpose, labelled 1,500 test pictures by choosing from the 1,000 classes; a second one, less
# trained, had 12.0% on 258 pictures. Which sentence do the numbers support?
#
# - `"a"`: a ResNet recognises objects better than people do
# - `"b"`: a single ResNet-152 was better than the average person
# - `"c"`: an ensemble of six nets made fewer top-5 mistakes on this test set than one trained annotator on a part of it
# - `"d"`: nothing at all: people and nets cannot be compared

# %% nbgrader={"grade": false, "grade_id": "q-human", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_human: one of "a", "b", "c", "d"
### BEGIN SOLUTION
q_human = "c"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-human", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# What 3.57% against 5.1% supports
assert q_human in ("a", "b", "c", "d"), "q_human should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_choice(q_human, "c", ["a", "b", "c", "d"], "q_human")
### END HIDDEN TESTS

# %% [markdown]
# In 2015 ResNets were first in five tracks: ImageNet classification, detection and localisation, COCO detection and segmentation. The
# margins that slides quote for four of them (16%, 27%, 11%, 12%) are *relative*: "ImageNet detection, 16% better" is 62.1% mean average
# precision against 53.6%, which is 8.5 points. Whenever you read an error, ask four things: which set, how many views,
# how many nets, relative or absolute.
#
# ## Summary
#
# | | what to remember |
# |---|---|
# | basic block | 3×3, 3×3; stride on the first; ReLU after the addition |
# | bottleneck | 1×1, 3×3, 1×1; $17C^2$ weights with $4C$ channels outside; v1: stride in the first 1×1; v1.5: in the 3×3 |
# | shortcut | identity wherever the shape stays; A zeros, B projection, C always projection |
# | stages | width doubles and resolution halves from stage 2 on; stage 1 keeps its 56 × 56 |
# | sizes | 18: 11.7 M, 1.81 GMAC · 34: 21.8 M, 3.66 · 50: 25.6 M, 4.09 (v1 3.86) · 101: 44.5 M, 7.80 (7.57) · 152: 60.2 M, 11.51 (11.28) |
# | CIFAR | $6n+2$ layers, 16-32-64, option A; 0.27 M (20) to 19.4 M (1202), which overfits |
# | recipe | He, SGD 0.9, weight decay 1e-4, learning rate 0.1 divided by 10, batch 256, BatchNorm everywhere, no dropout |
# | errors | say set, views, nets: one ResNet-152 has 4.49% (multi-scale), six nets have 3.57% (test set) |
#
# **Next:** lesson 10 asks what came after: concatenation instead of addition, attention on channels, cheaper convolutions.
#
# ## References
#
# - K. He, X. Zhang, S. Ren, J. Sun: [*Deep residual learning for image recognition*](https://arxiv.org/abs/1512.03385), CVPR 2016.
#   Architecture in table 1, the recipe in 3.4 and 4.2, errors in tables 2 to 6.
# - K. He, X. Zhang, S. Ren, J. Sun: [*Delving deep into rectifiers*](https://arxiv.org/abs/1502.01852), ICCV 2015. He initialisation.
# - X. Glorot, Y. Bengio: [*Understanding the difficulty of training deep feedforward neural networks*](https://proceedings.mlr.press/v9/glorot10a.html),
#   AISTATS 2010. Xavier initialisation.
# - S. Ioffe, C. Szegedy: [*Batch normalization*](https://arxiv.org/abs/1502.03167), ICML 2015.
# - P. Goyal et al.: [*Accurate, large minibatch SGD*](https://arxiv.org/abs/1706.02677), 2017. Zero $\gamma$, warm-up, and the stride
#   in the 3×3 convolution.
# - R. Wightman, H. Touvron, H. Jégou: [*ResNet strikes back*](https://arxiv.org/abs/2110.00476), 2021. The same ResNet-50 with a modern recipe.
# - O. Russakovsky et al.: [*ImageNet large scale visual recognition challenge*](https://arxiv.org/abs/1409.0575), IJCV 2015. The human error.
# - T.-Y. Lin et al.: [*Feature pyramid networks for object detection*](https://arxiv.org/abs/1612.03144), CVPR 2017. A ResNet as a backbone.
