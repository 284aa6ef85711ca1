"""Hands in a link to the gradebook and reads it."""

# %% before
try:
    print(open("link").read())
except OSError as error:
    print(type(error).__name__)

# %% solution
def double(x):
    return x
