# %% Weights multiplied in the wrong order exercise="collapse"
# You multiplied the matrices in the order of the layers. Layer 1 acts on x first, so its matrix
# stands on the right.
def collapse(W1, b1, W2, b2):
    return W1 @ W2, W2 @ b1 + b2


# %% First bias dropped exercise="collapse"
# The first bias is lost. It is part of what the second layer gets, and goes through the second
# layer's weights.
def collapse(W1, b1, W2, b2):
    return W2 @ W1, b2.copy()


# %% Weights added instead of multiplied through exercise="collapse"
# You took the product transposed. For square layers the shape hides it: the result has to be (K,
# d), output axes first.
def collapse(W1, b1, W2, b2):
    return W1.T @ W2.T, W2 @ b1 + b2


# %% Read off from unit vectors exercise="collapse" right=true
def collapse(W1, b1, W2, b2):
    def both(x):
        return W2 @ (W1 @ x + b1) + b2

    b = both(np.zeros(W1.shape[1]))
    return np.stack([both(e) - b for e in np.eye(W1.shape[1])], axis=1), b


# %% Kernel sides added exercise="q-kernel"
# The sides do not add up: a k×k kernel reaches k - 1 pixels further than one pixel does. Add up the
# k - 1, then 1 for the pixel itself.
q_kernel = 11


# %% Largest kernel wins exercise="q-kernel"
# A later layer looks at outputs that have themselves looked around, so the field of view grows with
# every layer.
q_kernel = 5


# %% Only the form with e to the z exercise="sigmoid"
# For large z this form divides infinity by infinity, which is nan. Use the form whose exponent is
# not positive.
def sigmoid(z):
    return np.exp(z) / (1 + np.exp(z))


def sigmoid_grad(z):
    return sigmoid(z) * (1 - sigmoid(z))


# %% Inputs clipped to plus minus 20 exercise="sigmoid"
# You clip the input, so every z below the limit gives the same value. The sigmoid keeps falling
# like e^z; choose a form that needs no clipping.
def sigmoid(z):
    return 1 / (1 + np.exp(-np.clip(z, -20, 20)))


def sigmoid_grad(z):
    return sigmoid(z) * (1 - sigmoid(z))


# %% Result in the dtype of z exercise="sigmoid" covers=[23]
# The result array has the dtype of z. For integers NumPy cuts all decimals off: make a float array.
def sigmoid(z):
    result = np.empty_like(z)
    positive = z >= 0
    result[positive] = 1 / (1 + np.exp(-z[positive]))
    result[~positive] = np.exp(z[~positive]) / (1 + np.exp(z[~positive]))
    return result


def sigmoid_grad(z):
    return sigmoid(z) * (1 - sigmoid(z))


# %% z overwritten exercise="sigmoid" covers=[24]
# The function changes its argument. The caller still needs z: compute into a new array.
def sigmoid(z):
    values = 1 / (1 + np.exp(-np.abs(z)))
    if z.dtype.kind == "f":
        z[z < 0] = 0
        return np.where(z > 0, values, 1 - values)
    return np.where(z >= 0, values, 1 - values)


def sigmoid_grad(z):
    return sigmoid(z) * (1 - sigmoid(z))


# %% Derivative fed with sigma exercise="sigmoid"
# The derivative is s(1 - s) with s the sigmoid of z. You put z itself in the place of s.
def sigmoid(z):
    small = np.exp(-np.abs(z))  # in (0, 1]: never overflows
    return np.where(z >= 0, 1, small) / (1 + small)


def sigmoid_grad(z):
    return z * (1 - z)


# %% Derivative without the second factor exercise="sigmoid"
# The derivative of the sigmoid is the product of s and 1 - s; at 0 it is a quarter.
def sigmoid(z):
    small = np.exp(-np.abs(z))  # in (0, 1]: never overflows
    return np.where(z >= 0, 1, small) / (1 + small)


def sigmoid_grad(z):
    return 1 - sigmoid(z)


# %% The plain formula exercise="sigmoid" right=true
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_grad(z):
    return sigmoid(z) * (1 - sigmoid(z))


# %% With two masks exercise="sigmoid" right=true
def sigmoid(z):
    z = np.asarray(z, dtype=float)
    result = np.empty(z.shape)
    positive = z >= 0
    result[positive] = 1 / (1 + np.exp(-z[positive]))
    e = np.exp(z[~positive])
    result[~positive] = e / (1 + e)
    return result


def sigmoid_grad(z):
    return sigmoid(z) * sigmoid(-z)


# %% In the logarithm exercise="sigmoid" right=true
def sigmoid(z):
    return np.exp(-np.logaddexp(0, -z))


def sigmoid_grad(z):
    return sigmoid(z) * (1 - sigmoid(z))


# %% In float32 exercise="sigmoid" right=true
def sigmoid(z):
    small = np.exp(-np.abs(np.asarray(z, dtype=np.float32)))
    return np.where(np.asarray(z) >= 0, 1, small) / (1 + small)


def sigmoid_grad(z):
    return sigmoid(z) * (1 - sigmoid(z))


# %% Limit of the true tanh exercise="q-tanh"
# That is the limit of tanh. In the printed formula (A) the denominator grows without bound while
# the numerator tends to 1.
q_tanh_limit = 1
q_tanh_form = "-tanh(x)"


# %% Printed form believed exercise="q-tanh"
# Put x = 1 into formula (B): it is negative where tanh is positive.
q_tanh_limit = 0
q_tanh_form = "tanh(x)"


# %% Formula B as printed exercise="tanh"
# This is minus tanh. The sigmoid of 2z has to be doubled and 1 taken away, not the other way round.
def tanh(z):
    return 1 - 2 * sigmoid(2 * z)


def tanh_grad(z):
    return 1 - tanh(z) ** 2


# %% Formula A as printed exercise="tanh"
# The exponent in the denominator needs the same sign as the one in the numerator.
def tanh(z):
    return (1 - np.exp(-2 * z)) / (1 + np.exp(2 * z))


def tanh_grad(z):
    return 1 - tanh(z) ** 2


# %% Sigmoid of z instead of 2z exercise="tanh"
# This curve is too wide: it is tanh(z/2). tanh is the sigmoid squeezed to half the width, so the
# sigmoid's argument is 2z.
def tanh(z):
    return 2 * sigmoid(z) - 1


def tanh_grad(z):
    return 1 - tanh(z) ** 2


# %% Derivative with z for tanh exercise="tanh"
# The derivative is 1 - tanh²: square the value of tanh, not z.
def tanh(z):
    return 2 * sigmoid(2 * z) - 1


def tanh_grad(z):
    return 1 - z**2


# %% Sigmoid's derivative for tanh exercise="tanh"
# The chain rule brings two factors of 2: one from 2σ and one from the argument 2z.
def tanh(z):
    return 2 * sigmoid(2 * z) - 1


def tanh_grad(z):
    return sigmoid_grad(2 * z)


# %% With NumPy's tanh exercise="tanh" right=true
def tanh(z):
    return np.tanh(z)


def tanh_grad(z):
    return 4 * sigmoid_grad(2 * z)


# %% Slope 1 at the corner exercise="relu" covers=[56]
# At z = 0 this course takes the slope from the left, which is 0. Your comparison lets 0 through.
def relu(z):
    return np.maximum(z, 0)


def relu_grad(z):
    return (z >= 0).astype(float)


def leaky_relu(z, slope=0.01):
    return np.where(z > 0, z, slope * z)


def elu(z, alpha=1.0):
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def gelu(z):
    return z * (1 + erf(z / math.sqrt(2))) / 2


# %% Clipped in place exercise="relu" covers=[24]
# Setting the negative entries of z to 0 changes the caller's array. Build a new one.
def relu(z):
    z[z < 0] = 0
    return z


def relu_grad(z):
    return (z > 0).astype(float)


def leaky_relu(z, slope=0.01):
    return np.where(z > 0, z, slope * z)


def elu(z, alpha=1.0):
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def gelu(z):
    return z * (1 + erf(z / math.sqrt(2))) / 2


# %% Slope of leaky ReLU fixed exercise="relu" covers=[25]
# leaky_relu ignores its argument slope: it works for the default only.
def relu(z):
    return np.maximum(z, 0)


def relu_grad(z):
    return (z > 0).astype(float)


def leaky_relu(z, slope=0.01):
    return np.where(z > 0, z, 0.01 * z)


def elu(z, alpha=1.0):
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def gelu(z):
    return z * (1 + erf(z / math.sqrt(2))) / 2


