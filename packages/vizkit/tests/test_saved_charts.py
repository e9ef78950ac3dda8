"""Charts of a downloaded page are saved from their menus in several formats, and redrawn for a new theme."""

import csv
import json
from pathlib import Path

import pytest

from packages.vizkit.tests.drawn import drawn, specs
from packages.vizkit.tests.examples_curves import EXAMPLES, predictions

pytestmark = [pytest.mark.kernel, pytest.mark.browser]
WORDS = {"png": "Save as PNG", "svg": "Save as SVG", "csv": "Save data as CSV", "json": "Save specification"}
DRAWINGS_AFTER = """async (theme) => {
  let drawings = 0;
  new MutationObserver(() => { drawings += 1; }).observe(document.querySelector(".vk-stage"), { childList: true });
  document.documentElement.dataset.theme = theme;
  await new Promise(requestAnimationFrame);
  return drawings;
}"""


@pytest.mark.parametrize("key", sorted(EXAMPLES))
def test_each_chart_is_saved_in_every_format(draw, opened, tmp_path, key):
    folder = tmp_path / "example"
    folder.mkdir()
    source, given = EXAMPLES[key](folder)
    html = drawn(draw, key, source, **given)
    found = opened(html)
    page = found.page
    figures = page.locator("figure")
    assert figures.count() == len(specs(html))
    for place, spec in enumerate(specs(html)):
        figure = figures.nth(place)
        figure.scroll_into_view_if_needed()
        page.wait_for_function("(at) => document.querySelectorAll('figure')[at].dataset.painted", arg=place)
        saved = {}
        for kind, words in WORDS.items():
            figure.get_by_label("Save or change this chart").click()
            with page.expect_download() as download:
                figure.get_by_role("button", name=words).click()
            saved[kind] = Path(download.value.path()).read_bytes()
        assert saved["png"].startswith(b"\x89PNG")
        assert spec["title"]["text"].encode() in saved["svg"]
        assert json.loads(saved["json"]) == spec
        fields = spec["usermeta"]["vizkit"]["fields"]
        head, *rows = csv.reader(saved["csv"].decode().splitlines())
        assert head == [each["title"] for each in fields]
        values = [
            ["" if row[each["field"]] is None else row[each["field"]] for each in fields]
            for row in spec["data"]["values"]
        ]
        assert [[_value(cell) for cell in row] for row in rows] == [[_value(cell) for cell in row] for row in values]
    assert found.faults == []


def test_chart_is_redrawn_only_if_its_colours_change(draw, opened, tmp_path):
    page = opened(drawn(draw, "roc_curve", predictions(tmp_path, "breast_cancer"))).page
    page.wait_for_selector(".vk-figure[data-painted]")
    assert page.evaluate(DRAWINGS_AFTER, "light") == 0
    assert page.evaluate(DRAWINGS_AFTER, "dark") > 0
    assert page.evaluate(DRAWINGS_AFTER, "dark") == 0


def _value(cell):
    try:
        return pytest.approx(float(cell))
    except ValueError:
        return cell
