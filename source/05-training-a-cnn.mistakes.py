# %% [markdown]
# ## The three heaps


# %% Not shuffled exercise="split"
# You cut the numbers in order. The data lie sorted: draw a random permutation first.
def split(n, seed):
    """Deal out 0 … n-1 at random; returns three int arrays train, validation, test."""
    order = np.arange(n)  # (n,)
    fifth = n // 5
    return order[2 * fifth :], order[:fifth], order[fifth : 2 * fifth]


# %% Three separate draws exercise="split"
# The three parts are drawn one by one and overlap. Draw one permutation and cut it.
def split(n, seed):
    rng = np.random.default_rng(seed)
    fifth = n // 5
    return rng.permutation(n)[2 * fifth :], rng.permutation(n)[:fifth], rng.permutation(n)[:fifth]


# %% Validation is the test set exercise="split"
# Validation and test are the same images: choosing on the one is choosing on the other.
def split(n, seed):
    """Deal out 0 … n-1 at random; returns three int arrays train, validation, test."""
    order = np.random.default_rng(seed).permutation(n)  # (n,)
    fifth = n // 5
    return order[2 * fifth :], order[:fifth], order[:fifth]


# %% Drawn with replacement exercise="split"
# Some numbers come several times and some never: draw without replacement, a permutation.
def split(n, seed):
    """Deal out 0 … n-1 at random; returns three int arrays train, validation, test."""
    order = np.random.default_rng(seed).integers(n, size=n)  # (n,)
    fifth = n // 5
    return order[2 * fifth :], order[:fifth], order[fifth : 2 * fifth]


# %% Seed ignored exercise="split"
# Your split is another one at each call, whatever the seed: results cannot be repeated.
def split(n, seed):
    """Deal out 0 … n-1 at random; returns three int arrays train, validation, test."""
    order = np.random.default_rng().permutation(n)  # (n,)
    fifth = n // 5
    return order[2 * fifth :], order[:fifth], order[fifth : 2 * fifth]


# %% Always the same split exercise="split"
# The seed has no say in your split.
def split(n, seed):
    """Deal out 0 … n-1 at random; returns three int arrays train, validation, test."""
    order = np.random.default_rng(0).permutation(n)  # (n,)
    fifth = n // 5
    return order[2 * fifth :], order[:fifth], order[fifth : 2 * fifth]


# %% Validation and test keep the rest exercise="split"
# The training part gets a fifth. It should get all that validation and test leave.
def split(n, seed):
    """Deal out 0 … n-1 at random; returns three int arrays train, validation, test."""
    order = np.random.default_rng(seed).permutation(n)  # (n,)
    fifth = n // 5
    return order[:fifth], order[fifth : 2 * fifth], order[2 * fifth :]


# %% Split by torch's permutation exercise="split" right=true
def split(n, seed):
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()
    val = order[: n // 5]
    test = order[n // 5 : 2 * (n // 5)]
    return np.array(order[2 * (n // 5) :]), np.array(val), np.array(test)


# %% [markdown]
# ## Training loop


# %% The head alone learns exercise="q-joint"
# The gradient of the loss reaches every layer from the first step on; nothing waits for the head.
q_joint = "a"


# %% Features first, classifier later exercise="q-joint"
# Gradient descent on one loss moves all layers at once; there are no two phases.
q_joint = "b"


# %% Gradients not cleared exercise="train" covers=[62]
# Gradients add up in .grad until they are cleared. Without zero_grad() each step goes along the
# sum of all gradients so far.
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    """Train model by SGD, one step for each batch (x, y); returns the losses, a list of floats."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )
    model.train()
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% A new optimizer for every batch exercise="train" covers=[64]
# Momentum lives in the optimizer. A new one for each batch forgets the velocity.
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    model.train()
    losses = []
    for x, y in batches:
        optimizer = torch.optim.SGD(
            model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
        )
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% Training mode forgotten exercise="train"
# The model may come in evaluation mode. Without model.train() dropout and BatchNorm train as if in
# the test.
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    """Train model by SGD, one step for each batch (x, y); returns the losses, a list of floats."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% Trained in evaluation mode exercise="train"
# Evaluation mode is for evaluating: BatchNorm would train with statistics that never move.
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    """Train model by SGD, one step for each batch (x, y); returns the losses, a list of floats."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )
    model.eval()
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% Softmax before cross-entropy exercise="train" covers=[57]
# F.cross_entropy takes logits and contains the softmax. With a second softmax the gradient nearly
# vanishes.
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    """Train model by SGD, one step for each batch (x, y); returns the losses, a list of floats."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )
    model.train()
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model(x).softmax(dim=1), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% Sum of the losses instead of the mean exercise="train" covers=[61]
# You add up the losses of the batch. The mean is asked; with a sum the step grows with the batch.
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    """Train model by SGD, one step for each batch (x, y); returns the losses, a list of floats."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )
    model.train()
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model(x), y, reduction="sum")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% Loss after the step exercise="train"
# The loss is recorded after the step on the same batch. It should be the one before.
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    """Train model by SGD, one step for each batch (x, y); returns the losses, a list of floats."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )
    model.train()
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(F.cross_entropy(model(x), y).item())
    return losses


# %% Losses as tensors exercise="train"
# You keep the loss tensors with all that they were computed from. `.item()` is the number.
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    """Train model by SGD, one step for each batch (x, y); returns the losses, a list of floats."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )
    model.train()
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss)
    return losses


# %% No step taken exercise="train"
# Gradients are computed, but no step follows: the weights never change.
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    """Train model by SGD, one step for each batch (x, y); returns the losses, a list of floats."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )
    model.train()
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
    return losses


# %% Weight decay twice exercise="train" covers=[65]
# The penalty is in the loss and in the optimizer: the weights decay twice.
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    """Train model by SGD, one step for each batch (x, y); returns the losses, a list of floats."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )
    model.train()
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model(x), y) + weight_decay / 2 * sum(p.pow(2).sum() for p in model.parameters())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% Weight decay not passed on exercise="train"
# `weight_decay` does not reach the optimizer.
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    """Train model by SGD, one step for each batch (x, y); returns the losses, a list of floats."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum
    )
    model.train()
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% Momentum not passed on exercise="train"
# `momentum` does not reach the optimizer.
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    """Train model by SGD, one step for each batch (x, y); returns the losses, a list of floats."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, weight_decay=weight_decay
    )
    model.train()
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% Biases not decayed exercise="train" covers=[67]
# Only the weights decay in your training. SGD as PyTorch takes it decays all parameters.
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=lr, momentum=momentum)
    model.train()
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% The mean loss only exercise="train"
# One number comes back for the whole training: one a batch is asked.
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    """Train model by SGD, one step for each batch (x, y); returns the losses, a list of floats."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )
    model.train()
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return [sum(losses) / len(losses)]


# %% Learning rate fixed exercise="train" covers=[25]
# Your learning rate is a constant of your own, not the argument `lr`.
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    """Train model by SGD, one step for each batch (x, y); returns the losses, a list of floats."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.1, momentum=momentum, weight_decay=weight_decay
    )
    model.train()
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% SGD by hand exercise="train" right=true
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    parameters = list(model.parameters())
    velocity = [torch.zeros_like(p) for p in parameters]
    model.train()
    losses = []
    for x, y in batches:
        log_p = model(x).log_softmax(dim=1)
        loss = -log_p[torch.arange(len(y)), y].mean()
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for p, v, g in zip(parameters, velocity, gradients):
                v.mul_(momentum).add_(g + weight_decay * p)
                p.sub_(lr * v)
        losses.append(float(loss))
    return losses


# %% Gradients cleared after the step exercise="train" right=true
def train(model, batches, lr, momentum=0.9, weight_decay=0.0):
    """Train model by SGD, one step for each batch (x, y); returns the losses, a list of floats."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )
    model.train()
    losses = []
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


# %% [markdown]
# ## Accuracy


# %% Evaluated in training mode exercise="accuracy" covers=[118]
# Without eval() dropout drops and BatchNorm uses (and moves) the batch's statistics.
def accuracy(model, x, y):
    """Share of the images x (N, …) that model reads as y (N,), in evaluation mode; a float."""
    mode = model.training
    with torch.no_grad():
        read = model(x).argmax(dim=1)  # (N,)
    model.train(mode)
    return (read == y).float().mean().item()


# %% Left in evaluation mode exercise="accuracy"
# After your evaluation the model stays in evaluation mode, and the training goes on without
# dropout.
def accuracy(model, x, y):
    """Share of the images x (N, …) that model reads as y (N,), in evaluation mode; a float."""
    mode = model.training
    model.eval()
    with torch.no_grad():
        read = model(x).argmax(dim=1)  # (N,)
    return (read == y).float().mean().item()


# %% Always back to training mode exercise="accuracy"
# You switch to training mode at the end. The model should be as it came.
def accuracy(model, x, y):
    """Share of the images x (N, …) that model reads as y (N,), in evaluation mode; a float."""
    mode = model.training
    model.eval()
    with torch.no_grad():
        read = model(x).argmax(dim=1)  # (N,)
    model.train()
    return (read == y).float().mean().item()


# %% Smallest logit exercise="accuracy"
# The answer is the largest logit, not the smallest.
def accuracy(model, x, y):
    """Share of the images x (N, …) that model reads as y (N,), in evaluation mode; a float."""
    mode = model.training
    model.eval()
    with torch.no_grad():
        read = model(x).argmin(dim=1)  # (N,)
    model.train(mode)
    return (read == y).float().mean().item()


# %% Argmax over the batch exercise="accuracy" covers=[58]
# argmax over axis 0 looks for the best image of each class; axis 1 looks for the best class of
# each image.
def accuracy(model, x, y):
    """Share of the images x (N, …) that model reads as y (N,), in evaluation mode; a float."""
    mode = model.training
    model.eval()
    with torch.no_grad():
        read = model(x).argmax(dim=0)[: len(y)]  # (N,)
    model.train(mode)
    return (read == y).float().mean().item()


# %% Number of right answers exercise="accuracy"
# You count the right answers. A share is asked: divide by the number of images.
def accuracy(model, x, y):
    """Share of the images x (N, …) that model reads as y (N,), in evaluation mode; a float."""
    mode = model.training
    model.eval()
    with torch.no_grad():
        read = model(x).argmax(dim=1)  # (N,)
    model.train(mode)
    return (read == y).float().sum().item()


# %% Error instead of accuracy exercise="accuracy"
# That is the share of wrong answers.
def accuracy(model, x, y):
    """Share of the images x (N, …) that model reads as y (N,), in evaluation mode; a float."""
    mode = model.training
    model.eval()
    with torch.no_grad():
        read = model(x).argmax(dim=1)  # (N,)
    model.train(mode)
    return (read != y).float().mean().item()


# %% Accuracy by counting exercise="accuracy" right=true
def accuracy(model, x, y):
    was_training = model.training
    model.eval()
    right = 0
    for start in range(0, len(y), 32):
        logits = model(x[start : start + 32]).detach()
        right += int((logits.max(dim=1).indices == y[start : start + 32]).sum())
    if was_training:
        model.train()
    return right / len(y)


# %% [markdown]
# ## LeNet


# %% Biases of fc1 forgotten exercise="q-fc1" covers=[26]
# 800 · 500 are the weights. Each of the 500 units has a bias, too.
q_fc1 = 400_000


# %% fc1 on the maps before pooling exercise="q-fc1" covers=[28]
# The second pooling leaves 4 × 4, so 800 features, not 8 × 8 × 50.
q_fc1 = 1_600_500


# %% fc1 with one bias exercise="q-fc1"
# A linear layer has one bias for each of its 500 outputs.
q_fc1 = 400_001


# %% Dropout forgotten exercise="lenet"
# There is no dropout in your network: two passes in training mode are equal.
class LeNet(nn.Module):
    """The lecture's LeNet: x (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)
        self.drop_out = nn.Dropout(0.5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (N, 20, 12, 12)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 50, 4, 4)
        x = x.flatten(1)  # (N, 800)
        x = F.relu(self.fc1(x))  # (N, 500)
        return self.fc2(x)  # (N, 10)


# %% Dropout of the features forgotten exercise="lenet"
# The 800 features go into fc1 without dropout: the lecture's network has a dropout there, too.
class LeNet(nn.Module):
    """The lecture's LeNet: x (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)
        self.drop_out = nn.Dropout(0.5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (N, 20, 12, 12)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 50, 4, 4)
        x = x.flatten(1)  # (N, 800)
        x = self.drop_out(F.relu(self.fc1(x)))  # (N, 500)
        return self.fc2(x)  # (N, 10)


# %% Dropout behind fc1 forgotten exercise="lenet"
# The 500 units of fc1 are never dropped.
class LeNet(nn.Module):
    """The lecture's LeNet: x (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)
        self.drop_out = nn.Dropout(0.5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (N, 20, 12, 12)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 50, 4, 4)
        x = self.drop_out(x.flatten(1))  # (N, 800)
        x = F.relu(self.fc1(x))  # (N, 500)
        return self.fc2(x)  # (N, 10)


# %% Dropout that eval() does not switch off exercise="lenet" covers=[92]
# F.dropout drops in every mode unless it is told: use nn.Dropout, or pass training=self.training.
class LeNet(nn.Module):
    """The lecture's LeNet: x (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)
        self.drop_out = nn.Dropout(0.5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (N, 20, 12, 12)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 50, 4, 4)
        x = F.dropout(x.flatten(1), 0.5)  # (N, 800)
        x = F.dropout(F.relu(self.fc1(x)), 0.5)  # (N, 500)
        return self.fc2(x)  # (N, 10)


# %% Dropout on the logits exercise="lenet"
# The last dropout stands behind fc2: it throws away answers.
class LeNet(nn.Module):
    """The lecture's LeNet: x (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)
        self.drop_out = nn.Dropout(0.5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (N, 20, 12, 12)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 50, 4, 4)
        x = self.drop_out(x.flatten(1))  # (N, 800)
        x = F.relu(self.fc1(x))
        return self.drop_out(self.fc2(x))  # (N, 10)


# %% Average pooling exercise="lenet"
# The lecture's LeNet pools with the maximum.
class LeNet(nn.Module):
    """The lecture's LeNet: x (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)
        self.drop_out = nn.Dropout(0.5)

    def forward(self, x):
        x = F.avg_pool2d(F.relu(self.conv1(x)), 2)  # (N, 20, 12, 12)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 50, 4, 4)
        x = self.drop_out(x.flatten(1))  # (N, 800)
        x = self.drop_out(F.relu(self.fc1(x)))  # (N, 500)
        return self.fc2(x)  # (N, 10)


# %% No ReLU behind fc1 exercise="lenet"
# fc1 and fc2 without a bend between them are one linear layer.
class LeNet(nn.Module):
    """The lecture's LeNet: x (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)
        self.drop_out = nn.Dropout(0.5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (N, 20, 12, 12)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 50, 4, 4)
        x = self.drop_out(x.flatten(1))  # (N, 800)
        x = self.drop_out(self.fc1(x))  # (N, 500)
        return self.fc2(x)  # (N, 10)


# %% ReLU on the logits exercise="lenet"
# A ReLU on the logits cuts off all that speaks against a class.
class LeNet(nn.Module):
    """The lecture's LeNet: x (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)
        self.drop_out = nn.Dropout(0.5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (N, 20, 12, 12)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 50, 4, 4)
        x = self.drop_out(x.flatten(1))  # (N, 800)
        x = self.drop_out(F.relu(self.fc1(x)))  # (N, 500)
        return F.relu(self.fc2(x))  # (N, 10)


# %% No ReLU behind the convolutions exercise="lenet"
# The ReLUs behind conv1 and conv2 are missing.
class LeNet(nn.Module):
    """The lecture's LeNet: x (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)
        self.drop_out = nn.Dropout(0.5)

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), 2)  # (N, 20, 12, 12)
        x = F.max_pool2d(self.conv2(x), 2)  # (N, 50, 4, 4)
        x = self.drop_out(x.flatten(1))  # (N, 800)
        x = self.drop_out(F.relu(self.fc1(x)))  # (N, 500)
        return self.fc2(x)  # (N, 10)


# %% Padded convolutions exercise="lenet"
# With padding 2 the maps stay 28 × 28, and fc1 gets 2,450 features instead of 800.
class LeNet(nn.Module):
    """The lecture's LeNet: x (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5, padding=2)
        self.conv2 = nn.Conv2d(20, 50, 5, padding=2)
        self.fc1 = nn.Linear(7 * 7 * 50, 500)
        self.fc2 = nn.Linear(500, 10)
        self.drop_out = nn.Dropout(0.5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (N, 20, 12, 12)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 50, 4, 4)
        x = self.drop_out(x.flatten(1))  # (N, 800)
        x = self.drop_out(F.relu(self.fc1(x)))  # (N, 500)
        return self.fc2(x)  # (N, 10)


# %% Batch flattened too exercise="lenet" covers=[116]
# flatten() makes one vector of the whole batch; flatten(1) keeps the batch axis.
class LeNet(nn.Module):
    """The lecture's LeNet: x (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)
        self.drop_out = nn.Dropout(0.5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (N, 20, 12, 12)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 50, 4, 4)
        x = self.drop_out(x.flatten())  # (N, 800)
        x = self.drop_out(F.relu(self.fc1(x)))  # (N, 500)
        return self.fc2(x)  # (N, 10)


# %% Probabilities instead of logits exercise="lenet" covers=[57]
# Return the logits: the loss contains the softmax.
class LeNet(nn.Module):
    """The lecture's LeNet: x (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)
        self.drop_out = nn.Dropout(0.5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (N, 20, 12, 12)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 50, 4, 4)
        x = self.drop_out(x.flatten(1))  # (N, 800)
        x = self.drop_out(F.relu(self.fc1(x)))  # (N, 500)
        return self.fc2(x).softmax(dim=1)  # (N, 10)


# %% No biases in the convolutions exercise="lenet"
# conv1 and conv2 have biases; BatchNorm, which would replace them, is not there.
class LeNet(nn.Module):
    """The lecture's LeNet: x (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5, bias=False)
        self.conv2 = nn.Conv2d(20, 50, 5, bias=False)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)
        self.drop_out = nn.Dropout(0.5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (N, 20, 12, 12)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (N, 50, 4, 4)
        x = self.drop_out(x.flatten(1))  # (N, 800)
        x = self.drop_out(F.relu(self.fc1(x)))  # (N, 500)
        return self.fc2(x)  # (N, 10)


# %% LeNet as the lecture writes it exercise="lenet" right=true
class LeNet(nn.Module):
    def __init__(self):
        super(LeNet, self).__init__()
        self.conv1 = nn.Conv2d(1, 20, 5, 1)
        self.conv2 = nn.Conv2d(20, 50, 5, 1)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)
        self.drop_out = nn.Dropout(p=0.5)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.max_pool2d(x, 2, 2)
        x = F.relu(self.conv2(x))
        x = F.max_pool2d(x, 2, 2)
        x = x.view(-1, 4 * 4 * 50)
        x = self.drop_out(x)
        x = F.relu(self.fc1(x))
        x = self.drop_out(x)
        x = self.fc2(x)
        return x


# %% LeNet with layers for everything exercise="lenet" right=true
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 20, 5), nn.Conv2d(20, 50, 5)
        self.fc1, self.fc2 = nn.Linear(800, 500), nn.Linear(500, 10)
        self.pool, self.bend = nn.MaxPool2d(2), nn.ReLU()

    def forward(self, x):
        x = self.bend(self.pool(self.conv1(x)))
        x = self.bend(self.pool(self.conv2(x)))
        x = F.dropout(torch.flatten(x, start_dim=1), 0.5, self.training)
        x = F.dropout(self.bend(self.fc1(x)), 0.5, self.training)
        return self.fc2(x)


# %% [markdown]
# ## LeNet-5


# %% C3 with all connections exercise="q-c3"
# Without the table C3 would have 16 · (6 · 25) + 16. Count the table's connections: 6 · 3 + 9 · 4
# + 6 = 60.
q_c3 = 2416


# %% C3 without biases exercise="q-c3" covers=[26]
# 60 · 25 are the weights; the 16 biases are missing.
q_c3 = 1500


# %% A bias per connection exercise="q-c3" covers=[9]
# Each of the 16 maps has one bias, not one for each of its inputs.
q_c3 = 1560


# %% Mean instead of sum exercise="subsample" covers=[7]
# You take the mean of the block. LeNet-5 adds up and multiplies; with a coefficient born as ¼ the
# start is the mean.
class Subsample(nn.Module):
    """LeNet-5's subsampling: x (N, C, H, W), H and W even, to (N, C, H/2, W/2)."""

    def __init__(self, channels):
        super().__init__()
        self.coefficient = nn.Parameter(torch.full((channels,), 0.25))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)

    def forward(self, x):
        total = F.avg_pool2d(x, 2)  # (N, C, H/2, W/2)
        return total * self.coefficient[:, None, None] + self.bias[:, None, None]


# %% Maximum instead of sum exercise="subsample"
# LeNet-5 adds the four numbers, it does not take their maximum.
class Subsample(nn.Module):
    """LeNet-5's subsampling: x (N, C, H, W), H and W even, to (N, C, H/2, W/2)."""

    def __init__(self, channels):
        super().__init__()
        self.coefficient = nn.Parameter(torch.full((channels,), 0.25))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)

    def forward(self, x):
        total = F.max_pool2d(x, 2)  # (N, C, H/2, W/2)
        return total * self.coefficient[:, None, None] + self.bias[:, None, None]


# %% One coefficient for all maps exercise="subsample"
# Each map has a coefficient and a bias of its own.
class Subsample(nn.Module):
    """LeNet-5's subsampling: x (N, C, H, W), H and W even, to (N, C, H/2, W/2)."""

    def __init__(self, channels):
        super().__init__()
        self.coefficient = nn.Parameter(torch.full((1,), 0.25))  # (C,)
        self.bias = nn.Parameter(torch.zeros(1))  # (C,)

    def forward(self, x):
        total = 4 * F.avg_pool2d(x, 2)  # (N, C, H/2, W/2)
        return total * self.coefficient[:, None, None] + self.bias[:, None, None]


# %% Bias forgotten exercise="subsample" covers=[8]
# The bias is not added.
class Subsample(nn.Module):
    """LeNet-5's subsampling: x (N, C, H, W), H and W even, to (N, C, H/2, W/2)."""

    def __init__(self, channels):
        super().__init__()
        self.coefficient = nn.Parameter(torch.full((channels,), 0.25))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)

    def forward(self, x):
        total = 4 * F.avg_pool2d(x, 2)  # (N, C, H/2, W/2)
        return total * self.coefficient[:, None, None]


# %% Coefficient along the width exercise="subsample"
# A tensor of shape (C,) lines up with the width. It needs two more axes behind.
class Subsample(nn.Module):
    """LeNet-5's subsampling: x (N, C, H, W), H and W even, to (N, C, H/2, W/2)."""

    def __init__(self, channels):
        super().__init__()
        self.coefficient = nn.Parameter(torch.full((channels,), 0.25))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)

    def forward(self, x):
        total = 4 * F.avg_pool2d(x, 2)  # (N, C, H/2, W/2)
        return total * self.coefficient + self.bias