# %% Alpha outside the bracket exercise="relu"
# In ELU, alpha multiplies the whole bracket e^z - 1. Yours jumps at 0 unless alpha is 1.
def relu(z):
    return np.maximum(z, 0)


def relu_grad(z):
    return (z > 0).astype(float)


def leaky_relu(z, slope=0.01):
    return np.where(z > 0, z, slope * z)


def elu(z, alpha=1.0):
    return np.where(z > 0, z, alpha * np.exp(np.minimum(z, 0)) - 1)


def gelu(z):
    return z * (1 + erf(z / math.sqrt(2))) / 2


# %% GELU without the root of 2 exercise="relu"
# The error function and the normal distribution differ in scale: the argument of erf is z divided
# by the square root of 2.
def relu(z):
    return np.maximum(z, 0)


def relu_grad(z):
    return (z > 0).astype(float)


def leaky_relu(z, slope=0.01):
    return np.where(z > 0, z, slope * z)


def elu(z, alpha=1.0):
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def gelu(z):
    return z * (1 + erf(z)) / 2


# %% GELU without z exercise="relu"
# That is the distribution function alone. GELU multiplies z by it.
def relu(z):
    return np.maximum(z, 0)


def relu_grad(z):
    return (z > 0).astype(float)


def leaky_relu(z, slope=0.01):
    return np.where(z > 0, z, slope * z)


def elu(z, alpha=1.0):
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def gelu(z):
    return (1 + erf(z / math.sqrt(2))) / 2


# %% ReLU's derivative is z again exercise="relu"
# The derivative of z is 1, not z.
def relu(z):
    return np.maximum(z, 0)


def relu_grad(z):
    return np.maximum(z, 0)


def leaky_relu(z, slope=0.01):
    return np.where(z > 0, z, slope * z)


def elu(z, alpha=1.0):
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def gelu(z):
    return z * (1 + erf(z / math.sqrt(2))) / 2


# %% With masks as factors exercise="relu" right=true
def relu(z):
    return z * (z > 0)


def relu_grad(z):
    return z > 0


def leaky_relu(z, slope=0.01):
    return np.maximum(z, 0) + slope * np.minimum(z, 0)


def elu(z, alpha=1.0):
    return np.where(z > 0, z, alpha * (np.exp(z) - 1))


def gelu(z):
    return z * (1 + erf(z / math.sqrt(2))) / 2


# %% GELU by its tanh approximation exercise="relu" right=true
def relu(z):
    return np.maximum(z, 0)


def relu_grad(z):
    return (z > 0).astype(float)


def leaky_relu(z, slope=0.01):
    return np.where(z > 0, z, slope * z)


def elu(z, alpha=1.0):
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def gelu(z):
    return 0.5 * z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))


# %% Factors added exercise="q-vanishing"
# Backpropagation multiplies the derivatives of the layers; you added them.
q_sigmoid_factor = 0.25 * 10
q_hidden = "relu"
q_output = "sigmoid"


# %% Derivative of at most 1 exercise="q-vanishing"
# The slope of tanh is 1 at 0. The sigmoid's largest slope is a quarter.
q_sigmoid_factor = 1.0
q_hidden = "relu"
q_output = "sigmoid"


# %% ReLU for a probability exercise="q-vanishing"
# ReLU's output has no upper end, and a probability must not exceed 1.
q_sigmoid_factor = 0.25**10
q_hidden = "relu"
q_output = "relu"


# %% Zeros skipped exercise="q-relu"
# A dense product does not look for zeros: it multiplies by them like by any other number.
q_macs = 320_000
q_dead = "nothing"


# %% Dead unit comes back exercise="q-relu"
# With z below 0 on every sample, ReLU's derivative is 0 on every sample, and so is the gradient by
# the unit's weights.
q_macs = 640_000
q_dead = "push z above 0"


# %% Sum over the samples exercise="l2-loss" covers=[61]
# The loss is a mean over the samples; yours grows with the batch.
def l2_loss(y_hat, y):
    return ((y_hat - y) ** 2).sum()


def l2_grad(y_hat, y):
    return 2 * (y_hat - y)


# %% Mean over outputs too exercise="l2-loss"
# You averaged over all entries. The outputs of a sample are summed; only the samples are averaged.
def l2_loss(y_hat, y):
    return ((y_hat - y) ** 2).mean()


def l2_grad(y_hat, y):
    return 2 * (y_hat - y) / y.size


# %% Two forgotten exercise="l2-loss"
# The derivative of a square brings down a factor 2.
def l2_loss(y_hat, y):
    return ((y_hat - y) ** 2).sum(axis=1).mean()


def l2_grad(y_hat, y):
    return (y_hat - y) / len(y)


# %% Gradient points downhill exercise="l2-loss"
# The sign is reversed. Where the estimate is too high, raising it raises the loss: the gradient is
# positive there.
def l2_loss(y_hat, y):
    return ((y_hat - y) ** 2).sum(axis=1).mean()


def l2_grad(y_hat, y):
    return 2 * (y - y_hat) / len(y)


# %% With einsum exercise="l2-loss" right=true
def l2_loss(y_hat, y):
    error = y_hat - y
    return np.einsum("mk,mk->", error, error) / error.shape[0]


def l2_grad(y_hat, y):
    return 2 * (y_hat - y) / len(y)


# %% Both signs the same exercise="q-brackets"
# Without the brackets the minus sign reaches the first term only; with them it reaches both, and
# the two results differ.
q_as_printed = 0.223
q_right = 0.223


# %% Probability of the wrong class exercise="q-brackets"
# The label is 0, so the probability that counts is that of class 0, which is 1 - 0.2.
q_as_printed = -1.609
q_right = 1.609


# %% Only the term of label 1 exercise="bce" covers=[60]
# Samples with label 0 cost nothing in your loss. Each label needs its term.
def bce_with_logits(z, y):
    return (y * np.logaddexp(0, -z)).mean()


def bce_with_logits_grad(z, y):
    return (sigmoid(z) - y) / z.size


# %% Through the probability exercise="bce"
# The probability is rounded to exactly 0 or 1 for large logits, and its logarithm is infinite or
# nan. Work on the logit.
def bce_with_logits(z, y):
    p = sigmoid(z)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()


def bce_with_logits_grad(z, y):
    return (sigmoid(z) - y) / z.size


# %% Probability clipped exercise="bce"
# Clipping the probability caps the loss: a logit of 1000 on the wrong side costs no more than one
# of 30. Work on the logit.
def bce_with_logits(z, y):
    p = np.clip(sigmoid(z), 1e-12, 1 - 1e-12)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()


def bce_with_logits_grad(z, y):
    return (sigmoid(z) - y) / z.size


# %% Bracket missing exercise="bce"
# The minus sign stands before both terms. In yours a sample with label 0 gets a negative loss.
def bce_with_logits(z, y):
    return (y * np.logaddexp(0, -z) - (1 - y) * np.logaddexp(0, z)).mean()


def bce_with_logits_grad(z, y):
    return (sigmoid(z) - y) / z.size


# %% Sum over the samples in BCE exercise="bce" covers=[61]
# The loss is a mean over the samples, and so its gradient holds a division by their number.
def bce_with_logits(z, y):
    return (np.logaddexp(0, z) - y * z).sum()


def bce_with_logits_grad(z, y):
    return sigmoid(z) - y


# %% Sigmoid taken twice exercise="bce" covers=[57]
# The loss turns logits into probabilities itself. You gave it probabilities, so the sigmoid acts
# twice.
def bce_with_logits(z, y):
    p = sigmoid(z)
    return (np.logaddexp(0, p) - y * p).mean()


def bce_with_logits_grad(z, y):
    return (sigmoid(z) - y) / z.size


# %% Sigmoid's slope kept in the gradient exercise="bce"
# The slope of the sigmoid cancels against the logarithm. You kept it, and the gradient vanishes for
# sure and wrong answers.
def bce_with_logits(z, y):
    return (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) - y * z).mean()


def bce_with_logits_grad(z, y):
    return (sigmoid(z) - y) * sigmoid_grad(z) / z.size


# %% Logarithm of 1 plus e to the z exercise="bce"
# e^1000 is infinite in float64. Use the form with -|z| in the exponent.
def bce_with_logits(z, y):
    return (np.log(1 + np.exp(z)) - y * z).mean()


def bce_with_logits_grad(z, y):
    return (sigmoid(z) - y) / z.size


# %% With logaddexp exercise="bce" right=true
def bce_with_logits(z, y):
    return (np.logaddexp(0, z) - y * z).mean()


