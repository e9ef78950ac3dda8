"""Curves of training logs by various tools equal those that pandas reads, by run and part."""

import pytest

from packages.vizkit.tests.readings import read_all

CURVES = """
import gzip

def curves(path):
    found = history.read(path, "", {})
    return {"x": found.x_name, "notes": list(found.notes), "curves": {
        " | ".join(filter(None, (c.run, c.metric, c.part))): [c.x.tolist(), c.y.tolist(),
            None if c.spread is None else c.spread.tolist()] for c in found.curves}}
"""
WIDE = """
frame = pd.DataFrame({"epoch": [1, 2, 3], "loss": [0.9, 0.7, 0.6], "acc": [0.5, 0.6, 0.75]})
"""


def told(tmp_path, code):
    return read_all(tmp_path, CURVES + WIDE + code)


def test_training_and_validation_rows_become_two_curves(tmp_path):
    wide, long, expected = told(tmp_path, """
both = pd.concat([frame.assign(phase="train"), (frame * 2).assign(phase="val", epoch=frame.epoch)])
both.to_csv("wide.csv", index=False)
long = both.melt(["epoch", "phase"], var_name="metric")
long.to_csv("long.csv", index=False)
expected = {f"{metric} | {name}": [rows.epoch.tolist(), rows[metric].tolist(), None]
    for part, name in (("train", "training"), ("val", "validation")) for rows in [both[both.phase == part]]
    for metric in ("loss", "acc")}
answer = [curves("wide.csv"), curves("long.csv"), expected]
""")  # fmt: skip
    for found in (wide, long):
        assert (found["x"], found["curves"], found["notes"]) == ("epoch", expected, [])


@pytest.mark.parametrize(("column", "values", "labels"), [
    ("run", ["a", "b"], ["a", "b"]),
    ("fold", [0, 1], ["fold 0", "fold 1"]),
])  # fmt: skip
def test_runs_in_one_table_have_separate_curves(tmp_path, column, values, labels):
    found = told(tmp_path, f"""
pd.concat([frame.assign({column}={values[0]!r}), (frame + 1).assign({column}={values[1]!r}, epoch=frame.epoch)]).to_csv(
    "runs.csv", index=False)
answer = [curves("runs.csv"), frame.loss.tolist(), (frame.loss + 1).tolist()]
""")  # fmt: skip
    read, first, second = found
    assert read["curves"][f"{labels[0]} | loss | training"] == [[1, 2, 3], first, None]
    assert read["curves"][f"{labels[1]} | loss | training"] == [[1, 2, 3], second, None]


def test_cross_validation_of_boosters_has_deviations(tmp_path):
    found, xgboost = told(tmp_path, """
table = pd.DataFrame({"train-rmse-mean": [3.0, 2.0], "train-rmse-std": [0.5, 0.25], "test-rmse-mean": [4.0, 3.0],
    "test-rmse-std": [1.0, 0.5]})
table.to_csv("xgboost.csv")
pathlib.Path("lightgbm.json").write_text(json.dumps({"valid l2-mean": [0.5, 0.25], "valid l2-stdv": [0.1, 0.2]}))
answer = [curves("lightgbm.json")["curves"], curves("xgboost.csv")["curves"]]
""")  # fmt: skip
    assert found == {"l2 | validation": [[1, 2], [0.5, 0.25], [0.1, 0.2]]}
    assert xgboost == {"rmse | training": [[1, 2], [3, 2], [0.5, 0.25]], "rmse | test": [[1, 2], [4, 3], [1, 0.5]]}


