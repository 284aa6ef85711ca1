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
# # 03 · Losses and gradients
#
# A network learns by repeating three steps: say *how wrong* it was (the loss), find out *which way
# each weight should move* (the gradient), and *move a little* (gradient descent). In this lesson
# you build all three in NumPy and trust none of them until it is checked. At the end a two-layer
# network of your own bends itself around a spiral, its gradients agree with numerical ones to nine
# digits, and your optimizer walks in step with PyTorch's.
#
# **After this lesson you can**
#
# - say why a network needs a nonlinearity, and write sigmoid, tanh, ReLU and its relatives with
#   their derivatives;
# - write squared error, binary cross-entropy and softmax cross-entropy so that a logit of 1000 does
#   no harm, and derive their gradients;
# - read and build gradient tensors of any order, and chain them with `einsum`;
# - run a two-layer network forward and backward on a batch, and check every gradient numerically;
# - write SGD with momentum and weight decay, and say what changes when a loss is summed instead of
#   averaged;
# - explain why inputs that are all positive make gradient descent zig-zag.
#
# **Time** 4 to 5 hours · **Difficulty** ●●●○○ · **You need** lesson 01 (arrays and shapes) and the
# chain rule of one variable. NumPy only.
#
# **Conventions of the whole lesson.** A batch has $M$ samples, one a row: $X$ is $(M, d)$. A weight
# matrix is (outputs, inputs), so a layer computes $Z = X W^\top + b$. A loss is the
# **mean over samples** of the **sum over outputs**. $\ln$ is the natural logarithm. A function of
# yours returns new arrays and leaves those it was given as they were.

# %% tags=["parameters"]
seed = 0
device = "auto"
quick = False

# %%
import math
import time

import matplotlib.pyplot as plt
import numpy as np

from course.checks import check_choice, check_close, check_number, check_shape, check_unchanged
from course.data import photo

# How closely the tests compare: float32 answers pass.
TOLERANCE = {"rtol": 1e-4, "atol": 1e-6}
# The error function on arrays, for GELU.
erf = np.vectorize(math.erf, otypes=[float])

# %% [markdown]
# ## Part 1 · Why a network needs a bend
#
# Each line below is the output of a small random network with one input, 20 hidden units and one
# output. On the left the hidden layer is linear. On the right each hidden value goes through
# $\max(0, z)$.

# %% tags=["illustration"]
rng = np.random.default_rng(seed)
x = np.linspace(-3, 3, 301)[:, None]  # (301, 1)
figure, axes = plt.subplots(1, 2, figsize=(9, 2.8), sharey=True)
for _ in range(4):
    W_1, b_1 = rng.normal(size=(20, 1)), 2 * rng.normal(size=20)
    W_2, b_2 = rng.normal(size=(1, 20)) / 2, rng.normal(size=1)
    hidden = x @ W_1.T + b_1  # (301, 20)
    axes[0].plot(x, hidden @ W_2.T + b_2, linewidth=2)
    axes[1].plot(x, np.maximum(hidden, 0) @ W_2.T + b_2, linewidth=2)
axes[0].set_title("two linear layers: a straight line")
axes[1].set_title("the same weights with max(0, z) between: bends")
for axis in axes:
    axis.set_xlabel("input x")
    axis.grid(alpha=0.3)
figure.tight_layout()


# %% [markdown]
# ## Exercise 1 · Two linear layers collapse into one
#
# Without a nonlinearity between them, two layers say no more than one:
#
# $$W_2 (W_1 x + b_1) + b_2 = W x + b .$$
#
# Write `collapse(W1, b1, W2, b2)`. `W1` is $(H, d)$, `b1` is $(H,)$, `W2` is $(K, H)$, `b2` is
# $(K,)$. Return the pair `W` $(K, d)$ and `b` $(K,)$ of the one layer that does the same.
#
# *Worked example.* $W_1 = \begin{bmatrix}1&2\\0&1\\1&0\end{bmatrix}$, $b_1 = (1, 0, -1)$,
# $W_2 = \begin{bmatrix}1&0&2\end{bmatrix}$, $b_2 = (10)$. Put $x = 0$: the hidden layer is $b_1$,
# the output $1 + 0 - 2 + 10 = 9$, so $b = (9)$. Put $x = (1, 0)$: hidden $(2, 0, 0)$, output $12$,
# which is $3$ more. Put $x = (0, 1)$: hidden $(3, 1, -1)$, output $11$, which is $2$ more. So
# $W = \begin{bmatrix}3 & 2\end{bmatrix}$.

# %% nbgrader={"grade": false, "grade_id": "collapse", "locked": false, "schema_version": 3, "solution": true, "task": false}
def collapse(W1, b1, W2, b2):
    """The single linear layer that equals layer 1 followed by layer 2.

    W1 (H, d), b1 (H,), W2 (K, H), b2 (K,). Returns W (K, d) and b (K,).
    """
    ### BEGIN SOLUTION
    return W2 @ W1, W2 @ b1 + b2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-collapse-weights", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The weights of the one layer
