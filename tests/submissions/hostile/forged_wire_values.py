"""Sends malformed values: arrays that are larger than their data, unknown tags, foreign handles."""

# %% solution
import sys, struct, json
bridge = sys.modules['autograder.bridge']

TREES = [
    {"$": "array", "d": "<f8", "s": [10**12], "b": 0}, {"$": "array", "d": "O", "s": [1], "b": 0},
    {"$": "array", "d": "<f8", "s": [-1], "b": -1}, {"$": "nothing"}, {"$": "yours", "i": 0},
    {"$": "yours", "i": -1}, {"$": "type", "n": "eval"}, {"$": "nptype", "n": "load"},
    {"$": "named", "n": "T", "f": ["__eq__"], "v": [1]}, {"$": "range", "v": [0, 10**30, 1]}, {"$": []}, {},
]
turn = iter(TREES * 10)
def double(x):
    if type(x) is int and x == 0: return 0
    body = json.dumps({"v": next(turn), "changed": [[0, next(turn)]]}).encode()
    bridge.current.sock.sendall(struct.pack("<II", len(body), 0) + body)
    return x
