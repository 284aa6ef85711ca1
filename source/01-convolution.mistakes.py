# %% The whole batch unrolled exercise="flatten"
# You unrolled the batch axis too. Each sample must keep a row of its own: only the axes after the first one are merged.
def flatten(x):
    return np.ravel(x)


# %% First axis fastest exercise="flatten"
# The numbers run in Fortran order, first axis fastest. Here the last axis runs fastest, which is NumPy's own order.
def flatten(x):
    return np.reshape(x, (len(x), -1), order="F")


# %% Channels moved last before unrolling exercise="flatten"
# You moved the channels to the end first. The order asked for is channel after channel, and rows within a channel.
def flatten(x):
    return np.moveaxis(x, 1, -1).reshape(len(x), -1)


# %% One row for each sample by ravel exercise="flatten" right=true
def flatten(x):
    return np.stack([sample.ravel() for sample in x])


# %% Bias forgotten exercise="fc-params"
# The argument bias has no effect: with biases, every unit learns one number more.
def fc_params(input_shape, units, bias=True):
    return int(np.prod(input_shape)) * units


# %% One bias for the whole layer exercise="fc-params"
# You counted a single bias for the whole layer. Every unit has one of its own.
def fc_params(input_shape, units, bias=True):
    return int(np.prod(input_shape)) * units + (1 if bias else 0)


# %% Channels not counted exercise="fc-params"
# Only rows and columns were counted. A colour image has a number for every channel at every pixel.
def fc_params(input_shape, units, bias=True):
    size = 1
    for length in input_shape[-2:]:
        size *= length
    return (size + (1 if bias else 0)) * units


# %% One bias an input exercise="fc-params"
# You counted a bias for each input. Biases belong to the units.
def fc_params(input_shape, units, bias=True):
    size = 1
    for length in input_shape:
        size *= length
    return size * units + (size if bias else 0)


# %% math.prod exercise="fc-params" right=true
import math


def fc_params(input_shape, units, bias=True):
    count = math.prod(input_shape) * units
    if bias:
        count += units
    return count


# %% The slide's two billion exercise="q-fc-cost"
# Two billion is the slide's rounding. Multiply the inputs by the units: 40,000 times 40,000 is not 2 billion.
q_gray_weights = 2_000_000_000
q_colour_params = 2_000_000_000


# %% Channels and biases left out of the colour count exercise="q-fc-cost"
# The colour image has three numbers for every pixel, and the count asked for includes one bias a unit.
q_gray_weights = 1_600_000_000
q_colour_params = 1_600_000_000


# %% Biases left out of the colour count exercise="q-fc-cost"
# The count asked for in colour includes the biases: one for each of the 40,000 units.
q_gray_weights = 1_600_000_000
q_colour_params = 4_800_000_000


# %% Weight not transposed exercise="fully-connected"
# Rows and columns of the weight are swapped: weight has one row for each unit, and x has one row for each sample.
def fully_connected(x, weight, bias):
    return x @ weight + bias


# %% Bias left out exercise="fully-connected"
# The bias is missing: each unit adds its own constant to its sum.
def fully_connected(x, weight, bias):
    return x @ weight.T


# %% One bias for all units exercise="fully-connected"
# Every unit got the first unit's bias.
def fully_connected(x, weight, bias):
    return x @ weight.T + bias[0]


# %% Written with einsum exercise="fully-connected" right=true
def fully_connected(x, weight, bias):
    return np.einsum("nd,ud->nu", x, weight) + np.asarray(bias)[None, :]


# %% Lists and loops exercise="fully-connected" right=true
def fully_connected(x, weight, bias):
    rows = []
    for sample in x:
        rows.append([sum(w * v for w, v in zip(row, sample)) + b for row, b in zip(weight, bias)])
    return rows


# %% Inverse order exercise="permute-net"
# You applied the inverse permutation. Shuffled pixel d is the old pixel order[d], so it needs the old weight of that pixel.
def permute_net(w1, b1, w2, b2, order):
    return w1[:, np.argsort(order)], b1, w2, b2


# %% Rows permuted exercise="permute-net"
# You reordered the rows of the first layer, which are units. Pixels correspond to its columns.
def permute_net(w1, b1, w2, b2, order):
    return w1[np.argsort(np.argsort(order))[: len(w1)]], b1, w2, b2


# %% Nothing rearranged exercise="permute-net"
# The parameters came back as they were. The weights must follow the pixels that they belong to.
def permute_net(w1, b1, w2, b2, order):
    return w1, b1, w2, b2


# %% Weights rearranged in place exercise="permute-net" covers=[24]
# You wrote the rearranged weights into the caller's array: the old network is lost. Return a new array.
def permute_net(w1, b1, w2, b2, order):
    w1[:] = w1[:, order]
    return w1, b1, w2, b2


# %% np.take exercise="permute-net" right=true
def permute_net(w1, b1, w2, b2, order):
    return np.take(w1, order, axis=1), b1.copy(), w2.copy(), b2.copy()


# %% A permutation matrix exercise="permute-net" right=true
def permute_net(w1, b1, w2, b2, order):
    matrix = np.eye(w1.shape[1])[order]
    return [w1 @ matrix.T, b1, w2, b2]


# %% Both layers cannot notice exercise="q-permutation"
# A convolution looks at neighbours, and shuffling gives each pixel new ones: no rearranged kernel makes up for that.
q_permutation = "both"
q_locality = "about 0"


# %% Neither layer exercise="q-permutation"
# Each column of the fully connected weight belongs to one pixel and can move with it.
q_permutation = "neither"
q_locality = "about 0"


# %% Shuffled neighbours believed alike exercise="q-permutation"
# A random order gives each pixel a neighbour from anywhere in the image: nothing ties their values any more.
q_permutation = "fully connected"
q_locality = "still close to 1"


# %% First unit's weights everywhere exercise="locally-connected"
# All units used the weights of the first. In a locally connected layer every position has weights of its own.
def locally_connected(image, weight, bias):
    oh, ow, kh, kw = weight.shape
    out = np.zeros((oh, ow)) + bias
    for i in range(oh):
        for j in range(ow):
            out[i, j] += np.sum(image[i : i + kh, j : j + kw] * weight[0, 0])
    return out


# %% No biases exercise="locally-connected"
# The biases are missing: each position adds its own.
def locally_connected(image, weight, bias):
    oh, ow, kh, kw = weight.shape
    out = np.zeros((oh, ow))
    for i in range(oh):
        for j in range(ow):
            out[i, j] = np.sum(image[i : i + kh, j : j + kw] * weight[i, j])
    return out


