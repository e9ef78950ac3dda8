"""Pages of statistics, schemas and anomalies show the files, or explain why they cannot."""

import gzip
import math
import re
import shutil
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
import vizkit
from localkfp.samples import FOLDER as SAMPLES
from vizkit.types import registry

from packages.vizkit.tests.examples_tfx import SCHEMA, SPLITS, TIPS
from packages.vizkit.tests.independent import compute
from packages.vizkit.tests.statistics_code import OURS, assert_same, payload

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    found = tmp_path_factory.mktemp("splits")
    compute("tfx", TIPS + SPLITS + SCHEMA, found)
    return found


def test_splits_are_drawn_side_by_side(draw, splits):
    outcome, page = draw("tfdv", splits / "statistics")
    assert outcome.state == "succeeded", outcome.traceback
    shown = payload(page)
    assert [(each["name"], each["examples"]) for each in shown["datasets"]] == [("eval", 64), ("train", 180)]
    assert [each["kind"] for each in shown["features"]].count("number") == 3
    # The table of all figures does not need scripts.
    assert "<td>train</td><td>180</td><td>0</td>" in page


def test_statistics_of_the_sample_run_are_drawn(draw, tmp_path):
    code = f"""
import runpy
from types import SimpleNamespace as Artifact
sample = runpy.run_path({str(SAMPLES / "tip_prediction.py")!r})
example_gen, statistics_gen = sample["example_gen"], sample["statistics_gen"]
examples = Artifact(uri="x", path="examples.csv", metadata={{}})
example_gen.python_func(eval_fraction=0.3, examples=examples)
statistics_gen.python_func(examples=examples, statistics=Artifact(path="statistics", metadata={{}}))
answer = None"""
    compute("steps", code, tmp_path)
    outcome, page = draw("tfdv", tmp_path / "statistics")
    assert outcome.state == "succeeded", outcome.traceback
    shown = payload(page)
    assert [each["name"] for each in shown["datasets"]] == ["eval", "train"]
    ours = compute("base", OURS + "answer = told(compute_statistics('examples.csv', split_by='split')[1])", tmp_path)
    bill = next(each for each in shown["features"] if each["name"] == "total_bill")["sets"][1]
    expected = ours["features"]["total_bill"]
    for name in ("count", "missing"):
        assert bill[name] == expected[name]
    for name in ("mean", "std_dev", "min", "max"):
        assert math.isclose(bill[name], expected[name], rel_tol=1e-6)


def test_split_folders_become_data_sets(draw, splits, tmp_path):
    for name in ("train", "eval"):
        (tmp_path / "data" / f"Split-{name}").mkdir(parents=True)
        shutil.copy(splits / f"{name}.csv", tmp_path / "data" / f"Split-{name}" / "part-0.csv")
    _, page = draw("tfdv", tmp_path / "data")
    _, expected = draw("tfdv", splits / "statistics")
    shown, theirs = payload(page), payload(expected)
    assert shown["datasets"] == theirs["datasets"]
    for one, other in zip(shown["features"], theirs["features"], strict=True):
        assert_same(one, other)


@pytest.mark.parametrize(
    ("content", "given", "words"),
    [
        (b"a,b\n1,2\n", {"features": ["z"]}, 'Column "z" is not in the file. Columns found: a (number, such as 1)'),
        (b"a,b\n" + b"".join(b"%d,2\n" % n for n in range(9)), {"split_by": "a"}, "has more than 8 values"),
        (b"a,b\n", {}, "has no rows"),
        (b"", {}, "empty"),
        (b"\x89PNG\r\n\x1a\n", {}, "is a PNG image; it cannot be read as a table"),
    ],
)
def test_invalid_input_is_explained_in_a_sentence(draw, tmp_path, content, given, words):
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    outcome, _ = draw("tfdv", path, **given)
    assert outcome.state == "failed"
    assert words in outcome.message, outcome.message


