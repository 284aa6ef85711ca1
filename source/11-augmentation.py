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
# # 11 · Augmentation
#
# Show a network ten photographs of a cat, all lit from the left, and it may learn that cats are lit
# from the left. More photographs cost money. But you can turn, shift, crop, dim and stain the ones
# you have, and as long as a cat stays a cat, each new version tells the network something true:
# *this does not matter*. In this lesson you write every such change as an array operation, keep the
# dice apart from the operation so that both can be tested, and then measure what it buys and what
# it costs.
#
# **After this lesson you can**
#
# - centre, scale and whiten pictures with statistics of the training set alone, and write a test
#   that catches a leak;
# - write flips, crops, shifts, resizing, rotation, shear, noise, contrast and brightness, AlexNet's
#   PCA colour and cutout as functions `aug(x, params)` without any randomness in them;
# - write the samplers that draw `params`, and test a random function so that a right one never
#   fails;
# - say which change keeps the label, for which task;
# - follow ResNet's training protocol, test with ten crops or several scales, and average the right
#   thing;
# - read a table of accuracies and say which differences are real.
#
# | part | you build | points |
# |---|---|---|
# | 1 · The same ruler for all | `fit_stats`, `normalize`, `fit_pca`, `whiten`, `leaks` | 19 |
# | 2 · Geometry | `flip`, `crop`, `shift`, `sample`, `resize`, `warp` | 19 |
# | 3 · Light, noise, colour, holes | `adjust`, `add_noise`, `pca_colour`, `cutout` | 15 |
# | 4 · The dice | samplers, `augment_batch`, `worker_rng`, `prepare` | 22 |
# | 5 · Which changes keep the label? | a table of your own | 4 |
# | 6 · ImageNet's protocols | `scale_jitter`, `ten_crop`, `average_views`, `multi_scale` | 17 |
# | 7 · Measured | `paired_difference`, and predictions about two experiments | 4 |
#
# **Time** 5 hours · **Difficulty** ●●●○○ · **You need** lessons 01 to 05 · **Runs on** any laptop,
# two to three minutes for the experiments
#
# **Conventions of the whole lesson.** A picture `x` is an array of floats in $[0, 1]$ of shape
# `(C, H, W)`, a batch is `(N, C, H, W)`. A row index grows *downwards*, a column index to the
# right. A function of yours returns a new array and leaves what it was given as it was. What chance
# decides is drawn from `rng`, a `numpy.random.Generator`, and from nothing else. Everything you
# write is NumPy; PyTorch appears in the experiments, which train small networks with what you
# wrote.
#
# **How it works.** Complete each cell that says `raise NotImplementedError`, then run the checks
# below it. Grading runs the same checks and further ones, on other shapes and numbers. Questions
# ask you to predict *before* you run the cell that shows the truth; afterwards you may mend your
# answer, for what you hand in is what counts. The experiments themselves are not graded, only the
# questions about them.

# %% tags=["parameters"]
# Scripts that run this notebook set these; leave them as they are.
seed = 0
device = "auto"
quick = False

# %%
import time

import matplotlib.pyplot as plt
import numpy as np

from course.checks import (
    check_choice,
    check_close,
    check_dtype,
    check_number,
    check_raises,
    check_shape,
    check_unchanged,
    in_submission,
)
from course.data import digits, photo
from course.plots import contact_sheet

# How closely the tests compare: float32 answers pass.
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}

# %% [markdown]
# ## Part 1 · The same ruler for all
#
# Before any augmentation a picture is **normalised**: brought to mean zero, usually to unit
# variance as well. Lesson 03 showed why zero mean helps (inputs that are all positive give a
# neuron's weights gradients of one common sign, and the path to the minimum zig-zags), lesson 05
# why equal scales help (a better conditioned loss). In a data matrix $X$ of shape $(n, d)$, one
# sample a row, you subtract from each column its mean and divide it by its standard deviation. For
# pictures there is a choice of what counts as one column. Below: the mean of 1,500 digits, and what
# is left of four of them without it.

# %% tags=["illustration"]
images, labels = digits()  # (1797, 1, 8, 8)
mean_image = images[:1500].mean(axis=0)  # (1, 8, 8)
shown = [mean_image, *images[1500:1504], *((images[1500:1504] - mean_image) / 2 + 0.5)]
names = ["mean image", *["digit"] * 4, *["minus the mean"] * 4]
contact_sheet(shown, names, width=112, columns=9)

# %% [markdown]
# ## Exercise 1 · Three rulers
#
# | `kind` | mean | std | numbers to store for 3×32×32 pictures |
# |---|---|---|---|
# | `"mean image"` | over the pictures, for each entry: shape `(C, H, W)` | ones | 3,072 |
# | `"channel mean"` | over pictures, rows and columns, for each channel: `(C, 1, 1)` | ones | 3 |
# | `"channel mean and std"` | the same | the same, as a standard deviation: `(C, 1, 1)` | 6 |
#
# Pictures come from files as integers from 0 to 255 (`uint8`) or, later, as floats in $[0, 1]$.
# Write
#
# - `to_float(images)`: `uint8` becomes floats in $[0, 1]$, floats keep their values;
# - `fit_stats(images, kind)`: the pair `(mean, std)` of the table, both of the shape in the column
#   "mean". The standard deviation divides by the count ($n$, not $n - 1$). Another `kind` raises
#   `ValueError`;
# - `normalize(images, stats)`: $(x - \text{mean}) / \text{std}$, for a batch `(N, C, H, W)` or a
#   single picture `(C, H, W)`. It looks at nothing but `stats`.
#
# Both of the latter bring `uint8` to floats first, so that the ruler and what it measures have one
# scale.
#
# *Worked example.* Two pictures of one channel and $1 \times 2$ pixels, $(0, 0.4)$ and $(0.2, 1)$.
# The mean image is $(0.1, 0.7)$. The channel mean is $1.6/4 = 0.4$; the channel's variance is
# $(0.16 + 0 + 0.04 + 0.36)/4 = 0.14$, its standard deviation $0.3742$.


# %% nbgrader={"grade": false, "grade_id": "fit-stats", "locked": false, "schema_version": 3, "solution": true, "task": false}
def to_float(images):
    """Pictures as floats in [0, 1]: uint8 0..255 is divided by 255, floats keep their values."""
    ### BEGIN SOLUTION
    return images / 255.0 if images.dtype == np.uint8 else images
    ### END SOLUTION


def fit_stats(images, kind):
    """The ruler (mean, std) of a training set (N, C, H, W); see the table for kind and shapes."""
    ### BEGIN SOLUTION
    images = to_float(images)
    if kind == "mean image":
        mean = images.mean(axis=0)  # (C, H, W)
        return mean, np.ones_like(mean)
    if kind not in ("channel mean", "channel mean and std"):
        raise ValueError(f"no such ruler: {kind}")
    mean = images.mean(axis=(0, 2, 3))[:, None, None]  # (C, 1, 1)
    if kind == "channel mean":
        return mean, np.ones_like(mean)
    return mean, images.std(axis=(0, 2, 3))[:, None, None]
    ### END SOLUTION


def normalize(images, stats):
    """(images - mean) / std for a batch (N, C, H, W) or one picture (C, H, W)."""
    ### BEGIN SOLUTION
    mean, std = stats
    return (to_float(images) - mean) / std
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-stats-mean-image", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The mean image
pair = np.array([[[[0.0, 0.4]]], [[[0.2, 1.0]]]])  # (2, 1, 1, 2)
mean, std = fit_stats(pair, "mean image")
check_close(mean, [[[0.1, 0.7]]], "the mean image of the worked example", **TOLERANCE)
check_close(std, np.ones((1, 1, 2)), "its std", **TOLERANCE)
### BEGIN HIDDEN TESTS
images = np.random.default_rng(1101).random((5, 3, 4, 6)) ** 2
want = sum(images[i] for i in range(5)) / 5
before = images.copy()
mean, std = fit_stats(images, "mean image")
check_close(mean, want, "the mean image of 5 pictures of 3 channels, 4×6", **TOLERANCE)
check_close(std, np.ones((3, 4, 6)), "its std", **TOLERANCE)
check_unchanged(images, before, "images")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-stats-channels", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Means and standard deviations per channel
pair = np.array([[[[0.0, 0.4]]], [[[0.2, 1.0]]]])
mean, std = fit_stats(pair, "channel mean and std")
check_close(mean, [[[0.4]]], "the channel mean of the worked example", **TOLERANCE)
check_close(std, [[[0.14**0.5]]], "the channel std of the worked example", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1102)
images = rng.random((4, 3, 5, 2)) * np.array([1.0, 0.5, 0.2])[:, None, None]
means = [np.mean(images[:, c].ravel()) for c in range(3)]
stds = [(np.mean((images[:, c].ravel() - means[c]) ** 2)) ** 0.5 for c in range(3)]
mean, std = fit_stats(images, "channel mean")
check_close(mean, np.reshape(means, (3, 1, 1)), "the channel means", **TOLERANCE)
check_close(std, np.ones((3, 1, 1)), 'std for "channel mean"', **TOLERANCE)
mean, std = fit_stats(images, "channel mean and std")
check_close(mean, np.reshape(means, (3, 1, 1)), "the channel means", **TOLERANCE)
check_close(std, np.reshape(stds, (3, 1, 1)), "the channel stds", **TOLERANCE)
check_raises(ValueError, fit_stats, images, "per pixel")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-stats-uint8", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Integers and floats share one scale
images = np.array([[[[0, 51], [102, 255]]]], dtype=np.uint8)
check_close(
    to_float(images), [[[[0.0, 0.2], [0.4, 1.0]]]], "to_float of 0, 51, 102, 255", **TOLERANCE
)
### BEGIN HIDDEN TESTS
images = np.random.default_rng(1103).integers(0, 256, size=(6, 3, 4, 5)).astype(np.uint8)
scaled = images.astype(np.float64) / 255
check_close(to_float(scaled), scaled, "to_float of floats", **TOLERANCE)
check_close(to_float(scaled / 255), scaled / 255, "to_float of very dark floats", **TOLERANCE)
ruler = scaled.mean(axis=(0, 2, 3), keepdims=True)[0], scaled.std(axis=(0, 2, 3), keepdims=True)[0]
for got, want, name in zip(fit_stats(images, "channel mean and std"), ruler, ("mean", "std")):
    check_close(got, want, f"{name} of uint8 pictures, on the scale 0 to 1", **TOLERANCE)
check_close(
    normalize(images, ruler), (scaled - ruler[0]) / ruler[1], "uint8, normalised", **TOLERANCE
)
check_close(
    normalize(scaled, ruler), (scaled - ruler[0]) / ruler[1], "floats, normalised", **TOLERANCE
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-normalize", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# New pictures under an old ruler
stats = np.array([[[0.5]]]), np.array([[[0.25]]])
check_close(
    normalize(np.array([[[[1.0, 0.0]]]]), stats), [[[[2.0, -2.0]]]], "normalize", **TOLERANCE
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1104)
mean, std = rng.random((3, 1, 1)), 0.2 + rng.random((3, 1, 1))
x = 0.3 * rng.random((2, 3, 4, 5))
before = x.copy()
check_close(normalize(x, (mean, std)), (before - mean) / std, "a darker batch", **TOLERANCE)
check_close(normalize(x[0], (mean, std)), (before[0] - mean) / std, "a single picture", **TOLERANCE)
mean = rng.random((3, 4, 5))
check_close(
    normalize(x, (mean, np.ones((3, 4, 5)))), before - mean, "minus a mean image", **TOLERANCE
)
check_unchanged(x, before, "images")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **One number where there should be one per channel**: `mean()` without `axis` mixes the
#   channels. Axis 1 is the channel; average over the others.
# - **Shape `(C,)`**: that would line up with the *columns* of a picture. Append two axes of length
#   1, or use `keepdims=True`.
# - **The mean image is wrong**: it averages over the pictures, axis 0, and over nothing else.
# - **Numbers of size 0.004**: floats were divided by 255 a second time. Look at the dtype, not at
#   the values.
#
# </details>
#
# ## Question 1 · Who used which?
#
# A slide lists the three rulers and gives as examples AlexNet for the mean image, VGG for the
# channel mean, ResNet for the channel mean and std. The ResNet paper itself crops 224×224 pictures
# "with the per-pixel mean subtracted".
#
# 1. Which `kind` does the ResNet *paper* describe?
# 2. How many numbers does it store for its RGB crops?

# %% nbgrader={"grade": false, "grade_id": "q-rulers", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_resnet_kind: "mean image", "channel mean" or "channel mean and std"
# q_resnet_numbers: an integer
### BEGIN SOLUTION
q_resnet_kind = "mean image"
q_resnet_numbers = 3 * 224 * 224
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-rulers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# ResNet's ruler
kinds = ("mean image", "channel mean", "channel mean and std")
assert q_resnet_kind in kinds, f"q_resnet_kind should be one of {kinds}"
### BEGIN HIDDEN TESTS
check_choice(q_resnet_kind, "mean image", kinds, "q_resnet_kind")
check_number(q_resnet_numbers, 150_528, "q_resnet_numbers")
### END HIDDEN TESTS

# %% [markdown]
# The slide credits the paper with what came after it. Channel means and stds were used in the Torch
# code that Facebook published with its own ResNets (fb.resnet.torch), torchvision took them over,
# and they are today's habit: six numbers, independent of the size of the picture.
#
# ## Further: decorrelate, whiten
#
# One can go on. The red, green and blue of a pixel nearly always rise and fall together.
# **Principal component analysis** (PCA) turns the axes so that the columns are uncorrelated,
# **whitening** then scales each to variance 1. Each dot below is one pixel of a photograph; we look
# at red and blue.

# %% tags=["illustration"]
pixels = photo("china", step=4).reshape(3, -1).T  # (n, 3), one pixel a row
centred = pixels - pixels.mean(axis=0)
variances, axes_ = np.linalg.eigh(centred.T @ centred / len(centred))
turned = centred @ axes_[:, ::-1]
white = turned / np.sqrt(variances[::-1])
figure, panels = plt.subplots(1, 4, figsize=(12, 3.1))
colours, turned_axes = ("red", "blue"), ("axis 1", "axis 2")
for panel, name, cloud, limits, (across, up) in (
    (panels[0], "pixels", pixels[:, [0, 2]], (-0.1, 1.1), colours),
    (panels[1], "centred", centred[:, [0, 2]], (-0.8, 0.8), colours),
    (panels[2], "decorrelated", turned[:, [0, 1]], (-1.1, 1.1), turned_axes),
    (panels[3], "whitened", white[:, [0, 1]], (-4, 4), turned_axes),
):
    panel.scatter(*cloud[::7].T, s=1, alpha=0.4)
    panel.set(xlim=limits, ylim=limits, title=name, aspect="equal", xlabel=across, ylabel=up)
    panel.axhline(0, color="black", linewidth=0.5)
    panel.axvline(0, color="black", linewidth=0.5)
figure.tight_layout()

# %% [markdown]
# ## Exercise 2 · PCA and whitening
#
# `X` is a data matrix $(n, d)$. Write
#
# - `fit_pca(X)`: the triple `(mean, variances, axes)`. `mean` is $(d,)$. The covariance matrix is
#   $\Sigma = \frac1n (X - \text{mean})^\top (X - \text{mean})$, $(d, d)$. `variances` $(d,)$ are
#   its eigenvalues, *largest first*, and column $j$ of `axes` $(d, d)$ is the eigenvector of length
#   1 that belongs to `variances[j]`. (`np.linalg.eigh` returns them smallest first.)
# - `decorrelate(X, pca)`: $Z = (X - \text{mean})\,\text{axes}$, shape as `X`;
# - `whiten(X, pca, eps=1e-5)`: column $j$ of $Z$ divided by
#   $\sqrt{\text{variances}_j + \text{eps}}$.
#
# An eigenvector may be turned round; the tests accept either sign.
#
# *Worked example.* Four points: $(3, 3)$, $(-3, -3)$, $(1, -1)$, $(-1, 1)$. Then
# $\Sigma = \begin{bmatrix}5 & 4\\4 & 5\end{bmatrix}$, variances $9$ and $1$, axes $(1, 1)/\sqrt2$
# and $(1, -1)/\sqrt2$.


# %% nbgrader={"grade": false, "grade_id": "fit-pca", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fit_pca(X):
    """(mean (d,), variances (d,) largest first, axes (d, d) as columns) of a data matrix X (n, d)."""
    ### BEGIN SOLUTION
    mean = X.mean(axis=0)
    centred = X - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(X))
    return mean, variances[::-1], axes[:, ::-1]
    ### END SOLUTION


def decorrelate(X, pca):
    """X (n, d) in the coordinates of the principal axes; same shape."""
    ### BEGIN SOLUTION
    mean, _, axes = pca
    return (X - mean) @ axes
    ### END SOLUTION


def whiten(X, pca, eps=1e-5):
    """decorrelate, then each column over the root of its variance + eps."""
    ### BEGIN SOLUTION
    return decorrelate(X, pca) / np.sqrt(pca[1] + eps)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-fit-pca", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The principal axes of a cloud
