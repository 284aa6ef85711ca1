# %% [markdown]
# ## ImageNet and the top-5 error


# %% Accuracy instead of error exercise="topk-error"
# You return the fraction of images that are right. The error is the fraction that are wrong.
def topk_error(scores, labels, k):
    best = scores.topk(k, dim=1).indices
    return (best == labels[:, None]).any(dim=1).double().mean().item()


# %% Divided by the number of guesses exercise="topk-error"
# You average over all k guesses of all images. An image counts once: it is right if any of its
# guesses is.
def topk_error(scores, labels, k):
    best = scores.topk(k, dim=1).indices
    return 1 - (best == labels[:, None]).double().mean().item()


# %% The lowest scores exercise="topk-error"
# argsort sorts upwards: its first columns are the classes with the lowest scores.
def topk_error(scores, labels, k):
    best = scores.argsort(dim=1)[:, :k]
    return 1 - (best == labels[:, None]).any(dim=1).double().mean().item()


# %% Percent exercise="topk-error"
# The error was asked as a fraction between 0 and 1; yours is a percentage.
def topk_error(scores, labels, k):
    best = scores.topk(k, dim=1).indices
    return 100 * (1 - (best == labels[:, None]).any(dim=1).double().mean().item())


# %% Only the k-th guess looked at exercise="topk-error"
# You compare the label with the k-th guess alone. All of the first k count.
def topk_error(scores, labels, k):
    best = scores.topk(k, dim=1).indices[:, -1]
    return 1 - (best == labels).double().mean().item()


# %% Always the top 1 exercise="topk-error"
# Your error is that of the first guess for every k.
def topk_error(scores, labels, k):
    return (scores.argmax(dim=1) != labels).double().mean().item()


# %% The number of wrong images exercise="topk-error"
# You return how many images are wrong. Divide by the number of images.
def topk_error(scores, labels, k):
    best = scores.topk(k, dim=1).indices
    return float((~(best == labels[:, None]).any(dim=1)).sum())


# %% Best scores over the batch exercise="topk-error"
# You look for the highest scores along the batch (dim 0). Each image has guesses of its own.
def topk_error(scores, labels, k):
    best = scores.topk(min(k, len(scores)), dim=0).indices
    hit = torch.stack([(best[:, c] == i).any() for i, c in enumerate(labels.tolist())])
    return 1 - hit.double().mean().item()


# %% Always five guesses exercise="topk-error"
# You always look at five guesses; k says how many.
def topk_error(scores, labels, k):
    best = scores.topk(min(5, scores.shape[1]), dim=1).indices
    return 1 - (best == labels[:, None]).any(dim=1).double().mean().item()


# %% By the place of the label exercise="topk-error" right=true
def topk_error(scores, labels, k):
    own = scores.gather(1, labels[:, None])
    return ((scores > own).sum(dim=1) >= k).float().mean()


# %% With a loop exercise="topk-error" right=true
def topk_error(scores, labels, k):
    wrong = 0
    for row, label in zip(scores.tolist(), labels.tolist()):
        order = sorted(range(len(row)), key=lambda c: -row[c])
        wrong += label not in order[:k]
    return wrong / len(labels)


# %% Points called percent exercise="q-points"
# 10.9 is the difference of two percentages: percentage points. The relative reduction divides it by
# the old error.
q_points = 10.9
q_relative = 10.9
q_one_net = 18.2


# %% Relative to the new error exercise="q-points"
# "Percent of the runner-up's error": divide by 26.2, not by 15.3.
q_points = 26.2 - 15.3
q_relative = 100 * (26.2 - 15.3) / 15.3
q_one_net = 18.2


# %% The ensemble taken for one network exercise="q-points"
# 16.4% is the average of five networks. One network alone has 18.2%.
q_points = 10.9
q_relative = 41.6
q_one_net = 16.4


# %% Rounded answers exercise="q-points" right=true
q_points = 10.9
q_relative = 41.6
q_one_net = 18.2


# %% VGG before ZFNet exercise="q-history"
# ZFNet is of 2013, VGG of 2014.
q_order = ["LeNet-5", "AlexNet", "VGG", "ZFNet", "ResNet", "DenseNet"]
q_depth_factor = 19


# %% DenseNet before ResNet exercise="q-history"
# ResNet is of December 2015; DenseNet, of August 2016, builds on it.
q_order = ["LeNet-5", "AlexNet", "ZFNet", "VGG", "DenseNet", "ResNet"]
q_depth_factor = 19


# %% Depth against 19 layers exercise="q-history"
# The winner of 2012 is AlexNet with 8 layers. 152 is 8 times VGG's 19.
q_order = ["LeNet-5", "AlexNet", "ZFNet", "VGG", "ResNet", "DenseNet"]
q_depth_factor = 8


# %% All of ImageNet over 1,000 classes exercise="q-imagenet"
# 14.2 million images are the whole of ImageNet with its 21,800 synsets. The contest's part has 1.28
# million training images.
q_per_class = 14_200
q_not_new = "the convolutional layer"
q_training_papers = 3


# %% GPUs called old exercise="q-imagenet"
# Training on GPUs was new in the contest of 2012. Convolutional layers go back to 1980.
q_per_class = 1280
q_not_new = "training on GPUs"
q_training_papers = 3


# %% GAN counted as a training method exercise="q-imagenet"
# Three: Adam (an optimizer), dropout (a regulariser), batch normalisation (a normaliser). GAN and
# Faster R-CNN say what to build.
q_per_class = 1280
q_not_new = "the convolutional layer"
q_training_papers = 4


# %% [markdown]
# ## The engine


# %% Buffers counted exercise="layer-params" covers=[33]
# state_dict holds the buffers as well: running mean, running variance and a counter. They are
# measured, not learned.
def layer_params(layer):
    return sum(value.numel() for value in layer.state_dict().values())


# %% Bias left out exercise="layer-params" covers=[26]
# You count the weights alone. Biases are learned too.
def layer_params(layer):
    return layer.weight.numel() if getattr(layer, "weight", None) is not None else 0


# %% Formula without groups exercise="layer-params" covers=[30]
# With groups a filter sees C_in / g channels only.
def layer_params(layer):
    if isinstance(layer, nn.Conv2d):
        kh, kw = layer.kernel_size
        bias = layer.out_channels if layer.bias is not None else 0
        return layer.out_channels * layer.in_channels * kh * kw + bias
    return sum(p.numel() for p in layer.parameters())


# %% Square kernels assumed exercise="layer-params" covers=[20]
# You take the kernel's height for its width. A kernel may be rectangular.
def layer_params(layer):
    if isinstance(layer, nn.Conv2d):
        k = layer.kernel_size[0]
        bias = layer.out_channels if layer.bias is not None else 0
        return layer.out_channels * layer.in_channels // layer.groups * k * k + bias
    return sum(p.numel() for p in layer.parameters())


# %% Pooling given parameters exercise="layer-params" covers=[29]
# A pooling window has a size, but nothing in it is learned.
def layer_params(layer):
    if isinstance(layer, (nn.MaxPool2d, nn.AvgPool2d)):
        size = layer.kernel_size
        return size * size if isinstance(size, int) else size[0] * size[1]
    return sum(p.numel() for p in layer.parameters())


# %% A bias assumed everywhere exercise="layer-params"
# Layers may be built with bias=False. Count what is there.
def layer_params(layer):
    if isinstance(layer, nn.Conv2d):
        return layer.weight.numel() + layer.out_channels
    if isinstance(layer, nn.Linear):
        return layer.weight.numel() + layer.out_features
    return sum(p.numel() for p in layer.parameters())


# %% The number of tensors exercise="layer-params"
# You count the tensors, not the numbers in them.
def layer_params(layer):
    return len(list(layer.parameters()))


# %% Batch norm called free exercise="layer-params"
# A batch norm learns a scale and a shift for each channel.
def layer_params(layer):
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        return sum(p.numel() for p in layer.parameters())
    return 0


# %% Products of shapes exercise="layer-params" right=true
def layer_params(layer):
    return int(sum(np.prod(tuple(p.shape)) for p in layer.parameters()))


# %% FLOPs instead of MACs exercise="layer-macs" covers=[27]
# Twice too much: one MAC is a multiplication and an addition. You counted FLOPs.
def layer_macs(layer, in_shape, out_shape):
    if isinstance(layer, nn.Conv2d):
        return 2 * layer.weight[0].numel() * math.prod(out_shape)
    if isinstance(layer, nn.Linear):
        return 2 * layer.in_features * math.prod(out_shape)
    return 0


# %% The input's pixels exercise="layer-macs" covers=[28]
# You multiply by the height and width of the input. Work is done once for each number of the
# output.
def layer_macs(layer, in_shape, out_shape):
    if isinstance(layer, nn.Conv2d):
        return layer.weight.numel() * in_shape[1] * in_shape[2]
    if isinstance(layer, nn.Linear):
        return layer.in_features * math.prod(out_shape)
    return 0


# %% Groups forgotten exercise="layer-macs" covers=[30]
# With g groups each filter sees C_in / g channels, so the work is divided by g.
def layer_macs(layer, in_shape, out_shape):
    if isinstance(layer, nn.Conv2d):
        kh, kw = layer.kernel_size
        return kh * kw * layer.in_channels * math.prod(out_shape)
    if isinstance(layer, nn.Linear):
        return layer.in_features * math.prod(out_shape)
    return 0


# %% Divided by the groups twice exercise="layer-macs"
# layer.weight is already C_in / g channels deep. You divided by g once more.
def layer_macs(layer, in_shape, out_shape):
    if isinstance(layer, nn.Conv2d):
        return layer.weight[0].numel() // layer.groups * math.prod(out_shape)
    if isinstance(layer, nn.Linear):
        return layer.in_features * math.prod(out_shape)
    return 0


# %% Biases counted as work exercise="layer-macs"
# By the lesson's rule the additions of the biases do not count.
def layer_macs(layer, in_shape, out_shape):
    extra = 1 if getattr(layer, "bias", None) is not None else 0
    if isinstance(layer, nn.Conv2d):
        return (layer.weight[0].numel() + extra) * math.prod(out_shape)
    if isinstance(layer, nn.Linear):
        return (layer.in_features + extra) * math.prod(out_shape)
    return 0


# %% Weights of a linear layer, once exercise="layer-macs"
# A linear layer that is applied to several rows does its work for each of them.
def layer_macs(layer, in_shape, out_shape):
    if isinstance(layer, nn.Conv2d):
        return layer.weight[0].numel() * math.prod(out_shape)
    if isinstance(layer, nn.Linear):
        return layer.weight.numel()
    return 0


# %% Pooling counted exercise="layer-macs"
# Comparisons in a pooling layer are no multiply-adds and do not count here.
def layer_macs(layer, in_shape, out_shape):
    if isinstance(layer, nn.Conv2d):
        return layer.weight[0].numel() * math.prod(out_shape)
    if isinstance(layer, nn.Linear):
        return layer.in_features * math.prod(out_shape)
    if isinstance(layer, nn.MaxPool2d):
        return layer.kernel_size**2 * math.prod(out_shape)
    return 0


# %% Batch norm counted exercise="layer-macs"
# Normalisation does not count by the lesson's rule, though it multiplies and adds.
def layer_macs(layer, in_shape, out_shape):
    weight = getattr(layer, "weight", None)
    if weight is None:
        return 0
    return weight[0].numel() * math.prod(out_shape)


# %% Output height squared exercise="layer-macs" covers=[16]
# You take the output's height for its width.
def layer_macs(layer, in_shape, out_shape):
    if isinstance(layer, nn.Conv2d):
        return layer.weight.numel() * out_shape[1] ** 2
    if isinstance(layer, nn.Linear):
        return layer.in_features * math.prod(out_shape)
    return 0


# %% Linear layers forgotten exercise="layer-macs"
# A linear layer costs one MAC for each weight it uses.
def layer_macs(layer, in_shape, out_shape):
    if isinstance(layer, nn.Conv2d):
        return layer.weight[0].numel() * math.prod(out_shape)
    return 0