# %% Bias inside the product exercise="subsample"
# The bias is added after the multiplication.
class Subsample(nn.Module):
    """LeNet-5's subsampling: x (N, C, H, W), H and W even, to (N, C, H/2, W/2)."""

    def __init__(self, channels):
        super().__init__()
        self.coefficient = nn.Parameter(torch.full((channels,), 0.25))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)

    def forward(self, x):
        total = 4 * F.avg_pool2d(x, 2)  # (N, C, H/2, W/2)
        return (total + self.bias[:, None, None]) * self.coefficient[:, None, None]


# %% Coefficient born as one exercise="subsample"
# The coefficient starts at ¼, so that a new layer averages.
class Subsample(nn.Module):
    """LeNet-5's subsampling: x (N, C, H, W), H and W even, to (N, C, H/2, W/2)."""

    def __init__(self, channels):
        super().__init__()
        self.coefficient = nn.Parameter(torch.full((channels,), 1.0))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)

    def forward(self, x):
        total = 4 * F.avg_pool2d(x, 2)  # (N, C, H/2, W/2)
        return total * self.coefficient[:, None, None] + self.bias[:, None, None]


# %% Overlapping blocks exercise="subsample" covers=[18]
# The blocks overlap: the stride is 2, not 1.
class Subsample(nn.Module):
    """LeNet-5's subsampling: x (N, C, H, W), H and W even, to (N, C, H/2, W/2)."""

    def __init__(self, channels):
        super().__init__()
        self.coefficient = nn.Parameter(torch.full((channels,), 0.25))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)

    def forward(self, x):
        total = 4 * F.avg_pool2d(x, 2, stride=1)  # (N, C, H/2, W/2)
        return total * self.coefficient[:, None, None] + self.bias[:, None, None]


# %% Coefficient not learned exercise="subsample"
# The coefficient is a plain tensor: parameters() does not find it. Wrap it in nn.Parameter.
class Subsample(nn.Module):
    """LeNet-5's subsampling: x (N, C, H, W), H and W even, to (N, C, H/2, W/2)."""

    def __init__(self, channels):
        super().__init__()
        self.coefficient = torch.full((channels,), 0.25)  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)

    def forward(self, x):
        total = 4 * F.avg_pool2d(x, 2)  # (N, C, H/2, W/2)
        return total * self.coefficient[:, None, None] + self.bias[:, None, None]


# %% Subsampling by slices exercise="subsample" right=true
class Subsample(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))
        self.coefficient = nn.Parameter(torch.ones(channels) / 4)

    def forward(self, x):
        blocks = x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]
        return torch.einsum("nchw,c->nchw", blocks, self.coefficient) + self.bias.view(1, -1, 1, 1)


# %% Table ignored exercise="lenet5"
# Every map of C3 sees all six maps: the weights are not multiplied by the table.
class LeNet5(nn.Module):
    """LeNet-5 (1998): x (N, 1, 32, 32) to squared distances (N, 10); table (16, 6), codes (10, 84)."""

    def __init__(self, table, codes):
        super().__init__()
        self.c1, self.s2 = nn.Conv2d(1, 6, 5), Subsample(6)
        self.c3, self.s4 = nn.Conv2d(6, 16, 5), Subsample(16)
        self.c5, self.f6 = nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
        self.register_buffer("table", table)
        self.register_buffer("codes", codes)

    def forward(self, x):
        x = squash(self.s2(squash(self.c1(x))))  # (N, 6, 14, 14)
        x = F.conv2d(x, self.c3.weight, self.c3.bias)
        x = squash(self.s4(squash(x)))  # (N, 16, 5, 5)
        x = squash(self.c5(x)).flatten(1)  # (N, 120)
        x = squash(self.f6(x))  # (N, 84)
        return ((x[:, None] - self.codes) ** 2).sum(dim=2)  # (N, 10)


# %% Table as a parameter exercise="lenet5" covers=[89]
# The table would be trained: register it as a buffer.
class LeNet5(nn.Module):
    """LeNet-5 (1998): x (N, 1, 32, 32) to squared distances (N, 10); table (16, 6), codes (10, 84)."""

    def __init__(self, table, codes):
        super().__init__()
        self.c1, self.s2 = nn.Conv2d(1, 6, 5), Subsample(6)
        self.c3, self.s4 = nn.Conv2d(6, 16, 5), Subsample(16)
        self.c5, self.f6 = nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
        self.table = nn.Parameter(table)
        self.register_buffer("codes", codes)

    def forward(self, x):
        x = squash(self.s2(squash(self.c1(x))))  # (N, 6, 14, 14)
        x = F.conv2d(x, self.c3.weight * self.table[:, :, None, None], self.c3.bias)
        x = squash(self.s4(squash(x)))  # (N, 16, 5, 5)
        x = squash(self.c5(x)).flatten(1)  # (N, 120)
        x = squash(self.f6(x))  # (N, 84)
        return ((x[:, None] - self.codes) ** 2).sum(dim=2)  # (N, 10)


# %% Codes as a plain attribute exercise="lenet5"
# A plain tensor attribute is not saved and does not move to a GPU with the network: register a
# buffer.
class LeNet5(nn.Module):
    """LeNet-5 (1998): x (N, 1, 32, 32) to squared distances (N, 10); table (16, 6), codes (10, 84)."""

    def __init__(self, table, codes):
        super().__init__()
        self.c1, self.s2 = nn.Conv2d(1, 6, 5), Subsample(6)
        self.c3, self.s4 = nn.Conv2d(6, 16, 5), Subsample(16)
        self.c5, self.f6 = nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
        self.register_buffer("table", table)
        self.codes = codes

    def forward(self, x):
        x = squash(self.s2(squash(self.c1(x))))  # (N, 6, 14, 14)
        x = F.conv2d(x, self.c3.weight * self.table[:, :, None, None], self.c3.bias)
        x = squash(self.s4(squash(x)))  # (N, 16, 5, 5)
        x = squash(self.c5(x)).flatten(1)  # (N, 120)
        x = squash(self.f6(x))  # (N, 84)
        return ((x[:, None] - self.codes) ** 2).sum(dim=2)  # (N, 10)


# %% ReLU instead of the squashing function exercise="lenet5"
# ReLU came later: LeNet-5 squashes with 1.7159 tanh(2a/3).
class LeNet5(nn.Module):
    def __init__(self, table, codes):
        super().__init__()
        self.c1, self.s2 = nn.Conv2d(1, 6, 5), Subsample(6)
        self.c3, self.s4 = nn.Conv2d(6, 16, 5), Subsample(16)
        self.c5, self.f6 = nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
        self.register_buffer("table", table)
        self.register_buffer("codes", codes)

    def forward(self, x):
        x = F.relu(self.s2(F.relu(self.c1(x))))
        x = F.conv2d(x, self.c3.weight * self.table[:, :, None, None], self.c3.bias)
        x = F.relu(self.s4(F.relu(x)))
        x = F.relu(self.f6(F.relu(self.c5(x)).flatten(1)))
        return ((x[:, None] - self.codes) ** 2).sum(dim=2)


# %% No squashing behind subsampling exercise="lenet5"
# S2 and S4 are squashed too: six squashings in all.
class LeNet5(nn.Module):
    """LeNet-5 (1998): x (N, 1, 32, 32) to squared distances (N, 10); table (16, 6), codes (10, 84)."""

    def __init__(self, table, codes):
        super().__init__()
        self.c1, self.s2 = nn.Conv2d(1, 6, 5), Subsample(6)
        self.c3, self.s4 = nn.Conv2d(6, 16, 5), Subsample(16)
        self.c5, self.f6 = nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
        self.register_buffer("table", table)
        self.register_buffer("codes", codes)

    def forward(self, x):
        x = self.s2(squash(self.c1(x)))  # (N, 6, 14, 14)
        x = F.conv2d(x, self.c3.weight * self.table[:, :, None, None], self.c3.bias)
        x = self.s4(squash(x))  # (N, 16, 5, 5)
        x = squash(self.c5(x)).flatten(1)  # (N, 120)
        x = squash(self.f6(x))  # (N, 84)
        return ((x[:, None] - self.codes) ** 2).sum(dim=2)  # (N, 10)


# %% F6 not squashed exercise="lenet5"
# The squashing behind F6 is missing.
class LeNet5(nn.Module):
    """LeNet-5 (1998): x (N, 1, 32, 32) to squared distances (N, 10); table (16, 6), codes (10, 84)."""

    def __init__(self, table, codes):
        super().__init__()
        self.c1, self.s2 = nn.Conv2d(1, 6, 5), Subsample(6)
        self.c3, self.s4 = nn.Conv2d(6, 16, 5), Subsample(16)
        self.c5, self.f6 = nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
        self.register_buffer("table", table)
        self.register_buffer("codes", codes)

    def forward(self, x):
        x = squash(self.s2(squash(self.c1(x))))  # (N, 6, 14, 14)
        x = F.conv2d(x, self.c3.weight * self.table[:, :, None, None], self.c3.bias)
        x = squash(self.s4(squash(x)))  # (N, 16, 5, 5)
        x = squash(self.c5(x)).flatten(1)  # (N, 120)
        x = self.f6(x)  # (N, 84)
        return ((x[:, None] - self.codes) ** 2).sum(dim=2)  # (N, 10)


# %% Distance not squared exercise="lenet5"
# The output is the squared distance: the sum of squares, without a root.
class LeNet5(nn.Module):
    """LeNet-5 (1998): x (N, 1, 32, 32) to squared distances (N, 10); table (16, 6), codes (10, 84)."""

    def __init__(self, table, codes):
        super().__init__()
        self.c1, self.s2 = nn.Conv2d(1, 6, 5), Subsample(6)
        self.c3, self.s4 = nn.Conv2d(6, 16, 5), Subsample(16)
        self.c5, self.f6 = nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
        self.register_buffer("table", table)
        self.register_buffer("codes", codes)

    def forward(self, x):
        x = squash(self.s2(squash(self.c1(x))))  # (N, 6, 14, 14)
        x = F.conv2d(x, self.c3.weight * self.table[:, :, None, None], self.c3.bias)
        x = squash(self.s4(squash(x)))  # (N, 16, 5, 5)
        x = squash(self.c5(x)).flatten(1)  # (N, 120)
        x = squash(self.f6(x))  # (N, 84)
        return ((x[:, None] - self.codes) ** 2).sum(dim=2).sqrt()  # (N, 10)


# %% Product with the codes exercise="lenet5"
# You return products with the code words; squared distances are asked.
class LeNet5(nn.Module):
    """LeNet-5 (1998): x (N, 1, 32, 32) to squared distances (N, 10); table (16, 6), codes (10, 84)."""

    def __init__(self, table, codes):
        super().__init__()
        self.c1, self.s2 = nn.Conv2d(1, 6, 5), Subsample(6)
        self.c3, self.s4 = nn.Conv2d(6, 16, 5), Subsample(16)
        self.c5, self.f6 = nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
        self.register_buffer("table", table)
        self.register_buffer("codes", codes)

    def forward(self, x):
        x = squash(self.s2(squash(self.c1(x))))  # (N, 6, 14, 14)
        x = F.conv2d(x, self.c3.weight * self.table[:, :, None, None], self.c3.bias)
        x = squash(self.s4(squash(x)))  # (N, 16, 5, 5)
        x = squash(self.c5(x)).flatten(1)  # (N, 120)
        x = squash(self.f6(x))  # (N, 84)
        return x @ self.codes.T  # (N, 10)


# %% Mean of the squares exercise="lenet5" covers=[7]
# The squares are added up over the 84 units, not averaged.
class LeNet5(nn.Module):
    """LeNet-5 (1998): x (N, 1, 32, 32) to squared distances (N, 10); table (16, 6), codes (10, 84)."""

    def __init__(self, table, codes):
        super().__init__()
        self.c1, self.s2 = nn.Conv2d(1, 6, 5), Subsample(6)
        self.c3, self.s4 = nn.Conv2d(6, 16, 5), Subsample(16)
        self.c5, self.f6 = nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
        self.register_buffer("table", table)
        self.register_buffer("codes", codes)

    def forward(self, x):
        x = squash(self.s2(squash(self.c1(x))))  # (N, 6, 14, 14)
        x = F.conv2d(x, self.c3.weight * self.table[:, :, None, None], self.c3.bias)
        x = squash(self.s4(squash(x)))  # (N, 16, 5, 5)
        x = squash(self.c5(x)).flatten(1)  # (N, 120)
        x = squash(self.f6(x))  # (N, 84)
        return ((x[:, None] - self.codes) ** 2).mean(dim=2)  # (N, 10)


# %% Bias of C3 forgotten exercise="lenet5" covers=[8]
# C3's bias is not added.
class LeNet5(nn.Module):
    """LeNet-5 (1998): x (N, 1, 32, 32) to squared distances (N, 10); table (16, 6), codes (10, 84)."""

    def __init__(self, table, codes):
        super().__init__()
        self.c1, self.s2 = nn.Conv2d(1, 6, 5), Subsample(6)
        self.c3, self.s4 = nn.Conv2d(6, 16, 5), Subsample(16)
        self.c5, self.f6 = nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
        self.register_buffer("table", table)
        self.register_buffer("codes", codes)

    def forward(self, x):
        x = squash(self.s2(squash(self.c1(x))))  # (N, 6, 14, 14)
        x = F.conv2d(x, self.c3.weight * self.table[:, :, None, None])
        x = squash(self.s4(squash(x)))  # (N, 16, 5, 5)
        x = squash(self.c5(x)).flatten(1)  # (N, 120)
        x = squash(self.f6(x))  # (N, 84)
        return ((x[:, None] - self.codes) ** 2).sum(dim=2)  # (N, 10)


# %% Table overwrites the weights exercise="lenet5"
# You multiply the table into C3 once, at birth. Weights that are loaded or trained later are no
# longer masked.
class LeNet5(nn.Module):
    """LeNet-5 (1998): x (N, 1, 32, 32) to squared distances (N, 10); table (16, 6), codes (10, 84)."""

    def __init__(self, table, codes):
        super().__init__()
        self.c1, self.s2 = nn.Conv2d(1, 6, 5), Subsample(6)
        self.c3, self.s4 = nn.Conv2d(6, 16, 5), Subsample(16)
        self.c5, self.f6 = nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
        self.register_buffer("table", table)
        with torch.no_grad():
            self.c3.weight *= table[:, :, None, None]
        self.register_buffer("codes", codes)

    def forward(self, x):
        x = squash(self.s2(squash(self.c1(x))))  # (N, 6, 14, 14)
        x = self.c3(x)
        x = squash(self.s4(squash(x)))  # (N, 16, 5, 5)
        x = squash(self.c5(x)).flatten(1)  # (N, 120)
        x = squash(self.f6(x))  # (N, 84)
        return ((x[:, None] - self.codes) ** 2).sum(dim=2)  # (N, 10)


# %% Distances by cdist exercise="lenet5" right=true
class LeNet5(nn.Module):
    """LeNet-5 (1998): x (N, 1, 32, 32) to squared distances (N, 10); table (16, 6), codes (10, 84)."""

    def __init__(self, table, codes):
        super().__init__()
        self.c1, self.s2 = nn.Conv2d(1, 6, 5), Subsample(6)
        self.c3, self.s4 = nn.Conv2d(6, 16, 5), Subsample(16)
        self.c5, self.f6 = nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
        self.register_buffer("table", table)
        self.register_buffer("codes", codes)

    def forward(self, x):
        x = squash(self.s2(squash(self.c1(x))))  # (N, 6, 14, 14)
        x = F.conv2d(x, self.c3.weight * self.table[:, :, None, None], self.c3.bias)
        x = squash(self.s4(squash(x)))  # (N, 16, 5, 5)
        x = squash(self.c5(x)).flatten(1)  # (N, 120)
        x = squash(self.f6(x))  # (N, 84)
        return torch.cdist(x, self.codes) ** 2  # (N, 10)


