# ---
# jupyter:
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

# %% Two convolutions counted as one exercise="q-sides"
# For (a) you stopped after the first convolution. Each 5×5 kernel without padding takes 4 pixels
# off the side, and there are two of them.
q_sides = (28, 7, 3, 4)

# %% Border not counted on both sides exercise="q-sides" covers=[11]
# In (b) the border adds a pixel on the left and one on the right: the padded row is 9 long, and a
# 3×3 kernel has as many positions on it as the image has pixels.
q_sides = (24, 6, 3, 4)

# %% Stride prediction left with a half exercise="q-sides"
# In (d) a size is a whole number. The position that would hang over the end does not exist when a
# framework rounds down; that the division leaves a rest is no error.
q_sides = (24, 7, 3, 4.5)

# %% Stride prediction rounded up exercise="q-sides" covers=[14]
# In (d) you rounded up. With floor, the last pixel is simply not looked at.
q_sides = (24, 7, 3, 5)

# %% Stride prediction without the first position exercise="q-sides" covers=[15]
# In (c) you counted steps. The position from which you start counts too.
q_sides = (24, 7, 2, 3)

# %% Sizes in a list exercise="q-sides" right=true
q_sides = [24, 7.0, np.int64(3), 4]

# %% Input channels kept in the output exercise="q-volume" covers=[6]
# A kernel is as deep as its input and sums over its channels: each of the six kernels makes one
# map, so the depth of the output is the number of kernels.
q_volume = (3, 28, 28)

# %% Channels multiplied in the output exercise="q-volume"
# Six kernels make six maps, not six a channel: each kernel sums over all input channels.
q_volume = (18, 28, 28)

# %% Height and width kept without padding exercise="q-volume"
# Without padding a 5×5 kernel has fewer positions than the image has pixels: 4 fewer along each
# axis.
q_volume = (6, 32, 32)

