"""Learning curves are read from the logs of trainings, and long ones keep their spikes."""

import pytest

from packages.vizkit.tests.drawn import curves, drawn, marks, specs

pytestmark = pytest.mark.kernel


def test_keras_history_has_one_chart_per_metric(draw, tmp_path):
    (tmp_path / "h.json").write_text('{"accuracy": [0.5, 0.7], "loss": [0.9, 0.5], "val_loss": [0.8, 0.85]}')
    loss, accuracy = specs(drawn(draw, "learning_curves", tmp_path / "h.json"))
    assert [(name, each["x"], each["y"]) for name, each in curves(loss).items()] == [
        ("training", [1, 2], [0.9, 0.5]),
        ("validation", [1, 2], [0.8, 0.85]),
    ]
    assert marks(loss) == [(1, 0.8)]
    assert marks(accuracy) == [(2, 0.7)]


@pytest.mark.parametrize(
    "text",
    [
        "step,loss,val/loss\n10,3,\n20,2,2.5\n",
        '{"step": 10, "loss": 3}\n{"step": 20, "loss": 2, "val/loss": 2.5}\n',
        '[{"step": 10, "loss": 3}, {"step": 20, "loss": 2, "eval_loss": 2.5}]',
        "step,metric,value\n10,loss,3\n20,loss,2\n20,val_loss,2.5\n",
    ],
)
def test_training_logs_are_read_in_every_form(draw, tmp_path, text):
    (tmp_path / "log").write_text(text)
    (chart,) = specs(drawn(draw, "learning_curves", tmp_path / "log"))
    assert [(name, each["x"], each["y"]) for name, each in curves(chart).items()] == [
        ("training", [10, 20], [3, 2]),
        ("validation", [20], [2.5]),
    ]


def test_spike_of_a_long_training_is_kept(draw, tmp_path):
    values = ["1"] * 50_000
    values[31_007] = "99"
    (tmp_path / "log.csv").write_text("loss\n" + "\n".join(values))
    (series,) = curves(specs(drawn(draw, "learning_curves", tmp_path / "log.csv"))[0]).values()
    assert len(series["x"]) <= 1000
    assert series["x"][series["y"].index(99)] == 31_008


@pytest.mark.parametrize(
    ("text", "words"),
    [("a\nx\n", "No column contains numbers"), ('{"a": "x"}', "No column"), ("[1]\n{\n", "Line 2 of log is not JSON")],
)
def test_log_without_numbers_is_explained(draw, tmp_path, text, words):
    (tmp_path / "log").write_text(text)
    outcome, _ = draw("learning_curves", tmp_path / "log")
    assert outcome.state == "failed"
    assert words in outcome.message
