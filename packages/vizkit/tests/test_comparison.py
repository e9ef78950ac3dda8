"""A comparison of saved results marks each difference once, and nothing that is equal."""

import json
import random
import re

import pytest

from packages.vizkit.tests.examples_results import comparison, curve, grid, notebook, picture, save

pytestmark = pytest.mark.kernel
NAMES = ["id", "city", "fare"]
ROWS = [[str(number), f"city {number % 7}", str(number * 3)] for number in range(60)]


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "source"
    made.mkdir()
    return made


def counts(outcome):
    assert outcome.state == "succeeded", outcome.message
    return {each.name: each.value for each in outcome.figures if each.value}


def tables(rows, total=None):
    return notebook(grid(NAMES, rows, total))


def test_equal_results_have_no_differences(draw, folder):
    book = notebook(curve([(0, 0), (1, 1)]), grid(NAMES, ROWS), picture(9), "said\n")
    outcome, page = draw("comparison", save(folder, *[(name, {"auc": (0.9, "higher")}, book) for name in "ABC"]))
    assert counts(outcome) == {}
    assert "No differences" in page
    for mark in ("<ins>", "<del>", "vk-cell-changed", "vk-better", "vk-worse"):
        assert mark not in page


@pytest.mark.parametrize("seed", range(3))
def test_only_the_changed_cell_is_marked(draw, folder, seed):
    chosen = random.Random(seed)
    row, column = chosen.randrange(len(ROWS)), chosen.randrange(1, 3)
    other = [list(each) for each in ROWS]
    other[row][column] = "another"
    chosen.shuffle(other)
    outcome, page = draw("comparison", save(folder, ("A", {}, tables(ROWS)), ("B", {}, tables(other))))
    assert counts(outcome) == {"differences": 1, "changed_cells": 1}
    assert re.findall(r'<td class="vk-cell-changed"><del>(.*?)</del> <ins>(.*?)</ins>', page) == [
        (ROWS[row][column], "another")
    ]
    assert "rows are matched by id" in page


def test_added_and_removed_rows_and_columns_are_distinguished(draw, folder):
    wider = notebook(grid([*NAMES, "tip"], [[*row, "1"] for row in [*ROWS[2:], ["900", "new", "1"]]]))
    outcome, page = draw("comparison", save(folder, ("A", {}, tables(ROWS)), ("B", {}, wider)))
    assert counts(outcome) == {"differences": 4, "changed_cells": 1, "rows_added": 1, "rows_removed": 2}
    assert len(re.findall(r'<th scope="row" class="vk-removed">', page)) == 2
    assert len(re.findall(r'<th scope="row" class="vk-added">', page)) == 1
    assert "1 column added: tip." in page


def test_rows_without_unique_key_are_compared_by_order(draw, folder):
    rows = [["a", "1", "x"], ["a", "2", "x"], ["b", "1", "x"]]
    other = [["a", "1", "x"], ["b", "1", "x"], ["a", "2", "y"]]
    save(folder, ("A", {}, tables(rows)), ("B", {}, tables(other)))
    _, page = draw("comparison", folder)
    assert "rows are compared in order" in page
    outcome, _ = draw("comparison", folder, key=["id", "city"])
    assert counts(outcome) == {"differences": 1, "changed_cells": 1}
    refused, _ = draw("comparison", folder, key=["id"])
    assert refused.message == "The values of id repeat, so they do not identify rows. Name more columns."
    refused, _ = draw("comparison", folder, key=["colour"])
    assert refused.message == 'There is no column "colour". Columns found: id, city, fare.'