# %% Plus one in the denominator exercise="out-size" covers=[15]
# The +1 belongs outside of the fraction: room/stride steps, and one position to start from.
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    extent = dilation * (kernel - 1) + 1
    if extent > size + 2 * padding:
        raise ValueError("does not fit")
    room = size + 2 * padding - extent
    if ceil_mode:
        count = -(-room // (stride + 1))
        return count - 1 if (count - 1) * stride >= size + padding else count
    return room // (stride + 1)

# %% Plus one missing exercise="out-size" covers=[15]
# You counted steps. There is one more position than there are steps.
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    extent = dilation * (kernel - 1) + 1
    if extent > size + 2 * padding:
        raise ValueError("does not fit")
    room = size + 2 * padding - extent
    return -(-room // stride) if ceil_mode else room // stride

# %% Rounded up always exercise="out-size" covers=[14]
# You round up where floor is asked: a kernel that would hang over the end has no position.
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    extent = dilation * (kernel - 1) + 1
    if extent > size + 2 * padding:
        raise ValueError("does not fit")
    room = size + 2 * padding - extent
    if ceil_mode:
        count = -(-room // stride) + 1
        return count - 1 if (count - 1) * stride >= size + padding else count
    return -(-room // stride) + 1

# %% Stride ignored in the size exercise="out-size" covers=[18]
# The stride does not enter your size.
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    extent = dilation * (kernel - 1) + 1
    if extent > size + 2 * padding:
        raise ValueError("does not fit")
    room = size + 2 * padding - extent
    return room + 1

# %% Padding on one side of the row exercise="out-size" covers=[11]
# The padding stands on both sides of the row: it adds twice its width.
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    extent = dilation * (kernel - 1) + 1
    if extent > size + padding:
        raise ValueError("does not fit")
    room = size + padding - extent
    if ceil_mode:
        count = -(-room // stride) + 1
        return count - 1 if (count - 1) * stride >= size + padding else count
    return room // stride + 1

# %% Extent dilation times kernel exercise="out-size" covers=[22]
# Between K taps there are K - 1 gaps: a dilated kernel covers d(K-1) + 1 pixels, not d·K.
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    extent = dilation * kernel
    if extent > size + 2 * padding:
        raise ValueError("does not fit")
    room = size + 2 * padding - extent
    if ceil_mode:
        count = -(-room // stride) + 1
        return count - 1 if (count - 1) * stride >= size + padding else count
    return room // stride + 1

# %% Dilation used as stride exercise="out-size" covers=[21]
# Dilation spreads the taps of a kernel; it does not move the kernel further.
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    if kernel > size + 2 * padding:
        raise ValueError("does not fit")
    room, stride = size + 2 * padding - kernel, stride * dilation
    if ceil_mode:
        count = -(-room // stride) + 1
        return count - 1 if (count - 1) * stride >= size + padding else count
    return room // stride + 1

# %% Dilation ignored in the size exercise="out-size"
# The dilation does not enter your size: a dilated kernel covers more pixels and has fewer
# positions.
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    extent = kernel
    if extent > size + 2 * padding:
        raise ValueError("does not fit")
    room = size + 2 * padding - extent
    if ceil_mode:
        count = -(-room // stride) + 1
        return count - 1 if (count - 1) * stride >= size + padding else count
    return room // stride + 1

# %% Ceil mode ignored exercise="out-size"
# With ceil_mode=True one more window may hang over the end when the division leaves a rest.
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    extent = dilation * (kernel - 1) + 1
    if extent > size + 2 * padding:
        raise ValueError("does not fit")
    room = size + 2 * padding - extent
    return room // stride + 1

# %% Ceil keeps windows that see only border exercise="out-size"
# Rounding up is right, but a window that would start on the right border, or beyond the row, has
# to be dropped.
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    extent = dilation * (kernel - 1) + 1
    if extent > size + 2 * padding:
        raise ValueError("does not fit")
    room = size + 2 * padding - extent
    if ceil_mode:
        return -(-room // stride) + 1
    return room // stride + 1

# %% Ceil adds one always exercise="out-size"
# Rounding up changes nothing when the division leaves no rest.
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    extent = dilation * (kernel - 1) + 1
    if extent > size + 2 * padding:
        raise ValueError("does not fit")
    room = size + 2 * padding - extent
    return room // stride + (2 if ceil_mode else 1)

# %% Unfitting kernel gives a size exercise="out-size"
# A kernel that covers more than the padded row fits nowhere: raise ValueError rather than return
# zero or a negative number.
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if ceil_mode:
        count = -(-room // stride) + 1
        return count - 1 if (count - 1) * stride >= size + padding else count
    return room // stride + 1

# %% Just fitting kernel refused exercise="out-size"
# A kernel that covers exactly the padded row has one position.
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    extent = dilation * (kernel - 1) + 1
    if extent >= size + 2 * padding:
        raise ValueError("does not fit")
    room = size + 2 * padding - extent
    if ceil_mode:
        count = -(-room // stride) + 1
        return count - 1 if (count - 1) * stride >= size + padding else count
    return room // stride + 1

# %% Size without rounding exercise="out-size"
# A size is a whole number: the division has to be rounded down.
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    extent = dilation * (kernel - 1) + 1
    if extent > size + 2 * padding:
        raise ValueError("does not fit")
    room = size + 2 * padding - extent
    return room / stride + 1

# %% Division must come out even exercise="out-size"
# A rest is no error: floor it. Real networks rely on that.
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    extent = dilation * (kernel - 1) + 1
    if extent > size + 2 * padding:
        raise ValueError("does not fit")
    room = size + 2 * padding - extent
    if room % stride:
        raise ValueError('does not divide')
    return room // stride + 1

# %% Size by counting starts exercise="out-size" right=true
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    last_tap = dilation * (kernel - 1)
    row = size + 2 * padding
    if last_tap >= row:
        raise ValueError("does not fit")
    starts = [s for s in range(0, row, stride) if s + last_tap < row]
    if ceil_mode and starts[-1] + last_tap < row - 1 and starts[-1] + stride < size + padding:
        starts.append(starts[-1] + stride)
    return len(starts)

# %% Size with floats exercise="out-size" right=true
# Integral floats count as whole numbers.
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    extent = dilation * (kernel - 1) + 1
    if extent > size + 2 * padding:
        raise ValueError("does not fit")
    steps = (size + 2 * padding - extent) / stride
    if not ceil_mode:
        return np.floor(steps) + 1
    steps = np.ceil(steps)
    return steps if steps * stride >= size + padding else steps + 1

# %% Size as the usual closed form exercise="out-size" right=true
def out_size(size, kernel, stride=1, padding=0, dilation=1, ceil_mode=False):
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if room < 0:
        raise ValueError
    count = (room + (stride - 1 if ceil_mode else 0)) // stride + 1
    while ceil_mode and (count - 1) * stride >= size + padding:
        count = count - 1
    return np.int64(count)

# %% Width computed from the height exercise="conv-shapes" covers=[16]
# Your output width follows from the input height. Each axis has its own size and hyperparameters.
def conv_shapes(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1):
    n, channels, height, width = in_shape
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = pair(kernel), pair(stride), pair(padding), pair(dilation)
    rows = out_size(height, kh, sh, ph, dh)
    columns = out_size(height, kw, sw, pw, dw)
    return (out_channels, channels, kh, kw), (out_channels,), (n, out_channels, rows, columns)

# %% Height and width swapped in the output exercise="conv-shapes" covers=[17]
# Height comes before width: (N, C, H, W), and (vertical, horizontal).
def conv_shapes(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1):
    n, channels, height, width = in_shape
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = pair(kernel), pair(stride), pair(padding), pair(dilation)
    rows = out_size(height, kh, sh, ph, dh)
    columns = out_size(width, kw, sw, pw, dw)
    return (out_channels, channels, kh, kw), (out_channels,), (n, out_channels, columns, rows)

# %% Square kernel assumed exercise="conv-shapes" covers=[20]
# The kernel may be rectangular: its second number belongs to the width.
def conv_shapes(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1):
    n, channels, height, width = in_shape
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = pair(kernel), pair(stride), pair(padding), pair(dilation)
    rows = out_size(height, kh, sh, ph, dh)
    columns = out_size(width, kh, sw, pw, dw)
    return (out_channels, channels, kh, kh), (out_channels,), (n, out_channels, rows, columns)

# %% Vertical stride used for both axes exercise="conv-shapes" covers=[19]
# The horizontal stride has its say for the width.
def conv_shapes(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1):
    n, channels, height, width = in_shape
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = pair(kernel), pair(stride), pair(padding), pair(dilation)
    rows = out_size(height, kh, sh, ph, dh)
    columns = out_size(width, kw, sh, pw, dw)
    return (out_channels, channels, kh, kw), (out_channels,), (n, out_channels, rows, columns)

# %% Channels of the weight swapped exercise="conv-shapes" covers=[5]
# The weight is (C_out, C_in, K_H, K_W): one kernel after the other, each as deep as the input.
def conv_shapes(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1):
    n, channels, height, width = in_shape
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = pair(kernel), pair(stride), pair(padding), pair(dilation)
    rows = out_size(height, kh, sh, ph, dh)
    columns = out_size(width, kw, sw, pw, dw)
    return (channels, out_channels, kh, kw), (out_channels,), (n, out_channels, rows, columns)

# %% A bias for each input channel exercise="conv-shapes" covers=[9]
# There is one bias a kernel, so C_out of them.
def conv_shapes(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1):
    n, channels, height, width = in_shape
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = pair(kernel), pair(stride), pair(padding), pair(dilation)
    rows = out_size(height, kh, sh, ph, dh)
    columns = out_size(width, kw, sw, pw, dw)
    return (out_channels, channels, kh, kw), (channels,), (n, out_channels, rows, columns)

# %% Output keeps the input's channels exercise="conv-shapes"
# The output has one map a kernel: C_out channels.
def conv_shapes(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1):
    n, channels, height, width = in_shape
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = pair(kernel), pair(stride), pair(padding), pair(dilation)
    rows = out_size(height, kh, sh, ph, dh)
    columns = out_size(width, kw, sw, pw, dw)
    return (out_channels, channels, kh, kw), (out_channels,), (n, channels, rows, columns)

# %% Shapes with a loop over the axes exercise="conv-shapes" right=true
def conv_shapes(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1):
    kernel = pair(kernel)
    sides = [
        out_size(in_shape[2 + a], kernel[a], pair(stride)[a], pair(padding)[a], pair(dilation)[a])
        for a in range(2)
    ]
    return [[out_channels, in_shape[1], *kernel], [out_channels], [in_shape[0], out_channels, *sides]]

# %% Only layers that divide evenly exercise="fitting-layers"
# You keep only layers whose division leaves no rest. Layers floor: the rest is allowed.
def fitting_layers(size, target, kernels, strides, paddings):
    return [
        (k, s, p)
        for k in kernels
        for s in strides
        for p in paddings
        if size + 2 * p >= k and (size + 2 * p - k) % s == 0 and out_size(size, k, s, p) == target
    ]

# %% Padding limited to same padding exercise="fitting-layers"
# Every padding on offer is allowed, not only (K-1)/2.
def fitting_layers(size, target, kernels, strides, paddings):
    return [
        (k, s, p)
        for k in kernels
        for s in strides
        for p in paddings
        if p == (k - 1) // 2 and size + 2 * p >= k and out_size(size, k, s, p) == target
    ]

# %% Too small an image not skipped exercise="fitting-layers"
# A kernel that does not fit raises ValueError in out_size: skip such combinations.
def fitting_layers(size, target, kernels, strides, paddings):
    return [
        (k, s, p)
        for k in kernels
        for s in strides
        for p in paddings
        if out_size(size, k, s, p) == target
    ]

# %% Order of the triple exercise="fitting-layers"
# Each entry is (kernel, stride, padding), in this order.
def fitting_layers(size, target, kernels, strides, paddings):
    return [
        (k, p, s)
        for k in kernels
        for s in strides
        for p in paddings
        if size + 2 * p >= k and out_size(size, k, s, p) == target
    ]

# %% Caught with try exercise="fitting-layers" right=true
# A set holds each combination once.
def fitting_layers(size, target, kernels, strides, paddings):
    found = set()
    for p in paddings:
        for s in strides:
            for k in kernels:
                try:
                    if out_size(size, k, s, p) == target:
                        found.add((k, s, p))
                except ValueError:
                    continue
    return found

# %% Border pixels forgotten in the average exercise="q-corner"
# Of the nine pixels under the kernel at the corner, five lie in the border and are zero. Only four
# hold the image's value.
q_corner = 9

# %% Corner taken for an edge exercise="q-corner"
# On an edge six of the nine pixels are real. In a corner it is fewer: count again.
q_corner = 6

# %% Corner as a fraction of nine exercise="q-corner" right=true
q_corner = 9 * 4 / 9

# %% Padded on one side exercise="pad2d" covers=[11]
# The border stands on all four sides; yours is on the top and left only.
def pad2d(x, padding, mode="zero"):
    v, h = pair(padding)
    widths = [(0, 0)] * (x.ndim - 2) + [(v, 0), (h, 0)]
    return np.pad(x, widths, mode="edge" if mode == "replicate" else "constant")

# %% Padded batch and channel axes exercise="pad2d" covers=[12]
# Only the last two axes get a border. Batch and channels are no places.
def pad2d(x, padding, mode="zero"):
    v, _ = pair(padding)
    return np.pad(x, v, mode="edge" if mode == "replicate" else "constant")

# %% Edge padding where zeros are asked exercise="pad2d" covers=[13]
# The border of mode zero is 0; yours repeats the edge.
def pad2d(x, padding, mode="zero"):
    v, h = pair(padding)
    return np.pad(x, [(0, 0)] * (x.ndim - 2) + [(v, v), (h, h)], mode="edge")

# %% Zeros where replication is asked exercise="pad2d"
# The border of mode replicate repeats the nearest pixel; yours is 0.
def pad2d(x, padding, mode="zero"):
    v, h = pair(padding)
    return np.pad(x, [(0, 0)] * (x.ndim - 2) + [(v, v), (h, h)])

# %% Mirrored instead of repeated exercise="pad2d"
# You mirror the image at its edge. Replicate repeats the outermost pixel.
def pad2d(x, padding, mode="zero"):
    v, h = pair(padding)
    if mode == "zero":
        return np.pad(x, [(0, 0)] * (x.ndim - 2) + [(v, v), (h, h)])
    rows = np.abs(np.arange(-v, x.shape[-2] + v)) % max(1, 2 * x.shape[-2] - 2)
    rows = np.minimum(rows, 2 * x.shape[-2] - 2 - rows)
    columns = np.abs(np.arange(-h, x.shape[-1] + h)) % max(1, 2 * x.shape[-1] - 2)
    columns = np.minimum(columns, 2 * x.shape[-1] - 2 - columns)
    return x[..., rows[:, None], columns]

# %% Vertical and horizontal padding swapped exercise="pad2d" covers=[17]
# The first number is vertical: it adds rows above and below.
def pad2d(x, padding, mode="zero"):
    h, v = pair(padding)
    widths = [(0, 0)] * (x.ndim - 2) + [(v, v), (h, h)]
    return np.pad(x, widths, mode="edge" if mode == "replicate" else "constant")

# %% Corners left at zero exercise="pad2d"
# The corners of a replicated border repeat the corner pixels.
def pad2d(x, padding, mode="zero"):
    v, h = pair(padding)
    out = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(v, v), (h, h)])
    if mode == "replicate":
        height, width = x.shape[-2:]
        out[..., :v, h : h + width] = x[..., :1, :]
        out[..., v + height :, h : h + width] = x[..., -1:, :]
        out[..., v : v + height, :h] = x[..., :, :1]
        out[..., v : v + height, h + width :] = x[..., :, -1:]
    return out

# %% Negative slice with padding zero exercise="pad2d" covers=[52]
# out[p:-p] is empty when p is 0. Count from the start: out[p : p + height].
def pad2d(x, padding, mode="zero"):
    v, h = pair(padding)
    if mode == "replicate":
        return np.pad(x, [(0, 0)] * (x.ndim - 2) + [(v, v), (h, h)], mode="edge")
    out = np.zeros((*x.shape[:-2], x.shape[-2] + 2 * v, x.shape[-1] + 2 * h))
    out[..., v:-v, h:-h] = x
    return out

# %% Padding with NumPy's own exercise="pad2d" right=true
def pad2d(x, padding, mode="zero"):
    v, h = pair(padding)
    widths = [(0, 0)] * (x.ndim - 2) + [(v, v), (h, h)]
    return np.pad(x, widths, mode="edge" if mode == "replicate" else "constant")

# %% Padding by concatenation exercise="pad2d" right=true
def pad2d(x, padding, mode="zero"):
    vertical, horizontal = pair(padding)
    for axis, count in ((-2, vertical), (-1, horizontal)):
        first, last = np.take(x, [0], axis), np.take(x, [-1], axis)
        if mode == "zero":
            first, last = 0 * first, 0 * last
        x = np.concatenate([first] * count + [x] + [last] * count, axis)
    return x

# %% Half the kernel on each side exercise="same-padding"
# For even kernels that adds a pixel too many: the total is d(K-1), and the two sides differ by
# one.
def same_padding(kernel, dilation=1):
    p = dilation * (kernel - 1) / 2
    p = int(np.ceil(p))
    return p, p

# %% Larger half on the left exercise="same-padding"
# When the total is odd, the larger half goes to the right.
def same_padding(kernel, dilation=1):
    total = dilation * (kernel - 1)
    return total - total // 2, total // 2

# %% Dilation left out of same padding exercise="same-padding"
# A dilated kernel eats d(K-1) pixels.
def same_padding(kernel, dilation=1):
    total = kernel - 1
    return total // 2, total - total // 2

# %% Dilation times kernel in same padding exercise="same-padding" covers=[22]
# K taps have K - 1 gaps: the total is d(K-1), not dK - 1.
def same_padding(kernel, dilation=1):
    total = dilation * kernel - 1
    return total // 2, total - total // 2

# %% Same padding of K over 2 exercise="same-padding"
# (K-1)/2 and K/2 agree for odd kernels only.
def same_padding(kernel, dilation=1):
    p = dilation * kernel // 2
    return p, p

# %% Same padding with divmod exercise="same-padding" right=true
def same_padding(kernel, dilation=1):
    half, odd = divmod(dilation * (kernel - 1), 2)
    return [half, half + odd]

# %% Kernel flipped on both axes exercise="conv2d" covers=[1]
# You flipped the kernel: that is true convolution. The layer slides its kernel as it is.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight[:, :, ::-1, ::-1]
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Kernel flipped on one axis exercise="conv2d" covers=[2]
# One axis of the kernel is flipped. The layer slides its kernel as it is.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight[:, :, :, ::-1]
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Kernel transposed exercise="conv2d" covers=[3]
# Rows and columns of your kernel are swapped.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight.transpose(0, 1, 3, 2)
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Channels reversed exercise="conv2d" covers=[4]
# Channel c of the weight belongs to channel c of the input; yours are in reverse order.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight[:, ::-1]
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% First channel only exercise="conv2d" covers=[6]
# Only the first input channel enters your sum. A kernel sums over all of them.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nkl,okl->no", patch[:, 0], w[:, 0])
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Mean instead of sum exercise="conv2d" covers=[7]
# You average the products. The layer adds them up.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w) / w[0].size
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Bias omitted exercise="conv2d" covers=[8]
# The bias is not added.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    pass
    return y

# %% Bias of the first kernel for all exercise="conv2d" covers=[10]
# Every kernel has a bias of its own; you add the first one everywhere.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[0]
    return y

# %% Bias added once a channel and tap exercise="conv2d" covers=[9]
# The bias is added once an output value, after the sum over channels and taps.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None] * weight.shape[1]
    return y

# %% Convolution padded on one side exercise="conv2d" covers=[11]
# Your border is on the top and left only.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], 0), (p[1], 0)))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Convolution padded with the edge exercise="conv2d" covers=[13]
# The border of the layer is zero; yours repeats the edge.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])), mode="edge")
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Padding ignored exercise="conv2d"
# The padding is not used.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight
    x = np.asarray(x, dtype=float)
    pass
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Padding cropped off the result exercise="conv2d"
# Padding makes the output larger; you cropped it back to the size without.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y[:, :, p[0] : rows - p[0], p[1] : columns - p[1]]

# %% Stride ignored exercise="conv2d" covers=[18]
# The stride is not used.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    s = (1, 1)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i, j
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Stride on rows only exercise="conv2d" covers=[19]
# Your kernel steps by the stride vertically and by one pixel horizontally.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    s = (s[0], 1)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Strides of the axes swapped exercise="conv2d" covers=[17]
# The first stride is vertical, the second horizontal.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    s = (s[1], s[0])
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Output rounded up exercise="conv2d" covers=[14]
# You round the number of positions up: the last kernel hangs over the edge.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = -(-(x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0]) + 1
    columns = -(-(x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1]) + 1
    x = np.pad(x, ((0, 0), (0, 0), (0, s[0]), (0, s[1])))
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Last position missing exercise="conv2d" covers=[15]
# The last position of the kernel is missing: positions are steps plus one.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0]
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1]
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Dilation ignored exercise="conv2d"
# The dilation is not used.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    d = (1, 1)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Dilation as a further stride exercise="conv2d" covers=[21]
# You move the kernel by stride times dilation. Dilation spreads its taps instead.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    s, d = (s[0] * d[0], s[1] * d[1]), (1, 1)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Square image assumed exercise="conv2d" covers=[16]
# Your number of columns follows from the height of the image.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = rows
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Kernel assumed square exercise="conv2d" covers=[20]
# Your patches are as wide as the kernel is tall.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    side = weight.shape[2]
    w = np.pad(weight, ((0, 0), (0, 0), (0, 0), (0, max(0, side - weight.shape[3]))))[:, :, :, :side]
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Whole numbers cut off exercise="conv2d" covers=[23]
# The result is stored in the integer type of the image: fractions are cut off.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight
    x = np.asarray(x)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns), x.dtype)
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Hyperparameters from globals exercise="conv2d" covers=[25]
# Your function reads stride and padding from outside of it and not from its arguments.
STRIDE, PADDING, DILATION = 1, 0, 1


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    s, p, d = pair(STRIDE), pair(PADDING), pair(DILATION)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Weight changed by the call exercise="conv2d" covers=[24]
# Your function writes into its arguments: the caller's weight is another one afterwards.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    weight /= weight[0].size
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w) * w[0].size
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Only the first image of the batch exercise="conv2d"
# All images of the batch come out alike: you computed the first one only.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch[:1], w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Convolution position by position exercise="conv2d" right=true
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    w = weight
    x = np.asarray(x, dtype=float)
    x = np.pad(x, ((0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])))
    rows = (x.shape[2] - d[0] * (w.shape[2] - 1) - 1) // s[0] + 1
    columns = (x.shape[3] - d[1] * (w.shape[3] - 1) - 1) // s[1] + 1
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            r, c = i * s[0], j * s[1]
            tall, wide = d[0] * (w.shape[2] - 1) + 1, d[1] * (w.shape[3] - 1) + 1
            patch = x[:, :, r : r + tall : d[0], c : c + wide : d[1]]
            y[:, :, i, j] = np.einsum("nckl,ockl->no", patch, w)
    if bias is not None:
        y = y + bias[:, None, None]
    return y

# %% Convolution with sliding windows exercise="conv2d" right=true
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, d = pair(stride), pair(dilation)
    x = pad2d(np.asarray(x, dtype=np.float64), padding)
    extent = [d[a] * (weight.shape[2 + a] - 1) + 1 for a in range(2)]
    windows = np.lib.stride_tricks.sliding_window_view(x, extent, axis=(2, 3))
    windows = windows[:, :, :: s[0], :: s[1], :: d[0], :: d[1]]  # (N, C, H', W', K_H, K_W)
    y = np.tensordot(windows, weight, axes=([1, 4, 5], [1, 2, 3])).transpose(0, 3, 1, 2)
    return y if bias is None else y + bias.reshape(1, -1, 1, 1)

# %% Convolution in single precision exercise="conv2d" right=true
# float32 and six loops: slow, and right.
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, p, d = pair(stride), pair(padding), pair(dilation)
    x = np.pad(x, ((0, 0), (0, 0), (p[0],) * 2, (p[1],) * 2)).astype(np.float32)
    w = np.asarray(weight, dtype=np.float32)
    rows = out_size(x.shape[2], w.shape[2], s[0], 0, d[0])
    columns = out_size(x.shape[3], w.shape[3], s[1], 0, d[1])
    y = np.zeros((x.shape[0], w.shape[0], rows, columns), dtype=np.float32)
    for n in range(x.shape[0]):
        for o in range(w.shape[0]):
            for i in range(rows):
                for j in range(columns):
                    total = 0.0 if bias is None else bias[o]
                    for k in range(w.shape[2]):
                        for l in range(w.shape[3]):
                            pixel = x[n, :, i * s[0] + k * d[0], j * s[1] + l * d[1]]
                            total = total + pixel @ w[o, :, k, l]
                    y[n, o, i, j] = total
    return y

# %% Convolution as a matrix product of patches exercise="conv2d" right=true
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    x = pad2d(np.asarray(x, dtype=float), padding)
    shapes = conv_shapes(x.shape, len(weight), weight.shape[2:], stride, 0, dilation)
    n, o, rows, columns = shapes[2]
    s, d = pair(stride), pair(dilation)
    i = np.arange(rows)[:, None] * s[0] + np.arange(weight.shape[2]) * d[0]  # (H', K_H)
    j = np.arange(columns)[:, None] * s[1] + np.arange(weight.shape[3]) * d[1]  # (W', K_W)
    patches = x[:, :, i[:, None, :, None], j[None, :, None, :]]  # (N, C, H', W', K_H, K_W)
    patches = patches.transpose(0, 2, 3, 1, 4, 5).reshape(n * rows * columns, -1)
    y = patches @ weight.reshape(o, -1).T  # (N·H'·W', C_out)
    if bias is not None:
        y = y + bias
    return y.reshape(n, rows, columns, o).transpose(0, 3, 1, 2)

# %% Convolution with a spread kernel, then stride exercise="conv2d" right=true
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    s, d = pair(stride), pair(dilation)
    o, c, kh, kw = weight.shape
    spread = np.zeros((o, c, d[0] * (kh - 1) + 1, d[1] * (kw - 1) + 1))
    spread[:, :, :: d[0], :: d[1]] = weight
    x = pad2d(np.asarray(x, dtype=float), padding)
    windows = np.lib.stride_tricks.sliding_window_view(x, spread.shape[2:], (2, 3))
    y = np.einsum("nchwkl,ockl->nohw", windows, spread)[:, :, :: s[0], :: s[1]]
    return y if bias is None else y + bias[None, :, None, None]

# %% Pixels reshaped, not moved exercise="conv1x1"
# reshape never reorders: (N, H·W, C) made by reshape mixes values of different pixels. Move the
# axis, or keep channels in front.
def conv1x1(x, weight, bias=None):
    n, c, h, w = x.shape
    y = x.reshape(n, h * w, c) @ weight.T
    y = y if bias is None else y + bias
    return y.reshape(n, len(weight), h, w)

# %% Bias of a 1×1 layer omitted exercise="conv1x1" covers=[8]
# The bias is not added.
def conv1x1(x, weight, bias=None):
    return np.einsum("kc,nchw->nkhw", weight, x)

# %% Height and width swapped in a 1×1 layer exercise="conv1x1" covers=[17]
# Your output has height and width swapped.
def conv1x1(x, weight, bias=None):
    y = np.einsum("kc,nchw->nkwh", weight, x)
    return y if bias is None else y + bias[:, None, None]

# %% Channels averaged in a 1×1 layer exercise="conv1x1" covers=[7]
# The channels are added up with their weights, not averaged.
def conv1x1(x, weight, bias=None):
    y = np.einsum("kc,nchw->nkhw", weight, x) / x.shape[1]
    return y if bias is None else y + bias[:, None, None]

# %% 1×1 with einsum exercise="conv1x1" right=true
def conv1x1(x, weight, bias=None):
    y = np.einsum("kc,nchw->nkhw", weight, x)
    return y if bias is None else y + bias[:, None, None]

# %% 1×1 as an ordinary convolution exercise="conv1x1" right=true
def conv1x1(x, weight, bias=None):
    return conv2d(x, weight[:, :, None, None], bias)

# %% Bias uncounted in the prediction exercise="q-parameters" covers=[26]
# Each kernel also has a bias.
q_parameters = 750

# %% Output size in the parameter count exercise="q-parameters" covers=[32]
# The kernels are shared: each is counted once, however many positions it visits. Parameters do not
# depend on height and width.
q_parameters = 760 * 32 * 32

# %% Input channels forgotten in the prediction exercise="q-parameters" covers=[6]
# Each kernel is as deep as the input: it has 5·5 weights for each of the three channels.
q_parameters = 260

# %% Parameters computed exercise="q-parameters" right=true
q_parameters = (5 * 5 * 3 + 1) * 10

# %% A table's FLOP read as two operations exercise="q-flop-table" covers=[27]
# Recompute the row: 64·56·56 output values times 11·11·3 weights. Is that the printed number, or
# half of it?
q_flop_table = "a"

# %% Work counted at the input's pixels exercise="q-flop-table" covers=[28]
# Recompute the row with 56·56 output positions: it fits as it is.
q_flop_table = "c"

# %% Bias uncounted exercise="conv-params" covers=[26]
# Each kernel has a bias, if the layer has biases.
def conv_params(in_channels, out_channels, kernel, groups=1, bias=True):
    kh, kw = pair(kernel)
    return kh * kw * in_channels // groups * out_channels

# %% One bias for the layer exercise="conv-params" covers=[26]
# There is one bias a kernel, not one a layer.
def conv_params(in_channels, out_channels, kernel, groups=1, bias=True):
    kh, kw = pair(kernel)
    return kh * kw * in_channels // groups * out_channels + int(bias)

# %% Bias counted though switched off exercise="conv-params"
# With bias=False there are only weights.
def conv_params(in_channels, out_channels, kernel, groups=1, bias=True):
    kh, kw = pair(kernel)
    return (kh * kw * in_channels // groups + 1) * out_channels

# %% Groups not divided exercise="conv-params" covers=[30]
# A kernel of a grouped layer sees the channels of its group only: it is C_in/g deep.
def conv_params(in_channels, out_channels, kernel, groups=1, bias=True):
    kh, kw = pair(kernel)
    return (kh * kw * in_channels + int(bias)) * out_channels

# %% Biases divided by the groups exercise="conv-params" covers=[30]
# Grouping makes kernels shallower, not fewer: there still are C_out of them, each with a bias.
def conv_params(in_channels, out_channels, kernel, groups=1, bias=True):
    kh, kw = pair(kernel)
    return (kh * kw * in_channels + int(bias)) * out_channels // groups

# %% Input channels forgotten exercise="conv-params" covers=[6]
# A kernel is as deep as its input.
def conv_params(in_channels, out_channels, kernel, groups=1, bias=True):
    kh, kw = pair(kernel)
    return (kh * kw // groups + int(bias)) * out_channels

# %% Kernel squared exercise="conv-params" covers=[20]
# A rectangular kernel has K_H·K_W weights a channel.
def conv_params(in_channels, out_channels, kernel, groups=1, bias=True):
    kh, _ = pair(kernel)
    return (kh * kh * in_channels // groups + int(bias)) * out_channels

# %% Parameters as sizes of arrays exercise="conv-params" right=true
def conv_params(in_channels, out_channels, kernel, groups=1, bias=True):
    weight = np.empty((out_channels, in_channels // groups, *pair(kernel)))
    return weight.size + (weight.shape[0] if bias else 0)

# %% A MAC counted as one FLOP exercise="conv-work" covers=[27]
# A multiply-add is two floating point operations.
def conv_work(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1, groups=1):
    out = conv_shapes((1, *in_shape), out_channels, kernel, stride, padding, dilation)[2]
    weights = conv_params(in_shape[0], out_channels, kernel, groups, bias=False)
    macs = weights * out[2] * out[3]
    return macs, macs

# %% MACs counted twice exercise="conv-work" covers=[27]
# You return FLOPs for MACs: a MAC is one multiplication and one addition together.
def conv_work(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1, groups=1):
    out = conv_shapes((1, *in_shape), out_channels, kernel, stride, padding, dilation)[2]
    weights = conv_params(in_shape[0], out_channels, kernel, groups, bias=False)
    macs = weights * out[2] * out[3]
    return 2 * macs, 4 * macs

# %% Size of the input used for the work exercise="conv-work" covers=[28]
# Work is done for every output value: use the height and width of the output.
def conv_work(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1, groups=1):
    out = conv_shapes((1, *in_shape), out_channels, kernel, stride, padding, dilation)[2]
    weights = conv_params(in_shape[0], out_channels, kernel, groups, bias=False)
    macs = weights * in_shape[1] * in_shape[2]
    return macs, 2 * macs

# %% Groups ignored in the work exercise="conv-work" covers=[30]
# A grouped kernel has fewer weights, so each output value costs less.
def conv_work(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1, groups=1):
    out = conv_shapes((1, *in_shape), out_channels, kernel, stride, padding, dilation)[2]
    weights = conv_params(in_shape[0], out_channels, kernel, 1, bias=False)
    macs = weights * out[2] * out[3]
    return macs, 2 * macs

# %% Work of one output channel exercise="conv-work"
# Every kernel has to visit every position.
def conv_work(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1, groups=1):
    out = conv_shapes((1, *in_shape), out_channels, kernel, stride, padding, dilation)[2]
    weights = conv_params(in_shape[0], out_channels, kernel, groups, bias=False)
    macs = weights // out_channels * out[2] * out[3]
    return macs, 2 * macs

# %% Biases counted as MACs exercise="conv-work"
# Adding the bias is no multiply-add. It is the one addition that makes FLOPs exactly twice the
# MACs.
def conv_work(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1, groups=1):
    out = conv_shapes((1, *in_shape), out_channels, kernel, stride, padding, dilation)[2]
    weights = conv_params(in_shape[0], out_channels, kernel, groups, bias=False)
    macs = (weights + out_channels) * out[2] * out[3]
    return macs, 2 * macs

# %% Dilation counted as more work exercise="conv-work" covers=[22]
# A dilated kernel has as many weights as before; only its positions are fewer.
def conv_work(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1, groups=1):
    out = conv_shapes((1, *in_shape), out_channels, kernel, stride, padding, dilation)[2]
    weights = conv_params(in_shape[0], out_channels, kernel, groups, bias=False)
    macs = weights * out[2] * out[3] * pair(dilation)[0] * pair(dilation)[1]
    return macs, 2 * macs

# %% Work output value by output value exercise="conv-work" right=true
def conv_work(in_shape, out_channels, kernel, stride=1, padding=0, dilation=1, groups=1):
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (pair(v) for v in (kernel, stride, padding, dilation))
    channels, height, width = in_shape
    rows = (height + 2 * ph - dh * (kh - 1) - 1) // sh + 1
    columns = (width + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    values = out_channels * rows * columns
    return np.array([1, 2]) * (kh * kw * channels // groups * values)

# %% Local weights counted as shared exercise="connection-params" covers=[32]
# Without sharing, every output position has its own weights and its own bias.
def connection_params(in_shape, out_channels, kernel):
    c, h, w = in_shape
    kh, kw = pair(kernel)
    units = out_channels * (h - kh + 1) * (w - kw + 1)
    patch = c * kh * kw
    return out_channels * (patch + 1), out_channels * (patch + 1), units * (c * h * w + 1)

# %% Local biases shared exercise="connection-params" covers=[32]
# Without sharing, every output value also has a bias of its own.
def connection_params(in_shape, out_channels, kernel):
    c, h, w = in_shape
    kh, kw = pair(kernel)
    units = out_channels * (h - kh + 1) * (w - kw + 1)
    patch = c * kh * kw
    return out_channels * (patch + 1), units * patch + out_channels, units * (c * h * w + 1)

# %% Biases uncounted in all three exercise="connection-params" covers=[26]
# Every unit, or every kernel, has a bias.
def connection_params(in_shape, out_channels, kernel):
    c, h, w = in_shape
    kh, kw = pair(kernel)
    units = out_channels * (h - kh + 1) * (w - kw + 1)
    patch = c * kh * kw
    return out_channels * patch, units * patch, units * c * h * w

# %% Dense layer as large as its input exercise="connection-params" covers=[28]
# The fully connected layer makes the output map: its units are the output values, each connected
# to every input value.
def connection_params(in_shape, out_channels, kernel):
    c, h, w = in_shape
    kh, kw = pair(kernel)
    units = out_channels * (h - kh + 1) * (w - kw + 1)
    patch = c * kh * kw
    return out_channels * (patch + 1), units * (patch + 1), (c * h * w + 1) * out_channels * h * w

# %% Connections from the number of units exercise="connection-params" right=true
def connection_params(in_shape, out_channels, kernel):
    c, h, w = in_shape
    kh, kw = pair(kernel)
    units = out_channels * (h - kh + 1) * (w - kw + 1)
    patch = c * kh * kw
    return [out_channels * patch + out_channels, units * patch + units, units * c * h * w + units]

# %% Pooling has no parameters, so nothing changes exercise="q-without-pooling"
# Pooling has none itself, but it decides how large the map is that the first linear layer sees
# after flatten.
q_without_pooling = "a"

# %% Convolutions lose parameters by pooling exercise="q-without-pooling"
# A convolution's parameters depend on its kernel and its channels, never on the size of the map.
q_without_pooling = "b"

# %% Every layer depends on the size of the map exercise="q-without-pooling"
# Only the layer that has one weight for each value of the flattened map depends on its size.
q_without_pooling = "d"

# %% Pooling given parameters exercise="network-table" covers=[29]
# Pooling learns nothing: it has no parameters.
def network_table(layers, in_shape):
    rows, shape = [], tuple(in_shape)
    for name, *numbers in layers:
        params = macs = 0
        if name == "conv":
            channels, kernel, stride, padding = numbers
            params = conv_params(shape[0], channels, kernel)
            macs, _ = conv_work(shape, channels, kernel, stride, padding)
            shape = conv_shapes((1, *shape), channels, kernel, stride, padding)[2][1:]
        elif name == "pool":
            params = conv_params(shape[0], shape[0], numbers[0])
            shape = conv_shapes((1, *shape), shape[0], *numbers)[2][1:]
        elif name == "batchnorm":
            params = 2 * shape[0]
        elif name == "flatten":
            shape = (int(np.prod(shape)),)
        elif name == "linear":
            macs = shape[0] * numbers[0]
            params = macs + numbers[0]
            shape = (numbers[0],)
        row = {"layer": name, "shape": shape, "params": params, "macs": macs}
        row["bytes"] = 4 * int(np.prod(shape))
        rows.append(row)
    return rows

# %% Batch normalisation buffers counted exercise="network-table" covers=[33]
# Running mean and variance are measured, not learned: only scale and shift are parameters.
def network_table(layers, in_shape):
    rows, shape = [], tuple(in_shape)
    for name, *numbers in layers:
        params = macs = 0
        if name == "conv":
            channels, kernel, stride, padding = numbers
            params = conv_params(shape[0], channels, kernel)
            macs, _ = conv_work(shape, channels, kernel, stride, padding)
            shape = conv_shapes((1, *shape), channels, kernel, stride, padding)[2][1:]
        elif name == "pool":
            pass
            shape = conv_shapes((1, *shape), shape[0], *numbers)[2][1:]
        elif name == "batchnorm":
            params = 4 * shape[0]
        elif name == "flatten":
            shape = (int(np.prod(shape)),)
        elif name == "linear":
            macs = shape[0] * numbers[0]
            params = macs + numbers[0]
            shape = (numbers[0],)
        row = {"layer": name, "shape": shape, "params": params, "macs": macs}
        row["bytes"] = 4 * int(np.prod(shape))
        rows.append(row)
    return rows

# %% Batch normalisation without parameters exercise="network-table"
# Batch normalisation learns a scale and a shift for each channel.
def network_table(layers, in_shape):
    rows, shape = [], tuple(in_shape)
    for name, *numbers in layers:
        params = macs = 0
        if name == "conv":
            channels, kernel, stride, padding = numbers
            params = conv_params(shape[0], channels, kernel)
            macs, _ = conv_work(shape, channels, kernel, stride, padding)
            shape = conv_shapes((1, *shape), channels, kernel, stride, padding)[2][1:]
        elif name == "pool":
            pass
            shape = conv_shapes((1, *shape), shape[0], *numbers)[2][1:]
        elif name == "batchnorm":
            pass
        elif name == "flatten":
            shape = (int(np.prod(shape)),)
        elif name == "linear":
            macs = shape[0] * numbers[0]
            params = macs + numbers[0]
            shape = (numbers[0],)
        row = {"layer": name, "shape": shape, "params": params, "macs": macs}
        row["bytes"] = 4 * int(np.prod(shape))
        rows.append(row)
    return rows

# %% Batch normalisation per pixel exercise="network-table"
# Scale and shift are one each a channel, whatever the size of the map.
def network_table(layers, in_shape):
    rows, shape = [], tuple(in_shape)
    for name, *numbers in layers:
        params = macs = 0
        if name == "conv":
            channels, kernel, stride, padding = numbers
            params = conv_params(shape[0], channels, kernel)
            macs, _ = conv_work(shape, channels, kernel, stride, padding)
            shape = conv_shapes((1, *shape), channels, kernel, stride, padding)[2][1:]
        elif name == "pool":
            pass
            shape = conv_shapes((1, *shape), shape[0], *numbers)[2][1:]
        elif name == "batchnorm":
            params = 2 * int(np.prod(shape))
        elif name == "flatten":
            shape = (int(np.prod(shape)),)
        elif name == "linear":
            macs = shape[0] * numbers[0]
            params = macs + numbers[0]
            shape = (numbers[0],)
        row = {"layer": name, "shape": shape, "params": params, "macs": macs}
        row["bytes"] = 4 * int(np.prod(shape))
        rows.append(row)
    return rows

# %% Bias of the linear layer uncounted exercise="network-table" covers=[26]
# A linear layer has one bias an output.
def network_table(layers, in_shape):
    rows, shape = [], tuple(in_shape)
    for name, *numbers in layers:
        params = macs = 0
        if name == "conv":
            channels, kernel, stride, padding = numbers
            params = conv_params(shape[0], channels, kernel)
            macs, _ = conv_work(shape, channels, kernel, stride, padding)
            shape = conv_shapes((1, *shape), channels, kernel, stride, padding)[2][1:]
        elif name == "pool":
            pass
            shape = conv_shapes((1, *shape), shape[0], *numbers)[2][1:]
        elif name == "batchnorm":
            params = 2 * shape[0]
        elif name == "flatten":
            shape = (int(np.prod(shape)),)
        elif name == "linear":
            macs = shape[0] * numbers[0]
            params = macs
            shape = (numbers[0],)
        row = {"layer": name, "shape": shape, "params": params, "macs": macs}
        row["bytes"] = 4 * int(np.prod(shape))
        rows.append(row)
    return rows

# %% Bias of the convolution uncounted exercise="network-table" covers=[26]
# Each kernel has a bias.
def network_table(layers, in_shape):
    rows, shape = [], tuple(in_shape)
    for name, *numbers in layers:
        params = macs = 0
        if name == "conv":
            channels, kernel, stride, padding = numbers
            params = conv_params(shape[0], channels, kernel, bias=False)
            macs, _ = conv_work(shape, channels, kernel, stride, padding)
            shape = conv_shapes((1, *shape), channels, kernel, stride, padding)[2][1:]
        elif name == "pool":
            pass
            shape = conv_shapes((1, *shape), shape[0], *numbers)[2][1:]
        elif name == "batchnorm":
            params = 2 * shape[0]
        elif name == "flatten":
            shape = (int(np.prod(shape)),)
        elif name == "linear":
            macs = shape[0] * numbers[0]
            params = macs + numbers[0]
            shape = (numbers[0],)
        row = {"layer": name, "shape": shape, "params": params, "macs": macs}
        row["bytes"] = 4 * int(np.prod(shape))
        rows.append(row)
    return rows

# %% Output channels used as input channels exercise="network-table" covers=[5]
# You updated the shape before you used it: the kernel is as deep as the map that comes in.
def network_table(layers, in_shape):
    rows, shape = [], tuple(in_shape)
    for name, *numbers in layers:
        params = macs = 0
        if name == "conv":
            channels, kernel, stride, padding = numbers
            shape = conv_shapes((1, *shape), channels, kernel, stride, padding)[2][1:]
            params = conv_params(shape[0], channels, kernel)
            macs, _ = conv_work(shape, channels, kernel, stride, padding)
        elif name == "pool":
            pass
            shape = conv_shapes((1, *shape), shape[0], *numbers)[2][1:]
        elif name == "batchnorm":
            params = 2 * shape[0]
        elif name == "flatten":
            shape = (int(np.prod(shape)),)
        elif name == "linear":
            macs = shape[0] * numbers[0]
            params = macs + numbers[0]
            shape = (numbers[0],)
        row = {"layer": name, "shape": shape, "params": params, "macs": macs}
        row["bytes"] = 4 * int(np.prod(shape))
        rows.append(row)
    return rows

# %% Spatial size of the input in the work exercise="network-table" covers=[28]
# Work is done for every output value.
def network_table(layers, in_shape):
    rows, shape = [], tuple(in_shape)
    for name, *numbers in layers:
        params = macs = 0
        if name == "conv":
            channels, kernel, stride, padding = numbers
            params = conv_params(shape[0], channels, kernel)
            macs = conv_params(shape[0], channels, kernel, bias=False) * shape[1] * shape[2]
            shape = conv_shapes((1, *shape), channels, kernel, stride, padding)[2][1:]
        elif name == "pool":
            pass
            shape = conv_shapes((1, *shape), shape[0], *numbers)[2][1:]
        elif name == "batchnorm":
            params = 2 * shape[0]
        elif name == "flatten":
            shape = (int(np.prod(shape)),)
        elif name == "linear":
            macs = shape[0] * numbers[0]
            params = macs + numbers[0]
            shape = (numbers[0],)
        row = {"layer": name, "shape": shape, "params": params, "macs": macs}
        row["bytes"] = 4 * int(np.prod(shape))
        rows.append(row)
    return rows

# %% FLOPs in the column of MACs exercise="network-table" covers=[27]
# The column asks for MACs.
def network_table(layers, in_shape):
    rows, shape = [], tuple(in_shape)
    for name, *numbers in layers:
        params = macs = 0
        if name == "conv":
            channels, kernel, stride, padding = numbers
            params = conv_params(shape[0], channels, kernel)
            _, macs = conv_work(shape, channels, kernel, stride, padding)
            shape = conv_shapes((1, *shape), channels, kernel, stride, padding)[2][1:]
        elif name == "pool":
            pass
            shape = conv_shapes((1, *shape), shape[0], *numbers)[2][1:]
        elif name == "batchnorm":
            params = 2 * shape[0]
        elif name == "flatten":
            shape = (int(np.prod(shape)),)
        elif name == "linear":
            macs = shape[0] * numbers[0]
            params = macs + numbers[0]
            shape = (numbers[0],)
        row = {"layer": name, "shape": shape, "params": params, "macs": macs}
        row["bytes"] = 4 * int(np.prod(shape))
        rows.append(row)
    return rows

# %% Values counted instead of bytes exercise="network-table"
# A float32 value takes 4 bytes.
def network_table(layers, in_shape):
    rows, shape = [], tuple(in_shape)
    for name, *numbers in layers:
        params = macs = 0
        if name == "conv":
            channels, kernel, stride, padding = numbers
            params = conv_params(shape[0], channels, kernel)
            macs, _ = conv_work(shape, channels, kernel, stride, padding)
            shape = conv_shapes((1, *shape), channels, kernel, stride, padding)[2][1:]
        elif name == "pool":
            pass
            shape = conv_shapes((1, *shape), shape[0], *numbers)[2][1:]
        elif name == "batchnorm":
            params = 2 * shape[0]
        elif name == "flatten":
            shape = (int(np.prod(shape)),)
        elif name == "linear":
            macs = shape[0] * numbers[0]
            params = macs + numbers[0]
            shape = (numbers[0],)
        row = {"layer": name, "shape": shape, "params": params, "macs": macs}
        row["bytes"] = int(np.prod(shape))
        rows.append(row)
    return rows

# %% Float64 assumed exercise="network-table"
# The memory is asked for float32: 4 bytes a value.
def network_table(layers, in_shape):
    rows, shape = [], tuple(in_shape)
    for name, *numbers in layers:
        params = macs = 0
        if name == "conv":
            channels, kernel, stride, padding = numbers
            params = conv_params(shape[0], channels, kernel)
            macs, _ = conv_work(shape, channels, kernel, stride, padding)
            shape = conv_shapes((1, *shape), channels, kernel, stride, padding)[2][1:]
        elif name == "pool":
            pass
            shape = conv_shapes((1, *shape), shape[0], *numbers)[2][1:]
        elif name == "batchnorm":
            params = 2 * shape[0]
        elif name == "flatten":
            shape = (int(np.prod(shape)),)
        elif name == "linear":
            macs = shape[0] * numbers[0]
            params = macs + numbers[0]
            shape = (numbers[0],)
        row = {"layer": name, "shape": shape, "params": params, "macs": macs}
        row["bytes"] = 8 * int(np.prod(shape))
        rows.append(row)
    return rows

# %% Stride of pooling taken for its window exercise="network-table" covers=[36]
# Window and stride of a pooling layer are two numbers.
def network_table(layers, in_shape):
    rows, shape = [], tuple(in_shape)
    for name, *numbers in layers:
        params = macs = 0
        if name == "conv":
            channels, kernel, stride, padding = numbers
            params = conv_params(shape[0], channels, kernel)
            macs, _ = conv_work(shape, channels, kernel, stride, padding)
            shape = conv_shapes((1, *shape), channels, kernel, stride, padding)[2][1:]
        elif name == "pool":
            pass
            shape = conv_shapes((1, *shape), shape[0], numbers[0], numbers[0])[2][1:]
        elif name == "batchnorm":
            params = 2 * shape[0]
        elif name == "flatten":
            shape = (int(np.prod(shape)),)
        elif name == "linear":
            macs = shape[0] * numbers[0]
            params = macs + numbers[0]
            shape = (numbers[0],)
        row = {"layer": name, "shape": shape, "params": params, "macs": macs}
        row["bytes"] = 4 * int(np.prod(shape))
        rows.append(row)
    return rows

# %% Flatten keeps the channels exercise="network-table"
# flatten makes one axis of all three.
def network_table(layers, in_shape):
    rows, shape = [], tuple(in_shape)
    for name, *numbers in layers:
        params = macs = 0
        if name == "conv":
            channels, kernel, stride, padding = numbers
            params = conv_params(shape[0], channels, kernel)
            macs, _ = conv_work(shape, channels, kernel, stride, padding)
            shape = conv_shapes((1, *shape), channels, kernel, stride, padding)[2][1:]
        elif name == "pool":
            pass
            shape = conv_shapes((1, *shape), shape[0], *numbers)[2][1:]
        elif name == "batchnorm":
            params = 2 * shape[0]
        elif name == "flatten":
            shape = (shape[0], int(np.prod(shape[1:])))
        elif name == "linear":
            macs = shape[0] * numbers[0]
            params = macs + numbers[0]
            shape = (numbers[0],)
        row = {"layer": name, "shape": shape, "params": params, "macs": macs}
        row["bytes"] = 4 * int(np.prod(shape))
        rows.append(row)
    return rows

# %% Bytes of the parameters exercise="network-table"
# `bytes` is the memory of the layer's output, not of its parameters.
def network_table(layers, in_shape):
    rows, shape = [], tuple(in_shape)
    for name, *numbers in layers:
        params = macs = 0
        if name == "conv":
            channels, kernel, stride, padding = numbers
            params = conv_params(shape[0], channels, kernel)
            macs, _ = conv_work(shape, channels, kernel, stride, padding)
            shape = conv_shapes((1, *shape), channels, kernel, stride, padding)[2][1:]
        elif name == "pool":
            pass
            shape = conv_shapes((1, *shape), shape[0], *numbers)[2][1:]
        elif name == "batchnorm":
            params = 2 * shape[0]
        elif name == "flatten":
            shape = (int(np.prod(shape)),)
        elif name == "linear":
            macs = shape[0] * numbers[0]
            params = macs + numbers[0]
            shape = (numbers[0],)
        row = {"layer": name, "shape": shape, "params": params, "macs": macs}
        row["bytes"] = 4 * params
        rows.append(row)
    return rows

# %% Table with one function a layer exercise="network-table" right=true
def network_table(layers, in_shape):
    def conv(shape, channels, kernel, stride, padding):
        (kh, kw), (sh, sw), (ph, pw) = pair(kernel), pair(stride), pair(padding)
        rows = (shape[1] + 2 * ph - kh) // sh + 1
        columns = (shape[2] + 2 * pw - kw) // sw + 1
        weights = kh * kw * shape[0] * channels
        return (channels, rows, columns), weights + channels, weights * rows * columns

    def pool(shape, window, stride):
        (kh, kw), (sh, sw) = pair(window), pair(stride)
        return (shape[0], (shape[1] - kh) // sh + 1, (shape[2] - kw) // sw + 1), 0, 0

    kinds = {
        "conv": conv,
        "pool": pool,
        "relu": lambda shape: (shape, 0, 0),
        "batchnorm": lambda shape: (shape, 2 * shape[0], 0),
        "flatten": lambda shape: ((shape[0] * shape[1] * shape[2],), 0, 0),
        "linear": lambda shape, m: ((m,), (shape[0] + 1) * m, shape[0] * m),
    }
    table, shape = [], in_shape
    for layer in layers:
        shape, params, macs = kinds[layer[0]](shape, *layer[1:])
        memory = 4.0 * np.prod(shape)
        table.append(dict(layer=layer[0], shape=list(shape), params=params, macs=macs, bytes=memory))
    return table

# %% Own stride widens the receptive field exercise="q-stride-field" covers=[31]
# A unit of this layer still sees its kernel, wherever the next unit stands. The stride stretches
# what later layers see.
q_stride_field = "a"

# %% Stride changes no receptive field exercise="q-stride-field" covers=[31]
# For this layer that is right. But its units now stand 2 pixels apart, so a tap of the next layer
# reaches twice as far.
q_stride_field = "c"

# %% Formula for stride 1 used with stride 2 exercise="q-five-strides" covers=[31]
# 1 + L(K-1) holds for stride 1 only. With stride 2 each layer adds twice as much as the one
# before.
q_five_strides = 11

# %% Own stride counted in every layer exercise="q-five-strides" covers=[31]
# Layer l adds (K-1) times the jump before it, so the first layer adds 2, not 4.
q_five_strides = 125

# %% Five strides computed exercise="q-five-strides" right=true
q_five_strides = 2**6 - 1

# %% Width two r exercise="q-radius"
# The offsets run from -r to r, and 0 is one of them.
q_radius = 6

# %% Cumulative stride ignored exercise="receptive-field" covers=[31]
# Strides of earlier layers stretch the taps of later ones: multiply by the jump.
def receptive_field(layers):
    return 1 + sum(d * (k - 1) for k, s, d in layers)

# %% Own stride counted exercise="receptive-field" covers=[31]
# A layer's own stride does not widen what its units see: add first, then multiply the jump.
def receptive_field(layers):
    field, jump = 1, 1
    for k, s, d in layers:
        jump *= s
        field += d * (k - 1) * jump
    return field

# %% Last stride instead of the product exercise="receptive-field" covers=[31]
# The jump is the product of all strides before the layer, not the last of them.
def receptive_field(layers):
    field, before = 1, 1
    for k, s, d in layers:
        field += d * (k - 1) * before
        before = s
    return field

# %% Strides added up exercise="receptive-field" covers=[31]
# Jumps multiply: a stride of 2 after a stride of 2 makes 4 pixels, and after a stride of 4 it
# makes 8.
def receptive_field(layers):
    field, jump = 1, 1
    for k, s, d in layers:
        field += d * (k - 1) * jump
        jump += s - 1
    return field

# %% Whole kernels added exercise="receptive-field" covers=[15]
# A layer adds K - 1 pixels, since one of its taps was there before.
def receptive_field(layers):
    field, jump = 1, 1
    for k, s, d in layers:
        field += d * k * jump
        jump *= s
    return field

# %% Dilation ignored in the field exercise="receptive-field"
# The gaps of a dilated kernel count: it reaches d(K-1) units further.
def receptive_field(layers):
    field, jump = 1, 1
    for k, s, d in layers:
        field += (k - 1) * jump
        jump *= s
    return field

# %% Dilation kept for later layers exercise="receptive-field" covers=[21]
# Dilation spreads the taps of one layer. Unlike a stride it leaves units where they are, so later
# layers do not inherit it.
def receptive_field(layers):
    field, jump = 1, 1
    for k, s, d in layers:
        field += d * (k - 1) * jump
        jump *= s * d
    return field

# %% Extent d times K in the field exercise="receptive-field" covers=[22]
# A dilated kernel covers d(K-1) + 1 units, not dK.
def receptive_field(layers):
    field, jump = 1, 1
    for k, s, d in layers:
        field += (d * k - 1) * jump
        jump *= s
    return field

# %% Layers walked from the end without care exercise="receptive-field"
# Walking from the last layer to the first works, but with another rule: there the field is
# stretched by the stride and then widened.
def receptive_field(layers):
    field, jump = 1, 1
    for k, s, d in reversed(layers):
        field += d * (k - 1) * jump
        jump *= s
    return field

# %% Field from the last layer backwards exercise="receptive-field" right=true
def receptive_field(layers):
    field = 1
    for k, s, d in layers[::-1]:
        field = (field - 1) * s + d * (k - 1) + 1
    return field

# %% Field as a closed sum exercise="receptive-field" right=true
def receptive_field(layers):
    strides = [1] + [s for _, s, _ in layers]
    jumps = np.cumprod(strides)
    return 1 + sum((k - 1) * d * j for (k, _, d), j in zip(layers, jumps))

# %% Output compared with zero exercise="influences"
# A bias makes every output nonzero. Compare with the output of the unchanged signal.
def influences(net, n, index):
    return np.flatnonzero(net(np.eye(n))[:, index])

# %% Extent returned without its holes exercise="influences"
# You return everything between the first and the last input that matters. Some of those in between
# may not.
def influences(net, n, index):
    base = np.zeros((1, n))
    change = net(base + np.eye(n))[:, index] - net(base)[:, index]
    hits = np.flatnonzero(change)
    return np.arange(hits[0], hits[-1] + 1)

# %% Base signal counted as a position exercise="influences"
# Row 0 of the batch is the base, so input i was changed in row i + 1.
def influences(net, n, index):
    outputs = net(np.vstack([np.zeros(n), np.eye(n)]))[:, index]
    return np.flatnonzero(outputs != outputs[0])

# %% All outputs watched exercise="influences"
# Watch output number `index` only: other outputs depend on other inputs.
def influences(net, n, index):
    base = np.zeros((1, n))
    change = net(base + np.eye(n)) - net(base)
    return np.flatnonzero(np.any(change != 0, axis=1))

# %% Positive changes only exercise="influences"
# An input can also lower the output. Any change counts.
def influences(net, n, index):
    base = np.zeros((1, n))
    change = net(base + np.eye(n))[:, index] - net(base)[:, index]
    return np.flatnonzero(change > 0)

# %% Number of inputs returned exercise="influences"
# Asked for are the positions, not how many there are.
def influences(net, n, index):
    base = np.zeros((1, n))
    change = net(base + np.eye(n))[:, index] - net(base)[:, index]
    return [int(np.sum(change != 0))]

# %% One input at a time exercise="influences" right=true
def influences(net, n, index):
    base = np.random.default_rng(0).normal(size=(1, n))
    reference = net(base)[0, index]
    found = []
    for i in range(n):
        signal = base.copy()
        signal[0, i] += 0.5
        if not np.isclose(net(signal)[0, index], reference):
            found.append(i)
    return found

# %% Influences by finite differences exercise="influences" right=true
def influences(net, n, index):
    step = 1e-3
    up, down = net(step * np.eye(n))[:, index], net(-step * np.eye(n))[:, index]
    return set(np.nonzero(np.abs(up - down) > 1e-8)[0].tolist())

# %% Ten dilated layers as ten plain ones exercise="q-causal-field"
# With two taps a layer adds its dilation, and the dilations double: add 1 + 2 + 4 + … and the
# sample itself.
q_causal_field = 11

# %% Present sample forgotten exercise="q-causal-field" covers=[15]
# The layers reach back by the sum of the dilations. The present sample counts too.
q_causal_field = 1023

# %% Padded at the end exercise="causal-conv1d" covers=[11]
# Your zeros stand behind the signal: each output depends on the future.
def causal_conv1d(x, w, dilation=1):
    span = dilation * (len(w) - 1)
    padded = np.concatenate([x, np.zeros(span)])
    return np.array([padded[t : t + span + 1 : dilation] @ w for t in range(len(x))])

# %% Padded on both sides exercise="causal-conv1d"
# With padding on both sides half of each window lies in the future.
def causal_conv1d(x, w, dilation=1):
    span = dilation * (len(w) - 1)
    padded = np.concatenate([np.zeros(span // 2), x, np.zeros(span - span // 2)])
    return np.array([padded[t : t + span + 1 : dilation] @ w for t in range(len(x))])

# %% Causal weights reversed exercise="causal-conv1d" covers=[1]
# The last weight multiplies the present sample; yours multiplies the oldest.
def causal_conv1d(x, w, dilation=1):
    span = dilation * (len(w) - 1)
    padded = np.concatenate([np.zeros(span), x])
    return np.array([padded[t : t + span + 1 : dilation] @ w[::-1] for t in range(len(x))])

# %% Causal output too short exercise="causal-conv1d"
# Without padding the output is shorter than the input.
def causal_conv1d(x, w, dilation=1):
    span = dilation * (len(w) - 1)
    return np.array([x[t : t + span + 1 : dilation] @ w for t in range(len(x) - span)])

# %% Causal dilation ignored exercise="causal-conv1d"
# The taps have to be `dilation` samples apart.
def causal_conv1d(x, w, dilation=1):
    span = len(w) - 1
    padded = np.concatenate([np.zeros(span), x])
    return np.array([padded[t : t + span + 1] @ w for t in range(len(x))])

# %% Wrapped around the beginning exercise="causal-conv1d"
# Negative indices picked samples from the end of the signal: the future. Samples from before the
# beginning are 0.
def causal_conv1d(x, w, dilation=1):
    k = len(w)
    return np.array(
        [sum(w[i] * x[(t - (k - 1 - i) * dilation) % len(x)] for i in range(k)) for t in range(len(x))]
    )

# %% Signal overwritten exercise="causal-conv1d" covers=[24]
# You wrote the result into the signal itself: the caller's array is lost.
def causal_conv1d(x, w, dilation=1):
    k = len(w)
    for t in range(len(x) - 1, -1, -1):
        past = [(w[i], t - (k - 1 - i) * dilation) for i in range(k)]
        x[t] = sum(weight * x[s] for weight, s in past if s >= 0)
    return x

# %% Causal by padding and slicing exercise="causal-conv1d" right=true
def causal_conv1d(x, w, dilation=1):
    span = dilation * (len(w) - 1)
    padded = np.concatenate([np.zeros(span), x])
    return sum(w[k] * padded[k * dilation : k * dilation + len(x)] for k in range(len(w)))

# %% Causal with the two-dimensional layer exercise="causal-conv1d" right=true
def causal_conv1d(x, w, dilation=1):
    span = dilation * (len(w) - 1)
    row = np.pad(x, (span, 0))[None, None, None]
    return conv2d(row, np.asarray(w)[None, None, None], dilation=(1, dilation))[0, 0, 0]

# %% Causal with a list exercise="causal-conv1d" right=true
def causal_conv1d(x, w, dilation=1):
    out = []
    for t in range(len(x)):
        total = 0.0
        for k in range(len(w)):
            s = t - (len(w) - 1 - k) * dilation
            total += w[k] * x[s] if s >= 0 else 0.0
        out.append(total)
    return out

# %% Second kernel flipped in the composition exercise="compose" covers=[1]
# Both layers slide their kernel as it is, so offsets add up: no flip.
def compose(first, second):
    second = second[::-1, ::-1]
    (h1, w1), (h2, w2) = first.shape, second.shape
    kernel = np.zeros((h1 + h2 - 1, w1 + w2 - 1))
    for i in range(h2):
        for j in range(w2):
            kernel[i : i + h1, j : j + w1] += second[i, j] * first
    return kernel

# %% Overlaps overwritten in the composition exercise="compose"
# Several pairs of taps meet at the same offset: add their products, do not overwrite.
def compose(first, second):
    (h1, w1), (h2, w2) = first.shape, second.shape
    kernel = np.zeros((h1 + h2 - 1, w1 + w2 - 1))
    for i in range(h2):
        for j in range(w2):
            kernel[i : i + h1, j : j + w1] = second[i, j] * first
    return kernel

# %% Kernels added exercise="compose"
# Applying two layers multiplies their taps; it does not add them.
def compose(first, second):
    (h1, w1), (h2, w2) = first.shape, second.shape
    kernel = np.zeros((h1 + h2 - 1, w1 + w2 - 1))
    kernel[:h1, :w1] += first
    kernel[:h2, :w2] += second
    return kernel

# %% Kernels multiplied as matrices exercise="compose"
# The composition is no matrix product: it is as large as what both layers together see.
def compose(first, second):
    return first @ second.T

# %% Square kernels assumed in the composition exercise="compose" covers=[20]
# Kernels may be rectangular.
def compose(first, second):
    k1, k2 = first.shape[0], second.shape[0]
    kernel = np.zeros((k1 + k2 - 1, k1 + k2 - 1))
    for i in range(k2):
        for j in range(k2):
            kernel[i : i + k1, j : j + k1] += second[i, j] * first
    return kernel

# %% Composition by four loops exercise="compose" right=true
def compose(first, second):
    (h1, w1), (h2, w2) = first.shape, second.shape
    kernel = np.zeros((h1 + h2 - 1, w1 + w2 - 1))
    for i in range(h1):
        for j in range(w1):
            for k in range(h2):
                for l in range(w2):
                    kernel[i + k, j + l] += first[i, j] * second[k, l]
    return kernel

# %% Composition by the layer itself exercise="compose" right=true
def compose(first, second):
    h, w = second.shape
    turned = second[::-1, ::-1][None, None]
    return conv2d(first[None, None], turned, padding=(h - 1, w - 1))[0, 0]

# %% Stack and large kernel taken for the same exercise="q-stack"
# They see the same pixels. But 18 numbers cannot make every 5×5 kernel, and the ReLU in between
# bends what a single layer cannot.
q_stack = "a"

# %% Stack taken for more powerful exercise="q-stack"
# Most 5×5 kernels are no composition of two 3×3 kernels: 18 numbers against 25.
q_stack = "b"

# %% Border of zeros in max pooling exercise="pool2d" covers=[34]
# The border won: where all values are negative, a border of 0 is the maximum. It has to be -∞.
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window, (p, q) = pair(window), pair(padding)
    (kh, kw), (sh, sw) = window, window if stride is None else pair(stride)
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * p, w + 2 * q), 0.0)
    padded[:, :, p : p + h, q : q + w] = x
    rows = (padded.shape[2] - kh) // sh + 1
    columns = (padded.shape[3] - kw) // sw + 1
    y = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            if mode == "max":
                y[:, :, i, j] = patch.max(axis=(2, 3))
            else:
                y[:, :, i, j] = patch.sum(axis=(2, 3))
    return y / (kh * kw) if mode == "avg" else y

# %% Maximum clipped at zero exercise="pool2d" covers=[35]
# Your maximum starts at 0, so it never is negative.
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window, (p, q) = pair(window), pair(padding)
    (kh, kw), (sh, sw) = window, window if stride is None else pair(stride)
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * p, w + 2 * q), -np.inf if mode == "max" else 0.0)
    padded[:, :, p : p + h, q : q + w] = x
    rows = (padded.shape[2] - kh) // sh + 1
    columns = (padded.shape[3] - kw) // sw + 1
    y = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            if mode == "max":
                y[:, :, i, j] = np.maximum(patch.max(axis=(2, 3)), 0.0)
            else:
                y[:, :, i, j] = patch.sum(axis=(2, 3))
    return y / (kh * kw) if mode == "avg" else y

# %% Stride taken for the window exercise="pool2d" covers=[36]
# Stride and window are two numbers: your windows always touch.
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window, (p, q) = pair(window), pair(padding)
    (kh, kw), (sh, sw) = window, window
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * p, w + 2 * q), -np.inf if mode == "max" else 0.0)
    padded[:, :, p : p + h, q : q + w] = x
    rows = (padded.shape[2] - kh) // sh + 1
    columns = (padded.shape[3] - kw) // sw + 1
    y = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            if mode == "max":
                y[:, :, i, j] = patch.max(axis=(2, 3))
            else:
                y[:, :, i, j] = patch.sum(axis=(2, 3))
    return y / (kh * kw) if mode == "avg" else y

# %% Stride of None taken for one exercise="pool2d" covers=[36]
# A stride of None means as large as the window.
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window, (p, q) = pair(window), pair(padding)
    (kh, kw), (sh, sw) = window, (1, 1) if stride is None else pair(stride)
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * p, w + 2 * q), -np.inf if mode == "max" else 0.0)
    padded[:, :, p : p + h, q : q + w] = x
    rows = (padded.shape[2] - kh) // sh + 1
    columns = (padded.shape[3] - kw) // sw + 1
    y = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            if mode == "max":
                y[:, :, i, j] = patch.max(axis=(2, 3))
            else:
                y[:, :, i, j] = patch.sum(axis=(2, 3))
    return y / (kh * kw) if mode == "avg" else y

# %% Pooled across channels exercise="pool2d" covers=[37]
# Each channel is pooled by itself; you took the maximum over all of them.
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window, (p, q) = pair(window), pair(padding)
    (kh, kw), (sh, sw) = window, window if stride is None else pair(stride)
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * p, w + 2 * q), -np.inf if mode == "max" else 0.0)
    padded[:, :, p : p + h, q : q + w] = x
    rows = (padded.shape[2] - kh) // sh + 1
    columns = (padded.shape[3] - kw) // sw + 1
    y = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            if mode == "max":
                y[:, :, i, j] = patch.max(axis=(1, 2, 3))[:, None]
            else:
                y[:, :, i, j] = patch.sum(axis=(1, 2, 3))[:, None]
    return y / (kh * kw) if mode == "avg" else y

# %% Average ignores the area exercise="pool2d" covers=[40]
# An average divides by the number of pixels in the window; yours is the sum.
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window, (p, q) = pair(window), pair(padding)
    (kh, kw), (sh, sw) = window, window if stride is None else pair(stride)
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * p, w + 2 * q), -np.inf if mode == "max" else 0.0)
    padded[:, :, p : p + h, q : q + w] = x
    rows = (padded.shape[2] - kh) // sh + 1
    columns = (padded.shape[3] - kw) // sw + 1
    y = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            if mode == "max":
                y[:, :, i, j] = patch.max(axis=(2, 3))
            else:
                y[:, :, i, j] = patch.sum(axis=(2, 3))
    return y / (1) if mode == "avg" else y

# %% Average divided by one side exercise="pool2d" covers=[40]
# The window has K_H·K_W pixels.
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window, (p, q) = pair(window), pair(padding)
    (kh, kw), (sh, sw) = window, window if stride is None else pair(stride)
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * p, w + 2 * q), -np.inf if mode == "max" else 0.0)
    padded[:, :, p : p + h, q : q + w] = x
    rows = (padded.shape[2] - kh) // sh + 1
    columns = (padded.shape[3] - kw) // sw + 1
    y = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            if mode == "max":
                y[:, :, i, j] = patch.max(axis=(2, 3))
            else:
                y[:, :, i, j] = patch.sum(axis=(2, 3))
    return y / (kh) if mode == "avg" else y

# %% Average over real pixels only exercise="pool2d"
# Here the average divides by the area of the whole window, border included.
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window, (p, q) = pair(window), pair(padding)
    (kh, kw), (sh, sw) = window, window if stride is None else pair(stride)
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * p, w + 2 * q), -np.inf if mode == 'max' else np.nan)
    padded[:, :, p : p + h, q : q + w] = x
    rows = (padded.shape[2] - kh) // sh + 1
    columns = (padded.shape[3] - kw) // sw + 1
    y = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            if mode == "max":
                y[:, :, i, j] = patch.max(axis=(2, 3))
            else:
                y[:, :, i, j] = np.nansum(patch, axis=(2, 3)) / (np.isfinite(patch[0, 0]).sum() / (kh * kw) if mode == 'avg' else 1)
    return y / (kh * kw) if mode == "avg" else y

