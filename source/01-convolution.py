# ---
# jupyter:
#   autograder:
#     packages:
#     - numpy
#     - matplotlib
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
# # 01 · Convolution by hand
#
# Nine numbers, slid over a photograph, find every edge in it. A network that looks at the same
# photograph without that trick needs more than a billion numbers for its first layer. This lesson
# goes from the billion to the nine, one argument at a time, and you write every step yourself.
#
# **Time** 3 to 4 hours · **Difficulty** ●●○○○ · **You need** NumPy slicing and broadcasting ·
# **Runs on** any laptop, in seconds
#
# **After this lesson you can**
#
# - count what a fully connected layer on an image costs, and name the two assumptions with which
#   a convolution avoids that cost;
# - write cross-correlation and true convolution, tell them apart, and say when it matters;
# - write the convolution layer that networks use: batches, channels, filters, bias, stride, padding;
# - turn it into one matrix product, and convert between the memory layouts that libraries use;
# - *measure* which changes of an image a convolution follows, instead of believing a slide.
#
# Your `conv2d_forward` stays with you: lesson 04 sends gradients through it, and lesson 09 checks a
# whole ResNet against it.
#
# | part | you build | points |
# |---|---|---|
# | 1 · A picture is an array | `flatten`, `fc_params` | 7 |
# | 2 · What a fully connected layer cannot see | `fully_connected`, `permute_net` | 8 |
# | 3 · Local, then shared | `locally_connected`, `tie_weights`, two counters | 11 |
# | 4 · The sliding kernel | `xcorr2d`, `convolve2d`, `flip_matters` | 16 |
# | 5 · A kernel bank on a photograph | `normalised`, `slope_kernel`, an image riddle | 8 |
# | 6 · Channels, filters, batches | `conv2d_forward`, `depthwise_forward`, `colour_pair`, `relayout` | 29 |
# | 7 · Convolution as one matrix product | `im2col`, `conv2d_im2col` | 8 |
# | 8 · What moves with the picture | `equivariance_gap` | 8 |
# | 9 · Fact check | five sentences from slides | 5 |
#
# **How it works.** Complete each cell that says `raise NotImplementedError`, then run the checks
# below it. Grading runs the same checks and further ones, on other shapes and other numbers, so
# write for any input of the described shape. Questions ask you to predict *before* you run the cell
# that shows the truth. Folded cells only draw: run them like any other. NumPy is all you may import.

# %% tags=["parameters"]
# Scripts that run this notebook set these; leave them as they are.
seed = 0
device = "auto"
quick = False

# %%
import matplotlib.pyplot as plt
import numpy as np

from course.checks import (
    check_choice,
    check_close,
    check_number,
    check_raises,
    check_shape,
    check_unchanged,
)
from course.data import photo
from course.plots import annotate_grid, contact_sheet

# %% [markdown]
# ## Part 1 · A picture is an array
#
# Zoom into a photograph far enough and only numbers are left: a grid of brightness values, 0 for
# black, 1 for white.

# %% jupyter={"source_hidden": true} tags=["illustration"]
gray = photo("china", gray=True)  # (427, 640)
top, left, size = 148, 283, 8
figure, axes = plt.subplots(1, 3, figsize=(11, 3.2), width_ratios=[1.5, 1, 1])
axes[0].imshow(gray, cmap="gray")
axes[0].add_patch(
    plt.Rectangle((left - 16, top - 16), 40, 40, fill=False, color="tab:orange", lw=2)
)
axes[0].set_title("the photograph, 427 × 640", fontsize=10)
crop = gray[top - 16 : top + 24, left - 16 : left + 24]  # (40, 40)
axes[1].imshow(crop, cmap="gray", vmin=0, vmax=1)
axes[1].add_patch(plt.Rectangle((15.5, 15.5), size, size, fill=False, color="tab:orange", lw=2))
axes[1].set_title("40 × 40 of it", fontsize=10)
patch = gray[top : top + size, left : left + size]  # (8, 8)
axes[2].imshow(patch, cmap="gray", vmin=0, vmax=1)
for (row, column), value in np.ndenumerate(patch):
    shade = "white" if value < 0.5 else "black"
    axes[2].text(
        column,
        row,
        f"{value:.2f}"[1:] if value < 1 else "1",
        ha="center",
        va="center",
        fontsize=8,
        color=shade,
    )
axes[2].set_title("8 × 8 of that: numbers", fontsize=10)
for axis in axes:
    axis.axis("off")
figure.tight_layout()


# %% [markdown]
# | image | axes | shape in this course |
# |---|---|---|
# | gray | rows, columns | `(H, W)` |
# | colour | channels, rows, columns | `(C, H, W)`, C = 3 for RGB |
# | a batch of images | samples, channels, rows, columns | `(N, C, H, W)`, called **NCHW** |
#
# A **fully connected** layer expects something else: one vector a sample. So the grid is unrolled,
# row after row, channel after channel, into a vector of length $D = C \cdot H \cdot W$. A gray
# 200 × 200 image becomes a vector of 40,000 numbers; in colour it is 120,000.
#
# ### Exercise 1 · Flatten a batch
#
# Write `flatten(x)`: it takes a batch of any shape `(N, …)` and returns `(N, D)`. The last axis runs
# fastest: the pixel `x[n, c, i, j]` lands in column `c·H·W + i·W + j`.
#
# *Example.* Shape `(2, 3, 2, 2)` becomes `(2, 12)`. Sample 0 with the channels
# `[[0, 1], [2, 3]]`, `[[4, 5], [6, 7]]`, `[[8, 9], [10, 11]]` becomes `0, 1, 2, …, 11`.

# %% nbgrader={"grade": false, "grade_id": "flatten", "locked": false, "schema_version": 3, "solution": true, "task": false}
def flatten(x):
    """Unroll each sample of x (N, ...) into a row; returns (N, D), last axis fastest."""
    ### BEGIN SOLUTION
    return np.reshape(x, (len(x), -1))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-flatten", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# A batch becomes rows, the last axis fastest
batch = np.arange(24.0).reshape(2, 3, 2, 2)
check_shape(flatten(batch), (2, 12), "flatten of (2, 3, 2, 2)")
check_close(flatten(batch)[0], np.arange(12.0), "the first row")
### BEGIN HIDDEN TESTS
_x = np.random.default_rng(1).normal(size=(3, 2, 5, 4))
check_close(flatten(_x), np.array([_s.ravel() for _s in _x]), "flatten of (3, 2, 5, 4)")
_x = np.random.default_rng(2).normal(size=(1, 7, 6))
check_close(flatten(_x), _x.ravel()[None], "flatten of one gray image, (1, 7, 6)")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The shape is `(24,)`.** You unrolled the batch axis too; samples must stay apart.
# - **The numbers are in a strange order.** `np.reshape` with its default order already runs the last
#   axis fastest; no transpose is needed.
# - **It fails on gray images.** Do not name the axes: N is `len(x)`, and `-1` lets NumPy work out
#   the rest.
#
# </details>

# %% [markdown]
# ### Deep networks, and the price of their first layer
#
# One fully connected layer computes, for each of its units $u$, a weighted sum of *all* inputs plus a
# bias, and then an activation such as $\max(0, y)$:
#
# $$y_u = \sum_{d=1}^{D} W_{ud}\, x_d + b_u .$$
#
# A network is called **deep** in this course when it has more than one hidden layer. (Slides
# differ here: some say "more than two layers" and leave open what counts as a layer.) Each
# layer computes its features from the features of the layer before, so they grow more complex with
# depth: edges, then parts, then things. That holds for *every* deep network, fully connected ones
# included. What those lack on images is something else, and it starts with the bill.
#
# ### Exercise 2 · What a fully connected layer costs
#
# Write `fc_params(input_shape, units, bias=True)`: how many numbers a fully connected layer learns
# whose input has `input_shape` (one sample, without N) and which has `units` units.
#
# *Example.* A gray 28 × 28 image, `input_shape = (28, 28)`, and 100 units:
# 784 · 100 = 78,400 weights, and 78,500 numbers with the biases.

# %% nbgrader={"grade": false, "grade_id": "fc-params", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fc_params(input_shape, units, bias=True):
    """Learned numbers of a fully connected layer: weights, and one bias a unit if bias."""
    ### BEGIN SOLUTION
    inputs = 1
    for size in input_shape:
        inputs *= size
    return (inputs + (1 if bias else 0)) * units
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-fc-params", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Parameters of a fully connected layer, with and without biases
check_number(fc_params((28, 28), 100, bias=False), 78_400, "the count of weights, 28 × 28 → 100,")
check_number(fc_params((28, 28), 100), 78_500, "the count with biases, 28 × 28 → 100,")
### BEGIN HIDDEN TESTS
check_number(fc_params((3, 32, 20), 10), 19_210, "the count with biases, (3, 32, 20) → 10,")
check_number(fc_params((4, 7, 5), 6, bias=False), 840, "the count without biases, (4, 7, 5) → 6,")
check_number(fc_params((512,), 1_000), 513_000, "the count with biases, (512,) → 1000,")
check_number(fc_params((3, 1000, 1000), 1_000_000, False), 3 * 10**12, "the count of a huge layer")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The count with biases is one too large, not `units` too large.** Every unit has a bias of its
#   own.
# - **A colour image comes out three times too small.** All axes of `input_shape` count, channels
#   too.
# - **Huge layers come out negative.** `np.prod` of small integer types can overflow; Python's own
#   integers cannot.
#
# </details>

# %% [markdown]
# ### Question 1 · Two billion?
#
# A well-known slide: a 200 × 200 image, 40,000 hidden units, "about 2 billion parameters". It does
# not say how many channels the image has. Mind that 40,000 appears twice by accident: as the
# number of gray pixels *and* as the number of units.
#
# Work out with pencil, before you run anything:
#
# - `q_gray_weights`: the number of **weights** (no biases) for a **gray** image;
# - `q_colour_params`: the number of **weights and biases** for an **RGB** image.

# %% nbgrader={"grade": false, "grade_id": "q-fc-cost", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_gray_weights = …   (weights only, gray)
# q_colour_params = …  (weights and biases, RGB)
### BEGIN SOLUTION
q_gray_weights = 200 * 200 * 40_000
q_colour_params = (3 * 200 * 200 + 1) * 40_000
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-fc-cost", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The two counts of the 200 × 200 example
check_number(q_gray_weights, q_gray_weights, "q_gray_weights")  # is it one number?
check_number(q_colour_params, q_colour_params, "q_colour_params")
### BEGIN HIDDEN TESTS
check_number(q_gray_weights, 1_600_000_000, "q_gray_weights")
check_number(q_colour_params, 4_800_040_000, "q_colour_params")
### END HIDDEN TESTS

# %%
# The truth, by your own function.
for name, shape in {"gray": (200, 200), "RGB": (3, 200, 200)}.items():
    weights, both = (fc_params(shape, 40_000, bias=with_bias) for with_bias in (False, True))
    print(
        f"{name:5} {weights:>13,} weights, {both:>13,} with biases, {4 * both / 1e9:.1f} GB in float32"
    )


# %% [markdown]
# So "2 billion" is 1.6 billion rounded up, for gray; in colour it is 4.8 billion. State the channels
# whenever you state a count.
#
# Five drawbacks of fully connected layers on images are usually listed. Here they are with a
# verdict; the rest of the lesson shows why.
#
# | claim | verdict |
# |---|---|
# | They ignore which pixels are neighbours. | True: part 2 proves it. |
# | They cannot learn a hierarchy of features. | **False**: depth gives the hierarchy, in any deep network. What they lack is the built-in preference for local, repeated patterns. |
# | So many parameters need much data and overfit easily. | A real risk, as the count above suggests. |
# | They take much computation. | True: 1.6 billion multiplications for one gray image. |
# | They must learn a pattern anew at each place. | True: nothing ties the weights of two places. |

# %% [markdown]
# ## Part 2 · What a fully connected layer cannot see
#
# ### Exercise 3 · The fully connected layer
#
# Write `fully_connected(x, weight, bias)`, the formula above for a whole batch:
#
# | array | shape |
# |---|---|
# | `x` | `(N, D)` |
# | `weight` | `(U, D)`, one row a unit |
# | `bias` | `(U,)` |
# | result | `(N, U)` |
#
# *Example.* `x = [[1, 2, 3]]`, `weight = [[1, 0, -1], [2, 2, 2]]`, `bias = [10, 20]` gives
# `[[1 − 3 + 10, 2 + 4 + 6 + 20]] = [[8, 32]]`.

# %% nbgrader={"grade": false, "grade_id": "fully-connected", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fully_connected(x, weight, bias):
    """Fully connected layer: x (N, D), weight (U, D), bias (U,); returns (N, U)."""
    ### BEGIN SOLUTION
    return x @ weight.T + bias  # (N, U)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-fully-connected", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Each unit sums all inputs and adds its own bias
x = np.array([[1.0, 2.0, 3.0]])
weight = np.array([[1.0, 0.0, -1.0], [2.0, 2.0, 2.0]])
check_close(fully_connected(x, weight, np.array([10.0, 20.0])), [[8.0, 32.0]], "the example")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(3)
for _n, _d, _u in [(4, 7, 5), (3, 3, 3)]:
    _x, _w, _b = _rng.normal(size=(_n, _d)), _rng.normal(size=(_u, _d)), _rng.normal(size=_u)
    _want = np.einsum("nd,ud->nu", _x, _w) + _b
    check_close(
        fully_connected(_x, _w, _b),
        _want,
        f"the result for {_n} samples, {_d} → {_u},",
        rtol=1e-4,
        atol=1e-5,
    )
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **`matmul: … mismatch in its core dimension`.** `weight` has one *row* a unit; the product of
#   `x (N, D)` needs it the other way round.
# - **The shapes fit by luck on square weights and the values are wrong.** Same cause.
# - **Everything is off by a constant in each column.** The bias.
#
# </details>

