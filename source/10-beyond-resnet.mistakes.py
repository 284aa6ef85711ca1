# %% [markdown]
# Mistakes and alternatives of lesson 10, in the order of its exercises


# %% One connection a layer exercise="q-connections"
# You counted one connection a layer, as in a plain block. In a dense block layer l reads l
# things: the input and all layers before it.
q_connections = 12


# %% Pairs of layers only exercise="q-connections"
# You counted pairs of layers and left out the block's input, which every layer reads too.
q_connections = 66


# %% Squared exercise="q-connections"
# Layer 1 reads one thing, layer 12 reads twelve: add them up.
q_connections = 144


# %% As a sum exercise="q-connections" right=true
q_connections = sum(range(1, 13))


# %% The output left out exercise="dense-channels"
# Your list ends with the channels that enter the last layer. The last number is what leaves the
# block.
def dense_channels(c_in, growth, layers):
    return [c_in + growth * layer for layer in range(layers)]


# %% The input left out exercise="dense-channels"
# Your list begins behind the first layer. Its first number is what enters layer 1.
def dense_channels(c_in, growth, layers):
    return [c_in + growth * (layer + 1) for layer in range(layers + 1)]


# %% Doubling exercise="dense-channels"
# Each layer adds the same number of channels, the growth rate; it does not multiply.
def dense_channels(c_in, growth, layers):
    return [c_in * 2**layer + 0 * growth for layer in range(layers + 1)]


# %% Four times the growth exercise="dense-channels"
# 4k is the width inside a layer. Only k channels leave it.
def dense_channels(c_in, growth, layers):
    return [c_in + 4 * growth * layer for layer in range(layers + 1)]


# %% New channels only exercise="dense-channels"
# A dense layer hands on all that it was given, and k more: add the input's channels.
def dense_channels(c_in, growth, layers):
    return [growth * layer if layer else c_in for layer in range(layers + 1)]


# %% With a loop exercise="dense-channels" right=true
def dense_channels(c_in, growth, layers):
    widths = [c_in]
    while len(widths) <= layers:
        widths.append(widths[-1] + growth)
    return widths


# %% With a range of NumPy's exercise="dense-channels" right=true
def dense_channels(c_in, growth, layers):
    return c_in + growth * np.arange(layers + 1)


