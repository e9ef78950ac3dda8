"""Metrics are shown with few digits, but with enough to distinguish different values."""

import pytest

from apps.runs.charts import scalars
from apps.ui.formats import metric, told_apart


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.6229508196721312, "0.623"), (244.0, "244"), (1234567, "1,234,567"), (1.5e-7, "1.5e-07"), (float("inf"), "inf")],
)
def test_single_metric_has_four_digits(value, text):
    assert metric(value) == text


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.6229508196721312, 0.6229508196721312], ["0.623", "0.623"]),
        ([0.91231, 0.91234, None], ["0.91231", "0.91234", None]),
        ([0.1 + 0.2, 0.3], ["0.30000000000000004", "0.29999999999999999"]),
        ([0.5, "n/a", True], ["0.5", "n/a", True]),
        ([244.0, 250], ["244", "250"]),
        ([float("nan"), float("inf")], ["nan", "inf"]),
    ],
)
def test_different_metrics_never_look_the_same(values, texts):
    assert [text for text, _ in told_apart(values)] == texts


def test_full_value_is_kept_beside_its_text():
    assert told_apart([2 / 3]) == [("0.6667", 2 / 3)]


def test_metrics_are_sorted_independent_of_the_stores_order():
    values = {"f1": 0.6, "auc": 0.7, "bills": 244}
    assert list(scalars(values)) == list(scalars(dict(reversed(values.items())))) == ["auc", "bills", "f1"]