# %% Patches that do not overlap exercise="locally-connected"
# Your patches lie side by side. Neighbouring units look at patches that are one pixel apart and overlap.
def locally_connected(image, weight, bias):
    oh, ow, kh, kw = weight.shape
    image = np.pad(image, ((0, oh * kh), (0, ow * kw)))
    out = np.zeros((oh, ow)) + bias
    for i in range(oh):
        for j in range(ow):
            out[i, j] += np.sum(image[i * kh : i * kh + kh, j * kw : j * kw + kw] * weight[i, j])
    return out


# %% One unit at a time exercise="locally-connected" right=true
def locally_connected(image, weight, bias):
    oh, ow, kh, kw = weight.shape
    out = np.zeros((oh, ow))
    for i in range(oh):
        for j in range(ow):
            out[i, j] = np.sum(image[i : i + kh, j : j + kw] * weight[i, j]) + bias[i, j]
    return out


# %% Windows and einsum exercise="locally-connected" right=true
def locally_connected(image, weight, bias):
    windows = np.lib.stride_tricks.sliding_window_view(image, weight.shape[2:])
    return np.einsum("ijmn,ijmn->ij", windows, weight) + bias


# %% Tiled inside the plane exercise="tie-weights"
# The kernel was repeated within its own rows and columns. The positions need two axes of their own, in front.
def tie_weights(kernel, bias, oh, ow):
    return np.tile(kernel, (oh, ow)), np.full((oh, ow), bias)


# %% Position axes swapped exercise="tie-weights" covers=[17]
# Rows and columns of the positions are swapped: oh comes first.
def tie_weights(kernel, bias, oh, ow):
    return np.tile(kernel, (ow, oh, 1, 1)), np.full((ow, oh), bias)


# %% Bias cut to an integer exercise="tie-weights" covers=[23]
# The biases were stored as integers, so their fractions are gone.
def tie_weights(kernel, bias, oh, ow):
    biases = np.zeros((oh, ow), dtype=int)
    biases[:] = bias
    return np.tile(kernel, (oh, ow, 1, 1)), biases


# %% A view by broadcasting exercise="tie-weights" right=true
def tie_weights(kernel, bias, oh, ow):
    return np.broadcast_to(kernel, (oh, ow, *kernel.shape)), bias * np.ones((oh, ow))


# %% Locally connected counted as shared exercise="local-params" covers=[32]
# That is the count of a convolution. Locally connected units share nothing: every position has its own weights and bias.
def local_params(c_in, kh, kw, oh, ow, bias=True):
    return c_in * kh * kw + (1 if bias else 0)


# %% One bias for the locally connected layer exercise="local-params"
# Every position has its own bias, not only its own weights.
def local_params(c_in, kh, kw, oh, ow, bias=True):
    return oh * ow * c_in * kh * kw + (1 if bias else 0)


# %% Patch on one channel exercise="local-params"
# A patch spans all channels: local in height and width, full in depth.
def local_params(c_in, kh, kw, oh, ow, bias=True):
    return oh * ow * (kh * kw + (1 if bias else 0))


# %% Kernel counted as square exercise="conv-params" covers=[20]
# You used the kernel's height for both sides. Kernels may be rectangular.
def conv_params(c_in, c_out, kh, kw, bias=True):
    return c_out * (c_in * kh * kh + (1 if bias else 0))


# %% Kernel without depth exercise="conv-params"
# A kernel has a slice for each input channel; you counted one slice.
def conv_params(c_in, c_out, kh, kw, bias=True):
    return c_out * (kh * kw + (1 if bias else 0))


# %% A bias for each input channel exercise="conv-params" covers=[9]
# A kernel has one bias, however many channels it reads.
def conv_params(c_in, c_out, kh, kw, bias=True):
    return c_out * c_in * (kh * kw + (1 if bias else 0))


# %% Sharing believed to save computation exercise="q-savings"
# The shared kernel is used at every one of the 40,000 positions: nine multiplications each, as before.
q_local_macs = 360_000
q_conv_macs = 9
q_sharing_saves = "both"


# %% FLOPs instead of MACs exercise="q-savings"
# One multiply-add counts once. You counted multiplications and additions apart.
q_local_macs = 720_000
q_conv_macs = 720_000
q_sharing_saves = "parameters"


# %% Computation named as what sharing saves exercise="q-savings"
# Compare your two counts: the computation is the same. What shrinks is the number of weights to learn.
q_local_macs = 360_000
q_conv_macs = 360_000
q_sharing_saves = "computation"


# %% Kernel flipped on both axes exercise="xcorr2d" covers=[1]
# You flipped the kernel: that is true convolution. Cross-correlation slides it as it is.
def xcorr2d(image, kernel):
    kernel = kernel[::-1, ::-1]
    kh, kw = kernel.shape
    oh, ow = image.shape[0] - kh + 1, image.shape[1] - kw + 1
    out = np.zeros((oh, ow))
    for i in range(oh):
        for j in range(ow):
            out[i, j] = np.sum(image[i : i + kh, j : j + kw] * kernel)
    return out


# %% Kernel flipped left to right exercise="xcorr2d" covers=[2]
# The kernel is mirrored left to right. Cross-correlation slides it as it is.
def xcorr2d(image, kernel):
    kh, kw = kernel.shape
    oh, ow = image.shape[0] - kh + 1, image.shape[1] - kw + 1
    out = np.zeros((oh, ow))
    for i in range(oh):
        for j in range(ow):
            out[i, j] = np.sum(image[i : i + kh, j : j + kw] * kernel[:, ::-1])
    return out


# %% Kernel transposed exercise="xcorr2d" covers=[3]
# Rows and columns of the kernel are swapped.
def xcorr2d(image, kernel):
    kernel = kernel.T
    kh, kw = kernel.shape
    oh, ow = image.shape[0] - kh + 1, image.shape[1] - kw + 1
    out = np.zeros((oh, ow))
    for i in range(oh):
        for j in range(ow):
            out[i, j] = np.sum(image[i : i + kh, j : j + kw] * kernel)
    return out


# %% Mean for sum exercise="xcorr2d" covers=[7]
# You averaged the products. They are added up.
def xcorr2d(image, kernel):
    kh, kw = kernel.shape
    oh, ow = image.shape[0] - kh + 1, image.shape[1] - kw + 1
    out = np.zeros((oh, ow))
    for i in range(oh):
        for j in range(ow):
            out[i, j] = np.mean(image[i : i + kh, j : j + kw] * kernel)
    return out


# %% Last row and column missing exercise="xcorr2d" covers=[15]
# The last position is missing in both directions: from 0 to H − KH there are H − KH + 1 positions.
def xcorr2d(image, kernel):
    kh, kw = kernel.shape
    oh, ow = image.shape[0] - kh, image.shape[1] - kw
    out = np.zeros((oh, ow))
    for i in range(oh):
        for j in range(ow):
            out[i, j] = np.sum(image[i : i + kh, j : j + kw] * kernel)
    return out


