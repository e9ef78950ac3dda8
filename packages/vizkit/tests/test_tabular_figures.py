"""Compare figures of files that are easily misread with figures that are computed here."""

import json
import struct

import pytest

from packages.vizkit.tests.readings import read_all, read_each

MATRIX = [[50, 0, 0], [0, 37, 13], [0, 14, 36]]
MATRICES = {
    # Content, labels and counts, by name.
    "bare.csv": ("50,0,0\n0,37,13\n0,14,36\n", ["0", "1", "2"], MATRIX),
    "spaces.txt": ("5.0e+01 3.0e+00\n4.0e+00 4.3e+01\n", ["0", "1"], [[50, 3], [4, 43]]),
    "two.csv": ("50,3\n4,43\n", ["0", "1"], [[50, 3], [4, 43]]),
    "head.csv": ("a,b,c\n50,0,0\n0,37,13\n0,14,36\n", ["a", "b", "c"], MATRIX),
    "crosstab.csv": ("actual,a,b,c\na,50,0,0\nb,0,37,13\nc,0,14,36\n", ["a", "b", "c"], MATRIX),
    "margins.csv": ("row_0,a,b,All\na,5,1,6\nb,2,7,9\nAll,7,8,15\n", ["a", "b"], [[5, 1], [2, 7]]),
    "never.csv": ("truth,a,b\na,5,1\nb,2,7\nc,1,1\n", ["a", "b", "c"], [[5, 1, 0], [2, 7, 0], [1, 1, 0]]),
    "frame.json": ('{"a":{"a":5,"b":2},"b":{"a":1,"b":7}}', ["a", "b"], [[5, 1], [2, 7]]),
    "lists.json": ("[[50,3],[4,43]]", ["0", "1"], [[50, 3], [4, 43]]),
    "numbers.csv": (",0,1\n0,50,3\n1,4,43\n", ["0", "1"], [[50, 3], [4, 43]]),
    "pairs.csv": ("cat,cat,6\ncat,dog,2\ndog,cat,3\ndog,dog,9\n", ["cat", "dog"], [[6, 2], [3, 9]]),
    "named.csv": ("target,predicted,count\na,a,6\na,b,2\nb,b,9\n", ["a", "b"], [[6, 2], [0, 9]]),
    "floats.csv": (
        "target,predicted\n1,1.0\n0,0.0\n1,\n2,2.0\n2,1.0\n",
        ["0", "1", "2"],
        [[1, 0, 0], [0, 1, 0], [0, 1, 1]],
    ),
    "truth.csv": ("target,predicted\nTrue,1\nFalse,0\nTrue,0\n", ["0", "1"], [[1, 0], [1, 1]]),
    "quoted.jsonl": (
        '{"target": 1, "predicted": "1"}\n{"target": 0, "predicted": "1.0"}\n',
        ["0", "1"],
        [[0, 1], [0, 1]],
    ),
    "digits.csv": ("target,predicted\n01,01\n1a,01\n", ["01", "1a"], [[1, 0], [1, 0]]),
    "none.csv": ("y_true,y_pred\nNone,None\nNA,None\nx,x\n", ["NA", "None", "x"], [[0, 1, 0], [0, 1, 0], [0, 0, 1]]),
    "transposed.csv": ("predicted,a,b\na,5,2\nb,1,7\n", ["a", "b"], [[5, 1], [2, 7]]),
    "sides.csv": (",Predicted no,Predicted yes\nActual no,50,3\nActual yes,4,43\n", ["no", "yes"], [[50, 3], [4, 43]]),
    "grand.csv": ("row,a,b,Everything\na,5,1,6\nb,2,7,9\nEverything,7,8,15\n", ["a", "b"], [[5, 1], [2, 7]]),
    "sums.csv": ("5,1,6\n2,7,9\n7,8,15\n", ["0", "1"], [[5, 1], [2, 7]]),
    "print.txt": ("[[50  3]\n [ 4 43]]\n", ["0", "1"], [[50, 3], [4, 43]]),
    "frame.txt": ("    a   b\na  50   3\nb   4  43\n", ["a", "b"], [[50, 3], [4, 43]]),
    "report.json": (
        '{"accuracy": 0.93, "confusion_matrix": [[50, 3], [4, 43]], "labels": ["no", "yes"]}',
        ["no", "yes"],
        [[50, 3], [4, 43]],
    ),
    "split.json": ('{"columns":["a","b"],"index":["a","b"],"data":[[5,1],[2,7]]}', ["a", "b"], [[5, 1], [2, 7]]),
    "cells.csv": ("tn,fp,fn,tp\n50,3,4,43\n", ["negative", "positive"], [[50, 3], [4, 43]]),
    "r.csv": (
        '"","Prediction","Reference","Freq"\n"1","a","a",5\n"2","b","a",1\n"3","a","b",2\n"4","b","b",7\n',
        ["a", "b"],
        [[5, 1], [2, 7]],
    ),
    "number.csv": ("True Label,predictedLabel,Number of rows\na,a,5\na,b,1\nb,b,7\n", ["a", "b"], [[5, 1], [0, 7]]),
    "index.csv": ("id,label,prediction\n1,a,a\n2,a,b\n3,b,b\n", ["a", "b"], [[1, 1], [0, 1]]),
    "names.csv": ("label,prediction\na,b\nb,b\n", ["a", "b"], [[0, 1], [0, 1]]),
}
QUESTIONED = {
    "either.csv": ("0,0,22\n0,1,4\n1,0,3\n", "set layout to matrix, pairs or rows"),
    "scores.csv": (
        "target,predicted\n" + "".join(f"{n % 2},{n / 997}\n" for n in range(1, 300)),
        "scores, not predicted",
    ),
    "few.csv": ("label,prediction\n1,0.9\n0,0.2\n1,0.4\n", "holds 3 fractions, such as 0.9: scores, not predicted"),
    "models.csv": ("y_true,model_a,model_b\n1,1,0\n0,1,0\n1,1,1\n", 'Column "predicted" is not in the file'),
    "else.csv": (
        "age,town\n3,x\n4,y\n5,z\n",
        'Column "target" is not in the file. Columns found: age (number, such as 3)',
    ),
}