# %% By the formula exercise="layer-macs" right=true
def layer_macs(layer, in_shape, out_shape):
    kind = type(layer).__name__
    if kind == "Conv2d":
        kh, kw = layer.kernel_size
        c, h, w = out_shape
        return kh * kw * (layer.in_channels // layer.groups) * c * h * w
    if kind == "Linear":
        rows = 1
        for size in out_shape[:-1]:
            rows *= size
        return rows * layer.in_features * layer.out_features
    return 0


# %% All hooks share the last name exercise="layer-table"
# The hook looks its name up when it is called, after the loop has ended, so all rows have the last
# name. Bind it when you make the hook.
def layer_table(net, in_shape):
    shadow = copy.deepcopy(net).to("meta").eval()
    rows, seen = [], set()
    for name, layer in shadow.named_modules():
        if not list(layer.children()):

            def hook(layer, inputs, output):
                before, after = tuple(inputs[0].shape[1:]), tuple(output.shape[1:])
                rows.append(
                    {
                        "name": name,
                        "kind": type(layer).__name__,
                        "out": after,
                        "kb": math.prod(after) / 256,
                        "params": 0 if layer in seen else layer_params(layer),
                        "macs": layer_macs(layer, before, after),
                    }
                )
                seen.add(layer)

            layer.register_forward_hook(hook)
    shadow(torch.zeros(1, *in_shape, device="meta"))
    return rows


# %% Rows in the order of registration exercise="layer-table"
# You walk through the layers as they were registered and feed each to the next. A network may call
# its layers in another order, twice, or in branches: only its own forward knows.
def layer_table(net, in_shape):
    shadow = copy.deepcopy(net).to("meta").eval()
    rows, x = [], torch.zeros(1, *in_shape, device="meta")
    for name, layer in shadow.named_modules():
        if not list(layer.children()):
            before = tuple(x.shape[1:])
            x = layer(x)
            after = tuple(x.shape[1:])
            rows.append(
                {
                    "name": name,
                    "kind": type(layer).__name__,
                    "out": after,
                    "kb": math.prod(after) / 256,
                    "params": layer_params(layer),
                    "macs": layer_macs(layer, before, after),
                }
            )
    return rows


# %% Containers have rows too exercise="layer-table"
# A row was asked for each leaf. Containers (Sequential, the network itself) have children.
def layer_table(net, in_shape):
    shadow = copy.deepcopy(net).to("meta").eval()
    rows, seen = [], set()

    def reporter(name):
        def hook(layer, inputs, output):
            before, after = tuple(inputs[0].shape[1:]), tuple(output.shape[1:])
            row = {"name": name, "kind": type(layer).__name__, "out": after}
            row["kb"] = math.prod(after) / 256
            row["params"] = 0 if layer in seen else layer_params(layer)
            row["macs"] = layer_macs(layer, before, after)
            rows.append(row)
            seen.add(layer)

        return hook

    for name, layer in shadow.named_modules():
        layer.register_forward_hook(reporter(name))
    shadow(torch.zeros(1, *in_shape, device="meta"))
    return rows


# %% Top level only exercise="layer-table"
# named_children stops at the first level, so a network with parts has one row a part. The leaves
# are further down: named_modules finds them.
def layer_table(net, in_shape):
    shadow = copy.deepcopy(net).to("meta").eval()
    rows, seen = [], set()

    def reporter(name):
        def hook(layer, inputs, output):
            before, after = tuple(inputs[0].shape[1:]), tuple(output.shape[1:])
            row = {"name": name, "kind": type(layer).__name__, "out": after}
            row["kb"] = math.prod(after) / 256
            row["params"] = 0 if layer in seen else layer_params(layer)
            row["macs"] = layer_macs(layer, before, after)
            rows.append(row)
            seen.add(layer)

        return hook

    for name, layer in shadow.named_children():
        layer.register_forward_hook(reporter(name))
    shadow(torch.zeros(1, *in_shape, device="meta"))
    return rows


# %% The batch kept in the shape exercise="layer-table"
# "out" is the shape of one image's output: leave the batch axis off.
def layer_table(net, in_shape):
    shadow = copy.deepcopy(net).to("meta").eval()
    rows, seen = [], set()

    def reporter(name):
        def hook(layer, inputs, output):
            before, after = tuple(inputs[0].shape[1:]), tuple(output.shape[1:])
            row = {"name": name, "kind": type(layer).__name__, "out": tuple(output.shape)}
            row["kb"] = math.prod(after) / 256
            row["params"] = 0 if layer in seen else layer_params(layer)
            row["macs"] = layer_macs(layer, before, after)
            rows.append(row)
            seen.add(layer)

        return hook

    for name, layer in shadow.named_modules():
        if not list(layer.children()):
            layer.register_forward_hook(reporter(name))
    shadow(torch.zeros(1, *in_shape, device="meta"))
    return rows


# %% Memory of the input exercise="layer-table"
# You give the memory and the shape of what goes into the layer. The table counts what comes out.
def layer_table(net, in_shape):
    shadow = copy.deepcopy(net).to("meta").eval()
    rows, seen = [], set()

    def reporter(name):
        def hook(layer, inputs, output):
            before, after = tuple(inputs[0].shape[1:]), tuple(output.shape[1:])
            row = {"name": name, "kind": type(layer).__name__, "out": before}
            row["kb"] = math.prod(before) / 256
            row["params"] = 0 if layer in seen else layer_params(layer)
            row["macs"] = layer_macs(layer, before, after)
            rows.append(row)
            seen.add(layer)

        return hook

    for name, layer in shadow.named_modules():
        if not list(layer.children()):
            layer.register_forward_hook(reporter(name))
    shadow(torch.zeros(1, *in_shape, device="meta"))
    return rows


# %% KB of 1000 bytes exercise="layer-table"
# One KB has 1024 bytes in this lesson.
def layer_table(net, in_shape):
    shadow = copy.deepcopy(net).to("meta").eval()
    rows, seen = [], set()

    def reporter(name):
        def hook(layer, inputs, output):
            before, after = tuple(inputs[0].shape[1:]), tuple(output.shape[1:])
            row = {"name": name, "kind": type(layer).__name__, "out": after}
            row["kb"] = 4 * math.prod(after) / 1000
            row["params"] = 0 if layer in seen else layer_params(layer)
            row["macs"] = layer_macs(layer, before, after)
            rows.append(row)
            seen.add(layer)

        return hook

    for name, layer in shadow.named_modules():
        if not list(layer.children()):
            layer.register_forward_hook(reporter(name))
    shadow(torch.zeros(1, *in_shape, device="meta"))
    return rows


# %% One byte a number exercise="layer-table"
# A float32 takes four bytes.
def layer_table(net, in_shape):
    shadow = copy.deepcopy(net).to("meta").eval()
    rows, seen = [], set()

    def reporter(name):
        def hook(layer, inputs, output):
            before, after = tuple(inputs[0].shape[1:]), tuple(output.shape[1:])
            row = {"name": name, "kind": type(layer).__name__, "out": after}
            row["kb"] = math.prod(after) / 1024
            row["params"] = 0 if layer in seen else layer_params(layer)
            row["macs"] = layer_macs(layer, before, after)
            rows.append(row)
            seen.add(layer)

        return hook

    for name, layer in shadow.named_modules():
        if not list(layer.children()):
            layer.register_forward_hook(reporter(name))
    shadow(torch.zeros(1, *in_shape, device="meta"))
    return rows


# %% A shared layer's parameters counted at each call exercise="layer-table"
# A layer that is called twice has its parameters once: give them in its first row only.
def layer_table(net, in_shape):
    shadow = copy.deepcopy(net).to("meta").eval()
    rows = []

    def reporter(name):
        def hook(layer, inputs, output):
            before, after = tuple(inputs[0].shape[1:]), tuple(output.shape[1:])
            row = {"name": name, "kind": type(layer).__name__, "out": after}
            row["kb"] = math.prod(after) / 256
            row["params"] = layer_params(layer)
            row["macs"] = layer_macs(layer, before, after)
            rows.append(row)

        return hook

    for name, layer in shadow.named_modules():
        if not list(layer.children()):
            layer.register_forward_hook(reporter(name))
    shadow(torch.zeros(1, *in_shape, device="meta"))
    return rows


# %% The network itself moved exercise="layer-table"
# `.to("meta")` moves the network you were given, and its weights are lost. Work on a copy.
def layer_table(net, in_shape):
    net = net.to("meta").eval()
    rows, seen, handles = [], set(), []

    def reporter(name):
        def hook(layer, inputs, output):
            before, after = tuple(inputs[0].shape[1:]), tuple(output.shape[1:])
            row = {"name": name, "kind": type(layer).__name__, "out": after}
            row["kb"] = math.prod(after) / 256
            row["params"] = 0 if layer in seen else layer_params(layer)
            row["macs"] = layer_macs(layer, before, after)
            rows.append(row)
            seen.add(layer)

        return hook

    for name, layer in net.named_modules():
        if not list(layer.children()):
            handles.append(layer.register_forward_hook(reporter(name)))
    net(torch.zeros(1, *in_shape, device="meta"))
    for handle in handles:
        handle.remove()
    return rows


# %% Hooks left on the network exercise="layer-table"
# The hooks stay on the network you were given: each later forward pass would call them. Remove them,
# or put them on a copy.
def layer_table(net, in_shape):
    rows, seen = [], set()
    modes = {module: module.training for module in net.modules()}

    def reporter(name):
        def hook(layer, inputs, output):
            before, after = tuple(inputs[0].shape[1:]), tuple(output.shape[1:])
            row = {"name": name, "kind": type(layer).__name__, "out": after}
            row["kb"] = math.prod(after) / 256
            row["params"] = 0 if layer in seen else layer_params(layer)
            row["macs"] = layer_macs(layer, before, after)
            rows.append(row)
            seen.add(layer)

        return hook

    for name, layer in net.named_modules():
        if not list(layer.children()):
            layer.register_forward_hook(reporter(name))
    device = next((p.device for p in net.parameters()), "cpu")
    net.eval()
    with torch.no_grad():
        net(torch.zeros(1, *in_shape, device=device))
    for module, mode in modes.items():
        module.training = mode
    return rows


# %% Run in training mode, on the network itself exercise="layer-table"
# Your forward pass ran in training mode on the network you were given, so its batch norms averaged
# your empty image into their running statistics.
def layer_table(net, in_shape):
    rows, seen, handles = [], set(), []

    def reporter(name):
        def hook(layer, inputs, output):
            before, after = tuple(inputs[0].shape[1:]), tuple(output.shape[1:])
            row = {"name": name, "kind": type(layer).__name__, "out": after}
            row["kb"] = math.prod(after) / 256
            row["params"] = 0 if layer in seen else layer_params(layer)
            row["macs"] = layer_macs(layer, before, after)
            rows.append(row)
            seen.add(layer)

        return hook

    for name, layer in net.named_modules():
        if not list(layer.children()):
            handles.append(layer.register_forward_hook(reporter(name)))
    device = next((p.device for p in net.parameters()), "cpu")
    with torch.no_grad():
        net(torch.zeros(1, *in_shape, device=device))
    for handle in handles:
        handle.remove()
    return rows


# %% The network left in eval mode exercise="layer-table"
# You switched the network you were given to eval mode and left it there.
def layer_table(net, in_shape):
    net.eval()
    shadow = copy.deepcopy(net).to("meta")
    rows, seen = [], set()

    def reporter(name):
        def hook(layer, inputs, output):
            before, after = tuple(inputs[0].shape[1:]), tuple(output.shape[1:])
            row = {"name": name, "kind": type(layer).__name__, "out": after}
            row["kb"] = math.prod(after) / 256
            row["params"] = 0 if layer in seen else layer_params(layer)
            row["macs"] = layer_macs(layer, before, after)
            rows.append(row)
            seen.add(layer)

        return hook

    for name, layer in shadow.named_modules():
        if not list(layer.children()):
            layer.register_forward_hook(reporter(name))
    shadow(torch.zeros(1, *in_shape, device="meta"))
    return rows


# %% On the network itself, everything put back exercise="layer-table" right=true
def layer_table(net, in_shape):
    rows, seen, handles = [], [], []
    modes = [(module, module.training) for module in net.modules()]

    def add(name, layer, inputs, output):
        after = list(output.shape)[1:]
        fresh = all(layer is not other for other in seen)
        seen.append(layer)
        rows.append(
            dict(
                name=name,
                kind=layer.__class__.__name__,
                out=tuple(after),
                kb=output[0].numel() * 4 / 1024,
                params=layer_params(layer) if fresh else 0,
                macs=layer_macs(layer, tuple(inputs[0].shape[1:]), tuple(after)),
            )
        )

    for name, layer in net.named_modules():
        if len(list(layer.children())) == 0:
            hook = lambda layer, inputs, output, name=name: add(name, layer, inputs, output)
            handles.append(layer.register_forward_hook(hook))
    tensors = [*net.parameters(), *net.buffers()]
    device = tensors[0].device if tensors else "cpu"
    net.eval()
    with torch.no_grad():
        net(torch.zeros(1, *in_shape, device=device))
    for handle in handles:
        handle.remove()
    for module, mode in modes:
        module.training = mode
    return rows


# %% [markdown]
# ## AlexNet with 64 filters


# %% The slide's formula trusted exercise="q-first-size"
# (227 - 11) / (4 + 1) is 43.2: that is right as the value of the printed formula. But the sizes
# come from (W - F + 2P) / S + 1, rounded down.
q_as_printed = 43.2
q_224_pad2 = 43
q_227_pad2 = 44


# %% The printed formula repaired while typing exercise="q-first-size"
# 55 is what the right formula gives. As printed, the divisor is S + 1.
q_as_printed = 55
q_224_pad2 = 55
q_227_pad2 = 56


# %% Padding added once exercise="q-first-size" covers=[11]
# Padding goes on both sides: 2P.
q_as_printed = 43.2
q_224_pad2 = (224 - 11 + 2) // 4 + 1
q_227_pad2 = (227 - 11 + 2) // 4 + 1


# %% The plus one forgotten exercise="q-first-size" covers=[15]
# The first position counts too: + 1.
q_as_printed = 43.2
q_224_pad2 = 54
q_227_pad2 = 55


# %% First layer without padding exercise="alexnet-2014"
# conv1 has padding 2 in this network.
def alexnet_2014(channels=(64, 192, 384, 256, 256), hidden=4096, classes=1000):
    c1, c2, c3, c4, c5 = channels
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% Pooling without overlap exercise="alexnet-2014"
# The pooling windows are 3 × 3 with stride 2: they overlap. Yours step by their own width.
def alexnet_2014(channels=(64, 192, 384, 256, 256), hidden=4096, classes=1000):
    c1, c2, c3, c4, c5 = channels
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3),
            conv2=nn.Conv2d(c1, c2, 5, padding=2),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(3),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 2 * 2, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% Pooling 2 × 2 exercise="alexnet-2014"
