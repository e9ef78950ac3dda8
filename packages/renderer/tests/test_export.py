"""From a notebook to a page, by the environment's own interpreter."""

import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest
import renderer
from renderer import environments

pytestmark = pytest.mark.kernel
CHILD = Path(renderer.__file__).parent / "child"
SERVE = f"""
import json, sys, time
sys.path.insert(0, {str(CHILD)!r})
from pathlib import Path
from render_child.page import export
export.warm()
for line in sys.stdin:
    order = json.loads(line)
    export.configure(Path(order["index"]) if order["index"] else None)
    before = json.dumps(order["notebook"])
    times = []
    for _ in range(order["times"]):
        started = time.perf_counter()
        page = getattr(export, order["function"])(order["notebook"], order["title"])
        times.append(time.perf_counter() - started)
    assert json.dumps(order["notebook"]) == before
    print(json.dumps([page, min(times)]), flush=True)
"""


@pytest.fixture(scope="module")
def exporter(interpreter):
    process = subprocess.Popen(
        [interpreter, "-I", "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    yield process
    process.stdin.close()
    assert process.wait(20) == 0
    process.stdout.close()


@pytest.fixture
def export(exporter):
    """Exports the outputs of one cell; returns the page."""

    def ask(*outputs, title="Title", index="", function="export_html", times=1, **cell):
        code = {"cell_type": "code", "source": "x = 1", "metadata": {}, "outputs": list(outputs), **cell}
        inputs = {**code, "source": "secret inputs", "metadata": {"tags": ["vizportal-inputs"]}, "outputs": []}
        order = {
            "notebook": {"cells": [inputs, code]},
            "title": title,
            "index": str(index),
            "function": function,
            "times": times,
        }
        exporter.stdin.write(json.dumps(order) + "\n")
        exporter.stdin.flush()
        page, ask.seconds = json.loads(exporter.stdout.readline())
        return page

    return ask


@pytest.fixture
def body(export):
    """The same, but only what lies between `<main>` and `</main>`."""
    return lambda *outputs, **more: re.search(r"<main>(.*?)</main>", export(*outputs, **more), re.DOTALL)[1].strip()


def shown(**data):
    return {"output_type": "display_data", "data": {mime(name): value for name, value in data.items()}, "metadata": {}}


def mime(name):
    known = {"html": "text/html", "plain": "text/plain", "markdown": "text/markdown", "latex": "text/latex"}
    kinds = {"json": "application/json", "js": "application/javascript", "pdf": "application/pdf"}
    images = {"png": "image/png", "webp": "image/webp", "svg": "image/svg+xml"}
    vendor = {
        "widget": "application/vnd.jupyter.widget-view+json",
        "plotly": "application/vnd.plotly.v1+json",
        "vegalite": "application/vnd.vegalite.v6+json",
    }
    return {**known, **kinds, **images, **vendor}.get(name, name)


def printed(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"html": "<b>h</b>", "png": "AA==", "plain": "p", "widget": {}}, '<div class="rich"><b>h</b></div>'),
        ({"html": ["<b>", "h</b>"]}, '<div class="rich"><b>h</b></div>'),
        ({"png": "AA\n==", "plain": '<"F">'}, '<img src="data:image/png;base64,AA==" alt="&lt;&quot;F&quot;&gt;">'),
        ({"webp": "AA=="}, '<img src="data:image/webp;base64,AA==" alt="figure">'),
        ({"svg": "<svg></svg>", "plain": "p"}, '<div class="rich"><svg></svg></div>'),
        ({"json": {"a": ["<ö>"]}}, '<pre>{\n "a": [\n  "&lt;ö&gt;"\n ]\n}</pre>'),
        ({"plain": "<p> & 'q'"}, "<pre>&lt;p&gt; &amp; 'q'</pre>"),
        ({"js": "a('</script>')", "plain": "p"}, r"<script>a('<\/script>')</script>"),
        ({"pdf": "QUJD" * 1000}, '<p class="quiet">A PDF document (3 kB), which is kept in the notebook.</p>'),
        ({"x/y": 1}, '<p class="quiet">An output of type x/y, which cannot be drawn here.</p>'),
        ({"application/vnd.bokehjs_load.v0+json": ""}, None),
        ({}, None),
    ],
)
def test_the_richest_form_is_shown(body, data, expected):
    section = f'<section class="output">{expected}</section>'
    assert body(shown(**data)) == (section if expected else "<p>The code ran and showed nothing.</p>")


def test_javascript_that_wants_its_place_gets_it(body):
    assert "var element = document.currentScript.previousElementSibling" in body(shown(js="element.append('x')"))


def test_a_widget_is_a_quiet_line_with_its_text(body):
    page = body(shown(widget={"model_id": "1"}, plain="IntSlider(value=4)"))
    assert 'class="quiet"' in page
    assert "<pre>IntSlider(value=4)</pre>" in page
    assert "needs a running kernel" in page