@pytest.fixture(scope="module")
def matrices(tmp_path_factory):
    folder = tmp_path_factory.mktemp("matrices")
    for name, (content, *_) in {**MATRICES, **QUESTIONED}.items():
        (folder / name).write_text(content)
    return read_each(folder, "matrix_of", [*MATRICES, *QUESTIONED])


@pytest.mark.parametrize("name", MATRICES)
def test_confusion_matrix_is_read_in_every_form(matrices, name):
    _, labels, expected = MATRICES[name]
    assert "error" not in matrices[name], matrices[name]
    assert (matrices[name]["labels"], matrices[name]["counts"]) == (labels, expected)


@pytest.mark.parametrize("name", QUESTIONED)
def test_ambiguous_or_unreadable_matrix_is_questioned(matrices, name):
    assert QUESTIONED[name][1] in matrices[name].get("error", ""), matrices[name]


def test_layout_resolves_ambiguity_and_labels_name_the_classes(tmp_path):
    (tmp_path / "a.csv").write_text(QUESTIONED["either.csv"][0])
    (tmp_path / "b.csv").write_text("50,3\n4,43\n")
    found = read_all(tmp_path, """answer = [matrix_of("a.csv", layout="pairs"), matrix_of("a.csv", layout="matrix"),
        matrix_of("b.csv", labels=["no", "yes"])]""")  # fmt: skip
    assert [each["counts"] for each in found] == [
        [[22, 4], [3, 0]],
        [[0, 0, 22], [0, 1, 4], [1, 0, 3]],
        [[50, 3], [4, 43]],
    ]
    assert found[2]["labels"] == ["no", "yes"]