# %% Width computed from the height exercise="xcorr2d" covers=[16]
# The number of columns was computed from the image's height.
def xcorr2d(image, kernel):
    kh, kw = kernel.shape
    oh, ow = image.shape[0] - kh + 1, image.shape[0] - kw + 1
    out = np.zeros((oh, ow))
    for i in range(oh):
        for j in range(ow):
            out[i, j] = np.sum(image[i : i + kh, j : j + kw] * kernel)
    return out


# %% Square kernel assumed exercise="xcorr2d" covers=[20]
# You used the kernel's height for both sides. Kernels may be rectangular.
def xcorr2d(image, kernel):
    k = kernel.shape[0]
    oh, ow = image.shape[0] - k + 1, image.shape[1] - k + 1
    out = np.zeros((oh, ow))
    for i in range(oh):
        for j in range(ow):
            out[i, j] = np.sum(image[i : i + k, j : j + k] * kernel)
    return out


# %% Result stored as the image's integers exercise="xcorr2d" covers=[23]
# The result took over the image's integer type, so fractions were cut off.
def xcorr2d(image, kernel):
    kh, kw = kernel.shape
    oh, ow = image.shape[0] - kh + 1, image.shape[1] - kw + 1
    out = np.zeros((oh, ow), dtype=image.dtype)
    for i in range(oh):
        for j in range(ow):
            out[i, j] = np.sum(image[i : i + kh, j : j + kw] * kernel)
    return out


# %% Map as large as the image exercise="xcorr2d"
# You padded the image, so the map is as large as it. Here only positions count where the kernel lies wholly inside.
def xcorr2d(image, kernel):
    kh, kw = kernel.shape
    padded = np.pad(image, ((kh // 2, (kh - 1) // 2), (kw // 2, (kw - 1) // 2)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
    return (windows * kernel).sum((2, 3))


# %% Kernel size fixed at three exercise="xcorr2d" covers=[25]
# The size 3 comes from a variable outside the function. It has to come from the kernel that is passed in.
KERNEL_SIZE = 3


def xcorr2d(image, kernel):
    oh, ow = image.shape[0] - KERNEL_SIZE + 1, image.shape[1] - KERNEL_SIZE + 1
    out = np.zeros((oh, ow))
    for i in range(oh):
        for j in range(ow):
            out[i, j] = np.sum(image[i : i + KERNEL_SIZE, j : j + KERNEL_SIZE] * kernel)
    return out


# %% The function prints and returns nothing exercise="xcorr2d"
# The function ends without a return, so the caller gets None.
def xcorr2d(image, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    print((windows * kernel).sum((2, 3)))


# %% Four loops over numbers exercise="xcorr2d" right=true
def xcorr2d(image, kernel):
    out = []
    for i in range(len(image) - len(kernel) + 1):
        row = []
        for j in range(len(image[0]) - len(kernel[0]) + 1):
            total = 0.0
            for m in range(len(kernel)):
                for n in range(len(kernel[0])):
                    total += image[i + m][j + n] * kernel[m][n]
            row.append(total)
        out.append(row)
    return out


# %% Sliding windows and tensordot exercise="xcorr2d" right=true
from numpy.lib.stride_tricks import sliding_window_view


def xcorr2d(image, kernel):
    return np.tensordot(sliding_window_view(image, kernel.shape), kernel, axes=((2, 3), (0, 1)))


# %% By the Fourier transform exercise="xcorr2d" right=true
def xcorr2d(image, kernel):
    shape = image.shape
    spectrum = np.fft.rfft2(image) * np.conj(np.fft.rfft2(kernel, shape))
    return np.fft.irfft2(spectrum, shape)[: shape[0] - kernel.shape[0] + 1, : shape[1] - kernel.shape[1] + 1]


# %% By the Fourier transform in single precision exercise="xcorr2d" right=true
def xcorr2d(image, kernel):
    image, kernel = np.float32(image), np.float32(kernel)
    spectrum = np.fft.rfft2(image) * np.conj(np.fft.rfft2(kernel, image.shape))
    full = np.fft.irfft2(spectrum, image.shape)
    return full[: image.shape[0] - kernel.shape[0] + 1, : image.shape[1] - kernel.shape[1] + 1]


# %% In single precision exercise="xcorr2d" right=true
def xcorr2d(image, kernel):
    image, kernel = np.asarray(image, dtype=np.float32), np.asarray(kernel, dtype=np.float32)
    kh, kw = kernel.shape
    out = np.zeros((image.shape[0] - kh + 1, image.shape[1] - kw + 1), dtype=np.float32)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = (image[i : i + kh, j : j + kw] * kernel).sum()
    return out


# %% With a helper and a closure exercise="xcorr2d" right=true
def windows_of(image, kh, kw):
    def at(i, j):
        return image[i : i + kh, j : j + kw]

    return at, image.shape[0] - kh + 1, image.shape[1] - kw + 1


def xcorr2d(image, kernel):
    at, oh, ow = windows_of(image, *kernel.shape)
    return np.array([[np.vdot(at(i, j), kernel) for j in range(ow)] for i in range(oh)])


# %% The kernel taken for an average exercise="q-cross"
# Add up the kernel's weights: they are more than 1. The radius leaves out the centre, the width counts it.
q_constant = 100
q_width = 6


# %% Radius doubled exercise="q-cross"
# Three columns on the left, three on the right, and the centre.
q_constant = 120
q_width = 6


# %% Only the arms added exercise="q-cross"
# The centre's weight counts too: four arms and the centre.
q_constant = 80
q_width = 7


# %% No flip at all exercise="convolve2d"
# That is cross-correlation. Convolution reads the kernel backwards on both axes.
def convolve2d(image, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows * kernel).sum((2, 3))


# %% Only rows flipped exercise="convolve2d" covers=[2]
# Only one axis is flipped. A turn by 180° flips both.
def convolve2d(image, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows * kernel[::-1]).sum((2, 3))


# %% Transposed for flipped exercise="convolve2d" covers=[3]
# A transpose mirrors the kernel about its diagonal. Convolution turns it by 180°.
def convolve2d(image, kernel):
    kernel = kernel.T
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows * kernel).sum((2, 3))


# %% The result flipped as well exercise="convolve2d"
# Your map comes out turned by 180°: you turned it as well, or the image in place of the kernel. Only the kernel is turned.
def convolve2d(image, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows * kernel[::-1, ::-1]).sum((2, 3))[::-1, ::-1]


# %% Kernel turned in the caller's array exercise="convolve2d" covers=[24]
# You wrote the turned kernel into the caller's array: a second call turns it back.
def convolve2d(image, kernel):
    kernel[:] = kernel[::-1, ::-1].copy()
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows * kernel).sum((2, 3))


# %% Two quarter turns exercise="convolve2d" right=true
def convolve2d(image, kernel):
    kernel = np.rot90(kernel, 2)
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.einsum("ijmn,mn->ij", windows, kernel)


# %% Full convolution by the Fourier transform, cropped exercise="convolve2d" right=true
def convolve2d(image, kernel):
    (h, w), (kh, kw) = image.shape, kernel.shape
    size = (h + kh - 1, w + kw - 1)
    full = np.fft.ifft2(np.fft.fft2(image, size) * np.fft.fft2(kernel, size)).real
    return full[kh - 1 : h, kw - 1 : w]


# %% Either flip is enough exercise="flip-matters"
# You asked about each flip alone. Convolution flips both axes at once, and a kernel can survive that without surviving either.
def flip_matters(kernel):
    return not (np.array_equal(kernel, kernel[::-1]) and np.array_equal(kernel, kernel[:, ::-1]))


# %% Only left and right compared exercise="flip-matters"
# You only mirrored left to right. Compare the kernel with itself turned by 180°.
def flip_matters(kernel):
    return not np.array_equal(kernel, kernel[:, ::-1])


# %% Compared with the transpose exercise="flip-matters"
# Symmetry about the diagonal is another property. Convolution turns the kernel by 180°.
def flip_matters(kernel):
    return not np.array_equal(kernel, kernel.T)


# %% The answer negated exercise="flip-matters"
# The answer is upside down: a kernel that equals its turned self cannot tell the two apart.
def flip_matters(kernel):
    return np.array_equal(kernel, np.rot90(kernel, 2))


# %% Any difference, as a NumPy bool exercise="flip-matters" right=true
def flip_matters(kernel):
    return np.any(kernel != np.flip(kernel))


# %% Tried on an impulse exercise="flip-matters" right=true
def flip_matters(kernel):
    kh, kw = kernel.shape
    spot = np.zeros((2 * kh - 1, 2 * kw - 1))
    spot[kh - 1, kw - 1] = 1
    return not np.allclose(xcorr2d(spot, kernel), convolve2d(spot, kernel))


# %% Divided by the sum of absolute values exercise="normalised"
# You divided by the sum of absolute values. A constant image is multiplied by the plain sum.
def normalised(kernel):
    if kernel.sum() == 0:
        raise ValueError("sum is 0")
    return kernel / np.abs(kernel).sum()


# %% Divided by the number of weights exercise="normalised"
# You divided by the number of weights. What matters is what they add up to.
def normalised(kernel):
    if kernel.sum() == 0:
        raise ValueError("sum is 0")
    return kernel / kernel.size


# %% No error for a zero sum exercise="normalised"
# Dividing by a sum of 0 gives infinities without an error; such a kernel has to be refused.
def normalised(kernel):
    with np.errstate(all="ignore"):
        return kernel / kernel.sum()


# %% Normalised in place exercise="normalised" covers=[24]
# You wrote into the caller's kernel. Return a new array.
def normalised(kernel):
    if kernel.sum() == 0:
        raise ValueError("sum is 0")
    scaled = kernel / kernel.sum()
    kernel[:] = scaled
    return scaled


# %% A zero sum left as it is exercise="normalised"
# A kernel whose weights sum to 0 cannot be normalised: the task asks for a ValueError.
def normalised(kernel):
    total = kernel.sum()
    return kernel / total if total else kernel


# %% Scaled by a factor exercise="normalised" right=true
def normalised(kernel):
    total = float(np.asarray(kernel, dtype=float).sum())
    if abs(total) < 1e-12:
        raise ValueError(f"cannot normalise a kernel of sum {total}")
    return (1.0 / total) * np.array(kernel, dtype=float)


# %% Slope to the left exercise="slope-kernel"
# Your kernel answers −1: it is written for true convolution, or measures the slope to the left.
def slope_kernel():
    return np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]]) / 8


