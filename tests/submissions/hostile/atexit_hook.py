"""Leaves hooks for the end of the process."""

# %% before
import atexit, os, time
atexit.register(lambda: time.sleep(600))
class Late:
    def __del__(self): time.sleep(600)
late = Late()

# %% solution
def double(x):
    return x
