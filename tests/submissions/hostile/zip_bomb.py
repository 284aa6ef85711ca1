"""Hands in an archive of zeros that would fill the disk when unpacked."""

# %% before
import os
print(os.path.getsize('bomb.zip'))

# %% solution
def double(x):
    return x
