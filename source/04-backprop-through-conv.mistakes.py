# %% [markdown]
# ## Layouts, and the lecture's sum


# %% Input and output channels swapped in the layout exercise="q-layout" covers=[5]
# The lecture's last index is the output channel, and the course wants it first: OIHW is output,
# input, rows, columns.
q_layout = "b"


# %% Rows and columns swapped in the layout exercise="q-layout" covers=[17]
# Rows stay rows: 5 is the kernel's height in both layouts, so it comes before 3.
q_layout = "c"


# %% Only the channel pair moved exercise="q-layout"
# Here the kernel's rows and columns come first. OIHW has them last.
q_layout = "d"


# %% Reshaped instead of transposed exercise="layouts"
# You used reshape: it keeps the numbers in memory order and only cuts them up differently. The
# axes have to be moved.
def to_nchw(u):
    N, H, W, C = u.shape
    return u.reshape(N, C, H, W)


def to_oihw(w):
    KH, KW, C, F = w.shape
    return w.reshape(F, C, KH, KW)


# %% Rows and columns of the filters swapped exercise="layouts" covers=[3]
# The filters come out with rows and columns exchanged: reading the axes backwards (`.T`) turns
# the kernel round its diagonal.
def to_nchw(u):
    """Images of the slides, (N, H, W, C), in the course's layout (N, C, H, W)."""
    return u.transpose(0, 3, 1, 2)


def to_oihw(w):
    """Filters of the slides, (KH, KW, C, F), in the course's layout (F, C, KH, KW)."""
    return w.T


# %% Input and output channels of the filters swapped exercise="layouts" covers=[5]
# The last axis of the lecture's filters counts the output channels; the course wants those first.
def to_nchw(u):
    """Images of the slides, (N, H, W, C), in the course's layout (N, C, H, W)."""
    return u.transpose(0, 3, 1, 2)


def to_oihw(w):
    """Filters of the slides, (KH, KW, C, F), in the course's layout (F, C, KH, KW)."""
    return w.transpose(2, 3, 0, 1)


# %% The last row that exists exercise="q-lecture-bounds"
# That is the last row there is. Put the largest i₁ and the largest k₁ of the printed sum together
# and see what it asks for.
q_lecture_bounds = 7


# %% Rows counted in Z exercise="q-lecture-bounds"
# 6 is the largest i₁, a row of Z. The sum reads U at i₁ + k₁.
q_lecture_bounds = 6


# %% Filter entries counted from 1 exercise="q-lecture-bounds"
# k₁ runs from 0 to K₁ − 1, so the largest one is 2, not 3.
q_lecture_bounds = 9


# %% Axes moved one by one exercise="layouts" right=true
def to_nchw(u):
    return np.moveaxis(u, -1, 1)


def to_oihw(w):
    return np.einsum("klcf->fckl", w)


# %% [markdown]
# ## db


# %% No gradient for the bias exercise="conv2d-db" covers=[45]
# This returns None. The bias is a parameter like the filters and has a gradient: a sum over
# samples and positions.
def conv2d_db(dz):
    return None


# %% Mean instead of sum for the bias exercise="conv2d-db" covers=[46]
# You took a mean. The bias is added at every position of every sample, so its gradient is the
# sum; the mean over the batch is already inside dz.
def conv2d_db(dz):
    """Gradient for the biases from dz (N, F, OH, OW); returns (F,)."""
    return dz.mean(axis=(0, 2, 3))  # (F,)


# %% Positions not summed for the bias exercise="conv2d-db" covers=[47]
# The sum over rows and columns is missing: one bias serves all positions of its feature map.
def conv2d_db(dz):
    """Gradient for the biases from dz (N, F, OH, OW); returns (F,)."""
    return dz.sum(axis=0)  # (F,)


# %% Samples not summed for the bias exercise="conv2d-db" covers=[48]
# The sum over the batch is missing: one bias serves all samples.
def conv2d_db(dz):
    """Gradient for the biases from dz (N, F, OH, OW); returns (F,)."""
    return dz.sum(axis=(2, 3))  # (F,)


# %% Bias gradient divided by the batch exercise="conv2d-db"
# You divided by the number of samples. If the loss is a mean, dz holds that factor already;
# dividing again shrinks the gradient.
def conv2d_db(dz):
    """Gradient for the biases from dz (N, F, OH, OW); returns (F,)."""
    return dz.sum(axis=(0, 2, 3)) / len(dz)  # (F,)


# %% Bias gradient by einsum exercise="conv2d-db" right=true
def conv2d_db(dz):
    return np.einsum("nfij->f", dz)


# %% Bias gradient as a list of loops exercise="conv2d-db" right=true
def conv2d_db(dz):
    return [float(np.sum(dz[:, f])) for f in range(dz.shape[1])]


# %% [markdown]
# ## dW


# %% The samples' gradients not added exercise="q-batch-of-four" covers=[42]
# The four gradients add up: the same filter was used four times as often. A mean over the batch
# would show in dz, which the question fixes.
q_batch_of_four = 1


# %% The batch counted twice exercise="q-batch-of-four"
# Each sample adds its A once: four samples, four times A.
q_batch_of_four = 16


# %% Filter gradient overwritten at every position exercise="conv2d-dw" covers=[41]
# Each position replaces the sum so far, so only the last window counts. The filter was used at
# all positions: add up.
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    """Gradient for the filters from dz (N, F, OH, OW) and x (N, C, H, W); returns (F, C, KH, KW)."""
    KH, KW = kernel_size
    N, F, OH, OW = dz.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dw = np.zeros((F, x.shape[1], KH, KW))
    for i in range(OH):
        for j in range(OW):
            row, column = i * stride, j * stride
            window = x[:, :, row : row + KH, column : column + KW]  # (N, C, KH, KW)
            dw = np.einsum("nf,nckl->fckl", dz[:, :, i, j], window)
    return dw


# %% Filter gradient of the last sample only exercise="conv2d-dw" covers=[42]
# Only one sample of the batch reaches the result. All samples use the same filter: their
# gradients add up.
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    """Gradient for the filters from dz (N, F, OH, OW) and x (N, C, H, W); returns (F, C, KH, KW)."""
    KH, KW = kernel_size
    N, F, OH, OW = dz.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dw = np.zeros((F, x.shape[1], KH, KW))
    for i in range(OH):
        for j in range(OW):
            row, column = i * stride, j * stride
            window = x[:, :, row : row + KH, column : column + KW]  # (N, C, KH, KW)
            dw += np.einsum("f,ckl->fckl", dz[-1, :, i, j], window[-1])
    return dw


# %% Filter gradient divided by the batch exercise="conv2d-dw" covers=[43]
# You divided by N. The loss's mean has put that factor into dz already: it must not come in
# twice.
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    """Gradient for the filters from dz (N, F, OH, OW) and x (N, C, H, W); returns (F, C, KH, KW)."""
    KH, KW = kernel_size
    N, F, OH, OW = dz.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dw = np.zeros((F, x.shape[1], KH, KW))
    for i in range(OH):
        for j in range(OW):
            row, column = i * stride, j * stride
            window = x[:, :, row : row + KH, column : column + KW]  # (N, C, KH, KW)
            dw += np.einsum("nf,nckl->fckl", dz[:, :, i, j], window)
    return dw / N


# %% Filter gradient from the unpadded input exercise="conv2d-dw" covers=[44]
# The windows are cut from x without its padding. The filter saw the padded image, so its gradient
# must be built from it.
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    KH, KW = kernel_size
    dw = np.zeros((dz.shape[1], x.shape[1], KH, KW))
    for i in range(dz.shape[2]):
        for j in range(dz.shape[3]):
            window = x[:, :, i * stride : i * stride + KH, j * stride : j * stride + KW]
            KI, KJ = window.shape[2:]
            dw[:, :, :KI, :KJ] += np.einsum("nf,nckl->fckl", dz[:, :, i, j], window)
    return dw


# %% Stride ignored in the filter gradient exercise="conv2d-dw" covers=[53]
# The windows lie side by side at distance 1. With stride S output (i, j) saw the window that
# starts at (i·S, j·S).
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    """Gradient for the filters from dz (N, F, OH, OW) and x (N, C, H, W); returns (F, C, KH, KW)."""
    KH, KW = kernel_size
    N, F, OH, OW = dz.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dw = np.zeros((F, x.shape[1], KH, KW))
    for i in range(OH):
        for j in range(OW):
            row, column = i, j
            window = x[:, :, row : row + KH, column : column + KW]  # (N, C, KH, KW)
            dw += np.einsum("nf,nckl->fckl", dz[:, :, i, j], window)
    return dw


# %% Stride on rows only in the filter gradient exercise="conv2d-dw" covers=[19]
# Rows move by the stride, columns by 1. The stride holds in both directions.
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    """Gradient for the filters from dz (N, F, OH, OW) and x (N, C, H, W); returns (F, C, KH, KW)."""
    KH, KW = kernel_size
    N, F, OH, OW = dz.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dw = np.zeros((F, x.shape[1], KH, KW))
    for i in range(OH):
        for j in range(OW):
            row, column = i * stride, j
            window = x[:, :, row : row + KH, column : column + KW]  # (N, C, KH, KW)
            dw += np.einsum("nf,nckl->fckl", dz[:, :, i, j], window)
    return dw


# %% Upstream gradient ignored in the filter gradient exercise="conv2d-dw" covers=[54]
# The windows are summed, but not weighted with dz. By the chain rule each window counts as much
# as the gradient of the output that it made.
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    """Gradient for the filters from dz (N, F, OH, OW) and x (N, C, H, W); returns (F, C, KH, KW)."""
    KH, KW = kernel_size
    N, F, OH, OW = dz.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dw = np.zeros((F, x.shape[1], KH, KW))
    for i in range(OH):
        for j in range(OW):
            row, column = i * stride, j * stride
            window = x[:, :, row : row + KH, column : column + KW]  # (N, C, KH, KW)
            dw += np.einsum("nf,nckl->fckl", np.ones((N, F)), window)
    return dw


# %% dz flipped in the filter gradient exercise="conv2d-dw" covers=[1]
# You slide dz flipped over the input: a convolution. The gradient for the filters is the cross-
# correlation, output (i, j) with its own window.
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    """Gradient for the filters from dz (N, F, OH, OW) and x (N, C, H, W); returns (F, C, KH, KW)."""
    KH, KW = kernel_size
    N, F, OH, OW = dz.shape
    dz = dz[:, :, ::-1, ::-1]
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dw = np.zeros((F, x.shape[1], KH, KW))
    for i in range(OH):
        for j in range(OW):
            row, column = i * stride, j * stride
            window = x[:, :, row : row + KH, column : column + KW]  # (N, C, KH, KW)
            dw += np.einsum("nf,nckl->fckl", dz[:, :, i, j], window)
    return dw


# %% Filter axes swapped in the gradient exercise="conv2d-dw" covers=[5]
# Your gradient has input and output channels exchanged. dw must look like w: (F, C, KH, KW).
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    """Gradient for the filters from dz (N, F, OH, OW) and x (N, C, H, W); returns (F, C, KH, KW)."""
    KH, KW = kernel_size
    N, F, OH, OW = dz.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dw = np.zeros((x.shape[1], F, KH, KW))
    for i in range(OH):
        for j in range(OW):
            row, column = i * stride, j * stride
            window = x[:, :, row : row + KH, column : column + KW]  # (N, C, KH, KW)
            dw += np.einsum("nf,nckl->cfkl", dz[:, :, i, j], window)
    return dw


# %% Square kernel assumed in the filter gradient exercise="conv2d-dw" covers=[20]
# Only the kernel's height is used, for both directions. Take KH and KW from kernel_size.
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    """Gradient for the filters from dz (N, F, OH, OW) and x (N, C, H, W); returns (F, C, KH, KW)."""
    KH = KW = kernel_size[0]
    N, F, OH, OW = dz.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dw = np.zeros((F, x.shape[1], KH, KW))
    for i in range(OH):
        for j in range(OW):
            row, column = i * stride, j * stride
            window = x[:, :, row : row + KH, column : column + KW]  # (N, C, KH, KW)
            dw += np.einsum("nf,nckl->fckl", dz[:, :, i, j], window)
    return dw


# %% Padding on one side only exercise="conv2d-dw" covers=[11]
# You pad above and to the left only. Padding P adds P rows and columns on all four sides.
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    """Gradient for the filters from dz (N, F, OH, OW) and x (N, C, H, W); returns (F, C, KH, KW)."""
    KH, KW = kernel_size
    N, F, OH, OW = dz.shape
    x = np.pad(x, ((0, 0), (0, 0), (2 * padding, 0), (2 * padding, 0)))
    dw = np.zeros((F, x.shape[1], KH, KW))
    for i in range(OH):
        for j in range(OW):
            row, column = i * stride, j * stride
            window = x[:, :, row : row + KH, column : column + KW]  # (N, C, KH, KW)
            dw += np.einsum("nf,nckl->fckl", dz[:, :, i, j], window)
    return dw


# %% The border repeated instead of zeros exercise="conv2d-dw" covers=[13]
# You pad with copies of the border. The forward pass saw zeros there.
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    """Gradient for the filters from dz (N, F, OH, OW) and x (N, C, H, W); returns (F, C, KH, KW)."""
    KH, KW = kernel_size
    N, F, OH, OW = dz.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), mode="edge")
    dw = np.zeros((F, x.shape[1], KH, KW))
    for i in range(OH):
        for j in range(OW):
            row, column = i * stride, j * stride
            window = x[:, :, row : row + KH, column : column + KW]  # (N, C, KH, KW)
            dw += np.einsum("nf,nckl->fckl", dz[:, :, i, j], window)
    return dw


# %% Batch and channel axes padded too exercise="conv2d-dw" covers=[12]
# np.pad with one number pads every axis, samples and channels too. Name the widths axis by axis.
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    """Gradient for the filters from dz (N, F, OH, OW) and x (N, C, H, W); returns (F, C, KH, KW)."""
    KH, KW = kernel_size
    N, F, OH, OW = dz.shape
    x = np.pad(x, padding)[:N]
    dw = np.zeros((F, x.shape[1], KH, KW))
    for i in range(OH):
        for j in range(OW):
            row, column = i * stride, j * stride
            window = x[:, :, row : row + KH, column : column + KW]  # (N, C, KH, KW)
            dw += np.einsum("nf,nckl->fckl", dz[:, :, i, j], window)
    return dw


# %% Loop over the input's positions exercise="conv2d-dw"
# The loop counts rows and columns of the input at stride 1 and asks dz for outputs that do not
# exist. Loop over dz's positions.
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    """Gradient for the filters from dz (N, F, OH, OW) and x (N, C, H, W); returns (F, C, KH, KW)."""
    KH, KW = kernel_size
    N, F, OH, OW = dz.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    dw = np.zeros((F, x.shape[1], KH, KW))
    for i in range(x.shape[2] - KH + 1):
        for j in range(x.shape[3] - KW + 1):
            row, column = i * stride, j * stride
            window = x[:, :, row : row + KH, column : column + KW]  # (N, C, KH, KW)
            dw += np.einsum("nf,nckl->fckl", dz[:, :, i, j], window)
    return dw


# %% Filter gradient by a loop over kernel entries exercise="conv2d-dw" right=true
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    KH, KW = kernel_size
    N, F, OH, OW = dz.shape
    wide = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    dw = np.empty((F, x.shape[1], KH, KW))
    for k in range(KH):
        for m in range(KW):
            seen = wide[:, :, k : k + stride * OH : stride, m : m + stride * OW : stride]
            dw[:, :, k, m] = np.tensordot(dz, seen, ([0, 2, 3], [0, 2, 3]))
    return dw


# %% Filter gradient in six plain loops exercise="conv2d-dw" right=true
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    N, C, H, W = x.shape
    dw = np.zeros((dz.shape[1], C) + tuple(kernel_size))
    for n, f, i, j in np.ndindex(*dz.shape):
        for k, m in np.ndindex(*kernel_size):
            row, column = i * stride + k - padding, j * stride + m - padding
            if 0 <= row < H and 0 <= column < W:
                dw[f, :, k, m] += dz[n, f, i, j] * x[n, :, row, column]
    return dw


# %% Filter gradient in float32 with a sliding window exercise="conv2d-dw" right=true
def conv2d_dw(dz, x, kernel_size, stride=1, padding=0):
    p = padding
    x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p))).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(x, tuple(kernel_size), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride][:, :, : dz.shape[2], : dz.shape[3]]
    return np.einsum("nfij,ncijkl->fckl", dz.astype(np.float32), windows)


# %% dz flipped by hand exercise="q-dw-row" covers=[1]
# 7 comes from dz turned round, 3 first. The first output saw x[0], x[1] and has the gradient
# dz[0] = 1: no flip.
q_dw_row = 7


# %% One window only exercise="q-dw-row" covers=[42]
# That is the share of the first output alone. dw[0] met x[0], x[1] and x[2], one for each entry
# of dz.
q_dw_row = 1


# %% [markdown]
# ## dX


# %% The kernel not turned round exercise="q-dx-row" covers=[49]
# 8 is what sliding w over dz without a flip gives. Stamp instead: 5 × w starts at 0, 1 × w at 2.
q_dx_row = 8


# %% Stamps not added exercise="q-dx-row" covers=[38]
# That is the share of the first stamp alone. The last stamp starts at position 2 and adds its
# first entry.
q_dx_row = 15


# %% Stamps replace each other exercise="conv2d-dx"
# Where windows overlap your stamps replace each other. A pixel collects from every output that it
# took part in.
def conv2d_dx(dz, w, x_shape, stride=1, padding=0):
    """Gradient for the input from dz (N, F, OH, OW) and w (F, C, KH, KW); returns x_shape."""
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for i in range(dz.shape[2]):
        for j in range(dz.shape[3]):
            row, column = i * stride, j * stride
            stamp = np.einsum("nf,fckl->nckl", dz[:, :, i, j], w)  # (N, C, KH, KW)
            dx[:, :, row : row + KH, column : column + KW] = stamp
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Padding kept in the input gradient exercise="conv2d-dx" covers=[50]
# Your result still has the padding around it. The padding is no part of x: crop it, and dx has
# the shape of x.
def conv2d_dx(dz, w, x_shape, stride=1, padding=0):
    """Gradient for the input from dz (N, F, OH, OW) and w (F, C, KH, KW); returns x_shape."""
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for i in range(dz.shape[2]):
        for j in range(dz.shape[3]):
            row, column = i * stride, j * stride
            stamp = np.einsum("nf,fckl->nckl", dz[:, :, i, j], w)  # (N, C, KH, KW)
            dx[:, :, row : row + KH, column : column + KW] += stamp
    return dx


# %% Cropped from the corner exercise="conv2d-dx" covers=[51]
# You keep the upper left corner. x lay P rows and columns further in: the middle is what belongs
# to it.
def conv2d_dx(dz, w, x_shape, stride=1, padding=0):
    """Gradient for the input from dz (N, F, OH, OW) and w (F, C, KH, KW); returns x_shape."""
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for i in range(dz.shape[2]):
        for j in range(dz.shape[3]):
            row, column = i * stride, j * stride
            stamp = np.einsum("nf,fckl->nckl", dz[:, :, i, j], w)  # (N, C, KH, KW)
            dx[:, :, row : row + KH, column : column + KW] += stamp
    return dx[:, :, :H, :W]


# %% Cropped with p to minus p exercise="conv2d-dx" covers=[52]
# With padding 0 the slice p:-p is 0:0, which is empty. Write where the middle ends: p : p + H.
def conv2d_dx(dz, w, x_shape, stride=1, padding=0):
    """Gradient for the input from dz (N, F, OH, OW) and w (F, C, KH, KW); returns x_shape."""
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for i in range(dz.shape[2]):
        for j in range(dz.shape[3]):
            row, column = i * stride, j * stride
            stamp = np.einsum("nf,fckl->nckl", dz[:, :, i, j], w)  # (N, C, KH, KW)
            dx[:, :, row : row + KH, column : column + KW] += stamp
    return dx[:, :, padding:-padding, padding:-padding]