# The pooling windows are 3 × 3 with stride 2. 2 × 2 windows leave maps of 7 × 7.
def alexnet_2014(channels=(64, 192, 384, 256, 256), hidden=4096, classes=1000):
    c1, c2, c3, c4, c5 = channels
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(2, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 7 * 7, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% Pooling after conv3 and conv4 as well exercise="alexnet-2014"
# conv3 and conv4 are followed by a ReLU only.
def alexnet_2014(channels=(64, 192, 384, 256, 256), hidden=4096, classes=1000):
    c1, c2, c3, c4, c5 = channels
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            pool3=nn.MaxPool2d(3, 1, padding=1),
            conv4=nn.Conv2d(c3, c4, 3, padding=1),
            relu4=nn.ReLU(),
            pool4=nn.MaxPool2d(3, 1, padding=1),
            conv5=nn.Conv2d(c4, c5, 3, padding=1),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% A softmax at the end exercise="alexnet-2014" covers=[57]
# The network returns logits. The loss applies the softmax.
def alexnet_2014(channels=(64, 192, 384, 256, 256), hidden=4096, classes=1000):
    c1, c2, c3, c4, c5 = channels
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
            prob=nn.Softmax(dim=1),
        )
    )


# %% A ReLU after the logits exercise="alexnet-2014"
# There is no ReLU after fc8: logits may be negative.
def alexnet_2014(channels=(64, 192, 384, 256, 256), hidden=4096, classes=1000):
    c1, c2, c3, c4, c5 = channels
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
            relu8=nn.ReLU(),
        )
    )


# %% No biases exercise="alexnet-2014" covers=[26]
# Biases are missing: each layer with weights has one for each of its outputs.
def alexnet_2014(channels=(64, 192, 384, 256, 256), hidden=4096, classes=1000):
    c1, c2, c3, c4, c5 = channels
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4, padding=2, bias=False),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2, bias=False),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1, bias=False),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1, bias=False),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1, bias=False),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% Filters of the 2012 network as default exercise="alexnet-2014"
# The defaults are 64, 192, 384, 256, 256. You took those of the 2012 network.
def alexnet_2014(channels=(96, 256, 384, 384, 256), hidden=4096, classes=1000):
    c1, c2, c3, c4, c5 = channels
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% Hidden sizes fixed exercise="alexnet-2014"
# You wrote 4096 where the argument hidden stands.
def alexnet_2014(channels=(64, 192, 384, 256, 256), hidden=4096, classes=1000):
    c1, c2, c3, c4, c5 = channels
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, 4096),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(4096, 4096),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(4096, classes),
        )
    )


# %% Dropout on feature maps exercise="alexnet-2014"
# Dropout belongs after the ReLUs of fc6 and fc7 only.
def alexnet_2014(channels=(64, 192, 384, 256, 256), hidden=4096, classes=1000):
    c1, c2, c3, c4, c5 = channels
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            drop5=nn.Dropout(0.5),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% Dropout before the FC layers exercise="alexnet-2014"
# The table puts each dropout after its ReLU (torchvision's order is another one).
def alexnet_2014(channels=(64, 192, 384, 256, 256), hidden=4096, classes=1000):
    c1, c2, c3, c4, c5 = channels
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            drop6=nn.Dropout(0.5),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% Names left to Sequential exercise="alexnet-2014"
# nn.Sequential(a, b, …) names its layers 0, 1, 2. Give it an OrderedDict of the table's names.
def alexnet_2014(channels=(64, 192, 384, 256, 256), hidden=4096, classes=1000):
    c1, c2, c3, c4, c5 = channels
    return nn.Sequential(
        *OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        ).values()
    )


# %% conv2 without padding exercise="alexnet-2014"
# conv2 has padding 2: it keeps its 27 × 27 map.
def alexnet_2014(channels=(64, 192, 384, 256, 256), hidden=4096, classes=1000):
    c1, c2, c3, c4, c5 = channels
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 5 * 5, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% Flattened for 5 × 5 exercise="alexnet-2014"
# After pool5 the maps are 6 × 6.
def alexnet_2014(channels=(64, 192, 384, 256, 256), hidden=4096, classes=1000):
    c1, c2, c3, c4, c5 = channels
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 5 * 5, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% Dropout of another rate exercise="alexnet-2014"
# Half of the units are dropped: 0.5.
def alexnet_2014(channels=(64, 192, 384, 256, 256), hidden=4096, classes=1000):
    c1, c2, c3, c4, c5 = channels
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.2),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.2),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% Module by module exercise="alexnet-2014" right=true
def alexnet_2014(channels=(64, 192, 384, 256, 256), hidden=4096, classes=1000):
    net = nn.Sequential()
    before = 3
    kernels = [(11, 4, 2), (5, 1, 2), (3, 1, 1), (3, 1, 1), (3, 1, 1)]
    for number, (width, (k, s, p)) in enumerate(zip(channels, kernels), start=1):
        net.add_module(f"conv{number}", nn.Conv2d(before, width, kernel_size=(k, k), stride=s, padding=p))
        net.add_module(f"relu{number}", nn.ReLU(inplace=True))
        if number in (1, 2, 5):
            net.add_module(f"pool{number}", nn.MaxPool2d(kernel_size=3, stride=2))
        before = width
    net.add_module("flatten", nn.Flatten(1))
    before *= 36
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU(inplace=True))
        net.add_module(f"drop{number}", nn.Dropout())
        before = hidden
    net.add_module("fc8", nn.Linear(hidden, classes))
    return net


# %% Memory expected in the FC layers exercise="q-where"
# A map of 64 × 56 × 56 has 200,704 numbers, an FC layer 4096. The memory of outputs is in the early
# convolutions.
# q_memory, q_parameters, q_work: "conv" or "fc"
# q_fc_percent: percent of all parameters
q_memory, q_parameters, q_work = "fc", "fc", "conv"
q_fc_percent = 96


# %% Parameters expected in the convolutions exercise="q-where"
# A kernel is used at every position and paid for once. Nearly all parameters are in FC layers.
# q_memory, q_parameters, q_work: "conv" or "fc"
# q_fc_percent: percent of all parameters
q_memory, q_parameters, q_work = "conv", "conv", "conv"
q_fc_percent = 96


# %% Work expected in the FC layers exercise="q-where"
# Each weight of an FC layer is used once an image, each weight of conv2 729 times.
# q_memory, q_parameters, q_work: "conv" or "fc"
# q_fc_percent: percent of all parameters
q_memory, q_parameters, q_work = "conv", "fc", "fc"
q_fc_percent = 96


# %% A fraction instead of percent exercise="q-where"
# Percent were asked.
# q_memory, q_parameters, q_work: "conv" or "fc"
# q_fc_percent: percent of all parameters
q_memory, q_parameters, q_work = "conv", "fc", "conv"
q_fc_percent = 0.96


# %% Rounding only exercise="wrong-cells"
# A cell may also be cut off: 7 for 7.9. Only a difference of 1 or more cannot be either.
def wrong_cells(printed, exact):
    return [
        (row, column)
        for row, cells in printed.items()
        for column, number in cells.items()
        if column in exact.get(row, {}) and round(exact[row][column]) != number
    ]


# %% Too large cells only exercise="wrong-cells"
# A printed number may also be too small. Compare the size of the difference.
def wrong_cells(printed, exact):
    return [
        (row, column)
        for row, cells in printed.items()
        for column, number in cells.items()
        if column in exact.get(row, {}) and number - exact[row][column] >= 1
    ]


# %% Too small cells only exercise="wrong-cells"
# A printed number may also be too large. Compare the size of the difference.
def wrong_cells(printed, exact):
    return [
        (row, column)
        for row, cells in printed.items()
        for column, number in cells.items()
        if column in exact.get(row, {}) and exact[row][column] - number >= 1
    ]


# %% Exact equality asked exercise="wrong-cells"
# The printed numbers are whole. They may differ from the exact one by less than 1.
def wrong_cells(printed, exact):
    return [
        (row, column)
        for row, cells in printed.items()
        for column, number in cells.items()
        if column in exact.get(row, {}) and number != exact[row][column]
    ]


# %% A difference of 1 accepted exercise="wrong-cells"
# Rounding and cutting off change a number by less than 1; a difference of 1 is wrong.
def wrong_cells(printed, exact):
    return [
        (row, column)
        for row, cells in printed.items()
        for column, number in cells.items()
        if column in exact.get(row, {}) and abs(number - exact[row][column]) > 1
    ]


# %% A relative tolerance exercise="wrong-cells"
# You allow 1 percent. A printed 37,749 for 37,752.8 would pass, and it is wrong.
def wrong_cells(printed, exact):
    return [
        (row, column)
        for row, cells in printed.items()
        for column, number in cells.items()
        if column in exact.get(row, {}) and abs(number - exact[row][column]) > 0.05 * abs(exact[row][column])
    ]


# %% Missing rows break it exercise="wrong-cells"
# A row or column that the exact table lacks is left out.
def wrong_cells(printed, exact):
    return [
        (row, column)
        for row, cells in printed.items()
        for column, number in cells.items()
        if abs(number - exact[row][column]) >= 1
    ]


# %% Rows instead of cells exercise="wrong-cells"
# Pairs (row, column) were asked, not rows.
def wrong_cells(printed, exact):
    return [
        row
        for row, cells in printed.items()
        for column, number in cells.items()
        if column in exact.get(row, {}) and abs(number - exact[row][column]) >= 1
    ]


# %% Sorted by name exercise="wrong-cells"
# The cells come in the order of the printed table.
def wrong_cells(printed, exact):
    return sorted([
        (row, column)
        for row, cells in printed.items()
        for column, number in cells.items()
        if column in exact.get(row, {}) and abs(number - exact[row][column]) >= 1
    ])


# %% With loops exercise="wrong-cells" right=true
def wrong_cells(printed, exact):
    found = []
    for row in printed:
        for column in printed[row]:
            if row not in exact or column not in exact[row]:
                continue
            difference = exact[row][column] - printed[row][column]
            if difference >= 1 or difference <= -1:
                found.append([row, column])
    return found


# %% With biases exercise="q-audit"
# With biases fc6, fc7 and fc8 disagree: 37,753, 16,781, 4,097.
# q_convention: "with biases" or "without biases"
# q_wrong_cell: a pair such as ("pool1", "kb")
# q_right_value: in millions, to one decimal
q_convention = "with biases"
q_wrong_cell = ("conv4", "macs")
q_right_value = 149.5


# %% An FC cell called wrong exercise="q-audit"
# That cell follows the author's convention: no biases. One cell is wrong either way.
# q_convention: "with biases" or "without biases"
# q_wrong_cell: a pair such as ("pool1", "kb")
# q_right_value: in millions, to one decimal
q_convention = "without biases"
q_wrong_cell = ("fc6", "params")
q_right_value = 149.5


# %% Right value in single MACs exercise="q-audit"
# The value was asked in millions.
# q_convention: "with biases" or "without biases"
# q_wrong_cell: a pair such as ("pool1", "kb")
# q_right_value: in millions, to one decimal
q_convention = "without biases"
q_wrong_cell = ("conv4", "macs")
q_right_value = 149_520_384


# %% FLOPs instead of MACs in the audit exercise="q-audit" covers=[27]
# The column counts MACs. 299 would be FLOPs.
# q_convention: "with biases" or "without biases"
# q_wrong_cell: a pair such as ("pool1", "kb")
# q_right_value: in millions, to one decimal
q_convention = "without biases"
q_wrong_cell = ("conv4", "macs")
q_right_value = 299.0


# %% Pooling included exercise="q-total"
# With the pooling outputs the sum is 2.25 MB.
# q_total: one of the three texts
q_total = "conv, pool and fc"


# %% All rows exercise="q-total"
# All rows together, ReLUs and dropout too, are 4.2 MB.
# q_total: one of the three texts
q_total = "all rows"


# %% [markdown]
# ## AlexNet with 96 filters


# %% Pooling after every convolution exercise="q-pooled"
# 13 stays 13 from conv2's pooling to conv5: conv3 and conv4 are not pooled.
# q_pooled: a set of numbers from 1 to 5
# q_field: pixels
q_pooled = {1, 2, 3, 4, 5}
q_field = 51


# %% The field without the strides exercise="q-pooled" covers=[31]
# Each step of a later layer is worth the product of all strides before it: conv2's five positions
# are 8 pixels apart.
# q_pooled: a set of numbers from 1 to 5
# q_field: pixels
q_pooled = {1, 2, 5}
q_field = 11 + 2 + 4


# %% The layer's own stride counted exercise="q-pooled" covers=[31]
# A layer's stride widens the fields of the layers after it, not its own. conv1 sees 11 pixels;
# pool1 adds 2 · 4, conv2 4 · 8.
# q_pooled: a set of numbers from 1 to 5
# q_field: pixels
q_pooled = {1, 2, 5}
q_field = 11 + 2 * 8 + 4 * 8


# %% A list of layers exercise="q-pooled" right=true
q_pooled = [1, 2, 5]
q_field = 51


