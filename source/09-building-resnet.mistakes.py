# %% [markdown]
# ## Convolutions and shortcuts


# %% Convolution with a bias exercise="convs"
# The convolution has a bias. BatchNorm follows and subtracts whatever constant it adds: leave it
# out with bias=False.
def conv3x3(c_in, c_out, stride=1):
    """An nn.Conv2d, 3×3, without bias, that keeps the size at stride 1."""
    return nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1)


def conv1x1(c_in, c_out, stride=1):
    """An nn.Conv2d, 1×1, without bias, that keeps the size at stride 1."""
    return nn.Conv2d(c_in, c_out, 1, stride=stride, bias=False)


# %% 1×1 convolution with a bias exercise="convs"
# The 1×1 convolution has a bias that BatchNorm will subtract again.
def conv3x3(c_in, c_out, stride=1):
    """An nn.Conv2d, 3×3, without bias, that keeps the size at stride 1."""
    return nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)


def conv1x1(c_in, c_out, stride=1):
    """An nn.Conv2d, 1×1, without bias, that keeps the size at stride 1."""
    return nn.Conv2d(c_in, c_out, 1, stride=stride)


# %% 3×3 convolution without padding exercise="convs"
# Without padding a 3×3 convolution loses a row and a column on every side; padding 1 keeps the
# size.
def conv3x3(c_in, c_out, stride=1):
    """An nn.Conv2d, 3×3, without bias, that keeps the size at stride 1."""
    return nn.Conv2d(c_in, c_out, 3, stride=stride, bias=False)


def conv1x1(c_in, c_out, stride=1):
    """An nn.Conv2d, 1×1, without bias, that keeps the size at stride 1."""
    return nn.Conv2d(c_in, c_out, 1, stride=stride, bias=False)


# %% 1×1 convolution padded exercise="convs"
# A 1×1 convolution needs no padding: a border of zeros makes the maps larger.
def conv3x3(c_in, c_out, stride=1):
    """An nn.Conv2d, 3×3, without bias, that keeps the size at stride 1."""
    return nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)


def conv1x1(c_in, c_out, stride=1):
    """An nn.Conv2d, 1×1, without bias, that keeps the size at stride 1."""
    return nn.Conv2d(c_in, c_out, 1, stride=stride, padding=1, bias=False)


# %% Stride ignored exercise="convs" covers=[18]
# The stride that was asked for is not used.
def conv3x3(c_in, c_out, stride=1):
    """An nn.Conv2d, 3×3, without bias, that keeps the size at stride 1."""
    return nn.Conv2d(c_in, c_out, 3, stride=1, padding=1, bias=False)


def conv1x1(c_in, c_out, stride=1):
    """An nn.Conv2d, 1×1, without bias, that keeps the size at stride 1."""
    return nn.Conv2d(c_in, c_out, 1, stride=1, bias=False)


# %% Positional arguments exercise="convs" right=true
def conv3x3(c_in, c_out, stride=1):
    """An nn.Conv2d, 3×3, without bias, that keeps the size at stride 1."""
    return nn.Conv2d(c_in, c_out, kernel_size=3, padding=1, stride=(stride, stride), bias=False)


def conv1x1(c_in, c_out, stride=1):
    """An nn.Conv2d, 1×1, without bias, that keeps the size at stride 1."""
    return nn.Conv2d(c_in, c_out, 1, stride=stride, bias=False)


# %% Zeros before the channels exercise="zeropad"
# The new channels stand before the old ones; the exercise puts them behind.
class ZeroPad(nn.Module):
    """Shortcut option A: (N, c_in, H, W) → (N, c_out, ⌈H/stride⌉, ⌈W/stride⌉)."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.new, self.stride = c_out - c_in, stride

    def forward(self, x):
        x = x[:, :, :: self.stride, :: self.stride]  # (N, c_in, ⌈H/stride⌉, ⌈W/stride⌉)
        return nn.functional.pad(x, (0, 0, 0, 0, self.new, 0))


# %% Zeros split to both sides exercise="zeropad"
# The new channels stand half before, half behind the old ones, as some libraries do. Here they
# come behind.
class ZeroPad(nn.Module):
    """Shortcut option A: (N, c_in, H, W) → (N, c_out, ⌈H/stride⌉, ⌈W/stride⌉)."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.new, self.stride = c_out - c_in, stride

    def forward(self, x):
        x = x[:, :, :: self.stride, :: self.stride]  # (N, c_in, ⌈H/stride⌉, ⌈W/stride⌉)
        return nn.functional.pad(x, (0, 0, 0, 0, self.new // 2, self.new - self.new // 2))


# %% Pooled instead of subsampled exercise="zeropad"
# Option A takes every second row and column as it is. Average pooling mixes neighbours.
class ZeroPad(nn.Module):
    """Shortcut option A: (N, c_in, H, W) → (N, c_out, ⌈H/stride⌉, ⌈W/stride⌉)."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.new, self.stride = c_out - c_in, stride

    def forward(self, x):
        x = nn.functional.avg_pool2d(
            x, self.stride, ceil_mode=True
        )  # (N, c_in, ⌈H/stride⌉, ⌈W/stride⌉)
        return nn.functional.pad(x, (0, 0, 0, 0, 0, self.new))


# %% Stride on rows only exercise="zeropad" covers=[19]
# The stride belongs to rows and to columns.
class ZeroPad(nn.Module):
    """Shortcut option A: (N, c_in, H, W) → (N, c_out, ⌈H/stride⌉, ⌈W/stride⌉)."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.new, self.stride = c_out - c_in, stride

    def forward(self, x):
        x = x[:, :, :: self.stride]  # (N, c_in, ⌈H/stride⌉, ⌈W/stride⌉)
        return nn.functional.pad(x, (0, 0, 0, 0, 0, self.new))


# %% Subsampling from the second pixel exercise="zeropad"
# Rows and columns start at 0: 0, stride, 2·stride …
class ZeroPad(nn.Module):
    """Shortcut option A: (N, c_in, H, W) → (N, c_out, ⌈H/stride⌉, ⌈W/stride⌉)."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.new, self.stride = c_out - c_in, stride

    def forward(self, x):
        x = x[
            :, :, self.stride - 1 :: self.stride, self.stride - 1 :: self.stride
        ]  # (N, c_in, ⌈H/stride⌉, ⌈W/stride⌉)
        return nn.functional.pad(x, (0, 0, 0, 0, 0, self.new))


# %% Channels repeated instead of zeros exercise="zeropad"
# The new channels should be zero; yours repeat those that are there.
class ZeroPad(nn.Module):
    """Shortcut option A: (N, c_in, H, W) → (N, c_out, ⌈H/stride⌉, ⌈W/stride⌉)."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.new, self.stride = c_out - c_in, stride

    def forward(self, x):
        x = x[:, :, :: self.stride, :: self.stride]  # (N, c_in, ⌈H/stride⌉, ⌈W/stride⌉)
        return torch.cat([x, x, x, x], 1)[:, : x.shape[1] + self.new]


# %% Pixels padded instead of channels exercise="zeropad" covers=[12]
# nn.functional.pad counts from the last axis: the first pair pads columns, the third the
# channels.
class ZeroPad(nn.Module):
    """Shortcut option A: (N, c_in, H, W) → (N, c_out, ⌈H/stride⌉, ⌈W/stride⌉)."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.new, self.stride = c_out - c_in, stride

    def forward(self, x):
        x = x[:, :, :: self.stride, :: self.stride]  # (N, c_in, ⌈H/stride⌉, ⌈W/stride⌉)
        return nn.functional.pad(x, (0, self.new))


# %% Shortcut A detached from the graph exercise="zeropad" covers=[104]
# The shortcut is cut out of the graph: no gradient flows back through it, which is what shortcuts
# are for.
class ZeroPad(nn.Module):
    """Shortcut option A: (N, c_in, H, W) → (N, c_out, ⌈H/stride⌉, ⌈W/stride⌉)."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.new, self.stride = c_out - c_in, stride

    def forward(self, x):
        x = x[:, :, :: self.stride, :: self.stride]  # (N, c_in, ⌈H/stride⌉, ⌈W/stride⌉)
        return nn.functional.pad(x.detach(), (0, 0, 0, 0, 0, self.new))


# %% Shortcut A with a weight exercise="zeropad"
# Option A has no parameters; yours learns a scale.
class ZeroPad(nn.Module):
    """Shortcut option A: (N, c_in, H, W) → (N, c_out, ⌈H/stride⌉, ⌈W/stride⌉)."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.new, self.stride = c_out - c_in, stride
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x):
        x = x[:, :, :: self.stride, :: self.stride]  # (N, c_in, ⌈H/stride⌉, ⌈W/stride⌉)
        return self.scale * nn.functional.pad(x, (0, 0, 0, 0, 0, self.new))


# %% Zeros by concatenation exercise="zeropad" right=true
class ZeroPad(nn.Module):
    """Shortcut option A: (N, c_in, H, W) → (N, c_out, ⌈H/stride⌉, ⌈W/stride⌉)."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.new, self.stride = c_out - c_in, stride

    def forward(self, x):
        x = x[:, :, :: self.stride, :: self.stride]  # (N, c_in, ⌈H/stride⌉, ⌈W/stride⌉)
        n, _, h, w = x.shape
        return torch.cat([x, x.new_zeros(n, self.new, h, w)], dim=1)


# %% Subsampled by a pooling of one pixel exercise="zeropad" right=true
class ZeroPad(nn.Module):
    """Shortcut option A: (N, c_in, H, W) → (N, c_out, ⌈H/stride⌉, ⌈W/stride⌉)."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.new, self.stride = c_out - c_in, stride

    def forward(self, x):
        x = nn.functional.avg_pool2d(x, 1, self.stride)  # (N, c_in, ⌈H/stride⌉, ⌈W/stride⌉)
        return nn.functional.pad(x, (0, 0, 0, 0, 0, self.new))


# %% Projection where the identity suffices exercise="shortcut" covers=[103]
# Where the shape stays, options A and B pass x on as it is. A projection there is option C.
def make_shortcut(option, c_in, c_out, stride):
    """The module on the shortcut; option is "A", "B" or "C". Raises ValueError for another option."""
    if option not in ("A", "B", "C"):
        raise ValueError(f"no shortcut option {option!r}; there are A, B and C")
    if option == "A" and stride == 1 and c_in == c_out:
        return nn.Identity()
    if option == "A":
        return ZeroPad(c_in, c_out, stride)
    return nn.Sequential(conv1x1(c_in, c_out, stride), nn.BatchNorm2d(c_out))


# %% Projection without BatchNorm exercise="shortcut" covers=[102]
# Every convolution has a BatchNorm behind it, the one on the shortcut too.
def make_shortcut(option, c_in, c_out, stride):
    """The module on the shortcut; option is "A", "B" or "C". Raises ValueError for another option."""
    if option not in ("A", "B", "C"):
        raise ValueError(f"no shortcut option {option!r}; there are A, B and C")
    if option != "C" and stride == 1 and c_in == c_out:
        return nn.Identity()
    if option == "A":
        return ZeroPad(c_in, c_out, stride)
    return nn.Sequential(conv1x1(c_in, c_out, stride))


# %% Projection without its stride exercise="shortcut" covers=[18]
# The projection keeps the resolution: it needs the stride of the block.
def make_shortcut(option, c_in, c_out, stride):
    """The module on the shortcut; option is "A", "B" or "C". Raises ValueError for another option."""
    if option not in ("A", "B", "C"):
        raise ValueError(f"no shortcut option {option!r}; there are A, B and C")
    if option != "C" and stride == 1 and c_in == c_out:
        return nn.Identity()
    if option == "A":
        return ZeroPad(c_in, c_out, stride)
    return nn.Sequential(conv1x1(c_in, c_out), nn.BatchNorm2d(c_out))


# %% Identity whenever the channels agree exercise="shortcut"
# A stride above 1 changes the shape as well, even where the channels stay.
def make_shortcut(option, c_in, c_out, stride):
    """The module on the shortcut; option is "A", "B" or "C". Raises ValueError for another option."""
    if option not in ("A", "B", "C"):
        raise ValueError(f"no shortcut option {option!r}; there are A, B and C")
    if option != "C" and c_in == c_out:
        return nn.Identity()
    if option == "A":
        return ZeroPad(c_in, c_out, stride)
    return nn.Sequential(conv1x1(c_in, c_out, stride), nn.BatchNorm2d(c_out))


# %% Identity whenever the stride is 1 exercise="shortcut"
# Other channels change the shape as well, even at stride 1: the first stage of ResNet-50 goes
# from 64 to 256.
def make_shortcut(option, c_in, c_out, stride):
    """The module on the shortcut; option is "A", "B" or "C". Raises ValueError for another option."""
    if option not in ("A", "B", "C"):
        raise ValueError(f"no shortcut option {option!r}; there are A, B and C")
    if option != "C" and stride == 1:
        return nn.Identity()
    if option == "A":
        return ZeroPad(c_in, c_out, stride)
    return nn.Sequential(conv1x1(c_in, c_out, stride), nn.BatchNorm2d(c_out))


# %% Option C as option B exercise="shortcut"
# Option C projects on every shortcut, also where the shape stays.
def make_shortcut(option, c_in, c_out, stride):
    """The module on the shortcut; option is "A", "B" or "C". Raises ValueError for another option."""
    if option not in ("A", "B", "C"):
        raise ValueError(f"no shortcut option {option!r}; there are A, B and C")
    if stride == 1 and c_in == c_out:
        return nn.Identity()
    if option == "A":
        return ZeroPad(c_in, c_out, stride)
    return nn.Sequential(conv1x1(c_in, c_out, stride), nn.BatchNorm2d(c_out))


# %% Option A projects exercise="shortcut"
# Option A has no parameters: where the shape changes it is a ZeroPad.
def make_shortcut(option, c_in, c_out, stride):
    """The module on the shortcut; option is "A", "B" or "C". Raises ValueError for another option."""
    if option not in ("A", "B", "C"):
        raise ValueError(f"no shortcut option {option!r}; there are A, B and C")
    if option != "C" and stride == 1 and c_in == c_out:
        return nn.Identity()
    return nn.Sequential(conv1x1(c_in, c_out, stride), nn.BatchNorm2d(c_out))


# %% Projection with a 3×3 kernel exercise="shortcut"
# The projection is a 1×1 convolution.
def make_shortcut(option, c_in, c_out, stride):
    """The module on the shortcut; option is "A", "B" or "C". Raises ValueError for another option."""
    if option not in ("A", "B", "C"):
        raise ValueError(f"no shortcut option {option!r}; there are A, B and C")
    if option != "C" and stride == 1 and c_in == c_out:
        return nn.Identity()
    if option == "A":
        return ZeroPad(c_in, c_out, stride)
    return nn.Sequential(conv3x3(c_in, c_out, stride), nn.BatchNorm2d(c_out))


# %% ReLU on the projection exercise="shortcut"
# The projection has a BatchNorm and no ReLU: the shortcut must be able to hand on negative
# values.
def make_shortcut(option, c_in, c_out, stride):
    """The module on the shortcut; option is "A", "B" or "C". Raises ValueError for another option."""
    if option not in ("A", "B", "C"):
        raise ValueError(f"no shortcut option {option!r}; there are A, B and C")
    if option != "C" and stride == 1 and c_in == c_out:
        return nn.Identity()
    if option == "A":
        return ZeroPad(c_in, c_out, stride)
    return nn.Sequential(conv1x1(c_in, c_out, stride), nn.BatchNorm2d(c_out), nn.ReLU())


# %% Unknown options accepted exercise="shortcut"
# An option that is not A, B or C should raise ValueError.
def make_shortcut(option, c_in, c_out, stride):
    """The module on the shortcut; option is "A", "B" or "C". Raises ValueError for another option."""
    if option != "C" and stride == 1 and c_in == c_out:
        return nn.Identity()
    if option == "A":
        return ZeroPad(c_in, c_out, stride)
    return nn.Sequential(conv1x1(c_in, c_out, stride), nn.BatchNorm2d(c_out))


# %% Projection with BatchNorm first exercise="shortcut"
# The convolution comes first, then BatchNorm over its output channels.
def make_shortcut(option, c_in, c_out, stride):
    """The module on the shortcut; option is "A", "B" or "C". Raises ValueError for another option."""
    if option not in ("A", "B", "C"):
        raise ValueError(f"no shortcut option {option!r}; there are A, B and C")
    if option != "C" and stride == 1 and c_in == c_out:
        return nn.Identity()
    if option == "A":
        return ZeroPad(c_in, c_out, stride)
    return nn.Sequential(nn.BatchNorm2d(c_in), conv1x1(c_in, c_out, stride))


# %% Shortcuts by a dictionary exercise="shortcut" right=true
def make_shortcut(option, c_in, c_out, stride):
    changes = (c_in, 1) != (c_out, stride)

    def project():
        conv = nn.Conv2d(c_in, c_out, kernel_size=1, stride=stride, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(c_out))

    makers = {
        "A": (lambda: ZeroPad(c_in, c_out, stride)) if changes else nn.Identity,
        "B": project if changes else nn.Identity,
        "C": project,
    }
    try:
        return makers[option]()
    except KeyError:
        raise ValueError(option)


# %% An empty Sequential for the identity exercise="shortcut" right=true
def make_shortcut(option, c_in, c_out, stride):
    """The module on the shortcut; option is "A", "B" or "C". Raises ValueError for another option."""
    if option not in ("A", "B", "C"):
        raise ValueError(f"no shortcut option {option!r}; there are A, B and C")
    if option != "C" and stride == 1 and c_in == c_out:
        return nn.Sequential()
    if option == "A":
        return ZeroPad(c_in, c_out, stride)
    return nn.Sequential(conv1x1(c_in, c_out, stride), nn.BatchNorm2d(c_out))


# %% [markdown]
# ## The basic block


# %% Skip dropped exercise="basic-block" covers=[96]
# The shortcut is never added: this is a plain block.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y)


# %% ReLU before the addition exercise="basic-block" covers=[97]
# The last ReLU comes before the addition: F(x) can then only add, never take away, and the sum is
# left negative where x is.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y) + self.downsample(x)


# %% BatchNorm after the addition exercise="basic-block" covers=[98]
# The second BatchNorm normalises the sum. It belongs on F(x), before the shortcut is added.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.conv2(y)  # (N, width, H/stride, W/stride)
        return torch.relu(self.bn2(y + self.downsample(x)))


# %% Final ReLU missing exercise="basic-block" covers=[99]
# There is a ReLU after the addition.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return y + self.downsample(x)


# %% Middle ReLU missing exercise="basic-block" covers=[100]
# Between the two convolutions there is a ReLU; without it they are one linear map, up to
# BatchNorm.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = self.bn1(self.conv1(x))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Stride on the second convolution exercise="basic-block" covers=[101]
# The first convolution has the stride. On the second one the block has the same shapes, costs
# more and reads other pixels.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Stride on both convolutions exercise="basic-block" covers=[101]
# Only the first convolution has the stride; on both the block would divide the resolution by 4.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% One BatchNorm for both convolutions exercise="basic-block" covers=[109]
# Both names stand for one BatchNorm. Each convolution needs statistics and a scale of its own.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = self.bn1
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% bn1 used twice exercise="basic-block" covers=[109]
# The second convolution's output goes through bn1 again; bn2 is never used.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn1(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Shortcut detached exercise="basic-block" covers=[104]
# detach() cuts the shortcut out of the graph: the values are right, the gradient through the
# shortcut is lost.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x).detach())


# %% Layers in a plain list exercise="basic-block" covers=[108]
# The layers hide in a Python list, where PyTorch does not find them: no parameters, no state.
# Make each an attribute.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.layers = [conv3x3(c_in, width, stride), nn.BatchNorm2d(width)]
        self.layers += [conv3x3(width, width), nn.BatchNorm2d(width)]
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.layers[1](self.layers[0](x)))  # (N, width, H/stride, W/stride)
        y = self.layers[3](self.layers[2](y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Other names exercise="basic-block"
# The attribute is called downsample, as in the published weights; under another name they do not
# load.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.shortcut(x))


# %% Shortcut of the first convolution's output exercise="basic-block" covers=[96]
# What is added is the block's input, through the shortcut, not something that the block has
# computed.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = x = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + x)


# %% Shortcut option not passed on exercise="basic-block"
# The block always uses option B: hand the option on to make_shortcut.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut("B", c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% No BatchNorm behind the first convolution exercise="basic-block"
# bn1 is made and never used.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.conv1(x))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% BatchNorm without running statistics exercise="basic-block" covers=[73]
# With track_running_stats=False BatchNorm uses the batch in evaluation mode too, and the
# published statistics have no place.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width, track_running_stats=False)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width, track_running_stats=False)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% BatchNorm without scale and shift exercise="basic-block" covers=[84]
# With affine=False BatchNorm has no gamma and beta.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width, affine=False)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width, affine=False)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Momentum of BatchNorm turned round exercise="basic-block" covers=[76, 77]
# PyTorch's momentum is the share of the new batch: 0.1, its default. With 0.9 the running
# averages follow the last batch.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width, momentum=0.9)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width, momentum=0.9)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Running statistics never move exercise="basic-block" covers=[78]
# With momentum 0 the running averages stay at 0 and 1 for ever.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width, momentum=0.0)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width, momentum=0.0)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Another eps exercise="basic-block"
# PyTorch's usual eps is 1e-5; with 0.1 the outputs differ.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width, eps=0.1)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width, eps=0.1)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Batch statistics in evaluation mode exercise="basic-block" covers=[73, 79]
# The block normalises with the batch it sees, in evaluation mode too: let BatchNorm decide by its
# mode.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        self.bn1.train()
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Pre-activation order exercise="basic-block"
# This is the order of the later pre-activation ResNet: BatchNorm and ReLU before the convolution.
# Here they come behind it.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = self.conv1(torch.relu(x))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(torch.relu(self.bn1(y))))  # (N, width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% A mean instead of a sum exercise="basic-block"
# The block adds the shortcut and F(x); yours takes half of the sum.
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu((y + self.downsample(x)) / 2)


# %% nn.ReLU modules exercise="basic-block" right=true
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return self.relu(y + self.downsample(x))


# %% ReLU in place on the sum exercise="basic-block" right=true
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        y += self.downsample(x)
        return nn.functional.relu(y, inplace=True)


# %% Shortcut first exercise="basic-block" right=true
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        side = self.downsample(x)
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return torch.relu(side + y)


# %% clamp as ReLU exercise="basic-block" right=true
class BasicBlock(nn.Module):
    """Two 3×3 convolutions and a shortcut: (N, c_in, H, W) → (N, width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, downsample. `v1` makes no difference here.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        self.conv1 = conv3x3(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H/stride, W/stride)
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        return (self.downsample(x) + y).clamp(min=0)


# %% [markdown]
# ## The bottleneck


# %% 17 without the 3×3's nine places exercise="q-bottleneck"
# A 3×3 convolution has nine weights for each pair of channels: 4 + 9 + 4.
q_bottleneck = 9
q_wide_basic = 288


# %% Each 1×1 counted once exercise="q-bottleneck"
# The two 1×1 convolutions join C and 4C channels: each has 4C² weights.
q_bottleneck = 11
q_wide_basic = 288


# %% Four times as wide, four times the weights exercise="q-bottleneck"
# Both sides of a convolution become four times as wide: the weights grow by 16.
q_bottleneck = 17
q_wide_basic = 72


# %% Worked out exercise="q-bottleneck" right=true
q_bottleneck = 4 + 9 + 4
q_wide_basic = 2 * 9 * 4.0 * 4.0


# %% Version 1 as the default exercise="bottleneck"
# The stride is in the first 1×1 convolution, which is version 1; without v1=True it belongs to
# the 3×3 convolution.
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, 1)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Versions swapped exercise="bottleneck"
# The two versions are swapped: v1 is the paper's, with the stride in the first 1×1 convolution.
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, 1 if v1 else stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, stride if v1 else 1)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% v1 ignored exercise="bottleneck"
# v1 is ignored: with v1=True the first 1×1 convolution has the stride.
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Stride in the last 1×1 exercise="bottleneck" covers=[101]
# The stride is in the last convolution: in neither version.
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, 1)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, c_out, stride)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Stride taken twice exercise="bottleneck"
# Two convolutions have the stride, so that the sizes do not fit the shortcut's.
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Expansion forgotten exercise="bottleneck" covers=[107]
# The last 1×1 convolution widens to 4 · width channels.
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 1

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, stride if v1 else 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, 1 if v1 else stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Wide in the middle exercise="bottleneck" covers=[107]
# The 3×3 convolution works on the narrow width; yours widens already there.
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, stride if v1 else 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, c_out, 1 if v1 else stride)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.conv3 = conv1x1(c_out, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Bottleneck without its skip exercise="bottleneck" covers=[96]
# The shortcut is never added.
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, stride if v1 else 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, 1 if v1 else stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y)