def test_shares_are_distinguished_from_counts_and_by_their_total(tmp_path):
    found, counts = read_all(tmp_path, """
from sklearn import metrics
truth = np.array(list("aaaaaabbbccccccccc"))
guess = np.array(list("aaabbcbbacccccccab"))
for how in ("true", "pred", "all"):
    matrix = metrics.confusion_matrix(truth, guess, normalize=how)
    pd.DataFrame(matrix, list("abc"), list("abc")).to_csv(f"{how}.csv")
pd.DataFrame(100 * metrics.confusion_matrix(truth, guess, normalize="true"), list("abc"), list("abc")).round(1).to_csv(
    "percent.csv")
answer = [{how: matrix_of(f"{how}.csv") for how in ("true", "pred", "all", "percent")},
    metrics.confusion_matrix(truth, guess, normalize="true").tolist()]
""")  # fmt: skip
    words = {"true": "of each true class", "pred": "of each predicted class", "all": "of all rows"}
    for how, each in found.items():
        assert f"The matrix holds shares {words.get(how, words['true'])}" in each["notes"][-1], how
    assert found["true"]["counts"] == [[pytest.approx(share) for share in row] for row in counts]


def test_classes_that_differ_only_in_case_are_named(tmp_path):
    (tmp_path / "a.csv").write_text("label,prediction\nCat,cat\nDog,Dog\nCat,Dog\n")
    found = read_all(tmp_path, """answer = matrix_of("a.csv")""")
    assert found["labels"] == ["Cat", "Dog", "cat"]
    assert 'Only among the true classes: "Cat"; only among the predicted ones: "cat".' in found["notes"][-1]


def test_layout_rows_counts_every_row_once(tmp_path):
    (tmp_path / "a.csv").write_text("label,prediction,n\na,a,5\na,b,7\n")
    found = read_all(
        tmp_path, """answer = [matrix_of("a.csv")["counts"], matrix_of("a.csv", layout="rows")["counts"]]"""
    )
    assert found == [[[5, 7], [0, 0]], [[1, 1], [0, 0]]]


AREAS = """
from sklearn import metrics
dice = np.random.default_rng(5)
truth = dice.random(400) < 0.4
score = np.clip(dice.normal(truth * 0.3 + 0.3, 0.2), 0, 1).round(6)
weight = dice.random(400).round(6) * 9 + 0.1
area, weighted = metrics.roc_auc_score(truth, score), metrics.roc_auc_score(truth, score, sample_weight=weight)
forms = {
    "ints": {"target": truth.astype(int), "score": score},
    "floats": {"y_true": truth.astype(float), "y_pred_proba": score},
    "words": {"label": np.where(truth, "yes", "no"), "prob_1": score},
    "bools": {"actual": truth, "probability": score},
    "none": {"class": np.where(truth, "Some", "None"), "score": score},
    "fraud": {"target": np.where(truth, "fraud", "legit"), "score": score},
    "weights": {"target": truth.astype(int), "score": score, "sample_weight": weight},
    "camel": {"trueLabel": truth.astype(int), "Model score": score},
    "pm": {"gt": truth * 2 - 1, "y_pred_prob": score},
    "classes": {"target": truth.astype(int), "0": 1 - score, "1": score},
    "percent": {"target": truth.astype(int), "score": [f"{100 * each:.4f} %" for each in score]},
    "unused": {"target": truth.astype(int), "score": score, "weight": weight},
}
for name, columns in forms.items():
    pd.DataFrame(columns).to_csv(f"{name}.csv", index=False)
answer = [{name: area_of(f"{name}.csv") for name in forms}, area, weighted]
"""


def test_areas_match_scikit_learn_for_all_column_names_and_labels(tmp_path):
    found, area, weighted = read_all(tmp_path, AREAS)
    for name in ("ints", "floats", "words", "bools", "none", "camel", "pm", "classes", "percent", "unused"):
        assert found[name]["area"] == pytest.approx(area), name
    assert found["weights"]["area"] == pytest.approx(weighted)
    assert found["weights"]["notes"] == ['Rows are weighted by the column "sample_weight".']
    assert "is not used to weight rows" in found["unused"]["notes"][0]
    assert found["fraud"]["area"] == pytest.approx(1 - area)
    assert f'choose "fraud" as the positive class, and the area is {area:.4f}' in found["fraud"]["notes"][0]


def event(step, tag, value):
    """Returns a TensorBoard record: an Event with a step and a Summary of one scalar."""

    def part(number, content):
        return bytes([number << 3 | 2, len(content)]) + content

    summary = part(1, part(1, tag.encode()) + bytes([2 << 3 | 5]) + struct.pack("<f", value))
    return bytes([2 << 3, step]) + part(5, summary)


