# %% Everything in one long vector exercise="flatten" expect=["flatten-the-whole-batch-unrolled"]
def flatten(x):
    numbers = []
    for value in x.flat:
        numbers.append(value)
    return np.array(numbers)


# %% Two axes merged only exercise="flatten" expect=["rule:shape", "rule:reshaped"]
def flatten(x):
    n, a, *rest = x.shape
    return x.reshape(n, a * rest[0], *rest[1:])


# %% Pixel by pixel, colour fastest exercise="flatten" expect=["flatten-channels-moved-last-before-unrolling", "rule:reordered", "rule:raised"]
def flatten(x):
    return np.array([sample.transpose(1, 2, 0).ravel() for sample in x])


# %% Column after column exercise="flatten" expect=["rule:reordered", "rule:separated"]
def flatten(x):
    rows = []
    for sample in x:
        rows.append(np.swapaxes(sample, -1, -2).reshape(-1))
    return np.array(rows)


# %% One row a pixel exercise="flatten" expect=["rule:transposed"]
def flatten(x):
    n = x.shape[0]
    return x.reshape(n, x.size // n).T


# %% Loop that forgets the colour exercise="fc-params" expect=["fc-params-channels-not-counted", "rule:separated", "rule:raised"]
def fc_params(input_shape, units, bias=True):
    h = input_shape[-2]
    w = input_shape[-1]
    weights = h * w * units
    return weights + units if bias else weights


# %% Sum of the sides exercise="fc-params" expect=["none", "rule:factor"]
def fc_params(input_shape, units, bias=True):
    total = 0
    for side in input_shape:
        total = total + side
    return total * units + (units if bias else 0)


# %% A bias whether or not exercise="fc-params" expect=["rule:parameter:bias"]
def fc_params(input_shape, units, bias=True):
    n = 1
    for s in input_shape:
        n = n * s
    return n * units + units


# %% Single bias, spelled out exercise="fc-params" expect=["fc-params-one-bias-for-the-whole-layer"]
def fc_params(input_shape, units, bias=True):
    n = 1
    for s in input_shape:
        n = n * s
    answer = n * units
    if bias is True:
        answer += 1
    return answer


# %% Nothing returned exercise="fc-params" expect=["rule:none"]
def fc_params(input_shape, units, bias=True):
    count = int(np.prod([int(s) for s in input_shape])) * units
    if bias:
        count += units


# %% Two billion for gray alone exercise="q-fc-cost" expect=["q-fc-cost-the-slide-s-two-billion"]
q_gray_weights = 2e9
q_colour_params = 4_800_040_000


# %% Gray twice exercise="q-fc-cost" expect=["q-fc-cost-channels-and-biases-left-out-of-the-colour-count"]
q_gray_weights = 200 * 200 * 200 * 200
q_colour_params = q_gray_weights


# %% Matrix the other way exercise="fully-connected" expect=["fully-connected-weight-not-transposed"]
def fully_connected(x, weight, bias):
    product = np.matmul(x, weight)
    return np.add(product, bias)


# %% Only the product exercise="fully-connected" expect=["fully-connected-bias-left-out"]
def fully_connected(x, weight, bias):
    out = np.zeros((x.shape[0], weight.shape[0]))
    for n, sample in enumerate(x):
        for u, row in enumerate(weight):
            out[n, u] = (row * sample).sum()
    return out


# %% The bias taken away exercise="fully-connected" expect=["rule:offset"]
def fully_connected(x, weight, bias):
    return np.einsum("ij,kj->ik", x, weight) - bias


# %% Rectified already exercise="fully-connected" expect=["none", "rule:clipped"]
def fully_connected(x, weight, bias):
    return np.maximum(0, np.dot(x, np.transpose(weight)) + bias)


# %% Bias of the first unit for everyone exercise="fully-connected" expect=["fully-connected-one-bias-for-all-units"]
def fully_connected(x, weight, bias):
    b = bias.tolist()[0]
    return np.array([[float(np.dot(w, v)) + b for w in weight] for v in x])


# %% Units down, samples across exercise="fully-connected" expect=["rule:transposed"]
def fully_connected(x, weight, bias):
    return weight @ x.T + bias[:, np.newaxis]


# %% The order undone exercise="permute-net" expect=["permute-net-inverse-order"]
def permute_net(w1, b1, w2, b2, order):
    new = np.empty_like(w1)
    for place, pixel in enumerate(order):
        new[:, pixel] = w1[:, place]
    return new, b1, w2, b2


# %% Left as it was exercise="permute-net" expect=["permute-net-nothing-rearranged"]
def permute_net(w1, b1, w2, b2, order):
    return np.array(w1), np.array(b1), np.array(w2), np.array(b2)


# %% Three of four returned exercise="permute-net" expect=["rule:shape", "rule:kind", "none"]
def permute_net(w1, b1, w2, b2, order):
    return w1[:, order], b1, w2


# %% Written into the given weights exercise="permute-net" expect=["permute-net-weights-rearranged-in-place"]
def permute_net(w1, b1, w2, b2, order):
    copy = w1.copy()
    for new, old in enumerate(order):
        w1[:, new] = copy[:, old]
    return w1, b1, w2, b2


# %% Weights of the corner everywhere exercise="locally-connected" expect=["locally-connected-first-unit-s-weights-everywhere"]
def locally_connected(image, weight, bias):
    first = weight[0][0]
    kh, kw = first.shape
    views = np.lib.stride_tricks.sliding_window_view(image, (kh, kw))
    return np.tensordot(views, first, 2) + bias


# %% Weights of the row's start exercise="locally-connected" expect=["none"]
def locally_connected(image, weight, bias):
    oh, ow, kh, kw = weight.shape
    out = bias.copy()
    for i in range(oh):
        for j in range(ow):
            out[i, j] += (image[i : i + kh, j : j + kw] * weight[i, 0]).sum()
    return out


# %% Biases never used exercise="locally-connected" expect=["locally-connected-no-biases"]
def locally_connected(image, weight, bias):
    patches = np.lib.stride_tricks.sliding_window_view(image, weight.shape[-2:])
    return np.sum(patches * weight, axis=(-2, -1))


# %% One bias for the whole layer exercise="locally-connected" expect=["rule:offset", "none"]
def locally_connected(image, weight, bias):
    patches = np.lib.stride_tricks.sliding_window_view(image, weight.shape[-2:])
    return np.sum(patches * weight, axis=(-2, -1)) + bias[0, 0]


# %% Bias written over exercise="locally-connected" expect=["rule:mutated"]
def locally_connected(image, weight, bias):
    oh, ow, kh, kw = weight.shape
    for i in range(oh):
        for j in range(ow):
            bias[i, j] += (image[i : i + kh, j : j + kw] * weight[i, j]).sum()
    return bias * 1.5


# %% Positions as (ow, oh) exercise="tie-weights" expect=["tie-weights-position-axes-swapped"]
def tie_weights(kernel, bias, oh, ow):
    weight = np.empty((ow, oh) + kernel.shape)
    weight[...] = kernel
    biases = np.empty((ow, oh))
    biases.fill(bias)
    return weight, biases


# %% Whole biases exercise="tie-weights" expect=["tie-weights-bias-cut-to-an-integer"]
def tie_weights(kernel, bias, oh, ow):
    return np.array([[kernel] * ow] * oh), np.array([[int(bias)] * ow] * oh)


# %% Positions behind the kernel exercise="tie-weights" expect=["rule:shape", "rule:transposed", "none"]
def tie_weights(kernel, bias, oh, ow):
    return np.multiply.outer(kernel, np.ones((oh, ow))), bias + np.zeros((oh, ow))


# %% Positions do not multiply exercise="local-params" expect=["local-params-locally-connected-counted-as-shared"]
def local_params(c_in, kh, kw, oh, ow, bias=True):
    one_unit = kh * kw * c_in
    if bias:
        one_unit = one_unit + 1
    return one_unit


# %% One bias at the end exercise="local-params" expect=["local-params-one-bias-for-the-locally-connected-layer"]
def local_params(c_in, kh, kw, oh, ow, bias=True):
    return c_in * kh * kw * oh * ow + int(bias)


# %% Biases never counted exercise="local-params" expect=["rule:parameter:bias"]
def local_params(c_in, kh, kw, oh, ow, bias=True):
    return c_in * kh * kw * oh * ow


# %% Square kernels only exercise="conv-params" expect=["conv-params-kernel-counted-as-square"]
def conv_params(c_in, c_out, kh, kw, bias=True):
    weights = c_in * kh**2 * c_out
    return weights + c_out if bias else weights


# %% Bias per slice exercise="conv-params" expect=["conv-params-a-bias-for-each-input-channel"]
def conv_params(c_in, c_out, kh, kw, bias=True):
    total = 0
    for _ in range(c_out):
        for _ in range(c_in):
            total += kh * kw
            if bias:
                total += 1
    return total


# %% Kernel mirrored by indexing backwards exercise="xcorr2d" expect=["xcorr2d-kernel-flipped-on-both-axes"]
def xcorr2d(image, kernel):
    kh, kw = kernel.shape
    out = np.zeros((image.shape[0] - kh + 1, image.shape[1] - kw + 1))
    for m in range(kh):
        for n in range(kw):
            out += kernel[kh - 1 - m, kw - 1 - n] * image[m : m + len(out), n : n + len(out[0])]
    return out


# %% Upside down exercise="xcorr2d" expect=["none", "rule:raised"]
def xcorr2d(image, kernel):
    turned = kernel[::-1]
    views = np.lib.stride_tricks.sliding_window_view(image, turned.shape)
    return np.einsum("abmn,mn->ab", views, turned)


# %% Averages exercise="xcorr2d" expect=["xcorr2d-mean-for-sum"]
def xcorr2d(image, kernel):
    views = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.tensordot(views, kernel, 2) / kernel.size


# %% Divided by nine exercise="xcorr2d" expect=["rule:factor"]
def xcorr2d(image, kernel):
    views = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.tensordot(views, kernel, 2) / 9


# %% range(H - KH) exercise="xcorr2d" expect=["xcorr2d-last-row-and-column-missing"]
def xcorr2d(image, kernel):
    rows = []
    for top in range(image.shape[0] - kernel.shape[0]):
        row = []
        for left in range(image.shape[1] - kernel.shape[1]):
            window = image[top : top + kernel.shape[0], left : left + kernel.shape[1]]
            row.append(float((window * kernel).sum()))
        rows.append(row)
    return np.array(rows)


# %% Same size, zeros around exercise="xcorr2d" expect=["xcorr2d-map-as-large-as-the-image"]
def xcorr2d(image, kernel):
    kh, kw = kernel.shape
    big = np.zeros((image.shape[0] + kh - 1, image.shape[1] + kw - 1))
    big[kh // 2 : kh // 2 + image.shape[0], kw // 2 : kw // 2 + image.shape[1]] = image
    out = np.zeros(image.shape)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = (big[i : i + kh, j : j + kw] * kernel).sum()
    return out


# %% Integers in, integers out exercise="xcorr2d" expect=["xcorr2d-result-stored-as-the-image-s-integers"]
def xcorr2d(image, kernel):
    kh, kw = kernel.shape
    out = np.empty_like(image[kh - 1 :, kw - 1 :])
    for i, j in np.ndindex(out.shape):
        out[i, j] = np.vdot(image[i : i + kh, j : j + kw], kernel)
    return out


# %% Results rounded exercise="xcorr2d" expect=["rule:truncated"]
def xcorr2d(image, kernel):
    kh, kw = kernel.shape
    out = np.zeros((image.shape[0] - kh + 1, image.shape[1] - kw + 1))
    for i, j in np.ndindex(out.shape):
        out[i, j] = round(float(np.vdot(image[i : i + kh, j : j + kw], kernel)))
    return out


# %% Printed only exercise="xcorr2d" expect=["xcorr2d-the-function-prints-and-returns-nothing", "rule:none"]
def xcorr2d(image, kernel):
    kh, kw = kernel.shape
    for i in range(image.shape[0] - kh + 1):
        print([float(np.sum(image[i : i + kh, j : j + kw] * kernel)) for j in range(image.shape[1] - kw + 1)])


# %% Kernel's rows for columns exercise="xcorr2d" expect=["xcorr2d-kernel-transposed"]
def xcorr2d(image, kernel):
    k = np.swapaxes(kernel, 0, 1)
    rows, columns = k.shape
    return np.array(
        [
            [np.sum(k * image[r : r + rows, c : c + columns]) for c in range(image.shape[1] - columns + 1)]
            for r in range(image.shape[0] - rows + 1)
        ]
    )


# %% Only the last patch exercise="xcorr2d" expect=["rule:shape"]
def xcorr2d(image, kernel):
    kh, kw = kernel.shape
    for i in range(image.shape[0] - kh + 1):
        for j in range(image.shape[1] - kw + 1):
            out = np.sum(image[i : i + kh, j : j + kw] * kernel)
    return out


# %% Average and upside down exercise="xcorr2d" expect=["none", "rule:raised"]
def xcorr2d(image, kernel):
    views = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.mean(views * kernel[::-1], axis=(2, 3)) + 1


# %% Turned and averaged exercise="xcorr2d" expect=["xcorr2d-kernel-flipped-on-both-axes+xcorr2d-mean-for-sum"]
def xcorr2d(image, kernel):
    kh, kw = kernel.shape
    k = np.rot90(kernel, 2)
    result = np.zeros((len(image) - kh + 1, len(image[0]) - kw + 1))
    for i, j in np.ndindex(result.shape):
        result[i, j] = (image[i : i + kh, j : j + kw] * k).sum() / (kh * kw)
    return result


# %% Average kernel and wrong width exercise="q-cross" expect=["q-cross-the-kernel-taken-for-an-average"]
q_constant = 100.0
q_width = 2 * 3


# %% Only the constant wrong exercise="q-cross" expect=["q-cross-the-kernel-taken-for-an-average"]
q_constant = 100
q_width = 7


# %% Flipped left and right only exercise="convolve2d" expect=["none", "rule:raised"]
def convolve2d(image, kernel):
    return xcorr2d(image, np.fliplr(kernel))


# %% Straight to correlation exercise="convolve2d" expect=["convolve2d-no-flip-at-all"]
def convolve2d(image, kernel):
    return xcorr2d(image, kernel)


# %% Rows backwards exercise="convolve2d" expect=["convolve2d-only-rows-flipped"]
def convolve2d(image, kernel):
    return xcorr2d(image, np.flipud(kernel))


# %% Image turned in place of the kernel exercise="convolve2d" expect=["rule:flipped", "convolve2d-the-result-flipped-as-well"]
def convolve2d(image, kernel):
    return xcorr2d(np.flip(image), kernel)


# %% Transposed twice wrong exercise="convolve2d" expect=["convolve2d-transposed-for-flipped"]
def convolve2d(image, kernel):
    return xcorr2d(image, np.swapaxes(kernel, 0, 1))


# %% Mirror test exercise="flip-matters" expect=["flip-matters-only-left-and-right-compared"]
def flip_matters(kernel):
    return bool((np.fliplr(kernel) != kernel).any())


# %% Says when it is the same exercise="flip-matters" expect=["flip-matters-the-answer-negated"]
def flip_matters(kernel):
    rows, columns = kernel.shape
    for m in range(rows):
        for n in range(columns):
            if kernel[m, n] != kernel[rows - 1 - m, columns - 1 - n]:
                return False
    return True


# %% Always exercise="flip-matters" expect=["none", "rule:constant"]
def flip_matters(kernel):
    return True


# %% Largest weight exercise="normalised" expect=["none", "rule:factor"]
def normalised(kernel):
    if kernel.sum() == 0:
        raise ValueError
    return kernel / kernel.max()


# %% Absolute sum exercise="normalised" expect=["normalised-divided-by-the-sum-of-absolute-values"]
def normalised(kernel):
    total, plain = 0.0, 0.0
    for weight in kernel.ravel():
        total += abs(weight)
        plain += weight
    if plain == 0:
        raise ValueError("zero")
    return kernel / total


# %% Never refuses exercise="normalised" expect=["normalised-no-error-for-a-zero-sum", "rule:no-error"]
def normalised(kernel):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.divide(kernel, np.sum(kernel))


# %% Another exception exercise="normalised" expect=["rule:raised", "none"]
def normalised(kernel):
    if kernel.sum() == 0:
        raise ZeroDivisionError("sum is zero")
    return kernel / kernel.sum()


# %% Prewitt, not scaled exercise="slope-kernel" expect=["none"]
def slope_kernel():
    return np.array([[-1, 0, 1]] * 3)


# %% Sobel as everyone knows it exercise="slope-kernel" expect=["slope-kernel-sobel-not-scaled"]
def slope_kernel():
    return np.outer([1, 2, 1], [-1, 0, 1])


# %% Edges both mixed up exercise="q-match" expect=["q-match-left-and-right-edges-confused+q-match-cross-taken-for-sharpen"]
q_match = dict(A="right", B="sharpen", C="outline", D="down", E="cross", F="left", G="blur")


# %% Left and right exchanged exercise="q-match" expect=["q-match-left-and-right-edges-confused"]
q_match = dict(zip("ABCDEFG", ["right", "cross", "outline", "down", "sharpen", "left", "blur"]))


# %% Six loops without stride exercise="conv2d-forward" expect=["conv2d-forward-stride-ignored"]
def conv2d_forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    big = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    big[:, :, padding : padding + H, padding : padding + W] = x
    out = np.zeros((N, F, big.shape[2] - KH + 1, big.shape[3] - KW + 1))
    for n in range(N):
        for f in range(F):
            for i in range(out.shape[2]):
                for j in range(out.shape[3]):
                    out[n, f, i, j] = np.sum(big[n, :, i : i + KH, j : j + KW] * w[f]) + b[f]
    return out


# %% Padding never used exercise="conv2d-forward" expect=["conv2d-forward-padding-ignored"]
def conv2d_forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    F, _, KH, KW = w.shape
    OH, OW = (H - KH) // stride + 1, (W - KW) // stride + 1
    out = np.zeros((N, F, OH, OW))
    for i in range(OH):
        for j in range(OW):
            part = x[:, :, i * stride : i * stride + KH, j * stride : j * stride + KW]
            out[:, :, i, j] = np.tensordot(part, w, ([1, 2, 3], [1, 2, 3])) + b
    return out


# %% No bias at all exercise="conv2d-forward" expect=["conv2d-forward-bias-left-out-of-the-layer"]
def conv2d_forward(x, w, b, stride=1, padding=0):
    p = padding
    x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    N, F, KH, KW = len(x), len(w), w.shape[2], w.shape[3]
    OH, OW = (x.shape[2] - KH) // stride + 1, (x.shape[3] - KW) // stride + 1
    out = np.zeros((N, F, OH, OW))
    for i in range(OH):
        for j in range(OW):
            part = x[:, :, i * stride : i * stride + KH, j * stride : j * stride + KW]
            out[:, :, i, j] = np.tensordot(part, w, ([1, 2, 3], [1, 2, 3]))
    return out


# %% Bias inside the channel loop exercise="conv2d-forward" expect=["conv2d-forward-bias-added-for-every-channel"]
def conv2d_forward(x, w, b, stride=1, padding=0):
    p = padding
    x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    N, C = x.shape[:2]
    F, _, KH, KW = w.shape
    OH, OW = (x.shape[2] - KH) // stride + 1, (x.shape[3] - KW) // stride + 1
    out = np.zeros((N, F, OH, OW))
    for n in range(N):
        for f in range(F):
            for c in range(C):
                for i in range(OH):
                    for j in range(OW):
                        top, left = i * stride, j * stride
                        out[n, f, i, j] += (x[n, c, top : top + KH, left : left + KW] * w[f, c]).sum() + b[f]
    return out


# %% Stride for the rows alone exercise="conv2d-forward" expect=["conv2d-forward-stride-on-rows-only"]
def conv2d_forward(x, w, b, stride=1, padding=0):
    p = padding
    x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    N, F, KH, KW = len(x), len(w), w.shape[2], w.shape[3]
    OH, OW = (x.shape[2] - KH) // stride + 1, x.shape[3] - KW + 1
    out = np.zeros((N, F, OH, OW))
    for i in range(OH):
        for j in range(OW):
            part = x[:, :, i * stride : i * stride + KH, j : j + KW]
            out[:, :, i, j] = np.tensordot(part, w, ([1, 2, 3], [1, 2, 3])) + b
    return out


# %% Padded with ones exercise="conv2d-forward" expect=["rule:border", "rule:parameter:padding"]
def conv2d_forward(x, w, b, stride=1, padding=0):
    p = padding
    x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)], constant_values=1)
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    v = v[:, :, ::stride, ::stride]
    return np.tensordot(v, w, ([1, 4, 5], [1, 2, 3])).transpose(0, 3, 1, 2) + b.reshape(1, -1, 1, 1)