# %% ReLU before the addition in the bottleneck exercise="bottleneck" covers=[97]
# The last ReLU comes after the addition, not before.
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, stride if v1 else 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, 1 if v1 else stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y) + self.downsample(x)


# %% Final ReLU missing in the bottleneck exercise="bottleneck" covers=[99]
# There is a ReLU after the addition.
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, stride if v1 else 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, 1 if v1 else stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return y + self.downsample(x)


# %% First ReLU missing in the bottleneck exercise="bottleneck" covers=[100]
# There is a ReLU behind the first BatchNorm.
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, stride if v1 else 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, 1 if v1 else stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = self.bn1(self.conv1(x))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Second ReLU missing in the bottleneck exercise="bottleneck" covers=[100]
# There is a ReLU behind the second BatchNorm.
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, stride if v1 else 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, 1 if v1 else stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = self.bn2(self.conv2(y))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% A third ReLU inside the bottleneck exercise="bottleneck" covers=[97]
# Behind the third BatchNorm there is no ReLU: it comes after the addition.
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, stride if v1 else 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, 1 if v1 else stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = torch.relu(self.bn3(self.conv3(y)))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% One BatchNorm shared in the bottleneck exercise="bottleneck" covers=[109]
# bn2 is bn1: each convolution needs a BatchNorm of its own.
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, stride if v1 else 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, 1 if v1 else stride)
        self.bn2 = self.bn1
        self.conv3 = conv1x1(width, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Shortcut of the bottleneck detached exercise="bottleneck" covers=[104]
# detach() takes the shortcut out of the graph; the gradient through it is lost.
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, stride if v1 else 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, 1 if v1 else stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x.detach()))


