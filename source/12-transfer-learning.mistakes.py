# %% [markdown]
# ## Part 1 · devices and pictures


# %% CUDA hard-coded exercise="pick-device"
# Your code asks for CUDA whether there is one or not. On "auto" look first whether a GPU is available.
def pick_device(name="auto"):
    return torch.device("cuda" if name == "auto" else name)


# %% A missing GPU is silently replaced exercise="pick-device"
# Whoever asks for CUDA by name and gets a CPU waits a week without knowing why. Raise a RuntimeError.
def pick_device(name="auto"):
    available = torch.cuda.is_available()
    if name == "auto" or (name.startswith("cuda") and not available):
        return torch.device("cuda" if available else "cpu")
    return torch.device(name)


# %% Only the plain name cuda is checked exercise="pick-device"
# "cuda:0" and "cuda:1" ask for CUDA too. The device's type says so, not its whole name.
def pick_device(name="auto"):
    available = torch.cuda.is_available()
    if name == "auto":
        return torch.device("cuda" if available else "cpu")
    if name == "cuda" and not available:
        raise RuntimeError("no CUDA")
    return torch.device(name)


# %% A string comes back exercise="pick-device"
# The result is a string. Make a torch.device of it: its type and index can be asked.
def pick_device(name="auto"):
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise RuntimeError("no CUDA")
    return name


# %% Every name means auto exercise="pick-device"
# The name that the caller gives is ignored; only "auto" may choose by itself.
def pick_device(name="auto"):
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


# %% Moved and thrown away exercise="move"
# tensor.to(device) returns a new tensor and leaves the old one where it is. Your code drops the new one.
def move(batch, device):
    if isinstance(batch, torch.Tensor):
        batch.to(device)
    elif isinstance(batch, dict):
        for value in batch.values():
            move(value, device)
    elif isinstance(batch, (tuple, list)):
        for value in batch:
            move(value, device)
    return batch


