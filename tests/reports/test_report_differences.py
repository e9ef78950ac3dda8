"""Differences between two versions of a report."""

import pytest
from bs4 import BeautifulSoup

from apps.reports import differences, services
from apps.reports.blocks import Draft
from apps.reports.models import BlockKind
from apps.visualizations.exceptions import NotFoundError
from tests.callers import caller
from tests.reports.test_reports_pages import text

pytestmark = pytest.mark.django_db(transaction=True)


def words(content):
    return Draft(kind=BlockKind.TEXT, text=content)


def shown(visualization, caption=""):
    return Draft(kind=BlockKind.VISUALIZATION, target_id=visualization.id, caption=caption)


@pytest.fixture
def versions(owner):
    """Saves a report with one version for each (title, blocks) and returns it."""

    def make(*found):
        (title, drafts), *later = found
        report = services.report_create(caller(owner), title, drafts, endpoint_key="default", namespace="")
        for number, (title, drafts) in enumerate(later, 1):
            services.report_save(caller(owner), report, number, title, drafts)
        return report

    return make


def compared(owner, report, before=1, after=2):
    return differences.versions_compare(caller(owner), report, before, after)


def told(difference):
    return [(each.kind.value, each.words) for each in difference.changes]


def test_texts_are_compared_by_line_and_results_described(owner, saved, versions):
    curve, table, other = saved("Curve"), saved("Table"), saved("Other")
    report = versions(
        ("Weekly", [words("# Hello\n\nold line\nsame"), shown(curve), shown(table, "Up is good"), words("Bye")]),
        ("Weekly 2", [shown(table, "Down is good"), words("# Hello\n\nnew line\nsame"), shown(other), words("Bye")]),
    )
    found = compared(owner, report)
    assert found.is_retitled
    assert told(found) == [
        ("changed", "The caption of “Table” changed."),
        ("changed", "Text 2 changed, and was text 1."),
        ("removed", "“Curve” was removed (always the latest)."),
        ("added", "“Other” was added (always the latest)."),
    ]
    changed = next(each for each in found.changes if each.words.startswith("Text 2"))
    marked = [(line.css, line.text) for line in changed.lines]
    assert ("line-removed", "-old line") in marked
    assert ("line-added", "+new line") in marked
    assert ("", " same") in marked


def test_identical_versions_have_no_differences(owner, saved, versions, browser):
    curve = saved("Curve")
    report = versions(("A", [words("x"), shown(curve)]), ("A", [words("x"), shown(curve)]))
    assert told(compared(owner, report)) == []
    page = browser(owner).get(f"/reports/{report.id}/versions/compare/?from=1&to=2")
    assert "No differences" in text(page)


def test_moved_block_is_reported_as_moved(owner, saved, versions):
    curve, table = saved("Curve"), saved("Table")
    blocks = [words("x"), shown(curve), words("y"), shown(table)]
    report = versions(("A", blocks), ("A", [blocks[3], *blocks[:3]]))
    assert told(compared(owner, report)) == [("moved", "“Table” moved from place 4 to 1.")]


def test_added_block_is_removed_in_reverse_comparison(owner, versions):
    report = versions(("A", [words("x")]), ("A", [words("x"), words("y")]))
    assert told(compared(owner, report)) == [("added", "Text 2 was added.")]
    assert told(compared(owner, report, 2, 1)) == [("removed", "Text 2 was removed.")]


def test_title_of_deleted_result_is_shown_and_of_hidden_one_is_not(owner, saved, versions):
    curve = saved("Curve")
    report = versions(("A", [words("x"), shown(curve)]), ("A", [words("x")]))
    curve.delete()
    [change] = compared(owner, report).changes
    assert "“Curve”" in change.words
    report.versions.get(number=1).blocks.update(target_title="")
    [change] = compared(owner, report).changes
    assert change.words.startswith("A result that you may not see")


def test_too_long_texts_are_reported_without_lines(owner, versions):
    report = versions(("A", [words("a\n" * 4000)]), ("A", [words("b\n" * 4000)]))
    [change] = compared(owner, report).changes
    assert change.lines == ()
    assert "too long" in change.words


def test_page_escapes_markup_and_version_list_links_to_it(owner, versions, browser, reader):
    report = versions(("A", [words("x")]), ("A", [words("<script>alert(1)</script>")]), ("A", [words("z")]))
    client = browser(owner)
    listed = BeautifulSoup(client.get(f"/reports/{report.id}/versions/").content, "html.parser")
    links = [each["href"] for each in listed.find_all("a") if each.get_text() == "what changed"]
    assert links == [f"/reports/{report.id}/versions/compare/?to={number}" for number in (3, 2)]
    page = client.get(links[1])
    assert b"<script>alert(1)" not in page.content
    assert "+<script>alert(1)</script>" in text(page)
    assert [each["value"] for each in BeautifulSoup(page.content, "html.parser").select("[selected]")] == ["1", "2"]
    assert [each.get("value") for each in BeautifulSoup(page.content, "html.parser").select("#id_from option")] == list(
        "321"
    )
    for query in ("?from=0", "?from=99", "?to=-1", "?from=99999999999999999999", "?from=²"):
        assert client.get(f"/reports/{report.id}/versions/compare/{query}").status_code in {200, 404}


def test_api_returns_differences(owner, versions, browser):
    report = versions(("A", [words("x")]), ("B", [words("y")]))
    client = browser(owner)
    found = client.get(f"/api/v1/reports/{report.id}/changes?before=1&after=2").json()
    assert (found["before"]["title"], found["after"]["title"]) == ("A", "B")
    assert found["changes"] == [
        {"kind": "changed", "position": 1, "words": "Text 1 changed.", "lines": ["@@ -1 +1 @@", "-x", "+y"]}
    ]
    assert client.get(f"/api/v1/reports/{report.id}/changes?before=1&after=7").status_code == 404
    assert client.get(f"/api/v1/reports/{report.id}/changes?before=0&after=1").status_code == 400


def test_unknown_version_is_not_found(owner, versions):
    report = versions(("A", [words("x")]))
    with pytest.raises(NotFoundError):
        compared(owner, report)