# %% α divided by the window exercise="lrn"
# The paper multiplies the sum of squares by α. Averaging over n is PyTorch's convention.
def lrn(a, n=5, k=2.0, alpha=1e-4, beta=0.75):
    channels = a.shape[1]
    squares = F.pad(a**2, (0, 0, 0, 0, n // 2, n // 2))  # (N, C + n - 1, H, W)
    sums = sum(squares[:, i : i + channels] for i in range(n))  # (N, C, H, W)
    return a / (k + alpha / n * sums) ** beta


# %% Neighbours only exercise="lrn"
# The channel itself is in its own window.
def lrn(a, n=5, k=2.0, alpha=1e-4, beta=0.75):
    channels = a.shape[1]
    squares = F.pad(a**2, (0, 0, 0, 0, n // 2, n // 2))  # (N, C + n - 1, H, W)
    sums = sum(squares[:, i : i + channels] for i in range(n))  # (N, C, H, W)
    return a / (k + alpha * (sums - a**2)) ** beta


# %% Window twice as wide exercise="lrn"
# The window reaches n // 2 channels to each side, n in all.
def lrn(a, n=5, k=2.0, alpha=1e-4, beta=0.75):
    channels = a.shape[1]
    squares = F.pad(a**2, (0, 0, 0, 0, n, n))  # (N, C + n - 1, H, W)
    sums = sum(squares[:, i : i + channels] for i in range(2 * n + 1))  # (N, C, H, W)
    return a / (k + alpha * sums) ** beta


# %% A window around the pixel exercise="lrn"
# The neighbours are channels at the same pixel, not pixels of the same channel.
def lrn(a, n=5, k=2.0, alpha=1e-4, beta=0.75):
    height = a.shape[2]
    squares = F.pad(a**2, (0, 0, n // 2, n // 2))
    sums = sum(squares[:, :, i : i + height] for i in range(n))
    return a / (k + alpha * sums) ** beta


# %% Channels in a ring exercise="lrn"
# The first channel is no neighbour of the last: the window is cut off at the ends.
def lrn(a, n=5, k=2.0, alpha=1e-4, beta=0.75):
    sums = sum(torch.roll(a**2, shift, dims=1) for shift in range(-(n // 2), n // 2 + 1))
    return a / (k + alpha * sums) ** beta


# %% Border channels repeated exercise="lrn"
# Outside the channels there is nothing: it adds 0. You repeated the border channel.
def lrn(a, n=5, k=2.0, alpha=1e-4, beta=0.75):
    channels = a.shape[1]
    half = n // 2
    before, after = a[:, :1].repeat(1, half, 1, 1), a[:, -1:].repeat(1, half, 1, 1)
    squares = torch.cat([before, a, after], dim=1) ** 2
    sums = sum(squares[:, i : i + channels] for i in range(n))
    return a / (k + alpha * sums) ** beta


# %% Square root for β exercise="lrn"
# β is an argument, 0.75 by default. You always take the square root.
def lrn(a, n=5, k=2.0, alpha=1e-4, beta=0.75):
    channels = a.shape[1]
    squares = F.pad(a**2, (0, 0, 0, 0, n // 2, n // 2))  # (N, C + n - 1, H, W)
    sums = sum(squares[:, i : i + channels] for i in range(n))  # (N, C, H, W)
    return a / (k + alpha * sums) ** 0.5


# %% k outside the power exercise="lrn"
# k is inside the bracket that is raised to β.
def lrn(a, n=5, k=2.0, alpha=1e-4, beta=0.75):
    channels = a.shape[1]
    squares = F.pad(a**2, (0, 0, 0, 0, n // 2, n // 2))  # (N, C + n - 1, H, W)
    sums = sum(squares[:, i : i + channels] for i in range(n))  # (N, C, H, W)
    return a / (k + (alpha * sums) ** beta)


# %% Sum of values instead of squares exercise="lrn"
# The values are squared before they are summed.
def lrn(a, n=5, k=2.0, alpha=1e-4, beta=0.75):
    channels = a.shape[1]
    squares = F.pad(a.abs(), (0, 0, 0, 0, n // 2, n // 2))  # (N, C + n - 1, H, W)
    sums = sum(squares[:, i : i + channels] for i in range(n))  # (N, C, H, W)
    return a / (k + alpha * sums) ** beta


# %% PyTorch's k exercise="lrn"
# k is 2 in the paper; 1 is PyTorch's default.
def lrn(a, n=5, k=1.0, alpha=1e-4, beta=0.75):
    channels = a.shape[1]
    squares = F.pad(a**2, (0, 0, 0, 0, n // 2, n // 2))  # (N, C + n - 1, H, W)
    sums = sum(squares[:, i : i + channels] for i in range(n))  # (N, C, H, W)
    return a / (k + alpha * sums) ** beta


# %% The caller's tensor changed exercise="lrn" covers=[24]
# `a /= …` writes into the caller's tensor. Return a new one.
def lrn(a, n=5, k=2.0, alpha=1e-4, beta=0.75):
    channels = a.shape[1]
    squares = F.pad(a**2, (0, 0, 0, 0, n // 2, n // 2))  # (N, C + n - 1, H, W)
    sums = sum(squares[:, i : i + channels] for i in range(n))  # (N, C, H, W)
    a /= (k + alpha * sums) ** beta
    return a


# %% Multiplied instead of divided exercise="lrn"
# The value is divided by the bracket: strong neighbours weaken it.
def lrn(a, n=5, k=2.0, alpha=1e-4, beta=0.75):
    channels = a.shape[1]
    squares = F.pad(a**2, (0, 0, 0, 0, n // 2, n // 2))  # (N, C + n - 1, H, W)
    sums = sum(squares[:, i : i + channels] for i in range(n))  # (N, C, H, W)
    return a * (k + alpha * sums) ** beta


# %% With loops over channels exercise="lrn" right=true
def lrn(a, n=5, k=2.0, alpha=1e-4, beta=0.75):
    out = torch.empty_like(a)
    last = a.shape[1] - 1
    for i in range(last + 1):
        window = a[:, max(0, i - n // 2) : min(last, i + n // 2) + 1]
        out[:, i] = a[:, i] / (k + alpha * window.square().sum(dim=1)).pow(beta)
    return out


# %% With a three-dimensional average exercise="lrn" right=true
def lrn(a, n=5, k=2.0, alpha=1e-4, beta=0.75):
    squares = a.square().unsqueeze(1)
    padded = F.pad(squares, (0, 0, 0, 0, n // 2, n // 2))
    sums = n * F.avg_pool3d(padded, (n, 1, 1), stride=1).squeeze(1)
    return a * (k + alpha * sums) ** -beta


# %% The paper's α as it stands exercise="q-alpha"
# PyTorch divides α by n = 5, so give it five times the paper's.
# q_alpha: a number
# q_lrn_in_vgg: "help" or "not help"
q_alpha = 1e-4
q_lrn_in_vgg = "not help"


# %% Divided instead of multiplied exercise="q-alpha"
# PyTorch divides by n itself. To undo that, multiply.
# q_alpha: a number
# q_lrn_in_vgg: "help" or "not help"
q_alpha = 2e-5
q_lrn_in_vgg = "not help"


# %% LRN said to help VGG exercise="q-alpha"
# 10.5% is not less than 10.4%.
# q_alpha: a number
# q_lrn_in_vgg: "help" or "help"
q_alpha = 5e-4
q_lrn_in_vgg = "help"


# %% Groups ignored exercise="alexnet-2012" covers=[30]
# The argument groups belongs to conv2, conv4 and conv5.
def alexnet_2012(channels=(96, 256, 384, 384, 256), hidden=4096, classes=1000, groups=2):
    c1, c2, c3, c4, c5 = channels

    def norm():
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4),
            relu1=nn.ReLU(),
            lrn1=norm(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2),
            relu2=nn.ReLU(),
            lrn2=norm(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% conv3 in groups as well exercise="alexnet-2012"
# conv3 is where the two halves talk: it sees all maps.
def alexnet_2012(channels=(96, 256, 384, 384, 256), hidden=4096, classes=1000, groups=2):
    c1, c2, c3, c4, c5 = channels

    def norm():
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4),
            relu1=nn.ReLU(),
            lrn1=norm(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2, groups=groups),
            relu2=nn.ReLU(),
            lrn2=norm(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1, groups=groups),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1, groups=groups),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1, groups=groups),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% conv4 not in groups exercise="alexnet-2012"
# conv4 sees the maps of its own half only. You have built the network of the slide's 1.3M.
def alexnet_2012(channels=(96, 256, 384, 384, 256), hidden=4096, classes=1000, groups=2):
    c1, c2, c3, c4, c5 = channels

    def norm():
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4),
            relu1=nn.ReLU(),
            lrn1=norm(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2, groups=groups),
            relu2=nn.ReLU(),
            lrn2=norm(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1, groups=groups),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% Always two groups exercise="alexnet-2012"
# groups is an argument: groups=1 joins the halves.
def alexnet_2012(channels=(96, 256, 384, 384, 256), hidden=4096, classes=1000, groups=2):
    c1, c2, c3, c4, c5 = channels

    def norm():
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4),
            relu1=nn.ReLU(),
            lrn1=norm(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2, groups=2),
            relu2=nn.ReLU(),
            lrn2=norm(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1, groups=2),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1, groups=2),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% Pooling before normalisation exercise="alexnet-2012"
# The paper's order is convolution, ReLU, normalisation, pooling. You have CaffeNet's.
def alexnet_2012(channels=(96, 256, 384, 384, 256), hidden=4096, classes=1000, groups=2):
    c1, c2, c3, c4, c5 = channels

    def norm():
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2),
            lrn1=norm(),
            conv2=nn.Conv2d(c1, c2, 5, padding=2, groups=groups),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(3, 2),
            lrn2=norm(),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1, groups=groups),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1, groups=groups),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% Normalisation before the ReLU exercise="alexnet-2012"
# The ReLU comes first.
def alexnet_2012(channels=(96, 256, 384, 384, 256), hidden=4096, classes=1000, groups=2):
    c1, c2, c3, c4, c5 = channels

    def norm():
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4),
            lrn1=norm(),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2, groups=groups),
            relu2=nn.ReLU(),
            lrn2=norm(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1, groups=groups),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1, groups=groups),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% PyTorch's α not adapted exercise="alexnet-2012"
# nn.LocalResponseNorm divides alpha by the window's size, the paper does not: give it 5e-4.
def alexnet_2012(channels=(96, 256, 384, 384, 256), hidden=4096, classes=1000, groups=2):
    c1, c2, c3, c4, c5 = channels

    def norm():
        return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0)

    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4),
            relu1=nn.ReLU(),
            lrn1=norm(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2, groups=groups),
            relu2=nn.ReLU(),
            lrn2=norm(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1, groups=groups),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1, groups=groups),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% PyTorch's default k exercise="alexnet-2012"
# k is 2 in the paper; PyTorch's default is 1.
def alexnet_2012(channels=(96, 256, 384, 384, 256), hidden=4096, classes=1000, groups=2):
    c1, c2, c3, c4, c5 = channels

    def norm():
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75)

    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4),
            relu1=nn.ReLU(),
            lrn1=norm(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2, groups=groups),
            relu2=nn.ReLU(),
            lrn2=norm(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1, groups=groups),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1, groups=groups),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% Padding kept in conv1 exercise="alexnet-2012"
# conv1 has padding 0 here: 227 becomes 55.
def alexnet_2012(channels=(96, 256, 384, 384, 256), hidden=4096, classes=1000, groups=2):
    c1, c2, c3, c4, c5 = channels

    def norm():
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4, padding=2),
            relu1=nn.ReLU(),
            lrn1=norm(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2, groups=groups),
            relu2=nn.ReLU(),
            lrn2=norm(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1, groups=groups),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1, groups=groups),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% Normalisation after every convolution exercise="alexnet-2012"
# Only conv1 and conv2 are followed by LRN.
def alexnet_2012(channels=(96, 256, 384, 384, 256), hidden=4096, classes=1000, groups=2):
    c1, c2, c3, c4, c5 = channels

    def norm():
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4),
            relu1=nn.ReLU(),
            lrn1=norm(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2, groups=groups),
            relu2=nn.ReLU(),
            lrn2=norm(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            lrn3=norm(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1, groups=groups),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1, groups=groups),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% A window of two channels exercise="alexnet-2012"
# n is 5.
def alexnet_2012(channels=(96, 256, 384, 384, 256), hidden=4096, classes=1000, groups=2):
    c1, c2, c3, c4, c5 = channels

    def norm():
        return nn.LocalResponseNorm(2, alpha=5e-4, beta=0.75, k=2.0)

    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4),
            relu1=nn.ReLU(),
            lrn1=norm(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2, groups=groups),
            relu2=nn.ReLU(),
            lrn2=norm(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1, groups=groups),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1, groups=groups),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, 2),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% Dropout on whole maps exercise="alexnet-2012"
# Dropout belongs after fc6 and fc7 only.
def alexnet_2012(channels=(96, 256, 384, 384, 256), hidden=4096, classes=1000, groups=2):
    c1, c2, c3, c4, c5 = channels

    def norm():
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, c1, 11, stride=4),
            relu1=nn.ReLU(),
            lrn1=norm(),
            pool1=nn.MaxPool2d(3, 2),
            conv2=nn.Conv2d(c1, c2, 5, padding=2, groups=groups),
            relu2=nn.ReLU(),
            lrn2=norm(),
            pool2=nn.MaxPool2d(3, 2),
            conv3=nn.Conv2d(c2, c3, 3, padding=1),
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(c3, c4, 3, padding=1, groups=groups),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(c4, c5, 3, padding=1, groups=groups),
            relu5=nn.ReLU(),
            pool5=nn.Sequential(nn.MaxPool2d(3, 2), nn.Dropout(0.5)),
            flatten=nn.Flatten(),
            fc6=nn.Linear(c5 * 6 * 6, hidden),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(0.5),
            fc7=nn.Linear(hidden, hidden),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(0.5),
            fc8=nn.Linear(hidden, classes),
        )
    )


