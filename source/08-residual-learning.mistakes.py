# %% [markdown]
# ## Plain nets


# %% Middle ReLU missing exercise="plain-block" covers=[100]
# There is no ReLU between the two convolutions of your block. Two linear layers with only
# BatchNorm between them are one linear layer.
class PlainBlock(nn.Module):
    """conv, BatchNorm, ReLU, conv, BatchNorm, ReLU: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = self.bn1(self.conv1(x))  # (N, c_out, OH, OW)
        return functional.relu(self.bn2(self.conv2(y)))  # (N, c_out, OH, OW)


# %% Final ReLU missing exercise="plain-block" covers=[99]
# The block's output can be negative: the ReLU after the last BatchNorm is missing.
class PlainBlock(nn.Module):
    """conv, BatchNorm, ReLU, conv, BatchNorm, ReLU: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        return self.bn2(self.conv2(y))  # (N, c_out, OH, OW)


# %% Stride on the second convolution exercise="plain-block" covers=[101]
# The second convolution has the stride. The first one halves the image, so that the second works
# on the small one.
class PlainBlock(nn.Module):
    """conv, BatchNorm, ReLU, conv, BatchNorm, ReLU: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        return functional.relu(self.bn2(self.conv2(y)))  # (N, c_out, OH, OW)


# %% Stride on both convolutions exercise="plain-block"
# Both convolutions have the stride, so the image shrinks twice. Only the first one has it.
class PlainBlock(nn.Module):
    """conv, BatchNorm, ReLU, conv, BatchNorm, ReLU: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        return functional.relu(self.bn2(self.conv2(y)))  # (N, c_out, OH, OW)


# %% Stride forgotten in the plain block exercise="plain-block"
# The stride is never used: the image keeps its size in every block.
class PlainBlock(nn.Module):
    """conv, BatchNorm, ReLU, conv, BatchNorm, ReLU: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        return functional.relu(self.bn2(self.conv2(y)))  # (N, c_out, OH, OW)


# %% One BatchNorm for both convolutions exercise="plain-block" covers=[109]
# One BatchNorm serves both convolutions. Each layer needs its own: other statistics, other γ and
# β.
class PlainBlock(nn.Module):
    """conv, BatchNorm, ReLU, conv, BatchNorm, ReLU: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = self.bn1

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        return functional.relu(self.bn2(self.conv2(y)))  # (N, c_out, OH, OW)


# %% Convolutions with a bias exercise="plain-block"
# Your convolutions have a bias. Before BatchNorm it does nothing: the mean removes it.
class PlainBlock(nn.Module):
    """conv, BatchNorm, ReLU, conv, BatchNorm, ReLU: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        return functional.relu(self.bn2(self.conv2(y)))  # (N, c_out, OH, OW)


# %% No padding in the plain block exercise="plain-block"
# Without padding each convolution eats a border of one pixel. A 3 × 3 kernel needs padding 1 to
# keep the size.
class PlainBlock(nn.Module):
    """conv, BatchNorm, ReLU, conv, BatchNorm, ReLU: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        return functional.relu(self.bn2(self.conv2(y)))  # (N, c_out, OH, OW)


# %% BatchNorm after the ReLU exercise="plain-block"
# You normalise after the ReLU. In this block BatchNorm follows the convolution directly, and ReLU
# comes last.
class PlainBlock(nn.Module):
    """conv, BatchNorm, ReLU, conv, BatchNorm, ReLU: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = self.bn1(functional.relu(self.conv1(x)))  # (N, c_out, OH, OW)
        return self.bn2(functional.relu(self.conv2(y)))  # (N, c_out, OH, OW)


# %% Batch statistics in evaluation exercise="plain-block" covers=[73]
# In evaluation mode your BatchNorm still normalises with the batch's own statistics, so an
# image's result depends on its neighbours.
class PlainBlock(nn.Module):
    """conv, BatchNorm, ReLU, conv, BatchNorm, ReLU: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out, track_running_stats=False)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out, track_running_stats=False)

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        return functional.relu(self.bn2(self.conv2(y)))  # (N, c_out, OH, OW)