# %% Shortcut made for the narrow width exercise="bottleneck"
# The shortcut has to arrive at 4 · width channels.
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, stride if v1 else 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, 1 if v1 else stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, width, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Bottleneck's BatchNorm with another momentum exercise="bottleneck" covers=[76]
# Leave BatchNorm's momentum at PyTorch's usual 0.1.
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, stride if v1 else 1)
        self.bn1 = nn.BatchNorm2d(width, momentum=0.01)
        self.conv2 = conv3x3(width, width, 1 if v1 else stride)
        self.bn2 = nn.BatchNorm2d(width, momentum=0.01)
        self.conv3 = conv1x1(width, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Strides worked out beforehand exercise="bottleneck" right=true
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        first, second = (stride, 1) if v1 else (1, stride)
        c_out = self.expansion * width
        self.conv1 = conv1x1(c_in, width, first)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = conv3x3(width, width, second)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = conv1x1(width, c_out)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% Convolutions made by hand exercise="bottleneck" right=true
class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, c_in, H, W) → (N, 4·width, ⌈H/stride⌉, ⌈W/stride⌉).

    Attributes: conv1, bn1, conv2, bn2, conv3, bn3, downsample. With `v1` the first 1×1 convolution
    has the stride, else the 3×3 convolution.
    """

    expansion = 4

    def __init__(self, c_in, width, stride=1, shortcut="B", v1=False):
        super().__init__()
        c_out = self.expansion * width
        self.conv1 = nn.Conv2d(c_in, width, 1, stride if v1 else 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1 if v1 else stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.downsample = make_shortcut(shortcut, c_in, c_out, stride)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))  # (N, width, H, W); v1: already strided
        y = torch.relu(self.bn2(self.conv2(y)))  # (N, width, H/stride, W/stride)
        y = self.bn3(self.conv3(y))  # (N, 4·width, H/stride, W/stride)
        return torch.relu(y + self.downsample(x))


# %% [markdown]
# ## The family


# %% All four stages halve exercise="q-first-blocks" covers=[106]
# Stage 1 keeps the 56 × 56 pixels: the max-pooling before it has halved already.
q_first_blocks = "a"
q_projections_34 = 3
q_projections_50 = 4


# %% Bottleneck nets halve in stage 1 too exercise="q-first-blocks" covers=[106]
# Bottleneck nets have the same resolutions; in stage 1 they change the channels at stride 1.
q_first_blocks = "d"
q_projections_34 = 3
q_projections_50 = 4


# %% The last stage keeps its size exercise="q-first-blocks"
# Read the table: 56, 28, 14, 7.
q_first_blocks = "c"
q_projections_34 = 3
q_projections_50 = 4


# %% Three projections in ResNet-50 exercise="q-first-blocks"
# Stage 1 of ResNet-50 receives 64 channels and hands on 256: it needs a projection as well, at
# stride 1.
q_first_blocks = "b"
q_projections_34 = 3
q_projections_50 = 3


# %% Four projections in ResNet-34 exercise="q-first-blocks"
# Stage 1 of ResNet-34 receives 64 channels and keeps them: no projection.
q_first_blocks = "b"
q_projections_34 = 4
q_projections_50 = 4


# %% A projection in every block exercise="q-first-blocks" covers=[103]
# Option B projects only where the shape changes; a projection in every block is option C.
q_first_blocks = "b"
q_projections_34 = 16
q_projections_50 = 16


# %% Stem and head not counted exercise="weight-layers"
# The stem's convolution and the linear layer count too.
def weight_layers(kind, counts):
    """Layers with weights of a ResNet with `counts` blocks in its stages, as its name counts them."""
    return {"basic": 2, "bottleneck": 3}[kind] * sum(counts)


# %% Projections counted exercise="weight-layers"
# The name does not count projections.
def weight_layers(kind, counts):
    """Layers with weights of a ResNet with `counts` blocks in its stages, as its name counts them."""
    return 1 + {"basic": 2, "bottleneck": 3}[kind] * sum(counts) + 1 + len(counts) - 1


# %% Two layers in a bottleneck exercise="weight-layers"
# A bottleneck has three convolutions.
def weight_layers(kind, counts):
    """Layers with weights of a ResNet with `counts` blocks in its stages, as its name counts them."""
    return 1 + {"basic": 2, "bottleneck": 2}[kind] * sum(counts) + 1


# %% Always four stages of a known size exercise="weight-layers"
# Count the blocks of whatever stages are given.
def weight_layers(kind, counts):
    """Layers with weights of a ResNet with `counts` blocks in its stages, as its name counts them."""
    return (
        1
        + {"basic": 2, "bottleneck": 3}[kind] * (counts[0] + counts[1] + counts[2] + counts[-1])
        + 1
    )


# %% Layers by a loop exercise="weight-layers" right=true
def weight_layers(kind, counts):
    layers = 2
    for count in counts:
        for _ in range(count):
            layers += 3 if kind == "bottleneck" else 2
    return layers


# %% Downsampling in every block exercise="stage" covers=[105]
# Every block has the stride: only the first block of a stage halves the resolution.
def make_stage(block, c_in, width, count, stride, shortcut="B", v1=False):
    """An nn.Sequential of `count` blocks; the first has the stride and takes c_in channels."""
    blocks = [block(c_in, width, stride, shortcut, v1)]
    for _ in range(count - 1):
        blocks.append(block(block.expansion * width, width, stride, shortcut, v1))
    return nn.Sequential(*blocks)


# %% Expansion forgotten between the blocks exercise="stage" covers=[107]
# A block hands on expansion · width channels, which the next one has to take.
def make_stage(block, c_in, width, count, stride, shortcut="B", v1=False):
    """An nn.Sequential of `count` blocks; the first has the stride and takes c_in channels."""
    blocks = [block(c_in, width, stride, shortcut, v1)]
    for _ in range(count - 1):
        blocks.append(block(width, width, 1, shortcut, v1))
    return nn.Sequential(*blocks)


# %% Every block takes c_in channels exercise="stage"
# Only the first block takes c_in channels.
def make_stage(block, c_in, width, count, stride, shortcut="B", v1=False):
    """An nn.Sequential of `count` blocks; the first has the stride and takes c_in channels."""
    blocks = [block(c_in, width, stride, shortcut, v1)]
    for _ in range(count - 1):
        blocks.append(block(c_in, width, 1, shortcut, v1))
    return nn.Sequential(*blocks)


# %% One block too many exercise="stage"
# The stage has one block too many: the first one counts.
def make_stage(block, c_in, width, count, stride, shortcut="B", v1=False):
    """An nn.Sequential of `count` blocks; the first has the stride and takes c_in channels."""
    blocks = [block(c_in, width, stride, shortcut, v1)]
    for _ in range(count):
        blocks.append(block(block.expansion * width, width, 1, shortcut, v1))
    return nn.Sequential(*blocks)


# %% One block in all places exercise="stage" covers=[109]
# The same block stands in several places: its weights are shared. Make a new one each time.
def make_stage(block, c_in, width, count, stride, shortcut="B", v1=False):
    """An nn.Sequential of `count` blocks; the first has the stride and takes c_in channels."""
    blocks = [block(c_in, width, stride, shortcut, v1)]
    if count > 1:
        blocks += [block(block.expansion * width, width, 1, shortcut, v1)] * (count - 1)
    return nn.Sequential(*blocks)


# %% A plain list of blocks exercise="stage" covers=[108]
# A Python list hides its blocks from PyTorch and cannot be called: return an nn.Sequential.
def make_stage(block, c_in, width, count, stride, shortcut="B", v1=False):
    """An nn.Sequential of `count` blocks; the first has the stride and takes c_in channels."""
    blocks = [block(c_in, width, stride, shortcut, v1)]
    for _ in range(count - 1):
        blocks.append(block(block.expansion * width, width, 1, shortcut, v1))
    return blocks


# %% Shortcut option for the first block only exercise="stage"
# The other blocks get the option too: with C they project as well.
def make_stage(block, c_in, width, count, stride, shortcut="B", v1=False):
    """An nn.Sequential of `count` blocks; the first has the stride and takes c_in channels."""
    blocks = [block(c_in, width, stride, shortcut, v1)]
    for _ in range(count - 1):
        blocks.append(block(block.expansion * width, width, 1))
    return nn.Sequential(*blocks)


# %% Options not passed on exercise="stage"
# Shortcut and version have to reach the blocks.
def make_stage(block, c_in, width, count, stride, shortcut="B", v1=False):
    """An nn.Sequential of `count` blocks; the first has the stride and takes c_in channels."""
    blocks = [block(c_in, width, stride)]
    for _ in range(count - 1):
        blocks.append(block(block.expansion * width, width, 1))
    return nn.Sequential(*blocks)


# %% The stride at the end exercise="stage"
# The first block has the stride, not the last.
def make_stage(block, c_in, width, count, stride, shortcut="B", v1=False):
    """An nn.Sequential of `count` blocks; the first has the stride and takes c_in channels."""
    blocks = []
    for number in range(count):
        step = stride if number == count - 1 else 1
        blocks.append(block(c_in, width, step, shortcut, v1))
        c_in = block.expansion * width
    return nn.Sequential(*blocks)


# %% One loop with a running width exercise="stage" right=true
def make_stage(block, c_in, width, count, stride, shortcut="B", v1=False):
    stage = nn.Sequential()
    for number in range(count):
        stage.append(block(c_in, width, stride=stride, shortcut=shortcut, v1=v1))
        c_in, stride = width * block.expansion, 1
    return stage


# %% The stem with a bias exercise="q-stem"
# 9,472 counts 64 biases. BatchNorm follows, so ResNet's stem has none.
q_stem = 9472


# %% One input channel in the stem exercise="q-stem"
# Each filter has a slice for each of the three colour channels.
q_stem = 3136


# %% [markdown]
# ## The whole net


# %% ReLU of the stem missing exercise="resnet" covers=[100]
# Between bn1 and the pooling there is a ReLU.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(self.bn1(self.conv1(x)))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% Stem without its BatchNorm exercise="resnet"
# bn1 is made and never used.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.conv1(x)))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% Stem with a bias exercise="resnet"
# The stem's convolution has a bias: 64 parameters too many.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% Pooling without padding exercise="resnet"
# The max-pooling has padding 1: 112 becomes 56.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% Average pooling in the stem exercise="resnet"
# The stem pools by the maximum.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.AvgPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% Stage 1 downsampled exercise="resnet" covers=[106]
# Stage 1 has stride 1: the max-pooling has halved already.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% No stage downsampled exercise="resnet"
# From the second stage on the first block has stride 2.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% Mean over the channels exercise="resnet" covers=[115]
# Global average pooling takes the mean over rows and columns, not over channels.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(1, 2)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% Flattened with the batch exercise="resnet" covers=[116]
# The batch axis has gone into the mean: one row of logits for all pictures.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(0, 2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% Maximum instead of mean at the end exercise="resnet"
# The head takes the mean over rows and columns, not the maximum.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.amax(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% Softmax inside the net exercise="resnet" covers=[57]
# The net returns logits; the softmax is part of the loss.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return torch.softmax(self.fc(x.mean(dim=(2, 3))), dim=1)  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% Expansion forgotten in the net exercise="resnet" covers=[107]
# With bottlenecks a stage hands on expansion · width channels.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% The width never doubles exercise="resnet"
# The width doubles from stage to stage.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% Stages in a plain list exercise="resnet" covers=[108]
# The stages hide in a Python list: nothing of them is trained or stored. Use setattr.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.stages = []
        for place, count in enumerate(counts):
            wide = width * 2**place
            step = 2 if place else 1
            self.stages.append(make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for stage in self.stages:
            x = stage(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% in_channels ignored exercise="resnet"
# The stem always takes three channels.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(3, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% num_classes ignored exercise="resnet"
# The linear layer always has 1000 outputs.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, 1000)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% width ignored exercise="resnet"
# The stem always has 64 channels.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, 64, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = 64
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% v1 not passed on exercise="resnet"
# The version does not reach the stages.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% Shortcut not passed on exercise="resnet"
# The shortcut option does not reach the stages.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, "B", v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% small keeps the pooling exercise="resnet"
# With small there is no max-pooling: nn.Identity().
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% small keeps the stem's stride exercise="resnet"
# With small the stem is a 3×3 convolution with stride 1.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 2) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% ResNet-50 with ResNet-101's blocks exercise="resnet"
# A bottleneck net has the wrong number of blocks in a stage; compare with the table.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 23, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% ResNet-152 with its blocks moved exercise="resnet"
# The blocks of ResNet-152 are 3, 8, 36, 3.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 4, 40, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% ResNet-34 with bottlenecks exercise="resnet"
# ResNet-34 has basic blocks; with bottlenecks in the same places it is ResNet-50.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (Bottleneck, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% The nearest depth exercise="resnet"
# A depth that is not in the table should raise ValueError, not give another net.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    depth = min(blueprints, key=lambda known: abs(known - depth))
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% KeyError for an unknown depth exercise="resnet"
# A depth that is not in the table should raise ValueError; a dictionary raises KeyError.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% Options not passed to ResNet exercise="resnet"
# resnet(depth, **options) has to hand the options on.
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts)


# %% Adaptive pooling and flatten exercise="resnet" right=true
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% add_module and named_children exercise="resnet" right=true
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            self.add_module(name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name, stage in self.named_children():
            x = (
                stage(x) if name.startswith("layer") else x
            )  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(x.mean(dim=(2, 3)))  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% ReLU and mean as modules exercise="resnet" right=true
class ResNet(nn.Module):
    """A ResNet: (N, in_channels, H, W) → logits (N, num_classes), for any H and W.

    Attributes: conv1, bn1, maxpool, layer1, layer2, … (one for each number in counts), fc.
    """

    def __init__(
        self,
        block,
        counts,
        width=64,
        num_classes=1000,
        in_channels=3,
        shortcut="B",
        v1=False,
        small=False,
    ):
        super().__init__()
        side, stride = (3, 1) if small else (7, 2)
        self.conv1 = nn.Conv2d(in_channels, width, side, stride, side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        c_in = width
        self.names = [f"layer{number}" for number in range(1, len(counts) + 1)]
        for place, (name, count) in enumerate(zip(self.names, counts)):
            wide = width * 2**place
            step = 2 if place else 1
            setattr(self, name, make_stage(block, c_in, wide, count, step, shortcut, v1))
            c_in = block.expansion * wide
        self.relu, self.pool = nn.ReLU(), nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))  # (N, width, H/4, W/4)
        for name in self.names:
            x = getattr(self, name)(x)  # layer4: (N, expansion·8·width, H/32, W/32)
        return self.fc(self.pool(x)[:, :, 0, 0])  # (N, num_classes)


def resnet(depth, **options):
    """The ImageNet ResNet with `depth` layers; options go to ResNet. ValueError for another depth."""
    blueprints = {
        18: (BasicBlock, (2, 2, 2, 2)),
        34: (BasicBlock, (3, 4, 6, 3)),
        50: (Bottleneck, (3, 4, 6, 3)),
        101: (Bottleneck, (3, 4, 23, 3)),
        152: (Bottleneck, (3, 8, 36, 3)),
    }
    if depth not in blueprints:
        raise ValueError(f"no ResNet-{depth}; there are {', '.join(map(str, blueprints))}")
    block, counts = blueprints[depth]
    return ResNet(block, counts, **options)


# %% [markdown]
# ## Counting, and the body


# %% Buffers counted as parameters exercise="count-parameters" covers=[33, 89]
# The state dict holds buffers too: running statistics and a counter are stored, not trained.
def count_parameters(net):
    """The number of trainable numbers in net, an nn.Module (also on the meta device)."""
    return sum(value.numel() for value in net.state_dict().values())


# %% Tensors counted, not numbers exercise="count-parameters"
# You counted tensors; each holds numel() numbers.
def count_parameters(net):
    """The number of trainable numbers in net, an nn.Module (also on the meta device)."""
    return sum(1 for parameter in net.parameters())


# %% Only weights of convolutions exercise="count-parameters" covers=[26]
# BatchNorm and linear layers have parameters too, and biases are parameters.
def count_parameters(net):
    """The number of trainable numbers in net, an nn.Module (also on the meta device)."""
    return sum(parameter.numel() for parameter in net.parameters() if parameter.dim() == 4)


# %% Shared layers counted twice exercise="count-parameters"
# A layer that is used in two places has its parameters once; net.parameters() knows that.
def count_parameters(net):
    """The number of trainable numbers in net, an nn.Module (also on the meta device)."""
    return sum(p.numel() for _, p in net.named_parameters(remove_duplicate=False))


# %% Product of the shapes exercise="count-parameters" right=true
def count_parameters(net):
    """The number of trainable numbers in net, an nn.Module (also on the meta device)."""
    return sum(int(np.prod(parameter.shape)) for parameter in net.parameters())


# %% FLOPs instead of MACs exercise="count-macs" covers=[27]
# A MAC is one multiply-add; you counted it as two.
def count_macs(net, shape):
    """MACs of the convolutions and linear layers of net for one input of shape (C, H, W)."""
    total = 0

    def watch(layer, inputs, output):
        nonlocal total
        total += 2 * output.numel() * layer.weight[0].numel()

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(watch) for layer in layers]
    modes = {module: module.training for module in net.modules()}
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, *shape, device=next(net.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    return total


# %% Bias counted as a MAC exercise="count-macs"
# Biases are not counted: each output number costs as many MACs as one filter has weights.
def count_macs(net, shape):
    """MACs of the convolutions and linear layers of net for one input of shape (C, H, W)."""
    total = 0

    def watch(layer, inputs, output):
        nonlocal total
        total += output.numel() * (layer.weight[0].numel() + (layer.bias is not None))

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(watch) for layer in layers]
    modes = {module: module.training for module in net.modules()}
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, *shape, device=next(net.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    return total


# %% Spatial size of the input exercise="count-macs" covers=[28]
# You used rows and columns of the input. A convolution with a stride, or without padding,
# computes fewer outputs.
def count_macs(net, shape):
    """MACs of the convolutions and linear layers of net for one input of shape (C, H, W)."""
    total = 0

    def watch(layer, inputs, output):
        nonlocal total
        places = inputs[0][0, 0].numel() if output.dim() == 4 else 1
        total += layer.weight.numel() * places

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(watch) for layer in layers]
    modes = {module: module.training for module in net.modules()}
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, *shape, device=next(net.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    return total


# %% Groups ignored exercise="count-macs" covers=[30]
# With groups a filter sees only the channels of its group; layer.weight[0] has the right size.
def count_macs(net, shape):
    """MACs of the convolutions and linear layers of net for one input of shape (C, H, W)."""
    total = 0

    def watch(layer, inputs, output):
        nonlocal total
        total += output.numel() * layer.weight[0].numel() * getattr(layer, "groups", 1)

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(watch) for layer in layers]
    modes = {module: module.training for module in net.modules()}
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, *shape, device=next(net.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    return total


# %% Square kernels assumed exercise="count-macs" covers=[20]
# The kernel has rows and columns of its own: you squared one side.
def count_macs(net, shape):
    """MACs of the convolutions and linear layers of net for one input of shape (C, H, W)."""
    total = 0

    def watch(layer, inputs, output):
        nonlocal total
        total += output.numel() * (
            layer.weight.shape[1] * layer.weight.shape[2] ** 2
            if output.dim() == 4
            else layer.weight.shape[1]
        )

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(watch) for layer in layers]
    modes = {module: module.training for module in net.modules()}
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, *shape, device=next(net.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    return total


# %% Linear layers forgotten exercise="count-macs"
# Linear layers count too.
def count_macs(net, shape):
    """MACs of the convolutions and linear layers of net for one input of shape (C, H, W)."""
    total = 0

    def watch(layer, inputs, output):
        nonlocal total
        total += output.numel() * layer.weight[0].numel()

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    handles = [layer.register_forward_hook(watch) for layer in layers]
    modes = {module: module.training for module in net.modules()}
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, *shape, device=next(net.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    return total


# %% Projections forgotten exercise="count-macs"
# The projections on the shortcuts are convolutions like the others.
def count_macs(net, shape):
    """MACs of the convolutions and linear layers of net for one input of shape (C, H, W)."""
    total = 0

    def watch(layer, inputs, output):
        nonlocal total
        total += output.numel() * layer.weight[0].numel()

    layers = [
        m
        for name, m in net.named_modules()
        if isinstance(m, nn.Conv2d | nn.Linear) and "downsample" not in name
    ]
    handles = [layer.register_forward_hook(watch) for layer in layers]
    modes = {module: module.training for module in net.modules()}
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, *shape, device=next(net.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    return total


# %% Hooks left behind exercise="count-macs"
# The hooks stay on the net: remove every handle, or the next count counts twice.
def count_macs(net, shape):
    """MACs of the convolutions and linear layers of net for one input of shape (C, H, W)."""
    total = 0

    def watch(layer, inputs, output):
        nonlocal total
        total += output.numel() * layer.weight[0].numel()

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(watch) for layer in layers]
    modes = {module: module.training for module in net.modules()}
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, *shape, device=next(net.parameters()).device))
    finally:
        for module, mode in modes.items():
            module.training = mode
    return total


# %% Counted in training mode exercise="count-macs"
# In training mode BatchNorm updates its running statistics with your zeros: count in evaluation
# mode.
def count_macs(net, shape):
    """MACs of the convolutions and linear layers of net for one input of shape (C, H, W)."""
    total = 0

    def watch(layer, inputs, output):
        nonlocal total
        total += output.numel() * layer.weight[0].numel()

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(watch) for layer in layers]
    modes = {module: module.training for module in net.modules()}
    try:
        with torch.no_grad():
            net.train()(torch.zeros(2, *shape, device=next(net.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    return total // 2


# %% Left in evaluation mode exercise="count-macs"
# The net was in training mode and is left in evaluation mode.
def count_macs(net, shape):
    """MACs of the convolutions and linear layers of net for one input of shape (C, H, W)."""
    total = 0

    def watch(layer, inputs, output):
        nonlocal total
        total += output.numel() * layer.weight[0].numel()

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(watch) for layer in layers]
    modes = {module: module.training for module in net.modules()}
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, *shape, device=next(net.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
    return total


# %% All modules put in training mode exercise="count-macs"
# Not every module was in training mode before: bring each back to its own.
def count_macs(net, shape):
    """MACs of the convolutions and linear layers of net for one input of shape (C, H, W)."""
    total = 0

    def watch(layer, inputs, output):
        nonlocal total
        total += output.numel() * layer.weight[0].numel()

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(watch) for layer in layers]
    modes = {module: module.training for module in net.modules()}
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, *shape, device=next(net.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = True
    return total


# %% A layer counted once however often it runs exercise="count-macs"
# A layer that runs twice does its work twice.
def count_macs(net, shape):
    """MACs of the convolutions and linear layers of net for one input of shape (C, H, W)."""
    counts = {}

    def watch(layer, inputs, output):
        counts[layer] = output.numel() * layer.weight[0].numel()

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(watch) for layer in layers]
    modes = {module: module.training for module in net.modules()}
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, *shape, device=next(net.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    return sum(counts.values())


# %% Counts in a list exercise="count-macs" right=true
def count_macs(net, shape):
    """MACs of the convolutions and linear layers of net for one input of shape (C, H, W)."""
    counts = []

    def watch(layer, inputs, output):
        *_, places = output.reshape(output.shape[1], -1).shape
        counts.append(layer.weight.numel() * places)

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    handles = [layer.register_forward_hook(watch) for layer in layers]
    modes = {module: module.training for module in net.modules()}
    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, *shape, device=next(net.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    return sum(counts)


# %% The stem's output in the list exercise="feature-maps"
# The list starts with layer1's output; the stem's is not in it.
def feature_maps(net, x):
    """Outputs of layer1, layer2, … of a ResNet, for x (N, C, H, W); a list of tensors."""
    x = net.maxpool(torch.relu(net.bn1(net.conv1(x))))  # (N, width, H/4, W/4)
    maps = [x]
    for name, stage in net.named_children():
        if name.startswith("layer"):
            x = stage(x)  # (N, expansion·width·2^k, H/2^(k+2), W/2^(k+2))
            maps.append(x)
    return maps


# %% Only the last map exercise="feature-maps"
# A list with the output of every stage is asked, not the last one alone.
def feature_maps(net, x):
    """Outputs of layer1, layer2, … of a ResNet, for x (N, C, H, W); a list of tensors."""
    x = net.maxpool(torch.relu(net.bn1(net.conv1(x))))  # (N, width, H/4, W/4)
    maps = []
    for name, stage in net.named_children():
        if name.startswith("layer"):
            x = stage(x)  # (N, expansion·width·2^k, H/2^(k+2), W/2^(k+2))
            maps.append(x)
    return [x]


# %% The stem without its pooling exercise="feature-maps"
# The stem ends with maxpool.
def feature_maps(net, x):
    """Outputs of layer1, layer2, … of a ResNet, for x (N, C, H, W); a list of tensors."""
    x = torch.relu(net.bn1(net.conv1(x)))  # (N, width, H/4, W/4)
    maps = []
    for name, stage in net.named_children():
        if name.startswith("layer"):
            x = stage(x)  # (N, expansion·width·2^k, H/2^(k+2), W/2^(k+2))
            maps.append(x)
    return maps


# %% The stem without its ReLU exercise="feature-maps" covers=[100]
# Between bn1 and maxpool there is a ReLU.
def feature_maps(net, x):
    """Outputs of layer1, layer2, … of a ResNet, for x (N, C, H, W); a list of tensors."""
    x = net.maxpool(net.bn1(net.conv1(x)))  # (N, width, H/4, W/4)
    maps = []
    for name, stage in net.named_children():
        if name.startswith("layer"):
            x = stage(x)  # (N, expansion·width·2^k, H/2^(k+2), W/2^(k+2))
            maps.append(x)
    return maps


# %% Every stage from the stem exercise="feature-maps"
# Each stage takes the output of the one before.
def feature_maps(net, x):
    """Outputs of layer1, layer2, … of a ResNet, for x (N, C, H, W); a list of tensors."""
    x = net.maxpool(torch.relu(net.bn1(net.conv1(x))))  # (N, width, H/4, W/4)
    maps = []
    for name, stage in net.named_children():
        if name.startswith("layer"):
            y = stage(x)  # (N, expansion·width·2^k, H/2^(k+2), W/2^(k+2))
            maps.append(y)
    return maps


# %% Four stages assumed exercise="feature-maps"
# A net may have any number of stages; yours asks for four.
def feature_maps(net, x):
    """Outputs of layer1, layer2, … of a ResNet, for x (N, C, H, W); a list of tensors."""
    x = net.maxpool(torch.relu(net.bn1(net.conv1(x))))
    maps = []
    for stage in (net.layer1, net.layer2, net.layer3, net.layer4):
        x = stage(x)
        maps.append(x)
    return maps


# %% Means instead of maps exercise="feature-maps"
# The maps are asked, with their rows and columns; you took means.
def feature_maps(net, x):
    """Outputs of layer1, layer2, … of a ResNet, for x (N, C, H, W); a list of tensors."""
    x = net.maxpool(torch.relu(net.bn1(net.conv1(x))))  # (N, width, H/4, W/4)
    maps = []
    for name, stage in net.named_children():
        if name.startswith("layer"):
            x = stage(x)  # (N, expansion·width·2^k, H/2^(k+2), W/2^(k+2))
            maps.append(x.mean(dim=(2, 3)))
    return maps


# %% Stages by number exercise="feature-maps" right=true
def feature_maps(net, x):
    x = net.maxpool(torch.relu(net.bn1(net.conv1(x))))
    maps, number = [], 1
    while hasattr(net, f"layer{number}"):
        x = getattr(net, f"layer{number}")(x)
        maps.append(x)
        number += 1
    return tuple(maps)


# %% The last width without its expansion exercise="q-backbone" covers=[107]
# ResNet-50 has bottlenecks: its last stage hands on 4 · 512 channels.
q_backbone = (512, 15, 20)


# %% Rows and columns swapped in the backbone exercise="q-backbone" covers=[17]
# 480 rows, 640 columns: each divided by 32.
q_backbone = (2048, 20, 15)


# %% The size for 224 exercise="q-backbone"
# 7 × 7 is the size for 224 × 224; the maps grow with the picture.
q_backbone = (2048, 7, 7)


# %% One halving forgotten exercise="q-backbone"
# Stem and pooling divide by 4, three stages by 2 each: by 32 in all.
q_backbone = (2048, 30, 40)


# %% As a list exercise="q-backbone" right=true
q_backbone = [2048, 480 // 32, 640 // 32]


# %% [markdown]
# ## Your own convolution


# %% eps outside the root exercise="fold" covers=[80]
# eps is added to the variance, under the root.
def fold_batchnorm(w, gamma, beta, mean, var, eps=1e-5):
    """Weights (F, C, KH, KW) and bias (F,) of the convolution that equals conv, then BatchNorm."""
    scale = gamma / (np.sqrt(var) + eps)  # (F,)
    return w * scale[:, None, None, None], beta - mean * scale


# %% eps missing exercise="fold" covers=[81]
# eps is missing: a channel with a tiny variance is scaled too much.
def fold_batchnorm(w, gamma, beta, mean, var, eps=1e-5):
    """Weights (F, C, KH, KW) and bias (F,) of the convolution that equals conv, then BatchNorm."""
    scale = gamma / np.sqrt(var)  # (F,)
    return w * scale[:, None, None, None], beta - mean * scale


# %% Variance taken for the standard deviation exercise="fold" covers=[82]
# var is a variance: divide by its root.
def fold_batchnorm(w, gamma, beta, mean, var, eps=1e-5):
    """Weights (F, C, KH, KW) and bias (F,) of the convolution that equals conv, then BatchNorm."""
    scale = gamma / (var + eps)  # (F,)
    return w * scale[:, None, None, None], beta - mean * scale


# %% gamma forgotten exercise="fold" covers=[84, 85]
# gamma multiplies the normalised value, so it is part of the weights.
def fold_batchnorm(w, gamma, beta, mean, var, eps=1e-5):
    """Weights (F, C, KH, KW) and bias (F,) of the convolution that equals conv, then BatchNorm."""
    scale = 1 / np.sqrt(var + eps)  # (F,)
    return w * scale[:, None, None, None], beta - mean * scale


# %% beta forgotten exercise="fold" covers=[84, 85]
# beta is added at the end and belongs to the bias.
def fold_batchnorm(w, gamma, beta, mean, var, eps=1e-5):
    """Weights (F, C, KH, KW) and bias (F,) of the convolution that equals conv, then BatchNorm."""
    scale = gamma / np.sqrt(var + eps)  # (F,)
    return w * scale[:, None, None, None], -mean * scale


# %% mean not scaled exercise="fold"
# The mean is subtracted before the scaling, so it is scaled too.
def fold_batchnorm(w, gamma, beta, mean, var, eps=1e-5):
    """Weights (F, C, KH, KW) and bias (F,) of the convolution that equals conv, then BatchNorm."""
    scale = gamma / np.sqrt(var + eps)  # (F,)
    return w * scale[:, None, None, None], beta - mean


# %% mean added exercise="fold"
# The mean is subtracted.
def fold_batchnorm(w, gamma, beta, mean, var, eps=1e-5):
    """Weights (F, C, KH, KW) and bias (F,) of the convolution that equals conv, then BatchNorm."""
    scale = gamma / np.sqrt(var + eps)  # (F,)
    return w * scale[:, None, None, None], beta + mean * scale


# %% Scale on the input channels exercise="fold" covers=[5]
# The scale belongs to the filter, the first axis of w, not to its input channels.
def fold_batchnorm(w, gamma, beta, mean, var, eps=1e-5):
    """Weights (F, C, KH, KW) and bias (F,) of the convolution that equals conv, then BatchNorm."""
    scale = gamma / np.sqrt(var + eps)  # (F,)
    return w * np.resize(scale, w.shape[1])[None, :, None, None], beta - mean * scale


# %% Scale on the columns exercise="fold"
# w * scale multiplies along the last axis, the kernel's columns. Give the scale three further
# axes.
def fold_batchnorm(w, gamma, beta, mean, var, eps=1e-5):
    """Weights (F, C, KH, KW) and bias (F,) of the convolution that equals conv, then BatchNorm."""
    scale = gamma / np.sqrt(var + eps)  # (F,)
    return w * np.resize(scale, w.shape[3]), beta - mean * scale


# %% The weights scaled in place exercise="fold" covers=[24]
# You changed the array that you were given: the net's own weights would be folded, and then
# normalised again.
def fold_batchnorm(w, gamma, beta, mean, var, eps=1e-5):
    """Weights (F, C, KH, KW) and bias (F,) of the convolution that equals conv, then BatchNorm."""
    scale = gamma / np.sqrt(var + eps)  # (F,)
    w *= scale[:, None, None, None]
    return w, beta - mean * scale


# %% einsum exercise="fold" right=true
def fold_batchnorm(w, gamma, beta, mean, var, eps=1e-5):
    """Weights (F, C, KH, KW) and bias (F,) of the convolution that equals conv, then BatchNorm."""
    scale = gamma / np.sqrt(var + eps)  # (F,)
    return np.einsum("fckl,f->fckl", w, scale), beta - np.multiply(scale, mean)


# %% Transposed exercise="fold" right=true
def fold_batchnorm(w, gamma, beta, mean, var, eps=1e-5):
    """Weights (F, C, KH, KW) and bias (F,) of the convolution that equals conv, then BatchNorm."""
    scale = gamma / np.sqrt(var + eps)  # (F,)
    return (w.T * scale).T, beta - mean * scale


# %% Kernel flipped exercise="numpy-stem" covers=[1]
# Your convolution flips the kernel; the layer of lesson 01 (and PyTorch's) slides it as it is.
def conv2d_forward(x, w, b, stride=1, padding=0):
    """Lesson 01's layer: x (N, C, H, W), w (F, C, KH, KW), b (F,) → (N, F, OH, OW), NumPy only."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]  # (N, C, OH, OW, KH, KW)
    maps = np.tensordot(windows, w[:, :, ::-1, ::-1], axes=((1, 4, 5), (1, 2, 3)))  # (N, OH, OW, F)
    return maps.transpose(0, 3, 1, 2) + b[:, None, None]