# %% Built on a list of pairs exercise="alexnet-2012" right=true
def alexnet_2012(channels=(96, 256, 384, 384, 256), hidden=4096, classes=1000, groups=2):
    layers = []
    before = 3
    sizes = {1: (11, 4, 0, 1), 2: (5, 1, 2, groups), 3: (3, 1, 1, 1)}
    sizes |= {4: (3, 1, 1, groups), 5: (3, 1, 1, groups)}
    for number, width in enumerate(channels, start=1):
        kernel, stride, padding, parts = sizes[number]
        conv = nn.Conv2d(before, width, kernel, stride, padding, groups=parts)
        layers += [(f"conv{number}", conv), (f"relu{number}", nn.ReLU(inplace=True))]
        if number < 3:
            layers += [(f"lrn{number}", nn.LocalResponseNorm(5, 0.0005, 0.75, 2))]
        if number not in (3, 4):
            layers += [(f"pool{number}", nn.MaxPool2d(3, stride=2))]
        before = width
    layers += [("flatten", nn.Flatten())]
    before *= 36
    for number in (6, 7):
        layers += [(f"fc{number}", nn.Linear(before, hidden)), (f"relu{number}", nn.ReLU())]
        layers += [(f"drop{number}", nn.Dropout(p=0.5))]
        before = hidden
    return nn.Sequential(OrderedDict([*layers, ("fc8", nn.Linear(before, classes))]))


# %% Weights without groups exercise="q-conv4" covers=[30]
# With two groups a filter of conv4 sees 192 of the 384 maps: half of 1,327,104.
# q_grouped_weights: a whole number
# q_ungrouped_macs: in millions
q_grouped_weights = 1_327_104
q_ungrouped_macs = 224.28


# %% MACs with groups exercise="q-conv4"
# 112M is the work with groups. Without them it doubles.
# q_grouped_weights: a whole number
# q_ungrouped_macs: in millions
q_grouped_weights = 663_552
q_ungrouped_macs = 112.14


# %% FLOPs instead of MACs in conv4 exercise="q-conv4" covers=[27]
# The slide counts MACs: 224 million. You counted each addition as well.
# q_grouped_weights: a whole number
# q_ungrouped_macs: in millions
q_grouped_weights = 663_552
q_ungrouped_macs = 448.56


# %% Divided by both sides exercise="q-conv4"
# Halving the inputs of each filter halves the weights; the number of filters stays.
# q_grouped_weights: a whole number
# q_ungrouped_macs: in millions
q_grouped_weights = 331_776
q_ungrouped_macs = 224.28


# %% Rounded exercise="q-conv4" right=true
q_grouped_weights = 663552
q_ungrouped_macs = 224


# %% The caption's sum exercise="q-neurons"
# 622,312 is the sum of the caption, which has a slip in it.
# q_neurons: a whole number
# q_caption: a layer's name, such as "conv3"
q_neurons = 622_312
q_caption = "conv1"


# %% Convolutions only exercise="q-neurons"
# The FC layers have neurons too: 4096, 4096 and 1000.
# q_neurons: a whole number
# q_caption: a layer's name, such as "conv3"
q_neurons = 650_080
q_caption = "conv1"


# %% Another layer of the caption exercise="q-neurons"
# 256 · 27 · 27 is 186,624, as the caption says. Compare the others with the shapes too.
# q_neurons: a whole number
# q_caption: a layer's name, such as "conv3"
q_neurons = 659_272
q_caption = "conv2"


# %% Forward only exercise="budget"
# Training also goes backward, at twice the cost of the forward pass.
def training_days(macs, images, epochs, flops_per_second):
    return 2 * macs * images * epochs / flops_per_second / 86_400


def training_bytes(rows, batch):
    outputs = sum(math.prod(row["out"]) for row in rows)
    params = sum(row["params"] for row in rows)
    return 4 * (3 * params + 2 * batch * outputs)


# %% One FLOP a MAC exercise="budget" covers=[27]
# A MAC is two FLOPs.
def training_days(macs, images, epochs, flops_per_second):
    return 3 * macs * images * epochs / flops_per_second / 86_400


def training_bytes(rows, batch):
    outputs = sum(math.prod(row["out"]) for row in rows)
    params = sum(row["params"] for row in rows)
    return 4 * (3 * params + 2 * batch * outputs)


# %% Seconds or hours exercise="budget"
# Days were asked: 86,400 seconds each.
def training_days(macs, images, epochs, flops_per_second):
    return 6 * macs * images * epochs / flops_per_second / 3_600


def training_bytes(rows, batch):
    outputs = sum(math.prod(row["out"]) for row in rows)
    params = sum(row["params"] for row in rows)
    return 4 * (3 * params + 2 * batch * outputs)


# %% Parameters for each image exercise="budget"
# Parameters exist once, however large the batch; only outputs are kept for each image.
def training_days(macs, images, epochs, flops_per_second):
    return 6 * macs * images * epochs / flops_per_second / 86_400


def training_bytes(rows, batch):
    outputs = sum(math.prod(row["out"]) for row in rows)
    params = sum(row["params"] for row in rows)
    return 4 * (batch * (3 * params + 2 * outputs))


# %% The batch forgotten exercise="budget"
# The outputs of each image of the batch are kept.
def training_days(macs, images, epochs, flops_per_second):
    return 6 * macs * images * epochs / flops_per_second / 86_400


def training_bytes(rows, batch):
    outputs = sum(math.prod(row["out"]) for row in rows)
    params = sum(row["params"] for row in rows)
    return 4 * (3 * params + 2 * outputs)


# %% Weights only exercise="budget"
# Each parameter has a gradient and a velocity besides.
def training_days(macs, images, epochs, flops_per_second):
    return 6 * macs * images * epochs / flops_per_second / 86_400


def training_bytes(rows, batch):
    outputs = sum(math.prod(row["out"]) for row in rows)
    params = sum(row["params"] for row in rows)
    return 4 * (params + 2 * batch * outputs)


# %% Outputs without their gradients exercise="budget"
# Each output has a gradient of its own on the way back.
def training_days(macs, images, epochs, flops_per_second):
    return 6 * macs * images * epochs / flops_per_second / 86_400


def training_bytes(rows, batch):
    outputs = sum(math.prod(row["out"]) for row in rows)
    params = sum(row["params"] for row in rows)
    return 4 * (3 * params + batch * outputs)


# %% Numbers instead of bytes exercise="budget"
# A number takes four bytes.
def training_days(macs, images, epochs, flops_per_second):
    return 6 * macs * images * epochs / flops_per_second / 86_400


def training_bytes(rows, batch):
    outputs = sum(math.prod(row["out"]) for row in rows)
    params = sum(row["params"] for row in rows)
    return (3 * params + 2 * batch * outputs)


# %% Layers with weights only exercise="budget"
# Every row has an output that is kept, not only those with parameters.
def training_days(macs, images, epochs, flops_per_second):
    return 6 * macs * images * epochs / flops_per_second / 86_400


def training_bytes(rows, batch):
    outputs = sum(math.prod(row["out"]) for row in rows if row["params"])
    params = sum(row["params"] for row in rows)
    return 4 * (3 * params + 2 * batch * outputs)


# %% From the KB column exercise="budget" right=true
def training_days(macs, images, epochs, flops_per_second):
    seconds = (macs * 2) * 3 * images * epochs / flops_per_second
    return seconds / 60 / 60 / 24


def training_bytes(rows, batch):
    state = 12 * sum(row["params"] for row in rows)
    outputs = 1024 * sum(row["kb"] for row in rows)
    return state + 2 * batch * outputs


# %% One card's peak exercise="q-busy"
# There were two cards.
# q_busy: percent
q_busy = 57.2


# %% A fraction instead of percent of the peak exercise="q-busy"
# Percent were asked.
# q_busy: percent
q_busy = 0.286


# %% Forward pass only in the share exercise="q-busy"
# Count the way back too: 3 × MACs, 2 FLOPs each.
# q_busy: percent
q_busy = 9.53


# %% A number exercise="q-busy" right=true
q_busy = 28.6


# %% Ceiling exercise="q-zfnet" covers=[14]
# 110.5 is rounded down to 110.
# q_zf_side, q_zf_params: whole numbers
# q_zf_ratio: MACs of ZFNet's conv1 over those of AlexNet's
q_zf_side = 111
q_zf_params = 14_208
q_zf_ratio = 1.62


# %% Bias left out of ZFNet's layer exercise="q-zfnet" covers=[26]
# Each of the 96 filters has a bias.
# q_zf_side, q_zf_params: whole numbers
# q_zf_ratio: MACs of ZFNet's conv1 over those of AlexNet's
q_zf_side = 110
q_zf_params = 14_112
q_zf_ratio = 1.62


# %% Ratio upside down exercise="q-zfnet"
# ZFNet's work over AlexNet's: it is larger than 1.
# q_zf_side, q_zf_params: whole numbers
# q_zf_ratio: MACs of ZFNet's conv1 over those of AlexNet's
q_zf_side = 110
q_zf_params = 14_208
q_zf_ratio = 0.617


# %% Ratio of the kernels alone exercise="q-zfnet"
# The smaller kernel is applied at four times as many positions.
# q_zf_side, q_zf_params: whole numbers
# q_zf_ratio: MACs of ZFNet's conv1 over those of AlexNet's
q_zf_side = 110
q_zf_params = 14_208
q_zf_ratio = 0.405


# %% Ratio over input pixels exercise="q-zfnet" covers=[28]
# Work is done at the positions of the output, 110² against 55².
# q_zf_side, q_zf_params: whole numbers
# q_zf_ratio: MACs of ZFNet's conv1 over those of AlexNet's
q_zf_side = 110
q_zf_params = 14_208
q_zf_ratio = 0.394


# %% [markdown]
# ## VGG


# %% The list believed exercise="q-vgg-rules"
# VGG-16 has three convolutions in stage 3; the list has two.
# q_short_stage: a number from 1 to 5
# q_doubling: a set of numbers from 1 to 5
# q_exception: a letter
q_short_stage = 4
q_doubling = {1, 2, 3}
q_exception = "C"


# %% Doubling after every pooling exercise="q-vgg-rules"
# Channels go 64, 128, 256, 512, 512: after pool4 they stay, and after pool5 come FC layers.
# q_short_stage: a number from 1 to 5
# q_doubling: a set of numbers from 1 to 5
# q_exception: a letter
q_short_stage = 3
q_doubling = {1, 2, 3, 4}
q_exception = "C"


# %% Configuration E as the exception exercise="q-vgg-rules"
# E is deeper, with 3 × 3 kernels throughout. C has 1 × 1 convolutions.
# q_short_stage: a number from 1 to 5
# q_doubling: a set of numbers from 1 to 5
# q_exception: a letter
q_short_stage = 3
q_doubling = {1, 2, 3}
q_exception = "E"


