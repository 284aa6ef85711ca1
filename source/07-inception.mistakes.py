# %% [markdown]
# ## One pixel, all channels


# %% Reshape instead of permute exercise="conv1x1"
# reshape does not move axes: it cuts the channels of an image into rows. Move the channels to the
# end with permute first.
def conv1x1(x, weight, bias):
    """A 1×1 convolution as one matrix product.

    x (N, C, H, W), weight (K, C), bias (K,) of one dtype. Returns (N, K, H, W).
    """
    n, channels, height, width = x.shape
    pixels = x.reshape(-1, channels)  # (N·H·W, C)
    y = pixels @ weight.T + bias  # (N·H·W, K)
    return y.reshape(n, height, width, -1).permute(0, 3, 1, 2)  # (N, K, H, W)


# %% Result not permuted back exercise="conv1x1"
# The rows of the product are pixels with their channels last. Move the channels back in front of
# the rows and columns.
def conv1x1(x, weight, bias):
    """A 1×1 convolution as one matrix product.

    x (N, C, H, W), weight (K, C), bias (K,) of one dtype. Returns (N, K, H, W).
    """
    n, channels, height, width = x.shape
    pixels = x.permute(0, 2, 3, 1).reshape(-1, channels)  # (N·H·W, C)
    y = pixels @ weight.T + bias  # (N·H·W, K)
    return y.reshape(n, -1, height, width)  # (N, K, H, W)


# %% Bias forgotten exercise="conv1x1" covers=[8]
# The bias of each filter is not added.
def conv1x1(x, weight, bias):
    """A 1×1 convolution as one matrix product.

    x (N, C, H, W), weight (K, C), bias (K,) of one dtype. Returns (N, K, H, W).
    """
    n, channels, height, width = x.shape
    pixels = x.permute(0, 2, 3, 1).reshape(-1, channels)  # (N·H·W, C)
    y = pixels @ weight.T  # (N·H·W, K)
    return y.reshape(n, height, width, -1).permute(0, 3, 1, 2)  # (N, K, H, W)


# %% Height and width swapped on the way back exercise="conv1x1" covers=[17]
# Height and width are swapped where the pixels become an image again. It goes unnoticed on square
# images.
def conv1x1(x, weight, bias):
    """A 1×1 convolution as one matrix product.

    x (N, C, H, W), weight (K, C), bias (K,) of one dtype. Returns (N, K, H, W).
    """
    n, channels, height, width = x.shape
    pixels = x.permute(0, 2, 3, 1).reshape(-1, channels)  # (N·H·W, C)
    y = pixels @ weight.T + bias  # (N·H·W, K)
    return y.reshape(n, width, height, -1).permute(0, 3, 1, 2)  # (N, K, H, W)


# %% Only the first image of the batch exercise="conv1x1" covers=[42]
# All pixels of all images are rows of the matrix; you return the first image for each.
def conv1x1(x, weight, bias):
    """A 1×1 convolution as one matrix product.

    x (N, C, H, W), weight (K, C), bias (K,) of one dtype. Returns (N, K, H, W).
    """
    n, channels, height, width = x.shape
    pixels = x.permute(0, 2, 3, 1).reshape(-1, channels)  # (N·H·W, C)
    y = pixels @ weight.T + bias  # (N·H·W, K)
    return (
        y.reshape(n, height, width, -1).permute(0, 3, 1, 2)[:1].repeat(n, 1, 1, 1)
    )  # (N, K, H, W)


# %% Channels averaged, not summed exercise="conv1x1" covers=[7]
# A filter sums over the channels. You take the mean.
def conv1x1(x, weight, bias):
    """A 1×1 convolution as one matrix product.

    x (N, C, H, W), weight (K, C), bias (K,) of one dtype. Returns (N, K, H, W).
    """
    n, channels, height, width = x.shape
    pixels = x.permute(0, 2, 3, 1).reshape(-1, channels)  # (N·H·W, C)
    y = pixels @ weight.T / channels + bias  # (N·H·W, K)
    return y.reshape(n, height, width, -1).permute(0, 3, 1, 2)  # (N, K, H, W)


# %% Only the first channel exercise="conv1x1" covers=[6]
# A filter mixes all channels; you use the first one alone.
def conv1x1(x, weight, bias):
    """A 1×1 convolution as one matrix product.

    x (N, C, H, W), weight (K, C), bias (K,) of one dtype. Returns (N, K, H, W).
    """
    n, channels, height, width = x.shape
    pixels = x.permute(0, 2, 3, 1).reshape(-1, channels)  # (N·H·W, C)
    y = pixels[:, :1] @ weight.T[:1] + bias  # (N·H·W, K)
    return y.reshape(n, height, width, -1).permute(0, 3, 1, 2)  # (N, K, H, W)


# %% The first bias for all filters exercise="conv1x1" covers=[10]
# Each filter has a bias of its own; you add the first one to all.
def conv1x1(x, weight, bias):
    """A 1×1 convolution as one matrix product.

    x (N, C, H, W), weight (K, C), bias (K,) of one dtype. Returns (N, K, H, W).
    """
    n, channels, height, width = x.shape
    pixels = x.permute(0, 2, 3, 1).reshape(-1, channels)  # (N·H·W, C)
    y = pixels @ weight.T + bias[0]  # (N·H·W, K)
    return y.reshape(n, height, width, -1).permute(0, 3, 1, 2)  # (N, K, H, W)


# %% With einsum exercise="conv1x1" right=true
def conv1x1(x, weight, bias):
    """A 1×1 convolution as one product, written as a sum over channels."""
    return torch.einsum("kc,nchw->nkhw", weight, x) + bias[:, None, None]


# %% With a broadcast matrix product exercise="conv1x1" right=true
def conv1x1(x, weight, bias):
    """A 1×1 convolution: (K, C) @ (N, C, H·W)."""
    n, c, height, width = x.shape
    return (weight @ x.reshape(n, c, -1) + bias[:, None]).reshape(n, -1, height, width)


# %% With a linear layer on channels last exercise="conv1x1" right=true
def conv1x1(x, weight, bias):
    """A 1×1 convolution: F.linear acts on the last axis."""
    return F.linear(x.movedim(1, -1), weight, bias).movedim(-1, 1)


# %% Biases forgotten in the count exercise="q-mixture"
# 64 filters have 64 biases as well: parameters include them.
# q_params: parameters; q_macs: MACs (the exact number); q_neighbours: pixels
q_params = 16_384
q_macs = 12_845_056
q_neighbours = 0


# %% FLOPs instead of MACs exercise="q-mixture"
# A MAC is a multiplication with its addition; you counted both.
# q_params: parameters; q_macs: MACs (the exact number); q_neighbours: pixels
q_params = 16_448
q_macs = 25_690_112
q_neighbours = 0


# %% Neighbours of a 3×3 exercise="q-mixture"
# A 1×1 kernel sees its own pixel alone.
# q_params: parameters; q_macs: MACs (the exact number); q_neighbours: pixels
q_params = 16_448
q_macs = 12_845_056
q_neighbours = 8


# %% Kernel applied to the wrong channels exercise="merge-reduce"
# The sum runs over the reduced channels: axis 1 of the kernel, axis 0 of the reduction. You
# multiplied the first filters by the reduction.
def merge_reduce(reduce, kernel):
    """The one kernel that does what a 1×1 reduction and a convolution after it do.

    reduce (M, C), kernel (K, M, F, F). Returns (K, C, F, F).
    """
    return torch.einsum("kmuv,mc->kcuv", kernel[:, :1].expand_as(kernel), reduce)


# %% Only one reduced channel exercise="merge-reduce" covers=[6]
# All reduced channels contribute. You took the first.
def merge_reduce(reduce, kernel):
    """The one kernel that does what a 1×1 reduction and a convolution after it do.

    reduce (M, C), kernel (K, M, F, F). Returns (K, C, F, F).
    """
    return torch.einsum("kmuv,mc->kcuv", kernel[:, :1], reduce[:1])


# %% Kernel transposed exercise="merge-reduce" covers=[3]
# Rows and columns of the kernel are swapped.
def merge_reduce(reduce, kernel):
    """The one kernel that does what a 1×1 reduction and a convolution after it do.

    reduce (M, C), kernel (K, M, F, F). Returns (K, C, F, F).
    """
    return torch.einsum("kmuv,mc->kcvu", kernel, reduce)


# %% Kernel flipped exercise="merge-reduce" covers=[1]
# The kernel is turned by 180°. No flip is needed: both convolutions slide as they are.
def merge_reduce(reduce, kernel):
    """The one kernel that does what a 1×1 reduction and a convolution after it do.

    reduce (M, C), kernel (K, M, F, F). Returns (K, C, F, F).
    """
    return torch.einsum("kmuv,mc->kcuv", kernel.flip(2, 3), reduce)


# %% Averaged over the reduced channels exercise="merge-reduce" covers=[7]
# The two layers add up the reduced channels; you take their mean.
def merge_reduce(reduce, kernel):
    """The one kernel that does what a 1×1 reduction and a convolution after it do.

    reduce (M, C), kernel (K, M, F, F). Returns (K, C, F, F).
    """
    return torch.einsum("kmuv,mc->kcuv", kernel, reduce) / len(reduce)


# %% Input channels last exercise="merge-reduce"
# The shape of a kernel bank is (filters, channels, rows, columns). You put the channels last.
def merge_reduce(reduce, kernel):
    """The one kernel that does what a 1×1 reduction and a convolution after it do.

    reduce (M, C), kernel (K, M, F, F). Returns (K, C, F, F).
    """
    return torch.einsum("kmuv,mc->kuvc", kernel, reduce)


# %% With a loop over the places of the window exercise="merge-reduce" right=true
def merge_reduce(reduce, kernel):
    """At each place of the window: (K, M) @ (M, C)."""
    side = kernel.shape[-1]
    merged = torch.zeros(len(kernel), reduce.shape[1], side, side, dtype=kernel.dtype)
    for u in range(side):
        for v in range(side):
            merged[:, :, u, v] = kernel[:, :, u, v] @ reduce
    return merged


# %% As a transposed 1×1 convolution exercise="merge-reduce" right=true
def merge_reduce(reduce, kernel):
    """The kernels are images with M channels; a 1×1 convolution makes C channels of them."""
    return F.conv2d(kernel, reduce.T[:, :, None, None])


# %% Summed over a new axis exercise="merge-reduce" right=true
def merge_reduce(reduce, kernel):
    """(K, M, 1, F, F) times (M, C, 1, 1), summed over M."""
    return (kernel[:, :, None] * reduce[None, :, :, None, None]).sum(dim=1)


# %% Rank of a free matrix exercise="q-rank"
# A product through 64 channels has a rank of at most 64.
# q_rank_bottleneck, q_rank_full: whole numbers; q_left_out: "a", "b", "c" or "d"
q_rank_bottleneck = 96
q_rank_full = 96
q_left_out = "b"


# %% Rank above the number of rows exercise="q-rank"
# A 96 × 256 matrix has a rank of at most 96.
# q_rank_bottleneck, q_rank_full: whole numbers; q_left_out: "a", "b", "c" or "d"
q_rank_bottleneck = 64
q_rank_full = 256
q_left_out = "b"


# %% Biases instead of the ReLU exercise="q-rank"
# With biases the pair would still be one affine map, in the middle of the image one convolution
# with one bias. The ReLU is what no such layer can do.
# q_rank_bottleneck, q_rank_full: whole numbers; q_left_out: "a", "b", "c" or "d"
q_rank_bottleneck = 64
q_rank_full = 96
q_left_out = "a"


# %% [markdown]
# ## The Inception module


# %% Pooling that halves exercise="q-branches"
# Inside a module max-pooling has stride 1 and padding 1: its maps must fit on top of the others.
# q_pool_rows: rows; q_reductions: a set of texts; q_depth_naive, q_depth_reduced: channels
q_pool_rows = 14
q_reductions = {"before 3×3", "before 5×5", "after pool"}
q_depth_naive = 672
q_depth_reduced = 480


# %% The 1×1 branch taken for a reduction exercise="q-branches"
# The first branch is a feature branch like the others; what it makes goes into the output as it
# is.
# q_pool_rows: rows; q_reductions: a set of texts; q_depth_naive, q_depth_reduced: channels
q_pool_rows = 28
q_reductions = {"left", "before 3×3", "before 5×5"}
q_depth_naive = 672
q_depth_reduced = 480


# %% Projection forgotten exercise="q-branches"
# The 1×1 after the pooling reduces too: 256 pooled channels become 64.
# q_pool_rows: rows; q_reductions: a set of texts; q_depth_naive, q_depth_reduced: channels
q_pool_rows = 28
q_reductions = {"before 3×3", "before 5×5"}
q_depth_naive = 672
q_depth_reduced = 480


# %% Pooled channels forgotten exercise="q-branches"
# Pooling hands on all 256 channels.
# q_pool_rows: rows; q_reductions: a set of texts; q_depth_naive, q_depth_reduced: channels
q_pool_rows = 28
q_reductions = {"before 3×3", "before 5×5", "after pool"}
q_depth_naive = 416
q_depth_reduced = 480


# %% Reductions counted as output exercise="q-branches"
# The reductions are inside the branches; only what leaves a branch is concatenated.
# q_pool_rows: rows; q_reductions: a set of texts; q_depth_naive, q_depth_reduced: channels
q_pool_rows = 28
q_reductions = {"before 3×3", "before 5×5", "after pool"}
q_depth_naive = 672
q_depth_reduced = 608


# %% FLOPs instead of MACs exercise="naive-cost" covers=[27]
# A MAC is a multiplication with its addition. You counted both.
def naive_macs(c_in, n1, n3, n5, height, width):
    """MACs of the 1×1, the 3×3 and the 5×5 branch of a naive module, a tuple of three numbers."""
    pixels = 2 * height * width
    return pixels * c_in * n1, pixels * c_in * n3 * 9, pixels * c_in * n5 * 25


def naive_depth(c_in, n1, n3, n5):
    """Channels of a naive module's output: three branches of filters and the pooled input."""
    return n1 + n3 + n5 + c_in


# %% Height squared exercise="naive-cost" covers=[16]
# The map has height × width pixels; you used the height twice.
def naive_macs(c_in, n1, n3, n5, height, width):
    """MACs of the 1×1, the 3×3 and the 5×5 branch of a naive module, a tuple of three numbers."""
    pixels = height * height
    return pixels * c_in * n1, pixels * c_in * n3 * 9, pixels * c_in * n5 * 25


def naive_depth(c_in, n1, n3, n5):
    """Channels of a naive module's output: three branches of filters and the pooled input."""
    return n1 + n3 + n5 + c_in


# %% Kernel side instead of its area exercise="naive-cost"
# A 3×3 kernel has 9 weights for each channel and a 5×5 kernel 25.
def naive_macs(c_in, n1, n3, n5, height, width):
    """MACs of the 1×1, the 3×3 and the 5×5 branch of a naive module, a tuple of three numbers."""
    pixels = height * width
    return pixels * c_in * n1, pixels * c_in * n3 * 3, pixels * c_in * n5 * 5


def naive_depth(c_in, n1, n3, n5):
    """Channels of a naive module's output: three branches of filters and the pooled input."""
    return n1 + n3 + n5 + c_in


# %% Input channels forgotten exercise="naive-cost"
# Each filter sees all input channels.
def naive_macs(c_in, n1, n3, n5, height, width):
    """MACs of the 1×1, the 3×3 and the 5×5 branch of a naive module, a tuple of three numbers."""
    pixels = height * width
    return pixels * c_in * n1, pixels * n3 * 9, pixels * c_in * n5 * 25


def naive_depth(c_in, n1, n3, n5):
    """Channels of a naive module's output: three branches of filters and the pooled input."""
    return n1 + n3 + n5 + c_in


# %% Size lost at the border exercise="naive-cost" covers=[28]
# The branches have padding and keep the size; you counted the outputs of an unpadded convolution.
def naive_macs(c_in, n1, n3, n5, height, width):
    """MACs of the 1×1, the 3×3 and the 5×5 branch of a naive module, a tuple of three numbers."""
    pixels = height * width
    return pixels * c_in * n1, pixels * c_in * n3 * 9, (height - 4) * (width - 4) * c_in * n5 * 25


def naive_depth(c_in, n1, n3, n5):
    """Channels of a naive module's output: three branches of filters and the pooled input."""
    return n1 + n3 + n5 + c_in


# %% Pooled channels left out of the depth exercise="naive-cost"
# The pooling branch hands on all channels that come in.
def naive_macs(c_in, n1, n3, n5, height, width):
    """MACs of the 1×1, the 3×3 and the 5×5 branch of a naive module, a tuple of three numbers."""
    pixels = height * width
    return pixels * c_in * n1, pixels * c_in * n3 * 9, pixels * c_in * n5 * 25


def naive_depth(c_in, n1, n3, n5):
    """Channels of a naive module's output: three branches of filters and the pooled input."""
    return n1 + n3 + n5


# %% Branches added instead of concatenated exercise="naive-cost" covers=[110]
# The channels of the branches lie on top of each other: their numbers add up. You took the
# largest.
def naive_macs(c_in, n1, n3, n5, height, width):
    """MACs of the 1×1, the 3×3 and the 5×5 branch of a naive module, a tuple of three numbers."""
    pixels = height * width
    return pixels * c_in * n1, pixels * c_in * n3 * 9, pixels * c_in * n5 * 25