def masked(content):
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def record(content):
    size = struct.pack("<Q", len(content))
    return size + masked(size) + content + masked(content)


HISTORIES = {
    "evals.json": json.dumps({"train": {"auc": [0.5, 0.75]}, "validation_0": {"auc": [0.25]}}),
    "nested.jsonl": '{"epoch": 1, "train": {"loss": 3}, "val": {"loss": 4}}\n'
    '{"epoch": 2, "train": {"loss": 2}, "val": {"loss": 5}}\n',
    "sizes.csv": "train_size,train_score,test_score,train_std,test_std\n10,0.5,0.25,0.125,0.5\n20,1,0.75,0.25,0.125\n",
    "sizes.json": json.dumps(
        {"train_sizes": [10, 20], "train_scores": [[0, 1], [1, 1]], "test_scores": [[0, 0.5], [0.5, 1]]}
    ),
    "run-x-tag-loss.csv": "Wall time,Step,Value\n1700000000.5,1,0.5\n1700000001.5,2,0.25\n",
    "diverged.csv": "step,loss,val_loss\n1,3,4\n2,NaN,inf\n3,NaN,inf\n",
    "pandas.csv": "step,loss\n1,3\n2,2\n3,\n4,\n",
    "gaps.csv": "step,loss,val_loss\n1,3,\n2,2,4\n3,1,\n",
    "again.csv": "step,loss\n1,3\n2,2\n1,4\n",
}


@pytest.fixture(scope="module")
def histories(tmp_path_factory):
    folder = tmp_path_factory.mktemp("histories")
    for name, content in HISTORIES.items():
        (folder / name).write_text(content)
    events = [event(1, "loss", 0.5), event(1, "acc", 0.25), event(2, "loss", 0.125)]
    (folder / "events.out.tfevents.1.host").write_bytes(b"".join(map(record, events)))
    return read_each(folder, "curves_of", [*HISTORIES, "events.out.tfevents.1.host"])


@pytest.mark.parametrize(
    ("name", "x", "curves"),
    [
        ("evals.json", "iteration",
         {"auc training": [[1, 2], [0.5, 0.75], 0, None], "auc validation_0": [[1], [0.25], 0, None]}),
        ("nested.jsonl", "epoch",
         {"loss training": [[1, 2], [3, 2], 0, None], "loss validation": [[1, 2], [4, 5], 0, None]}),
        ("sizes.csv", "train_size",
         {"score training": [[10, 20], [0.5, 1], 0, [0.125, 0.25]],
          "score test": [[10, 20], [0.25, 0.75], 0, [0.5, 0.125]]}),
        ("sizes.json", "train_size",
         {"score training": [[10, 20], [0.5, 1], 0, [0.5, 0]],
          "score test": [[10, 20], [0.25, 0.75], 0, [0.25, 0.25]]}),
        ("run-x-tag-loss.csv", "Step", {"loss training": [[1, 2], [0.5, 0.25], 0, None]}),
        ("events.out.tfevents.1.host", "step",
         {"loss training": [[1, 2], [0.5, 0.125], 0, None], "acc training": [[1], [0.25], 0, None]}),
        ("diverged.csv", "step", {"loss training": [[1], [3], 2, None], "loss validation": [[1], [4], 2, None]}),
        ("pandas.csv", "step", {"loss training": [[1, 2], [3, 2], 2, None]}),
        ("gaps.csv", "step",
         {"loss training": [[1, 2, 3], [3, 2, 1], 0, None], "loss validation": [[2], [4], 0, None]}),
    ],
)  # fmt: skip
def test_training_logs_are_read_and_lost_values_are_counted(histories, name, x, curves):
    assert "error" not in histories[name], histories[name]
    assert (histories[name]["x"], histories[name]["curves"]) == (x, curves)
    lost = sum(each[2] for each in curves.values())
    assert ("diverged" in " ".join(histories[name]["notes"])) is bool(lost)


def test_restarted_training_is_reported(histories):
    assert '"step" decreases at row 3' in histories["again.csv"]["notes"][0]


