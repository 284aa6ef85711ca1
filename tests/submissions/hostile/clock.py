"""Changes the clock."""

# %% before
import time
try:
    time.clock_settime(time.CLOCK_REALTIME, 0)
    print("SECRET" + "-clock set")
except OSError as error:
    print(type(error).__name__)
time.time = time.monotonic = time.perf_counter = lambda: 0.0

# %% solution
def double(x):
    return x