def naive_depth(c_in, n1, n3, n5):
    """Channels of a naive module's output: three branches of filters and the pooled input."""
    return max(n1, n3, n5, c_in)


# %% Biases counted as MACs exercise="naive-cost"
# Adding a bias is no multiplication. MACs leave it out.
def naive_macs(c_in, n1, n3, n5, height, width):
    """MACs of the 1×1, the 3×3 and the 5×5 branch of a naive module, a tuple of three numbers."""
    pixels = height * width
    return pixels * (c_in + 1) * n1, pixels * c_in * n3 * 9, pixels * c_in * n5 * 25


def naive_depth(c_in, n1, n3, n5):
    """Channels of a naive module's output: three branches of filters and the pooled input."""
    return n1 + n3 + n5 + c_in


# %% A list from a loop exercise="naive-cost" right=true
def naive_macs(c_in, n1, n3, n5, height, width):
    """MACs of the 1×1, the 3×3 and the 5×5 branch of a naive module, a tuple of three numbers."""
    pixels = height * width
    return [n * c_in * side**2 * pixels for n, side in ((n1, 1), (n3, 3), (n5, 5))]


def naive_depth(c_in, n1, n3, n5):
    """Channels of a naive module's output: three branches of filters and the pooled input."""
    return n1 + n3 + n5 + c_in


# %% Concatenated along the batch exercise="naive-module" covers=[110]
# You put the branches behind each other as images. Channels are axis 1.
def naive_module(x, w1, w3, w5):
    """A naive Inception module: ReLU of three convolutions, and 3×3 max-pooling, side by side.

    x (N, C, H, W), w1 (n1, C, 1, 1), w3 (n3, C, 3, 3), w5 (n5, C, 5, 5), no biases.
    Returns (N, n1 + n3 + n5 + C, H, W).
    """
    branches = [
        F.relu(F.conv2d(x, w1)),
        F.relu(F.conv2d(x, w3, padding=1)),
        F.relu(F.conv2d(x, w5, padding=2)),
        F.max_pool2d(x, 3, stride=1, padding=1),
    ]
    return torch.cat(branches, dim=0)


# %% Branches summed exercise="naive-module" covers=[110]
# The branches are concatenated, not added.
def naive_module(x, w1, w3, w5):
    """A naive Inception module: ReLU of three convolutions, and 3×3 max-pooling, side by side.

    x (N, C, H, W), w1 (n1, C, 1, 1), w3 (n3, C, 3, 3), w5 (n5, C, 5, 5), no biases.
    Returns (N, n1 + n3 + n5 + C, H, W).
    """
    branches = [
        F.relu(F.conv2d(x, w1)),
        F.relu(F.conv2d(x, w3, padding=1)),
        F.relu(F.conv2d(x, w5, padding=2)),
        F.max_pool2d(x, 3, stride=1, padding=1),
    ]
    return sum(part[:, :1] for part in branches)


# %% No ReLU exercise="naive-module"
# Each convolution is followed by a ReLU.
def naive_module(x, w1, w3, w5):
    """A naive Inception module: ReLU of three convolutions, and 3×3 max-pooling, side by side.

    x (N, C, H, W), w1 (n1, C, 1, 1), w3 (n3, C, 3, 3), w5 (n5, C, 5, 5), no biases.
    Returns (N, n1 + n3 + n5 + C, H, W).
    """
    branches = [
        F.conv2d(x, w1),
        F.conv2d(x, w3, padding=1),
        F.conv2d(x, w5, padding=2),
        F.max_pool2d(x, 3, stride=1, padding=1),
    ]
    return torch.cat(branches, dim=1)


# %% ReLU over everything exercise="naive-module" covers=[35]
# The pooled input has no ReLU: negative maxima stay negative.
def naive_module(x, w1, w3, w5):
    """A naive Inception module: ReLU of three convolutions, and 3×3 max-pooling, side by side.

    x (N, C, H, W), w1 (n1, C, 1, 1), w3 (n3, C, 3, 3), w5 (n5, C, 5, 5), no biases.
    Returns (N, n1 + n3 + n5 + C, H, W).
    """
    branches = [
        F.relu(F.conv2d(x, w1)),
        F.relu(F.conv2d(x, w3, padding=1)),
        F.relu(F.conv2d(x, w5, padding=2)),
        F.relu(F.max_pool2d(x, 3, stride=1, padding=1)),
    ]
    return torch.cat(branches, dim=1)


# %% Pooling padded with zeros exercise="naive-module" covers=[34]
# You padded with zeros before pooling: where all is negative, the border becomes 0. The padding
# of max-pooling counts as minus infinity.
def naive_module(x, w1, w3, w5):
    """A naive Inception module: ReLU of three convolutions, and 3×3 max-pooling, side by side.

    x (N, C, H, W), w1 (n1, C, 1, 1), w3 (n3, C, 3, 3), w5 (n5, C, 5, 5), no biases.
    Returns (N, n1 + n3 + n5 + C, H, W).
    """
    branches = [
        F.relu(F.conv2d(x, w1)),
        F.relu(F.conv2d(x, w3, padding=1)),
        F.relu(F.conv2d(x, w5, padding=2)),
        F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 3, stride=1),
    ]
    return torch.cat(branches, dim=1)


# %% Average instead of maximum exercise="naive-module"
# The branch takes the maximum of each window, not the mean.
def naive_module(x, w1, w3, w5):
    """A naive Inception module: ReLU of three convolutions, and 3×3 max-pooling, side by side.

    x (N, C, H, W), w1 (n1, C, 1, 1), w3 (n3, C, 3, 3), w5 (n5, C, 5, 5), no biases.
    Returns (N, n1 + n3 + n5 + C, H, W).
    """
    branches = [
        F.relu(F.conv2d(x, w1)),
        F.relu(F.conv2d(x, w3, padding=1)),
        F.relu(F.conv2d(x, w5, padding=2)),
        F.avg_pool2d(x, 3, stride=1, padding=1),
    ]
    return torch.cat(branches, dim=1)


# %% Pooling and convolutions in another order exercise="naive-module"
# The order is 1×1, 3×3, 5×5, pooled input.
def naive_module(x, w1, w3, w5):
    """A naive Inception module: ReLU of three convolutions, and 3×3 max-pooling, side by side.

    x (N, C, H, W), w1 (n1, C, 1, 1), w3 (n3, C, 3, 3), w5 (n5, C, 5, 5), no biases.
    Returns (N, n1 + n3 + n5 + C, H, W).
    """
    branches = [
        F.relu(F.conv2d(x, w1)),
        F.relu(F.conv2d(x, w3, padding=1)),
        F.relu(F.conv2d(x, w5, padding=2)),
        F.max_pool2d(x, 3, stride=1, padding=1),
    ]
    return torch.cat(branches[::-1], dim=1)


# %% 3×3 and 5×5 swapped exercise="naive-module"
# The order is 1×1, 3×3, 5×5, pooled input.
def naive_module(x, w1, w3, w5):
    """A naive Inception module: ReLU of three convolutions, and 3×3 max-pooling, side by side.

    x (N, C, H, W), w1 (n1, C, 1, 1), w3 (n3, C, 3, 3), w5 (n5, C, 5, 5), no biases.
    Returns (N, n1 + n3 + n5 + C, H, W).
    """
    branches = [
        F.relu(F.conv2d(x, w1)),
        F.relu(F.conv2d(x, w3, padding=1)),
        F.relu(F.conv2d(x, w5, padding=2)),
        F.max_pool2d(x, 3, stride=1, padding=1),
    ]
    return torch.cat([branches[0], branches[2], branches[1], branches[3]], dim=1)


# %% Window of two exercise="naive-module"
# The pooling window is 3×3.
def naive_module(x, w1, w3, w5):
    """A naive Inception module: ReLU of three convolutions, and 3×3 max-pooling, side by side.

    x (N, C, H, W), w1 (n1, C, 1, 1), w3 (n3, C, 3, 3), w5 (n5, C, 5, 5), no biases.
    Returns (N, n1 + n3 + n5 + C, H, W).
    """
    branches = [
        F.relu(F.conv2d(x, w1)),
        F.relu(F.conv2d(x, w3, padding=1)),
        F.relu(F.conv2d(x, w5, padding=2)),
        F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-1e9), 2, stride=1),
    ]
    return torch.cat(branches, dim=1)


# %% Stride of the window exercise="naive-module" covers=[36]
# F.max_pool2d takes the window as its stride unless you say stride=1: the maps no longer fit.
def naive_module(x, w1, w3, w5):
    """A naive Inception module: ReLU of three convolutions, and 3×3 max-pooling, side by side.

    x (N, C, H, W), w1 (n1, C, 1, 1), w3 (n3, C, 3, 3), w5 (n5, C, 5, 5), no biases.
    Returns (N, n1 + n3 + n5 + C, H, W).
    """
    branches = [
        F.relu(F.conv2d(x, w1)),
        F.relu(F.conv2d(x, w3, padding=1)),
        F.relu(F.conv2d(x, w5, padding=2)),
        F.max_pool2d(x, 3, padding=1),
    ]
    return torch.cat(branches, dim=1)


# %% The input changed in place exercise="naive-module" covers=[24]
# You wrote the ReLU into the x of the caller.
def naive_module(x, w1, w3, w5):
    """A naive Inception module: ReLU of three convolutions, and 3×3 max-pooling, side by side.

    x (N, C, H, W), w1 (n1, C, 1, 1), w3 (n3, C, 3, 3), w5 (n5, C, 5, 5), no biases.
    Returns (N, n1 + n3 + n5 + C, H, W).
    """
    x = x.clamp_(min=-1)
    branches = [
        F.relu(F.conv2d(x, w1)),
        F.relu(F.conv2d(x, w3, padding=1)),
        F.relu(F.conv2d(x, w5, padding=2)),
        F.max_pool2d(x, 3, stride=1, padding=1),
    ]
    return torch.cat(branches, dim=1)


# %% With one 5×5 bank exercise="naive-module" right=true
def naive_module(x, w1, w3, w5):
    """One 5×5 convolution for the three branches, and the maximum of nine shifted copies."""
    bank = torch.cat([F.pad(w1, (2, 2, 2, 2)), F.pad(w3, (1, 1, 1, 1)), w5])
    height, width = x.shape[2:]
    framed = F.pad(x, (1, 1, 1, 1), value=float("-inf"))
    shifts = [framed[:, :, i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return torch.cat([F.conv2d(x, bank, padding=2).clamp(min=0), torch.stack(shifts).amax(0)], 1)


# %% With modules of torch.nn exercise="naive-module" right=true
def naive_module(x, w1, w3, w5):
    """nn.MaxPool2d, nn.ReLU and padding "same"."""
    convs = [torch.relu(F.conv2d(x, w, padding="same")) for w in (w1, w3, w5)]
    return torch.cat((*convs, nn.MaxPool2d(3, 1, 1)(x)), 1)


# %% Small kernels in a corner exercise="one-bank" covers=[11]
# The small kernels belong in the middle of the 5×5 window.
def one_bank(w1, w3, w5):
    """The three kernel banks of a naive module as one bank of 5×5 kernels.

    w1 (n1, C, 1, 1), w3 (n3, C, 3, 3), w5 (n5, C, 5, 5). Returns (n1 + n3 + n5, C, 5, 5).
    """
    return torch.cat([F.pad(w1, (0, 4, 0, 4)), F.pad(w3, (0, 2, 0, 2)), w5])


# %% Kernels stretched over the window exercise="one-bank"
# A 1×1 kernel is zero outside its middle; you repeated its weight over the whole window.
def one_bank(w1, w3, w5):
    """The three kernel banks of a naive module as one bank of 5×5 kernels.

    w1 (n1, C, 1, 1), w3 (n3, C, 3, 3), w5 (n5, C, 5, 5). Returns (n1 + n3 + n5, C, 5, 5).
    """
    return torch.cat([w1.expand(-1, -1, 5, 5), F.pad(w3, (1, 1, 1, 1)), w5])


# %% Banks in another order exercise="one-bank"
# The order is 1×1, 3×3, 5×5.
def one_bank(w1, w3, w5):
    """The three kernel banks of a naive module as one bank of 5×5 kernels.

    w1 (n1, C, 1, 1), w3 (n3, C, 3, 3), w5 (n5, C, 5, 5). Returns (n1 + n3 + n5, C, 5, 5).
    """
    return torch.cat([w5, F.pad(w3, (1, 1, 1, 1)), F.pad(w1, (2, 2, 2, 2))])


# %% Banks concatenated along the channels exercise="one-bank" covers=[5]
# Filters are axis 0 of a kernel bank. You concatenated the input channels.
def one_bank(w1, w3, w5):
    """The three kernel banks of a naive module as one bank of 5×5 kernels.

    w1 (n1, C, 1, 1), w3 (n3, C, 3, 3), w5 (n5, C, 5, 5). Returns (n1 + n3 + n5, C, 5, 5).
    """
    return torch.cat([F.pad(w1, (2, 2, 2, 2)), F.pad(w3, (1, 1, 1, 1)), w5], dim=1)


# %% Written into zeros exercise="one-bank" right=true
def one_bank(w1, w3, w5):
    """Zeros, then each bank in its place."""
    n1, n3 = len(w1), len(w3)
    bank = torch.zeros(n1 + n3 + len(w5), w5.shape[1], 5, 5, dtype=w5.dtype)
    bank[:n1, :, 2:3, 2:3] = w1
    bank[n1 : n1 + n3, :, 1:4, 1:4] = w3
    bank[n1 + n3 :] = w5
    return bank


# %% The share that is not zero exercise="q-zeros"
# You gave the share of weights that are not zero by design.
# q_zeros: percent
q_zeros = 40.9


# %% Kernels counted without their sizes exercise="q-zeros"
# All three banks have 25 places for each filter and channel: of the 1×1 filters 24 are zero, of
# the 3×3 filters 16.
# q_zeros: percent
q_zeros = 69.2


# %% Reductions ignored exercise="module-cost"
# After a reduction a filter sees the reduced channels, not the input.
def module_cost(c_in, row, height, width):
    """What the six convolutions of an Inception module cost: name → (weights, biases, MACs).

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Names: "one", "reduce3", "three", "reduce5", "five", "project".
    """
    n1, r3, n3, r5, n5, pool = row
    convs = {
        "one": (1, c_in, n1),
        "reduce3": (1, c_in, r3),
        "three": (3, c_in, n3),
        "reduce5": (1, c_in, r5),
        "five": (5, c_in, n5),
        "project": (1, c_in, pool),
    }
    cost = {}
    for name, (side, incoming, filters) in convs.items():
        weights = side * side * incoming * filters
        cost[name] = (weights, filters, weights * height * width)
    return cost


# %% Table read in another order exercise="module-cost"
# The row is (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj). You read the reductions
# after their convolutions.
def module_cost(c_in, row, height, width):
    """What the six convolutions of an Inception module cost: name → (weights, biases, MACs).

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Names: "one", "reduce3", "three", "reduce5", "five", "project".
    """
    n1, n3, r3, n5, r5, pool = row
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


# %% Projection of the wrong channels exercise="module-cost"
# Pooling keeps all input channels; the projection sees them all.
def module_cost(c_in, row, height, width):
    """What the six convolutions of an Inception module cost: name → (weights, biases, MACs).

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Names: "one", "reduce3", "three", "reduce5", "five", "project".
    """
    n1, r3, n3, r5, n5, pool = row
    convs = {
        "one": (1, c_in, n1),
        "reduce3": (1, c_in, r3),
        "three": (3, r3, n3),
        "reduce5": (1, c_in, r5),
        "five": (5, r5, n5),
        "project": (1, n5, pool),
    }
    cost = {}
    for name, (side, incoming, filters) in convs.items():
        weights = side * side * incoming * filters
        cost[name] = (weights, filters, weights * height * width)
    return cost


# %% Biases counted as weights exercise="module-cost"
# Weights leave the biases out; they have a place of their own.
def module_cost(c_in, row, height, width):
    """What the six convolutions of an Inception module cost: name → (weights, biases, MACs).

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Names: "one", "reduce3", "three", "reduce5", "five", "project".
    """
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
        cost[name] = (weights + filters, filters, weights * height * width)
    return cost


# %% One bias for each weight channel exercise="module-cost" covers=[9]
# A convolution has one bias for each filter.
def module_cost(c_in, row, height, width):
    """What the six convolutions of an Inception module cost: name → (weights, biases, MACs).

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Names: "one", "reduce3", "three", "reduce5", "five", "project".
    """
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
        cost[name] = (weights, incoming, weights * height * width)
    return cost


# %% FLOPs in the module exercise="module-cost" covers=[27]
# A MAC is a multiplication with its addition; you counted both.
def module_cost(c_in, row, height, width):
    """What the six convolutions of an Inception module cost: name → (weights, biases, MACs).

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Names: "one", "reduce3", "three", "reduce5", "five", "project".
    """
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
        cost[name] = (weights, filters, 2 * weights * height * width)
    return cost


# %% Square maps assumed in the module exercise="module-cost" covers=[16]
# The maps have height × width pixels.
def module_cost(c_in, row, height, width):
    """What the six convolutions of an Inception module cost: name → (weights, biases, MACs).

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Names: "one", "reduce3", "three", "reduce5", "five", "project".
    """
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
        cost[name] = (weights, filters, weights * height * height)
    return cost


# %% Kernel side instead of its area in the module exercise="module-cost"
# A kernel of side F has F·F places.
def module_cost(c_in, row, height, width):
    """What the six convolutions of an Inception module cost: name → (weights, biases, MACs).

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Names: "one", "reduce3", "three", "reduce5", "five", "project".
    """
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
        weights = side * incoming * filters
        cost[name] = (weights, filters, weights * height * width)
    return cost


# %% Biases added to the MACs exercise="module-cost"
# Adding a bias is not a multiply-add.
def module_cost(c_in, row, height, width):
    """What the six convolutions of an Inception module cost: name → (weights, biases, MACs).

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Names: "one", "reduce3", "three", "reduce5", "five", "project".
    """
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
        cost[name] = (weights, filters, (weights + filters) * height * width)
    return cost


# %% 5×5 computed as 3×3 exercise="module-cost"
# The third branch has 5×5 kernels. (Later versions of Inception, and torchvision, put 3×3 there.)
def module_cost(c_in, row, height, width):
    """What the six convolutions of an Inception module cost: name → (weights, biases, MACs).

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Names: "one", "reduce3", "three", "reduce5", "five", "project".
    """
    n1, r3, n3, r5, n5, pool = row
    convs = {
        "one": (1, c_in, n1),
        "reduce3": (1, c_in, r3),
        "three": (3, r3, n3),
        "reduce5": (1, c_in, r5),
        "five": (3, r5, n5),
        "project": (1, c_in, pool),
    }
    cost = {}
    for name, (side, incoming, filters) in convs.items():
        weights = side * side * incoming * filters
        cost[name] = (weights, filters, weights * height * width)
    return cost


# %% Named one by one exercise="module-cost" right=true
def module_cost(c_in, row, height, width):
    """Six lines, one a convolution."""

    def conv(kernel, incoming, filters):
        return [kernel * incoming * filters, filters, kernel * incoming * filters * height * width]

    return dict(
        one=conv(1, c_in, row[0]),
        reduce3=conv(1, c_in, row[1]),
        three=conv(9, row[1], row[2]),
        reduce5=conv(1, c_in, row[3]),
        five=conv(25, row[3], row[4]),
        project=conv(1, c_in, row[5]),
    )


# %% Counted from layers on the meta device exercise="module-cost" right=true
def module_cost(c_in, row, height, width):
    """Build the convolutions without numbers and count."""
    cost = {}
    with torch.device("meta"):
        for name, side, incoming, filters in (
            ("one", 1, c_in, row[0]),
            ("reduce3", 1, c_in, row[1]),
            ("three", 3, row[1], row[2]),
            ("reduce5", 1, c_in, row[3]),
            ("five", 5, row[3], row[4]),
            ("project", 1, c_in, row[5]),
        ):
            layer = nn.Conv2d(incoming, filters, side)
            weights = layer.weight.numel()
            cost[name] = (weights, layer.bias.numel(), weights * height * width)
    return cost


# %% The printed total exercise="q-358"
# The six products of the slide do not add up to 358 million.
# q_right_sum: millions of MACs; q_twice: one of the six names; q_factor: a number
q_right_sum = 358
q_twice = "three"
q_factor = 3.15


# %% The factor as printed exercise="q-358"
# 854 divided by 358 is the factor of the slide; divide by the right sum.
# q_right_sum: millions of MACs; q_twice: one of the six names; q_factor: a number
q_right_sum = 271.35
q_twice = "three"
q_factor = 2.39


# %% The largest counted twice exercise="q-358"
# With the 5×5 branch twice the sum would be 392 million.
# q_right_sum: millions of MACs; q_twice: one of the six names; q_factor: a number
q_right_sum = 271.35
q_twice = "five"
q_factor = 3.15


# %% Concatenated along the batch in the module exercise="inception" covers=[110]
# The number of images grows fourfold: you put the branches behind each other along the batch
# instead of along the channels.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=0)


# %% Branches in another order exercise="inception"
# The order of the concatenation is one, three, five, project.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, five, three, F.relu(self.project(pooled))], dim=1)


# %% No ReLU after the 3×3 reduction exercise="inception" covers=[100]
# The reductions are convolutions like the others: a ReLU follows each. Without it the two layers
# are one linear layer.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(self.reduce3(x)))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=1)


# %% No ReLU after the 5×5 reduction exercise="inception" covers=[100]
# A ReLU follows each of the six convolutions, the reduction before the 5×5 included.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.five(self.reduce5(x)))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=1)


# %% No ReLU after the projection exercise="inception" covers=[99]
# The projected branch ends in a ReLU as well.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, self.project(pooled)], dim=1)


# %% No ReLU at the end of the 3×3 branch exercise="inception" covers=[99]
# Each branch ends in a ReLU.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = self.three(F.relu(self.reduce3(x)))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=1)


# %% No ReLU after the 1×1 branch exercise="inception" covers=[99]
# Each branch ends in a ReLU.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = self.one(x)  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=1)


# %% Projected before pooling exercise="inception"
# First the pooling, then the projection: the ReLU and the maximum see other numbers.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = x  # (N, c_in, H, W)
        return torch.cat(
            [one, three, five, F.max_pool2d(F.relu(self.project(pooled)), 3, 1, 1)], dim=1
        )


# %% No pooling before the projection exercise="inception"
# The fourth branch pools the input before it projects.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = x  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=1)


# %% Average pooling in the module exercise="inception"
# The fourth branch takes maxima.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = F.avg_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=1)


# %% Zeros around the pooling exercise="inception" covers=[34]
# You padded with zeros yourself: the maximum at a border of negative numbers becomes 0.
# F.max_pool2d pads with minus infinity.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 3, stride=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=1)


# %% 5×5 with padding 1 exercise="inception"
# A 5×5 kernel keeps the size with padding 2.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=1)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=1)


# %% 3×3 in place of the 5×5 exercise="inception"
# The third branch has a 5×5 kernel.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 3, padding=1)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=1)


# %% 3×3 on the input exercise="inception"
# The 3×3 takes what its reduction makes.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(c_in, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(x))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=1)


# %% Without biases in the module exercise="inception" covers=[8]
# GoogLeNet has no batch normalisation: its convolutions have biases.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1, bias=False)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=1)


# %% One reduction for both branches exercise="inception"
# Each branch has a reduction of its own.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(
            self.five(F.relu(self.reduce3(x))[:, : self.five.in_channels])
        )  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=1)


