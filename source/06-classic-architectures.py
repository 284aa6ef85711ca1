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
# # 06 · Classic architectures
#
# Between 2012 and 2014 three networks changed computer vision: AlexNet, ZFNet, VGG. Their tables are
# reprinted on slides and in blogs to this day, and some cells in them are wrong. In this lesson you
# write an engine that takes any PyTorch network and produces its table: output, memory, parameters,
# work, layer by layer, without computing a single number of the forward pass. Then you build the
# networks, print their tables, and hold the printed ones against them. Some errors will turn out to be
# famous.
#
# **Time** 4 to 5 hours · **Difficulty** ●●●○○ · **You need** lesson 02 (sizes, parameters, MACs), lesson
# 03 (momentum, weight decay) and lesson 05 (`nn.Module`, dropout, initialisation) · **Runs on** any
# laptop: the large networks are never filled with numbers
#
# **After this lesson you can**
#
# - measure a top-$k$ error and read what a challenge result really says;
# - produce the table of any network with forward hooks on the *meta device*, and audit a printed one;
# - build AlexNet (both of them), and VGG A to E, with the published numbers of parameters;
# - write local response normalisation, and say what became of it;
# - say where memory, parameters and work are in a network, before you look;
# - turn a paper's training recipe into an optimizer and a scheduler.
#
# | part | you build | points |
# |---|---|---|
# | 1 · ImageNet and the top-5 error | `topk_error` | 9 |
# | 2 · The engine | `layer_params`, `layer_macs`, `layer_table` | 19 |
# | 3 · AlexNet with 64 filters | `alexnet_2014`, `wrong_cells` | 16 |
# | 4 · AlexNet with 96 filters, on two GPUs | `lrn`, `alexnet_2012`, `training_days`, `training_bytes` | 21 |
# | 5 · ZFNet looks inside | three numbers | 2 |
# | 6 · VGG | `vgg`, `leave_one_out` | 19 |
# | 7 · A recipe of 2012 | `init_alexnet`, `paper_step`, `alexnet_recipe`, `train_epoch` | 14 |
#
# **How it works.** Complete each cell that says `raise NotImplementedError`, then run the checks below
# it. Grading runs the same checks and further ones, on other networks and numbers. Questions ask you to
# predict *before* you run the cell that shows the truth; afterwards you may mend your answer, for what
# you hand in is what counts. The check below a question only asks whether your answer is of the right
# kind. Folded cells only draw. In the tests, `@in_submission` marks a helper that builds a network
# beside your functions; it changes nothing for you.
#
# **Conventions of the whole lesson.** Layout NCHW. Memory counts the *outputs* of layers in float32 (4
# bytes a number) for one image; 1 KB = 1024 bytes, 1 MB = 1024 KB unless a line says otherwise. A
# **MAC** is one multiply-add; 1 FLOP is half of it, though many printed tables write FLOP and mean MAC.
# Parameters include biases unless a line says otherwise.

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
from course.plots import layer_bars, show_images

# One colour for each kind of layer, in every figure of the lesson
COLORS = {
    "Conv2d": "tab:blue",
    "Linear": "tab:red",
    "MaxPool2d": "tab:orange",
    "LocalResponseNorm": "tab:green",
}


# %% jupyter={"source_hidden": true}
def draw_maps(axis, rows, title, gap=11.0, upright=False):
    """Draw the outputs of a table as boxes: as high as the map, as wide as √channels."""
    rows = [row for row in rows if row["kind"] in ("Conv2d", "MaxPool2d", "Linear")]
    left, turn = 0.0, 90 if upright else 0
    top = max(row["out"][1] for row in rows if len(row["out"]) == 3) / 2
    for row in rows:
        out = row["out"]
        high = out[1] if len(out) == 3 else top  # FC outputs have no height: all drawn alike
        wide = 3 + (out[0] ** 0.5 if len(out) == 3 else 1)
        box = plt.Rectangle((left, -high / 2), wide, high, edgecolor="black", alpha=0.7)
        box.set_facecolor(COLORS[row["kind"]])
        axis.add_patch(box)
        size = "×".join(str(number) for number in out)
        middle, above = left + wide / 2, high / 2 + top / 20
        look = {"ha": "center", "fontsize": 8, "rotation": turn}
        axis.text(middle, above, row["name"], va="bottom", **look)
        axis.text(middle, -above, size, va="top", **look)
        left += wide + gap
    room = (60 if upright else 20) * top / 60
    axis.set(xlim=(-8, left), ylim=(-top - room, top + room), title=title)
    axis.axis("off")


# %% [markdown]
# ## Part 1 · ImageNet and the top-5 error
#
# In 2009 Deng and others published **ImageNet**: photographs from the web, sorted by people into the
# nouns of the dictionary WordNet. Today it holds 14.2 million images in 21,800 *synsets* (sets of words
# with one meaning). From 2010 to 2017 a yearly contest was held on a part of it, the *Large Scale
# Visual Recognition Challenge*, **ILSVRC**: 1,000 classes, 1.28 million training images, 50,000 for
# validation, 100,000 for the test. When somebody says "trained on ImageNet", this part is nearly always
# meant. (Slides that say "ImageNet has 1 million images" and slides that say "14 million" speak of the
# part and of the whole.)
#
# Many pictures show more than one thing, and only one label is right. So the contest let a program make
# five guesses:
#
# > The **top-$k$ error** is the fraction of images whose true class is *not* among the $k$ classes with the
# > highest scores.
#
# Below, three photographs with invented scores. The true class is dark.

# %% jupyter={"source_hidden": true} tags=["illustration"]
guesses = {
    "right at once": ({"tabby cat": 5.1, "tiger cat": 4.0, "lynx": 2.2, "plastic bag": 1.0, "sofa": 0.4, "tub": 0.1}, "tabby cat"),
    "wrong at once, right in the top 5": ({"cup": 4.6, "espresso": 4.4, "soup bowl": 2.9, "eggnog": 1.2, "ladle": 0.7, "tray": 0.2}, "espresso"),
    "wrong in the top 5 as well": ({"daisy": 3.9, "bee": 3.5, "fly": 2.6, "pot": 2.3, "cardoon": 1.9, "dahlia": 1.7}, "dahlia"),
}  # fmt: skip
figure, axes = plt.subplots(1, 3, figsize=(11, 2.4))
for axis, (verdict, (scores, truth)) in zip(axes, guesses.items()):
    names = list(scores)
    axis.barh(
        names, list(scores.values()), color=["#1f3b73" if n == truth else "#c9d6ea" for n in names]
    )
    axis.axhline(4.5, color="crimson", linestyle="--", linewidth=1)
    axis.text(5.4, 4.4, "five guesses", ha="right", va="bottom", color="crimson", fontsize=8)
    axis.set(xlim=(0, 5.5), title=verdict)
    axis.set_xlabel("score")
    axis.invert_yaxis()
figure.tight_layout()
plt.show()


# %% [markdown]
# ## Exercise 1 · Top-k error
#
# Write `topk_error(scores, labels, k)`. `scores` is a tensor `(N, K)` of any real numbers: logits or
# probabilities, the order is the same. `labels` is `(N,)`, whole numbers from 0 to $K - 1$; $1 \le k
# \le K$. Return the error as one number between 0 and 1 (a fraction, not a percentage; a float or a
# tensor of one number). No two scores of an image are equal in the tests.
#
# *Worked example.* Two images, four classes, scores $(0.1, 0.5, 0.3, 0)$ and $(9, 7, 8, 1)$,
# labels 2 and 1. Top-1: both are wrong, the error is 1. Top-2: the first is right (class 2 is
# second), the second is wrong (1 is third): 0.5. Top-3: 0.


# %% nbgrader={"grade": false, "grade_id": "topk-error", "locked": false, "schema_version": 3, "solution": true, "task": false}
def topk_error(scores, labels, k):
    """The fraction of images whose label is not among the k highest scores.

    scores (N, K) floats, labels (N,) whole numbers, 1 <= k <= K. Returns one number in [0, 1].
    """
    ### BEGIN SOLUTION
    best = scores.topk(k).indices  # (N, k)
    hit = (best == labels[:, None]).any(dim=1)  # (N,)
    return 1 - hit.double().mean().item()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-topk-one", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Top-1: the highest score alone counts
scores = torch.tensor([[0.1, 0.5, 0.3, 0.0], [9.0, 7.0, 8.0, 1.0]])
labels = torch.tensor([2, 1])
check_number(float(topk_error(scores, labels, 1)), 1.0, "the top-1 error of the worked example")
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(601)
scores = torch.randn(40, 7, generator=generator)
labels = torch.randint(7, (40,), generator=generator)
want = sum(int(row.argmax() != label) for row, label in zip(scores, labels)) / 40
check_number(float(topk_error(scores, labels, 1)), want, "the top-1 error of 40 images", rtol=1e-6)
right = scores.argmax(dim=1)
check_close(float(topk_error(scores, right, 1)), 0.0, "the top-1 error where all is right")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-topk-five", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Top-k: k guesses, in any order
scores = torch.tensor([[0.1, 0.5, 0.3, 0.0], [9.0, 7.0, 8.0, 1.0]])
labels = torch.tensor([2, 1])
check_number(float(topk_error(scores, labels, 2)), 0.5, "the top-2 error of the worked example")
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(602)
scores = 3 * torch.randn(60, 11, generator=generator) - 20
labels = torch.randint(11, (60,), generator=generator)
# The number of classes with a higher score is the place of the label.
place = (scores > scores.gather(1, labels[:, None])).sum(dim=1)
for k in (3, 5, 10):
    want = (place >= k).double().mean().item()
    got = float(topk_error(scores, labels, k))
    check_number(got, want, f"the top-{k} error of 60 images", rtol=1e-6)
check_close(float(topk_error(scores, labels, 11)), 0.0, "the top-11 error with 11 classes")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **The numbers add up to 1 with the right ones**: you return the accuracy.
# - **Top-1 is right, top-5 far too large**: you divide by $kN$, or you ask whether *all* guesses are
#   the label.
# - **Always near 1**: are the $k$ columns the *largest*? `argsort` sorts upwards.
# - **A shape error, or nonsense, for `N ≠ k`**: compare `(N, k)` with `(N, 1)`: `labels[:, None]`.
#
# </details>
#
# ## Question 1 · What 15.3% stands for
#
# ILSVRC 2012: the winner's top-5 error on the test set was 15.3%, the runner-up's 26.2%. "AlexNet reduced
# the error by 10%", says a slide. Which is it: by how many *percentage points* did the error fall, and by
# how many percent *of the runner-up's error*?
#
# And: 15.3% is an average over seven networks, two of them pre-trained on all of ImageNet as it was in
# 2011 (15 million images). Which is the top-5 error of *one* AlexNet trained on ILSVRC data alone? The
# paper prints 18.2% (1 network), 16.4% (5 networks) and 15.4% (the 7 networks), all on the validation
# images.

# %% nbgrader={"grade": false, "grade_id": "q-points", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_points: percentage points
# q_relative: percent of the runner-up's error
# q_one_net: in percent, 18.2, 16.4 or 15.4
### BEGIN SOLUTION
q_points = 10.9
q_relative = 41.6
q_one_net = 18.2
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-points", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Points, percent, and one network
assert q_one_net in (18.2, 16.4, 15.4), "q_one_net should be 18.2, 16.4 or 15.4"
### BEGIN HIDDEN TESTS
check_number(q_points, 10.9, "q_points", rtol=0.005)
check_number(q_relative, 41.6, "q_relative", rtol=0.01)
check_number(q_one_net, 18.2, "q_one_net")
### END HIDDEN TESTS

# %% [markdown]
# An error rate says something only with its protocol: which images, how many networks, how many crops of
# each image. (AlexNet averages the softmax outputs of ten crops; a slide calls it a "vote". Lesson 11
# builds it.)
#
# ## Question 2 · Who, when, how deep
#
# Some networks in no order: `"ResNet"`, `"AlexNet"`, `"DenseNet"`, `"LeNet-5"`, `"VGG"`, `"ZFNet"`. Put
# them in the order of their appearance (first paper, preprints count). And how many times as deep as
# the network that won ILSVRC in 2012 was the one that won in 2015, counted in layers with weights?
# (Guess; the figure below gives the depths.)

# %% nbgrader={"grade": false, "grade_id": "q-history", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_order: a list of the six names, oldest first
# q_depth_factor: a whole number
### BEGIN SOLUTION
q_order = ["LeNet-5", "AlexNet", "ZFNet", "VGG", "ResNet", "DenseNet"]
q_depth_factor = 19
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-history", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Six networks in order, and the depth of 2015
names = {"LeNet-5", "AlexNet", "ZFNet", "VGG", "ResNet", "DenseNet"}
assert set(q_order) == names and len(q_order) == 6, (
    f"q_order should list each of {sorted(names)} once"
)
### BEGIN HIDDEN TESTS
order = ["LeNet-5", "AlexNet", "ZFNet", "VGG", "ResNet", "DenseNet"]
assert list(q_order) == order, "the order of q_order is not right"
check_number(q_depth_factor, 19, "q_depth_factor")
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true} tags=["illustration"]
leaders = [
    ("2010\nshallow", 28.2, 0),
    ("2011\nshallow", 25.8, 0),
    ("2012\nAlexNet", 16.4, 8),
    ("2013\nClarifai", 11.7, 8),
    ("2014\nVGG", 7.3, 19),
    ("2014\nGoogLeNet", 6.7, 22),
    ("2015\nResNet", 3.57, 152),
]
figure, (above, below) = plt.subplots(2, 1, figsize=(8.5, 4.6), sharex=True)
names = [name for name, _, _ in leaders]
bars = above.bar(names, [error for _, error, _ in leaders], color="tab:red", alpha=0.75)
above.bar_label(bars, [f"{error}%" for _, error, _ in leaders], fontsize=9)
above.set(ylabel="top-5 error, test, %", ylim=(0, 33), title="ILSVRC: fewer errors, more layers")
bars = below.bar(names, [depth for _, _, depth in leaders], color="tab:blue", alpha=0.75)
below.bar_label(bars, [str(depth or "–") for _, _, depth in leaders], fontsize=9)
below.set(ylabel="layers with weights", ylim=(0, 180))
for axis in (above, below):
    axis.spines[["top", "right"]].set_visible(False)
figure.tight_layout()
plt.show()

# %% [markdown]
# The bars are the contest's own: ensembles, no outside data (AlexNet with its seven networks: 15.3%).
# 2013 was won by Clarifai, the company of ZFNet's first author. In 2014 GoogLeNet came first in
# classification and VGG second; VGG came first in *localisation*. The 152-layer ResNet of 2015 brought
# 3.57% as an ensemble of six. Then DenseNet (August 2016) and MobileNet (2017), which did not compete.
#
# **Why 2012?** Most of AlexNet's parts were old: convolutional networks go back to Fukushima's
# Neocognitron (1980) and to LeCun (1989), and rectifiers to Fukushima (1969), Jarrett and others (2009)
# and Nair and Hinton (2010). What came together were *much labelled data* (ImageNet), a *deep, large*
# network, *back-propagation on GPUs*, and *a number of small tweaks*: ReLU, dropout, augmentation. The
# second reason why CNNs are everywhere today is that their features *transfer* to other tasks (lesson
# 12).
#
# **The papers people read.** A count of citations from about 2020, most cited first, shows how the field
# thinks of that decade:
#
# | cited | year | paper |
# |---|---|---|
# | 56,236 | 2012 | ImageNet Classification with Deep CNNs (AlexNet) |
# | 38,731 | 2016 | Deep Residual Learning (ResNet) |
# | 37,276 | 2015 | Adam: a Method for Stochastic Optimization |
# | 33,834 | 2015 | Very Deep CNNs (VGG) |
# | 19,159 | 2015 | Going Deeper with Convolutions (GoogLeNet) |
# | 17,715 | 2014 | Dropout |
# | 15,873 | 2015 | Faster R-CNN (object detection) |
# | 15,802 | 2014 | Generative Adversarial Nets |
# | 15,717 | 2015 | Batch Normalization |
# | 14,010 | 2015 | Fully Convolutional Networks (segmentation) |
#
# ## Question 3 · Counting images, sorting papers
#
# How many training images does an ILSVRC class have on average? Which ingredient of AlexNet was decades
# old in 2012: `"training on GPUs"`, `"a million labelled images"` or `"the convolutional layer"`? And
# how many of the ten papers above are about *how to train* (an optimizer, a regulariser, a normaliser)
# instead of what to build?

# %% nbgrader={"grade": false, "grade_id": "q-imagenet", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_per_class: images
# q_not_new: one of the three texts
# q_training_papers: a whole number
### BEGIN SOLUTION
q_per_class = 1280
q_not_new = "the convolutional layer"
q_training_papers = 3
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-imagenet", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# ILSVRC's size, what was old in 2012, papers on training
options = ("training on GPUs", "a million labelled images", "the convolutional layer")
assert q_not_new in options, f"q_not_new should be one of {options}"
### BEGIN HIDDEN TESTS
check_number(q_per_class, 1281, "q_per_class", rtol=0.02)
check_choice(q_not_new, "the convolutional layer", options, "q_not_new")
check_number(q_training_papers, 3, "q_training_papers")
### END HIDDEN TESTS