X = np.array([[3.0, 3.0], [-3.0, -3.0], [1.0, -1.0], [-1.0, 1.0]])
mean, variances, axes = fit_pca(X)
check_close(variances, [9.0, 1.0], "the variances of the worked example", **TOLERANCE)
check_close(np.abs(axes), np.full((2, 2), 0.5**0.5), "the axes, without signs", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1105)
X = rng.normal(size=(30, 4)) @ rng.normal(size=(4, 4)) + np.array([3.0, -1.0, 0.0, 5.0])
_, scale, rows = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
before = X.copy()
mean, variances, axes = fit_pca(X)
check_close(mean, before.mean(axis=0), "the mean of 30 points in 4 dimensions", **TOLERANCE)
check_close(variances, scale**2 / 30, "their variances, largest first", rtol=1e-3, atol=1e-4)
check_close(
    np.abs(axes), np.abs(rows.T), "their axes as columns, signs aside", rtol=1e-3, atol=1e-3
)
check_close(
    np.abs(np.sum(np.asarray(axes) * rows.T, axis=0)), np.ones(4), "|axis · axis|", rtol=1e-3
)
check_unchanged(X, before, "X")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-decorrelate", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Coordinates along given axes
angle = 0.6
pca = (
    np.array([1.0, 2.0]),
    np.array([4.0, 0.25]),
    np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]),
)
X = np.array([1.0, 2.0]) + np.array([[2 * np.cos(angle), 2 * np.sin(angle)], [0.0, 0.0]])
check_close(decorrelate(X, pca), [[2.0, 0.0], [0.0, 0.0]], "two points along axis 1", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1106)
axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
mean, variances = rng.normal(size=3), np.array([5.0, 2.0, 0.5])
X = rng.normal(size=(7, 3)) + 4
want = np.stack([[np.dot(x - mean, axes[:, j]) for j in range(3)] for x in X])
check_close(decorrelate(X, (mean, variances, axes)), want, "seven new points", **TOLERANCE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-whiten", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Whitened with the fit of other data
pca = np.zeros(2), np.array([4.0, 0.25]), np.eye(2)
check_close(
    whiten(np.array([[2.0, 1.0]]), pca, eps=0.0), [[1.0, 2.0]], "whiten, eps = 0", **TOLERANCE
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1107)
axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
mean, variances = rng.normal(size=3), np.array([5.0, 2.0, 0.0])
X = rng.normal(size=(6, 3))
want = (X - mean) @ axes / np.array([5.5, 2.5, 0.5]) ** 0.5
check_close(whiten(X, (mean, variances, axes), eps=0.5), want, "eps = 0.5", **TOLERANCE)
want = (X - mean) @ axes / np.array([5.00001, 2.00001, 0.00001]) ** 0.5
check_close(whiten(X, (mean, variances, axes)), want, "eps left out", rtol=1e-3, atol=1e-3)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **The variances come out smallest first**: reverse them, and the *columns* of the axes with
#   them.
# - **The axes look transposed**: `eigh` puts the eigenvectors into columns.
# - **Too large by 30/29**: divide by $n$.
# - **Whitening explodes**: a direction without variance; that is what `eps` under the root is for.
#
# </details>
#
# ## Question 2 · What each step does to the landscape
#
# For a linear neuron with squared error the curvature of the loss is $\frac1n X^\top X$. Its
# **condition number**, the largest eigenvalue over the smallest, says how long and narrow the
# valley is: 1 is a round bowl. For the pixels above ($n$ pixels, $d = 3$ colours), predict: which
# of the four clouds has the *largest* condition number, and what is the whitened cloud's (with
# `eps` = 0)?

# %% nbgrader={"grade": false, "grade_id": "q-condition", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_worst: "pixels", "centred", "decorrelated" or "whitened"
# q_white: a number
### BEGIN SOLUTION
q_worst = "pixels"
q_white = 1
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-condition", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Condition numbers
clouds = ("pixels", "centred", "decorrelated", "whitened")
assert q_worst in clouds, f"q_worst should be one of {clouds}"
### BEGIN HIDDEN TESTS
check_choice(q_worst, "pixels", clouds, "q_worst")
check_number(q_white, 1, "q_white", rtol=1e-3)
### END HIDDEN TESTS

# %%
pixels = photo("china", step=4).reshape(3, -1).T  # (n, 3)
pixels = pixels[(pixels > 0).all(axis=1)]
pca = fit_pca(pixels)
centred = pixels - pixels.mean(axis=0)
delta = np.random.default_rng(seed).normal(size=(len(pixels), 1))  # dL/dz of a neuron, one a pixel
for name, cloud in {
    "pixels": pixels,
    "centred": centred,
    "centred, over std": centred / centred.std(axis=0),
    "decorrelated": decorrelate(pixels, pca),
    "whitened": whiten(pixels, pca, eps=0.0),
}.items():
    curvature = cloud.T @ cloud / len(cloud)  # (3, 3)
    signs = len(
        np.unique(delta * cloud > 0, axis=0)
    )  # of the gradients delta * x for three weights
    print(
        f"{name:18s} condition number {np.linalg.cond(curvature):6.1f}, sign patterns {signs} of 8"
    )

# %% [markdown]
# Centring does most of the work that is cheap. It also frees the signs: on raw pixels, which are
# all positive, the gradients of a neuron's three weights are all positive or all negative, two
# patterns of eight (lesson 03). Turning the axes changes no eigenvalue, so decorrelating alone
# gains nothing here. Dividing by the channels' stds does little for the colours of a photograph,
# which have similar ranges anyway. Whitening makes the bowl round, and yet it is uncommon for
# pictures: for whole pictures $d$ is 150,528 and $\Sigma$ has 22 billion entries, small variances
# are mostly noise, which whitening blows up, and BatchNorm (lesson 05) rescales inside the network
# anyway.
#
# ## Where the ruler comes from
#
# The test set stands for pictures that do not exist yet. Nothing may be fitted on it, not even a
# mean. There are two ways to break that rule, and both happen.
#
# 1. **Train hears of test.** The statistics are computed on all data before the split, or the split
#    comes after the augmentation, so that copies of one picture land on both sides.
# 2. **A test picture hears of the others.** The test batch is normalised with its own statistics.
#    Then an answer depends on who else is in the batch. The next cell shows how badly: digits are
#    classified by the nearest class mean after the mean image is subtracted; first with the
#    training set's mean image, then each test batch with its own. A batch holds one kind of digit,
#    as when somebody scans a pile of eights.

# %%
images, labels = digits()  # (1797, 1, 8, 8)
order = np.random.default_rng(seed).permutation(len(images))
train, test = order[:1000], order[1000:]


def nearest_mean(batch, centres):
    """The class whose centre (10, 64) is nearest, for each picture of the batch."""
    distance = ((batch.reshape(len(batch), 1, -1) - centres) ** 2).sum(axis=2)  # (N, 10)
    return distance.argmin(axis=1)


ruler = fit_stats(images[train], "mean image")
ready = normalize(images[train], ruler)
centres = np.stack([ready[labels[train] == k].mean(axis=0).ravel() for k in range(10)])  # (10, 64)
print("digit        " + "".join(f"{k:6d}" for k in range(10)))
for name in ("training", "its own"):
    right = []
    for k in range(10):
        batch = images[test][labels[test] == k]
        stats = ruler if name == "training" else fit_stats(batch, "mean image")
        right.append((nearest_mean(normalize(batch, stats), centres) == k).mean())
    print(f"{name:8s} mean" + "".join(f"{accuracy:6.2f}" for accuracy in right))

# %% [markdown]
# Subtracting the mean of a pile of eights subtracts the eight.
#
# ## Exercise 3 · A leak detector
#
# A *preparation* is a function `prepare(train, test)` that gets two arrays of pictures,
# `(N, C, H, W)` and `(M, C, H, W)`, and returns the pair of prepared arrays. It is **clean** when
#
# 1. the prepared training set does not depend on the test set, and
# 2. what becomes of a test picture does not depend on which other pictures are in the test set.
#
# Write `leaks(prepare, train, test)`: `True` if the preparation breaks either rule, `False` if it is
# clean. You cannot look into `prepare`; you can call it as often as you like with sets of your own
# making, of one picture or more. `test` has at least two pictures, all different, and a leak shows
# on these data: some result changes when pictures of `test` are left out or exchanged. A
# preparation involves no chance, and its results are equal to within $10^{-9}$ when they should be
# equal.
#
# *Worked example.* Four preparations are given below. `prepare_a` fits the mean on both sets
# together: a leak. `prepare_b` fits it on the training set: clean. `prepare_c` normalises each set
# with its own mean: a leak of the second kind. `prepare_d` subtracts from each picture its own
# mean: that is clean, though it throws the brightness away.


# %% nbgrader={"grade": false, "grade_id": "preparations", "locked": true, "schema_version": 3, "solution": false, "task": false}
def prepare_a(train, test):
    mean = np.concatenate([train, test]).mean(axis=0)
    return train - mean, test - mean


def prepare_b(train, test):
    mean = train.mean(axis=0)
    return train - mean, test - mean


def prepare_c(train, test):
    return train - train.mean(axis=0), test - test.mean(axis=0)


def prepare_d(train, test):
    own = (1, 2, 3)
    return train - train.mean(axis=own, keepdims=True), test - test.mean(axis=own, keepdims=True)


# %% nbgrader={"grade": false, "grade_id": "leaks", "locked": false, "schema_version": 3, "solution": true, "task": false}
def leaks(prepare, train, test):
    """True if prepare(train, test) -> (train, test) lets the test set leak; see rules 1 and 2."""
    ### BEGIN SOLUTION
    whole_train, whole_test = prepare(train, test)
    alone = [prepare(train, test[i : i + 1]) for i in range(len(test))]
    trains_agree = all(np.allclose(part, whole_train) for part, _ in alone)
    tests_agree = all(np.allclose(part[0], x) for (_, part), x in zip(alone, whole_test))
    return not (trains_agree and tests_agree)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-leaks-train", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The training set hears of the test set
rng = np.random.default_rng(3)
train, test = rng.random((6, 1, 2, 3)), 0.5 * rng.random((4, 1, 2, 3))
assert leaks(prepare_a, train, test), "prepare_a fits its mean on both sets: leaks should say True"
assert not leaks(prepare_b, train, test), "prepare_b is clean: leaks should say False"
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1108)
train, test = 0.2 + 0.6 * rng.random((8, 3, 2, 4)), rng.random((5, 3, 2, 4))
test[3] = 2.0


def by_the_largest(train, test):
    top = max(train.max(), test.max())
    return train / top, test


def std_of_both(train, test):
    return train / np.concatenate([train, test]).std(axis=(0, 2, 3), keepdims=True), test


def mean_of_train(train, test):
    return train - train.mean(axis=(0, 2, 3), keepdims=True), test - train.mean(
        axis=(0, 2, 3), keepdims=True
    )


assert leaks(by_the_largest, train, test), "the training set is divided by a number of the test set"
assert leaks(std_of_both, train, test), "the training set is divided by the std of both sets"
assert not leaks(mean_of_train, train, test), "channel means of the training set are clean"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-leaks-test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Test pictures hear of each other
rng = np.random.default_rng(4)
train, test = rng.random((6, 1, 2, 3)), rng.random((4, 1, 2, 3))
assert leaks(prepare_c, train, test), (
    "prepare_c centres the test set on itself: leaks should say True"
)
assert not leaks(prepare_d, train, test), (
    "prepare_d treats each picture alone: leaks should say False"
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1109)
train, test = rng.random((6, 2, 3, 2)), rng.random((5, 2, 3, 2))


def standardised_apart(train, test):
    return train / train.std(), test / test.std()


def minus_the_neighbour(train, test):
    return train, test - np.roll(test, 1, axis=0).mean(axis=(1, 2, 3), keepdims=True)


def minus_the_one_before(train, test):
    return train, np.concatenate([test[:1], test[1:] - test[:-1]])


def minus_the_one_after(train, test):
    return train, np.concatenate([test[:-1] - test[1:], test[-1:]])


def last_minus_first(train, test):
    return train, np.concatenate([test[:-1], test[-1:] - test[:1] * (len(test) > 1)])


def clipped(train, test):
    low, high = train.min(), train.max()
    return np.clip(train, low, high) * 2, np.clip(test, low, high) * 2


assert leaks(standardised_apart, train, test), "the test set is divided by its own std"
assert leaks(minus_the_neighbour, train, test), "each test picture changes with another one"
assert leaks(minus_the_one_before, train, test), (
    "each test picture but the first changes with another"
)
assert leaks(minus_the_one_after, train, test), (
    "each test picture but the last changes with another"
)
assert leaks(last_minus_first, train, test), "the last test picture changes with the first"
assert not leaks(clipped, train, test), "clipping to the training set's range is clean"
assert not leaks(lambda a, b: (a**2, b[:, :, ::-1]), train, test), "squares and flips are clean"
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Everything leaks**: compare like with like. The result for picture `i` alone stands at index 0
#   of its own call, and at index `i` of the call with all.
# - **Nothing leaks**: the same set in another order has the same mean. Change what is *in* the test
#   set.
# - **prepare_c gets away**: you compare the training sets only.
# - **The training set's leak gets away**: you compare the test pictures only.
#
# </details>
#
# ## Question 3 · Augment, then split
#
# Somebody makes 10 augmented versions of each of 1,000 pictures, shuffles the 10,000 and puts each
# version into training with probability 0.8, otherwise into validation. A picture is *clean* if all
# its ten versions ended up on the same side. How many of the 1,000 pictures do you expect to be
# clean? And what should have come first?

# %% nbgrader={"grade": false, "grade_id": "q-split", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_clean: the expected number of clean pictures, to within 2%
# q_first: "split" or "augment"
### BEGIN SOLUTION
q_clean = 107.4  # 1000 * (0.8**10 + 0.2**10)
q_first = "split"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-split", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Versions on both sides
assert q_first in ("split", "augment"), 'q_first should be "split" or "augment"'
### BEGIN HIDDEN TESTS
check_number(q_clean, 107.37, "q_clean", rtol=0.02)
check_choice(q_first, "split", ("split", "augment"), "q_first")
### END HIDDEN TESTS

# %% [markdown]
# How much does such a leak flatter? Take pictures that *cannot* be classified: 300 digits whose
# labels are thrown with a ten-sided die. An honest validation accuracy is 10%. The classifier looks
# for the nearest training picture and takes its label.

# %%
sides = np.random.default_rng(seed).random((1000, 10)) < 0.8  # True: a version for training
print("thrown once:", (sides.all(axis=1) | ~sides.any(axis=1)).sum(), "of 1,000 pictures are clean")

rng = np.random.default_rng(seed)
images, _ = digits()
dice = rng.integers(0, 10, size=300)  # (300,)
versions = np.repeat(images[:300].reshape(300, 64), 10, axis=0) + rng.normal(
    0, 0.1, size=(3000, 64)
)
owner = np.repeat(np.arange(300), 10)  # which picture a version comes from
for first in ("augment", "split"):
    # Per version when augmented first; per picture when split first.
    training = rng.random(3000) < 0.8 if first == "augment" else (rng.random(300) < 0.8)[owner]
    known, asked = versions[training], versions[~training]
    distance = (known**2).sum(axis=1) - 2 * asked @ known.T  # (asked, known), up to a constant
    answer = dice[owner[training][distance.argmin(axis=1)]]
    accuracy = (answer == dice[owner[~training]]).mean()
    print(f"{first} first: validation accuracy {accuracy:.2f} on {len(asked)} versions")

# %% [markdown]
# The accuracy of "augment first" is what a leak looks like: perfect, and worth nothing.

# %% [markdown]
# ## Part 2 · Geometry
#
# Every change from here on is split in two: a function `aug(x, params)` that does exactly what its
# parameters say, and, in Part 4, a sampler that draws the parameters. The first can be tested to
# the last digit, the second by range and frequency. A function that rolls its own dice can be
# tested for neither.

