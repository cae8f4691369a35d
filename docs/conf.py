"""Settings of the site, which ``python3 bootstrap.py docs`` builds into ``docs/_build/html``."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

project = "stimsynth"
author = "the stimsynth authors"
copyright = "the stimsynth authors, MIT licence"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "mathml",
    "public_names",
]
exclude_patterns = [
    "_build",
    "_ext",
    "**/sg_execution_times.rst",
    "sg_execution_times.rst",
    "gallery/**/*.ipynb",
    "gallery/**/*.py",
]

# Every name of ours that a page links to must be there. Names of others cannot be looked up without a
# network, and short names in docstrings may be those of parameters.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!(stimsynth|stimuli_store|experiments|analysis)\.).*")]
default_role = "py:obj"
toc_object_entries_show_parents = "hide"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autosummary_generate = False
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

sphinx_gallery_conf = {
    "examples_dirs": [str(HERE.parent / "examples")],
    "gallery_dirs": ["gallery"],
    "filename_pattern": r"\.py$",
    "ignore_repr_types": r"stimuli_store\.tools\.figures|matplotlib|stimsynth\.plots",
    "nested_sections": True,
    "capture_repr": ("_repr_html_", "__repr__"),
    "image_scrapers": ("last_value.shown", "matplotlib"),
    "reset_modules": (),
    "download_all_examples": False,
    "show_memory": False,
    "min_reported_time": 1000,
    "within_subsection_order": "FileNameSortKey",
    "remove_config_comments": True,
    "abort_on_example_error": True,
    "only_warn_on_example_error": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "stimsynth"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "navigation_depth": 2,
    "show_toc_level": 2,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
}
html_context = {"default_mode": "auto"}
html_sidebars = {"index": [], "quickstart": []}  # which have no pages below them
