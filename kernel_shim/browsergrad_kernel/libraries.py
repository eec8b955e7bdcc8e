"""Libraries whose output needs a package, a thread or another origin that there is none of here.

`amended` passes each module to `amend` when it is first imported. A version of a library that a change does not fit is left as it is.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

#: Library -> modules that it needs to show its output, but that its metadata does not name. Elsewhere they are installed together.
SHOWN_WITH = {"matplotlib_inline": frozenset({"matplotlib"}), "tqdm": frozenset({"ipywidgets"})}


def choose_resources() -> None:
    """Let libraries that would load their JavaScript from elsewhere put it into the output. A user's own setting counts more."""
    os.environ.setdefault("BOKEH_RESOURCES", "inline")


def amend(module: ModuleType) -> None:
    """Change a module that was just imported."""
    _CHANGES[module.__name__](module)


def _plotly(module: Any) -> None:
    """Show figures without nbformat, of which plotly only reads the version, and without 5 MB of JavaScript in each notebook.

    plotly's labextension, which a site has together with the package, needs no JavaScript in the notebook.
    """
    from . import packages  # needs IPython, which sessions without Jupyter do not load

    if getattr(module, "nbformat", module) is None:
        module.nbformat = SimpleNamespace(__version__="5.10")
    renderers: Any = getattr(module, "renderers", None)
    if packages.is_offered("plotly") and getattr(renderers, "default", "") == "plotly_mimetype+notebook":
        renderers.default = "plotly_mimetype"


def _tqdm(module: Any) -> None:
    """Start no thread that watches the bars, and use a bar of text without a warning where the site has no ipywidgets."""
    if hasattr(module, "tqdm"):
        module.tqdm.monitor_interval = 0
    warnings.filterwarnings("ignore", message="IProgress not found", category=getattr(module, "TqdmWarning", Warning))


def _altair(module: Any) -> None:
    """Let JupyterLab draw charts by itself. Altair's own choice is a page that loads its JavaScript from elsewhere."""
    from . import packages  # needs IPython

    renderers: Any = getattr(module, "renderers", None)
    if not packages.on_server() and getattr(renderers, "active", "") in ("default", "html"):
        renderers.register("browsergrad", _vega_lite)
        renderers.enable("browsergrad")


def _vega_lite(spec: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Return a chart in the newest form that JupyterLab 4 draws. Specifications for Vega-Lite 6 (Altair 6) have that form too."""
    return {"application/vnd.vegalite.v5+json": spec, "text/plain": "<a chart of Vega-Lite>"}


_CHANGES: dict[str, Callable[[Any], None]] = {
    "altair": _altair,
    "plotly.io._renderers": _plotly,
    "tqdm.std": _tqdm,
}
#: The modules that `amend` changes.
LIBRARIES = frozenset(_CHANGES)