# %% tags=["illustration"]
cat = photo("chelsea", step=3)  # (3, 100, 151)
rows, cols = np.mgrid[:100, :151]
tilted = cat[:, rows, np.clip(cols - (rows - 50) // 3, 0, 150)]
window = photo("chelsea", step=2)[:, 20:120, 40:191]  # (3, 100, 151), seen larger
dark = np.clip(cat * 0.5, 0, 1)
noisy = np.clip(cat + np.random.default_rng(seed).normal(0, 0.15, cat.shape), 0, 1)
holed = cat.copy()
holed[:, 30:65, 50:85] = 0
contact_sheet(
    [cat, cat[:, :, ::-1], cat[:, ::-1], window, tilted, dark, noisy, holed],
    ["original", "mirrored", "upside down", "cropped", "sheared", "darker", "noise", "cutout"],
    columns=4,
    width=151,
)

# %% [markdown]
# ## Exercise 4 · Flips
#
# Write `flip(x, horizontal=False, vertical=False)` for a picture `(C, H, W)`. A **horizontal** flip
# is the mirror image: left and right change places. A **vertical** flip puts it upside down. Both
# together are a half turn.
#
# *Worked example.* $\begin{bmatrix}1&2&3\\4&5&6\end{bmatrix}$ flips horizontally to
# $\begin{bmatrix}3&2&1\\6&5&4\end{bmatrix}$.


# %% nbgrader={"grade": false, "grade_id": "flip", "locked": false, "schema_version": 3, "solution": true, "task": false}
def flip(x, horizontal=False, vertical=False):
    """Mirror a picture (C, H, W) left-right and/or upside down; x stays as it is."""
    ### BEGIN SOLUTION
    x = x[:, :, ::-1] if horizontal else x
    x = x[:, ::-1] if vertical else x
    return x
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-flip", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Mirror images and upside down
x = np.array([[[1, 2, 3], [4, 5, 6]]])  # (1, 2, 3)
check_close(flip(x, horizontal=True), [[[3, 2, 1], [6, 5, 4]]], "the mirror image", **TOLERANCE)
### BEGIN HIDDEN TESTS
x = np.random.default_rng(1110).random((3, 4, 5))
before = x.copy()
check_close(flip(x), before, "no flip", **TOLERANCE)
check_close(flip(x, horizontal=True), before[..., ::-1], "the mirror image, (3, 4, 5)", **TOLERANCE)
check_close(flip(x, vertical=True), before[:, ::-1, :], "upside down, (3, 4, 5)", **TOLERANCE)
check_close(flip(x, True, True), before[:, ::-1, ::-1], "both", **TOLERANCE)
check_unchanged(x, before, "x")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Red and blue change places**: `x[::-1]` turns the channels round. Columns are the last axis,
#   rows the one before.
# - **Both flips together fail**: they do not exclude each other; `elif` is one `el` too long.
#
# </details>
#
# ## Exercise 5 · Crop and shift
#
# - `crop(x, top, left, height, width)`: the window of that size whose upper left pixel is
#   `(top, left)`. It raises `ValueError` if the window does not lie inside the picture. (Python's
#   slices would not complain: a slice that starts at −1 counts from the end, one that ends too late
#   comes out short.)
# - `shift(x, dy, dx, fill=0.0)`: the picture moved `dy` pixels down and `dx` to the right
#   (negative: up, left), same shape. What leaves is lost; what is uncovered becomes `fill`. A shift
#   of the whole picture or more leaves only `fill`.
#
# *Worked example.* $\begin{bmatrix}1&2&3\\4&5&6\end{bmatrix}$ shifted by `dy=1, dx=-1` is
# $\begin{bmatrix}0&0&0\\2&3&0\end{bmatrix}$.


# %% nbgrader={"grade": false, "grade_id": "crop", "locked": false, "schema_version": 3, "solution": true, "task": false}
def crop(x, top, left, height, width):
    """The window (C, height, width) at (top, left); ValueError if it leaves the picture."""
    ### BEGIN SOLUTION
    _, H, W = x.shape
    if top < 0 or left < 0 or top + height > H or left + width > W:
        raise ValueError(f"no window of {height}×{width} at ({top}, {left}) in {H}×{W}")
    return x[:, top : top + height, left : left + width]
    ### END SOLUTION


def shift(x, dy, dx, fill=0.0):
    """x (C, H, W) moved dy down and dx to the right; uncovered pixels become fill."""
    ### BEGIN SOLUTION
    _, H, W = x.shape
    wide = np.pad(x, ((0, 0), (H, H), (W, W)), constant_values=fill)  # (C, 3H, 3W)
    return crop(wide, H - np.clip(dy, -H, H), W - np.clip(dx, -W, W), H, W)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-crop", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Windows inside, and windows that are not
x = np.arange(12).reshape(1, 3, 4)
check_close(crop(x, 1, 2, 2, 2), [[[6, 7], [10, 11]]], "the lower right window of 2×2", **TOLERANCE)
check_raises(ValueError, crop, x, 2, 0, 2, 2)
### BEGIN HIDDEN TESTS
x = np.random.default_rng(1111).random((2, 5, 7))
check_close(crop(x, 0, 0, 5, 7), x, "the whole picture", **TOLERANCE)
want = np.array([[[x[c, 2 + i, 1 + j] for j in range(4)] for i in range(3)] for c in range(2)])
check_close(crop(x, 2, 1, 3, 4), want, "a window of 3×4 at (2, 1)", **TOLERANCE)
for top, left, height, width in (
    (-1, 0, 2, 2),
    (0, -1, 2, 2),
    (3, 0, 3, 2),
    (0, 4, 2, 4),
    (0, 0, 6, 2),
):
    check_raises(ValueError, crop, x, top, left, height, width)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-shift", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Moved in all four directions
x = np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
check_close(shift(x, 1, -1), [[[0, 0, 0], [2, 3, 0]]], "the worked example", **TOLERANCE)
### BEGIN HIDDEN TESTS
moves = (
    (0, 0, 0.0),
    (2, 1, 0.0),
    (-1, 3, 0.5),
    (0, -2, 0.0),
    (-3, -5, 1.0),
    (4, 0, 0.3),
    (0, -9, 0.0),
)
moves += ((5, -1, 0.2), (-5, 1, 0.0), (30, 0, 0.1), (-30, -30, 0.0), (1, 30, 0.0))
for H, W in ((4, 6), (6, 2)):
    x = np.random.default_rng(1112).random((2, H, W))
    before = x.copy()
    for dy, dx, fill in moves:
        want = np.full((2, H, W), fill)
        for i, j in np.ndindex(H, W):
            if 0 <= i - dy < H and 0 <= j - dx < W:
                want[:, i, j] = before[:, i - dy, j - dx]
        name = f"{H}×{W} shifted by ({dy}, {dx}), fill {fill}"
        check_close(shift(x, dy, dx, fill), want, name, **TOLERANCE)
    check_unchanged(x, before, "x")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **The other side of the picture comes in**: `np.roll` wraps round. Write into a new array full
#   of `fill`.
# - **A shift of zero empties the picture**: `x[:-dy]` with `dy = 0` is empty. Compute both ends of
#   a slice.
# - **The wrong direction**: down means a larger row index. Pixel $(i, j)$ of the result is pixel
#   $(i - dy,\; j - dx)$ of `x`.
#
# </details>
#
# ## Reading between the pixels
#
# A rotation does not carry pixels onto pixels. The way out is to turn the question round. Do not
# ask where a pixel *goes*; ask, for each pixel of the result, **where in the source it comes
# from**, and read there, between the pixels if need be. **Bilinear** interpolation reads at
# $(r, c)$ from the four neighbours: with $i = \lfloor r \rfloor$, $j = \lfloor c \rfloor$,
# $a = r - i$, $b = c - j$,
#
# $$x(r, c) = (1-a)(1-b)\,x_{i,j} + (1-a)\,b\,x_{i,j+1} + a(1-b)\,x_{i+1,j} + a\,b\,x_{i+1,j+1} .$$

# %% tags=["illustration"]
figure, panel = plt.subplots(figsize=(4.6, 3.4))
corners = {(0, 0): "0.0", (0, 1): "0.4", (1, 0): "0.8", (1, 1): "1.0"}
for (row, col), value in corners.items():
    panel.plot(
        col, row, "s", markersize=34, color=str(0.25 + 0.7 * float(value)), markeredgecolor="black"
    )
    panel.annotate(
        f"x = {value}",
        (col, row),
        xytext=(0, 26 if row == 0 else -34),
        textcoords="offset points",
        ha="center",
    )
for col, row in ((0, 0), (1, 0), (0, 1), (1, 1)):
    panel.plot([0.75, col], [0.25, row], color="tab:red", linewidth=1, zorder=0)
panel.plot(0.75, 0.25, "o", color="tab:red", markersize=10)
panel.text(0.95, 0.42, "a = 0.25, b = 0.75", color="tab:red")
panel.set(
    xlim=(-0.4, 1.7), ylim=(1.4, -0.45), xticks=[0, 1], yticks=[0, 1], xlabel="column", ylabel="row"
)
panel.set_title("read at row 0.25, column 0.75", fontsize=10)
figure.tight_layout()

# %% [markdown]
# ## Exercise 6 · Bilinear sampling
#
# Write `sample(x, rows, cols, outside="zero")`. `x` is `(C, H, W)`; `rows` and `cols` are arrays of
# one common shape `S` with positions, where `(0, 0)` is the *centre* of the first pixel and
# `(H-1, W-1)` that of the last. Return `(C, *S)`. What happens beyond the border:
#
# - `outside="zero"`: the picture lies on an endless black ground, so a neighbour beyond the border
#   counts as 0;
# - `outside="edge"`: a position beyond is moved to the nearest position inside, row and column each
#   by itself.
#
# *Worked example.* In the drawing:
# $0.75 \cdot 0.25 \cdot 0 + 0.75 \cdot 0.75 \cdot 0.4 + 0.25 \cdot 0.25 \cdot 0.8 + 0.25 \cdot 0.75 \cdot 1 = 0.4625$.
# At row $1.5$, column $0$, half a pixel below the last row: $0.4$ on black ground, $0.8$ with
# `"edge"`.


# %% nbgrader={"grade": false, "grade_id": "sample", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sample(x, rows, cols, outside="zero"):
    """Read x (C, H, W) at positions rows, cols (both of shape S), bilinearly; returns (C, *S)."""
    ### BEGIN SOLUTION
    _, H, W = x.shape
    if outside == "edge":
        rows, cols = rows.clip(0, H - 1), cols.clip(0, W - 1)
    i, j = np.floor(rows).astype(int), np.floor(cols).astype(int)
    out = 0.0
    for row, weight_row in ((i, 1 - (rows - i)), (i + 1, rows - i)):
        for col, weight_col in ((j, 1 - (cols - j)), (j + 1, cols - j)):
            inside = (row >= 0) & (row < H) & (col >= 0) & (col < W)
            pixel = x[:, row.clip(0, H - 1), col.clip(0, W - 1)]  # (C, *S)
            out = out + pixel * (weight_row * weight_col * inside)
    return out
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-sample-inside", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Positions on pixels and between them
x = np.array([[[0.0, 0.4], [0.8, 1.0]]])
check_close(
    sample(x, np.array([0.25]), np.array([0.75])), [[0.4625]], "the worked example", **TOLERANCE
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1113)
x = rng.random((3, 4, 6))
grid = np.meshgrid(np.arange(4.0), np.arange(6.0), indexing="ij")
check_close(sample(x, *grid), x, "all pixels at their own positions", **TOLERANCE)
rows, cols = 3 * rng.random((5, 2)), 5 * rng.random((5, 2))
hat_rows = np.maximum(0, 1 - np.abs(rows[..., None] - np.arange(4)))
hat_cols = np.maximum(0, 1 - np.abs(cols[..., None] - np.arange(6)))
want = np.einsum("abi,abj,cij->cab", hat_rows, hat_cols, x)
before = x.copy()
check_close(sample(x, rows, cols), want, "positions between pixels", **TOLERANCE)
check_close(sample(x, rows, cols, outside="edge"), want, 'the same with "edge"', **TOLERANCE)
check_unchanged(x, before, "x")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-sample-outside", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Beyond the border
x = np.array([[[0.0, 0.4], [0.8, 1.0]]])
rows, cols = np.array([1.5, -3.0]), np.array([0.0, 0.5])
check_close(sample(x, rows, cols), [[0.4, 0.0]], "on black ground", **TOLERANCE)
check_close(sample(x, rows, cols, outside="edge"), [[0.8, 0.2]], 'with "edge"', **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1114)
x = 0.2 + rng.random((2, 3, 5))
rows, cols = rng.uniform(-3, 5, size=(40,)), rng.uniform(-3, 7, size=(40,))
for outside in ("zero", "edge"):
    r = rows if outside == "zero" else np.minimum(np.maximum(rows, 0), 2)
    c = cols if outside == "zero" else np.minimum(np.maximum(cols, 0), 4)
    hat_rows = np.maximum(0, 1 - np.abs(r[:, None] - np.arange(3)))
    hat_cols = np.maximum(0, 1 - np.abs(c[:, None] - np.arange(5)))
    want = np.einsum("si,sj,cij->cs", hat_rows, hat_cols, x)
    check_close(sample(x, rows, cols, outside=outside), want, f'outside="{outside}"', **TOLERANCE)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **IndexError at the last row or column**: there $i + 1$ does not exist, and its weight is 0.
#   Clip the *index* before you read, and multiply by 0 where the true index was outside.
# - **Pixels from the opposite side**: index −1 reads from the end. The same cure.
# - **Values half a pixel beyond are too bright on black ground**: clip the index for reading, not
#   the position; the weight of the missing neighbour has to be lost.
# - **Negative positions are off**: `int(-0.3)` is 0, but $\lfloor -0.3 \rfloor = -1$. Use
#   `np.floor`.
#
# </details>
#
# ## Exercise 7 · Resize
#
# To enlarge 3 pixels to 6, where does each new pixel read? Think of pixels as squares, not as
# points: 3 squares and 6 squares cover the same picture. The centre of new square $i$ lies at the
# fraction $(i + \frac12)/h$ of the height, which in source pixels is
#
# $$r_i = \left(i + \tfrac12\right)\frac{H}{h} - \tfrac12 , \qquad c_j = \left(j + \tfrac12\right)\frac{W}{w} - \tfrac12 .$$
#
# Write `resize(x, height, width)` with your `sample` and `outside="edge"`; returns
# `(C, height, width)`.
#
# *Worked example.* A row $(0, 1)$ resized to 4 columns reads at $c = -0.25, 0.25, 0.75, 1.25$ and
# gives $(0, 0.25, 0.75, 1)$. Resized to 1 column it reads at $0.5$: $0.5$.


# %% nbgrader={"grade": false, "grade_id": "resize", "locked": false, "schema_version": 3, "solution": true, "task": false}
def resize(x, height, width):
    """x (C, H, W) bilinearly resized to (C, height, width); pixels are squares."""
    ### BEGIN SOLUTION
    _, H, W = x.shape
    rows = (np.arange(height) + 0.5) * H / height - 0.5  # (height,)
    cols = (np.arange(width) + 0.5) * W / width - 0.5  # (width,)
    return sample(x, *np.meshgrid(rows, cols, indexing="ij"), outside="edge")
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-resize", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Larger, smaller, and other proportions
check_close(
    resize(np.array([[[0.0, 1.0]]]), 1, 4),
    [[[0, 0.25, 0.75, 1]]],
    "(0, 1) to 4 columns",
    **TOLERANCE,
)
check_shape(resize(np.ones((3, 4, 6)), 5, 2), (3, 5, 2), "resize(3×4×6, 5, 2)")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1115)


def hats(n, m):
    """Weights (m, n) of n old pixels in each of m new ones."""
    at = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0, n - 1)
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(n)))


for shape, height, width in (
    ((1, 4, 4), 8, 8),
    ((3, 5, 7), 8, 7),
    ((2, 6, 9), 3, 4),
    ((3, 4, 3), 4, 3),
    ((1, 2, 3), 7, 11),
):
    x = rng.random(shape)
    want = hats(shape[1], height) @ x @ hats(shape[2], width).T
    check_close(resize(x, height, width), want, f"{shape} to {height}×{width}", **TOLERANCE)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Everything is shifted a little**: the two halves in the formula.
#   `np.linspace(0, H - 1, height)` is another convention (it pins the corners); so is
#   `i * H / height`.
# - **Right for squares only**: rows use $H$ and `height`, columns $W$ and `width`.
# - **Dark borders**: use `outside="edge"`.
#
# </details>
#
# Bilinear reading looks at four pixels, however much you shrink. Below, a photograph of bricks at a
# quarter and at an eighth of its size: fine detail turns into false patterns, **aliasing**.
# Libraries therefore blur first (`antialias=True`); we stay with the plain formula and do not
# shrink by more than 2 where it matters.

# %% tags=["illustration"]
bricks = photo("brick")[None, :384, :384]  # (1, 384, 384)
small = [resize(bricks, 96, 96), bricks.reshape(1, 96, 4, 96, 4).mean(axis=(2, 4))]
tiny = [resize(bricks, 48, 48), bricks.reshape(1, 48, 8, 48, 8).mean(axis=(2, 4))]
halved = bricks.reshape(1, 192, 2, 192, 2).mean(axis=(2, 4))  # to show the original
contact_sheet(
    [halved, *small, *tiny],
    ["original", "96: bilinear", "96: blurred first", "48: bilinear", "48: blurred first"],
    width=192,
    columns=5,
)

# %% [markdown]
# ## Exercise 8 · Rotation, shear, stretch: one warp
#
# A linear map sends the point at offset $(r, c)$ from the *centre* of the picture (row, column) to
# the offset $A\,(r, c)^\top$. Write three functions that each return such a matrix, an array
# $(2, 2)$ that acts on (row, column):
#
# - `rotation(degrees)`: turns the picture **counterclockwise** as you see it. Rows grow downwards,
#   so a quarter turn takes what is on the right, offset $(0, 1)$, to the top, offset $(-1, 0)$;
# - `shear(factor)`: a point moves *right* by `factor` times its row offset, its row stays. With a
#   positive factor the lower half slides right, the upper half left;
# - `stretch(down, across)`: the picture becomes `down` times as high and `across` times as wide.
#
# Then write `warp(x, matrix)`: the picture after that map, same shape, black where nothing came
# from. For each output pixel $p$ read at $A^{-1}(p - m) + m$, where
# $m = (\frac{H-1}2, \frac{W-1}2)$ is the centre.
#
# *Worked example.* `rotation(90)` sends $(0, 1)$ to $(-1, 0)$ and $(1, 0)$ to $(0, 1)$: it is
# $\begin{bmatrix}0&-1\\1&0\end{bmatrix}$. On a square picture, `warp(x, rotation(90))` is
# `np.rot90(x, axes=(1, 2))`.


# %% nbgrader={"grade": false, "grade_id": "warp", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rotation(degrees):
    """Matrix (2, 2) on (row, column) offsets that turns a picture counterclockwise."""
    ### BEGIN SOLUTION
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    ### END SOLUTION


def shear(factor):
    """Matrix (2, 2): column offsets grow by factor times the row offset."""
    ### BEGIN SOLUTION
    return np.array([[1.0, 0.0], [factor, 1.0]])
    ### END SOLUTION


def stretch(down, across):
    """Matrix (2, 2): down times as high, across times as wide."""
    ### BEGIN SOLUTION
    return np.array([[down, 0.0], [0.0, across]])
    ### END SOLUTION


def warp(x, matrix):
    """x (C, H, W) after the map that sends offset v from the centre to matrix @ v; black ground."""
    ### BEGIN SOLUTION
    _, H, W = x.shape
    middle = np.array([(H - 1) / 2, (W - 1) / 2])
    offsets = (
        np.stack(np.meshgrid(np.arange(H), np.arange(W), indexing="ij"), axis=-1) - middle
    )  # (H, W, 2)
    rows, cols = np.moveaxis(offsets @ np.linalg.inv(matrix).T + middle, -1, 0)
    return sample(x, rows, cols)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-matrices", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The three matrices
