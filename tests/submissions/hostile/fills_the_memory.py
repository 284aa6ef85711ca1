"""Takes three gigabytes and touches them."""

# %% before
kept = []
try:
    for _ in range(48): kept.append(b"x" * 2**26)
except MemoryError:
    print("MemoryError")
kept = []

# %% solution
def double(x):
    return x