# %% Gamma and beta missing exercise="plain-block" covers=[84]
# Your BatchNorm has no γ and β. They are learned, and a block needs them to scale its response.
class PlainBlock(nn.Module):
    """conv, BatchNorm, ReLU, conv, BatchNorm, ReLU: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out, affine=False)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out, affine=False)

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        return functional.relu(self.bn2(self.conv2(y)))  # (N, c_out, OH, OW)


# %% Plain block with ReLU modules exercise="plain-block" right=true
class PlainBlock(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.relu = nn.ReLU()
        self.bn2 = nn.BatchNorm2d(c_out)
        self.bn1 = nn.BatchNorm2d(num_features=c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, (3, 3), (1, 1), "same", bias=False)
        self.conv1 = nn.Conv2d(c_in, c_out, (3, 3), (stride, stride), (1, 1), bias=False)

    def forward(self, x):
        for conv, bn in ((self.conv1, self.bn1), (self.conv2, self.bn2)):
            x = self.relu(bn(conv(x)))
        return x


# %% Plain block with in-place ReLU exercise="plain-block" right=true
class PlainBlock(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, kernel_size=3, stride=1, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        out = self.bn1(self.conv1(x))
        out.relu_()
        return self.bn2(self.conv2(out)).clamp(min=0)


# %% Blocks in a plain list exercise="digit-net" covers=[108]
# Your blocks lie in a Python list: PyTorch does not see them, no optimizer trains them. Use
# nn.Sequential.
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        n, rest = divmod(depth - 2, 3 * span)
        if n < 1 or rest:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, c_in = [], width
        for stage in range(3):
            c_out = width * 2**stage
            for number in range(n):
                blocks.append(block(c_in, c_out, 2 if stage > 0 and number == 0 else 1))
                c_in = c_out
        self.blocks = blocks
        self.fc = nn.Linear(c_in, 10)
        he_init(self)

    def forward(self, x):
        x = functional.relu(self.bn(self.stem(x)))  # (N, width, H, W)
        for part in self.blocks:
            x = part(x)
        return self.fc(x.mean(dim=(2, 3)))  # (N, 10)


# %% Downsampling in every block of a stage exercise="digit-net" covers=[105]
# Every block of stages 2 and 3 halves the image. Only the first block of a stage does.
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        n, rest = divmod(depth - 2, 3 * span)
        if n < 1 or rest:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, c_in = [], width
        for stage in range(3):
            c_out = width * 2**stage
            for number in range(n):
                blocks.append(block(c_in, c_out, 2 if stage > 0 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(c_in, 10)
        he_init(self)

    def forward(self, x):
        x = functional.relu(self.bn(self.stem(x)))  # (N, width, H, W)
        x = self.blocks(x)  # (N, 4*width, ceil(H/4), ceil(W/4))
        return self.fc(x.mean(dim=(2, 3)))  # (N, 10)


# %% Stage 1 downsampled exercise="digit-net" covers=[106]
# Your first stage halves the image too. It works at the stem's resolution.
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        n, rest = divmod(depth - 2, 3 * span)
        if n < 1 or rest:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, c_in = [], width
        for stage in range(3):
            c_out = width * 2**stage
            for number in range(n):
                blocks.append(block(c_in, c_out, 2 if number == 0 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(c_in, 10)
        he_init(self)

    def forward(self, x):
        x = functional.relu(self.bn(self.stem(x)))  # (N, width, H, W)
        x = self.blocks(x)  # (N, 4*width, ceil(H/4), ceil(W/4))
        return self.fc(x.mean(dim=(2, 3)))  # (N, 10)


# %% Channels doubled in every block exercise="digit-net"
# The channels double in every block. They double once a stage, where the image is halved.
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        n, rest = divmod(depth - 2, 3 * span)
        if n < 1 or rest:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, c_in = [], width
        for stage in range(3):
            for number in range(n):
                c_out = c_in * 2 if stage > 0 else width
                blocks.append(block(c_in, c_out, 2 if stage > 0 and number == 0 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(c_in, 10)
        he_init(self)

    def forward(self, x):
        x = functional.relu(self.bn(self.stem(x)))  # (N, width, H, W)
        x = self.blocks(x)  # (N, 4*width, ceil(H/4), ceil(W/4))
        return self.fc(x.mean(dim=(2, 3)))  # (N, 10)


# %% Downsampling at the end of a stage exercise="digit-net"
# The last block of a stage halves the image. The first block of the next stage should.
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        n, rest = divmod(depth - 2, 3 * span)
        if n < 1 or rest:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, c_in = [], width
        for stage in range(3):
            c_out = width * 2**stage
            for number in range(n):
                blocks.append(block(c_in, c_out, 2 if stage < 2 and number == n - 1 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(c_in, 10)
        he_init(self)

    def forward(self, x):
        x = functional.relu(self.bn(self.stem(x)))  # (N, width, H, W)
        x = self.blocks(x)  # (N, 4*width, ceil(H/4), ceil(W/4))
        return self.fc(x.mean(dim=(2, 3)))  # (N, 10)


# %% Depth counted in blocks exercise="digit-net"
# You make too many blocks: the depth counts convolutions, and each block holds `span` of them.
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        n, rest = divmod(depth - 2, 3)
        if n < 1 or rest:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, c_in = [], width
        for stage in range(3):
            c_out = width * 2**stage
            for number in range(n):
                blocks.append(block(c_in, c_out, 2 if stage > 0 and number == 0 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(c_in, 10)
        he_init(self)

    def forward(self, x):
        x = functional.relu(self.bn(self.stem(x)))  # (N, width, H, W)
        x = self.blocks(x)  # (N, 4*width, ceil(H/4), ceil(W/4))
        return self.fc(x.mean(dim=(2, 3)))  # (N, 10)


# %% Span ignored exercise="digit-net"
# A block holds `span` convolutions, not always two: n = (depth − 2) / (3·span).
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        n, rest = divmod(depth - 2, 6)
        if n < 1 or rest:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, c_in = [], width
        for stage in range(3):
            c_out = width * 2**stage
            for number in range(n):
                blocks.append(block(c_in, c_out, 2 if stage > 0 and number == 0 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(c_in, 10)
        he_init(self)

    def forward(self, x):
        x = functional.relu(self.bn(self.stem(x)))  # (N, width, H, W)
        x = self.blocks(x)  # (N, 4*width, ceil(H/4), ceil(W/4))
        return self.fc(x.mean(dim=(2, 3)))  # (N, 10)


# %% Any depth accepted exercise="digit-net"
# A depth that is not 3·n·span + 2 should raise ValueError; you round it down silently.
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        n, rest = divmod(depth - 2, 3 * span)
        if n < 1:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, c_in = [], width
        for stage in range(3):
            c_out = width * 2**stage
            for number in range(n):
                blocks.append(block(c_in, c_out, 2 if stage > 0 and number == 0 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(c_in, 10)
        he_init(self)

    def forward(self, x):
        x = functional.relu(self.bn(self.stem(x)))  # (N, width, H, W)
        x = self.blocks(x)  # (N, 4*width, ceil(H/4), ceil(W/4))
        return self.fc(x.mean(dim=(2, 3)))  # (N, 10)


# %% Zero blocks accepted exercise="digit-net"
# Depth 2 would have no block at all, and negative depths are none: n must be at least 1.
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        n, rest = divmod(depth - 2, 3 * span)
        if rest:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, c_in = [], width
        for stage in range(3):
            c_out = width * 2**stage
            for number in range(n):
                blocks.append(block(c_in, c_out, 2 if stage > 0 and number == 0 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(c_in, 10)
        he_init(self)

    def forward(self, x):
        x = functional.relu(self.bn(self.stem(x)))  # (N, width, H, W)
        x = self.blocks(x)  # (N, 4*width, ceil(H/4), ceil(W/4))
        return self.fc(x.mean(dim=(2, 3)))  # (N, 10)


# %% ReLU after the stem missing exercise="digit-net"
# The ReLU behind the stem's BatchNorm is missing: the first block gets negative inputs.
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        n, rest = divmod(depth - 2, 3 * span)
        if n < 1 or rest:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, c_in = [], width
        for stage in range(3):
            c_out = width * 2**stage
            for number in range(n):
                blocks.append(block(c_in, c_out, 2 if stage > 0 and number == 0 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(c_in, 10)
        he_init(self)

    def forward(self, x):
        x = self.bn(self.stem(x))  # (N, width, H, W)
        x = self.blocks(x)  # (N, 4*width, ceil(H/4), ceil(W/4))
        return self.fc(x.mean(dim=(2, 3)))  # (N, 10)


# %% Maximum instead of the mean exercise="digit-net"
# You take the maximum of each map. Global average pooling takes the mean over all pixels.
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        n, rest = divmod(depth - 2, 3 * span)
        if n < 1 or rest:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, c_in = [], width
        for stage in range(3):
            c_out = width * 2**stage
            for number in range(n):
                blocks.append(block(c_in, c_out, 2 if stage > 0 and number == 0 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(c_in, 10)
        he_init(self)

    def forward(self, x):
        x = functional.relu(self.bn(self.stem(x)))  # (N, width, H, W)
        x = self.blocks(x)  # (N, 4*width, ceil(H/4), ceil(W/4))
        return self.fc(x.amax(dim=(2, 3)))  # (N, 10)


# %% Mean over channels exercise="digit-net" covers=[115]
# You average over the channels. The mean runs over rows and columns, one number a channel.
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        n, rest = divmod(depth - 2, 3 * span)
        if n < 1 or rest:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, c_in = [], width
        for stage in range(3):
            c_out = width * 2**stage
            for number in range(n):
                blocks.append(block(c_in, c_out, 2 if stage > 0 and number == 0 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.LazyLinear(10)
        self.fc(torch.zeros(1, c_in))
        he_init(self)

    def forward(self, x):
        x = functional.relu(self.bn(self.stem(x)))  # (N, width, H, W)
        x = self.blocks(x)  # (N, 4*width, ceil(H/4), ceil(W/4))
        return self.fc(x.mean(dim=1).flatten(1)[:, : self.fc.in_features])  # (N, 10)


# %% Initialisation forgotten exercise="digit-net"
# The convolutions keep PyTorch's default weights: call he_init(self) at the end of __init__.
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        n, rest = divmod(depth - 2, 3 * span)
        if n < 1 or rest:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, c_in = [], width
        for stage in range(3):
            c_out = width * 2**stage
            for number in range(n):
                blocks.append(block(c_in, c_out, 2 if stage > 0 and number == 0 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(c_in, 10)

    def forward(self, x):
        x = functional.relu(self.bn(self.stem(x)))  # (N, width, H, W)
        x = self.blocks(x)  # (N, 4*width, ceil(H/4), ceil(W/4))
        return self.fc(x.mean(dim=(2, 3)))  # (N, 10)


# %% Initialised before the blocks exist exercise="digit-net"
# he_init runs before the blocks exist, so it reaches the stem alone. Call it last.
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        n, rest = divmod(depth - 2, 3 * span)
        if n < 1 or rest:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        he_init(self)
        blocks, c_in = [], width
        for stage in range(3):
            c_out = width * 2**stage
            for number in range(n):
                blocks.append(block(c_in, c_out, 2 if stage > 0 and number == 0 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(c_in, 10)

    def forward(self, x):
        x = functional.relu(self.bn(self.stem(x)))  # (N, width, H, W)
        x = self.blocks(x)  # (N, 4*width, ceil(H/4), ceil(W/4))
        return self.fc(x.mean(dim=(2, 3)))  # (N, 10)


# %% Softmax in the network exercise="digit-net" covers=[57]
# Your net returns probabilities. Cross-entropy wants logits; a second softmax flattens the
# gradients.
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        n, rest = divmod(depth - 2, 3 * span)
        if n < 1 or rest:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, c_in = [], width
        for stage in range(3):
            c_out = width * 2**stage
            for number in range(n):
                blocks.append(block(c_in, c_out, 2 if stage > 0 and number == 0 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(c_in, 10)
        he_init(self)

    def forward(self, x):
        x = functional.relu(self.bn(self.stem(x)))  # (N, width, H, W)
        x = self.blocks(x)  # (N, 4*width, ceil(H/4), ceil(W/4))
        return self.fc(x.mean(dim=(2, 3))).softmax(dim=1)  # (N, 10)


# %% Stem and BatchNorm of the stem shared by no one exercise="digit-net"
# The stem's BatchNorm is made and never called.
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        n, rest = divmod(depth - 2, 3 * span)
        if n < 1 or rest:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, c_in = [], width
        for stage in range(3):
            c_out = width * 2**stage
            for number in range(n):
                blocks.append(block(c_in, c_out, 2 if stage > 0 and number == 0 else 1))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(c_in, 10)
        he_init(self)

    def forward(self, x):
        x = functional.relu(self.stem(x))  # (N, width, H, W)
        x = self.blocks(x)  # (N, 4*width, ceil(H/4), ceil(W/4))
        return self.fc(x.mean(dim=(2, 3)))  # (N, 10)


# %% Blocks in a ModuleList-like loop exercise="digit-net" right=true
class DigitNet(nn.Module):
    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        if depth < 2 + 3 * span or (depth - 2) % (3 * span) != 0:
            raise ValueError("impossible depth")
        n = (depth - 2) // (3 * span)
        self.stem = nn.Conv2d(1, width, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        plan = [(width, width, 1)] * n
        for c in (width, 2 * width):
            plan += [(c, 2 * c, 2)] + [(2 * c, 2 * c, 1)] * (n - 1)
        self.blocks = nn.Sequential()
        for c_in, c_out, stride in plan:
            self.blocks.append(block(c_in, c_out, stride))
        self.fc = nn.Linear(4 * width, 10)
        he_init(self)

    def forward(self, x):
        x = self.bn(self.stem(x)).relu()
        for block in self.blocks:
            x = block(x)
        return self.fc(functional.adaptive_avg_pool2d(x, 1).flatten(1))


# %% Global pooling by two means exercise="digit-net" right=true
class DigitNet(nn.Module):
    """A stem, three stages of equal blocks, global average pooling and a linear layer.

    (N, 1, H, W) to logits (N, 10). `depth` counts convolutions and the linear layer; every
    block(c_in, c_out, stride) holds `span` convolutions. Raises ValueError for an impossible depth.
    """

    def __init__(self, depth, block, width=8, span=2):
        super().__init__()
        n, rest = divmod(depth - 2, 3 * span)
        if n < 1 or rest:
            raise ValueError(f"no depth: {depth} is not 3·n·{span} + 2")
        self.stem = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        blocks, c_in = [], width
        for stage in range(3):
            c_out = width * 2**stage
            for number in range(n):
                blocks.append(block(c_in, c_out, stride=1 + (stage > 0 and number == 0)))
                c_in = c_out
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(c_in, 10)
        he_init(self)

    def forward(self, x):
        x = functional.relu(self.bn(self.stem(x)))  # (N, width, H, W)
        x = self.blocks(x)  # (N, 4*width, ceil(H/4), ceil(W/4))
        return self.fc(x.mean(3).mean(2))  # (N, 10)


# %% [markdown]
# ## The experiment


# %% Gradients not cleared exercise="train-epoch" covers=[62]
# You never clear the gradients, so each step uses the sum over all batches so far. zero_grad
# comes before every backward.
def train_epoch(net, x, y, optimizer, order, batch_size=64):
    """Train net for one epoch on x (N, C, H, W), y (N,), batches in `order` (N,); returns the mean loss."""
    net.train()
    total = 0.0
    for batch in order.split(batch_size):
        loss = functional.cross_entropy(net(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(order)


# %% Gradients cleared once an epoch exercise="train-epoch" covers=[62]
# You clear the gradients once an epoch. They add up within it: clear them for each batch.
def train_epoch(net, x, y, optimizer, order, batch_size=64):
    """Train net for one epoch on x (N, C, H, W), y (N,), batches in `order` (N,); returns the mean loss."""
    net.train()
    total = 0.0
    optimizer.zero_grad()
    for batch in order.split(batch_size):
        loss = functional.cross_entropy(net(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(order)


# %% Training mode forgotten exercise="train-epoch"
# The net trains in the mode it came in. A net that was just evaluated would then never update its
# statistics: call net.train().
def train_epoch(net, x, y, optimizer, order, batch_size=64):
    """Train net for one epoch on x (N, C, H, W), y (N,), batches in `order` (N,); returns the mean loss."""
    total = 0.0
    for batch in order.split(batch_size):
        loss = functional.cross_entropy(net(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(order)


# %% Mean over batches exercise="train-epoch"
# You average over batches, so a small last batch counts as much as a full one. Weight each with
# its number of images.
def train_epoch(net, x, y, optimizer, order, batch_size=64):
    """Train net for one epoch on x (N, C, H, W), y (N,), batches in `order` (N,); returns the mean loss."""
    net.train()
    total = 0.0
    for batch in order.split(batch_size):
        loss = functional.cross_entropy(net(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(order.split(batch_size))


# %% Order ignored exercise="train-epoch"
# The batches come in the data's own order. `order` holds the numbers of the images: x[order[…]].
def train_epoch(net, x, y, optimizer, order, batch_size=64):
    """Train net for one epoch on x (N, C, H, W), y (N,), batches in `order` (N,); returns the mean loss."""
    net.train()
    total = 0.0
    for batch in torch.arange(len(order)).split(batch_size):
        loss = functional.cross_entropy(net(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(order)


# %% Last batch dropped exercise="train-epoch"
# The last, smaller batch is left out. Every image is seen once an epoch.
def train_epoch(net, x, y, optimizer, order, batch_size=64):
    """Train net for one epoch on x (N, C, H, W), y (N,), batches in `order` (N,); returns the mean loss."""
    net.train()
    total = 0.0
    for batch in order[: len(order) // batch_size * batch_size].split(batch_size):
        loss = functional.cross_entropy(net(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(order)


# %% Labels not shuffled along exercise="train-epoch"
# Images are shuffled, labels are not: the net learns other images' labels.
def train_epoch(net, x, y, optimizer, order, batch_size=64):
    """Train net for one epoch on x (N, C, H, W), y (N,), batches in `order` (N,); returns the mean loss."""
    net.train()
    total = 0.0
    for batch in order.split(batch_size):
        loss = functional.cross_entropy(net(x[batch]), y[: len(batch)])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(order)


# %% Loss as a tensor exercise="train-epoch"
# You return a tensor that still hangs on its graph. Add loss.item(), a plain number.
def train_epoch(net, x, y, optimizer, order, batch_size=64):
    """Train net for one epoch on x (N, C, H, W), y (N,), batches in `order` (N,); returns the mean loss."""
    net.train()
    total = 0.0
    for batch in order.split(batch_size):
        loss = functional.cross_entropy(net(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total = total + loss * len(batch)
    return total / len(order)


# %% Loss of the last batch exercise="train-epoch"
# You return the loss of the last batch alone. The mean over all images of the epoch is asked.
def train_epoch(net, x, y, optimizer, order, batch_size=64):
    """Train net for one epoch on x (N, C, H, W), y (N,), batches in `order` (N,); returns the mean loss."""
    net.train()
    total = 0.0
    for batch in order.split(batch_size):
        loss = functional.cross_entropy(net(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return loss.item()


# %% Batch size fixed exercise="train-epoch"
# Your batches have always 64 images: use batch_size.
def train_epoch(net, x, y, optimizer, order, batch_size=64):
    """Train net for one epoch on x (N, C, H, W), y (N,), batches in `order` (N,); returns the mean loss."""
    net.train()
    total = 0.0
    for batch in order.split(64):
        loss = functional.cross_entropy(net(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(order)


# %% Step before the gradient exercise="train-epoch"
# The optimizer steps before backward has run, with the gradients of the batch before.
def train_epoch(net, x, y, optimizer, order, batch_size=64):
    """Train net for one epoch on x (N, C, H, W), y (N,), batches in `order` (N,); returns the mean loss."""
    net.train()
    total = 0.0
    for batch in order.split(batch_size):
        loss = functional.cross_entropy(net(x[batch]), y[batch])
        optimizer.step()
        optimizer.zero_grad()
        loss.backward()
        total += loss.item() * len(batch)
    return total / len(order)


# %% Loss measured after the step exercise="train-epoch"
# You measure a batch's loss again after the step. Asked is the loss with which it was seen,
# before the step.
def train_epoch(net, x, y, optimizer, order, batch_size=64):
    """Train net for one epoch on x (N, C, H, W), y (N,), batches in `order` (N,); returns the mean loss."""
    net.train()
    total = 0.0
    for batch in order.split(batch_size):
        loss = functional.cross_entropy(net(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            total += functional.cross_entropy(net(x[batch]), y[batch]).item() * len(batch)
    return total / len(order)


# %% Summed loss exercise="train-epoch" covers=[61]
# You train on the sum over the batch. The gradient of the mean is asked; the sum makes steps 64
# times as large.
def train_epoch(net, x, y, optimizer, order, batch_size=64):
    """Train net for one epoch on x (N, C, H, W), y (N,), batches in `order` (N,); returns the mean loss."""
    net.train()
    total = 0.0
    for batch in order.split(batch_size):
        loss = functional.cross_entropy(net(x[batch]), y[batch], reduction="sum")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(order)


# %% Batches by slices exercise="train-epoch" right=true
def train_epoch(net, x, y, optimizer, order, batch_size=64):
    net.train()
    criterion = nn.CrossEntropyLoss()
    losses = torch.zeros(len(order), dtype=torch.float64)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        net.zero_grad(set_to_none=False)
        loss = criterion(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses[start : start + batch_size] = loss.detach()
    return float(losses.mean())


# %% Shuffled copies first exercise="train-epoch" right=true
def train_epoch(net, x, y, optimizer, order, batch_size=64):
    net.train(True)
    pairs = zip(x[order].split(batch_size), y[order].split(batch_size))
    total = 0
    for images, digits in pairs:
        optimizer.zero_grad()
        each = functional.cross_entropy(net(images), digits, reduction="none")
        each.mean().backward()
        optimizer.step()
        total += each.sum().item()
    return total / len(y)


# %% Evaluated in training mode exercise="evaluate" covers=[73, 79]
# You measure in the mode the net came in. In training mode BatchNorm uses the batch and dropout
# throws dice: switch to evaluation.
def evaluate(net, x, y):
    """Mean cross-entropy and error (share wrong) of net on x (N, C, H, W), y (N,): two floats."""
    was_training = net.training
    with torch.no_grad():
        logits = net(x)  # (N, classes)
    net.train(was_training)
    loss = functional.cross_entropy(logits, y)
    error = (logits.argmax(dim=1) != y).double().mean()
    return loss.item(), error.item()


# %% Running statistics moved exercise="evaluate" covers=[79]
# Your measurement runs in training mode and moves the running statistics. Evaluation leaves no
# trace.
def evaluate(net, x, y):
    """Mean cross-entropy and error (share wrong) of net on x (N, C, H, W), y (N,): two floats."""
    was_training = net.training
    net.train()
    with torch.no_grad():
        logits = net(x)  # (N, classes)
    net.train(was_training)
    loss = functional.cross_entropy(logits, y)
    error = (logits.argmax(dim=1) != y).double().mean()
    return loss.item(), error.item()


# %% Mode not given back exercise="evaluate" covers=[142]
# The net stays in evaluation mode. Give it back in the mode in which it came.
def evaluate(net, x, y):
    """Mean cross-entropy and error (share wrong) of net on x (N, C, H, W), y (N,): two floats."""
    was_training = net.training
    net.eval()
    with torch.no_grad():
        logits = net(x)  # (N, classes)
    loss = functional.cross_entropy(logits, y)
    error = (logits.argmax(dim=1) != y).double().mean()
    return loss.item(), error.item()


# %% Always back to training mode exercise="evaluate"
# You put the net into training mode at the end, also if it came in evaluation mode.
def evaluate(net, x, y):
    """Mean cross-entropy and error (share wrong) of net on x (N, C, H, W), y (N,): two floats."""
    was_training = net.training
    net.eval()
    with torch.no_grad():
        logits = net(x)  # (N, classes)
    net.train()
    loss = functional.cross_entropy(logits, y)
    error = (logits.argmax(dim=1) != y).double().mean()
    return loss.item(), error.item()


# %% Accuracy instead of error exercise="evaluate"
# You return the share of right answers. The error is the share of wrong ones.
def evaluate(net, x, y):
    """Mean cross-entropy and error (share wrong) of net on x (N, C, H, W), y (N,): two floats."""
    was_training = net.training
    net.eval()
    with torch.no_grad():
        logits = net(x)  # (N, classes)
    net.train(was_training)
    loss = functional.cross_entropy(logits, y)
    error = (logits.argmax(dim=1) == y).double().mean()
    return loss.item(), error.item()


# %% Number of wrong images exercise="evaluate"
# You return how many images are wrong. A share is asked: divide by their number.
def evaluate(net, x, y):
    """Mean cross-entropy and error (share wrong) of net on x (N, C, H, W), y (N,): two floats."""
    was_training = net.training
    net.eval()
    with torch.no_grad():
        logits = net(x)  # (N, classes)
    net.train(was_training)
    loss = functional.cross_entropy(logits, y)
    error = (logits.argmax(dim=1) != y).double().sum()
    return loss.item(), error.item()


# %% Error in percent exercise="evaluate"
# You return percent. A share between 0 and 1 is asked.
def evaluate(net, x, y):
    """Mean cross-entropy and error (share wrong) of net on x (N, C, H, W), y (N,): two floats."""
    was_training = net.training
    net.eval()
    with torch.no_grad():
        logits = net(x)  # (N, classes)
    net.train(was_training)
    loss = functional.cross_entropy(logits, y)
    error = (logits.argmax(dim=1) != y).double().mean()
    return loss.item(), 100 * error.item()


# %% Summed cross-entropy exercise="evaluate" covers=[61]
# You add the losses up. Their mean is asked, so that sets of different sizes can be compared.
def evaluate(net, x, y):
    """Mean cross-entropy and error (share wrong) of net on x (N, C, H, W), y (N,): two floats."""
    was_training = net.training
    net.eval()
    with torch.no_grad():
        logits = net(x)  # (N, classes)
    net.train(was_training)
    loss = functional.cross_entropy(logits, y, reduction="sum")
    error = (logits.argmax(dim=1) != y).double().mean()
    return loss.item(), error.item()


# %% Softmax before the cross-entropy exercise="evaluate" covers=[57]
# cross_entropy takes logits and does the softmax itself; you apply it twice.
def evaluate(net, x, y):
    """Mean cross-entropy and error (share wrong) of net on x (N, C, H, W), y (N,): two floats."""
    was_training = net.training
    net.eval()
    with torch.no_grad():
        logits = net(x)  # (N, classes)
    net.train(was_training)
    loss = functional.cross_entropy(logits.softmax(dim=1), y)
    error = (logits.argmax(dim=1) != y).double().mean()
    return loss.item(), error.item()


# %% Tensors returned exercise="evaluate"
# Two floats are asked; you return tensors. Use .item().
def evaluate(net, x, y):
    """Mean cross-entropy and error (share wrong) of net on x (N, C, H, W), y (N,): two floats."""
    was_training = net.training
    net.eval()
    with torch.no_grad():
        logits = net(x)  # (N, classes)
    net.train(was_training)
    loss = functional.cross_entropy(logits, y)
    error = (logits.argmax(dim=1) != y).double().mean()
    return loss, error


# %% Argmax over the batch exercise="evaluate"
# The argmax runs over images. Each image's answer is its largest logit: dim=1.
def evaluate(net, x, y):
    """Mean cross-entropy and error (share wrong) of net on x (N, C, H, W), y (N,): two floats."""
    was_training = net.training
    net.eval()
    with torch.no_grad():
        logits = net(x)  # (N, classes)
    net.train(was_training)
    loss = functional.cross_entropy(logits, y)
    error = (logits.argmax(dim=0)[:1] != y).double().mean()
    return loss.item(), error.item()


# %% Evaluated image by image exercise="evaluate" right=true
def evaluate(net, x, y):
    mode = net.training
    net.eval()
    loss, wrong = 0.0, 0
    with torch.inference_mode():
        for image, label in zip(x, y):
            logits = net(image[None])[0]
            loss += float(torch.logsumexp(logits, 0) - logits[label])
            wrong += int(logits.argmax() != label)
    net.train(mode)
    return loss / len(y), wrong / len(y)


# %% Evaluated on a copy exercise="evaluate" right=true
def evaluate(net, x, y):
    with torch.no_grad():
        logits = copy.deepcopy(net).eval()(x)
    picked = logits.log_softmax(1)[torch.arange(len(y)), y]
    return -float(picked.mean()), 1 - float((logits.max(1).indices == y).double().mean())


# %% The deepest net trains best exercise="q-lowest"
# Most people expect it: the deep net contains the shallow one. Run the experiment and look at the
# left panel.
q_lowest = 56


# %% The net in the middle trains best exercise="q-lowest"
# On the training images, the shallowest net is best in every run. Look at the left panel.
q_lowest = 20


# %% Diagnosis by means exercise="diagnose"
# You compare means. One bad seed can move a mean; 'clearly worse' asks that every deep run is
# worse than every shallow run.
def diagnose(shallow, deep):
    """Compare runs of two nets, lists of (training error, test error), one pair a seed.

    Returns "degradation", "overfitting" or "no clear difference".
    """
    for column, verdict in enumerate(("degradation", "overfitting")):
        if np.mean([run[column] for run in deep]) > np.mean([run[column] for run in shallow]):
            return verdict
    return "no clear difference"


# %% Diagnosis by the first seed exercise="diagnose"
# You look at one seed. Every run counts.
def diagnose(shallow, deep):
    """Compare runs of two nets, lists of (training error, test error), one pair a seed.

    Returns "degradation", "overfitting" or "no clear difference".
    """
    for column, verdict in enumerate(("degradation", "overfitting")):
        if deep[0][column] > shallow[0][column]:
            return verdict
    return "no clear difference"


# %% Test error decides degradation exercise="diagnose"
# You read degradation off the test error. The training error tells degradation from overfitting.
def diagnose(shallow, deep):
    """Compare runs of two nets, lists of (training error, test error), one pair a seed.

    Returns "degradation", "overfitting" or "no clear difference".
    """
    for column, verdict in enumerate(("overfitting", "degradation")):
        if min(run[column] for run in deep) > max(run[column] for run in shallow):
            return verdict
    return "no clear difference"


# %% Overfitting asked first exercise="diagnose"
# You ask for overfitting first. If the training error is clearly worse it is degradation,
# whatever the test error says.
def diagnose(shallow, deep):
    """Compare runs of two nets, lists of (training error, test error), one pair a seed.

    Returns "degradation", "overfitting" or "no clear difference".
    """
    for column, verdict in ((1, "overfitting"), (0, "degradation")):
        if min(run[column] for run in deep) > max(run[column] for run in shallow):
            return verdict
    return "no clear difference"


# %% Equal counts as worse exercise="diagnose"
# A run that equals another is not worse: larger is asked.
def diagnose(shallow, deep):
    """Compare runs of two nets, lists of (training error, test error), one pair a seed.

    Returns "degradation", "overfitting" or "no clear difference".
    """
    for column, verdict in enumerate(("degradation", "overfitting")):
        if min(run[column] for run in deep) >= max(run[column] for run in shallow):
            return verdict
    return "no clear difference"


# %% Best against best exercise="diagnose"
# You compare the best runs alone. Every deep run has to be worse than every shallow one.
def diagnose(shallow, deep):
    """Compare runs of two nets, lists of (training error, test error), one pair a seed.

    Returns "degradation", "overfitting" or "no clear difference".
    """
    for column, verdict in enumerate(("degradation", "overfitting")):
        if min(run[column] for run in deep) > min(run[column] for run in shallow):
            return verdict
    return "no clear difference"


# %% Worst against worst exercise="diagnose"
# You compare the worst runs alone. Every deep run has to be worse than every shallow one.
def diagnose(shallow, deep):
    """Compare runs of two nets, lists of (training error, test error), one pair a seed.

    Returns "degradation", "overfitting" or "no clear difference".
    """
    for column, verdict in enumerate(("degradation", "overfitting")):
        if max(run[column] for run in deep) > max(run[column] for run in shallow):
            return verdict
    return "no clear difference"


# %% Runs paired by seed exercise="diagnose"
# You compare run by run. Seeds do not pair up: every deep run against every shallow one, and the
# lists may differ in length.
def diagnose(shallow, deep):
    """Compare runs of two nets, lists of (training error, test error), one pair a seed.

    Returns "degradation", "overfitting" or "no clear difference".
    """
    for column, verdict in enumerate(("degradation", "overfitting")):
        if all(d[column] > s[column] for s, d in zip(shallow, deep)):
            return verdict
    return "no clear difference"


# %% Diagnosis with arrays exercise="diagnose" right=true
def diagnose(shallow, deep):
    shallow, deep = np.array(shallow), np.array(deep)
    worse = (deep[:, None, :] > shallow[None, :, :]).all(axis=(0, 1))
    if worse[0]:
        return "degradation"
    return "overfitting" if worse[1] else "no clear difference"


# %% It overfits exercise="q-what-happened"
# Overfitting shows on test images alone. Here the training error is high too.
q_what_happened = "a"


# %% Too few parameters exercise="q-what-happened"
# plain-56 has eleven times the parameters of plain-8, which solves the task.
q_what_happened = "c"


# %% An unlucky seed exercise="q-what-happened"
# Three seeds agree, and the ranges are far apart.
q_what_happened = "d"


# %% [markdown]
# ## Construction


# %% Epsilon forgotten exercise="make-identity" covers=[81]
# The ε under BatchNorm's root is missing: γ is the root of the running variance plus ε.
def make_identity(block):
    """Set the parameters of a PlainBlock(C, C), in place: block(x) = x for x >= 0 in evaluation mode."""
    with torch.no_grad():
        for conv in (block.conv1, block.conv2):
            nn.init.dirac_(conv.weight)  # (C, C, 3, 3)
        for bn in (block.bn1, block.bn2):
            bn.weight.copy_(bn.running_var.sqrt())
            bn.bias.copy_(bn.running_mean)


# %% Epsilon outside the root exercise="make-identity" covers=[80]
# ε stands under the root, not beside it.
def make_identity(block):
    """Set the parameters of a PlainBlock(C, C), in place: block(x) = x for x >= 0 in evaluation mode."""
    with torch.no_grad():
        for conv in (block.conv1, block.conv2):
            nn.init.dirac_(conv.weight)  # (C, C, 3, 3)
        for bn in (block.bn1, block.bn2):
            bn.weight.copy_(bn.running_var.sqrt() + bn.eps)
            bn.bias.copy_(bn.running_mean)


# %% Variance for standard deviation exercise="make-identity" covers=[82]
# You set γ to the variance. BatchNorm divides by its root.
def make_identity(block):
    """Set the parameters of a PlainBlock(C, C), in place: block(x) = x for x >= 0 in evaluation mode."""
    with torch.no_grad():
        for conv in (block.conv1, block.conv2):
            nn.init.dirac_(conv.weight)  # (C, C, 3, 3)
        for bn in (block.bn1, block.bn2):
            bn.weight.copy_(bn.running_var + bn.eps)
            bn.bias.copy_(bn.running_mean)


# %% Gamma left at one exercise="make-identity"
# γ stays as it was. It has to undo the division by the running standard deviation.
def make_identity(block):
    """Set the parameters of a PlainBlock(C, C), in place: block(x) = x for x >= 0 in evaluation mode."""
    with torch.no_grad():
        for conv in (block.conv1, block.conv2):
            nn.init.dirac_(conv.weight)  # (C, C, 3, 3)
        for bn in (block.bn1, block.bn2):
            bn.weight.fill_(1)
            bn.bias.copy_(bn.running_mean)


# %% Running mean not added back exercise="make-identity"
# BatchNorm subtracts the running mean; β has to add it again.
def make_identity(block):
    """Set the parameters of a PlainBlock(C, C), in place: block(x) = x for x >= 0 in evaluation mode."""
    with torch.no_grad():
        for conv in (block.conv1, block.conv2):
            nn.init.dirac_(conv.weight)  # (C, C, 3, 3)
        for bn in (block.bn1, block.bn2):
            bn.weight.copy_((bn.running_var + bn.eps).sqrt())
            bn.bias.zero_()


# %% Sign of beta exercise="make-identity"
# β has the wrong sign: BatchNorm subtracts μ, so add it back.
def make_identity(block):
    """Set the parameters of a PlainBlock(C, C), in place: block(x) = x for x >= 0 in evaluation mode."""
    with torch.no_grad():
        for conv in (block.conv1, block.conv2):
            nn.init.dirac_(conv.weight)  # (C, C, 3, 3)
        for bn in (block.bn1, block.bn2):
            bn.weight.copy_((bn.running_var + bn.eps).sqrt())
            bn.bias.copy_(-bn.running_mean)


# %% All channels added up exercise="make-identity"
# Every filter sums all channels. Filter c looks at channel c alone.
def make_identity(block):
    """Set the parameters of a PlainBlock(C, C), in place: block(x) = x for x >= 0 in evaluation mode."""
    with torch.no_grad():
        for conv in (block.conv1, block.conv2):
            conv.weight.zero_()
            conv.weight[:, :, 1, 1] = 1
        for bn in (block.bn1, block.bn2):
            bn.weight.copy_((bn.running_var + bn.eps).sqrt())
            bn.bias.copy_(bn.running_mean)


# %% One in the corner exercise="make-identity"
# The 1 stands in a corner of the kernel: that shifts the image. The centre is [1, 1].
def make_identity(block):
    """Set the parameters of a PlainBlock(C, C), in place: block(x) = x for x >= 0 in evaluation mode."""
    with torch.no_grad():
        for conv in (block.conv1, block.conv2):
            conv.weight.zero_()
            for c in range(len(conv.weight)):
                conv.weight[c, c, 0, 0] = 1
        for bn in (block.bn1, block.bn2):
            bn.weight.copy_((bn.running_var + bn.eps).sqrt())
            bn.bias.copy_(bn.running_mean)


# %% Second half left alone exercise="make-identity"
# Only the first convolution and BatchNorm are set. The signal passes through both.
def make_identity(block):
    """Set the parameters of a PlainBlock(C, C), in place: block(x) = x for x >= 0 in evaluation mode."""
    with torch.no_grad():
        for conv in (block.conv1,):
            nn.init.dirac_(conv.weight)  # (C, C, 3, 3)
        for bn in (block.bn1,):
            bn.weight.copy_((bn.running_var + bn.eps).sqrt())
            bn.bias.copy_(bn.running_mean)


# %% Zero instead of identity exercise="make-identity"
# All weights zero give a block that outputs zero. That is the identity for a residual block, not
# for a plain one.
def make_identity(block):
    """Set the parameters of a PlainBlock(C, C), in place: block(x) = x for x >= 0 in evaluation mode."""
    with torch.no_grad():
        for conv in (block.conv1, block.conv2):
            conv.weight.zero_()
        for bn in (block.bn1, block.bn2):
            bn.weight.copy_((bn.running_var + bn.eps).sqrt())
            bn.bias.copy_(bn.running_mean)


# %% Statistics reset too exercise="make-identity" right=true
def make_identity(block):
    for conv in (block.conv1, block.conv2):
        conv.weight.data.zero_()
        for c in range(conv.weight.shape[0]):
            conv.weight.data[c, c, 1, 1] = 1.0
    for bn in (block.bn1, block.bn2):
        bn.weight.data = torch.sqrt(bn.running_var + bn.eps)
        bn.bias.data = bn.running_mean.clone()


# %% The old net extended exercise="deepen"
# You append to the net you were given. Copy it first.
def deepen(net, extra):
    """A copy of a plain DigitNet with `extra` identity blocks at its end; same logits in evaluation."""
    deeper = net
    channels = net.fc.in_features
    for _ in range(extra):
        block = PlainBlock(channels, channels).to(net.fc.weight)
        block.train(net.training)
        make_identity(block)
        deeper.blocks.append(block)
    return deeper


# %% Shallow copy of the net exercise="deepen"
# copy.copy shares every tensor with the old net. copy.deepcopy makes new ones.
def deepen(net, extra):
    """A copy of a plain DigitNet with `extra` identity blocks at its end; same logits in evaluation."""
    deeper = copy.copy(net)
    deeper._modules = dict(net._modules)
    deeper.blocks = nn.Sequential(*net.blocks)
    channels = net.fc.in_features
    for _ in range(extra):
        block = PlainBlock(channels, channels).to(net.fc.weight)
        block.train(net.training)
        make_identity(block)
        deeper.blocks.append(block)
    return deeper


# %% New blocks untrained exercise="deepen"
# The new blocks keep their random weights, so the logits change. Make each an identity.
def deepen(net, extra):
    """A copy of a plain DigitNet with `extra` identity blocks at its end; same logits in evaluation."""
    deeper = copy.deepcopy(net)
    channels = net.fc.in_features
    for _ in range(extra):
        block = PlainBlock(channels, channels).to(net.fc.weight)
        block.train(net.training)
        deeper.blocks.append(block)
    return deeper


# %% One block too few exercise="deepen"
# You append one block too few.
def deepen(net, extra):
    """A copy of a plain DigitNet with `extra` identity blocks at its end; same logits in evaluation."""
    deeper = copy.deepcopy(net)
    channels = net.fc.in_features
    for _ in range(extra - 1):
        block = PlainBlock(channels, channels).to(net.fc.weight)
        block.train(net.training)
        make_identity(block)
        deeper.blocks.append(block)
    return deeper


# %% One block appended several times exercise="deepen"
# You append the same block object again and again: it counts once, its parameters are shared.
def deepen(net, extra):
    deeper = copy.deepcopy(net)
    block = PlainBlock(net.fc.in_features, net.fc.in_features)
    make_identity(block)
    for _ in range(extra):
        deeper.blocks.append(block)
    return deeper


# %% Identity modules instead of blocks exercise="deepen"
# nn.Identity has no layers: nothing became deeper. Plain blocks that compute the identity are
# asked.
def deepen(net, extra):
    """A copy of a plain DigitNet with `extra` identity blocks at its end; same logits in evaluation."""
    deeper = copy.deepcopy(net)
    channels = net.fc.in_features
    for _ in range(extra):
        block = nn.Identity()
        block.train(net.training)
        deeper.blocks.append(block)
    return deeper


# %% Width of the first stage exercise="deepen"
# The new blocks have the channels of the first stage. At the end the last stage's width comes in.
def deepen(net, extra):
    """A copy of a plain DigitNet with `extra` identity blocks at its end; same logits in evaluation."""
    deeper = copy.deepcopy(net)
    channels = net.stem.out_channels
    for _ in range(extra):
        block = PlainBlock(channels, channels).to(net.fc.weight)
        block.train(net.training)
        make_identity(block)
        deeper.blocks.append(block)
    return deeper


# %% Deepened at the front of the last stage exercise="deepen" right=true
def deepen(net, extra):
    result = copy.deepcopy(net)
    channels = result.fc.in_features
    added = [PlainBlock(channels, channels) for _ in range(extra)]
    for block in added:
        make_identity(block)
    result.blocks = nn.Sequential(*result.blocks, *added)
    return result


# %% Training will find it exercise="q-construction"
# That the weights exist does not say that SGD gets there; plain-56 is the counterexample.
q_construction = "a"


# %% Lower test error promised exercise="q-construction"
# The construction says nothing about new images: its outputs are the shallow net's.
q_construction = "c"


# %% [markdown]
# ## Gradients


# %% Norms in evaluation mode exercise="gradient-norms"
# You measure in evaluation mode. Training runs with the batch's statistics, and so do its
# gradients.
def gradient_norms(net, x, y):
    """Norm of the loss's gradient for each convolution in net.blocks, first to last: a list of floats."""
    probe = copy.deepcopy(net).eval()
    weights = [p for p in probe.blocks.parameters() if p.ndim == 4]
    loss = functional.cross_entropy(probe(x), y)
    return [slope.norm().item() for slope in torch.autograd.grad(loss, weights)]


