# %% [markdown]
# ## Rulers


# %% Each picture minus its own mean exercise="fit-stats" covers=[69]
# You subtract from each picture its own mean. The ruler comes from the training set and is the
# same for all pictures: normalize uses stats and nothing else.
def to_float(images):
    images = np.asarray(images)
    return images / 255.0 if images.dtype == np.uint8 else images


def fit_stats(images, kind):
    images = to_float(images)
    if kind == "mean image":
        mean = images.mean(axis=0)
        return mean, np.ones_like(mean)
    if kind not in ("channel mean", "channel mean and std"):
        raise ValueError(kind)
    mean = images.mean(axis=(0, 2, 3))[:, None, None]
    if kind == "channel mean":
        return mean, np.ones_like(mean)
    return mean, images.std(axis=(0, 2, 3))[:, None, None]


def normalize(images, stats):
    images = to_float(images)
    mean = images.mean(axis=(-3, -2, -1), keepdims=True)
    return (images - mean) / stats[1]


# %% New pictures measured with their own statistics exercise="fit-stats" covers=[68]
# normalize computes the mean and std of the batch that it is given. Test pictures are measured
# with the training set's ruler, the one in stats.
def to_float(images):
    images = np.asarray(images)
    return images / 255.0 if images.dtype == np.uint8 else images


def fit_stats(images, kind):
    images = to_float(images)
    if kind == "mean image":
        mean = images.mean(axis=0)
        return mean, np.ones_like(mean)
    if kind not in ("channel mean", "channel mean and std"):
        raise ValueError(kind)
    mean = images.mean(axis=(0, 2, 3))[:, None, None]
    if kind == "channel mean":
        return mean, np.ones_like(mean)
    return mean, images.std(axis=(0, 2, 3))[:, None, None]


def normalize(images, stats):
    images = to_float(images)
    batch = images if images.ndim == 4 else images[None]
    mean, std = fit_stats(batch, "channel mean and std")
    return (images - mean) / std


# %% One mean for all channels exercise="fit-stats" covers=[70]
# You take one mean and one std over everything. Red, green and blue have statistics of their own:
# average over pictures, rows and columns, not over channels.
def to_float(images):
    images = np.asarray(images)
    return images / 255.0 if images.dtype == np.uint8 else images


def fit_stats(images, kind):
    images = to_float(images)
    if kind == "mean image":
        mean = images.mean(axis=0)
        return mean, np.ones_like(mean)
    if kind not in ("channel mean", "channel mean and std"):
        raise ValueError(kind)
    C = images.shape[1]
    mean = np.full((C, 1, 1), images.mean())
    if kind == "channel mean":
        return mean, np.ones_like(mean)
    return mean, np.full((C, 1, 1), images.std())


def normalize(images, stats):
    return (to_float(images) - stats[0]) / stats[1]


# %% Mean image over the wrong axes exercise="fit-stats" covers=[71]
# The mean image averages over the pictures alone, axis 0. You averaged over the places, which
# leaves one number per channel and no image.
def to_float(images):
    images = np.asarray(images)
    return images / 255.0 if images.dtype == np.uint8 else images


def fit_stats(images, kind):
    images = to_float(images)
    if kind == "mean image":
        mean = np.broadcast_to(images.mean(axis=(0, 2, 3))[:, None, None], images.shape[1:])
        return mean, np.ones_like(mean)
    if kind not in ("channel mean", "channel mean and std"):
        raise ValueError(kind)
    mean = images.mean(axis=(0, 2, 3))[:, None, None]
    if kind == "channel mean":
        return mean, np.ones_like(mean)
    return mean, images.std(axis=(0, 2, 3))[:, None, None]


def normalize(images, stats):
    return (to_float(images) - stats[0]) / stats[1]


# %% Statistics before the division by 255 exercise="fit-stats" covers=[72]
# fit_stats works on the integers 0 to 255 and normalize on floats from 0 to 1. Ruler and pictures
# need one scale: to_float comes first in both.
def to_float(images):
    images = np.asarray(images)
    return images / 255.0 if images.dtype == np.uint8 else images


def fit_stats(images, kind):
    if kind == "mean image":
        mean = images.mean(axis=0)
        return mean, np.ones_like(mean)
    if kind not in ("channel mean", "channel mean and std"):
        raise ValueError(kind)
    mean = images.mean(axis=(0, 2, 3))[:, None, None]
    if kind == "channel mean":
        return mean, np.ones_like(mean)
    return mean, images.std(axis=(0, 2, 3))[:, None, None]


def normalize(images, stats):
    return (to_float(images) - stats[0]) / stats[1]


# %% normalize forgets the integers exercise="fit-stats"
# normalize subtracts a mean between 0 and 1 from integers up to 255. Bring uint8 to floats there
# too.
def to_float(images):
    images = np.asarray(images)
    return images / 255.0 if images.dtype == np.uint8 else images


def fit_stats(images, kind):
    images = to_float(images)
    if kind == "mean image":
        mean = images.mean(axis=0)
        return mean, np.ones_like(mean)
    if kind not in ("channel mean", "channel mean and std"):
        raise ValueError(kind)
    mean = images.mean(axis=(0, 2, 3))[:, None, None]
    if kind == "channel mean":
        return mean, np.ones_like(mean)
    return mean, images.std(axis=(0, 2, 3))[:, None, None]


def normalize(images, stats):
    return (images - stats[0]) / stats[1]


# %% Floats divided by 255 as well exercise="fit-stats"
# You divide by 255 whatever comes in. Floats are between 0 and 1 already; only uint8 is scaled.
def to_float(images):
    return np.asarray(images) / 255.0


def fit_stats(images, kind):
    images = to_float(images)
    if kind == "mean image":
        mean = images.mean(axis=0)
        return mean, np.ones_like(mean)
    if kind not in ("channel mean", "channel mean and std"):
        raise ValueError(kind)
    mean = images.mean(axis=(0, 2, 3))[:, None, None]
    if kind == "channel mean":
        return mean, np.ones_like(mean)
    return mean, images.std(axis=(0, 2, 3))[:, None, None]


def normalize(images, stats):
    return (to_float(images) - stats[0]) / stats[1]


# %% Scale guessed from the largest value exercise="fit-stats"
# You divide by the largest value of the batch. Then the scale depends on which pictures came in;
# the dtype says what the numbers mean, 255 is always white.
def to_float(images):
    images = np.asarray(images, dtype=float)
    return images / images.max()


def fit_stats(images, kind):
    images = to_float(images)
    if kind == "mean image":
        mean = images.mean(axis=0)
        return mean, np.ones_like(mean)
    if kind not in ("channel mean", "channel mean and std"):
        raise ValueError(kind)
    mean = images.mean(axis=(0, 2, 3))[:, None, None]
    if kind == "channel mean":
        return mean, np.ones_like(mean)
    return mean, images.std(axis=(0, 2, 3))[:, None, None]


def normalize(images, stats):
    return (to_float(images) - stats[0]) / stats[1]


# %% Divided by the variance exercise="fit-stats"
# You return the variance. The ruler is the standard deviation, its root: only that has the unit
# of a pixel.
def to_float(images):
    images = np.asarray(images)
    return images / 255.0 if images.dtype == np.uint8 else images


def fit_stats(images, kind):
    images = to_float(images)
    if kind == "mean image":
        mean = images.mean(axis=0)
        return mean, np.ones_like(mean)
    if kind not in ("channel mean", "channel mean and std"):
        raise ValueError(kind)
    mean = images.mean(axis=(0, 2, 3))[:, None, None]
    if kind == "channel mean":
        return mean, np.ones_like(mean)
    return mean, images.var(axis=(0, 2, 3))[:, None, None]


def normalize(images, stats):
    return (to_float(images) - stats[0]) / stats[1]


# %% Standard deviation within each picture exercise="fit-stats"
# You average the stds of the single pictures. That leaves out how pictures differ from each
# other; take the std over all pixels of the channel at once.
def to_float(images):
    images = np.asarray(images)
    return images / 255.0 if images.dtype == np.uint8 else images


def fit_stats(images, kind):
    images = to_float(images)
    if kind == "mean image":
        mean = images.mean(axis=0)
        return mean, np.ones_like(mean)
    if kind not in ("channel mean", "channel mean and std"):
        raise ValueError(kind)
    mean = images.mean(axis=(0, 2, 3))[:, None, None]
    if kind == "channel mean":
        return mean, np.ones_like(mean)
    return mean, images.std(axis=(2, 3)).mean(axis=0)[:, None, None]


def normalize(images, stats):
    return (to_float(images) - stats[0]) / stats[1]


# %% Unknown kinds pass exercise="fit-stats"
# A kind that is not in the table falls through to the last case. Say so with a ValueError: a typo
# should not choose a ruler.
def to_float(images):
    images = np.asarray(images)
    return images / 255.0 if images.dtype == np.uint8 else images


def fit_stats(images, kind):
    images = to_float(images)
    if kind == "mean image":
        mean = images.mean(axis=0)
        return mean, np.ones_like(mean)
    mean = images.mean(axis=(0, 2, 3))[:, None, None]
    if kind == "channel mean":
        return mean, np.ones_like(mean)
    return mean, images.std(axis=(0, 2, 3))[:, None, None]


def normalize(images, stats):
    return (to_float(images) - stats[0]) / stats[1]


# %% Centred in place exercise="fit-stats"
# `images -= mean` writes into the caller's array. Work on a new one.
def to_float(images):
    images = np.asarray(images)
    return images / 255.0 if images.dtype == np.uint8 else images


def fit_stats(images, kind):
    images = to_float(images)
    if kind == "mean image":
        mean = images.mean(axis=0)
        return mean, np.ones_like(mean)
    if kind not in ("channel mean", "channel mean and std"):
        raise ValueError(kind)
    mean = images.mean(axis=(0, 2, 3))[:, None, None]
    if kind == "channel mean":
        return mean, np.ones_like(mean)
    return mean, images.std(axis=(0, 2, 3))[:, None, None]


def normalize(images, stats):
    images = to_float(images)
    images -= stats[0]
    images /= stats[1]
    return images


# %% Rulers with keepdims and a dictionary of axes exercise="fit-stats" right=true
def to_float(images):
    images = np.asarray(images)
    return (
        images.astype(np.float64) / 255 if images.dtype.kind == "u" else images.astype(np.float64)
    )


def fit_stats(images, kind):
    axes = {"mean image": (0,), "channel mean": (0, 2, 3), "channel mean and std": (0, 2, 3)}
    if kind not in axes:
        raise ValueError("kind?")
    x = to_float(images)
    mean = x.mean(axis=axes[kind], keepdims=True)[0]
    std = x.std(axis=axes[kind], keepdims=True)[0] if kind.endswith("std") else mean * 0 + 1
    return mean, std


def normalize(images, stats):
    return np.divide(np.subtract(to_float(images), stats[0]), stats[1])


# %% Rulers in float32 by loops exercise="fit-stats" right=true
def to_float(images):
    if images.dtype == np.uint8:
        return (images / 255).astype(np.float32)
    return images


def fit_stats(images, kind):
    x = to_float(images)
    N, C, H, W = x.shape
    if kind == "mean image":
        return sum(x) / N, np.ones((C, H, W))
    if kind == "channel mean" or kind == "channel mean and std":
        mean, std = np.zeros((C, 1, 1)), np.ones((C, 1, 1))
        for c in range(C):
            mean[c] = np.sum(x[:, c]) / (N * H * W)
            if kind == "channel mean and std":
                std[c] = np.sqrt(np.sum((x[:, c] - mean[c]) ** 2) / (N * H * W))
        return mean, std
    raise ValueError("unknown kind")


def normalize(images, stats):
    mean, std = stats
    return (to_float(images) - mean) / std


# %% The slide believed exercise="q-rulers"
# The slide's example is not what the paper did. Per-pixel means: one number for each place and
# channel.
q_resnet_kind = "channel mean and std"
q_resnet_numbers = 6


# %% Channels forgotten in the count exercise="q-rulers"
# A mean image has the shape of a picture, with its three channels.
q_resnet_kind = "mean image"
q_resnet_numbers = 224 * 224


# %% [markdown]
# ## PCA


# %% Smallest variance first exercise="fit-pca"
# eigh returns the eigenvalues smallest first. Reverse them, and the columns of the axes with them.
def fit_pca(X):
    mean = X.mean(axis=0)
    centred = X - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(X))
    return mean, variances, axes


def decorrelate(X, pca):
    mean, _, axes = pca
    return (X - mean) @ axes


def whiten(X, pca, eps=1e-5):
    return decorrelate(X, pca) / np.sqrt(pca[1] + eps)


# %% Variances reversed, axes not exercise="fit-pca"
# You reversed the eigenvalues and left the eigenvectors in the old order: each variance now
# belongs to another axis.
def fit_pca(X):
    mean = X.mean(axis=0)
    centred = X - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(X))
    return mean, variances[::-1], axes


def decorrelate(X, pca):
    mean, _, axes = pca
    return (X - mean) @ axes


def whiten(X, pca, eps=1e-5):
    return decorrelate(X, pca) / np.sqrt(pca[1] + eps)


# %% PCA without centring exercise="fit-pca"
# The mean was not subtracted before the covariance. The first axis then points to where the cloud
# lies, not along it.
def fit_pca(X):
    mean = X.mean(axis=0)
    variances, axes = np.linalg.eigh(X.T @ X / len(X))
    return mean, variances[::-1], axes[:, ::-1]


def decorrelate(X, pca):
    mean, _, axes = pca
    return (X - mean) @ axes


def whiten(X, pca, eps=1e-5):
    return decorrelate(X, pca) / np.sqrt(pca[1] + eps)


# %% Eigenvectors as rows exercise="fit-pca"
# The axes come out as rows. The exercise wants axis j in column j, as eigh gives them.
def fit_pca(X):
    mean = X.mean(axis=0)
    centred = X - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(X))
    return mean, variances[::-1], axes[:, ::-1].T


def decorrelate(X, pca):
    mean, _, axes = pca
    return (X - mean) @ axes.T


def whiten(X, pca, eps=1e-5):
    return decorrelate(X, pca) / np.sqrt(pca[1] + eps)


# %% Covariance over n - 1 exercise="fit-pca"
# The covariance here divides by n.
def fit_pca(X):
    mean = X.mean(axis=0)
    variances, axes = np.linalg.eigh(np.cov(X.T))
    return mean, variances[::-1], axes[:, ::-1]


def decorrelate(X, pca):
    mean, _, axes = pca
    return (X - mean) @ axes


def whiten(X, pca, eps=1e-5):
    return decorrelate(X, pca) / np.sqrt(pca[1] + eps)


# %% New data centred on themselves exercise="fit-pca" covers=[68]
# decorrelate subtracts the mean of the data that it is given. It belongs to the fit: use pca's.
def fit_pca(X):
    mean = X.mean(axis=0)
    centred = X - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(X))
    return mean, variances[::-1], axes[:, ::-1]