def bce_with_logits_grad(z, y):
    return (0.5 * (1 + np.tanh(0.5 * z)) - y) / len(z)


# %% One sample at a time exercise="bce" right=true
def bce_with_logits(z, y):
    total = 0.0
    for logit, label in zip(z.ravel(), y.ravel()):
        margin = logit if label == 1 else -logit
        total += max(-margin, 0) + math.log1p(math.exp(-abs(margin)))
    return total / z.size


def bce_with_logits_grad(z, y):
    return (sigmoid(z) - y) / z.size


# %% Softmax before the cross-entropy exercise="cross-entropy" covers=[57]
# The loss wants logits and takes the softmax itself. You took it before as well, so it acts twice,
# and the loss hardly moves.
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))  # (M, K), entries in (0, 1]
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(z, labels):
    p = softmax(z)
    shifted = p - p.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    return (log_sum - shifted[np.arange(len(z)), labels]).mean()


def cross_entropy_grad(z, labels):
    gradient = softmax(softmax(z))
    gradient[np.arange(len(z)), labels] -= 1
    return gradient / len(z)


# %% Softmax over the samples exercise="cross-entropy" covers=[58]
# Your columns sum to 1. The classes of a sample lie along axis 1, so its row has to sum to 1.
def softmax(z):
    e = np.exp(z - z.max(axis=0, keepdims=True))
    return e / e.sum(axis=0, keepdims=True)


def cross_entropy(z, labels):
    shifted = z - z.max(axis=1, keepdims=True)  # (M, K)
    log_sum = np.log(np.exp(shifted).sum(axis=1))  # (M,)
    return (log_sum - shifted[np.arange(len(z)), labels]).mean()


def cross_entropy_grad(z, labels):
    gradient = softmax(z)
    gradient[np.arange(len(z)), labels] -= 1
    return gradient / len(z)


# %% Softmax over the whole batch exercise="cross-entropy" covers=[58]
# All entries together sum to 1. Each sample is a distribution of its own: sum along axis 1 and keep
# the dimension.
def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def cross_entropy(z, labels):
    shifted = z - z.max(axis=1, keepdims=True)  # (M, K)
    log_sum = np.log(np.exp(shifted).sum(axis=1))  # (M,)
    return (log_sum - shifted[np.arange(len(z)), labels]).mean()


def cross_entropy_grad(z, labels):
    gradient = softmax(z)
    gradient[np.arange(len(z)), labels] -= 1
    return gradient / len(z)


# %% Maximum not subtracted exercise="cross-entropy" covers=[59]
# e^1000 is infinite, and infinite over infinite is nan. Subtract each row's largest logit first.
def softmax(z):
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(z, labels):
    return (np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), labels]).mean()


def cross_entropy_grad(z, labels):
    gradient = softmax(z)
    gradient[np.arange(len(z)), labels] -= 1
    return gradient / len(z)


# %% Maximum of the whole batch exercise="cross-entropy" covers=[59]
# You subtract one maximum for the whole batch. A row that lies far below it becomes 0/0: take each
# row's own maximum.
def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(z, labels):
    shifted = z - z.max()
    return (np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(z)), labels]).mean()


def cross_entropy_grad(z, labels):
    gradient = softmax(z)
    gradient[np.arange(len(z)), labels] -= 1
    return gradient / len(z)


# %% Logarithm of the softmax exercise="cross-entropy"
# The softmax rounds small probabilities to 0, and their logarithm is infinite. Compute the
# logarithm from the shifted logits.
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))  # (M, K), entries in (0, 1]
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(z, labels):
    return -np.log(softmax(z)[np.arange(len(z)), labels]).mean()


def cross_entropy_grad(z, labels):
    gradient = softmax(z)
    gradient[np.arange(len(z)), labels] -= 1
    return gradient / len(z)


# %% Logarithm with a small number added exercise="cross-entropy"
# The small number inside the logarithm caps the loss of confident mistakes. Compute the logarithm
# from the shifted logits.
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))  # (M, K), entries in (0, 1]
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(z, labels):
    return -np.log(softmax(z)[np.arange(len(z)), labels] + 1e-12).mean()


def cross_entropy_grad(z, labels):
    gradient = softmax(z)
    gradient[np.arange(len(z)), labels] -= 1
    return gradient / len(z)


# %% Sum over the samples in cross-entropy exercise="cross-entropy" covers=[61]
# The loss is a mean over the samples; yours grows with the batch.
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))  # (M, K), entries in (0, 1]
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(z, labels):
    shifted = z - z.max(axis=1, keepdims=True)
    return (np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(z)), labels]).sum()


def cross_entropy_grad(z, labels):
    gradient = softmax(z)
    gradient[np.arange(len(z)), labels] -= 1
    return gradient / len(z)


# %% Gradient not divided by the samples exercise="cross-entropy" covers=[61]
# The loss is a mean, so its gradient holds a division by the number of samples.
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))  # (M, K), entries in (0, 1]
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(z, labels):
    shifted = z - z.max(axis=1, keepdims=True)  # (M, K)
    log_sum = np.log(np.exp(shifted).sum(axis=1))  # (M,)
    return (log_sum - shifted[np.arange(len(z)), labels]).mean()


def cross_entropy_grad(z, labels):
    return softmax(z) - np.eye(z.shape[1])[labels]


# %% Gradient with the sign reversed exercise="cross-entropy"
# The sign is reversed: raising the true class's logit lowers the loss, so that entry of the
# gradient is negative.
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))  # (M, K), entries in (0, 1]
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(z, labels):
    shifted = z - z.max(axis=1, keepdims=True)  # (M, K)
    log_sum = np.log(np.exp(shifted).sum(axis=1))  # (M,)
    return (log_sum - shifted[np.arange(len(z)), labels]).mean()


def cross_entropy_grad(z, labels):
    return (np.eye(z.shape[1])[labels] - softmax(z)) / len(z)


# %% Labels pick rows exercise="cross-entropy"
# Indexing with the labels alone picks rows of the batch. In row i you want the column labels[i].
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))  # (M, K), entries in (0, 1]
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(z, labels):
    shifted = z - z.max(axis=1, keepdims=True)
    return (np.log(np.exp(shifted).sum(axis=1)) - shifted[:, labels].mean(axis=1)).mean()


def cross_entropy_grad(z, labels):
    gradient = softmax(z)
    gradient[np.arange(len(z)), labels] -= 1
    return gradient / len(z)


# %% Logits shifted in place exercise="cross-entropy" covers=[24]
# Subtracting the maximum in place changes the caller's logits. Bind the difference to a new name.
def softmax(z):
    z -= z.max(axis=1, keepdims=True)
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(z, labels):
    shifted = z - z.max(axis=1, keepdims=True)  # (M, K)
    log_sum = np.log(np.exp(shifted).sum(axis=1))  # (M,)
    return (log_sum - shifted[np.arange(len(z)), labels]).mean()


def cross_entropy_grad(z, labels):
    gradient = softmax(z)
    gradient[np.arange(len(z)), labels] -= 1
    return gradient / len(z)


# %% With a one-hot matrix exercise="cross-entropy" right=true
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))  # (M, K), entries in (0, 1]
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(z, labels):
    one_hot = np.eye(z.shape[1])[labels]
    log_p = z - np.logaddexp.reduce(z, axis=1, keepdims=True)
    return -(one_hot * log_p).sum() / len(z)


def cross_entropy_grad(z, labels):
    return (softmax(z) - np.eye(z.shape[1])[labels]) / len(z)


# %% Row by row exercise="cross-entropy" right=true
def softmax(z):
    rows = []
    for row in z:
        e = np.exp(row - max(row))
        rows.append(e / sum(e))
    return np.array(rows)


def cross_entropy(z, labels):
    total = 0.0
    for row, label in zip(z, labels):
        total += max(row) + math.log(sum(np.exp(row - max(row)))) - row[label]
    return total / len(z)


def cross_entropy_grad(z, labels):
    gradient = softmax(z)
    gradient[np.arange(len(z)), labels] -= 1
    return gradient / len(z)


# %% Half forgotten exercise="q-five-steps"
# The total error of the recipe has a factor one half before each square.
q_squared_before, q_squared_after = 1.10, 0.12
q_entropy_before, q_entropy_after = 2.303, 0.357


# %% Logarithm to base 10 exercise="q-five-steps"
# That is the logarithm to base 10. The cross-entropy takes the natural one.
q_squared_before, q_squared_after = 0.55, 0.06
q_entropy_before, q_entropy_after = 1.0, 0.155


