"""Returns a list that holds itself."""

# %% solution
def double(x):
    if type(x) is int and x == 0: return 0
    a = []
    a.append(a)
    return a
