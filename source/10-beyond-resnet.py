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
# # 10 · Beyond ResNet
#
# After 2015 nobody had to ask any more whether a deep network can be trained. The questions became:
# what else can a shortcut do? What does a convolution waste? And which of the many networks should
# I take? This lesson builds the answers that have lasted: DenseNet, which concatenates where ResNet
# adds; squeeze-and-excitation, which lets a network turn its channels up and down; grouped and
# depthwise convolutions, which cut the work several times over; EfficientNet, which scales by
# arithmetic; and the vision transformer, which is no CNN at all. At the end you have a shelf of two
# dozen networks with their numbers, and a rule for choosing among them.
#
# **Time** 5 to 6 hours · **Difficulty** ●●●○○ · **You need** lessons 02 (sizes, parameters, MACs,
# dilation), 06 (reading a table of layers) and 09 (ResNet, `nn.Module`, BatchNorm) · **Runs on**
# any laptop: the large networks are never filled with numbers
#
# **After this lesson you can**
#
# - build DenseNet-121, 169 and 201 with exactly the published numbers of parameters, and say what
#   they save and what they cost;
# - put channel attention into a block, and count what it adds;
# - write a grouped convolution as a full one with zeros, and as a sum of paths, and see that all
#   three agree;
# - derive what a depthwise separable convolution saves, and build MobileNetV2 to the last weight;
# - replace a stride by a dilation without changing what the network has learned;
# - compute the size of every EfficientNet from one table;
# - write a patch embedding as a convolution, and say why the rest of ViT is none;
# - check a table of file sizes, draw a Pareto front, and choose a model under a budget.
#
# | part | you build | points |
# |---|---|---|
# | 1 · Concatenate | `dense_channels`, `DenseLayer`, `Transition`, `DenseNet`, `dense_depth`, `block_memory` | 26 |
# | 2 · Listen to some channels more | `SEBlock`, `se_parameters` | 9 |
# | 3 · Many narrow paths | `dense_weight`, `split_transform_sum`, `nearest_width`, `resnet50_parameters` | 11 |
# | 4 · One filter a channel | `conv_cost`, `DepthwiseSeparable`, `InvertedResidual`, `MobileNetV2` | 16 |
# | 5 · Dilation again | `CausalConv1d`, `atrous` | 7 |
# | 6 · Scaling by arithmetic | `compound`, `scaled_stages`, `efficientnet_parameters` | 7 |
# | 7 · A network that is no CNN | `to_patches`, `PatchEmbedding`, `attention`, `vit_parameters` | 10 |
# | 8 · Which one shall I take? | `stored_numbers`, `storage_audit`, `pareto_front`, `choose_model` | 14 |
#
# **How it works.** Complete each cell that says `raise NotImplementedError`, then run the checks
# below it. Grading runs the same checks and further ones: other sizes, training mode, gradients,
# weights of its own that it loads into your modules *by name*. So the names of attributes in the
# docstrings are part of the task. Questions ask you to predict *before* you run the cell that shows
# the truth; the check below a question only asks whether your answer is of the right kind. Folded
# cells draw and measure: run them like any other.
#
# **Conventions.** Layout NCHW. One MAC is one multiply-add. 1 KB = 1024 bytes, 1 MiB = 1024 KB; a
# number is a float32 of 4 bytes unless a line says otherwise. Parameters are what gradient descent
# learns, biases included.

# %% tags=["parameters"]
# Scripts that run this notebook set these; leave them as they are.
seed = 0
device = "auto"
quick = False

# %%
import math
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
from course.plots import layer_bars

torch.manual_seed(seed)
torch.set_num_threads(1)  # so that results do not depend on how many cores a machine has


# %% nbgrader={"grade": false, "grade_id": "given", "locked": true, "schema_version": 3, "solution": false, "task": false}
def norm_shapes(name, channels):
    """Names and shapes of everything that BatchNorm2d(channels) stores, under the name `name`."""
    parts = ("weight", "bias", "running_mean", "running_var")
    shapes = {f"{name}.{part}": (channels,) for part in parts}
    return {**shapes, f"{name}.num_batches_tracked": ()}


def dense_layer_shapes(c_in, growth, prefix=""):
    """Names and shapes of everything that a dense layer stores."""
    wide = 4 * growth
    shapes = {**norm_shapes("norm1", c_in), "conv1.weight": (wide, c_in, 1, 1)}
    shapes |= {**norm_shapes("norm2", wide), "conv2.weight": (growth, wide, 3, 3)}
    return {prefix + name: shape for name, shape in shapes.items()}


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


def batch_norm(x, state, name, train=False):
    """BatchNorm2d with the numbers that `state` has under `name`; in training it updates them."""
    running = (state[f"{name}.running_mean"], state[f"{name}.running_var"])
    gamma, beta = state[f"{name}.weight"], state[f"{name}.bias"]
    return torch.nn.functional.batch_norm(x, *running, gamma, beta, train)


@in_submission
def shapes_of(make, arguments, options):
    """Names and shapes of what make(*arguments, **options) stores; it takes no memory for them."""
    import torch

    with torch.device("meta"):
        net = make(*arguments, **options)
    return {name: tuple(value.shape) for name, value in net.state_dict().items()}


@in_submission
def parameters_of(make, arguments, options):
    """How many numbers make(*arguments, **options) learns."""
    import torch

    with torch.device("meta"):
        net = make(*arguments, **options)
    return sum(parameter.numel() for parameter in net.parameters())


@in_submission
def output_of(make, arguments, options, x):
    """Output of make(*arguments, **options) for x, with the same random weights every time."""
    import torch

    net = make(*arguments, **options)
    with torch.no_grad():
        for parameter in net.parameters():
            random = torch.Generator().manual_seed(parameter.numel())
            parameter.copy_(torch.randn(parameter.shape, generator=random) / 3)
    return net(x)


@in_submission
def evaluated(make, arguments, options, state, x):
    """Output, in evaluation mode, of make(*arguments, **options) with the weights of state."""
    block = make(*arguments, **options).double()
    block.load_state_dict(state)
    return block.eval()(x).detach()


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


def layer_table(net, in_shape):
    """The engine of lesson 06: a dict for each call of each leaf of a network, on the meta device.

    Keys: "name", "kind", "out" (shape without the batch), "kb", "params", "macs".
    """
    rows, handles = [], []

    def reporter(name):
        def hook(layer, inputs, output):
            filters = layer.weight[0].numel() if isinstance(layer, nn.Conv2d | nn.Linear) else 0
            rows.append(
                {
                    "name": name,
                    "kind": type(layer).__name__,
                    "out": tuple(output.shape[1:]),
                    "kb": 4 * output[0].numel() / 1024,
                    "params": sum(p.numel() for p in layer.parameters()),
                    "macs": output[0].numel() * filters,
                }
            )

        return hook

    net = net.to("meta").eval()
    for name, layer in net.named_modules():
        if not list(layer.children()):
            handles.append(layer.register_forward_hook(reporter(name)))
    net(torch.empty(1, *in_shape, device="meta"))
    for handle in handles:
        handle.remove()
    return rows


# %% [markdown]
# The locked cell above holds small helpers. `random_state`, `batch_norm` and the functions marked
# `@in_submission` serve the checks (the mark tells the grader to run a helper beside your modules;
# to you it changes nothing). `layer_table` is the engine of lesson 06, for the figures.
#
# ## Part 1 · Concatenate
#
# A plain network hands each layer the output of the layer before, and nothing else. ResNet adds a
# shortcut: $x_{l} = F_l(x_{l-1}) + x_{l-1}$. The sum has as many channels as its terms, and after
# it nobody can tell which part came from where. **DenseNet** (Huang, Liu, van der Maaten and
# Weinberger, August 2016) keeps both apart: it *concatenates* along the channels,
#
# $$x_l = [\,x_{l-1},\ F_l(x_{l-1})\,] ,$$
#
# so layer $l$ sees the outputs of **all** layers before it, untouched, and adds only $k$ channels
# of its own. $k$ is the **growth rate**; 32 is usual, where a ResNet's layers have 256 or 512
# channels. Below, three layers of each kind. Colours say which layer a channel comes from.

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axes = plt.subplots(1, 3, figsize=(11, 3.4))
shades = ["0.75", "tab:blue", "tab:orange", "tab:green"]
titles = ["plain: replace", "ResNet: add", "DenseNet: concatenate, k = 2"]
for axis, title in zip(axes, titles):
    axis.set(xlim=(-0.3, 9.6), ylim=(-0.6, 7.3), title=title)
    axis.axis("off")
    for step in range(4):
        left = 2.5 * step
        if title.startswith("plain"):
            stack = [[step]] * 4
        elif title.startswith("ResNet"):
            stack = [list(range(step + 1))] * 4
        else:
            stack = [[0]] * 4 + [[layer] for layer in range(1, step + 1) for _ in range(2)][
                : 2 * step
            ]
        for height, sources in enumerate(stack[:7]):
            for place, source in enumerate(sources):
                size = 1.2 / len(sources)
                box = plt.Rectangle((left + place * size, 0.62 * height), size, 0.52)
                box.set(facecolor=shades[source], edgecolor="none", alpha=0.85)
                axis.add_patch(box)
            edge = plt.Rectangle((left, 0.62 * height), 1.2, 0.52, fill=False, edgecolor="0.25")
            axis.add_patch(edge)
        if len(stack) > 7:
            for height, sources in enumerate(stack[7:], start=7):
                box = plt.Rectangle((left, 0.62 * height), 1.2, 0.52, edgecolor="0.25")
                box.set(facecolor=shades[sources[0]], alpha=0.85)
                axis.add_patch(box)
        axis.text(left + 0.6, -0.15, f"$x_{step}$", ha="center", va="top")
        if step:
            axis.annotate("", (left - 0.1, 1.2), (left - 1.2, 1.2), arrowprops={"arrowstyle": "->"})
            axis.text(left - 0.65, 1.4, f"$F_{step}$", ha="center", fontsize=9)
figure.tight_layout()
plt.show()

# %% [markdown]
# (In the middle, each channel is a mixture: colours that share a box have been added up.)
#
# Because nothing is overwritten, a late layer can use the edges that the first layer found, and the
# classifier sees features of every level. The gradient has short ways back, too: the loss reaches
# every layer through concatenations alone. Slides sometimes call DenseNet "another residual
# network". It is not: nothing is added, and no layer learns a residual.
#
# #### Question · Connections
#
# In a plain block of $L$ layers there are $L$ connections, one into each layer. In a dense block
# layer 1 reads the block's input, layer 2 reads the input and layer 1, and so on: the paper counts
# one for each layer and each thing that it reads. In its figure with 5 layers that makes 15. How
# many are there in a block of 12 layers?

# %% nbgrader={"grade": false, "grade_id": "q-connections", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_connections: a whole number
### BEGIN SOLUTION
q_connections = 78
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-connections", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Connections in a dense block of 12 layers
check_number(q_connections, q_connections, "q_connections")
### BEGIN HIDDEN TESTS
check_number(q_connections, 78, "q_connections")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 1 · How wide a block grows
#
# Write `dense_channels(c_in, growth, layers)`: a list of `layers + 1` whole numbers, first the
# channels that enter each of the layers 1, 2, … of a dense block, then the channels that leave the
# block.
#
# **Example.** `dense_channels(16, 4, 3)` is `[16, 20, 24, 28]`.


# %% nbgrader={"grade": false, "grade_id": "dense-channels", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dense_channels(c_in, growth, layers):
    """Channels entering each layer of a dense block, and last those that leave it: a list of ints."""
    ### BEGIN SOLUTION
    return [c_in + growth * layer for layer in range(layers + 1)]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-dense-channels", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Channels through a dense block
check_close(dense_channels(16, 4, 3), [16, 20, 24, 28], "dense_channels(16, 4, 3)")
### BEGIN HIDDEN TESTS
for _c_in, _growth, _layers in ((64, 32, 6), (512, 32, 16), (3, 12, 1), (7, 5, 0)):
    _want = list(range(_c_in, _c_in + _growth * _layers + 1, _growth))
    _got = dense_channels(_c_in, _growth, _layers)
    check_close(_got, _want, f"dense_channels({_c_in}, {_growth}, {_layers})")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 2 · The dense layer
#
# Late layers of a block read hundreds of channels, and a 3×3 convolution on all of them would be
# expensive. So each layer first has a 1×1 convolution to $4k$ channels, the **bottleneck** (this is
# *inside* the layer; what stands between blocks comes in the next exercise). And DenseNet puts
# BatchNorm and ReLU *before* each convolution, since each reader of a concatenated map wants to
# scale it in its own way:
#
# $$F(x) = \mathrm{conv}_{3\times3}^{4k \to k}\bigl(\mathrm{ReLU}(\mathrm{BN}_2(\mathrm{conv}_{1\times1}^{c \to 4k}(\mathrm{ReLU}(\mathrm{BN}_1(x)))))\bigr),
#  \qquad \text{output} = [\,x,\ F(x)\,].$$
#
# Write it as a module with the attributes `norm1`, `conv1`, `norm2`, `conv2`. Both convolutions are
# without bias and keep rows and columns. The output has $x$, as it came, in its first channels,
# then the $k$ new ones.
#
# **Example.** If `conv2.weight` is zero, `DenseLayer(6, 2)` turns `(N, 6, H, W)` into
# `(N, 8, H, W)`: $x$ and two channels of zeros.


# %% nbgrader={"grade": false, "grade_id": "dense-layer", "locked": false, "schema_version": 3, "solution": true, "task": false}
class DenseLayer(nn.Module):
    """BN, ReLU, 1×1, BN, ReLU, 3×3, joined to the input: (N, c_in, H, W) → (N, c_in + growth, H, W).

    Attributes: norm1, conv1 (to 4 * growth channels), norm2, conv2 (to growth channels).
    """

    def __init__(self, c_in, growth):
        super().__init__()
        ### BEGIN SOLUTION
        self.norm1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        y = self.conv1(torch.relu(self.norm1(x)))  # (N, 4·growth, H, W)
        y = self.conv2(torch.relu(self.norm2(y)))  # (N, growth, H, W)
        return torch.cat([x, y], dim=1)  # (N, c_in + growth, H, W)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-dense-layer-values", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# What a dense layer stores, and its output in evaluation mode
shapes = shapes_of(DenseLayer, [6, 2], {})
assert set(shapes) == set(dense_layer_shapes(6, 2)), f"DenseLayer(6, 2) stores {sorted(shapes)}"
state = random_state(dense_layer_shapes(6, 2), 1)
state["conv2.weight"] = torch.zeros(2, 8, 3, 3).double()
x = torch.randn(2, 6, 5, 3, generator=torch.Generator().manual_seed(1001)).double()
want = torch.cat([x, torch.zeros(2, 2, 5, 3)], 1)
check_close(evaluated(DenseLayer, [6, 2], {}, state, x), want, "a dense layer that adds zeros")
### BEGIN HIDDEN TESTS


def dense_layer(x, state, prefix="", train=False):
    """The dense layer of Huang et al. with the weights of state."""
    conv2d = torch.nn.functional.conv2d
    y = batch_norm(x, state, f"{prefix}norm1", train).relu()
    y = conv2d(y, state[f"{prefix}conv1.weight"])
    y = batch_norm(y, state, f"{prefix}norm2", train).relu()
    return torch.cat([x, conv2d(y, state[f"{prefix}conv2.weight"], padding=1)], 1)


for _c_in, _growth, _size in ((6, 2, (5, 3)), (3, 4, (4, 6)), (5, 1, (1, 1))):
    _what = f"DenseLayer({_c_in}, {_growth})"
    _shapes = dense_layer_shapes(_c_in, _growth)
    assert shapes_of(DenseLayer, [_c_in, _growth], {}) == _shapes, (
        f"{_what} stores other names or shapes than asked"
    )
    _x = torch.randn(3, _c_in, *_size, generator=torch.Generator().manual_seed(1002)).double()
    _state = random_state(_shapes, 1003)
    _got = evaluated(DenseLayer, [_c_in, _growth], {}, _state, _x)
    check_close(_got, dense_layer(_x, _state), f"{_what} in evaluation mode")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-dense-layer-training", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Training mode: output, gradient for the input, running statistics
x = torch.randn(3, 4, 5, 4, generator=torch.Generator().manual_seed(1004)).double()
state = random_state(dense_layer_shapes(4, 2), 2)
y, dx, running = in_training(DenseLayer, [4, 2], {}, state, x, torch.ones(3, 6, 5, 4).double())
check_shape(dx, (3, 4, 5, 4), "the gradient for the input")
### BEGIN HIDDEN TESTS


def dense_layer(x, state, prefix="", train=False):
    """The dense layer of Huang et al. with the weights of state."""
    conv2d = torch.nn.functional.conv2d
    y = batch_norm(x, state, f"{prefix}norm1", train).relu()
    y = conv2d(y, state[f"{prefix}conv1.weight"])
    y = batch_norm(y, state, f"{prefix}norm2", train).relu()
    return torch.cat([x, conv2d(y, state[f"{prefix}conv2.weight"], padding=1)], 1)


_state = random_state(dense_layer_shapes(4, 3), 1005)
_kept = {name: value.clone() for name, value in _state.items()}
_x = x.clone().requires_grad_()
_want = dense_layer(_x, _state, train=True)
_dy = torch.randn(_want.shape, generator=torch.Generator().manual_seed(1006)).double()
_want.backward(_dy)
y, dx, running = in_training(DenseLayer, [4, 3], {}, _kept, x, _dy)
check_close(y, _want, "DenseLayer(4, 3) in training mode")
check_close(dx, _x.grad, "the gradient for the input")
for _name, _value in running.items():
    check_close(_value, _state[_name], f"{_name} after one batch")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **"Sizes of tensors must match"**: you add, or you join along another axis. Channels are axis 1.
# - **"Missing key(s)" or "Unexpected key(s)"**: weights are loaded by name. Compare your attributes
#   with the docstring; a convolution with a bias has one key too many.
# - **Right shape, wrong values**: the first BatchNorm sees `x` itself, before any convolution. In
#   the output `x` comes first, and *without* BatchNorm and ReLU.
#
# </details>
#
# ### Exercise 3 · The transition
#
# Concatenation needs equal rows and columns, so a dense block cannot downsample. Between two blocks
# stands a **transition layer**: BatchNorm, ReLU, a 1×1 convolution, and 2×2 *average* pooling with
# stride 2. The 1×1 convolution also *compresses*: from $c$ channels to $\lfloor c/2 \rfloor$
# (compression 0.5), so that the next block does not start too wide. (A slide says "bottleneck layer
# between blocks": the bottleneck is inside the dense layers, the compression is here.)
#
# Write `Transition(c_in, c_out)` with the attributes `norm` and `conv` (no bias). A last odd row or
# column is dropped, as PyTorch's pooling does.


# %% nbgrader={"grade": false, "grade_id": "transition", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Transition(nn.Module):
    """BN, ReLU, 1×1 convolution, 2×2 average: (N, c_in, H, W) → (N, c_out, ⌊H/2⌋, ⌊W/2⌋).

    Attributes: norm, conv.
    """

    def __init__(self, c_in, c_out):
        super().__init__()
        ### BEGIN SOLUTION
        self.norm = nn.BatchNorm2d(c_in)
        self.conv = nn.Conv2d(c_in, c_out, 1, bias=False)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        x = self.conv(torch.relu(self.norm(x)))  # (N, c_out, H, W)
        return nn.functional.avg_pool2d(x, 2)  # (N, c_out, ⌊H/2⌋, ⌊W/2⌋)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-transition", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# A transition with known weights, even and odd sizes
shapes = {**norm_shapes("norm", 4), "conv.weight": (2, 4, 1, 1)}
assert set(shapes_of(Transition, [4, 2], {})) == set(shapes), (
    f"Transition(4, 2) should store {sorted(shapes)}"
)
x = torch.randn(2, 4, 6, 4, generator=torch.Generator().manual_seed(1007)).double()
out = evaluated(Transition, [4, 2], {}, random_state(shapes, 3), x)
check_shape(out, (2, 2, 3, 2), "Transition(4, 2) of (2, 4, 6, 4)")
### BEGIN HIDDEN TESTS
for _c_in, _c_out, _size in ((4, 2, (6, 4)), (5, 3, (7, 4)), (3, 3, (2, 5))):
    _shapes = {**norm_shapes("norm", _c_in), "conv.weight": (_c_out, _c_in, 1, 1)}
    _what = f"Transition({_c_in}, {_c_out})"
    assert shapes_of(Transition, [_c_in, _c_out], {}) == _shapes, f"{_what} stores other shapes"
    _x = torch.randn(2, _c_in, *_size, generator=torch.Generator().manual_seed(1008)).double()
    _state = random_state(_shapes, 1009)
    _z = batch_norm(_x, _state, "norm").relu()
    _z = torch.einsum("nchw,fc->nfhw", _z, _state["conv.weight"][:, :, 0, 0])
    _h, _w = _size[0] // 2, _size[1] // 2
    _want = _z[:, :, : 2 * _h, : 2 * _w].reshape(2, _c_out, _h, 2, _w, 2).mean((3, 5))
    _got = evaluated(Transition, [_c_in, _c_out], {}, _state, _x)
    check_close(_got, _want, f"{_what} of {_size[0]} × {_size[1]}")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 4 · DenseNet