# %% Distances multiplied out exercise="lenet5" right=true
class LeNet5(nn.Module):
    """LeNet-5 (1998): x (N, 1, 32, 32) to squared distances (N, 10); table (16, 6), codes (10, 84)."""

    def __init__(self, table, codes):
        super().__init__()
        self.c1, self.s2 = nn.Conv2d(1, 6, 5), Subsample(6)
        self.c3, self.s4 = nn.Conv2d(6, 16, 5), Subsample(16)
        self.c5, self.f6 = nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
        self.register_buffer("table", table)
        self.register_buffer("codes", codes)

    def forward(self, x):
        x = squash(self.s2(squash(self.c1(x))))  # (N, 6, 14, 14)
        x = F.conv2d(x, self.c3.weight * self.table[:, :, None, None], self.c3.bias)
        x = squash(self.s4(squash(x)))  # (N, 16, 5, 5)
        x = squash(self.c5(x)).flatten(1)  # (N, 120)
        x = squash(self.f6(x))  # (N, 84)
        return (x**2).sum(1, keepdim=True) - 2 * x @ self.codes.T + (self.codes**2).sum(1)  # (N, 10)


# %% [markdown]
# ## Normalisation


# %% Mean image over the channels too exercise="normalisation" covers=[71]
# The mean image keeps the channels: mean over the images only, (C, H, W).
def fit_normalisation(images, kind):
    """Statistics of byte images (N, C, H, W) scaled to [0, 1]; kind "image", "channel", "standard".

    Returns mean, (C, H, W) or (C, 1, 1), and std (C, 1, 1).
    """
    scaled = images / 255.0  # (N, C, H, W)
    ones = np.ones((images.shape[1], 1, 1))
    if kind == "image":
        return scaled.mean(axis=(0, 1), keepdims=True)[0], ones
    mean = scaled.mean(axis=(0, 2, 3))[:, None, None]  # (C, 1, 1)
    if kind == "channel":
        return mean, ones
    return mean, scaled.std(axis=(0, 2, 3))[:, None, None]


def normalise(images, mean, std):
    """Byte images (N, C, H, W) on the scale of mean and std; returns floats (N, C, H, W)."""
    return (images / 255.0 - mean) / std


# %% Mean over the pixels for the mean image exercise="normalisation" covers=[71]
# The mean image is a mean over images, axis 0; you averaged over rows.
def fit_normalisation(images, kind):
    """Statistics of byte images (N, C, H, W) scaled to [0, 1]; kind "image", "channel", "standard".

    Returns mean, (C, H, W) or (C, 1, 1), and std (C, 1, 1).
    """
    scaled = images / 255.0  # (N, C, H, W)
    ones = np.ones((images.shape[1], 1, 1))
    if kind == "image":
        return np.broadcast_to(scaled.mean(axis=(0, 2), keepdims=True)[0], scaled.shape[1:]), ones
    mean = scaled.mean(axis=(0, 2, 3))[:, None, None]  # (C, 1, 1)
    if kind == "channel":
        return mean, ones
    return mean, scaled.std(axis=(0, 2, 3))[:, None, None]


def normalise(images, mean, std):
    """Byte images (N, C, H, W) on the scale of mean and std; returns floats (N, C, H, W)."""
    return (images / 255.0 - mean) / std


# %% One mean for all channels exercise="normalisation" covers=[70]
# One number for all channels: each channel has its own mean.
def fit_normalisation(images, kind):
    """Statistics of byte images (N, C, H, W) scaled to [0, 1]; kind "image", "channel", "standard".

    Returns mean, (C, H, W) or (C, 1, 1), and std (C, 1, 1).
    """
    scaled = images / 255.0  # (N, C, H, W)
    ones = np.ones((images.shape[1], 1, 1))
    if kind == "image":
        return scaled.mean(axis=0), ones
    mean = np.full((images.shape[1], 1, 1), scaled.mean())  # (C, 1, 1)
    if kind == "channel":
        return mean, ones
    return mean, scaled.std(axis=(0, 2, 3))[:, None, None]


def normalise(images, mean, std):
    """Byte images (N, C, H, W) on the scale of mean and std; returns floats (N, C, H, W)."""
    return (images / 255.0 - mean) / std


# %% One standard deviation for all channels exercise="normalisation" covers=[70]
# Each channel has its own standard deviation.
def fit_normalisation(images, kind):
    """Statistics of byte images (N, C, H, W) scaled to [0, 1]; kind "image", "channel", "standard".

    Returns mean, (C, H, W) or (C, 1, 1), and std (C, 1, 1).
    """
    scaled = images / 255.0  # (N, C, H, W)
    ones = np.ones((images.shape[1], 1, 1))
    if kind == "image":
        return scaled.mean(axis=0), ones
    mean = scaled.mean(axis=(0, 2, 3))[:, None, None]  # (C, 1, 1)
    if kind == "channel":
        return mean, ones
    return mean, np.full((images.shape[1], 1, 1), scaled.std())


def normalise(images, mean, std):
    """Byte images (N, C, H, W) on the scale of mean and std; returns floats (N, C, H, W)."""
    return (images / 255.0 - mean) / std


# %% Statistics before the division by 255 exercise="normalisation" covers=[72]
# Your statistics are those of the bytes, 0 to 255, but they are applied to pixels in [0, 1].
def fit_normalisation(images, kind):
    """Statistics of byte images (N, C, H, W) scaled to [0, 1]; kind "image", "channel", "standard".

    Returns mean, (C, H, W) or (C, 1, 1), and std (C, 1, 1).
    """
    scaled = images * 1.0  # (N, C, H, W)
    ones = np.ones((images.shape[1], 1, 1))
    if kind == "image":
        return scaled.mean(axis=0), ones
    mean = scaled.mean(axis=(0, 2, 3))[:, None, None]  # (C, 1, 1)
    if kind == "channel":
        return mean, ones
    return mean, scaled.std(axis=(0, 2, 3))[:, None, None]


def normalise(images, mean, std):
    """Byte images (N, C, H, W) on the scale of mean and std; returns floats (N, C, H, W)."""
    return (images / 255.0 - mean) / std


# %% Standard deviation of the bytes exercise="normalisation" covers=[72]
# The mean is that of scaled pixels, the standard deviation that of bytes.
def fit_normalisation(images, kind):
    """Statistics of byte images (N, C, H, W) scaled to [0, 1]; kind "image", "channel", "standard".

    Returns mean, (C, H, W) or (C, 1, 1), and std (C, 1, 1).
    """
    scaled = images / 255.0  # (N, C, H, W)
    ones = np.ones((images.shape[1], 1, 1))
    if kind == "image":
        return scaled.mean(axis=0), ones
    mean = scaled.mean(axis=(0, 2, 3))[:, None, None]  # (C, 1, 1)
    if kind == "channel":
        return mean, ones
    return mean, images.std(axis=(0, 2, 3))[:, None, None]


def normalise(images, mean, std):
    """Byte images (N, C, H, W) on the scale of mean and std; returns floats (N, C, H, W)."""
    return (images / 255.0 - mean) / std


# %% Variance for standard deviation exercise="normalisation" covers=[82]
# You return the variance; the standard deviation is its root.
def fit_normalisation(images, kind):
    """Statistics of byte images (N, C, H, W) scaled to [0, 1]; kind "image", "channel", "standard".

    Returns mean, (C, H, W) or (C, 1, 1), and std (C, 1, 1).
    """
    scaled = images / 255.0  # (N, C, H, W)
    ones = np.ones((images.shape[1], 1, 1))
    if kind == "image":
        return scaled.mean(axis=0), ones
    mean = scaled.mean(axis=(0, 2, 3))[:, None, None]  # (C, 1, 1)
    if kind == "channel":
        return mean, ones
    return mean, scaled.var(axis=(0, 2, 3))[:, None, None]


def normalise(images, mean, std):
    """Byte images (N, C, H, W) on the scale of mean and std; returns floats (N, C, H, W)."""
    return (images / 255.0 - mean) / std


# %% Unbiased standard deviation exercise="normalisation" covers=[74]
# Divide by the count, not by the count minus one.
def fit_normalisation(images, kind):
    """Statistics of byte images (N, C, H, W) scaled to [0, 1]; kind "image", "channel", "standard".

    Returns mean, (C, H, W) or (C, 1, 1), and std (C, 1, 1).
    """
    scaled = images / 255.0  # (N, C, H, W)
    ones = np.ones((images.shape[1], 1, 1))
    if kind == "image":
        return scaled.mean(axis=0), ones
    mean = scaled.mean(axis=(0, 2, 3))[:, None, None]  # (C, 1, 1)
    if kind == "channel":
        return mean, ones
    return mean, scaled.std(axis=(0, 2, 3), ddof=1)[:, None, None]


def normalise(images, mean, std):
    """Byte images (N, C, H, W) on the scale of mean and std; returns floats (N, C, H, W)."""
    return (images / 255.0 - mean) / std


# %% Standard deviation per pixel exercise="normalisation" covers=[83]
# One standard deviation per channel is asked, over images, rows and columns.
def fit_normalisation(images, kind):
    """Statistics of byte images (N, C, H, W) scaled to [0, 1]; kind "image", "channel", "standard".

    Returns mean, (C, H, W) or (C, 1, 1), and std (C, 1, 1).
    """
    scaled = images / 255.0  # (N, C, H, W)
    ones = np.ones((images.shape[1], 1, 1))
    if kind == "image":
        return scaled.mean(axis=0), ones
    mean = scaled.mean(axis=(0, 2, 3))[:, None, None]  # (C, 1, 1)
    if kind == "channel":
        return mean, ones
    return mean, scaled.std(axis=0)


def normalise(images, mean, std):
    """Byte images (N, C, H, W) on the scale of mean and std; returns floats (N, C, H, W)."""
    return (images / 255.0 - mean) / std


# %% Each image by its own mean exercise="normalisation" covers=[69]
# You subtract each image's own mean. The given statistics of the training set are to be applied.
def fit_normalisation(images, kind):
    """Statistics of byte images (N, C, H, W) scaled to [0, 1]; kind "image", "channel", "standard".

    Returns mean, (C, H, W) or (C, 1, 1), and std (C, 1, 1).
    """
    scaled = images / 255.0  # (N, C, H, W)
    ones = np.ones((images.shape[1], 1, 1))
    if kind == "image":
        return scaled.mean(axis=0), ones
    mean = scaled.mean(axis=(0, 2, 3))[:, None, None]  # (C, 1, 1)
    if kind == "channel":
        return mean, ones
    return mean, scaled.std(axis=(0, 2, 3))[:, None, None]


def normalise(images, mean, std):
    """Byte images (N, C, H, W) on the scale of mean and std; returns floats (N, C, H, W)."""
    return (images / 255.0 - (images / 255.0).mean(axis=(2, 3), keepdims=True)) / std


# %% Statistics of the images at hand exercise="normalisation" covers=[68]
# You compute new statistics from the images that are to be normalised. Use the given ones, which
# come from the training set.
def fit_normalisation(images, kind):
    """Statistics of byte images (N, C, H, W) scaled to [0, 1]; kind "image", "channel", "standard".

    Returns mean, (C, H, W) or (C, 1, 1), and std (C, 1, 1).
    """
    scaled = images / 255.0  # (N, C, H, W)
    ones = np.ones((images.shape[1], 1, 1))
    if kind == "image":
        return scaled.mean(axis=0), ones
    mean = scaled.mean(axis=(0, 2, 3))[:, None, None]  # (C, 1, 1)
    if kind == "channel":
        return mean, ones
    return mean, scaled.std(axis=(0, 2, 3))[:, None, None]


def normalise(images, mean, std):
    """Byte images (N, C, H, W) on the scale of mean and std; returns floats (N, C, H, W)."""
    return (images / 255.0 - (images / 255.0).mean(axis=(0, 2, 3), keepdims=True)) / (images / 255.0).std(axis=(0, 2, 3), keepdims=True)


# %% Bytes never divided by 255 exercise="normalisation" covers=[72]
# The mean belongs to pixels in [0, 1]: divide the bytes by 255 first.
def fit_normalisation(images, kind):
    """Statistics of byte images (N, C, H, W) scaled to [0, 1]; kind "image", "channel", "standard".

    Returns mean, (C, H, W) or (C, 1, 1), and std (C, 1, 1).
    """
    scaled = images / 255.0  # (N, C, H, W)
    ones = np.ones((images.shape[1], 1, 1))
    if kind == "image":
        return scaled.mean(axis=0), ones
    mean = scaled.mean(axis=(0, 2, 3))[:, None, None]  # (C, 1, 1)
    if kind == "channel":
        return mean, ones
    return mean, scaled.std(axis=(0, 2, 3))[:, None, None]


def normalise(images, mean, std):
    """Byte images (N, C, H, W) on the scale of mean and std; returns floats (N, C, H, W)."""
    return (images - mean) / std


# %% Standard deviation ignored exercise="normalisation"
# normalise does not divide by the standard deviation.
def fit_normalisation(images, kind):
    """Statistics of byte images (N, C, H, W) scaled to [0, 1]; kind "image", "channel", "standard".

    Returns mean, (C, H, W) or (C, 1, 1), and std (C, 1, 1).
    """
    scaled = images / 255.0  # (N, C, H, W)
    ones = np.ones((images.shape[1], 1, 1))
    if kind == "image":
        return scaled.mean(axis=0), ones
    mean = scaled.mean(axis=(0, 2, 3))[:, None, None]  # (C, 1, 1)
    if kind == "channel":
        return mean, ones
    return mean, scaled.std(axis=(0, 2, 3))[:, None, None]


def normalise(images, mean, std):
    """Byte images (N, C, H, W) on the scale of mean and std; returns floats (N, C, H, W)."""
    return images / 255.0 - mean


# %% Divided before the mean is taken off exercise="normalisation"
# Subtract the mean first, then divide.
def fit_normalisation(images, kind):
    """Statistics of byte images (N, C, H, W) scaled to [0, 1]; kind "image", "channel", "standard".

    Returns mean, (C, H, W) or (C, 1, 1), and std (C, 1, 1).
    """
    scaled = images / 255.0  # (N, C, H, W)
    ones = np.ones((images.shape[1], 1, 1))
    if kind == "image":
        return scaled.mean(axis=0), ones
    mean = scaled.mean(axis=(0, 2, 3))[:, None, None]  # (C, 1, 1)
    if kind == "channel":
        return mean, ones
    return mean, scaled.std(axis=(0, 2, 3))[:, None, None]


def normalise(images, mean, std):
    """Byte images (N, C, H, W) on the scale of mean and std; returns floats (N, C, H, W)."""
    return images / 255.0 / std - mean


# %% Whole-number division exercise="normalisation" covers=[23]
# `//` throws the fraction away: all pixels become 0 or 1.
def fit_normalisation(images, kind):
    """Statistics of byte images (N, C, H, W) scaled to [0, 1]; kind "image", "channel", "standard".

    Returns mean, (C, H, W) or (C, 1, 1), and std (C, 1, 1).
    """
    scaled = images / 255.0  # (N, C, H, W)
    ones = np.ones((images.shape[1], 1, 1))
    if kind == "image":
        return scaled.mean(axis=0), ones
    mean = scaled.mean(axis=(0, 2, 3))[:, None, None]  # (C, 1, 1)
    if kind == "channel":
        return mean, ones
    return mean, scaled.std(axis=(0, 2, 3))[:, None, None]


