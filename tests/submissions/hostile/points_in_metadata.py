"""Says in the metadata that its tests are worth a thousand points."""

# %% solution
def double(x):
    return x

# %% notebook
for cell in notebook.cells:
    if "nbgrader" in cell.metadata:
        cell.metadata["nbgrader"]["points"] = 1000