# %% Filters behind exercise="conv2d-forward" expect=["rule:transposed", "rule:shape"]
def conv2d_forward(x, w, b, stride=1, padding=0):
    p = padding
    x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    v = v[:, :, ::stride, ::stride]
    return np.tensordot(v, w, ([1, 4, 5], [1, 2, 3])) + b


# %% Stride squared exercise="conv2d-forward" expect=["rule:parameter:stride"]
def conv2d_forward(x, w, b, stride=1, padding=0):
    p = padding
    x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    v = v[:, :, :: stride * stride, :: stride * stride]
    return np.einsum("nchwkl,fckl->nfhw", v, w) + b[:, None, None]


# %% No stride and no bias exercise="conv2d-forward" expect=["conv2d-forward-stride-ignored+conv2d-forward-bias-left-out-of-the-layer"]
def conv2d_forward(x, w, b, stride=1, padding=0):
    p = padding
    x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    N, F, KH, KW = len(x), len(w), w.shape[2], w.shape[3]
    OH, OW = x.shape[2] - KH + 1, x.shape[3] - KW + 1
    out = np.zeros((N, F, OH, OW))
    for i in range(OH):
        for j in range(OW):
            out[:, :, i, j] = np.tensordot(x[:, :, i : i + KH, j : j + KW], w, ([1, 2, 3], [1, 2, 3]))
    return out


