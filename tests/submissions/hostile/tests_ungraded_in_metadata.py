"""Says in the metadata that no cell is graded."""

# %% solution
def double(x):
    return x

# %% notebook
for cell in notebook.cells:
    if "nbgrader" in cell.metadata:
        cell.metadata["nbgrader"].update(grade=False, locked=False, solution=True)