W1, b1 = np.array([[1.0, 2.0], [0.0, 1.0], [1.0, 0.0]]), np.array([1.0, 0.0, -1.0])
W2, b2 = np.array([[1.0, 0.0, 2.0]]), np.array([10.0])
check_close(collapse(W1, b1, W2, b2)[0], [[3.0, 2.0]], "W of the worked example", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(301)
W1, b1, W2, b2 = (rng.normal(size=shape) for shape in ((4, 3), (4,), (2, 4), (2,)))
W = collapse(W1, b1, W2, b2)[0]
check_shape(W, (2, 3), "W for d=3, H=4, K=2")
check_close(W, np.einsum("kh,hd->kd", W2, W1), "W for d=3, H=4, K=2", **TOLERANCE)
W1, b1, W2, b2 = (rng.normal(size=shape) for shape in ((3, 3), (3,), (3, 3), (3,)))
check_close(
    collapse(W1, b1, W2, b2)[0], np.einsum("kh,hd->kd", W2, W1), "W of square layers", **TOLERANCE
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-collapse-bias", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The bias of the one layer
W1, b1 = np.array([[1.0, 2.0], [0.0, 1.0], [1.0, 0.0]]), np.array([1.0, 0.0, -1.0])
W2, b2 = np.array([[1.0, 0.0, 2.0]]), np.array([10.0])
check_close(collapse(W1, b1, W2, b2)[1], [9.0], "b of the worked example", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(302)
W1, b1, W2, b2 = (rng.normal(size=shape) for shape in ((4, 3), (4,), (2, 4), (2,)))
b = collapse(W1, b1, W2, b2)[1]
check_shape(b, (2,), "b for d=3, H=4, K=2")
check_close(b, np.einsum("kh,h->k", W2, b1) + b2, "b for d=3, H=4, K=2", **TOLERANCE)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **"matmul: … mismatch in its core dimension"**: the order matters. Layer 1 acts first, so $W_1$
#   stands next to $x$, on the right.
# - **The bias is off**: $b_1$ goes through the second layer as well.
# - **W is right for square layers only**: look at the shapes. $(K, d)$ has to come out of $(K, H)$
#   and $(H, d)$.
#
# </details>
#
# ## Question 1 · Convolutions collapse too
#
# A convolution is linear, so a stack of convolutions without nonlinearities is one convolution with
# a larger kernel. A $3 \times 3$ convolution, then a $3 \times 3$, then a $5 \times 5$, all with
# stride 1: how large is the kernel of the one convolution that equals them? Give its side. Predict
# first; the cell below the test does it in one dimension.

# %% nbgrader={"grade": false, "grade_id": "q-kernel", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_kernel: the side of the one kernel, in pixels
### BEGIN SOLUTION
q_kernel = 9
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-kernel", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The side of the collapsed kernel
assert np.isscalar(q_kernel), "q_kernel should be a number"
### BEGIN HIDDEN TESTS
check_number(q_kernel, 9, "q_kernel")
### END HIDDEN TESTS

# %%
rng = np.random.default_rng(seed)
signal = rng.normal(size=30)
kernels = [rng.normal(size=size) for size in (3, 3, 5)]
step_by_step, kernel = signal, np.ones(1)
for k in kernels:
    step_by_step = np.correlate(step_by_step, k, mode="valid")  # three layers, one by one
    kernel = np.convolve(kernel, k)  # the one kernel that replaces them
at_once = np.correlate(signal, kernel, mode="valid")
print(
    f"one kernel of length {kernel.size}; largest difference {abs(step_by_step - at_once).max():.1e}"
)

# %% [markdown]
# ## Three classic bends
#
# A nonlinearity, or *activation*, acts on each number of a feature map by itself. Above: the
# function. Below: its derivative. Training sends a gradient back through the network, layer by layer
# (*backpropagation*, Part 5), and each activation on the way multiplies it by this derivative. Where
# the derivative is near zero (shaded), the unit is **saturated** and passes no gradient back.

# %% tags=["illustration"]
z = np.linspace(-6, 6, 601)
curves = {
    "sigmoid": 1 / (1 + np.exp(-z)),
    "tanh": np.tanh(z),
    "ReLU": np.maximum(0, z),
}
figure, axes = plt.subplots(2, 3, figsize=(10, 4.6), sharex=True)
for column, (name, curve) in enumerate(curves.items()):
    slope = np.gradient(curve, z)
    axes[0, column].plot(z, curve, color="tab:blue", linewidth=2.5)
    axes[0, column].set_title(name)
    axes[1, column].plot(z, slope, color="tab:red", linewidth=2.5)
    axes[1, column].set_ylim(-0.08, 1.15)
    axes[1, column].set_xlabel("z")
    axes[1, column].annotate(
        f"at most {slope.max():.2f}", (0.5, slope.max() + 0.03), color="tab:red", fontsize=9
    )
    for axis in axes[:, column]:
        low, high = axis.get_ylim()
        axis.fill_between(z, low, high, where=slope < 0.02, color="gray", alpha=0.2, linewidth=0)
        axis.set_ylim(low, high)
        axis.axhline(0, color="black", linewidth=0.6)
axes[0, 0].set_ylabel("value")
axes[1, 0].set_ylabel("derivative")
figure.tight_layout()


# %% [markdown]
# ## Exercise 2 · Sigmoid
#
# $$\sigma(z) = \frac{1}{1 + e^{-z}} = \frac{e^{z}}{1 + e^{z}}, \qquad \sigma'(z) = \sigma(z)\,\bigl(1 - \sigma(z)\bigr).$$
#
# It squashes any number into the open interval $(0, 1)$ and was popular as the "firing rate" of a
# neuron. Both forms are the same function, and both break on a computer, at opposite ends:
# $e^{1000}$ is `inf` in float64 (the limit is near $e^{709}$), and `inf / inf` is `nan`. Use each
# form where its exponential is small, or find another way that stays finite.
#
# Write `sigmoid(z)` and `sigmoid_grad(z)`. `z` is an array of any shape, of floats or integers;
# both return an array of floats of the same shape. `sigmoid_grad` takes $z$, not $\sigma(z)$. Do
# not change `z`.
#
# *Worked example.* With $z = (0, \ln 3, -\ln 3)$: $\sigma = (0.5, 0.75, 0.25)$ and
# $\sigma' = (0.25, 0.1875, 0.1875)$.

# %% nbgrader={"grade": false, "grade_id": "sigmoid", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sigmoid(z):
    """1 / (1 + e^-z), finite for any z; z of any shape, floats of the same shape come back."""
    ### BEGIN SOLUTION
    small = np.exp(-np.abs(z))  # in (0, 1]: never overflows
    return np.where(z >= 0, 1, small) / (1 + small)
    ### END SOLUTION


def sigmoid_grad(z):
    """The derivative of sigmoid at z, element by element."""
    ### BEGIN SOLUTION
    return sigmoid(z) * (1 - sigmoid(z))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-sigmoid-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Values of the sigmoid
z = np.array([0.0, math.log(3), -math.log(3)])
check_close(sigmoid(z), [0.5, 0.75, 0.25], "sigmoid of (0, ln 3, -ln 3)", **TOLERANCE)
### BEGIN HIDDEN TESTS
z = np.random.default_rng(303).normal(size=(2, 5, 3)) * 4
check_close(sigmoid(z), 0.5 * (1 + np.tanh(z / 2)), "sigmoid of a (2, 5, 3) array", **TOLERANCE)
z = np.array([[-2, -1], [0, 3], [1, 2]])
check_close(sigmoid(z), 0.5 * (1 + np.tanh(z / 2)), "sigmoid of an integer array", **TOLERANCE)
z = np.random.default_rng(304).normal(size=(4, 2))
before = z.copy()
sigmoid(z)
check_unchanged(z, before, "z")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-sigmoid-extremes", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Large inputs of either sign
check_close(
    sigmoid(np.array([1000.0, -1000.0])), [1.0, 0.0], "sigmoid of (1000, -1000)", **TOLERANCE
)
### BEGIN HIDDEN TESTS
z = np.array([[-1000.0, 1000.0, 720.0], [-720.0, 0.0, 90.0]])
check_close(sigmoid(z), [[0, 1, 1], [0, 0.5, 1]], "sigmoid of inputs up to ±1000", **TOLERANCE)
tiny = np.array(sigmoid(np.array([-50.0, -60.0]))) * np.exp([50.0, 60.0])
check_close(tiny, [1.0, 1.0], "sigmoid(z) · e^-z at z = -50 and -60", rtol=1e-3)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-sigmoid-grad", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Derivative of the sigmoid
z = np.array([0.0, math.log(3), -math.log(3)])
check_close(
    sigmoid_grad(z), [0.25, 0.1875, 0.1875], "sigmoid_grad of (0, ln 3, -ln 3)", **TOLERANCE
)
### BEGIN HIDDEN TESTS
z = np.random.default_rng(305).normal(size=(3, 4)) * 3
check_close(
    sigmoid_grad(z), (1 - np.tanh(z / 2) ** 2) / 4, "sigmoid_grad of a (3, 4) array", **TOLERANCE
)
z = np.array([1000.0, -1000.0])
check_close(sigmoid_grad(z), [0.0, 0.0], "sigmoid_grad at ±1000", **TOLERANCE)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **`nan` at 1000**: you divide `inf` by `inf`. Take the form with $e^{-z}$ where $z \ge 0$ and
#   the form with $e^{z}$ where $z < 0$.
# - **Still a warning, though the numbers are right**: `np.where` computes both branches everywhere
#   and then chooses. Make an exponent that is never positive, such as $-|z|$, before you call
#   `exp`.
# - **Integers come out as 0 and 1**: you write into an array of `z`'s dtype, and NumPy cuts the
#   decimals off. Let the result be a new float array.
# - **The derivative is right at 0 only**: it takes $z$; you may have put $z$ itself into $s(1-s)$.
#
# </details>
#
# ## Question 2 · Two formulas for tanh, both printed, both wrong
#
# The hyperbolic tangent is odd, centred on zero, and saturates at both ends like the sigmoid:
#
# $$\tanh(x) = \frac{e^{x} - e^{-x}}{e^{x} + e^{-x}} .$$
#
# A set of lecture slides gives it as
#
# $$\tanh(x) = \underbrace{\frac{1 - e^{-2x}}{1 + e^{2x}}}_{(A)} = \underbrace{1 - 2\,\sigma(2x)}_{(B)} .$$
#
# Find the bugs before you run anything. What does (A) tend to as $x \to \infty$, where $\tanh$
# tends to 1? And which function is (B)?

# %% nbgrader={"grade": false, "grade_id": "q-tanh", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_tanh_limit: the limit of formula (A) for large x, a number
# q_tanh_form: what formula (B) is: "tanh(x)", "-tanh(x)", "sigmoid(x)" or "1 - tanh(x)"
### BEGIN SOLUTION
q_tanh_limit = 0
q_tanh_form = "-tanh(x)"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-tanh", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# What the two printed formulas are
options = ("tanh(x)", "-tanh(x)", "sigmoid(x)", "1 - tanh(x)")
assert q_tanh_form in options, f"q_tanh_form should be one of {options}"
### BEGIN HIDDEN TESTS
check_number(q_tanh_limit, 0, "q_tanh_limit")
check_choice(q_tanh_form, "-tanh(x)", options, "q_tanh_form")
### END HIDDEN TESTS

# %%
x = np.array([-2.0, -0.5, 0.5, 2.0, 10.0])
print("x                  ", x)
print("tanh(x)            ", np.tanh(x).round(4))
print("(A) as printed     ", ((1 - np.exp(-2 * x)) / (1 + np.exp(2 * x))).round(4))
print("(B) 1 - 2 sigma(2x)", (1 - 2 / (1 + np.exp(-2 * x))).round(4))


# %% [markdown]
# Divide $\tanh$'s numerator and denominator by $e^{x}$, and both bugs are mended (a sign in the
# exponent, and a sign of the whole):
#
# $$\tanh(x) = \frac{1 - e^{-2x}}{1 + e^{-2x}} = 2\,\sigma(2x) - 1, \qquad \tanh'(x) = 1 - \tanh^2(x).$$
#
# So tanh is a sigmoid, stretched to $(-1, 1)$ and squeezed to half the width. Its slope at 0 is 1,
# four times the sigmoid's. Both ranges are open: no finite $x$ reaches the ends, although float64
# rounds $\sigma(40)$ to exactly 1. Remember that when we take a logarithm.
#
# ## Exercise 3 · tanh from your sigmoid
#
# Write `tanh(z)` with the help of your `sigmoid`, and its derivative `tanh_grad(z)`. Same shapes as
# before; finite for any `z`.
#
# *Worked example.* $\tanh(\ln 2) = \frac{2 - 1/2}{2 + 1/2} = 0.6$ and
# $\tanh'(\ln 2) = 1 - 0.36 = 0.64$.

# %% nbgrader={"grade": false, "grade_id": "tanh", "locked": false, "schema_version": 3, "solution": true, "task": false}
def tanh(z):
    """Hyperbolic tangent, element by element; z of any shape."""
    ### BEGIN SOLUTION
    return 2 * sigmoid(2 * z) - 1
    ### END SOLUTION


def tanh_grad(z):
    """The derivative of tanh at z, element by element."""
    ### BEGIN SOLUTION
    return 1 - tanh(z) ** 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-tanh", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# tanh and its derivative
z = np.array([math.log(2), 0.0, -math.log(2)])
check_close(tanh(z), [0.6, 0.0, -0.6], "tanh of (ln 2, 0, -ln 2)", **TOLERANCE)
check_close(tanh_grad(z), [0.64, 1.0, 0.64], "tanh_grad of (ln 2, 0, -ln 2)", **TOLERANCE)
### BEGIN HIDDEN TESTS
z = np.random.default_rng(306).normal(size=(3, 2, 4)) * 2
check_close(tanh(z), np.tanh(z), "tanh of a (3, 2, 4) array", **TOLERANCE)
check_close(tanh_grad(z), 1 / np.cosh(z) ** 2, "tanh_grad of a (3, 2, 4) array", **TOLERANCE)
z = np.array([1000.0, -1000.0])
check_close(tanh(z), [1.0, -1.0], "tanh of ±1000", **TOLERANCE)
check_close(tanh_grad(z), [0.0, 0.0], "tanh_grad at ±1000", **TOLERANCE)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Values too small in size**: the argument of the sigmoid is $2z$, not $z$.
# - **Right size, wrong sign**: you typed formula (B).
# - **The derivative is negative somewhere**: $\tanh$ rises everywhere. Square $\tanh(z)$, not $z$.
#
# </details>
#
# ## Exercise 4 · ReLU and its relatives
#
# $$\text{ReLU}(z) = \max(0, z) \qquad
# \text{leaky}(z) = \begin{cases} z & z > 0\\ \text{slope}\cdot z & z \le 0\end{cases} \qquad
# \text{ELU}(z) = \begin{cases} z & z > 0\\ \alpha\,(e^{z} - 1) & z \le 0\end{cases} \qquad
# \text{GELU}(z) = z\,\Phi(z)$$
#
# $\Phi(z) = \tfrac12\bigl(1 + \operatorname{erf}(z/\sqrt2)\bigr)$ is the normal distribution
# function; `erf` on arrays is defined at the top of the notebook. (A fifth relative, SELU, is ELU
# with $\alpha = 1.6733$ times $1.0507$.)
#
# ReLU has a corner at 0, where any slope between 0 and 1 would do.
# **This course, like PyTorch, takes the slope from the left: $\text{ReLU}'(0) = 0$.**
#
# Write the five functions below. `z` is an array of any shape; do not change it.
#
# *Worked example.* $z = (-2, 0, 3)$: ReLU $(0, 0, 3)$ with derivative $(0, 0, 1)$; leaky with slope
# 0.1 gives $(-0.2, 0, 3)$; ELU with $\alpha = 1$ gives $(-0.8647, 0, 3)$; GELU gives
# $(-0.0455, 0, 2.9960)$.

# %% nbgrader={"grade": false, "grade_id": "relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
def relu(z):
    """max(0, z), element by element."""
    ### BEGIN SOLUTION
    return np.maximum(z, 0)
    ### END SOLUTION


def relu_grad(z):
    """The derivative of ReLU at z: 1 where z > 0, 0 elsewhere (0 at z = 0)."""
    ### BEGIN SOLUTION
    return (z > 0).astype(float)
    ### END SOLUTION


def leaky_relu(z, slope=0.01):
    """z where z > 0, slope * z elsewhere."""
    ### BEGIN SOLUTION
    return np.where(z > 0, z, slope * z)
    ### END SOLUTION


def elu(z, alpha=1.0):
    """z where z > 0, alpha * (e^z - 1) elsewhere."""
    ### BEGIN SOLUTION
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))
    ### END SOLUTION


def gelu(z):
    """z times the normal distribution function of z."""
    ### BEGIN SOLUTION
    return z * (1 + erf(z / math.sqrt(2))) / 2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-relu", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# ReLU and its derivative
z = np.array([-2.0, 0.0, 3.0])
check_close(relu(z), [0.0, 0.0, 3.0], "relu of (-2, 0, 3)", **TOLERANCE)
check_close(relu_grad(z), [0.0, 0.0, 1.0], "relu_grad of (-2, 0, 3)", **TOLERANCE)
### BEGIN HIDDEN TESTS
z = np.random.default_rng(307).normal(size=(3, 2, 5))
z[1, 0, 2] = z[2, 1, 4] = 0
before = z.copy()
check_close(relu(z), np.where(before > 0, before, 0), "relu of a (3, 2, 5) array", **TOLERANCE)
check_close(relu_grad(z), np.where(before > 0, 1, 0), "relu_grad of a (3, 2, 5) array", **TOLERANCE)
check_unchanged(z, before, "z")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-relu-variants", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Leaky ReLU, ELU and GELU
z = np.array([-2.0, 0.0, 3.0])
check_close(
    leaky_relu(z, 0.1), [-0.2, 0.0, 3.0], "leaky_relu of (-2, 0, 3), slope 0.1", **TOLERANCE
)
check_close(elu(z), [-0.8647, 0.0, 3.0], "elu of (-2, 0, 3)", atol=1e-3)
check_close(gelu(z), [-0.0455, 0.0, 2.9960], "gelu of (-2, 0, 3)", atol=1e-3)
### BEGIN HIDDEN TESTS
z = np.random.default_rng(308).normal(size=(4, 6)) * 2
negative = z <= 0
leaky, bent = z.copy(), z.copy()
leaky[negative] *= 0.3
bent[negative] = 1.7 * (np.exp(z[negative]) - 1)
check_close(leaky_relu(z, slope=0.3), leaky, "leaky_relu of a (4, 6) array, slope 0.3", **TOLERANCE)
leaky[negative] = 0.01 * z[negative]
check_close(leaky_relu(z), leaky, "leaky_relu of a (4, 6) array, slope left out", **TOLERANCE)
check_close(elu(z, alpha=1.7), bent, "elu of a (4, 6) array, alpha 1.7", **TOLERANCE)
check_close(elu(np.array([800.0, -800.0])), [800.0, -1.0], "elu of ±800", **TOLERANCE)
normal = np.array([math.erfc(-value / math.sqrt(2)) / 2 for value in z.flat]).reshape(z.shape)
check_close(gelu(z), z * normal, "gelu of a (4, 6) array", atol=1e-3)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **One place of `relu_grad` differs**: look at $z = 0$ exactly. Here the slope is 0, so the
#   comparison is strict.
# - **Leaky ReLU is right for the default only**: use the argument `slope`, not the number 0.01.
# - **ELU is right for $\alpha = 1$ only**: $\alpha$ multiplies the whole bracket.
# - **GELU too flat or too steep around 0**: the argument of `erf` is $z/\sqrt2$.
# - **"z was changed"**: `z[z < 0] = 0` writes into the caller's array. Build a new one.
#
# </details>

# %% tags=["illustration"]
z = np.linspace(-4, 3, 701)
family = {
    "ReLU": relu(z),
    "leaky ReLU, slope 0.1": leaky_relu(z, 0.1),
    "ELU, α = 1": elu(z),
    "SELU": 1.0507 * elu(z, 1.6733),
    "GELU": gelu(z),
}
figure, axes = plt.subplots(1, 2, figsize=(10, 3.4))
for name, curve in family.items():
    axes[0].plot(z, curve, label=name, linewidth=2)
    axes[1].plot(z, np.gradient(curve, z), linewidth=2)
axes[0].set_title("ReLU's relatives differ on the left of 0")
axes[1].set_title("and so do their derivatives")
axes[0].legend(fontsize=8)
for axis in axes:
    axis.axvline(0, color="black", linewidth=0.6)
    axis.axhline(0, color="black", linewidth=0.6)
    axis.set_xlabel("z")
    axis.grid(alpha=0.3)
figure.tight_layout()

# %% [markdown]
# What does it do to a picture? Below, a filter that answers to vertical edges gives a *feature
# map*: positive (red) where the photo gets brighter from left to right, negative (blue) where it
# gets darker. ReLU acts on each number and leaves the *rectified feature map*: "an edge from dark
# to bright is here, this strongly", and zero elsewhere.

# %% tags=["illustration"]
photograph = photo("china", gray=True, step=2)[40:190, 60:260]  # (150, 200)
feature_map = photograph[:, 2:] - photograph[:, :-2]  # (150, 198)
figure, axes = plt.subplots(1, 3, figsize=(11, 2.9))
pictures = {
    "photo": (photograph, {"cmap": "gray"}),
    "feature map": (feature_map, {"cmap": "RdBu_r", "vmin": -0.6, "vmax": 0.6}),
    "rectified feature map": (relu(feature_map), {"cmap": "RdBu_r", "vmin": -0.6, "vmax": 0.6}),
}
for axis, (name, (picture, look)) in zip(axes, pictures.items()):
    axis.imshow(picture, **look)
    axis.set_title(name)
    axis.axis("off")
figure.tight_layout()

# %% [markdown]
# **What is known about ReLU.**
#
# - It is *cheap*: one comparison, no exponential. It does *not saturate* for $z > 0$: the
#   derivative is exactly 1, so a gradient passes unweakened.
# - It has been called *more biologically plausible* than the sigmoid (neurons are silent most of
#   the time). That is a picture, not a reason.
# - It *trains fast*. Krizhevsky, Sutskever and Hinton (2012) report that a four-layer CNN on
#   CIFAR-10 reached 25% training error in a sixth of the epochs that the same net needed with tanh.
# - Its outputs are *sparse*: many exact zeros. What that saves, Question 4 asks.
# - Its outputs are *not centred on zero* (neither are the sigmoid's): Part 6 shows what that costs.
# - A unit can be stuck on the flat side for good. Question 4 asks for that as well.
#
# ## Question 3 · What ten layers leave of a gradient
#
# Backpropagation multiplies the gradient by one derivative per layer. Leave the weights aside.
# After ten sigmoid layers, what is the *largest* factor that their ten derivatives can multiply a
# gradient by? And what do you choose for the hidden layers and for the output of a CNN that tells
# cats from dogs with one output, the probability of a dog? (Softmax, in Part 2, turns $K$ numbers into
# $K$ probabilities that sum to 1.)

# %% nbgrader={"grade": false, "grade_id": "q-vanishing", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_sigmoid_factor: the largest possible product of ten sigmoid derivatives
# q_hidden, q_output: "sigmoid", "tanh", "relu" or "softmax"
### BEGIN SOLUTION
q_sigmoid_factor = 0.25**10
q_hidden = "relu"
q_output = "sigmoid"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-vanishing", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Ten sigmoid derivatives, and which activation goes where
options = ("sigmoid", "tanh", "relu", "softmax")
assert q_hidden in options and q_output in options, f"q_hidden and q_output: one of {options}"
### BEGIN HIDDEN TESTS
check_number(q_sigmoid_factor, 0.25**10, "q_sigmoid_factor", rtol=0.05)
check_choice(q_hidden, "relu", options, "q_hidden")
check_choice(q_output, "sigmoid", options, "q_output")
### END HIDDEN TESTS

# %% [markdown]
# **Which one?** For hidden layers start with ReLU and spend your time elsewhere; leaky ReLU, ELU,
# SELU and GELU sometimes gain a fraction of a percentage point (and Transformers like GELU), which
# you should believe only after several random seeds. Keep sigmoid and tanh out of deep stacks of
# hidden layers. At the *output* the task decides, not fashion: sigmoid where you want one
# probability, softmax where you want one of $K$.
#
# Now with weights. The next cell sends a gradient back through 20 random layers of 64 units. The
# weights are scaled so that the *forward* signal keeps a sensible size for each activation (lesson
# 05 says how); the picture shows what is left of the gradient on its way from the output, on the
# right, to the input.

# %% tags=["illustration"]
rng = np.random.default_rng(seed)
depth, width, batch = 20, 64, 128
figure, axis = plt.subplots(figsize=(7, 3.2))
for name, gain in {"sigmoid": 1.0, "tanh": 1.0, "relu": 2.0}.items():
    function, slope = {
        "sigmoid": (sigmoid, sigmoid_grad),
        "tanh": (tanh, tanh_grad),
        "relu": (relu, relu_grad),
    }[name]
    weights = [rng.normal(size=(width, width)) * np.sqrt(gain / width) for _ in range(depth)]
    u, inputs = rng.normal(size=(batch, width)), []
    for W in weights:
        inputs.append(u @ W.T)  # (batch, width)
        u = function(inputs[-1])
    gradient, norms = rng.normal(size=u.shape), []
    for W, z in zip(weights[::-1], inputs[::-1]):
        gradient = (gradient * slope(z)) @ W
        norms.append(np.linalg.norm(gradient))
    axis.semilogy(range(depth, 0, -1), np.array(norms) / norms[0], "o-", label=name, markersize=4)
axis.set_xlabel("layer (20 is next to the output)")
axis.set_ylabel("gradient norm, relative")
axis.set_xticks([1, 5, 10, 15, 20])
axis.set_title("one random 20-layer network for each activation")
axis.legend()
axis.grid(alpha=0.3)
figure.tight_layout()

# %% [markdown]
# The sigmoid loses twelve orders of magnitude: layer 1 would learn a million million times more
# slowly than layer 20. tanh does well *here*, since its slope at 0 is 1 and these weights are too
# small to drive it into saturation; training can change that, and ReLU cannot saturate on the right
# at all.
#
# ## Question 4 · Sparse and dead
#
# A hidden layer of 1000 ReLU units, batch of 64, is half zeros. How many multiply-adds does
# `u @ W.T` with a dense $W$ of shape $(10, 1000)$ take? And: a unit's $z$ is negative on every
# training sample. What do plain gradient steps on the loss do to its weights?

# %% nbgrader={"grade": false, "grade_id": "q-relu", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_macs: multiply-adds of the dense product
# q_dead: "nothing", "shrink them" or "push z above 0"
### BEGIN SOLUTION
q_macs = 64 * 1000 * 10
q_dead = "nothing"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-relu", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The cost of zeros, and a dead unit
options = ("nothing", "shrink them", "push z above 0")
assert q_dead in options, f"q_dead should be one of {options}"
### BEGIN HIDDEN TESTS
check_number(q_macs, 640_000, "q_macs")
check_choice(q_dead, "nothing", options, "q_dead")
### END HIDDEN TESTS

# %%
rng = np.random.default_rng(seed)
u, W = relu(rng.normal(size=(64, 1000))), rng.normal(size=(10, 1000))
print(f"{(u == 0).mean():.0%} zeros, {u.shape[0] * u.shape[1] * W.shape[0]:,} multiply-adds")
inputs, w = rng.random((64, 20)), rng.normal(size=20)
z = inputs @ w - 100  # (64,); the bias -100 is what one step that was far too long left behind
upstream = rng.normal(size=64)
print("largest gradient of the dead unit's weights:", abs((upstream * relu_grad(z)) @ inputs).max())

# %% [markdown]
# So zeros alone save neither time nor memory: a dense product multiplies by them, and a dense array
# stores them. And a unit whose $z$ is negative on every sample is *dead*: its output and its gradient
# are zero everywhere, and no descent step on the loss changes its weights again. Leaky ReLU and ELU
# keep a slope on the left for that reason.

# %% [markdown]
# ## Part 2 · How wrong? Three losses
#
# Write $\theta$ for all weights and biases together. Training looks for
#
# $$\hat\theta = \arg\min_\theta L(\theta), \qquad L(\theta) = \frac1M \sum_{i=1}^{M} L_i(\theta, x_i, y_i),$$
#
# the mean loss over the samples. (Many texts sum instead; Part 6 shows what that changes.) Which
# $L_i$ is right depends on what the output means: a quantity, a yes or no, one of $K$ classes. The
# last layer's raw outputs $z$, before any sigmoid or softmax, are the **logits**. All our
# classification losses take logits.
#
# ## Exercise 5 · Squared error (L2) for regression
#
# The output *is* the estimate, $\hat y = z$, with $K$ numbers a sample:
#
# $$L = \frac1M \sum_{i=1}^{M} \sum_{k=1}^{K} (\hat y_{ik} - y_{ik})^2 .$$
#
# Write `l2_loss(y_hat, y)`, a number, and `l2_grad(y_hat, y)`, the array of
# $\partial L / \partial \hat y_{ik}$. Both arguments are $(M, K)$, and so is the gradient. Take the
# mean over samples only.
#
# *Worked example.* $\hat y = \begin{bmatrix}1&2\\3&4\end{bmatrix}$,
# $y = \begin{bmatrix}1&0\\0&4\end{bmatrix}$: the samples lose $0 + 4$ and $9 + 0$, so $L = 6.5$.
# The gradient is $\frac{2}{2}\begin{bmatrix}0&2\\3&0\end{bmatrix}$.

# %% nbgrader={"grade": false, "grade_id": "l2-loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def l2_loss(y_hat, y):
    """Mean over samples of the sum over outputs of (y_hat - y)^2; both (M, K). A number."""
    ### BEGIN SOLUTION
    return ((y_hat - y) ** 2).sum(axis=1).mean()
    ### END SOLUTION


def l2_grad(y_hat, y):
    """The gradient of l2_loss by y_hat, (M, K)."""
    ### BEGIN SOLUTION
    return 2 * (y_hat - y) / len(y)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-l2-loss", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Squared error
y_hat, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [0.0, 4.0]])
check_close(l2_loss(y_hat, y), 6.5, "l2_loss of the worked example", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(309)
y_hat, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
want = sum((a - b) ** 2 for a, b in zip(y_hat.flat, y.flat)) / 5
check_close(l2_loss(y_hat, y), want, "l2_loss of a (5, 3) batch", **TOLERANCE)
y_hat, y = rng.normal(size=(1, 4)), rng.normal(size=(1, 4))
want = sum((a - b) ** 2 for a, b in zip(y_hat.flat, y.flat))
check_close(l2_loss(y_hat, y), want, "l2_loss of one sample with 4 outputs", **TOLERANCE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-l2-grad", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Gradient of the squared error
y_hat, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [0.0, 4.0]])
check_close(
    l2_grad(y_hat, y), [[0.0, 2.0], [3.0, 0.0]], "l2_grad of the worked example", **TOLERANCE
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(310)
y_hat, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
before = y_hat.copy(), y.copy()
check_close(l2_grad(y_hat, y), 0.4 * (y_hat - y), "l2_grad of a (5, 3) batch", **TOLERANCE)
check_unchanged(y_hat, before[0], "y_hat")
check_unchanged(y, before[1], "y")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Too large by a factor $M$**: you summed over the samples.
# - **Too small by a factor $K$**: `.mean()` without an axis also averages over the outputs.
# - **The gradient is half of what it should be**: the square brings down a 2.
# - **The gradient has the opposite sign**: it grows with $\hat y - y$, in this order: too high an
#   estimate has to come down.
#
# </details>
#
# ## Yes or no: binary cross-entropy
#
# Now $y_i \in \{0, 1\}$, and the output is a probability,
# $\hat y_i = \sigma(z_i) = P(y_i = 1 \mid x_i)$. The probability that the model gives to all the
# labels is $\prod_i P(y_i \mid x_i)$, samples being independent. Maximising it is minimising its
# negative logarithm, which turns the product into a sum:
#
# $$L = -\frac1M \sum_{i=1}^{M} \Bigl[\, \underbrace{y_i \ln \hat y_i}_{\text{counts when } y_i = 1} + \underbrace{(1 - y_i) \ln (1 - \hat y_i)}_{\text{counts when } y_i = 0} \Bigr].$$
#
# Why not keep the squared error? Look at one sample with label 1. Left: both losses against the
# logit. Middle: their slopes. A confident mistake stands on the far left: there the squared error
# is *flat*, and the cross-entropy pulls with slope $-1$. Right: gradient descent from $z = -6$.

# %% tags=["illustration"]
z = np.linspace(-9, 5, 401)
p = 1 / (1 + np.exp(-z))
figure, axes = plt.subplots(1, 3, figsize=(11, 3.2))
losses = {"squared error": (1 - p) ** 2, "cross-entropy": -np.log(p)}
slopes = {"squared error": -2 * (1 - p) ** 2 * p, "cross-entropy": p - 1}
for name, color in {"squared error": "tab:red", "cross-entropy": "tab:blue"}.items():
    axes[0].plot(z, losses[name], color=color, linewidth=2.5, label=name)
    axes[1].plot(z, slopes[name], color=color, linewidth=2.5)
    logit, path = -6.0, []
    for _ in range(120):
        path.append(logit)
        s = 1 / (1 + math.exp(-logit))
        logit -= (s - 1) if name == "cross-entropy" else -2 * (1 - s) ** 2 * s  # learning rate 1
    axes[2].plot(path, color=color, linewidth=2.5)
axes[0].set(title="loss of a sample with label 1", xlabel="logit z")
axes[0].legend(fontsize=8)
axes[1].set(title="slope of the loss", xlabel="logit z")
axes[2].set(title="descent with learning rate 1", xlabel="step", ylabel="logit z")
for axis in axes:
    axis.grid(alpha=0.3)
figure.tight_layout()

# %% [markdown]
# The same with two weights. A neuron $\sigma(w_1 x_1 + w_2 x_2)$ is to separate 60 points. Over the
# plane of its weights the squared error has plateaus, and descent that starts on one stays there.
# The cross-entropy is a bowl. Same start, same learning rate, same number of steps.

# %% tags=["illustration"]
rng = np.random.default_rng(seed)
points = rng.normal(size=(60, 2)) + np.repeat([[1.0, 0.6], [-1.0, -0.6]], 30, axis=0)  # (60, 2)
label = np.repeat([1.0, 0.0], 30)  # (60,)
side = np.linspace(-9, 9, 121)
grid = np.stack(np.meshgrid(side, side), axis=-1)  # (121, 121, 2)
points *= 2 * label[:, None] - 1  # mirror class 0: now every point should get a positive logit
p = 1 / (1 + np.exp(-grid @ points.T))  # (121, 121, 60), the probability of the right answer
surfaces = {
    "squared error": ((1 - p) ** 2).mean(axis=-1),
    "cross-entropy": -np.log(p).mean(axis=-1),
}
figure, axes = plt.subplots(1, 2, figsize=(10, 4.3))
for axis, (name, surface) in zip(axes, surfaces.items()):
    shading = axis.contourf(side, side, surface, levels=24, cmap="viridis")
    figure.colorbar(shading, ax=axis, label="loss")
    w, path = np.array([-7.0, -5.0]), []
    for _ in range(60):
        path.append(w)
        s = 1 / (1 + np.exp(-points @ w))  # (60,)
        push = 1 - s if name == "cross-entropy" else 2 * (1 - s) ** 2 * s
        w = w + 1.0 * (push @ points) / 60
    path = np.array(path)
    axis.plot(*path.T, "w.-", linewidth=1.2, markersize=5)
    axis.plot(*path[0], "wo", markersize=8)
    shade = {"facecolor": "black", "alpha": 0.45, "edgecolor": "none"}
    axis.text(-8.3, -6.9, "start", color="white", bbox=shade)
    axis.text(path[-1][0] + 0.4, path[-1][1] + 0.7, "after 60 steps", color="white", bbox=shade)
    axis.set(title=name, xlabel="$w_1$", ylabel="$w_2$")
figure.tight_layout()

# %% [markdown]
# ## Question 5 · A missing bracket
#
# One slide prints the binary cross-entropy of a sample without the brackets:
# $L = -\,y \ln \hat y + (1 - y) \ln (1 - \hat y)$. Take a sample with $y = 0$ and $\hat y = 0.2$.
# What does the formula give as printed, and what is right? Three decimals.

# %% nbgrader={"grade": false, "grade_id": "q-brackets", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_as_printed: the loss without brackets
# q_right: the binary cross-entropy of the sample
### BEGIN SOLUTION
q_as_printed = -0.223
q_right = 0.223
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-brackets", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The loss with and without brackets
assert np.isscalar(q_as_printed) and np.isscalar(q_right), "two numbers, please"
### BEGIN HIDDEN TESTS
check_number(q_as_printed, math.log(0.8), "q_as_printed", rtol=0.01)
check_number(q_right, -math.log(0.8), "q_right", rtol=0.01)
### END HIDDEN TESTS

# %%
y, p = 0, 0.2
print(f"as printed {-y * math.log(p) + (1 - y) * math.log(1 - p):+.3f}")
print(f"bracketed  {-(y * math.log(p) + (1 - y) * math.log(1 - p)):+.3f}")


# %% [markdown]
# A loss below zero for a decent prediction, and it falls without bound as the prediction gets
# *worse*: with $\hat y \to 1$ it tends to $-\infty$. A missing bracket would train the network to
# be wrong on every negative sample.
#
# ## Exercise 6 · Binary cross-entropy on logits
#
# In code, the formula with $\hat y$ fails where it matters: at $z = 40$ float64 rounds $\hat y$ to
# exactly 1, and $\ln(1 - \hat y)$ is $-\infty$. Work from the logit instead. Since
# $-\ln \sigma(z) = \ln(1 + e^{-z})$ and $-\ln(1 - \sigma(z)) = \ln(1 + e^{z})$, one sample costs
#
# $$L_i = \ln(1 + e^{z_i}) - y_i z_i ,$$
#
# and $\ln(1 + e^{z})$ is nearly $z$ for large $z$: write it as $\max(z, 0) + \ln(1 + e^{-|z|})$,
# and nothing can overflow.
#
# Write `bce_with_logits(z, y)`, the mean over all samples, and its gradient by $z$,
# `bce_with_logits_grad(z, y)`. Derive the gradient yourself: everything cancels but
# $\sigma(z_i) - y_i$ and the mean. `z` and `y` have the same shape, $(M,)$ or $(M, 1)$; `y` holds 0
# and 1.
#
# *Worked example.* $z = (0, \ln 3)$, $y = (1, 0)$: probabilities $(0.5, 0.75)$, losses $\ln 2$ and
# $\ln 4$, mean $1.0397$. Gradient $\frac12 (0.5 - 1,\ 0.75 - 0) = (-0.25, 0.375)$.

# %% nbgrader={"grade": false, "grade_id": "bce", "locked": false, "schema_version": 3, "solution": true, "task": false}
def bce_with_logits(z, y):
    """Mean binary cross-entropy of logits z and labels y in {0, 1}, same shape. A number."""
    ### BEGIN SOLUTION
    return (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) - y * z).mean()
    ### END SOLUTION