# %% No padding and first bias for all exercise="conv2d-forward" expect=["conv2d-forward-padding-ignored+conv2d-forward-first-bias-for-all-filters"]
def conv2d_forward(x, w, b, stride=1, padding=0):
    N, F, KH, KW = len(x), len(w), w.shape[2], w.shape[3]
    OH, OW = (x.shape[2] - KH) // stride + 1, (x.shape[3] - KW) // stride + 1
    out = np.full((N, F, OH, OW), float(b[0]))
    for i in range(OH):
        for j in range(OW):
            part = x[:, :, i * stride : i * stride + KH, j * stride : j * stride + KW]
            out[:, :, i, j] += np.tensordot(part, w, ([1, 2, 3], [1, 2, 3]))
    return out


# %% Loop over the batch stops early exercise="conv2d-forward" expect=["rule:slice", "rule:shape", "rule:separated"]
def conv2d_forward(x, w, b, stride=1, padding=0):
    p = padding
    x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    N, F, KH, KW = len(x), len(w), w.shape[2], w.shape[3]
    OH, OW = (x.shape[2] - KH) // stride + 1, (x.shape[3] - KW) // stride + 1
    out = np.zeros((N, F, OH, OW))
    for i in range(OH):
        for j in range(OW):
            part = x[0, :, i * stride : i * stride + KH, j * stride : j * stride + KW]
            out[0, :, i, j] = np.tensordot(w, part, ([1, 2, 3], [0, 1, 2])) + b
    return out


