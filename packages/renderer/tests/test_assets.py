"""An environment's build collects its JavaScript libraries, and pages are rewritten to reference them."""

import hashlib
import json
import subprocess
import time
from pathlib import Path

import pytest
import renderer
from renderer import environments
from renderer.child.render_child.page.assets import AssetIndex

PLOT = "/*! plot */ function plot() { return '<b>'; }"
STYLE = ".plot{color:red}"
PACKED = "cGFja2Vk" * 20


def inlined(text, **more):
    facts = {"form": "element", "before": "", "after": "", "replacement": "", **more}
    return {"head": text[:64], "length": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest(), **facts}


def described(name, kind, digit, urls, *known):
    return {"name": name, "kind": kind, "sha256": digit * 64, "bytes": 1, "urls": urls, "inlined": list(known)}


@pytest.fixture
def index(tmp_path):
    call = inlined(PACKED, form="call", before='load("', after='")', replacement='import("{url}")')
    assets = [
        described(
            "plot", "js", "a", ["https://cdn.plot/plot-1.min.js", "https://cdn.plot/plot-1.min"], inlined(PLOT), call
        ),
        described("plot", "css", "b", ["https://cdn.plot/plot-1.css"], inlined(STYLE)),
        described("part", "js", "c", ["https://cdn.plot/part-1.js"]),
    ]
    path = tmp_path / "index.json"
    path.write_text(json.dumps({"version": 1, "assets": assets}))
    return AssetIndex.load(path)


A, B, C = (f"/assets/{digit * 64}.{kind}" for digit, kind in (("a", "js"), ("b", "css"), ("c", "js")))


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ('<script src="https://cdn.plot/plot-1.min.js"></script>', f'<script src="{A}"></script>'),
        ('<script src="//cdn.plot/plot-1.min.js"></script>', f'<script src="{A}"></script>'),
        ("<link rel=stylesheet href='https://cdn.plot/plot-1.css'/>", f"<link rel=stylesheet href='{B}'/>"),
        (
            '<script async src="https://cdn.plot/part-1.js" integrity="sha256-x=" crossorigin="anonymous"></script>',
            f'<script async src="{C}"></script>',
        ),
        (
            "<script crossorigin integrity='sha384-y' src=\"https://cdn.plot/plot-1.min.js\"></script>",
            f'<script src="{A}"></script>',
        ),
        (
            '<script type="module">import "https://cdn.plot/plot-1.min"; import("https://cdn.plot/part-1.js")</script>',
            f'<script type="module">import "{A}"; import("{C}")</script>',
        ),
        ('x = {"paths": {"plot": "https://cdn.plot/plot-1.min"}}', f'x = {{"paths": {{"plot": "{A}"}}}}'),
        (r"html = \"<script src=\"https://cdn.plot/part-1.js\">\"", rf"html = \"<script src=\"{C}\">\""),
    ],
)
def test_known_cdn_urls_point_to_the_store(index, page, expected):
    assert index.rewrite(page) == expected


@pytest.mark.parametrize(
    "page",
    [
        "<p>See https://cdn.plot/plot-1.min.js for more.</p>",
        '<a href="https://cdn.plot/plot-1.min.js?evil">other</a>',
        '<script src="https://cdn.plot/plot-2.min.js" integrity="sha256-x="></script>',
        '<script src="https://cdn.plots/plot-1.min.js"></script>',
        "<pre>&quot;https://cdn.plot/plot-1.min.js&quot;</pre>",
        "",
        "cdn.plot" * 1000,
    ],
)
def test_everything_else_is_unchanged(index, page):
    assert index.rewrite(page) == page


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (f"<script>{PLOT}</script>", f'<script src="{A}"></script>'),
        (
            f'<div><script type="text/javascript">\n/* BEGIN plot.js */\n{PLOT}\n/* END plot.js */\n</script></div>',
            f'<div><script type="text/javascript" src="{A}"></script></div>',
        ),
        (f"<script>// plot\n{PLOT}</script>", f'<script src="{A}"></script>'),
        (f"<style>\n{STYLE}\n</style>", f'<link rel="stylesheet" href="{B}">'),
        (f'<script>a = load("{PACKED}");</script>', f'<script>a = import("{A}");</script>'),
    ],
)
def test_complete_inline_library_becomes_a_reference(index, page, expected):
    assert index.rewrite(page) == expected


