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
# # 04 · Backprop through convolution
#
# A lecture writes the convolutional layer as a sum, derives the gradient for its filters, and stops: the
# gradients for the bias and for the input are left as *"Homework!"*. This lesson does the homework, and
# then the same for every other layer that a small network needs. At the end functions of your own, and
# nothing but NumPy, train a convolutional network to read handwritten digits, in about a second.
#
# **Time** 5 to 6 hours · **Difficulty** ●●●●○ · **You need** lessons 01 (convolution, `im2col`) and 03
# (chain rule, numerical gradients, SGD with momentum) · **Runs on** any laptop, in seconds
#
# **After this lesson you can**
#
# - push a gradient through a convolution of any stride and padding: $dW$, $db$ and $dX$;
# - say why $dX$ is itself a convolution, with the kernel *flipped*, and which kernels would hide it if you
#   forgot to flip;
# - prove `col2im` right without a second implementation, by comparing two numbers;
# - write forward and backward for ReLU, max and average pooling, flatten, linear and BatchNorm;
# - chain layers into a network, train it, and look at the filters that it learned;
# - explain with one number, FLOPs per byte, why loops are slow and matrix products are fast.
#
# | part | you build | points |
# |---|---|---|
# | 1 · One sum, three gradients | `conv2d_db`, `conv2d_dw`, `conv2d_dx`, `conv2d_dx_full` | 35 |
# | 2 · One matrix product | `im2col`, `col2im`, `conv_forward`, `conv_backward` | 18 |
# | 3 · The other layers | ReLU, pooling, linear, BatchNorm, forward and backward | 32 |
# | 4 · A network | `Conv2d`, `Sequential`, `make_cnn`, `train`, `predict` | 13 |
# | 5 · Why it is fast | one number | 2 |
#
# **How it works.** Complete each cell that says `raise NotImplementedError`, then run the checks below
# it. Grading runs the same checks and further ones, on other shapes and other numbers, so write for
# any input of the described shape, and change no array that a function is given. Questions ask you to
# predict *before* you run the cell that shows the truth; the check below a question only asks whether your
# answer is a number, or one of the options, and grading whether it is right. Folded cells only draw: run
# them like any other. NumPy is all you may import; PyTorch appears once, at the very end, to race against.

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

from course.checks import (
    check_choice,
    check_close,
    check_number,
    check_shape,
    check_unchanged,
    in_submission,
)
from course.data import digits
from course.plots import annotate_grid, show_images


# %% jupyter={"source_hidden": true}
def draw_grids(panels, cell=0.6):
    """Draw small matrices in a row, all cells equally large; panels are pairs (values, title)."""
    panels = [(np.asarray(values), title) for values, title in panels]
    rows = max(len(values) for values, _ in panels)
    widths = [values.shape[1] for values, _ in panels]
    size = (cell * (sum(widths) + 1.5 * len(panels)), cell * rows + 0.5)
    figure, axes = plt.subplots(1, len(panels), figsize=size, width_ratios=widths)
    for axis, (values, title) in zip(axes, panels):
        annotate_grid(axis, values)
        height, width = values.shape
        above = (rows - height) / 2
        axis.set_ylim(rows - 0.5 - above, -0.5 - above)
        axis.grid(False)  # it would run on above and below the matrix
        axis.hlines(np.arange(height + 1) - 0.5, -0.5, width - 0.5, color="0.7", clip_on=False)
        axis.vlines(np.arange(width + 1) - 0.5, -0.5, height - 0.5, color="0.7", clip_on=False)
        axis.text((width - 1) / 2, -0.65, title, ha="center", va="bottom", fontsize=10)
        axis.spines[:].set_visible(False)
    figure.tight_layout()
    return axes


def frame(axis, row, column, height, width, colour="crimson"):
    """Draw a frame around a block of a matrix that draw_grids has drawn."""
    style = {"fill": False, "edgecolor": colour, "linewidth": 3, "clip_on": False, "zorder": 5}
    axis.add_patch(plt.Rectangle((column - 0.5, row - 0.5), width, height, **style))


# %% [markdown]
# ## What is given
#
# Two functions that you know from earlier lessons come along. They are slow and plain, and they are your
# referees: everything new is checked against them.
#
# `conv2d_forward` is the convolution layer of lesson 01 as plain loops, one output number at a time:
#
# $$z_{n,f,i,j} \;=\; b_f + \sum_{c,k,l} w_{f,c,k,l}\;\tilde x_{n,c,\,iS+k,\,jS+l}$$
#
# where $\tilde x$ is $x$ with $P$ rows and columns of zeros on every side and $S$ is the stride. **Keep
# this line in sight: every gradient of a convolution can be read off it.**
#
# `numerical_gradient` is the checker of lesson 03, for functions that return arrays: it nudges one entry of `x`
# at a time and sees how much $\langle f(x), dy\rangle = \sum f(x)\cdot dy$ moves. That is
# $\partial J/\partial x$ when the upstream gradient $\partial J/\partial f$ is `dy`. ($J$ is the loss: the slides'
# letter for what lesson 03 calls $L$.)
#
# | symbol | code | shape | |
# |---|---|---|---|
# | $x$ | `x` | `(N, C, H, W)` | input: sample, channel, row, column |
# | $w$, $b$ | `w`, `b` | `(F, C, KH, KW)`, `(F,)` | filters and biases |
# | $z$ | `z` | `(N, F, OH, OW)` | output, `OH = (H + 2P - KH) // S + 1` |
# | $\partial J/\partial z$ | `dz` | as `z` | the **upstream** gradient: it is handed to you |
# | $\partial J/\partial w$ … | `dw`, `db`, `dx` | as `w`, `b`, `x` | what you compute |
#
# A gradient always has the shape of the thing it belongs to. It is the cheapest check there is.

# %% nbgrader={"grade": false, "grade_id": "given", "locked": true, "schema_version": 3, "solution": false, "task": false}
def conv2d_forward(x, w, b, stride=1, padding=0):
    """Convolve x (N, C, H, W) with w (F, C, KH, KW), b (F,), by loops; returns (N, F, OH, OW)."""
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    z = np.zeros((N, F, OH, OW))
    for n, f, i, j in np.ndindex(N, F, OH, OW):
        window = x[n, :, i * stride : i * stride + KH, j * stride : j * stride + KW]  # (C, KH, KW)
        z[n, f, i, j] = np.sum(window * w[f]) + b[f]
    return z


def numerical_gradient(function, x, dy, step=1e-5):
    """Gradient of sum(function(x) * dy) in x, by central differences; returns an array as x."""
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + step
        above = np.sum(function(x) * dy)
        x[index] = kept - step
        below = np.sum(function(x) * dy)
        x[index] = kept
        gradient[index] = (above - below) / (2 * step)
    return gradient


# %% [markdown]
# ## Part 1 · One sum, three gradients
#
# ### Layouts
#
# Lecture slides mix layouts. Some store an image as channel, row, column, others as width, height, depth. The
# slides that this lesson starts from, those with the gradients, use
#
# - `X[i, j, k, n]`: **sample, row, column, channel** (NHWC). Its letter `n` is the *channel*;
# - `W[k1, k2, n, m]`: row, column, **input channel, output channel** (HWIO);
# - $U^\ell$ for the input of layer $\ell$, $Z^\ell$ for the output of its linear part, and $U^{\ell+1}$ for
#   what comes out after activation and pooling, which is the next layer's input. In a fully connected
#   layer the same letters have two indices, $U^\ell[i, n]$: sample and unit.
#
# This course, like PyTorch, uses NCHW for images and OIHW for filters; `n` is the sample. Nothing is lost
# in translation, as long as the axes are **moved**, never reshaped: `reshape` keeps the numbers in memory
# order and only cuts them up differently.
#
# **Example.** `U` of shape `(32, 28, 40, 3)`, a batch of 32 RGB images with 28 rows and 40 columns, becomes
# `(32, 3, 28, 40)`, and `U[5, 2, 7, 1]` is found again at `x[5, 1, 2, 7]`.
#
# #### Question · The lecture's filters
#
# First a prediction. In the layout of those slides a filter tensor `W` has shape `(5, 3, 8, 16)`. What is the
# shape of the same filters in this course?
#
# - `"a"`: `(16, 8, 5, 3)`
# - `"b"`: `(8, 16, 5, 3)`
# - `"c"`: `(16, 8, 3, 5)`
# - `"d"`: `(5, 3, 16, 8)`

# %% nbgrader={"grade": false, "grade_id": "q-layout", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_layout: one of "a", "b", "c", "d"
### BEGIN SOLUTION
q_layout = "a"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-layout", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The shape of the slides' filters in the course's layout
assert q_layout in ("a", "b", "c", "d"), "q_layout should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_choice(q_layout, "a", ["a", "b", "c", "d"], "q_layout")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 1 · Two layouts
#
# Now write both conversions. (Your `relayout` of lesson 01 does it too, if you like to bring it.)

# %% nbgrader={"grade": false, "grade_id": "layouts", "locked": false, "schema_version": 3, "solution": true, "task": false}
def to_nchw(u):
    """Images of the slides, (N, H, W, C), in the course's layout (N, C, H, W)."""
    ### BEGIN SOLUTION
    return u.transpose(0, 3, 1, 2)
    ### END SOLUTION


