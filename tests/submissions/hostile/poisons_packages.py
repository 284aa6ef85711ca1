"""Writes into installed packages and start-up files for the next submission."""

# %% before
import numpy, os, site, sys
for folder in [os.path.dirname(numpy.__file__), *site.getsitepackages(), os.path.expanduser("~"), sys.prefix, "/tmp", "/etc"]:
    for name in ("usercustomize.py", "sitecustomize.py", "conftest.py", ".pythonrc"):
        try:
            open(os.path.join(folder, name), "w").write("import builtins; builtins.POISON = 1")
        except OSError:
            pass
import builtins
assert not hasattr(builtins, "POISON")

# %% solution
def double(x):
    return x