# %% [markdown]
# ### Exercise 4 · The permutation theorem
#
# Here is a complete classifier with one hidden layer, built on your `fully_connected`. For each image
# it returns K **logits**, the raw scores of the K classes; the largest one is the net's answer.

# %%
def fc_net(x, w1, b1, w2, b2):
    """Logits (N, K) of a net with one hidden layer: x (N, D), w1 (U, D), w2 (K, U)."""
    hidden = np.maximum(0, fully_connected(x, w1, b1))  # (N, U)
    return fully_connected(hidden, w2, b2)  # (N, K)


# %% [markdown]
# Now shuffle the pixels of every image by one fixed `order`: the new vector is `x[:, order]`. To
# you the photograph is gone. Is anything lost for the network?
#
# Write `permute_net(w1, b1, w2, b2, order)`. It returns the four arrays of a network that gives the
# **same logits on shuffled images** as the old one gave on the originals. Leave the arguments
# as they are: return new arrays where something changes.
#
# *Example.* `order = [2, 0, 1]` turns the pixels `(p, q, r)` into `(r, p, q)`. The unit
# $5p + 6q + 7r$ must become $7r + 5p + 6q$: its weights `[5, 6, 7]` turn into `[7, 5, 6]`.

# %% nbgrader={"grade": false, "grade_id": "permute-net", "locked": false, "schema_version": 3, "solution": true, "task": false}
def permute_net(w1, b1, w2, b2, order):
    """Parameters (w1, b1, w2, b2) that give on x[:, order] what the old ones give on x (N, D)."""
    ### BEGIN SOLUTION
    return w1[:, order], b1, w2, b2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-permute-net", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Shuffled images, same logits
w1 = np.array([[5.0, 6.0, 7.0]])
new_w1, new_b1, new_w2, new_b2 = permute_net(
    w1, np.ones(1), np.ones((2, 1)), np.zeros(2), [2, 0, 1]
)
check_close(new_w1, [[7.0, 5.0, 6.0]], "the new w1")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(4)
_x, _order = _rng.normal(size=(5, 12)), _rng.permutation(12)
_net = [_rng.normal(size=_s) for _s in [(6, 12), (6,), (4, 6), (4,)]]


def _logits(x, w1, b1, w2, b2):
    return np.maximum(0, x @ np.transpose(w1) + b1) @ np.transpose(w2) + b2


_before = [_a.copy() for _a in _net]
_new = permute_net(*_net, _order)
check_close(
    _logits(_x[:, _order], *_new),
    _logits(_x, *_before),
    "the new net on shuffled images",
    rtol=1e-4,
    atol=1e-5,
)
for _name, _a, _b in zip(["w1", "b1", "w2", "b2"], _net, _before):
    check_unchanged(_a, _b, f"the argument {_name}")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The example gives `[6, 7, 5]`.** You applied the inverse order. Column `d` of the new weights
#   meets pixel `order[d]` of the old image.
# - **The logits differ although `w1` is right.** Only the first layer touches pixels. The hidden
#   units have not moved, so nothing else may.
# - **An argument was changed.** `w1[:, order]` is a new array; `w1[:] = …` writes into the caller's.
#
# </details>

# %% [markdown]
# ### Question 2 · Who notices?
#
# All images of a data set, training and test, are shuffled by one fixed order. A fully connected
# first layer has a weight for each pixel. A convolution, which part 3 builds, has nine weights in
# all and applies the same nine to every 3 × 3 neighbourhood. For which of the two can you *always*
# rearrange the weights so that its outputs stay exactly the same?
#
# - `q_permutation`: `"fully connected"`, `"convolution"`, `"both"` or `"neither"`.
#
# And you? In a photograph, take all pairs of pixels that are neighbours in a row. Their values are
# strongly correlated, close to 1. Now shuffle the pixels by a random order.
#
# - `q_locality`: the correlation of neighbours is now `"still close to 1"`, `"about 0"` or
#   `"close to -1"`?

# %% nbgrader={"grade": false, "grade_id": "q-permutation", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_permutation = …  (one of the four strings)
# q_locality = …     (one of the three strings)
### BEGIN SOLUTION
q_permutation = "fully connected"
q_locality = "about 0"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-permutation", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Which layer does not notice shuffled pixels
options = ["fully connected", "convolution", "both", "neither"]
assert q_permutation in options, f"q_permutation should be one of {options}"
### BEGIN HIDDEN TESTS
check_choice(q_permutation, "fully connected", options, "q_permutation")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-locality", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# What shuffling does to neighbours
options = ["still close to 1", "about 0", "close to -1"]
assert q_locality in options, f"q_locality should be one of {options}"
### BEGIN HIDDEN TESTS
check_choice(q_locality, "about 0", options, "q_locality")
### END HIDDEN TESTS

# %% tags=["illustration"]
# The truth for the fully connected net, on a real photograph.
rng = np.random.default_rng(seed)
small = photo("china", gray=True, step=16)  # (27, 40)
order = rng.permutation(small.size)
net = [rng.normal(size=shape) / 10 for shape in [(16, small.size), (16,), (3, 16), (3,)]]
pixels = small.reshape(1, -1)  # (1, 1080)
print("logits, original image, old weights:", fc_net(pixels, *net).round(6))
print("logits, shuffled image, old weights:", fc_net(pixels[:, order], *net).round(6))
print(
    "logits, shuffled image, new weights:",
    fc_net(pixels[:, order], *permute_net(*net, order)).round(6),
)

# %% [markdown]
# **Theorem.** For every fully connected network and every order of the pixels there is a network of
# the same shape that gives on shuffled images the logits that the first gave on the originals. So
# a fully connected network starts without any idea of what lies next to what. A convolution cannot
# be repaired like this: shuffling gives each pixel new neighbours, and nine weights for all places
# leave nothing to rearrange.
#
# To the fully connected layer both images below are the same. To you they are not, and the curve
# says what you use: **locality**. In a photograph, neighbouring pixels are strongly correlated and
# the correlation falls off with distance. Shuffling keeps every pixel's value and destroys exactly
# that.

# %% jupyter={"source_hidden": true} tags=["illustration"]
scene = photo("china", gray=True)  # (427, 640)
shuffled = np.random.default_rng(0).permutation(scene.ravel()).reshape(scene.shape)
distances = np.arange(1, 81)
figure, axes = plt.subplots(1, 3, figsize=(12, 2.9), width_ratios=[1.5, 1.5, 1.3])
for axis, image, title in zip(axes, [scene, shuffled], ["original", "the same pixels, shuffled"]):
    axis.imshow(image, cmap="gray")
    axis.set_title(title, fontsize=10)
    axis.axis("off")
# A row's pixels at a distance d: pair each pixel with the one d columns to its right.
for image, label in [(scene, "original"), (shuffled, "shuffled")]:
    r = [np.corrcoef(image[:, d:].ravel(), image[:, :-d].ravel())[0, 1] for d in distances]
    axes[2].plot(distances, r, lw=2, label=label)
    axes[2].annotate(
        f"{abs(r[0]):.2f}", (1, r[0]), xytext=(6, 4), textcoords="offset points", fontsize=9
    )
axes[2].set_xlabel("distance between two pixels of a row")
axes[2].set_title("correlation of their values", fontsize=10)
axes[2].set_ylim(-0.15, 1.15)
axes[2].legend(frameon=False)
axes[2].spines[["top", "right"]].set_visible(False)
figure.tight_layout()


# %% [markdown]
# ## Part 3 · Local, then shared
#
# Two observations about photographs shrink the layer.
#
# 1. **Locality.** What makes an edge an edge is decided by a small neighbourhood. So connect each
#    unit to one small patch only, its **receptive field**. That is a **locally connected** layer.
# 2. **Repetition.** An edge is an edge wherever it stands. So let all units use the *same* weights.
#    That is a **convolutional** layer; the shared weights are its **kernel**.
#
# In the drawing each line is a connection and each colour a learned weight. Count colours, not
# lines.

# %% jupyter={"source_hidden": true} tags=["illustration"]
def draw_connections(axis, links, colours, title, note):
    for (source, target), colour in zip(links, colours):
        axis.plot([source, target + 1], [0, 1], color=colour, lw=1.6, zorder=1)
    axis.scatter(range(8), [0] * 8, s=120, color="#4c72b0", zorder=2)
    axis.scatter(np.arange(6) + 1, [1] * 6, s=120, color="#55a868", zorder=2)
    axis.text(3.5, 1.34, title, ha="center", fontsize=11, weight="bold")
    axis.text(
        3.5,
        1.17,
        f"{len(links)} connections, {len(set(colours))} weights",
        ha="center",
        fontsize=10,
    )
    axis.text(3.5, -0.2, note, ha="center", va="top", fontsize=10, linespacing=1.5)
    axis.set(xlim=(-0.6, 7.6), ylim=(-0.75, 1.5))
    axis.axis("off")


everywhere = [(s, t) for t in range(6) for s in range(8)]
nearby = [(t + k, t) for t in range(6) for k in range(3)]
many = [plt.cm.hsv(i / 48) for i in np.random.default_rng(1).permutation(48)]
three = ["#c44e52", "#dd8452", "#8172b3"]
figure, axes = plt.subplots(1, 3, figsize=(13, 4))
draw_connections(
    axes[0],
    everywhere,
    many,
    "fully connected",
    "200 × 200 gray, 40,000 units:\n1,600,000,000 weights\n+ 40,000 biases",
)
draw_connections(
    axes[1],
    nearby,
    many[:18],
    "locally connected",
    "3 × 3 patch, one unit per pixel:\n360,000 weights\n+ 40,000 biases",
)
draw_connections(
    axes[2],
    nearby,
    three * 6,
    "convolutional",
    "one 3 × 3 kernel for all pixels:\n9 weights\n+ 1 bias",
)
figure.tight_layout()


# %% [markdown]
# ### Exercise 5 · The locally connected layer
#
# The unit at output position $(i, j)$ looks at the patch whose top left corner is $(i, j)$, and it
# has weights of its own:
#
# $$y_{ij} = \sum_{m=0}^{K_H-1} \sum_{n=0}^{K_W-1} W_{ij,mn}\; x_{i+m,\,j+n} + b_{ij}.$$
#
# Write `locally_connected(image, weight, bias)`:
#
# | array | shape |
# |---|---|
# | `image` | `(H, W)` |
# | `weight` | `(OH, OW, KH, KW)`, a patch of weights for each output position |
# | `bias` | `(OH, OW)` |
# | result | `(OH, OW)` with `OH = H − KH + 1`, `OW = W − KW + 1` |
#
# *Example.* `image = [[1, 2, 3]]`, patches of 1 × 2: the unit at (0, 0) sees `1, 2`, the unit at
# (0, 1) sees `2, 3`. With weights `[1, 1]` for the first, `[0, 10]` for the second and biases
# `[[0.5, 0]]` the result is `[[3.5, 30]]`.

# %% nbgrader={"grade": false, "grade_id": "locally-connected", "locked": false, "schema_version": 3, "solution": true, "task": false}
def locally_connected(image, weight, bias):
    """Locally connected layer: image (H, W), weight (OH, OW, KH, KW), bias (OH, OW) → (OH, OW)."""
    ### BEGIN SOLUTION
    oh, ow, kh, kw = weight.shape
    out = np.zeros((oh, ow)) + bias
    # A loop over the patch, not over the image: each turn adds one term to every unit.
    for m in range(kh):
        for n in range(kw):
            out += weight[:, :, m, n] * image[m : m + oh, n : n + ow]  # (OH, OW)
    return out
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-locally-connected", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Each position has its own weights and its own bias
weight = np.array([[[[1.0, 1.0]], [[0.0, 10.0]]]])  # (1, 2, 1, 2)
bias = np.array([[0.5, 0.0]])
check_close(
    locally_connected(np.array([[1.0, 2.0, 3.0]]), weight, bias), [[3.5, 30.0]], "the example"
)
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(5)
for _h, _w, _kh, _kw in [(6, 5, 2, 3), (5, 5, 3, 3)]:
    _positions = _h - _kh + 1, _w - _kw + 1
    _x, _k = _rng.normal(size=(_h, _w)), _rng.normal(size=(*_positions, _kh, _kw))
    _b = _rng.normal(size=_positions)
    _v = np.lib.stride_tricks.sliding_window_view(_x, (_kh, _kw))
    check_close(
        locally_connected(_x, _k, _b),
        (_v * _k).sum((2, 3)) + _b,
        f"the result for {_h} × {_w} with {_kh} × {_kw} patches",
        rtol=1e-4,
        atol=1e-5,
    )
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **You do not know where to start.** Write it for one unit first: cut the patch
#   `image[i : i + KH, j : j + KW]`, multiply it by `weight[i, j]`, add everything up, add
#   `bias[i, j]`. Then put two loops around it.
# - **Only rectangular cases fail.** Two of the four numbers OH, OW, KH, KW are swapped somewhere.
# - **All units come out as if they had the weights of the first.** `weight[0, 0]` crept in for
#   `weight[i, j]`.
#
# </details>

# %% [markdown]
# ### Exercise 6 · Tie the weights
#
# A convolution is a locally connected layer whose units all agree. Write
# `tie_weights(kernel, bias, oh, ow)`, which repeats one `kernel` `(KH, KW)` and one number `bias` for
# every output position. It returns the pair `weight` `(oh, ow, KH, KW)`, `biases` `(oh, ow)`,
# ready for `locally_connected`.
#
# *Example.* `tie_weights` of the kernel `[[1, 2, 3]]`, bias 0.5, for 4 × 2 positions: `weight` has shape
# `(4, 2, 1, 3)`, `weight[3, 1]` is `[[1, 2, 3]]`, and `biases[3, 1]` is 0.5.