def to_oihw(w):
    """Filters of the slides, (KH, KW, C, F), in the course's layout (F, C, KH, KW)."""
    ### BEGIN SOLUTION
    return w.transpose(3, 2, 0, 1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-layouts", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Images and filters change layout, every number keeps its place
images = np.arange(2 * 4 * 5 * 3).reshape(2, 4, 5, 3)
check_shape(to_nchw(images), (2, 3, 4, 5), "to_nchw of (2, 4, 5, 3)")
assert to_nchw(images)[1, 2, 0, 4] == images[1, 0, 4, 2], "x[n, c, i, j] should be U[n, i, j, c]"
filters = np.arange(2 * 4 * 3 * 5).reshape(2, 4, 3, 5)
check_shape(to_oihw(filters), (5, 3, 2, 4), "to_oihw of (2, 4, 3, 5)")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(401)
u, v = rng.normal(size=(3, 5, 4, 2)), rng.normal(size=(3, 2, 4, 5))
check_close(to_nchw(u), np.einsum("nhwc->nchw", u), "to_nchw(u)")
check_close(to_oihw(v), np.einsum("klcf->fckl", v), "to_oihw(w)")
square = rng.normal(size=(3, 3, 3, 3))
check_close(to_nchw(square), np.einsum("nhwc->nchw", square), "to_nchw of a (3, 3, 3, 3) array")
check_close(to_oihw(square), np.einsum("klcf->fckl", square), "to_oihw of a (3, 3, 3, 3) array")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the shape is right, the numbers are not</summary>
#
# You probably used `reshape`. It never moves a number in memory. `transpose` (or `np.moveaxis`,
# `np.einsum`) does: list, for each *new* axis, which *old* axis it was.
# </details>
#
# <details><summary>Help: the square case fails, the others pass</summary>
#
# With `KH = KW` a swap of rows and columns, or of input and output channels when `C = F`, leaves the
# shape as it was. Follow one number: where does `w[1, 0, 2, 0]` go?
# </details>
#
# #### Question · The lecture's bounds
#
# The slides print the gradient for the filters as
#
# $$\frac{\partial J}{\partial W[k_1,k_2,n,m]} = \sum_{i_1=1}^{N_1}\sum_{i_2=1}^{N_2}
#   U[i_1+k_1,\, i_2+k_2,\, n]\;\frac{\partial J}{\partial Z[i_1,i_2,m]}$$
#
# while $k_1$ runs from $0$ to $K_1-1$, as in its forward formula. Take arrays counted from 0, as in NumPy:
# `U` has 8 rows (0 … 7) and the filter $K_1 = 3$, so $Z$ has $N_1 = 6$ rows. Which is the **largest row of
# `U`** that the printed sum asks for?

# %% nbgrader={"grade": false, "grade_id": "q-lecture-bounds", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_lecture_bounds: a row number
### BEGIN SOLUTION
q_lecture_bounds = 8
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-lecture-bounds", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The largest row of U that the printed sum asks for
check_number(q_lecture_bounds, q_lecture_bounds, "q_lecture_bounds")
### BEGIN HIDDEN TESTS
check_number(q_lecture_bounds, 8, "q_lecture_bounds")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: how to begin</summary>
#
# Put the largest $i_1$ of the sum together with the largest $k_1$. Then ask the same for the smallest, and
# compare with the rows that there are.
# </details>
#
# ### Where one gradient goes
#
# Let only **one** output number matter: upstream hands you `dz` that is zero except for a 2 at row 1,
# column 2. That output was made from one window of `x` and from all of `w`. So its gradient flows into
# exactly two places, and in each it is multiplied by *the other factor*:
#
# - into `dw`: 2 × the window that the filter saw;
# - into `dx`: 2 × the filter, stamped onto the window where it lay.

# %% jupyter={"source_hidden": true} tags=["illustration"]
x_small = np.array(
    [[1, 0, 2, 3, 0], [0, 1, 4, 0, 1], [2, 3, 0, 1, 2], [1, 0, 1, 5, 0], [0, 2, 1, 0, 3]]
)
w_small = np.array([[1, 2, 0], [0, 3, 1], [4, 0, 1]])
dz_small = np.zeros((3, 3), dtype=int)
dz_small[1, 2] = 2
dx_small = np.zeros((5, 5), dtype=int)
dx_small[1:4, 2:5] = 2 * w_small
axes = draw_grids(
    [
        (x_small, "x, and the window\nthat made z[1, 2]"),
        (w_small, "w"),
        (dz_small, "dz: one upstream\ngradient, 2"),
        (2 * x_small[1:4, 2:5], "dw:\n2 × the window"),
        (dx_small, "dx: 2 × w, stamped\non the window"),
    ]
)
frame(axes[0], 1, 2, 3, 3)
frame(axes[2], 1, 2, 1, 1)
frame(axes[4], 1, 2, 3, 3)
plt.show()


# %% [markdown]
# With more than one nonzero entry in `dz`, every output position, every sample sends its own share, and
# **shares add up**. That is all. The rest of part 1 is this picture, written three times.
#
# ### Exercise 2 · db
#
# Half of the lecture's homework in one line. In
# $z_{n,f,i,j} = b_f + \dots$ the bias $b_f$ is added to *every* output of feature map $f$, in every sample,
# at every position, always with factor 1. So
#
# $$db_f = \sum_{n,i,j} dz_{n,f,i,j}.$$
#
# A sum, no mean: if the loss is a mean over the batch, the factor $1/N$ already sits in `dz`. Divide once,
# in the loss, and never again.
#
# **Example.** `dz` of shape `(1, 2, 1, 2)` with values `[[[[1, 2]], [[3, 5]]]]` gives `db = [3, 8]`.

# %% nbgrader={"grade": false, "grade_id": "conv2d-db", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d_db(dz):
    """Gradient for the biases from dz (N, F, OH, OW); returns (F,)."""
    ### BEGIN SOLUTION
    return dz.sum(axis=(0, 2, 3))  # (F,)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-db", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# One number a filter, summed over samples and positions
check_close(conv2d_db(np.array([[[[1.0, 2.0]], [[3.0, 5.0]]]])), [3, 8], "db of the example")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(402)
dz = rng.normal(size=(3, 4, 2, 5))
before = dz.copy()
want = [sum(dz[n, f, i, j] for n in range(3) for i in range(2) for j in range(5)) for f in range(4)]
check_close(conv2d_db(dz), want, "db of a batch of 3", rtol=1e-4, atol=1e-5)
check_unchanged(dz, before, "dz")
dz = rng.normal(size=(2, 2, 2, 2))
want = dz.transpose(1, 0, 2, 3).reshape(2, -1).sum(1)
check_close(conv2d_db(dz), want, "db of a (2, 2, 2, 2) dz", rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the shape is (N, F), or (F, OH, OW)</summary>
#
# Two of the three sums are missing one: `axis` takes a tuple.
# </details>
#
# <details><summary>Help: too small by a constant factor</summary>
#
# A mean instead of a sum. The factor is the number of outputs a feature map has.
# </details>
#
# #### Question · A batch of equal images
#
# The lecture's formula has no sum over samples. Suppose that for one image and its upstream gradient it
# gives $dW = A$. Now a batch holds that image **four times**, each with that same upstream gradient in
# `dz`. What multiple of $A$ is the gradient for $W$?

# %% nbgrader={"grade": false, "grade_id": "q-batch-of-four", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_batch_of_four: a number, dW divided by A
### BEGIN SOLUTION
q_batch_of_four = 4
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-batch-of-four", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The gradient of four equal samples, in units of one
check_number(q_batch_of_four, q_batch_of_four, "q_batch_of_four")
### BEGIN HIDDEN TESTS
check_number(q_batch_of_four, 4, "q_batch_of_four")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 3 · dW
#
# The same filter is used at every position of every sample, so its gradient collects from all of them. The sum on
# the slide counts $i$ from 1 and $k$ from 0: it would skip the first row of `U` and read past the last. And it
# shows one sample. Both put right, in our layout and with stride and padding:
#
# $$dw_{f,c,k,l} \;=\; \sum_{n,i,j} dz_{n,f,i,j}\;\tilde x_{n,c,\,iS+k,\,jS+l}.$$
#
# Read it as in the picture: for each output position, take the window that the filter saw, scale it by the
# upstream gradient, add it on.
#
# Write `conv2d_dw(dz, x, kernel_size, stride=1, padding=0)`. `kernel_size` is `(KH, KW)`: it cannot be
# computed from the other shapes when the stride does not divide. Loops over output positions are
# welcome, part 2 makes it fast.
#
# **Example.** One row, one channel: `x = [1, 2, 4, 8]`, `dz = [1, 0, 0]`, a kernel of 2:
# `dw = 1 · [1, 2] + 0 · [2, 4] + 0 · [4, 8] = [1, 2]`.

# %% nbgrader={"grade": false, "grade_id": "conv2d-dw", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    """Gradient for the filters from dz (N, F, OH, OW) and x (N, C, H, W); returns (F, C, KH, KW)."""
    ### BEGIN SOLUTION
    KH, KW = kernel_size
    N, F, OH, OW = dz.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dw = np.zeros((F, x.shape[1], KH, KW))
    for i in range(OH):
        for j in range(OW):
            row, column = i * stride, j * stride
            window = x[:, :, row : row + KH, column : column + KW]  # (N, C, KH, KW)
            dw += np.einsum("nf,nckl->fckl", dz[:, :, i, j], window)
    return dw
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-dw-one-sample", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# One sample, stride 1: the lecture's formula
rng = np.random.default_rng(0)
row = np.array([1.0, 2, 4, 8]).reshape(1, 1, 1, 4)
dz = np.array([1.0, 0, 0]).reshape(1, 1, 1, 3)
check_close(conv2d_dw(dz, row, (1, 2)), [[[[1, 2]]]], "dw of the example")
x, dz = rng.normal(size=(1, 2, 5, 4)), rng.normal(size=(1, 3, 3, 3))
want = numerical_gradient(lambda w: conv2d_forward(x, w, np.zeros(3)), np.zeros((3, 2, 3, 2)), dz)
check_close(conv2d_dw(dz, x, (3, 2)), want, "dw", rtol=1e-4, atol=1e-5)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(403)
x, dz = rng.normal(size=(1, 3, 6, 5)), rng.normal(size=(1, 2, 5, 3))
before = x.copy(), dz.copy()
want = np.array(
    [
        [[[np.sum(dz[0, f] * x[0, c, k : k + 5, m : m + 3]) for m in range(3)] for k in range(2)]
         for c in range(3)]
        for f in range(2)
    ]
)  # fmt: skip
check_close(conv2d_dw(dz, x, (2, 3)), want, "dw of a 2×3 kernel", rtol=1e-4, atol=1e-5)
check_unchanged(x, before[0], "x")
check_unchanged(dz, before[1], "dz")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-dw-batch", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# A batch: the samples' gradients add up
rng = np.random.default_rng(1)
x, dz = rng.normal(size=(1, 2, 4, 4)), rng.normal(size=(1, 3, 2, 2))
one, four = conv2d_dw(dz, x, (3, 3)), conv2d_dw(np.repeat(dz, 4, 0), np.repeat(x, 4, 0), (3, 3))
check_shape(four, (3, 2, 3, 3), "dw of a batch of 4")
### BEGIN HIDDEN TESTS
check_close(four, 4 * np.asarray(one), "dw of four equal samples", rtol=1e-4, atol=1e-5)
rng = np.random.default_rng(404)
x, dz = rng.normal(size=(3, 2, 5, 6)), rng.normal(size=(3, 4, 3, 5))
want = np.zeros((4, 2, 3, 2))
for n, f, i, j in np.ndindex(dz.shape):
    want[f] += dz[n, f, i, j] * x[n, :, i : i + 3, j : j + 2]
check_close(conv2d_dw(dz, x, (3, 2)), want, "dw of a batch of 3", rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-dw-padding", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Padding 1 and 2
rng = np.random.default_rng(2)
x, dz = rng.normal(size=(2, 2, 3, 4)), rng.normal(size=(2, 2, 3, 4))
want = numerical_gradient(
    lambda w: conv2d_forward(x, w, np.zeros(2), padding=1), np.zeros((2, 2, 3, 3)), dz
)
check_close(conv2d_dw(dz, x, (3, 3), padding=1), want, "dw, padding 1", rtol=1e-4, atol=1e-5)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(405)
for padding, kernel_size in ((1, (2, 3)), (2, (3, 2)), (2, (4, 4))):
    KH, KW = kernel_size
    x = rng.normal(size=(2, 3, 4, 5))
    dz = rng.normal(size=(2, 2, 4 + 2 * padding - KH + 1, 5 + 2 * padding - KW + 1))
    before = x.copy()
    wide = np.zeros((2, 3, 4 + 2 * padding, 5 + 2 * padding))
    wide[:, :, padding : padding + 4, padding : padding + 5] = x
    want = np.zeros((2, 3, KH, KW))
    for n, f, i, j in np.ndindex(dz.shape):
        want[f] += dz[n, f, i, j] * wide[n, :, i : i + KH, j : j + KW]
    got = conv2d_dw(dz, x, kernel_size, 1, padding)
    check_close(got, want, f"dw, padding {padding}, kernel {KH}×{KW}", rtol=1e-4, atol=1e-5)
    check_unchanged(x, before, "x")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-dw-stride", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Stride 2 and 3, also where the stride does not divide
rng = np.random.default_rng(3)
x, dz = rng.normal(size=(2, 2, 6, 5)), rng.normal(size=(2, 3, 2, 2))
want = numerical_gradient(
    lambda w: conv2d_forward(x, w, np.zeros(3), stride=2), np.zeros((3, 2, 3, 3)), dz
)
check_close(conv2d_dw(dz, x, (3, 3), stride=2), want, "dw, stride 2", rtol=1e-4, atol=1e-5)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(406)
cases = ((2, 0, 7, 8, (3, 3)), (2, 1, 6, 5, (2, 3)), (3, 2, 7, 6, (3, 2)), (2, 2, 5, 8, (3, 4)))
for stride, padding, H, W, (KH, KW) in cases:
    OH, OW = (H + 2 * padding - KH) // stride + 1, (W + 2 * padding - KW) // stride + 1
    x, dz = rng.normal(size=(2, 3, H, W)), rng.normal(size=(2, 4, OH, OW))
    wide = np.zeros((2, 3, H + 2 * padding, W + 2 * padding))
    wide[:, :, padding : padding + H, padding : padding + W] = x
    want = np.zeros((4, 3, KH, KW))
    for n, f, i, j in np.ndindex(dz.shape):
        r, s = i * stride, j * stride
        want[f] += dz[n, f, i, j] * wide[n, :, r : r + KH, s : s + KW]
    what = f"dw, stride {stride}, padding {padding}, {H}×{W} input, {KH}×{KW} kernel"
    check_close(conv2d_dw(dz, x, (KH, KW), stride, padding), want, what, rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: shapes do not match inside einsum</summary>
#
# At output position `(i, j)`: `dz[:, :, i, j]` is `(N, F)`, the window is `(N, C, KH, KW)`. The result has
# `f, c, k, l`; `n` is summed. Is the last window shorter than the others? Then the loop ran over
# positions of `x` and not of `dz`.
# </details>
#
# <details><summary>Help: right without padding, wrong with it</summary>
#
# The filter saw zeros at the border. Pad `x` (a copy) first, only its last two axes.
# </details>
#
# <details><summary>Help: right for one sample, wrong for a batch</summary>
#
# Look for `=` where `+=` belongs, for `x[0]`, and for a division by `N`.
# </details>
#
# #### Question · Is it a convolution?
#
# The slide says: *convolve input $U$ with the gradient $\partial J/\partial Z$.* Lesson 01 told
# convolution (kernel flipped) from cross-correlation (kernel as it is). Predict, before you run
# anything: `x = [1, 2, 4, 8]`, a kernel of 2, and `dz = [1, 0, 3]`. What is `dw[0]`?

# %% nbgrader={"grade": false, "grade_id": "q-dw-row", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_dw_row: a number, dw[0]
### BEGIN SOLUTION
q_dw_row = 13
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-dw-row", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# dw[0] of a row, by hand
check_number(q_dw_row, q_dw_row, "q_dw_row")
### BEGIN HIDDEN TESTS
check_number(q_dw_row, 13, "q_dw_row")
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true} tags=["illustration"]
row = np.array([1.0, 2, 4, 8]).reshape(1, 1, 1, 4)
upstream = np.array([1.0, 0, 3]).reshape(1, 1, 1, 3)
correlated = conv2d_forward(row, upstream, np.zeros(1))[0, 0, 0]
flipped = conv2d_forward(row, upstream[..., ::-1], np.zeros(1))[0, 0, 0]
print("your dw:                          ", conv2d_dw(upstream, row, (1, 2))[0, 0, 0])
print("x cross-correlated with dz:       ", correlated)
print("x convolved with dz (dz flipped): ", flipped)

# %% [markdown]
# $dW$ is the **cross-correlation** of the input with the upstream gradient: no flip. The slide's word
# "convolve" is the loose one of deep learning. (With stride $S$, the entries of `dz` lie $S$ apart while they
# slide: a dilated kernel, as in lesson 02.)
#
# ### Stamps
#
# The other half of the homework. The picture again: an output at $(i, j)$ sends back $dz \cdot w$, stamped
# onto the window where it came from. Where stamps overlap they add.
#
# #### Question · Overlapping stamps
#
# One row: `w = [1, 2, 3]`, stride 1, no padding, `dz = [5, 0, 1]`; so `x` has 5 entries. What is `dx[2]`?
# Draw the stamps under each other before you answer.

# %% nbgrader={"grade": false, "grade_id": "q-dx-row", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_dx_row: a number, dx[2]
### BEGIN SOLUTION
q_dx_row = 16
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-dx-row", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# dx[2] of a row, by hand
check_number(q_dx_row, q_dx_row, "q_dx_row")
### BEGIN HIDDEN TESTS
check_number(q_dx_row, 16, "q_dx_row")
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true} tags=["illustration"]
panels = []
for step in (1, 2):
    rows = np.zeros((4, 2 * step + 3))
    for position, gradient in enumerate([5, 0, 1]):
        rows[position, position * step : position * step + 3] = gradient * np.array([1, 2, 3])
    rows[3] = rows[:3].sum(0)
    panels.append((rows, f"stride {step}: the stamps lie {step} apart"))
axes = draw_grids(panels, cell=0.75)
for axis in axes:
    axis.axhline(2.5, color="black", linewidth=2)
    for row, name in enumerate(["5 × w", "0 × w", "1 × w", "sum: dx"]):
        axis.text(-0.7, row, name, ha="right", va="center", fontsize=10)
plt.show()


# %% [markdown]
# ### Exercise 4 · dX by stamping
#
# Write `conv2d_dx(dz, w, x_shape, stride=1, padding=0)`.
#
# 1. Make zeros with the shape of the **padded** input: `(N, C, H + 2P, W + 2P)`.
# 2. For every output position add $\sum_f dz_{n,f,i,j}\, w_{f,c,k,l}$ onto its window.
# 3. Return the middle: the padding was not part of `x`, its gradient is thrown away.
#
# `x_shape` is `(N, C, H, W)`. Pixels that no window touched (the last column, when the stride does not
# divide) keep gradient 0: they had no influence.
#
# **Example.** The row of the question with stride 2: `dz = [5, 0, 1]`, `w = [1, 2, 3]`, `x_shape = (1, 1, 1, 7)`
# gives `dx = [5, 10, 15, 0, 1, 2, 3]`; with `x_shape = (1, 1, 1, 8)`, the same and one more 0.

# %% nbgrader={"grade": false, "grade_id": "conv2d-dx", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d_dx(dz, w, x_shape, stride=1, padding=0):
    """Gradient for the input from dz (N, F, OH, OW) and w (F, C, KH, KW); returns x_shape."""
    ### BEGIN SOLUTION
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for i in range(dz.shape[2]):
        for j in range(dz.shape[3]):
            row, column = i * stride, j * stride
            stamp = np.einsum("nf,fckl->nckl", dz[:, :, i, j], w)  # (N, C, KH, KW)
            dx[:, :, row : row + KH, column : column + KW] += stamp
    return dx[:, :, padding : padding + H, padding : padding + W]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-dx-stride-1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Stride 1, no padding, a batch with several channels
rng = np.random.default_rng(0)
dz = np.array([5.0, 0, 1]).reshape(1, 1, 1, 3)
w = np.array([1.0, 2, 3]).reshape(1, 1, 1, 3)
check_close(conv2d_dx(dz, w, (1, 1, 1, 5))[0, 0, 0, [0, 1, 3, 4]], [5, 10, 2, 3], "dx of the row")
w, dz = rng.normal(size=(3, 2, 2, 3)), rng.normal(size=(2, 3, 3, 2))
want = numerical_gradient(lambda x: conv2d_forward(x, w, np.zeros(3)), np.zeros((2, 2, 4, 4)), dz)
check_close(conv2d_dx(dz, w, (2, 2, 4, 4)), want, "dx", rtol=1e-4, atol=1e-5)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(407)
for N, C, F, H, W, KH, KW in ((3, 2, 4, 5, 6, 2, 3), (2, 4, 2, 5, 5, 3, 3), (1, 3, 3, 4, 5, 4, 1)):
    w, dz = rng.normal(size=(F, C, KH, KW)), rng.normal(size=(N, F, H - KH + 1, W - KW + 1))
    before = w.copy(), dz.copy()
    want = np.zeros((N, C, H, W))
    for n, f, i, j in np.ndindex(dz.shape):
        want[n, :, i : i + KH, j : j + KW] += dz[n, f, i, j] * w[f]
    got = conv2d_dx(dz, w, (N, C, H, W))
    check_close(got, want, f"dx of a {H}×{W} input, {KH}×{KW} kernel", rtol=1e-4, atol=1e-5)
    check_unchanged(w, before[0], "w")
    check_unchanged(dz, before[1], "dz")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-dx-padding", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Padding 1 and 2: the border is cropped
rng = np.random.default_rng(1)
w, dz = rng.normal(size=(2, 2, 3, 3)), rng.normal(size=(2, 2, 3, 4))
want = numerical_gradient(
    lambda x: conv2d_forward(x, w, np.zeros(2), padding=1), np.zeros((2, 2, 3, 4)), dz
)
check_close(conv2d_dx(dz, w, (2, 2, 3, 4), padding=1), want, "dx, padding 1", rtol=1e-4, atol=1e-5)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(408)
for P, H, W, KH, KW in ((1, 4, 5, 3, 2), (2, 3, 4, 3, 4), (2, 5, 4, 2, 2)):
    w = rng.normal(size=(3, 2, KH, KW))
    dz = rng.normal(size=(2, 3, H + 2 * P - KH + 1, W + 2 * P - KW + 1))
    wide = np.zeros((2, 2, H + 2 * P, W + 2 * P))
    for n, f, i, j in np.ndindex(dz.shape):
        wide[n, :, i : i + KH, j : j + KW] += dz[n, f, i, j] * w[f]
    want = np.delete(np.delete(wide, [*range(P), *range(-P, 0)], 2), [*range(P), *range(-P, 0)], 3)
    got = conv2d_dx(dz, w, (2, 2, H, W), 1, P)
    check_close(got, want, f"dx, padding {P}, {KH}×{KW} kernel", rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-dx-stride", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Stride 2 and 3, with and without padding, also where the stride does not divide
dz = np.array([5.0, 0, 1]).reshape(1, 1, 1, 3)
w = np.array([1.0, 2, 3]).reshape(1, 1, 1, 3)
want = [5, 10, 15, 0, 1, 2, 3]
check_close(conv2d_dx(dz, w, (1, 1, 1, 7), 2)[0, 0, 0], want, "dx of the row, stride 2")
check_close(conv2d_dx(dz, w, (1, 1, 1, 8), 2)[0, 0, 0], [*want, 0], "dx of a row of 8, stride 2")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(409)
cases = (
    (2, 0, 7, 5, 3, 3),
    (2, 0, 6, 8, 3, 3),
    (2, 1, 6, 5, 2, 3),
    (3, 2, 7, 6, 3, 2),
    (2, 1, 8, 8, 3, 3),
    (3, 0, 5, 7, 2, 2),
)
for S, P, H, W, KH, KW in cases:
    OH, OW = (H + 2 * P - KH) // S + 1, (W + 2 * P - KW) // S + 1
    w, dz = rng.normal(size=(3, 2, KH, KW)), rng.normal(size=(2, 3, OH, OW))
    wide = np.zeros((2, 2, H + 2 * P, W + 2 * P))
    for n, f, i, j in np.ndindex(dz.shape):
        wide[n, :, i * S : i * S + KH, j * S : j * S + KW] += dz[n, f, i, j] * w[f]
    got = conv2d_dx(dz, w, (2, 2, H, W), S, P)
    what = f"dx, stride {S}, padding {P}, {H}×{W} input, {KH}×{KW} kernel"
    check_close(got, wide[:, :, P : P + H, P : P + W], what, rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: right at the corners, too small in the middle</summary>
#
# Stamps replace each other: `=` where `+=` belongs.
# </details>
#
# <details><summary>Help: an empty array when the padding is 0</summary>
#
# `dx[:, :, p:-p, p:-p]` with `p = 0` is `dx[:, :, 0:0]`. Say where the middle ends: `p : p + H`.
# </details>
#
# <details><summary>Help: the shape is too small when the stride does not divide</summary>
#
# The input's size cannot be had from the output's: inputs of 7 and of 8 both give 3 with a kernel of 3 and
# stride 2. That is why `x_shape` is an argument.
# </details>
#
# ### dX is a full convolution with the flipped kernel
#
# Stamping asks: *where does this output's gradient go?* Turn the question round: *which outputs touched this
# pixel?* Pixel $r$ was seen by output $i$ through kernel entry $k = r - i$. As $i$ goes up, $k$ goes
# **down**: the pixel meets the kernel backwards. So, for stride 1,
#
# $$dx_{n,c,r,s} = \sum_{f,k,l} w_{f,c,k,l}\;dz_{n,f,\,r-k,\,s-l}$$
#
# is a true convolution of `dz`: a cross-correlation with the kernel **flipped in both directions**. It is
# *full*, `dz` gets $K-1$ zeros on every side so that even one pixel of overlap counts. And it sums over
# the *output* channels, so input and output channels of the filter change places.
#
# - **Stride $S$:** the entries of `dz` belong $S$ apart. Put $S-1$ zeros between them first (*dilate*).
# - **Stride that does not divide:** add zero rows and columns at the far end for the pixels nobody saw.
# - **Padding $P$:** crop $P$ from every side of the result.
#
# This is what frameworks call *transposed convolution*. Here it is on a 2 × 2 `dz`, stride 2, kernel
# 2 × 2, one channel:

# %% jupyter={"source_hidden": true} tags=["illustration"]
between = np.array([[1, 0, 2], [0, 0, 0], [3, 0, 4]])
axes = draw_grids(
    [
        (np.array([[1, 2], [3, 4]]), "dz"),
        (between, "dilated:\nS − 1 zeros between"),
        (np.pad(between, 1), "padded by K − 1"),
        (np.array([[4, 3], [2, 1]]), "w = [[1, 2], [3, 4]],\nflipped"),
        (np.array([[1, 2, 2, 4], [3, 4, 6, 8], [3, 6, 4, 8], [9, 12, 12, 16]]), "correlated: dx"),
    ]
)
frame(axes[2], 0, 0, 2, 2)
frame(axes[4], 0, 0, 1, 1)
plt.show()

# %% [markdown]
# #### Question · Which kernels give it away?
#
# "In deep learning convolution and cross-correlation need not be told apart": that holds for *learned* kernels in
# the *forward* pass. In `dx` the flip is real. But does every test notice when it is missing? Here are all the
# kernels that a set of lecture slides shows. For **how many of these nine** would `dx` come out wrong if you
# forgot to flip?

# %% nbgrader={"grade": false, "grade_id": "slide-kernels", "locked": true, "schema_version": 3, "solution": false, "task": false}
SLIDE_KERNELS = {
    "X": [[1, 0, 1], [0, 1, 0], [1, 0, 1]],
    "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "edges 1": [[1, 0, -1], [0, 0, 0], [-1, 0, 1]],
    "edges 2": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "edges 3": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "box blur × 9": [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
    "Gaussian blur × 16": [[1, 2, 1], [2, 4, 2], [1, 2, 1]],
    "cross × 5": [[0, 1, 0], [1, 2, 1], [0, 1, 0]],
}

# %% nbgrader={"grade": false, "grade_id": "q-kernels-that-reveal", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_kernels_that_reveal: how many of the nine (0 ... 9)
### BEGIN SOLUTION
q_kernels_that_reveal = 0
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-kernels-that-reveal", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# How many of the slides' kernels reveal a missing flip
check_number(q_kernels_that_reveal, q_kernels_that_reveal, "q_kernels_that_reveal")
### BEGIN HIDDEN TESTS
check_number(q_kernels_that_reveal, 0, "q_kernels_that_reveal")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 5 · Dilate and flip
#
# `dilate` puts `stride - 1` zeros between neighbours (none outside).
# `flipped_filters` flips rows and columns and swaps the channel axes: `(F, C, KH, KW)` → `(C, F, KH, KW)`.
#
# **Example.** `dilate` of `[[1, 2], [3, 4]]` with stride 2 is `[[1, 0, 2], [0, 0, 0], [3, 0, 4]]`; with
# stride 1 nothing happens.

# %% nbgrader={"grade": false, "grade_id": "full-convolution-pieces", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dilate(dz, stride):
    """Zeros between neighbours: (N, F, OH, OW) to (N, F, (OH-1)*stride+1, (OW-1)*stride+1)."""
    ### BEGIN SOLUTION
    N, F, OH, OW = dz.shape
    wide = np.zeros((N, F, (OH - 1) * stride + 1, (OW - 1) * stride + 1))
    wide[:, :, ::stride, ::stride] = dz
    return wide
    ### END SOLUTION


def flipped_filters(w):
    """Filters (F, C, KH, KW) for the way back: both kernel axes flipped, shape (C, F, KH, KW)."""
    ### BEGIN SOLUTION
    return w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-full-convolution-pieces", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Dilation, and filters flipped with their channels swapped
check_close(dilate(np.array([[[[1.0, 2], [3, 4]]]]), 2), [[[[1, 0, 2], [0, 0, 0], [3, 0, 4]]]])
check_shape(flipped_filters(np.zeros((5, 2, 3, 4))), (2, 5, 3, 4), "flipped_filters of (5, 2, 3, 4)")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(410)
dz = rng.normal(size=(2, 3, 3, 4))
for stride in (1, 2, 3):
    want = np.zeros((2, 3, 2 * stride + 1, 3 * stride + 1))
    for n, f, i, j in np.ndindex(dz.shape):
        want[n, f, i * stride, j * stride] = dz[n, f, i, j]
    check_close(dilate(dz, stride), want, f"dilate(dz, {stride})", rtol=1e-4, atol=1e-5)
for shape in ((3, 2, 2, 3), (2, 2, 3, 3)):
    w = rng.normal(size=shape)
    before = w.copy()
    want = np.zeros((shape[1], shape[0], *shape[2:]))
    for f, c, k, m in np.ndindex(shape):
        want[c, f, shape[2] - 1 - k, shape[3] - 1 - m] = w[f, c, k, m]
    check_close(flipped_filters(w), want, f"flipped_filters of {shape}", rtol=1e-4, atol=1e-5)
    check_unchanged(w, before, "w")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 6 · dX as a full convolution
#
# The whole: dilate, pad, one call of `conv2d_forward` (stride 1, no bias), crop. Before the
# correlation the array must have `H + 2P + KH - 1` rows, `KH - 1` of them zeros on top; whatever is
# missing are zeros at the far end. Rows and columns each have their own numbers.

# %% nbgrader={"grade": false, "grade_id": "conv2d-dx-full", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d_dx_full(dz, w, x_shape, stride=1, padding=0):
    """The same as conv2d_dx, by one full convolution; returns x_shape."""
    ### BEGIN SOLUTION
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    wide = dilate(dz, stride)
    below = H + 2 * padding - wide.shape[2]
    right = W + 2 * padding - wide.shape[3]
    wide = np.pad(wide, ((0, 0), (0, 0), (KH - 1, below), (KW - 1, right)))
    dx = conv2d_forward(wide, flipped_filters(w), np.zeros(C))  # (N, C, H+2P, W+2P)
    return dx[:, :, padding : padding + H, padding : padding + W]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-dx-full-stride-1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Stride 1, no padding: an asymmetric kernel, more filters than channels
rng = np.random.default_rng(0)
w, dz = rng.normal(size=(3, 2, 2, 3)), rng.normal(size=(2, 3, 3, 2))
want = numerical_gradient(lambda x: conv2d_forward(x, w, np.zeros(3)), np.zeros((2, 2, 4, 4)), dz)
check_close(conv2d_dx_full(dz, w, (2, 2, 4, 4)), want, "dx", rtol=1e-4, atol=1e-5)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(411)
for N, C, F, H, W, KH, KW in ((2, 3, 2, 5, 4, 3, 2), (1, 2, 2, 4, 4, 3, 3)):
    w, dz = rng.normal(size=(F, C, KH, KW)), rng.normal(size=(N, F, H - KH + 1, W - KW + 1))
    want = np.zeros((N, C, H, W))
    for n, f, i, j in np.ndindex(dz.shape):
        want[n, :, i : i + KH, j : j + KW] += dz[n, f, i, j] * w[f]
    got = conv2d_dx_full(dz, w, (N, C, H, W))
    check_close(got, want, f"dx of a {H}×{W} input, {KH}×{KW} kernel", rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-dx-full-general", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Any stride and padding
dz = np.array([[[[1.0, 2], [3, 4]]]])
want = [[1, 2, 2, 4], [3, 4, 6, 8], [3, 6, 4, 8], [9, 12, 12, 16]]
check_close(conv2d_dx_full(dz, dz, (1, 1, 4, 4), 2)[0, 0], want, "dx of the picture")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(412)
cases = (
    (1, 1, 4, 5, 3, 3, 3, 2),
    (1, 2, 4, 3, 2, 3, 3, 2),
    (2, 0, 6, 7, 3, 2, 3, 2),
    (2, 1, 6, 5, 3, 3, 3, 2),
    (3, 2, 5, 7, 2, 4, 3, 2),
    (1, 3, 4, 5, 4, 5, 12, 5),  # much padding, more filters and channels than rows
)
for S, P, H, W, KH, KW, F, C in cases:
    OH, OW = (H + 2 * P - KH) // S + 1, (W + 2 * P - KW) // S + 1
    w, dz = rng.normal(size=(F, C, KH, KW)), rng.normal(size=(2, F, OH, OW))
    wide = np.zeros((2, C, H + 2 * P, W + 2 * P))
    for n, f, i, j in np.ndindex(dz.shape):
        wide[n, :, i * S : i * S + KH, j * S : j * S + KW] += dz[n, f, i, j] * w[f]
    got = conv2d_dx_full(dz, w, (2, C, H, W), S, P)
    what = f"dx, stride {S}, padding {P}, {H}×{W} input, {KH}×{KW} kernel"
    check_close(got, wide[:, :, P : P + H, P : P + W], what, rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: everything is mirrored</summary>
#
# One flip too few, or one axis only. On some kernels you would not have noticed.
# </details>
#
# <details><summary>Help: shapes do not match in conv2d_forward</summary>
#
# On the way back `dz` is the input, so its `F` channels must meet the filters' second axis.
# </details>
#
# <details><summary>Help: right with stride 1, shifted or too small with stride 2</summary>
#
# Pad *after* dilating. Then count rows: `KH - 1` on top, and below as many as are missing from
# `H + 2P + KH - 1` in all. With stride 1 that is `KH - 1` again.
# </details>
#
# Now the truth about the nine kernels, and one more. Each row of the printout back-propagates one random `dz`,
# with and without the flip.

# %% jupyter={"source_hidden": true} tags=["illustration"]
noise = np.random.default_rng(0).normal(size=(1, 1, 4, 4))
kernels = {**SLIDE_KERNELS, "Sobel (lesson 01)": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]}
for name, kernel in kernels.items():
    kernel = np.array(kernel, dtype=float).reshape(1, 1, 3, 3)
    honest = conv2d_dx_full(noise, kernel, (1, 1, 6, 6))
    forgotten = conv2d_dx_full(noise, kernel[:, :, ::-1, ::-1], (1, 1, 6, 6))
    print(f"{name:20s} largest difference {np.abs(honest - forgotten).max():.2f}")

# %% [markdown]
# ## Part 2 · One matrix product
#
# ### Exercise 7 · im2col
#
# You know this one from lesson 01. A convolution is many small dot products: every window of `x` with every
# filter. Put each window into a **column** and each filter into a row, and all of them are *one* matrix
# product:
#
# $$\underbrace{Z}_{F\times(OH\cdot OW)} = \underbrace{W}_{F\times(C\cdot KH\cdot KW)}\;
#   \underbrace{\text{im2col}(x)}_{(C\cdot KH\cdot KW)\times(OH\cdot OW)} + b$$

# %% jupyter={"source_hidden": true} tags=["illustration"]
sixteen = np.arange(16).reshape(4, 4)
columns = np.array(
    [
        [0, 1, 2, 4, 5, 6, 8, 9, 10],
        [1, 2, 3, 5, 6, 7, 9, 10, 11],
        [4, 5, 6, 8, 9, 10, 12, 13, 14],
        [5, 6, 7, 9, 10, 11, 13, 14, 15],
    ]
)
axes = draw_grids(
    [
        (sixteen, "x: 4 × 4, one window\nof a 2 × 2 kernel"),
        (columns, "im2col(x): 4 rows (kernel entries) × 9 columns (positions)"),
    ]
)
frame(axes[0], 1, 1, 2, 2)
frame(axes[1], 0, 4, 4, 1)
plt.show()


# %% [markdown]
# Bring your `im2col(x, kh, kw, stride=1, padding=0)` → `(N, C·KH·KW, OH·OW)` along, or write it again.
#
# The order is fixed, so that `w.reshape(F, -1)` fits and the product can be reshaped to `(N, F, OH, OW)`:
#
# - row `(c, k, l)`: channel first, then kernel row, then kernel column;
# - column `(i, j)`: output row first, then output column.
#
# The fast way round: there are many positions but few kernel entries, so loop over `(k, l)` and copy
# **all** positions at once, as a strided slice of the padded `x`.
#
# **Example.** In the picture, with a 2 × 2 kernel: column 4 (position `i = 1, j = 1`) is `[5, 6, 9, 10]`,
# and row 1 (kernel entry `k = 0, l = 1`) is the image without its first column and last row.

# %% nbgrader={"grade": false, "grade_id": "im2col", "locked": false, "schema_version": 3, "solution": true, "task": false}
def im2col(x, kh, kw, stride=1, padding=0):
    """Windows of x (N, C, H, W) as columns; returns (N, C*kh*kw, OH*OW)."""
    ### BEGIN SOLUTION
    N, C, H, W = x.shape
    OH = (H + 2 * padding - kh) // stride + 1
    OW = (W + 2 * padding - kw) // stride + 1
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.empty((N, C, kh, kw, OH, OW), dtype=x.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + stride * OH, stride)
            cols[:, :, k, m] = x[:, :, rows, m : m + stride * OW : stride]
    return cols.reshape(N, C * kh * kw, OH * OW)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-im2col-values", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Shape, values and their order
cols = im2col(np.arange(16.0).reshape(1, 1, 4, 4), 2, 2)
check_shape(cols, (1, 4, 9), "im2col of 4×4, kernel 2×2")
check_close(cols[0, :, 4], [5, 6, 9, 10], "column 4 of the picture")
check_close(cols[0, 1], [1, 2, 3, 5, 6, 7, 9, 10, 11], "row 1 of the picture")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(413)
for N, C, H, W, KH, KW in ((2, 3, 4, 6, 2, 3), (3, 2, 5, 4, 3, 1), (2, 2, 4, 4, 2, 2)):
    x = rng.normal(size=(N, C, H, W))
    before = x.copy()
    OH, OW = H - KH + 1, W - KW + 1
    want = np.zeros((N, C * KH * KW, OH * OW))
    for n, i, j in np.ndindex(N, OH, OW):
        want[n, :, i * OW + j] = x[n, :, i : i + KH, j : j + KW].ravel()
    what = f"im2col of {H}×{W}, kernel {KH}×{KW}, {C} channels"
    check_close(im2col(x, KH, KW), want, what, rtol=1e-4, atol=1e-5)
    check_unchanged(x, before, "x")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-im2col-stride-padding", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Stride and padding
x = np.arange(1.0, 17).reshape(1, 1, 4, 4)
check_shape(im2col(x, 3, 3, 1, 1), (1, 9, 16), "im2col of 4×4, kernel 3×3, padding 1")
check_shape(im2col(x, 3, 3, 2, 1), (1, 9, 4), "im2col of 4×4, kernel 3×3, stride 2, padding 1")
check_close(im2col(x, 3, 3, 2, 1)[0, :, 0], [0, 0, 0, 0, 1, 2, 0, 5, 6], "its first column")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(414)
for S, P, H, W, KH, KW in ((2, 0, 6, 7, 3, 2), (1, 2, 3, 4, 2, 3), (2, 1, 5, 6, 3, 3), (3, 2, 4, 7, 2, 4)):
    x = rng.normal(size=(2, 3, H, W))
    wide = np.zeros((2, 3, H + 2 * P, W + 2 * P))
    wide[:, :, P : P + H, P : P + W] = x
    OH, OW = (H + 2 * P - KH) // S + 1, (W + 2 * P - KW) // S + 1
    want = np.zeros((2, 3 * KH * KW, OH * OW))
    for n, i, j in np.ndindex(2, OH, OW):
        want[n, :, i * OW + j] = wide[n, :, i * S : i * S + KH, j * S : j * S + KW].ravel()
    what = f"im2col of {H}×{W}, kernel {KH}×{KW}, stride {S}, padding {P}"
    check_close(im2col(x, KH, KW, S, P), want, what, rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the shape is right, the order is not</summary>
#
# Fill an array of shape `(N, C, KH, KW, OH, OW)` and reshape once, at the end. Any other order of the axes
# needs a `transpose` before the `reshape`.
# </details>
#
# <details><summary>Help: could not broadcast, with a stride</summary>
#
# A slice `k : k + stride * OH : stride` holds exactly `OH` entries. `k : : stride` may hold one more.
# </details>
#
# ### The way back
#
# `im2col` only *copies* numbers. A pixel that lies in several windows is copied several times. On the way back
# the gradients of all its copies **add up**:
# `col2im(cols, x_shape, kh, kw, stride, padding)` adds every entry of `cols` to the pixel it was copied
# from. (It is not the inverse of `im2col`: it is its *transpose*.)
#
# So if all entries of `cols` are 1, `col2im` counts **in how many windows each pixel lies**.
#
# #### Question · In how many windows?
#
# A 7 × 7 image, kernel 3 × 3, stride 2, no padding. In how many windows does the pixel in row 2, column 3
# lie (counted from 0)?

# %% nbgrader={"grade": false, "grade_id": "q-overlap", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_overlap: a number of windows
### BEGIN SOLUTION
q_overlap = 2
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-overlap", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# In how many windows pixel (2, 3) lies
check_number(q_overlap, q_overlap, "q_overlap")
### BEGIN HIDDEN TESTS
check_number(q_overlap, 2, "q_overlap")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 8 · col2im
#
# Write it. The same loop over `(k, l)` as in `im2col`, the assignment turned round; the padding is cropped
# at the end.
#
# **Example.** `col2im(np.ones((1, 4, 4)), (1, 1, 3, 3), 2, 2)` is `[[1, 2, 1], [2, 4, 2], [1, 2, 1]]`:
# the centre of a 3 × 3 image lies in all four 2 × 2 windows.

# %% nbgrader={"grade": false, "grade_id": "col2im", "locked": false, "schema_version": 3, "solution": true, "task": false}
def col2im(cols, x_shape, kh, kw, stride=1, padding=0):
    """Add every entry of cols (N, C*kh*kw, OH*OW) to the pixel it came from; returns x_shape."""
    ### BEGIN SOLUTION
    N, C, H, W = x_shape
    OH = (H + 2 * padding - kh) // stride + 1
    OW = (W + 2 * padding - kw) // stride + 1
    cols = cols.reshape(N, C, kh, kw, OH, OW)
    x = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + stride * OH, stride)
            x[:, :, rows, m : m + stride * OW : stride] += cols[:, :, k, m]
    return x[:, :, padding : padding + H, padding : padding + W]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-col2im-overlaps", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Overlapping windows add up
counts = col2im(np.ones((1, 4, 4)), (1, 1, 3, 3), 2, 2)
check_close(counts, [[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]], "the counts of the example")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(415)
for N, C, H, W, KH, KW in ((2, 3, 4, 6, 2, 3), (1, 2, 5, 4, 3, 2), (2, 2, 4, 4, 2, 2)):
    OH, OW = H - KH + 1, W - KW + 1
    cols = rng.normal(size=(N, C * KH * KW, OH * OW))
    before = cols.copy()
    want = np.zeros((N, C, H, W))
    for n, i, j in np.ndindex(N, OH, OW):
        want[n, :, i : i + KH, j : j + KW] += cols[n, :, i * OW + j].reshape(C, KH, KW)
    got = col2im(cols, (N, C, H, W), KH, KW)
    check_close(got, want, f"col2im to {H}×{W}, kernel {KH}×{KW}", rtol=1e-4, atol=1e-5)
    check_unchanged(cols, before, "cols")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-col2im-stride-padding", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Stride and padding, also where the stride does not divide
counts = col2im(np.ones((1, 9, 4)), (1, 1, 4, 4), 3, 3, 2, 1)
check_shape(counts, (1, 1, 4, 4), "col2im to 4×4, kernel 3×3, stride 2, padding 1")
check_close(counts[0, 0, 0], [1, 2, 1, 1], "its first row")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(416)
for S, P, H, W, KH, KW in ((2, 0, 6, 7, 3, 2), (1, 2, 3, 4, 2, 3), (2, 1, 6, 5, 3, 3), (3, 2, 4, 7, 2, 4)):
    OH, OW = (H + 2 * P - KH) // S + 1, (W + 2 * P - KW) // S + 1
    cols = rng.normal(size=(2, 3 * KH * KW, OH * OW))
    wide = np.zeros((2, 3, H + 2 * P, W + 2 * P))
    for n, i, j in np.ndindex(2, OH, OW):
        patch = cols[n, :, i * OW + j].reshape(3, KH, KW)
        wide[n, :, i * S : i * S + KH, j * S : j * S + KW] += patch
    got = col2im(cols, (2, 3, H, W), KH, KW, S, P)
    what = f"col2im to {H}×{W}, kernel {KH}×{KW}, stride {S}, padding {P}"
    check_close(got, wide[:, :, P : P + H, P : P + W], what, rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# Your counts, as a picture. With stride 1 the middle is seen nine times and a corner once. With stride 2 some pixels
# count four times as much as their neighbours, in a checkerboard, which gradients (and images made by transposed
# convolutions) really show. With stride 3 nothing overlaps, and the last row and column are seen by nobody.

# %%
figure, axes = plt.subplots(1, 3, figsize=(11, 3.9))
for axis, step in zip(axes, (1, 2, 3)):
    positions = ((7 - 3) // step + 1) ** 2
    counts = col2im(np.ones((1, 9, positions)), (1, 1, 7, 7), 3, 3, step)[0, 0]
    annotate_grid(axis, counts, cmap="Oranges")
    axis.set_title(f"7 × 7, kernel 3 × 3, stride {step}", fontsize=10)
figure.tight_layout()
plt.show()

# %% [markdown]
# #### A proof that needs no reference
#
# For a linear map $A$ and its transpose, $\langle Ax, y\rangle = \langle x, A^{\mathsf T}y\rangle$ for all $x$ and
# $y$. Two scalar products, one number each. If they agree for random $x$ and $y$ then `col2im` **is** the
# transpose of `im2col` (a wrong one agrees with probability zero): no loop, no numerical gradient, no second
# implementation. An `=` where `+=` belongs does not survive it. Remember this test: it works for every linear
# layer that you will ever write.

# %% nbgrader={"grade": true, "grade_id": "test-adjoint", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# im2col and col2im are adjoint: ⟨im2col(x), y⟩ = ⟨x, col2im(y)⟩
rng = np.random.default_rng(0)
x, y = rng.normal(size=(2, 3, 5, 6)), rng.normal(size=(2, 18, 16))
left = np.sum(im2col(x, 2, 3) * y)
right = np.sum(x * col2im(y, (2, 3, 5, 6), 2, 3))
check_close(right, left, "⟨x, col2im(y)⟩", rtol=1e-4)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(417)
for S, P, H, W, KH, KW in ((1, 1, 5, 4, 3, 2), (2, 0, 7, 6, 3, 3), (2, 2, 4, 5, 3, 2), (3, 1, 6, 6, 2, 3)):
    x = rng.normal(size=(2, 3, H, W))
    OH, OW = (H + 2 * P - KH) // S + 1, (W + 2 * P - KW) // S + 1
    y = rng.normal(size=(2, 3 * KH * KW, OH * OW))
    left = np.sum(np.asarray(im2col(x, KH, KW, S, P)) * y)
    right = np.sum(x * np.asarray(col2im(y, (2, 3, H, W), KH, KW, S, P)))
    check_close(right, left, f"⟨x, col2im(y)⟩ with stride {S}, padding {P}", rtol=1e-4, atol=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: counts of 1 everywhere</summary>
#
# The copies replace each other instead of adding up.
# </details>
#
# <details><summary>Help: both exercises pass, the adjoint test does not</summary>
#
# The two functions use different orders of rows or columns. Fix the order in `im2col` first.
# </details>
#
# ### Exercise 9 · The convolution layer, fast
#
# From here on every layer is a **pair of functions**:
#
# ```
# z, cache = conv_forward(x, w, b, stride, padding)     # the cache: whatever the way back needs
# dx, dw, db = conv_backward(dz, cache)
# ```
#
# The cache is yours alone: a tuple, a dict, an object, anything. The tests hand back exactly what your
# forward returned. (Do not keep it in a global variable: a network has many layers.)
#
# And you can check every layer yourself, on any shapes you like, before a test does:
# `numerical_gradient(lambda x: conv_forward(x, w, b)[0], x, dz)` is what `dx` has to be.
#
# With $Z_n = W X_n + b$ for sample $n$, where $X_n$ are its columns, lesson 03's rules for a matrix product say
# the rest:
#
# $$dW = \sum_n dZ_n X_n^{\mathsf T}, \qquad dX_n = W^{\mathsf T} dZ_n, \qquad dx = \text{col2im}(dX).$$
#
# NumPy's `@` multiplies stacks of matrices: `(F, D) @ (N, D, L)` is `(N, F, L)`.
#
# **Example.** `x` of ones `(1, 1, 3, 3)`, `w` of ones `(1, 1, 2, 2)`, `b = [10]`: `z` is 14 at all four
# positions. With `dz` of ones: `db = [4]`, `dw` is 4 everywhere, `dx = [[1, 2, 1], [2, 4, 2], [1, 2, 1]]`.

# %% nbgrader={"grade": false, "grade_id": "conv", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_forward(x, w, b, stride=1, padding=0):
    """Convolve x (N, C, H, W) with w (F, C, KH, KW), b (F,); returns z (N, F, OH, OW), cache."""
    ### BEGIN SOLUTION
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    z = np.empty((N, F, OH * OW), dtype=np.result_type(x, w, b))
    # A few samples at a time: the columns of all would be KH*KW times as large as x (part 5).
    block = max(1, 500_000 // (C * KH * KW * OH * OW))
    for n in range(0, N, block):
        cols = im2col(x[n : n + block], KH, KW, stride, padding)  # (block, C*KH*KW, OH*OW)
        z[n : n + block] = w.reshape(F, -1) @ cols + b[:, None]
    return z.reshape(N, F, OH, OW), (x, w, stride, padding)
    ### END SOLUTION


def conv_backward(dz, cache):
    """From dz (N, F, OH, OW) and the cache: dx as x, dw as w, db as b."""
    ### BEGIN SOLUTION
    x, w, stride, padding = cache
    F, _, KH, KW = w.shape
    cols = im2col(x, KH, KW, stride, padding)  # (N, C*KH*KW, OH*OW)
    dz = dz.reshape(len(x), F, -1)  # (N, F, OH*OW)
    dw = (dz @ cols.transpose(0, 2, 1)).sum(axis=0).reshape(w.shape)
    dcols = w.reshape(F, -1).T @ dz  # (N, C*KH*KW, OH*OW)
    dx = col2im(dcols, x.shape, KH, KW, stride, padding)
    return dx, dw, dz.sum(axis=(0, 2))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-conv-forward-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Forward: equal to the loops of lesson 01
z, _ = conv_forward(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), np.array([10.0]))
check_close(z, np.full((1, 1, 2, 2), 14), "z of the example")
rng = np.random.default_rng(0)
x, w, b = rng.normal(size=(2, 3, 5, 6)), rng.normal(size=(4, 3, 2, 3)), rng.normal(size=4)
z, _ = conv_forward(x, w, b)
check_close(z, conv2d_forward(x, w, b), "z", rtol=1e-4, atol=1e-5)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(418)
for N, C, F, H, W, KH, KW in ((3, 2, 3, 5, 4, 3, 2), (2, 2, 2, 4, 4, 3, 3), (1, 3, 2, 4, 6, 1, 4)):
    x, w, b = rng.normal(size=(N, C, H, W)), rng.normal(size=(F, C, KH, KW)), rng.normal(size=F)
    kept = x.copy(), w.copy(), b.copy()
    z, _ = conv_forward(x, w, b)
    what = f"z, {C}→{F} channels, {H}×{W} input, {KH}×{KW} kernel"
    check_close(z, conv2d_forward(x, w, b), what, rtol=1e-4, atol=1e-5)
    for array, before, name in zip((x, w, b), kept, ("x", "w", "b")):
        check_unchanged(array, before, name)
pixels = rng.integers(0, 9, size=(2, 1, 4, 5))
w, b = rng.normal(size=(2, 1, 3, 2)), rng.normal(size=2)
z, _ = conv_forward(pixels, w, b)
check_close(z, conv2d_forward(pixels, w, b), "z of integer pixels", rtol=1e-4, atol=1e-5)
whole = rng.integers(-4, 5, size=(2, 1, 3, 2)), rng.integers(-4, 5, size=2)
for arrays, which in (
    ((pixels, whole[0], b), "b"),
    ((pixels, w, whole[1]), "w"),
    ((pixels / 2, *whole), "x"),
):
    z, _ = conv_forward(*arrays)
    what = f"z where only {which} has fractions"
    check_close(z, conv2d_forward(*arrays), what, rtol=1e-4, atol=1e-5)
# Large batches, in case the work is done in blocks: every sample as if it came alone.
for N, C, size, K in ((5, 4, 76, 3), (2, 2, 106, 5)):
    x, w, b = rng.normal(size=(N, C, size, size)), rng.normal(size=(1, C, K, K)), rng.normal(size=1)
    z, _ = conv_forward(x, w, b)
    for n in range(N):
        alone, _ = conv_forward(x[n : n + 1], w, b)
        what = f"z of sample {n} of a batch of {N}, {size}×{size}"
        check_close(z[n : n + 1], alone, what, rtol=1e-4, atol=1e-5)
        corner = conv2d_forward(x[n : n + 1, :, : K + 1, : K + 1], w, b)
        check_close(alone[:, :, :2, :2], corner, what, rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv-forward-stride-padding", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Forward: stride and padding
rng = np.random.default_rng(1)
x, w, b = rng.normal(size=(2, 2, 6, 5)), rng.normal(size=(3, 2, 3, 3)), rng.normal(size=3)
z, _ = conv_forward(x, w, b, stride=2, padding=1)
check_close(z, conv2d_forward(x, w, b, 2, 1), "z, stride 2, padding 1", rtol=1e-4, atol=1e-5)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(419)
for S, P, H, W, KH, KW in ((2, 0, 6, 8, 3, 3), (1, 2, 4, 3, 2, 3), (2, 2, 5, 6, 2, 4), (3, 1, 8, 5, 3, 2)):
    x, w, b = rng.normal(size=(2, 3, H, W)), rng.normal(size=(2, 3, KH, KW)), rng.normal(size=2)
    z, _ = conv_forward(x, w, b, S, P)
    what = f"z, {H}×{W} input, {KH}×{KW} kernel, stride {S}, padding {P}"
    check_close(z, conv2d_forward(x, w, b, S, P), what, rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv-backward-dx", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Backward: dx
z, cache = conv_forward(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), np.array([10.0]))
dx, dw, db = conv_backward(np.ones((1, 1, 2, 2)), cache)
check_close(dx, [[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]], "dx of the example")
rng = np.random.default_rng(1)
x, w, dz = rng.normal(size=(2, 2, 4, 3)), rng.normal(size=(3, 2, 2, 2)), rng.normal(size=(2, 3, 3, 2))
dx, dw, db = conv_backward(dz, conv_forward(x, w, np.zeros(3))[1])
want = numerical_gradient(lambda x: conv2d_forward(x, w, np.zeros(3)), x, dz)
check_close(dx, want, "dx", rtol=1e-4, atol=1e-5)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(420)
kept = []
for S, P, H, W, KH, KW in ((1, 0, 5, 4, 2, 3), (1, 1, 4, 4, 3, 3), (2, 1, 6, 5, 3, 2), (3, 2, 5, 7, 2, 4)):
    x, w, b = rng.normal(size=(2, 3, H, W)), rng.normal(size=(4, 3, KH, KW)), rng.normal(size=4)
    OH, OW = (H + 2 * P - KH) // S + 1, (W + 2 * P - KW) // S + 1
    dz = rng.normal(size=(2, 4, OH, OW))
    wide = np.zeros((2, 3, H + 2 * P, W + 2 * P))
    for n, f, i, j in np.ndindex(dz.shape):
        wide[n, :, i * S : i * S + KH, j * S : j * S + KW] += dz[n, f, i, j] * w[f]
    what = f"dx, {H}×{W} input, {KH}×{KW} kernel, stride {S}, padding {P}"
    kept.append((conv_forward(x, w, b, S, P)[1], dz, wide[:, :, P : P + H, P : P + W], what))
# All forward passes came first: each backward pass needs the cache of its own.
for cache, dz, want, what in kept:
    before = dz.copy()
    check_close(conv_backward(dz, cache)[0], want, what, rtol=1e-4, atol=1e-5)
    check_unchanged(dz, before, "dz")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-conv-backward-dw-db", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Backward: dw and db
z, cache = conv_forward(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), np.array([10.0]))
dx, dw, db = conv_backward(np.ones((1, 1, 2, 2)), cache)
check_close(dw, np.full((1, 1, 2, 2), 4), "dw of the example")
check_close(db, [4], "db of the example")
rng = np.random.default_rng(2)
x, w, dz = rng.normal(size=(2, 2, 4, 3)), rng.normal(size=(3, 2, 2, 2)), rng.normal(size=(2, 3, 3, 2))
dx, dw, db = conv_backward(dz, conv_forward(x, w, np.zeros(3))[1])
want = numerical_gradient(lambda w: conv2d_forward(x, w, np.zeros(3)), w, dz)
check_close(dw, want, "dw", rtol=1e-4, atol=1e-5)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(421)
for S, P, H, W, KH, KW in ((1, 0, 5, 4, 2, 3), (1, 1, 4, 4, 3, 3), (2, 1, 6, 5, 3, 2), (3, 2, 5, 7, 2, 4)):
    x, w, b = rng.normal(size=(3, 2, H, W)), rng.normal(size=(4, 2, KH, KW)), rng.normal(size=4)
    OH, OW = (H + 2 * P - KH) // S + 1, (W + 2 * P - KW) // S + 1
    dz = rng.normal(size=(3, 4, OH, OW))
    wide = np.zeros((3, 2, H + 2 * P, W + 2 * P))
    wide[:, :, P : P + H, P : P + W] = x
    want = np.zeros((4, 2, KH, KW))
    for n, f, i, j in np.ndindex(dz.shape):
        want[f] += dz[n, f, i, j] * wide[n, :, i * S : i * S + KH, j * S : j * S + KW]
    dx, dw, db = conv_backward(dz, conv_forward(x, w, b, S, P)[1])
    what = f"{H}×{W} input, {KH}×{KW} kernel, stride {S}, padding {P}"
    check_close(dw, want, f"dw, {what}", rtol=1e-4, atol=1e-5)
    check_close(db, np.einsum("nfij->f", dz), f"db, {what}", rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: z is right for one filter, wrong for several</summary>
#
# `b` must run along the filters: `b[:, None]` against `(N, F, OH·OW)`.
# </details>
#
# <details><summary>Help: dw has the right shape and wrong numbers</summary>
#
# Check the sum over samples, and that `cols` is the one of *this* forward pass. Transpose only the last two
# axes of the stack: `cols.T` turns all three round.
# </details>
#
# <details><summary>Help: everything here fails, my formulas are right</summary>
#
# Are exercises 7 and 8 green? These functions stand on them. You may also build on the loops of exercises
# 2 to 4: same marks, slower training.
# </details>
#
# ## Part 3 · The other layers
#
# ### Exercise 10 · ReLU
#
# $y = \max(x, 0)$ element by element, so the gradient passes where $x > 0$ and stops elsewhere. It is the
# *input* that decides, not the gradient: a negative upstream gradient passes an open gate unchanged. At
# exactly 0 the derivative does not exist; this course takes **ReLU′(0) = 0**, as PyTorch does.
#
# **Example.** `x = [-1, 0, 2, 3]`, `dy = [5, 5, -5, 5]` gives `y = [0, 0, 2, 3]` and `dx = [0, 0, -5, 5]`.

# %% nbgrader={"grade": false, "grade_id": "relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
def relu_forward(x):
    """max(x, 0) of an array of any shape; returns y, cache."""
    ### BEGIN SOLUTION
    return np.maximum(x, 0), x > 0
    ### END SOLUTION


def relu_backward(dy, cache):
    """Gradient for the input of relu_forward; returns an array as dy."""
    ### BEGIN SOLUTION
    return dy * cache
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-relu", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Forward, and a gate that the input opens
y, cache = relu_forward(np.array([-1.0, 2, 3]))
check_close(y, [0, 2, 3], "relu of [-1, 2, 3]")
check_close(relu_backward(np.array([5.0, -5, 5]), cache), [0, -5, 5], "dx of the example")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(422)
inputs = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(7, 3))
kept = [x.copy() for x in inputs]
caches = []
for x, before in zip(inputs, kept):
    y, cache = relu_forward(x)
    caches.append(cache)
    check_close(y, np.where(before < 0, 0, before), "y", rtol=1e-4, atol=1e-5)
    check_unchanged(x, before, "x")
for before, cache in zip(kept, caches):
    dy = rng.normal(size=before.shape)
    upstream = dy.copy()
    want = np.where(before < 0, 0, upstream)
    check_close(relu_backward(dy, cache), want, "dx", rtol=1e-4, atol=1e-5)
    check_unchanged(dy, upstream, "dy")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-relu-zero", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# At exactly zero no gradient passes
y, cache = relu_forward(np.array([[0.0, 1.0]]))
check_close(y, [[0, 1]], "relu of [0, 1]")
### BEGIN HIDDEN TESTS
x = np.array([[0.0, 1.0, -0.0], [2.0, 0.0, -3.0]])
got = relu_backward(np.array([[7.0, 6.0, 5.0], [4.0, -3.0, 2.0]]), relu_forward(x)[1])
check_close(got, [[0, 6, 0], [4, 0, 0]], "dx where x is 0, positive or negative")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: negative gradients vanish</summary>
#
# You applied ReLU to the gradient. The gate is `x > 0`.
# </details>
#
# ### Exercise 11 · Max pooling
#
# Each window hands on its largest value. A small change of any *other* value changes nothing, so the whole
# upstream gradient goes to the winner and nothing to the losers. If windows overlap, one pixel can win
# several of them: then it collects several gradients.

# %% jupyter={"source_hidden": true} tags=["illustration"]
pooled_input = np.array(
    [[1, 5, 2, 0, 3], [4, 0, 1, 2, 6], [3, 9, 2, 4, 1], [0, 7, 5, 3, 2], [8, 1, 0, 2, 4]]
)
routed = np.zeros((5, 5), dtype=int)
routed[2, 1], routed[1, 4], routed[3, 2] = 1 + 3, 2, 5
axes = draw_grids(
    [
        (pooled_input, "x: four 3 × 3 windows, stride 2"),
        (np.array([[9, 6], [9, 5]]), "y"),
        (np.array([[1, 2], [3, 5]]), "dy"),
        (routed, "dx: the 9 won two windows\nand collects 1 + 3"),
    ],
    cell=0.7,
)
for number, colour in enumerate(("crimson", "navy", "green", "purple")):
    row, column, inset = number // 2, number % 2, 0.06 * (1 + number)
    frame(axes[0], 2 * row + inset, 2 * column + inset, 3 - 2 * inset, 3 - 2 * inset, colour)
    frame(axes[1], row + 0.1, column + 0.1, 0.8, 0.8, colour)
    frame(axes[2], row + 0.1, column + 0.1, 0.8, 0.8, colour)
plt.show()


# %% [markdown]
# Write the pair. `kernel_size` is `(KH, KW)`; output size as for a convolution; each channel by itself.
#
# - Padding must never win a window, whatever the input's sign: pad with $-\infty$, not with 0.
# - When two values of a window are equally large, any convention is accepted; the tests avoid ties.
#
# **Example.** `x = [[1, 5], [-2, 3]]`, window 2 × 2: `y = [[5]]`; with `dy = [[7]]`, `dx = [[0, 7], [0, 0]]`.

# %% nbgrader={"grade": false, "grade_id": "max-pool", "locked": false, "schema_version": 3, "solution": true, "task": false}
def max_pool_forward(x, kernel_size, stride, padding=0):
    """Largest value of each window of x (N, C, H, W); returns y (N, C, OH, OW), cache."""
    ### BEGIN SOLUTION
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    pad = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    wide = np.pad(x, pad, constant_values=-np.inf) if padding else x
    slices = [
        np.s_[:, :, k : k + stride * OH : stride, m : m + stride * OW : stride]
        for k in range(KH)
        for m in range(KW)
    ]
    values = np.stack([wide[window] for window in slices])  # (KH*KW, N, C, OH, OW)
    winners = values.argmax(axis=0)  # (N, C, OH, OW)
    return values.max(axis=0), (winners, slices, x.shape, padding)
    ### END SOLUTION


def max_pool_backward(dy, cache):
    """Gradient for the input of max_pool_forward; returns an array as x."""
    ### BEGIN SOLUTION
    winners, slices, (N, C, H, W), padding = cache
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=dy.dtype)
    for number, window in enumerate(slices):
        dx[window] += dy * (winners == number)
    return dx[:, :, padding : padding + H, padding : padding + W]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-max-pool-forward", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Forward: rectangular and overlapping windows, negative inputs, padding
y, _ = max_pool_forward(np.array([[[[1.0, 5], [-2, 3]]]]), (2, 2), 2)
check_close(y, [[[[5]]]], "y of the example")
y, _ = max_pool_forward(-np.arange(1.0, 17).reshape(1, 1, 4, 4), (2, 2), 2)
check_close(y, [[[[-1, -3], [-9, -11]]]], "max pooling of negative numbers")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(423)
cases = (
    (2, 0, 6, 4, 2, 2),
    (1, 0, 5, 4, 2, 3),
    (2, 0, 7, 6, 3, 2),
    (2, 1, 6, 7, 3, 3),
    (3, 1, 7, 5, 2, 3),
    (2, 0, 5, 7, 2, 2),
    (1, 2, 5, 6, 4, 5),
)
for S, P, H, W, KH, KW in cases:
    x = rng.permutation(2 * 3 * H * W).reshape(2, 3, H, W) - 6.0 * H * W - 0.5  # negative, no ties
    before = x.copy()
    wide = np.full((2, 3, H + 2 * P, W + 2 * P), -np.inf)
    wide[:, :, P : P + H, P : P + W] = x
    want = np.zeros((2, 3, (H + 2 * P - KH) // S + 1, (W + 2 * P - KW) // S + 1))
    for n, c, i, j in np.ndindex(want.shape):
        want[n, c, i, j] = wide[n, c, i * S : i * S + KH, j * S : j * S + KW].max()
    y, _ = max_pool_forward(x, (KH, KW), S, P)
    what = f"max pooling of {H}×{W}, window {KH}×{KW}, stride {S}, padding {P}"
    check_close(y, want, what, rtol=1e-4, atol=1e-5)
    check_unchanged(x, before, "x")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-max-pool-backward", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Backward: the winner takes the gradient, windows side by side
y, cache = max_pool_forward(np.array([[[[1.0, 5], [-2, 3]]]]), (2, 2), 2)
check_close(max_pool_backward(np.array([[[[7.0]]]]), cache), [[[[0, 7], [0, 0]]]], "dx of the example")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(424)
kept = []
for S, P, H, W, KH, KW in ((2, 0, 6, 4, 2, 2), (3, 0, 7, 6, 2, 3), (2, 1, 6, 4, 2, 2)):
    x = rng.permutation(2 * 3 * H * W).reshape(2, 3, H, W) - 3.0 * H * W - 0.5
    dy = rng.normal(size=(2, 3, (H + 2 * P - KH) // S + 1, (W + 2 * P - KW) // S + 1))
    wide = np.full((2, 3, H + 2 * P, W + 2 * P), -np.inf)
    wide[:, :, P : P + H, P : P + W] = x
    want = np.zeros(wide.shape)
    for n, c, i, j in np.ndindex(dy.shape):
        window = wide[n, c, i * S : i * S + KH, j * S : j * S + KW]
        k, m = np.unravel_index(window.argmax(), window.shape)
        want[n, c, i * S + k, j * S + m] += dy[n, c, i, j]
    what = f"dx of {H}×{W}, window {KH}×{KW}, stride {S}, padding {P}"
    kept.append((max_pool_forward(x, (KH, KW), S, P)[1], dy, want[:, :, P : P + H, P : P + W], what))
for cache, dy, want, what in kept:
    before = dy.copy()
    check_close(max_pool_backward(dy, cache), want, what, rtol=1e-4, atol=1e-5)
    check_unchanged(dy, before, "dy")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-max-pool-backward-overlap", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Backward: a pixel that wins several windows collects all their gradients
x = np.array([[1.0, 5, 2, 0, 3], [4, 0, 1, 2, 6], [3, 9, 2, 4, 1], [0, 7, 5, 3, 2], [8, 1, 0, 2, 4]])
y, cache = max_pool_forward(x.reshape(1, 1, 5, 5), (3, 3), 2)
check_close(y, [[[[9, 6], [9, 5]]]], "y of the picture")
dx = max_pool_backward(np.array([[[[1.0, 2], [3, 5]]]]), cache)
check_close(dx[0, 0, 2, 1], 4, "dx of the 9 in the picture")
check_close(np.sum(dx), 11, "the sum of dx in the picture")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(425)
cases = (
    (1, 0, 5, 4, 3, 2),
    (2, 0, 6, 7, 3, 3),
    (1, 1, 4, 5, 3, 3),
    (2, 1, 7, 6, 3, 4),
    (1, 2, 5, 6, 4, 5),
)
for S, P, H, W, KH, KW in cases:
    x = rng.permutation(2 * 2 * H * W).reshape(2, 2, H, W) - 4.0 * H * W - 0.5
    dy = rng.normal(size=(2, 2, (H + 2 * P - KH) // S + 1, (W + 2 * P - KW) // S + 1))
    wide = np.full((2, 2, H + 2 * P, W + 2 * P), -np.inf)
    wide[:, :, P : P + H, P : P + W] = x
    want = np.zeros(wide.shape)
    for n, c, i, j in np.ndindex(dy.shape):
        window = wide[n, c, i * S : i * S + KH, j * S : j * S + KW]
        k, m = np.unravel_index(window.argmax(), window.shape)
        want[n, c, i * S + k, j * S + m] += dy[n, c, i, j]
    got = max_pool_backward(dy, max_pool_forward(x, (KH, KW), S, P)[1])
    what = f"dx of {H}×{W}, window {KH}×{KW}, stride {S}, padding {P}"
    check_close(got, want[:, :, P : P + H, P : P + W], what, rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: zeros where the maximum should be negative</summary>
#
# The padding won. Pad with `-np.inf`, or pool only what lies inside the image.
# </details>
#
# <details><summary>Help: right side by side, wrong when windows overlap</summary>
#
# One pixel, several winners' prizes: add, do not assign. `dx[a, b] += g` with index *arrays* that name
# the same pixel twice counts it once; `np.add.at` counts both.
# </details>
#
# <details><summary>Help: the gradient lands in the wrong pixel</summary>
#
# `argmax` of a flattened window counts 0, 1, … KH·KW − 1. Turn it into row and column with `KW`, not
# with `KH` (`np.unravel_index`), and add the window's origin.
# </details>
#
# ### Exercise 12 · Average pooling
#
# Now every value of a window has the same influence, $1/(KH\cdot KW)$, so every one gets that share of the
# upstream gradient. No padding here.
#
# **Example.** `x = [[1, 5], [-2, 4]]`, window 2 × 2: `y = [[2]]`; with `dy = [[8]]`, `dx` is 2 everywhere.

# %% nbgrader={"grade": false, "grade_id": "avg-pool", "locked": false, "schema_version": 3, "solution": true, "task": false}
def avg_pool_forward(x, kernel_size, stride):
    """Mean of each window of x (N, C, H, W); returns y (N, C, OH, OW), cache."""
    ### BEGIN SOLUTION
    KH, KW = kernel_size
    OH, OW = (x.shape[2] - KH) // stride + 1, (x.shape[3] - KW) // stride + 1
    slices = [
        np.s_[:, :, k : k + stride * OH : stride, m : m + stride * OW : stride]
        for k in range(KH)
        for m in range(KW)
    ]
    return sum(x[window] for window in slices) / len(slices), (slices, x.shape)
    ### END SOLUTION


def avg_pool_backward(dy, cache):
    """Gradient for the input of avg_pool_forward; returns an array as x."""
    ### BEGIN SOLUTION
    slices, x_shape = cache
    dx = np.zeros(x_shape, dtype=dy.dtype)
    for window in slices:
        dx[window] += dy / len(slices)
    return dx
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-avg-pool-forward", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Forward: means of rectangular windows
y, _ = avg_pool_forward(np.array([[[[1.0, 5], [-2, 4]]]]), (2, 2), 2)
check_close(y, [[[[2]]]], "y of the example")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(426)
for S, H, W, KH, KW in ((2, 6, 4, 2, 2), (1, 5, 4, 2, 3), (2, 7, 6, 3, 2), (3, 8, 7, 3, 3)):
    x = rng.normal(size=(2, 3, H, W))
    before = x.copy()
    want = np.zeros((2, 3, (H - KH) // S + 1, (W - KW) // S + 1))
    for n, c, i, j in np.ndindex(want.shape):
        want[n, c, i, j] = before[n, c, i * S : i * S + KH, j * S : j * S + KW].mean()
    y, _ = avg_pool_forward(x, (KH, KW), S)
    what = f"average pooling of {H}×{W}, window {KH}×{KW}, stride {S}"
    check_close(y, want, what, rtol=1e-4, atol=1e-5)
    check_unchanged(x, before, "x")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-avg-pool-backward", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Backward: equal shares, also where windows overlap
y, cache = avg_pool_forward(np.array([[[[1.0, 5], [-2, 4]]]]), (2, 2), 2)
check_close(avg_pool_backward(np.array([[[[8.0]]]]), cache), np.full((1, 1, 2, 2), 2), "dx")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(427)
for S, H, W, KH, KW in ((2, 6, 4, 2, 2), (1, 5, 4, 2, 3), (2, 7, 6, 3, 2), (2, 6, 8, 3, 3)):
    x = rng.normal(size=(2, 3, H, W))
    dy = rng.normal(size=(2, 3, (H - KH) // S + 1, (W - KW) // S + 1))
    before = dy.copy()
    want = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(dy.shape):
        want[n, c, i * S : i * S + KH, j * S : j * S + KW] += dy[n, c, i, j] / (KH * KW)
    got = avg_pool_backward(dy, avg_pool_forward(x, (KH, KW), S)[1])
    what = f"dx of {H}×{W}, window {KH}×{KW}, stride {S}"
    check_close(got, want, what, rtol=1e-4, atol=1e-5)
    check_unchanged(dy, before, "dy")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 13 · From maps to vectors: GAP and flatten
#
# Two ways to leave the world of feature maps:
#
# - **Global average pooling** takes the mean of each map: `(N, C, H, W)` → `(N, C)`. Each pixel gets
#   $1/(H\cdot W)$ of its map's gradient.
# - **Flatten** keeps all numbers: `(N, C, H, W)` → `(N, C·H·W)`, sample by sample. The gradient is put back into
#   the old shape, nothing else. (Our network will use GAP; LeNet, in lesson 05, flattens.)
#
# **Example.** `x` with maps `[[1, 3]]` and `[[5, 9]]`, shape `(1, 2, 1, 2)`: GAP gives `[[2, 7]]`, flatten
# `[[1, 3, 5, 9]]`. GAP's backward of `dy = [[4, 6]]` is `[[2, 2]]` and `[[3, 3]]`.

# %% nbgrader={"grade": false, "grade_id": "gap-flatten", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gap_forward(x):
    """Mean of each map of x (N, C, H, W); returns y (N, C), cache."""
    ### BEGIN SOLUTION
    return x.mean(axis=(2, 3)), x.shape
    ### END SOLUTION


def gap_backward(dy, cache):
    """Gradient for the input of gap_forward from dy (N, C); returns (N, C, H, W)."""
    ### BEGIN SOLUTION
    N, C, H, W = cache
    return np.broadcast_to(dy[:, :, None, None] / (H * W), cache).copy()
    ### END SOLUTION


def flatten_forward(x):
    """All numbers of each sample of x (N, C, H, W) in a row; returns y (N, C*H*W), cache."""
    ### BEGIN SOLUTION
    return x.reshape(len(x), -1), x.shape
    ### END SOLUTION


def flatten_backward(dy, cache):
    """Gradient for the input of flatten_forward; returns (N, C, H, W)."""
    ### BEGIN SOLUTION
    return dy.reshape(cache)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-gap", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Global average pooling, forward and backward
y, cache = gap_forward(np.array([[[[1.0, 3]], [[5, 9]]]]))
check_close(y, [[2, 7]], "GAP of the example")
check_close(gap_backward(np.array([[4.0, 6]]), cache), [[[[2, 2]], [[3, 3]]]], "dx of the example")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(428)
for shape in ((3, 2, 4, 5), (2, 3, 3, 3)):
    x, dy = rng.normal(size=shape), rng.normal(size=shape[:2])
    y, cache = gap_forward(x)
    want = [[np.mean(x[n, c]) for c in range(shape[1])] for n in range(shape[0])]
    check_close(y, want, f"GAP of {shape}", rtol=1e-4, atol=1e-5)
    want = np.einsum("nc,hw->nchw", dy, np.ones(shape[2:])) / (shape[2] * shape[3])
    check_close(gap_backward(dy, cache), want, f"dx of GAP on {shape}", rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-flatten", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Flatten keeps the samples apart, forward and backward
y, cache = flatten_forward(np.arange(12.0).reshape(2, 3, 1, 2))
check_close(y, np.arange(12.0).reshape(2, 6), "flatten of (2, 3, 1, 2)")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(429)
x, dy = rng.normal(size=(3, 2, 4, 5)), rng.normal(size=(3, 40))
y, cache = flatten_forward(x)
check_close(y, np.stack([sample.ravel() for sample in x]), "flatten of (3, 2, 4, 5)", rtol=1e-4)
want = np.stack([row.reshape(2, 4, 5) for row in dy])
check_close(flatten_backward(dy, cache), want, "dx of flatten on (3, 2, 4, 5)", rtol=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 14 · Linear
#
# $Y = XW^{\mathsf T} + b$ with `x` `(N, D)`, `w` `(K, D)`, `b` `(K,)`, as in lesson 03. You know the gradients; here
# they become a layer. (If you cannot recall where the transposes go: the shapes leave no choice.)
#
# **Example.** `x = [[1, 2]]`, `w = [[3, 4]]`, `b = [5]`: `y = [[16]]`. With `dy = [[2]]`: `dx = [[6, 8]]`,
# `dw = [[2, 4]]`, `db = [2]`.

# %% nbgrader={"grade": false, "grade_id": "linear", "locked": false, "schema_version": 3, "solution": true, "task": false}
def linear_forward(x, w, b):
    """x (N, D) times the transpose of w (K, D), plus b (K,); returns y (N, K), cache."""
    ### BEGIN SOLUTION
    return x @ w.T + b, (x, w)
    ### END SOLUTION


def linear_backward(dy, cache):
    """From dy (N, K) and the cache: dx (N, D), dw (K, D), db (K,)."""
    ### BEGIN SOLUTION
    x, w = cache
    return dy @ w, dy.T @ x, dy.sum(axis=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-linear", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Forward and all three gradients
y, cache = linear_forward(np.array([[1.0, 2]]), np.array([[3.0, 4]]), np.array([5.0]))
check_close(y, [[16]], "y of the example")
dx, dw, db = linear_backward(np.array([[2.0]]), cache)
check_close(dx, [[6, 8]], "dx of the example")
check_close(dw, [[2, 4]], "dw of the example")
check_close(db, [2], "db of the example")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(430)
for N, D, K in ((4, 3, 2), (3, 3, 3)):
    x, w, b, dy = (rng.normal(size=s) for s in ((N, D), (K, D), K, (N, K)))
    kept = x.copy(), w.copy(), dy.copy()
    y, cache = linear_forward(x, w, b)
    check_close(y, np.einsum("nd,kd->nk", x, w) + b, "y", rtol=1e-4, atol=1e-5)
    dx, dw, db = linear_backward(dy, cache)
    check_close(dx, np.einsum("nk,kd->nd", dy, w), "dx", rtol=1e-4, atol=1e-5)
    check_close(dw, np.einsum("nk,nd->kd", dy, x), "dw", rtol=1e-4, atol=1e-5)
    check_close(db, np.einsum("nk->k", dy), "db", rtol=1e-4, atol=1e-5)
    for array, before, name in zip((x, w, dy), kept, ("x", "w", "dy")):
        check_unchanged(array, before, name)
### END HIDDEN TESTS

# %% [markdown]
# ### BatchNorm, exactly
#
# A slide writes $\hat x = (x-\mu)/\sigma$, $y = \gamma\hat x + \beta$. To program it you must know more
# than that, and PyTorch's answers are these (they are **fixed** for this exercise):
#
# - **Which numbers share a mean?** In a convolutional net, all values of one channel: over samples, rows
#   and columns, $M = N\cdot H\cdot W$ of them. One $\mu$, $\sigma^2$, $\gamma$, $\beta$ per channel.
# - **$\varepsilon$** goes under the root: $\hat x = (x-\mu)/\sqrt{\sigma^2+\varepsilon}$.
# - **Training** normalises with the batch's own mean and **biased** variance (divide by $M$), and
#   meanwhile updates the running statistics with momentum $m$:
#   `running = (1 - m) · running + m · batch`. Into the running *variance* goes the **unbiased** batch
#   variance (divide by $M-1$).
# - **Evaluation** normalises with the running statistics, leaves them alone, and so treats each sample the
#   same whatever its neighbours are.
#
# The usual story is that this "reduces internal covariate shift". Measurements do not support it: networks with
# BatchNorm train about as well when a shift is injected behind it on purpose, and what BatchNorm changes is the
# smoothness of the loss (Santurkar et al. 2018). That it helps is not in dispute.
#
# #### Question · What BatchNorm learns
#
# BatchNorm on feature maps of shape `(8, 16, 10, 12)`. How many **learnable parameters** does it have?

# %% nbgrader={"grade": false, "grade_id": "q-bn-parameters", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_bn_parameters: a number
### BEGIN SOLUTION
q_bn_parameters = 32
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-bn-parameters", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Learnable parameters of BatchNorm on (8, 16, 10, 12)
check_number(q_bn_parameters, q_bn_parameters, "q_bn_parameters")
### BEGIN HIDDEN TESTS
check_number(q_bn_parameters, 32, "q_bn_parameters")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 15 · BatchNorm, forward
#
# Write it as a pure function: it returns the new running statistics and changes none of its arguments.
#
# **Example.** One channel with the values `[1, 3]` (`x` of shape `(2, 1, 1, 1)`), `gamma = [2]`, `beta = [10]`,
# running mean `[0]` and variance `[1]`, momentum 0.1: the batch has mean 2, biased variance 1,
# unbiased variance 2. So `y ≈ [8, 12]`, new running mean `0.9·0 + 0.1·2 = 0.2`, new running variance
# `0.9·1 + 0.1·2 = 1.1`.

# %% nbgrader={"grade": false, "grade_id": "batchnorm-forward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    """Normalise each channel of x (N, C, H, W); all other arrays are (C,).

    Returns y (N, C, H, W), the new running_mean and running_var, and a cache.
    """
    ### BEGIN SOLUTION
    M = x.size // x.shape[1]
    if train:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))  # (C,)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * var * M / (M - 1)
    else:
        mean, var = running_mean, running_var
    inverse = 1 / np.sqrt(var + eps)  # (C,)
    x_hat = (x - mean[:, None, None]) * inverse[:, None, None]  # (N, C, H, W)
    y = gamma[:, None, None] * x_hat + beta[:, None, None]
    return y, running_mean, running_var, (x_hat, inverse, gamma, train)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-batchnorm-train", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Training: batch statistics per channel, biased variance, eps under the root
x = np.array([1.0, 3]).reshape(2, 1, 1, 1)
y, mean, var, _ = batchnorm_forward(
    x, np.array([2.0]), np.array([10.0]), np.array([0.0]), np.array([1.0])
)
check_close(np.ravel(y), [8, 12], "y of the example", rtol=1e-4)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(431)
for shape, scale, eps in (((3, 2, 4, 5), 2.0, 1e-5), ((2, 3, 3, 3), 3e-3, 1e-5), ((4, 2, 2, 3), 0.3, 0.1)):
    C = shape[1]
    x = scale * rng.normal(size=shape) + rng.normal(size=(C, 1, 1))
    gamma, beta = rng.normal(size=C), rng.normal(size=C)
    mean, var = rng.normal(size=C), rng.uniform(1, 2, size=C)
    kept = [array.copy() for array in (x, gamma, beta, mean, var)]
    want = np.zeros(shape)
    for c in range(C):
        values = x[:, c]
        centred = values - values.sum() / values.size
        spread = np.sqrt((centred**2).sum() / values.size + eps)
        want[:, c] = gamma[c] * centred / spread + beta[c]
    y = batchnorm_forward(x, gamma, beta, mean, var, eps=eps)[0]
    check_close(y, want, f"y of {shape}, spread about {scale}, eps {eps}", rtol=1e-4, atol=1e-4)
    names = ("x", "gamma", "beta", "running_mean", "running_var")
    for array, before, name in zip((x, gamma, beta, mean, var), kept, names):
        check_unchanged(array, before, name)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-batchnorm-running", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The running statistics over a sequence of batches
x = np.array([1.0, 3]).reshape(2, 1, 1, 1)
_, mean, var, _ = batchnorm_forward(
    x, np.array([2.0]), np.array([10.0]), np.array([0.0]), np.array([1.0])
)
check_close(mean, [0.2], "running_mean of the example")
check_close(var, [1.1], "running_var of the example")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(432)
gamma, beta = rng.normal(size=3), rng.normal(size=3)
for momentum in (0.1, 0.3):
    mean, var = np.zeros(3), np.ones(3)
    want_mean, want_var = np.zeros(3), np.ones(3)
    for step, N in enumerate((2, 4, 3, 2)):
        x = rng.normal(size=(N, 3, 2, 3)) * (step + 1) + rng.normal(size=(3, 1, 1))
        _, mean, var, _ = batchnorm_forward(x, gamma, beta, mean, var, momentum=momentum)
        for c in range(3):
            values = x[:, c].ravel()
            centre = values.sum() / values.size
            unbiased = ((values - centre) ** 2).sum() / (values.size - 1)
            want_mean[c] = (1 - momentum) * want_mean[c] + momentum * centre
            want_var[c] = (1 - momentum) * want_var[c] + momentum * unbiased
        what = f"after {step + 1} batches, momentum {momentum}"
        check_close(mean, want_mean, f"running_mean {what}", rtol=1e-4, atol=1e-5)
        check_close(var, want_var, f"running_var {what}", rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-batchnorm-eval", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Evaluation: running statistics, left as they are
x = np.array([1.0, 3]).reshape(2, 1, 1, 1)
one = np.array([1.0])
y, mean, var, _ = batchnorm_forward(x, 2 * one, 10 * one, one, 4 * one, train=False)
check_close(np.ravel(y), [10, 12], "y with running mean 1 and variance 4", rtol=1e-4)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(433)
for shape, size in (((3, 2, 4, 5), 1.0), ((1, 3, 3, 3), 1e-5)):
    C = shape[1]
    x = 3 * rng.normal(size=shape) + 1
    gamma, beta = rng.normal(size=C), rng.normal(size=C)
    mean, var = rng.normal(size=C), size * rng.uniform(1, 2, size=C)
    kept = mean.copy(), var.copy()
    y, new_mean, new_var, _ = batchnorm_forward(x, gamma, beta, mean, var, train=False)
    want = np.stack(
        [gamma[c] * (x[:, c] - mean[c]) / np.sqrt(var[c] + 1e-5) + beta[c] for c in range(C)], axis=1
    )
    check_close(y, want, f"y of {shape} in evaluation", rtol=1e-4, atol=1e-5)
    check_close(new_mean, kept[0], "running_mean returned in evaluation", rtol=1e-6)
    check_close(new_var, kept[1], "running_var returned in evaluation", rtol=1e-6)
    check_unchanged(mean, kept[0], "running_mean")
    check_unchanged(var, kept[1], "running_var")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: could not broadcast (C,) with (N, C, H, W)</summary>
#
# NumPy lines up the *last* axes. `mean[:, None, None]` has shape `(C, 1, 1)` and lines up with `(N, C, H, W)`.
# </details>
#
# <details><summary>Help: nearly right, a little off</summary>
#
# Three suspects: $\varepsilon$ outside the root, variance where the standard deviation belongs (or the other
# way round), division by $M-1$ where $M$ belongs. Small batches show the last one best.
# </details>
#
# <details><summary>Help: the running variance is off by a few per cent</summary>
#
# `x.var()` divides by $M$. The buffer wants $M-1$ (`ddof=1`).
# </details>
#
# ### Three roads back
#
# In training $\mu$ and $\sigma^2$ are made **from the batch**. Change one pixel, and all others of its channel
# move too. So the gradient goes back to $x_i$ by three roads. With
# $\sigma = \sqrt{\sigma^2_\text{batch}+\varepsilon}$ and $g_i = \gamma\, dy_i$, the gradient that arrives at
# $\hat x_i$:
#
# | road | why | gradient at $x_i$ |
# |---|---|---|
# | direct | $\partial\hat x_i/\partial x_i = 1/\sigma$ | $g_i/\sigma$ |
# | through $\mu$ | all $\hat x_j$ feel it, $-1/\sigma$ each; $\partial\mu/\partial x_i = 1/M$ | ? |
# | through $\sigma^2_\text{batch}$ | all $\hat x_j$ feel it, $-\hat x_j/(2\sigma^2)$ each; $\partial\sigma^2_\text{batch}/\partial x_i = 2(x_i-\mu)/M$ | ? |
#
# Fill in the two question marks on paper; each is a sum over $j$.
#
# #### Question · Before you write it
#
# Training mode, random `dy`, any $\gamma$. What is the **sum of `dx` over one channel** (over samples, rows
# and columns)? You need no formula: what happens to the loss if the same small number is added to all values of
# the channel?

# %% nbgrader={"grade": false, "grade_id": "q-bn-dx-sum", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_bn_dx_sum: a number
### BEGIN SOLUTION
q_bn_dx_sum = 0
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-bn-dx-sum", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The sum of dx over one channel
check_number(q_bn_dx_sum, q_bn_dx_sum, "q_bn_dx_sum")
### BEGIN HIDDEN TESTS
check_number(q_bn_dx_sum, 0, "q_bn_dx_sum")
### END HIDDEN TESTS

# %% [markdown]
# ### The line of best fit
#
# The three roads together have a picture. Plot, for one channel, each value's gradient $g$ against its $\hat x$.
# **BatchNorm subtracts the straight line of best fit** (exactly so for $\varepsilon = 0$) and divides what is left by
# $\sigma$:

# %% jupyter={"source_hidden": true} tags=["illustration"]
rng = np.random.default_rng(3)
values = rng.normal(size=60)
values = (values - values.mean()) / values.std()
arriving = 0.8 + 0.9 * values + 0.6 * rng.normal(size=60)
line = np.polynomial.Polynomial.fit(values, arriving, 1)
figure, axes = plt.subplots(1, 2, figsize=(11, 3.8), sharey=True)
ends = np.array([-2.6, 2.6])
for axis, gradients, title in (
    (axes[0], arriving, "arriving at x̂: g = γ dy"),
    (axes[1], arriving - line(values), "leaving for x: σ dx = g minus its line of best fit"),
):
    axis.axhline(0, color="gray", linewidth=0.8)
    axis.scatter(values, gradients, s=18)
    fit = np.polynomial.Polynomial.fit(values, gradients, 1)
    axis.plot(ends, fit(ends), color="crimson", linewidth=2)
    axis.set(xlabel="x̂ of the pixel", title=title)
axes[0].set_ylabel("gradient")
figure.tight_layout()
plt.show()


# %% [markdown]
# Why a line? Adding a constant to a whole channel, or stretching it, changes nothing after BatchNorm. So the
# loss cannot want either: the part of the gradient that asks for a shift (its mean) and the part that
# asks for a stretch (its slope against $\hat x$) are removed.
#
# ### Exercise 16 · BatchNorm, backward
#
# Write `batchnorm_backward(dy, cache)` → `dx, dgamma, dbeta`. For one channel
# $d\beta = \sum dy$ and $d\gamma = \sum dy\,\hat x$, summed over samples, rows and columns.
#
# In **evaluation** mode $\mu$ and $\sigma^2$ are constants: only the direct road is open. Your cache must know
# which mode it came from. (Fine-tuning with frozen BatchNorm needs exactly this, lesson 12.)
#
# **Example.** The values `[1, 3]` with `gamma = [2]` again, `dy = [1, 0]`: `dbeta = [1]`, `dgamma ≈ [-1]`, and
# `dx ≈ [0, 0]` (two points always lie on a straight line, so nothing is left).

# %% nbgrader={"grade": false, "grade_id": "batchnorm-backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def batchnorm_backward(dy, cache):
    """From dy (N, C, H, W) and the cache: dx (N, C, H, W), dgamma (C,), dbeta (C,)."""
    ### BEGIN SOLUTION
    x_hat, inverse, gamma, train = cache
    M = dy.size // dy.shape[1]
    dgamma, dbeta = (dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))  # (C,)
    scale = (gamma * inverse)[:, None, None]
    if not train:
        return scale * dy, dgamma, dbeta
    line = dbeta[:, None, None] / M + x_hat * dgamma[:, None, None] / M  # best fit to dy
    return scale * (dy - line), dgamma, dbeta
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-batchnorm-backward-parameters", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# dgamma and dbeta
x, one = np.array([1.0, 3]).reshape(2, 1, 1, 1), np.array([1.0])
cache = batchnorm_forward(x, 2 * one, 10 * one, 0 * one, one)[3]
dx, dgamma, dbeta = batchnorm_backward(np.array([1.0, 0]).reshape(2, 1, 1, 1), cache)
check_close(dgamma, [-1], "dgamma of the example", rtol=1e-4)
check_close(dbeta, [1], "dbeta of the example")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(434)
for shape in ((3, 2, 4, 5), (2, 3, 3, 3)):
    C = shape[1]
    x, dy = 2 * rng.normal(size=shape) + 1, rng.normal(size=shape)
    before = dy.copy()
    gamma, beta = rng.normal(size=C), rng.normal(size=C)
    for train in (True, False):
        mean, var = rng.normal(size=C), rng.uniform(1, 2, size=C)
        cache = batchnorm_forward(x, gamma, beta, mean, var, train=train)[3]
        if train:
            mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3))
        x_hat = (x - mean.reshape(C, 1, 1)) / np.sqrt(var + 1e-5).reshape(C, 1, 1)
        dx, dgamma, dbeta = batchnorm_backward(dy, cache)
        what = f"of {shape} in {'training' if train else 'evaluation'}"
        want = np.einsum("nchw,nchw->c", dy, x_hat)
        check_close(dgamma, want, f"dgamma {what}", rtol=1e-4, atol=1e-5)
        check_close(dbeta, np.einsum("nchw->c", dy), f"dbeta {what}", rtol=1e-4, atol=1e-5)
        check_unchanged(dy, before, "dy")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-batchnorm-backward-dx", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# dx in training: all three roads
x, one = np.array([1.0, 3]).reshape(2, 1, 1, 1), np.array([1.0])
cache = batchnorm_forward(x, 2 * one, 10 * one, 0 * one, one)[3]
dx, dgamma, dbeta = batchnorm_backward(np.array([1.0, 0]).reshape(2, 1, 1, 1), cache)
check_close(np.ravel(dx), [0, 0], "dx of the example", atol=1e-4)
### BEGIN HIDDEN TESTS


def normalised(values, gamma, eps):
    """One channel in training mode, by the definition."""
    centred = values - values.sum() / values.size
    return gamma * centred / np.sqrt((centred**2).sum() / values.size + eps)


rng = np.random.default_rng(435)
for shape, scale, eps in (((3, 2, 2, 3), 2.0, 1e-5), ((2, 3, 2, 2), 0.5, 0.1)):
    C = shape[1]
    x, dy = scale * rng.normal(size=shape) + 1, rng.normal(size=shape)
    gamma, beta = rng.uniform(0.5, 2, size=C) * [1, -1, 1][:C], rng.normal(size=C)
    cache = batchnorm_forward(x, gamma, beta, np.zeros(C), np.ones(C), eps=eps)[3]
    want = np.stack(
        [
            numerical_gradient(lambda v, c=c: normalised(v, gamma[c], eps), x[:, c], dy[:, c])
            for c in range(C)
        ],
        axis=1,
    )
    dx = batchnorm_backward(dy, cache)[0]
    check_close(dx, want, f"dx of {shape} in training, eps {eps}", rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-batchnorm-backward-eval", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# dx in evaluation: mean and variance are constants
x, one = np.array([1.0, 3]).reshape(2, 1, 1, 1), np.array([1.0])
cache = batchnorm_forward(x, 2 * one, 10 * one, one, 4 * one, train=False)[3]
dx, dgamma, dbeta = batchnorm_backward(np.array([1.0, 0]).reshape(2, 1, 1, 1), cache)
check_close(np.ravel(dx), [1, 0], "dx with gamma 2 and running variance 4", rtol=1e-4, atol=1e-5)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(436)
x, dy = rng.normal(size=(3, 2, 4, 3)), rng.normal(size=(3, 2, 4, 3))
gamma, beta, mean = rng.normal(size=2), rng.normal(size=2), rng.normal(size=2)
var = rng.uniform(0.2, 3, size=2)
cache = batchnorm_forward(x, gamma, beta, mean, var, train=False)[3]
want = dy * (gamma / np.sqrt(var + 1e-5)).reshape(2, 1, 1)
check_close(batchnorm_backward(dy, cache)[0], want, "dx in evaluation", rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: dgamma and dbeta are right, dx is not</summary>
#
# Does `dx` sum to 0 over each channel? If not, the road through $\mu$ is missing, or a factor $1/M$ in it
# is. Does it sum to (nearly) 0 when multiplied by $\hat x$? If not, it is the road through $\sigma^2$. Does it
# do both and is still wrong? Then $\gamma$ or $1/\sigma$ is missing, or divided by the running
# variance.
# </details>
#
# <details><summary>Help: the two question marks</summary>
#
# Through $\mu$: $-\frac{1}{\sigma M}\sum_j g_j$. Through $\sigma^2$:
# $-\frac{\hat x_i}{\sigma M}\sum_j g_j\hat x_j$ (use $x_i-\mu = \sigma\hat x_i$). Both sums are ones you already
# have: up to $\gamma$ they are $d\beta$ and $d\gamma$.
# </details>
#
# ## Part 4 · A network
#
# ### Exercise 17 · A layer as a module
#
# Slides like to show backpropagation through layer $i$ as a box with two sides. On the way forward it takes $x$ and
# hands on $y$. On the way back it takes $\partial J/\partial y$, keeps $\partial J/\partial w$ for the
# optimizer, and hands on $\partial J/\partial x$. It never needs to know what the other layers are. That
# is the whole secret of backpropagation, and this is the box as a class:
#
# - `layer.params`: a dict of the arrays to be learned, such as `{"w": …, "b": …}`;
# - `layer.forward(x, train=True)` returns `y` and stores the cache on the layer;
# - `layer.backward(dy)` stores the gradients in `layer.grads`, under the names that `params` uses, and
#   returns `dx`. A second backward pass **replaces** the first one's gradients.
#
# Write `Conv2d` around `conv_forward` and `conv_backward`. A convolution does the same in training and
# evaluation, so it ignores `train`.
#
# **Example.** `layer = Conv2d(w, b, stride=2)`; `layer.forward(x)`; `dx = layer.backward(dz)`; now
# `layer.grads["w"]` has the shape of `w`.

# %% nbgrader={"grade": false, "grade_id": "conv-module", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Conv2d:
    """A convolution that keeps its parameters, its cache and its gradients."""

    def __init__(self, w, b, stride=1, padding=0):
        self.params = {"w": w, "b": b}
        self.grads = {}
        self.stride, self.padding = stride, padding

    def forward(self, x, train=True):
        """x (N, C, H, W) to z (N, F, OH, OW)."""
        ### BEGIN SOLUTION
        w, b = self.params["w"], self.params["b"]
        z, self.cache = conv_forward(x, w, b, self.stride, self.padding)
        return z
        ### END SOLUTION

    def backward(self, dz):
        """dz (N, F, OH, OW) to dx (N, C, H, W); fills grads["w"] and grads["b"]."""
        ### BEGIN SOLUTION
        dx, self.grads["w"], self.grads["b"] = conv_backward(dz, self.cache)
        return dx
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-conv-module", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# A layer with forward, backward and its own gradients
rng = np.random.default_rng(0)
layer = Conv2d(rng.normal(size=(3, 2, 3, 3)), rng.normal(size=3), stride=2)
check_shape(layer.forward(rng.normal(size=(2, 2, 5, 7))), (2, 3, 2, 3), "forward")
check_shape(layer.backward(rng.normal(size=(2, 3, 2, 3))), (2, 2, 5, 7), "backward")
check_shape(layer.grads["w"], (3, 2, 3, 3), 'grads["w"]')
check_shape(layer.grads["b"], (3,), 'grads["b"]')
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(437)
w, b = rng.normal(size=(4, 2, 3, 2)), rng.normal(size=4)
other = Conv2d(rng.normal(size=(1, 2, 2, 2)), np.zeros(1))
layer = Conv2d(w, b, stride=2, padding=1)
for N, H, W in ((3, 4, 5), (2, 5, 6)):
    x = rng.normal(size=(N, 2, H, W))
    OH, OW = (H - 1) // 2 + 1, W // 2 + 1
    dz = rng.normal(size=(N, 4, OH, OW))
    wide = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    want_dw, want_dx = np.zeros(w.shape), np.zeros(wide.shape)
    for n, f, i, j in np.ndindex(dz.shape):
        want_dw[f] += dz[n, f, i, j] * wide[n, :, 2 * i : 2 * i + 3, 2 * j : 2 * j + 2]
        want_dx[n, :, 2 * i : 2 * i + 3, 2 * j : 2 * j + 2] += dz[n, f, i, j] * w[f]
    z = layer.forward(x, train=False)
    other.forward(x)  # another layer's forward pass must not disturb this one
    check_close(z, conv2d_forward(x, w, b, 2, 1), "forward", rtol=1e-4, atol=1e-5)
    dx = layer.backward(dz)
    check_close(dx, want_dx[:, :, 1:-1, 1:-1], "backward", rtol=1e-4, atol=1e-5)
    check_close(layer.grads["w"], want_dw, 'grads["w"]', rtol=1e-4, atol=1e-5)
    check_close(layer.grads["b"], np.einsum("nfij->f", dz), 'grads["b"]', rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# The other layers are the same three lines around your other pairs. They are given; read `BatchNorm2d`,
# the only one with a memory of its own.

# %% nbgrader={"grade": false, "grade_id": "other-modules", "locked": true, "schema_version": 3, "solution": false, "task": false}
class BatchNorm2d:
    """Your BatchNorm; the running statistics are buffers: kept, but not learned."""

    def __init__(self, channels):
        zeros, ones = np.zeros(channels, np.float32), np.ones(channels, np.float32)
        self.params = {"gamma": ones, "beta": zeros}
        self.buffers = {"mean": zeros, "var": ones}
        self.grads = {}

    def forward(self, x, train=True):
        gamma, beta = self.params["gamma"], self.params["beta"]
        mean, var = self.buffers["mean"], self.buffers["var"]
        y, mean, var, self.cache = batchnorm_forward(x, gamma, beta, mean, var, train)
        self.buffers = {"mean": mean, "var": var}
        return y

    def backward(self, dy):
        dx, self.grads["gamma"], self.grads["beta"] = batchnorm_backward(dy, self.cache)
        return dx


class Linear:
    """Your linear layer."""

    def __init__(self, w, b):
        self.params, self.grads = {"w": w, "b": b}, {}

    def forward(self, x, train=True):
        y, self.cache = linear_forward(x, self.params["w"], self.params["b"])
        return y

    def backward(self, dy):
        dx, self.grads["w"], self.grads["b"] = linear_backward(dy, self.cache)
        return dx


class ReLU:
    """Your ReLU."""

    def __init__(self):
        self.params, self.grads = {}, {}

    def forward(self, x, train=True):
        y, self.cache = relu_forward(x)
        return y

    def backward(self, dy):
        return relu_backward(dy, self.cache)


class MaxPool2d:
    """Your max pooling, windows side by side."""

    def __init__(self, size):
        self.params, self.grads, self.size = {}, {}, size

    def forward(self, x, train=True):
        y, self.cache = max_pool_forward(x, (self.size, self.size), self.size)
        return y

    def backward(self, dy):
        return max_pool_backward(dy, self.cache)


class GlobalAvgPool:
    """Your global average pooling."""

    def __init__(self):
        self.params, self.grads = {}, {}

    def forward(self, x, train=True):
        y, self.cache = gap_forward(x)
        return y

    def backward(self, dy):
        return gap_backward(dy, self.cache)


# %% [markdown]
# ### Exercise 18 · Backpropagation is a loop run backwards
#
# `Sequential(layers)` is a layer made of layers. Forward: the output of one is the input of the next, and
# every one is told whether it is training. Backward: the same list, **from the end**; each layer's `dx` is the
# upstream gradient of the one before it. This is the chain rule, all of it. (`@in_submission` in the tests
# from here on tells the grader to run a helper beside your layers; to you it changes nothing.)

# %% nbgrader={"grade": false, "grade_id": "sequential", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Sequential:
    """Layers one after the other; itself a layer."""

    def __init__(self, layers):
        self.layers = layers

    def forward(self, x, train=True):
        """Through all layers, first to last; returns the last one's output."""
        ### BEGIN SOLUTION
        for layer in self.layers:
            x = layer.forward(x, train)
        return x
        ### END SOLUTION

    def backward(self, dy):
        """Through all layers, last to first; returns the gradient for the first one's input."""
        ### BEGIN SOLUTION
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy
        ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-sequential", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Forward in order, backward in reverse order, and everybody knows the mode


@in_submission
def through_toy_layers(make_network, x, dy):
    """Run a network of three toy layers twice; returns outputs, gradients and who was called."""
    calls = []

    class Toy:
        def __init__(self, name, function, derivative):
            self.name, self.function, self.derivative = name, function, derivative

        def forward(self, x, train=True):
            calls.append((self.name, "forward", bool(train)))
            self.x = x
            return self.function(x)

        def backward(self, dy):
            calls.append((self.name, "backward"))
            return dy * self.derivative(self.x)

    network = make_network(
        [
            Toy("double", lambda v: 2 * v, lambda v: 2),
            Toy("add one", lambda v: v + 1, lambda v: 1),
            Toy("square", lambda v: v * v, lambda v: 2 * v),
        ]
    )
    y = network.forward(x)
    dx = network.backward(dy)
    still = network.forward(x, train=False)
    network.backward(dy)
    return y, dx, still, calls


y, dx, still, calls = through_toy_layers(Sequential, np.array([1.0, -2.0]), np.array([1.0, 10.0]))
check_close(y, [9, 9], "(2x + 1)² at 1 and -2")
check_close(dx, [12, -120], "its gradient, times [1, 10]")
### BEGIN HIDDEN TESTS
calls = [tuple(call) for call in calls]
names = ["double", "add one", "square"]
there, back = calls[:3], calls[3:6]
assert there == [(name, "forward", True) for name in names], "forward: each layer once, in order"
assert back == [(name, "backward") for name in names[::-1]], "backward: each layer once, last first"
evaluated = calls[6:9]
asked = [(name, "forward", False) for name in names]
assert evaluated == asked, "forward with train=False: every layer should be told train=False"
x, dy = np.random.default_rng(438).normal(size=(2, 3, 4))
y, dx, still, calls = through_toy_layers(Sequential, x, dy)
check_close(y, (2 * x + 1) ** 2, "the output of the toy network", rtol=1e-4, atol=1e-5)
check_close(still, (2 * x + 1) ** 2, "its output with train=False", rtol=1e-4, atol=1e-5)
check_close(dx, 4 * dy * (2 * x + 1), "the gradient of the toy network", rtol=1e-4, atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# ### The digits
#
# The data: 1,797 handwritten digits of 8 × 8 pixels that scikit-learn ships. 1,437 train, 360 test, split
# at random but always the same way. Nobody looks at the test images while choosing anything.

# %% nbgrader={"grade": false, "grade_id": "digits", "locked": true, "schema_version": 3, "solution": false, "task": false}
images, labels = digits()
order = np.random.default_rng(0).permutation(len(labels))
x_train, y_train = images[order[:1437]].astype(np.float32), labels[order[:1437]]
x_test, y_test = images[order[1437:]].astype(np.float32), labels[order[1437:]]

# %% jupyter={"source_hidden": true} tags=["illustration"]
show_images(x_train[:12, 0], [str(digit) for digit in y_train[:12]], size=1.0)
plt.show()


# %% [markdown]
# The network, for input `(N, 1, 8, 8)`:
#
# | layer | output | parameters |
# |---|---|---|
# | `Conv2d`, 16 filters 5 × 5, padding 2 | `(N, 16, 8, 8)` | 416 |
# | `BatchNorm2d(16)` | `(N, 16, 8, 8)` | 32 |
# | `ReLU` | `(N, 16, 8, 8)` | |
# | `MaxPool2d(2)` | `(N, 16, 4, 4)` | |
# | `Conv2d`, 32 filters 3 × 3, padding 1 | `(N, 32, 4, 4)` | 4,640 |
# | `ReLU` | `(N, 32, 4, 4)` | |
# | `GlobalAvgPool` | `(N, 32)` | |
# | `Linear`, 10 outputs | `(N, 10)`: the logits | 330 |
# | | | together 5,418 |
#
# Some slides train image by image on the squared error of probabilities. That works badly, because a
# squared error behind a softmax goes flat just where the network is most wrong. We use what everybody uses:
# the **mean softmax cross-entropy of a mini-batch** and SGD with momentum, both from lesson 03.

# %% nbgrader={"grade": false, "grade_id": "loss-and-step", "locked": true, "schema_version": 3, "solution": false, "task": false}
def softmax_cross_entropy(logits, labels):
    """Mean cross-entropy of logits (N, K) and labels (N,), and its gradient (N, K)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))  # (N, K)
    rows = np.arange(len(labels))
    gradient = np.exp(log_p)
    gradient[rows, labels] -= 1
    return float(-log_p[rows, labels].mean()), gradient / len(labels)


def sgd_step(network, velocity, lr, momentum=0.9):
    """One step for every parameter; velocity is a dict that starts empty and is kept by you."""
    for number, layer in enumerate(network.layers):
        for name, gradient in layer.grads.items():
            v = momentum * velocity.get((number, name), 0) + gradient
            velocity[number, name] = v
            layer.params[name] = layer.params[name] - lr * v


# %% [markdown]
# #### Question · The first loss
#
# A network that has learned nothing should give all ten digits about the same probability. What mean
# cross-entropy (natural logarithm) do you expect **before the first step**? To three digits.

# %% nbgrader={"grade": false, "grade_id": "q-first-loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_first_loss: a number, the mean cross-entropy of ten equal probabilities
### BEGIN SOLUTION
q_first_loss = 2.303
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-first-loss", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The loss before the first step
check_number(q_first_loss, q_first_loss, "q_first_loss")
### BEGIN HIDDEN TESTS
check_number(q_first_loss, np.log(10), "q_first_loss", rtol=0.003)
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 19 · Read digits: the network
#
# Write `make_cnn(seed)`, which returns the `Sequential` of the table with random weights:
#
# - weights of a convolution: normal with standard deviation $\sqrt{2/(C\cdot KH\cdot KW)}$ (He's rule for ReLU:
#   it keeps the signal's size from layer to layer; lesson 05 comes back to it). Not zeros: filters that start
#   equal stay equal;
# - weights of the linear layer, shape `(10, 32)`: normal with standard deviation 0.01, so that the first loss
#   is what you predicted;
# - biases: zero. `float32` arrays train faster than `float64`; both are fine.

# %% nbgrader={"grade": false, "grade_id": "make-cnn", "locked": false, "schema_version": 3, "solution": true, "task": false}
def make_cnn(seed):
    """The network of the table, a Sequential of eight layers, with random weights."""
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)

    def normal(std, *shape):
        return (std * rng.normal(size=shape)).astype(np.float32)

    return Sequential(
        [
            Conv2d(normal((2 / 25) ** 0.5, 16, 1, 5, 5), np.zeros(16, np.float32), padding=2),
            BatchNorm2d(16),
            ReLU(),
            MaxPool2d(2),
            Conv2d(normal((2 / 144) ** 0.5, 32, 16, 3, 3), np.zeros(32, np.float32), padding=1),
            ReLU(),
            GlobalAvgPool(),
            Linear(normal(0.01, 10, 32), np.zeros(10, np.float32)),
        ]
    )
    ### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-network-forward", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The network of the table: its parameters, its first loss, its logits


@in_submission
def logits_of_network(make_cnn, images, shift, seed):
    """Parameters and logits of a new network, and again with shifted parameters."""
    import numpy as np

    rng = np.random.default_rng(seed)
    network = make_cnn(seed)
    at_birth = [
        [name, np.array(layer.params[name])]
        for layer in network.layers
        for name in sorted(layer.params)
    ]
    first = np.array(network.forward(images))
    for layer in network.layers:
        for name in sorted(layer.params):
            start = np.asarray(layer.params[name], dtype=np.float64)
            layer.params[name] = start + shift * rng.normal(size=start.shape)
    now = [np.array(layer.params[name]) for layer in network.layers for name in sorted(layer.params)]
    return at_birth, first, now, np.array(network.forward(images))


at_birth, first, now, logits = logits_of_network(make_cnn, x_train[:32], 0.0, 3)
check_number(sum(array.size for _, array in at_birth), 5418, "the number of parameters")
check_shape(first, (32, 10), "the logits of 32 images")
spread = first - first.max(axis=1, keepdims=True)
loss = np.log(np.exp(spread).sum(axis=1)) - spread[np.arange(32), y_train[:32]]
assert 2.0 < loss.mean() < 2.6, f"the first loss is {loss.mean():.2f}: not near ln 10"
### BEGIN HIDDEN TESTS
names = [name for name, _ in at_birth]
assert names == ["b", "w", "beta", "gamma", "b", "w", "b", "w"], "layers in the order of the table?"
sizes = [array.shape for _, array in at_birth]
asked = [(16,), (16, 1, 5, 5), (16,), (16,), (32,), (32, 16, 3, 3), (10,), (10, 32)]
assert sizes == asked, "the parameters should have the shapes of the table"
# The more weights, the nearer their standard deviation has to be: five standard errors are left.
for number, rule, room, where in (
    (1, (2 / 25) ** 0.5, 0.18, "first convolution's"),
    (5, (2 / 144) ** 0.5, 0.06, "second convolution's"),
    (7, 0.01, 0.2, "linear layer's"),
):
    bias, weights = at_birth[number - 1][1], at_birth[number][1]
    std = float(np.std(weights))
    assert abs(std / rule - 1) < room, f"the {where} weights have standard deviation {std:.3f}"
    check_close(bias, np.zeros(bias.shape), f"the {where} biases before training", atol=1e-6)
x = np.random.default_rng(440).normal(size=(6, 1, 8, 8))
at_birth, first, now, logits = logits_of_network(make_cnn, x, 0.3, 4)
b1, w1, beta, gamma, b2, w2, b3, w3 = now


def slide(x, w, b, padding):
    """A convolution of stride 1, by its definition."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    return np.einsum("ncijkl,fckl->nfij", windows, w) + b[:, None, None]


h = slide(x, w1, b1, 2)
h = h - h.mean(axis=(0, 2, 3), keepdims=True)
h = h / np.sqrt((h**2).mean(axis=(0, 2, 3), keepdims=True) + 1e-5)
h = np.maximum(gamma[:, None, None] * h + beta[:, None, None], 0)
h = h.reshape(6, 16, 4, 2, 4, 2).max(axis=(3, 5))
h = np.maximum(slide(h, w2, b2, 1), 0).mean(axis=(2, 3))
check_close(logits, h @ w3.T + b3, "the logits of the network", rtol=1e-3, atol=1e-3)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-network-gradient", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Every gradient of the whole network against a numerical one


@in_submission
def slopes_of_network(make_cnn, images, labels, seed):
    """For each parameter, along a random direction: backward's slope of the loss, and the measured one."""
    import numpy as np

    def loss_and_gradient(logits):
        logits = np.asarray(logits, dtype=np.float64)
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        rows = np.arange(len(labels))
        loss = -np.log(p[rows, labels]).mean()
        p[rows, labels] -= 1
        return loss, p / len(labels)

    rng = np.random.default_rng(seed)
    network = make_cnn(3)
    for layer in network.layers:
        for name in sorted(layer.params):
            start = np.asarray(layer.params[name], dtype=np.float64)
            layer.params[name] = start + 0.1 * rng.normal(size=start.shape)
    network.backward(loss_and_gradient(network.forward(images))[1])
    slopes = []
    for layer in network.layers:
        for name in sorted(layer.params):
            start, step = layer.params[name], 1e-6
            direction = rng.normal(size=start.shape)
            claimed = float(np.sum(np.asarray(layer.grads[name]) * direction))
            layer.params[name] = start + step * direction
            above = loss_and_gradient(network.forward(images))[0]
            layer.params[name] = start - step * direction
            below = loss_and_gradient(network.forward(images))[0]
            layer.params[name] = start
            what = f"{name} {start.shape} of {type(layer).__name__}"
            slopes.append([what, claimed, float(above - below) / (2 * step)])
    return slopes


for what, claimed, measured in slopes_of_network(make_cnn, x_train[:8].astype(float), y_train[:8], 0):
    print(f"{what:32s} backward {claimed:9.5f}   measured {measured:9.5f}")
### BEGIN HIDDEN TESTS
x = np.random.default_rng(439).normal(size=(6, 1, 8, 8))
for what, claimed, measured in slopes_of_network(make_cnn, x, np.arange(6), 1):
    check_close(claimed, measured, f"backward's slope for {what}", rtol=1e-3, atol=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: one of the gradients is wrong</summary>
#
# The printout goes from the first layer to the last; read it from the bottom. The wrong one nearest to the
# *output* shows where the fault is, in that layer's backward or in one behind it that has no parameters; those
# above it are wrong only because the chain passes the fault on. If all are off by the same factor, look for a
# second division by the batch size.
# </details>
#
# <details><summary>Help: AttributeError or KeyError in the test</summary>
#
# The test reads `network.layers`, `layer.params` and `layer.grads`. Use the given modules and your `Conv2d`.
# </details>
#
# ### Exercise 20 · Read digits: training
#
# `train(network, x, y, epochs, lr, momentum, batch, seed)` returns the list of losses, one a step. In every epoch
# shuffle the samples, then for each mini-batch: forward, loss and its gradient, backward, `sgd_step`. (Leave
# out a last, incomplete batch, or keep it: both are fine.) Let the learning rate fall in a straight line from `lr`
# at the first step to 0 after the last: near the end, small steps settle what large ones found.
#
# `predict(network, x)` returns one digit an image, `(N,)`: the largest logit, in **evaluation** mode. The
# answer for an image must not depend on what else is in the array.

# %% nbgrader={"grade": false, "grade_id": "train", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train(network, x, y, epochs=20, lr=0.1, momentum=0.9, batch=64, seed=0):
    """Train by SGD on images x (N, 1, 8, 8) and labels y (N,); returns the losses, one a step."""
    ### BEGIN SOLUTION
    rng = np.random.default_rng(seed)
    steps = epochs * (len(x) // batch)
    losses, velocity = [], {}
    for _ in range(epochs):
        shuffled = rng.permutation(len(x))
        for start in range(0, len(x) - batch + 1, batch):
            chosen = shuffled[start : start + batch]
            logits = network.forward(x[chosen], train=True)
            loss, dlogits = softmax_cross_entropy(logits, y[chosen])
            network.backward(dlogits)
            sgd_step(network, velocity, lr * (1 - len(losses) / steps), momentum)
            losses.append(loss)
    return losses
    ### END SOLUTION


def predict(network, x):
    """The digit that the network reads in each image of x (N, 1, 8, 8); returns (N,)."""
    ### BEGIN SOLUTION
    return network.forward(x, train=False).argmax(axis=1)
    ### END SOLUTION


# %% [markdown]
# Now train. Make `network = make_cnn(seed)` and `losses = train(network, x_train, y_train, …)`. The
# defaults in the signature are a good start; other settings are welcome. **Goal: at least 95% of the test
# images right**, and of each digit at least 70%. The test below reads the digits again with your `predict`,
# it does not take your word.

# %% nbgrader={"grade": false, "grade_id": "run-training", "locked": false, "schema_version": 3, "solution": true, "task": false}
# network: a trained network; losses: its losses, one a step
start = time.perf_counter()
### BEGIN SOLUTION
network = make_cnn(seed)
losses = train(network, x_train, y_train)
### END SOLUTION
seconds = time.perf_counter() - start

# %% nbgrader={"grade": true, "grade_id": "test-train-steps", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Every step: a new batch of shuffled images with their labels, and a rate that falls to 0


@in_submission
def notes_of_training(train, count, settings):
    """What a network that only takes notes sees: images of each step, modes, its weight; the losses."""
    import numpy as np

    class Notes:
        def __init__(self):
            self.params, self.grads, self.layers = {"w": np.zeros(1)}, {}, [self]
            self.seen, self.modes, self.weights = [], [], []

        def forward(self, x, train=True):
            which = np.asarray(x)[:, 0, 0, 0].round().astype(int)
            self.seen.append(which.tolist())
            self.modes.append(bool(train))
            self.weights.append(float(self.params["w"][0]))
            return 30.0 * np.eye(10)[which % 10]  # sure of the right digit

        def backward(self, dlogits):
            self.grads["w"] = np.ones(1)
            return dlogits

    images = np.zeros((count, 1, 8, 8))
    images[:, 0, 0, 0] = np.arange(count)
    notes = Notes()
    losses = train(notes, images, np.arange(count) % 10, **settings)
    weights = [*notes.weights, float(notes.params["w"][0])]
    return notes.seen, notes.modes, weights, [float(loss) for loss in losses]


settings = {"epochs": 3, "lr": 0.4, "momentum": 0.0, "batch": 6, "seed": 1}
seen, modes, weights, losses_seen = notes_of_training(train, 24, settings)
check_shape(losses_seen, (12,), "the losses of 3 epochs, 24 images, batches of 6")
check_close(weights[1], -0.4, "a weight with gradient 1 after the first step, rate 0.4")
### BEGIN HIDDEN TESTS
assert all(modes), "the network should be told that it is training"
assert max(losses_seen) < 0.01, "images and labels should be shuffled by the same order"
epochs = [sum(seen[i : i + 4], []) for i in (0, 4, 8)]
for order in epochs:
    assert sorted(order) == list(range(24)), "every image should come once an epoch"
assert epochs[0] != epochs[1] != epochs[2], "every epoch should shuffle anew"
assert notes_of_training(train, 24, settings)[0] == seen, "the same seed should give the same batches"
other = notes_of_training(train, 24, settings | {"seed": 2})[0]
assert other != seen, "another seed should give other batches"
for count, momentum in ((24, 0.5), (26, 0.0), (23, 0.7)):
    case = settings | {"momentum": momentum}
    seen, modes, weights, losses_seen = notes_of_training(train, count, case)
    steps, what = len(seen), f"{count} images in batches of 6"
    assert len(losses_seen) == steps, f"one loss a step is asked, {what}"
    assert steps in (3 * (count // 6), 3 * -(-count // 6)), f"{steps} steps in 3 epochs, {what}"
    assert max(map(len, seen)) <= 6, f"a batch of {max(map(len, seen))}, {what}"
    velocity, want = 0.0, [0.0]
    for step in range(steps):
        velocity = momentum * velocity + 1
        want.append(want[-1] - 0.4 * (1 - step / steps) * velocity)
    check_close(weights, want, f"a weight with gradient 1, step by step, {what}, momentum {momentum}")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-accuracy", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# At least 95% of the test images are read right, and the loss fell
held_out = np.random.default_rng(0).permutation(1797)[1437:]
pictures, truth = (array[held_out] for array in digits())
read = np.asarray(predict(network, pictures.astype(np.float32)))
check_shape(read, (360,), "predict of the test images")
right = float(np.mean(read == truth))
assert right >= 0.95, f"{right:.1%} of the test images are right; at least 95% are asked"
check_shape(losses, (len(losses),), "losses")
assert len(losses) >= 20, f"{len(losses)} losses are too few to train on: one a step is asked"
early, late = float(np.mean(losses[:3])), float(np.mean(losses[-20:]))
assert late < 0.3 * early, f"the loss went from {early:.2f} to {late:.2f}: it should fall to a third"
### BEGIN HIDDEN TESTS
counts = np.bincount(read.astype(int), minlength=10)
assert len(counts) == 10 and counts.min() >= 15, "every digit should be among the answers"
for digit in range(10):
    recall = float(np.mean(read[truth == digit] == digit))
    assert recall >= 0.7, f"of the {digit}s among the test images, {recall:.0%} are read right"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-predict-alone", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The answer for an image does not depend on its neighbours
held_out = np.random.default_rng(0).permutation(1797)[1437:]
pictures = digits()[0][held_out].astype(np.float32)
together = np.asarray(predict(network, pictures[:20]))
check_shape(together, (20,), "predict of 20 images")
### BEGIN HIDDEN TESTS
alone = [int(np.asarray(predict(network, pictures[i : i + 1])).item()) for i in range(40)]
together = np.asarray(predict(network, pictures[:40]))
same = int(np.sum(together == np.array(alone)))
assert same == 40, f"{40 - same} of 40 images are read differently alone and among others"
upside = np.concatenate([pictures[:40], 5 - 5 * pictures[:40]])
same = int(np.sum(np.asarray(predict(network, upside))[:40] == together))
assert same == 40, f"{40 - same} of 40 images are read differently when negatives stand beside them"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: the loss stays at 2.3</summary>
#
# Is there a call of `backward` before `sgd_step`? Are images and labels shuffled by the *same* order? Did the
# gradient test above pass?
# </details>
#
# <details><summary>Help: the loss jumps about, or becomes nan</summary>
#
# The step is too long. Is the gradient that of the *mean* loss (as `softmax_cross_entropy` returns it)? Is the
# velocity one dict for the whole training, not a new one every step? Try a third of the learning rate.
# </details>
#
# <details><summary>Help: the loss is tiny, and the accuracy is poor</summary>
#
# `predict` with `train=True` normalises with the batch it happens to see, and moves the running statistics on
# top. If `predict` is right, are the running statistics (exercise 15)?
# </details>
#
# What it learned. Left, the loss of every step and the prediction you made for the first one. Right, the 16
# filters of the first layer, as they were born and as they are now.

# %%
accuracy = np.mean(predict(network, x_test) == y_test)
print(f"test accuracy {accuracy:.3f} (n = {len(y_test)}, one training, seed {seed})")
print(f"training {seconds:.1f} s on {platform.machine()}, NumPy {np.__version__}")
figure = plt.figure(figsize=(13, 3.9))
left, middle, right = figure.add_gridspec(1, 3, width_ratios=[1.5, 1, 1])
axis = figure.add_subplot(left)
axis.semilogy(losses, linewidth=0.8)
axis.axhline(q_first_loss, color="crimson", linestyle="--", label="your prediction for step 0")
axis.set(xlabel="step", ylabel="cross-entropy of the mini-batch")
axis.legend()
for cell, net, title in ((middle, make_cnn(seed), "at birth"), (right, network, "trained")):
    filters = np.asarray(net.layers[0].params["w"])[:, 0]  # (16, 5, 5)
    sheet = np.full((23, 23), np.nan)
    for number, kernel in enumerate(filters):
        row, column = 6 * (number // 4), 6 * (number % 4)
        sheet[row : row + 5, column : column + 5] = kernel / np.abs(kernel).max()
    axis = figure.add_subplot(cell)
    axis.imshow(sheet, cmap="RdBu_r", vmin=-1, vmax=1)
    axis.set_title(f"first-layer filters, {title}", fontsize=10)
    axis.axis("off")
plt.show()

# %% [markdown]
# Over ten seeds of this training the reference solution reads 97.8% to 99.2% of the 360 test images right (mean
# 98.5%), in 1.2 s each, on one core of an AMD EPYC. One image is 0.3 points, so do not read much into the
# last digit.
#
# The filters are no textbook edges. Training moved them by about three quarters of their length, a bar and a
# slope can be made out here and there, but 25 weights on 8 × 8 pixels have little to show, and the network does
# not mind. What the filters *do* is easier to see: below, one digit behind the first ReLU, in all 16 maps. Then
# the mistakes that are left.

# %% jupyter={"source_hidden": true} tags=["illustration"]
shown = x_test[:1]
for layer in network.layers[:3]:
    shown = layer.forward(shown, train=False)  # (1, 16, 8, 8)
show_images([x_test[0, 0], *shown[0]], ["the digit", *(f"map {m}" for m in range(16))], size=0.9)
plt.show()
read = predict(network, x_test)
missed = np.flatnonzero(read != y_test)
if len(missed):
    captions = [f"is {y_test[i]}, read as {read[i]}" for i in missed[:8]]
    show_images(x_test[missed[:8], 0], captions, size=1.5)
    plt.show()
slopes = network.layers[0].grads
print(f"last step, first layer: largest |dw| {np.abs(slopes['w']).max():.1e}, ", end="")
print(f"largest |db| {np.abs(slopes['b']).max():.1e}")

# %% [markdown]
# The last line is your prediction before exercise 16 come true. The first convolution's bias stands right
# before BatchNorm, which removes whatever constant it adds. Its gradient is the sum of BatchNorm's `dx`: zero,
# up to rounding. That is why real networks leave out the bias of a convolution before BatchNorm.
#
# ## Part 5 · Why it is fast
#
# Loops and `im2col` do the same multiplications, on the same machine, to the same result. Why is one hundreds of
# times slower? Part of it is Python, which spends about a microsecond on every line before NumPy does any
# arithmetic. The other part would remain in any language: **how much arithmetic is done with every byte
# that is fetched** from memory, the *arithmetic intensity*, in FLOPs per byte. A core can multiply and add far
# faster than memory can deliver, so what counts is to use each number often once it has arrived.
#
# Take 16 channels of 28 × 28, 32 filters 3 × 3, padding 1, float32 (4 bytes a number). A window has
# $16\cdot 9 = 144$ numbers; one image needs $32\cdot 784\cdot 144 = 3.6$ million MACs, and a MAC is 2 FLOPs.
#
# - **One dot product at a time** (the loops): 144 MACs = 288 FLOPs, for 144 numbers of the window, 144 of the
#   filter and 1 result: $4\cdot 289 = 1156$ bytes. Intensity $288/1156 = 0.25$ FLOPs per byte. Every
#   number is fetched, used once, forgotten.
# - **One matrix product for the image** (`im2col`): $(32\times144)\cdot(144\times784)$. The same MACs, but
#   every filter meets every window while both are at hand.
#
# #### Question · Arithmetic intensity
#
# If each of the three matrices (filters, columns, result) crosses from or to memory **exactly once**, what is the
# arithmetic intensity of that matrix product, in FLOPs per byte? (Within 2%.)

# %% nbgrader={"grade": false, "grade_id": "q-intensity", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_intensity: a number, FLOPs per byte
### BEGIN SOLUTION
q_intensity = 12.7
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-intensity", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# FLOPs per byte of the matrix product
check_number(q_intensity, q_intensity, "q_intensity")
### BEGIN HIDDEN TESTS
numbers = 32 * 144 + 144 * 784 + 32 * 784
check_number(q_intensity, 2 * 32 * 144 * 784 / (4 * numbers), "q_intensity", rtol=0.02)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help: half, double, or four times too much</summary>
#
# FLOPs are 2 per MAC. A float32 is 4 bytes. All three matrices count, not only the two that are read.
# </details>
#
# Now the race: the same batch of 32 such images, the same result, one thread each. The loops run on a single image
# and are compared per image. Times differ from machine to machine; the *ratios*, taken in one run, tell the
# story.

# %% jupyter={"source_hidden": true} tags=["illustration"]
from contextlib import nullcontext

try:
    from threadpoolctl import threadpool_limits

    one_thread = threadpool_limits(1)
except ImportError:
    one_thread = nullcontext()
try:
    import torch
except ImportError:
    torch = None
    print("PyTorch is not here: the race runs without it.")


def best_time(function, repeats):
    """Seconds of the fastest of some runs: the one that was disturbed least."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return min(times)


rng = np.random.default_rng(seed)
repeats = 3 if quick else 20
np.ones(3_900_000)  # freed at once: from here on Linux keeps large blocks ready, fair to everybody
batch = rng.normal(size=(32, 16, 28, 28)).astype(np.float32)
w = rng.normal(size=(32, 16, 3, 3)).astype(np.float32)
b = rng.normal(size=32).astype(np.float32)
race = {}
with one_thread:
    race["loops"] = best_time(lambda: conv2d_forward(batch[:1], w, b, 1, 1), 1)
    race["im2col"] = best_time(lambda: conv_forward(batch, w, b, 1, 1), repeats) / 32
    columns, rows = im2col(batch, 3, 3, 1, 1), w.reshape(32, -1)
    at_once = best_time(lambda: rows @ im2col(batch, 3, 3, 1, 1) + b[:, None], repeats) / 32
    race["im2col, all 32 at once"] = at_once
    race["its matrix product"] = best_time(lambda: rows @ columns, repeats) / 32
if torch is not None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    tensors = [torch.from_numpy(array) for array in (batch, w, b)]
    with torch.no_grad():
        torch_conv = torch.nn.functional.conv2d
        race["PyTorch"] = best_time(lambda: torch_conv(*tensors, padding=1), repeats) / 32
        gap = np.abs(torch_conv(*tensors, padding=1).numpy() - conv_forward(batch, w, b, 1, 1)[0])
    torch.set_num_threads(threads)
    print(f"largest difference between im2col and PyTorch: {gap.max():.0e}")
    print(f"im2col / PyTorch: {race['im2col'] / race['PyTorch']:.2f} times the time")
print(f"loops / im2col: {race['loops'] / race['im2col']:.0f} times the time")
speeds = {name: 2 * 32 * 784 * 144 / duration / 1e9 for name, duration in race.items()}
for name, duration in race.items():
    print(f"{name:22s} {1e3 * duration:8.3f} ms an image {speeds[name]:8.2f} GFLOP/s")
figure, axis = plt.subplots(figsize=(8, 2.2))
axis.barh(list(speeds), list(speeds.values()), color=["gray", "C0", "C0", "C9", "C1"][: len(speeds)])
axis.set(xscale="log", xlabel="billion FLOPs per second, one thread (logarithmic)")
axis.invert_yaxis()
figure.tight_layout()
plt.show()

# %% [markdown]
# One core of an AMD EPYC (NumPy 2.4 with OpenBLAS, PyTorch 2.13) gave, in billion FLOPs per second: loops 0.09,
# `im2col` 73, its matrix product alone 100, PyTorch 220. So `im2col` is about 800 times as fast as the loops
# and takes 3 times as long as PyTorch. What the numbers say:
#
# - **Loops.** 79 ms for 25,088 outputs are 3 µs for each, in which a core could do hundreds of thousands of
#   FLOPs and does 288. That is Python's price. The low intensity would cost its share even without it.
# - **`im2col`.** A quarter of its time goes into copying: with a 3 × 3 kernel the columns are nine times as
#   large as the image. The reference solution makes the columns of a few images at a time: 1.8 MB of memory
#   instead of 14.5, in about the same time.
# - **PyTorch** has less to copy and a faster product. You will not beat it, but you know what it does.
#
#
# ## Summary
#
# | layer | forward | backward |
# |---|---|---|
# | convolution, $dW$ | | cross-correlation of $x$ with $dz$, summed over samples |
# | convolution, $db$ | | sum over samples and positions |
# | convolution, $dX$ | | stamp $dz\cdot w$ and add; or: dilate, pad, correlate with the flipped kernel, crop |
# | `im2col` | copy windows to columns | `col2im`: add the copies up; adjoint |
# | ReLU | $\max(x,0)$ | pass where $x>0$ |
# | max pooling | the largest | all to the winner, added up over windows |
# | average pooling, GAP | the mean | equal shares, added up over windows |
# | linear | $xw^{\mathsf T}+b$ | $dy\,w$, $dy^{\mathsf T}x$, column sums |
# | BatchNorm, training | batch statistics | $\gamma/\sigma$ times ($dy$ minus its line of best fit on $\hat x$) |
# | BatchNorm, evaluation | running statistics | $\gamma/\sigma$ times $dy$ |
#
# Four habits to keep: a gradient has the shape of its tensor; gradients of shared things *add up*; linear
# layers can be proved right by $\langle Ax, y\rangle = \langle x, A^{\mathsf T}y\rangle$; and a test that only knows
# square, symmetric, stride-1 examples knows nothing.
#
# **Next:** lesson 05 hands all of this to PyTorch, which does what you just did, and asks what else training needs.
#
# ## References
#
# - V. Dumoulin, F. Visin: *A guide to convolution arithmetic for deep learning*, 2016, arXiv:1603.07285.
#   Transposed convolutions, drawn.
# - K. Chellapilla, S. Puri, P. Simard: *High performance convolutional neural networks for document
#   processing*, IWFHR 2006. Convolution as a matrix product.
# - S. Ioffe, C. Szegedy: *Batch normalization*, ICML 2015, arXiv:1502.03167. The backward pass is in section 3.
# - S. Santurkar, D. Tsipras, A. Ilyas, A. Mądry: *How does batch normalization help optimization?*, NeurIPS 2018,
#   arXiv:1805.11604.
# - S. Williams, A. Waterman, D. Patterson: *Roofline: an insightful visual performance model for multicore
#   architectures*, Communications of the ACM 52(4), 2009. Arithmetic intensity.
# - A. Odena, V. Dumoulin, C. Olah: *Deconvolution and checkerboard artifacts*, Distill, 2016.
# - Data: E. Alpaydin, C. Kaynak: *Optical recognition of handwritten digits*, UCI, 1998, as shipped with
#   scikit-learn.