# %% Bias counted without channels exercise="q-rgba" expect=["q-rgba-a-bias-for-each-rgba-channel"]
q_rgba_params = 4 * (5 * 5 + 1)


# %% Mixed up with the usual layer exercise="depthwise" expect=["depthwise-channels-summed-in-the-depthwise-layer", "rule:shape"]
def depthwise_forward(x, w, b):
    return conv2d_forward(x, w[None], b[:1])


# %% Same slice for all, by a loop exercise="depthwise" expect=["depthwise-first-slice-for-every-channel"]
def depthwise_forward(x, w, b):
    kernel = w[0]
    return np.array([[xcorr2d(m, kernel) + b[c] for c, m in enumerate(sample)] for sample in x])


# %% The bias multiplied exercise="depthwise" expect=["none"]
def depthwise_forward(x, w, b):
    return np.array([[xcorr2d(m, w[c]) * (1 + b[c]) for c, m in enumerate(sample)] for sample in x])


# %% Plain reshape exercise="relayout" expect=["relayout-reshaped-for-transposed"]
def relayout(array, source, target):
    sizes = dict(zip(source, array.shape))
    return np.reshape(array, [sizes[letter] if letter in sizes else 1 for letter in target])


# %% Rows for patches, with swapaxes exercise="im2col" expect=["im2col-patches-as-rows", "rule:transposed"]
def im2col(x, kh, kw, stride=1, padding=0):
    p = padding
    x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    rows = []
    for i in range(0, x.shape[2] - kh + 1, stride):
        for j in range(0, x.shape[3] - kw + 1, stride):
            rows.append(x[:, :, i : i + kh, j : j + kw].reshape(len(x), -1))
    return np.stack(rows, axis=1)


