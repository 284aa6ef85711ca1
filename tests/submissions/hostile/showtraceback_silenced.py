"""Silences tracebacks."""

# %% before
get_ipython().showtraceback = lambda *a, **k: None
get_ipython()._showtraceback = lambda *a, **k: None

# %% solution
def double(x):
    return x
