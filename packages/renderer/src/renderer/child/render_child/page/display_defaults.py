"""Sets display libraries to refer to their JavaScript by address, which the export then replaces by the asset store's.

Called once by a process that runs renders, after it imported the libraries and before it forks. A library that is
imported later is set by its own environment variable, or, where it has none, right after its import. Toolkits add
libraries of their own (`AFTER_IMPORT` of their module `display_defaults`).
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

_MATHJAX: Final = re.compile(r'<script src="[^"]*/mathjax/[^"]*"></script>')
# plotly draws a label with MathJax if it holds something between dollar signs.
_TEX: Final = re.compile(r'"[^"\n]*\$[^"$\n]+\$')


def configure(toolkits: Iterable[str] = ()) -> None:
    """Sets the defaults of every library that is imported; one whose settings have changed keeps its own.

    Args:
        toolkits: names of packages that may have a module `display_defaults`.
    """
    for toolkit in toolkits:
        if importlib.util.find_spec(f"{toolkit}.display_defaults"):
            _TOOLKITS_SETTINGS.update(importlib.import_module(f"{toolkit}.display_defaults").AFTER_IMPORT)
    for name, value in (("PLOTLY_RENDERER", "notebook_connected"), ("BOKEH_RESOURCES", "cdn")):
        os.environ.setdefault(name, value)
    for package in [package for package in (*_SETTINGS, *_TOOLKITS_SETTINGS) if package in sys.modules]:
        _set(package)
    if not any(isinstance(each, _Later) for each in sys.meta_path):
        sys.meta_path.insert(0, _Later())


def _set(package: str) -> None:
    # Settings of other projects: an error in them must neither keep the host from starting nor stop a render.
    with suppress(Exception):
        (_SETTINGS if package in _SETTINGS else _TOOLKITS_SETTINGS).pop(package)()


class _Later(MetaPathFinder):
    """Sets a toolkit's libraries when a render imports them, where the host has not."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Returns what the other finders find, with a loader that sets the library once it has run."""
        if fullname not in _TOOLKITS_SETTINGS:
            return None
        others = (each for each in sys.meta_path if each is not self)
        found = next(filter(None, (each.find_spec(fullname, path, target) for each in others)), None)
        if found is not None and found.loader is not None:
            run = found.loader.exec_module

            def run_and_set(module: ModuleType) -> None:
                run(module)
                _set(fullname)

            found.loader.exec_module = run_and_set  # type: ignore[method-assign]
        return found


def _set_plotly() -> None:
    import plotly.io as pio  # noqa: PLC0415
    from plotly.io._utils import plotly_cdn_url  # noqa: PLC0415
    from plotly.io.base_renderers import HtmlRenderer  # noqa: PLC0415

    class StoreRenderer(HtmlRenderer):  # type: ignore[misc]
        """The connected renderer without its two costs: a digest of 5 MB, and MathJax, for each figure."""

        def to_mimebundle(self, fig_dict: Any) -> dict[str, Any]:
            """Returns the figure's HTML; MathJax stays in where a label has TeX."""
            html = super().to_mimebundle(fig_dict)["text/html"]
            return {"text/html": html if _TEX.search(html) else _MATHJAX.sub("", html)}

    # With "cdn", plotly would read and hash its own file to write an integrity attribute.
    pio.renderers["vizportal"] = StoreRenderer(include_plotlyjs=plotly_cdn_url())
    pio.renderers.default = "vizportal"


def _set_bokeh() -> None:
    from bokeh.resources import INLINE  # noqa: PLC0415
    from bokeh.settings import settings  # noqa: PLC0415

    settings.resources = "cdn"
    # People ask for it to be independent of the network, which a page with the store's addresses is.
    INLINE.mode = "cdn"


def _set_altair() -> None:
    import altair as alt  # noqa: PLC0415

    alt.renderers.enable("html")


def _set_itables() -> None:
    from itables import javascript  # noqa: PLC0415

    # (all_interactive, connected, dt_bundle): an explicit connected=False is honoured, and rewritten by the export.
    javascript.init_notebook_mode.__defaults__ = (True, True, None)


_SETTINGS: Final[dict[str, Callable[[], None]]] = {
    "plotly": _set_plotly,
    "bokeh": _set_bokeh,
    "altair": _set_altair,
    "itables": _set_itables,
}
# These may be imported later: they have no environment variable.
_TOOLKITS_SETTINGS: Final[dict[str, Callable[[], None]]] = {}