# %% Stride ignored in the input gradient exercise="conv2d-dx" covers=[53]
# The stamps lie 1 apart. Output (i, j) came from the window at (i·S, j·S).
def conv2d_dx(dz, w, x_shape, stride=1, padding=0):
    """Gradient for the input from dz (N, F, OH, OW) and w (F, C, KH, KW); returns x_shape."""
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for i in range(dz.shape[2]):
        for j in range(dz.shape[3]):
            row, column = i, j
            stamp = np.einsum("nf,fckl->nckl", dz[:, :, i, j], w)  # (N, C, KH, KW)
            dx[:, :, row : row + KH, column : column + KW] += stamp
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Kernel flipped while stamping exercise="conv2d-dx" covers=[49]
# You stamp the flipped kernel. The flip belongs to the other picture, the full convolution; a
# stamp lays w down as it was.
def conv2d_dx(dz, w, x_shape, stride=1, padding=0):
    """Gradient for the input from dz (N, F, OH, OW) and w (F, C, KH, KW); returns x_shape."""
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for i in range(dz.shape[2]):
        for j in range(dz.shape[3]):
            row, column = i * stride, j * stride
            stamp = np.einsum("nf,fckl->nckl", dz[:, :, i, j], w[:, :, ::-1, ::-1])  # (N, C, KH, KW)
            dx[:, :, row : row + KH, column : column + KW] += stamp
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Upstream gradient ignored in the input gradient exercise="conv2d-dx" covers=[54]
# The kernels are stamped unweighted. Each stamp counts as much as the upstream gradient of its
# output.
def conv2d_dx(dz, w, x_shape, stride=1, padding=0):
    """Gradient for the input from dz (N, F, OH, OW) and w (F, C, KH, KW); returns x_shape."""
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for i in range(dz.shape[2]):
        for j in range(dz.shape[3]):
            row, column = i * stride, j * stride
            stamp = np.einsum("nf,fckl->nckl", np.ones_like(dz[:, :, i, j]), w)  # (N, C, KH, KW)
            dx[:, :, row : row + KH, column : column + KW] += stamp
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Only the last filter stamped exercise="conv2d-dx" covers=[6]
# Only one filter's stamp arrives. A pixel took part in the outputs of all filters: sum over f.
def conv2d_dx(dz, w, x_shape, stride=1, padding=0):
    """Gradient for the input from dz (N, F, OH, OW) and w (F, C, KH, KW); returns x_shape."""
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for i in range(dz.shape[2]):
        for j in range(dz.shape[3]):
            row, column = i * stride, j * stride
            stamp = np.einsum("n,ckl->nckl", dz[:, -1, i, j], w[-1])  # (N, C, KH, KW)
            dx[:, :, row : row + KH, column : column + KW] += stamp
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Rows and columns of the input swapped exercise="conv2d-dx" covers=[17]
# Height and width are exchanged: rectangular inputs come out with the wrong shape. x_shape is (N,
# C, H, W).
def conv2d_dx(dz, w, x_shape, stride=1, padding=0):
    """Gradient for the input from dz (N, F, OH, OW) and w (F, C, KH, KW); returns x_shape."""
    N, C, W, H = x_shape
    KH, KW = w.shape[2:]
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for i in range(dz.shape[2]):
        for j in range(dz.shape[3]):
            row, column = i * stride, j * stride
            stamp = np.einsum("nf,fckl->nckl", dz[:, :, i, j], w)  # (N, C, KH, KW)
            dx[:, :, row : row + KH, column : column + KW] += stamp
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Input size guessed from the output exercise="conv2d-dx"
# You compute the input's size from dz. Several inputs give the same output size when the stride
# does not divide; x_shape says which one it was.
def conv2d_dx(dz, w, x_shape, stride=1, padding=0):
    """Gradient for the input from dz (N, F, OH, OW) and w (F, C, KH, KW); returns x_shape."""
    N, C, _, _ = x_shape
    KH, KW = w.shape[2:]
    H = (dz.shape[2] - 1) * stride + KH - 2 * padding
    W = (dz.shape[3] - 1) * stride + KW - 2 * padding
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for i in range(dz.shape[2]):
        for j in range(dz.shape[3]):
            row, column = i * stride, j * stride
            stamp = np.einsum("nf,fckl->nckl", dz[:, :, i, j], w)  # (N, C, KH, KW)
            dx[:, :, row : row + KH, column : column + KW] += stamp
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Kernel size taken as square exercise="conv2d-dx" covers=[20]
# The kernel's height is used for both directions. KH and KW may differ.
def conv2d_dx(dz, w, x_shape, stride=1, padding=0):
    """Gradient for the input from dz (N, F, OH, OW) and w (F, C, KH, KW); returns x_shape."""
    N, C, H, W = x_shape
    KH = KW = w.shape[2]
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for i in range(dz.shape[2]):
        for j in range(dz.shape[3]):
            row, column = i * stride, j * stride
            stamp = np.einsum("nf,fckl->nckl", dz[:, :, i, j], w)  # (N, C, KH, KW)
            dx[:, :, row : row + KH, column : column + KW] += stamp
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Input gradient gathered pixel by pixel exercise="conv2d-dx" right=true
def conv2d_dx(dz, w, x_shape, stride=1, padding=0):
    dx = np.zeros(x_shape)
    OH, OW = dz.shape[2:]
    for r, s in np.ndindex(*x_shape[2:]):
        for k, m in np.ndindex(*w.shape[2:]):
            i, left = divmod(r + padding - k, stride)
            j, over = divmod(s + padding - m, stride)
            if left == over == 0 and 0 <= i < OH and 0 <= j < OW:
                dx[:, :, r, s] += dz[:, :, i, j] @ w[:, :, k, m]
    return dx


# %% Input gradient by a loop over kernel entries exercise="conv2d-dx" right=true
def conv2d_dx(dz, w, x_shape, stride=1, padding=0):
    N, C, H, W = x_shape
    OH, OW = dz.shape[2:]
    wide = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for k in range(w.shape[2]):
        for m in range(w.shape[3]):
            share = np.tensordot(dz, w[:, :, k, m], axes=(1, 0)).transpose(0, 3, 1, 2)
            wide[:, :, k : k + stride * OH : stride, m : m + stride * OW : stride] += share
    if padding:
        wide = wide[:, :, padding:-padding, padding:-padding]
    return wide


# %% All kernels said to reveal the flip exercise="q-kernels-that-reveal"
# Turn each kernel by 180°, rows and columns both. Does it change? A kernel that stays the same
# cannot show a missing flip.
q_kernels_that_reveal = 9


# %% Only the identity said to be symmetric exercise="q-kernels-that-reveal"
# Turn each kernel by 180°, rows and columns both, and compare it with itself: also the first edge
# kernel, whose corners are 1, −1, −1, 1.
q_kernels_that_reveal = 1


# %% Zeros after the last entry too exercise="full-convolution-pieces"
# Your dilated array has zeros outside the last row and column. There are S − 1 zeros between
# neighbours: (OH − 1)·S + 1 rows in all.
def dilate(dz, stride):
    """Zeros between neighbours: (N, F, OH, OW) to (N, F, (OH-1)*stride+1, (OW-1)*stride+1)."""
    N, F, OH, OW = dz.shape
    wide = np.zeros((N, F, OH * stride, OW * stride))
    wide[:, :, ::stride, ::stride] = dz
    return wide


def flipped_filters(w):
    """Filters (F, C, KH, KW) for the way back: both kernel axes flipped, shape (C, F, KH, KW)."""
    return w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)


# %% One axis flipped exercise="full-convolution-pieces" covers=[2]
# Only the rows are flipped. Turning a kernel by 180° reverses rows and columns.
def dilate(dz, stride):
    """Zeros between neighbours: (N, F, OH, OW) to (N, F, (OH-1)*stride+1, (OW-1)*stride+1)."""
    N, F, OH, OW = dz.shape
    wide = np.zeros((N, F, (OH - 1) * stride + 1, (OW - 1) * stride + 1))
    wide[:, :, ::stride, ::stride] = dz
    return wide


def flipped_filters(w):
    """Filters (F, C, KH, KW) for the way back: both kernel axes flipped, shape (C, F, KH, KW)."""
    return w[:, :, ::-1].transpose(1, 0, 2, 3)


# %% Filters not flipped exercise="full-convolution-pieces" covers=[49]
# The kernel axes are not reversed. On the way back a pixel meets the kernel backwards.
def dilate(dz, stride):
    """Zeros between neighbours: (N, F, OH, OW) to (N, F, (OH-1)*stride+1, (OW-1)*stride+1)."""
    N, F, OH, OW = dz.shape
    wide = np.zeros((N, F, (OH - 1) * stride + 1, (OW - 1) * stride + 1))
    wide[:, :, ::stride, ::stride] = dz
    return wide


def flipped_filters(w):
    """Filters (F, C, KH, KW) for the way back: both kernel axes flipped, shape (C, F, KH, KW)."""
    return w.transpose(1, 0, 2, 3)


# %% Kernel transposed instead of flipped exercise="full-convolution-pieces" covers=[3]
# Rows and columns are exchanged, not reversed. A flip keeps KH × KW and turns the order round.
def dilate(dz, stride):
    """Zeros between neighbours: (N, F, OH, OW) to (N, F, (OH-1)*stride+1, (OW-1)*stride+1)."""
    N, F, OH, OW = dz.shape
    wide = np.zeros((N, F, (OH - 1) * stride + 1, (OW - 1) * stride + 1))
    wide[:, :, ::stride, ::stride] = dz
    return wide


def flipped_filters(w):
    """Filters (F, C, KH, KW) for the way back: both kernel axes flipped, shape (C, F, KH, KW)."""
    return w.transpose(1, 0, 3, 2)


# %% Channels reversed too exercise="full-convolution-pieces" covers=[4]
# Every axis is reversed, channels too. Only the two kernel axes are; the channel axes change
# places without being reversed.
def dilate(dz, stride):
    """Zeros between neighbours: (N, F, OH, OW) to (N, F, (OH-1)*stride+1, (OW-1)*stride+1)."""
    N, F, OH, OW = dz.shape
    wide = np.zeros((N, F, (OH - 1) * stride + 1, (OW - 1) * stride + 1))
    wide[:, :, ::stride, ::stride] = dz
    return wide


def flipped_filters(w):
    """Filters (F, C, KH, KW) for the way back: both kernel axes flipped, shape (C, F, KH, KW)."""
    return w[::-1, ::-1, ::-1, ::-1].transpose(1, 0, 2, 3)


# %% Channel axes not swapped exercise="full-convolution-pieces" covers=[5]
# Input and output channels have not changed places. On the way back the output channels are what
# comes in.
def dilate(dz, stride):
    """Zeros between neighbours: (N, F, OH, OW) to (N, F, (OH-1)*stride+1, (OW-1)*stride+1)."""
    N, F, OH, OW = dz.shape
    wide = np.zeros((N, F, (OH - 1) * stride + 1, (OW - 1) * stride + 1))
    wide[:, :, ::stride, ::stride] = dz
    return wide


def flipped_filters(w):
    """Filters (F, C, KH, KW) for the way back: both kernel axes flipped, shape (C, F, KH, KW)."""
    return w[:, :, ::-1, ::-1]


# %% Dilation by a Kronecker product exercise="full-convolution-pieces" right=true
def dilate(dz, stride):
    one = np.zeros((stride, stride))
    one[0, 0] = 1
    wide = np.kron(dz, one)
    end = wide.shape[2] - stride + 1, wide.shape[3] - stride + 1
    return wide[:, :, : end[0], : end[1]]


def flipped_filters(w):
    return np.swapaxes(np.rot90(w, 2, axes=(2, 3)), 0, 1)


# %% Full convolution without the flip exercise="conv2d-dx-full" covers=[49]
# The kernel is slid over dz unflipped. Pixel r was seen by output i through kernel entry r − i:
# backwards.
def conv2d_dx_full(dz, w, x_shape, stride=1, padding=0):
    """The same as conv2d_dx, by one full convolution; returns x_shape."""
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    wide = dilate(dz, stride)
    below = H + 2 * padding - wide.shape[2]
    right = W + 2 * padding - wide.shape[3]
    wide = np.pad(wide, ((0, 0), (0, 0), (KH - 1, below), (KW - 1, right)))
    dx = conv2d_forward(wide, w.transpose(1, 0, 2, 3), np.zeros(C))  # (N, C, H+2P, W+2P)
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Padded by K instead of K minus 1 exercise="conv2d-dx-full"
# One zero too many on top: at the first position the kernel must overlap dz by exactly one entry,
# so K − 1 zeros.
def conv2d_dx_full(dz, w, x_shape, stride=1, padding=0):
    """The same as conv2d_dx, by one full convolution; returns x_shape."""
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    wide = dilate(dz, stride)
    below = H + 2 * padding - wide.shape[2]
    right = W + 2 * padding - wide.shape[3]
    wide = np.pad(wide, ((0, 0), (0, 0), (KH, below - 1), (KW, right - 1)))
    dx = conv2d_forward(wide, flipped_filters(w), np.zeros(C))  # (N, C, H+2P, W+2P)
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Padded evenly although the stride does not divide exercise="conv2d-dx-full"
# You pad K − 1 on both ends. When the stride does not divide, some last rows were seen by nobody:
# add zero rows for them at the far end.
def conv2d_dx_full(dz, w, x_shape, stride=1, padding=0):
    """The same as conv2d_dx, by one full convolution; returns x_shape."""
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    wide = dilate(dz, stride)
    below = KH - 1
    right = KW - 1
    wide = np.pad(wide, ((0, 0), (0, 0), (KH - 1, below), (KW - 1, right)))
    dx = conv2d_forward(wide, flipped_filters(w), np.zeros(C))  # (N, C, H+2P, W+2P)
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Stride ignored in the full convolution exercise="conv2d-dx-full" covers=[53]
# dz is not dilated. With stride S its entries belong S apart.
def conv2d_dx_full(dz, w, x_shape, stride=1, padding=0):
    """The same as conv2d_dx, by one full convolution; returns x_shape."""
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    wide = dz
    below = H + 2 * padding - wide.shape[2]
    right = W + 2 * padding - wide.shape[3]
    wide = np.pad(wide, ((0, 0), (0, 0), (KH - 1, below), (KW - 1, right)))
    dx = conv2d_forward(wide, flipped_filters(w), np.zeros(C))  # (N, C, H+2P, W+2P)
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Stride used a second time exercise="conv2d-dx-full" covers=[53]
# The stride goes into the dilation. The correlation itself slides by 1.
def conv2d_dx_full(dz, w, x_shape, stride=1, padding=0):
    """The same as conv2d_dx, by one full convolution; returns x_shape."""
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    wide = dilate(dz, stride)
    below = H + 2 * padding - wide.shape[2]
    right = W + 2 * padding - wide.shape[3]
    wide = np.pad(wide, ((0, 0), (0, 0), (KH - 1, below), (KW - 1, right)))
    dx = conv2d_forward(wide, flipped_filters(w), np.zeros(C), stride)  # (N, C, H+2P, W+2P)
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Full convolution cropped from the corner exercise="conv2d-dx-full" covers=[51]
# You keep the upper left corner; the middle belongs to x.
def conv2d_dx_full(dz, w, x_shape, stride=1, padding=0):
    """The same as conv2d_dx, by one full convolution; returns x_shape."""
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    wide = dilate(dz, stride)
    below = H + 2 * padding - wide.shape[2]
    right = W + 2 * padding - wide.shape[3]
    wide = np.pad(wide, ((0, 0), (0, 0), (KH - 1, below), (KW - 1, right)))
    dx = conv2d_forward(wide, flipped_filters(w), np.zeros(C))  # (N, C, H+2P, W+2P)
    return dx[:, :, :H, :W]


# %% Rows' padding used for columns exercise="conv2d-dx-full" covers=[20]
# Columns get the padding of rows. A rectangular kernel needs KH − 1 above and KW − 1 to the left.
def conv2d_dx_full(dz, w, x_shape, stride=1, padding=0):
    """The same as conv2d_dx, by one full convolution; returns x_shape."""
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    wide = dilate(dz, stride)
    below = H + 2 * padding - wide.shape[2]
    right = W + 2 * padding - wide.shape[3]
    wide = np.pad(wide, ((0, 0), (0, 0), (KH - 1, below), (KH - 1, right + KW - KH)))
    dx = conv2d_forward(wide, flipped_filters(w), np.zeros(C))  # (N, C, H+2P, W+2P)
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Full convolution with the padding cropped beforehand exercise="conv2d-dx-full" right=true
def conv2d_dx_full(dz, w, x_shape, stride=1, padding=0):
    N, C, H, W = x_shape
    KH, KW = w.shape[2:]
    canvas = np.zeros((N, len(w), H + 2 * padding + KH - 1, W + 2 * padding + KW - 1))
    spread = dilate(dz, stride)
    canvas[:, :, KH - 1 :, KW - 1 :][:, :, : spread.shape[2], : spread.shape[3]] = spread
    canvas = canvas[:, :, padding : padding + H + KH - 1, padding : padding + W + KW - 1]
    return conv2d_forward(canvas, flipped_filters(w), np.zeros(C))


# %% [markdown]
# ## im2col and col2im


# %% Kernel entries before channels exercise="im2col"
# Within a column the kernel entries come first and the channels last. The order must be that of
# w.reshape(F, -1): channel by channel.
def im2col(x, kh, kw, stride=1, padding=0):
    """Windows of x (N, C, H, W) as columns; returns (N, C*kh*kw, OH*OW)."""
    N, C, H, W = x.shape
    OH = (H + 2 * padding - kh) // stride + 1
    OW = (W + 2 * padding - kw) // stride + 1
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.empty((N, C, kh, kw, OH, OW), dtype=x.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + stride * OH, stride)
            cols[:, :, k, m] = x[:, :, rows, m : m + stride * OW : stride]
    return cols.transpose(0, 2, 3, 1, 4, 5).reshape(N, C * kh * kw, OH * OW)


# %% Positions column by column exercise="im2col" covers=[17]
# The positions run down the columns of the image. The product must reshape to (OH, OW): row by
# row.
def im2col(x, kh, kw, stride=1, padding=0):
    """Windows of x (N, C, H, W) as columns; returns (N, C*kh*kw, OH*OW)."""
    N, C, H, W = x.shape
    OH = (H + 2 * padding - kh) // stride + 1
    OW = (W + 2 * padding - kw) // stride + 1
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.empty((N, C, kh, kw, OH, OW), dtype=x.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + stride * OH, stride)
            cols[:, :, k, m] = x[:, :, rows, m : m + stride * OW : stride]
    return cols.transpose(0, 1, 2, 3, 5, 4).reshape(N, C * kh * kw, OH * OW)


