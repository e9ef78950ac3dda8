"""Importances of features equal scikit-learn's, in each form in which people store them."""

import json

import pytest

from packages.vizkit.tests.drawn import drawn, specs
from packages.vizkit.tests.examples_curves import PERMUTE
from packages.vizkit.tests.independent import make

pytestmark = pytest.mark.kernel


def bars(page):
    """Returns the name, value and deviation of each bar, in order."""
    return [(row["name"], row["value"], row["deviation"]) for row in specs(page)[0]["data"]["values"]]


def test_permutation_importances_match_scikit_learn(draw, tmp_path):
    expected = make("base", PERMUTE, tmp_path)
    found = bars(drawn(draw, "feature_importance", tmp_path / "permutation.json"))
    means = dict(zip(expected["names"], expected["mean"], strict=True))
    deviations = dict(zip(expected["names"], expected["std"], strict=True))
    assert {name: value for name, value, _ in found} == pytest.approx(means)
    assert [abs(value) for _, value, _ in found] == sorted((abs(value) for value in means.values()), reverse=True)
    assert {name: reach for name, _, reach in found} == pytest.approx(deviations)


@pytest.mark.parametrize(
    "text",
    [
        "name,value,std\nage,0.5,0.1\nsex,-2,0.2\n",
        "age,0.5,0.1\nsex,-2,0.2\n",
        "value;std;name\n0.5;0.1;age\n-2;0.2;sex\n",
        '{"age": {"mean": 0.5, "std": 0.1}, "sex": {"mean": -2, "std": 0.2}}',
        '{"age": [0.4, 0.6], "sex": [-1.8, -2.2]}',
        '[{"feature": "age", "importance": 0.5, "std": 0.1}, {"feature": "sex", "importance": -2, "std": 0.2}]',
        '{"feature": "age", "importance": 0.5, "std": 0.1}\n{"feature": "sex", "importance": -2, "std": 0.2}\n',
        "feature,value\nage,0.4\nsex,-1.8\nage,0.6\nsex,-2.2\n",
        "feature,r1,r2\nage,0.4,0.6\nsex,-1.8,-2.2\n",
        '{"feature_names": ["age", "sex"], "importances_mean": [0.5, -2], "importances_std": [0.1, 0.2]}',
    ],
)
def test_importances_are_read_in_every_form(draw, tmp_path, text):
    (tmp_path / "a").write_text(text)
    assert bars(drawn(draw, "feature_importance", tmp_path / "a")) == [
        ("sex", pytest.approx(-2), pytest.approx(0.2)),
        ("age", pytest.approx(0.5), pytest.approx(0.1)),
    ]


def test_order_by_name_and_by_value(draw, tmp_path):
    (tmp_path / "a.json").write_text('{"b": 1, "c": -5, "a": 0.5}')
    assert [name for name, *_ in bars(drawn(draw, "feature_importance", tmp_path / "a.json", order="name"))] == [
        "a",
        "b",
        "c",
    ]
    assert [name for name, *_ in bars(drawn(draw, "feature_importance", tmp_path / "a.json", order="value"))] == [
        "b",
        "a",
        "c",
    ]


@pytest.mark.browser
def test_top_features_are_shown_first_and_all_500_on_demand(draw, opened, tmp_path):
    values = {f"feature-{n:03} <b>{'x' * (n % 90)}": n - 250.0 for n in range(500)}
    (tmp_path / "a.json").write_text(json.dumps(values))
    found = opened(drawn(draw, "feature_importance", tmp_path / "a.json", top=10), width=390)
    page = found.page
    names = "() => [...document.querySelectorAll('.vk-plot svg .mark-rect.role-mark path')].length"
    page.wait_for_function(f"({names})() === 10")
    page.get_by_label("Search").fill("feature-499")
    page.wait_for_function(f"({names})() === 1")
    page.get_by_label("Search").fill("")
    page.get_by_label("Sort").select_option("greatest first")
    page.wait_for_function(f"({names})() === 10")
    page.locator(".vk-plot").focus()
    page.keyboard.press("Home")
    assert "feature-499 <b>" in page.locator(".vk-figure [role=status]").text_content()
    page.get_by_role("slider", name="Bars").fill("500")
    page.wait_for_function(f"({names})() === 500")
    assert (found.faults, found.axe()) == ([], [])
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.browser
def test_chart_controls_are_in_one_row_if_there_is_room(draw, opened, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({f"feature-{n}": n for n in range(30)}))
    page = opened(drawn(draw, "feature_importance", tmp_path / "a.json", top=10)).page
    page.wait_for_selector(".vk-figure[data-painted]")
    names = ("Bars", "Sort", "Search")
    boxes = [page.get_by_text(name, exact=True).bounding_box() for name in names]
    assert max(box["y"] for box in boxes) - min(box["y"] for box in boxes) < 4
    assert [box["x"] for box in boxes] == sorted(box["x"] for box in boxes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The file is empty."),
        ("name\na\n", "No numeric column was found"),
        ("name,value\na,x\n", "holds no names with numbers"),
        ("[1, 2]", "No column of names was found"),
        ('{"feature_names": ["a"], "importances": [[1], [2]]}', "must name 2 features"),
    ],
)
def test_invalid_file_is_explained(draw, tmp_path, text, words):
    (tmp_path / "a").write_text(text)
    outcome, _ = draw("feature_importance", tmp_path / "a")
    assert outcome.state == "failed"
    assert words in outcome.message