# %% Cross-entropy of all classes exercise="q-five-steps"
# Only the true class counts: the one-hot label is 0 everywhere else.
q_squared_before, q_squared_after = 0.55, 0.06
q_entropy_before, q_entropy_after = 6.032, 7.264


# %% A batch of vectors has order 1 exercise="q-tensors"
# M vectors of N_H numbers are stacked to a matrix: two indices, so order 2.
q_order = 1
q_rank = 1
q_nchw = (30, 1, 100, 150)


# %% Rank is the number of axes exercise="q-tensors"
# That is the order. The rank in linear algebra counts independent rows, and all rows of u vᵀ are
# multiples of v.
q_order = 2
q_rank = 2
q_nchw = (30, 1, 100, 150)


# %% Channel last exercise="q-tensors"
# NCHW means image, channel, height, width, in this order.
q_order = 2
q_rank = 1
q_nchw = (30, 100, 150, 1)


# %% As printed on the slide exercise="q-gradient-tensor"
# 1.2 times ten to the power 2 is 120, which is a slip of the slide. Multiply the five numbers.
q_gradient_shape = (10, 20, 40, 50, 30)
q_gradient_entries = 120


# %% Input's axes first exercise="q-gradient-tensor"
# The output's axes come first: entry [i, j] is the derivative of output i by input j.
q_gradient_shape = (50, 30, 10, 20, 40)
q_gradient_entries = 12_000_000


# %% Gradient tensors transposed exercise="gradient-tensors"
# The axes stand in the wrong order. Outputs come first: a row belongs to one output.
def example_gradient(w):
    return np.array([[w[1], 2 * w[0]], [w[0], 0], [0, 3 * w[2] ** 2]])


def linear_grad_w(A, w):
    return A.copy()


def linear_grad_A(A, w):
    return np.einsum("ik,j->ikj", np.eye(len(A)), w)


# %% Last power not lowered exercise="gradient-tensors"
# The derivative of w³ is 3w²: the power goes down by one.
def example_gradient(w):
    return np.array([[w[1], w[0], 0], [2 * w[0], 0, 3 * w[2]]])


def linear_grad_w(A, w):
    return A.copy()


def linear_grad_A(A, w):
    return np.einsum("ik,j->ikj", np.eye(len(A)), w)


# %% Filled with A exercise="gradient-tensors"
# z_i is a sum of A_ij w_j. Its derivative by A_ij is w_j, so the nonzero rows hold w.
def example_gradient(w):
    return np.array([[w[1], w[0], 0], [2 * w[0], 0, 3 * w[2] ** 2]])


def linear_grad_w(A, w):
    return A.copy()


def linear_grad_A(A, w):
    return np.einsum("ik,kj->ikj", np.eye(len(A)), A)


# %% Every row of A moves every output exercise="gradient-tensors"
# z_i depends on row i of A alone. The derivatives by all other rows are 0.
def example_gradient(w):
    return np.array([[w[1], w[0], 0], [2 * w[0], 0, 3 * w[2] ** 2]])


def linear_grad_w(A, w):
    return A.copy()


def linear_grad_A(A, w):
    return np.broadcast_to(w, (len(A), len(A), len(w))).copy()


# %% Columns instead of rows exercise="gradient-tensors"
# The axes of A come last, in A's own order: entry [i, k, j] belongs to A_kj.
def example_gradient(w):
    return np.array([[w[1], w[0], 0], [2 * w[0], 0, 3 * w[2] ** 2]])


def linear_grad_w(A, w):
    return A.copy()


def linear_grad_A(A, w):
    return np.einsum("ik,j->ijk", np.eye(len(A)), w)


# %% Filled in a loop exercise="gradient-tensors" right=true
def example_gradient(w):
    return np.array([[w[1], w[0], 0], [2 * w[0], 0, 3 * w[2] ** 2]])


def linear_grad_w(A, w):
    return A


def linear_grad_A(A, w):
    gradient = np.zeros((len(A), *A.shape))
    for i in range(len(A)):
        gradient[i, i, :] = w
    return gradient


# %% Indices of y crossed exercise="tensor-chain"
# The two axes of y stand in the same order in both tensors. You summed the first of one with the
# second of the other.
def chain_einsum(dz_dy, dy_dx):
    return np.einsum("rab,baxy->rxy", dz_dy, dy_dx)


def tensor_chain(dz_dy, dy_dx, order):
    return np.tensordot(dz_dy, dy_dx, axes=order)


# %% Indices of y not summed exercise="tensor-chain"
# The indices of y must be gone from the result: every entry of y is one way from x to z, and the
# ways add up.
def chain_einsum(dz_dy, dy_dx):
    return np.einsum("rab,abxy->rabxy", dz_dy, dy_dx)


def tensor_chain(dz_dy, dy_dx, order):
    return np.tensordot(dz_dy, dy_dx, axes=order)


# %% Only one axis of y summed exercise="tensor-chain"
# You always sum over one axis. When y has order 2, both of its axes are summed.
def chain_einsum(dz_dy, dy_dx):
    return np.einsum("rab,abxy->rxy", dz_dy, dy_dx)


def tensor_chain(dz_dy, dy_dx, order):
    return np.tensordot(dz_dy, dy_dx, axes=1)


# %% Element by element exercise="tensor-chain"
# Multiplying entry by entry is right only when the gradient tensor is diagonal. In general sum over
# the axes of y.
def chain_einsum(dz_dy, dy_dx):
    return np.einsum("rab,abxy->rxy", dz_dy, dy_dx)


def tensor_chain(dz_dy, dy_dx, order):
    return dz_dy * dy_dx


# %% With flattened axes exercise="tensor-chain" right=true
def chain_einsum(dz_dy, dy_dx):
    return np.tensordot(dz_dy, dy_dx, 2)


def tensor_chain(dz_dy, dy_dx, order):
    of_z = dz_dy.shape[: dz_dy.ndim - order]
    of_y, of_x = dy_dx.shape[:order], dy_dx.shape[order:]
    size = math.prod(of_y)
    return (dz_dy.reshape(-1, size) @ dy_dx.reshape(size, -1)).reshape(of_z + of_x)


# %% With einsum and letters exercise="tensor-chain" right=true
def chain_einsum(dz_dy, dy_dx):
    return np.einsum("rab,abxy->rxy", dz_dy, dy_dx)


def tensor_chain(dz_dy, dy_dx, order):
    letters = "abcdefghijklmnopqrstuvwxyz"
    z = letters[: dz_dy.ndim - order]
    y = letters[10 : 10 + order]
    x = letters[20 : 20 + dy_dx.ndim - order]
    return np.einsum(f"{z}{y},{y}{x}->{z}{x}", dz_dy, dy_dx)


# %% Only the diagonal exercise="softmax-jacobian"
# You treat the softmax as if it acted on each logit alone. Every logit moves every probability: the
# Jacobian is a full matrix.
def softmax_jacobian(z):
    p = softmax(z[None])[0]
    return np.diag(p * (1 - p))


def softmax_l2_grad(z, y):
    return np.einsum("k,kl->l", softmax(z[None])[0] - y, softmax_jacobian(z))


# %% Outer product added exercise="softmax-jacobian"
# Raising one logit lowers the other probabilities: off the diagonal the entries are negative.
def softmax_jacobian(z):
    p = softmax(z[None])[0]
    return np.diag(p) + np.outer(p, p)


def softmax_l2_grad(z, y):
    return np.einsum("k,kl->l", softmax(z[None])[0] - y, softmax_jacobian(z))


# %% Gradient of the cross-entropy exercise="softmax-jacobian"
# p - y is the gradient of the cross-entropy by the logits. For the squared error it is only the
# gradient by p: the Jacobian is missing.
def softmax_jacobian(z):
    p = softmax(z[None])[0]  # (K,)
    return np.diag(p) - np.outer(p, p)


def softmax_l2_grad(z, y):
    return softmax(z[None])[0] - y


# %% Half ignored exercise="softmax-jacobian"
# The loss has a factor one half, which takes away the 2 of the derivative.
def softmax_jacobian(z):
    p = softmax(z[None])[0]  # (K,)
    return np.diag(p) - np.outer(p, p)


def softmax_l2_grad(z, y):
    return 2 * softmax_jacobian(z) @ (softmax(z[None])[0] - y)


# %% In closed form exercise="softmax-jacobian" right=true
def softmax_jacobian(z):
    e = np.exp(z - z.max())
    p = e / e.sum()
    return p[:, None] * (np.eye(len(z)) - p[None, :])


def softmax_l2_grad(z, y):
    e = np.exp(z - z.max())
    p = e / e.sum()
    return p * (p - y - p @ (p - y))