@pytest.mark.parametrize(
    "page",
    [
        f"<script>{PLOT[:-1]};</script>",
        f"<script>before(); {PLOT}</script>",
        f"<script>{PLOT} after();</script>",
        f"<script>run(function() {{ {PLOT} }})</script>",
        f"<pre>{PLOT}</pre>",
        PLOT,
        f'<script>other("{PACKED}")</script>',
        PLOT[:40],
    ],
)
def test_partial_inline_library_is_unchanged(index, page):
    assert index.rewrite(page) == page


def test_library_is_loaded_only_once(index):
    page = (
        f"<script>{PLOT}</script>1<script src='x.js'></script>2"
        '<script src="https://cdn.plot/plot-1.min.js"></script>3'
    )
    assert index.rewrite(page) == f"<script src=\"{A}\"></script>1<script src='x.js'></script>23"
    hidden = f'<!-- <script src="{A}"></script> --><script src="{A}"></script>'
    assert index.rewrite(hidden) == hidden


def test_side_effect_import_becomes_a_script_element(index):
    page = '<script type="module">import "https://cdn.plot/plot-1.min"</script>'
    assert index.rewrite(page) == f'<script src="{A}"></script>'
    assert index.rewrite(page + page) == f'<script src="{A}"></script>'
    named = "<script type=\"module\">import { plot } from 'https://cdn.plot/plot-1.min.js';</script>"
    assert index.rewrite(named) == f"<script type=\"module\">import {{ plot }} from '{A}';</script>"


def test_loader_url_list_becomes_preceding_script_elements(index):
    urls = '["https://cdn.plot/plot-1.min.js", "https://cdn.plot/part-1.js"]'
    page = f"<p></p><script>'use strict'; const js_urls = {urls}; load(js_urls);</script>"
    expected = f'<script src="{A}"></script><script src="{C}"></script><script>\'use strict\'; const js_urls = [];'
    assert index.rewrite(page) == f"<p></p>{expected} load(js_urls);</script>"
    foreign = '<script>const js_urls = ["https://cdn.plot/plot-1.min.js", "https://elsewhere/x.js"];</script>'
    assert f'const js_urls = ["{A}", "https://elsewhere/x.js"]' in index.rewrite(foreign)


def test_60_mb_page_is_rewritten_exactly_and_quickly(index):
    row = "<tr><td class='n'>0.123456</td><td>\"cdn\" /*! plot */ ö</td></tr>\n"
    rows = row * (60_000_000 // len(row))
    tag = '<script src="https://cdn.plot/plot-1.min.js"></script>'
    started = time.monotonic()
    assert index.rewrite(rows) is rows
    untouched_s = time.monotonic() - started
    page = f"{rows[:1000]}{tag}{rows[1000:]}<script>{PLOT}</script>"
    assert index.rewrite(page) == f'{rows[:1000]}<script src="{A}"></script>{rows[1000:]}'
    # Measured 0.2 s; the machine may be busy.
    assert untouched_s < 5


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"assets": [{}]}', '{"assets": 1}'])
def test_invalid_index_raises_value_error(tmp_path, text):
    path = tmp_path / "index.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"index|Expecting"):
        AssetIndex.load(path)


def test_empty_index_rewrites_nothing():
    page = '<script src="https://cdn.plot/plot-1.min.js"></script>'
    assert AssetIndex().rewrite(page) == page
    assert AssetIndex().url("plotly") == ""


@pytest.mark.kernel
def test_environment_build_collects_javascript_of_its_libraries(interpreter, tmp_path):
    script = Path(renderer.__file__).parent / "child" / "render_child" / "page" / "asset_index.py"
    directory = tmp_path / "share" / "assets"
    for _ in range(2):
        subprocess.run([interpreter, "-I", script, directory], check=True, capture_output=True)
    assets = json.loads((directory / "index.json").read_text())["assets"]
    assert {each["name"] for each in assets} >= {"bokeh", "bokeh-widgets", "bokeh-tables", "plotly", "itables", "vega"}
    for each in assets:
        content = (directory / f"{each['sha256']}.{each['kind']}").read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (each["sha256"], each["bytes"])
        assert each["urls"]
        assert all(url.startswith("https://") for url in each["urls"])
    assert len(list(directory.iterdir())) == len({each["sha256"] for each in assets}) + 1
    addresses = [url for each in assets for url in each["urls"]]
    assert len(addresses) == len(set(addresses))
    built = json.loads((environments.assets_dir(interpreter) / "index.json").read_text())
    assert {each["sha256"] for each in built["assets"]} == {each["sha256"] for each in assets}