def decorrelate(X, pca):
    return (X - X.mean(axis=0)) @ pca[2]


def whiten(X, pca, eps=1e-5):
    return decorrelate(X, pca) / np.sqrt(pca[1] + eps)


# %% Divided by the variance instead of its root exercise="fit-pca"
# Whitening divides by the standard deviation along each axis, the root of the variance.
def fit_pca(X):
    mean = X.mean(axis=0)
    centred = X - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(X))
    return mean, variances[::-1], axes[:, ::-1]


def decorrelate(X, pca):
    mean, _, axes = pca
    return (X - mean) @ axes


def whiten(X, pca, eps=1e-5):
    return decorrelate(X, pca) / (pca[1] + eps)


# %% eps outside the root exercise="fit-pca" covers=[80]
# eps stands under the root, next to the variance. Outside it acts much more strongly on small
# variances.
def fit_pca(X):
    mean = X.mean(axis=0)
    centred = X - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(X))
    return mean, variances[::-1], axes[:, ::-1]


def decorrelate(X, pca):
    mean, _, axes = pca
    return (X - mean) @ axes


def whiten(X, pca, eps=1e-5):
    return decorrelate(X, pca) / (np.sqrt(pca[1]) + eps)


# %% Turned back to pixels exercise="fit-pca"
# You turn back to the original axes after scaling (that is ZCA whitening). Asked for are the
# coordinates along the principal axes.
def fit_pca(X):
    mean = X.mean(axis=0)
    centred = X - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(X))
    return mean, variances[::-1], axes[:, ::-1]


def decorrelate(X, pca):
    mean, _, axes = pca
    return (X - mean) @ axes


def whiten(X, pca, eps=1e-5):
    return decorrelate(X, pca) / np.sqrt(pca[1] + eps) @ pca[2].T


# %% Coordinates along the rows exercise="fit-pca"
# decorrelate multiplies by the transposed axes. The axes are columns: coordinate j is the product
# with column j.
def fit_pca(X):
    mean = X.mean(axis=0)
    centred = X - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(X))
    return mean, variances[::-1], axes[:, ::-1]


def decorrelate(X, pca):
    mean, _, axes = pca
    return (X - mean) @ axes.T


def whiten(X, pca, eps=1e-5):
    mean, variances, axes = pca
    return (X - mean) @ axes / np.sqrt(variances + eps)


# %% PCA by singular values exercise="fit-pca" right=true
def fit_pca(X):
    mean = X.mean(0)
    _, scale, rows = np.linalg.svd(X - mean, full_matrices=False)
    return mean, scale**2 / X.shape[0], rows.T


def decorrelate(X, pca):
    return np.einsum("nd,dj->nj", X - pca[0], pca[2])


def whiten(X, pca, eps=1e-5):
    return decorrelate(X, pca) * (pca[1] + eps) ** -0.5


# %% PCA by eig and sorting exercise="fit-pca" right=true
def fit_pca(X):
    mean = np.mean(X, axis=0)
    values, vectors = np.linalg.eig(np.cov(X.T, bias=True))
    order = np.argsort(-values.real)
    return mean, values.real[order], -vectors.real[:, order]


def decorrelate(X, pca):
    return np.array([[np.dot(x - pca[0], pca[2][:, j]) for j in range(len(pca[0]))] for x in X])


def whiten(X, pca, eps=1e-5):
    Z = decorrelate(X, pca)
    for j in range(Z.shape[1]):
        Z[:, j] /= np.sqrt(pca[1][j] + eps)
    return Z


# %% Turning believed to help exercise="q-condition"
# Centring shrinks the condition number, turning leaves it as it is. The cloud far away from the
# origin has the longest valley.
q_worst = "centred"
q_white = 1


# %% A condition number of zero exercise="q-condition"
# All variances of the whitened cloud are 1, so the largest over the smallest is 1, not 0.
q_worst = "pixels"
q_white = 0


# %% [markdown]
# ## Leaks


# %% The same pictures in another order exercise="leaks"
# You only reorder the test set. Statistics such as a mean do not see the order: change which
# pictures are in it.
def leaks(prepare, train, test):
    a_train, a_test = prepare(train, test)
    b_train, b_test = prepare(train, test[::-1])
    return not (np.allclose(a_train, b_train) and np.allclose(a_test, b_test[::-1]))


# %% Only the training set looked at exercise="leaks"
# You catch the first kind of leak only. A test picture must not depend on the other test pictures
# either.
def leaks(prepare, train, test):
    whole, _ = prepare(train, test)
    alone, _ = prepare(train, test[:1])
    return not np.allclose(whole, alone)


# %% Only the test set looked at exercise="leaks"
# You catch the second kind of leak only. The prepared training set has to stay the same too when
# the test set changes.
def leaks(prepare, train, test):
    _, whole = prepare(train, test)
    for i in range(len(test)):
        if not np.allclose(prepare(train, test[i : i + 1])[1][0], whole[i]):
            return True
    return False


# %% The wrong index for a picture alone exercise="leaks"
# When picture i comes alone, its result stands at index 0. You compare it with picture 0 of the
# whole set, so everything seems to leak.
def leaks(prepare, train, test):
    whole_train, whole_test = prepare(train, test)
    for i in range(len(test)):
        alone_train, alone_test = prepare(train, test[i : i + 1])
        if not (
            np.allclose(alone_train, whole_train) and np.allclose(alone_test[0], whole_test[0])
        ):
            return True
    return False


# %% Any change called a leak exercise="leaks"
# You compare the prepared pictures with the originals. A preparation is meant to change them; the
# question is what the change depends on.
def leaks(prepare, train, test):
    prepared_train, prepared_test = prepare(train, test)
    return not (
        np.shape(prepared_train) == train.shape
        and np.allclose(prepared_train, train)
        and np.allclose(prepared_test, test)
    )


# %% Train and test compared by their means exercise="leaks"
# A mean near zero after preparation says nothing about where the numbers came from. Change the
# test set and see what moves.
def leaks(prepare, train, test):
    prepared_train, prepared_test = prepare(train, test)
    return bool(abs(np.mean(prepared_test)) < 1e-9)


# %% Only the last picture exchanged exercise="leaks"
# You leave out only the last test picture. A leak through an extreme value, or to one neighbour,
# gets away: try each picture alone.
def leaks(prepare, train, test):
    whole_train, whole_test = prepare(train, test)
    part_train, part_test = prepare(train, test[:-1])
    same = np.allclose(whole_train, part_train) and np.allclose(whole_test[1:-1], part_test[1:])
    return not same


# %% Only the first picture tried alone exercise="leaks"
# You try only the first test picture alone. A preparation can treat the first one cleanly and let
# the others hear of it: try each.
def leaks(prepare, train, test):
    whole_train, whole_test = prepare(train, test)
    alone_train, alone_test = prepare(train, test[:1])
    same = np.allclose(whole_train, alone_train) and np.allclose(whole_test[:1], alone_test)
    return not same


# %% The test set changed beyond recognition exercise="leaks" right=true
def leaks(prepare, train, test):
    first_train, first_test = prepare(train, test)
    for i in range(len(test)):
        other = 3 * test[::-1] + 5
        other[i] = test[i]
        other_train, other_test = prepare(train, other)
        if not np.allclose(first_train, other_train, atol=1e-7):
            return True
        if not np.allclose(first_test[i], other_test[i], atol=1e-7):
            return True
    return False


# %% Each picture alone, results stacked exercise="leaks" right=true
def leaks(prepare, train, test):
    whole = prepare(train, test)
    single = [prepare(train, x[None]) for x in test]
    trains_agree = all(np.abs(s[0] - whole[0]).max() < 1e-8 for s in single)
    tests_agree = np.abs(np.concatenate([s[1] for s in single]) - whole[1]).max() < 1e-8
    return bool(not (trains_agree and tests_agree))


# %% The split's own fraction taken exercise="q-split"
# 0.8 is the chance of one version. All ten have to fall on the same side.
q_clean = 800
q_first = "split"


# %% Augmenting first exercise="q-split"
# Splitting comes first. Then all versions of a picture stand on the same side.
q_clean = 107
q_first = "augment"


# %% [markdown]
# ## Flips, crops, shifts


# %% Flip along the wrong axis exercise="flip" covers=[123]
# You swapped the two: a horizontal flip exchanges left and right, which is the column axis, the
# last one.
def flip(x, horizontal=False, vertical=False):
    x = x[:, ::-1] if horizontal else x
    x = x[:, :, ::-1] if vertical else x
    return x.copy()


# %% Channels flipped exercise="flip" covers=[4]
# `x[::-1]` turns the first axis round: the channels. Red becomes blue, and nothing is mirrored.
def flip(x, horizontal=False, vertical=False):
    x = x[:, :, ::-1] if horizontal else x
    x = x[::-1] if vertical else x
    return x.copy()


# %% Always mirrored exercise="flip" covers=[124]
# The picture is mirrored whatever the parameters say. Without horizontal and vertical it stays as
# it is.
def flip(x, horizontal=False, vertical=False):
    x = x[:, :, ::-1]
    x = x[:, ::-1] if vertical else x
    return x.copy()


# %% Both flips exclude each other exercise="flip"
# With `elif` a picture cannot be flipped both ways. The two flips are independent of each other.
def flip(x, horizontal=False, vertical=False):
    if horizontal:
        return x[:, :, ::-1].copy()
    elif vertical:
        return x[:, ::-1].copy()
    return x.copy()


# %% Flipped in place exercise="flip" covers=[24]
# `x[...] = x[..., ::-1].copy()` overwrites the caller's picture. Return a new one.
def flip(x, horizontal=False, vertical=False):
    if horizontal:
        x[...] = x[:, :, ::-1].copy()
    if vertical:
        x[...] = x[:, ::-1].copy()
    return x


# %% Transposed instead of flipped exercise="flip" covers=[17]
# A transpose exchanges rows and columns. A mirror image keeps rows as rows.
def flip(x, horizontal=False, vertical=False):
    x = x.transpose(0, 2, 1) if horizontal else x
    x = x[:, ::-1] if vertical else x
    return x.copy()


# %% Flips by numpy's functions exercise="flip" right=true
def flip(x, horizontal=False, vertical=False):
    axes = [axis for axis, on in ((1, vertical), (2, horizontal)) if on]
    return np.flip(x, axis=axes).copy() if axes else np.array(x)


# %% Windows that leave the picture come out short exercise="crop"
# A slice that ends too late comes out short and one that starts at -1 counts from the end. Check
# first and raise ValueError.
def crop(x, top, left, height, width):
    return x[:, top : top + height, left : left + width].copy()


def shift(x, dy, dx, fill=0.0):
    C, H, W = x.shape
    out = np.full((C, H, W), fill, dtype=float)
    for i in range(max(dy, 0), min(H + dy, H)):
        for j in range(max(dx, 0), min(W + dx, W)):
            out[:, i, j] = x[:, i - dy, j - dx]
    return out


# %% The last window refused exercise="crop" covers=[125]
# A window may end exactly at the border: top + height may equal H. Your comparison refuses it.
def crop(x, top, left, height, width):
    _, H, W = x.shape
    if top < 0 or left < 0 or top + height >= H or left + width >= W:
        raise ValueError("outside")
    return x[:, top : top + height, left : left + width].copy()


def shift(x, dy, dx, fill=0.0):
    C, H, W = x.shape
    out = np.full((C, H, W), fill, dtype=float)
    for i in range(max(dy, 0), min(H + dy, H)):
        for j in range(max(dx, 0), min(W + dx, W)):
            out[:, i, j] = x[:, i - dy, j - dx]
    return out


# %% Negative starts allowed exercise="crop" covers=[126]
# A window at row -1 passes your check, and the slice then counts from the end. Starts below 0
# leave the picture too.
def crop(x, top, left, height, width):
    _, H, W = x.shape
    if top + height > H or left + width > W:
        raise ValueError("outside")
    return x[:, top : top + height, left : left + width].copy()


def shift(x, dy, dx, fill=0.0):
    C, H, W = x.shape
    out = np.full((C, H, W), fill, dtype=float)
    for i in range(max(dy, 0), min(H + dy, H)):
        for j in range(max(dx, 0), min(W + dx, W)):
            out[:, i, j] = x[:, i - dy, j - dx]
    return out


# %% Bounds of rows used for columns exercise="crop" covers=[17]
# Rows are checked against the width and columns against the height. That is right for square
# pictures only.
def crop(x, top, left, height, width):
    _, W, H = x.shape
    if top < 0 or left < 0 or top + height > H or left + width > W:
        raise ValueError("outside")
    return x[:, top : top + height, left : left + width].copy()


def shift(x, dy, dx, fill=0.0):
    C, H, W = x.shape
    out = np.full((C, H, W), fill, dtype=float)
    for i in range(max(dy, 0), min(H + dy, H)):
        for j in range(max(dx, 0), min(W + dx, W)):
            out[:, i, j] = x[:, i - dy, j - dx]
    return out


# %% End instead of size exercise="crop"
# height and width are the size of the window, not its lower right corner: the slice ends at
# top + height.
def crop(x, top, left, height, width):
    _, H, W = x.shape
    if top < 0 or left < 0 or top + height > H or left + width > W:
        raise ValueError("outside")
    return x[:, top:height, left:width].copy()


def shift(x, dy, dx, fill=0.0):
    C, H, W = x.shape
    out = np.full((C, H, W), fill, dtype=float)
    for i in range(max(dy, 0), min(H + dy, H)):
        for j in range(max(dx, 0), min(W + dx, W)):
            out[:, i, j] = x[:, i - dy, j - dx]
    return out


# %% What leaves comes back on the other side exercise="crop"
# np.roll wraps round: what leaves at the right comes back at the left. It should be lost, and the
# uncovered pixels become fill.
def crop(x, top, left, height, width):
    _, H, W = x.shape
    if top < 0 or left < 0 or top + height > H or left + width > W:
        raise ValueError("outside")
    return x[:, top : top + height, left : left + width].copy()


def shift(x, dy, dx, fill=0.0):
    return np.roll(x, (dy, dx), axis=(1, 2))


# %% Shifted the other way exercise="crop"
# The picture moves up and to the left. Pixel (i, j) of the result is pixel (i - dy, j - dx) of x.
def crop(x, top, left, height, width):
    _, H, W = x.shape
    if top < 0 or left < 0 or top + height > H or left + width > W:
        raise ValueError("outside")
    return x[:, top : top + height, left : left + width].copy()


def shift(x, dy, dx, fill=0.0):
    C, H, W = x.shape
    out = np.full((C, H, W), fill, dtype=float)
    for i in range(max(-dy, 0), min(H - dy, H)):
        for j in range(max(-dx, 0), min(W - dx, W)):
            out[:, i, j] = x[:, i + dy, j + dx]
    return out


