"""Writes a gigabyte."""

# %% before
try:
    with open("big", "wb") as file:
        for _ in range(1024): file.write(b"x" * 2**20)
except OSError as error:
    print(type(error).__name__)

# %% solution
def double(x):
    return x