def logits_with(net, images, conv):
    """Logits (N, num_classes) of a ResNet in evaluation mode, its first layer computed by conv."""
    net.eval()
    bn = net.bn1
    parts = (net.conv1.weight, bn.weight, bn.bias, bn.running_mean, bn.running_var)
    w, b = fold_batchnorm(*(part.detach().numpy() for part in parts), bn.eps)
    stem = conv(images, w, b, net.conv1.stride[0], net.conv1.padding[0])  # (N, F, H/2, W/2)
    with torch.no_grad():
        x = net.maxpool(torch.from_numpy(np.maximum(stem, 0)).float())
        for name, stage in net.named_children():
            if name.startswith("layer"):
                x = stage(x)
        return net.fc(x.mean(dim=(2, 3))).numpy()


# %% Stride of the convolution on rows only exercise="numpy-stem" covers=[19]
# The stride belongs to rows and to columns.
def conv2d_forward(x, w, b, stride=1, padding=0):
    """Lesson 01's layer: x (N, C, H, W), w (F, C, KH, KW), b (F,) → (N, F, OH, OW), NumPy only."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    windows = windows[:, :, ::stride]  # (N, C, OH, OW, KH, KW)
    maps = np.tensordot(windows, w, axes=((1, 4, 5), (1, 2, 3)))  # (N, OH, OW, F)
    return maps.transpose(0, 3, 1, 2) + b[:, None, None]


def logits_with(net, images, conv):
    """Logits (N, num_classes) of a ResNet in evaluation mode, its first layer computed by conv."""
    net.eval()
    bn = net.bn1
    parts = (net.conv1.weight, bn.weight, bn.bias, bn.running_mean, bn.running_var)
    w, b = fold_batchnorm(*(part.detach().numpy() for part in parts), bn.eps)
    stem = conv(images, w, b, net.conv1.stride[0], net.conv1.padding[0])  # (N, F, H/2, W/2)
    with torch.no_grad():
        x = net.maxpool(torch.from_numpy(np.maximum(stem, 0)).float())
        for name, stage in net.named_children():
            if name.startswith("layer"):
                x = stage(x)
        return net.fc(x.mean(dim=(2, 3))).numpy()


# %% Bias of the convolution omitted exercise="numpy-stem" covers=[8]
# The bias is missing; after folding the stem has one.
def conv2d_forward(x, w, b, stride=1, padding=0):
    """Lesson 01's layer: x (N, C, H, W), w (F, C, KH, KW), b (F,) → (N, F, OH, OW), NumPy only."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]  # (N, C, OH, OW, KH, KW)
    maps = np.tensordot(windows, w, axes=((1, 4, 5), (1, 2, 3)))  # (N, OH, OW, F)
    return maps.transpose(0, 3, 1, 2)