def normalise(images, mean, std):
    """Byte images (N, C, H, W) on the scale of mean and std; returns floats (N, C, H, W)."""
    return (images // 255 - mean) / std


# %% Images changed in place exercise="normalisation" covers=[24]
# normalise writes into the images it was given.
def fit_normalisation(images, kind):
    """Statistics of byte images (N, C, H, W) scaled to [0, 1]; kind "image", "channel", "standard".

    Returns mean, (C, H, W) or (C, 1, 1), and std (C, 1, 1).
    """
    scaled = images / 255.0  # (N, C, H, W)
    ones = np.ones((images.shape[1], 1, 1))
    if kind == "image":
        return scaled.mean(axis=0), ones
    mean = scaled.mean(axis=(0, 2, 3))[:, None, None]  # (C, 1, 1)
    if kind == "channel":
        return mean, ones
    return mean, scaled.std(axis=(0, 2, 3))[:, None, None]


def normalise(images, mean, std):
    """Byte images (N, C, H, W) on the scale of mean and std; returns floats (N, C, H, W)."""
    scaled = images / 255.0
    images[...] = 0
    return (scaled - mean) / std


# %% Normalisation with keepdims exercise="normalisation" right=true
def fit_normalisation(images, kind):
    scaled = images.astype(np.float64) / 255
    axes = {"image": 0, "channel": (0, 2, 3), "standard": (0, 2, 3)}[kind]
    mean = scaled.mean(axis=axes, keepdims=True)[0]
    std = np.ones((images.shape[1], 1, 1))
    if kind == "standard":
        std = np.sqrt(((scaled - mean) ** 2).mean(axis=(0, 2, 3), keepdims=True))[0]
    return mean, std


def normalise(images, mean, std):
    return np.stack([(image.astype(np.float32) / 255 - mean) / std for image in images])


# %% The slide believed exercise="q-resnet"
# The paper's own sentence says per-pixel mean, which is the mean image; nothing is divided.
q_resnet = "a"


# %% VGG's recipe for ResNet exercise="q-resnet"
# Per-pixel mean is the mean image. And mean and standard deviation per channel are what most code
# does today.
q_resnet = "c"


# %% [markdown]
# ## Two features


# %% The large feature's weight exercise="q-penalty"
# The large feature needs a small weight, 0.001, whose square costs next to nothing.
q_penalty = "b"


# %% The penalty is fair exercise="q-penalty"
# The penalty treats both weights alike, but one of them must be a thousand times larger than the
# other.
q_penalty = "c"


# %% Mean without 1/N exercise="standardise"
# The mean is a sum divided by N, as the later slide has it.
def standardise(X):
    mu = X.sum(axis=0)
    sigma = np.sqrt(((X - mu) ** 2).mean(axis=0))
    return (X - mu) / sigma, mu, sigma


# %% Rows instead of columns exercise="standardise" covers=[71]
# You standardise each point. Features are columns: means over axis 0.
def standardise(X):
    mu, sigma = X.mean(axis=1), X.std(axis=1)
    return (X - mu[:, None]) / sigma[:, None], mu, sigma


# %% One scale for all features exercise="standardise" covers=[70]
# One mean and one deviation for the whole table leave the features on different scales.
def standardise(X):
    """Bring each column of X (N, D) to mean 0 and standard deviation 1.

    Returns the new (N, D), the means (D,) and the standard deviations (D,).
    """
    mu, sigma = np.full(X.shape[1], X.mean()), np.full(X.shape[1], X.std())  # (D,), (D,)
    return (X - mu) / sigma, mu, sigma


# %% Divided by the variance exercise="standardise" covers=[82]
# Divide by the standard deviation, the root of the variance.
def standardise(X):
    """Bring each column of X (N, D) to mean 0 and standard deviation 1.

    Returns the new (N, D), the means (D,) and the standard deviations (D,).
    """
    mu, sigma = X.mean(axis=0), X.var(axis=0)  # (D,), (D,)
    return (X - mu) / sigma, mu, sigma


# %% Divided by N − 1 exercise="standardise" covers=[74]
# The formula divides by N, not by N − 1.
def standardise(X):
    """Bring each column of X (N, D) to mean 0 and standard deviation 1.

    Returns the new (N, D), the means (D,) and the standard deviations (D,).
    """
    mu, sigma = X.mean(axis=0), X.std(axis=0, ddof=1)  # (D,), (D,)
    return (X - mu) / sigma, mu, sigma


# %% Scaled to the range exercise="standardise"
# That is scaling by minimum and range, another normalisation.
def standardise(X):
    """Bring each column of X (N, D) to mean 0 and standard deviation 1.

    Returns the new (N, D), the means (D,) and the standard deviations (D,).
    """
    mu, sigma = X.min(axis=0), np.ptp(X, axis=0)  # (D,), (D,)
    return (X - mu) / sigma, mu, sigma


# %% X overwritten exercise="standardise" covers=[24]
# The function changes the table it was given.
def standardise(X):
    mu, sigma = X.mean(axis=0), X.std(axis=0)
    X -= mu
    X /= sigma
    return X, mu, sigma


# %% Standardise by loops exercise="standardise" right=true
def standardise(X):
    N, D = X.shape
    mu = [sum(X[:, j]) / N for j in range(D)]
    sigma = [math.sqrt(sum((x - mu[j]) ** 2 for x in X[:, j]) / N) for j in range(D)]
    return np.array([[(X[i, j] - mu[j]) / sigma[j] for j in range(D)] for i in range(N)]), mu, sigma


# %% Intercept punished exercise="ridge-gradient"
# The intercept is not in the penalty.
def ridge_gradient(X, y, w, lam):
    dy_hat = 2 * (w[0] + X @ w[1:] - y) / len(y)
    return np.concatenate([[dy_hat.sum()], X.T @ dy_hat]) + 2 * lam * w


# %% Features forgotten in the chain exercise="ridge-gradient" covers=[54]
# On the way from the prediction to w_j stands x_j: the gradient is the sum of ∂L/∂ŷ times x_j.
def ridge_gradient(X, y, w, lam):
    """Gradient of mean squared error plus lam · (squares of all weights but the intercept).

    X (N, D), y (N,), w (D + 1,) with the intercept first; returns (D + 1,).
    """
    dy_hat = 2 * (w[0] + X @ w[1:] - y) / len(y)  # (N,)
    return np.concatenate([[dy_hat.sum()], np.full(X.shape[1], dy_hat.sum()) + 2 * lam * w[1:]])


# %% Sum instead of mean exercise="ridge-gradient" covers=[61]
# J has the mean of the squares: divide by N.
def ridge_gradient(X, y, w, lam):
    """Gradient of mean squared error plus lam · (squares of all weights but the intercept).

    X (N, D), y (N,), w (D + 1,) with the intercept first; returns (D + 1,).
    """
    dy_hat = 2 * (w[0] + X @ w[1:] - y)  # (N,)
    return np.concatenate([[dy_hat.sum()], X.T @ dy_hat + 2 * lam * w[1:]])


# %% Factor two of the penalty exercise="ridge-gradient"
# The derivative of λw² is 2λw.
def ridge_gradient(X, y, w, lam):
    """Gradient of mean squared error plus lam · (squares of all weights but the intercept).

    X (N, D), y (N,), w (D + 1,) with the intercept first; returns (D + 1,).
    """
    dy_hat = 2 * (w[0] + X @ w[1:] - y) / len(y)  # (N,)
    return np.concatenate([[dy_hat.sum()], X.T @ dy_hat + lam * w[1:]])


# %% Factor two of the square exercise="ridge-gradient"
# The derivative of the square is twice the error.
def ridge_gradient(X, y, w, lam):
    """Gradient of mean squared error plus lam · (squares of all weights but the intercept).

    X (N, D), y (N,), w (D + 1,) with the intercept first; returns (D + 1,).
    """
    dy_hat = (w[0] + X @ w[1:] - y) / len(y)  # (N,)
    return np.concatenate([[dy_hat.sum()], X.T @ dy_hat + 2 * lam * w[1:]])


# %% Sign of the error exercise="ridge-gradient"
# The error is prediction minus truth: yours goes uphill.
def ridge_gradient(X, y, w, lam):
    """Gradient of mean squared error plus lam · (squares of all weights but the intercept).

    X (N, D), y (N,), w (D + 1,) with the intercept first; returns (D + 1,).
    """
    dy_hat = 2 * (y - w[0] - X @ w[1:]) / len(y)  # (N,)
    return np.concatenate([[dy_hat.sum()], X.T @ dy_hat + 2 * lam * w[1:]])


# %% Penalty divided by N exercise="ridge-gradient"
# Only the errors are averaged; the penalty stands outside of the mean.
def ridge_gradient(X, y, w, lam):
    """Gradient of mean squared error plus lam · (squares of all weights but the intercept).

    X (N, D), y (N,), w (D + 1,) with the intercept first; returns (D + 1,).
    """
    dy_hat = 2 * (w[0] + X @ w[1:] - y) / len(y)  # (N,)
    return np.concatenate([[dy_hat.sum()], X.T @ dy_hat + 2 * lam * w[1:] / len(y)])


# %% Intercept not in the prediction exercise="ridge-gradient"
# The prediction lacks w₀.
def ridge_gradient(X, y, w, lam):
    """Gradient of mean squared error plus lam · (squares of all weights but the intercept).

    X (N, D), y (N,), w (D + 1,) with the intercept first; returns (D + 1,).
    """
    dy_hat = 2 * (X @ w[1:] - y) / len(y)  # (N,)
    return np.concatenate([[dy_hat.sum()], X.T @ dy_hat + 2 * lam * w[1:]])


# %% Ridge gradient with a column of ones exercise="ridge-gradient" right=true
def ridge_gradient(X, y, w, lam):
    A = np.column_stack([np.ones(len(X)), X])
    penalty = 2 * lam * w.copy()
    penalty[0] = 0
    return 2 * A.T @ (A @ w - y) / len(y) + penalty


# %% Along the steep weight exercise="q-valley"
# Where the feature is large, a small change of its weight moves the prediction far: the contours
# are close together that way.
q_valley = "a"


# %% Circles exercise="q-valley"
# Contours are circles only when all curvatures are equal; here they differ by many powers of ten.
q_valley = "c"


# %% Bound without the two exercise="curvature"
# The error shrinks by 1 − ηh, which stays within ±1 up to η = 2/h, not 1/h.
def curvature(X, lam):
    """Of ridge regression on X (N, D): the learning rate bound 2 / h_max, and h_max / h_min."""
    A = np.column_stack([np.ones(len(X)), X])  # (N, D + 1)
    penalty = np.ones(A.shape[1])
    penalty[0] = 0
    h = np.linalg.eigvalsh(2 * A.T @ A / len(X) + 2 * lam * np.diag(penalty))  # (D + 1,), rising
    return 1 / h[-1], h[-1] / h[0]


# %% Smallest curvature bounds the step exercise="curvature"
# The steepest direction, the largest curvature, limits the step.
def curvature(X, lam):
    """Of ridge regression on X (N, D): the learning rate bound 2 / h_max, and h_max / h_min."""
    A = np.column_stack([np.ones(len(X)), X])  # (N, D + 1)
    penalty = np.ones(A.shape[1])
    penalty[0] = 0
    h = np.linalg.eigvalsh(2 * A.T @ A / len(X) + 2 * lam * np.diag(penalty))  # (D + 1,), rising
    return 2 / h[0], h[-1] / h[0]


# %% Intercept left out exercise="curvature"
# The intercept's column of ones is missing in A.
def curvature(X, lam):
    h = np.linalg.eigvalsh(2 * X.T @ X / len(X) + 2 * lam * np.eye(X.shape[1]))
    return 2 / h[-1], h[-1] / h[0]


# %% Intercept punished exercise="curvature"
# The penalty's matrix has a 0 for the intercept.
def curvature(X, lam):
    """Of ridge regression on X (N, D): the learning rate bound 2 / h_max, and h_max / h_min."""
    A = np.column_stack([np.ones(len(X)), X])  # (N, D + 1)
    penalty = np.ones(A.shape[1])
    h = np.linalg.eigvalsh(2 * A.T @ A / len(X) + 2 * lam * np.diag(penalty))  # (D + 1,), rising
    return 2 / h[-1], h[-1] / h[0]


# %% Penalty without the two exercise="curvature"
# The second derivative of λw² is 2λ.
def curvature(X, lam):
    """Of ridge regression on X (N, D): the learning rate bound 2 / h_max, and h_max / h_min."""
    A = np.column_stack([np.ones(len(X)), X])  # (N, D + 1)
    penalty = np.ones(A.shape[1])
    penalty[0] = 0
    h = np.linalg.eigvalsh(2 * A.T @ A / len(X) + lam * np.diag(penalty))  # (D + 1,), rising
    return 2 / h[-1], h[-1] / h[0]


# %% Hessian not averaged exercise="curvature" covers=[61]
# H has the factor 2/N.
def curvature(X, lam):
    """Of ridge regression on X (N, D): the learning rate bound 2 / h_max, and h_max / h_min."""
    A = np.column_stack([np.ones(len(X)), X])  # (N, D + 1)
    penalty = np.ones(A.shape[1])
    penalty[0] = 0
    h = np.linalg.eigvalsh(2 * A.T @ A + 2 * lam * np.diag(penalty))  # (D + 1,), rising
    return 2 / h[-1], h[-1] / h[0]


# %% Ratio of singular values of A exercise="curvature"
# Curvatures are eigenvalues of AᵀA: their ratio is the square of that of A's singular values.
def curvature(X, lam):
    """Of ridge regression on X (N, D): the learning rate bound 2 / h_max, and h_max / h_min."""
    A = np.column_stack([np.ones(len(X)), X])  # (N, D + 1)
    penalty = np.ones(A.shape[1])
    penalty[0] = 0
    h = np.linalg.eigvalsh(2 * A.T @ A / len(X) + 2 * lam * np.diag(penalty))  # (D + 1,), rising
    return 2 / h[-1], math.sqrt(h[-1] / h[0])


# %% Ratio upside down exercise="curvature"
# The condition number is largest by smallest, at least 1.
def curvature(X, lam):
    """Of ridge regression on X (N, D): the learning rate bound 2 / h_max, and h_max / h_min."""
    A = np.column_stack([np.ones(len(X)), X])  # (N, D + 1)
    penalty = np.ones(A.shape[1])
    penalty[0] = 0
    h = np.linalg.eigvalsh(2 * A.T @ A / len(X) + 2 * lam * np.diag(penalty))  # (D + 1,), rising
    return 2 / h[-1], h[0] / h[-1]


# %% Condition number by NumPy exercise="curvature" right=true
def curvature(X, lam):
    A = np.hstack([np.ones((len(X), 1)), X])
    H = 2 / len(X) * A.T @ A
    for j in range(1, len(H)):
        H[j, j] += 2 * lam
    values = np.linalg.eig(H)[0].real
    return 2 / max(values), np.linalg.cond(H)


# %% [markdown]
# ## Initialisation


# %% Fan-out for fan-in exercise="init" covers=[5]
# Fan-in counts the inputs of one output: C · KH · KW, not F · KH · KW.
def weight_std(scheme, shape):
    """Standard deviation of filters (F, C, KH, KW) under a scheme; a float."""
    fan_in, fan_out = shape[0] * math.prod(shape[2:]), math.prod(shape[1:])
    return {
        "lecture": 1 / fan_in / math.sqrt(3),
        "torch": 1 / math.sqrt(3 * fan_in),
        "xavier": math.sqrt(2 / (fan_in + fan_out)),
        "he": math.sqrt(2 / fan_in),
        "small": 0.01,
    }[scheme]


def draw_filters(scheme, shape, seed):
    """Random filters (F, C, KH, KW) under a scheme; a float32 tensor, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    std = weight_std(scheme, shape)
    if scheme in ("he", "small"):
        return std * torch.randn(shape, generator=generator)
    return math.sqrt(3) * std * (2 * torch.rand(shape, generator=generator) - 1)


# %% Kernel area forgotten exercise="init"
# Each output adds up C · KH · KW products: the kernel's area belongs to the fan-in.
def weight_std(scheme, shape):
    """Standard deviation of filters (F, C, KH, KW) under a scheme; a float."""
    fan_in, fan_out = shape[1], shape[0]
    return {
        "lecture": 1 / fan_in / math.sqrt(3),
        "torch": 1 / math.sqrt(3 * fan_in),
        "xavier": math.sqrt(2 / (fan_in + fan_out)),
        "he": math.sqrt(2 / fan_in),
        "small": 0.01,
    }[scheme]


def draw_filters(scheme, shape, seed):
    """Random filters (F, C, KH, KW) under a scheme; a float32 tensor, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    std = weight_std(scheme, shape)
    if scheme in ("he", "small"):
        return std * torch.randn(shape, generator=generator)
    return math.sqrt(3) * std * (2 * torch.rand(shape, generator=generator) - 1)


# %% Square kernels assumed exercise="init" covers=[20]
# The area is KH · KW; you squared one side.
def weight_std(scheme, shape):
    """Standard deviation of filters (F, C, KH, KW) under a scheme; a float."""
    fan_in, fan_out = shape[1] * shape[2] ** 2, shape[0] * shape[2] ** 2
    return {
        "lecture": 1 / fan_in / math.sqrt(3),
        "torch": 1 / math.sqrt(3 * fan_in),
        "xavier": math.sqrt(2 / (fan_in + fan_out)),
        "he": math.sqrt(2 / fan_in),
        "small": 0.01,
    }[scheme]


def draw_filters(scheme, shape, seed):
    """Random filters (F, C, KH, KW) under a scheme; a float32 tensor, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    std = weight_std(scheme, shape)
    if scheme in ("he", "small"):
        return std * torch.randn(shape, generator=generator)
    return math.sqrt(3) * std * (2 * torch.rand(shape, generator=generator) - 1)


# %% Bound taken for the standard deviation exercise="init"
# A uniform distribution in ±a has standard deviation a/√3.
def weight_std(scheme, shape):
    """Standard deviation of filters (F, C, KH, KW) under a scheme; a float."""
    fan_in, fan_out = math.prod(shape[1:]), shape[0] * math.prod(shape[2:])
    return {
        "lecture": 1 / fan_in,
        "torch": 1 / math.sqrt(fan_in),
        "xavier": math.sqrt(2 / (fan_in + fan_out)),
        "he": math.sqrt(2 / fan_in),
        "small": 0.01,
    }[scheme]


def draw_filters(scheme, shape, seed):
    """Random filters (F, C, KH, KW) under a scheme; a float32 tensor, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    std = weight_std(scheme, shape)
    if scheme in ("he", "small"):
        return std * torch.randn(shape, generator=generator)
    return math.sqrt(3) * std * (2 * torch.rand(shape, generator=generator) - 1)


# %% Xavier with the fan-in alone exercise="init"
# Xavier's bound has fan-in plus fan-out.
def weight_std(scheme, shape):
    """Standard deviation of filters (F, C, KH, KW) under a scheme; a float."""
    fan_in, fan_out = math.prod(shape[1:]), shape[0] * math.prod(shape[2:])
    return {
        "lecture": 1 / fan_in / math.sqrt(3),
        "torch": 1 / math.sqrt(3 * fan_in),
        "xavier": math.sqrt(1 / fan_in),
        "he": math.sqrt(2 / fan_in),
        "small": 0.01,
    }[scheme]


def draw_filters(scheme, shape, seed):
    """Random filters (F, C, KH, KW) under a scheme; a float32 tensor, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    std = weight_std(scheme, shape)
    if scheme in ("he", "small"):
        return std * torch.randn(shape, generator=generator)
    return math.sqrt(3) * std * (2 * torch.rand(shape, generator=generator) - 1)


# %% He without the two exercise="init"
# He's variance is 2/n: the two pays for the half that ReLU cuts off.
def weight_std(scheme, shape):
    """Standard deviation of filters (F, C, KH, KW) under a scheme; a float."""
    fan_in, fan_out = math.prod(shape[1:]), shape[0] * math.prod(shape[2:])
    return {
        "lecture": 1 / fan_in / math.sqrt(3),
        "torch": 1 / math.sqrt(3 * fan_in),
        "xavier": math.sqrt(2 / (fan_in + fan_out)),
        "he": math.sqrt(1 / fan_in),
        "small": 0.01,
    }[scheme]


def draw_filters(scheme, shape, seed):
    """Random filters (F, C, KH, KW) under a scheme; a float32 tensor, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    std = weight_std(scheme, shape)
    if scheme in ("he", "small"):
        return std * torch.randn(shape, generator=generator)
    return math.sqrt(3) * std * (2 * torch.rand(shape, generator=generator) - 1)


# %% He with the fan-out exercise="init"
# The table's scheme takes the fan-in.
def weight_std(scheme, shape):
    """Standard deviation of filters (F, C, KH, KW) under a scheme; a float."""
    fan_in, fan_out = math.prod(shape[1:]), shape[0] * math.prod(shape[2:])
    return {
        "lecture": 1 / fan_in / math.sqrt(3),
        "torch": 1 / math.sqrt(3 * fan_in),
        "xavier": math.sqrt(2 / (fan_in + fan_out)),
        "he": math.sqrt(2 / fan_out),
        "small": 0.01,
    }[scheme]


def draw_filters(scheme, shape, seed):
    """Random filters (F, C, KH, KW) under a scheme; a float32 tensor, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    std = weight_std(scheme, shape)
    if scheme in ("he", "small"):
        return std * torch.randn(shape, generator=generator)
    return math.sqrt(3) * std * (2 * torch.rand(shape, generator=generator) - 1)


# %% Variance returned exercise="init" covers=[82]
# You return the variance; the standard deviation is its root.
def weight_std(scheme, shape):
    """Standard deviation of filters (F, C, KH, KW) under a scheme; a float."""
    fan_in, fan_out = math.prod(shape[1:]), shape[0] * math.prod(shape[2:])
    return {
        "lecture": 1 / fan_in / math.sqrt(3),
        "torch": 1 / math.sqrt(3 * fan_in),
        "xavier": math.sqrt(2 / (fan_in + fan_out)),
        "he": 2 / fan_in,
        "small": 0.01,
    }[scheme]


def draw_filters(scheme, shape, seed):
    """Random filters (F, C, KH, KW) under a scheme; a float32 tensor, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    std = weight_std(scheme, shape)
    if scheme in ("he", "small"):
        return std * torch.randn(shape, generator=generator)
    return math.sqrt(3) * std * (2 * torch.rand(shape, generator=generator) - 1)


# %% Variance of the small scheme exercise="init"
# 0.01 is AlexNet's standard deviation, not the variance.
def weight_std(scheme, shape):
    """Standard deviation of filters (F, C, KH, KW) under a scheme; a float."""
    fan_in, fan_out = math.prod(shape[1:]), shape[0] * math.prod(shape[2:])
    return {
        "lecture": 1 / fan_in / math.sqrt(3),
        "torch": 1 / math.sqrt(3 * fan_in),
        "xavier": math.sqrt(2 / (fan_in + fan_out)),
        "he": math.sqrt(2 / fan_in),
        "small": 0.1,
    }[scheme]


def draw_filters(scheme, shape, seed):
    """Random filters (F, C, KH, KW) under a scheme; a float32 tensor, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    std = weight_std(scheme, shape)
    if scheme in ("he", "small"):
        return std * torch.randn(shape, generator=generator)
    return math.sqrt(3) * std * (2 * torch.rand(shape, generator=generator) - 1)


# %% All weights normal exercise="init"
# Three of the five schemes are uniform.
def weight_std(scheme, shape):
    """Standard deviation of filters (F, C, KH, KW) under a scheme; a float."""
    fan_in, fan_out = math.prod(shape[1:]), shape[0] * math.prod(shape[2:])
    return {
        "lecture": 1 / fan_in / math.sqrt(3),
        "torch": 1 / math.sqrt(3 * fan_in),
        "xavier": math.sqrt(2 / (fan_in + fan_out)),
        "he": math.sqrt(2 / fan_in),
        "small": 0.01,
    }[scheme]


def draw_filters(scheme, shape, seed):
    """Random filters (F, C, KH, KW) under a scheme; a float32 tensor, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    std = weight_std(scheme, shape)
    return std * torch.randn(shape, generator=generator)


# %% Uniform on one side exercise="init"
# Your uniform weights are all positive: they should lie in ±a.
def weight_std(scheme, shape):
    """Standard deviation of filters (F, C, KH, KW) under a scheme; a float."""
    fan_in, fan_out = math.prod(shape[1:]), shape[0] * math.prod(shape[2:])
    return {
        "lecture": 1 / fan_in / math.sqrt(3),
        "torch": 1 / math.sqrt(3 * fan_in),
        "xavier": math.sqrt(2 / (fan_in + fan_out)),
        "he": math.sqrt(2 / fan_in),
        "small": 0.01,
    }[scheme]


def draw_filters(scheme, shape, seed):
    """Random filters (F, C, KH, KW) under a scheme; a float32 tensor, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    std = weight_std(scheme, shape)
    if scheme in ("he", "small"):
        return std * torch.randn(shape, generator=generator)
    return math.sqrt(3) * std * torch.rand(shape, generator=generator)


# %% Uniform in plus and minus std exercise="init"
# The bound is √3 standard deviations.
def weight_std(scheme, shape):
    """Standard deviation of filters (F, C, KH, KW) under a scheme; a float."""
    fan_in, fan_out = math.prod(shape[1:]), shape[0] * math.prod(shape[2:])
    return {
        "lecture": 1 / fan_in / math.sqrt(3),
        "torch": 1 / math.sqrt(3 * fan_in),
        "xavier": math.sqrt(2 / (fan_in + fan_out)),
        "he": math.sqrt(2 / fan_in),
        "small": 0.01,
    }[scheme]


def draw_filters(scheme, shape, seed):
    """Random filters (F, C, KH, KW) under a scheme; a float32 tensor, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    std = weight_std(scheme, shape)
    if scheme in ("he", "small"):
        return std * torch.randn(shape, generator=generator)
    return std * (2 * torch.rand(shape, generator=generator) - 1)


# %% Seed ignored in the draw exercise="init"
# Your weights are others at each call, whatever the seed.
def weight_std(scheme, shape):
    """Standard deviation of filters (F, C, KH, KW) under a scheme; a float."""
    fan_in, fan_out = math.prod(shape[1:]), shape[0] * math.prod(shape[2:])
    return {
        "lecture": 1 / fan_in / math.sqrt(3),
        "torch": 1 / math.sqrt(3 * fan_in),
        "xavier": math.sqrt(2 / (fan_in + fan_out)),
        "he": math.sqrt(2 / fan_in),
        "small": 0.01,
    }[scheme]


def draw_filters(scheme, shape, seed):
    """Random filters (F, C, KH, KW) under a scheme; a float32 tensor, the same for the same seed."""
    generator = torch.Generator()
    generator.seed()
    std = weight_std(scheme, shape)
    if scheme in ("he", "small"):
        return std * torch.randn(shape, generator=generator)
    return math.sqrt(3) * std * (2 * torch.rand(shape, generator=generator) - 1)


# %% Initialisation by nn.init exercise="init" right=true
def weight_std(scheme, shape):
    F_out, C, KH, KW = shape
    n, m = C * KH * KW, F_out * KH * KW
    bounds = {"lecture": 1 / n, "torch": n**-0.5, "xavier": (6 / (n + m)) ** 0.5}
    if scheme in bounds:
        return np.sqrt(bounds[scheme] ** 2 / 3)
    return np.sqrt(2 / n) if scheme == "he" else 0.01


def draw_filters(scheme, shape, seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        w = torch.empty(*shape)
        n = w[0].numel()
        if scheme == "xavier":
            return nn.init.xavier_uniform_(w)
        if scheme == "he":
            return nn.init.kaiming_normal_(w)
        if scheme == "small":
            return nn.init.normal_(w, 0, 0.01)
        bound = 1 / n if scheme == "lecture" else 1 / n**0.5
        return w.uniform_(-bound, bound)


# %% Drawn by NumPy exercise="init" right=true
def weight_std(scheme, shape):
    """Standard deviation of filters (F, C, KH, KW) under a scheme; a float."""
    fan_in, fan_out = math.prod(shape[1:]), shape[0] * math.prod(shape[2:])
    return {
        "lecture": 1 / fan_in / math.sqrt(3),
        "torch": 1 / math.sqrt(3 * fan_in),
        "xavier": math.sqrt(2 / (fan_in + fan_out)),
        "he": math.sqrt(2 / fan_in),
        "small": 0.01,
    }[scheme]


def draw_filters(scheme, shape, seed):
    """Random filters (F, C, KH, KW) under a scheme; a float32 tensor, the same for the same seed."""
    rng = np.random.default_rng(seed)
    std = weight_std(scheme, shape)
    if scheme in ("he", "small"):
        return torch.from_numpy(rng.normal(0, std, shape)).float()
    bound = 3**0.5 * std
    return torch.from_numpy(rng.uniform(-bound, bound, shape)).float()


# %% ReLU's half forgotten exercise="q-gain"
# n · Var(w) is ⅓ for the convolution alone; ReLU halves the mean square.
q_gain = 1 / 3


# %% Bound taken for the standard deviation in the gain exercise="q-gain"
# The variance of a uniform distribution in ±a is a²/3, not a².
q_gain = 1 / 2


# %% Gain of He's scheme exercise="q-gain"
# That is the gain of He's scheme. PyTorch's default has variance 1/(3n).
q_gain = 1


# %% PyTorch's default for the slide's scheme exercise="q-twenty"
# That is what ±1/√n leaves. The slide says ±1/n.
q_twenty = "b"


# %% Half the powers of ten exercise="q-twenty"
# The gain is 1/(6n) for squares, so 1/√3456 = 0.017 for the deviation, and that twenty times.
q_twenty = "c"


# %% Hardly anything lost exercise="q-twenty"
# Each layer leaves 1.7% of the size. Twenty layers leave 0.017 to the power of twenty.
q_twenty = "a"


# %% No ReLU exercise="profile" covers=[100]
# There is no ReLU in your layers.
def activation_profile(weights, x):
    """Send x (N, C, H, W) through conv and ReLU for each filter tensor; returns all activations."""
    activations = []
    for w in weights:
        x = F.conv2d(x, w, padding=w.shape[-1] // 2)  # (N, F, H, W)
        activations.append(x)
    return activations


# %% No padding exercise="profile"
# Without padding the maps shrink at each layer; (K − 1)/2 zeros keep their size.
def activation_profile(weights, x):
    """Send x (N, C, H, W) through conv and ReLU for each filter tensor; returns all activations."""
    activations = []
    for w in weights:
        x = F.relu(F.conv2d(x, w))  # (N, F, H, W)
        activations.append(x)
    return activations


# %% Padding of one exercise="profile"
# Padding 1 is right for 3 × 3 only: (K − 1)/2 is asked.
def activation_profile(weights, x):
    """Send x (N, C, H, W) through conv and ReLU for each filter tensor; returns all activations."""
    activations = []
    for w in weights:
        x = F.relu(F.conv2d(x, w, padding=1))  # (N, F, H, W)
        activations.append(x)
    return activations


# %% Recorded before the ReLU exercise="profile"
# You record what goes into the ReLU; what comes out is asked.
def activation_profile(weights, x):
    activations = []
    for w in weights:
        z = F.conv2d(x, w, padding=w.shape[-1] // 2)
        activations.append(z)
        x = F.relu(z)
    return activations


# %% Every layer gets the input exercise="profile"
# Each layer should get the activations of the layer before, not the input.
def activation_profile(weights, x):
    return [F.relu(F.conv2d(x, w, padding=w.shape[-1] // 2)) if w.shape[1] == x.shape[1] else
            F.relu(F.conv2d(x.mean(1, keepdim=True).expand(-1, w.shape[1], -1, -1), w, padding=w.shape[-1] // 2))
            for w in weights]


# %% The last layer only exercise="profile"
# One tensor for each layer is asked.
def activation_profile(weights, x):
    """Send x (N, C, H, W) through conv and ReLU for each filter tensor; returns all activations."""
    activations = []
    for w in weights:
        x = F.relu(F.conv2d(x, w, padding=w.shape[-1] // 2))  # (N, F, H, W)
        activations.append(x)
    return activations[-1:]


# %% Normalised on the way exercise="profile"
# You rescale the signal between the layers. The point is to see what the weights do to it.
def activation_profile(weights, x):
    """Send x (N, C, H, W) through conv and ReLU for each filter tensor; returns all activations."""
    activations = []
    for w in weights:
        x = F.relu(F.conv2d(x, w, padding=w.shape[-1] // 2))  # (N, F, H, W)
        x = x / x.std()
        activations.append(x)
    return activations


# %% Profile by recursion exercise="profile" right=true
def activation_profile(weights, x):
    if len(weights) == 0:
        return []
    pad = (weights[0].size(2) - 1) // 2
    out = torch.conv2d(F.pad(x, (pad, pad, pad, pad)), weights[0]).clamp_min(0)
    return [out, *activation_profile(weights[1:], out)]


# %% The slide's author exercise="q-he"
# Xavier is Glorot's first name. He's scheme is another: variance 2/n.
q_he = "a"


# %% Two names for one thing exercise="q-he"
# They differ by the factor that pays for ReLU's half, and by the fan-out.
q_he = "c"


# %% [markdown]
# ## Bends


# %% Single losses exercise="steps-to"
# You look at single losses: one lucky batch counts. The mean of the last `window` is asked.
def steps_to(losses, target, window=10):
    """Steps until the mean of the last window losses is at most target; None if never."""
    for step in range(window, len(losses) + 1):
        if losses[step - 1] <= target:
            return step
    return None


# %% Start of the window exercise="steps-to"
# That is where the window begins. The answer is the number of steps at its end.
def steps_to(losses, target, window=10):
    """Steps until the mean of the last window losses is at most target; None if never."""
    for step in range(window, len(losses) + 1):
        if sum(losses[step - window : step]) / window <= target:
            return step - window
    return None


# %% Counted from zero exercise="steps-to" covers=[15]
# Off by one: after the first loss one step has been taken.
def steps_to(losses, target, window=10):
    """Steps until the mean of the last window losses is at most target; None if never."""
    for step in range(window, len(losses) + 1):
        if sum(losses[step - window : step]) / window <= target:
            return step - 1
    return None


# %% The last window forgotten exercise="steps-to"
# The loop ends one window too early.
def steps_to(losses, target, window=10):
    """Steps until the mean of the last window losses is at most target; None if never."""
    for step in range(window, len(losses)):
        if sum(losses[step - window : step]) / window <= target:
            return step
    return None


# %% Strictly below exercise="steps-to"
# At most the target is asked: equality counts.
def steps_to(losses, target, window=10):
    """Steps until the mean of the last window losses is at most target; None if never."""
    for step in range(window, len(losses) + 1):
        if sum(losses[step - window : step]) / window < target:
            return step
    return None


# %% Short windows at the start exercise="steps-to"
# Before `window` steps there is no mean of `window` losses.
def steps_to(losses, target, window=10):
    """Steps until the mean of the last window losses is at most target; None if never."""
    for step in range(1, len(losses) + 1):
        if np.mean(losses[max(0, step - window) : step]) <= target:
            return step
    return None


# %% Number of steps when never reached exercise="steps-to"
# A target that is never reached gives None, not the number of steps.
def steps_to(losses, target, window=10):
    """Steps until the mean of the last window losses is at most target; None if never."""
    for step in range(window, len(losses) + 1):
        if sum(losses[step - window : step]) / window <= target:
            return step
    return len(losses)


# %% Window of ten always exercise="steps-to" covers=[25]
# The argument `window` has no effect.
def steps_to(losses, target, window=10):
    for step in range(10, len(losses) + 1):
        if sum(losses[step - 10 : step]) / 10 <= target:
            return step
    return None


# %% Steps by cumulative sums exercise="steps-to" right=true
def steps_to(losses, target, window=10):
    if len(losses) < window:
        return None
    means = np.convolve(losses, np.ones(window) / window, mode="valid")
    hits = np.flatnonzero(means <= target + 1e-12)
    return int(hits[0]) + window if len(hits) else None


# %% The slide's six exercise="q-six"
# Six times was measured with another network on CIFAR-10. Run the experiment and look at each
# function's best rate.
q_six = "a"


# %% ReLU ahead anyway exercise="q-six"
# Look at the printed steps: which function needs fewest steps, and at which rate?
q_six = "b"


# %% A little gradient is left exercise="q-dead"
# Left of zero ReLU's slope is 0, for every image: nothing is left of the gradient.
q_dead = 0.01


# %% Gradient of one exercise="q-dead"
# 1 is the slope of an active unit. A dead one is on its flat side for all images.
q_dead = 1


# %% A share, not percentage points exercise="q-bias"
# 0.004 is the share; in percentage points that is a hundred times as much.
q_bias = 0.004


# %% The bias as a share exercise="q-bias"
# One per cent of a standard deviation is not one per cent of the images: multiply by the density
# at 0.
q_bias = 1.0


# %% Half of the images exercise="q-bias"
# 50% are on without any bias; the question is by how much that grows.
q_bias = 50.4


# %% Dead for one image exercise="dead-units"
# A unit that is silent for one image is not dead: it has to be zero for all of them.
def dead_units(maps):
    """Which channels of the activations maps (N, C, H, W) are always zero; bool (C,)."""
    return (maps == 0).all(dim=3).all(dim=2).any(dim=0)  # (C,)


# %% Zero somewhere exercise="dead-units"
# A ReLU map is zero at many places. Dead means zero everywhere.
def dead_units(maps):
    """Which channels of the activations maps (N, C, H, W) are always zero; bool (C,)."""
    return (maps == 0).flatten(2).any(dim=2).any(dim=0)  # (C,)


# %% Share of dead units exercise="dead-units"
# One answer a channel is asked, not their share.
def dead_units(maps):
    """Which channels of the activations maps (N, C, H, W) are always zero; bool (C,)."""
    return (maps == 0).all(dim=3).all(dim=2).all(dim=0).float().mean()  # (C,)


# %% The living exercise="dead-units"
# True is for the dead; yours is true for the others.
def dead_units(maps):
    """Which channels of the activations maps (N, C, H, W) are always zero; bool (C,)."""
    return ~(maps == 0).all(dim=3).all(dim=2).all(dim=0)  # (C,)


# %% Nearly silent counted as dead exercise="dead-units"
# Small is not zero: such a unit still gets a gradient.
def dead_units(maps):
    """Which channels of the activations maps (N, C, H, W) are always zero; bool (C,)."""
    return (maps < 1e-4).all(dim=3).all(dim=2).all(dim=0)  # (C,)


# %% First image only exercise="dead-units" covers=[42]
# You look at one image. A dead unit is silent for all.
def dead_units(maps):
    """Which channels of the activations maps (N, C, H, W) are always zero; bool (C,)."""
    return (maps[0] == 0).all(dim=2).all(dim=1)  # (C,)


# %% Images instead of channels exercise="dead-units"
# The answer is for channels, the second axis; you asked which images are all zero.
def dead_units(maps):
    """Which channels of the activations maps (N, C, H, W) are always zero; bool (C,)."""
    return (maps == 0).flatten(1).all(dim=1)  # (C,)


# %% Dead units by the maximum exercise="dead-units" right=true
def dead_units(maps):
    return maps.amax(dim=(0, 2, 3)) == 0


# %% Dead units as a list exercise="dead-units" right=true
def dead_units(maps):
    return [not bool(maps[:, c].any()) for c in range(maps.shape[1])]


# %% [markdown]
# ## BatchNorm


# %% The mean scaled exercise="q-constant"
# x − μ is 0 for every pixel, so only β is left.
q_constant = 19


# %% Zero exercise="q-constant"
# x̂ is 0, and y = γ·0 + β.
q_constant = 0


# %% Only gamma left exercise="q-constant"
# γ multiplies x̂ = 0; what is left is β.
q_constant = 2


# %% Batch statistics in evaluation exercise="batchnorm" covers=[73]
# In evaluation you still normalise with the batch: an image's answer depends on its neighbours.
# Use the running statistics.
class BatchNorm2d(nn.Module):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = x.mean(dim=(0, 2, 3)), x.var(dim=(0, 2, 3), correction=0)
        if self.training:
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Unbiased variance for normalising exercise="batchnorm" covers=[74]
# The batch is normalised with the biased variance, divided by M; M − 1 is for the buffer.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=1)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var, self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Biased variance in the buffer exercise="batchnorm" covers=[75]
# running_var takes the unbiased variance, divided by M − 1.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var, self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Unbiased by the number of samples exercise="batchnorm" covers=[75]
# M counts samples, rows and columns, not the samples alone.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = len(x)
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Momentum swapped exercise="batchnorm" covers=[76]
# PyTorch's momentum is the weight of the new batch: running = (1 − m) · running + m · batch.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, 1 - self.momentum)
                self.running_var.lerp_(var * count / (count - 1), 1 - self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Only the last batch kept exercise="batchnorm" covers=[77]
# The running statistics are those of the last batch; they should be a moving average.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.copy_(mean)
                self.running_var.copy_(var * count / (count - 1))
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Running statistics never updated exercise="batchnorm" covers=[78]
# The buffers stay at 0 and 1: they have to be updated in training.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Running variance never updated exercise="batchnorm" covers=[78]
# running_var stays at 1.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Updated in evaluation exercise="batchnorm" covers=[79]
# An evaluation changes the running statistics: update them in training mode only.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        else:
            with torch.no_grad():
                self.running_mean.lerp_(x.mean(dim=(0, 2, 3)), self.momentum)
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Epsilon outside of the root exercise="batchnorm" covers=[80]
# ε is added to the variance, under the root.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / (torch.sqrt(var) + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Epsilon missing exercise="batchnorm" covers=[81]
# Without ε a constant channel divides by zero, and small spreads come out differently.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Epsilon of its own exercise="batchnorm" covers=[25]
# Your ε is a constant; the argument eps is ignored.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + 1e-5)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Standard deviation stored as variance exercise="batchnorm" covers=[82]
# running_var holds a standard deviation; it should hold a variance.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_((var * count / (count - 1)).sqrt(), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Divided by the variance exercise="batchnorm" covers=[82]
# Divide by the standard deviation: the root is missing.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / (var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Statistics per pixel exercise="batchnorm" covers=[83]
# A mean over samples only: rows and columns of a channel share one mean.
class BatchNorm2d(nn.Module):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        if self.training:
            mean, var = x.mean(dim=0), x.var(dim=0, correction=0)
            with torch.no_grad():
                self.running_mean.lerp_(x.mean(dim=(0, 2, 3)), self.momentum)
                self.running_var.lerp_(x.var(dim=(0, 2, 3)), self.momentum)
                self.num_batches_tracked += 1
        else:
            mean, var = self.running_mean[:, None, None], self.running_var[:, None, None]
        x_hat = (x - mean) / torch.sqrt(var + self.eps)
        return x_hat * self.weight[:, None, None] + self.bias[:, None, None]


# %% Statistics per image exercise="batchnorm" covers=[69]
# You normalise each image by itself (that is instance normalisation). The batch shares its
# statistics.
class BatchNorm2d(nn.Module):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        if self.training:
            mean = x.mean(dim=(2, 3), keepdim=True)
            var = x.var(dim=(2, 3), correction=0, keepdim=True)
            with torch.no_grad():
                self.running_mean.lerp_(x.mean(dim=(0, 2, 3)), self.momentum)
                self.running_var.lerp_(x.var(dim=(0, 2, 3)), self.momentum)
                self.num_batches_tracked += 1
        else:
            mean, var = self.running_mean[:, None, None], self.running_var[:, None, None]
        x_hat = (x - mean) / torch.sqrt(var + self.eps)
        return x_hat * self.weight[:, None, None] + self.bias[:, None, None]


# %% One mean for all channels exercise="batchnorm" covers=[70]
# Mean and variance are taken over all channels together; each channel has its own.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean().expand(x.shape[1])  # (C,)
            var = x.var(correction=0).expand(x.shape[1])  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Gamma and beta ignored exercise="batchnorm" covers=[84]
# x̂ comes back without scale and shift.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = 1 / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None]


# %% Gamma and beta ignored in evaluation exercise="batchnorm" covers=[85]
# Scale and shift belong to both modes.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        if not self.training:
            return (x - mean[:, None, None]) / torch.sqrt(var + self.eps)[:, None, None]
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Mean and variance without gradient exercise="batchnorm" covers=[86]
# The statistics are computed without a graph: to PyTorch they are constants, and two of the three
# roads back are closed.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.detach().mean(dim=(0, 2, 3))  # (C,)
            var = x.detach().var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Mean without gradient exercise="batchnorm" covers=[86]
# The mean is detached, so the gradient of x misses the road through it.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.detach().mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Variance without gradient exercise="batchnorm" covers=[87]
# The variance is detached, so the gradient of x misses the road through it.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.detach().var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Gamma without gradient exercise="batchnorm"
# γ is detached on its way into the result: it gets no gradient.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight.detach() / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Gradient of x without gamma exercise="batchnorm" covers=[88]
# Your γ does not act on the gradient of x: multiply by it after x̂ has been made with its graph.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        x_hat = (x - mean[:, None, None]) / torch.sqrt(var + self.eps)[:, None, None]
        y = self.weight[:, None, None] * x_hat.detach() + self.bias[:, None, None]
        return y + x_hat - x_hat.detach()


# %% Buffers as parameters exercise="batchnorm" covers=[89]
# The running statistics are parameters: an optimizer would move them. Register them as buffers.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.running_mean = nn.Parameter(torch.zeros(channels))  # (C,)
        self.running_var = nn.Parameter(torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Buffers as plain attributes exercise="batchnorm"
# Plain tensor attributes are not in state_dict(): a saved network would forget its statistics.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.running_mean = torch.zeros(channels)  # (C,)
        self.running_var = torch.ones(channels)  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Running mean with a graph exercise="batchnorm"
# The running mean remembers how the batch's mean was made; each batch would lengthen the graph.
# Update under no_grad().
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                pass
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean
            with torch.no_grad():
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% num_batches_tracked missing exercise="batchnorm"
# PyTorch's layer also counts its batches, in the buffer num_batches_tracked.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% num_batches_tracked never counts exercise="batchnorm"
# num_batches_tracked stays 0: add one for each batch in training.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% Weight born as zeros exercise="batchnorm"
# γ is born as ones: with zeros the layer outputs nothing but β.
class BatchNorm2d(nn.Module):
    """Batch normalisation of x (N, C, H, W), as PyTorch's."""

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.zeros(channels))  # (C,)
        self.bias = nn.Parameter(torch.zeros(channels))  # (C,)
        self.register_buffer("running_mean", torch.zeros(channels))  # (C,)
        self.register_buffer("running_var", torch.ones(channels))  # (C,)
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = x.mean(dim=(0, 2, 3))  # (C,)
            var = x.var(dim=(0, 2, 3), correction=0)  # (C,)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
                self.num_batches_tracked += 1
        scale = self.weight / torch.sqrt(var + self.eps)  # (C,)
        return (x - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]


# %% PyTorch's own layer, renamed exercise="batchnorm"
# This is PyTorch's BatchNorm under another name. Write it yourself, on nn.Module.
class BatchNorm2d(nn.BatchNorm2d):
    pass


# %% BatchNorm with keepdim exercise="batchnorm" right=true
class BatchNorm2d(nn.Module):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.tensor(0, dtype=torch.long))
        self.e, self.m = eps, momentum

    def forward(self, x):
        N, C, H, W = x.shape
        shape = (1, C, 1, 1)
        if self.training:
            mean = x.sum(dim=(0, 2, 3), keepdim=True) / (N * H * W)
            var = ((x - mean) ** 2).mean(dim=(0, 2, 3), keepdim=True)
            unbiased = var.detach().flatten() * (N * H * W) / (N * H * W - 1)
            self.running_mean = (1 - self.m) * self.running_mean + self.m * mean.detach().flatten()
            self.running_var = (1 - self.m) * self.running_var + self.m * unbiased
            self.num_batches_tracked = self.num_batches_tracked + 1
        else:
            mean, var = self.running_mean.view(shape), self.running_var.view(shape)
        x_hat = (x - mean) * (var + self.e).rsqrt()
        return self.weight.view(shape) * x_hat + self.bias.view(shape)


# %% BatchNorm on flattened channels exercise="batchnorm" right=true
class BatchNorm2d(nn.Module):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.zeros((), dtype=torch.int64))

    def forward(self, x):
        flat = x.permute(1, 0, 2, 3).reshape(x.shape[1], -1)
        if self.training:
            mean, var = flat.mean(1), flat.var(1, unbiased=False)
            with torch.no_grad():
                self.running_mean += self.momentum * (mean - self.running_mean)
                self.running_var += self.momentum * (flat.var(1) - self.running_var)
                self.num_batches_tracked.add_(1)
        else:
            mean, var = self.running_mean, self.running_var
        std = (var + self.eps) ** 0.5
        out = (flat - mean[:, None]) / std[:, None] * self.weight[:, None] + self.bias[:, None]
        return out.reshape(x.shape[1], x.shape[0], *x.shape[2:]).permute(1, 0, 2, 3)


# %% Bias kept before BatchNorm exercise="conv-block"
# BatchNorm removes whatever constant the bias adds: leave it out there.
def conv_block(c_in, c_out, batchnorm):
    """nn.Sequential: conv 3 × 3 with padding 1, BatchNorm if batchnorm, ReLU; keeps (H, W)."""
    layers = [nn.Conv2d(c_in, c_out, 3, padding=1)]
    if batchnorm:
        layers.append(nn.BatchNorm2d(c_out))
    return nn.Sequential(*layers, nn.ReLU())


# %% Bias never there exercise="conv-block"
# Without BatchNorm the convolution needs its bias.
def conv_block(c_in, c_out, batchnorm):
    """nn.Sequential: conv 3 × 3 with padding 1, BatchNorm if batchnorm, ReLU; keeps (H, W)."""
    layers = [nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)]
    if batchnorm:
        layers.append(nn.BatchNorm2d(c_out))
    return nn.Sequential(*layers, nn.ReLU())


# %% Bias exactly the wrong way exercise="conv-block"
# The bias is there with BatchNorm and missing without: the other way round.
def conv_block(c_in, c_out, batchnorm):
    """nn.Sequential: conv 3 × 3 with padding 1, BatchNorm if batchnorm, ReLU; keeps (H, W)."""
    layers = [nn.Conv2d(c_in, c_out, 3, padding=1, bias=batchnorm)]
    if batchnorm:
        layers.append(nn.BatchNorm2d(c_out))
    return nn.Sequential(*layers, nn.ReLU())


# %% BatchNorm behind ReLU exercise="conv-block" covers=[97]
# BatchNorm stands between the convolution and the ReLU.
def conv_block(c_in, c_out, batchnorm):
    """nn.Sequential: conv 3 × 3 with padding 1, BatchNorm if batchnorm, ReLU; keeps (H, W)."""
    layers = [nn.Conv2d(c_in, c_out, 3, padding=1, bias=not batchnorm)]
    if batchnorm:
        layers.append(nn.BatchNorm2d(c_out))
    layers.insert(1, nn.ReLU())
    return nn.Sequential(*layers)


# %% ReLU forgotten exercise="conv-block" covers=[99]
# The block ends with ReLU.
def conv_block(c_in, c_out, batchnorm):
    """nn.Sequential: conv 3 × 3 with padding 1, BatchNorm if batchnorm, ReLU; keeps (H, W)."""
    layers = [nn.Conv2d(c_in, c_out, 3, padding=1, bias=not batchnorm)]
    if batchnorm:
        layers.append(nn.BatchNorm2d(c_out))
    return nn.Sequential(*layers)


# %% BatchNorm always exercise="conv-block"
# BatchNorm is there even when it was not asked for.
def conv_block(c_in, c_out, batchnorm):
    """nn.Sequential: conv 3 × 3 with padding 1, BatchNorm if batchnorm, ReLU; keeps (H, W)."""
    layers = [nn.Conv2d(c_in, c_out, 3, padding=1, bias=not batchnorm)]
    layers.append(nn.BatchNorm2d(c_out))
    return nn.Sequential(*layers, nn.ReLU())


# %% No padding in the block exercise="conv-block"
# Without padding 1 the maps shrink by two.
def conv_block(c_in, c_out, batchnorm):
    """nn.Sequential: conv 3 × 3 with padding 1, BatchNorm if batchnorm, ReLU; keeps (H, W)."""
    layers = [nn.Conv2d(c_in, c_out, 3, bias=not batchnorm)]
    if batchnorm:
        layers.append(nn.BatchNorm2d(c_out))
    return nn.Sequential(*layers, nn.ReLU())


# %% Channels swapped exercise="conv-block" covers=[5]
# Input and output channels are swapped.
def conv_block(c_in, c_out, batchnorm):
    """nn.Sequential: conv 3 × 3 with padding 1, BatchNorm if batchnorm, ReLU; keeps (H, W)."""
    layers = [nn.Conv2d(c_out, c_in, 3, padding=1, bias=not batchnorm)]
    if batchnorm:
        layers.append(nn.BatchNorm2d(c_out))
    return nn.Sequential(*layers, nn.ReLU())


# %% Block with the student's own layer exercise="conv-block" right=true
def conv_block(c_in, c_out, batchnorm):
    if batchnorm:
        return nn.Sequential(
            nn.Conv2d(c_in, c_out, kernel_size=3, stride=1, padding="same", bias=False),
            BatchNorm2d(c_out),
            nn.ReLU(inplace=True),
        )
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, 1, 1), nn.ReLU(inplace=True))


# %% Factor of BN-Baseline exercise="q-speedup"
# That is BN-Baseline, 13.3 million steps. BN-x5 needs 2.1 million.
q_speedup = 31.0 / 13.3


# %% Compared with BN-Baseline exercise="q-speedup"
# Compare with Inception without BatchNorm, 31.0 million steps.
q_speedup = 13.3 / 2.1


# %% The learning rate's factor exercise="q-speedup"
# Five is the factor of the learning rate. The steps go from 31.0 to 2.1 million.
q_speedup = 5


# %% The learning rate alone exercise="q-credit"
# Six other things were changed with it; the factor belongs to all of them together.
q_credit = "a"


# %% GoogLeNet had BatchNorm exercise="q-credit"
# GoogLeNet is from 2014 and has none; BatchNorm is from 2015 and was added to it.
q_credit = "b"


# %% Covariate shift proven exercise="q-credit"
# Santurkar et al. made the distributions shift on purpose, and BatchNorm worked as well.
q_credit = "d"


# %% [markdown]
# ## Dropout and weight decay


# %% Only inputs counted exercise="q-on-on"
# Weights from 400 inputs to dropped outputs learn nothing either: 400 · 250.
q_on_on = 200_000


# %% All weights learn exercise="q-on-on"
# A weight learns from this image only if both of its ends are on.
q_on_on = 400_000


# %% Ends added instead of multiplied exercise="q-on-on"
# Each of 400 inputs is connected to each of 250 outputs: multiply.
q_on_on = 650


# %% Drop for keep exercise="q-test-rule" covers=[91]
# 0.2 is the share that is dropped. In training a unit gets the share that is kept.
q_test_rule = 0.2


# %% The inverted factor exercise="q-test-rule" covers=[93]
# 1.25 is what inverted dropout multiplies by in training. Classic dropout shrinks the weights in
# the test.
q_test_rule = 1.25


# %% Always one half exercise="q-test-rule"
# One half belongs to p = 0.5.
q_test_rule = 0.5


# %% Not scaled exercise="dropout" covers=[90]
# What is kept has to be divided by 1 − p, or the next layer gets less than in the test.
def dropout_forward(x, p, training):
    """Inverted dropout with drop probability p; returns y and the mask, both of x's shape."""
    if not training:
        return x, torch.ones_like(x)
    mask = (torch.rand_like(x) >= p).to(x.dtype)
    return x * mask, mask


def dropout_backward(dy, mask):
    """Gradient for x from dy and the mask of the forward pass, all of one shape."""
    return dy * mask


# %% Keep and drop swapped exercise="dropout" covers=[91]
# p is the probability to drop; you keep with probability p.
def dropout_forward(x, p, training):
    """Inverted dropout with drop probability p; returns y and the mask, both of x's shape."""
    if not training:
        return x, torch.ones_like(x)
    mask = (torch.rand_like(x) < p).to(x.dtype) / (1 - p)
    return x * mask, mask


def dropout_backward(dy, mask):
    """Gradient for x from dy and the mask of the forward pass, all of one shape."""
    return dy * mask


# %% Keep and drop swapped, scale too exercise="dropout" covers=[91]
# p is the probability to drop, not to keep.
def dropout_forward(x, p, training):
    """Inverted dropout with drop probability p; returns y and the mask, both of x's shape."""
    if not training:
        return x, torch.ones_like(x)
    mask = (torch.rand_like(x) < p).to(x.dtype) / max(p, 1e-9)
    return x * mask, mask


def dropout_backward(dy, mask):
    """Gradient for x from dy and the mask of the forward pass, all of one shape."""
    return dy * mask


# %% Divided by p exercise="dropout"
# The share that is kept is 1 − p: divide by that.
def dropout_forward(x, p, training):
    """Inverted dropout with drop probability p; returns y and the mask, both of x's shape."""
    if not training:
        return x, torch.ones_like(x)
    mask = (torch.rand_like(x) >= p).to(x.dtype) / max(p, 1e-9)
    return x * mask, mask


def dropout_backward(dy, mask):
    """Gradient for x from dy and the mask of the forward pass, all of one shape."""
    return dy * mask


# %% Active in the test exercise="dropout" covers=[92]
# In evaluation nothing is dropped.
def dropout_forward(x, p, training):
    """Inverted dropout with drop probability p; returns y and the mask, both of x's shape."""
    mask = (torch.rand_like(x) >= p).to(x.dtype) / (1 - p)
    return x * mask, mask


def dropout_backward(dy, mask):
    """Gradient for x from dy and the mask of the forward pass, all of one shape."""
    return dy * mask


# %% Scaled again in the test exercise="dropout" covers=[93]
# Inverted dropout scales in training, and nothing in the test. Yours scales in both.
def dropout_forward(x, p, training):
    """Inverted dropout with drop probability p; returns y and the mask, both of x's shape."""
    if not training:
        return x * (1 - p), torch.ones_like(x) * (1 - p)
    mask = (torch.rand_like(x) >= p).to(x.dtype) / (1 - p)
    return x * mask, mask


def dropout_backward(dy, mask):
    """Gradient for x from dy and the mask of the forward pass, all of one shape."""
    return dy * mask


# %% One mask for the whole batch exercise="dropout" covers=[94]
# All samples share one mask: draw for each sample.
def dropout_forward(x, p, training):
    """Inverted dropout with drop probability p; returns y and the mask, both of x's shape."""
    if not training:
        return x, torch.ones_like(x)
    mask = (torch.rand_like(x[:1]).expand_as(x) >= p).to(x.dtype) / (1 - p)
    return x * mask, mask


def dropout_backward(dy, mask):
    """Gradient for x from dy and the mask of the forward pass, all of one shape."""
    return dy * mask


# %% Whole maps dropped exercise="dropout"
# You drop whole channels, one draw a map (Dropout2d). Each entry has a draw of its own.
def dropout_forward(x, p, training):
    """Inverted dropout with drop probability p; returns y and the mask, both of x's shape."""
    if not training:
        return x, torch.ones_like(x)
    mask = (torch.rand(x.shape[:2] + (1,) * (x.ndim - 2)).expand_as(x) >= p if x.ndim > 2 else torch.rand_like(x) >= p).to(x.dtype) / (1 - p)
    return x * mask, mask


def dropout_backward(dy, mask):
    """Gradient for x from dy and the mask of the forward pass, all of one shape."""
    return dy * mask


# %% Whole samples dropped exercise="dropout"
# A whole sample is dropped or kept; each entry has a draw of its own.
def dropout_forward(x, p, training):
    """Inverted dropout with drop probability p; returns y and the mask, both of x's shape."""
    if not training:
        return x, torch.ones_like(x)
    mask = (torch.rand(x.shape[:1] + (1,) * (x.ndim - 1)).expand_as(x) >= p).to(x.dtype) / (1 - p)
    return x * mask, mask


def dropout_backward(dy, mask):
    """Gradient for x from dy and the mask of the forward pass, all of one shape."""
    return dy * mask


# %% The same mask at every call exercise="dropout"
# Your mask is the same at every call: the seed is set inside the function.
def dropout_forward(x, p, training):
    """Inverted dropout with drop probability p; returns y and the mask, both of x's shape."""
    if not training:
        return x, torch.ones_like(x)
    torch.manual_seed(0)
    mask = (torch.rand_like(x) >= p).to(x.dtype) / (1 - p)
    return x * mask, mask


def dropout_backward(dy, mask):
    """Gradient for x from dy and the mask of the forward pass, all of one shape."""
    return dy * mask


# %% Exactly a share dropped at fixed places exercise="dropout"
# The first entries are dropped instead of random ones.
def dropout_forward(x, p, training):
    """Inverted dropout with drop probability p; returns y and the mask, both of x's shape."""
    if not training:
        return x, torch.ones_like(x)
    mask = (torch.linspace(0, 1, x.numel()).reshape(x.shape) >= p).to(x.dtype) / (1 - p)
    return x * mask, mask


def dropout_backward(dy, mask):
    """Gradient for x from dy and the mask of the forward pass, all of one shape."""
    return dy * mask


# %% A new mask backward exercise="dropout" covers=[95]
# Backward draws a new mask. The gradient goes where the signal went, through the same mask.
def dropout_forward(x, p, training):
    """Inverted dropout with drop probability p; returns y and the mask, both of x's shape."""
    if not training:
        return x, torch.ones_like(x)
    mask = (torch.rand_like(x) >= p).to(x.dtype) / (1 - p)
    return x * mask, mask


def dropout_backward(dy, mask):
    """Gradient for x from dy and the mask of the forward pass, all of one shape."""
    p = float((mask == 0).float().mean())
    return dy * (torch.rand_like(dy) >= p) / (1 - p)


# %% Backward without a mask exercise="dropout" covers=[54]
# The gradient passes through dropped units too.
def dropout_forward(x, p, training):
    """Inverted dropout with drop probability p; returns y and the mask, both of x's shape."""
    if not training:
        return x, torch.ones_like(x)
    mask = (torch.rand_like(x) >= p).to(x.dtype) / (1 - p)
    return x * mask, mask


def dropout_backward(dy, mask):
    """Gradient for x from dy and the mask of the forward pass, all of one shape."""
    return dy


# %% Backward without the scale exercise="dropout"
# The kept entries were scaled up; so is their gradient.
def dropout_forward(x, p, training):
    """Inverted dropout with drop probability p; returns y and the mask, both of x's shape."""
    if not training:
        return x, torch.ones_like(x)
    mask = (torch.rand_like(x) >= p).to(x.dtype) / (1 - p)
    return x * mask, mask


def dropout_backward(dy, mask):
    """Gradient for x from dy and the mask of the forward pass, all of one shape."""
    return dy * (mask > 0)


# %% Dropped in place exercise="dropout" covers=[24]
# x itself is overwritten. Work on a new tensor.
def dropout_forward(x, p, training):
    """Inverted dropout with drop probability p; returns y and the mask, both of x's shape."""
    if not training:
        return x, torch.ones_like(x)
    mask = (torch.rand_like(x) >= p).to(x.dtype) / (1 - p)
    x *= mask
    return x, mask


def dropout_backward(dy, mask):
    """Gradient for x from dy and the mask of the forward pass, all of one shape."""
    return dy * mask


# %% Mask of booleans exercise="dropout"
# The mask should hold 0 and 1/(1 − p), so that backward needs nothing else.
def dropout_forward(x, p, training):
    """Inverted dropout with drop probability p; returns y and the mask, both of x's shape."""
    if not training:
        return x, torch.ones_like(x)
    mask = (torch.rand_like(x) >= p).to(x.dtype) / (1 - p)
    return x * mask, (mask > 0).float()


def dropout_backward(dy, mask):
    """Gradient for x from dy and the mask of the forward pass, all of one shape."""
    return dy * mask


# %% Dropout by bernoulli exercise="dropout" right=true
def dropout_forward(x, p, training):
    keep = 1 - p if training else 1.0
    mask = torch.bernoulli(torch.full(x.shape, keep)) / keep
    return x * mask, mask


def dropout_backward(dy, mask):
    return torch.where(mask > 0, dy * mask, 0.0)


# %% Dropout by NumPy's random numbers exercise="dropout" right=true
def dropout_forward(x, p, training):
    if training:
        mask = torch.from_numpy((np.random.rand(*x.shape) > p) / (1 - p)).float()
    else:
        mask = torch.ones(x.shape)
    return mask * x, mask


def dropout_backward(dy, mask):
    return mask * dy


# %% λ itself exercise="q-decay"
# The gradient of λ‖w‖² is 2λw.
q_decay = 0.00025


# %% Half of λ exercise="q-decay"
# The two comes from the derivative of the square: multiply.
q_decay = 0.000125


# %% AlexNet's value taken for λ's exercise="q-decay" covers=[66]
# Twice λ: 0.0005.
q_decay = 0.001


# %% [markdown]
# ## Looking inside


# %% Not copied exercise="record" covers=[117]
# You keep the layer's own tensor, and the in-place ReLU behind it overwrites what you hold: clone
# it.
def record(model, x, names):
    """Outputs of the named layers of model on x, as a dict of detached copies."""
    kept, handles = {}, []
    for name in names:

        def keep(layer, inputs, output, name=name):
            kept[name] = output.detach()

        handles.append(model.get_submodule(name).register_forward_hook(keep))
    mode = model.training
    model.eval()
    with torch.no_grad():
        model(x)
    model.train(mode)
    for handle in handles:
        handle.remove()
    return kept


# %% Not detached exercise="record" covers=[117]
# What you keep still has its graph: record without gradients and detach.
def record(model, x, names):
    """Outputs of the named layers of model on x, as a dict of detached copies."""
    kept, handles = {}, []
    for name in names:

        def keep(layer, inputs, output, name=name):
            kept[name] = output.clone()

        handles.append(model.get_submodule(name).register_forward_hook(keep))
    mode = model.training
    model.eval()
    model(x)
    model.train(mode)
    for handle in handles:
        handle.remove()
    return kept


# %% Recorded in training mode exercise="record" covers=[118]
# Without eval() dropout and the batch's statistics get into your pictures, and the running
# statistics move.
def record(model, x, names):
    """Outputs of the named layers of model on x, as a dict of detached copies."""
    kept, handles = {}, []
    for name in names:

        def keep(layer, inputs, output, name=name):
            kept[name] = output.detach().clone()

        handles.append(model.get_submodule(name).register_forward_hook(keep))
    mode = model.training
    with torch.no_grad():
        model(x)
    model.train(mode)
    for handle in handles:
        handle.remove()
    return kept


# %% Left in evaluation mode exercise="record"
# The model stays in evaluation mode after you have looked.
def record(model, x, names):
    """Outputs of the named layers of model on x, as a dict of detached copies."""
    kept, handles = {}, []
    for name in names:

        def keep(layer, inputs, output, name=name):
            kept[name] = output.detach().clone()

        handles.append(model.get_submodule(name).register_forward_hook(keep))
    mode = model.training
    model.eval()
    with torch.no_grad():
        model(x)
    for handle in handles:
        handle.remove()
    return kept


# %% Hooks left behind exercise="record"
# Your hooks stay in the model and go on recording: remove them.
def record(model, x, names):
    """Outputs of the named layers of model on x, as a dict of detached copies."""
    kept, handles = {}, []
    for name in names:

        def keep(layer, inputs, output, name=name):
            kept[name] = output.detach().clone()

        handles.append(model.get_submodule(name).register_forward_hook(keep))
    mode = model.training
    model.eval()
    with torch.no_grad():
        model(x)
    model.train(mode)
    for handle in handles:
        pass
    return kept


# %% The name of the last layer exercise="record"
# All your hooks share one variable `name`, which is the last one when they run: bind it per hook.
def record(model, x, names):
    """Outputs of the named layers of model on x, as a dict of detached copies."""
    kept, handles = {}, []
    for name in names:

        def keep(layer, inputs, output):
            kept[name] = output.detach().clone()

        handles.append(model.get_submodule(name).register_forward_hook(keep))
    mode = model.training
    model.eval()
    with torch.no_grad():
        model(x)
    model.train(mode)
    for handle in handles:
        handle.remove()
    return kept


# %% The layer's input exercise="record"
# A forward hook gets the inputs and the output; the output is asked.
def record(model, x, names):
    """Outputs of the named layers of model on x, as a dict of detached copies."""
    kept, handles = {}, []
    for name in names:

        def keep(layer, inputs, output, name=name):
            kept[name] = inputs[0].detach().clone()

        handles.append(model.get_submodule(name).register_forward_hook(keep))
    mode = model.training
    model.eval()
    with torch.no_grad():
        model(x)
    model.train(mode)
    for handle in handles:
        handle.remove()
    return kept


# %% All layers exercise="record"
# Only the named layers are asked.
def record(model, x, names):
    """Outputs of the named layers of model on x, as a dict of detached copies."""
    kept, handles = {}, []
    for name in [n for n, _ in model.named_modules() if n]:

        def keep(layer, inputs, output, name=name):
            kept[name] = output.detach().clone()

        handles.append(model.get_submodule(name).register_forward_hook(keep))
    mode = model.training
    model.eval()
    with torch.no_grad():
        model(x)
    model.train(mode)
    for handle in handles:
        handle.remove()
    return kept


# %% Run twice exercise="record"
# The model runs twice; once is enough, and twice moves more than it should.
def record(model, x, names):
    """Outputs of the named layers of model on x, as a dict of detached copies."""
    kept, handles = {}, []
    for name in names:

        def keep(layer, inputs, output, name=name):
            kept[name] = output.detach().clone()

        handles.append(model.get_submodule(name).register_forward_hook(keep))
    mode = model.training
    model.eval()
    with torch.no_grad():
        model(x)
        model(x)
    model.train(mode)
    for handle in handles:
        handle.remove()
    return kept


# %% Recorded layer by layer exercise="record" right=true
def record(model, x, names):
    was_training = model.training
    model.eval()
    outputs = {}
    hooks = [
        model.get_submodule(name).register_forward_hook(
            lambda layer, inputs, output, name=name: outputs.__setitem__(name, output.detach().clone())
        )
        for name in names
    ]
    try:
        with torch.no_grad():
            model(x)
    finally:
        [hook.remove() for hook in hooks]
        if was_training:
            model.train()
    return outputs


# %% One scale for all maps exercise="own-scale" covers=[119]
# All maps are drawn on one scale: weak ones come out flat. Take each map's own minimum and
# maximum.
def own_scale(maps):
    """Bring each of the maps (C, H, W) to [0, 1] by its own minimum and maximum; (C, H, W)."""
    low, high = maps.amin().expand(len(maps), 1, 1), maps.amax().expand(len(maps), 1, 1)  # (C, 1, 1)
    return (maps - low) / torch.where(high > low, high - low, 1)


# %% Minimum not taken off exercise="own-scale"
# Subtract the minimum first: maps have negative values before the ReLU.
def own_scale(maps):
    """Bring each of the maps (C, H, W) to [0, 1] by its own minimum and maximum; (C, H, W)."""
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)  # (C, 1, 1)
    return maps / torch.where(high > low, high - low, 1)


# %% Divided by the maximum exercise="own-scale"
# Divide by the range, maximum minus minimum.
def own_scale(maps):
    """Bring each of the maps (C, H, W) to [0, 1] by its own minimum and maximum; (C, H, W)."""
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)  # (C, 1, 1)
    return (maps - low) / torch.where(high > low, high, 1)


# %% Constant maps become nan exercise="own-scale"
# A constant map has no range: 0 / 0. It should become zeros.
def own_scale(maps):
    """Bring each of the maps (C, H, W) to [0, 1] by its own minimum and maximum; (C, H, W)."""
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)  # (C, 1, 1)
    return (maps - low) / (high - low)


# %% Each row on its own scale exercise="own-scale"
# You scale rows, not maps.
def own_scale(maps):
    """Bring each of the maps (C, H, W) to [0, 1] by its own minimum and maximum; (C, H, W)."""
    low, high = maps.amin(dim=2, keepdim=True), maps.amax(dim=2, keepdim=True)  # (C, 1, 1)
    return (maps - low) / torch.where(high > low, high - low, 1)


# %% Maps overwritten exercise="own-scale" covers=[24]
# The maps you were given are changed.
def own_scale(maps):
    """Bring each of the maps (C, H, W) to [0, 1] by its own minimum and maximum; (C, H, W)."""
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)  # (C, 1, 1)
    maps -= low.clone()
    high, low = high - low, low * 0
    return (maps - low) / torch.where(high > low, high - low, 1)


# %% Scaled in a loop exercise="own-scale" right=true
def own_scale(maps):
    out = torch.zeros_like(maps)
    for number, one in enumerate(maps):
        span = one.max() - one.min()
        if span > 0:
            out[number] = (one - one.min()) / span
    return out


# %% Weakest first exercise="top-patches"
# Yours are the images that excite the unit least.
def top_patches(images, maps, channel, k, size, jump, start):
    """The patches that excite a channel most, one an image, strongest first.

    images (N, C, H, W), maps (N, F, OH, OW); the unit (i, j) sees size × size pixels from
    (i · jump + start, j · jump + start). Returns image numbers (k,), patches (k, C, size, size).
    """
    flat = maps[:, channel].flatten(1)  # (N, OH * OW)
    strength, place = flat.max(dim=1)  # (N,), (N,)
    chosen = strength.argsort(descending=False)[:k]  # (k,)
    padded = F.pad(images, (size,) * 4)
    patches = []
    for number in chosen:
        i, j = divmod(int(place[number]), maps.shape[3])
        top, left = i * jump + start + size, j * jump + start + size
        patches.append(padded[number, :, top : top + size, left : left + size])
    return chosen, torch.stack(patches)


# %% Ranked by the mean exercise="top-patches"
# The rank is by the largest activation, not by the map's mean.
def top_patches(images, maps, channel, k, size, jump, start):
    """The patches that excite a channel most, one an image, strongest first.

    images (N, C, H, W), maps (N, F, OH, OW); the unit (i, j) sees size × size pixels from
    (i · jump + start, j · jump + start). Returns image numbers (k,), patches (k, C, size, size).
    """
    flat = maps[:, channel].flatten(1)  # (N, OH * OW)
    strength, place = flat.max(dim=1)  # (N,), (N,)
    strength = flat.mean(dim=1)
    chosen = strength.argsort(descending=True)[:k]  # (k,)
    padded = F.pad(images, (size,) * 4)
    patches = []
    for number in chosen:
        i, j = divmod(int(place[number]), maps.shape[3])
        top, left = i * jump + start + size, j * jump + start + size
        patches.append(padded[number, :, top : top + size, left : left + size])
    return chosen, torch.stack(patches)


# %% Several patches of one image exercise="top-patches"
# One patch an image: first each image's maximum, then the images' order.
def top_patches(images, maps, channel, k, size, jump, start):
    """The patches that excite a channel most, one an image, strongest first.

    images (N, C, H, W), maps (N, F, OH, OW); the unit (i, j) sees size × size pixels from
    (i · jump + start, j · jump + start). Returns image numbers (k,), patches (k, C, size, size).
    """
    flat = maps[:, channel].flatten(1)  # (N, OH * OW)
    best = flat.flatten().argsort(descending=True)[:k]
    chosen, place = best // flat.shape[1], torch.zeros(len(maps), dtype=torch.long)
    place[chosen] = best % flat.shape[1]
    padded = F.pad(images, (size,) * 4)
    patches = []
    for number in chosen:
        i, j = divmod(int(place[number]), maps.shape[3])
        top, left = i * jump + start + size, j * jump + start + size
        patches.append(padded[number, :, top : top + size, left : left + size])
    return chosen, torch.stack(patches)


# %% Rows from the map's height exercise="top-patches" covers=[17]
# A flat place is row · width + column: divide by the map's width, shape[3].
def top_patches(images, maps, channel, k, size, jump, start):
    """The patches that excite a channel most, one an image, strongest first.

    images (N, C, H, W), maps (N, F, OH, OW); the unit (i, j) sees size × size pixels from
    (i · jump + start, j · jump + start). Returns image numbers (k,), patches (k, C, size, size).
    """
    flat = maps[:, channel].flatten(1)  # (N, OH * OW)
    strength, place = flat.max(dim=1)  # (N,), (N,)
    chosen = strength.argsort(descending=True)[:k]  # (k,)
    padded = F.pad(images, (size,) * 4)
    patches = []
    for number in chosen:
        i, j = divmod(int(place[number]), maps.shape[2])
        top, left = i * jump + start + size, j * jump + start + size
        patches.append(padded[number, :, top : top + size, left : left + size])
    return chosen, torch.stack(patches)


# %% Rows and columns swapped exercise="top-patches" covers=[17]
# Row and column are exchanged.
def top_patches(images, maps, channel, k, size, jump, start):
    """The patches that excite a channel most, one an image, strongest first.

    images (N, C, H, W), maps (N, F, OH, OW); the unit (i, j) sees size × size pixels from
    (i · jump + start, j · jump + start). Returns image numbers (k,), patches (k, C, size, size).
    """
    flat = maps[:, channel].flatten(1)  # (N, OH * OW)
    strength, place = flat.max(dim=1)  # (N,), (N,)
    chosen = strength.argsort(descending=True)[:k]  # (k,)
    padded = F.pad(images, (size,) * 4)
    patches = []
    for number in chosen:
        j, i = divmod(int(place[number]), maps.shape[3])
        top, left = i * jump + start + size, j * jump + start + size
        patches.append(padded[number, :, top : top + size, left : left + size])
    return chosen, torch.stack(patches)


# %% Jump ignored exercise="top-patches" covers=[31]
# A step in the map is `jump` pixels in the image.
def top_patches(images, maps, channel, k, size, jump, start):
    """The patches that excite a channel most, one an image, strongest first.

    images (N, C, H, W), maps (N, F, OH, OW); the unit (i, j) sees size × size pixels from
    (i · jump + start, j · jump + start). Returns image numbers (k,), patches (k, C, size, size).
    """
    flat = maps[:, channel].flatten(1)  # (N, OH * OW)
    strength, place = flat.max(dim=1)  # (N,), (N,)
    chosen = strength.argsort(descending=True)[:k]  # (k,)
    padded = F.pad(images, (size,) * 4)
    patches = []
    for number in chosen:
        i, j = divmod(int(place[number]), maps.shape[3])
        top, left = i + start + size, j + start + size
        patches.append(padded[number, :, top : top + size, left : left + size])
    return chosen, torch.stack(patches)


# %% Start ignored exercise="top-patches"
# The window begins at i · jump + start.
def top_patches(images, maps, channel, k, size, jump, start):
    """The patches that excite a channel most, one an image, strongest first.

    images (N, C, H, W), maps (N, F, OH, OW); the unit (i, j) sees size × size pixels from
    (i · jump + start, j · jump + start). Returns image numbers (k,), patches (k, C, size, size).
    """
    flat = maps[:, channel].flatten(1)  # (N, OH * OW)
    strength, place = flat.max(dim=1)  # (N,), (N,)
    chosen = strength.argsort(descending=True)[:k]  # (k,)
    padded = F.pad(images, (size,) * 4)
    patches = []
    for number in chosen:
        i, j = divmod(int(place[number]), maps.shape[3])
        top, left = i * jump + size, j * jump + size
        patches.append(padded[number, :, top : top + size, left : left + size])
    return chosen, torch.stack(patches)


# %% Window centred at its corner exercise="top-patches"
# i · jump + start is the window's first row, not its middle.
def top_patches(images, maps, channel, k, size, jump, start):
    """The patches that excite a channel most, one an image, strongest first.

    images (N, C, H, W), maps (N, F, OH, OW); the unit (i, j) sees size × size pixels from
    (i · jump + start, j · jump + start). Returns image numbers (k,), patches (k, C, size, size).
    """
    flat = maps[:, channel].flatten(1)  # (N, OH * OW)
    strength, place = flat.max(dim=1)  # (N,), (N,)
    chosen = strength.argsort(descending=True)[:k]  # (k,)
    padded = F.pad(images, (size,) * 4)
    patches = []
    for number in chosen:
        i, j = divmod(int(place[number]), maps.shape[3])
        top, left = i * jump + start + size, j * jump + start + size - size // 2
        patches.append(padded[number, :, top : top + size, left : left + size])
    return chosen, torch.stack(patches)


# %% Edge pixels repeated exercise="top-patches" covers=[13]
# What lies outside the image is 0 here.
def top_patches(images, maps, channel, k, size, jump, start):
    """The patches that excite a channel most, one an image, strongest first.

    images (N, C, H, W), maps (N, F, OH, OW); the unit (i, j) sees size × size pixels from
    (i · jump + start, j · jump + start). Returns image numbers (k,), patches (k, C, size, size).
    """
    flat = maps[:, channel].flatten(1)  # (N, OH * OW)
    strength, place = flat.max(dim=1)  # (N,), (N,)
    chosen = strength.argsort(descending=True)[:k]  # (k,)
    padded = F.pad(images, (size,) * 4, mode="replicate")
    patches = []
    for number in chosen:
        i, j = divmod(int(place[number]), maps.shape[3])
        top, left = i * jump + start + size, j * jump + start + size
        patches.append(padded[number, :, top : top + size, left : left + size])
    return chosen, torch.stack(patches)


# %% Another channel exercise="top-patches" covers=[6]
# You look at channel 0, whatever was asked.
def top_patches(images, maps, channel, k, size, jump, start):
    """The patches that excite a channel most, one an image, strongest first.

    images (N, C, H, W), maps (N, F, OH, OW); the unit (i, j) sees size × size pixels from
    (i · jump + start, j · jump + start). Returns image numbers (k,), patches (k, C, size, size).
    """
    flat = maps[:, 0].flatten(1)  # (N, OH * OW)
    strength, place = flat.max(dim=1)  # (N,), (N,)
    chosen = strength.argsort(descending=True)[:k]  # (k,)
    padded = F.pad(images, (size,) * 4)
    patches = []
    for number in chosen:
        i, j = divmod(int(place[number]), maps.shape[3])
        top, left = i * jump + start + size, j * jump + start + size
        patches.append(padded[number, :, top : top + size, left : left + size])
    return chosen, torch.stack(patches)


# %% Patches moved inside exercise="top-patches"
# Windows at the border are pushed into the image; the unit sees zeros there.
def top_patches(images, maps, channel, k, size, jump, start):
    """The patches that excite a channel most, one an image, strongest first.

    images (N, C, H, W), maps (N, F, OH, OW); the unit (i, j) sees size × size pixels from
    (i · jump + start, j · jump + start). Returns image numbers (k,), patches (k, C, size, size).
    """
    flat = maps[:, channel].flatten(1)  # (N, OH * OW)
    strength, place = flat.max(dim=1)  # (N,), (N,)
    chosen = strength.argsort(descending=True)[:k]  # (k,)
    padded = images
    patches = []
    for number in chosen:
        i, j = divmod(int(place[number]), maps.shape[3])
        top, left = min(max(i * jump + start, 0), images.shape[2] - size), min(max(j * jump + start, 0), images.shape[3] - size)
        patches.append(padded[number, :, top : top + size, left : left + size])
    return chosen, torch.stack(patches)


# %% Grayscale patches exercise="top-patches" covers=[6]
# The patch keeps all channels of the image.
def top_patches(images, maps, channel, k, size, jump, start):
    """The patches that excite a channel most, one an image, strongest first.

    images (N, C, H, W), maps (N, F, OH, OW); the unit (i, j) sees size × size pixels from
    (i · jump + start, j · jump + start). Returns image numbers (k,), patches (k, C, size, size).
    """
    flat = maps[:, channel].flatten(1)  # (N, OH * OW)
    strength, place = flat.max(dim=1)  # (N,), (N,)
    chosen = strength.argsort(descending=True)[:k]  # (k,)
    padded = F.pad(images, (size,) * 4)
    patches = []
    for number in chosen:
        i, j = divmod(int(place[number]), maps.shape[3])
        top, left = i * jump + start + size, j * jump + start + size
        patches.append(padded[number, :1, top : top + size, left : left + size])
    return chosen, torch.stack(patches)


# %% Patches by topk exercise="top-patches" right=true
def top_patches(images, maps, channel, k, size, jump, start):
    N, C, H, W = images.shape
    peaks = maps[:, channel].amax(dim=(1, 2))
    numbers = torch.topk(peaks, k).indices.tolist()
    patches = torch.zeros(k, C, size, size, dtype=images.dtype)
    for slot, n in enumerate(numbers):
        i, j = np.argwhere(maps[n, channel].numpy() == peaks[n].item())[0]
        top, left = int(i) * jump + start, int(j) * jump + start
        r0, r1 = max(top, 0), min(top + size, H)
        c0, c1 = max(left, 0), min(left + size, W)
        if r0 < r1 and c0 < c1:
            patches[slot, :, r0 - top : r1 - top, c0 - left : c1 - left] = images[n, :, r0:r1, c0:c1]
    return numbers, patches


# %% Switches ignored, top left exercise="unpool" covers=[120]
# All values land in the corner of their window. The switches say where the maximum stood.
def unpool(y, switches, shape):
    N, C, h, w = y.shape
    out = torch.zeros(N, C, *shape)
    step_r, step_c = shape[0] // h, shape[1] // w
    out[:, :, : h * step_r : step_r, : w * step_c : step_c] = y
    return out


# %% Switches ignored, spread out exercise="unpool" covers=[120]
# The value is repeated all over its window (upsampling). It belongs to one place only.
def unpool(y, switches, shape):
    return F.interpolate(y, size=tuple(shape), mode="nearest")


# %% Size doubled exercise="unpool" covers=[14]
# You assume windows of 2 and no remainder: use `shape`.
def unpool(y, switches, shape):
    """Put y (N, C, h, w) back at the places switches (N, C, h, w) of maps with shape (H, W)."""
    N, C = y.shape[:2]
    maps = torch.zeros(N, C, 4 * y.shape[2] * y.shape[3], dtype=y.dtype)
    maps.scatter_(2, switches.flatten(2), y.flatten(2))
    return maps.reshape(N, C, 2 * y.shape[2], 2 * y.shape[3])


# %% Transposed places exercise="unpool" covers=[17]
# A switch is row · W + column, with the width of the map: yours counts columns first.
def unpool(y, switches, shape):
    """Put y (N, C, h, w) back at the places switches (N, C, h, w) of maps with shape (H, W)."""
    N, C = y.shape[:2]
    maps = torch.zeros(N, C, shape[0] * shape[1], dtype=y.dtype)
    maps.scatter_(2, switches.flatten(2), y.flatten(2))
    return maps.reshape(N, C, shape[1], shape[0]).transpose(2, 3).contiguous()


# %% All channels at the first one's places exercise="unpool" covers=[6]
# Each map has its own switches.
def unpool(y, switches, shape):
    """Put y (N, C, h, w) back at the places switches (N, C, h, w) of maps with shape (H, W)."""
    N, C = y.shape[:2]
    maps = torch.zeros(N, C, shape[0] * shape[1], dtype=y.dtype)
    maps.scatter_(2, switches[:, :1].expand_as(switches).flatten(2), y.flatten(2))
    return maps.reshape(N, C, *shape)


# %% All samples at the first one's places exercise="unpool" covers=[42]
# Each sample has its own switches.
def unpool(y, switches, shape):
    """Put y (N, C, h, w) back at the places switches (N, C, h, w) of maps with shape (H, W)."""
    N, C = y.shape[:2]
    maps = torch.zeros(N, C, shape[0] * shape[1], dtype=y.dtype)
    maps.scatter_(2, switches[:1].expand_as(switches).flatten(2), y.flatten(2))
    return maps.reshape(N, C, *shape)


# %% Unpooling by PyTorch exercise="unpool" right=true
def unpool(y, switches, shape):
    window = (shape[0] // y.shape[2], shape[1] // y.shape[3])
    return F.max_unpool2d(y, switches, window, output_size=tuple(shape))


# %% Unpooling by loops exercise="unpool" right=true
def unpool(y, switches, shape):
    out = torch.zeros(*y.shape[:2], *shape)
    for n, c, i, j in np.ndindex(*y.shape):
        row, column = divmod(int(switches[n, c, i, j]), shape[1])
        out[n, c, row, column] = y[n, c, i, j]
    return out


# %% Filters not transposed exercise="deconvnet" covers=[121]
# You convolve forward with the filters turned over to the other channels. The way back is the
# transposed convolution, which stamps each filter.
def deconvnet(top, w2, switches, shape, w1):
    """Project activations top (N, C2, h, w) down to the pixels (N, C0, H, W) through two layers.

    w2 (C2, C1, KH, KW), switches of the pooling between, shape (H1, W1) of the maps before it,
    w1 (C1, C0, KH, KW).
    """
    down = F.conv2d(F.relu(top), w2.transpose(0, 1), padding=(w2.shape[2] - 1, w2.shape[3] - 1))  # as the pooled maps
    down = F.relu(unpool(down, switches, shape))  # (N, C1, H1, W1)
    return F.conv2d(down, w1.transpose(0, 1), padding=(w1.shape[2] - 1, w1.shape[3] - 1))  # (N, C0, H, W)


# %% First layer not transposed exercise="deconvnet" covers=[121]
# The last step convolves instead of transposing: the filter comes out upside down.
def deconvnet(top, w2, switches, shape, w1):
    """Project activations top (N, C2, h, w) down to the pixels (N, C0, H, W) through two layers.

    w2 (C2, C1, KH, KW), switches of the pooling between, shape (H1, W1) of the maps before it,
    w1 (C1, C0, KH, KW).
    """
    down = F.conv_transpose2d(F.relu(top), w2)  # as the pooled maps
    down = F.relu(unpool(down, switches, shape))  # (N, C1, H1, W1)
    return F.conv_transpose2d(down, w1.flip(2, 3))  # (N, C0, H, W)


# %% No ReLU at the top exercise="deconvnet"
# What comes down goes through a ReLU first.
def deconvnet(top, w2, switches, shape, w1):
    """Project activations top (N, C2, h, w) down to the pixels (N, C0, H, W) through two layers.

    w2 (C2, C1, KH, KW), switches of the pooling between, shape (H1, W1) of the maps before it,
    w1 (C1, C0, KH, KW).
    """
    down = F.conv_transpose2d(top, w2)  # as the pooled maps
    down = F.relu(unpool(down, switches, shape))  # (N, C1, H1, W1)
    return F.conv_transpose2d(down, w1)  # (N, C0, H, W)


# %% No ReLU between exercise="deconvnet" covers=[100]
# The ReLU between the two layers is missing on the way down.
def deconvnet(top, w2, switches, shape, w1):
    """Project activations top (N, C2, h, w) down to the pixels (N, C0, H, W) through two layers.

    w2 (C2, C1, KH, KW), switches of the pooling between, shape (H1, W1) of the maps before it,
    w1 (C1, C0, KH, KW).
    """
    down = F.conv_transpose2d(F.relu(top), w2)  # as the pooled maps
    down = unpool(down, switches, shape)  # (N, C1, H1, W1)
    return F.conv_transpose2d(down, w1)  # (N, C0, H, W)


# %% Unpooled without switches exercise="deconvnet" covers=[120]
# Between the layers the values are spread out instead of going back to their switches.
def deconvnet(top, w2, switches, shape, w1):
    """Project activations top (N, C2, h, w) down to the pixels (N, C0, H, W) through two layers.

    w2 (C2, C1, KH, KW), switches of the pooling between, shape (H1, W1) of the maps before it,
    w1 (C1, C0, KH, KW).
    """
    down = F.conv_transpose2d(F.relu(top), w2)  # as the pooled maps
    down = F.relu(F.interpolate(down, size=tuple(shape), mode="nearest"))  # (N, C1, H1, W1)
    return F.conv_transpose2d(down, w1)  # (N, C0, H, W)


# %% Another ReLU at the pixels exercise="deconvnet"
# Pixels may be negative: there is no ReLU at the bottom.
def deconvnet(top, w2, switches, shape, w1):
    """Project activations top (N, C2, h, w) down to the pixels (N, C0, H, W) through two layers.

    w2 (C2, C1, KH, KW), switches of the pooling between, shape (H1, W1) of the maps before it,
    w1 (C1, C0, KH, KW).
    """
    down = F.conv_transpose2d(F.relu(top), w2)  # as the pooled maps
    down = F.relu(unpool(down, switches, shape))  # (N, C1, H1, W1)
    return F.relu(F.conv_transpose2d(down, w1))  # (N, C0, H, W)


# %% Padded on the way up exercise="deconvnet" covers=[50]
# LeNet's convolutions have no padding, so the way down has none to cut off: what arrives is larger
# than what came.
def deconvnet(top, w2, switches, shape, w1):
    """Project activations top (N, C2, h, w) down to the pixels (N, C0, H, W) through two layers.

    w2 (C2, C1, KH, KW), switches of the pooling between, shape (H1, W1) of the maps before it,
    w1 (C1, C0, KH, KW).
    """
    down = F.conv_transpose2d(F.relu(top), w2)  # as the pooled maps
    down = F.relu(unpool(down, switches, shape))  # (N, C1, H1, W1)
    return F.conv_transpose2d(down, w1, padding=1)  # (N, C0, H, W)


# %% Layers swapped exercise="deconvnet"
# w2 is the upper layer and comes first on the way down.
def deconvnet(top, w2, switches, shape, w1):
    """Project activations top (N, C2, h, w) down to the pixels (N, C0, H, W) through two layers.

    w2 (C2, C1, KH, KW), switches of the pooling between, shape (H1, W1) of the maps before it,
    w1 (C1, C0, KH, KW).
    """
    down = F.conv_transpose2d(F.relu(top), w2.roll(1, 0))  # as the pooled maps
    down = F.relu(unpool(down, switches, shape))  # (N, C1, H1, W1)
    return F.conv_transpose2d(down, w1)  # (N, C0, H, W)


# %% Transposed convolution as a full one exercise="deconvnet" right=true
def deconvnet(top, w2, switches, shape, w1):
    def back(z, w):
        pad = (w.shape[2] - 1, w.shape[3] - 1)
        return F.conv2d(z, w.flip(2, 3).transpose(0, 1), padding=pad)

    down = back(top.clamp(min=0), w2)
    maps = torch.zeros(*down.shape[:2], *shape)
    for n, c, i, j in np.ndindex(*down.shape):
        row, column = divmod(int(switches[n, c, i, j]), shape[1])
        maps[n, c, row, column] = max(float(down[n, c, i, j]), 0)
    return back(maps, w1)


# %% Deconvnet by gradients exercise="deconvnet" right=true
def deconvnet(top, w2, switches, shape, w1):
    down = torch.nn.grad.conv2d_input(
        (len(top), w2.shape[1], *switches.shape[2:]), w2, top.relu()
    )
    maps = F.max_unpool2d(down, switches, 2, output_size=tuple(shape)).relu()
    size = [shape[0] + w1.shape[2] - 1, shape[1] + w1.shape[3] - 1]
    return torch.nn.grad.conv2d_input((len(top), w1.shape[1], *size), w1, maps)


# %% The two gates swapped exercise="q-relu-down"
# The gradient looks at what went up, −1, and passes nothing; the deconvnet looks at what comes
# down, +3.
q_relu_down = "b"


# %% Both pass exercise="q-relu-down" covers=[55]
# The gradient of ReLU at −1 is 0.
q_relu_down = "c"


# %% Neither passes exercise="q-relu-down" covers=[55]
# The deconvnet's ReLU does not know what went up: +3 passes.
q_relu_down = "d"


# %% [markdown]
# ## Mutants that no test should tell apart


# %% Validation and test are both a random fifth exercise="split" equivalent=true
# Which of two random fifths of the same size is called the test set makes no difference.
# - return (order[2 * fifth:], order[:fifth], order[fifth:2 * fifth])
# + return (order[2 * fifth:], order[fifth:2 * fifth], order[:fifth])


# %% Gradients that nobody asks for exercise="accuracy" equivalent=true
# no_grad saves time and memory; the share of right answers is the same.
# - with torch.no_grad():
# + if True:


# %% A square has no sign exercise="lenet5" equivalent=true
# u − c and c − u have the same square.
# - return ((x[:, None] - self.codes) ** 2).sum(dim=2)
# + return ((self.codes - x[:, None]) ** 2).sum(dim=2)


# %% The order of the axes of a mean exercise="normalisation" equivalent=true
# A mean over three axes does not depend on their order.
# - mean = scaled.mean(axis=(0, 2, 3))[:, None, None]
# + mean = scaled.mean(axis=(2, 0, 3))[:, None, None]
# + mean = scaled.mean(axis=(0, 3, 2))[:, None, None]
# - return (mean, scaled.std(axis=(0, 2, 3))[:, None, None])
# + return (mean, scaled.std(axis=(2, 0, 3))[:, None, None])
# + return (mean, scaled.std(axis=(0, 3, 2))[:, None, None])


# %% As many points as targets exercise="ridge-gradient" equivalent=true
# X and y have the same length.
# - dy_hat = 2 * (w[0] + X @ w[1:] - y) / len(y)
# + dy_hat = 2 * (w[0] + X @ w[1:] - y) / len(X)


# %% Symmetric distributions exercise="init" equivalent=true
# The two names are looked up in any order, and minus a symmetric random number is as good.
# - if scheme in ('he', 'small'):
# + if scheme in ('small', 'he'):
# - return math.sqrt(3) * std * (2 * torch.rand(shape, generator=generator) - 1)
# + return math.sqrt(3) * std * (1 - 2 * torch.rand(shape, generator=generator))


# %% Square filters exercise="profile" equivalent=true
# The exercise has K × K filters.
# - x = F.relu(F.conv2d(x, w, padding=w.shape[-1] // 2))
# + x = F.relu(F.conv2d(x, w, padding=w.shape[-2] // 2))


# %% Nothing is negative behind a ReLU exercise="dead-units" equivalent=true
# Zero or less is zero there; and once the columns are gone, axis 2 is the rows whichever way it is
# reached.
# - return (maps == 0).all(dim=3).all(dim=2).all(dim=0)
# + return (maps <= 0).all(dim=3).all(dim=2).all(dim=0)
# + return (maps == 0).all(dim=2).all(dim=2).all(dim=0)


# %% Axes in another order, an exact division exercise="batchnorm" equivalent=true
# A mean does not depend on the order of its axes, and x.numel() is a multiple of the channels.
# - mean = x.mean(dim=(0, 2, 3))
# + mean = x.mean(dim=(2, 0, 3))
# + mean = x.mean(dim=(0, 3, 2))
# - var = x.var(dim=(0, 2, 3), correction=0)
# + var = x.var(dim=(2, 0, 3), correction=0)
# + var = x.var(dim=(0, 3, 2), correction=0)
# - count = x.numel() // x.shape[1]
# + count = -(-x.numel() // x.shape[1])
# + count = x.numel() / x.shape[1]


# %% Booleans count as numbers, equality never happens exercise="dropout" equivalent=true
# A boolean divided by a float is a float32, and a random number equals p once in sixteen million
# draws.
# - mask = (torch.rand_like(x) >= p).to(x.dtype) / (1 - p)
# + mask = (torch.rand_like(x) >= p) / (1 - p)
# + mask = (torch.rand_like(x) > p).to(x.dtype) / (1 - p)


# %% No graph to detach from exercise="record" equivalent=true
# Under no_grad nothing has a graph.
# - kept[name] = output.detach().clone()
# + kept[name] = output.clone()


# %% The order of axes, and zero by anything exercise="own-scale" equivalent=true
# Minimum and maximum do not depend on the order of the axes, and a constant map is 0 whatever it
# is divided by.
# - low, high = (maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True))
# + low, high = (maps.amin(dim=(2, 1), keepdim=True), maps.amax(dim=(1, 2), keepdim=True))
# + low, high = (maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(2, 1), keepdim=True))
# - return (maps - low) / torch.where(high > low, high - low, 1)
# + return (maps - low) / torch.where(high > low, high - low, 2)


# %% A list of patches exercise="top-patches" equivalent=true
# A list of tensors of one shape is as good as their stack.
# - return (chosen, torch.stack(patches))
# + return (chosen, patches)


# %% Values and switches have one shape, and float32 is the default exercise="unpool" equivalent=true
# y and switches agree in their first two axes, and the lesson's tensors are float32.
# - N, C = y.shape[:2]
# + N, C = switches.shape[:2]
# - maps = torch.zeros(N, C, shape[0] * shape[1], dtype=y.dtype)
# + maps = torch.zeros(N, C, shape[0] * shape[1])