# %% Mean for the maximum exercise="pool2d"
# In mode max the largest value counts, not the mean.
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window, (p, q) = pair(window), pair(padding)
    (kh, kw), (sh, sw) = window, window if stride is None else pair(stride)
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * p, w + 2 * q), -np.inf if mode == "max" else 0.0)
    padded[:, :, p : p + h, q : q + w] = x
    rows = (padded.shape[2] - kh) // sh + 1
    columns = (padded.shape[3] - kw) // sw + 1
    y = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            if mode == "max":
                y[:, :, i, j] = np.where(np.isinf(patch), 0, patch).mean(axis=(2, 3))
            else:
                y[:, :, i, j] = patch.sum(axis=(2, 3))
    return y / (kh * kw) if mode == "avg" else y

# %% Largest absolute value exercise="pool2d"
# The maximum is the largest value, with its sign: -1 is larger than -4.
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window, (p, q) = pair(window), pair(padding)
    (kh, kw), (sh, sw) = window, window if stride is None else pair(stride)
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * p, w + 2 * q), -np.inf if mode == "max" else 0.0)
    padded[:, :, p : p + h, q : q + w] = x
    rows = (padded.shape[2] - kh) // sh + 1
    columns = (padded.shape[3] - kw) // sw + 1
    y = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            if mode == "max":
                y[:, :, i, j] = np.abs(np.where(np.isinf(patch), 0, patch)).max(axis=(2, 3))
            else:
                y[:, :, i, j] = patch.sum(axis=(2, 3))
    return y / (kh * kw) if mode == "avg" else y

