"""Leaves a daemon behind that answers to nobody."""

# %% before
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)

# %% solution
def double(x):
    return x