# %% Modules in a list exercise="inception" covers=[108]
# A plain list hides the convolutions from PyTorch: they have no parameters, no names and do not
# learn.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.hidden = [nn.Conv2d(r5, n5, 5, padding=2)]
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.hidden[0](F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=1)


# %% Table order misread in the module exercise="inception"
# The row is (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, n3, r3, n5, r5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=1)


# %% A branch cut from the graph exercise="inception" covers=[104]
# The gradient does not pass .detach(): the reduction before it does not learn.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x)).detach()))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=1)


# %% Batch normalisation added exercise="inception"
# GoogLeNet of 2014 has no batch normalisation.
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.norm = nn.BatchNorm2d(n1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.norm(self.one(x)))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=1)


# %% With module layers for ReLU and pooling exercise="inception" right=true
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.act, self.pool = nn.ReLU(), nn.MaxPool2d(3, 1, 1)
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = self.act(self.one(x))  # (N, n1, H, W)
        three = self.act(self.three(self.act(self.reduce3(x))))  # (N, n3, H, W)
        five = self.act(self.five(self.act(self.reduce5(x))))  # (N, n5, H, W)
        pooled = self.pool(x)  # (N, c_in, H, W)
        return torch.cat([one, three, five, self.act(self.project(pooled))], dim=1)


# %% One ReLU over the concatenation exercise="inception" right=true
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding=2)
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = self.one(x)  # (N, n1, H, W)
        three = self.three(F.relu(self.reduce3(x)))  # (N, n3, H, W)
        five = self.five(F.relu(self.reduce5(x)))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return F.relu(torch.cat([one, three, five, self.project(pooled)], dim=1))


# %% Padding "same", joined along axis -3 exercise="inception" right=true
class Inception(nn.Module):
    """An Inception module with 1×1 reductions.

    row: (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
    Convolutions: self.one, self.reduce3, self.three, self.reduce5, self.five, self.project.
    """

    def __init__(self, c_in, row):
        super().__init__()
        n1, r3, n3, r5, n5, pool = row
        self.one = nn.Conv2d(c_in, n1, 1)
        self.reduce3 = nn.Conv2d(c_in, r3, 1)
        self.three = nn.Conv2d(r3, n3, 3, padding="same")
        self.reduce5 = nn.Conv2d(c_in, r5, 1)
        self.five = nn.Conv2d(r5, n5, 5, padding="same")
        self.project = nn.Conv2d(c_in, pool, 1)

    def forward(self, x):
        """x (N, c_in, H, W) → (N, row[0] + row[2] + row[4] + row[5], H, W)."""
        one = F.relu(self.one(x))  # (N, n1, H, W)
        three = F.relu(self.three(F.relu(self.reduce3(x))))  # (N, n3, H, W)
        five = F.relu(self.five(F.relu(self.reduce5(x))))  # (N, n5, H, W)
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)  # (N, c_in, H, W)
        return torch.cat([one, three, five, F.relu(self.project(pooled))], dim=-3)


# %% [markdown]
# ## The mean of a map


# %% Square image assumed exercise="q-other-size"
# 256 × 320 leaves maps of 8 × 10.
# q_arrive_vgg, q_arrive_gap: how many numbers
q_arrive_vgg = 32_768
q_arrive_gap = 1024


# %% Always 25,088 exercise="q-other-size"
# The number of pixels of the last maps follows the image; that is why fc6 does not fit.
# q_arrive_vgg, q_arrive_gap: how many numbers
q_arrive_vgg = 25_088
q_arrive_gap = 1024


# %% Pixels counted behind GAP exercise="q-other-size"
# GAP hands on one number for each map, whatever its size.
# q_arrive_vgg, q_arrive_gap: how many numbers
q_arrive_vgg = 40_960
q_arrive_gap = 81_920


# %% Mean over the channels exercise="gap" covers=[115]
# You average over the channels. GAP takes the mean of each map over its rows and columns.
def gap(x):
    """Global average pooling: x (N, C, H, W) → (N, C)."""
    return x.mean(dim=(1, 2))


def gap_backward(dy, shape):
    """The gradient for GAP's input: dy (N, C), shape (N, C, H, W) of the input → a tensor of that shape."""
    height, width = shape[2:]
    return (dy / (height * width))[:, :, None, None].repeat(1, 1, height, width)


# %% Sum instead of mean exercise="gap" covers=[40]
# The mean divides by the number of pixels.
def gap(x):
    """Global average pooling: x (N, C, H, W) → (N, C)."""
    return x.sum(dim=(2, 3))


def gap_backward(dy, shape):
    """The gradient for GAP's input: dy (N, C), shape (N, C, H, W) of the input → a tensor of that shape."""
    height, width = shape[2:]
    return (dy / (height * width))[:, :, None, None].repeat(1, 1, height, width)


# %% Maximum instead of mean exercise="gap"
# Global average pooling takes the mean, not the maximum.
def gap(x):
    """Global average pooling: x (N, C, H, W) → (N, C)."""
    return x.amax(dim=(2, 3))


def gap_backward(dy, shape):
    """The gradient for GAP's input: dy (N, C), shape (N, C, H, W) of the input → a tensor of that shape."""
    height, width = shape[2:]
    return (dy / (height * width))[:, :, None, None].repeat(1, 1, height, width)


# %% Averaged over rows only exercise="gap"
# Both rows and columns are averaged.
def gap(x):
    """Global average pooling: x (N, C, H, W) → (N, C)."""
    return x.mean(dim=2)


def gap_backward(dy, shape):
    """The gradient for GAP's input: dy (N, C), shape (N, C, H, W) of the input → a tensor of that shape."""
    height, width = shape[2:]
    return (dy / (height * width))[:, :, None, None].repeat(1, 1, height, width)


# %% Batch averaged as well exercise="gap" covers=[116]
# Each image keeps its own means.
def gap(x):
    """Global average pooling: x (N, C, H, W) → (N, C)."""
    return x.mean(dim=(0, 2, 3))[None].repeat(len(x), 1)


def gap_backward(dy, shape):
    """The gradient for GAP's input: dy (N, C), shape (N, C, H, W) of the input → a tensor of that shape."""
    height, width = shape[2:]
    return (dy / (height * width))[:, :, None, None].repeat(1, 1, height, width)


# %% Divided by H squared exercise="gap" covers=[16]
# A map has H·W pixels. It goes unnoticed on square maps.
def gap(x):
    """Global average pooling: x (N, C, H, W) → (N, C)."""
    return x.sum(dim=(2, 3)) / x.shape[2] ** 2


def gap_backward(dy, shape):
    """The gradient for GAP's input: dy (N, C), shape (N, C, H, W) of the input → a tensor of that shape."""
    height, width = shape[2:]
    return (dy / (height * width))[:, :, None, None].repeat(1, 1, height, width)


# %% Two axes too many exercise="gap"
# The shape should be (N, C).
def gap(x):
    """Global average pooling: x (N, C, H, W) → (N, C)."""
    return x.mean(dim=(2, 3), keepdim=True)


def gap_backward(dy, shape):
    """The gradient for GAP's input: dy (N, C), shape (N, C, H, W) of the input → a tensor of that shape."""
    height, width = shape[2:]
    return (dy / (height * width))[:, :, None, None].repeat(1, 1, height, width)


# %% Gradient not divided exercise="gap" covers=[40]
# Each pixel contributes 1/(HW) of itself to the mean; so does its gradient.
def gap(x):
    """Global average pooling: x (N, C, H, W) → (N, C)."""
    return x.mean(dim=(2, 3))


def gap_backward(dy, shape):
    """The gradient for GAP's input: dy (N, C), shape (N, C, H, W) of the input → a tensor of that shape."""
    height, width = shape[2:]
    return (dy)[:, :, None, None].repeat(1, 1, height, width)


# %% Gradient of a maximum exercise="gap" covers=[39]
# All pixels get an equal share, not one of them all of it.
def gap(x):
    """Global average pooling: x (N, C, H, W) → (N, C)."""
    return x.mean(dim=(2, 3))


def gap_backward(dy, shape):
    """The gradient for GAP's input: dy (N, C), shape (N, C, H, W) of the input → a tensor of that shape."""
    height, width = shape[2:]
    dx = torch.zeros(shape, dtype=dy.dtype)
    dx[:, :, 0, 0] = dy
    return dx


# %% Gradient divided by the channels too exercise="gap"
# The mean was taken over rows and columns alone.
def gap(x):
    """Global average pooling: x (N, C, H, W) → (N, C)."""
    return x.mean(dim=(2, 3))


def gap_backward(dy, shape):
    """The gradient for GAP's input: dy (N, C), shape (N, C, H, W) of the input → a tensor of that shape."""
    height, width = shape[2:]
    return (dy / (shape[1] * height * width))[:, :, None, None].repeat(1, 1, height, width)


# %% Gradient on a transposed map exercise="gap" covers=[17]
# Height and width are swapped in the gradient.
def gap(x):
    """Global average pooling: x (N, C, H, W) → (N, C)."""
    return x.mean(dim=(2, 3))


def gap_backward(dy, shape):
    """The gradient for GAP's input: dy (N, C), shape (N, C, H, W) of the input → a tensor of that shape."""
    height, width = shape[2:]
    return (dy / (height * width))[:, :, None, None].repeat(1, 1, width, height)


# %% Upstream gradient ignored exercise="gap" covers=[54]
# The gradient at the output decides about the gradient at the input; you used ones.
def gap(x):
    """Global average pooling: x (N, C, H, W) → (N, C)."""
    return x.mean(dim=(2, 3))


def gap_backward(dy, shape):
    """The gradient for GAP's input: dy (N, C), shape (N, C, H, W) of the input → a tensor of that shape."""
    height, width = shape[2:]
    return (torch.ones_like(dy) / (height * width))[:, :, None, None].repeat(1, 1, height, width)


# %% Flattened first, expanded without a copy exercise="gap" right=true
def gap(x):
    """Global average pooling: x (N, C, H, W) → (N, C)."""
    return x.flatten(2).sum(-1) / x[0, 0].numel()


def gap_backward(dy, shape):
    """The gradient for GAP's input: dy (N, C), shape (N, C, H, W) of the input → a tensor of that shape."""
    height, width = shape[2:]
    return (dy / (height * width))[..., None, None].expand(*shape)


# %% As a matrix with a vector of ones exercise="gap" right=true
def gap(x):
    """Global average pooling: x (N, C, H, W) → (N, C)."""
    return (
        x.reshape(*x.shape[:2], -1)
        @ torch.ones(x.shape[2] * x.shape[3], dtype=x.dtype)
        / (x.shape[2] * x.shape[3])
    )


def gap_backward(dy, shape):
    """The gradient for GAP's input: dy (N, C), shape (N, C, H, W) of the input → a tensor of that shape."""
    height, width = shape[2:]
    return (
        torch.einsum("nc,hw->nchw", dy, torch.ones(height, width, dtype=dy.dtype)) / height / width
    )


# %% Conventions swapped exercise="q-heads"
# 1,025,000 is 1024 · 1000 with 1000 biases; 4,096,000 is 4096 · 1000 without.
# q_with_biases: "GoogLeNet" or "VGG-16"; q_vgg_head: weights; q_head_ratio: a number
q_with_biases = "VGG-16"
q_vgg_head = 123_633_664
q_head_ratio = 120.7