# %% Norms in the mode the net came in exercise="gradient-norms"
# You take the mode as it comes. Training mode is asked, whatever the net was in.
def gradient_norms(net, x, y):
    """Norm of the loss's gradient for each convolution in net.blocks, first to last: a list of floats."""
    probe = copy.deepcopy(net)
    weights = [p for p in probe.blocks.parameters() if p.ndim == 4]
    loss = functional.cross_entropy(probe(x), y)
    return [slope.norm().item() for slope in torch.autograd.grad(loss, weights)]


# %% Running statistics moved by the measurement exercise="gradient-norms" covers=[79]
# Your forward pass in training mode moves the net's running statistics. Work on a copy.
def gradient_norms(net, x, y):
    """Norm of the loss's gradient for each convolution in net.blocks, first to last: a list of floats."""
    probe = net.train()
    weights = [p for p in probe.blocks.parameters() if p.ndim == 4]
    loss = functional.cross_entropy(probe(x), y)
    return [slope.norm().item() for slope in torch.autograd.grad(loss, weights)]


# %% Gradients left behind exercise="gradient-norms"
# The net keeps the gradients of your measurement, and the next step would use them.
def gradient_norms(net, x, y):
    mode, kept = net.training, copy.deepcopy(net.state_dict())
    net.train()
    functional.cross_entropy(net(x), y).backward()
    norms = [p.grad.norm().item() for p in net.blocks.parameters() if p.ndim == 4]
    net.load_state_dict(kept)
    net.train(mode)
    return norms