def test_catboost_hugging_face_and_compressed_logs_are_read(tmp_path):
    catboost, trainer, packed = told(tmp_path, """
learned = [{"iteration": at, "learn": [1 / (at + 1)], "test": [2 / (at + 1)]} for at in range(3)]
names = [{"name": "Logloss"}]
pathlib.Path("catboost_training.json").write_text(json.dumps(
    {"meta": {"learn_metrics": names, "test_metrics": names}, "iterations": learned}))
log = [{"step": 10, "loss": 0.9}, {"step": 20, "loss": 0.5}, {"step": 20, "eval_loss": 0.8},
    {"step": 20, "train_loss": 0.7, "train_runtime": 5}]
pathlib.Path("trainer_state.json").write_text(json.dumps({"global_step": 20, "log_history": log}))
evals = {"training": {"l2": [0.6, 0.5]}, "valid_1": {"l2": [0.7, 0.65]}}
pathlib.Path("evals.json.gz").write_bytes(gzip.compress(json.dumps(evals).encode()))
answer = [curves(name)["curves"] for name in ("catboost_training.json", "trainer_state.json", "evals.json.gz")]
""")  # fmt: skip
    thirds = [1, 1 / 2, 1 / 3]
    assert catboost == {
        "Logloss | training": [[0, 1, 2], thirds, None],
        "Logloss | test": [[0, 1, 2], [2 * each for each in thirds], None],
    }
    # The mean of the whole training is not a point of its curve.
    assert trainer["loss | training"] == [[10, 20], [0.9, 0.5], None]
    assert trainer["loss | validation"] == [[20], [0.8], None]
    assert trainer["train_loss | training"] == [[20], [0.7], None]
    assert packed == {"l2 | training": [[1, 2], [0.6, 0.5], None], "l2 | valid_1": [[1, 2], [0.7, 0.65], None]}


def test_exports_of_weights_and_biases_and_mlflow_are_read(tmp_path):
    exported, history, plain = told(tmp_path, """
pd.DataFrame({"Step": [0, 1], "one - loss": [0.9, 0.8], "one - loss__MIN": [0.9, 0.8], "one - loss__MAX": [0.9, 0.8],
    "two - loss": [0.7, 0.6], "two - loss__MIN": [0.7, 0.6]}).to_csv("w.csv", index=False)
lines = [{"_step": at, "_timestamp": 1.7e9 + at, "_runtime": 2.5 * at, "val": {"loss": 1 - at / 4}} for at in range(2)]
pathlib.Path("w.jsonl").write_text("".join(json.dumps(each) + "\\n" for each in lines))
pathlib.Path("loss").write_text("1700000000000 0.9 0\\n1700000001000 0.8 1\\n")
answer = [curves(name) for name in ("w.csv", "w.jsonl", "loss")]
""")  # fmt: skip
    assert exported["curves"] == {
        "one | loss | training": [[0, 1], [0.9, 0.8], None],
        "two | loss | training": [[0, 1], [0.7, 0.6], None],
    }
    assert "__MIN" in exported["notes"][0]
    assert (history["x"], history["curves"]) == ("_step", {"loss | validation": [[0, 1], [1, 0.75], None]})
    assert (plain["x"], plain["curves"]) == ("step", {"loss | training": [[0, 1], [0.9, 0.8], None]})


def test_files_and_columns_without_curve_are_named(tmp_path):
    found, alone = told(tmp_path, """
folder = pathlib.Path("runs")
folder.mkdir()
frame.assign(started=pd.Timestamp("2024-01-01"), note="x").to_csv(folder / "log.csv")
(folder / "plot.png").write_bytes(b"\\x89PNG\\r\\n\\x1a\\n" + bytes(20))
pd.DataFrame({"step": [1, 2], "loss": ["nan", "nan"]}).to_csv("lost.csv", index=False)
answer = [curves("runs"), curves("lost.csv")]
""")  # fmt: skip
    assert sorted(found["curves"]) == ["acc | training", "loss | training"]
    assert "Left out: plot.png is a PNG image" in " ".join(found["notes"])
    assert "Not drawn, because they hold no numbers: started, note." in found["notes"]
    assert alone["notes"] == [
        "2 values of loss (training) are NaN, infinite or empty, from step 1 on, up to the end: the training diverged."
    ]


def test_values_of_the_same_step_are_averaged_with_a_note(tmp_path):
    found = told(tmp_path, """
pd.DataFrame({"step": [1, 1, 2], "metric": "loss", "value": [1.0, 2.0, 0.5]}).to_csv("twice.csv", index=False)
answer = curves("twice.csv")
""")  # fmt: skip
    assert found["curves"] == {"loss | training": [[1, 2], [1.5, 0.5], None]}
    assert "1 value has the metric and step of another one; their mean is drawn." in found["notes"][0]


@pytest.mark.kernel
def test_training_with_only_nan_is_shown_as_diverged(draw, tmp_path):
    (tmp_path / "lost.csv").write_text("step,loss\n1,nan\n2,nan\n")
    outcome, page = draw("learning_curves", tmp_path / "lost.csv")
    assert outcome.state == "succeeded", outcome.message
    assert "the training diverged" in page