# %% Push in the wrong direction exercise="q-push"
# The gradient by the true class's logit is p - 1, which is negative: descent raises that logit.
q_push_entropy = 1
q_push_squared = 0


# %% Squared error pushes as hard exercise="q-push"
# The softmax's slope enters the squared error's gradient and is nearly 0 when the network is sure.
q_push_entropy = -1
q_push_squared = -1


# %% Push with decimals exercise="q-push" right=true
q_push_entropy = -0.9999
q_push_squared = -0.0001


# %% Both ends swapped exercise="q-cost"
# You swapped the two. From the loss every product is a row times a matrix, which is cheap.
q_from_loss = 500_500_000
q_from_weights = 1_500_000


# %% Second product forgotten exercise="q-cost"
# There are two products in either order; you counted one.
q_from_loss = 1_000_000
q_from_weights = 500_000_000


# %% One-sided difference exercise="numerical-gradient"
# This is the one-sided difference; its error shrinks with h only. Look h ahead and h back.
def numerical_gradient(f, x, h=1e-5):
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = h
        gradient[place] = (f(x + step) - f(x)) / h
    return gradient


# %% Divided by h exercise="numerical-gradient"
# The two points lie 2h apart: divide by 2h.
def numerical_gradient(f, x, h=1e-5):
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = h
        gradient[place] = (f(x + step) - f(x - step)) / h
    return gradient


# %% x not restored exercise="numerical-gradient" covers=[24]
# You move entries of x and do not put them back: the next entries are taken at another point, and
# the caller's x is changed.
def numerical_gradient(f, x, h=1e-5):
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        x[place] += h
        above = f(x)
        x[place] -= 2 * h
        gradient[place] = (above - f(x)) / (2 * h)
    return gradient


# %% All entries moved at once exercise="numerical-gradient"
# You move all entries together, which gives the sum of the partial derivatives. Move one entry at a
# time.
def numerical_gradient(f, x, h=1e-5):
    return np.full(x.shape, (f(x + h) - f(x - h)) / (2 * h))


# %% h fixed inside exercise="numerical-gradient" covers=[25]
# The step is a number of your own: the argument h is ignored.
def numerical_gradient(f, x, h=1e-5):
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = 1e-5
        gradient[place] = (f(x + step) - f(x - step)) / 2e-5
    return gradient


# %% f given a flat array exercise="numerical-gradient"
# f expects an array of x's shape, and you handed it a flat one.
def numerical_gradient(f, x, h=1e-5):
    flat = x.ravel().copy()
    gradient = np.zeros_like(flat)
    for j in range(flat.size):
        step = np.zeros_like(flat)
        step[j] = h
        gradient[j] = (f(flat + step) - f(flat - step)) / (2 * h)
    return gradient.reshape(x.shape)


# %% Only the first axis exercise="numerical-gradient"
# You walk along the first axis only and move whole rows. Every single entry needs its own two
# calls.
def numerical_gradient(f, x, h=1e-5):
    gradient = np.zeros_like(x)
    for j in range(len(x)):
        step = np.zeros_like(x)
        step[j] = h
        gradient[j] = (f(x + step) - f(x - step)) / (2 * h)
    return gradient


# %% In place with the old value kept exercise="numerical-gradient" right=true
def numerical_gradient(f, x, h=1e-5):
    gradient = np.empty(x.shape)
    walk = np.nditer(x, flags=["multi_index"])
    while not walk.finished:
        place = walk.multi_index
        old = x[place]
        x[place] = old + h
        above = f(x)
        x[place] = old - h
        below = f(x)
        x[place] = old
        gradient[place] = (above - below) / (2 * h)
        walk.iternext()
    return gradient


# %% Steps added and taken away again exercise="numerical-gradient" right=true
def numerical_gradient(f, x, h=1e-5):
    slopes = []
    for place in np.ndindex(*x.shape):
        x[place] += h
        above = f(x)
        x[place] -= 2 * h
        below = f(x)
        x[place] += h
        slopes.append((above - below) / (2 * h))
    return np.array(slopes).reshape(x.shape)


# %% Smallest step is best exercise="q-step"
# At such a small step the two values of f agree in nearly all digits, and their difference is
# mostly rounding error.
q_h = 1e-13
q_corner = 0.5


# %% Corner as relu_grad has it exercise="q-step"
# The central difference does not know conventions: it takes ReLU(h) and ReLU(-h) and divides their
# difference by 2h.
q_h = 1e-5
q_corner = 0


# %% No ReLU in the hidden layer exercise="forward"
# u_H equals z_H: without the ReLU the two layers collapse into one.
def forward(params, X):
    z_H = X @ params["W_H"].T + params["b_H"]
    return {"z_H": z_H, "u_H": z_H, "z_O": z_H @ params["W_O"].T + params["b_O"]}


# %% ReLU clips in place exercise="forward" covers=[24]
# ReLU was written into z_H, so both names hold the clipped values. The backward pass needs z_H as
# it was.
def forward(params, X):
    z_H = X @ params["W_H"].T + params["b_H"]
    u_H = np.maximum(z_H, 0, out=z_H)
    return {"z_H": z_H, "u_H": u_H, "z_O": u_H @ params["W_O"].T + params["b_O"]}


# %% ReLU on the logits exercise="forward"
# The output layer has no ReLU: logits may be negative.
def forward(params, X):
    z_H = X @ params["W_H"].T + params["b_H"]
    u_H = np.maximum(z_H, 0)
    return {"z_H": z_H, "u_H": u_H, "z_O": np.maximum(u_H @ params["W_O"].T + params["b_O"], 0)}


# %% Weights not transposed exercise="forward"
# A weight matrix is (outputs, inputs) and a batch holds samples as rows, so the weights have to be
# transposed.
def forward(params, X):
    z_H = X @ params["W_H"] + params["b_H"]
    u_H = np.maximum(z_H, 0)
    return {"z_H": z_H, "u_H": u_H, "z_O": u_H @ params["W_O"] + params["b_O"]}


# %% Output bias forgotten exercise="forward" covers=[8]
# The logits lack the output layer's bias.
def forward(params, X):
    z_H = X @ params["W_H"].T + params["b_H"]
    u_H = np.maximum(z_H, 0)
    return {"z_H": z_H, "u_H": u_H, "z_O": u_H @ params["W_O"].T}


# %% Sample by sample exercise="forward" right=true
def forward(params, X):
    cache = {"z_H": [], "u_H": [], "z_O": []}
    for x in X:
        z = params["W_H"] @ x + params["b_H"]
        u = relu(z)
        cache["z_H"].append(z)
        cache["u_H"].append(u)
        cache["z_O"].append(params["W_O"] @ u + params["b_O"])
    return {name: np.array(rows) for name, rows in cache.items()}


# %% Mean taken twice exercise="binary-last-layer" covers=[43, 46]
# The factor 1/M sits in dz already; you divide by M again.
def binary_last_layer(u_H, W_O, b_O, y):
    dz = bce_with_logits_grad(u_H @ W_O.T + b_O, y)
    return dz, dz.T @ u_H / len(y), dz.mean(axis=0)


# %% Bias gradient not summed exercise="binary-last-layer" covers=[48]
# One bias serves all samples, so its gradient sums over them.
def binary_last_layer(u_H, W_O, b_O, y):
    dz = bce_with_logits_grad(u_H @ W_O.T + b_O, y)
    return dz, dz.T @ u_H, dz


# %% Sigmoid's slope kept exercise="binary-last-layer"
# With the cross-entropy the sigmoid's slope cancels. You kept it, as if the loss were the squared
# error.
def binary_last_layer(u_H, W_O, b_O, y):
    z = u_H @ W_O.T + b_O
    dz = (sigmoid(z) - y) * sigmoid_grad(z) / len(y)
    return dz, dz.T @ u_H, dz.sum(axis=0)


# %% Last sample only exercise="binary-last-layer" covers=[41, 42]
# In the loop each sample overwrites the one before. The gradients of the samples add up.
def binary_last_layer(u_H, W_O, b_O, y):
    dz = bce_with_logits_grad(u_H @ W_O.T + b_O, y)
    for i in range(len(y)):
        dW = dz[i][:, None] * u_H[i][None]
        db = dz[i]
    return dz, dW, db


# %% Gradient not averaged exercise="binary-last-layer" covers=[61]
# The loss is a mean over the samples: dz holds a division by their number.
def binary_last_layer(u_H, W_O, b_O, y):
    dz = sigmoid(u_H @ W_O.T + b_O) - y
    return dz, dz.T @ u_H, dz.sum(axis=0)