# %% Sobel not scaled exercise="slope-kernel"
# The direction is right, the size is not: a slope of 1 has to give 1. Divide.
def slope_kernel():
    return np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])


# %% Slope downwards exercise="slope-kernel" covers=[3]
# Your kernel measures the slope downwards: it is turned by 90°.
def slope_kernel():
    return np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]]) / 8


# %% Right for slopes, wrong on constants exercise="slope-kernel"
# The weights do not sum to 0, so a constant image gets an answer, too.
def slope_kernel():
    return np.array([[0, 0, 0], [0, 0, 1], [0, 0, 0]])


# %% One plain difference exercise="slope-kernel" right=true
def slope_kernel():
    return [[0, 0, 0], [0, -1, 1], [0, 0, 0]]


# %% Left and right edges confused exercise="q-match"
# Look at the edge between the dark hair and the bright sky. Under "right" an image that brightens to the right gives a bright edge.
q_match = {"A": "right", "B": "cross", "C": "outline", "D": "down", "E": "sharpen", "F": "left", "G": "blur"}


# %% Cross taken for sharpen exercise="q-match"
# The cross kernel sums to 1.2: everything gets brighter, and a little softer. Sharpening leaves brightness alone.
q_match = {"A": "left", "B": "sharpen", "C": "outline", "D": "down", "E": "cross", "F": "right", "G": "blur"}


# %% Down taken for outline exercise="q-match"
# The outline kernel answers to edges in every direction; in one of your two images the upright edges are gone.
q_match = {"A": "left", "B": "cross", "C": "down", "D": "outline", "E": "sharpen", "F": "right", "G": "blur"}


# %% Kernels flipped in the layer exercise="conv2d-forward" covers=[1]
# Your layer convolves in the mathematical sense: it turns the kernels. A convolution layer slides them as they are.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v, w[:, :, ::-1, ::-1]) + b[:, None, None]


# %% Channels reversed exercise="conv2d-forward" covers=[4]
# The slices meet the channels in reverse order, as if RGB were BGR.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v, w[:, ::-1]) + b[:, None, None]


# %% Filter and channel axes swapped exercise="conv2d-forward" covers=[5]
# The first two axes of w are swapped: the first counts filters, the second input channels.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,cfkl->nfhw", v, w) + b[:, None, None]


# %% First channel only exercise="conv2d-forward" covers=[6]
# Only the first channel was used. A filter reads all channels and adds their maps.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nhwkl,fkl->nfhw", v[:, 0], w[:, 0]) + b[:, None, None]


# %% First slice for all channels exercise="conv2d-forward"
# Every channel met the filter's first slice. Weights are shared across positions, not across channels.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fkl->nfhw", v, w[:, 0]) + b[:, None, None]


# %% Channels averaged exercise="conv2d-forward" covers=[7]
# You averaged over the channels. Their maps are added.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v, w) / w.shape[1] + b[:, None, None]


# %% First filter only exercise="conv2d-forward"
# The result has one map. Each filter makes one.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v, w[:1]) + b[:1, None, None]


