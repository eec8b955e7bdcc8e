"""Settings of Sphinx. The build asks no network: there are no inventories of other projects to fetch."""

import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
REPO = HERE.parent
sys.path[:0] = [str(REPO), str(REPO / "kernel_shim"), str(HERE / "_ext")]

from jupyterlite_browsergrad._version import __version__  # noqa: E402  the path comes first

# Of traits that ipykernel does not document, and that are left out here.
warnings.filterwarnings("ignore", category=FutureWarning, module="autodoc_traits")

project = "jupyterlite-browsergrad"
author = "jupyterlite-browsergrad contributors"
copyright = author
version = release = __version__

extensions = [
    "autodoc_traits",
    "myst_parser",
    "numpydoc",
    "schema_tables",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinxarg.ext",
]
exclude_patterns = ["_build", "requirements.txt"]
# Options and quoted code are to be read as they are typed.
smartquotes = False

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 4
# Not the domain of commands: it would take every local link for one.
myst_ref_domains = ["std", "py"]
# The page generated from TypeScript begins with its own heading levels.
suppress_warnings = ["myst.header"]

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "pydata_sphinx_theme"
html_title = "jupyterlite-browsergrad"
html_static_path = ["_static"]
html_css_files = ["extra.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"index": []}
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
