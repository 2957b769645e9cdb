"""Settings of the documentation site; `make docs` builds it."""

import sys
from importlib.resources import files
from pathlib import Path

import muge_fast

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "muge_fast"
author = "The muge_fast developers"
copyright = "2026, the muge_fast developers"  # noqa: A001 - the name that Sphinx reads
version = release = muge_fast.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "chinese_search",
    "docstrings",
    "native_math",
    "pages",
    "public_names",
]
exclude_patterns = ["deploy"]
nitpicky = True

# Markdown

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 3
myst_dmath_allow_labels = False
myst_dmath_double_inline = False

# Docstrings

# What parts of the package import, which the site does not need.
FRAMEWORKS = ["evaluate", "openvino", "ray", "torch", "torchmetrics", "torchvision", "transformers"]
autodoc_mock_imports = [*FRAMEWORKS, "PIL", "datasets"]
autodoc_typehints = "none"  # The text of Args says which types are meant; annotations are in the signature of help().
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = False
napoleon_attr_annotations = False
# Types of fields that are in no list of public names, and those of other packages.
OTHERS = r"(?:collections|numpy|pandas|ray|torch|os|pathlib|typing|muge_fast\.datasets\.input_file)\b.*|optional"
nitpick_ignore_regex = [(r"py:\w+", OTHERS)]
toc_object_entries_show_parents = "hide"
add_module_names = False

# HTML

html_theme = "furo"
html_title = f"muge_fast {version}"
# Browsers need a font for mathematics to stretch parentheses, and not every system has one. ziamath has it as a file.
html_static_path = ["static", str(files("ziamath") / "fonts" / "STIXTwoMath-Regular.ttf")]
html_css_files = ["site.css"]
html_js_files = [("icons.js", {"defer": "defer"})]
html_copy_source = False
html_show_sphinx = False
html_search_language = "en-zh"
pygments_style = "default"
pygments_dark_style = "github-dark"
html_math_renderer = "native"
repository = "https://github.com/muge-fast/muge_fast"
html_theme_options = {"source_repository": f"{repository}/", "source_branch": "main", "source_directory": "docs/"}