# %% C with 3 × 3 throughout exercise="vgg"
# The third convolutions of C are 1 × 1. With 3 × 3 it is D.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% 1 × 1 convolutions padded exercise="vgg"
# A 1 × 1 convolution needs no padding: with it the map grows by two.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=1)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% 1 × 1 in D as well exercise="vgg"
# D has three 3 × 3 convolutions in stages 3 to 5. C is the one with 1 × 1.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config in ("C", "D") and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% Two convolutions in stage 3 exercise="vgg"
# D has three convolutions in stage 3. Your network is the lecture's, with conv3_3 missing.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 2, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% E with 3 in the third stage exercise="vgg"
# E has four convolutions in each of stages 3 to 5.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 3, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% LRN after the pooling exercise="vgg"
# In A-LRN the normalisation stands after relu1_1, before pool1.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% LRN after every convolution exercise="vgg"
# A-LRN has one normalisation, after the first convolution.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            if config == "A-LRN":
                net.add_module(f"lrn{stage}_{number}", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
            before = width
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% LRN with PyTorch's α exercise="vgg"
# nn.LocalResponseNorm divides alpha by 5: give it 5e-4 for the paper's 1e-4.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% A-LRN forgotten exercise="vgg"
# A-LRN has a normalisation layer after relu1_1.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if False:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% fc6 always for 7 × 7 exercise="vgg"
# fc6 takes the maps after five halvings of size; 7 × 7 is right for 224 only.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= 49
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% fc6 for the side, not the area exercise="vgg"
# The map has (size / 32)² positions.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= size // 32
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% No ReLU after the last convolution of a stage exercise="vgg"
# Each convolution is followed by a ReLU.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
            net.add_module(f"conv{stage}_{number}", conv)
            if number < count:
                net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% Overlapping pooling exercise="vgg"
# VGG pools 2 × 2 with stride 2. Overlapping 3 × 3 windows are AlexNet's.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(3, 2, padding=1))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% Average pooling exercise="vgg"
# VGG takes the maximum.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.AvgPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% No padding exercise="vgg"
# All 3 × 3 convolutions have padding 1: they keep the size.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% No biases in the convolutions exercise="vgg" covers=[26]
# All convolutions have biases. The 138,344,128 of the slide leaves them out.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2, bias=False)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% Layer numbers from 0 exercise="vgg"
# Stages and convolutions count from 1.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(count):
            kernel = 1 if config == "C" and number == 2 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% One dropout only exercise="vgg"
# fc6 and fc7 are both followed by dropout.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        if number == 6:
            net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% Stride in the convolutions, too exercise="vgg"
# Convolutions have stride 1; only pooling halves the map.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], channels), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2, stride=2 if number == 1 else 1)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% Channels doubled in stage 5 exercise="vgg"
# Stage 5 has as many channels as stage 4: take them from the argument.
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    counts = {"A": (1, 1, 2, 2, 2), "B": (2,) * 5, "C": (2, 2, 3, 3, 3), "D": (2, 2, 3, 3, 3)}
    counts |= {"A-LRN": counts["A"], "E": (2, 2, 4, 4, 4)}
    net, before = nn.Sequential(), 3
    for stage, (count, width) in enumerate(zip(counts[config], [channels[0] * 2**i for i in range(5)]), start=1):
        for number in range(1, count + 1):
            kernel = 1 if config == "C" and number == 3 else 3
            conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
            net.add_module(f"conv{stage}_{number}", conv)
            net.add_module(f"relu{stage}_{number}", nn.ReLU())
            before = width
        if config == "A-LRN" and stage == 1:
            net.add_module("lrn1_1", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0))
        net.add_module(f"pool{stage}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    before *= (size // 32) ** 2
    for number in (6, 7):
        net.add_module(f"fc{number}", nn.Linear(before, hidden))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"drop{number}", nn.Dropout(0.5))
        before = hidden
    net.add_module("fc8", nn.Linear(before, classes))
    return net


# %% From lists of words exercise="vgg" right=true
def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
    plans = {
        "A": "3 3 33 33 33",
        "A-LRN": "3L 3 33 33 33",
        "B": "33 33 33 33 33",
        "C": "33 33 331 331 331",
        "D": "33 33 333 333 333",
        "E": "33 33 3333 3333 3333",
    }
    layers, inputs = OrderedDict(), 3
    for stage, plan in enumerate(plans[config].split()):
        position = 0
        for letter in plan:
            if letter == "L":
                layers[f"lrn{stage + 1}_{position}"] = nn.LocalResponseNorm(5, 0.0005, 0.75, 2)
                continue
            position += 1
            tag = f"{stage + 1}_{position}"
            layers["conv" + tag] = nn.Conv2d(inputs, channels[stage], int(letter), padding="same")
            layers["relu" + tag] = nn.ReLU(inplace=True)
            inputs = channels[stage]
        layers[f"pool{stage + 1}"] = nn.MaxPool2d(2, stride=2)
    layers["flatten"] = nn.Flatten()
    side = size
    for _ in range(5):
        side //= 2
    layers["fc6"], layers["relu6"] = nn.Linear(inputs * side * side, hidden), nn.ReLU()
    layers["drop6"] = nn.Dropout()
    layers["fc7"], layers["relu7"] = nn.Linear(hidden, hidden), nn.ReLU()
    layers["drop7"] = nn.Dropout()
    layers["fc8"] = nn.Linear(hidden, classes)
    return nn.Sequential(layers)


# %% VGG the winner exercise="q-contest"
# GoogLeNet won the classification of 2014.
# q_contest, q_d_over_c: one of the three texts each
q_contest = "first in both"
q_d_over_c = "a larger field"


# %% VGG second in both exercise="q-contest"
# VGG won the localisation of 2014.
# q_contest, q_d_over_c: one of the three texts each
q_contest = "second in both"
q_d_over_c = "a larger field"


# %% Nonlinearities in D exercise="q-contest"
# C and D have the same number of layers, so the same number of ReLUs.
# q_contest, q_d_over_c: one of the three texts each
q_contest = "second in classification, first in localisation"
q_d_over_c = "more nonlinearities"


# %% The slide believed exercise="q-vgg-memory"
# The list adds up to 15.2 million numbers. Add it up.
# q_vgg_numbers: millions of numbers
# q_vgg_bytes: millions of bytes
q_vgg_numbers = 24
q_vgg_bytes = 96


# %% Two bytes a number exercise="q-vgg-memory"
# A float32 takes four bytes.
# q_vgg_numbers: millions of numbers
# q_vgg_bytes: millions of bytes
q_vgg_numbers = 15.24
q_vgg_bytes = 30.48


# %% Mebibytes exercise="q-vgg-memory"
# 58.1 is the number of MB of 1024 · 1024 bytes; million bytes were asked.
# q_vgg_numbers: millions of numbers
# q_vgg_bytes: millions of bytes
q_vgg_numbers = 15.24
q_vgg_bytes = 58.1


# %% ReLUs counted exercise="q-vgg-memory"
# 28.7 million numbers are stored if ReLUs and dropout keep outputs of their own. The list has none.
# q_vgg_numbers: millions of numbers
# q_vgg_bytes: millions of bytes
q_vgg_numbers = 28.7
q_vgg_bytes = 114.8


# %% Sum of the rounded list exercise="q-vgg-memory" right=true
q_vgg_numbers = 15.18
q_vgg_bytes = 60.7


# %% Pooling in the memory exercise="leave-one-out"
# The memory is summed over convolutions and linear layers only.
def leave_one_out(rows):
    memory = total(rows, "kb", ("Conv2d", "Linear", "MaxPool2d"))
    work = total(rows, "macs")
    return {
        row["name"]: ((memory - row["kb"]) / 1024, (work - row["macs"]) / 1e9)
        for row in rows
        if row["kind"] == "Conv2d"
    }


# %% All outputs in the memory exercise="leave-one-out"
# The memory is summed over convolutions and linear layers only.
def leave_one_out(rows):
    memory = total(rows, "kb")
    work = total(rows, "macs")
    return {
        row["name"]: ((memory - row["kb"]) / 1024, (work - row["macs"]) / 1e9)
        for row in rows
        if row["kind"] == "Conv2d"
    }


# %% The layer alone exercise="leave-one-out"
# You give the cost of the layer. Asked is what remains without it.
def leave_one_out(rows):
    memory = total(rows, "kb", ("Conv2d", "Linear"))
    work = total(rows, "macs")
    return {
        row["name"]: (row["kb"] / 1024, row["macs"] / 1e9)
        for row in rows
        if row["kind"] == "Conv2d"
    }


# %% Linear layers left out too exercise="leave-one-out"
# Only convolutions are left out in turn: the keys are their names.
def leave_one_out(rows):
    memory = total(rows, "kb", ("Conv2d", "Linear"))
    work = total(rows, "macs")
    return {
        row["name"]: ((memory - row["kb"]) / 1024, (work - row["macs"]) / 1e9)
        for row in rows
        if row["kind"] in ("Conv2d", "Linear")
    }


# %% Work of the convolutions only exercise="leave-one-out"
# The work is summed over all rows, the linear layers too.
def leave_one_out(rows):
    memory = total(rows, "kb", ("Conv2d", "Linear"))
    work = total(rows, "macs", ("Conv2d",))
    return {
        row["name"]: ((memory - row["kb"]) / 1024, (work - row["macs"]) / 1e9)
        for row in rows
        if row["kind"] == "Conv2d"
    }


# %% KB instead of MB exercise="leave-one-out"
# Memory in MB: 1024 KB.
def leave_one_out(rows):
    memory = total(rows, "kb", ("Conv2d", "Linear"))
    work = total(rows, "macs")
    return {
        row["name"]: ((memory - row["kb"]), (work - row["macs"]) / 1e9)
        for row in rows
        if row["kind"] == "Conv2d"
    }


# %% MB of 1000 KB exercise="leave-one-out"
# One MB is 1024 KB.
def leave_one_out(rows):
    memory = total(rows, "kb", ("Conv2d", "Linear"))
    work = total(rows, "macs")
    return {
        row["name"]: ((memory - row["kb"]) / 1000, (work - row["macs"]) / 1e9)
        for row in rows
        if row["kind"] == "Conv2d"
    }


# %% Millions of MACs exercise="leave-one-out"
# The work was asked in billions.
def leave_one_out(rows):
    memory = total(rows, "kb", ("Conv2d", "Linear"))
    work = total(rows, "macs")
    return {
        row["name"]: ((memory - row["kb"]) / 1024, (work - row["macs"]) / 1e6)
        for row in rows
        if row["kind"] == "Conv2d"
    }


# %% Memory of the maps after it lost as well exercise="leave-one-out"
# Leave out one row, not all rows from it on.
def leave_one_out(rows):
    found = {}
    for place, row in enumerate(rows):
        if row["kind"] == "Conv2d":
            rest = rows[:place]
            memory = total(rest, "kb", ("Conv2d", "Linear")) / 1024
            found[row["name"]] = (memory, total(rest, "macs") / 1e9)
    return found


# %% By slicing the list exercise="leave-one-out" right=true
def leave_one_out(rows):
    found = {}
    for place, row in enumerate(rows):
        if row["kind"] != "Conv2d":
            continue
        rest = rows[:place] + rows[place + 1 :]
        memory = sum(r["kb"] for r in rest if r["kind"] in ("Conv2d", "Linear")) / 1024
        found[row["name"]] = [memory, sum(r["macs"] for r in rest) * 1e-9]
    return found


# %% Only the work looked at exercise="q-culprit"
# 13.6 billion MACs fit a convolution of stages 1 to 4. The memory of 48.6 MB fits stage 3 only.
# q_stage: a number from 1 to 5
# q_part_params: millions of parameters up to pool3
# q_part_macs: million MACs up to pool3
q_stage = 4
q_part_params = 1.735
q_part_macs = 9335


# %% The printed sums repeated exercise="q-culprit"
# 1.1M and 7485 are the printed sums; the missing convolution is missing there too.
# q_stage: a number from 1 to 5
# q_part_params: millions of parameters up to pool3
# q_part_macs: million MACs up to pool3
q_stage = 3
q_part_params = 1.145
q_part_macs = 7485


# %% FLOPs up to pool3 exercise="q-culprit" covers=[27]
# The column counts MACs. You counted FLOPs.
# q_stage: a number from 1 to 5
# q_part_params: millions of parameters up to pool3
# q_part_macs: million MACs up to pool3
q_stage = 3
q_part_params = 1.735
q_part_macs = 18670


# %% Parameters as a whole number exercise="q-culprit"
# Millions of parameters were asked.
# q_stage: a number from 1 to 5
# q_part_params: millions of parameters up to pool3
# q_part_macs: million MACs up to pool3
q_stage = 3
q_part_params = 1_735_488
q_part_macs = 9335


# %% Without biases exercise="q-culprit" right=true
q_stage = 3
q_part_params = 1.7343
q_part_macs = 9335.14


# %% [markdown]
# ## The recipe


# %% Variance for standard deviation exercise="init-alexnet"
# 0.01 is the standard deviation. You used its root, or its square.
def init_alexnet(net):
    for name, layer in net.named_children():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(layer.weight, std=0.1)
            ones = name in ("conv2", "conv4", "conv5", "fc6", "fc7")
            nn.init.constant_(layer.bias, float(ones))
    return net


# %% 0.01 taken for the variance's square exercise="init-alexnet"
# 0.01 is the standard deviation; 0.0001 is the variance.
def init_alexnet(net):
    for name, layer in net.named_children():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(layer.weight, std=0.0001)
            ones = name in ("conv2", "conv4", "conv5", "fc6", "fc7")
            nn.init.constant_(layer.bias, float(ones))
    return net


# %% Uniform weights exercise="init-alexnet"
# Normal random numbers were asked, yours are uniform.
def init_alexnet(net):
    for name, layer in net.named_children():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.uniform_(layer.weight, -0.0173, 0.0173)
            ones = name in ("conv2", "conv4", "conv5", "fc6", "fc7")
            nn.init.constant_(layer.bias, float(ones))
    return net


# %% Ones everywhere exercise="init-alexnet"
# Only conv2, conv4, conv5, fc6 and fc7 have biases 1.
def init_alexnet(net):
    for name, layer in net.named_children():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(layer.weight, std=0.01)
            ones = name in ("conv2", "conv4", "conv5", "fc6", "fc7")
            nn.init.constant_(layer.bias, 1.0)
    return net


# %% Ones in conv3 exercise="init-alexnet"
# conv1, conv3 and fc8 have biases 0.
def init_alexnet(net):
    for name, layer in net.named_children():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(layer.weight, std=0.01)
            ones = name in ("conv2", "conv3", "conv4", "conv5", "fc6", "fc7")
            nn.init.constant_(layer.bias, float(ones))
    return net


# %% Ones in the last layer exercise="init-alexnet"
# fc8 is no hidden layer: its biases are 0.
def init_alexnet(net):
    for name, layer in net.named_children():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(layer.weight, std=0.01)
            ones = name in ("conv2", "conv4", "conv5", "fc6", "fc7", "fc8")
            nn.init.constant_(layer.bias, float(ones))
    return net


