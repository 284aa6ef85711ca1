"""Asks in its metadata for a kernel of its own choice."""

# %% solution
def double(x):
    return x

# %% notebook
notebook.metadata["kernelspec"] = {"name": "bash", "display_name": "Bash", "language": "bash"}
notebook.metadata["autograder"] = {"packages": ["torch", "scipy"]}