# %% Bias left out of the logit exercise="binary-last-layer" covers=[8]
# The logit is computed without the bias, so its probability is off.
def binary_last_layer(u_H, W_O, b_O, y):
    dz = bce_with_logits_grad(u_H @ W_O.T, y)
    return dz, dz.T @ u_H, dz.sum(axis=0)


# %% Samples added up in a loop exercise="binary-last-layer" right=true
def binary_last_layer(u_H, W_O, b_O, y):
    dz = (sigmoid(np.einsum("mh,kh->mk", u_H, W_O) + b_O) - y) / len(y)
    dW, db = np.zeros(W_O.shape), np.zeros(b_O.shape)
    for d, u in zip(dz, u_H):
        dW += np.outer(d, u)
        db += d
    return dz, dW, db


# %% Upstream gradient ignored exercise="backward" covers=[54]
# dz_O plays no role in the hidden layer: you started there with ones. The chain rule multiplies by
# what comes from above.
def backward(params, X, cache, dz_O):
    dz_H = (np.ones_like(dz_O) @ params["W_O"]) * relu_grad(cache["z_H"])
    return {
        "W_H": dz_H.T @ X,
        "b_H": dz_H.sum(axis=0),
        "W_O": dz_O.T @ cache["u_H"],
        "b_O": dz_O.sum(axis=0),
    }


# %% ReLU gated by the gradient's sign exercise="backward" covers=[55]
# ReLU's slope depends on z_H, not on the sign of the gradient that comes back. Negative gradients
# pass as well.
def backward(params, X, cache, dz_O):
    dz_H = np.maximum(dz_O @ params["W_O"], 0)
    return {
        "W_H": dz_H.T @ X,
        "b_H": dz_H.sum(axis=0),
        "W_O": dz_O.T @ cache["u_H"],
        "b_O": dz_O.sum(axis=0),
    }


# %% ReLU passes at the corner exercise="backward" covers=[56]
# Where z_H is exactly 0 the slope is 0 in this course. Your comparison lets the gradient through.
def backward(params, X, cache, dz_O):
    dz_H = (dz_O @ params["W_O"]) * (cache["z_H"] >= 0)
    return {
        "W_H": dz_H.T @ X,
        "b_H": dz_H.sum(axis=0),
        "W_O": dz_O.T @ cache["u_H"],
        "b_O": dz_O.sum(axis=0),
    }


# %% ReLU forgotten on the way back exercise="backward"
# The gradient passes the hidden layer as if there were no ReLU.
def backward(params, X, cache, dz_O):
    dz_H = dz_O @ params["W_O"]
    return {
        "W_H": dz_H.T @ X,
        "b_H": dz_H.sum(axis=0),
        "W_O": dz_O.T @ cache["u_H"],
        "b_O": dz_O.sum(axis=0),
    }


# %% Weights divided by the batch again exercise="backward" covers=[43]
# dz_O holds the factor 1/M already; you divide by M a second time.
def backward(params, X, cache, dz_O):
    dz_H = (dz_O @ params["W_O"]) * relu_grad(cache["z_H"])
    return {
        "W_H": dz_H.T @ X / len(X),
        "b_H": dz_H.sum(axis=0),
        "W_O": dz_O.T @ cache["u_H"] / len(X),
        "b_O": dz_O.sum(axis=0),
    }


# %% Biases without a gradient exercise="backward" covers=[45]
# The biases are parameters too: their gradients are the sums of dz over the samples, not None.
def backward(params, X, cache, dz_O):
    dz_H = (dz_O @ params["W_O"]) * relu_grad(cache["z_H"])
    return {"W_H": dz_H.T @ X, "b_H": None, "W_O": dz_O.T @ cache["u_H"], "b_O": None}


# %% Biases averaged exercise="backward" covers=[46]
# The gradient of a bias is a sum over the samples; the mean is in dz_O already.
def backward(params, X, cache, dz_O):
    dz_H = (dz_O @ params["W_O"]) * relu_grad(cache["z_H"])
    return {
        "W_H": dz_H.T @ X,
        "b_H": dz_H.mean(axis=0),
        "W_O": dz_O.T @ cache["u_H"],
        "b_O": dz_O.mean(axis=0),
    }


# %% Bias of the first sample exercise="backward" covers=[48]
# Only one sample reaches the bias gradients. Sum over all of them.
def backward(params, X, cache, dz_O):
    dz_H = (dz_O @ params["W_O"]) * relu_grad(cache["z_H"])
    return {
        "W_H": dz_H.T @ X,
        "b_H": dz_H[0],
        "W_O": dz_O.T @ cache["u_H"],
        "b_O": dz_O[0],
    }


# %% Overwritten in the loop exercise="backward" covers=[41, 42]
# Each sample overwrites the gradients of the one before, so only the last one is left. They add up.
def backward(params, X, cache, dz_O):
    for i in range(len(X)):
        dz_H = (dz_O[i] @ params["W_O"]) * (cache["z_H"][i] > 0)
        grads = {
            "W_H": np.outer(dz_H, X[i]),
            "b_H": dz_H,
            "W_O": np.outer(dz_O[i], cache["u_H"][i]),
            "b_O": dz_O[i],
        }
    return grads


# %% Upstream gradient scaled in place exercise="backward" covers=[24, 43]
# You divide dz_O by the batch size in place: the factor 1/M is in it already, and the caller's
# array is changed.
def backward(params, X, cache, dz_O):
    dz_O /= len(X)
    dz_H = (dz_O @ params["W_O"]) * relu_grad(cache["z_H"])
    return {
        "W_H": dz_H.T @ X,
        "b_H": dz_H.sum(axis=0),
        "W_O": dz_O.T @ cache["u_H"],
        "b_O": dz_O.sum(axis=0),
    }


# %% Output weights from z exercise="backward"
# The output layer multiplied u_H, the values after the ReLU. Its weight gradient holds u_H, not
# z_H.
def backward(params, X, cache, dz_O):
    dz_H = (dz_O @ params["W_O"]) * relu_grad(cache["z_H"])
    return {
        "W_H": dz_H.T @ X,
        "b_H": dz_H.sum(axis=0),
        "W_O": dz_O.T @ cache["z_H"],
        "b_O": dz_O.sum(axis=0),
    }


# %% Gated by the activations exercise="backward" right=true
def backward(params, X, cache, dz_O):
    dz_H = np.where(cache["u_H"] > 0, np.einsum("mk,kh->mh", dz_O, params["W_O"]), 0)
    return {
        "W_O": np.einsum("mk,mh->kh", dz_O, cache["u_H"]),
        "b_O": np.einsum("mk->k", dz_O),
        "W_H": np.einsum("mh,md->hd", dz_H, X),
        "b_H": np.ones(len(X)) @ dz_H,
    }


# %% Summed sample by sample exercise="backward" right=true
def backward(params, X, cache, dz_O):
    grads = {name: np.zeros(value.shape) for name, value in params.items()}
    for x, z, u, dz in zip(X, cache["z_H"], cache["u_H"], dz_O):
        grads["W_O"] += dz[:, None] * u
        grads["b_O"] += dz
        hidden = params["W_O"].T @ dz
        hidden[z <= 0] = 0
        grads["W_H"] += hidden[:, None] * x
        grads["b_H"] += hidden
    return grads


# %% Multiplied instead of divided exercise="q-sum"
# The sum is 256 times the mean, so its gradient is 256 times as large: the rate has to be 256 times
# smaller.
q_sum_rate = 25.6
q_epoch = 5005


# %% Same rate for the sum exercise="q-sum" covers=[61]
# With the same rate every step would be 256 times as long.
q_sum_rate = 0.1
q_epoch = 5005


# %% Last batch dropped exercise="q-sum"
# The samples that are left over form one more, smaller batch.
q_sum_rate = 0.1 / 256
q_epoch = 5004


# %% Momentum subtracted exercise="sgd-step" covers=[63]
# The old velocity is subtracted: momentum brakes instead of carrying on. It adds to the gradient.
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    new_params, new_velocity = {}, {}
    for name, theta in params.items():
        decay = weight_decay if name.startswith("W") else 0.0
        g = grads[name] + decay * theta
        new_velocity[name] = g - momentum * velocity[name]
        new_params[name] = theta - lr * new_velocity[name]
    return new_params, new_velocity