# %% Old gradients counted exercise="gradient-norms" covers=[62]
# backward adds to gradients that the copy brought along. Clear them first.
def gradient_norms(net, x, y):
    probe = copy.deepcopy(net).train()
    for old, new in zip(net.parameters(), probe.parameters()):
        new.grad = None if old.grad is None else old.grad.clone()
    functional.cross_entropy(probe(x), y).backward()
    return [p.grad.norm().item() for p in probe.blocks.parameters() if p.ndim == 4]


# %% Norms of the weights exercise="gradient-norms"
# You measure the weights themselves. Their gradients are asked.
def gradient_norms(net, x, y):
    """Norm of the loss's gradient for each convolution in net.blocks, first to last: a list of floats."""
    probe = copy.deepcopy(net).train()
    weights = [p for p in probe.blocks.parameters() if p.ndim == 4]
    loss = functional.cross_entropy(probe(x), y)
    return [w.norm().item() for w in weights]


# %% Squared norms exercise="gradient-norms"
# You return squared norms: the root is missing.
def gradient_norms(net, x, y):
    """Norm of the loss's gradient for each convolution in net.blocks, first to last: a list of floats."""
    probe = copy.deepcopy(net).train()
    weights = [p for p in probe.blocks.parameters() if p.ndim == 4]
    loss = functional.cross_entropy(probe(x), y)
    return [slope.pow(2).sum().item() for slope in torch.autograd.grad(loss, weights)]


# %% Last layer first exercise="gradient-norms"
# The list runs from loss to image. First to last convolution is asked.
def gradient_norms(net, x, y):
    """Norm of the loss's gradient for each convolution in net.blocks, first to last: a list of floats."""
    probe = copy.deepcopy(net).train()
    weights = [p for p in probe.blocks.parameters() if p.ndim == 4]
    loss = functional.cross_entropy(probe(x), y)
    return [slope.norm().item() for slope in torch.autograd.grad(loss, weights)][::-1]


# %% Norms of all parameters exercise="gradient-norms"
# BatchNorm's γ and β are in the list too. Convolution weights are the tensors with four axes.
def gradient_norms(net, x, y):
    """Norm of the loss's gradient for each convolution in net.blocks, first to last: a list of floats."""
    probe = copy.deepcopy(net).train()
    weights = [p for p in probe.blocks.parameters() ]
    loss = functional.cross_entropy(probe(x), y)
    return [slope.norm().item() for slope in torch.autograd.grad(loss, weights)]


# %% Stem counted exercise="gradient-norms"
# The stem's convolution is in the list. Those of net.blocks are asked.
def gradient_norms(net, x, y):
    """Norm of the loss's gradient for each convolution in net.blocks, first to last: a list of floats."""
    probe = copy.deepcopy(net).train()
    weights = [p for p in probe.parameters() if p.ndim == 4]
    loss = functional.cross_entropy(probe(x), y)
    return [slope.norm().item() for slope in torch.autograd.grad(loss, weights)]


# %% Mean absolute gradient exercise="gradient-norms"
# You return a mean of absolute values. The Euclidean norm is the root of the sum of squares.
def gradient_norms(net, x, y):
    """Norm of the loss's gradient for each convolution in net.blocks, first to last: a list of floats."""
    probe = copy.deepcopy(net).train()
    weights = [p for p in probe.blocks.parameters() if p.ndim == 4]
    loss = functional.cross_entropy(probe(x), y)
    return [slope.abs().mean().item() for slope in torch.autograd.grad(loss, weights)]


# %% Largest gradient exercise="gradient-norms"
# You return the largest entry. The Euclidean norm is the root of the sum of squares.
def gradient_norms(net, x, y):
    """Norm of the loss's gradient for each convolution in net.blocks, first to last: a list of floats."""
    probe = copy.deepcopy(net).train()
    weights = [p for p in probe.blocks.parameters() if p.ndim == 4]
    loss = functional.cross_entropy(probe(x), y)
    return [slope.abs().max().item() for slope in torch.autograd.grad(loss, weights)]


# %% Gradient of the summed loss exercise="gradient-norms" covers=[61]
# You take the gradient of the sum over the batch; the mean is asked.
def gradient_norms(net, x, y):
    """Norm of the loss's gradient for each convolution in net.blocks, first to last: a list of floats."""
    probe = copy.deepcopy(net).train()
    weights = [p for p in probe.blocks.parameters() if p.ndim == 4]
    loss = functional.cross_entropy(probe(x), y, reduction="sum")
    return [slope.norm().item() for slope in torch.autograd.grad(loss, weights)]


# %% Norms by backward on a copy exercise="gradient-norms" right=true
def gradient_norms(net, x, y):
    twin = copy.deepcopy(net)
    twin.train()
    twin.zero_grad()
    nn.CrossEntropyLoss()(twin(x), y).backward()
    norms = []
    for module in twin.blocks.modules():
        if isinstance(module, nn.Conv2d):
            norms.append(float(torch.sqrt((module.weight.grad**2).sum())))
    return norms


# %% Norms as an array exercise="gradient-norms" right=true
def gradient_norms(net, x, y):
    """Norm of the loss's gradient for each convolution in net.blocks, first to last: a list of floats."""
    probe = copy.deepcopy(net).train()
    weights = [p for p in probe.blocks.parameters() if p.ndim == 4]
    loss = functional.cross_entropy(probe(x), y)
    slopes = torch.autograd.grad(loss, weights)
    return np.array([np.linalg.norm(slope.numpy().ravel()) for slope in slopes])


# %% Vanishing predicted exercise="q-ratio"
# That is the popular story. Run the cell: with BatchNorm the norms grow towards the image.
q_ratio = "a"


# %% Equal norms predicted exercise="q-ratio"
# BatchNorm fixes the size of signals, not of gradients. Run the cell and compare the ends of the
# curve.
q_ratio = "b"


# %% Vanishing blamed exercise="q-verdict"
# No norm is anywhere near zero, and the net still fails. Something else is at work.
q_verdict = "a"


# %% Explosion blamed exercise="q-verdict"
# The gradients explode at birth. After one epoch they have ordinary sizes in all layers, and the
# net still fails.
q_verdict = "c"


# %% Vanishing with BatchNorm exercise="q-popular"
# With BatchNorm the curve rises towards the image. Look for the one that is many powers of ten
# below the others.
q_popular = "a"


# %% Vanishing with He's initialisation exercise="q-popular"
# He's variance keeps the gradient's size, even without BatchNorm. PyTorch's default is six times
# smaller in variance.
q_popular = "b"


# %% [markdown]
# ## Residual blocks


# %% H and F swapped exercise="q-words"
# This is the sentence on the slide, and it contradicts itself: if F = H + x were the output, H
# would be no mapping of the block.
q_words = "a"


# %% Shortcut subtracts exercise="q-words"
# The shortcut adds x to what the layers computed. It is the layers that learn the difference.
q_words = "c"


# %% Zeros in front exercise="shortcut"
# The zeros come first. Append them behind the old channels.
def shortcut(x, channels, stride):
    """x (N, C, H, W), every stride-th pixel, zero channels appended: (N, channels, OH, OW)."""
    x = x[:, :, ::stride, ::stride]  # (N, C, OH, OW)
    return functional.pad(x, (0, 0, 0, 0, channels - x.shape[1], 0))  # (N, channels, OH, OW)


# %% Zeros at the rows exercise="shortcut"
# You padded the rows. functional.pad counts axes from the last one: columns, rows, channels.
def shortcut(x, channels, stride):
    """x (N, C, H, W), every stride-th pixel, zero channels appended: (N, channels, OH, OW)."""
    x = x[:, :, ::stride, ::stride]  # (N, C, OH, OW)
    return functional.pad(x, (0, 0, 0, channels - x.shape[1]))  # (N, channels, OH, OW)


