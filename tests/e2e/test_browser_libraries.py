"""Every display library draws in the sandboxed frame under the result's CSP, and offline in a download."""

import http.server
import io
import json
import re
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import renderer
from django.core.management import call_command
from django.http import HttpResponse, QueryDict
from renderer import assets
from renderer.assets import CONTENT_TYPES
from vizkit import STATIC_DIR

from apps.visualizations.library_handover import start
from apps.visualizations.services.assets import assets_publish, inline_assets_bytes
from apps.visualizations.views.content import confine_result
from tests.chromium import chromium
from vizportal.settings import BASE_DIR

pytestmark = [pytest.mark.browser, pytest.mark.kernel]
ENVIRONMENT = BASE_DIR / ".environments" / "base"
CHILD = Path(renderer.__file__).parent / "child"
# All assets that results refer to: the environment's libraries and the common page assets.
PATHS = assets.asset_paths(ENVIRONMENT / "bin" / "python", [STATIC_DIR])
# Runs cells in a real kernel with our defaults (or the libraries' own), and exports them as a render does.
RENDER = f"""
import json, sys
sys.path.insert(0, {str(CHILD)!r})
from pathlib import Path
import nbformat
from nbclient import NotebookClient
from render_child.page import export
order = json.load(sys.stdin)
cells = [nbformat.v4.new_code_cell(text) for text in order["cells"]]
if order["defaults"]:
    text = (f"import sys; sys.path.insert(0, {str(CHILD)!r}); import {{order['library']}}\\n"
        "from render_child.page import display_defaults; display_defaults.configure()")
    cells.insert(0, nbformat.v4.new_code_cell(text, metadata={{"tags": ["vizportal-inputs"]}}))
notebook = nbformat.v4.new_notebook(cells=cells)
NotebookClient(notebook, timeout=120).execute()
export.configure(Path({str(ENVIRONMENT)!r}, "share", "vizportal", "assets", "index.json"))
Path(order["path"]).write_text(export.export_html(notebook, order["library"]), encoding="utf-8")
"""
BOKEH_FIGURE = "from bokeh.plotting import figure\np = figure(width=300, height=200)\np.line([1, 2], [2, 1])\n"
BOKEH_TABLE = """
from bokeh.models import ColumnDataSource, DataTable, TableColumn
show(DataTable(source=ColumnDataSource({"a": [1]}), columns=[TableColumn(field="a")], width=200, height=80))
"""
FRAME = 'import pandas as pd\ndf = pd.DataFrame({"animal": ["cat", "dog"] * 20, "x": range(40), "y": range(40)})\n'
CASES = {
    "bokeh-notebook": [
        BOKEH_FIGURE + "from bokeh.io import output_notebook, show\noutput_notebook()\nshow(p)",
        BOKEH_TABLE,
    ],
    "bokeh-html": [
        BOKEH_FIGURE + "from bokeh.embed import file_html, components\nfrom bokeh.resources import CDN, INLINE\n"
        "from IPython.display import HTML\nHTML(file_html(p, INLINE, 'x'))",
        BOKEH_FIGURE + "HTML(file_html(p, CDN, 'x'))",
        BOKEH_FIGURE + "HTML(''.join(components(p)))",
    ],
    "plotly": [
        "import plotly.express as px\nfig = px.scatter(x=[1, 2], y=[2, 1])\nfig.show()",
        "fig",
        "from IPython.display import HTML\nHTML(fig.to_html())",
        "HTML(fig.to_html(include_plotlyjs='cdn', full_html=False))",
        "fig.show(renderer='notebook_connected')",
        "px.line(y=[1, 2], title=r'$\\alpha^2$')",
    ],
    "altair": [
        FRAME + "import altair as alt\nalt.Chart(df).mark_bar().encode(x='x:O', y='y')",
        "alt.Chart(df).mark_line().encode(x='x', y='y')",
        "from IPython.display import HTML\nHTML(alt.Chart(df).mark_point().encode(x='x', y='y').to_html(inline=True))",
    ],
    "itables": [
        FRAME + "import itables\nitables.show(df)",
        "itables.init_notebook_mode()\ndf",
    ],
    "itables-offline": [FRAME + "import itables\nitables.init_notebook_mode(connected=False)\ndf"],
}
# A selector and its number of matches once everything has been drawn.
DRAWN = {
    "bokeh-notebook": (".bk-Figure canvas, .bk-DataTable .slick-row", 2),
    "bokeh-html": (".bk-Figure canvas", 3),
    # Five charts with two points, a line, and a title set by MathJax.
    "plotly": (".scatterlayer path.point, .scatterlayer path.js-line, .gtitle-math-group svg", 12),
    "altair": (".vega-embed svg.marks path", 3),
    "itables": ("table.dataTable tbody td", 40),
    "itables-offline": ("table.dataTable tbody td", 20),
}


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves a page with a sandboxed frame, the result and the assets, and records the served assets."""

    def do_GET(self):
        name = self.path.lstrip("/")
        if name.startswith("frame/"):
            body, headers = f'<iframe sandbox="allow-scripts" src="/{name[6:]}" width=1200 height=3000></iframe>', {}
            self.answer(body.encode(), {"Content-Type": "text/html"})
        elif name.startswith("handed/"):
            body = (
                f'<script src="/result-frames.js" data-origin="" defer></script>'
                f'<iframe data-themed title=a-result sandbox="allow-scripts" src="/{name[7:]}?libraries=parent" '
                "width=1200 height=3000>"
            )
            self.answer(body.encode(), {"Content-Type": "text/html"})
        elif name == "result-frames.js":
            script = BASE_DIR / "static" / "js" / "result-frames.js"
            self.answer(script.read_bytes(), {"Content-Type": CONTENT_TYPES["js"]})
        elif name.startswith("assets/"):
            self.server.served.append(name)
            path = PATHS[name[7:]]
            headers = {
                "Access-Control-Allow-Origin": "*",
                "Cross-Origin-Resource-Policy": "cross-origin",
                "Cache-Control": "public, max-age=31536000, immutable",
            }
            self.answer(path.read_bytes(), {"Content-Type": CONTENT_TYPES[path.suffix[1:]], **headers})
        elif name.partition("?")[0] in self.server.pages:
            response = HttpResponse(content_type="text/html; charset=utf-8")
            confine_result(response, f"http://{self.headers['Host']}")
            before = start(QueryDict("libraries=parent")) if name.endswith("?libraries=parent") else b""
            self.answer(before + self.server.pages[name.partition("?")[0]].read_bytes(), dict(response.items()))
        else:
            self.send_error(404)

    def answer(self, body, headers):
        self.send_response(200)
        for key, value in {**headers, "X-Content-Type-Options": "nosniff", "Content-Length": len(body)}.items():
            self.send_header(key, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.pages, server.served = {}, []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        yield SimpleNamespace(
            address=address, pages=server.pages, served=server.served, folder=tmp_path_factory.mktemp("pages")
        )
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser():
    with chromium() as launched:
        yield launched


@pytest.fixture
def render(site):
    """Runs the cells of a case; returns the name of the page on the site and its file."""

    def run(case, *, defaults):
        name = f"{case}-{defaults}.html"
        if name not in site.pages:
            path = site.folder / name
            library = case.split("-", maxsplit=1)[0]
            order = {"cells": CASES[case], "defaults": defaults, "library": library, "path": str(path)}
            call = [ENVIRONMENT / "bin" / "python", "-I", "-c", RENDER]
            text = json.dumps(order)
            done = subprocess.run(call, input=text, text=True, capture_output=True, cwd=site.folder, check=False)
            assert done.returncode == 0, done.stderr[-2000:]
            site.pages[name] = path
        return name, site.pages[name]

    return run


@pytest.fixture
def page(browser, site):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    opened.asked, opened.wrong = [], []
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.on("pageerror", lambda error: opened.wrong.append(str(error)))
    opened.on("console", lambda line: opened.wrong.append(line.text) if "Content Security" in line.text else None)
    yield opened
    context.close()


def assert_drawn(frame, case):
    selector, count = DRAWN[case]
    frame.locator(selector).nth(count - 1).wait_for(state="attached", timeout=60_000)
    pixels = "(each) => each.getContext('2d').getImageData(0, 0, each.width, each.height).data.some((value) => value)"
    # BokehJS puts an empty canvas over each painted one.
    painted = [canvas.evaluate(pixels) for canvas in frame.locator("canvas").all()]
    assert sum(painted) >= len(painted) / 2


@pytest.mark.parametrize("defaults", [True, False], ids=["our-defaults", "its-own-defaults"])
@pytest.mark.parametrize("case", CASES)
def test_library_draws_in_the_sandboxed_frame(render, site, page, case, defaults):
    name, path = render(case, defaults=defaults)
    assert path.stat().st_size < 150_000
    page.goto(f"{site.address}/frame/{name}")
    assert_drawn(page.frame_locator("iframe"), case)
    assert page.wrong == []
    # Requests for data: URLs and blobs do not leave the page.
    elsewhere = [url for url in page.asked if not url.startswith((site.address, "data:", "blob:"))]
    assert elsewhere == []
    loaded = [url for url in page.asked if "/assets/" in url]
    assert loaded
    assert all(re.search(r"/assets/[0-9a-f]{64}\.(js|css)$", url) for url in loaded)


@pytest.mark.parametrize("case", CASES)
def test_library_is_loaded_once_and_then_cached(render, site, page, case):
    name, _ = render(case, defaults=True)
    site.served.clear()
    page.goto(f"{site.address}/handed/{name}")
    assert_drawn(page.frame_locator("iframe"), case)
    assert site.served
    assert len(site.served) == len(set(site.served)), "loaded twice"
    site.served.clear()
    # A new page, such as another run's step, shares only the browser's cache.
    page.goto("about:blank")
    page.goto(f"{site.address}/handed/{name}")
    assert_drawn(page.frame_locator("iframe"), case)
    assert site.served == []
    assert page.wrong == []


@pytest.fixture
def chart(site, tmp_path):
    """Puts a page with a chart on the site and returns its name."""
    (tmp_path / "h.json").write_text('{"loss": [0.9, 0.5], "val_loss": [0.8, 0.85]}')
    path = tmp_path / "chart.html"
    call_command("visualize", "learning_curves", source=str(tmp_path / "h.json"), output=path, stdout=io.StringIO())
    site.pages["chart.html"] = path
    return "chart.html"


def test_chart_is_saved_through_the_surrounding_page(chart, site, page):
    page.goto(f"{site.address}/handed/{chart}")
    frame = page.frame_locator("iframe")
    frame.locator(".vk-figure[data-painted]").wait_for()
    saved = {}
    for kind, words in (("png", "Save as PNG"), ("svg", "Save as SVG"), ("csv", "as CSV"), ("json", "specification")):
        frame.get_by_label("Save or change this chart").click()
        with page.expect_download() as download:
            frame.get_by_role("button", name=words).click()
        assert download.value.suggested_filename == f"a-result.{kind}"
        saved[kind] = Path(download.value.path()).read_bytes()
    assert saved["png"].startswith(b"\x89PNG")
    assert saved["svg"].startswith(b"<svg")
    assert saved["csv"].decode().splitlines() == [
        "Curve,epoch,loss",
        "training,1,0.9",
        "training,2,0.5",
        "validation,1,0.8",
        "validation,2,0.85",
    ]
    assert len(json.loads(saved["json"])["data"]["values"]) == len(saved["csv"].splitlines()) - 1


def test_frame_without_user_action_saves_and_loads_nothing(chart, site, page):
    page.goto(f"{site.address}/handed/{chart}")
    page.frame_locator("iframe").locator(".vk-figure[data-painted]").wait_for()
    downloads = []
    page.on("download", lambda each: downloads.append(each.url))
    site.served.clear()
    page.frames[1].evaluate(
        """() => new Promise((done) => {
          addEventListener("message", (event) => { if (event.data?.vizportalGiven) done(); });
          parent.postMessage({ vizportalSave: { kind: "csv", bytes: new ArrayBuffer(9) } }, "*");
          parent.postMessage({ vizportalLibraries: ["/accounts/", "//evil.test/a.js", "/assets/x.js", 3] }, "*");
        })"""
    )
    assert downloads == []
    assert [url for url in page.asked if "evil" in url or "accounts" in url] == []


@pytest.mark.parametrize("case", CASES)
def test_downloaded_result_draws_offline(render, page, settings, tmp_path, case):
    settings.MEDIA_ROOT = tmp_path / "results"
    settings.VIZPORTAL_DATA_DIR = tmp_path
    assets_publish(ENVIRONMENT)
    _, path = render(case, defaults=True)
    whole = tmp_path / "download.html"
    whole.write_bytes(inline_assets_bytes(path.read_bytes()))
    page.context.set_offline(True)
    page.goto(whole.as_uri())
    assert_drawn(page, case)
    assert page.wrong == []
    assert [url for url in page.asked if not url.startswith(("data:", "blob:"))] == [whole.as_uri()]