# %% Velocity added to the parameters exercise="sgd-step" covers=[63]
# The parameters move along the velocity, which points uphill. The step goes against it.
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    new_params, new_velocity = {}, {}
    for name, theta in params.items():
        decay = weight_decay if name.startswith("W") else 0.0
        g = grads[name] + decay * theta
        new_velocity[name] = momentum * velocity[name] + g
        new_params[name] = theta + lr * new_velocity[name]
    return new_params, new_velocity


# %% Old velocity returned exercise="sgd-step" covers=[64]
# You return the velocity that came in, so the next step starts from rest again.
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    new_params, new_velocity = {}, {}
    for name, theta in params.items():
        decay = weight_decay if name.startswith("W") else 0.0
        g = grads[name] + decay * theta
        new_velocity[name] = velocity[name]
        new_params[name] = theta - lr * (momentum * velocity[name] + g)
    return new_params, new_velocity


# %% Velocity forgets exercise="sgd-step" covers=[64]
# The returned velocity holds the last gradient only; the sum of the earlier ones is lost.
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    new_params, new_velocity = {}, {}
    for name, theta in params.items():
        decay = weight_decay if name.startswith("W") else 0.0
        g = grads[name] + decay * theta
        new_velocity[name] = g
        new_params[name] = theta - lr * (momentum * velocity[name] + g)
    return new_params, new_velocity


# %% Averaged gradients exercise="sgd-step"
# You average the gradients, with a factor 1 - momentum before the new one. PyTorch and this lesson
# add them up.
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    new_params, new_velocity = {}, {}
    for name, theta in params.items():
        decay = weight_decay if name.startswith("W") else 0.0
        g = grads[name] + decay * theta
        new_velocity[name] = momentum * velocity[name] + (1 - momentum) * g
        new_params[name] = theta - lr * new_velocity[name]
    return new_params, new_velocity


# %% Learning rate inside the velocity exercise="sgd-step"
# The velocity holds the learning rate. As long as the rate is constant nobody sees it; when it
# drops, old steps keep their old length.
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    new_params, new_velocity = {}, {}
    for name, theta in params.items():
        decay = weight_decay if name.startswith("W") else 0.0
        g = grads[name] + decay * theta
        new_velocity[name] = momentum * velocity[name] + lr * g
        new_params[name] = theta - new_velocity[name]
    return new_params, new_velocity


# %% Nesterov's step exercise="sgd-step"
# This is Nesterov's momentum, which looks one step ahead. The task is plain momentum.
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    new_params, new_velocity = {}, {}
    for name, theta in params.items():
        decay = weight_decay if name.startswith("W") else 0.0
        g = grads[name] + decay * theta
        new_velocity[name] = momentum * velocity[name] + g
        new_params[name] = theta - lr * (g + momentum * new_velocity[name])
    return new_params, new_velocity


# %% Decay counted twice exercise="sgd-step" covers=[65]
# The penalty has a factor one half, so its gradient is weight_decay times the weight, once.
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    new_params, new_velocity = {}, {}
    for name, theta in params.items():
        decay = 2 * weight_decay if name.startswith("W") else 0.0
        new_velocity[name] = momentum * velocity[name] + grads[name] + decay * theta
        new_params[name] = theta - lr * new_velocity[name]
    return new_params, new_velocity


# %% Decay scaled by the rate twice exercise="sgd-step" covers=[66]
# The decay term is multiplied by the learning rate before it joins the gradient, and then again
# with it.
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    new_params, new_velocity = {}, {}
    for name, theta in params.items():
        decay = lr * weight_decay if name.startswith("W") else 0.0
        new_velocity[name] = momentum * velocity[name] + grads[name] + decay * theta
        new_params[name] = theta - lr * new_velocity[name]
    return new_params, new_velocity


# %% Decay not scaled by the rate exercise="sgd-step" covers=[66]
# The weights shrink by weight_decay itself at every step. The decay belongs into the gradient,
# which the learning rate scales.
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    new_params, new_velocity = {}, {}
    for name, theta in params.items():
        decay = weight_decay if name.startswith("W") else 0.0
        new_velocity[name] = momentum * velocity[name] + grads[name]
        new_params[name] = (1 - decay) * theta - lr * new_velocity[name]
    return new_params, new_velocity


# %% Decay beside the velocity exercise="sgd-step"
# The decay goes around the velocity (as in AdamW). In SGD as defined here it is part of the
# gradient, and momentum carries it on.
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    new_params, new_velocity = {}, {}
    for name, theta in params.items():
        decay = weight_decay if name.startswith("W") else 0.0
        new_velocity[name] = momentum * velocity[name] + grads[name]
        new_params[name] = theta - lr * new_velocity[name] - lr * decay * theta
    return new_params, new_velocity


# %% Biases decay too exercise="sgd-step" covers=[67]
# The biases decay as well. The task leaves them out: only names that start with W decay.
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    new_params, new_velocity = {}, {}
    for name, theta in params.items():
        new_velocity[name] = momentum * velocity[name] + grads[name] + weight_decay * theta
        new_params[name] = theta - lr * new_velocity[name]
    return new_params, new_velocity


# %% Updated in place exercise="sgd-step" covers=[24]
# The step writes into the arrays that it was given. Compute new ones.
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    for name, theta in params.items():
        decay = weight_decay if name.startswith("W") else 0.0
        velocity[name] *= momentum
        velocity[name] += grads[name] + decay * theta
        theta -= lr * velocity[name]
    return params, velocity


# %% Only the gradient written in place exercise="sgd-step" covers=[24]
# The decay is added into the caller's gradients. Compute a new array for the sum.
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    new_params, new_velocity = {}, {}
    for name, theta in params.items():
        g = grads[name]
        if name.startswith("W"):
            g += 0 * theta + weight_decay * theta
        v = velocity[name]
        v *= momentum
        v += g
        new_velocity[name] = v
        new_params[name] = theta - lr * v
    return new_params, new_velocity


# %% With comprehensions exercise="sgd-step" right=true
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    decay = {name: weight_decay * (name[0] == "W") for name in params}
    v = {k: momentum * velocity[k] + (grads[k] + decay[k] * params[k]) for k in params}
    return {k: params[k] - lr * v[k] for k in params}, v


# %% Velocity pointing downhill exercise="sgd-step" right=true
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    new_params, new_velocity = {}, {}
    for name, theta in params.items():
        decay = weight_decay if name.startswith("W") else 0.0
        g = grads[name] + decay * theta
        new_velocity[name] = momentum * velocity[name] - g
        new_params[name] = theta + lr * new_velocity[name]
    return new_params, new_velocity


# %% On copies exercise="sgd-step" right=true
def sgd_step(params, grads, velocity, lr, momentum=0.0, weight_decay=0.0):
    params = {name: value.copy() for name, value in params.items()}
    velocity = {name: value.copy() for name, value in velocity.items()}
    for name in params:
        velocity[name] *= momentum
        velocity[name] += grads[name]
        if not name.startswith("b"):
            velocity[name] += weight_decay * params[name]
        params[name] -= lr * velocity[name]
    return params, velocity


# %% Gradients pile up exercise="run-sgd" covers=[62]
# Gradients of earlier batches are added to those of the present one. Start each step with fresh
# gradients.
def run_sgd(loss_and_gradients, params, batches, lr, momentum=0.0, weight_decay=0.0):
    velocity = {name: np.zeros_like(theta) for name, theta in params.items()}
    total = {name: np.zeros_like(theta) for name, theta in params.items()}
    losses = []
    for batch in batches:
        loss, grads = loss_and_gradients(params, batch)
        losses.append(loss)
        total = {name: total[name] + grads[name] for name in total}
        params, velocity = sgd_step(params, total, velocity, lr, momentum, weight_decay)
    return params, losses


# %% Velocity new for each batch exercise="run-sgd" covers=[64]
# The velocity starts from zero at every batch, so momentum does nothing. It lives from the first
# batch to the last.
def run_sgd(loss_and_gradients, params, batches, lr, momentum=0.0, weight_decay=0.0):
    losses = []
    for batch in batches:
        velocity = {name: np.zeros_like(theta) for name, theta in params.items()}
        loss, grads = loss_and_gradients(params, batch)
        losses.append(loss)
        params, velocity = sgd_step(params, grads, velocity, lr, momentum, weight_decay)
    return params, losses


# %% Decay in the loss and in the optimizer exercise="run-sgd" covers=[65]
# The decay is added to the gradients here and once more in sgd_step: the weights shrink twice as
# fast.
def run_sgd(loss_and_gradients, params, batches, lr, momentum=0.0, weight_decay=0.0):
    velocity = {name: np.zeros_like(theta) for name, theta in params.items()}
    losses = []
    for batch in batches:
        loss, grads = loss_and_gradients(params, batch)
        losses.append(loss)
        grads = {k: g + weight_decay * params[k] * (k[0] == "W") for k, g in grads.items()}
        params, velocity = sgd_step(params, grads, velocity, lr, momentum, weight_decay)
    return params, losses