@pytest.mark.parametrize("name", ["plotly", "vegalite"])
def test_data_for_a_library_is_drawn_where_the_store_has_it(body, interpreter, name):
    index = environments.assets_dir(interpreter) / "index.json"
    figure = {"data": [{"y": [1], "name": "</script><b>"}], "layout": {}}
    drawn = body(shown(**{name: figure, "plain": "Figure()"}), index=index)
    assert re.search(r'<script src="/assets/[0-9a-f]{64}\.js"></script>', drawn)
    assert "\\u003c/script>" in drawn
    assert "<pre>" not in drawn
    assert body(shown(**{name: figure, "plain": "Figure()"})) == '<section class="output"><pre>Figure()</pre></section>'


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        (r"$\displaystyle x^{2}$", '<span class="math"><math'),
        (r"\begin{align} a &= b \end{align}", "<mtable"),
        (r"Mean $\bar x$ and more", "Mean <math"),
        (r"$\nosuchcommand{x}$", r'<code class="tex">\nosuchcommand{x}</code>'),
        (r"$\frac{1$", r'<code class="tex">\frac{1</code>'),
        (r"\begin{tabular}{l} <a> \end{tabular}", r'<pre class="tex">\begin{tabular}{l} &lt;a&gt; \end{tabular}</pre>'),
    ],
)
def test_math_is_mathml_or_its_source(body, tex, expected):
    assert expected in body(shown(latex=tex, plain="p"))


def test_markdown_draws_its_math_tables_and_code(body):
    text = "**b** $x^2$ costs \\$5\n\n$$y$$\n\n| a |\n|---|\n| 1 |\n\n```python\nif x: pass\n```\n"
    page = body(shown(markdown=text + "![lost](attachment:a.png)"))
    for piece in ("<strong>b</strong>", "<msup>", 'display="block"', "costs $5", "<td>1</td>", "<em>lost</em>"):
        assert piece in page
    assert '<span class="t-k">if </span>' in page


def test_an_error_and_stderr_look_like_what_they_are(body):
    error = {"output_type": "error", "ename": "KeyError", "evalue": "<k>", "traceback": ["\x1b[31mline\x1b[0m 1"]}
    page = body(printed("out"), printed("warn\n", "stderr"), printed("ing", "stderr"), error)
    assert '<div class="stdout"><pre>out</pre></div>' in page
    assert '<div class="stderr"><pre>warn\ning</pre></div>' in page
    assert "<strong>KeyError: &lt;k&gt;</strong>" in page
    assert '<span class="ansi-red-fg">line</span> 1' in page


def test_long_text_is_folded_in_the_middle_and_all_there(body):
    page = body(printed("".join(f"line {number}\n" for number in range(1000))))
    assert "950 more lines" in page
    assert re.findall(r"line (\d+)", page) == [str(number) for number in range(1000)]
    assert "<details" not in body(printed("x\n" * 50))


def test_a_progress_bar_is_its_last_state(body):
    assert "<pre>done 100%\nend</pre>" in body(printed("at 1%\rat 50%\rdone 100%\nend\r\n"))


@pytest.mark.parametrize("data", [{"png": None}, {"markdown": {"a": 1}}, {"plotly": [1]}, {"plain": 5}, {"json": None}])
def test_an_odd_output_does_not_take_the_others_along(body, data):
    assert "<b>fine</b>" in body(shown(**data), shown(html="<b>fine</b>"))


def test_the_page_has_its_title_code_and_messages_and_loads_nothing(export):
    page = export(shown(plain="1"), title="<T> & co", source="def f():\n    return '<x>'  # why")
    assert "<title>&lt;T&gt; &amp; co</title>" in page
    assert "return </span><span class=\"t-s\">'&lt;x&gt;'" in page
    assert "secret inputs" not in page
    script = (environments.PAGE_ASSETS_DIR / "page.js").read_bytes()
    for message in ("vizportalReady", "vizportalTheme", "vizportalHeight", "vizportalBlocked", "vizportalAsk"):
        assert message in script.decode()
    assert f'src="/assets/{hashlib.sha256(script).hexdigest()}.js"' in page
    assert not re.search(r"https?://", page)
    assert set(re.findall(r'(?:src|href)="([^"]*)"', page)) == set(
        re.findall(r"/assets/[0-9a-f]{64}\.(?:js|css)", page)
    )


def test_a_render_that_still_runs_has_the_same_page_without_its_code(export):
    page = export(printed("so far"), function="export_partial")
    assert "so far" in page
    assert "<summary>Code" not in page
    assert "Nothing has been shown yet." in export(function="export_partial")


def test_a_warm_export_takes_milliseconds_and_a_big_one_copies_nothing(export):
    table = "<table>" + "<tr><td>1.5</td></tr>" * 1000 + "</table>"
    export(printed("text"), shown(html=table), shown(markdown="$x$"), times=20)
    # Measured 1 ms; the machine may be busy.
    assert export.seconds < 0.5
    export(shown(html="<p>row</p>" * 2_000_000), times=2)
    assert export.seconds < 3