# %% Biases counted in the head exercise="q-heads"
# The question asks for weights.
# q_with_biases: "GoogLeNet" or "VGG-16"; q_vgg_head: weights; q_head_ratio: a number
q_with_biases = "GoogLeNet"
q_vgg_head = 123_642_856
q_head_ratio = 120.7


# %% fc6 alone exercise="q-heads"
# Three layers: fc6, fc7 and fc8.
# q_with_biases: "GoogLeNet" or "VGG-16"; q_vgg_head: weights; q_head_ratio: a number
q_with_biases = "GoogLeNet"
q_vgg_head = 123_633_664
q_head_ratio = 100.4


# %% Bias left out of the maps exercise="class-maps" covers=[8]
# With the bias at every pixel the mean of a map is the logit itself.
def class_maps(maps, weight, bias):
    """The linear layer (weight (K, C), bias (K,)) at every pixel of maps (N, C, H, W): (N, K, H, W)."""
    return conv1x1(maps, weight, 0 * bias)


# %% Bias shared out over the pixels exercise="class-maps"
# The mean of a constant is the constant: the bias belongs to every pixel undivided.
def class_maps(maps, weight, bias):
    """The linear layer (weight (K, C), bias (K,)) at every pixel of maps (N, C, H, W): (N, K, H, W)."""
    return conv1x1(maps, weight, bias / (maps.shape[2] * maps.shape[3]))


# %% ReLU on the maps exercise="class-maps"
# Negative evidence counts: cut off, the mean is no longer the logit.
def class_maps(maps, weight, bias):
    """The linear layer (weight (K, C), bias (K,)) at every pixel of maps (N, C, H, W): (N, K, H, W)."""
    return F.relu(conv1x1(maps, weight, bias))


# %% Scaled to the largest exercise="class-maps"
# A class map is not normalised: its mean has to be the logit.
def class_maps(maps, weight, bias):
    """The linear layer (weight (K, C), bias (K,)) at every pixel of maps (N, C, H, W): (N, K, H, W)."""
    found = conv1x1(maps, weight, bias)
    return found / found.abs().amax()


# %% Softmax over the classes exercise="class-maps"
# Logits, not probabilities: no softmax.
def class_maps(maps, weight, bias):
    """The linear layer (weight (K, C), bias (K,)) at every pixel of maps (N, C, H, W): (N, K, H, W)."""
    return conv1x1(maps, weight, bias).softmax(dim=1)


# %% Averaged already exercise="class-maps"
# The maps keep their rows and columns.
def class_maps(maps, weight, bias):
    """The linear layer (weight (K, C), bias (K,)) at every pixel of maps (N, C, H, W): (N, K, H, W)."""
    return F.linear(maps.mean(dim=(2, 3)), weight, bias)


# %% One number for the whole map exercise="class-maps"
# A class map has a value of its own at each pixel. You spread the logit over all of them: the
# mean is right, the map says nothing.
def class_maps(maps, weight, bias):
    """The linear layer (weight (K, C), bias (K,)) at every pixel of maps (N, C, H, W): (N, K, H, W)."""
    return F.linear(maps.mean(dim=(2, 3)), weight, bias)[..., None, None].expand(
        -1, -1, *maps.shape[2:]
    )


# %% With F.conv2d exercise="class-maps" right=true
def class_maps(maps, weight, bias):
    """The linear layer (weight (K, C), bias (K,)) at every pixel of maps (N, C, H, W): (N, K, H, W)."""
    return F.conv2d(maps, weight[..., None, None], bias)


# %% With tensordot exercise="class-maps" right=true
def class_maps(maps, weight, bias):
    """The linear layer (weight (K, C), bias (K,)) at every pixel of maps (N, C, H, W): (N, K, H, W)."""
    return torch.tensordot(weight, maps, dims=([1], [1])).transpose(0, 1) + bias.reshape(-1, 1, 1)


# %% VGG among them exercise="q-gap-nets"
# VGG flattens its last maps into 25,088 numbers.
# q_gap_nets: a set of names
q_gap_nets = {"VGG-16", "GoogLeNet", "ResNet-50", "MobileNet", "SENet"}


# %% SENet forgotten exercise="q-gap-nets"
# SENets are built on networks like ResNet and end as they do.
# q_gap_nets: a set of names
q_gap_nets = {"GoogLeNet", "ResNet-50", "MobileNet"}


# %% [markdown]
# ## GoogLeNet


# %% Pooling without padding exercise="make-stem"
# Without padding 112 becomes 55 and 56 becomes 27; with padding 1 each pooling halves.
def make_stem(widths=(64, 64, 192), c_in=3):
    """GoogLeNet's stem, an nn.Sequential with named layers: (N, c_in, 224, 224) → (N, 192, 28, 28)."""
    a, b, c = widths
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(c_in, a, 7, stride=2, padding=3),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2),
            lrn1=nn.LocalResponseNorm(5),
            reduce2=nn.Conv2d(a, b, 1),
            relu_reduce2=nn.ReLU(),
            conv2=nn.Conv2d(b, c, 3, padding=1),
            relu2=nn.ReLU(),
            lrn2=nn.LocalResponseNorm(5),
            pool2=nn.MaxPool2d(3, 2),
        )
    )


# %% Pooling over two pixels exercise="make-stem"
# The windows are 3×3 with stride 2: they overlap.
def make_stem(widths=(64, 64, 192), c_in=3):
    """GoogLeNet's stem, an nn.Sequential with named layers: (N, c_in, 224, 224) → (N, 192, 28, 28)."""
    a, b, c = widths
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(c_in, a, 7, stride=2, padding=3),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2, 2),
            lrn1=nn.LocalResponseNorm(5),
            reduce2=nn.Conv2d(a, b, 1),
            relu_reduce2=nn.ReLU(),
            conv2=nn.Conv2d(b, c, 3, padding=1),
            relu2=nn.ReLU(),
            lrn2=nn.LocalResponseNorm(5),
            pool2=nn.MaxPool2d(2, 2),
        )
    )


# %% First convolution without stride exercise="make-stem" covers=[18]
# conv1 has stride 2.
def make_stem(widths=(64, 64, 192), c_in=3):
    """GoogLeNet's stem, an nn.Sequential with named layers: (N, c_in, 224, 224) → (N, 192, 28, 28)."""
    a, b, c = widths
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(c_in, a, 7, padding=3),
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


# %% First convolution with padding 2 exercise="make-stem"
# A 7×7 kernel needs padding 3 to halve 224 to 112.
def make_stem(widths=(64, 64, 192), c_in=3):
    """GoogLeNet's stem, an nn.Sequential with named layers: (N, c_in, 224, 224) → (N, 192, 28, 28)."""
    a, b, c = widths
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(c_in, a, 7, stride=2, padding=2),
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


# %% The reduction skipped exercise="make-stem"
# conv2 sees what the 1×1 layer makes; its channels are the second width.
def make_stem(widths=(64, 64, 192), c_in=3):
    """GoogLeNet's stem, an nn.Sequential with named layers: (N, c_in, 224, 224) → (N, 192, 28, 28)."""
    a, b, c = widths
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(c_in, a, 7, stride=2, padding=3),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2, padding=1),
            lrn1=nn.LocalResponseNorm(5),
            reduce2=nn.Conv2d(a, b, 1),
            relu_reduce2=nn.ReLU(),
            conv2=nn.Conv2d(a, c, 3, padding=1),
            relu2=nn.ReLU(),
            lrn2=nn.LocalResponseNorm(5),
            pool2=nn.MaxPool2d(3, 2, padding=1),
        )
    )


# %% Normalisation before the first pooling exercise="make-stem"
# In the first half the pooling comes first, then the normalisation.
def make_stem(widths=(64, 64, 192), c_in=3):
    """GoogLeNet's stem, an nn.Sequential with named layers: (N, c_in, 224, 224) → (N, 192, 28, 28)."""
    a, b, c = widths
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(c_in, a, 7, stride=2, padding=3),
            relu1=nn.ReLU(),
            lrn1=nn.LocalResponseNorm(5),
            pool1=nn.MaxPool2d(3, 2, padding=1),
            reduce2=nn.Conv2d(a, b, 1),
            relu_reduce2=nn.ReLU(),
            conv2=nn.Conv2d(b, c, 3, padding=1),
            relu2=nn.ReLU(),
            lrn2=nn.LocalResponseNorm(5),
            pool2=nn.MaxPool2d(3, 2, padding=1),
        )
    )


# %% Window of LRN of two exercise="make-stem"
# The window of the normalisation is 5 channels.
def make_stem(widths=(64, 64, 192), c_in=3):
    """GoogLeNet's stem, an nn.Sequential with named layers: (N, c_in, 224, 224) → (N, 192, 28, 28)."""
    a, b, c = widths
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(c_in, a, 7, stride=2, padding=3),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2, padding=1),
            lrn1=nn.LocalResponseNorm(2),
            reduce2=nn.Conv2d(a, b, 1),
            relu_reduce2=nn.ReLU(),
            conv2=nn.Conv2d(b, c, 3, padding=1),
            relu2=nn.ReLU(),
            lrn2=nn.LocalResponseNorm(2),
            pool2=nn.MaxPool2d(3, 2, padding=1),
        )
    )


# %% LRN with other constants exercise="make-stem"
# Only the window of 5 is given; the rest stays as PyTorch has it.
def make_stem(widths=(64, 64, 192), c_in=3):
    """GoogLeNet's stem, an nn.Sequential with named layers: (N, c_in, 224, 224) → (N, 192, 28, 28)."""
    a, b, c = widths
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(c_in, a, 7, stride=2, padding=3),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2, padding=1),
            lrn1=nn.LocalResponseNorm(5, alpha=5e-4, k=2.0),
            reduce2=nn.Conv2d(a, b, 1),
            relu_reduce2=nn.ReLU(),
            conv2=nn.Conv2d(b, c, 3, padding=1),
            relu2=nn.ReLU(),
            lrn2=nn.LocalResponseNorm(5, alpha=5e-4, k=2.0),
            pool2=nn.MaxPool2d(3, 2, padding=1),
        )
    )


# %% Batch normalisation in the stem exercise="make-stem"
# In 2014 there was no batch normalisation; the stem has LRN.
def make_stem(widths=(64, 64, 192), c_in=3):
    """GoogLeNet's stem, an nn.Sequential with named layers: (N, c_in, 224, 224) → (N, 192, 28, 28)."""
    a, b, c = widths
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(c_in, a, 7, stride=2, padding=3),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2, padding=1),
            lrn1=nn.BatchNorm2d(a),
            reduce2=nn.Conv2d(a, b, 1),
            relu_reduce2=nn.ReLU(),
            conv2=nn.Conv2d(b, c, 3, padding=1),
            relu2=nn.ReLU(),
            lrn2=nn.BatchNorm2d(c),
            pool2=nn.MaxPool2d(3, 2, padding=1),
        )
    )


# %% No biases in the stem exercise="make-stem" covers=[8]
# All convolutions of the stem have biases.
def make_stem(widths=(64, 64, 192), c_in=3):
    """GoogLeNet's stem, an nn.Sequential with named layers: (N, c_in, 224, 224) → (N, 192, 28, 28)."""
    a, b, c = widths
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(c_in, a, 7, stride=2, padding=3),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2, padding=1),
            lrn1=nn.LocalResponseNorm(5),
            reduce2=nn.Conv2d(a, b, 1, bias=False),
            relu_reduce2=nn.ReLU(),
            conv2=nn.Conv2d(b, c, 3, padding=1),
            relu2=nn.ReLU(),
            lrn2=nn.LocalResponseNorm(5),
            pool2=nn.MaxPool2d(3, 2, padding=1),
        )
    )


# %% Input channels fixed exercise="make-stem" covers=[25]
# c_in is an argument.
def make_stem(widths=(64, 64, 192), c_in=3):
    """GoogLeNet's stem, an nn.Sequential with named layers: (N, c_in, 224, 224) → (N, 192, 28, 28)."""
    a, b, c = widths
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, a, 7, stride=2, padding=3),
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


# %% No ReLU after the reduction of the stem exercise="make-stem" covers=[100]
# Each convolution has its ReLU, the 1×1 included.
def make_stem(widths=(64, 64, 192), c_in=3):
    """GoogLeNet's stem, an nn.Sequential with named layers: (N, c_in, 224, 224) → (N, 192, 28, 28)."""
    a, b, c = widths
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(c_in, a, 7, stride=2, padding=3),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2, padding=1),
            lrn1=nn.LocalResponseNorm(5),
            reduce2=nn.Conv2d(a, b, 1),
            relu_reduce2=nn.Identity(),
            conv2=nn.Conv2d(b, c, 3, padding=1),
            relu2=nn.ReLU(),
            lrn2=nn.LocalResponseNorm(5),
            pool2=nn.MaxPool2d(3, 2, padding=1),
        )
    )


# %% ReLUs under names of their own exercise="make-stem"
# The names are part of the task: relu1, relu_reduce2, relu2.
def make_stem(widths=(64, 64, 192), c_in=3):
    """GoogLeNet's stem, an nn.Sequential with named layers: (N, c_in, 224, 224) → (N, 192, 28, 28)."""
    a, b, c = widths
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(c_in, a, 7, stride=2, padding=3),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2, padding=1),
            lrn1=nn.LocalResponseNorm(5),
            reduce2=nn.Conv2d(a, b, 1),
            act_reduce2=nn.ReLU(),
            conv2=nn.Conv2d(b, c, 3, padding=1),
            relu2=nn.ReLU(),
            lrn2=nn.LocalResponseNorm(5),
            pool2=nn.MaxPool2d(3, 2, padding=1),
        )
    )


# %% Layer by layer with add_module exercise="make-stem" right=true
def make_stem(widths=(64, 64, 192), c_in=3):
    """GoogLeNet's stem, added layer by layer."""
    stem = nn.Sequential()
    stem.add_module(
        "conv1", nn.Conv2d(c_in, widths[0], kernel_size=(7, 7), stride=(2, 2), padding=(3, 3))
    )
    stem.add_module("relu1", nn.ReLU(inplace=True))
    stem.add_module("pool1", nn.MaxPool2d(kernel_size=3, stride=2, padding=1))
    stem.add_module("lrn1", nn.LocalResponseNorm(size=5, alpha=1e-4, beta=0.75, k=1.0))
    stem.add_module("reduce2", nn.Conv2d(widths[0], widths[1], 1))
    stem.add_module("relu_reduce2", nn.ReLU(inplace=True))
    stem.add_module("conv2", nn.Conv2d(widths[1], widths[2], 3, padding="same"))
    stem.add_module("relu2", nn.ReLU())
    stem.add_module("lrn2", nn.LocalResponseNorm(5))
    stem.add_module("pool2", nn.MaxPool2d(3, 2, 1))
    return stem


# %% The sum as printed exercise="q-stem"
# The column adds up to another number than the one below it.
# q_wrong_total: one of the three texts; q_right_total: in the unit of the table; q_comparisons: a number
q_wrong_total = "flop"
q_right_total = 418
q_comparisons = 9


# %% Memory blamed exercise="q-stem"
# 7,644 KB are 7.5 MB: that total is right.
# q_wrong_total: one of the three texts; q_right_total: in the unit of the table; q_comparisons: a number
q_wrong_total = "memory"
q_right_total = 481
q_comparisons = 9


# %% Eight comparisons exercise="q-stem"
# The engine counts the window, nine numbers for each output. (Eight comparisons would find the
# maximum.)
# q_wrong_total: one of the three texts; q_right_total: in the unit of the table; q_comparisons: a number
q_wrong_total = "flop"
q_right_total = 481
q_comparisons = 8


# %% Turned round exercise="compare"
# The ratio is how many times as much the others have: others over rows.
def compare(rows, others, kinds):
    """How many times the memory, parameters and MACs of rows the table others has, in the given kinds."""
    return {
        column: total(rows, column, kinds) / total(others, column, kinds)
        for column in ("kb", "params", "macs")
    }


# %% All kinds counted exercise="compare"
# Only rows of the given kinds count.
def compare(rows, others, kinds):
    """How many times the memory, parameters and MACs of rows the table others has, in the given kinds."""
    return {
        column: total(others, column) / total(rows, column) for column in ("kb", "params", "macs")
    }


# %% Kinds limited on one side only exercise="compare"
# Counted alike means: the same kinds in both tables.
def compare(rows, others, kinds):
    """How many times the memory, parameters and MACs of rows the table others has, in the given kinds."""
    return {
        column: total(others, column) / total(rows, column, kinds)
        for column in ("kb", "params", "macs")
    }


# %% Means compared exercise="compare"
# The ratio is one of sums; you compared means of rows.
def compare(rows, others, kinds):
    """How many times the memory, parameters and MACs of rows the table others has, in the given kinds."""
    return {
        column: (total(others, column, kinds) / len(others))
        / (total(rows, column, kinds) / len(rows))
        for column in ("kb", "params", "macs")
    }


# %% With loops exercise="compare" right=true
def compare(rows, others, kinds):
    """Sums by hand."""
    ratios = {}
    for column in ["macs", "kb", "params"]:
        mine = theirs = 0.0
        for row in rows:
            mine += row[column] if row["kind"] in kinds else 0
        for row in others:
            theirs += row[column] if row["kind"] in kinds else 0
        ratios[column] = theirs / mine
    return ratios


# %% The printed memory exercise="q-front"
# 5.7 compares VGG without a convolution and without poolings with a stem with poolings.
# q_front_memory, q_front_params, q_front_macs: ratios
q_front_memory = 5.7
q_front_params = 13.94
q_front_macs = 19.54