# %% nbgrader={"grade": false, "grade_id": "tie-weights", "locked": false, "schema_version": 3, "solution": true, "task": false}
def tie_weights(kernel, bias, oh, ow):
    """Repeat kernel (KH, KW) and the number bias; returns weight (oh, ow, KH, KW), biases (oh, ow)."""
    ### BEGIN SOLUTION
    return np.tile(kernel, (oh, ow, 1, 1)), np.full((oh, ow), bias)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-tie-weights", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# One kernel and one bias, repeated at every position
weight, biases = tie_weights(np.array([[1.0, 2.0, 3.0]]), 0.5, 4, 2)
check_shape(weight, (4, 2, 1, 3), "the weight array")
check_close(biases, np.full((4, 2), 0.5), "the bias array")
### BEGIN HIDDEN TESTS
_kernel = np.random.default_rng(6).normal(size=(2, 3))
_weight, _biases = tie_weights(_kernel, -1.25, 3, 5)
check_close(
    _weight,
    np.ones((3, 5, 1, 1)) * _kernel,
    "the weight array of a 2 × 3 kernel",
    rtol=1e-4,
    atol=1e-5,
)
check_close(_biases, -1.25 * np.ones((3, 5)), "the bias array")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The weights have shape `(KH·oh, KW·ow)`.** You tiled within the image plane. The two new axes
#   stand in front. `np.tile` and `np.broadcast_to` both take more axes than the kernel has.
# - **The biases are integers, 0 instead of 0.5.** An array made from integers cuts fractions off.
#
# </details>

# %%
# A first convolution, by tied weights: an X-shaped kernel on an image of bits.
BITS = np.array([[1, 1, 1, 0, 0],
                 [0, 1, 1, 1, 0],
                 [0, 0, 1, 1, 1],
                 [0, 0, 1, 1, 0],
                 [0, 1, 1, 0, 0]])  # (5, 5)
X_KERNEL = np.array([[1, 0, 1],
                     [0, 1, 0],
                     [1, 0, 1]])  # (3, 3)
print(locally_connected(BITS, *tie_weights(X_KERNEL, 0.0, 3, 3)))


# %% [markdown]
# Remember the 4 in the corner: you will meet it again. The map is large where the image has an X.
#
# ### Exercise 7 · Count again
#
# Both layers read `c_in` channels, and their patches always span **all** of them: local in height and
# width, full in depth. A unit on a 5 × 5 patch of an RGB image has 5 · 5 · 3 = 75 weights.
#
# - `local_params(c_in, kh, kw, oh, ow, bias=True)`: a locally connected layer with one unit at each
#   of `oh × ow` positions, nothing shared.
# - `conv_params(c_in, c_out, kh, kw, bias=True)`: a convolutional layer with `c_out` kernels, each
#   shared by all positions, and one bias a kernel.
#
# *Example.* 3 × 3 on a gray 200 × 200 image, one unit per pixel: 360,000 weights and 40,000 biases
# locally connected; 9 weights and 1 bias convolutional.

# %% nbgrader={"grade": false, "grade_id": "local-params", "locked": false, "schema_version": 3, "solution": true, "task": false}
def local_params(c_in, kh, kw, oh, ow, bias=True):
    """Learned numbers of a locally connected layer with one unit at each of oh × ow positions."""
    ### BEGIN SOLUTION
    return oh * ow * (c_in * kh * kw + (1 if bias else 0))
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "conv-params", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_params(c_in, c_out, kh, kw, bias=True):
    """Learned numbers of a convolutional layer with c_out kernels of shape (c_in, kh, kw)."""
    ### BEGIN SOLUTION
    return c_out * (c_in * kh * kw + (1 if bias else 0))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-local-params", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Locally connected: nothing is shared
check_number(local_params(1, 3, 3, 200, 200, bias=False), 360_000, "the count of weights, gray,")
check_number(local_params(1, 3, 3, 200, 200), 400_000, "the count with biases, gray,")
### BEGIN HIDDEN TESTS
check_number(
    local_params(3, 5, 2, 7, 11), 2_387, "the count for RGB, 5 × 2 patches, 7 × 11 positions,"
)
check_number(
    local_params(4, 1, 3, 6, 2, False), 144, "the count for 4 channels, 1 × 3 patches, no bias,"
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv-params", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Convolutional: one kernel for all positions
check_number(conv_params(1, 1, 3, 3, bias=False), 9, "the count of weights, gray, one kernel,")
check_number(conv_params(3, 1, 3, 3), 28, "the count with bias, RGB, one kernel,")
### BEGIN HIDDEN TESTS
check_number(conv_params(3, 64, 11, 11), 23_296, "the count for 3 → 64 channels, 11 × 11,")
check_number(conv_params(5, 7, 2, 3, False), 210, "the count for 5 → 7 channels, 2 × 3, no bias,")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **`local_params` gives 9 or 10.** That is the convolution: locally connected units share nothing,
#   so the positions multiply.
# - **`conv_params` grows with the image.** It should not know the image's size at all.
# - **RGB gives 10 instead of 28.** A patch spans all channels: 3 · 3 · 3 weights.
# - **Biases are counted three times for RGB.** One bias a kernel, not one a channel.
#
# </details>

# %% [markdown]
# ### Question 3 · What does each idea save?
#
# A **MAC** is one multiply-add. Take the gray 200 × 200 image, one unit per pixel, 3 × 3 patches,
# no biases, and count a zero at the border like any other pixel. The fully connected layer makes
# 1.6 billion MACs for one image.
#
# - `q_local_macs`: how many MACs does the locally connected layer make for one image?
# - `q_conv_macs`: how many does the convolution make?
# - `q_sharing_saves`: going from locally connected to convolutional saves `"parameters"`,
#   `"computation"` or `"both"`?

# %% nbgrader={"grade": false, "grade_id": "q-savings", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_local_macs = …
# q_conv_macs = …
# q_sharing_saves = …
### BEGIN SOLUTION
q_local_macs = 9 * 40_000
q_conv_macs = 9 * 40_000
q_sharing_saves = "parameters"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-savings", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# What sparse connections save, and what sharing saves
options = ["parameters", "computation", "both"]
check_number(q_local_macs, q_local_macs, "q_local_macs")  # is it one number?
check_number(q_conv_macs, q_conv_macs, "q_conv_macs")
assert q_sharing_saves in options, f"q_sharing_saves should be one of {options}"
### BEGIN HIDDEN TESTS
check_number(q_local_macs, 360_000, "q_local_macs")
check_number(q_conv_macs, 360_000, "q_conv_macs")
check_choice(q_sharing_saves, "parameters", options, "q_sharing_saves")
### END HIDDEN TESTS

# %%
# The truth: a weight of one unit is used once an image, a shared weight at each of the positions.
own, shared = local_params(1, 3, 3, 200, 200, bias=False), conv_params(1, 1, 3, 3, bias=False)
print(f"locally connected: {own:,} weights × 1 use = {own:,} MACs")
print(f"convolutional:     {shared} weights × {200 * 200:,} uses = {shared * 200 * 200:,} MACs")

# %% [markdown]
# ## Part 4 · The sliding kernel
#
# Tied weights are repeated for nothing: keep the kernel once and slide it. At each position, multiply
# what lies under the kernel by the kernel and add up. The strip shows the first four positions of
# the X-shaped kernel; the small red numbers are the kernel's.

# %% jupyter={"source_hidden": true} tags=["illustration"]
bits = np.array(
    [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
)
cross = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])
figure, axes = plt.subplots(2, 4, figsize=(13, 5.4), height_ratios=[5, 3])
so_far = np.full((3, 3), np.nan)
for step, (i, j) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0)]):
    above, below = axes[:, step]
    annotate_grid(above, bits, cmap="Greys", size=13)
    above.images[0].set_alpha(0.25)
    above.add_patch(plt.Rectangle((j - 0.5, i - 0.5), 3, 3, color="#dd8452", alpha=0.35))
    above.add_patch(plt.Rectangle((j - 0.5, i - 0.5), 3, 3, fill=False, color="#c44e52", lw=2.5))
    for m in range(3):
        for n in range(3):
            above.text(
                j + n + 0.26,
                i + m + 0.32,
                f"×{cross[m, n]}",
                ha="center",
                va="center",
                fontsize=10,
                color="#a31f24",
                weight="bold" if cross[m, n] else "normal",
            )
    products = (bits[i : i + 3, j : j + 3] * cross).ravel()
    so_far[i, j] = products.sum()
    above.set_title("+".join(str(p) for p in products) + f" = {products.sum()}", fontsize=11)
    below.imshow(np.where(np.isnan(so_far), 0, 1), cmap="Greens", vmin=0, vmax=3)
    below.add_patch(plt.Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, color="#2d7d46", lw=3))
    for (row, column), value in np.ndenumerate(so_far):
        if not np.isnan(value):
            below.text(
                column,
                row,
                f"{value:g}",
                ha="center",
                va="center",
                fontsize=14,
                weight="bold" if (row, column) == (i, j) else "normal",
            )
    below.set_xticks(np.arange(4) - 0.5, labels=[])
    below.set_yticks(np.arange(4) - 0.5, labels=[])
    below.grid(color="gray", linewidth=0.8)
    below.tick_params(length=0)
figure.tight_layout()


# %% [markdown]
# With the kernel's top left corner at $(i, j)$ this is
#
# $$S_{ij} = \sum_{m=0}^{K_H-1} \sum_{n=0}^{K_W-1} I_{i+m,\;j+n}\; K_{mn},$$
#
# the **cross-correlation** of $I$ and $K$. Deep learning calls it convolution; why that is not quite
# right comes next. Only positions where the kernel lies wholly inside the image count ("valid"),
# so the map has $H - K_H + 1$ rows and $W - K_W + 1$ columns.
#
# Mathematics often counts from the kernel's centre: $S_{ij} = \sum_{m,n} I_{i+m,\,j+n} K_{mn}$ with
# $m$ and $n$ from $-r$ to $r$. Then the kernel is $2r + 1$ wide: $r$ on either side and the centre.
#
# ### Exercise 8 · Cross-correlation
#
# Write `xcorr2d(image, kernel)`: `image` `(H, W)`, `kernel` `(KH, KW)`, result
# `(H − KH + 1, W − KW + 1)`. Images may hold integers and kernels fractions.
#
# *Example.* The strip above: the first number is 4.