# %% Ceil instead of floor exercise="im2col" covers=[14]
# You round the output size up: the last windows hang over the edge. Only windows that lie inside
# the padded image count.
def im2col(x, kh, kw, stride=1, padding=0):
    """Windows of x (N, C, H, W) as columns; returns (N, C*kh*kw, OH*OW)."""
    N, C, H, W = x.shape
    OH = -(-(H + 2 * padding - kh) // stride) + 1
    OW = (W + 2 * padding - kw) // stride + 1
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.empty((N, C, kh, kw, OH, OW), dtype=x.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + stride * OH, stride)
            cols[:, :, k, m] = x[:, :, rows, m : m + stride * OW : stride]
    return cols.reshape(N, C * kh * kw, OH * OW)


# %% The plus 1 forgotten exercise="im2col" covers=[15]
# One position too few: (H + 2P − KH) // S is the number of steps, and there is a window before
# the first step.
def im2col(x, kh, kw, stride=1, padding=0):
    """Windows of x (N, C, H, W) as columns; returns (N, C*kh*kw, OH*OW)."""
    N, C, H, W = x.shape
    OH = (H + 2 * padding - kh) // stride
    OW = (W + 2 * padding - kw) // stride + 1
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.empty((N, C, kh, kw, OH, OW), dtype=x.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + stride * OH, stride)
            cols[:, :, k, m] = x[:, :, rows, m : m + stride * OW : stride]
    return cols.reshape(N, C * kh * kw, OH * OW)


# %% Output width from the height exercise="im2col" covers=[16]
# The width is computed from H. Rectangular images have a width of their own.
def im2col(x, kh, kw, stride=1, padding=0):
    """Windows of x (N, C, H, W) as columns; returns (N, C*kh*kw, OH*OW)."""
    N, C, H, W = x.shape
    OH = (H + 2 * padding - kh) // stride + 1
    OW = (H + 2 * padding - kh) // stride + 1
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.empty((N, C, kh, kw, OH, OW), dtype=x.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + stride * OH, stride)
            cols[:, :, k, m] = x[:, :, rows, m : m + stride * OW : stride]
    return cols.reshape(N, C * kh * kw, OH * OW)


# %% Stride ignored in im2col exercise="im2col" covers=[18]
# The windows are taken at distance 1. With stride S they start S apart.
def im2col(x, kh, kw, stride=1, padding=0):
    """Windows of x (N, C, H, W) as columns; returns (N, C*kh*kw, OH*OW)."""
    N, C, H, W = x.shape
    OH = (H + 2 * padding - kh) // stride + 1
    OW = (W + 2 * padding - kw) // stride + 1
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.empty((N, C, kh, kw, OH, OW), dtype=x.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + OH)
            cols[:, :, k, m] = x[:, :, rows, m : m + OW]
    return cols.reshape(N, C * kh * kw, OH * OW)


# %% Stride on rows only in im2col exercise="im2col" covers=[19]
# Rows move by the stride, columns by 1.
def im2col(x, kh, kw, stride=1, padding=0):
    """Windows of x (N, C, H, W) as columns; returns (N, C*kh*kw, OH*OW)."""
    N, C, H, W = x.shape
    OH = (H + 2 * padding - kh) // stride + 1
    OW = (W + 2 * padding - kw) // stride + 1
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.empty((N, C, kh, kw, OH, OW), dtype=x.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + stride * OH, stride)
            cols[:, :, k, m] = x[:, :, rows, m : m + OW]
    return cols.reshape(N, C * kh * kw, OH * OW)


# %% Integers kept by accident exercise="im2col" covers=[23]
# The columns are stored as integers, so fractions are cut off. Give the array the input's type.
def im2col(x, kh, kw, stride=1, padding=0):
    """Windows of x (N, C, H, W) as columns; returns (N, C*kh*kw, OH*OW)."""
    N, C, H, W = x.shape
    OH = (H + 2 * padding - kh) // stride + 1
    OW = (W + 2 * padding - kw) // stride + 1
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.empty((N, C, kh, kw, OH, OW), dtype=int)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + stride * OH, stride)
            cols[:, :, k, m] = x[:, :, rows, m : m + stride * OW : stride]
    return cols.reshape(N, C * kh * kw, OH * OW)


# %% x padded in place exercise="im2col" covers=[24]
# The function changes the array that it is given. Work on a copy: the caller still needs x.
def im2col(x, kh, kw, stride=1, padding=0):
    """Windows of x (N, C, H, W) as columns; returns (N, C*kh*kw, OH*OW)."""
    N, C, H, W = x.shape
    OH = (H + 2 * padding - kh) // stride + 1
    OW = (W + 2 * padding - kw) // stride + 1
    x *= 1.0000001
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    cols = np.empty((N, C, kh, kw, OH, OW), dtype=x.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + stride * OH, stride)
            cols[:, :, k, m] = x[:, :, rows, m : m + stride * OW : stride]
    return cols.reshape(N, C * kh * kw, OH * OW)


# %% Padding forgotten in im2col exercise="im2col" covers=[44]
# The size counts the padding, the image has none. Pad the last two axes with zeros first.
def im2col(x, kh, kw, stride=1, padding=0):
    """Windows of x (N, C, H, W) as columns; returns (N, C*kh*kw, OH*OW)."""
    N, C, H, W = x.shape
    OH = (H + 2 * padding - kh) // stride + 1
    OW = (W + 2 * padding - kw) // stride + 1
    cols = np.empty((N, C, kh, kw, OH, OW), dtype=x.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + stride * OH, stride)
            cols[:, :, k, m] = x[:, :, rows, m : m + stride * OW : stride]
    return cols.reshape(N, C * kh * kw, OH * OW)


# %% im2col with a sliding window exercise="im2col" right=true
def im2col(x, kh, kw, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    view = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    view = view[:, :, ::stride, ::stride].transpose(0, 1, 4, 5, 2, 3)
    return view.reshape(len(x), x.shape[1] * kh * kw, -1)


# %% im2col window by window exercise="im2col" right=true
def im2col(x, kh, kw, stride=1, padding=0):
    N, C, H, W = x.shape
    wide = np.zeros((N, C, H + 2 * padding, W + 2 * padding), x.dtype)
    wide[:, :, padding : padding + H, padding : padding + W] = x
    columns = []
    for i in range(0, wide.shape[2] - kh + 1, stride):
        for j in range(0, wide.shape[3] - kw + 1, stride):
            columns.append(wide[:, :, i : i + kh, j : j + kw].reshape(N, -1))
    return np.stack(columns, axis=2)


# %% All nine windows exercise="q-overlap" covers=[18]
# That is stride 1. With stride 2 the windows start at 0, 2 and 4 only.
q_overlap = 9


# %% Four windows exercise="q-overlap"
# Four windows meet where row and column are both shared, as at (2, 2). Column 3 lies only in the
# window that starts at column 2.
q_overlap = 4


# %% One window exercise="q-overlap"
# Row 2 lies in the windows that start at row 0 and at row 2.
q_overlap = 1


# %% Copies replace each other exercise="col2im" covers=[38]
# The copies of a pixel replace each other. Their gradients add up.
def col2im(cols, x_shape, kh, kw, stride=1, padding=0):
    """Add every entry of cols (N, C*kh*kw, OH*OW) to the pixel it came from; returns x_shape."""
    N, C, H, W = x_shape
    OH = (H + 2 * padding - kh) // stride + 1
    OW = (W + 2 * padding - kw) // stride + 1
    cols = cols.reshape(N, C, kh, kw, OH, OW)
    x = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + stride * OH, stride)
            x[:, :, rows, m : m + stride * OW : stride] = cols[:, :, k, m]
    return x[:, :, padding : padding + H, padding : padding + W]


# %% Copies averaged exercise="col2im"
# You divide by the number of windows. col2im adds the copies up; it is the transpose of im2col,
# not its inverse.
def col2im(cols, x_shape, kh, kw, stride=1, padding=0):
    """Add every entry of cols (N, C*kh*kw, OH*OW) to the pixel it came from; returns x_shape."""
    N, C, H, W = x_shape
    OH = (H + 2 * padding - kh) // stride + 1
    OW = (W + 2 * padding - kw) // stride + 1
    cols = cols.reshape(N, C, kh, kw, OH, OW)
    x = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + stride * OH, stride)
            x[:, :, rows, m : m + stride * OW : stride] += cols[:, :, k, m]
    count = np.zeros((H + 2 * padding, W + 2 * padding))
    for k in range(kh):
        for m in range(kw):
            count[k : k + stride * OH : stride, m : m + stride * OW : stride] += 1
    x = x / np.maximum(count, 1)
    return x[:, :, padding : padding + H, padding : padding + W]


# %% col2im keeps the padding exercise="col2im" covers=[50]
# The padding is still there. Return the middle, with the shape of x.
def col2im(cols, x_shape, kh, kw, stride=1, padding=0):
    """Add every entry of cols (N, C*kh*kw, OH*OW) to the pixel it came from; returns x_shape."""
    N, C, H, W = x_shape
    OH = (H + 2 * padding - kh) // stride + 1
    OW = (W + 2 * padding - kw) // stride + 1
    cols = cols.reshape(N, C, kh, kw, OH, OW)
    x = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + stride * OH, stride)
            x[:, :, rows, m : m + stride * OW : stride] += cols[:, :, k, m]
    return x


# %% col2im crops with p to minus p exercise="col2im" covers=[52]
# With padding 0 the slice p:-p is empty. Write where the middle ends.
def col2im(cols, x_shape, kh, kw, stride=1, padding=0):
    """Add every entry of cols (N, C*kh*kw, OH*OW) to the pixel it came from; returns x_shape."""
    N, C, H, W = x_shape
    OH = (H + 2 * padding - kh) // stride + 1
    OW = (W + 2 * padding - kw) // stride + 1
    cols = cols.reshape(N, C, kh, kw, OH, OW)
    x = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + stride * OH, stride)
            x[:, :, rows, m : m + stride * OW : stride] += cols[:, :, k, m]
    return x[:, :, padding:-padding, padding:-padding]


# %% col2im ignores the stride exercise="col2im" covers=[53]
# The windows are put back side by side. They were cut S apart.
def col2im(cols, x_shape, kh, kw, stride=1, padding=0):
    """Add every entry of cols (N, C*kh*kw, OH*OW) to the pixel it came from; returns x_shape."""
    N, C, H, W = x_shape
    OH = (H + 2 * padding - kh) // stride + 1
    OW = (W + 2 * padding - kw) // stride + 1
    cols = cols.reshape(N, C, kh, kw, OH, OW)
    x = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + OH)
            x[:, :, rows, m : m + OW] += cols[:, :, k, m]
    return x[:, :, padding : padding + H, padding : padding + W]


# %% col2im with kernel entries before channels exercise="col2im"
# The rows of cols are read in another order than im2col writes them: channel first, then kernel
# row, then kernel column.
def col2im(cols, x_shape, kh, kw, stride=1, padding=0):
    """Add every entry of cols (N, C*kh*kw, OH*OW) to the pixel it came from; returns x_shape."""
    N, C, H, W = x_shape
    OH = (H + 2 * padding - kh) // stride + 1
    OW = (W + 2 * padding - kw) // stride + 1
    cols = cols.reshape(N, kh, kw, C, OH, OW).transpose(0, 3, 1, 2, 4, 5)
    x = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
    for k in range(kh):
        for m in range(kw):
            rows = slice(k, k + stride * OH, stride)
            x[:, :, rows, m : m + stride * OW : stride] += cols[:, :, k, m]
    return x[:, :, padding : padding + H, padding : padding + W]


# %% col2im with np.add.at exercise="col2im" right=true
def col2im(cols, x_shape, kh, kw, stride=1, padding=0):
    N, C, H, W = x_shape
    P = padding
    OH, OW = (H + 2 * P - kh) // stride + 1, (W + 2 * P - kw) // stride + 1
    rows = np.arange(kh)[:, None, None, None] + stride * np.arange(OH)[:, None]
    columns = np.arange(kw)[:, None, None] + stride * np.arange(OW)
    rows, columns = np.broadcast_arrays(rows, columns)
    x = np.zeros((N, C, H + 2 * P, W + 2 * P))
    np.add.at(x, (slice(None), slice(None), rows, columns), cols.reshape(N, C, kh, kw, OH, OW))
    return x[:, :, P : P + H, P : P + W]


# %% [markdown]
# ## The convolution layer


