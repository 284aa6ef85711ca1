"""Raises an error with a message of fifty megabytes."""

# %% solution
def double(x):
    if type(x) is int and x == 0: return 0
    raise ValueError('x' * 50_000_000)
