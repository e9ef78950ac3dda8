"""HTML, Markdown, notebooks and Vega-Lite specifications of a step are shown in their own form."""

import json
import re

import nbformat
import pytest

from packages.vizkit.tests.drawn import specs

pytestmark = pytest.mark.kernel
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000 1f15c4890000000d49444154789c63606060f80f0001040100"
    " 5fe5c34b0000000049454e44ae426082"
)


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "source"
    found.mkdir()
    (found / "p.png").write_bytes(PNG)
    (tmp_path / "secret.png").write_bytes(PNG)
    return found


@pytest.fixture
def shown(draw):
    def shown(key, source, **given):
        outcome, page = draw(key, source, **given)
        assert outcome.state == "succeeded", outcome.traceback
        return page.partition("<main>")[2].partition("</main>")[0]

    return shown


@pytest.fixture
def refused(draw):
    def refused(key, source, **given):
        outcome, _ = draw(key, source, **given)
        assert outcome.state == "failed"
        assert outcome.reason == "user_error"
        return outcome.message

    return refused


def test_html_includes_only_files_of_its_own_folder(shown, folder):
    (folder / "a.html").write_text(
        "<title>A &amp; b</title><base href='http://x/'><meta http-equiv='refresh' content='0;url=http://x'>"
        "<img src='p.png'><img src='../secret.png'><img src='/etc/passwd'><script>var own = 1</script>"
    )
    page = shown("html", folder)
    assert page.count("data:image/png") == 1
    assert "../secret.png" in page
    assert "<base" not in page
    assert "refresh" not in page
    assert "var own = 1" in page
    assert 'aria-label="A &amp; b"' in page


def test_html_names_its_external_hosts_if_it_has_any(shown, folder):
    known = "https://cdn.plot.ly/plotly-99.0.0.min.js"
    (folder / "a.html").write_text(f"<script src='{known}'></script><link rel=stylesheet href='//fonts.test/a.css'>")
    page = shown("html", folder / "a.html")
    assert "Parts from cdn.plot.ly, fonts.test are missing, because a result has no network access" in page
    (folder / "a.html").write_text("<p>Nothing <a href='https://x.test'>but a link</a>")
    assert "would load" not in shown("html", folder / "a.html")


@pytest.mark.browser
def test_plotly_page_for_the_cdn_is_drawn_offline(draw, opened, folder):
    from packages.vizkit.tests.independent import compute

    code = "import plotly.express as px; px.line(y=[1, 3, 2]).write_html('f.html', include_plotlyjs='cdn'); answer = 1"
    compute("base", code, folder)
    found = opened(draw("html", folder / "f.html")[1])
    found.page.wait_for_selector(".js-line")
    assert found.faults == []


def test_index_or_named_file_is_shown_of_several_html_files(shown, refused, folder):
    (folder / "b.html").write_text("second")
    (folder / "a.html").write_text("first")
    both = shown("html", folder)
    assert both.index("a.html") < both.index("first") < both.index("second")
    assert "second" not in shown("html", folder, file="a.html")
    assert 'There is no "c.html" in the source. There are: a.html, b.html.' in refused("html", folder, file="c.html")
    (folder / "index.html").write_text("the index")
    assert "first" not in shown("html", folder)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_front_matter_of_a_model_card_is_shown_as_code(shown, tmp_path, end):
    card = end.join(
        ["---", "license: mit", "tags:", "- tabular", "---", "# Model", "", "---", "", "It costs $5 or $10."]
    )
    (tmp_path / "README.md").write_text(card, newline="")
    page = shown("markdown", tmp_path / "README.md")
    assert len(re.findall(r"<h\d", page)) == 1
    assert re.search(r"<pre[^<>]*>(?:<[^<>]*>)*license", page)
    assert "<hr" in page
    assert "It costs $5 or $10." in page


def test_markdown_renders_tables_math_code_and_pictures(shown, folder):
    (folder / "card.md").write_text(
        "# Card\n\n| a | b |\n|---|---|\n| 1 | x |\n\n$\\frac{1}{2}$\n\n```python\nprint(1)\n```\n\n"
        "![p](p.png) ![s](../secret.png)\n"
    )
    page = shown("markdown", folder)
    for mark in ('<h1 id="card">Card</h1>', "<td>x</td>", "<mfrac>", "t-b", "data:image/png", "../secret.png"):
        assert mark in page
    assert page.count("data:image/png") == 1