# %% nbgrader={"grade": false, "grade_id": "xcorr2d", "locked": false, "schema_version": 3, "solution": true, "task": false}
def xcorr2d(image, kernel):
    """Cross-correlate image (H, W) with kernel (KH, KW); returns (H − KH + 1, W − KW + 1)."""
    ### BEGIN SOLUTION
    kh, kw = kernel.shape
    oh, ow = image.shape[0] - kh + 1, image.shape[1] - kw + 1
    out = np.zeros((oh, ow))
    for m in range(kh):
        for n in range(kw):
            out += kernel[m, n] * image[m : m + oh, n : n + ow]  # (OH, OW)
    return out
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-xcorr2d-shape", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The map is smaller than the image
check_shape(xcorr2d(np.ones((5, 5)), np.ones((3, 3))), (3, 3), "xcorr2d(5 × 5, 3 × 3)")
### BEGIN HIDDEN TESTS
check_shape(xcorr2d(np.ones((7, 4)), np.ones((2, 3))), (6, 2), "xcorr2d(7 × 4, 2 × 3)")
check_shape(xcorr2d(np.ones((3, 5)), np.ones((3, 5))), (1, 1), "xcorr2d(3 × 5, 3 × 5)")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-xcorr2d-values", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Values on a square image
bits = np.array(
    [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
)
x_kernel = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])
check_close(xcorr2d(bits, x_kernel), [[4, 3, 4], [2, 4, 3], [2, 3, 4]], "the strip's example")
impulse = np.zeros((3, 3))
impulse[0, 2] = 1.0
check_close(
    xcorr2d(impulse, np.array([[1.0, 2.0], [3.0, 4.0]])),
    [[0, 2], [0, 0]],
    "one bright pixel",
    atol=1e-5,
)
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(7)
_x, _k = _rng.normal(size=(6, 6)), _rng.normal(size=(3, 3))
_want = (np.lib.stride_tricks.sliding_window_view(_x, (3, 3)) * _k).sum((2, 3))
check_close(xcorr2d(_x, _k), _want, "xcorr2d(6 × 6, asymmetric 3 × 3)", rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-xcorr2d-rectangles", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Rectangular images, even and rectangular kernels
check_close(xcorr2d(np.array([[1.0, 2.0, 4.0]]), np.array([[1.0, 10.0]])), [[21.0, 42.0]], "a row")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(8)
for _size, _kernel in [((7, 5), (2, 4)), ((4, 9), (3, 2))]:
    _x, _k = _rng.normal(size=_size), _rng.normal(size=_kernel)
    _want = (np.lib.stride_tricks.sliding_window_view(_x, _kernel) * _k).sum((2, 3))
    _what = f"xcorr2d({_size[0]} × {_size[1]}, {_kernel[0]} × {_kernel[1]})"
    check_close(xcorr2d(_x, _k), _want, _what, rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-xcorr2d-integers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Integer images, fractional kernels
check_close(
    xcorr2d(np.array([[1, 2]]), np.array([[0.5, 0.25]])),
    [[1.0]],
    "the result for integers and fractions",
)
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(9)
_x, _k = _rng.integers(0, 256, size=(5, 6)), _rng.normal(size=(2, 2))
_want = (np.lib.stride_tricks.sliding_window_view(_x, (2, 2)) * _k).sum((2, 3))
check_close(xcorr2d(_x, _k), _want, "xcorr2d(integers, fractions)", rtol=1e-4, atol=1e-3)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **You do not know where to start.** Two loops over the output positions; inside, the patch
#   `image[i : i + KH, j : j + KW]` times the kernel, summed. That is a right answer.
# - **It is right but slow.** Loop over the kernel's 9 places instead of the image's 270,000: each
#   turn adds one shifted copy of the whole image.
# - **One row or column is missing.** From 0 to H − KH there are H − KH **+ 1** positions.
# - **The bright pixel shows `3` where `2` should be.** You turned or transposed the kernel.
# - **Fractions vanish.** The result took over the image's integer type. Make it with `np.zeros`,
#   not with `np.zeros_like(image)`.
# - **Rectangles fail.** Rows go with H and KH, columns with W and KW.
#
# </details>

# %% [markdown]
# ### Question 4 · The kernel that looks like an average
#
# A slide shows this image and this cross-shaped kernel; the value at the centre is 40.
#
# $$\begin{bmatrix} 2&2&4&4&0\\ 80&60&10&7&10\\ 4&10&80&10&20\\ 12&24&10&8&20\\ 22&42&20&10&10
# \end{bmatrix} \qquad \begin{bmatrix} 0&0.2&0\\ 0.2&0.4&0.2\\ 0&0.2&0 \end{bmatrix}$$
#
# Check the 40 by pencil: $0.2\,(10 + 10 + 10 + 10) + 0.4 \cdot 80$. It looks like a smoothing
# average. Is it one?
#
# - `q_constant`: slide the kernel over an image whose pixels are all 100. Which value does each
#   place of the map get?
# - `q_width`: a kernel with $K(m, n) = 0$ for all $|m| > r$ or $|n| > r$ has $r = 3$. How many columns
#   wide is it?

# %% nbgrader={"grade": false, "grade_id": "q-cross", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_constant = …
# q_width = …
### BEGIN SOLUTION
q_constant = 120
q_width = 7
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-constant", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The cross kernel on a constant image
check_number(q_constant, q_constant, "q_constant")  # is it one number?
### BEGIN HIDDEN TESTS
check_number(q_constant, 120, "q_constant", rtol=1e-9)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-width", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The width of a kernel of radius 3
check_number(q_width, q_width, "q_width")  # is it one number?
### BEGIN HIDDEN TESTS
check_number(q_width, 7, "q_width")
### END HIDDEN TESTS

# %%
# The truth, by your own function.
PLATE = np.array([[2, 2, 4, 4, 0],
                  [80, 60, 10, 7, 10],
                  [4, 10, 80, 10, 20],
                  [12, 24, 10, 8, 20],
                  [22, 42, 20, 10, 10]])  # (5, 5)
CROSS = np.array([[0.0, 0.2, 0.0],
                  [0.2, 0.4, 0.2],
                  [0.0, 0.2, 0.0]])  # (3, 3), sums to 1.2
print(xcorr2d(PLATE, CROSS).round(1))
print("on a constant 100:", xcorr2d(np.full((3, 3), 100), CROSS).round(6))

# %% [markdown]
# The 40 is right. But the weights sum to 1.2, so the kernel brightens every image by a fifth: an
# average has weights that sum to 1. Part 5 comes back to this.
#
# ### Exercise 9 · True convolution
#
# Mathematics defines convolution with minus signs, $\sum_{m,n} I_{i-m,\,j-n} K_{mn}$: the kernel is
# read backwards. So convolution with $K$ is cross-correlation with the kernel turned by 180°, that is
# flipped on **both** axes. With the map's rows and columns numbered from 0, and again only where the
# kernel lies inside the image:
#
# $$C_{ij} = \sum_{m=0}^{K_H-1} \sum_{n=0}^{K_W-1} I_{i + K_H - 1 - m,\; j + K_W - 1 - n}\; K_{mn}.$$
#
# An image with a single bright pixel tells them apart. Convolution stamps the kernel onto it;
# cross-correlation stamps it turned by 180°.

# %% jupyter={"source_hidden": true} tags=["illustration"]
spot = np.zeros((5, 5))
spot[2, 2] = 1
kernel = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
panels = [
    (spot, "image: one bright pixel", "Greys"),
    (kernel, "kernel", "Oranges"),
    (kernel[::-1, ::-1], "cross-correlation: turned", "Greens"),
    (kernel, "convolution: as it is", "Greens"),
]
figure, axes = plt.subplots(1, 4, figsize=(10.5, 2.9))
for axis, (values, title, cmap) in zip(axes, panels):
    annotate_grid(axis, values, cmap=cmap)
    axis.set_title(title, fontsize=10)
figure.tight_layout()


# %% [markdown]
# Write `convolve2d(image, kernel)` with the shapes of `xcorr2d`.

# %% nbgrader={"grade": false, "grade_id": "convolve2d", "locked": false, "schema_version": 3, "solution": true, "task": false}
def convolve2d(image, kernel):
    """Convolve image (H, W) with kernel (KH, KW); returns (H − KH + 1, W − KW + 1)."""
    ### BEGIN SOLUTION
    return xcorr2d(image, kernel[::-1, ::-1])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-convolve2d", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
# Convolution turns the kernel by 180°
spot = np.zeros((5, 5))
spot[2, 2] = 1.0
kernel = np.arange(1.0, 10.0).reshape(3, 3)
check_close(convolve2d(spot, kernel), kernel, "one bright pixel under convolution")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(10)
for _size, _kernel in [((6, 5), (2, 3)), ((5, 8), (4, 1)), ((5, 5), (3, 3))]:
    _x, _k = _rng.normal(size=_size), _rng.normal(size=_kernel)
    _want = (np.lib.stride_tricks.sliding_window_view(_x, _kernel) * np.flip(_k)).sum((2, 3))
    _what = f"convolve2d({_size[0]} × {_size[1]}, {_kernel[0]} × {_kernel[1]})"
    check_close(convolve2d(_x, _k), _want, _what, rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The bright pixel gives `9, 8, 7, …`.** That is cross-correlation.
# - **It gives `7, 8, 9, 4, …` or `3, 2, 1, 6, …`.** Only one axis is flipped.
# - **It gives `1, 4, 7, …`.** A transpose is not a turn by 180°.
# - **Negative indices.** `I[i − m, j − n]` with i, j from 0 wraps around in NumPy: use the formula
#   with $K_H - 1$, or turn the kernel first.
#
# </details>

# %% [markdown]
# ### Exercise 10 · When does the flip matter?
#
# A **learned** kernel does not care: training with the other convention finds the turned kernel, and
# the network is the same. So libraries skip the flip and call cross-correlation "convolution". A
# **given** kernel does care, and so does the gradient of lesson 04, in which the flip returns.
#
# Which given kernels can reveal the difference? Write `flip_matters(kernel)`: `True` if
# `xcorr2d` and `convolve2d` give different maps for *some* image, else `False`.
#
# *Example.* `[[1, -1]]` matters: a step up becomes a step down. `[[1, 2, 1]]` does not.

# %% nbgrader={"grade": false, "grade_id": "flip-matters", "locked": false, "schema_version": 3, "solution": true, "task": false}
def flip_matters(kernel):
    """Whether xcorr2d and convolve2d with kernel (KH, KW) differ for some image."""
    ### BEGIN SOLUTION
    return not np.array_equal(kernel, kernel[::-1, ::-1])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-flip-matters", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Kernels that can tell correlation from convolution
check_choice(
    bool(flip_matters(np.array([[1, -1]]))), True, [True, False], "flip_matters([[1, -1]])"
)
check_choice(
    bool(flip_matters(np.array([[1, 2, 1]]))), False, [True, False], "flip_matters([[1, 2, 1]])"
)
### BEGIN HIDDEN TESTS
for _k, _want in [
    ([[1, 0, -1], [2, 0, -2], [1, 0, -1]], True),
    ([[1, 2, 1], [0, 0, 0], [-1, -2, -1]], True),
    ([[1, 0, -1], [0, 0, 0], [-1, 0, 1]], False),
    ([[1, 2, 3], [2, 4, 5], [3, 5, 6]], True),
    ([[1, 2], [2, 1]], False),
]:
    check_choice(bool(flip_matters(np.array(_k))), _want, [True, False], f"flip_matters({_k})")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **`[[1, 0, -1], [0, 0, 0], [-1, 0, 1]]` should not matter.** Each single flip changes this kernel,
#   both together do not. Convolution flips both.
# - **A kernel that is symmetric about its diagonal.** Transposing is not turning.
# - **Trying images at random.** It works nearly always; comparing the kernel with itself, turned,
#   works always.
#
# </details>

# %%
# The kernels that lecture slides show, and one that they do not.
KERNELS = {
    "identity": np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]]),
    "corners": np.array([[1, 0, -1], [0, 0, 0], [-1, 0, 1]]),
    "outline 4": np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]),
    "outline 8": np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "box blur": np.ones((3, 3)) / 9,
    "Gaussian blur": np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16,
    "Sobel": np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
}
for name, kernel in KERNELS.items():
    print(f"{name:14} sum {kernel.sum():4.1f}   flip matters: {bool(flip_matters(kernel))}")

# %% [markdown]
# The first seven, the kernels of the usual slide, are symmetric under the turn: no map made with them
# can reveal a flipped kernel. The eighth, named after Irwin Sobel, can. Test your code with asymmetric
# kernels. The checks here do.
#
# ## Part 5 · A kernel bank on a photograph
#
# Each kernel turns the same photograph, a cup of coffee, into a different **feature map**. The map is
# bright where the kernel's pattern stands: a unit of the layer *activates* on its feature. Here are
# your `xcorr2d` and all eight kernels:

# %% tags=["illustration"]
scene = photo("coffee", gray=True, step=6)[6:61, 8:90]  # (55, 82)
feature_maps = []
for kernel in KERNELS.values():
    feature_map = xcorr2d(scene, kernel)  # (53, 80)
    edges = kernel.sum() == 0  # edge kernels answer with both signs: zero is drawn mid-gray
    feature_maps.append(feature_map + 0.5 if edges else feature_map)
contact_sheet(feature_maps, list(KERNELS), columns=4)

# %% [markdown]
# Where the weights sum to 1, brightness stays (identity, sharpen, blurs). Where they sum to 0, flat
# regions vanish and only changes remain (corners, outlines, Sobel). The rims of the cup are round, so
# they show every direction: which parts of them does Sobel's map miss?
#
# ### Exercise 11 · Normalise a kernel
#
# Write `normalised(kernel)`: the kernel scaled so that a constant image keeps its brightness. For a
# kernel whose weights sum to 0 no scale can do that: raise `ValueError`. Leave the argument as it is.
#
# *Example.* The cross kernel of question 4 sums to 1.2; normalised, its centre is 0.4 / 1.2 = 1/3.

# %% nbgrader={"grade": false, "grade_id": "normalised", "locked": false, "schema_version": 3, "solution": true, "task": false}
def normalised(kernel):
    """kernel (KH, KW) scaled to sum 1; ValueError if its weights sum to 0."""
    ### BEGIN SOLUTION
    total = np.sum(kernel)
    if np.isclose(total, 0):
        raise ValueError("the weights sum to 0: no scale keeps a constant image")
    return kernel / total
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-normalised", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Brightness is kept, or ValueError
cross = np.array([[0.0, 0.2, 0.0], [0.2, 0.4, 0.2], [0.0, 0.2, 0.0]])
check_close(normalised(cross), cross / 1.2, "the cross kernel, normalised")
check_raises(ValueError, normalised, np.array([[1, -1]]))
### BEGIN HIDDEN TESTS
_k = np.array([[1, 2, 3], [4, -5, 6]])
_before = _k.copy()
check_close(normalised(_k), _before / 11.0, "an integer kernel", rtol=1e-4, atol=1e-6)
check_unchanged(_k, _before, "the kernel")
check_close(
    normalised(np.array([[-1.0, -3.0]])),
    [[0.25, 0.75]],
    "a kernel with a negative sum",
    rtol=1e-4,
    atol=1e-6,
)
check_raises(ValueError, normalised, np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]))
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **Negative sums come out with the wrong sign.** Divide by the sum, not by the sum of absolute
#   values or by the largest weight.
# - **`ufunc 'divide' output … cannot be cast`.** `kernel /= …` writes into the caller's integers;
#   return a new array.
# - **No error, only `inf` and a warning.** NumPy divides by zero without raising: test the sum first.
#
# </details>

# %% [markdown]
# ### Exercise 12 · Design a detector
#
# Now the other way round: from a wish to a kernel. Write `slope_kernel()`, which returns a `(3, 3)`
# kernel that measures how fast an image brightens **to the right**. Under *cross-correlation* it
# must give
#
# - 0 on any constant image,
# - exactly 1 on an image that brightens by 1 per column to the right,
# - 0 on an image that brightens downwards only.
#
# Many kernels do. (Sobel's does up to a factor.)
#
# *Example.* The kernel that only picks the right neighbour, `[[0, 0, 0], [0, 0, 1], [0, 0, 0]]`, is not
# one: on an image that is 100 everywhere it gives 100.

# %% nbgrader={"grade": false, "grade_id": "slope-kernel", "locked": false, "schema_version": 3, "solution": true, "task": false}
def slope_kernel():
    """A (3, 3) kernel whose cross-correlation is the brightness change per column, to the right."""
    ### BEGIN SOLUTION
    return np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-slope-kernel", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The kernel measures the slope to the right and nothing else
kernel = np.asarray(slope_kernel())
check_shape(kernel, (3, 3), "your kernel")
down, right = np.mgrid[0.0:3.0, 0.0:3.0]  # images that brighten downwards, to the right
check_close((kernel * np.ones((3, 3))).sum(), 0, "its answer to a constant image", atol=1e-6)
check_close((kernel * right).sum(), 1, "its answer to the slope to the right", atol=1e-6)
check_close((kernel * down).sum(), 0, "its answer to the slope downwards", atol=1e-6)
### BEGIN HIDDEN TESTS
check_close(
    (kernel * (7 - 2.5 * right + 3 * down)).sum(),
    -2.5,
    "its answer to a tilted plane",
    rtol=1e-4,
    atol=1e-5,
)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The slope gives −1.** Your kernel is written for true convolution, which turns it round.
# - **The slope gives 8 or 6.** Divide: the answer must be 1 exactly.
# - **The constant does not give 0.** The weights must sum to 0.
# - **The slope downwards gives something.** The kernel is turned by 90°, or its rows have different
#   sums.
#
# </details>