def logits_with(net, images, conv):
    """Logits (N, num_classes) of a ResNet in evaluation mode, its first layer computed by conv."""
    net.eval()
    bn = net.bn1
    parts = (net.conv1.weight, bn.weight, bn.bias, bn.running_mean, bn.running_var)
    w, b = fold_batchnorm(*(part.detach().numpy() for part in parts), bn.eps)
    stem = conv(images, w, b, net.conv1.stride[0], net.conv1.padding[0])  # (N, F, H/2, W/2)
    with torch.no_grad():
        x = net.maxpool(torch.from_numpy(np.maximum(stem, 0)).float())
        for name, stage in net.named_children():
            if name.startswith("layer"):
                x = stage(x)
        return net.fc(x.mean(dim=(2, 3))).numpy()


# %% ReLU after the NumPy stem missing exercise="numpy-stem" covers=[100]
# After the stem's convolution comes a ReLU.
def conv2d_forward(x, w, b, stride=1, padding=0):
    """Lesson 01's layer: x (N, C, H, W), w (F, C, KH, KW), b (F,) → (N, F, OH, OW), NumPy only."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]  # (N, C, OH, OW, KH, KW)
    maps = np.tensordot(windows, w, axes=((1, 4, 5), (1, 2, 3)))  # (N, OH, OW, F)
    return maps.transpose(0, 3, 1, 2) + b[:, None, None]


def logits_with(net, images, conv):
    """Logits (N, num_classes) of a ResNet in evaluation mode, its first layer computed by conv."""
    net.eval()
    bn = net.bn1
    parts = (net.conv1.weight, bn.weight, bn.bias, bn.running_mean, bn.running_var)
    w, b = fold_batchnorm(*(part.detach().numpy() for part in parts), bn.eps)
    stem = conv(images, w, b, net.conv1.stride[0], net.conv1.padding[0])  # (N, F, H/2, W/2)
    with torch.no_grad():
        x = net.maxpool(torch.from_numpy(stem).float())
        for name, stage in net.named_children():
            if name.startswith("layer"):
                x = stage(x)
        return net.fc(x.mean(dim=(2, 3))).numpy()


# %% BatchNorm of the stem forgotten exercise="numpy-stem"
# BatchNorm has to be folded into the weights that conv gets.
def conv2d_forward(x, w, b, stride=1, padding=0):
    """Lesson 01's layer: x (N, C, H, W), w (F, C, KH, KW), b (F,) → (N, F, OH, OW), NumPy only."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]  # (N, C, OH, OW, KH, KW)
    maps = np.tensordot(windows, w, axes=((1, 4, 5), (1, 2, 3)))  # (N, OH, OW, F)
    return maps.transpose(0, 3, 1, 2) + b[:, None, None]


def logits_with(net, images, conv):
    """Logits (N, num_classes) of a ResNet in evaluation mode, its first layer computed by conv."""
    net.eval()
    bn = net.bn1
    parts = (net.conv1.weight, bn.weight, bn.bias, bn.running_mean, bn.running_var)
    w = net.conv1.weight.detach().numpy()
    b = np.zeros(len(w))
    stem = conv(images, w, b, net.conv1.stride[0], net.conv1.padding[0])  # (N, F, H/2, W/2)
    with torch.no_grad():
        x = net.maxpool(torch.from_numpy(np.maximum(stem, 0)).float())
        for name, stage in net.named_children():
            if name.startswith("layer"):
                x = stage(x)
        return net.fc(x.mean(dim=(2, 3))).numpy()


# %% BatchNorm applied twice exercise="numpy-stem"
# BatchNorm is folded into the weights already and must not run again.
def conv2d_forward(x, w, b, stride=1, padding=0):
    """Lesson 01's layer: x (N, C, H, W), w (F, C, KH, KW), b (F,) → (N, F, OH, OW), NumPy only."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]  # (N, C, OH, OW, KH, KW)
    maps = np.tensordot(windows, w, axes=((1, 4, 5), (1, 2, 3)))  # (N, OH, OW, F)
    return maps.transpose(0, 3, 1, 2) + b[:, None, None]


def logits_with(net, images, conv):
    """Logits (N, num_classes) of a ResNet in evaluation mode, its first layer computed by conv."""
    net.eval()
    bn = net.bn1
    parts = (net.conv1.weight, bn.weight, bn.bias, bn.running_mean, bn.running_var)
    w, b = fold_batchnorm(*(part.detach().numpy() for part in parts), bn.eps)
    stem = conv(images, w, b, net.conv1.stride[0], net.conv1.padding[0])  # (N, F, H/2, W/2)
    with torch.no_grad():
        x = net.maxpool(torch.relu(bn(torch.from_numpy(stem).float())))
        for name, stage in net.named_children():
            if name.startswith("layer"):
                x = stage(x)
        return net.fc(x.mean(dim=(2, 3))).numpy()


# %% The handed convolution not used exercise="numpy-stem"
# The first layer should be computed by the function conv that was handed over.
def conv2d_forward(x, w, b, stride=1, padding=0):
    """Lesson 01's layer: x (N, C, H, W), w (F, C, KH, KW), b (F,) → (N, F, OH, OW), NumPy only."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]  # (N, C, OH, OW, KH, KW)
    maps = np.tensordot(windows, w, axes=((1, 4, 5), (1, 2, 3)))  # (N, OH, OW, F)
    return maps.transpose(0, 3, 1, 2) + b[:, None, None]


def logits_with(net, images, conv):
    """Logits (N, num_classes) of a ResNet in evaluation mode, its first layer computed by conv."""
    net.eval()
    bn = net.bn1
    parts = (net.conv1.weight, bn.weight, bn.bias, bn.running_mean, bn.running_var)
    w, b = fold_batchnorm(*(part.detach().numpy() for part in parts), bn.eps)
    stem = conv2d_forward(
        images, w, b, net.conv1.stride[0], net.conv1.padding[0]
    )  # (N, F, H/2, W/2)
    with torch.no_grad():
        x = net.maxpool(torch.from_numpy(np.maximum(stem, 0)).float())
        for name, stage in net.named_children():
            if name.startswith("layer"):
                x = stage(x)
        return net.fc(x.mean(dim=(2, 3))).numpy()


# %% The net's own stem exercise="numpy-stem"
# This is the net's own forward pass: the first layer should come from conv.
def conv2d_forward(x, w, b, stride=1, padding=0):
    """Lesson 01's layer: x (N, C, H, W), w (F, C, KH, KW), b (F,) → (N, F, OH, OW), NumPy only."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]  # (N, C, OH, OW, KH, KW)
    maps = np.tensordot(windows, w, axes=((1, 4, 5), (1, 2, 3)))  # (N, OH, OW, F)
    return maps.transpose(0, 3, 1, 2) + b[:, None, None]


def logits_with(net, images, conv):
    """Logits (N, num_classes) of a ResNet in evaluation mode, its first layer computed by conv."""
    net.eval()
    bn = net.bn1
    parts = (net.conv1.weight, bn.weight, bn.bias, bn.running_mean, bn.running_var)
    w, b = fold_batchnorm(*(part.detach().numpy() for part in parts), bn.eps)
    stem = conv(images, w, b, net.conv1.stride[0], net.conv1.padding[0])  # (N, F, H/2, W/2)
    with torch.no_grad():
        return net(torch.from_numpy(images).float()).numpy()
        x = net.maxpool(torch.from_numpy(np.maximum(stem, 0)).float())
        for name, stage in net.named_children():
            if name.startswith("layer"):
                x = stage(x)
        return net.fc(x.mean(dim=(2, 3))).numpy()


# %% Left in training mode exercise="numpy-stem" covers=[73]
# Evaluation mode is asked: the later BatchNorms use the batch otherwise.
def conv2d_forward(x, w, b, stride=1, padding=0):
    """Lesson 01's layer: x (N, C, H, W), w (F, C, KH, KW), b (F,) → (N, F, OH, OW), NumPy only."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]  # (N, C, OH, OW, KH, KW)
    maps = np.tensordot(windows, w, axes=((1, 4, 5), (1, 2, 3)))  # (N, OH, OW, F)
    return maps.transpose(0, 3, 1, 2) + b[:, None, None]


def logits_with(net, images, conv):
    """Logits (N, num_classes) of a ResNet in evaluation mode, its first layer computed by conv."""
    net.train()
    bn = net.bn1
    parts = (net.conv1.weight, bn.weight, bn.bias, bn.running_mean, bn.running_var)
    w, b = fold_batchnorm(*(part.detach().numpy() for part in parts), bn.eps)
    stem = conv(images, w, b, net.conv1.stride[0], net.conv1.padding[0])  # (N, F, H/2, W/2)
    with torch.no_grad():
        x = net.maxpool(torch.from_numpy(np.maximum(stem, 0)).float())
        for name, stage in net.named_children():
            if name.startswith("layer"):
                x = stage(x)
        return net.fc(x.mean(dim=(2, 3))).numpy()


# %% Pooling forgotten after the stem exercise="numpy-stem"
# The stem ends with net.maxpool.
def conv2d_forward(x, w, b, stride=1, padding=0):
    """Lesson 01's layer: x (N, C, H, W), w (F, C, KH, KW), b (F,) → (N, F, OH, OW), NumPy only."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]  # (N, C, OH, OW, KH, KW)
    maps = np.tensordot(windows, w, axes=((1, 4, 5), (1, 2, 3)))  # (N, OH, OW, F)
    return maps.transpose(0, 3, 1, 2) + b[:, None, None]


def logits_with(net, images, conv):
    """Logits (N, num_classes) of a ResNet in evaluation mode, its first layer computed by conv."""
    net.eval()
    bn = net.bn1
    parts = (net.conv1.weight, bn.weight, bn.bias, bn.running_mean, bn.running_var)
    w, b = fold_batchnorm(*(part.detach().numpy() for part in parts), bn.eps)
    stem = conv(images, w, b, net.conv1.stride[0], net.conv1.padding[0])  # (N, F, H/2, W/2)
    with torch.no_grad():
        x = torch.from_numpy(np.maximum(stem, 0)).float()
        for name, stage in net.named_children():
            if name.startswith("layer"):
                x = stage(x)
        return net.fc(x.mean(dim=(2, 3))).numpy()


# %% The stem's stride written down exercise="numpy-stem" covers=[25]
# Stride and padding are those of net.conv1: a small net has others.
def conv2d_forward(x, w, b, stride=1, padding=0):
    """Lesson 01's layer: x (N, C, H, W), w (F, C, KH, KW), b (F,) → (N, F, OH, OW), NumPy only."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]  # (N, C, OH, OW, KH, KW)
    maps = np.tensordot(windows, w, axes=((1, 4, 5), (1, 2, 3)))  # (N, OH, OW, F)
    return maps.transpose(0, 3, 1, 2) + b[:, None, None]


def logits_with(net, images, conv):
    """Logits (N, num_classes) of a ResNet in evaluation mode, its first layer computed by conv."""
    net.eval()
    bn = net.bn1
    parts = (net.conv1.weight, bn.weight, bn.bias, bn.running_mean, bn.running_var)
    w, b = fold_batchnorm(*(part.detach().numpy() for part in parts), bn.eps)
    stem = conv(images, w, b, 2, 3)  # (N, F, H/2, W/2)
    with torch.no_grad():
        x = net.maxpool(torch.from_numpy(np.maximum(stem, 0)).float())
        for name, stage in net.named_children():
            if name.startswith("layer"):
                x = stage(x)
        return net.fc(x.mean(dim=(2, 3))).numpy()


# %% Loops over the kernel exercise="numpy-stem" right=true
def conv2d_forward(x, w, b, stride=1, padding=0):
    """Lesson 01's layer: x (N, C, H, W), w (F, C, KH, KW), b (F,) → (N, F, OH, OW), NumPy only."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    oh, ow = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    out = np.zeros((len(x), len(w), oh, ow)) + b[:, None, None]
    for m in range(kh):
        for n in range(kw):
            seen = x[:, :, m : m + stride * oh : stride, n : n + stride * ow : stride]
            out += np.einsum("nchw,fc->nfhw", seen[:, :, :oh, :ow], w[:, :, m, n])
    return out


def logits_with(net, images, conv):
    """Logits (N, num_classes) of a ResNet in evaluation mode, its first layer computed by conv."""
    net.eval()
    bn = net.bn1
    parts = (net.conv1.weight, bn.weight, bn.bias, bn.running_mean, bn.running_var)
    w, b = fold_batchnorm(*(part.detach().numpy() for part in parts), bn.eps)
    stem = conv(images, w, b, net.conv1.stride[0], net.conv1.padding[0])  # (N, F, H/2, W/2)
    with torch.no_grad():
        x = net.maxpool(torch.from_numpy(np.maximum(stem, 0)).float())
        for name, stage in net.named_children():
            if name.startswith("layer"):
                x = stage(x)
        return net.fc(x.mean(dim=(2, 3))).numpy()


# %% The rest by feature maps' way exercise="numpy-stem" right=true
def conv2d_forward(x, w, b, stride=1, padding=0):
    """Lesson 01's layer: x (N, C, H, W), w (F, C, KH, KW), b (F,) → (N, F, OH, OW), NumPy only."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kh, kw = w.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]  # (N, C, OH, OW, KH, KW)
    maps = np.tensordot(windows, w, axes=((1, 4, 5), (1, 2, 3)))  # (N, OH, OW, F)
    return maps.transpose(0, 3, 1, 2) + b[:, None, None]


def logits_with(net, images, conv):
    """Logits (N, num_classes) of a ResNet in evaluation mode, its first layer computed by conv."""
    net.eval()
    bn = net.bn1
    parts = (net.conv1.weight, bn.weight, bn.bias, bn.running_mean, bn.running_var)
    w, b = fold_batchnorm(*(part.detach().numpy() for part in parts), bn.eps)
    stem = conv(images, w, b, net.conv1.stride[0], net.conv1.padding[0])  # (N, F, H/2, W/2)
    with torch.no_grad():
        x = net.maxpool(torch.relu(torch.tensor(stem, dtype=torch.float32)))
        number = 1
        while hasattr(net, f"layer{number}"):
            x = getattr(net, f"layer{number}")(x)
            number += 1
        return net.fc(x.mean(dim=(2, 3))).numpy()


# %% [markdown]
# ## The CIFAR family


# %% BatchNorm not counted exercise="cifar"
# BatchNorm has two parameters for each channel.
def cifar_parameters(depth):
    """Parameters of the CIFAR ResNet with 6n+2 layers and shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    total, c_in = 9 * 3 * 16, 16
    for width in (16, 32, 64):
        total += 9 * c_in * width + (2 * n - 1) * 9 * width**2
        c_in = width
    return total + 64 * 10 + 10


def cifar_resnet(depth, num_classes=10, in_channels=3):
    """The CIFAR ResNet with 6n+2 layers: widths 16, 32, 64, shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    options = {"num_classes": num_classes, "in_channels": in_channels, "shortcut": "A"}
    return ResNet(BasicBlock, (n, n, n), width=16, small=True, **options)


# %% Running statistics counted exercise="cifar" covers=[33, 89]
# BatchNorm's running statistics are buffers: two parameters a channel, not four.
def cifar_parameters(depth):
    """Parameters of the CIFAR ResNet with 6n+2 layers and shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    total, c_in = 9 * 3 * 16 + 4 * 16, 16
    for width in (16, 32, 64):
        total += 9 * c_in * width + (2 * n - 1) * 9 * width**2 + 2 * n * 4 * width
        c_in = width
    return total + 64 * 10 + 10


def cifar_resnet(depth, num_classes=10, in_channels=3):
    """The CIFAR ResNet with 6n+2 layers: widths 16, 32, 64, shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    options = {"num_classes": num_classes, "in_channels": in_channels, "shortcut": "A"}
    return ResNet(BasicBlock, (n, n, n), width=16, small=True, **options)