# %% dy to the right, dx down exercise="crop" covers=[17]
# dy and dx changed places: dy moves along rows, downwards.
def crop(x, top, left, height, width):
    _, H, W = x.shape
    if top < 0 or left < 0 or top + height > H or left + width > W:
        raise ValueError("outside")
    return x[:, top : top + height, left : left + width].copy()


def shift(x, dy, dx, fill=0.0):
    dy, dx = dx, dy
    C, H, W = x.shape
    out = np.full((C, H, W), fill, dtype=float)
    for i in range(max(dy, 0), min(H + dy, H)):
        for j in range(max(dx, 0), min(W + dx, W)):
            out[:, i, j] = x[:, i - dy, j - dx]
    return out


# %% Filled with zeros only exercise="crop"
# The uncovered pixels are always 0. They should be fill.
def crop(x, top, left, height, width):
    _, H, W = x.shape
    if top < 0 or left < 0 or top + height > H or left + width > W:
        raise ValueError("outside")
    return x[:, top : top + height, left : left + width].copy()


def shift(x, dy, dx, fill=0.0):
    C, H, W = x.shape
    out = np.zeros((C, H, W))
    for i in range(max(dy, 0), min(H + dy, H)):
        for j in range(max(dx, 0), min(W + dx, W)):
            out[:, i, j] = x[:, i - dy, j - dx]
    return out


# %% A shift of zero empties the picture exercise="crop" covers=[52]
# `x[:, :-dy]` with dy = 0 is empty. Compute both ends of the slice from the size.
def crop(x, top, left, height, width):
    _, H, W = x.shape
    if top < 0 or left < 0 or top + height > H or left + width > W:
        raise ValueError("outside")
    return x[:, top : top + height, left : left + width].copy()


def shift(x, dy, dx, fill=0.0):
    out = np.full(x.shape, fill, dtype=float)
    part = x[:, :-dy] if dy >= 0 else x[:, -dy:]
    part = part[:, :, :-dx] if dx >= 0 else part[:, :, -dx:]
    _, h, w = part.shape
    top, left = max(dy, 0), max(dx, 0)
    out[:, top : top + h, left : left + w] = part
    return out


# %% Shift pixel by pixel exercise="crop" right=true
def crop(x, top, left, height, width):
    C, H, W = x.shape
    if not (0 <= top <= H - height and 0 <= left <= W - width):
        raise ValueError("the window leaves the picture")
    return np.array(x[:, top : top + height, left : left + width])


def shift(x, dy, dx, fill=0.0):
    C, H, W = x.shape
    out = np.empty((C, H, W))
    for i in range(H):
        for j in range(W):
            inside = 0 <= i - dy < H and 0 <= j - dx < W
            out[:, i, j] = x[:, i - dy, j - dx] if inside else fill
    return out


# %% Shift by roll, then painted over exercise="crop" right=true
def crop(x, top, left, height, width):
    if min(top, left) < 0 or top + height > x.shape[1] or left + width > x.shape[2]:
        raise ValueError
    return x[:, top : top + height, left : left + width]


def shift(x, dy, dx, fill=0.0):
    _, H, W = x.shape
    out = np.roll(np.asarray(x, dtype=float), (dy, dx), axis=(1, 2))
    i, j = np.mgrid[:H, :W]
    lost = (i - dy < 0) | (i - dy >= H) | (j - dx < 0) | (j - dx >= W)
    out[:, lost] = fill
    return out


# %% [markdown]
# ## Reading between pixels


# %% Nearest pixel exercise="sample"
# You round to the nearest pixel. Bilinear reading mixes four neighbours by their distances.
def sample(x, rows, cols, outside="zero"):
    _, H, W = x.shape
    i, j = np.rint(rows).astype(int), np.rint(cols).astype(int)
    inside = (i >= 0) & (i < H) & (j >= 0) & (j < W)
    out = x[:, i.clip(0, H - 1), j.clip(0, W - 1)]
    return out if outside == "edge" else out * inside


# %% Weights of the neighbours exchanged exercise="sample"
# The nearer neighbour gets the smaller weight. At a = 0 all of the weight belongs to row i.
def sample(x, rows, cols, outside="zero"):
    _, H, W = x.shape
    rows, cols = np.asarray(rows, dtype=float), np.asarray(cols, dtype=float)
    if outside == "edge":
        rows, cols = rows.clip(0, H - 1), cols.clip(0, W - 1)
    i, j = np.floor(rows).astype(int), np.floor(cols).astype(int)
    a, b = rows - i, cols - j
    out = 0.0
    for row, u in ((i, a), (i + 1, 1 - a)):
        for col, v in ((j, b), (j + 1, 1 - b)):
            inside = (row >= 0) & (row < H) & (col >= 0) & (col < W)
            out = out + x[:, row.clip(0, H - 1), col.clip(0, W - 1)] * (u * v * inside)
    return out


# %% Rows and columns exchanged exercise="sample" covers=[17]
# rows index the first axis of the picture, columns the second. You read the transposed picture.
def sample(x, rows, cols, outside="zero"):
    x = x.transpose(0, 2, 1)
    _, H, W = x.shape
    rows, cols = np.asarray(rows, dtype=float), np.asarray(cols, dtype=float)
    if outside == "edge":
        rows, cols = rows.clip(0, H - 1), cols.clip(0, W - 1)
    i, j = np.floor(rows).astype(int), np.floor(cols).astype(int)
    a, b = rows - i, cols - j
    out = 0.0
    for row, u in ((i, 1 - a), (i + 1, a)):
        for col, v in ((j, 1 - b), (j + 1, b)):
            inside = (row >= 0) & (row < H) & (col >= 0) & (col < W)
            out = out + x[:, row.clip(0, H - 1), col.clip(0, W - 1)] * (u * v * inside)
    return out


# %% Always the edge exercise="sample"
# Positions outside are moved to the border in both cases. With "zero" the ground around the
# picture is black, and counts with its weight.
def sample(x, rows, cols, outside="zero"):
    _, H, W = x.shape
    rows, cols = np.clip(rows, 0, H - 1), np.clip(cols, 0, W - 1)
    i, j = np.floor(rows).astype(int), np.floor(cols).astype(int)
    a, b = rows - i, cols - j
    out = 0.0
    for row, u in ((i, 1 - a), (i + 1, a)):
        for col, v in ((j, 1 - b), (j + 1, b)):
            out = out + x[:, row.clip(0, H - 1), col.clip(0, W - 1)] * (u * v)
    return out


# %% Always black outside exercise="sample"
# The argument outside is not used: "edge" should move the position to the nearest one inside.
def sample(x, rows, cols, outside="zero"):
    _, H, W = x.shape
    rows, cols = np.asarray(rows, dtype=float), np.asarray(cols, dtype=float)
    i, j = np.floor(rows).astype(int), np.floor(cols).astype(int)
    a, b = rows - i, cols - j
    out = 0.0
    for row, u in ((i, 1 - a), (i + 1, a)):
        for col, v in ((j, 1 - b), (j + 1, b)):
            inside = (row >= 0) & (row < H) & (col >= 0) & (col < W)
            out = out + x[:, row.clip(0, H - 1), col.clip(0, W - 1)] * (u * v * inside)
    return out


# %% Black as soon as the position is outside exercise="sample"
# Half a pixel beyond the border the neighbour inside still counts with half of its weight. You
# drop the whole position.
def sample(x, rows, cols, outside="zero"):
    _, H, W = x.shape
    rows, cols = np.asarray(rows, dtype=float), np.asarray(cols, dtype=float)
    inside = (rows >= 0) & (rows <= H - 1) & (cols >= 0) & (cols <= W - 1)
    rows, cols = rows.clip(0, H - 1), cols.clip(0, W - 1)
    i, j = np.floor(rows).astype(int), np.floor(cols).astype(int)
    a, b = rows - i, cols - j
    out = 0.0
    for row, u in ((i, 1 - a), (i + 1, a)):
        for col, v in ((j, 1 - b), (j + 1, b)):
            out = out + x[:, row.clip(0, H - 1), col.clip(0, W - 1)] * (u * v)
    return out if outside == "edge" else out * inside


# %% Negative positions cut towards zero exercise="sample"
# astype(int) cuts towards zero: -0.3 becomes 0. The pixel above it is floor(-0.3) = -1.
def sample(x, rows, cols, outside="zero"):
    _, H, W = x.shape
    rows, cols = np.asarray(rows, dtype=float), np.asarray(cols, dtype=float)
    if outside == "edge":
        rows, cols = rows.clip(0, H - 1), cols.clip(0, W - 1)
    i, j = rows.astype(int), cols.astype(int)
    a, b = rows - i, cols - j
    out = 0.0
    for row, u in ((i, 1 - a), (i + 1, a)):
        for col, v in ((j, 1 - b), (j + 1, b)):
            inside = (row >= 0) & (row < H) & (col >= 0) & (col < W)
            out = out + x[:, row.clip(0, H - 1), col.clip(0, W - 1)] * (u * v * inside)
    return out


# %% Pixels from the opposite side exercise="sample"
# Index -1 is the last pixel in Python, so the opposite side shines through at the border.
def sample(x, rows, cols, outside="zero"):
    _, H, W = x.shape
    rows, cols = np.asarray(rows, dtype=float), np.asarray(cols, dtype=float)
    if outside == "edge":
        rows, cols = rows.clip(0, H - 1), cols.clip(0, W - 1)
    i, j = np.floor(rows).astype(int), np.floor(cols).astype(int)
    a, b = rows - i, cols - j
    out = 0.0
    for row, u in ((i, 1 - a), (i + 1, a)):
        for col, v in ((j, 1 - b), (j + 1, b)):
            out = out + x[:, row % H, col % W] * (u * v)
    return out


# %% Positions flattened exercise="sample"
# The result lists the positions one after the other. It keeps the shape S of rows and cols behind
# the channel axis.
def sample(x, rows, cols, outside="zero"):
    _, H, W = x.shape
    rows, cols = np.ravel(rows), np.ravel(cols)
    if outside == "edge":
        rows, cols = np.clip(rows, 0, H - 1), np.clip(cols, 0, W - 1)
    hat_rows = np.maximum(0, 1 - abs(rows[:, None] - np.arange(H)))
    hat_cols = np.maximum(0, 1 - abs(cols[:, None] - np.arange(W)))
    return np.einsum("si,sj,cij->cs", hat_rows, hat_cols, x)


# %% Sampling as two hats exercise="sample" right=true
def sample(x, rows, cols, outside="zero"):
    _, H, W = x.shape
    if outside == "edge":
        rows, cols = np.clip(rows, 0, H - 1), np.clip(cols, 0, W - 1)
    hat_rows = np.maximum(0, 1 - abs(np.asarray(rows)[..., None] - np.arange(H)))
    hat_cols = np.maximum(0, 1 - abs(np.asarray(cols)[..., None] - np.arange(W)))
    return np.einsum("...i,...j,cij->c...", hat_rows, hat_cols, x)


# %% Sampling from a padded picture, position by position exercise="sample" right=true
def sample(x, rows, cols, outside="zero"):
    rows, cols = np.asarray(rows, dtype=float), np.asarray(cols, dtype=float)
    C, H, W = x.shape
    out = np.zeros((C,) + rows.shape)
    for place in np.ndindex(*rows.shape):
        r, c = rows[place], cols[place]
        if outside == "edge":
            r, c = min(max(r, 0), H - 1), min(max(c, 0), W - 1)
        i, j = int(np.floor(r)), int(np.floor(c))
        for row in (i, i + 1):
            for col in (j, j + 1):
                if 0 <= row < H and 0 <= col < W:
                    weight = (1 - abs(r - row)) * (1 - abs(c - col))
                    out[(slice(None),) + place] += weight * x[:, row, col]
    return out


# %% Corners pinned exercise="resize"
# You pin the corner pixels onto each other. Pixels are squares: the centre of new pixel i lies at
# (i + 1/2) H / h - 1/2.
def resize(x, height, width):
    _, H, W = x.shape
    rows, cols = np.linspace(0, H - 1, height), np.linspace(0, W - 1, width)
    return sample(x, *np.meshgrid(rows, cols, indexing="ij"), outside="edge")


# %% Half pixels left out exercise="resize"
# Without the two halves the picture slides towards the upper left corner.
def resize(x, height, width):
    _, H, W = x.shape
    rows, cols = np.arange(height) * H / height, np.arange(width) * W / width
    return sample(x, *np.meshgrid(rows, cols, indexing="ij"), outside="edge")


# %% Scale turned round exercise="resize"
# The factor is old over new, H / height: it says how far apart in the *source* two new pixels are.
def resize(x, height, width):
    _, H, W = x.shape
    rows = (np.arange(height) + 0.5) * height / H - 0.5
    cols = (np.arange(width) + 0.5) * width / W - 0.5
    return sample(x, *np.meshgrid(rows, cols, indexing="ij"), outside="edge")


# %% Dark rim after resizing exercise="resize"
# Positions beyond the first and the last pixel's centre read black. Use outside="edge".
def resize(x, height, width):
    _, H, W = x.shape
    rows = (np.arange(height) + 0.5) * H / height - 0.5
    cols = (np.arange(width) + 0.5) * W / width - 0.5
    return sample(x, *np.meshgrid(rows, cols, indexing="ij"))


# %% One factor for both axes exercise="resize" covers=[16]
# Columns have a factor of their own, W / width.
def resize(x, height, width):
    _, H, W = x.shape
    rows = (np.arange(height) + 0.5) * H / height - 0.5
    cols = (np.arange(width) + 0.5) * H / height - 0.5
    return sample(x, *np.meshgrid(rows, cols, indexing="ij"), outside="edge")


# %% Result transposed exercise="resize" covers=[17]
# np.meshgrid gives columns first unless you say indexing="ij": the result lies on its side.
def resize(x, height, width):
    _, H, W = x.shape
    rows = (np.arange(height) + 0.5) * H / height - 0.5
    cols = (np.arange(width) + 0.5) * W / width - 0.5
    return sample(x, *np.meshgrid(rows, cols), outside="edge")


# %% Resized by two matrices exercise="resize" right=true
def resize(x, height, width):
    def weights(n, m):
        at = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0, n - 1)
        return np.maximum(0, 1 - abs(at[:, None] - np.arange(n)))

    return weights(x.shape[1], height) @ x @ weights(x.shape[2], width).T


# %% Read forwards instead of back exercise="warp"
# You read at A(p - m) + m. Where an output pixel comes *from* is the inverse of where it goes: a
# stretch by 2 now shrinks.
def rotation(degrees):
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def shear(factor):
    return np.array([[1.0, 0.0], [factor, 1.0]])


def stretch(down, across):
    return np.array([[down, 0.0], [0.0, across]])