# %% Pooled size rounded up exercise="pool2d" covers=[14]
# Sizes are floored: a window that would hang over the edge does not exist.
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window, (p, q) = pair(window), pair(padding)
    (kh, kw), (sh, sw) = window, window if stride is None else pair(stride)
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * p, w + 2 * q), -np.inf if mode == "max" else 0.0)
    padded[:, :, p : p + h, q : q + w] = x
    rows = -(-(padded.shape[2] - kh) // sh) + 1
    columns = -(-(padded.shape[3] - kw) // sw) + 1
    y = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            if mode == "max":
                y[:, :, i, j] = patch.max(axis=(2, 3))
            else:
                y[:, :, i, j] = patch.sum(axis=(2, 3))
    return y / (kh * kw) if mode == "avg" else y

# %% Pooling window assumed square exercise="pool2d" covers=[20]
# The window may be rectangular.
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window, (p, q) = pair(window), pair(padding)
    (kh, kw), (sh, sw) = window, window if stride is None else pair(stride)
    kw = kh
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * p, w + 2 * q), -np.inf if mode == "max" else 0.0)
    padded[:, :, p : p + h, q : q + w] = x
    rows = (padded.shape[2] - kh) // sh + 1
    columns = (padded.shape[3] - kw) // sw + 1
    y = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            if mode == "max":
                y[:, :, i, j] = patch.max(axis=(2, 3))
            else:
                y[:, :, i, j] = patch.sum(axis=(2, 3))
    return y / (kh * kw) if mode == "avg" else y