def test_importances_are_read_from_an_index_but_not_from_any_table(tmp_path):
    found = read_all(tmp_path, """
pd.Series({"age": 0.5, "sex": 0.25}).to_csv("series.csv")
pd.DataFrame({"importance": [0.5, 0.25]}, index=["age", "sex"]).to_parquet("index.parquet")
pd.DataFrame({"importance": {"age": 0.5, "sex": 0.25}}).to_json("frame.json")
import plotly.express as px
px.data.tips().to_csv("tips.csv", index=False)
px.data.iris().to_csv("iris.csv", index=False)
answer = [or_error(bars_of, name) for name in ("series.csv", "index.parquet", "frame.json", "tips.csv", "iris.csv")]
""")  # fmt: skip
    assert [each["bars"] for each in found[:3]] == [{"age": [0.5, None], "sex": [0.25, None]}] * 3
    assert all("does not look like importances" in each["error"] for each in found[3:])


def test_importances_of_more_tools_are_read(tmp_path):
    found = read_all(tmp_path, """
import gzip
lists = {"feature_names_in_": ["age", "sex"], "feature_importances_": [0.5, 0.25]}
pathlib.Path("sklearn.json").write_text(json.dumps(lists))
pathlib.Path("packed.json.gz").write_bytes(gzip.compress(b'{"age": 0.5, "sex": 0.25}'))
pathlib.Path("r.txt").write_text('"Overall"\\n"age" 0.5\\n"sex" 0.25\\n')
pathlib.Path("h2o.csv").write_text("variable,relative_importance,scaled_importance\\nage,0.5,1\\nsex,0.25,0.5\\n")
pathlib.Path("nameless.json").write_text('{"feature_importances_": [0.5, 0.25]}')
answer = [or_error(bars_of, name) for name in ("sklearn.json", "packed.json.gz", "r.txt", "h2o.csv", "nameless.json")]
""")  # fmt: skip
    assert [each.get("bars") for each in found[:4]] == [{"age": [0.5, None], "sex": [0.25, None]}] * 4
    assert 'Bars show the values of "relative_importance"; not drawn: scaled_importance.' in found[3]["notes"]
    assert found[4]["bars"] == {"feature 0": [0.5, None], "feature 1": [0.25, None]}


def test_text_among_predicted_numbers_drops_only_its_row(tmp_path):
    found = read_all(tmp_path, """
from sklearn import metrics
from vizkit import regression
truth, guess = [1.0, 2.0, 3.0, 4.0], [1.5, None, 2.0, 4.5]
pathlib.Path("a.csv").write_text("trueValue,Predicted Value\\n1,1.5\\n2,?\\n3,2.0\\n4,4.5\\n")
pairs = regression.read_pairs(tabular.read("a.csv").collect())
kept = [at for at, each in enumerate(guess) if each is not None]
expected = metrics.mean_absolute_error([truth[at] for at in kept], [guess[at] for at in kept])
answer = [regression.errors(pairs)["mae"], pairs.left_out, expected]
""")  # fmt: skip
    assert found == [pytest.approx(found[2]), 1, found[2]]


def test_class_scores_are_found_by_class_name_or_number(tmp_path):
    found, expected = read_all(tmp_path, """
from sklearn import metrics
dice = np.random.default_rng(3)
classes = ["blue", "green", "red"]
truth = dice.choice(classes, 200)
score = dice.dirichlet([1, 1, 1], 200).round(6) + 0.25 * np.eye(3)[[classes.index(each) for each in truth]]
answer = {}
for form in ("P({name})", "{name} probability", "prob_{at}", "{name}"):
    columns = {form.format(name=name, at=at): score[:, at] for at, name in enumerate(classes)}
    pd.DataFrame({**columns, "label": truth}).to_csv("a.csv", index=False)
    read = predictions.read_predictions("a.csv", "", {})
    answer[form] = [[scores.roc(one.truth, one.score).area for one in read.classes], list(read.notes)]
answer = [answer, [float(metrics.roc_auc_score(truth == name, score[:, at])) for at, name in enumerate(classes)]]
""")  # fmt: skip
    for form, (areas, notes) in found.items():
        assert areas == pytest.approx(expected), form
        assert bool(notes) is ("{at}" in form)