# %% Only one level is moved exercise="move"
# What lies inside a dict or list in the batch stays where it was: call move on every element.
def move(batch, device):
    def one(value):
        return value.to(device) if isinstance(value, torch.Tensor) else value

    if isinstance(batch, dict):
        return {key: one(value) for key, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        return type(batch)(one(value) for value in batch)
    return one(batch)


# %% Everything becomes a list exercise="move"
# A tuple comes back as a list. Rebuild the container that came in.
def move(batch, device):
    if isinstance(batch, torch.Tensor):
        return batch.to(device)
    if isinstance(batch, dict):
        return {key: move(value, device) for key, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        return [move(value, device) for value in batch]
    return batch


# %% Dicts are forgotten exercise="move"
# A dict is returned as it is, with its tensors on the old device.
def move(batch, device):
    if isinstance(batch, torch.Tensor):
        return batch.to(device)
    if isinstance(batch, (tuple, list)):
        return type(batch)(move(value, device) for value in batch)
    return batch


# %% Everything is asked to move exercise="move"
# Strings, numbers and None have no `to`: return what is no tensor and no container as it is.
def move(batch, device):
    if isinstance(batch, dict):
        return {key: move(value, device) for key, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        return type(batch)(move(value, device) for value in batch)
    return batch.to(device)


# %% Written with match exercise="move" right=true
def move(batch, device):
    match batch:
        case torch.Tensor():
            return batch.to(device)
        case dict():
            return dict((k, move(v, device)) for k, v in batch.items())
        case list():
            return [move(v, device) for v in batch]
        case tuple():
            return tuple([move(v, device) for v in batch])
    return batch


# %% ImageNet's normalisation exercise="to-network" covers=[146]
# These are ImageNet's mean and deviation. The network was trained with CIFAR-10's: MEAN and STD.
def to_network(images, size=32):
    x = torch.as_tensor(images, dtype=torch.float32)
    x = F.interpolate(x, (size, size), mode="bilinear", antialias=True).expand(-1, 3, -1, -1)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    return (x - mean) / torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


# %% Statistics of these pictures exercise="to-network" covers=[146]
# You normalise with the mean and deviation of the pictures at hand. The network expects those of its own training.
def to_network(images, size=32):
    x = torch.as_tensor(images, dtype=torch.float32)
    x = F.interpolate(x, (size, size), mode="bilinear", antialias=True).expand(-1, 3, -1, -1)
    return (x - x.mean((0, 2, 3), keepdim=True)) / (x.std((0, 2, 3), keepdim=True) + 1e-6)


# %% Not normalised exercise="to-network" covers=[146]
# The values are still in [0, 1]: subtract MEAN, divide by STD, per channel.
def to_network(images, size=32):
    x = torch.as_tensor(images, dtype=torch.float32)
    return F.interpolate(x, (size, size), mode="bilinear", antialias=True).expand(-1, 3, -1, -1)


# %% Divided by 255 as well exercise="to-network" covers=[146]
# The pictures are in [0, 1] already; dividing by 255 makes them all black.
def to_network(images, size=32):
    x = torch.as_tensor(images, dtype=torch.float32) / 255
    x = F.interpolate(x, (size, size), mode="bilinear", antialias=True).expand(-1, 3, -1, -1)
    return (x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)


# %% Mean subtracted, deviation forgotten exercise="to-network" covers=[146]
# The mean is subtracted, the division by STD is missing.
def to_network(images, size=32):
    x = torch.as_tensor(images, dtype=torch.float32)
    x = F.interpolate(x, (size, size), mode="bilinear", antialias=True).expand(-1, 3, -1, -1)
    return x - torch.tensor(MEAN).view(1, 3, 1, 1)


# %% Gray stays one channel exercise="to-network"
# A gray picture comes out normalised with one channel's numbers only: each of the three channels has its own.
def to_network(images, size=32):
    x = torch.as_tensor(images, dtype=torch.float32)
    x = F.interpolate(x, (size, size), mode="bilinear", antialias=True)
    if x.shape[1] == 1:
        return ((x - MEAN[0]) / STD[0]).expand(-1, 3, -1, -1)
    return (x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)


# %% Cut instead of resized exercise="to-network"
# The picture is cropped or padded to the size, not resized to it.
def to_network(images, size=32):
    x = torch.as_tensor(images, dtype=torch.float32).expand(-1, 3, -1, -1)
    x = F.pad(x, (0, max(0, size - x.shape[3]), 0, max(0, size - x.shape[2])))[:, :, :size, :size]
    return (x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)


# %% Nearest pixels exercise="to-network"
# interpolate takes the nearest pixel by default; bilinear with antialias=True is asked for.
def to_network(images, size=32):
    x = torch.as_tensor(images, dtype=torch.float32)
    x = F.interpolate(x, (size, size)).expand(-1, 3, -1, -1)
    return (x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)


# %% With the zoo's own function exercise="to-network" right=true
def to_network(images, size=32):
    from course.zoo import preprocess

    x = torch.from_numpy(np.asarray(images)).float()
    return preprocess(F.interpolate(x, (size, size), mode="bilinear", antialias=True))


# %% Normalised before resizing exercise="to-network" right=true
def to_network(images, size=32):
    x = torch.from_numpy(np.repeat(images, 3, 1) if images.shape[1] == 1 else images).float()
    x = torch.stack([(x[:, c] - MEAN[c]) / STD[c] for c in range(3)], 1)
    return F.interpolate(x, (size, size), mode="bilinear", antialias=True, align_corners=False)


# %% [markdown]
# ## Part 2 · heads, weights, freezing


# %% The width is written down exercise="new-head"
# 64 is ResNet-20's width. Ask the old head for its in_features: other networks have other widths.
def new_head(net, num_classes):
    net.head = nn.Linear(64, num_classes)
    return net


# %% A copy gets the head exercise="new-head"
# The network that was given keeps its old head: you changed a copy.
def new_head(net, num_classes):
    net = copy.deepcopy(net)
    net.head = nn.Linear(net.head.in_features, num_classes)
    return net


# %% Head replaced, then everything frozen exercise="new-head" covers=[149]
# The whole network is frozen after the head was replaced, and the new head with it: nothing is left to train.
def new_head(net, num_classes):
    net.head = nn.Linear(net.head.in_features, num_classes)
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    return net


# %% The head inherits being frozen exercise="new-head" covers=[139]
# The new head takes over requires_grad of the old one. It is new: it has to be trained.
def new_head(net, num_classes):
    old = net.head
    net.head = nn.Linear(old.in_features, num_classes, dtype=old.weight.dtype)
    net.head.requires_grad_(old.weight.requires_grad)
    return net


# %% Head without the network's dtype exercise="new-head"
# A float64 network gets a float32 head. Dtype and device are those of the old head.
def new_head(net, num_classes):
    net.head = nn.Linear(net.head.in_features, num_classes)
    return net


# %% Head without a bias exercise="new-head"
# The new head has no bias; the old one had.
def new_head(net, num_classes):
    net.head = nn.Linear(net.head.in_features, num_classes, bias=False, dtype=net.head.weight.dtype)
    return net


# %% The old head is kept when the width fits exercise="new-head"
# With the same number of classes the old head stays. A new task needs new weights, whatever their number.
def new_head(net, num_classes):
    if net.head.out_features != num_classes:
        old = net.head
        net.head = nn.Linear(old.in_features, num_classes, dtype=old.weight.dtype)
    net.head.requires_grad_(True)
    return net


# %% The whole network starts anew exercise="new-head" covers=[148]
# Everything was initialised again, and the trained weights are gone. Only the head is to be new.
def new_head(net, num_classes):
    net.head = nn.Linear(net.head.in_features, num_classes, dtype=net.head.weight.dtype)
    for module in net.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return net


# %% A head of zeros exercise="new-head"
# All weights of the new head are zero. Leave it as nn.Linear initialises it.
def new_head(net, num_classes):
    net.head = nn.Linear(net.head.in_features, num_classes, dtype=net.head.weight.dtype)
    nn.init.zeros_(net.head.weight)
    return net


# %% Another head is put on top exercise="new-head"
# The old head is still there with a second layer behind it: its class scores are not the features.
def new_head(net, num_classes):
    net.head = nn.Sequential(net.head, nn.Linear(net.head.out_features, num_classes))
    return net


# %% Made by new_empty on the old weight exercise="new-head" right=true
def new_head(net, num_classes):
    fresh = torch.nn.Linear(net.head.weight.shape[1], num_classes).to(net.head.weight)
    setattr(net, "head", fresh)
    return net


# %% Not strict exercise="load-backbone" covers=[148]
# strict=False skips what does not fit without a word. Compare names and shapes, and raise a ValueError.
def load_backbone(net, state):
    given = {k: v for k, v in state.items() if not k.startswith("head.")}
    net.load_state_dict(given, strict=False)
    return len(given)


# %% Only missing entries are noticed exercise="load-backbone" covers=[148]
# An entry that the network does not know goes by unnoticed: it may be the layer that you think you have loaded.
def load_backbone(net, state):
    own = net.state_dict()
    wanted = {k for k in own if not k.startswith("head.")}
    if not all(k in state and state[k].shape == own[k].shape for k in wanted):
        raise ValueError("does not fit")
    net.load_state_dict({k: state[k] for k in wanted}, strict=False)
    return len(wanted)


# %% Only unknown entries are noticed exercise="load-backbone" covers=[148]
# A missing entry leaves a random layer in the network, and nobody is told.
def load_backbone(net, state):
    given = {k: v for k, v in state.items() if not k.startswith("head.")}
    own = net.state_dict()
    if not all(k in own and own[k].shape == given[k].shape for k in given):
        raise ValueError("does not fit")
    net.load_state_dict(given, strict=False)
    return len(given)


# %% The head is loaded as well exercise="load-backbone"
# The head comes from the old task, and with another number of classes it cannot be loaded at all.
def load_backbone(net, state):
    try:
        net.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    return len(state) - 2


# %% Parameters only exercise="load-backbone"
# Only parameters are loaded. BatchNorm's running statistics are buffers and belong to the trained network too.
def load_backbone(net, state):
    own = {k: v for k, v in net.state_dict().items() if not k.startswith("head.")}
    given = {k: v for k, v in state.items() if not k.startswith("head.")}
    if own.keys() != given.keys() or any(own[k].shape != given[k].shape for k in own):
        raise ValueError("does not fit")
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name in given:
                parameter.copy_(given[name])
    return len(given)


# %% Half loaded before the error exercise="load-backbone"
# Entries are copied until one does not fit: after the error the network is half old, half new. Check first.
def load_backbone(net, state):
    own = net.state_dict()
    given = {k: v for k, v in state.items() if not k.startswith("head.")}
    for name, value in given.items():
        if name not in own or own[name].shape != value.shape:
            raise ValueError(name)
        own[name].copy_(value)
    if len(given) != len(own) - 2:
        raise ValueError("missing")
    return len(given)


# %% The prefix is cut off exercise="load-backbone"
# You repair the names on your own. A state dict whose names do not fit is to be refused, so that somebody looks.
def load_backbone(net, state):
    state = {k.removeprefix("module."): v for k, v in state.items()}
    own = {k: v for k, v in net.state_dict().items() if not k.startswith("head.")}
    given = {k: v for k, v in state.items() if not k.startswith("head.")}
    if own.keys() != given.keys() or any(own[k].shape != given[k].shape for k in own):
        raise ValueError("does not fit")
    net.load_state_dict(given, strict=False)
    return len(given)


# %% Strict, with the own head in the dict exercise="load-backbone" right=true
def load_backbone(net, state):
    own = net.state_dict()
    merged = {k: v for k, v in state.items() if not k.startswith("head.")}
    number = len(merged)
    merged.update({k: v for k, v in own.items() if k.startswith("head.")})
    if set(merged) != set(own) or any(merged[k].shape != own[k].shape for k in own):
        raise ValueError("these are not the weights of this network")
    net.load_state_dict(merged)
    return number


# %% The head is frozen too exercise="freeze" covers=[139]
# Everything is frozen, the named parts too.
def freeze(net, trainable):
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    return 0


# %% Only switched on exercise="freeze"
# What an earlier call had made trainable stays so: set every parameter, not only those that are named.
def freeze(net, trainable):
    if not any(p.requires_grad is False for p in net.parameters()):
        for p in net.parameters():
            p.requires_grad_(False)
    for name, p in net.named_parameters():
        if any((name + ".").startswith(part + ".") for part in trainable):
            p.requires_grad_(True)
    for part in trainable:
        if not any((name + ".").startswith(part + ".") for name, _ in net.named_parameters()):
            raise ValueError(part)
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


# %% The named parts are frozen exercise="freeze" covers=[147]
# The list names what is to be *trained*; you froze just that.
def freeze(net, trainable):
    for name, p in net.named_parameters():
        p.requires_grad_(not any((name + ".").startswith(part + ".") for part in trainable))
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


# %% Names compared by their beginning exercise="freeze" covers=[147]
# "stage1" also fits the beginning of "stage10": compare whole parts of the name, up to a dot.
def freeze(net, trainable):
    names = [name for name, _ in net.named_parameters()]
    for part in trainable:
        if not any(name.startswith(part) for name in names):
            raise ValueError(part)
    for name, p in net.named_parameters():
        p.requires_grad_(name.startswith(tuple(trainable)))
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


# %% A name anywhere inside exercise="freeze" covers=[147]
# The name is looked for anywhere inside the parameter's name: "head" is found in "header" too.
def freeze(net, trainable):
    names = [name for name, _ in net.named_parameters()]
    for part in trainable:
        if not any(part in name for name in names):
            raise ValueError(part)
    for name, p in net.named_parameters():
        p.requires_grad_(any(part in name for part in trainable))
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


# %% A typo freezes in silence exercise="freeze" covers=[147]
# A name that fits nothing is ignored, and what was meant stays frozen. Raise a ValueError.
def freeze(net, trainable):
    for name, p in net.named_parameters():
        p.requires_grad_(any((name + ".").startswith(part + ".") for part in trainable))
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


# %% Only top-level parts exercise="freeze" covers=[147]
# Only the first part of the name is compared, so "stage1.1" is not understood.
def freeze(net, trainable):
    tops = {name.split(".")[0] for name, _ in net.named_parameters()}
    for part in trainable:
        if part.split(".")[0] not in tops:
            raise ValueError(part)
    for name, p in net.named_parameters():
        p.requires_grad_(name.split(".")[0] in {part.split(".")[0] for part in trainable})
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


# %% Parameters are counted, not numbers exercise="freeze"
# You return how many tensors can be trained. Asked is how many numbers they hold.
def freeze(net, trainable):
    for part in trainable:
        if not any((name + ".").startswith(part + ".") for name, _ in net.named_parameters()):
            raise ValueError(part)
    for name, p in net.named_parameters():
        p.requires_grad_(any((name + ".").startswith(part + ".") for part in trainable))
    return sum(p.requires_grad for p in net.parameters())


# %% Set on the modules exercise="freeze"
# requires_grad of a module is just a new attribute that nobody reads. It belongs to parameters.
def freeze(net, trainable):
    for module in net.modules():
        module.requires_grad = False
    for part in trainable:
        net.get_submodule(part).requires_grad = True
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


# %% By submodules exercise="freeze" right=true
def freeze(net, trainable):
    net.requires_grad_(False)
    for part in trainable:
        try:
            net.get_submodule(part).requires_grad_(True)
        except AttributeError:
            try:
                net.get_parameter(part).requires_grad_(True)
            except AttributeError:
                raise ValueError(f"nothing is called {part}") from None
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


# %% By splitting names exercise="freeze" right=true
def freeze(net, trainable):
    wanted = [part.split(".") for part in trainable]
    hit, total = set(), 0
    fits = {}
    for name, p in net.named_parameters():
        pieces = name.split(".")
        mine = [i for i, w in enumerate(wanted) if pieces[: len(w)] == w]
        hit.update(mine)
        fits[name] = bool(mine)
    if len(hit) < len(wanted):
        raise ValueError("a name that fits nothing")
    for name, p in net.named_parameters():
        p.requires_grad = fits[name]
        total += p.numel() * fits[name]
    return total


# %% Nothing moves exercise="q-frozen" covers=[141]
# Parameters stay, since nobody takes a step. But BatchNorm's buffers move in training mode with every forward pass.
q_frozen = 0


# %% Counters forgotten exercise="q-frozen"
# The mean and variance of 19 layers are 38. Each layer also counts the batches that it has seen.
q_frozen = 38


# %% One a layer exercise="q-frozen"
# There are 19 BatchNorm layers, and each keeps more than one buffer.
q_frozen = 19


# %% Everything moves exercise="q-frozen"
# The 59 parameters stay what they are: no optimizer takes a step.
q_frozen = 116


# %% Plain training mode exercise="train-mode" covers=[141]
# In training mode a frozen BatchNorm moves its running statistics and normalises with the batch. Set it to evaluation.
def train_mode(net):
    return net.train()


# %% train() at the end exercise="train-mode" covers=[142]
# net.train() comes last and undoes the evaluation mode of the frozen layers. It has to come first.
def train_mode(net):
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
            module.eval()
    net.train()
    return net


# %% All BatchNorm frozen exercise="train-mode"
# Every BatchNorm goes to evaluation mode, those that are trained too. Only the frozen ones should.
def train_mode(net):
    net.train()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    return net


# %% Never back to training exercise="train-mode"
# What was once in evaluation mode stays there. Put everything into training mode first.
def train_mode(net):
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
            module.eval()
    return net


# %% Evaluation mode for the whole network exercise="train-mode"
# The whole network is in evaluation mode as soon as something is frozen: dropout is off, the other BatchNorm too.
def train_mode(net):
    frozen = any(not p.requires_grad for p in net.parameters())
    return net.train(not frozen)


# %% Frozen by its bias or its weight exercise="train-mode"
# One parameter that still learns is enough for a layer not to be frozen: none may require a gradient.
def train_mode(net):
    net.train()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d) and not all(
            p.requires_grad for p in module.parameters()
        ):
            module.eval()
    return net


# %% Only the stem exercise="train-mode"
# Only the first level of modules is looked at: BatchNorm inside the stages is not found. Use net.modules().
def train_mode(net):
    net.train()
    for module in net.children():
        if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
            module.eval()
    return net


# %% Momentum zero instead of evaluation mode exercise="train-mode" covers=[141]
# The statistics stay, but in training mode BatchNorm still normalises with the batch at hand, and counts it.
def train_mode(net):
    net.train()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
            module.momentum = 0.0
    return net


# %% Modes set one by one exercise="train-mode" right=true
def train_mode(net):
    for module in net.modules():
        norm = isinstance(module, nn.BatchNorm2d)
        module.training = not norm or module.weight.requires_grad or module.bias.requires_grad
    return net


# %% With apply exercise="train-mode" right=true
def train_mode(net):
    def settle(module):
        if isinstance(module, torch.nn.BatchNorm2d):
            module.train(any(p.requires_grad for p in module.parameters()))

    return net.train().apply(settle)


# %% [markdown]
# ## Part 3 · training


# %% Rates the wrong way round exercise="parameter-groups" covers=[145]
# The backbone learns at the full rate and the new head at a tenth. It is the head that has everything to learn.
def parameter_groups(net, lr, factor=0.1):
    head = {id(p) for p in net.head.parameters()}
    both = [
        ([p for p in net.parameters() if p.requires_grad and id(p) in head], lr * factor),
        ([p for p in net.parameters() if p.requires_grad and id(p) not in head], lr),
    ]
    return [{"params": params, "lr": rate} for params, rate in both if params]


# %% One rate for all exercise="parameter-groups" covers=[144]
# Head and backbone have the same learning rate. The backbone is trained already: it learns at lr * factor.
def parameter_groups(net, lr, factor=0.1):
    head = {id(p) for p in net.head.parameters()}
    both = [
        [p for p in net.parameters() if p.requires_grad and id(p) in head],
        [p for p in net.parameters() if p.requires_grad and id(p) not in head],
    ]
    return [{"params": params, "lr": lr} for params in both if params]


# %% The head is missing exercise="parameter-groups" covers=[143]
# The new head is in no group, so the optimizer never changes it.
def parameter_groups(net, lr, factor=0.1):
    head = {id(p) for p in net.head.parameters()}
    rest = [p for p in net.parameters() if p.requires_grad and id(p) not in head]
    return [{"params": rest, "lr": lr * factor}] if rest else []


# %% Frozen parameters in the groups exercise="parameter-groups" covers=[140]
# Frozen parameters are in the groups. Only those that require a gradient belong there.
def parameter_groups(net, lr, factor=0.1):
    head = {id(p) for p in net.head.parameters()}
    rest = [p for p in net.parameters() if id(p) not in head]
    return [
        {"params": list(net.head.parameters()), "lr": lr},
        {"params": rest, "lr": lr * factor},
    ]


# %% The head twice exercise="parameter-groups"
# net.parameters() has the head's parameters too: they are in both groups, which an optimizer refuses.
def parameter_groups(net, lr, factor=0.1):
    both = [
        ([p for p in net.head.parameters() if p.requires_grad], lr),
        ([p for p in net.parameters() if p.requires_grad], lr * factor),
    ]
    return [{"params": params, "lr": rate} for params, rate in both if params]


# %% An empty group exercise="parameter-groups"
# With only the head trainable there is a second group without parameters. Leave empty groups out.
def parameter_groups(net, lr, factor=0.1):
    head = {id(p) for p in net.head.parameters()}
    trainable = [p for p in net.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trainable if id(p) in head], "lr": lr},
        {"params": [p for p in trainable if id(p) not in head], "lr": lr * factor},
    ]