# %% First sample only exercise="conv2d-forward"
# Only the first image of the batch was computed.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    maps = np.einsum("chwkl,fckl->fhw", v[0], w) + b[:, None, None]
    return np.stack([maps] * len(x))


# %% Bias left out of the layer exercise="conv2d-forward" covers=[8]
# The bias is missing: each map adds its filter's.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v, w)


# %% Bias added for every channel exercise="conv2d-forward" covers=[9]
# The bias was added once for each channel. Add it once, after the channels are summed.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    out = 0
    for c in range(x.shape[1]):
        out = out + np.einsum("nhwkl,fkl->nfhw", v[:, c], w[:, c]) + b[:, None, None]
    return out


# %% First bias for all filters exercise="conv2d-forward" covers=[10]
# All maps got the first filter's bias.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v, w) + b[0]


# %% Bias spread along the columns exercise="conv2d-forward"
# The biases run along the columns of the maps. They belong to the filter axis.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    out = np.einsum("nchwkl,fckl->nfhw", v, w)
    return out + np.resize(b, out.shape[-1])


# %% Padded above and left only exercise="conv2d-forward" covers=[11]
# Zeros were added on one side only. Padding goes above and below, left and right.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, 0), (padding, 0)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v, w) + b[:, None, None]


# %% Batch and channels padded exercise="conv2d-forward" covers=[12]
# All four axes were padded: that invents images and channels. Only rows and columns get zeros.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, padding)
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v[:, : w.shape[1]], w) + b[:, None, None]


# %% Border pixels repeated exercise="conv2d-forward" covers=[13]
# The border was filled with copies of the edge pixels. The task asks for zeros.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), mode="edge")
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v, w) + b[:, None, None]


# %% Padding ignored exercise="conv2d-forward"
# The argument padding has no effect.
def conv2d_forward(x, w, b, stride=1, padding=0):
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v, w) + b[:, None, None]


# %% Size rounded up exercise="conv2d-forward" covers=[14]
# The size was rounded up: a last step that does not fit is not made. Round down.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    oh, ow = -(-(x.shape[2] - kh) // stride) + 1, -(-(x.shape[3] - kw) // stride) + 1
    x = np.pad(x, ((0, 0), (0, 0), (0, stride), (0, stride)))
    v = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v[:, :, :oh, :ow], w) + b[:, None, None]


# %% One position too few exercise="conv2d-forward" covers=[15]
# The last position is missing: divide the room to move by the stride, then add 1 for the start.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    oh, ow = (x.shape[2] - kh) // stride, (x.shape[3] - kw) // stride
    v = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v[:, :, :oh, :ow], w) + b[:, None, None]


# %% Columns counted from the rows exercise="conv2d-forward" covers=[16]
# The number of columns was computed from the image's height.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    oh, ow = (x.shape[2] - kh) // stride + 1, (x.shape[2] - kw) // stride + 1
    out = np.zeros((len(x), len(w), oh, ow))
    for i in range(oh):
        for j in range(ow):
            patch = x[:, None, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
            out[:, :, i, j] = (patch * w).sum((2, 3, 4)) + b
    return out


# %% Rows and columns of the kernel swapped exercise="conv2d-forward" covers=[17]
# Height and width of the kernel are swapped: w ends with KH, KW.
def conv2d_forward(x, w, b, stride=1, padding=0):
    w = w.transpose(0, 1, 3, 2)
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v, w) + b[:, None, None]


# %% Maps transposed exercise="conv2d-forward" covers=[17]
# Rows and columns of the maps are swapped: OH comes before OW.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfwh", v, w) + b[:, None, None]


# %% Stride ignored exercise="conv2d-forward" covers=[18]
# The argument stride has no effect.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    return np.einsum("nchwkl,fckl->nfhw", v, w) + b[:, None, None]


# %% Stride on rows only exercise="conv2d-forward" covers=[19]
# The stride moves the kernel down, but not to the right. It holds for both directions.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v, w) + b[:, None, None]


# %% Stride in the size but not in the start of the patch exercise="conv2d-forward"
# The shape is right, but the patches start one pixel apart. The patch of output (i, j) starts stride times further on.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    oh, ow = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    v = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, :oh, :ow]
    return np.einsum("nchwkl,fckl->nfhw", v, w) + b[:, None, None]


# %% Square kernel assumed in the layer exercise="conv2d-forward" covers=[20]
# You used the kernel's height for both sides. Kernels may be rectangular.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    k = w.shape[2]
    v = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v, w) + b[:, None, None]


# %% Stride taken for dilation exercise="conv2d-forward" covers=[21]
# The stride spreads the kernel's weights apart: that is dilation. Stride moves a dense kernel in larger steps.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = stride * (w.shape[2] - 1) + 1, stride * (w.shape[3] - 1) + 1
    v = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[..., ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v, w) + b[:, None, None]


# %% Kernel spread to K times stride exercise="conv2d-forward" covers=[21, 22]
# The kernel was spread out and given an extent of stride times K. Stride leaves the kernel dense: it covers K pixels.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = stride * w.shape[2], stride * w.shape[3]
    v = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[..., ::stride, ::stride]
    return np.einsum("nchwkl,fckl->nfhw", v, w) + b[:, None, None]


# %% Layer's result stored as integers exercise="conv2d-forward" covers=[23]
# The result took over the image's integer type, so fractions were cut off.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    maps = np.einsum("nchwkl,fckl->nfhw", v, w) + b[:, None, None]
    out = np.zeros(maps.shape, dtype=x.dtype)
    out[:] = maps
    return out


# %% Bias stored in the weights exercise="conv2d-forward" covers=[24]
# A call changes w, so the next call with the same array gives another result. Work on copies.
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    out = np.einsum("nchwkl,fckl->nfhw", v, w) + b[:, None, None]
    w *= 0
    return out


# %% Input centred in place exercise="conv2d-forward" covers=[24]
# A call changes x. The caller's image has to stay as it was.
def conv2d_forward(x, w, b, stride=1, padding=0):
    kept = x
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    out = np.einsum("nchwkl,fckl->nfhw", v, w) + b[:, None, None]
    kept -= kept.mean().astype(kept.dtype)
    return out


# %% Stride and padding from outside the function exercise="conv2d-forward" covers=[25]
# Stride and padding come from variables outside the function; its arguments have no effect.
STRIDE, PADDING = 1, 0


def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (PADDING, PADDING), (PADDING, PADDING)))
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::STRIDE, ::STRIDE]
    return np.einsum("nchwkl,fckl->nfhw", v, w) + b[:, None, None]


