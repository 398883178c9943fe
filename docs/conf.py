"""Settings of the documentation site; `make docs` builds it, and it is read, without a network.

The environment variable ``LINREP_DOCS`` chooses between two builds: ``full`` executes the gallery
(`make docs`), ``fast`` resolves every page and link and executes nothing (the tests).
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))
FULL = os.environ.get("LINREP_DOCS", "full") == "full"

os.environ["TQDM_DISABLE"] = "1"  # no progress bars among the outputs of the gallery

import linrep  # noqa: E402 - after the path

project = "linrep"
author = copyright = "The linrep developers"
version = release = linrep.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",  # a formula needs no network: MathJax lies beside the pages
    "sphinx_gallery.gen_gallery",
    "linrep_site",
    "linrep_offline",
]
if FULL:
    extensions += ["sphinx.ext.viewcode", "sphinx_copybutton", "sphinx_llms_txt"]

exclude_patterns = [
    "_build",
    "_ext",
    "examples",
    "gallery/*.ipynb",
    "gallery/*.py",
    "sg_execution_times.rst",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}

# Links: every one inside the site must resolve. Names of other libraries are not looked up, since
# that would need their inventories from the network.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!linrep\.).*")]

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
add_module_names = False

html_theme = "pydata_sphinx_theme"
html_title = f"linrep {release}"
html_copy_source = True  # llms.txt is made from the sources
html_show_sourcelink = False
html_theme_options = {
    "show_nav_level": 1,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_static_path = ["_static"]
html_css_files = ["site.css"]

llms_txt_exclude = ["gallery/sg_execution_times", "sg_execution_times", "genindex", "search"]
llms_txt_full_file = False
copybutton_prompt_text = ">>> "

sphinx_gallery_conf = {
    "plot_gallery": FULL,
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "run_stale_examples": False,
    "filename_pattern": r"/\d\d_",
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": (),
    "reset_modules": (),
    "capture_repr": ("_repr_html_", "__repr__"),
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "abort_on_example_error": False,  # the build fails at its end, and names them all
}
