"""Files for Kubeflow's visualization server work unchanged as types."""

import json

import pytest
from vizkit.types import registry

TABLE = '''"""
Rows with the old way of itables.

More words.
"""
import gcsfs
from itables import show
import itables.interactive
from itables.javascript import load_datatables
import itables.options as opts
import pandas as pd
from tensorflow.python.lib.io import file_io

load_datatables()
opts.maxBytes = 0
files = file_io.get_matching_files(source)
frames = [pd.read_csv(name, header=None if variables.get("headers", False) else "infer") for name in files]
rows = pd.concat(frames)
if variables.get("headers", False):
    rows.columns = variables.get("headers")
show(rows)
'''
CURVE = """
import json
from pathlib import Path
from bokeh.layouts import row
from bokeh.plotting import figure
from bokeh.io import output_notebook, show
from bokeh.models import HoverTool
import gcsfs
import pandas as pd
from sklearn.metrics import roc_curve
from tensorflow.python.lib.io import file_io

names = [each["name"] for each in json.loads(file_io.read_file_to_string(Path(source) / "schema.json"))]
files = file_io.get_matching_files(str(Path(source) / "part-*"))
rows = pd.concat([pd.read_csv(name, names=names) for name in files])
truth = rows["target"].apply(lambda each: 1 if each == variables.get("trueclass", "true") else 0)
fpr, tpr, thresholds = roc_curve(truth, rows[variables.get("true_score_column", "true")])
points = pd.DataFrame({"fpr": fpr, "tpr": tpr, "thresholds": thresholds})
output_notebook()
drawing = figure(tools="pan,wheel_zoom,box_zoom,reset,hover,save")
drawing.line("fpr", "tpr", line_width=2, source=points)
drawing.select(dict(type=HoverTool)).tooltips = [("Threshold", "@thresholds")]
show(row(drawing, sizing_mode="scale_width"))
print(len(rows), "rows")
"""


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "types"
    found.mkdir()
    return found


def test_name_and_docstring_replace_a_header(folder):
    (folder / "My table-2.py").write_text(TABLE)
    kind = registry.get("my_table_2", [folder])
    assert (kind.title, kind.description) == ("My table 2", "Rows with the old way of itables.")
    assert (kind.environment, kind.needs_source, kind.code.endswith(TABLE)) == ("base", True, True)
    assert registry.problems([folder]) == []


@pytest.mark.parametrize(
    ("code", "environment", "needs_source"),
    [
        ("print(2)", "base", False),
        ("%matplotlib inline\nsource", "base", True),
        ("import tensorflow_data_validation as tfdv\ntfdv.load_statistics(source)", "tfx", True),
        ("def f():\n    import tensorflow as tf", "tfx", False),
        ("from tensorflow.python.lib.io import file_io", "base", False),
        ("from tensorflow_metadata.proto.v0 import statistics_pb2", "base", False),
        ("import tensorflow_model_analysis", "tfx", False),
    ],
)
def test_environment_follows_from_the_imports(folder, code, environment, needs_source):
    (folder / "one.py").write_text(code)
    kind = registry.get("one", [folder])
    assert (kind.environment, kind.needs_source) == (environment, needs_source)
    assert "one.py" in kind.description


@pytest.mark.parametrize("name", ["1st.py", "custom.py", "ü.py", "a" * 41 + ".py"])
def test_file_name_that_is_not_a_key_is_explained(folder, name):
    (folder / name).write_text("print(1)")
    assert any(name in problem for problem in registry.problems([folder]))
    assert list(registry.types([folder])) == list(registry.types())


@pytest.mark.kernel
def test_kubeflow_table_type_draws_all_files_of_a_pattern(draw, folder, tmp_path):
    (folder / "old_table.py").write_text(TABLE)
    for number in (1, 2):
        (tmp_path / f"rows-{number}.csv").write_text(f"1.5,first <{number}>\n{number},x\n")
    kind = registry.get("old_table", [folder])
    outcome, page = draw("", tmp_path / "rows-*.csv", kind=kind, headers=["n", "word"])
    assert outcome.state == "succeeded", outcome.traceback
    assert "first &lt;1&gt;" in page
    assert "first &lt;2&gt;" in page


@pytest.mark.kernel
@pytest.mark.browser
def test_kubeflow_curve_type_is_drawn_offline(draw, opened, folder, tmp_path):
    (folder / "old_curve.py").write_text(CURVE)
    data = tmp_path / "data"
    data.mkdir()
    (data / "schema.json").write_text(json.dumps([{"name": "target"}, {"name": "score"}]))
    (data / "part-0").write_text("yes,0.9\nno,0.2\nyes,0.4\nno,0.5\n")
    kind = registry.get("old_curve", [folder])
    outcome, page = draw("", data, kind=kind, trueclass="yes", true_score_column="score")
    assert outcome.state == "succeeded", outcome.traceback
    found = opened(page)
    found.page.wait_for_selector("[data-root-id] >> css=canvas")
    assert "4 rows" in found.page.inner_text("main")
    assert found.faults == []


@pytest.mark.kernel
def test_stub_module_says_what_is_missing(draw, folder):
    (folder / "more.py").write_text("from tensorflow.python.lib.io import file_io\nfile_io.stat('x')")
    outcome, _ = draw("", kind=registry.get("more", [folder]))
    assert "file_io.stat is not in this environment" in outcome.message
