"""Sphinx' configuration: Markdown in, HTML out, nothing from the network."""

import sys
from pathlib import Path

# `coursesite` lies beside this file.
sys.path.insert(0, str(Path(__file__).resolve().parent))

project = "Convolutional neural networks"
author = "the authors of the course"
html_title = project
language = "en"

extensions = ["myst_parser", "coursesite.mathml"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 4  # so that links such as grading.md#limits hold, as on the host
highlight_language = "none"
# Examples of JSON with … in it, and code that stops in the middle, are shown all the same.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_domain_indices = False
python_maximum_signature_line_length = 88
add_module_names = False
toc_object_entries_show_parents = "hide"
smartquotes = False
html_theme_options = {
    "sidebar_hide_name": False,
    "navigation_with_keys": True,
}
