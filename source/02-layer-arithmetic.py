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
# # 02 · Layer arithmetic: sizes, costs, receptive fields, pooling
#
# Before a network is trained, somebody picks a few whole numbers for each of its layers: how many
# kernels, how large, how far they step, how wide a border. Everything else follows from these
# numbers with pencil and paper: the size of every feature map, the number of weights, the memory,
# the arithmetic, and how much of the image one unit can see. This lesson is that pencil. At its end
# you can read the specification of a network and say what it will cost before you build it, and you
# can tell which of the sentences that people repeat about stride and pooling are true.
#
# **Time** 5 to 6 hours, in two sittings: parts 1 to 4, parts 5 to 9 · **Difficulty** ●●●○○ · **You
# need** lesson 01 (cross-correlation with several channels) and NumPy · **Runs on** any laptop, in
# seconds
#
# **After this lesson you can**
#
# - predict the shape that any convolution or pooling layer puts out, with stride, padding, dilation
#   and both ways of rounding, and prove a formula wrong with one well-chosen case;
# - write the convolution of lesson 01 with these three numbers, and a 1×1 convolution as one matrix
#   product;
# - count parameters, MACs, FLOPs and bytes of a whole network;
# - compute a receptive field, and measure it without looking inside the network;
# - write max, average and sum pooling, and say exactly what a shift of the image does to them.
#
# | part | you build | points |
# |---|---|---|
# | 1 · How large is the output? | `out_size`, `conv_shapes`, `fitting_layers` | 19 |
# | 2 · What stands in the border? | `pad2d`, `same_padding` | 8 |
# | 3 · The layer itself | `conv2d`, `conv1x1` | 15 |
# | 4 · What a layer costs | `conv_params`, `conv_work`, `connection_params`, `network_table` | 17 |
# | 5 · What one unit sees | `receptive_field`, `influences` | 11 |
# | 6 · Dilated and stacked kernels | `causal_conv1d`, `compose` | 7 |
# | 7 · Pooling | `pool2d` | 10 |
# | 8 · What a shift does | `changed_by_shift`, two gaps, four claims | 9 |
# | 9 · Find the bug | `formula_is_right`, a test of your own | 4 |
#
# **How it works.** Complete each cell that says `raise NotImplementedError`, then run the checks
# below it. Grading runs the same checks and further ones, on other shapes and other numbers, so
# write for any input of the described shape. Each behaviour has its own points: half of a function
# earns half. Questions ask you to predict *before* you run the cell that shows the truth; being
# wrong and then seeing why is the part that stays. Folded cells only draw: run them like any other.
# NumPy is all you may import.

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
from course.plots import annotate_grid, show_images

BLUE, ORANGE, GREEN, RED = "#4C72B0", "#DD8452", "#55A868", "#C44E52"