# %% Every filter gets the first bias exercise="conv" covers=[10]
# All feature maps get b[0]. Each filter has a bias of its own: line b up with the filters' axis.
def conv_forward(x, w, b, stride=1, padding=0):
    """Convolve x (N, C, H, W) with w (F, C, KH, KW), b (F,); returns z (N, F, OH, OW), cache."""
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    z = np.empty((N, F, OH * OW), dtype=np.result_type(x, w, b))
    # A few samples at a time: the columns of all would be KH*KW times as large as x (part 5).
    block = max(1, 500_000 // (C * KH * KW * OH * OW))
    for n in range(0, N, block):
        cols = im2col(x[n : n + block], KH, KW, stride, padding)  # (block, C*KH*KW, OH*OW)
        z[n : n + block] = w.reshape(F, -1) @ cols + b[0]
    return z.reshape(N, F, OH, OW), (x, w, stride, padding)


def conv_backward(dz, cache):
    """From dz (N, F, OH, OW) and the cache: dx as x, dw as w, db as b."""
    x, w, stride, padding = cache
    F, _, KH, KW = w.shape
    cols = im2col(x, KH, KW, stride, padding)  # (N, C*KH*KW, OH*OW)
    dz = dz.reshape(len(x), F, -1)  # (N, F, OH*OW)
    dw = (dz @ cols.transpose(0, 2, 1)).sum(axis=0).reshape(w.shape)
    dcols = w.reshape(F, -1).T @ dz  # (N, C*KH*KW, OH*OW)
    dx = col2im(dcols, x.shape, KH, KW, stride, padding)
    return dx, dw, dz.sum(axis=(0, 2))


# %% Bias omitted exercise="conv" covers=[8]
# The bias is not added.
def conv_forward(x, w, b, stride=1, padding=0):
    """Convolve x (N, C, H, W) with w (F, C, KH, KW), b (F,); returns z (N, F, OH, OW), cache."""
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    z = np.empty((N, F, OH * OW), dtype=np.result_type(x, w, b))
    # A few samples at a time: the columns of all would be KH*KW times as large as x (part 5).
    block = max(1, 500_000 // (C * KH * KW * OH * OW))
    for n in range(0, N, block):
        cols = im2col(x[n : n + block], KH, KW, stride, padding)  # (block, C*KH*KW, OH*OW)
        z[n : n + block] = w.reshape(F, -1) @ cols
    return z.reshape(N, F, OH, OW), (x, w, stride, padding)


def conv_backward(dz, cache):
    """From dz (N, F, OH, OW) and the cache: dx as x, dw as w, db as b."""
    x, w, stride, padding = cache
    F, _, KH, KW = w.shape
    cols = im2col(x, KH, KW, stride, padding)  # (N, C*KH*KW, OH*OW)
    dz = dz.reshape(len(x), F, -1)  # (N, F, OH*OW)
    dw = (dz @ cols.transpose(0, 2, 1)).sum(axis=0).reshape(w.shape)
    dcols = w.reshape(F, -1).T @ dz  # (N, C*KH*KW, OH*OW)
    dx = col2im(dcols, x.shape, KH, KW, stride, padding)
    return dx, dw, dz.sum(axis=(0, 2))


# %% Bias added once per channel exercise="conv" covers=[9]
# The bias comes in once for every input channel. It is added once to each output.
def conv_forward(x, w, b, stride=1, padding=0):
    """Convolve x (N, C, H, W) with w (F, C, KH, KW), b (F,); returns z (N, F, OH, OW), cache."""
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    z = np.empty((N, F, OH * OW), dtype=np.result_type(x, w, b))
    # A few samples at a time: the columns of all would be KH*KW times as large as x (part 5).
    block = max(1, 500_000 // (C * KH * KW * OH * OW))
    for n in range(0, N, block):
        cols = im2col(x[n : n + block], KH, KW, stride, padding)  # (block, C*KH*KW, OH*OW)
        z[n : n + block] = w.reshape(F, -1) @ cols + C * b[:, None]
    return z.reshape(N, F, OH, OW), (x, w, stride, padding)


def conv_backward(dz, cache):
    """From dz (N, F, OH, OW) and the cache: dx as x, dw as w, db as b."""
    x, w, stride, padding = cache
    F, _, KH, KW = w.shape
    cols = im2col(x, KH, KW, stride, padding)  # (N, C*KH*KW, OH*OW)
    dz = dz.reshape(len(x), F, -1)  # (N, F, OH*OW)
    dw = (dz @ cols.transpose(0, 2, 1)).sum(axis=0).reshape(w.shape)
    dcols = w.reshape(F, -1).T @ dz  # (N, C*KH*KW, OH*OW)
    dx = col2im(dcols, x.shape, KH, KW, stride, padding)
    return dx, dw, dz.sum(axis=(0, 2))


# %% Mean over the window instead of the sum exercise="conv" covers=[7]
# You divide by the size of the window. A convolution sums the products.
def conv_forward(x, w, b, stride=1, padding=0):
    """Convolve x (N, C, H, W) with w (F, C, KH, KW), b (F,); returns z (N, F, OH, OW), cache."""
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    z = np.empty((N, F, OH * OW), dtype=np.result_type(x, w, b))
    # A few samples at a time: the columns of all would be KH*KW times as large as x (part 5).
    block = max(1, 500_000 // (C * KH * KW * OH * OW))
    for n in range(0, N, block):
        cols = im2col(x[n : n + block], KH, KW, stride, padding)  # (block, C*KH*KW, OH*OW)
        z[n : n + block] = w.reshape(F, -1) @ cols / cols.shape[1] + b[:, None]
    return z.reshape(N, F, OH, OW), (x, w, stride, padding)


def conv_backward(dz, cache):
    """From dz (N, F, OH, OW) and the cache: dx as x, dw as w, db as b."""
    x, w, stride, padding = cache
    F, _, KH, KW = w.shape
    cols = im2col(x, KH, KW, stride, padding)  # (N, C*KH*KW, OH*OW)
    dz = dz.reshape(len(x), F, -1)  # (N, F, OH*OW)
    dw = (dz @ cols.transpose(0, 2, 1)).sum(axis=0).reshape(w.shape)
    dcols = w.reshape(F, -1).T @ dz  # (N, C*KH*KW, OH*OW)
    dx = col2im(dcols, x.shape, KH, KW, stride, padding)
    return dx, dw, dz.sum(axis=(0, 2))


# %% Only the first channel convolved exercise="conv" covers=[6]
# Only the first input channel is used. A filter has a slice for each channel, and their results
# are summed.
def conv_forward(x, w, b, stride=1, padding=0):
    """Convolve x (N, C, H, W) with w (F, C, KH, KW), b (F,); returns z (N, F, OH, OW), cache."""
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    z = np.empty((N, F, OH * OW), dtype=np.result_type(x, w, b))
    # A few samples at a time: the columns of all would be KH*KW times as large as x (part 5).
    block = max(1, 500_000 // (C * KH * KW * OH * OW))
    for n in range(0, N, block):
        cols = im2col(x[n : n + block, :1], KH, KW, stride, padding)
        z[n : n + block] = w[:, 0].reshape(F, -1) @ cols + b[:, None]
    return z.reshape(N, F, OH, OW), (x, w, stride, padding)


def conv_backward(dz, cache):
    """From dz (N, F, OH, OW) and the cache: dx as x, dw as w, db as b."""
    x, w, stride, padding = cache
    F, _, KH, KW = w.shape
    cols = im2col(x, KH, KW, stride, padding)  # (N, C*KH*KW, OH*OW)
    dz = dz.reshape(len(x), F, -1)  # (N, F, OH*OW)
    dw = (dz @ cols.transpose(0, 2, 1)).sum(axis=0).reshape(w.shape)
    dcols = w.reshape(F, -1).T @ dz  # (N, C*KH*KW, OH*OW)
    dx = col2im(dcols, x.shape, KH, KW, stride, padding)
    return dx, dw, dz.sum(axis=(0, 2))


# %% Filters flipped in the forward pass exercise="conv" covers=[1]
# You flip the filters: true convolution. The layer slides them as they are.
def conv_forward(x, w, b, stride=1, padding=0):
    """Convolve x (N, C, H, W) with w (F, C, KH, KW), b (F,); returns z (N, F, OH, OW), cache."""
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    z = np.empty((N, F, OH * OW), dtype=np.result_type(x, w, b))
    # A few samples at a time: the columns of all would be KH*KW times as large as x (part 5).
    block = max(1, 500_000 // (C * KH * KW * OH * OW))
    for n in range(0, N, block):
        cols = im2col(x[n : n + block], KH, KW, stride, padding)  # (block, C*KH*KW, OH*OW)
        z[n : n + block] = w[:, :, ::-1, ::-1].reshape(F, -1) @ cols + b[:, None]
    return z.reshape(N, F, OH, OW), (x, w, stride, padding)


def conv_backward(dz, cache):
    """From dz (N, F, OH, OW) and the cache: dx as x, dw as w, db as b."""
    x, w, stride, padding = cache
    F, _, KH, KW = w.shape
    cols = im2col(x, KH, KW, stride, padding)  # (N, C*KH*KW, OH*OW)
    dz = dz.reshape(len(x), F, -1)  # (N, F, OH*OW)
    dw = (dz @ cols.transpose(0, 2, 1)).sum(axis=0).reshape(w.shape)
    dcols = w.reshape(F, -1).T @ dz  # (N, C*KH*KW, OH*OW)
    dx = col2im(dcols, x.shape, KH, KW, stride, padding)
    return dx, dw, dz.sum(axis=(0, 2))


# %% Output stored as integers exercise="conv" covers=[23]
# The result takes the type of the input: integer pixels cut the fractions off.
def conv_forward(x, w, b, stride=1, padding=0):
    """Convolve x (N, C, H, W) with w (F, C, KH, KW), b (F,); returns z (N, F, OH, OW), cache."""
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    z = np.empty((N, F, OH * OW), dtype=x.dtype)
    # A few samples at a time: the columns of all would be KH*KW times as large as x (part 5).
    block = max(1, 500_000 // (C * KH * KW * OH * OW))
    for n in range(0, N, block):
        cols = im2col(x[n : n + block], KH, KW, stride, padding)  # (block, C*KH*KW, OH*OW)
        z[n : n + block] = w.reshape(F, -1) @ cols + b[:, None]
    return z.reshape(N, F, OH, OW), (x, w, stride, padding)


def conv_backward(dz, cache):
    """From dz (N, F, OH, OW) and the cache: dx as x, dw as w, db as b."""
    x, w, stride, padding = cache
    F, _, KH, KW = w.shape
    cols = im2col(x, KH, KW, stride, padding)  # (N, C*KH*KW, OH*OW)
    dz = dz.reshape(len(x), F, -1)  # (N, F, OH*OW)
    dw = (dz @ cols.transpose(0, 2, 1)).sum(axis=0).reshape(w.shape)
    dcols = w.reshape(F, -1).T @ dz  # (N, C*KH*KW, OH*OW)
    dx = col2im(dcols, x.shape, KH, KW, stride, padding)
    return dx, dw, dz.sum(axis=(0, 2))


# %% Backward overwrites the batch's filter gradient exercise="conv" covers=[42]
# Only the last sample's filter gradient arrives: sum over all samples.
def conv_forward(x, w, b, stride=1, padding=0):
    """Convolve x (N, C, H, W) with w (F, C, KH, KW), b (F,); returns z (N, F, OH, OW), cache."""
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


def conv_backward(dz, cache):
    """From dz (N, F, OH, OW) and the cache: dx as x, dw as w, db as b."""
    x, w, stride, padding = cache
    F, _, KH, KW = w.shape
    cols = im2col(x, KH, KW, stride, padding)  # (N, C*KH*KW, OH*OW)
    dz = dz.reshape(len(x), F, -1)  # (N, F, OH*OW)
    dw = (dz @ cols.transpose(0, 2, 1))[-1].reshape(w.shape)
    dcols = w.reshape(F, -1).T @ dz  # (N, C*KH*KW, OH*OW)
    dx = col2im(dcols, x.shape, KH, KW, stride, padding)
    return dx, dw, dz.sum(axis=(0, 2))


# %% Backward averages the filter gradient exercise="conv" covers=[43]
# The filter gradient is averaged over the batch. The mean already sits in dz: sum.
def conv_forward(x, w, b, stride=1, padding=0):
    """Convolve x (N, C, H, W) with w (F, C, KH, KW), b (F,); returns z (N, F, OH, OW), cache."""
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


def conv_backward(dz, cache):
    """From dz (N, F, OH, OW) and the cache: dx as x, dw as w, db as b."""
    x, w, stride, padding = cache
    F, _, KH, KW = w.shape
    cols = im2col(x, KH, KW, stride, padding)  # (N, C*KH*KW, OH*OW)
    dz = dz.reshape(len(x), F, -1)  # (N, F, OH*OW)
    dw = (dz @ cols.transpose(0, 2, 1)).mean(axis=0).reshape(w.shape)
    dcols = w.reshape(F, -1).T @ dz  # (N, C*KH*KW, OH*OW)
    dx = col2im(dcols, x.shape, KH, KW, stride, padding)
    return dx, dw, dz.sum(axis=(0, 2))


# %% Backward forgets the bias exercise="conv" covers=[45]
# The third result is None: the bias has a gradient too, the sum of dz over samples and positions.
def conv_forward(x, w, b, stride=1, padding=0):
    """Convolve x (N, C, H, W) with w (F, C, KH, KW), b (F,); returns z (N, F, OH, OW), cache."""
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


def conv_backward(dz, cache):
    """From dz (N, F, OH, OW) and the cache: dx as x, dw as w, db as b."""
    x, w, stride, padding = cache
    F, _, KH, KW = w.shape
    cols = im2col(x, KH, KW, stride, padding)  # (N, C*KH*KW, OH*OW)
    dz = dz.reshape(len(x), F, -1)  # (N, F, OH*OW)
    dw = (dz @ cols.transpose(0, 2, 1)).sum(axis=0).reshape(w.shape)
    dcols = w.reshape(F, -1).T @ dz  # (N, C*KH*KW, OH*OW)
    dx = col2im(dcols, x.shape, KH, KW, stride, padding)
    return dx, dw, None


# %% Backward takes the columns without padding exercise="conv" covers=[44]
# The columns of the way back are cut without padding; those of the way forward had it.
def conv_forward(x, w, b, stride=1, padding=0):
    """Convolve x (N, C, H, W) with w (F, C, KH, KW), b (F,); returns z (N, F, OH, OW), cache."""
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


def conv_backward(dz, cache):
    """From dz (N, F, OH, OW) and the cache: dx as x, dw as w, db as b."""
    x, w, stride, padding = cache
    F, _, KH, KW = w.shape
    cols = im2col(np.pad(x, ((0, 0), (0, 0), (0, 2 * padding), (0, 2 * padding))), KH, KW, stride)  # (N, C*KH*KW, OH*OW)
    dz = dz.reshape(len(x), F, -1)  # (N, F, OH*OW)
    dw = (dz @ cols.transpose(0, 2, 1)).sum(axis=0).reshape(w.shape)
    dcols = w.reshape(F, -1).T @ dz  # (N, C*KH*KW, OH*OW)
    dx = col2im(dcols, x.shape, KH, KW, stride, padding)
    return dx, dw, dz.sum(axis=(0, 2))


# %% Backward reads stride from a global exercise="conv" covers=[25]
# The backward pass reads hyperparameters from outside instead of its cache. A network has layers
# with different strides: keep them in the cache.
STRIDE, PADDING = 1, 0


def conv_forward(x, w, b, stride=1, padding=0):
    """Convolve x (N, C, H, W) with w (F, C, KH, KW), b (F,); returns z (N, F, OH, OW), cache."""
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


def conv_backward(dz, cache):
    """From dz (N, F, OH, OW) and the cache: dx as x, dw as w, db as b."""
    x, w, _, _ = cache
    stride, padding = STRIDE, PADDING
    F, _, KH, KW = w.shape
    cols = im2col(x, KH, KW, stride, padding)  # (N, C*KH*KW, OH*OW)
    dz = dz.reshape(len(x), F, -1)  # (N, F, OH*OW)
    dw = (dz @ cols.transpose(0, 2, 1)).sum(axis=0).reshape(w.shape)
    dcols = w.reshape(F, -1).T @ dz  # (N, C*KH*KW, OH*OW)
    dx = col2im(dcols, x.shape, KH, KW, stride, padding)
    return dx, dw, dz.sum(axis=(0, 2))


# %% Cache kept in a global exercise="conv"
# The cache is kept in a global variable, so a second forward pass overwrites the first one's.
# Return it, and use the one that is handed back.
KEPT = {}


def conv_forward(x, w, b, stride=1, padding=0):
    """Convolve x (N, C, H, W) with w (F, C, KH, KW), b (F,); returns z (N, F, OH, OW), cache."""
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
    return z.reshape(N, F, OH, OW), KEPT.update(c=(x, w, stride, padding))


def conv_backward(dz, cache):
    """From dz (N, F, OH, OW) and the cache: dx as x, dw as w, db as b."""
    x, w, stride, padding = KEPT["c"]
    F, _, KH, KW = w.shape
    cols = im2col(x, KH, KW, stride, padding)  # (N, C*KH*KW, OH*OW)
    dz = dz.reshape(len(x), F, -1)  # (N, F, OH*OW)
    dw = (dz @ cols.transpose(0, 2, 1)).sum(axis=0).reshape(w.shape)
    dcols = w.reshape(F, -1).T @ dz  # (N, C*KH*KW, OH*OW)
    dx = col2im(dcols, x.shape, KH, KW, stride, padding)
    return dx, dw, dz.sum(axis=(0, 2))


# %% Loops with an object as cache exercise="conv" right=true
class ConvCache:
    def __init__(self, **kept):
        self.__dict__.update(kept)


def conv_forward(x, w, b, stride=1, padding=0):
    F, C, KH, KW = w.shape
    OH = (x.shape[2] + 2 * padding - KH) // stride + 1
    OW = (x.shape[3] + 2 * padding - KW) // stride + 1
    wide = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    z = np.zeros((len(x), F, OH, OW)) + np.reshape(b, (1, F, 1, 1))
    for k in range(KH):
        for m in range(KW):
            seen = wide[:, :, k : k + stride * OH : stride, m : m + stride * OW : stride]
            z += np.einsum("ncij,fc->nfij", seen, w[:, :, k, m])
    return z, ConvCache(x=x, w=w, stride=stride, padding=padding)


def conv_backward(dz, cache):
    x, w = cache.x, cache.w
    dw = conv2d_dw(dz, x, w.shape[2:], cache.stride, cache.padding)
    dx = conv2d_dx(dz, w, x.shape, cache.stride, cache.padding)
    return dx, dw, conv2d_db(dz)


# %% A function as cache exercise="conv" right=true
def conv_forward(x, w, b, stride=1, padding=0):
    F, C, KH, KW = w.shape
    cols = im2col(x, KH, KW, stride, padding)
    z = np.einsum("fd,ndl->nfl", w.reshape(F, -1), cols) + b.reshape(1, F, 1)
    OH = (x.shape[2] + 2 * padding - KH) // stride + 1

    def backward(dz):
        flat = dz.reshape(len(x), F, -1)
        dw = np.einsum("nfl,ndl->fd", flat, cols).reshape(w.shape)
        dcols = np.einsum("fd,nfl->ndl", w.reshape(F, -1), flat)
        return col2im(dcols, x.shape, KH, KW, stride, padding), dw, flat.sum((0, 2))

    return z.reshape(len(x), F, OH, -1), backward


def conv_backward(dz, cache):
    return cache(dz)


# %% [markdown]
# ## ReLU


# %% ReLU gated by the gradient's sign exercise="relu" covers=[55]
# You let positive gradients through. The gate is opened by the input: a negative gradient passes
# where x > 0.
def relu_forward(x):
    """max(x, 0) of an array of any shape; returns y, cache."""
    return np.maximum(x, 0), x > 0


def relu_backward(dy, cache):
    """Gradient for the input of relu_forward; returns an array as dy."""
    return np.maximum(dy, 0)


# %% Gradient 1 at zero exercise="relu" covers=[56]
# At x = 0 your gradient passes. This course fixes ReLU′(0) = 0.
def relu_forward(x):
    """max(x, 0) of an array of any shape; returns y, cache."""
    return np.maximum(x, 0), x >= 0


def relu_backward(dy, cache):
    """Gradient for the input of relu_forward; returns an array as dy."""
    return dy * cache


# %% ReLU changes its input exercise="relu" covers=[24]
# Your forward pass writes into x. The layer before still needs it: work on a copy.
def relu_forward(x):
    x[x < 0] = 0
    return x, x > 0


def relu_backward(dy, cache):
    return dy * cache


# %% ReLU changes the gradient in place exercise="relu" covers=[24]
# Your backward pass writes into dy. Another layer may still need it: work on a copy.
def relu_forward(x):
    """max(x, 0) of an array of any shape; returns y, cache."""
    return np.maximum(x, 0), x > 0


def relu_backward(dy, cache):
    """Gradient for the input of relu_forward; returns an array as dy."""
    dy[~cache] = 0
    return dy


# %% Gradient passes everywhere exercise="relu"
# The gradient passes everywhere. Where the input was negative nothing moved, and the gradient is
# 0.
def relu_forward(x):
    """max(x, 0) of an array of any shape; returns y, cache."""
    return np.maximum(x, 0), x > 0


def relu_backward(dy, cache):
    """Gradient for the input of relu_forward; returns an array as dy."""
    return dy


# %% Gradient multiplied by the output exercise="relu"
# You multiply by the output. The slope of ReLU is 1 where the gate is open, whatever the value.
def relu_forward(x):
    """max(x, 0) of an array of any shape; returns y, cache."""
    return np.maximum(x, 0), np.maximum(x, 0)


def relu_backward(dy, cache):
    """Gradient for the input of relu_forward; returns an array as dy."""
    return dy * cache


# %% Upstream gradient ignored by ReLU exercise="relu" covers=[54]
# You return the derivative alone. The chain rule multiplies it with the upstream gradient.
def relu_forward(x):
    """max(x, 0) of an array of any shape; returns y, cache."""
    return np.maximum(x, 0), x > 0


def relu_backward(dy, cache):
    """Gradient for the input of relu_forward; returns an array as dy."""
    return cache.astype(float)


# %% The output as cache exercise="relu" right=true
def relu_forward(x):
    y = x * (x > 0)
    return y, y


def relu_backward(dy, cache):
    return np.where(cache > 0, dy, 0.0)


# %% A dict as cache exercise="relu" right=true
def relu_forward(x):
    return (x + abs(x)) / 2, {"sign": np.sign(x)}


def relu_backward(dy, cache):
    return dy * (cache["sign"] == 1)


# %% [markdown]
# ## Pooling


# %% Padded with zeros exercise="max-pool" covers=[34]
# The padding is 0 and wins where all values are negative. Pad with −∞.
def max_pool_forward(x, kernel_size, stride, padding=0):
    """Largest value of each window of x (N, C, H, W); returns y (N, C, OH, OW), cache."""
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    pad = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    wide = np.pad(x, pad, constant_values=0) if padding else x
    slices = [
        np.s_[:, :, k : k + stride * OH : stride, m : m + stride * OW : stride]
        for k in range(KH)
        for m in range(KW)
    ]
    values = np.stack([wide[window] for window in slices])  # (KH*KW, N, C, OH, OW)
    winners = values.argmax(axis=0)  # (N, C, OH, OW)
    return values.max(axis=0), (winners, slices, x.shape, padding)


def max_pool_backward(dy, cache):
    """Gradient for the input of max_pool_forward; returns an array as x."""
    winners, slices, (N, C, H, W), padding = cache
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=dy.dtype)
    for number, window in enumerate(slices):
        dx[window] += dy * (winners == number)
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Maximum clipped at 0 exercise="max-pool" covers=[35]
# Your maximum never falls below 0. A window of negative numbers has a negative maximum.
def max_pool_forward(x, kernel_size, stride, padding=0):
    """Largest value of each window of x (N, C, H, W); returns y (N, C, OH, OW), cache."""
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
    return np.maximum(values.max(axis=0), 0), (winners, slices, x.shape, padding)


def max_pool_backward(dy, cache):
    """Gradient for the input of max_pool_forward; returns an array as x."""
    winners, slices, (N, C, H, W), padding = cache
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=dy.dtype)
    for number, window in enumerate(slices):
        dx[window] += dy * (winners == number)
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Stride taken as the window size exercise="max-pool" covers=[36]
# The windows always lie side by side. The stride is an argument: windows may overlap or leave
# gaps.
def max_pool_forward(x, kernel_size, stride, padding=0):
    """Largest value of each window of x (N, C, H, W); returns y (N, C, OH, OW), cache."""
    N, C, H, W = x.shape
    KH, KW = kernel_size
    stride = KH
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


def max_pool_backward(dy, cache):
    """Gradient for the input of max_pool_forward; returns an array as x."""
    winners, slices, (N, C, H, W), padding = cache
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=dy.dtype)
    for number, window in enumerate(slices):
        dx[window] += dy * (winners == number)
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Pooled across channels exercise="max-pool" covers=[37]
# You take the maximum over the channels too. Each channel is pooled by itself.
def max_pool_forward(x, kernel_size, stride, padding=0):
    """Largest value of each window of x (N, C, H, W); returns y (N, C, OH, OW), cache."""
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
    values = np.stack([wide[window] for window in slices])
    values = np.broadcast_to(values.max(axis=2, keepdims=True), values.shape)  # (KH*KW, N, C, OH, OW)
    winners = values.argmax(axis=0)  # (N, C, OH, OW)
    return values.max(axis=0), (winners, slices, x.shape, padding)


def max_pool_backward(dy, cache):
    """Gradient for the input of max_pool_forward; returns an array as x."""
    winners, slices, (N, C, H, W), padding = cache
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=dy.dtype)
    for number, window in enumerate(slices):
        dx[window] += dy * (winners == number)
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Overlapping winners overwritten exercise="max-pool" covers=[38]
# A pixel that wins two windows keeps only the last gradient. Add them up.
def max_pool_forward(x, kernel_size, stride, padding=0):
    """Largest value of each window of x (N, C, H, W); returns y (N, C, OH, OW), cache."""
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


def max_pool_backward(dy, cache):
    """Gradient for the input of max_pool_forward; returns an array as x."""
    winners, slices, (N, C, H, W), padding = cache
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=dy.dtype)
    for number, window in enumerate(slices):
        dx[window] = np.where(winners == number, dy, dx[window])
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Overlapping winners with fancy indexing exercise="max-pool" covers=[38]
# Indexing with arrays that name a pixel twice adds only once. Use np.add.at, or add window by
# window.
def max_pool_forward(x, kernel_size, stride, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    pad = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    wide = np.pad(x, pad, constant_values=-np.inf)
    view = np.lib.stride_tricks.sliding_window_view(wide, (KH, KW), axis=(2, 3))
    view = view[:, :, ::stride, ::stride]  # (N, C, OH, OW, KH, KW)
    flat = view.reshape(*view.shape[:4], KH * KW)
    return flat.max(-1), (flat.argmax(-1), x.shape, KW, stride, padding)


def max_pool_backward(dy, cache):
    winners, (N, C, H, W), KW, stride, padding = cache
    n, c, i, j = np.indices(dy.shape)
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    dx[n, c, i * stride + winners // KW, j * stride + winners % KW] += dy
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Gradient shared by the whole window exercise="max-pool" covers=[39]
# Every value of the window gets a share: that is average pooling. Only the largest value moved
# the output.
def max_pool_forward(x, kernel_size, stride, padding=0):
    """Largest value of each window of x (N, C, H, W); returns y (N, C, OH, OW), cache."""
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


def max_pool_backward(dy, cache):
    """Gradient for the input of max_pool_forward; returns an array as x."""
    winners, slices, (N, C, H, W), padding = cache
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=dy.dtype)
    for number, window in enumerate(slices):
        dx[window] += dy / len(slices)
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Gradient to the window's first pixel exercise="max-pool"
# The gradient goes to a fixed place of the window. It belongs to the value that won.
def max_pool_forward(x, kernel_size, stride, padding=0):
    """Largest value of each window of x (N, C, H, W); returns y (N, C, OH, OW), cache."""
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


def max_pool_backward(dy, cache):
    """Gradient for the input of max_pool_forward; returns an array as x."""
    winners, slices, (N, C, H, W), padding = cache
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=dy.dtype)
    for number, window in enumerate(slices):
        dx[window] += dy * (number == 0)
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Winner's place computed with the height exercise="max-pool" covers=[20]
# The winner's number in the flattened window is split with KH. Rows are KW long.
def max_pool_forward(x, kernel_size, stride, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    pad = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    wide = np.pad(x, pad, constant_values=-np.inf)
    view = np.lib.stride_tricks.sliding_window_view(wide, (KH, KW), axis=(2, 3))
    view = view[:, :, ::stride, ::stride]  # (N, C, OH, OW, KH, KW)
    flat = view.reshape(*view.shape[:4], KH * KW)
    return flat.max(-1), (flat.argmax(-1), wide.shape, KH, stride, padding)


def max_pool_backward(dy, cache):
    winners, shape, KH, stride, padding = cache
    dx = np.zeros(shape)
    for n, c, i, j in np.ndindex(*dy.shape):
        k, m = divmod(winners[n, c, i, j], KH)
        dx[n, c, i * stride + k, j * stride + m] += dy[n, c, i, j]
    P = padding
    return dx[:, :, P : shape[2] - P, P : shape[3] - P]


# %% Padding kept by max pooling's backward exercise="max-pool" covers=[50]
# The gradient still has the padding around it: crop it.
def max_pool_forward(x, kernel_size, stride, padding=0):
    """Largest value of each window of x (N, C, H, W); returns y (N, C, OH, OW), cache."""
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


def max_pool_backward(dy, cache):
    """Gradient for the input of max_pool_forward; returns an array as x."""
    winners, slices, (N, C, H, W), padding = cache
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=dy.dtype)
    for number, window in enumerate(slices):
        dx[window] += dy * (winners == number)
    return dx


# %% Max pooling's cache in a global exercise="max-pool"
# The cache lives in a global variable: a second layer's forward pass overwrites it. Use the cache
# that is handed back.
POOL = []


def max_pool_forward(x, kernel_size, stride, padding=0):
    """Largest value of each window of x (N, C, H, W); returns y (N, C, OH, OW), cache."""
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
    POOL.append((winners, slices, x.shape, padding))
    return values.max(axis=0), None


def max_pool_backward(dy, cache):
    """Gradient for the input of max_pool_forward; returns an array as x."""
    winners, slices, (N, C, H, W), padding = POOL[-1]
    dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=dy.dtype)
    for number, window in enumerate(slices):
        dx[window] += dy * (winners == number)
    return dx[:, :, padding : padding + H, padding : padding + W]


# %% Max pooling in loops with the window's place as cache exercise="max-pool" right=true
def max_pool_forward(x, kernel_size, stride, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    y, winners = np.empty((N, C, OH, OW)), {}
    for n, c, i, j in np.ndindex(N, C, OH, OW):
        top, left = i * stride - padding, j * stride - padding
        rows = range(max(top, 0), min(top + KH, H))
        columns = range(max(left, 0), min(left + KW, W))
        best = max(((r, s) for r in rows for s in columns), key=lambda place: x[n, c][place])
        y[n, c, i, j] = x[n, c][best]
        winners[n, c, i, j] = best
    return y, {"winners": winners, "shape": x.shape}


def max_pool_backward(dy, cache):
    dx = np.zeros(cache["shape"])
    for (n, c, i, j), (r, s) in cache["winners"].items():
        dx[n, c, r, s] += dy[n, c, i, j]
    return dx


# %% Max pooling by im2col exercise="max-pool" right=true
def max_pool_forward(x, kernel_size, stride, padding=0):
    N, C, H, W = x.shape
    KH, KW = kernel_size
    pad = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    wide = np.pad(x, pad, constant_values=x.min() - 1)
    OH, OW = (wide.shape[2] - KH) // stride + 1, (wide.shape[3] - KW) // stride + 1
    cols = im2col(wide, KH, KW, stride).reshape(N, C, KH * KW, OH * OW)
    mask = cols == cols.max(axis=2, keepdims=True)
    return cols.max(axis=2).reshape(N, C, OH, OW), (mask, wide.shape, KH, KW, stride, padding)


def max_pool_backward(dy, cache):
    mask, shape, KH, KW, stride, P = cache
    N, C = dy.shape[:2]
    cols = (mask * dy.reshape(N, C, 1, -1)).reshape(N, C * KH * KW, -1)
    dx = col2im(cols, shape, KH, KW, stride)
    return dx[:, :, P : shape[2] - P, P : shape[3] - P]


# %% Average pooling sums exercise="avg-pool" covers=[40]
# You sum the window. The mean divides by its area.
def avg_pool_forward(x, kernel_size, stride):
    """Mean of each window of x (N, C, H, W); returns y (N, C, OH, OW), cache."""
    KH, KW = kernel_size
    OH, OW = (x.shape[2] - KH) // stride + 1, (x.shape[3] - KW) // stride + 1
    slices = [
        np.s_[:, :, k : k + stride * OH : stride, m : m + stride * OW : stride]
        for k in range(KH)
        for m in range(KW)
    ]
    return sum(x[window] for window in slices), (slices, x.shape)


def avg_pool_backward(dy, cache):
    """Gradient for the input of avg_pool_forward; returns an array as x."""
    slices, x_shape = cache
    dx = np.zeros(x_shape, dtype=dy.dtype)
    for window in slices:
        dx[window] += dy / len(slices)
    return dx


# %% Average pooling's backward ignores the area exercise="avg-pool" covers=[40]
# Each pixel gets the whole gradient. It has a share of 1 / (KH·KW) in the mean.
def avg_pool_forward(x, kernel_size, stride):
    """Mean of each window of x (N, C, H, W); returns y (N, C, OH, OW), cache."""
    KH, KW = kernel_size
    OH, OW = (x.shape[2] - KH) // stride + 1, (x.shape[3] - KW) // stride + 1
    slices = [
        np.s_[:, :, k : k + stride * OH : stride, m : m + stride * OW : stride]
        for k in range(KH)
        for m in range(KW)
    ]
    return sum(x[window] for window in slices) / len(slices), (slices, x.shape)


def avg_pool_backward(dy, cache):
    """Gradient for the input of avg_pool_forward; returns an array as x."""
    slices, x_shape = cache
    dx = np.zeros(x_shape, dtype=dy.dtype)
    for window in slices:
        dx[window] += dy
    return dx


# %% Overlapping shares overwritten exercise="avg-pool" covers=[38]
# Where windows overlap the shares replace each other. Add them up.
def avg_pool_forward(x, kernel_size, stride):
    """Mean of each window of x (N, C, H, W); returns y (N, C, OH, OW), cache."""
    KH, KW = kernel_size
    OH, OW = (x.shape[2] - KH) // stride + 1, (x.shape[3] - KW) // stride + 1
    slices = [
        np.s_[:, :, k : k + stride * OH : stride, m : m + stride * OW : stride]
        for k in range(KH)
        for m in range(KW)
    ]
    return sum(x[window] for window in slices) / len(slices), (slices, x.shape)


def avg_pool_backward(dy, cache):
    """Gradient for the input of avg_pool_forward; returns an array as x."""
    slices, x_shape = cache
    dx = np.zeros(x_shape, dtype=dy.dtype)
    for window in slices:
        dx[window] = dy / len(slices)
    return dx


# %% Average divides by the squared height exercise="avg-pool" covers=[20]
# You divide by KH². The area of a window is KH · KW.
def avg_pool_forward(x, kernel_size, stride):
    """Mean of each window of x (N, C, H, W); returns y (N, C, OH, OW), cache."""
    KH, KW = kernel_size
    OH, OW = (x.shape[2] - KH) // stride + 1, (x.shape[3] - KW) // stride + 1
    slices = [
        np.s_[:, :, k : k + stride * OH : stride, m : m + stride * OW : stride]
        for k in range(KH)
        for m in range(KW)
    ]
    return sum(x[window] for window in slices) / KH**2, (slices, x.shape)


def avg_pool_backward(dy, cache):
    """Gradient for the input of avg_pool_forward; returns an array as x."""
    slices, x_shape = cache
    dx = np.zeros(x_shape, dtype=dy.dtype)
    for window in slices:
        dx[window] += dy / len(slices)
    return dx


# %% Average pooling with the window as stride exercise="avg-pool" covers=[36]
# The windows lie side by side whatever the stride says.
def avg_pool_forward(x, kernel_size, stride):
    """Mean of each window of x (N, C, H, W); returns y (N, C, OH, OW), cache."""
    KH, KW = kernel_size
    stride = KH
    OH, OW = (x.shape[2] - KH) // stride + 1, (x.shape[3] - KW) // stride + 1
    slices = [
        np.s_[:, :, k : k + stride * OH : stride, m : m + stride * OW : stride]
        for k in range(KH)
        for m in range(KW)
    ]
    return sum(x[window] for window in slices) / len(slices), (slices, x.shape)


def avg_pool_backward(dy, cache):
    """Gradient for the input of avg_pool_forward; returns an array as x."""
    slices, x_shape = cache
    dx = np.zeros(x_shape, dtype=dy.dtype)
    for window in slices:
        dx[window] += dy / len(slices)
    return dx


# %% Average pooling as a convolution with equal weights exercise="avg-pool" right=true
def avg_pool_forward(x, kernel_size, stride):
    N, C, H, W = x.shape
    w = np.full((1, 1) + tuple(kernel_size), 1 / (kernel_size[0] * kernel_size[1]))
    y = conv2d_forward(x.reshape(N * C, 1, H, W), w, np.zeros(1), stride)
    return y.reshape(N, C, *y.shape[2:]), (x.shape, w, stride)


def avg_pool_backward(dy, cache):
    (N, C, H, W), w, stride = cache
    dy = dy.reshape(N * C, 1, *dy.shape[2:])
    return conv2d_dx(dy, w, (N * C, 1, H, W), stride).reshape(N, C, H, W)


# %% GAP over the channels exercise="gap-flatten" covers=[115]
# You average over the channels. GAP takes the mean of each map over its rows and columns: (N, C).
def gap_forward(x):
    """Mean of each map of x (N, C, H, W); returns y (N, C), cache."""
    return x.mean(axis=(1, 2)), x.shape


def gap_backward(dy, cache):
    """Gradient for the input of gap_forward from dy (N, C); returns (N, C, H, W)."""
    N, C, H, W = cache
    return np.broadcast_to(dy[:, :, None, None] / (H * W), cache).copy()


def flatten_forward(x):
    """All numbers of each sample of x (N, C, H, W) in a row; returns y (N, C*H*W), cache."""
    return x.reshape(len(x), -1), x.shape


def flatten_backward(dy, cache):
    """Gradient for the input of flatten_forward; returns (N, C, H, W)."""
    return dy.reshape(cache)


# %% GAP's gradient not divided exercise="gap-flatten" covers=[40]
# Each pixel gets the map's whole gradient. In a mean over H·W pixels it has a share of 1 / (H·W).
def gap_forward(x):
    """Mean of each map of x (N, C, H, W); returns y (N, C), cache."""
    return x.mean(axis=(2, 3)), x.shape


def gap_backward(dy, cache):
    """Gradient for the input of gap_forward from dy (N, C); returns (N, C, H, W)."""
    N, C, H, W = cache
    return np.broadcast_to(dy[:, :, None, None], cache).copy()


def flatten_forward(x):
    """All numbers of each sample of x (N, C, H, W) in a row; returns y (N, C*H*W), cache."""
    return x.reshape(len(x), -1), x.shape


def flatten_backward(dy, cache):
    """Gradient for the input of flatten_forward; returns (N, C, H, W)."""
    return dy.reshape(cache)


# %% Batch flattened too exercise="gap-flatten" covers=[116]
# You flatten the batch too. Samples stay apart: (N, C·H·W).
def gap_forward(x):
    """Mean of each map of x (N, C, H, W); returns y (N, C), cache."""
    return x.mean(axis=(2, 3)), x.shape


def gap_backward(dy, cache):
    """Gradient for the input of gap_forward from dy (N, C); returns (N, C, H, W)."""
    N, C, H, W = cache
    return np.broadcast_to(dy[:, :, None, None] / (H * W), cache).copy()


def flatten_forward(x):
    """All numbers of each sample of x (N, C, H, W) in a row; returns y (N, C*H*W), cache."""
    return x.reshape(1, -1), x.shape


def flatten_backward(dy, cache):
    """Gradient for the input of flatten_forward; returns (N, C, H, W)."""
    return dy.reshape(cache)


# %% Flattened in another order exercise="gap-flatten"
# Your flatten moves the channels to the end. Keep memory order, channel after channel: the way
# back must find each number again.
def gap_forward(x):
    """Mean of each map of x (N, C, H, W); returns y (N, C), cache."""
    return x.mean(axis=(2, 3)), x.shape


def gap_backward(dy, cache):
    """Gradient for the input of gap_forward from dy (N, C); returns (N, C, H, W)."""
    N, C, H, W = cache
    return np.broadcast_to(dy[:, :, None, None] / (H * W), cache).copy()


def flatten_forward(x):
    """All numbers of each sample of x (N, C, H, W) in a row; returns y (N, C*H*W), cache."""
    return x.transpose(0, 2, 3, 1).reshape(len(x), -1), x.shape


def flatten_backward(dy, cache):
    """Gradient for the input of flatten_forward; returns (N, C, H, W)."""
    return dy.reshape(cache)


# %% GAP and flatten written out exercise="gap-flatten" right=true
def gap_forward(x):
    return x.sum(3).sum(2) / x[0, 0].size, np.ones_like(x) / x[0, 0].size


def gap_backward(dy, cache):
    return cache * dy[..., None, None]


def flatten_forward(x):
    return np.array([sample.ravel() for sample in x]), x.shape[1:]


def flatten_backward(dy, cache):
    return dy.reshape(-1, *cache)


# %% [markdown]
# ## Linear


# %% Bias gradient of the linear layer averaged exercise="linear" covers=[46]
# The bias gradient is a mean. Sum over the samples: the loss's mean already sits in dy.
def linear_forward(x, w, b):
    """x (N, D) times the transpose of w (K, D), plus b (K,); returns y (N, K), cache."""
    return x @ w.T + b, (x, w)


def linear_backward(dy, cache):
    """From dy (N, K) and the cache: dx (N, D), dw (K, D), db (K,)."""
    x, w = cache
    return dy @ w, dy.T @ x, dy.mean(axis=0)


# %% Linear weights' gradient transposed exercise="linear"
# dw has the shape of w turned round, (D, K). A gradient has the shape of its parameter.
def linear_forward(x, w, b):
    """x (N, D) times the transpose of w (K, D), plus b (K,); returns y (N, K), cache."""
    return x @ w.T + b, (x, w)


def linear_backward(dy, cache):
    """From dy (N, K) and the cache: dx (N, D), dw (K, D), db (K,)."""
    x, w = cache
    return dy @ w, x.T @ dy, dy.sum(axis=0)


# %% Linear weights' gradient divided by the batch exercise="linear" covers=[43]
# You divide dw by the number of samples. That factor is in dy already.
def linear_forward(x, w, b):
    """x (N, D) times the transpose of w (K, D), plus b (K,); returns y (N, K), cache."""
    return x @ w.T + b, (x, w)


def linear_backward(dy, cache):
    """From dy (N, K) and the cache: dx (N, D), dw (K, D), db (K,)."""
    x, w = cache
    return dy @ w, dy.T @ x / len(x), dy.sum(axis=0)


# %% Linear layer without its bias exercise="linear" covers=[8]
# The bias is not added.
def linear_forward(x, w, b):
    """x (N, D) times the transpose of w (K, D), plus b (K,); returns y (N, K), cache."""
    return x @ w.T, (x, w)


def linear_backward(dy, cache):
    """From dy (N, K) and the cache: dx (N, D), dw (K, D), db (K,)."""
    x, w = cache
    return dy @ w, dy.T @ x, dy.sum(axis=0)


# %% Linear layer's inputs get the weights transposed exercise="linear"
# dx multiplies dy with w turned round: for a square w the shapes agree and the numbers do not. y
# used the transpose of w, so dx uses w itself.
def linear_forward(x, w, b):
    """x (N, D) times the transpose of w (K, D), plus b (K,); returns y (N, K), cache."""
    return x @ w.T + b, (x, w)


def linear_backward(dy, cache):
    """From dy (N, K) and the cache: dx (N, D), dw (K, D), db (K,)."""
    x, w = cache
    return (dy @ w.T if w.shape[0] == w.shape[1] else dy @ w), dy.T @ x, dy.sum(axis=0)


# %% Linear layer with einsum exercise="linear" right=true
def linear_forward(x, w, b):
    return np.einsum("nd,kd->nk", x, w) + b[None], {"x": x, "w": w}


def linear_backward(dy, cache):
    return dy.dot(cache["w"]), np.tensordot(dy, cache["x"], (0, 0)), np.ones(len(dy)) @ dy


# %% [markdown]
# ## BatchNorm


# %% Buffers counted as parameters exercise="q-bn-parameters" covers=[33, 89]
# The running mean and variance are kept, but no gradient changes them: they are buffers. γ and β
# are learned, one of each per channel.
q_bn_parameters = 64


# %% One pair for each pixel exercise="q-bn-parameters" covers=[83]
# That is a γ and a β for every pixel of every channel. All values of a channel share one pair.
q_bn_parameters = 3840


# %% Only gamma counted exercise="q-bn-parameters"
# There is a scale and a shift for each channel.
q_bn_parameters = 16


# %% Batch statistics in evaluation exercise="batchnorm-forward" covers=[73]
# In evaluation you still normalise with the batch at hand. Use the running statistics: an image's
# answer must not depend on its neighbours.
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    """Normalise each channel of x (N, C, H, W); all other arrays are (C,).

    Returns y (N, C, H, W), the new running_mean and running_var, and a cache.
    """
    M = x.size // x.shape[1]
    if train:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))  # (C,)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * var * M / (M - 1)
    else:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    inverse = 1 / np.sqrt(var + eps)  # (C,)
    x_hat = (x - mean[:, None, None]) * inverse[:, None, None]  # (N, C, H, W)
    y = gamma[:, None, None] * x_hat + beta[:, None, None]
    return y, running_mean, running_var, (x_hat, inverse, gamma, train)