def test_notebook_is_shown_without_running_it(shown, folder):
    made = nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_markdown_cell("# Title\n\n![x](attachment:a.png)",
            attachments={"a.png": {"image/png": "iVBORw0KGgo="}}),
        nbformat.v4.new_code_cell("raise SystemExit('<ran>')", execution_count=7, outputs=[
            nbformat.v4.new_output("stream", name="stdout", text="saved & <shown>\n"),
            nbformat.v4.new_output("display_data", data={"text/html": "<b>rich</b>"})]),
        nbformat.v4.new_raw_cell("raw <i>"),
    ])  # fmt: skip
    (folder / "a.ipynb").write_text(nbformat.writes(made))
    page = shown("notebook", folder / "a.ipynb")
    for mark in (
        '<h1 id="title">Title</h1>',
        "SystemExit",
        "saved &amp; &lt;shown&gt;",
        "<b>rich</b>",
        "raw &lt;i&gt;",
    ):
        assert mark in page
    assert "data:image/png;base64,iVBORw0KGgo=" in page
    hidden = shown("notebook", folder / "a.ipynb", show_code=False)
    assert "SystemExit" not in hidden
    assert "saved" in hidden


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is not JSON"),
        ("no json", "it is not JSON (Expecting value: line 1 column 1"),
        ("[" * 100_000, "it is nested too deeply"),
        ("{}", "a part of it"),
        ('{"cells": 3, "nbformat": 4}', "a part of it"),
        ('{"nbformat": 3, "worksheets": 1}', "a part of it"),
        ('["nbformat"]', "a part of it"),
    ],
    ids=lambda value: value[:30],
)
def test_invalid_notebook_is_explained(refused, folder, text, words):
    (folder / "a.ipynb").write_text(text)
    said = refused("notebook", folder / "a.ipynb")
    assert "The file is not a Jupyter notebook: " in said
    assert words in said
    assert "attribute" not in said


SPEC = {"mark": "bar", "data": {"values": [{"a": "</script><b>", "b": 2}]}, "encoding": {"x": {"field": "a"}}}


def spec_of(page):
    (spec,) = specs(page)
    return spec


def test_vega_lite_data_is_inline_or_in_a_neighbouring_file(shown, folder):
    (folder / "a.vl.json").write_text(json.dumps(SPEC))
    assert spec_of(shown("vega_lite", folder)) == SPEC
    (folder / "rows.csv").write_text("a,b\nx,1\n")
    (folder / "rows.json").write_text('[{"a": 1}]')
    layers = {"layer": [{"mark": "bar", "data": {"url": "rows.csv"}}, {"mark": "line", "data": {"url": "./rows.json"}}]}
    (folder / "a.vl.json").write_text(json.dumps(layers))
    first, second = [layer["data"] for layer in spec_of(shown("vega_lite", folder))["layer"]]
    assert first == {"values": "a,b\nx,1\n", "format": {"type": "csv"}}
    assert second == {"values": [{"a": 1}], "format": {"type": "json"}}


@pytest.mark.parametrize("url", ["https://x.test/a.csv", "../secret.png", "/etc/passwd", "none.csv", 3])
@pytest.mark.parametrize("place", ["top", "layer", "lookup"])
def test_vega_lite_data_from_elsewhere_is_refused(refused, folder, url, place):
    data = {"data": {"url": url}}
    spec = {
        "top": {"mark": "bar", **data},
        "layer": {"hconcat": [{"layer": [{"mark": "bar", **data}]}]},
        "lookup": {**SPEC, "transform": [{"lookup": "a", "from": {**data, "key": "a"}}]},
    }[place]
    (folder / "a.json").write_text(json.dumps(spec))
    assert "a result has no network access" in refused("vega_lite", folder / "a.json")


@pytest.mark.parametrize(
    ("text", "words"),
    [("[]", "not a JSON object"), ("{}", "not a Vega-Lite"), ("{", "is not JSON"), ("[" * 99_999, "is not JSON")],
)
def test_invalid_vega_lite_specification_is_explained(refused, folder, text, words):
    (folder / "a.json").write_text(text)
    assert words in refused("vega_lite", folder / "a.json")


@pytest.mark.browser
def test_chart_is_drawn_in_both_themes_and_errors_are_shown(draw, opened, folder):
    (folder / "a.json").write_text(json.dumps({**SPEC, "description": "Bars of a"}))
    found = opened(draw("vega_lite", folder / "a.json")[1])
    found.page.wait_for_selector("canvas[aria-label='Bars of a']")
    found.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    found.page.wait_for_selector("canvas[aria-label='Bars of a']")
    assert found.faults == []
    assert found.axe() == []
    (folder / "a.json").write_text(json.dumps({**SPEC, "mark": "nonsense"}))
    found = opened(draw("vega_lite", folder / "a.json")[1])
    found.page.wait_for_selector(".error")
    assert "cannot be drawn" in found.page.inner_text("main")
    assert "does not follow the schema of Vega-Lite" in found.page.inner_text("main")