# %% Channels repeated exercise="shortcut"
# You repeat the channels. Option A appends zeros.
def shortcut(x, channels, stride):
    """x (N, C, H, W), every stride-th pixel, zero channels appended: (N, channels, OH, OW)."""
    x = x[:, :, ::stride, ::stride]  # (N, C, OH, OW)
    return x.repeat(1, -(-channels // x.shape[1]), 1, 1)[:, :channels]  # (N, channels, OH, OW)


# %% Pooled instead of picked exercise="shortcut"
# You average neighbouring pixels. Option A keeps every S-th one as it is.
def shortcut(x, channels, stride):
    """x (N, C, H, W), every stride-th pixel, zero channels appended: (N, channels, OH, OW)."""
    x = functional.avg_pool2d(x, stride, ceil_mode=True)  # (N, C, OH, OW)
    return functional.pad(x, (0, 0, 0, 0, 0, channels - x.shape[1]))  # (N, channels, OH, OW)


# %% Last pixel of each window exercise="shortcut"
# You keep the last pixel of each window. The first one is kept: 0, S, 2S, …
def shortcut(x, channels, stride):
    """x (N, C, H, W), every stride-th pixel, zero channels appended: (N, channels, OH, OW)."""
    x = x[:, :, stride - 1 :: stride, stride - 1 :: stride]  # (N, C, OH, OW)
    return functional.pad(x, (0, 0, 0, 0, 0, channels - x.shape[1]))  # (N, channels, OH, OW)


# %% Stride on rows only in the shortcut exercise="shortcut" covers=[19]
# Only the rows are thinned out. The stride holds in both directions.
def shortcut(x, channels, stride):
    """x (N, C, H, W), every stride-th pixel, zero channels appended: (N, channels, OH, OW)."""
    x = x[:, :, ::stride]  # (N, C, OH, OW)
    return functional.pad(x, (0, 0, 0, 0, 0, channels - x.shape[1]))  # (N, channels, OH, OW)


# %% Last odd pixel lost exercise="shortcut"
# For odd sizes you lose the last pixel: 7 rows at stride 2 leave 4 (0, 2, 4, 6).
def shortcut(x, channels, stride):
    """x (N, C, H, W), every stride-th pixel, zero channels appended: (N, channels, OH, OW)."""
    x = x[:, :, : x.shape[2] // stride * stride : stride, : x.shape[3] // stride * stride : stride]  # (N, C, OH, OW)
    return functional.pad(x, (0, 0, 0, 0, 0, channels - x.shape[1]))  # (N, channels, OH, OW)


# %% Twice the channels always exercise="shortcut"
# You always double the channels. Fill up to `channels`.
def shortcut(x, channels, stride):
    """x (N, C, H, W), every stride-th pixel, zero channels appended: (N, channels, OH, OW)."""
    x = x[:, :, ::stride, ::stride]  # (N, C, OH, OW)
    return functional.pad(x, (0, 0, 0, 0, 0, x.shape[1] * (stride > 1)))  # (N, channels, OH, OW)


# %% Fixed stride of two exercise="shortcut"
# The stride is fixed at 2. Use the argument.
def shortcut(x, channels, stride):
    """x (N, C, H, W), every stride-th pixel, zero channels appended: (N, channels, OH, OW)."""
    x = x[:, :, ::2, ::2]  # (N, C, OH, OW)
    return functional.pad(x, (0, 0, 0, 0, 0, channels - x.shape[1]))  # (N, channels, OH, OW)


# %% Zeros by concatenation exercise="shortcut" right=true
def shortcut(x, channels, stride):
    N, C, H, W = x.shape
    kept = x[:, :, torch.arange(0, H, stride)][:, :, :, torch.arange(0, W, stride)]
    zeros = kept.new_zeros(N, channels - C, *kept.shape[2:])
    return torch.cat([kept, zeros], dim=1)


# %% Shortcut as a fixed convolution exercise="shortcut" right=true
def shortcut(x, channels, stride):
    weight = torch.eye(channels, x.shape[1], dtype=x.dtype)[:, :, None, None]
    return functional.conv2d(x, weight, stride=stride)


# %% Skip dropped exercise="residual-block" covers=[96]
# Your block adds nothing: it is the plain block again.
class ResidualBlock(nn.Module):
    """ReLU(F(x) + shortcut(x)), F as in PlainBlock: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.stride = stride

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        y = self.bn2(self.conv2(y))  # (N, c_out, OH, OW)
        return functional.relu(y)  # (N, c_out, OH, OW)


# %% ReLU before the addition exercise="residual-block" covers=[97]
# You apply ReLU before the addition. F could then only add, never subtract. Add first, then ReLU.
class ResidualBlock(nn.Module):
    """ReLU(F(x) + shortcut(x)), F as in PlainBlock: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.stride = stride

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        y = self.bn2(self.conv2(y))  # (N, c_out, OH, OW)
        return functional.relu(y) + shortcut(x, y.shape[1], self.stride)  # (N, c_out, OH, OW)


# %% BatchNorm after the addition exercise="residual-block" covers=[98]
# BatchNorm comes after the addition and rescales the shortcut too. It belongs to the branch,
# before the addition.
class ResidualBlock(nn.Module):
    """ReLU(F(x) + shortcut(x)), F as in PlainBlock: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.stride = stride

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        y = self.conv2(y)
        return functional.relu(self.bn2(y + shortcut(x, y.shape[1], self.stride)))  # (N, c_out, OH, OW)


# %% ReLU after the addition missing exercise="residual-block" covers=[99]
# The ReLU after the addition is missing.
class ResidualBlock(nn.Module):
    """ReLU(F(x) + shortcut(x)), F as in PlainBlock: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.stride = stride

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        y = self.bn2(self.conv2(y))  # (N, c_out, OH, OW)
        return y + shortcut(x, y.shape[1], self.stride)  # (N, c_out, OH, OW)


# %% Middle ReLU of the residual block missing exercise="residual-block" covers=[100]
# The branch lacks its ReLU between the two convolutions.
class ResidualBlock(nn.Module):
    """ReLU(F(x) + shortcut(x)), F as in PlainBlock: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.stride = stride

    def forward(self, x):
        y = self.bn1(self.conv1(x))  # (N, c_out, OH, OW)
        y = self.bn2(self.conv2(y))  # (N, c_out, OH, OW)
        return functional.relu(y + shortcut(x, y.shape[1], self.stride))  # (N, c_out, OH, OW)


# %% Stride on the second convolution of the branch exercise="residual-block" covers=[101]
# The second convolution has the stride. The first one should.
class ResidualBlock(nn.Module):
    """ReLU(F(x) + shortcut(x)), F as in PlainBlock: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.stride = stride

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        y = self.bn2(self.conv2(y))  # (N, c_out, OH, OW)
        return functional.relu(y + shortcut(x, y.shape[1], self.stride))  # (N, c_out, OH, OW)


# %% Shortcut detached exercise="residual-block" covers=[104]
# The shortcut is cut out of the graph: forward it adds, backward no gradient comes through.
class ResidualBlock(nn.Module):
    """ReLU(F(x) + shortcut(x)), F as in PlainBlock: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.stride = stride

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        y = self.bn2(self.conv2(y))  # (N, c_out, OH, OW)
        return functional.relu(y + shortcut(x.detach(), y.shape[1], self.stride))  # (N, c_out, OH, OW)


# %% Projection where zeros suffice exercise="residual-block" covers=[103]
# Your shortcut is a convolution with parameters. Option A needs none, so that plain and residual
# nets can be compared.
class ResidualBlock(nn.Module):
    """ReLU(F(x) + shortcut(x)), F as in PlainBlock: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.project = nn.Conv2d(c_in, c_out, 1, stride=stride, bias=False)

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        y = self.bn2(self.conv2(y))  # (N, c_out, OH, OW)
        return functional.relu(y + self.project(x))  # (N, c_out, OH, OW)


# %% Projection only where the shape changes exercise="residual-block" covers=[102]
# Where the shape changes you use a convolution. Option A, without any parameter, is asked here;
# projections come in lesson 09.
class ResidualBlock(nn.Module):
    """ReLU(F(x) + shortcut(x)), F as in PlainBlock: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.stride = stride
        self.project = nn.Conv2d(c_in, c_out, 1, stride, bias=False) if c_in != c_out else None

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        y = self.bn2(self.conv2(y))  # (N, c_out, OH, OW)
        return functional.relu(y + (x if self.project is None else self.project(x)))  # (N, c_out, OH, OW)


# %% One BatchNorm for the whole branch exercise="residual-block" covers=[109]
# Both convolutions share one BatchNorm. Each needs its own.
class ResidualBlock(nn.Module):
    """ReLU(F(x) + shortcut(x)), F as in PlainBlock: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = self.bn1
        self.stride = stride

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        y = self.bn2(self.conv2(y))  # (N, c_out, OH, OW)
        return functional.relu(y + shortcut(x, y.shape[1], self.stride))  # (N, c_out, OH, OW)


# %% Shortcut from the middle exercise="residual-block"
# You add the first convolution's output. The shortcut starts at the block's input.
class ResidualBlock(nn.Module):
    """ReLU(F(x) + shortcut(x)), F as in PlainBlock: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.stride = stride

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        y = y + self.bn2(self.conv2(y))  # (N, c_out, OH, OW)
        return functional.relu(y)  # (N, c_out, OH, OW)


# %% Shortcut subtracted exercise="residual-block"
# You subtract the input. The block computes F(x) + x.
class ResidualBlock(nn.Module):
    """ReLU(F(x) + shortcut(x)), F as in PlainBlock: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.stride = stride

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        y = self.bn2(self.conv2(y))  # (N, c_out, OH, OW)
        return functional.relu(y - shortcut(x, y.shape[1], self.stride))  # (N, c_out, OH, OW)


# %% Shortcut skipped where shapes differ exercise="residual-block"
# Where the shape changes your block has no shortcut. Those blocks have one as well: thinned out
# and filled up with zeros.
class ResidualBlock(nn.Module):
    """ReLU(F(x) + shortcut(x)), F as in PlainBlock: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.stride = stride

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        y = self.bn2(self.conv2(y))  # (N, c_out, OH, OW)
        if y.shape == x.shape:
            y = y + x
        return functional.relu(y)  # (N, c_out, OH, OW)


# %% Shortcut only with stride exercise="residual-block"
# A block can change its channels without a stride; your shortcut fails or vanishes there.
class ResidualBlock(nn.Module):
    """ReLU(F(x) + shortcut(x)), F as in PlainBlock: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.stride = stride

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))  # (N, c_out, OH, OW)
        y = self.bn2(self.conv2(y))  # (N, c_out, OH, OW)
        if self.stride > 1 or x.shape[1] == y.shape[1]:
            y = y + shortcut(x, y.shape[1], self.stride)
        return functional.relu(y)  # (N, c_out, OH, OW)


# %% Residual block with in-place addition exercise="residual-block" right=true
class ResidualBlock(nn.Module):
    def __init__(self, c_in, c_out, stride=1):
        super().__init__()
        self.c_out, self.stride = c_out, stride
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += shortcut(x, self.c_out, self.stride)
        return self.relu(out)


# %% Residual block on top of the plain one exercise="residual-block" right=true
class ResidualBlock(PlainBlock):
    def forward(self, x):
        branch = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        same = x[:, :, :: self.conv1.stride[0], :: self.conv1.stride[1]]
        branch[:, : x.shape[1]] = branch[:, : x.shape[1]] + same
        return torch.relu(branch)


# %% Gamma alone zeroed exercise="start-as-identity"
# β is left as it was, so F(x) = β. Both have to be zero.
def start_as_identity(net):
    """Set weight and bias of bn2 in each block of net.blocks to zero, in place."""
    with torch.no_grad():
        for block in net.blocks:
            block.bn2.weight.zero_()


# %% Beta alone zeroed exercise="start-as-identity"
# γ is left as it was: the branch still responds.
def start_as_identity(net):
    """Set weight and bias of bn2 in each block of net.blocks to zero, in place."""
    with torch.no_grad():
        for block in net.blocks:
            block.bn2.bias.zero_()


# %% First BatchNorm zeroed exercise="start-as-identity"
# You zero the first BatchNorm. With random running statistics the second one still puts something
# out; the last one decides.
def start_as_identity(net):
    """Set weight and bias of bn2 in each block of net.blocks to zero, in place."""
    with torch.no_grad():
        for block in net.blocks:
            block.bn1.weight.zero_()
            block.bn1.bias.zero_()


# %% First block only exercise="start-as-identity"
# Only the first block is changed. Every block of net.blocks is asked.
def start_as_identity(net):
    """Set weight and bias of bn2 in each block of net.blocks to zero, in place."""
    with torch.no_grad():
        for block in net.blocks[:1]:
            block.bn2.weight.zero_()
            block.bn2.bias.zero_()


# %% Convolution zeroed exercise="start-as-identity"
# A convolution of zeros is not enough: BatchNorm still adds β, and its running mean comes
# through.
def start_as_identity(net):
    """Set weight and bias of bn2 in each block of net.blocks to zero, in place."""
    with torch.no_grad():
        for block in net.blocks:
            block.conv2.weight.zero_()


# %% Everything zeroed exercise="start-as-identity"
# You set all parameters of the blocks to zero, the convolutions too. Then nothing can ever be
# learned: no gradient leaves zero weights behind zero γ. Only bn2's are asked.
def start_as_identity(net):
    """Set weight and bias of bn2 in each block of net.blocks to zero, in place."""
    with torch.no_grad():
        for block in net.blocks:
            for p in block.parameters():
                p.zero_()


# %% Zeros by init functions exercise="start-as-identity" right=true
def start_as_identity(net):
    for block in net.blocks:
        nn.init.zeros_(block.bn2.weight)
        nn.init.zeros_(block.bn2.bias)
    return net


# %% Zeros by data exercise="start-as-identity" right=true
def start_as_identity(net):
    for name, p in net.blocks.named_parameters():
        if ".bn2." in name:
            p.data = torch.zeros_like(p)


# %% Deeper is better on the test digits exercise="q-support"
# Look at the last column of the table: no run of residual-56 has a lower test error than the best
# of residual-8; most are worse.
q_support = "b"


# %% More parameters exercise="q-support"
# The shortcut has no parameter: the counts are equal.
q_support = "c"


# %% One parameter a shortcut exercise="q-more"
# An addition has no weight. Option A adds no parameter anywhere.
q_more = 27


# %% Projections counted exercise="q-more"
# Those would be 1 × 1 convolutions where the shape changes (8·16 + 16·32, or so). Option A pads
# with zeros.
q_more = 2560


# %% [markdown]
# ## Jacobians


# %% Transposed Jacobian exercise="jacobian"
# Rows and columns are swapped: row i belongs to output i.
def jacobian(function, x, step=1e-4):
    """Matrix (m, n) of d function(x)[i] / d x[j], by central differences, float64."""
    columns = []
    with torch.no_grad():
        for place in range(x.numel()):
            nudge = torch.zeros(x.numel(), dtype=torch.float64)
            nudge[place] = step
            nudge = nudge.reshape(x.shape)
            rise = function(x.double() + nudge) - function(x.double() - nudge)
            columns.append(rise.flatten() / (2 * step))  # (m,)
    return torch.stack(columns, dim=0)  # (m, n)


# %% One-sided difference halved exercise="jacobian"
# You divide a one-sided difference by two steps. Take a step to both sides.
def jacobian(function, x, step=1e-4):
    """Matrix (m, n) of d function(x)[i] / d x[j], by central differences, float64."""
    columns = []
    with torch.no_grad():
        for place in range(x.numel()):
            nudge = torch.zeros(x.numel(), dtype=torch.float64)
            nudge[place] = step
            nudge = nudge.reshape(x.shape)
            rise = function(x.double() + nudge) - function(x.double())
            columns.append(rise.flatten() / (2 * step))  # (m,)
    return torch.stack(columns, dim=1)  # (m, n)


# %% Divided by one step exercise="jacobian"
# f(x+h) − f(x−h) spans two steps: divide by 2h.
def jacobian(function, x, step=1e-4):
    """Matrix (m, n) of d function(x)[i] / d x[j], by central differences, float64."""
    columns = []
    with torch.no_grad():
        for place in range(x.numel()):
            nudge = torch.zeros(x.numel(), dtype=torch.float64)
            nudge[place] = step
            nudge = nudge.reshape(x.shape)
            rise = function(x.double() + nudge) - function(x.double() - nudge)
            columns.append(rise.flatten() / step)  # (m,)
    return torch.stack(columns, dim=1)  # (m, n)


# %% All inputs nudged exercise="jacobian"
# All entries of x move together. Move one at a time.
def jacobian(function, x, step=1e-4):
    """Matrix (m, n) of d function(x)[i] / d x[j], by central differences, float64."""
    columns = []
    with torch.no_grad():
        for place in range(x.numel()):
            nudge = torch.full((x.numel(),), step, dtype=torch.float64)
            nudge = nudge.reshape(x.shape)
            rise = function(x.double() + nudge) - function(x.double() - nudge)
            columns.append(rise.flatten() / (2 * step))  # (m,)
    return torch.stack(columns, dim=1)  # (m, n)


# %% Float32 differences exercise="jacobian"
# In float32 the rounding errors of f drown so small a difference: compute in float64.
def jacobian(function, x, step=1e-4):
    """Matrix (m, n) of d function(x)[i] / d x[j], by central differences, float64."""
    columns = []
    with torch.no_grad():
        for place in range(x.numel()):
            nudge = torch.zeros(x.numel(), dtype=torch.float64)
            nudge[place] = step
            nudge = nudge.reshape(x.shape)
            rise = function(x.float() + nudge.float()) - function(x.float() - nudge.float())
            columns.append(rise.flatten() / (2 * step))  # (m,)
    return torch.stack(columns, dim=1)  # (m, n)


# %% Gradient of the sum exercise="jacobian"
# You sum the outputs. One row an output is asked.
def jacobian(function, x, step=1e-4):
    """Matrix (m, n) of d function(x)[i] / d x[j], by central differences, float64."""
    columns = []
    with torch.no_grad():
        for place in range(x.numel()):
            nudge = torch.zeros(x.numel(), dtype=torch.float64)
            nudge[place] = step
            nudge = nudge.reshape(x.shape)
            rise = function(x.double() + nudge) - function(x.double() - nudge)
            columns.append(rise.sum().reshape(1) / (2 * step))  # (m,)
    return torch.stack(columns, dim=1)  # (m, n)


# %% Input changed in place exercise="jacobian"
# Your function moves x itself and does not put it back. Work on a copy.
def jacobian(function, x, step=1e-4):
    columns, flat = [], x.view(-1)
    for place in range(x.numel()):
        flat[place] += step
        above = function(x)
        flat[place] -= 2 * step
        below = function(x)
        columns.append(((above - below) / (2 * step)).flatten())
    return torch.stack(columns, dim=1)


# %% Jacobian row buffer exercise="jacobian" right=true
def jacobian(function, x, step=1e-4):
    base = x.detach().clone().double()
    result = None
    for j in range(base.numel()):
        above, below = base.clone(), base.clone()
        above.view(-1)[j] += step
        below.view(-1)[j] -= step
        column = ((function(above) - function(below)) / (2 * step)).reshape(-1)
        if result is None:
            result = torch.zeros(len(column), base.numel(), dtype=torch.float64)
        result[:, j] = column
    return result


# %% Jacobian in NumPy exercise="jacobian" right=true
def jacobian(function, x, step=1e-4):
    point = x.detach().numpy().astype(np.float64)
    columns = []
    for index in np.ndindex(point.shape):
        shift = np.zeros_like(point)
        shift[index] = step
        rise = function(torch.from_numpy(point + shift)) - function(torch.from_numpy(point - shift))
        columns.append(np.asarray(rise).ravel() / (2 * step))
    return np.stack(columns, axis=1)


# %% Jacobian not transposed exercise="residual-backward"
# You multiply with the Jacobian itself. Backward it is its transpose: entry [i, j] carries dy[i]
# to dx[j].
def residual_backward(dy, jacobian_f):
    """dL/dx (n,) of y = x + F(x), from dy (n,) and the Jacobian of F (n, n)."""
    return dy + jacobian_f @ dy


# %% Identity forgotten exercise="residual-backward" covers=[96]
# The shortcut's copy of dy is missing: I + ∂F/∂x.
def residual_backward(dy, jacobian_f):
    """dL/dx (n,) of y = x + F(x), from dy (n,) and the Jacobian of F (n, n)."""
    return jacobian_f.T @ dy


# %% Branch forgotten exercise="residual-backward"
# Only the shortcut's copy arrives. The branch passes its share too.
def residual_backward(dy, jacobian_f):
    """dL/dx (n,) of y = x + F(x), from dy (n,) and the Jacobian of F (n, n)."""
    return dy.clone()


# %% Element by element exercise="residual-backward"
# You multiply element by element. Each dx[j] collects from all outputs.
def residual_backward(dy, jacobian_f):
    """dL/dx (n,) of y = x + F(x), from dy (n,) and the Jacobian of F (n, n)."""
    return dy + torch.diag(jacobian_f) * dy


# %% dy changed in place exercise="residual-backward"
# You add into dy, which belongs to the caller.
def residual_backward(dy, jacobian_f):
    """dL/dx (n,) of y = x + F(x), from dy (n,) and the Jacobian of F (n, n)."""
    dy += jacobian_f.T @ dy
    return dy


# %% Backward with the identity matrix exercise="residual-backward" right=true
def residual_backward(dy, jacobian_f):
    """dL/dx (n,) of y = x + F(x), from dy (n,) and the Jacobian of F (n, n)."""
    return dy @ (torch.eye(len(dy), dtype=dy.dtype) + jacobian_f)


# %% Backward by einsum exercise="residual-backward" right=true
def residual_backward(dy, jacobian_f):
    """dL/dx (n,) of y = x + F(x), from dy (n,) and the Jacobian of F (n, n)."""
    return dy + torch.einsum("i,ij->j", dy, jacobian_f)


# %% Identity plus the plain chain exercise="q-chain"
# Each block multiplies by 1 + 0.1; the product of sums is not the sum of products.
q_chain = 1 + 0.1**20


# %% Slopes added exercise="q-chain"
# 1 + 20·0.1 keeps the first terms only. Multiply the twenty factors.
q_chain = 3.0


# %% Unchanged gradient exercise="q-chain"
# One copy arrives unchanged, and the branches add to it, block after block.
q_chain = 1.0


# %% Slope zero exercise="q-dead"
# With a = 0 the shortcut's copy passes unchanged: the derivative is 1.
q_dead = 0


# %% Wrong sign of the slope exercise="q-dead"
# With a = 1 the derivative is 2. What makes 1 + a vanish?
q_dead = 1


# %% [markdown]
# ## Spans


# %% ReLU after every BatchNorm exercise="span-block" covers=[97]
# There is a ReLU behind the last BatchNorm of the branch too. The addition comes first.
class SpanBlock(nn.Module):
    """A residual block whose shortcut spans `span` convolutions: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1, span=2):
        super().__init__()
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        for number in range(span):
            step, channels = (stride, c_in) if number == 0 else (1, c_out)
            self.convs.append(nn.Conv2d(channels, c_out, 3, stride=step, padding=1, bias=False))
            self.norms.append(nn.BatchNorm2d(c_out))
        self.stride = stride

    def forward(self, x):
        y = x
        for number, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            y = functional.relu(norm(conv(y)))  # (N, c_out, OH, OW)
        return functional.relu(y + shortcut(x, y.shape[1], self.stride))  # (N, c_out, OH, OW)


# %% No ReLU inside the span exercise="span-block" covers=[100]
# The ReLUs between the convolutions are missing.
class SpanBlock(nn.Module):
    """A residual block whose shortcut spans `span` convolutions: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1, span=2):
        super().__init__()
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        for number in range(span):
            step, channels = (stride, c_in) if number == 0 else (1, c_out)
            self.convs.append(nn.Conv2d(channels, c_out, 3, stride=step, padding=1, bias=False))
            self.norms.append(nn.BatchNorm2d(c_out))
        self.stride = stride

    def forward(self, x):
        y = x
        for number, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            y = norm(conv(y))  # (N, c_out, OH, OW)
        return functional.relu(y + shortcut(x, y.shape[1], self.stride))  # (N, c_out, OH, OW)