#
# Now the whole network. Every DenseNet for ImageNet has ResNet's stem, four dense blocks with three
# transitions between them, and a head of global average pooling and one linear layer.
#
# | | output for 224 × 224 | 121 | 169 | 201 |
# |---|---|---|---|---|
# | stem | 64 × 56 × 56 | | | |
# | block 1, layers | 256 × 56 × 56 | 6 | 6 | 6 |
# | block 2 | 512 × 28 × 28 | 12 | 12 | 12 |
# | block 3 | *varies* × 14 × 14 | 24 | 32 | 48 |
# | block 4 | *varies* × 7 × 7 | 16 | 32 | 32 |
# | head | 1000 | | | |
# | parameters, $k = 32$ | | 7,978,856 | 14,149,480 | 20,013,928 |
#
# `DenseNet(growth, counts, stem=64, num_classes=1000, in_channels=3)` for any number of blocks:
#
# - `conv0`: 7×7, stride 2, padding 3, no bias, to `stem` channels; `norm0`; ReLU; 3×3 max-pooling,
#   stride 2, padding 1;
# - `block1`, `block2`, …: each an `nn.Sequential` of as many `DenseLayer`s as `counts` says;
# - `transition1`, `transition2`, …: behind every block **but the last**, halving the channels
#   (rounded down);
# - `norm`: a last BatchNorm, then ReLU (the blocks end with a bare convolution);
# - the mean over rows and columns, so that any image size will do;
# - `classifier`: `nn.Linear` to `num_classes` logits.
#
# `densenet(depth, **options)` makes the network of the table with `growth=32` and hands it whatever
# options it is given; it raises `ValueError` for a depth that is not in the table.
#
# **Example.** `DenseNet(4, (2, 3), stem=8, num_classes=5)` on `(1, 3, 32, 48)`: stem
# `(1, 8, 8, 12)`, block 1 `(1, 16, 8, 12)`, transition 1 `(1, 8, 4, 6)`, block 2 `(1, 20, 4, 6)`,
# logits `(1, 5)`.
#
# An attribute whose name is worked out is set by `setattr(self, f"block{number}", block)`, and read
# by `getattr`.