# %% Only stage3 beside the head exercise="parameter-groups" covers=[147]
# Of the backbone only stage3 is in a group. Everything that requires a gradient belongs there.
def parameter_groups(net, lr, factor=0.1):
    both = [
        ([p for p in net.head.parameters() if p.requires_grad], lr),
        ([p for p in net.stage3.parameters() if p.requires_grad], lr * factor),
    ]
    return [{"params": params, "lr": rate} for params, rate in both if params]


# %% A tenth, whatever the factor exercise="parameter-groups"
# The factor is ignored; the backbone always learns at a tenth.
def parameter_groups(net, lr, factor=0.1):
    head = {id(p) for p in net.head.parameters()}
    both = [
        ([p for p in net.parameters() if p.requires_grad and id(p) in head], lr),
        ([p for p in net.parameters() if p.requires_grad and id(p) not in head], lr / 10),
    ]
    return [{"params": params, "lr": rate} for params, rate in both if params]


# %% By name exercise="parameter-groups" right=true
def parameter_groups(net, lr, factor=0.1):
    named = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
    head = [p for name, p in named if name.startswith("head.")]
    body = [p for name, p in named if not name.startswith("head.")]
    groups = [{"params": head, "lr": lr}] if head else []
    return groups + ([{"params": body, "lr": factor * lr}] if body else [])