# %% ReLU on the input exercise="span-block"
# You apply ReLU before the first convolution too. The block's input goes in as it is.
class SpanBlock(nn.Module):
    """A residual block whose shortcut spans `span` convolutions: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1, span=2):
        super().__init__()
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        for number in range(span):
            step, channels = (stride, c_in) if number == 0 else (1, c_out)
            self.convs.append(nn.Conv2d(channels, c_out, 3, stride=step, padding=1, bias=False))
            self.norms.append(nn.BatchNorm2d(c_out))
        self.stride = stride

    def forward(self, x):
        y = x
        for number, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            y = norm(conv(functional.relu(y)))  # (N, c_out, OH, OW)
        return functional.relu(y + shortcut(x, y.shape[1], self.stride))  # (N, c_out, OH, OW)


# %% Stride in every convolution exercise="span-block"
# Every convolution has the stride. Only the first has it.
class SpanBlock(nn.Module):
    """A residual block whose shortcut spans `span` convolutions: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1, span=2):
        super().__init__()
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        for number in range(span):
            step, channels = (stride, c_in) if number == 0 else (stride, c_out)
            self.convs.append(nn.Conv2d(channels, c_out, 3, stride=step, padding=1, bias=False))
            self.norms.append(nn.BatchNorm2d(c_out))
        self.stride = stride

    def forward(self, x):
        y = x
        for number, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            y = norm(conv(functional.relu(y) if number else y))  # (N, c_out, OH, OW)
        return functional.relu(y + shortcut(x, y.shape[1], self.stride))  # (N, c_out, OH, OW)


# %% Layers in plain lists exercise="span-block" covers=[108]
# Layers in Python lists are invisible to PyTorch. Use nn.ModuleList.
class SpanBlock(nn.Module):
    """A residual block whose shortcut spans `span` convolutions: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1, span=2):
        super().__init__()
        self.convs, self.norms = [], []
        for number in range(span):
            step, channels = (stride, c_in) if number == 0 else (1, c_out)
            self.convs.append(nn.Conv2d(channels, c_out, 3, stride=step, padding=1, bias=False))
            self.norms.append(nn.BatchNorm2d(c_out))
        self.stride = stride

    def forward(self, x):
        y = x
        for number, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            y = norm(conv(functional.relu(y) if number else y))  # (N, c_out, OH, OW)
        return functional.relu(y + shortcut(x, y.shape[1], self.stride))  # (N, c_out, OH, OW)


# %% One BatchNorm for the span exercise="span-block" covers=[109]
# All convolutions share one BatchNorm. Each needs its own.
class SpanBlock(nn.Module):
    """A residual block whose shortcut spans `span` convolutions: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1, span=2):
        super().__init__()
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        norm = nn.BatchNorm2d(c_out)
        for number in range(span):
            step, channels = (stride, c_in) if number == 0 else (1, c_out)
            self.convs.append(nn.Conv2d(channels, c_out, 3, stride=step, padding=1, bias=False))
            self.norms.append(norm)
        self.stride = stride

    def forward(self, x):
        y = x
        for number, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            y = norm(conv(functional.relu(y) if number else y))  # (N, c_out, OH, OW)
        return functional.relu(y + shortcut(x, y.shape[1], self.stride))  # (N, c_out, OH, OW)