# %% Added instead of concatenated exercise="dense-layer" covers=[111]
# You add the new channels to the input, as ResNet does. DenseNet joins them along the channels,
# so that nothing is overwritten.
class DenseLayer(nn.Module):
    def __init__(self, c_in, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv1(torch.relu(self.norm1(x)))  # (N, 4·growth, H, W)
        y = self.conv2(torch.relu(self.norm2(y)))  # (N, growth, H, W)
        return (
            torch.cat([x[:, : y.shape[1]] + y, x[:, : y.shape[1]]], dim=1)
            if y.shape[1] > x.shape[1]
            else x + y.repeat(1, -(-x.shape[1] // y.shape[1]), 1, 1)[:, : x.shape[1]]
        )  # (N, c_in + growth, H, W)


# %% Only the new channels exercise="dense-layer"
# You return the new channels alone. The output is the input and, behind it, the new ones.
class DenseLayer(nn.Module):
    def __init__(self, c_in, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv1(torch.relu(self.norm1(x)))  # (N, 4·growth, H, W)
        y = self.conv2(torch.relu(self.norm2(y)))  # (N, growth, H, W)
        return y  # (N, c_in + growth, H, W)


# %% New channels in front exercise="dense-layer"
# You put the new channels first. The input keeps its place: x comes first.
class DenseLayer(nn.Module):
    def __init__(self, c_in, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv1(torch.relu(self.norm1(x)))  # (N, 4·growth, H, W)
        y = self.conv2(torch.relu(self.norm2(y)))  # (N, growth, H, W)
        return torch.cat([y, x], dim=1)  # (N, c_in + growth, H, W)


# %% Activated input handed on exercise="dense-layer"
# You join the normalised, rectified input instead of the input as it came: the next layers could
# never see the original.
class DenseLayer(nn.Module):
    def __init__(self, c_in, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        x = torch.relu(self.norm1(x))
        y = self.conv1(x)  # (N, 4·growth, H, W)
        y = self.conv2(torch.relu(self.norm2(y)))  # (N, growth, H, W)
        return torch.cat([x, y], dim=1)  # (N, c_in + growth, H, W)


# %% Convolution before BatchNorm exercise="dense-layer"
# DenseNet puts BatchNorm and ReLU before each convolution; yours stand behind.
class DenseLayer(nn.Module):
    def __init__(self, c_in, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(4 * growth)
        self.conv1 = nn.Conv2d(c_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        y = torch.relu(self.norm1(self.conv1(x)))  # (N, 4·growth, H, W)
        y = torch.relu(self.norm2(self.conv2(y)))  # (N, growth, H, W)
        return torch.cat([x, y], dim=1)  # (N, c_in + growth, H, W)


# %% Second ReLU missing exercise="dense-layer"
# There is a ReLU behind both BatchNorms; the second one is missing.
class DenseLayer(nn.Module):
    def __init__(self, c_in, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv1(torch.relu(self.norm1(x)))  # (N, 4·growth, H, W)
        y = self.conv2(self.norm2(y))  # (N, growth, H, W)
        return torch.cat([x, y], dim=1)  # (N, c_in + growth, H, W)


# %% First ReLU missing exercise="dense-layer"
# There is a ReLU behind both BatchNorms; the first one is missing.
class DenseLayer(nn.Module):
    def __init__(self, c_in, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv1(self.norm1(x))  # (N, 4·growth, H, W)
        y = self.conv2(torch.relu(self.norm2(y)))  # (N, growth, H, W)
        return torch.cat([x, y], dim=1)  # (N, c_in + growth, H, W)


# %% Joined along the rows exercise="dense-layer"
# You join along the rows (axis 2). Channels are axis 1.
class DenseLayer(nn.Module):
    def __init__(self, c_in, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, c_in, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv1(torch.relu(self.norm1(x)))  # (N, 4·growth, H, W)
        y = self.conv2(torch.relu(self.norm2(y)))  # (N, growth, H, W)
        return torch.cat([x, y], dim=2)  # (N, c_in + growth, H, W)


# %% No bottleneck exercise="dense-layer"
# The 1×1 convolution goes to 4 · growth channels; yours goes to growth.
class DenseLayer(nn.Module):
    def __init__(self, c_in, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(growth)
        self.conv2 = nn.Conv2d(growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv1(torch.relu(self.norm1(x)))  # (N, 4·growth, H, W)
        y = self.conv2(torch.relu(self.norm2(y)))  # (N, growth, H, W)
        return torch.cat([x, y], dim=1)  # (N, c_in + growth, H, W)


# %% Biases exercise="dense-layer"
# BatchNorm follows, or precedes the next layer: the convolutions have no bias.
class DenseLayer(nn.Module):
    def __init__(self, c_in, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, 4 * growth, 1)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1)

    def forward(self, x):
        y = self.conv1(torch.relu(self.norm1(x)))  # (N, 4·growth, H, W)
        y = self.conv2(torch.relu(self.norm2(y)))  # (N, growth, H, W)
        return torch.cat([x, y], dim=1)  # (N, c_in + growth, H, W)


# %% Input detached exercise="dense-layer"
# You cut the gradient through the joined input: earlier layers learn through the convolutions
# alone.
class DenseLayer(nn.Module):
    def __init__(self, c_in, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv1(torch.relu(self.norm1(x)))  # (N, 4·growth, H, W)
        y = self.conv2(torch.relu(self.norm2(y)))  # (N, growth, H, W)
        return torch.cat([x.detach(), y], dim=1)  # (N, c_in + growth, H, W)


# %% Statistics never updated exercise="dense-layer"
# Your BatchNorms do not follow the batches: no running statistics move in training mode.
class DenseLayer(nn.Module):
    def __init__(self, c_in, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(c_in, momentum=0.0)
        self.conv1 = nn.Conv2d(c_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth, momentum=0.0)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv1(torch.relu(self.norm1(x)))  # (N, 4·growth, H, W)
        y = self.conv2(torch.relu(self.norm2(y)))  # (N, growth, H, W)
        return torch.cat([x, y], dim=1)  # (N, c_in + growth, H, W)


# %% With functions exercise="dense-layer" right=true
class DenseLayer(nn.Module):
    def __init__(self, c_in, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv1(nn.functional.relu(self.norm1(x), inplace=True))  # (N, 4·growth, H, W)
        y = self.conv2(torch.relu(self.norm2(y)))  # (N, growth, H, W)
        return torch.concatenate((x, y), axis=-3)  # (N, c_in + growth, H, W)


# %% ReLU as a module exercise="dense-layer" right=true
class DenseLayer(nn.Module):
    def __init__(self, c_in, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv1(self.relu(self.norm1(x)))  # (N, 4·growth, H, W)
        y = self.conv2(self.relu(self.norm2(y)))  # (N, growth, H, W)
        return torch.cat([x, y], 1)  # (N, c_in + growth, H, W)


# %% Max pooling exercise="transition"
# Transitions pool by the average; yours takes the maximum.
class Transition(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.norm = nn.BatchNorm2d(c_in)
        self.conv = nn.Conv2d(c_in, c_out, 1, bias=False)

    def forward(self, x):
        x = self.conv(torch.relu(self.norm(x)))  # (N, c_out, H, W)
        return nn.functional.max_pool2d(x, 2)  # (N, c_out, ⌊H/2⌋, ⌊W/2⌋)


# %% No pooling exercise="transition"
# A transition halves rows and columns with 2×2 average pooling; yours keeps them.
class Transition(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.norm = nn.BatchNorm2d(c_in)
        self.conv = nn.Conv2d(c_in, c_out, 1, bias=False)

    def forward(self, x):
        x = self.conv(torch.relu(self.norm(x)))  # (N, c_out, H, W)
        return x  # (N, c_out, ⌊H/2⌋, ⌊W/2⌋)


# %% Convolution first exercise="transition"
# BatchNorm and ReLU come before the convolution here too.
class Transition(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.norm = nn.BatchNorm2d(c_out)
        self.conv = nn.Conv2d(c_in, c_out, 1, bias=False)

    def forward(self, x):
        x = torch.relu(self.norm(self.conv(x)))  # (N, c_out, H, W)
        return nn.functional.avg_pool2d(x, 2)  # (N, c_out, ⌊H/2⌋, ⌊W/2⌋)


# %% Rounded up exercise="transition"
# An odd last row or column is dropped; yours is pooled alone.
class Transition(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.norm = nn.BatchNorm2d(c_in)
        self.conv = nn.Conv2d(c_in, c_out, 1, bias=False)

    def forward(self, x):
        x = self.conv(torch.relu(self.norm(x)))  # (N, c_out, H, W)
        return nn.functional.avg_pool2d(x, 2, ceil_mode=True)  # (N, c_out, ⌊H/2⌋, ⌊W/2⌋)


# %% Strided convolution exercise="transition"
# You give the convolution stride 2, so that it drops three of four pixels. The average pooling
# does the halving.
class Transition(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.norm = nn.BatchNorm2d(c_in)
        self.conv = nn.Conv2d(c_in, c_out, 1, stride=2, bias=False)

    def forward(self, x):
        x = self.conv(torch.relu(self.norm(x)))  # (N, c_out, H, W)
        return x  # (N, c_out, ⌊H/2⌋, ⌊W/2⌋)


# %% ReLU missing exercise="transition"
# BatchNorm is followed by a ReLU, in the transition too.
class Transition(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.norm = nn.BatchNorm2d(c_in)
        self.conv = nn.Conv2d(c_in, c_out, 1, bias=False)

    def forward(self, x):
        x = self.conv(self.norm(x))  # (N, c_out, H, W)
        return nn.functional.avg_pool2d(x, 2)  # (N, c_out, ⌊H/2⌋, ⌊W/2⌋)


# %% Overlapping windows exercise="transition"
# 2×2 windows with stride 2 do not overlap; yours move by one.
class Transition(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.norm = nn.BatchNorm2d(c_in)
        self.conv = nn.Conv2d(c_in, c_out, 1, bias=False)

    def forward(self, x):
        x = self.conv(torch.relu(self.norm(x)))  # (N, c_out, H, W)
        return nn.functional.avg_pool2d(x, 2, stride=1)  # (N, c_out, ⌊H/2⌋, ⌊W/2⌋)


# %% Pooled before the convolution exercise="transition" right=true
class Transition(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.norm = nn.BatchNorm2d(c_in)
        self.conv = nn.Conv2d(c_in, c_out, 1, bias=False)

    def forward(self, x):
        # Averages and 1×1 convolutions commute, and this order is cheaper.
        return self.conv(nn.functional.avg_pool2d(torch.relu(self.norm(x)), 2))


# %% Pooling as a module exercise="transition" right=true
class Transition(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        self.norm = nn.BatchNorm2d(c_in)
        self.conv = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.pool = nn.AvgPool2d(kernel_size=2, stride=2)

    def forward(self, x):
        x = self.conv(torch.relu(self.norm(x)))  # (N, c_out, H, W)
        return self.pool(x)  # (N, c_out, ⌊H/2⌋, ⌊W/2⌋)


# %% No compression exercise="densenet"
# Transitions halve the channels; yours keep them all.
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
        self.conv0 = nn.Conv2d(in_channels, stem, 7, stride=2, padding=3, bias=False)
        self.norm0 = nn.BatchNorm2d(stem)
        self.blocks = len(counts)
        channels = stem
        for number, count in enumerate(counts, start=1):
            layers = [DenseLayer(channels + i * growth, growth) for i in range(count)]
            setattr(self, f"block{number}", nn.Sequential(*layers))
            channels += count * growth
            if number < self.blocks:
                setattr(self, f"transition{number}", Transition(channels, channels))
        self.norm = nn.BatchNorm2d(channels)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)


# %% A transition behind the last block exercise="densenet"
# There is no transition behind the last block.
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
        self.conv0 = nn.Conv2d(in_channels, stem, 7, stride=2, padding=3, bias=False)
        self.norm0 = nn.BatchNorm2d(stem)
        self.blocks = len(counts)
        channels = stem
        for number, count in enumerate(counts, start=1):
            layers = [DenseLayer(channels + i * growth, growth) for i in range(count)]
            setattr(self, f"block{number}", nn.Sequential(*layers))
            channels += count * growth
            if number <= self.blocks:
                setattr(self, f"transition{number}", Transition(channels, channels // 2))
                channels //= 2
        self.norm = nn.BatchNorm2d(channels)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number <= self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)


# %% No BatchNorm at the end exercise="densenet"
# Behind the last block stand a BatchNorm and a ReLU: the blocks end with a bare convolution.
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
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
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(x)  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)


# %% Last ReLU missing exercise="densenet"
# The last BatchNorm is followed by a ReLU.
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
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

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = self.norm(x)  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)


# %% Layers that do not grow exercise="densenet"
# Every layer of a block takes growth channels more than the one before it.
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
        self.conv0 = nn.Conv2d(in_channels, stem, 7, stride=2, padding=3, bias=False)
        self.norm0 = nn.BatchNorm2d(stem)
        self.blocks = len(counts)
        channels = stem
        for number, count in enumerate(counts, start=1):
            layers = [DenseLayer(channels, growth) for i in range(count)]
            setattr(self, f"block{number}", nn.Sequential(*layers))
            channels += count * growth
            if number < self.blocks:
                setattr(self, f"transition{number}", Transition(channels, channels // 2))
                channels //= 2
        self.norm = nn.BatchNorm2d(channels)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)


# %% Blocks in a plain list exercise="densenet" covers=[108]
# Modules in a plain list are not found by parameters(): use nn.Sequential and attributes.
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
        self.conv0 = nn.Conv2d(in_channels, stem, 7, stride=2, padding=3, bias=False)
        self.norm0 = nn.BatchNorm2d(stem)
        self.blocks = len(counts)
        channels = stem
        for number, count in enumerate(counts, start=1):
            layers = [DenseLayer(channels + i * growth, growth) for i in range(count)]
            self.lists = [*getattr(self, "lists", []), layers]
            channels += count * growth
            if number < self.blocks:
                setattr(self, f"transition{number}", Transition(channels, channels // 2))
                channels //= 2
        self.norm = nn.BatchNorm2d(channels)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            for layer in self.lists[number - 1]:
                x = layer(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)


# %% No max pooling exercise="densenet"
# The stem ends with a 3×3 max pooling with stride 2.
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
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

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)


# %% Max pooling without padding exercise="densenet"
# The stem's pooling has padding 1; without it a row and a column are lost.
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
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

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)


# %% A classifier for one size exercise="densenet"
# You flatten the 7 × 7 map. The mean over rows and columns makes the classifier fit any size.
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
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
        self.classifier = nn.Linear(49 * channels, num_classes)

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.flatten(1))  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)


# %% Mean over the channels exercise="densenet" covers=[115]
# You average over the channels. Global average pooling averages over rows and columns and keeps
# the channels.
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
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

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(
            x.mean(dim=1, keepdim=True).expand_as(x)[:, :, 0, 0]
        )  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)


# %% Mean over the images too exercise="densenet" covers=[116]
# You average over the batch as well: every image gets the same logits.
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
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

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.mean(dim=(0, 2, 3)).expand(len(x), -1))  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)


# %% Options swallowed exercise="densenet"
# densenet should hand its options on to DenseNet.
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
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

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth])


# %% 169 with the blocks of 201 exercise="densenet"
# DenseNet-169 has 6, 12, 32 and 32 layers in its blocks.
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
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

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 48, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)


# %% Another depth accepted exercise="densenet"
# A depth that is not in the table should raise ValueError.
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
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

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    return DenseNet(32, counts.get(depth, counts[121]), **options)


# %% Stem with a bias exercise="densenet"
# BatchNorm follows: the stem's convolution has no bias.
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
        self.conv0 = nn.Conv2d(in_channels, stem, 7, stride=2, padding=3)
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

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)


# %% One dense layer shared exercise="densenet"
# You use one layer object several times. Every layer has weights of its own.
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
        self.same = nn.BatchNorm2d(stem)
        self.conv0 = nn.Conv2d(in_channels, stem, 7, stride=2, padding=3, bias=False)
        self.norm0 = nn.BatchNorm2d(stem)
        self.blocks = len(counts)
        channels = stem
        for number, count in enumerate(counts, start=1):
            layers = [DenseLayer(channels + i * growth, growth) for i in range(count)]
            layers = (
                [layers[0]] + layers[1:-1] + [layers[-1]]
                if count < 3
                else [*layers[:-1], layers[-1]]
            )
            setattr(self, f"block{number}", nn.Sequential(*layers))
            channels += count * growth
            if number < self.blocks:
                setattr(self, f"transition{number}", Transition(channels, channels // 2))
                channels //= 2
        self.norm = nn.BatchNorm2d(channels)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x):
        x = torch.relu(self.same(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)


# %% With lists of modules' names exercise="densenet" right=true
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
        self.conv0 = nn.Conv2d(in_channels, stem, 7, stride=2, padding=3, bias=False)
        self.norm0 = nn.BatchNorm2d(stem)
        self.blocks = len(counts)
        self.names = []
        channels = stem
        for number, count in enumerate(counts, start=1):
            layers = [DenseLayer(channels + i * growth, growth) for i in range(count)]
            self.add_module(f"block{number}", nn.Sequential(*layers))
            self.names.append(f"block{number}")
            channels += count * growth
            if number < self.blocks:
                self.add_module(f"transition{number}", Transition(channels, channels // 2))
                self.names.append(f"transition{number}")
                channels //= 2
        self.norm = nn.BatchNorm2d(channels)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)  # (N, stem, H/4, W/4)
        for name in self.names:
            x = self.get_submodule(name)(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)


# %% Adaptive pooling exercise="densenet" right=true
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
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

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = nn.functional.max_pool2d(x, 3, stride=2, padding=1)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(
            nn.functional.adaptive_avg_pool2d(x, 1).flatten(1)
        )  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)


# %% Pooling as a module exercise="densenet" right=true
class DenseNet(nn.Module):
    def __init__(self, growth, counts, stem=64, num_classes=1000, in_channels=3):
        super().__init__()
        self.conv0 = nn.Conv2d(in_channels, stem, 7, stride=2, padding=3, bias=False)
        self.norm0 = nn.BatchNorm2d(stem)
        self.pool = nn.MaxPool2d(3, 2, 1)
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

    def forward(self, x):
        x = torch.relu(self.norm0(self.conv0(x)))  # (N, stem, H/2, W/2)
        x = self.pool(x)  # (N, stem, H/4, W/4)
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"block{number}")(x)
            if number < self.blocks:
                x = getattr(self, f"transition{number}")(x)
        x = torch.relu(self.norm(x))  # (N, channels, H/32, W/32) with four blocks
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def densenet(depth, **options):
    counts = {121: [6, 12, 24, 16], 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
    if depth not in counts:
        raise ValueError(f"no DenseNet-{depth}; there are {', '.join(map(str, counts))}")
    return DenseNet(32, counts[depth], **options)


# %% One layer a dense layer exercise="dense-depth"
# A dense layer has two convolutions: 1×1 and 3×3.
def dense_depth(counts):
    return 1 + sum(counts) + (len(counts) - 1) + 1


# %% Transitions not counted exercise="dense-depth"
# Each transition has a convolution, and counts.
def dense_depth(counts):
    return 1 + 2 * sum(counts) + 1


# %% A transition too many exercise="dense-depth"
# There is one transition less than there are blocks.
def dense_depth(counts):
    return 1 + 2 * sum(counts) + len(counts) + 1


# %% Classifier not counted exercise="dense-depth"
# The classifier has weights, and counts.
def dense_depth(counts):
    return 1 + 2 * sum(counts) + (len(counts) - 1)


# %% Simplified exercise="dense-depth" right=true
def dense_depth(counts):
    return sum(2 * count + 1 for count in counts) + 1


# %% Bytes exercise="block-memory"
# You return bytes; asked are KB, 1024 bytes each.
def block_memory(c_in, growth, layers, height, width):
    outputs = dense_channels(c_in, growth, layers)[1:]
    return tuple(4 * height * width * channels for channels in (sum(outputs), outputs[-1]))


# %% Thousand bytes a KB exercise="block-memory"
# 1 KB is 1024 bytes here.
def block_memory(c_in, growth, layers, height, width):
    outputs = dense_channels(c_in, growth, layers)[1:]
    return tuple(4 * height * width * channels / 1000 for channels in (sum(outputs), outputs[-1]))


# %% The block's input counted exercise="block-memory"
# The copied memory is that of the layers' outputs; the block's input is not one of them.
def block_memory(c_in, growth, layers, height, width):
    outputs = dense_channels(c_in, growth, layers)
    return tuple(4 * height * width * channels / 1024 for channels in (sum(outputs), outputs[-1]))


# %% One byte a number exercise="block-memory"
# A float32 takes four bytes.
def block_memory(c_in, growth, layers, height, width):
    outputs = dense_channels(c_in, growth, layers)[1:]
    return tuple(height * width * channels / 1024 for channels in (sum(outputs), outputs[-1]))


# %% New channels only exercise="block-memory"
# With torch.cat each output holds all channels so far, not the new ones alone.
def block_memory(c_in, growth, layers, height, width):
    outputs = dense_channels(c_in, growth, layers)[1:]
    return tuple(
        4 * height * width * channels / 1024 for channels in (growth * layers, outputs[-1])
    )


# %% Square maps exercise="block-memory"
# Rows and columns may differ: multiply height by width.
def block_memory(c_in, growth, layers, height, width):
    outputs = dense_channels(c_in, growth, layers)[1:]
    return tuple(4 * height * height * channels / 1024 for channels in (sum(outputs), outputs[-1]))


# %% By the formula exercise="block-memory" right=true
def block_memory(c_in, growth, layers, height, width):
    copied = layers * c_in + growth * layers * (layers + 1) / 2
    pixels = height * width
    return [copied * pixels / 256, (c_in + growth * layers) * pixels / 256]


# %% The slide believed exercise="q-dense-claims"
# DenseNet-121 has 8.0 million parameters, ResNet-50 has 25.6 million: it is thrifty with
# parameters.
q_many_parameters = True
q_fewer_layers = False
q_memory = True


# %% Fewer layers exercise="q-dense-claims"
# 121 layers are more than 50. What DenseNet saves is parameters and MACs.
q_many_parameters = False
q_fewer_layers = True
q_memory = True


# %% Fewer parameters, less memory exercise="q-dense-claims"
# Activations are another thing than parameters: every concatenation is a tensor of its own, kept
# for the backward pass.
q_many_parameters = False
q_fewer_layers = False
q_memory = False


# %% No sigmoid exercise="se-block" covers=[112]
# Your gates are not between 0 and 1: a sigmoid stands behind fc2.
class SEBlock(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, x):
        squeezed = x.mean(dim=(2, 3))  # (N, C)
        gates = self.fc2(torch.relu(self.fc1(squeezed)))  # (N, C)
        return x * gates[:, :, None, None]  # (N, C, H, W)


# %% A gate a pixel exercise="se-block" covers=[112]
# You gate every pixel by itself. The squeeze comes first: one mean a channel, one gate a channel.
class SEBlock(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, x):
        squeezed = x.permute(0, 2, 3, 1)  # (N, C)
        gates = torch.sigmoid(self.fc2(torch.relu(self.fc1(squeezed))))  # (N, C)
        return x * gates.permute(0, 3, 1, 2)  # (N, C, H, W)


# %% Softmax exercise="se-block"
# Gates are independent of each other: a sigmoid each, not a softmax over all.
class SEBlock(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, x):
        squeezed = x.mean(dim=(2, 3))  # (N, C)
        gates = torch.softmax(self.fc2(torch.relu(self.fc1(squeezed))), dim=1)  # (N, C)
        return x * gates[:, :, None, None]  # (N, C, H, W)


# %% Maximum for mean exercise="se-block"
# Squeeze by the mean over rows and columns, not by the maximum.
class SEBlock(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, x):
        squeezed = x.amax(dim=(2, 3))  # (N, C)
        gates = torch.sigmoid(self.fc2(torch.relu(self.fc1(squeezed))))  # (N, C)
        return x * gates[:, :, None, None]  # (N, C, H, W)


# %% Sum for mean exercise="se-block"
# Squeeze by the mean: a sum grows with the size of the map.
class SEBlock(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, x):
        squeezed = x.sum(dim=(2, 3))  # (N, C)
        gates = torch.sigmoid(self.fc2(torch.relu(self.fc1(squeezed))))  # (N, C)
        return x * gates[:, :, None, None]  # (N, C, H, W)


# %% Gates returned exercise="se-block"
# You return the gates. The block returns the map, each channel multiplied by its gate.
class SEBlock(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, x):
        squeezed = x.mean(dim=(2, 3))  # (N, C)
        gates = torch.sigmoid(self.fc2(torch.relu(self.fc1(squeezed))))  # (N, C)
        return gates[:, :, None, None].expand_as(x)  # (N, C, H, W)


# %% Gates added exercise="se-block"
# The gates multiply the channels; you add them.
class SEBlock(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, x):
        squeezed = x.mean(dim=(2, 3))  # (N, C)
        gates = torch.sigmoid(self.fc2(torch.relu(self.fc1(squeezed))))  # (N, C)
        return x + gates[:, :, None, None]  # (N, C, H, W)


# %% ReLU missing exercise="se-block"
# Between the two linear layers stands a ReLU; without it they are one linear layer.
class SEBlock(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, x):
        squeezed = x.mean(dim=(2, 3))  # (N, C)
        gates = torch.sigmoid(self.fc2(self.fc1(squeezed)))  # (N, C)
        return x * gates[:, :, None, None]  # (N, C, H, W)


# %% Mean over the batch exercise="se-block" covers=[116]
# Every image has gates of its own; you average over the batch too.
class SEBlock(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, x):
        squeezed = x.mean(dim=(0, 2, 3)).expand(len(x), -1)  # (N, C)
        gates = torch.sigmoid(self.fc2(torch.relu(self.fc1(squeezed))))  # (N, C)
        return x * gates[:, :, None, None]  # (N, C, H, W)


# %% Sigmoid inside exercise="se-block"
# ReLU stands behind fc1, the sigmoid behind fc2: yours are exchanged.
class SEBlock(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, x):
        squeezed = x.mean(dim=(2, 3))  # (N, C)
        gates = torch.relu(self.fc2(torch.sigmoid(self.fc1(squeezed))))  # (N, C)
        return x * gates[:, :, None, None]  # (N, C, H, W)


# %% Gates without a gradient exercise="se-block"
# No gradient flows through your gates, so fc1 and fc2 never learn.
class SEBlock(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, x):
        squeezed = x.mean(dim=(2, 3))  # (N, C)
        gates = torch.sigmoid(self.fc2(torch.relu(self.fc1(squeezed))))  # (N, C)
        return x * gates.detach()[:, :, None, None]  # (N, C, H, W)


# %% Reduction ignored exercise="se-block"
# In between are channels // reduction numbers.
class SEBlock(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // 16 + 1)
        self.fc2 = nn.Linear(channels // 16 + 1, channels)

    def forward(self, x):
        squeezed = x.mean(dim=(2, 3))  # (N, C)
        gates = torch.sigmoid(self.fc2(torch.relu(self.fc1(squeezed))))  # (N, C)
        return x * gates[:, :, None, None]  # (N, C, H, W)


# %% Without biases exercise="se-block"
# Both linear layers have a bias.
class SEBlock(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // reduction, bias=False)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, x):
        squeezed = x.mean(dim=(2, 3))  # (N, C)
        gates = torch.sigmoid(self.fc2(torch.relu(self.fc1(squeezed))))  # (N, C)
        return x * gates[:, :, None, None]  # (N, C, H, W)


# %% Gated twice exercise="se-block"
# You multiply by the gate twice.
class SEBlock(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, x):
        squeezed = x.mean(dim=(2, 3))  # (N, C)
        gates = torch.sigmoid(self.fc2(torch.relu(self.fc1(squeezed))))  # (N, C)
        return x * gates[:, :, None, None] ** 2  # (N, C, H, W)


# %% With views exercise="se-block" right=true
class SEBlock(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, x):
        squeezed = x.flatten(2).mean(dim=-1)  # (N, C)
        gates = torch.sigmoid(self.fc2(torch.relu(self.fc1(squeezed))))  # (N, C)
        return x * gates.view(len(x), -1, 1, 1)  # (N, C, H, W)


# %% Pooled adaptively exercise="se-block" right=true
class SEBlock(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // reduction)
        self.fc2 = nn.Linear(channels // reduction, channels)

    def forward(self, x):
        squeezed = nn.functional.adaptive_avg_pool2d(x, 1).flatten(1)  # (N, C)
        gates = torch.sigmoid(self.fc2(torch.relu(self.fc1(squeezed))))  # (N, C)
        return torch.einsum("nchw,nc->nchw", x, gates)  # (N, C, H, W)


# %% Biases left out exercise="se-parameters" covers=[26]
# Both linear layers have biases, C/r and C numbers.
def se_parameters(counts, channels, reduction=16):
    total = 0
    for count, wide in zip(counts, channels):
        narrow = wide // reduction
        total += count * (2 * wide * narrow)
    return total


# %% One layer only exercise="se-parameters"
# There are two linear layers: down to C/r and up again.
def se_parameters(counts, channels, reduction=16):
    total = 0
    for count, wide in zip(counts, channels):
        narrow = wide // reduction
        total += count * (wide * narrow + narrow + wide)
    return total


# %% Blocks not counted exercise="se-parameters"
# Stage i has counts[i] blocks, each with an SE block of its own.
def se_parameters(counts, channels, reduction=16):
    total = 0
    for count, wide in zip(counts, channels):
        narrow = wide // reduction
        total += 2 * wide * narrow + narrow + wide
    return total


# %% Always 16 exercise="se-parameters"
# The reduction is an argument.
def se_parameters(counts, channels, reduction=16):
    total = 0
    for count, wide in zip(counts, channels):
        narrow = wide // 16
        total += count * (2 * wide * narrow + narrow + wide)
    return total


# %% Inner widths exercise="se-parameters"
# SE works on the output of the residual branch, all its channels.
def se_parameters(counts, channels, reduction=16):
    total = 0
    for count, wide in zip(counts, channels):
        wide = wide // 4
        narrow = wide // reduction
        total += count * (2 * wide * narrow + narrow + wide)
    return total


# %% As one sum exercise="se-parameters" right=true
def se_parameters(counts, channels, reduction=16):
    return sum(
        n * ((c + 1) * (c // reduction) + (c // reduction + 1) * c)
        for n, c in zip(counts, channels)
    )


# %% Gates of zero are 0 exercise="q-gates"
# sigmoid(0) is 0.5: a block of zeros halves everything.
q_gate = 0
q_moved = "stay"


# %% Gates of zero are 1 exercise="q-gates"
# sigmoid(0) is 0.5: a block of zeros halves everything.
q_gate = 1
q_moved = "stay"


# %% Gates move along exercise="q-gates"
# A gate has no place that could move: the mean over all pixels is the same.
q_gate = 0.5
q_moved = "move"


# %% One group for all exercise="dense-weight"
# You wrote all weights into the first columns. The filters of group i read the channels of group
# i.
def dense_weight(weight, groups):
    filters, narrow, height, width = weight.shape
    full = weight.new_zeros(filters, narrow * groups, height, width)
    hand = filters // groups
    for group in range(groups):
        rows = slice(group * hand, (group + 1) * hand)
        columns = slice(0, narrow)
        full[rows, columns] = weight[rows]
    return full


# %% Repeated instead of zero exercise="dense-weight" covers=[113]
# You repeat the kernels for all channels. A grouped filter does not read the other groups: zeros.
def dense_weight(weight, groups):
    return weight.repeat(1, groups, 1, 1)


# %% Filters dealt in turn exercise="dense-weight"
# Groups are runs of neighbouring filters: the first F/g filters are group 0. You dealt them out
# one by one.
def dense_weight(weight, groups):
    filters, narrow, height, width = weight.shape
    full = weight.new_zeros(filters, narrow * groups, height, width)
    hand = filters // groups
    for group in range(groups):
        rows = slice(group, None, groups)
        columns = slice(group * narrow, (group + 1) * narrow)
        full[rows, columns] = weight[rows]
    return full


# %% Channels dealt in turn exercise="dense-weight"
# Groups are runs of neighbouring channels; you gave each group every g-th channel.
def dense_weight(weight, groups):
    filters, narrow, height, width = weight.shape
    full = weight.new_zeros(filters, narrow * groups, height, width)
    hand = filters // groups
    for group in range(groups):
        rows = slice(group * hand, (group + 1) * hand)
        columns = slice(group, None, groups)
        full[rows, columns] = weight[rows]
    return full


# %% As many filters as channels exercise="dense-weight"
# The number of filters of a group is F/g, which need not be the number of its channels.
def dense_weight(weight, groups):
    filters, narrow, height, width = weight.shape
    full = weight.new_zeros(filters, narrow * groups, height, width)
    hand = narrow
    for group in range(groups):
        rows = slice(group * hand, (group + 1) * hand)
        columns = slice(group * narrow, (group + 1) * narrow)
        full[rows, columns] = weight[rows]
    return full


# %% Dtype lost exercise="dense-weight"
# The full weights have the dtype of the grouped ones; yours are float32 always.
def dense_weight(weight, groups):
    filters, narrow, height, width = weight.shape
    full = torch.zeros(filters, narrow * groups, height, width)
    hand = filters // groups
    for group in range(groups):
        rows = slice(group * hand, (group + 1) * hand)
        columns = slice(group * narrow, (group + 1) * narrow)
        full[rows, columns] = weight[rows]
    return full


# %% Divided by the groups exercise="dense-weight"
# The kernels keep their values.
def dense_weight(weight, groups):
    filters, narrow, height, width = weight.shape
    full = weight.new_zeros(filters, narrow * groups, height, width)
    hand = filters // groups
    for group in range(groups):
        rows = slice(group * hand, (group + 1) * hand)
        columns = slice(group * narrow, (group + 1) * narrow)
        full[rows, columns] = weight[rows] / groups
    return full


# %% With block_diag exercise="dense-weight" right=true
def dense_weight(weight, groups):
    parts = weight.chunk(groups)
    taps = [
        torch.block_diag(*(part[:, :, i, j] for part in parts))
        for i in range(weight.shape[2])
        for j in range(weight.shape[3])
    ]
    return torch.stack(taps, 2).unflatten(2, weight.shape[2:])


# %% Filter by filter exercise="dense-weight" right=true
def dense_weight(weight, groups):
    filters, narrow = weight.shape[:2]
    full = torch.zeros(filters, narrow * groups, *weight.shape[2:], dtype=weight.dtype)
    for f in range(filters):
        start = f * groups // filters * narrow
        full[f, start : start + narrow] = weight[f]
    return full


# %% Concatenated exercise="split-transform-sum" covers=[110]
# The paths' results are added; you join them.
def split_transform_sum(x, reduce, spatial, expand, paths):
    conv2d, narrow = nn.functional.conv2d, len(reduce) // paths
    results = []
    for path in range(paths):
        own = slice(path * narrow, (path + 1) * narrow)
        y = torch.relu(conv2d(x, reduce[own]))  # (N, d, H, W)
        y = torch.relu(conv2d(y, spatial[own], padding=1))  # (N, d, H, W)
        results.append(conv2d(y, expand[:, own]))  # (N, C_out, H, W)
    return torch.cat(results, dim=1)


# %% Mean of the paths exercise="split-transform-sum"
# The paths are added, not averaged.
def split_transform_sum(x, reduce, spatial, expand, paths):
    conv2d, narrow = nn.functional.conv2d, len(reduce) // paths
    total = 0
    for path in range(paths):
        own = slice(path * narrow, (path + 1) * narrow)
        y = torch.relu(conv2d(x, reduce[own]))  # (N, d, H, W)
        y = torch.relu(conv2d(y, spatial[own], padding=1))  # (N, d, H, W)
        total = total + conv2d(y, expand[:, own])  # (N, C_out, H, W)
    return total / paths


# %% Rows of expand exercise="split-transform-sum"
# Each path has its columns (input channels) of expand; you took rows.
def split_transform_sum(x, reduce, spatial, expand, paths):
    conv2d, narrow = nn.functional.conv2d, len(reduce) // paths
    total = 0
    for path in range(paths):
        own = slice(path * narrow, (path + 1) * narrow)
        y = torch.relu(conv2d(x, reduce[own]))  # (N, d, H, W)
        y = torch.relu(conv2d(y, spatial[own], padding=1))  # (N, d, H, W)
        total = total + conv2d(y, expand[:, : reduce.shape[0] // paths])  # (N, C_out, H, W)
    return total


# %% First ReLU missing exercise="split-transform-sum"
# A ReLU stands behind the first 1×1 convolution.
def split_transform_sum(x, reduce, spatial, expand, paths):
    conv2d, narrow = nn.functional.conv2d, len(reduce) // paths
    total = 0
    for path in range(paths):
        own = slice(path * narrow, (path + 1) * narrow)
        y = conv2d(x, reduce[own])  # (N, d, H, W)
        y = torch.relu(conv2d(y, spatial[own], padding=1))  # (N, d, H, W)
        total = total + conv2d(y, expand[:, own])  # (N, C_out, H, W)
    return total


# %% Second ReLU missing exercise="split-transform-sum"
# A ReLU stands behind the 3×3 convolution.
def split_transform_sum(x, reduce, spatial, expand, paths):
    conv2d, narrow = nn.functional.conv2d, len(reduce) // paths
    total = 0
    for path in range(paths):
        own = slice(path * narrow, (path + 1) * narrow)
        y = torch.relu(conv2d(x, reduce[own]))  # (N, d, H, W)
        y = conv2d(y, spatial[own], padding=1)  # (N, d, H, W)
        total = total + conv2d(y, expand[:, own])  # (N, C_out, H, W)
    return total


# %% ReLU of each path's result exercise="split-transform-sum"
# There is no ReLU behind the last 1×1 convolution of a path.
def split_transform_sum(x, reduce, spatial, expand, paths):
    conv2d, narrow = nn.functional.conv2d, len(reduce) // paths
    total = 0
    for path in range(paths):
        own = slice(path * narrow, (path + 1) * narrow)
        y = torch.relu(conv2d(x, reduce[own]))  # (N, d, H, W)
        y = torch.relu(conv2d(y, spatial[own], padding=1))  # (N, d, H, W)
        total = total + torch.relu(conv2d(y, expand[:, own]))  # (N, C_out, H, W)
    return total


# %% No padding exercise="split-transform-sum"
# The 3×3 convolution has padding 1: rows and columns stay.
def split_transform_sum(x, reduce, spatial, expand, paths):
    conv2d, narrow = nn.functional.conv2d, len(reduce) // paths
    total = 0
    for path in range(paths):
        own = slice(path * narrow, (path + 1) * narrow)
        y = torch.relu(conv2d(x, reduce[own]))  # (N, d, H, W)
        y = torch.relu(conv2d(y, spatial[own]))  # (N, d, H, W)
        total = total + conv2d(y, expand[:, own])  # (N, C_out, H, W)
    return total


# %% Last path left out exercise="split-transform-sum"
# You stop one path early.
def split_transform_sum(x, reduce, spatial, expand, paths):
    conv2d, narrow = nn.functional.conv2d, len(reduce) // paths
    total = 0
    for path in range(max(1, paths - 1)):
        own = slice(path * narrow, (path + 1) * narrow)
        y = torch.relu(conv2d(x, reduce[own]))  # (N, d, H, W)
        y = torch.relu(conv2d(y, spatial[own], padding=1))  # (N, d, H, W)
        total = total + conv2d(y, expand[:, own])  # (N, C_out, H, W)
    return total


# %% The grouped form exercise="split-transform-sum" right=true
def split_transform_sum(x, reduce, spatial, expand, paths):
    f = nn.functional
    y = f.relu(f.conv2d(x, reduce))
    y = f.relu(f.conv2d(y, spatial, padding=1, groups=paths))
    return f.conv2d(y, expand)


# %% Form b, concatenated before the last layer exercise="split-transform-sum" right=true
def split_transform_sum(x, reduce, spatial, expand, paths):
    conv2d, parts = nn.functional.conv2d, []
    for first, second in zip(reduce.chunk(paths), spatial.chunk(paths)):
        parts.append(conv2d(conv2d(x, first).relu(), second, padding=1).relu())
    return conv2d(torch.cat(parts, 1), expand)


# %% Largest below the budget exercise="nearest-width"
# Asked is the nearest width, also from above: 8 paths of 14 cost a little more than the budget.
def nearest_width(paths, channels=256, budget=69632):
    d = 1
    while paths * (2 * channels * (d + 1) + 9 * (d + 1) ** 2) <= budget:
        d += 1
    return d


# %% 3×3 on all paths' channels exercise="nearest-width" covers=[30]
# The 3×3 convolution of a path reads the path's own d channels only.
def nearest_width(paths, channels=256, budget=69632):
    return min(
        range(1, budget + 1),
        key=lambda d: abs(paths * (2 * channels * d + 9 * d * d * paths) - budget),
    )


# %% Last 1×1 left out exercise="nearest-width"
# There are two 1×1 convolutions, into the path and out of it.
def nearest_width(paths, channels=256, budget=69632):
    return min(range(1, budget + 1), key=lambda d: abs(paths * (channels * d + 9 * d * d) - budget))


# %% Budget shared by division exercise="nearest-width"
# d² does not shrink like 1/C: compare the weights, not the channels.
def nearest_width(paths, channels=256, budget=69632):
    return max(1, 64 // paths)


# %% The larger of two exercise="nearest-width"
# Of two equally near widths the smaller was asked.
def nearest_width(paths, channels=256, budget=69632):
    return min(
        range(1, budget + 1),
        key=lambda d: (abs(paths * (2 * channels * d + 9 * d * d) - budget), -d),
    )


# %% With a loop exercise="nearest-width" right=true
def nearest_width(paths, channels=256, budget=69632):
    best = d = 1
    gap = abs(paths * (2 * channels + 9) - budget)
    while paths * (2 * channels * d + 9 * d * d) < budget:
        d += 1
        now = abs(paths * (2 * channels * d + 9 * d * d) - budget)
        if now < gap:
            best, gap = d, now
    return best


# %% Groups not divided exercise="resnet50-parameters" covers=[30]
# A filter of a grouped convolution reads only its group's channels: divide by the groups.
def resnet50_parameters(width, groups):

    def conv(c_in, c_out, side=1, groups=1):
        return c_out * c_in * side**2 + 2 * c_out  # with its BatchNorm

    total, c_in = conv(3, 64, 7) + 2048 * 1000 + 1000, 64
    for stage, count in enumerate((3, 4, 6, 3)):
        inner, c_out = width * 2**stage, 256 * 2**stage
        total += conv(c_in, c_out)
        for _ in range(count):
            total += conv(c_in, inner) + conv(inner, inner, 3, groups) + conv(inner, c_out)
            c_in = c_out
    return total


# %% No BatchNorm exercise="resnet50-parameters"
# Behind each convolution stands a BatchNorm with 2 numbers a channel.
def resnet50_parameters(width, groups):

    def conv(c_in, c_out, side=1, groups=1):
        return c_out * (c_in // groups) * side**2

    total, c_in = conv(3, 64, 7) + 2048 * 1000 + 1000, 64
    for stage, count in enumerate((3, 4, 6, 3)):
        inner, c_out = width * 2**stage, 256 * 2**stage
        total += conv(c_in, c_out)
        for _ in range(count):
            total += conv(c_in, inner) + conv(inner, inner, 3, groups) + conv(inner, c_out)
            c_in = c_out
    return total


# %% Buffers counted as parameters exercise="resnet50-parameters" covers=[33]
# BatchNorm learns 2 numbers a channel; running mean and variance are buffers.
def resnet50_parameters(width, groups):

    def conv(c_in, c_out, side=1, groups=1):
        return c_out * (c_in // groups) * side**2 + 4 * c_out  # with its BatchNorm

    total, c_in = conv(3, 64, 7) + 2048 * 1000 + 1000, 64
    for stage, count in enumerate((3, 4, 6, 3)):
        inner, c_out = width * 2**stage, 256 * 2**stage
        total += conv(c_in, c_out)
        for _ in range(count):
            total += conv(c_in, inner) + conv(inner, inner, 3, groups) + conv(inner, c_out)
            c_in = c_out
    return total


# %% No projection in stage 1 exercise="resnet50-parameters"
# Stage 1 has a projection too: from the stem's 64 to 256 channels.
def resnet50_parameters(width, groups):

    def conv(c_in, c_out, side=1, groups=1):
        return c_out * (c_in // groups) * side**2 + 2 * c_out  # with its BatchNorm

    total, c_in = conv(3, 64, 7) + 2048 * 1000 + 1000, 64
    for stage, count in enumerate((3, 4, 6, 3)):
        inner, c_out = width * 2**stage, 256 * 2**stage
        total += conv(c_in, c_out) if stage else 0
        for _ in range(count):
            total += conv(c_in, inner) + conv(inner, inner, 3, groups) + conv(inner, c_out)
            c_in = c_out
    return total


# %% Classifier without bias exercise="resnet50-parameters" covers=[26]
# The classifier has a bias of 1000 numbers.
def resnet50_parameters(width, groups):

    def conv(c_in, c_out, side=1, groups=1):
        return c_out * (c_in // groups) * side**2 + 2 * c_out  # with its BatchNorm

    total, c_in = conv(3, 64, 7) + 2048 * 1000, 64
    for stage, count in enumerate((3, 4, 6, 3)):
        inner, c_out = width * 2**stage, 256 * 2**stage
        total += conv(c_in, c_out)
        for _ in range(count):
            total += conv(c_in, inner) + conv(inner, inner, 3, groups) + conv(inner, c_out)
            c_in = c_out
    return total


# %% Groups in the 1×1 convolutions exercise="resnet50-parameters"
# Only the 3×3 convolution is grouped.
def resnet50_parameters(width, groups):

    def conv(c_in, c_out, side=1, groups=1):
        return c_out * (c_in // groups) * side**2 + 2 * c_out  # with its BatchNorm

    total, c_in = conv(3, 64, 7) + 2048 * 1000 + 1000, 64
    for stage, count in enumerate((3, 4, 6, 3)):
        inner, c_out = width * 2**stage, 256 * 2**stage
        total += conv(c_in, c_out)
        for _ in range(count):
            total += (
                conv(c_in, inner, 1, groups) + conv(inner, inner, 3, groups) + conv(inner, c_out)
            )
            c_in = c_out
    return total


# %% Width in place of the outer channels exercise="resnet50-parameters"
# The outer channels stay 256 to 2048; only the inside of the block gets wider.
def resnet50_parameters(width, groups):

    def conv(c_in, c_out, side=1, groups=1):
        return c_out * (c_in // groups) * side**2 + 2 * c_out  # with its BatchNorm

    total, c_in = conv(3, 64, 7) + 32 * width * 1000 + 1000, 64
    for stage, count in enumerate((3, 4, 6, 3)):
        inner, c_out = width * 2**stage, 4 * width * 2**stage
        total += conv(c_in, c_out)
        for _ in range(count):
            total += conv(c_in, inner) + conv(inner, inner, 3, groups) + conv(inner, c_out)
            c_in = c_out
    return total


# %% Input of later blocks exercise="resnet50-parameters"
# Only the first block of a stage reads the stage before; the others read c_out channels.
def resnet50_parameters(width, groups):

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


# %% Counted on the meta device exercise="resnet50-parameters" right=true
def resnet50_parameters(width, groups):
    convs, c_in = [nn.Conv2d(3, 64, 7, bias=False, device="meta")], 64
    for stage, count in enumerate((3, 4, 6, 3)):
        w, c_out = width * 2**stage, 256 * 2**stage
        sizes = [(c_in, c_out, 1, 1)]
        for _ in range(count):
            sizes += [(c_in, w, 1, 1), (w, w, 3, groups), (w, c_out, 1, 1)]
            c_in = c_out
        convs += [nn.Conv2d(a, b, k, groups=g, bias=False, device="meta") for a, b, k, g in sizes]
    norms = 2 * sum(conv.out_channels for conv in convs)
    return sum(conv.weight.numel() for conv in convs) + norms + 2049 * 1000


# %% Depthwise part forgotten exercise="conv-cost"
# The separable convolution has two parts; you counted the pointwise one.
def conv_cost(c_in, c_out, kernel, height, width):
    pixels = height * width
    full = pixels * kernel**2 * c_in * c_out
    separable = pixels * c_in * c_out
    return full, separable


# %% Pointwise part forgotten exercise="conv-cost"
# The separable convolution has two parts; you counted the depthwise one.
def conv_cost(c_in, c_out, kernel, height, width):
    pixels = height * width
    full = pixels * kernel**2 * c_in * c_out
    separable = pixels * kernel**2 * c_in
    return full, separable


# %% FLOPs exercise="conv-cost" covers=[27]
# A MAC is one multiplication with its addition: no factor 2.
def conv_cost(c_in, c_out, kernel, height, width):
    pixels = height * width
    full = pixels * kernel**2 * c_in * c_out
    separable = pixels * (kernel**2 * c_in + c_in * c_out)
    return 2 * full, 2 * separable


# %% Depthwise on the outputs exercise="conv-cost"
# The depthwise part works on the incoming channels, before the pointwise part.
def conv_cost(c_in, c_out, kernel, height, width):
    pixels = height * width
    full = pixels * kernel**2 * c_in * c_out
    separable = pixels * (kernel**2 * c_out + c_in * c_out)
    return full, separable


# %% Kernel not squared exercise="conv-cost"
# A K×K kernel has K² taps.
def conv_cost(c_in, c_out, kernel, height, width):
    pixels = height * width
    full = pixels * kernel * c_in * c_out
    separable = pixels * (kernel * c_in + c_in * c_out)
    return full, separable


# %% Parameters instead of MACs exercise="conv-cost"
# You counted weights. Each is used once a pixel.
def conv_cost(c_in, c_out, kernel, height, width):
    pixels = 1
    full = pixels * kernel**2 * c_in * c_out
    separable = pixels * (kernel**2 * c_in + c_in * c_out)
    return full, separable


# %% By the ratio exercise="conv-cost" right=true
def conv_cost(c_in, c_out, kernel, height, width):
    full = height * width * kernel * kernel * c_in * c_out
    return [full, full // c_out + full // kernel**2]


# %% Weights left at nine exercise="q-ratio"
# 1/512 + 1/9: the pointwise part costs something as well, so it is a little less than 9 times.
q_times = 9.0
q_limit = 9


# %% No limit seen exercise="q-ratio"
# 1/N vanishes as N grows; K² = 9 remains.
q_times = 8.8
q_limit = 512


# %% Computed exercise="q-ratio" right=true
q_times = 1 / (1 / 512 + 1 / 9)
q_limit = 9


# %% Groups forgotten exercise="separable" covers=[113]
# Without groups the first convolution mixes all channels: it is a full one.
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.depthwise = nn.Conv2d(c_in, c_in, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_in)
        self.pointwise = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        x = torch.relu(self.bn1(self.depthwise(x)))  # (N, c_in, H/stride, W/stride)
        return torch.relu(self.bn2(self.pointwise(x)))  # (N, c_out, H/stride, W/stride)


# %% Stride on the pointwise convolution exercise="separable"
# The depthwise convolution has the stride; a strided 1×1 convolution would throw three of four
# pixels away.
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.depthwise = nn.Conv2d(c_in, c_in, 3, 1, padding=1, groups=c_in, bias=False)
        self.bn1 = nn.BatchNorm2d(c_in)
        self.pointwise = nn.Conv2d(c_in, c_out, 1, stride, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        x = torch.relu(self.bn1(self.depthwise(x)))  # (N, c_in, H/stride, W/stride)
        return torch.relu(self.bn2(self.pointwise(x)))  # (N, c_out, H/stride, W/stride)


# %% No ReLU in between exercise="separable"
# MobileNetV1 has BatchNorm and ReLU behind both convolutions.
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.depthwise = nn.Conv2d(c_in, c_in, 3, stride, padding=1, groups=c_in, bias=False)
        self.bn1 = nn.BatchNorm2d(c_in)
        self.pointwise = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        x = self.bn1(self.depthwise(x))  # (N, c_in, H/stride, W/stride)
        return torch.relu(self.bn2(self.pointwise(x)))  # (N, c_out, H/stride, W/stride)


# %% No ReLU at the end exercise="separable"
# In V1 a ReLU stands at the end too; linear ends are an idea of V2.
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.depthwise = nn.Conv2d(c_in, c_in, 3, stride, padding=1, groups=c_in, bias=False)
        self.bn1 = nn.BatchNorm2d(c_in)
        self.pointwise = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        x = torch.relu(self.bn1(self.depthwise(x)))  # (N, c_in, H/stride, W/stride)
        return self.bn2(self.pointwise(x))  # (N, c_out, H/stride, W/stride)


# %% Pointwise first exercise="separable"
# The depthwise convolution comes first, on the incoming channels.
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.depthwise = nn.Conv2d(c_out, c_out, 3, stride, padding=1, groups=c_out, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.pointwise = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        x = torch.relu(self.bn2(self.pointwise(x)))  # (N, c_in, H/stride, W/stride)
        return torch.relu(self.bn1(self.depthwise(x)))  # (N, c_out, H/stride, W/stride)


# %% BatchNorm in between missing exercise="separable"
# A BatchNorm stands behind each of the two convolutions.
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.depthwise = nn.Conv2d(c_in, c_in, 3, stride, padding=1, groups=c_in, bias=False)
        self.pointwise = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        x = torch.relu(self.depthwise(x))  # (N, c_in, H/stride, W/stride)
        return torch.relu(self.bn2(self.pointwise(x)))  # (N, c_out, H/stride, W/stride)


# %% No padding exercise="separable"
# The 3×3 convolution has padding 1.
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.depthwise = nn.Conv2d(c_in, c_in, 3, stride, groups=c_in, bias=False)
        self.bn1 = nn.BatchNorm2d(c_in)
        self.pointwise = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        x = torch.relu(self.bn1(self.depthwise(x)))  # (N, c_in, H/stride, W/stride)
        return torch.relu(self.bn2(self.pointwise(x)))  # (N, c_out, H/stride, W/stride)


# %% With functions exercise="separable" right=true
class DepthwiseSeparable(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.depthwise = nn.Conv2d(
            c_in, c_in, 3, stride, padding=1, groups=c_in, padding_mode="zeros", bias=False
        )
        self.bn1 = nn.BatchNorm2d(c_in)
        self.pointwise = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        x = nn.functional.relu(self.bn1(self.depthwise(x)))  # (N, c_in, H/stride, W/stride)
        return torch.relu(self.bn2(self.pointwise(x)))  # (N, c_out, H/stride, W/stride)


# %% ReLU6 at the end exercise="inverted" covers=[114]
# The last 1×1 convolution is a linear bottleneck: no activation behind bn3.
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        wide = factor * c_in
        self.expand = nn.Conv2d(c_in, wide, 1, bias=False) if factor > 1 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 1 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x):
        relu6, y = nn.functional.relu6, x
        if self.expand is not None:
            y = relu6(self.bn1(self.expand(y)))  # (N, factor·c_in, H, W)
        y = relu6(self.bn2(self.depthwise(y)))  # (N, factor·c_in, H/stride, W/stride)
        y = relu6(self.bn3(self.project(y)))  # (N, c_out, H/stride, W/stride)
        return x + y if self.shortcut else y


# %% ReLU behind the addition exercise="inverted" covers=[114]
# Nothing stands behind the addition: the thin ends stay linear.
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        wide = factor * c_in
        self.expand = nn.Conv2d(c_in, wide, 1, bias=False) if factor > 1 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 1 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x):
        relu6, y = nn.functional.relu6, x
        if self.expand is not None:
            y = relu6(self.bn1(self.expand(y)))  # (N, factor·c_in, H, W)
        y = relu6(self.bn2(self.depthwise(y)))  # (N, factor·c_in, H/stride, W/stride)
        y = self.bn3(self.project(y))  # (N, c_out, H/stride, W/stride)
        return torch.relu(x + y) if self.shortcut else y


# %% ReLU6 at the very end exercise="inverted" covers=[114]
# No activation stands behind bn3, nor behind the addition: the thin ends stay linear.
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        wide = factor * c_in
        self.expand = nn.Conv2d(c_in, wide, 1, bias=False) if factor > 1 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 1 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x):
        relu6, y = nn.functional.relu6, x
        if self.expand is not None:
            y = relu6(self.bn1(self.expand(y)))  # (N, factor·c_in, H, W)
        y = relu6(self.bn2(self.depthwise(y)))  # (N, factor·c_in, H/stride, W/stride)
        y = self.bn3(self.project(y))  # (N, c_out, H/stride, W/stride)
        return relu6(x + y if self.shortcut else y)


# %% ReLU instead of ReLU6 exercise="inverted"
# ReLU6 cuts at 6; yours has no upper bound.
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        wide = factor * c_in
        self.expand = nn.Conv2d(c_in, wide, 1, bias=False) if factor > 1 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 1 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x):
        relu6, y = nn.functional.relu, x
        if self.expand is not None:
            y = relu6(self.bn1(self.expand(y)))  # (N, factor·c_in, H, W)
        y = relu6(self.bn2(self.depthwise(y)))  # (N, factor·c_in, H/stride, W/stride)
        y = self.bn3(self.project(y))  # (N, c_out, H/stride, W/stride)
        return x + y if self.shortcut else y


# %% No shortcut exercise="inverted" covers=[96]
# Where stride and channels allow, the input is added.
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        wide = factor * c_in
        self.expand = nn.Conv2d(c_in, wide, 1, bias=False) if factor > 1 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 1 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x):
        relu6, y = nn.functional.relu6, x
        if self.expand is not None:
            y = relu6(self.bn1(self.expand(y)))  # (N, factor·c_in, H, W)
        y = relu6(self.bn2(self.depthwise(y)))  # (N, factor·c_in, H/stride, W/stride)
        y = self.bn3(self.project(y))  # (N, c_out, H/stride, W/stride)
        return y


# %% Shortcut at stride 2 exercise="inverted"
# With stride 2 there is no shortcut, however many channels there are.
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        wide = factor * c_in
        self.expand = nn.Conv2d(c_in, wide, 1, bias=False) if factor > 1 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 1 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.shortcut = c_in == c_out

    def forward(self, x):
        relu6, y = nn.functional.relu6, x
        if self.expand is not None:
            y = relu6(self.bn1(self.expand(y)))  # (N, factor·c_in, H, W)
        y = relu6(self.bn2(self.depthwise(y)))  # (N, factor·c_in, H/stride, W/stride)
        y = self.bn3(self.project(y))  # (N, c_out, H/stride, W/stride)
        return (
            x[:, :, :: -(-x.shape[2] // y.shape[2]), :: -(-x.shape[3] // y.shape[3])] + y
            if self.shortcut
            else y
        )


# %% Shortcut between other widths exercise="inverted"
# There is a shortcut only where the channels stay.
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        wide = factor * c_in
        self.expand = nn.Conv2d(c_in, wide, 1, bias=False) if factor > 1 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 1 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.shortcut = stride == 1
        self.narrow = min(c_in, c_out)

    def forward(self, x):
        relu6, y = nn.functional.relu6, x
        if self.expand is not None:
            y = relu6(self.bn1(self.expand(y)))  # (N, factor·c_in, H, W)
        y = relu6(self.bn2(self.depthwise(y)))  # (N, factor·c_in, H/stride, W/stride)
        y = self.bn3(self.project(y))  # (N, c_out, H/stride, W/stride)
        if self.shortcut:
            y = y.clone()
            y[:, : self.narrow] += x[:, : self.narrow]
        return y


# %% Groups forgotten exercise="inverted" covers=[113]
# The 3×3 convolution has one kernel a channel: groups.
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        wide = factor * c_in
        self.expand = nn.Conv2d(c_in, wide, 1, bias=False) if factor > 1 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 1 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x):
        relu6, y = nn.functional.relu6, x
        if self.expand is not None:
            y = relu6(self.bn1(self.expand(y)))  # (N, factor·c_in, H, W)
        y = relu6(self.bn2(self.depthwise(y)))  # (N, factor·c_in, H/stride, W/stride)
        y = self.bn3(self.project(y))  # (N, c_out, H/stride, W/stride)
        return x + y if self.shortcut else y


# %% Narrow inside exercise="inverted" covers=[107]
# Inverted: wide inside, narrow outside. You divided by the factor.
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        wide = max(1, c_in // factor)
        self.expand = nn.Conv2d(c_in, wide, 1, bias=False) if factor > 1 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 1 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x):
        relu6, y = nn.functional.relu6, x
        if self.expand is not None:
            y = relu6(self.bn1(self.expand(y)))  # (N, factor·c_in, H, W)
        y = relu6(self.bn2(self.depthwise(y)))  # (N, factor·c_in, H/stride, W/stride)
        y = self.bn3(self.project(y))  # (N, c_out, H/stride, W/stride)
        return x + y if self.shortcut else y


# %% Stride on the expansion exercise="inverted"
# The depthwise convolution has the stride.
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        wide = factor * c_in
        self.expand = nn.Conv2d(c_in, wide, 1, stride, bias=False) if factor > 1 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 1 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, 1, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x):
        relu6, y = nn.functional.relu6, x
        if self.expand is not None:
            y = relu6(self.bn1(self.expand(y)))  # (N, factor·c_in, H, W)
        y = relu6(self.bn2(self.depthwise(y)))  # (N, factor·c_in, H/stride, W/stride)
        y = self.bn3(self.project(y))  # (N, c_out, H/stride, W/stride)
        return x + y if self.shortcut else y


# %% Expansion with factor 1 exercise="inverted"
# With factor 1 there is nothing to widen: no expand, no bn1.
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        wide = factor * c_in
        self.expand = nn.Conv2d(c_in, wide, 1, bias=False) if factor > 0 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 0 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x):
        relu6, y = nn.functional.relu6, x
        if self.expand is not None:
            y = relu6(self.bn1(self.expand(y)))  # (N, factor·c_in, H, W)
        y = relu6(self.bn2(self.depthwise(y)))  # (N, factor·c_in, H/stride, W/stride)
        y = self.bn3(self.project(y))  # (N, c_out, H/stride, W/stride)
        return x + y if self.shortcut else y


# %% Input activated with factor 1 exercise="inverted"
# With factor 1 the ReLU6 behind the expansion goes too: the thin input must not be cut.
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        wide = factor * c_in
        self.expand = nn.Conv2d(c_in, wide, 1, bias=False) if factor > 1 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 1 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x):
        relu6, y = nn.functional.relu6, x
        y = relu6(
            self.bn1(self.expand(y)) if self.expand is not None else y
        )  # (N, factor·c_in, H, W)
        y = relu6(self.bn2(self.depthwise(y)))  # (N, factor·c_in, H/stride, W/stride)
        y = self.bn3(self.project(y))  # (N, c_out, H/stride, W/stride)
        return x + y if self.shortcut else y


# %% Second activation missing exercise="inverted"
# ReLU6 stands behind the depthwise convolution too.
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        wide = factor * c_in
        self.expand = nn.Conv2d(c_in, wide, 1, bias=False) if factor > 1 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 1 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x):
        relu6, y = nn.functional.relu6, x
        if self.expand is not None:
            y = relu6(self.bn1(self.expand(y)))  # (N, factor·c_in, H, W)
        y = self.bn2(self.depthwise(y))  # (N, factor·c_in, H/stride, W/stride)
        y = self.bn3(self.project(y))  # (N, c_out, H/stride, W/stride)
        return x + y if self.shortcut else y


# %% First activation missing exercise="inverted"
# ReLU6 stands behind the expansion.
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        wide = factor * c_in
        self.expand = nn.Conv2d(c_in, wide, 1, bias=False) if factor > 1 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 1 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x):
        relu6, y = nn.functional.relu6, x
        if self.expand is not None:
            y = self.bn1(self.expand(y))  # (N, factor·c_in, H, W)
        y = relu6(self.bn2(self.depthwise(y)))  # (N, factor·c_in, H/stride, W/stride)
        y = self.bn3(self.project(y))  # (N, c_out, H/stride, W/stride)
        return x + y if self.shortcut else y


# %% Shortcut detached exercise="inverted" covers=[104]
# You cut the gradient through the shortcut.
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        wide = factor * c_in
        self.expand = nn.Conv2d(c_in, wide, 1, bias=False) if factor > 1 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 1 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x):
        relu6, y = nn.functional.relu6, x
        if self.expand is not None:
            y = relu6(self.bn1(self.expand(y)))  # (N, factor·c_in, H, W)
        y = relu6(self.bn2(self.depthwise(y)))  # (N, factor·c_in, H/stride, W/stride)
        y = self.bn3(self.project(y))  # (N, c_out, H/stride, W/stride)
        return x.detach() + y if self.shortcut else y


# %% BatchNorm at the end missing exercise="inverted"
# Behind the projection stands a BatchNorm.
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        wide = factor * c_in
        self.expand = nn.Conv2d(c_in, wide, 1, bias=False) if factor > 1 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 1 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x):
        relu6, y = nn.functional.relu6, x
        if self.expand is not None:
            y = relu6(self.bn1(self.expand(y)))  # (N, factor·c_in, H, W)
        y = relu6(self.bn2(self.depthwise(y)))  # (N, factor·c_in, H/stride, W/stride)
        y = self.project(y)  # (N, c_out, H/stride, W/stride)
        return x + y if self.shortcut else y


# %% With clamp exercise="inverted" right=true
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        wide = factor * c_in
        self.expand = nn.Conv2d(c_in, wide, 1, bias=False) if factor > 1 else None
        self.bn1 = nn.BatchNorm2d(wide) if factor > 1 else None
        self.depthwise = nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.project = nn.Conv2d(wide, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.shortcut = stride == 1 and c_in == c_out

    def forward(self, x):
        relu6, y = (lambda t: t.clamp(0, 6)), x
        if self.expand is not None:
            y = relu6(self.bn1(self.expand(y)))  # (N, factor·c_in, H, W)
        y = relu6(self.bn2(self.depthwise(y)))  # (N, factor·c_in, H/stride, W/stride)
        y = self.bn3(self.project(y))  # (N, c_out, H/stride, W/stride)
        return y + x if self.shortcut else y


# %% Identity for the missing part exercise="inverted" right=true
class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, factor):
        super().__init__()
        m = c_in * factor
        self.factor, self.same = factor, (stride, c_in) == (1, c_out)
        if factor != 1:
            self.expand = nn.Conv2d(c_in, m, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(m)
        self.depthwise = nn.Conv2d(
            m, m, 3, stride=(stride, stride), padding=(1, 1), groups=m, bias=False
        )
        self.bn2 = nn.BatchNorm2d(m)
        self.project = nn.Conv2d(m, c_out, (1, 1), bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.act = nn.ReLU6(inplace=True)

    def forward(self, x):
        y = self.act(self.bn1(self.expand(x))) if self.factor != 1 else x
        y = self.bn3(self.project(self.act(self.bn2(self.depthwise(y)))))
        if self.same:
            y = y + x
        return y


# %% Stride in every block exercise="mobilenet" covers=[105]
# Only the first block of a row has the row's stride.
class MobileNetV2(nn.Module):
    def __init__(self, rows, stem=32, head=1280, num_classes=1000):
        super().__init__()
        first = nn.Conv2d(3, stem, 3, stride=2, padding=1, bias=False)
        self.stem = nn.Sequential(first, nn.BatchNorm2d(stem), nn.ReLU6())
        blocks, c_in = [], stem
        for factor, channels, count, stride in rows:
            for place in range(count):
                step = stride
                blocks.append(InvertedResidual(c_in, channels, step, factor))
                c_in = channels
        self.blocks = nn.Sequential(*blocks)
        last = nn.Conv2d(c_in, head, 1, bias=False)
        self.head = nn.Sequential(last, nn.BatchNorm2d(head), nn.ReLU6())
        self.classifier = nn.Linear(head, num_classes)

    def forward(self, x):
        x = self.head(self.blocks(self.stem(x)))  # (N, head, H/32, W/32) with the table's strides
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def mobilenet_v2(num_classes=1000):
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


# %% Channels not handed on exercise="mobilenet"
# Every block but the first of a row reads the row's own channels.
class MobileNetV2(nn.Module):
    def __init__(self, rows, stem=32, head=1280, num_classes=1000):
        super().__init__()
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

    def forward(self, x):
        x = self.head(self.blocks(self.stem(x)))  # (N, head, H/32, W/32) with the table's strides
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def mobilenet_v2(num_classes=1000):
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


# %% Stem without stride exercise="mobilenet"
# The stem's convolution has stride 2.
class MobileNetV2(nn.Module):
    def __init__(self, rows, stem=32, head=1280, num_classes=1000):
        super().__init__()
        first = nn.Conv2d(3, stem, 3, stride=1, padding=1, bias=False)
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

    def forward(self, x):
        x = self.head(self.blocks(self.stem(x)))  # (N, head, H/32, W/32) with the table's strides
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def mobilenet_v2(num_classes=1000):
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


# %% No head exercise="mobilenet"
# Before pooling a 1×1 convolution goes to 1280 channels, with BatchNorm and ReLU6.
class MobileNetV2(nn.Module):
    def __init__(self, rows, stem=32, head=1280, num_classes=1000):
        super().__init__()
        first = nn.Conv2d(3, stem, 3, stride=2, padding=1, bias=False)
        self.stem = nn.Sequential(first, nn.BatchNorm2d(stem), nn.ReLU6())
        blocks, c_in = [], stem
        for factor, channels, count, stride in rows:
            for place in range(count):
                step = 1 if place else stride
                blocks.append(InvertedResidual(c_in, channels, step, factor))
                c_in = channels
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Identity()
        self.classifier = nn.Linear(c_in, num_classes)

    def forward(self, x):
        x = self.head(self.blocks(self.stem(x)))  # (N, head, H/32, W/32) with the table's strides
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def mobilenet_v2(num_classes=1000):
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


# %% Head behind the pooling exercise="mobilenet"
# The head stands before the pooling: it sees the map.
class MobileNetV2(nn.Module):
    def __init__(self, rows, stem=32, head=1280, num_classes=1000):
        super().__init__()
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

    def forward(self, x):
        x = self.head(
            self.blocks(self.stem(x)).mean(dim=(2, 3), keepdim=True)
        )  # (N, head, H/32, W/32) with the table's strides
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def mobilenet_v2(num_classes=1000):
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


# %% Linear head exercise="mobilenet"
# The head's convolution is followed by BatchNorm and ReLU6; linear are the blocks' ends only.
class MobileNetV2(nn.Module):
    def __init__(self, rows, stem=32, head=1280, num_classes=1000):
        super().__init__()
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
        self.head = nn.Sequential(last, nn.BatchNorm2d(head))
        self.classifier = nn.Linear(head, num_classes)

    def forward(self, x):
        x = self.head(self.blocks(self.stem(x)))  # (N, head, H/32, W/32) with the table's strides
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def mobilenet_v2(num_classes=1000):
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


# %% Stem with ReLU exercise="mobilenet"
# The stem's activation is ReLU6.
class MobileNetV2(nn.Module):
    def __init__(self, rows, stem=32, head=1280, num_classes=1000):
        super().__init__()
        first = nn.Conv2d(3, stem, 3, stride=2, padding=1, bias=False)
        self.stem = nn.Sequential(first, nn.BatchNorm2d(stem), nn.ReLU())
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

    def forward(self, x):
        x = self.head(self.blocks(self.stem(x)))  # (N, head, H/32, W/32) with the table's strides
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def mobilenet_v2(num_classes=1000):
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


# %% Factor 6 in the first row exercise="mobilenet"
# The first row has factor 1.
class MobileNetV2(nn.Module):
    def __init__(self, rows, stem=32, head=1280, num_classes=1000):
        super().__init__()
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

    def forward(self, x):
        x = self.head(self.blocks(self.stem(x)))  # (N, head, H/32, W/32) with the table's strides
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def mobilenet_v2(num_classes=1000):
    rows = [
        (6, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ]
    return MobileNetV2(rows, num_classes=num_classes)


# %% Stride 2 in the row of 96 exercise="mobilenet"
# The row of 96 channels keeps the resolution.
class MobileNetV2(nn.Module):
    def __init__(self, rows, stem=32, head=1280, num_classes=1000):
        super().__init__()
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

    def forward(self, x):
        x = self.head(self.blocks(self.stem(x)))  # (N, head, H/32, W/32) with the table's strides
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def mobilenet_v2(num_classes=1000):
    rows = [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 2),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ]
    return MobileNetV2(rows, num_classes=num_classes)


# %% Classes ignored exercise="mobilenet"
# mobilenet_v2 should hand num_classes on.
class MobileNetV2(nn.Module):
    def __init__(self, rows, stem=32, head=1280, num_classes=1000):
        super().__init__()
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

    def forward(self, x):
        x = self.head(self.blocks(self.stem(x)))  # (N, head, H/32, W/32) with the table's strides
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def mobilenet_v2(num_classes=1000):
    rows = [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ]
    return MobileNetV2(rows)


# %% Biases exercise="mobilenet"
# BatchNorm follows: stem and head have no bias.
class MobileNetV2(nn.Module):
    def __init__(self, rows, stem=32, head=1280, num_classes=1000):
        super().__init__()
        first = nn.Conv2d(3, stem, 3, stride=2, padding=1)
        self.stem = nn.Sequential(first, nn.BatchNorm2d(stem), nn.ReLU6())
        blocks, c_in = [], stem
        for factor, channels, count, stride in rows:
            for place in range(count):
                step = 1 if place else stride
                blocks.append(InvertedResidual(c_in, channels, step, factor))
                c_in = channels
        self.blocks = nn.Sequential(*blocks)
        last = nn.Conv2d(c_in, head, 1)
        self.head = nn.Sequential(last, nn.BatchNorm2d(head), nn.ReLU6())
        self.classifier = nn.Linear(head, num_classes)

    def forward(self, x):
        x = self.head(self.blocks(self.stem(x)))  # (N, head, H/32, W/32) with the table's strides
        return self.classifier(x.mean(dim=(2, 3)))  # (N, num_classes)


def mobilenet_v2(num_classes=1000):
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


# %% Adaptive pooling and a list of blocks exercise="mobilenet" right=true
class MobileNetV2(nn.Module):
    def __init__(self, rows, stem=32, head=1280, num_classes=1000):
        super().__init__()
        first = nn.Conv2d(3, stem, 3, stride=2, padding=1, bias=False)
        self.stem = nn.Sequential(first, nn.BatchNorm2d(stem), nn.ReLU6())
        self.blocks, c_in = nn.Sequential(), stem
        for factor, channels, count, stride in rows:
            for place in range(count):
                step = 1 if place else stride
                self.blocks.append(InvertedResidual(c_in, channels, step, factor))
                c_in = channels
        last = nn.Conv2d(c_in, head, 1, bias=False)
        self.head = nn.Sequential(last, nn.BatchNorm2d(head), nn.ReLU6())
        self.classifier = nn.Linear(head, num_classes)

    def forward(self, x):
        x = self.head(self.blocks(self.stem(x)))  # (N, head, H/32, W/32) with the table's strides
        return self.classifier(
            nn.functional.adaptive_avg_pool2d(x, 1).flatten(1)
        )  # (N, num_classes)


def mobilenet_v2(num_classes=1000):
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


# %% All 17 exercise="q-mobilenet"
# A block has a shortcut only if its stride is 1 and its channels stay: the first of each row has
# none.
q_additions = 17
q_v2 = "inverted residuals with linear bottlenecks"


# %% Stride alone looked at exercise="q-mobilenet"
# The channels have to stay as well: a row's first block changes them.
q_additions = 13
q_v2 = "inverted residuals with linear bottlenecks"


# %% V1's idea exercise="q-mobilenet"
# Depthwise separable convolutions were MobileNetV1's. V2 added inverted residuals with linear
# bottlenecks.
q_additions = 10
q_v2 = "depthwise separable convolutions"


# %% Padded on both sides exercise="causal"
# Half of your padding stands behind the signal: every output looks into the future.
class CausalConv1d(nn.Module):
    def __init__(self, c_in, c_out, kernel, dilation=1):
        super().__init__()
        self.conv = nn.Conv1d(c_in, c_out, kernel, dilation=dilation)
        self.past = dilation * (kernel - 1)

    def forward(self, x):
        return self.conv(
            nn.functional.pad(x, (self.past // 2, self.past - self.past // 2))
        )  # (N, c_out, T)


# %% Padded on the right exercise="causal"
# The zeros belong before the beginning; yours stand behind the end.
class CausalConv1d(nn.Module):
    def __init__(self, c_in, c_out, kernel, dilation=1):
        super().__init__()
        self.conv = nn.Conv1d(c_in, c_out, kernel, dilation=dilation)
        self.past = dilation * (kernel - 1)

    def forward(self, x):
        return self.conv(nn.functional.pad(x, (0, self.past)))  # (N, c_out, T)


# %% Dilation left out of the padding exercise="causal" covers=[22]
# The kernel reaches back dilation · (kernel − 1) samples.
class CausalConv1d(nn.Module):
    def __init__(self, c_in, c_out, kernel, dilation=1):
        super().__init__()
        self.conv = nn.Conv1d(c_in, c_out, kernel, dilation=dilation)
        self.past = kernel - 1

    def forward(self, x):
        return self.conv(nn.functional.pad(x, (self.past, 0)))  # (N, c_out, T)


# %% One sample too late exercise="causal"
# You shut the present out: output t may use input t.
class CausalConv1d(nn.Module):
    def __init__(self, c_in, c_out, kernel, dilation=1):
        super().__init__()
        self.conv = nn.Conv1d(c_in, c_out, kernel, dilation=dilation)
        self.past = dilation * (kernel - 1) + 1

    def forward(self, x):
        return self.conv(nn.functional.pad(x, (self.past, 0)))[:, :, :-1]  # (N, c_out, T)


# %% Not dilated exercise="causal"
# The convolution ignores the dilation.
class CausalConv1d(nn.Module):
    def __init__(self, c_in, c_out, kernel, dilation=1):
        super().__init__()
        self.conv = nn.Conv1d(c_in, c_out, kernel)
        self.past = kernel - 1

    def forward(self, x):
        return self.conv(nn.functional.pad(x, (self.past, 0)))  # (N, c_out, T)


# %% Dilation as stride exercise="causal" covers=[21]
# A stride makes the output shorter; dilation spreads the taps.
class CausalConv1d(nn.Module):
    def __init__(self, c_in, c_out, kernel, dilation=1):
        super().__init__()
        self.conv = nn.Conv1d(c_in, c_out, kernel, stride=dilation)
        self.past = kernel - 1

    def forward(self, x):
        return self.conv(nn.functional.pad(x, (self.past, 0)))  # (N, c_out, T)


# %% Border repeated exercise="causal"
# Before the beginning lie zeros; you repeat the first sample.
class CausalConv1d(nn.Module):
    def __init__(self, c_in, c_out, kernel, dilation=1):
        super().__init__()
        self.conv = nn.Conv1d(c_in, c_out, kernel, dilation=dilation)
        self.past = dilation * (kernel - 1)

    def forward(self, x):
        return self.conv(nn.functional.pad(x, (self.past, 0), mode="replicate"))  # (N, c_out, T)


# %% No bias exercise="causal" covers=[8]
# The layer has a bias.
class CausalConv1d(nn.Module):
    def __init__(self, c_in, c_out, kernel, dilation=1):
        super().__init__()
        self.conv = nn.Conv1d(c_in, c_out, kernel, dilation=dilation, bias=False)
        self.past = dilation * (kernel - 1)

    def forward(self, x):
        return self.conv(nn.functional.pad(x, (self.past, 0)))  # (N, c_out, T)


# %% Padded by hand exercise="causal" right=true
class CausalConv1d(nn.Module):
    def __init__(self, c_in, c_out, kernel, dilation=1):
        super().__init__()
        self.conv = nn.Conv1d(c_in, c_out, kernel, dilation=dilation)
        self.past = dilation * (kernel - 1)

    def forward(self, x):
        return self.conv(
            torch.cat([x.new_zeros(*x.shape[:2], self.past), x], dim=2)
        )  # (N, c_out, T)


# %% Cut instead of padded on one side exercise="causal" right=true
class CausalConv1d(nn.Module):
    def __init__(self, c_in, c_out, kernel, dilation=1):
        super().__init__()
        self.conv = nn.Conv1d(c_in, c_out, kernel, dilation=dilation)
        self.gap = dilation
        self.past = dilation * (kernel - 1)

    def forward(self, x):
        y = self.conv(nn.functional.pad(x, (self.past, self.past)))
        return y[:, :, : x.shape[2]]  # (N, c_out, T)


# %% Stride kept exercise="atrous"
# The stride goes: every pixel gets an output.
def atrous(x, first, second):
    conv2d = nn.functional.conv2d
    y = torch.relu(conv2d(x, first, padding=1, stride=2))  # (N, C1, H, W)
    return conv2d(y, second, padding=2, dilation=2)  # (N, C2, H, W)


# %% Not dilated exercise="atrous"
# Without the stride the second layer's taps would meet other pixels: dilate it by 2.
def atrous(x, first, second):
    conv2d = nn.functional.conv2d
    y = torch.relu(conv2d(x, first, padding=1))  # (N, C1, H, W)
    return conv2d(y, second, padding=1)  # (N, C2, H, W)


# %% First layer dilated too exercise="atrous"
# The first layer reads the image as it did; the stride concerns the layers behind it.
def atrous(x, first, second):
    conv2d = nn.functional.conv2d
    y = torch.relu(conv2d(x, first, padding=2, dilation=2))  # (N, C1, H, W)
    return conv2d(y, second, padding=2, dilation=2)  # (N, C2, H, W)


# %% First layer dilated instead exercise="atrous"
# The stride stood in the first layer, so the layers behind it are dilated.
def atrous(x, first, second):
    conv2d = nn.functional.conv2d
    y = torch.relu(conv2d(x, first, padding=2, dilation=2))  # (N, C1, H, W)
    return conv2d(y, second, padding=1)  # (N, C2, H, W)


# %% ReLU missing exercise="atrous"
# A ReLU stands between the two layers.
def atrous(x, first, second):
    conv2d = nn.functional.conv2d
    y = conv2d(x, first, padding=1)  # (N, C1, H, W)
    return conv2d(y, second, padding=2, dilation=2)  # (N, C2, H, W)


# %% Padding 1 with dilation 2 exercise="atrous"
# A dilated 3×3 kernel covers 5 × 5 pixels: padding 2 keeps the size.
def atrous(x, first, second):
    conv2d = nn.functional.conv2d
    y = torch.relu(conv2d(x, first, padding=1))  # (N, C1, H, W)
    return conv2d(y, second, padding=1, dilation=2)  # (N, C2, H, W)


# %% Small map enlarged exercise="atrous"
# You enlarge the strided result: in between it repeats instead of computing.
def atrous(x, first, second):
    conv2d = nn.functional.conv2d
    y = conv2d(torch.relu(conv2d(x, first, padding=1, stride=2)), second, padding=1)
    y = y.repeat_interleave(2, 2).repeat_interleave(2, 3)
    return y[:, :, : x.shape[2], : x.shape[3]]  # (N, C2, H, W)


# %% Same padding exercise="atrous" right=true
def atrous(x, first, second):
    conv2d = nn.functional.conv2d
    y = torch.relu(conv2d(x, first, padding="same"))  # (N, C1, H, W)
    return conv2d(y, second, padding="same", dilation=2)  # (N, C2, H, W)


# %% Four strided passes interleaved exercise="atrous" right=true
def atrous(x, first, second):
    conv2d = nn.functional.conv2d
    y = conv2d(x, first, padding=1).relu()
    out = y.new_zeros(len(x), len(second), *x.shape[2:])
    for i in range(2):
        for j in range(2):
            out[:, :, i::2, j::2] = conv2d(y[:, :, i::2, j::2], second, padding=1)
    return out


# %% One stride taken out exercise="q-atrous"
# Two strides go, that of stage 3 and that of stage 4: 7 becomes 28.
q_side = 14
q_work = 16


# %% Only its own stride exercise="q-atrous"
# Before the last stage two strides are gone, so its maps have 16 times as many pixels.
q_side = 28
q_work = 4


# %% Work does not change exercise="q-atrous"
# The weights stay, but each is used once a pixel, and there are more pixels.
q_side = 28
q_work = 1


# %% Width linear exercise="q-compound"
# Each convolution reads twice the channels and puts out twice as many: four times the work.
q_deeper = 2
q_wider = 2
q_sharper = 4
q_sharper_parameters = 1


# %% Resolution linear exercise="q-compound"
# Twice the rows and twice the columns are four times the pixels.
q_deeper = 2
q_wider = 4
q_sharper = 2
q_sharper_parameters = 1


# %% Parameters grow with the image exercise="q-compound"
# Kernels are shared by all pixels: a larger image needs no new parameters.
q_deeper = 2
q_wider = 4
q_sharper = 4
q_sharper_parameters = 4


# %% Width not squared exercise="compound"
# Twice the width costs four times the work: width counts squared.
def compound(phi, alpha=1.2, beta=1.1, gamma=1.15):
    depth, width, resolution = alpha**phi, beta**phi, gamma**phi
    return depth, width, resolution, depth * width * resolution**2


# %% Resolution not squared exercise="compound"
# Twice the rows and columns are four times the pixels.
def compound(phi, alpha=1.2, beta=1.1, gamma=1.15):
    depth, width, resolution = alpha**phi, beta**phi, gamma**phi
    return depth, width, resolution, depth * width**2 * resolution


# %% Depth squared exercise="compound"
# Twice the layers cost twice the work.
def compound(phi, alpha=1.2, beta=1.1, gamma=1.15):
    depth, width, resolution = alpha**phi, beta**phi, gamma**phi
    return depth, width, resolution, depth**2 * width**2 * resolution**2


# %% Rates times phi exercise="compound"
# Rates are raised to the power phi, not multiplied by it.
def compound(phi, alpha=1.2, beta=1.1, gamma=1.15):
    depth, width, resolution = alpha * phi, beta * phi, gamma * phi
    return depth, width, resolution, depth * width**2 * resolution**2


# %% Exactly two exercise="compound"
# α β² γ² is 1.92, not 2, and other rates give other products.
def compound(phi, alpha=1.2, beta=1.1, gamma=1.15):
    depth, width, resolution = alpha**phi, beta**phi, gamma**phi
    return depth, width, resolution, 2.0**phi


# %% Depth and width exchanged exercise="compound"
# α is the rate of depth, β that of width.
def compound(phi, alpha=1.2, beta=1.1, gamma=1.15):
    depth, width, resolution = beta**phi, alpha**phi, gamma**phi
    return depth, width, resolution, depth * width**2 * resolution**2


# %% By the product of the rates exercise="compound" right=true
def compound(phi, alpha=1.2, beta=1.1, gamma=1.15):
    depth, width, resolution = alpha**phi, beta**phi, gamma**phi
    return depth, width, resolution, (alpha * beta * beta * gamma * gamma) ** phi


# %% Blocks rounded down exercise="scaled-stages"
# Blocks are rounded up.
def round_channels(channels, width):
    exact = channels * width
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * exact else rounded + 8


def scaled_stages(width, depth):
    return [
        (factor, kernel, stride, round_channels(channels, width), int(depth * blocks))
        for factor, kernel, stride, channels, blocks in b0_rows()
    ]


# %% Blocks rounded to the nearest exercise="scaled-stages"
# Blocks are rounded up.
def round_channels(channels, width):
    exact = channels * width
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * exact else rounded + 8


def scaled_stages(width, depth):
    return [
        (factor, kernel, stride, round_channels(channels, width), round(depth * blocks))
        for factor, kernel, stride, channels, blocks in b0_rows()
    ]


# %% Channels rounded down exercise="scaled-stages"
# Channels go to the nearest multiple of 8.
def round_channels(channels, width):
    exact = channels * width
    rounded = max(8, int(exact) // 8 * 8)
    return rounded if rounded >= 0.9 * exact else rounded + 8


def scaled_stages(width, depth):
    return [
        (factor, kernel, stride, round_channels(channels, width), math.ceil(depth * blocks))
        for factor, kernel, stride, channels, blocks in b0_rows()
    ]


# %% Channels rounded up exercise="scaled-stages"
# Channels go to the nearest multiple of 8, not always up.
def round_channels(channels, width):
    exact = channels * width
    rounded = max(8, math.ceil(exact / 8) * 8)
    return rounded if rounded >= 0.9 * exact else rounded + 8


def scaled_stages(width, depth):
    return [
        (factor, kernel, stride, round_channels(channels, width), math.ceil(depth * blocks))
        for factor, kernel, stride, channels, blocks in b0_rows()
    ]


# %% Without the ninety percent exercise="scaled-stages"
# Where rounding takes more than 10% away, the next multiple is taken.
def round_channels(channels, width):
    exact = channels * width
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded


def scaled_stages(width, depth):
    return [
        (factor, kernel, stride, round_channels(channels, width), math.ceil(depth * blocks))
        for factor, kernel, stride, channels, blocks in b0_rows()
    ]


# %% At least 8 forgotten exercise="scaled-stages"
# At least 8 channels remain.
def round_channels(channels, width):
    exact = channels * width
    rounded = int(exact + 4) // 8 * 8
    return rounded if rounded >= 0.9 * exact or not rounded else rounded + 8


def scaled_stages(width, depth):
    return [
        (factor, kernel, stride, round_channels(channels, width), math.ceil(depth * blocks))
        for factor, kernel, stride, channels, blocks in b0_rows()
    ]


# %% Depth and width exchanged exercise="scaled-stages"
# Channels are scaled by the width, blocks by the depth.
def round_channels(channels, width):
    exact = channels * width
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * exact else rounded + 8


def scaled_stages(width, depth):
    return [
        (factor, kernel, stride, round_channels(channels, depth), math.ceil(width * blocks))
        for factor, kernel, stride, channels, blocks in b0_rows()
    ]


# %% Halves to even exercise="scaled-stages"
# Python's round takes halves to the even neighbour: 44/8 = 5.5 gives 6, but 20/8 = 2.5 gives 2.
# Halves go up.
def round_channels(channels, width):
    exact = channels * width
    rounded = max(8, round(exact / 8) * 8)
    return rounded if rounded >= 0.9 * exact else rounded + 8


def scaled_stages(width, depth):
    return [
        (factor, kernel, stride, round_channels(channels, width), math.ceil(depth * blocks))
        for factor, kernel, stride, channels, blocks in b0_rows()
    ]


# %% With floor exercise="scaled-stages" right=true
def round_channels(channels, width):
    exact = channels * width
    rounded = max(8, 8 * math.floor(exact / 8 + 0.5))
    return rounded if rounded >= 0.9 * exact else rounded + 8


def scaled_stages(width, depth):
    return [
        (factor, kernel, stride, round_channels(channels, width), math.ceil(depth * blocks))
        for factor, kernel, stride, channels, blocks in b0_rows()
    ]


# %% With a loop exercise="scaled-stages" right=true
def round_channels(channels, width):
    exact = width * channels
    n = 8
    while n + 4 <= exact:
        n += 8
    if n < 0.9 * exact:
        n += 8
    return n


def scaled_stages(width, depth):
    rows = []
    for *kept, channels, blocks in b0_rows():
        rows.append([*kept, round_channels(channels, width), -int(-depth * blocks // 1)])
    return rows


# %% SE on the inner width exercise="efficientnet-parameters"
# SE's narrow part is a quarter of the block's input, not of its inner width.
def efficientnet_parameters(width, depth, num_classes=1000):
    c_in = round_channels(32, width)
    total = 27 * c_in + 2 * c_in
    for factor, kernel, _, c_out, blocks in scaled_stages(width, depth):
        for _ in range(blocks):
            wide, narrow = factor * c_in, factor * c_in // 4
            total += c_in * wide + 2 * wide if factor > 1 else 0
            total += kernel**2 * wide + 2 * wide
            total += 2 * wide * narrow + narrow + wide
            total += wide * c_out + 2 * c_out
            c_in = c_out
    head = round_channels(1280, width)
    return total + c_in * head + 2 * head + head * num_classes + num_classes


# %% SE without biases exercise="efficientnet-parameters" covers=[26]
# SE's two layers have biases.
def efficientnet_parameters(width, depth, num_classes=1000):
    c_in = round_channels(32, width)
    total = 27 * c_in + 2 * c_in
    for factor, kernel, _, c_out, blocks in scaled_stages(width, depth):
        for _ in range(blocks):
            wide, narrow = factor * c_in, c_in // 4
            total += c_in * wide + 2 * wide if factor > 1 else 0
            total += kernel**2 * wide + 2 * wide
            total += 2 * wide * narrow
            total += wide * c_out + 2 * c_out
            c_in = c_out
    head = round_channels(1280, width)
    return total + c_in * head + 2 * head + head * num_classes + num_classes


# %% No SE exercise="efficientnet-parameters"
# Each block holds an SE block.
def efficientnet_parameters(width, depth, num_classes=1000):
    c_in = round_channels(32, width)
    total = 27 * c_in + 2 * c_in
    for factor, kernel, _, c_out, blocks in scaled_stages(width, depth):
        for _ in range(blocks):
            wide, narrow = factor * c_in, c_in // 4
            total += c_in * wide + 2 * wide if factor > 1 else 0
            total += kernel**2 * wide + 2 * wide
            total += wide * c_out + 2 * c_out
            c_in = c_out
    head = round_channels(1280, width)
    return total + c_in * head + 2 * head + head * num_classes + num_classes


# %% Depthwise convolution full exercise="efficientnet-parameters" covers=[113]
# The K×K convolution is depthwise: one kernel a channel.
def efficientnet_parameters(width, depth, num_classes=1000):
    c_in = round_channels(32, width)
    total = 27 * c_in + 2 * c_in
    for factor, kernel, _, c_out, blocks in scaled_stages(width, depth):
        for _ in range(blocks):
            wide, narrow = factor * c_in, c_in // 4
            total += c_in * wide + 2 * wide if factor > 1 else 0
            total += kernel**2 * wide * wide + 2 * wide
            total += 2 * wide * narrow + narrow + wide
            total += wide * c_out + 2 * c_out
            c_in = c_out
    head = round_channels(1280, width)
    return total + c_in * head + 2 * head + head * num_classes + num_classes


# %% Expansion with factor 1 exercise="efficientnet-parameters"
# With factor 1 there is no expansion.
def efficientnet_parameters(width, depth, num_classes=1000):
    c_in = round_channels(32, width)
    total = 27 * c_in + 2 * c_in
    for factor, kernel, _, c_out, blocks in scaled_stages(width, depth):
        for _ in range(blocks):
            wide, narrow = factor * c_in, c_in // 4
            total += c_in * wide + 2 * wide
            total += kernel**2 * wide + 2 * wide
            total += 2 * wide * narrow + narrow + wide
            total += wide * c_out + 2 * c_out
            c_in = c_out
    head = round_channels(1280, width)
    return total + c_in * head + 2 * head + head * num_classes + num_classes


# %% Head not scaled exercise="efficientnet-parameters"
# The head's 1280 channels are scaled by the width too.
def efficientnet_parameters(width, depth, num_classes=1000):
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
    head = 1280
    return total + c_in * head + 2 * head + head * num_classes + num_classes


# %% Stem not scaled exercise="efficientnet-parameters"
# The stem's 32 channels are scaled by the width too.
def efficientnet_parameters(width, depth, num_classes=1000):
    c_in = 32
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


# %% Always 3×3 exercise="efficientnet-parameters"
# Some rows have 5×5 kernels.
def efficientnet_parameters(width, depth, num_classes=1000):
    c_in = round_channels(32, width)
    total = 27 * c_in + 2 * c_in
    for factor, kernel, _, c_out, blocks in scaled_stages(width, depth):
        for _ in range(blocks):
            wide, narrow = factor * c_in, c_in // 4
            total += c_in * wide + 2 * wide if factor > 1 else 0
            total += 9 * wide + 2 * wide
            total += 2 * wide * narrow + narrow + wide
            total += wide * c_out + 2 * c_out
            c_in = c_out
    head = round_channels(1280, width)
    return total + c_in * head + 2 * head + head * num_classes + num_classes


# %% Channels not handed on exercise="efficientnet-parameters"
# In a row's second and further blocks c_in is the row's channels.
def efficientnet_parameters(width, depth, num_classes=1000):
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


# %% Thousand classes always exercise="efficientnet-parameters"
# The number of classes is an argument.
def efficientnet_parameters(width, depth, num_classes=1000):
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
    return total + c_in * head + 2 * head + head * 1000 + 1000


# %% Buffers counted exercise="efficientnet-parameters" covers=[33]
# BatchNorm learns two numbers a channel; running statistics are buffers.
def efficientnet_parameters(width, depth, num_classes=1000):
    c_in = round_channels(32, width)
    total = 27 * c_in + 2 * c_in
    for factor, kernel, _, c_out, blocks in scaled_stages(width, depth):
        for _ in range(blocks):
            wide, narrow = factor * c_in, c_in // 4
            total += c_in * wide + 2 * wide if factor > 1 else 0
            total += kernel**2 * wide + 4 * wide
            total += 2 * wide * narrow + narrow + wide
            total += wide * c_out + 2 * c_out
            c_in = c_out
    head = round_channels(1280, width)
    return total + c_in * head + 2 * head + head * num_classes + num_classes


# %% With a function a block exercise="efficientnet-parameters" right=true
def efficientnet_parameters(width, depth, num_classes=1000):
    def block(c, m, n, k):
        s = c // 4
        expand = (c + 2) * m if m != c else 0
        return expand + (k * k + 2) * m + (m + 1) * s + (s + 1) * m + (m + 2) * n

    c = round_channels(32, width)
    head, total = round_channels(1280, width), 29 * c
    for f, k, _, n, count in scaled_stages(width, depth):
        total += block(c, f * c, n, k) + (count - 1) * block(n, f * n, n, k)
        c = n
    return total + (c + 2) * head + (head + 1) * num_classes


# %% Axes not exchanged exercise="to-patches"
# reshape alone cuts the tensor in memory order: your patches are strips of rows. The columns'
# axis has to move before the patch's rows.
def to_patches(images, patch):
    n, c, height, width = images.shape
    rows, columns = height // patch, width // patch
    cut = images.reshape(n, c, rows, patch, columns, patch)
    return cut.reshape(n, rows * columns, c * patch * patch)


# %% Channels last exercise="to-patches"
# Within a patch the channel comes first.
def to_patches(images, patch):
    n, c, height, width = images.shape
    rows, columns = height // patch, width // patch
    cut = images.reshape(n, c, rows, patch, columns, patch)
    cut = cut.permute(0, 2, 4, 3, 5, 1)  # (N, rows, columns, C, patch, patch)
    return cut.reshape(n, rows * columns, c * patch * patch)


# %% Patches column by column exercise="to-patches"
# Patches come in reading order, row by row.
def to_patches(images, patch):
    n, c, height, width = images.shape
    rows, columns = height // patch, width // patch
    cut = images.reshape(n, c, rows, patch, columns, patch)
    cut = cut.permute(0, 4, 2, 1, 3, 5)  # (N, rows, columns, C, patch, patch)
    return cut.reshape(n, rows * columns, c * patch * patch)


# %% Patches transposed exercise="to-patches"
# Within a patch rows come before columns.
def to_patches(images, patch):
    n, c, height, width = images.shape
    rows, columns = height // patch, width // patch
    cut = images.reshape(n, c, rows, patch, columns, patch)
    cut = cut.permute(0, 2, 4, 1, 5, 3)  # (N, rows, columns, C, patch, patch)
    return cut.reshape(n, rows * columns, c * patch * patch)


# %% Square images assumed exercise="to-patches" covers=[20]
# Rows and columns may differ.
def to_patches(images, patch):
    n, c, height, width = images.shape
    rows, columns = height // patch, height // patch
    cut = images.reshape(n, c, rows, patch, columns, patch)
    cut = cut.permute(0, 2, 4, 1, 3, 5)  # (N, rows, columns, C, patch, patch)
    return cut.reshape(n, rows * columns, c * patch * patch)


# %% With unfold exercise="to-patches" right=true
def to_patches(images, patch):
    return nn.functional.unfold(images, patch, stride=patch).transpose(1, 2)


# %% With slices exercise="to-patches" right=true
def to_patches(images, patch):
    height, width = images.shape[2:]
    corners = [(i, j) for i in range(0, height, patch) for j in range(0, width, patch)]
    return torch.stack(
        [images[:, :, i : i + patch, j : j + patch].flatten(1) for i, j in corners], 1
    )


# %% Stride 1 exercise="patch-embedding"
# Patches do not overlap: the stride is the patch.
class PatchEmbedding(nn.Module):
    def __init__(self, patch, width, channels=3):
        super().__init__()
        self.proj = nn.Conv2d(channels, width, patch, stride=1)

    def forward(self, x):
        x = self.proj(x)  # (N, width, H/patch, W/patch)
        return x.flatten(2).transpose(1, 2)  # (N, H/patch · W/patch, width)


# %% Channels first exercise="patch-embedding"
# Tokens stand in a list, each with its numbers: (N, L, D). You return (N, D, L).
class PatchEmbedding(nn.Module):
    def __init__(self, patch, width, channels=3):
        super().__init__()
        self.proj = nn.Conv2d(channels, width, patch, stride=patch)

    def forward(self, x):
        x = self.proj(x)  # (N, width, H/patch, W/patch)
        return x.flatten(2)  # (N, H/patch · W/patch, width)


# %% Reshaped instead of transposed exercise="patch-embedding"
# reshape does not exchange axes: your tokens are mixtures of different patches.
class PatchEmbedding(nn.Module):
    def __init__(self, patch, width, channels=3):
        super().__init__()
        self.proj = nn.Conv2d(channels, width, patch, stride=patch)

    def forward(self, x):
        x = self.proj(x)  # (N, width, H/patch, W/patch)
        return x.reshape(len(x), -1, x.shape[1])  # (N, H/patch · W/patch, width)


# %% No bias exercise="patch-embedding" covers=[8]
# The projection has a bias.
class PatchEmbedding(nn.Module):
    def __init__(self, patch, width, channels=3):
        super().__init__()
        self.proj = nn.Conv2d(channels, width, patch, stride=patch, bias=False)

    def forward(self, x):
        x = self.proj(x)  # (N, width, H/patch, W/patch)
        return x.flatten(2).transpose(1, 2)  # (N, H/patch · W/patch, width)


# %% Column by column exercise="patch-embedding"
# Tokens come in reading order, row by row.
class PatchEmbedding(nn.Module):
    def __init__(self, patch, width, channels=3):
        super().__init__()
        self.proj = nn.Conv2d(channels, width, patch, stride=patch)

    def forward(self, x):
        x = self.proj(x)  # (N, width, H/patch, W/patch)
        return x.transpose(2, 3).flatten(2).transpose(1, 2)  # (N, H/patch · W/patch, width)


# %% Three channels always exercise="patch-embedding"
# The number of channels is an argument.
class PatchEmbedding(nn.Module):
    def __init__(self, patch, width, channels=3):
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, stride=patch)

    def forward(self, x):
        x = self.proj(x)  # (N, width, H/patch, W/patch)
        return x.flatten(2).transpose(1, 2)  # (N, H/patch · W/patch, width)


# %% Permuted first exercise="patch-embedding" right=true
class PatchEmbedding(nn.Module):
    def __init__(self, patch, width, channels=3):
        super().__init__()
        self.proj = nn.Conv2d(channels, width, patch, stride=patch)

    def forward(self, x):
        x = self.proj(x)  # (N, width, H/patch, W/patch)
        return x.permute(0, 2, 3, 1).flatten(1, 2)  # (N, H/patch · W/patch, width)


# %% As a product with the patches exercise="patch-embedding" right=true
class PatchEmbedding(nn.Module):
    def __init__(self, patch, width, channels=3):
        super().__init__()
        self.patch = patch
        self.proj = nn.Conv2d(channels, width, patch, patch)

    def forward(self, x):
        patches = nn.functional.unfold(x, self.patch, stride=self.patch).transpose(1, 2)
        return patches @ self.proj.weight.flatten(1).T + self.proj.bias


# %% Softmax over the queries exercise="attention" covers=[58]
# Row i are token i's weights: the softmax goes over the keys, the last axis.
def attention(x, wq, wk, wv):
    q, k, v = x @ wq, x @ wk, x @ wv  # (N, L, d), (N, L, d), (N, L, e)
    scores = q @ k.transpose(1, 2) / math.sqrt(wq.shape[1])  # (N, L, L)
    return torch.softmax(scores, dim=1) @ v  # (N, L, e)


# %% Not scaled exercise="attention"
# Scores are divided by the square root of d.
def attention(x, wq, wk, wv):
    q, k, v = x @ wq, x @ wk, x @ wv  # (N, L, d), (N, L, d), (N, L, e)
    scores = q @ k.transpose(1, 2)  # (N, L, L)
    return torch.softmax(scores, dim=-1) @ v  # (N, L, e)


# %% Scaled by d exercise="attention"
# The square root of d, not d.
def attention(x, wq, wk, wv):
    q, k, v = x @ wq, x @ wk, x @ wv  # (N, L, d), (N, L, d), (N, L, e)
    scores = q @ k.transpose(1, 2) / wq.shape[1]  # (N, L, L)
    return torch.softmax(scores, dim=-1) @ v  # (N, L, e)


# %% Scaled by the tokens' width exercise="attention"
# d is the number of columns of wq, the length of a query.
def attention(x, wq, wk, wv):
    q, k, v = x @ wq, x @ wk, x @ wv  # (N, L, d), (N, L, d), (N, L, e)
    scores = q @ k.transpose(1, 2) / math.sqrt(wq.shape[0])  # (N, L, L)
    return torch.softmax(scores, dim=-1) @ v  # (N, L, e)


# %% Softmax without care exercise="attention" covers=[59]
# exp of large scores overflows. Subtract the largest score of each row first, or use
# torch.softmax.
def attention(x, wq, wk, wv):
    q, k, v = x @ wq, x @ wk, x @ wv  # (N, L, d), (N, L, d), (N, L, e)
    scores = q @ k.transpose(1, 2) / math.sqrt(wq.shape[1])  # (N, L, L)
    return (scores.exp() / scores.exp().sum(-1, keepdim=True)) @ v  # (N, L, e)


# %% Softmax over all scores exercise="attention"
# Each token has weights that sum to 1; yours sum to 1 over all pairs.
def attention(x, wq, wk, wv):
    q, k, v = x @ wq, x @ wk, x @ wv  # (N, L, d), (N, L, d), (N, L, e)
    scores = q @ k.transpose(1, 2) / math.sqrt(wq.shape[1])  # (N, L, L)
    return torch.softmax(scores.flatten(1), dim=-1).view_as(scores) @ v  # (N, L, e)


# %% Values left out exercise="attention"
# You average the tokens themselves. The average is over the values, X W_V.
def attention(x, wq, wk, wv):
    q, k, v = x @ wq, x @ wk, x @ wv  # (N, L, d), (N, L, d), (N, L, e)
    scores = q @ k.transpose(1, 2) / math.sqrt(wq.shape[1])  # (N, L, L)
    return torch.softmax(scores, dim=-1) @ x  # (N, L, e)


# %% Keys and queries exchanged exercise="attention"
# Token i compares its own query with all keys; yours compares its key with all queries.
def attention(x, wq, wk, wv):
    q, k, v = x @ wq, x @ wk, x @ wv  # (N, L, d), (N, L, d), (N, L, e)
    scores = k @ q.transpose(1, 2) / math.sqrt(wq.shape[1])  # (N, L, L)
    return torch.softmax(scores, dim=-1) @ v  # (N, L, e)


# %% Only the past exercise="attention"
# Each token looks at every token, also at those behind it.
def attention(x, wq, wk, wv):
    q, k, v = x @ wq, x @ wk, x @ wv  # (N, L, d), (N, L, d), (N, L, e)
    scores = q @ k.transpose(1, 2) / math.sqrt(wq.shape[1])
    scores = scores.masked_fill(torch.ones_like(scores).triu(1).bool(), -1e30)  # (N, L, L)
    return torch.softmax(scores, dim=-1) @ v  # (N, L, e)


# %% With PyTorch's own function exercise="attention" right=true
def attention(x, wq, wk, wv):
    q, k, v = x @ wq, x @ wk, x @ wv  # (N, L, d), (N, L, d), (N, L, e)
    return nn.functional.scaled_dot_product_attention(q, k, v)  # (N, L, e)


# %% With einsum, the maximum subtracted exercise="attention" right=true
def attention(x, wq, wk, wv):
    q, k, v = (torch.einsum("nld,de->nle", x, w) for w in (wq, wk, wv))
    scores = torch.einsum("nid,njd->nij", q, k) * wq.shape[1] ** -0.5
    weights = (scores - scores.amax(2, keepdim=True)).exp()
    return (weights / weights.sum(2, keepdim=True)).bmm(v)


# %% Position of the class token left out exercise="vit-parameters"
# The class token has a position too: L + 1.
def vit_parameters(image, patch, layers, width, hidden, classes=1000):
    tokens = (image // patch) ** 2
    embedding = width * (3 * patch**2 + 1) + width + tokens * width
    block = 4 * (width**2 + width) + 2 * width * hidden + hidden + width + 4 * width
    return embedding + layers * block + 2 * width + (width + 1) * classes


# %% Three projections exercise="vit-parameters"
# There are four linear layers in the attention: query, key, value and output.
def vit_parameters(image, patch, layers, width, hidden, classes=1000):
    tokens = (image // patch) ** 2 + 1
    embedding = width * (3 * patch**2 + 1) + width + tokens * width
    block = 3 * (width**2 + width) + 2 * width * hidden + hidden + width + 4 * width
    return embedding + layers * block + 2 * width + (width + 1) * classes


# %% Biases of attention left out exercise="vit-parameters" covers=[26]
# The four layers have biases.
def vit_parameters(image, patch, layers, width, hidden, classes=1000):
    tokens = (image // patch) ** 2 + 1
    embedding = width * (3 * patch**2 + 1) + width + tokens * width
    block = 4 * width**2 + 2 * width * hidden + hidden + width + 4 * width
    return embedding + layers * block + 2 * width + (width + 1) * classes


# %% One LayerNorm a block exercise="vit-parameters"
# Each block has two LayerNorms, 2D numbers each.
def vit_parameters(image, patch, layers, width, hidden, classes=1000):
    tokens = (image // patch) ** 2 + 1
    embedding = width * (3 * patch**2 + 1) + width + tokens * width
    block = 4 * (width**2 + width) + 2 * width * hidden + hidden + width + 2 * width
    return embedding + layers * block + 2 * width + (width + 1) * classes


# %% Last LayerNorm left out exercise="vit-parameters"
# A LayerNorm stands at the end.
def vit_parameters(image, patch, layers, width, hidden, classes=1000):
    tokens = (image // patch) ** 2 + 1
    embedding = width * (3 * patch**2 + 1) + width + tokens * width
    block = 4 * (width**2 + width) + 2 * width * hidden + hidden + width + 4 * width
    return embedding + layers * block + (width + 1) * classes


# %% Class token left out exercise="vit-parameters"
# The class token is learned: D numbers.
def vit_parameters(image, patch, layers, width, hidden, classes=1000):
    tokens = (image // patch) ** 2 + 1
    embedding = width * (3 * patch**2 + 1) + tokens * width
    block = 4 * (width**2 + width) + 2 * width * hidden + hidden + width + 4 * width
    return embedding + layers * block + 2 * width + (width + 1) * classes


# %% Patches not squared exercise="vit-parameters"
# An image has (image/p)² patches.
def vit_parameters(image, patch, layers, width, hidden, classes=1000):
    tokens = (image // patch) + 1
    embedding = width * (3 * patch**2 + 1) + width + tokens * width
    block = 4 * (width**2 + width) + 2 * width * hidden + hidden + width + 4 * width
    return embedding + layers * block + 2 * width + (width + 1) * classes


# %% One channel exercise="vit-parameters"
# Images have three channels.
def vit_parameters(image, patch, layers, width, hidden, classes=1000):
    tokens = (image // patch) ** 2 + 1
    embedding = width * (patch**2 + 1) + width + tokens * width
    block = 4 * (width**2 + width) + 2 * width * hidden + hidden + width + 4 * width
    return embedding + layers * block + 2 * width + (width + 1) * classes


# %% Part by part exercise="vit-parameters" right=true
def vit_parameters(image, patch, layers, width, hidden, classes=1000):
    def linear(a, b):
        return (a + 1) * b

    side = image // patch
    total = linear(3 * patch * patch, width) + width * (side * side + 2)
    for _ in range(layers):
        total += 4 * linear(width, width) + linear(width, hidden) + linear(hidden, width)
        total += 2 * 2 * width
    return total + 2 * width + linear(width, classes)


# %% The slide believed exercise="q-vit"
# One convolution at the start makes no CNN: all that follows is attention between all tokens and
# layers on single tokens.
q_share = 0.7
q_shuffle = "other numbers"
q_vit = "a"


# %% Receptive field of a patch exercise="q-vit"
# From the first block on every token sees the whole image.
q_share = 0.7
q_shuffle = "other numbers"
q_vit = "c"


# %% No convolution at all exercise="q-vit"
# Cutting and one linear layer are a convolution with kernel = stride = patch: you have just
# written it.
q_share = 0.7
q_shuffle = "other numbers"
q_vit = "d"


# %% A convolution that knows no places exercise="q-vit"
# A 3×3 convolution adds up neighbours, and shuffling gives every token other neighbours. Only
# attention and layers on single tokens do not notice.
q_share = 0.7
q_shuffle = "the same"
q_vit = "b"


# %% A fraction for percent exercise="q-vit"
# 0.7 percent, as a percentage.
q_share = 0.0068
q_shuffle = "other numbers"
q_vit = "b"


# %% Exactly exercise="q-vit" right=true
q_share = 100 * 590_592 / 86_567_656
q_shuffle = "other numbers"
q_vit = "b"


# %% Buffers among the parameters exercise="stored-numbers" covers=[33]
# state_dict holds both. Parameters are what is learned.
def stored_numbers(net):
    learned = sum(value.numel() for value in net.state_dict().values())
    running = sum(buffer.numel() for buffer in net.buffers() if buffer.is_floating_point())
    return learned, running


# %% The counter counted exercise="stored-numbers"
# num_batches_tracked is a whole number, and was to be left out.
def stored_numbers(net):
    learned = sum(parameter.numel() for parameter in net.parameters())
    running = sum(buffer.numel() for buffer in net.buffers())
    return learned, running


# %% Frozen parameters left out exercise="stored-numbers"
# A frozen parameter is stored as well.
def stored_numbers(net):
    learned = sum(parameter.numel() for parameter in net.parameters() if parameter.requires_grad)
    running = sum(buffer.numel() for buffer in net.buffers() if buffer.is_floating_point())
    return learned, running


# %% Tensors instead of numbers exercise="stored-numbers"
# You count tensors; count their numbers.
def stored_numbers(net):
    learned = sum(1 for parameter in net.parameters())
    running = sum(buffer.numel() for buffer in net.buffers() if buffer.is_floating_point())
    return learned, running


# %% Shared layers counted twice exercise="stored-numbers"
# A parameter that two modules share is stored once.
def stored_numbers(net):
    learned = sum(
        p.numel() for p in net.state_dict(keep_vars=True).values() if isinstance(p, nn.Parameter)
    )
    running = sum(buffer.numel() for buffer in net.buffers() if buffer.is_floating_point())
    return learned, running


# %% Top level only exercise="stored-numbers"
# Buffers of inner modules count too.
def stored_numbers(net):
    learned = sum(parameter.numel() for parameter in net.parameters())
    running = sum(
        buffer.numel() for buffer in net.buffers(recurse=False) if buffer.is_floating_point()
    )
    return learned, running


# %% From the state dict's storages exercise="stored-numbers" right=true
def stored_numbers(net):
    learned = {id(p): p.numel() for _, p in net.named_parameters(remove_duplicate=False)}
    floats = [b for name, b in net.named_buffers() if not name.endswith("num_batches_tracked")]
    return sum(learned.values()), sum(map(torch.numel, floats))


# %% Plausible ones listed exercise="storage-audit"
# You list the rows that are plausible; asked were the others.
def storage_audit(rows):
    wrong = []
    for name, numbers, printed in rows:
        weights = 4 * numbers / 2**20
        if weights - 1 <= printed <= weights + 3:
            wrong.append(name)
    return wrong


# %% Million bytes exercise="storage-audit"
# 1 MiB has 2^20 bytes.
def storage_audit(rows):
    wrong = []
    for name, numbers, printed in rows:
        weights = 4 * numbers / 1e6
        if not weights - 1 <= printed <= weights + 3:
            wrong.append(name)
    return wrong


# %% Eight bytes a number exercise="storage-audit"
# A float32 takes 4 bytes; you gave it 8.
def storage_audit(rows):
    wrong = []
    for name, numbers, printed in rows:
        weights = 8 * numbers / 2**20
        if not weights - 1 <= printed <= weights + 3:
            wrong.append(name)
    return wrong


# %% Too large not looked for exercise="storage-audit"
# A size that is more than 3 above is not plausible either.
def storage_audit(rows):
    wrong = []
    for name, numbers, printed in rows:
        weights = 4 * numbers / 2**20
        if not weights - 1 <= printed:
            wrong.append(name)
    return wrong


# %% Too small not looked for exercise="storage-audit"
# A size that is more than 1 below is not plausible either.
def storage_audit(rows):
    wrong = []
    for name, numbers, printed in rows:
        weights = 4 * numbers / 2**20
        if not printed <= weights + 3:
            wrong.append(name)
    return wrong


# %% Edges excluded exercise="storage-audit"
# 1 below and 3 above are still plausible.
def storage_audit(rows):
    wrong = []
    for name, numbers, printed in rows:
        weights = 4 * numbers / 2**20
        if not weights - 1 < printed < weights + 3:
            wrong.append(name)
    return wrong


# %% By per cent exercise="storage-audit"
# The limits are MB, not a share of the size.
def storage_audit(rows):
    wrong = []
    for name, numbers, printed in rows:
        weights = 4 * numbers / 2**20
        if not 0.9 * weights <= printed <= 1.1 * weights:
            wrong.append(name)
    return wrong


# %% Sorted exercise="storage-audit"
# The names come in the order of the rows.
def storage_audit(rows):
    wrong = []
    for name, numbers, printed in rows:
        weights = 4 * numbers / 2**20
        if not weights - 1 <= printed <= weights + 3:
            wrong.append(name)
    return sorted(wrong)


# %% As a comprehension exercise="storage-audit" right=true
def storage_audit(rows):
    return [name for name, n, s in rows if s - n / 2**18 < -1 or s - n / 2**18 > 3]


# %% Rounded ones named exercise="q-storage"
# 23.85 million round to 24 and 22.9 to 23: these are right. 25.6 and 44.7 were cut off.
q_truncated = ["InceptionV3", "Xception"]
q_bytes = 2


# %% Four bytes exercise="q-storage"
# 131.8 MB over 68.9 million numbers are not quite 2 bytes each: the file holds half precision.
q_truncated = ["ResNet50", "ResNet101"]
q_bytes = 4


# %% A set exercise="q-storage" right=true
q_truncated = {"ResNet101", "ResNet50"}
q_bytes = 2


# %% Best of each only exercise="pareto-front"
# You keep the most accurate and the cheapest model. The front has all that nobody dominates.
def pareto_front(models, costs):
    keep = {max(models, key=lambda m: m["top1"])["name"]} if models else set()
    keep |= {min(models, key=lambda m: m[cost])["name"] for cost in costs if models}
    return [m["name"] for m in models if m["name"] in keep]


# %% Equal models knocked out exercise="pareto-front"
# Two equal models do not dominate each other: to dominate one has to be better in something.
def pareto_front(models, costs):

    def dominates(b, a):
        no_worse = b["top1"] >= a["top1"] and all(b[cost] <= a[cost] for cost in costs)
        better = b["top1"] > a["top1"] or any(b[cost] < a[cost] for cost in costs)
        return no_worse and b is not a

    return [a["name"] for a in models if not any(dominates(b, a) for b in models)]


# %% Strictly better in everything exercise="pareto-front"
# To dominate it is enough to be better in one quantity and as good in the others.
def pareto_front(models, costs):

    def dominates(b, a):
        no_worse = b["top1"] > a["top1"] and all(b[cost] < a[cost] for cost in costs)
        better = b["top1"] > a["top1"] or any(b[cost] < a[cost] for cost in costs)
        return no_worse and better

    return [a["name"] for a in models if not any(dominates(b, a) for b in models)]


# %% Better in any cost exercise="pareto-front"
# A dominating model is no worse in *every* cost; yours in any.
def pareto_front(models, costs):

    def dominates(b, a):
        no_worse = b["top1"] >= a["top1"] and any(b[cost] <= a[cost] for cost in costs)
        better = b["top1"] > a["top1"] or any(b[cost] < a[cost] for cost in costs)
        return no_worse and better

    return [a["name"] for a in models if not any(dominates(b, a) for b in models)]


# %% Costs maximised exercise="pareto-front"
# Costs are better when they are low.
def pareto_front(models, costs):

    def dominates(b, a):
        no_worse = b["top1"] >= a["top1"] and all(b[cost] >= a[cost] for cost in costs)
        better = b["top1"] > a["top1"] or any(b[cost] > a[cost] for cost in costs)
        return no_worse and better

    return [a["name"] for a in models if not any(dominates(b, a) for b in models)]


# %% Only the first cost exercise="pareto-front"
# All costs count.
def pareto_front(models, costs):

    def dominates(b, a):
        no_worse = b["top1"] >= a["top1"] and all(b[cost] <= a[cost] for cost in costs[:1])
        better = b["top1"] > a["top1"] or any(b[cost] < a[cost] for cost in costs[:1])
        return no_worse and better

    return [a["name"] for a in models if not any(dominates(b, a) for b in models)]


# %% Sorted by cost exercise="pareto-front"
# The names come in the order of the list.
def pareto_front(models, costs):

    def dominates(b, a):
        no_worse = b["top1"] >= a["top1"] and all(b[cost] <= a[cost] for cost in costs)
        better = b["top1"] > a["top1"] or any(b[cost] < a[cost] for cost in costs)
        return no_worse and better

    return [
        a["name"]
        for a in sorted(models, key=lambda m: m[costs[0]])
        if not any(dominates(b, a) for b in models)
    ]


# %% The dominated ones exercise="pareto-front"
# You return the models that are dominated.
def pareto_front(models, costs):

    def dominates(b, a):
        no_worse = b["top1"] >= a["top1"] and all(b[cost] <= a[cost] for cost in costs)
        better = b["top1"] > a["top1"] or any(b[cost] < a[cost] for cost in costs)
        return no_worse and better

    return [a["name"] for a in models if any(dominates(b, a) for b in models)]


# %% Accuracy alone decides ties exercise="pareto-front"
# A model with the same accuracy and a lower cost dominates too.
def pareto_front(models, costs):

    def dominates(b, a):
        no_worse = b["top1"] >= a["top1"] and all(b[cost] <= a[cost] for cost in costs)
        better = b["top1"] > a["top1"]
        return no_worse and better

    return [a["name"] for a in models if not any(dominates(b, a) for b in models)]


# %% With NumPy exercise="pareto-front" right=true
def pareto_front(models, costs):
    names = []
    for a in models:
        mine = np.array([-a["top1"], *(a[c] for c in costs)])
        beaten = False
        for b in models:
            other = np.array([-b["top1"], *(b[c] for c in costs)])
            beaten = beaten or bool((other <= mine).all() and (other < mine).any())
        if not beaten:
            names.append(a["name"])
    return names


# %% Compared as tuples exercise="pareto-front" right=true
def pareto_front(models, costs):
    points = [(-m["top1"], *(m[cost] for cost in costs)) for m in models]

    def beaten(mine):
        return any(p != mine and all(x <= y for x, y in zip(p, mine)) for p in points)

    return tuple(m["name"] for m, point in zip(models, points) if not beaten(point))


# %% Cheapest instead of most accurate exercise="choose-model"
# Of the models within the budget the most accurate was asked, not the cheapest.
def choose_model(models, max_params=None, max_gmacs=None, max_mib=None):

    def fits(model):
        costs = (model["params"], model["gmacs"], 4 * model["params"] / 2**20)
        limits = (max_params, max_gmacs, max_mib)
        return all(limit is None or cost <= limit for cost, limit in zip(costs, limits))

    ranked = sorted(
        (model for model in models if fits(model)),
        key=lambda model: (model["gmacs"], -model["top1"], model["params"]),
    )
    return ranked[0]["name"] if ranked else None


# %% Below the limit only exercise="choose-model"
# A model that needs exactly the limit fits.
def choose_model(models, max_params=None, max_gmacs=None, max_mib=None):

    def fits(model):
        costs = (model["params"], model["gmacs"], 4 * model["params"] / 2**20)
        limits = (max_params, max_gmacs, max_mib)
        return all(limit is None or cost < limit for cost, limit in zip(costs, limits))

    ranked = sorted(
        (model for model in models if fits(model)),
        key=lambda model: (-model["top1"], model["gmacs"], model["params"]),
    )
    return ranked[0]["name"] if ranked else None


# %% One limit is enough exercise="choose-model"
# Every limit has to be kept.
def choose_model(models, max_params=None, max_gmacs=None, max_mib=None):

    def fits(model):
        costs = (model["params"], model["gmacs"], 4 * model["params"] / 2**20)
        limits = (max_params, max_gmacs, max_mib)
        return any(limit is None or cost <= limit for cost, limit in zip(costs, limits))

    ranked = sorted(
        (model for model in models if fits(model)),
        key=lambda model: (-model["top1"], model["gmacs"], model["params"]),
    )
    return ranked[0]["name"] if ranked else None


# %% A limit of zero ignored exercise="choose-model"
# A limit of 0 is a limit: nothing fits. Only None means no limit.
def choose_model(models, max_params=None, max_gmacs=None, max_mib=None):

    def fits(model):
        costs = (model["params"], model["gmacs"], 4 * model["params"] / 2**20)
        limits = (max_params, max_gmacs, max_mib)
        return all(not limit or cost <= limit for cost, limit in zip(costs, limits))

    ranked = sorted(
        (model for model in models if fits(model)),
        key=lambda model: (-model["top1"], model["gmacs"], model["params"]),
    )
    return ranked[0]["name"] if ranked else None


# %% Storage ignored exercise="choose-model"
# max_mib limits the size of the weights.
def choose_model(models, max_params=None, max_gmacs=None, max_mib=None):

    def fits(model):
        costs = (model["params"], model["gmacs"], 4 * model["params"] / 2**20)
        limits = (max_params, max_gmacs, None)
        return all(limit is None or cost <= limit for cost, limit in zip(costs, limits))

    ranked = sorted(
        (model for model in models if fits(model)),
        key=lambda model: (-model["top1"], model["gmacs"], model["params"]),
    )
    return ranked[0]["name"] if ranked else None


# %% Megabytes of a million exercise="choose-model"
# 1 MiB has 2^20 bytes.
def choose_model(models, max_params=None, max_gmacs=None, max_mib=None):

    def fits(model):
        costs = (model["params"], model["gmacs"], 4 * model["params"] / 10**6)
        limits = (max_params, max_gmacs, max_mib)
        return all(limit is None or cost <= limit for cost, limit in zip(costs, limits))

    ranked = sorted(
        (model for model in models if fits(model)),
        key=lambda model: (-model["top1"], model["gmacs"], model["params"]),
    )
    return ranked[0]["name"] if ranked else None


# %% A dict returned exercise="choose-model"
# The name was asked, not the whole entry.
def choose_model(models, max_params=None, max_gmacs=None, max_mib=None):

    def fits(model):
        costs = (model["params"], model["gmacs"], 4 * model["params"] / 2**20)
        limits = (max_params, max_gmacs, max_mib)
        return all(limit is None or cost <= limit for cost, limit in zip(costs, limits))

    ranked = sorted(
        (model for model in models if fits(model)),
        key=lambda model: (-model["top1"], model["gmacs"], model["params"]),
    )
    return ranked[0] if ranked else None


# %% Error without a model exercise="choose-model"
# If nothing fits the answer is None.
def choose_model(models, max_params=None, max_gmacs=None, max_mib=None):

    def fits(model):
        costs = (model["params"], model["gmacs"], 4 * model["params"] / 2**20)
        limits = (max_params, max_gmacs, max_mib)
        return all(limit is None or cost <= limit for cost, limit in zip(costs, limits))

    ranked = sorted(
        (model for model in models if fits(model)),
        key=lambda model: (-model["top1"], model["gmacs"], model["params"]),
    )
    return ranked[0]["name"]


# %% First of equals exercise="choose-model"
# Of equally accurate models the one with fewer GMACs is taken.
def choose_model(models, max_params=None, max_gmacs=None, max_mib=None):

    def fits(model):
        costs = (model["params"], model["gmacs"], 4 * model["params"] / 2**20)
        limits = (max_params, max_gmacs, max_mib)
        return all(limit is None or cost <= limit for cost, limit in zip(costs, limits))

    ranked = sorted(
        (model for model in models if fits(model)),
        key=lambda model: -model["top1"],
    )
    return ranked[0]["name"] if ranked else None


# %% Parameters before GMACs exercise="choose-model"
# GMACs decide first, then parameters.
def choose_model(models, max_params=None, max_gmacs=None, max_mib=None):

    def fits(model):
        costs = (model["params"], model["gmacs"], 4 * model["params"] / 2**20)
        limits = (max_params, max_gmacs, max_mib)
        return all(limit is None or cost <= limit for cost, limit in zip(costs, limits))

    ranked = sorted(
        (model for model in models if fits(model)),
        key=lambda model: (-model["top1"], model["params"], model["gmacs"]),
    )
    return ranked[0]["name"] if ranked else None


# %% With max exercise="choose-model" right=true
def choose_model(models, max_params=None, max_gmacs=None, max_mib=None):
    inf = math.inf
    p = inf if max_params is None else max_params
    g = inf if max_gmacs is None else max_gmacs
    s = inf if max_mib is None else max_mib * 2**18
    fitting = [m for m in models if m["params"] <= min(p, s) and m["gmacs"] <= g]
    best = max(fitting, key=lambda m: (m["top1"], -m["gmacs"], -m["params"]), default=None)
    return best and best["name"]


# %% Filtered step by step exercise="choose-model" right=true
def choose_model(models, max_params=None, max_gmacs=None, max_mib=None):
    for key, limit in (("params", max_params), ("gmacs", max_gmacs)):
        if limit is not None:
            models = [m for m in models if m[key] <= limit]
    if max_mib is not None:
        models = [m for m in models if m["params"] * 4 <= max_mib * 1024 * 1024]
    best = None
    for m in models:
        rank = (-m["top1"], m["gmacs"], m["params"])
        if best is None or rank < best[0]:
            best = rank, m["name"]
    return best[1] if best else None


# %% The advice followed exercise="q-rules"
# MobileNetV2 is cheaper than ResNet-50 and less accurate: it does not dominate.
q_dominator = "MobileNetV2"
q_recipe = 4.7


# %% More work exercise="q-rules"
# ConvNeXt-Tiny is more accurate and needs more of both.
q_dominator = "ConvNeXt-Tiny"
q_recipe = 4.7


# %% Depth for recipe exercise="q-rules"
# 2.2 points is what ResNet-152 gains. The same ResNet-50 gained 4.7 by its recipe.
q_dominator = "EfficientNet-B0"
q_recipe = 2.2


# %% Exactly exercise="q-rules" right=true
q_dominator = "EfficientNet-B0"
q_recipe = 80.858 - 76.130


# %% GoogLeNet for bigger exercise="q-line"
# VGG is the bigger network; GoogLeNet reached more with a twentieth of its parameters.
q_line = ["GoogLeNet", "VGG-16", "ResNet-152", "MobileNetV2"]
q_gap = ["DenseNet-121", "MobileNetV2", "SE-ResNet-50"]


# %% ViT among the pooled exercise="q-line"
# ViT reads its answer from the class token; its position embedding ties it to one image size.
q_line = ["VGG-16", "GoogLeNet", "ResNet-152", "MobileNetV2"]
q_gap = ["DenseNet-121", "MobileNetV2", "SE-ResNet-50", "ViT-B/16"]


# %% VGG among the pooled exercise="q-line"
# VGG-16 flattens its 7 × 7 map into three linear layers.
q_line = ["VGG-16", "GoogLeNet", "ResNet-152", "MobileNetV2"]
q_gap = ["DenseNet-121", "MobileNetV2", "SE-ResNet-50", "VGG-16"]


# %% DenseNet left out exercise="q-line"
# DenseNet ends in global average pooling and one linear layer: you built it so.
q_line = ["VGG-16", "GoogLeNet", "ResNet-152", "MobileNetV2"]
q_gap = ["MobileNetV2", "SE-ResNet-50"]


# %% A set and a tuple exercise="q-line" right=true
q_line = ("VGG-16", "GoogLeNet", "ResNet-152", "MobileNetV2")
q_gap = {"DenseNet-121", "MobileNetV2", "SE-ResNet-50"}


# %% [markdown]
# ## Mutants that do the same


# %% A mean over two axes has no order exercise="densenet" equivalent=true
# Rows and columns, or columns and rows.
# - return self.classifier(x.mean(dim=(2, 3)))
# + return self.classifier(x.mean(dim=(3, 2)))


# %% A mean over rows and columns has no order exercise="se-block" equivalent=true
# Rows and columns, or columns and rows.
# - squeezed = x.mean(dim=(2, 3))
# + squeezed = x.mean(dim=(3, 2))


# %% Groups divide the filters exercise="dense-weight" equivalent=true
# A grouped convolution has as many filters in each group, so nothing is rounded.
# - hand = filters // groups
# + hand = -(-filters // groups)


# %% Paths divide the width exercise="split-transform-sum" equivalent=true
# W = paths · d, and both weights have W rows.
# - conv2d, narrow = (nn.functional.conv2d, len(reduce) // paths)
# + conv2d, narrow = (nn.functional.conv2d, -(-len(reduce) // paths))
# + conv2d, narrow = (nn.functional.conv2d, len(spatial) // paths)


# %% No width comes near the upper end, and no number of paths tells one weight exercise="nearest-width" equivalent=true
# A width as large as the budget costs far more than the budget; with 256 channels, no number of paths
# has another nearest width for a budget of one weight more or less.
# - def nearest_width(paths, channels=256, budget=69632):
# + def nearest_width(paths, channels=256, budget=69633):
# + def nearest_width(paths, channels=256, budget=69631):
# - return min(range(1, budget + 1), key=lambda d: abs(paths * (2 * channels * d + 9 * d * d) - budget))
# + return min(range(1, budget + 1 + 1), key=lambda d: abs(paths * (2 * channels * d + 9 * d * d) - budget))
# + return min(range(1, budget + 2), key=lambda d: abs(paths * (2 * channels * d + 9 * d * d) - budget))
# + return min(range(1, budget + 1), key=lambda d: abs(budget - paths * (2 * channels * d + 9 * d * d)))


# %% Groups divide the channels exercise="resnet50-parameters" equivalent=true
# Nothing is rounded; a whole number is right as a float too.
# - return c_out * (c_in // groups) * side ** 2 + 2 * c_out
# + return c_out * -(-c_in // groups) * side ** 2 + 2 * c_out
# + return c_out * (c_in / groups) * side ** 2 + 2 * c_out


# %% No stride lies below 1 exercise="inverted" equivalent=true
# Strides are whole and positive.
# - self.shortcut = stride == 1 and c_in == c_out
# + self.shortcut = stride <= 1 and c_in == c_out


# %% Rows and columns in any order exercise="mobilenet" equivalent=true
# A mean over two axes has no order.
# - return self.classifier(x.mean(dim=(2, 3)))
# + return self.classifier(x.mean(dim=(3, 2)))


# %% A maximum and a product have no order, a whole number may be a float exercise="scaled-stages" equivalent=true
# A multiple of 8 is exactly 90% of the wish only for widths that nobody scales by, such as 1/9.
# - rounded = max(8, int(exact + 4) // 8 * 8)
# + rounded = max(int(exact + 4) // 8 * 8, 8)
# + rounded = max(8, (exact + 4) // 8 * 8)
# - return rounded if rounded >= 0.9 * exact else rounded + 8
# + return rounded if rounded > 0.9 * exact else rounded + 8
# - return [(factor, kernel, stride, round_channels(channels, width), math.ceil(depth * blocks)) for factor, kernel, stride, channels, blocks in b0_rows()]
# + return [(factor, kernel, stride, round_channels(width, channels), math.ceil(depth * blocks)) for factor, kernel, stride, channels, blocks in b0_rows()]


# %% Channels are multiples of 8, factors are 1 or 6 exercise="efficientnet-parameters" equivalent=true
# A quarter of them is whole; round_channels takes its two factors in any order.
# - c_in = round_channels(32, width)
# + c_in = round_channels(width, 32)
# - wide, narrow = (factor * c_in, c_in // 4)
# + wide, narrow = (factor * c_in, -(-c_in // 4))
# + wide, narrow = (factor * c_in, c_in / 4)
# - total += c_in * wide + 2 * wide if factor > 1 else 0
# + total += c_in * wide + 2 * wide if factor > 2 else 0
# - head = round_channels(1280, width)
# + head = round_channels(width, 1280)


# %% The patch divides the image exercise="to-patches" equivalent=true
# The task says so: nothing is rounded.
# - rows, columns = (height // patch, width // patch)
# + rows, columns = (-(-height // patch), width // patch)
# + rows, columns = (height // patch, -(-width // patch))


# %% Two axes exchanged, in either order exercise="patch-embedding" equivalent=true
# transpose(1, 2) is transpose(2, 1).
# - return x.flatten(2).transpose(1, 2)
# + return x.flatten(2).transpose(2, 1)


# %% Keys and queries are equally long exercise="attention" equivalent=true
# Their product needs it; and transpose(1, 2) is transpose(2, 1).
# - scores = q @ k.transpose(1, 2) / math.sqrt(wq.shape[1])
# + scores = q @ k.transpose(2, 1) / math.sqrt(wq.shape[1])
# + scores = q @ k.transpose(1, 2) / math.sqrt(wk.shape[1])


# %% Patches fill the image exercise="vit-parameters" equivalent=true
# The patch divides the image, and a whole number may be a float.
# - tokens = (image // patch) ** 2 + 1
# + tokens = (-(-image // patch)) ** 2 + 1
# + tokens = (image / patch) ** 2 + 1


# %% Two names in any order exercise="q-storage" equivalent=true
# A list or a set was asked.
# - q_truncated = ['ResNet50', 'ResNet101']
# + q_truncated = ['ResNet101', 'ResNet50']


# %% Names in any order exercise="q-line" equivalent=true
# A list or a set was asked.
# - q_gap = ['DenseNet-121', 'MobileNetV2', 'SE-ResNet-50']
# + q_gap = ['MobileNetV2', 'DenseNet-121', 'SE-ResNet-50']
# + q_gap = ['DenseNet-121', 'SE-ResNet-50', 'MobileNetV2']