# %% [markdown]
# ### Question 5 · Which kernel made which picture?
#
# Seven images, each made from the same photograph by cross-correlation with one of seven kernels.
# Edge maps are drawn with zero as mid-gray.
#
# ![the photograph and seven results, lettered A to G](mystery.png)
#
# | name | kernel | name | kernel |
# |---|---|---|---|
# | `"blur"` | 7 × 7, all 1/49 | `"right"` | ¼ [[−1, 0, 1], [−2, 0, 2], [−1, 0, 1]] |
# | `"sharpen"` | [[0, −1, 0], [−1, 5, −1], [0, −1, 0]] | `"left"` | `"right"` turned by 180° |
# | `"outline"` | [[−1, −1, −1], [−1, 8, −1], [−1, −1, −1]] | `"down"` | `"right"`, transposed |
# | `"cross"` | the cross kernel of question 4 | | |
#
# `q_match`: a dictionary from letter to name, for example `{"A": "blur", "B": "cross", …}` (that
# start is made up). Hints: what happens to brightness? Which edges vanish? On which side is an edge
# bright?

# %% nbgrader={"grade": false, "grade_id": "q-match", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_match = {"A": …, "B": …, "C": …, "D": …, "E": …, "F": …, "G": …}
### BEGIN SOLUTION
q_match = {
    "A": "left",
    "B": "cross",
    "C": "outline",
    "D": "down",
    "E": "sharpen",
    "F": "right",
    "G": "blur",
}
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-match-brightness", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Images whose kernels do not sum to 0
names = ["blur", "sharpen", "outline", "cross", "right", "left", "down"]
assert sorted(q_match) == list("ABCDEFG"), "q_match needs the letters A to G"
assert sorted(q_match.values()) == sorted(names), f"q_match needs each of {names} once"
### BEGIN HIDDEN TESTS
for _letter, _name in {"G": "blur", "E": "sharpen", "B": "cross"}.items():
    check_choice(q_match[_letter], _name, names, f"q_match[{_letter!r}]")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-match-edges", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Images of edges
names = ["blur", "sharpen", "outline", "cross", "right", "left", "down"]
assert sorted(q_match) == list("ABCDEFG"), "q_match needs the letters A to G"
### BEGIN HIDDEN TESTS
for _letter, _name in {"A": "left", "C": "outline", "D": "down", "F": "right"}.items():
    check_choice(q_match[_letter], _name, names, f"q_match[{_letter!r}]")
# mystery.png: photo("camera")[60:260, 130:390] under the seven kernels, "valid"; the four edge maps
# drawn from -0.5 to 0.5, the others from 0 to 1; a grid of 2 × 4, the photograph first.
### END HIDDEN TESTS

# %% [markdown]
# ## Part 6 · Channels, filters, batches
#
# A photograph has three channels and a layer has many kernels. Three rules turn `xcorr2d` into the
# layer that networks use:
#
# 1. **A filter is as deep as its input.** It has one slice for each input channel, each slice with
#    weights of its own. Slide all slices together, **add** their maps, add one bias: one map.
# 2. **Each filter makes one map.** $F$ filters make $F$ maps, stacked as the channels of the result.
#    So a layer turns a 3-D tensor into a 3-D tensor, and layers can be stacked.
# 3. **Weights are shared across positions, never across channels.**

# %% jupyter={"source_hidden": true} tags=["illustration"]
def sheet(axis, x, y, size, colour, text="", cells=0):
    axis.add_patch(plt.Rectangle((x, y), size, size, facecolor=colour, edgecolor="black", lw=1))
    for c in range(1, cells):
        axis.plot([x + size * c / cells] * 2, [y, y + size], color="black", lw=0.5)
        axis.plot([x, x + size], [y + size * c / cells] * 2, color="black", lw=0.5)
    axis.text(x + size / 2, y + size / 2, text, ha="center", va="center", fontsize=9)


figure, axis = plt.subplots(figsize=(12, 4.6))
tints = ["#f3b0a8", "#b5dfb0", "#a9c6ec"]
for c, tint in enumerate(tints):
    sheet(axis, 0.3 + 0.35 * c, 3.6 - 0.35 * c, 2.6, tint)
    axis.text(0.4 + 0.35 * c, 6.2 - 0.35 * c, "RGB"[c], va="top", fontsize=10)
axis.text(1.9, 2.4, "input (3, H, W)", ha="center", fontsize=10)
for f, y in enumerate([5.0, 1.6]):
    for c, tint in enumerate(tints):
        sheet(axis, 5.0 + 1.3 * c, y, 0.9, tint, cells=3)
        axis.text(6.1 + 1.3 * c, y + 0.45, "+", ha="center", va="center", fontsize=13)
        axis.text(5.45 + 1.3 * c, y - 0.12, f"w[{f}, {c}]", ha="center", va="top", fontsize=10)
    axis.text(9.15, y + 0.45, f"b[{f}]", ha="center", va="center", fontsize=10)
    axis.annotate("", (10.5, y + 0.45), (9.6, y + 0.45), arrowprops={"arrowstyle": "->", "lw": 1.5})
    axis.annotate("", (4.8, y + 0.45), (3.9, 3.8), arrowprops={"arrowstyle": "->", "lw": 1.5})
    sheet(axis, 10.8, y - 0.55, 2.0, ["#d9c3ea", "#f2dca0"][f], f"map {f}")
    axis.text(5.0, y + 1.1, f"filter {f}: 27 weights, 1 bias", fontsize=10)
axis.text(11.8, 0.3, "output (2, OH, OW)", ha="center", fontsize=10)
axis.set(xlim=(0, 13.2), ylim=(0, 7))
axis.set_aspect("equal")
axis.axis("off")
figure.tight_layout()


# %% [markdown]
# As a formula, for sample $t$, filter $f$, stride $S$ and an image $x$ already padded with zeros:
#
# $$z_{t f i j} = b_f + \sum_{c=0}^{C-1} \sum_{m=0}^{K_H-1} \sum_{n=0}^{K_W-1}
# w_{f c m n}\; x_{t,\,c,\; i S + m,\; j S + n} .$$
#
# - **Stride** $S$: the kernel moves $S$ pixels at a time, in both directions.
# - **Padding** $P$: $P$ rows of zeros above and below, $P$ columns left and right, of every channel.
# - **Size**: $OH = \lfloor (H + 2P - K_H) / S \rfloor + 1$, and $OW$ likewise from $W$ and $K_W$. The
#   floor: a last step that does not fit is not made.
#
# *Example.* A row of 5 pixels, `1 2 3 4 5`, kernel `[1, 10]`:
#
# | stride | padding left and right | the row the kernel sees | result |
# |---|---|---|---|
# | 1 | 0 | `1 2 3 4 5` | `21 32 43 54` |
# | 2 | 0 | `1 2 3 4 5` | `21 43` (the 5 is left over) |
# | 1 | 1 | `0 1 2 3 4 5 0` | `10 21 32 43 54 5` |
# | 2 | 1 | `0 1 2 3 4 5 0` | `10 32 54` |
#
# ### Exercise 13 · The convolution layer
#
# Write `conv2d_forward(x, w, b, stride=1, padding=0)`:
#
# | array | shape | |
# |---|---|---|
# | `x` | `(N, C, H, W)` | a batch, NCHW |
# | `w` | `(F, C, KH, KW)` | filters; this order is called **OIHW** (output, input, height, width) |
# | `b` | `(F,)` | one bias a filter |
# | result | `(N, F, OH, OW)` | |
#
# Build it in stages. The checks below are separate: channels, filters, bias, batch and rectangles
# first, then stride, then padding. Each stage you reach earns its points.

