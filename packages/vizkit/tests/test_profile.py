"""A table's profile has skrub's figures for all rows or a stated sample, on a clean page."""

import re

import pytest

from packages.vizkit.tests.independent import compute

pytestmark = pytest.mark.kernel


def test_figures_match_pandas(draw, tmp_path):
    expected = compute("base", """
import plotly.express as px
tips = px.data.tips()
tips.to_csv("tips.csv", index=False)
answer = [tips["total_bill"].mean(), tips["total_bill"].std(), int(tips["total_bill"].nunique())]
""", tmp_path)  # fmt: skip
    outcome, page = draw("data_profile", tmp_path / "tips.csv")
    assert outcome.state == "succeeded", outcome.traceback
    mean, deviation, distinct = expected
    text = re.sub(r"(?:\s|&nbsp;)+", " ", re.sub(r"<[^>]+>", " ", page))
    assert f"{mean:#.3g}" in text
    assert f"{deviation:#.3g}" in text
    assert f"{distinct} ({distinct / 244:.1%})" in text
    assert "A sample" not in text


def test_large_table_is_sampled_by_every_nth_row_and_says_so(draw, tmp_path):
    (tmp_path / "long.csv").write_text("n,word\n" + "".join(f"{n},w{n % 3}\n" for n in range(1050)))
    _, page = draw("data_profile", tmp_path / "long.csv", max_rows=100)
    assert "A sample: every 11th row, 96 of 1,050." in page


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "The file is empty."), (b"a,b\n", "The file has no rows."), (b"PAR1 no", "cannot be read as a table")],
)
def test_unreadable_or_empty_file_is_explained(draw, tmp_path, content, words):
    (tmp_path / "data").write_bytes(content)
    outcome, _ = draw("data_profile", tmp_path / "data")
    assert outcome.state == "failed"
    assert words in outcome.message


def test_nested_constant_empty_and_hostile_columns_are_described(draw, tmp_path):
    compute("base", """
import polars as pl
pl.DataFrame({"</script><b>": ["</template><script>alert(1)</script>", "é🦊", None], "l": [[1], None, [2, 3]],
    "c": [1, 1, 1], "e": [None, None, None], "b": [b"x", None, b"y"], "f": [float("nan"), float("inf"), 1.0],
    "t": [True, False, None]}).write_parquet("a.parquet")
answer = None
""", tmp_path)  # fmt: skip
    outcome, page = draw("data_profile", tmp_path / "a.parquet")
    assert outcome.state == "succeeded", outcome.traceback
    assert "<script>alert(1)" not in page


def test_column_name_may_contain_nul(draw, tmp_path):
    (tmp_path / "a.csv").write_bytes(b"x\0y,n\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(20)))
    outcome, page = draw("data_profile", tmp_path / "a.csv")
    assert outcome.state == "succeeded", outcome.message
    assert "x\ufffdy" in page


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_tab_is_accessible_in_both_themes(draw, opened, tmp_path, theme):
    compute("base", """
import plotly.express as px
tips = px.data.tips()
tips.loc[3:99, "tip"] = None
tips["when"] = "2024-02-03"
tips.to_csv("tips.csv", index=False)
answer = None
""", tmp_path)  # fmt: skip
    found = opened(draw("data_profile", tmp_path / "tips.csv")[1], theme=theme)
    for tab in ("Table", "Stats", "Distributions", "Associations"):
        found.page.get_by_role("tab", name=tab).or_(found.page.get_by_role("button", name=tab)).first.click()
        assert found.axe() == [], tab
    other = "dark" if theme == "light" else "light"
    found.page.evaluate(f"document.documentElement.dataset.theme = '{other}'")
    found.page.wait_for_selector(f"#report.{other}")
    assert found.faults == []
