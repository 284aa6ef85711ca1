"""Prints without end."""

# %% before
while True: print('x' * 10_000)

# %% solution
def double(x):
    return x
