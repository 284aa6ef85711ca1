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
# # 07 · Inception and GoogLeNet
#
# VGG won by stacking one kind of layer and paid with 138 million parameters. In the same contest a
# network with **one twentieth of the parameters and one tenth of the work** made fewer errors:
# GoogLeNet. It asks three questions that every later network asks too. Why choose a kernel size, if
# you can have several side by side? How do you keep a wide layer cheap? And what are those enormous
# fully connected layers good for? The answers are the *Inception module*, the *1×1 bottleneck* and *global
# average pooling*. You build all three, then the whole network out of its published table, to the
# last of 6,998,552 parameters, and find out which numbers of that table cannot be right.
#
# **Time** 4 to 5 hours · **Difficulty** ●●●○○ · **You need** lessons 02 (sizes, parameters, MACs),
# 04 (backward passes) and 06 (`nn.Module`, layer tables) · **Runs on** any laptop: the large
# network is never filled with numbers
#
# **After this lesson you can**
#
# - write a 1×1 convolution as one matrix product, and say what a bottleneck gives up;
# - count the work of parallel branches, and see why the naive module cannot be stacked;
# - build the Inception module, and GoogLeNet from its table;
# - write global average pooling with its gradient, and say what it frees a network from;
# - attach auxiliary classifiers for training and leave them out afterwards;
# - audit a published table: which rows recompute, which do not, and in which units.
#
# | part | you build | points |
# |---|---|---|
# | 1 · One pixel, all channels | `conv1x1`, `merge_reduce` | 11 |
# | 2 · The Inception module | `naive_macs`, `naive_module`, `one_bank`, `module_cost`, `Inception` | 28 |
# | 3 · The mean of a map | `gap`, `gap_backward`, `class_maps` | 11 |
# | 4 · GoogLeNet | `make_stem`, `compare`, `googlenet_body`, `googlenet`, `exact_table`, `disagree`, `separable_conv1`, `naive_growth` | 34 |
# | 5 · Auxiliary classifiers | `AuxHead`, `WithAux`, `total_loss` | 16 |
#
# **How it works.** Complete each cell that says `raise NotImplementedError`, then run the checks
# below it. Grading runs the same checks and further ones: other sizes, negative inputs, weights of
# its own that it loads into your modules *by name*, so the names in the docstrings are part of the
# task. Questions ask you to predict *before* you run the cell that shows the truth; afterwards you
# may mend your answer, for what you hand in is what counts. The check below a question only asks
# whether your answer is of the right kind. Folded cells draw and measure. In the tests,
# `@in_submission` marks a helper that runs beside your functions; it changes nothing for you.
#
# **Conventions of the whole lesson.** Layout NCHW; weights of a convolution are `(K, C, F, F)`:
# filters, input channels, kernel. One **MAC** is one multiply-add. *Weights* leave biases out, *parameters*
# include them. Memory counts the outputs of layers in float32 for one image, 1 KB = 1024 bytes. The
# papers and slides quoted here write "ops" or "FLOP" and mean MACs.

# %% tags=["parameters"]
# Scripts that run this notebook set these; leave them as they are.
seed = 0
device = "auto"
quick = False

# %%
import copy
import math
import time
from collections import OrderedDict

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
from course.data import digits
from course.plots import annotate_grid, layer_bars

# One colour for each kind of branch or layer, in every figure of the lesson
COLORS = {
    "1×1": "tab:blue",
    "reduce": "tab:cyan",
    "3×3": "tab:purple",
    "5×5": "tab:brown",
    "pool": "tab:orange",
    "FC": "tab:red",
}


# %% [markdown]
# ## Part 1 · One pixel, all channels
#
# A 3×3 convolution does two things at once: it looks at neighbours, and it mixes channels. A **1×1
# convolution** leaves out the first. At each pixel it takes the $C$ numbers that lie there on top
# of each other, one in each channel, and makes $K$ new numbers out of them, with the same matrix
# everywhere:
#
# $$ y_{k,i,j} = b_k + \sum_{c=1}^{C} w_{k,c}\, x_{c,i,j} . $$
#
# It sees no edge and no corner. What it can do is choose: 256 maps come in, 64 mixtures of them go
# out.

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axis = plt.subplots(figsize=(9.5, 2.9))
for sheet in range(6):  # the input, six channels of 4 × 4
    for row in range(4):
        for column in range(4):
            chosen = (row, column) == (1, 2)
            spot = plt.Rectangle((column * 0.5 + sheet * 0.22, row * 0.5 + sheet * 0.16), 0.5, 0.5)
            spot.set(
                facecolor="tab:orange" if chosen else "#dce6f2", edgecolor="0.5", linewidth=0.6
            )
            spot.set_zorder(10 - sheet)
            axis.add_patch(spot)
for sheet in range(3):  # the output, three channels
    for row in range(4):
        for column in range(4):
            chosen = (row, column) == (1, 2)
            spot = plt.Rectangle((9.3 + column * 0.5 + sheet * 0.22, row * 0.5 + sheet * 0.16), 0.5, 0.5)  # fmt: skip
            spot.set(facecolor="tab:green" if chosen else "#dff0df", edgecolor="0.5", linewidth=0.6)
            spot.set_zorder(10 - sheet)
            axis.add_patch(spot)
for k in range(3):  # the matrix, and one pixel's columns
    for c in range(6):
        axis.add_patch(plt.Rectangle((5.4 + c * 0.3, 1.0 + k * 0.3), 0.3, 0.3, facecolor="#eeeeee", edgecolor="0.5"))  # fmt: skip
    axis.add_patch(plt.Rectangle((8.2, 1.0 + k * 0.3), 0.3, 0.3, facecolor="tab:green", edgecolor="0.4"))  # fmt: skip
for c in range(6):
    axis.add_patch(plt.Rectangle((4.4, 0.55 + c * 0.3), 0.3, 0.3, facecolor="tab:orange", edgecolor="0.4"))  # fmt: skip
axis.annotate("", (4.3, 1.45), (3.5, 1.45), arrowprops={"arrowstyle": "->"})
axis.text(5.05, 1.45, "→", ha="center", va="center", fontsize=12)
axis.text(7.7, 1.45, "=", ha="center", va="center", fontsize=14)
axis.annotate("", (9.2, 1.45), (8.6, 1.45), arrowprops={"arrowstyle": "->"})
for place, text in {1.5: "input, C = 6 channels", 4.55: "one pixel:\nC numbers", 6.3: "the matrix, K × C:\nthe same at\nevery pixel", 8.35: "K\nnumbers", 10.6: "output, K = 3"}.items():  # fmt: skip
    low = {1.5: -0.15, 10.6: -0.15, 6.3: 0.85, 4.55: 0.4, 8.35: 0.85}[place]
    axis.text(place, low, text, ha="center", va="top", fontsize=9)
axis.set(xlim=(-0.2, 12), ylim=(-0.6, 3.2))
axis.set_aspect("equal")
axis.axis("off")
plt.show()

# %% [markdown]
# ## Exercise 1 · A batch of pixels is a matrix
#
# Write `conv1x1(x, weight, bias)` with **one matrix product** (`@`), without `F.conv2d` and without
# a loop: all pixels of all images become the rows of one matrix. `x` is `(N, C, H, W)`, `weight`
# `(K, C)`, `bias` `(K,)`; the result is `(N, K, H, W)`.
#
# *Worked example.* Two channels of 1 × 2 pixels, $(1, 2)$ and $(10, 20)$; weight
# $[[1, 1], [0, 2], [1, -1]]$, bias $(0, 0, 5)$. The pixels are $(1, 10)$ and $(2, 20)$, and the
# three output channels $(11, 22)$, $(20, 40)$, $(-4, -13)$.


# %% nbgrader={"grade": false, "grade_id": "conv1x1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv1x1(x, weight, bias):
    """A 1×1 convolution as one matrix product.

    x (N, C, H, W), weight (K, C), bias (K,) of one dtype. Returns (N, K, H, W).
    """
    ### BEGIN SOLUTION
    n, channels, height, width = x.shape
    pixels = x.permute(0, 2, 3, 1).reshape(-1, channels)  # (N·H·W, C)
    y = pixels @ weight.T + bias  # (N·H·W, K)
    return y.reshape(n, height, width, -1).permute(0, 3, 1, 2)  # (N, K, H, W)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-conv1x1-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# One image: the same matrix at every pixel
x = torch.tensor([[[[1.0, 2.0]], [[10.0, 20.0]]]])  # (1, 2, 1, 2)
weight = torch.tensor([[1.0, 1.0], [0.0, 2.0], [1.0, -1.0]])
y = conv1x1(x, weight, torch.tensor([0.0, 0.0, 5.0]))
check_close(y, [[[[11, 22]], [[20, 40]], [[-4, -13]]]], "conv1x1 of the worked example")
### BEGIN HIDDEN TESTS
random = torch.Generator().manual_seed(701)
x = torch.randn(1, 5, 4, 3, generator=random, dtype=torch.float64)
weight = torch.randn(7, 5, generator=random, dtype=torch.float64)
bias = torch.randn(7, generator=random, dtype=torch.float64)
want = F.conv2d(x, weight[:, :, None, None], bias)
check_close(conv1x1(x, weight, bias), want, "conv1x1 of one image with 5 channels")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv1x1-batch", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# A batch of rectangular images
check_shape(
    conv1x1(torch.zeros(3, 4, 2, 5), torch.zeros(6, 4), torch.zeros(6)),
    (3, 6, 2, 5),
    "conv1x1 of three images",
)
### BEGIN HIDDEN TESTS
random = torch.Generator().manual_seed(702)
for n, c, k, height, width in ((3, 4, 6, 2, 5), (4, 3, 3, 3, 3), (2, 6, 1, 5, 1), (2, 2, 5, 1, 6)):
    x = torch.randn(n, c, height, width, generator=random, dtype=torch.float64)
    weight = torch.randn(k, c, generator=random, dtype=torch.float64)
    bias = torch.randn(k, generator=random, dtype=torch.float64)
    before, want = x.clone(), F.conv2d(x, weight[:, :, None, None], bias)
    check_close(
        conv1x1(x, weight, bias), want, f"conv1x1 of a batch {(n, c, height, width)}, K={k}"
    )
    check_unchanged(x, before, "x")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **The right numbers in wrong places**: `reshape` does not move axes. First `permute` the
#   channels to the end, then flatten; on the way back first unflatten, then `permute`.
# - **Right for one image, wrong for a batch**: rows of the matrix are the pixels of *all* images,
#   image after image. Check the order of `N`, `H` and `W` on the way back.
# - **Fails where H ≠ W**: one of the two is used for both.
#
# </details>
#
# ## Question 1 · A mixture of maps
#
# Reduce 256 channels to 64 on maps of 28 × 28. How many parameters does the 1×1 convolution have
# (with biases)? How many MACs does one image cost? And how many *neighbours* (pixels other than its
# own) does an output pixel see?

# %% nbgrader={"grade": false, "grade_id": "q-mixture", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_params: parameters; q_macs: MACs (the exact number); q_neighbours: pixels
### BEGIN SOLUTION
q_params = 16_448
q_macs = 12_845_056
q_neighbours = 0
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-mixture", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Parameters, MACs and neighbours of a 1×1 convolution
for name, answer in {"q_params": q_params, "q_macs": q_macs, "q_neighbours": q_neighbours}.items():
    check_number(answer, answer, name)  # is it one number?
### BEGIN HIDDEN TESTS
check_number(q_params, 256 * 64 + 64, "q_params")
check_number(q_macs, 256 * 64 * 28 * 28, "q_macs")
check_number(q_neighbours, 0, "q_neighbours")
### END HIDDEN TESTS

# %% [markdown]
# ### A bottleneck
#
# The main use of the 1×1 convolution is to stand *before* an expensive layer. A 5×5 convolution
# from 256 to 96 channels has $25 \cdot 256 \cdot 96 = 614{,}400$ weights. Reduce to 64 channels
# first: $256 \cdot 64 + 25 \cdot 64 \cdot 96 = 169{,}984$. What did we give up? To see it, leave
# out the ReLU between the two. Then both are linear, and two linear maps in a row are one: there is *one*
# 5×5 convolution that does the same. In formulas, with the reduction $r_{m,c}$ and the kernel
# $w_{k,m,u,v}$,
#
# $$ w'_{k,c,u,v} = \sum_{m=1}^{M} w_{k,m,u,v}\; r_{m,c} . $$
#
# ## Exercise 2 · Two convolutions in one
#
# Write `merge_reduce(reduce, kernel)`: `reduce` is `(M, C)`, `kernel` `(K, M, F, F)`; return the
# `(K, C, F, F)` weights of the one convolution that equals "1×1 with `reduce`, then F×F with
# `kernel`", without biases and without a ReLU between them.
#
# *Worked example.* $C = 2$, $M = 1$, $K = 1$, $F = 1$: reduce $[[1, 2]]$ makes $x_1 + 2x_2$ out of
# two channels, kernel $[[[[3]]]]$ makes three times that. Merged: $[[[[3]], [[6]]]]$, shape
# `(1, 2, 1, 1)`.


# %% nbgrader={"grade": false, "grade_id": "merge-reduce", "locked": false, "schema_version": 3, "solution": true, "task": false}
def merge_reduce(reduce, kernel):
    """The one kernel that does what a 1×1 reduction and a convolution after it do.

    reduce (M, C), kernel (K, M, F, F). Returns (K, C, F, F).
    """
    ### BEGIN SOLUTION
    return torch.einsum("kmuv,mc->kcuv", kernel, reduce)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-merge-reduce-shape", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The merged kernel sees all input channels again