def warp(x, matrix):
    _, H, W = x.shape
    middle = np.array([(H - 1) / 2, (W - 1) / 2])
    grid = np.stack(np.meshgrid(np.arange(H), np.arange(W), indexing="ij"), axis=-1)
    rows, cols = np.moveaxis((grid - middle) @ np.asarray(matrix).T + middle, -1, 0)
    return sample(x, rows, cols)


# %% Turned round the corner exercise="warp"
# The map acts on offsets from the centre of the picture. You let it act on positions, so the
# picture swings round its upper left corner.
def rotation(degrees):
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def shear(factor):
    return np.array([[1.0, 0.0], [factor, 1.0]])


def stretch(down, across):
    return np.array([[down, 0.0], [0.0, across]])


def warp(x, matrix):
    _, H, W = x.shape
    grid = np.stack(np.meshgrid(np.arange(H), np.arange(W), indexing="ij"), axis=-1)
    rows, cols = np.moveaxis(grid @ np.linalg.inv(matrix).T, -1, 0)
    return sample(x, rows, cols)


# %% Centre half a pixel off exercise="warp"
# Positions are those of pixel centres, 0 to H - 1, so the middle is (H - 1)/2, not H/2.
def rotation(degrees):
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def shear(factor):
    return np.array([[1.0, 0.0], [factor, 1.0]])


def stretch(down, across):
    return np.array([[down, 0.0], [0.0, across]])


def warp(x, matrix):
    _, H, W = x.shape
    middle = np.array([H / 2, W / 2])
    grid = np.stack(np.meshgrid(np.arange(H), np.arange(W), indexing="ij"), axis=-1)
    rows, cols = np.moveaxis((grid - middle) @ np.linalg.inv(matrix).T + middle, -1, 0)
    return sample(x, rows, cols)


# %% Inverse taken for the transpose exercise="warp"
# The transpose is the inverse for rotations only. A shear and a stretch need np.linalg.inv.
def rotation(degrees):
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def shear(factor):
    return np.array([[1.0, 0.0], [factor, 1.0]])


def stretch(down, across):
    return np.array([[down, 0.0], [0.0, across]])


def warp(x, matrix):
    _, H, W = x.shape
    middle = np.array([(H - 1) / 2, (W - 1) / 2])
    grid = np.stack(np.meshgrid(np.arange(H), np.arange(W), indexing="ij"), axis=-1)
    rows, cols = np.moveaxis((grid - middle) @ np.asarray(matrix) + middle, -1, 0)
    return sample(x, rows, cols)


# %% Border pixels smeared outwards exercise="warp"
# Where nothing came from the picture is black. With "edge" the border pixels run on as streaks.
def rotation(degrees):
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def shear(factor):
    return np.array([[1.0, 0.0], [factor, 1.0]])


def stretch(down, across):
    return np.array([[down, 0.0], [0.0, across]])


def warp(x, matrix):
    _, H, W = x.shape
    middle = np.array([(H - 1) / 2, (W - 1) / 2])
    grid = np.stack(np.meshgrid(np.arange(H), np.arange(W), indexing="ij"), axis=-1)
    rows, cols = np.moveaxis((grid - middle) @ np.linalg.inv(matrix).T + middle, -1, 0)
    return sample(x, rows, cols, outside="edge")


# %% Degrees taken for radians exercise="warp"
# cos and sin take radians. 90 radians is a bit more than 14 full turns.
def rotation(degrees):
    return np.array([[np.cos(degrees), -np.sin(degrees)], [np.sin(degrees), np.cos(degrees)]])


def shear(factor):
    return np.array([[1.0, 0.0], [factor, 1.0]])


def stretch(down, across):
    return np.array([[down, 0.0], [0.0, across]])


def warp(x, matrix):
    _, H, W = x.shape
    middle = np.array([(H - 1) / 2, (W - 1) / 2])
    grid = np.stack(np.meshgrid(np.arange(H), np.arange(W), indexing="ij"), axis=-1)
    rows, cols = np.moveaxis((grid - middle) @ np.linalg.inv(matrix).T + middle, -1, 0)
    return sample(x, rows, cols)


# %% Clockwise exercise="warp"
# This turns clockwise. Rows grow downwards, which swaps the sign of the angle against the
# textbook.
def rotation(degrees):
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def shear(factor):
    return np.array([[1.0, 0.0], [factor, 1.0]])


def stretch(down, across):
    return np.array([[down, 0.0], [0.0, across]])


def warp(x, matrix):
    _, H, W = x.shape
    middle = np.array([(H - 1) / 2, (W - 1) / 2])
    grid = np.stack(np.meshgrid(np.arange(H), np.arange(W), indexing="ij"), axis=-1)
    rows, cols = np.moveaxis((grid - middle) @ np.linalg.inv(matrix).T + middle, -1, 0)
    return sample(x, rows, cols)


# %% Shear of rows instead of columns exercise="warp"
# The factor stands in the wrong corner: columns move with the row offset, rows stay.
def rotation(degrees):
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def shear(factor):
    return np.array([[1.0, factor], [0.0, 1.0]])


def stretch(down, across):
    return np.array([[down, 0.0], [0.0, across]])


def warp(x, matrix):
    _, H, W = x.shape
    middle = np.array([(H - 1) / 2, (W - 1) / 2])
    grid = np.stack(np.meshgrid(np.arange(H), np.arange(W), indexing="ij"), axis=-1)
    rows, cols = np.moveaxis((grid - middle) @ np.linalg.inv(matrix).T + middle, -1, 0)
    return sample(x, rows, cols)


# %% Warp pixel by pixel exercise="warp" right=true
def rotation(degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]])


def shear(factor):
    return np.array([[1, 0], [factor, 1]], dtype=float)


def stretch(down, across):
    return np.diag([down, across])


def warp(x, matrix):
    C, H, W = x.shape
    rows, cols = np.zeros((H, W)), np.zeros((H, W))
    for i in range(H):
        for j in range(W):
            v = np.linalg.solve(matrix, [i - (H - 1) / 2, j - (W - 1) / 2])
            rows[i, j], cols[i, j] = v[0] + (H - 1) / 2, v[1] + (W - 1) / 2
    return sample(x, rows, cols)


# %% [markdown]
# ## Light, noise, colour, holes


# %% Brightness not clipped exercise="adjust" covers=[128]
# Values above 1 and below 0 remain. There is nothing whiter than 1: clip at the end.
def adjust(x, contrast=1.0, brightness=0.0):
    m = x.mean()
    return m + contrast * (x - m) + brightness


# %% Clipped at one end exercise="adjust" covers=[128]
# You clip at 1 and leave negative values.
def adjust(x, contrast=1.0, brightness=0.0):
    m = x.mean()
    return np.minimum(m + contrast * (x - m) + brightness, 1.0)


# %% Contrast around zero exercise="adjust"
# Multiplying by the contrast changes the brightness too. Contrast pulls values apart around the
# mean.
def adjust(x, contrast=1.0, brightness=0.0):
    return np.clip(contrast * x + brightness, 0.0, 1.0)


# %% Contrast around one half exercise="adjust"
# The values are pulled apart around 0.5. Take the picture's own mean.
def adjust(x, contrast=1.0, brightness=0.0):
    return np.clip(0.5 + contrast * (x - 0.5) + brightness, 0.0, 1.0)


# %% A mean for each channel exercise="adjust"
# Each channel is pulled apart around its own mean, which changes colours: m is one number.
def adjust(x, contrast=1.0, brightness=0.0):
    m = x.mean(axis=(1, 2), keepdims=True)
    return np.clip(m + contrast * (x - m) + brightness, 0.0, 1.0)


# %% Brightness multiplied by the contrast exercise="adjust"
# Brightness comes after contrast and is not multiplied by it.
def adjust(x, contrast=1.0, brightness=0.0):
    m = x.mean()
    return np.clip(m + contrast * (x - m + brightness), 0.0, 1.0)


# %% Clipped between the two steps as well exercise="adjust"
# You clip after the contrast and again after the brightness. One clip at the end: what the first
# one cuts off cannot come back.
def adjust(x, contrast=1.0, brightness=0.0):
    m = x.mean()
    return np.clip(np.clip(m + contrast * (x - m), 0, 1) + brightness, 0.0, 1.0)


# %% Brightened in place exercise="adjust" covers=[24]
# `x += brightness` changes the caller's picture.
def adjust(x, contrast=1.0, brightness=0.0):
    m = x.mean()
    x -= m
    x *= contrast
    x += m + brightness
    return np.clip(x, 0.0, 1.0)


# %% Adjusted in one line of algebra exercise="adjust" right=true
def adjust(x, contrast=1.0, brightness=0.0):
    out = contrast * x + ((1 - contrast) * np.average(x) + brightness)
    out[out < 0] = 0
    out[out > 1] = 1
    return out


# %% Noise not clipped exercise="noise" covers=[128]
# Noise pushes bright pixels above 1 and dark ones below 0: clip.
def add_noise(x, noise):
    return x + noise


def sample_noise(rng, shape, sigma):
    return rng.normal(0.0, sigma, size=shape)


# %% One noise for all channels exercise="noise" covers=[131]
# All channels get the same noise, which makes it gray. Each number of the picture has a draw of
# its own.
def add_noise(x, noise):
    return np.clip(x + noise, 0.0, 1.0)


def sample_noise(rng, shape, sigma):
    C, H, W = shape
    return np.broadcast_to(rng.normal(0.0, sigma, size=(H, W)), shape)


# %% One number for each channel exercise="noise" covers=[131]
# A single draw for a channel shifts its brightness. Noise differs from pixel to pixel.
def add_noise(x, noise):
    return np.clip(x + noise, 0.0, 1.0)


def sample_noise(rng, shape, sigma):
    C, H, W = shape
    return np.broadcast_to(rng.normal(0.0, sigma, size=(C, 1, 1)), shape)


# %% Variance taken for the standard deviation exercise="noise"
# rng.normal takes the standard deviation; you gave it sigma squared.
def add_noise(x, noise):
    return np.clip(x + noise, 0.0, 1.0)


def sample_noise(rng, shape, sigma):
    return rng.normal(0.0, sigma**2, size=shape)


# %% Uniform noise exercise="noise"
# This noise is uniform between -sigma and sigma: its standard deviation is 0.58 sigma, and it has
# no tails.
def add_noise(x, noise):
    return np.clip(x + noise, 0.0, 1.0)


def sample_noise(rng, shape, sigma):
    return rng.uniform(-sigma, sigma, size=shape)


# %% Noise that only brightens exercise="noise"
# The absolute value leaves positive noise only. Noise has mean 0.
def add_noise(x, noise):
    return np.clip(x + noise, 0.0, 1.0)


def sample_noise(rng, shape, sigma):
    return np.abs(rng.normal(0.0, sigma, size=shape))


# %% Noise from the global generator exercise="noise" covers=[25]
# np.random.normal draws from a generator that everybody shares, so the same seed does not give
# the same noise again. Draw from rng.
def add_noise(x, noise):
    return np.clip(x + noise, 0.0, 1.0)


def sample_noise(rng, shape, sigma):
    return np.random.normal(0.0, sigma, size=shape)


# %% The same noise at every call exercise="noise" covers=[138]
# A new generator with a fixed seed gives the same noise for every picture. Draw from rng.
def add_noise(x, noise):
    return np.clip(x + noise, 0.0, 1.0)


def sample_noise(rng, shape, sigma):
    return np.random.default_rng(0).normal(0.0, sigma, size=shape)


# %% Noise from standard normals exercise="noise" right=true
def add_noise(x, noise):
    return np.minimum(np.maximum(np.add(x, noise), 0), 1)


def sample_noise(rng, shape, sigma):
    return (sigma * rng.standard_normal(shape)).astype(np.float32)


# %% PCA on whole pictures exercise="pca-colour" covers=[129]
# The PCA is over whole pictures, 3·H·W numbers a row. Here a row is one pixel, with its three
# colours.
def colour_pca(images):
    X = images.reshape(len(images), -1)
    _, values, axes = fit_pca(X)
    return values, axes


def pca_colour(x, values, axes, alpha):
    offset = axes @ (np.asarray(alpha) * values)
    return np.clip(x + offset[:, None, None], 0.0, 1.0)


# %% Memory cut into threes exercise="pca-colour" covers=[129]
# reshape(-1, 3) cuts the memory into threes, and neighbours in one channel land in one row. Move
# the channel axis to the end first.
def colour_pca(images):
    _, values, axes = fit_pca(images.reshape(-1, 3))
    return values, axes


def pca_colour(x, values, axes, alpha):
    offset = axes @ (np.asarray(alpha) * values)
    return np.clip(x + offset[:, None, None], 0.0, 1.0)


# %% Eigenvalues left out exercise="pca-colour" covers=[130]
# The offset is axes @ (alpha · values): without the eigenvalues all three directions move as much
# as the first.
def colour_pca(images):
    _, values, axes = fit_pca(images.transpose(0, 2, 3, 1).reshape(-1, 3))
    return values, axes


def pca_colour(x, values, axes, alpha):
    offset = axes @ np.asarray(alpha)
    return np.clip(x + offset[:, None, None], 0.0, 1.0)


# %% Root of the eigenvalues exercise="pca-colour"
# The paper multiplies by the eigenvalue itself, not by its root.
def colour_pca(images):
    _, values, axes = fit_pca(images.transpose(0, 2, 3, 1).reshape(-1, 3))
    return values, axes


def pca_colour(x, values, axes, alpha):
    offset = axes @ (np.asarray(alpha) * np.sqrt(values))
    return np.clip(x + offset[:, None, None], 0.0, 1.0)


# %% Rows taken for axes exercise="pca-colour"
# The axes are the columns: axes @ (…), not axes.T @ (…).
def colour_pca(images):
    _, values, axes = fit_pca(images.transpose(0, 2, 3, 1).reshape(-1, 3))
    return values, axes


def pca_colour(x, values, axes, alpha):
    offset = axes.T @ (np.asarray(alpha) * values)
    return np.clip(x + offset[:, None, None], 0.0, 1.0)


# %% Colours not centred exercise="pca-colour"
# The covariance is about the mean of the pixels. Without centring the first axis points to the
# mean colour.
def colour_pca(images):
    pixels = images.transpose(0, 2, 3, 1).reshape(-1, 3)
    values, axes = np.linalg.eigh(pixels.T @ pixels / len(pixels))
    return values[::-1], axes[:, ::-1]


def pca_colour(x, values, axes, alpha):
    offset = axes @ (np.asarray(alpha) * values)
    return np.clip(x + offset[:, None, None], 0.0, 1.0)


# %% Smallest eigenvalue first exercise="pca-colour"
# eigh returns the smallest first. The largest should come first, with its axis in column 0.
def colour_pca(images):
    pixels = images.transpose(0, 2, 3, 1).reshape(-1, 3)
    pixels = pixels - pixels.mean(axis=0)
    return np.linalg.eigh(pixels.T @ pixels / len(pixels))