# %% nbgrader={"grade": false, "grade_id": "conv2d-forward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d_forward(x, w, b, stride=1, padding=0):
    """Convolution layer: x (N, C, H, W), w (F, C, KH, KW), b (F,); returns (N, F, OH, OW).

    Zero padding on all four sides; OH = (H + 2·padding − KH) // stride + 1, OW likewise.
    """
    ### BEGIN SOLUTION
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    samples, _, height, width = x.shape
    filters, _, kh, kw = w.shape
    oh, ow = (height - kh) // stride + 1, (width - kw) // stride + 1
    out = np.zeros((samples, filters, oh, ow)) + b[:, None, None]
    for m in range(kh):
        for n in range(kw):
            seen = x[:, :, m : m + stride * oh : stride, n : n + stride * ow : stride]
            # seen (N, C, OH, OW): what weight (m, n) meets
            out += np.einsum("nchw,fc->nfhw", seen, w[:, :, m, n])
    return out
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-conv-channels", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# One filter: slices of its own, summed over the channels
x = np.ones((1, 3, 4, 4)) * np.array([1.0, 10.0, 100.0])[:, None, None]  # R = 1, G = 10, B = 100
w = np.zeros((1, 3, 3, 3))
w[0, :, 1, 1] = [1.0, 2.0, 3.0]  # 1·R + 2·G + 3·B
check_close(conv2d_forward(x, w, np.zeros(1)), np.full((1, 1, 2, 2), 321.0), "1·R + 2·G + 3·B")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(11)
_x, _w = _rng.normal(size=(1, 4, 6, 6)), _rng.normal(size=(1, 4, 3, 3))
_want = np.einsum(
    "nchwkl,fckl->nfhw", np.lib.stride_tricks.sliding_window_view(_x, (3, 3), axis=(2, 3)), _w
)
check_close(
    conv2d_forward(_x, _w, np.zeros(1)),
    _want,
    "the map of four channels under one filter",
    rtol=1e-4,
    atol=1e-5,
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv-filters", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# One map for each filter, in order
w = np.zeros((3, 2, 1, 1))
w[:, 0, 0, 0] = [1.0, 2.0, 3.0]
check_close(
    conv2d_forward(np.ones((1, 2, 1, 2)), w, np.zeros(3)),
    [[[[1, 1]], [[2, 2]], [[3, 3]]]],
    "the result for three filters on two channels",
)
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(12)
for _c, _f in [(3, 3), (2, 5)]:
    _x, _w = _rng.normal(size=(1, _c, 5, 5)), _rng.normal(size=(_f, _c, 3, 3))
    _want = np.einsum(
        "nchwkl,fckl->nfhw", np.lib.stride_tricks.sliding_window_view(_x, (3, 3), axis=(2, 3)), _w
    )
    check_close(
        conv2d_forward(_x, _w, np.zeros(_f)),
        _want,
        f"the result for C = {_c}, F = {_f}",
        rtol=1e-4,
        atol=1e-5,
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv-bias", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# One bias for each filter, added once
b = np.array([5.0, -7.0])
check_close(
    conv2d_forward(np.zeros((1, 3, 2, 2)), np.ones((2, 3, 2, 2)), b),
    [[[[5]], [[-7]]]],
    "the result for a black image",
)
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(13)
_x, _w, _b = _rng.normal(size=(1, 3, 4, 4)), _rng.normal(size=(4, 3, 2, 2)), _rng.normal(size=4)
_want = (
    np.einsum(
        "nchwkl,fckl->nfhw", np.lib.stride_tricks.sliding_window_view(_x, (2, 2), axis=(2, 3)), _w
    )
    + _b[:, None, None]
)
check_close(
    conv2d_forward(_x, _w, _b),
    _want,
    "the result for four filters with biases",
    rtol=1e-4,
    atol=1e-5,
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv-batch", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# A batch of rectangular images, even and rectangular kernels
check_shape(
    conv2d_forward(np.ones((2, 3, 6, 4)), np.ones((5, 3, 2, 3)), np.zeros(5)),
    (2, 5, 5, 2),
    "(2, 3, 6, 4) with (5, 3, 2, 3)",
)
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(14)
for _n, _h, _w, _kh, _kw in [(3, 7, 5, 2, 3), (2, 4, 9, 4, 1)]:
    _x, _k = _rng.normal(size=(_n, 2, _h, _w)), _rng.normal(size=(3, 2, _kh, _kw))
    _want = np.einsum(
        "nchwkl,fckl->nfhw",
        np.lib.stride_tricks.sliding_window_view(_x, (_kh, _kw), axis=(2, 3)),
        _k,
    )
    check_close(
        conv2d_forward(_x, _k, np.zeros(3)),
        _want,
        f"the result for {_n} images of {_h} × {_w}, kernel {_kh} × {_kw}",
        rtol=1e-4,
        atol=1e-5,
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv-stride", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Stride, in both directions, whether it divides or not
row, kernel = np.arange(1.0, 6.0).reshape(1, 1, 1, 5), np.array([[[[1.0, 10.0]]]])
check_close(conv2d_forward(row, kernel, np.zeros(1), stride=2), [[[[21, 43]]]], "the row, stride 2")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(15)
for _h, _w, _s in [(7, 9, 2), (8, 10, 3)]:
    _x, _k = _rng.normal(size=(1, 1, _h, _w)), _rng.normal(size=(1, 1, 3, 2))
    _v = np.lib.stride_tricks.sliding_window_view(_x, (3, 2), axis=(2, 3))[:, :, ::_s, ::_s]
    _want = np.einsum("nchwkl,fckl->nfhw", _v, _k)
    check_close(
        conv2d_forward(_x, _k, np.zeros(1), stride=_s),
        _want,
        f"the result for {_h} × {_w}, kernel 3 × 2, stride {_s}",
        rtol=1e-4,
        atol=1e-5,
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv-padding", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Zero padding on all four sides
row = np.arange(1.0, 6.0).reshape(1, 1, 1, 5)
kernel = np.array([[[[0.0, 0.0], [1.0, 10.0], [0.0, 0.0]]]])  # its middle row meets the image
check_close(
    conv2d_forward(row, kernel, np.zeros(1), padding=1),
    [[[[10, 21, 32, 43, 54, 5]]]],
    "the row, padding 1",
)
corners = conv2d_forward(np.ones((1, 1, 3, 3)), np.ones((1, 1, 3, 3)), np.zeros(1), padding=1)
check_close(
    corners, [[[[4, 6, 4], [6, 9, 6], [4, 6, 4]]]], "the result for ones under ones, padding 1,"
)
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(16)
for _p, _kh, _kw in [(1, 3, 3), (2, 4, 3)]:
    _x, _k = _rng.normal(size=(1, 1, 5, 4)), _rng.normal(size=(1, 1, _kh, _kw))
    _v = np.pad(_x, ((0, 0), (0, 0), (_p, _p), (_p, _p)))
    _v = np.lib.stride_tricks.sliding_window_view(_v, (_kh, _kw), axis=(2, 3))
    _want = np.einsum("nchwkl,fckl->nfhw", _v, _k)
    check_close(
        conv2d_forward(_x, _k, np.zeros(1), padding=_p),
        _want,
        f"the result for 5 × 4, kernel {_kh} × {_kw}, padding {_p}",
        rtol=1e-4,
        atol=1e-5,
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv-stride-padding", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Stride and padding together
row = np.arange(1.0, 6.0).reshape(1, 1, 1, 5)
kernel = np.array([[[[0.0, 0.0], [1.0, 10.0], [0.0, 0.0]]]])  # its middle row meets the image
check_close(
    conv2d_forward(row, kernel, np.zeros(1), stride=2, padding=1),
    [[[[10, 32, 54]]]],
    "the row, stride 2, padding 1",
)
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(17)
for _h, _w, _s, _p in [(7, 5, 2, 1), (6, 9, 3, 2)]:
    _x, _k = _rng.normal(size=(2, 3, _h, _w)), _rng.normal(size=(4, 3, 3, 2))
    _v = np.pad(_x, ((0, 0), (0, 0), (_p, _p), (_p, _p)))
    _v = np.lib.stride_tricks.sliding_window_view(_v, (3, 2), axis=(2, 3))[:, :, ::_s, ::_s]
    _want = np.einsum("nchwkl,fckl->nfhw", _v, _k)
    check_close(
        conv2d_forward(_x, _k, np.zeros(4), stride=_s, padding=_p),
        _want,
        f"the result for {_h} × {_w}, kernel 3 × 2, stride {_s}, padding {_p}",
        rtol=1e-4,
        atol=1e-5,
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv-integers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Integer images lose nothing
x, w = np.array([[[[1, 2, 3]]]]), np.array([[[[0.5, 0.25]]]])
check_close(conv2d_forward(x, w, np.zeros(1)), [[[[1.0, 1.75]]]], "the result for an integer row")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(18)
_x, _w = _rng.integers(0, 256, (1, 1, 5, 5)), _rng.normal(size=(1, 1, 3, 3))
_want = np.einsum(
    "nchwkl,fckl->nfhw", np.lib.stride_tricks.sliding_window_view(_x, (3, 3), axis=(2, 3)), _w
)
check_close(
    conv2d_forward(_x, _w, np.zeros(1)),
    _want,
    "the result for integer images",
    rtol=1e-4,
    atol=1e-2,
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv-unchanged", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The arguments stay as they were
x, w, b = np.ones((1, 2, 3, 3)), np.ones((2, 2, 2, 2)), np.ones(2)
conv2d_forward(x, w, b, padding=1)
check_unchanged(x, np.ones((1, 2, 3, 3)), "x")
check_unchanged(w, np.ones((2, 2, 2, 2)), "w")
check_unchanged(b, np.ones(2), "b")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(19)
_args = [_rng.normal(size=_s) for _s in [(2, 2, 6, 5), (3, 2, 3, 2), (3,)]]
_before = [_a.copy() for _a in _args]
conv2d_forward(*_args, stride=2)
for _name, _a, _b in zip("xwb", _args, _before):
    check_unchanged(_a, _b, _name)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **You do not know where to start.** Nest loops: samples, filters, output rows, output columns.
#   Innermost, the patch `x[s, :, i : i + KH, j : j + KW]` has shape `(C, KH, KW)`, exactly like
#   `w[f]`. Multiply, sum all, add `b[f]`.
# - **321 comes out as 1, 12 or 600.** Only the first channel was used; or the channels' order is
#   reversed (the result would be 123); or all slices use the same weights.
# - **Right for C = F, an error otherwise.** The first axis of `w` is the filter, the second the
#   channel.
# - **The bias is too large by a factor.** It was added once a channel or once a kernel place. Start
#   the result with it, or add it at the very end.
# - **All maps have the same bias.** `b` needs the shape `(F, 1, 1)` to spread over maps.
# - **Stride: the shape is right, the values are not.** The patch for output `(i, j)` starts at
#   `(i·S, j·S)`; the kernel itself stays dense.
# - **Stride: one row too many.** Floor, then plus one: `(H − KH) // S + 1`.
# - **Padding changes the number of samples or channels.** `np.pad(x, P)` pads all four axes. Give
#   each axis its own pair: `((0, 0), (0, 0), (P, P), (P, P))`.
# - **Padding works, the size does not.** The size must be computed from the padded image, or with
#   the `2P`.
#
# </details>

# %% [markdown]
# Your layer, at work on a colour photograph: three filters on RGB, with stride 2 and padding 1.

# %% tags=["illustration"]
COLOUR = photo("china", step=2)[None, :, 8:115, 24:182]  # (1, 3, 107, 158)
FILTERS = np.zeros((3, 3, 3, 3))  # (F, C, KH, KW)
FILTERS[0, :, 1, 1] = [1, -0.5, -0.5]  # redness: red minus the mean of green and blue
FILTERS[1, :] = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 6  # upright edges in any channel
FILTERS[2, 2], FILTERS[2, 0] = 1 / 9, -1 / 9  # blurred blue minus blurred red
maps = conv2d_forward(COLOUR, FILTERS, np.zeros(3), stride=2, padding=1)  # (1, 3, 54, 79)
print("input", COLOUR.shape, " filters", FILTERS.shape, " maps", maps.shape)

# %% jupyter={"source_hidden": true} tags=["illustration"]
contact_sheet(
    [COLOUR[0], *maps[0]],
    ["the image", "red?", "upright edge?", "blue, not red?"],
    limits=(-0.6, 0.6),
)

# %% [markdown]
# ### Question 6 · One more channel
#
# An RGBA image has a fourth channel, its opacity. `q_rgba_params`: how many numbers does **one**
# 5 × 5 filter on RGBA images learn, its bias included? Your `conv_params` can check it.

# %% nbgrader={"grade": false, "grade_id": "q-rgba", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_rgba_params = …
### BEGIN SOLUTION
q_rgba_params = 4 * 5 * 5 + 1
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-rgba", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# A filter on four channels
check_number(q_rgba_params, q_rgba_params, "q_rgba_params")  # is it one number?
### BEGIN HIDDEN TESTS
check_number(q_rgba_params, 101, "q_rgba_params")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 14 · Channel by channel: the depthwise convolution
#
# A slide says: *each kernel works on the channels one by one, with the same weights for all of them.*
# Neither half of the sentence describes a convolution layer. Two exercises take it apart.
#
# First half: "on the channels one by one". Such a layer exists. It is called
# **depthwise** convolution (lesson 10 needs it), and it does *not* mix channels: map $c$ depends on
# channel $c$ alone. Nothing is added up over channels.
#
# Write `depthwise_forward(x, w, b)`, stride 1, no padding: `x` `(N, C, H, W)`, `w` `(C, KH, KW)` (one
# slice for each channel, each with weights of its own), `b` `(C,)`; result `(N, C, OH, OW)`.
#
# *Example.* Two channels, 1 × 1 slices `3` and `5`, biases `0` and `1`: the maps are three times
# the first channel, and five times the second plus one.

# %% nbgrader={"grade": false, "grade_id": "depthwise", "locked": false, "schema_version": 3, "solution": true, "task": false}
def depthwise_forward(x, w, b):
    """Depthwise convolution: x (N, C, H, W), w (C, KH, KW), b (C,); returns (N, C, OH, OW)."""
    ### BEGIN SOLUTION
    channels, kh, kw = w.shape
    oh, ow = x.shape[2] - kh + 1, x.shape[3] - kw + 1
    out = np.zeros((len(x), channels, oh, ow)) + b[:, None, None]
    for m in range(kh):
        for n in range(kw):
            out += w[:, m, n, None, None] * x[:, :, m : m + oh, n : n + ow]
    return out
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-depthwise", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Each channel has its slice, its bias and its map
x = np.array([[[[1.0, 2.0]], [[3.0, 4.0]]]])  # (1, 2, 1, 2)
w, b = np.array([[[3.0]], [[5.0]]]), np.array([0.0, 1.0])
check_close(depthwise_forward(x, w, b), [[[[3, 6]], [[16, 21]]]], "the example")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(20)
for _height, _width in [(6, 5), (8, 4), (4, 8)]:
    _x, _w = _rng.normal(size=(2, 4, _height, _width)), _rng.normal(size=(4, 3, 2))
    _b = _rng.normal(size=4)
    _v = np.lib.stride_tricks.sliding_window_view(_x, (3, 2), axis=(2, 3))
    _want = np.einsum("nchwkl,ckl->nchw", _v, _w) + _b[:, None, None]
    check_close(
        depthwise_forward(_x, _w, _b),
        _want,
        f"the result for four {_height} × {_width} channels, 3 × 2 slices",
        rtol=1e-4,
        atol=1e-5,
    )
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The result has one map.** You summed over the channels: that is the full convolution.
# - **All maps use the first slice.** Channel `c` meets `w[c]`.
# - **Broadcasting fails.** `w[:, m, n]` has shape `(C,)`; to multiply `(N, C, OH, OW)` it needs
#   `(C, 1, 1)`.
#
# </details>

# %% [markdown]
# ### Exercise 15 · Two pictures that refute a slide
#
# Second half: "the same weights for all of them". Suppose it were so, and every filter had the
# *same* slice $k$ for red, green and blue. Find two colour images that **no** such filter can tell
# apart, whatever $k$ is, but that the honest filter *red minus green* separates.
#
# Write `colour_pair()`: it returns two arrays of the same shape `(3, H, W)`, with H and W at least 3.
#
# - For every kernel `k`, the filter with slices `k, k, k` gives the same map on both.
# - The filter with slices `k, -k, 0` with `k` all ones (3 × 3) gives maps that differ at every place.
#
# *Think.* $k * R + k * G + k * B = k * (R + G + B)$. What does a shared filter see, then?

# %% nbgrader={"grade": false, "grade_id": "colour-pair", "locked": false, "schema_version": 3, "solution": true, "task": false}
def colour_pair():
    """Two images (3, H, W) that filters shared across channels confuse, and red − green does not."""
    ### BEGIN SOLUTION
    red, green = np.zeros((3, 4, 4)), np.zeros((3, 4, 4))
    red[0] = 1.0
    green[1] = 1.0
    return red, green
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-colour-pair", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Shared slices confuse the two images, a real filter does not
first, second = (np.asarray(image, dtype=float) for image in colour_pair())
check_shape(second, first.shape, "the second image")
assert first.ndim == 3 and len(first) == 3, f"a colour image has shape (3, H, W), not {first.shape}"
assert min(first.shape[1:]) >= 3, "H and W should be at least 3"
check_close(first.sum(axis=0), second.sum(axis=0), "R + G + B of the first image")
### BEGIN HIDDEN TESTS
_views = [
    np.lib.stride_tricks.sliding_window_view(_p, (3, 3), axis=(1, 2)) for _p in (first, second)
]
_k = np.random.default_rng(21).normal(size=(3, 3))
_shared = [np.einsum("chwkl,kl->hw", _v, _k) for _v in _views]
check_close(
    _shared[0], _shared[1], "the first image's map under a shared slice", rtol=1e-4, atol=1e-5
)
_split = [_v[0].sum((2, 3)) - _v[1].sum((2, 3)) for _v in _views]
assert (abs(_split[0] - _split[1]) > 1e-6).all(), (
    "red minus green does not separate the two everywhere"
)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **`R + G + B` differs.** A shared slice sees only that sum. It must agree at every pixel.
# - **Red minus green is the same for both.** Then your images differ in blue, or not at all. Move
#   brightness from one of the two channels to the other.
#
# </details>

# %% [markdown]
# So the slide's sentence is wrong on both counts. A filter of a convolution layer is
# $C \times K_H \times K_W$ weights: every channel has a slice of its own, the slices' maps are
# *added*, and that sum is what lets the filter compare channels. Sharing is over positions.
#
# ### Exercise 16 · Layouts
#
# Libraries and lectures order the axes differently. The letters name them: N samples, C channels, H
# rows, W columns for images; O output and I input channels, H, W for filters.
#
# | where | images | filters |
# |---|---|---|
# | this course, PyTorch | NCHW | OIHW |
# | TensorFlow, image files | NHWC, HWC | HWIO |
# | some lecture slides | WHC, HWCN | HWIO |
#
# One of those slides writes the layer as $Z[i_1, i_2, m] = \sum_{k_1, k_2, n} W[k_1, k_2, n, m]\,
# U[i_1 + k_1, i_2 + k_2, n] + b[m]$. It is your formula in other clothes: $U$ is HWC, $W$ is HWIO.
#
# Write `relayout(array, source, target)`: reorder the axes of `array` from the letters of `source` to
# the letters of `target`. A letter of `target` that `source` lacks becomes a new axis of length 1
# (a single image becomes a batch of one). The values move with their axes: this is a
# transpose, never a reshape.
#
# *Example.* `relayout(image, "HWC", "NCHW")` turns `(427, 640, 3)` into `(1, 3, 427, 640)`, and
# `result[0, c, i, j]` is `image[i, j, c]`.

# %% nbgrader={"grade": false, "grade_id": "relayout", "locked": false, "schema_version": 3, "solution": true, "task": false}
def relayout(array, source, target):
    """Reorder array's axes from layout source, such as "HWC", to target, such as "NCHW"."""
    ### BEGIN SOLUTION
    for letter in target:
        if letter not in source:
            array, source = array[None], letter + source
    return np.transpose(array, [source.index(letter) for letter in target])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-relayout-images", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Images to NCHW
image = np.arange(24.0).reshape(2, 4, 3)  # HWC
check_shape(relayout(image, "HWC", "NCHW"), (1, 3, 2, 4), 'relayout of (2, 4, 3), "HWC" → "NCHW"')
check_close(relayout(image, "HWC", "NCHW")[0, 2], image[:, :, 2], "its last channel")
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(22)
for _source, _shape, _axes in [
    ("NHWC", (2, 5, 4, 3), (0, 3, 1, 2)),
    ("HWCN", (5, 4, 3, 2), (3, 2, 0, 1)),
    ("NCHW", (2, 3, 5, 4), (0, 1, 2, 3)),
]:
    _x = _rng.normal(size=_shape)
    check_close(relayout(_x, _source, "NCHW"), _x.transpose(_axes), f'"{_source}" → "NCHW"')
_x = _rng.normal(size=(4, 5, 3))
check_close(relayout(_x, "WHC", "NCHW"), _x.transpose(2, 1, 0)[None], '"WHC" → "NCHW"')
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-relayout-filters", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Filters, and the way back
w = np.zeros((3, 5, 2, 7))  # HWIO: 7 filters of 3 × 5 on 2 channels
check_shape(relayout(w, "HWIO", "OIHW"), (7, 2, 3, 5), 'relayout of (3, 5, 2, 7), "HWIO" → "OIHW"')
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(23)
_w, _x = _rng.normal(size=(2, 3, 4, 5)), _rng.normal(size=(2, 3, 4, 5))
check_close(relayout(_w, "HWIO", "OIHW"), _w.transpose(3, 2, 0, 1), '"HWIO" → "OIHW"')
check_close(relayout(_w, "OIHW", "HWIO"), _w.transpose(2, 3, 1, 0), '"OIHW" → "HWIO"')
check_close(relayout(_x, "NCHW", "NHWC"), _x.transpose(0, 2, 3, 1), '"NCHW" → "NHWC"')
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The shape is right, the values are scrambled.** `reshape` keeps the numbers in their order and
#   only changes the brackets. Use `np.transpose`.
# - **`axes don't match array`.** Add the missing axes first, for example `array[None]`, and note
#   their letter.
# - **Right for NHWC, wrong for HWIO (or the other way round).** `np.transpose(a, axes)` wants, for each
#   *new* axis, the number of the old one: where the target's letter stands in `source`.
#
# </details>

# %% [markdown]
# ## Part 7 · Convolution as one matrix product
#
# The routine that numerical libraries tune most carefully is the product of two matrices, and a
# convolution can be written as one. Write every patch that the kernel visits as a column of a matrix:
# `im2col`, image to columns. Each filter becomes a row. One product computes all maps.

# %% jupyter={"source_hidden": true} tags=["illustration"]
toy = np.arange(1, 13).reshape(3, 4)
shades = ["#f3b0a8", "#f2dca0", "#b5dfb0", "#a9c6ec", "#d9c3ea", "#c9c9c9"]
places = [(i, j) for i in range(2) for j in range(3)]
figure, axes = plt.subplots(1, 2, figsize=(11, 3.3), width_ratios=[4, 7])
axes[0].set(xlim=(-0.6, 3.6), ylim=(2.6, -0.6), title="a 3 × 4 image and its six 2 × 2 patches")
for (row, column), value in np.ndenumerate(toy):
    axes[0].text(column, row, value, ha="center", va="center", fontsize=13)
for place, (i, j) in enumerate(places):
    inset = 0.035 * place
    axes[0].add_patch(
        plt.Rectangle(
            (j - 0.46 + inset, i - 0.46 + inset),
            1.92 - 2 * inset,
            1.92 - 2 * inset,
            fill=False,
            edgecolor=shades[place],
            lw=3,
        )
    )
axes[1].set(
    xlim=(-2.4, 5.6), ylim=(3.6, -0.8), title="im2col: one column a patch, one row a kernel place"
)
for place, (i, j) in enumerate(places):
    for k, value in enumerate(toy[i : i + 2, j : j + 2].ravel()):
        axes[1].add_patch(
            plt.Rectangle(
                (place - 0.5, k - 0.5), 1, 1, facecolor=shades[place], edgecolor="white", lw=2
            )
        )
        axes[1].text(place, k, value, ha="center", va="center", fontsize=13)
for k, name in enumerate(["(0, 0)", "(0, 1)", "(1, 0)", "(1, 1)"]):
    axes[1].text(-0.75, k, f"place {name}", ha="right", va="center", fontsize=10)
for axis in axes:
    axis.set_aspect("equal")
    axis.axis("off")
figure.tight_layout()


# %% [markdown]
# ### Exercise 17 · Image to columns
#
# Write `im2col(x, kh, kw, stride=1, padding=0)`: `x` `(N, C, H, W)`, result
# `(N, C·kh·kw, OH·OW)`.
#
# - Column `i·OW + j` is the patch of output position `(i, j)`: positions row by row.
# - Within a column: channel after channel; within a channel, the patch row by row. That is the order
#   of `w[f].ravel()`.
#
# *Example.* The drawing: `(1, 1, 3, 4)` with a 2 × 2 kernel becomes `(1, 4, 6)`; the first column is
# `1, 2, 5, 6`.

# %% nbgrader={"grade": false, "grade_id": "im2col", "locked": false, "schema_version": 3, "solution": true, "task": false}
def im2col(x, kh, kw, stride=1, padding=0):
    """Patches of x (N, C, H, W) as columns; returns (N, C·kh·kw, OH·OW)."""
    ### BEGIN SOLUTION
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    samples, channels, height, width = x.shape
    oh, ow = (height - kh) // stride + 1, (width - kw) // stride + 1
    columns = np.empty((samples, channels, kh, kw, oh, ow))
    for m in range(kh):
        for n in range(kw):
            seen = x[:, :, m : m + stride * oh : stride, n : n + stride * ow : stride]
            columns[:, :, m, n] = seen  # (N, C, OH, OW)
    return columns.reshape(samples, channels * kh * kw, oh * ow)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-im2col-patches", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Patches become columns, in the order of the filter's weights
toy = np.arange(1.0, 13.0).reshape(1, 1, 3, 4)
columns = im2col(toy, 2, 2)
check_shape(columns, (1, 4, 6), "im2col of (1, 1, 3, 4) with 2 × 2")
check_close(columns[0, :, 0], [1, 2, 5, 6], "the first column")
check_close(columns[0, :, 3], [5, 6, 9, 10], "the fourth column")
### BEGIN HIDDEN TESTS
_x = np.random.default_rng(24).normal(size=(2, 3, 5, 4))
_v = np.lib.stride_tricks.sliding_window_view(_x, (2, 3), axis=(2, 3))  # (N, C, OH, OW, KH, KW)
_want = _v.transpose(0, 1, 4, 5, 2, 3).reshape(2, 18, 8)
check_close(im2col(_x, 2, 3), _want, "im2col of (2, 3, 5, 4) with 2 × 3", rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-im2col-stride-padding", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Columns with stride and padding
columns = im2col(np.ones((1, 1, 2, 2)), 2, 2, stride=2, padding=1)
check_close(
    columns[0].sum(axis=0), [1, 1, 1, 1], "the sum of each column (each patch meets one corner)"
)
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(25)
for _h, _w, _s, _p in [(8, 5, 2, 0), (5, 7, 3, 1)]:
    _x = _rng.normal(size=(2, 2, _h, _w))
    _v = np.pad(_x, ((0, 0), (0, 0), (_p, _p), (_p, _p)))
    _v = np.lib.stride_tricks.sliding_window_view(_v, (3, 2), axis=(2, 3))[:, :, ::_s, ::_s]
    _want = _v.transpose(0, 1, 4, 5, 2, 3).reshape(2, 12, -1)
    check_close(
        im2col(_x, 3, 2, _s, _p),
        _want,
        f"im2col of {_h} × {_w} with 3 × 2, stride {_s}, padding {_p}",
        rtol=1e-4,
        atol=1e-5,
    )
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The first column is `1, 2, 3, 4` or `1, 5, 2, 6`.** The first is a row of the image, not a
#   patch; the second is a patch read column by column.
# - **One channel works, three do not.** Channels come first: all of red's patch, then green's, then
#   blue's. With `sliding_window_view` you get `(N, C, OH, OW, KH, KW)` and must move the last two
#   axes in front of OH before you reshape.
# - **The columns are rows.** Swap the last two axes (or build them the other way round).
#
# </details>

# %% [markdown]
# ### Exercise 18 · The layer again, without its loops
#
# Write `conv2d_im2col(x, w, b, stride=1, padding=0)` with the arguments and the result of
# `conv2d_forward`, from `im2col` and one matrix product: `w` as a matrix `(F, C·KH·KW)` times the
# columns is `(N, F, OH·OW)`.
#
# *Example.* One RGB image of 107 × 158, three 3 × 3 filters, stride 2, padding 1: `(3, 27)` times
# `(27, 4266)` is `(3, 4266)`, and 4266 = 54 · 79 places make the maps `(1, 3, 54, 79)`.

# %% nbgrader={"grade": false, "grade_id": "conv2d-im2col", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d_im2col(x, w, b, stride=1, padding=0):
    """conv2d_forward as a matrix product: x (N, C, H, W), w (F, C, KH, KW), b (F,) → (N, F, OH, OW)."""
    ### BEGIN SOLUTION
    filters, _, kh, kw = w.shape
    oh = (x.shape[2] + 2 * padding - kh) // stride + 1
    columns = im2col(x, kh, kw, stride, padding)  # (N, C·KH·KW, OH·OW)
    maps = w.reshape(filters, -1) @ columns + b[:, None]  # (N, F, OH·OW)
    return maps.reshape(len(x), filters, oh, -1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-conv2d-im2col", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The matrix product gives the same maps
row, kernel = np.arange(1.0, 6.0).reshape(1, 1, 1, 5), np.array([[[[1.0, 10.0]]]])
check_close(
    conv2d_im2col(row, kernel, np.array([100.0])), [[[[121, 132, 143, 154]]]], "a row, bias 100"
)
### BEGIN HIDDEN TESTS
_rng = np.random.default_rng(26)
for _h, _w, _s, _p in [(5, 7, 1, 0), (8, 5, 2, 1), (6, 4, 1, 2)]:
    _x, _k, _b = (
        _rng.normal(size=(3, 2, _h, _w)),
        _rng.normal(size=(4, 2, 3, 2)),
        _rng.normal(size=4),
    )
    _v = np.pad(_x, ((0, 0), (0, 0), (_p, _p), (_p, _p)))
    _v = np.lib.stride_tricks.sliding_window_view(_v, (3, 2), axis=(2, 3))[:, :, ::_s, ::_s]
    _want = np.einsum("nchwkl,fckl->nfhw", _v, _k) + _b[:, None, None]
    check_close(
        conv2d_im2col(_x, _k, _b, stride=_s, padding=_p),
        _want,
        f"the result for {_h} × {_w}, kernel 3 × 2, stride {_s}, padding {_p}",
        rtol=1e-4,
        atol=1e-5,
    )
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The maps are scrambled.** After the product the last axis holds positions row by row: reshape it
#   to `(OH, OW)`, filters stay in front.
# - **The bias is added to columns.** `b` must have shape `(F, 1)` to go with rows.
# - **`cannot reshape`.** OH must be computed with stride and padding, as in exercise 13.
#
# </details>

# %% tags=["illustration"]
# Two roads, one result: the maps of part 6, stride 2, padding 1, once more by the product.
product = conv2d_im2col(COLOUR, FILTERS, np.zeros(3), stride=2, padding=1)
print(f"largest difference: {np.abs(maps - product).max():.1e}")

# %% [markdown]
# Both are right, and they cost differently: `im2col` copies each pixel up to $K_H K_W$ times, and in
# exchange all multiplications become one matrix product. Time both on your machine. (The product
# takes every core that it finds; where other programs use them too, it waits for them.)

# %% tags=["illustration"]
import time

wide = np.random.default_rng(0).normal(size=(16, 3, 3, 3))  # 16 filters on RGB
half = photo("china", step=8)[None]  # (1, 3, 54, 80)
for layer in (conv2d_forward, conv2d_im2col):
    runs = []
    for _ in range(5):
        start = time.perf_counter()
        layer(half, wide, np.zeros(16))
        runs.append(time.perf_counter() - start)
    print(f"{layer.__name__:15} {1000 * min(runs):8.2f} ms, the best of {len(runs)}")


# %% [markdown]
# ## Part 8 · What moves with the picture
#
# Slides say that a convolution is *translation invariant*. The word is wrong. Let $f$ be an operation
# and $T$ a change of the image, such as a shift.
#
# - $f$ is **invariant** under $T$ if $f(T x) = f(x)$: the result does not notice.
# - $f$ is **equivariant** under $T$ if $f(T x) = T f(x)$: the result changes along.
#
# If the cat moves to the right, does the feature map stay the same, or does its answer move to the
# right too?
#
# ### Exercise 19 · Measure it
#
# Write `equivariance_gap(operation, transform, image)`: the largest absolute difference between
# `operation(transform(image))` and `transform(operation(image))`, over all places. Both arguments are
# functions from array to array; the two results have the same shape. A gap of 0 means equivariant, on
# this image.
#
# *Example.* Doubling and mirroring: twice the mirrored image is the mirrored doubled image, the
# gap is 0.

# %% nbgrader={"grade": false, "grade_id": "equivariance-gap", "locked": false, "schema_version": 3, "solution": true, "task": false}
def equivariance_gap(operation, transform, image):
    """Largest |operation(transform(image)) − transform(operation(image))|, one number."""
    ### BEGIN SOLUTION
    return np.max(np.abs(operation(transform(image)) - transform(operation(image))))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-equivariance-gap", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Transform first or operate first: the largest difference
image = np.array([[1.0, 2.0], [3.0, 5.0]])
check_close(
    equivariance_gap(lambda a: 2 * a, lambda a: a[:, ::-1], image),
    0.0,
    "the gap of doubling and mirroring",
)
check_close(
    equivariance_gap(lambda a: a**2, lambda a: a + 1, image),
    10.0,
    "the gap of squaring and brightening",
)
### BEGIN HIDDEN TESTS
_x = np.random.default_rng(27).normal(size=(4, 4))
_want = abs(np.cumsum(_x.T, 1) - np.cumsum(_x, 1).T).max()
check_close(
    equivariance_gap(lambda a: np.cumsum(a, 1), lambda a: a.T, _x),
    _want,
    "the gap of running sums and transposing",
    rtol=1e-4,
    atol=1e-6,
)
check_close(
    equivariance_gap(lambda a: a + 1, lambda a: -a, _x),
    2.0,
    "the gap of brightening and negating",
    rtol=1e-4,
    atol=1e-6,
)
_want = abs(abs(_x - 9) - (abs(_x) - 9)).max()
check_close(
    equivariance_gap(lambda a: abs(a), lambda a: a - 9, _x),
    _want,
    "the gap of absolute values and darkening",
    rtol=1e-4,
    atol=1e-6,
)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **Doubling and mirroring gives 3 or so.** You compared with `operation(image)`: that measures
#   invariance. The second road must transform too, after the operation.
# - **A gap comes out negative or too small.** Take absolute values before the largest.
#
# </details>

# %% [markdown]
# ### Question 7 · Predict
#
# $f$ is a stride-1 convolution with the Sobel kernel, zero-padded, so that the map is as large as the
# image. The image is black near its borders: nothing is lost when it moves. Answer with
# `"equivariant"`, `"invariant"` or `"neither"`:
#
# - `q_shift`: $f$, under a shift by 3 pixels;
# - `q_maximum`: the **largest value** of the map $f(x)$, one number, under a shift by 3 pixels;
# - `q_turn`: $f$, under a turn by 90°;
# - `q_zoom`: $f$, under zooming in by a factor of 2;
# - `q_pooled_zoom`: $f$ followed by **pooling**, which keeps the largest value of each 2 × 2 window of
#   the map, under zooming in by a factor of 2.
#
# And a number: with stride 2 instead, the image moves by 6 pixels to the right.
# `q_strided`: by how many places does the map move?

# %% nbgrader={"grade": false, "grade_id": "q-equivariance", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_shift = …
# q_maximum = …
# q_turn = …
# q_zoom = …
# q_pooled_zoom = …
# q_strided = …
### BEGIN SOLUTION
q_shift = "equivariant"
q_maximum = "invariant"
q_turn = "neither"
q_zoom = "neither"
q_pooled_zoom = "neither"
q_strided = 3
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-shift", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Shifts: the map, and its largest value
options = ["equivariant", "invariant", "neither"]
assert q_shift in options and q_maximum in options, f"each answer should be one of {options}"
### BEGIN HIDDEN TESTS
check_choice(q_shift, "equivariant", options, "q_shift")
check_choice(q_maximum, "invariant", options, "q_maximum")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-turn-zoom", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Turns and zooms, with and without pooling
options = ["equivariant", "invariant", "neither"]
for answer in (q_turn, q_zoom, q_pooled_zoom):
    assert answer in options, f"{answer!r} should be one of {options}"
### BEGIN HIDDEN TESTS
check_choice(q_turn, "neither", options, "q_turn")
check_choice(q_zoom, "neither", options, "q_zoom")
check_choice(q_pooled_zoom, "neither", options, "q_pooled_zoom")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-strided", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# A shift seen through stride 2
check_number(q_strided, q_strided, "q_strided")  # is it one number?
### BEGIN HIDDEN TESTS
check_number(q_strided, 3, "q_strided")
### END HIDDEN TESTS

# %% tags=["illustration"]
# The truth, by your own functions. The image: a cat's face in a black frame.
SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4
rows, columns = np.mgrid[-24:24, -24:24] + 0.5
disc = np.clip((22 - np.hypot(rows, columns)) / 4, 0, 1)  # 1 inside, fading to 0
cat = np.pad(disc * photo("chelsea", gray=True, step=6)[1:49, 17:65], 8)  # (64, 64)


def f(image, stride=1):
    """The Sobel map of image (H, W), as large as the image for stride 1."""
    return conv2d_forward(image[None, None], SOBEL[None, None], np.zeros(1), stride, padding=1)[
        0, 0
    ]


def shift(image):
    return np.roll(image, 3, axis=1)


def zoom(image):
    height, width = image.shape
    return np.kron(image, np.ones((2, 2)))[:height, :width]  # each pixel becomes 2 × 2


def pooled(image):
    """The largest value of each 2 × 2 window of the Sobel map."""
    height, width = image.shape
    return f(image).reshape(height // 2, 2, width // 2, 2).max(axis=(1, 3))


print(f"shift by 3:  gap {equivariance_gap(f, shift, cat):.2g}")
print(f"turn by 90°: gap {equivariance_gap(f, np.rot90, cat):.2g}")
print(f"zoom by 2:   gap {equivariance_gap(f, zoom, cat):.2g}")
print(f"pooled, zoom by 2: gap {equivariance_gap(pooled, zoom, cat):.2g}, ", end="")
print(f"change {np.abs(pooled(zoom(cat)) - pooled(cat)).max():.2g}")
print(f"largest value: {f(cat).max():.4f}, after the shift {f(shift(cat)).max():.4f}")
moved = np.abs(f(np.roll(cat, 6, axis=1), stride=2) - np.roll(f(cat, stride=2), 3, axis=1)).max()
print(f"stride 2: shift by 6 before, by 3 after: largest difference {moved:.2g}")


# %% jupyter={"source_hidden": true} tags=["illustration"]
def shift_far(image):
    return np.roll(image, 8, axis=1)


pictures, titles = [], []
for change, name, verdict in [(shift_far, "shift", "none"), (np.rot90, "turn", "large")]:
    one, other = f(change(cat)), change(f(cat))
    # Zero is mid-gray in the maps, black in the difference.
    pictures += [change(cat), one + 0.5, other + 0.5, 2 * np.abs(one - other)]
    titles += [f"{name}(x)", f"f({name}(x))", f"{name}(f(x))", f"difference: {verdict}"]
contact_sheet(pictures, titles, columns=4, width=192)

# %% [markdown]
# **What to remember.**
#
# - A stride-1 convolution is translation **equivariant**: exactly, away from the borders. The map
#   moves with the image. This *follows* from sharing weights across positions.
# - **Invariance** appears only when positions are thrown away, as in the largest value of the whole
#   map. Pooling over small windows gives it approximately, for small shifts (lesson 02).
# - With stride 2 the map can follow only shifts by an even number of pixels. Others change it.
# - Convolution is **not** equivariant to turns or zooms, and pooling does not make it so: "no matter
#   *where*" is translation, not scale. A network has to learn those from examples (lesson 11).
# - A kernel that is itself symmetric under the turn is the exception: the outline kernels do commute
#   with a turn by 90°. An asymmetric kernel reveals the rule.
#
# ## Part 9 · Fact check
#
# ### A convolutional network in one picture
#
# A CNN is a series of convolution layers, each followed by a nonlinearity such as ReLU,
# $\max(0, z)$, with some pooling layers in between, and mostly a fully connected layer at the end.
# Maps get smaller and more numerous on the way. The last layer turns them into one number a class.
# All layers are trained **jointly**, end to end: the kernels and the fully connected layer learn at
# the same time from the same error. No features are learned first and classified afterwards.

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axis = plt.subplots(figsize=(13, 3.6))
stages = [  # maps, their size, caption, the step that leads to the next stage
    (1, 28, "image\n1 × 28 × 28", "convolution\n5 × 5, ReLU"),
    (6, 24, "6 maps\n6 × 24 × 24", "pooling\n2 × 2"),
    (6, 12, "6 × 12 × 12", "convolution\n5 × 5, ReLU"),
    (16, 8, "16 maps\n16 × 8 × 8", "pooling\n2 × 2"),
    (16, 4, "16 × 4 × 4", "flatten, fully\nconnected"),
]
left = 0.0
for count, size, caption, step in stages:
    side, shift_by = 0.25 + size / 12, 0.09
    for k in range(count):
        corner = (left + k * shift_by, 1.6 - side / 2 - (k - count / 2) * shift_by / 2)
        axis.add_patch(plt.Rectangle(corner, side, side, facecolor="#a9c6ec", edgecolor="white"))
    right = left + side + (count - 1) * shift_by
    axis.text((left + right) / 2, -0.55, caption, ha="center", va="top", fontsize=10)
    axis.annotate("", (right + 1.5, 1.6), (right + 0.15, 1.6), arrowprops={"arrowstyle": "->"})
    axis.text(right + 0.8, 1.75, step, ha="center", va="bottom", fontsize=9)
    left = right + 1.65
for k in range(10):
    axis.add_patch(plt.Circle((left + 0.15, 0.25 + 0.3 * k), 0.12, color="#55a868"))
axis.text(left + 0.15, -0.55, "10 logits", ha="center", va="top", fontsize=10)
axis.set(xlim=(-0.2, left + 0.8), ylim=(-1.3, 3.5))
axis.set_aspect("equal")
axis.axis("off")
figure.tight_layout()

# %% [markdown]
# | layer | connections | learned numbers |
# |---|---|---|
# | convolution | sparse: a patch, full depth | kernels, shared by all positions, and a bias each |
# | pooling (lesson 02) | sparse: a window of one channel | none |
# | normalisation (lessons 04, 05) | statistics of the activations | mostly a scale and a shift a channel |
# | fully connected | all to all | one weight a connection, a bias a unit |
#
# ### Question 8 · Five sentences from slides
#
# Which reading is right? Answer with the letter.
#
# `q_hierarchy` · *"Fully connected networks cannot learn hierarchies of features."*
# - `"A"` True: only convolutions can build features from features.
# - `"B"` False: any deep network can; fully connected ones lack locality and weight sharing.
# - `"C"` False: a fully connected layer shares its weights, too.
#
# `q_deep` · *"Deep"*, as this course uses it: the smallest number of **hidden** layers of a deep network
# (a number).
#
# `q_flip` · *"Convolution and cross-correlation need not be told apart."*
# - `"A"` Right for learned kernels in the forward pass; not for given kernels, nor in gradients.
# - `"B"` Always right: the maps are equal.
# - `"C"` Never right: networks trained with cross-correlation are worse.
#
# `q_unlearned` · Which of these layers learns no numbers at all: `"convolution"`, `"pooling"` or
# `"fully connected"`?
#
# `q_channels` · *"A kernel uses the same weights for every channel."*
# - `"A"` Right: one slice serves all channels.
# - `"B"` Wrong: each channel has its own slice; weights are shared across positions.
# - `"C"` Wrong: weights are shared across the filters of a layer.

# %% nbgrader={"grade": false, "grade_id": "q-facts", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_hierarchy = …
# q_deep = …
# q_flip = …
# q_unlearned = …
# q_channels = …
### BEGIN SOLUTION
q_hierarchy = "B"
q_deep = 2
q_flip = "A"
q_unlearned = "pooling"
q_channels = "B"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-deep", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Deep networks and hierarchies of features
assert q_hierarchy in ["A", "B", "C"], "q_hierarchy should be a letter, A, B or C"
check_number(q_deep, q_deep, "q_deep")  # is it one number?
### BEGIN HIDDEN TESTS
check_choice(q_hierarchy, "B", ["A", "B", "C"], "q_hierarchy")
check_number(q_deep, 2, "q_deep")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-flip", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# When the flip may be ignored
assert q_flip in ["A", "B", "C"], "q_flip should be a letter, A, B or C"
### BEGIN HIDDEN TESTS
check_choice(q_flip, "A", ["A", "B", "C"], "q_flip")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-layers", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# What learns, and what is shared
layers = ["convolution", "pooling", "fully connected"]
assert q_unlearned in layers, f"q_unlearned should be one of {layers}"
assert q_channels in ["A", "B", "C"], "q_channels should be a letter, A, B or C"
### BEGIN HIDDEN TESTS
check_choice(q_unlearned, "pooling", layers, "q_unlearned")
check_choice(q_channels, "B", ["A", "B", "C"], "q_channels")
### END HIDDEN TESTS

# %% [markdown]
# ## Summary
#
# | | fully connected | locally connected | convolutional |
# |---|---|---|---|
# | a unit sees | everything | a patch, all channels | a patch, all channels |
# | weights are shared | no | no | across positions |
# | gray 200 × 200, 3 × 3, a unit per pixel: weights | 1,600,000,000 | 360,000 | 9 |
# | multiply-adds | 1,600,000,000 | 360,000 | 360,000 |
# | shuffled pixels | does not notice | notices | notices |
# | shifted image | must learn it anew | must learn it anew | the map shifts along |
#
# - Cross-correlation slides the kernel as it is; convolution turns it by 180°. Layers use the first
#   and call it the second. Test with asymmetric kernels, rectangles, C ≠ F and a batch.
# - A layer's weight is `(F, C, KH, KW)`; its map has $\lfloor (H + 2P - K)/S \rfloor + 1$ rows.
# - Locality saves computation and parameters; sharing saves parameters and gives equivariance.
#
# **Next.** Lesson 02 does the arithmetic of whole networks: sizes, costs, receptive fields, pooling.
#
# ## References
#
# - I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning*, MIT Press 2016, chapters 6 and 9.
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
#   recognition", *Proceedings of the IEEE* 86, 1998.
# - V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285.
# - R. Zhang, "Making convolutional networks shift-invariant again", ICML 2019, arXiv:1904.11486.
# - Photographs: `china.jpg` from scikit-learn; `chelsea`, `coffee` and `camera` from scikit-image.