# %% All biases zero exercise="init-alexnet"
# The paper sets the biases of conv2, conv4, conv5 and the hidden FC layers to 1.
def init_alexnet(net):
    for name, layer in net.named_children():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(layer.weight, std=0.01)
            ones = name in ("conv2", "conv4", "conv5", "fc6", "fc7")
            nn.init.constant_(layer.bias, 0.0)
    return net


# %% Convolutions only exercise="init-alexnet"
# FC layers have weights, too.
def init_alexnet(net):
    for name, layer in net.named_children():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=0.01)
            ones = name in ("conv2", "conv4", "conv5", "fc6", "fc7")
            nn.init.constant_(layer.bias, float(ones))
    return net


# %% Nothing returned exercise="init-alexnet"
# The function should return the network.
def init_alexnet(net):
    for name, layer in net.named_children():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(layer.weight, std=0.01)
            ones = name in ("conv2", "conv4", "conv5", "fc6", "fc7")
            nn.init.constant_(layer.bias, float(ones))
    return None


# %% A new network returned exercise="init-alexnet"
# The network is to be changed in place. You changed a copy.
def init_alexnet(net):
    net = copy.deepcopy(net)
    for name, layer in net.named_children():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(layer.weight, std=0.01)
            ones = name in ("conv2", "conv4", "conv5", "fc6", "fc7")
            nn.init.constant_(layer.bias, float(ones))
    return net


# %% Old biases kept exercise="init-alexnet"
# Biases that are not 1 are to be set to 0. You left what was there.
def init_alexnet(net):
    for name, layer in net.named_children():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(layer.weight, std=0.01)
            ones = name in ("conv2", "conv4", "conv5", "fc6", "fc7")
            if ones:
                nn.init.constant_(layer.bias, 1.0)
    return net


# %% By parameter names exercise="init-alexnet" right=true
def init_alexnet(net):
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            layer, what = name.split(".")
            if what == "weight":
                parameter.copy_(0.01 * torch.randn_like(parameter))
            else:
                parameter.fill_(1 if layer in {"conv2", "conv4", "conv5", "fc6", "fc7"} else 0)
    return net


# %% Velocity with the wrong sign exercise="paper-step" covers=[63]
# The gradient is subtracted: the step goes downhill.
def paper_step(w, g, v, lr, momentum=0.9, decay=0.0005):
    v = momentum * v - decay * lr * w + lr * g
    return w + v, v


# %% Momentum subtracted exercise="paper-step" covers=[63]
# The old velocity is kept with its own sign.
def paper_step(w, g, v, lr, momentum=0.9, decay=0.0005):
    v = -momentum * v - decay * lr * w - lr * g
    return w + v, v


# %% Velocity forgotten exercise="paper-step" covers=[64]
# The new velocity starts from the old one: you start from 0 at each step.
def paper_step(w, g, v, lr, momentum=0.9, decay=0.0005):
    v = -decay * lr * w - lr * g
    return w + v, v


# %% Decay doubled exercise="paper-step" covers=[65]
# The decay is counted twice.
def paper_step(w, g, v, lr, momentum=0.9, decay=0.0005):
    v = momentum * v - 2 * decay * lr * w - lr * g
    return w + v, v


# %% Decay without the learning rate exercise="paper-step" covers=[66]
# In the paper's rule the decay is multiplied by the learning rate.
def paper_step(w, g, v, lr, momentum=0.9, decay=0.0005):
    v = momentum * v - decay * w - lr * g
    return w + v, v


# %% Decay outside the velocity exercise="paper-step" covers=[66]
# The decay is a part of the velocity. You took it off the weight alone.
def paper_step(w, g, v, lr, momentum=0.9, decay=0.0005):
    v = momentum * v - lr * g
    return w + v - decay * lr * w, v


# %% Decay forgotten exercise="paper-step"
# The term with the decay is missing.
def paper_step(w, g, v, lr, momentum=0.9, decay=0.0005):
    v = momentum * v - lr * g
    return w + v, v


# %% PyTorch's rule exercise="paper-step"
# In PyTorch's rule the learning rate stands outside the velocity. In the paper's it is inside.
def paper_step(w, g, v, lr, momentum=0.9, decay=0.0005):
    v = momentum * v + g + decay * w
    return w - lr * v, v


# %% Nesterov's step exercise="paper-step"
# You add momentum · v once more. The paper's rule moves by v.
def paper_step(w, g, v, lr, momentum=0.9, decay=0.0005):
    v = momentum * v - decay * lr * w - lr * g
    return w + momentum * v - lr * g, v


# %% Old velocity added exercise="paper-step"
# The weight moves by the new velocity.
def paper_step(w, g, v, lr, momentum=0.9, decay=0.0005):
    return w + v, momentum * v - decay * lr * w - lr * g


# %% Decay of the new weight exercise="paper-step"
# The decay takes the weight before the step.
def paper_step(w, g, v, lr, momentum=0.9, decay=0.0005):
    v = momentum * v - lr * g
    w = w + v
    v = v - decay * lr * w
    return w - decay * lr * w, v


# %% Arguments changed exercise="paper-step" covers=[24]
# The function changes the tensors it is given. Return new ones.
def paper_step(w, g, v, lr, momentum=0.9, decay=0.0005):
    v *= momentum
    v -= decay * lr * w + lr * g
    return w + v, v


# %% Sum of squares decayed exercise="paper-step"
# The gradient of decay/2 · w² is decay · w, not decay · w².
def paper_step(w, g, v, lr, momentum=0.9, decay=0.0005):
    v = momentum * v - decay * lr * w**2 - lr * g
    return w + v, v


# %% In place on copies exercise="paper-step" right=true
def paper_step(w, g, v, lr, momentum=0.9, decay=0.0005):
    v = v.clone().mul_(momentum).add_(g + decay * w, alpha=-lr)
    w = w.clone().add_(v)
    return w, v


# %% Both the same exercise="q-rules"
# They are the same while the learning rate is. After the cut PyTorch's step shrinks at once, the
# paper's velocity was made with the old rate.
# q_rules: a number
q_rules = 1


# %% Upside down exercise="q-rules"
# The paper's step is the larger one.
# q_rules: a number
q_rules = 0.1


# %% Biases decayed exercise="alexnet-recipe" covers=[67]
# The biases should not decay: give them a group with weight_decay 0.
def alexnet_recipe(net):
    weights = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in net.parameters() if parameter.ndim == 1]
    groups = [
        {"params": weights, "weight_decay": 5e-4},
        {"params": biases, "weight_decay": 5e-4},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.1, patience=5, threshold=0.0, min_lr=1e-5
    )
    return optimizer, scheduler


# %% Weights not decayed exercise="alexnet-recipe" covers=[67]
# The groups are exchanged: weights decay, biases do not.
def alexnet_recipe(net):
    weights = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in net.parameters() if parameter.ndim == 1]
    groups = [
        {"params": weights, "weight_decay": 0.0},
        {"params": biases, "weight_decay": 5e-4},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.1, patience=5, threshold=0.0, min_lr=1e-5
    )
    return optimizer, scheduler


# %% Decay of 5e-3 exercise="alexnet-recipe"
# The decay is 0.0005.
def alexnet_recipe(net):
    weights = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in net.parameters() if parameter.ndim == 1]
    groups = [
        {"params": weights, "weight_decay": 5e-3},
        {"params": biases, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.1, patience=5, threshold=0.0, min_lr=1e-5
    )
    return optimizer, scheduler


# %% Decay doubled in the optimizer exercise="alexnet-recipe" covers=[65]
# The decay is 0.0005: its gradient is decay · w, with no factor 2.
def alexnet_recipe(net):
    weights = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in net.parameters() if parameter.ndim == 1]
    groups = [
        {"params": weights, "weight_decay": 1e-3},
        {"params": biases, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.1, patience=5, threshold=0.0, min_lr=1e-5
    )
    return optimizer, scheduler


# %% No momentum exercise="alexnet-recipe"
# Momentum 0.9 is missing.
def alexnet_recipe(net):
    weights = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in net.parameters() if parameter.ndim == 1]
    groups = [
        {"params": weights, "weight_decay": 5e-4},
        {"params": biases, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.01)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.1, patience=5, threshold=0.0, min_lr=1e-5
    )
    return optimizer, scheduler


# %% Nesterov momentum exercise="alexnet-recipe"
# Plain momentum was asked.
def alexnet_recipe(net):
    weights = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in net.parameters() if parameter.ndim == 1]
    groups = [
        {"params": weights, "weight_decay": 5e-4},
        {"params": biases, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9, nesterov=True)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.1, patience=5, threshold=0.0, min_lr=1e-5
    )
    return optimizer, scheduler


# %% Biases forgotten exercise="alexnet-recipe" covers=[143]
# The optimizer has to cover all parameters, the biases too.
def alexnet_recipe(net):
    weights = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in net.parameters() if parameter.ndim == 1]
    groups = [
        {"params": weights, "weight_decay": 5e-4},
        {"params": biases, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups[:1], lr=0.01, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.1, patience=5, threshold=0.0, min_lr=1e-5
    )
    return optimizer, scheduler


# %% Learning rate 0.1 exercise="alexnet-recipe"
# The learning rate is 0.01.
def alexnet_recipe(net):
    weights = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in net.parameters() if parameter.ndim == 1]
    groups = [
        {"params": weights, "weight_decay": 5e-4},
        {"params": biases, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.1, patience=5, threshold=0.0, min_lr=1e-5
    )
    return optimizer, scheduler


# %% Decoupled decay exercise="alexnet-recipe"
# AdamW is another optimizer, with another decay. SGD was asked.
def alexnet_recipe(net):
    weights = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in net.parameters() if parameter.ndim == 1]
    groups = [
        {"params": weights, "weight_decay": 5e-4},
        {"params": biases, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=0.01)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.1, patience=5, threshold=0.0, min_lr=1e-5
    )
    return optimizer, scheduler


# %% Cut after five exercise="alexnet-recipe"
# Five epochs without improvement are tolerated, the sixth cuts.
def alexnet_recipe(net):
    weights = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in net.parameters() if parameter.ndim == 1]
    groups = [
        {"params": weights, "weight_decay": 5e-4},
        {"params": biases, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.1, patience=4, threshold=0.0, min_lr=1e-5
    )
    return optimizer, scheduler


# %% PyTorch's default patience exercise="alexnet-recipe"
# The patience is 5; PyTorch's default is 10.
def alexnet_recipe(net):
    weights = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in net.parameters() if parameter.ndim == 1]
    groups = [
        {"params": weights, "weight_decay": 5e-4},
        {"params": biases, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.1, threshold=0.0, min_lr=1e-5
    )
    return optimizer, scheduler


# %% Tiny improvements ignored exercise="alexnet-recipe"
# Any error below the best counts as an improvement: threshold=0.
def alexnet_recipe(net):
    weights = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in net.parameters() if parameter.ndim == 1]
    groups = [
        {"params": weights, "weight_decay": 5e-4},
        {"params": biases, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.1, patience=5, min_lr=1e-5
    )
    return optimizer, scheduler


# %% No lower bound exercise="alexnet-recipe"
# The learning rate never falls below 1e-5.
def alexnet_recipe(net):
    weights = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in net.parameters() if parameter.ndim == 1]
    groups = [
        {"params": weights, "weight_decay": 5e-4},
        {"params": biases, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.1, patience=5, threshold=0.0
    )
    return optimizer, scheduler


# %% Cut by half exercise="alexnet-recipe"
# The learning rate is divided by 10.
def alexnet_recipe(net):
    weights = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in net.parameters() if parameter.ndim == 1]
    groups = [
        {"params": weights, "weight_decay": 5e-4},
        {"params": biases, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="min", factor=0.5, patience=5, threshold=0.0, min_lr=1e-5
    )
    return optimizer, scheduler


# %% The larger the better exercise="alexnet-recipe"
# The scheduler is given an error: it should fall. mode='max' is for accuracies.
def alexnet_recipe(net):
    weights = [parameter for parameter in net.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in net.parameters() if parameter.ndim == 1]
    groups = [
        {"params": weights, "weight_decay": 5e-4},
        {"params": biases, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="max", factor=0.1, patience=5, threshold=0.0, min_lr=1e-5
    )
    return optimizer, scheduler


# %% Cuts at fixed epochs exercise="alexnet-recipe"
# The scheduler should look at the validation error. Yours cuts at fixed epochs.
def alexnet_recipe(net):
    groups = [
        {"params": [p for p in net.parameters() if p.ndim > 1], "weight_decay": 5e-4},
        {"params": [p for p in net.parameters() if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [8, 20, 30], gamma=0.1)

    class Plateau:
        def step(self, error):
            schedule.step()

    return optimizer, Plateau()


# %% Groups by name exercise="alexnet-recipe" right=true
def alexnet_recipe(net):
    decayed, free = [], []
    for name, parameter in net.named_parameters():
        (free if name.endswith("bias") else decayed).append(parameter)
    optimizer = torch.optim.SGD(
        [{"params": free}, {"params": decayed, "weight_decay": 0.0005}], lr=1e-2, momentum=0.9
    )
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, "min", 0.1, 5, threshold=0, threshold_mode="abs", min_lr=[1e-5, 1e-5]
    )
    return optimizer, scheduler


# %% Gradients never cleared exercise="train-epoch" covers=[62]
# Gradients add up until they are cleared: call zero_grad before each backward.
def train_epoch(net, optimizer, batches):
    net.train()
    loss_sum = images_seen = 0
    for images, labels in batches:
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(labels)
        images_seen += len(labels)
    return loss_sum / images_seen


# %% Cleared once exercise="train-epoch" covers=[62]
# Gradients have to be cleared for each batch, not once an epoch.
def train_epoch(net, optimizer, batches):
    net.train()
    loss_sum = images_seen = 0
    optimizer.zero_grad()
    for images, labels in batches:
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(labels)
        images_seen += len(labels)
    return loss_sum / images_seen


# %% Cleared after the step only exercise="train-epoch" covers=[62]
# What is left over from before the epoch counts in your first step. Clear before backward.
def train_epoch(net, optimizer, batches):
    net.train()
    loss_sum = images_seen = 0
    for images, labels in batches:
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        loss_sum += loss.item() * len(labels)
        images_seen += len(labels)
    return loss_sum / images_seen


# %% Cleared between backward and step exercise="train-epoch" covers=[62]
# You clear the gradients before the step can use them.
def train_epoch(net, optimizer, batches):
    net.train()
    loss_sum = images_seen = 0
    for images, labels in batches:
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        loss_sum += loss.item() * len(labels)
        images_seen += len(labels)
    return loss_sum / images_seen


# %% Softmax before the cross-entropy exercise="train-epoch" covers=[57]
# F.cross_entropy takes logits and applies the softmax itself.
def train_epoch(net, optimizer, batches):
    net.train()
    loss_sum = images_seen = 0
    for images, labels in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(F.softmax(net(images), dim=1), labels)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(labels)
        images_seen += len(labels)
    return loss_sum / images_seen


# %% Sum instead of mean exercise="train-epoch" covers=[61]
# The step is on the mean loss of the batch.
def train_epoch(net, optimizer, batches):
    net.train()
    loss_sum = images_seen = 0
    for images, labels in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), labels, reduction="sum")
        loss.backward()
        optimizer.step()
        loss_sum += loss.item()
        images_seen += len(labels)
    return loss_sum / images_seen


# %% Mean over batches exercise="train-epoch"
# The last batch is smaller: weight each batch's mean by its number of images.
def train_epoch(net, optimizer, batches):
    net.train()
    loss_sum = images_seen = 0
    for images, labels in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item()
        images_seen += 1
    return loss_sum / images_seen


# %% Decay in the loss as well exercise="train-epoch" covers=[65]
# The decay is in the optimizer. In the loss it would count twice.
def train_epoch(net, optimizer, batches):
    net.train()
    loss_sum = images_seen = 0
    for images, labels in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), labels)
        loss = loss + 5e-4 / 2 * sum((p**2).sum() for p in net.parameters())
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(labels)
        images_seen += len(labels)
    return loss_sum / images_seen