def bce_with_logits_grad(z, y):
    """The gradient of bce_with_logits by z, same shape as z."""
    ### BEGIN SOLUTION
    return (sigmoid(z) - y) / z.size
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-bce-loss", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Binary cross-entropy
z, y = np.array([0.0, math.log(3)]), np.array([1, 0])
check_close(bce_with_logits(z, y), 1.0397, "bce_with_logits of the worked example", atol=1e-4)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(311)
z, y = rng.normal(size=7) * 3, rng.integers(0, 2, 7)
want = np.mean([np.logaddexp(0, -a if b else a) for a, b in zip(z, y)])
check_close(bce_with_logits(z, y), want, "bce_with_logits of 7 samples", **TOLERANCE)
z, y = rng.normal(size=(4, 1)), np.array([[0.0], [1.0], [1.0], [0.0]])
want = np.mean([np.logaddexp(0, -a if b else a) for a, b in zip(z.flat, y.flat)])
check_close(bce_with_logits(z, y), want, "bce_with_logits of a (4, 1) batch", **TOLERANCE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-bce-extremes", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Logits of ±1000
z, y = np.array([1000.0, -1000.0]), np.array([1, 0])
check_close(bce_with_logits(z, y), 0.0, "the loss of two sure and right answers", **TOLERANCE)
### BEGIN HIDDEN TESTS
z, y = np.array([1000.0, -1000.0, 1000.0, -1000.0]), np.array([1, 0, 0, 1])
check_close(
    bce_with_logits(z, y), 500.0, "bce_with_logits at ±1000, half of them wrong", **TOLERANCE
)
z, y = np.array([40.0, -50.0]), np.array([0, 1])
check_close(
    bce_with_logits(z, y), 45.0, "bce_with_logits of two sure and wrong answers", **TOLERANCE
)
z, y = np.array([-1000.0, 1000.0]), np.array([1, 1])
check_close(bce_with_logits_grad(z, y), [-0.5, 0.0], "bce_with_logits_grad at ±1000", **TOLERANCE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-bce-grad", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Gradient of the binary cross-entropy
z, y = np.array([0.0, math.log(3)]), np.array([1, 0])
check_close(
    bce_with_logits_grad(z, y),
    [-0.25, 0.375],
    "bce_with_logits_grad of the worked example",
    **TOLERANCE,
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(312)
z, y = rng.normal(size=(5, 1)) * 2, np.array([[1.0], [0.0], [0.0], [1.0], [0.0]])
before = z.copy()
want = ((1 + np.tanh(z / 2)) / 2 - y) / 5
check_close(bce_with_logits_grad(z, y), want, "bce_with_logits_grad of a (5, 1) batch", **TOLERANCE)
check_unchanged(z, before, "z")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **`nan` or `inf` at ±1000**: somewhere you take $e^{1000}$, or the logarithm of a probability
#   that was rounded to 0 or 1. Do not go through $\hat y$.
# - **Right for label 1, wrong for label 0** (or the reverse): one of the two terms is missing, or
#   lacks its bracket.
# - **27.6 or 34.5 instead of 40**: you clipped the probability to keep the logarithm alive. The
#   clip hides the loss, and its gradient.
# - **Too large by a factor $M$**: mean, not sum, in the loss and in the gradient.
#
# </details>
#
# ## One of $K$: softmax and cross-entropy
#
# For $K$ classes the label is written **one-hot**, $y_i = (0, \dots, 1, \dots, 0)$, and the softmax
# turns $K$ logits into $K$ probabilities that sum to 1. The negative log-likelihood is the
# **categorical cross-entropy**; of its inner sum only the true class is left:
#
# $$\hat y_{ik} = \frac{e^{z_{ik}}}{\sum_{\ell} e^{z_{i\ell}}}, \qquad L = -\frac1M \sum_{i} \sum_{k} y_{ik} \ln \hat y_{ik} = -\frac1M \sum_i \ln \hat y_{i, c_i} \quad (c_i \text{ the true class}).$$
#
# Adding the same number to all logits of a sample changes no probability. So subtract the largest
# logit first: then every exponent is at most 0, and nothing overflows. The logarithm works on the
# exponents as well:
#
# $$\ln \hat y_{ik} = (z_{ik} - m_i) - \ln \sum_\ell e^{z_{i\ell} - m_i}, \qquad m_i = \max_\ell z_{i\ell}.$$
#
# ## Exercise 7 · Softmax cross-entropy on logits
#
# Write `softmax(z)` for logits `z` $(M, K)$; `cross_entropy(z, labels)`, a number, with integer
# `labels` $(M,)$ from 0 to $K - 1$; and its gradient by $z$, `cross_entropy_grad(z, labels)`,
# $(M, K)$. The gradient is as short as before: $(\hat y_{ik} - y_{ik}) / M$ with the one-hot $y$.
# (You derive it in Exercise 10.)
#
# *Worked example.* $z = (0, \ln 2, \ln 3)$ has the probabilities
# $\left(\frac16, \frac13, \frac12\right)$. With the label 2 it costs $\ln 2 = 0.6931$, with the
# gradient $\left(\frac16, \frac13, -\frac12\right)$. A second sample $(0, 0, 0)$ with label 0 costs
# $\ln 3$; the mean is $0.8959$.

# %% nbgrader={"grade": false, "grade_id": "cross-entropy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax(z):
    """Probabilities of each sample, (M, K) -> (M, K); finite for any logits."""
    ### BEGIN SOLUTION
    e = np.exp(z - z.max(axis=1, keepdims=True))  # (M, K), entries in (0, 1]
    return e / e.sum(axis=1, keepdims=True)
    ### END SOLUTION


def cross_entropy(z, labels):
    """Mean cross-entropy of logits z (M, K) and integer labels (M,). A number."""
    ### BEGIN SOLUTION
    shifted = z - z.max(axis=1, keepdims=True)  # (M, K)
    log_sum = np.log(np.exp(shifted).sum(axis=1))  # (M,)
    return (log_sum - shifted[np.arange(len(z)), labels]).mean()
    ### END SOLUTION


def cross_entropy_grad(z, labels):
    """The gradient of cross_entropy by z, (M, K)."""
    ### BEGIN SOLUTION
    gradient = softmax(z)
    gradient[np.arange(len(z)), labels] -= 1
    return gradient / len(z)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-softmax", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Probabilities of the softmax
z = np.array([[0.0, math.log(2), math.log(3)], [5.0, 5.0, 5.0]])
check_close(softmax(z), [[1 / 6, 1 / 3, 1 / 2], [1 / 3, 1 / 3, 1 / 3]], "softmax", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(313)
for shape in ((4, 6), (3, 3), (1, 5)):
    z = rng.normal(size=shape) * 3
    before = z.copy()
    p = softmax(z)
    want = np.array([[1 / sum(math.exp(b - a) for b in row) for a in row] for row in z])
    check_close(p, want, f"softmax of {shape} logits", **TOLERANCE)
    check_unchanged(z, before, "z")
z = np.array([[1000.0, 0.0, -1000.0], [-1000.0, -1000.0, -1000.0]])
check_close(
    softmax(z), [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]], "softmax of logits up to ±1000", **TOLERANCE
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-cross-entropy-loss", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Cross-entropy
z = np.array([[0.0, math.log(2), math.log(3)], [0.0, 0.0, 0.0]])
check_close(
    cross_entropy(z, np.array([2, 0])), 0.8959, "cross_entropy of the worked example", atol=1e-4
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(314)
for samples, classes in ((6, 4), (3, 3), (1, 7)):
    z, labels = rng.normal(size=(samples, classes)) * 2, rng.integers(0, classes, samples)
    want = np.mean([np.log(np.exp(row - row[c]).sum()) for row, c in zip(z, labels)])
    check_close(
        cross_entropy(z, labels),
        want,
        f"cross_entropy of {samples} samples, {classes} classes",
        **TOLERANCE,
    )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-cross-entropy-extremes", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Cross-entropy at logits of ±1000
z = np.array([[1000.0, 0.0], [0.0, 1000.0]])
check_close(
    cross_entropy(z, np.array([0, 1])), 0.0, "the loss of two sure and right answers", **TOLERANCE
)
### BEGIN HIDDEN TESTS
z = np.array([[1000.0, 0.0, -1000.0], [-1000.0, -1000.0, -1000.0]])
want = (2000 + math.log(3)) / 2
check_close(cross_entropy(z, np.array([2, 1])), want, "cross_entropy at ±1000", **TOLERANCE)
gradient = cross_entropy_grad(z, np.array([2, 1]))
want = [[0.5, 0, -0.5], [1 / 6, -1 / 3, 1 / 6]]
check_close(gradient, want, "cross_entropy_grad at ±1000", **TOLERANCE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-cross-entropy-grad", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Gradient of the cross-entropy
z = np.array([[0.0, math.log(2), math.log(3)]])
check_close(
    cross_entropy_grad(z, np.array([2])),
    [[1 / 6, 1 / 3, -1 / 2]],
    "cross_entropy_grad",
    **TOLERANCE,
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(315)
for samples, classes in ((5, 3), (4, 4)):
    z, labels = rng.normal(size=(samples, classes)) * 2, rng.integers(0, classes, samples)
    before = z.copy(), labels.copy()
    p = np.exp(z) / np.exp(z).sum(axis=1)[:, None]
    want = (p - np.eye(classes)[labels]) / samples
    what = f"cross_entropy_grad of {samples} samples, {classes} classes"
    check_close(cross_entropy_grad(z, labels), want, what, **TOLERANCE)
    check_unchanged(z, before[0], "z")
    check_unchanged(labels, before[1], "labels")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **The columns sum to 1, not the rows**: classes lie along axis 1. `keepdims=True` keeps the sum
#   a column that divides row by row.
# - **Right for one sample, wrong for several**: `z.max()` without an axis is one number for the
#   whole batch; rows far below it become 0/0.
# - **`nan` at 1000**: subtract the row's maximum before `exp`.
# - **`inf` at 1000, though the softmax is right**: a probability of $e^{-2000}$ is rounded to 0,
#   and its logarithm is $-\infty$. Use the formula for $\ln \hat y$ and never form $\hat y$.
# - **The loss moves much too little**: did you put probabilities into a loss that wants logits? Two
#   softmaxes in a row pass as a working network that learns badly.
# - **"IndexError" or a (M, M) result**: `z[labels]` picks rows. You want, in row $i$, the column
#   `labels[i]`: index with two arrays.
#
# </details>
#
# ## Question 6 · Five steps of training, in numbers
#
# A popular recipe for training a CNN goes: (1) start from random weights; (2) run an image forward;
# (3) compute the total error; (4) backpropagate and take a gradient step, which changes weights and
# never the architecture; (5) repeat with all images. Its example: the target is the third of four
# classes, $y = (0, 0, 1, 0)$; at first the network says $(0.2, 0.4, 0.1, 0.3)$, and later
# $(0.1, 0.1, 0.7, 0.1)$.
#
# The recipe measures the total error as $\sum_k \frac12 (y_k - \hat y_k)^2$. Compute it before and
# after; then compute the cross-entropy before and after.

# %% nbgrader={"grade": false, "grade_id": "q-five-steps", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_squared_before, q_squared_after: the total error, two decimals
# q_entropy_before, q_entropy_after: the cross-entropy, three decimals
### BEGIN SOLUTION
q_squared_before, q_squared_after = 0.55, 0.06
q_entropy_before, q_entropy_after = 2.303, 0.357
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-five-steps-squared", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Total error before and after
answers = {"q_squared_before": q_squared_before, "q_squared_after": q_squared_after}
assert all(value >= 0 for value in answers.values()), "a sum of squares is never negative"
### BEGIN HIDDEN TESTS
check_number(q_squared_before, 0.55, "q_squared_before", rtol=0.001)
check_number(q_squared_after, 0.06, "q_squared_after", rtol=0.001)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-five-steps-entropy", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Cross-entropy before and after
answers = {"q_entropy_before": q_entropy_before, "q_entropy_after": q_entropy_after}
assert all(value >= 0 for value in answers.values()), "the cross-entropy is never negative"
### BEGIN HIDDEN TESTS
check_number(q_entropy_before, math.log(10), "q_entropy_before", rtol=0.002)
check_number(q_entropy_after, -math.log(0.7), "q_entropy_after", rtol=0.003)
### END HIDDEN TESTS

# %%
y = np.array([0.0, 0.0, 1.0, 0.0])
for name, p in {"before": [0.2, 0.4, 0.1, 0.3], "after": [0.1, 0.1, 0.7, 0.1]}.items():
    total_error = (0.5 * (y - np.array(p)) ** 2).sum()
    print(f"{name:6}  total error {total_error:.2f}   cross-entropy {-math.log(p[2]):.3f}")

# %% [markdown]
# Two remarks on that recipe. Images are not taken one by one: an update uses the mean gradient of a
# *mini-batch*. And with a softmax the loss should be the cross-entropy; Exercise 10 shows what the
# squared error does to the gradient.
#
# A habit worth having: a fresh $K$-class network knows nothing, so its loss should be near $\ln K$:
# 2.303 for ten classes, 6.908 for a thousand. If yours starts far above, look for a bug before you
# train.

# %% [markdown]
# ## Part 3 · Gradients of anything by anything
#
# A **tensor** here is an array with any number of axes. The number of axes is its **order**. (It is
# also called rank, but linear algebra means something else by that word.) A gray image has order 2,
# a colour image 3, a batch of colour images 4. A tensor with axes of $d_1, \dots, d_P$ entries has
# $d_1 d_2 \cdots d_P$ of them.
#
# ## Question 7 · Order, rank, index
#
# 1. A batch of $M = 32$ samples goes into a hidden layer of $N_H = 50$ units. A slide calls what comes
#    out, $z_H$, "vectors of dimension $M \times N_H$". What is the order of $z_H$ for the batch?
# 2. $A = u v^\top$ with $u \in \mathbb R^3$, $v \in \mathbb R^4$, both nonzero. Its order is two.
#    What is its rank in linear algebra?
# 3. With the axes [height, width, colour, image], `X[100, 150, 1, 30]` is row 100, column 150 of
#    the green channel of image 30, counting from 0. What is the index of the same number in this
#    course's layout, NCHW? A tuple.

# %% nbgrader={"grade": false, "grade_id": "q-tensors", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_order: the order of z_H for the batch
# q_rank: the rank of A
# q_nchw: the index in NCHW, a tuple of four integers
### BEGIN SOLUTION
q_order = 2
q_rank = 1
q_nchw = (30, 1, 100, 150)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-tensors", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Order, rank and index
assert isinstance(q_nchw, tuple) and len(q_nchw) == 4, "q_nchw should be a tuple of four integers"
### BEGIN HIDDEN TESTS
check_number(q_order, 2, "q_order")
check_number(q_rank, 1, "q_rank")
assert tuple(q_nchw) == (30, 1, 100, 150), f"q_nchw is {q_nchw}, which is not right"
### END HIDDEN TESTS

# %%
z_H = np.zeros((32, 20)) @ np.zeros((50, 20)).T + np.zeros(50)  # 32 samples of 20 numbers
A = np.outer([1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0])
print(
    "z_H of the batch:",
    z_H.shape,
    "  order of A:",
    A.ndim,
    "  rank of A:",
    np.linalg.matrix_rank(A),
)
X = np.zeros((101, 151, 3, 31), dtype=np.uint8)  # height, width, colour, image
print("in NCHW the shape is", X.transpose(3, 2, 0, 1).shape)

# %% [markdown]
# For a batch everything gets one axis more: the input $x$ is a matrix $(M, d)$; the hidden layer,
# before ($z_H$) and after its activation ($u_H$), is a matrix $(M, N_H)$; the output $z_O$ is a
# matrix $(M, K)$.
#
# ## The gradient tensor
#
# The **gradient tensor** of $y = f(x)$ holds the derivative of every output by every input. If $y$
# has order $P$ and $x$ has order $Q$, it has order $P + Q$, the output's axes first:
#
# $$\left[\frac{\partial f}{\partial x}\right]_{i_1 \dots i_P,\; j_1 \dots j_Q} = \frac{\partial f_{i_1 \dots i_P}}{\partial x_{j_1 \dots j_Q}} .$$
#
# ## Question 8 · The size of a gradient tensor
#
# $x$ has shape $(50, 30)$, $y = f(x)$ has shape $(10, 20, 40)$. What is the shape of
# $\partial f / \partial x$, and how many entries has it? (A slide prints
# $10 \cdot 20 \cdot 40 \cdot 50 \cdot 30 = 1.2(10)^2$.)

# %% nbgrader={"grade": false, "grade_id": "q-gradient-tensor", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_gradient_shape: a tuple
# q_gradient_entries: how many numbers
### BEGIN SOLUTION
q_gradient_shape = (10, 20, 40, 50, 30)
q_gradient_entries = 12_000_000
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-gradient-tensor", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Shape and size of the gradient tensor
assert isinstance(q_gradient_shape, tuple), "q_gradient_shape should be a tuple"
### BEGIN HIDDEN TESTS
got = tuple(q_gradient_shape)
assert got == (10, 20, 40, 50, 30), f"q_gradient_shape is {got}, which is not right"
check_number(q_gradient_entries, 12_000_000, "q_gradient_entries")
### END HIDDEN TESTS

# %%
shape = (10, 20, 40) + (50, 30)
print(
    f"order {len(shape)}; {math.prod(shape):,} entries, {8 * math.prod(shape) / 1e6:.0f} MB in float64"
)


# %% [markdown]
# All that for 1,500 inputs and 8,000 outputs, and real layers are larger. So frameworks never build
# gradient tensors: backpropagation only ever multiplies *by* them. But one has to have built a few
# to see what is skipped.
#
# ## Exercise 8 · Three gradient tensors
#
# 1. `example_gradient(w)`: $f(w) = (w_1 w_2,\; w_1^2 + w_3^3)$, with `w` of shape $(3,)$. Two
#    outputs, three inputs: shape $(2, 3)$.
# 2. `linear_grad_w(A, w)`: $z = A w$ with `A` $(m, n)$ ($m$ outputs, $n$ inputs, one sample), by the
#    *vector* $w$. Shape $(m, n)$.
# 3. `linear_grad_A(A, w)`: the same $z = A w$, by the *matrix* $A$. Shape $(m, m, n)$, with entry
#    $[i, k, j] = \partial z_i / \partial A_{kj}$.
#
# *Worked example.* At $w = (2, 3, 1)$ the first is
# $\begin{bmatrix}3 & 2 & 0\\ 4 & 0 & 3\end{bmatrix}$. For the third with $m = 2$ and
# $w = (5, 6, 7)$: $z_0$ sees only row 0 of $A$, so the slice `[0]` is
# $\begin{bmatrix}5&6&7\\0&0&0\end{bmatrix}$ and the slice `[1]` is
# $\begin{bmatrix}0&0&0\\5&6&7\end{bmatrix}$.

# %% nbgrader={"grade": false, "grade_id": "gradient-tensors", "locked": false, "schema_version": 3, "solution": true, "task": false}
def example_gradient(w):
    """The gradient tensor (2, 3) of f(w) = (w1 w2, w1^2 + w3^3) at w (3,)."""
    ### BEGIN SOLUTION
    return np.array([[w[1], w[0], 0], [2 * w[0], 0, 3 * w[2] ** 2]])
    ### END SOLUTION


def linear_grad_w(A, w):
    """The gradient tensor (m, n) of z = A w by w; A (m, n), w (n,)."""
    ### BEGIN SOLUTION
    return A.copy()
    ### END SOLUTION


def linear_grad_A(A, w):
    """The gradient tensor (m, m, n) of z = A w by A; A (m, n), w (n,)."""
    ### BEGIN SOLUTION
    return np.einsum("ik,j->ikj", np.eye(len(A)), w)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-gradient-example", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Two outputs, three inputs
w = np.array([2.0, 3.0, 1.0])
check_close(
    example_gradient(w), [[3, 2, 0], [4, 0, 3]], "example_gradient at (2, 3, 1)", **TOLERANCE
)
### BEGIN HIDDEN TESTS
a, b, c = w = np.random.default_rng(316).normal(size=3) * 2
want = [[b, a, 0], [2 * a, 0, 3 * c * c]]
check_close(example_gradient(w), want, "example_gradient at a random point", **TOLERANCE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-gradient-linear", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# A linear map, by its vector and by its matrix
A, w = np.ones((2, 3)), np.array([5.0, 6.0, 7.0])
check_shape(linear_grad_w(A, w), (2, 3), "linear_grad_w")
want = [[[5, 6, 7], [0, 0, 0]], [[0, 0, 0], [5, 6, 7]]]
check_close(linear_grad_A(A, w), want, "linear_grad_A of the worked example", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(317)
for rows, columns in ((3, 2), (2, 4), (3, 3)):
    A, w = rng.normal(size=(rows, columns)), rng.normal(size=columns)
    check_close(linear_grad_w(A, w), A, f"linear_grad_w, A ({rows}, {columns})", **TOLERANCE)
    want = np.zeros((rows, rows, columns))
    for row in range(rows):
        want[row, row] = w
    check_close(linear_grad_A(A, w), want, f"linear_grad_A, A ({rows}, {columns})", **TOLERANCE)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Transposed**: outputs come first. A row of the gradient belongs to one output.
# - **`linear_grad_A` has shape $(m, n)$**: that is a gradient for *one* output. There are $m$
#   outputs, each with its own $(m, n)$ slice, mostly zeros.
# - **The nonzero rows are filled with $A$**: $z_i = \sum_j A_{ij} w_j$. By $A_{ij}$ that gives
#   $w_j$.
#
# </details>
#
# This is how the two kinds look that every network is made of: an element-wise activation gives a
# *diagonal*, a linear layer by its own matrix gives a tensor that is nearly all zeros.

# %% tags=["illustration"]
rng = np.random.default_rng(seed)
z, w = rng.normal(size=8), rng.normal(size=8)
diagonal = np.diag(1 - np.tanh(z) ** 2)
dense = rng.normal(size=(8, 8))
block = np.zeros((8, 8, 8))
block[np.arange(8), np.arange(8)] = w
figure, axes = plt.subplot_mosaic("ab;cc", figsize=(9, 5.2), height_ratios=[2.2, 1])
pictures = {
    "a": (diagonal, "u = tanh(z), by z: (8, 8), diagonal"),
    "b": (dense, "z = A w, by w: (8, 8), which is A itself"),
    "c": (np.hstack(block), "z = A w, by A: (8, 8, 8), its eight slices side by side"),
}
for place, (picture, title) in pictures.items():
    axes[place].imshow(picture, cmap="RdBu_r", vmin=-2, vmax=2)
    axes[place].set_title(title, fontsize=10)
    axes[place].set(xticks=[], yticks=[])
for line in range(8, 64, 8):
    axes["c"].axvline(line - 0.5, color="black", linewidth=0.8)
figure.tight_layout()


# %% [markdown]
# ## The chain rule, with indices
#
# Let $y = h(x)$ and $z = g(y)$. For numbers, $\frac{dz}{dx} = \frac{dz}{dy}\frac{dy}{dx}$. For
# tensors the rule is the same, with a sum over *all* entries of the tensor in the middle, since
# each of them is a way from $x$ to $z$:
#
# $$\frac{\partial z_{i}}{\partial x_{j}} = \sum_{k} \frac{\partial g_{i}}{\partial y_{k}}\, \frac{\partial h_{k}}{\partial x_{j}}, \qquad\text{in short}\quad \frac{\partial z}{\partial x} = \Bigl\langle \frac{\partial z}{\partial y}, \frac{\partial y}{\partial x} \Bigr\rangle ,$$
#
# where $i$, $j$ and $k$ may each stand for several indices. Three steps always work: *name the
# indices; write down both gradient tensors; sum over the indices of $y$.* `np.einsum` takes exactly
# that as a string. With $z$ of order 1 (index `r`), $y$ a matrix (`ab`) and $x$ a vector (`n`):
#
# ```python
# dz_dx = np.einsum("rab,abn->rn", dz_dy, dy_dx)   # a and b occur on the left only: they are summed
# ```
#
# ## Exercise 9 · The tensor chain rule
#
# 1. `chain_einsum(dz_dy, dy_dx)` for the case $z$ order 1, $y$ order 2, $x$ order 2: `dz_dy` is
#    $(R, m_1, m_2)$, `dy_dx` is $(m_1, m_2, n_1, n_2)$, the result $(R, n_1, n_2)$.
# 2. `tensor_chain(dz_dy, dy_dx, order)` for any orders: `order` is the order of $y$, so the last
#    `order` axes of `dz_dy` and the first `order` axes of `dy_dx` belong to $y$. Any of the three
#    orders may be 0 (a number): it brings no axes.
#
# *Worked example.* $y \in \mathbb R^2$, and $z$ and $x$ are numbers:
# $\partial z/\partial y = (1, 2)$, $\partial y / \partial x = (3, 4)$, so
# $\partial z / \partial x = 1 \cdot 3 + 2 \cdot 4 = 11$: `tensor_chain` with `order=1` returns the
# number 11 (order 0).

# %% nbgrader={"grade": false, "grade_id": "tensor-chain", "locked": false, "schema_version": 3, "solution": true, "task": false}
def chain_einsum(dz_dy, dy_dx):
    """dz/dx (R, n1, n2) from dz_dy (R, m1, m2) and dy_dx (m1, m2, n1, n2)."""
    ### BEGIN SOLUTION
    return np.einsum("rab,abxy->rxy", dz_dy, dy_dx)
    ### END SOLUTION


def tensor_chain(dz_dy, dy_dx, order):
    """dz/dx for any orders; the last `order` axes of dz_dy and the first of dy_dx are y's."""
    ### BEGIN SOLUTION
    return np.tensordot(dz_dy, dy_dx, axes=order)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-chain-einsum", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# A matrix in the middle
dz_dy, dy_dx = np.ones((4, 2, 3)), np.ones((2, 3, 5, 6))
check_shape(chain_einsum(dz_dy, dy_dx), (4, 5, 6), "chain_einsum")
check_close(
    chain_einsum(dz_dy, dy_dx), np.full((4, 5, 6), 6.0), "chain_einsum of ones", **TOLERANCE
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(318)
for shapes in (((4, 2, 3), (2, 3, 5, 2)), ((3, 3, 3), (3, 3, 3, 3))):
    dz_dy, dy_dx = (rng.normal(size=shape) for shape in shapes)
    size = dz_dy[0].size
    want = dz_dy.reshape(-1, size) @ dy_dx.reshape(size, -1)
    want = want.reshape(dz_dy.shape[:1] + dy_dx.shape[2:])
    check_close(chain_einsum(dz_dy, dy_dx), want, f"chain_einsum of shapes {shapes}", **TOLERANCE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-chain-orders", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Tensors of any order
got = tensor_chain(np.array([1.0, 2.0]), np.array([3.0, 4.0]), 1)
check_close(got, 11.0, "tensor_chain of the worked example", **TOLERANCE)
check_shape(
    tensor_chain(np.ones((4, 2, 3)), np.ones((2, 3, 5)), 2), (4, 5), "tensor_chain, order 2"
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(319)
for of_z, of_y, of_x in (
    ((4,), (3,), (5,)),
    ((), (3, 2), (2, 3)),
    ((2, 3), (2, 2, 2), (4,)),
    ((2,), (), (3, 2)),
):
    dz_dy, dy_dx = rng.normal(size=of_z + of_y), rng.normal(size=of_y + of_x)
    size = math.prod(of_y)
    want = (dz_dy.reshape(-1, size) @ dy_dx.reshape(size, -1)).reshape(of_z + of_x)
    what = f"tensor_chain for z {of_z}, y {of_y}, x {of_x}"
    check_close(tensor_chain(dz_dy, dy_dx, len(of_y)), want, what, **TOLERANCE)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **`chain_einsum` gives a larger tensor**: indices of $y$ must not stand to the right of the
#   arrow.
# - **Right for squares, wrong else**: you sum over the wrong pair of axes; order 2 means the *last
#   two* of the first with the *first two* of the second, in the same order.
# - **`tensor_chain` for any order**: either flatten $y$'s axes to one (a matrix product is a chain
#   rule of order 1), or look up the argument `axes` of `np.tensordot` when it is an integer.
#
# </details>
#
# ## Exercise 10 · Softmax under two losses
#
# One sample, logits $z$ $(K,)$, probabilities $p = \text{softmax}(z)$. Every logit moves every
# probability, so the gradient tensor of the softmax is a full matrix:
#
# $$J_{kl} = \frac{\partial p_k}{\partial z_l} = p_k\,(\delta_{kl} - p_l), \qquad J = \operatorname{diag}(p) - p\,p^\top ,$$
#
# where $\delta_{kl}$ is 1 for $k = l$ and 0 otherwise. Chain it with $\partial L / \partial p$:
#
# - cross-entropy, $L = -\sum_k y_k \ln p_k$: $\;\partial L/\partial p_k = -y_k/p_k$, and
#   $\sum_k \frac{-y_k}{p_k}\, p_k (\delta_{kl} - p_l) = -y_l + p_l \sum_k y_k = p_l - y_l$. The
#   division by $p$ cancels the $p$ that the softmax brings.
# - squared error, $L = \frac12\sum_k (p_k - y_k)^2$: $\;\partial L/\partial p_k = p_k - y_k$.
#   Nothing cancels.
#
# Write `softmax_jacobian(z)`, $(K, K)$, and `softmax_l2_grad(z, y)`: the gradient by the logits,
# $(K,)$, of $\frac12 \sum_k (p_k - y_k)^2$ for a one-hot (or any other) target `y` $(K,)$.
#
# *Worked example.* $z = (0, 0)$: $p = (\frac12, \frac12)$,
# $J = \begin{bmatrix}\frac14 & -\frac14\\ -\frac14 & \frac14\end{bmatrix}$. With $y = (1, 0)$:
# $p - y = (-\frac12, \frac12)$, and the gradient is $(-\frac14, \frac14)$.

# %% nbgrader={"grade": false, "grade_id": "softmax-jacobian", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax_jacobian(z):
    """The gradient tensor (K, K) of softmax at the logits z (K,) of one sample."""
    ### BEGIN SOLUTION
    p = softmax(z[None])[0]  # (K,)
    return np.diag(p) - np.outer(p, p)
    ### END SOLUTION


def softmax_l2_grad(z, y):
    """The gradient (K,) by z of half the squared error between softmax(z) and y, both (K,)."""
    ### BEGIN SOLUTION
    return np.einsum("k,kl->l", softmax(z[None])[0] - y, softmax_jacobian(z))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-softmax-jacobian", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The gradient tensor of the softmax
want = [[0.25, -0.25], [-0.25, 0.25]]
check_close(softmax_jacobian(np.zeros(2)), want, "softmax_jacobian at (0, 0)", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(320)
for classes in (3, 5):
    z = rng.normal(size=classes)
    p = np.exp(z) / np.exp(z).sum()
    want = np.array([[p[k] * ((k == j) - p[j]) for j in range(classes)] for k in range(classes)])
    check_close(softmax_jacobian(z), want, f"softmax_jacobian, {classes} classes", **TOLERANCE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-softmax-l2", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Squared error through the softmax
got = softmax_l2_grad(np.zeros(2), np.array([1.0, 0.0]))
check_close(got, [-0.25, 0.25], "softmax_l2_grad of the worked example", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(321)
for classes in (3, 4):
    z, y = rng.normal(size=classes) * 2, np.eye(classes)[1]
    p = np.exp(z) / np.exp(z).sum()
    want = p * ((p - y) - p @ (p - y))
    check_close(softmax_l2_grad(z, y), want, f"softmax_l2_grad, {classes} classes", **TOLERANCE)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Your `softmax` complains about one axis**: it wants $(M, K)$. Hand it `z[None]`, a batch of
#   one, and take row 0 of what comes back.
# - **The gradient's entries do not sum to 0**: they must, since adding a constant to all logits
#   changes nothing. Multiply with the whole Jacobian, not with its diagonal $p(1 - p)$.
# - **The gradient is $p - y$**: that is the cross-entropy's. Here $p - y$ is only
#   $\partial L/\partial p$.
#
# </details>
#
# ## Question 9 · Confidently wrong
#
# The logits are $(10, 0, 0)$, and the true class is the last. Predict, to the nearest integer: the
# entry of the gradient that belongs to the *true* class's logit, under the cross-entropy and under
# the squared error.

# %% nbgrader={"grade": false, "grade_id": "q-push", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_push_entropy, q_push_squared: two integers
### BEGIN SOLUTION
q_push_entropy = -1
q_push_squared = 0
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-push", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The push on the true class's logit
assert np.isscalar(q_push_entropy) and np.isscalar(q_push_squared), "two numbers, please"
### BEGIN HIDDEN TESTS
check_number(q_push_entropy, -1, "q_push_entropy", rtol=0.01)
check_number(round(q_push_squared, 1), 0, "q_push_squared")
### END HIDDEN TESTS

# %%
z, y = np.array([10.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
print("cross-entropy:", cross_entropy_grad(z[None], np.array([2]))[0])
print("squared error:", softmax_l2_grad(z, y))

# %% [markdown]
# The worse the mistake, the less the squared error does about it: that is saturation, in a loss.
# This is why classifiers are trained with cross-entropy.
#
# ## Question 10 · Which end of the chain first?
#
# A loss $L$ (a number) depends on $y$ (1000 numbers), $y$ on $x$ (1000), $x$ on $w$ (500). The
# chain rule is a product of three matrices,
#
# $$\frac{\partial L}{\partial w} = \underbrace{\frac{\partial L}{\partial y}}_{1 \times 1000}\;\underbrace{\frac{\partial y}{\partial x}}_{1000 \times 1000}\;\underbrace{\frac{\partial x}{\partial w}}_{1000 \times 500},$$
#
# and the result is the same in either order. How many multiply-adds does it take from the left,
# starting at the loss? And from the right, starting at the weights?

# %% nbgrader={"grade": false, "grade_id": "q-cost", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_from_loss: multiply-adds from left to right
# q_from_weights: multiply-adds from right to left
### BEGIN SOLUTION
q_from_loss = 1000 * 1000 + 1000 * 500
q_from_weights = 1000 * 1000 * 500 + 1000 * 500
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-cost", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Multiply-adds of both orders
assert np.isscalar(q_from_loss) and np.isscalar(q_from_weights), "two numbers, please"
### BEGIN HIDDEN TESTS
check_number(q_from_loss, 1_500_000, "q_from_loss")
check_number(q_from_weights, 500_500_000, "q_from_weights")
### END HIDDEN TESTS

# %%
shapes = [(1, 1000), (1000, 1000), (1000, 500)]
(a, b), (_, c), (_, d) = shapes
print(f"from the loss     {a * b * c + a * c * d:>11,}")
print(f"from the weights  {b * c * d + a * b * d:>11,}")


# %% [markdown]
# That is why gradients travel **back**. A loss is one number, so from its end the product is always
# a vector times a matrix; the gradient never gets larger than the layer it belongs to.

# %% [markdown]
# ## Part 4 · A judge that knows no calculus
#
# Whoever writes gradients by hand makes mistakes, and a wrong gradient often still trains, only
# badly. So check each one against the definition of the derivative: move one number of $x$ a
# little, and see what the function does,
#
# $$\frac{\partial f}{\partial x_j} \approx \frac{f(x + h\,e_j) - f(x - h\,e_j)}{2h} .$$
#
# This *central difference* is wrong by a multiple of $h^2$. The one-sided
# $\frac{f(x + h e_j) - f(x)}{h}$ is wrong by a multiple of $h$.
#
# ## Exercise 11 · The gradient checker
#
# Write `numerical_gradient(f, x, h=1e-5)` with central differences. `f` takes an array of `x`'s
# shape and returns a number; `x` is a float array of *any* shape; the result has that shape.
# Whatever you do to `x` on the way, it must hold its old values when you return. Two calls of `f`
# per entry of `x` are enough.
#
# *Worked example.* $f(x) = \sum_j x_j^3$ at $(1, 2)$: the gradient is $3x_j^2 = (3, 12)$. With
# $h = 0.1$ the formula gives $(3.01, 12.01)$, since $\frac{(x+h)^3 - (x-h)^3}{2h} = 3x^2 + h^2$.

# %% nbgrader={"grade": false, "grade_id": "numerical-gradient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def numerical_gradient(f, x, h=1e-5):
    """The gradient of f at x by central differences.

    f: a function from an array of x's shape to a number. x: float array of any shape, left as it
    was. Returns an array of x's shape.
    """
    ### BEGIN SOLUTION
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = h
        gradient[place] = (f(x + step) - f(x - step)) / (2 * h)
    return gradient
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-numerical-values", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Central differences of a function
def cubes(x):
    return float((x**3).sum())


x = np.array([1.0, 2.0])
check_close(numerical_gradient(cubes, x), [3.0, 12.0], "the gradient of sum x^3", rtol=1e-6)
check_close(numerical_gradient(cubes, x, h=0.1), [3.01, 12.01], "the same with h = 0.1", rtol=1e-6)
### BEGIN HIDDEN TESTS
weights = np.random.default_rng(322).normal(size=4) * 3


def steep(x):
    return float(np.exp(2 * x) @ weights + 40 * x[0] * x[2])


x = np.array([0.7, -0.4, 1.1, 0.2])
want = 2 * np.exp(2 * x) * weights + 40 * np.array([x[2], 0, x[0], 0])
check_close(numerical_gradient(steep, x), want, "the gradient of a steep function", rtol=1e-6)
central = np.exp(2 * x) * weights * np.sinh(0.4) / 0.2 + 40 * np.array([x[2], 0, x[0], 0])
check_close(numerical_gradient(steep, x, 0.2), central, "the same with h = 0.2", rtol=1e-6)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-numerical-shapes", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Arrays of any shape, left unchanged
def total(x):
    return float((x * np.arange(6.0).reshape(2, 3)).sum())


x = np.ones((2, 3))
check_close(
    numerical_gradient(total, x),
    [[0, 1, 2], [3, 4, 5]],
    "the gradient at a (2, 3) array",
    rtol=1e-6,
)
check_close(x, np.ones((2, 3)), "x after the call", rtol=0, atol=1e-9)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(323)
for shape in ((2, 1, 3), (2, 2), (4,)):
    scale, x = rng.normal(size=shape), rng.normal(size=shape)
    before, seen = x.copy(), []

    def quartic(argument):
        seen.append(np.shape(argument))
        return float((scale * argument**2).sum() + argument.flat[0] * argument.flat[-1])

    want = 2 * scale * before
    want.flat[0] += before.flat[-1]
    want.flat[-1] += before.flat[0]
    check_close(numerical_gradient(quartic, x), want, f"the gradient at a {shape} array", rtol=1e-6)
    check_close(x, before, f"x {shape} after the call", rtol=0, atol=1e-9)
    assert set(seen) == {shape}, f"f should be called with arrays of shape {shape}"
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **A small error, about $h$ times something**: that is the one-sided difference. Look on both
#   sides.
# - **All entries the same, or sums**: move *one* entry at a time and put it back before the next.
# - **"x after the call differs"**: keep the old value and restore it, or work on a copy. (Adding
#   and subtracting $h$ again is not exact, but near enough.)
# - **Only vectors work**: `np.ndindex(x.shape)` walks through the places of an array of any shape;
#   a tuple is a valid index.
# - **The result is all zeros**: is your gradient array, or `x`, of integer dtype? $h$ disappears in
#   it.
#
# </details>
#
# ## Question 11 · How small is small? And a corner
#
# 1. Which $h$ comes closest in float64 for a central difference of a smooth function of moderate
#    size: $10^{-1}$, $10^{-5}$ or $10^{-13}$?
# 2. What does a central difference say about the derivative of ReLU at exactly $z = 0$? (This
#    course's `relu_grad` says 0.)

# %% nbgrader={"grade": false, "grade_id": "q-step", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_h: 1e-1, 1e-5 or 1e-13
# q_corner: the central difference of ReLU at 0
### BEGIN SOLUTION
q_h = 1e-5
q_corner = 0.5
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-step", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The best step size, and the corner of ReLU
options = (1e-1, 1e-5, 1e-13)
assert q_h in options, f"q_h should be one of {options}"
### BEGIN HIDDEN TESTS
check_number(q_h, 1e-5, "q_h", rtol=1e-6)
check_number(q_corner, 0.5, "q_corner", rtol=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# Here is the error of both differences for $f(x) = e^{\sin x}$ at $x = 1$. From the right, with
# shrinking $h$, the formula gets better, as $h$ or as $h^2$. Then rounding takes over: two nearly
# equal numbers are subtracted, and the error of about $10^{-16}$ in each is divided by $h$. At a corner
# no $h$ helps: a central difference gives the mean of the slopes on both sides.

# %% tags=["illustration"]
steps = 10.0 ** np.arange(-15, 0.01, 0.25)
x, truth = 1.0, math.cos(1.0) * math.exp(math.sin(1.0))
f = lambda t: np.exp(np.sin(t))
errors = {
    "one-sided": abs((f(x + steps) - f(x)) / steps - truth),
    "central": abs((f(x + steps) - f(x - steps)) / (2 * steps) - truth),
}
figure, axis = plt.subplots(figsize=(7, 3.6))
for (name, error), color in zip(errors.items(), ("tab:orange", "tab:blue")):
    axis.loglog(steps, np.maximum(error, 1e-17), "o-", color=color, label=name, markersize=4)
axis.loglog(steps[steps > 1e-5], steps[steps > 1e-5] ** 2, ":", color="tab:blue", label="∝ h²")
axis.loglog(steps[steps > 1e-8], steps[steps > 1e-8], ":", color="tab:orange", label="∝ h")
axis.loglog(
    steps[steps < 1e-5], 1e-16 / steps[steps < 1e-5], ":", color="gray", label="∝ 1/h: rounding"
)
axis.set(
    xlabel="step h", ylabel="error of the derivative", title="too small, just right, too large"
)
axis.set_ylim(1e-13, 3)
axis.legend(fontsize=8)
axis.grid(alpha=0.3)
figure.tight_layout()
for h in (1e-1, 1e-5):
    print(f"ReLU at 0, h = {h:g}: {(max(0, h) - max(0, -h)) / (2 * h)}")


# %% [markdown]
# To compare two gradients, use a *relative* error: their largest difference over the size of the
# larger one. With central differences in float64, $10^{-7}$ or less is agreement, $10^{-2}$ is a
# bug, and in between a corner of a ReLU may lie within $h$ of your point: try another point.

# %%
def relative_error(a, b):
    """Largest difference of two arrays over the largest magnitude in either."""
    return np.abs(a - b).max() / max(np.abs(a).max(), np.abs(b).max(), 1e-12)


rng = np.random.default_rng(seed)
y_hat, y = rng.normal(size=(3, 2)), rng.normal(size=(3, 2))
logits, labels = rng.normal(size=(3, 4)), np.array([1, 3, 0])
logit, yes = rng.normal(size=5), np.array([1, 0, 0, 1, 1])
checks = {
    "l2_grad": (l2_grad(y_hat, y), lambda a: l2_loss(a, y), y_hat),
    "bce_with_logits_grad": (
        bce_with_logits_grad(logit, yes),
        lambda a: bce_with_logits(a, yes),
        logit,
    ),
    "cross_entropy_grad": (
        cross_entropy_grad(logits, labels),
        lambda a: cross_entropy(a, labels),
        logits,
    ),
}
for name, (analytic, function, point) in checks.items():
    print(
        f"{name:21} relative error {relative_error(analytic, numerical_gradient(function, point)):.1e}"
    )

# %% [markdown]
# ## Part 5 · A network, forward and back
#
# Two layers: a hidden one with ReLU, and an output layer that gives logits. The parameters are
# $\theta = (W_H, b_H, W_O, b_O)$. In a convolutional layer $W_H$ would be the kernels; nothing else
# about this part would change. Black: the forward pass. Red: the gradients, which come back in the
# opposite order. **Every gradient has the shape of the thing it belongs to.**

# %% tags=["illustration"]
figure, axis = plt.subplots(figsize=(11, 3.8))
blue = {"boxstyle": "round,pad=0.5", "facecolor": "#dbe9f6", "edgecolor": "black"}
green = blue | {"facecolor": "#e7f3dc"}
forth = {"arrowstyle": "-|>", "lw": 1.8, "mutation_scale": 16}
back = forth | {"color": "tab:red"}
names = ["$X$\n(M, d)", "$z_H$\n(M, $N_H$)", "$u_H$\n(M, $N_H$)", "$z_O$\n(M, K)", "$L$\n()"]
steps = ["$X\\,W_H^T + b_H$", "ReLU", "$u_H W_O^T + b_O$", "loss"]
returns = [
    "",
    r"$\partial L/\partial z_H$",
    r"$\partial L/\partial u_H$",
    r"$\partial L/\partial z_O$",
]
for place, name in zip(np.arange(5) * 2.6, names):
    axis.text(place, 0, name, ha="center", va="center", fontsize=12, bbox=blue)
for place, step, name in zip(np.arange(4) * 2.6, steps, returns):
    left, middle, right = place + 0.62, place + 1.3, place + 1.98
    axis.annotate("", (right, 0.16), (left, 0.16), arrowprops=forth)
    axis.text(middle, 0.3, step, ha="center", fontsize=11)
    if name:
        axis.annotate("", (left, -0.16), (right, -0.16), arrowprops=back)
        axis.text(middle, -0.5, name, color="tab:red", ha="center", fontsize=12)
for place, k, shapes in ((2.6, "H", "($N_H$, d), ($N_H$,)"), (7.8, "O", "(K, $N_H$), (K,)")):
    axis.text(place, 1.35, f"$W_{k}$, $b_{k}$\n{shapes}", ha="center", va="center", bbox=green)
    axis.annotate("", (place, 0.42), (place, 1.0), arrowprops=forth)
    axis.annotate("", (place, -1.1), (place, -0.42), arrowprops=back)
    gradients = rf"$\partial L/\partial W_{k}$,  $\partial L/\partial b_{k}$"
    axis.text(place, -1.32, gradients, color="tab:red", ha="center", va="center", fontsize=12)
axis.set(xlim=(-0.7, 11), ylim=(-1.6, 1.75))
axis.axis("off")
figure.tight_layout()


# %% [markdown]
# ## Exercise 12 · Forward
#
# $$z_H = X W_H^\top + b_H, \qquad u_H = \text{ReLU}(z_H), \qquad z_O = u_H W_O^\top + b_O .$$
#
# Write `forward(params, X)`. `params` is a dict with `"W_H"` $(N_H, d)$, `"b_H"` $(N_H,)$, `"W_O"`
# $(K, N_H)$, `"b_O"` $(K,)$; `X` is $(M, d)$. Return a dict with `"z_H"`, `"u_H"` $(M, N_H)$ and
# `"z_O"` $(M, K)$: the backward pass will need them. (What goes into an activation, here $z_H$, is also
# called the *pre-activation*.)
#
# *Worked example.* One sample $x = (1, 2)$, $W_H = \begin{bmatrix}1&1\\-1&0\\0&2\end{bmatrix}$,
# $b_H = (0, 0, -1)$: $z_H = (3, -1, 3)$, $u_H = (3, 0, 3)$. With
# $W_O = \begin{bmatrix}1&5&1\end{bmatrix}$ and $b_O = (1)$: $z_O = (7)$.

# %% nbgrader={"grade": false, "grade_id": "forward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def forward(params, X):
    """Hidden pre-activations, hidden activations and logits of a batch X (M, d).

    params: W_H (N_H, d), b_H (N_H,), W_O (K, N_H), b_O (K,).
    Returns {"z_H": (M, N_H), "u_H": (M, N_H), "z_O": (M, K)}.
    """
    ### BEGIN SOLUTION
    z_H = X @ params["W_H"].T + params["b_H"]  # (M, N_H)
    u_H = np.maximum(z_H, 0)  # (M, N_H)
    z_O = u_H @ params["W_O"].T + params["b_O"]  # (M, K)
    return {"z_H": z_H, "u_H": u_H, "z_O": z_O}
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-forward-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The hidden layer
params = {
    "W_H": np.array([[1.0, 1.0], [-1.0, 0.0], [0.0, 2.0]]),
    "b_H": np.array([0.0, 0.0, -1.0]),
    "W_O": np.array([[1.0, 5.0, 1.0]]),
    "b_O": np.array([1.0]),
}
result = forward(params, np.array([[1.0, 2.0]]))
check_close(result["z_H"], [[3, -1, 3]], "z_H of the worked example", **TOLERANCE)
check_close(result["u_H"], [[3, 0, 3]], "u_H of the worked example", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(324)
shapes = {"W_H": (5, 3), "b_H": (5,), "W_O": (2, 5), "b_O": (2,)}
params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
X = rng.normal(size=(4, 3))
z_H = np.array([[x @ row + b for row, b in zip(params["W_H"], params["b_H"])] for x in X])
result = forward(params, X)
check_close(result["z_H"], z_H, "z_H for M=4, d=3, N_H=5", **TOLERANCE)
check_close(result["u_H"], z_H * (z_H > 0), "u_H for M=4, d=3, N_H=5", **TOLERANCE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-forward-output", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The logits
params = {
    "W_H": np.array([[1.0, 1.0], [-1.0, 0.0], [0.0, 2.0]]),
    "b_H": np.array([0.0, 0.0, -1.0]),
    "W_O": np.array([[1.0, 5.0, 1.0]]),
    "b_O": np.array([1.0]),
}
check_close(
    forward(params, np.array([[1.0, 2.0]]))["z_O"], [[7]], "z_O of the worked example", **TOLERANCE
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(325)
for d, hidden, classes, samples in ((3, 5, 2, 4), (4, 4, 4, 4)):
    shapes = {"W_H": (hidden, d), "b_H": (hidden,), "W_O": (classes, hidden), "b_O": (classes,)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    X = rng.normal(size=(samples, d))
    before = X.copy()
    u_H = np.array(
        [[max(0, x @ row + b) for row, b in zip(params["W_H"], params["b_H"])] for x in X]
    )
    want = np.einsum("kh,mh->mk", params["W_O"], u_H) + params["b_O"]
    what = f"z_O for M={samples}, d={d}, N_H={hidden}, K={classes}"
    check_close(forward(params, X)["z_O"], want, what, **TOLERANCE)
    check_unchanged(X, before, "X")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **"mismatch in its core dimension"**: rows of `X` are samples and rows of `W_H` are units, so
#   one of the two has to be transposed.
# - **Right for square layers only**: `X @ W_H` without the transpose.
# - **`u_H` equals `z_H`**: if you clipped in place, both names stand for the same array. Let ReLU
#   make a new one.
# - **Logits never negative**: the output layer has no ReLU.
#
# </details>
#
# ## Exercise 13 · The last layer of a binary classifier
#
# One output unit, $z_O = u_H W_O^\top + b_O$ of shape $(M, 1)$, label $y_i \in \{0, 1\}$, loss: the
# mean binary cross-entropy. Find all three gradients with pen and paper first; the first you know
# from Exercise 6, and it holds the factor $\frac1M$ already:
#
# $$\frac{\partial L}{\partial z_O} = \frac{\sigma(z_O) - y}{M}, \qquad \frac{\partial L}{\partial W_O} = \Bigl\langle \frac{\partial L}{\partial z_O}, \frac{\partial z_O}{\partial W_O} \Bigr\rangle = \;?\;, \qquad \frac{\partial L}{\partial b_O} = \;?$$
#
# Write `binary_last_layer(u_H, W_O, b_O, y)` with `u_H` $(M, N_H)$, `W_O` $(1, N_H)$, `b_O` $(1,)$
# and `y` $(M, 1)$. Return the three gradients `dz` $(M, 1)$, `dW` $(1, N_H)$, `db` $(1,)$, in this
# order.
#
# *Worked example.* Two samples, $u_H = \begin{bmatrix}1&2\\3&0\end{bmatrix}$, $W_O = (0, 0)$,
# $b_O = (0)$, $y = (1, 0)$: all probabilities are $\frac12$, so `dz` $= (-\frac14, \frac14)$. The
# first sample pulls $W_O$ with $-\frac14(1, 2)$, the second with $\frac14 (3, 0)$: `dW`
# $= (0.5, -0.5)$. And `db` $= -\frac14 + \frac14 = 0$.

# %% nbgrader={"grade": false, "grade_id": "binary-last-layer", "locked": false, "schema_version": 3, "solution": true, "task": false}
def binary_last_layer(u_H, W_O, b_O, y):
    """Gradients of the mean binary cross-entropy of the logits u_H W_O^T + b_O.

    u_H (M, N_H), W_O (1, N_H), b_O (1,), y (M, 1).
    Returns dz (M, 1), dW (1, N_H), db (1,).
    """
    ### BEGIN SOLUTION
    dz = bce_with_logits_grad(u_H @ W_O.T + b_O, y)  # (M, 1)
    return dz, dz.T @ u_H, dz.sum(axis=0)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-binary-dz", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The gradient by the logits
u_H, y = np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([[1.0], [0.0]])
dz = binary_last_layer(u_H, np.zeros((1, 2)), np.zeros(1), y)[0]
check_close(dz, [[-0.25], [0.25]], "dz of the worked example", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(326)
u_H, W_O, b_O = rng.normal(size=(5, 3)), rng.normal(size=(1, 3)), rng.normal(size=1)
y = np.array([[1.0], [0.0], [1.0], [1.0], [0.0]])
want = (0.5 + 0.5 * np.tanh((u_H @ W_O[0] + b_O) / 2) - y[:, 0]) / 5
check_close(binary_last_layer(u_H, W_O, b_O, y)[0], want[:, None], "dz for M=5, N_H=3", **TOLERANCE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-binary-parameters", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The gradients by W_O and b_O
u_H, y = np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([[1.0], [0.0]])
_, dW, db = binary_last_layer(u_H, np.zeros((1, 2)), np.zeros(1), y)
check_close(dW, [[0.5, -0.5]], "dW of the worked example", **TOLERANCE)
check_close(db, [0.0], "db of the worked example", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(327)
u_H, W_O, b_O = rng.normal(size=(5, 3)), rng.normal(size=(1, 3)), rng.normal(size=1)
y = np.array([[1.0], [0.0], [1.0], [1.0], [0.0]])
dz = (0.5 + 0.5 * np.tanh((u_H @ W_O[0] + b_O) / 2) - y[:, 0]) / 5
_, dW, db = binary_last_layer(u_H, W_O, b_O, y)
check_close(dW, np.einsum("m,mh->h", dz, u_H)[None], "dW for M=5, N_H=3", **TOLERANCE)
check_close(db, [sum(dz)], "db for M=5, N_H=3", **TOLERANCE)
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Which product gives `dW`?** Only one order of `dz` $(M, 1)$ and `u_H` $(M, N_H)$, with one
#   transpose, gives $(1, N_H)$, and it sums over the samples by itself.
# - **`dW` and `db` too small by a factor $M$**: the mean is in `dz` already. Sum over samples, do
#   not average again.
# - **`db` has shape $(M, 1)$ or ()**: one bias serves all samples, so sum over axis 0 and keep its
#   shape $(1,)$.
#
# </details>
#
# ## Exercise 14 · Backward through both layers
#
# Now for any loss: the upstream gradient $\partial L/\partial z_O$ is given, and the network passes
# it on. In the order of the red arrows:
#
# $$\frac{\partial L}{\partial u_H} = \frac{\partial L}{\partial z_O}\, W_O, \qquad \frac{\partial L}{\partial z_H} = \frac{\partial L}{\partial u_H} \odot \text{ReLU}'(z_H),$$
#
# where $\odot$ multiplies entry by entry: the gradient tensor of an element-wise function is
# diagonal, and nobody builds a diagonal. With each $\partial L / \partial z$ come the gradients of
# its layer's $W$ and $b$, as in Exercise 13.
#
# Write `backward(params, X, cache, dz_O)`. `cache` is what `forward` returned; the tests bring
# their own, with exactly the three entries `"z_H"`, `"u_H"`, `"z_O"`. `dz_O` is $(M, K)$ and holds
# every $\frac1M$ already. Return a dict with the four gradients under the names of the parameters,
# each in its parameter's shape.
#
# *Worked example.* The network of Exercise 12 with the upstream gradient $(2)$:
# $\partial L/\partial W_O = 2\,u_H = (6, 0, 6)$, $\partial L/\partial b_O = (2)$. Back to the
# hidden layer: $\partial L/\partial u_H = 2\,W_O = (2, 10, 2)$; the second unit had $z = -1$, so
# $\partial L/\partial z_H = (2, 0, 2) = \partial L/\partial b_H$, and
# $\partial L/\partial W_H = \begin{bmatrix}2&4\\0&0\\2&4\end{bmatrix}$.

# %% nbgrader={"grade": false, "grade_id": "backward", "locked": false, "schema_version": 3, "solution": true, "task": false}
def backward(params, X, cache, dz_O):
    """Gradients of the loss by the four parameters.

    params as in forward; X (M, d); cache = forward(params, X); dz_O (M, K), the gradient by z_O.
    Returns {"W_H": (N_H, d), "b_H": (N_H,), "W_O": (K, N_H), "b_O": (K,)}.
    """
    ### BEGIN SOLUTION
    du_H = dz_O @ params["W_O"]  # (M, N_H)
    dz_H = du_H * relu_grad(cache["z_H"])  # (M, N_H)
    return {
        "W_H": dz_H.T @ X,
        "b_H": dz_H.sum(axis=0),
        "W_O": dz_O.T @ cache["u_H"],
        "b_O": dz_O.sum(axis=0),
    }
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-backward-output", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Gradients of the output layer
W_H, W_O = np.array([[1.0, 1.0], [-1.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 5.0, 1.0]])
params = {"W_H": W_H, "b_H": np.array([0.0, 0.0, -1.0]), "W_O": W_O, "b_O": np.array([1.0])}
cache = {
    "z_H": np.array([[3.0, -1.0, 3.0]]),
    "u_H": np.array([[3.0, 0.0, 3.0]]),
    "z_O": np.array([[7.0]]),
}
grads = backward(params, np.array([[1.0, 2.0]]), cache, np.array([[2.0]]))
check_close(grads["W_O"], [[6, 0, 6]], "the gradient by W_O in the worked example", **TOLERANCE)
check_close(grads["b_O"], [2], "the gradient by b_O in the worked example", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(328)
for d, hidden, classes, samples in ((3, 5, 2, 4), (3, 3, 3, 3)):
    shapes = {"W_H": (hidden, d), "b_H": (hidden,), "W_O": (classes, hidden), "b_O": (classes,)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    X, dz_O = rng.normal(size=(samples, d)), rng.normal(size=(samples, classes))
    z_H = X @ params["W_H"].T + params["b_H"]
    u_H = np.where(z_H > 0, z_H, 0)
    cache = {"z_H": z_H, "u_H": u_H, "z_O": u_H @ params["W_O"].T + params["b_O"]}
    grads = backward(params, X, cache, dz_O)
    what = f"M={samples}, d={d}, N_H={hidden}, K={classes}"
    check_close(grads["W_O"], np.einsum("mk,mh->kh", dz_O, u_H), f"by W_O, {what}", **TOLERANCE)
    check_close(grads["b_O"], np.einsum("mk->k", dz_O), f"by b_O, {what}", **TOLERANCE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-backward-hidden-weights", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Gradient of the hidden weights
W_H, W_O = np.array([[1.0, 1.0], [-1.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 5.0, 1.0]])
params = {"W_H": W_H, "b_H": np.array([0.0, 0.0, -1.0]), "W_O": W_O, "b_O": np.array([1.0])}
cache = {
    "z_H": np.array([[3.0, -1.0, 3.0]]),
    "u_H": np.array([[3.0, 0.0, 3.0]]),
    "z_O": np.array([[7.0]]),
}
grads = backward(params, np.array([[1.0, 2.0]]), cache, np.array([[2.0]]))
check_close(grads["W_H"], [[2, 4], [0, 0], [2, 4]], "by W_H in the worked example", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(329)
for d, hidden, classes, samples in ((3, 5, 2, 4), (3, 3, 3, 3)):
    shapes = {"W_H": (hidden, d), "b_H": (hidden,), "W_O": (classes, hidden), "b_O": (classes,)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    X, dz_O = rng.normal(size=(samples, d)), rng.normal(size=(samples, classes))
    z_H = X @ params["W_H"].T + params["b_H"]
    u_H = np.where(z_H > 0, z_H, 0)
    cache = {"z_H": z_H, "u_H": u_H, "z_O": u_H @ params["W_O"].T + params["b_O"]}
    before = {name: value.copy() for name, value in cache.items()}
    kept = X.copy(), dz_O.copy()
    grads = backward(params, X, cache, dz_O)
    want = np.einsum("mk,kh,mh,md->hd", kept[1], params["W_O"], z_H > 0, kept[0])
    check_close(
        grads["W_H"], want, f"by W_H, M={samples}, d={d}, N_H={hidden}, K={classes}", **TOLERANCE
    )
    check_unchanged(dz_O, kept[1], "dz_O")
    for name in cache:
        check_unchanged(cache[name], before[name], f"cache[{name!r}]")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-backward-hidden-bias", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Gradient of the hidden bias, ReLU's corner included
W_H, W_O = np.array([[1.0, 1.0], [-1.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 5.0, 1.0]])
params = {"W_H": W_H, "b_H": np.array([0.0, 0.0, -1.0]), "W_O": W_O, "b_O": np.array([1.0])}
cache = {
    "z_H": np.array([[3.0, -1.0, 3.0]]),
    "u_H": np.array([[3.0, 0.0, 3.0]]),
    "z_O": np.array([[7.0]]),
}
grads = backward(params, np.array([[1.0, 2.0]]), cache, np.array([[2.0]]))
check_close(grads["b_H"], [2, 0, 2], "by b_H in the worked example", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(330)
for d, hidden, classes, samples in ((2, 4, 3, 6), (3, 3, 3, 3)):
    shapes = {"W_H": (hidden, d), "b_H": (hidden,), "W_O": (classes, hidden), "b_O": (classes,)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    X, dz_O = rng.normal(size=(samples, d)), rng.normal(size=(samples, classes))
    X[1], params["b_H"][2] = 0, 0  # z_H[1, 2] is exactly 0, where ReLU' is 0
    z_H = X @ params["W_H"].T + params["b_H"]
    u_H = np.where(z_H > 0, z_H, 0)
    cache = {"z_H": z_H, "u_H": u_H, "z_O": u_H @ params["W_O"].T + params["b_O"]}
    grads = backward(params, X, cache, dz_O)
    want = np.einsum("mk,kh,mh->h", dz_O, params["W_O"], z_H > 0)
    check_shape(grads["b_H"], (hidden,), f"by b_H, N_H={hidden}")
    check_close(
        grads["b_H"], want, f"by b_H, M={samples}, d={d}, N_H={hidden}, K={classes}", **TOLERANCE
    )
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Start from shapes.** Each gradient has the shape of its parameter. With $(M, K)$, $(M, N_H)$,
#   $(M, d)$ and $(K, N_H)$ at hand there is usually one product that fits, and the right one sums
#   over the samples.
# - **Output layer right, hidden layer wrong**: did the gradient pass $W_O$, and then ReLU's slope
#   *at $z_H$* (not at the gradient, whose sign has nothing to do with it)?
# - **One entry wrong when some $z_H$ is exactly 0**: the slope there is 0, so compare with `>`.
# - **Biases off by a factor $M$**: sum over the samples. The $\frac1M$ sits in `dz_O`.
# - **"dz_O was changed"**: `dz_H[z_H <= 0] = 0` is fine on an array of your own, not on one you
#   were given.
#
# </details>
#
# Let your own judge look at your own network: 27 parameters, each moved up and down by $10^{-5}$.

# %%
rng = np.random.default_rng(seed + 1)
shapes = {"W_H": (4, 2), "b_H": (4,), "W_O": (3, 4), "b_O": (3,)}
params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
X, labels = rng.normal(size=(6, 2)), np.array([0, 1, 2, 2, 1, 0])
cache = forward(params, X)
grads = backward(params, X, cache, cross_entropy_grad(cache["z_O"], labels))
for name in params:
    numeric = numerical_gradient(
        lambda value: cross_entropy(forward(params | {name: value}, X)["z_O"], labels), params[name]
    )
    print(f"{name}  {shapes[name]!s:7} relative error {relative_error(grads[name], numeric):.1e}")

# %% [markdown]
# ## Part 6 · Downhill
#
# **Gradient descent** takes a step against the gradient of the loss over *all* $N$ training
# samples, $\theta \leftarrow \theta - \alpha \nabla L(\theta)$, with the learning rate $\alpha$.
# For a large $N$ one step is expensive. **Stochastic gradient descent** (SGD) draws a random
# *mini-batch* $I$ of a few dozen samples and steps with its mean gradient,
#
# $$g = \frac{1}{|I|} \sum_{i \in I} \nabla L_i(\theta), \qquad \theta \leftarrow \theta - \alpha\, g,$$
#
# which is right on average, and hundreds of steps now cost what one step did. Each parameter tensor
# takes its own: $W_H \leftarrow W_H - \alpha\, \partial L/\partial W_H$, and so on. One pass
# through all samples is an **epoch**.
#
# ## Question 12 · Sum or mean?
#
# A lecture writes gradient descent with the *sum* over $N$ samples on one slide and SGD with the
# *mean* over the batch on the next. With the mean over $N = 256$ samples the learning rate
# $\alpha = 0.1$ works well.
#
# 1. Which learning rate takes exactly the same steps when the loss is the sum over these 256
#    samples?
# 2. ImageNet has 1,281,167 training images. How many steps has an epoch with mini-batches of 256,
#    the last, smaller one included?

# %% nbgrader={"grade": false, "grade_id": "q-sum", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_sum_rate: the learning rate for the sum
# q_epoch: steps per epoch
### BEGIN SOLUTION
q_sum_rate = 0.1 / 256
q_epoch = 5005
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-sum", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The learning rate of a sum, and the steps of an epoch
assert np.isscalar(q_sum_rate) and np.isscalar(q_epoch), "two numbers, please"
### BEGIN HIDDEN TESTS
check_number(q_sum_rate, 0.1 / 256, "q_sum_rate", rtol=0.003)
check_number(q_epoch, 5005, "q_epoch")
### END HIDDEN TESTS

# %%
rng = np.random.default_rng(seed)
x = rng.normal(size=256)
y = 3 * x + 0.1 * rng.normal(size=256)  # the slope to be found is 3
runs = {
    "mean, rate 0.1": (np.mean, 0.1),
    "sum,  rate 0.1": (np.sum, 0.1),
    "sum,  rate 0.1/256": (np.sum, 0.1 / 256),
}
for name, (reduce, rate) in runs.items():
    w = 0.0
    for _ in range(30):
        w -= rate * reduce(2 * (w * x - y) * x)
    print(f"{name:19} w after 30 steps: {w:.4g}")


# %% [markdown]
# With a sum, every change of the batch size changes the step. This course takes the mean,
# everywhere.
#
# ## Momentum and weight decay
#
# Plain descent in a long valley bounces between its walls and creeps along its floor. **Momentum**
# keeps a velocity $v$, a running sum of past gradients: what alternates cancels, what persists adds
# up. **Weight decay** adds $\frac\lambda2 \sum W^2$ to the loss, whose gradient is $\lambda W$, so
# that every step also shrinks the weights a little. With both, PyTorch's SGD does, for each tensor,
#
# $$g \leftarrow \frac{\partial L}{\partial \theta} + \lambda\,\theta, \qquad v \leftarrow \mu\, v + g, \qquad \theta \leftarrow \theta - \alpha\, v .$$
#
# With a constant gradient and $\mu = 0.9$ the velocity grows towards
# $g\,(1 + 0.9 + 0.81 + \dots) = 10\,g$: momentum also lengthens the steps.
#
# ## Exercise 15 · The optimizer
#
# Write `sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0)`. The first three are
# dicts of arrays with the same names and shapes; the velocity starts as zeros; `lr` is $\alpha$,
# `momentum` is $\mu$, `weight_decay` is $\lambda$. Return two new dicts: the updated parameters and the
# updated velocity. Two rules:
#
# - **Only weights decay, biases do not** ($\lambda = 0$ for them; `torch.optim.SGD` decays whatever
#   it is given, unless the biases go into a parameter group of their own). A name that starts with
#   `W` is a weight, one that starts with `b` is a bias.
# - **Pure function**: the arrays and dicts you were given stay as they were.
#
# *Worked example.* $\theta = 1$, gradient $0.5$ at every step, $\alpha = 0.1$, $\mu = 0.9$, no
# decay: $v = 0.5,\ \theta = 0.95$; then $v = 0.45 + 0.5 = 0.95,\ \theta = 0.855$; then
# $v = 1.355,\ \theta = 0.7195$. With decay $\lambda = 0.2$ the first step of a weight has
# $g = 0.5 + 0.2 \cdot 1 = 0.7$ and $\theta = 0.93$.

# %% nbgrader={"grade": false, "grade_id": "sgd-step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    """One step of SGD with momentum; names that start with "W" also decay.

    params, grads, velocity: dicts of arrays with the same names and shapes, left as they are.
    Returns the new params and the new velocity.
    """
    ### BEGIN SOLUTION
    new_params, new_velocity = {}, {}
    for name, theta in params.items():
        g = grads[name]
        if name.startswith("W"):
            g = g + weight_decay * theta
        new_velocity[name] = momentum * velocity[name] + g
        new_params[name] = theta - lr * new_velocity[name]
    return new_params, new_velocity
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-sgd-plain", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# A plain step that leaves its arguments alone
params, grads = {"W": np.array([1.0, 2.0])}, {"W": np.array([0.5, -1.0])}
velocity = {"W": np.zeros(2)}
new_params, _ = sgd_step(params, grads, velocity, 0.1)
check_close(new_params["W"], [0.95, 2.1], "W after one step", **TOLERANCE)
check_unchanged(params["W"], [1.0, 2.0], "params['W']")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(331)
shapes = {"W_H": (4, 3), "b_H": (4,), "W_O": (2, 4), "b_O": (2,)}
params, grads = ({name: rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(2))
# Without momentum the old velocity counts for nothing.
velocity = {name: rng.normal(size=shape) for name, shape in shapes.items()}
before = [
    {name: value.copy() for name, value in group.items()} for group in (params, grads, velocity)
]
new_params, _ = sgd_step(params, grads, velocity, lr=0.3)
for name in shapes:
    check_close(
        new_params[name],
        before[0][name] - 0.3 * before[1][name],
        f"{name} after one step",
        **TOLERANCE,
    )
    for group, old, what in zip((params, grads, velocity), before, ("params", "grads", "velocity")):
        check_unchanged(group[name], old[name], f"{what}[{name!r}]")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-sgd-momentum", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Momentum over several steps
params, velocity = {"W": np.ones(1)}, {"W": np.zeros(1)}
for expected in (0.95, 0.855, 0.7195):
    params, velocity = sgd_step(params, {"W": np.full(1, 0.5)}, velocity, 0.1, momentum=0.9)
    check_close(params["W"], [expected], "W of the worked example", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(332)
shapes = {"W_H": (3, 2), "b_H": (3,)}
params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
velocity = {name: np.zeros(shape) for name, shape in shapes.items()}
theta = {name: value.copy() for name, value in params.items()}
speed = {name: np.zeros(shape) for name, shape in shapes.items()}
for step in range(6):
    grads = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    rate = 0.2 if step < 4 else 0.02  # the velocity itself holds no learning rate
    params, velocity = sgd_step(params, grads, velocity, rate, momentum=0.7)
    for name in shapes:
        speed[name] = 0.7 * speed[name] + grads[name]
        theta[name] = theta[name] - rate * speed[name]
        check_close(
            params[name], theta[name], f"{name} after step {step + 1}, momentum 0.7", **TOLERANCE
        )
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-sgd-decay", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Weights decay, biases do not
params = {"W": np.ones(1), "b": np.ones(1)}
grads, velocity = {"W": np.full(1, 0.5), "b": np.full(1, 0.5)}, {"W": np.zeros(1), "b": np.zeros(1)}
new_params, _ = sgd_step(params, grads, velocity, 0.1, weight_decay=0.2)
check_close(new_params["W"], [0.93], "W after a step with decay 0.2", **TOLERANCE)
check_close(new_params["b"], [0.95], "b after a step with decay 0.2", **TOLERANCE)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(333)
shapes = {"W_H": (3, 2), "b_H": (3,), "W_O": (2, 3), "b_O": (2,)}
params, grads = ({name: rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(2))
velocity = {name: np.zeros(shape) for name, shape in shapes.items()}
new_params, _ = sgd_step(params, grads, velocity, 0.25, momentum=0.5, weight_decay=0.4)
for name in shapes:
    decay = 0.1 if name[0] == "W" else 0.0  # lr times weight_decay
    want = (1 - decay) * params[name] - 0.25 * grads[name]
    check_close(new_params[name], want, f"{name} after a step with decay 0.4", **TOLERANCE)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-sgd-ten-steps", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Ten steps beside PyTorch's SGD
params, velocity = {"W": np.ones(1)}, {"W": np.zeros(1)}
for _ in range(2):
    params, velocity = sgd_step(params, {"W": np.zeros(1)}, velocity, 0.5, 0.5, 0.5)
check_close(params["W"], [0.4375], "W after two steps of decay and momentum alone", **TOLERANCE)
### BEGIN HIDDEN TESTS
import torch
from torch.optim.sgd import sgd  # the update that torch.optim.SGD.step calls

rng = np.random.default_rng(334)
shapes = {"W_H": (4, 3), "b_H": (4,), "W_O": (2, 4), "b_O": (2,)}
params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
velocity = {name: np.zeros(shape) for name, shape in shapes.items()}
theirs = {name: torch.tensor(value) for name, value in params.items()}
buffers = {name: [None] for name in shapes}
for step in range(10):
    grads = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    for name in shapes:
        sgd(
            [theirs[name]],
            [torch.tensor(grads[name])],
            buffers[name],
            weight_decay=0.05 if name[0] == "W" else 0.0,
            momentum=0.9,
            lr=0.1,
            dampening=0.0,
            nesterov=False,
            maximize=False,
            foreach=False,
        )
    params, velocity = sgd_step(params, grads, velocity, 0.1, momentum=0.9, weight_decay=0.05)
    for name in shapes:
        check_close(
            params[name], theirs[name].numpy(), f"{name} after step {step + 1} of ten", **TOLERANCE
        )
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **The first step is right, the second is not**: the velocity you return has to be the *new* one,
#   and the old one enters with the factor `momentum`.
# - **Steps are too short by a factor $1 - \mu$**: some texts average gradients,
#   $v \leftarrow \mu v + (1 - \mu) g$. PyTorch and this lesson add them up.
# - **Wrong after the learning rate drops**: keep $\alpha$ out of the velocity.
# - **Weights shrink too fast or too slowly**: $\lambda\theta$ joins the gradient and is then scaled
#   by $\alpha$ like the rest of it, once.
# - **Biases are off with decay only**: they must not decay.
# - **"params was changed"**: `theta -= …` works in place. Write `theta = theta - …`.
#
# </details>
#
# Four optimizers of yours in a valley that is 25 times steeper across than along,
# $f(w) = \frac12 (w_1^2 + 25\, w_2^2)$, 40 steps each. The noisy gradient of the third has the
# right mean and a standard deviation of 3, as from small mini-batches.

# %% tags=["illustration"]
rng = np.random.default_rng(seed)
curvature = np.array([1.0, 25.0])
side_x, side_y = np.linspace(-10.5, 3, 90), np.linspace(-3.2, 3.2, 80)
height = 0.5 * (side_x[None] ** 2 + 25 * side_y[:, None] ** 2)  # (80, 90)
settings = {
    "rate 0.075: bounces, creeps": (0.075, 0.0, 0.0),
    "rate 0.081: diverges": (0.081, 0.0, 0.0),
    "rate 0.03, noisy gradient (SGD)": (0.03, 0.0, 3.0),
    "rate 0.03, momentum 0.8": (0.03, 0.8, 0.0),
}
figure, axes = plt.subplots(2, 2, figsize=(11, 5.4), sharex=True, sharey=True)
for axis, (name, (rate, momentum, noise)) in zip(axes.flat, settings.items()):
    axis.contour(
        side_x, side_y, height, levels=[1, 4, 10, 20, 40, 80, 140], colors="lightgray", linewidths=1
    )
    position, velocity, path = {"W": np.array([-10.0, 1.5])}, {"W": np.zeros(2)}, []
    for _ in range(41):
        path.append(position["W"])
        gradient = {"W": curvature * position["W"] + noise * rng.normal(size=2)}
        position, velocity = sgd_step(position, gradient, velocity, rate, momentum)
    axis.plot(*np.array(path).T, "o-", color="tab:blue", markersize=3, linewidth=1.2)
    axis.plot(0, 0, "*", color="tab:red", markersize=13)
    axis.set_title(f"{name}; f ends at {0.5 * curvature @ path[-1] ** 2:.2g}", fontsize=10)
    axis.set(xlim=(-10.5, 3), ylim=(-3.2, 3.2))
figure.tight_layout()


# %% [markdown]
# A step of descent multiplies $w_2$ by $1 - 25\alpha$, so for $\alpha > \frac{2}{25} = 0.08$ it
# grows: the steepest direction sets the largest learning rate, the flattest one the number of
# steps. Now recall Question 12: a sum over $N$ samples makes every direction $N$ times steeper.
#
# ## Exercise 16 · A training loop
#
# Write `run_sgd(loss_and_gradients, params, batches, lr, momentum=0.0, weight_decay=0.0)`.
# `batches` is a list of mini-batches (arrays of sample indices; you need not know what is in them).
# `loss_and_gradients(params, batch)` returns a pair: the mean loss on that batch, and a dict of
# gradients. For each batch in turn, compute loss and gradients at the *current* parameters and take
# one step with your `sgd_step`. Return the final parameters and the list of losses, one a batch,
# each from before its step. The velocity lives from the first batch to the last. Leave the dict
# `params` that you were given as it was.
#
# With one batch that holds all samples, repeated, this is plain gradient descent; with random
# batches it is SGD.
#
# *Worked example.* $L = \theta^2$ on any batch, so the gradient is $2\theta$. From $\theta = 1$
# with $\alpha = 0.1$ and two batches: losses $[1, 0.64]$, parameters $\theta = 0.8$ and then
# $0.64$.

# %% nbgrader={"grade": false, "grade_id": "run-sgd", "locked": false, "schema_version": 3, "solution": true, "task": false}
def run_sgd(loss_and_gradients, params, batches, lr, momentum=0.0, weight_decay=0.0):
    """Train on each batch in turn.

    loss_and_gradients(params, batch) returns a number and a dict of gradients.
    Returns the final params and the list of losses, one for each batch, before its step.
    """
    ### BEGIN SOLUTION
    velocity = {name: np.zeros_like(theta) for name, theta in params.items()}
    losses = []
    for batch in batches:
        loss, grads = loss_and_gradients(params, batch)
        losses.append(loss)
        params, velocity = sgd_step(params, grads, velocity, lr, momentum, weight_decay)
    return params, losses
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-run-sgd", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Training over several batches
def square(params, batch):
    return float(params["W"][0] ** 2), {"W": 2 * params["W"]}


start = {"W": np.ones(1)}
end, losses = run_sgd(square, start, [np.arange(3), np.arange(3)], 0.1)
check_close(end["W"], [0.64], "W after two batches", **TOLERANCE)
check_close(losses, [1.0, 0.64], "the losses", **TOLERANCE)
check_unchanged(start["W"], [1.0], "params['W']")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(335)
X, Y = rng.normal(size=(10, 3)), rng.normal(size=(10, 2))
batches = [np.array([0, 4, 7]), np.array([9, 2]), np.array([1, 3, 5, 6]), np.array([8, 0, 2])]


def regression(params, batch):
    error = X[batch] @ params["W"].T + params["b"] - Y[batch]
    gradients = {"W": 2 * error.T @ X[batch] / len(batch), "b": 2 * error.mean(axis=0)}
    return float((error**2).sum() / len(batch)), gradients


start = {"W": rng.normal(size=(2, 3)), "b": rng.normal(size=2)}
before = {name: value.copy() for name, value in start.items()}
end, losses = run_sgd(regression, start, batches, 0.05, momentum=0.8, weight_decay=0.1)
theta, speed, want = before, {"W": np.zeros((2, 3)), "b": np.zeros(2)}, []
for batch in batches:
    loss, gradients = regression(theta, batch)
    want.append(loss)
    gradients["W"] = gradients["W"] + 0.1 * theta["W"]
    speed = {name: 0.8 * speed[name] + gradients[name] for name in theta}
    theta = {name: theta[name] - 0.05 * speed[name] for name in theta}
check_close(losses, want, "the losses of four batches", **TOLERANCE)
for name in theta:
    check_close(end[name], theta[name], f"{name} after four batches", **TOLERANCE)
    check_unchanged(start[name], before[name], f"params[{name!r}]")
### END HIDDEN TESTS

# %% [markdown]
# <details>
# <summary>Help</summary>
#
# - **Right for one batch, wrong for more**: is the velocity made anew inside the loop? Do the
#   gradients come from the *current* parameters, and from this batch only?
# - **With decay the weights shrink twice as fast**: `sgd_step` already decays them.
# - **All losses the same**: you evaluate at the first parameters each time.
# - **"params was changed"**: bind the name `params` to the new dict; do not write into the old one.
#
# </details>
#
# ## Everything together
#
# Three spirals, 300 points. A layer without a hidden one draws straight borders; your two-layer
# network, trained by your gradients and your optimizer, does better. What is printed comes from one
# run of each with this notebook's seed; the test points are 300 fresh draws from the same spirals.

# %%
def spirals(rng, arm=100):
    """Three spirals of `arm` noisy points each: X (3 arm, 2), labels (3 arm,)."""
    labels = np.repeat(np.arange(3), arm)  # (3 arm,)
    radius = np.tile(np.linspace(0.1, 1, arm), 3)
    angle = 2 * np.pi / 3 * labels + 4.2 * radius + 0.15 * rng.normal(size=3 * arm)
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), labels


rng = np.random.default_rng(seed)
X, labels = spirals(rng)
X_test, labels_test = spirals(rng)
epochs = 20 if quick else 120
batches = [batch for _ in range(epochs) for batch in np.split(rng.permutation(300), 6)]


def linear_step(params, batch):
    z = X[batch] @ params["W"].T + params["b"]  # (50, 3)
    dz = cross_entropy_grad(z, labels[batch])
    return cross_entropy(z, labels[batch]), {"W": dz.T @ X[batch], "b": dz.sum(axis=0)}


def network_step(params, batch):
    cache = forward(params, X[batch])
    dz_O = cross_entropy_grad(cache["z_O"], labels[batch])
    return cross_entropy(cache["z_O"], labels[batch]), backward(params, X[batch], cache, dz_O)


linear = {"W": 0.01 * rng.normal(size=(3, 2)), "b": np.zeros(3)}
network = {
    "W_H": rng.normal(size=(64, 2)),
    "b_H": np.zeros(64),
    "W_O": rng.normal(size=(3, 64)) * np.sqrt(2 / 64),
    "b_O": np.zeros(3),
}
began = time.perf_counter()
linear, linear_losses = run_sgd(linear_step, linear, batches, 0.2, momentum=0.9)
network, network_losses = run_sgd(
    network_step, network, batches, 0.2, momentum=0.9, weight_decay=1e-4
)
print(f"two times {len(batches)} steps in {time.perf_counter() - began:.2f} s on the CPU")
scores = {
    "linear": lambda points: points @ linear["W"].T + linear["b"],
    "two layers": lambda points: forward(network, points)["z_O"],
}
for name, score in scores.items():
    right = [(score(x).argmax(axis=1) == y).mean() for x, y in ((X, labels), (X_test, labels_test))]
    print(
        f"{name:10}  accuracy {right[0]:.3f} on 300 training points, {right[1]:.3f} on 300 test points"
    )

# %%
side = np.linspace(-1.2, 1.2, 80)
grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)  # (6400, 2)
figure, axes = plt.subplots(1, 3, figsize=(9, 2.9))
for axis, (name, score) in zip(axes, scores.items()):
    regions = score(grid).argmax(axis=1).reshape(80, 80)
    axis.imshow(
        regions, origin="lower", extent=(-1.2, 1.2, -1.2, 1.2), cmap="Pastel1", vmin=0, vmax=8
    )
    axis.scatter(*X.T, c=labels, s=5, cmap="Set1", vmin=0, vmax=8)
    axis.set(title=name, xticks=[], yticks=[])
for name, losses in {"linear": linear_losses, "two layers": network_losses}.items():
    axes[2].plot(np.reshape(losses, (-1, 6)).mean(axis=1), label=name)  # one number an epoch
axes[2].axhline(np.log(3), color="gray", linestyle=":", label="ln 3")
axes[2].set(title="training loss", xlabel="epoch")
_ = axes[2].legend(fontsize=8)

# %% [markdown]
# ## Why the zig-zag
#
# One neuron, $z = w \cdot x + b$. On one sample $\frac{\partial L}{\partial w_j} = \delta\, x_j$
# with the *same* number $\delta = \frac{\partial L}{\partial z}$ for all $j$.
#
# ## Question 13 · Signs of a gradient
#
# A neuron has 10 weights. Count the patterns of signs, such as $(+,+,-,\dots)$, that its gradient
# by the weights can have; leave zeros aside.
#
# 1. On *one sample* whose ten inputs are all positive (pixel values, or outputs of a sigmoid), for
#    any $\delta$: how many patterns?
# 2. On one sample whose inputs are centred and may have any signs, over all such samples: how many?
# 3. The inputs are positive on every sample. A slide says that the gradients are then always all
#    positive or all negative. Does that hold for the *mean* gradient over a mini-batch, too?

# %% nbgrader={"grade": false, "grade_id": "q-signs", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_positive, q_centred: two integers
# q_minibatch: True or False
### BEGIN SOLUTION
q_positive = 2
q_centred = 1024
q_minibatch = False
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-signs", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Sign patterns of one sample
assert np.isscalar(q_positive) and np.isscalar(q_centred), "two integers, please"
### BEGIN HIDDEN TESTS
check_number(q_positive, 2, "q_positive")
check_number(q_centred, 1024, "q_centred")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-q-signs-minibatch", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Signs of a mini-batch's mean gradient
assert q_minibatch in (True, False), "q_minibatch should be True or False"
### BEGIN HIDDEN TESTS
check_choice(q_minibatch, False, (True, False), "q_minibatch")
### END HIDDEN TESTS

# %%
rng = np.random.default_rng(seed)
positive = rng.random((20_000, 10))  # (samples, weights), between 0 and 1
delta = rng.normal(size=20_000)
for name, inputs in {"positive": positive, "centred": positive - 0.5}.items():
    gradients = delta[:, None] * inputs  # (samples, weights), one gradient a row
    batched = gradients.reshape(-1, 8, 10).mean(axis=1)  # mean over mini-batches of 8
    one, mean = (len(np.unique((rows > 0) @ 2 ** np.arange(10))) for rows in (gradients, batched))
    print(
        f"{name:9} {one:4} patterns on {len(gradients):,} single samples, "
        f"{mean:4} on {len(batched):,} means over 8 samples"
    )

# %% [markdown]
# So with positive inputs a sample can push all weights up or all weights down, nothing else. If one
# weight has to rise and another has to fall, the way there is a zig-zag. A mini-batch softens this,
# since $\delta_i$ differs in sign from sample to sample, but the valley stays long and narrow.
#
# Below, a neuron with two weights learns $z = x_1 - x_2$ from one sample at a time, and has to go
# from $(-1, 1)$ to $(1, -1)$. The inputs are uniform in $[0, 2]$ on the left, and the same minus
# their mean on the right. Each side has a learning rate of half the largest that is safe for every
# single sample, $1/\max \lVert x\rVert^2$.

# %% tags=["illustration"]
rng = np.random.default_rng(seed)
target = np.array([1.0, -1.0])
inputs = rng.uniform(0, 2, size=(60, 2))  # (samples, 2)
figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), sharex=True, sharey=True)
for axis, (name, X_side, worst) in zip(
    axes, (("all inputs positive", inputs, 8), ("the same, centred", inputs - 1, 2))
):
    w, path = -target, []
    for x in X_side:
        path.append(w)
        w = w - (w @ x - target @ x) * x / worst  # dL/dw of half the squared error
    path = np.array(path)
    side = np.linspace(-2, 2, 60)
    away = np.stack(np.meshgrid(side, side), axis=-1) - target  # (60, 60, 2)
    second_moment = X_side.T @ X_side / len(X_side)  # (2, 2)
    height = np.einsum("ija,ab,ijb->ij", away, second_moment, away) / 2
    axis.contour(side, side, height, levels=12, colors="lightgray", linewidths=1)
    axis.plot(*path.T, "o-", color="tab:blue", markersize=3, linewidth=1.2)
    axis.plot(*target, "*", color="tab:red", markersize=14)
    distance = np.linalg.norm(path[-1] - target)
    axis.set_title(f"{name}: distance {distance:.2f} after {len(path) - 1} steps", fontsize=10)
    axis.set(xlabel="$w_1$", ylabel="$w_2$", aspect="equal")
figure.tight_layout()

# %% [markdown]
# That is one reason to centre the inputs (lesson 11), and why outputs that are never negative, the
# sigmoid's and ReLU's alike, make the *next* layer's work harder. Normalisation inside the network
# (lesson 05) helps there.
#
# ## Summary
#
# - Without a nonlinearity any stack of layers is one linear layer. ReLU is the default for hidden
#   layers: it does not saturate on the right; it can die on the left.
# - $\tanh(x) = 2\sigma(2x) - 1$. A sigmoid's derivative is at most $\frac14$.
# - Losses take logits. Squared error for quantities; binary cross-entropy for yes or no; softmax
#   cross-entropy for one of $K$. Written on logits they survive $\pm 1000$, and their gradients are
#   $\sigma(z) - y$ and $\text{softmax}(z) - y$, over $M$.
# - Squared error on a sigmoid or softmax saturates: the worse the mistake, the weaker the push.
# - A gradient tensor has the output's axes, then the input's. The chain rule sums over the axes of
#   what lies between. From the loss's end this is cheap, and no gradient tensor is ever built.
# - In a layer $Z = X W^\top + b$: $\partial L/\partial W = (\partial L/\partial Z)^\top X$,
#   $\partial L/\partial b$ sums over samples,
#   $\partial L/\partial X = (\partial L/\partial Z)\, W$.
# - Check gradients with central differences, $h \approx 10^{-5}$, and a relative error.
# - SGD steps with the mean gradient of a mini-batch. Momentum adds velocity; decay shrinks weights,
#   not biases. A sum instead of a mean multiplies the learning rate by the number of samples.
# - All-positive inputs give a sample's gradient one common sign: zig-zag.
#
# Lesson 04 does the same for convolution, pooling and batch normalisation, and trains a CNN with
# it.
#
# ## References
#
# - I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning*, chapters 4.3, 6.2, 6.5 and 8.3 (2016).
# - A. Krizhevsky, I. Sutskever, G. Hinton, *ImageNet Classification with Deep Convolutional Neural
#   Networks* (2012), section 3.1 on ReLU.
# - D.-A. Clevert, T. Unterthiner, S. Hochreiter, *ELU* (2016); G. Klambauer et al.,
#   *Self-Normalizing Neural Networks* (SELU, 2017); D. Hendrycks, K. Gimpel, *GELU* (2016).
# - Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, *Efficient BackProp* (1998): why inputs are centred.
# - I. Sutskever, J. Martens, G. Dahl, G. Hinton, *On the importance of initialization and momentum
#   in deep learning* (2013).
# - PyTorch's documentation of `torch.optim.SGD`, `BCEWithLogitsLoss` and `CrossEntropyLoss`, whose
#   conventions this lesson follows.
