"""Import this first: it keeps out what takes most of a second to import and serves nobody here.

jsonschema, which nbformat reads notebooks with, imports a grammar for internationalised addresses
when it finds one. No notebook's schema has any; without it jsonschema does the rest as before.
"""

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