# %% Pooling stride on rows only exercise="pool2d" covers=[19]
# Your window steps by the vertical stride in both directions.
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window, (p, q) = pair(window), pair(padding)
    (kh, kw), (sh, sw) = window, window if stride is None else pair(stride)
    sw = sh
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * p, w + 2 * q), -np.inf if mode == "max" else 0.0)
    padded[:, :, p : p + h, q : q + w] = x
    rows = (padded.shape[2] - kh) // sh + 1
    columns = (padded.shape[3] - kw) // sw + 1
    y = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            if mode == "max":
                y[:, :, i, j] = patch.max(axis=(2, 3))
            else:
                y[:, :, i, j] = patch.sum(axis=(2, 3))
    return y / (kh * kw) if mode == "avg" else y

# %% Pooled columns from the height exercise="pool2d" covers=[16]
# The number of columns follows from the width of the map.
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window, (p, q) = pair(window), pair(padding)
    (kh, kw), (sh, sw) = window, window if stride is None else pair(stride)
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * p, w + 2 * q), -np.inf if mode == "max" else 0.0)
    padded[:, :, p : p + h, q : q + w] = x
    rows = (padded.shape[2] - kh) // sh + 1
    columns = rows
    y = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            if mode == "max":
                y[:, :, i, j] = patch.max(axis=(2, 3))
            else:
                y[:, :, i, j] = patch.sum(axis=(2, 3))
    return y / (kh * kw) if mode == "avg" else y

