"""How display libraries write their JavaScript into a page: by address, which the export then leads to the store.

Called once by a process that runs renders, after it imported the libraries and before it forks. A library that is
imported later is told by its own environment variable, or, where it has none, as soon as it is there.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

_MATHJAX: Final = re.compile(r'<script src="[^"]*/mathjax/[^"]*"></script>')
# plotly draws a label with MathJax if it holds something between dollar signs.
_TEX: Final = re.compile(r'"[^"\n]*\$[^"$\n]+\$')


def configure() -> None:
    """Sets the defaults of every library that is there; one that has changed and cannot be told keeps its own."""
    for name, value in (("PLOTLY_RENDERER", "notebook_connected"), ("BOKEH_RESOURCES", "cdn")):
        os.environ.setdefault(name, value)
    for package in [package for package in _TELL if package in sys.modules]:
        _tell(package)
    if not any(isinstance(each, _Later) for each in sys.meta_path):
        sys.meta_path.insert(0, _Later())


def _tell(package: str) -> None:
    # Foreign settings: whatever goes wrong with them must not keep the host from starting, nor a render from going on.
    with suppress(Exception):
        _TELL.pop(package)()


class _Later(MetaPathFinder):
    """Tells a library when a render imports it, where the host has not."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """Finds nothing by itself: what the others find is told once it has run."""
        if fullname not in _LATER or fullname not in _TELL:
            return None
        others = (each for each in sys.meta_path if each is not self)
        found = next(filter(None, (each.find_spec(fullname, path, target) for each in others)), None)
        if found is not None and found.loader is not None:
            run = found.loader.exec_module

            def run_and_tell(module: ModuleType) -> None:
                run(module)
                _tell(fullname)

            found.loader.exec_module = run_and_tell  # type: ignore[method-assign]
        return found


def _tell_plotly() -> None:
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


def _tell_bokeh() -> None:
    from bokeh.resources import INLINE  # noqa: PLC0415
    from bokeh.settings import settings  # noqa: PLC0415

    settings.resources = "cdn"
    # People ask for it to be independent of the network, which a page with the store's addresses is.
    INLINE.mode = "cdn"


def _tell_altair() -> None:
    import altair as alt  # noqa: PLC0415

    alt.renderers.enable("html")


def _tell_itables() -> None:
    from itables import javascript  # noqa: PLC0415

    # (all_interactive, connected, dt_bundle): an explicit connected=False is honoured, and rewritten by the export.
    javascript.init_notebook_mode.__defaults__ = (True, True, None)


def _tell_tfdv() -> None:
    from vizkit import tfx  # noqa: PLC0415

    tfx.tell_tfdv()


def _tell_tfma() -> None:
    from vizkit import tfx  # noqa: PLC0415

    tfx.tell_tfma()


def _tell_beam() -> None:
    from vizkit import tfx  # noqa: PLC0415

    tfx.tell_beam()


_TELL: Final[dict[str, Callable[[], None]]] = {
    "plotly": _tell_plotly,
    "bokeh": _tell_bokeh,
    "altair": _tell_altair,
    "itables": _tell_itables,
    "tensorflow_data_validation": _tell_tfdv,
    "tensorflow_model_analysis": _tell_tfma,
    "apache_beam": _tell_beam,
}
# These have no environment variable.
_LATER: Final = frozenset({"tensorflow_data_validation", "tensorflow_model_analysis", "apache_beam"})