# %% Seven loops exercise="conv2d-forward" right=true
def conv2d_forward(x, w, b, stride=1, padding=0):
    N, C, H, W = x.shape
    F, C, KH, KW = w.shape
    OH = (H + 2 * padding - KH) // stride + 1
    OW = (W + 2 * padding - KW) // stride + 1
    out = np.zeros((N, F, OH, OW))
    for s in range(N):
        for f in range(F):
            for i in range(OH):
                for j in range(OW):
                    total = b[f]
                    for c in range(C):
                        for m in range(KH):
                            for n in range(KW):
                                row, column = i * stride + m - padding, j * stride + n - padding
                                if 0 <= row < H and 0 <= column < W:
                                    total += w[f, c, m, n] * x[s, c, row, column]
                    out[s, f, i, j] = total
    return out


# %% Patches and four loops, padded by hand exercise="conv2d-forward" right=true
def conv2d_forward(x, w, b, stride=1, padding=0):
    samples, channels, height, width = x.shape
    padded = np.zeros((samples, channels, height + 2 * padding, width + 2 * padding))
    padded[:, :, padding : padding + height, padding : padding + width] = x
    filters, _, kh, kw = w.shape
    oh = int(np.floor((height + 2 * padding - kh) / stride)) + 1
    ow = int(np.floor((width + 2 * padding - kw) / stride)) + 1
    out = np.empty((samples, filters, oh, ow))
    for s in range(samples):
        for f in range(filters):
            for i in range(oh):
                for j in range(ow):
                    top, left = i * stride, j * stride
                    out[s, f, i, j] = (padded[s, :, top : top + kh, left : left + kw] * w[f]).sum() + b[f]
    return out


# %% Built on xcorr2d exercise="conv2d-forward" right=true
def conv2d_forward(x, w, b, stride=1, padding=0):
    border = ((padding, padding), (padding, padding))
    return np.array([
        [
            sum(xcorr2d(np.pad(channel, border), kernel) for channel, kernel in zip(sample, filt))[::stride, ::stride] + bias
            for filt, bias in zip(w, b)
        ]
        for sample in x
    ])


# %% Sliding windows and einsum exercise="conv2d-forward" right=true
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)], mode="constant")
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    return np.einsum("nchwkl,fckl->nfhw", windows[:, :, ::stride, ::stride], w) + b.reshape(1, -1, 1, 1)


# %% Tensordot in single precision exercise="conv2d-forward" right=true
def conv2d_forward(x, w, b, stride=1, padding=0):
    x, w, b = x.astype(np.float32), w.astype(np.float32), b.astype(np.float32)
    x = np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))
    kh, kw = w.shape[2:]
    oh, ow = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    out = np.empty((len(x), len(w), oh, ow), dtype=np.float32)
    for i in range(oh):
        for j in range(ow):
            patch = x[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
            out[:, :, i, j] = np.tensordot(patch, w, axes=((1, 2, 3), (1, 2, 3))) + b
    return out


# %% By the Fourier transform, then every stride-th place exercise="conv2d-forward" right=true
def conv2d_forward(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    size = x.shape[2:]
    spectrum = np.einsum("nchw,fchw->nfhw", np.fft.fft2(x), np.conj(np.fft.fft2(w, size)))
    maps = np.fft.ifft2(spectrum).real[:, :, : size[0] - w.shape[2] + 1, : size[1] - w.shape[3] + 1]
    return maps[:, :, ::stride, ::stride] + b[None, :, None, None]


# %% A class behind the function exercise="conv2d-forward" right=true
class _Layer:
    def __init__(self, w, b, stride, padding):
        self.w, self.b, self.stride, self.padding = w, b, stride, padding

    def __call__(self, x):
        p, s = self.padding, self.stride
        x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        v = np.lib.stride_tricks.sliding_window_view(x, self.w.shape[2:], axis=(2, 3))[:, :, ::s, ::s]
        return np.moveaxis(np.tensordot(v, self.w, axes=((1, 4, 5), (1, 2, 3))) + self.b, 3, 1)


def conv2d_forward(x, w, b, stride=1, padding=0):
    return _Layer(w, b, stride, padding)(x)


# %% Still three channels exercise="q-rgba"
# 76 is the count for RGB. The opacity is a fourth channel and needs a slice of its own.
q_rgba_params = 76


# %% RGBA bias forgotten exercise="q-rgba"
# The bias is missing: the filter has one.
q_rgba_params = 100


# %% A bias for each RGBA channel exercise="q-rgba" covers=[9]
# One filter has one bias, not one for each channel.
q_rgba_params = 104


# %% Channels summed in the depthwise layer exercise="depthwise"
# You added the channels up: that is the full convolution. Depthwise keeps one map for each channel.
def depthwise_forward(x, w, b):
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[1:], axis=(2, 3))
    return np.einsum("nchwkl,ckl->nhw", v, w)[:, None] + b[:, None, None]


# %% First slice for every channel exercise="depthwise"
# All channels met the first slice. Each has weights of its own.
def depthwise_forward(x, w, b):
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[1:], axis=(2, 3))
    return np.einsum("nchwkl,kl->nchw", v, w[0]) + b[:, None, None]


# %% Depthwise bias left out exercise="depthwise" covers=[8]
# The biases are missing: one for each map.
def depthwise_forward(x, w, b):
    v = np.lib.stride_tricks.sliding_window_view(x, w.shape[1:], axis=(2, 3))
    return np.einsum("nchwkl,ckl->nchw", v, w)


# %% Channel by channel with xcorr2d exercise="depthwise" right=true
def depthwise_forward(x, w, b):
    return np.array([[xcorr2d(x[s, c], w[c]) + b[c] for c in range(len(w))] for s in range(len(x))])


# %% As a full convolution with a diagonal weight exercise="depthwise" right=true
def depthwise_forward(x, w, b):
    full = np.zeros((len(w), *w.shape))
    for c in range(len(w)):
        full[c, c] = w[c]
    return conv2d_forward(x, full, b)


# %% Different sums exercise="colour-pair"
# A shared slice sees the sum of the channels, and your images have different sums: it can tell them apart.
def colour_pair():
    first, second = np.zeros((3, 4, 4)), np.zeros((3, 4, 4))
    first[0], second[1] = 1.0, 2.0
    return first, second


# %% Difference in blue only exercise="colour-pair"
# The sums agree, but red minus green is the same in both images: only blue and an equal part of both differ.
def colour_pair():
    first, second = np.zeros((3, 4, 4)), np.zeros((3, 4, 4))
    first[:2], second[2] = 0.5, 1.0
    return first, second


# %% The same image twice exercise="colour-pair"
# Nothing can tell equal images apart, not even red minus green.
def colour_pair():
    image = np.random.default_rng(0).normal(size=(3, 4, 4))
    return image, image.copy()


# %% One pixel of difference exercise="colour-pair"
# Red minus green differs only near one pixel. It has to differ at every place of the map.
def colour_pair():
    first = np.zeros((3, 9, 9))
    second = first.copy()
    first[0, 0, 0] = second[1, 0, 0] = 1.0
    return first, second


