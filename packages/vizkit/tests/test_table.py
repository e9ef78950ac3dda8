"""Tables show each cell as in the file, and their figures equal those of pandas."""

import json
import re

import pytest

from packages.vizkit.tests.drawn import notes_of
from packages.vizkit.tests.independent import compute

pytestmark = pytest.mark.kernel
HOSTILE = 'name,price,note\n"</script><b>",1.10,\nÖl 🦊,20,"a, ""b"""\n'


def payload_of(page):
    payload = json.loads(re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)[1])
    return {**payload, "notes": notes_of(page)}


def rows_of(page):
    return [list(row) for row in zip(*payload_of(page)["cells"], strict=True)]


@pytest.fixture
def shown(draw):
    def shown(source, **given):
        outcome, page = draw("table", source, **given)
        assert outcome.state == "succeeded", outcome.message
        return payload_of(page)

    return shown


def names_of(payload):
    return [column["name"] for column in payload["columns"]]


def test_cells_are_shown_as_in_the_file(shown, tmp_path):
    (tmp_path / "a.csv").write_text(HOSTILE)
    found = shown(tmp_path / "a.csv")
    assert found["cells"] == [["</script><b>", "Öl 🦊"], ["1.10", "20"], ["", 'a, "b"']]
    assert [column["number"] for column in found["columns"]] == [False, True, False]
    assert found["total"] == 2


@pytest.mark.parametrize(
    ("name", "text", "cells"),
    [
        ("a.tsv", "x\ty\n1\t2,5\n", [["1"], ["2,5"]]),
        ("a.csv", "x;y\n1;2\n", [["1"], ["2"]]),
        ("a.jsonl", '{"x": 1.10, "y": [2, {"a": "ä"}]}\n\n{"x": null, "z": true}\n',
         [["1.10", None], ['[2, {"a": "ä"}]', None], [None, "true"]]),
        ("a.json", '[{"x": 1, "y": "<b>"}, {"x": 2}]\n', [["1", "2"], ["<b>", None]]),
        ("one.csv", "x\nonly\n", [["only"]]),
        ("nothing.csv", "x,y\n", [[], []]),
        ("twins.csv", "x,x,\n1,2,3\n", [["1"], ["2"], ["3"]]),
    ],
)  # fmt: skip
def test_formats_are_recognized_by_content(shown, tmp_path, name, text, cells):
    (tmp_path / name).write_text(text)
    assert shown(tmp_path / name)["cells"] == cells


def test_duplicate_column_names_are_numbered(shown, tmp_path):
    (tmp_path / "twins.csv").write_text("x,x,\n1,2,3\n")
    assert names_of(shown(tmp_path / "twins.csv")) == ["x", "x (2)", "column_3"]


@pytest.mark.parametrize(
    ("given", "names", "first"),
    [
        ({}, ["1", "2"], ["3", "4"]),
        ({"headers": False}, ["1", "2"], ["3", "4"]),
        ({"headers": ["a", "b"]}, ["a", "b"], ["1", "2"]),
        ({"header_row": "no"}, ["column_1", "column_2"], ["1", "2"]),
        ({"columns": ["2"]}, ["2"], ["4"]),
    ],
)
def test_column_names_come_from_the_first_line_or_the_arguments(shown, tmp_path, given, names, first):
    (tmp_path / "a.csv").write_text("1,2\n3,4\n")
    found = shown(tmp_path / "a.csv", **given)
    assert names_of(found) == names
    assert [column[0] for column in found["cells"]] == first


def test_parquet_and_arrow_keep_nested_values_as_json(shown, tmp_path):
    compute("base", """
import datetime, polars as pl
frame = pl.DataFrame({"n": [1.5, None, float("nan")], "d": [datetime.date(2024, 2, 29)] * 3, "l": [[1], [], None],
    "s": [{"a": "é"}, {"a": None}, None], "b": [b"\\x00\\xff", b"", None], "t": [True, False, None]})
frame.write_parquet("a.parquet"); frame.write_ipc("a.arrow"); frame.write_ipc_stream("a.stream")
answer = None
""", tmp_path)  # fmt: skip
    pages = [shown(tmp_path / f"a.{kind}") for kind in ("parquet", "arrow", "stream")]
    assert pages[0] == pages[1] == pages[2]
    assert pages[0]["cells"] == [
        ["1.5", None, "NaN"],
        ["2024-02-29"] * 3,
        ["[1]", "[]", None],
        ['{"a": "é"}', '{"a": null}', None],
        ["00 ff (2 bytes)", " (0 bytes)", None],
        ["true", "false", None],
    ]
    assert {each["name"]: (each["kind"], each["missing"]) for each in pages[0]["summary"]} == {
        "n": ("number", 2), "d": ("date", 0), "l": ("nested", 1),
        "s": ("nested", 1), "b": ("bytes", 1), "t": ("true/false", 1),
    }  # fmt: skip


