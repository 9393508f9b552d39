# The builder calls its hooks with more than each of them needs.
# ruff: noqa: ARG001

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "exconn_sync"
author = "the exconn_sync authors"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
root_doc = "index"
html_theme = "alabaster"
html_theme_options = {"description": "Synchronous connections to crypto spot exchanges", "page_width": "1100px"}
html_show_copyright = False

# Headings can be linked to as in a source viewer: page.md#some-heading.
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 100
napoleon_numpy_docstring = False
napoleon_use_ivar = True
# The signature of a class shows the types of its fields already.
napoleon_attr_annotations = False

nitpick_ignore_regex = [
    # The standard library is not part of this build, and the build needs no network.
    (r"py:.*", r"(collections\.abc|contextlib|concurrent\.futures|decimal|pathlib|random|signal|ssl|threading)\..*"),
    (r"py:class", r"Decimal|os\.PathLike"),
    # A default that stands for what the configuration says.
    (r"py:.*", r"exconn_sync\.connector\.connector\.Configured"),
    # ``queue.Queue`` or ``queue.SimpleQueue``, whatever is in them.
    (r"py:.*", r"UserQueue"),
    # How the address of a proxy is kept apart; programs give it as a text.
    (r"py:.*", r"exconn_sync\.config\.network\.ProxyAddress"),
    # Type variables, which have no page.
    (r"py:.*", r"exconn_sync\.(_runtime\.subscription|model\.wire)\.T"),
]


def keep_colons(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Begin a property with an empty comment: else a colon in its first sentence is read as the end of a type."""
    if what == "property":
        lines[:0] = ["..", ""]


def name_factories(
    app: Sphinx, what: str, name: str, thing: object, options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Show a default that is made anew for each object as ``...``: ``<factory>`` is no Python and is not understood."""
    return (None if signature is None else signature.replace("<factory>", "...")), returns


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-signature", name_factories)
    # Before napoleon, whose priority is the default of 500.
    app.connect("autodoc-process-docstring", keep_colons, priority=400)
