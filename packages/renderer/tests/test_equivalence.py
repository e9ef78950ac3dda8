"""A notebook gives the same outputs in a forked child and with plain nbclient and ipykernel."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import renderer

from tests.outcomes import notebook_of

pytestmark = [pytest.mark.kernel, pytest.mark.slow]
CHILD = Path(renderer.__file__).parent / "child"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

# Notebooks that run to the end, as lists of cells.
SOUND = {
    "streams": [
        "print('a'); import sys; print('b', file=sys.stderr); print('c')",
        "print('no newline', end='')",
        "sys.stdout.write('x' * 3)",
        "import os, subprocess\nos.system('echo raw')",
        "subprocess.run(['sh', '-c', 'echo sub; echo bad >&2'])",
        "import ctypes\nctypes.CDLL(None).puts(b'from C'); ctypes.CDLL(None).fflush(None)",
        "import logging\nlogging.warning('logged')",
        "import warnings\nwarnings.warn('careful')",
        "for i in range(3): print(i)",
        "print('é ü 漢字 \\N{GRINNING FACE}')",
        "sys.stderr.write('\\r1/2'); sys.stderr.write('\\r2/2\\n')",
        "import threading\nt = threading.Thread(target=print, args=('thread',)); t.start(); t.join()",
    ],
    "shell": [
        "%%bash\necho out; echo err >&2",
        "!echo shell",
        "lines = !printf 'a\\nb\\n'\nlines",
        "%env VIZ_TEST=1",
        "%%capture caught\nprint(1)\n5",
        "caught.stdout",
        "%%html\n<b>html</b>",
        "%%javascript\n1",
        "%%writefile note.txt\nhello",
        "%cat note.txt",
        "%who_ls",
        "%precision 3\n3.14159",
        "%%python3\nprint('another')",
        "%load_ext autoreload",
        "print(In[2])",
        "_",
        "1; 2",
        "3;",
        "None",
        "?print",
        "%history -n 2-3",
        "__name__, get_ipython().__class__.__name__",
        "import pickle, sys\nclass Kept: pass\ntype(pickle.loads(pickle.dumps(Kept()))).__name__",
        "'__main__' in sys.modules",
        "import inspect\ndef shown():\n    return 1\nprint(inspect.getsource(shown))",
    ],
    "await": [
        "import asyncio\nawait asyncio.sleep(0)\n5",
        "async def f(): return 3\nawait f()",
        "task = asyncio.create_task(asyncio.sleep(0, 7))",
        "await task",
        "asyncio.get_running_loop().is_running()",
        "async def agen():\n    yield 1\n    yield 2\nasync for x in agen(): print(x)",
        "async with asyncio.timeout(5): print('in time')",
        "async def later():\n    print('later')\n_ = asyncio.ensure_future(later())\nawait asyncio.sleep(0.01)",
    ],
    "rich": [
        "from IPython.display import *\nimport base64",
        "HTML('<b>1</b>')",
        'display(SVG(\'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>\'))',
        "display(Markdown('**m**'), Latex('$x$'), JSON({'a': [1]}), Javascript('1'), Pretty('p'))",
        f"Image(base64.b64decode('{PIXEL}'))",
        f"Image(base64.b64decode('{PIXEL}'), format='jpeg')",
        "Math('x^2')",
        (
            "class Rich:\n    def _repr_mimebundle_(self, **more):\n"
            "        return {'text/plain': 'p', 'text/html': 'h'}, {'text/html': {'isolated': True}}\nRich()"
        ),
        (
            "class Many:\n    def _repr_html_(self): return 'h'\n    def _repr_latex_(self): return '$l$'\n"
            "    def _repr_json_(self): return {'j': 1}\nMany()"
        ),
        "display({'application/x-custom': 'c', 'text/plain': 't'}, raw=True)",
        "display({'application/geo+json': {'type': 'Point'}}, raw=True, metadata={'k': 1})",
        "display('a', 'b', 3)",
        "class Broken:\n    def _repr_html_(self): raise NotImplementedError\nBroken()",
        "IFrame('about:blank', 10, 10)",
        "import pandas as pd\npd.DataFrame({'a': [1, None], 'b': ['x', '<y>']})",
        "pd.Series([1, 2], name='s')",
        "pd.DataFrame({'a': range(100)})",
        "import numpy as np\nnp.arange(5)",
        "import polars as pl\npl.DataFrame({'a': [1], 'b': ['x']})",
        "from sklearn.linear_model import LogisticRegression\nLogisticRegression()",
    ],
    "updates": [
        "handle = display('first', display_id='one')",
        "handle.update('second')",
        "from IPython.display import clear_output, update_display\nupdate_display('third', display_id='one')",
        "print('gone'); clear_output(); print('stays')",
        "print('gone'); clear_output(wait=True); print('stays')",
        "print('kept'); clear_output(wait=True)",
        "display('x', display_id='two'); display('y', display_id='two')",
    ],
    "figures": [
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.title('t'); plt.show()",
        "figure, axes = plt.subplots()\naxes.bar(['a', 'b'], [1, 2])",
        "figure",
        "%matplotlib inline\nplt.figure(); plt.figure()\nprint('two')",
        "%config InlineBackend.figure_format = 'svg'\nplt.plot([2, 1])",
        "plt.savefig('f.png'); plt.close('all')",
        "import seaborn as sns\nsns.scatterplot(x=[1, 2], y=[3, 4])",
    ],
    "libraries": [
        "from bokeh.io import output_notebook, show\nfrom bokeh.plotting import figure\noutput_notebook()",
        "p = figure(width=100, height=100); p.line([1, 2], [3, 4]); show(p)",
        "import plotly.express as px\npx.line(x=[1, 2], y=[3, 4])",
        "px.bar(x=['a'], y=[1]).show()",
        "import altair as alt, pandas as pd",
        "alt.Chart(pd.DataFrame({'a': [1], 'b': [2]})).mark_point().encode(x='a', y='b')",
        "import itables\nitables.init_notebook_mode(connected=True)\npd.DataFrame({'a': [1, 2]})",
    ],
    "widgets": [
        "import ipywidgets as w\nw.IntSlider(value=3)",
        "box = w.VBox([w.Label('l'), w.Text('t')])\nbox",
        "out = w.Output()\nwith out:\n    print('inside')\nout",
        "print(len(out.outputs))",
        "out.append_stdout('more')",
        "w.interact(lambda x: x * 2, x=3)",
        "box.children[1].value = 'changed'",
    ],
}
# Notebooks that stop at a failing cell.
BROKEN = {
    "raise": ["1 / 0", "print('never')"],
    "nested": ["def f():\n    return g()\ndef g():\n    raise KeyError('k')\nf()"],
    "cause": ["try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('v') from e"],
    "syntax": ["x = 1\ndef f(:"],
    "indent": ["if True:\nx"],
    "input": ["input('name?')"],
    "getpass": ["import getpass\ngetpass.getpass()"],
    "bash": ["%%bash\necho x\nexit 3"],
    "missing": ["import no_such_module"],
    "magic": ["%no_such_magic"],
    "system exit": ["print('x')\nraise SystemExit(2)"],
    "interrupt": ["raise KeyboardInterrupt"],
    "group": ["raise ExceptionGroup('many', [ValueError('a'), TypeError('b')])"],
    "await": ["async def f():\n    raise RuntimeError('r')\nawait f()"],
    "display": ["class Bad:\n    def _repr_html_(self): raise ValueError('in display')\nBad()", "print('goes on')"],
    "output first": ["print('shown'); import sys; print('too', file=sys.stderr)\n[][1]"],
}
_UNSTABLE = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"0x[0-9a-f]{6,}"), "0xADDRESS"),
    (re.compile(r"/\S*ipykernel_\d+/\d+\.py"), "CELL.py"),
    (re.compile(r"\(\d+\.py, line"), "(CELL.py, line"),
    (re.compile(r"(?<![0-9a-f])[0-9a-f]{8}([-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}"), "UUID"),
    (re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"), "UUID"),
    (re.compile(r"altair-viz-[0-9a-f]+"), "altair-viz"),
    (re.compile(r"sk-container-id-\d+|sk-estimator-id-\d+"), "sk-id"),
    (re.compile(r"<dc:date>[^<]*</dc:date>"), ""),
    (re.compile(r"\b(m|p|image|clip|DejaVuSans-|C\d_\d_)[0-9a-f]{6,12}\b"), "svgID"),
    # Keep this after the pattern above: ten hexadecimal digits may all be decimal.
    (re.compile(r"\bp\d{4,}\b"), "pID"),
    (re.compile(r"(?m)^File .*/site-packages/.*$"), "File LIBRARY"),
)


def stable(value):
    """Replaces the parts of a value that change from run to run."""
    if isinstance(value, dict):
        return {stable(key): stable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [stable(each) for each in value]
    if isinstance(value, str):
        for pattern, word in _UNSTABLE:
            value = pattern.sub(word, value)
    return value


def text_of(value):
    is_lines = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return "".join(value) if is_lines else value


def outputs_of(notebook):
    """Returns the outputs of each cell: the whole text of each stream, then the rest in order."""
    found = []
    for cell in notebook["cells"][1:]:
        streams, others = {}, []
        for output in cell.get("outputs", []):
            if output["output_type"] == "stream":
                streams[output["name"]] = streams.get(output["name"], "") + text_of(output["text"])
                continue
            if "data" in output:
                output["data"] = {mime: text_of(each) for mime, each in output["data"].items()}
            others.append(output)
        found.append((cell["execution_count"], stable(streams), stable(others)))
    return found


def widgets_of(notebook):
    """Returns the states of the widgets without their ids."""
    state = (
        notebook["metadata"].get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    )
    return sorted(
        json.dumps(stable({**each, "state": {**each["state"], "msg_id": ""}}), sort_keys=True)
        for each in state.values()
    )


@pytest.fixture(scope="module")
def plain(interpreter, tmp_path_factory):
    """Runs an outcome's notebook again with the reference. Loading the display libraries takes a second."""

    def run_plainly(outcome, *, has_libraries=False):
        directory = tmp_path_factory.mktemp("plain")
        (directory / "work").mkdir()
        (directory / "inputs.json").write_text('{"source": "", "source_uri": "", "variables": {}}')
        notebook = json.loads(notebook_of(outcome))
        notebook["metadata"].pop("widgets", None)
        for cell in notebook["cells"]:
            cell["outputs"], cell["execution_count"] = [], None
        # Both sides use the engine's library defaults. These decide where scripts come from, not what is shown.
        if has_libraries:
            loads = f"import sys; sys.path.append({str(CHILD)!r})\nimport bokeh.io, plotly.io, altair, itables\n"
            loads += "from render_child.page import display_defaults as d; d.configure()"
            notebook["cells"][0]["source"] += f"\nexec({loads!r}, {{}})"
        source, target = directory / "work" / "in.ipynb", directory / "out.ipynb"
        source.write_text(json.dumps(notebook))
        subprocess.run(
            [interpreter, Path(__file__).with_name("plain_nbclient.py"), source, target],
            env={
                "PATH": f"{interpreter.parent}:{os.defpath}",
                "HOME": str(directory),
                "TMPDIR": str(directory),
                "OMP_NUM_THREADS": "1",
            },
            check=True,
            timeout=240,
            capture_output=True,
        )
        return json.loads(target.read_text())

    return run_plainly