# %% [markdown]
# ## Part 2 · The engine
#
# In lesson 02 you added up the cost of a network that was written as a list. Real networks are Python
# objects with branches, shared layers and loops, so the list is not there. Two tools make the table all
# the same.
#
# **A forward hook** is a function that PyTorch calls each time a layer has computed its output:
#
# ```python
# def hook(layer, inputs, output):   # inputs is a tuple of tensors
#     print(type(layer).__name__, tuple(output.shape))
#
# handle = layer.register_forward_hook(hook)   # from now on
# handle.remove()                              # until here
# ```
#
# Put one on every layer, send one image through, and each layer reports itself, in the order in which
# they were called.

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axis = plt.subplots(figsize=(9.5, 2.5))
boxes = ["image\n3×227×227", "Conv2d", "ReLU", "MaxPool2d", "Linear", "scores"]
reports = ["64×56×56", "64×56×56", "64×27×27", "1000"]
for place, name in enumerate(boxes):
    inner = 0 < place < len(boxes) - 1
    color = COLORS.get(name, "0.85") if inner else "white"
    axis.add_patch(
        plt.Rectangle((place * 2, 1), 1.3, 0.8, facecolor=color, alpha=0.55, edgecolor="0.2")
    )
    axis.text(place * 2 + 0.65, 1.4, name, ha="center", va="center", fontsize=9)
    if place:
        axis.annotate(
            "", (place * 2 - 0.05, 1.4), (place * 2 - 0.65, 1.4), arrowprops={"arrowstyle": "->"}
        )
    if inner:
        axis.annotate("", (place * 2 + 0.65, 0.45), (place * 2 + 0.65, 0.98), arrowprops={"arrowstyle": "->", "color": "crimson"})  # fmt: skip
        axis.text(
            place * 2 + 0.65,
            0.22,
            f"row {place}: {reports[place - 1]}",
            ha="center",
            fontsize=9,
            color="crimson",
        )
axis.text(0.65, 0.6, "hooks:", color="crimson", ha="center", fontsize=10)
axis.set(xlim=(-0.2, 11.5), ylim=(0, 2))
axis.axis("off")
plt.show()

# %% [markdown]
# **The meta device** holds tensors that have a shape and a dtype and no numbers. Every operation on them
# computes the *shape* of its result and stops there. VGG-16 has 138 million parameters, half a gigabyte;
# on the meta device it takes no memory, and a forward pass takes milliseconds.

# %%
with torch.device("meta"):  # whatever is created in this block is created without numbers
    layer = nn.Conv2d(3, 64, 11, stride=4, padding=2)
output = layer(torch.zeros(1, 3, 227, 227, device="meta"))  # (1, 64, 56, 56)
print(
    tuple(output.shape), "on", output.device, "·", layer.weight.numel(), "weights that are nowhere"
)

# %% [markdown]
# ## Exercise 2 · Parameters of a layer
#
# Write `layer_params(layer)`: how many numbers of this layer does gradient descent *learn*? `layer` is
# a module without children, such as `nn.Conv2d`, `nn.Linear`, `nn.BatchNorm2d`, `nn.MaxPool2d`,
# `nn.ReLU`, or one of your own. Learned numbers are those in `layer.parameters()`: weights and biases.
# Buffers, such as the running mean of a batch norm, are measured, not learned.
#
# *Worked example.* `nn.Conv2d(3, 64, 3)`: $64 \cdot (3 \cdot 3 \cdot 3 + 1) = 1{,}792$.
# `nn.BatchNorm2d(64)`: 64 scales and 64 shifts, 128.


# %% nbgrader={"grade": false, "grade_id": "layer-params", "locked": false, "schema_version": 3, "solution": true, "task": false}
def layer_params(layer):
    """The number of learned numbers of a module without children; buffers do not count."""
    ### BEGIN SOLUTION
    return sum(parameter.numel() for parameter in layer.parameters())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-layer-params", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Weights and biases


@in_submission
def count_layers(layer_params, kinds):
    """layer_params of layers given as (name in torch.nn, arguments, keywords)."""
    import torch

    with torch.device("meta"):
        layers = [getattr(torch.nn, name)(*args, **kwargs) for name, args, kwargs in kinds]
    return [int(layer_params(layer)) for layer in layers]


kinds = [["Conv2d", [3, 64, 3], {}], ["Linear", [10, 4], {}]]
check_close(
    count_layers(layer_params, kinds),
    [1792, 44],
    "the parameters of Conv2d(3, 64, 3), Linear(10, 4)",
)
### BEGIN HIDDEN TESTS
kinds = [
    ["Conv2d", [3, 64, 3], {"bias": False}],
    ["Conv2d", [5, 7, [2, 3]], {}],
    ["Conv2d", [6, 9, 3], {"groups": 3, "stride": 2}],
    ["Linear", [9216, 4096], {}],
    ["Linear", [7, 3], {"bias": False}],
    ["PReLU", [5], {}],
]
want = [1728, 7 * 31, 9 * 19, 37_752_832, 21, 5]
for kind, got, number in zip(kinds, count_layers(layer_params, kinds), want, strict=True):
    check_number(got, number, f"the number of parameters of {kind}")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-layer-params-none", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Buffers are not learned, and pooling has nothing to learn


@in_submission
def count_layers(layer_params, kinds):
    """layer_params of layers given as (name in torch.nn, arguments, keywords)."""
    import torch

    with torch.device("meta"):
        layers = [getattr(torch.nn, name)(*args, **kwargs) for name, args, kwargs in kinds]
    return [int(layer_params(layer)) for layer in layers]


kinds = [["BatchNorm2d", [64], {}], ["ReLU", [], {}]]
check_close(
    count_layers(layer_params, kinds), [128, 0], "the parameters of BatchNorm2d(64), ReLU()"
)
### BEGIN HIDDEN TESTS
kinds = [
    ["BatchNorm2d", [9], {"affine": False}],
    ["BatchNorm1d", [7], {}],
    ["MaxPool2d", [3, 2], {}],
    ["AvgPool2d", [2], {}],
    ["Dropout", [], {}],
    ["LocalResponseNorm", [5], {}],
    ["Flatten", [], {}],
]
want = [0, 14, 0, 0, 0, 0, 0]
for kind, got, number in zip(kinds, count_layers(layer_params, kinds), want, strict=True):
    check_number(got, number, f"the number of parameters of {kind}")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **BatchNorm2d(64) has 257**: `state_dict()` holds the running mean, the running variance and a
#   counter as well. They are buffers.
# - **The convolution lacks 64**: a bias for each filter.
#
# </details>
#
# ## Exercise 3 · Work of a layer
#
# Write `layer_macs(layer, in_shape, out_shape)`: the multiply-adds of one image. The shapes are those
# of one image's input and output, without the batch: `(C, H, W)` for a convolution. What counts:
#
# - `nn.Conv2d`: every output number costs $K_H K_W C_{in} / g$ MACs, with $g$ groups;
# - `nn.Linear`: every output number costs one MAC for each input feature;
# - everything else: 0. (Biases, comparisons, ReLUs and normalisations are cheap and left out of tables.)
#
# *Worked example.* `nn.Conv2d(3, 2, 3)` from `(3, 5, 5)` to `(2, 3, 3)`: 18 outputs at 27 MACs, 486.


# %% nbgrader={"grade": false, "grade_id": "layer-macs", "locked": false, "schema_version": 3, "solution": true, "task": false}
def layer_macs(layer, in_shape, out_shape):
    """Multiply-adds of one image in a module without children: Conv2d and Linear, 0 for all else.

    in_shape, out_shape: one image's input and output, without the batch. Returns a whole number.
    """
    ### BEGIN SOLUTION
    if isinstance(layer, nn.Conv2d):
        kernel_height, kernel_width = layer.kernel_size
        per_output = kernel_height * kernel_width * in_shape[0] // layer.groups
    elif isinstance(layer, nn.Linear):
        per_output = in_shape[-1]
    else:
        per_output = 0
    return per_output * math.prod(out_shape)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-layer-macs-conv", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Work of a convolution: per output number, not per input


@in_submission
def work(layer_macs, cases):
    """layer_macs of cases given as (name in torch.nn, arguments, keywords, input, output)."""
    import torch

    with torch.device("meta"):
        layers = [getattr(torch.nn, name)(*args, **kwargs) for name, args, kwargs, *_ in cases]
    return [
        int(layer_macs(layer, tuple(case[3]), tuple(case[4]))) for layer, case in zip(layers, cases)
    ]


case = ["Conv2d", [3, 2, 3], {}, [3, 5, 5], [2, 3, 3]]
check_close(work(layer_macs, [case]), [486], "the MACs of Conv2d(3, 2, 3) on (3, 5, 5)")
### BEGIN HIDDEN TESTS
cases = [
    ["Conv2d", [3, 64, 11], {"stride": 4, "padding": 2}, [3, 227, 227], [64, 56, 56]],
    ["Conv2d", [5, 6, [3, 2]], {"stride": [2, 1]}, [5, 9, 7], [6, 4, 6]],
    ["Conv2d", [4, 8, 3], {"bias": False, "padding": 1}, [4, 6, 5], [8, 6, 5]],
    ["Conv2d", [4, 4, 3], {"dilation": 2}, [4, 9, 8], [4, 5, 4]],
]
want = [72_855_552, 30 * 6 * 24, 36 * 8 * 30, 36 * 4 * 20]
for case, got, number in zip(cases, work(layer_macs, cases), want, strict=True):
    check_number(got, number, f"the MACs of {case[0]}, {case[1]}, {case[2]} on {case[3]}")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-layer-macs-rest", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Groups, linear layers, and layers that count as free


@in_submission
def work(layer_macs, cases):
    """layer_macs of cases given as (name in torch.nn, arguments, keywords, input, output)."""
    import torch

    with torch.device("meta"):
        layers = [getattr(torch.nn, name)(*args, **kwargs) for name, args, kwargs, *_ in cases]
    return [
        int(layer_macs(layer, tuple(case[3]), tuple(case[4]))) for layer, case in zip(layers, cases)
    ]


case = ["Linear", [10, 4], {}, [10], [4]]
check_close(work(layer_macs, [case]), [40], "the MACs of Linear(10, 4)")
### BEGIN HIDDEN TESTS
cases = [
    ["Conv2d", [6, 9, 3], {"groups": 3}, [6, 5, 8], [9, 3, 6]],
    ["Conv2d", [8, 8, 5], {"groups": 8, "padding": 2}, [8, 7, 7], [8, 7, 7]],
    ["Linear", [9216, 4096], {"bias": False}, [9216], [4096]],
    ["Linear", [6, 3], {}, [5, 6], [5, 3]],  # applied to each of five rows
    ["MaxPool2d", [3, 2], {}, [4, 9, 9], [4, 4, 4]],
    ["BatchNorm2d", [4], {}, [4, 9, 9], [4, 9, 9]],
    ["ReLU", [], {}, [4, 9, 9], [4, 9, 9]],
]
want = [18 * 9 * 18, 25 * 8 * 49, 37_748_736, 5 * 18, 0, 0, 0]
for case, got, number in zip(cases, work(layer_macs, cases), want, strict=True):
    check_number(got, number, f"the MACs of {case[0]}, {case[1]}, {case[2]} on {case[3]}")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Too large where the stride is 2 or 4**: work is done once for each *output* number.
# - **Twice too large**: a MAC is one multiplication *with* its addition. FLOPs are 2 MACs.
# - **Too large with groups**: look at `layer.weight.shape`. A filter of a grouped layer sees $C_{in}/g$
#   channels.
# - **AttributeError for ReLU or pooling**: those have no `weight`. Ask for the kind of layer first.
#
# </details>
#
# ## Exercise 4 · The table of a network
#
# Write `layer_table(net, in_shape)`. `net` is any `nn.Module`, on the CPU or on the meta device;
# `in_shape` is one image's shape, such as `(3, 224, 224)`. Send one image (a batch of 1) through a
# **copy of the network on the meta device, in eval mode**, and return a list with one dict for each
# *call* of each **leaf** (a module without children), in the order of the calls:
#
# | key | value |
# |---|---|
# | `"name"` | the leaf's name in `net.named_modules()`: `"conv1"`, `"features.0"` … |
# | `"kind"` | the name of its class: `"Conv2d"`, `"ReLU"` … |
# | `"out"` | the shape of its output without the batch, a tuple |
# | `"kb"` | memory of that output in KB: 4 bytes a number, 1024 bytes a KB |
# | `"params"` | by `layer_params` |
# | `"macs"` | by `layer_macs` |
#
# Two rules. A leaf that is called twice (a shared layer) has two rows, with the work in both and the
# **parameters in the first only**: they exist once. And **`net` stays as it was**: its weights and
# buffers, its device, its mode, and without hooks. `copy.deepcopy(net)` makes a copy, and `.to("meta")`
# on that copy forgets its numbers.
#
# *Worked example.* `nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())` on `(1, 6, 5)`:
#
# `[{"name": "0", "kind": "Conv2d", "out": (2, 4, 3), "kb": 0.09375, "params": 20, "macs": 216},`
# ` {"name": "1", "kind": "ReLU", "out": (2, 4, 3), "kb": 0.09375, "params": 0, "macs": 0}]`


# %% nbgrader={"grade": false, "grade_id": "layer-table", "locked": false, "schema_version": 3, "solution": true, "task": false}
def layer_table(net, in_shape):
    """The table of a network: a dict for each call of each leaf, in the order of the calls.

    net: an nn.Module, left as it was. in_shape: one image's shape, without the batch.
    Keys: "name", "kind", "out" (tuple without the batch), "kb", "params", "macs".
    """
    ### BEGIN SOLUTION
    shadow = copy.deepcopy(net).to("meta").eval()
    rows, seen = [], set()

    def reporter(name):
        def hook(layer, inputs, output):
            before, after = inputs[0].shape[1:], output.shape[1:]
            rows.append(
                {
                    "name": name,
                    "kind": type(layer).__name__,
                    "out": tuple(after),
                    "kb": 4 * math.prod(after) / 1024,
                    "params": 0 if layer in seen else layer_params(layer),
                    "macs": layer_macs(layer, before, after),
                }
            )
            seen.add(layer)

        return hook

    for name, layer in shadow.named_modules():
        if not list(layer.children()):
            layer.register_forward_hook(reporter(name))
    shadow(torch.empty(1, *in_shape, device="meta"))
    return rows
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-layer-table-rows", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# One row a call, in the order of the calls


@in_submission
def rows_of(layer_table, number, in_shape):
    """The table of a small network: 0 a Sequential, 1 nested, 2 with branches and its own order."""
    import torch
    from torch import nn

    class Branches(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Conv2d(7, 5, 1)  # registered first, called last
            self.left = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1, stride=2), nn.ReLU())
            self.right = nn.Conv2d(2, 4, 1, stride=2)
            self.never = nn.Linear(3, 3)

        def forward(self, x):
            return self.last(torch.cat([self.left(x), self.right(x)], dim=1))

    if number == 0:
        net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    elif number == 1:
        net = nn.Sequential()
        net.features = nn.Sequential(
            nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.MaxPool2d(2)
        )
        net.head = nn.Sequential(nn.Flatten(), nn.Linear(8, 5))
    else:
        net = Branches()
    return [dict(row) for row in layer_table(net, tuple(in_shape))]


rows = rows_of(layer_table, 0, (1, 6, 5))
keys = ["kb", "kind", "macs", "name", "out", "params"]
assert all(sorted(row) == keys for row in rows), f"each row should have the keys {keys}"
found = [(row["name"], row["kind"]) for row in rows]
assert found == [("0", "Conv2d"), ("1", "ReLU")], f"the names and kinds are {found}"
### BEGIN HIDDEN TESTS
found = [(row["name"], row["kind"]) for row in rows_of(layer_table, 1, (3, 10, 6))]
want = [("features.0", "Conv2d"), ("features.1", "BatchNorm2d"), ("features.2", "MaxPool2d")]
want += [("head.0", "Flatten"), ("head.1", "Linear")]
assert found == want, f"the names and kinds of a network with two parts are {found}"
found = [(row["name"], row["kind"]) for row in rows_of(layer_table, 2, (2, 6, 8))]
want = [("left.0", "Conv2d"), ("left.1", "ReLU"), ("right", "Conv2d"), ("last", "Conv2d")]
assert found == want, f"the names and kinds of a network with branches are {found}"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-layer-table-outputs", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Output shapes and their memory


@in_submission
def outputs_of(layer_table, in_shape):
    """Shapes and KB of a network with branches and a pooling layer."""
    import torch
    from torch import nn

    class Branches(nn.Module):
        def __init__(self):
            super().__init__()
            self.left = nn.Conv2d(3, 8, (3, 5), padding=(1, 2), stride=(2, 1))
            self.right = nn.Conv2d(3, 4, 1, stride=(2, 1))
            self.pool = nn.MaxPool2d(3, 2)
            self.flat = nn.Flatten()

        def forward(self, x):
            return self.flat(self.pool(torch.cat([self.left(x), self.right(x)], dim=1)))

    net = Branches()
    return [[list(row["out"]), row["kb"]] for row in layer_table(net, tuple(in_shape))]


table = outputs_of(layer_table, (3, 8, 8))
assert len(table) == 4, f"four layers should give four rows, not {len(table)}"
check_close(table[0][0], (8, 4, 8), "the output of the first layer")
check_close(table[0][1], 1.0, "its memory in KB")
### BEGIN HIDDEN TESTS
table = outputs_of(layer_table, (3, 21, 14))
for (out, kb), want in zip(table, [(8, 11, 14), (4, 11, 14), (12, 5, 6), (360,)], strict=True):
    check_close(out, want, "an output shape of a network with branches")
    check_close(kb, math.prod(want) / 256, f"the KB of a {want} output")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-layer-table-costs", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Parameters and work in the table; a shared layer's parameters count once


