"""Ignores every signal and loops."""

# %% solution
import signal
def double(x):
    if type(x) is int and x == 0: return 0
    for n in (signal.SIGINT, signal.SIGTERM): signal.signal(n, signal.SIG_IGN)
    while True: pass
