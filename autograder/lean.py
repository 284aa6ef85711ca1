"""Import this first: it keeps out what takes a second to import and serves nobody here.

jsonschema, which nbformat reads notebooks with, imports a grammar for internationalised addresses
when it finds one. No notebook's schema has any; without it jsonschema does the rest as before.

``import nbgrader`` imports its extensions of the Jupyter server, for whoever runs one. They would
be imported after this as well, by a process that names one of their modules itself.

And it lets Python look for garbage less often. Nothing that an import makes is garbage, and to find
that out again and again is a fifth of what importing costs. At the very end, to find out that all
of it is garbage now takes half a second: the process ends without.
"""

import atexit
import gc
import sys
from types import ModuleType

# Python's own is 700 new objects between two looks.
NEW_OBJECTS = 50_000
SERVER_EXTENSIONS = ("assignment_list", "course_list", "formgrader", "validate_assignment")

gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])
atexit.register(gc.freeze)
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
if "nbgrader" not in sys.modules:
    kept_out = [f"nbgrader.server_extensions.{name}" for name in SERVER_EXTENSIONS]
    for name in kept_out:
        sys.modules[name] = ModuleType(name)
        sys.modules[name].load_jupyter_server_extension = None  # type: ignore[attr-defined]
    import nbgrader  # noqa: F401

    for name in kept_out:
        del sys.modules[name]