def pca_colour(x, values, axes, alpha):
    offset = axes @ (np.asarray(alpha) * values)
    return np.clip(x + offset[:, None, None], 0.0, 1.0)


# %% Colour offset not clipped exercise="pca-colour" covers=[128]
# The picture leaves [0, 1]: clip after adding the offset.
def colour_pca(images):
    _, values, axes = fit_pca(images.transpose(0, 2, 3, 1).reshape(-1, 3))
    return values, axes


def pca_colour(x, values, axes, alpha):
    offset = axes @ (np.asarray(alpha) * values)
    return x + offset[:, None, None]


# %% Offset along columns exercise="pca-colour"
# An offset of shape (3,) lines up with the columns of the picture. It has one number a channel:
# give it two more axes.
def colour_pca(images):
    _, values, axes = fit_pca(images.transpose(0, 2, 3, 1).reshape(-1, 3))
    return values, axes


def pca_colour(x, values, axes, alpha):
    offset = axes @ (np.asarray(alpha) * values)
    return np.clip(x + np.resize(offset, x.shape[2]), 0.0, 1.0)


# %% Colour axes by singular values exercise="pca-colour" right=true
def colour_pca(images):
    pixels = np.moveaxis(images, 1, 0).reshape(3, -1)
    pixels = pixels - pixels.mean(axis=1, keepdims=True)
    axes, scale, _ = np.linalg.svd(pixels, full_matrices=False)
    return scale**2 / pixels.shape[1], axes


def pca_colour(x, values, axes, alpha):
    out = np.array(x, dtype=float)
    for c in range(3):
        for j in range(3):
            out[c] += axes[c, j] * alpha[j] * values[j]
    return out.clip(0, 1)


# %% Standard deviation forgotten exercise="q-levels"
# alpha is 0.1 at one standard deviation, and it multiplies lambda.
q_levels_unit = 0.1 * 255
q_levels_255 = 0.1 * 255**2


# %% Eigenvalue believed to scale like a pixel exercise="q-levels"
# lambda is a variance: pixels 255 times as large have an eigenvalue 255² times as large.
q_levels_unit = 2.55
q_levels_255 = 2.55


# %% Hole cut only when it fits exercise="cutout" covers=[132]
# You move the centre inwards until the whole square fits. At the border the square is cut off
# instead, so that corners are hidden as often as they should be.
def cutout(x, row, col, size, fill=0.0):
    out = np.array(x, dtype=float)
    _, H, W = x.shape
    top = min(max(row - size // 2, 0), max(H - size, 0))
    left = min(max(col - size // 2, 0), max(W - size, 0))
    out[:, top : top + size, left : left + size] = fill
    return out


# %% No hole at the border exercise="cutout" covers=[133]
# A slice from a negative start counts from the end of the picture and comes out empty: no hole.
# Clip the start at 0.
def cutout(x, row, col, size, fill=0.0):
    out = np.array(x, dtype=float)
    top, left = row - size // 2, col - size // 2
    out[:, top : top + size, left : left + size] = fill
    return out


# %% An error when the square leaves the picture exercise="cutout" covers=[133]
# The square may leave the picture. Cut it off instead of raising an error.
def cutout(x, row, col, size, fill=0.0):
    out = np.array(x, dtype=float)
    _, H, W = x.shape
    top, left = row - size // 2, col - size // 2
    for i in range(top, top + size):
        for j in range(left, left + size):
            out[:, i, j] = fill
    return out


# %% Hole too large at the border exercise="cutout"
# You clip the start first and then add the size: the part that was cut off comes back at the
# other end. The end is computed from the true start.
def cutout(x, row, col, size, fill=0.0):
    out = np.array(x, dtype=float)
    top, left = max(row - size // 2, 0), max(col - size // 2, 0)
    out[:, top : top + size, left : left + size] = fill
    return out


# %% One row and one column too many exercise="cutout"
# From row - size//2 to row + size//2, both included, are size + 1 rows when size is even.
def cutout(x, row, col, size, fill=0.0):
    out = np.array(x, dtype=float)
    half = size // 2
    out[:, max(row - half, 0) : row + half + 1, max(col - half, 0) : col + half + 1] = fill
    return out


# %% Centre taken for a corner exercise="cutout"
# (row, col) is the middle of the square, not its upper left corner.
def cutout(x, row, col, size, fill=0.0):
    out = np.array(x, dtype=float)
    out[:, row : row + size, col : col + size] = fill
    return out


# %% Hole in the first channel only exercise="cutout" covers=[6]
# The square hides all channels.
def cutout(x, row, col, size, fill=0.0):
    out = np.array(x, dtype=float)
    top, left = row - size // 2, col - size // 2
    out[0, max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0)] = fill
    return out


# %% Hole cut into the original exercise="cutout" covers=[24]
# The caller's picture has the hole now, in every later epoch too. Work on a copy.
def cutout(x, row, col, size, fill=0.0):
    top, left = row - size // 2, col - size // 2
    x[:, max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0)] = fill
    return x


# %% Hole always black exercise="cutout"
# The argument fill is not used.
def cutout(x, row, col, size, fill=0.0):
    out = np.array(x, dtype=float)
    top, left = row - size // 2, col - size // 2
    out[:, max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0)] = 0
    return out


# %% Cutout as a mask exercise="cutout" right=true
def cutout(x, row, col, size, fill=0.0):
    i, j = np.indices(x.shape[1:])
    top, left = row - size // 2, col - size // 2
    hidden = (i >= top) & (i < top + size) & (j >= left) & (j < left + size)
    return np.where(hidden, fill, x)


# %% [markdown]
# ## Samplers


# %% A flip every time exercise="samplers" covers=[124]
# Every picture is flipped: p by itself counts as true. Compare a draw with p.
def sample_flip(rng, p=0.5):
    return bool(p)


def sample_crop(rng, H, W, height, width):
    return int(rng.integers(0, H - height + 1)), int(rng.integers(0, W - width + 1))


def sample_centre(rng, H, W):
    return int(rng.integers(0, H)), int(rng.integers(0, W))


# %% Probability of not flipping exercise="samplers"
# The comparison is the wrong way round: True has probability 1 - p.
def sample_flip(rng, p=0.5):
    return bool(rng.random() > p)


def sample_crop(rng, H, W, height, width):
    return int(rng.integers(0, H - height + 1)), int(rng.integers(0, W - width + 1))


def sample_centre(rng, H, W):
    return int(rng.integers(0, H)), int(rng.integers(0, W))


# %% A fair coin whatever p exercise="samplers"
# p is not used.
def sample_flip(rng, p=0.5):
    return bool(rng.integers(2))


def sample_crop(rng, H, W, height, width):
    return int(rng.integers(0, H - height + 1)), int(rng.integers(0, W - width + 1))


def sample_centre(rng, H, W):
    return int(rng.integers(0, H)), int(rng.integers(0, W))


# %% The last window never comes up exercise="samplers" covers=[125]
# integers leaves its upper end out: there are H - height + 1 places for a window.
def sample_flip(rng, p=0.5):
    return bool(rng.random() < p)


def sample_crop(rng, H, W, height, width):
    return int(rng.integers(0, max(H - height, 1))), int(rng.integers(0, max(W - width, 1)))


def sample_centre(rng, H, W):
    return int(rng.integers(0, H)), int(rng.integers(0, W))


# %% The first window never comes up exercise="samplers" covers=[126]
# Row and column 0 are never drawn. The first window starts at 0.
def sample_flip(rng, p=0.5):
    return bool(rng.random() < p)


def sample_crop(rng, H, W, height, width):
    top = int(rng.integers(1, H - height + 1)) if H > height else 0
    left = int(rng.integers(1, W - width + 1)) if W > width else 0
    return top, left


def sample_centre(rng, H, W):
    return int(rng.integers(0, H)), int(rng.integers(0, W))


# %% Windows that leave the picture exercise="samplers" covers=[125]
# A start up to H - height + 1 is one too far: that window ends below the picture.
def sample_flip(rng, p=0.5):
    return bool(rng.random() < p)


def sample_crop(rng, H, W, height, width):
    top = int(rng.integers(0, H - height + 1, endpoint=True))
    left = int(rng.integers(0, W - width + 1, endpoint=True))
    return top, left


def sample_centre(rng, H, W):
    return int(rng.integers(0, H)), int(rng.integers(0, W))


# %% A window as large as the picture refused exercise="samplers"
# A window as large as the picture fits in one place, (0, 0). You refuse it.
def sample_flip(rng, p=0.5):
    return bool(rng.random() < p)


def sample_crop(rng, H, W, height, width):
    if height >= H or width >= W:
        raise ValueError("the window does not fit")
    return int(rng.integers(0, H - height + 1)), int(rng.integers(0, W - width + 1))


def sample_centre(rng, H, W):
    return int(rng.integers(0, H)), int(rng.integers(0, W))


# %% Any pixel as the window's corner exercise="samplers"
# The corner is drawn over the whole picture, so most windows leave it.
def sample_flip(rng, p=0.5):
    return bool(rng.random() < p)


def sample_crop(rng, H, W, height, width):
    return int(rng.integers(0, H)), int(rng.integers(0, W))


def sample_centre(rng, H, W):
    return int(rng.integers(0, H)), int(rng.integers(0, W))


# %% Rows and columns exchanged in the sampler exercise="samplers" covers=[16]
# top is drawn from the width and left from the height: right for square pictures only.
def sample_flip(rng, p=0.5):
    return bool(rng.random() < p)


def sample_crop(rng, H, W, height, width):
    return int(rng.integers(0, W - width + 1)), int(rng.integers(0, H - height + 1))


def sample_centre(rng, H, W):
    return int(rng.integers(0, H)), int(rng.integers(0, W))


# %% Only windows on the diagonal exercise="samplers"
# One draw decides both top and left. Each needs a draw of its own.
def sample_flip(rng, p=0.5):
    return bool(rng.random() < p)


def sample_crop(rng, H, W, height, width):
    u = rng.random()
    return int(u * (H - height + 1)), int(u * (W - width + 1))


def sample_centre(rng, H, W):
    return int(rng.integers(0, H)), int(rng.integers(0, W))


# %% Rounded draws exercise="samplers"
# Rounding a uniform number gives the first and the last window half their share. Use integers.
def sample_flip(rng, p=0.5):
    return bool(rng.random() < p)


def sample_crop(rng, H, W, height, width):
    return round(rng.uniform(0, H - height)), round(rng.uniform(0, W - width))


def sample_centre(rng, H, W):
    return int(rng.integers(0, H)), int(rng.integers(0, W))


# %% Starts between pixels exercise="samplers"
# uniform gives floats; a window starts at a whole pixel.
def sample_flip(rng, p=0.5):
    return bool(rng.random() < p)


def sample_crop(rng, H, W, height, width):
    return rng.uniform(0, H - height), rng.uniform(0, W - width)


def sample_centre(rng, H, W):
    return int(rng.integers(0, H)), int(rng.integers(0, W))


# %% Centres away from the border exercise="samplers" covers=[132]
# The border pixels are never a centre. Then the middle is hidden much more often than the corners.
def sample_flip(rng, p=0.5):
    return bool(rng.random() < p)


def sample_crop(rng, H, W, height, width):
    return int(rng.integers(0, H - height + 1)), int(rng.integers(0, W - width + 1))


def sample_centre(rng, H, W):
    return int(rng.integers(1, H - 1)), int(rng.integers(1, W - 1))


# %% Last row and column never a centre exercise="samplers" covers=[132]
# integers(0, H - 1) leaves out row H - 1: its end does not belong to the range.
def sample_flip(rng, p=0.5):
    return bool(rng.random() < p)


def sample_crop(rng, H, W, height, width):
    return int(rng.integers(0, H - height + 1)), int(rng.integers(0, W - width + 1))


def sample_centre(rng, H, W):
    return int(rng.integers(0, H - 1)), int(rng.integers(0, W - 1))


# %% The same draws at every call exercise="samplers" covers=[138]
# A generator that is made anew at every call repeats itself. Draw from rng.
def sample_flip(rng, p=0.5):
    return bool(np.random.default_rng(0).random() < p)


def sample_crop(rng, H, W, height, width):
    rng = np.random.default_rng(0)
    return int(rng.integers(0, H - height + 1)), int(rng.integers(0, W - width + 1))


def sample_centre(rng, H, W):
    return int(rng.integers(0, H)), int(rng.integers(0, W))


# %% A coin from the global generator exercise="samplers" covers=[25]
# np.random is not rng: the same seed does not give the same flips.
def sample_flip(rng, p=0.5):
    return bool(np.random.random() < p)


def sample_crop(rng, H, W, height, width):
    return int(rng.integers(0, H - height + 1)), int(rng.integers(0, W - width + 1))


def sample_centre(rng, H, W):
    return int(rng.integers(0, H)), int(rng.integers(0, W))


# %% Samplers from choice and arrays exercise="samplers" right=true
def sample_flip(rng, p=0.5):
    return rng.choice([True, False], p=[p, 1 - p])


def sample_crop(rng, H, W, height, width):
    return np.array([rng.choice(H - height + 1), rng.choice(W - width + 1)])


def sample_centre(rng, H, W):
    return tuple(rng.integers([H, W]))


# %% Samplers from one uniform number each exercise="samplers" right=true
def sample_flip(rng, p=0.5):
    return int(rng.uniform() < p)


def sample_crop(rng, H, W, height, width):
    place = int(rng.random() * (H - height + 1) * (W - width + 1))
    return place // (W - width + 1), place % (W - width + 1)


def sample_centre(rng, H, W):
    return divmod(int(rng.integers(H * W)), W)


# %% The paper's own number exercise="q-2048"
# The paper counts 32 places along each side. From 0 to 256 - 224 = 32 there are 33.
q_choices = 2048


# %% Mirror images forgotten exercise="q-2048" covers=[136]
# Each window counts twice, once mirrored.
q_choices = 33 * 33


# %% Contrast around zero, not one exercise="sample-light"
# The contrast factor lies around 1: a factor between -0.4 and 0.4 would turn half of the pictures
# into negatives.
def sample_jitter(rng, contrast=0.4, brightness=0.2):
    return rng.uniform(-contrast, contrast), rng.uniform(-brightness, brightness)


def sample_alpha(rng, sigma=0.1):
    return rng.normal(0.0, sigma, size=3)


# %% Only brighter exercise="sample-light"
# Brightness goes both ways, from -brightness to brightness.
def sample_jitter(rng, contrast=0.4, brightness=0.2):
    return rng.uniform(1 - contrast, 1 + contrast), rng.uniform(0, brightness)


def sample_alpha(rng, sigma=0.1):
    return rng.normal(0.0, sigma, size=3)


# %% One draw for contrast and brightness exercise="sample-light"
# The same draw decides both, so pictures with more contrast are always brighter too.
def sample_jitter(rng, contrast=0.4, brightness=0.2):
    u = rng.uniform(-1, 1)
    return 1 + contrast * u, brightness * u


def sample_alpha(rng, sigma=0.1):
    return rng.normal(0.0, sigma, size=3)


# %% Normal instead of uniform exercise="sample-light"
# The draws are normal. Asked for is a uniform draw on a range, which has hard ends.
def sample_jitter(rng, contrast=0.4, brightness=0.2):
    return rng.normal(1, contrast), rng.normal(0, brightness)


def sample_alpha(rng, sigma=0.1):
    return rng.normal(0.0, sigma, size=3)


# %% Half the range exercise="sample-light"
# The range reaches half as far as it should: from 1 - contrast to 1 + contrast.
def sample_jitter(rng, contrast=0.4, brightness=0.2):
    return rng.uniform(1 - contrast / 2, 1 + contrast / 2), rng.uniform(
        -brightness / 2, brightness / 2
    )


def sample_alpha(rng, sigma=0.1):
    return rng.normal(0.0, sigma, size=3)


# %% One alpha three times exercise="sample-light"
# The same number stands for all three axes. Each axis has a draw of its own.
def sample_jitter(rng, contrast=0.4, brightness=0.2):
    return rng.uniform(1 - contrast, 1 + contrast), rng.uniform(-brightness, brightness)


def sample_alpha(rng, sigma=0.1):
    return np.full(3, rng.normal(0.0, sigma))


# %% Alpha with a variance of 0.1 exercise="sample-light"
# rng.normal takes the standard deviation; its root is three times as large.
def sample_jitter(rng, contrast=0.4, brightness=0.2):
    return rng.uniform(1 - contrast, 1 + contrast), rng.uniform(-brightness, brightness)


def sample_alpha(rng, sigma=0.1):
    return rng.normal(0.0, np.sqrt(sigma), size=3)


# %% Uniform alpha exercise="sample-light"
# These are uniform between -sigma and sigma; the paper draws normal numbers.
def sample_jitter(rng, contrast=0.4, brightness=0.2):
    return rng.uniform(1 - contrast, 1 + contrast), rng.uniform(-brightness, brightness)


def sample_alpha(rng, sigma=0.1):
    return rng.uniform(-sigma, sigma, size=3)


# %% Light from standard draws exercise="sample-light" right=true
def sample_jitter(rng, contrast=0.4, brightness=0.2):
    u, v = 2 * rng.random(2) - 1
    return [1 + contrast * u, brightness * v]


def sample_alpha(rng, sigma=0.1):
    return tuple(sigma * rng.standard_normal() for _ in range(3))


# %% One window for the whole batch exercise="augment-batch" covers=[127]
# The whole batch has one window and one flip. Each picture needs draws of its own.
def augment_batch(images, rng, pad=4):
    N, C, H, W = images.shape
    wide = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    top, left = sample_crop(rng, H + 2 * pad, W + 2 * pad, H, W)
    out = wide[:, :, top : top + H, left : left + W]
    return out[..., ::-1].copy() if sample_flip(rng) else out.copy()


# %% One flip for the whole batch exercise="augment-batch" covers=[127]
# The windows differ, but all pictures of a batch are mirrored together.
def augment_batch(images, rng, pad=4):
    N, C, H, W = images.shape
    wide = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    mirrored = sample_flip(rng)
    out = np.empty_like(images)
    for n in range(N):
        top, left = sample_crop(rng, H + 2 * pad, W + 2 * pad, H, W)
        out[n] = flip(crop(wide[n], top, left, H, W), horizontal=mirrored)
    return out


# %% Every picture mirrored exercise="augment-batch" covers=[124]
# All pictures are mirrored: then the network never sees the originals.
def augment_batch(images, rng, pad=4):
    N, C, H, W = images.shape
    wide = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.empty_like(images)
    for n in range(N):
        top, left = sample_crop(rng, H + 2 * pad, W + 2 * pad, H, W)
        out[n] = flip(crop(wide[n], top, left, H, W), horizontal=True)
    return out


# %% No mirror images exercise="augment-batch"
# The flip is missing.
def augment_batch(images, rng, pad=4):
    N, C, H, W = images.shape
    wide = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.empty_like(images)
    for n in range(N):
        top, left = sample_crop(rng, H + 2 * pad, W + 2 * pad, H, W)
        out[n] = crop(wide[n], top, left, H, W)
    return out


# %% Upside down instead of mirrored exercise="augment-batch" covers=[123]
# The pictures are turned upside down. A mirror image is a horizontal flip.
def augment_batch(images, rng, pad=4):
    N, C, H, W = images.shape
    wide = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.empty_like(images)
    for n in range(N):
        top, left = sample_crop(rng, H + 2 * pad, W + 2 * pad, H, W)
        out[n] = flip(crop(wide[n], top, left, H, W), vertical=sample_flip(rng))
    return out


# %% Padded on one side only exercise="augment-batch" covers=[11]
# The padding stands below and to the right only, so pictures never move down or to the right.
def augment_batch(images, rng, pad=4):
    N, C, H, W = images.shape
    wide = np.pad(images, ((0, 0), (0, 0), (0, 2 * pad), (0, 2 * pad)))
    out = np.empty_like(images)
    for n in range(N):
        top, left = sample_crop(rng, H + 2 * pad, W + 2 * pad, H, W)
        out[n] = flip(crop(wide[n], top, left, H, W), horizontal=sample_flip(rng))
    return out


# %% Edges repeated instead of black exercise="augment-batch" covers=[13]
# The border pixels are repeated outwards. The recipe pads with zeros.
def augment_batch(images, rng, pad=4):
    N, C, H, W = images.shape
    wide = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="edge")
    out = np.empty_like(images)
    for n in range(N):
        top, left = sample_crop(rng, H + 2 * pad, W + 2 * pad, H, W)
        out[n] = flip(crop(wide[n], top, left, H, W), horizontal=sample_flip(rng))
    return out


# %% Windows of the first picture only exercise="augment-batch"
# Every result comes from picture 0. Picture n's window is cut from picture n.
def augment_batch(images, rng, pad=4):
    N, C, H, W = images.shape
    wide = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.empty_like(images)
    for n in range(N):
        top, left = sample_crop(rng, H + 2 * pad, W + 2 * pad, H, W)
        out[n] = flip(crop(wide[0], top, left, H, W), horizontal=sample_flip(rng))
    return out


# %% The padding fixed at 4 exercise="augment-batch" covers=[25]
# pad is not used: it is always 4.
def augment_batch(images, rng, pad=4):
    N, C, H, W = images.shape
    wide = np.pad(images, ((0, 0), (0, 0), (4, 4), (4, 4)))
    out = np.empty_like(images)
    for n in range(N):
        top, left = sample_crop(rng, H + 8, W + 8, H, W)
        out[n] = flip(crop(wide[n], top, left, H, W), horizontal=sample_flip(rng))
    return out


# %% The training set overwritten exercise="augment-batch" covers=[24]
# The augmented pictures are written into the training set. The next epoch would augment what is
# already augmented.
def augment_batch(images, rng, pad=4):
    N, C, H, W = images.shape
    wide = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    for n in range(N):
        top, left = sample_crop(rng, H + 2 * pad, W + 2 * pad, H, W)
        images[n] = flip(crop(wide[n], top, left, H, W), horizontal=sample_flip(rng))
    return images


# %% Batch by shifts exercise="augment-batch" right=true
def augment_batch(images, rng, pad=4):
    moves = rng.integers(-pad, pad + 1, size=(len(images), 2))
    mirrored = rng.random(len(images)) < 0.5
    return np.stack(
        [
            flip(shift(x, *move), horizontal=m)
            for x, move, m in zip(images, moves.tolist(), mirrored)
        ]
    )


# %% Batch in one gather exercise="augment-batch" right=true
def augment_batch(images, rng, pad=4):
    N, C, H, W = images.shape
    wide = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    top, left = rng.integers(0, 2 * pad + 1, size=(2, N, 1, 1))
    rows = top + np.arange(H)[:, None]  # (N, H, 1)
    cols = left + np.arange(W)  # (N, 1, W)
    cols = np.where(rng.random((N, 1, 1)) < 0.5, cols[..., ::-1], cols)
    return wide[
        np.arange(N)[:, None, None, None], np.arange(C)[:, None, None], rows[:, None], cols[:, None]
    ]


# %% The same seed for every worker exercise="worker-rng" covers=[138]
# All workers draw the same numbers, so they crop alike. The worker has to go into the seed.
def worker_rng(seed, epoch, worker):
    return np.random.default_rng([seed, epoch])


# %% The same seed in every epoch exercise="worker-rng" covers=[138]
# Every epoch repeats the first. The epoch has to go into the seed.
def worker_rng(seed, epoch, worker):
    return np.random.default_rng([seed, worker])


# %% Three numbers added up exercise="worker-rng" covers=[138]
# Epoch 1 of worker 0 has the same sum as epoch 0 of worker 1, and so the same stream.
def worker_rng(seed, epoch, worker):
    return np.random.default_rng(seed + epoch + worker)


# %% Places for single digits only exercise="worker-rng" covers=[138]
# 100·seed + 10·epoch + worker makes worker 10 of epoch 0 equal to worker 0 of epoch 1.
def worker_rng(seed, epoch, worker):
    return np.random.default_rng(100 * seed + 10 * epoch + worker)


# %% A generator without a seed exercise="worker-rng"
# default_rng() asks the operating system for a seed: no run can be repeated.
def worker_rng(seed, epoch, worker):
    return np.random.default_rng()


# %% Order of the three forgotten exercise="worker-rng"
# Sorting the three numbers makes (0, 0, 1) and (0, 1, 0) the same.
def worker_rng(seed, epoch, worker):
    return np.random.default_rng(sorted([seed, epoch, worker]))


# %% A seed sequence with a spawn key exercise="worker-rng" right=true
def worker_rng(seed, epoch, worker):
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=(epoch, worker))
    return np.random.Generator(np.random.PCG64(sequence))


