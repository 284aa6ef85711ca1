"""Forks a few hundred processes that stay."""

# %% before
import os, time
made = 0
try:
    for _ in range(300):
        if os.fork() == 0:
            time.sleep(300)
            os._exit(0)
        made += 1
except OSError as error:
    print(type(error).__name__, made)

# %% solution
def double(x):
    return x
