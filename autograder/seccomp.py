"""System calls that no notebook needs and that attacks on the machine's kernel begin with.

The namespaces are the wall; this filter takes away the ladders: tracing other processes, new
namespaces, kernel modules, memory that no limit counts (memfd, System V), odd socket families.
A forbidden call fails as if the machine did not have it, so a library that tries goes on.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from autograder.linux import PR_SET_SECCOMP, prctl

FILTER = 2
ALLOW, DENY, KILL = 0x7FFF0000, 0x00050000, 0x80000000

# (audit architecture, numbers below this are the machine's own and not another ABI's)
ARCHITECTURES = {"x86_64": (0xC000003E, 0x40000000), "aarch64": (0xC00000B7, 0x40000000)}

# name: (x86_64, aarch64)
FORBIDDEN = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "fanotify_init": (300, 262),
    "quotactl": (179, 60),
    "acct": (163, 89),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "syslog": (103, 116),
    "clone3": (435, 435),
}
CLONE = (56, 220)
SOCKET = (41, 198)
NAMESPACE_FLAGS = 0x7E020000  # CLONE_NEW*: user, pid, net, ipc, uts, mount, cgroup
SOCKET_FAMILIES = (1, 2, 10, 16)  # unix, inet, inet6, netlink (asked for interface names)

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16


def program(machine: str) -> bytes:
    """The filter as classic BPF, 8 bytes an instruction.

    Raises:
        KeyError: for a machine whose system call numbers are not known.
    """
    architecture, other_abi = ARCHITECTURES[machine]
    column = list(ARCHITECTURES).index(machine)

    def instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("HBBI", code, if_true, if_false, value)

    def deny(error: int) -> bytes:
        return instruction(_RETURN, DENY | error)

    allow = instruction(_RETURN, ALLOW)
    parts = [
        instruction(_LOAD, _ARCHITECTURE),
        instruction(_JUMP_EQUAL, architecture, 1),
        instruction(_RETURN, KILL),
        instruction(_LOAD, _NUMBER),
        instruction(_JUMP_AT_LEAST, other_abi, 0, 1),
        deny(errno.ENOSYS),
    ]
    for name, numbers in FORBIDDEN.items():
        # glibc goes on with clone and calloc-like fallbacks only when told ENOSYS.
        absent = name in ("clone3", "memfd_create", "memfd_secret")
        parts.append(instruction(_JUMP_EQUAL, numbers[column], 0, 1))
        parts.append(deny(errno.ENOSYS if absent else errno.EPERM))
    parts += [
        instruction(_JUMP_EQUAL, CLONE[column], 0, 4),
        instruction(_LOAD, _FIRST_ARGUMENT),
        instruction(_JUMP_BITS, NAMESPACE_FLAGS, 0, 1),
        deny(errno.EPERM),
        allow,
        instruction(_JUMP_EQUAL, SOCKET[column], 0, 3 + len(SOCKET_FAMILIES)),
        instruction(_LOAD, _FIRST_ARGUMENT),
    ]
    for index, family in enumerate(SOCKET_FAMILIES):
        parts.append(instruction(_JUMP_EQUAL, family, len(SOCKET_FAMILIES) - index))
    parts += [deny(errno.EAFNOSUPPORT), allow, allow]
    return b"".join(parts)


def install() -> bool:
    """Filter this process and all it starts from now on; needs no_new_privs.

    Returns:
        False on a machine whose system call numbers are not known, or without seccomp.
    """
    try:
        code = program(os.uname().machine)
    except KeyError:
        return False
    buffer = ctypes.create_string_buffer(code, len(code))
    description = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    holder = ctypes.create_string_buffer(description, len(description))
    try:
        prctl(PR_SET_SECCOMP, FILTER, ctypes.addressof(holder))
    except OSError:
        return False
    return True