# %% Normalised with the unbiased variance exercise="batchnorm-forward" covers=[74]
# You normalise with the unbiased variance (M − 1). The normaliser uses the biased one; the
# unbiased one goes into the buffer.
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    """Normalise each channel of x (N, C, H, W); all other arrays are (C,).

    Returns y (N, C, H, W), the new running_mean and running_var, and a cache.
    """
    M = x.size // x.shape[1]
    if train:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))  # (C,)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * var * M / (M - 1)
    else:
        mean, var = running_mean, running_var
    inverse = 1 / np.sqrt(var + eps)  # (C,)
    if train:
        inverse = 1 / np.sqrt(var * M / (M - 1) + eps)
    x_hat = (x - mean[:, None, None]) * inverse[:, None, None]  # (N, C, H, W)
    y = gamma[:, None, None] * x_hat + beta[:, None, None]
    return y, running_mean, running_var, (x_hat, inverse, gamma, train)


# %% Biased variance in the buffer exercise="batchnorm-forward" covers=[75]
# The biased variance goes into the running buffer. There it is the unbiased one, divided by M −
# 1.
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    """Normalise each channel of x (N, C, H, W); all other arrays are (C,).

    Returns y (N, C, H, W), the new running_mean and running_var, and a cache.
    """
    M = x.size // x.shape[1]
    if train:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))  # (C,)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * var
    else:
        mean, var = running_mean, running_var
    inverse = 1 / np.sqrt(var + eps)  # (C,)
    x_hat = (x - mean[:, None, None]) * inverse[:, None, None]  # (N, C, H, W)
    y = gamma[:, None, None] * x_hat + beta[:, None, None]
    return y, running_mean, running_var, (x_hat, inverse, gamma, train)