merged = merge_reduce(torch.ones(2, 7), torch.ones(5, 2, 3, 3))
check_shape(merged, (5, 7, 3, 3), "the merge of (2, 7) and (5, 2, 3, 3)")
### BEGIN HIDDEN TESTS
check_shape(merge_reduce(torch.ones(3, 4), torch.ones(6, 3, 5, 5)), (6, 4, 5, 5), "another merge")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-merge-reduce-values", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# One convolution gives what the two give
merged = merge_reduce(torch.tensor([[1.0, 2.0]]), torch.tensor([[[[3.0]]]]))
check_close(merged, [[[[3.0]], [[6.0]]]], "the merge of the worked example")
### BEGIN HIDDEN TESTS
random = torch.Generator().manual_seed(703)
for m, c, k, side in ((2, 5, 4, 3), (3, 3, 3, 1), (4, 4, 4, 5), (5, 2, 3, 3)):
    reduce = torch.randn(m, c, generator=random, dtype=torch.float64)
    kernel = torch.randn(k, m, side, side, generator=random, dtype=torch.float64)
    x = torch.randn(2, c, 6, 7, generator=random, dtype=torch.float64)
    want = F.conv2d(F.conv2d(x, reduce[:, :, None, None]), kernel, padding=side // 2)
    got = merge_reduce(reduce, kernel)
    check_shape(got, (k, c, side, side), f"the merge of {(m, c)} and {(k, m, side, side)}")
    # What the merged kernel does to an image, with the torch of the test.
    image = F.conv2d(x, torch.as_tensor(got), padding=side // 2)
    check_close(
        image, want, f"what the merge of {(m, c)} and {(k, m, side, side)} does to an image"
    )
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **A shape error**: sum over the channels in the middle, $M$. They are axis 0 of `reduce` and
#   axis 1 of `kernel`; all other axes stay. (`torch.einsum` takes such a formula as it is written.)
# - **Right only where M = C**: `reduce` is transposed.
#
# </details>
#
# ## Question 2 · What a bottleneck gives up
#
# In the merged 5×5 kernel of the text (256 → 64 → 96), take the weights at one place $(u, v)$ of
# the window: a matrix of 96 × 256. What is the *largest rank* that it can have? And what would it
# be for a 5×5 convolution from 256 to 96 channels without a bottleneck?
#
# A student says: "then the bottleneck is just a worse 5×5 convolution". Look at the middle of the
# map, far from the padding. What in the real module makes that wrong, because *no* single 5×5
# convolution, whatever its weights and its bias, can do the same there?
#
# - `"a"`: the bias of each layer
# - `"b"`: the ReLU between the 1×1 and the 5×5
# - `"c"`: the padding of 2
# - `"d"`: nothing, the student is right

# %% nbgrader={"grade": false, "grade_id": "q-rank", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_rank_bottleneck, q_rank_full: whole numbers; q_left_out: "a", "b", "c" or "d"
### BEGIN SOLUTION
q_rank_bottleneck = 64
q_rank_full = 96
q_left_out = "b"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-rank", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The rank of a bottleneck, and what makes it more than that
check_number(q_rank_bottleneck, q_rank_bottleneck, "q_rank_bottleneck")
check_number(q_rank_full, q_rank_full, "q_rank_full")
assert q_left_out in ("a", "b", "c", "d"), "q_left_out should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_number(q_rank_bottleneck, 64, "q_rank_bottleneck")
check_number(q_rank_full, 96, "q_rank_full")
check_choice(q_left_out, "b", ("a", "b", "c", "d"), "q_left_out")
### END HIDDEN TESTS

# %% tags=["illustration"]
random = torch.Generator().manual_seed(seed)
reduce, kernel = torch.randn(64, 256, generator=random), torch.randn(96, 64, 5, 5, generator=random)
merged = merge_reduce(reduce, kernel)  # (96, 256, 5, 5)
print(
    "rank at one place of the window, merged:", torch.linalg.matrix_rank(merged[:, :, 2, 2]).item()
)
free = torch.randn(96, 256, generator=random)
print("rank of a free 96 × 256 matrix:         ", torch.linalg.matrix_rank(free).item())

# %% [markdown]
# The bottleneck bets that 256 maps hold much that is said twice: that 64 mixtures carry what the
# 5×5 needs. With the ReLU between them the pair is also a small two-layer network, which no single
# linear layer can be. Biases would not do: an affine map after an affine map is affine. (Only at the
# border does a biased pair differ from one padded convolution: the 5×5 is padded with 0, where the
# reduction would have put its bias.)
#
# ## Part 2 · The Inception module
#
# A 1×1 kernel sees a point, a 3×3 its surroundings, a 5×5 more of them. An object may fill the
# image or a corner of it, so which kernel is right differs from image to image. The **Inception
# module** does not choose: it runs 1×1, 3×3, 5×5 and a max-pooling side by side on the same input
# and **concatenates** the results along the channels. The next layer takes what it finds useful.


# %% jupyter={"source_hidden": true} tags=["illustration"]
def draw_module(axis, title, columns, bottom, top):
    """Draw branches side by side: columns is a list of lists of (label, kind), from input to output."""
    axis.set(xlim=(-0.75, 3.75), ylim=(-0.75, 4.15))
    axis.axis("off")
    axis.set_title(title, fontsize=10)
    box = {"boxstyle": "round,pad=0.35", "edgecolor": "0.4", "alpha": 0.55}
    plain = {**box, "facecolor": "white", "alpha": 1}
    arrow = {"arrowstyle": "->", "color": "0.35", "shrinkA": 0, "shrinkB": 0}
    look = {"ha": "center", "va": "center", "fontsize": 8.5}
    axis.text(1.5, -0.45, bottom, bbox=plain, **look)
    axis.text(1.5, 3.85, top, bbox=plain, **look)
    for column, boxes in enumerate(columns):
        heights = [0.9, 2.2] if len(boxes) == 2 else [1.55]
        tall = [0.3 if "\n" in label else 0.18 for label, _ in boxes]
        axis.annotate("", (column, heights[0] - tall[0]), (1.5, -0.25), arrowprops=arrow)
        axis.annotate("", (1.5, 3.65), (column, heights[-1] + tall[-1]), arrowprops=arrow)
        if len(boxes) == 2:
            ends = (column, heights[1] - tall[1]), (column, heights[0] + tall[0])
            axis.annotate("", *ends, arrowprops=arrow)
        for (label, kind), height in zip(boxes, heights):
            axis.text(column, height, label, bbox={**box, "facecolor": COLORS[kind]}, **look)


figure, axes = plt.subplots(1, 2, figsize=(11.5, 4.3))
# Every 1×1 in the same colour: which of them reduce is asked below
naive = [
    [("1×1, 128", "1×1")],
    [("3×3, 192\npadding 1", "3×3")],
    [("5×5, 96\npadding 2", "5×5")],
    [("max-pool 3×3\nstride 1, padding 1", "pool")],
]
reduced = [
    [("1×1, 128", "1×1")],
    [("1×1, 64", "1×1"), ("3×3, 192\npadding 1", "3×3")],
    [("1×1, 64", "1×1"), ("5×5, 96\npadding 2", "5×5")],
    [("max-pool 3×3\nstride 1, padding 1", "pool"), ("1×1, 64", "1×1")],
]
draw_module(axes[0], "naive", naive, "input 256 × 28 × 28", "concatenation: ? × 28 × 28")
draw_module(
    axes[1], "with reductions", reduced, "input 256 × 28 × 28", "concatenation: ? × 28 × 28"
)
figure.tight_layout()
plt.show()

# %% [markdown]
# ## Question 3 · What fits on top of what
#
# To be concatenated, all branches must have maps of the same size. A slide says of the pooling
# branch that it "reduces spatial dimensions", and of the first branch, which is a 1×1 alone, that it
# is the "dimension reduction". Look at the picture of the module with reductions.
#
# - How many rows does the map of the pooling branch have, for an input of 28 × 28?
# - Which of the four 1×1 convolutions stand there for the sake of *another* layer, to make it
#   cheaper or its output narrower? A set out of `"left"` (first branch), `"before 3×3"`,
#   `"before 5×5"`, `"after pool"`.
# - How many channels come out of the concatenation, in the naive module and in the one with
#   reductions?

# %% nbgrader={"grade": false, "grade_id": "q-branches", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_pool_rows: rows; q_reductions: a set of texts; q_depth_naive, q_depth_reduced: channels
### BEGIN SOLUTION
q_pool_rows = 28
q_reductions = {"before 3×3", "before 5×5", "after pool"}
q_depth_naive = 672
q_depth_reduced = 480
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-branches", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# What the pooling branch and the reductions do
known = {"left", "before 3×3", "before 5×5", "after pool"}
assert set(q_reductions) <= known, f"q_reductions should be a set out of {sorted(known)}"
check_number(q_pool_rows, q_pool_rows, "q_pool_rows")
### BEGIN HIDDEN TESTS
check_number(q_pool_rows, 28, "q_pool_rows")
want = {"before 3×3", "before 5×5", "after pool"}
assert set(q_reductions) == want, f"q_reductions is {sorted(q_reductions)}, which is not right"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-depths", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Channels after the concatenation
check_number(q_depth_naive, q_depth_naive, "q_depth_naive")
check_number(q_depth_reduced, q_depth_reduced, "q_depth_reduced")
### BEGIN HIDDEN TESTS
check_number(q_depth_naive, 256 + 128 + 192 + 96, "q_depth_naive")
check_number(q_depth_reduced, 128 + 192 + 96 + 64, "q_depth_reduced")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3 · What the naive module costs
#
# Write two functions for the naive module on an input of `c_in` channels and `height` × `width`
# pixels, with `n1`, `n3`, `n5` filters of 1×1, 3×3 and 5×5, all of them keeping the size:
#
# - `naive_macs(c_in, n1, n3, n5, height, width)`: a tuple of the MACs of the three convolutions, in
#   this order (pooling has no multiplications);
# - `naive_depth(c_in, n1, n3, n5)`: the channels of its output.
#
# *Worked example.* 2 channels of 3 × 4, one filter each: 12 output pixels each, so
# $12 \cdot 2 \cdot 1 = 24$, $12 \cdot 2 \cdot 9 = 216$ and $12 \cdot 2 \cdot 25 = 600$ MACs. The
# depth is $1 + 1 + 1 + 2 = 5$.


# %% nbgrader={"grade": false, "grade_id": "naive-cost", "locked": false, "schema_version": 3, "solution": true, "task": false}
def naive_macs(c_in, n1, n3, n5, height, width):
    """MACs of the 1×1, the 3×3 and the 5×5 branch of a naive module, a tuple of three numbers."""
    ### BEGIN SOLUTION
    pixels = height * width
    return pixels * c_in * n1, pixels * c_in * n3 * 9, pixels * c_in * n5 * 25
    ### END SOLUTION


def naive_depth(c_in, n1, n3, n5):
    """Channels of a naive module's output: three branches of filters and the pooled input."""
    ### BEGIN SOLUTION
    return n1 + n3 + n5 + c_in
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-naive-macs", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# MACs of the three branches
check_close(naive_macs(2, 1, 1, 1, 3, 4), (24, 216, 600), "the MACs of the worked example")
### BEGIN HIDDEN TESTS
want = (25_690_112, 346_816_512, 481_689_600)
check_close(
    naive_macs(256, 128, 192, 96, 28, 28), want, "the MACs of the module in the picture", rtol=0
)
want = (3 * 7 * 35, 3 * 5 * 35 * 9, 3 * 11 * 35 * 25)
check_close(naive_macs(3, 7, 5, 11, 5, 7), want, "the MACs of a small rectangular module", rtol=0)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-naive-depth", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The depth grows by what comes in
check_number(naive_depth(2, 1, 1, 1), 5, "the depth of the worked example")
### BEGIN HIDDEN TESTS
check_number(naive_depth(256, 128, 192, 96), 672, "the depth of the module in the picture")
check_number(naive_depth(10, 3, 5, 7), 25, "the depth of a small module")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Twice too large**: a MAC is a multiplication *with* its addition.
# - **The depth is too small**: the pooling branch has no filters. It hands on all channels that
#   come in.
#
# </details>

# %%
macs = naive_macs(256, 128, 192, 96, 28, 28)
print("naive, 256×28×28:", " + ".join(f"{number:,}" for number in macs), f"= {sum(macs):,} MACs")
depths = [256]
for _ in range(4):
    depths.append(naive_depth(depths[-1], 128, 192, 96))
print("channels after 0, 1, 2, 3, 4 such modules:", depths)

# %% [markdown]
# 854 million MACs for *one* module: more than all of AlexNet (0.72 billion). And since the pooled
# channels are always all handed on, the depth can only grow, by 416 with each module, and the cost
# of the next one with it. That is why nobody stacks naive modules.
#
# ## Exercise 4 · The naive module
#
# Write `naive_module(x, w1, w3, w5)`. `x` is `(N, C, H, W)`; the weights are `(n1, C, 1, 1)`,
# `(n3, C, 3, 3)` and `(n5, C, 5, 5)`, there are no biases. Each convolution is followed by a ReLU;
# the pooling is 3×3 with stride 1 and keeps the size (its window never sees the padding: the
# maximum of $-3$ and $-2$ at a border is $-2$, not 0). Return the concatenation in the order **1×1,
# 3×3, 5×5, pooled input**, shape `(N, n1 + n3 + n5 + C, H, W)`. `F.conv2d` and `F.max_pool2d` are
# welcome here.


# %% nbgrader={"grade": false, "grade_id": "naive-module", "locked": false, "schema_version": 3, "solution": true, "task": false}
def naive_module(x, w1, w3, w5):
    """A naive Inception module: ReLU of three convolutions, and 3×3 max-pooling, side by side.

    x (N, C, H, W), w1 (n1, C, 1, 1), w3 (n3, C, 3, 3), w5 (n5, C, 5, 5), no biases.
    Returns (N, n1 + n3 + n5 + C, H, W).
    """
    ### BEGIN SOLUTION
    branches = [
        F.relu(F.conv2d(x, w1)),
        F.relu(F.conv2d(x, w3, padding=1)),
        F.relu(F.conv2d(x, w5, padding=2)),
        F.max_pool2d(x, 3, stride=1, padding=1),
    ]
    return torch.cat(branches, dim=1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-naive-module-shape", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# All branches keep the size
kernels = torch.ones(2, 3, 1, 1), torch.ones(4, 3, 3, 3), torch.ones(1, 3, 5, 5)
y = naive_module(torch.zeros(2, 3, 6, 5), *kernels)
check_shape(y, (2, 10, 6, 5), "a naive module with 2, 4 and 1 filters on 3 channels")
### BEGIN HIDDEN TESTS
check_shape(naive_module(torch.zeros(1, 3, 4, 9), *kernels), (1, 10, 4, 9), "the module on 4 × 9")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-naive-module-convs", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The three convolutions, each with its ReLU
x = torch.tensor([[[[1.0, -2.0]]]])  # (1, 1, 1, 2)
w5 = torch.zeros(1, 1, 5, 5)
w5[0, 0, 2, 4] = 1.0  # looks two pixels to the right
y = naive_module(x, torch.tensor([[[[-1.0]]]]), torch.ones(1, 1, 3, 3), w5)
check_close(y[0, :3, 0], [[0, 2], [0, 0], [0, 0]], "the three convolutions of a 1 × 2 image")
### BEGIN HIDDEN TESTS
random = torch.Generator().manual_seed(704)
x = torch.randn(2, 3, 7, 6, generator=random, dtype=torch.float64)
w1 = torch.randn(2, 3, 1, 1, generator=random, dtype=torch.float64)
w3 = torch.randn(4, 3, 3, 3, generator=random, dtype=torch.float64)
w5 = torch.randn(3, 3, 5, 5, generator=random, dtype=torch.float64)
parts = [F.conv2d(x, w1), F.conv2d(x, w3, padding=1), F.conv2d(x, w5, padding=2)]
want = torch.cat(parts, dim=1).clamp(min=0)
check_close(naive_module(x, w1, w3, w5)[:, :9], want, "the convolutions of a random module")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-naive-module-pool", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The pooled input, also where it is negative
x = torch.tensor([[[[-3.0, -2.0, -9.0, -8.0]]]])  # (1, 1, 1, 4)
one = torch.ones(1, 1, 1, 1)
y = naive_module(x, one, torch.ones(1, 1, 3, 3), torch.ones(1, 1, 5, 5))
check_close(y[0, 3, 0], [-2, -2, -2, -8], "the pooled channel of a negative image")
### BEGIN HIDDEN TESTS
random = torch.Generator().manual_seed(705)
x = torch.randn(2, 3, 5, 6, generator=random, dtype=torch.float64) - 2
before = x.clone()
padded = F.pad(x, (1, 1, 1, 1), value=-np.inf)
want = torch.stack([padded[:, :, i : i + 5, j : j + 6] for i in range(3) for j in range(3)]).amax(
    dim=0
)
kernels = [torch.ones(2, 3, side, side, dtype=torch.float64) for side in (1, 3, 5)]
check_close(naive_module(x, *kernels)[:, 6:], want, "the pooled channels of a random image")
check_unchanged(x, before, "x")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **"Sizes of tensors must match"**: a kernel of side $F$ keeps the size with padding $(F - 1)/2$.
#   `F.max_pool2d` has a stride of its *window* unless you say otherwise.
# - **The number of images grows**: you concatenate along the batch. Channels are axis 1.
# - **The pooled channels are 0 where they should be negative**: no ReLU after the pooling, and no
#   zeros around it. The padding of `F.max_pool2d` counts as $-\infty$.
#
# </details>
#
# ### One 5×5 bank
#
# A 1×1 kernel is a 5×5 kernel with zeros around its middle. So the three convolutions are *one* 5×5
# convolution, in which most of the weights are zero by design. Here are six filters, two of each
# kind:

# %% jupyter={"source_hidden": true} tags=["illustration"]
random = np.random.default_rng(seed)
figure, axes = plt.subplots(1, 6, figsize=(9.5, 1.9))
for place, axis in enumerate(axes):
    side = (1, 3, 5)[place // 2]
    kernel = np.full((5, 5), np.nan)
    edge = (5 - side) // 2
    kernel[edge : 5 - edge, edge : 5 - edge] = random.normal(size=(side, side))
    axis.imshow(kernel, cmap="RdBu", vmin=-2.5, vmax=2.5)
    axis.set_facecolor("0.82")  # a weight near zero is white
    axis.set_xticks(np.arange(-0.5, 5), labels=[])
    axis.set_yticks(np.arange(-0.5, 5), labels=[])
    axis.grid(color="0.65", linewidth=0.8)
    axis.tick_params(length=0)
    axis.set_title(f"{side}×{side}", fontsize=10)
figure.suptitle("gray: zero by design", y=0.06, fontsize=9)
plt.show()

# %% [markdown]
# ## Exercise 5 · Three banks in one
#
# Write `one_bank(w1, w3, w5)`: the `(n1 + n3 + n5, C, 5, 5)` weights of the one convolution that,
# with padding 2, gives the three convolutions of the naive module (before the ReLU) in the same
# order.


# %% nbgrader={"grade": false, "grade_id": "one-bank", "locked": false, "schema_version": 3, "solution": true, "task": false}
def one_bank(w1, w3, w5):
    """The three kernel banks of a naive module as one bank of 5×5 kernels.

    w1 (n1, C, 1, 1), w3 (n3, C, 3, 3), w5 (n5, C, 5, 5). Returns (n1 + n3 + n5, C, 5, 5).
    """
    ### BEGIN SOLUTION
    return torch.cat([F.pad(w1, (2, 2, 2, 2)), F.pad(w3, (1, 1, 1, 1)), w5])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-one-bank", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# One 5×5 convolution gives all three
bank = one_bank(torch.ones(1, 2, 1, 1), torch.ones(3, 2, 3, 3), torch.ones(2, 2, 5, 5))
check_shape(bank, (6, 2, 5, 5), "the bank of 1, 3 and 2 kernels")
### BEGIN HIDDEN TESTS
random = torch.Generator().manual_seed(706)
w1 = torch.randn(2, 3, 1, 1, generator=random, dtype=torch.float64)
w3 = torch.randn(4, 3, 3, 3, generator=random, dtype=torch.float64)
w5 = torch.randn(3, 3, 5, 5, generator=random, dtype=torch.float64)
want = torch.zeros(9, 3, 5, 5, dtype=torch.float64)
want[:2, :, 2, 2], want[2:6, :, 1:4, 1:4], want[6:] = w1[:, :, 0, 0], w3, w5
check_close(one_bank(w1, w3, w5), want, "the bank of 2, 4 and 3 random kernels")
### END HIDDEN TESTS

# %% [markdown]
# ## Question 4 · Zeros by design
#
# In the module of the picture (128, 192 and 96 filters), how many percent of the numbers in the one
# bank are zero by design (within half a percent)?

# %% nbgrader={"grade": false, "grade_id": "q-zeros", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_zeros: percent
### BEGIN SOLUTION
q_zeros = 59.1
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-zeros", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The share of zeros in the bank
check_number(q_zeros, q_zeros, "q_zeros")
### BEGIN HIDDEN TESTS
check_number(q_zeros, 59.077, "q_zeros", rtol=0.5 / 59)
### END HIDDEN TESTS

# %%
bank = one_bank(torch.ones(128, 1, 1, 1), torch.ones(192, 1, 3, 3), torch.ones(96, 1, 5, 5))
print(
    f"{(bank == 0).float().mean():.2%} of {bank.numel():,} numbers for each input channel are zero"
)

# %% [markdown]
# Szegedy and others came from there: theory wanted *sparse* layers, hardware wants *dense*
# matrices. The module is a layer with structured zeros, computed as a few dense ones.
#
# ## Exercise 6 · What the real module costs
#
# Now the module with reductions. GoogLeNet's table describes a module by six numbers, in this
# order:
#
# `row = (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj)`
#
# The module on the right of the picture is `(128, 64, 192, 64, 96, 64)`. It has six convolutions;
# we call them by these names, here and in the next exercise:
#
# | name | kernel | from | to |
# |---|---|---|---|
# | `"one"` | 1×1 | input | `row[0]` |
# | `"reduce3"` | 1×1 | input | `row[1]` |
# | `"three"` | 3×3 | `reduce3` | `row[2]` |
# | `"reduce5"` | 1×1 | input | `row[3]` |
# | `"five"` | 5×5 | `reduce5` | `row[4]` |
# | `"project"` | 1×1 | pooled input | `row[5]` |
#
# Write `module_cost(c_in, row, height, width)`: a dict that gives, for each name in the table's
# order, the tuple **(weights, biases, MACs)** of that convolution. All of them keep the size.
#
# *Worked example.* `module_cost(2, (1, 3, 1, 1, 1, 1), 1, 2)["three"]` is `(27, 1, 54)`: 3 × 3 × 3
# weights and one bias, on two output pixels.


# %% nbgrader={"grade": false, "grade_id": "module-cost", "locked": false, "schema_version": 3, "solution": true, "task": false}
def module_cost(c_in, row, height, width):
    """What the six convolutions of an Inception module cost: name → (weights, biases, MACs).

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Names: "one", "reduce3", "three", "reduce5", "five", "project".
    """
    ### BEGIN SOLUTION
    n1, r3, n3, r5, n5, pool = row
    convs = {
        "one": (1, c_in, n1),
        "reduce3": (1, c_in, r3),
        "three": (3, r3, n3),
        "reduce5": (1, c_in, r5),
        "five": (5, r5, n5),
        "project": (1, c_in, pool),
    }
    cost = {}
    for name, (side, incoming, filters) in convs.items():
        weights = side * side * incoming * filters
        cost[name] = (weights, filters, weights * height * width)
    return cost
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-module-cost-weights", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Weights and biases of the six convolutions
cost = module_cost(2, (1, 3, 1, 1, 1, 1), 1, 2)
names = ["one", "reduce3", "three", "reduce5", "five", "project"]
assert list(cost) == names, f"the names are {list(cost)}"
check_close(cost["three"][:2], (27, 1), "weights and biases of the 3×3 of the worked example")
### BEGIN HIDDEN TESTS
cost = module_cost(7, (2, 3, 5, 4, 6, 8), 1, 1)
got = [cost[name][:2] for name in names]
want = [(14, 2), (21, 3), (135, 5), (28, 4), (600, 6), (56, 8)]
check_close(got, want, "weights and biases of a small module", rtol=0)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-module-cost-macs", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The MACs of the six convolutions
names = ["one", "reduce3", "three", "reduce5", "five", "project"]
cost = module_cost(2, (1, 3, 1, 1, 1, 1), 1, 2)
check_number(cost["one"][2], 4, "the MACs of the 1×1 branch of the worked example")
### BEGIN HIDDEN TESTS
cost = module_cost(256, (128, 64, 192, 64, 96, 64), 28, 28)
want = [25_690_112, 12_845_056, 86_704_128, 12_845_056, 120_422_400, 12_845_056]
check_close(
    [cost[name][2] for name in names], want, "the MACs of the module in the picture", rtol=0
)
cost = module_cost(7, (2, 3, 5, 4, 6, 8), 5, 3)
want = [14 * 15, 21 * 15, 135 * 15, 28 * 15, 600 * 15, 56 * 15]
check_close([cost[name][2] for name in names], want, "the MACs of a small module", rtol=0)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **`three` and `five` are too large**: after a reduction a filter sees the *reduced* channels.
# - **`project` is too small**: pooling keeps the channels, all of them.
#
# </details>
#
# ## Question 5 · 358 million
#
# A slide, copied from course to course, lists exactly the six products of the module in the picture
# and ends: "Total: 358M ops, compared to 854M for the naive version". Add up your six numbers.
#
# - What is the right sum, in millions (within half a million)?
# - The printed total counts one of the six twice. Which one? Give its name.
# - By which factor is the module cheaper than the naive one (854,196,224 MACs), within 0.02?

# %% nbgrader={"grade": false, "grade_id": "q-358", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_right_sum: millions of MACs; q_twice: one of the six names; q_factor: a number
### BEGIN SOLUTION
q_right_sum = 271.35
q_twice = "three"
q_factor = 3.15
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-358", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The right sum, what was counted twice, and the saving
names = ("one", "reduce3", "three", "reduce5", "five", "project")
assert q_twice in names, f"q_twice should be one of {names}"
check_number(q_right_sum, q_right_sum, "q_right_sum")
check_number(q_factor, q_factor, "q_factor")
### BEGIN HIDDEN TESTS
check_number(q_right_sum, 271.352, "q_right_sum", rtol=0.5 / 271)
check_choice(q_twice, "three", names, "q_twice")
check_number(q_factor, 854_196_224 / 271_351_808, "q_factor", rtol=0.02 / 3.15)
### END HIDDEN TESTS

# %%
cost = module_cost(256, (128, 64, 192, 64, 96, 64), 28, 28)
right = sum(macs for *_, macs in cost.values())
print(f"sum: {right:,} MACs, {854_196_224 / right:.2f} times cheaper than the naive module")
for name, (*_, macs) in cost.items():
    print(f"  {name:8} {macs:>12,}   counted twice: {(right + macs) / 1e6:.1f}M")

# %% jupyter={"source_hidden": true} tags=["illustration"]
naive = dict(zip(("one", "three", "five"), naive_macs(256, 128, 192, 96, 28, 28)))
names = list(cost)
bars = {
    "naive, million MACs": [naive.get(name, 0) / 1e6 for name in names],
    "reduced, million MACs": [cost[name][2] / 1e6 for name in names],
    "reduced, thousand weights": [cost[name][0] / 1e3 for name in names],
}
kinds = ["1×1", "reduce", "3×3", "reduce", "5×5", "reduce"]
figure = layer_bars(names, bars, colors=[COLORS[kind] for kind in kinds], title="One module on 256 × 28 × 28")  # fmt: skip
for axis in figure.axes[:2]:
    axis.set_xlim(0, 600)
plt.show()

# %% [markdown]
# The reductions take away three quarters of the 3×3 and of the 5×5 branch and cost 26 million MACs
# themselves; the projection costs 13 million and cuts the pooled channels from 256 to 64.
#
# ## Exercise 7 · The Inception module
#
# Write the class `Inception(c_in, row)`, an `nn.Module` with six `nn.Conv2d`, **named as in
# Exercise 6** (`self.one`, `self.reduce3` … `self.project`), all with biases. Its `forward` maps
# `(N, c_in, H, W)` to `(N, row[0] + row[2] + row[4] + row[5], H, W)`:
#
# - a **ReLU after each** of the six convolutions, those that reduce included;
# - 3×3 max-pooling with stride 1 that keeps the size, before `project`;
# - the concatenation in the order `one`, `three`, `five`, `project`.


# %% nbgrader={"grade": false, "grade_id": "inception", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        ### BEGIN SOLUTION
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)
        ### END SOLUTION

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        ### BEGIN SOLUTION
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=1)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-inception-weights", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The six convolutions: their names and shapes
state = Inception(4, (2, 1, 3, 1, 2, 1)).state_dict()
want = [f"{name}.{part}" for name in ("one", "reduce3", "three", "reduce5", "five", "project") for part in ("weight", "bias")]  # fmt: skip
assert sorted(state) == sorted(want), f"the module holds {sorted(state)}"
check_shape(state["three.weight"], (3, 1, 3, 3), "three.weight of Inception(4, (2, 1, 3, 1, 2, 1))")
### BEGIN HIDDEN TESTS
state = Inception(7, (2, 3, 5, 4, 6, 8)).state_dict()
for name, shape in {"one": (2, 7, 1, 1), "reduce3": (3, 7, 1, 1), "three": (5, 3, 3, 3), "reduce5": (4, 7, 1, 1), "five": (6, 4, 5, 5), "project": (8, 7, 1, 1)}.items():  # fmt: skip
    check_shape(
        state[f"{name}.weight"], shape, f"{name}.weight of Inception(7, (2, 3, 5, 4, 6, 8))"
    )
    check_shape(
        state[f"{name}.bias"], shape[:1], f"{name}.bias of Inception(7, (2, 3, 5, 4, 6, 8))"
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-inception-shape", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The channels of four branches, on maps of any size
module = Inception(4, (2, 1, 3, 1, 2, 1))
check_shape(
    module(torch.zeros(2, 4, 6, 5)), (2, 8, 6, 5), "Inception(4, (2, 1, 3, 1, 2, 1)) on 6 × 5"
)
### BEGIN HIDDEN TESTS
module = Inception(7, (2, 3, 5, 4, 6, 8))
for size in ((1, 7, 1, 9), (3, 7, 4, 4), (2, 7, 7, 3)):
    check_shape(module(torch.zeros(size)), (size[0], 21, *size[2:]), f"Inception(7, …) on {size}")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-inception-branches", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Each branch in its place, with our weights
row = (2, 3, 4, 2, 3, 5)
module = Inception(3, row)
y = module(torch.ones(1, 3, 2, 2))
assert float(y.detach().min()) >= 0, "each branch ends in a ReLU: no output is negative"
### BEGIN HIDDEN TESTS
random = torch.Generator().manual_seed(707)
shapes = {"one": (2, 3, 1, 1), "reduce3": (3, 3, 1, 1), "three": (4, 3, 3, 3), "reduce5": (2, 3, 1, 1), "five": (3, 2, 5, 5), "project": (5, 3, 1, 1)}  # fmt: skip
state = {}
for name, shape in shapes.items():
    state[f"{name}.weight"] = torch.randn(shape, generator=random, dtype=torch.float64)
    state[f"{name}.bias"] = torch.randn(shape[0], generator=random, dtype=torch.float64)
x = torch.randn(2, 3, 7, 5, generator=random, dtype=torch.float64) - 0.5
before = x.clone()


def conv(name, u):
    kernel = state[f"{name}.weight"]
    return F.conv2d(u, kernel, state[f"{name}.bias"], padding=kernel.shape[-1] // 2).clamp(min=0)


padded = F.pad(x, (1, 1, 1, 1), value=-np.inf)
pooled = torch.stack([padded[:, :, i : i + 7, j : j + 5] for i in range(3) for j in range(3)]).amax(
    dim=0
)
want = {
    "one": conv("one", x),
    "three": conv("three", conv("reduce3", x)),
    "five": conv("five", conv("reduce5", x)),
    "project": conv("project", pooled),
}
module.double()
module.load_state_dict(state)
y = module(x)
start = 0
for name, part in want.items():
    check_close(y[:, start : start + part.shape[1]], part, f"the branch {name} in its place")
    start += part.shape[1]
check_unchanged(x, before, "x")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-inception-learns", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Every convolution receives a gradient


@in_submission
def gradients(make):
    """Which parameters of a module get a gradient, and the sum of |gradient| for the input."""
    import torch

    torch.manual_seed(708)
    module = make(3, (2, 3, 4, 2, 3, 5))
    x = torch.randn(2, 3, 6, 5, requires_grad=True)
    module(x).square().sum().backward()
    empty = [
        name
        for name, value in module.named_parameters()
        if value.grad is None or float(value.grad.abs().sum()) == 0
    ]
    return empty, 0.0 if x.grad is None else float(x.grad.abs().sum())


empty, reached = gradients(Inception)
assert not empty, f"no gradient arrives at {empty}"
assert reached > 0, "no gradient arrives at the module's input"

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Unexpected names**: the convolutions are attributes of the module itself (`self.three`), not
#   in a list or an `nn.Sequential`.
# - **A branch differs in its place**: the order is `one`, `three`, `five`, `project`.
# - **`three` differs, `one` does not**: is there a ReLU after the reduction?
# - **`project` differs at the border**: pool first, then project, and let `F.max_pool2d` do its own
#   padding.
#
# </details>
#
# ## Part 3 · The mean of a map
#
# AlexNet and VGG end in fully connected (FC) layers: the last maps are flattened into one long
# vector, and each number of it has weights of its own. That costs 96% (AlexNet) and 89% (VGG-16) of
# their parameters, and it nails down the size of the image: another size gives a vector of another
# length, for which there are no weights. **Global average pooling** (GAP, Lin and others 2013)
# makes *one* number out of each map, its mean, however large the map is:
#
# $$ y_c = \frac{1}{HW} \sum_{i,j} x_{c,i,j}, \qquad C \times H \times W \;\to\; C \times 1 \times 1 . $$

# %% jupyter={"source_hidden": true} tags=["illustration"]
random = np.random.default_rng(5)
figure, axes = plt.subplots(1, 5, figsize=(11, 2.5), width_ratios=[3, 1, 0.5, 4, 1])
for first, (height, width) in {0: (3, 3), 3: (4, 5)}.items():
    grid = random.integers(0, 10, (height, width)).astype(float)
    grid[-1, -1] += -grid.sum() % (height * width)  # a mean without decimals
    annotate_grid(axes[first], grid)
    annotate_grid(axes[first + 1], [[grid.mean()]])
    axes[first].set_title(f"a map, {height} × {width}", fontsize=10)
    axes[first + 1].set_title("its mean", fontsize=10)
axes[2].axis("off")
plt.show()

# %% [markdown]
# ## Question 6 · An image of another size
#
# VGG-16 halves the image five times and ends with 512 maps; `fc6` has 25,088 inputs, made for 224 × 224.
# How many numbers arrive there for an image of **256 × 320**? GoogLeNet halves five times as well
# and ends with 1,024 maps and GAP. How many numbers arrive at its linear layer for that image?

# %% nbgrader={"grade": false, "grade_id": "q-other-size", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_arrive_vgg, q_arrive_gap: how many numbers
### BEGIN SOLUTION
q_arrive_vgg = 40_960
q_arrive_gap = 1024
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-other-size", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# What arrives at the linear layer, for an image of another size
check_number(q_arrive_vgg, q_arrive_vgg, "q_arrive_vgg")
check_number(q_arrive_gap, q_arrive_gap, "q_arrive_gap")
### BEGIN HIDDEN TESTS
check_number(q_arrive_vgg, 512 * (256 // 32) * (320 // 32), "q_arrive_vgg")
check_number(q_arrive_gap, 1024, "q_arrive_gap")
### END HIDDEN TESTS

# %%
halvings = nn.Sequential(*[nn.MaxPool2d(2) for _ in range(5)])
for size in ((224, 224), (256, 320)):
    maps = halvings(torch.zeros(1, 512, *size, device="meta"))  # (1, 512, H/32, W/32)
    print(
        f"image {size}: maps {tuple(maps.shape)}, flattened {maps[0].numel():,}, GAP {maps.shape[1]}"
    )

# %% [markdown]
# ## Exercise 8 · GAP and its gradient
#
# Write, without autograd and without PyTorch's pooling layers,
#
# - `gap(x)`: `(N, C, H, W)` → `(N, C)`, the mean of each map (`nn.AdaptiveAvgPool2d((1, 1))` gives
#   the same numbers in the shape `(N, C, 1, 1)`);
# - `gap_backward(dy, shape)`: `dy` is the gradient of the loss with respect to the output,
#   `(N, C)`; `shape` is the `(N, C, H, W)` of the input. Return the gradient with respect to the
#   input.
#
# *Worked example.* One map of 2 × 3 with the sum 12: the mean is 2. With `dy` = 18 each of the six
# pixels receives $18 / 6 = 3$: all get an equal share, for all counted equally.


# %% nbgrader={"grade": false, "grade_id": "gap", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gap(x):
    """Global average pooling: x (N, C, H, W) → (N, C)."""
    ### BEGIN SOLUTION
    return x.mean(dim=(2, 3))
    ### END SOLUTION


def gap_backward(dy, shape):
    """The gradient for GAP's input: dy (N, C), shape (N, C, H, W) of the input → a tensor of that shape."""
    ### BEGIN SOLUTION
    height, width = shape[2:]
    return (dy / (height * width))[:, :, None, None].repeat(1, 1, height, width)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-gap", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The mean of each map, whatever its size
x = torch.tensor([[[[0.0, 1.0, 2.0], [3.0, 4.0, 2.0]]]])
check_close(gap(x), [[2.0]], "gap of the worked example")
### BEGIN HIDDEN TESTS
random = torch.Generator().manual_seed(720)
for shape in ((2, 3, 4, 5), (3, 2, 7, 1), (4, 4, 3, 3), (1, 5, 1, 1)):
    x = torch.randn(shape, generator=random, dtype=torch.float64)
    before = x.clone()
    want = np.array([[plane.sum() / plane.size for plane in image] for image in x.numpy()])
    check_close(gap(x), want, f"gap of {shape}")
    check_unchanged(x, before, "x")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-gap-backward", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Its gradient: equal shares
dx = gap_backward(torch.tensor([[18.0]]), (1, 1, 2, 3))
check_close(dx, np.full((1, 1, 2, 3), 3.0), "gap_backward of the worked example")
### BEGIN HIDDEN TESTS
random = torch.Generator().manual_seed(721)
for n, c, height, width in ((2, 3, 4, 5), (3, 2, 1, 6), (3, 3, 3, 3)):
    dy = torch.randn(n, c, generator=random, dtype=torch.float64)
    want = np.einsum("nc,hw->nchw", dy.numpy(), np.full((height, width), 1 / (height * width)))
    got = gap_backward(dy, (n, c, height, width))
    check_close(got, want, f"gap_backward for {(n, c, height, width)}")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **The shape is (N, H, W)**: you average over the channels. The mean is over rows and columns,
#   axes 2 and 3.
# - **The gradient is too large by H·W**: a pixel contributes $1/(HW)$ of itself to the mean.
# - **A broadcasting error**: `dy[:, :, None, None]` has the shape `(N, C, 1, 1)`.
#
# </details>
#
# ## Question 7 · What the head costs
#
# Two heads, from a slide that compares them (memory of the outputs in KB; parameters in thousands):
#
# | GoogLeNet | KB | params (K) | | VGG-16 | KB | params (K) |
# |---|---|---|---|---|---|---|
# | avg-pool 7×7 → 1024 | 4 | 0 | | flatten → 25,088 | 98 | |
# | fc → 1000 | | 1025 | | fc6 → 4096 | 16 | 102,760 |
# | | | | | fc7 → 4096 | 16 | 16,777 |
# | | | | | fc8 → 1000 | 4 | 4,096 |
#
# One of the two columns of parameters was counted with biases, the other without: which network's
# is *with*? How many **weights** (no biases) do VGG's three FC layers have together (the exact
# number), and how many *times* as many is that as the weights of GoogLeNet's linear layer (within 0.5)?

# %% nbgrader={"grade": false, "grade_id": "q-heads", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_with_biases: "GoogLeNet" or "VGG-16"; q_vgg_head: weights; q_head_ratio: a number
### BEGIN SOLUTION
q_with_biases = "GoogLeNet"
q_vgg_head = 123_633_664
q_head_ratio = 120.7
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-heads", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Two heads in one convention
options = ("GoogLeNet", "VGG-16")
assert q_with_biases in options, f"q_with_biases should be one of {options}"
check_number(q_vgg_head, q_vgg_head, "q_vgg_head")
check_number(q_head_ratio, q_head_ratio, "q_head_ratio")
### BEGIN HIDDEN TESTS
check_choice(q_with_biases, "GoogLeNet", options, "q_with_biases")
check_number(q_vgg_head, 25_088 * 4096 + 4096 * 4096 + 4096 * 1000, "q_vgg_head")
check_number(q_head_ratio, 123_633_664 / 1_024_000, "q_head_ratio", rtol=0.5 / 120)
### END HIDDEN TESTS

# %%
heads = {"VGG-16": (25_088, 4096, 4096, 1000), "GoogLeNet": (1024, 1000)}
for name, sizes in heads.items():
    weights = sum(a * b for a, b in zip(sizes, sizes[1:]))
    print(f"{name:10} {weights:>12,} weights, {weights + sum(sizes[1:]):>12,} with biases")

# %% [markdown]
# So "no FC layers", as slides say of GoogLeNet and ResNet, is not quite true: both end in **one**
# linear layer. What is gone is the stack of large hidden ones.
#
# ### The linear layer could have come first
#
# GAP and the linear layer after it are both linear, so their order does not matter: apply the
# linear layer *at every pixel* (a 1×1 convolution!), then average. The maps in between are **class
# activation maps** (Zhou and others 2016): map $k$ shows where in the image the score of class $k$
# comes from. A network with GAP can point at what it has recognised, though nobody ever told it
# where anything was.
#
# ## Exercise 9 · Class activation maps
#
# Write `class_maps(maps, weight, bias)`: `maps` is `(N, C, H, W)`, the last maps before GAP;
# `weight` `(K, C)` and `bias` `(K,)` are the linear layer's. Return `(N, K, H, W)`: the linear
# layer at every pixel, so that the mean of each class map **is** the logit of its class. (Exercise
# 1 may help.)


# %% nbgrader={"grade": false, "grade_id": "class-maps", "locked": false, "schema_version": 3, "solution": true, "task": false}
def class_maps(maps, weight, bias):
    """The linear layer (weight (K, C), bias (K,)) at every pixel of maps (N, C, H, W): (N, K, H, W)."""
    ### BEGIN SOLUTION
    return conv1x1(maps, weight, bias)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-class-maps", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The linear layer at every pixel, so that the mean is the logit
maps = torch.tensor([[[[1.0, 0.0]], [[0.0, 4.0]]]])  # (1, 2, 1, 2)
got = class_maps(maps, torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0.5, -1.0]))
check_close(got, [[[[2.5, 0.5]], [[-1.0, 3.0]]]], "the class maps of two pixels")
### BEGIN HIDDEN TESTS
random = torch.Generator().manual_seed(722)
maps = torch.randn(3, 4, 5, 2, generator=random, dtype=torch.float64)
weight = torch.randn(6, 4, generator=random, dtype=torch.float64)
bias = torch.randn(6, generator=random, dtype=torch.float64)
want = F.linear(maps.permute(0, 2, 3, 1), weight, bias).permute(0, 3, 1, 2)
check_close(class_maps(maps, weight, bias), want, "the class maps of three images")
### END HIDDEN TESTS

# %% [markdown]
# ## Question 8 · Who else?
#
# Networks that end in global average pooling and one linear layer, out of `"AlexNet"`, `"VGG-16"`,
# `"GoogLeNet"`, `"ResNet-50"`, `"LeNet-5"`, `"MobileNet"`, `"SENet"`: a set of names. (ResNet, of
# 2015, and MobileNet and SENet, of 2017, are still to come in this course. Hardly any
# network designed after 2014 had large FC layers; VGG-16 was among the last. Another way to ask:
# which of them accept an image of another size as they are?)

# %% nbgrader={"grade": false, "grade_id": "q-gap-nets", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_gap_nets: a set of names
### BEGIN SOLUTION
q_gap_nets = {"GoogLeNet", "ResNet-50", "MobileNet", "SENet"}
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-gap-nets", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The networks that end in global average pooling
known = {"AlexNet", "VGG-16", "GoogLeNet", "ResNet-50", "LeNet-5", "MobileNet", "SENet"}
assert set(q_gap_nets) <= known, f"q_gap_nets should be a set out of {sorted(known)}"
### BEGIN HIDDEN TESTS
want = {"GoogLeNet", "ResNet-50", "MobileNet", "SENet"}
assert set(q_gap_nets) == want, f"q_gap_nets is {sorted(q_gap_nets)}, which is not right"
### END HIDDEN TESTS

# %% [markdown]
# ## Part 4 · GoogLeNet
#
# The name is a bow to LeNet; the network is the one that won ILSVRC 2014. Nine Inception modules in
# three stages on maps of 28, 14 and 7 pixels, behind a short stack of ordinary layers, the **stem**,
# and before GAP and one linear layer. Here is the table that everybody reprints (from the paper,
# with the printed parameters and "ops"):
#
# | | out | #1×1 | #3×3 red. | #3×3 | #5×5 red. | #5×5 | pool proj | params | ops |
# |---|---|---|---|---|---|---|---|---|---|
# | conv 7×7/2 | 64 × 112 | | | | | | | 2.7K | 34M |
# | max-pool 3×3/2 | 64 × 56 | | | | | | | | |
# | conv 3×3/1 | 192 × 56 | | 64 | 192 | | | | 112K | 360M |
# | max-pool 3×3/2 | 192 × 28 | | | | | | | | |
# | inception 3a | 256 × 28 | 64 | 96 | 128 | 16 | 32 | 32 | 159K | 128M |
# | inception 3b | 480 × 28 | 128 | 128 | 192 | 32 | 96 | 64 | 380K | 304M |
# | max-pool 3×3/2 | 480 × 14 | | | | | | | | |
# | inception 4a | 512 × 14 | 192 | 96 | 208 | 16 | 48 | 64 | 364K | 73M |
# | inception 4b | 512 × 14 | 160 | 112 | 224 | 24 | 64 | 64 | 437K | 88M |
# | inception 4c | 512 × 14 | 128 | 128 | 256 | 24 | 64 | 64 | 463K | 100M |
# | inception 4d | 528 × 14 | 112 | 144 | 288 | 32 | 64 | 64 | 580K | 119M |
# | inception 4e | 832 × 14 | 256 | 160 | 320 | 32 | 128 | 128 | 840K | 170M |
# | max-pool 3×3/2 | 832 × 7 | | | | | | | | |
# | inception 5a | 832 × 7 | 256 | 160 | 320 | 32 | 128 | 128 | 1072K | 54M |
# | inception 5b | 1024 × 7 | 384 | 192 | 384 | 48 | 128 | 128 | 1388K | 71M |
# | avg-pool 7×7 | 1024 × 1 | | | | | | | | |
# | dropout 40%, linear | 1000 | | | | | | | 1000K | 1M |
#
# The next cell has it as Python, and gives you the engine of lesson 06 with one more column: the *comparisons*
# of max-pooling layers (window size times output numbers), which one of the tables below counts as
# "flop".

# %% nbgrader={"grade": false, "grade_id": "given", "locked": true, "schema_version": 3, "solution": false, "task": false}
# key: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj); the digit of the key is the stage
TABLE = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
# As printed: params in K, ops in M
PRINTED = {
    "3a": {"params": 159, "ops": 128},
    "3b": {"params": 380, "ops": 304},
    "4a": {"params": 364, "ops": 73},
    "4b": {"params": 437, "ops": 88},
    "4c": {"params": 463, "ops": 100},
    "4d": {"params": 580, "ops": 119},
    "4e": {"params": 840, "ops": 170},
    "5a": {"params": 1072, "ops": 54},
    "5b": {"params": 1388, "ops": 71},
}


def layer_table(net, in_shape):
    """One dict for each call of each layer, in order: name, kind, out, kb, params, macs, compares."""
    shadow = copy.deepcopy(net).to("meta").eval()
    rows, seen = [], set()

    def reporter(name):
        def hook(layer, inputs, output):
            out, macs, compares = tuple(output.shape[1:]), 0, 0
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                macs = layer.weight[0].numel() * math.prod(out)  # weights of a filter × outputs
            if isinstance(layer, nn.MaxPool2d):
                compares = layer.kernel_size**2 * math.prod(out)
            params = 0 if layer in seen else sum(p.numel() for p in layer.parameters())
            seen.add(layer)
            row = {"name": name, "kind": type(layer).__name__, "out": out}
            row |= {"kb": 4 * math.prod(out) / 1024, "params": params}
            rows.append(row | {"macs": macs, "compares": compares})

        return hook

    for name, layer in shadow.named_modules():
        if not list(layer.children()):
            layer.register_forward_hook(reporter(name))
    shadow(torch.empty(1, *in_shape, device="meta"))
    return rows


def total(rows, column, kinds=None):
    """The sum of a column over all rows, or over those whose kind is in kinds."""
    return sum(row[column] for row in rows if kinds is None or row["kind"] in kinds)


KINDS = ("Conv2d", "MaxPool2d", "Linear")  # what tables print and figures draw


def print_table(rows):
    """Print a table, one line for each row of KINDS, and the sums of these rows."""
    print(
        f"{'layer':10}{'out':>12}{'KB':>8}{'params':>10}{'million MACs':>15}{'million compares':>18}"
    )
    for row in rows:
        if row["kind"] in KINDS:
            out = "×".join(str(number) for number in row["out"])
            line = f"{row['name']:10}{out:>12}{row['kb']:>8.0f}{row['params']:>10,}"
            print(f"{line}{row['macs'] / 1e6:>15.2f}{row['compares'] / 1e6:>18.2f}")
    kb, params = total(rows, "kb", KINDS), total(rows, "params", KINDS)
    macs, compares = (total(rows, column, KINDS) / 1e6 for column in ("macs", "compares"))
    print(f"sum: {kb:,.0f} KB = {kb / 1024:.2f} MB, {params:,} parameters,", end=" ")
    print(f"{macs:.1f} + {compares:.1f} = {macs + compares:.1f} million")


def vgg_front():
    """VGG-16 from the image to pool3, that is, from 224 to 28 pixels; no ReLUs, they cost nothing."""
    layers, c_in = OrderedDict(), 3
    for stage, (width, convs) in enumerate(((64, 2), (128, 2), (256, 3)), start=1):
        for number in range(1, convs + 1):
            layers[f"conv{stage}_{number}"] = nn.Conv2d(c_in, width, 3, padding=1)
            c_in = width
        layers[f"pool{stage}"] = nn.MaxPool2d(2, 2)
    return nn.Sequential(layers)


# %% [markdown]
# ## Exercise 10 · The stem
#
# "Aggressive": it takes the image from 224 to 28 pixels in three convolutions. Write
# `make_stem(widths=(64, 64, 192), c_in=3)`: an `nn.Sequential` of these layers under these names,
# in this order (`nn.Sequential(OrderedDict(conv1=…, …))`); `a`, `b`, `c` are the three widths. All
# convolutions have biases.
#
# | names, in order | layers |
# |---|---|
# | `conv1` `relu1` `pool1` | `c_in` → a, kernel 7, stride 2, padding 3 · ReLU · max-pooling 3×3, stride 2, padding 1 |
# | `lrn1` | `nn.LocalResponseNorm(5)`, as in AlexNet (lesson 06); the rest as PyTorch has it |
# | `reduce2` `relu_reduce2` | a → b, 1×1 · ReLU |
# | `conv2` `relu2` | b → c, 3×3, padding 1 · ReLU |
# | `lrn2` `pool2` | `nn.LocalResponseNorm(5)` · max-pooling 3×3, stride 2, padding 1 |


# %% nbgrader={"grade": false, "grade_id": "make-stem", "locked": false, "schema_version": 3, "solution": true, "task": false}
def make_stem(widths=(64, 64, 192), c_in=3):
    """GoogLeNet's stem, an nn.Sequential with named layers: (N, c_in, 224, 224) → (N, 192, 28, 28)."""
    ### BEGIN SOLUTION
    a, b, c = widths
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(c_in, a, 7, stride=2, padding=3),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2, padding=1),
            lrn1=nn.LocalResponseNorm(5),
            reduce2=nn.Conv2d(a, b, 1),
            relu_reduce2=nn.ReLU(),
            conv2=nn.Conv2d(b, c, 3, padding=1),
            relu2=nn.ReLU(),
            lrn2=nn.LocalResponseNorm(5),
            pool2=nn.MaxPool2d(3, 2, padding=1),
        )
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-stem-layers", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The layers, their names, and the shapes on the way


@in_submission
def walk(make, arguments, in_shape):
    """Name, kind, output shape and parameters of each layer of a network, on the meta device."""
    import torch

    with torch.device("meta"):
        net, x = make(*arguments), torch.zeros(2, *in_shape)
    rows = []
    for name, layer in net.named_children():
        x = layer(x)
        params = sum(p.numel() for p in layer.parameters())
        rows.append([name, type(layer).__name__, list(x.shape[1:]), params])
    return rows


rows = walk(make_stem, [], (3, 224, 224))
names = "conv1 relu1 pool1 lrn1 reduce2 relu_reduce2 conv2 relu2 lrn2 pool2".split()
assert [name for name, *_ in rows] == names, f"the names are {[name for name, *_ in rows]}"
check_close(rows[-1][2], (192, 28, 28), "the shape after the stem")
### BEGIN HIDDEN TESTS
kinds = "Conv2d ReLU MaxPool2d LocalResponseNorm Conv2d ReLU Conv2d ReLU LocalResponseNorm MaxPool2d".split()
for (name, kind, *_), want in zip(rows, kinds):
    assert kind == want, f"{name} should be a {want}, it is a {kind}"
shapes = [(64, 112, 112)] * 2 + [(64, 56, 56)] * 4 + [(192, 56, 56)] * 3 + [(192, 28, 28)]
for (name, _, shape, _), want in zip(rows, shapes):
    check_close(shape, want, f"the shape after {name}")
params = [number for *_, number in rows if number]
check_close(params, (9_472, 4_160, 110_784), "the parameters of the three convolutions", rtol=0)
rows = walk(make_stem, [(5, 3, 7), 2], (2, 37, 50))
params = [number for *_, number in rows if number]
check_close(params, (5 * 99, 18, 7 * 28), "the parameters with widths (5, 3, 7), c_in 2", rtol=0)
check_close(rows[-1][2], (7, 5, 7), "the shape after a stem of widths (5, 3, 7) on 37 × 50")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-stem-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# What a small stem computes
stem = make_stem((2, 2, 3), 1)
check_shape(stem(torch.zeros(2, 1, 32, 24)), (2, 3, 4, 3), "a small stem on 32 × 24")
### BEGIN HIDDEN TESTS
random = torch.Generator().manual_seed(730)
shapes = {"conv1": (8, 3, 7, 7), "reduce2": (7, 8, 1, 1), "conv2": (9, 7, 3, 3)}
state = {}
for name, shape in shapes.items():
    state[f"{name}.weight"] = torch.randn(shape, generator=random, dtype=torch.float64) / 4
    state[f"{name}.bias"] = torch.randn(shape[0], generator=random, dtype=torch.float64)
x = 60 * torch.randn(2, 3, 29, 38, generator=random, dtype=torch.float64)  # the norm shows


def part(name, u, **how):
    return F.conv2d(u, state[f"{name}.weight"], state[f"{name}.bias"], **how).clamp(min=0)


def pool(u):
    return F.max_pool2d(u, 3, stride=2, padding=1)


def normalise(u):
    squares = F.pad(u**2, (0, 0, 0, 0, 2, 2))
    sums = sum(squares[:, i : i + u.shape[1]] for i in range(5))
    return u / (1 + 1e-4 / 5 * sums) ** 0.75


u = normalise(pool(part("conv1", x, stride=2, padding=3)))
want = pool(normalise(part("conv2", part("reduce2", u), padding=1)))
stem = make_stem((8, 7, 9), 3)
stem.double()
stem.load_state_dict(state)
check_close(stem(x), want, "a stem with widths (8, 7, 9) on 29 × 38")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **27 rows instead of 28**: all four strided layers have a padding, the pooling layers too.
#   (Caffe's well-known version has none there and rounds *up* instead; the sizes are the same.)
# - **The values differ, the shapes do not**: is the normalisation after the pooling in the first
#   half, and before it in the second?
#
# </details>
#
# ## Question 9 · The sum under a table
#
# A slide prints this table of the stem: memory in KB, params in thousands, "flop" in millions,
# pooling layers counted with their comparisons. (The LRN layers are left out.)
#
# | | out | KB | params | flop |
# |---|---|---|---|---|
# | conv 7×7/2 | 64 × 112 | 3136 | 9 | 118 |
# | max-pool 3×3/2 | 64 × 56 | 784 | 0 | 2 |
# | conv 1×1 | 64 × 56 | 784 | 4 | 13 |
# | conv 3×3 | 192 × 56 | 2352 | 111 | 347 |
# | max-pool 3×3/2 | 192 × 28 | 588 | 0 | 1 |
# | **total** | | **7.5 MB** | **124K** | **418M** |
#
# All rows are right. One of the three totals is not: `"memory"`, `"params"` or `"flop"`? What
# should it be (within half a unit)? And how many comparisons does the column count for one output
# number of a max-pooling layer? (Rounded to millions, the rows fit two answers; take the one of the
# engine.)

# %% nbgrader={"grade": false, "grade_id": "q-stem", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_wrong_total: one of the three texts; q_right_total: in the unit of the table; q_comparisons: a number
### BEGIN SOLUTION
q_wrong_total = "flop"
q_right_total = 481
q_comparisons = 9
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-stem", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The wrong total of the stem's table
options = ("memory", "params", "flop")
assert q_wrong_total in options, f"q_wrong_total should be one of {options}"
check_number(q_right_total, q_right_total, "q_right_total")
check_number(q_comparisons, q_comparisons, "q_comparisons")
### BEGIN HIDDEN TESTS
check_choice(q_wrong_total, "flop", options, "q_wrong_total")
check_number(q_right_total, 480.83, "q_right_total", rtol=0.5 / 480.83)
check_number(q_comparisons, 9, "q_comparisons")
### END HIDDEN TESTS

# %%
with torch.device("meta"):
    stem_rows = layer_table(make_stem(), (3, 224, 224))
print_table(stem_rows)

# %% [markdown]
# ## Exercise 11 · Like for like
#
# The same slide compares: "VGG-16 from 224 to 28: 42.9 MB (**5.7×**), 1.1M params (**8.9×**), 7485
# MFLOP (**17.8×**)". From lesson 06 you know whose numbers these are: a VGG without `conv3_3`. On
# top of that the stem's 7.5 MB contain the pooling outputs and VGG's 42.9 MB do not. A ratio is
# worth something if both sides are counted alike.
#
# Write `compare(rows, others, kinds)` for two tables from `layer_table`: a dict with the keys
# `"kb"`, `"params"`, `"macs"`, each the sum of that column over `others` **divided by** its sum
# over `rows`, counting in both only rows whose `"kind"` is in `kinds`.
#
# *Worked example.* If `rows` has one `Conv2d` of 2 KB, 5 params, 10 MACs and `others` one of 8 KB,
# 5 params, 100 MACs (and some ReLUs), the result for `kinds = ("Conv2d",)` is
# `{"kb": 4.0, "params": 1.0, "macs": 10.0}`.


# %% nbgrader={"grade": false, "grade_id": "compare", "locked": false, "schema_version": 3, "solution": true, "task": false}
def compare(rows, others, kinds):
    """How many times the memory, parameters and MACs of rows the table others has, in the given kinds."""
    ### BEGIN SOLUTION
    return {
        column: total(others, column, kinds) / total(rows, column, kinds)
        for column in ("kb", "params", "macs")
    }
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-compare", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Three ratios over the same kinds of rows
rows = [{"kind": "Conv2d", "kb": 2.0, "params": 5, "macs": 10}]
others = [{"kind": "Conv2d", "kb": 8.0, "params": 5, "macs": 100}, {"kind": "ReLU", "kb": 8.0, "params": 0, "macs": 0}]  # fmt: skip
got = compare(rows, others, ("Conv2d",))
assert sorted(got) == ["kb", "macs", "params"], f"the keys are {sorted(got)}"
check_close([got["kb"], got["params"], got["macs"]], [4, 1, 10], "the ratios of the worked example")
### BEGIN HIDDEN TESTS
rows = [
    {"kind": "Conv2d", "kb": 3.0, "params": 7, "macs": 20},
    {"kind": "MaxPool2d", "kb": 1.0, "params": 0, "macs": 0},
    {"kind": "Linear", "kb": 0.5, "params": 4, "macs": 30},
    {"kind": "ReLU", "kb": 9.0, "params": 1, "macs": 3},
]
others = [
    {"kind": "ReLU", "kb": 5.0, "params": 2, "macs": 9},
    {"kind": "Linear", "kb": 2.0, "params": 10, "macs": 60},
    {"kind": "Conv2d", "kb": 6.0, "params": 21, "macs": 10},
    {"kind": "MaxPool2d", "kb": 4.0, "params": 0, "macs": 0},
    {"kind": "Conv2d", "kb": 2.0, "params": 7, "macs": 30},
]
for kinds, want in {("Conv2d", "MaxPool2d"): (12 / 4, 28 / 7, 40 / 20), ("Conv2d", "Linear"): (10 / 3.5, 38 / 11, 100 / 50)}.items():  # fmt: skip
    got = compare(rows, others, kinds)
    got = [got[column] for column in ("kb", "params", "macs")]
    check_close(got, want, f"the ratios of two tables over {kinds}")
### END HIDDEN TESTS

# %% [markdown]
# ## Question 10 · VGG's front against GoogLeNet's stem
#
# Use `compare` on `stem_rows` and the table of `vgg_front()` (make it on the meta device, as in the
# cell above), counting convolutions and poolings in both. How many times the memory, the parameters
# and the MACs of the stem does VGG's front need (within 1%)?

# %% nbgrader={"grade": false, "grade_id": "q-front", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_front_memory, q_front_params, q_front_macs: ratios
### BEGIN SOLUTION
q_front_memory = 6.87
q_front_params = 13.94
q_front_macs = 19.54
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-front", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The ratios, counted alike
for name, answer in {"q_front_memory": q_front_memory, "q_front_params": q_front_params, "q_front_macs": q_front_macs}.items():  # fmt: skip
    check_number(answer, answer, name)
### BEGIN HIDDEN TESTS
check_number(q_front_memory, 52528 / 7644, "q_front_memory", rtol=0.01)
check_number(q_front_params, 1_735_488 / 124_416, "q_front_params", rtol=0.01)
check_number(q_front_macs, 9_335_083_008 / 477_675_520, "q_front_macs", rtol=0.01)
### END HIDDEN TESTS

# %%
with torch.device("meta"):
    front_rows = layer_table(vgg_front(), (3, 224, 224))
for title, kinds in {
    "with pooling": ("Conv2d", "MaxPool2d"),
    "convolutions only": ("Conv2d",),
}.items():
    ratios = compare(stem_rows, front_rows, kinds)
    print(
        f"{title:18} memory {ratios['kb']:.2f}×, parameters {ratios['params']:.2f}×, MACs {ratios['macs']:.2f}×"
    )
print("printed            memory 5.7×,  parameters 8.9×,   work 17.8×")
stem_macs, front_macs = total(stem_rows, "macs") / 1e9, total(front_rows, "macs") / 1e9
print(f"billion MACs: stem {stem_macs:.2f}, VGG's front {front_macs:.2f} of VGG-16's 15.47")

# %% jupyter={"source_hidden": true} tags=["illustration"]
both = {"stem": stem_rows, "VGG": front_rows}
names, columns, colors = (
    [],
    {"memory, KB": [], "parameters, thousands": [], "MACs, millions": []},
    [],
)
for owner, rows in both.items():
    for row in rows:
        if row["kind"] in KINDS:
            names.append(f"{owner} {row['name']}")
            for title, value in zip(columns, (row["kb"], row["params"] / 1e3, row["macs"] / 1e6)):
                columns[title].append(value)
            pool = row["kind"] == "MaxPool2d"
            colors.append(COLORS["pool"] if pool else "tab:blue" if owner == "stem" else "0.6")
figure = layer_bars(names, columns, colors=colors, title="From 224 to 28 pixels: GoogLeNet's stem (blue) and VGG-16's front (gray), pooling in orange")  # fmt: skip
for axis, rows in zip(figure.axes, ("kb", "params", "macs")):
    axis.set_title(axis.get_title().split(":")[0], fontsize=10)
plt.show()

# %% [markdown]
# Most of VGG's work is in its first layers, on large maps: 9.3 of 15.5 billion MACs. The stem leaves
# the large maps as fast as it can, and does with 0.5 billion. That is where most of GoogLeNet's
# saving comes from: 8.9 of the 13.9 billion between VGG-16 and GoogLeNet (1.58, as you will see).
#
# ## Exercise 12 · The body
#
# Write `googlenet_body(stem, c_in, table)`. `stem` is a module (put it in as it is) that hands on
# `c_in` channels; `table` is a dict such as `TABLE`, in the order of the modules: key → row, the
# first character of the key being the stage. Return an `nn.Sequential` with these names and layers,
# in order:
#
# - `stem`;
# - for each key an `Inception` under the name `inception` + key, such as `inception3a`, which takes
#   the channels that the one before it hands on;
# - **between two stages** a 3×3 max-pooling, stride 2, padding 1, under the name `pool` + the digit
#   of the stage that ends: `pool3` stands between `inception3b` and `inception4a`. There is none
#   before the first stage and none after the last.


# %% nbgrader={"grade": false, "grade_id": "googlenet-body", "locked": false, "schema_version": 3, "solution": true, "task": false}
def googlenet_body(stem, c_in, table):
    """Stem, Inception modules and the poolings between stages, an nn.Sequential with named layers.

    stem: a module that hands on c_in channels. table: key ("3a") → row of Inception, in order.
    """
    ### BEGIN SOLUTION
    layers, stage = OrderedDict(stem=stem), None
    for key, row in table.items():
        if stage is not None and key[0] != stage:
            layers[f"pool{stage}"] = nn.MaxPool2d(3, 2, padding=1)
        layers[f"inception{key}"] = Inception(c_in, row)
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    return nn.Sequential(layers)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-body-layers", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Stem, nine modules, two poolings, by name


@in_submission
def children_of(googlenet_body, c_in, table):
    """Names and kinds of a body's layers on the meta device, and whether the stem is the one given."""
    import torch
    from torch import nn

    with torch.device("meta"):
        stem = nn.Conv2d(3, c_in, 1)
        body = googlenet_body(stem, c_in, {key: tuple(row) for key, row in table})
    found = [[name, type(layer).__name__] for name, layer in body.named_children()]
    return found, type(body) is nn.Sequential, body.stem is stem


pairs = [[key, list(row)] for key, row in TABLE.items()]
found, sequential, same = children_of(googlenet_body, 192, pairs)
names = "stem inception3a inception3b pool3 inception4a inception4b inception4c inception4d inception4e pool4 inception5a inception5b"
assert sequential, "the body should be an nn.Sequential"
assert [name for name, _ in found] == names.split(), f"the names are {[name for name, _ in found]}"
### BEGIN HIDDEN TESTS
assert same, "the stem of the body should be the module that was given"
for name, kind in found:
    want = {"p": "MaxPool2d", "i": "Inception", "s": "Conv2d"}[name[0]]
    assert kind == want, f"{name} should be a {want}, it is a {kind}"
row = [1, 1, 1, 1, 1, 1]
found, _, _ = children_of(googlenet_body, 4, [["2a", row], ["3a", row], ["3b", row], ["6a", row]])
names = "stem inception2a pool2 inception3a inception3b pool3 inception6a".split()
assert [name for name, _ in found] == names, (
    f"stages 2, 3, 3, 6 give the names {[name for name, _ in found]}"
)
found, _, _ = children_of(googlenet_body, 4, [["7a", row], ["7b", row]])
names = "stem inception7a inception7b".split()
assert [name for name, _ in found] == names, (
    f"one stage gives the names {[name for name, _ in found]}"
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-body-sizes", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Channels, maps and parameters of GoogLeNet's body


@in_submission
def sizes_of(googlenet_body, c_in, table, in_shape):
    """Shape and parameters after each layer of a body on the meta device, its stem a 1×1 convolution."""
    import torch
    from torch import nn

    with torch.device("meta"):
        stem = nn.Conv2d(in_shape[0], c_in, 1)
        body = googlenet_body(stem, c_in, {key: tuple(row) for key, row in table})
        x = torch.zeros(2, *in_shape)
    rows = []
    for name, layer in body.named_children():
        x = layer(x)
        rows.append([name, list(x.shape[1:]), sum(p.numel() for p in layer.parameters())])
    return rows


pairs = [[key, list(row)] for key, row in TABLE.items()]
rows = sizes_of(googlenet_body, 192, pairs, (3, 28, 28))
check_close(rows[-1][1], (1024, 7, 7), "the shape after inception5b")
### BEGIN HIDDEN TESTS
depths = {"inception3a": (256, 28, 28), "inception3b": (480, 28, 28), "pool3": (480, 14, 14), "inception4a": (512, 14, 14), "inception4d": (528, 14, 14), "inception4e": (832, 14, 14), "pool4": (832, 7, 7), "inception5a": (832, 7, 7)}  # fmt: skip
found = {name: (shape, params) for name, shape, params in rows}
for name, shape in depths.items():
    check_close(found[name][0], shape, f"the shape after {name}")
check_number(
    sum(params for *_, params in rows[1:]), 5_849_136, "the parameters of the nine modules"
)
small = [["3a", [2, 3, 4, 1, 2, 3]], ["4a", [3, 2, 5, 2, 4, 1]]]
rows = sizes_of(googlenet_body, 5, small, (2, 7, 9))
check_close([row[1] for row in rows], [(5, 7, 9), (11, 7, 9), (11, 4, 5), (13, 4, 5)], "the shapes of a small body on 7 × 9")  # fmt: skip
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-body-values", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# What a small body computes, with our weights


@in_submission
def run_body(googlenet_body, c_in, table, state, x):
    """The output of a body in float64 with these weights; its stem is a ReLU."""
    from torch import nn

    body = googlenet_body(nn.ReLU(), c_in, {key: tuple(row) for key, row in table}).double()
    body.load_state_dict(state)
    return body(x).detach()


table = {"3a": (2, 3, 2, 1, 2, 1), "3b": (1, 2, 3, 2, 1, 2), "4a": (2, 1, 2, 2, 2, 3)}
random = torch.Generator().manual_seed(731)
state, c_in = {}, 4
for key, (n1, r3, n3, r5, n5, pool) in table.items():
    shapes = {"one": (n1, c_in, 1, 1), "reduce3": (r3, c_in, 1, 1), "three": (n3, r3, 3, 3), "reduce5": (r5, c_in, 1, 1), "five": (n5, r5, 5, 5), "project": (pool, c_in, 1, 1)}  # fmt: skip
    for name, shape in shapes.items():
        scale = (2 / math.prod(shape[1:])) ** 0.5
        weight = torch.randn(shape, generator=random, dtype=torch.float64) * scale
        state[f"inception{key}.{name}.weight"] = weight
        state[f"inception{key}.{name}.bias"] = torch.rand(shape[0], generator=random).double() / 4
    c_in = n1 + n3 + n5 + pool
x = torch.randn(2, 4, 9, 6, generator=random, dtype=torch.float64)
pairs = [[key, list(row)] for key, row in table.items()]
y = run_body(googlenet_body, 4, pairs, state, x)
check_shape(y, (2, 9, 5, 3), "the output of a small body on 9 × 6")
### BEGIN HIDDEN TESTS


def branch(key, names, u):
    for name in names:
        kernel, bias = (state[f"inception{key}.{name}.{part}"] for part in ("weight", "bias"))
        u = F.conv2d(u, kernel, bias, padding=kernel.shape[-1] // 2).clamp(min=0)
    return u


want, stage = x.clamp(min=0), "3"
for key in table:
    if key[0] != stage:
        want, stage = F.max_pool2d(want, 3, stride=2, padding=1), key[0]
    pooled = F.max_pool2d(want, 3, stride=1, padding=1)
    chains = (("one",), ("reduce3", "three"), ("reduce5", "five"))
    parts = [branch(key, names, want) for names in chains]
    want = torch.cat([*parts, branch(key, ("project",), pooled)], dim=1)
check_close(y, want, "the output of a small body")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **"Given groups=1, weight of size … expected input to have … channels"**: a module hands on
#   `row[0] + row[2] + row[4] + row[5]` channels. The reductions are inside.
# - **`pool5` at the end, or `pool2` at the beginning**: a pooling stands where the stage *changes*.
#
# </details>
#
# ## Exercise 13 · GoogLeNet
#
# Write `googlenet(stem, c_in, table, classes=1000)`: an `nn.Sequential` of
#
# | name | layer |
# |---|---|
# | `body` | your `googlenet_body` |
# | `pool` `flatten` | `nn.AdaptiveAvgPool2d((1, 1))` · `nn.Flatten()` |
# | `drop` | dropout, 40% |
# | `fc` | one linear layer from the last module's channels to `classes`: the logits, no softmax |


# %% nbgrader={"grade": false, "grade_id": "googlenet", "locked": false, "schema_version": 3, "solution": true, "task": false}
def googlenet(stem, c_in, table, classes=1000):
    """GoogLeNet without auxiliary classifiers: images → logits (N, classes).

    An nn.Sequential: body, pool, flatten, drop, fc.
    """
    ### BEGIN SOLUTION
    n1, _, n3, _, n5, pool = list(table.values())[-1]
    return nn.Sequential(
        OrderedDict(
            body=googlenet_body(stem, c_in, table),
            pool=nn.AdaptiveAvgPool2d((1, 1)),
            flatten=nn.Flatten(),
            drop=nn.Dropout(0.4),
            fc=nn.Linear(n1 + n3 + n5 + pool, classes),
        )
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-googlenet-size", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# 6,998,552 parameters, on images of any size


@in_submission
def measure(googlenet, make_stem, table, sizes):
    """Names, parameters and output shapes of GoogLeNet on the meta device."""
    import torch

    with torch.device("meta"):
        net = googlenet(make_stem(), 192, {key: tuple(row) for key, row in table})
        shapes = [list(net(torch.zeros(2, 3, *size)).shape) for size in sizes]
    names = [[name, type(layer).__name__] for name, layer in net.named_children()]
    return names, sum(p.numel() for p in net.parameters()), shapes, net.drop.p


pairs = [[key, list(row)] for key, row in TABLE.items()]
names, params, shapes, rate = measure(googlenet, make_stem, pairs, [(224, 224)])
check_number(params, 6_998_552, "the number of parameters")
check_close(shapes[0], (2, 1000), "the shape of the logits of two images")
### BEGIN HIDDEN TESTS
want = [["body", "Sequential"], ["pool", "AdaptiveAvgPool2d"], ["flatten", "Flatten"], ["drop", "Dropout"], ["fc", "Linear"]]  # fmt: skip
assert names == want, f"the layers are {names}"
check_number(rate, 0.4, "the dropout rate")
_, _, shapes, _ = measure(googlenet, make_stem, pairs, [(192, 320), (97, 64)])
check_close(shapes, [(2, 1000), (2, 1000)], "the logits of images of other sizes")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-googlenet-logits", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The mean of the last maps, and one linear layer


@in_submission
def logits_of(googlenet, c_in, table, classes, state, x):
    """Body output and logits, in eval mode and float64; the stem is a ReLU, fc has these weights."""
    import torch
    from torch import nn

    torch.manual_seed(732)
    table = {key: tuple(row) for key, row in table}
    net = googlenet(nn.ReLU(), c_in, table, classes).double()
    net.fc.load_state_dict(state)
    net.eval()
    with torch.no_grad():
        return net.body(x), net(x)


random = torch.Generator().manual_seed(733)
state = {"weight": torch.randn(6, 8, generator=random).double(), "bias": torch.randn(6, generator=random).double()}  # fmt: skip
x = torch.rand(3, 2, 5, 7, generator=random, dtype=torch.float64)
maps, logits = logits_of(googlenet, 2, [["3a", [2, 1, 3, 1, 2, 1]]], 6, state, x)
check_shape(logits, (3, 6), "the logits of a small relative")
### BEGIN HIDDEN TESTS
check_shape(maps, (3, 8, 5, 7), "the last maps of a small relative")
want = F.linear(maps.mean(dim=(2, 3)), state["weight"], state["bias"])
check_close(logits, want, "the logits of a small relative, from its last maps")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **13 million parameters**: the auxiliary classifiers come in Part 5, and not into this count.
# - **"mat1 and mat2 shapes cannot be multiplied"**: flatten *after* the pooling, and take the
#   channels from the last row of the table.
#
# </details>
#
# ## Question 11 · What slides say about it
#
# - GoogLeNet is "22 layers deep", counting layers with weights on the longest way through the
#   network. How many are in the stem, how many does one module add, how many follow the last
#   module? (Give the three numbers.)
# - "Only 5 million parameters, 12× less than AlexNet". How many times as many parameters as
#   6,998,552 does AlexNet (60,965,224) have (within 0.1)?
# - And what are the 5.97 million that some count? `"without biases"`, `"without the linear layer"`
#   or `"without the stem"`?

# %% nbgrader={"grade": false, "grade_id": "q-slides", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_layers: (stem, one module, after the last module); q_times: a number; q_597: one of the three texts
### BEGIN SOLUTION
q_layers = (3, 2, 1)
q_times = 8.71
q_597 = "without the linear layer"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-layers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The 22 layers
assert len(q_layers) == 3, "q_layers should be three numbers"
check_number(q_layers[0] + 9 * q_layers[1] + q_layers[2], 22, "stem + nine modules + the rest")
### BEGIN HIDDEN TESTS
check_close(list(q_layers), (3, 2, 1), "q_layers")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-slides", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# How much smaller than AlexNet, and what 5.97 million are
options = ("without biases", "without the linear layer", "without the stem")
assert q_597 in options, f"q_597 should be one of {options}"
check_number(q_times, q_times, "q_times")
### BEGIN HIDDEN TESTS
check_number(q_times, 60_965_224 / 6_998_552, "q_times", rtol=0.1 / 8.7)
check_choice(q_597, "without the linear layer", options, "q_597")
### END HIDDEN TESTS

# %%
with torch.device("meta"):
    rows = layer_table(googlenet(make_stem(), 192, TABLE), (3, 224, 224))
blocks = OrderedDict()
for row in rows:
    path = row["name"].removeprefix("body.").split(".")
    name = ".".join(path) if path[0] == "stem" else path[0]
    if row["kind"] in (*KINDS, "AdaptiveAvgPool2d"):
        block = blocks.setdefault(name, {"kb": 0.0, "params": 0, "macs": 0})
        for column in block:
            block[column] += row[column]
for name, block in blocks.items():
    print(f"{name:14}{block['kb']:>9.0f} KB{block['params']:>12,} parameters{block['macs'] / 1e6:>9.1f} million MACs")  # fmt: skip
print(f"all: {total(rows, 'params'):,} parameters, without fc {total(rows, 'params', ('Conv2d',)):,}; {total(rows, 'macs') / 1e9:.3f} billion MACs")  # fmt: skip

# %% jupyter={"source_hidden": true} tags=["illustration"]
quantities = {"memory, KB": ("kb", 1), "parameters, thousands": ("params", 1e3), "MACs, millions": ("macs", 1e6)}  # fmt: skip
columns = {title: [block[key] / unit for block in blocks.values()] for title, (key, unit) in quantities.items()}  # fmt: skip
colors = ["tab:purple" if name.startswith("incep") else COLORS["FC"] if name == "fc" else COLORS["pool"] if "pool" in name else COLORS["1×1"] for name in blocks]  # fmt: skip
layer_bars(list(blocks), columns, colors=colors, title="GoogLeNet, input 3×224×224 (blue: convolutions of the stem, violet: modules with all their branches, orange: pooling, red: FC)")  # fmt: skip
plt.show()

# %% [markdown]
# The picture of AlexNet and VGG has gone: no layer holds most of the parameters, and the work is
# spread over the modules. Memory is still where the maps are large. (The pooled inputs inside the
# modules are in it only if your pooling is a layer, `nn.MaxPool2d`.)
#
# ## Exercise 14 · The audit
#
# In which unit are the paper's parameters? 3a has 163,328 weights, printed is 159K; so K means
# 1024, and biases were left out. The ops are millions of MACs, a million being a million. Write two
# functions:
#
# - `exact_table(table, c_in, size)`: key → `{"params": …, "ops": …}` for each module of `table`:
#   its **weights in K = 1024**, and its MACs in millions, as exact numbers. The first module takes
#   `c_in` channels and maps of `size` × `size`; where the stage changes, one pooling (3×3, stride 2,
#   padding 1) makes `size` rows into $\lceil \text{size}/2 \rceil$. Use your `module_cost`.
# - `disagree(printed, exact, slack)`: a list of the cells (key, column) of `printed`, in its order,
#   whose number differs from the one in `exact` **by more than** `slack`. Both are dicts of dicts
#   with the same keys.


# %% nbgrader={"grade": false, "grade_id": "exact-table", "locked": false, "schema_version": 3, "solution": true, "task": false}
def exact_table(table, c_in, size):
    """Weights in K = 1024 and millions of MACs of each module: key → {"params": K, "ops": M}."""
    ### BEGIN SOLUTION
    exact, stage = {}, None
    for key, row in table.items():
        if stage is not None and key[0] != stage:
            size = (size + 1) // 2
        cost = module_cost(c_in, row, size, size).values()
        weights, macs = sum(w for w, _, _ in cost), sum(m for _, _, m in cost)
        exact[key] = {"params": weights / 1024, "ops": macs / 1e6}
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    return exact
    ### END SOLUTION


def disagree(printed, exact, slack):
    """The cells (key, column) of printed that differ from exact by more than slack, in order."""
    ### BEGIN SOLUTION
    return [
        (key, column)
        for key, cells in printed.items()
        for column, number in cells.items()
        if abs(number - exact[key][column]) > slack
    ]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-exact-table", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Weights and MACs of each module, in the paper's units
exact = exact_table({"3a": (64, 96, 128, 16, 32, 32)}, 192, 28)
check_close(exact["3a"]["params"], 159.5, "the weights of 3a in K")
check_close(exact["3a"]["ops"], 128.049152, "the million MACs of 3a", rtol=1e-4)
### BEGIN HIDDEN TESTS
exact = exact_table(TABLE, 192, 28)
assert list(exact) == list(TABLE), f"the keys are {list(exact)}"
weights = [163_328, 388_096, 375_552, 448_512, 509_440, 604_672, 867_328, 1_042_432, 1_442_816]
for key, number in zip(TABLE, weights):
    check_close(exact[key]["params"], number / 1024, f"the weights of {key} in K")
    area = {"3": 784, "4": 196, "5": 49}[key[0]]
    check_close(exact[key]["ops"], number * area / 1e6, f"the million MACs of {key}")
small = {"1a": (1, 2, 3, 1, 2, 2), "2a": (2, 1, 1, 1, 1, 1), "4a": (1, 1, 1, 1, 1, 1)}
exact = exact_table(small, 5, 9)
want = {"1a": (134, 81), "2a": (9 * 40 // 9 + 34, 25), "4a": (5 * 4 + 34, 9)}
for key, (number, area) in want.items():
    check_close(exact[key]["params"], number / 1024, f"the weights of {key} of a small table, in K")
    check_close(
        exact[key]["ops"], number * area / 1e6, f"the MACs of {key} of a small table on 9 × 9"
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-disagree", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The cells that differ by more than the slack
printed = {"x": {"params": 10, "ops": 5}, "a": {"params": 7, "ops": 9}}
exact = {"a": {"params": 7.5, "ops": 11.0}, "x": {"params": 12.5, "ops": 4.0}}
got = [tuple(cell) for cell in disagree(printed, exact, 1)]
assert got == [("x", "params"), ("a", "ops")], f"with a slack of 1 the cells are {got}"
### BEGIN HIDDEN TESTS
got = [tuple(cell) for cell in disagree(printed, exact, 2)]
assert got == [("x", "params")], f"with a slack of 2 the cells are {got}"
got = [tuple(cell) for cell in disagree(printed, exact, 0.25)]
want = [("x", "params"), ("x", "ops"), ("a", "params"), ("a", "ops")]
assert got == want, f"with a slack of 0.25 the cells are {got}"
assert list(disagree(printed, exact, 3)) == [], "with a slack of 3 there is no such cell"
### END HIDDEN TESTS

# %% [markdown]
# ## Question 12 · Rows that do not recompute
#
# Hold `PRINTED` against `exact_table(TABLE, 192, 28)`. A printed number may be the exact one
# rounded or cut off, then it differs by less than 1; be generous, and let even a difference of
# exactly 1 pass (`disagree` with a slack of 1). Which modules have *params* that do not recompute?
# In which one do the *ops* not recompute? Before you look: the ops of the modules are nearly all
# right. Whom do you suspect, then: the six numbers of the rows, or the column of params?
#
# And the slide "only 5 million parameters": add up the *printed* column (2.7 + 112 + the nine +
# 1000, in K = 1024). How many million parameters does the paper's own table have (within 0.1)?

# %% nbgrader={"grade": false, "grade_id": "q-audit", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_bad_params, q_bad_ops: sets of keys such as {"3a"}; q_printed_sum: millions
### BEGIN SOLUTION
q_bad_params = {"4a", "4c", "4d", "4e", "5a", "5b"}
q_bad_ops = {"5a"}
q_printed_sum = 6.96
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-audit", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The rows that do not recompute
assert set(q_bad_params) <= set(TABLE), "q_bad_params should be a set of keys of TABLE"
assert set(q_bad_ops) <= set(TABLE), "q_bad_ops should be a set of keys of TABLE"
check_number(q_printed_sum, q_printed_sum, "q_printed_sum")
### BEGIN HIDDEN TESTS
want = {"4a", "4c", "4d", "4e", "5a", "5b"}
assert set(q_bad_params) == want, f"q_bad_params is {sorted(q_bad_params)}, which is not right"
assert set(q_bad_ops) == {"5a"}, f"q_bad_ops is {sorted(q_bad_ops)}, which is not right"
check_number(q_printed_sum, 6797.7 * 1024 / 1e6, "q_printed_sum", rtol=0.1 / 6.96)
### END HIDDEN TESTS

# %%
exact = exact_table(TABLE, 192, 28)
for key in TABLE:
    line = f"{key}: params {PRINTED[key]['params']:>5} printed, {exact[key]['params']:7.1f} exact"
    print(f"{line};  ops {PRINTED[key]['ops']:>4} printed, {exact[key]['ops']:6.1f} exact")
print("off by more than 1:", disagree(PRINTED, exact, 1))
column = 2.7 + 112 + sum(cells["params"] for cells in PRINTED.values()) + 1000
print(f"the printed column: {column:,.1f} K = {column * 1024 / 1e6:.2f} million")

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axes = plt.subplots(1, 2, figsize=(10.5, 2.9), sharex=True)
for axis, column, unit in zip(axes, ("params", "ops"), ("K", "million")):
    off = [PRINTED[key][column] - exact[key][column] for key in TABLE]
    colors = ["crimson" if abs(value) > 1 else "0.6" for value in off]
    bars = axis.bar(list(TABLE), off, color=colors)
    axis.bar_label(bars, [f"{value:+.1f}" if abs(value) > 0.05 else "0" for value in off], fontsize=8, padding=2)  # fmt: skip
    axis.axhline(0, color="black", linewidth=0.8)
    axis.set(title=f"{column}: printed − exact, {unit}")
    axis.margins(y=0.2)
    axis.spines[["top", "right", "bottom"]].set_visible(False)
figure.tight_layout()
plt.show()

# %% [markdown]
# Six of nine params are off by more than 1, by up to 54K (3b and 4b by exactly 1, which we let
# pass), but only one row's ops. The widths are therefore the ones the ops were computed from, and
# networks that are built from them have 6,998,552 parameters. Where the column of params came from
# nobody outside knows; an older version of the network is a guess. Whichever you add up, printed or
# exact, it is **7 million, not 5**, and a factor of 8.7 to AlexNet. The "12×" is a sentence of the
# paper itself, and slides repeat it.
#
# ## Exercise 15 · The first row
#
# conv 7×7/2, 3 → 64: a standard convolution has $49 \cdot 3 \cdot 64 = 9{,}408$ weights and 118
# million MACs. The table says 2.7K and 34M. No misprint: as Chollet tells in the Xception paper,
# Inception was first trained with a **separable** first layer, and the numbers fit one: each colour
# alone is filtered by eight 7×7 kernels (a *depthwise* convolution, stride 2), which makes 24 maps;
# a 1×1 convolution mixes them to 64.
#
# Write `separable_conv1(c_in=3, multiplier=8, c_out=64)`: an `nn.Sequential` of `depthwise`, an
# `nn.Conv2d` with `groups=c_in`, 7×7, stride 2, padding 3, and `pointwise`, 1×1. **No biases.**


# %% nbgrader={"grade": false, "grade_id": "separable-conv1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def separable_conv1(c_in=3, multiplier=8, c_out=64):
    """A separable 7×7 convolution with stride 2: an nn.Sequential of depthwise and pointwise, no biases."""
    ### BEGIN SOLUTION
    middle = c_in * multiplier
    return nn.Sequential(
        OrderedDict(
            depthwise=nn.Conv2d(c_in, middle, 7, stride=2, padding=3, groups=c_in, bias=False),
            pointwise=nn.Conv2d(middle, c_out, 1, bias=False),
        )
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-separable-weights", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# 2,712 weights
state = separable_conv1().state_dict()
assert sorted(state) == ["depthwise.weight", "pointwise.weight"], f"it holds {sorted(state)}"
check_number(sum(value.numel() for value in state.values()), 2712, "the number of weights")
### BEGIN HIDDEN TESTS
state = separable_conv1(2, 3, 5).state_dict()
check_shape(state["depthwise.weight"], (6, 1, 7, 7), "depthwise.weight of separable_conv1(2, 3, 5)")
check_shape(state["pointwise.weight"], (5, 6, 1, 1), "pointwise.weight of separable_conv1(2, 3, 5)")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-separable-values", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Each channel alone, then a mixture
layer = separable_conv1()
x = torch.zeros(2, 3, 32, 20)
check_shape(layer(x), (2, 64, 16, 10), "separable_conv1() on 32 × 20")
check_shape(layer.depthwise(x), (2, 24, 16, 10), "the maps after depthwise")
### BEGIN HIDDEN TESTS
random = torch.Generator().manual_seed(740)
deep = torch.randn(6, 1, 7, 7, generator=random)
point = torch.randn(5, 6, 1, 1, generator=random)
x = torch.randn(2, 2, 11, 14, generator=random)
maps = [F.conv2d(x[:, i // 3, None], deep[i, None], stride=2, padding=3) for i in range(6)]
want = F.conv2d(torch.cat(maps, dim=1), point)
layer = separable_conv1(2, 3, 5)
layer.load_state_dict({"depthwise.weight": deep, "pointwise.weight": point})
check_close(layer(x), want, "separable_conv1(2, 3, 5) with our weights", rtol=1e-3, atol=1e-4)
### END HIDDEN TESTS

# %%
with torch.device("meta"):
    for name, layer in {"standard": nn.Conv2d(3, 64, 7, 2, 3, bias=False), "separable": separable_conv1()}.items():  # fmt: skip
        table = layer_table(nn.Sequential(layer), (3, 224, 224))
        weights = total(table, "params")
        print(f"{name:10} {weights:>6,} weights = {weights / 1024:.2f}K, {total(table, 'macs') / 1e6:6.1f} million MACs")  # fmt: skip

# %% [markdown]
# 2.65K and 34.0M: the row recomputes. (The depthwise separable convolution made its career later,
# in Xception and MobileNet: lesson 10. Nearly all implementations of GoogLeNet have the standard
# layer.)
#
# ## Exercise 16 · What if nobody reduced?
#
# "The naive version has more parameters than VGGNet", says a slide. Take GoogLeNet's table, leave
# out all reductions and projections: module `row` on `c` channels has `row[0]` filters of 1×1,
# `row[2]` of 3×3 and `row[4]` of 5×5, all of them on all `c` channels, and hands on the pooled
# input as it is.
#
# Write `naive_growth(table, c_in)`: a list with a pair **(weights, channels handed on)** for each
# module of `table`, in order; the next module takes what the one before hands on.
#
# *Worked example.* `naive_growth({"3a": (1, 9, 2, 9, 1, 9)}, 4)` is `[(176, 8)]`:
# $4\,(1 + 9 \cdot 2 + 25 \cdot 1) = 176$ weights, $1 + 2 + 1 + 4 = 8$ channels.


# %% nbgrader={"grade": false, "grade_id": "naive-growth", "locked": false, "schema_version": 3, "solution": true, "task": false}
def naive_growth(table, c_in):
    """Weights and output channels of each module of a table without reductions: [(weights, channels), …]."""
    ### BEGIN SOLUTION
    growth = []
    for n1, _, n3, _, n5, _ in table.values():
        weights = c_in * (n1 + 9 * n3 + 25 * n5)
        c_in = naive_depth(c_in, n1, n3, n5)
        growth.append((weights, c_in))
    return growth
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-naive-growth", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Weights and channels without reductions
got = naive_growth({"3a": (1, 9, 2, 9, 1, 9)}, 4)
check_close(got, [(176, 8)], "the growth of the worked example")
### BEGIN HIDDEN TESTS
got = naive_growth(TABLE, 192)
weights = [387_072, 1_770_496, 2_715_648, 4_833_280, 6_967_296, 9_365_504, 16_727_040, 21_187_584, 28_497_920]  # fmt: skip
depths = [416, 832, 1280, 1728, 2176, 2640, 3344, 4048, 4944]
check_shape(got, (9, 2), "the growth of GoogLeNet's table")
check_close([pair[0] for pair in got], weights, "the weights of naive modules", rtol=0)
check_close([pair[1] for pair in got], depths, "the channels of naive modules", rtol=0)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 13 · Is the slide right?
#
# Add the stem (124,416) and a linear layer from the last channels to 1000 classes (with biases).
# Does this naive network have `"more"` or `"fewer"` parameters than VGG-16 (138,357,544)? And
# counting convolutions alone (VGG-16: 14.7 million): `"more"` or `"fewer"`? How many channels would
# come out of 5b, instead of 1024?

# %% nbgrader={"grade": false, "grade_id": "q-naive", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_naive_all, q_naive_convs: "more" or "fewer"; q_naive_channels: channels
### BEGIN SOLUTION
q_naive_all = "fewer"
q_naive_convs = "more"
q_naive_channels = 4944
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-naive", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# A naive GoogLeNet against VGG-16
assert q_naive_all in ("more", "fewer"), 'q_naive_all should be "more" or "fewer"'
assert q_naive_convs in ("more", "fewer"), 'q_naive_convs should be "more" or "fewer"'
check_number(q_naive_channels, q_naive_channels, "q_naive_channels")
### BEGIN HIDDEN TESTS
check_choice(q_naive_all, "fewer", ("more", "fewer"), "q_naive_all")
check_choice(q_naive_convs, "more", ("more", "fewer"), "q_naive_convs")
check_number(q_naive_channels, 4944, "q_naive_channels")
### END HIDDEN TESTS

# %%
growth = naive_growth(TABLE, 192)
convs = 124_416 + sum(weights for weights, _ in growth)
areas = [{"3": 784, "4": 196, "5": 49}[key[0]] for key in TABLE]
work = sum(weights * area for (weights, _), area in zip(growth, areas))
head = growth[-1][1] * 1000 + 1000
macs = (work + total(stem_rows, "macs") + head) / 1e9
print(f"naive: {convs / 1e6:.1f} million in convolutions, {(convs + head) / 1e6:.1f} in all, {macs:.1f} billion MACs")  # fmt: skip
print("VGG-16: 14.7 million in convolutions, 138.4 in all, 15.5 billion MACs")

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axes = plt.subplots(1, 2, figsize=(10.5, 3))
real = [row[0] + row[2] + row[4] + row[5] for row in TABLE.values()]
axes[0].plot(
    list(TABLE), [channels for _, channels in growth], "o-", color="crimson", label="naive"
)
axes[0].plot(list(TABLE), real, "s-", color="tab:blue", label="with reductions")
axes[0].set(title="channels handed on")
million = [weights * area / 1e6 for (weights, _), area in zip(growth, areas)]
axes[1].plot(list(TABLE), million, "o-", color="crimson", label="naive")
axes[1].plot(list(TABLE), [exact[key]["ops"] for key in TABLE], "s-", color="tab:blue", label="with reductions")  # fmt: skip
axes[1].set(title="million MACs of the module")
for axis in axes:
    axis.set_ylim(0)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=9)
figure.tight_layout()
plt.show()

# %% [markdown]
# In all it has *fewer* than VGG-16, whose FC layers alone have 124 million; in its convolutions six
# times as many. The trouble of the naive version is elsewhere: eight times the work, and channels
# that grow without end.
#
# ## Part 5 · Auxiliary classifiers
#
# In 2014 there was no batch normalisation (it came in 2015, and with it "BN-Inception") and no
# shortcut. The authors feared that the loss at the end would not reach the early modules, and
# attached two small classifiers half way, on the outputs of 4a and 4d. They have losses of their
# own in training and are **thrown away** afterwards.
#
# Their structure (a slide says "GAP, FC, softmax", which it is not): average pooling 5×5 with
# stride 3, which makes 4 × 4 maps out of 14 × 14; a 1×1 convolution to 128 channels, ReLU; a hidden
# layer of 1024, ReLU; dropout 70%; a linear layer to the classes.

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axis = plt.subplots(figsize=(11.5, 3))
axis.set(xlim=(-0.5, 11.9), ylim=(-0.7, 2.9))
axis.axis("off")
box = {"boxstyle": "round,pad=0.35", "edgecolor": "0.4", "alpha": 0.6}
arrow = {"arrowstyle": "->", "color": "0.35", "shrinkA": 0, "shrinkB": 0}
chain = ["stem", "3a 3b", "4a", "4b 4c 4d", "4e", "5a 5b", "GAP", "linear", "loss"]
kinds = ["1×1", "3×3", "3×3", "3×3", "3×3", "3×3", "pool", "FC", None]
places = [0, 1.2, 2.3, 3.6, 5.0, 6.2, 7.5, 8.6, 9.8]
for number, (name, kind, place) in enumerate(zip(chain, kinds, places)):
    color = COLORS[kind] if kind else "white"
    axis.text(
        place, 0, name, ha="center", va="center", fontsize=9, bbox={**box, "facecolor": color}
    )
    if number:
        half = 0.085 * max(len(name), 3) + 0.06, 0.085 * max(len(chain[number - 1]), 3) + 0.06
        axis.annotate("", (place - half[0], 0), (places[number - 1] + half[1], 0), arrowprops=arrow)
for place, height, share in ((2.3, 2.2, "0.3 ×"), (3.6, 1.1, "0.3 ×")):
    axis.plot([place, place], [0.28, height], color="crimson")
    steps = [("avg 5×5/3", "pool"), ("1×1, 128", "reduce"), ("FC 1024", "FC"), ("dropout .7", None), ("FC 1000", "FC"), ("loss", None)]  # fmt: skip
    start = place + 0.25
    axis.annotate(
        "", (start + 0.22, height), (place, height), arrowprops={**arrow, "color": "crimson"}
    )
    for number, (name, kind) in enumerate(steps):
        color = COLORS[kind] if kind else "white"
        at = start + 0.75 + 1.2 * number
        axis.text(at, height, name, ha="center", va="center", fontsize=8.5, bbox={**box, "facecolor": color})  # fmt: skip
        if number:
            axis.annotate("", (at - 0.5, height), (at - 0.68, height), arrowprops=arrow)
    axis.text(at + 0.42, height, share, ha="left", va="center", fontsize=10, color="crimson")
axis.text(10.25, 0, "1 ×", ha="left", va="center", fontsize=10, color="crimson")
axis.text(5, -0.6, "red lines: in training only", color="crimson", ha="center", fontsize=9)
plt.show()

# %% [markdown]
# ## Exercise 17 · An auxiliary head
#
# Write the class `AuxHead(c_in, classes=1000, size=14, width=128, hidden=1024)`. It takes maps
# `(N, c_in, size, size)` to logits `(N, classes)`:
#
# average pooling 5×5, stride 3, no padding → `self.conv` (1×1 to `width`, ReLU) → flatten →
# `self.fc1` (to `hidden`, ReLU) → dropout 0.7 → `self.fc2` (to `classes`).
#
# The flattened vector has `width` maps of $s \times s$ numbers,
# $s = \lfloor (\text{size} - 5) / 3 \rfloor + 1$.


# %% nbgrader={"grade": false, "grade_id": "aux-head", "locked": false, "schema_version": 3, "solution": true, "task": false}
class AuxHead(nn.Module):
    """An auxiliary classifier on maps (N, c_in, size, size): logits (N, classes).

    Layers with weights: self.conv (1×1), self.fc1, self.fc2.
    """

    def __init__(self, c_in, classes=1000, size=14, width=128, hidden=1024):
        super().__init__()
        ### BEGIN SOLUTION
        side = (size - 5) // 3 + 1
        self.pool = nn.AvgPool2d(5, 3)
        self.conv = nn.Conv2d(c_in, width, 1)
        self.fc1 = nn.Linear(width * side * side, hidden)
        self.drop = nn.Dropout(0.7)
        self.fc2 = nn.Linear(hidden, classes)
        ### END SOLUTION

    def forward(self, x):
        """x (N, c_in, size, size) → (N, classes)."""
        ### BEGIN SOLUTION
        x = F.relu(self.conv(self.pool(x)))  # (N, width, side, side)
        x = F.relu(self.fc1(x.flatten(1)))  # (N, hidden)
        return self.fc2(self.drop(x))  # (N, classes)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-aux-weights", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Three layers with weights; 3,188,840 and 3,190,888 parameters


@in_submission
def shapes_of(AuxHead, arguments):
    """Names and shapes of what a head stores, on the meta device."""
    import torch

    with torch.device("meta"):
        head = AuxHead(*arguments)
    return {name: list(value.shape) for name, value in head.state_dict().items()}


shapes = shapes_of(AuxHead, [512])
want = [f"{name}.{part}" for name in ("conv", "fc1", "fc2") for part in ("bias", "weight")]
assert sorted(shapes) == want, f"the head holds {sorted(shapes)}"
check_number(
    sum(math.prod(shape) for shape in shapes.values()),
    3_188_840,
    "the parameters of the head on 4a",
)
### BEGIN HIDDEN TESTS
shapes = shapes_of(AuxHead, [528])
check_number(
    sum(math.prod(shape) for shape in shapes.values()),
    3_190_888,
    "the parameters of the head on 4d",
)
shapes = shapes_of(AuxHead, [6, 7, 12, 3, 10])
check_close(shapes["conv.weight"], (3, 6, 1, 1), "conv.weight of AuxHead(6, 7, 12, 3, 10)")
check_close(shapes["fc1.weight"], (10, 27), "fc1.weight of AuxHead(6, 7, 12, 3, 10)")
check_close(shapes["fc2.weight"], (7, 10), "fc2.weight of AuxHead(6, 7, 12, 3, 10)")
check_close(
    shapes_of(AuxHead, [6, 7, 10, 3, 10])["fc1.weight"], (10, 12), "fc1.weight for maps of 10 × 10"
)
check_close(
    shapes_of(AuxHead, [6, 7, 8, 3, 10])["fc1.weight"], (10, 12), "fc1.weight for maps of 8 × 8"
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-aux-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# What a head computes in eval mode
head = AuxHead(4, 5, 11, 3, 6)
head.eval()
check_shape(head(torch.zeros(2, 4, 11, 11)), (2, 5), "the logits of AuxHead(4, 5, 11, 3, 6)")
### BEGIN HIDDEN TESTS
random = torch.Generator().manual_seed(750)
shapes = {"conv": (3, 4, 1, 1), "fc1": (6, 27), "fc2": (5, 6)}
state = {}
for name, shape in shapes.items():
    state[f"{name}.weight"] = torch.randn(shape, generator=random, dtype=torch.float64)
    state[f"{name}.bias"] = torch.randn(shape[0], generator=random, dtype=torch.float64)
x = 2 * torch.randn(4, 4, 12, 12, generator=random, dtype=torch.float64)
corners = (0, 3, 6)
u = torch.stack(
    [x[:, :, i : i + 5, j : j + 5].mean(dim=(2, 3)) for i in corners for j in corners], dim=2
)
u = u.reshape(4, 4, 3, 3)
u = F.conv2d(u, state["conv.weight"], state["conv.bias"]).clamp(min=0).flatten(1)
u = F.linear(u, state["fc1.weight"], state["fc1.bias"]).clamp(min=0)
want = F.linear(u, state["fc2.weight"], state["fc2.bias"])
head = AuxHead(4, 5, 12, 3, 6)
head.double()
head.load_state_dict(state)
head.eval()
check_close(head(x), want, "the logits of a head on 12 × 12 with our weights")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-aux-dropout", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# In training, 70% of the hidden layer is dropped


@in_submission
def dropped(AuxHead):
    """The fraction of hidden numbers that arrive at fc2 as zero, in training and in eval mode."""
    import torch

    torch.manual_seed(751)
    head = AuxHead(2, 3, 5, 4, 4000)
    seen = []
    with torch.no_grad():
        head.fc1.bias.fill_(5.0)  # so that the ReLU zeroes nothing
        head.fc2.register_forward_hook(lambda layer, inputs, output: seen.append(inputs[0]))
        for training in (True, False):
            head.train(training)
            head(torch.ones(1, 2, 5, 5))
    return [float((hidden == 0).double().mean()) for hidden in seen]


zeros = dropped(AuxHead)
check_close(zeros[1], 0.0, "the fraction that is dropped in eval mode")
### BEGIN HIDDEN TESTS
check_close(zeros[0], 0.7, "the fraction that is dropped in training mode", atol=0.04)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **The parameters are far too many**: pool before the convolution. `fc1` takes
#   $128 \cdot 4 \cdot 4 = 2{,}048$ numbers.
# - **Size 12 fails, 14 works**: compute the side from `size`, rounded down.
# - **Too many zeros are expected**: `nn.Dropout(p)` takes the fraction that is *dropped*.
#
# </details>
#
# ## Exercise 18 · On in training, off afterwards
#
# Write the class `WithAux(net, heads)`. `net` is a network as `googlenet` returns it (an
# `nn.Sequential` whose first child, `body`, is an `nn.Sequential` itself); `heads` is a dict from
# names of the body's children, such as `"inception4a"`, to modules that classify that child's
# output. Keep them as `self.net` and, in an `nn.ModuleDict`, as `self.heads`.
#
# - **In training mode**, `forward(x)` returns a pair: the logits of `net`, and a *list* of the
#   heads' logits, in the order in which the body passes them. Each image goes through the body **once**.
# - **In eval mode** it returns the logits of `net` alone. The heads are not run at all.


# %% nbgrader={"grade": false, "grade_id": "with-aux", "locked": false, "schema_version": 3, "solution": true, "task": false}
class WithAux(nn.Module):
    """A network with auxiliary heads that work in training mode only.

    net: an nn.Sequential whose first child is its body. heads: name of a child of the body → module.
    """

    def __init__(self, net, heads):
        super().__init__()
        ### BEGIN SOLUTION
        self.net = net
        self.heads = nn.ModuleDict(heads)
        ### END SOLUTION

    def forward(self, x):
        """Training: (logits, [logits of each head]). Eval: logits."""
        ### BEGIN SOLUTION
        if not self.training:
            return self.net(x)
        extra = []
        for name, layer in self.net.body.named_children():
            x = layer(x)
            if name in self.heads:
                extra.append(self.heads[name](x))
        return self.net[1:](x), extra
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-with-aux-training", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Training: the logits of the network and of each head, in the order of the body


@in_submission
def train_outputs(WithAux, weights, places, x):
    """Outputs in training mode of a body of linear layers a, b, c, d with heads; how often a layer ran."""
    from torch import nn

    def linear(weight):
        layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        layer.weight = nn.Parameter(weight.clone())
        return layer

    body = nn.Sequential()
    for name in ("a", "b", "c", "d"):
        body.add_module(name, linear(weights[name]))
    net = nn.Sequential()
    net.add_module("body", body)
    net.add_module("act", nn.ReLU())
    net.add_module("fc", linear(weights["fc"]))
    model = WithAux(net, {name: linear(weights[f"head {name}"]) for name in places})
    runs = []
    for layer in body:
        layer.register_forward_hook(lambda *_: runs.append(1))
    model.train()
    main, extra = model(x)
    stored, ran = sorted(model.state_dict()), len(runs)
    sum(e.square().sum() for e in extra).backward()
    reached = body.a.weight.grad is not None
    return main.detach(), [e.detach() for e in extra], ran, stored, type(extra).__name__, reached


random = torch.Generator().manual_seed(760)
shapes = {"a": (4, 3), "b": (5, 4), "c": (4, 5), "d": (6, 4), "fc": (2, 6), "head a": (2, 4), "head b": (2, 5), "head c": (2, 4), "head d": (2, 6)}  # fmt: skip
weights = {name: torch.randn(shape, generator=random) for name, shape in shapes.items()}
x = torch.randn(7, 3, generator=random)
main, extra, runs, stored, kind, reached = train_outputs(WithAux, weights, ["b", "c"], x)
check_shape(main, (7, 2), "the logits of the network")
assert len(extra) == 2, f"two heads should give two outputs, not {len(extra)}"
### BEGIN HIDDEN TESTS
assert kind == "list", f"the heads' outputs should come in a list, not in a {kind}"
steps, u = {}, x
for name in ("a", "b", "c", "d"):
    u = u @ weights[name].T
    steps[name] = u
want = u.clamp(min=0) @ weights["fc"].T
check_close(main, want, "the logits of the network", rtol=1e-3, atol=1e-4)
assert reached, "the gradient of the heads' losses should reach the body"
assert runs == 4, f"an image should go through the body once: its 4 layers ran {runs} times"
for places in (["b", "c"], ["d", "a"], ["c"]):
    main, extra, _, stored, *_ = train_outputs(WithAux, weights, places, x)
    check_close(
        main, want, f"the logits of the network with heads on {places}", rtol=1e-3, atol=1e-4
    )
    assert len(extra) == len(places), f"{len(places)} heads gave {len(extra)} outputs"
    for name, got in zip(sorted(places), extra):
        head = steps[name] @ weights[f"head {name}"].T
        check_close(got, head, f"the head on {name}, of heads on {places}", rtol=1e-3, atol=1e-4)
names = ["heads.c.weight", *(f"net.body.{name}.weight" for name in "abcd"), "net.fc.weight"]
assert stored == names, f"the model stores {stored}"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-with-aux-eval", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Eval: the logits alone, and no head runs


@in_submission
def eval_output(WithAux, weights, x):
    """The output in eval mode, its kind, and how often the head ran in training and in eval mode."""
    import torch
    from torch import nn

    body = nn.Sequential()
    body.add_module("a", nn.Linear(3, 4, bias=False))
    body.add_module("b", nn.Linear(4, 5, bias=False))
    net = nn.Sequential()
    net.add_module("body", body)
    net.add_module("fc", nn.Linear(5, 2, bias=False))
    head = nn.Linear(4, 2, bias=False)
    with torch.no_grad():
        for layer, name in ((body.a, "a"), (body.b, "b"), (net.fc, "fc"), (head, "head")):
            layer.weight.copy_(weights[name])
    model = WithAux(net, {"a": head})
    runs = []
    head.register_forward_hook(lambda *_: runs.append(1))
    model.eval()
    with torch.no_grad():
        output = model(x)
        in_eval = len(runs)
        model.train()
        model(x)
    kind = "a tensor" if isinstance(output, torch.Tensor) else type(output).__name__
    return output if kind == "a tensor" else None, kind, in_eval, len(runs) - in_eval


random = torch.Generator().manual_seed(761)
shapes = {"a": (4, 3), "b": (5, 4), "fc": (2, 5), "head": (2, 4)}
weights = {name: torch.randn(shape, generator=random) for name, shape in shapes.items()}
x = torch.randn(6, 3, generator=random)
output, kind, in_eval, in_training = eval_output(WithAux, weights, x)
assert kind == "a tensor", f"in eval mode the output should be a tensor, it is a {kind}"
### BEGIN HIDDEN TESTS
want = x @ weights["a"].T @ weights["b"].T @ weights["fc"].T
check_close(output, want, "the logits in eval mode", rtol=1e-3, atol=1e-4)
assert in_eval == 0, f"in eval mode the head ran {in_eval} times"
assert in_training == 1, f"in training mode the head ran {in_training} times"
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **The heads are not among the parameters**: a plain dict hides modules from PyTorch;
#   `nn.ModuleDict(heads)` does not.
# - **The body runs twice**: go through `self.net.body.named_children()` yourself, and afterwards
#   only through the children of `net` that follow the body.
# - **In eval mode a tuple comes out**: ask `self.training` first.
#
# </details>
#
# ## Exercise 19 · The loss
#
# Write `total_loss(outputs, labels, weight=0.3)`. `outputs` is what `WithAux` returns in either
# mode: a tensor of logits `(N, K)`, or a pair of such logits and a list of the heads' logits.
# `labels` is `(N,)`, class numbers. Return the cross-entropy (mean over the batch) of the network's
# logits, **plus `weight` times the cross-entropy of each head**.


# %% nbgrader={"grade": false, "grade_id": "total-loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def total_loss(outputs, labels, weight=0.3):
    """Cross-entropy of the logits, plus weight times that of each auxiliary head, if there are any.

    outputs: logits (N, K), or (logits, [logits of each head]). labels (N,).
    """
    ### BEGIN SOLUTION
    if isinstance(outputs, torch.Tensor):
        return F.cross_entropy(outputs, labels)
    logits, extra = outputs
    return F.cross_entropy(logits, labels) + weight * sum(F.cross_entropy(e, labels) for e in extra)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-total-loss", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The heads' losses count with their weight, and not at all in eval mode
logits, labels = torch.zeros(3, 4), torch.tensor([0, 1, 3])
check_close(float(total_loss(logits, labels)), math.log(4), "the loss of equal logits", rtol=1e-4)
check_close(float(total_loss((logits, [logits, logits]), labels)), 1.6 * math.log(4), "the loss with two heads", rtol=1e-4)  # fmt: skip
### BEGIN HIDDEN TESTS
random = torch.Generator().manual_seed(770)
main, one, two, three = (
    3 * torch.randn(5, 4, generator=random, dtype=torch.float64) for _ in range(4)
)
labels = torch.randint(4, (5,), generator=random)


def entropy(scores):
    return -torch.log_softmax(scores, dim=1)[torch.arange(5), labels].mean().item()


cases = {
    "no heads": (main, 0.3, entropy(main)),
    "two heads": ((main, [one, two]), 0.3, entropy(main) + 0.3 * (entropy(one) + entropy(two))),
    "three heads and a weight of 0.5": ((main, [one, two, three]), 0.5, entropy(main) + 0.5 * (entropy(one) + entropy(two) + entropy(three))),
    "an empty list of heads": ((main, []), 0.3, entropy(main)),
}  # fmt: skip
for what, (outputs, weight, want) in cases.items():
    check_close(float(total_loss(outputs, labels, weight)), want, f"the loss with {what}")
want = entropy(main) + 0.3 * entropy(one)
check_close(
    float(total_loss((main, [one]), labels)), want, "the loss with one head, weight left out"
)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 14 · What is left
#
# With both heads, GoogLeNet has $6{,}998{,}552 + 3{,}188{,}840 + 3{,}190{,}888$ parameters in
# training. How many percent of them are thrown away for deployment (within 0.5)?
#
# A slide: "on ImageNet, GoogLeNet with auxiliary classifiers achieves 93.6%, without them 89.3%".
# The paper has no such experiment. It has this table of top-5 errors (validation images), in which
# the heads do not appear:
#
# | networks | crops of each image | top-5 error |
# |---|---|---|
# | 1 | 1 | 10.07% |
# | 1 | 10 | 9.15% |
# | 1 | 144 | 7.89% |
# | 7 | 1 | 8.09% |
# | 7 | 10 | 7.62% |
# | 7 | 144 | 6.67% |
#
# How many forward passes does the contest's 6.67% take for one image? One network with one crop is 3.40
# percentage points worse than that. How many points worse are seven networks with one crop?

# %% nbgrader={"grade": false, "grade_id": "q-protocol", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_thrown_away: percent; q_passes: forward passes; q_left: percentage points
### BEGIN SOLUTION
q_thrown_away = 47.7
q_passes = 1008
q_left = 1.42
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-protocol", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# What is thrown away, and what 6.67% stands for
for name, answer in {
    "q_thrown_away": q_thrown_away,
    "q_passes": q_passes,
    "q_left": q_left,
}.items():
    check_number(answer, answer, name)
### BEGIN HIDDEN TESTS
check_number(q_thrown_away, 100 * 6_379_728 / 13_378_280, "q_thrown_away", rtol=0.5 / 47.7)
check_number(q_passes, 7 * 144, "q_passes")
check_number(q_left, 8.09 - 6.67, "q_left", rtol=0.005)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 15 · Six statements
#
# True or false, about GoogLeNet as published in 2014?
#
# - `"bn"`: it normalises the input of each layer with batch normalisation;
# - `"lrn"`: it has local response normalisation in its stem;
# - `"fc"`: it has one fully connected layer, its auxiliary heads not counted;
# - `"pool"`: the max-pooling inside a module halves the maps;
# - `"aux"`: its auxiliary heads are used when it classifies;
# - `"winner"`: it won the classification of ILSVRC 2014, before VGG.

# %% nbgrader={"grade": false, "grade_id": "q-statements", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_statements: a dict from the six keys to True or False
### BEGIN SOLUTION
q_statements = {"bn": False, "lrn": True, "fc": True, "pool": False, "aux": False, "winner": True}
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-statements", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Six statements about GoogLeNet
keys = ["aux", "bn", "fc", "lrn", "pool", "winner"]
assert sorted(q_statements) == keys, f"q_statements should have the keys {keys}"
assert all(type(value) is bool for value in q_statements.values()), "each value is True or False"
### BEGIN HIDDEN TESTS
want = {"bn": False, "lrn": True, "fc": True, "pool": False, "aux": False, "winner": True}
wrong = sum(q_statements[key] != value for key, value in want.items())
assert wrong == 0, f"{wrong} of the six answers are not right"
### END HIDDEN TESTS

# %% [markdown]
# So 3.40 percentage points lie between one network with one crop and the entry that won, with 1,008
# forward passes for each image and hardly a change to the architecture (one of the seven was
# wider). An error rate without its protocol says little (lesson 06).
#
# ## Do the heads help?
#
# The authors wrote in the same paper that the effect of the auxiliary heads is small, around half a
# point, and in the one on Inception-v3 that they do not speed up the beginning of the training;
# they seem to act as a regulariser. What do they do in a small relative? Below: GoogLeNet's nine
# modules with a sixteenth of the widths, on scikit-learn's digits with a border of one pixel (maps
# of 10, 5 and 3 pixels in the three stages), no batch normalisation, He's initialisation, Adam;
# three random seeds with heads on 4a and 4d and three without. All is made of your functions, and
# the training takes up to a minute. First the question of the authors: what reaches the early
# modules of a fresh network? The same network, the same images, with and without heads:

# %% nbgrader={"grade": false, "grade_id": "laboratory", "locked": true, "schema_version": 3, "solution": false, "task": false}
SMALL = {key: tuple(max(2, round(number / 16)) for number in row) for key, row in TABLE.items()}


def small_digits():
    """1,000 digits for training and 400 others for the test, (N, 1, 10, 10), and their labels."""
    images, labels = digits()
    order = np.random.default_rng(0).permutation(len(labels))
    x = F.pad(torch.from_numpy(images[order]).float() - 0.3, (1, 1, 1, 1), value=-0.3)
    y = torch.from_numpy(labels[order])
    return x[:1000], y[:1000], x[1000:1400], y[1000:1400]


def he(module):
    """He's initialisation, biases 0."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return module


def small_net(make_net, make_head, wrap, number, heads):
    """A small GoogLeNet in WithAux, the same for each number, with two heads or none."""
    torch.manual_seed(number)
    stem = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU())
    net = he(make_net(stem, 12, SMALL, 10))
    depth = {key: row[0] + row[2] + row[4] + row[5] for key, row in SMALL.items()}
    keys = ("4a", "4d") if heads else ()
    return wrap(net, {f"inception{key}": he(make_head(depth[key], 10, 5, 8, 64)) for key in keys})


# %% tags=["illustration"]
torch.set_num_threads(1)  # from here on the maps are too small to share out


def gradient_norms(number, heads):
    """The norm of the gradient of each of the nine modules of a fresh network, on 200 digits."""
    x, y, _, _ = small_digits()
    model = small_net(googlenet, AuxHead, WithAux, number, heads)
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0  # the two gradients differ by the heads alone
    total_loss(model(x[:200]), y[:200]).backward()
    parts = [part for name, part in model.net.body.named_children() if "inception" in name]
    return [sum(float(p.grad.square().sum()) for p in part.parameters()) ** 0.5 for part in parts]


def draw_gradients():
    """How many times the gradient of each module is with heads what it is without; three seeds."""
    _, axis = plt.subplots(figsize=(7.5, 3))
    for number in range(seed, seed + 3):
        ratio = np.array(gradient_norms(number, True)) / np.array(gradient_norms(number, False))
        axis.plot(list(TABLE), ratio, "o-", label=f"seed {number}", linewidth=1.5, markersize=4)
    axis.axhline(1, color="black", linestyle=":", linewidth=1)
    for place in (2, 5):  # 4a and 4d
        axis.axvline(place, color="crimson", linestyle="--", linewidth=1)
        axis.text(place + 0.1, 0.1, "head", color="crimson", fontsize=9)
    axis.set(title="Norm of the gradient of each module, fresh network", ylim=(0, None))
    axis.set_ylabel("with heads / without")
    axis.grid(alpha=0.3)
    axis.legend(fontsize=9)
    plt.show()


draw_gradients()


# %% tags=["illustration"]
def train_small(number, heads, epochs):
    """Train a small network: (model, array (epochs, 2) of training loss and test accuracy)."""
    x, y, x_test, y_test = small_digits()
    model = small_net(googlenet, AuxHead, WithAux, number, heads)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    history = []
    for _ in range(epochs):
        model.train()
        losses = []
        for batch in torch.randperm(len(x)).split(50):
            outputs = model(x[batch])
            loss = total_loss(outputs, y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(F.cross_entropy(outputs[0], y[batch]).item())
        model.eval()
        with torch.no_grad():
            accuracy = (model(x_test).argmax(dim=1) == y_test).double().mean().item()
        history.append((np.mean(losses), accuracy))
    return model, np.array(history)


def race_of_heads():
    """Train and draw three networks with heads and three without; returns the last one trained."""
    began = time.perf_counter()
    figure, axes = plt.subplots(1, 2, figsize=(10.5, 3))
    numbers = range(seed, seed + (1 if quick else 3))
    for heads, what, color in ((False, "without heads", "0.4"), (True, "with heads", "tab:green")):
        final = []
        for number in numbers:
            model, history = train_small(number, heads, 2 if quick else 8)
            final.append(f"{history[-1, 1]:.3f}")
            for axis, values in zip(axes, history.T):
                label = what if number == seed else None
                axis.plot(range(1, len(values) + 1), values, color=color, label=label)
        print(f"{what:14} test accuracy after the last epoch: {' '.join(final)}")
    axes[0].set(title="training loss of the last classifier (with dropout)", ylim=(0, 2.6))
    axes[1].set(title="test accuracy, 400 digits, heads off", ylim=(0, 1))
    for axis in axes:
        axis.set_xlabel("epoch")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=9)
    figure.tight_layout()
    plt.show()
    seconds = time.perf_counter() - began
    print(f"{len(numbers)} seeds each, 1,000 training digits, CPU, one thread, {seconds:.0f} s")
    return model


small_googlenet = race_of_heads()

# %% [markdown]
# The first picture is as the authors hoped: behind the last head nothing changes (the ratio is 1),
# before it the gradients grow, in stage 3 to between 1.4 and 1.9 times their norm. The second does
# not show that it helps: on the way two of the runs without heads are ahead of all with heads, and
# at the end what separates the two kinds is smaller than what separates two seeds. At this size,
# with He's initialisation, the heads are not needed. Three seeds of a small network say nothing
# about ImageNet; but neither does an error rate on a slide without its experiment.
#
# ## An image of another size, and where the score comes from
#
# The last of these networks, trained on 10 × 10, takes any size. That it *runs* does not mean that
# it is right:


# %% tags=["illustration"]
def other_sizes():
    """The test accuracy on digits made smaller or larger."""
    _, _, x_test, y_test = small_digits()
    for side in (8, 10, 14, 20, 30):
        other = F.interpolate(x_test, size=(side, side), mode="bilinear", align_corners=False)
        with torch.no_grad():
            right = small_googlenet(other).argmax(dim=1) == y_test
        print(f"digits of {side} × {side}: test accuracy {right.double().mean():.3f}")


def two_digits():
    """Class maps of pictures with two digits: which side are they higher on? Three are drawn."""
    _, _, x_test, y_test = small_digits()
    left, right = torch.arange(0, 400, 2), torch.arange(1, 400, 2)
    differ = y_test[left] != y_test[right]
    left, right = left[differ], right[differ]  # (P,) each
    between = torch.full((len(left), 1, 10, 6), -0.3)
    canvas = torch.cat([x_test[left], between, x_test[right]], dim=3)  # (P, 1, 10, 26)
    net, every = small_googlenet.net, torch.arange(len(left))
    with torch.no_grad():
        maps = class_maps(net.body(canvas), net.fc.weight, net.fc.bias)  # (P, 10, 3, 7)
    lean = maps[..., :3].mean(dim=(2, 3)) - maps[..., 4:].mean(dim=(2, 3))  # (P, 10)
    correct = torch.cat([lean[every, y_test[left]] > 0, lean[every, y_test[right]] < 0])
    print(f"{len(left)} pairs of different digits:", end=" ")
    print(f"{correct.double().mean():.1%} of the class maps are higher on the side of their digit")
    figure, axes = plt.subplots(3, 3, figsize=(10.5, 3.6))
    for place, line in enumerate(axes):
        labels = y_test[left[place]].item(), y_test[right[place]].item()
        shown = {"two digits": canvas[place, 0]}
        shown |= {f"class map of {label}": maps[place, label] for label in labels}
        for axis, (title, image) in zip(line, shown.items()):
            colors = "gray" if title == "two digits" else "magma"
            axis.imshow(image, cmap=colors, extent=(0, 26, 0, 10))
            axis.set_title(title, fontsize=9)
            axis.axis("off")
    figure.tight_layout()
    plt.show()


other_sizes()
two_digits()

# %% [markdown]
# Without a word about places in its training the network knows where a digit is: nearly all class
# maps are higher on the side of their digit, as coarsely as 3 × 7 positions allow. And the accuracy
# at other sizes is honest about the limits: GAP removes the *constraint* on the size; digits of
# another size are still digits that the network has never seen.
#
# ## Summary
#
# - A **1×1 convolution** is one matrix at every pixel. Before an expensive layer it is a **bottleneck**:
#   it limits the rank of what follows, and the ReLU behind it makes up for some of that.
# - The **Inception module** runs 1×1, 3×3, 5×5 and stride-1 pooling side by side and concatenates
#   the channels. Naive, it costs 854 million MACs on 256 × 28 × 28 and grows without end; with
#   reductions **271 million** (not 358), 3.15 times less.
# - **GoogLeNet**: a stem that leaves the large maps fast, nine modules, GAP, dropout, *one* linear
#   layer. **6,998,552 parameters** (not 5 million) and 1.58 billion MACs; a ninth of AlexNet's
#   parameters and a tenth of VGG's work.
# - **Global average pooling** takes the mean of each map; its gradient is an equal share for each
#   pixel. The network accepts images of any size, the head shrinks a hundredfold, and class
#   activation maps come for free.
# - **Auxiliary heads** add 0.3 of their losses in training and are gone afterwards. Their effect is
#   small.
# - A table is a claim: **recompute it**. Two totals, three ratios and seven cells in this lesson's
#   tables were wrong.
#
# ## References
#
# - C. Szegedy and others, [Going Deeper with Convolutions](https://arxiv.org/abs/1409.4842), CVPR
#   2015: GoogLeNet, its table and its protocol
# - M. Lin, Q. Chen, S. Yan, [Network in Network](https://arxiv.org/abs/1312.4400), ICLR 2014: 1×1
#   convolutions and global average pooling
# - C. Szegedy and others, [Rethinking the Inception Architecture for Computer
#   Vision](https://arxiv.org/abs/1512.00567), CVPR 2016: what auxiliary heads do, and two 3×3 for a
#   5×5
# - S. Ioffe, C. Szegedy, [Batch Normalization](https://arxiv.org/abs/1502.03167), ICML 2015:
#   BN-Inception. ("BN-x5" there is not only five times the learning rate: dropout and LRN are gone
#   as well, weight decay and schedule changed)
# - B. Zhou and others, [Learning Deep Features for Discriminative
#   Localization](https://arxiv.org/abs/1512.04150), CVPR 2016: class activation maps
# - F. Chollet, [Xception: Deep Learning with Depthwise Separable
#   Convolutions](https://arxiv.org/abs/1610.02357), CVPR 2017, on the first layer of Inception
# - S. Arora and others, [Provable Bounds for Learning Some Deep
#   Representations](https://arxiv.org/abs/1310.6343), ICML 2014: where the idea of sparse layers
#   comes from