def test_files_of_a_folder_or_pattern_are_one_table(shown, tmp_path):
    folder = tmp_path / "rows"
    folder.mkdir()
    for name, text in {"b.csv": "y,x\n4,3\n", "a.csv": "x,y\n1,2\n", "c.txt": "x,z\n5,6\n"}.items():
        (folder / name).write_text(text)
    assert shown(folder)["cells"] == [["1", "3", "5"], ["2", "4", ""], ["", "", "6"]]
    assert shown(folder / "*.csv")["cells"] == [["1", "3"], ["2", "4"]]


def test_column_names_come_from_kubeflows_schema(shown, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "schema.json").write_text('[{"name": "who"}, {"name": "<n>"}]')
    (tmp_path / "data" / "part-0").write_text("a,1\nb,2\n")
    found = shown(tmp_path / "data")
    assert (names_of(found), found["cells"]) == (["who", "<n>"], [["a", "b"], ["1", "2"]])


def test_figures_cover_all_rows_though_only_the_first_are_shown(shown, tmp_path):
    expected = compute("base", """
import json, pandas as pd, plotly.express as px
tips = px.data.tips()
tips.loc[3:9, "tip"] = None
tips.to_csv("tips.csv", index=False)
tips = pd.read_csv("tips.csv")
def figures(column):
    there = column.dropna()
    mean = float(there.mean()) if pd.api.types.is_numeric_dtype(column) else None
    return [len(column) - len(there), there.nunique(), there.min(), there.max(), mean]
answer = {name: figures(tips[name]) for name in tips}
answer = json.loads(json.dumps(answer, default=float))
""", tmp_path)  # fmt: skip
    found = shown(tmp_path / "tips.csv", max_rows=10)
    assert (len(found["cells"][0]), found["total"]) == (10, 244)
    assert [each["name"] for each in found["summary"]] == list(expected)
    for each in found["summary"]:
        missing, distinct, low, high, mean = expected[each["name"]]
        assert (each["missing"], each["distinct"], each["is_exact"]) == (missing, distinct, True), each["name"]
        if mean is None:
            assert (each["kind"], each["low"], each["high"], each["mean"]) == ("text", low, high, None)
        else:
            assert (each["kind"], float(each["low"]), float(each["high"])) == ("number", low, high)
            assert each["mean"] == pytest.approx(mean, rel=1e-12)


def test_distinct_values_of_a_large_table_are_counted(shown, tmp_path):
    compute("base", """
import numpy as np, polars as pl
n = 1_200_000
pl.DataFrame({f"c{k}": np.arange(n) % m for k, m in enumerate([n, 1000, 3, n // 2, 50_000])}).write_csv("many.csv")
answer = None
""", tmp_path)  # fmt: skip
    found = shown(tmp_path / "many.csv", max_rows=5)["summary"]
    for each, true in zip(found, [1_200_000, 1000, 3, 600_000, 50_000], strict=True):
        assert (each["distinct"], each["is_exact"]) == (true, True)


def test_lines_with_more_cells_than_names_are_reported(shown, tmp_path):
    (tmp_path / "ragged.csv").write_text("a,b\n1,2,3\n4\n")
    found = shown(tmp_path / "ragged.csv")
    assert found["cells"] == [["1", "4"], ["2", ""]]
    assert "more cells" in found["notes"][0]
    (tmp_path / "late.csv").write_text("a,b\n" + "1,2\n" * 30_000 + "3,4,5\n")
    found = shown(tmp_path / "late.csv", max_rows=10)
    assert found["total"] == 30_001
    assert "more cells" in found["notes"][0]
    (tmp_path / "even.csv").write_text("a,b\n1,2\n4\n")
    assert shown(tmp_path / "even.csv")["notes"] == [
        "1 line has fewer cells than there are columns (2); the missing cells are empty."
    ]


def test_wide_table_shows_the_first_or_the_named_columns(shown, tmp_path):
    (tmp_path / "wide.csv").write_text("\n".join(",".join(f"{mark}{n}" for n in range(10_000)) for mark in ("c", "")))
    found = shown(tmp_path / "wide.csv")
    assert len(found["columns"]) == 300
    assert "10,000 columns" in found["notes"][0]
    assert shown(tmp_path / "wide.csv", columns=["c9999", "c0"])["cells"] == [["9999"], ["0"]]


def test_cell_size_and_page_size_are_limited(shown, tmp_path):
    (tmp_path / "big.csv").write_text(
        "a,b\n" + "".join(f"{n},{'x' * 15_000}\n" for n in range(3000)) + f"z,{'é' * 50_000}\n"
    )
    found = shown(tmp_path / "big.csv")
    assert found["total"] == 3001
    assert 1000 < len(found["cells"][0]) < 1400
    (tmp_path / "one.csv").write_text(f"a\n{'é' * 50_000}\n")
    assert shown(tmp_path / "one.csv")["cells"][0][0].endswith("é … (50000 characters)")