# %% Convolutions only exercise="q-front"
# The question counts poolings on both sides.
# q_front_memory, q_front_params, q_front_macs: ratios
q_front_memory = 7.5
q_front_params = 13.94
q_front_macs = 19.54


# %% The printed work exercise="q-front"
# 17.8 comes from a VGG without conv3_3 and a wrong sum of the stem.
# q_front_memory, q_front_params, q_front_macs: ratios
q_front_memory = 6.87
q_front_params = 13.94
q_front_macs = 17.8


# %% The printed parameters exercise="q-front"
# 8.9 belongs to a VGG without conv3_3.
# q_front_memory, q_front_params, q_front_macs: ratios
q_front_memory = 6.87
q_front_params = 8.9
q_front_macs = 19.54


# %% No pooling between stages exercise="googlenet-body"
# Between two stages the maps are halved by a pooling.
def googlenet_body(stem, c_in, table):
    """Stem, Inception modules and the poolings between stages, an nn.Sequential with named layers.

    stem: a module that hands on c_in channels. table: key ("3a") → row of Inception, in order.
    """
    layers, stage = OrderedDict(stem=stem), None
    for key, row in table.items():
        if False:
            layers[f"pool{stage}"] = nn.MaxPool2d(3, 2, padding=1)
        layers[f"inception{key}"] = Inception(c_in, row)
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    return nn.Sequential(layers)


# %% Pooling after every module exercise="googlenet-body"
# A pooling stands only where the stage changes.
def googlenet_body(stem, c_in, table):
    """Stem, Inception modules and the poolings between stages, an nn.Sequential with named layers.

    stem: a module that hands on c_in channels. table: key ("3a") → row of Inception, in order.
    """
    layers, stage = OrderedDict(stem=stem), None
    for key, row in table.items():
        if stage is not None:
            layers[f"pool{stage}"] = nn.MaxPool2d(3, 2, padding=1)
        layers[f"inception{key}"] = Inception(c_in, row)
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    return nn.Sequential(layers)


# %% Pooling before the first module exercise="googlenet-body"
# Before the first stage there is no pooling: the stem has its own.
def googlenet_body(stem, c_in, table):
    """Stem, Inception modules and the poolings between stages, an nn.Sequential with named layers.

    stem: a module that hands on c_in channels. table: key ("3a") → row of Inception, in order.
    """
    layers, stage = OrderedDict(stem=stem), None
    for key, row in table.items():
        if key[0] != stage:
            layers[f"pool{stage}"] = nn.MaxPool2d(3, 2, padding=1)
        layers[f"inception{key}"] = Inception(c_in, row)
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    return nn.Sequential(layers)


# %% Pooling named after the next stage exercise="googlenet-body"
# The pooling has the number of the stage that ends.
def googlenet_body(stem, c_in, table):
    """Stem, Inception modules and the poolings between stages, an nn.Sequential with named layers.

    stem: a module that hands on c_in channels. table: key ("3a") → row of Inception, in order.
    """
    layers, stage = OrderedDict(stem=stem), None
    for key, row in table.items():
        if stage is not None and key[0] != stage:
            layers[f"pool{key[0]}"] = nn.MaxPool2d(3, 2, padding=1)
        layers[f"inception{key}"] = Inception(c_in, row)
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    return nn.Sequential(layers)


# %% Pooling without padding in the body exercise="googlenet-body"
# Without padding 28 becomes 13. With padding 1 it becomes 14.
def googlenet_body(stem, c_in, table):
    """Stem, Inception modules and the poolings between stages, an nn.Sequential with named layers.

    stem: a module that hands on c_in channels. table: key ("3a") → row of Inception, in order.
    """
    layers, stage = OrderedDict(stem=stem), None
    for key, row in table.items():
        if stage is not None and key[0] != stage:
            layers[f"pool{stage}"] = nn.MaxPool2d(3, 2)
        layers[f"inception{key}"] = Inception(c_in, row)
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    return nn.Sequential(layers)


# %% Reductions counted as channels exercise="googlenet-body"
# A module hands on what leaves its branches: the reductions are inside.
def googlenet_body(stem, c_in, table):
    """Stem, Inception modules and the poolings between stages, an nn.Sequential with named layers.

    stem: a module that hands on c_in channels. table: key ("3a") → row of Inception, in order.
    """
    layers, stage = OrderedDict(stem=stem), None
    for key, row in table.items():
        if stage is not None and key[0] != stage:
            layers[f"pool{stage}"] = nn.MaxPool2d(3, 2, padding=1)
        layers[f"inception{key}"] = Inception(c_in, row)
        c_in = sum(row)
        stage = key[0]
    return nn.Sequential(layers)


# %% Projection forgotten in the channels exercise="googlenet-body"
# The projected branch is part of the concatenation.
def googlenet_body(stem, c_in, table):
    """Stem, Inception modules and the poolings between stages, an nn.Sequential with named layers.

    stem: a module that hands on c_in channels. table: key ("3a") → row of Inception, in order.
    """
    layers, stage = OrderedDict(stem=stem), None
    for key, row in table.items():
        if stage is not None and key[0] != stage:
            layers[f"pool{stage}"] = nn.MaxPool2d(3, 2, padding=1)
        layers[f"inception{key}"] = Inception(c_in, row)
        c_in = row[0] + row[2] + row[4]
        stage = key[0]
    return nn.Sequential(layers)


# %% Average pooling between stages exercise="googlenet-body"
# The poolings between stages take maxima.
def googlenet_body(stem, c_in, table):
    """Stem, Inception modules and the poolings between stages, an nn.Sequential with named layers.

    stem: a module that hands on c_in channels. table: key ("3a") → row of Inception, in order.
    """
    layers, stage = OrderedDict(stem=stem), None
    for key, row in table.items():
        if stage is not None and key[0] != stage:
            layers[f"pool{stage}"] = nn.AvgPool2d(3, 2, padding=1)
        layers[f"inception{key}"] = Inception(c_in, row)
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    return nn.Sequential(layers)


# %% A stem of its own exercise="googlenet-body"
# The body takes the stem that it is given.
def googlenet_body(stem, c_in, table):
    """Stem, Inception modules and the poolings between stages, an nn.Sequential with named layers.

    stem: a module that hands on c_in channels. table: key ("3a") → row of Inception, in order.
    """
    layers, stage = OrderedDict(stem=copy.deepcopy(stem)), None
    for key, row in table.items():
        if stage is not None and key[0] != stage:
            layers[f"pool{stage}"] = nn.MaxPool2d(3, 2, padding=1)
        layers[f"inception{key}"] = Inception(c_in, row)
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    return nn.Sequential(layers)


# %% Stem left out exercise="googlenet-body"
# The first layer of the body is the stem.
def googlenet_body(stem, c_in, table):
    """Stem, Inception modules and the poolings between stages, an nn.Sequential with named layers.

    stem: a module that hands on c_in channels. table: key ("3a") → row of Inception, in order.
    """
    layers, stage = OrderedDict(), None
    for key, row in table.items():
        if stage is not None and key[0] != stage:
            layers[f"pool{stage}"] = nn.MaxPool2d(3, 2, padding=1)
        layers[f"inception{key}"] = Inception(c_in, row)
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    return nn.Sequential(layers)


# %% Pooling after the last module exercise="googlenet-body"
# After the last stage there is none: global pooling follows.
def googlenet_body(stem, c_in, table):
    """Stem, Inception modules and the poolings between stages, an nn.Sequential with named layers.

    stem: a module that hands on c_in channels. table: key ("3a") → row of Inception, in order.
    """
    layers, stage = OrderedDict(stem=stem), None
    for key, row in table.items():
        if stage is not None and key[0] != stage:
            layers[f"pool{stage}"] = nn.MaxPool2d(3, 2, padding=1)
        layers[f"inception{key}"] = Inception(c_in, row)
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    layers[f"pool{stage}"] = nn.MaxPool2d(3, 2, padding=1)
    return nn.Sequential(layers)


# %% Grouped by stage exercise="googlenet-body" right=true
def googlenet_body(stem, c_in, table):
    """Stage after stage."""
    body = nn.Sequential()
    body.add_module("stem", stem)
    stages = list(dict.fromkeys(key[0] for key in table))
    for stage in stages:
        for key in [key for key in table if key[0] == stage]:
            body.add_module("inception" + key, Inception(c_in, table[key]))
            c_in = sum(table[key][i] for i in (0, 2, 4, 5))
        if stage != stages[-1]:
            body.add_module("pool" + stage, nn.MaxPool2d(3, stride=2, padding=1))
    return body


# %% Softmax at the end exercise="googlenet" covers=[57]
# The network returns logits: the loss takes the softmax itself.
def googlenet(stem, c_in, table, classes=1000):
    """GoogLeNet without auxiliary classifiers: images → logits (N, classes).

    An nn.Sequential: body, pool, flatten, drop, fc.
    """
    n1, _, n3, _, n5, pool = list(table.values())[-1]
    return nn.Sequential(
        OrderedDict(
            body=googlenet_body(stem, c_in, table),
            pool=nn.AdaptiveAvgPool2d((1, 1)),
            flatten=nn.Flatten(),
            drop=nn.Dropout(0.4),
            fc=nn.Linear(n1 + n3 + n5 + pool, classes),
            softmax=nn.Softmax(dim=1),
        )
    )


# %% Dropout keeps 40% exercise="googlenet" covers=[91]
# nn.Dropout(p) takes the fraction that is dropped: 40%.
def googlenet(stem, c_in, table, classes=1000):
    """GoogLeNet without auxiliary classifiers: images → logits (N, classes).

    An nn.Sequential: body, pool, flatten, drop, fc.
    """
    n1, _, n3, _, n5, pool = list(table.values())[-1]
    return nn.Sequential(
        OrderedDict(
            body=googlenet_body(stem, c_in, table),
            pool=nn.AdaptiveAvgPool2d((1, 1)),
            flatten=nn.Flatten(),
            drop=nn.Dropout(0.6),
            fc=nn.Linear(n1 + n3 + n5 + pool, classes),
        )
    )


# %% Maximum over the maps exercise="googlenet"
# Global average pooling takes means.
def googlenet(stem, c_in, table, classes=1000):
    """GoogLeNet without auxiliary classifiers: images → logits (N, classes).

    An nn.Sequential: body, pool, flatten, drop, fc.
    """
    n1, _, n3, _, n5, pool = list(table.values())[-1]
    return nn.Sequential(
        OrderedDict(
            body=googlenet_body(stem, c_in, table),
            pool=nn.AdaptiveMaxPool2d((1, 1)),
            flatten=nn.Flatten(),
            drop=nn.Dropout(0.4),
            fc=nn.Linear(n1 + n3 + n5 + pool, classes),
        )
    )


# %% Fixed window of 7 exercise="googlenet"
# A window of 7×7 is the mean of the map for images of 224 pixels alone.
def googlenet(stem, c_in, table, classes=1000):
    """GoogLeNet without auxiliary classifiers: images → logits (N, classes).

    An nn.Sequential: body, pool, flatten, drop, fc.
    """
    n1, _, n3, _, n5, pool = list(table.values())[-1]
    return nn.Sequential(
        OrderedDict(
            body=googlenet_body(stem, c_in, table),
            pool=nn.AvgPool2d(7),
            flatten=nn.Flatten(),
            drop=nn.Dropout(0.4),
            fc=nn.Linear(n1 + n3 + n5 + pool, classes),
        )
    )


# %% No dropout exercise="googlenet"
# Between the pooling and the linear layer 40% are dropped in training.
def googlenet(stem, c_in, table, classes=1000):
    """GoogLeNet without auxiliary classifiers: images → logits (N, classes).

    An nn.Sequential: body, pool, flatten, drop, fc.
    """
    n1, _, n3, _, n5, pool = list(table.values())[-1]
    return nn.Sequential(
        OrderedDict(
            body=googlenet_body(stem, c_in, table),
            pool=nn.AdaptiveAvgPool2d((1, 1)),
            flatten=nn.Flatten(),
            fc=nn.Linear(n1 + n3 + n5 + pool, classes),
        )
    )


# %% Linear layer without bias exercise="googlenet" covers=[26]
# 1,025,000 parameters: the linear layer has biases.
def googlenet(stem, c_in, table, classes=1000):
    """GoogLeNet without auxiliary classifiers: images → logits (N, classes).

    An nn.Sequential: body, pool, flatten, drop, fc.
    """
    n1, _, n3, _, n5, pool = list(table.values())[-1]
    return nn.Sequential(
        OrderedDict(
            body=googlenet_body(stem, c_in, table),
            pool=nn.AdaptiveAvgPool2d((1, 1)),
            flatten=nn.Flatten(),
            drop=nn.Dropout(0.4),
            fc=nn.Linear(n1 + n3 + n5 + pool, classes, bias=False),
        )
    )


# %% 1,000 classes built in exercise="googlenet" covers=[25]
# The number of classes is an argument.
def googlenet(stem, c_in, table, classes=1000):
    """GoogLeNet without auxiliary classifiers: images → logits (N, classes).

    An nn.Sequential: body, pool, flatten, drop, fc.
    """
    n1, _, n3, _, n5, pool = list(table.values())[-1]
    return nn.Sequential(
        OrderedDict(
            body=googlenet_body(stem, c_in, table),
            pool=nn.AdaptiveAvgPool2d((1, 1)),
            flatten=nn.Flatten(),
            drop=nn.Dropout(0.4),
            fc=nn.Linear(n1 + n3 + n5 + pool, 1000),
        )
    )


# %% A hidden layer exercise="googlenet"
# GoogLeNet has one linear layer; the hidden FC layers of VGG are what it does without.
def googlenet(stem, c_in, table, classes=1000):
    """GoogLeNet without auxiliary classifiers: images → logits (N, classes).

    An nn.Sequential: body, pool, flatten, drop, fc.
    """
    n1, _, n3, _, n5, pool = list(table.values())[-1]
    return nn.Sequential(
        OrderedDict(
            body=googlenet_body(stem, c_in, table),
            pool=nn.AdaptiveAvgPool2d((1, 1)),
            flatten=nn.Flatten(),
            drop=nn.Dropout(0.4),
            fc=nn.Sequential(nn.Linear(n1 + n3 + n5 + pool, 64), nn.ReLU(), nn.Linear(64, classes)),
        )
    )


# %% Channels counted with a dry run exercise="googlenet" right=true
def googlenet(stem, c_in, table, classes=1000):
    """The depth of the last module by arithmetic over the table."""
    net = nn.Sequential()
    net.body = googlenet_body(stem, c_in, table)
    last = [*table][-1]
    depth = sum(number for place, number in enumerate(table[last]) if place not in (1, 3))
    net.pool = nn.AdaptiveAvgPool2d(1)
    net.flatten = nn.Flatten(1)
    net.drop = nn.Dropout(p=0.4)
    net.fc = nn.Linear(depth, classes)
    return net


# %% The factor of the slide exercise="q-slides"
# 60.97 divided by 7.00 is not 12.
# q_layers: (stem, one module, after the last module); q_times: a number; q_597: one of the three texts
q_layers = (3, 2, 1)
q_times = 12.2
q_597 = "without the linear layer"


# %% The stem left out exercise="q-slides"
# Without the stem 6.87 million are left.
# q_layers: (stem, one module, after the last module); q_times: a number; q_597: one of the three texts
q_layers = (3, 2, 1)
q_times = 8.71
q_597 = "without the stem"


# %% Two layers in the stem exercise="q-slides"
# The stem has a 7×7, a 1×1 and a 3×3 convolution; a branch of a module has at most two; one
# linear layer follows.
# q_layers: (stem, one module, after the last module); q_times: a number; q_597: one of the three texts
q_layers = (2, 2, 2)
q_times = 8.71
q_597 = "without the linear layer"


# %% K of a thousand exercise="exact-table"
# The K of this table is 1024: 163,328 weights are printed as 159K.
def exact_table(table, c_in, size):
    """Weights in K = 1024 and millions of MACs of each module: key → {"params": K, "ops": M}."""
    exact, stage = {}, None
    for key, row in table.items():
        if stage is not None and key[0] != stage:
            size = (size + 1) // 2
        cost = module_cost(c_in, row, size, size).values()
        weights, macs = sum(w for w, _, _ in cost), sum(m for _, _, m in cost)
        exact[key] = {"params": weights / 1000, "ops": macs / 1e6}
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    return exact


def disagree(printed, exact, slack):
    """The cells (key, column) of printed that differ from exact by more than slack, in order."""
    return [
        (key, column)
        for key, cells in printed.items()
        for column, number in cells.items()
        if abs(number - exact[key][column]) > slack
    ]


# %% M of 1024 squared exercise="exact-table"
# The million of the ops is a million.
def exact_table(table, c_in, size):
    """Weights in K = 1024 and millions of MACs of each module: key → {"params": K, "ops": M}."""
    exact, stage = {}, None
    for key, row in table.items():
        if stage is not None and key[0] != stage:
            size = (size + 1) // 2
        cost = module_cost(c_in, row, size, size).values()
        weights, macs = sum(w for w, _, _ in cost), sum(m for _, _, m in cost)
        exact[key] = {"params": weights / 1024, "ops": macs / 1024**2}
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    return exact


def disagree(printed, exact, slack):
    """The cells (key, column) of printed that differ from exact by more than slack, in order."""
    return [
        (key, column)
        for key, cells in printed.items()
        for column, number in cells.items()
        if abs(number - exact[key][column]) > slack
    ]


