"""Programs that statistics tests run in environments: they write data, and compute TFDV's figures and ours."""

import json
import math
import re

import vizkit

TOOLKIT = vizkit.TOOLKIT_DIR.parent
DATA = """
import pathlib, random
from sklearn import datasets
for name in ("breast_cancer", "wine", "iris", "diabetes"):
    getattr(datasets, f"load_{name}")(as_frame=True).frame.to_csv(f"{name}.csv", index=False)
dice = random.Random(3)
rows = [
    f"{dice.gauss(0, 1):.3f},{dice.randint(0, 40)},w{int(dice.expovariate(0.02))},"
    + ("" if dice.random() < 0.3 else dice.choice("xyz"))
    for _ in range(3000)
]
pathlib.Path("many.csv").write_text("a,b,c,d\\n" + "\\n".join(rows) + "\\n")
pathlib.Path("large").mkdir()
pathlib.Path("large/large.csv").write_text("x\\n" + "".join(f"{dice.gauss(0, 1)}\\n" for _ in range(60000)))
answer = None
"""
ODD = '''\
name,empty,const,ints as text,mixed,big,nan,inf,spaced,under,quoted,bool,single,*,^.*$
Öl,,5,007,1,99999999999999999999,nan,inf, 1,1_000,"a, b",True,,-1,1e39
"<b>",,5,42,x,1,nan,-inf, 2,2,"say ""hi""",False,,-2,1e-50
😀😀,,5,,2.5,,nan,1.5,3,3,,True,only,-3.5,2
,,5,1,,3,,2.5,4,,z,False,,0,+4

Öl,,5,9223372036854775807,1e5,7,nan,inf,5,5,,,,0,.5
'''
# TFDV's figures, read from its message without our code.
FIGURES = """
import glob, pathlib
import tensorflow_data_validation as tfdv
def buckets(found):
    return [[each.low_value, each.high_value, each.sample_count] for each in found.buckets]
def figures(feature):
    kind = feature.WhichOneof("stats")
    stats = getattr(feature, kind)
    common = stats.common_stats
    shown = {"type": feature.Type.Name(feature.type), "count": common.num_non_missing, "missing": common.num_missing}
    shown["values"] = common.tot_num_values
    if kind == "string_stats":
        shown |= {"unique": stats.unique, "avg_length": stats.avg_length}
        shown["top"] = [[each.value, each.frequency] for each in stats.top_values]
        shown["ranks"] = [[each.label, each.sample_count] for each in stats.rank_histogram.buckets]
    elif common.num_non_missing:
        shown |= {name: getattr(stats, name) for name in ("mean", "std_dev", "min", "median", "max")}
        shown |= {"zeros": stats.num_zeros, "nan": stats.histograms[0].num_nan}
        shown |= {"standard": buckets(stats.histograms[0]), "quantiles": buckets(stats.histograms[1])}
    return shown
def write(path):
    found = tfdv.generate_statistics_from_csv(path)
    pathlib.Path(path).with_suffix(".pb").write_bytes(found.SerializeToString())
    data = found.datasets[0]
    return {"examples": data.num_examples, "features": {each.path.step[0]: figures(each) for each in data.features}}
answer = {path: write(path) for path in sorted(glob.glob("*.csv") + glob.glob("large/*.csv"))}
"""
# The same statistics in each format that TFDV writes, one folder per format.
FORMS = """
import tensorflow as tf
def records(path, compression, messages):
    with tf.io.TFRecordWriter(f"forms/{path}", compression) as writer:
        for each in messages: writer.write(each.SerializeToString())
for kind in ("pb", "text", "records", "compressed", "shards"):
    pathlib.Path("forms", kind).mkdir(parents=True)
found = tfdv.load_stats_binary("tips.pb")
pathlib.Path("forms/pb/stats").write_bytes(found.SerializeToString())
tfdv.write_stats_text(found, "forms/text/stats.pbtxt")
records("records/stats_tfrecord", None, [found])
records("compressed/stats_tfrecord.gz", "GZIP", [found])
parts = [type(found)() for _ in range(2)]
for part in parts:
    part.datasets.add(name=found.datasets[0].name, num_examples=found.datasets[0].num_examples)
for at, feature in enumerate(found.datasets[0].features):
    parts[at % 2].datasets[0].features.append(feature)
for at, part in enumerate(parts):
    records(f"shards/stats_tfrecord-0000{at}-of-00002", None, [part])
"""
OURS = (
    f"""
import glob, sys
sys.path.insert(0, {str(TOOLKIT)!r})
from vizkit.statistics.compute import compute_statistics
from vizkit.statistics.read import read_statistics
"""
    """
def buckets(found):
    return [[each.low, each.high, each.count] for each in found]
def frequencies(found):
    return [[each.value, each.count] for each in found]
def figures(feature):
    shown = {name: getattr(feature, name) for name in ("type", "count", "missing", "values")}
    if feature.texts:
        texts = feature.texts
        shown |= {"unique": texts.unique, "avg_length": texts.avg_length}
        shown |= {"top": frequencies(texts.top), "ranks": frequencies(texts.ranks)}
    if feature.numbers:
        numbers = feature.numbers
        shown |= {name: getattr(numbers, name) for name in ("mean", "std_dev", "zeros", "min", "median", "max", "nan")}
        shown |= {"standard": buckets(numbers.standard), "quantiles": buckets(numbers.quantiles)}
    return shown
def told(data):
    return {"examples": data.examples, "features": {each.name: figures(each) for each in data.features}}
"""
)


def payload(page, name="statistics"):
    """Returns the data of a component's script."""
    held = rf'data-vizkit="{name}".*?<script type="application/json">(.*?)</script>'
    return json.loads(re.search(held, page, re.DOTALL)[1])


def assert_same(ours, theirs, path=""):
    """Compares figures by name: floats approximately, everything else exactly."""
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs) or set(ours) == set(theirs), path
        for name, value in theirs.items():
            assert_same(ours[name], value, f"{path}/{name}")
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), path
        for at, value in enumerate(theirs):
            assert_same(ours[at], value, f"{path}/{at}")
    elif isinstance(theirs, float):
        # avg_length is stored in 32 bits.
        close = 1e-6 if path.endswith("avg_length") else 1e-9
        same = math.isclose(ours, theirs, rel_tol=close, abs_tol=1e-9) or (math.isnan(ours) and math.isnan(theirs))
        assert same, (path, ours, theirs)
    else:
        assert ours == theirs, path