# %% Padding of pooling ignored exercise="pool2d"
# The padding is not used.
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window, (p, q) = pair(window), pair(padding)
    (kh, kw), (sh, sw) = window, window if stride is None else pair(stride)
    p, q = 0, 0
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * p, w + 2 * q), -np.inf if mode == "max" else 0.0)
    padded[:, :, p : p + h, q : q + w] = x
    rows = (padded.shape[2] - kh) // sh + 1
    columns = (padded.shape[3] - kw) // sw + 1
    y = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            if mode == "max":
                y[:, :, i, j] = patch.max(axis=(2, 3))
            else:
                y[:, :, i, j] = patch.sum(axis=(2, 3))
    return y / (kh * kw) if mode == "avg" else y

# %% Input rectified by pooling exercise="pool2d" covers=[24]
# Your function sets negative values of its argument to zero: it changes the caller's array.
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window, (p, q) = pair(window), pair(padding)
    (kh, kw), (sh, sw) = window, window if stride is None else pair(stride)
    x[x < 0] = 0
    n, c, h, w = x.shape
    padded = np.full((n, c, h + 2 * p, w + 2 * q), -np.inf if mode == "max" else 0.0)
    padded[:, :, p : p + h, q : q + w] = x
    rows = (padded.shape[2] - kh) // sh + 1
    columns = (padded.shape[3] - kw) // sw + 1
    y = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]
            if mode == "max":
                y[:, :, i, j] = patch.max(axis=(2, 3))
            else:
                y[:, :, i, j] = patch.sum(axis=(2, 3))
    return y / (kh * kw) if mode == "avg" else y

