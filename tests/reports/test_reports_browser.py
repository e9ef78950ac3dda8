"""Reports in a real browser: written by keyboard, both themes, wide and narrow, printed, opened offline."""

import pytest
from playwright.sync_api import expect

from apps.reports import drafting, services
from apps.reports.models import Report
from tests.callers import caller
from tests.chromium import chromium
from tests.looks import LOOKS, check, open_page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURE = """<!doctype html><html style="color-scheme: light dark"><body style="margin: 0"><h1>Scores</h1>
<svg viewBox="0 0 300 120" width="300" height="120"><rect width="300" height="120" fill="#2457c5"/></svg>
<p id="net">not asked</p><script>
fetch("https://portal.example.org/").then(() => net.textContent = "reached", () => net.textContent = "no network");
parent.postMessage({ vizportalHeight: 333 }, "*");
</script></body></html>"""
TEXT = """# Summary

The model is **better** than last week's.

| week | auc |
| --- | --- |
| 47 | 0.91 |

## Details

Some `code`, a [link](https://example.org/) and

> a quotation.
"""


@pytest.fixture
def opened(live_server, browser):
    """Opens a page as a user, in a theme and a width."""

    def make(driven, user, **look):
        return open_page(driven, live_server.url, browser(user), **look)

    return make


def test_pages_of_reports_look_right(opened, owner, saved, write):
    curve = saved("ROC curve of predictions, taxi run of Monday", PICTURE, figures={"auc": 0.912, "rows": 12000})
    report = write(
        TEXT, curve, "## Afterwards\n\nMore text.", saved("Gone", PICTURE), title="Weekly review of the taxi model"
    )
    type(report).objects.filter(id=report.id).update(title="Weekly review of the taxi model")
    gone = report.versions.get().blocks.get(position=3)
    type(gone).objects.filter(pk=gone.pk).update(target_id="00000000-0000-4000-8000-000000000000")
    services.report_append(caller(owner), report, drafting.drafts_from([curve]))
    base = f"/reports/{report.id}/"
    pages = {"list": "/reports/", "report": base, "edit": base + "edit/", "versions": base + "versions/"}
    pages |= {"old": base + "versions/1/", "print": base + "?print=yes", "add": f"/reports/add/?v={curve.id}"}
    with chromium() as driven:
        for theme, width in LOOKS:
            page = opened(driven, owner, theme=theme, width=width)
            for name, path in pages.items():
                page.goto(path)
                if name == "report":
                    expect(page.frame_locator("iframe").first.get_by_text("Scores")).to_be_visible()
                    page.wait_for_function("() => document.querySelector('iframe').style.height === '333px'")
                check(page)
            page.context.close()


def test_report_is_written_by_keyboard(opened, owner, saved):
    saved("Curve", PICTURE)
    with chromium() as driven:
        page = opened(driven, owner)
        page.goto("/reports/")
        page.get_by_role("link", name="New report").focus()
        page.keyboard.press("Enter")
        page.get_by_label("Title").fill("Weekly")
        # Pressing Enter in a field does not save.
        page.get_by_label("Title").press("Enter")
        expect(page.get_by_label("Title")).to_have_value("Weekly")
        assert not Report.objects.exists()
        page.get_by_label("Text of block 1").fill("Hello")
        page.get_by_label("Curve").press("Space")
        page.get_by_role("button", name="Add the ticked ones").press("Enter")
        expect(page.get_by_label("Caption")).to_be_focused()
        page.keyboard.type("Up is good")
        page.get_by_role("button", name="Move block 2 up").press("Enter")
        expect(page.get_by_label("Caption")).to_be_focused()
        page.get_by_role("button", name="Save", exact=True).press("Enter")
        expect(page.get_by_role("heading", name="Weekly")).to_be_visible()
        kinds = [each.kind for each in Report.objects.get().versions.get().blocks.all()]
        assert kinds == ["render", "text"]


def test_print_view_and_downloaded_file_need_no_network(opened, owner, saved, write, tmp_path):
    report = write(TEXT, saved("Curve", PICTURE), saved("Words only", "<p>no picture</p>"))
    with chromium() as driven:
        page = opened(driven, owner, theme="dark")
        page.add_init_script("window.print = () => { window.isPrinting = true }")
        page.goto(f"{report.get_absolute_url()}?print=yes")
        # A result without a picture is printed as a frame.
        expect(page.frame_locator("iframe[title='Words only']").get_by_text("no picture")).to_be_visible()
        page.wait_for_function("() => window.isPrinting")
        # Printing is dark on white in every theme.
        page.emulate_media(media="print")
        page.screenshot(path=tmp_path / "printed.png", full_page=True)
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(27, 32, 40)"
        expect(page.get_by_role("link", name="Edit")).to_be_hidden()
        page.pdf(path=tmp_path / "report.pdf")
        page.emulate_media(media="screen")
        assert (tmp_path / "report.pdf").stat().st_size > 10_000
        page.goto(report.get_absolute_url())
        assert page.evaluate("document.documentElement.dataset.theme") is None
        with page.expect_download() as downloading:
            page.get_by_role("link", name="Download").click()
        file = tmp_path / "report.html"
        downloading.value.save_as(file)
        context = driven.new_context(offline=True)
        asked = []
        context.on("request", lambda request: asked.append(request.url))
        offline = context.new_page()
        offline.goto(file.as_uri())
        frame = offline.frame_locator("iframe[title=Curve]")
        expect(frame.get_by_text("Scores")).to_be_visible()
        expect(frame.get_by_text("no network")).to_be_visible()
        offline.wait_for_function("() => document.querySelector('iframe').style.height === '333px'")
        assert offline.frames[1].evaluate("origin") == "null"
        assert [each for each in asked if each.startswith("http")] == []
        offline.screenshot(path=tmp_path / "offline.png", full_page=True)