@pytest.mark.parametrize("key", ["tf_schema", "tf_anomalies"])
@pytest.mark.parametrize(
    "content", [b"\x00\xff\x13garbage", b"feature { name: ", gzip.compress(b"x")[:-6]], ids=["bytes", "text", "cut"]
)
def test_damaged_files_fail_in_a_sentence(draw, tmp_path, key, content):
    path = tmp_path / "schema.pb"
    path.write_bytes(content)
    outcome, _ = draw(key, path)
    assert outcome.state == "failed"
    assert outcome.message.startswith("schema.pb "), outcome.message


def test_schema_and_anomalies_match_tfdv(draw, splits):
    code = """
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.utils import display_util as shown
schema = tfdv.load_schema_text("schema/schema.pbtxt")
anomalies = tfdv.load_anomalies_text("anomalies.pbtxt")
features, domains = shown.get_schema_dataframe(schema)
answer = [features.reset_index().values.tolist(), domains.reset_index().values.tolist(),
    shown.get_anomalies_dataframe(anomalies).reset_index().values.tolist()]"""
    prepare = "import tensorflow_data_validation as tfdv\nfrom tensorflow_metadata.proto.v0 import anomalies_pb2\n"
    prepare += "found = anomalies_pb2.Anomalies.FromString(open('anomalies/Split-eval/SchemaDiff.pb','rb').read())\n"
    prepare += "tfdv.write_anomalies_text(found, 'anomalies.pbtxt')\n"
    features, domains, anomalies = compute("tfx", prepare + code, splits)
    assert len(features) == 7
    _, page = draw("tf_schema", splits / "schema")
    for name, kind, presence, valency, domain in features:
        # TFDV shows nothing if the schema has a shape, here of one value.
        row = [name.strip("'"), kind, presence, valency or "single", domain.strip("'").replace("-", "")]
        assert "<tr>" + "".join(f"<td>{each}</td>" for each in row) + "</tr>" in page, row
    for name, values in domains:
        assert f"<td>{name[1:-1]}</td><td>{values.replace(chr(39), '')}</td>" in page
    assert len(anomalies) == 2
    for source in (splits / "anomalies", splits / "anomalies.pbtxt"):
        _, page = draw("tf_anomalies", source)
        for name, short, long in anomalies:
            assert f"<td>{name[1:-1]}</td><td>error</td><td>{short}</td><td>{long}</td>" in unescape(page)
        assert "<td>Jensen-Shannon divergence</td>" in page


def test_tfdv_views_in_custom_code_are_drawn_by_the_toolkit(draw, splits):
    code = """
import tensorflow_data_validation as tfdv
one, other = (tfdv.load_stats_binary(f"{source}/Split-{split}/FeatureStats.pb") for split in ("train", "eval"))
tfdv.visualize_statistics(one, other, "training", "evaluation", denylist_features=[tfdv.FeaturePath(["day"])])
tfdv.display_schema(tfdv.infer_schema(one))
"""
    kind = replace(registry.get("custom"), environment="tfx")
    outcome, page = draw("custom", splits / "statistics", kind=kind, code=code)
    assert outcome.state == "succeeded", outcome.traceback
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+|https://vega\.github\.io/schema/\S+", "", page)
    shown = payload(page)
    assert [each["name"] for each in shown["datasets"]] == ["training", "evaluation"]
    assert "day" not in [each["name"] for each in shown["features"]]
    assert 'class="stderr"' not in page


@pytest.mark.browser
def test_thousand_features_are_drawn_when_scrolled_into_view(draw, opened, tmp_path):
    head = ",".join(f"feature {n:03}" for n in range(1000))
    path = tmp_path / "wide.csv"
    path.write_text(head + "\n" + "".join(",".join(str((n * m) % 17) for n in range(1000)) + "\n" for m in range(30)))
    _, page = draw("tfdv", path)
    found = opened(page)
    cards = found.page.locator(".st-card")
    assert cards.count() == 1000
    assert found.page.locator(".st-card svg").count() < 40
    cards.nth(900).scroll_into_view_if_needed()
    cards.nth(900).locator("svg").wait_for()
    found.page.get_by_label("Search features by name").fill("feature 99")
    assert found.page.locator(".st-card").count() == 10
    assert found.page.locator(".st-where").inner_text() == "10 of 1,000 features"
    found.page.get_by_role("combobox", name="Sort by").select_option("name")
    found.page.get_by_role("button", name="Reverse").click()
    assert found.page.locator(".st-card h3").first.inner_text().startswith("feature 999")
    assert found.faults == []