# %% Biases in the convolutions counted exercise="cifar"
# Convolutions before BatchNorm have no bias.
def cifar_parameters(depth):
    """Parameters of the CIFAR ResNet with 6n+2 layers and shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    total, c_in = 9 * 3 * 16 + 2 * 16, 16
    for width in (16, 32, 64):
        total += 9 * c_in * width + (2 * n - 1) * 9 * width**2 + 2 * n * 3 * width
        c_in = width
    return total + 64 * 10 + 10


def cifar_resnet(depth, num_classes=10, in_channels=3):
    """The CIFAR ResNet with 6n+2 layers: widths 16, 32, 64, shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    options = {"num_classes": num_classes, "in_channels": in_channels, "shortcut": "A"}
    return ResNet(BasicBlock, (n, n, n), width=16, small=True, **options)


# %% No bias in the linear layer exercise="cifar" covers=[26]
# The linear layer has ten biases.
def cifar_parameters(depth):
    """Parameters of the CIFAR ResNet with 6n+2 layers and shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    total, c_in = 9 * 3 * 16 + 2 * 16, 16
    for width in (16, 32, 64):
        total += 9 * c_in * width + (2 * n - 1) * 9 * width**2 + 2 * n * 2 * width
        c_in = width
    return total + 64 * 10


def cifar_resnet(depth, num_classes=10, in_channels=3):
    """The CIFAR ResNet with 6n+2 layers: widths 16, 32, 64, shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    options = {"num_classes": num_classes, "in_channels": in_channels, "shortcut": "A"}
    return ResNet(BasicBlock, (n, n, n), width=16, small=True, **options)


# %% First convolution of a stage as wide as the others exercise="cifar"
# The first convolution of stages 2 and 3 takes the narrower channels of the stage before.
def cifar_parameters(depth):
    """Parameters of the CIFAR ResNet with 6n+2 layers and shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    total, c_in = 9 * 3 * 16 + 2 * 16, 16
    for width in (16, 32, 64):
        total += 2 * n * 9 * width**2 + 2 * n * 2 * width
        c_in = width
    return total + 64 * 10 + 10


def cifar_resnet(depth, num_classes=10, in_channels=3):
    """The CIFAR ResNet with 6n+2 layers: widths 16, 32, 64, shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    options = {"num_classes": num_classes, "in_channels": in_channels, "shortcut": "A"}
    return ResNet(BasicBlock, (n, n, n), width=16, small=True, **options)


# %% n blocks with one convolution each exercise="cifar"
# n counts blocks of two convolutions: 2n layers a stage.
def cifar_parameters(depth):
    """Parameters of the CIFAR ResNet with 6n+2 layers and shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    total, c_in = 9 * 3 * 16 + 2 * 16, 16
    for width in (16, 32, 64):
        total += 9 * c_in * width + (2 * n - 1) * 9 * width**2 + 2 * n * 2 * width
        c_in = width
    return total + 64 * 10 + 10


def cifar_resnet(depth, num_classes=10, in_channels=3):
    """The CIFAR ResNet with 6n+2 layers: widths 16, 32, 64, shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 3)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    options = {"num_classes": num_classes, "in_channels": in_channels, "shortcut": "A"}
    return ResNet(BasicBlock, (n, n, n), width=16, small=True, **options)


# %% Projections on the shortcuts exercise="cifar"
# The CIFAR nets use shortcut option A, which has no parameters.
def cifar_parameters(depth):
    """Parameters of the CIFAR ResNet with 6n+2 layers and shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    total, c_in = 9 * 3 * 16 + 2 * 16, 16
    for width in (16, 32, 64):
        total += 9 * c_in * width + (2 * n - 1) * 9 * width**2 + 2 * n * 2 * width
        c_in = width
    return total + 64 * 10 + 10


def cifar_resnet(depth, num_classes=10, in_channels=3):
    """The CIFAR ResNet with 6n+2 layers: widths 16, 32, 64, shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    options = {"num_classes": num_classes, "in_channels": in_channels, "shortcut": "B"}
    return ResNet(BasicBlock, (n, n, n), width=16, small=True, **options)


# %% ImageNet's stem on small pictures exercise="cifar"
# The CIFAR nets begin with a 3×3 convolution with stride 1, without pooling: small=True.
def cifar_parameters(depth):
    """Parameters of the CIFAR ResNet with 6n+2 layers and shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    total, c_in = 9 * 3 * 16 + 2 * 16, 16
    for width in (16, 32, 64):
        total += 9 * c_in * width + (2 * n - 1) * 9 * width**2 + 2 * n * 2 * width
        c_in = width
    return total + 64 * 10 + 10


def cifar_resnet(depth, num_classes=10, in_channels=3):
    """The CIFAR ResNet with 6n+2 layers: widths 16, 32, 64, shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    options = {"num_classes": num_classes, "in_channels": in_channels, "shortcut": "A"}
    return ResNet(BasicBlock, (n, n, n), width=16, **options)


# %% Width 64 exercise="cifar"
# The CIFAR nets are thin: widths 16, 32, 64.
def cifar_parameters(depth):
    """Parameters of the CIFAR ResNet with 6n+2 layers and shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    total, c_in = 9 * 3 * 16 + 2 * 16, 16
    for width in (16, 32, 64):
        total += 9 * c_in * width + (2 * n - 1) * 9 * width**2 + 2 * n * 2 * width
        c_in = width
    return total + 64 * 10 + 10


def cifar_resnet(depth, num_classes=10, in_channels=3):
    """The CIFAR ResNet with 6n+2 layers: widths 16, 32, 64, shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    options = {"num_classes": num_classes, "in_channels": in_channels, "shortcut": "A"}
    return ResNet(BasicBlock, (n, n, n), width=64, small=True, **options)


# %% Four stages exercise="cifar"
# The CIFAR nets have three stages.
def cifar_parameters(depth):
    """Parameters of the CIFAR ResNet with 6n+2 layers and shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    total, c_in = 9 * 3 * 16 + 2 * 16, 16
    for width in (16, 32, 64):
        total += 9 * c_in * width + (2 * n - 1) * 9 * width**2 + 2 * n * 2 * width
        c_in = width
    return total + 64 * 10 + 10


def cifar_resnet(depth, num_classes=10, in_channels=3):
    """The CIFAR ResNet with 6n+2 layers: widths 16, 32, 64, shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    options = {"num_classes": num_classes, "in_channels": in_channels, "shortcut": "A"}
    return ResNet(BasicBlock, (n, n, n, n), width=16, small=True, **options)


# %% in_channels not passed on to the CIFAR net exercise="cifar"
# The number of input channels does not reach the net.
def cifar_parameters(depth):
    """Parameters of the CIFAR ResNet with 6n+2 layers and shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    total, c_in = 9 * 3 * 16 + 2 * 16, 16
    for width in (16, 32, 64):
        total += 9 * c_in * width + (2 * n - 1) * 9 * width**2 + 2 * n * 2 * width
        c_in = width
    return total + 64 * 10 + 10


def cifar_resnet(depth, num_classes=10, in_channels=3):
    """The CIFAR ResNet with 6n+2 layers: widths 16, 32, 64, shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    options = {"num_classes": num_classes, "shortcut": "A"}
    return ResNet(BasicBlock, (n, n, n), width=16, small=True, **options)


# %% Classes not passed on exercise="cifar"
# The number of classes does not reach the net.
def cifar_parameters(depth):
    """Parameters of the CIFAR ResNet with 6n+2 layers and shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    total, c_in = 9 * 3 * 16 + 2 * 16, 16
    for width in (16, 32, 64):
        total += 9 * c_in * width + (2 * n - 1) * 9 * width**2 + 2 * n * 2 * width
        c_in = width
    return total + 64 * 10 + 10


def cifar_resnet(depth, num_classes=10, in_channels=3):
    """The CIFAR ResNet with 6n+2 layers: widths 16, 32, 64, shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    options = {"num_classes": 10, "in_channels": in_channels, "shortcut": "A"}
    return ResNet(BasicBlock, (n, n, n), width=16, small=True, **options)


# %% Any depth rounded down exercise="cifar"
# A depth that is not 6n + 2 should raise ValueError, not become another net.
def cifar_parameters(depth):
    """Parameters of the CIFAR ResNet with 6n+2 layers and shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    total, c_in = 9 * 3 * 16 + 2 * 16, 16
    for width in (16, 32, 64):
        total += 9 * c_in * width + (2 * n - 1) * 9 * width**2 + 2 * n * 2 * width
        c_in = width
    return total + 64 * 10 + 10


def cifar_resnet(depth, num_classes=10, in_channels=3):
    """The CIFAR ResNet with 6n+2 layers: widths 16, 32, 64, shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    options = {"num_classes": num_classes, "in_channels": in_channels, "shortcut": "A"}
    return ResNet(BasicBlock, (n, n, n), width=16, small=True, **options)


# %% Two layers accepted exercise="cifar"
# n has to be at least 1.
def cifar_parameters(depth):
    """Parameters of the CIFAR ResNet with 6n+2 layers and shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    total, c_in = 9 * 3 * 16 + 2 * 16, 16
    for width in (16, 32, 64):
        total += 9 * c_in * width + (2 * n - 1) * 9 * width**2 + 2 * n * 2 * width
        c_in = width
    return total + 64 * 10 + 10


def cifar_resnet(depth, num_classes=10, in_channels=3):
    """The CIFAR ResNet with 6n+2 layers: widths 16, 32, 64, shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    options = {"num_classes": num_classes, "in_channels": in_channels, "shortcut": "A"}
    return ResNet(BasicBlock, (n, n, n), width=16, small=True, **options)


# %% ValueError in one function only exercise="cifar"
# Both functions should refuse a depth that is not 6n + 2.
def cifar_parameters(depth):
    """Parameters of the CIFAR ResNet with 6n+2 layers and shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    total, c_in = 9 * 3 * 16 + 2 * 16, 16
    for width in (16, 32, 64):
        total += 9 * c_in * width + (2 * n - 1) * 9 * width**2 + 2 * n * 2 * width
        c_in = width
    return total + 64 * 10 + 10


def cifar_resnet(depth, num_classes=10, in_channels=3):
    """The CIFAR ResNet with 6n+2 layers: widths 16, 32, 64, shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    options = {"num_classes": num_classes, "in_channels": in_channels, "shortcut": "A"}
    return ResNet(BasicBlock, (n, n, n), width=16, small=True, **options)


# %% As a line in n exercise="cifar" right=true
def cifar_parameters(depth):
    """Parameters of the CIFAR ResNet with 6n+2 layers and shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    return 97_216 * n - 21_926


def cifar_resnet(depth, num_classes=10, in_channels=3):
    """The CIFAR ResNet with 6n+2 layers: widths 16, 32, 64, shortcut A. ValueError for another depth."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"a CIFAR ResNet has 6n + 2 layers, which {depth} is not")
    options = {"num_classes": num_classes, "in_channels": in_channels, "shortcut": "A"}
    return ResNet(BasicBlock, (n, n, n), width=16, small=True, **options)


# %% Degradation again exercise="q-1202"
# A net that degrades cannot fit its training set; this one has a training error below 0.1%.
q_1202 = "a"


# %% Vanishing gradients again exercise="q-1202"
# The training error is almost zero: the gradients arrived.
q_1202 = "c"


# %% Chance exercise="q-1202"
# 1.5 points on 10,000 pictures are 150 pictures, far more than trainings of the same net differ
# by.
q_1202 = "d"


# %% [markdown]
# ## The recipe


# %% Xavier loses nothing exercise="q-xavier"
# Without ReLU Xavier keeps the signal; ReLU halves its mean square at every layer.
q_xavier = 1


# %% Two a layer, added exercise="q-xavier"
# The factors multiply: 2 · 2 · 2 …, not 2 + 2 + 2.
q_xavier = 32


# %% The standard deviation's factor exercise="q-xavier"
# 256 is the factor of the root mean square; the mean square shrinks by its square.
q_xavier = 256


# %% Xavier's variance exercise="he-init"
# This is Xavier's (Glorot's) variance, 2/(fan_in + fan_out). ResNet uses He's, 2/fan, for ReLU.
def he_init(net, zero_gamma=False):
    """Initialise a ResNet's convolutions and BatchNorms in place; returns net."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.xavier_normal_(module.weight)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if zero_gamma:
        for module in net.modules():
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)
            elif isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
    return net


# %% Variance 1/fan exercise="he-init"
# The variance is 2/fan: the 2 makes up for what ReLU removes.
def he_init(net, zero_gamma=False):
    """Initialise a ResNet's convolutions and BatchNorms in place; returns net."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="linear")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if zero_gamma:
        for module in net.modules():
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)
            elif isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
    return net


# %% 2/fan as the standard deviation exercise="he-init"
# 2/fan is the variance; the standard deviation is its root.
def he_init(net, zero_gamma=False):
    """Initialise a ResNet's convolutions and BatchNorms in place; returns net."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(
                module.weight, 0.0, 2 / (module.out_channels * module.kernel_size[0] ** 2)
            )
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if zero_gamma:
        for module in net.modules():
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)
            elif isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
    return net


# %% Kernel's size forgotten in fan exercise="he-init"
# Fan counts channels times the kernel's rows times its columns.
def he_init(net, zero_gamma=False):
    """Initialise a ResNet's convolutions and BatchNorms in place; returns net."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, 0.0, (2 / module.out_channels) ** 0.5)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if zero_gamma:
        for module in net.modules():
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)
            elif isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
    return net


# %% Uniform instead of normal exercise="he-init"
# The variance is right, but the distribution asked for is normal.
def he_init(net, zero_gamma=False):
    """Initialise a ResNet's convolutions and BatchNorms in place; returns net."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_uniform_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if zero_gamma:
        for module in net.modules():
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)
            elif isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
    return net


# %% fc initialised too exercise="he-init"
# The linear layer stays as PyTorch made it.
def he_init(net, zero_gamma=False):
    """Initialise a ResNet's convolutions and BatchNorms in place; returns net."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if zero_gamma:
        for module in net.modules():
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)
            elif isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
    return net


# %% A fixed small standard deviation exercise="he-init"
# A fixed standard deviation fits one size of layer only.
def he_init(net, zero_gamma=False):
    """Initialise a ResNet's convolutions and BatchNorms in place; returns net."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, 0.0, 0.01)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if zero_gamma:
        for module in net.modules():
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)
            elif isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
    return net


# %% All BatchNorms zero exercise="he-init"
# Only the last BatchNorm of each block is zero; the stem's must let the signal through.
def he_init(net, zero_gamma=False):
    """Initialise a ResNet's convolutions and BatchNorms in place; returns net."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if zero_gamma:
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.zeros_(module.weight)
    return net


# %% bn2 of the bottleneck zeroed exercise="he-init"
# The last BatchNorm of a bottleneck is bn3.
def he_init(net, zero_gamma=False):
    """Initialise a ResNet's convolutions and BatchNorms in place; returns net."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if zero_gamma:
        for module in net.modules():
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn2.weight)
            elif isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
    return net


# %% The projection's BatchNorm zeroed exercise="he-init"
# The projection is on the shortcut: its BatchNorm stays at 1.
def he_init(net, zero_gamma=False):
    """Initialise a ResNet's convolutions and BatchNorms in place; returns net."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if zero_gamma:
        for module in net.modules():
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)
            elif isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
                if len(module.downsample.state_dict()):
                    nn.init.zeros_(module.downsample[1].weight)
    return net


# %% zero_gamma always exercise="he-init"
# The zeros are set only if zero_gamma is true.
def he_init(net, zero_gamma=False):
    """Initialise a ResNet's convolutions and BatchNorms in place; returns net."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if True:
        for module in net.modules():
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)
            elif isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
    return net


# %% zero_gamma ignored exercise="he-init"
# zero_gamma has no effect.
def he_init(net, zero_gamma=False):
    """Initialise a ResNet's convolutions and BatchNorms in place; returns net."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if False:
        for module in net.modules():
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)
            elif isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
    return net


