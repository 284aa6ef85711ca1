"""Sends bytes that are no message."""

# %% solution
import sys, struct, json
bridge = sys.modules['autograder.bridge']

def double(x):
    if type(x) is int and x == 0: return 0
    body = b"[" * 100_000
    bridge.current.sock.sendall(struct.pack("<II", len(body), 0) + body)
    return x