# %% Pooling with sliding windows exercise="pool2d" right=true
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window, (p, q) = pair(window), pair(padding)
    sh, sw = window if stride is None else pair(stride)
    border = -np.inf if mode == "max" else 0
    x = np.pad(x.astype(float), ((0, 0), (0, 0), (p, p), (q, q)), constant_values=border)
    views = np.lib.stride_tricks.sliding_window_view(x, window, (2, 3))[:, :, ::sh, ::sw]
    return {"max": np.max, "avg": np.mean, "sum": np.sum}[mode](views, axis=(4, 5))

# %% Pooling tap by tap exercise="pool2d" right=true
def pool2d(x, window, stride=None, padding=0, mode="max"):
    (kh, kw), (p, q) = pair(window), pair(padding)
    sh, sw = pair(window) if stride is None else pair(stride)
    lowest = np.finfo(np.float64).min
    x = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (p, p), (q, q)),
               constant_values=lowest if mode == "max" else 0)
    rows, columns = (x.shape[2] - kh) // sh, (x.shape[3] - kw) // sw
    taps = [
        x[:, :, k : k + rows * sh + 1 : sh, l : l + columns * sw + 1 : sw]
        for k in range(kh)
        for l in range(kw)
    ]
    if mode == "max":
        return np.maximum.reduce(taps)
    return sum(taps) / (len(taps) if mode == "avg" else 1)

# %% Average pooling by the layer exercise="pool2d" right=true
def pool2d(x, window, stride=None, padding=0, mode="max"):
    window = pair(window)
    stride = window if stride is None else stride
    if mode != "max":
        n, c, h, w = x.shape
        ones = np.ones((1, 1, *window)) / (window[0] * window[1] if mode == "avg" else 1)
        y = conv2d(x.reshape(n * c, 1, h, w), ones, stride=stride, padding=padding)
        return y.reshape(n, c, *y.shape[2:])
    (p, q), (sh, sw) = pair(padding), pair(stride)
    x = np.pad(x.astype(float), ((0, 0), (0, 0), (p, p), (q, q)), constant_values=-np.inf)
    views = np.lib.stride_tricks.sliding_window_view(x, window, (2, 3))
    return views[:, :, ::sh, ::sw].max(axis=(-1, -2))

# %% Max pooling best everywhere exercise="q-best-pooling"
# A uniform rise moves the average by many of its standard deviations, and the maximum, which
# follows the noise, by fewer.
q_best_pooling = "a"

# %% Average pooling best everywhere exercise="q-best-pooling"
# One raised unit of sixteen hardly moves the average, but it often is the maximum.
q_best_pooling = "b"

# %% Max and average pooling swapped exercise="q-best-pooling"
# Max asks whether it is somewhere, average how much there is of it.
q_best_pooling = "d"

# %% Shift said to change no pooled value exercise="q-small-shift"
# Pool both rows and compare position by position: the windows at the two ends have lost or gained
# their maximum.
q_small_shift = (4, 0)

# %% Shift said to change every pooled value exercise="q-small-shift"
# Pool both rows: two of the four windows still contain the 1 after the shift.
q_small_shift = (4, 4)

# %% Shifted the wrong axis exercise="changed-by-shift" covers=[17]
# To the right means along the columns: the last axis.
def changed_by_shift(x, window, stride, shift):
    pools = [pool2d(image[None, None], window, stride) for image in (x, np.roll(x, shift, axis=0))]
    return np.mean(pools[0] != pools[1])

# %% Inputs compared instead of pooled values exercise="changed-by-shift"
# Compare what pooling puts out, not what goes in.
def changed_by_shift(x, window, stride, shift):
    return np.mean(x != np.roll(x, shift, axis=1))

# %% Pooled output shifted, not the input exercise="changed-by-shift"
# Shift the map first, then pool it. The other order asks another question.
def changed_by_shift(x, window, stride, shift):
    pooled = pool2d(x[None, None], window, stride)
    return np.mean(pooled != np.roll(pooled, shift, axis=3))

# %% Number of changes instead of the fraction exercise="changed-by-shift"
# A fraction is asked: divide by the number of pooled values.
def changed_by_shift(x, window, stride, shift):
    moved = np.roll(x, shift, axis=1)
    return np.sum(pool2d(x[None, None], window, stride) != pool2d(moved[None, None], window, stride))

# %% Stride of the meter forgotten exercise="changed-by-shift" covers=[36]
# Pass the stride on: without it windows are as far apart as they are large.
def changed_by_shift(x, window, stride, shift):
    moved = np.roll(x, shift, axis=1)
    return np.mean(pool2d(x[None, None], window) != pool2d(moved[None, None], window))

# %% Fraction unchanged exercise="changed-by-shift"
# You return the fraction that stays the same.
def changed_by_shift(x, window, stride, shift):
    moved = np.roll(x, shift, axis=1)
    before, after = pool2d(x[None, None], window, stride), pool2d(moved[None, None], window, stride)
    return np.mean(before == after)

# %% Meter with both maps in a batch exercise="changed-by-shift" right=true
def changed_by_shift(x, window, stride, shift):
    columns = (np.arange(x.shape[1]) - shift) % x.shape[1]
    both = np.stack([x, x[:, columns]])[:, None]  # (2, 1, H, W)
    before, after = pool2d(both, window, stride)
    return np.count_nonzero(before - after) / before.size

# %% Invariance measured by the mean exercise="invariance-gap"
# The gap is the largest difference, not the average one.
def invariance_gap(f, x, shift):
    return np.mean(np.abs(f(np.roll(x, shift, axis=-1)) - f(x)))

# %% Signed difference exercise="invariance-gap"
# Take absolute values: a fall counts as much as a rise.
def invariance_gap(f, x, shift):
    return np.max(f(np.roll(x, shift, axis=-1)) - f(x))

# %% Invariance compared with the input exercise="invariance-gap"
# Compare the two outputs of f, not an output with the input.
def invariance_gap(f, x, shift):
    return np.max(np.abs(np.roll(x, shift, axis=-1) - x))

# %% Gap shifted along the rows exercise="invariance-gap" covers=[17]
# Shifts are horizontal: along the last axis.
def invariance_gap(f, x, shift):
    return np.max(np.abs(f(np.roll(x, shift, axis=0)) - f(x)))

# %% Invariance with the largest of both signs exercise="invariance-gap" right=true
def invariance_gap(f, x, shift):
    difference = np.asarray(f(np.roll(x, shift, axis=1))) - np.asarray(f(x))
    return max(difference.max(), -difference.min())

# %% Output not moved along exercise="equivariance-gap"
# Equivariance compares with the moved output; you compare with the output as it was, which is
# invariance.
def equivariance_gap(f, x, shift, stride=1):
    return np.max(np.abs(f(np.roll(x, shift, axis=-1)) - f(x)))

# %% Output moved by the input's shift exercise="equivariance-gap" covers=[18]
# After a stride the output moves by shift // stride columns.
def equivariance_gap(f, x, shift, stride=1):
    return np.max(np.abs(f(np.roll(x, shift, axis=-1)) - np.roll(f(x), shift, axis=-1)))