def test_moved_curve_changes_only_its_chart_and_figure(draw, folder):
    points = [(0, 0), (0.3, 0.8), (1, 1)]
    moved = [(0, 0), (0.3, 0.81), (1, 1)]
    results = [
        (name, {"auc": (auc, "higher"), "rows": (60.0, "none")}, notebook(curve(each), grid(NAMES, ROWS)))
        for name, auc, each in (("A", 0.75, points), ("B", 0.755, moved))
    ]
    outcome, page = draw("comparison", save(folder, *results))
    assert counts(outcome) == {"differences": 2, "changed_figures": 1, "changed_charts": 1}
    assert re.findall(r'<td class="vk-(\w+)">', page) == ["better"]
    spec = json.loads(re.search(r'class="vizkit-spec">(.*?)</script>', page, re.DOTALL)[1])
    drawn = {
        name: [(row["x"], row["y"]) for row in spec["data"]["values"] if row["series"] == name]
        for name in ("1. A", "2. B")
    }
    assert drawn == {"1. A": points, "2. B": moved}


def test_200_curves_fit_in_one_small_page_with_one_highlighted(draw, folder):
    line = [(at / 999, (at / 999) ** 0.5) for at in range(1000)]
    results = [(f"run {n}", {}, notebook(curve([(x, y * (1 - n / 1000)) for x, y in line]))) for n in range(200)]
    outcome, page = draw("comparison", save(folder, *results), highlight=100)
    assert counts(outcome) == {"differences": 199, "changed_charts": 199}
    spec = json.loads(re.search(r'class="vizkit-spec">(.*?)</script>', page, re.DOTALL)[1])
    names = list(dict.fromkeys(row["series"] for row in spec["data"]["values"]))
    assert names == [f"{n + 1}. run {n}" for n in range(200)]
    shown = next(
        param["value"] for layer in spec["layer"] for param in layer.get("params", ()) if param["name"] == "curve"
    )
    assert shown == [{"series": "100. run 99"}]


def test_pictures_texts_and_data_frames_are_compared(draw, folder):
    frame = '<table border="1" class="dataframe"><tr><th></th><th>a</th></tr><tr><th>0</th><td>{}</td></tr></table>'
    books = [
        notebook(picture(red), f"one\n{word}\nthree\n", {"text/html": frame.format(word)})
        for red, word in ((1, "two"), (2, "2"))
    ]
    outcome, page = draw("comparison", save(folder, ("A", {}, books[0]), ("B", {}, books[1])))
    assert counts(outcome) == {"differences": 4, "changed_pictures": 1, "changed_cells": 1, "changed_lines": 2}
    assert re.search(r'<pre class="vk-diff".*?</pre>', page, re.DOTALL)[0].count("<ins>") == 1
    assert 'type="range"' in page


def test_notebook_content_is_escaped(draw, folder):
    evil = "<script>alert(1)</script>"
    books = [notebook(grid(["id", evil], [["1", evil + word]]), evil + word) for word in ("a", "b")]
    outcome, page = draw("comparison", save(folder, (evil, {evil: (1.0, "none")}, books[0]), ("B", {}, books[1])))
    assert outcome.state == "succeeded", outcome.message
    assert evil not in page


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"cells": 3}',
        '{"cells": [{"outputs": [{"data": 5}, {"output_type": "stream"}]}]}',
        "[" * 100_000,
    ],
)
def test_figures_are_compared_if_a_notebook_is_unreadable(draw, folder, content):
    save(folder, ("A", {"auc": (1.0, "higher")}, notebook("x")), ("B", {"auc": (2.0, "higher")}, notebook("x")))
    (folder / "002.ipynb").write_text(content)
    outcome, page = draw("comparison", folder)
    assert counts(outcome)["changed_figures"] == 1, page


def test_result_without_notebook_is_named(draw, folder):
    save(folder, ("A", {}, notebook("x")), ("B", {}, None))
    _, page = draw("comparison", folder)
    assert "Only the key figures of 2. B are compared: no notebook was stored." in page


def test_source_without_saved_results_is_refused(draw, folder):
    (folder / "a.csv").write_text("a,b\n1,2\n")
    outcome, _ = draw("comparison", folder)
    assert outcome.message == "This type compares saved results. Choose some in the gallery and press Compare."


def test_the_example_differs_in_everything(draw, folder):
    outcome, _ = draw("comparison", comparison(folder))
    assert {name for name in counts(outcome) if name.startswith("changed")} == {
        "changed_figures",
        "changed_cells",
        "changed_charts",
        "changed_pictures",
        "changed_lines",
    }
