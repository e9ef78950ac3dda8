"""Configures libraries for renders, above all to refer to their JavaScript by URL, which the export then replaces.

A process that runs renders calls it once, after it imported the libraries and before it forks. A library that is
imported later is configured right after its import. Toolkits add libraries (`AFTER_IMPORT` of their module
`display_defaults`).
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
# plotly draws a label with MathJax if it contains something between dollar signs.
_TEX: Final = re.compile(r'"[^"\n]*\$[^"$\n]+\$')


def configure(toolkits: Iterable[str] = ()) -> None:
    """Configures every imported library; one whose settings differ in its version keeps its own defaults.

    Args:
        toolkits: names of packages that may have a module `display_defaults`.
    """
    for toolkit in toolkits:
        if importlib.util.find_spec(f"{toolkit}.display_defaults"):
            _SETTINGS.update(importlib.import_module(f"{toolkit}.display_defaults").AFTER_IMPORT)
    for name, value in (("PLOTLY_RENDERER", "notebook_connected"), ("BOKEH_RESOURCES", "cdn")):
        os.environ.setdefault(name, value)
    for package in [package for package in _SETTINGS if package in sys.modules]:
        _set(package)
    if not any(isinstance(each, _Later) for each in sys.meta_path):
        sys.meta_path.insert(0, _Later())


def _set(package: str) -> None:
    # Settings of other projects: an error in them must neither prevent the host from starting nor stop a render.
    with suppress(Exception):
        _SETTINGS.pop(package)()


class _Later(MetaPathFinder):
    """Configures libraries when a render imports them, if the host has not imported them."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Returns the spec that the other finders find, with a loader that configures the library after it has run."""
        if fullname not in _SETTINGS:
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
        """The connected renderer without two costs per figure: a digest of 5 MB, and MathJax."""

        def to_mimebundle(self, fig_dict: Any) -> dict[str, Any]:
            """Returns the figure's HTML; keeps MathJax only if a label has TeX."""
            html = super().to_mimebundle(fig_dict)["text/html"]
            return {"text/html": html if _TEX.search(html) else _MATHJAX.sub("", html)}

    # With "cdn", plotly would read and hash its own file to write an integrity attribute.
    pio.renderers["vizportal"] = StoreRenderer(include_plotlyjs=plotly_cdn_url())
    pio.renderers.default = "vizportal"


def _set_bokeh() -> None:
    from bokeh.resources import INLINE  # noqa: PLC0415
    from bokeh.settings import settings  # noqa: PLC0415

    settings.resources = "cdn"
    # INLINE is chosen for pages that work offline, and a page with asset addresses does.
    INLINE.mode = "cdn"
    _show_bokeh_in_cells()


def _show_bokeh_in_cells() -> None:
    """Makes `show()` draw below its cell without `output_notebook()`, since a render has no browser."""
    from bokeh.io import notebook, state  # noqa: PLC0415

    is_loaded = False

    def load(*given: Any, **more: Any) -> None:
        nonlocal is_loaded
        is_loaded = True
        notebook.load_notebook(*given, **more)

    def show(*given: Any, **more: Any) -> Any:
        if not is_loaded:
            load(hide_banner=True)
        return notebook.show_doc(*given, **more)

    notebook.install_notebook_hook("jupyter", load, show, notebook.show_app, overwrite=True)
    state.curstate().output_notebook()


def _set_altair() -> None:
    import altair as alt  # noqa: PLC0415

    alt.renderers.enable("html")
    # The limit of 5,000 rows keeps notebooks small. Results have their own size limit.
    alt.data_transformers.disable_max_rows()


def _set_itables() -> None:
    from itables import javascript  # noqa: PLC0415

    # (all_interactive, connected, dt_bundle): an explicit connected=False is respected and rewritten by the export.
    javascript.init_notebook_mode.__defaults__ = (True, True, None)


def _set_joblib() -> None:
    parallel: Any = importlib.import_module("joblib.parallel")
    # Its own backend starts new Python processes and looks up semaphores by name, which a render does not have.
    parallel.BACKENDS["loky"] = parallel.BACKENDS["threading"]


def _set_shared_values() -> None:
    from multiprocessing.heap import Arena  # noqa: PLC0415

    # Uses the render's temporary folder, since a render has no /dev/shm.
    Arena._dir_candidates = []  # type: ignore[attr-defined]  # noqa: SLF001


_SETTINGS: Final[dict[str, Callable[[], None]]] = {
    "plotly": _set_plotly,
    "bokeh": _set_bokeh,
    "altair": _set_altair,
    "itables": _set_itables,
    "joblib": _set_joblib,
    "multiprocessing.heap": _set_shared_values,
}