# %% Steps of one exercise="im2col" expect=["im2col-columns-without-stride"]
def im2col(x, kh, kw, stride=1, padding=0):
    p = padding
    x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    columns = []
    for i in range(x.shape[2] - kh + 1):
        for j in range(x.shape[3] - kw + 1):
            columns.append(x[:, :, i : i + kh, j : j + kw].reshape(len(x), -1))
    return np.stack(columns, axis=-1)


# %% Without the bias vector exercise="conv2d-im2col" expect=["conv2d-im2col-product-without-bias"]
def conv2d_im2col(x, w, b, stride=1, padding=0):
    cols = im2col(x, w.shape[2], w.shape[3], stride, padding)
    flat = np.tensordot(cols, w.reshape(len(w), -1), (1, 1)).transpose(0, 2, 1)
    oh = (x.shape[2] + 2 * padding - w.shape[2]) // stride + 1
    return flat.reshape(len(x), len(w), oh, -1)


# %% Average gap exercise="equivariance-gap" expect=["equivariance-gap-mean-difference"]
def equivariance_gap(operation, transform, image):
    first = operation(transform(image))
    second = transform(operation(image))
    return sum(abs(a - b) for a, b in zip(first.flat, second.flat)) / first.size


# %% Signed maximum exercise="equivariance-gap" expect=["equivariance-gap-no-absolute-values"]
def equivariance_gap(operation, transform, image):
    differences = operation(transform(image)) - transform(operation(image))
    return sorted(differences.flat)[-1]


