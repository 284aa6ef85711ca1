"""Tries to attach to other processes and to write to their memory."""

# %% before
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for pid in [1, os.getppid()]:
    print(pid, libc.ptrace(16, pid, 0, 0), ctypes.get_errno())
    try:
        open(f"/proc/{pid}/mem", "r+b")
        print("SECRET" + "-memory open")
    except OSError as error:
        print(type(error).__name__)

# %% solution
def double(x):
    return x
