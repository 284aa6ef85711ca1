"""Asks which processes it could signal."""

# %% before
import os
seen = []
for pid in range(2, 5000):
    try:
        os.kill(pid, 0)
        seen.append(pid)
    except ProcessLookupError:
        pass
    except PermissionError:
        seen.append(-pid)
assert len(seen) < 20, seen
print(seen)

# %% solution
def double(x):
    return x