# %% Mode left as it was exercise="train-epoch"
# Put the network into training mode: dropout and batch norm need to know.
def train_epoch(net, optimizer, batches):
    loss_sum = images_seen = 0
    for images, labels in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(labels)
        images_seen += len(labels)
    return loss_sum / images_seen


# %% Eval mode exercise="train-epoch"
# Training happens in training mode.
def train_epoch(net, optimizer, batches):
    net.eval()
    loss_sum = images_seen = 0
    for images, labels in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(labels)
        images_seen += len(labels)
    return loss_sum / images_seen


# %% A new optimizer for each batch exercise="train-epoch" covers=[64]
# A new optimizer starts with velocity 0. Use the one that you were given.
def train_epoch(net, optimizer, batches):
    net.train()
    loss_sum = images_seen = 0
    for images, labels in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9).step()
        loss_sum += loss.item() * len(labels)
        images_seen += len(labels)
    return loss_sum / images_seen


# %% One step for the epoch exercise="train-epoch"
# A step belongs to each batch.
def train_epoch(net, optimizer, batches):
    net.train()
    loss_sum = images_seen = 0
    for images, labels in batches:
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        loss_sum += loss.item() * len(labels)
        images_seen += len(labels)
    optimizer.step()
    return loss_sum / images_seen


# %% Last loss returned exercise="train-epoch"
# The mean over all images was asked, not the loss of the last batch.
def train_epoch(net, optimizer, batches):
    net.train()
    loss_sum = images_seen = 0
    for images, labels in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(labels)
        images_seen += len(labels)
    return loss.item()


# %% Loss by hand exercise="train-epoch" right=true
def train_epoch(net, optimizer, batches):
    net.train(True)
    losses = []
    for images, labels in batches:
        logits = net(images)
        each = torch.logsumexp(logits, dim=1) - logits.gather(1, labels[:, None])[:, 0]
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = None
        each.mean().backward()
        optimizer.step()
        losses.append(each.detach())
    return torch.cat(losses).mean().item()


# %% [markdown]
# ## Mutants that no test should tell from the solution


# %% A float or a tensor of one number exercise="topk-error" equivalent=true
# The task allows both.
# - return 1 - hit.double().mean().item()
# + return 1 - hit.double().mean()


# %% Within the tolerance of the answer exercise="q-imagenet" equivalent=true
# 1.28 million over 1,000 classes is 1,281 to the unit; 2% are allowed.
# - q_per_class = 1280
# + q_per_class = 1281
# + q_per_class = 1279


# %% A product has no order, and groups divide the channels exercise="layer-macs" equivalent=true
# Height times width is width times height; C_in is a multiple of the groups, so the division leaves
# no rest.
# - kernel_height, kernel_width = layer.kernel_size
# + kernel_width, kernel_height = layer.kernel_size
# - per_output = kernel_height * kernel_width * in_shape[0] // layer.groups
# + per_output = -(-(kernel_height * kernel_width * in_shape[0]) // layer.groups)
# + per_output = kernel_height * kernel_width * in_shape[0] / layer.groups


# %% Leaves have one input, a Size is a tuple, and any batch gives the same rows exercise="layer-table" equivalent=true
# The layers of the table take one tensor each. torch.Size is a tuple. The rows leave the batch out.
# - before, after = (inputs[0].shape[1:], output.shape[1:])
# + before, after = (inputs[-1].shape[1:], output.shape[1:])
# - rows.append({'name': name, 'kind': type(layer).__name__, 'out': tuple(after), 'kb': 4 * math.prod(after) / 1024, 'params': 0 if layer in seen else layer_params(layer), 'macs': layer_macs(layer, before, after)})
# + rows.append({'name': name, 'kind': type(layer).__name__, 'out': after, 'kb': 4 * math.prod(after) / 1024, 'params': 0 if layer in seen else layer_params(layer), 'macs': layer_macs(layer, before, after)})
# - shadow(torch.empty(1, *in_shape, device='meta'))
# + shadow(torch.empty(2, *in_shape, device='meta'))
# + shadow(torch.empty(0, *in_shape, device='meta'))


# %% Within the 3 points of the question exercise="q-where" equivalent=true
# The question allows 3 points.
# - q_fc_percent = 96
# + q_fc_percent = 97
# + q_fc_percent = 95


# %% The size of a difference has no sign exercise="wrong-cells" equivalent=true
# |a - b| is |b - a|.
# - return [(row, column) for row, cells in printed.items() for column, number in cells.items() if column in exact.get(row, {}) and abs(number - exact[row][column]) >= 1]
# + return [(row, column) for row, cells in printed.items() for column, number in cells.items() if column in exact.get(row, {}) and abs(exact[row][column] - number) >= 1]


# %% Zeros behind the last window exercise="lrn" equivalent=true
# The sum runs over n shifted slices of C channels each; more zeros behind them are never reached.
# - squares = F.pad(a ** 2, (0, 0, 0, 0, n // 2, n // 2))
# + squares = F.pad(a ** 2, (0, 0, 0, 0, n // 2, -(-n // 2)))
# + squares = F.pad(a ** 2, (0, 0, 0, 0, n // 2, n))
# + squares = F.pad(a ** 2, (0, 0, 0, 0, n // 2, n // 1))


# %% PyTorch's default beta exercise="alexnet-2012" equivalent=true
# nn.LocalResponseNorm has beta 0.75 by default.
# - return nn.LocalResponseNorm(5, alpha=0.0005, beta=0.75, k=2.0)
# + return nn.LocalResponseNorm(5, alpha=0.0005, k=2.0)


# %% Sizes are multiples of 32, stages are five, convolutions at most three in C exercise="vgg" equivalent=true
# 225 // 32 is 7 like 224 // 32; zip stops at five stages; C has no fourth convolution; 3 // 3 is 3
# // 2 for a kernel of 3 and 0 for one of 1; a module added again under its name lrn1_1 keeps its
# place; 0.75 is PyTorch's beta.
# - def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=224):
# + def vgg(config, channels=(64, 128, 256, 512, 512), hidden=4096, classes=1000, size=225):
# - counts = {'A': (1, 1, 2, 2, 2), 'B': (2,) * 5, 'C': (2, 2, 3, 3, 3), 'D': (2, 2, 3, 3, 3)}
# + counts = {'A': (1, 1, 2, 2, 2), 'B': (2,) * 6, 'C': (2, 2, 3, 3, 3), 'D': (2, 2, 3, 3, 3)}
# - kernel = 1 if config == 'C' and number == 3 else 3
# + kernel = 1 if config == 'C' and number >= 3 else 3
# - conv = nn.Conv2d(before, width, kernel, padding=kernel // 2)
# + conv = nn.Conv2d(before, width, kernel, padding=kernel // 3)
# - if config == 'A-LRN' and stage == 1:
# + if config == 'A-LRN':
# + if config == 'A-LRN' and stage <= 1:
# + if config == 'A-LRN' and stage >= 1:
# - net.add_module('lrn1_1', nn.LocalResponseNorm(5, alpha=0.0005, beta=0.75, k=2.0))
# + net.add_module('lrn1_1', nn.LocalResponseNorm(5, alpha=0.0005, k=2.0))
# - before *= (size // 32) ** 2
# + before *= (-(-size // 32)) ** 2


# %% A set of kinds has no order, and a billion and one exercise="leave-one-out" equivalent=true
# Membership does not depend on the order. A relative change of 1e-9 is below the tolerance.
# - memory = total(rows, 'kb', ('Conv2d', 'Linear'))
# + memory = total(rows, 'kb', ('Linear', 'Conv2d'))
# - return {row['name']: ((memory - row['kb']) / 1024, (work - row['macs']) / 1000000000.0) for row in rows if row['kind'] == 'Conv2d'}
# + return {row['name']: ((memory - row['kb']) / 1024, (work - row['macs']) / 1000000001.0) for row in rows if row['kind'] == 'Conv2d'}


# %% Within the tolerance of the answer exercise="q-culprit" equivalent=true
# 9335.1 million, within half a percent.
# - q_part_macs = 9335
# + q_part_macs = 9336
# + q_part_macs = 9334


# %% Membership has no order, and True is 1 exercise="init-alexnet" equivalent=true
# Neither isinstance nor `in` depends on the order; a bias set to True is 1.0.
# - if isinstance(layer, (nn.Conv2d, nn.Linear)):
# + if isinstance(layer, (nn.Linear, nn.Conv2d)):
# - ones = name in ('conv2', 'conv4', 'conv5', 'fc6', 'fc7')
# + ones = name in ('conv4', 'conv2', 'conv5', 'fc6', 'fc7')
# + ones = name in ('conv2', 'conv5', 'conv4', 'fc6', 'fc7')
# + ones = name in ('conv2', 'conv4', 'fc6', 'conv5', 'fc7')
# + ones = name in ('conv2', 'conv4', 'conv5', 'fc7', 'fc6')
# - nn.init.constant_(layer.bias, float(ones))
# + nn.init.constant_(layer.bias, ones)


# %% Defaults spelled out, groups without order exercise="alexnet-recipe" equivalent=true
# Biases have one dimension, none has fewer. The order of the groups is free; the optimizer's own
# decay is 0. ReduceLROnPlateau has mode min and factor 0.1 by default.
# - biases = [parameter for parameter in net.parameters() if parameter.ndim == 1]
# + biases = [parameter for parameter in net.parameters() if parameter.ndim <= 1]
# - groups = [{'params': weights, 'weight_decay': 0.0005}, {'params': biases, 'weight_decay': 0.0}]
# + groups = [{'params': biases, 'weight_decay': 0.0}, {'params': weights, 'weight_decay': 0.0005}]
# + groups = [{'params': weights, 'weight_decay': 0.0005}, {'params': biases, '': 0.0}]
# - scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode='min', factor=0.1, patience=5, threshold=0.0, min_lr=1e-05)
# + scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.1, patience=5, threshold=0.0, min_lr=1e-05)
# + scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode='min', patience=5, threshold=0.0, min_lr=1e-05)


# %% The optimizer has all parameters of the network, a batch as many images as labels exercise="train-epoch" equivalent=true
# net.zero_grad() clears the same gradients. A loss that is still a tensor adds up to the same
# number.
# - optimizer.zero_grad()
# + net.zero_grad()
# - loss_sum += loss.item() * len(labels)
# + loss_sum += loss * len(labels)
# + loss_sum += loss.item() * len(images)
# - images_seen += len(labels)
# + images_seen += len(images)
