"""Lets the bridge never answer."""

# %% before
import sys, struct, json
bridge = sys.modules['autograder.bridge']
bridge.Bridge.serve_one = lambda self: __import__('time').sleep(1000)

# %% solution
def double(x):
    return x