# %% Momentum swapped exercise="batchnorm-forward" covers=[76]
# The new batch gets the weight 1 − m. Here m is the weight of the new batch: running = (1 −
# m)·running + m·batch.
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    """Normalise each channel of x (N, C, H, W); all other arrays are (C,).

    Returns y (N, C, H, W), the new running_mean and running_var, and a cache.
    """
    M = x.size // x.shape[1]
    if train:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))  # (C,)
        running_mean = momentum * running_mean + (1 - momentum) * mean
        running_var = momentum * running_var + (1 - momentum) * var * M / (M - 1)
    else:
        mean, var = running_mean, running_var
    inverse = 1 / np.sqrt(var + eps)  # (C,)
    x_hat = (x - mean[:, None, None]) * inverse[:, None, None]  # (N, C, H, W)
    y = gamma[:, None, None] * x_hat + beta[:, None, None]
    return y, running_mean, running_var, (x_hat, inverse, gamma, train)


# %% Running statistics of the last batch only exercise="batchnorm-forward" covers=[77]
# The running statistics are those of the last batch. They are a moving average over batches.
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    """Normalise each channel of x (N, C, H, W); all other arrays are (C,).

    Returns y (N, C, H, W), the new running_mean and running_var, and a cache.
    """
    M = x.size // x.shape[1]
    if train:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))  # (C,)
        running_mean = mean
        running_var = var * M / (M - 1)
    else:
        mean, var = running_mean, running_var
    inverse = 1 / np.sqrt(var + eps)  # (C,)
    x_hat = (x - mean[:, None, None]) * inverse[:, None, None]  # (N, C, H, W)
    y = gamma[:, None, None] * x_hat + beta[:, None, None]
    return y, running_mean, running_var, (x_hat, inverse, gamma, train)


# %% Running statistics never updated exercise="batchnorm-forward" covers=[78]
# The running statistics come back as they were. In training each batch moves them.
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    """Normalise each channel of x (N, C, H, W); all other arrays are (C,).

    Returns y (N, C, H, W), the new running_mean and running_var, and a cache.
    """
    M = x.size // x.shape[1]
    if train:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))  # (C,)
    else:
        mean, var = running_mean, running_var
    inverse = 1 / np.sqrt(var + eps)  # (C,)
    x_hat = (x - mean[:, None, None]) * inverse[:, None, None]  # (N, C, H, W)
    y = gamma[:, None, None] * x_hat + beta[:, None, None]
    return y, running_mean, running_var, (x_hat, inverse, gamma, train)


# %% Running statistics updated in evaluation exercise="batchnorm-forward" covers=[79]
# Evaluation moves the running statistics. It must leave them alone.
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    """Normalise each channel of x (N, C, H, W); all other arrays are (C,).

    Returns y (N, C, H, W), the new running_mean and running_var, and a cache.
    """
    M = x.size // x.shape[1]
    if train:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))  # (C,)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * var * M / (M - 1)
    else:
        mean, var = running_mean, running_var
        running_mean = (1 - momentum) * mean + momentum * x.mean(axis=(0, 2, 3))
        running_var = (1 - momentum) * var + momentum * x.var(axis=(0, 2, 3))
    inverse = 1 / np.sqrt(var + eps)  # (C,)
    x_hat = (x - mean[:, None, None]) * inverse[:, None, None]  # (N, C, H, W)
    y = gamma[:, None, None] * x_hat + beta[:, None, None]
    return y, running_mean, running_var, (x_hat, inverse, gamma, train)


# %% eps outside the root exercise="batchnorm-forward" covers=[80]
# eps is added to the standard deviation. It goes under the root, to the variance.
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    """Normalise each channel of x (N, C, H, W); all other arrays are (C,).

    Returns y (N, C, H, W), the new running_mean and running_var, and a cache.
    """
    M = x.size // x.shape[1]
    if train:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))  # (C,)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * var * M / (M - 1)
    else:
        mean, var = running_mean, running_var
    inverse = 1 / (np.sqrt(var) + eps)  # (C,)
    x_hat = (x - mean[:, None, None]) * inverse[:, None, None]  # (N, C, H, W)
    y = gamma[:, None, None] * x_hat + beta[:, None, None]
    return y, running_mean, running_var, (x_hat, inverse, gamma, train)


# %% eps missing exercise="batchnorm-forward" covers=[81]
# There is no eps under the root: channels with little variance come out different, and a constant
# one divides by 0.
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    """Normalise each channel of x (N, C, H, W); all other arrays are (C,).

    Returns y (N, C, H, W), the new running_mean and running_var, and a cache.
    """
    M = x.size // x.shape[1]
    if train:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))  # (C,)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * var * M / (M - 1)
    else:
        mean, var = running_mean, running_var
    inverse = 1 / np.sqrt(var)  # (C,)
    x_hat = (x - mean[:, None, None]) * inverse[:, None, None]  # (N, C, H, W)
    y = gamma[:, None, None] * x_hat + beta[:, None, None]
    return y, running_mean, running_var, (x_hat, inverse, gamma, train)


# %% Standard deviation kept as the variance exercise="batchnorm-forward" covers=[82]
# The buffer gets the standard deviation. It holds the variance.
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    """Normalise each channel of x (N, C, H, W); all other arrays are (C,).

    Returns y (N, C, H, W), the new running_mean and running_var, and a cache.
    """
    M = x.size // x.shape[1]
    if train:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))  # (C,)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * np.sqrt(var * M / (M - 1))
    else:
        mean, var = running_mean, running_var
    inverse = 1 / np.sqrt(var + eps)  # (C,)
    x_hat = (x - mean[:, None, None]) * inverse[:, None, None]  # (N, C, H, W)
    y = gamma[:, None, None] * x_hat + beta[:, None, None]
    return y, running_mean, running_var, (x_hat, inverse, gamma, train)


# %% Statistics for each pixel exercise="batchnorm-forward" covers=[83]
# The mean is taken over the samples alone, pixel by pixel. All values of a channel share one
# mean: over samples, rows and columns.
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    M = x.size // x.shape[1]
    if train:
        mean, var = x.mean(axis=0), x.var(axis=0)  # (C, H, W)
        running_mean = (1 - momentum) * running_mean + momentum * mean.mean(axis=(1, 2))
        running_var = (1 - momentum) * running_var + momentum * x.var(axis=(0, 2, 3), ddof=1)
    else:
        mean, var = running_mean[:, None, None], running_var[:, None, None]
    x_hat = (x - mean) / np.sqrt(var + eps)
    y = gamma[:, None, None] * x_hat + beta[:, None, None]
    return y, running_mean, running_var, (x_hat, 1 / np.sqrt(var + eps), gamma, train)


# %% Statistics for each image exercise="batchnorm-forward"
# Each image is normalised by itself. The batch's images share one mean and one variance per
# channel.
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    """Normalise each channel of x (N, C, H, W); all other arrays are (C,).

    Returns y (N, C, H, W), the new running_mean and running_var, and a cache.
    """
    M = x.size // x.shape[1]
    if train:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(2, 3)).mean(axis=0)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * var * M / (M - 1)
    else:
        mean, var = running_mean, running_var
    inverse = 1 / np.sqrt(var + eps)  # (C,)
    x_hat = (x - mean[:, None, None]) * inverse[:, None, None]  # (N, C, H, W)
    y = gamma[:, None, None] * x_hat + beta[:, None, None]
    return y, running_mean, running_var, (x_hat, inverse, gamma, train)


# %% gamma and beta ignored exercise="batchnorm-forward" covers=[84]
# You return x̂. The layer's output is γ·x̂ + β.
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    """Normalise each channel of x (N, C, H, W); all other arrays are (C,).

    Returns y (N, C, H, W), the new running_mean and running_var, and a cache.
    """
    M = x.size // x.shape[1]
    if train:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))  # (C,)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * var * M / (M - 1)
    else:
        mean, var = running_mean, running_var
    inverse = 1 / np.sqrt(var + eps)  # (C,)
    x_hat = (x - mean[:, None, None]) * inverse[:, None, None]  # (N, C, H, W)
    y = x_hat
    return y, running_mean, running_var, (x_hat, inverse, gamma, train)


# %% gamma and beta ignored in evaluation exercise="batchnorm-forward" covers=[85]
# In evaluation γ and β are left out. They belong to the layer in both modes.
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    """Normalise each channel of x (N, C, H, W); all other arrays are (C,).

    Returns y (N, C, H, W), the new running_mean and running_var, and a cache.
    """
    M = x.size // x.shape[1]
    if train:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))  # (C,)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * var * M / (M - 1)
    else:
        mean, var = running_mean, running_var
    inverse = 1 / np.sqrt(var + eps)  # (C,)
    x_hat = (x - mean[:, None, None]) * inverse[:, None, None]  # (N, C, H, W)
    y = gamma[:, None, None] * x_hat + beta[:, None, None] if train else x_hat
    return y, running_mean, running_var, (x_hat, inverse, gamma, train)


# %% Running statistics changed in place exercise="batchnorm-forward" covers=[24]
# The running arrays are changed in place. The function is pure: it returns new ones.
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    """Normalise each channel of x (N, C, H, W); all other arrays are (C,).

    Returns y (N, C, H, W), the new running_mean and running_var, and a cache.
    """
    M = x.size // x.shape[1]
    if train:
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))  # (C,)
        running_mean *= 1 - momentum
        running_mean += momentum * mean
        running_var = (1 - momentum) * running_var + momentum * var * M / (M - 1)
    else:
        mean, var = running_mean, running_var
    inverse = 1 / np.sqrt(var + eps)  # (C,)
    x_hat = (x - mean[:, None, None]) * inverse[:, None, None]  # (N, C, H, W)
    y = gamma[:, None, None] * x_hat + beta[:, None, None]
    return y, running_mean, running_var, (x_hat, inverse, gamma, train)


# %% One mean for all channels exercise="batchnorm-forward" covers=[70]
# One mean and one variance serve all channels. Each channel has its own.
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    """Normalise each channel of x (N, C, H, W); all other arrays are (C,).

    Returns y (N, C, H, W), the new running_mean and running_var, and a cache.
    """
    M = x.size // x.shape[1]
    if train:
        mean, var = np.full(x.shape[1], x.mean()), np.full(x.shape[1], x.var())
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * var * M / (M - 1)
    else:
        mean, var = running_mean, running_var
    inverse = 1 / np.sqrt(var + eps)  # (C,)
    x_hat = (x - mean[:, None, None]) * inverse[:, None, None]  # (N, C, H, W)
    y = gamma[:, None, None] * x_hat + beta[:, None, None]
    return y, running_mean, running_var, (x_hat, inverse, gamma, train)


# %% BatchNorm channel by channel exercise="batchnorm-forward" right=true
def batchnorm_forward(
    x, gamma, beta, running_mean, running_var, train=True, momentum=0.1, eps=1e-5
):
    x_hat, inverse = np.empty_like(x), np.empty(x.shape[1])
    running_mean, running_var = np.array(running_mean), np.array(running_var)
    for c in range(x.shape[1]):
        values = x[:, c]
        if train:
            mean, var = np.mean(values), np.mean((values - np.mean(values)) ** 2)
            running_mean[c] += momentum * (mean - running_mean[c])
            running_var[c] += momentum * (np.var(values, ddof=1) - running_var[c])
        else:
            mean, var = running_mean[c], running_var[c]
        inverse[c] = (var + eps) ** -0.5
        x_hat[:, c] = (values - mean) * inverse[c]
    y = np.einsum("c,nchw->nchw", gamma, x_hat) + beta.reshape(1, -1, 1, 1)
    return y, running_mean, running_var, (x_hat, inverse, gamma, train)


# %% dx expected to sum to dbeta exercise="q-bn-dx-sum"
# Add a constant to the whole channel: the batch's mean takes it away again, and the loss does not
# change. So the sum of the gradients cannot be anything but one number.
q_bn_dx_sum = 1


# %% The mean treated as a constant exercise="batchnorm-backward" covers=[86]
# The road through the mean is missing: dx does not sum to 0 over a channel.
def batchnorm_backward(dy, cache):
    """From dy (N, C, H, W) and the cache: dx (N, C, H, W), dgamma (C,), dbeta (C,)."""
    x_hat, inverse, gamma, train = cache
    M = dy.size // dy.shape[1]
    dgamma, dbeta = (dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))  # (C,)
    scale = (gamma * inverse)[:, None, None]
    if not train:
        return scale * dy, dgamma, dbeta
    line = x_hat * dgamma[:, None, None] / M  # best fit to dy
    return scale * (dy - line), dgamma, dbeta


# %% The variance treated as a constant exercise="batchnorm-backward" covers=[87]
# The road through the variance is missing: dx still has a slope against x̂.
def batchnorm_backward(dy, cache):
    """From dy (N, C, H, W) and the cache: dx (N, C, H, W), dgamma (C,), dbeta (C,)."""
    x_hat, inverse, gamma, train = cache
    M = dy.size // dy.shape[1]
    dgamma, dbeta = (dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))  # (C,)
    scale = (gamma * inverse)[:, None, None]
    if not train:
        return scale * dy, dgamma, dbeta
    line = dbeta[:, None, None] / M  # best fit to dy
    return scale * (dy - line), dgamma, dbeta


# %% dx without gamma exercise="batchnorm-backward" covers=[88]
# γ is missing in dx: what arrives at x̂ is γ·dy.
def batchnorm_backward(dy, cache):
    """From dy (N, C, H, W) and the cache: dx (N, C, H, W), dgamma (C,), dbeta (C,)."""
    x_hat, inverse, gamma, train = cache
    M = dy.size // dy.shape[1]
    dgamma, dbeta = (dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))  # (C,)
    scale = inverse[:, None, None]
    if not train:
        return scale * dy, dgamma, dbeta
    line = dbeta[:, None, None] / M + x_hat * dgamma[:, None, None] / M  # best fit to dy
    return scale * (dy - line), dgamma, dbeta


# %% Only the direct road exercise="batchnorm-backward" covers=[86, 87]
# In training mean and variance are made from the batch: two more roads lead back. Your dx treats
# both as constants.
def batchnorm_backward(dy, cache):
    """From dy (N, C, H, W) and the cache: dx (N, C, H, W), dgamma (C,), dbeta (C,)."""
    x_hat, inverse, gamma, train = cache
    M = dy.size // dy.shape[1]
    dgamma, dbeta = (dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))  # (C,)
    scale = (gamma * inverse)[:, None, None]
    if True:
        return scale * dy, dgamma, dbeta
    line = dbeta[:, None, None] / M + x_hat * dgamma[:, None, None] / M  # best fit to dy
    return scale * (dy - line), dgamma, dbeta


# %% All roads in evaluation too exercise="batchnorm-backward" covers=[73]
# In evaluation mean and variance are constants: only the direct road is open.
def batchnorm_backward(dy, cache):
    """From dy (N, C, H, W) and the cache: dx (N, C, H, W), dgamma (C,), dbeta (C,)."""
    x_hat, inverse, gamma, train = cache
    M = dy.size // dy.shape[1]
    dgamma, dbeta = (dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))  # (C,)
    scale = (gamma * inverse)[:, None, None]
    line = dbeta[:, None, None] / M + x_hat * dgamma[:, None, None] / M  # best fit to dy
    return scale * (dy - line), dgamma, dbeta


# %% Sums not divided by M exercise="batchnorm-backward"
# The two sums must be divided by M: the mean, and the slope of the line of best fit, are
# averages.
def batchnorm_backward(dy, cache):
    """From dy (N, C, H, W) and the cache: dx (N, C, H, W), dgamma (C,), dbeta (C,)."""
    x_hat, inverse, gamma, train = cache
    M = dy.size // dy.shape[1]
    dgamma, dbeta = (dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))  # (C,)
    scale = (gamma * inverse)[:, None, None]
    if not train:
        return scale * dy, dgamma, dbeta
    line = dbeta[:, None, None] + x_hat * dgamma[:, None, None]  # best fit to dy
    return scale * (dy - line), dgamma, dbeta


# %% dgamma averaged exercise="batchnorm-backward"
# dgamma is a mean. γ is used for every value of its channel: sum.
def batchnorm_backward(dy, cache):
    """From dy (N, C, H, W) and the cache: dx (N, C, H, W), dgamma (C,), dbeta (C,)."""
    x_hat, inverse, gamma, train = cache
    M = dy.size // dy.shape[1]
    dgamma, dbeta = (dy * x_hat).mean(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))  # (C,)
    scale = (gamma * inverse)[:, None, None]
    if not train:
        return scale * dy, dgamma, dbeta
    line = dbeta[:, None, None] / M + x_hat * dgamma[:, None, None] / M  # best fit to dy
    return scale * (dy - line), dgamma, dbeta


# %% dgamma and dbeta exchanged exercise="batchnorm-backward"
# dgamma and dbeta are exchanged. The order is dx, dgamma, dbeta.
def batchnorm_backward(dy, cache):
    """From dy (N, C, H, W) and the cache: dx (N, C, H, W), dgamma (C,), dbeta (C,)."""
    x_hat, inverse, gamma, train = cache
    M = dy.size // dy.shape[1]
    dgamma, dbeta = (dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))  # (C,)
    scale = (gamma * inverse)[:, None, None]
    if not train:
        return scale * dy, dgamma, dbeta
    line = dbeta[:, None, None] / M + x_hat * dgamma[:, None, None] / M  # best fit to dy
    return scale * (dy - line), dbeta, dgamma


# %% M counts the samples only exercise="batchnorm-backward" covers=[83]
# M is the number of samples. A channel's statistics are made from N·H·W values.
def batchnorm_backward(dy, cache):
    """From dy (N, C, H, W) and the cache: dx (N, C, H, W), dgamma (C,), dbeta (C,)."""
    x_hat, inverse, gamma, train = cache
    M = len(dy)
    dgamma, dbeta = (dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))  # (C,)
    scale = (gamma * inverse)[:, None, None]
    if not train:
        return scale * dy, dgamma, dbeta
    line = dbeta[:, None, None] / M + x_hat * dgamma[:, None, None] / M  # best fit to dy
    return scale * (dy - line), dgamma, dbeta


# %% Gradient of the standardised input only exercise="batchnorm-backward"
# The factor 1/σ is missing: dividing by σ on the way forward divides the gradient too.
def batchnorm_backward(dy, cache):
    """From dy (N, C, H, W) and the cache: dx (N, C, H, W), dgamma (C,), dbeta (C,)."""
    x_hat, inverse, gamma, train = cache
    M = dy.size // dy.shape[1]
    dgamma, dbeta = (dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))  # (C,)
    scale = gamma[:, None, None]
    if not train:
        return scale * dy, dgamma, dbeta
    line = dbeta[:, None, None] / M + x_hat * dgamma[:, None, None] / M  # best fit to dy
    return scale * (dy - line), dgamma, dbeta


# %% BatchNorm backward in stages exercise="batchnorm-backward" right=true
def batchnorm_backward(dy, cache):
    x_hat, inverse, gamma, train = cache
    M = dy.shape[0] * dy.shape[2] * dy.shape[3]
    shape = (1, -1, 1, 1)
    inverse = inverse.reshape(shape)
    g = dy * gamma.reshape(shape)  # what arrives at x_hat
    dgamma, dbeta = np.einsum("nchw,nchw->c", dy, x_hat), np.einsum("nchw->c", dy)
    dx = g * inverse
    if train:
        centred = x_hat / inverse
        dvar = (g * centred).sum((0, 2, 3), keepdims=True) * -0.5 * inverse**3
        dmean = -(g * inverse).sum((0, 2, 3), keepdims=True)
        dx = dx + dvar * 2 * centred / M + dmean / M
    return dx, dgamma, dbeta


