"""Collects the JavaScript and CSS that an environment's display libraries would load from elsewhere.

The environment's own interpreter runs this script once, when the environment is built: `python -I asset_index.py
DIRECTORY`. It writes `<sha256>.js|css` for each file, and `index.json`, which lists the addresses and the forms in
which exactly these versions of the libraries put the files into a page. Renders never run it; its output contains none
of their data.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_HEAD: Final = 64
_NPM: Final = "https://cdn.jsdelivr.net/npm"
_MATHJAX_URLS: Final = (
    # From plotly's own page and its renderers; plotly 5 wrote the second one.
    "https://cdnjs.cloudflare.com/ajax/libs/mathjax/3.2.2/es5/tex-svg.min.js",
    "https://cdnjs.cloudflare.com/ajax/libs/mathjax/2.7.5/MathJax.js?config=TeX-AMS-MML_SVG",
)
_FONT_AWESOME_URLS: Final = ("https://maxcdn.bootstrapcdn.com/font-awesome/4.4.0/css/font-awesome.min.css",)
# The nine buttons of matplotlib's animation player, whose icon font no package contains.
_PLAYER_ICONS: Final = """\
.fa::before{font-style:normal;font-weight:700;content:"?"}.fa-minus::before{content:"\\2212"}
.fa-plus::before{content:"+"}.fa-fast-backward::before{content:"\\23EE\\FE0E"}
.fa-step-backward::before{content:"\\25C2\\2759"}.fa-play::before{content:"\\25B6\\FE0E"}
.fa-pause::before{content:"\\2759\\2759"}.fa-step-forward::before{content:"\\2759\\25B8"}
.fa-fast-forward::before{content:"\\23ED\\FE0E"}.fa-flip-horizontal{display:inline-block;transform:scaleX(-1)}
"""


@dataclass(frozen=True)
class Inlined:
    """The form in which a library writes a whole file into a page.

    Attributes:
        form: "element" if the text is the whole content of a script or style element except for comments; "call" if it
            is an argument between `before` and `after`, which are then replaced by `replacement` with `{url}` filled
            in.
    """

    text: str
    form: str = "element"
    before: str = ""
    after: str = ""
    replacement: str = ""

    def describe(self) -> dict[str, Any]:
        """Returns what identifies the text in a page without containing it: its start, length and digest."""
        return {
            "form": self.form,
            "head": self.text[:_HEAD],
            "length": len(self.text),
            "sha256": hashlib.sha256(self.text.encode()).hexdigest(),
            "before": self.before,
            "after": self.after,
            "replacement": self.replacement,
        }


@dataclass(frozen=True)
class Asset:
    """One file of a library; `name` is used by our own template, `urls` are those from which pages would load it."""

    name: str
    kind: str
    text: str
    urls: tuple[str, ...]
    inlined: tuple[Inlined, ...] = ()


def collect_bokeh() -> Iterator[Asset]:
    """Yields BokehJS and its parts; a minified file also replaces the unminified one."""
    from bokeh.resources import Resources  # noqa: PLC0415

    directory = Resources(mode="absolute").base_dir
    for path in sorted(Path(directory).glob("*/bokeh*.min.*")):
        kind, part = path.suffix[1:], path.name.split(".")[0]
        if kind not in {"js", "css"}:
            continue
        files = [Resources(mode="cdn", minified=small, components=[part]) for small in (True, False)]
        urls = tuple(getattr(each, f"{kind}_files")[-1] for each in files)
        text = path.read_bytes().decode()
        yield Asset(name=part, kind=kind, text=text, urls=urls, inlined=(Inlined(text),))


def collect_plotly() -> Iterator[Asset]:
    """Yields plotly.js."""
    from plotly.io._utils import plotly_cdn_url  # noqa: PLC0415
    from plotly.offline import get_plotlyjs  # noqa: PLC0415

    text, url = get_plotlyjs(), plotly_cdn_url()
    # The notebook renderer imports the address without its suffix; hand-written pages often use "latest".
    urls = (url, url.removesuffix(".js"), "https://cdn.plot.ly/plotly-latest.min.js")
    yield Asset(name="plotly", kind="js", text=text, urls=urls, inlined=(Inlined(text),))


def collect_mathjax() -> Iterator[Asset]:
    """Yields MathJax for plotly's labels, or an empty substitute, with which labels show their TeX."""
    found = importlib.util.find_spec("mathjax")
    folders = list(found.submodule_search_locations or ()) if found else []
    paths = [Path(folder) / "static" / "mathjax" / "es5" / "tex-svg.js" for folder in folders]
    text = next((path.read_text(encoding="utf-8") for path in paths if path.is_file()), "/* no MathJax here */")
    yield Asset(name="mathjax", kind="js", text=text, urls=_MATHJAX_URLS)