def pair(value):
    """A setting as (vertical, horizontal): 3 → (3, 3), and (3, 5) stays (3, 5)."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


# %% [markdown]
# ## Part 1 · How large is the output?
#
# A layer's **depth** (how many kernels), **stride** (how many pixels from one position of the
# kernel to the next) and **padding** (how many pixels of border are added on each side) are yours
# to choose: such numbers, which are set and not learned, are called **hyperparameters**. The depth
# sets the number of output channels and nothing else. Stride and padding set height and width, each
# axis for itself, so one row of pixels tells the whole story.
#
# Below, eight pixels (blue) and a kernel of three **taps**, one for each weight (orange). Each line is one position of the
# kernel, and so one output value.

# %% jupyter={"source_hidden": true} tags=["illustration"]
def draw_tape(axis, title, size, kernel, stride=1, padding=0, dilation=1, extra=0):
    starts = list(range(0, size + 2 * padding - dilation * (kernel - 1), stride))
    starts += [starts[-1] + stride] * extra
    seen = {start + dilation * tap for start in starts for tap in range(kernel)}
    last = max(max(seen) + 1, size + 2 * padding)
    for x in range(last):
        real = padding <= x < padding + size
        color = "#A9C1E4" if real else "white"
        hatch = "////" if real and x not in seen else None
        axis.add_patch(
            plt.Rectangle((x, 0), 0.92, 0.92, facecolor=color, edgecolor="gray", hatch=hatch)
        )
    for line, start in enumerate(starts, 1):
        for tap in range(kernel):
            box = (start + dilation * tap, -line)
            axis.add_patch(plt.Rectangle(box, 0.92, 0.62, facecolor=ORANGE))
        ends = (start + 0.46, start + dilation * (kernel - 1) + 0.46)
        axis.plot(ends, (0.31 - line, 0.31 - line), color=ORANGE, lw=1)
    axis.set(xlim=(-0.3, 10.3), ylim=(-8.3 if padding else -6.3, 1.2), aspect="equal", anchor="N")
    axis.set_title(f"{title}\n{len(starts)} positions", fontsize=9)
    axis.axis("off")


figure, axes = plt.subplots(2, 3, figsize=(10, 6.2), height_ratios=(9.5, 6))
draw_tape(axes[0, 0], "stride 1", 8, 3)
draw_tape(axes[0, 1], "stride 1, padding 1 (white)", 8, 3, padding=1)
draw_tape(axes[0, 2], "stride 1, dilation 2: taps 2 apart", 8, 3, dilation=2)
draw_tape(axes[1, 0], "stride 2, floor: the last pixel is unseen", 8, 3, stride=2)
draw_tape(axes[1, 1], "stride 2, ceil: one position hangs over", 8, 3, stride=2, extra=1)
draw_tape(axes[1, 2], "stride 3", 8, 3, stride=3)
figure.tight_layout()
plt.show()

# %% [markdown]
# Count positions, and the formula writes itself. With a border of $P$ on both sides the row is
# $n + 2P$ pixels long. A kernel of $K$ taps that stand $d$ apart (the **dilation**; $d = 1$ is an
# ordinary kernel) covers $d(K-1) + 1$ pixels: between $K$ taps there are only $K - 1$ gaps. Its
# left end may stand at $0, S, 2S, \dots$ as long as its right end stays on the row, so at most at
# $n + 2P - d(K-1) - 1$. That makes
#
# $$ n' = \left\lfloor \frac{n + 2P - d(K-1) - 1}{S} \right\rfloor + 1
# \qquad\text{and for } d = 1:\qquad
# n' = \left\lfloor \frac{n + 2P - K}{S} \right\rfloor + 1 . $$
#
# (Counting centres gives the same: the first is half a kernel from the left end, the last half a
# kernel from the right end, and the distance between the two is again $n + 2P - K$.)
#
# Read the formula as *how many steps fit, and one for the position you start from*. The $+1$ stands
# outside the fraction.
#
# **When the division leaves a remainder.** Some texts forbid it. Real networks rely on it: ResNet's
# first layer ($K = 7$, $S = 2$, $P = 3$) on 224 pixels makes $(224 + 6 - 7)/2 = 111.5$ steps,
# floors that to 111 and puts out 112. With **floor**, the last columns are not looked at. The other
# convention is **ceil**: one more window is allowed to hang over the right end. PyTorch floors, and
# its pooling layers round up when asked to with `ceil_mode=True`; Caffe's pooling always did.

# %% [markdown]
# ### Exercise 1 · Predict five sizes
# *5 points · 10 minutes · no code*
#
# Where nothing else is said, the stride is 1, there is no padding, and the framework floors.
#
# - **(a)** A 32×32 image goes through a 5×5 convolution, and the result through another one. Side
#   of the final map?
# - **(b)** A 7×7 image, a 3×3 kernel, a border of one zero on every side. Side of the output?
# - **(c)** The same 7×7 image and 3×3 kernel with stride 2 and no border. Side of the output?
# - **(d)** A row of 10 pixels, 3 taps, stride 2. Length of the output?
# - **(e)** A 3×32×32 image (channels first) meets six kernels of shape 3×5×5. Shape of the output,
#   as (channels, height, width)?

# %% nbgrader={"grade": false, "grade_id": "q-sides", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_sides: four whole numbers, the answers to (a), (b), (c), (d) in this order
### BEGIN SOLUTION
q_sides = (24, 7, 3, 4)
### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "q-volume", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_volume: three whole numbers, the answer to (e): (channels, height, width)
### BEGIN SOLUTION
q_volume = (6, 28, 28)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-sides-stride-one", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Predicted sizes at stride 1: (a) and (b)
check_shape(q_sides, (4,), "q_sides")
### BEGIN HIDDEN TESTS
check_number(q_sides[0], 24, "q_sides, answer (a)")
check_number(q_sides[1], 7, "q_sides, answer (b)")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-sides-stride-two", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Predicted sizes at stride 2: (c) and (d)
check_shape(q_sides, (4,), "q_sides")
### BEGIN HIDDEN TESTS
check_number(q_sides[2], 3, "q_sides, answer (c)")
check_number(q_sides[3], 4, "q_sides, answer (d)")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-volume", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Predicted shape of a stack of feature maps: (e)
check_shape(q_volume, (3,), "q_volume")
### BEGIN HIDDEN TESTS
check_close(q_volume, (6, 28, 28), "q_volume", rtol=0, atol=0)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **(a) comes out as 28.** That is the map after the first convolution. The second one eats
#   another border.
# - **(d) comes out as 4.5 or 5.** Draw ten boxes and slide three taps by two. The position that
#   would hang over the end does not count when a framework floors.
# - **Where have the three input channels gone in (e)?** Each kernel is as deep as its input and
#   sums over all channels, so each kernel makes one map.
#
# </details>

# %% [markdown]
# ### Exercise 2 · The output size
# *8 points: rounding down 3, dilation 2, rounding up 2, a kernel that does not fit 1 · 20 minutes*
#
# Write `out_size`, the number of positions along one axis.
#
# | call | result | because |
# |---|---|---|
# | `out_size(8, 3)` | 6 | starts 0 … 5 |
# | `out_size(8, 3, stride=2)` | 3 | starts 0, 2, 4; the last pixel is unseen |
# | `out_size(8, 3, stride=2, ceil_mode=True)` | 4 | start 6 hangs over by one |
# | `out_size(8, 3, padding=1)` | 8 | |
# | `out_size(8, 3, dilation=2)` | 4 | three taps cover five pixels |
#
# Two rules for the edge cases:
#
# - A kernel that covers more than the padded row fits nowhere: raise `ValueError`.
# - With `ceil_mode=True`, a window has to *start* on a pixel of the input or of the left border. A
#   window that would start on the right border, or beyond it, sees nothing new and is dropped:
#   `out_size(5, 1, stride=3, ceil_mode=True)` is 2 (starts 0 and 3), not 3 (start 6 is off the
#   row).

# %% nbgrader={"grade": false, "grade_id": "out-size", "locked": false, "schema_version": 3, "solution": true, "task": false}
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    """Number of positions of a kernel along one axis.

    Args:
        size: pixels of the input along the axis.
        kernel: taps of the kernel; dilation: distance between neighbouring taps.
        stride: distance between neighbouring positions.
        padding: pixels of border on each of the two sides.
        ceil_mode: round up, so that the last window may hang over the right end.

    Returns:
        A whole number, at least 1.

    Raises:
        ValueError: when the kernel covers more than the padded row.
    """
    ### BEGIN SOLUTION
    steps_room = size + 2 * padding - (dilation * (kernel - 1) + 1)
    if steps_room < 0:
        raise ValueError(f"a kernel of {kernel} taps does not fit {size} + 2·{padding} pixels")
    if not ceil_mode:
        return steps_room // stride + 1
    count = -(-steps_room // stride) + 1
    if (count - 1) * stride >= size + padding:  # the last window starts on the right border
        count -= 1
    return count
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-out-size-floor", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Output size with stride and padding, rounded down
check_number(out_size(8, 3), 6, "out_size(8, 3)")
check_number(out_size(8, 3, stride=2), 3, "out_size(8, 3, stride=2)")
check_number(out_size(8, 3, padding=1), 8, "out_size(8, 3, padding=1)")
### BEGIN HIDDEN TESTS
for size in (5, 10, 13, 32):
    for kernel, padding in ((1, 0), (2, 1), (3, 0), (3, 1), (5, 2), (4, 0)):
        for stride in (1, 2, 3):
            positions = range(0, size + 2 * padding - kernel + 1, stride)
            call = f"out_size({size}, {kernel}, stride={stride}, padding={padding})"
            check_number(out_size(size, kernel, stride, padding), len(positions), call)
check_number(out_size(227, 11, stride=4), 55, "out_size(227, 11, stride=4)")
check_number(out_size(224, 7, stride=2, padding=3), 112, "out_size(224, 7, stride=2, padding=3)")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-out-size-dilation", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Output size with dilated kernels
check_number(out_size(8, 3, dilation=2), 4, "out_size(8, 3, dilation=2)")
### BEGIN HIDDEN TESTS
for size, kernel in ((9, 1), (9, 2), (17, 3), (20, 5)):
    for stride, padding, dilation in ((1, 0, 3), (2, 0, 2), (2, 2, 4), (3, 1, 2)):
        last_tap = dilation * (kernel - 1)
        starts = [s for s in range(0, 99, stride) if s + last_tap < size + 2 * padding]
        call = (
            f"out_size({size}, {kernel}, stride={stride}, padding={padding}, dilation={dilation})"
        )
        check_number(out_size(size, kernel, stride, padding, dilation), len(starts), call)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-out-size-ceil", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Output size rounded up, and windows that would start beyond the input
check_number(
    out_size(8, 3, stride=2, ceil_mode=True), 4, "out_size(8, 3, stride=2, ceil_mode=True)"
)
check_number(
    out_size(5, 1, stride=3, ceil_mode=True), 2, "out_size(5, 1, stride=3, ceil_mode=True)"
)
### BEGIN HIDDEN TESTS
for size in (4, 6, 9, 13):
    for kernel, padding in ((2, 0), (2, 1), (3, 0), (3, 1)):
        for stride in (1, 2, 3, 4):
            starts = [0]
            while starts[-1] + kernel < size + 2 * padding and starts[-1] + stride < size + padding:
                starts.append(starts[-1] + stride)
            call = f"out_size({size}, {kernel}, stride={stride}, padding={padding}, ceil_mode=True)"
            got = out_size(size, kernel, stride, padding, ceil_mode=True)
            check_number(got, len(starts), call)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-out-size-fits", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# A kernel that does not fit raises ValueError, one that just fits does not
check_raises(ValueError, out_size, 2, 5)
### BEGIN HIDDEN TESTS
check_raises(ValueError, out_size, 5, 3, dilation=3)
check_raises(ValueError, out_size, 4, 7, padding=1)
check_number(out_size(5, 7, padding=1), 1, "out_size(5, 7, padding=1)")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **One too small, everywhere.** You counted steps. Positions are steps plus one.
# - **55 comes out as 43.** The $+1$ slipped into the denominator. $227 - 11 = 216$ pixels of
#   room, 216/4 = 54 steps, 55 positions.
# - **Right without dilation, too small with it.** $K$ taps have $K - 1$ gaps between them: the
#   kernel covers $d(K-1) + 1$ pixels, not $dK$.
# - **How do I round up?** `-(-a // b)` is $\lceil a/b \rceil$ in whole numbers, and so is
#   `(a + b - 1) // b`.
# - **One too many with `ceil_mode` and a padding.** Where does the last window start? On the
#   padded row the input ends at `size + padding`. A window that starts there or later is dropped.
#
# </details>

# %%
# Your predictions of Exercise 1 against your function:
print("(a)", out_size(out_size(32, 5), 5), "  (b)", out_size(7, 3, padding=1), end="  ")
print("(c)", out_size(7, 3, stride=2), "  (d)", out_size(10, 3, stride=2), end="  ")
print("(e)", (6, out_size(32, 5), out_size(32, 5)))


# %% [markdown]
# Without padding each 5×5 convolution takes 4 pixels off the side. After seven of them the 32
# pixels are down to 4, and an eighth no longer fits. That is why deep networks pad.

# %% [markdown]
# ### Exercise 3 · The contract of a layer
# *4 points: weight and bias 1, output 3 · 10 minutes*
#
# A batch of images has shape $(N, C_{in}, H, W)$. The layer's weight has shape
# $(C_{out}, C_{in}, K_H, K_W)$: $C_{out}$ kernels, each as deep as the input. The bias has one
# number per kernel. The output has shape $(N, C_{out}, H', W')$, where $H'$ follows from the height
# and the *vertical* hyperparameters, $W'$ from the width and the *horizontal* ones.
#
# Write `conv_shapes`. Each of kernel, stride, padding and dilation is one number for both axes, or
# (vertical, horizontal); `pair(...)`, defined at the top, turns either into a pair.
#
# `conv_shapes((1, 3, 20, 30), 8, 3)` is `((8, 3, 3, 3), (8,), (1, 8, 18, 28))`.

# %% nbgrader={"grade": false, "grade_id": "conv-shapes", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_shapes(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1):
    """The three shapes of a convolutional layer.

    Args:
        in_shape: (N, C_in, H, W).
        out_channels: number of kernels, C_out.
        kernel, stride, padding, dilation: a whole number, or (vertical, horizontal).

    Returns:
        (weight shape, bias shape, output shape):
        ((C_out, C_in, K_H, K_W), (C_out,), (N, C_out, H', W')).
    """
    ### BEGIN SOLUTION
    n, in_channels, height, width = in_shape
    kernel, stride, padding, dilation = pair(kernel), pair(stride), pair(padding), pair(dilation)
    out_height = out_size(height, kernel[0], stride[0], padding[0], dilation[0])
    out_width = out_size(width, kernel[1], stride[1], padding[1], dilation[1])
    weight = (out_channels, in_channels, *kernel)
    return weight, (out_channels,), (n, out_channels, out_height, out_width)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-conv-shapes-weight", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Shapes of weight and bias
weight_shape, bias_shape, _ = conv_shapes((1, 3, 20, 30), 8, 3)
check_close(weight_shape, (8, 3, 3, 3), "the weight shape for 3 → 8 channels, 3×3")
check_close(bias_shape, (8,), "the bias shape for 8 kernels")
### BEGIN HIDDEN TESTS
weight_shape, bias_shape, _ = conv_shapes((4, 5, 20, 30), 7, (2, 3), stride=(1, 2))
check_close(weight_shape, (7, 5, 2, 3), "the weight shape for 5 → 7 channels, kernel (2, 3)")
check_close(bias_shape, (7,), "the bias shape for 7 kernels")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv-shapes-output", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Output shape on rectangular images, kernels, strides, paddings and dilations
check_close(conv_shapes((1, 3, 20, 30), 8, 3)[2], (1, 8, 18, 28), "the output shape")
### BEGIN HIDDEN TESTS
cases = [
    ((2, 3, 17, 40), 4, (3, 5), (2, 3), (1, 0), (1, 2)),
    ((3, 1, 40, 17), 2, (1, 4), (3, 1), (0, 2), (1, 3)),
    ((1, 6, 23, 11), 5, 3, 2, 1, 2),
    ((5, 2, 9, 31), 3, (4, 3), 1, (2, 0), 1),
]
for shape, channels, kernel, stride, padding, dilation in cases:
    sides = [
        len(range(0, n + 2 * p - d * (k - 1), s))
        for n, k, s, p, d in zip(
            shape[2:], pair(kernel), pair(stride), pair(padding), pair(dilation), strict=True
        )
    ]
    call = f"conv_shapes({shape}, {channels}, {kernel}, {stride}, {padding}, {dilation})[2]"
    got = conv_shapes(shape, channels, kernel, stride, padding, dilation)[2]
    check_close(got, (shape[0], channels, *sides), call, rtol=0, atol=0)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **Right on square images, wrong on rectangular ones.** Height goes with the first number of
#   each pair, width with the second. Check that no line uses the height twice.
# - **`int` object is not subscriptable.** The hyperparameter came as one number. Send it through
#   `pair` first.
#
# </details>

# %% [markdown]
# ### Exercise 4 · Which layers fit?
# *2 points · 10 minutes*
#
# Designers solve the formula backwards: *I have 32 pixels and want 16; which layers do that?* Write
# `fitting_layers`, which tries every combination of the offered kernels, strides and paddings and
# returns those `(kernel, stride, padding)` that turn `size` pixels into `target` pixels (floor, no
# dilation). A combination whose kernel does not fit is skipped. The order does not matter.
#
# `fitting_layers(8, 4, kernels=[2, 3], strides=[1, 2], paddings=[0, 1])` is
# `[(2, 2, 0), (3, 2, 1)]`.

# %% nbgrader={"grade": false, "grade_id": "fitting-layers", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fitting_layers(size, target, kernels, strides, paddings):
    """All (kernel, stride, padding) that turn size pixels into target pixels.

    Args:
        size, target: pixels before and after, along one axis.
        kernels, strides, paddings: the values on offer, lists of whole numbers.

    Returns:
        A list of (kernel, stride, padding), each combination once, in any order.
    """
    ### BEGIN SOLUTION
    found = []
    for kernel in kernels:
        for stride in strides:
            for padding in paddings:
                fits = kernel <= size + 2 * padding
                if fits and out_size(size, kernel, stride, padding) == target:
                    found.append((kernel, stride, padding))
    return found
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-fitting-layers", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# All layers that map one size to another, no more and no fewer
got = fitting_layers(8, 4, kernels=[2, 3], strides=[1, 2], paddings=[0, 1])
assert got is not None, "fitting_layers returned None: does it end with a return?"
assert {tuple(layer) for layer in got} == {(2, 2, 0), (3, 2, 1)}, f"8 → 4 gives {got}"
### BEGIN HIDDEN TESTS
offers = ([1, 2, 3, 4, 5, 7], [1, 2, 3], [0, 1, 2, 3])
for size, target in ((32, 32), (32, 16), (10, 4), (4, 1), (13, 6)):
    want = {
        (k, s, p)
        for k in offers[0]
        for s in offers[1]
        for p in offers[2]
        if len(range(0, size + 2 * p - k + 1, s)) == target
    }
    got = [tuple(int(v) for v in layer) for layer in fitting_layers(size, target, *offers)]
    wrong, missing = set(got) - want, want - set(got)
    assert not wrong, f"{size} → {target}: {sorted(wrong)[0]} does not do that"
    assert not missing, f"{size} → {target}: {len(missing)} layers that do this are missing"
    assert len(got) == len(set(got)), f"{size} → {target}: a layer is listed twice"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **ValueError: the kernel does not fit.** `out_size` raises for kernels that are larger than
#   the padded row. Catch it with `try … except ValueError: continue`, or ask first.
#
# </details>

# %%
# The common settings, found rather than learnt by heart: keep 32 pixels, then halve them.
for target in (32, 16):
    layers = fitting_layers(32, target, kernels=[1, 3, 5, 7], strides=[1, 2], paddings=[0, 1, 2, 3])
    print(f"32 → {target}  (K, S, P):", *layers)

# %% [markdown]
# The first line is the rule $P = (K-1)/2$ for odd $K$ and stride 1: 1×1 with no padding, 3×3 with
# 1, 5×5 with 2, 7×7 with 3. This is **same padding**; networks use it so that layers can be stacked
# without bookkeeping. The second line halves: 3×3, stride 2, padding 1 is the usual choice. A 1×1
# kernel at stride 2 halves too, by never looking at three pixels out of four. Strides above 2 are
# rare and stand in first layers (AlexNet steps by 4; a vision transformer cuts the image into 16×16
# patches, which is a 16×16 kernel at stride 16). Numbers of kernels are powers of two by habit: 32,
# 64, 128, 256.

# %% [markdown]
# ## Part 2 · What stands in the border?
#
# A pixel in the middle of the image is seen by $K^2$ positions of a kernel, a pixel in the corner
# by one. Padding gives the border its say, but it has to invent pixels. **Zero padding** invents
# black. **Replicate padding** repeats the edge. Here a photograph is blurred eight times with the
# same 5×5 averaging kernel, with each of the two:

# %% jupyter={"source_hidden": true} tags=["illustration"]
cat = photo("chelsea", gray=True, step=2)  # (150, 226)
blurred = {}
for mode in ("constant", "edge"):
    image = cat
    for _ in range(8):
        padded = np.pad(image, 2, mode=mode)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5))
        image = windows.mean(axis=(2, 3))  # (150, 226) again
    blurred[mode] = image
show_images(
    [cat, blurred["constant"], blurred["edge"]],
    ["input", "zero padding: a dark frame creeps in", "replicate padding: no frame"],
    limits=(0, 1),
)
plt.show()

# %% [markdown]
# Networks mostly use zeros: their kernels are learned, and learn to live with the frame. For a
# fixed filter (a blur, an edge detector) the frame is an artefact, and replication is the better
# guess.

# %% [markdown]
# ### Exercise 5 · Padding
# *5 points: prediction 1, zeros 2, replication 2 · 10 minutes*
#
# **Predict first.** A large image has the value 9 in every pixel. It is averaged with a 3×3 kernel
# (nine weights of 1/9) and zero padding of 1. Which value stands in the top left corner of the
# result?

# %% nbgrader={"grade": false, "grade_id": "q-corner", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_corner: the value in the corner, a number
### BEGIN SOLUTION
q_corner = 4
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-corner", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Predicted value in the corner of a blurred constant image
check_shape(q_corner, (), "q_corner")
### BEGIN HIDDEN TESTS
check_number(q_corner, 4, "q_corner", rtol=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# Now write `pad2d` for both modes. It pads the last two axes, whatever stands in front of them, and
# takes one number or (vertical, horizontal). With `padding=1`:
#
# ```
#           zero         replicate
#         0 0 0 0         1 1 2 2
#  1 2    0 1 2 0         1 1 2 2
#  3 4 →  0 3 4 0    or   3 3 4 4
#         0 0 0 0         3 3 4 4
# ```

# %% nbgrader={"grade": false, "grade_id": "pad2d", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pad2d(x, padding, mode="zero"):
    """Put a border around the last two axes.

    Args:
        x: array (..., H, W).
        padding: pixels of border on each side, a whole number or (vertical, horizontal).
        mode: "zero", or "replicate" to repeat the nearest pixel of the edge.

    Returns:
        A new array (..., H + 2·vertical, W + 2·horizontal); x stays as it is.
    """
    ### BEGIN SOLUTION
    vertical, horizontal = pair(padding)
    height, width = x.shape[-2:]
    if mode == "replicate":
        rows = np.clip(np.arange(-vertical, height + vertical), 0, height - 1)
        columns = np.clip(np.arange(-horizontal, width + horizontal), 0, width - 1)
        return x[..., rows[:, None], columns]
    padded = np.zeros((*x.shape[:-2], height + 2 * vertical, width + 2 * horizontal))
    padded[..., vertical : vertical + height, horizontal : horizontal + width] = x
    return padded
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-pad2d-zero", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Zero padding of the last two axes, square and rectangular
check_close(
    pad2d(np.array([[1, 2], [3, 4]]), 1),
    [[0, 0, 0, 0], [0, 1, 2, 0], [0, 3, 4, 0], [0, 0, 0, 0]],
    "pad2d([[1, 2], [3, 4]], 1)",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(205)
x = rng.normal(size=(2, 3, 4, 5))
before = x.copy()
for padding in (0, 1, 2, (2, 0), (0, 3), (1, 2)):
    v, h = pair(padding)
    want = np.zeros((2, 3, 4 + 2 * v, 5 + 2 * h))
    want[:, :, v : v + 4, h : h + 5] = x
    check_close(pad2d(x, padding), want, f"pad2d(x, {padding}) for x of shape (2, 3, 4, 5)")
check_unchanged(x, before, "the input of pad2d")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-pad2d-replicate", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Replicate padding, corners included
check_close(
    pad2d(np.array([[1, 2], [3, 4]]), 1, mode="replicate"),
    [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]],
    'pad2d([[1, 2], [3, 4]], 1, mode="replicate")',
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(206)
x = rng.normal(size=(2, 1, 3, 4))
for padding in (0, 1, 2, (3, 1), (0, 2)):
    v, h = pair(padding)
    want = np.empty((2, 1, 3 + 2 * v, 4 + 2 * h))
    for i in range(3 + 2 * v):
        for j in range(4 + 2 * h):
            want[:, :, i, j] = x[:, :, min(max(i - v, 0), 2), min(max(j - h, 0), 3)]
    got = pad2d(x, padding, mode="replicate")
    check_close(got, want, f'pad2d(x, {padding}, mode="replicate") for x of shape (2, 1, 3, 4)')
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **Batch or channels have grown.** Only the last two axes get a border. `np.pad` wants one pair
#   per axis: `(0, 0)` for all the others.
# - **Height and width come out swapped.** `padding[0]` is vertical: it adds rows, so it makes the
#   array *taller*.
# - **The corners of the replicated border are zero.** A corner repeats the corner pixel. Pad one
#   axis, then pad the result along the other.
#
# </details>

# %% [markdown]
# ### Exercise 6 · Same padding for every kernel
# *3 points: odd kernels 1, even and dilated ones 2 · 10 minutes*
#
# To keep the size at stride 1, the border has to make up for what the kernel eats: $d(K-1)$ pixels
# in all. If that number is even, half goes to each side: $P = d(K-1)/2$. If it is odd, no symmetric
# padding keeps the size, and the larger half goes to the right (the convention of PyTorch and
# TensorFlow).
#
# `same_padding(3)` is `(1, 1)`, `same_padding(4)` is `(1, 2)`, `same_padding(3, dilation=2)` is
# `(2, 2)`.

# %% nbgrader={"grade": false, "grade_id": "same-padding", "locked": false, "schema_version": 3, "solution": true, "task": false}
def same_padding(kernel, dilation=1):
    """The border that keeps the size at stride 1, as (before, after): pixels left and right."""
    ### BEGIN SOLUTION
    total = dilation * (kernel - 1)
    return total // 2, total - total // 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-same-padding-odd", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Same padding of odd kernels
check_close(same_padding(3), (1, 1), "same_padding(3)")
### BEGIN HIDDEN TESTS
for kernel in (1, 5, 7, 11):
    check_close(same_padding(kernel), (kernel // 2,) * 2, f"same_padding({kernel})")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-same-padding-even", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Same padding of even and of dilated kernels
check_close(same_padding(4), (1, 2), "same_padding(4)")
### BEGIN HIDDEN TESTS
for kernel, dilation in ((2, 1), (6, 1), (3, 4), (5, 3), (2, 2), (2, 3), (4, 3)):
    call = f"same_padding({kernel}, dilation={dilation})"
    before, after = same_padding(kernel, dilation=dilation)
    positions = 20 + before + after - dilation * (kernel - 1)
    check_number(positions, 20, f"the size that 20 pixels get with {call}")
    check_close((before, after), (dilation * (kernel - 1) // 2, after), f"{call}, the left side")
    assert 0 <= after - before <= 1, f"{call}: the two sides may differ by one pixel at most"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **Even kernels lose or gain a pixel.** Work out the total first, then split it: the right side
#   gets what the left one did not take.
#
# </details>

# %% [markdown]
# ## Part 3 · The layer itself
#
# Here is one channel of a layer at work: a 5×5 image with a border of one, a 3×3 kernel, stride 2.
# Four of the nine positions are outlined; each fills the output cell of its colour.

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(10, 4.2), width_ratios=(7, 3, 3))
rng = np.random.default_rng(3)
demo = np.zeros((7, 7), int)
demo[1:6, 1:6] = rng.integers(0, 3, (5, 5))
demo_kernel = np.array([[1, 0, -1], [1, 1, 0], [0, -1, 1]])
demo_out = np.array(
    [
        [(demo[i : i + 3, j : j + 3] * demo_kernel).sum() for j in range(0, 5, 2)]
        for i in range(0, 5, 2)
    ]
)
annotate_grid(left, demo)
left.add_patch(plt.Rectangle((0.5, 0.5), 5, 5, fill=False, edgecolor="black", lw=1.5))
annotate_grid(middle, demo_kernel)
annotate_grid(right, demo_out)
for (i, j), color in zip(((0, 0), (1, 1), (2, 0), (2, 2)), (ORANGE, RED, BLUE, GREEN), strict=True):
    inset = 0.06
    left.add_patch(
        plt.Rectangle(
            (2 * j - 0.5 + inset, 2 * i - 0.5 + inset),
            3 - 2 * inset,
            3 - 2 * inset,
            fill=False,
            edgecolor=color,
            lw=3,
        )
    )
    right.add_patch(
        plt.Rectangle((j - 0.44, i - 0.44), 0.88, 0.88, fill=False, edgecolor=color, lw=3)
    )
left.set_title("input 5×5 (black frame), padded to 7×7", fontsize=9)
middle.set_title("kernel 3×3, stride 2", fontsize=9)
right.set_title("output 3×3", fontsize=9)
figure.tight_layout()
plt.show()


# %% [markdown]
# ### Exercise 7 · Convolution with stride, padding and dilation
# *13 points: values 2, bias 1, padding 2, stride 2, dilation 3, all three at once 3 · 30 minutes*
#
# The layer of lesson 01 (cross-correlation: the kernel slides as it is), now with dilation, and
# with each of its three numbers either one whole number or (vertical, horizontal). You may start
# from your `conv2d_forward`. With the input already padded:
#
# $$ y[n, o, i, j] = b[o] + \sum_{c}\sum_{k}\sum_{l}
#    x[n,\; c,\; i\,S_H + k\,d_H,\; j\,S_W + l\,d_W]\; w[o, c, k, l] $$
#
# Stride multiplies the *output* index, dilation the *kernel* index. That is the whole difference
# between the two.
#
# You may loop over the positions of the output, or over the taps of the kernel: for a fixed tap
# $(k, l)$ the pixels that it touches are one strided slice of the input, so a 3×3 kernel needs nine
# array operations, whatever the size of the image. Both earn full marks.
#
# Worked example on a single row of pixels, $x$ = `[1, 2, 3, 4, 5]` and $w$ = `[1, -1]`: dilation 2
# gives `[1-3, 2-4, 3-5]`, stride 2 gives `[1-2, 3-4]`, both together `[1-3, 3-5]`.

# %% nbgrader={"grade": false, "grade_id": "conv2d", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """A convolutional layer (cross-correlation) with zero padding.

    Args:
        x: array (N, C_in, H, W), whole numbers or floats.
        weight: array (C_out, C_in, K_H, K_W).
        bias: array (C_out,), or None for no bias.
        stride, padding, dilation: a whole number, or (vertical, horizontal).

    Returns:
        Array of floats (N, C_out, H', W'); the arguments stay as they are.
    """
    ### BEGIN SOLUTION
    stride, dilation = pair(stride), pair(dilation)
    out_shape = conv_shapes(x.shape, len(weight), weight.shape[2:], stride, padding, dilation)[2]
    x = pad2d(x, padding)
    y = np.zeros(out_shape)  # (N, C_out, H', W')
    for k in range(weight.shape[2]):
        for m in range(weight.shape[3]):
            top, left = k * dilation[0], m * dilation[1]
            rows = slice(top, top + stride[0] * (out_shape[2] - 1) + 1, stride[0])
            columns = slice(left, left + stride[1] * (out_shape[3] - 1) + 1, stride[1])
            touched = x[:, :, rows, columns]  # (N, C_in, H', W')
            y += np.einsum("nchw,oc->nohw", touched, weight[:, :, k, m])
    if bias is not None:
        y += bias[:, None, None]
    return y
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-conv2d-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Values at stride 1 without padding: several images, channels and kernels
x = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
w = np.array([[1.0, 2.0], [0.0, -1.0]]).reshape(1, 1, 2, 2)
check_close(conv2d(x, w), [[[[0, 2], [6, 8]]]], "conv2d of 1 … 9 with [[1, 2], [0, -1]]")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(701)
for x_shape, w_shape in (((2, 3, 6, 8), (4, 3, 3, 2)), ((3, 2, 7, 7), (5, 2, 3, 3))):
    x, w = rng.normal(size=x_shape), rng.normal(size=w_shape)
    before = x.copy(), w.copy()
    kh, kw = w_shape[2:]
    want = np.empty((x_shape[0], w_shape[0], x_shape[2] - kh + 1, x_shape[3] - kw + 1))
    for i in range(want.shape[2]):
        for j in range(want.shape[3]):
            want[:, :, i, j] = np.tensordot(x[:, :, i : i + kh, j : j + kw], w, ([1, 2, 3],) * 2)
    what = f"conv2d of {x_shape} with weight {w_shape}"
    check_close(conv2d(x, w), want, what, rtol=1e-4, atol=1e-5)
    check_unchanged(x, before[0], "x")
    check_unchanged(w, before[1], "the weight")
got = conv2d(np.array([[[[1, 2, 3]]]]), np.array([[[[0.5, 0.25]]]]))
check_close(got, [[[[1.0, 1.75]]]], "conv2d of whole numbers with fractions as weights")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv2d-bias", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# One bias per kernel
x, w = np.arange(1.0, 5.0).reshape(1, 1, 2, 2), np.ones((2, 1, 1, 1))
check_close(
    conv2d(x, w, np.array([10.0, 0.5])),
    [[[[11, 12], [13, 14]], [[1.5, 2.5], [3.5, 4.5]]]],
    "conv2d of [[1, 2], [3, 4]] with two 1×1 kernels of 1 and biases 10 and 0.5",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(706)
b = rng.normal(size=4)
before = b.copy()
got = conv2d(np.zeros((2, 3, 5, 6)), rng.normal(size=(4, 3, 2, 3)), b)
check_close(
    got, np.ones((2, 4, 4, 4)) * before[:, None, None], "conv2d of a black image with four biases"
)
check_unchanged(b, before, "the bias")
check_close(
    conv2d(np.zeros((1, 1, 3, 3)), np.ones((2, 1, 2, 2))),
    np.zeros((1, 2, 2, 2)),
    "conv2d of a black image without biases",
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv2d-padding", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Zero padding of 1 and 2, and different ones for the two axes
x = np.ones((1, 1, 2, 2))
check_close(
    conv2d(x, np.ones((1, 1, 3, 3)), padding=1),
    [[[[4, 4], [4, 4]]]],
    "2×2 ones, 3×3 ones, padding 1",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(702)
x, w = rng.normal(size=(2, 3, 5, 6)), rng.normal(size=(4, 3, 3, 2))
for padding in (1, 2, (1, 0), (0, 2)):
    p, q = pair(padding)
    padded = np.zeros((2, 3, 5 + 2 * p, 6 + 2 * q))
    padded[:, :, p : p + 5, q : q + 6] = x
    patches = np.lib.stride_tricks.sliding_window_view(
        padded, (3, 2), (2, 3)
    )  # (N, C, H', W', 3, 2)
    want = np.einsum("nchwkl,ockl->nohw", patches, w)
    what = f"conv2d of {x.shape} with padding={padding}"
    check_close(conv2d(x, w, padding=padding), want, what, rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv2d-stride", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Strides, among them such that do not divide
x = np.array([[[[1.0, 2.0, 3.0, 4.0, 5.0]]]])
w = np.array([[[[1.0, -1.0]]]])
check_close(conv2d(x, w, stride=2), [[[[-1, -1]]]], "[1, 2, 3, 4, 5] with [1, -1], stride 2")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(703)
x, w = rng.normal(size=(2, 3, 8, 11)), rng.normal(size=(2, 3, 3, 2))
patches = np.lib.stride_tricks.sliding_window_view(x, (3, 2), (2, 3))
full = np.einsum("nchwkl,ockl->nohw", patches, w)  # stride 1
for stride in (2, 3, (1, 2), (3, 1)):
    s, t = pair(stride)
    what = f"conv2d of {x.shape} with stride={stride}"
    check_close(conv2d(x, w, stride=stride), full[:, :, ::s, ::t], what, rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv2d-dilation", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Dilated kernels
x = np.array([[[[1.0, 2.0, 3.0, 4.0, 5.0]]]])
w = np.array([[[[1.0, -1.0]]]])
check_close(
    conv2d(x, w, dilation=2), [[[[-2, -2, -2]]]], "[1, 2, 3, 4, 5] with [1, -1], dilation 2"
)
check_close(
    conv2d(x, w, stride=2, dilation=2),
    [[[[-2, -2]]]],
    "[1, 2, 3, 4, 5] with [1, -1], stride 2 and dilation 2",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(704)
x, w = rng.normal(size=(2, 2, 9, 12)), rng.normal(size=(3, 2, 3, 2))
for dilation in (2, 3, (1, 4), (4, 1)):
    d, e = pair(dilation)
    spread = np.zeros((3, 2, 2 * d + 1, e + 1))
    spread[:, :, ::d, ::e] = w  # a dilated kernel is a large kernel full of zeros
    patches = np.lib.stride_tricks.sliding_window_view(x, spread.shape[2:], (2, 3))
    want = np.einsum("nchwkl,ockl->nohw", patches, spread)
    what = f"conv2d of {x.shape} with dilation={dilation}"
    check_close(conv2d(x, w, dilation=dilation), want, what, rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv2d-together", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Stride, padding and dilation together, different for the two axes
y = conv2d(np.ones((1, 1, 4, 5)), np.ones((1, 1, 2, 2)), stride=(1, 2), padding=(1, 0))
check_close(
    y[0, 0], [[2, 2], [4, 4], [4, 4], [4, 4], [2, 2]], "4×5 ones, stride (1, 2), padding (1, 0)"
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(705)
cases = [
    ((2, 3, 7, 10), (4, 3, 3, 2), (2, 3), (2, 1), (1, 2)),
    ((1, 2, 11, 6), (3, 2, 2, 3), (3, 1), (0, 2), (3, 2)),
    ((3, 1, 8, 8), (2, 1, 3, 3), (2, 2), (1, 1), (2, 2)),
    ((2, 4, 5, 9), (1, 4, 1, 4), (1, 2), (1, 0), (2, 2)),
]
for x_shape, w_shape, s, p, d in cases:
    x, w = rng.normal(size=x_shape), rng.normal(size=w_shape)
    padded = np.zeros((*x_shape[:2], x_shape[2] + 2 * p[0], x_shape[3] + 2 * p[1]))
    padded[:, :, p[0] : p[0] + x_shape[2], p[1] : p[1] + x_shape[3]] = x
    tall, wide = d[0] * (w_shape[2] - 1) + 1, d[1] * (w_shape[3] - 1) + 1
    rows = range(0, padded.shape[2] - tall + 1, s[0])
    columns = range(0, padded.shape[3] - wide + 1, s[1])
    want = np.empty((x_shape[0], w_shape[0], len(rows), len(columns)))
    for i, r in enumerate(rows):
        for j, c in enumerate(columns):
            patch = padded[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            want[:, :, i, j] = np.tensordot(patch, w, ([1, 2, 3],) * 2)
    what = f"conv2d of {x_shape} with weight {w_shape}, stride={s}, padding={p}, dilation={d}"
    check_close(conv2d(x, w, None, s, p, d), want, what, rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **Shape is right, values are wrong.** Try an impulse: an image of zeros with a single 1. The
#   output shows the kernel turned by 180°; if it shows the kernel as it is, you flipped it. If a
#   single channel works and three do not, you forgot to sum over channels.
# - **Could not broadcast (N, C_out, H', W') with (C_out,).** NumPy aligns shapes from the right.
#   Give the bias two more axes: `bias[:, None, None]` is (C_out, 1, 1).
# - **Right for stride 1, one column too many or too few for stride 2.** The last position starts
#   at $S(n' - 1)$. A slice that starts at `a` and holds `n` values `S` apart is
#   `a : a + S * (n - 1) + 1 : S`.
# - **Dilation does the same as stride.** Stride moves the kernel as a whole; dilation spreads its
#   taps. Look at which index each of them multiplies in the formula.
# - **The input has changed after the call.** `x += …` and `x[...] = …` write into the caller's
#   array. Make a new one.
#
# </details>

# %% [markdown]
# ### Kernels of one pixel
#
# A 1×1 kernel sounds like a joke: it sees no neighbours. But it is as deep as its input, so at each
# pixel it mixes the channels:
#
# $$ y[n, k, i, j] = b[k] + \sum_c w[k, c]\; x[n, c, i, j] . $$
#
# That is one fully connected layer of $C_{in}$ inputs and $C_{out}$ outputs, applied to every pixel
# with the same weights. It changes the depth and leaves height and width alone, and networks use it
# to make a deep map shallow before an expensive layer (256 → 64 channels for $256 \cdot 64 = 16384$
# weights). Three colour channels through a 3×3 *matrix* of weights:

# %% jupyter={"source_hidden": true} tags=["illustration"]
colour = photo("coffee", step=3)  # (3, 133, 200)
mix = np.array([[0.299, 0.587, 0.114], [0.5, -0.419, -0.081], [-0.169, -0.331, 0.5]])
mixed = np.einsum("kc,chw->khw", mix, colour)  # (3, 133, 200)
show_images(
    [colour, *mixed],
    ["3 channels in", "brightness", "red against the rest", "blue against the rest"],
    size=1.9,
)
plt.show()


# %% [markdown]
# ### Exercise 8 · A 1×1 convolution is a matrix product
# *2 points · 10 minutes*
#
# Write it as one: no loop over pixels. With $x$ of shape (N, C, H, W) and `weight` of shape (K, C),
# the matrix product needs $x$ as (N, C, H·W). `@` multiplies the last two axes and repeats over the
# others, and `reshape` gives back H and W.
#
# One pixel with channels `[1, 2, 3]` and `weight = [[1, 0, 1], [2, 2, 0]]` gives `[4, 6]`.

# %% nbgrader={"grade": false, "grade_id": "conv1x1", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv1x1(x, weight, bias=None):
    """A 1×1 convolution: the same matrix at every pixel.

    Args:
        x: array (N, C, H, W).
        weight: array (K, C).
        bias: array (K,), or None.

    Returns:
        Array (N, K, H, W).
    """
    ### BEGIN SOLUTION
    n, channels, height, width = x.shape
    y = weight @ x.reshape(n, channels, height * width)  # (N, K, H·W)
    if bias is not None:
        y = y + bias[:, None]
    return y.reshape(n, len(weight), height, width)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-conv1x1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The same mix of channels at every pixel
x = np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
w = np.array([[1.0, 0.0, 1.0], [2.0, 2.0, 0.0]])
check_close(conv1x1(x, w), np.array([4.0, 6.0]).reshape(1, 2, 1, 1), "one pixel [1, 2, 3]")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(801)
for shape, kernels in (((2, 5, 3, 4), 6), ((3, 4, 4, 4), 2)):
    x, w, b = rng.normal(size=shape), rng.normal(size=(kernels, shape[1])), rng.normal(size=kernels)
    want = np.empty((shape[0], kernels, *shape[2:]))
    for i in range(shape[2]):
        for j in range(shape[3]):
            want[:, :, i, j] = x[:, :, i, j] @ w.T
    check_close(conv1x1(x, w), want, f"conv1x1 of {shape}, {kernels} kernels", rtol=1e-4, atol=1e-5)
    want = want + b[:, None, None]
    check_close(
        conv1x1(x, w, b),
        want,
        f"conv1x1 of {shape}, {kernels} kernels and biases",
        rtol=1e-4,
        atol=1e-5,
    )
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **Matmul says that the dimensions do not agree.** (K, C) @ (N, C, H·W) works: the product is
#   taken for each of the N images. (N, H·W, C) would need the transposed weight on the other
#   side.
# - **The values are there, but at the wrong pixels.** `reshape` never reorders. Reshape to (N, C,
#   H·W), not to (N, H·W, C): to move an axis use `transpose`.
#
# </details>

# %% [markdown]
# ## Part 4 · What a layer costs
#
# **Parameters.** A kernel has $K_H K_W C_{in}$ weights and one bias, and there are $C_{out}$
# kernels:
#
# $$ (K_H K_W C_{in} + 1)\, C_{out} . $$
#
# Height and width of the image do not occur: the same kernels serve every position. In a
# **grouped** convolution the channels are split into $g$ groups that do not see each other. Each
# kernel then is only $C_{in}/g$ deep, so the weights shrink by $g$ (the biases do not). With
# $g = C_{in}$ each kernel sees one channel: a *depthwise* convolution.
#
# **Work.** Every *output* value costs one multiply-add (**MAC**) for each weight of its kernel:
#
# $$ \text{MACs} = \frac{K_H K_W C_{in}}{g} \cdot C_{out} H' W' . $$
#
# Counted one by one that is $K^2 C$ multiplications, $K^2 C - 1$ additions to sum them up, and one
# addition for the bias: $2 K^2 C$ floating point operations per output value. So **FLOPs = 2
# MACs**. In tables of networks the word FLOP often stands for a MAC, and the numbers then come out
# at half of what this formula says. This course says MAC when it means MAC; when you read a table
# elsewhere, recompute one row to see which of the two it counts.
#
# **Memory.** A float32 takes 4 bytes. A feature map of $C \times H \times W$ takes $4CHW$ bytes,
# and training keeps all of them for the way back.

# %% [markdown]
# ### Exercise 9 · Parameters and work of one layer
# *8 points: predictions 1 + 1, parameters 3, work 3 · 20 minutes*
#
# **Predict first.** A layer takes a 3×32×32 image through ten 5×5 kernels, stride 1, padding 2. How
# many parameters does it have?

# %% nbgrader={"grade": false, "grade_id": "q-parameters", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_parameters: number of weights and biases
### BEGIN SOLUTION
q_parameters = 760
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-parameters", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Predicted number of parameters of a small layer
check_shape(q_parameters, (), "q_parameters")
### BEGIN HIDDEN TESTS
check_number(q_parameters, 760, "q_parameters")
### END HIDDEN TESTS

# %% [markdown]
# **Find the convention.** A printed table says that AlexNet's first layer (3 → 64 channels, kernel
# 11×11, stride 4, output 64×56×56) costs "73 MFLOP". What did its author count?
#
# - `"a"` each multiplication and each addition
# - `"b"` one for a multiply-add, so MACs
# - `"c"` one for a multiply-add, but over the input's pixels instead of the output's
# - `"d"` the additions for the biases only

# %% nbgrader={"grade": false, "grade_id": "q-flop-table", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_flop_table: "a", "b", "c" or "d"
### BEGIN SOLUTION
q_flop_table = "b"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-flop-table", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Which operations a printed table counts
assert q_flop_table in ("a", "b", "c", "d"), 'q_flop_table should be "a", "b", "c" or "d"'
### BEGIN HIDDEN TESTS
check_choice(q_flop_table, "b", ("a", "b", "c", "d"), "q_flop_table")
### END HIDDEN TESTS

# %% [markdown]
# Now the functions. `conv_params(3, 64, 3)` is 1792: 27 weights and a bias, 64 times.
# `conv_work((3, 5, 5), 2, 3)` is `(486, 972)`: 2·3·3 output values, 27 MACs each.

# %% nbgrader={"grade": false, "grade_id": "conv-params", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_params(in_channels, out_channels, kernel, groups=1, bias=True):
    """Number of learned parameters of a convolutional layer; kernel is one number or (K_H, K_W)."""
    ### BEGIN SOLUTION
    kernel_height, kernel_width = pair(kernel)
    weights = kernel_height * kernel_width * (in_channels // groups) * out_channels
    return weights + (out_channels if bias else 0)
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "conv-work", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_work(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1, groups=1):
    """Work of a convolutional layer for one image.

    Args:
        in_shape: (C_in, H, W).
        kernel, stride, padding, dilation: a whole number or (vertical, horizontal).

    Returns:
        (MACs, FLOPs), whole numbers.
    """
    ### BEGIN SOLUTION
    batch_shape = (1, *in_shape)
    _, _, out_shape = conv_shapes(batch_shape, out_channels, kernel, stride, padding, dilation)
    weights = conv_params(in_shape[0], out_channels, kernel, groups, bias=False)
    macs = weights * out_shape[2] * out_shape[3]
    return macs, 2 * macs
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-conv-params", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Parameters: biases, rectangular kernels, groups
check_number(conv_params(3, 64, 3), 1792, "conv_params(3, 64, 3)")
check_number(conv_params(3, 64, 3, bias=False), 1728, "conv_params(3, 64, 3, bias=False)")
check_number(conv_params(4, 6, 1, groups=2), 18, "conv_params(4, 6, 1, groups=2)")
### BEGIN HIDDEN TESTS
for c, o, kernel, g in (
    (5, 7, 3, 1),
    (5, 8, (2, 5), 1),
    (1, 9, (7, 1), 1),
    (6, 4, 3, 2),
    (8, 8, 5, 8),
):
    weight = np.ones((o, c // g, *pair(kernel)))
    call = f"conv_params({c}, {o}, {kernel}, groups={g}"
    check_number(conv_params(c, o, kernel, groups=g), weight.size + o, call + ")")
    check_number(
        conv_params(c, o, kernel, groups=g, bias=False), weight.size, call + ", bias=False)"
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv-work", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# MACs and FLOPs with stride, padding, dilation and groups
check_close(conv_work((3, 5, 5), 2, 3), (486, 972), "conv_work((3, 5, 5), 2, 3)")
### BEGIN HIDDEN TESTS
cases = [
    ((64, 56, 56), 64, 3, 1, 1, 1, 1),
    ((3, 227, 227), 96, 11, 4, 0, 1, 1),
    ((4, 9, 14), 6, (3, 2), (2, 3), (1, 0), (1, 2), 1),
    ((6, 10, 7), 9, 3, 2, 1, 1, 3),
    ((8, 6, 6), 8, 3, 1, 2, 2, 8),
]
for shape, o, kernel, stride, padding, dilation, g in cases:
    macs = shape[0] // g * o * pair(kernel)[0] * pair(kernel)[1]
    for n, k, s, p, d in zip(
        shape[1:], pair(kernel), pair(stride), pair(padding), pair(dilation), strict=True
    ):
        macs *= len(range(0, n + 2 * p - d * (k - 1), s))
    call = f"conv_work({shape}, {o}, {kernel}, {stride}, {padding}, {dilation}, groups={g})"
    got = conv_work(shape, o, kernel, stride, padding, dilation, groups=g)
    check_shape(got, (2,), call)
    check_number(got[0], macs, f"the first number of {call}")
    check_number(got[1], 2 * macs, f"the second number of {call}")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The prediction lacks ten.** Every kernel has a bias of its own.
# - **MACs too large when the stride is 2.** Work is done where an output is computed. Multiply by
#   the height and width of the *output*.
# - **FLOPs and MACs come out equal.** A MAC is a multiplication and an addition: two FLOPs.
# - **Wrong with groups only.** A kernel of a grouped layer is $C_{in}/g$ deep. The number of
#   kernels, and of biases, stays $C_{out}$.
#
# </details>

# %%
# Your prediction and the printed table, recomputed:
print("3×32×32, ten 5×5 kernels:", conv_params(3, 10, 5), "parameters")
macs, flops = conv_work((3, 227, 227), 64, 11, stride=4, padding=2)
print(f"AlexNet's first layer: {macs / 1e6:.1f} million MACs, {flops / 1e6:.1f} million FLOPs")


# %% [markdown]
# ### Exercise 10 · What sharing saves
# *2 points · 10 minutes*
#
# A convolution connects two maps sparsely (each unit sees a $K \times K$ patch) and with shared
# weights (all units of a map have the same kernel). Take the two away one after the other:
#
# - **shared**: a convolution, stride 1, no padding;
# - **local**: the same patches, but every output value has weights and a bias of its own;
# - **dense**: every output value is connected to every input value, with a bias of its own:
#   $(C_{in} H W + 1)\, C_{out} H' W'$.
#
# Write `connection_params`, which returns the three numbers of parameters. One channel of 4×4
# pixels and one 3×3 kernel have 2×2 outputs: `connection_params((1, 4, 4), 1, 3)` is
# `(10, 40, 68)`.

# %% nbgrader={"grade": false, "grade_id": "connection-params", "locked": false, "schema_version": 3, "solution": true, "task": false}
def connection_params(in_shape, out_channels, kernel):
    """Parameters of three layers between the same two maps, stride 1, no padding, with biases.

    Args:
        in_shape: (C_in, H, W).
        kernel: a whole number or (K_H, K_W).

    Returns:
        (shared, local, dense): convolution, untied patches, fully connected.
    """
    ### BEGIN SOLUTION
    channels, height, width = in_shape
    batch_shape = (1, *in_shape)
    _, _, (_, _, out_height, out_width) = conv_shapes(batch_shape, out_channels, kernel)
    shared = conv_params(channels, out_channels, kernel)
    local = shared * out_height * out_width
    dense = (channels * height * width + 1) * out_channels * out_height * out_width
    return shared, local, dense
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-connection-params", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Shared, local and dense connections between the same maps
check_close(connection_params((1, 4, 4), 1, 3), (10, 40, 68), "connection_params((1, 4, 4), 1, 3)")
### BEGIN HIDDEN TESTS
for (c, h, w), o, kernel in (((3, 32, 32), 10, 5), ((2, 9, 6), 5, (2, 3)), ((1, 200, 200), 1, 3)):
    kh, kw = pair(kernel)
    units = o * (h - kh + 1) * (w - kw + 1)
    call = f"connection_params({(c, h, w)}, {o}, {kernel})"
    got = connection_params((c, h, w), o, kernel)
    check_shape(got, (3,), call)
    check_number(got[0], o * (c * kh * kw + 1), f"the shared layer of {call}")
    check_number(got[1], units * (c * kh * kw + 1), f"the local layer of {call}")
    check_number(got[2], units * (c * h * w + 1), f"the dense layer of {call}")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **Local comes out equal to shared.** Nothing is shared any more: each of the $H'W'$ positions
#   has its own $C_{out}$ kernels.
#
# </details>

# %% jupyter={"source_hidden": true} tags=["illustration"]
counts = connection_params((3, 32, 32), 10, 5)
figure, axis = plt.subplots(figsize=(7.5, 1.9))
names = ["convolution", "local, weights not shared", "fully connected"]
bars = axis.barh(names, counts, color=[GREEN, ORANGE, RED])
axis.bar_label(bars, [f"{count:,}" for count in counts], padding=4, fontsize=9)
axis.set(xscale="log", xlim=(100, 1e9), xlabel="parameters (each grid line is ×10)")
axis.invert_yaxis()
axis.grid(axis="x", alpha=0.4)
axis.set_title("3×32×32 → 10×28×28", fontsize=10)
figure.tight_layout()
plt.show()

# %% [markdown]
# Locality saves a factor of about 40 here, sharing another 784, one for each output position. For a
# later layer, 64×56×56 in and out, the fully connected version would need
# $(64 \cdot 56 \cdot 56 + 1) \cdot 64 \cdot 56 \cdot 56 \approx 4.0 \cdot 10^{10}$ parameters; the
# 3×3 convolution has 36,928.

# %% [markdown]
# ### Exercise 11 · The bill of a whole network
# *7 points: prediction 1, shapes 2, parameters 2, MACs and bytes 2 · 30 minutes*
#
# A network is written as a list of layers:
#
# | layer | shape out | parameters | MACs |
# |---|---|---|---|
# | `("conv", out_channels, kernel, stride, padding)` | by the formula | weights and biases | as above |
# | `("pool", window, stride)` | floor, no padding, same channels | none | 0 |
# | `("relu",)` | unchanged | none | 0 |
# | `("batchnorm",)` | unchanged | a scale and a shift per channel | 0 |
# | `("flatten",)` | `(C·H·W,)` | none | 0 |
# | `("linear", out_features)` | `(out_features,)` | one weight per input and output, one bias per output | one per weight |
#
# Three remarks. Pooling has nothing to learn. Batch normalisation also stores a running mean and
# variance per channel, but these are *measured*, not learned: they are buffers and do not count.
# Comparisons, ReLUs and normalisation cost something too; next to the MACs it is small, and tables
# leave it out.
#
# **Predict first.** The small network below is a relative of LeNet. Suppose you take out both
# pooling layers and leave everything else as it is. Which layers get another number of parameters?
#
# - `"a"` none: pooling has no parameters
# - `"b"` the second convolution and the first linear layer
# - `"c"` only the first linear layer
# - `"d"` all convolutions and linear layers

# %%
lenet = [
    ("conv", 20, 5, 1, 0),
    ("relu",),
    ("pool", 2, 2),
    ("conv", 50, 5, 1, 0),
    ("relu",),
    ("pool", 2, 2),
    ("flatten",),
    ("linear", 500),
    ("relu",),
    ("linear", 10),
]  # for images (1, 28, 28)

# %% nbgrader={"grade": false, "grade_id": "q-without-pooling", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_without_pooling: "a", "b", "c" or "d"
### BEGIN SOLUTION
q_without_pooling = "c"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-without-pooling", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Predicted effect of pooling on the number of parameters
assert q_without_pooling in ("a", "b", "c", "d"), 'q_without_pooling should be "a", "b", "c" or "d"'
### BEGIN HIDDEN TESTS
check_choice(q_without_pooling, "c", ("a", "b", "c", "d"), "q_without_pooling")
### END HIDDEN TESTS

# %% [markdown]
# Now write `network_table`. It walks through the list, carries the shape along, and returns one
# dictionary per layer. For the first layer of `lenet`:
#
# `{"layer": "conv", "shape": (20, 24, 24), "params": 520, "macs": 288000, "bytes": 46080}`
#
# `bytes` is the memory of the layer's output in float32. Kernels, strides and windows may be pairs.

# %% nbgrader={"grade": false, "grade_id": "network-table", "locked": false, "schema_version": 3, "solution": true, "task": false}
def network_table(layers, in_shape):
    """Shapes, parameters, work and memory of a network, for one image.

    Args:
        layers: list of tuples, as in the table above.
        in_shape: (C, H, W).

    Returns:
        A list with one dict per layer: "layer" (its name), "shape" (tuple), "params", "macs", "bytes".
    """
    ### BEGIN SOLUTION
    rows, shape = [], in_shape
    for name, *numbers in layers:
        params = macs = 0
        if name == "conv":
            channels, kernel, stride, padding = numbers
            params = conv_params(shape[0], channels, kernel)
            macs, _ = conv_work(shape, channels, kernel, stride, padding)
            shape = conv_shapes((1, *shape), channels, kernel, stride, padding)[2][1:]
        elif name == "pool":
            shape = conv_shapes((1, *shape), shape[0], *numbers)[2][1:]
        elif name == "batchnorm":
            params = 2 * shape[0]
        elif name == "flatten":
            shape = (int(np.prod(shape)),)
        elif name == "linear":
            (inputs,), (units,) = shape, numbers
            macs = inputs * units
            params = macs + units
            shape = (units,)
        size = 4 * int(np.prod(shape))
        rows.append({"layer": name, "shape": shape, "params": params, "macs": macs, "bytes": size})
    return rows
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-network-table-shapes", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The shape after every layer
small = [("conv", 2, 3, 1, 1), ("relu",), ("pool", 2, 2), ("flatten",), ("linear", 5)]
rows = network_table(small, (1, 6, 6))
assert rows is not None, "network_table returned None: does it end with a return?"
assert len(rows) == 5, f"5 layers should give 5 rows, not {len(rows)}"
for row, want in zip(rows, [(2, 6, 6), (2, 6, 6), (2, 3, 3), (18,), (5,)], strict=True):
    check_close(row["shape"], want, f"the shape after {row['layer']} on (1, 6, 6)")
### BEGIN HIDDEN TESTS
layers = [
    ("conv", 6, (3, 5), (2, 1), (1, 0)),
    ("batchnorm",),
    ("relu",),
    ("pool", 3, 2),
    ("conv", 4, 2, 1, 0),
    ("pool", (2, 3), (1, 2)),
    ("flatten",),
    ("linear", 7),
    ("linear", 3),
]
wants = [
    (6, 8, 16),
    (6, 8, 16),
    (6, 8, 16),
    (6, 3, 7),
    (4, 2, 6),
    (4, 1, 2),
    (8,),
    (7,),
    (3,),
]
rows = network_table(layers, (3, 15, 20))
assert len(rows) == len(layers), f"{len(layers)} layers should give as many rows, not {len(rows)}"
for number, (row, layer, want) in enumerate(zip(rows, layers, wants, strict=True)):
    check_close(row["shape"], want, f"the shape after layer {number}, {layer}, from (3, 15, 20)")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-network-table-params", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Parameters of convolution, normalisation, pooling and linear layers
small = [("conv", 2, 3, 1, 1), ("relu",), ("pool", 2, 2), ("flatten",), ("linear", 5)]
got = [row["params"] for row in network_table(small, (1, 6, 6))]
check_close(got, [20, 0, 0, 0, 95], "the parameters of conv, relu, pool, flatten, linear")
### BEGIN HIDDEN TESTS
layers = [
    ("conv", 6, (3, 5), (2, 1), (1, 0)),
    ("batchnorm",),
    ("relu",),
    ("pool", 3, 2),
    ("conv", 4, 2, 1, 0),
    ("pool", 2, 2),
    ("flatten",),
    ("linear", 7),
    ("linear", 3),
]
wants = [6 * 46, 12, 0, 0, 4 * 25, 0, 0, 13 * 7, 8 * 3]
for row, layer, want in zip(network_table(layers, (3, 15, 20)), layers, wants, strict=True):
    check_number(row["params"], want, f"the number of parameters of {layer}")
classic = [
    ("conv", 20, 5, 1, 0),
    ("pool", 2, 2),
    ("conv", 50, 5, 1, 0),
    ("pool", 2, 2),
    ("flatten",),
    ("linear", 500),
    ("linear", 10),
]
total = sum(row["params"] for row in network_table(classic, (1, 28, 28)))
check_number(total, 431_080, "the parameters of the LeNet, all layers,")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-network-table-work", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# MACs of every layer, bytes of every output
small = [("conv", 2, 3, 1, 1), ("relu",), ("pool", 2, 2), ("flatten",), ("linear", 5)]
rows = network_table(small, (1, 6, 6))
check_close([row["macs"] for row in rows], [648, 0, 0, 0, 90], "the MACs of the five layers")
check_close([row["bytes"] for row in rows], [288, 288, 72, 72, 20], "the bytes of the five outputs")
### BEGIN HIDDEN TESTS
layers = [
    ("conv", 6, (3, 5), (2, 1), (1, 0)),
    ("batchnorm",),
    ("relu",),
    ("pool", 3, 2),
    ("conv", 4, 2, 1, 0),
    ("flatten",),
    ("linear", 7),
    ("linear", 3),
]
macs = [768 * 45, 0, 0, 0, 48 * 24, 0, 48 * 7, 21]
sizes = [4 * n for n in (768, 768, 768, 126, 48, 48, 7, 3)]
rows = network_table(layers, (3, 15, 20))
for row, layer, want, size in zip(rows, layers, macs, sizes, strict=True):
    check_number(row["macs"], want, f"the number of MACs of {layer}")
    check_number(row["bytes"], size, f"the number of bytes that {layer} puts out")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The linear layer has too few or too many weights.** It sees what flatten left: $C \cdot H
#   \cdot W$ of the last map, after pooling.
# - **MACs of the second convolution are wrong.** Its input has as many channels as the layer
#   before put out. Update `shape` only after you used the old one.
# - **KeyError.** Each row needs the five keys "layer", "shape", "params", "macs", "bytes", for
#   every layer, also those that cost nothing.
#
# </details>

# %%
# Where the parameters of the LeNet lie, where its work is done, where its outputs take memory
rows = [row for row in network_table(lenet, (1, 28, 28)) if row["params"]]
names = ["conv 1", "conv 2", "linear 1", "linear 2"]
for key, title in {"params": "parameters", "macs": "MACs", "bytes": "bytes put out"}.items():
    counts = [row[key] for row in rows]
    share = sum(counts[:2]) / sum(counts)
    print(f"{title}: {100 * share:.0f}% in the convolutions")
    for name, count in zip(names, counts, strict=True):
        print(f"  {name:8} {count:>9,} {'█' * round(40 * count / max(counts))}")

# %%
# Your prediction of Exercise 11: the same network without its pooling layers
bare = [layer for layer in lenet if layer[0] != "pool"]
for title, layers in (("with pooling", lenet), ("without pooling", bare)):
    rows = network_table(layers, (1, 28, 28))
    counts = [f"{row['params']:,}" for row in rows if row["params"]]
    work = sum(row["macs"] for row in rows)
    print(f"{title:16} parameters {'  '.join(counts):40} {work / 1e6:6.2f} million MACs")


# %% [markdown]
# Remember this picture: **parameters sit in the linear layers, work in the convolutions, memory in
# the first maps.** A kernel is paid for once and used at every position; a weight of a linear layer
# is used once.
#
# It also says what pooling does and does not do. Pooling has no parameters, and it takes none from
# any convolution. What it shrinks are the maps: later convolutions have fewer positions to compute,
# and the one layer whose weights depend on the size of the map, the first linear one after flatten,
# gets smaller. "Pooling reduces the number of parameters" is true of that layer only, and a network
# that ends in global average pooling does not even have it.

# %% [markdown]
# ## Part 5 · What one unit sees
#
# The **receptive field** of a unit is the region of the *input* that can change it. In the first
# layer it is the kernel. Later, each unit sees a few units of the layer before, each of which sees
# a patch. Below, every dot is a unit, and the orange lines are everything that the topmost unit
# depends on.

# %% jupyter={"source_hidden": true} tags=["illustration"]
def draw_cone(axis, title, layers, width=21):
    active, jump, offset = {0}, 1, 0.0
    levels = []  # (jump, offset) of each level, input first
    for kernel, stride, dilation in layers:
        levels.append((jump, offset))
        offset += dilation * (kernel - 1) / 2 * jump
        jump *= stride
    levels.append((jump, offset))
    centre = offset
    for level in range(len(layers), -1, -1):
        step, shift = levels[level]
        reach = np.arange(-60, 61) * step + shift - centre
        reach = reach[abs(reach) <= width / 2]
        axis.plot(reach, np.full(reach.shape, level), ".", color="lightgray", ms=5, zorder=1)
        xs = [unit * step + shift - centre for unit in active]
        axis.plot(xs, [level] * len(xs), ".", color=ORANGE if level else BLUE, ms=9, zorder=3)
        if level == 0:
            span = max(active) - min(active) + 1
            break
        kernel, stride, dilation = layers[level - 1]
        below_step, below_shift = levels[level - 1]
        children = set()
        for unit in active:
            for tap in range(kernel):
                child = unit * stride + tap * dilation
                children.add(child)
                ends = (unit * step + shift - centre, child * below_step + below_shift - centre)
                axis.plot(ends, (level, level - 1), color=ORANGE, lw=0.6, zorder=2)
        active = children
    axis.set(title=f"{title}\nreceptive field {span}", ylim=(-0.4, len(layers) + 0.4))
    axis.title.set_fontsize(10)
    axis.set_yticks(
        range(len(layers) + 1), ["input"] + [f"layer {i + 1}" for i in range(len(layers))]
    )
    axis.set_xticks([])
    axis.tick_params(length=0)
    for side in axis.spines.values():
        side.set_visible(False)


figure, axes = plt.subplots(1, 3, figsize=(12, 3.2), sharey=True)
draw_cone(axes[0], "three layers of 3 taps", [(3, 1, 1)] * 3)
draw_cone(axes[1], "the first two with stride 2", [(3, 2, 1), (3, 2, 1), (3, 1, 1)])
draw_cone(axes[2], "dilation 1, 2, 4", [(3, 1, 1), (3, 1, 2), (3, 1, 4)])
figure.tight_layout()
plt.show()

# %% [markdown]
# Left: each layer of $K$ taps adds $K - 1$ pixels, so $L$ layers see $1 + L(K-1)$. That formula is
# right *for stride 1 and dilation 1*, and slow: to see 224 pixels, 3×3 kernels need 112 layers.
#
# Middle: a layer with stride 2 leaves units that stand 2 pixels apart on the input, so each tap of
# every *later* layer reaches twice as far. Call the distance between neighbouring units of layer
# $l$, measured in input pixels, its **jump** $j_l$:
#
# $$ j_l = j_{l-1} \cdot S_l, \qquad r_l = r_{l-1} + d_l\,(K_l - 1)\, j_{l-1},
# \qquad\text{with } j_0 = r_0 = 1 . $$
#
# Look at the indices: the receptive field of layer $l$ uses the jump *before* layer $l$. A layer's
# own stride does not widen what its own units see; it decides only how far apart they stand. As a
# table, for the middle picture:
#
# | layer | $K$ | $S$ | adds $(K-1)\,j_{l-1}$ | $r_l$ | $j_l$ |
# |---|---|---|---|---|---|
# | input | | | | 1 | 1 |
# | 1 | 3 | 2 | 2 · 1 | 3 | 2 |
# | 2 | 3 | 2 | 2 · 2 | 7 | 4 |
# | 3 | 3 | 1 | 2 · 4 | 15 | 4 |
#
# Pooling layers count like convolutions: window as kernel, with their stride.
#
# So there are three ways to see more: larger kernels (cost grows with $K^2$), more layers, or wider
# steps (stride and pooling, which lose resolution, or dilation, which does not). A receptive field
# that is too small cannot contain the thing to be recognised. One can also read that a receptive
# field that is too large makes a network overfit. That is not established: in some of the most used
# networks it is larger than the image, as you will compute below.

# %% [markdown]
# ### Exercise 12 · Three claims about receptive fields
# *3 points · 10 minutes · no code*
#
# **(a)** One can read: *a larger stride increases the receptive field, since the kernel covers a
# larger region in each step.* You change the stride of one layer from 1 to 2 and leave its kernel.
# What happens?
#
# - `"a"` the receptive field of this layer's units grows
# - `"b"` this layer's units see as much as before; units of later layers see more
# - `"c"` no unit of any layer sees more or less than before
# - `"d"` this layer's units see half as much as before
#
# **(b)** Somebody computes the receptive field after five 3×3 layers, each with stride 2, as
# $1 + 5 \cdot 2 = 11$. What is it?
#
# **(c)** A text defines a kernel by $K(m, n) = 0$ for $|m| > r$ or $|n| > r$, and goes on: *2r is
# the width of the receptive field.* For $r = 3$, how wide is it?

# %% nbgrader={"grade": false, "grade_id": "q-stride-field", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_stride_field: "a", "b", "c" or "d", your answer to (a)
### BEGIN SOLUTION
q_stride_field = "b"
### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "q-five-strides", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_five_strides: the receptive field of (b) in pixels
### BEGIN SOLUTION
q_five_strides = 63
### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "q-radius", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_radius: the width of (c) in pixels
### BEGIN SOLUTION
q_radius = 7
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-stride-field", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# What a stride does to receptive fields: (a)
assert q_stride_field in ("a", "b", "c", "d"), 'q_stride_field should be "a", "b", "c" or "d"'
### BEGIN HIDDEN TESTS
check_choice(q_stride_field, "b", ("a", "b", "c", "d"), "q_stride_field")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-five-strides", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Receptive field of five layers with stride 2: (b)
check_shape(q_five_strides, (), "q_five_strides")
### BEGIN HIDDEN TESTS
check_number(q_five_strides, 63, "q_five_strides")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-radius", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Width of a kernel given by its radius: (c)
check_shape(q_radius, (), "q_radius")
### BEGIN HIDDEN TESTS
check_number(q_radius, 7, "q_radius")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **How to settle (b).** Continue the table above for five rows with $K = 3$, $S = 2$. The jumps
#   double from row to row.
# - **How to settle (c).** Write the offsets down: from $-r$ to $r$, with 0 among them.
#
# </details>

# %% [markdown]
# ### Exercise 13 · The receptive field by formula
# *5 points: stride 1 and dilation 2, strides 3 · 15 minutes*
#
# Write `receptive_field` for a stack of layers, each `(kernel, stride, dilation)`, the first layer
# first.
#
# `receptive_field([(3, 2, 1), (3, 2, 1), (3, 1, 1)])` is 15, as in the table. With no layer at all
# a unit is a pixel and sees itself: 1.

# %% nbgrader={"grade": false, "grade_id": "receptive-field", "locked": false, "schema_version": 3, "solution": true, "task": false}
def receptive_field(layers):
    """Width of the input region that one unit of the last layer depends on.

    Args:
        layers: list of (kernel, stride, dilation), first layer first; may be empty.

    Returns:
        A whole number of input pixels.
    """
    ### BEGIN SOLUTION
    field, jump = 1, 1
    for kernel, stride, dilation in layers:
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-receptive-field-stride-one", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Stacks without stride: depth, mixed kernels, dilation
check_number(receptive_field([(3, 1, 1)] * 3), 7, "receptive_field([(3, 1, 1)] * 3)")
check_number(receptive_field([]), 1, "receptive_field([])")
### BEGIN HIDDEN TESTS
for layers in (
    [(5, 1, 1)],
    [(3, 1, 1)] * 10,
    [(1, 1, 1), (7, 1, 1), (2, 1, 1)],
    [(3, 1, 1), (3, 1, 2), (3, 1, 4)],
    [(2, 1, 3), (1, 1, 5), (5, 1, 2)],
):
    sees = {0}  # input positions that the unit at 0 depends on
    for kernel, _, dilation in layers:
        sees = {p + dilation * tap for p in sees for tap in range(kernel)}
    check_number(receptive_field(layers), max(sees) + 1, f"receptive_field({layers})")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-receptive-field-strides", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Stacks with strides, each of which stretches the layers after it
check_number(
    receptive_field([(3, 2, 1), (3, 2, 1), (3, 1, 1)]),
    15,
    "receptive_field of the stack in the table",
)
### BEGIN HIDDEN TESTS
for layers in (
    [(3, 2, 1)],
    [(11, 4, 1), (3, 2, 1), (5, 1, 1)],
    [(3, 2, 1)] * 4,
    [(3, 1, 1), (2, 2, 1), (3, 1, 1), (2, 2, 1), (3, 1, 1)],
    [(5, 3, 2), (3, 2, 3), (1, 2, 1), (4, 1, 2)],
    [(7, 2, 1), (3, 2, 1), (3, 1, 2), (3, 3, 1), (3, 1, 1)],
):
    sees = {0}
    for kernel, stride, dilation in reversed(layers):
        sees = {p * stride + dilation * tap for p in sees for tap in range(kernel)}
    check_number(receptive_field(layers), max(sees) + 1, f"receptive_field({layers})")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **A single layer with stride 2 gives 6 or 5 instead of 3.** Add first, then multiply the jump:
#   the layer's own stride must not count for its own units.
# - **Right for two layers, too small for more.** The jump is the *product* of all strides so far,
#   not the last one.
#
# </details>

# %%
# Known networks, with your function. Input images are 224 pixels wide (AlexNet: 227).
conv3, halve = (3, 1, 1), (2, 2, 1)
vgg16 = ([conv3] * 2 + [halve]) * 2 + ([conv3] * 3 + [halve]) * 3
alexnet = [(11, 4, 1), (3, 2, 1), (5, 1, 1), (3, 2, 1), conv3, conv3, conv3]
resnet50 = [(7, 2, 1), (3, 2, 1)] + [conv3] * 3 + [(3, 2, 1)] + [conv3] * 3
resnet50 += [(3, 2, 1)] + [conv3] * 5 + [(3, 2, 1)] + [conv3] * 2  # 1×1 layers add nothing
nets = {
    "five 3×3, stride 2": [(3, 2, 1)] * 5,
    "AlexNet, conv5": alexnet,
    "VGG-16, last pool": vgg16,
    "ResNet-50, last conv": resnet50,
}
for name, layers in nets.items():
    print(f"{name:22} sees {receptive_field(layers):4} pixels")


# %% [markdown]
# A unit at the end of ResNet-50 could look at 427 pixels of an image that has 224: what is left
# over is padding.

# %% [markdown]
# ### Exercise 14 · The receptive field by measurement
# *3 points · 15 minutes*
#
# A formula can be wrong and a specification can lie. A receptive field can also be *measured*, for
# any network, without looking inside: change one input pixel and see whether the output changes.
#
# Write `influences`. It gets a function `net`, which takes a batch of one-dimensional signals (B,
# n) and returns their outputs (B, m), and reports which of the $n$ inputs change output number
# `index`. One call of `net` is enough: make a batch of $n + 1$ signals, a base signal and $n$
# copies in each of which one input is different. (In a differentiable network the gradient of the
# output with respect to the inputs would tell the same: where it is not zero, the input matters.)
#
# With `net = lambda s: s[:, :-2] + s[:, 2:]` (taps 0 and 2), n = 6 and index = 1, the answer is
# `[1, 3]`. Mind that the output of the base need not be zero: networks have biases.

# %% nbgrader={"grade": false, "grade_id": "influences", "locked": false, "schema_version": 3, "solution": true, "task": false}
def influences(net, n, index):
    """Which inputs change one output of a network.

    Args:
        net: a function from an array (B, n) to an array (B, m); row b depends on signal b only.
        n: length of the signals.
        index: which output is watched, 0 … m - 1.

    Returns:
        The positions of the inputs that matter, sorted: a list or an array of whole numbers.
    """
    ### BEGIN SOLUTION
    base = np.linspace(-1.0, 1.0, n)
    batch = np.vstack([base, base + np.eye(n)])  # (1 + n, n): one input raised in each row
    watched = net(batch)[:, index]  # (1 + n,)
    return np.flatnonzero(np.abs(watched[1:] - watched[0]) > 1e-9)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-influences", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The inputs that change one output, holes and biases included
got = influences(lambda s: s[:, :-2] + s[:, 2:], 6, 1)
assert got is not None, "influences returned None: does it end with a return?"
check_close(sorted(got), [1, 3], "influences of a net with taps 0 and 2, output 1")
check_close(
    sorted(influences(lambda s: 5 - s[:, 1:], 4, 0)), [1], "influences of 5 - s[:, 1:], output 0"
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1401)


def _stack_of(layers):
    weights = [rng.uniform(0.5, 1.5, k) * rng.choice([-1.0, 1.0], k) for k, _, _ in layers]

    def net(batch):
        y = np.asarray(batch, dtype=float)
        for (kernel, stride, dilation), w in zip(layers, weights, strict=True):
            starts = np.arange(0, y.shape[1] - dilation * (kernel - 1), stride)
            y = 0.3 + sum(w[tap] * y[:, starts + dilation * tap] for tap in range(kernel))
        return y

    return net


for layers, n, index in (
    ([(3, 1, 1)] * 3, 16, 4),
    ([(3, 2, 1), (3, 2, 1), (3, 1, 1)], 27, 1),
    ([(3, 1, 2)] * 3, 20, 3),
    ([(2, 3, 1), (3, 1, 2)], 25, 2),
    ([(3, 1, 1)] * 2, 9, 0),  # the first input matters
    ([(3, 1, 1)] * 2, 9, 4),  # the last one does
):
    sees = {index}
    for kernel, stride, dilation in reversed(layers):
        sees = {p * stride + dilation * tap for p in sees for tap in range(kernel)}
    got = sorted(influences(_stack_of(layers), n, index))
    check_close(got, sorted(sees), f"influences on output {index} of the stack {layers}, n={n}")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **All inputs seem to matter.** Compare with the output of the *base* signal, not with zero: a
#   bias makes every output nonzero.
# - **No input matters, or the positions are off by one.** Is row 0 of your batch the base? Then
#   input $i$ was changed in row $i + 1$.
#
# </details>

# %%
# Formula against measurement, on stacks of averaging layers
def averaging(layers):
    def net(batch):
        for kernel, stride, dilation in layers:
            starts = np.arange(0, batch.shape[1] - dilation * (kernel - 1), stride)
            batch = np.mean([batch[:, starts + dilation * tap] for tap in range(kernel)], axis=0)
        return batch

    return net


for title, layers in (
    ("three plain layers", [(3, 1, 1)] * 3),
    ("strides 2, 2, 1", [(3, 2, 1), (3, 2, 1), (3, 1, 1)]),
    ("dilations 1, 2, 4", [(3, 1, 1), (3, 1, 2), (3, 1, 4)]),
    ("dilations 2, 2, 2", [(3, 1, 2)] * 3),
):
    seen = influences(averaging(layers), 40, 2)
    span = max(seen) - min(seen) + 1
    print(
        f"{title:20} formula {receptive_field(layers):3}  measured {span:3}  inputs used {len(seen):3}"
    )


# %% [markdown]
# The last line has a surprise: three layers of dilation 2 span 13 pixels and use only 7 of them,
# every second one. The formula gives the *extent*; the measurement also shows the holes. Dilations
# that double, 1, 2, 4, leave none.
#
# The measurement shows one thing more. How *much* does each pixel matter? For averaging kernels,
# count the paths from a pixel to the unit:

# %% jupyter={"source_hidden": true} tags=["illustration"]
def paths(layers):
    weights = np.ones(1)
    for kernel, dilation in layers:
        spread = np.zeros(dilation * (kernel - 1) + 1)
        spread[::dilation] = 1 / kernel
        weights = np.convolve(weights, spread)
    return weights


figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.4))
stacks = {
    "ten 3×3 layers": [(3, 1)] * 10,
    "dilations 1, 2, 4": [(3, 1), (3, 2), (3, 4)],
    "dilations 2, 2, 2: holes": [(3, 2)] * 3,
}
for axis, (title, layers) in zip(axes, stacks.items(), strict=True):
    row = paths(layers)
    heat = np.outer(row, row)  # gradient of the unit with respect to each pixel
    side = len(row)
    axis.imshow(heat, cmap="magma")
    order = np.sort(heat.ravel())[::-1]
    share = (np.cumsum(order) < 0.95).sum() + 1
    axis.set_title(
        f"{title}\n{side}×{side}; 95% of it in {share} of {side * side} pixels", fontsize=9
    )
    axis.axis("off")
figure.tight_layout()
plt.show()

# %% [markdown]
# This is the gradient of the unit with respect to each pixel. In the deep stack the pixels of the
# middle reach the unit on many paths, those of the rim on one: its *effective* receptive field is
# much smaller than the one of the formula.

# %% [markdown]
# ## Part 6 · Dilated and stacked kernels
#
# Dilation spreads the taps of a kernel and leaves their number alone: a 3×3 kernel has nine weights
# at any dilation. Stack three of them with dilation 1, 2 and 4. Above, the taps of each layer;
# below, what one unit sees after it:

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axes = plt.subplots(2, 3, figsize=(8.4, 6))
seen = np.zeros((15, 15))
seen[7, 7] = 1
for column, dilation in enumerate((1, 2, 4)):
    taps = np.zeros((15, 15))
    wider = np.zeros((15, 15))
    for i in (-dilation, 0, dilation):
        for j in (-dilation, 0, dilation):
            taps[7 + i, 7 + j] = 1
            wider += np.roll(seen, (i, j), axis=(0, 1))
    seen = wider
    side = int((seen.sum(axis=0) > 0).sum())
    for axis, image, color, title in (
        (axes[0, column], taps > 0, "Oranges", f"{dilation}-dilated kernel, 9 weights"),
        (axes[1, column], seen > 0, "Blues", f"after layer {column + 1}: {side}×{side}"),
    ):
        axis.imshow(image, cmap=color, vmin=0, vmax=1.5)
        axis.set_title(title, fontsize=10)
        axis.set_xticks(np.arange(16) - 0.5, labels=[])
        axis.set_yticks(np.arange(16) - 0.5, labels=[])
        axis.grid(color="gray", linewidth=0.3)
        axis.tick_params(length=0)
figure.tight_layout()
plt.show()

# %% [markdown]
# 3, 7, 15: after $i$ layers with dilations $1, 2, 4, \dots, 2^{i-1}$ the field is $2^{i+1} - 1$
# wide. It grows exponentially, the number of weights only linearly, and no resolution is lost.
# Networks that give an answer for every pixel use it (Yu and Koltun). In one dimension WaveNet uses
# the same trick to generate speech sample by sample: it stacks **causal** dilated layers, in which
# an output depends on the present and the past only.

# %% [markdown]
# ### Exercise 15 · A causal dilated convolution
# *4 points: prediction 1, function 3 · 15 minutes*
#
# **Predict first.** Ten causal layers with 2 taps each and dilations 1, 2, 4, …, 512. How many
# samples (the present one included) does an output depend on?

# %% nbgrader={"grade": false, "grade_id": "q-causal-field", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_causal_field: a number of samples
### BEGIN SOLUTION
q_causal_field = 1024
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-causal-field", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Predicted receptive field of ten dilated layers
check_shape(q_causal_field, (), "q_causal_field")
### BEGIN HIDDEN TESTS
check_number(q_causal_field, 1024, "q_causal_field")
### END HIDDEN TESTS

# %% [markdown]
# Now write one layer. The last weight multiplies the present sample, the one before it the sample
# $d$ steps earlier, and so on; samples from before the beginning are 0:
#
# $$ y[t] = \sum_{k=0}^{K-1} w[k]\; x\big[t - (K-1-k)\,d\big] . $$
#
# The output is as long as the input. For `x = [1, 2, 3, 4]`, `w = [10, 1]` and dilation 2 it is
# `[1, 2, 13, 24]`: each sample plus ten times the one two steps before.

# %% nbgrader={"grade": false, "grade_id": "causal-conv1d", "locked": false, "schema_version": 3, "solution": true, "task": false}
def causal_conv1d(x, w, dilation=1):
    """A causal convolution of one signal: y[t] depends on x[t], x[t - d], x[t - 2d], …

    Args:
        x: array (T,).
        w: array (K,); w[K-1] multiplies the present sample.

    Returns:
        Array (T,).
    """
    ### BEGIN SOLUTION
    y = np.zeros(len(x))
    for k, weight in enumerate(w):
        delay = (len(w) - 1 - k) * dilation
        if delay < len(x):
            y[delay:] += weight * x[: len(x) - delay]
    return y
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-causal-conv1d", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Causal values, the length, and nothing from the future
check_close(
    causal_conv1d(np.array([1.0, 2.0, 3.0, 4.0]), np.array([10.0, 1.0]), dilation=2),
    [1, 2, 13, 24],
    "causal_conv1d([1, 2, 3, 4], [10, 1], dilation=2)",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1501)
x, w = rng.normal(size=6), rng.normal(size=2)
want = w[1] * x + w[0] * np.concatenate([[0.0], x[:-1]])
check_close(causal_conv1d(x, w), want, "causal_conv1d without a dilation", rtol=1e-4, atol=1e-5)
for length, kernel, dilation in ((9, 3, 1), (12, 3, 2), (11, 2, 4), (8, 1, 3), (5, 3, 4)):
    x, w = rng.normal(size=length), rng.normal(size=kernel)
    before = x.copy()
    past = np.concatenate([np.zeros(dilation * (kernel - 1)), x])
    want = [past[t : t + dilation * (kernel - 1) + 1 : dilation] @ w for t in range(length)]
    what = f"causal_conv1d of {length} samples, {kernel} taps, dilation={dilation}"
    check_close(causal_conv1d(x, w, dilation), want, what, rtol=1e-4, atol=1e-5)
    check_unchanged(x, before, "x")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The output is too short.** Put $d(K-1)$ zeros in front of the signal, and none behind it.
# - **Every value arrives too early.** Padding on both sides makes each output look into the
#   future. All of it belongs to the left.
# - **Index −1 picks the last sample.** Negative indices wrap around in NumPy. Pad, or skip the
#   terms that lie before the beginning.
#
# </details>

# %%
# The picture behind WaveNet: an impulse at time 0 through layers with dilation 1, 2, 4, 8
impulse = np.zeros(24)
impulse[0] = 1
for layer, dilation in enumerate((1, 2, 4, 8), 1):
    impulse = causal_conv1d(impulse, np.array([1.0, 1.0]), dilation)
    print(f"after layer {layer}:", "".join("█" if value else "·" for value in impulse))


# %% [markdown]
# ### Exercise 16 · Two small kernels or one large one
# *3 points: composition 2, question 1 · 15 minutes*
#
# Two 3×3 layers see 5×5 pixels, like one 5×5 layer. With $C$ channels in and out they have
# $2 \cdot 9\,C^2 = 18\,C^2$ weights against $25\,C^2$, 28% fewer; three of them against a 7×7 layer
# $27\,C^2$ against $49\,C^2$. Is it the same layer, only cheaper? Without a nonlinearity between
# them, two convolutions are one: find its kernel.
#
# Write `compose`: cross-correlating an image with `first` and the result with `second` (no padding,
# stride 1) shall equal cross-correlating it once with `compose(first, second)`. One channel.
# Substitute one sum into the other: the weight at offset $m$ collects all products
# $first[a]\, second[b]$ with $a + b = m$. So `compose([[1, 2]], [[1, 10]])` is `[[1, 12, 20]]`.

# %% nbgrader={"grade": false, "grade_id": "compose", "locked": false, "schema_version": 3, "solution": true, "task": false}
def compose(first, second):
    """The one kernel that does what first and then second do.

    Args:
        first: array (K1_H, K1_W); second: array (K2_H, K2_W).

    Returns:
        Array (K1_H + K2_H - 1, K1_W + K2_W - 1).
    """
    ### BEGIN SOLUTION
    (height1, width1), (height2, width2) = first.shape, second.shape
    kernel = np.zeros((height1 + height2 - 1, width1 + width2 - 1))
    for i in range(height2):
        for j in range(width2):
            kernel[i : i + height1, j : j + width1] += second[i, j] * first
    return kernel
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-compose", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# One kernel for two layers, rectangular and not symmetric
check_close(
    compose(np.array([[1.0, 2.0]]), np.array([[1.0, 10.0]])),
    [[1, 12, 20]],
    "compose([[1, 2]], [[1, 10]])",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1601)
_windows = np.lib.stride_tricks.sliding_window_view
for shape1, shape2 in (((3, 3), (3, 3)), ((2, 3), (3, 1)), ((1, 4), (2, 2)), ((3, 3), (5, 5))):
    first, second = rng.normal(size=shape1), rng.normal(size=shape2)
    image = rng.normal(size=(9, 10))
    twice = np.einsum("ijkl,kl->ij", _windows(image, shape1), first)
    twice = np.einsum("ijkl,kl->ij", _windows(twice, shape2), second)
    both = np.asarray(compose(first, second), dtype=float)
    side = tuple(a + b - 1 for a, b in zip(shape1, shape2, strict=True))
    check_shape(both, side, f"compose of {shape1} and {shape2}")
    once = np.einsum("ijkl,kl->ij", _windows(image, side), both)
    check_close(
        once, twice, f"the image after compose of {shape1} and {shape2}", rtol=1e-4, atol=1e-5
    )
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The right numbers in the reverse order.** No kernel is flipped here: both layers slide their
#   kernel as it is, and offsets add up.
# - **The result is 3×3.** The two receptive fields overlap at all but one position of each axis:
#   3 + 3 − 1.
#
# </details>
#
# **And now with a ReLU between them**, as in a network. Which statement is right?
#
# - `"a"` two 3×3 layers and one 5×5 layer then compute the same functions, the former with fewer
#   weights
# - `"b"` two 3×3 layers can compute everything that one 5×5 layer can, and more
# - `"c"` they see the same pixels, but neither can replace the other in general: the stack has
#   fewer weights and one more nonlinearity, and most 5×5 kernels are no composition of two 3×3
#   kernels
# - `"d"` the stack has more weights, and a smaller receptive field

# %% nbgrader={"grade": false, "grade_id": "q-stack", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_stack: "a", "b", "c" or "d"
### BEGIN SOLUTION
q_stack = "c"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-stack", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Two 3×3 layers against one 5×5 layer
assert q_stack in ("a", "b", "c", "d"), 'q_stack should be "a", "b", "c" or "d"'
### BEGIN HIDDEN TESTS
check_choice(q_stack, "c", ("a", "b", "c", "d"), "q_stack")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **Count the freedom.** Two 3×3 kernels hold 18 numbers. A 5×5 kernel holds 25.
#
# </details>

# %% jupyter={"source_hidden": true} tags=["illustration"]
# How close can two 3×3 kernels come to one 5×5 kernel of random numbers?
rng = np.random.default_rng(16)
target = rng.normal(size=(5, 5))


def best_partner(fixed):
    """The 3×3 kernel whose composition with the fixed one is nearest to the target."""
    columns = [compose(fixed, unit.reshape(3, 3)).ravel() for unit in np.eye(9)]
    return np.linalg.lstsq(np.stack(columns, axis=1), target.ravel())[0].reshape(3, 3)


misses = []
for _ in range(10):
    second = rng.normal(size=(3, 3))
    for _ in range(40):
        first = best_partner(second)
        second = best_partner(first)
    misses.append(np.linalg.norm(target - compose(first, second)) / np.linalg.norm(target))
print(f"best of {len(misses)} starts: {100 * min(misses):.0f}% of the kernel's length is missed")

# %% [markdown]
# ## Part 7 · Pooling
#
# Pooling (or subsampling) slides a window like a convolution, but it learns nothing: it puts out
# the **maximum**, the **average** or the **sum** of what it sees, for every channel by itself. The
# common case is a 2×2 window with stride 2:

# %% jupyter={"source_hidden": true} tags=["illustration"]
values = np.array([[1, 3, -2, -1], [5, 2, -4, -3], [0, 0, 7, 1], [-1, 4, 1, 2]])
blocks = values.reshape(2, 2, 2, 2).transpose(0, 2, 1, 3)  # (2, 2) windows of (2, 2)
figure, axes = plt.subplots(1, 4, figsize=(10, 2.9), width_ratios=(2, 1, 1, 1))
annotate_grid(axes[0], values)
axes[0].set_title("4×4", fontsize=10)
for axis, name in zip(axes[1:], ("max", "mean", "sum"), strict=True):
    annotate_grid(axis, getattr(blocks, name)(axis=(2, 3)))
    axis.set_title({"mean": "average"}.get(name, name), fontsize=10)
for position, color in zip(
    ((0, 0), (0, 1), (1, 0), (1, 1)), (ORANGE, GREEN, RED, BLUE), strict=True
):
    i, j = position
    axes[0].add_patch(
        plt.Rectangle((2 * j - 0.45, 2 * i - 0.45), 1.9, 1.9, fill=False, edgecolor=color, lw=3)
    )
    for axis in axes[1:]:
        axis.add_patch(
            plt.Rectangle((j - 0.45, i - 0.45), 0.9, 0.9, fill=False, edgecolor=color, lw=3)
        )
figure.tight_layout()
plt.show()


# %% [markdown]
# Height and width halve, and three of four numbers are gone: a 2×2 window with stride 2 discards
# 75% of the map. Note the upper right window: all its values are negative, and so is its maximum.
#
# Window and stride are two numbers. LeNet-5 averages over windows that touch (2×2, stride 2).
# AlexNet takes the maximum of windows that **overlap**: 3×3 with stride 2, which makes 27 out of
# 55.
#
# Max pooling with padding needs care. The border is there to place windows, not to win: it counts
# as $-\infty$. For average and sum the border is zero, and the average divides by the whole window.

# %% [markdown]
# ### Exercise 17 · Max, average and sum pooling
# *9 points: max 2, padding 2, average and sum 2, overlapping and rectangular windows 3 · 25
# minutes*
#
# Write `pool2d`. Window, stride and padding are whole numbers or (vertical, horizontal), sizes are
# floored, and a stride of `None` means *as large as the window*.
#
# The picture above is `pool2d(x, 2)` and its two sisters, for `x` of shape (1, 1, 4, 4). A 5×5 map
# with the numbers 0 to 24, row by row, gives `[[12, 14], [22, 24]]` under `pool2d(x, 3, stride=2)`:
# the windows share a row and a column.

# %% nbgrader={"grade": false, "grade_id": "pool2d", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pool2d(x, window, stride=None, padding=0, mode="max"):
    """Pool each channel of each image by itself.

    Args:
        x: array (N, C, H, W), whole numbers or floats.
        window, padding: a whole number or (vertical, horizontal).
        stride: the same, or None: as large as the window.
        mode: "max" (the border is −∞), "avg" or "sum" (the border is 0; the average divides by the
            area of the whole window).

    Returns:
        Array of floats (N, C, H', W').
    """
    ### BEGIN SOLUTION
    window, padding = pair(window), pair(padding)
    stride = window if stride is None else pair(stride)
    n, channels, height, width = x.shape
    top, left = padding
    border = -np.inf if mode == "max" else 0.0
    padded = np.full((n, channels, height + 2 * top, width + 2 * left), border)
    padded[:, :, top : top + height, left : left + width] = x
    out_height = out_size(height, window[0], stride[0], padding[0])
    out_width = out_size(width, window[1], stride[1], padding[1])
    y = np.empty((n, channels, out_height, out_width))
    for i in range(out_height):
        for j in range(out_width):
            r, c = i * stride[0], j * stride[1]
            patch = padded[:, :, r : r + window[0], c : c + window[1]]  # (N, C, window)
            y[:, :, i, j] = patch.max(axis=(2, 3)) if mode == "max" else patch.sum(axis=(2, 3))
    return y / (window[0] * window[1]) if mode == "avg" else y
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-pool2d-max", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Maximum over windows that touch: channels apart, negative values, odd sizes
x = np.array([[[[1, 3, -2, -1], [5, 2, -4, -3], [0, 0, 7, 1], [-1, 4, 1, 2]]]])
check_close(pool2d(x, 2), [[[[5, -1], [4, 7]]]], "pool2d of the map in the picture")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1701)
for shape, k in (((2, 3, 6, 8), 2), ((3, 2, 7, 5), 2), ((1, 4, 9, 10), 3)):
    x = rng.normal(size=shape) - 3.0  # almost all negative
    before = x.copy()
    h, w = shape[2] // k, shape[3] // k
    want = x[:, :, : h * k, : w * k].reshape(*shape[:2], h, k, w, k).max(axis=(3, 5))
    check_close(pool2d(x, k), want, f"pool2d of {shape} with window {k}")
    check_unchanged(x, before, "the input of pool2d")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-pool2d-padding", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Maximum with padding on maps without a positive value
check_close(
    pool2d(np.array([[[[-5.0, -2.0], [-4.0, -3.0]]]]), 2, padding=1),
    [[[[-5, -2], [-4, -3]]]],
    "pool2d([[-5, -2], [-4, -3]], 2, padding=1)",
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1702)
x = -rng.uniform(1, 2, size=(2, 2, 5, 6))
for window, padding in ((2, 1), (3, 1), ((2, 3), (1, 0)), ((2, 3), (0, 1))):
    (kh, kw), (sh, sw), (p, q) = pair(window), pair(window), pair(padding)
    rows = range(-p, 5 + p - kh + 1, sh)
    columns = range(-q, 6 + q - kw + 1, sw)
    want = np.empty((2, 2, len(rows), len(columns)))
    for i, r in enumerate(rows):
        for j, c in enumerate(columns):
            inside = x[:, :, max(r, 0) : r + kh, max(c, 0) : c + kw]
            want[:, :, i, j] = inside.max(axis=(2, 3))
    what = f"pool2d of (2, 2, 5, 6), window={window}, padding={padding}"
    check_close(pool2d(x, window, padding=padding), want, what)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-pool2d-average", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Average and sum, the border included
x = np.array([[[[1.0, 3.0], [5.0, 2.0]]]])
check_close(pool2d(x, 2, mode="avg"), [[[[2.75]]]], 'pool2d([[1, 3], [5, 2]], 2, mode="avg")')
check_close(pool2d(x, 2, mode="sum"), [[[[11]]]], 'pool2d([[1, 3], [5, 2]], 2, mode="sum")')
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1703)
x = rng.normal(size=(2, 3, 6, 7))
for window, padding in ((2, 0), ((2, 3), 0), (3, 1), ((1, 4), (0, 2))):
    (kh, kw), (p, q) = pair(window), pair(padding)
    padded = np.zeros((2, 3, 6 + 2 * p, 7 + 2 * q))
    padded[:, :, p : p + 6, q : q + 7] = x
    total = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), (2, 3)).sum(axis=(4, 5))
    total = total[:, :, ::kh, ::kw]
    what = f"pool2d of (2, 3, 6, 7), window={window}, padding={padding}"
    got = pool2d(x, window, padding=padding, mode="sum")
    check_close(got, total, f'{what}, mode="sum"', rtol=1e-4, atol=1e-5)
    got = pool2d(x, window, padding=padding, mode="avg")
    check_close(got, total / (kh * kw), f'{what}, mode="avg"', rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-pool2d-overlap", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Windows that overlap, leave gaps, or are not square
x = np.arange(25.0).reshape(1, 1, 5, 5)
check_close(
    pool2d(x, 3, stride=2), [[[[12, 14], [22, 24]]]], "pool2d of 0 … 24, window 3, stride 2"
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1704)
x = rng.normal(size=(2, 3, 10, 13)) - 1.0
cases = [(3, 2), (2, 1), (2, 3), ((3, 2), (2, 2)), ((1, 4), (3, 1)), ((2, 5), None), (3, (1, 2))]
for window, stride in cases:
    (kh, kw), (sh, sw) = pair(window), pair(window if stride is None else stride)
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), (2, 3))
    want = windows.max(axis=(4, 5))[:, :, ::sh, ::sw]
    what = f"pool2d of (2, 3, 10, 13), window={window}, stride={stride}"
    check_close(pool2d(x, window, stride), want, what)
x = np.abs(x) + 0.1  # with values above zero any border loses
padded = np.zeros((2, 3, 12, 15))
padded[:, :, 1:11, 1:14] = x
want = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3)).max(axis=(4, 5))[
    :, :, ::2, ::2
]
what = "pool2d of positive (2, 3, 10, 13), window=3, stride=2, padding=1"
check_close(pool2d(x, 3, 2, 1), want, what)
total = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3)).sum(axis=(4, 5))[
    :, :, ::2, ::2
]
check_close(pool2d(x, 3, 2, 1, mode="sum"), total, f'{what}, mode="sum"', rtol=1e-4, atol=1e-5)
check_close(pool2d(x, 3, 2, 1, mode="avg"), total / 9, f'{what}, mode="avg"', rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **Zeros where all inputs are negative.** Either the border was filled with 0 and won, or the
#   running maximum started at 0. Both should be −∞.
# - **Right for window = stride, wrong otherwise.** The window says how many pixels are looked at,
#   the stride where the next window begins.
# - **OverflowError: cannot convert float infinity to integer.** The image holds whole numbers,
#   which have no infinity. Make it an array of floats first.
# - **The output has one channel.** Pool over height and width only: `axis=(2, 3)` of a patch (N,
#   C, window, window).
# - **The average is right in the middle and too large at the rim.** Here the average divides by
#   the area of the whole window, border included.
#
# </details>

# %% [markdown]
# ### Exercise 18 · Which pooling is best?
# *1 point · 5 minutes · no code*
#
# "Max pooling works best", one reads. Test it on two little tasks. A patch holds 16 units of pure
# noise (mean 0, standard deviation 1) or noise and a signal, and only the pooled value may be used
# to tell which.
#
# - **Task 1**: the signal is one unit, anywhere, raised by 3.
# - **Task 2**: the signal is all 16 units raised by 0.5.
#
# Which pooling tells signal from noise better? Sum pooling gives 16 times the average, so a
# threshold separates both equally well.
#
# - `"a"` max in both tasks
# - `"b"` average in both tasks
# - `"c"` max in task 1, average in task 2
# - `"d"` average in task 1, max in task 2

# %% nbgrader={"grade": false, "grade_id": "q-best-pooling", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_best_pooling: "a", "b", "c" or "d"
### BEGIN SOLUTION
q_best_pooling = "c"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-best-pooling", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Which pooling finds which signal
assert q_best_pooling in ("a", "b", "c", "d"), 'q_best_pooling should be "a", "b", "c" or "d"'
### BEGIN HIDDEN TESTS
check_choice(q_best_pooling, "c", ("a", "b", "c", "d"), "q_best_pooling")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **How to settle it without a computer.** The average of 16 units of noise has a standard
#   deviation of 1/4. By how much does each signal move the average? And where does the largest of
#   16 units of noise usually lie, compared with one unit raised by 3?
#
# </details>

# %% jupyter={"source_hidden": true} tags=["illustration"]
rng = np.random.default_rng(18)
noise = rng.normal(size=(4000, 16))
spot = rng.normal(size=(4000, 16))
spot[np.arange(4000), rng.integers(0, 16, 4000)] += 3
raised = rng.normal(size=(4000, 16)) + 0.5
figure, axes = plt.subplots(2, 2, figsize=(9, 4.6))
tasks = (("task 1, one unit + 3", spot), ("task 2, all units + 0.5", raised))
for line, (task, signal) in zip(axes, tasks, strict=True):
    for axis, (name, pool) in zip(line, (("max", np.max), ("average", np.mean)), strict=True):
        without, with_signal = pool(noise, axis=1), pool(signal, axis=1)
        bins = np.histogram_bin_edges(np.concatenate([without, with_signal]), 50)
        axis.hist(without, bins, alpha=0.6, color="gray", label="noise")
        axis.hist(with_signal, bins, alpha=0.6, color=ORANGE, label="signal")
        both = np.concatenate([without, with_signal])
        best = max(((without < t).mean() + (with_signal >= t).mean()) / 2 for t in both[::40])
        axis.set_title(
            f"{task}: {name} pooling, best threshold {100 * best:.0f}% right", fontsize=9
        )
        axis.set_yticks([])
axes[0, 0].legend(fontsize=8)
figure.suptitle("4000 patches of each kind", fontsize=9)
figure.tight_layout()
plt.show()

# %% [markdown]
# Max pooling asks *is it somewhere?*, average pooling asks *how much of it is there?* What is best
# depends on the question, and on the place in the network: many current networks shrink their maps
# with strided convolutions and end in one global average.

# %% [markdown]
# ## Part 8 · What a shift does
#
# Move the image by one pixel. What happens to the maps? Two words that are often mixed up:
#
# - A map $f$ is **equivariant** to shifts $T$ if $f(Tx) = T f(x)$: the output *moves along*.
# - It is **invariant** if $f(Tx) = f(x)$: the output *stays as it is*.
#
# A convolution of stride 1 uses the same weights everywhere, so it is equivariant (away from the
# borders, exactly). It is not invariant: the response to a cat's ear moves with the ear. And it is
# equivariant to shifts *only*. Here each row takes a photograph through a filter and a
# transformation in both orders:

# %% jupyter={"source_hidden": true} tags=["illustration"]
crop = photo("chelsea", gray=True, step=2)[20:116, 60:156]  # (96, 96)
edge = np.array([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])


def filtered(image):
    taps = [(i, j) for i in range(3) for j in range(3)]
    return sum(edge[i, j] * np.roll(image, (1 - i, 1 - j), axis=(0, 1)) for i, j in taps)


def enlarge(image):
    return np.kron(image[24:72, 24:72], np.ones((2, 2)))


transformations = {
    "shift by 20": lambda image: np.roll(image, 20, axis=1),
    "rotate by 90°": np.rot90,
    "enlarge ×2": enlarge,
}
pictures, titles = [], []
for name, transform in transformations.items():
    one, two = transform(filtered(crop)), filtered(transform(crop))
    inner = (slice(4, -4), slice(4, -4))
    gap = np.abs(one - two)[inner].max()
    pictures += [transform(crop), one, two, one - two]
    titles += [
        name,
        f"filter, then {name}",
        f"{name}, then filter",
        f"difference, at most {gap:.2f}",
    ]
figure = show_images(pictures, titles, columns=4, size=2.3)
for number, axis in enumerate(figure.axes):
    if number % 4:
        axis.images[0].set_clim(-2, 2)
plt.show()

# %% [markdown]
# Only the first row commutes. A rotated image has its vertical edges where the filter for vertical
# edges cannot find them; an enlarged one has edges of another width. Nothing in a convolution helps
# against scale or rotation: a network learns them from examples, or not at all.
#
# Pooling brings a little invariance. The maximum of a window does not care where in the window it
# stands, which is worth having when the *presence* of a feature counts more than its exact
# position. How little, a famous example shows (Goodfellow, Bengio and Courville, section 9.3).

# %% [markdown]
# ### Exercise 19 · A small shift
# *3 points: prediction 1, function 2 · 15 minutes*
#
# **Predict first.** A detector stage puts out `[0.1, 1, 0.2, 0.1]`. It is pooled with a maximum
# over three neighbours, stride 1, padding 1. Then the image moves one pixel to the right: the row
# becomes `[0.3, 0.1, 1, 0.2]`. How many of the four detector values have changed, and how many of
# the four pooled ones? (Go by position: compare first with first, second with second …)

# %% nbgrader={"grade": false, "grade_id": "q-small-shift", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_small_shift: two whole numbers, (changed detector values, changed pooled values)
### BEGIN SOLUTION
q_small_shift = (4, 2)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-small-shift", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Predicted number of changed values before and after pooling
check_shape(q_small_shift, (2,), "q_small_shift")
### BEGIN HIDDEN TESTS
check_close(q_small_shift, (4, 2), "q_small_shift", rtol=0, atol=0)
### END HIDDEN TESTS

# %% [markdown]
# Now build a meter for it. `changed_by_shift(x, window, stride, shift)` max-pools a map (H, W),
# pools the same map moved `shift` columns to the right (`np.roll`: what leaves on the right comes
# back on the left), and returns the fraction of pooled values that differ, between 0 and 1.
#
# For `x = [[0, 1, 0, 0, 0, 0]]`, window (1, 2), stride (1, 2) and shift 1: pooled `[1, 0, 0]`, and
# after the shift `[0, 1, 0]`. Two of three differ: 2/3. The 1 has crossed the border between two
# windows.

# %% nbgrader={"grade": false, "grade_id": "changed-by-shift", "locked": false, "schema_version": 3, "solution": true, "task": false}
def changed_by_shift(x, window, stride, shift):
    """Fraction of max-pooled values that change when the map moves to the right.

    Args:
        x: array (H, W); window, stride: a whole number or (vertical, horizontal).
        shift: columns, around the border.

    Returns:
        A number from 0 (invariant) to 1 (everything changed).
    """
    ### BEGIN SOLUTION
    moved = np.roll(x, shift, axis=1)
    before = pool2d(x[None, None], window, stride)
    after = pool2d(moved[None, None], window, stride)
    return float(np.mean(before != after))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-changed-by-shift", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Fraction of pooled values that a shift changes
x = np.array([[0.0, 1.0, 0.0, 0.0, 0.0, 0.0]])
check_close(changed_by_shift(x, (1, 2), (1, 2), 1), 2 / 3, "changed_by_shift of the example")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(1901)
x = rng.integers(-9, 9, size=(8, 13)).astype(float)
for window, stride, shift in (
    (2, 2, 1),
    (3, 1, 1),
    (3, 2, 2),
    ((1, 4), (2, 3), 5),
    (2, 2, 13),
    (5, 4, -3),
):
    (kh, kw), (sh, sw) = pair(window), pair(stride)
    both = []
    for image in (x, np.concatenate([x[:, 13 - shift % 13 :], x[:, : 13 - shift % 13]], axis=1)):
        views = np.lib.stride_tricks.sliding_window_view(image, (kh, kw))
        both.append(views.max(axis=(2, 3))[::sh, ::sw])
    what = f"changed_by_shift of an 8×13 map, window={window}, stride={stride}, shift={shift}"
    check_close(changed_by_shift(x, window, stride, shift), (both[0] != both[1]).mean(), what)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **NumPy complains about the number of axes.** `pool2d` wants (N, C, H, W): `x[None, None]`
#   adds two axes of length 1.
# - **Always 0 or always 1.** Compare value by value (`before != after`) and take the mean of the
#   Booleans.
#
# </details>

# %%
# The prediction, settled with your pooling
for row in ([0.1, 1.0, 0.2, 0.1], [0.3, 0.1, 1.0, 0.2]):
    pooled = pool2d(np.array([[[row]]]), (1, 3), stride=1, padding=(0, 1))
    print("detector", row, "→ pooled", pooled[0, 0, 0].tolist())

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.3), width_ratios=(1, 1.25))
before, after = [0.1, 1.0, 0.2, 0.1], [0.3, 0.1, 1.0, 0.2]
for bottom, label, values in ((1.8, "before", before), (0, "after the shift", after)):
    for level, width in ((0, 0), (0.8, 1)):  # detector values, then maxima over three neighbours
        for x in range(4):
            near = slice(max(x - width, 0), x + width + 1)
            number, was = max(values[near]), max(before[near])
            color = RED if number != was else "black"
            box = {"boxstyle": "circle", "facecolor": "white", "edgecolor": color}
            left.text(
                x, bottom + level, f"{number:g}", ha="center", va="center", color=color, bbox=box
            )
            for target in range(max(x - 1, 0), min(x + 2, 4)):
                left.plot((x, target), (bottom, bottom + 0.8), color="lightgray", zorder=0, lw=0.8)
    left.text(-0.6, bottom + 0.8, "max of three", ha="right", va="center", fontsize=8)
    left.text(-0.6, bottom, f"{label}: detectors", ha="right", va="center", fontsize=8)
left.set(xlim=(-2.6, 3.6), ylim=(-0.5, 3.1))
left.set_title("red: changed by the shift", fontsize=10)
left.axis("off")
noise = np.random.default_rng(19).normal(size=(256, 256))  # all values differ
for window, color in ((2, GREEN), (4, BLUE), (8, ORANGE)):
    shifts = np.arange(0, window + 1)
    changed = [changed_by_shift(noise, window, window, int(s)) for s in shifts]
    right.plot(shifts, changed, "o", color=color, label=f"{window}×{window} window, measured")
    right.plot(shifts, 2 * shifts / (window + shifts), color=color, lw=1)
right.axhline(1, color="gray", lw=1)
right.text(-0.1, 1.02, "without pooling", va="bottom", fontsize=8, color="gray")
right.set(
    xlabel="shift s in pixels", ylabel="fraction changed", ylim=(-0.03, 1.12), xlim=(-0.3, 8.5)
)
right.set_title("256×256 random values, stride = window = k; lines: 2s/(k + s)", fontsize=10)
right.legend(fontsize=8, loc="lower right")
figure.tight_layout()
plt.show()

# %% [markdown]
# All four inputs changed, half of the pooled values. That is what *approximately* invariant means,
# and "a small shift will not change the output of pooling" is too much said.
#
# The half is no accident. A pooled value survives a shift by $s$ if the largest of all pixels that
# the window covers before or after, $k + s$ columns, stands in the part that it covers both times,
# $k - s$ columns. For values without any order that happens with probability $(k-s)/(k+s)$, so a
# fraction $2s/(k+s)$ changes: one half for $k = 3$ and $s = 1$ (at the ends of a row windows are
# cut off). The right picture measures it. Larger windows are more invariant, and pay for it with
# position.
#
# A shift by a whole window changes everything again, but in an orderly way: the pooled map moves by
# one place. That is equivariance, on a coarser grid.
#
# That coarser grid is where stride breaks equivariance. After a stride of 2, only shifts by even
# numbers of pixels move the output by whole units; an odd shift samples *other* pixels, which is
# called aliasing. In the worst case, on stripes, everything changes:

# %% jupyter={"source_hidden": true} tags=["illustration"]
stripes = np.tile([0.0, 1.0], 8)
figure, axes = plt.subplots(2, 2, figsize=(9, 2.6), width_ratios=(2, 1))
for line, (title, signal) in zip(
    axes, (("stripes", stripes), ("moved by one pixel", np.roll(stripes, 1))), strict=True
):
    line[0].imshow(signal[None], cmap="gray", vmin=0, vmax=1, extent=(0, 16, 0, 1), aspect="auto")
    for kept in range(0, 16, 2):
        line[0].plot(kept + 0.5, 0.5, "o", color=ORANGE, ms=7)
    line[0].set_title(f"{title}; dots: what stride 2 keeps", fontsize=9)
    line[1].imshow(
        signal[None, ::2], cmap="gray", vmin=0, vmax=1, extent=(0, 8, 0, 1), aspect="auto"
    )
    line[1].set_title("output of stride 2", fontsize=9)
    for axis in line:
        axis.set(xticks=[], yticks=[])
figure.tight_layout()
plt.show()


# %% [markdown]
# ### Exercise 20 · Equivariant, invariant, neither
# *6 points: the two gaps 2, claims 1 + 1 + 1 + 1 · 20 minutes*
#
# Measure it. `f` is a function from a map (H, W) to a map or to a number. Shifts are horizontal and
# go around the border (`np.roll` along the last axis).
#
# - `invariance_gap(f, x, shift)`: the largest $|f(Tx) - f(x)|$.
# - `equivariance_gap(f, x, shift, stride=1)`: the largest $|f(Tx) - T' f(x)|$, where $T$ moves the
#   input by `shift` columns and $T'$ the output by `shift // stride` columns.
#
# For `x = [[0, 3, 0, 0]]`, `f = lambda x: 2 * x` and shift 1 the invariance gap is 6, the
# equivariance gap 0.

# %% nbgrader={"grade": false, "grade_id": "invariance-gap", "locked": false, "schema_version": 3, "solution": true, "task": false}
def invariance_gap(f, x, shift):
    """Largest absolute difference between f of the moved map and f of the map: a number ≥ 0.

    f: function of an array (H, W) that returns an array or a number; x: array (H, W).
    """
    ### BEGIN SOLUTION
    return float(np.max(np.abs(f(np.roll(x, shift, axis=-1)) - f(x))))
    ### END SOLUTION


# %% nbgrader={"grade": false, "grade_id": "equivariance-gap", "locked": false, "schema_version": 3, "solution": true, "task": false}
def equivariance_gap(f, x, shift, stride=1):
    """Largest absolute difference between f of the moved map and the moved f of the map.

    f: function of an array (H, W) that returns an array (H', W'); x: array (H, W). The output
    moves by shift // stride columns.
    """
    ### BEGIN SOLUTION
    moved_after = np.roll(f(x), shift // stride, axis=-1)
    return float(np.max(np.abs(f(np.roll(x, shift, axis=-1)) - moved_after)))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-gaps", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Gaps of filters, strided filters and global pooling
x = np.array([[0.0, 3.0, 0.0, 0.0]])
check_close(invariance_gap(lambda x: 2 * x, x, 1), 6, "invariance_gap of 2x")
check_close(equivariance_gap(lambda x: 2 * x, x, 1), 0, "equivariance_gap of 2x")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(2001)
x = rng.normal(size=(3, 12))
weights = rng.normal(size=3)


def _circular(x):
    return sum(weight * np.roll(x, tap, axis=-1) for tap, weight in enumerate(weights))


maps = {
    "a circular filter": _circular,
    "a filter with stride 2": lambda x: _circular(x)[..., ::2],
    "a filter with stride 3": lambda x: _circular(x)[..., ::3],
    "weights that depend on the position": lambda x: x * np.arange(12.0),
}
for name, f in maps.items():
    for shift, stride in ((1, 1), (2, 2), (5, 3), (7, 3)):
        moved = f(np.concatenate([x[:, -shift:], x[:, :-shift]], axis=1))
        want = np.abs(moved - np.roll(f(x), shift // stride, axis=1)).max()
        what = f"equivariance_gap of {name}, shift {shift}, stride {stride}"
        check_close(equivariance_gap(f, x, shift, stride), want, what, atol=1e-9)
    want = np.abs(f(np.roll(x, 4, axis=1)) - f(x)).max()
    check_close(invariance_gap(f, x, 4), want, f"invariance_gap of {name}, shift 4", atol=1e-9)
for name, f in (
    ("the global average", lambda x: x.mean()),
    ("the first column", lambda x: x[:, 0]),
):
    want = np.abs(f(np.roll(x, 4, axis=1)) - f(x)).max()
    check_close(invariance_gap(f, x, 4), want, f"invariance_gap of {name}", atol=1e-9)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The gap of a perfect filter is not zero.** Input and output have to move in the same
#   direction, and the output by `shift // stride`.
#
# </details>
#
# Four claims to settle, with the meter or without.
#
# **(a)** *"Convolution makes a network translation invariant."* Right is:
#
# - `"a"` as printed: a convolution's output does not change when the image is shifted
# - `"b"` convolution is equivariant: its output moves along. Invariance comes from pooling over
#   positions: a little from small windows, fully from a global one, and strides spoil both
# - `"c"` a convolution is neither: its output changes in an unpredictable way
# - `"d"` convolution is invariant to shifts, and equivariant to rotations
#
# **(b)** *"Pooling gives an almost scale invariant representation (the exact term is equivariant),
# so objects are found wherever they are."* Right is:
#
# - `"a"` as printed
# - `"b"` pooling is exactly invariant to shifts smaller than its window
# - `"c"` pooling gives approximate invariance to small *shifts*. Finding objects anywhere is a
#   matter of translation, not of scale, and neither pooling nor convolution treats scales alike
# - `"d"` pooling is equivariant to scale, convolution is invariant to it
#
# **(c)** A network has three convolutions of stride 2, one after the other. By how many pixels, at
# least, must the image move so that the last map surely moves by whole units and otherwise stays
# the same (away from the borders)?
#
# **(d)** Four networks look at photographs. In which of them does the invariance to small shifts
# that pooling brings do harm?
#
# - `"a"` it says whether there is a dog in the picture
# - `"b"` it counts roughly how much of a satellite picture is forest
# - `"c"` it tells to the pixel where the edge of the road is
# - `"d"` it says whether a photograph was taken by day or by night

# %% nbgrader={"grade": false, "grade_id": "q-translation", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_translation: "a", "b", "c" or "d", your answer to (a)
### BEGIN SOLUTION
q_translation = "b"
### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "q-scale", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_scale: "a", "b", "c" or "d", your answer to (b)
### BEGIN SOLUTION
q_scale = "c"
### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "q-smallest-shift", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_smallest_shift: a number of pixels, your answer to (c)
### BEGIN SOLUTION
q_smallest_shift = 8
### END SOLUTION

# %% nbgrader={"grade": false, "grade_id": "q-presence", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_presence: "a", "b", "c" or "d", your answer to (d)
### BEGIN SOLUTION
q_presence = "c"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-translation", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Convolution and translation: (a)
assert q_translation in ("a", "b", "c", "d"), 'q_translation should be "a", "b", "c" or "d"'
### BEGIN HIDDEN TESTS
check_choice(q_translation, "b", ("a", "b", "c", "d"), "q_translation")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-scale", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Pooling and scale: (b)
assert q_scale in ("a", "b", "c", "d"), 'q_scale should be "a", "b", "c" or "d"'
### BEGIN HIDDEN TESTS
check_choice(q_scale, "c", ("a", "b", "c", "d"), "q_scale")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-smallest-shift", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Equivariance after three strides: (c)
check_shape(q_smallest_shift, (), "q_smallest_shift")
### BEGIN HIDDEN TESTS
check_number(q_smallest_shift, 8, "q_smallest_shift")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-presence", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Where the exact position counts: (d)
assert q_presence in ("a", "b", "c", "d"), 'q_presence should be "a", "b", "c" or "d"'
### BEGIN HIDDEN TESTS
check_choice(q_presence, "c", ("a", "b", "c", "d"), "q_presence")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **How to settle (c).** One layer of stride 2 needs an even shift, and hands on half of it.
#   What must that half be for the next one?
# - **How to settle (d).** Which of the four answers changes when everything moves by one pixel?
#
# </details>

# %%
# Claims (a) and (c), measured: stride-1 and stride-2 filters on a row of 32 pixels
signal = np.random.default_rng(20).normal(size=(1, 32))


def smooth(x):
    return (np.roll(x, 1, axis=-1) + 2 * x + np.roll(x, -1, axis=-1)) / 4


def three_strides(x):
    for _ in range(3):
        x = smooth(x)[:, ::2]
    return x


print("stride 1, shift 1: equivariance gap", equivariance_gap(smooth, signal, 1))
print("stride 1, shift 1: invariance gap  ", round(invariance_gap(smooth, signal, 1), 3))
print("global average:    invariance gap  ", round(invariance_gap(np.mean, signal, 1), 15))
gaps = [equivariance_gap(three_strides, signal, shift, stride=8) for shift in range(1, 17)]
print("three strides of 2, shifts 1 … 16:", *(f"{gap:.1f}" for gap in gaps))


# %% [markdown]
# ## Part 9 · Find the bug
#
# ### Exercise 21 · A test that catches wrong formulas
# *4 points: printed formulas 2, subtle ones 2 · 20 minutes*
#
# Formulas are copied from slide to slide, and errors with them. On one slide the output size of
# AlexNet's first layer (227 pixels, 11×11 kernel, stride 4, no padding) is announced as
#
# $$ W' = \frac{W - F + 2P}{S + 1}, $$
#
# a line later as $(W - F + 2F)/S + 1$, and computed as $(227 - 11)/4 + 1 = 55$. Only the arithmetic
# is right: the first formula gives 43.2, the second 60.5.
#
# You have written functions that pass tests. Now write the *test*. `formula_is_right(formula)` gets
# a function `formula(size, kernel, stride, padding)` and returns `True` if it computes the output
# size (floor) and `False` if it does not. You cannot look inside; you can call it, and compare with
# what you know. Each case that you try catches some bugs and misses others: 227, 11, 4, 0 does not
# notice a formula that rounds up, nor one that forgets the padding. A dozen well-chosen calls are
# enough.
#
# Right formulas may return whole numbers of any type (55, 55.0, `np.int64(55)`). No right formula
# is asked for a kernel that does not fit.

# %% nbgrader={"grade": false, "grade_id": "formula-is-right", "locked": false, "schema_version": 3, "solution": true, "task": false}
def formula_is_right(formula):
    """Whether formula(size, kernel, stride, padding) is the output size, rounded down.

    Returns:
        True or False.
    """
    ### BEGIN SOLUTION
    # Every small layer: among them are some that leave a rest, with padding and without.
    sizes, kernels, strides, paddings = range(7, 10), range(2, 4), range(1, 4), range(2)
    cases = [(n, k, s, p) for n in sizes for k in kernels for s in strides for p in paddings]
    return all(formula(*case) == out_size(*case) for case in cases)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-formula-printed", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Accepts right formulas, rejects the printed ones
assert bool(formula_is_right(lambda w, f, s, p: (w - f + 2 * p) // s + 1)), (
    "formula_is_right turned the right formula down"
)
assert not formula_is_right(lambda w, f, s, p: (w - f + 2 * p) / (s + 1)), (
    "formula_is_right let (W - F + 2P)/(S + 1) pass"
)
### BEGIN HIDDEN TESTS
right = [
    lambda w, f, s, p: len(range(0, w + 2 * p - f + 1, s)),
    lambda w, f, s, p: float(np.floor((w - f + 2 * p) / s + 1)),
    lambda w, f, s, p: np.int64((w + 2 * p - f + s) // s),
]
for formula in right:
    assert bool(formula_is_right(formula)), (
        "formula_is_right turned a right formula down: one that is written in another way"
    )
printed = {
    "(W - F + 2P)/(S + 1), rounded down,": lambda w, f, s, p: (w - f + 2 * p) // (s + 1),
    "(W - F + 2F)/S + 1": lambda w, f, s, p: (w - f + 2 * f) / s + 1,
    "(W - F + 2F)/S + 1, rounded down,": lambda w, f, s, p: (w - f + 2 * f) // s + 1,
}
for name, formula in printed.items():
    assert not formula_is_right(formula), f"formula_is_right let {name} pass"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-formula-subtle", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Rejects formulas that are right most of the time
assert not formula_is_right(lambda w, f, s, p: (w - f + p) // s + 1), (
    "formula_is_right let a formula pass that pads one side only"
)
### BEGIN HIDDEN TESTS
assert bool(formula_is_right(lambda w, f, s, p: (w - f + 2 * p) // s + 1)), (
    "formula_is_right turned the right formula down"
)
subtle = {
    "rounds up": lambda w, f, s, p: -(-(w - f + 2 * p) // s) + 1,
    "rounds to the nearest whole number": lambda w, f, s, p: int((w - f + 2 * p) / s + 0.5) + 1,
    "does not round": lambda w, f, s, p: (w - f + 2 * p) / s + 1,
    "counts steps, not positions": lambda w, f, s, p: (w - f + 2 * p) // s,
    "forgets the padding": lambda w, f, s, p: (w - f) // s + 1,
    "ignores the stride": lambda w, f, s, p: w - f + 2 * p + 1,
    "divides the padded row by the stride": lambda w, f, s, p: (w + 2 * p) // s,
    "ignores the kernel": lambda w, f, s, p: (w + 2 * p - 1) // s + 1,
}
for name, formula in subtle.items():
    assert not formula_is_right(formula), f"formula_is_right let a formula pass that {name}"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **A right formula is turned down.** Compare values with `==`, not types or `is`. Check your
#   own numbers for the case by drawing it.
# - **Rounding up, or to the nearest, slips through.** It needs a division that leaves a rest.
#   Rounding to the nearest differs from floor only when the remainder is at least half of the
#   stride.
#
# </details>

# %% [markdown]
# ## Summary
#
# | question | answer |
# |---|---|
# | how large? | $\lfloor (n + 2P - d(K-1) - 1)/S \rfloor + 1$, each axis for itself; ceil where a layer says so |
# | same size | stride 1 and $d(K-1)$ pixels of border in all, half on each side |
# | parameters | $(K_H K_W C_{in}/g + 1)\,C_{out}$; the image's size does not matter |
# | work | weights of a kernel × output values in MACs; FLOPs = 2 MACs |
# | where | parameters in linear layers, work in convolutions; pooling has none and saves none in convolutions |
# | receptive field | add $d_l (K_l - 1)\, j_{l-1}$, then multiply the jump by the stride |
# | dilation | extent grows, weights do not; 1, 2, 4 see 3, 7, 15 |
# | two 3×3 for a 5×5 | same extent, 28% fewer weights, one more nonlinearity, not the same functions |
# | pooling | max with a border of $-\infty$, average and sum with 0; the best one depends on the question |
# | a shift | stride-1 convolution: equivariant. Small pooling: approximately invariant. Stride: equivariant to multiples of it only |
#
# **Next.** In lesson 03 the network starts to learn: losses and gradients. Convolution and pooling
# come back in lesson 04, backwards.
#
# ## References
#
# - I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning*, MIT Press 2016, chapter 9: convolution,
#   pooling, the shift of Exercise 19.
# - V. Dumoulin, F. Visin, *A guide to convolution arithmetic for deep learning*, 2016,
#   arXiv:1603.07285: every case of Part 1, drawn.
# - A. Araujo, W. Norris, J. Sim, *Computing receptive fields of convolutional neural networks*,
#   Distill 2019.
# - W. Luo, Y. Li, R. Urtasun, R. Zemel, *Understanding the effective receptive field in deep
#   convolutional neural networks*, NeurIPS 2016.
# - F. Yu, V. Koltun, *Multi-scale context aggregation by dilated convolutions*, ICLR 2016; A. van
#   den Oord et al., *WaveNet*, 2016, arXiv:1609.03499.
# - K. Simonyan, A. Zisserman, *Very deep convolutional networks for large-scale image recognition*,
#   ICLR 2015: stacks of 3×3.
# - R. Zhang, *Making convolutional networks shift-invariant again*, ICML 2019: what stride does to
#   equivariance, and a cure.
# - Stanford CS231n, *Convolutional networks*, cs231n.github.io/convolutional-networks: an animation
#   of the layer in Part 3.