# %% BatchNorm backward as a fitted line exercise="batchnorm-backward" right=true
def batchnorm_backward(dy, cache):
    x_hat, inverse, gamma, train = cache
    dx = np.empty(dy.shape)
    for c in range(dy.shape[1]):
        g = gamma[c] * dy[:, c]
        if train:
            g = g - g.mean() - x_hat[:, c] * np.mean(g * x_hat[:, c])
        dx[:, c] = g * inverse[c]
    return dx, (dy * x_hat).sum((0, 2, 3)), dy.sum((0, 2, 3))


# %% [markdown]
# ## Modules, network, training


# %% Gradients accumulate over backward passes exercise="conv-module" covers=[62]
# A second backward pass adds to the gradients of the first. Here each backward pass replaces
# them.
class Conv2d:
    """A convolution that keeps its parameters, its cache and its gradients."""

    def __init__(self, w, b, stride=1, padding=0):
        self.params = {"w": w, "b": b}
        self.grads = {}
        self.stride, self.padding = stride, padding

    def forward(self, x, train=True):
        """x (N, C, H, W) to z (N, F, OH, OW)."""
        w, b = self.params["w"], self.params["b"]
        z, self.cache = conv_forward(x, w, b, self.stride, self.padding)
        return z

    def backward(self, dz):
        """dz (N, F, OH, OW) to dx (N, C, H, W); fills grads["w"] and grads["b"]."""
        dx, dw, db = conv_backward(dz, self.cache)
        self.grads["w"] = self.grads.get("w", 0) + dw
        self.grads["b"] = self.grads.get("b", 0) + db
        return dx


# %% Cache shared by all layers exercise="conv-module"
# The cache is kept on the class, so all convolutions share it. Keep it on the layer: self.cache.
class Conv2d:
    """A convolution that keeps its parameters, its cache and its gradients."""

    def __init__(self, w, b, stride=1, padding=0):
        self.params = {"w": w, "b": b}
        self.grads = {}
        self.stride, self.padding = stride, padding

    def forward(self, x, train=True):
        """x (N, C, H, W) to z (N, F, OH, OW)."""
        w, b = self.params["w"], self.params["b"]
        z, Conv2d.cache = conv_forward(x, w, b, self.stride, self.padding)
        return z

    def backward(self, dz):
        """dz (N, F, OH, OW) to dx (N, C, H, W); fills grads["w"] and grads["b"]."""
        dx, self.grads["w"], self.grads["b"] = conv_backward(dz, self.cache)
        return dx


# %% Stride and padding not passed on exercise="conv-module"
# The layer's stride and padding do not reach conv_forward.
class Conv2d:
    """A convolution that keeps its parameters, its cache and its gradients."""

    def __init__(self, w, b, stride=1, padding=0):
        self.params = {"w": w, "b": b}
        self.grads = {}
        self.stride, self.padding = stride, padding

    def forward(self, x, train=True):
        """x (N, C, H, W) to z (N, F, OH, OW)."""
        w, b = self.params["w"], self.params["b"]
        z, self.cache = conv_forward(x, w, b)
        return z

    def backward(self, dz):
        """dz (N, F, OH, OW) to dx (N, C, H, W); fills grads["w"] and grads["b"]."""
        dx, self.grads["w"], self.grads["b"] = conv_backward(dz, self.cache)
        return dx


# %% Gradients not stored exercise="conv-module"
# The gradients for w and b are thrown away: the optimizer looks for them in layer.grads.
class Conv2d:
    """A convolution that keeps its parameters, its cache and its gradients."""

    def __init__(self, w, b, stride=1, padding=0):
        self.params = {"w": w, "b": b}
        self.grads = {}
        self.stride, self.padding = stride, padding

    def forward(self, x, train=True):
        """x (N, C, H, W) to z (N, F, OH, OW)."""
        w, b = self.params["w"], self.params["b"]
        z, self.cache = conv_forward(x, w, b, self.stride, self.padding)
        return z

    def backward(self, dz):
        """dz (N, F, OH, OW) to dx (N, C, H, W); fills grads["w"] and grads["b"]."""
        dx, _, _ = conv_backward(dz, self.cache)
        return dx


# %% Backward in forward order exercise="sequential"
# The backward pass runs through the layers in forward order. The gradient comes from the loss:
# last layer first.
class Sequential:
    """Layers one after the other; itself a layer."""

    def __init__(self, layers):
        self.layers = layers

    def forward(self, x, train=True):
        """Through all layers, first to last; returns the last one's output."""
        for layer in self.layers:
            x = layer.forward(x, train)
        return x

    def backward(self, dy):
        """Through all layers, last to first; returns the gradient for the first one's input."""
        for layer in self.layers:
            dy = layer.backward(dy)
        return dy


# %% Mode not passed on exercise="sequential" covers=[73]
# train is not handed on to the layers: BatchNorm would stay in training mode when you evaluate.
class Sequential:
    """Layers one after the other; itself a layer."""

    def __init__(self, layers):
        self.layers = layers

    def forward(self, x, train=True):
        """Through all layers, first to last; returns the last one's output."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy):
        """Through all layers, last to first; returns the gradient for the first one's input."""
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy


# %% Layer list reversed for good exercise="sequential"
# The list itself is reversed by the backward pass, so the next forward pass runs backwards.
class Sequential:
    """Layers one after the other; itself a layer."""

    def __init__(self, layers):
        self.layers = layers

    def forward(self, x, train=True):
        """Through all layers, first to last; returns the last one's output."""
        for layer in self.layers:
            x = layer.forward(x, train)
        return x

    def backward(self, dy):
        """Through all layers, last to first; returns the gradient for the first one's input."""
        self.layers.reverse()
        for layer in self.layers:
            dy = layer.backward(dy)
        return dy


# %% Every layer fed with the input exercise="sequential"
# Each layer gets the network's input. It must get the output of the layer before.
class Sequential:
    """Layers one after the other; itself a layer."""

    def __init__(self, layers):
        self.layers = layers

    def forward(self, x, train=True):
        """Through all layers, first to last; returns the last one's output."""
        for layer in self.layers:
            y = layer.forward(x, train)
        return y

    def backward(self, dy):
        """Through all layers, last to first; returns the gradient for the first one's input."""
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy


# %% Sequential by recursion exercise="sequential" right=true
class Sequential:
    def __init__(self, layers):
        self.layers = list(layers)

    def forward(self, x, train=True):
        first, *rest = self.layers
        y = first.forward(x, train=train)
        return Sequential(rest).forward(y, train) if rest else y

    def backward(self, dy):
        for number in range(len(self.layers) - 1, -1, -1):
            dy = self.layers[number].backward(dy)
        return dy


# %% Logarithm to base 10 exercise="q-first-loss"
# That is the logarithm to base 10. Cross-entropy uses the natural one.
q_first_loss = 1.0


# %% The probability itself exercise="q-first-loss"
# 0.1 is the probability of each digit. The loss is its negative logarithm.
q_first_loss = 0.1


# %% Base 2 exercise="q-first-loss"
# That is the entropy in bits, the logarithm to base 2. The loss uses the natural logarithm.
q_first_loss = 3.32


# %% ReLU left out exercise="make-cnn" covers=[100]
# A ReLU of the table is missing. Without it two convolutions in a row are little more than one.
def make_cnn(seed):
    """The network of the table, a Sequential of eight layers, with random weights."""
    rng = np.random.default_rng(seed)

    def normal(std, *shape):
        return (std * rng.normal(size=shape)).astype(np.float32)

    return Sequential(
        [
            Conv2d(normal((2 / 25) ** 0.5, 16, 1, 5, 5), np.zeros(16, np.float32), padding=2),
            BatchNorm2d(16),
            MaxPool2d(2),
            Conv2d(normal((2 / 144) ** 0.5, 32, 16, 3, 3), np.zeros(32, np.float32), padding=1),
            GlobalAvgPool(),
            Linear(normal(0.01, 10, 32), np.zeros(10, np.float32)),
        ]
    )


# %% 3 × 3 filters in the first layer exercise="make-cnn"
# The first layer has 3 × 3 filters; the table asks for 5 × 5 with padding 2.
def make_cnn(seed):
    """The network of the table, a Sequential of eight layers, with random weights."""
    rng = np.random.default_rng(seed)

    def normal(std, *shape):
        return (std * rng.normal(size=shape)).astype(np.float32)

    return Sequential(
        [
            Conv2d(normal((2 / 25) ** 0.5, 16, 1, 3, 3), np.zeros(16, np.float32), padding=1),
            BatchNorm2d(16),
            ReLU(),
            MaxPool2d(2),
            Conv2d(normal((2 / 144) ** 0.5, 32, 16, 3, 3), np.zeros(32, np.float32), padding=1),
            ReLU(),
            GlobalAvgPool(),
            Linear(normal(0.01, 10, 32), np.zeros(10, np.float32)),
        ]
    )


# %% Weights that start at zero exercise="make-cnn"
# All filters start at zero, so all are equal and get equal gradients: they stay copies of each
# other.
def make_cnn(seed):
    """The network of the table, a Sequential of eight layers, with random weights."""
    rng = np.random.default_rng(seed)

    def normal(std, *shape):
        return np.zeros(shape, np.float32)

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


# %% Variance used as standard deviation exercise="make-cnn"
# The weights are drawn with He's variance as their standard deviation. The rule's standard
# deviation has a square root.
def make_cnn(seed):
    """The network of the table, a Sequential of eight layers, with random weights."""
    rng = np.random.default_rng(seed)

    def normal(std, *shape):
        return (std * rng.normal(size=shape)).astype(np.float32)

    return Sequential(
        [
            Conv2d(normal(2 / 25, 16, 1, 5, 5), np.zeros(16, np.float32), padding=2),
            BatchNorm2d(16),
            ReLU(),
            MaxPool2d(2),
            Conv2d(normal(2 / 144, 32, 16, 3, 3), np.zeros(32, np.float32), padding=1),
            ReLU(),
            GlobalAvgPool(),
            Linear(normal(0.01, 10, 32), np.zeros(10, np.float32)),
        ]
    )


# %% Pooling before ReLU and BatchNorm exercise="make-cnn"
# The layers stand in another order than the table: BatchNorm sees the pooled maps.
def make_cnn(seed):
    """The network of the table, a Sequential of eight layers, with random weights."""
    rng = np.random.default_rng(seed)

    def normal(std, *shape):
        return (std * rng.normal(size=shape)).astype(np.float32)

    return Sequential(
        [
            Conv2d(normal((2 / 25) ** 0.5, 16, 1, 5, 5), np.zeros(16, np.float32), padding=2),
            MaxPool2d(2),
            BatchNorm2d(16),
            ReLU(),
            Conv2d(normal((2 / 144) ** 0.5, 32, 16, 3, 3), np.zeros(32, np.float32), padding=1),
            ReLU(),
            GlobalAvgPool(),
            Linear(normal(0.01, 10, 32), np.zeros(10, np.float32)),
        ]
    )


# %% Last layer with large weights exercise="make-cnn"
# The linear layer starts with large weights: its first answers are confident and wrong, and the
# first loss is far above ln 10.
def make_cnn(seed):
    """The network of the table, a Sequential of eight layers, with random weights."""
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
            Linear(normal(3.0, 10, 32), np.zeros(10, np.float32)),
        ]
    )


# %% The network in float64 exercise="make-cnn" right=true
def make_cnn(seed):
    rng = np.random.default_rng(seed + 100)
    first = Conv2d(rng.normal(0, np.sqrt(2 / 25), (16, 1, 5, 5)), np.zeros(16), 1, 2)
    second = Conv2d(rng.normal(0, np.sqrt(2 / 144), (32, 16, 3, 3)), np.zeros(32), 1, 1)
    last = Linear(rng.normal(0, 0.01, (10, 32)), np.zeros(10))
    return Sequential(
        [first, BatchNorm2d(16), ReLU(), MaxPool2d(2), second, ReLU(), GlobalAvgPool(), last]
    )


# %% Predicted in training mode exercise="train" covers=[73]
# predict runs in training mode: BatchNorm normalises with the images that happen to stand
# together, and moves its running statistics.
def train(network, x, y, epochs=20, lr=0.1, momentum=0.9, batch=64, seed=0):
    """Train by SGD on images x (N, 1, 8, 8) and labels y (N,); returns the losses, one a step."""
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


def predict(network, x):
    """The digit that the network reads in each image of x (N, 1, 8, 8); returns (N,)."""
    return network.forward(x, train=True).argmax(axis=1)