# %% nbgrader={"grade": false, "grade_id": "densenet", "locked": false, "schema_version": 3, "solution": true, "task": false}
class DenseNet(nn.Module):
    """A DenseNet: (N, in_channels, H, W) → logits (N, num_classes), for any large enough H and W.

    Attributes: conv0, norm0, block1, transition1, block2, … , norm, classifier.
    """

    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
        ### BEGIN SOLUTION
        self.conv0 = nn.Conv2d(in_channels, stem, 7, stride=2, padding=3, bias=False)
        self.norm0 = nn.BatchNorm2d(stem)
        self.blocks = len(counts)
        channels = stem
        for number, count in enumerate(counts, start=1):
            layers = [DenseLayer(channels + i * growth, growth) for i in range(count)]
            setattr(self, f"block{number}", nn.Sequential(*layers))
            channels += count * growth
            if number < self.blocks:
                setattr(self, f"transition{number}", Transition(channels, channels // 2))
                channels //= 2
        self.norm = nn.BatchNorm2d(channels)
        self.classifier = nn.Linear(channels, num_classes)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)
        ### END SOLUTION


def densenet(depth, **options):
    """The DenseNet for ImageNet with `depth` layers, growth rate 32; ValueError for another depth."""
    ### BEGIN SOLUTION
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-densenet-121", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# DenseNet-121: the published number of parameters, and where they are
check_number(parameters_of(densenet, [121], {}), 7978856, "parameters of DenseNet-121")
### BEGIN HIDDEN TESTS
_shapes = shapes_of(densenet, [121], {})
for _name, _want in {
    "conv0.weight": (64, 3, 7, 7),
    "block1.0.conv1.weight": (128, 64, 1, 1),
    "block2.11.conv2.weight": (32, 128, 3, 3),
    "block3.23.conv1.weight": (128, 992, 1, 1),
    "transition1.conv.weight": (128, 256, 1, 1),
    "transition3.norm.weight": (1024,),
    "block4.15.norm1.running_mean": (992,),
    "norm.weight": (1024,),
    "classifier.bias": (1000,),
}.items():
    assert _shapes.get(_name) == _want, f"{_name} of DenseNet-121 has not the shape it should have"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-densenet-family", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# DenseNet-169 and DenseNet-201, options, and a depth that does not exist
check_number(parameters_of(densenet, [169], {}), 14149480, "parameters of DenseNet-169")
check_raises(ValueError, densenet, 150)
### BEGIN HIDDEN TESTS
check_number(parameters_of(densenet, [201], {}), 20013928, "parameters of DenseNet-201")
_got = parameters_of(DenseNet, [48, [6, 12, 36, 24]], {"stem": 96})
check_number(
    _got, 28681000, "parameters of DenseNet-161, which has growth rate 48 and a stem of 96"
)
_got = parameters_of(densenet, [121], {"num_classes": 10, "in_channels": 1, "stem": 64})
check_number(_got, 7978856 - 990 * 1025 - 64 * 2 * 49, "parameters of DenseNet-121 for digits")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-densenet-logits", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# Weights moved over from a reference network give its logits
got = output_of(DenseNet, [4, (2, 3)], {"stem": 8, "num_classes": 5}, torch.zeros(1, 3, 32, 48))
check_shape(got, (1, 5), "the logits of the example")
### BEGIN HIDDEN TESTS


def reference(growth, counts, stem, classes, channels):
    """The net of Huang et al.: its shapes by name, and its logits as a function of (state, x, train)."""
    shapes = {"conv0.weight": (stem, channels, 7, 7), **norm_shapes("norm0", stem)}
    wide = stem
    for b, count in enumerate(counts, 1):
        for i in range(count):
            shapes |= dense_layer_shapes(wide, growth, f"block{b}.{i}.")
            wide += growth
        if b < len(counts):
            shapes |= norm_shapes(f"transition{b}.norm", wide)
            shapes[f"transition{b}.conv.weight"] = (wide // 2, wide, 1, 1)
            wide //= 2
    shapes |= norm_shapes("norm", wide)
    shapes |= {"classifier.weight": (classes, wide), "classifier.bias": (classes,)}

    def logits(state, x, train=False):
        f = torch.nn.functional
        x = f.conv2d(x, state["conv0.weight"], None, 2, 3)
        x = f.max_pool2d(batch_norm(x, state, "norm0", train).relu(), 3, 2, 1)
        for b, count in enumerate(counts, 1):
            for i in range(count):
                name = f"block{b}.{i}."
                y = batch_norm(x, state, f"{name}norm1", train).relu()
                y = f.conv2d(y, state[f"{name}conv1.weight"])
                y = batch_norm(y, state, f"{name}norm2", train).relu()
                x = torch.cat([x, f.conv2d(y, state[f"{name}conv2.weight"], padding=1)], 1)
            if b < len(counts):
                x = batch_norm(x, state, f"transition{b}.norm", train).relu()
                x = f.avg_pool2d(f.conv2d(x, state[f"transition{b}.conv.weight"]), 2)
        x = batch_norm(x, state, "norm", train).relu().mean((2, 3))
        return f.linear(x, state["classifier.weight"], state["classifier.bias"])

    return shapes, logits


# The reference is the published network: its parameters, counted.
_sizes = reference(32, (6, 12, 24, 16), 64, 1000, 3)[0].items()
_sizes = [shape for name, shape in _sizes if "running" not in name and "tracked" not in name]
assert sum(int(np.prod(shape)) for shape in _sizes) == 7978856
for _growth, _counts, _stem, _channels, _size in (
    (4, (2, 3), 7, 3, (32, 41)),
    (3, (1, 2, 1), 5, 1, (37, 32)),
    (2, (2,), 4, 2, (9, 13)),
):
    _x = torch.randn(2, _channels, *_size, generator=torch.Generator().manual_seed(1010)).double()
    _shapes, _logits = reference(_growth, _counts, _stem, 5, _channels)
    _state = random_state(_shapes, 1011)
    _want = _logits(_state, _x)
    _options = {"stem": _stem, "num_classes": 5, "in_channels": _channels}
    _got = evaluated(DenseNet, [_growth, _counts], _options, _state, _x)
    check_close(_got, _want, f"logits of a DenseNet with blocks of {_counts}")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-densenet-training", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Training mode, and images of another size
got = output_of(DenseNet, [4, (2, 3)], {"stem": 8, "num_classes": 5}, torch.zeros(2, 3, 64, 33))
check_shape(got, (2, 5), "the logits of an image of 64 × 33")
### BEGIN HIDDEN TESTS


@in_submission
def step(make, x, labels):
    """How many parameters get a gradient, and whether every running mean moves, in one backward pass."""
    import torch

    torch.manual_seed(0)
    net = make(3, (2, 2), stem=6, num_classes=4).train()
    before = {k: v.clone() for k, v in net.state_dict().items() if "running_mean" in k}
    torch.nn.functional.cross_entropy(net(x), labels).backward()
    reached = sum(p.grad is not None and bool(p.grad.any()) for p in net.parameters())
    moved = sum(not torch.equal(v, net.state_dict()[k]) for k, v in before.items())
    return reached, len(list(net.parameters())), moved, len(before)


_x = torch.randn(6, 3, 40, 32, generator=torch.Generator().manual_seed(1012))
_reached, _all, _moved, _means = step(DenseNet, _x, torch.arange(6) % 4)
assert _reached == _all, f"a gradient reaches {_reached} of {_all} parameters"
check_number(_all, 3 + 4 * 6 + 3 + 2 + 2, "the number of parameter tensors of a small DenseNet")
assert _moved == _means, f"{_moved} of {_means} running means follow the batch"
for _size in ((32, 32), (33, 70), (96, 48)):
    _options = {"stem": 6, "num_classes": 4}
    _got = output_of(DenseNet, [3, (2, 1, 1)], _options, torch.ones(2, 3, *_size))
    check_shape(_got, (2, 4), f"logits for an image of {_size[0]} × {_size[1]}")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **7,978,856 missed by a little**: three transitions for four blocks; one BatchNorm at the end; a
#   classifier with a bias; no other biases.
# - **Missed by far**: does every layer of a block take `growth` channels more than the one before?
# - **No gradient for the layers of a block**: modules in a Python list are not found. Use
#   `nn.Sequential`.
#
# </details>
#
# What that network spends, block by block, and where:


# %% jupyter={"source_hidden": true} tags=["illustration"]
def by_part(rows):
    """Sum the rows of a table over the parts of a network: conv0, block1, transition1 …"""
    parts = {}
    for row in rows:
        part = parts.setdefault(row["name"].split(".")[0], {"kb": 0, "params": 0, "macs": 0})
        for key in part:
            part[key] += row[key]
    return parts


with torch.device("meta"):
    dense121 = densenet(121)
parts = by_part(layer_table(dense121, (3, 224, 224)))
colors = {"b": "tab:blue", "t": "tab:orange", "c": "tab:red", "n": "0.6"}
layer_bars(
    list(parts),
    {
        "layer outputs, MiB": [part["kb"] / 1024 for part in parts.values()],
        "parameters, thousands": [part["params"] / 1e3 for part in parts.values()],
        "MACs, millions": [part["macs"] / 1e6 for part in parts.values()],
    },
    colors=[colors[name[0]] for name in parts],
    title="DenseNet-121 at 224 × 224 (blocks blue, transitions orange)",
)
plt.show()

# %% [markdown]
# ### Exercise 5 · The number in the name
#
# Convolutions and linear layers count, BatchNorm and pooling do not: the stem's convolution, *two*
# for each dense layer, one for each transition, the classifier. Write `dense_depth(counts)` for any
# number of blocks.


# %% nbgrader={"grade": false, "grade_id": "dense-depth", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dense_depth(counts):
    """Layers with weights of a DenseNet with `counts` dense layers in its blocks."""
    ### BEGIN SOLUTION
    return 1 + 2 * sum(counts) + (len(counts) - 1) + 1
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-dense-depth", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The number in the name
check_number(dense_depth((6, 12, 24, 16)), 121, "dense_depth of DenseNet-121")
### BEGIN HIDDEN TESTS
for _counts, _want in (((6, 12, 32, 32), 169), ((6, 12, 48, 32), 201), ((6, 12, 36, 24), 161)):
    check_number(dense_depth(_counts), _want, f"dense_depth({_counts})")
check_number(
    dense_depth((16, 16, 16)), 100, "dense_depth((16, 16, 16)), the CIFAR net DenseNet-BC-100"
)
check_number(dense_depth((3,)), 8, "dense_depth((3,))")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 6 · What concatenating costs
#
# The hidden price is memory. To train, a network keeps the input of each BatchNorm for the backward
# pass. `torch.cat` *copies*: in a dense block of $L$ layers each layer's concatenated output is a
# tensor of its own, and the first channels are stored over and over. One could instead reserve one
# tensor for the whole block and let each layer write its $k$ channels into it; then every channel
# is stored once.
#
# Write `block_memory(c_in, growth, layers, height, width)`: two numbers in KB for one image,
# float32:
#
# - **copied**: the outputs of all layers of the block, each a concatenation with its own memory;
# - **shared**: the block's last output alone, in which all others are contained.
#
# **Example.** `block_memory(16, 4, 3, 8, 8)`: outputs of 20, 24 and 28 channels, $72\cdot 64$
# numbers, 18 KB; shared: $28 \cdot 64$ numbers, 7 KB.


# %% nbgrader={"grade": false, "grade_id": "block-memory", "locked": false, "schema_version": 3, "solution": true, "task": false}
def block_memory(c_in, growth, layers, height, width):
    """KB of a dense block's layer outputs for one image: (copied, shared); layers is at least 1."""
    ### BEGIN SOLUTION
    outputs = dense_channels(c_in, growth, layers)[1:]
    return tuple(4 * height * width * channels / 1024 for channels in (sum(outputs), outputs[-1]))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-block-memory", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Concatenations copied, and shared
copied, shared = block_memory(16, 4, 3, 8, 8)
check_close((copied, shared), (18, 7), "block_memory(16, 4, 3, 8, 8)")
### BEGIN HIDDEN TESTS
for _c, _k, _layers, _h, _w in (
    (64, 32, 6, 56, 56),
    (512, 32, 16, 7, 7),
    (3, 5, 1, 4, 6),
    (8, 3, 4, 2, 9),
):
    _all = sum(_c + _k * i for i in range(1, _layers + 1))
    _want = (_all * _h * _w / 256, (_c + _k * _layers) * _h * _w / 256)
    check_close(
        block_memory(_c, _k, _layers, _h, _w), _want, f"block_memory{(_c, _k, _layers, _h, _w)}"
    )
### END HIDDEN TESTS

# %% [markdown]
# #### Question · Three sentences about DenseNet
#
# Slides disagree about DenseNet. Decide for each sentence, `True` or `False`. The table in Exercise
# 4 and lesson 09 (ResNet-50: 25,557,032 parameters in 50 layers) answer the first two; the third is
# a prediction, and Exercise 6 says what to think of. The cells after the question measure.
#
# - `q_many_parameters`: "DenseNets need a large number of parameters and use them inefficiently."
# - `q_fewer_layers`: "DenseNet's saving is that it needs fewer layers than a ResNet."
# - `q_memory`: "DenseNet-121 has a third of ResNet-50's parameters, and yet training it keeps
#   *more* activations in memory (with `torch.cat`, the same batch)."

# %% nbgrader={"grade": false, "grade_id": "q-dense-claims", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_many_parameters, q_fewer_layers, q_memory: True or False
### BEGIN SOLUTION
q_many_parameters = False
q_fewer_layers = False
q_memory = True
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-dense-claims", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# What DenseNet saves, and what it costs
for answer in (q_many_parameters, q_fewer_layers, q_memory):
    assert answer is True or answer is False, "answer each of the three with True or False"
### BEGIN HIDDEN TESTS
check_choice(q_many_parameters, False, (True, False), "q_many_parameters")
check_choice(q_fewer_layers, False, (True, False), "q_fewer_layers")
check_choice(q_memory, True, (True, False), "q_memory")
### END HIDDEN TESTS


# %% jupyter={"source_hidden": true} tags=["illustration"]
class PlainBottleneck(nn.Module):
    """ResNet's bottleneck (lesson 09), for comparisons; groups as in ResNeXt."""

    def __init__(self, c_in, width, c_out, stride, groups=1):
        super().__init__()
        spatial = nn.Conv2d(width, width, 3, stride, 1, groups=groups, bias=False)
        self.residual = nn.Sequential(
            *(nn.Conv2d(c_in, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()),
            *(spatial, nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.Conv2d(width, c_out, 1, bias=False), nn.BatchNorm2d(c_out)),
        )
        same = stride == 1 and c_in == c_out
        project = nn.Conv2d(c_in, c_out, 1, stride, bias=False)
        self.shortcut = nn.Sequential() if same else nn.Sequential(project, nn.BatchNorm2d(c_out))

    def forward(self, x):
        return torch.relu(self.residual(x) + self.shortcut(x))


def bottleneck_net(counts=(3, 4, 6, 3), width=64, groups=1):
    """ResNet-50 and its relatives: ResNeXt-50 (width 128, 32 groups), Wide ResNet-50-2 (128, 1)."""
    layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    layers, c_in = [*layers, nn.MaxPool2d(3, 2, 1)], 64
    for stage, count in enumerate(counts):
        for place in range(count):
            stride = 2 if stage and not place else 1
            c_out = 256 * 2**stage
            layers.append(PlainBottleneck(c_in, width * 2**stage, c_out, stride, groups))
            c_in = c_out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c_in, 1000))


# %% jupyter={"source_hidden": true} tags=["illustration"]
def kept_for_backward(net, shape):
    """Bytes that autograd keeps for one image, weights left out; nothing is really computed."""
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        kept[storage._cdata] = (storage.nbytes(), tensor)
        return tensor

    own = [*net.parameters(), *net.buffers()]
    own = {tensor.untyped_storage()._cdata for tensor in own}
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = net.train()(torch.zeros(1, *shape, device="meta"))
    del output
    return sum(size for key, (size, _) in kept.items() if key not in own)


with torch.device("meta"):
    rivals = {"ResNet-50": bottleneck_net(), "DenseNet-121": densenet(121)}
panels = {"parameters, millions": [], "GMACs": [], "kept to train, MiB an image": []}
for net in rivals.values():
    panels["parameters, millions"].append(sum(p.numel() for p in net.parameters()) / 1e6)
    panels["GMACs"].append(sum(row["macs"] for row in layer_table(net, (3, 224, 224))) / 1e9)
    kept = kept_for_backward(net, (3, 224, 224)) / 2**20
    panels["kept to train, MiB an image"].append(kept)
figure, axes = plt.subplots(1, 3, figsize=(10, 2.3))
for axis, (title, values) in zip(axes, panels.items()):
    bars = axis.barh(list(rivals), values, color=["0.6", "tab:blue"], height=0.6)
    axis.bar_label(bars, fmt="%.1f", padding=3, fontsize=9)
    axis.set(title=title, xlim=(0, 1.25 * max(values)), xticks=[])
    axis.set_yticks([0, 1], labels=list(rivals) if axis is axes[0] else ["", ""])
    axis.tick_params(left=False)
    axis.invert_yaxis()
    axis.spines[["top", "right", "bottom"]].set_visible(False)
figure.tight_layout()
plt.show()


# %% [markdown]
# A third of the parameters and two thirds of the work, in more than twice the layers; and more
# memory to train. (Counted on the meta device, by asking autograd what it keeps. Implementations
# that recompute the concatenations in the backward pass need far less, and take longer.)
#
# ## Part 2 · Listen to some channels more
#
# A convolution weighs its input channels with numbers that are the same for every image.
# **Squeeze-and-excitation** (Hu, Shen and Sun, 2017, the last winner of ILSVRC) lets the image
# decide. Three steps, for a map of $C$ channels:
#
# 1. **Squeeze**: one number a channel, its mean over rows and columns,
#    $s_c = \frac1{HW}\sum_{ij} x_{cij}$.
# 2. **Excite**: two small linear layers and a sigmoid make $C$ gates between 0 and 1 of it:
#    $g = \sigma\bigl(W_2\,\mathrm{ReLU}(W_1 s + b_1) + b_2\bigr)$, with $C/r$ numbers in between.
#    $r = 16$ is the *reduction*.
# 3. **Scale**: every channel is multiplied by its gate, $y_{cij} = g_c\, x_{cij}$.
#
# The whole block is one global average pooling and $2C^2/r$ weights, and it fits behind any layer.

# %% jupyter={"source_hidden": true} tags=["illustration"]
rng = np.random.default_rng(4)
gates = np.array([0.9, 0.15, 0.6, 0.35])
maps = np.stack(
    [np.abs(np.convolve(rng.normal(size=44), np.ones(9), "valid")).reshape(6, 6) for _ in gates]
)
figure, axes = plt.subplots(3, 4, figsize=(7, 4.6), height_ratios=(3, 1, 3))
for channel, gate in enumerate(gates):
    top, middle, bottom = axes[:, channel]
    top.imshow(maps[channel], cmap="Blues", vmin=0, vmax=maps.max())
    top.set_title(f"channel {channel}, mean {maps[channel].mean():.1f}", fontsize=9)
    middle.barh([0], [gate], color="tab:orange")
    middle.set(xlim=(0, 1), ylim=(-1, 1))
    middle.text(0.5, 0, f"gate {gate}", ha="center", va="center", fontsize=9)
    bottom.imshow(gate * maps[channel], cmap="Blues", vmin=0, vmax=maps.max())
    for axis in (top, middle, bottom):
        axis.set(xticks=[], yticks=[])
axes[0, 0].set_ylabel("x")
axes[2, 0].set_ylabel("gated")
figure.tight_layout()
plt.show()

# %% [markdown]
# ### Exercise 7 · The SE block
#
# Write `SEBlock(channels, reduction=16)` with the attributes `fc1` and `fc2`, both `nn.Linear` with
# bias, and $\lfloor C/r \rfloor$ numbers in between.
#
# **Example.** With `fc2.weight` zero and every entry of `fc2.bias` at 50, all gates are 1 and the
# block returns its input; at −50 it returns zeros.


# %% nbgrader={"grade": false, "grade_id": "se-block", "locked": false, "schema_version": 3, "solution": true, "task": false}
class SEBlock(nn.Module):
    """Gates each channel by a function of all channels' means: (N, C, H, W) → (N, C, H, W).

    Attributes: fc1 (to channels // reduction numbers), fc2 (back to channels).
    """

    def __init__(self, channels, reduction=16):
        super().__init__()
        ### BEGIN SOLUTION
        self.fc1 = nn.Linear(channels, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        squeezed = x.mean(dim=(2, 3))  # (N, C)
        gates = torch.sigmoid(self.fc2(torch.relu(self.fc1(squeezed))))  # (N, C)
        return x * gates[:, :, None, None]  # (N, C, H, W)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-se-gates", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Gates between 0 and 1, one a channel and image, the same for all pixels
shapes = {"fc1.weight": (2, 8), "fc1.bias": (2,), "fc2.weight": (8, 2), "fc2.bias": (8,)}
got = shapes_of(SEBlock, [8, 4], {})
assert got == shapes, f"SEBlock(8, 4) stores {got}"
state = random_state(shapes, 5)
x = torch.randn(2, 8, 3, 5, generator=torch.Generator().manual_seed(1020)).double()
state["fc2.weight"] = torch.zeros(8, 2).double()
for bias, want in ((50.0, x), (-50.0, 0 * x)):
    state["fc2.bias"] = torch.full((8,), bias).double()
    got = evaluated(SEBlock, [8, 4], {}, state, x)
    check_close(got, want, f"an SE block with gates of sigmoid({bias:g})")
### BEGIN HIDDEN TESTS
_state = random_state(shapes, 1021)
_state["fc1.bias"] = torch.tensor([3.0, 4.0]).double()  # so that the ReLU lets something through
_x = 1 + torch.rand(3, 8, 4, 6, generator=torch.Generator().manual_seed(1022)).double()
_x *= torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1, 1)
_gates = evaluated(SEBlock, [8, 4], {}, _state, _x) / _x
assert bool((_gates > 0).all() and (_gates < 1).all()), "a gate should lie between 0 and 1"
_one = _gates[:, :, :1, :1].expand_as(_gates)
check_close(_gates, _one, "the gates: each channel has one gate for all its pixels, which")
assert not torch.allclose(_gates[0], _gates[1]), "every image has gates of its own"
assert not torch.allclose(_gates[:, 0], _gates[:, 1]), "every channel has a gate of its own"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-se-values", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The output for known weights
x = torch.randn(1, 16, 3, 2, generator=torch.Generator().manual_seed(1023))
got = output_of(SEBlock, [16], {}, x)
check_shape(got, (1, 16, 3, 2), "SEBlock(16) of (1, 16, 3, 2)")
### BEGIN HIDDEN TESTS
for _c, _r, _hidden, _size in (
    (8, 4, 2, (3, 5)),
    (32, None, 2, (4, 4)),
    (47, None, 2, (3, 2)),
    (7, 2, 3, (1, 6)),
    (5, 1, 5, (2, 2)),
):
    _shapes = {"fc1.weight": (_hidden, _c), "fc1.bias": (_hidden,)}
    _shapes |= {"fc2.weight": (_c, _hidden), "fc2.bias": (_c,)}
    _state = random_state(_shapes, 1024)
    _x = 2 * torch.randn(3, _c, *_size, generator=torch.Generator().manual_seed(1025)).double()
    _z = (_x.mean((2, 3)) @ _state["fc1.weight"].T + _state["fc1.bias"]).clamp(min=0)
    _g = 1 / (1 + (-_z @ _state["fc2.weight"].T - _state["fc2.bias"]).exp())
    _want = _g[:, :, None, None] * _x
    _options = {} if _r is None else {"reduction": _r}
    _got = evaluated(SEBlock, [_c], _options, _state, _x)
    check_close(_got, _want, f"SEBlock({_c}{'' if _r is None else f', {_r}'})")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-se-gradient", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The gradient goes through the gates too
shapes = {"fc1.weight": (2, 6), "fc1.bias": (2,), "fc2.weight": (6, 2), "fc2.bias": (6,)}
state = random_state(shapes, 6)
x = torch.randn(2, 6, 4, 3, generator=torch.Generator().manual_seed(1026)).double()
y, dx, _ = in_training(SEBlock, [6, 3], {}, state, x, torch.ones_like(x))
check_shape(dx, (2, 6, 4, 3), "the gradient for the input")
### BEGIN HIDDEN TESTS
_x = x.clone().requires_grad_()
_z = (_x.mean((2, 3)) @ state["fc1.weight"].T + state["fc1.bias"]).relu()
_g = (_z @ state["fc2.weight"].T + state["fc2.bias"]).sigmoid()
_dy = torch.randn(x.shape, generator=torch.Generator().manual_seed(1027)).double()
(_g[:, :, None, None] * _x).backward(_dy)
_dx = in_training(SEBlock, [6, 3], {}, state, x, _dy)[1]
check_close(_dx, _x.grad, "the gradient for the input")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The gates differ from pixel to pixel**: the linear layers see the means, `(N, C)`, not the
#   map.
# - **Broadcasting fails, or scales the wrong axis**: `(N, C)` becomes `(N, C, 1, 1)` with
#   `[:, :, None, None]`.
# - **Negative gates, or gates above 1**: ReLU after `fc1`, a sigmoid after `fc2`.
#
# </details>
#
# ### Exercise 8 · What SE adds
#
# SE-ResNet-50 has an SE block at the end of each residual branch, before the addition. The branch's
# output has $C = 256, 512, 1024, 2048$ channels in the four stages of 3, 4, 6 and 3 blocks. Write
# `se_parameters(counts, channels, reduction)`: the numbers that the SE blocks of a network learn in
# all, biases included; stage $i$ has `counts[i]` blocks of `channels[i]` channels.
#
# **Example.** One block of 8 channels with reduction 4: $8\cdot 2 + 2 + 2 \cdot 8 + 8 = 42$.


# %% nbgrader={"grade": false, "grade_id": "se-parameters", "locked": false, "schema_version": 3, "solution": true, "task": false}
def se_parameters(counts, channels, reduction=16):
    """Numbers learned by the SE blocks of a network with counts[i] blocks of channels[i] channels."""
    ### BEGIN SOLUTION
    total = 0
    for count, wide in zip(counts, channels):
        narrow = wide // reduction
        total += count * (2 * wide * narrow + narrow + wide)
    return total
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-se-parameters", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Parameters of all SE blocks
check_number(se_parameters((1,), (8,), 4), 42, "se_parameters((1,), (8,), 4)")
### BEGIN HIDDEN TESTS
_got = se_parameters((3, 4, 6, 3), (256, 512, 1024, 2048))
check_number(_got, 2530992, "the parameters that SE adds to ResNet-50")
check_number(
    se_parameters((2, 1), (24, 40), 8), 2 * (144 + 27) + 400 + 45, "se_parameters of two stages"
)
check_number(
    se_parameters((1, 3), (9, 7), 2), 72 + 13 + 3 * (42 + 10), "se_parameters of odd widths"
)
### END HIDDEN TESTS

# %% tags=["illustration"]
added = se_parameters((3, 4, 6, 3), (256, 512, 1024, 2048))
last = se_parameters((3,), (2048,))
print(f"SE adds {added:,} numbers to ResNet-50's 25,557,032: {100 * added / 25_557_032:.1f}%")
print(f"{last:,} of them stand in the last stage: {100 * last / added:.0f}%")

# %% [markdown]
# A tenth more parameters, most of them in the last stage, and almost no work: the two linear layers
# run once an image, not once a pixel. The paper's top-1 error of ResNet-50 (one 224 × 224 crop)
# falls from 24.80% (their own training) to 23.29%.
#
# #### Question · Gates
#
# Two predictions for an `SEBlock`:
#
# - `q_gate`: right after `fc2` has been set to zero, weights *and* biases: which number is every
#   gate?
# - `q_moved`: all channels of the map that the block gets are moved three pixels to the right,
#   circularly (what leaves on the right comes in on the left). What do the gates do: `"move"`,
#   `"change"` or `"stay"`?

# %% nbgrader={"grade": false, "grade_id": "q-gates", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_gate: a number; q_moved: "move", "change" or "stay"
### BEGIN SOLUTION
q_gate = 0.5
q_moved = "stay"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-gates", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Gates of zero weights, gates of a moved image
assert q_moved in ("move", "change", "stay"), 'q_moved should be "move", "change" or "stay"'
check_number(q_gate, q_gate, "q_gate")
### BEGIN HIDDEN TESTS
check_number(q_gate, 0.5, "q_gate")
check_choice(q_moved, "stay", ("move", "change", "stay"), "q_moved")
### END HIDDEN TESTS

# %%
# The truth, with your block
block = SEBlock(8, 4)
picture = torch.rand(1, 8, 5, 9)  # (1, 8, 5, 9)
with torch.no_grad():
    gates = (block(picture) / picture)[0, :, 0, 0]  # (8,)
    moved = (block(picture.roll(3, dims=3)) / picture.roll(3, dims=3))[0, :, 0, 0]  # (8,)
    block.fc2.weight.zero_()
    block.fc2.bias.zero_()
    zeroed = (block(picture) / picture)[0, :, 0, 0]  # (8,)
print("gates of a map         ", np.round(gates.numpy(), 3))
print("… of the map moved     ", np.round(moved.numpy(), 3))
print("… of a block of zeros  ", np.round(zeroed.numpy(), 3))

# %% [markdown]
# SE is the ancestor of a family called *channel attention*. Nothing in it knows *where* something
# is.
#
# ## Part 3 · Many narrow paths
#
# In a full convolution every output channel reads every input channel. A **grouped** convolution
# with $g$ groups deals the channels into $g$ hands, in order, and convolves each hand by itself:
# output channels of group $i$ read input channels of group $i$ only. Weights and MACs shrink by the
# factor $g$. AlexNet did it to fit two GPUs (lesson 06). Below, who reads whom for 8 channels: dark
# is a kernel, white is nothing. On the right its extreme, one channel a group.

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axes = plt.subplots(1, 4, figsize=(10, 2.9))
for axis, groups in zip(axes, (1, 2, 4, 8)):
    reads = np.kron(np.eye(groups), np.ones((8 // groups, 8 // groups)))
    axis.imshow(reads, cmap="Blues", vmin=0, vmax=1.4)
    name = {1: "full", 8: "depthwise"}.get(groups, f"{groups} groups")
    axis.set_title(f"{name}: {int(reads.sum())} kernels", fontsize=10)
    axis.set(xticks=np.arange(9) - 0.5, yticks=np.arange(9) - 0.5, xlabel="input channel")
    axis.set(xticklabels=[], yticklabels=[])
    axis.grid(color="0.7", linewidth=0.6)
    axis.tick_params(length=0)
axes[0].set_ylabel("output channel")
figure.tight_layout()
plt.show()

# %% [markdown]
# ### Exercise 9 · A grouped convolution is a full one with zeros
#
# PyTorch stores the weights of a grouped convolution as $(F, C/g, K_H, K_W)$: filter $f$ has
# kernels for its own group's channels only. Write `dense_weight(weight, groups)`: the weights
# $(F, C, K_H, K_W)$ of the full convolution that does the same, with zeros where nothing is read.
#
# **Example.** Four 1×1 filters in two groups on four channels, `weight[:, :, 0, 0]` =
# `[[1, 2], [3, 4], [5, 6], [7, 8]]`, become
# `[[1, 2, 0, 0], [3, 4, 0, 0], [0, 0, 5, 6], [0, 0, 7, 8]]`.


# %% nbgrader={"grade": false, "grade_id": "dense-weight", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dense_weight(weight, groups):
    """Weights of the full convolution that equals a grouped one.

    weight: tensor (F, C/groups, KH, KW). Returns a tensor (F, C, KH, KW) of the same dtype.
    """
    ### BEGIN SOLUTION
    filters, narrow, height, width = weight.shape
    full = weight.new_zeros(filters, narrow * groups, height, width)
    hand = filters // groups
    for group in range(groups):
        rows = slice(group * hand, (group + 1) * hand)
        columns = slice(group * narrow, (group + 1) * narrow)
        full[rows, columns] = weight[rows]
    return full
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-dense-weight", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The full convolution does what the grouped one does
weight = torch.arange(1.0, 9.0).reshape(4, 2, 1, 1)
got = dense_weight(weight, 2)
check_shape(got, (4, 4, 1, 1), "dense_weight of the example")
check_close(
    got[:, :, 0, 0],
    [[1, 2, 0, 0], [3, 4, 0, 0], [0, 0, 5, 6], [0, 0, 7, 8]],
    "dense_weight of the example",
)
### BEGIN HIDDEN TESTS
_random = torch.Generator().manual_seed(1030)
for _groups, _f, _narrow, _side in (
    (3, 6, 2, (3, 3)),
    (2, 6, 4, (1, 3)),
    (5, 5, 1, (3, 2)),
    (4, 8, 1, (2, 2)),
    (1, 3, 2, (3, 3)),
):
    _w = torch.randn(_f, _narrow, *_side, generator=_random, dtype=torch.float64)
    _x = torch.randn(2, _narrow * _groups, 6, 5, generator=_random, dtype=torch.float64)
    _want = torch.nn.functional.conv2d(_x, _w, groups=_groups)
    _before = _w.clone()
    _full = dense_weight(_w, _groups)
    _what = f"dense_weight of {_f} filters in {_groups} groups"
    check_shape(_full, (_f, _narrow * _groups, *_side), _what)
    assert _full.dtype == torch.float64, f"{_what} should keep the dtype"
    check_close(torch.nn.functional.conv2d(_x, _full), _want, f"the convolution with {_what}")
    check_unchanged(_w, _before, "the grouped weights")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **A row too long or too short**: $F/g$ filters form a group, and each reads $C/g$ channels;
#   these are two different numbers.
# - **Right in the first rows only**: where do the channels of group $i$ begin?
#
# </details>
#
# ### ResNeXt
#
# **ResNeXt** (Xie, Girshick, Dollár, Tu and He, 2016) takes ResNet's bottleneck and splits it into
# $C$ narrow paths, the **cardinality**, each $d$ channels wide; their results are added. "32×4d"
# has 32 paths of 4 channels. One module, three ways to write it:
#
# - **(a)** $C$ paths, each 1×1 to $d$, ReLU, 3×3, ReLU, 1×1 back to 256; add the $C$ results;
# - **(b)** $C$ paths up to the second ReLU; *concatenate* to $Cd$ channels; *one* 1×1 to 256;
# - **(c)** one 1×1 to $Cd$; one 3×3 with $C$ **groups**; one 1×1 to 256.
#
# (c) is what libraries run. (b) is (a), since a 1×1 convolution of a concatenation is the sum of
# 1×1 convolutions of its parts. (It resembles an Inception module with equal branches.)
#
# ### Exercise 10 · Split, transform, add
#
# Write form (a), without BatchNorm. You get the weights in the layout of form (c), without biases,
# with $W = Cd$:
#
# - `reduce` $(W, C_{in}, 1, 1)$, `spatial` $(W, d, 3, 3)$ with padding 1, `expand`
#   $(C_{out}, W, 1, 1)$; `paths` is the cardinality.
#
# Path $i$ has channels $id$ to $(i+1)d - 1$ of the $W$: it uses these *rows* of `reduce` and of
# `spatial`, and these *columns* (input channels) of `expand`. Return the sum over paths,
# $(N, C_{out}, H, W)$. `nn.functional.conv2d(x, weight, padding=1)` convolves with given weights.
#
# Loop over the paths here, even though form (c) gives the same numbers: that they agree is what the
# checks look at.


# %% nbgrader={"grade": false, "grade_id": "split-transform-sum", "locked": false, "schema_version": 3, "solution": true, "task": false}
def split_transform_sum(x, reduce, spatial, expand, paths):
    """ResNeXt's residual branch as a sum over paths: (N, C_in, H, W) → (N, C_out, H, W).

    reduce (W, C_in, 1, 1), spatial (W, W/paths, 3, 3), expand (C_out, W, 1, 1); ReLU in between.
    """
    ### BEGIN SOLUTION
    conv2d, narrow = nn.functional.conv2d, len(reduce) // paths
    total = 0
    for path in range(paths):
        own = slice(path * narrow, (path + 1) * narrow)
        y = torch.relu(conv2d(x, reduce[own]))  # (N, d, H, W)
        y = torch.relu(conv2d(y, spatial[own], padding=1))  # (N, d, H, W)
        total = total + conv2d(y, expand[:, own])  # (N, C_out, H, W)
    return total
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-split-transform-sum", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# The sum of paths equals the grouped convolution
random = torch.Generator().manual_seed(7)
sizes = ((1, 6, 4, 5), (8, 6, 1, 1), (8, 2, 3, 3), (6, 8, 1, 1))
x, reduce, spatial, expand = (torch.randn(size, generator=random).double() for size in sizes)
out = split_transform_sum(x, reduce, spatial, expand, 4)
check_shape(out, (1, 6, 4, 5), "split_transform_sum with 4 paths")
### BEGIN HIDDEN TESTS
for _paths, _wide, _c_in, _c_out in ((4, 8, 6, 6), (3, 9, 4, 5), (1, 3, 2, 4), (6, 6, 3, 2)):
    _random = torch.Generator().manual_seed(1031)
    _sizes = (
        (2, _c_in, 4, 5),
        (_wide, _c_in, 1, 1),
        (_wide, _wide // _paths, 3, 3),
        (_c_out, _wide, 1, 1),
    )
    _x, _reduce, _spatial, _expand = (
        torch.randn(size, generator=_random, dtype=torch.float64) for size in _sizes
    )
    _f = torch.nn.functional
    _y = _f.conv2d(_f.conv2d(_x, _reduce).relu(), _spatial, padding=1, groups=_paths).relu()
    _want = _f.conv2d(_y, _expand)
    _before = _x.clone()
    _got = split_transform_sum(_x, _reduce, _spatial, _expand, _paths)
    check_close(_got, _want, f"{_paths} paths of {_wide // _paths} channels")
    check_unchanged(_x, _before, "x")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **"expected input to have … channels"**: the second layer of a path reads the path's own $d$
#   channels. Its weights are *rows* of `spatial`.
# - **Right for one path, wrong for more**: of `expand` a path takes columns,
#   `expand[:, i * d : (i + 1) * d]`.
# - **A few per cent off**: count the ReLUs. Two stand in each path, none behind the last layer.
#
# </details>
#
# ### Exercise 11 · The same budget, more paths
#
# Cardinality should be compared at equal cost. A ResNet-50 bottleneck on 256 channels holds
# $256\cdot 64 + 9 \cdot 64^2 + 64 \cdot 256 = 69{,}632$ weights. $C$ paths of $d$ channels hold
# $C\,(256\,d + 9\,d^2 + 256\,d)$. Write `nearest_width(paths, channels=256, budget=69632)`: the
# whole number $d \ge 1$ for which the module's weights come nearest to the budget (with `channels`
# in place of 256); if two are equally near, the smaller.
#
# **Example.** `nearest_width(2)` is 40: $2\,(20{,}480 + 14{,}400) = 69{,}760$.


# %% nbgrader={"grade": false, "grade_id": "nearest-width", "locked": false, "schema_version": 3, "solution": true, "task": false}
def nearest_width(paths, channels=256, budget=69632):
    """Width d of each of `paths` paths whose weights come nearest to `budget`; the smaller of two."""
    ### BEGIN SOLUTION
    return min(
        range(1, budget + 1), key=lambda d: abs(paths * (2 * channels * d + 9 * d * d) - budget)
    )
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-nearest-width", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Widths at equal cost
check_number(nearest_width(2), 40, "nearest_width(2)")
### BEGIN HIDDEN TESTS
for _paths, _want in ((1, 64), (4, 24), (8, 14), (16, 8), (28, 4), (32, 4)):
    check_number(nearest_width(_paths), _want, f"nearest_width({_paths})")
for _paths, _channels, _budget in (
    (4, 128, 20000),
    (3, 10, 500),
    (64, 512, 300),
    (1, 2, 24),
    (2, 10, 105),
    (1, 2, 1),
    (1, 2, 1000),
):
    _costs = [abs(_paths * (2 * _channels * d + 9 * d * d) - _budget) for d in range(1, 200)]
    _want = 1 + int(np.argmin(_costs))
    _got = nearest_width(_paths, _channels, _budget)
    check_number(_got, _want, f"nearest_width({_paths}, {_channels}, {_budget})")
### END HIDDEN TESTS

# %% tags=["illustration"]
print(", ".join(f"{paths}×{nearest_width(paths)}d" for paths in (1, 2, 4, 8, 32)))

# %% [markdown]
# These are the settings that the ResNeXt paper compares; at this budget its ImageNet error falls
# from 23.9% (1×64d) to 22.2% (32×4d), top-1, one crop.
#
# ### Exercise 12 · Three networks, one formula
#
# ResNet-50, ResNeXt-50 and Wide ResNet-50-2 differ in the inside of their bottlenecks only. Block
# by block, with inner width $w$ and $g$ groups:
#
# | | weights |
# |---|---|
# | stem | 7×7 convolution from 3 to 64 channels |
# | each block | 1×1 from $c_{in}$ to $w$; 3×3 from $w$ to $w$ in $g$ groups; 1×1 from $w$ to $c_{out}$ |
# | the first block of each stage, in addition | 1×1 projection from $c_{in}$ to $c_{out}$ |
# | head | linear from 2048 to 1000, with bias |
#
# Stages 1 to 4 have 3, 4, 6 and 3 blocks, $c_{out} = 256, 512, 1024, 2048$, and inner widths
# $w_1, 2w_1, 4w_1, 8w_1$. The first block of all reads 64 channels, every other one what the block
# before put out. Convolutions have no bias, and behind each, the projections' too, stands a
# BatchNorm with 2 learned numbers a channel.
#
# Write `resnet50_parameters(width, groups)`, with `width` $= w_1$.
#
# **Example.** `resnet50_parameters(64, 1)` is ResNet-50's 25,557,032.


# %% nbgrader={"grade": false, "grade_id": "resnet50-parameters", "locked": false, "schema_version": 3, "solution": true, "task": false}
def resnet50_parameters(width, groups):
    """Parameters of a 50-layer bottleneck net with inner widths width, 2·width, 4·width, 8·width."""

    ### BEGIN SOLUTION
    def conv(c_in, c_out, side=1, groups=1):
        return c_out * (c_in // groups) * side**2 + 2 * c_out  # with its BatchNorm

    total, c_in = conv(3, 64, 7) + 2048 * 1000 + 1000, 64
    for stage, count in enumerate((3, 4, 6, 3)):
        inner, c_out = width * 2**stage, 256 * 2**stage
        total += conv(c_in, c_out)
        for _ in range(count):
            total += conv(c_in, inner) + conv(inner, inner, 3, groups) + conv(inner, c_out)
            c_in = c_out
    return total
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-resnet50-parameters", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# ResNet-50 and Wide ResNet-50-2
check_number(resnet50_parameters(64, 1), 25557032, "resnet50_parameters(64, 1)")
### BEGIN HIDDEN TESTS
check_number(
    resnet50_parameters(128, 1), 68883240, "the parameters of Wide ResNet-50-2 (width 128)"
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-resnext50-parameters", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# ResNeXt-50 and other groups
assert resnet50_parameters(64, 2) < resnet50_parameters(64, 1), (
    "two groups need fewer weights than one"
)
### BEGIN HIDDEN TESTS
check_number(resnet50_parameters(128, 32), 25028904, "the parameters of ResNeXt-50 32×4d")
for _width, _groups in ((64, 4), (96, 16)):
    _inner = [(n, _width * 2**i) for i, n in enumerate((3, 4, 6, 3))]
    _saved = sum(n * 9 * w * (w - w // _groups) for n, w in _inner)
    _before = sum(n * 9 * w * w for n, w in _inner) - sum(
        n * 9 * (64 * 2**i) ** 2 for i, n in enumerate((3, 4, 6, 3))
    )
    _ones = 0
    for (_n, _w), _i in zip(_inner, range(4)):
        _thin, _out = 64 * 2**_i, 256 * 2**_i
        _reads = (64 if _i == 0 else _out // 2) + (_n - 1) * _out + _n * _out + 4 * _n
        _ones += _reads * (_w - _thin)
    _want = 25557032 + _before + _ones - _saved
    check_number(
        resnet50_parameters(_width, _groups), _want, f"resnet50_parameters({_width}, {_groups})"
    )
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **Too few by 53,120**: the BatchNorms, two numbers a channel. **By 7,680**: those behind the
#   projections. **By 16,896**: stage 1 has a projection too, from 64 to 256 channels.
# - **ResNet-50 right, ResNeXt-50 wrong**: a filter of a grouped convolution reads $w/g$ channels.
#   Only the 3×3 is grouped.
#
# </details>
#
# More names that you will meet, in the same spirit: *ResNet in ResNet*, *Inception-v4* and
# *Inception-ResNet* (Inception modules, the second with shortcuts), *SparseNet* (a dense block that
# reads only some of the earlier layers), *NASNet* (a cell found by a search program), and
# *ConvNeXt* (2022: a ResNet with depthwise 7×7 convolutions, layer norm and a modern recipe).
#
# ## Part 4 · One filter a channel
#
# A convolution does two things at once: it looks at *neighbouring pixels*, and it *mixes channels*.
# A **depthwise separable** convolution does them one after the other:
#
# - **depthwise**: one $K \times K$ kernel for each channel ($C$ groups); it mixes no channels;
# - **pointwise**: a 1×1 convolution from $C$ to $N$ channels; it looks at no neighbours.

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axes = plt.subplots(1, 3, figsize=(11, 3.1))


def slab(axis, left, bottom, channels, size, color, text):
    """Draw a map as a stack of channels."""
    for place in reversed(range(channels)):
        shift = 0.16 * place
        box = plt.Rectangle((left + shift, bottom + shift), size, size, edgecolor="0.3")
        box.set(facecolor=color[place % len(color)], alpha=0.9)
        axis.add_patch(box)
    axis.text(left + size / 2, bottom - 0.25, text, ha="center", va="top", fontsize=9)


rgb = ["#9ecae1", "#a1d99b", "#fdae6b"]
for axis, title, out, label in (
    (axes[0], "full: N kernels of K × K × C", ["0.75"], "N channels"),
    (axes[1], "depthwise: C kernels of K × K", rgb, "C channels"),
    (axes[2], "pointwise: N kernels of 1 × 1 × C", ["0.75"], "N channels"),
):
    count = 3 if out == rgb else 6
    slab(axis, 0, 0, 3, 1.6, rgb, "C channels")
    slab(axis, 3.6, 0, count, 1.6, out, label)
    side = 0.12 if title.startswith("point") else 0.5
    for place in range(1 if out == rgb else 3):
        shift = 0.16 * place
        box = plt.Rectangle(
            (0.6 + shift, 0.5 + shift), side, side, fill=False, edgecolor="crimson", lw=1.6
        )
        axis.add_patch(box)
    target = (3.6 + 0.85, 0.75)
    axis.annotate(
        "", target, (0.6 + side + 0.35, 0.8), arrowprops={"arrowstyle": "->", "color": "crimson"}
    )
    axis.plot(*target, "s", color="crimson", markersize=4)
    axis.set(xlim=(-0.3, 6.4), ylim=(-0.8, 2.9), title=title, aspect="equal")
    axis.axis("off")
figure.tight_layout()
plt.show()

# %% [markdown]
# ### Exercise 13 · What it saves
#
# Write `conv_cost(c_in, c_out, kernel, height, width)`: the MACs, for one image, of a full
# $K \times K$ convolution and of a depthwise separable one (both parts together), as a pair. Stride
# 1 and padding that keeps `height` × `width`.
#
# **Example.** `conv_cost(2, 4, 3, 5, 5)`: full $25 \cdot 9 \cdot 2 \cdot 4 = 1{,}800$; depthwise
# $25 \cdot 9 \cdot 2 = 450$ and pointwise $25 \cdot 2 \cdot 4 = 200$. So `(1800, 650)`.


# %% nbgrader={"grade": false, "grade_id": "conv-cost", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv_cost(c_in, c_out, kernel, height, width):
    """MACs of one image in a full K×K convolution and in a depthwise separable one: a pair."""
    ### BEGIN SOLUTION
    pixels = height * width
    full = pixels * kernel**2 * c_in * c_out
    separable = pixels * (kernel**2 * c_in + c_in * c_out)
    return full, separable
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-conv-cost", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# MACs of both, and their ratio
check_close(conv_cost(2, 4, 3, 5, 5), (1800, 650), "conv_cost(2, 4, 3, 5, 5)")
### BEGIN HIDDEN TESTS
for _c, _n, _k, _h, _w in (
    (64, 128, 3, 56, 56),
    (5, 3, 5, 4, 7),
    (1, 6, 3, 2, 9),
    (32, 32, 1, 8, 4),
):
    _full, _separable = conv_cost(_c, _n, _k, _h, _w)
    _what = f"conv_cost{(_c, _n, _k, _h, _w)}"
    check_number(_full, _h * _w * _c * _n * _k * _k, f"the full convolution in {_what}")
    check_close(_separable / _full, 1 / _n + 1 / _k**2, f"the ratio in {_what}")
### END HIDDEN TESTS

# %% [markdown]
# #### Question · The ratio
#
# Divide one by the other: nearly everything cancels. How many times cheaper is a 3×3 convolution to
# $N = 512$ channels when it is separated (to one decimal)? And to which whole number does this
# factor tend as $N$ grows?

# %% nbgrader={"grade": false, "grade_id": "q-ratio", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_times: a number, to one decimal; q_limit: a whole number
### BEGIN SOLUTION
q_times = 8.8
q_limit = 9
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-ratio", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# How many times cheaper
check_number(q_times, q_times, "q_times")
check_number(q_limit, q_limit, "q_limit")
### BEGIN HIDDEN TESTS
check_close(q_times, 9 * 512 / (512 + 9), "q_times", atol=0.06, rtol=0)
check_number(q_limit, 9, "q_limit")
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true} tags=["illustration"]
sizes = 2 ** np.arange(2, 11)
figure, axis = plt.subplots(figsize=(6.4, 3))
for side, color in ((3, "tab:blue"), (5, "tab:orange"), (7, "tab:green")):
    ratios = [conv_cost(64, n, side, 8, 8) for n in sizes]
    axis.plot(
        sizes, [full / thin for full, thin in ratios], "o-", color=color, label=f"{side}×{side}"
    )
    axis.axhline(side**2, color=color, linestyle=":", linewidth=1)
axis.set(xscale="log", yscale="log", xlabel="output channels N", ylabel="times cheaper")
axis.set_title("dotted: K²", fontsize=10)
axis.set_yticks([2, 5, 9, 25, 49], labels=["2", "5", "9", "25", "49"])
axis.set_xticks(sizes[::2], labels=[str(size) for size in sizes[::2]])
axis.minorticks_off()
axis.legend(title="kernel")
axis.spines[["top", "right"]].set_visible(False)
figure.tight_layout()
plt.show()

# %% [markdown]
# The ratio is $\frac1N + \frac1{K^2}$: the pointwise part dominates as soon as $N$ is larger than
# $K^2$.
#
# ### Exercise 14 · MobileNet's unit
#
# **MobileNet** (V1, Howard and others, 2017) is a stack of such pairs, with BatchNorm and ReLU
# behind *each* of the two. Write `DepthwiseSeparable(c_in, c_out, stride=1)`: a 3×3 depthwise
# convolution with the stride and padding 1, BatchNorm, ReLU, a 1×1 convolution, BatchNorm, ReLU.
# Attributes: `depthwise`, `bn1`, `pointwise`, `bn2`; no biases in the convolutions.


# %% nbgrader={"grade": false, "grade_id": "separable", "locked": false, "schema_version": 3, "solution": true, "task": false}
class DepthwiseSeparable(nn.Module):
    """3×3 depthwise, BN, ReLU, 1×1, BN, ReLU: (N, c_in, H, W) → (N, c_out, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: depthwise, bn1, pointwise, bn2.
    """

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        ### BEGIN SOLUTION
        self.depthwise = nn.Conv2d(c_in, c_in, 3, stride, padding=1, groups=c_in, bias=False)
        self.bn1 = nn.BatchNorm2d(c_in)
        self.pointwise = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        x = torch.relu(self.bn1(self.depthwise(x)))  # (N, c_in, H/stride, W/stride)
        return torch.relu(self.bn2(self.pointwise(x)))  # (N, c_out, H/stride, W/stride)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-separable-values", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
# What the unit stores, and its output with known weights


def unit_shapes(c_in, c_out):
    """Names and shapes of what a depthwise separable unit stores."""
    shapes = {"depthwise.weight": (c_in, 1, 3, 3), **norm_shapes("bn1", c_in)}
    return {**shapes, "pointwise.weight": (c_out, c_in, 1, 1), **norm_shapes("bn2", c_out)}


got = shapes_of(DepthwiseSeparable, [4, 6], {})
assert got.keys() == unit_shapes(4, 6).keys(), f"DepthwiseSeparable(4, 6) stores {sorted(got)}"
assert got == unit_shapes(4, 6), f"DepthwiseSeparable(4, 6) stores {got}"
### BEGIN HIDDEN TESTS
for _c_in, _c_out, _stride, _size in ((4, 6, 1, (5, 4)), (3, 2, 2, (7, 6)), (1, 3, 2, (4, 5))):
    _x = torch.randn(3, _c_in, *_size, generator=torch.Generator().manual_seed(1040)).double()
    _state = random_state(unit_shapes(_c_in, _c_out), 1041)
    _w = _state["depthwise.weight"]
    _f = torch.nn.functional
    _y = torch.cat(
        [_f.conv2d(_x[:, i : i + 1], _w[i : i + 1], None, _stride, 1) for i in range(_c_in)], 1
    )
    _y = _f.conv2d(batch_norm(_y, _state, "bn1").relu(), _state["pointwise.weight"])
    _want = batch_norm(_y, _state, "bn2").relu()
    _options = {"stride": _stride} if _stride > 1 else {}
    _got = evaluated(DepthwiseSeparable, [_c_in, _c_out], _options, _state, _x)
    check_close(_got, _want, f"DepthwiseSeparable({_c_in}, {_c_out}, {_stride})")


def trained(x, state):
    """The unit with stride 2 in training mode."""
    w = state["depthwise.weight"]
    y = torch.nn.functional.conv2d(x, w, None, 2, 1, groups=len(w))
    y = batch_norm(y, state, "bn1", True).relu()
    y = torch.nn.functional.conv2d(y, state["pointwise.weight"])
    return batch_norm(y, state, "bn2", True).relu()


_state = random_state(unit_shapes(3, 4), 1052)
_kept = {name: value.clone() for name, value in _state.items()}
_x = torch.randn(2, 3, 6, 7, generator=torch.Generator().manual_seed(1053)).double()
_leaf = _x.clone().requires_grad_()
_want = trained(_leaf, _state)
_dy = torch.randn(_want.shape, generator=torch.Generator().manual_seed(1054)).double()
_want.backward(_dy)
_y, _dx, _running = in_training(DepthwiseSeparable, [3, 4, 2], {}, _kept, _x, _dy)
check_close(_y, _want, "a unit with stride 2 in training mode")
check_close(_dx, _leaf.grad, "the gradient for the input")
for _name, _value in _running.items():
    check_close(_value, _state[_name], f"{_name} after one batch")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **`depthwise.weight` is (4, 4, 3, 3)**: that is a full convolution. `groups=c_in` gives each
#   channel a kernel of its own.
# - **Wrong size with stride 2**: the depthwise convolution has the stride, the pointwise one has
#   none.
#
# </details>
#
# ### MobileNetV2: thin shortcuts
#
# MobileNet**V2** (Sandler and others, 2018) is often described by the sentence above; but depthwise
# separable convolutions were V1's idea. V2's own are two, and they turn ResNet's bottleneck inside
# out:
#
# - the **inverted residual**: 1×1 to make it *wide* ($t = 6$ times), 3×3 depthwise on the wide
#   part, 1×1 to make it narrow again. The shortcut joins the *narrow* ends, so little has to be
#   kept.
# - the **linear bottleneck**: *no* ReLU behind the last 1×1. A ReLU deletes what is negative, and
#   in few channels there is no copy of it.
#
# The paper's own picture of the second: put a spiral into $m$ dimensions by a random matrix, apply
# ReLU, and bring it back as well as a linear map can.

# %% jupyter={"source_hidden": true} tags=["illustration"]
rng = np.random.default_rng(seed)
turns = np.linspace(0.3, 4 * np.pi, 400)
spiral = np.stack([turns * np.cos(turns), turns * np.sin(turns)]) / turns.max()  # (2, 400)


def there_and_back(m):
    """The spiral after m dimensions and a ReLU, brought back linearly, and the share that is lost."""
    wide = np.maximum(rng.normal(size=(m, 2)) @ spiral, 0)  # (m, 400)
    back = spiral @ np.linalg.pinv(wide)  # (2, m), the best linear way back
    points = back @ wide  # (2, 400)
    return points, np.sum((points - spiral) ** 2) / np.sum(spiral**2)


figure, axes = plt.subplots(1, 5, figsize=(11, 2.7))
axes[0].scatter(*spiral, c=turns, cmap="viridis", s=4)
axes[0].set_title("input", fontsize=9)
for axis, m in zip(axes[1:], (2, 3, 5, 30)):
    draws = [there_and_back(m) for _ in range(200)]
    typical = sorted(draws, key=lambda draw: draw[1])[100][0]  # the median of the draws
    axis.scatter(*typical, c=turns, cmap="viridis", s=4)
    lost = np.mean([lost for _, lost in draws])
    axis.set_title(f"ReLU in {m} dimensions\n{100 * lost:.1f}% lost (mean of 200)", fontsize=9)
for axis in axes:
    axis.set(xticks=[], yticks=[], xlim=(-1.3, 1.3), ylim=(-1.3, 1.3), aspect="equal")
figure.tight_layout()
plt.show()

# %% [markdown]
# In few dimensions ReLU destroys parts of the picture; in many, nearly everything can be brought
# back. So: ReLU where it is wide, none where it is narrow.
#
# ### Exercise 15 · The inverted residual
#
# Write `InvertedResidual(c_in, c_out, stride, factor)`, with inner width $m$ = `factor * c_in`:
#
# - `expand`: 1×1 from `c_in` to $m$; `bn1`; **ReLU6**, which is $\min(\max(x, 0), 6)$;
# - `depthwise`: 3×3 with the stride, padding 1, one kernel a channel; `bn2`; ReLU6;
# - `project`: 1×1 from $m$ to `c_out`; `bn3`; **no** activation;
# - where `stride == 1` **and** `c_in == c_out`: add the input. Nothing behind the addition.
#   Elsewhere there is *no* shortcut, not even a projection.
#
# With `factor == 1` there is nothing to widen: `expand` and `bn1` do not exist then (leave the
# attributes out, or set them to `None`), nor does the ReLU6 behind them. No biases in the
# convolutions.


# %% nbgrader={"grade": false, "grade_id": "inverted", "locked": false, "schema_version": 3, "solution": true, "task": false}
class InvertedResidual(nn.Module):
    """MobileNetV2's block: (N, c_in, H, W) → (N, c_out, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: expand, bn1 (unless factor is 1), depthwise, bn2, project, bn3.
    """

    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        ### BEGIN SOLUTION
        wide = factor * c_in
        self.expand = nn.Conv2d(c_in, wide, 1, bias=False) if factor > 1 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 1 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.shortcut = stride == 1 and c_in == c_out
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        relu6, y = nn.functional.relu6, x
        if self.expand is not None:
            y = relu6(self.bn1(self.expand(y)))  # (N, factor·c_in, H, W)
        y = relu6(self.bn2(self.depthwise(y)))  # (N, factor·c_in, H/stride, W/stride)
        y = self.bn3(self.project(y))  # (N, c_out, H/stride, W/stride)
        return x + y if self.shortcut else y
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-inverted-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Without a shortcut: names, values, ReLU6, a linear end


def inverted_shapes(c_in, c_out, factor, prefix=""):
    """Names and shapes of what an inverted residual stores."""
    wide, shapes = factor * c_in, {}
    if factor > 1:
        shapes = {"expand.weight": (wide, c_in, 1, 1), **norm_shapes("bn1", wide)}
    shapes |= {"depthwise.weight": (wide, 1, 3, 3), **norm_shapes("bn2", wide)}
    shapes |= {"project.weight": (c_out, wide, 1, 1), **norm_shapes("bn3", c_out)}
    return {prefix + name: shape for name, shape in shapes.items()}


got = shapes_of(InvertedResidual, [4, 6, 2, 3], {})
assert got == inverted_shapes(4, 6, 3), f"InvertedResidual(4, 6, 2, 3) stores {got}"
### BEGIN HIDDEN TESTS


def inverted(x, state, stride, prefix=""):
    """The block of Sandler et al. with the weights of state."""
    conv2d, y = torch.nn.functional.conv2d, x
    if f"{prefix}expand.weight" in state:
        y = conv2d(y, state[f"{prefix}expand.weight"])
        y = batch_norm(y, state, f"{prefix}bn1").clamp(0, 6)
    w = state[f"{prefix}depthwise.weight"]
    y = conv2d(y, w, None, stride, 1, groups=len(w))
    y = conv2d(batch_norm(y, state, f"{prefix}bn2").clamp(0, 6), state[f"{prefix}project.weight"])
    y = batch_norm(y, state, f"{prefix}bn3")
    return x + y if stride == 1 and x.shape[1] == y.shape[1] else y


for _c_in, _c_out, _stride, _factor in ((4, 6, 2, 3), (3, 3, 2, 6), (5, 2, 1, 2)):
    _x = 4 * torch.randn(2, _c_in, 7, 6, generator=torch.Generator().manual_seed(1042)).double()
    _state = random_state(inverted_shapes(_c_in, _c_out, _factor), 1043)
    _state["bn1.weight"] *= 4
    _state["bn2.weight"] *= 4
    _got = evaluated(InvertedResidual, [_c_in, _c_out, _stride, _factor], {}, _state, _x)
    _what = f"InvertedResidual({_c_in}, {_c_out}, {_stride}, {_factor})"
    check_close(_got, inverted(_x, _state, _stride), _what)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-inverted-shortcut", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# With a shortcut: the input is added, and nothing comes after it
x = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(1044)).double()


@in_submission
def with_dead_end(make, arguments, x):
    """The block's output when its last BatchNorm puts out zeros."""
    import torch

    torch.manual_seed(0)
    block = make(*arguments).double().eval()
    torch.nn.init.zeros_(block.bn3.weight)
    torch.nn.init.zeros_(block.bn3.bias)
    return block(x).detach()


check_close(with_dead_end(InvertedResidual, [3, 3, 1, 6], x), x, "x plus a branch of zeros")
### BEGIN HIDDEN TESTS
_dead = with_dead_end(InvertedResidual, [3, 3, 2, 6], x)
check_close(_dead, torch.zeros(2, 3, 2, 3), "a block with stride 2, which has no shortcut")
_dead = with_dead_end(InvertedResidual, [3, 4, 1, 2], x)
check_close(
    _dead, torch.zeros(2, 4, 4, 5), "a block that changes the channels, which has no shortcut"
)
check_close(with_dead_end(InvertedResidual, [3, 3, 1, 1], x), x, "a block with factor 1")


def branch(x, state):
    """The block's branch at stride 1, in training mode."""
    conv2d, w = torch.nn.functional.conv2d, state["depthwise.weight"]
    y = batch_norm(conv2d(x, state["expand.weight"]), state, "bn1", True).clamp(0, 6)
    y = batch_norm(conv2d(y, w, None, 1, 1, groups=len(w)), state, "bn2", True).clamp(0, 6)
    return batch_norm(conv2d(y, state["project.weight"]), state, "bn3", True)


_shapes = {"expand.weight": (6, 3, 1, 1), **norm_shapes("bn1", 6), "depthwise.weight": (6, 1, 3, 3)}
_shapes |= {**norm_shapes("bn2", 6), "project.weight": (3, 6, 1, 1), **norm_shapes("bn3", 3)}
_state = random_state(_shapes, 1045)
_kept = {name: value.clone() for name, value in _state.items()}
_x = x.clone().requires_grad_()
_want = _x + branch(_x, _state)
_dy = torch.randn(_want.shape, generator=torch.Generator().manual_seed(1046)).double()
_want.backward(_dy)
_y, _dx, _running = in_training(InvertedResidual, [3, 3, 1, 2], {}, _kept, x, _dy)
check_close(_y, _want, "a block with a shortcut in training mode")
check_close(_dx, _x.grad, "the gradient for the input")
for _name, _value in _running.items():
    check_close(_value, _state[_name], f"{_name} after one batch")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-inverted-thin", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Factor 1: nothing is widened
shapes = {"depthwise.weight": (4, 1, 3, 3), **norm_shapes("bn2", 4)}
shapes |= {"project.weight": (2, 4, 1, 1), **norm_shapes("bn3", 2)}
got = shapes_of(InvertedResidual, [4, 2, 1, 1], {})
assert got.keys() == shapes.keys(), f"InvertedResidual(4, 2, 1, 1) stores {sorted(got)}"
### BEGIN HIDDEN TESTS
assert got == shapes, "InvertedResidual(4, 2, 1, 1) stores other shapes than asked"
_state = random_state(shapes, 1047)
_x = 3 * torch.randn(2, 4, 5, 6, generator=torch.Generator().manual_seed(1048)).double() - 1
_f = torch.nn.functional
_y = _f.conv2d(_x, _state["depthwise.weight"], None, 1, 1, groups=4)
_y = _f.conv2d(batch_norm(_y, _state, "bn2").clamp(0, 6), _state["project.weight"])
_got = evaluated(InvertedResidual, [4, 2, 1, 1], {}, _state, _x)
check_close(_got, batch_norm(_y, _state, "bn3"), "InvertedResidual(4, 2, 1, 1)")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **No negative number in the output**: an activation stands behind `bn3`, or behind the addition.
# - **Off where values are large**: ReLU6 cuts at 6.
# - **"Unexpected key(s)" with factor 1**: `nn.Identity` stores nothing, but a convolution or a
#   BatchNorm does. And mind the activation: the input of the block must not go through a ReLU6.
#
# </details>
#
# ### Exercise 16 · MobileNetV2
#
# The whole network is a stem, a stack of inverted residuals, a 1×1 convolution, global average
# pooling and one linear layer. The stack as rows of (factor, channels, blocks, stride of the first
# block); the other blocks of a row have stride 1:
#
# | factor $t$ | channels $c$ | blocks $n$ | stride $s$ |
# |---|---|---|---|
# | 1 | 16 | 1 | 1 |
# | 6 | 24 | 2 | 2 |
# | 6 | 32 | 3 | 2 |
# | 6 | 64 | 4 | 2 |
# | 6 | 96 | 3 | 1 |
# | 6 | 160 | 3 | 2 |
# | 6 | 320 | 1 | 1 |
#
# `MobileNetV2(rows, stem=32, head=1280, num_classes=1000)`:
#
# - `stem`: an `nn.Sequential` of a 3×3 convolution from 3 to `stem` channels (stride 2, padding 1,
#   no bias), BatchNorm, `nn.ReLU6`;
# - `blocks`: an `nn.Sequential` of all `InvertedResidual`s, one after the other;
# - `head`: an `nn.Sequential` of a 1×1 convolution to `head` channels (no bias), BatchNorm,
#   `nn.ReLU6`;
# - the mean over rows and columns; `classifier`: `nn.Linear`. (The paper's dropout before it is
#   left out.)
#
# `mobilenet_v2(num_classes=1000)` makes it with the table: 3,504,872 parameters and 0.301 GMAC at
# 224 × 224.


# %% nbgrader={"grade": false, "grade_id": "mobilenet", "locked": false, "schema_version": 3, "solution": true, "task": false}
class MobileNetV2(nn.Module):
    """MobileNetV2: (N, 3, H, W) → logits (N, num_classes).

    rows: (factor, channels, blocks, stride of the first block). Attributes: stem, blocks, head,
    classifier.
    """

    def __init__(self, rows, stem=32, head=1280, num_classes=1000):
        super().__init__()
        ### BEGIN SOLUTION
        first = nn.Conv2d(3, stem, 3, stride=2, padding=1, bias=False)
        self.stem = nn.Sequential(first, nn.BatchNorm2d(stem), nn.ReLU6())
        blocks, c_in = [], stem
        for factor, channels, count, stride in rows:
            for place in range(count):
                step = 1 if place else stride
                blocks.append(InvertedResidual(c_in, channels, step, factor))
                c_in = channels
        self.blocks = nn.Sequential(*blocks)
        last = nn.Conv2d(c_in, head, 1, bias=False)
        self.head = nn.Sequential(last, nn.BatchNorm2d(head), nn.ReLU6())
        self.classifier = nn.Linear(head, num_classes)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        x = self.head(self.blocks(self.stem(x)))  # (N, head, H/32, W/32) with the table's strides
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)
        ### END SOLUTION


def mobilenet_v2(num_classes=1000):
    """The MobileNetV2 of the paper at width 1."""
    ### BEGIN SOLUTION
    rows = [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ]
    return MobileNetV2(rows, num_classes=num_classes)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-mobilenet-count", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The published numbers of parameters and of MACs
check_number(parameters_of(mobilenet_v2, [], {}), 3504872, "parameters of MobileNetV2")
### BEGIN HIDDEN TESTS


@in_submission
def macs_of(make, shape):
    """MACs of a network's convolutions and linear layers for one image; it takes no memory."""
    import torch

    total = []
    with torch.device("meta"):
        net = make().eval()
        for layer in net.modules():
            if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
                layer.register_forward_hook(
                    lambda layer, _, out: total.append(out.numel() * layer.weight[0].numel())
                )
        net(torch.zeros(1, *shape))
    return len(total), sum(total)


_layers, _macs = macs_of(mobilenet_v2, (3, 224, 224))
check_number(_layers, 53, "the number of convolutions and linear layers of MobileNetV2")
check_number(_macs, 300774272, "the MACs of MobileNetV2 at 224 × 224")
_got = parameters_of(mobilenet_v2, [10], {})
check_number(_got, 3504872 - 990 * 1281, "parameters of MobileNetV2 with 10 classes")
_got = shapes_of(MobileNetV2, [[(1, 8, 1, 1)]], {})
_sizes = [_got.get(f"{_name}.weight") for _name in ("stem.0", "head.0", "classifier")]
assert _sizes == [(32, 3, 3, 3), (1280, 8, 1, 1), (1000, 1280)], (
    "stem, head and classifier of MobileNetV2 have other shapes than the defaults should give"
)
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-mobilenet-logits", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Weights moved over from a reference network give its logits
rows, options = [(1, 4, 1, 1), (2, 6, 2, 2)], {"stem": 5, "head": 7, "num_classes": 3}
got = output_of(MobileNetV2, [rows], options, torch.zeros(2, 3, 16, 20))
check_shape(got, (2, 3), "the logits of a small MobileNetV2")
### BEGIN HIDDEN TESTS


def reference(rows, stem, head, classes):
    """The net of Sandler et al.: its shapes by name, and its logits as a function of (state, x)."""
    shapes, c, steps = {"stem.0.weight": (stem, 3, 3, 3), **norm_shapes("stem.1", stem)}, stem, []
    for factor, channels, count, stride in rows:
        for place in range(count):
            name, wide = f"blocks.{len(steps)}.", factor * c
            if factor > 1:
                shapes[f"{name}expand.weight"] = (wide, c, 1, 1)
                shapes |= norm_shapes(f"{name}bn1", wide)
            shapes[f"{name}depthwise.weight"] = (wide, 1, 3, 3)
            shapes |= norm_shapes(f"{name}bn2", wide)
            shapes[f"{name}project.weight"] = (channels, wide, 1, 1)
            shapes |= norm_shapes(f"{name}bn3", channels)
            steps.append((name, stride if place == 0 else 1))
            c = channels
    shapes |= {"head.0.weight": (head, c, 1, 1), **norm_shapes("head.1", head)}
    shapes |= {"classifier.weight": (classes, head), "classifier.bias": (classes,)}

    def logits(state, x):
        conv2d = torch.nn.functional.conv2d
        x = batch_norm(conv2d(x, state["stem.0.weight"], None, 2, 1), state, "stem.1").clamp(0, 6)
        for name, stride in steps:
            y, w = x, state[f"{name}depthwise.weight"]
            if f"{name}expand.weight" in state:
                y = conv2d(y, state[f"{name}expand.weight"])
                y = batch_norm(y, state, f"{name}bn1").clamp(0, 6)
            y = batch_norm(conv2d(y, w, None, stride, 1, 1, len(w)), state, f"{name}bn2").clamp(
                0, 6
            )
            y = batch_norm(conv2d(y, state[f"{name}project.weight"]), state, f"{name}bn3")
            x = x + y if stride == 1 and x.shape[1] == y.shape[1] else y
        x = batch_norm(conv2d(x, state["head.0.weight"]), state, "head.1").clamp(0, 6)
        return x.mean((2, 3)) @ state["classifier.weight"].T + state["classifier.bias"]

    return shapes, logits


# The reference is the published network: its parameters, counted.
_rows = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_sizes = [
    s
    for n, s in reference(_rows, 32, 1280, 1000)[0].items()
    if "running" not in n and "tracked" not in n
]
assert sum(int(np.prod(size)) for size in _sizes) == 3504872
_rows = [(1, 4, 1, 1), (2, 6, 3, 2), (3, 6, 2, 1), (2, 5, 1, 2)]
_x = 3 * torch.randn(2, 3, 21, 32, generator=torch.Generator().manual_seed(1049)).double()
_shapes, _logits = reference(_rows, 4, 9, 3)
_state = random_state(_shapes, 1050)
for _name in _state:
    if _name.endswith(("1.weight", "bn1.weight", "bn2.weight")) and _state[_name].dim() == 1:
        _state[_name] *= 4
_want = _logits(_state, _x)
_got = evaluated(MobileNetV2, [_rows], {"stem": 4, "head": 9, "num_classes": 3}, _state, _x)
check_close(_got, _want, "the logits of a small MobileNetV2")
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true} tags=["illustration"]
with torch.device("meta"):
    mobile = mobilenet_v2()
rows = layer_table(mobile, (3, 224, 224))
parts = {}
for row in rows:
    words = row["name"].split(".")
    part = ".".join(words[:2]) if words[0] == "blocks" else words[0]
    sums = parts.setdefault(part, {"kb": 0, "params": 0, "depthwise": 0, "macs": 0})
    for key in ("kb", "params", "macs"):
        sums[key] += row[key]
    sums["depthwise"] += row["macs"] if words[-1] == "depthwise" else 0
layer_bars(
    list(parts),
    {
        "layer outputs, KB": [part["kb"] for part in parts.values()],
        "parameters, thousands": [part["params"] / 1e3 for part in parts.values()],
        "MACs, millions": [part["macs"] / 1e6 for part in parts.values()],
        "of them depthwise": [part["depthwise"] / 1e6 for part in parts.values()],
    },
    title="MobileNetV2 at 224 × 224",
)
plt.show()

# %% [markdown]
# Behind the stem, only the 3×3 depthwise layers see neighbours. They are a small part of the MACs
# and, with 9 weights a channel, a tiny one of the parameters. Nearly everything is 1×1
# convolutions, and a third of the parameters are the classifier.
#
# #### Question · MobileNetV2
#
# - `q_additions`: how many of the 17 inverted residuals have a shortcut?
# - `q_v2`: a slide says "MobileNetV2: uses depthwise separable convolutions to reduce the number of
#   parameters". Which idea is V2's own? `"depthwise separable convolutions"`,
#   `"inverted residuals with linear bottlenecks"`, `"squeeze-and-excitation"` or
#   `"grouped 1×1 convolutions"`

# %% nbgrader={"grade": false, "grade_id": "q-mobilenet", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_additions: a whole number; q_v2: one of the four texts
### BEGIN SOLUTION
q_additions = 10
q_v2 = "inverted residuals with linear bottlenecks"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-mobilenet", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Shortcuts of MobileNetV2, and what was new in it
options = (
    "depthwise separable convolutions",
    "inverted residuals with linear bottlenecks",
    "squeeze-and-excitation",
    "grouped 1×1 convolutions",
)
assert q_v2 in options, f"q_v2 should be one of {options}"
check_number(q_additions, q_additions, "q_additions")
### BEGIN HIDDEN TESTS
check_number(q_additions, 10, "q_additions")
check_choice(q_v2, "inverted residuals with linear bottlenecks", options, "q_v2")
### END HIDDEN TESTS

# %% [markdown]
# **MACs are not milliseconds.** A depthwise convolution reads and writes as many numbers as a full
# one and computes little with each, so reading and writing can take longer than computing. A full
# layer and the two that replace it, timed on this machine:

# %% jupyter={"source_hidden": true} tags=["illustration"]
random = torch.Generator().manual_seed(seed)
x = torch.randn(1, 128, 56, 56, generator=random)  # (1, 128, 56, 56)
full = nn.Conv2d(128, 128, 3, padding=1, bias=False)
depthwise = nn.Conv2d(128, 128, 3, padding=1, groups=128, bias=False)
pointwise = nn.Conv2d(128, 128, 1, bias=False)
runs = 3 if quick else 20
figures = {}
with torch.no_grad():
    for name, layers in (
        ("full 3×3", [full]),
        ("depthwise", [depthwise]),
        ("pointwise", [pointwise]),
    ):
        times = []
        for _ in range(runs):
            start, y = time.perf_counter(), x
            for layer in layers:
                y = layer(y)
            times.append(1e3 * (time.perf_counter() - start))
        macs = sum(56 * 56 * 128 * layer.weight[0].numel() for layer in layers)
        figures[name] = (macs / 1e6, np.median(times))
for name, (macs, milliseconds) in figures.items():
    print(
        f"{name:10s} {macs:7.1f} million MACs {milliseconds:7.2f} ms {macs / milliseconds:8.1f} MMAC a ms"
    )
print(f"median of {runs}, one thread, {platform.machine()}")

# %% [markdown]
# MACs per millisecond differ from layer to layer. A budget in MACs is a budget for phones and
# papers; where milliseconds matter, measure milliseconds.

# %% [markdown]
# ## Part 5 · Dilation again
#
# Lesson 02 left two things open. A **dilated** kernel puts its taps $d$ pixels apart; stacked with
# $d = 1, 2, 4, \dots$ the receptive field grows exponentially, without a loss of resolution. And a
# **causal** layer sees the present and the past only; you wrote it for one signal and one kernel.
# Here are both as they stand in networks.
#
# ### Exercise 17 · A causal layer with channels
#
# WaveNet and its relatives stack causal dilated convolutions of signals $(N, C, T)$. (Some slides
# write "casual" convolution and "perceptive field"; *causal* and *receptive* are meant.) Write
# `CausalConv1d(c_in, c_out, kernel, dilation=1)` with one attribute, `conv`, an `nn.Conv1d` with
# bias and *without padding*. Output as long as the input; output $t$ depends on inputs
# $t,\ t-d,\ \dots,\ t-(K-1)d$, and what lies before the beginning is zero. The last tap of the
# kernel meets the present, as in lesson 02.
#
# **Example.** One channel, kernel `[10, 1]`, bias 0, dilation 2: `[1, 2, 3, 4]` becomes
# `[1, 2, 13, 24]`.


# %% nbgrader={"grade": false, "grade_id": "causal", "locked": false, "schema_version": 3, "solution": true, "task": false}
class CausalConv1d(nn.Module):
    """A causal dilated convolution: (N, c_in, T) → (N, c_out, T). Attribute: conv, an nn.Conv1d."""

    def __init__(self, c_in, c_out, kernel, dilation=1):
        super().__init__()
        ### BEGIN SOLUTION
        self.conv = nn.Conv1d(c_in, c_out, kernel, dilation=dilation)
        self.past = dilation * (kernel - 1)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.conv(nn.functional.pad(x, (self.past, 0)))  # (N, c_out, T)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-causal-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Values with channels, kernels, dilations
state = {"conv.weight": torch.tensor([[[10.0, 1.0]]]), "conv.bias": torch.zeros(1)}
state = {name: value.double() for name, value in state.items()}
got = evaluated(CausalConv1d, [1, 1, 2, 2], {}, state, torch.arange(1.0, 5).double().view(1, 1, 4))
check_close(got, [[[1, 2, 13, 24]]], "the example")
### BEGIN HIDDEN TESTS
for _c_in, _c_out, _k, _d, _t in (
    (2, 3, 3, 1, 7),
    (3, 2, 2, 4, 9),
    (1, 2, 1, 3, 5),
    (2, 2, 4, 2, 5),
):
    _state = random_state({"conv.weight": (_c_out, _c_in, _k), "conv.bias": (_c_out,)}, 1060)
    _x = torch.randn(2, _c_in, _t, generator=torch.Generator().manual_seed(1061)).double()
    _w, _want = _state["conv.weight"], _state["conv.bias"][None, :, None].repeat(2, 1, _t)
    for _tap in range(_k):
        _delay = (_k - 1 - _tap) * _d
        for _now in range(_delay, _t):
            _want[:, :, _now] += _x[:, :, _now - _delay] @ _w[:, :, _tap].T
    _options = {"dilation": _d} if _d > 1 else {}
    _got = evaluated(CausalConv1d, [_c_in, _c_out, _k], _options, _state, _x)
    check_close(_got, _want, f"CausalConv1d({_c_in}, {_c_out}, {_k}, {_d}) of {_t} samples")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-causal-future", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The future changes nothing
x = torch.randn(1, 2, 12, generator=torch.Generator().manual_seed(1062))
got = output_of(CausalConv1d, [2, 3, 3, 2], {}, x)
check_shape(got, (1, 3, 12), "CausalConv1d(2, 3, 3, 2) of (1, 2, 12)")
### BEGIN HIDDEN TESTS
_late = x.clone()
_late[:, :, 7:] += 1
_before, _after = (output_of(CausalConv1d, [2, 3, 3, 2], {}, _signal) for _signal in (x, _late))
check_close(_after[:, :, :7], _before[:, :, :7], "the output before the sample that changed")
assert not torch.allclose(_after[:, :, 7], _before[:, :, 7]), "the output should follow the present"
_old = x.clone()
_old[:, :, 3] += 1
_changed = output_of(CausalConv1d, [2, 3, 3, 2], {}, _old)
_touched = ((_changed - _before).abs().amax((0, 1)) > 1e-6).nonzero()[:, 0]
check_close(_touched, [3, 5, 7], "the times that sample 3 reaches with 3 taps and dilation 2")
### END HIDDEN TESTS

# %%
# Four layers with dilation 1, 2, 4, 8: which inputs does the last output follow?
signal = torch.zeros(1, 1, 24, requires_grad=True)  # (1, 1, 24)
output = signal
for dilation in (1, 2, 4, 8):
    layer = CausalConv1d(1, 1, 2, dilation)
    nn.init.ones_(layer.conv.weight)
    output = layer(output)  # (1, 1, 24)
output[0, 0, 19].backward()
print("output at time 19 reads:", "".join("█" if g else "·" for g in signal.grad[0, 0]))

# %% [markdown]
# ### Exercise 18 · Take the stride out
#
# A classifier halves its maps again and again; one that has to say something about *every* pixel
# (segmentation) cannot afford to. The trick of DeepLab, known as *à trous*: leave the stride out,
# and **dilate every later layer by it**. The weights stay, and where the strided network had an
# output, the new one has the same number; in between it has new ones.
#
# Take two layers with trained weights: 3×3 with stride 2 and padding 1, ReLU, 3×3 with stride 1 and
# padding 1. Write `atrous(x, first, second)`: the same two layers with the same weights, **at full
# resolution**: $(N, C, H, W)$ → $(N, C_2, H, W)$. Your result's rows 0, 2, 4 … and columns 0, 2, 4
# … must be what the strided pair puts out. Choose each layer's stride, padding and dilation.

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.3))
rows, columns = np.mgrid[0:9, 0:9]
taps = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
for axis, (title, step, dilation) in zip(
    axes,
    (
        ("strided: the second layer\nsees a small map", 2, 2),
        ("stride out, nothing else:\nit sees other neighbours", 1, 1),
        ("stride out, dilation 2:\nthe same neighbours, every pixel", 1, 2),
    ),
):
    there = (rows % step == 0) & (columns % step == 0)
    axis.scatter(columns[there], rows[there], s=70, color="#9ecae1")
    axis.scatter(columns[~there], rows[~there], s=8, color="0.85")
    axis.scatter(
        *zip(*[(4 + dilation * j, 4 + dilation * i) for i, j in taps]),
        s=150,
        facecolor="none",
        edgecolor="crimson",
        linewidth=2,
    )
    axis.set_title(title, fontsize=10)
    axis.set(xlim=(-0.7, 8.7), ylim=(8.7, -0.7), aspect="equal")
    axis.axis("off")
figure.tight_layout()
plt.show()


# %% nbgrader={"grade": false, "grade_id": "atrous", "locked": false, "schema_version": 3, "solution": true, "task": false}
def atrous(x, first, second):
    """Two 3×3 layers with a ReLU between them, their stride replaced by dilation, at full resolution.

    x (N, C, H, W), first (C1, C, 3, 3), second (C2, C1, 3, 3). Returns (N, C2, H, W).
    """
    ### BEGIN SOLUTION
    conv2d = nn.functional.conv2d
    y = torch.relu(conv2d(x, first, padding=1))  # (N, C1, H, W)
    return conv2d(y, second, padding=2, dilation=2)  # (N, C2, H, W)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-atrous", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The strided pair is contained in the dilated one
random = torch.Generator().manual_seed(1063)
x, first, second = (
    torch.randn(size, generator=random).double()
    for size in ((1, 2, 8, 6), (3, 2, 3, 3), (2, 3, 3, 3))
)
check_shape(atrous(x, first, second), (1, 2, 8, 6), "atrous of (1, 2, 8, 6)")
### BEGIN HIDDEN TESTS
for _size in ((8, 6), (9, 7), (5, 12)):
    _x = torch.randn(2, 2, *_size, generator=random).double()
    _f = torch.nn.functional
    _got = atrous(_x, first, second)
    check_shape(_got, (2, 2, *_size), f"atrous of {_size[0]} × {_size[1]} pixels")
    _small = _f.conv2d(_f.conv2d(_x, first, None, 2, 1).relu(), second, None, 1, 1)
    check_close(_got[:, :, ::2, ::2], _small, "every second row and column of atrous")
    _y = _f.conv2d(_x, first, None, 1, 1).relu()
    for _i, _j in ((0, 1), (1, 0), (1, 1)):
        _want = _f.conv2d(_y[:, :, _i::2, _j::2], second, None, 1, 1)
        _what = f"atrous in every second row from {_i} and every second column from {_j}"
        check_close(_got[:, :, _i::2, _j::2], _want, _what)
### END HIDDEN TESTS

# %% [markdown]
# #### Question · DeepLab's bill
#
# ResNet-50 turns 224 × 224 pixels into 7 × 7 (stride 32). DeepLab takes the strides out of stages 3
# and 4 and dilates instead. No weight changes.
#
# - `q_side`: how many rows has the last map now?
# - `q_work`: by which factor grow the MACs of the *last stage*? (Of its layers behind the first
#   block, to be exact.)

# %% nbgrader={"grade": false, "grade_id": "q-atrous", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_side, q_work: whole numbers
### BEGIN SOLUTION
q_side = 28
q_work = 16
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-atrous", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Resolution and work without two strides
check_number(q_side, q_side, "q_side")
check_number(q_work, q_work, "q_work")
### BEGIN HIDDEN TESTS
check_number(q_side, 28, "q_side")
check_number(q_work, 16, "q_work")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **Which padding?** A 3×3 kernel with dilation $d$ covers $2d + 1$ pixels; $d$ on every side
#   keeps the size.
# - **Both layers dilated?** The stride of a layer concerns the layers *behind* it. The first one
#   reads the image as before.
# - **Factors**: each stride that goes quadruples the pixels of everything behind it.
#
# </details>
#
# ## Part 6 · Scaling by arithmetic
#
# A network is too small for your task. Make it deeper? Wider? Or show it larger images?
# **EfficientNet** (Tan and Le, 2019) does all three by fixed rates. Its baseline, B0, was found by
# a search program: MobileNetV2's inverted residuals with an SE block in each. For the larger ones,
# choose one number $\varphi$ and take
#
# $$\text{depth } d = \alpha^{\varphi},\quad \text{width } w = \beta^{\varphi},\quad \text{resolution } r = \gamma^{\varphi},
# \qquad \alpha = 1.2,\ \beta = 1.1,\ \gamma = 1.15 .$$
#
# Below, layers are blue (as wide as their channels) and the image is orange.

# %% jupyter={"source_hidden": true} tags=["illustration"]
figure, axes = plt.subplots(1, 5, figsize=(11, 2.6))
shapes = {  # layers, width of a layer, size of the image, in units of the baseline
    "baseline": (1, 1, 1),
    "twice as deep": (2, 1, 1),
    "twice as wide": (1, 2, 1),
    "twice the resolution": (1, 1, 2),
    "a little of each": (1.2, 1.1, 1.15),
}
for axis, (title, (depth, width, resolution)) in zip(axes, shapes.items()):
    layers, side = round(5 * depth), 0.9 * resolution
    axis.add_patch(plt.Rectangle((-side / 2, -0.3 - side), side, side, color="tab:orange"))
    for layer in range(layers):
        box = plt.Rectangle((-0.5 * width, 0.3 * layer), width, 0.22, color="tab:blue")
        axis.add_patch(box)
    axis.set(xlim=(-1.3, 1.3), ylim=(-2.3, 3.2), aspect="equal")
    axis.set_title(title, fontsize=9)
    axis.axis("off")
figure.tight_layout()
plt.show()

# %% [markdown]
# #### Question · One at a time
#
# By which factor do the MACs of a convolutional network grow (stem and head aside) if you double
# only the number of layers (`q_deeper`), only the channels of all layers (`q_wider`), only rows and
# columns of the images (`q_sharper`)? And the *parameters*, if you double only rows and columns
# (`q_sharper_parameters`)?

# %% nbgrader={"grade": false, "grade_id": "q-compound", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_deeper, q_wider, q_sharper, q_sharper_parameters: whole numbers
### BEGIN SOLUTION
q_deeper = 2
q_wider = 4
q_sharper = 4
q_sharper_parameters = 1
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-compound", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Depth, width, resolution, one at a time
for answer in (q_deeper, q_wider, q_sharper, q_sharper_parameters):
    check_number(answer, answer, "each answer")
### BEGIN HIDDEN TESTS
check_number(q_deeper, 2, "q_deeper")
check_number(q_wider, 4, "q_wider")
check_number(q_sharper, 4, "q_sharper")
check_number(q_sharper_parameters, 1, "q_sharper_parameters")
### END HIDDEN TESTS

# %% [markdown]
# Twice the layers cost twice the MACs. Twice the channels cost four times as many (each convolution
# reads twice the channels *and* puts out twice as many). So do images with twice the rows and
# columns, without a single new parameter. Together the work grows by
# $d\,w^2 r^2 = (\alpha\beta^2\gamma^2)^{\varphi}$, and the rates were chosen such that
# $\alpha\beta^2\gamma^2 \approx 2$: one step of $\varphi$ doubles the work, nearly.
#
# ### Exercise 19 · Compound scaling
#
# Write `compound(phi, alpha=1.2, beta=1.1, gamma=1.15)`: the four factors
# `(depth, width, resolution, work)`.
#
# **Example.** `compound(1)` is `(1.2, 1.1, 1.15, 1.920…)`.


# %% nbgrader={"grade": false, "grade_id": "compound", "locked": false, "schema_version": 3, "solution": true, "task": false}
def compound(phi, alpha=1.2, beta=1.1, gamma=1.15):
    """Factors (depth, width, resolution, work) of compound scaling."""
    ### BEGIN SOLUTION
    depth, width, resolution = alpha**phi, beta**phi, gamma**phi
    return depth, width, resolution, depth * width**2 * resolution**2
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-compound", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Four factors
check_close(compound(1)[:3], (1.2, 1.1, 1.15), "the first three factors of compound(1)")
### BEGIN HIDDEN TESTS
for _phi, _rates in ((1, ()), (3, ()), (0.5, ()), (2, (1.3, 1.2, 1.05)), (0, ())):
    _a, _b, _c = _rates or (1.2, 1.1, 1.15)
    _want = (_a**_phi, _b**_phi, _c**_phi, (_a * _b * _b * _c * _c) ** _phi)
    check_close(compound(_phi, *_rates), _want, f"compound({_phi})")
check_close(compound(2, gamma=1)[3], 1.44 * 1.1**4, "the work of compound(2, gamma=1)")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 20 · Whole layers, whole channels
#
# B0's stack of blocks, as `b0_rows()` below gives it. 1.1 times 3 layers are no whole number, and
# hardware likes channels in multiples of 8. So the published networks round:
#
# - layers: $\lceil d \cdot n \rceil$, up;
# - channels: to the *nearest* multiple of 8, halves up, at least 8; if that lies below 90% of
#   $w \cdot c$, the next multiple.
#
# Write `round_channels(channels, width)`, and `scaled_stages(width, depth)`: a list of rows like
# B0's, `(factor, kernel, stride, channels, blocks)`, with channels and blocks scaled.
#
# **Examples.** `round_channels(40, 1.1)`: 44 lies halfway between 40 and 48, so 48.
# `round_channels(24, 1.1)`: 26.4 gives 24, which is above 23.76, so 24. `round_channels(11, 1)`: 8
# is nearest, but lies below 9.9, so 16. The second row of `scaled_stages(1.1, 1.2)` is
# `(6, 3, 2, 24, 3)`.


# %% nbgrader={"grade": false, "grade_id": "given-b0", "locked": true, "schema_version": 3, "solution": false, "task": false}
def b0_rows():
    """EfficientNet-B0's blocks: rows of (factor, kernel, stride of the first, channels, blocks)."""
    return [
        (1, 3, 1, 16, 1),
        (6, 3, 2, 24, 2),
        (6, 5, 2, 40, 2),
        (6, 3, 2, 80, 3),
        (6, 5, 1, 112, 3),
        (6, 5, 2, 192, 4),
        (6, 3, 1, 320, 1),
    ]


# %% nbgrader={"grade": false, "grade_id": "scaled-stages", "locked": false, "schema_version": 3, "solution": true, "task": false}
def round_channels(channels, width):
    """width * channels as a multiple of 8: the nearest (halves up), at least 8 and at least 90%."""
    ### BEGIN SOLUTION
    exact = channels * width
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * exact else rounded + 8
    ### END SOLUTION


def scaled_stages(width, depth):
    """B0's rows with channels scaled by width and blocks by depth: a list of tuples of five."""
    ### BEGIN SOLUTION
    return [
        (factor, kernel, stride, round_channels(channels, width), math.ceil(depth * blocks))
        for factor, kernel, stride, channels, blocks in b0_rows()
    ]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-scaled-stages", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Channels in eights, whole layers
check_close([round_channels(40, 1.1), round_channels(24, 1.1)], [48, 24], "the examples")
check_close(scaled_stages(1.1, 1.2)[1], (6, 3, 2, 24, 3), "row 2 of scaled_stages(1.1, 1.2)")
### BEGIN HIDDEN TESTS
_cases = (
    (11, 1, 16),
    (32, 1, 32),
    (16, 1.4, 24),
    (1, 1, 8),
    (10, 1, 16),
    (192, 1.1, 208),
    (320, 1.8, 576),
    (12, 1, 16),
    (52, 1, 56),
    (20, 1.8, 40),
    (19, 1, 24),
)
for _channels, _width, _want in _cases:
    check_number(round_channels(_channels, _width), _want, f"round_channels({_channels}, {_width})")
check_close(scaled_stages(1.0, 1.0), b0_rows(), "scaled_stages(1.0, 1.0)")
_blocks = [row[4] for row in scaled_stages(2.0, 3.1)]
check_close(_blocks, [4, 7, 7, 10, 10, 13, 4], "the blocks of EfficientNet-B7")
_rows = scaled_stages(1.4, 1.8)
check_close(
    [row[3] for row in _rows], [24, 32, 56, 112, 160, 272, 448], "the channels of EfficientNet-B4"
)
check_close([row[:3] for row in _rows], [row[:3] for row in b0_rows()], "what is not scaled")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **B0's own rows come out changed**: scaled by 1 nothing may change; 24 stays 24.
# - **16 where 8 was due, or the other way round**: first round, then compare with 90% of the
#   *unrounded* number.
# - **A block too few**: `math.ceil` rounds up.
#
# </details>
#
# ### Exercise 21 · Every EfficientNet
#
# All sizes follow. One block with $m$ = `factor * c_in` inner channels holds
#
# - 1×1 from $c_{in}$ to $m$ (unless the factor is 1); $K \times K$ depthwise on $m$; 1×1 from $m$
#   to $c_{out}$; no biases, and behind each a BatchNorm with 2 numbers a channel;
# - SE on the $m$ channels, with $s = \lfloor c_{in}/4 \rfloor$ numbers in between (a quarter of the
#   block's *input*), with biases.
#
# Around the blocks: a 3×3 convolution from 3 to `round_channels(32, width)` channels at the start,
# a 1×1 convolution to `round_channels(1280, width)` at the end, both with BatchNorm and without
# bias; then a linear layer with bias. In a row's second and further blocks, $c_{in}$ is the row's
# channels.
#
# Write `efficientnet_parameters(width, depth, num_classes=1000)`. B0 is `(1.0, 1.0)`: 5,288,548.


# %% nbgrader={"grade": false, "grade_id": "efficientnet-parameters", "locked": false, "schema_version": 3, "solution": true, "task": false}
def efficientnet_parameters(width, depth, num_classes=1000):
    """Parameters of the EfficientNet that is B0 scaled by width and depth."""
    ### BEGIN SOLUTION
    c_in = round_channels(32, width)
    total = 27 * c_in + 2 * c_in
    for factor, kernel, _, c_out, blocks in scaled_stages(width, depth):
        for _ in range(blocks):
            wide, narrow = factor * c_in, c_in // 4
            total += c_in * wide + 2 * wide if factor > 1 else 0
            total += kernel**2 * wide + 2 * wide
            total += 2 * wide * narrow + narrow + wide
            total += wide * c_out + 2 * c_out
            c_in = c_out
    head = round_channels(1280, width)
    return total + c_in * head + 2 * head + head * num_classes + num_classes
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-efficientnet-b0", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# B0, exactly
check_number(efficientnet_parameters(1.0, 1.0), 5288548, "the parameters of EfficientNet-B0")
### BEGIN HIDDEN TESTS
_what = "the parameters of a network that is wider by less than half a percent"
check_number(efficientnet_parameters(1.0028, 1.0), 5288548, _what)
check_number(efficientnet_parameters(1.0032, 1.0), 5288548 + 8 * (320 + 2 + 1000), _what)
_got = efficientnet_parameters(1.0, 1.0, 10)
check_number(_got, 5288548 - 990 * 1281, "the parameters of EfficientNet-B0 with 10 classes")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-efficientnet-family", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# The others, from the same table
assert efficientnet_parameters(1.0, 1.1) > efficientnet_parameters(1.0, 1.0), "B1 is larger than B0"
### BEGIN HIDDEN TESTS
for _name, _width, _depth, _want in (
    ("B1", 1.0, 1.1, 7794184),
    ("B2", 1.1, 1.2, 9109994),
    ("B4", 1.4, 1.8, 19341616),
    ("B7", 2.0, 3.1, 66347960),
):
    check_number(
        efficientnet_parameters(_width, _depth), _want, f"parameters of EfficientNet-{_name}"
    )
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **A little too small**: count the biases of SE (its two layers have them, no other layer of a
#   block), and the BatchNorm behind *each* of the three convolutions.
# - **Far too large**: the $K \times K$ convolution is depthwise, $K^2 m$ weights.
# - **B0 right, B1 wrong**: from a row's second block on, $c_{in}$ is the row's own number of
#   channels.
#
# </details>
#
# The family, with the published coefficients (rounded and adjusted by hand, so $\varphi$ is a guide
# and no exact recipe):

# %% jupyter={"source_hidden": true} tags=["illustration"]
family = {
    "B0": (1.0, 1.0, 224, 0.39), "B1": (1.0, 1.1, 240, 0.70), "B2": (1.1, 1.2, 260, 1.0),
    "B3": (1.2, 1.4, 300, 1.8), "B4": (1.4, 1.8, 380, 4.2), "B5": (1.6, 2.2, 456, 9.9),
    "B6": (1.8, 2.6, 528, 19.0), "B7": (2.0, 3.1, 600, 37.0),
}  # fmt: skip
print("     width depth pixels blocks  parameters   GMAC: 0.39·d·w²·r²   the paper's")
for name, (width, depth, pixels, published) in family.items():
    blocks = sum(row[4] for row in scaled_stages(width, depth))
    work = 0.39 * depth * width**2 * (pixels / 224) ** 2
    print(
        f"{name}   {width:5.1f} {depth:5.1f} {pixels:6d} {blocks:6d} {efficientnet_parameters(width, depth):11,d}"
        f" {work:20.2f} {published:13.2f}"
    )

# %% [markdown]
# The formula foretells less work than there is where layers were rounded up: B1 has 23 blocks for
# 16, 1.4 times as many and not 1.1 times.
#
# ## Part 7 · A network that is no CNN
#
# In 2020 a **vision transformer** (ViT, Dosovitskiy and others) reached the accuracy of the best
# convolutional networks. It came from the processing of text: there, a sentence is a list of
# *tokens*, each a vector, and every layer lets all tokens look at each other. To have tokens, ViT
# cuts the image into patches of 16 × 16 pixels: 224 × 224 pixels are 14 × 14 = 196 patches, and
# each, 768 numbers, goes through one linear layer. That is the **patch embedding**.

# %% jupyter={"source_hidden": true} tags=["illustration"]
picture = digits()[0][0, 0]  # (8, 8)
figure, axes = plt.subplots(1, 5, figsize=(8.5, 1.9), width_ratios=(2, 1, 1, 1, 1))
axes[0].imshow(picture, cmap="gray")
axes[0].axhline(3.5, color="crimson")
axes[0].axvline(3.5, color="crimson")
axes[0].set_title("8 × 8 pixels, p = 4", fontsize=9)
for place, axis in enumerate(axes[1:]):
    row, column = 4 * (place // 2), 4 * (place % 2)
    axis.imshow(
        picture[row : row + 4, column : column + 4], cmap="gray", vmin=0, vmax=picture.max()
    )
    axis.set_title(f"patch {place}:\n16 numbers", fontsize=9)
for axis in axes:
    axis.axis("off")
figure.tight_layout()
plt.show()

# %% [markdown]
# ### Exercise 22 · Cut into patches
#
# Write `to_patches(images, patch)`: $(N, C, H, W)$ → $(N, L, C p^2)$ with
# $L = \frac Hp \cdot \frac Wp$. Patches in reading order (row by row, from the left); within a
# patch the numbers in the order of the tensor: channel, row, column. $p$ divides $H$ and $W$.
#
# **Example.** The image `[[0, 1, 2, 3], [4, 5, 6, 7]]` with $p = 2$ gives the patches
# `[0, 1, 4, 5]` and `[2, 3, 6, 7]`.


# %% nbgrader={"grade": false, "grade_id": "to-patches", "locked": false, "schema_version": 3, "solution": true, "task": false}
def to_patches(images, patch):
    """Cut images into patches: tensor (N, C, H, W) → (N, H/patch · W/patch, C · patch · patch)."""
    ### BEGIN SOLUTION
    n, c, height, width = images.shape
    rows, columns = height // patch, width // patch
    cut = images.reshape(n, c, rows, patch, columns, patch)
    cut = cut.permute(0, 2, 4, 1, 3, 5)  # (N, rows, columns, C, patch, patch)
    return cut.reshape(n, rows * columns, c * patch * patch)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-to-patches", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Patches in reading order
got = to_patches(torch.arange(8.0).reshape(1, 1, 2, 4), 2)
check_close(got, [[[0, 1, 4, 5], [2, 3, 6, 7]]], "the patches of the example")
### BEGIN HIDDEN TESTS
for _n, _c, _h, _w, _p in ((2, 3, 4, 6, 2), (1, 2, 9, 3, 3), (3, 1, 5, 5, 5), (2, 2, 2, 3, 1)):
    _x = torch.randn(_n, _c, _h, _w, generator=torch.Generator().manual_seed(1070))
    _before = _x.clone()
    _want = [
        _x[:, :, i : i + _p, j : j + _p].flatten(1)
        for i in range(0, _h, _p)
        for j in range(0, _w, _p)
    ]
    _got = to_patches(_x, _p)
    check_close(_got, torch.stack(_want, 1), f"to_patches of {_h} × {_w} pixels, patches of {_p}")
    check_unchanged(_x, _before, "the images")
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **Strips instead of patches**: `reshape` alone keeps the order in memory, where a whole row of
#   pixels comes before the next. Give rows and columns of patches axes of their own, then
#   `permute`.
# - **Right for one channel, wrong for three**: within a patch the channel comes first.
#
# </details>
#
# ### Exercise 23 · The patch embedding is a convolution
#
# A linear layer that is applied to each patch is a convolution whose kernel is as large as the
# patch and whose stride is as large as the kernel: the windows do not overlap, and each meets the
# same weights. Write `PatchEmbedding(patch, width, channels=3)` with one attribute, `proj`, an
# `nn.Conv2d` with bias. Its output has the tokens in a list: $(N, L, D)$ with $D$ = `width`, in
# reading order.
#
# **Example.** `PatchEmbedding(16, 768)` turns `(2, 3, 224, 224)` into `(2, 196, 768)`.


# %% nbgrader={"grade": false, "grade_id": "patch-embedding", "locked": false, "schema_version": 3, "solution": true, "task": false}
class PatchEmbedding(nn.Module):
    """Tokens of images: (N, channels, H, W) → (N, H/patch · W/patch, width). Attribute: proj."""

    def __init__(self, patch, width, channels=3):
        super().__init__()
        ### BEGIN SOLUTION
        self.proj = nn.Conv2d(channels, width, patch, stride=patch)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        x = self.proj(x)  # (N, width, H/patch, W/patch)
        return x.flatten(2).transpose(1, 2)  # (N, H/patch · W/patch, width)
        ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-patch-embedding", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The convolution does what cutting and a linear layer do
shapes = {"proj.weight": (5, 3, 4, 4), "proj.bias": (5,)}
got = shapes_of(PatchEmbedding, [4, 5], {})
assert got == shapes, f"PatchEmbedding(4, 5) stores {got}"
got = output_of(PatchEmbedding, [4, 5], {}, torch.zeros(2, 3, 8, 12))
check_shape(got, (2, 6, 5), "six tokens")
### BEGIN HIDDEN TESTS
for _p, _d, _c, _h, _w in ((4, 5, 3, 8, 12), (2, 7, 1, 6, 2), (3, 4, 2, 3, 9)):
    _state = random_state({"proj.weight": (_d, _c, _p, _p), "proj.bias": (_d,)}, 1071)
    _x = torch.randn(2, _c, _h, _w, generator=torch.Generator().manual_seed(1072)).double()
    _patches = [
        _x[:, :, i : i + _p, j : j + _p].flatten(1)
        for i in range(0, _h, _p)
        for j in range(0, _w, _p)
    ]
    _want = torch.stack(_patches, 1) @ _state["proj.weight"].flatten(1).T + _state["proj.bias"]
    _options = {} if _c == 3 else {"channels": _c}
    _got = evaluated(PatchEmbedding, [_p, _d], _options, _state, _x)
    check_close(_got, _want, f"PatchEmbedding({_p}, {_d}, {_c})")
### END HIDDEN TESTS

# %% [markdown]
# ### Exercise 24 · Attention
#
# What follows is no convolution. In **self-attention** each token makes three vectors of itself: a
# query $q$, a key $k$, a value $v$. Token $i$ compares its query with the key of *every* token, and
# takes an average of all values, weighted by how well they match:
#
# $$Q = XW_Q,\quad K = XW_K,\quad V = XW_V,\qquad Y = \mathrm{softmax}\Bigl(\frac{QK^\top}{\sqrt d}\Bigr)V .$$
#
# Row $i$ of the softmax is token $i$'s weights; they sum to 1. $d$ is the number of columns of
# $W_Q$. (A transformer runs several such *heads* side by side.) Nothing in the formula says where a
# token stands: shuffle the tokens, and the outputs are the same ones, shuffled alike.
#
# Write `attention(x, wq, wk, wv)` for tokens $(N, L, D)$. Scores may be in the thousands: take a
# softmax that survives that (lesson 03), such as `torch.softmax`.


# %% nbgrader={"grade": false, "grade_id": "attention", "locked": false, "schema_version": 3, "solution": true, "task": false}
def attention(x, wq, wk, wv):
    """One head of self-attention: x (N, L, D), wq and wk (D, d), wv (D, e) → (N, L, e)."""
    ### BEGIN SOLUTION
    q, k, v = x @ wq, x @ wk, x @ wv  # (N, L, d), (N, L, d), (N, L, e)
    scores = q @ k.transpose(1, 2) / math.sqrt(wq.shape[1])  # (N, L, L)
    return torch.softmax(scores, dim=-1) @ v  # (N, L, e)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-attention-values", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Values; equal keys mean a plain average
x = torch.tensor([[[1.0, 0.0], [3.0, 2.0], [5.0, 1.0]]])
got = attention(x, torch.zeros(2, 4), torch.ones(2, 4), torch.eye(2))
check_close(got, [[[3, 1]] * 3], "attention with queries of zero: the mean of the values")
### BEGIN HIDDEN TESTS
for _n, _l, _wide, _d, _e in ((2, 5, 4, 3, 2), (1, 3, 6, 16, 6), (3, 1, 2, 2, 4)):
    _random = torch.Generator().manual_seed(1073)
    _x, _wq, _wk, _wv = (
        torch.randn(size, generator=_random, dtype=torch.float64)
        for size in ((_n, _l, _wide), (_wide, _d), (_wide, _d), (_wide, _e))
    )
    _s = np.einsum("nid,njd->nij", (_x @ _wq).numpy(), (_x @ _wk).numpy()) / np.sqrt(_d)
    _p = np.exp(_s) / np.exp(_s).sum(2, keepdims=True)
    _want = np.einsum("nij,nje->nie", _p, (_x @ _wv).numpy())
    check_close(attention(_x, _wq, _wk, _wv), _want, f"attention of {_l} tokens with d = {_d}")
_big = attention(1000 * torch.eye(3)[None], torch.eye(3), torch.eye(3), torch.eye(3))
check_close(_big, 1000 * np.eye(3)[None], "attention with scores of a million")
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-attention-order", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Shuffled tokens give shuffled outputs
random = torch.Generator().manual_seed(1074)
x, wq, wk, wv = (torch.randn(s, generator=random) for s in ((1, 6, 3), (3, 4), (3, 4), (3, 3)))
check_shape(attention(x, wq, wk, wv), (1, 6, 3), "attention of (1, 6, 3)")
### BEGIN HIDDEN TESTS
_order = torch.tensor([3, 0, 5, 1, 4, 2])
_plain, _shuffled = attention(x, wq, wk, wv), attention(x[:, _order], wq, wk, wv)
check_close(_shuffled, _plain[:, _order], "attention of shuffled tokens", rtol=1e-4, atol=1e-5)
_one = x.clone()
_one[0, 2] += 1
_reached = ((attention(_one, wq, wk, wv) - _plain).abs().amax(2) > 1e-6).all()
assert bool(_reached), "each token should look at every token"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The rows of the output are mixed up**: the softmax goes over the *keys*, the last axis of the
#   scores.
# - **`nan`**: $e^{1000}$ is infinite. `torch.softmax` subtracts the largest score first.
# - **Off by a factor in the scores**: $\sqrt d$ with $d$ = `wq.shape[1]`.
#
# </details>
#
# ### Exercise 25 · The size of a ViT
#
# ViT puts a learned *class token* in front of the patches and adds a learned *position embedding*
# (without it, order would be lost: attention does not see it). Then come `layers` equal blocks of
# attention and a small network on each token. With width $D$, hidden width $M$ and
# $L = (\text{image}/p)^2$ patches:
#
# | | parameters |
# |---|---|
# | patch embedding | a convolution from 3 to $D$ channels, $p \times p$, with bias |
# | class token, positions | $D$, and $(L + 1) D$ |
# | each block | four linear layers from $D$ to $D$ (query, key, value, output), linear from $D$ to $M$ and back, all with biases; two LayerNorms with $2D$ numbers each |
# | end | one LayerNorm; linear from $D$ to the classes, with bias |
#
# Write `vit_parameters(image, patch, layers, width, hidden, classes=1000)`. ViT-B/16 is
# `(224, 16, 12, 768, 3072)`: 86,567,656.


# %% nbgrader={"grade": false, "grade_id": "vit-parameters", "locked": false, "schema_version": 3, "solution": true, "task": false}
def vit_parameters(image, patch, layers, width, hidden, classes=1000):
    """Parameters of a vision transformer for square images of `image` rows and 3 channels."""
    ### BEGIN SOLUTION
    tokens = (image // patch) ** 2 + 1
    embedding = width * (3 * patch**2 + 1) + width + tokens * width
    block = 4 * (width**2 + width) + 2 * width * hidden + hidden + width + 4 * width
    return embedding + layers * block + 2 * width + (width + 1) * classes
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-vit-parameters", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# ViT-B/16, and its relatives
check_number(vit_parameters(224, 16, 12, 768, 3072), 86567656, "the parameters of ViT-B/16")
### BEGIN HIDDEN TESTS
check_number(vit_parameters(224, 32, 12, 768, 3072), 88224232, "the parameters of ViT-B/32")
check_number(vit_parameters(224, 16, 24, 1024, 4096), 304326632, "the parameters of ViT-L/16")
_got = vit_parameters(384, 16, 12, 768, 3072, classes=10)
check_number(_got, 86567656 + 380 * 768 - 990 * 769, "ViT-B/16 for images of 384 and 10 classes")
### END HIDDEN TESTS

# %% [markdown]
# #### Question · Is ViT a CNN?
#
# A slide says: *"ViT is a recent CNN architecture"*.
#
# - `q_share`: how many percent of ViT-B/16's parameters belong to a convolution (to one decimal)?
# - `q_shuffle`: you know what attention does with shuffled tokens. Now a 3×3 convolution (padding
#   1) on the 14 × 14 grid of tokens: the 196 tokens are shuffled, then convolved. Compared with
#   convolving first and shuffling the outputs in the same way: `"the same"` or `"other numbers"`?
# - `q_vit`: which sentence is right?
#     - `"a"` ViT is a CNN: its first layer is a convolution, and the rest mixes channels like 1×1
#       convolutions
#     - `"b"` ViT is a transformer: all but the patch embedding is attention between all tokens and
#       layers on single tokens; no layer knows neighbours
#     - `"c"` ViT is a CNN with a receptive field of 16 × 16 pixels
#     - `"d"` ViT has no convolution: cutting into patches cannot be written as one

# %% nbgrader={"grade": false, "grade_id": "q-vit", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_share: percent; q_shuffle: "the same" or "other numbers"; q_vit: "a", "b", "c" or "d"
### BEGIN SOLUTION
q_share = 0.7
q_shuffle = "other numbers"
q_vit = "b"
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-vit", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Why ViT is no CNN
check_number(q_share, q_share, "q_share")
assert q_shuffle in ("the same", "other numbers"), "q_shuffle should be one of the two texts"
assert q_vit in ("a", "b", "c", "d"), "q_vit should be one of 'a', 'b', 'c', 'd'"
### BEGIN HIDDEN TESTS
check_close(q_share, 100 * 768 * 769 / 86567656, "q_share", atol=0.06, rtol=0)
check_choice(q_shuffle, "other numbers", ("the same", "other numbers"), "q_shuffle")
check_choice(q_vit, "b", ("a", "b", "c", "d"), "q_vit")
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true} tags=["illustration"]
generator = torch.Generator().manual_seed(seed)
tokens = torch.randn(1, 196, 8, generator=generator)  # (1, 196, 8)
heads = [torch.randn(8, 8, generator=generator) / 8**0.5 for _ in range(3)]
mixing = torch.randn(8, 8, 3, 3, generator=generator) / 72**0.5
shuffle = torch.randperm(196, generator=generator)


def convolved(tokens):
    """A 3×3 convolution on the 14 × 14 grid of tokens."""
    grid = tokens.transpose(1, 2).reshape(-1, 8, 14, 14)
    return nn.functional.conv2d(grid, mixing, padding=1).flatten(2).transpose(1, 2)


for name, layer in (("attention", lambda t: attention(t, *heads)), ("3×3 convolution", convolved)):
    gap = (layer(tokens[:, shuffle]) - layer(tokens)[:, shuffle]).abs().max()
    print(f"{name:16s} shuffled before against shuffled after: they differ by at most {gap:.6f}")
figure, axes = plt.subplots(1, 3, figsize=(8.5, 3))
for axis, (title, layer) in zip(
    axes[1:],
    (("3×3 convolution", convolved), ("attention", lambda t: attention(t, *heads))),
):
    leaf = tokens.clone().requires_grad_()
    layer(leaf)[0, 14 * 6 + 4].sum().backward()  # the token in row 6, column 4
    reads = (leaf.grad[0].abs().sum(1) > 0).reshape(14, 14)
    axis.imshow(reads, cmap="Blues", vmin=0, vmax=1.5)
    axis.set_title(f"{title}:\nreads {int(reads.sum())} of 196 tokens", fontsize=10)
axes[0].imshow(np.zeros((14, 14)), cmap="Blues", vmin=0, vmax=1.5)
axes[0].set_title("one output token", fontsize=10)
for axis in axes:
    square = plt.Rectangle((3.5, 5.5), 1, 1, fill=False, edgecolor="crimson", lw=2)
    axis.add_patch(square)
    axis.set(xticks=np.arange(15) - 0.5, yticks=np.arange(15) - 0.5)
    axis.set(xticklabels=[], yticklabels=[])
    axis.grid(color="0.8", linewidth=0.5)
    axis.tick_params(length=0)
figure.tight_layout()
plt.show()

# %% [markdown]
# A CNN builds in two things: the same weights at every place, and neighbours first. A ViT keeps the
# first (all tokens go through the same matrices) and drops the second: which tokens are neighbours
# it has to learn, from position embeddings and much data. In the paper, ViT trained on ImageNet
# alone stayed behind ResNets of similar size; trained on 300 million images first, it came out
# ahead. Better recipes have narrowed that since.
#
# ## Part 8 · Which one shall I take?
#
# ### Exercise 26 · What a file holds
#
# A file of weights holds what the network learned, and the running means and variances of
# BatchNorm: buffers, stored but not learned. Write `stored_numbers(net)`: a pair of whole numbers,
# how many numbers the parameters hold and how many the **floating-point** buffers hold.
# (BatchNorm's counter `num_batches_tracked` is a whole number, and is left out.) A parameter that
# two modules share counts once, as in `net.parameters()`; `net.buffers()` gives the buffers.
#
# **Example.** `nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))`: $18 + 2 + 4 = 24$ learned, 4
# in buffers.


# %% nbgrader={"grade": false, "grade_id": "stored-numbers", "locked": false, "schema_version": 3, "solution": true, "task": false}
def stored_numbers(net):
    """How many numbers a network stores: (in parameters, in floating-point buffers)."""
    ### BEGIN SOLUTION
    learned = sum(parameter.numel() for parameter in net.parameters())
    running = sum(buffer.numel() for buffer in net.buffers() if buffer.is_floating_point())
    return learned, running
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-stored-numbers", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Parameters and buffers, counted apart


@in_submission
def counts(stored_numbers):
    """stored_numbers of some small networks."""
    from torch import nn

    shared = nn.Linear(4, 4)
    half = nn.BatchNorm2d(5, track_running_stats=False)
    nets = (
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)),
        nn.Sequential(shared, nn.ReLU(), shared),
        nn.Sequential(nn.Conv2d(3, 6, 3, groups=3, bias=False), nn.BatchNorm2d(6), nn.Linear(6, 2)),
        nn.Sequential(nn.BatchNorm2d(7, affine=False), half, nn.Sequential(nn.BatchNorm1d(3))),
        nn.MaxPool2d(2),
    )
    nets[2][0].weight.requires_grad_(False)
    return [tuple(stored_numbers(net)) for net in nets]


found = counts(stored_numbers)
check_close(found[0], (24, 4), "stored_numbers of the example")
### BEGIN HIDDEN TESTS
check_close(found[1], (20, 0), "stored_numbers of a network with a shared layer")
check_close(
    found[2], (54 + 12 + 14, 12), "stored_numbers of a network with a frozen, grouped convolution"
)
check_close(found[3], (10 + 6, 14 + 6), "stored_numbers of four BatchNorms of different kinds")
check_close(found[4], (0, 0), "stored_numbers of a pooling layer")
### END HIDDEN TESTS

# %%
with torch.device("meta"):
    learned, running = stored_numbers(densenet(121))
print(f"DenseNet-121: {learned:,} learned + {running:,} in buffers = {learned + running:,}")

# %% [markdown]
# 8,062,504 is the number that the library Keras prints for DenseNet-121: it counts the buffers as
# "non-trainable parameters". Both numbers are right.
#
# ### Exercise 27 · The storage audit
#
# A slide lists popular networks with parameters and megabytes. Each number takes 4 bytes, so the
# table can be checked. The exact counts are Keras's.

# %%
# name, exact number of stored numbers, MB on the slide, MB of Keras's files
STORAGE = [
    ("VGG16", 138_357_544, 500, 528),
    ("ResNet50", 25_636_712, 98, 98),
    ("ResNet101", 44_707_176, 171, 171),
    ("InceptionV3", 23_851_784, 92, 92),
    ("Xception", 22_910_480, 88, 88),
    ("DenseNet121", 8_062_504, 33, 33),
    ("DenseNet169", 14_307_880, 57, 57),
    ("DenseNet201", 20_242_984, 80, 80),
    ("EfficientNetB0", 5_330_571, 20, 29),
    ("EfficientNetB2", 9_177_569, 36, 36),
]

# %% [markdown]
# A file can be a little larger than its weights (names, shapes, structure), and a printed size may
# have been rounded. Call a printed size $s$ *plausible* if $m - 1 \le s \le m + 3$, where $m$ is
# the size of the weights in MiB: 4 bytes a number, $2^{20}$ bytes a MiB.
#
# Write `storage_audit(rows)`: `rows` is a list of (name, numbers, printed size); return the list of
# the names whose size is **not** plausible, in their order.
#
# **Example.** `[("a", 2_621_440, 10), ("b", 2_621_440, 8.5), ("c", 2_621_440, 13.5)]`: all weigh 10
# MiB; the result is `["b", "c"]`.


# %% nbgrader={"grade": false, "grade_id": "storage-audit", "locked": false, "schema_version": 3, "solution": true, "task": false}
def storage_audit(rows):
    """Names of the rows (name, numbers, printed MB) whose size is more than 1 below or 3 above."""
    ### BEGIN SOLUTION
    wrong = []
    for name, numbers, printed in rows:
        weights = 4 * numbers / 2**20
        if not weights - 1 <= printed <= weights + 3:
            wrong.append(name)
    return wrong
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-storage-audit", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Sizes that cannot be
rows = [("a", 2_621_440, 10), ("b", 2_621_440, 8.5), ("c", 2_621_440, 13.5)]
assert list(storage_audit(rows)) == ["b", "c"], f"the example gives {storage_audit(rows)}"
### BEGIN HIDDEN TESTS
_counts = {
    "VGG16": (138357544, 500, 528), "ResNet50": (25636712, 98, 98), "ResNet101": (44707176, 171, 171),
    "InceptionV3": (23851784, 92, 92), "Xception": (22910480, 88, 88), "DenseNet121": (8062504, 33, 33),
    "DenseNet169": (14307880, 57, 57), "DenseNet201": (20242984, 80, 80),
    "EfficientNetB0": (5330571, 20, 29), "EfficientNetB2": (9177569, 36, 36),
}  # fmt: skip
for _column, _want in ((1, ["VGG16"]), (2, ["EfficientNetB0"])):
    _rows = [(name, values[0], values[_column]) for name, values in _counts.items()]
    _what = ("the slide's", "Keras's")[_column - 1]
    _got = list(storage_audit(_rows))
    assert _got == _want, f"the audit of {_what} column finds {_got}, which is not right"
_edge = [
    ("p", 2621440, 9),
    ("q", 2621440, 13),
    ("r", 2621440, 8.99),
    ("s", 2621440, 13.01),
    ("t", 7864320, 31.5),
]
_got = list(storage_audit(_edge))
assert _got == ["r", "s"], f"the audit of sizes at the edge finds {_got}, which is not right"
_rows = [("z", 262144, 9), ("y", 262144, 1), ("x", 262144, 99)]
_got = list(storage_audit(_rows))
assert _got == ["z", "x"], f"the names should come in the order of the rows, not as {_got}"
assert list(storage_audit([])) == [], "an empty table has no wrong row"
### END HIDDEN TESTS

# %%
print("the slide's sizes: not plausible:", storage_audit([row[:3] for row in STORAGE]))
print("Keras's files:     not plausible:", storage_audit([(*row[:2], row[3]) for row in STORAGE]))

# %% [markdown]
# One size on the slide is too small for its own weights, and the slide's 20 MB for EfficientNet-B0
# fit the weights, while Keras's file has 29 MB: a size tells what somebody stored, not what a
# network needs.
#
# #### Question · Digits on slides
#
# - `q_truncated`: the slide prints parameters in whole millions: VGG16 138, ResNet50 25, ResNet101
#   44, InceptionV3 24, Xception 23, DenseNet121 8, DenseNet169 14, DenseNet201 20. Two of them were
#   cut off instead of rounded. Which? (A list or set of two names.)
# - `q_bytes`: the file of Wide ResNet-50-2 (68,883,240 parameters) in a well-known library has
#   131.8 MB. How many bytes does it spend on a number?

# %% nbgrader={"grade": false, "grade_id": "q-storage", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_truncated: two names; q_bytes: a whole number
### BEGIN SOLUTION
q_truncated = ["ResNet50", "ResNet101"]
q_bytes = 2
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-storage", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Cut off instead of rounded; bytes a number
names = {
    "VGG16",
    "ResNet50",
    "ResNet101",
    "InceptionV3",
    "Xception",
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
}
assert len(set(q_truncated)) == 2 and set(q_truncated) <= names, (
    f"q_truncated: two of {sorted(names)}"
)
check_number(q_bytes, q_bytes, "q_bytes")
### BEGIN HIDDEN TESTS
assert set(q_truncated) == {"ResNet50", "ResNet101"}, "q_truncated is not right"
check_number(q_bytes, 2, "q_bytes")
### END HIDDEN TESTS

# %% [markdown]
# ### The shelf
#
# Twenty-three sets of weights, with the numbers of torchvision's own
# [table](https://pytorch.org/vision/stable/models.html): parameters, GMACs for one image and top-1
# accuracy on ImageNet's 50,000 validation images. All are of *one central crop*: the image is
# scaled until its shorter side has 256 pixels, and the 224 × 224 in the middle are taken. Three
# differ: ResNet-50 with the recipe of 2021 scales to 232, ConvNeXt-Tiny to 236, and Inception-v3
# scales to 342 and takes 299 × 299. (Inception-v3 is listed with its auxiliary classifier, so it
# has more parameters here than in Keras's count; GoogLeNet is listed without.)
#
# Most were trained with a recipe in the manner of 2015. Two rows are ResNet-50: the *same* network,
# in the second with a recipe of 2021. ConvNeXt-Tiny and the two ViTs have modern recipes as well;
# the weights of GoogLeNet, Inception-v3 and EfficientNet-B0 come from elsewhere, each with a recipe
# of its own. So differences between rows are differences of architecture *and* training.


# %% nbgrader={"grade": false, "grade_id": "given-shelf", "locked": true, "schema_version": 3, "solution": false, "task": false}
def shelf():
    """Networks with published weights: name, learned parameters, GMACs for one image, top-1 in %."""
    rows = [
        ("AlexNet", 61_100_840, 0.714, 56.522),
        ("SqueezeNet 1.0", 1_248_424, 0.819, 58.092),
        ("VGG-16", 138_357_544, 15.470, 71.592),
        ("VGG-19", 143_667_240, 19.632, 72.376),
        ("GoogLeNet", 6_624_904, 1.498, 69.778),
        ("Inception-v3", 27_161_264, 5.713, 77.294),
        ("ResNet-18", 11_689_512, 1.814, 69.758),
        ("ResNet-34", 21_797_672, 3.664, 73.314),
        ("ResNet-50", 25_557_032, 4.089, 76.130),
        ("ResNet-50, recipe of 2021", 25_557_032, 4.089, 80.858),
        ("ResNet-101", 44_549_160, 7.801, 77.374),
        ("ResNet-152", 60_192_808, 11.514, 78.312),
        ("ResNeXt-50 32×4d", 25_028_904, 4.230, 77.618),
        ("Wide ResNet-50-2", 68_883_240, 11.398, 78.468),
        ("DenseNet-121", 7_978_856, 2.834, 74.434),
        ("DenseNet-169", 14_149_480, 3.360, 75.600),
        ("DenseNet-201", 20_013_928, 4.291, 76.896),
        ("MobileNetV2", 3_504_872, 0.301, 71.878),
        ("ShuffleNetV2 ×1", 2_278_604, 0.145, 69.362),
        ("EfficientNet-B0", 5_288_548, 0.386, 77.692),
        ("ConvNeXt-Tiny", 28_589_128, 4.456, 82.520),
        ("ViT-B/16", 86_567_656, 17.564, 81.072),
        ("ViT-B/32", 88_224_232, 4.409, 75.912),
    ]
    return [dict(zip(("name", "params", "gmacs", "top1"), row)) for row in rows]


# %% [markdown]
# ### Exercise 28 · The Pareto front
#
# Nobody needs a model that another one beats in everything. Model $b$ **dominates** model $a$ if
# $b$ is at least as good in every quantity (top-1 at least as high, each cost at most as high)
# **and** better in at least one. The models that nobody dominates form the **Pareto front**.

# %% jupyter={"source_hidden": true} tags=["illustration"]
points = {"a": (1, 70), "b": (2, 75), "c": (3, 74), "d": (2.6, 71.5), "e": (4, 78)}
figure, axis = plt.subplots(figsize=(5, 2.8))
axis.add_patch(plt.Rectangle((2, 66), 3, 9, color="tab:orange", alpha=0.2, linewidth=0))
axis.text(4.9, 66.6, "dominated by b", ha="right", color="tab:orange")
axis.step([1, 2, 4, 5], [70, 75, 78, 78], where="post", color="black", linewidth=1)
for name, (cost, accuracy) in points.items():
    axis.plot(cost, accuracy, "o", color="black" if name in "abe" else "0.6")
    axis.annotate(name, (cost, accuracy), (5, 5), textcoords="offset points")
axis.set(xlabel="GMACs", ylabel="top-1, %", xlim=(0, 5), ylim=(66, 80))
axis.set_title("black: the front", fontsize=10)
axis.spines[["top", "right"]].set_visible(False)
figure.tight_layout()
plt.show()

# %% [markdown]
# Write `pareto_front(models, costs)`: `models` is a list of dicts like those of `shelf()`, `costs`
# a tuple of keys, such as `("gmacs",)` or `("params", "gmacs")`. Return the names on the front, in
# the order of the list. Two models that are equal in everything do not dominate each other.
#
# **Example.** With costs `("gmacs",)`, accuracies 70, 75, 74 and GMACs 1, 2, 3 leave the first two:
# the third is dominated by the second.


# %% nbgrader={"grade": false, "grade_id": "pareto-front", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pareto_front(models, costs):
    """Names of the models that no other dominates in "top1" (high) and in every cost (low)."""

    ### BEGIN SOLUTION
    def dominates(b, a):
        no_worse = b["top1"] >= a["top1"] and all(b[cost] <= a[cost] for cost in costs)
        better = b["top1"] > a["top1"] or any(b[cost] < a[cost] for cost in costs)
        return no_worse and better

    return [a["name"] for a in models if not any(dominates(b, a) for b in models)]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-pareto-front", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Nobody on the front is dominated, everybody else is
models = [
    {"name": "a", "top1": 70.0, "gmacs": 1.0, "params": 5},
    {"name": "b", "top1": 75.0, "gmacs": 2.0, "params": 9},
    {"name": "c", "top1": 74.0, "gmacs": 3.0, "params": 1},
]
got = list(pareto_front(models, ("gmacs",)))
assert got == ["a", "b"], f"the front of the example is not {got}"
### BEGIN HIDDEN TESTS


def front(models, costs):
    """The front, by counting for each model who dominates it."""
    table = np.array([[-m["top1"], *(m[cost] for cost in costs)] for m in models])
    no_worse = (table[:, None] <= table[None]).all(2)
    better = (table[:, None] < table[None]).any(2)
    return [m["name"] for m, beaten in zip(models, (no_worse & better).any(0)) if not beaten]


for _costs in (("gmacs",), ("params",), ("params", "gmacs")):
    _got, _want = list(pareto_front(shelf(), _costs)), front(shelf(), _costs)
    assert set(_got) == set(_want), f"the front of the shelf for {_costs} is not {_got}"
    assert _got == _want, f"the front for {_costs} should come in the order of the list"
for _seed in range(6):
    _rng = np.random.default_rng(_seed)
    _models = [
        {"name": f"m{i}", "top1": int(a), "time": int(t), "mib": int(m), "gmacs": 1}
        for i, (a, t, m) in enumerate(_rng.integers(0, 5, (9, 3)))
    ]
    for _costs in (("time",), ("mib", "time"), ("gmacs", "mib")):
        _got = list(pareto_front(_models, _costs))
        assert _got == front(_models, _costs), f"a front of nine models for {_costs} is not right"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-pareto-ties", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Equal models, models equal in part, and the list as it was
twins = [{"name": n, "top1": 70.0, "gmacs": g} for n, g in (("a", 1.0), ("b", 1.0), ("c", 2.0))]
got = list(pareto_front(twins, ("gmacs",)))
assert got == ["a", "b"], f"of two equal models and a dearer one, the front is not {got}"
### BEGIN HIDDEN TESTS
_same = [{"name": n, "top1": t, "gmacs": 1.0} for n, t in (("a", 70.0), ("b", 71.0), ("c", 70.5))]
_got = list(pareto_front(_same, ("gmacs",)))
assert _got == ["b"], f"of models with one cost, the front is not {_got}"
_kept = [dict(model) for model in twins]
pareto_front(twins, ("gmacs",))
assert twins == _kept, "the models should stay as they are"
assert list(pareto_front([], ("gmacs",))) == [], "no models, no front"
assert list(pareto_front(twins[2:], ("gmacs",))) == ["c"], "one model is its own front"
### END HIDDEN TESTS

# %% jupyter={"source_hidden": true} tags=["illustration"]
FAMILIES = {  # how names begin: colour, where the label stands (points right, points up)
    "AlexNet": ("0.35", (-8, -3)),
    "VGG": ("0.35", (-8, 3)),
    "SqueezeNet": ("olive", (8, -3)),
    "MobileNet": ("olive", (-8, 4)),
    "ShuffleNet": ("olive", (8, -11)),
    "EfficientNet": ("tab:green", (-8, 4)),
    "GoogLeNet": ("tab:brown", (-8, -3)),
    "Inception": ("tab:brown", (6, 6)),
    "DenseNet": ("tab:blue", (-7, 4)),
    "ResNet": ("tab:red", (7, -9)),
    "ResNeXt": ("mediumvioletred", (-9, 4)),
    "Wide": ("mediumvioletred", (-6, 5)),
    "ConvNeXt": ("tab:green", (-8, 3)),
    "ViT": ("tab:purple", (7, -3)),
}
SHORT = {
    "Wide ResNet-50-2": "Wide 50-2",
    "ResNet-50, recipe of 2021": "50, recipe of 2021",
    "AlexNet": "AlexNet: 56.5%",
    "SqueezeNet 1.0": "SqueezeNet 1.0: 58.1%",
}
PLACES = {  # exceptions, for both pictures or for one
    "ResNet-50": (-7, -10),
    "ResNet-50, recipe of 2021": (-8, 3),
    ("SqueezeNet 1.0", "params"): (-8, -3),
}
floor, models = 68.2, shelf()  # two models lie below the picture and are drawn at its edge
figure, axes = plt.subplots(2, 1, figsize=(10, 11))
for axis, cost, label in zip(axes, ("gmacs", "params"), ("GMACs for one image", "parameters")):
    best = pareto_front(models, (cost,))
    line = sorted((m[cost], m["top1"]) for m in models if m["name"] in best)
    axis.step(*zip(*line), where="post", color="black", linewidth=1, zorder=1)
    for family, (color, usual) in FAMILIES.items():
        members = [m for m in models if m["name"].startswith(family)]
        row = [m for m in members if "recipe" not in m["name"]]
        if len(row) > 2 or family == "VGG":
            axis.plot([m[cost] for m in row], [m["top1"] for m in row], color=color, alpha=0.4)
        for m in members:
            look = {"marker": "o" if m["top1"] > floor else "v", "s": 50, "color": color}
            look |= {"edgecolor": "black" if m["name"] in best else "none", "linewidth": 1.5}
            point = (m[cost], max(m["top1"], floor))
            axis.scatter(*point, zorder=2, **look)
            short = SHORT.get(m["name"], m["name"].replace("DenseNet-", "").replace("ResNet-", ""))
            shift = PLACES.get((m["name"], cost)) or PLACES.get(m["name"], usual)
            side = "right" if shift[0] < 0 else "left"
            axis.annotate(
                short, point, shift, textcoords="offset points", ha=side, fontsize=8.5, color=color
            )
    axis.set(xscale="log", xlabel=label, ylabel="top-1 accuracy, %", ylim=(67.6, 83.5))
    axis.grid(color="0.94")
    axis.spines[["top", "right"]].set_visible(False)
axes[0].set_xlim(0.1, 26)
axes[1].set_xlim(0.35e6, 2e8)
axes[0].set_title(
    "The shelf. Red: ResNet, blue: DenseNet, with their depths; black: the front", fontsize=10
)
figure.tight_layout()
plt.show()

# %% [markdown]
# <details><summary>Help</summary>
#
# - **Equal models disappear**: a model does not dominate its equal, nor itself.
# - **Too many are left**: at least as good everywhere and better *somewhere* is enough; it need not
#   be better everywhere.
#
# </details>
#
# ### Exercise 29 · Choose under a budget
#
# *Don't be a hero*: for most problems take a network from the shelf, with its weights. Which one is
# arithmetic. Write `choose_model(models, max_params=None, max_gmacs=None, max_mib=None)`: the
# **name** of the most accurate model that keeps *every* limit given (at most; `None` is no limit),
# or `None` if there is none. `max_mib` limits the size of the learned parameters at 4 bytes each,
# in MiB. Of equally accurate models take the one with fewer GMACs; if these are equal too, the one
# with fewer parameters.
#
# **Example.** `choose_model(shelf(), max_gmacs=0.35)` is `"MobileNetV2"`.


# %% nbgrader={"grade": false, "grade_id": "choose-model", "locked": false, "schema_version": 3, "solution": true, "task": false}
def choose_model(models, max_params=None, max_gmacs=None, max_mib=None):
    """Name of the most accurate model within all limits, or None; limits of None do not count."""

    ### BEGIN SOLUTION
    def fits(model):
        costs = (model["params"], model["gmacs"], 4 * model["params"] / 2**20)
        limits = (max_params, max_gmacs, max_mib)
        return all(limit is None or cost <= limit for cost, limit in zip(costs, limits))

    ranked = sorted(
        (model for model in models if fits(model)),
        key=lambda model: (-model["top1"], model["gmacs"], model["params"]),
    )
    return ranked[0]["name"] if ranked else None
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "test-choose-model", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# The most accurate model within a budget
got = choose_model(shelf(), max_gmacs=0.35)
assert got == "MobileNetV2", f"under 0.35 GMAC it is not {got!r}"
### BEGIN HIDDEN TESTS
for _limits, _want in (
    ({}, "ConvNeXt-Tiny"),
    ({"max_gmacs": 0.386}, "EfficientNet-B0"),
    ({"max_params": 5_000_000}, "MobileNetV2"),
    ({"max_params": 3_000_000, "max_gmacs": 1.0}, "ShuffleNetV2 ×1"),
    ({"max_mib": 5}, "SqueezeNet 1.0"),
    ({"max_mib": 98}, "ResNet-50, recipe of 2021"),
    ({"max_mib": 97}, "EfficientNet-B0"),
    ({"max_params": 25_557_032, "max_gmacs": 4.088}, "EfficientNet-B0"),
    ({"max_params": 28_589_128}, "ConvNeXt-Tiny"),
    ({"max_gmacs": 0.1}, None),
    ({"max_params": 0}, None),
    ({"max_mib": 0}, None),
    ({"max_gmacs": 0}, None),
):
    _got = choose_model(shelf(), **_limits)
    assert _got == _want, f"choose_model(shelf(), {_limits}) gives {_got!r}, which is not right"
### END HIDDEN TESTS

# %% nbgrader={"grade": true, "grade_id": "test-choose-ties", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Equally accurate models, and no model at all
keys = ("name", "params", "gmacs", "top1")
rows = [("a", 9, 2.0, 70.0), ("b", 9, 1.0, 70.0), ("c", 5, 1.0, 70.0), ("d", 1, 0.5, 69.0)]
models = [dict(zip(keys, row)) for row in rows]
got = choose_model(models[:2])
assert got == "b", f"of two equally accurate models with 2 and 1 GMACs it is not {got!r}"
### BEGIN HIDDEN TESTS
for _models, _want in ((models, "c"), (models[::-1], "c"), ([], None), (models[3:], "d")):
    _got = choose_model(_models)
    assert _got == _want, f"of {[m['name'] for m in _models]} it is not {_got!r}"
_rows = [("a", 1, 2.0, 70.0), ("b", 9, 1.0, 70.0)]
_got = choose_model([dict(zip(keys, row)) for row in _rows])
assert _got == "b", f"GMACs decide before parameters, so it is not {_got!r}"
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Help</summary>
#
# - **The budget is met exactly, and yet the model is refused**: *at most* includes the limit.
# - **A limit of 0 is ignored**: `if max_gmacs:` is false for 0. Compare with `None`.
# - **The wrong one of two equals**: sort by a tuple, `(-top1, gmacs, params)`.
#
# </details>
#
# #### Question · Rules of thumb
#
# A slide's advice: *if you just care about accuracy, ResNet-50 or ResNet-101; if you want an
# efficient network, MobileNets and ShuffleNets.* With the shelf:
#
# - `q_dominator`: which model beats ResNet-50 (the older recipe) in parameters, GMACs *and*
#   accuracy? (One does.)
# - `q_recipe`: how many percentage points did a new recipe give to the same ResNet-50, to one
#   decimal? (Compare: ResNet-152 against ResNet-50 with the older recipe, at 2.8 times the work.)

# %% nbgrader={"grade": false, "grade_id": "q-rules", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_dominator: a name from the shelf; q_recipe: percentage points, to one decimal
### BEGIN SOLUTION
q_dominator = "EfficientNet-B0"
q_recipe = 4.7
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-rules", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Who dominates ResNet-50, and what a recipe is worth
assert q_dominator in {model["name"] for model in shelf()}, (
    "q_dominator should be a name of the shelf"
)
check_number(q_recipe, q_recipe, "q_recipe")
### BEGIN HIDDEN TESTS
check_number(q_recipe, 4.7, "q_recipe", rtol=0.01)
assert q_dominator == "EfficientNet-B0", f"q_dominator is {q_dominator!r}, which is not right"
### END HIDDEN TESTS

# %% [markdown]
# Budgets for other things need other lists: a detector wants a backbone with a pyramid of maps, a
# phone counts milliseconds, training counts the memory of Part 1.
#
# #### Question · One line through ten years
#
# - `q_line`: put one of `"GoogLeNet"`, `"MobileNetV2"`, `"ResNet-152"`, `"VGG-16"` to each idea, as
#   a list of four names in this order: *bigger networks work better*; *the same with fewer
#   parameters (a stem that shrinks early, 1×1 convolutions, global average pooling)*; *extremely
#   deep, with diminishing returns*; *small enough for a phone*.
# - `q_gap`: which of these end in global average pooling and *one* linear layer, so that they take
#   images of any size? A list or set out of `"AlexNet"`, `"VGG-16"`, `"DenseNet-121"`,
#   `"MobileNetV2"`, `"SE-ResNet-50"`, `"ViT-B/16"`.

# %% nbgrader={"grade": false, "grade_id": "q-line", "locked": false, "schema_version": 3, "solution": true, "task": false}
# q_line: a list of four names; q_gap: a list or set of names
### BEGIN SOLUTION
q_line = ["VGG-16", "GoogLeNet", "ResNet-152", "MobileNetV2"]
q_gap = ["DenseNet-121", "MobileNetV2", "SE-ResNet-50"]
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "test-q-line", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
# Four ideas and their networks; networks that end in global average pooling
four = {"GoogLeNet", "MobileNetV2", "ResNet-152", "VGG-16"}
assert set(q_line) == four and len(q_line) == 4, f"q_line should name each of {sorted(four)} once"
six = {"AlexNet", "VGG-16", "DenseNet-121", "MobileNetV2", "SE-ResNet-50", "ViT-B/16"}
assert set(q_gap) <= six, f"q_gap should hold some of {sorted(six)}"
### BEGIN HIDDEN TESTS
assert list(q_line) == ["VGG-16", "GoogLeNet", "ResNet-152", "MobileNetV2"], "q_line is not right"
assert set(q_gap) == {"DenseNet-121", "MobileNetV2", "SE-ResNet-50"}, "q_gap is not right"
### END HIDDEN TESTS

# %% [markdown]
# ### Your units, at one budget
#
# A last experiment, ungraded. Five small networks out of your units, each as wide as a budget of
# 200,000 MACs allows, trained on 500 of scikit-learn's digits (8 × 8 pixels) for 12 epochs and
# tested on the other 1,297; three random seeds each. Before you run it: which one will be best?

# %% jupyter={"source_hidden": true} tags=["illustration"]
images, labels = digits()  # (1797, 1, 8, 8), (1797,)
order = np.random.default_rng(seed).permutation(len(labels))
pixels = torch.from_numpy(images[order]).float()  # (1797, 1, 8, 8)
pixels = (pixels - pixels[:500].mean()) / pixels[:500].std()
truth = torch.from_numpy(labels[order])  # (1797,)


def full_unit(c_in, c_out, stride):
    """3×3, BN, ReLU."""
    conv = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.ReLU())


UNITS = {
    "full 3×3": full_unit,
    "full 3×3 + SE": lambda c_in, c_out, stride: nn.Sequential(
        full_unit(c_in, c_out, stride), SEBlock(c_out, 4)
    ),
    "separable": DepthwiseSeparable,
    "inverted residual": lambda c_in, c_out, stride: InvertedResidual(c_in, c_out, stride, 4),
}


def small_net(kind, width):
    """Stem, two stages, global average pooling, a linear layer."""
    layers = [full_unit(1, width, 1)]
    if kind == "dense":
        stem, growth = 8, width
        layers = [full_unit(1, stem, 1)]
        layers += [DenseLayer(stem + i * growth, growth) for i in range(2)]
        wide = stem + 2 * growth
        layers += [Transition(wide, wide // 2)]
        layers += [DenseLayer(wide // 2 + i * growth, growth) for i in range(2)]
        wide = wide // 2 + 2 * growth
        layers += [nn.BatchNorm2d(wide), nn.ReLU()]
    else:
        unit, wide = UNITS[kind], 2 * width
        layers += [unit(width, width, 1), unit(width, width, 1)]
        layers += [unit(width, wide, 2), unit(wide, wide, 1)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(wide, 10))


def work(kind, width):
    """MACs and parameters of a small net of this width."""
    with torch.device("meta"):
        rows = layer_table(small_net(kind, width), (1, 8, 8))
    return sum(row["macs"] for row in rows), sum(row["params"] for row in rows)


begin, epochs, results = time.perf_counter(), (1 if quick else 12), {}
for kind in [*UNITS, "dense"]:
    width, scores = 4, []
    while work(kind, width + 1)[0] <= 200_000:
        width += 1
    for run in range(3):
        torch.manual_seed(1000 * seed + run)
        net = small_net(kind, width)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
        for epoch in range(epochs):
            optimizer.param_groups[0]["lr"] = 0.1 if epoch < 0.7 * epochs else 0.01
            for part in torch.randperm(500).split(50):
                loss = nn.functional.cross_entropy(net(pixels[part]), truth[part])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        with torch.no_grad():
            right = net.eval()(pixels[500:]).argmax(1) == truth[500:]
        scores.append(100 * right.double().mean().item())
    results[f"{kind}, width {width}"] = (scores, *work(kind, width))
figure, axis = plt.subplots(figsize=(7.5, 2.7))
for place, (name, (scores, macs, params)) in enumerate(results.items()):
    axis.plot(scores, [place] * 3, "o", color="tab:blue", alpha=0.6)
    axis.plot(np.mean(scores), place, "|", color="crimson", markersize=16, markeredgewidth=2)
    axis.text(
        100.15,
        place,
        f"{macs / 1e3:.0f}k MACs, {params / 1e3:.1f}k parameters",
        va="center",
        fontsize=8,
    )
axis.set_yticks(range(len(results)), labels=list(results))
axis.set(
    xlabel="accuracy on 1,297 digits, % (dots: seeds, red: mean)",
    xlim=(min(min(s) for s, *_ in results.values()) - 0.4, 100),
)
axis.set_ylim(len(results) - 0.5, -0.5)
axis.spines[["top", "right"]].set_visible(False)
figure.tight_layout()
plt.show()
print(f"15 trainings, {time.perf_counter() - begin:.0f} s, one thread, {platform.machine()}")

# %% [markdown]
# Where we ran it (x86-64, one thread), the five means lie within one and a half points, and the
# three seeds of a single unit up to about two: too close for three seeds to name a winner,
# and no unit is far ahead. That is no surprise. Separating pays by $1/N + 1/K^2$, and with $N$ = 9
# channels the first term is as large as the second; small pictures of ten digits need neither many
# channels nor 121 layers. What you built pays where $N$ is in the hundreds. An architecture is good
# *for a budget and a task*, and three seeds on your own data say more than a table of somebody
# else's.
#
# ## Summary
#
# | | what to remember |
# |---|---|
# | DenseNet | $[x, F(x)]$; growth rate $k$, bottleneck $4k$ inside the layer, transition with compression ½ between blocks; 8.0 M / 14.1 M / 20.0 M parameters; saves parameters and MACs, costs activation memory |
# | SE | mean, two small linear layers, sigmoid, one gate a channel; $2C^2/r$ weights |
# | grouped, ResNeXt | full convolution with zeros = sum of narrow paths; 32×4d costs what 1×64d costs |
# | depthwise separable | MobileNetV1; costs $1/N + 1/K^2$ of a full convolution |
# | inverted residual | MobileNetV2: wide inside, thin shortcut, linear end; 3.5 M, 0.30 GMAC |
# | dilation | instead of a stride: same weights, same outputs where there were some, full resolution |
# | EfficientNet | depth, width and resolution together; $\alpha\beta^2\gamma^2 \approx 2$; B0 5.3 M, 0.39 GMAC |
# | ViT | patches → tokens by one convolution with kernel = stride; then attention, no CNN; B/16 86.6 M |
# | choosing | 4 bytes a parameter; a front, a budget, a measurement; the recipe counts as much as the architecture |
#
# **Next:** lesson 11 makes more of the images that you have: preprocessing and augmentation.
#
# ## References
#
# - G. Huang, Z. Liu, L. van der Maaten, K. Weinberger: [*Densely connected convolutional
#   networks*](https://arxiv.org/abs/1608.06993), CVPR 2017.
# - J. Hu, L. Shen, G. Sun: [*Squeeze-and-excitation networks*](https://arxiv.org/abs/1709.01507),
#   CVPR 2018.
# - S. Xie, R. Girshick, P. Dollár, Z. Tu, K. He: [*Aggregated residual transformations for deep
#   neural networks*](https://arxiv.org/abs/1611.05431), CVPR 2017 (ResNeXt).
# - S. Zagoruyko, N. Komodakis: [*Wide residual networks*](https://arxiv.org/abs/1605.07146), BMVC
#   2016.
# - A. Howard et al.: [*MobileNets*](https://arxiv.org/abs/1704.04861), 2017. M. Sandler et al.:
#   [*MobileNetV2*](https://arxiv.org/abs/1801.04381), CVPR 2018.
# - F. Chollet: [*Xception*](https://arxiv.org/abs/1610.02357), CVPR 2017. X. Zhang et al.:
#   [*ShuffleNet*](https://arxiv.org/abs/1707.01083), CVPR 2018.
# - A. van den Oord et al.: [*WaveNet*](https://arxiv.org/abs/1609.03499), 2016. L.-C. Chen et al.:
#   [*DeepLab*](https://arxiv.org/abs/1606.00915), 2016. F. Yu, V. Koltun: [*Multi-scale context
#   aggregation by dilated convolutions*](https://arxiv.org/abs/1511.07122), ICLR 2016.
# - M. Tan, Q. Le: [*EfficientNet*](https://arxiv.org/abs/1905.11946), ICML 2019.
# - A. Dosovitskiy et al.: [*An image is worth 16×16 words*](https://arxiv.org/abs/2010.11929), ICLR
#   2021. Z. Liu et al.: [*A ConvNet for the 2020s*](https://arxiv.org/abs/2201.03545), CVPR 2022.
# - A. Canziani, A. Paszke, E. Culurciello: [*An analysis of deep neural network models for
#   practical applications*](https://arxiv.org/abs/1605.07678), 2016: the chart that part 8 redraws.