# %% Biases in the weights exercise="exact-table"
# The table leaves biases out.
def exact_table(table, c_in, size):
    """Weights in K = 1024 and millions of MACs of each module: key → {"params": K, "ops": M}."""
    exact, stage = {}, None
    for key, row in table.items():
        if stage is not None and key[0] != stage:
            size = (size + 1) // 2
        cost = module_cost(c_in, row, size, size).values()
        weights, macs = sum(w + b for w, b, _ in cost), sum(m for _, _, m in cost)
        exact[key] = {"params": weights / 1024, "ops": macs / 1e6}
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    return exact


def disagree(printed, exact, slack):
    """The cells (key, column) of printed that differ from exact by more than slack, in order."""
    return [
        (key, column)
        for key, cells in printed.items()
        for column, number in cells.items()
        if abs(number - exact[key][column]) > slack
    ]


# %% The maps never get smaller exercise="exact-table"
# Between stages the maps are halved.
def exact_table(table, c_in, size):
    """Weights in K = 1024 and millions of MACs of each module: key → {"params": K, "ops": M}."""
    exact, stage = {}, None
    for key, row in table.items():
        if stage is not None and key[0] != stage:
            size = size
        cost = module_cost(c_in, row, size, size).values()
        weights, macs = sum(w for w, _, _ in cost), sum(m for _, _, m in cost)
        exact[key] = {"params": weights / 1024, "ops": macs / 1e6}
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    return exact


def disagree(printed, exact, slack):
    """The cells (key, column) of printed that differ from exact by more than slack, in order."""
    return [
        (key, column)
        for key, cells in printed.items()
        for column, number in cells.items()
        if abs(number - exact[key][column]) > slack
    ]


# %% The maps halved at each module exercise="exact-table"
# The pooling stands between stages alone.
def exact_table(table, c_in, size):
    """Weights in K = 1024 and millions of MACs of each module: key → {"params": K, "ops": M}."""
    exact, stage = {}, None
    for key, row in table.items():
        if stage is not None:
            size = (size + 1) // 2
        cost = module_cost(c_in, row, size, size).values()
        weights, macs = sum(w for w, _, _ in cost), sum(m for _, _, m in cost)
        exact[key] = {"params": weights / 1024, "ops": macs / 1e6}
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    return exact


def disagree(printed, exact, slack):
    """The cells (key, column) of printed that differ from exact by more than slack, in order."""
    return [
        (key, column)
        for key, cells in printed.items()
        for column, number in cells.items()
        if abs(number - exact[key][column]) > slack
    ]


# %% Odd sizes rounded down exercise="exact-table" covers=[14]
# 3×3 with stride 2 and padding 1 makes 9 rows into 5: rounded up.
def exact_table(table, c_in, size):
    """Weights in K = 1024 and millions of MACs of each module: key → {"params": K, "ops": M}."""
    exact, stage = {}, None
    for key, row in table.items():
        if stage is not None and key[0] != stage:
            size = size // 2
        cost = module_cost(c_in, row, size, size).values()
        weights, macs = sum(w for w, _, _ in cost), sum(m for _, _, m in cost)
        exact[key] = {"params": weights / 1024, "ops": macs / 1e6}
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    return exact


def disagree(printed, exact, slack):
    """The cells (key, column) of printed that differ from exact by more than slack, in order."""
    return [
        (key, column)
        for key, cells in printed.items()
        for column, number in cells.items()
        if abs(number - exact[key][column]) > slack
    ]


# %% Channels of the first module for all exercise="exact-table"
# Each module takes the channels of the one before it.
def exact_table(table, c_in, size):
    """Weights in K = 1024 and millions of MACs of each module: key → {"params": K, "ops": M}."""
    exact, stage = {}, None
    for key, row in table.items():
        if stage is not None and key[0] != stage:
            size = (size + 1) // 2
        cost = module_cost(c_in, row, size, size).values()
        weights, macs = sum(w for w, _, _ in cost), sum(m for _, _, m in cost)
        exact[key] = {"params": weights / 1024, "ops": macs / 1e6}
        stage = key[0]
    return exact


def disagree(printed, exact, slack):
    """The cells (key, column) of printed that differ from exact by more than slack, in order."""
    return [
        (key, column)
        for key, cells in printed.items()
        for column, number in cells.items()
        if abs(number - exact[key][column]) > slack
    ]


# %% Reductions handed on exercise="exact-table"
# A module hands on what leaves its branches: the reductions are inside.
def exact_table(table, c_in, size):
    """Weights in K = 1024 and millions of MACs of each module: key → {"params": K, "ops": M}."""
    exact, stage = {}, None
    for key, row in table.items():
        if stage is not None and key[0] != stage:
            size = (size + 1) // 2
        cost = module_cost(c_in, row, size, size).values()
        weights, macs = sum(w for w, _, _ in cost), sum(m for _, _, m in cost)
        exact[key] = {"params": weights / 1024, "ops": macs / 1e6}
        c_in = sum(row)
        stage = key[0]
    return exact


def disagree(printed, exact, slack):
    """The cells (key, column) of printed that differ from exact by more than slack, in order."""
    return [
        (key, column)
        for key, cells in printed.items()
        for column, number in cells.items()
        if abs(number - exact[key][column]) > slack
    ]


# %% Halved before the first stage too exercise="exact-table"
# The first module takes maps of the given size.
def exact_table(table, c_in, size):
    """Weights in K = 1024 and millions of MACs of each module: key → {"params": K, "ops": M}."""
    exact, stage = {}, None
    for key, row in table.items():
        if key[0] != stage:
            size = (size + 1) // 2
        cost = module_cost(c_in, row, size, size).values()
        weights, macs = sum(w for w, _, _ in cost), sum(m for _, _, m in cost)
        exact[key] = {"params": weights / 1024, "ops": macs / 1e6}
        c_in = row[0] + row[2] + row[4] + row[5]
        stage = key[0]
    return exact


def disagree(printed, exact, slack):
    """The cells (key, column) of printed that differ from exact by more than slack, in order."""
    return [
        (key, column)
        for key, cells in printed.items()
        for column, number in cells.items()
        if abs(number - exact[key][column]) > slack
    ]


# %% Only too small numbers found exercise="exact-table"
# A printed number can be too large as well as too small.
def exact_table(table, c_in, size):
    """Weights in K = 1024 and millions of MACs of each module: key → {"params": K, "ops": M}."""
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


def disagree(printed, exact, slack):
    """The cells (key, column) of printed that differ from exact by more than slack, in order."""
    return [
        (key, column)
        for key, cells in printed.items()
        for column, number in cells.items()
        if exact[key][column] - number > slack
    ]


# %% Only too large numbers found exercise="exact-table"
# A printed number can be too small as well as too large.
def exact_table(table, c_in, size):
    """Weights in K = 1024 and millions of MACs of each module: key → {"params": K, "ops": M}."""
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


def disagree(printed, exact, slack):
    """The cells (key, column) of printed that differ from exact by more than slack, in order."""
    return [
        (key, column)
        for key, cells in printed.items()
        for column, number in cells.items()
        if number - exact[key][column] > slack
    ]


# %% The slack itself counted exercise="exact-table"
# More than the slack: a difference of exactly the slack agrees.
def exact_table(table, c_in, size):
    """Weights in K = 1024 and millions of MACs of each module: key → {"params": K, "ops": M}."""
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


def disagree(printed, exact, slack):
    """The cells (key, column) of printed that differ from exact by more than slack, in order."""
    return [
        (key, column)
        for key, cells in printed.items()
        for column, number in cells.items()
        if abs(number - exact[key][column]) >= slack
    ]


# %% Keys alone exercise="exact-table"
# A cell is a pair of key and column.
def exact_table(table, c_in, size):
    """Weights in K = 1024 and millions of MACs of each module: key → {"params": K, "ops": M}."""
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


def disagree(printed, exact, slack):
    """The cells (key, column) of printed that differ from exact by more than slack, in order."""
    return [
        key
        for key, cells in printed.items()
        for column, number in cells.items()
        if abs(number - exact[key][column]) > slack
    ]


# %% Relative differences exercise="exact-table"
# The slack is a difference in the unit of the column, not a fraction.
def exact_table(table, c_in, size):
    """Weights in K = 1024 and millions of MACs of each module: key → {"params": K, "ops": M}."""
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


def disagree(printed, exact, slack):
    """The cells (key, column) of printed that differ from exact by more than slack, in order."""
    return [
        (key, column)
        for key, cells in printed.items()
        for column, number in cells.items()
        if abs(number / exact[key][column] - 1) > slack
    ]


# %% Loops, ceil and lists exercise="exact-table" right=true
def exact_table(table, c_in, size):
    """With a ceiling, and the cost of each convolution in a loop."""
    exact = {}
    before = list(table)[0][0]
    for key in table:
        if key[0] != before:
            size = math.ceil(size / 2)
        before = key[0]
        params = ops = 0.0
        for weights, _, macs in module_cost(c_in, table[key], size, size).values():
            params += weights / 1024
            ops += macs / 1_000_000
        exact[key] = dict(ops=ops, params=params)
        c_in = sum(table[key]) - table[key][1] - table[key][3]
    return exact


def disagree(printed, exact, slack):
    """Lists of two instead of tuples."""
    found = []
    for key in printed:
        for column in printed[key]:
            if not -slack <= printed[key][column] - exact[key][column] <= slack:
                found += [[key, column]]
    return found


# %% 4a passed over exercise="q-audit"
# 4a is printed as 364 and has 366.8K: more than 1 off.
# q_bad_params, q_bad_ops: sets of keys such as {"3a"}; q_printed_sum: millions
q_bad_params = {"4c", "4d", "4e", "5a", "5b"}
q_bad_ops = {"5a"}
q_printed_sum = 6.96


# %% Off by exactly one exercise="q-audit"
# 3b and 4b are off by exactly 1.0; the slack allows that.
# q_bad_params, q_bad_ops: sets of keys such as {"3a"}; q_printed_sum: millions
q_bad_params = {"3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"}
q_bad_ops = {"5a"}
q_printed_sum = 6.96


# %% 4a among the ops exercise="q-audit"
# 73 is 73.6 cut off.
# q_bad_params, q_bad_ops: sets of keys such as {"3a"}; q_printed_sum: millions
q_bad_params = {"4a", "4c", "4d", "4e", "5a", "5b"}
q_bad_ops = {"4a", "5a"}
q_printed_sum = 6.96


# %% Five million believed exercise="q-audit"
# Add up the column.
# q_bad_params, q_bad_ops: sets of keys such as {"3a"}; q_printed_sum: millions
q_bad_params = {"4a", "4c", "4d", "4e", "5a", "5b"}
q_bad_ops = {"5a"}
q_printed_sum = 5


# %% Groups forgotten exercise="separable-conv1" covers=[113]
# A depthwise convolution filters each channel alone: groups=c_in.
def separable_conv1(c_in=3, multiplier=8, c_out=64):
    """A separable 7×7 convolution with stride 2: an nn.Sequential of depthwise and pointwise, no biases."""
    middle = c_in * multiplier
    return nn.Sequential(
        OrderedDict(
            depthwise=nn.Conv2d(c_in, middle, 7, stride=2, padding=3, bias=False),
            pointwise=nn.Conv2d(middle, c_out, 1, bias=False),
        )
    )


# %% One filter for each channel exercise="separable-conv1"
# Each colour has eight filters: 24 maps in between.
def separable_conv1(c_in=3, multiplier=8, c_out=64):
    """A separable 7×7 convolution with stride 2: an nn.Sequential of depthwise and pointwise, no biases."""
    middle = c_in
    return nn.Sequential(
        OrderedDict(
            depthwise=nn.Conv2d(c_in, middle, 7, stride=2, padding=3, groups=c_in, bias=False),
            pointwise=nn.Conv2d(middle, c_out, 1, bias=False),
        )
    )


# %% Multiplier taken for the width exercise="separable-conv1"
# Each of the input channels has `multiplier` filters.
def separable_conv1(c_in=3, multiplier=8, c_out=64):
    """A separable 7×7 convolution with stride 2: an nn.Sequential of depthwise and pointwise, no biases."""
    middle = c_in + multiplier
    return nn.Sequential(
        OrderedDict(
            depthwise=nn.Conv2d(c_in, middle, 7, stride=2, padding=3, groups=c_in, bias=False),
            pointwise=nn.Conv2d(middle, c_out, 1, bias=False),
        )
    )


# %% Stride on both layers exercise="separable-conv1" covers=[101]
# Only the depthwise layer has the stride.
def separable_conv1(c_in=3, multiplier=8, c_out=64):
    """A separable 7×7 convolution with stride 2: an nn.Sequential of depthwise and pointwise, no biases."""
    middle = c_in * multiplier
    return nn.Sequential(
        OrderedDict(
            depthwise=nn.Conv2d(c_in, middle, 7, stride=2, padding=3, groups=c_in, bias=False),
            pointwise=nn.Conv2d(middle, c_out, 1, stride=2, bias=False),
        )
    )


# %% Stride on the 1×1 layer exercise="separable-conv1"
# The depthwise layer has the stride: strided later, most of its work would be thrown away.
def separable_conv1(c_in=3, multiplier=8, c_out=64):
    """A separable 7×7 convolution with stride 2: an nn.Sequential of depthwise and pointwise, no biases."""
    middle = c_in * multiplier
    return nn.Sequential(
        OrderedDict(
            depthwise=nn.Conv2d(c_in, middle, 7, padding=3, groups=c_in, bias=False),
            pointwise=nn.Conv2d(middle, c_out, 1, stride=2, bias=False),
        )
    )


# %% A bias in the depthwise layer exercise="separable-conv1"
# Neither layer has a bias.
def separable_conv1(c_in=3, multiplier=8, c_out=64):
    """A separable 7×7 convolution with stride 2: an nn.Sequential of depthwise and pointwise, no biases."""
    middle = c_in * multiplier
    return nn.Sequential(
        OrderedDict(
            depthwise=nn.Conv2d(c_in, middle, 7, stride=2, padding=3, groups=c_in),
            pointwise=nn.Conv2d(middle, c_out, 1, bias=False),
        )
    )


# %% A bias in the 1×1 layer exercise="separable-conv1"
# Neither layer has a bias.
def separable_conv1(c_in=3, multiplier=8, c_out=64):
    """A separable 7×7 convolution with stride 2: an nn.Sequential of depthwise and pointwise, no biases."""
    middle = c_in * multiplier
    return nn.Sequential(
        OrderedDict(
            depthwise=nn.Conv2d(c_in, middle, 7, stride=2, padding=3, groups=c_in, bias=False),
            pointwise=nn.Conv2d(middle, c_out, 1),
        )
    )


# %% Output width built in exercise="separable-conv1" covers=[25]
# The width of the output is an argument.
def separable_conv1(c_in=3, multiplier=8, c_out=64):
    """A separable 7×7 convolution with stride 2: an nn.Sequential of depthwise and pointwise, no biases."""
    middle = c_in * multiplier
    return nn.Sequential(
        OrderedDict(
            depthwise=nn.Conv2d(c_in, middle, 7, stride=2, padding=3, groups=c_in, bias=False),
            pointwise=nn.Conv2d(middle, 64, 1, bias=False),
        )
    )


# %% Attributes on an empty Sequential exercise="separable-conv1" right=true
def separable_conv1(c_in=3, multiplier=8, c_out=64):
    """Two attributes."""
    layer = nn.Sequential()
    layer.depthwise = nn.Conv2d(c_in, multiplier * c_in, (7, 7), 2, 3, groups=c_in, bias=False)
    layer.pointwise = nn.Conv2d(multiplier * c_in, c_out, (1, 1), bias=None)
    return layer


# %% Channels do not grow exercise="naive-growth"
# The next module takes all channels that this one hands on.
def naive_growth(table, c_in):
    """Weights and output channels of each module of a table without reductions: [(weights, channels), …]."""
    growth = []
    for n1, _, n3, _, n5, _ in table.values():
        weights = c_in * (n1 + 9 * n3 + 25 * n5)
        growth.append((weights, naive_depth(c_in, n1, n3, n5)))
    return growth


# %% Pooled input forgotten exercise="naive-growth"
# The pooled input is handed on as it is.
def naive_growth(table, c_in):
    """Weights and output channels of each module of a table without reductions: [(weights, channels), …]."""
    growth = []
    for n1, _, n3, _, n5, _ in table.values():
        weights = c_in * (n1 + 9 * n3 + 25 * n5)
        c_in = n1 + n3 + n5
        growth.append((weights, c_in))
    return growth


# %% Reductions used exercise="naive-growth"
# Leave the reductions out: all filters see all channels.
def naive_growth(table, c_in):
    """Weights and output channels of each module of a table without reductions: [(weights, channels), …]."""
    growth = []
    for n1, r3, n3, r5, n5, _ in table.values():
        weights = c_in * n1 + 9 * r3 * n3 + 25 * r5 * n5
        c_in = naive_depth(c_in, n1, n3, n5)
        growth.append((weights, c_in))
    return growth


# %% Channels before the module exercise="naive-growth"
# The pair holds the channels that the module hands on, not those that it takes.
def naive_growth(table, c_in):
    """Weights and output channels of each module of a table without reductions: [(weights, channels), …]."""
    growth = []
    for n1, _, n3, _, n5, _ in table.values():
        weights = c_in * (n1 + 9 * n3 + 25 * n5)
        growth.append((weights, c_in))
        c_in = naive_depth(c_in, n1, n3, n5)
    return growth


