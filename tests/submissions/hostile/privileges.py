"""Mounts, changes its root, its user and its host name."""

# %% before
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print(libc.mount(b"none", b"/mnt", b"tmpfs", 0, None), libc.umount2(b"/", 2), libc.unshare(0x10000000), libc.sethostname(b"x", 1))
for call in (lambda: os.setuid(0), lambda: os.chroot("/"), lambda: os.setgroups([0])):
    try:
        call()
    except OSError as error:
        print(type(error).__name__)

# %% solution
def double(x):
    return x