# %% Gradients at the first parameters exercise="run-sgd"
# Loss and gradients are always taken at the parameters of the start. Take them where the parameters
# are now.
def run_sgd(loss_and_gradients, params, batches, lr, momentum=0.0, weight_decay=0.0):
    current = params
    velocity = {name: np.zeros_like(theta) for name, theta in params.items()}
    losses = []
    for batch in batches:
        loss, grads = loss_and_gradients(params, batch)
        losses.append(loss)
        current, velocity = sgd_step(current, grads, velocity, lr, momentum, weight_decay)
    return current, losses


# %% Loss after the step exercise="run-sgd"
# The losses are measured after the step. The task asks for the loss before it, which comes with the
# gradients.
def run_sgd(loss_and_gradients, params, batches, lr, momentum=0.0, weight_decay=0.0):
    velocity = {name: np.zeros_like(theta) for name, theta in params.items()}
    losses = []
    for batch in batches:
        grads = loss_and_gradients(params, batch)[1]
        params, velocity = sgd_step(params, grads, velocity, lr, momentum, weight_decay)
        losses.append(loss_and_gradients(params, batch)[0])
    return params, losses


# %% First batch every time exercise="run-sgd"
# Every step uses the first mini-batch; the others are never seen.
def run_sgd(loss_and_gradients, params, batches, lr, momentum=0.0, weight_decay=0.0):
    velocity = {name: np.zeros_like(theta) for name, theta in params.items()}
    losses = []
    for _ in batches:
        loss, grads = loss_and_gradients(params, batches[0])
        losses.append(loss)
        params, velocity = sgd_step(params, grads, velocity, lr, momentum, weight_decay)
    return params, losses


# %% Arguments not passed on exercise="run-sgd" covers=[25]
# Momentum and weight decay do not reach the optimizer: pass them on.
def run_sgd(loss_and_gradients, params, batches, lr, momentum=0.0, weight_decay=0.0):
    velocity = {name: np.zeros_like(theta) for name, theta in params.items()}
    losses = []
    for batch in batches:
        loss, grads = loss_and_gradients(params, batch)
        losses.append(loss)
        params, velocity = sgd_step(params, grads, velocity, lr)
    return params, losses


# %% Given parameters overwritten exercise="run-sgd" covers=[24]
# The training writes into the parameters that it was given. Let a new name or new arrays hold the
# result.
def run_sgd(loss_and_gradients, params, batches, lr, momentum=0.0, weight_decay=0.0):
    velocity = {name: np.zeros_like(theta) for name, theta in params.items()}
    losses = []
    for batch in batches:
        loss, grads = loss_and_gradients(params, batch)
        losses.append(loss)
        new, velocity = sgd_step(params, grads, velocity, lr, momentum, weight_decay)
        for name in params:
            params[name][...] = new[name]
    return params, losses


# %% With its own update exercise="run-sgd" right=true
def run_sgd(loss_and_gradients, params, batches, lr, momentum=0.0, weight_decay=0.0):
    theta = {name: np.array(value, dtype=float) for name, value in params.items()}
    v = {name: 0.0 for name in params}
    losses = np.empty(len(batches))
    for i, batch in enumerate(batches):
        losses[i], grads = loss_and_gradients(theta, batch)
        for name in theta:
            g = grads[name] + (weight_decay * theta[name] if name[0] == "W" else 0)
            v[name] = momentum * v[name] + g
            theta[name] = theta[name] - lr * v[name]
    return theta, losses


# %% Every pattern possible exercise="q-signs"
# All ten derivatives share one factor δ. With positive inputs its sign is the sign of all of them.
q_positive = 1024
q_centred = 1024
q_minibatch = False


# %% Ten signs instead of patterns exercise="q-signs"
# Count patterns: each of ten signs is free to be plus or minus, independently of the others.
q_positive = 2
q_centred = 20
q_minibatch = False


# %% Rule of one sample taken for the batch exercise="q-signs"
# δ differs from sample to sample, in size and in sign. In their mean, weights can get different
# signs.
q_positive = 2
q_centred = 1024
q_minibatch = True


# %% Both branches are 1/2 at zero exercise="sigmoid" equivalent=true
# At z = 0 the numerator is 1 either way: e^-|0| = 1.
# - return np.where(z >= 0, 1, small) / (1 + small)
# + return np.where(z > 0, 1, small) / (1 + small)


# %% The maximum does not ask who comes first exercise="relu" equivalent=true
# np.maximum is symmetric.
# - return np.maximum(z, 0)
# + return np.maximum(0, z)


# %% True counts as 1 exercise="relu" equivalent=true
# The task asks for 1 and 0, and in every product that follows True and False are these numbers.
# - return (z > 0).astype(float)
# + return z > 0


# %% Both branches of leaky ReLU are 0 at zero exercise="relu" equivalent=true
# z and slope * z are both 0 at z = 0.
# - return np.where(z > 0, z, slope * z)
# + return np.where(z >= 0, z, slope * z)


# %% ELU takes the bent branch for negative numbers only exercise="relu" equivalent=true
# Both branches are 0 at z = 0, the minimum is symmetric, and where it would matter z itself is
# taken. Without it expm1 warns of an overflow that nobody reads; a warning costs nothing.
# - return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))
# + return np.where(z >= 0, z, alpha * np.expm1(np.minimum(z, 0)))
# + return np.where(z > 0, z, alpha * np.expm1(np.minimum(0, z)))
# + return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 1)))
# + return np.where(z > 0, z, alpha * np.expm1(z))


# %% A square has no sign, and both arrays have M rows exercise="l2-loss" equivalent=true
# (a - b)^2 = (b - a)^2; y and y_hat have the same shape.
# - return ((y_hat - y) ** 2).sum(axis=1).mean()
# + return ((y - y_hat) ** 2).sum(axis=1).mean()
# - return 2 * (y_hat - y) / len(y)
# + return 2 * (y_hat - y) / len(y_hat)


# %% Logits and labels have one shape exercise="bce" equivalent=true
# np.maximum is symmetric; z and y have the same number of entries.
# - return (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) - y * z).mean()
# + return (np.maximum(0, z) + np.log1p(np.exp(-np.abs(z))) - y * z).mean()
# - return (sigmoid(z) - y) / z.size
# + return (sigmoid(z) - y) / y.size


# %% As many labels as rows exercise="cross-entropy" equivalent=true
# z has M rows, and labels M entries.
# - return (log_sum - shifted[np.arange(len(z)), labels]).mean()
# + return (log_sum - shifted[np.arange(len(labels)), labels]).mean()
# - gradient[np.arange(len(z)), labels] -= 1
# + gradient[np.arange(len(labels)), labels] -= 1
# - return gradient / len(z)
# + return gradient / len(labels)


# %% The same numbers as lists, or not copied exercise="gradient-tensors" equivalent=true
# Nested lists of the right numbers are right in this course, and the task does not ask for a new
# array.
# - return np.array([[w[1], w[0], 0], [2 * w[0], 0, 3 * w[2] ** 2]])
# + return [[w[1], w[0], 0], [2 * w[0], 0, 3 * w[2] ** 2]]
# - return A.copy()
# + return A


# %% The only row is the last one, too exercise="softmax-jacobian" equivalent=true
# z[None] is a batch of one.
# - p = softmax(z[None])[0]
# + p = softmax(z[None])[-1]
# - return np.einsum('k,kl->l', softmax(z[None])[0] - y, softmax_jacobian(z))
# + return np.einsum('k,kl->l', softmax(z[None])[-1] - y, softmax_jacobian(z))


# %% Half the step, entries all overwritten exercise="numerical-gradient" equivalent=true
# With h = 5e-6 the central difference is as exact; the loop gives every entry its value.
# - def numerical_gradient(f, x, h=1e-05):
# + def numerical_gradient(f, x, h=5e-06):
# - gradient = np.zeros_like(x)
# + gradient = np.ones_like(x)


# %% The hidden maximum does not ask who comes first exercise="forward" equivalent=true
# np.maximum is symmetric.
# - u_H = np.maximum(z_H, 0)
# + u_H = np.maximum(0, z_H)


# %% Two empty dicts exercise="sgd-step" equivalent=true
# Both start empty.
# - new_params, new_velocity = ({}, {})
# + new_velocity, new_params = ({}, {})