# %% Columns of the table misread exercise="naive-growth"
# The row is (#1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj).
def naive_growth(table, c_in):
    """Weights and output channels of each module of a table without reductions: [(weights, channels), …]."""
    growth = []
    for n1, n3, _, n5, _, _ in table.values():
        weights = c_in * (n1 + 9 * n3 + 25 * n5)
        c_in = naive_depth(c_in, n1, n3, n5)
        growth.append((weights, c_in))
    return growth


# %% Lists of lists exercise="naive-growth" right=true
def naive_growth(table, c_in):
    """Weights and output channels of each module of a table without reductions: [(weights, channels), …]."""
    growth = []
    for n1, _, n3, _, n5, _ in table.values():
        weights = c_in * (n1 + 9 * n3 + 25 * n5)
        c_in += n1 + n3 + n5
        growth.append([weights, c_in])
    return growth


# %% The slide believed exercise="q-naive"
# 97.5 million are fewer than 138.4 million.
# q_naive_all, q_naive_convs: "more" or "fewer"; q_naive_channels: channels
q_naive_all = "more"
q_naive_convs = "more"
q_naive_channels = 4944


# %% Convolutions fewer exercise="q-naive"
# 92.6 million in convolutions are more than VGG's 14.7.
# q_naive_all, q_naive_convs: "more" or "fewer"; q_naive_channels: channels
q_naive_all = "fewer"
q_naive_convs = "fewer"
q_naive_channels = 4944


# %% [markdown]
# ## Auxiliary classifiers


# %% GAP in the head exercise="aux-head"
# The head pools 5×5 with stride 3 and keeps 4×4 positions: no global average pooling.
class AuxHead(nn.Module):
    """An auxiliary classifier on maps (N, c_in, size, size): logits (N, classes).

    Layers with weights: self.conv (1×1), self.fc1, self.fc2.
    """

    def __init__(self, c_in, classes=1000, size=14, width=128, hidden=1024):
        super().__init__()
        side = 1
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.conv = nn.Conv2d(c_in, width, 1)
        self.fc1 = nn.Linear(width * side * side, hidden)
        self.drop = nn.Dropout(0.7)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x):
        """x (N, c_in, size, size) → (N, classes)."""
        x = F.relu(self.conv(self.pool(x)))  # (N, width, side, side)
        x = F.relu(self.fc1(x.flatten(1)))  # (N, hidden)
        return self.fc2(self.drop(x))  # (N, classes)


# %% Stride of the window in the head exercise="aux-head" covers=[36]
# The window is 5×5 and the stride 3.
class AuxHead(nn.Module):
    """An auxiliary classifier on maps (N, c_in, size, size): logits (N, classes).

    Layers with weights: self.conv (1×1), self.fc1, self.fc2.
    """

    def __init__(self, c_in, classes=1000, size=14, width=128, hidden=1024):
        super().__init__()
        side = (size - 5) // 5 + 1
        self.pool = nn.AvgPool2d(5)
        self.conv = nn.Conv2d(c_in, width, 1)
        self.fc1 = nn.Linear(width * side * side, hidden)
        self.drop = nn.Dropout(0.7)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x):
        """x (N, c_in, size, size) → (N, classes)."""
        x = F.relu(self.conv(self.pool(x)))  # (N, width, side, side)
        x = F.relu(self.fc1(x.flatten(1)))  # (N, hidden)
        return self.fc2(self.drop(x))  # (N, classes)


# %% Maximum in the head exercise="aux-head"
# The head pools with means.
class AuxHead(nn.Module):
    """An auxiliary classifier on maps (N, c_in, size, size): logits (N, classes).

    Layers with weights: self.conv (1×1), self.fc1, self.fc2.
    """

    def __init__(self, c_in, classes=1000, size=14, width=128, hidden=1024):
        super().__init__()
        side = (size - 5) // 3 + 1
        self.pool = nn.MaxPool2d(5, 3)
        self.conv = nn.Conv2d(c_in, width, 1)
        self.fc1 = nn.Linear(width * side * side, hidden)
        self.drop = nn.Dropout(0.7)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x):
        """x (N, c_in, size, size) → (N, classes)."""
        x = F.relu(self.conv(self.pool(x)))  # (N, width, side, side)
        x = F.relu(self.fc1(x.flatten(1)))  # (N, hidden)
        return self.fc2(self.drop(x))  # (N, classes)


# %% No ReLU after the 1×1 exercise="aux-head" covers=[100]
# The 1×1 convolution is followed by a ReLU.
class AuxHead(nn.Module):
    """An auxiliary classifier on maps (N, c_in, size, size): logits (N, classes).

    Layers with weights: self.conv (1×1), self.fc1, self.fc2.
    """

    def __init__(self, c_in, classes=1000, size=14, width=128, hidden=1024):
        super().__init__()
        side = (size - 5) // 3 + 1
        self.pool = nn.AvgPool2d(5, 3)
        self.conv = nn.Conv2d(c_in, width, 1)
        self.fc1 = nn.Linear(width * side * side, hidden)
        self.drop = nn.Dropout(0.7)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x):
        """x (N, c_in, size, size) → (N, classes)."""
        x = self.conv(self.pool(x))  # (N, width, side, side)
        x = F.relu(self.fc1(x.flatten(1)))  # (N, hidden)
        return self.fc2(self.drop(x))  # (N, classes)


# %% No ReLU in the hidden layer exercise="aux-head" covers=[100]
# The hidden layer has a ReLU.
class AuxHead(nn.Module):
    """An auxiliary classifier on maps (N, c_in, size, size): logits (N, classes).

    Layers with weights: self.conv (1×1), self.fc1, self.fc2.
    """

    def __init__(self, c_in, classes=1000, size=14, width=128, hidden=1024):
        super().__init__()
        side = (size - 5) // 3 + 1
        self.pool = nn.AvgPool2d(5, 3)
        self.conv = nn.Conv2d(c_in, width, 1)
        self.fc1 = nn.Linear(width * side * side, hidden)
        self.drop = nn.Dropout(0.7)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x):
        """x (N, c_in, size, size) → (N, classes)."""
        x = F.relu(self.conv(self.pool(x)))  # (N, width, side, side)
        x = self.fc1(x.flatten(1))  # (N, hidden)
        return self.fc2(self.drop(x))  # (N, classes)


# %% Dropout keeps 70% exercise="aux-head" covers=[91]
# nn.Dropout(p) takes the fraction that is dropped, 0.7.
class AuxHead(nn.Module):
    """An auxiliary classifier on maps (N, c_in, size, size): logits (N, classes).

    Layers with weights: self.conv (1×1), self.fc1, self.fc2.
    """

    def __init__(self, c_in, classes=1000, size=14, width=128, hidden=1024):
        super().__init__()
        side = (size - 5) // 3 + 1
        self.pool = nn.AvgPool2d(5, 3)
        self.conv = nn.Conv2d(c_in, width, 1)
        self.fc1 = nn.Linear(width * side * side, hidden)
        self.drop = nn.Dropout(0.3)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x):
        """x (N, c_in, size, size) → (N, classes)."""
        x = F.relu(self.conv(self.pool(x)))  # (N, width, side, side)
        x = F.relu(self.fc1(x.flatten(1)))  # (N, hidden)
        return self.fc2(self.drop(x))  # (N, classes)


# %% Dropout in eval mode exercise="aux-head" covers=[92]
# Dropout is for training only. nn.Dropout knows the mode; F.dropout has to be told.
class AuxHead(nn.Module):
    """An auxiliary classifier on maps (N, c_in, size, size): logits (N, classes).

    Layers with weights: self.conv (1×1), self.fc1, self.fc2.
    """

    def __init__(self, c_in, classes=1000, size=14, width=128, hidden=1024):
        super().__init__()
        side = (size - 5) // 3 + 1
        self.pool = nn.AvgPool2d(5, 3)
        self.conv = nn.Conv2d(c_in, width, 1)
        self.fc1 = nn.Linear(width * side * side, hidden)
        self.drop = nn.Dropout(0.7)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x):
        """x (N, c_in, size, size) → (N, classes)."""
        x = F.relu(self.conv(self.pool(x)))  # (N, width, side, side)
        x = F.relu(self.fc1(x.flatten(1)))  # (N, hidden)
        return self.fc2(F.dropout(x, 0.7))  # (N, classes)


# %% No dropout in the head exercise="aux-head"
# Between the hidden and the last layer 70% are dropped in training.
class AuxHead(nn.Module):
    """An auxiliary classifier on maps (N, c_in, size, size): logits (N, classes).

    Layers with weights: self.conv (1×1), self.fc1, self.fc2.
    """

    def __init__(self, c_in, classes=1000, size=14, width=128, hidden=1024):
        super().__init__()
        side = (size - 5) // 3 + 1
        self.pool = nn.AvgPool2d(5, 3)
        self.conv = nn.Conv2d(c_in, width, 1)
        self.fc1 = nn.Linear(width * side * side, hidden)
        self.drop = nn.Dropout(0.7)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x):
        """x (N, c_in, size, size) → (N, classes)."""
        x = F.relu(self.conv(self.pool(x)))  # (N, width, side, side)
        x = F.relu(self.fc1(x.flatten(1)))  # (N, hidden)
        return self.fc2(x)  # (N, classes)


# %% Batch flattened too exercise="aux-head" covers=[116]
# flatten(1) keeps the batch; flatten() makes one vector of everything.
class AuxHead(nn.Module):
    """An auxiliary classifier on maps (N, c_in, size, size): logits (N, classes).

    Layers with weights: self.conv (1×1), self.fc1, self.fc2.
    """

    def __init__(self, c_in, classes=1000, size=14, width=128, hidden=1024):
        super().__init__()
        side = (size - 5) // 3 + 1
        self.pool = nn.AvgPool2d(5, 3)
        self.conv = nn.Conv2d(c_in, width, 1)
        self.fc1 = nn.Linear(width * side * side, hidden)
        self.drop = nn.Dropout(0.7)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x):
        """x (N, c_in, size, size) → (N, classes)."""
        x = F.relu(self.conv(self.pool(x)))  # (N, width, side, side)
        x = F.relu(
            self.fc1(x.flatten().reshape(1, -1).repeat(len(x), 1)[:, : self.fc1.in_features])
        )  # (N, hidden)
        return self.fc2(self.drop(x))  # (N, classes)


# %% Always 4×4 exercise="aux-head" covers=[25]
# The side follows from the size.
class AuxHead(nn.Module):
    """An auxiliary classifier on maps (N, c_in, size, size): logits (N, classes).

    Layers with weights: self.conv (1×1), self.fc1, self.fc2.
    """

    def __init__(self, c_in, classes=1000, size=14, width=128, hidden=1024):
        super().__init__()
        side = 4
        self.pool = nn.AvgPool2d(5, 3)
        self.conv = nn.Conv2d(c_in, width, 1)
        self.fc1 = nn.Linear(width * side * side, hidden)
        self.drop = nn.Dropout(0.7)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x):
        """x (N, c_in, size, size) → (N, classes)."""
        x = F.relu(self.conv(self.pool(x)))  # (N, width, side, side)
        x = F.relu(self.fc1(x.flatten(1)))  # (N, hidden)
        return self.fc2(self.drop(x))  # (N, classes)


# %% Softmax in the head exercise="aux-head" covers=[57]
# The head returns logits.
class AuxHead(nn.Module):
    """An auxiliary classifier on maps (N, c_in, size, size): logits (N, classes).

    Layers with weights: self.conv (1×1), self.fc1, self.fc2.
    """

    def __init__(self, c_in, classes=1000, size=14, width=128, hidden=1024):
        super().__init__()
        side = (size - 5) // 3 + 1
        self.pool = nn.AvgPool2d(5, 3)
        self.conv = nn.Conv2d(c_in, width, 1)
        self.fc1 = nn.Linear(width * side * side, hidden)
        self.drop = nn.Dropout(0.7)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x):
        """x (N, c_in, size, size) → (N, classes)."""
        x = F.relu(self.conv(self.pool(x)))  # (N, width, side, side)
        x = F.relu(self.fc1(x.flatten(1)))  # (N, hidden)
        return self.fc2(self.drop(x)).softmax(dim=1)  # (N, classes)


# %% Convolution before pooling exercise="aux-head"
# Pool first, then the 1×1 convolution: with the ReLU in between the order matters, and it costs
# twelve times the work.
class AuxHead(nn.Module):
    """An auxiliary classifier on maps (N, c_in, size, size): logits (N, classes).

    Layers with weights: self.conv (1×1), self.fc1, self.fc2.
    """

    def __init__(self, c_in, classes=1000, size=14, width=128, hidden=1024):
        super().__init__()
        side = (size - 5) // 3 + 1
        self.pool = nn.AvgPool2d(5, 3)
        self.conv = nn.Conv2d(c_in, width, 1)
        self.fc1 = nn.Linear(width * side * side, hidden)
        self.drop = nn.Dropout(0.7)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x):
        """x (N, c_in, size, size) → (N, classes)."""
        x = self.pool(F.relu(self.conv(x)))  # (N, width, side, side)
        x = F.relu(self.fc1(x.flatten(1)))  # (N, hidden)
        return self.fc2(self.drop(x))  # (N, classes)


# %% Side rounded up exercise="aux-head" covers=[14]
# The window has to fit: the side is rounded down.
class AuxHead(nn.Module):
    """An auxiliary classifier on maps (N, c_in, size, size): logits (N, classes).

    Layers with weights: self.conv (1×1), self.fc1, self.fc2.
    """

    def __init__(self, c_in, classes=1000, size=14, width=128, hidden=1024):
        super().__init__()
        side = -(-(size - 5) // 3) + 1
        self.pool = nn.AvgPool2d(5, 3, ceil_mode=True)
        self.conv = nn.Conv2d(c_in, width, 1)
        self.fc1 = nn.Linear(width * side * side, hidden)
        self.drop = nn.Dropout(0.7)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x):
        """x (N, c_in, size, size) → (N, classes)."""
        x = F.relu(self.conv(self.pool(x)))  # (N, width, side, side)
        x = F.relu(self.fc1(x.flatten(1)))  # (N, hidden)
        return self.fc2(self.drop(x))  # (N, classes)


# %% Layers in a Sequential beside, pooling as a function exercise="aux-head" right=true
class AuxHead(nn.Module):
    """An auxiliary classifier."""

    def __init__(self, c_in, classes=1000, size=14, width=128, hidden=1024):
        super().__init__()
        side = int((size - 5) / 3) + 1
        self.conv = nn.Conv2d(c_in, width, kernel_size=1)
        self.fc1 = nn.Linear(side * side * width, hidden)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x):
        """x (N, c_in, size, size) → (N, classes)."""
        x = torch.relu(self.conv(F.avg_pool2d(x, kernel_size=5, stride=3)))
        x = torch.relu(self.fc1(torch.flatten(x, 1)))
        return self.fc2(F.dropout(x, 0.7, training=self.training))


# %% A tuple in eval mode exercise="with-aux"
# In eval mode the logits come alone.
class WithAux(nn.Module):
    """A network with auxiliary heads that work in training mode only.

    net: an nn.Sequential whose first child is its body. heads: name of a child of the body → module.
    """

    def __init__(self, net, heads):
        super().__init__()
        self.net = net
        self.heads = nn.ModuleDict(heads)

    def forward(self, x):
        """Training: (logits, [logits of each head]). Eval: logits."""
        if not self.training:
            return self.net(x), []
        extra = []
        for name, layer in self.net.body.named_children():
            x = layer(x)
            if name in self.heads:
                extra.append(self.heads[name](x))
        return self.net[1:](x), extra


# %% Heads run in eval mode exercise="with-aux"
# In eval mode the heads are not run at all.
class WithAux(nn.Module):
    """A network with auxiliary heads that work in training mode only.

    net: an nn.Sequential whose first child is its body. heads: name of a child of the body → module.
    """

    def __init__(self, net, heads):
        super().__init__()
        self.net = net
        self.heads = nn.ModuleDict(heads)

    def forward(self, x):
        """Training: (logits, [logits of each head]). Eval: logits."""
        if not self.training:
            y = x
            for name, layer in self.net.body.named_children():
                y = layer(y)
                if name in self.heads:
                    self.heads[name](y)
            return self.net(x)
        extra = []
        for name, layer in self.net.body.named_children():
            x = layer(x)
            if name in self.heads:
                extra.append(self.heads[name](x))
        return self.net[1:](x), extra


# %% Heads always on exercise="with-aux"
# The heads are for training. Ask self.training.
class WithAux(nn.Module):
    """A network with auxiliary heads that work in training mode only.

    net: an nn.Sequential whose first child is its body. heads: name of a child of the body → module.
    """

    def __init__(self, net, heads):
        super().__init__()
        self.net = net
        self.heads = nn.ModuleDict(heads)

    def forward(self, x):
        """Training: (logits, [logits of each head]). Eval: logits."""
        extra = []
        for name, layer in self.net.body.named_children():
            x = layer(x)
            if name in self.heads:
                extra.append(self.heads[name](x))
        return self.net[1:](x), extra


# %% Mode turned round exercise="with-aux"
# Training returns the pair, eval the logits alone.
class WithAux(nn.Module):
    """A network with auxiliary heads that work in training mode only.

    net: an nn.Sequential whose first child is its body. heads: name of a child of the body → module.
    """

    def __init__(self, net, heads):
        super().__init__()
        self.net = net
        self.heads = nn.ModuleDict(heads)

    def forward(self, x):
        """Training: (logits, [logits of each head]). Eval: logits."""
        if self.training:
            return self.net(x)
        extra = []
        for name, layer in self.net.body.named_children():
            x = layer(x)
            if name in self.heads:
                extra.append(self.heads[name](x))
        return self.net[1:](x), extra