@pytest.mark.parametrize("name", SOUND)
def test_successful_notebook_has_the_same_outputs(run, plain, name):
    outcome = run("\n".join(f"# %%\n{text}" for text in SOUND[name]))
    assert (outcome.state, outcome.message) == ("succeeded", "")
    ours, theirs = json.loads(notebook_of(outcome)), plain(outcome, has_libraries=name not in {"streams", "await"})
    for text, mine, reference in zip(SOUND[name], outputs_of(ours), outputs_of(theirs), strict=True):
        assert mine == reference, text
    assert widgets_of(ours) == widgets_of(theirs)


@pytest.mark.parametrize("name", BROKEN)
def test_failing_cell_has_the_same_error(run, plain, name):
    outcome = run("\n".join(f"# %%\n{text}" for text in BROKEN[name]))
    ours, theirs = json.loads(notebook_of(outcome)), plain(outcome)
    mine, reference = outputs_of(ours), outputs_of(theirs)
    if name in {"input", "getpass"}:
        # The frames below the cell's own frame are in a different file.
        for _, _, others in (*mine, *reference):
            for output in others:
                output["traceback"] = output["traceback"][-1:]
    if name == "cause":
        # ipykernel shows the first error at the line where the second error was raised; see test_shortcuts.
        first = [output["traceback"].pop(2) for _, _, others in (*mine, *reference) for output in others]
        assert first[0].startswith("Cell In[2], line 2\n")
    assert mine == reference
    assert outcome.state == "failed"
