"""Prints its environment."""

# %% before
import os
print(dict(os.environ))
print(os.popen('env').read())

# %% solution
def double(x):
    return x