check_close(rotation(90), [[0, -1], [1, 0]], "rotation(90)", **TOLERANCE)
check_close(
    shear(0.5) @ np.array([2.0, 1.0]), [2.0, 2.0], "shear(0.5) of the offset (2, 1)", **TOLERANCE
)
### BEGIN HIDDEN TESTS
half = 3**0.5 / 2
check_close(rotation(30), [[half, -0.5], [0.5, half]], "rotation(30)", **TOLERANCE)
check_close(rotation(-60), [[0.5, half], [-half, 0.5]], "rotation(-60)", **TOLERANCE)
check_close(shear(-0.3), [[1, 0], [-0.3, 1]], "shear(-0.3)", **TOLERANCE)
check_close(stretch(2.0, 0.5), [[2, 0], [0, 0.5]], "stretch(2, 0.5)", **TOLERANCE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-warp", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# A picture under a linear map
x = np.arange(9.0).reshape(1, 3, 3)
check_close(warp(x, np.eye(2)), x, "the map that moves nothing", **TOLERANCE)
quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
check_close(warp(x, quarter), np.rot90(x, axes=(1, 2)), "a quarter turn", atol=1e-4)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1116)
for shape, matrix in (
    ((2, 5, 8), [[1.0, 0.0], [0.5, 1.0]]),
    ((1, 6, 4), [[2.0, 0.0], [0.0, 0.5]]),
    ((3, 5, 5), [[0.8, -0.6], [0.6, 0.8]]),
    ((1, 7, 6), [[1.3, 0.4], [-0.2, 0.7]]),
):
    x, matrix = 0.2 + rng.random(shape), np.array(matrix)
    H, W = shape[1:]
    want = np.zeros(shape)
    (a, b), (c, d) = matrix
    for i, j in np.ndindex(H, W):
        v, u = i - (H - 1) / 2, j - (W - 1) / 2
        r = (d * v - b * u) / (a * d - b * c) + (H - 1) / 2
        s = (a * u - c * v) / (a * d - b * c) + (W - 1) / 2
        hat_r = np.maximum(0, 1 - np.abs(r - np.arange(H)))
        hat_s = np.maximum(0, 1 - np.abs(s - np.arange(W)))
        want[:, i, j] = np.einsum("i,j,cij->c", hat_r, hat_s, x)
    check_close(warp(x, matrix), want, f"{shape} under {matrix.tolist()}", rtol=1e-3, atol=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **A stretch shrinks, a turn goes the wrong way**: you read at $A(p - m) + m$. Where a pixel
#   comes *from* is the inverse.
# - **The picture swings round its corner**: subtract the centre before, add it after.
# - **Off by half a pixel**: the centre is $(H-1)/2$, not $H/2$: positions are those of pixel
#   centres.
# - **Right for squares only**: $H$ belongs to rows, $W$ to columns, in the centre as well.
# - **It turns clockwise**: rows grow downwards, which swaps the sign of the angle against the
#   textbook.
#
# </details>
#
# The same `sample` does anything you can write as "read from there". The last picture reads further
# out the further it is from the centre: a **lens distortion**, as a wide lens makes it.

# %% tags=["illustration"]
cat = photo("chelsea", step=3)  # (3, 100, 151)
rows, cols = np.mgrid[:100, :151].astype(float)
v, u = rows - 49.5, cols - 75.0  # offsets from the centre
pull = 0.85 + 0.5 * (v**2 + u**2) / 75.0**2  # below 1 in the middle, above 1 outside
lens = sample(cat, v * pull + 49.5, u * pull + 75.0)
contact_sheet(
    [
        warp(cat, rotation(20)),
        warp(cat, shear(0.4)),
        warp(cat, stretch(0.8, 1.25)),
        warp(cat, stretch(1.5, 1.5)),
        lens,
    ],
    ["rotation(20)", "shear(0.4)", "stretch(0.8, 1.25)", "stretch(1.5, 1.5)", "lens distortion"],
    columns=5,
    width=151,
)

# %% [markdown]
# ## Part 3 · Light, noise, colour, holes
#
# ## Exercise 9 · Contrast and brightness
#
# Let $m$ be the mean of *all* entries of the picture. Write
# `adjust(x, contrast=1.0, brightness=0.0)`:
#
# $$x' = \text{clip}\bigl(m + \text{contrast}\cdot(x - m) + \text{brightness},\; 0,\; 1\bigr).$$
#
# Contrast pulls the values apart around the mean, brightness moves them all. The clip keeps a
# picture a picture: there is nothing whiter than 1.
#
# *Worked example.* $(0.2, 0.6)$ has $m = 0.4$. With contrast 2: $(0, 0.8)$. With brightness 0.5 on
# top: $(0.5, 1)$, for 1.3 is clipped.


# %% nbgrader={"grade": false, "grade_id": "adjust", "locked": false, "schema_version": 3, "solution": true, "task": false}
def adjust(x, contrast=1.0, brightness=0.0):
    """clip(m + contrast * (x - m) + brightness, 0, 1) with m the mean of all entries of x."""
    ### BEGIN SOLUTION
    m = x.mean()
    return np.clip(m + contrast * (x - m) + brightness, 0.0, 1.0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-adjust", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Contrast around the mean, then brightness
x = np.array([[[0.2, 0.6]]])
check_close(adjust(x, 2.0), [[[0.0, 0.8]]], "contrast 2", **TOLERANCE)
check_close(adjust(x, 1.0, 0.1), [[[0.3, 0.7]]], "brightness 0.1", **TOLERANCE)
### BEGIN HIDDEN TESTS
x = 0.35 + 0.3 * np.random.default_rng(1117).random((3, 4, 5))
x[0] -= 0.1
m = np.sum(x) / x.size
before = x.copy()
check_close(adjust(x), before, "contrast 1, brightness 0", **TOLERANCE)
check_close(adjust(x, contrast=0.0), np.full(x.shape, m), "contrast 0", **TOLERANCE)
check_close(
    adjust(x, 1.4, -0.1), 1.4 * before - 0.4 * m - 0.1, "contrast 1.4, brightness -0.1", **TOLERANCE
)
check_unchanged(x, before, "x")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-adjust-clip", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Values stay between 0 and 1
x = np.array([[[0.2, 0.6]]])
check_close(adjust(x, 2.0, 0.5), [[[0.5, 1.0]]], "contrast 2 and brightness 0.5", **TOLERANCE)
### BEGIN HIDDEN TESTS
x = np.random.default_rng(1118).random((3, 4, 5))
m = x.mean()
for contrast, brightness in ((3.0, 0.0), (1.0, -0.4), (0.5, 0.6), (4.0, 0.8)):
    want = np.maximum(np.minimum(m + contrast * (x - m) + brightness, 1), 0)
    check_close(
        adjust(x, contrast, brightness),
        want,
        f"contrast {contrast}, brightness {brightness}",
        **TOLERANCE,
    )
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Right for contrast 1 only**: the contrast pulls around the mean $m$, not around 0 or ½.
# - **The colours change**: $m$ is one number for the whole picture, not one a channel.
# - **Values above 1**: clip at the end, and only there.
#
# </details>
#
# ## Exercise 10 · Noise
#
# A sensor in the dark adds to *each number* of the picture a random one of its own: each pixel,
# each channel.
#
# - `add_noise(x, noise)`: `x + noise`, clipped to $[0, 1]$; `noise` has the shape of `x`;
# - `sample_noise(rng, shape, sigma)`: an array of that shape, independent normal numbers with mean
#   0 and standard deviation `sigma`.
#
# A random function has no single right answer to compare with. Its tests call it many times with
# one seeded generator (the helper `draws`; `@in_submission` tells the grader to run it beside your
# function and means nothing to you) and look at ranges and frequencies, with bounds that a right
# sampler keeps for all but a few seeds in many millions.


# %% nbgrader={"grade": false, "grade_id": "noise", "locked": false, "schema_version": 3, "solution": true, "task": false}
def add_noise(x, noise):
    """x + noise, clipped to [0, 1]; both (C, H, W)."""
    ### BEGIN SOLUTION
    return np.clip(x + noise, 0.0, 1.0)
    ### END SOLUTION


def sample_noise(rng, shape, sigma):
    """Independent normal numbers, mean 0, standard deviation sigma, of the given shape."""
    ### BEGIN SOLUTION
    return rng.normal(0.0, sigma, size=shape)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-add-noise", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Noise added, and clipped
x = np.array([[[0.1, 0.5, 0.9]]])
noise = np.array([[[-0.3, 0.1, 0.3]]])
check_close(add_noise(x, noise), [[[0.0, 0.6, 1.0]]], "three pixels", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1119)
x, noise = rng.random((3, 4, 5)), 0.5 * rng.normal(size=(3, 4, 5))
want, before = np.maximum(np.minimum(x + noise, 1), 0), (x.copy(), noise.copy())
check_close(add_noise(x, noise), want, "a (3, 4, 5) picture", **TOLERANCE)
check_unchanged(x, before[0], "x")
check_unchanged(noise, before[1], "noise")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-sample-noise", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Size of the noise, and every number on its own


@in_submission
def draws(sampler, n, seed, *args, **options):
    """What n calls sampler(rng, *args, **options) return, as one array (n, ...)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return np.array([sampler(rng, *args, **options) for _ in range(n)])


noise = draws(sample_noise, 2, 5, (3, 20, 30), 0.2)
check_shape(noise, (2, 3, 20, 30), "two draws of (3, 20, 30)")
assert 0.17 < noise.std() < 0.23, f"sigma 0.2 was asked for; your noise has {noise.std():.3f}"
### BEGIN HIDDEN TESTS
noise = np.asarray(draws(sample_noise, 2, 6, (3, 30, 40), 0.05))
assert abs(noise.mean()) < 0.005, "the noise should have mean 0"
assert 0.046 < noise.std() < 0.054, f"sigma 0.05 was asked for; the noise has {noise.std():.3f}"
assert np.abs(noise).max() > 0.125, "normal noise has a few values beyond 2.5 sigma"
flat = noise.reshape(6, -1)
between = np.corrcoef(flat)[~np.eye(6, dtype=bool)]
assert np.abs(between).max() < 0.17, "channels and draws should have noise of their own"
for axis, name in ((2, "rows"), (3, "columns")):
    near = np.moveaxis(noise, axis, 0)
    link = np.corrcoef(near[:-1].ravel(), near[1:].ravel())[0, 1]
    assert abs(link) < 0.08, f"neighbouring {name} should have noise of their own"
again = np.asarray(draws(sample_noise, 2, 6, (3, 30, 40), 0.05))
check_close(again, noise, "the same seed again", **TOLERANCE)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Gray noise only**: one draw per pixel, spread over the channels by broadcasting. Ask for the
#   full shape.
# - **The same seed gives other numbers**: draw from `rng`, not from `np.random`.
# - **Too strong or too weak by a square**: `rng.normal` takes the standard deviation, not the
#   variance.
#
# </details>
#
# ## AlexNet's colour: along the axes on which colours vary
#
# Adding random numbers to red, green and blue separately makes green faces. In photographs the
# three mostly move *together*: the light gets stronger, or warmer. AlexNet asks the training set in
# which directions colours vary, and by how much: PCA on all RGB pixels, a $3 \times 3$ covariance.
# Each time a picture is used, *one* offset is added to *all* its pixels,
#
# $$\text{offset} = \begin{bmatrix}p_1 & p_2 & p_3\end{bmatrix}
# \begin{bmatrix}\alpha_1\lambda_1 & \alpha_2\lambda_2 & \alpha_3\lambda_3\end{bmatrix}^\top,
# \qquad \alpha_j \sim \mathcal N(0,\; 0.1^2),$$
#
# with the eigenvectors $p_j$ and eigenvalues $\lambda_j$ of the covariance.
#
# ## Exercise 11 · PCA colour
#
# - `colour_pca(images)`: `images` `(N, 3, H, W)`; returns `(values (3,), axes (3, 3))`, eigenvalues
#   largest first and eigenvectors as columns, of the covariance of the $N \cdot H \cdot W$ pixels
#   about their mean;
# - `pca_colour(x, values, axes, alpha)`: the picture `(3, H, W)` plus the offset for `alpha`
#   `(3,)`, clipped to $[0, 1]$.
#
# *Worked example.* With $\lambda = (0.5, 0.2, 0.1)$, axes the unit matrix,
# $\alpha = (0.2, -0.5, 0)$: every pixel gains $(0.1, -0.1, 0)$.


# %% nbgrader={"grade": false, "grade_id": "pca-colour", "locked": false, "schema_version": 3, "solution": true, "task": false}
def colour_pca(images):
    """Eigenvalues (3,), largest first, and eigenvectors (3, 3) as columns, of the RGB covariance."""
    ### BEGIN SOLUTION
    pixels = images.transpose(0, 2, 3, 1).reshape(-1, 3)  # (N*H*W, 3)
    _, values, axes = fit_pca(pixels)
    return values, axes
    ### END SOLUTION


def pca_colour(x, values, axes, alpha):
    """x (3, H, W) plus one RGB offset, axes @ (alpha * values), clipped to [0, 1]."""
    ### BEGIN SOLUTION
    offset = axes @ (alpha * values)  # (3,)
    return np.clip(x + offset[:, None, None], 0.0, 1.0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-colour-pca", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The colour axes of a set of pictures
images = np.zeros((2, 3, 2, 1))
images[:, 0, :, 0] = [[0.2, 0.8], [0.4, 0.6]]  # only red varies
values, axes = colour_pca(images)
check_close(values, [0.05, 0, 0], "eigenvalues when only red varies", **TOLERANCE)
check_close(np.abs(np.asarray(axes)[:, 0]), [1, 0, 0], "the first axis, sign aside", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1120)
mix = np.array([[0.30, 0.10, 0.02], [0.28, -0.02, -0.05], [0.25, -0.10, 0.04]])
images = 0.5 + np.einsum("cd,ndij->ncij", mix, rng.normal(size=(4, 3, 5, 7)) / 3)
pixels = np.stack([images[:, c].ravel() for c in range(3)])
values_wanted, axes_wanted = np.linalg.eigh(np.cov(pixels, bias=True))
before = images.copy()
values, axes = colour_pca(images)
check_shape(values, (3,), "the eigenvalues")
check_close(values, values_wanted[::-1], "the eigenvalues of 140 pixels", rtol=1e-3, atol=1e-6)
overlap = np.abs(np.sum(np.asarray(axes) * axes_wanted[:, ::-1], axis=0))
check_close(overlap, np.ones(3), "|your axis · the axis|", rtol=1e-3)
check_unchanged(images, before, "images")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-pca-colour", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# One offset for all pixels, along the axes, times the eigenvalues
x = np.full((3, 1, 2), 0.5)
got = pca_colour(x, np.array([0.5, 0.2, 0.1]), np.eye(3), np.array([0.2, -0.5, 0.0]))
check_close(got, [[[0.6, 0.6]], [[0.4, 0.4]], [[0.5, 0.5]]], "the worked example", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1121)
axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
values, x = np.array([0.4, 0.15, 0.05]), 0.4 + 0.2 * rng.random((3, 4, 6))
for alpha in (np.array([0.3, -0.4, 0.5]), np.array([-0.2, 0.3, 0.9])):
    offset = [sum(axes[c, j] * alpha[j] * values[j] for j in range(3)) for c in range(3)]
    before = x.copy()
    got = pca_colour(x, values, axes, alpha)
    check_close(got, before + np.reshape(offset, (3, 1, 1)), f"alpha {alpha}", **TOLERANCE)
    check_unchanged(x, before, "x")
got = pca_colour(x, np.array([1.0, 0, 0]), np.eye(3), np.array([0.55, 0, 0]))
check_close(got[0], np.minimum(x[0] + 0.55, 1), "a large offset, clipped", **TOLERANCE)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Three colours come out as `3*H*W` numbers**: the data matrix has one *pixel* a row and three
#   columns.
# - **Colours and positions mixed up**: `reshape(-1, 3)` alone cuts the memory into threes. Move the
#   channel axis to the end first.
# - **Offsets much too large**: the eigenvalue is missing: $\alpha_j\lambda_j$, not $\alpha_j$.
# - **Right for some axes only**: the $p_j$ are *columns*: `axes @ …`, not `axes.T @ …`.
#
# </details>

# %% tags=["illustration"]
picture = photo("coffee", step=3)  # (3, 134, 200)
values, colour_axes = colour_pca(picture[None])
colour_axes = colour_axes * np.sign(colour_axes.sum(axis=0))  # point towards brighter
print("eigenvalues", values.round(4))
print("axes as columns (rows: red, green, blue)\n", colour_axes.round(2))
along = [np.eye(3)[j] * s * 0.12 / values[j] for j in range(3) for s in (-1, 1)]
contact_sheet(
    [pca_colour(picture, values, colour_axes, alpha) for alpha in along],
    [f"{'-' if s < 0 else '+'} axis {j + 1}" for j in range(3) for s in (-1, 1)],
    columns=6,
    width=200,
)

# %% [markdown]
# Each pair moves by 0.12 along one axis, all three by the same length so that you see what they do.
# Axis 1 is brightness, nearly the same in all three channels; axis 2 is warm against cold.
# AlexNet's offsets are much smaller on axes 2 and 3, because $\lambda_2$ and $\lambda_3$ are: the
# colour changes most where colours vary most.
#
# ## Question 4 · In which units?
#
# Take $\lambda_1 = 0.1$ for pixels in $[0, 1]$, and $\alpha_1 = 0.1$, one standard deviation.
#
# 1. By how many gray levels of a 0-to-255 screen does the offset move a pixel along axis 1?
# 2. Somebody does the same PCA on pixels from 0 to 255, with the same formula and the same
#    $\alpha_1$. By how many gray levels does the offset move a pixel along axis 1 now?

# %% nbgrader={"grade": false, "grade_id": "q-levels", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_levels_unit, q_levels_255: two numbers of gray levels, to within 2%
### BEGIN SOLUTION
q_levels_unit = 2.55  # 0.1 * 0.1 * 255
q_levels_255 = 650.25  # 0.1 * 0.1 * 255**2
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-levels", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The offset on two pixel scales
for answer in (q_levels_unit, q_levels_255):
    assert np.isscalar(answer), "two numbers, please"
### BEGIN HIDDEN TESTS
check_number(q_levels_unit, 2.55, "q_levels_unit", rtol=0.02)
check_number(q_levels_255, 650.25, "q_levels_255", rtol=0.02)
### END HIDDEN TESTS

# %% tags=["illustration"]
picture = photo("coffee", step=3)  # (3, 134, 200)
_, colour_axes = colour_pca(picture[None])
colour_axes = colour_axes * np.sign(colour_axes.sum(axis=0))  # point towards brighter
shown, names = [picture], ["original"]
for top in (1, 255):  # the largest value that a pixel can have
    offset = 0.1 * (0.1 * top**2) / top  # alpha * lambda, as a fraction of the pixels' range
    shown.append(pca_colour(picture, np.array([offset, 0, 0]), colour_axes, np.ones(3)))
    names.append(f"pixels 0 to {top}: {255 * offset:.2f} levels")
contact_sheet(shown, names, columns=3, width=200)

# %% [markdown]
# A variance has the unit of a pixel *squared*, so the formula, taken literally, means something
# else on each pixel scale: a faint tint on one, a white sheet on the other.
# ($\alpha_j \sqrt{\lambda_j}$ would not depend on the scale.) Code that uses the formula has to say
# which pixels it is for; fb.resnet.torch, for one, uses $\lambda = (0.2175, 0.0188, 0.0045)$ on
# pixels in $[0, 1]$.
#
# ## Exercise 12 · Cutout
#
# **Cutout** (DeVries and Taylor 2017) hides a square of the training picture, so that the network
# cannot rely on one detail alone. At test time the whole picture is used. The centre may lie
# *anywhere* in the picture, even in a corner: then most of the square lies outside and is cut off.
#
# Write `cutout(x, row, col, size, fill=0.0)`: a copy of `x` in which rows `row - size//2` to
# `row - size//2 + size - 1`, and likewise the columns, are set to `fill` in all channels, as far as
# they exist.
#
# *Worked example.* `size=2` at `(0, 0)` of a $3 \times 3$ picture covers rows and columns −1 and 0,
# so only pixel $(0, 0)$ changes.


# %% nbgrader={"grade": false, "grade_id": "cutout", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cutout(x, row, col, size, fill=0.0):
    """A copy of x (C, H, W) with a size×size square around (row, col) set to fill, cut off at the border."""
    ### BEGIN SOLUTION
    out = x.copy()
    top, left = row - size // 2, col - size // 2
    out[:, max(top, 0) : top + size, max(left, 0) : left + size] = fill
    return out
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-cutout", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# A hole inside the picture
x = np.ones((1, 4, 4))
want = [[[1, 1, 1, 1], [1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1]]]
check_close(cutout(x, 2, 2, 2), want, "size 2 at (2, 2)", **TOLERANCE)
### BEGIN HIDDEN TESTS
x = np.random.default_rng(1122).random((3, 7, 9))
for row, col, size, fill in ((3, 4, 3, 0.0), (2, 6, 4, 0.5), (4, 3, 1, 1.0)):
    want = x.copy()
    for i in range(row - size // 2, row - size // 2 + size):
        for j in range(col - size // 2, col - size // 2 + size):
            want[:, i, j] = fill
    before = x.copy()
    check_close(
        cutout(x, row, col, size, fill), want, f"size {size} at ({row}, {col})", **TOLERANCE
    )
    check_unchanged(x, before, "x")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-cutout-border", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# A hole that is cut off at the border
x = np.ones((1, 3, 3))
check_close(
    cutout(x, 0, 0, 2), [[[0, 1, 1], [1, 1, 1], [1, 1, 1]]], "size 2 at (0, 0)", **TOLERANCE
)
### BEGIN HIDDEN TESTS
x = np.random.default_rng(1123).random((2, 5, 6))
for row, col, size in (
    (0, 0, 3),
    (4, 5, 4),
    (0, 3, 4),
    (2, 0, 5),
    (2, 3, 20),
    (4, 0, 3),
    (1, 5, 6),
):
    want = x.copy()
    for i, j in np.ndindex(5, 6):
        if 0 <= i - (row - size // 2) < size and 0 <= j - (col - size // 2) < size:
            want[:, i, j] = 0
    check_close(
        cutout(x, row, col, size), want, f"size {size} at ({row}, {col}) of 5×6", **TOLERANCE
    )
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **No hole near the upper or left border**: a slice that starts at −1 starts at the last pixel.
#   Clip the start at 0, and only then cut.
# - **The hole is too large at the border**: compute the end from the true start, before you clip
#   the start.
# - **"x was changed"**: copy first.
#
# </details>
#
# ## Part 4 · The dice
#
# Now the samplers. Each takes the generator `rng` first, draws from it and from nothing else, and
# returns plain parameters. None of them sees a picture. `rng.random()` is uniform on $[0, 1)$;
# `rng.integers(low, high)` draws `low` to `high - 1`, **without** `high`, unless you say
# `endpoint=True`; `rng.uniform(a, b)`; `rng.normal(mean, sigma, size)`.
#
# ## Exercise 13 · Flip, crop, centre
#
# - `sample_flip(rng, p=0.5)`: `True` with probability `p`, else `False`;
# - `sample_crop(rng, H, W, height, width)`: `(top, left)` of a window in a picture $H \times W$;
#   every window that fits is equally likely, the first and the last included;
# - `sample_centre(rng, H, W)`: `(row, col)` of a cutout; every pixel is equally likely.
#
# *Worked example.* A window of 2 rows in 5 can start at row 0, 1, 2 or 3: four choices, not three.


# %% nbgrader={"grade": false, "grade_id": "samplers", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sample_flip(rng, p=0.5):
    """True with probability p."""
    ### BEGIN SOLUTION
    return rng.random() < p
    ### END SOLUTION


def sample_crop(rng, H, W, height, width):
    """(top, left) of a height×width window in H×W, every one equally likely."""
    ### BEGIN SOLUTION
    top = rng.integers(0, H - height, endpoint=True)
    left = rng.integers(0, W - width, endpoint=True)
    return top, left
    ### END SOLUTION


def sample_centre(rng, H, W):
    """(row, col) of any pixel of H×W, every one equally likely."""
    ### BEGIN SOLUTION
    return rng.integers(H), rng.integers(W)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-sample-flip", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# How often a flip happens


@in_submission
def draws(sampler, n, seed, *args, **options):
    """What n calls sampler(rng, *args, **options) return, as one array (n, ...)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return np.array([sampler(rng, *args, **options) for _ in range(n)])


flips = draws(sample_flip, 1000, 7)
assert 0 < flips.mean() < 1, "in 1000 draws with p = 0.5 both outcomes should occur"
### BEGIN HIDDEN TESTS
for p in (0.5, 0.2, 0.9):
    often = np.asarray(draws(sample_flip, 3000, 8, p)).astype(float)
    assert set(np.unique(often)) <= {0.0, 1.0}, "a flip is True or False"
    assert abs(often.mean() - p) < 0.055, f"p = {p}, but {often.mean():.3f} of 3000 draws are True"
often = np.asarray(draws(sample_flip, 3000, 9)).astype(float)
assert abs(often.mean() - 0.5) < 0.055, f"p left out, but {often.mean():.3f} of 3000 draws are True"
longest = np.diff(np.flatnonzero(np.diff(np.r_[-1, often, -1]))).max()
assert longest < 60, "the draws should not depend on each other"
check_close(draws(sample_flip, 50, 9), often[:50], "the same seed again", **TOLERANCE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-sample-crop-range", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Every window that fits, and none that does not


@in_submission
def draws(sampler, n, seed, *args, **options):
    """What n calls sampler(rng, *args, **options) return, as one array (n, ...)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return np.array([sampler(rng, *args, **options) for _ in range(n)])


starts = draws(sample_crop, 500, 10, 9, 7, 5, 4)  # (500, 2)
check_shape(starts, (500, 2), "500 draws of (top, left)")
check_dtype(starts, np.integer, "top and left")
assert starts.min() >= 0, "a window starts at 0 or later"
### BEGIN HIDDEN TESTS
starts = np.asarray(draws(sample_crop, 2000, 11, 9, 7, 5, 4))
check_dtype(starts, np.integer, "top and left")
for column, last, name in ((0, 4, "top"), (1, 3, "left")):
    assert starts[:, column].min() >= 0, f"{name} should not be negative"
    assert starts[:, column].max() <= last, f"a window leaves the picture: {name} too large"
    assert starts[:, column].min() == 0, f"in 2000 draws {name} is never 0"
    assert starts[:, column].max() == last, (
        f"in 2000 draws {name} never reaches the last place that fits"
    )
check_close(
    draws(sample_crop, 3, 12, 5, 8, 5, 8),
    np.zeros((3, 2)),
    "a window as large as the picture",
    **TOLERANCE,
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-sample-crop-uniform", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# All windows equally often


@in_submission
def draws(sampler, n, seed, *args, **options):
    """What n calls sampler(rng, *args, **options) return, as one array (n, ...)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return np.array([sampler(rng, *args, **options) for _ in range(n)])


starts = draws(sample_crop, 500, 13, 5, 5, 3, 3)
assert len(np.unique(starts, axis=0)) > 3, "9 windows of 3×3 fit into 5×5; you find few of them"
### BEGIN HIDDEN TESTS
starts = np.asarray(draws(sample_crop, 4000, 14, 9, 7, 5, 4))
counts = np.zeros((5, 4))
np.add.at(counts, tuple(starts.astype(int).clip(0, [4, 3]).T), 1)
assert counts.min() > 110, (
    "some windows come up too rarely (200 times each is expected, over 4000 draws)"
)
assert counts.max() < 290, (
    "some windows come up too often (200 times each is expected, over 4000 draws)"
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-sample-centre", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# A cutout's centre can be any pixel


@in_submission
def draws(sampler, n, seed, *args, **options):
    """What n calls sampler(rng, *args, **options) return, as one array (n, ...)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return np.array([sampler(rng, *args, **options) for _ in range(n)])


centres = draws(sample_centre, 300, 15, 6, 5)
check_shape(centres, (300, 2), "300 draws of (row, col)")
### BEGIN HIDDEN TESTS
centres = np.asarray(draws(sample_centre, 4500, 16, 6, 5))
check_dtype(centres, np.integer, "row and col")
assert centres.min() >= 0 and (centres.max(axis=0) <= [5, 4]).all(), (
    "a centre lies outside the picture"
)
counts = np.zeros((6, 5))
np.add.at(counts, tuple(centres.T), 1)
assert counts.min() > 75, "some pixels, perhaps at the border, are centre too rarely"
assert counts.max() < 225, "some pixels are centre too often"
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **The last window never comes up**: `integers` leaves its upper end out, and there are
#   $H - \text{height} + 1$ places.
# - **"low >= high"**: a window as large as the picture has one place, not none.
# - **Only windows on the diagonal**: top and left need a draw each.
# - **A flip every time**: compare a draw with `p`; a `p` by itself counts as true.
#
# </details>
#
# ## Question 5 · 2048
#
# AlexNet takes 224×224 windows of 256×256 pictures, and their mirror images. The paper says that
# this makes the training set larger by a factor of 2048. How many different window-and-mirror
# choices are there really?

# %% nbgrader={"grade": false, "grade_id": "q-2048", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_choices: an integer
### BEGIN SOLUTION
q_choices = 33 * 33 * 2
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-2048", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Windows and mirror images
assert np.isscalar(q_choices), "q_choices should be a number"
### BEGIN HIDDEN TESTS
check_number(q_choices, 2178, "q_choices")
### END HIDDEN TESTS

# %%
print("starts of a window along one side:", len(range(256 - 224 + 1)))
print("windows and mirror images:", sum(2 for top in range(33) for left in range(33)))

# %% [markdown]
# $2048 = 32 \cdot 32 \cdot 2$: the same off-by-one as in the first line of the help, in a famous
# place. (The paper adds at once that these pictures are "highly interdependent": two thousand
# windows of one cat are still one cat.)
#
# ## Exercise 14 · Light and colour
#
# - `sample_jitter(rng, contrast=0.4, brightness=0.2)`: a pair, the first uniform on
#   $[1 - \text{contrast}, 1 + \text{contrast}]$, the second uniform on
#   $[-\text{brightness}, \text{brightness}]$, independent of each other;
# - `sample_alpha(rng, sigma=0.1)`: the three $\alpha_j$ of PCA colour, independent normal numbers,
#   shape `(3,)`.


# %% nbgrader={"grade": false, "grade_id": "sample-light", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sample_jitter(rng, contrast=0.4, brightness=0.2):
    """(contrast factor, brightness offset), uniform and independent."""
    ### BEGIN SOLUTION
    return rng.uniform(1 - contrast, 1 + contrast), rng.uniform(-brightness, brightness)
    ### END SOLUTION


def sample_alpha(rng, sigma=0.1):
    """Three independent normal numbers, standard deviation sigma, shape (3,)."""
    ### BEGIN SOLUTION
    return rng.normal(0.0, sigma, size=3)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-sample-jitter", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Contrast and brightness by range and frequency


@in_submission
def draws(sampler, n, seed, *args, **options):
    """What n calls sampler(rng, *args, **options) return, as one array (n, ...)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return np.array([sampler(rng, *args, **options) for _ in range(n)])


pairs = draws(sample_jitter, 200, 17)
check_shape(pairs, (200, 2), "200 draws of (contrast, brightness)")
### BEGIN HIDDEN TESTS
for options, contrast, brightness in (
    ({}, 0.4, 0.2),
    ({"contrast": 0.8, "brightness": 0.1}, 0.8, 0.1),
):
    pairs = np.asarray(draws(sample_jitter, 3000, 18, **options))
    unit = np.stack(
        [(pairs[:, 0] - 1) / contrast, pairs[:, 1] / brightness]
    )  # (2, 3000), on [-1, 1]
    for line, name in zip(unit, ("contrast", "brightness")):
        assert np.abs(line).max() <= 1 + 1e-9, f"{name} leaves its range"
        assert line.min() < -0.97 and line.max() > 0.97, f"{name} does not use its whole range"
        quarters = np.histogram(line, bins=4, range=(-1, 1))[0]
        assert quarters.min() > 600 and quarters.max() < 900, f"{name} is not uniform on its range"
    assert abs(np.corrcoef(unit)[0, 1]) < 0.11, "contrast and brightness should be independent"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-sample-alpha", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Three normal numbers


@in_submission
def draws(sampler, n, seed, *args, **options):
    """What n calls sampler(rng, *args, **options) return, as one array (n, ...)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return np.array([sampler(rng, *args, **options) for _ in range(n)])


alphas = draws(sample_alpha, 200, 19)
check_shape(alphas, (200, 3), "200 draws of alpha")
### BEGIN HIDDEN TESTS
for options, sigma in (({}, 0.1), ({"sigma": 0.7}, 0.7)):
    alphas = np.asarray(draws(sample_alpha, 2500, 20, **options)) / sigma
    assert np.abs(alphas.mean(axis=0)).max() < 0.11, "alpha should have mean 0"
    spread = alphas.std(axis=0)
    assert spread.min() > 0.91 and spread.max() < 1.09, f"sigma {sigma}: the spread is off"
    assert np.abs(alphas).max() > 2.7, "normal numbers go beyond 2.7 sigma now and then"
    assert np.abs(np.corrcoef(alphas.T)[~np.eye(3, dtype=bool)]).max() < 0.13, (
        "the three are independent"
    )
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Negative pictures**: the contrast factor lies around 1, not around 0.
# - **All three α are equal**: ask for three draws.
#
# </details>
#
# ## Exercise 15 · A batch in the style of CIFAR
#
# For CIFAR-10's 32×32 pictures the ResNet paper pads 4 black pixels on each side, takes a random
# 32×32 window, and mirrors half of the pictures. That is a random shift by up to 4 pixels with a
# flip. Write `augment_batch(images, rng, pad=4)`: `images` `(N, C, H, W)`; a new batch of the same
# shape, in which **each picture has a window and a flip of its own**. All $(2\,\text{pad} + 1)^2$
# windows are equally likely, and a flip has probability ½.


# %% nbgrader={"grade": false, "grade_id": "augment-batch", "locked": false, "schema_version": 3, "solution": true, "task": false}
def augment_batch(images, rng, pad=4):
    """Pad by zeros, random window, random mirror, each picture its own; (N, C, H, W) to the same shape."""
    ### BEGIN SOLUTION
    N, C, H, W = images.shape
    wide = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.empty_like(images)
    for n in range(N):
        top, left = sample_crop(rng, H + 2 * pad, W + 2 * pad, H, W)
        out[n] = flip(crop(wide[n], top, left, H, W), horizontal=sample_flip(rng))
    return out
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-augment-batch-windows", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Every picture is a window of its padded self, mirrored or not


@in_submission
def rounds(augment_batch, images, pad, n, seed):
    """What n calls make of a batch, (n, N, C, H, W), and the batch after them."""
    import numpy as np

    rng = np.random.default_rng(seed)
    made = np.array([augment_batch(images, rng, pad=pad) for _ in range(n)])
    return made, images


images = np.arange(1.0, 25.0).reshape(2, 1, 3, 4)
made, after = rounds(augment_batch, images.copy(), 1, 3, 21)
check_shape(made, (3, 2, 1, 3, 4), "three rounds with a batch (2, 1, 3, 4)")
check_unchanged(after, images, "images")


### BEGIN HIDDEN TESTS
@in_submission
def middles(augment_batch, x, n, seed):
    """The middle pixel of x (1, 1, 9, 9) after each of n calls that leave pad out."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return np.array([augment_batch(x, rng)[0, 0, 4, 4] for _ in range(n)])


images = np.arange(1.0, 3 * 2 * 5 * 4 + 1).reshape(3, 2, 5, 4)
made, after = rounds(augment_batch, images.copy(), 2, 60, 22)
check_shape(made, (60, 3, 2, 5, 4), "60 rounds with a batch (3, 2, 5, 4)")
check_unchanged(after, images, "images")
made = np.asarray(made, dtype=float)
for n in range(3):
    wide = np.pad(images[n], ((0, 0), (2, 2), (2, 2)))
    windows = np.stack([wide[:, i : i + 5, j : j + 4] for i in range(5) for j in range(5)])
    windows = np.concatenate([windows, windows[..., ::-1]])  # (50, 2, 5, 4)
    found = (made[:, n, None] == windows).all(axis=(2, 3, 4)).any(axis=1)
    assert found.all(), "a result is no window of the padded picture, mirrored or not"
x = np.arange(1.0, 82.0).reshape(1, 1, 9, 9)  # its middle pixel shows the shift, up to 4 each way
middle = np.asarray(middles(augment_batch, x, 300, 30))
assert middle.min() >= 1, "pad left out: a window moved by more than 4 pixels"
rows, cols = np.divmod(middle - 1, 9)
for places, name in ((rows, "up or down"), (cols, "left or right")):
    assert places.min() == 0 and places.max() == 8, (
        f"pad left out: never 4 pixels {name} in 300 draws"
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-augment-batch-chance", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Windows and flips by frequency, and each picture on its own


@in_submission
def rounds(augment_batch, images, pad, n, seed):
    """What n calls make of a batch, (n, N, C, H, W)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return np.array([augment_batch(images, rng, pad=pad) for _ in range(n)])


images = np.arange(1.0, 25.0).reshape(2, 1, 3, 4)
made = np.asarray(rounds(augment_batch, images, 1, 40, 23))
assert len(np.unique(made[:, 0].reshape(40, -1), axis=0)) > 4, (
    "40 rounds give (nearly) the same picture"
)
### BEGIN HIDDEN TESTS
images = np.arange(1.0, 3 * 12 + 1).reshape(3, 1, 4, 3)
made = np.asarray(rounds(augment_batch, images, 1, 1200, 24), dtype=float)
which = []
for n in range(3):
    wide = np.pad(images[n], ((0, 0), (1, 1), (1, 1)))
    windows = np.stack([wide[:, i : i + 4, j : j + 3] for i in range(3) for j in range(3)])
    windows = np.concatenate([windows, windows[..., ::-1]])  # (18, 1, 4, 3)
    which.append((made[:, n, None] == windows).all(axis=(2, 3, 4)).argmax(axis=1))
which = np.array(which)  # (3, 1200): window 0..8, mirrored 9..17
counts = np.bincount(which.ravel(), minlength=18)
assert counts[:9].min() > 110 and counts[9:].min() > 110, (
    "some windows or mirror images are too rare"
)
assert counts.max() < 290, "some windows or mirror images are too frequent"
same_window = (which[0] % 9 == which[1] % 9).mean()
assert same_window < 0.18, "the pictures of a batch should have windows of their own"
same_flip = (which[1] // 9 == which[2] // 9).mean()
assert abs(same_flip - 0.5) < 0.09, "the pictures of a batch should have flips of their own"
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **All pictures move alike**: the draws belong inside the loop over the pictures.
# - **"images was changed"**: the next epoch would augment augmented pictures. Fill a new array.
# - **Some windows never come up**: pad all four sides; the padded picture is `2 * pad` higher and
#   wider.
#
# </details>
#
# ## Exercise 16 · Many workers, many epochs
#
# Batches are usually prepared by several worker processes. A classic bug gives all of them the same
# seed, or the same one in each epoch: then every worker crops alike, every epoch repeats the last,
# and the "endless" stream of pictures is a small loop. (Out of the public PyTorch projects that
# drew from NumPy in their workers, a survey found it in over 95%; see the references.)
#
# Write `worker_rng(seed, epoch, worker)`: a new `numpy.random.Generator`. The three are integers from
# 0 to $2^{32} - 1$. The same three give the same stream, **any** other triple gives another one.


# %% nbgrader={"grade": false, "grade_id": "worker-rng", "locked": false, "schema_version": 3, "solution": true, "task": false}
def worker_rng(seed, epoch, worker):
    """A Generator whose stream is fixed by (seed, epoch, worker) and different for each triple."""
    ### BEGIN SOLUTION
    return np.random.default_rng([seed, epoch, worker])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-worker-rng-distinct", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# A stream of its own for each epoch and worker


@in_submission
def streams(worker_rng, triples):
    """The first four numbers of each triple's generator, (n, 4)."""
    import numpy as np

    return np.array([worker_rng(*triple).random(4) for triple in triples])


got = streams(worker_rng, [[0, 0, 0], [0, 0, 1], [0, 1, 0]])
check_shape(got, (3, 4), "four numbers of three streams")
assert len(np.unique(got.round(12), axis=0)) == 3, "two of three streams are the same"
### BEGIN HIDDEN TESTS
triples = [[s, e, w] for s in range(3) for e in range(4) for w in range(4)]
triples += [
    [0, 0, 10],
    [0, 10, 0],
    [10, 0, 0],
    [0, 0, 100],
    [0, 100, 0],
    [0, 0, 1000],
    [1000, 0, 0],
    [0, 1000, 0],
]
got = np.asarray(streams(worker_rng, triples))
distinct = len(np.unique(got.round(12), axis=0))
assert distinct == len(triples), f"{len(triples)} triples give only {distinct} different streams"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-worker-rng-again", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The same triple, the same stream


@in_submission
def streams(worker_rng, triples):
    """The first four numbers of each triple's generator, (n, 4)."""
    import numpy as np

    return np.array([worker_rng(*triple).random(4) for triple in triples])


first = np.asarray(streams(worker_rng, [[0, 0, 1], [3, 2, 1]]))
check_close(streams(worker_rng, [[0, 0, 1], [3, 2, 1]]), first, "the same streams again")
### BEGIN HIDDEN TESTS
triples = [[5, 1, 2], [5, 2, 1], [7, 0, 0]]
first = np.asarray(streams(worker_rng, triples))
check_close(streams(worker_rng, triples), first, "three streams again")
check_close(
    streams(worker_rng, triples[::-1]), first[::-1], "three streams, asked in another order"
)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Epoch 1 of worker 0 equals epoch 0 of worker 1**: you added the numbers. `default_rng` also
#   takes a *list* of integers and mixes it well.
# - **Other numbers each time**: `default_rng()` without an argument asks the operating system.
#
# </details>
#
# ## Exercise 17 · The order of things
#
# Write `prepare(images, stats, transform=None, rng=None, train=False)`: the batch as the network
# gets it. When `train` is true and a `transform` is given, each picture `(C, H, W)`, as floats in
# $[0, 1]$, becomes `transform(x, rng)`; then the batch is normalised with `stats`. When `train` is
# false no picture is transformed: **validation and test pictures are only normalised**. `images`
# may be `uint8`; the transform may change the size of the pictures, all to the same one.
#
# Why this order? A transform that clips to $[0, 1]$, or fills with black, means *pixels*. After
# normalisation 0 is the mean colour and a clip would cut half of all values off.


# %% nbgrader={"grade": false, "grade_id": "prepare", "locked": false, "schema_version": 3, "solution": true, "task": false}
def prepare(images, stats, transform=None, rng=None, train=False):
    """Transform each picture (training only), then normalise; returns (N, C, H, W) floats."""
    ### BEGIN SOLUTION
    images = to_float(images)
    if train and transform is not None:
        images = np.stack([transform(x, rng) for x in images])
    return normalize(images, stats)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-prepare-train", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Training: transformed first, normalised after
stats = np.full((1, 1, 1), 0.5), np.full((1, 1, 1), 0.25)
got = prepare(
    np.full((2, 1, 1, 2), 0.75), stats, lambda x, rng: np.clip(x + 0.5, 0, 1), None, train=True
)
check_close(got, np.full((2, 1, 1, 2), 2.0), "brighter, clipped, normalised", **TOLERANCE)
### BEGIN HIDDEN TESTS
images = np.random.default_rng(1124).integers(0, 256, size=(3, 2, 4, 5)).astype(np.uint8)
stats = np.array([[[0.4]], [[0.6]]]), np.array([[[0.2]], [[0.3]]])
seen = []


def brighter_window(x, rng):
    seen.append(np.array(x))
    return np.minimum(1.5 * np.asarray(x)[:, 1:4, :3] + rng, 1)


got = prepare(images, stats, brighter_window, 0.05, train=True)
want = (np.minimum(1.5 * images[:, :, 1:4, :3] / 255 + 0.05, 1) - stats[0]) / stats[1]
check_close(got, want, "a brighter window of each picture, normalised", **TOLERANCE)
assert len(seen) == 3, (
    f"the transform should be called once for each of 3 pictures, not {len(seen)} times"
)
check_close(np.array(seen), images / 255, "what the transform gets to see", **TOLERANCE)
check_close(
    prepare(images, stats, None, None, train=True),
    (images / 255 - stats[0]) / stats[1],
    "no transform",
    **TOLERANCE,
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-prepare-test", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Validation and test: normalised and nothing else
stats = np.full((1, 1, 1), 0.5), np.full((1, 1, 1), 0.25)
got = prepare(np.full((2, 1, 1, 2), 0.75), stats, lambda x, rng: x * 0, None, train=False)
check_close(got, np.ones((2, 1, 1, 2)), "normalised only", **TOLERANCE)
### BEGIN HIDDEN TESTS
images = 0.3 * np.random.default_rng(1125).random((4, 3, 3, 2))
stats = np.array([0.4, 0.5, 0.6]).reshape(3, 1, 1), np.array([0.2, 0.3, 0.1]).reshape(3, 1, 1)
before = images.copy()
for options in ({}, {"train": False}):
    got = prepare(images, stats, lambda x, rng: 1 - x, None, **options)
    check_close(
        got, (before - stats[0]) / stats[1], f"a test batch, options {options}", **TOLERANCE
    )
check_unchanged(images, before, "images")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **The transform sees large or negative numbers**: `to_float` first, `normalize` last.
# - **Test pictures are changed**: both conditions have to hold, `train` and a transform.
#
# </details>
#
# ## Part 5 · Which changes keep the label?
#
# A slide calls augmentation "fake data added to the training set". Two things to add. It is
# normally done **on line**: a new draw each time a picture is used, nothing stored, no epoch like
# the one before. And it is only as true as its label. A change that alters the right answer does
# not add data, it adds *errors*. So ask for each task: **would somebody who sees only the changed
# picture give the same answer?**
#
# ## Exercise 18 · Label safety
#
# Complete the dictionary `keeps`: `True` if the change leaves the right answer what it was, for
# *every* class of the task, else `False`.
#
# | key | task | change |
# |---|---|---|
# | `"digits, mirror"` | read a digit | horizontal flip |
# | `"digits, half turn"` | read a digit | rotation by 180° |
# | `"digits, shift"` | read a digit on a wide black ground | shift by 2 pixels, nothing cut off |
# | `"text, small rotation"` | read a line of text | rotation by 3° |
# | `"satellite, upside down"` | land use in a satellite image: forest, field, water, town | vertical flip |
# | `"satellite, quarter turn"` | the same | rotation by 90° |
# | `"x-ray, mirror"` | is the heart on the left or on the right side? | horizontal flip |
# | `"arrow, mirror"` | road sign: turn left or turn right | horizontal flip |
# | `"fruit, hue"` | ripe or unripe tomato, told by its colour | red and green channel exchanged |
# | `"fruit, mirror"` | the same | horizontal flip |
# | `"exposure, brightness"` | is the photo too dark, right, or too bright? | brightness ±0.3 |
# | `"size, zoom"` | diameter of a cell in micrometres, from a microscope of fixed magnification | enlarge by 1.5, crop |

# %% nbgrader={"grade": false, "grade_id": "keeps", "locked": false, "schema_version": 3, "solution": true, "task": false}
# True or False for each key
keeps = {
    "digits, mirror": None,
    "digits, half turn": None,
    "digits, shift": None,
    "text, small rotation": None,
    "satellite, upside down": None,
    "satellite, quarter turn": None,
    "x-ray, mirror": None,
    "arrow, mirror": None,
    "fruit, hue": None,
    "fruit, mirror": None,
    "exposure, brightness": None,
    "size, zoom": None,
}
### BEGIN SOLUTION
safe = {
    "digits, shift",
    "text, small rotation",
    "satellite, upside down",
    "satellite, quarter turn",
    "fruit, mirror",
}
keeps = {key: key in safe for key in keeps}
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-keeps-reading", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Digits and text
for key in ("digits, mirror", "digits, half turn", "digits, shift", "text, small rotation"):
    assert keeps[key] in (True, False), f"{key}: True or False, please"
### BEGIN HIDDEN TESTS
for key, answer in {"mirror": False, "half turn": False, "shift": True}.items():
    check_choice(keeps[f"digits, {key}"], answer, (True, False), f"digits, {key}")
check_choice(keeps["text, small rotation"], True, (True, False), "text, small rotation")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-keeps-sides", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Where left, right, up and down matter
for key in ("satellite, upside down", "satellite, quarter turn", "x-ray, mirror", "arrow, mirror"):
    assert keeps[key] in (True, False), f"{key}: True or False, please"
### BEGIN HIDDEN TESTS
for key in ("satellite, upside down", "satellite, quarter turn"):
    check_choice(keeps[key], True, (True, False), key)
for key in ("x-ray, mirror", "arrow, mirror"):
    check_choice(keeps[key], False, (True, False), key)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-keeps-measures", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Where colour, light or size is the answer
for key in ("fruit, hue", "fruit, mirror", "exposure, brightness", "size, zoom"):
    assert keeps[key] in (True, False), f"{key}: True or False, please"
### BEGIN HIDDEN TESTS
check_choice(keeps["fruit, mirror"], True, (True, False), "fruit, mirror")
for key in ("fruit, hue", "exposure, brightness", "size, zoom"):
    check_choice(keeps[key], False, (True, False), key)
### END HIDDEN TESTS

# %% [markdown]
# Between yes and no there is "yes, but what for?". A pedestrian upside down is still a pedestrian.
# No camera will ever show one, so the network spends capacity on pictures that never come. And
# sometimes the label can be changed *with* the picture: a mirrored "turn left" is a correct "turn
# right".

# %% [markdown]
# ## Part 6 · ImageNet's protocols
#
# ImageNet's pictures come in all sizes. The ResNet paper turns one into a training input like this:
# draw a scale $L$ uniformly from the whole numbers 256 to 480; resize the picture so that its
# **shorter side** is $L$, its proportions kept; take a random $224 \times 224$ window; mirror it
# with probability ½; subtract the mean; add a colour offset as AlexNet does. A small $L$ shows
# nearly the whole object, a large one a detail of it: **scale jitter**.

# %% tags=["illustration"]
cat = photo("chelsea")  # (3, 300, 451)
rng = np.random.default_rng(seed)
views = []
for L in (256, 368, 480):
    big = resize(cat, L, round(451 * L / 300))
    for _ in range(2):
        views.append(crop(big, *sample_crop(rng, *big.shape[1:], 224, 224), 224, 224))
names = [f"L = {L}" for L in (256, 256, 368, 368, 480, 480)]
whole = resize(cat[:, :, 75:375], 224, 224)
halved = [view.reshape(3, 112, 2, 112, 2).mean(axis=(2, 4)) for view in (whole, *views)]
contact_sheet(halved, ["middle of it", *names], columns=7, width=112)

# %% [markdown]
# ## Question 6 · What a slide leaves out
#
# A slide gives ResNet's training augmentation as three steps: pick a random $L$ in $[256, 480]$;
# resize so that the short side is $L$; take a random 224×224 patch. Compare with the paper (section
# 3.4), summarised above: which two augmentations are missing on the slide?

# %% nbgrader={"grade": false, "grade_id": "q-missing", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_missing: a set of two of "mirror", "colour", "rotation", "noise", "cutout"
### BEGIN SOLUTION
q_missing = {"mirror", "colour"}
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-missing", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The two steps that the slide leaves out
options = {"mirror", "colour", "rotation", "noise", "cutout"}
assert len(q_missing) == 2 and set(q_missing) <= options, f"a set of two of {sorted(options)}"
### BEGIN HIDDEN TESTS
assert set(q_missing) == {"mirror", "colour"}, "one or both are not what the paper does"
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 19 · Scale jitter
#
# - `short_side(H, W, L)`: the new size `(h, w)` whose shorter side is `L`; the longer one is
#   `round(longer * L / shorter)`, as Python rounds;
# - `sample_scale_jitter(rng, H, W, low=256, high=480, size=224)`: a dictionary
#   `{"L": …, "top": …, "left": …, "flip": …}`. `L` is uniform on the whole numbers `low` to `high`,
#   both included; `(top, left)` is uniform over the `size`×`size` windows of the *resized* picture;
#   `flip` is `True` half the time;
# - `scale_jitter(x, params, size=224)`: resized, cropped, mirrored if `params["flip"]`; returns
#   `(C, size, size)`. No chance in it.
#
# *Worked example.* $300 \times 451$ with $L = 256$: the longer side is
# $451 \cdot 256/300 = 384.85$, so `(256, 385)`. A 224-window then starts at row 0 to 32 and at
# column 0 to 161.


# %% nbgrader={"grade": false, "grade_id": "scale-jitter", "locked": false, "schema_version": 3, "solution": true, "task": false}
def short_side(H, W, L):
    """Size (h, w) with shorter side L and the proportions of H×W."""
    ### BEGIN SOLUTION
    return (L, round(W * L / H)) if H <= W else (round(H * L / W), L)
    ### END SOLUTION


def sample_scale_jitter(rng, H, W, low=256, high=480, size=224):
    """Draw {"L", "top", "left", "flip"} for a picture H×W."""
    ### BEGIN SOLUTION
    L = rng.integers(low, high, endpoint=True)
    top, left = sample_crop(rng, *short_side(H, W, L), size, size)
    return {"L": L, "top": top, "left": left, "flip": sample_flip(rng)}
    ### END SOLUTION


def scale_jitter(x, params, size=224):
    """x (C, H, W) resized to short side L, cropped at (top, left), mirrored if flip; (C, size, size)."""
    ### BEGIN SOLUTION
    big = resize(x, *short_side(*x.shape[1:], params["L"]))
    window = crop(big, params["top"], params["left"], size, size)
    return flip(window, horizontal=params["flip"])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-short-side", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The shorter side becomes L
check_close(short_side(300, 451, 256), (256, 385), "300×451 with L = 256", **TOLERANCE)
### BEGIN HIDDEN TESTS
for H, W, L, want in (
    (451, 300, 256, (385, 256)),
    (100, 100, 37, (37, 37)),
    (480, 640, 224, (224, 299)),
    (30, 20, 42, (63, 42)),
    (20, 31, 11, (11, 17)),
):
    check_close(short_side(H, W, L), want, f"{H}×{W} with L = {L}", **TOLERANCE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-scale-jitter-range", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# L from end to end, and windows of the resized picture


@in_submission
def jitters(sample_scale_jitter, n, seed, *args):
    """What n draws give, as rows (L, top, left, flip)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    made = [sample_scale_jitter(rng, *args) for _ in range(n)]
    return np.array([[p["L"], p["top"], p["left"], p["flip"]] for p in made])


rows = np.asarray(jitters(sample_scale_jitter, 200, 25, 300, 451))
assert (rows[:, 0] >= 256).all() and (rows[:, 0] <= 480).all(), "L lies between 256 and 480"
### BEGIN HIDDEN TESTS
rows = np.asarray(jitters(sample_scale_jitter, 4000, 26, 300, 451)).astype(float)
check_close(
    [rows[:, 0].min(), rows[:, 0].max()], [256, 480], "smallest and largest L of 4000 draws"
)
spare = rows[:, 0] - 224 - rows[:, 1]  # rows below a 224-window
assert spare.min() == 0, (
    "size left out: a 224-window can stand at the lower border, and never beyond"
)
parts = np.histogram(rows[:, 0], bins=5, range=(256, 481))[0]
assert parts.min() > 640 and parts.max() < 960, "L should be uniform over its range"
assert abs(rows[:, 3].mean() - 0.5) < 0.05, "half of the windows are mirrored"
for H, W in ((30, 45), (45, 30)):
    rows = np.asarray(jitters(sample_scale_jitter, 4000, 27, H, W, 8, 12, 6)).astype(int)
    check_close(
        np.unique(rows[:, 0]), [8, 9, 10, 11, 12], f"the values of L for low=8, high=12, {H}×{W}"
    )
    for L, longer in ((8, 12), (12, 18)):
        last = (L - 6, longer - 6) if H < W else (longer - 6, L - 6)
        found = rows[rows[:, 0] == L, 1:3]
        check_close(found.min(axis=0), (0, 0), f"smallest top and left, {H}×{W}, L={L}")
        check_close(found.max(axis=0), last, f"largest top and left, {H}×{W}, L={L}")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-scale-jitter", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Resized, cropped, mirrored, as the parameters say
x = np.arange(12.0).reshape(1, 3, 4)
got = scale_jitter(x, {"L": 3, "top": 1, "left": 2, "flip": True}, size=2)
check_close(got, [[[7, 6], [11, 10]]], "L = 3 keeps the size", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1126)


def hats(n, m):
    """Weights (m, n) of n old pixels in each of m new ones."""
    at = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0, n - 1)
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(n)))


for shape, (h, w), params in (
    ((3, 6, 9), (10, 15), {"L": 10, "top": 2, "left": 7, "flip": False}),
    ((3, 6, 9), (8, 12), {"L": 8, "top": 0, "left": 4, "flip": True}),
    ((1, 8, 5), (14, 9), {"L": 9, "top": 5, "left": 1, "flip": True}),
):
    x = rng.random(shape)
    big = hats(shape[1], h) @ x @ hats(shape[2], w).T
    want = big[:, params["top"] : params["top"] + 7, params["left"] : params["left"] + 7]
    want = want[:, :, ::-1] if params["flip"] else want
    before = x.copy()
    check_close(scale_jitter(x, params, size=7), want, f"{shape} with {params}", **TOLERANCE)
    check_unchanged(x, before, "x")
params = {"L": 256, "top": 3, "left": 2, "flip": False}
check_shape(scale_jitter(rng.random((1, 8, 8)), params), (1, 224, 224), "the window, size left out")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **ValueError from `crop`**: the window was drawn for the picture before the resize. Use
#   `short_side` first.
# - **480 never comes up**: `integers` leaves its end out.
# - **Squashed cats**: both sides were set to $L$. Only the shorter one is; the other follows.
# - **Portrait pictures fail**: which side is the shorter one?
#
# </details>
#
# ## Testing: several looks at one picture
#
# At test time there is no chance, but nothing forbids a second look. AlexNet takes **ten crops**:
# the four corners, the centre, and the mirror images of the five.
#
# ## Exercise 20 · Ten crops
#
# Write `ten_crop(x, size)`: `(10, C, size, size)`, in this order: upper left, upper right, lower
# left, lower right, centre; then the mirror images of these five, in the same order. The centre
# window starts at row $\lfloor (H - \text{size})/2 \rfloor$ and column
# $\lfloor (W - \text{size})/2 \rfloor$.


# %% nbgrader={"grade": false, "grade_id": "ten-crop", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ten_crop(x, size):
    """Four corners and the centre of x (C, H, W), then their mirror images; (10, C, size, size)."""
    ### BEGIN SOLUTION
    _, H, W = x.shape
    down, across = H - size, W - size
    starts = [(0, 0), (0, across), (down, 0), (down, across), (down // 2, across // 2)]
    five = [crop(x, top, left, size, size) for top, left in starts]
    return np.stack(five + [flip(view, horizontal=True) for view in five])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-ten-crop-windows", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Four corners and the centre
x = np.arange(16.0).reshape(1, 4, 4)
views = ten_crop(x, 2)
check_shape(views, (10, 1, 2, 2), "ten_crop(1×4×4, 2)")
check_close(views[0], [[[0, 1], [4, 5]]], "the upper left crop", **TOLERANCE)
### BEGIN HIDDEN TESTS
row, col = np.mgrid[:9, :12]
x = np.stack([100.0 * row + col, row + 0.5, col + 0.25])  # each pixel says where it is
for size, starts in (
    (5, ((0, 0), (0, 7), (4, 0), (4, 7), (2, 3))),
    (4, ((0, 0), (0, 8), (5, 0), (5, 8), (2, 4))),
):
    views = ten_crop(x, size)
    check_shape(views, (10, 3, size, size), f"ten_crop(3×9×12, {size})")
    for n, (top, left) in enumerate(starts):
        check_close(
            views[n],
            x[:, top : top + size, left : left + size],
            f"crop {n}, size {size}",
            **TOLERANCE,
        )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-ten-crop-mirrors", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The mirror images of the five
views = np.asarray(ten_crop(np.arange(16.0).reshape(1, 4, 4), 2))
check_close(views[5], views[0][:, :, ::-1], "crop 5, the mirror image of crop 0", **TOLERANCE)
### BEGIN HIDDEN TESTS
x = np.random.default_rng(1127).random((2, 7, 6))
views = np.asarray(ten_crop(x, 3))
five = [x[:, t : t + 3, s : s + 3] for t, s in ((0, 0), (0, 3), (4, 0), (4, 3), (2, 1))]
check_close(views[5:], np.stack(five)[..., ::-1], "crops 5 to 9", **TOLERANCE)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Crops 5 to 9 come in another order**: mirror the five crops, not the picture.
# - **The centre is one pixel off**: halve and round down, `//`.
#
# </details>
#
# ## Question 7 · A vote?
#
# "Classify different shifts of the image and vote over the lot", says a slide about AlexNet. The
# paper averages the ten **softmax outputs**. Four crops of one picture, two classes *a* and *b*:
#
# | | crop 1 | crop 2 | crop 3 | crop 4 |
# |---|---|---|---|---|
# | logit of *a* | 1 | 1 | 1 | 0 |
# | logit of *b* | 0 | 0 | 0 | 5 |
#
# Which class wins a vote, which one has the larger *mean logit*, which one the larger *mean
# probability*? And: three crops have the probabilities $(0.51, 0.49)$, $(0.51, 0.49)$,
# $(0.05, 0.95)$: which class do the paper's ten-crop rule and a vote choose?

# %% nbgrader={"grade": false, "grade_id": "q-vote", "locked": false, "schema_version": 3, "solution": true, "task": false}
# each "a" or "b"; for the table: q_table_vote, q_table_logits, q_table_probabilities;
# for the three crops: q_three_vote, q_three_probabilities
### BEGIN SOLUTION
q_table_vote = "a"
q_table_logits = "b"
q_table_probabilities = "a"
q_three_vote = "a"
q_three_probabilities = "b"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-vote", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Votes, logits and probabilities
answers = (q_table_vote, q_table_logits, q_table_probabilities, q_three_vote, q_three_probabilities)
assert all(answer in ("a", "b") for answer in answers), 'each answer should be "a" or "b"'
### BEGIN HIDDEN TESTS
for answer, right, name in zip(
    answers,
    "abaab",
    (
        "q_table_vote",
        "q_table_logits",
        "q_table_probabilities",
        "q_three_vote",
        "q_three_probabilities",
    ),
):
    check_choice(answer, right, ("a", "b"), name)
### END HIDDEN TESTS

# %%
logits = np.array([[1.0, 0], [1, 0], [1, 0], [0, 5]])  # (crops, classes)
p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
print(
    "table: votes for b", (p.argmax(axis=1) == 1).sum(), "of 4,  mean logits", logits.mean(axis=0)
)
print("       mean probabilities", p.mean(axis=0).round(3))
print(
    "three: mean probabilities",
    np.mean([[0.51, 0.49], [0.51, 0.49], [0.05, 0.95]], axis=0).round(3),
)

# %% [markdown]
# A vote forgets how sure each look was. A mean of logits lets one very sure look outshout the
# others. A mean of probabilities gives each look one voice, spread as it sees fit.
#
# ## Exercise 21 · Average the views
#
# Write `average_views(logits)`. `logits` is $(V, N, K)$: views, pictures, classes. Return the mean
# over the views of the softmax probabilities, $(N, K)$. Logits up to $\pm1000$ must do no harm
# (lesson 03).


# %% nbgrader={"grade": false, "grade_id": "average-views", "locked": false, "schema_version": 3, "solution": true, "task": false}
def average_views(logits):
    """Mean over the views of softmax(logits); logits (V, N, K), returns (N, K)."""
    ### BEGIN SOLUTION
    p = np.exp(logits - logits.max(axis=2, keepdims=True))  # (V, N, K)
    p /= p.sum(axis=2, keepdims=True)
    return p.mean(axis=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-average-views", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Mean probabilities
logits = np.log(np.array([[[0.2, 0.8]], [[0.6, 0.4]]]))  # (2, 1, 2)
check_close(average_views(logits), [[0.4, 0.6]], "two views of one picture", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1128)
for shape in ((4, 3, 5), (3, 3, 3), (10, 2, 4)):
    logits = 2 * rng.normal(size=shape)
    want = np.mean([[np.exp(row) / np.sum(np.exp(row)) for row in view] for view in logits], axis=0)
    before = logits.copy()
    check_close(average_views(logits), want, f"views, pictures, classes = {shape}", **TOLERANCE)
    check_unchanged(logits, before, "logits")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-average-views-extremes", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Large logits
logits = np.array([[[1000.0, 0.0]], [[-1000.0, 0.0]]])
check_close(average_views(logits), [[0.5, 0.5]], "logits of ±1000", **TOLERANCE)
### BEGIN HIDDEN TESTS
logits = np.array([[[1000.0, 999.0, -1000.0]], [[-1000.0, -1001.0, -3000.0]]])
e = np.exp(-1)
check_close(average_views(logits), [[1 / (1 + e), e / (1 + e), 0]], "logits of ±1000", **TOLERANCE)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **`nan` at 1000**: subtract the largest logit of each row before `exp`; each row its own.
# - **Rows do not sum to 1**: the softmax runs over the classes, the last axis, the mean over the
#   views, the first.
#
# </details>
#
# ## Two protocols, not one
#
# A slide describes ResNet's test as: resize to the five scales 224, 256, 384, 480, 640; for each,
# take ten 224-crops. The paper has **two** protocols. To *compare* networks it uses the ten crops
# at one scale. For its *best* numbers it runs the network **fully convolutionally**, the whole
# resized picture at once and the class scores averaged over all places, and averages these scores
# over the five scales. ResNet-152's top-5 error on the validation set is 5.71% with ten crops and
# 4.49% with the second protocol.
#
# "Fully convolutional" works because nothing before the final average pooling knows the size of the
# picture, and the last linear layer, a 1×1 convolution in disguise, can act before the pooling as
# well as after it.
#
# ## Question 8 · Count the looks
#
# 1. How many forward passes of a 224×224 input would the slide's protocol take for one picture? How
#    many does the paper's ten-crop protocol take?
# 2. ResNet's last feature map is 32 times smaller than the input. For a square picture at scale
#    640, over how many places are the scores averaged?

# %% nbgrader={"grade": false, "grade_id": "q-looks", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_slide, q_paper: numbers of forward passes;  q_places: a number
### BEGIN SOLUTION
q_slide = 50
q_paper = 10
q_places = 20 * 20
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-looks", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Passes and places
for answer in (q_slide, q_paper, q_places):
    assert np.isscalar(answer), "three numbers, please"
### BEGIN HIDDEN TESTS
check_number(q_slide, 50, "q_slide")
check_number(q_paper, 10, "q_paper")
check_number(q_places, 400, "q_places")
### END HIDDEN TESTS

# %%
scales = (224, 256, 384, 480, 640)
print("the slide:", len(scales), "scales of ten crops,", 10 * len(scales), "passes; the paper: 10")
for scale in scales:
    print(f"scale {scale}: {scale // 32} × {scale // 32} = {(scale // 32) ** 2} places")

# %% [markdown]
# Fifty passes of one size against five of growing sizes: each of the five shares its work among all
# its places.
#
# ## Exercise 22 · Multi-scale testing
#
# Write `multi_scale(model, x, sizes)`. `model` takes a picture `(C, h, w)` of any size and returns
# its logits `(K,)`. Resize `x` so that its shorter side is each of `sizes` in turn, ask the model
# once for each, and return the mean of the probabilities, `(K,)`. Use what you have.


# %% nbgrader={"grade": false, "grade_id": "multi-scale", "locked": false, "schema_version": 3, "solution": true, "task": false}
def multi_scale(model, x, sizes):
    """Mean probabilities (K,) of model over x (C, H, W) resized to each short side of sizes."""
    ### BEGIN SOLUTION
    views = [model(resize(x, *short_side(*x.shape[1:], L))) for L in sizes]
    return average_views(np.stack(views)[:, None])[0]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-multi-scale", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Probabilities averaged over scales
x = np.random.default_rng(28).random((1, 4, 6))
asked = []


def toy(picture):
    asked.append(np.shape(picture))
    return np.array([1.0, 0.0, np.shape(picture)[1] / 4])


check_shape(multi_scale(toy, x, [4, 8]), (3,), "multi_scale with three classes")
assert asked == [(1, 4, 6), (1, 8, 12)], f"the model should see 4×6 and 8×12, it saw {asked}"
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1129)
weights = 3 * rng.normal(size=(4, 6))


def model(picture):
    picture = np.asarray(picture)
    edges = np.abs(np.diff(picture, axis=2)).mean(axis=(1, 2))  # depends on the scale
    return weights @ np.concatenate([picture.mean(axis=(1, 2)), 20 * edges])


def hats(n, m):
    """Weights (m, n) of n old pixels in each of m new ones."""
    at = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0, n - 1)
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(n)))


for shape, pairs in (((3, 6, 9), ((4, 6), (6, 9), (10, 15))), ((3, 8, 6), ((16, 12), (8, 6)))):
    x, views = rng.random(shape), []
    for h, w in pairs:
        score = np.exp(model(hats(shape[1], h) @ x @ hats(shape[2], w).T))
        views.append(score / score.sum())
    got = multi_scale(model, x, [min(pair) for pair in pairs])
    check_close(
        got, np.mean(views, axis=0), f"{shape} at {len(pairs)} scales", rtol=1e-3, atol=1e-5
    )
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Squashed pictures**: keep the proportions; `short_side` does.
# - **Blurred**: resize the original for each scale, not the last result.
# - **"axis 2 is out of bounds"**: `average_views` wants views, pictures, classes. Here is one
#   picture.
#
# </details>
#
# ## Part 7 · Measured
#
# What does augmentation buy, and what does it cost? Four experiments answer for small networks,
# small training sets and the functions you wrote. A difference between two runs means little by
# itself: with another seed the same recipe gives another number. So each recipe runs with several
# seeds, and recipes are compared **seed by seed**: the same training pictures, the same initial
# weights, the same order, with and without.
#
# ## Exercise 23 · Is the difference real?
#
# Write `paired_difference(a, b)`. `a` and `b` are sequences of accuracies, entry $i$ of both from
# seed $i$. With $d_i = a_i - b_i$, $i = 1 \dots n$, return the pair
#
# $$\bar d = \frac1n\sum_i d_i , \qquad \text{se} = \frac{s}{\sqrt n}, \quad s^2 = \frac{1}{n-1}\sum_i (d_i - \bar d)^2 ,$$
#
# the mean difference and its **standard error**. Rule of thumb: with few seeds, do not believe a
# difference below three standard errors.
#
# *Worked example.* $a = (0.9, 0.8, 0.7)$, $b = (0.8, 0.8, 0.6)$: $d = (0.1, 0, 0.1)$,
# $\bar d = 0.0667$, $s = 0.0577$, se $= 0.0333$.


# %% nbgrader={"grade": false, "grade_id": "paired", "locked": false, "schema_version": 3, "solution": true, "task": false}
def paired_difference(a, b):
    """(mean, standard error) of a - b, seed by seed."""
    ### BEGIN SOLUTION
    d = np.subtract(a, b)
    return d.mean(), d.std(ddof=1) / np.sqrt(len(d))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-paired", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Mean difference and standard error, seed by seed
got = paired_difference([0.9, 0.8, 0.7], [0.8, 0.8, 0.6])
check_close(got, (0.066667, 0.033333), "the worked example", rtol=1e-3)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1130)
for n in (2, 5):
    base = rng.random(n)
    a, b = base + 0.02 * rng.normal(size=n), base + 0.02 * rng.normal(size=n)
    d = [a[i] - b[i] for i in range(n)]
    mean = sum(d) / n
    error = (sum((v - mean) ** 2 for v in d) / (n - 1) / n) ** 0.5
    check_close(paired_difference(a, b), (mean, error), f"{n} seeds", rtol=1e-3, atol=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **The standard error is too large**: it belongs to the differences $d_i$, not to $a$ and $b$
#   apart.
# - **Off by $\sqrt{n/(n-1)}$**: `ddof=1`.
#
# </details>
#
# ## The networks
#
# Three small networks for the experiments, all with 3×3 convolutions, BatchNorm and ReLU, all
# trained with your `prepare`: transform first, normalise after, tested without. The first two have
# strides 1, 2, 2, the third never strides.
#
# | `kind` | after the convolutions |
# |---|---|
# | `"flatten"` | a linear layer on all positions of the last feature map |
# | `"pooled"` | global average pooling, then a linear layer |
# | `"stride 1"` | the same, but all strides are 1 |


# %% nbgrader={"grade": false, "grade_id": "train-net", "locked": true, "schema_version": 3, "solution": false, "task": false}
def make_net(channels, classes, kind="pooled", width=16):
    """Three 3×3 convolutions and a linear layer, as a torch module."""
    import torch
    from torch import nn

    stride = 1 if kind == "stride 1" else 2
    layers = []
    for c_in, c_out, s in (
        (channels, width, 1),
        (width, 2 * width, stride),
        (2 * width, 2 * width, stride),
    ):
        layers += [
            nn.Conv2d(c_in, c_out, 3, s, padding=1, bias=False),
            nn.BatchNorm2d(c_out),
            nn.ReLU(),
        ]
    if kind == "flatten":
        layers += [nn.Flatten(), nn.LazyLinear(classes)]
    else:
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, classes)]
    return nn.Sequential(*layers)


def train_net(images, labels, transform=None, kind="pooled", steps=300, run=0, batch=50):
    """Train on images (N, C, H, W); returns predict(images) -> probabilities (M, K), and net, stats."""
    import torch
    from torch import nn

    torch.manual_seed(run)
    order, dice = worker_rng(run, 0, 0), worker_rng(run, 0, 1)
    stats = fit_stats(images, "channel mean and std")
    net = make_net(images.shape[1], int(labels.max()) + 1, kind)
    net(torch.zeros(2, *images.shape[1:]))  # tells LazyLinear its size
    optimizer = torch.optim.SGD(
        net.parameters(), 0.05, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=steps)
    for _ in range(steps):
        chosen = order.choice(len(images), size=min(batch, len(images)), replace=False)
        x = prepare(images[chosen], stats, transform, dice, train=True)  # (batch, C, H, W)
        loss = nn.functional.cross_entropy(
            net(torch.tensor(x, dtype=torch.float32)), torch.tensor(labels[chosen])
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    net.eval()

    def predict(pictures):
        with torch.no_grad():
            return (
                net(torch.tensor(prepare(pictures, stats), dtype=torch.float32)).softmax(1).numpy()
            )

    return predict, net, stats


# %% [markdown]
# ## Experiment 1 · One pixel to the left
#
# "By design, convnets are only robust against translation", says a slide, and leaves the rest to
# augmentation. The digits are 8×8 pixels; we put each into the middle of a black 14×14 ground, so
# that it can be shifted by 3 pixels without losing ink. The networks see 100 *centred* digits, and
# are tested on 1,000 others, shifted.
#
# ## Question 9 · Predict
#
# The `"pooled"` network trained on centred digits is right on 80 to 90% of new *centred* digits.
# What is its accuracy when these are shifted by **one pixel** to the right? And by **two**, for the
# same network trained with random shifts of up to 3 pixels? Choose for each: `"above 0.8"`,
# `"0.5 to 0.8"`, `"below 0.5"`.

# %% nbgrader={"grade": false, "grade_id": "q-shift", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_one_pixel, q_two_pixels_augmented: "above 0.8", "0.5 to 0.8" or "below 0.5"
### BEGIN SOLUTION
q_one_pixel = "below 0.5"
q_two_pixels_augmented = "above 0.8"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-shift", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Shifted digits, without and with augmentation
options = ("above 0.8", "0.5 to 0.8", "below 0.5")
assert q_one_pixel in options and q_two_pixels_augmented in options, f"each one of {options}"
### BEGIN HIDDEN TESTS
check_choice(q_one_pixel, "below 0.5", options, "q_one_pixel")
check_choice(q_two_pixels_augmented, "above 0.8", options, "q_two_pixels_augmented")
### END HIDDEN TESTS

# %% tags=["illustration"]
import torch

torch.set_num_threads(1)  # nets as small as these lose more by sharing work than they gain
started = time.process_time()
runs = 2 if quick else 3
images, labels = digits()
images = np.pad(images, ((0, 0), (0, 0), (3, 3), (3, 3)))  # (1797, 1, 14, 14)


def random_shift(x, rng):
    """Up to 3 pixels in each direction."""
    return shift(x, *rng.integers(-3, 4, size=2))


def digit_split(run):
    """100 training digits and 1,000 test digits, others for each run."""
    order = np.random.default_rng(1000 + run).permutation(len(images))
    return order[:100], order[100:1100]


def right(predict, pictures, answers):
    """Accuracy of predict."""
    return (predict(pictures).argmax(axis=1) == answers).mean()


steps_right = range(-3, 4)
by_shift, shifted, trained = {}, {}, {}
for kind in ("flatten", "pooled", "stride 1"):
    for name, transform in {"centred": None, "shifted": random_shift}.items():
        curves, anywhere = [], []
        for run in range(runs):
            train, test = digit_split(run)
            predict, net, stats = train_net(
                images[train], labels[train], transform, kind, steps=100 if quick else 300, run=run
            )
            trained[kind, name, run] = predict, net, stats
            curves.append(
                [
                    right(predict, np.stack([shift(x, 0, dx) for x in images[test]]), labels[test])
                    for dx in steps_right
                ]
            )
            dice = np.random.default_rng(run)
            anywhere.append(
                right(
                    predict, np.stack([random_shift(x, dice) for x in images[test]]), labels[test]
                )
            )
        by_shift[kind, name], shifted[kind, name] = np.array(curves), np.array(anywhere)

figure, panels = plt.subplots(1, 3, figsize=(12, 3.2), sharey=True)
for panel, kind in zip(panels, ("flatten", "pooled", "stride 1")):
    for name, colour in {"centred": "tab:blue", "shifted": "tab:orange"}.items():
        mean, spread = by_shift[kind, name].mean(axis=0), by_shift[kind, name].std(axis=0)
        panel.errorbar(
            steps_right,
            mean,
            spread,
            fmt="o-",
            color=colour,
            label=f"trained on {name} digits",
            capsize=3,
        )
    panel.set(title=kind, xlabel="test digits moved right by … pixels", ylim=(0, 1.02))
    panel.axhline(0.1, color="gray", linestyle=":")
    panel.grid(alpha=0.3)
panels[0].set_ylabel(f"test accuracy, {runs} runs")
panels[2].legend(fontsize=8, loc="center")
figure.tight_layout()
print("accuracy on 1,000 test digits     centred            shifted by up to ±3 both ways")
for (kind, name), curves in by_shift.items():
    clean, anywhere = curves[:, 3], shifted[kind, name]
    print(
        f"{kind:9s} trained on {name}     {clean.mean():.3f} ± {clean.std(ddof=1):.3f}      "
        f"{anywhere.mean():.3f} ± {anywhere.std(ddof=1):.3f}"
    )
for kind in ("flatten", "pooled", "stride 1"):
    gain = paired_difference(shifted[kind, "shifted"], shifted[kind, "centred"])
    price = paired_difference(by_shift[kind, "shifted"][:, 3], by_shift[kind, "centred"][:, 3])
    print(
        f"{kind:9s} gain on shifted {gain[0]:+.3f} (se {gain[1]:.3f}),  on centred {price[0]:+.3f} (se {price[1]:.3f})"
    )
print(f"{time.process_time() - started:.0f} s of CPU time on one core")

# %% [markdown]
# "Robust by design" is not what these networks are. A *convolution* is equivariant to shifts
# (lesson 01); a network with strides is not invariant. A stride of 2 reads every second place, and
# after a shift by one pixel it reads the others. Look at "pooled": its strides multiply to 4, so a
# shift by 4 would move the last map by just one place, which the pooling does not notice. A shift by
# 3 is one pixel away from that, as 1 is from 0, and hurts less than a shift by 2. With "flatten" the
# linear layer also has a weight of its own for each place. (And one pixel is an eighth of these
# digits.) The network without strides hardly notices: it stays equivariant until the pooling at the
# end makes it invariant, up to what happens at the border. Its price is work: 14×14 places in each
# layer instead of 14×14, 7×7 and 4×4.
#
# Augmentation teaches the strided networks by *showing* them shifts. Compare its gain on shifted
# digits with the change on centred ones in the last three lines, and with the standard errors: the
# gain is beyond doubt; the price on centred digits, if there is one here, is at the limit of what
# three runs can resolve.
#
# ## Experiment 2 · Real textures
#
# Brick, grass, gravel: photographs of 512×512 pixels. Training patches of 32×32, ten of each, come
# from the left half, 200 test patches of each from the right half, so that no pixel is on both
# sides. Six recipes; each network is then tested on clean patches and on four changed versions.
#
# ## Question 10 · Predict
#
# The recipes: *none*; *turns* (quarter turns and mirror images); *light* (`adjust` with contrast
# 0.5 to 1.5 and brightness ±0.25); *noise* (σ drawn up to 0.1); *cutout* (12×12); *turns + light*.
# The test versions: clean; turned by 90°; light changed as in *light*; darker by 0.2; noise of σ =
# 0.1.
#
# 1. Which single recipe brings noisy patches from chance to about 0.9?
# 2. For that recipe, is its accuracy on *clean* patches higher than, about equal to (within 0.02),
#    or lower than without augmentation?

# %% nbgrader={"grade": false, "grade_id": "q-textures", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_recipe: "turns", "light", "noise" or "cutout"
# q_price: "higher", "equal" or "lower"
### BEGIN SOLUTION
q_recipe = "noise"
q_price = "lower"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-textures", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# A gain and its price
recipes, prices = ("turns", "light", "noise", "cutout"), ("higher", "equal", "lower")
assert q_recipe in recipes and q_price in prices, f"one of {recipes} and one of {prices}"
### BEGIN HIDDEN TESTS
check_choice(q_recipe, "noise", recipes, "q_recipe")
check_choice(q_price, "lower", prices, "q_price")
### END HIDDEN TESTS

# %% tags=["illustration"]
started = time.process_time()
runs = 2 if quick else 3
textures = ("brick", "grass", "gravel")


def patches(rng, each, half):
    """each patches (1, 32, 32) of each texture, from its left (0) or right (1) half, and labels."""
    cut = []
    for name in textures:
        side = photo(name)[None, :, 256 * half : 256 * (half + 1)]  # (1, 512, 256)
        cut += [crop(side, *sample_crop(rng, 512, 256, 32, 32), 32, 32) for _ in range(each)]
    return np.stack(cut), np.repeat(np.arange(3), each)


def turns(x, rng):
    return flip(np.rot90(x, rng.integers(4), axes=(1, 2)), horizontal=sample_flip(rng))


def light(x, rng):
    return adjust(x, *sample_jitter(rng, 0.5, 0.25))


def noise(x, rng):
    return add_noise(x, sample_noise(rng, x.shape, rng.uniform(0, 0.1)))


def hole(x, rng):
    return cutout(x, *sample_centre(rng, *x.shape[1:]), 12, fill=x.mean())


recipes = {
    "none": None,
    "turns": turns,
    "light": light,
    "noise": noise,
    "cutout": hole,
    "turns + light": lambda x, rng: light(turns(x, rng), rng),
}
versions = {
    "clean": lambda x, rng: x,
    "turned": lambda x, rng: np.rot90(x, axes=(1, 2)),
    "light": light,
    "darker": lambda x, rng: adjust(x, 1.0, -0.2),
    "noisy": lambda x, rng: add_noise(x, sample_noise(rng, x.shape, 0.1)),
}
table = np.zeros((len(recipes), len(versions), runs))
for run in range(runs):
    x_train, y_train = patches(np.random.default_rng(run), 10, 0)
    x_test, y_test = patches(np.random.default_rng(50 + run), 200, 1)
    tests = [
        np.stack([change(x, np.random.default_rng([run, i])) for i, x in enumerate(x_test)])
        for change in versions.values()
    ]
    for row, transform in enumerate(recipes.values()):
        predict, _, _ = train_net(
            x_train, y_train, transform, steps=60 if quick else 200, run=run, batch=30
        )
        table[row, :, run] = [right(predict, pictures, y_test) for pictures in tests]

examples = [changed[i] for i in (0, 200, 400) for changed in tests]
display(contact_sheet(examples, [*versions, *[""] * 10], columns=5, width=96))
figure, panel = plt.subplots(figsize=(7.4, 4))
panel.imshow(table.mean(axis=2), cmap="RdYlGn", vmin=0.3, vmax=1)
for row, col in np.ndindex(table.shape[:2]):
    values = table[row, col]
    panel.text(
        col,
        row,
        f"{values.mean():.2f}\n±{values.std(ddof=1):.2f}",
        ha="center",
        va="center",
        fontsize=9,
    )
panel.set_xticks(range(len(versions)), versions)
panel.set_yticks(range(len(recipes)), recipes)
panel.set(
    xlabel="tested on",
    ylabel="trained with",
    title=f"accuracy on 600 patches, mean ± std of {runs} runs",
)
figure.tight_layout()
print("difference to 'none', mean and standard error, seed by seed")
for row, name in list(enumerate(recipes))[1:]:
    cells = [paired_difference(table[row, col], table[0, col]) for col in range(len(versions))]
    print(
        f"{name:14s}" + "".join(f"  {v}: {m:+.2f} ({e:.2f})" for v, (m, e) in zip(versions, cells))
    )
print(f"{time.process_time() - started:.0f} s of CPU time on one core")

# %% [markdown]
# Read the table by rows: a recipe helps where the test shows what the recipe shows. Read its first
# column: that is the price. With *noise* the network cannot rely on fine detail, with *light* not
# on brightness, and both are useful on clean patches. By the rule of three standard errors the
# price of *noise* is real; *light* loses as much on average, but its runs differ, and three of them
# do not settle it. *Light* and *noise* cost even more on *turned* patches, and *noise* on dark
# ones: what a network uses instead need not survive the next change. *Turns + light* gives most of
# that back. A price on clean pictures is fair only if the world will show you the other columns.
# And *turns* and *cutout* by themselves hardly move anything here, where the network without
# augmentation was right on 99% of the clean patches: do not claim a gain.
#
# ## Experiment 3 · What a wrong label costs
#
# Digits again, with three changes that do not keep the label (Part 5) and a safe one, a rotation by
# up to 10°. All are tested on centred, unchanged digits. The figure says *which* errors half turns
# add (red) and take away (blue).

# %% tags=["illustration"]
started = time.process_time()
runs = 2 if quick else 3
unsafe = {
    "none": None,
    "rotation ±10°": lambda x, rng: warp(x, rotation(rng.uniform(-10, 10))),
    "mirror": lambda x, rng: flip(x, horizontal=sample_flip(rng)),
    "upside down": lambda x, rng: flip(x, vertical=sample_flip(rng)),
    "half turn": lambda x, rng: flip(x, True, True) if sample_flip(rng) else x,
}
scores, confusion = {}, np.zeros((10, 10))
for name, transform in unsafe.items():
    scores[name] = []
    for run in range(runs):
        train, test = digit_split(run)
        predict, _, _ = train_net(
            images[train], labels[train], transform, steps=100 if quick else 300, run=run
        )
        answers = predict(images[test]).argmax(axis=1)
        scores[name].append((answers == labels[test]).mean())
        if name in ("none", "half turn"):
            sign = 1 if name == "half turn" else -1
            np.add.at(confusion, (labels[test], answers), sign / runs)
for name, values in scores.items():
    change = (
        ""
        if name == "none"
        else "   difference {:+.3f} (se {:.3f})".format(*paired_difference(values, scores["none"]))
    )
    print(f"{name:14s} {np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}{change}")
np.fill_diagonal(confusion, 0)
figure, panel = plt.subplots(figsize=(4.6, 3.9))
drawn = panel.imshow(
    confusion, cmap="RdBu_r", vmin=-abs(confusion).max(), vmax=abs(confusion).max()
)
panel.set(xlabel="answer", ylabel="true digit", xticks=range(10), yticks=range(10))
panel.set_title("errors with half turns minus errors without", fontsize=10)
figure.colorbar(drawn, label="digits of 1,000")
figure.tight_layout()
print(f"{time.process_time() - started:.0f} s of CPU time on one core")

# %% [markdown]
# Half a turn makes a 9 of a 6, and both confusions are among the errors that it added. (Others are
# red too, 3 read as 5 for one: a few digits of 1,000 in three runs do not give each square a
# reason.) A mirrored digit teaches that a shape which nobody writes has a name, and the network
# pays with room that it needed for real digits. The safe rotation costs nothing here.
#
# ## Experiment 4 · More looks, and nasty ones
#
# First, test-time augmentation for the shifted digits of experiment 1: the nine shifts by −1, 0, 1
# pixel of each test picture go through the network, and `average_views` joins them. Second, how
# stable is an answer? Each pixel changes by at most $\varepsilon$, once up or down at random and
# once in the direction of the gradient of the loss, the worst of all directions to first order
# (Goodfellow et al. 2015). The two changes are equally large and look equally harmless.

# %% tags=["illustration"]
started = time.process_time()
looks = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
for name in ("centred", "shifted"):
    one, nine = [], []
    for run in range(2 if quick else 3):
        predict, net, stats = trained["pooled", name, run]
        _, test = digit_split(run)
        dice = np.random.default_rng(run)
        moved = np.stack([random_shift(x, dice) for x in images[test]])
        one.append(right(predict, moved, labels[test]))
        views = np.stack(
            [np.log(predict(np.stack([shift(x, *look) for x in moved])) + 1e-12) for look in looks]
        )  # (9, N, 10)
        nine.append((average_views(views).argmax(axis=1) == labels[test]).mean())
    gain = paired_difference(nine, one)
    print(
        f"trained on {name}: one look {np.mean(one):.3f}, nine looks {np.mean(nine):.3f}, difference {gain[0]:+.3f} (se {gain[1]:.3f})"
    )

sizes = (0, 0.02, 0.05, 0.1, 0.15, 0.2)
figure, panel = plt.subplots(figsize=(8.4, 3.2))
for name, colour in {"centred": "tab:blue", "shifted": "tab:orange"}.items():
    predict, net, stats = trained["pooled", name, 0]
    _, test = digit_split(0)
    x = torch.tensor(images[test], dtype=torch.float32, requires_grad=True)
    mean, std = (torch.tensor(s, dtype=torch.float32) for s in stats)
    torch.nn.functional.cross_entropy(net((x - mean) / std), torch.tensor(labels[test])).backward()
    worst = x.grad.sign().numpy()
    anyhow = np.random.default_rng(seed).choice([-1.0, 1.0], size=worst.shape)
    for style, direction, what in (("-", worst, "gradient sign"), ("--", anyhow, "random sign")):
        curve = [
            right(predict, np.clip(images[test] + e * direction, 0, 1), labels[test]) for e in sizes
        ]
        panel.plot(
            sizes, curve, style, marker="o", color=colour, label=f"trained on {name}: {what}"
        )
panel.set(xlabel="change of each pixel, ε", ylabel="accuracy on 1,000 centred digits", ylim=(0, 1))
panel.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.02, 0.5))
panel.grid(alpha=0.3)
figure.tight_layout()
print(f"{time.process_time() - started:.0f} s of CPU time on one core")

# %% [markdown]
# Averaging nine looks helps a network that has seen shifts by about a point, here; it does not
# rescue one that has not, for most of its nine looks are wrong. Test-time augmentation smooths,
# training-time augmentation teaches.
#
# The second figure is the sobering part. A small change that is pointed in the worst direction
# takes nearly all answers away, with shift augmentation no less than without; the same amount of
# random change does much less. And the network that became robust to shifts became *less* robust to
# random changes of pixels than the other one. (One run each; do not read more into it.) Robustness
# to one thing is robustness to that thing.
#
# ## Summary
#
# - Normalise with statistics of the *training* set, and every set with the same ones. Split first;
#   fit and augment after.
# - An augmentation is a function `aug(x, params)` without chance and a sampler without pictures.
#   Test the first exactly, the second by range and frequency.
# - Geometry reads backwards: for each output pixel, where does it come from? One bilinear `sample`
#   serves resizing, rotation, shear, stretch and lens distortion.
# - Photometric changes act on pixels in $[0, 1]$, clip, and come *before* normalisation. PCA colour
#   moves all pixels along the axes of the RGB covariance, by $\alpha_j\lambda_j$, one draw per
#   picture per use.
# - Draw anew for each picture, each epoch, each worker; leave validation and test pictures alone.
# - Ask of each change and each task whether the label survives. A mirrored digit is a wrong label,
#   not more data.
# - ResNet trains with short sides from 256 to 480, random 224-crops, mirror images and colour; it
#   is compared with ten crops at one scale and shows its best with five scales, fully
#   convolutionally. Average probabilities.
# - Augmentation buys robustness to what it shows, sometimes at a price on clean pictures. Measure
#   both columns, with several seeds, seed by seed.
#
# Lesson 12 takes a network that has been trained on many pictures with all of this, and asks what
# it is worth for a task with few.
#
# ## References
#
# - A. Krizhevsky, I. Sutskever, G. Hinton, [*ImageNet Classification with Deep Convolutional Neural
#   Networks*](https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks)
#   (2012), section 4.1: crops, mirror images, PCA colour, ten crops.
# - K. He, X. Zhang, S. Ren, J. Sun, [*Deep Residual Learning for Image
#   Recognition*](https://arxiv.org/abs/1512.03385) (2016), sections 3.4 and 4.2, tables 3 and 4.
# - K. Simonyan, A. Zisserman, [*Very Deep Convolutional Networks for Large-Scale Image
#   Recognition*](https://arxiv.org/abs/1409.1556) (2015), section 3: scale jitter, multi-scale
#   testing.
# - T. DeVries, G. Taylor, [*Improved Regularization of Convolutional Neural Networks with
#   Cutout*](https://arxiv.org/abs/1708.04552) (2017).
# - R. Wu et al., [*Deep Image: Scaling up Image Recognition*](https://arxiv.org/abs/1501.02876)
#   (2015): vignettes, lens distortion and more.
# - I. Goodfellow, J. Shlens, C. Szegedy, [*Explaining and Harnessing Adversarial
#   Examples*](https://arxiv.org/abs/1412.6572) (2015).
# - R. Zhang, [*Making Convolutional Networks Shift-Invariant
#   Again*](https://arxiv.org/abs/1904.11486) (2019): strides and shifts.
# - T. Pärnamaa, [*Using PyTorch + NumPy? You're making a
#   mistake*](https://tanelp.github.io/posts/a-bug-that-plagues-thousands-of-open-source-ml-projects/)
#   (2021): the worker seed bug, in over 95% of the projects that could have it. PyTorch has since
#   been changed to seed NumPy in its workers.