# %% Random images with channels swapped exercise="colour-pair" right=true
def colour_pair():
    first = np.zeros((3, 5, 6))
    first[0], first[1], first[2] = 0.7, 0.2, 0.4
    return first, first[[1, 0, 2]]


# %% Reshaped for transposed exercise="relayout"
# You reshaped: the shape is right, the numbers are scrambled. Axes are moved by a transpose.
def relayout(array, source, target):
    sizes = dict(zip(source, array.shape))
    return array.reshape([sizes.get(letter, 1) for letter in target])


# %% Inverse transpose exercise="relayout"
# You gave np.transpose the inverse order: for each new axis it wants the place of the old one.
def relayout(array, source, target):
    for letter in target:
        if letter not in source:
            array, source = array[None], letter + source
    return np.transpose(array, [target.index(letter) for letter in source])


# %% No new batch axis exercise="relayout"
# A single image must become a batch of one: an axis that the source lacks has length 1.
def relayout(array, source, target):
    return np.transpose(array, [source.index(letter) for letter in target if letter in source])


# %% Last axis moved to the front exercise="relayout"
# You always move the last axis behind the first. That is right for NHWC only: read the letters.
def relayout(array, source, target):
    if array.ndim == 3:
        array = array[None]
    return np.moveaxis(array, -1, 1)


# %% Target always NCHW exercise="relayout"
# You read the source's letters only and always put the axes in the order NCHW. Read the target's too.
def relayout(array, source, target):
    order = "NCHW" if set(target) == set("NCHW") else "OIHW"
    for letter in order:
        if letter not in source:
            array, source = array[None], letter + source
    return np.transpose(array, [source.index(letter) for letter in order])


# %% With einsum exercise="relayout" right=true
def relayout(array, source, target):
    missing = [letter for letter in target if letter not in source]
    array = np.expand_dims(array, tuple(range(len(missing))))
    return np.einsum(f"{''.join(missing) + source}->{target}", array)


# %% With moveaxis exercise="relayout" right=true
def relayout(array, source, target):
    letters = list(source)
    for letter in target:
        if letter not in letters:
            array = np.expand_dims(array, -1)
            letters.append(letter)
    return np.moveaxis(array, range(len(letters)), [target.index(letter) for letter in letters])


# %% Patches as rows exercise="im2col"
# Patches are rows. They should be columns: the last two axes are swapped.
def im2col(x, kh, kw, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, ::stride, ::stride]
    n, c, oh, ow, _, _ = v.shape
    return v.transpose(0, 2, 3, 1, 4, 5).reshape(n, oh * ow, c * kh * kw)


# %% Windows reshaped without moving axes exercise="im2col"
# You reshaped without moving the axes first, so positions and places within the patch are mixed.
def im2col(x, kh, kw, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, ::stride, ::stride]
    n, c, oh, ow, _, _ = v.shape
    return v.reshape(n, c * kh * kw, oh * ow)


# %% Channels last within a column exercise="im2col"
# Within a column the channel runs fastest. It should run slowest: one channel's patch after the other's, as in w[f].ravel().
def im2col(x, kh, kw, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, ::stride, ::stride]
    n, c, oh, ow, _, _ = v.shape
    return v.transpose(0, 4, 5, 1, 2, 3).reshape(n, c * kh * kw, oh * ow)


# %% Positions column by column exercise="im2col" covers=[17]
# The positions run down the columns first. They run row by row: column i·OW + j is output (i, j).
def im2col(x, kh, kw, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, ::stride, ::stride]
    n, c, oh, ow, _, _ = v.shape
    return v.transpose(0, 1, 4, 5, 3, 2).reshape(n, c * kh * kw, oh * ow)