# %% beta forgotten in he_init exercise="he-init"
# BatchNorm's beta is set to 0 as well.
def he_init(net, zero_gamma=False):
    """Initialise a ResNet's convolutions and BatchNorms in place; returns net."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    if zero_gamma:
        for module in net.modules():
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)
            elif isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
    return net


# %% Nothing returned exercise="he-init"
# he_init should return the net that it was given.
def he_init(net, zero_gamma=False):
    """Initialise a ResNet's convolutions and BatchNorms in place; returns net."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if zero_gamma:
        for module in net.modules():
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)
            elif isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
    return None


# %% fan in exercise="he-init" right=true
def he_init(net, zero_gamma=False):
    """Initialise a ResNet's convolutions and BatchNorms in place; returns net."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if zero_gamma:
        for module in net.modules():
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)
            elif isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
    return net


# %% Weights drawn by hand exercise="he-init" right=true
def he_init(net, zero_gamma=False):
    """Initialise a ResNet's convolutions and BatchNorms in place; returns net."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            fan = module.weight[:, 0].numel()
            module.weight.data = torch.randn_like(module.weight) * (2 / fan) ** 0.5
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    if zero_gamma:
        for module in net.modules():
            if isinstance(module, Bottleneck):
                nn.init.zeros_(module.bn3.weight)
            elif isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)
    return net


# %% The last BatchNorm of each block by its names exercise="he-init" right=true
def he_init(net, zero_gamma=False):
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        if isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
    blocks = [m for m in net.modules() if zero_gamma and hasattr(m, "conv2")]
    for block in blocks:
        getattr(block, "bn3", block.bn2).weight.data.fill_(0)
    return net


# %% Weight decay of the slide exercise="optimizer"
# 1e-5 is a slide's number; the paper's weight decay is 1e-4.
def make_optimizer(net, lr=0.1):
    """The paper's optimiser for all parameters of net."""
    return torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9, weight_decay=1e-5)


# %% No weight decay exercise="optimizer"
# The weight decay of 1e-4 is missing.
def make_optimizer(net, lr=0.1):
    """The paper's optimiser for all parameters of net."""
    return torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)


# %% No momentum exercise="optimizer"
# The momentum of 0.9 is missing.
def make_optimizer(net, lr=0.1):
    """The paper's optimiser for all parameters of net."""
    return torch.optim.SGD(net.parameters(), lr=lr, weight_decay=1e-4)


# %% Nesterov's momentum exercise="optimizer"
# Plain momentum is asked; Nesterov's takes another step.
def make_optimizer(net, lr=0.1):
    """The paper's optimiser for all parameters of net."""
    return torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9, weight_decay=1e-4, nesterov=True)


# %% Momentum damped exercise="optimizer"
# Without dampening: the paper's momentum adds the whole gradient.
def make_optimizer(net, lr=0.1):
    """The paper's optimiser for all parameters of net."""
    return torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9, dampening=0.9, weight_decay=1e-4)


# %% Momentum 0.99 exercise="optimizer"
# The momentum is 0.9.
def make_optimizer(net, lr=0.1):
    """The paper's optimiser for all parameters of net."""
    return torch.optim.SGD(net.parameters(), lr=lr, momentum=0.99, weight_decay=1e-4)


# %% Adam exercise="optimizer"
# The recipe is SGD with momentum, not Adam.
def make_optimizer(net, lr=0.1):
    """The paper's optimiser for all parameters of net."""
    return torch.optim.Adam(net.parameters(), lr=lr, weight_decay=1e-4)


# %% lr ignored exercise="optimizer" covers=[25]
# The learning rate that was asked for is not used.
def make_optimizer(net, lr=0.1):
    """The paper's optimiser for all parameters of net."""
    return torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)


# %% Biases left out exercise="optimizer"
# All parameters are trained and decayed, biases too.
def make_optimizer(net, lr=0.1):
    """The paper's optimiser for all parameters of net."""
    return torch.optim.SGD(
        [p for p in net.parameters() if p.dim() > 1], lr=lr, momentum=0.9, weight_decay=1e-4
    )


# %% Decay on the weights only exercise="optimizer" covers=[67]
# The paper's decay is on all parameters; leaving out biases is a later habit.
def make_optimizer(net, lr=0.1):
    """The paper's optimiser for all parameters of net."""
    return torch.optim.SGD(
        [
            {"params": [p for p in net.parameters() if p.dim() > 1], "weight_decay": 1e-4},
            {"params": [p for p in net.parameters() if p.dim() < 2], "weight_decay": 0.0},
        ],
        lr=lr,
        momentum=0.9,
    )


# %% Parameter groups with one setting exercise="optimizer" right=true
def make_optimizer(net, lr=0.1):
    """The paper's optimiser for all parameters of net."""
    return torch.optim.SGD(
        [{"params": [p]} for p in net.parameters()], lr=lr, momentum=0.9, weight_decay=1e-4
    )


# %% The two swapped exercise="q-decay"
# The larger the decay, the fewer iterations it needs.
q_decay_paper = 1_000_000
q_decay_slide = 100_000


# %% Learning rate forgotten exercise="q-decay"
# Each step shrinks a weight by the learning rate times the decay, 0.1 · 10⁻⁴.
q_decay_paper = 10_000
q_decay_slide = 100_000


# %% By logarithms exercise="q-decay" right=true
q_decay_paper = float(-1 / np.log(1 - 0.1 * 1e-4))
q_decay_slide = float(-1 / np.log1p(-0.1 * 1e-5))


# %% Batches of 128 exercise="q-epochs"
# ImageNet's mini-batches hold 256 pictures.
q_epochs = 60


# %% Ten times 10⁴ read as 10⁵ exercise="q-epochs"
# 600,000 · 256 pictures, divided by 1.28 million.
q_epochs = 12


# %% One iteration late exercise="learning-rate"
# Iteration 32,000 has 0.01 already: from it on.
def learning_rate(iteration, depth=20):
    """The learning rate at an iteration (from 0) of the CIFAR training, for a net of `depth` layers."""
    if iteration > 48_000:
        return 0.001
    if iteration > 32_000 or (depth >= 110 and iteration < 400):
        return 0.01
    return 0.1


# %% ResNet's second drop missing exercise="learning-rate"
# There is a second drop at 48,000.
def learning_rate(iteration, depth=20):
    """The learning rate at an iteration (from 0) of the CIFAR training, for a net of `depth` layers."""
    if iteration >= 32_000 or (depth >= 110 and iteration < 400):
        return 0.01
    return 0.1


# %% Divided by 2 exercise="learning-rate"
# The learning rate is divided by 10 at each drop.
def learning_rate(iteration, depth=20):
    """The learning rate at an iteration (from 0) of the CIFAR training, for a net of `depth` layers."""
    if iteration >= 48_000:
        return 0.025
    if iteration >= 32_000 or (depth >= 110 and iteration < 400):
        return 0.05
    return 0.1


# %% Warm-up for every net exercise="learning-rate"
# Only the deepest nets, from 110 layers on, warm up.
def learning_rate(iteration, depth=20):
    """The learning rate at an iteration (from 0) of the CIFAR training, for a net of `depth` layers."""
    if iteration >= 48_000:
        return 0.001
    if iteration >= 32_000 or iteration < 400:
        return 0.01
    return 0.1


# %% No warm-up exercise="learning-rate"
# With 110 layers the first 400 iterations have 0.01.
def learning_rate(iteration, depth=20):
    """The learning rate at an iteration (from 0) of the CIFAR training, for a net of `depth` layers."""
    if iteration >= 48_000:
        return 0.001
    if iteration >= 32_000:
        return 0.01
    return 0.1


# %% Warm-up for 110 layers alone exercise="learning-rate"
# Deeper nets than 110 warm up too.
def learning_rate(iteration, depth=20):
    """The learning rate at an iteration (from 0) of the CIFAR training, for a net of `depth` layers."""
    if iteration >= 48_000:
        return 0.001
    if iteration >= 32_000 or (depth == 110 and iteration < 400):
        return 0.01
    return 0.1


# %% Warm-up one iteration too long exercise="learning-rate"
# Iterations 0 to 399 are 400 already.
def learning_rate(iteration, depth=20):
    """The learning rate at an iteration (from 0) of the CIFAR training, for a net of `depth` layers."""
    if iteration >= 48_000:
        return 0.001
    if iteration >= 32_000 or (depth >= 110 and iteration <= 400):
        return 0.01
    return 0.1


# %% From a list of milestones exercise="learning-rate" right=true
def learning_rate(iteration, depth=20):
    drops = sum(iteration >= milestone for milestone in (32_000, 48_000))
    warming = int(depth >= 110 and iteration < 400)
    return 0.1 / 10 ** (drops + warming)


# %% [markdown]
# ## Training


# %% Training in evaluation mode exercise="train-epoch" covers=[78]
# The net trains in evaluation mode: BatchNorm uses its running averages and never updates them.
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    net.eval()
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    net.eval()
    with torch.no_grad():
        return net(images).argmax(dim=1)  # (N,)


# %% Mode left as it was exercise="train-epoch"
# train_epoch should put the net in training mode; after predict it is in evaluation mode.
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    net.eval()
    with torch.no_grad():
        return net(images).argmax(dim=1)  # (N,)


# %% Gradients never cleared exercise="train-epoch" covers=[62]
# The gradients of all steps so far add up: clear them before each backward pass.
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    net.train()
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    net.eval()
    with torch.no_grad():
        return net(images).argmax(dim=1)  # (N,)


# %% Gradients cleared after backward exercise="train-epoch"
# The gradients are cleared after they were computed: the step finds none.
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    net.train()
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    net.eval()
    with torch.no_grad():
        return net(images).argmax(dim=1)  # (N,)


# %% No step exercise="train-epoch"
# optimizer.step() is never called.
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    net.train()
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    net.eval()
    with torch.no_grad():
        return net(images).argmax(dim=1)  # (N,)


# %% Softmax before the cross-entropy exercise="train-epoch" covers=[57]
# nn.functional.cross_entropy takes logits: it contains the softmax.
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    net.train()
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(torch.softmax(net(images), dim=1), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    net.eval()
    with torch.no_grad():
        return net(images).argmax(dim=1)  # (N,)


# %% Summed loss exercise="train-epoch" covers=[61]
# The loss of a batch is the mean over its images.
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    net.train()
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(net(images), labels, reduction="sum")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    net.eval()
    with torch.no_grad():
        return net(images).argmax(dim=1)  # (N,)


# %% The last loss instead of the mean exercise="train-epoch"
# The mean over the batches is asked, not the last batch's loss.
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    net.train()
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses[-1]


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    net.eval()
    with torch.no_grad():
        return net(images).argmax(dim=1)  # (N,)


# %% The losses' sum exercise="train-epoch"
# The mean over the batches is asked, not the sum.
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    net.train()
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses)


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    net.eval()
    with torch.no_grad():
        return net(images).argmax(dim=1)  # (N,)


# %% A tensor returned exercise="train-epoch"
# A float is asked; a tensor that remembers its graph keeps all activations alive.
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    net.train()
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss)
    return sum(losses) / len(losses)


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    net.eval()
    with torch.no_grad():
        return net(images).argmax(dim=1)  # (N,)


# %% Loss measured after the step exercise="train-epoch"
# The loss is that of the forward pass the step was computed from; you measure it again after the
# step.
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    net.train()
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(nn.functional.cross_entropy(net(images), labels).item())
    return sum(losses) / len(losses)


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    net.eval()
    with torch.no_grad():
        return net(images).argmax(dim=1)  # (N,)


# %% Momentum thrown away exercise="train-epoch" covers=[64]
# The optimiser's memory is cleared in every epoch.
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    net.train()
    optimizer.state.clear()
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    net.eval()
    with torch.no_grad():
        return net(images).argmax(dim=1)  # (N,)


# %% Reading in training mode exercise="train-epoch" covers=[73, 79]
# predict leaves the net in training mode: the answer for one image depends on its neighbours, and
# the running statistics move.
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    net.train()
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    net.train()
    with torch.no_grad():
        return net(images).argmax(dim=1)  # (N,)


# %% Mode ignored when reading exercise="train-epoch" covers=[73]
# predict should switch to evaluation mode.
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    net.train()
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    with torch.no_grad():
        return net(images).argmax(dim=1)  # (N,)


# %% Logits instead of labels exercise="train-epoch"
# The label with the largest logit is asked, not the logits.
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    net.train()
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    net.eval()
    with torch.no_grad():
        return net(images)  # (N,)


# %% argmax over the batch exercise="train-epoch" covers=[58]
# argmax over axis 0 picks an image for each class; the classes are axis 1.
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    net.train()
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    net.eval()
    with torch.no_grad():
        return net(images).argmax(dim=0)  # (N,)


# %% Weighted by hand exercise="train-epoch" right=true
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    net.train()
    losses = []
    for images, labels in batches:
        logits = net(images)
        picked = torch.log_softmax(logits, dim=1)[torch.arange(len(labels)), labels]
        loss = -picked.mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return float(np.mean(losses))


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    net.eval()
    with torch.no_grad():
        return net(images).argmax(dim=1)  # (N,)


# %% Softmax before argmax exercise="train-epoch" right=true
def train_epoch(net, optimizer, batches):
    """One step for each (images, labels) of batches; returns the mean loss, a float."""
    net.train()
    losses = []
    for images, labels in batches:
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def predict(net, images):
    """The label that net gives to each of images (N, C, H, W): integers (N,)."""
    net.eval()
    with torch.no_grad():
        return torch.softmax(net(images), dim=1).max(dim=1).indices  # (N,)


# %% An untrained net exercise="run-training"
# The net was never trained: it guesses.
torch.manual_seed(seed)
start = time.perf_counter()
options = {"width": 8, "num_classes": 10, "in_channels": 1, "shortcut": "A", "small": True}
network = ResNet(BasicBlock, (1, 1, 1), **options)
he_init(network)
optimizer, losses = make_optimizer(network), []
for lr in (0.1, 0.1, 0.1, 0.01):
    optimizer.param_groups[0]["lr"] = lr
    parts = torch.randperm(len(x_train)).split(32)
    losses.append(2.3)
seconds = time.perf_counter() - start


# %% Labels shuffled apart from the images exercise="run-training"
# Images and labels are shuffled by different orders: there is nothing to learn.
torch.manual_seed(seed)
start = time.perf_counter()
options = {"width": 8, "num_classes": 10, "in_channels": 1, "shortcut": "A", "small": True}
network = ResNet(BasicBlock, (1, 1, 1), **options)
he_init(network)
optimizer, losses = make_optimizer(network), []
for lr in (0.1, 0.1, 0.1, 0.01):
    optimizer.param_groups[0]["lr"] = lr
    parts = torch.randperm(len(x_train)).split(32)
    losses.append(
        train_epoch(
            network,
            optimizer,
            [(x_train[p], y_train[torch.randperm(1437)[: len(p)]]) for p in parts],
        )
    )
seconds = time.perf_counter() - start


# %% A learning rate ten times too large exercise="run-training"
# With this learning rate the training does not settle.
torch.manual_seed(seed)
start = time.perf_counter()
options = {"width": 8, "num_classes": 10, "in_channels": 1, "shortcut": "A", "small": True}
network = ResNet(BasicBlock, (1, 1, 1), **options)
he_init(network)
optimizer, losses = make_optimizer(network), []
for lr in (10.0, 10.0, 10.0, 10.0):
    optimizer.param_groups[0]["lr"] = lr
    parts = torch.randperm(len(x_train)).split(32)
    losses.append(train_epoch(network, optimizer, [(x_train[p], y_train[p]) for p in parts]))
seconds = time.perf_counter() - start


# %% Bottlenecks and one more epoch exercise="run-training" right=true
torch.manual_seed(seed)
start = time.perf_counter()
options = {"width": 8, "num_classes": 10, "in_channels": 1, "shortcut": "B", "small": True}
network = ResNet(Bottleneck, (1, 1, 1), **options)
he_init(network)
optimizer, losses = make_optimizer(network), []
for lr in (0.1, 0.1, 0.1, 0.1, 0.01):
    optimizer.param_groups[0]["lr"] = lr
    parts = torch.randperm(len(x_train)).split(32)
    losses.append(train_epoch(network, optimizer, [(x_train[p], y_train[p]) for p in parts]))