@in_submission
def costs_of(layer_table, shared):
    """Parameters and MACs of a plain network, or of one that calls a convolution twice."""
    import torch
    from torch import nn

    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)
            self.pool = nn.MaxPool2d(2)

        def forward(self, x):
            return self.conv(self.pool(self.conv(x)))

    if shared:
        net, shape = Twice(), (3, 6, 8)
    else:
        net, shape = (
            nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(24, 5)),
            (1, 6, 5),
        )
    return [[row["params"], row["macs"]] for row in layer_table(net, shape)]


want = [[20, 216], [4, 0], [0, 0], [125, 120]]
check_close(
    costs_of(layer_table, False), want, "parameters and MACs of conv, batch norm, flatten, linear"
)
### BEGIN HIDDEN TESTS
want = [[84, 81 * 48], [0, 0], [0, 81 * 12]]
check_close(costs_of(layer_table, True), want, "parameters and MACs of a shared convolution")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-layer-table-unchanged", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The network stays as it was


@in_submission
def traces(layer_table):
    """What layer_table leaves behind in a network on the CPU that is in training mode."""
    import torch
    from torch import nn

    torch.manual_seed(5)
    net = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Dropout(), nn.ReLU())
    net[2].eval()  # modes of its own
    before = {name: value.clone() for name, value in net.state_dict().items()}
    layer_table(net, (2, 5, 5))
    layer_table(net, (2, 7, 6))
    after = net.state_dict()
    return {
        "devices": sorted({value.device.type for value in after.values()}),
        "same": [
            name
            for name in before
            if after[name].device.type == "meta" or not torch.equal(before[name], after[name])
        ],
        "modes": [module.training for module in net],
        "hooks": sum(len(module._forward_hooks) for module in net.modules()),
    }


left = traces(layer_table)
assert left["devices"] == ["cpu"], f"the network was on the cpu; it is on {left['devices']}"
### BEGIN HIDDEN TESTS
assert not left["same"], f"layer_table changed {left['same']} of the network"
assert left["modes"] == [True, True, False, True], "layer_table changed the mode of a layer"
assert left["hooks"] == 0, f"layer_table left {left['hooks']} hooks on the network"


@in_submission
def ends_in_batch_norm(layer_table):
    """The rows of a network that cannot take one image in training mode, which it is in."""
    from torch import nn

    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.BatchNorm1d(4))
    return [list(row["out"]) for row in layer_table(net, (3, 2, 2))]


shapes = ends_in_batch_norm(layer_table)
check_close(shapes[1:], [[4], [4]], "outputs of a network with a batch norm over one number")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Every row has the same name**: the hook looks its name up when it is *called*, after your loop has
#   ended. Make the hook in a function of its own that takes the name, or give it a default: `def
#   hook(…, name=name)`.
# - **The rows are not in the order of the calls**: collect them in the hook, not in the loop.
# - **Rows for `""`, `"features"`, `"head"`**: containers have children; leaves have none.
# - **"Expected more than 1 value per channel when training"**: batch norm refuses a batch of one in
#   training mode. Call `.eval()` on the copy.
# - **"Expected all tensors to be on the same device"**: network and image both have to be on `"meta"`.
# - **The network is on the meta device afterwards**: `.to(…)` changes a *module* in place. Copy it first.
#
# </details>
#
# The helpers below print a table, add up one of its columns, and draw it. `total` can be limited to some
# kinds of layers, which will turn out to matter.

# %% nbgrader={"grade": false, "grade_id": "table-helpers", "locked": true, "schema_version": 3, "solution": false, "task": false}
SHOWN = ("Conv2d", "MaxPool2d", "Linear", "LocalResponseNorm")


def total(rows, column, kinds=None):
    """The sum of a column of a table over all rows, or over those whose kind is in kinds."""
    return sum(row[column] for row in rows if kinds is None or row["kind"] in kinds)


def print_table(rows, kinds=SHOWN):
    """Print a table, one line for each row of one of the kinds, and the sums over all rows."""
    print(f"{'layer':10}{'kind':18}{'output':>14}{'KB':>10}{'parameters':>14}{'million MACs':>14}")
    for row in rows:
        if row["kind"] in kinds:
            out = "×".join(str(number) for number in row["out"])
            line = f"{row['name']:10}{row['kind']:18}{out:>14}{row['kb']:>10,.1f}"
            print(f"{line}{row['params']:>14,}{row['macs'] / 1e6:>14,.2f}")
    print(
        f"all rows: {total(rows, 'params'):,} parameters, {total(rows, 'macs') / 1e9:.3f} billion MACs"
    )


def draw_table(rows, title, kinds=SHOWN):
    """Bars for memory, parameters and work of the layers of these kinds."""
    rows = [row for row in rows if row["kind"] in kinds]
    columns = {
        "memory, KB": [row["kb"] for row in rows],
        "parameters, thousands": [row["params"] / 1e3 for row in rows],
        "MACs, millions": [row["macs"] / 1e6 for row in rows],
    }
    colors = [COLORS[row["kind"]] for row in rows]
    return layer_bars([row["name"] for row in rows], columns, colors=colors, title=title)


# %% [markdown]
# ## Part 3 · AlexNet with 64 filters
#
# Two different networks are called AlexNet. The one of the 2012 paper had 96 filters in its first layer
# and was split over two GPUs. In 2014 Krizhevsky published a simpler variant for one GPU, with 64
# filters ("One weird trick for parallelizing convolutional neural networks"); that is the `alexnet` of
# torchvision, and of the table below. We begin with it.
#
# Both look like a large LeNet: five convolutions, three fully connected (FC) layers, ReLUs, some
# max-pooling.
#
# ## Question 4 · Does the input fit?
#
# The first layer has 11 × 11 filters with stride 4. The 2012 paper says that the input is 224 × 224,
# without a word of padding. A slide gives the formula $W' = \frac{W - F + 2P}{S + 1}$ and, as a hint,
# $(227-11)/4+1$. Compute: what does the slide's formula, typed as printed, give for $W = 227$, $F = 11$,
# $P = 0$, $S = 4$? And what is $W'$ *by the right formula* (lesson 02, floor) for 224 with padding 2, and
# for 227 with padding 2?

# %% nbgrader={"grade": false, "grade_id": "q-first-size", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_as_printed: the value of the printed formula
# q_224_pad2, q_227_pad2: the side of the first feature map
### BEGIN SOLUTION
q_as_printed = 43.2
q_224_pad2 = 55
q_227_pad2 = 56
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-first-size", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# A misprinted formula, and the sizes that the right one gives
for name, answer in {
    "q_as_printed": q_as_printed,
    "q_224_pad2": q_224_pad2,
    "q_227_pad2": q_227_pad2,
}.items():
    check_number(answer, answer, name)  # is it one number?
### BEGIN HIDDEN TESTS
check_number(q_as_printed, 43.2, "q_as_printed", rtol=0.002)
check_number(q_224_pad2, 55, "q_224_pad2")
check_number(q_227_pad2, 56, "q_227_pad2")
### END HIDDEN TESTS

# %%
for size, padding in ((227, 0), (224, 0), (224, 2), (227, 2)):
    exact = (size - 11 + 2 * padding) / 4 + 1
    print(f"input {size}, padding {padding}: {exact:g}, floor {math.floor(exact)}")

# %% [markdown]
# 224 without padding gives 54.25, so the paper's number cannot be the whole truth. People repaired it
# in two ways: 227 without padding (55, used for the 96-filter network) or 224 with padding 2 (55 after
# the floor, torchvision). The table below mixes them: 227 *and* padding 2, which gives 56. We follow
# it, to be able to audit it.
#
# ## Exercise 5 · AlexNet of 2014
#
# Write `alexnet_2014(channels=(64, 192, 384, 256, 256), hidden=4096, classes=1000)`. It returns an
# `nn.Sequential` of these layers under these names (`nn.Sequential(OrderedDict(conv1=…, relu1=…))`, or
# `net.add_module(name, layer)`):
#
# | names, in order | layers |
# |---|---|
# | `conv1` `relu1` `pool1` | 3 → `channels[0]`, kernel 11, stride 4, padding 2 · ReLU · max-pooling 3 × 3, stride 2 |
# | `conv2` `relu2` `pool2` | → `channels[1]`, kernel 5, padding 2 · ReLU · the same pooling |
# | `conv3` `relu3` | → `channels[2]`, kernel 3, padding 1 · ReLU |
# | `conv4` `relu4` | → `channels[3]`, kernel 3, padding 1 · ReLU |
# | `conv5` `relu5` `pool5` | → `channels[4]`, kernel 3, padding 1 · ReLU · the same pooling |
# | `flatten` | for inputs of 224 or 227 pixels, `channels[4]` maps of 6 × 6 arrive here |
# | `fc6` `relu6` `drop6` | → `hidden` · ReLU · dropout 0.5 |
# | `fc7` `relu7` `drop7` | → `hidden` · ReLU · dropout 0.5 |
# | `fc8` | → `classes`: the logits, no softmax |
#
# All layers have biases. (Small `channels` make a small relative that really computes; the tests use
# one.)


# %% nbgrader={"grade": false, "grade_id": "alexnet-2014", "locked": false, "schema_version": 3, "solution": true, "task": false}
def alexnet_2014(channels=(64, 192, 384, 256, 256), hidden=4096, classes=1000):
    """AlexNet for one GPU: an nn.Sequential with the layers of the table, by name.

    Maps (N, 3, 227, 227), or 224, to logits (N, classes).
    """
    ### BEGIN SOLUTION
    c1, c2, c3, c4, c5 = channels
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-alexnet-2014-layers", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The layers and their names, in order


@in_submission
def layers_of(make, arguments, meta):
    """Names and kinds of a network's layers, and the rate of each dropout."""
    import torch

    with torch.device("meta" if meta else "cpu"):
        net = make(**arguments)
    layers = [[name, type(layer).__name__] for name, layer in net.named_children()]
    return layers, [layer.p for layer in net if type(layer).__name__ == "Dropout"]


layers, rates = layers_of(alexnet_2014, {}, True)
names = (
    "conv1 relu1 pool1 conv2 relu2 pool2 conv3 relu3 conv4 relu4 conv5 relu5 pool5 flatten".split()
)
names += "fc6 relu6 drop6 fc7 relu7 drop7 fc8".split()
assert [name for name, _ in layers] == names, f"the names are {[name for name, _ in layers]}"
### BEGIN HIDDEN TESTS
kinds = {
    "conv": "Conv2d",
    "relu": "ReLU",
    "pool": "MaxPool2d",
    "fc": "Linear",
    "drop": "Dropout",
    "flatten": "Flatten",
}
for name, kind in layers:
    want = kinds[name.rstrip("0123456789")]
    assert kind == want, f"{name} should be a {want}, it is a {kind}"
check_close(rates, [0.5, 0.5], "the dropout rates")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-alexnet-2014-size", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The published number of parameters, and the shapes on the way


@in_submission
def sizes_of(make, arguments, in_shape):
    """Parameters of each layer, and the shape after each, on the meta device."""
    import torch

    with torch.device("meta"):
        net, x = make(**arguments), torch.zeros(2, *in_shape)
    table = []
    for name, layer in net.named_children():
        x = layer(x)
        table.append([name, list(x.shape), sum(p.numel() for p in layer.parameters())])
    return table


table = sizes_of(alexnet_2014, {}, (3, 227, 227))
check_number(sum(params for *_, params in table), 61_100_840, "the number of all parameters")
### BEGIN HIDDEN TESTS
shapes = {name: shape for name, shape, _ in table}
for name, want in {"conv1": (64, 56, 56), "pool1": (64, 27, 27), "conv2": (192, 27, 27), "pool2": (192, 13, 13), "conv3": (384, 13, 13), "conv4": (256, 13, 13), "conv5": (256, 13, 13), "pool5": (256, 6, 6), "fc6": (4096,), "fc7": (4096,), "fc8": (1000,)}.items():  # fmt: skip
    check_close(shapes[name], (2, *want), f"the shape after {name}")