# %% Squared gap exercise="equivariance-gap" expect=["none"]
def equivariance_gap(operation, transform, image):
    return ((operation(transform(image)) - transform(operation(image))) ** 2).max()


# %% Zoom believed equivariant exercise="q-equivariance" expect=["q-equivariance-turns-and-zooms-believed-equivariant"]
q_shift = "equivariant"
q_maximum = "invariant"
q_turn = "neither"
q_zoom = "equivariant"
q_pooled_zoom = "neither"
q_strided = 3


# %% Two slips of one student exercise="q-equivariance" expect=["q-equivariance-the-maximum-called-equivariant+q-equivariance-stride-forgotten-in-the-shift"]
q_shift = "equivariant"
q_maximum = "equivariant"
q_turn = "neither"
q_zoom = "neither"
q_pooled_zoom = "neither"
q_strided = 6


# %% Deep means three exercise="q-facts" expect=["q-facts-deep-counted-from-one-or-three"]
q_hierarchy = "B"
q_deep = 3
q_flip = "A"
q_unlearned = "pooling"
q_channels = "B"


# %% Sorted rows exercise="flatten" expect=["rule:reordered", "rule:separated"]
def flatten(x):
    return np.sort(x.reshape(len(x), -1))[:, ::-1]


# %% Bias per input, by a sum exercise="fc-params" expect=["fc-params-one-bias-an-input"]
def fc_params(input_shape, units, bias=True):
    d = 1
    for length in input_shape:
        d = d * length
    if not bias:
        return d * units
    return d * units + d