# %% A hash of the three exercise="worker-rng" right=true
def worker_rng(seed, epoch, worker):
    import hashlib

    digest = hashlib.sha256(f"{seed}-{epoch}-{worker}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


# %% Validation pictures transformed exercise="prepare" covers=[122]
# The transform is applied whether or not train is true. Validation and test pictures are only
# normalised.
def prepare(images, stats, transform=None, rng=None, train=False):
    images = to_float(images)
    if transform is not None:
        images = np.stack([transform(x, rng) for x in images])
    return normalize(images, stats)


# %% Transformed unless training exercise="prepare" covers=[122]
# The condition is the wrong way round: pictures are transformed in training only.
def prepare(images, stats, transform=None, rng=None, train=False):
    images = to_float(images)
    if not train and transform is not None:
        images = np.stack([transform(x, rng) for x in images])
    return normalize(images, stats)


# %% Normalised before the transform exercise="prepare" covers=[135]
# The transform gets normalised numbers. It works on pixels in [0, 1]: normalise last.
def prepare(images, stats, transform=None, rng=None, train=False):
    images = normalize(images, stats)
    if train and transform is not None:
        images = np.stack([transform(x, rng) for x in images])
    return images


# %% The transform sees integers exercise="prepare" covers=[72]
# uint8 pictures reach the transform as 0 to 255. Bring them to floats first.
def prepare(images, stats, transform=None, rng=None, train=False):
    if train and transform is not None:
        images = np.stack([transform(x, rng) for x in images])
    return normalize(images, stats)


# %% The whole batch transformed at once exercise="prepare" covers=[127]
# The transform gets the whole batch. It takes one picture (C, H, W), so that each one gets draws
# of its own.
def prepare(images, stats, transform=None, rng=None, train=False):
    images = to_float(images)
    if train and transform is not None:
        images = transform(images, rng)
    return normalize(images, stats)


# %% Statistics of the batch exercise="prepare" covers=[68]
# The batch is normalised with its own mean and std. Use stats, which come from the training set.
def prepare(images, stats, transform=None, rng=None, train=False):
    images = to_float(images)
    if train and transform is not None:
        images = np.stack([transform(x, rng) for x in images])
    return normalize(images, fit_stats(images, "channel mean and std"))


# %% No transform, no result exercise="prepare"
# Without a transform nothing comes back. Then the batch is only normalised.
def prepare(images, stats, transform=None, rng=None, train=False):
    images = to_float(images)
    if train:
        images = np.stack([transform(x, rng) for x in images])
    return normalize(images, stats)


# %% Test pictures not normalised exercise="prepare"
# Outside training the pictures come back as they are. The network expects the same ruler
# everywhere.
def prepare(images, stats, transform=None, rng=None, train=False):
    images = to_float(images)
    if not train:
        return images
    if transform is not None:
        images = np.stack([transform(x, rng) for x in images])
    return normalize(images, stats)


# %% rng not handed on exercise="prepare"
# The transform gets no rng, and has to find its dice elsewhere.
def prepare(images, stats, transform=None, rng=None, train=False):
    images = to_float(images)
    if train and transform is not None:
        images = np.stack([transform(x, np.random.default_rng(0)) for x in images])
    return normalize(images, stats)


# %% Pictures prepared one by one exercise="prepare" right=true
def prepare(images, stats, transform=None, rng=None, train=False):
    ready = []
    for x in to_float(images):
        if train and transform:
            x = transform(x, rng)
        ready.append((x - stats[0]) / stats[1])
    return np.array(ready)


# %% [markdown]
# ## Labels and protocols


# %% Digits mirrored exercise="keeps" covers=[134]
# A mirrored 2 or 3 is no digit any more, and half a turn makes a 9 of a 6.
keeps = {
    "digits, mirror": True,
    "digits, half turn": True,
    "digits, shift": True,
    "text, small rotation": True,
    "satellite, upside down": True,
    "satellite, quarter turn": True,
    "x-ray, mirror": False,
    "arrow, mirror": False,
    "fruit, hue": False,
    "fruit, mirror": True,
    "exposure, brightness": False,
    "size, zoom": False,
}


# %% Left and right treated as equal exercise="keeps" covers=[134]
# The answer of these tasks *is* a side: a mirrored picture has the other answer.
keeps = {
    "digits, mirror": False,
    "digits, half turn": False,
    "digits, shift": True,
    "text, small rotation": True,
    "satellite, upside down": True,
    "satellite, quarter turn": True,
    "x-ray, mirror": True,
    "arrow, mirror": True,
    "fruit, hue": False,
    "fruit, mirror": True,
    "exposure, brightness": False,
    "size, zoom": False,
}


# %% Satellites given an upper side exercise="keeps"
# Seen from above there is no up or down: a forest stays a forest in any orientation.
keeps = {
    "digits, mirror": False,
    "digits, half turn": False,
    "digits, shift": True,
    "text, small rotation": True,
    "satellite, upside down": False,
    "satellite, quarter turn": False,
    "x-ray, mirror": False,
    "arrow, mirror": False,
    "fruit, hue": False,
    "fruit, mirror": True,
    "exposure, brightness": False,
    "size, zoom": False,
}


# %% Colour and light thought harmless exercise="keeps"
# Where the colour, the light or the size is what is asked for, changing it changes the answer.
keeps = {
    "digits, mirror": False,
    "digits, half turn": False,
    "digits, shift": True,
    "text, small rotation": True,
    "satellite, upside down": True,
    "satellite, quarter turn": True,
    "x-ray, mirror": False,
    "arrow, mirror": False,
    "fruit, hue": True,
    "fruit, mirror": True,
    "exposure, brightness": True,
    "size, zoom": True,
}


# %% Nothing thought safe exercise="keeps"
# A shift, a small rotation, a mirrored tomato: somebody who sees only the changed picture gives the
# same answer.
keeps = dict.fromkeys(
    [
        "digits, mirror",
        "digits, half turn",
        "digits, shift",
        "text, small rotation",
        "satellite, upside down",
        "satellite, quarter turn",
        "x-ray, mirror",
        "arrow, mirror",
        "fruit, hue",
        "fruit, mirror",
        "exposure, brightness",
        "size, zoom",
    ],
    False,
)


# %% Colour forgotten in the slide's recipe exercise="q-missing"
# Cutout is a later idea. The paper adds AlexNet's colour offsets.
q_missing = {"mirror", "cutout"}


# %% The missing steps in a list exercise="q-missing" right=true
q_missing = ["colour", "mirror"]


# %% Both sides set to L exercise="scale-jitter"
# Both sides become L, and the picture is squashed. Only the shorter one does; the other keeps the
# proportions.
def short_side(H, W, L):
    return L, L


def sample_scale_jitter(rng, H, W, low=256, high=480, size=224):
    L = int(rng.integers(low, high, endpoint=True))
    top, left = sample_crop(rng, *short_side(H, W, L), size, size)
    return {"L": L, "top": top, "left": left, "flip": sample_flip(rng)}


def scale_jitter(x, params, size=224):
    big = resize(x, *short_side(*x.shape[1:], params["L"]))
    return flip(crop(big, params["top"], params["left"], size, size), horizontal=params["flip"])


# %% The longer side set to L exercise="scale-jitter"
# The longer side becomes L. Then the shorter one may be smaller than the window.
def short_side(H, W, L):
    return (L, round(W * L / H)) if H >= W else (round(H * L / W), L)


def sample_scale_jitter(rng, H, W, low=256, high=480, size=224):
    L = int(rng.integers(low, high, endpoint=True))
    h, w = short_side(H, W, L)
    top, left = sample_crop(rng, max(h, size), max(w, size), size, size)
    return {"L": L, "top": top, "left": left, "flip": sample_flip(rng)}


def scale_jitter(x, params, size=224):
    big = resize(x, *short_side(*x.shape[1:], params["L"]))
    return flip(crop(big, params["top"], params["left"], size, size), horizontal=params["flip"])


# %% The height always set to L exercise="scale-jitter"
# In a portrait picture the width is the shorter side.
def short_side(H, W, L):
    return L, round(W * L / H)


def sample_scale_jitter(rng, H, W, low=256, high=480, size=224):
    L = int(rng.integers(low, high, endpoint=True))
    h, w = short_side(H, W, L)
    top, left = sample_crop(rng, max(h, size), max(w, size), size, size)
    return {"L": L, "top": top, "left": left, "flip": sample_flip(rng)}


def scale_jitter(x, params, size=224):
    big = resize(x, *short_side(*x.shape[1:], params["L"]))
    return flip(crop(big, params["top"], params["left"], size, size), horizontal=params["flip"])


# %% The longer side cut off, not rounded exercise="scale-jitter"
# int() and // cut the longer side off. It is rounded here.
def short_side(H, W, L):
    return (L, W * L // H) if H <= W else (H * L // W, L)


def sample_scale_jitter(rng, H, W, low=256, high=480, size=224):
    L = int(rng.integers(low, high, endpoint=True))
    top, left = sample_crop(rng, *short_side(H, W, L), size, size)
    return {"L": L, "top": top, "left": left, "flip": sample_flip(rng)}


def scale_jitter(x, params, size=224):
    big = resize(x, *short_side(*x.shape[1:], params["L"]))
    return flip(crop(big, params["top"], params["left"], size, size), horizontal=params["flip"])


# %% The largest scale never drawn exercise="scale-jitter" covers=[125]
# integers leaves its end out: 480 never comes up.
def short_side(H, W, L):
    return (L, round(W * L / H)) if H <= W else (round(H * L / W), L)


def sample_scale_jitter(rng, H, W, low=256, high=480, size=224):
    L = int(rng.integers(low, high))
    top, left = sample_crop(rng, *short_side(H, W, L), size, size)
    return {"L": L, "top": top, "left": left, "flip": sample_flip(rng)}


def scale_jitter(x, params, size=224):
    big = resize(x, *short_side(*x.shape[1:], params["L"]))
    return flip(crop(big, params["top"], params["left"], size, size), horizontal=params["flip"])


# %% Window drawn for the picture before the resize exercise="scale-jitter"
# top and left are drawn from the original size. The window is cut out of the *resized* picture.
def short_side(H, W, L):
    return (L, round(W * L / H)) if H <= W else (round(H * L / W), L)


def sample_scale_jitter(rng, H, W, low=256, high=480, size=224):
    L = int(rng.integers(low, high, endpoint=True))
    top, left = sample_crop(rng, H, W, size, size)
    return {"L": L, "top": top, "left": left, "flip": sample_flip(rng)}


def scale_jitter(x, params, size=224):
    big = resize(x, *short_side(*x.shape[1:], params["L"]))
    return flip(crop(big, params["top"], params["left"], size, size), horizontal=params["flip"])


# %% Window in the upper left square only exercise="scale-jitter" covers=[126]
# left is drawn from L - size. The longer side leaves more room than that.
def short_side(H, W, L):
    return (L, round(W * L / H)) if H <= W else (round(H * L / W), L)


def sample_scale_jitter(rng, H, W, low=256, high=480, size=224):
    L = int(rng.integers(low, high, endpoint=True))
    top, left = sample_crop(rng, L, L, size, size)
    return {"L": L, "top": top, "left": left, "flip": sample_flip(rng)}


def scale_jitter(x, params, size=224):
    big = resize(x, *short_side(*x.shape[1:], params["L"]))
    return flip(crop(big, params["top"], params["left"], size, size), horizontal=params["flip"])


# %% Cropped before the resize exercise="scale-jitter"
# You crop first and resize the window. The window is taken after the resize: that is what makes
# it a detail or nearly the whole.
def short_side(H, W, L):
    return (L, round(W * L / H)) if H <= W else (round(H * L / W), L)


def sample_scale_jitter(rng, H, W, low=256, high=480, size=224):
    L = int(rng.integers(low, high, endpoint=True))
    top, left = sample_crop(rng, *short_side(H, W, L), size, size)
    return {"L": L, "top": top, "left": left, "flip": sample_flip(rng)}


def scale_jitter(x, params, size=224):
    H, W = x.shape[1:]
    top, left = min(params["top"], H - 2), min(params["left"], W - 2)
    window = x[:, top : top + size, left : left + size]
    return flip(resize(window, size, size), horizontal=params["flip"])


# %% Always mirrored in the transform exercise="scale-jitter" covers=[124]
# The window is mirrored whatever params says.
def short_side(H, W, L):
    return (L, round(W * L / H)) if H <= W else (round(H * L / W), L)


def sample_scale_jitter(rng, H, W, low=256, high=480, size=224):
    L = int(rng.integers(low, high, endpoint=True))
    top, left = sample_crop(rng, *short_side(H, W, L), size, size)
    return {"L": L, "top": top, "left": left, "flip": sample_flip(rng)}


def scale_jitter(x, params, size=224):
    big = resize(x, *short_side(*x.shape[1:], params["L"]))
    return flip(crop(big, params["top"], params["left"], size, size), horizontal=True)


# %% Mirrored before the crop exercise="scale-jitter"
# You mirror the whole picture and then cut the window, which is then another one. Crop first.
def short_side(H, W, L):
    return (L, round(W * L / H)) if H <= W else (round(H * L / W), L)


def sample_scale_jitter(rng, H, W, low=256, high=480, size=224):
    L = int(rng.integers(low, high, endpoint=True))
    top, left = sample_crop(rng, *short_side(H, W, L), size, size)
    return {"L": L, "top": top, "left": left, "flip": sample_flip(rng)}


def scale_jitter(x, params, size=224):
    big = flip(resize(x, *short_side(*x.shape[1:], params["L"])), horizontal=params["flip"])
    return crop(big, params["top"], params["left"], size, size)


# %% Scale jitter with its own arithmetic exercise="scale-jitter" right=true
def short_side(H, W, L):
    shorter = min(H, W)
    return tuple(L if side == shorter else int(round(side * L / shorter)) for side in (H, W))


def sample_scale_jitter(rng, H, W, low=256, high=480, size=224):
    L = low + int(rng.random() * (high - low + 1))
    h, w = short_side(H, W, L)
    place = rng.integers([h - size + 1, w - size + 1])
    return dict(flip=rng.random() < 0.5, top=place[0], left=place[1], L=L)


def scale_jitter(x, params, size=224):
    h, w = short_side(x.shape[1], x.shape[2], params["L"])
    out = resize(x, h, w)[:, params["top"] :, params["left"] :][:, :size, :size]
    return out[:, :, ::-1] if params["flip"] else out


# %% Five crops twice exercise="ten-crop" covers=[136]
# Crops 5 to 9 repeat the first five. They should be their mirror images.
def ten_crop(x, size):
    _, H, W = x.shape
    down, across = H - size, W - size
    starts = [(0, 0), (0, across), (down, 0), (down, across), (down // 2, across // 2)]
    five = [crop(x, top, left, size, size) for top, left in starts]
    return np.stack(five + five)


# %% Only five crops exercise="ten-crop" covers=[136]
# The five mirror images are missing.
def ten_crop(x, size):
    _, H, W = x.shape
    down, across = H - size, W - size
    starts = [(0, 0), (0, across), (down, 0), (down, across), (down // 2, across // 2)]
    return np.stack([crop(x, top, left, size, size) for top, left in starts])


# %% Upside-down crops exercise="ten-crop" covers=[123]
# Crops 5 to 9 are upside down instead of mirrored.
def ten_crop(x, size):
    _, H, W = x.shape
    down, across = H - size, W - size
    starts = [(0, 0), (0, across), (down, 0), (down, across), (down // 2, across // 2)]
    five = [crop(x, top, left, size, size) for top, left in starts]
    return np.stack(five + [flip(view, vertical=True) for view in five])


# %% Crops of the mirrored picture exercise="ten-crop"
# You crop the mirrored picture: its upper left crop is the mirror image of the upper *right* one.
# The order differs.
def ten_crop(x, size):
    _, H, W = x.shape
    down, across = H - size, W - size
    starts = [(0, 0), (0, across), (down, 0), (down, across), (down // 2, across // 2)]
    views = [x, flip(x, horizontal=True)]
    return np.stack([crop(view, top, left, size, size) for view in views for top, left in starts])


# %% Each crop followed by its mirror image exercise="ten-crop"
# Each crop is followed by its mirror image. The order is: five crops, then their five mirror images.
def ten_crop(x, size):
    _, H, W = x.shape
    down, across = H - size, W - size
    starts = [(0, 0), (0, across), (down, 0), (down, across), (down // 2, across // 2)]
    views = []
    for top, left in starts:
        view = crop(x, top, left, size, size)
        views += [view, flip(view, horizontal=True)]
    return np.stack(views)


# %% Centre crop rounded up exercise="ten-crop" covers=[14]
# The centre starts at the half rounded down.
def ten_crop(x, size):
    _, H, W = x.shape
    down, across = H - size, W - size
    starts = [(0, 0), (0, across), (down, 0), (down, across), (-(-down // 2), -(-across // 2))]
    five = [crop(x, top, left, size, size) for top, left in starts]
    return np.stack(five + [flip(view, horizontal=True) for view in five])


# %% Lower left and upper right exchanged exercise="ten-crop" covers=[17]
# The second crop is the upper right one: its row is 0.
def ten_crop(x, size):
    _, H, W = x.shape
    down, across = H - size, W - size
    starts = [(0, 0), (down, 0), (0, across), (down, across), (down // 2, across // 2)]
    five = [crop(x, top, left, size, size) for top, left in starts]
    return np.stack(five + [flip(view, horizontal=True) for view in five])


# %% Corners one pixel short exercise="ten-crop" covers=[125]
# The last window starts at H - size, not one before.
def ten_crop(x, size):
    _, H, W = x.shape
    down, across = H - size - 1, W - size - 1
    starts = [(0, 0), (0, across), (down, 0), (down, across), ((down + 1) // 2, (across + 1) // 2)]
    five = [crop(x, top, left, size, size) for top, left in starts]
    return np.stack(five + [flip(view, horizontal=True) for view in five])


# %% Ten crops by slices exercise="ten-crop" right=true
def ten_crop(x, size):
    H, W = x.shape[1:]
    t, s = (H - size) // 2, (W - size) // 2
    five = np.array(
        [
            x[:, :size, :size],
            x[:, :size, W - size :],
            x[:, H - size :, :size],
            x[:, H - size :, W - size :],
            x[:, t : t + size, s : s + size],
        ]
    )
    return np.concatenate([five, five[..., ::-1]])


# %% Logits and probabilities believed to agree exercise="q-vote"
# Work the table out: the mean logits are 0.75 and 1.25, the mean probabilities 0.55 and 0.45.
q_table_vote = "a"
q_table_logits = "a"
q_table_probabilities = "a"
q_three_vote = "a"
q_three_probabilities = "b"


# %% The paper's rule taken for a vote exercise="q-vote" covers=[137]
# The paper averages probabilities: 0.51, 0.51 and 0.05 average to 0.36.
q_table_vote = "a"
q_table_logits = "b"
q_table_probabilities = "a"
q_three_vote = "a"
q_three_probabilities = "a"


# %% Votes counted exercise="average-views" covers=[137]
# You count which class each view chooses. That forgets how sure it was: average the
# probabilities.
def average_views(logits):
    votes = np.asarray(logits).argmax(axis=2)  # (V, N)
    return np.stack([(votes == k).mean(axis=0) for k in range(logits.shape[2])], axis=1)


# %% Mean logits, then softmax exercise="average-views" covers=[137]
# You average the logits and take the softmax after. One very sure view then outweighs the others.
def average_views(logits):
    z = logits.mean(axis=0)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


# %% Mean logits exercise="average-views"
# These are mean logits: they do not even sum to 1. Take the softmax of each view first.
def average_views(logits):
    return logits.mean(axis=0)


# %% Softmax over the views exercise="average-views" covers=[58]
# The softmax runs over the views. Probabilities sum to 1 over the classes, the last axis.
def average_views(logits):
    p = np.exp(logits - logits.max(axis=0, keepdims=True))
    p /= p.sum(axis=0, keepdims=True)
    return p.mean(axis=0)


# %% Pictures averaged instead of views exercise="average-views"
# You average over the pictures. The views are axis 0.
def average_views(logits):
    p = np.exp(logits - logits.max(axis=2, keepdims=True))
    p /= p.sum(axis=2, keepdims=True)
    return p.mean(axis=1)


# %% Overflow in the softmax of a view exercise="average-views" covers=[59]
# exp(1000) is inf and inf/inf is nan. Subtract the largest logit first.
def average_views(logits):
    p = np.exp(logits)
    p /= p.sum(axis=2, keepdims=True)
    return p.mean(axis=0)


# %% Largest logit of all subtracted exercise="average-views" covers=[59]
# One maximum for all views lets a view with small logits underflow to 0/0. Each row needs its
# own maximum.
def average_views(logits):
    p = np.exp(logits - logits.max())
    p /= p.sum(axis=2, keepdims=True)
    return p.mean(axis=0)


# %% Sum of probabilities exercise="average-views" covers=[61]
# The probabilities of the views are added up. Divide by their number.
def average_views(logits):
    p = np.exp(logits - logits.max(axis=2, keepdims=True))
    p /= p.sum(axis=2, keepdims=True)
    return p.sum(axis=0)


# %% Probabilities multiplied exercise="average-views"
# A product of probabilities lets a single view say no for all. Take the mean.
def average_views(logits):
    p = np.exp(logits - logits.max(axis=2, keepdims=True))
    p /= p.sum(axis=2, keepdims=True)
    p = p.prod(axis=0)
    return p / p.sum(axis=1, keepdims=True)


# %% Views averaged in a loop exercise="average-views" right=true
def average_views(logits):
    V, N, K = np.shape(logits)
    total = np.zeros((N, K))
    for v in range(V):
        for n in range(N):
            e = np.exp(logits[v][n] - max(logits[v][n]))
            total[n] += e / sum(e) / V
    return total


# %% Views averaged by log-sum-exp exercise="average-views" right=true
def average_views(logits):
    log_sum = np.logaddexp.reduce(logits, axis=2, keepdims=True)
    return np.exp(logits - log_sum).mean(0)


# %% Crops counted at all scales for the paper exercise="q-looks"
# The paper's ten-crop protocol uses one scale.
q_slide = 50
q_paper = 50
q_places = 400


# %% Five scales of the slide without crops exercise="q-looks"
# Ten crops for each of five scales.
q_slide = 5
q_paper = 10
q_places = 400


# %% Places of the 224 input exercise="q-looks"
# 7 × 7 is the map of a 224 input. At scale 640 it is 640 / 32 = 20 places wide.
q_slide = 50
q_paper = 10
q_places = 49


# %% Logits averaged over scales exercise="multi-scale" covers=[137]
# You average logits. Average the probabilities.
def multi_scale(model, x, sizes):
    views = [model(resize(x, *short_side(*x.shape[1:], L))) for L in sizes]
    return average_views(np.mean(views, axis=0)[None, None])[0]


# %% Squashed to squares exercise="multi-scale"
# The picture is resized to L × L. Keep its proportions: the shorter side is L.
def multi_scale(model, x, sizes):
    views = [model(resize(x, L, L)) for L in sizes]
    return average_views(np.stack(views)[:, None])[0]


# %% The picture shrinks from scale to scale exercise="multi-scale"
# Each scale resizes the result of the last one, which loses detail. Always start from the original.
def multi_scale(model, x, sizes):
    views = []
    for L in sizes:
        x = resize(x, *short_side(*x.shape[1:], L))
        views.append(model(x))
    return average_views(np.stack(views)[:, None])[0]


# %% Only the last scale counts exercise="multi-scale"
# The answer of each scale overwrites that of the one before.
def multi_scale(model, x, sizes):
    for L in sizes:
        logits = model(resize(x, *short_side(*x.shape[1:], L)))
    return average_views(np.asarray(logits)[None, None])[0]


# %% Scales with mirror images exercise="multi-scale"
# Mirror images are asked too. The exercise asks the model once for each scale.
def multi_scale(model, x, sizes):
    views = []
    for L in sizes:
        big = resize(x, *short_side(*x.shape[1:], L))
        views += [model(big), model(flip(big, horizontal=True))]
    return average_views(np.stack(views)[:, None])[0]


# %% Scales averaged by hand exercise="multi-scale" right=true
def multi_scale(model, x, sizes):
    total = 0
    for L in sizes:
        h, w = short_side(x.shape[1], x.shape[2], L)
        z = np.asarray(model(resize(x, h, w)))
        p = np.exp(z - z.max())
        total = total + p / p.sum()
    return total / len(sizes)


# %% [markdown]
# ## Measured


# %% Unpaired standard error exercise="paired"
# You add the variances of a and b, as if the runs had nothing in common. Seed by seed the common
# part cancels: take the standard deviation of the differences.
def paired_difference(a, b):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return a.mean() - b.mean(), np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))


# %% Standard deviation instead of standard error exercise="paired"
# That is the spread of single differences. The mean of n of them is known better by a factor √n.
def paired_difference(a, b):
    d = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    return d.mean(), d.std(ddof=1)


# %% Divided by n instead of n - 1 exercise="paired"
# With few seeds it matters: s² divides by n - 1. Use ddof=1.
def paired_difference(a, b):
    d = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    return d.mean(), d.std() / np.sqrt(len(d))


# %% Difference the other way round exercise="paired"
# The difference is a - b.
def paired_difference(a, b):
    d = np.asarray(b, dtype=float) - np.asarray(a, dtype=float)
    return d.mean(), d.std(ddof=1) / np.sqrt(len(d))


# %% Divided by n instead of its root exercise="paired"
# The standard error falls with the root of the number of seeds.
def paired_difference(a, b):
    d = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    return d.mean(), d.std(ddof=1) / len(d)


# %% Paired differences with plain numbers exercise="paired" right=true
def paired_difference(a, b):
    d = [float(u) - float(v) for u, v in zip(a, b)]
    mean = sum(d) / len(d)
    s2 = sum((v - mean) ** 2 for v in d) / (len(d) - 1)
    return np.array([mean, (s2 / len(d)) ** 0.5])


# %% Networks believed invariant exercise="q-shift"
# Strides sample every second place: one pixel to the side they sample the others. Run the
# experiment.
q_one_pixel = "above 0.8"
q_two_pixels_augmented = "above 0.8"


# %% Augmentation believed to do little exercise="q-shift"
# Shown shifts of up to 3 pixels, the network keeps its accuracy at 2. Run the experiment.
q_one_pixel = "below 0.5"
q_two_pixels_augmented = "0.5 to 0.8"


# %% A gain without a price exercise="q-textures"
# Look at the first column of the table: on clean patches the recipe costs several points.
q_recipe = "noise"
q_price = "equal"


# %% Light believed to help against noise exercise="q-textures"
# The table is strongest on its diagonal: a recipe helps against what it shows.
q_recipe = "light"
q_price = "lower"


# %% [markdown]
# ## Mutants that do the same


# %% Statistics do not see the order of axes or names exercise="fit-stats" equivalent=true
# Averaging over the same axes in another order gives the same numbers; the order of a tuple of
# names does not matter to `in`; no float dtype is at most uint8.
# - return images / 255.0 if images.dtype == np.uint8 else images
# + return images / 255.0 if images.dtype <= np.uint8 else images
# - if kind not in ("channel mean", "channel mean and std"):
# + if kind not in ("channel mean and std", "channel mean"):
# - mean = images.mean(axis=(0, 2, 3))[:, None, None]
# + mean = images.mean(axis=(2, 0, 3))[:, None, None]
# + mean = images.mean(axis=(0, 3, 2))[:, None, None]
# - return mean, images.std(axis=(0, 2, 3))[:, None, None]
# + return mean, images.std(axis=(2, 0, 3))[:, None, None]
# + return mean, images.std(axis=(0, 3, 2))[:, None, None]


# %% A covariance does not see the sign exercise="fit-pca" equivalent=true
# Both factors change their sign, and their product does not.
# - centred = X - mean
# + centred = mean - X


# %% Closeness the other way round, one picture first and last exercise="leaks" equivalent=true
# np.allclose is symmetric but for its relative tolerance, and a set of one picture has it first
# and last.
# - trains_agree = all(np.allclose(part, whole_train) for part, _ in alone)
# + trains_agree = all(np.allclose(whole_train, part) for part, _ in alone)
# - tests_agree = all(np.allclose(part[0], x) for (_, part), x in zip(alone, whole_test))
# + tests_agree = all(np.allclose(x, part[0]) for (_, part), x in zip(alone, whole_test))
# + tests_agree = all(np.allclose(part[-1], x) for (_, part), x in zip(alone, whole_test))


# %% Within the tolerance exercise="q-split" equivalent=true
# The question accepts 2%.
# - q_clean = 107.4
# + q_clean = 108.4


# %% Clipping is a maximum of a minimum exercise="crop" equivalent=true
# Clipping -H to [dy, H] gives min(max(-H, dy), H), the same number.
# - return crop(wide, H - np.clip(dy, -H, H), W - np.clip(dx, -W, W), H, W)
# + return crop(wide, H - np.clip(-H, dy, H), W - np.clip(dx, -W, W), H, W)
# + return crop(wide, H - np.clip(dy, -H, H), W - np.clip(-W, dx, W), H, W)


# %% Order of the neighbours, and neighbours without weight exercise="sample" equivalent=true
# A sum does not see its order. A neighbour outside is read from anywhere, since `inside` takes its
# weight away. Every word but "edge" means black ground.
# - def sample(x, rows, cols, outside="zero"):
# + def sample(x, rows, cols, outside=""):
# - for row, weight_row in ((i, 1 - (rows - i)), (i + 1, rows - i)):
# + for row, weight_row in ((i + 1, rows - i), (i, 1 - (rows - i))):
# - for col, weight_col in ((j, 1 - (cols - j)), (j + 1, cols - j)):
# + for col, weight_col in ((j + 1, cols - j), (j, 1 - (cols - j))):
# - pixel = x[:, row.clip(0, H - 1), col.clip(0, W - 1)]  # (C, *S)
# + pixel = x[:, row.clip(-1, H - 1), col.clip(0, W - 1)]
# + pixel = x[:, row.clip(0, H - 1), col.clip(-1, W - 1)]


# %% Lists are as good as arrays here exercise="warp" equivalent=true
# A matrix may come as nested lists; NumPy takes a list for the middle, too.
# - return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
# + return [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
# - return np.array([[1.0, 0.0], [factor, 1.0]])
# + return [[1.0, 0.0], [factor, 1.0]]
# - return np.array([[down, 0.0], [0.0, across]])
# + return [[down, 0.0], [0.0, across]]
# - middle = np.array([(H - 1) / 2, (W - 1) / 2])
# + middle = [(H - 1) / 2, (W - 1) / 2]


# %% Zero clipped to the picture exercise="adjust" equivalent=true
# min(max(0, x), 1) is min(max(x, 0), 1).
# - return np.clip(m + contrast * (x - m) + brightness, 0.0, 1.0)
# + return np.clip(0.0, m + contrast * (x - m) + brightness, 1.0)


# %% Zero clipped to the noisy picture exercise="noise" equivalent=true
# min(max(0, x), 1) is min(max(x, 0), 1).
# - return np.clip(x + noise, 0.0, 1.0)
# + return np.clip(0.0, x + noise, 1.0)


# %% Pixels in another order exercise="pca-colour" equivalent=true
# The covariance does not see the order of the pixels; the clip is the same as in adjust.
# - pixels = images.transpose(0, 2, 3, 1).reshape(-1, 3)  # (N*H*W, 3)
# + pixels = images.transpose(2, 0, 3, 1).reshape(-1, 3)
# + pixels = images.transpose(0, 3, 2, 1).reshape(-1, 3)
# - return np.clip(x + offset[:, None, None], 0.0, 1.0)
# + return np.clip(0.0, x + offset[:, None, None], 1.0)


# %% Within the tolerance of the gray levels exercise="q-levels" equivalent=true
# The question accepts 2%.
# - q_levels_255 = 650.25
# + q_levels_255 = 651.25


# %% A maximum does not see the order exercise="cutout" equivalent=true
# max(0, top) is max(top, 0).
# - out[:, max(top, 0) : top + size, max(left, 0) : left + size] = fill
# + out[:, max(0, top) : top + size, max(left, 0) : left + size] = fill
# + out[:, max(top, 0) : top + size, max(0, left) : left + size] = fill


# %% A draw is almost never exactly p exercise="samplers" equivalent=true
# The two differ when a uniform number equals p to the last digit.
# - return rng.random() < p
# + return rng.random() <= p


# %% Both offsets have the same law exercise="augment-batch" equivalent=true
# top and left are both uniform on 0 to 2 pad, whatever the size of the pictures; an empty picture
# behind the batch is not used.
# - wide = np.pad(images, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
# + wide = np.pad(images, ((0, 1), (0, 0), (pad, pad), (pad, pad)))
# - top, left = sample_crop(rng, H + 2 * pad, W + 2 * pad, H, W)
# + left, top = sample_crop(rng, H + 2 * pad, W + 2 * pad, H, W)
# - out[n] = flip(crop(wide[n], top, left, H, W), horizontal=sample_flip(rng))
# + out[n] = flip(crop(wide[n], left, top, H, W), horizontal=sample_flip(rng))


# %% Any order of the three makes streams of their own exercise="worker-rng" equivalent=true
# The list is mixed as a whole; another order is another assignment of streams to triples.
# - return np.random.default_rng([seed, epoch, worker])
# + return np.random.default_rng([epoch, seed, worker])
# + return np.random.default_rng([seed, worker, epoch])


# %% A square has no longer side exercise="scale-jitter" equivalent=true
# For H = W both branches give (L, L).
# - return (L, round(W * L / H)) if H <= W else (round(H * L / W), L)
# + return (L, round(W * L / H)) if H < W else (round(H * L / W), L)


# %% A list of ten windows exercise="ten-crop" equivalent=true
# Ten arrays in a list are as good as one array: the tests take either.
# - return np.stack(five + [flip(view, horizontal=True) for view in five])
# + return five + [flip(view, horizontal=True) for view in five]


# %% The only picture is the first and the last exercise="multi-scale" equivalent=true
# average_views returns one row here.
# - return average_views(np.stack(views)[:, None])[0]
# + return average_views(np.stack(views)[:, None])[-1]