@pytest.mark.parametrize(
    ("name", "content", "given", "words"),
    [
        ("a.csv", b"", {}, "The file is empty."),
        (
            "a.csv",
            b"a,b\n1,2\n",
            {"columns": ["c"]},
            'Column "c" is not in the file. Columns found: a (number, such as 1), b',
        ),
        ("a.csv", b"a,b\n1,2\n", {"headers": ["x"]}, "1 column name was given, and a.csv has 2 columns."),
        ("a.csv", b"a,b\n1,2\n", {"headers": ["x", "x"]}, "Two of the column names are the same."),
        ("a.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00", {}, "a.png is a PNG image; it cannot be read as a table"),
        ("a.jsonl", b'{"a": 1}\nnonsense\n', {}, "cannot be read as a table"),
        ("a.parquet", b"PAR1 and no more", {}, "cannot be read as a table"),
    ],
)
def test_file_that_is_not_a_table_is_explained(draw, tmp_path, name, content, given, words):
    (tmp_path / name).write_bytes(content)
    outcome, _ = draw("table", tmp_path / name, **given)
    assert outcome.state == "failed"
    assert words in outcome.message


@pytest.mark.browser
def test_rows_can_be_sorted_searched_filtered_and_paged(draw, opened, tmp_path):
    lines = [f"{n},{n % 7 - 3}.5,{'odd' if n % 2 else 'even <b>'}" for n in range(120)]
    (tmp_path / "a.csv").write_text("\n".join(["id,value,word", *lines, "120,,"]))
    found = opened(draw("table", tmp_path / "a.csv")[1])
    page = found.page

    def cells(column):
        return page.locator(f".vk-table >> nth=0 >> tbody tr td:nth-child({column})").all_inner_texts()

    assert cells(1) == [str(n) for n in range(50)]
    page.get_by_role("button", name="Next").click()
    assert cells(1)[0] == "50"
    head = page.get_by_role("columnheader", name="value")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert cells(2)[0] == "-3.5"
    head.get_by_role("button").click()
    assert (head.get_attribute("aria-sort"), cells(2)[0]) == ("descending", "3.5")
    page.get_by_label("Rows a page").select_option("200")
    # A missing value comes last in both orders.
    assert cells(1)[-1] == "120"
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Filter value").fill("-1.5..2")
    assert {float(value) for value in cells(2)} == {-1.5, 0.5, 1.5}
    page.get_by_label("Filter word").fill("odd")
    page.get_by_label("Search all columns").fill("11")
    assert all("11" in one and word == "odd" for one, word in zip(cells(1), cells(3), strict=True))
    assert re.search(r"^\d+ of 121 rows", page.get_by_role("status").inner_text())
    page.get_by_label("Search all columns").fill("<b>nothing")
    assert page.get_by_role("status").inner_text() == "No row matches."
    assert found.faults == []
    assert found.axe() == []


@pytest.mark.parametrize(
    ("values", "rising", "above_ten"),
    [
        (["10,5", "9,25", "1.000,0", "-2"], ["-2", "9,25", "10,5", "1.000,0"], ["10,5", "1.000,0"]),
        (["$1 200.50", "(12.00)", "7 %", "90"], ["(12.00)", "7 %", "90", "$1 200.50"], ["90", "$1 200.50"]),
    ],
)
def test_formatted_numbers_are_sorted_and_filtered_by_value(draw, opened, tmp_path, values, rising, above_ten):
    (tmp_path / "a.csv").write_text("n;word\n" + "".join(f"{value};x\n" for value in values) + ";x\n" * 9)
    page = opened(draw("table", tmp_path / "a.csv")[1]).page

    def cells():
        return page.locator(".vk-table >> nth=0 >> tbody tr td:nth-child(1)").all_inner_texts()

    page.get_by_role("columnheader", name="n", exact=True).get_by_role("button").click()
    assert cells()[:4] == rising
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Filter n").fill(">10")
    assert cells() == above_ten


def test_custom_code_can_show_values_in_the_same_table(draw, tmp_path):
    code = """
from vizkit import tables
rows = [["<b>", 0.123456, 1, None, True], ["x", float("nan"), 20_000, [1], False]]
tables.show_table(["name", "share", "count", "more", "flag"], rows, total=7, caption="Slices", digits=3)
"""
    outcome, page = draw("custom", code=code)
    assert outcome.state == "succeeded", outcome.traceback
    found = payload_of(page)
    assert found["cells"] == [["<b>", "x"], ["0.123", "nan"], ["1", "20000"], [None, "[1]"], ["true", "false"]]
    assert [column["number"] for column in found["columns"]] == [False, True, True, False, False]
    assert (found["total"], found["caption"]) == (7, "Slices")