# %% Span fixed at two exercise="span-block"
# Your block has always two convolutions. Their number is `span`.
class SpanBlock(nn.Module):
    """A residual block whose shortcut spans `span` convolutions: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1, span=2):
        super().__init__()
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        for number in range(2):
            step, channels = (stride, c_in) if number == 0 else (1, c_out)
            self.convs.append(nn.Conv2d(channels, c_out, 3, stride=step, padding=1, bias=False))
            self.norms.append(nn.BatchNorm2d(c_out))
        self.stride = stride

    def forward(self, x):
        y = x
        for number, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            y = norm(conv(functional.relu(y) if number else y))  # (N, c_out, OH, OW)
        return functional.relu(y + shortcut(x, y.shape[1], self.stride))  # (N, c_out, OH, OW)


# %% Shortcut around each convolution exercise="span-block"
# Your shortcut goes around each convolution. It spans all of them.
class SpanBlock(nn.Module):
    def __init__(self, c_in, c_out, stride=1, span=2):
        super().__init__()
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        for number in range(span):
            step, channels = (stride, c_in) if number == 0 else (1, c_out)
            self.convs.append(nn.Conv2d(channels, c_out, 3, stride=step, padding=1, bias=False))
            self.norms.append(nn.BatchNorm2d(c_out))

    def forward(self, x):
        for conv, norm in zip(self.convs, self.norms):
            y = norm(conv(x))
            x = functional.relu(y + shortcut(x, y.shape[1], conv.stride[0]))
        return x


# %% Span without a shortcut exercise="span-block" covers=[96]
# The shortcut is missing.
class SpanBlock(nn.Module):
    """A residual block whose shortcut spans `span` convolutions: (N, c_in, H, W) to (N, c_out, OH, OW)."""

    def __init__(self, c_in, c_out, stride=1, span=2):
        super().__init__()
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        for number in range(span):
            step, channels = (stride, c_in) if number == 0 else (1, c_out)
            self.convs.append(nn.Conv2d(channels, c_out, 3, stride=step, padding=1, bias=False))
            self.norms.append(nn.BatchNorm2d(c_out))
        self.stride = stride

    def forward(self, x):
        y = x
        for number, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            y = norm(conv(functional.relu(y) if number else y))  # (N, c_out, OH, OW)
        return functional.relu(y)  # (N, c_out, OH, OW)


# %% Span block with a running list exercise="span-block" right=true
class SpanBlock(nn.Module):
    def __init__(self, c_in, c_out, stride=1, span=2):
        super().__init__()
        widths = [c_in] + [c_out] * span
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride if k == 0 else 1, 1, bias=False)
            for k, (a, b) in enumerate(zip(widths, widths[1:]))
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(c_out) for _ in range(span))
        self.c_out, self.stride = c_out, stride

    def forward(self, x):
        y = self.norms[0](self.convs[0](x))
        for k in range(1, len(self.convs)):
            y = self.norms[k](self.convs[k](y.relu()))
        return (y + shortcut(x, self.c_out, self.stride)).relu()


# %% All eigenvalues exercise="q-flat"
# Look at the last rows of the printout: smallest and largest are both zero.
q_flat = 24


# %% Theorem without its conditions exercise="q-optimal"
# The theorem assumes linear layers and weights near zero. Which of your nets is like that?
q_optimal = "a"


# %% Flat start taken for a wall exercise="q-optimal"
# Flat at exactly zero weights, in a linear chain. Nets start elsewhere, and your span-3 nets
# trained.
q_optimal = "c"


# %% [markdown]
# ## Responses


# %% After the ReLU exercise="response-stds"
# You listen after the ReLU or addition (at the block's output). The responses of the BatchNorms
# are asked.
def response_stds(net, x):
    """Standard deviations of the outputs of bn1 and bn2 of each block, first to last: a list of floats."""
    stds, was_training = [], net.training

    def listen(module, inputs, output):
        stds.append(functional.relu(output).std(correction=0).item())

    parts = [part for block in net.blocks for part in (block.bn1, block.bn2)]
    handles = [part.register_forward_hook(listen) for part in parts]
    net.eval()
    with torch.no_grad():
        net(x)
    net.train(was_training)
    for handle in handles:
        handle.remove()
    return stds


# %% What goes into BatchNorm exercise="response-stds"
# You measure BatchNorm's input. Its output is asked.
def response_stds(net, x):
    """Standard deviations of the outputs of bn1 and bn2 of each block, first to last: a list of floats."""
    stds, was_training = [], net.training

    def listen(module, inputs, output):
        stds.append(inputs[0].std(correction=0).item())

    parts = [part for block in net.blocks for part in (block.bn1, block.bn2)]
    handles = [part.register_forward_hook(listen) for part in parts]
    net.eval()
    with torch.no_grad():
        net(x)
    net.train(was_training)
    for handle in handles:
        handle.remove()
    return stds


# %% Responses in training mode exercise="response-stds" covers=[79, 118]
# In training mode BatchNorm normalises the batch, and the running statistics move. Evaluation
# mode is asked.
def response_stds(net, x):
    """Standard deviations of the outputs of bn1 and bn2 of each block, first to last: a list of floats."""
    stds, was_training = [], net.training

    def listen(module, inputs, output):
        stds.append(output.std(correction=0).item())

    parts = [part for block in net.blocks for part in (block.bn1, block.bn2)]
    handles = [part.register_forward_hook(listen) for part in parts]
    net.train()
    with torch.no_grad():
        net(x)
    net.train(was_training)
    for handle in handles:
        handle.remove()
    return stds


# %% Mode lost exercise="response-stds"
# The net is left in evaluation mode. Give it back as it came.
def response_stds(net, x):
    """Standard deviations of the outputs of bn1 and bn2 of each block, first to last: a list of floats."""
    stds, was_training = [], net.training

    def listen(module, inputs, output):
        stds.append(output.std(correction=0).item())

    parts = [part for block in net.blocks for part in (block.bn1, block.bn2)]
    handles = [part.register_forward_hook(listen) for part in parts]
    net.eval()
    with torch.no_grad():
        net(x)
    for handle in handles:
        handle.remove()
    return stds


# %% Hooks left behind exercise="response-stds"
# Your hooks stay on the net and listen for ever. Remove each handle.
def response_stds(net, x):
    """Standard deviations of the outputs of bn1 and bn2 of each block, first to last: a list of floats."""
    stds, was_training = [], net.training

    def listen(module, inputs, output):
        stds.append(output.std(correction=0).item())

    parts = [part for block in net.blocks for part in (block.bn1, block.bn2)]
    handles = [part.register_forward_hook(listen) for part in parts]
    net.eval()
    with torch.no_grad():
        net(x)
    net.train(was_training)
    return stds


# %% Divided by n − 1 exercise="response-stds"
# You divide by the number of entries minus 1. Here it is the number of entries: correction=0.
def response_stds(net, x):
    """Standard deviations of the outputs of bn1 and bn2 of each block, first to last: a list of floats."""
    stds, was_training = [], net.training

    def listen(module, inputs, output):
        stds.append(output.std().item())

    parts = [part for block in net.blocks for part in (block.bn1, block.bn2)]
    handles = [part.register_forward_hook(listen) for part in parts]
    net.eval()
    with torch.no_grad():
        net(x)
    net.train(was_training)
    for handle in handles:
        handle.remove()
    return stds


# %% Variance of the responses exercise="response-stds" covers=[82]
# You return the variance. The root is missing.
def response_stds(net, x):
    """Standard deviations of the outputs of bn1 and bn2 of each block, first to last: a list of floats."""
    stds, was_training = [], net.training

    def listen(module, inputs, output):
        stds.append(output.var(correction=0).item())

    parts = [part for block in net.blocks for part in (block.bn1, block.bn2)]
    handles = [part.register_forward_hook(listen) for part in parts]
    net.eval()
    with torch.no_grad():
        net(x)
    net.train(was_training)
    for handle in handles:
        handle.remove()
    return stds


# %% Mean of the channels' deviations exercise="response-stds"
# You average the deviations of the channels. All entries together are asked.
def response_stds(net, x):
    """Standard deviations of the outputs of bn1 and bn2 of each block, first to last: a list of floats."""
    stds, was_training = [], net.training

    def listen(module, inputs, output):
        stds.append(output.std(dim=(0, 2, 3), correction=0).mean().item())

    parts = [part for block in net.blocks for part in (block.bn1, block.bn2)]
    handles = [part.register_forward_hook(listen) for part in parts]
    net.eval()
    with torch.no_grad():
        net(x)
    net.train(was_training)
    for handle in handles:
        handle.remove()
    return stds


# %% Root mean square exercise="response-stds"
# You leave out the mean: that is a root mean square, not a standard deviation.
def response_stds(net, x):
    """Standard deviations of the outputs of bn1 and bn2 of each block, first to last: a list of floats."""
    stds, was_training = [], net.training

    def listen(module, inputs, output):
        stds.append(output.pow(2).mean().sqrt().item())

    parts = [part for block in net.blocks for part in (block.bn1, block.bn2)]
    handles = [part.register_forward_hook(listen) for part in parts]
    net.eval()
    with torch.no_grad():
        net(x)
    net.train(was_training)
    for handle in handles:
        handle.remove()
    return stds


# %% Second BatchNorm only exercise="response-stds"
# One number a block is too few: bn1 and bn2 are asked.
def response_stds(net, x):
    """Standard deviations of the outputs of bn1 and bn2 of each block, first to last: a list of floats."""
    stds, was_training = [], net.training

    def listen(module, inputs, output):
        stds.append(output.std(correction=0).item())

    parts = [part for block in net.blocks for part in (block.bn2,)]
    handles = [part.register_forward_hook(listen) for part in parts]
    net.eval()
    with torch.no_grad():
        net(x)
    net.train(was_training)
    for handle in handles:
        handle.remove()
    return stds


# %% All first BatchNorms, then all second exercise="response-stds"
# The order is wrong: block by block, bn1 then bn2.
def response_stds(net, x):
    """Standard deviations of the outputs of bn1 and bn2 of each block, first to last: a list of floats."""
    stds, was_training = [], net.training

    def listen(module, inputs, output):
        stds.append(output.std(correction=0).item())

    parts = [part for block in net.blocks for part in (block.bn1, block.bn2)]
    handles = [part.register_forward_hook(listen) for part in parts]
    net.eval()
    with torch.no_grad():
        net(x)
    net.train(was_training)
    for handle in handles:
        handle.remove()
    return stds[::2] + stds[1::2]


# %% Responses by hand exercise="response-stds" right=true
def response_stds(net, x):
    heard = {}

    def ear(key):
        return lambda module, inputs, output: heard.update({key: output.detach().clone()})

    mode = net.training
    net.eval()
    handles = []
    for i, block in enumerate(net.blocks):
        handles.append(block.bn1.register_forward_hook(ear((i, 1))))
        handles.append(block.bn2.register_forward_hook(ear((i, 2))))
    try:
        with torch.no_grad():
            net(x)
    finally:
        net.train(mode)
        for handle in handles:
            handle.remove()
    return [float(np.std(heard[key].numpy())) for key in sorted(heard)]


# %% Responses on a copy exercise="response-stds" right=true
def response_stds(net, x):
    twin, stds = copy.deepcopy(net).eval(), []
    for block in twin.blocks:
        for part in (block.bn1, block.bn2):
            part.register_forward_hook(lambda m, i, o: stds.append((o - o.mean()).pow(2).mean().sqrt()))
    with torch.no_grad():
        twin(x)
    return [float(value) for value in stds]


# %% A negative deviation exercise="q-gamma"
# A standard deviation is never negative: the sign of γ turns the values over, not their spread.
q_gamma = -0.5


# %% Beta for the spread exercise="q-gamma"
# β moves all values alike and changes no spread.
q_gamma = 2


# %% The variance of the channel exercise="q-gamma"
# That is the variance. The standard deviation is asked.
q_gamma = 0.25


# %% Hypothesis taken for a measurement exercise="q-claims"
# That the residual is simpler is the paper's hypothesis. Small responses support it; they do not
# measure simplicity.
q_claims = {"training": "measured", "small": "measured", "noise": "unsupported", "class": "unsupported"}


# %% Noise claimed exercise="q-claims"
# The paper neither claims nor tests robustness to noise.
q_claims = {"training": "measured", "small": "hypothesis", "noise": "hypothesis", "class": "unsupported"}


# %% A larger class of functions exercise="q-claims"
# The paper's point is that good solutions become easier to find, not that more functions can be
# represented.
q_claims = {"training": "measured", "small": "hypothesis", "noise": "unsupported", "class": "hypothesis"}


# %% [markdown]
# ## Landscapes


# %% The whole tensor normalised exercise="filter-normalised"
# You give the tensor as a whole the weights' norm. Each filter is scaled by itself.
def filter_normalised(direction, weights):
    """direction, with each filter as long as that of weights; dicts of tensors by name."""
    result = {}
    for name, d in direction.items():
        if d.ndim < 2:
            result[name] = torch.zeros_like(d)
            continue
        lengths = d.norm().expand(len(d))  # (F,)
        lengths = torch.where(lengths > 0, lengths, 1)
        factors = weights[name].detach().norm() / lengths  # (F,)
        result[name] = d * factors.reshape(-1, *[1] * (d.ndim - 1))
    return result


# %% Norm over the output channels exercise="filter-normalised"
# You normalise along the wrong axis: a filter is a slice [f] along axis 0.
def filter_normalised(direction, weights):
    """direction, with each filter as long as that of weights; dicts of tensors by name."""
    result = {}
    for name, d in direction.items():
        if d.ndim < 2:
            result[name] = torch.zeros_like(d)
            continue
        lengths = d.transpose(0, 1).flatten(1).norm(dim=1)  # (F,)
        lengths = torch.where(lengths > 0, lengths, 1)
        factors = weights[name].detach().transpose(0, 1).flatten(1).norm(dim=1) / lengths  # (F,)
        result[name] = d * factors.reshape(1, -1, *[1] * (d.ndim - 2))
    return result


# %% Unit filters exercise="filter-normalised"
# The filters get length 1. They should be as long as those of the weights.
def filter_normalised(direction, weights):
    """direction, with each filter as long as that of weights; dicts of tensors by name."""
    result = {}
    for name, d in direction.items():
        if d.ndim < 2:
            result[name] = torch.zeros_like(d)
            continue
        lengths = d.flatten(1).norm(dim=1)  # (F,)
        lengths = torch.where(lengths > 0, lengths, 1)
        factors = 1 / lengths  # (F,)
        result[name] = d * factors.reshape(-1, *[1] * (d.ndim - 1))
    return result


# %% Multiplied, not normalised exercise="filter-normalised"
# You multiply by the weights' norm without dividing by the direction's own.
def filter_normalised(direction, weights):
    """direction, with each filter as long as that of weights; dicts of tensors by name."""
    result = {}
    for name, d in direction.items():
        if d.ndim < 2:
            result[name] = torch.zeros_like(d)
            continue
        lengths = d.flatten(1).norm(dim=1)  # (F,)
        lengths = torch.where(lengths > 0, lengths, 1)
        factors = weights[name].detach().flatten(1).norm(dim=1)  # (F,)
        result[name] = d * factors.reshape(-1, *[1] * (d.ndim - 1))
    return result


# %% One-axis tensors kept exercise="filter-normalised"
# γ, β and biases move along. They stay where they are: zeros.
def filter_normalised(direction, weights):
    """direction, with each filter as long as that of weights; dicts of tensors by name."""
    result = {}
    for name, d in direction.items():
        if d.ndim < 2:
            result[name] = d
            continue
        lengths = d.flatten(1).norm(dim=1)  # (F,)
        lengths = torch.where(lengths > 0, lengths, 1)
        factors = weights[name].detach().flatten(1).norm(dim=1) / lengths  # (F,)
        result[name] = d * factors.reshape(-1, *[1] * (d.ndim - 1))
    return result


# %% One-axis tensors normalised exercise="filter-normalised"
# You give γ, β and biases the weights' norm as well. They get zeros.
def filter_normalised(direction, weights):
    """direction, with each filter as long as that of weights; dicts of tensors by name."""
    result = {}
    for name, d in direction.items():
        if d.ndim < 2:
            result[name] = d / d.norm() * weights[name].detach().norm()
            continue
        lengths = d.flatten(1).norm(dim=1)  # (F,)
        lengths = torch.where(lengths > 0, lengths, 1)
        factors = weights[name].detach().flatten(1).norm(dim=1) / lengths  # (F,)
        result[name] = d * factors.reshape(-1, *[1] * (d.ndim - 1))
    return result


# %% One-axis tensors left out exercise="filter-normalised"
# Names are missing in the result. One-axis tensors are there, as zeros.
def filter_normalised(direction, weights):
    """direction, with each filter as long as that of weights; dicts of tensors by name."""
    result = {}
    for name, d in direction.items():
        if d.ndim < 2:
            continue
        lengths = d.flatten(1).norm(dim=1)  # (F,)
        lengths = torch.where(lengths > 0, lengths, 1)
        factors = weights[name].detach().flatten(1).norm(dim=1) / lengths  # (F,)
        result[name] = d * factors.reshape(-1, *[1] * (d.ndim - 1))
    return result


# %% Linear layers not normalised exercise="filter-normalised"
# Only convolutions are treated. The rows of a linear layer are filters too.
def filter_normalised(direction, weights):
    """direction, with each filter as long as that of weights; dicts of tensors by name."""
    result = {}
    for name, d in direction.items():
        if d.ndim < 4:
            result[name] = torch.zeros_like(d)
            continue
        lengths = d.flatten(1).norm(dim=1)  # (F,)
        lengths = torch.where(lengths > 0, lengths, 1)
        factors = weights[name].detach().flatten(1).norm(dim=1) / lengths  # (F,)
        result[name] = d * factors.reshape(-1, *[1] * (d.ndim - 1))
    return result


# %% Division by zero exercise="filter-normalised"
# A filter of zeros gives 0/0. It has no direction: leave it zero.
def filter_normalised(direction, weights):
    """direction, with each filter as long as that of weights; dicts of tensors by name."""
    result = {}
    for name, d in direction.items():
        if d.ndim < 2:
            result[name] = torch.zeros_like(d)
            continue
        lengths = d.flatten(1).norm(dim=1)  # (F,)
        lengths = lengths * 1
        factors = weights[name].detach().flatten(1).norm(dim=1) / lengths  # (F,)
        result[name] = d * factors.reshape(-1, *[1] * (d.ndim - 1))
    return result


# %% Direction changed in place exercise="filter-normalised"
# You overwrite the direction that was given. Return new tensors.
def filter_normalised(direction, weights):
    """direction, with each filter as long as that of weights; dicts of tensors by name."""
    result = {}
    for name, d in direction.items():
        if d.ndim < 2:
            result[name] = torch.zeros_like(d)
            continue
        lengths = d.flatten(1).norm(dim=1)  # (F,)
        lengths = torch.where(lengths > 0, lengths, 1)
        factors = weights[name].detach().flatten(1).norm(dim=1) / lengths  # (F,)
        result[name] = d.mul_(factors.reshape(-1, *[1] * (d.ndim - 1)))
    return result


# %% Squared lengths exercise="filter-normalised"
# The root of the sum of squares is missing in the lengths.
def filter_normalised(direction, weights):
    """direction, with each filter as long as that of weights; dicts of tensors by name."""
    result = {}
    for name, d in direction.items():
        if d.ndim < 2:
            result[name] = torch.zeros_like(d)
            continue
        lengths = d.flatten(1).pow(2).sum(dim=1)  # (F,)
        lengths = torch.where(lengths > 0, lengths, 1)
        factors = weights[name].detach().flatten(1).pow(2).sum(dim=1) / lengths  # (F,)
        result[name] = d * factors.reshape(-1, *[1] * (d.ndim - 1))
    return result


# %% Filters in a loop exercise="filter-normalised" right=true
def filter_normalised(direction, weights):
    normalised = {}
    for name in direction:
        d = direction[name].clone()
        if d.dim() <= 1:
            d.fill_(0)
        else:
            for f in range(d.shape[0]):
                length = float(d[f].norm())
                if length:
                    d[f] *= float(weights[name][f].norm()) / length
        normalised[name] = d
    return normalised


# %% Norms over all other axes exercise="filter-normalised" right=true
def filter_normalised(direction, weights):
    def lengths(t):
        axes = tuple(range(1, t.ndim))
        return t.detach().square().sum(dim=axes, keepdim=True).sqrt()

    return {
        name: d / lengths(d).clamp(min=1e-300) * lengths(weights[name]) if d.ndim > 1 else 0 * d
        for name, d in direction.items()
    }


# %% Slices in training mode exercise="loss-slices" covers=[73]
# You evaluate in training mode: batch statistics, and running ones that move. Evaluation mode is
# asked.
def loss_along(net, direction, alphas, x, y):
    """Mean cross-entropy at w + alpha * direction for each alpha, evaluation mode: a list of floats."""
    zero = {name: torch.zeros_like(d) for name, d in direction.items()}
    return loss_surface(net, direction, zero, alphas, [0.0], x, y)[:, 0].tolist()


def loss_surface(net, first, second, alphas, betas, x, y):
    """Mean cross-entropy at w + alpha * first + beta * second: array (len(alphas), len(betas))."""
    probe = copy.deepcopy(net).train()
    surface = np.empty((len(alphas), len(betas)))
    with torch.no_grad():
        for i, alpha in enumerate(alphas):
            for j, beta in enumerate(betas):
                for (name, p), w in zip(probe.named_parameters(), net.parameters()):
                    p.copy_(w + float(alpha) * first[name] + float(beta) * second[name])
                surface[i, j] = functional.cross_entropy(probe(x), y)
    return surface


# %% Mode as it came exercise="loss-slices"
# The slices depend on the mode in which the net came. Switch to evaluation.
def loss_along(net, direction, alphas, x, y):
    """Mean cross-entropy at w + alpha * direction for each alpha, evaluation mode: a list of floats."""
    zero = {name: torch.zeros_like(d) for name, d in direction.items()}
    return loss_surface(net, direction, zero, alphas, [0.0], x, y)[:, 0].tolist()


def loss_surface(net, first, second, alphas, betas, x, y):
    """Mean cross-entropy at w + alpha * first + beta * second: array (len(alphas), len(betas))."""
    probe = copy.deepcopy(net)
    surface = np.empty((len(alphas), len(betas)))
    with torch.no_grad():
        for i, alpha in enumerate(alphas):
            for j, beta in enumerate(betas):
                for (name, p), w in zip(probe.named_parameters(), net.parameters()):
                    p.copy_(w + float(alpha) * first[name] + float(beta) * second[name])
                surface[i, j] = functional.cross_entropy(probe(x), y)
    return surface


# %% Steps that add up exercise="loss-slices"
# Each step starts where the last one ended. Every point is w + α·d from the saved weights.
def loss_along(net, direction, alphas, x, y):
    """Mean cross-entropy at w + alpha * direction for each alpha, evaluation mode: a list of floats."""
    zero = {name: torch.zeros_like(d) for name, d in direction.items()}
    return loss_surface(net, direction, zero, alphas, [0.0], x, y)[:, 0].tolist()


def loss_surface(net, first, second, alphas, betas, x, y):
    """Mean cross-entropy at w + alpha * first + beta * second: array (len(alphas), len(betas))."""
    probe = copy.deepcopy(net).eval()
    surface = np.empty((len(alphas), len(betas)))
    with torch.no_grad():
        for i, alpha in enumerate(alphas):
            for j, beta in enumerate(betas):
                for (name, p), w in zip(probe.named_parameters(), net.parameters()):
                    p.add_(float(alpha) * first[name] + float(beta) * second[name])
                surface[i, j] = functional.cross_entropy(probe(x), y)
    return surface


# %% Weights not restored exercise="loss-slices"
# The net keeps the weights of the last point.
def loss_along(net, direction, alphas, x, y):
    """Mean cross-entropy at w + alpha * direction for each alpha, evaluation mode: a list of floats."""
    zero = {name: torch.zeros_like(d) for name, d in direction.items()}
    return loss_surface(net, direction, zero, alphas, [0.0], x, y)[:, 0].tolist()


def loss_surface(net, first, second, alphas, betas, x, y):
    """Mean cross-entropy at w + alpha * first + beta * second: array (len(alphas), len(betas))."""
    probe, start = net.eval(), [p.detach().clone() for p in net.parameters()]
    surface = np.empty((len(alphas), len(betas)))
    with torch.no_grad():
        for i, alpha in enumerate(alphas):
            for j, beta in enumerate(betas):
                for (name, p), w in zip(probe.named_parameters(), start):
                    p.copy_(w + float(alpha) * first[name] + float(beta) * second[name])
                surface[i, j] = functional.cross_entropy(probe(x), y)
    return surface


# %% Weights restored by subtraction exercise="loss-slices"
# Adding and subtracting leaves rounding errors in the weights. Save them, and copy them back.
def loss_along(net, direction, alphas, x, y):
    return loss_surface(net, direction, direction, alphas, [0.0], x, y)[:, 0].tolist()


def loss_surface(net, first, second, alphas, betas, x, y):
    mode = net.training
    net.eval()
    surface = np.empty((len(alphas), len(betas)))
    with torch.no_grad():
        for i, a in enumerate(alphas):
            for j, b in enumerate(betas):
                for name, p in net.named_parameters():
                    p.add_(a * first[name]).add_(b * second[name])
                surface[i, j] = functional.cross_entropy(net(x), y)
                for name, p in net.named_parameters():
                    p.sub_(a * first[name]).sub_(b * second[name])
    net.train(mode)
    return surface


# %% Mode not restored exercise="loss-slices"
# The net is left in evaluation mode.
def loss_along(net, direction, alphas, x, y):
    """Mean cross-entropy at w + alpha * direction for each alpha, evaluation mode: a list of floats."""
    zero = {name: torch.zeros_like(d) for name, d in direction.items()}
    return loss_surface(net, direction, zero, alphas, [0.0], x, y)[:, 0].tolist()


def loss_surface(net, first, second, alphas, betas, x, y):
    """Mean cross-entropy at w + alpha * first + beta * second: array (len(alphas), len(betas))."""
    start = [p.detach().clone() for p in net.parameters()]
    probe = net.eval()
    surface = np.empty((len(alphas), len(betas)))
    with torch.no_grad():
        for i, alpha in enumerate(alphas):
            for j, beta in enumerate(betas):
                for (name, p), w in zip(probe.named_parameters(), start):
                    p.copy_(w + float(alpha) * first[name] + float(beta) * second[name])
                surface[i, j] = functional.cross_entropy(probe(x), y)
    for p, w in zip(net.parameters(), start):
        p.data.copy_(w)
    return surface


# %% Alpha and beta swapped exercise="loss-slices"
# Rows belong to alpha and the first direction, columns to beta and the second.
def loss_along(net, direction, alphas, x, y):
    """Mean cross-entropy at w + alpha * direction for each alpha, evaluation mode: a list of floats."""
    zero = {name: torch.zeros_like(d) for name, d in direction.items()}
    return loss_surface(net, direction, zero, alphas, [0.0], x, y)[:, 0].tolist()


def loss_surface(net, first, second, alphas, betas, x, y):
    """Mean cross-entropy at w + alpha * first + beta * second: array (len(alphas), len(betas))."""
    probe = copy.deepcopy(net).eval()
    surface = np.empty((len(alphas), len(betas)))
    with torch.no_grad():
        for i, alpha in enumerate(alphas):
            for j, beta in enumerate(betas):
                for (name, p), w in zip(probe.named_parameters(), net.parameters()):
                    p.copy_(w + float(beta) * first[name] + float(alpha) * second[name])
                surface[i, j] = functional.cross_entropy(probe(x), y)
    return surface


# %% Surface transposed exercise="loss-slices"
# The array is transposed: entry [i, j] is for alphas[i] and betas[j].
def loss_along(net, direction, alphas, x, y):
    """Mean cross-entropy at w + alpha * direction for each alpha, evaluation mode: a list of floats."""
    zero = {name: torch.zeros_like(d) for name, d in direction.items()}
    return loss_surface(net, direction, zero, alphas, [0.0], x, y)[:, 0].tolist()


def loss_surface(net, first, second, alphas, betas, x, y):
    """Mean cross-entropy at w + alpha * first + beta * second: array (len(alphas), len(betas))."""
    probe = copy.deepcopy(net).eval()
    surface = np.empty((len(alphas), len(betas)))
    with torch.no_grad():
        for i, alpha in enumerate(alphas):
            for j, beta in enumerate(betas):
                for (name, p), w in zip(probe.named_parameters(), net.parameters()):
                    p.copy_(w + float(alpha) * first[name] + float(beta) * second[name])
                surface[i, j] = functional.cross_entropy(probe(x), y)
    return surface.T


# %% Loss of the error exercise="loss-slices"
# You return the error. The mean cross-entropy is asked.
def loss_along(net, direction, alphas, x, y):
    """Mean cross-entropy at w + alpha * direction for each alpha, evaluation mode: a list of floats."""
    zero = {name: torch.zeros_like(d) for name, d in direction.items()}
    return loss_surface(net, direction, zero, alphas, [0.0], x, y)[:, 0].tolist()


def loss_surface(net, first, second, alphas, betas, x, y):
    """Mean cross-entropy at w + alpha * first + beta * second: array (len(alphas), len(betas))."""
    probe = copy.deepcopy(net).eval()
    surface = np.empty((len(alphas), len(betas)))
    with torch.no_grad():
        for i, alpha in enumerate(alphas):
            for j, beta in enumerate(betas):
                for (name, p), w in zip(probe.named_parameters(), net.parameters()):
                    p.copy_(w + float(alpha) * first[name] + float(beta) * second[name])
                surface[i, j] = (probe(x).argmax(dim=1) != y).double().mean()
    return surface


# %% Only convolutions moved exercise="loss-slices"
# Only tensors with two or more axes move. Which entries move is the direction's business: take
# all names.
def loss_along(net, direction, alphas, x, y):
    """Mean cross-entropy at w + alpha * direction for each alpha, evaluation mode: a list of floats."""
    zero = {name: torch.zeros_like(d) for name, d in direction.items()}
    return loss_surface(net, direction, zero, alphas, [0.0], x, y)[:, 0].tolist()


def loss_surface(net, first, second, alphas, betas, x, y):
    """Mean cross-entropy at w + alpha * first + beta * second: array (len(alphas), len(betas))."""
    probe = copy.deepcopy(net).eval()
    surface = np.empty((len(alphas), len(betas)))
    with torch.no_grad():
        for i, alpha in enumerate(alphas):
            for j, beta in enumerate(betas):
                for (name, p), w in zip(probe.named_parameters(), net.parameters()):
                    p.copy_(w + (w.ndim > 1) * (float(alpha) * first[name] + float(beta) * second[name]))
                surface[i, j] = functional.cross_entropy(probe(x), y)
    return surface


# %% Sum of the losses exercise="loss-slices" covers=[61]
# You add the losses of the images up. Their mean is asked.
def loss_along(net, direction, alphas, x, y):
    """Mean cross-entropy at w + alpha * direction for each alpha, evaluation mode: a list of floats."""
    zero = {name: torch.zeros_like(d) for name, d in direction.items()}
    return loss_surface(net, direction, zero, alphas, [0.0], x, y)[:, 0].tolist()


def loss_surface(net, first, second, alphas, betas, x, y):
    """Mean cross-entropy at w + alpha * first + beta * second: array (len(alphas), len(betas))."""
    probe = copy.deepcopy(net).eval()
    surface = np.empty((len(alphas), len(betas)))
    with torch.no_grad():
        for i, alpha in enumerate(alphas):
            for j, beta in enumerate(betas):
                for (name, p), w in zip(probe.named_parameters(), net.parameters()):
                    p.copy_(w + float(alpha) * first[name] + float(beta) * second[name])
                surface[i, j] = functional.cross_entropy(probe(x), y, reduction="sum")
    return surface


# %% Slices with functional_call exercise="loss-slices" right=true
def loss_along(net, direction, alphas, x, y):
    mode, losses = net.training, []
    net.eval()
    weights = {name: p.detach() for name, p in net.named_parameters()}
    with torch.no_grad():
        for alpha in alphas:
            moved = {name: w + alpha * direction[name] for name, w in weights.items()}
            logits = torch.func.functional_call(net, moved, (x,))
            losses.append(functional.cross_entropy(logits, y).item())
    net.train(mode)
    return losses


def loss_surface(net, first, second, alphas, betas, x, y):
    rows = []
    for alpha in alphas:
        shifted = copy.deepcopy(net)
        with torch.no_grad():
            for name, p in shifted.named_parameters():
                p += alpha * first[name]
        rows.append(loss_along(shifted, second, betas, x, y))
    return np.array(rows)


# %% Slices with a saved state exercise="loss-slices" right=true
def loss_along(net, direction, alphas, x, y):
    still = {name: 0 * d for name, d in direction.items()}
    return [float(row[0]) for row in loss_surface(net, direction, still, alphas, [0], x, y)]


def loss_surface(net, first, second, alphas, betas, x, y):
    mode, saved = net.training, copy.deepcopy(net.state_dict())
    net.eval()
    rows = []
    for alpha in alphas:
        rows.append([])
        for beta in betas:
            moved = dict(saved)
            for name, _ in net.named_parameters():
                moved[name] = saved[name] + alpha * first[name] + beta * second[name]
            net.load_state_dict(moved)
            with torch.no_grad():
                rows[-1].append(nn.functional.cross_entropy(net(x), y).item())
    net.load_state_dict(saved)
    net.train(mode)
    return np.array(rows)


# %% Width taken at face value exercise="q-wide"
# Along raw directions width measures the size of the weights as well. Look at the two left
# curves: one function, two widths.
q_wide = "a"


# %% Width taken for generalisation exercise="q-wide"
# Two nets that compute the same function generalise equally well, however wide their raw slices
# are.
q_wide = "b"


# %% No parameter of a two-dimensional net has five axes exercise="gradient-norms" equivalent=true
# Convolution weights have four axes, everything else fewer.
# - weights = [p for p in probe.blocks.parameters() if p.ndim == 4]
# + weights = [p for p in probe.blocks.parameters() if p.ndim >= 4]


# %% A NumPy number multiplies a tensor too exercise="loss-slices" equivalent=true
# float() only keeps NumPy's numbers out of PyTorch's arithmetic; the product is the same.
# - p.copy_(w + float(alpha) * first[name] + float(beta) * second[name])
# + p.copy_(w + alpha * first[name] + float(beta) * second[name])
# + p.copy_(w + float(alpha) * first[name] + beta * second[name])


# %% Block numbers start at zero exercise="digit-net" equivalent=true
# A block's number in its stage is never negative.
# - blocks.append(block(c_in, c_out, 2 if stage > 0 and number == 0 else 1))
# + blocks.append(block(c_in, c_out, 2 if stage > 0 and number <= 0 else 1))


# %% A mean over both axes exercise="digit-net" equivalent=true
# The mean over rows and columns is the mean over columns and rows.
# - return self.fc(x.mean(dim=(2, 3)))
# + return self.fc(x.mean(dim=(3, 2)))


# %% Either layer first exercise="make-identity" equivalent=true
# The two convolutions, and the two BatchNorms, are set one by one; their order makes no difference.
# - for conv in (block.conv1, block.conv2):
# + for conv in (block.conv2, block.conv1):
# - for bn in (block.bn1, block.bn2):
# + for bn in (block.bn2, block.bn1):


# %% A Jacobian with a graph exercise="jacobian" equivalent=true
# The numbers are asked. Whether they bring a graph along, if the function has weights, is left open.
# - with torch.no_grad():
# + if True:


# %% A step in float32 exercise="jacobian" equivalent=true
# 0.0001 in float32 is off by a part in 40 million, far below any tolerance for a difference quotient.
# - nudge = torch.zeros(x.numel(), dtype=torch.float64)
# + nudge = torch.zeros(x.numel())


# %% The step is float64 already exercise="jacobian" equivalent=true
# The sum of a float32 and a float64 tensor is float64: one of the two conversions is enough.
# - rise = function(x.double() + nudge) - function(x.double() - nudge)
# + rise = function(x + nudge) - function(x.double() - nudge)
# + rise = function(x.double() + nudge) - function(x - nudge)


# %% Two empty lists exercise="span-block" equivalent=true
# Both lists are empty: whichever gets which, each is filled by its name.
# - self.convs, self.norms = (nn.ModuleList(), nn.ModuleList())
# + self.norms, self.convs = (nn.ModuleList(), nn.ModuleList())


# %% The first convolution has number zero exercise="span-block" equivalent=true
# No number is negative.
# - step, channels = (stride, c_in) if number == 0 else (1, c_out)
# + step, channels = (stride, c_in) if number <= 0 else (1, c_out)


# %% Hooks in any order exercise="response-stds" equivalent=true
# Hooks speak when their module runs; in which order they were set makes no difference.
# - parts = [part for block in net.blocks for part in (block.bn1, block.bn2)]
# + parts = [part for block in net.blocks for part in (block.bn2, block.bn1)]


# %% Responses with gradients recorded exercise="response-stds" equivalent=true
# Without no_grad the pass takes more memory; the floats are the same, and the graph is gone with them.
# - with torch.no_grad():
# + if True:


# %% A filter of zeros has any length exercise="filter-normalised" equivalent=true
# The filter that is divided by it is zero: any positive number will do.
# - lengths = torch.where(lengths > 0, lengths, 1)
# + lengths = torch.where(lengths > 0, lengths, 2)


# %% A direction with a graph exercise="filter-normalised" equivalent=true
# The numbers are asked. Steps along a direction are made in no_grad, with a graph on it or without.
# - factors = weights[name].detach().flatten(1).norm(dim=1) / lengths
# + factors = weights[name].flatten(1).norm(dim=1) / lengths


# %% A second direction times zero exercise="loss-slices" equivalent=true
# The line is a surface with beta = 0 as its one column: any second direction will do, and with a second
# direction of zeros any beta. The first column is the last.
# - zero = {name: torch.zeros_like(d) for name, d in direction.items()}
# + zero = {name: d for name, d in direction.items()}
# + zero = {name: torch.ones_like(d) for name, d in direction.items()}
# - return loss_surface(net, direction, zero, alphas, [0.0], x, y)[:, 0].tolist()
# + return loss_surface(net, direction, zero, alphas, [1.0], x, y)[:, 0].tolist()
# + return loss_surface(net, direction, zero, alphas, [0.0], x, y)[:, -1].tolist()
