"""Recurses without end, in Python and in C."""

# %% solution
def double(x):
    if type(x) is int and x == 0: return 0
    import sys
    sys.setrecursionlimit(10**6)
    def f(n): return f(n + 1)
    return f(0)