small = {"channels": (4, 5, 7, 6, 3), "hidden": 11, "classes": 9}
table = sizes_of(alexnet_2014, small, (3, 224, 224))
want = [4 * 364, 5 * 101, 7 * 46, 6 * 64, 3 * 55, 11 * 109, 11 * 12, 9 * 12]
check_close(
    [params for *_, params in table if params],
    want,
    "the parameters of a small relative, layer by layer",
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-alexnet-2014-logits", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Logits of a small relative with weights of ours
net = alexnet_2014(channels=(2, 3, 4, 3, 2), hidden=5, classes=4)
net.eval()
check_shape(net(torch.zeros(2, 3, 227, 227)), (2, 4), "the logits of two images")
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(610)
sizes = {"conv1": (4, 3, 11, 11), "conv2": (5, 4, 5, 5), "conv3": (6, 5, 3, 3), "conv4": (5, 6, 3, 3), "conv5": (3, 5, 3, 3), "fc6": (8, 108), "fc7": (8, 8), "fc8": (7, 8)}  # fmt: skip
weights = {}
for name, size in sizes.items():
    weights[f"{name}.weight"] = (
        torch.randn(size, generator=generator) * (2 / math.prod(size[1:])) ** 0.5
    )
    weights[f"{name}.bias"] = torch.randn(size[0], generator=generator) / 5
x = torch.randn(2, 3, 227, 227, generator=generator)
pair_of = {name: (weights[f"{name}.weight"], weights[f"{name}.bias"]) for name in sizes}
u = F.max_pool2d(F.relu(F.conv2d(x, *pair_of["conv1"], stride=4, padding=2)), 3, 2)
u = F.max_pool2d(F.relu(F.conv2d(u, *pair_of["conv2"], padding=2)), 3, 2)
u = F.relu(F.conv2d(u, *pair_of["conv3"], padding=1))
u = F.relu(F.conv2d(u, *pair_of["conv4"], padding=1))
u = F.max_pool2d(F.relu(F.conv2d(u, *pair_of["conv5"], padding=1)), 3, 2)
u = F.relu(F.linear(u.flatten(1), *pair_of["fc6"]))
want = F.linear(F.relu(F.linear(u, *pair_of["fc7"])), *pair_of["fc8"])
net = alexnet_2014(channels=(4, 5, 6, 5, 3), hidden=8, classes=7)
net.load_state_dict(weights)
net.eval()
check_close(net(x), want, "the logits of a small relative", rtol=1e-3, atol=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **"mat1 and mat2 shapes cannot be multiplied"**: `fc6` takes `channels[4]` · 6 · 6 numbers.
# - **Unexpected names**: `nn.Sequential(a, b)` calls its layers "0" and "1". Hand it one `OrderedDict`.
# - **13 pixels become 11**: the later convolutions have a padding of half the kernel.
#
# </details>
#
# ## Question 5 · Where is what?
#
# Predict, before you draw the table: in this network, is most of it in the convolutions (`"conv"`) or
# in the FC layers (`"fc"`)? The memory of the outputs; the parameters; the work in MACs. And how many
# percent of the parameters are in FC layers (within 3)?

# %% nbgrader={"grade": false, "grade_id": "q-where", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_memory, q_parameters, q_work: "conv" or "fc"
# q_fc_percent: percent of all parameters
### BEGIN SOLUTION
q_memory, q_parameters, q_work = "conv", "fc", "conv"
q_fc_percent = 96
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-where", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Where memory, parameters and work are
answers = {"q_memory": q_memory, "q_parameters": q_parameters, "q_work": q_work}
for name, answer in answers.items():
    assert answer in ("conv", "fc"), f'{name} should be "conv" or "fc"'
### BEGIN HIDDEN TESTS
for (name, answer), want in zip(answers.items(), ("conv", "fc", "conv")):
    check_choice(answer, want, ("conv", "fc"), name)
check_number(q_fc_percent, 96, "q_fc_percent", rtol=3.1 / 96)
### END HIDDEN TESTS

# %%
with torch.device("meta"):
    rows = layer_table(alexnet_2014(), (3, 227, 227))
print_table(rows)

# %% jupyter={"source_hidden": true} tags=["illustration"]
with torch.device("meta"):
    rows = layer_table(alexnet_2014(), (3, 227, 227))
figure, axis = plt.subplots(figsize=(11, 2.6))
draw_maps(
    axis,
    rows,
    "AlexNet with 64 filters: maps get smaller and deeper (height: pixels; width: √channels)",
)
plt.show()
draw_table(
    rows, "AlexNet with 64 filters, input 3×227×227 (blue: convolution, orange: pooling, red: FC)"
)
plt.show()
share = total(rows, "params", ("Linear",)) / total(rows, "params")
work = total(rows, "macs", ("Conv2d",)) / total(rows, "macs")
print(f"FC layers have {share:.1%} of the parameters, convolutions do {work:.1%} of the work")

# %% [markdown]
# Three bars, three places: **memory in the early convolutions, parameters in the FC layers, work in the
# convolutions.** conv1, pool1 and conv2 alone hold two thirds of the memory drawn here.
#
# ## Exercise 6 · An auditor
#
# Here is a table from a lecture, reprinted in many courses: memory in KB, parameters in thousands,
# "flop" in millions. In every cell the author gave a whole number, perhaps rounded, perhaps cut off.

# %% nbgrader={"grade": false, "grade_id": "printed-2014", "locked": true, "schema_version": 3, "solution": false, "task": false}
PRINTED_2014 = {
    "conv1": {"kb": 784, "params": 23, "macs": 73},
    "pool1": {"kb": 182, "params": 0, "macs": 0},
    "conv2": {"kb": 547, "params": 307, "macs": 224},
    "pool2": {"kb": 127, "params": 0, "macs": 0},
    "conv3": {"kb": 254, "params": 664, "macs": 112},
    "conv4": {"kb": 169, "params": 885, "macs": 145},
    "conv5": {"kb": 169, "params": 590, "macs": 100},
    "pool5": {"kb": 36, "params": 0, "macs": 0},
    "flatten": {"kb": 36, "params": 0, "macs": 0},
    "fc6": {"kb": 16, "params": 37_749, "macs": 38},
    "fc7": {"kb": 16, "params": 16_777, "macs": 17},
    "fc8": {"kb": 4, "params": 4_096, "macs": 4},
}


def in_print(rows, biases=True):
    """A table as a dict of rows in the printed one's units; biases=False leaves them out of params."""
    table = {}
    for row in rows:
        bias = row["out"][0] if row["params"] and not biases else 0  # one for each output channel
        params = (row["params"] - bias) / 1e3
        table[row["name"]] = {"kb": row["kb"], "params": params, "macs": row["macs"] / 1e6}
    return table


# %% [markdown]
# Write `wrong_cells(printed, exact)`. Both are dicts of rows, each row a dict of columns: `printed` of
# whole numbers, `exact` of numbers, as `PRINTED_2014` and what `in_print` returns. A printed cell can
# be the exact number rounded or cut off **if it differs from it by less than 1**. Return a list of the
# cells of `printed` that cannot: pairs (row, column), in the order of `printed`. A row or column that
# `exact` does not have is left out, and so is what only `exact` has.
#
# *Worked example.* `wrong_cells({"a": {"kb": 7, "macs": 3}}, {"a": {"kb": 7.9, "macs": 4.0}, "b":
# {"kb": 1}})` is `[("a", "macs")]`: 7 is 7.9 cut off; 3 is neither 4.0 cut off nor rounded.


# %% nbgrader={"grade": false, "grade_id": "wrong-cells", "locked": false, "schema_version": 3, "solution": true, "task": false}
def wrong_cells(printed, exact):
    """The cells (row, column) of printed that differ from exact by 1 or more, in printed's order."""
    ### BEGIN SOLUTION
    return [
        (row, column)
        for row, cells in printed.items()
        for column, number in cells.items()
        if column in exact.get(row, {}) and abs(number - exact[row][column]) >= 1
    ]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-wrong-cells", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Cells that are off by 1 or more, above or below
got = wrong_cells({"a": {"kb": 7, "macs": 3}}, {"a": {"kb": 7.9, "macs": 4.0}, "b": {"kb": 1}})
assert [tuple(cell) for cell in got] == [("a", "macs")], (
    f"the wrong cells of the worked example: {got}"
)
### BEGIN HIDDEN TESTS
printed = {
    "z": {"x": 10, "y": 20},
    "b": {"x": 0, "y": 5},
    "a": {"x": 3, "y": 40, "only": 1},
    "n": {"x": 2},
}
exact = {
    "a": {"x": 3.4, "y": 38.5},
    "b": {"x": 0.0, "y": 4.01},
    "z": {"x": 12.5, "y": 19.6, "w": 3},
}
got = [tuple(cell) for cell in wrong_cells(printed, exact)]
assert got == [("z", "x"), ("a", "y")], f"the wrong cells of a table with four rows are not {got}"
right = {"z": {"x": 10.4, "y": 20.9}, "b": {"x": 0, "y": 5.0}}
got = list(wrong_cells(printed, right))
assert got == [], f"a table with no wrong cell: you found {got}"
### END HIDDEN TESTS

# %% [markdown]
# ## Question 6 · Find the wrong cell, and the convention
#
# Audit the printed table by hand, or with your function in a cell of your own (the cell after the test
# does it too), once with biases counted and once without. The author followed one convention
# throughout the column of parameters: `"with biases"` or `"without biases"`? One cell of another
# column is wrong either way: give the pair (row, column) and the right value in millions.

# %% nbgrader={"grade": false, "grade_id": "q-audit", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_convention: "with biases" or "without biases"
# q_wrong_cell: a pair such as ("pool1", "kb")
# q_right_value: in millions, to one decimal
### BEGIN SOLUTION
q_convention = "without biases"
q_wrong_cell = ("conv4", "macs")
q_right_value = 149.5
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-audit", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The convention, the wrong cell and its right value
assert q_convention in ("with biases", "without biases"), "q_convention is one of the two texts"
cell = tuple(q_wrong_cell)
assert len(cell) == 2 and cell[1] in ("kb", "params", "macs"), (
    "q_wrong_cell is a pair (row, column)"
)
### BEGIN HIDDEN TESTS
check_choice(q_convention, "without biases", ("with biases", "without biases"), "q_convention")
assert cell == ("conv4", "macs"), f"q_wrong_cell is {cell}, which is not right"
check_number(q_right_value, 149.5204, "q_right_value", rtol=0.0015)
### END HIDDEN TESTS

# %%
with torch.device("meta"):
    rows = layer_table(alexnet_2014(), (3, 227, 227))
print("with biases:   ", wrong_cells(PRINTED_2014, in_print(rows)))
print("without biases:", wrong_cells(PRINTED_2014, in_print(rows, biases=False)))
print(f"conv4 does {in_print(rows)['conv4']['macs']:.2f} million MACs")

# %% [markdown]
# The column of "flop" counts MACs, with the biases' additions left out. For the convolutions the two
# conventions print alike (64 biases among 23 thousand parameters), so only the FC rows tell.
#
# ## Question 7 · What was added up?
#
# The same lecture sums the memory to "AlexNet total: 1.9 MB". Try the sums of `total(rows, "kb", kinds)
# / 1024`. Which outputs are in it: `"conv and fc"`, `"conv, pool and fc"`, or `"all rows"`? A good
# table says.

# %% nbgrader={"grade": false, "grade_id": "q-total", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_total: one of the three texts
### BEGIN SOLUTION
q_total = "conv and fc"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-total", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Which outputs make 1.9 MB
options = ("conv and fc", "conv, pool and fc", "all rows")
assert q_total in options, f"q_total should be one of {options}"
### BEGIN HIDDEN TESTS
check_choice(q_total, "conv and fc", options, "q_total")
### END HIDDEN TESTS

# %%
for title, kinds in {
    "conv and fc": ("Conv2d", "Linear"),
    "conv, pool and fc": ("Conv2d", "Linear", "MaxPool2d"),
    "all rows": None,
}.items():
    print(f"{title:18} {total(rows, 'kb', kinds) / 1024:.3f} MB")

# %% [markdown]
# ## Part 4 · AlexNet with 96 filters, on two GPUs
#
# The network of the paper. It differs from the one above in three ways:
#
# - 96-256-384-384-256 filters; the input is taken as 227 without padding, so the first map is 55 × 55;
# - it was trained on two GPUs of 3 GB, each holding half of the filters. In conv2, conv4 and conv5 a
#   filter sees only the maps on *its own* GPU. Today we say: a **grouped convolution** with two groups.
#   conv3 sees everything;
# - after the ReLUs of conv1 and conv2 comes **local response normalisation**.
#
# The order is convolution → ReLU → normalisation → max-pooling. (Some slides put the pooling before the
# normalisation: that is CaffeNet, a re-implementation.) The pooling windows are 3 × 3 with stride 2:
# they *overlap*, unlike LeNet-5's 2 × 2 averages, and the paper found that to lower the top-5 error by
# 0.3 points.
#
# ## Question 8 · Not every convolution is pooled
#
# "Each layer consists of convolution, activation and pooling", says a slide about this network. Look at
# the sizes 227 → 55 → 27 → 13 → 6 and at the table of Exercise 5 (the pooling is in the same places).
# After which of the convolutions 1 to 5 is the map pooled?
#
# And: a unit of conv2 looks through a 5 × 5 window. How many *pixels* of the image is its receptive field
# wide (conv1: 11 × 11, stride 4; pool1: 3 × 3, stride 2; lesson 02)?

# %% nbgrader={"grade": false, "grade_id": "q-pooled", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_pooled: a set of numbers from 1 to 5
# q_field: pixels
### BEGIN SOLUTION
q_pooled = {1, 2, 5}
q_field = 51
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-pooled", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Which convolutions are pooled, and what conv2 sees
assert set(q_pooled) <= {1, 2, 3, 4, 5}, "q_pooled is a set of numbers from 1 to 5"
### BEGIN HIDDEN TESTS
assert set(q_pooled) == {1, 2, 5}, f"q_pooled is {set(q_pooled)}, which is not right"
check_number(q_field, 11 + 2 * 4 + 4 * 8, "q_field")
### END HIDDEN TESTS

# %% [markdown]
# ### Local response normalisation
#
# An idea from biology: active neurons inhibit their neighbours. Here the neighbours are the *channels*
# next to it at the same pixel. With $a_i$ the value in channel $i$,
#
# $$ b_i = a_i \Big/ \Bigl(k + \alpha \sum_{j=\max(0,\,i-\lfloor n/2 \rfloor)}^{\min(C-1,\,i+\lfloor n/2 \rfloor)} a_j^2\Bigr)^{\beta},
# \qquad k = 2,\ n = 5,\ \alpha = 10^{-4},\ \beta = 0.75 . $$
#
# Below: twelve channels of one pixel, two of them strong. Left before, right after, with a larger
# $\alpha$ to make the effect visible: weak channels next to a strong one lose most.

# %% jupyter={"source_hidden": true} tags=["illustration"]
a = torch.tensor([4, 3, 5, 30, 4, 3, 4, 3, 5, 4, 25, 4.0]).reshape(1, 12, 1, 1)
b = F.local_response_norm(a, 5, alpha=5 * 0.01, beta=0.75, k=2.0)
figure, axes = plt.subplots(1, 3, figsize=(11, 2.5))
near = [abs(i - 3) <= 2 or abs(i - 10) <= 2 for i in range(12)]
panels = {"before": a, "after LRN, α = 0.01": b, "after / before": b / a}
for axis, (title, values) in zip(axes, panels.items()):
    axis.bar(range(12), values.flatten(), color=["tab:green" if one else "0.7" for one in near])
    axis.set(title=title, xlabel="channel", xticks=range(12))
axes[2].axhline(2**-0.75, color="black", linestyle="--", linewidth=1)
axes[2].text(4.5, 2**-0.75 + 0.02, "alone: $2^{-0.75}$", ha="left", fontsize=9)
axes[2].set_ylim(0, 0.75)
axes[0].set_title("before (green: a strong channel within 2)")
figure.tight_layout()
plt.show()


# %% [markdown]
# ## Exercise 7 · Local response normalisation
#
# Write `lrn(a, n=5, k=2.0, alpha=1e-4, beta=0.75)` by the formula. `a` is a float tensor `(N, C, H,
# W)`, `n` is odd; return a new tensor of the same shape. At the first and the last channels the window
# is cut off. (Write the sum yourself; do not call `F.local_response_norm`, whose $\alpha$ is another
# one: Question 9.)
#
# *Worked example.* One pixel, three channels $(1, 2, 3)$, $n = 3$, $k = 1$, $\alpha = 1$, $\beta = 1$:
# the sums of squares are $1 + 4 = 5$, $1 + 4 + 9 = 14$, $4 + 9 = 13$, so $b = (1/6, 2/15, 3/14)$.


# %% nbgrader={"grade": false, "grade_id": "lrn", "locked": false, "schema_version": 3, "solution": true, "task": false}
def lrn(a, n=5, k=2.0, alpha=1e-4, beta=0.75):
    """Local response normalisation across the channels of a, as in the paper of 2012.

    a (N, C, H, W) floats, n odd. Returns a new tensor of a's shape.
    """
    ### BEGIN SOLUTION
    channels = a.shape[1]
    squares = F.pad(a**2, (0, 0, 0, 0, n // 2, n // 2))  # (N, C + n - 1, H, W)
    sums = sum(squares[:, i : i + channels] for i in range(n))  # (N, C, H, W)
    return a / (k + alpha * sums) ** beta
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-lrn-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Values where the window is whole
a = torch.tensor([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
got = lrn(a, n=3, k=1.0, alpha=1.0, beta=1.0)
check_shape(got, (1, 3, 1, 1), "lrn of the worked example")
check_close(got[0, 1, 0, 0], 2 / 15, "the middle channel of the worked example", rtol=1e-4)
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(620)
a = 60 * torch.randn(2, 9, 3, 4, generator=generator)
for n, k, alpha, beta in ((5, 2.0, 1e-4, 0.75), (3, 1.0, 0.01, 0.5), (7, 0.5, 0.002, 1.5)):
    want = [
        a[:, i] / (k + alpha * (a[:, i - n // 2 : i + n // 2 + 1] ** 2).sum(dim=1)) ** beta
        for i in range(n // 2, 9 - n // 2)
    ]
    got = lrn(a.clone(), n=n, k=k, alpha=alpha, beta=beta)
    check_shape(got, (2, 9, 3, 4), "lrn of a (2, 9, 3, 4) tensor")
    got = got[:, n // 2 : 9 - n // 2]
    check_close(
        got,
        torch.stack(want, dim=1),
        f"the inner channels, n={n}, beta={beta}",
        rtol=1e-3,
        atol=1e-6,
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-lrn-borders", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The first and last channels, and the paper's constants as defaults
a = torch.tensor([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
got = lrn(a, n=3, k=1.0, alpha=1.0, beta=1.0)
check_close(got[0, 0, 0, 0], 1 / 6, "the first channel of the worked example", rtol=1e-4)
### BEGIN HIDDEN TESTS
check_close(got[0, 2, 0, 0], 3 / 14, "the last channel of the worked example", rtol=1e-4)
generator = torch.Generator().manual_seed(621)
a = 80 * torch.randn(3, 8, 2, 5, generator=generator)
before = a.clone()
want = F.local_response_norm(a, 5, alpha=5e-4, beta=0.75, k=2.0)
check_close(lrn(a), want, "lrn of 8 channels, constants left out", rtol=1e-3, atol=1e-6)
check_unchanged(a, before, "a")
a = torch.randn(1, 2, 3, 2, generator=generator)
want = F.local_response_norm(a, 5, alpha=5 * 0.3, beta=0.75, k=1.0)
check_close(
    lrn(a, k=1.0, alpha=0.3), want, "lrn of 2 channels with a window of 5", rtol=1e-3, atol=1e-6
)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Only the borders are off**: there the window is shorter. A channel that does not exist adds 0 (it
#   does not come round from the other end, as with `torch.roll`).
# - **Everything is a bit too large**: the paper sums the squares. It does not average them.
# - **Shapes change**: `F.pad` takes the *last* axis first; channels are the third pair.
# - **"a was changed"**: `a /= …` writes into the caller's tensor.
#
# </details>
#
# ## Question 9 · The same name, another α
#
# PyTorch's documentation of `nn.LocalResponseNorm(size, alpha, beta, k)` has $\frac{\alpha}{n}\sum
# a_j^2$ where the paper has $\alpha \sum a_j^2$. Which `alpha` do you give it to get the paper's layer,
# $n = 5$? And what do the VGG authors report of LRN: their network A has a top-5 error of 10.4%, the
# same with LRN 10.5%. Does it `"help"`, or `"not help"`?

# %% nbgrader={"grade": false, "grade_id": "q-alpha", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_alpha: a number
# q_lrn_in_vgg: "help" or "not help"
### BEGIN SOLUTION
q_alpha = 5e-4
q_lrn_in_vgg = "not help"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-alpha", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# PyTorch's alpha for the paper's layer
assert q_lrn_in_vgg in ("help", "not help"), 'q_lrn_in_vgg should be "help" or "not help"'
### BEGIN HIDDEN TESTS
check_number(q_alpha, 5e-4, "q_alpha", rtol=1e-6)
check_choice(q_lrn_in_vgg, "not help", ("help", "not help"), "q_lrn_in_vgg")
### END HIDDEN TESTS

# %% [markdown]
# LRN went out of use: VGG found no gain in it and paid for it in memory and time, and batch normalisation
# (2015) does something else, with learned parameters and a measurable gain (lesson 05).
#
# ### Two GPUs, two groups
#
# Each picture below is one convolution: a row for each output channel, a column for each input channel,
# blue where there are weights. Two groups leave half of them, and half of the work; the maps are as
# large as before.

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axes = plt.subplots(1, 5, figsize=(11, 2.7))
widths = [3, 96, 256, 384, 384, 256]
for number, axis in enumerate(axes, start=1):
    groups = 2 if number in (2, 4, 5) else 1
    inputs, outputs = widths[number - 1], widths[number]
    grid = np.kron(np.eye(groups), np.ones((outputs // groups, inputs // groups)))
    axis.imshow(grid, cmap="Blues", vmin=0, vmax=1.6, aspect="auto", interpolation="nearest")
    for edge in range(1, groups):
        axis.axhline(edge * outputs / groups, color="0.5", linewidth=0.8)
        axis.axvline(edge * inputs / groups, color="0.5", linewidth=0.8)
    axis.set(
        title=f"conv{number}", xlabel=f"{inputs} in", ylabel=f"{outputs} out", xticks=[], yticks=[]
    )
figure.tight_layout()
plt.show()

# %% [markdown]
# ## Exercise 8 · AlexNet of 2012
#
# Write `alexnet_2012(channels=(96, 256, 384, 384, 256), hidden=4096, classes=1000, groups=2)`, again an
# `nn.Sequential` with names. It is the network of Exercise 5 with these changes:
#
# - `conv1` has padding 0;
# - `conv2`, `conv4` and `conv5` have `groups` groups; `conv1` and `conv3` see everything;
# - `lrn1` stands between `relu1` and `pool1`, `lrn2` between `relu2` and `pool2`: an
#   `nn.LocalResponseNorm` equal to the paper's (Question 9; $k = 2$, $\beta = 0.75$, $n = 5$).


# %% nbgrader={"grade": false, "grade_id": "alexnet-2012", "locked": false, "schema_version": 3, "solution": true, "task": false}
def alexnet_2012(channels=(96, 256, 384, 384, 256), hidden=4096, classes=1000, groups=2):
    """AlexNet of the 2012 paper: an nn.Sequential with named layers; groups=1 joins the two halves.

    Maps (N, 3, 227, 227) to logits (N, classes).
    """
    ### BEGIN SOLUTION
    c1, c2, c3, c4, c5 = channels

    def norm():
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4),
            relu1=nn.ReLU(),
            lrn1=norm(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2, groups=groups),
            relu2=nn.ReLU(),
            lrn2=norm(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1, groups=groups),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1, groups=groups),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-alexnet-2012-layers", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The layers and their names: convolution, ReLU, normalisation, pooling


@in_submission
def layers_of(make, arguments):
    """Names and kinds of a network's layers, built on the meta device."""
    import torch

    with torch.device("meta"):
        net = make(**arguments)
    return [[name, type(layer).__name__] for name, layer in net.named_children()]


layers = layers_of(alexnet_2012, {})
names = "conv1 relu1 lrn1 pool1 conv2 relu2 lrn2 pool2 conv3 relu3 conv4 relu4 conv5 relu5 pool5 flatten".split()
names += "fc6 relu6 drop6 fc7 relu7 drop7 fc8".split()
assert [name for name, _ in layers] == names, f"the names are {[name for name, _ in layers]}"
### BEGIN HIDDEN TESTS
kinds = {
    "conv": "Conv2d",
    "relu": "ReLU",
    "lrn": "LocalResponseNorm",
    "pool": "MaxPool2d",
    "fc": "Linear",
    "drop": "Dropout",
    "flatten": "Flatten",
}
for name, kind in layers:
    want = kinds[name.rstrip("0123456789")]
    assert kind == want, f"{name} should be a {want}, it is a {kind}"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-alexnet-2012-size", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Parameters in two groups and in one, layer by layer


@in_submission
def sizes_of(make, arguments, in_shape):
    """Parameters of each layer, and the shape after each, on the meta device."""
    import torch

    with torch.device("meta"):
        net, x = make(**arguments), torch.zeros(2, *in_shape)
    table = []
    for name, layer in net.named_children():
        x = layer(x)
        table.append([name, list(x.shape), sum(p.numel() for p in layer.parameters())])
    return table


table = sizes_of(alexnet_2012, {}, (3, 227, 227))
check_number(
    sum(params for *_, params in table), 60_965_224, "the number of parameters in two groups"
)
### BEGIN HIDDEN TESTS
params = [number for *_, number in table if number]
want = [34_944, 307_456, 885_120, 663_936, 442_624, 37_752_832, 16_781_312, 4_097_000]
check_close(params, want, "the parameters, layer by layer")
shapes = {name: shape for name, shape, _ in table}
for name, size in {"conv1": (96, 55, 55), "pool1": (96, 27, 27), "conv2": (256, 27, 27), "pool2": (256, 13, 13), "conv4": (384, 13, 13), "pool5": (256, 6, 6)}.items():  # fmt: skip
    check_close(shapes[name], (2, *size), f"the shape after {name}")
table = sizes_of(alexnet_2012, {"groups": 1}, (3, 227, 227))
check_number(
    sum(params for *_, params in table), 62_378_344, "the number of parameters in one group"
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-alexnet-2012-logits", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Logits of a small relative, and dropout in the two hidden FC layers only
net = alexnet_2012(channels=(2, 4, 4, 4, 2), hidden=5, classes=4)
net.eval()
check_shape(net(torch.zeros(2, 3, 227, 227)), (2, 4), "the logits of two images")
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(630)
sizes = {"conv1": (6, 3, 11, 11), "conv2": (4, 3, 5, 5), "conv3": (8, 4, 3, 3), "conv4": (6, 4, 3, 3), "conv5": (4, 3, 3, 3), "fc6": (9, 144), "fc7": (9, 9), "fc8": (7, 9)}  # fmt: skip
weights = {}
for name, size in sizes.items():
    weights[f"{name}.weight"] = (
        torch.randn(size, generator=generator) * (2 / math.prod(size[1:])) ** 0.5
    )
    weights[f"{name}.bias"] = torch.randn(size[0], generator=generator) / 5
x = 30 * torch.randn(2, 3, 227, 227, generator=generator)  # large, so that the normalisation shows
pair_of = {name: (weights[f"{name}.weight"], weights[f"{name}.bias"]) for name in sizes}


def normalise(u):
    squares = F.pad(u**2, (0, 0, 0, 0, 2, 2))
    return u / (2 + 1e-4 * sum(squares[:, i : i + u.shape[1]] for i in range(5))) ** 0.75


u = F.max_pool2d(normalise(F.relu(F.conv2d(x, *pair_of["conv1"], stride=4))), 3, 2)
u = F.max_pool2d(normalise(F.relu(F.conv2d(u, *pair_of["conv2"], padding=2, groups=2))), 3, 2)
u = F.relu(F.conv2d(u, *pair_of["conv3"], padding=1))
u = F.relu(F.conv2d(u, *pair_of["conv4"], padding=1, groups=2))
u = F.max_pool2d(F.relu(F.conv2d(u, *pair_of["conv5"], padding=1, groups=2)), 3, 2)
u = F.relu(F.linear(u.flatten(1), *pair_of["fc6"]))
want = F.linear(F.relu(F.linear(u, *pair_of["fc7"])), *pair_of["fc8"])
net = alexnet_2012(channels=(6, 4, 8, 6, 4), hidden=9, classes=7)
net.load_state_dict(weights)
net.eval()
check_close(net(x), want, "the logits of a small relative", rtol=1e-3, atol=1e-4)


@in_submission
def dropped(make):
    """In training mode: is anything before the FC layers random, and what fraction is dropped?"""
    import torch

    torch.manual_seed(7)
    net = make(channels=(2, 4, 4, 4, 2), hidden=400, classes=3)
    net.train()
    with torch.no_grad():
        x = torch.randn(2, 3, 227, 227)
        cut = [name for name, _ in net.named_children()].index("fc6")
        calm = bool(torch.equal(net[:cut](x), net[:cut](x)))
        zeros = [
            (net.get_submodule(name)(torch.ones(4, 400)) == 0).float().mean().item()
            for name in ("drop6", "drop7")
        ]
    return calm, zeros


calm, zeros = dropped(alexnet_2012)
assert calm, "in training mode something before fc6 is random: dropout is in the FC layers only"
assert all(0.4 < zero < 0.6 for zero in zeros), f"the dropout layers drop {zeros}, half is asked"
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **The parameters are 62,378,344 either way**: pass `groups` on to conv2, conv4 and conv5.
# - **The parameters are a little too few**: conv3 has no groups.
# - **The logits are off, the counts are right**: look at the `alpha` of the normalisation, at its $k$,
#   whose default is 1, and at conv1's padding.
#
# </details>
#
# ## Question 10 · Two cells that contradict each other
#
# A slide prints this network with parameters on the left and FLOPs (that is, MACs) on the right:
#
# | params | layer | FLOPs |
# |---|---|---|
# | 4M | FC 1000 | 4M |
# | 16M | FC 4096 | 16M |
# | 37M | FC 4096 | 37M |
# | 442K | conv5 3×3, 256 | 74M |
# | 1.3M | conv4 3×3, 384 | 112M |
# | 884K | conv3 3×3, 384 | 149M |
# | 307K | conv2 5×5, 256 | 223M |
# | 35K | conv1 11×11, stride 4, 96 | 105M |
#
# A convolution's MACs are its weights times the positions of its map: 55 × 55 for conv1, 27 × 27 for
# conv2, 13 × 13 for the others. In one row they are not. How many weights (without biases) does that
# layer have with two groups, and how many MACs, in millions, would it take without groups?

# %% nbgrader={"grade": false, "grade_id": "q-conv4", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_grouped_weights: a whole number
# q_ungrouped_macs: in millions
### BEGIN SOLUTION
q_grouped_weights = 663_552
q_ungrouped_macs = 224.28
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-conv4", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The contradictory row, with groups and without
check_number(q_grouped_weights, q_grouped_weights, "q_grouped_weights")
check_number(q_ungrouped_macs, q_ungrouped_macs, "q_ungrouped_macs")
### BEGIN HIDDEN TESTS
check_number(q_grouped_weights, 663_552, "q_grouped_weights")
check_number(q_ungrouped_macs, 224.28, "q_ungrouped_macs", rtol=0.004)
### END HIDDEN TESTS

# %%
for groups in (2, 1):
    with torch.device("meta"):
        rows = layer_table(alexnet_2012(groups=groups), (3, 227, 227))
    row = next(row for row in rows if row["name"] == "conv4")
    print(
        f"groups={groups}: conv4 {row['params']:,} parameters, {row['macs'] / 1e6:.1f} million MACs;",
        end=" ",
    )
    print(
        f"network {total(rows, 'params'):,} parameters, {total(rows, 'macs') / 1e9:.3f} billion MACs"
    )

# %% [markdown]
# So 1.3M and 112M belong to two different networks, and every other row belongs to the grouped one. The
# "60 million parameters" of the paper need the groups too.
#
# ## Question 11 · 650,000 neurons
#
# "60 million parameters and 650,000 neurons", says the paper's abstract. A neuron here is one number of
# the output of a convolution or FC layer. How many are there by the shapes of your network (`kb` tells,
# or the shapes), fc8 included? The caption of the paper's Figure 2 lists the neurons after the input as
# 253,440 – 186,624 – 64,896 – 64,896 – 43,264 – 4096 – 4096 – 1000. In which layer does the caption
# contradict the shapes?

# %% nbgrader={"grade": false, "grade_id": "q-neurons", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_neurons: a whole number
# q_caption: a layer's name, such as "conv3"
### BEGIN SOLUTION
q_neurons = 659_272
q_caption = "conv1"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-neurons", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Neurons by the shapes, and the caption's slip
check_number(q_neurons, q_neurons, "q_neurons")
### BEGIN HIDDEN TESTS
check_number(q_neurons, 659_272, "q_neurons")
names = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")
check_choice(q_caption, "conv1", names, "q_caption")
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true} tags=["illustration"]
with torch.device("meta"):
    rows = layer_table(alexnet_2012(), (3, 227, 227))
figure, axis = plt.subplots(figsize=(11, 2.6))
draw_maps(axis, rows, "AlexNet of 2012 (height: pixels; width: √channels)")
plt.show()
draw_table(
    rows, "AlexNet of 2012 in two groups, input 3×227×227 (green: local response normalisation)"
)
plt.show()
units = [math.prod(row["out"]) for row in rows if row["kind"] in ("Conv2d", "Linear")]
caption = [253_440, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]
print("by the shapes: ", units, "sum", f"{sum(units):,}")
print("by the caption:", caption, "sum", f"{sum(caption):,}")

# %% [markdown]
# ## Exercise 9 · Six days on two GPUs
#
# The paper: 90 epochs over 1.2 million images took five to six days on two GTX 580 with 3 GB each. Two
# estimates show what such a sentence means.
#
# **Time.** The backward pass costs about twice the forward pass: one product for the weights' gradient
# and one for the input's (lesson 04). So a training image takes 3 × MACs, at 2 FLOPs each. Write
# `training_days(macs, images, epochs, flops_per_second)`: days of 86,400 seconds.
#
# **Memory.** Write `training_bytes(rows, batch)` for a table `rows` of your `layer_table`: for each
# *parameter* three numbers (the weight, its gradient, its velocity), and for each number of each row's
# *output* two (the value, kept for the way back, and its gradient) **for each image of the batch**; 4
# bytes a number. (Real frameworks save some, e.g. by ReLUs in place, and need scratch space besides.)
#
# *Worked examples.* `training_days(1e9, 1_000_000, 10, 1e12)` is $6 \cdot 10^9 \cdot 10^6 \cdot 10 /
# 10^{12}$ seconds, 0.694 days. Rows with 20 parameters and outputs of 12 and 12 numbers, batch 10: $4
# \cdot (60 + 480)$, 2160 bytes.


# %% nbgrader={"grade": false, "grade_id": "budget", "locked": false, "schema_version": 3, "solution": true, "task": false}
def training_days(macs, images, epochs, flops_per_second):
    """Days for training: macs of one forward image, backward twice as much, 2 FLOPs a MAC."""
    ### BEGIN SOLUTION
    return 6 * macs * images * epochs / flops_per_second / 86_400
    ### END SOLUTION


def training_bytes(rows, batch):
    """Bytes for training with momentum: 3 numbers a parameter, 2 an output number and image."""
    ### BEGIN SOLUTION
    outputs = sum(math.prod(row["out"]) for row in rows)
    params = sum(row["params"] for row in rows)
    return 4 * (3 * params + 2 * batch * outputs)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-training-days", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Time: forward and backward, two FLOPs a MAC
check_number(training_days(1e9, 1_000_000, 10, 1e12), 0.694444, "the worked example", rtol=1e-3)
### BEGIN HIDDEN TESTS
want = 3 * 2 * 15.5e9 * 1.3e6 * 74 / 4e12 / (24 * 3600)
check_number(
    training_days(15.5e9, 1.3e6, 74, 4e12), want, "the days of a larger network", rtol=1e-6
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-training-bytes", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Memory: parameters once, outputs for each image
rows = [
    {"name": "0", "kind": "Conv2d", "out": (2, 3, 2), "kb": 0.046875, "params": 20, "macs": 108},
    {"name": "1", "kind": "ReLU", "out": (2, 3, 2), "kb": 0.046875, "params": 0, "macs": 0},
]
check_number(training_bytes(rows, 10), 2160, "the bytes of the worked example")
### BEGIN HIDDEN TESTS
rows = [
    {"name": "0", "kind": "Conv2d", "out": (5, 7, 3), "kb": 105 / 256, "params": 140, "macs": 2940},
    {"name": "1", "kind": "MaxPool2d", "out": (5, 3, 1), "kb": 15 / 256, "params": 0, "macs": 0},
    {"name": "2", "kind": "Linear", "out": (4,), "kb": 4 / 256, "params": 64, "macs": 60},
]
for batch in (1, 128):
    want = 12 * 204 + 8 * batch * 124
    check_number(training_bytes(rows, batch), want, f"the bytes of three layers, batch {batch}")
### END HIDDEN TESTS

# %% [markdown]
# ## Question 12 · How busy were the GPUs?
#
# A GTX 580 can do at most $1.58 \cdot 10^{12}$ FLOPs a second in float32. If the training of AlexNet
# (0.724 billion MACs an image, 1.2 million images, 90 epochs) took six days on two of them: what
# percentage of the two cards' peak was used?

# %% nbgrader={"grade": false, "grade_id": "q-busy", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_busy: percent
### BEGIN SOLUTION
q_busy = 28.6
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-busy", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The share of the peak that was used
check_number(q_busy, q_busy, "q_busy")
### BEGIN HIDDEN TESTS
check_number(q_busy, 28.6, "q_busy", rtol=0.03)
### END HIDDEN TESTS

# %%
with torch.device("meta"):
    rows = layer_table(alexnet_2012(), (3, 227, 227))
days = training_days(total(rows, "macs"), 1.2e6, 90, 2 * 1.58e12)
print(f"at full speed {days:.1f} days; in six days {days / 6:.0%} of the peak")
for batch in (1, 128):
    print(f"batch {batch:3}: {training_bytes(rows, batch) / 1024**3:.2f} GB for training")

# %% [markdown]
# With a batch of 128 the estimate comes to 2.5 of the 3 GB of one card, before any scratch space, and
# one card would have needed twice the days. So the network was split, and its halves talk to each other
# in conv3 and the FC layers only.
#
# ## Part 5 · ZFNet looks inside
#
# A year later Zeiler and Fergus asked what AlexNet's layers had learned, by projecting activations back
# to pixels (*deconvolution*, lesson 05). What they saw made them change the first layers: 11 × 11
# filters with stride 4 had learned very coarse and very fine patterns and few between, and the second
# layer showed **aliasing**: patterns that are not in the image, made by sampling too coarsely. So ZFNet
# takes **7 × 7 filters with stride 2** and is otherwise nearly AlexNet.
#
# Below: rings that get finer towards the corners, filtered with a small smoothing kernel, then sampled
# with stride 1, 2 and
# 4. At stride 4 new centres appear that are not in the picture.

# %% jupyter={"source_hidden": true} tags=["illustration"]
axis_values = torch.arange(-113, 114, dtype=torch.float32)
radius = axis_values[:, None] ** 2 + axis_values[None, :] ** 2  # (227, 227)
rings = torch.cos(math.pi * radius / 4 / 80)
kernel = torch.tensor([1.0, 2.0, 1.0])
kernel = (kernel[:, None] * kernel[None, :] / 16)[None, None]  # (1, 1, 3, 3)
maps = [F.conv2d(rings[None, None], kernel, stride=stride)[0, 0] for stride in (1, 2, 4)]
titles = [f"stride {s}: {len(m)} × {len(m)} numbers" for s, m in zip((1, 2, 4), maps)]
show_images([rings, *maps], ["picture, 227 × 227", *titles], size=2.6)
plt.show()

# %% [markdown]
# ## Question 13 · The price of stride 2
#
# ZFNet's first layer: input 3×224×224, 96 filters 7 × 7, stride 2, padding 1. How large is its map
# (side)? How many parameters has the layer, biases included? And how many times as many MACs does it
# take as AlexNet's first layer (96 filters 11 × 11, stride 4, on 227, padding 0)?

# %% nbgrader={"grade": false, "grade_id": "q-zfnet", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_zf_side, q_zf_params: whole numbers
# q_zf_ratio: MACs of ZFNet's conv1 over those of AlexNet's
### BEGIN SOLUTION
q_zf_side = 110
q_zf_params = 14_208
q_zf_ratio = 1.62
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-zfnet", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# ZFNet's first layer: size, parameters, work
for name, answer in {
    "q_zf_side": q_zf_side,
    "q_zf_params": q_zf_params,
    "q_zf_ratio": q_zf_ratio,
}.items():
    check_number(answer, answer, name)
### BEGIN HIDDEN TESTS
check_number(q_zf_side, 110, "q_zf_side")
check_number(q_zf_params, 14_208, "q_zf_params")
check_number(q_zf_ratio, 1.6198, "q_zf_ratio", rtol=0.01)
### END HIDDEN TESTS

# %%
with torch.device("meta"):
    for name, layer, size in (
        ("AlexNet", nn.Conv2d(3, 96, 11, stride=4), 227),
        ("ZFNet", nn.Conv2d(3, 96, 7, stride=2, padding=1), 224),
    ):
        (row,) = layer_table(nn.Sequential(layer), (3, size, size))
        print(
            f"{name:8} conv1 {row['out']}, {row['kb']:,.0f} KB, {row['params']:,} parameters, {row['macs'] / 1e6:.0f} million MACs"
        )

# %% [markdown]
# Fewer parameters, 1.6 times the work, four times the memory: finer sampling is not free. VGG goes on
# in this direction.

# %% [markdown]
# ## Part 6 · VGG
#
# In 2014 Simonyan and Zisserman (*Visual Geometry Group*, Oxford) turned one knob, depth, and fixed all
# others by three rules:
#
# - all convolutions are 3 × 3 with stride 1 and padding 1: they keep the size of the map;
# - all pooling is 2 × 2 with stride 2: it halves the size;
# - each time the map is halved the channels double, until there are 512.
#
# Two 3 × 3 layers see as far as one 5 × 5, three as far as one 7 × 7, with fewer weights ($27C^2$
# against $49C^2$) and two more ReLUs between (lesson 02). Space goes down, depth goes up: so do the
# five **stages** of the network. The paper tried six configurations:
#
# | stage | A | A-LRN | B | C | D | E |
# |---|---|---|---|---|---|---|
# | 1: 64 channels | 1 | 1, then LRN | 2 | 2 | 2 | 2 |
# | 2: 128 channels | 1 | 1 | 2 | 2 | 2 | 2 |
# | 3: 256 channels | 2 | 2 | 2 | 2, then one 1×1 | 3 | 4 |
# | 4: 512 channels | 2 | 2 | 2 | 2, then one 1×1 | 3 | 4 |
# | 5: 512 channels | 2 | 2 | 2 | 2, then one 1×1 | 3 | 4 |
# | FC | 3 | 3 | 3 | 3 | 3 | 3 |
# | weight layers | 11 | 11 | 13 | 16 | 16 | 19 |
#
# The numbers count 3 × 3 convolutions. C has a 1 × 1 convolution at the end of stages 3 to 5: more
# nonlinearity, no larger field. D is "VGG-16", E is "VGG-19".

# %% jupyter={"source_hidden": true} tags=["illustration"]
columns = {"A": (1, 1, 2, 2, 2), "A-LRN": (1, 1, 2, 2, 2), "B": (2, 2, 2, 2, 2), "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3), "E": (2, 2, 4, 4, 4)}  # fmt: skip
figure, axis = plt.subplots(figsize=(9, 5.6))
shades = plt.get_cmap("Blues")(np.linspace(0.3, 0.8, 5))
for place, (name, counts) in enumerate(columns.items()):
    height = 0.0
    for stage, (count, width) in enumerate(zip(counts, (64, 128, 256, 512, 512))):
        for number in range(count):
            one = name == "C" and stage > 1 and number == count - 1
            color = "tab:purple" if one else shades[stage]
            axis.add_patch(
                plt.Rectangle((place, height), 0.8, 0.85, facecolor=color, edgecolor="white")
            )
            label = f"1×1, {width}" if one else f"3×3, {width}"
            axis.text(
                place + 0.4,
                height + 0.42,
                label,
                ha="center",
                va="center",
                fontsize=8,
                color="white" if stage > 1 else "black",
            )
            height += 0.9
        if name == "A-LRN" and stage == 0:
            axis.add_patch(plt.Rectangle((place, height), 0.8, 0.35, facecolor="tab:green"))
            axis.text(
                place + 0.4,
                height + 0.17,
                "LRN",
                ha="center",
                va="center",
                fontsize=7,
                color="white",
            )
            height += 0.4
        axis.add_patch(plt.Rectangle((place, height), 0.8, 0.25, facecolor="tab:orange"))
        height += 0.32
    for width in ("4096", "4096", "1000"):
        axis.add_patch(plt.Rectangle((place, height), 0.8, 0.5, facecolor="tab:red", alpha=0.8))
        axis.text(
            place + 0.4,
            height + 0.25,
            f"FC {width}",
            ha="center",
            va="center",
            fontsize=8,
            color="white",
        )
        height += 0.55
    axis.text(place + 0.4, -0.25, name, ha="center", fontsize=11)
axis.set(xlim=(-0.1, 6), ylim=(18.4, -0.8))
axis.axis("off")
axis.set_title("VGG's six configurations (orange: pooling)", fontsize=11)
plt.show()

# %% [markdown]
# ## Question 14 · Rules and what breaks them
#
# A lecture's list of VGG-16's stages reads: "1: conv-conv-pool, 2: conv-conv-pool, 3: conv-conv-pool,
# 4: conv-conv-conv-pool, 5: conv-conv-conv-pool; after pooling, double the channels". In which stage is
# a convolution missing? After which of the pooling layers 1 to 5 do the channels really double? And
# which configuration (`"A"` to `"E"`) breaks the statement "VGG always uses 3 × 3 kernels"?

# %% nbgrader={"grade": false, "grade_id": "q-vgg-rules", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_short_stage: a number from 1 to 5
# q_doubling: a set of numbers from 1 to 5
# q_exception: a letter
### BEGIN SOLUTION
q_short_stage = 3
q_doubling = {1, 2, 3}
q_exception = "C"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-vgg-rules", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The missing convolution, the doublings, the exception
assert set(q_doubling) <= {1, 2, 3, 4, 5}, "q_doubling is a set of numbers from 1 to 5"
assert q_exception in ("A", "B", "C", "D", "E"), "q_exception is a letter"
### BEGIN HIDDEN TESTS
check_number(q_short_stage, 3, "q_short_stage")
assert set(q_doubling) == {1, 2, 3}, f"q_doubling is {set(q_doubling)}, which is not right"
check_choice(q_exception, "C", ("A", "B", "C", "D", "E"), "q_exception")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 10 · VGG, all six
#
# Write `vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224)`. `config`
# is one of `"A"`, `"A-LRN"`, `"B"`, `"C"`, `"D"`, `"E"`. Return an `nn.Sequential` with these names,
# $s$ being the stage and $i$ counting its convolutions, both from 1:
#
# - `conv{s}_{i}`, `relu{s}_{i}` for each convolution (with bias) of stage $s$, which has `channels[s -
#   1]` filters; a 1 × 1 convolution is the stage's last and has no padding;
# - in `"A-LRN"` one `lrn1_1` after `relu1_1`, the paper's LRN as in `alexnet_2012`;
# - `pool{s}` after each stage;
# - `flatten`, `fc6`, `relu6`, `drop6`, `fc7`, `relu7`, `drop7`, `fc8`, as in AlexNet. `fc6` takes the
#   maps as they are after five halvings of `size`, a multiple of 32 (224 → 7).
#
# *Worked example.* The names of `vgg("A")` begin with `conv1_1 relu1_1 pool1 conv2_1 relu2_1 pool2
# conv3_1 relu3_1 conv3_2 relu3_2 pool3`.


# %% nbgrader={"grade": false, "grade_id": "vgg", "locked": false, "schema_version": 3, "solution": true, "task": false}
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    """VGG in one of the configurations "A", "A-LRN", "B", "C", "D", "E", as a named nn.Sequential.

    Maps (N, 3, size, size), size a multiple of 32, to logits (N, classes).
    """
    ### BEGIN SOLUTION
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-vgg-layers", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The layers and their names, in order


@in_submission
def layers_of(make, config):
    """Names and kinds of a network's layers, and the rate of each dropout."""
    import torch

    with torch.device("meta"):
        net = make(config)
    layers = [[name, type(layer).__name__] for name, layer in net.named_children()]
    return layers, [layer.p for layer in net if type(layer).__name__ == "Dropout"]


def expected(counts, lrn=False):
    """Names and kinds by VGG's table; counts: convolutions of each stage."""
    rows = []
    for stage, count in enumerate(counts, start=1):
        for number in range(1, count + 1):
            rows += [[f"conv{stage}_{number}", "Conv2d"], [f"relu{stage}_{number}", "ReLU"]]
        if lrn and stage == 1:
            rows += [["lrn1_1", "LocalResponseNorm"]]
        rows += [[f"pool{stage}", "MaxPool2d"]]
    rows += [["flatten", "Flatten"], ["fc6", "Linear"], ["relu6", "ReLU"], ["drop6", "Dropout"]]
    return [*rows, ["fc7", "Linear"], ["relu7", "ReLU"], ["drop7", "Dropout"], ["fc8", "Linear"]]


def check_layers(got, want, what):
    assert len(got) == len(want), f"{what} should have {len(want)} layers, it has {len(got)}"
    for place, (one, other) in enumerate(zip(got, want, strict=True)):
        assert list(one) == other, f"{what}: layer {place} is {tuple(one)}, expected {tuple(other)}"


layers, rates = layers_of(vgg, "A")
check_layers(layers, expected((1, 1, 2, 2, 2)), 'vgg("A")')
### BEGIN HIDDEN TESTS
check_close(rates, [0.5, 0.5], "the dropout rates")
for config, counts in {"B": (2, 2, 2, 2, 2), "D": (2, 2, 3, 3, 3), "E": (2, 2, 4, 4, 4)}.items():
    check_layers(layers_of(vgg, config)[0], expected(counts), f'vgg("{config}")')
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-vgg-size", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The published numbers of parameters of A, B, D and E, and the shapes of D


@in_submission
def sizes_of(make, config, keywords, in_shape):
    """Parameters of each layer, and the shape after each, on the meta device."""
    import torch

    with torch.device("meta"):
        net, x = make(config, **keywords), torch.zeros(2, *in_shape)
    table = []
    for name, layer in net.named_children():
        x = layer(x)
        table.append([name, list(x.shape), sum(p.numel() for p in layer.parameters())])
    return table


table = sizes_of(vgg, "D", {}, (3, 224, 224))
check_number(
    sum(params for *_, params in table), 138_357_544, 'the number of parameters of vgg("D")'
)
### BEGIN HIDDEN TESTS
shapes = {name: shape for name, shape, _ in table}
for name, want in {"conv1_2": (64, 224, 224), "pool1": (64, 112, 112), "conv3_3": (256, 56, 56), "pool3": (256, 28, 28), "conv4_1": (512, 28, 28), "pool5": (512, 7, 7), "fc7": (4096,), "fc8": (1000,)}.items():  # fmt: skip
    check_close(shapes[name], (2, *want), f"the shape after {name}")
for config, want in {"A": 132_863_336, "B": 133_047_848, "E": 143_667_240}.items():
    got = sum(params for *_, params in sizes_of(vgg, config, {}, (3, 224, 224)))
    check_number(got, want, f'the number of parameters of vgg("{config}")')
small = {"channels": (2, 3, 4, 5, 6), "hidden": 7, "classes": 8, "size": 96}
got = sum(params for *_, params in sizes_of(vgg, "A", small, (3, 96, 96)))
want = (
    2 * 28 + 3 * 19 + 4 * 28 + 4 * 37 + 5 * 37 + 5 * 46 + 6 * 46 + 6 * 55 + 7 * 55 + 7 * 8 + 8 * 8
)
check_number(got, want, 'the number of parameters of a small vgg("A") for 96 pixels')
large = {**small, "size": 992}
got = sum(params for *_, params in sizes_of(vgg, "A", large, (3, 992, 992)))
check_number(got, want + 6 * 7 * (31**2 - 3**2), "the same for 992 pixels")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-vgg-variants", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# C with its 1 × 1 convolutions, and A-LRN


@in_submission
def variant(make, config):
    """Names and kinds, kernels of the convolutions, parameters, and the last map's shape."""
    import torch

    with torch.device("meta"):
        net, x = make(config), torch.zeros(1, 3, 224, 224)
    layers = [[name, type(layer).__name__] for name, layer in net.named_children()]
    kernels = [list(layer.kernel_size) for layer in net if type(layer).__name__ == "Conv2d"]
    cut = [name for name, _ in layers].index("flatten")
    norms = [[m.size, m.alpha, m.beta, m.k] for m in net if type(m).__name__ == "LocalResponseNorm"]
    return (
        layers,
        kernels,
        sum(p.numel() for p in net.parameters()),
        list(net[:cut](x).shape),
        norms,
    )


layers, kernels, params, shape, norms = variant(vgg, "C")
check_number(params, 133_638_952, 'the number of parameters of vgg("C")')
### BEGIN HIDDEN TESTS
check_shape(kernels, (13, 2), 'the kernels of vgg("C")')
want = [3, 3, 3, 3, 3, 3, 1, 3, 3, 1, 3, 3, 1]
check_close([high for high, _ in kernels], want, 'the kernels of vgg("C")')
check_close(shape, (1, 512, 7, 7), 'the last map of vgg("C")')
layers, kernels, params, shape, norms = variant(vgg, "A-LRN")
check_number(params, 132_863_336, 'the number of parameters of vgg("A-LRN")')
names = [name for name, _ in layers]
assert names[:5] == ["conv1_1", "relu1_1", "lrn1_1", "pool1", "conv2_1"], (
    f"A-LRN begins {names[:5]}"
)
assert len(norms) == 1, f"A-LRN has one normalisation layer, not {len(norms)}"
check_close(norms[0], [5, 5e-4, 0.75, 2], "size, alpha, beta and k of the normalisation")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-vgg-logits", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Logits of a small relative with weights of ours
net = vgg("A", channels=(2, 2, 3, 3, 4), hidden=5, classes=6, size=32)
net.eval()
check_shape(net(torch.zeros(2, 3, 32, 32)), (2, 6), "the logits of two images")


### BEGIN HIDDEN TESTS
def reference(weights, stages, x):
    """VGG by its rules, from named weights; stages: the number of convolutions of each."""
    for stage, count in enumerate(stages, start=1):
        for number in range(1, count + 1):
            w, b = (weights[f"conv{stage}_{number}.{what}"] for what in ("weight", "bias"))
            x = F.relu(F.conv2d(x, w, b, padding=w.shape[-1] // 2))
        x = F.max_pool2d(x, 2)
    x = x.flatten(1)
    for name in ("fc6", "fc7"):
        x = F.relu(F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"]))
    return F.linear(x, weights["fc8.weight"], weights["fc8.bias"])


generator = torch.Generator().manual_seed(640)
widths, hidden, classes = (4, 6, 5, 7, 8), 9, 10
for config, stages in (("B", (2, 2, 2, 2, 2)), ("C", (2, 2, 3, 3, 3)), ("E", (2, 2, 4, 4, 4))):
    sizes, before = {}, 3
    for stage, (count, width) in enumerate(zip(stages, widths), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            sizes[f"conv{stage}_{number}"] = (width, before, kernel, kernel)
            before = width
    sizes |= {"fc6": (hidden, 4 * before), "fc7": (hidden, hidden), "fc8": (classes, hidden)}
    weights = {}
    for name, shape in sizes.items():
        std = (2 / math.prod(shape[1:])) ** 0.5
        weights[f"{name}.weight"] = std * torch.randn(shape, generator=generator)
        weights[f"{name}.bias"] = torch.randn(shape[0], generator=generator) / 5
    x = torch.randn(2, 3, 64, 64, generator=generator)
    want = reference(weights, stages, x)
    net = vgg(config, channels=widths, hidden=hidden, classes=classes, size=64)
    net.load_state_dict(weights)
    net.eval()
    check_close(net(x), want, f'the logits of a small vgg("{config}")', rtol=1e-3, atol=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **C has 5 million parameters too many**: its third convolutions are 1 × 1.
# - **The map of C grows**: a 1 × 1 convolution has no padding.
# - **B and D differ, C and D do not**: C takes its third convolution in stages 3 to 5 only, and so does
#   D.
# - **`fc6` does not fit for 64 pixels**: five halvings of 64 leave 2 × 2.
#
# </details>

# %%
for config in ("A", "A-LRN", "B", "C", "D", "E"):
    with torch.device("meta"):
        rows = layer_table(vgg(config), (3, 224, 224))
    weighty = sum(row["params"] > 0 for row in rows)
    print(
        f"{config:6} {weighty} weight layers, {total(rows, 'params'):>11,} parameters, {total(rows, 'macs') / 1e9:5.2f} billion MACs"
    )

# %% [markdown]
# Depth is cheap in parameters: from 11 to 19 weight layers they grow by 8%, the work by a factor of
# 2.6. And it paid: the paper's top-5 error on the validation images, one network at one scale, falls
# from 10.4% (A) over 9.9% (B), 9.4% (C) and 8.8% (D) to 9.0% (E).
#
# ## Question 15 · The contest
#
# One slide says that VGG was the runner-up of ILSVRC 2014, another that it won. What is right: `"second
# in classification, first in localisation"`, `"first in both"` or `"second in both"`? And D is better
# than C, with the same number of layers: what do three 3 × 3 convolutions have that C's third one
# lacks: `"a larger field"`, `"more nonlinearities"` or `"less memory"`?

# %% nbgrader={"grade": false, "grade_id": "q-contest", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_contest, q_d_over_c: one of the three texts each
### BEGIN SOLUTION
q_contest = "second in classification, first in localisation"
q_d_over_c = "a larger field"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-contest", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# VGG at ILSVRC 2014, and D against C
contests = ("second in classification, first in localisation", "first in both", "second in both")
reasons = ("a larger field", "more nonlinearities", "less memory")
assert q_contest in contests, f"q_contest should be one of {contests}"
assert q_d_over_c in reasons, f"q_d_over_c should be one of {reasons}"
### BEGIN HIDDEN TESTS
check_choice(q_contest, contests[0], contests, "q_contest")
check_choice(q_d_over_c, "a larger field", reasons, "q_d_over_c")
### END HIDDEN TESTS

# %% [markdown]
# ## Question 16 · "24M × 4 bytes ≈ 96 MB"
#
# A widely copied slide lists VGG-16's memory, in numbers: the input 150K; then 3.2M, 3.2M, pool 800K;
# 1.6M, 1.6M, pool 400K; 800K three times, pool 200K; 400K three times, pool 100K; 100K three times,
# pool 25K; 4096, 4096,
# 1000. It ends: "TOTAL memory: 24M × 4 bytes ≈ 96 MB per image". Add up the slide's own list (or
#       exactly, from the table of `vgg("D")`, input included, ReLUs and dropout not): how many *million
#       numbers* are there really, and how many *million bytes*?

# %% nbgrader={"grade": false, "grade_id": "q-vgg-memory", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_vgg_numbers: millions of numbers
# q_vgg_bytes: millions of bytes
### BEGIN SOLUTION
q_vgg_numbers = 15.24
q_vgg_bytes = 60.95
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-vgg-memory", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# VGG-16's memory in numbers and in bytes
check_number(q_vgg_numbers, q_vgg_numbers, "q_vgg_numbers")
check_number(q_vgg_bytes, q_vgg_bytes, "q_vgg_bytes")
### BEGIN HIDDEN TESTS
check_number(q_vgg_numbers, 15.2376, "q_vgg_numbers", rtol=0.01)
check_number(q_vgg_bytes, 60.95, "q_vgg_bytes", rtol=0.01)
### END HIDDEN TESTS

# %%
with torch.device("meta"):
    rows = layer_table(vgg("D"), (3, 224, 224))
print_table(rows)
stored = 3 * 224 * 224 + total(rows, "kb", ("Conv2d", "MaxPool2d", "Linear")) * 256
print(
    f"{stored / 1e6:.2f} million numbers, {4 * stored / 1e6:.1f} million bytes ({4 * stored / 1024**2:.1f} MB)"
)

# %% jupyter={"source_hidden": true} tags=["illustration"]
with torch.device("meta"):
    rows = layer_table(vgg("D"), (3, 224, 224))
figure, axis = plt.subplots(figsize=(11, 4))
draw_maps(
    axis,
    rows,
    "VGG-16: five stages, each half as high (height: pixels; width: √channels)",
    gap=6,
    upright=True,
)
plt.show()
draw_table(rows, "VGG-16, input 3×224×224 (blue: convolution, orange: pooling, red: FC)")
plt.show()

# %% [markdown]
# The picture of AlexNet again, larger: memory in the first stage, parameters in the first FC layer (fc6
# alone: 102,760,448 weights, 74% of all), work in the convolutions. The convolutions that keep their
# channels do the same 1.85 billion MACs in stages 1 to 4: each halving of the map (a quarter of the
# positions) is paid back by a doubling of the channels (four times the weights). In stage 5 the
# channels stay, and the work falls to a quarter.
#
# ## Exercise 11 · A detective story
#
# The same lecture compares AlexNet with VGG-16, memory of conv and FC outputs and "FLOP", that is, MACs:
#
# | | AlexNet | VGG-16, printed |
# |---|---|---|
# | memory | 1.9 MB | **48.6 MB** (25×) |
# | parameters | 61M | 138M (2.3×) |
# | work | 0.7 GFLOP | **13.6 GFLOP** (19.4×) |
#
# Your table of VGG-16 says 51.7 MB and 15.47 billion MACs. Neither bold number is a rounding. A
# suspicion: the numbers were computed for a network in which *one convolution is missing*. Which one?
#
# Write `leave_one_out(rows)` for a table from `layer_table`: a dict that gives, for the name of each
# convolution (kind `"Conv2d"`), the pair (memory in MB, work in billions of MACs) of the table
# **without that row**: the memory summed over the outputs of kinds `"Conv2d"` and `"Linear"`, 1 MB =
# 1024 KB; the work over all rows. (This is right for a convolution with as many channels out as in,
# whose absence changes no other layer.)
#
# *Worked example.* A table of `conv1` (512 KB, 3 billion MACs), `conv2` (1024 KB, 2 billion), `fc` (512
# KB, 1 billion): `{"conv1": (1.5, 3.0), "conv2": (1.0, 4.0)}`.


# %% nbgrader={"grade": false, "grade_id": "leave-one-out", "locked": false, "schema_version": 3, "solution": true, "task": false}
def leave_one_out(rows):
    """For each convolution: (MB of conv and FC outputs, billions of MACs) of the table without it."""
    ### BEGIN SOLUTION
    memory = total(rows, "kb", ("Conv2d", "Linear"))
    work = total(rows, "macs")
    return {
        row["name"]: ((memory - row["kb"]) / 1024, (work - row["macs"]) / 1e9)
        for row in rows
        if row["kind"] == "Conv2d"
    }
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-leave-one-out", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Memory and work without each convolution
toy = [
    {
        "name": "conv1",
        "kind": "Conv2d",
        "out": (8, 128, 128),
        "kb": 512.0,
        "params": 224,
        "macs": 3 * 10**9,
    },
    {
        "name": "conv2",
        "kind": "Conv2d",
        "out": (16, 128, 128),
        "kb": 1024.0,
        "params": 1168,
        "macs": 2 * 10**9,
    },
    {"name": "fc", "kind": "Linear", "out": (131072,), "kb": 512.0, "params": 7, "macs": 10**9},
]
got = leave_one_out(toy)
assert sorted(got) == ["conv1", "conv2"], f"the keys are {sorted(got)}"
check_close(got["conv1"], (1.5, 3.0), "the toy table without conv1")
check_close(got["conv2"], (1.0, 4.0), "the toy table without conv2")
### BEGIN HIDDEN TESTS
table = [
    {"name": "a", "kind": "Conv2d", "out": (3, 4, 4), "kb": 2048.0, "params": 9, "macs": 4 * 10**9},
    {"name": "b", "kind": "ReLU", "out": (3, 4, 4), "kb": 2048.0, "params": 0, "macs": 0},
    {"name": "c", "kind": "MaxPool2d", "out": (3, 2, 2), "kb": 512.0, "params": 0, "macs": 0},
    {"name": "d", "kind": "Conv2d", "out": (5, 2, 2), "kb": 3072.0, "params": 8, "macs": 5 * 10**8},
    {
        "name": "e",
        "kind": "LocalResponseNorm",
        "out": (5, 2, 2),
        "kb": 3072.0,
        "params": 0,
        "macs": 0,
    },
    {"name": "f", "kind": "Linear", "out": (7,), "kb": 256.0, "params": 6, "macs": 25 * 10**7},
]
got = leave_one_out(table)
assert sorted(got) == ["a", "d"], f"the keys of a table with two convolutions are {sorted(got)}"
check_close(got["a"], (3.25, 0.75), "a table with pooling and ReLU, without its first convolution")
check_close(got["d"], (2.25, 4.25), "a table with pooling and ReLU, without its second convolution")
### END HIDDEN TESTS

# %% [markdown]
# ## Question 17 · The culprit, and its second trace
#
# Print `leave_one_out(rows)`, `rows` being the table of VGG-16 above. The work alone fits several
# convolutions, the memory alone others. In which stage is the missing convolution?
#
# A second table of that lecture counts the part of VGG-16 from 224 down to 28 pixels (up to `pool3`):
# "1.1M params, 7485 MFLOP". Compute from your table: how many parameters (in millions, within 1%) and
# how many million MACs are there really?

# %% nbgrader={"grade": false, "grade_id": "q-culprit", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_stage: a number from 1 to 5
# q_part_params: millions of parameters up to pool3
# q_part_macs: million MACs up to pool3
### BEGIN SOLUTION
q_stage = 3
q_part_params = 1.735
q_part_macs = 9335
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-culprit", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The stage of the missing convolution, and the true sums up to pool3
check_number(q_stage, q_stage, "q_stage")
check_number(q_part_params, q_part_params, "q_part_params")
check_number(q_part_macs, q_part_macs, "q_part_macs")
### BEGIN HIDDEN TESTS
check_number(q_stage, 3, "q_stage")
check_number(q_part_params, 1.735, "q_part_params", rtol=0.01)
check_number(q_part_macs, 9335.1, "q_part_macs", rtol=0.005)
### END HIDDEN TESTS

# %%
print("printed: 48.6 MB, 13.6 billion MACs")
for name, (memory, work) in leave_one_out(rows).items():
    fits = " ".join(
        ["←" if round(memory, 1) in (48.6, 48.7) else " ", "←" if round(work, 1) == 13.6 else " "]
    )
    print(f"without {name}: {memory:5.2f} MB, {work:5.2f} billion MACs  {fits}")
part = rows[: [row["name"] for row in rows].index("pool3") + 1]
print(
    f"up to pool3: {total(part, 'params'):,} parameters, {total(part, 'macs') / 1e6:,.0f} million MACs;",
    end=" ",
)
row = next(row for row in rows if row["name"] == "conv3_3")
print(
    f"without conv3_3: {(total(part, 'params') - row['params']):,} and {(total(part, 'macs') - row['macs']) / 1e6:,.0f}"
)

# %% [markdown]
# Both arrows meet in stage 3 only (conv3_1 changes the channels, so its absence would change more). The
# author's VGG had two convolutions in stage 3, just as the list in Question 14, and every number
# derived from it is off: 27 times AlexNet's memory instead of 25, 21.6 times its work instead of 19.4.
# The parameters, 138M, came from somewhere else and are right. A wrong cell seldom comes alone.

# %% jupyter={"source_hidden": true} tags=["illustration"]
nets = {
    "AlexNet 2014": (alexnet_2014, {}, 227),
    "AlexNet 2012": (alexnet_2012, {}, 227),
    **{f"VGG {config}": (vgg, {"config": config}, 224) for config in ("A", "B", "C", "D", "E")},
}
tables = {}
for name, (make, arguments, size) in nets.items():
    with torch.device("meta"):
        tables[name] = layer_table(make(**arguments), (3, size, size))
figure, axes = plt.subplots(1, 3, figsize=(11, 3.2), sharey=True)
quantities = {
    "memory of conv and FC outputs, MB": lambda t: total(t, "kb", ("Conv2d", "Linear")) / 1024,
    "parameters, millions": lambda t: total(t, "params") / 1e6,
    "MACs, billions": lambda t: total(t, "macs") / 1e9,
}
printed = {0: {"VGG D": 48.6, "AlexNet 2014": 1.9}, 1: {"VGG D": 138, "AlexNet 2014": 61}, 2: {"VGG D": 13.6, "AlexNet 2014": 0.7}}  # fmt: skip
for column, (axis, (title, quantity)) in enumerate(zip(axes, quantities.items())):
    values = [quantity(table) for table in tables.values()]
    bars = axis.barh(list(tables), values, color=["tab:gray"] * 2 + ["tab:blue"] * 5, alpha=0.75)
    axis.bar_label(bars, [f"{value:.1f}" for value in values], padding=8, fontsize=8)
    for name, value in printed[column].items():
        place = list(tables).index(name)
        axis.plot([value, value], [place - 0.42, place + 0.42], color="crimson", linewidth=2)
    axis.set(title=title, xlim=(0, 1.2 * max(values)), xticks=[])
    axis.spines[["top", "right", "bottom"]].set_visible(False)
axes[0].invert_yaxis()
figure.suptitle("red lines: what the lecture prints", fontsize=10, color="crimson")
figure.tight_layout()
plt.show()

# %% [markdown]
# ## Part 7 · A recipe of 2012
#
# An architecture is half of a paper. The other half is how it was trained, often one paragraph.
# AlexNet's:
#
# | ingredient | value |
# |---|---|
# | initial weights | normal, mean 0, standard deviation 0.01 |
# | initial biases | 1 in conv2, conv4, conv5 and the hidden FC layers, else 0 |
# | batch | 128 images |
# | momentum | 0.9 |
# | weight decay | 0.0005 |
# | learning rate | 0.01; divided by 10 when the validation error stopped improving (three times, by hand) |
# | dropout | 0.5 after fc6 and fc7, nowhere else |
# | augmentation | crops, reflections, colour (lesson 11) |
#
# (Is "first use of ReLU" right? Part 1 told you who was first. AlexNet was the first to win at this
# size with it.)
#
# ## Exercise 12 · The initial weights
#
# Write `init_alexnet(net)` for a network of `alexnet_2012` or `alexnet_2014`, of any widths. Set, in
# place, all *weights* of convolutions and FC layers to normal random numbers of standard deviation
# 0.01, the *biases* of `conv2`, `conv4`, `conv5`, `fc6` and `fc7` to 1, and all other biases (`conv1`,
# `conv3`, `fc8`) to 0. Return `net`.
#
# (The ones give the ReLUs positive inputs at the start. Lesson 05 shows why today's recipe for a deep
# network is another one: He's initialisation with biases 0.)


# %% nbgrader={"grade": false, "grade_id": "init-alexnet", "locked": false, "schema_version": 3, "solution": true, "task": false}
def init_alexnet(net):
    """AlexNet's initial weights N(0, 0.01²) and biases (1 or 0), set in place; returns net."""
    ### BEGIN SOLUTION
    for name, layer in net.named_children():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(layer.weight, std=0.01)
            ones = name in ("conv2", "conv4", "conv5", "fc6", "fc7")
            nn.init.constant_(layer.bias, float(ones))
    return net
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-init-alexnet", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Standard deviation of the weights, ones and zeros in the biases


@in_submission
def initialised(init_alexnet, make, arguments, seed):
    """Per layer with weights: mean and deviation of the weights, smallest and largest bias."""
    import torch

    torch.manual_seed(seed)
    net = make(**arguments)
    back = init_alexnet(net)
    table = {}
    for name, layer in net.named_children():
        if hasattr(layer, "weight"):
            w, b = layer.weight.detach(), layer.bias.detach()
            far = (w.abs() > 2.5 * w.std()).float().mean().item()
            table[name] = [w.mean().item(), w.std().item(), far, b.min().item(), b.max().item()]
    return back is net, table


small = {"channels": (16, 16, 16, 16, 16), "hidden": 64, "classes": 50}
same, table = initialised(init_alexnet, alexnet_2014, small, 1)
assert same, "init_alexnet should return the network it was given"
check_close(table["conv2"][3:], [1, 1], "the biases of conv2, smallest and largest")
### BEGIN HIDDEN TESTS
small["groups"] = 2
same, table = initialised(init_alexnet, alexnet_2012, small, 2)
for name, (mean, std, far, low, high) in table.items():
    assert abs(mean) < 0.0015, f"the weights of {name} have mean {mean:.4f}, 0 is asked"
    assert 0.009 < std < 0.011, f"the weights of {name} have standard deviation {std:.4f}"
    assert far > 0.002, f"the weights of {name} do not look normal: nothing far from the mean"
    bias = 1 if name in ("conv2", "conv4", "conv5", "fc6", "fc7") else 0
    check_close([low, high], [bias, bias], f"the biases of {name}, smallest and largest")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 13 · The update rule as printed
#
# The paper's rule for a weight $w$ with gradient $g$, learning rate $\varepsilon$ and velocity $v$:
#
# $$ v \leftarrow 0.9\,v - 0.0005\,\varepsilon\,w - \varepsilon\,g, \qquad w \leftarrow w + v . $$
#
# The middle term is weight decay: the gradient of $\frac{0.0005}{2} w^2$, an L2 penalty. It belongs in
# the loss *or* in the rule, not in both. Write `paper_step(w, g, v, lr, momentum=0.9, decay=0.0005)`
# for tensors of one shape: return the pair (new `w`, new `v`), and change none of the arguments.
#
# *Worked example.* $w = 2$, $g = 3$, $v = 1$, $\varepsilon = 0.1$, momentum 0.5, decay 0.2:
# $v = 0.5 - 0.04 - 0.3 = 0.16$, $w = 2.16$.


# %% nbgrader={"grade": false, "grade_id": "paper-step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def paper_step(w, g, v, lr, momentum=0.9, decay=0.0005):
    """One step of AlexNet's update rule for tensors of one shape; returns (new w, new v)."""
    ### BEGIN SOLUTION
    v = momentum * v - decay * lr * w - lr * g
    return w + v, v
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-paper-step", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Three steps by the printed rule
w, v = paper_step(torch.tensor([2.0]), torch.tensor([3.0]), torch.tensor([1.0]), 0.1, 0.5, 0.2)
check_close(v, [0.16], "v of the worked example", rtol=1e-5)
check_close(w, [2.16], "w of the worked example", rtol=1e-5)
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(650)
w, v = torch.randn(3, 4, generator=generator).double(), torch.zeros(3, 4).double()
want_w, want_v = w.numpy().copy(), v.numpy().copy()
for step, lr in enumerate((0.3, 0.3, 0.03, 0.03)):
    g = torch.randn(3, 4, generator=generator).double()
    want_v = 0.7 * want_v - 0.4 * lr * want_w - lr * g.numpy()
    want_w = want_w + want_v
    before = w.clone(), g.clone(), v.clone()
    old = w, g, v
    w, v = paper_step(w, g, v, lr, momentum=0.7, decay=0.4)
    for now, then, name in zip(old, before, ("w", "g", "v")):
        check_unchanged(now, then, name)
    check_close(v, want_v, f"v after step {step + 1}", rtol=1e-5)
    check_close(w, want_w, f"w after step {step + 1}", rtol=1e-5)
w, v = paper_step(torch.tensor([1e4]), torch.tensor([0.0]), torch.tensor([1.0]), 0.01)
check_close(v, [0.9 - 0.05], "v with the paper's momentum and decay", rtol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# ## Question 18 · When the learning rate falls
#
# `torch.optim.SGD` keeps the learning rate out of the velocity: $v \leftarrow 0.9\,v + g + \lambda w$,
# then $w \leftarrow w - \varepsilon v$. With a constant $\varepsilon$ both rules take the same steps.
# Now suppose that both have reached the same $w$, that $g$ and $\lambda$ are 0 from here on, and that
# $\varepsilon$ has just been divided by 10. How many times as large is the next step by the *paper's*
# rule as by PyTorch's?

# %% nbgrader={"grade": false, "grade_id": "q-rules", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_rules: a number
### BEGIN SOLUTION
q_rules = 10
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-rules", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The paper's step against PyTorch's after a cut of the learning rate
check_number(q_rules, q_rules, "q_rules")
### BEGIN HIDDEN TESTS
check_number(q_rules, 10, "q_rules", rtol=1e-3)
### END HIDDEN TESTS

# %%
w, v = torch.ones(1), torch.zeros(1)
parameter = torch.nn.Parameter(torch.ones(1))
optimizer = torch.optim.SGD([parameter], lr=0.1, momentum=0.9)
for step, (gradient, lr) in enumerate(
    [(1.0, 0.1), (1.0, 0.1), (1.0, 0.1), (0.0, 0.01), (0.0, 0.01)]
):
    before, mine_before = parameter.item(), w.item()
    optimizer.param_groups[0]["lr"] = lr
    parameter.grad = torch.tensor([gradient])
    optimizer.step()
    w, v = paper_step(w, torch.tensor([gradient]), v, lr, decay=0.0)
    print(
        f"lr {lr:<5} gradient {gradient}: PyTorch moves by {parameter.item() - before:+.4f}, the paper's rule by {w.item() - mine_before:+.4f}"
    )

# %% [markdown]
# PyTorch's rule brakes at once; the paper's coasts on the old speed for some ten steps. Neither is
# wrong. But who ports a recipe from one framework to another should know which one he has.
#
# ## Exercise 14 · The recipe in PyTorch
#
# Write `alexnet_recipe(net)`, which returns the pair (optimizer, scheduler):
#
# - the **optimizer** is SGD with learning rate 0.01 and momentum 0.9. Weights decay with 0.0005,
#   **biases do not** (the paper is silent on biases; Caffe's well-known copy of AlexNet leaves them
#   out): two parameter groups, those with more than one dimension, and those with one. It covers all
#   parameters of `net`.
# - the **scheduler** does by rule what the authors did by hand. It is a
#   `torch.optim.lr_scheduler.ReduceLROnPlateau`; after each epoch one calls `scheduler.step(error)`
#   with the validation error. Any error below the best so far is an improvement (`threshold=0`). Five
#   epochs in a row without one are tolerated, the sixth divides the learning rate by 10 (PyTorch calls
#   this `patience=5`), but never below $10^{-5}$: three cuts.


# %% nbgrader={"grade": false, "grade_id": "alexnet-recipe", "locked": false, "schema_version": 3, "solution": true, "task": false}
def alexnet_recipe(net):
    """AlexNet's SGD and a scheduler that cuts its learning rate on plateaus of the validation error.

    Returns (optimizer, scheduler); weights decay, biases do not.
    """
    ### BEGIN SOLUTION
    weights = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in net.parameters() if parameter.ndim == 1]
    groups = [
        {"params": weights, "weight_decay": 5e-4},
        {"params": biases, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.1, patience=5, threshold=0.0, min_lr=1e-5
    )
    return optimizer, scheduler
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-recipe-optimizer", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Steps of the optimizer: momentum, decay of weights, none of biases


@in_submission
def walked(alexnet_recipe, start, gradients):
    """Weights and biases of a small network after each step with the given gradients."""
    import torch
    from torch import nn

    net = nn.Sequential(nn.Conv2d(2, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), start):
            parameter.copy_(value)
    optimizer, _ = alexnet_recipe(net)
    track = []
    for step in gradients:
        for parameter, gradient in zip(net.parameters(), step):
            parameter.grad = gradient.clone()
        optimizer.step()
        track.append([parameter.detach().clone() for parameter in net.parameters()])
    return track


shapes = [(3, 2, 2, 2), (3,), (2, 12), (2,)]
start = [torch.ones(shape) for shape in shapes]
track = walked(alexnet_recipe, start, [[torch.ones(shape) for shape in shapes]])
check_close(track[0][1], [0.99] * 3, "a bias of 1 after a step with gradient 1", rtol=1e-5)
### BEGIN HIDDEN TESTS
generator = torch.Generator().manual_seed(660)
start = [50 * torch.randn(shape, generator=generator) for shape in shapes]
gradients = [[torch.randn(shape, generator=generator) for shape in shapes] for _ in range(4)]
track = walked(alexnet_recipe, start, gradients)
for place, what in enumerate(
    ("a convolution's weights", "its biases", "an FC layer's weights", "its biases")
):
    w, v = start[place].double().numpy(), 0.0
    decay = 0.0005 if place in (0, 2) else 0.0
    for step, given in enumerate(gradients):
        v = 0.9 * v + given[place].double().numpy() + decay * w
        w = w - 0.01 * v
        # Compare the way gone: the start is large, so that decay shows.
        gone = np.asarray(track[step][place].double()) - start[place].double().numpy()
        check_close(
            gone,
            w - start[place].double().numpy(),
            f"{what}, moved after {step + 1} steps",
            rtol=1e-3,
            atol=3e-5,
        )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-recipe-scheduler", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Learning rates along a row of validation errors


@in_submission
def rates(alexnet_recipe, errors):
    """The learning rates of both parameter groups after each epoch."""
    import warnings

    from torch import nn

    warnings.simplefilter("ignore")  # no optimizer step between the epochs
    optimizer, scheduler = alexnet_recipe(nn.Linear(3, 2))
    track = []
    for error in errors:
        scheduler.step(error)
        track.append(sorted({round(group["lr"], 12) for group in optimizer.param_groups}))
    return track


errors = [0.9, 0.8, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]
track = rates(alexnet_recipe, errors)
check_close(
    [lr for (lr,) in track],
    [0.01] * 8 + [0.001] * 2,
    "the learning rates on the first plateau",
    rtol=1e-4,
)
### BEGIN HIDDEN TESTS
track = rates(alexnet_recipe, [0.5] + [0.6] * 5 + [0.4999999] + [0.7] * 30)
want = [0.01] * 12 + [0.001] * 6 + [0.0001] * 6 + [0.00001] * 13
check_close([lr for (lr,) in track], want, "the learning rates along 37 epochs", rtol=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **"a bias moved too far"**: give the decay in the groups: `{"params": […], "weight_decay": …}`. What
#   stands outside is the default for all groups.
# - **The cut comes an epoch late or early**: `patience=5`, and tiny improvements count (`threshold=0`;
#   PyTorch's default ignores improvements below 0.01%).
# - **A fourth cut**: `min_lr`.
#
# </details>
#
# ## Exercise 15 · One epoch
#
# Write `train_epoch(net, optimizer, batches)`. `batches` is a list of pairs (images `(B, 3, H, W)`,
# labels `(B,)`); the last batch may be smaller. Put the network into training mode; for each batch do
# one step on the mean softmax cross-entropy of the batch. Gradients may be left over in the network
# from before: they must not count. Return the mean loss over all **images** (each taken before its
# batch's step), a float. The decay is in the optimizer: do not add it to the loss.


# %% nbgrader={"grade": false, "grade_id": "train-epoch", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train_epoch(net, optimizer, batches):
    """One pass over a list of (images, labels) with a step each; returns the mean loss an image."""
    ### BEGIN SOLUTION
    net.train()
    loss_sum = images_seen = 0
    for images, labels in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(labels)
        images_seen += len(labels)
    return loss_sum / images_seen
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-train-epoch", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# One step a batch, fresh gradients, the mean loss, training mode


@in_submission
def trained(train_epoch, W, b, batches):
    """A linear network with stale gradients, after one epoch: loss, weights, biases, modes seen."""
    import torch
    from torch import nn

    modes = []

    class Watch(nn.Module):
        def forward(self, x):
            modes.append(self.training)
            return x

    net = nn.Sequential(nn.Flatten(), nn.Linear(W.shape[1], W.shape[0]), Watch()).double()
    with torch.no_grad():
        net[1].weight.copy_(W)
        net[1].bias.copy_(b)
    net.eval()
    for parameter in net.parameters():
        parameter.grad = torch.full_like(parameter, 3.0)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9)
    loss = float(train_epoch(net, optimizer, [tuple(batch) for batch in batches]))
    return loss, net[1].weight.detach(), net[1].bias.detach(), modes


x, y = torch.ones(2, 3, 1, 1).double(), torch.tensor([0, 1])
loss, W, b, modes = trained(
    train_epoch, torch.zeros(2, 3).double(), torch.zeros(2).double(), [[x, y]]
)
check_number(loss, math.log(2), "the loss of a network that does not know", rtol=1e-6)
check_close(b, [0, 0], "biases after a step on a balanced batch", atol=1e-9)
### BEGIN HIDDEN TESTS
assert modes == [True], "the network should be in training mode, one forward pass for a batch"
generator = torch.Generator().manual_seed(670)
sizes = (5, 5, 2)
batches = [
    [
        torch.randn(n, 3, 2, 1, generator=generator).double(),
        torch.randint(4, (n,), generator=generator),
    ]
    for n in sizes
]
W, b = torch.randn(4, 6, generator=generator).double(), torch.randn(4, generator=generator).double()
want_W, want_b = W.numpy().copy(), b.numpy().copy()
speed_W = speed_b = losses = 0.0
for x, y in batches:
    flat, labels = x.numpy().reshape(len(x), 6), y.numpy()
    z = flat @ want_W.T + want_b
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    losses -= np.log(p[np.arange(len(x)), labels]).sum()
    p[np.arange(len(x)), labels] -= 1
    speed_W = 0.9 * speed_W + p.T @ flat / len(x)
    speed_b = 0.9 * speed_b + p.mean(axis=0)
    want_W, want_b = want_W - 0.5 * speed_W, want_b - 0.5 * speed_b
loss, W, b, modes = trained(train_epoch, W, b, batches)
assert modes == [True] * 3, "three batches: three forward passes, in training mode"
check_close(W, want_W, "the weights after three batches", rtol=1e-5)
check_close(b, want_b, "the biases after three batches", rtol=1e-5)
check_number(loss, losses / 12, "the mean loss over 12 images", rtol=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **The weights are far off after the first batch**: gradients add up until they are cleared. Clear
#   them *before* `backward`, also the first time.
# - **The mean loss is off though the weights are right**: the last batch is smaller, so the mean over
#   batches is not the mean over images.
# - **`cross_entropy` of `softmax`**: it takes logits.
#
# </details>
#
# ## The recipe at work
#
# A small VGG-A (widths 8 to 64, 32 × 32 pixels) on scikit-learn's 1,797 digits, enlarged four times:
# 1,397 train, 400 validate, batches of 128, the recipe of Exercise 14, one run for each of two
# initialisations: He's, and yours (which finds only `fc6` and `fc7` among VGG's names to give ones to).
# The network has no batch normalisation, like the VGG of 2014. (The validation images also steer the
# learning rate, so their error is not a test error.)

# %% jupyter={"source_hidden": true} tags=["illustration"]
images, labels = digits()
order = np.random.default_rng(seed).permutation(len(labels))
images = torch.from_numpy(images[order]).float() - 0.3  # (1797, 1, 8, 8), about centred
images = F.interpolate(images, scale_factor=4.0).expand(-1, 3, -1, -1)  # (1797, 3, 32, 32)
labels = torch.from_numpy(labels[order])
threads = torch.get_num_threads()
torch.set_num_threads(1)  # the maps are too small to share out


def he(net):
    """He's initialisation, biases 0."""
    for layer in net.children():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return net


histories, began = {}, time.perf_counter()
runs = {"He's initialisation": (he, 40), "N(0, 0.01²), as AlexNet": (init_alexnet, 16)}
for name, (start, epochs) in runs.items():
    torch.manual_seed(seed)
    net = start(vgg("A", channels=(8, 16, 32, 64, 64), hidden=64, classes=10, size=32))
    optimizer, scheduler = alexnet_recipe(net)
    history = []
    for epoch in range(4 if quick else epochs):
        mixed = torch.randperm(1397)
        batches = [(images[i], labels[i]) for i in mixed.split(128)]
        loss = train_epoch(net, optimizer, batches)
        net.eval()
        with torch.no_grad():
            error = topk_error(net(images[1397:]), labels[1397:], 1)
        rate = optimizer.param_groups[0]["lr"]
        scheduler.step(error)
        history.append((loss, error, rate))
    histories[name] = np.array(history)
seconds = time.perf_counter() - began
torch.set_num_threads(threads)
figure, axes = plt.subplots(1, 3, figsize=(11, 3))
for name, history in histories.items():
    for axis, values in zip(axes, history.T):
        axis.plot(range(1, len(values) + 1), values, label=name, linewidth=1.8)
axes[0].axhline(math.log(10), color="black", linestyle=":", linewidth=1)
axes[0].text(24, math.log(10) + 0.06, "ln 10: guessing", fontsize=8)
axes[0].set(title="training loss (with dropout)", ylim=(0, 2.7))
axes[1].set(title="top-1 error, 400 validation images", ylim=(0, 1))
axes[2].set(title="learning rate", yscale="log")
for axis in axes:
    axis.set_xlabel("epoch")
    axis.grid(alpha=0.3)
axes[1].legend(fontsize=8)
figure.tight_layout()
plt.show()
for name, history in histories.items():
    print(f"{name}: {len(history)} epochs, best validation error {history[:, 1].min():.3f}")
print(f"n = 1 run each, seed {seed}, CPU, one thread, {seconds:.0f} s")

# %% [markdown]
# With He's initialisation the recipe of 2012 trains a network of 11 weight layers, and the staircase of
# the learning rate shows where the validation error stood still. With AlexNet's own small weights the
# signal dies on its way through 11 layers, the loss stays at guessing, and the scheduler dutifully cuts
# a learning rate that does not matter. The VGG authors met the same wall: they trained A first and
# started the deeper ones from its layers.
#
# ## Summary
#
# - A **top-$k$ error** needs its protocol: which images, one network or many, how many crops, which data.
# - **Hooks and the meta device** give the table of any network, without a number computed.
# - A table needs its **conventions**: MAC or FLOP, biases or not, which outputs, KB of 1000 or 1024.
#   Recompute one row before you trust the rest.
# - In AlexNet and VGG **memory sits in the early convolutions, parameters in the FC layers, work in the
#   convolutions**.
# - **Two AlexNets**: 61,100,840 parameters (64 filters, 2014) and 60,965,224 (96 filters in two groups,
#   2012).
# - **VGG**: 3 × 3, five stages, 132.9 to 143.7 million parameters; VGG-16 has 138,357,544, needs 15.47
#   billion MACs and stores 15.2 million numbers for an image.
# - A **recipe** is part of a result: initialisation, rule, decay, schedule. Ported carelessly it
#   becomes another recipe.
#
# ## References
#
# - A. Krizhevsky, I. Sutskever, G. Hinton, [ImageNet Classification with Deep Convolutional Neural
#   Networks](https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks), NIPS 2012
# - A. Krizhevsky, [One weird trick for parallelizing convolutional neural networks](https://arxiv.org/abs/1404.5997), 2014
# - M. Zeiler, R. Fergus, [Visualizing and Understanding Convolutional Networks](https://arxiv.org/abs/1311.2901), ECCV 2014
# - K. Simonyan, A. Zisserman, [Very Deep Convolutional Networks for Large-Scale Image
#   Recognition](https://arxiv.org/abs/1409.1556), ICLR 2015
# - O. Russakovsky and others, [ImageNet Large Scale Visual Recognition Challenge](https://arxiv.org/abs/1409.0575), IJCV 2015
# - K. He and others, [Deep Residual Learning for Image Recognition](https://arxiv.org/abs/1512.03385), CVPR 2016
# - PyTorch: [forward hooks](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_forward_hook),
#   [meta device](https://docs.pytorch.org/docs/stable/meta.html)