seconds = time.perf_counter() - start


# %% [markdown]
# ## Which error, measured how


# %% 3.57% for one net exercise="q-errors"
# 3.57% is the average of six nets on the test set; the best single net had 4.49%.
q_errors = {5.94: "one crop", 5.71: "ten crops", 4.49: "ensemble", 3.57: "multi-scale"}


# %% Ten crops and one crop swapped exercise="q-errors"
# Ten crops are averaged, and the error is a little lower than with one.
q_errors = {5.94: "ten crops", 5.71: "one crop", 4.49: "multi-scale", 3.57: "ensemble"}


# %% Multi-scale taken for ten crops exercise="q-errors"
# Five sizes of the whole picture give the lowest error of a single net.
q_errors = {5.94: "one crop", 5.71: "multi-scale", 4.49: "ten crops", 3.57: "ensemble"}


# %% Logits averaged exercise="ensemble" covers=[137]
# You averaged the logits. One member with large logits then outvotes all the others; the
# probabilities are averaged.
def ensemble_error(logits, labels, k=1):
    """Top-k error in percent from logits (members, N, K), NumPy, and labels (N,)."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))  # (members, N, K)
    p = np.asarray(logits).mean(axis=0)  # (N, K)
    best = np.argsort(-p, axis=1)[:, :k]  # (N, k)
    return 100 * float(np.mean(~(best == np.asarray(labels)[:, None]).any(axis=1)))


# %% A vote of the members exercise="ensemble" covers=[137]
# You let the members vote. A vote forgets how sure each was: average the probabilities, then
# choose.
def ensemble_error(logits, labels, k=1):
    """Top-k error in percent from logits (members, N, K), NumPy, and labels (N,)."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))  # (members, N, K)
    votes = np.argmax(logits, axis=-1)  # (members, N)
    p = np.array([np.bincount(v, minlength=logits.shape[-1]) for v in votes.T])
    best = np.argsort(-p, axis=1)[:, :k]  # (N, k)
    return 100 * float(np.mean(~(best == np.asarray(labels)[:, None]).any(axis=1)))


# %% Only the first member exercise="ensemble"
# Only the first member is read.
def ensemble_error(logits, labels, k=1):
    """Top-k error in percent from logits (members, N, K), NumPy, and labels (N,)."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))  # (members, N, K)
    p = (shifted / shifted.sum(axis=-1, keepdims=True))[0]  # (N, K)
    best = np.argsort(-p, axis=1)[:, :k]  # (N, k)
    return 100 * float(np.mean(~(best == np.asarray(labels)[:, None]).any(axis=1)))


# %% Softmax over the members exercise="ensemble" covers=[58]
# The softmax runs over the classes, the last axis.
def ensemble_error(logits, labels, k=1):
    """Top-k error in percent from logits (members, N, K), NumPy, and labels (N,)."""
    shifted = np.exp(logits - logits.max(axis=0, keepdims=True))  # (members, N, K)
    p = (shifted / shifted.sum(axis=0, keepdims=True)).mean(axis=0)  # (N, K)
    best = np.argsort(-p, axis=1)[:, :k]  # (N, k)
    return 100 * float(np.mean(~(best == np.asarray(labels)[:, None]).any(axis=1)))


# %% No maximum subtracted exercise="ensemble" covers=[59]
# exp overflows for large logits: subtract the maximum first.
def ensemble_error(logits, labels, k=1):
    """Top-k error in percent from logits (members, N, K), NumPy, and labels (N,)."""
    shifted = np.exp(logits)  # (members, N, K)
    p = (shifted / shifted.sum(axis=-1, keepdims=True)).mean(axis=0)  # (N, K)
    best = np.argsort(-p, axis=1)[:, :k]  # (N, k)
    return 100 * float(np.mean(~(best == np.asarray(labels)[:, None]).any(axis=1)))


# %% Accuracy instead of error exercise="ensemble"
# You return the accuracy; the error is asked.
def ensemble_error(logits, labels, k=1):
    """Top-k error in percent from logits (members, N, K), NumPy, and labels (N,)."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))  # (members, N, K)
    p = (shifted / shifted.sum(axis=-1, keepdims=True)).mean(axis=0)  # (N, K)
    best = np.argsort(-p, axis=1)[:, :k]  # (N, k)
    return 100 * float(np.mean((best == np.asarray(labels)[:, None]).any(axis=1)))


# %% A fraction instead of percent exercise="ensemble"
# The error is asked in percent.
def ensemble_error(logits, labels, k=1):
    """Top-k error in percent from logits (members, N, K), NumPy, and labels (N,)."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))  # (members, N, K)
    p = (shifted / shifted.sum(axis=-1, keepdims=True)).mean(axis=0)  # (N, K)
    best = np.argsort(-p, axis=1)[:, :k]  # (N, k)
    return float(np.mean(~(best == np.asarray(labels)[:, None]).any(axis=1)))


# %% k ignored exercise="ensemble"
# Only the best class is compared; the k best count.
def ensemble_error(logits, labels, k=1):
    """Top-k error in percent from logits (members, N, K), NumPy, and labels (N,)."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))  # (members, N, K)
    p = (shifted / shifted.sum(axis=-1, keepdims=True)).mean(axis=0)  # (N, K)
    best = np.argsort(-p, axis=1)[:, :1]  # (N, k)
    return 100 * float(np.mean(~(best == np.asarray(labels)[:, None]).any(axis=1)))


# %% The k-th class alone exercise="ensemble"
# A label among the k best is right, not only one at place k.
def ensemble_error(logits, labels, k=1):
    """Top-k error in percent from logits (members, N, K), NumPy, and labels (N,)."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))  # (members, N, K)
    p = (shifted / shifted.sum(axis=-1, keepdims=True)).mean(axis=0)  # (N, K)
    best = np.argsort(-p, axis=1)[:, k - 1 : k]  # (N, k)
    return 100 * float(np.mean(~(best == np.asarray(labels)[:, None]).any(axis=1)))


# %% The k worst classes exercise="ensemble"
# argsort sorts upwards: these are the k smallest.
def ensemble_error(logits, labels, k=1):
    """Top-k error in percent from logits (members, N, K), NumPy, and labels (N,)."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))  # (members, N, K)
    p = (shifted / shifted.sum(axis=-1, keepdims=True)).mean(axis=0)  # (N, K)
    best = np.argsort(p, axis=1)[:, :k]  # (N, k)
    return 100 * float(np.mean(~(best == np.asarray(labels)[:, None]).any(axis=1)))


# %% By ranks exercise="ensemble" right=true
def ensemble_error(logits, labels, k=1):
    """Top-k error in percent from logits (members, N, K), NumPy, and labels (N,)."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))  # (members, N, K)
    p = (shifted / shifted.sum(axis=-1, keepdims=True)).mean(axis=0)  # (N, K)
    own = p[np.arange(len(p)), labels]  # (N,)
    better = (p > own[:, None]).sum(axis=1)  # (N,)
    return 100.0 * float((better >= k).mean())


# %% By torch's topk exercise="ensemble" right=true
def ensemble_error(logits, labels, k=1):
    p = torch.softmax(torch.from_numpy(np.array(logits, dtype=float)), dim=-1).mean(dim=0)
    hits = (p.topk(k, dim=1).indices == torch.as_tensor(labels)[:, None]).any(dim=1)
    return 100 * (1 - hits.double().mean().item())


# %% The paper's net at ten crops exercise="q-row"
# At ten crops the paper's ResNet-50 has 6.71%.
q_row = "a"


# %% 3.8 rounded from 4.1 exercise="q-row"
# 4.089 is not rounded to 3.8; it is 3.858, version 1, cut off.
q_row = "c"


# %% Operations doubled exercise="q-row" covers=[27]
# Two operations a MAC would make 7.7; the table counts MACs.
q_row = "d"


# %% Super-human in general exercise="q-human"
# One task with 1,000 classes, one annotator, and six nets: that says nothing about recognising
# objects in general.
q_human = "a"


# %% The average person exercise="q-human"
# It was one trained person, and not a single net.
q_human = "b"


# %% No comparison at all exercise="q-human"
# The same task, the same measure: the numbers can be compared, as what they are.
q_human = "d"


# %% [markdown]
# ## Mutants that no test should tell apart


# %% A tuple has no order here, and no stride is below 1 exercise="shortcut" equivalent=true
# Membership does not depend on the order; strides are whole and positive.
# - if option not in ('A', 'B', 'C'):
# + if option not in ('B', 'A', 'C'):
# + if option not in ('A', 'C', 'B'):
# - if option != 'C' and stride == 1 and (c_in == c_out):
# + if option != 'C' and stride <= 1 and (c_in == c_out):


# %% v1 makes no difference here exercise="basic-block" equivalent=true
# The basic block takes v1 and ignores it.
# - def __init__(self, c_in, width, stride=1, shortcut='B', v1=False):
# + def __init__(self, c_in, width, stride=1, shortcut='B', v1=True):


# %% A mean over two axes has no order, nor has a table exercise="resnet" equivalent=true
# ResNet-34 and ResNet-50 have the same counts.
# - return self.fc(x.mean(dim=(2, 3)))
# + return self.fc(x.mean(dim=(3, 2)))
# - blueprints = {18: (BasicBlock, (2, 2, 2, 2)), 34: (BasicBlock, (3, 4, 6, 3)), 50: (Bottleneck, (3, 4, 6, 3)), 101: (Bottleneck, (3, 4, 23, 3)), 152: (Bottleneck, (3, 8, 36, 3))}
# + blueprints = {18: (BasicBlock, (2, 2, 2, 2)), 34: (BasicBlock, (3, 4, 6, 3)), 50: (Bottleneck, (3, 4, 6, 3)), 101: (Bottleneck, (3, 4, 23, 3)), 152: (Bottleneck, (3, 8, 36, 3))}


# %% All filters have one size, and any input of the shape will do exercise="count-macs" equivalent=true
# Recording gradients and the input's values change no shape.
# - total += output.numel() * layer.weight[0].numel()
# + total += output.numel() * layer.weight[1].numel()
# + total += output.numel() * layer.weight[-1].numel()
# - with torch.no_grad():
# + if True:
# - net.eval()(torch.zeros(1, *shape, device=next(net.parameters()).device))
# + net.eval()(torch.ones(1, *shape, device=next(net.parameters()).device))


# %% Square strides and paddings, a maximum and a mean without order exercise="numpy-stem" equivalent=true
# The stem's stride and padding are the same for rows and columns.
# - stem = conv(images, w, b, net.conv1.stride[0], net.conv1.padding[0])
# + stem = conv(images, w, b, net.conv1.stride[1], net.conv1.padding[0])
# + stem = conv(images, w, b, net.conv1.stride[-1], net.conv1.padding[0])
# + stem = conv(images, w, b, net.conv1.stride[0], net.conv1.padding[1])
# + stem = conv(images, w, b, net.conv1.stride[0], net.conv1.padding[-1])
# - x = net.maxpool(torch.from_numpy(np.maximum(stem, 0)).float())
# + x = net.maxpool(torch.from_numpy(np.maximum(0, stem)).float())
# - return net.fc(x.mean(dim=(2, 3))).numpy()
# + return net.fc(x.mean(dim=(3, 2))).numpy()


# %% Either fan is right, and the default slope is that of a ReLU exercise="he-init" equivalent=true
# He's paper allows fan-in and fan-out; kaiming_normal_ assumes a leaky ReLU of slope 0, which is
# a ReLU.
# - nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')
# + nn.init.kaiming_normal_(module.weight, nonlinearity='relu')
# + nn.init.kaiming_normal_(module.weight, mode='fan_out')


# %% Within one percent exercise="q-decay" equivalent=true
# The question asks for about how many.
# - q_decay_paper = 100000
# + q_decay_paper = 100001
# + q_decay_paper = 99999
# - q_decay_slide = 1000000
# + q_decay_slide = 1000001
# + q_decay_slide = 999999


# %% Epochs within one percent exercise="q-epochs" equivalent=true
# The question asks for one percent.
# - q_epochs = 120
# + q_epochs = 121
# + q_epochs = 119


# %% No depth of the family lies between exercise="learning-rate" equivalent=true
# Depths are 6n + 2: none between 104 and 110, and every default below 110 does the same.
# - def learning_rate(iteration, depth=20):
# + def learning_rate(iteration, depth=21):
# + def learning_rate(iteration, depth=19):
# - if iteration >= 32000 or (depth >= 110 and iteration < 400):
# + if iteration >= 32000 or (depth >= 109 and iteration < 400):


# %% The optimiser and the net hold the same gradients exercise="train-epoch" equivalent=true
# make_optimizer takes all parameters, so clearing either side clears both.
# - optimizer.zero_grad()
# + net.zero_grad()


# %% Other trainings reach the goal too exercise="run-training" equivalent=true
# Any setting that reaches 96% is right; another size of net, batch, learning rate or random order
# often does.
# - torch.manual_seed(seed)
# + pass
# + seed
# - options = {'width': 8, 'num_classes': 10, 'in_channels': 1, 'shortcut': 'A', 'small': True}
# + options = {'width': 9, 'num_classes': 10, 'in_channels': 1, 'shortcut': 'A', 'small': True}
# + options = {'width': 7, 'num_classes': 10, 'in_channels': 1, 'shortcut': 'A', 'small': True}
# - network = ResNet(BasicBlock, (1, 1, 1), **options)
# + network = ResNet(BasicBlock, (2, 1, 1), **options)
# + network = ResNet(BasicBlock, (0, 1, 1), **options)
# + network = ResNet(BasicBlock, (1, 2, 1), **options)
# + network = ResNet(BasicBlock, (1, 0, 1), **options)
# + network = ResNet(BasicBlock, (1, 1, 2), **options)
# + network = ResNet(BasicBlock, (1, 1, 0), **options)
# - he_init(network)
# + pass
# + network
# - for lr in (0.1, 0.1, 0.1, 0.01):
# + for lr in (1.1, 0.1, 0.1, 0.01):
# + for lr in (0.05, 0.1, 0.1, 0.01):
# + for lr in (0.1, 0.05, 0.1, 0.01):
# + for lr in (0.1, 0.1, 0.05, 0.01):
# + for lr in (0.1, 0.1, 0.1, 0.005):
# - optimizer.param_groups[0]['lr'] = lr
# + pass
# + optimizer.param_groups[-1]['lr'] = lr
# + optimizer.param_groups[0][''] = lr
# - parts = torch.randperm(len(x_train)).split(32)
# + parts = torch.randperm(len(x_train)).split(33)
# + parts = torch.randperm(len(x_train)).split(31)


# %% The clock exercise="run-training" equivalent=true
# The seconds are printed and nothing else.
# - start = time.perf_counter()
# + pass
# - seconds = time.perf_counter() - start
# + pass
# + seconds = time.perf_counter() + start
# + seconds = time.perf_counter()
# + seconds = start - time.perf_counter()


# %% A common factor changes no order, and the kind of number does not matter exercise="ensemble" equivalent=true
# Sums rank as means do; the last of two axes is axis 1; labels come as an array, and NumPy's
# floats are numbers.
# - p = (shifted / shifted.sum(axis=-1, keepdims=True)).mean(axis=0)
# + p = (shifted / shifted.sum(axis=-1, keepdims=True)).sum(axis=0)
# + p = (shifted / shifted.mean(axis=-1, keepdims=True)).mean(axis=0)
# - best = np.argsort(-p, axis=1)[:, :k]
# + best = np.argsort(-p)[:, :k]
# - return 100 * float(np.mean(~(best == np.asarray(labels)[:, None]).any(axis=1)))
# + return 100 * np.mean(~(best == np.asarray(labels)[:, None]).any(axis=1))
# + return 100 * float(np.mean(~(best == labels[:, None]).any(axis=1)))