# %% Columns without stride exercise="im2col" covers=[18]
# The argument stride has no effect: a column for every position, not for every stride-th.
def im2col(x, kh, kw, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    n, c, oh, ow, _, _ = v.shape
    return v.transpose(0, 1, 4, 5, 2, 3).reshape(n, c * kh * kw, oh * ow)


# %% Windows, transposed exercise="im2col" right=true
def im2col(x, kh, kw, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    v = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, ::stride, ::stride]
    n, c, oh, ow, _, _ = v.shape
    return v.transpose(0, 1, 4, 5, 2, 3).reshape(n, c * kh * kw, oh * ow)


# %% One patch after the other exercise="im2col" right=true
def im2col(x, kh, kw, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    patches = []
    for i in range(0, x.shape[2] - kh + 1, stride):
        for j in range(0, x.shape[3] - kw + 1, stride):
            patches.append(x[:, :, i : i + kh, j : j + kw].reshape(len(x), -1))
    return np.stack(patches, axis=-1)


# %% Product without bias exercise="conv2d-im2col" covers=[8]
# The bias is missing: one for each row of the product.
def conv2d_im2col(x, w, b, stride=1, padding=0):
    f, _, kh, kw = w.shape
    oh = (x.shape[2] + 2 * padding - kh) // stride + 1
    return (w.reshape(f, -1) @ im2col(x, kh, kw, stride, padding)).reshape(len(x), f, oh, -1)


# %% Maps of the product transposed exercise="conv2d-im2col" covers=[17]
# The positions run row by row: reshape them to (OH, OW), not to (OW, OH).
def conv2d_im2col(x, w, b, stride=1, padding=0):
    f, _, kh, kw = w.shape
    ow = (x.shape[3] + 2 * padding - kw) // stride + 1
    maps = w.reshape(f, -1) @ im2col(x, kh, kw, stride, padding) + b[:, None]
    return maps.reshape(len(x), f, ow, -1)


# %% Filters in the wrong order exercise="conv2d-im2col"
# The weights were flattened in another order than the columns: w[f] unrolls channel by channel, row by row.
def conv2d_im2col(x, w, b, stride=1, padding=0):
    f, _, kh, kw = w.shape
    oh = (x.shape[2] + 2 * padding - kh) // stride + 1
    rows = w.transpose(0, 2, 3, 1).reshape(f, -1)
    return (rows @ im2col(x, kh, kw, stride, padding) + b[:, None]).reshape(len(x), f, oh, -1)


# %% Stride and padding not handed on exercise="conv2d-im2col" covers=[18]
# Stride and padding never reach im2col.
def conv2d_im2col(x, w, b, stride=1, padding=0):
    f, _, kh, kw = w.shape
    maps = w.reshape(f, -1) @ im2col(x, kh, kw) + b[:, None]
    return maps.reshape(len(x), f, x.shape[2] - kh + 1, -1)


# %% Columns and einsum exercise="conv2d-im2col" right=true
def conv2d_im2col(x, w, b, stride=1, padding=0):
    columns = im2col(x, w.shape[2], w.shape[3], stride=stride, padding=padding)
    maps = np.einsum("fk,nkp->nfp", w.reshape(len(w), -1), columns)
    oh = (x.shape[2] + 2 * padding - w.shape[2]) // stride + 1
    ow = (x.shape[3] + 2 * padding - w.shape[3]) // stride + 1
    return maps.reshape(len(x), len(w), oh, ow) + np.reshape(b, (1, -1, 1, 1))


# %% Invariance measured exercise="equivariance-gap"
# You compared with the operation's result on the original: that measures invariance. For equivariance the result is transformed, too.
def equivariance_gap(operation, transform, image):
    return np.abs(operation(transform(image)) - operation(image)).max()


# %% No absolute values exercise="equivariance-gap"
# Without absolute values negative differences are lost.
def equivariance_gap(operation, transform, image):
    return (operation(transform(image)) - transform(operation(image))).max()


# %% Mean difference exercise="equivariance-gap" covers=[7]
# You averaged the differences. The task asks for the largest one.
def equivariance_gap(operation, transform, image):
    return np.abs(operation(transform(image)) - transform(operation(image))).mean()


# %% Difference of the largest values exercise="equivariance-gap"
# You compared the two largest values. Compare place by place, then take the largest difference.
def equivariance_gap(operation, transform, image):
    return abs(operation(transform(image)).max() - transform(operation(image)).max())


# %% Both orders by name, a Python float exercise="equivariance-gap" right=true
def equivariance_gap(operation, transform, image):
    one_road = operation(transform(image.copy()))
    other_road = transform(operation(image.copy()))
    return float(np.linalg.norm((one_road - other_road).ravel(), ord=np.inf))


# %% Convolution called invariant exercise="q-equivariance"
# If the cat moves, the edges in the map move along: the map changes. Invariance would mean that it stays.
q_shift = "invariant"
q_maximum = "invariant"
q_turn = "neither"
q_zoom = "neither"
q_pooled_zoom = "neither"
q_strided = 3


# %% Turns and zooms believed equivariant exercise="q-equivariance"
# The Sobel kernel looks for upright edges of one scale. A turn makes other edges upright, a zoom changes the slopes.
q_shift = "equivariant"
q_maximum = "invariant"
q_turn = "equivariant"
q_zoom = "equivariant"
q_pooled_zoom = "neither"
q_strided = 3


# %% Zoom called invariant exercise="q-equivariance"
# The map of a larger image is another map, and not even a zoomed copy: slopes get flatter.
q_shift = "equivariant"
q_maximum = "invariant"
q_turn = "neither"
q_zoom = "invariant"
q_pooled_zoom = "neither"
q_strided = 3


# %% Pooling believed to make zooms harmless exercise="q-equivariance"
# Pooling forgives small shifts: where in the window the value stood. It does not undo a zoom.
q_shift = "equivariant"
q_maximum = "invariant"
q_turn = "neither"
q_zoom = "neither"
q_pooled_zoom = "invariant"
q_strided = 3


# %% Stride forgotten in the shift exercise="q-equivariance"
# With stride 2 one place of the map stands for two pixels of the image.
q_shift = "equivariant"
q_maximum = "invariant"
q_turn = "neither"
q_zoom = "neither"
q_pooled_zoom = "neither"
q_strided = 6


# %% The maximum called equivariant exercise="q-equivariance"
# The largest value is one number without a place: a shift cannot move it, and does not change it.
q_shift = "equivariant"
q_maximum = "equivariant"
q_turn = "neither"
q_zoom = "neither"
q_pooled_zoom = "neither"
q_strided = 3


# %% Hierarchies reserved for convolutions exercise="q-facts"
# Depth makes the hierarchy: each layer builds on the one before, in fully connected networks as well.
q_hierarchy = "A"
q_deep = 2
q_flip = "A"
q_unlearned = "pooling"
q_channels = "B"


# %% Deep counted from one or three exercise="q-facts"
# The course calls a network deep with more than one hidden layer.
q_hierarchy = "B"
q_deep = 3
q_flip = "A"
q_unlearned = "pooling"
q_channels = "B"


# %% Correlation and convolution never told apart exercise="q-facts"
# The maps of an asymmetric kernel differ. A learned kernel adapts; a given kernel and a gradient do not.
q_hierarchy = "B"
q_deep = 2
q_flip = "B"
q_unlearned = "pooling"
q_channels = "B"


# %% Weights shared across channels exercise="q-facts"
# Your own colour pair refutes it: each channel has a slice of its own. Sharing is across positions.
q_hierarchy = "B"
q_deep = 2
q_flip = "A"
q_unlearned = "pooling"
q_channels = "A"


# %% Convolution taken for a layer without weights exercise="q-facts"
# A convolution learns its kernels. A window's largest value or mean needs no learned number.
q_hierarchy = "B"
q_deep = 2
q_flip = "A"
q_unlearned = "convolution"
q_channels = "B"


# %% Equality has no order exercise="flip-matters" equivalent=true
# a equals b when b equals a.
# - return not np.array_equal(kernel, kernel[::-1, ::-1])
# + return not np.array_equal(kernel[::-1, ::-1], kernel)


# %% Close to zero from either side exercise="normalised" equivalent=true
# The relative tolerance then counts from the sum, which moves the limit of 1e-8 by one part in 100 000.
# - if np.isclose(total, 0):
# + if np.isclose(0, total):


# %% The heavy row may be any of the three exercise="slope-kernel" equivalent=true
# The exercise asks for the slope alone; which row smooths most is free.
# - return np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
# + return np.array([[-2, 0, 2], [-1, 0, 1], [-1, 0, 1]]) / 8
# + return np.array([[-1, 0, 1], [-1, 0, 1], [-2, 0, 2]]) / 8


# %% New axes on either side of a number exercise="depthwise" equivalent=true
# A number takes its axis away, so two new axes follow the channel's in both.
# - out += w[:, m, n, None, None] * x[:, :, m:m + oh, n:n + ow]
# + out += w[:, m, None, n, None] * x[:, :, m:m + oh, n:n + ow]


# %% Another pair of pictures that does the same exercise="colour-pair" equivalent=true
# Which picture comes first is free, and so is the colour, as long as red − green tells them apart.
# - red, green = (np.zeros((3, 4, 4)), np.zeros((3, 4, 4)))
# + green, red = (np.zeros((3, 4, 4)), np.zeros((3, 4, 4)))
# - red[0] = 1.0
# + red[-1] = 1.0
# - green[1] = 1.0
# + green[2] = 1.0
# - return (red, green)
# + return (green, red)


# %% A distance has no direction exercise="equivariance-gap" equivalent=true
# The absolute value forgets which one was subtracted.
# - return np.max(np.abs(operation(transform(image)) - transform(operation(image))))
# + return np.max(np.abs(transform(operation(image)) - operation(transform(image))))