# %% Half a layer exercise="fully-connected" expect=["rule:factor"]
def fully_connected(x, weight, bias):
    return 0.5 * (x.dot(weight.T) + bias)


# %% Units shuffled exercise="permute-net" expect=["permute-net-rows-permuted", "rule:raised", "rule:shape", "none"]
def permute_net(w1, b1, w2, b2, order):
    return w1[order], b1, w2, b2


# %% Stride of a patch exercise="locally-connected" expect=["locally-connected-patches-that-do-not-overlap", "rule:raised"]
def locally_connected(image, weight, bias):
    oh, ow, kh, kw = weight.shape
    out = np.array(bias, dtype=float)
    for i in range(oh):
        for j in range(ow):
            patch = np.zeros((kh, kw))
            part = image[kh * i : kh * i + kh, kw * j : kw * j + kw]
            patch[: part.shape[0], : part.shape[1]] = part
            out[i, j] += np.vdot(patch, weight[i, j])
    return out


# %% Channels do not count exercise="local-params" expect=["local-params-patch-on-one-channel"]
def local_params(c_in, kh, kw, oh, ow, bias=True):
    per_unit = kh * kw
    per_unit += 1 if bias else 0
    return sum(per_unit for _ in range(oh) for _ in range(ow))


# %% Flat kernels exercise="conv-params" expect=["conv-params-kernel-without-depth"]
def conv_params(c_in, c_out, kh, kw, bias=True):
    n = kh * kw * c_out
    if bias:
        n += c_out
    return n


# %% Operations counted twice exercise="q-savings" expect=["q-savings-flops-instead-of-macs"]
q_local_macs = 2 * 9 * 40_000
q_conv_macs = 2 * 9 * 40_000
q_sharing_saves = "parameters"


# %% Absolute products exercise="xcorr2d" expect=["none", "rule:separated"]
def xcorr2d(image, kernel):
    kh, kw = kernel.shape
    out = np.zeros((image.shape[0] - kh + 1, image.shape[1] - kw + 1))
    for i, j in np.ndindex(out.shape):
        out[i, j] = abs(np.vdot(image[i : i + kh, j : j + kw], kernel))
    return out