# %% Output moved in the other direction exercise="equivariance-gap"
# Input and output have to move in the same direction.
def equivariance_gap(f, x, shift, stride=1):
    return np.max(np.abs(f(np.roll(x, shift, axis=-1)) - np.roll(f(x), -(shift // stride), axis=-1)))

# %% Everything rolled without an axis exercise="equivariance-gap"
# np.roll without an axis flattens the array: rows run into each other.
def equivariance_gap(f, x, shift, stride=1):
    return np.max(np.abs(f(np.roll(x, shift)) - np.roll(f(x), shift // stride)))

# %% Equivariance by moving the difference back exercise="equivariance-gap" right=true
def equivariance_gap(f, x, shift, stride=1):
    moved = f(np.roll(x, shift, axis=1))
    back = np.roll(moved, -(shift // stride), axis=1)
    return np.abs(back - f(x)).max()

# %% Convolution taken for invariant exercise="q-translation"
# Its output moves along with the image, so it changes. That is equivariance.
q_translation = "a"

# %% Convolution taken for neither exercise="q-translation"
# The output of the moved image is predictable: it is the moved output.
q_translation = "c"

# %% Convolution taken for rotation equivariant exercise="q-translation"
# A rotated image meets the unrotated kernel. Only shifts commute with a convolution.
q_translation = "d"

# %% Pooling taken for scale invariant exercise="q-scale"
# Where a thing stands is translation, how large it is is scale. Pooling forgives small
# translations.
q_scale = "a"

# %% Pooling taken for exactly shift invariant exercise="q-scale"
# The example of Exercise 19 shifts by one pixel, less than its window, and half the pooled values
# change.
q_scale = "b"

# %% Strides added for the smallest shift exercise="q-smallest-shift"
# Strides multiply: each layer keeps every second unit of what the layer before kept.
q_smallest_shift = 6

# %% One stride for the smallest shift exercise="q-smallest-shift"
# A shift of 2 moves the first map by one unit, which is an odd shift for the second layer.
q_smallest_shift = 2

# %% Presence taken for position exercise="q-presence"
# Whether there is a dog does not depend on where it stands: here invariance helps. It harms where
# the position itself is the answer.
q_presence = "a"

# %% Amount taken for position exercise="q-presence"
# How much forest there is does not change when the picture moves by a pixel. It harms where the
# position itself is the answer.
q_presence = "b"

# %% Only the case of the slide tried exercise="formula-is-right"
# 227, 11, 4, 0 divides evenly and has no padding: a formula that rounds up or forgets the padding
# passes it.
def formula_is_right(formula):
    return formula(227, 11, 4, 0) == 55

# %% No case with a rest exercise="formula-is-right" covers=[14]
# All your cases divide evenly, so a formula that rounds in another way slips through.
def formula_is_right(formula):
    cases = [(227, 11, 4, 0, 55), (7, 3, 1, 1, 7), (7, 3, 2, 0, 3), (9, 3, 2, 1, 5)]
    return all(formula(*case[:4]) == case[4] for case in cases)

# %% No case with padding exercise="formula-is-right" covers=[11]
# None of your cases has padding, so a formula that forgets it slips through.
def formula_is_right(formula):
    cases = [(227, 11, 4, 0, 55), (10, 3, 2, 0, 4), (8, 3, 3, 0, 2), (7, 3, 2, 0, 3)]
    return all(formula(*case[:4]) == case[4] for case in cases)

# %% Any match is enough exercise="formula-is-right"
# A formula is right if all cases agree; yours needs one.
def formula_is_right(formula):
    cases = [(227, 11, 4, 0), (10, 3, 2, 0), (10, 3, 2, 1), (7, 3, 1, 2), (12, 2, 5, 1)]
    return any(formula(*case) == out_size(*case) for case in cases)

# %% Types compared exercise="formula-is-right"
# A right formula may return 55, 55.0 or np.int64(55): compare values, not types.
def formula_is_right(formula):
    cases = [(227, 11, 4, 0), (10, 3, 2, 0), (10, 3, 2, 1), (7, 3, 1, 2), (12, 2, 5, 1)]
    return all(type(formula(*c)) is int and formula(*c) == out_size(*c) for c in cases)

# %% Everything accepted exercise="formula-is-right"
# Your test lets every formula pass.
def formula_is_right(formula):
    return True

# %% Everything refused exercise="formula-is-right"
# Your test turns every formula down, the right one included.
def formula_is_right(formula):
    return False

# %% Answer cut to a whole number exercise="formula-is-right"
# You cut the result to a whole number before comparing, so a formula that forgets to round slips
# through.
def formula_is_right(formula):
    cases = [(227, 11, 4, 0), (10, 3, 2, 0), (10, 3, 2, 1), (8, 3, 3, 0), (7, 3, 1, 2), (12, 2, 5, 1)]
    return all(int(formula(*case)) == out_size(*case) for case in cases)

# %% Cases with their sizes by hand exercise="formula-is-right" right=true
def formula_is_right(formula):
    known = {(10, 3, 2, 1): 5, (12, 2, 5, 1): 3, (8, 3, 3, 0): 2, (7, 3, 1, 2): 9, (10, 3, 2, 0): 4}
    for case, size in known.items():
        if formula(*case) != size:
            return False
    return True


# %% Any word but replicate means zero exercise="pad2d" equivalent=true
# The other mode is what is left.
# - def pad2d(x, padding, mode="zero"):
# + def pad2d(x, padding, mode=""):


# %% A value clipped from below, or zero clipped by it from above exercise="pad2d" equivalent=true
# np.clip takes the larger of its first two arguments, whichever comes first.
# - rows = np.clip(np.arange(-vertical, height + vertical), 0, height - 1)
# + rows = np.clip(0, np.arange(-vertical, height + vertical), height - 1)
# - columns = np.clip(np.arange(-horizontal, width + horizontal), 0, width - 1)
# + columns = np.clip(0, np.arange(-horizontal, width + horizontal), width - 1)


# %% A product has no order, and groups divide exercise="conv-params" equivalent=true
# The kernel's area is all that counts of it; the channels of a group are a whole number, however they are rounded.
# - kernel_height, kernel_width = pair(kernel)
# + kernel_width, kernel_height = pair(kernel)
# - weights = kernel_height * kernel_width * (in_channels // groups) * out_channels
# + weights = kernel_height * kernel_width * -(-in_channels // groups) * out_channels
# + weights = kernel_height * kernel_width * (in_channels / groups) * out_channels


# %% Of the output's shape only height and width are used exercise="conv-work" equivalent=true
# They depend neither on the number of images nor on the number of kernels.
# - batch_shape = (1, *in_shape)
# + batch_shape = (2, *in_shape)
# + batch_shape = (0, *in_shape)
# - _, _, out_shape = conv_shapes(batch_shape, out_channels, kernel, stride, padding, dilation)
# + _, _, out_shape = conv_shapes(batch_shape, in_shape, kernel, stride, padding, dilation)
# + _, _, out_shape = conv_shapes(batch_shape, kernel, kernel, stride, padding, dilation)


# %% As many weights forwards as backwards exercise="conv-work" equivalent=true
# C_in / groups × C_out is the same number when the two change places.
# - weights = conv_params(in_shape[0], out_channels, kernel, groups, bias=False)
# + weights = conv_params(out_channels, in_shape[0], kernel, groups, bias=False)


# %% Only products of height and width are used exercise="connection-params" equivalent=true
# Height and width may change places, and neither depends on the number of images or of kernels.
# - channels, height, width = in_shape
# + channels, width, height = in_shape
# - batch_shape = (1, *in_shape)
# + batch_shape = (2, *in_shape)
# + batch_shape = (0, *in_shape)
# - _, _, (_, _, out_height, out_width) = conv_shapes(batch_shape, out_channels, kernel)
# + _, _, (_, _, out_width, out_height) = conv_shapes(batch_shape, out_channels, kernel)
# + _, _, (_, _, out_height, out_width) = conv_shapes(batch_shape, in_shape, kernel)
# + _, _, (_, _, out_height, out_width) = conv_shapes(batch_shape, kernel, kernel)


# %% The number of images is cut off again exercise="network-table" equivalent=true
# conv_shapes wants one; the row keeps (C, H, W).
# - shape = conv_shapes((1, *shape), channels, kernel, stride, padding)[2][1:]
# + shape = conv_shapes((2, *shape), channels, kernel, stride, padding)[2][1:]
# + shape = conv_shapes((0, *shape), channels, kernel, stride, padding)[2][1:]
# - shape = conv_shapes((1, *shape), shape[0], *numbers)[2][1:]
# + shape = conv_shapes((2, *shape), shape[0], *numbers)[2][1:]
# + shape = conv_shapes((0, *shape), shape[0], *numbers)[2][1:]


# %% A whole number of NumPy's is a whole number exercise="network-table" equivalent=true
# int() makes the table nicer to read, no number another one.
# - shape = (int(np.prod(shape)),)
# + shape = (np.prod(shape),)
# - size = 4 * int(np.prod(shape))
# + size = 4 * np.prod(shape)


# %% Both start at one exercise="receptive-field" equivalent=true
# The two names get the same value.
# - field, jump = 1, 1
# + jump, field = 1, 1


# %% Any signal will do to start from exercise="influences" equivalent=true
# What matters is that one input is changed in each row, not from what, how or which way.
# - base = np.linspace(-1.0, 1.0, n)
# + base = np.linspace(1.0, -1.0, n)
# + base = np.linspace(1.0, 1.0, n)
# + base = np.linspace(-2.0, 1.0, n)
# + base = np.linspace(-0.5, 1.0, n)
# + base = np.linspace(-1.0, 2.0, n)
# + base = np.linspace(-1.0, 0.5, n)
# - batch = np.vstack([base, base + np.eye(n)])
# + batch = np.vstack([base, base - np.eye(n)])


# %% A change is far from the threshold exercise="influences" equivalent=true
# A connection moves the output by much more than 1e-9, and rounding by much less; its sign is forgotten.
# - return np.flatnonzero(np.abs(watched[1:] - watched[0]) > 1e-9)
# + return np.flatnonzero(np.abs(watched[1:] - watched[0]) >= 1e-9)
# + return np.flatnonzero(np.abs(watched[0] - watched[1:]) > 1e-9)
# + return np.flatnonzero(np.abs(watched[1:] - watched[0]) > 5e-10)


# %% Nothing is added to nothing exercise="causal-conv1d" equivalent=true
# A delay as long as the signal leaves an empty slice.
# - if delay < len(x):
# + if delay <= len(x):


# %% A border that is missing below or right, or too wide exercise="pool2d" equivalent=true
# A slice stops at the edge by itself, and −∞ or 0 more or less changes no maximum and no sum; how many windows there are is
# worked out apart, and the average divides by the whole window.
# - padded = np.full((n, channels, height + 2 * top, width + 2 * left), border)
# + padded = np.full((n, channels, height + (2 + top), width + 2 * left), border)
# + padded = np.full((n, channels, height + 2, width + 2 * left), border)
# + padded = np.full((n, channels, height + top, width + 2 * left), border)
# + padded = np.full((n, channels, height + 3 * top, width + 2 * left), border)
# + padded = np.full((n, channels, height + 1 * top, width + 2 * left), border)
# + padded = np.full((n, channels, height + 2 * top, width + (2 + left)), border)
# + padded = np.full((n, channels, height + 2 * top, width + 2), border)
# + padded = np.full((n, channels, height + 2 * top, width + left), border)
# + padded = np.full((n, channels, height + 2 * top, width + 3 * left), border)
# + padded = np.full((n, channels, height + 2 * top, width + 1 * left), border)


# %% Two axes at once have no order exercise="pool2d" equivalent=true
# Maximum and sum go over both.
# - y[:, :, i, j] = patch.max(axis=(2, 3)) if mode == "max" else patch.sum(axis=(2, 3))
# + y[:, :, i, j] = patch.max(axis=(3, 2)) if mode == "max" else patch.sum(axis=(2, 3))
# + y[:, :, i, j] = patch.max(axis=(2, 3)) if mode == "max" else patch.sum(axis=(3, 2))


# %% A number of NumPy's is a number exercise="changed-by-shift" equivalent=true
# float() makes it nicer to read.
# - return float(np.mean(before != after))
# + return np.mean(before != after)


# %% A gap has no direction, a map two axes exercise="invariance-gap" equivalent=true
# The absolute value forgets which one was subtracted, the last axis of a map is axis 1, and a number of NumPy's is a number.
# - return float(np.max(np.abs(f(np.roll(x, shift, axis=-1)) - f(x))))
# + return np.max(np.abs(f(np.roll(x, shift, axis=-1)) - f(x)))
# + return float(np.max(np.abs(f(x) - f(np.roll(x, shift, axis=-1)))))
# + return float(np.max(np.abs(f(np.roll(x, shift, axis=1)) - f(x))))


# %% A gap has no direction, a map two axes exercise="equivariance-gap" equivalent=true
# The absolute value forgets which one was subtracted, the last axis of a map is axis 1, and a number of NumPy's is a number.
# - return float(np.max(np.abs(f(np.roll(x, shift, axis=-1)) - moved_after)))
# + return np.max(np.abs(f(np.roll(x, shift, axis=-1)) - moved_after))
# + return float(np.max(np.abs(moved_after - f(np.roll(x, shift, axis=-1)))))
# + return float(np.max(np.abs(f(np.roll(x, shift, axis=1)) - moved_after)))
# - moved_after = np.roll(f(x), shift // stride, axis=-1)
# + moved_after = np.roll(f(x), shift // stride, axis=1)


# %% np.roll moves by whole columns exercise="equivariance-gap" equivalent=true
# It cuts a broken shift, which is rounding down for a shift to the right.
# - moved_after = np.roll(f(x), shift // stride, axis=-1)
# + moved_after = np.roll(f(x), shift / stride, axis=-1)


# %% Other small layers find the wrong formulas too exercise="formula-is-right" equivalent=true
# Any choice with several kernels or strides, some padding and some rests tells them apart; which layers are in it is free.
# - sizes, kernels, strides, paddings = range(7, 10), range(2, 4), range(1, 4), range(2)
# + sizes, strides, kernels, paddings = range(7, 10), range(2, 4), range(1, 4), range(2)
# + sizes, kernels, strides, paddings = range(7, 10), range(1, 4), range(2, 4), range(2)
# + sizes, kernels, strides, paddings = range(8, 10), range(2, 4), range(1, 4), range(2)
# + sizes, kernels, strides, paddings = range(6, 10), range(2, 4), range(1, 4), range(2)
# + sizes, kernels, strides, paddings = range(7, 11), range(2, 4), range(1, 4), range(2)
# + sizes, kernels, strides, paddings = range(7, 9), range(2, 4), range(1, 4), range(2)
# + sizes, kernels, strides, paddings = range(7, 10), range(2), range(1, 4), range(2)
# + sizes, kernels, strides, paddings = range(7, 10), range(3, 4), range(1, 4), range(2)
# + sizes, kernels, strides, paddings = range(7, 10), range(1, 4), range(1, 4), range(2)
# + sizes, kernels, strides, paddings = range(7, 10), range(2, 5), range(1, 4), range(2)
# + sizes, kernels, strides, paddings = range(7, 10), range(2, 3), range(1, 4), range(2)
# + sizes, kernels, strides, paddings = range(7, 10), range(2, 4), range(2, 4), range(2)
# + sizes, kernels, strides, paddings = range(7, 10), range(2, 4), range(1, 5), range(2)
# + sizes, kernels, strides, paddings = range(7, 10), range(2, 4), range(1, 3), range(2)
# + sizes, kernels, strides, paddings = range(7, 10), range(2, 4), range(1, 4), range(3)
# - cases = [(n, k, s, p) for n in sizes for k in kernels for s in strides for p in paddings]
# + cases = [(n, s, k, p) for n in sizes for k in kernels for s in strides for p in paddings]
# + cases = [(n, k, s, p) for n in sizes for k in strides for s in strides for p in paddings]
# + cases = [(n, k, s, p) for n in sizes for k in kernels for s in kernels for p in paddings]
# + cases = [(n, k, s, p) for n in sizes for k in kernels for s in strides for p in strides]