def collect_itables() -> Iterator[Asset]:
    """Yields itables' DataTables bundle, which pages contain as base64 for offline use."""
    from itables import options, utils  # noqa: PLC0415

    script = Path(options.dt_bundle)
    for path, function, replacement in (
        (script, "injectModule", 'import("{url}")'),
        (
            script.with_suffix(".css"),
            "injectCSS",
            'document.head.append(Object.assign(document.createElement("link"), {rel: "stylesheet", href: "{url}"}))',
        ),
    ):
        kind = path.suffix[1:]
        pages = {options.dt_url, utils.UNPKG_DT_BUNDLE_URL, utils.UNPKG_DT_BUNDLE_URL_NO_VERSION}
        urls = tuple(sorted(f"{url.removesuffix('.js')}.{kind}" for url in pages))
        text = path.read_text(encoding="utf-8")
        encoded = base64.b64encode(text.encode()).decode()
        call = Inlined(encoded, form="call", before=f'{function}("', after='")', replacement=replacement)
        yield Asset(name="itables", kind=kind, text=text, urls=urls, inlined=(call,))


def collect_vega() -> Iterator[Asset]:
    """Yields Vega, Vega-Lite and vega-embed as vl-convert's single bundle.

    Altair's pages load the three in sequence, Vega first. So the bundle replaces Vega, and nothing replaces the other
    two.
    """
    import altair as alt  # noqa: PLC0415
    import vl_convert  # noqa: PLC0415
    from altair.utils._importers import vl_version_for_vl_convert  # noqa: PLC0415

    bundle = vl_convert.javascript_bundle(vl_version=vl_version_for_vl_convert())
    # Charts on one page load it concurrently, and its top-level names must not be declared twice.
    once = f'if (typeof vegaEmbed === "undefined") (() => {{\n{bundle}\n}})();'
    versions = {
        "vega": alt.VEGA_VERSION,
        "vega-lite": alt.VEGALITE_VERSION,
        "vega-embed": alt.VEGAEMBED_VERSION,
    }
    urls = {
        name: tuple(f"{_NPM}/{name}@{version}{end}" for version in (each, each.split(".")[0]) for end in ("", "?noext"))
        for name, each in versions.items()
    }
    yield Asset(name="vega", kind="js", text=once, urls=urls["vega"], inlined=(Inlined(bundle),))
    rest = (*urls["vega-lite"], *urls["vega-embed"], f"{_NPM}/vega-lib?noext")
    yield Asset(name="vega-rest", kind="js", text="/* part of the bundle that stands for Vega */", urls=rest)


def collect_matplotlib() -> Iterator[Asset]:
    """Yields icons for the animation player."""
    yield Asset(name="player-icons", kind="css", text=_PLAYER_ICONS, urls=_FONT_AWESOME_URLS)


_COLLECTORS: Final[tuple[tuple[str, Callable[[], Iterator[Asset]]], ...]] = (
    ("bokeh", collect_bokeh),
    ("plotly", collect_plotly),
    ("plotly", collect_mathjax),
    ("itables", collect_itables),
    ("altair", collect_vega),
    ("matplotlib", collect_matplotlib),
)


def write_index(directory: Path) -> int:
    """Replaces the contents of `directory` by the assets and index.json; returns the number of assets."""
    beside = directory.with_name(f"{directory.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    assets = [_write(asset, beside) for asset in _collect()]
    index = {"version": 1, "assets": assets}
    (beside / "index.json").write_text(json.dumps(index, indent=1), encoding="utf-8")
    shutil.rmtree(directory, ignore_errors=True)
    beside.rename(directory)
    return len(assets)


def _collect() -> Iterator[Asset]:
    for package, collect in _COLLECTORS:
        if importlib.util.find_spec(package) is None:
            continue
        try:
            yield from collect()
        # If a version keeps its files elsewhere, only that library's pages lose their assets.
        except (ImportError, AttributeError, OSError, ValueError) as error:
            sys.stderr.write(f"No assets of {package}: {type(error).__name__}: {error}\n")


def _write(asset: Asset, directory: Path) -> dict[str, Any]:
    content = asset.text.encode()
    digest = hashlib.sha256(content).hexdigest()
    (directory / f"{digest}.{asset.kind}").write_bytes(content)
    return {
        "name": asset.name,
        "kind": asset.kind,
        "sha256": digest,
        "bytes": len(content),
        "urls": list(dict.fromkeys(asset.urls)),
        "inlined": [each.describe() for each in asset.inlined],
    }


if __name__ == "__main__":
    count = write_index(Path(sys.argv[1]))
    sys.stdout.write(f"{count} assets\n")