# %% net.train() in the loop exercise="fit" covers=[142]
# net.train() wakes the frozen BatchNorm up: its statistics drift although its weights are frozen. Use train_mode.
def fit(net, optimizer, images, labels, batches):
    losses = []
    for chosen in batches:
        net.train()
        loss = F.cross_entropy(net(images[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% Trained in evaluation mode exercise="fit"
# The network is in evaluation mode: trained BatchNorm neither uses nor updates the statistics of the batch.
def fit(net, optimizer, images, labels, batches):
    net.eval()
    losses = []
    for chosen in batches:
        loss = F.cross_entropy(net(images[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% The mode is not set exercise="fit"
# The network stays in whatever mode it is in, and that may be plain training mode with frozen layers in it.
def fit(net, optimizer, images, labels, batches):
    losses = []
    for chosen in batches:
        loss = F.cross_entropy(net(images[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% Gradients add up exercise="fit" covers=[62]
# Old gradients are never cleared, so each step takes the sum of all gradients so far.
def fit(net, optimizer, images, labels, batches):
    train_mode(net)
    losses = []
    for chosen in batches:
        loss = F.cross_entropy(net(images[chosen]), labels[chosen])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% Cleared between backward and step exercise="fit"
# The gradients are cleared just before the step that should use them: nothing is learned.
def fit(net, optimizer, images, labels, batches):
    train_mode(net)
    losses = []
    for chosen in batches:
        loss = F.cross_entropy(net(images[chosen]), labels[chosen])
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% Softmax before the cross-entropy exercise="fit" covers=[57]
# F.cross_entropy takes logits and does the softmax itself.
def fit(net, optimizer, images, labels, batches):
    train_mode(net)
    losses = []
    for chosen in batches:
        loss = F.cross_entropy(net(images[chosen]).softmax(1), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% Sum, not mean exercise="fit" covers=[61]
# The loss is the sum over the batch: the step grows with the batch.
def fit(net, optimizer, images, labels, batches):
    train_mode(net)
    losses = []
    for chosen in batches:
        loss = F.cross_entropy(net(images[chosen]), labels[chosen], reduction="sum")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% All samples in every step exercise="fit"
# Every step takes all images; the indices of its row are not used.
def fit(net, optimizer, images, labels, batches):
    train_mode(net)
    losses = []
    for _ in batches:
        loss = F.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% An optimizer of its own exercise="fit"
# You made a new optimizer with another learning rate; take the one that is given.
def fit(net, optimizer, images, labels, batches):
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.01)
    train_mode(net)
    losses = []
    for chosen in batches:
        loss = F.cross_entropy(net(images[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% The loss after the step exercise="fit"
# Losses are measured in a second forward pass after the step; wanted is the loss that was differentiated.
def fit(net, optimizer, images, labels, batches):
    train_mode(net)
    losses = []
    for chosen in batches:
        loss = F.cross_entropy(net(images[chosen]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(F.cross_entropy(net(images[chosen]), labels[chosen]).item())
    return losses


# %% Mode in every step, loss module exercise="fit" right=true
def fit(net, optimizer, images, labels, batches):
    criterion = nn.CrossEntropyLoss()
    where = next(net.parameters()).device
    history = []
    for row in batches:
        train_mode(net)
        optimizer.zero_grad(set_to_none=False)
        logits = net(images[row].to(where))
        loss = criterion(logits, labels[row].to(where))
        loss.backward()
        optimizer.step()
        history.append(float(loss.detach()))
    return history


# %% Partial trains the first stage exercise="plan" covers=[147]
# Partial fine-tuning trains the late layers, next to the head. The first ones are the most general.
def plan(strategy, steps):
    everything = ["stem", "stage1", "stage2", "stage3", "head"]
    return {
        "features": [(["head"], steps)],
        "partial": [(["stage1", "head"], steps)],
        "combined": [(["head"], steps // 2), (everything, steps - steps // 2)],
        "full": [(everything, steps)],
    }[strategy] if strategy in ("features", "partial", "combined", "full") else _refuse()


def _refuse():
    raise ValueError("unknown")


# %% Partial without the head exercise="plan" covers=[139]
# The head is new: it has to be trained in every strategy.
def plan(strategy, steps):
    everything = ["stem", "stage1", "stage2", "stage3", "head"]
    plans = {
        "features": [(["head"], steps)],
        "partial": [(["stage3"], steps)],
        "combined": [(["head"], steps // 2), (everything, steps - steps // 2)],
        "full": [(everything, steps)],
    }
    if strategy not in plans:
        raise ValueError(strategy)
    return plans[strategy]


# %% Combined the wrong way round exercise="plan"
# Combined trains the head first. Otherwise its random gradients go through the whole network.
def plan(strategy, steps):
    everything = ["stem", "stage1", "stage2", "stage3", "head"]
    plans = {
        "features": [(["head"], steps)],
        "partial": [(["stage3", "head"], steps)],
        "combined": [(everything, steps // 2), (["head"], steps - steps // 2)],
        "full": [(everything, steps)],
    }
    if strategy not in plans:
        raise ValueError(strategy)
    return plans[strategy]


# %% Combined takes twice the steps exercise="plan"
# Both phases take all the steps. Together they have as many as the others, or the comparison is unfair.
def plan(strategy, steps):
    everything = ["stem", "stage1", "stage2", "stage3", "head"]
    plans = {
        "features": [(["head"], steps)],
        "partial": [(["stage3", "head"], steps)],
        "combined": [(["head"], steps), (everything, steps)],
        "full": [(everything, steps)],
    }
    if strategy not in plans:
        raise ValueError(strategy)
    return plans[strategy]


# %% A step lost exercise="plan"
# With an odd number of steps one is lost: the second phase takes the rest.
def plan(strategy, steps):
    everything = ["stem", "stage1", "stage2", "stage3", "head"]
    plans = {
        "features": [(["head"], steps)],
        "partial": [(["stage3", "head"], steps)],
        "combined": [(["head"], steps // 2), (everything, steps // 2)],
        "full": [(everything, steps)],
    }
    if strategy not in plans:
        raise ValueError(strategy)
    return plans[strategy]


# %% Full forgets the stem exercise="plan"
# The stem belongs to the network too.
def plan(strategy, steps):
    everything = ["stage1", "stage2", "stage3", "head"]
    plans = {
        "features": [(["head"], steps)],
        "partial": [(["stage3", "head"], steps)],
        "combined": [(["head"], steps // 2), (everything, steps - steps // 2)],
        "full": [(everything, steps)],
    }
    if strategy not in plans:
        raise ValueError(strategy)
    return plans[strategy]


# %% An unknown strategy is full fine-tuning exercise="plan"
# An unknown name should not quietly become another strategy: raise a ValueError.
def plan(strategy, steps):
    everything = ["stem", "stage1", "stage2", "stage3", "head"]
    if strategy == "combined":
        return [(["head"], steps // 2), (everything, steps - steps // 2)]
    parts = {"features": ["head"], "partial": ["stage3", "head"]}
    return [(parts.get(strategy, everything), steps)]


# %% Tuples of tuples exercise="plan" right=true
def plan(strategy, steps):
    everything = ("head", "stage3", "stage2", "stage1", "stem")
    if strategy == "features":
        return ((("head",), steps),)
    if strategy == "partial":
        return ((("head", "stage3"), steps),)
    if strategy == "combined":
        first = steps // 2
        return ((("head",), first), (everything, steps - first))
    if strategy == "full":
        return ((everything, steps),)
    raise ValueError("features, partial, combined or full")


# %% Optimizer before freezing exercise="finetune" covers=[140]
# The optimizer is made before the parts are unfrozen or frozen, from what was trainable then. Freeze first.
def finetune(net, phases, images, labels, batches, lr, factor=0.1):
    losses, begin = [], 0
    for trainable, steps in phases:
        optimizer = torch.optim.SGD(parameter_groups(net, lr, factor), lr=lr, momentum=0.9)
        freeze(net, trainable)
        losses += fit(net, optimizer, images, labels, batches[begin : begin + steps])
        begin += steps
    return losses


# %% One optimizer for all phases exercise="finetune" covers=[140, 143]
# The optimizer is made once for the first phase's parts. What is unfrozen later gets gradients, but no steps.
def finetune(net, phases, images, labels, batches, lr, factor=0.1):
    losses, begin = [], 0
    freeze(net, phases[0][0])
    optimizer = torch.optim.SGD(parameter_groups(net, lr, factor), lr=lr, momentum=0.9)
    for trainable, steps in phases:
        freeze(net, trainable)
        losses += fit(net, optimizer, images, labels, batches[begin : begin + steps])
        begin += steps
    return losses


# %% Each phase starts from the trained weights again exercise="finetune" covers=[152]
# The second phase goes back to the weights of the beginning and loses what the first has learned.
def finetune(net, phases, images, labels, batches, lr, factor=0.1):
    losses, begin = [], 0
    start = copy.deepcopy(net.state_dict())
    for trainable, steps in phases:
        net.load_state_dict(start)
        freeze(net, trainable)
        optimizer = torch.optim.SGD(parameter_groups(net, lr, factor), lr=lr, momentum=0.9)
        losses += fit(net, optimizer, images, labels, batches[begin : begin + steps])
        begin += steps
    return losses


# %% The backbone goes back, the head stays exercise="finetune" covers=[152]
# Between the phases the backbone is set back to its first weights. Each phase goes on where the last one ended.
def finetune(net, phases, images, labels, batches, lr, factor=0.1):
    losses, begin = [], 0
    start = {k: v.clone() for k, v in net.state_dict().items() if not k.startswith("head.")}
    for trainable, steps in phases:
        net.load_state_dict(start, strict=False)
        freeze(net, trainable)
        optimizer = torch.optim.SGD(parameter_groups(net, lr, factor), lr=lr, momentum=0.9)
        losses += fit(net, optimizer, images, labels, batches[begin : begin + steps])
        begin += steps
    return losses


# %% The first batches again exercise="finetune"
# Every phase begins with the first rows of batches again. It should take the next ones.
def finetune(net, phases, images, labels, batches, lr, factor=0.1):
    losses = []
    for trainable, steps in phases:
        freeze(net, trainable)
        optimizer = torch.optim.SGD(parameter_groups(net, lr, factor), lr=lr, momentum=0.9)
        losses += fit(net, optimizer, images, labels, batches[:steps])
    return losses


# %% All batches in each phase exercise="finetune"
# Each phase trains on all rows of batches, not on as many as its steps.
def finetune(net, phases, images, labels, batches, lr, factor=0.1):
    losses = []
    for trainable, _ in phases:
        freeze(net, trainable)
        optimizer = torch.optim.SGD(parameter_groups(net, lr, factor), lr=lr, momentum=0.9)
        losses += fit(net, optimizer, images, labels, batches)
    return losses


# %% The same rate for head and backbone exercise="finetune" covers=[144]
# All parameters learn at the same rate. Give the optimizer the groups, with a rate each.
def finetune(net, phases, images, labels, batches, lr, factor=0.1):
    losses, begin = [], 0
    for trainable, steps in phases:
        freeze(net, trainable)
        chosen = [p for p in net.parameters() if p.requires_grad]
        optimizer = torch.optim.SGD(chosen, lr=lr, momentum=0.9)
        losses += fit(net, optimizer, images, labels, batches[begin : begin + steps])
        begin += steps
    return losses


# %% Nothing is frozen exercise="finetune" covers=[147]
# The phase's parts are ignored and everything is trained.
def finetune(net, phases, images, labels, batches, lr, factor=0.1):
    losses, begin = [], 0
    freeze(net, ["stem", "stage1", "stage2", "stage3", "head"])
    for _, steps in phases:
        optimizer = torch.optim.SGD(parameter_groups(net, lr, factor), lr=lr, momentum=0.9)
        losses += fit(net, optimizer, images, labels, batches[begin : begin + steps])
        begin += steps
    return losses


# %% No momentum exercise="finetune"
# The optimizer has no momentum; 0.9 is asked for.
def finetune(net, phases, images, labels, batches, lr, factor=0.1):
    losses, begin = [], 0
    for trainable, steps in phases:
        freeze(net, trainable)
        optimizer = torch.optim.SGD(parameter_groups(net, lr, factor), lr=lr)
        losses += fit(net, optimizer, images, labels, batches[begin : begin + steps])
        begin += steps
    return losses


# %% A new head in each phase exercise="finetune" covers=[152]
# The head is replaced at the start of each phase. The network comes with its new head, and it should stay.
def finetune(net, phases, images, labels, batches, lr, factor=0.1):
    losses, begin = [], 0
    for trainable, steps in phases:
        new_head(net, net.head.out_features)
        freeze(net, trainable)
        optimizer = torch.optim.SGD(parameter_groups(net, lr, factor), lr=lr, momentum=0.9)
        losses += fit(net, optimizer, images, labels, batches[begin : begin + steps])
        begin += steps
    return losses


# %% Losses of the last phase only exercise="finetune"
# Only the last phase's losses are returned.
def finetune(net, phases, images, labels, batches, lr, factor=0.1):
    begin = 0
    for trainable, steps in phases:
        freeze(net, trainable)
        optimizer = torch.optim.SGD(parameter_groups(net, lr, factor), lr=lr, momentum=0.9)
        losses = fit(net, optimizer, images, labels, batches[begin : begin + steps])
        begin += steps
    return losses


# %% Batches split in advance exercise="finetune" right=true
def finetune(net, phases, images, labels, batches, lr, factor=0.1):
    history = []
    parts = torch.split(batches[: sum(n for _, n in phases)], [n for _, n in phases])
    for (names, _), rows in zip(phases, parts):
        freeze(net, names)
        sgd = torch.optim.SGD(parameter_groups(net, lr, factor), momentum=0.9)
        history.extend(fit(net, sgd, images, labels, rows))
    return history


# %% Accuracy in training mode exercise="accuracy"
# In training mode BatchNorm uses the batch's statistics: the answer depends on the neighbours. Evaluate in eval mode.
def accuracy(net, images, labels, batch=100):
    right = 0
    with torch.no_grad():
        for begin in range(0, len(images), batch):
            out = net(images[begin : begin + batch]).argmax(1)
            right += (out == labels[begin : begin + batch]).sum().item()
    return right / len(images)


# %% Left in evaluation mode exercise="accuracy"
# Afterwards the network is in evaluation mode. Whoever is training it goes on without BatchNorm's batch statistics.
def accuracy(net, images, labels, batch=100):
    net.eval()
    right = 0
    with torch.no_grad():
        for begin in range(0, len(images), batch):
            out = net(images[begin : begin + batch]).argmax(1)
            right += (out == labels[begin : begin + batch]).sum().item()
    return right / len(images)


# %% net.train() afterwards exercise="accuracy" covers=[142]
# net.train() at the end puts everything into training mode, the frozen layers too. Remember every module's mode.
def accuracy(net, images, labels, batch=100):
    was = net.training
    net.eval()
    right = 0
    with torch.no_grad():
        for begin in range(0, len(images), batch):
            out = net(images[begin : begin + batch]).argmax(1)
            right += (out == labels[begin : begin + batch]).sum().item()
    net.train(was)
    return right / len(images)


# %% Mean of the batches' accuracies exercise="accuracy"
# The last batch is smaller and must not count as much as the others: add up right answers and divide once.
def accuracy(net, images, labels, batch=100):
    modes = {m: m.training for m in net.modules()}
    net.eval()
    shares = []
    with torch.no_grad():
        for begin in range(0, len(images), batch):
            out = net(images[begin : begin + batch]).argmax(1)
            shares.append((out == labels[begin : begin + batch]).float().mean().item())
    for m, mode in modes.items():
        m.training = mode
    return sum(shares) / len(shares)


# %% The last batch is dropped exercise="accuracy"
# Only whole batches are looked at; the rest of the pictures is missing.
def accuracy(net, images, labels, batch=100):
    modes = {m: m.training for m in net.modules()}
    net.eval()
    right = n = 0
    with torch.no_grad():
        for begin in range(0, len(images) - batch + 1, batch):
            out = net(images[begin : begin + batch]).argmax(1)
            right += (out == labels[begin : begin + batch]).sum().item()
            n += batch
    for m, mode in modes.items():
        m.training = mode
    return right / max(n, 1)


# %% A percentage exercise="accuracy"
# The result is a percentage; a share between 0 and 1 is asked for.
def accuracy(net, images, labels, batch=100):
    modes = {m: m.training for m in net.modules()}
    net.eval()
    with torch.no_grad():
        out = torch.cat([net(part).argmax(1) for part in images.split(batch)])
    for m, mode in modes.items():
        m.training = mode
    return 100 * (out == labels).float().mean().item()


# %% All at once on a copy exercise="accuracy" right=true
def accuracy(net, images, labels, batch=100):
    twin = copy.deepcopy(net).eval()
    with torch.no_grad():
        answers = torch.cat([twin(part).argmax(1) for part in torch.split(images, batch)])
    return (answers.cpu() == labels.cpu()).double().mean().item()


# %% The first k exercise="few-labels"
# You take the first k of each class, whatever the seed. Draw them at random.
def few_labels(labels, k, seed):
    labels = np.asarray(labels)
    chosen = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < k:
            raise ValueError(label)
        chosen.append(members[:k])
    chosen = np.sort(np.concatenate(chosen))
    return chosen, np.setdiff1d(np.arange(len(labels)), chosen)


# %% With repetition exercise="few-labels"
# A sample can be drawn twice, and a class then has fewer than k different ones.
def few_labels(labels, k, seed):
    rng = np.random.default_rng(seed)
    labels = np.asarray(labels)
    chosen = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < k:
            raise ValueError(label)
        chosen.append(rng.choice(members, k))
    chosen = np.sort(np.concatenate(chosen))
    return chosen, np.setdiff1d(np.arange(len(labels)), chosen)


# %% k times the classes, drawn from all exercise="few-labels"
# You draw from all samples together: some classes get more than k, others fewer.
def few_labels(labels, k, seed):
    labels = np.asarray(labels)
    if np.unique(labels, return_counts=True)[1].min() < k:
        raise ValueError("too few")
    order = np.random.default_rng(seed).permutation(len(labels))
    n = k * len(np.unique(labels))
    return np.sort(order[:n]), np.sort(order[n:])


# %% Too small a class gives what it has exercise="few-labels"
# A class with fewer than k samples quietly gives fewer. Raise a ValueError.
def few_labels(labels, k, seed):
    rng = np.random.default_rng(seed)
    labels = np.asarray(labels)
    chosen = [rng.permutation(np.flatnonzero(labels == c))[:k] for c in np.unique(labels)]
    chosen = np.sort(np.concatenate(chosen))
    return chosen, np.setdiff1d(np.arange(len(labels)), chosen)


# %% The rest is everything exercise="few-labels" covers=[151]
# The chosen samples are also in the rest: you would test on what you trained on.
def few_labels(labels, k, seed):
    rng = np.random.default_rng(seed)
    labels = np.asarray(labels)
    chosen = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < k:
            raise ValueError(label)
        chosen.append(rng.permutation(members)[:k])
    return np.sort(np.concatenate(chosen)), np.arange(len(labels))


# %% Another draw with every call exercise="few-labels"
# The seed is not used: two calls with the same seed differ.
def few_labels(labels, k, seed):
    rng = np.random.default_rng()
    labels = np.asarray(labels)
    chosen = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < k:
            raise ValueError(label)
        chosen.append(rng.permutation(members)[:k])
    chosen = np.sort(np.concatenate(chosen))
    return chosen, np.setdiff1d(np.arange(len(labels)), chosen)


# %% With a mask and torch exercise="few-labels" right=true
def few_labels(labels, k, seed):
    generator = torch.Generator().manual_seed(seed)
    y = torch.as_tensor(labels)
    mask = torch.zeros(len(y), dtype=torch.bool)
    for label in y.unique():
        members = (y == label).nonzero()[:, 0]
        if len(members) < k:
            raise ValueError("too few samples")
        mask[members[torch.randperm(len(members), generator=generator)[:k]]] = True
    return mask.nonzero()[:, 0].numpy(), (~mask).nonzero()[:, 0].numpy()


# %% [markdown]
# ## Part 4 · features


# %% Cached in training mode exercise="cached-features" covers=[141]
# In training mode a picture's features depend on its batch, and the statistics move. Use evaluation mode.
def cached_features(net, images, batch=100):
    with torch.no_grad():
        return torch.cat([net.features(part) for part in images.split(batch)])


# %% Cached with augmentation exercise="cached-features" covers=[150]
# The pictures are flipped before they are cached: the cache then holds one random version of each, for ever.
def cached_features(net, images, batch=100):
    modes = {m: m.training for m in net.modules()}
    net.eval()
    with torch.no_grad():
        parts = [net.features(part.flip(3)) for part in images.split(batch)]
    for m, mode in modes.items():
        m.training = mode
    return torch.cat(parts)


# %% Logits instead of features exercise="cached-features"
# The head's outputs are cached; the new head needs what comes before it.
def cached_features(net, images, batch=100):
    modes = {m: m.training for m in net.modules()}
    net.eval()
    with torch.no_grad():
        parts = [net(part) for part in images.split(batch)]
    for m, mode in modes.items():
        m.training = mode
    return torch.cat(parts)


# %% With gradient history exercise="cached-features"
# The features carry their gradient history: all activations of the backbone stay in memory.
def cached_features(net, images, batch=100):
    modes = {m: m.training for m in net.modules()}
    net.eval()
    parts = [net.features(part) for part in images.split(batch)]
    for m, mode in modes.items():
        m.training = mode
    return torch.cat(parts)


# %% Only whole batches exercise="cached-features"
# The pictures of the last, smaller batch are missing.
def cached_features(net, images, batch=100):
    modes = {m: m.training for m in net.modules()}
    net.eval()
    n = max(len(images) // batch, 1)
    with torch.no_grad():
        parts = [net.features(images[i * batch : (i + 1) * batch]) for i in range(n)]
    for m, mode in modes.items():
        m.training = mode
    return torch.cat(parts)


# %% Left in evaluation mode exercise="cached-features"
# The network stays in evaluation mode afterwards.
def cached_features(net, images, batch=100):
    net.eval()
    with torch.no_grad():
        return torch.cat([net.features(part) for part in images.split(batch)])


# %% net.train() afterwards exercise="cached-features" covers=[142]
# Everything is in training mode afterwards, frozen layers too.
def cached_features(net, images, batch=100):
    was = net.training
    net.eval()
    with torch.no_grad():
        parts = [net.features(part) for part in images.split(batch)]
    net.train(was)
    return torch.cat(parts)


# %% Written into a buffer exercise="cached-features" right=true
@torch.no_grad()
def cached_features(net, images, batch=100):
    before = [m.training for m in net.modules()]
    net.eval()
    out = None
    for i in range(0, len(images), batch):
        part = net.features(images[i : i + batch].to(next(net.parameters()).device))
        if out is None:
            out = torch.empty(len(images), part.shape[1])
        out[i : i + batch] = part.cpu()
    for m, mode in zip(net.modules(), before):
        m.training = mode
    return out


# %% The head's share neglected exercise="q-cached" right=true
q_cached = 100


# %% MACs of the head per picture exercise="q-cached"
# That is the backbone's cost over the head's. The backbone has to run once all the same.
q_cached = 40.6e6 / 640


# %% The backbone is thought to be free exercise="q-cached"
# The features have to be computed once. That one pass is most of what is left.
q_cached = 100 * 40.6e6 / (100 * 640)


# %% The last position instead of the average exercise="stage-features"
# You take one corner of the feature map. Average over height and width.
def stage_features(net, images):
    x, modes, found = images, {m: m.training for m in net.modules()}, {}
    net.eval()
    with torch.no_grad():
        for name in ("stem", "stage1", "stage2", "stage3"):
            x = getattr(net, name)(x)
            found[name] = x[:, :, -1, -1]
    for m, mode in modes.items():
        m.training = mode
    return found


# %% Maximum over space exercise="stage-features"
# That is the maximum over space; the average is asked for, as the network's own pooling does it.
def stage_features(net, images):
    x, modes, found = images, {m: m.training for m in net.modules()}, {}
    net.eval()
    with torch.no_grad():
        for name in ("stem", "stage1", "stage2", "stage3"):
            x = getattr(net, name)(x)
            found[name] = x.amax((2, 3))
    for m, mode in modes.items():
        m.training = mode
    return found


# %% Averaged over channels exercise="stage-features" covers=[115]
# The channels are averaged and the pixels are left. It should be the other way round.
def stage_features(net, images):
    x, modes, found = images, {m: m.training for m in net.modules()}, {}
    net.eval()
    with torch.no_grad():
        for name in ("stem", "stage1", "stage2", "stage3"):
            x = getattr(net, name)(x)
            found[name] = x.mean(1).flatten(1)
    for m, mode in modes.items():
        m.training = mode
    return found


# %% Each stage behind the pooled one exercise="stage-features"
# A stage gets the averaged output of the one before. Average a copy and go on with the feature map.
def stage_features(net, images):
    x, modes, found = images, {m: m.training for m in net.modules()}, {}
    net.eval()
    with torch.no_grad():
        for name in ("stem", "stage1", "stage2", "stage3"):
            x = getattr(net, name)(x).mean((2, 3), keepdim=True)
            found[name] = x.flatten(1)
    for m, mode in modes.items():
        m.training = mode
    return found


# %% Shifted by one stage exercise="stage-features"
# Under each name stands what goes *into* the part, not what comes out.
def stage_features(net, images):
    x, modes, found = images, {m: m.training for m in net.modules()}, {}
    net.eval()
    with torch.no_grad():
        for name in ("stem", "stage1", "stage2", "stage3"):
            found[name] = x.mean((2, 3))
            x = getattr(net, name)(x)
    for m, mode in modes.items():
        m.training = mode
    return found


# %% In training mode exercise="stage-features" covers=[141]
# Probing in training mode changes BatchNorm's statistics, and a picture's features depend on the others.
def stage_features(net, images):
    x, found = images, {}
    with torch.no_grad():
        for name in ("stem", "stage1", "stage2", "stage3"):
            x = getattr(net, name)(x)
            found[name] = x.mean((2, 3))
    return found


# %% Hooks left behind exercise="stage-features"
# The hooks stay in the network and run with every later forward pass. Remove them.
def stage_features(net, images):
    found, modes = {}, {m: m.training for m in net.modules()}
    for name in ("stem", "stage1", "stage2", "stage3"):
        getattr(net, name).register_forward_hook(
            lambda m, i, out, name=name: found.__setitem__(name, out.mean((2, 3)))
        )
    net.eval()
    with torch.no_grad():
        net(images)
    for m, mode in modes.items():
        m.training = mode
    return found


# %% With hooks that are removed exercise="stage-features" right=true
def stage_features(net, images):
    found, hooks, modes = {}, [], [m.training for m in net.modules()]
    for name in ("stem", "stage1", "stage2", "stage3"):
        def keep(module, inputs, out, name=name):
            found[name] = out.flatten(2).mean(-1).cpu()

        hooks.append(getattr(net, name).register_forward_hook(keep))
    net.eval()
    with torch.inference_mode():
        net(images.to(next(net.parameters()).device))
    for hook in hooks:
        hook.remove()
    for m, mode in zip(net.modules(), modes):
        m.train(mode) if not list(m.children()) else setattr(m, "training", mode)
    return {name: value.clone() for name, value in found.items()}


# %% Not standardised exercise="fit-probe"
# The features are not standardised: the penalty then falls on those with small values.
def fit_probe(features, labels, num_classes, strength=0.1):
    x, t = features.double(), F.one_hot(labels, num_classes).double()
    z = x - x.mean(0)
    gram = z.T @ z / len(z) + strength * torch.eye(z.shape[1], dtype=z.dtype)
    weight = torch.linalg.solve(gram, z.T @ t / len(z))
    return weight.float(), (t.mean(0) - x.mean(0) @ weight).float()


# %% Sum instead of mean exercise="fit-probe"
# The squares are summed, not averaged: the penalty weighs N times less than it should.
def fit_probe(features, labels, num_classes, strength=0.1):
    x, t = features.double(), F.one_hot(labels, num_classes).double()
    mean, std = x.mean(0), x.std(0, correction=0)
    std = torch.where(std > 0, std, 1.0)
    z = (x - mean) / std
    gram = z.T @ z + strength * torch.eye(z.shape[1], dtype=z.dtype)
    weight = torch.linalg.solve(gram, z.T @ t) / std[:, None]
    return weight.float(), (t.mean(0) - mean @ weight).float()


# %% No penalty exercise="fit-probe"
# The penalty is missing. With fewer samples than features there is then no single solution.
def fit_probe(features, labels, num_classes, strength=0.1):
    x, t = features.double(), F.one_hot(labels, num_classes).double()
    mean, std = x.mean(0), x.std(0, correction=0)
    std = torch.where(std > 0, std, 1.0)
    weight = torch.linalg.pinv((x - mean) / std) @ t / std[:, None]
    return weight.float(), (t.mean(0) - mean @ weight).float()


# %% The bias is penalised exercise="fit-probe"
# A column of ones was added and its weight penalised like the others. The bias should be free.
def fit_probe(features, labels, num_classes, strength=0.1):
    x, t = features.double(), F.one_hot(labels, num_classes).double()
    mean, std = x.mean(0), x.std(0, correction=0)
    std = torch.where(std > 0, std, 1.0)
    z = torch.cat([(x - mean) / std, torch.ones(len(x), 1, dtype=x.dtype)], 1)
    gram = z.T @ z / len(z) + strength * torch.eye(z.shape[1], dtype=z.dtype)
    w = torch.linalg.solve(gram, z.T @ t / len(z))
    weight = w[:-1] / std[:, None]
    return weight.float(), (w[-1] - mean @ weight).float()


# %% Weights for standardised features exercise="fit-probe"
# The weights belong to standardised features. Divide them by the deviation, and take the mean into the bias.
def fit_probe(features, labels, num_classes, strength=0.1):
    x, t = features.double(), F.one_hot(labels, num_classes).double()
    std = x.std(0, correction=0)
    z = (x - x.mean(0)) / torch.where(std > 0, std, 1.0)
    gram = z.T @ z / len(z) + strength * torch.eye(z.shape[1], dtype=z.dtype)
    return torch.linalg.solve(gram, z.T @ t / len(z)).float(), t.mean(0).float()


# %% The mean is not taken into the bias exercise="fit-probe"
# The weights fit raw features, the bias does not: the mean of the features has to be taken off.
def fit_probe(features, labels, num_classes, strength=0.1):
    x, t = features.double(), F.one_hot(labels, num_classes).double()
    std = x.std(0, correction=0)
    std = torch.where(std > 0, std, 1.0)
    z = (x - x.mean(0)) / std
    gram = z.T @ z / len(z) + strength * torch.eye(z.shape[1], dtype=z.dtype)
    weight = torch.linalg.solve(gram, z.T @ t / len(z)) / std[:, None]
    return weight.float(), t.mean(0).float()


# %% Sample deviation exercise="fit-probe"
# The deviation divides by N − 1; the population deviation, by N, is asked for.
def fit_probe(features, labels, num_classes, strength=0.1):
    x, t = features.double(), F.one_hot(labels, num_classes).double()
    mean, std = x.mean(0), x.std(0)
    std = torch.where(std > 0, std, 1.0)
    z = (x - mean) / std
    gram = z.T @ z / len(z) + strength * torch.eye(z.shape[1], dtype=z.dtype)
    weight = torch.linalg.solve(gram, z.T @ t / len(z)) / std[:, None]
    return weight.float(), (t.mean(0) - mean @ weight).float()


# %% A constant feature divides by zero exercise="fit-probe"
# A constant feature has deviation 0, and dividing by it gives NaN everywhere. Take 1 there.
def fit_probe(features, labels, num_classes, strength=0.1):
    x, t = features.double(), F.one_hot(labels, num_classes).double()
    mean, std = x.mean(0), x.std(0, correction=0)
    z = (x - mean) / std
    gram = z.T @ z / len(z) + strength * torch.eye(z.shape[1], dtype=z.dtype)
    weight = torch.linalg.solve(gram, z.T @ t / len(z)) / std[:, None]
    return weight.float(), (t.mean(0) - mean @ weight).float()


# %% Classes counted from the labels exercise="fit-probe"
# You count the classes that occur. A class without samples has a column too: num_classes is given.
def fit_probe(features, labels, num_classes, strength=0.1):
    x, t = features.double(), F.one_hot(labels).double()
    mean, std = x.mean(0), x.std(0, correction=0)
    std = torch.where(std > 0, std, 1.0)
    z = (x - mean) / std
    gram = z.T @ z / len(z) + strength * torch.eye(z.shape[1], dtype=z.dtype)
    weight = torch.linalg.solve(gram, z.T @ t / len(z)) / std[:, None]
    return weight.float(), (t.mean(0) - mean @ weight).float()


# %% In NumPy, by least squares exercise="fit-probe" right=true
def fit_probe(features, labels, num_classes, strength=0.1):
    x = features.numpy().astype(np.float64)
    n, c = x.shape
    t = np.eye(num_classes)[labels.numpy()]
    mean, std = x.mean(0), x.std(0)
    std[std == 0] = 1
    z = (x - mean) / std
    top = np.vstack([z / np.sqrt(n), np.sqrt(strength) * np.eye(c)])
    right = np.vstack([(t - t.mean(0)) / np.sqrt(n), np.zeros((c, num_classes))])
    w = np.linalg.lstsq(top, right, rcond=None)[0] / std[:, None]
    bias = t.mean(0) - mean @ w
    return torch.tensor(w, dtype=torch.float32), torch.tensor(bias, dtype=torch.float32)


# %% Through the dual exercise="fit-probe" right=true
def fit_probe(features, labels, num_classes, strength=0.1):
    x = features.double()
    t = torch.eye(num_classes, dtype=torch.float64)[labels]
    mean = x.mean(0)
    std = ((x - mean) ** 2).mean(0).sqrt()
    std[std == 0] = 1
    z = (x - mean) / std
    n = len(x)
    alpha = torch.linalg.solve(z @ z.T / n + strength * torch.eye(n), (t - t.mean(0)) / n)
    weight = (z.T @ alpha) / std.unsqueeze(1)
    return weight.float(), (t.mean(0) - mean @ weight).float()


# %% Chosen by the test score exercise="choose" covers=[151]
# You choose by the test score. Then it is no longer a test: you report the luckiest of several draws.
def choose(candidates):
    name, _, test = max(candidates, key=lambda c: c[2])
    return name, test


# %% The validation score is reported exercise="choose"
# The validation score is reported. It is too good, since it was the one that chose.
def choose(candidates):
    name, validation, _ = max(candidates, key=lambda c: c[1])
    return name, validation


# %% The last of several exercise="choose"
# Of several candidates with the same validation score you take the last, or the one with the best test score.
def choose(candidates):
    name, _, test = max(candidates, key=lambda c: (c[1], c[2]))
    return name, test


# %% The sum of both scores exercise="choose" covers=[151]
# The test score helps to choose. It may not be looked at before the choice is made.
def choose(candidates):
    name, _, test = max(candidates, key=lambda c: c[1] + c[2])
    return name, test


# %% By sorting exercise="choose" right=true
def choose(candidates):
    ranked = sorted(candidates, key=lambda c: -c[1])
    return ranked[0][0], ranked[0][2]


# %% The mean of the scores exercise="q-best" covers=[151]
# 80% is what *one* score shows on average. The best of twenty has profited from its luck.
q_best = "a"


# %% One deviation above exercise="q-best"
# The best of twenty lies nearly two standard deviations above the mean, not one.
q_best = "b"


# %% Three deviations above exercise="q-best"
# Three standard deviations are what the best of several hundred would show.
q_best = "d"


# %% [markdown]
# ## Part 5 · tables


# %% Two rows agree exercise="q-agree"
# "The entire network" and "a few layers" are not the same advice, nor is "or from scratch".
q_agree = 2


# %% No row agrees exercise="q-agree"
# Freeze and train a linear classifier on top: that is one and the same advice in the first row.
q_agree = 0


# %% All rows agree exercise="q-agree"
# Read the second row again: how many layers are to be fine-tuned?
q_agree = 4


# %% Population deviation exercise="spread"
# The deviation divides by n. From three runs it is estimated with n − 1; otherwise it comes out too small.
def spread(runs):
    runs = np.asarray(runs, dtype=float)
    if len(runs) < 2:
        raise ValueError("one run")
    deviation = runs.std(0)
    return runs.mean(0), deviation, deviation / np.sqrt(len(runs))


# %% Error divided by n exercise="spread"
# The standard error falls with the square root of n, not with n.
def spread(runs):
    runs = np.asarray(runs, dtype=float)
    if len(runs) < 2:
        raise ValueError("one run")
    deviation = runs.std(0, ddof=1)
    return runs.mean(0), deviation, deviation / len(runs)


# %% Over all axes exercise="spread"
# Mean and deviation are taken over everything. Axis 0, the seeds, is the one to reduce.
def spread(runs):
    runs = np.asarray(runs, dtype=float)
    if len(runs) < 2:
        raise ValueError("one run")
    deviation = runs.std(ddof=1)
    return runs.mean(), deviation, deviation / np.sqrt(len(runs))


# %% Over the last axis exercise="spread"
# You reduce the last axis. The seeds are the first.
def spread(runs):
    runs = np.asarray(runs, dtype=float)
    if len(runs) < 2:
        raise ValueError("one run")
    deviation = runs.std(-1, ddof=1)
    return runs.mean(-1), deviation, deviation / np.sqrt(runs.shape[-1])


# %% The variance exercise="spread"
# That is the variance: take its square root.
def spread(runs):
    runs = np.asarray(runs, dtype=float)
    if len(runs) < 2:
        raise ValueError("one run")
    variance = runs.var(0, ddof=1)
    return runs.mean(0), variance, variance / np.sqrt(len(runs))


# %% One run has spread zero exercise="spread"
# From one run no spread can be estimated; zero, or NaN, is a lie. Raise a ValueError.
def spread(runs):
    runs = np.asarray(runs, dtype=float)
    deviation = runs.std(0, ddof=1) if len(runs) > 1 else np.zeros_like(runs[0])
    return runs.mean(0), deviation, deviation / np.sqrt(len(runs))


# %% With the statistics module exercise="spread" right=true
def spread(runs):
    runs = np.array(runs)
    n = runs.shape[0]
    if n == 1:
        raise ValueError("two runs at least")
    mean = np.add.reduce(runs, 0) / n
    deviation = np.sqrt(np.sum(np.square(runs - mean), axis=0) / (n - 1))
    return mean, deviation, deviation * n**-0.5


# %% Frozen features win everywhere exercise="q-winner"
# On digits with 100 labels a class the picture turns: look at the right panel.
q_winner = "a"


# %% Scratch wins everywhere exercise="q-winner"
# Look at textures and faces at five labels a class: there is far too little to learn from.
q_winner = "c"


# %% The far task profits exercise="q-winner"
# Digits are the task that is least like photographs, so features of photographs help least.
q_winner = "d"


# %% From scratch with few labels exercise="q-he" covers=[151]
# The paper is about COCO with 10,000 pictures and more, each with many boxes. With very few it finds pre-training ahead.
q_he = "a"


# %% Never needed exercise="q-he"
# Pre-training speeds up convergence, says the paper, and small data is another matter.
q_he = "c"


# %% The other paper exercise="q-he"
# That is Neyshabur, Sedghi and Zhang (2020), to which the next part comes.
q_he = "d"


# %% [markdown]
# ## Part 6 · valleys


# %% t from the wrong end exercise="interpolate"
# At t = 0 you give b. t = 0 is a, t = 1 is b.
def interpolate(a, b, t):
    return {k: t * v + (1 - t) * b[k] if v.is_floating_point() else v.clone() for k, v in a.items()}


# %% Integers averaged exercise="interpolate"
# The counter of batches is an integer and was averaged. Copy a's.
def interpolate(a, b, t):
    return {k: ((1 - t) * v + t * b[k]).to(v.dtype) for k, v in a.items()}


# %% Integers become floats exercise="interpolate"
# Counters come out as floating-point numbers. Copy a's.
def interpolate(a, b, t):
    return {k: (1 - t) * v + t * b[k] for k, v in a.items()}


# %% Written into a exercise="interpolate"
# The result is written into a's own tensors: the next point of the line starts from there.
def interpolate(a, b, t):
    for k, v in a.items():
        if v.is_floating_point():
            v.mul_(1 - t).add_(t * b[k])
    return a


# %% The middle only exercise="interpolate"
# Whatever t is, you return the middle.
def interpolate(a, b, t):
    return {k: (v + b[k]) / 2 if v.is_floating_point() else v.clone() for k, v in a.items()}


# %% Statistics taken from a exercise="interpolate"
# Only weights are interpolated; the running statistics, floating-point tensors too, are a's.
def interpolate(a, b, t):
    return {
        k: (1 - t) * v + t * b[k] if v.is_floating_point() and "running" not in k else v.clone()
        for k, v in a.items()
    }


# %% Memory shared with a exercise="interpolate"
# Integer tensors of the result are a's own: a copy is asked for.
def interpolate(a, b, t):
    return {k: (1 - t) * v + t * b[k] if v.is_floating_point() else v for k, v in a.items()}


# %% With lerp exercise="interpolate" right=true
def interpolate(a, b, t):
    out = {}
    for k in a:
        if a[k].dtype.is_floating_point:
            out[k] = torch.lerp(a[k], b[k], t)
        else:
            out[k] = torch.clone(a[k])
    return out


# %% From the difference exercise="interpolate" right=true
def interpolate(a, b, t):
    mixed = {k: v.clone() for k, v in a.items()}
    for k, v in mixed.items():
        if v.is_floating_point():
            v += t * (b[k] - v)
    return mixed


# %% Not reset exercise="reestimate"
# The old statistics are still in the average. Reset them first.
def reestimate(net, images, batch=100):
    modes = {m: m.training for m in net.modules()}
    net.train()
    with torch.no_grad():
        for part in images.split(batch):
            net(part)
    for m, mode in modes.items():
        m.training = mode
    return net


# %% Reset, with the usual momentum exercise="reestimate"
# With momentum 0.1 a few batches move the statistics only part of the way from 0 and 1. A plain average is asked for.
def reestimate(net, images, batch=100):
    modes = {m: m.training for m in net.modules()}
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.reset_running_stats()
    net.train()
    with torch.no_grad():
        for part in images.split(batch):
            net(part)
    for m, mode in modes.items():
        m.training = mode
    return net


# %% In evaluation mode exercise="reestimate"
# In evaluation mode nothing is estimated: the statistics stay at 0 and 1.
def reestimate(net, images, batch=100):
    modes = {m: m.training for m in net.modules()}
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.reset_running_stats()
    net.eval()
    with torch.no_grad():
        for part in images.split(batch):
            net(part)
    for m, mode in modes.items():
        m.training = mode
    return net


# %% Statistics of the last batch exercise="reestimate" covers=[77]
# With momentum 1 only the last batch counts. All batches count alike.
def reestimate(net, images, batch=100):
    modes = {m: m.training for m in net.modules()}
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [m.momentum for m in norms]
    for m in norms:
        m.reset_running_stats()
        m.momentum = 1.0
    net.train()
    with torch.no_grad():
        for part in images.split(batch):
            net(part)
    for m, momentum in zip(norms, momenta):
        m.momentum = momentum
    for m, mode in modes.items():
        m.training = mode
    return net


# %% Momentum left at None exercise="reestimate"
# The momentum stays None: later training averages over all batches from now on.
def reestimate(net, images, batch=100):
    modes = {m: m.training for m in net.modules()}
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.reset_running_stats()
            m.momentum = None
    net.train()
    with torch.no_grad():
        for part in images.split(batch):
            net(part)
    for m, mode in modes.items():
        m.training = mode
    return net


# %% Left in training mode exercise="reestimate" covers=[142]
# Afterwards everything is in training mode: measuring the loss then moves the statistics again.
def reestimate(net, images, batch=100):
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [m.momentum for m in norms]
    for m in norms:
        m.reset_running_stats()
        m.momentum = None
    net.train()
    with torch.no_grad():
        for part in images.split(batch):
            net(part)
    for m, momentum in zip(norms, momenta):
        m.momentum = momentum
    return net


# %% Left in evaluation mode exercise="reestimate"
# Afterwards the whole network is in evaluation mode, whatever it was in before.
def reestimate(net, images, batch=100):
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [m.momentum for m in norms]
    for m in norms:
        m.reset_running_stats()
        m.momentum = None
    net.train()
    with torch.no_grad():
        for part in images.split(batch):
            net(part)
    for m, momentum in zip(norms, momenta):
        m.momentum = momentum
    return net.eval()


# %% Weights reset as well exercise="reestimate"
# reset_parameters also sets BatchNorm's weight and bias back to 1 and 0. Only the statistics are to be forgotten.
def reestimate(net, images, batch=100):
    modes = {m: m.training for m in net.modules()}
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [m.momentum for m in norms]
    for m in norms:
        m.reset_parameters()
        m.momentum = None
    net.train()
    with torch.no_grad():
        for part in images.split(batch):
            net(part)
    for m, momentum in zip(norms, momenta):
        m.momentum = momentum
    for m, mode in modes.items():
        m.training = mode
    return net


# %% All pictures at once exercise="reestimate"
# All pictures go through as one batch, whatever batch says; the statistics are then others.
def reestimate(net, images, batch=100):
    modes = {m: m.training for m in net.modules()}
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [m.momentum for m in norms]
    for m in norms:
        m.reset_running_stats()
        m.momentum = None
    net.train()
    with torch.no_grad():
        net(images)
    for m, momentum in zip(norms, momenta):
        m.momentum = momentum
    for m, mode in modes.items():
        m.training = mode
    return net


# %% Averaged by hand exercise="reestimate" right=true
def reestimate(net, images, batch=100):
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    before = [m.training for m in net.modules()], [m.momentum for m in norms]
    net.train()
    parts = list(torch.split(images, batch))
    sums = [[0.0, 0.0] for _ in norms]
    with torch.no_grad():
        for m in norms:
            m.momentum = 1.0
        for part in parts:
            net(part)
            for pair, m in zip(sums, norms):
                pair[0] = pair[0] + m.running_mean
                pair[1] = pair[1] + m.running_var
        for (mean, var), m, momentum in zip(sums, norms, before[1]):
            m.running_mean.copy_(mean / len(parts))
            m.running_var.copy_(var / len(parts))
            m.momentum = momentum
    for m, mode in zip(net.modules(), before[0]):
        m.training = mode
    return net


# %% The highest loss exercise="barrier"
# That is the highest loss. The barrier is the height above the line between the ends.
def barrier(losses):
    return float(np.max(losses))


# %% Above the lower end exercise="barrier"
# The height is taken over the lowest loss, not over the line between the ends.
def barrier(losses):
    return float(np.max(losses) - np.min(losses))


# %% Above the mean of the ends exercise="barrier"
# The height is taken over the mean of both ends, at every point. The line falls or rises with t.
def barrier(losses):
    return float(max(np.max(losses) - (losses[0] + losses[-1]) / 2, 0))


# %% Only the middle exercise="barrier"
# Only the middle is looked at; the highest place may lie elsewhere.
def barrier(losses):
    return float(max(losses[len(losses) // 2] - (losses[0] + losses[-1]) / 2, 0))


# %% The depth counts too exercise="barrier"
# A curve that sags below the line is no barrier: take the largest difference, not the largest absolute one.
def barrier(losses):
    losses = np.asarray(losses, float)
    return float(np.max(np.abs(losses - np.linspace(losses[0], losses[-1], len(losses)))))


# %% The line runs the other way exercise="barrier"
# The line between the ends runs from the last loss to the first: its ends are swapped.
def barrier(losses):
    losses = np.asarray(losses, float)
    return float(np.max(losses - np.linspace(losses[-1], losses[0], len(losses))))


# %% In plain Python exercise="barrier" right=true
def barrier(losses):
    n = len(losses) - 1
    heights = [v - ((n - i) * losses[0] + i * losses[-1]) / n for i, v in enumerate(losses)]
    return max(heights)


# %% No barrier anywhere exercise="q-basin"
# Two random networks have no reason to lie in the same valley: their hidden units are not even in the same order.
q_basin = "a"


# %% Barriers everywhere exercise="q-basin"
# The fine-tuned two start at the same point and do not go far.
q_basin = "b"


# %% Barrier between the fine-tuned exercise="q-basin"
# It is the common start that keeps two networks in one valley.
q_basin = "d"


# %% [markdown]
# ## Part 7 · GPU


# %% Always pinned exercise="make-loader"
# Memory is pinned on a CPU too, where it costs something and helps nobody.
def make_loader(images, labels, batch, device, seed=0):
    return DataLoader(
        TensorDataset(images, labels), batch, shuffle=True, pin_memory=True,
        generator=torch.Generator().manual_seed(seed),
    )


# %% Never pinned exercise="make-loader"
# Memory is not pinned for a CUDA device, and the copies cannot overlap.
def make_loader(images, labels, batch, device, seed=0):
    return DataLoader(
        TensorDataset(images, labels), batch, shuffle=True,
        generator=torch.Generator().manual_seed(seed),
    )


# %% Pinned for the plain name only exercise="make-loader"
# "cuda:1" and torch.device("cuda") are CUDA devices too: ask for the device's type.
def make_loader(images, labels, batch, device, seed=0):
    return DataLoader(
        TensorDataset(images, labels), batch, shuffle=True, pin_memory=device == "cuda",
        generator=torch.Generator().manual_seed(seed),
    )


# %% Not shuffled exercise="make-loader"
# The samples come in the same order every epoch.
def make_loader(images, labels, batch, device, seed=0):
    pin = torch.device(device).type == "cuda"
    return DataLoader(TensorDataset(images, labels), batch, pin_memory=pin)


# %% The global generator exercise="make-loader"
# The order comes from the global generator: two loaders with the same seed differ. Give the loader one of its own.
def make_loader(images, labels, batch, device, seed=0):
    torch.manual_seed(seed)
    pin = torch.device(device).type == "cuda"
    return DataLoader(TensorDataset(images, labels), batch, shuffle=True, pin_memory=pin)


# %% The last batch dropped exercise="make-loader"
# drop_last leaves samples out in every epoch.
def make_loader(images, labels, batch, device, seed=0):
    return DataLoader(
        TensorDataset(images, labels), batch, shuffle=True, drop_last=True,
        pin_memory=torch.device(device).type == "cuda",
        generator=torch.Generator().manual_seed(seed),
    )


# %% Shuffled once exercise="make-loader"
# The samples are shuffled once and come in that order in every epoch.
def make_loader(images, labels, batch, device, seed=0):
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    pin = torch.device(device).type == "cuda"
    return DataLoader(TensorDataset(images[order], labels[order]), batch, pin_memory=pin)


# %% A list as a data set exercise="make-loader" right=true
def make_loader(images, labels, batch, device, seed=0):
    generator = torch.Generator()
    generator.manual_seed(seed)
    data = list(zip(images, labels))
    sampler = torch.utils.data.RandomSampler(data, generator=generator)
    pin = "cuda" in str(device)
    return DataLoader(data, batch_size=batch, sampler=sampler, pin_memory=pin)


# %% The whole network in bfloat16 exercise="amp-step"
# The weights were turned into bfloat16, and small updates are rounded away. Only the forward pass changes its type.
def amp_step(net, optimizer, x, y, amp=True):
    if amp:
        net.bfloat16()
        x = x.bfloat16()
    loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% autocast for CUDA whatever the device exercise="amp-step"
# autocast is switched on for "cuda" while the network is on the CPU: nothing happens. Take the network's device type.
def amp_step(net, optimizer, x, y, amp=True):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=amp):
            loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% amp ignored exercise="amp-step"
# bfloat16 is used even where amp=False asks for float32.
def amp_step(net, optimizer, x, y, amp=True):
    device = next(net.parameters()).device
    with torch.autocast(device.type, dtype=torch.bfloat16):
        loss = F.cross_entropy(net(x.to(device)), y.to(device))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% Never in bfloat16 exercise="amp-step"
# The step runs in float32 whatever amp says.
def amp_step(net, optimizer, x, y, amp=True):
    loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% float16 instead of bfloat16 exercise="amp-step"
# That is float16, whose smallest numbers are too large for many gradients. bfloat16 is asked for.
def amp_step(net, optimizer, x, y, amp=True):
    device = next(net.parameters()).device
    with torch.autocast(device.type, dtype=torch.float16, enabled=amp):
        loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


# %% Gradients not cleared exercise="amp-step" covers=[62]
# Old gradients are not cleared: from the second step on they add up.
def amp_step(net, optimizer, x, y, amp=True):
    device = next(net.parameters()).device
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=amp):
        loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


# %% No step exercise="amp-step"
# The optimizer takes no step.
def amp_step(net, optimizer, x, y, amp=True):
    device = next(net.parameters()).device
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=amp):
        loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    return loss.item()


# %% A tensor comes back exercise="amp-step"
# The loss comes back as a tensor, with its history. item() makes a float of it.
def amp_step(net, optimizer, x, y, amp=True):
    device = next(net.parameters()).device
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=amp):
        loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


# %% Loss outside of autocast exercise="amp-step" right=true
def amp_step(net, optimizer, x, y, amp=True):
    where = next(net.parameters()).device
    optimizer.zero_grad(set_to_none=True)
    with torch.amp.autocast(device_type=where.type, dtype=torch.bfloat16, enabled=amp):
        logits = net(x.to(where, non_blocking=True))
    loss = F.cross_entropy(logits.float(), y.to(where, non_blocking=True))
    loss.backward()
    optimizer.step()
    return float(loss)


# %% The usual strides exercise="q-strides"
# Those are the strides of the usual layout. In channels-last the channels of one pixel are neighbours.
q_strides = (60, 20, 5, 1)


# %% Strides of the permuted shape exercise="q-strides"
# The strides are listed in the order (N, H, W, C) in which the numbers lie. x.stride() lists them for (N, C, H, W).
q_strides = (60, 15, 3, 1)


# %% Rows counted without channels exercise="q-strides"
# A step to the next row passes 5 pixels of 3 channels each.
q_strides = (60, 1, 5, 3)


# %% Warm-up counted exercise="timed"
# The warm-up calls are among the times. They are the slow ones that should not count.
def timed(function, device, repeats=10, warmup=3):
    times = []
    for _ in range(warmup + repeats):
        start = time.perf_counter()
        function()
        times.append(1000 * (time.perf_counter() - start))
    return times


# %% No warm-up exercise="timed"
# The function is never called to warm up.
def timed(function, device, repeats=10, warmup=3):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(1000 * (time.perf_counter() - start))
    return times


# %% Seconds exercise="timed"
# The times are in seconds; milliseconds are asked for.
def timed(function, device, repeats=10, warmup=3):
    for _ in range(warmup):
        function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return times


# %% One time for all exercise="timed"
# You return one number, the mean. The list lets the caller take the median.
def timed(function, device, repeats=10, warmup=3):
    for _ in range(warmup):
        function()
    start = time.perf_counter()
    for _ in range(repeats):
        function()
    return 1000 * (time.perf_counter() - start) / repeats


# %% CUDA events everywhere exercise="timed"
# CUDA events exist on CUDA devices only. Elsewhere use time.perf_counter().
def timed(function, device, repeats=10, warmup=3):
    for _ in range(warmup):
        function()
    events = []
    for _ in range(repeats):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        function()
        end.record()
        events.append((start, end))
    torch.cuda.synchronize()
    return [start.elapsed_time(end) for start, end in events]


# %% A function for one call exercise="timed" right=true
def timed(function, device, repeats=10, warmup=3):
    cuda = torch.device(device).type == "cuda"

    def once():
        if cuda:
            torch.cuda.synchronize()
        start = time.perf_counter()
        function()
        if cuda:
            torch.cuda.synchronize()
        return (time.perf_counter() - start) * 1e3

    return [once() for _ in range(warmup + repeats)][warmup:]


# %% Every saved tensor counts exercise="saved-bytes"
# A storage that two layers save is counted twice. Keep a set of storages.
def saved_bytes(net, x):
    own = {t.untyped_storage().data_ptr() for t in (*net.parameters(), *net.buffers())}
    total = 0

    def pack(t):
        nonlocal total
        if t.untyped_storage().data_ptr() not in own:
            total += t.untyped_storage().nbytes()
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        out = net(x)
    del out
    return total


# %% The weights count as well exercise="saved-bytes"
# The network's own weights are counted. They are in memory anyway, whatever the batch.
def saved_bytes(net, x):
    kept = {}

    def pack(t):
        kept[t.untyped_storage().data_ptr()] = t.untyped_storage().nbytes()
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        out = net(x)
    del out
    return sum(kept.values())


# %% Numbers instead of bytes exercise="saved-bytes"
# You count numbers. A float32 has four bytes.
def saved_bytes(net, x):
    own = {t.untyped_storage().data_ptr() for t in (*net.parameters(), *net.buffers())}
    kept = {}

    def pack(t):
        if t.untyped_storage().data_ptr() not in own:
            kept[t.untyped_storage().data_ptr()] = t.numel()
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        out = net(x)
    del out
    return sum(kept.values())


# %% The sizes of all outputs exercise="saved-bytes"
# You add up the layers' outputs. Autograd keeps what the backward pass needs, and nothing for frozen layers.
def saved_bytes(net, x):
    total = 0

    def count(module, inputs, out):
        nonlocal total
        total += out.numel() * out.element_size()

    hooks = [m.register_forward_hook(count) for m in net.modules() if not list(m.children())]
    net(x)
    for hook in hooks:
        hook.remove()
    return total


# %% In training mode exercise="saved-bytes"
# You switch to training mode. The network should be measured in the mode it is in.
def saved_bytes(net, x):
    net.train()
    own = {t.untyped_storage().data_ptr() for t in (*net.parameters(), *net.buffers())}
    kept = {}

    def pack(t):
        if t.untyped_storage().data_ptr() not in own:
            kept[t.untyped_storage().data_ptr()] = t.untyped_storage().nbytes()
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        out = net(x)
    del out
    return sum(kept.values())


# %% Without gradients exercise="saved-bytes"
# Under no_grad autograd keeps nothing at all.
def saved_bytes(net, x):
    kept = {}

    def pack(t):
        kept[t.untyped_storage().data_ptr()] = t.untyped_storage().nbytes()
        return t

    with torch.no_grad(), torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        net(x)
    return sum(kept.values())


# %% Storages kept in a list exercise="saved-bytes" right=true
def saved_bytes(net, x):
    storages = []

    def pack(tensor):
        storages.append(tensor.untyped_storage())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = net(x)
    sizes = {s.data_ptr(): s.nbytes() for s in storages}
    for tensor in [*net.parameters(), *net.buffers()]:
        sizes.pop(tensor.untyped_storage().data_ptr(), None)
    return sum(sizes.values()) + 0 * len(out)


# %% Nothing at all exercise="q-saved"
# The head is trained, and the gradient of its weight needs the head's input.
q_saved = 0


# %% Numbers, not bytes exercise="q-saved"
# 32 × 64 numbers are kept. A float32 has four bytes.
q_saved = 32 * 64


# %% The output instead of the input exercise="q-saved"
# The gradient of a linear layer's weight needs its input (64 numbers a picture), not its output.
q_saved = 32 * 10 * 4


# %% The pictures are kept exercise="q-saved"
# The pictures go into the frozen stem, whose weights need no gradient, so nobody keeps them.
q_saved = 32 * 3 * 32 * 32 * 4


# %% Better everywhere exercise="q-smoothing"
# Networks that are better for other reasons transfer better. This trick buys accuracy by throwing information away.
q_smoothing = "a"


# %% The head decides alone exercise="q-smoothing"
# A new head can only use what the frozen features still contain.
q_smoothing = "b"


# %% No training possible exercise="q-smoothing"
# It can be trained; the features just tell it less.
q_smoothing = "d"


# %% Segmentation needs no backbone exercise="q-uses"
# FCN puts a convolutional head on a classifier's feature maps.
q_uses = "a"


# %% Detection needs no backbone exercise="q-uses"
# RetinaNet puts its boxes on the feature maps of a ResNet.
q_uses = "b"


# %% Captions need no backbone exercise="q-uses"
# Who writes about a picture has to see it first: a classifier's features are what the words begin with.
q_uses = "c"


# %% The old head is to blame exercise="q-hub" covers=[146]
# new_head replaces the 1,000 classes, whatever their number was.
q_hub = "b"


# %% The seed is to blame exercise="q-hub"
# A seed moves the result by little. Inputs that the network has never seen the like of move it by a lot.
q_hub = "c"


# %% Transfer is to blame exercise="q-hub" covers=[146]
# Before you give up: does the network get its pictures in the size and the normalisation of its training?
q_hub = "d"


# %% [markdown]
# ## Mutants that no test can, or should, tell from the solution


# %% What only a machine with a GPU could tell exercise="pick-device" equivalent=true
# The tests run without one, where `available` is False.
# - return torch.device('cuda' if available else 'cpu')
# + return torch.device('cpu')
# + return torch.device('' if available else 'cpu')
# - if chosen.type == 'cuda' and (not available):
# + if chosen.type == 'cuda':


# %% Waiting for the copy exercise="move" equivalent=true
# On a CPU nothing is copied, so nothing can be waited for.
# - return batch.to(device, non_blocking=True)
# + return batch.to(device)
# + return batch.to(device, non_blocking=False)


# %% The order of two types exercise="move" equivalent=true
# isinstance asks for any of them.
# - if isinstance(batch, (tuple, list)):
# + if isinstance(batch, (list, tuple)):


# %% Gray that stays one channel until the mean comes exercise="to-network" equivalent=true
# Subtracting three means repeats the one channel just as well.
# - x = x.expand(-1, 3, -1, -1)
# + pass
# + x = x


# %% Dicts in the place of their keys exercise="load-backbone" equivalent=true
# A key view combines with a dict, which iterates over its keys.
# - odd = sorted(wanted.keys() ^ given.keys())
# + odd = sorted(wanted ^ given.keys())
# + odd = sorted(wanted.keys() ^ given)
# - odd += [k for k in wanted.keys() & given.keys() if wanted[k].shape != given[k].shape]
# + odd += [k for k in wanted & given.keys() if wanted[k].shape != given[k].shape]
# + odd += [k for k in wanted.keys() & given if wanted[k].shape != given[k].shape]


# %% Not moved to the network's device exercise="fit" equivalent=true
# Network and data both lie on the CPU where the tests run.
# - x, y = move((images[chosen], labels[chosen]), place)
# + x, y = (images[chosen], labels[chosen])


# %% The network clears the gradients exercise="fit" equivalent=true
# What the optimizer does not hold is frozen or would be left alone anyway.
# - optimizer.zero_grad()
# + net.zero_grad()


# %% Parts in another order exercise="plan" equivalent=true
# freeze takes the parts in any order.
# - everything = ['stem', 'stage1', 'stage2', 'stage3', 'head']
# + everything = ['stage1', 'stem', 'stage2', 'stage3', 'head']
# + everything = ['stem', 'stage2', 'stage1', 'stage3', 'head']
# + everything = ['stem', 'stage1', 'stage3', 'stage2', 'head']
# + everything = ['stem', 'stage1', 'stage2', 'head', 'stage3']
# - plans = {'features': [(['head'], steps)], 'partial': [(['stage3', 'head'], steps)], 'combined': [(['head'], steps // 2), (everything, steps - steps // 2)], 'full': [(everything, steps)]}
# + plans = {'features': [(['head'], steps)], 'partial': [(['head', 'stage3'], steps)], 'combined': [(['head'], steps // 2), (everything, steps - steps // 2)], 'full': [(everything, steps)]}


# %% Other batches of the same pictures exercise="accuracy" equivalent=true
# In evaluation mode it does not matter who shares a batch; an empty one has no right answer.
# - def accuracy(net, images, labels, batch=100):
# + def accuracy(net, images, labels, batch=101):
# + def accuracy(net, images, labels, batch=99):
# - for begin in range(0, len(images), batch):
# + for begin in range(0, len(images) + 1, batch):


# %% As many labels as pictures exercise="accuracy" equivalent=true
# Both have the same length.
# - for begin in range(0, len(images), batch):
# + for begin in range(0, len(labels), batch):
# - return right / len(images)
# + return right / len(labels)


# %% Not moved to the network's device exercise="accuracy" equivalent=true
# Network and data both lie on the CPU where the tests run.
# - x, y = move((images[begin:begin + batch], labels[begin:begin + batch]), place)
# + x, y = (images[begin:begin + batch], labels[begin:begin + batch])


# %% Other batches of the same pictures exercise="cached-features" equivalent=true
# In evaluation mode it does not matter who shares a batch.
# - def cached_features(net, images, batch=100):
# + def cached_features(net, images, batch=101):
# + def cached_features(net, images, batch=99):


# %% Not moved there, not fetched back exercise="cached-features" equivalent=true
# Network and data both lie on the CPU where the tests run.
# - parts = [net.features(part.to(place)).cpu() for part in images.split(batch)]
# + parts = [net.features(part.to(place)) for part in images.split(batch)]
# + parts = [net.features(part).cpu() for part in images.split(batch)]


# %% Within the 2% that the question allows exercise="q-cached" equivalent=true
# The answer may be 2% off.
# - q_cached = 99.84
# + q_cached = 100.84


# %% Not moved there, not fetched back exercise="stage-features" equivalent=true
# Network and data both lie on the CPU where the tests run.
# - x = images.to(next(net.parameters()).device)
# + x = images
# - found[name] = x.mean((2, 3)).cpu()
# + found[name] = x.mean((2, 3))


# %% Columns before rows exercise="stage-features" equivalent=true
# The mean over both axes is the same in any order.
# - found[name] = x.mean((2, 3)).cpu()
# + found[name] = x.mean((3, 2)).cpu()


# %% Another deviation for a constant feature exercise="fit-probe" equivalent=true
# A constant feature less its mean is zero, whatever it is divided by.
# - std = torch.where(std > 0, std, 1.0)
# + std = torch.where(std > 0, std, 2.0)
# + std = torch.where(std > 0, std, 0.5)


# %% Not moved to the network's device exercise="reestimate" equivalent=true
# Network and pictures both lie on the CPU where the tests run.
# - net(part.to(place))
# + net(part)


# %% Not moved to the network's device exercise="amp-step" equivalent=true
# Network and data both lie on the CPU where the tests run.
# - x, y = move((x, y), place)
# + pass
# + x, y = (x, y)


# %% The type that autocast takes by itself exercise="amp-step" equivalent=true
# On a CPU that is bfloat16; on CUDA it would be float16, which the tests do not see.
# - with torch.autocast(place.type, dtype=torch.bfloat16, enabled=amp):
# + with torch.autocast(place.type, enabled=amp):


# %% The network clears the gradients exercise="amp-step" equivalent=true
# The optimizers of the tests hold all parameters of the network.
# - optimizer.zero_grad()
# + net.zero_grad()


# %% What only a machine with a GPU could tell exercise="timed" equivalent=true
# The tests run without one, where no CUDA event is made.
# - cuda = torch.device(device).type == 'cuda'
# + cuda = torch.device(device).type == ''
# - if not cuda:
# + if True:
# - event = torch.cuda.Event(enable_timing=True)
# + pass
# + event = torch.cuda.Event()
# + event = torch.cuda.Event(enable_timing=False)
# - event.record()
# + pass
# + event
# - return event
# + return
# - torch.cuda.synchronize()
# + pass
# - return [start.elapsed_time(end) for start, end in marks]
# + return
# + return [start for start, end in marks]
# + return [end.elapsed_time(end) for start, end in marks]
# + return [start.elapsed_time(start) for start, end in marks]
# + return [start.elapsed_time(end) for end, start in marks]


# %% A thousandth more or less exercise="timed" equivalent=true
# No test should depend on a clock's last digits.
# - return [1000 * (end - start) for start, end in marks]
# + return [1001 * (end - start) for start, end in marks]
# + return [999 * (end - start) for start, end in marks]


# %% Parameters fill their storages exercise="saved-bytes" equivalent=true
# A parameter or buffer begins where its storage begins.
# - own = {t.untyped_storage().data_ptr() for t in (*net.parameters(), *net.buffers())}
# + own = {t.data_ptr() for t in (*net.parameters(), *net.buffers())}


# %% The storage as its own key exercise="saved-bytes" equivalent=true
# PyTorch hands out the same object for the same storage.
# - kept[storage.data_ptr()] = storage.nbytes()
# + kept[storage] = storage.nbytes()