# %% Heads in a plain dict exercise="with-aux" covers=[108]
# A plain dict hides the heads from PyTorch: they are not trained, moved or stored.
class WithAux(nn.Module):
    """A network with auxiliary heads that work in training mode only.

    net: an nn.Sequential whose first child is its body. heads: name of a child of the body → module.
    """

    def __init__(self, net, heads):
        super().__init__()
        self.net = net
        self.heads = dict(heads)

    def forward(self, x):
        """Training: (logits, [logits of each head]). Eval: logits."""
        if not self.training:
            return self.net(x)
        extra = []
        for name, layer in self.net.body.named_children():
            x = layer(x)
            if name in self.heads:
                extra.append(self.heads[name](x))
        return self.net[1:](x), extra


# %% Body run twice exercise="with-aux"
# An image goes through the body once; the rest of the network starts from what it made.
class WithAux(nn.Module):
    """A network with auxiliary heads that work in training mode only.

    net: an nn.Sequential whose first child is its body. heads: name of a child of the body → module.
    """

    def __init__(self, net, heads):
        super().__init__()
        self.net = net
        self.heads = nn.ModuleDict(heads)

    def forward(self, x):
        """Training: (logits, [logits of each head]). Eval: logits."""
        if not self.training:
            return self.net(x)
        extra, logits = [], self.net(x)
        for name, layer in self.net.body.named_children():
            x = layer(x)
            if name in self.heads:
                extra.append(self.heads[name](x))
        return logits, extra


# %% Heads on the input of their module exercise="with-aux"
# A head classifies what its module makes: run the module first.
class WithAux(nn.Module):
    """A network with auxiliary heads that work in training mode only.

    net: an nn.Sequential whose first child is its body. heads: name of a child of the body → module.
    """

    def __init__(self, net, heads):
        super().__init__()
        self.net = net
        self.heads = nn.ModuleDict(heads)

    def forward(self, x):
        """Training: (logits, [logits of each head]). Eval: logits."""
        if not self.training:
            return self.net(x)
        extra = []
        for name, layer in self.net.body.named_children():
            if name in self.heads:
                extra.append(self.heads[name](x))
            x = layer(x)
        return self.net[1:](x), extra


# %% Heads in the order of the dict exercise="with-aux"
# The list follows the body, not the dict.
class WithAux(nn.Module):
    """A network with auxiliary heads that work in training mode only.

    net: an nn.Sequential whose first child is its body. heads: name of a child of the body → module.
    """

    def __init__(self, net, heads):
        super().__init__()
        self.net = net
        self.heads = nn.ModuleDict(heads)

    def forward(self, x):
        """Training: (logits, [logits of each head]). Eval: logits."""
        if not self.training:
            return self.net(x)
        extra = []
        for name, layer in self.net.body.named_children():
            x = layer(x)
            if name in self.heads:
                extra.append(self.heads[name](x))
        order = [name for name, _ in self.net.body.named_children() if name in self.heads]
        return self.net[1:](x), [extra[order.index(name)] for name in self.heads]


# %% A tuple of heads exercise="with-aux"
# The heads' logits come in a list.
class WithAux(nn.Module):
    """A network with auxiliary heads that work in training mode only.

    net: an nn.Sequential whose first child is its body. heads: name of a child of the body → module.
    """

    def __init__(self, net, heads):
        super().__init__()
        self.net = net
        self.heads = nn.ModuleDict(heads)

    def forward(self, x):
        """Training: (logits, [logits of each head]). Eval: logits."""
        if not self.training:
            return self.net(x)
        extra = []
        for name, layer in self.net.body.named_children():
            x = layer(x)
            if name in self.heads:
                extra.append(self.heads[name](x))
        return self.net[1:](x), tuple(extra)


# %% Rest of the network forgotten exercise="with-aux"
# After the body come the other children of the network.
class WithAux(nn.Module):
    """A network with auxiliary heads that work in training mode only.

    net: an nn.Sequential whose first child is its body. heads: name of a child of the body → module.
    """

    def __init__(self, net, heads):
        super().__init__()
        self.net = net
        self.heads = nn.ModuleDict(heads)

    def forward(self, x):
        """Training: (logits, [logits of each head]). Eval: logits."""
        if not self.training:
            return self.net(x)
        extra = []
        for name, layer in self.net.body.named_children():
            x = layer(x)
            if name in self.heads:
                extra.append(self.heads[name](x))
        return x, extra


# %% Logits last exercise="with-aux"
# The pair is the network's logits first, then the list.
class WithAux(nn.Module):
    """A network with auxiliary heads that work in training mode only.

    net: an nn.Sequential whose first child is its body. heads: name of a child of the body → module.
    """

    def __init__(self, net, heads):
        super().__init__()
        self.net = net
        self.heads = nn.ModuleDict(heads)

    def forward(self, x):
        """Training: (logits, [logits of each head]). Eval: logits."""
        if not self.training:
            return self.net(x)
        extra = []
        for name, layer in self.net.body.named_children():
            x = layer(x)
            if name in self.heads:
                extra.append(self.heads[name](x))
        return extra, self.net[1:](x)


# %% Heads cut off from the body exercise="with-aux" covers=[104]
# With detach the heads train themselves alone; their gradient should reach the body.
class WithAux(nn.Module):
    """A network with auxiliary heads that work in training mode only.

    net: an nn.Sequential whose first child is its body. heads: name of a child of the body → module.
    """

    def __init__(self, net, heads):
        super().__init__()
        self.net = net
        self.heads = nn.ModuleDict(heads)

    def forward(self, x):
        """Training: (logits, [logits of each head]). Eval: logits."""
        if not self.training:
            return self.net(x)
        extra = []
        for name, layer in self.net.body.named_children():
            x = layer(x)
            if name in self.heads:
                extra.append(self.heads[name](x.detach()))
        return self.net[1:](x), extra


# %% Rest of the network in a loop exercise="with-aux" right=true
class WithAux(nn.Module):
    """A network with auxiliary heads that work in training mode only.

    net: an nn.Sequential whose first child is its body. heads: name of a child of the body → module.
    """

    def __init__(self, net, heads):
        super().__init__()
        self.net = net
        self.heads = nn.ModuleDict(heads)

    def forward(self, x):
        """Training: (logits, [logits of each head]). Eval: logits."""
        if not self.training:
            return self.net(x)
        extra = []
        for name, layer in self.net.body.named_children():
            x = layer(x)
            if name in self.heads:
                extra.append(self.heads[name](x))
        for layer in list(self.net.children())[1:]:
            x = layer(x)
        return x, extra


# %% With forward hooks exercise="with-aux" right=true
class WithAux(nn.Module):
    """A network whose body reports to the heads through hooks."""

    def __init__(self, net, heads):
        super().__init__()
        self.net = net
        self.heads = nn.ModuleDict(heads)

    def forward(self, x):
        """Training: (logits, [logits of each head]). Eval: logits."""
        if not self.training:
            return self.net(x)
        extra, handles = [], []
        for name, head in self.heads.items():
            layer = self.net.body.get_submodule(name)
            report = lambda layer, inputs, output, head=head: extra.append(head(output))
            handles.append(layer.register_forward_hook(report))
        logits = self.net(x)
        for handle in handles:
            handle.remove()
        return logits, extra


# %% Heads with full weight exercise="total-loss"
# Each head counts with its weight, 0.3.
def total_loss(outputs, labels, weight=0.3):
    """Cross-entropy of the logits, plus weight times that of each auxiliary head, if there are any.

    outputs: logits (N, K), or (logits, [logits of each head]). labels (N,).
    """
    if isinstance(outputs, torch.Tensor):
        return F.cross_entropy(outputs, labels)
    logits, extra = outputs
    return F.cross_entropy(logits, labels) + sum(F.cross_entropy(e, labels) for e in extra)


# %% The loss scaled too exercise="total-loss"
# The loss of the network itself has weight 1.
def total_loss(outputs, labels, weight=0.3):
    """Cross-entropy of the logits, plus weight times that of each auxiliary head, if there are any.

    outputs: logits (N, K), or (logits, [logits of each head]). labels (N,).
    """
    if isinstance(outputs, torch.Tensor):
        return F.cross_entropy(outputs, labels)
    logits, extra = outputs
    return weight * F.cross_entropy(logits, labels) + weight * sum(
        F.cross_entropy(e, labels) for e in extra
    )


# %% Mean of the heads exercise="total-loss"
# The heads' losses are added up, not averaged.
def total_loss(outputs, labels, weight=0.3):
    """Cross-entropy of the logits, plus weight times that of each auxiliary head, if there are any.

    outputs: logits (N, K), or (logits, [logits of each head]). labels (N,).
    """
    if isinstance(outputs, torch.Tensor):
        return F.cross_entropy(outputs, labels)
    logits, extra = outputs
    return F.cross_entropy(logits, labels) + weight * sum(
        F.cross_entropy(e, labels) for e in extra
    ) / max(len(extra), 1)


# %% Softmax before the loss exercise="total-loss" covers=[57]
# cross_entropy takes logits.
def total_loss(outputs, labels, weight=0.3):
    """Cross-entropy of the logits, plus weight times that of each auxiliary head, if there are any.

    outputs: logits (N, K), or (logits, [logits of each head]). labels (N,).
    """
    if isinstance(outputs, torch.Tensor):
        return F.cross_entropy(outputs, labels)
    logits, extra = outputs
    return F.cross_entropy(logits.softmax(dim=1), labels) + weight * sum(
        F.cross_entropy(e, labels) for e in extra
    )


# %% Heads ignored exercise="total-loss"
# The heads' losses are missing.
def total_loss(outputs, labels, weight=0.3):
    """Cross-entropy of the logits, plus weight times that of each auxiliary head, if there are any.

    outputs: logits (N, K), or (logits, [logits of each head]). labels (N,).
    """
    if isinstance(outputs, torch.Tensor):
        return F.cross_entropy(outputs, labels)
    logits, extra = outputs
    return F.cross_entropy(logits, labels)


# %% Only the first head exercise="total-loss"
# All heads count.
def total_loss(outputs, labels, weight=0.3):
    """Cross-entropy of the logits, plus weight times that of each auxiliary head, if there are any.

    outputs: logits (N, K), or (logits, [logits of each head]). labels (N,).
    """
    if isinstance(outputs, torch.Tensor):
        return F.cross_entropy(outputs, labels)
    logits, extra = outputs
    return F.cross_entropy(logits, labels) + weight * sum(
        F.cross_entropy(e, labels) for e in extra[:1]
    )


# %% Weight built in exercise="total-loss" covers=[25]
# The weight is an argument.
def total_loss(outputs, labels, weight=0.3):
    """Cross-entropy of the logits, plus weight times that of each auxiliary head, if there are any.

    outputs: logits (N, K), or (logits, [logits of each head]). labels (N,).
    """
    if isinstance(outputs, torch.Tensor):
        return F.cross_entropy(outputs, labels)
    logits, extra = outputs
    return F.cross_entropy(logits, labels) + 0.3 * sum(F.cross_entropy(e, labels) for e in extra)


# %% Summed over the batch exercise="total-loss" covers=[61]
# The loss is the mean over the batch.
def total_loss(outputs, labels, weight=0.3):
    """Cross-entropy of the logits, plus weight times that of each auxiliary head, if there are any.

    outputs: logits (N, K), or (logits, [logits of each head]). labels (N,).
    """
    if isinstance(outputs, torch.Tensor):
        return F.cross_entropy(outputs, labels)
    logits, extra = outputs
    return F.cross_entropy(logits, labels, reduction="sum") + weight * sum(
        F.cross_entropy(e, labels) for e in extra
    )


# %% Eval mode without a loss exercise="total-loss"
# In eval mode there is a tensor, and its cross-entropy is the loss.
def total_loss(outputs, labels, weight=0.3):
    """Cross-entropy of the logits, plus weight times that of each auxiliary head, if there are any.

    outputs: logits (N, K), or (logits, [logits of each head]). labels (N,).
    """
    if isinstance(outputs, torch.Tensor):
        return torch.zeros(())
    logits, extra = outputs
    return F.cross_entropy(logits, labels) + weight * sum(F.cross_entropy(e, labels) for e in extra)


# %% Written with log_softmax and a loop exercise="total-loss" right=true
def total_loss(outputs, labels, weight=0.3):
    """One loop over (factor, logits)."""
    terms = [(1.0, outputs)]
    if isinstance(outputs, (tuple, list)):
        terms = [(1.0, outputs[0])] + [(weight, head) for head in outputs[1]]
    loss = 0.0
    for factor, logits in terms:
        chosen = logits.log_softmax(dim=1).gather(1, labels.reshape(-1, 1))
        loss = loss - factor * chosen.mean()
    return loss


# %% What is kept exercise="q-protocol"
# You gave the share that is kept.
# q_thrown_away: percent; q_passes: forward passes; q_left: percentage points
q_thrown_away = 52.3
q_passes = 1008
q_left = 1.42


# %% Crops without networks exercise="q-protocol"
# Seven networks look at each of the 144 crops.
# q_thrown_away: percent; q_passes: forward passes; q_left: percentage points
q_thrown_away = 47.7
q_passes = 144
q_left = 1.42


# %% Difference between the wrong rows exercise="q-protocol"
# Seven networks with one crop: 8.09% against 6.67%.
# q_thrown_away: percent; q_passes: forward passes; q_left: percentage points
q_thrown_away = 47.7
q_passes = 1008
q_left = 1.98


# %% Batch normalisation in 2014 exercise="q-statements"
# Batch normalisation is from 2015: the network after GoogLeNet has it.
# q_statements: a dict from the six keys to True or False
q_statements = {"bn": True, "lrn": True, "fc": True, "pool": False, "aux": False, "winner": True}


# %% No FC layer at all exercise="q-statements"
# One linear layer is left, 1024 to 1000.
# q_statements: a dict from the six keys to True or False
q_statements = {"bn": False, "lrn": True, "fc": False, "pool": False, "aux": False, "winner": True}


# %% Pooling that halves, in a module exercise="q-statements"
# Inside a module the pooling has stride 1.
# q_statements: a dict from the six keys to True or False
q_statements = {"bn": False, "lrn": True, "fc": True, "pool": True, "aux": False, "winner": True}


# %% VGG the winner exercise="q-statements"
# VGG came second in classification; it won localisation.
# q_statements: a dict from the six keys to True or False
q_statements = {"bn": False, "lrn": True, "fc": True, "pool": False, "aux": False, "winner": False}


# %% [markdown]
# ## Mutants that no test should tell from the solution


# %% A matrix product acts on the last axis, however many come before exercise="conv1x1" equivalent=true
# Torch multiplies (N, H, W, C) by (C, K) as it does (N·H·W, C).
# - pixels = x.permute(0, 2, 3, 1).reshape(-1, channels)
# + pixels = x.permute(0, 2, 3, 1)


# %% A mean over two axes has no order exercise="gap" equivalent=true
# Rows and columns are averaged together.
# - return x.mean(dim=(2, 3))
# + return x.mean(dim=(3, 2))


# %% The keys of a dict have no order exercise="compare" equivalent=true
# The result is asked by its keys.
# - return {column: total(others, column, kinds) / total(rows, column, kinds) for column in ('kb', 'params', 'macs')}
# + return {column: total(others, column, kinds) / total(rows, column, kinds) for column in ('params', 'kb', 'macs')}
# + return {column: total(others, column, kinds) / total(rows, column, kinds) for column in ('kb', 'macs', 'params')}


# %% Stages ascend in a body exercise="googlenet-body" equivalent=true
# A stage that differs from the one before it is a later one.
# - if stage is not None and key[0] != stage:
# + if stage is not None and key[0] > stage:


# %% A sum of channels has no order exercise="googlenet" equivalent=true
# The last module's channels are added up.
# - n1, _, n3, _, n5, pool = list(table.values())[-1]
# + n1, _, n3, _, pool, n5 = list(table.values())[-1]


# %% Stages ascend in a table; a distance has no direction; one in a million exercise="exact-table" equivalent=true
# A million and one is closer than the tests look.
# - if stage is not None and key[0] != stage:
# + if stage is not None and key[0] > stage:
# - exact[key] = {'params': weights / 1024, 'ops': macs / 1000000.0}
# + exact[key] = {'params': weights / 1024, 'ops': macs / 1000001.0}
# - return [(key, column) for key, cells in printed.items() for column, number in cells.items() if abs(number - exact[key][column]) > slack]
# + return [(key, column) for key, cells in printed.items() for column, number in cells.items() if abs(exact[key][column] - number) > slack]


# %% Depths are added up in any order exercise="naive-growth" equivalent=true
# The depth of a naive module is the sum of its four arguments.
# - c_in = naive_depth(c_in, n1, n3, n5)
# + c_in = naive_depth(n1, c_in, n3, n5)
# + c_in = naive_depth(c_in, n3, n1, n5)
# + c_in = naive_depth(c_in, n1, n5, n3)


# %% Maps of 14 and of 15 pixels leave four positions exercise="aux-head" equivalent=true
# A window of 5 with stride 3 fits four times into 14, 15 and 16.
# - def __init__(self, c_in, classes=1000, size=14, width=128, hidden=1024):
# + def __init__(self, c_in, classes=1000, size=15, width=128, hidden=1024):