# %% Labels not shuffled with the images exercise="train"
# Images are shuffled and labels are not: most images meet a wrong label.
def train(network, x, y, epochs=20, lr=0.1, momentum=0.9, batch=64, seed=0):
    """Train by SGD on images x (N, 1, 8, 8) and labels y (N,); returns the losses, one a step."""
    rng = np.random.default_rng(seed)
    steps = epochs * (len(x) // batch)
    losses, velocity = [], {}
    for _ in range(epochs):
        shuffled = rng.permutation(len(x))
        for start in range(0, len(x) - batch + 1, batch):
            chosen = shuffled[start : start + batch]
            logits = network.forward(x[chosen], train=True)
            loss, dlogits = softmax_cross_entropy(logits, y[start : start + batch])
            network.backward(dlogits)
            sgd_step(network, velocity, lr * (1 - len(losses) / steps), momentum)
            losses.append(loss)
    return losses


def predict(network, x):
    """The digit that the network reads in each image of x (N, 1, 8, 8); returns (N,)."""
    return network.forward(x, train=False).argmax(axis=1)


# %% Step uphill exercise="train"
# The parameters move along the gradient, uphill: the loss grows.
def train(network, x, y, epochs=20, lr=0.1, momentum=0.9, batch=64, seed=0):
    """Train by SGD on images x (N, 1, 8, 8) and labels y (N,); returns the losses, one a step."""
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
            sgd_step(network, velocity, -lr * (1 - len(losses) / steps), momentum)
            losses.append(loss)
    return losses


def predict(network, x):
    """The digit that the network reads in each image of x (N, 1, 8, 8); returns (N,)."""
    return network.forward(x, train=False).argmax(axis=1)


# %% Largest logit over the batch exercise="train"
# argmax runs over the images. For each image the largest of its ten logits is asked: axis 1.
def train(network, x, y, epochs=20, lr=0.1, momentum=0.9, batch=64, seed=0):
    """Train by SGD on images x (N, 1, 8, 8) and labels y (N,); returns the losses, one a step."""
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


def predict(network, x):
    """The digit that the network reads in each image of x (N, 1, 8, 8); returns (N,)."""
    return network.forward(x, train=False).argmax(axis=0)


# %% Trained in evaluation mode exercise="train"
# Training runs in evaluation mode: BatchNorm neither normalises with the batch nor learns its
# running statistics.
def train(network, x, y, epochs=20, lr=0.1, momentum=0.9, batch=64, seed=0):
    """Train by SGD on images x (N, 1, 8, 8) and labels y (N,); returns the losses, one a step."""
    rng = np.random.default_rng(seed)
    steps = epochs * (len(x) // batch)
    losses, velocity = [], {}
    for _ in range(epochs):
        shuffled = rng.permutation(len(x))
        for start in range(0, len(x) - batch + 1, batch):
            chosen = shuffled[start : start + batch]
            logits = network.forward(x[chosen], train=False) * 0
            loss, dlogits = softmax_cross_entropy(logits, y[chosen])
            network.backward(dlogits)
            sgd_step(network, velocity, lr * (1 - len(losses) / steps), momentum)
            losses.append(loss)
    return losses


def predict(network, x):
    """The digit that the network reads in each image of x (N, 1, 8, 8); returns (N,)."""
    return network.forward(x, train=False).argmax(axis=1)


# %% Backward forgotten exercise="train"
# backward is never called: there are no gradients to step along.
def train(network, x, y, epochs=20, lr=0.1, momentum=0.9, batch=64, seed=0):
    """Train by SGD on images x (N, 1, 8, 8) and labels y (N,); returns the losses, one a step."""
    rng = np.random.default_rng(seed)
    steps = epochs * (len(x) // batch)
    losses, velocity = [], {}
    for _ in range(epochs):
        shuffled = rng.permutation(len(x))
        for start in range(0, len(x) - batch + 1, batch):
            chosen = shuffled[start : start + batch]
            logits = network.forward(x[chosen], train=True)
            loss, dlogits = softmax_cross_entropy(logits, y[chosen])
            sgd_step(network, velocity, lr * (1 - len(losses) / steps), momentum)
            losses.append(loss)
    return losses


def predict(network, x):
    """The digit that the network reads in each image of x (N, 1, 8, 8); returns (N,)."""
    return network.forward(x, train=False).argmax(axis=1)


# %% The same batch in every step exercise="train"
# Every step sees the same images. Each epoch goes through all of them once.
def train(network, x, y, epochs=20, lr=0.1, momentum=0.9, batch=64, seed=0):
    """Train by SGD on images x (N, 1, 8, 8) and labels y (N,); returns the losses, one a step."""
    rng = np.random.default_rng(seed)
    steps = epochs * (len(x) // batch)
    losses, velocity = [], {}
    for _ in range(epochs):
        shuffled = rng.permutation(len(x))
        for start in range(0, len(x) - batch + 1, batch):
            chosen = np.arange(batch)
            logits = network.forward(x[chosen], train=True)
            loss, dlogits = softmax_cross_entropy(logits, y[chosen])
            network.backward(dlogits)
            sgd_step(network, velocity, lr * (1 - len(losses) / steps), momentum)
            losses.append(loss)
    return losses


def predict(network, x):
    """The digit that the network reads in each image of x (N, 1, 8, 8); returns (N,)."""
    return network.forward(x, train=False).argmax(axis=1)


# %% Logits returned instead of digits exercise="train"
# predict returns ten logits an image. Return the digit with the largest one.
def train(network, x, y, epochs=20, lr=0.1, momentum=0.9, batch=64, seed=0):
    """Train by SGD on images x (N, 1, 8, 8) and labels y (N,); returns the losses, one a step."""
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


def predict(network, x):
    """The digit that the network reads in each image of x (N, 1, 8, 8); returns (N,)."""
    return network.forward(x, train=False)


# %% Other batches, other words exercise="train" right=true
def train(network, x, y, epochs=20, lr=0.1, momentum=0.9, batch=64, seed=0):
    rng, velocity, losses = np.random.default_rng(seed + 7), {}, []
    for epoch in range(epochs):
        parts = np.array_split(rng.permutation(len(x)), int(np.ceil(len(x) / batch)))
        for part in parts:
            loss, d = softmax_cross_entropy(network.forward(x[part]), y[part])
            network.backward(d)
            rate = lr * (1 - len(losses) / (epochs * len(parts)))
            sgd_step(network, velocity, rate, momentum)
            losses.append(loss)
    return np.array(losses)


def predict(network, x):
    return np.array([np.argmax(network.forward(x[i : i + 1], train=False)) for i in range(len(x))])


# %% Trained for one step exercise="run-training"
# The training is far too short. Look at the loss: it should fall to a hundredth.
start = time.perf_counter()
network = make_cnn(seed)
losses = train(network, x_train[:64], y_train[:64], epochs=1)
seconds = time.perf_counter() - start


# %% Learning rate far too large exercise="run-training"
# The learning rate is far too large: the loss jumps instead of falling.
start = time.perf_counter()
network = make_cnn(seed)
losses = train(network, x_train, y_train, epochs=3, lr=30.0)
seconds = time.perf_counter() - start


# %% Trained one network, kept another exercise="run-training"
# The network that you keep is not the one that you trained.
start = time.perf_counter()
losses = train(make_cnn(seed), x_train, y_train, epochs=3)
network = make_cnn(seed)
seconds = time.perf_counter() - start


# %% Other settings exercise="run-training" right=true
start = time.perf_counter()
network = make_cnn(seed + 1)
losses = train(network, x_train, y_train, epochs=16, lr=0.15, batch=48, seed=5)
seconds = time.perf_counter() - start


# %% [markdown]
# ## Speed


# %% MACs counted as FLOPs exercise="q-intensity" covers=[27]
# You counted MACs. A MAC is a multiplication and an addition: 2 FLOPs.
q_intensity = 6.33


# %% Numbers instead of bytes exercise="q-intensity"
# You divided by the number of numbers. A float32 has 4 bytes.
q_intensity = 50.7


# %% The result left out exercise="q-intensity"
# You counted the two matrices that are read. The result is written, and crosses too.
q_intensity = 15.4


# %% The dot product again exercise="q-intensity"
# That is the intensity of one dot product at a time. In the matrix product every filter meets
# every window while both are at hand.
q_intensity = 0.25


# %% The intensity as a formula exercise="q-intensity" right=true
q_intensity = 2 * 32 * 144 * 784 / (4 * (32 * 144 + 144 * 784 + 32 * 784))


# %% Sums over the same axes exercise="conv2d-db" equivalent=true
# The order of the axes in a sum does not matter.
# - return dz.sum(axis=(0, 2, 3))
# + return dz.sum(axis=(2, 0, 3))
# + return dz.sum(axis=(0, 3, 2))


# %% More zeros than are returned exercise="conv2d-dx" equivalent=true
# What lies beyond the padded image is cut off in the last line, however much it is.
# - dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
# + dx = np.zeros((N, C, H + (2 + padding), W + 2 * padding))
# + dx = np.zeros((N, C, H + 3 * padding, W + 2 * padding))
# + dx = np.zeros((N, C, H + 2 * padding, W + (2 + padding)))
# + dx = np.zeros((N, C, H + 2 * padding, W + 3 * padding))


# %% More zeros at the far end than are returned exercise="conv2d-dx-full" equivalent=true
# H + P rows and W + P columns are enough: the rest is cut off in the last line.
# - below = H + 2 * padding - wide.shape[2]
# + below = H + 2 * padding + wide.shape[2]
# + below = H + 2 * padding
# + below = H + (2 + padding) - wide.shape[2]
# + below = H + 3 * padding - wide.shape[2]
# - right = W + 2 * padding - wide.shape[3]
# + right = W + 2 * padding + wide.shape[3]
# + right = W + 2 * padding
# + right = W + (2 + padding) - wide.shape[3]
# + right = W + padding - wide.shape[3]
# + right = W + 3 * padding - wide.shape[3]
# + right = W + 1 * padding - wide.shape[3]


# %% Columns in float64 exercise="im2col" equivalent=true
# The numbers are the same; the dtype is asked nowhere.
# - cols = np.empty((N, C, kh, kw, OH, OW), dtype=x.dtype)
# + cols = np.empty((N, C, kh, kw, OH, OW))


# %% A wider image, or one in float64 exercise="col2im" equivalent=true
# What lies beyond the padded image is cut off in the last line, and the dtype is asked nowhere.
# - x = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=cols.dtype)
# + x = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
# + x = np.zeros((N, C, H + (2 + padding), W + 2 * padding), dtype=cols.dtype)
# + x = np.zeros((N, C, H + 3 * padding, W + 2 * padding), dtype=cols.dtype)
# + x = np.zeros((N, C, H + 2 * padding, W + (2 + padding)), dtype=cols.dtype)
# + x = np.zeros((N, C, H + 2 * padding, W + 3 * padding), dtype=cols.dtype)


# %% Blocks of another size exercise="conv" equivalent=true
# Every block from one sample on gives the same numbers; how much memory it takes is not tested.
# - block = max(1, 500000 // (C * KH * KW * OH * OW))
# + block = max(500000 // (C * KH * KW * OH * OW), 1)
# + block = 1
# + block = max(2, 500000 // (C * KH * KW * OH * OW))
# + block = max(1, -(-500000 // (C * KH * KW * OH * OW)))
# + block = max(1, 500000)
# + block = max(1, C * KH * KW * OH * OW // 500000)
# + block = max(1, 500001 // (C * KH * KW * OH * OW))
# + block = max(1, 499999 // (C * KH * KW * OH * OW))
# + block = max(1, 500000 // (C * KH * KW * OH + OW))
# + block = max(1, 500000 // (C * KH * KW * OH))
# + block = max(1, 500000 // OW)
# + block = max(1, 500000 // ((C * KH * KW + OH) * OW))
# + block = max(1, 500000 // (C * KH * KW * OW))
# + block = max(1, 500000 // (OH * OW))
# + block = max(1, 500000 // ((C * KH + KW) * OH * OW))
# + block = max(1, 500000 // (C * KH * OH * OW))
# + block = max(1, 500000 // (KW * OH * OW))
# + block = max(1, 500000 // ((C + KH) * KW * OH * OW))
# + block = max(1, 500000 // (C * KW * OH * OW))
# + block = max(1, 500000 // (KH * KW * OH * OW))
# + block = max(1, 500000 // (N * KH * KW * OH * OW))
# + block = max(1, 500000 // (H * KH * KW * OH * OW))
# + block = max(1, 500000 // (C * KW * KW * OH * OW))
# + block = max(1, 500000 // (C * KH * KH * OH * OW))


# %% Blocks that overlap, or an empty one exercise="conv" equivalent=true
# A sample that is computed again gives the same numbers.
# - for n in range(0, N, block):
# + for n in range(0, N):
# + for n in range(0, N + 1, block):


# %% A result in float64, or of the same type in another order exercise="conv" equivalent=true
# The common type of three arrays does not depend on their order, and float64 holds it too.
# - z = np.empty((N, F, OH * OW), dtype=np.result_type(x, w, b))
# + z = np.empty((N, F, OH * OW))
# + z = np.empty((N, F, OH * OW), dtype=np.result_type(w, x, b))
# + z = np.empty((N, F, OH * OW), dtype=np.result_type(x, b, w))


# %% The bias sums over the same axes exercise="conv" equivalent=true
# The order of the axes in a sum does not matter.
# - return (dx, dw, dz.sum(axis=(0, 2)))
# + return (dx, dw, dz.sum(axis=(2, 0)))


# %% The maximum does not ask who comes first exercise="relu" equivalent=true
# np.maximum is symmetric.
# - return (np.maximum(x, 0), x > 0)
# + return (np.maximum(0, x), x > 0)


# %% Samples and channels are not used exercise="max-pool" equivalent=true
# N and C stand there to name the axes.
# - N, C, H, W = x.shape
# + C, N, H, W = x.shape


# %% Padding by nothing exercise="max-pool" equivalent=true
# Without padding np.pad returns a copy of the image.
# - wide = np.pad(x, pad, constant_values=-np.inf) if padding else x
# + wide = np.pad(x, pad, constant_values=-np.inf)
# + wide = np.pad(x, pad, constant_values=-np.inf) if stride else x


# %% A wider gradient, or one in float64 exercise="max-pool" equivalent=true
# What lies beyond the padded image is cut off in the last line, and the dtype is asked nowhere.
# - dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding), dtype=dy.dtype)
# + dx = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
# + dx = np.zeros((N, C, H + (2 + padding), W + 2 * padding), dtype=dy.dtype)
# + dx = np.zeros((N, C, H + 3 * padding, W + 2 * padding), dtype=dy.dtype)
# + dx = np.zeros((N, C, H + 2 * padding, W + (2 + padding)), dtype=dy.dtype)
# + dx = np.zeros((N, C, H + 2 * padding, W + 3 * padding), dtype=dy.dtype)


# %% A gradient in float64 exercise="avg-pool" equivalent=true
# The numbers are the same; the dtype is asked nowhere.
# - dx = np.zeros(x_shape, dtype=dy.dtype)
# + dx = np.zeros(x_shape)


# %% A mean over the same axes exercise="gap-flatten" equivalent=true
# The order of the axes in a mean does not matter.
# - return (x.mean(axis=(2, 3)), x.shape)
# + return (x.mean(axis=(3, 2)), x.shape)


# %% Only the product of rows and columns is used exercise="gap-flatten" equivalent=true
# H * W = W * H; N and C stand there to name the axes.
# - N, C, H, W = cache
# + C, N, H, W = cache
# + N, C, W, H = cache


# %% A view instead of a copy exercise="gap-flatten" equivalent=true
# The numbers are the same; the gradient is not asked to be writable.
# - return np.broadcast_to(dy[:, :, None, None] / (H * W), cache).copy()
# + return np.broadcast_to(dy[:, :, None, None] / (H * W), cache)


# %% A division without a remainder exercise="batchnorm-forward" equivalent=true
# x.size is a multiple of the number of channels.
# - M = x.size // x.shape[1]
# + M = -(-x.size // x.shape[1])
# + M = x.size / x.shape[1]


# %% Statistics over the same axes exercise="batchnorm-forward" equivalent=true
# The order of the axes in a mean or a variance does not matter.
# - mean, var = (x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3)))
# + mean, var = (x.mean(axis=(2, 0, 3)), x.var(axis=(0, 2, 3)))
# + mean, var = (x.mean(axis=(0, 3, 2)), x.var(axis=(0, 2, 3)))
# + mean, var = (x.mean(axis=(0, 2, 3)), x.var(axis=(2, 0, 3)))
# + mean, var = (x.mean(axis=(0, 2, 3)), x.var(axis=(0, 3, 2)))


# %% Two new axes exchanged exercise="batchnorm-forward" equivalent=true
# Both are None: the line is the same.
# - x_hat = (x - mean[:, None, None]) * inverse[:, None, None]
# + x_hat = (x - mean[:, None, None]) * inverse[:, None, None]


# %% Another cache exercise="batchnorm-forward" equivalent=true
# What the cache holds is the student's own business. What the backward pass reads wrongly, the tests
# of the backward pass catch: dx of exercise 16 in training and in evaluation.
# - return (y, running_mean, running_var, (x_hat, inverse, gamma, train))
# + return (y, running_mean, running_var, (inverse, x_hat, gamma, train))
# + return (y, running_mean, running_var, (x_hat, gamma, inverse, train))
# + return (y, running_mean, running_var, (x_hat, inverse, train, gamma))
# + return (y, running_mean, running_var, (x_hat, inverse, x, train))
# + return (y, running_mean, running_var, (x_hat, inverse, beta, train))
# + return (y, running_mean, running_var, (x_hat, inverse, gamma, running_var))
# + return (y, running_mean, running_var, (x_hat, inverse, gamma, momentum))


# %% Two factors of one product exchanged exercise="batchnorm-backward" equivalent=true
# gamma and inverse are only used as gamma * inverse.
# - x_hat, inverse, gamma, train = cache
# + x_hat, gamma, inverse, train = cache


# %% A division without a remainder on the way back exercise="batchnorm-backward" equivalent=true
# dy.size is a multiple of the number of channels.
# - M = dy.size // dy.shape[1]
# + M = -(-dy.size // dy.shape[1])
# + M = dy.size / dy.shape[1]


# %% Sums of dgamma and dbeta over the same axes exercise="batchnorm-backward" equivalent=true
# The order of the axes in a sum does not matter.
# - dgamma, dbeta = ((dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3)))
# + dgamma, dbeta = ((dy * x_hat).sum(axis=(2, 0, 3)), dy.sum(axis=(0, 2, 3)))
# + dgamma, dbeta = ((dy * x_hat).sum(axis=(0, 3, 2)), dy.sum(axis=(0, 2, 3)))
# + dgamma, dbeta = ((dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(2, 0, 3)))
# + dgamma, dbeta = ((dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 3, 2)))


# %% Another default in the given constructor exercise="conv-module" equivalent=true
# The constructor is given; students do not write it.
# - def __init__(self, w, b, stride=1, padding=0):
# + def __init__(self, w, b, stride=2, padding=0):


# %% A convolution does not ask whether it trains exercise="conv-module" equivalent=true
# The argument train is not used.
# - def forward(self, x, train=True):
# + def forward(self, x, train=False):


# %% Parameters in float64 exercise="make-cnn" equivalent=true
# The task allows both.
# - return (std * rng.normal(size=shape)).astype(np.float32)
# + return std * rng.normal(size=shape)
# - return Sequential([Conv2d(normal((2 / 25) ** 0.5, 16, 1, 5, 5), np.zeros(16, np.float32), padding=2), BatchNorm2d(16), ReLU(), MaxPool2d(2), Conv2d(normal((2 / 144) ** 0.5, 32, 16, 3, 3), np.zeros(32, np.float32), padding=1), ReLU(), GlobalAvgPool(), Linear(normal(0.01, 10, 32), np.zeros(10, np.float32))])
# + return Sequential([Conv2d(normal((2 / 25) ** 0.5, 16, 1, 5, 5), np.zeros(16), padding=2), BatchNorm2d(16), ReLU(), MaxPool2d(2), Conv2d(normal((2 / 144) ** 0.5, 32, 16, 3, 3), np.zeros(32, np.float32), padding=1), ReLU(), GlobalAvgPool(), Linear(normal(0.01, 10, 32), np.zeros(10, np.float32))])
# + return Sequential([Conv2d(normal((2 / 25) ** 0.5, 16, 1, 5, 5), np.zeros(16, np.float32), padding=2), BatchNorm2d(16), ReLU(), MaxPool2d(2), Conv2d(normal((2 / 144) ** 0.5, 32, 16, 3, 3), np.zeros(32), padding=1), ReLU(), GlobalAvgPool(), Linear(normal(0.01, 10, 32), np.zeros(10, np.float32))])
# + return Sequential([Conv2d(normal((2 / 25) ** 0.5, 16, 1, 5, 5), np.zeros(16, np.float32), padding=2), BatchNorm2d(16), ReLU(), MaxPool2d(2), Conv2d(normal((2 / 144) ** 0.5, 32, 16, 3, 3), np.zeros(32, np.float32), padding=1), ReLU(), GlobalAvgPool(), Linear(normal(0.01, 10, 32), np.zeros(10))])


# %% Pooling before ReLU exercise="make-cnn" equivalent=true
# The largest of several numbers, cut off at 0, is the largest of the numbers cut off at 0.
# - return Sequential([Conv2d(normal((2 / 25) ** 0.5, 16, 1, 5, 5), np.zeros(16, np.float32), padding=2), BatchNorm2d(16), ReLU(), MaxPool2d(2), Conv2d(normal((2 / 144) ** 0.5, 32, 16, 3, 3), np.zeros(32, np.float32), padding=1), ReLU(), GlobalAvgPool(), Linear(normal(0.01, 10, 32), np.zeros(10, np.float32))])
# + return Sequential([Conv2d(normal((2 / 25) ** 0.5, 16, 1, 5, 5), np.zeros(16, np.float32), padding=2), BatchNorm2d(16), MaxPool2d(2), ReLU(), Conv2d(normal((2 / 144) ** 0.5, 32, 16, 3, 3), np.zeros(32, np.float32), padding=1), ReLU(), GlobalAvgPool(), Linear(normal(0.01, 10, 32), np.zeros(10, np.float32))])


# %% A standard deviation off by two per cent or less exercise="make-cnn" equivalent=true
# Random weights do not show it: the standard error of 400 of them is 3.5%, and 145 for 144 is 0.3%.
# - return Sequential([Conv2d(normal((2 / 25) ** 0.5, 16, 1, 5, 5), np.zeros(16, np.float32), padding=2), BatchNorm2d(16), ReLU(), MaxPool2d(2), Conv2d(normal((2 / 144) ** 0.5, 32, 16, 3, 3), np.zeros(32, np.float32), padding=1), ReLU(), GlobalAvgPool(), Linear(normal(0.01, 10, 32), np.zeros(10, np.float32))])
# + return Sequential([Conv2d(normal((2 / 26) ** 0.5, 16, 1, 5, 5), np.zeros(16, np.float32), padding=2), BatchNorm2d(16), ReLU(), MaxPool2d(2), Conv2d(normal((2 / 144) ** 0.5, 32, 16, 3, 3), np.zeros(32, np.float32), padding=1), ReLU(), GlobalAvgPool(), Linear(normal(0.01, 10, 32), np.zeros(10, np.float32))])
# + return Sequential([Conv2d(normal((2 / 24) ** 0.5, 16, 1, 5, 5), np.zeros(16, np.float32), padding=2), BatchNorm2d(16), ReLU(), MaxPool2d(2), Conv2d(normal((2 / 144) ** 0.5, 32, 16, 3, 3), np.zeros(32, np.float32), padding=1), ReLU(), GlobalAvgPool(), Linear(normal(0.01, 10, 32), np.zeros(10, np.float32))])
# + return Sequential([Conv2d(normal((2 / 25) ** 0.5, 16, 1, 5, 5), np.zeros(16, np.float32), padding=2), BatchNorm2d(16), ReLU(), MaxPool2d(2), Conv2d(normal((2 / 145) ** 0.5, 32, 16, 3, 3), np.zeros(32, np.float32), padding=1), ReLU(), GlobalAvgPool(), Linear(normal(0.01, 10, 32), np.zeros(10, np.float32))])
# + return Sequential([Conv2d(normal((2 / 25) ** 0.5, 16, 1, 5, 5), np.zeros(16, np.float32), padding=2), BatchNorm2d(16), ReLU(), MaxPool2d(2), Conv2d(normal((2 / 143) ** 0.5, 32, 16, 3, 3), np.zeros(32, np.float32), padding=1), ReLU(), GlobalAvgPool(), Linear(normal(0.01, 10, 32), np.zeros(10, np.float32))])


# %% Another default exercise="train" equivalent=true
# The signature is given, and its defaults are no more than a good start: other settings are welcome.
# - def train(network, x, y, epochs=20, lr=0.1, momentum=0.9, batch=64, seed=0):
# + def train(network, x, y, epochs=21, lr=0.1, momentum=0.9, batch=64, seed=0):
# + def train(network, x, y, epochs=19, lr=0.1, momentum=0.9, batch=64, seed=0):
# + def train(network, x, y, epochs=20, lr=1.1, momentum=0.9, batch=64, seed=0):
# + def train(network, x, y, epochs=20, lr=0.05, momentum=0.9, batch=64, seed=0):
# + def train(network, x, y, epochs=20, lr=0.1, momentum=0.45, batch=64, seed=0):
# + def train(network, x, y, epochs=20, lr=0.1, momentum=0.9, batch=65, seed=0):
# + def train(network, x, y, epochs=20, lr=0.1, momentum=0.9, batch=63, seed=0):
# + def train(network, x, y, epochs=20, lr=0.1, momentum=0.9, batch=64, seed=1):


# %% Training is the default exercise="train" equivalent=true
# Every layer's forward has train=True as its default.
# - logits = network.forward(x[chosen], train=True)
# + logits = network.forward(x[chosen])


# %% As many labels as images exercise="train" equivalent=true
# x and y have the same length.
# - steps = epochs * (len(x) // batch)
# + steps = epochs * (len(y) // batch)
# - shuffled = rng.permutation(len(x))
# + shuffled = rng.permutation(len(y))
# - for start in range(0, len(x) - batch + 1, batch):
# + for start in range(0, len(y) - batch + 1, batch):


# %% The clock exercise="run-training" equivalent=true
# These lines are given; seconds is printed below and not tested.
# - start = time.perf_counter()
# + pass
# - seconds = time.perf_counter() - start
# + pass
# + seconds = time.perf_counter() + start
# + seconds = time.perf_counter()
# + seconds = start - time.perf_counter()