WRITTEN = Path(__file__).parent / "written"


@pytest.mark.parametrize(
    ("key", "file", "words"),
    [
        (
            "tf_anomalies",
            "schema/schema.pbtxt",
            "holds a schema, and no anomalies. The type Data schema (TFDV) shows it.",
        ),
        ("tf_anomalies", "statistics/Split-eval/FeatureStats.pb", "holds statistics, and no anomalies."),
        ("tf_schema", "statistics/Split-eval/FeatureStats.pb", "holds statistics, and no schema."),
        ("tf_schema", "anomalies/Split-eval/SchemaDiff.pb", "holds anomalies, and no schema."),
        (
            "tf_schema",
            "evaluation/metrics-00000-of-00001.tfrecord",
            "is a file of TensorFlow records, such as examples",
        ),
        ("tf_anomalies", "", "is empty: it holds no anomalies"),
        ("tf_schema", "", "is empty: it holds no schema"),
    ],
)
def test_file_of_another_kind_is_refused_and_named(draw, tmp_path, key, file, words):
    (tmp_path / "empty.pb").touch()
    outcome, _ = draw(key, WRITTEN / file if file else tmp_path / "empty.pb")
    assert outcome.state == "failed"
    assert words in outcome.message


MESSAGES = """
import gzip, pathlib, struct
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2
from vizkit.records import _masked_crc32c
from vizkit.statistics import read

def record(content):
    head = struct.pack("<Q", len(content))
    return b"".join([head, struct.pack("<I", _masked_crc32c(head)), content, bytes(4)])

schema = schema_pb2.Schema(feature=[schema_pb2.Feature(name="age")])
clean = anomalies_pb2.Anomalies(baseline=schema)
statistics = statistics_pb2.DatasetFeatureStatisticsList()
statistics.datasets.add(name="eval", num_examples=3).features.add(name="age")
example = b"\\n\\x0c\\n\\n\\n\\x01x\\x12\\x05\\x1a\\x03\\n\\x01\\x05"
files = {
    "schema.pb": schema.SerializeToString(), "bom.pbtxt": b"\\xef\\xbb\\xbf" + str(schema).encode(),
    "clean.pb": clean.SerializeToString(), "statistics.gz": gzip.compress(record(statistics.SerializeToString())),
    "examples": record(example), "cut.pbtxt": str(schema).encode()[:-3], "table.csv": b"a,b\\n1,2\\n",
    "picture.png": b"\\x89PNG\\r\\n\\x1a\\n" + bytes(50),
}
answer = {}
for name, content in files.items():
    pathlib.Path(name).write_bytes(content)
    for kind, load in (("schema", read.load_schema), ("anomalies", read.load_anomalies)):
        try:
            load(pathlib.Path(name))
            answer[f"{name} {kind}"] = ""
        except ValueError as error:
            answer[f"{name} {kind}"] = str(error)
"""


def test_message_types_are_recognized_by_content(tmp_path):
    found = compute("tfx", f"import sys\nsys.path.insert(0, {str(vizkit.TOOLKIT_DIR.parent)!r})\n{MESSAGES}", tmp_path)
    assert {name for name, error in found.items() if not error} == {
        "schema.pb schema", "bom.pbtxt schema", "clean.pb anomalies"
    }  # fmt: skip
    # Anomalies start with the schema that was used, and therefore parse as a schema.
    assert found["clean.pb schema"].startswith("clean.pb holds anomalies, and no schema.")
    assert "TensorFlow records with statistics (the type Data statistics (TFDV)" in found["statistics.gz schema"]
    assert "is a file of TensorFlow records, such as examples" in found["examples anomalies"]
    assert found["cut.pbtxt schema"].endswith("cannot be read at line 2: no schema.")
    assert found["table.csv schema"] == "table.csv is text, and holds no schema."
    assert found["picture.png anomalies"] == "picture.png is a PNG image, and holds no anomalies."