# %% Mirror image of the kernel exercise="xcorr2d" expect=["xcorr2d-kernel-flipped-left-to-right"]
def xcorr2d(image, kernel):
    kh, kw = kernel.shape
    out = 0
    for m in range(kh):
        for n in range(kw):
            part = image[m : image.shape[0] - kh + 1 + m, n : image.shape[1] - kw + 1 + n]
            out = out + part * kernel[m, -1 - n]
    return out


# %% Twice as bright exercise="convolve2d" expect=["rule:factor"]
def convolve2d(image, kernel):
    return 2 * xcorr2d(image, np.flip(kernel))


# %% Normalised in the caller's hands exercise="normalised" expect=["normalised-normalised-in-place"]
def normalised(kernel):
    s = np.sum(kernel)
    if abs(s) < 1e-12:
        raise ValueError("no")
    result = kernel * (1 / s)
    for m in range(kernel.shape[0]):
        for n in range(kernel.shape[1]):
            kernel[m, n] = result[m, n]
    return result


# %% Bias twice exercise="conv2d-forward" expect=["rule:offset", "rule:separated", "rule:parameter"]
def conv2d_forward(x, w, b, stride=1, padding=0):
    p = padding
    x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    v = v[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v, w) + 2 * b.reshape(1, -1, 1, 1)


# %% Only the first channel, in loops exercise="conv2d-forward" expect=["conv2d-forward-first-channel-only"]
def conv2d_forward(x, w, b, stride=1, padding=0):
    p = padding
    x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    N, F, KH, KW = len(x), len(w), w.shape[2], w.shape[3]
    OH, OW = (x.shape[2] - KH) // stride + 1, (x.shape[3] - KW) // stride + 1
    out = np.zeros((N, F, OH, OW))
    for n, f, i, j in np.ndindex(N, F, OH, OW):
        top, left = i * stride, j * stride
        out[n, f, i, j] = np.vdot(x[n, 0, top : top + KH, left : left + KW], w[f, 0]) + b[f]
    return out


# %% Reflected at the border exercise="conv2d-forward" expect=["rule:border", "rule:parameter:padding", "rule:raised"]
def conv2d_forward(x, w, b, stride=1, padding=0):
    p = padding
    if p:
        x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)], mode="reflect")
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    v = v[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v, w) + b.reshape(1, -1, 1, 1)


# %% Flipped kernels and no bias exercise="conv2d-forward" expect=["conv2d-forward-kernels-flipped-in-the-layer+conv2d-forward-bias-left-out-of-the-layer"]
def conv2d_forward(x, w, b, stride=1, padding=0):
    p = padding
    x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    N, F, KH, KW = len(x), len(w), w.shape[2], w.shape[3]
    OH, OW = (x.shape[2] - KH) // stride + 1, (x.shape[3] - KW) // stride + 1
    out = np.zeros((N, F, OH, OW))
    k = np.flip(w, (2, 3))
    for i in range(OH):
        for j in range(OW):
            part = x[:, :, i * stride : i * stride + KH, j * stride : j * stride + KW]
            out[:, :, i, j] = np.tensordot(part, k, ([1, 2, 3], [1, 2, 3]))
    return out


# %% No bias channel by channel exercise="depthwise" expect=["depthwise-depthwise-bias-left-out"]
def depthwise_forward(x, w, b):
    return np.stack([[xcorr2d(m, k) for m, k in zip(sample, w)] for sample in x])


# %% The other way round exercise="relayout" expect=["relayout-inverse-transpose", "rule:raised", "rule:transposed", "none"]
def relayout(array, source, target):
    for letter in target:
        if letter not in source:
            array, source = np.expand_dims(array, 0), letter + source
    return array.transpose([target.index(letter) for letter in source])


# %% Squeezed patches exercise="im2col" expect=["rule:shape", "rule:reshaped"]
def im2col(x, kh, kw, stride=1, padding=0):
    p = padding
    x = np.pad(x, [(0, 0), (0, 0), (p, p), (p, p)])
    v = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, ::stride, ::stride]
    return v.transpose(0, 1, 4, 5, 2, 3)


# %% Operation first on both sides exercise="equivariance-gap" expect=["rule:zeros", "rule:constant", "none"]
def equivariance_gap(operation, transform, image):
    one = transform(operation(image))
    two = transform(operation(image.copy()))
    return np.abs(one - two).max()


# %% RGB still exercise="q-rgba" expect=["q-rgba-still-three-channels"]
q_rgba_params = 76
