"""Key figures are stored with a render, returned by the API, shown on its page and printed by the command."""

import json

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from renderer import KeyFigure

from apps.visualizations.models import RenderFigure
from apps.visualizations.services.again import render_again
from tests.callers import caller

FIGURES = (
    KeyFigure(name="auc", value=0.912345678, better="higher"),
    KeyFigure(name="fit <b>", value=12345, unit="s", better="lower"),
    KeyFigure(name="rows", value=4),
)
EXPECTED = [
    {"name": "auc", "value": 0.912345678, "unit": "", "better": "higher"},
    {"name": "fit <b>", "value": 12345.0, "unit": "s", "better": "lower"},
    {"name": "rows", "value": 4.0, "unit": "", "better": "none"},
]


@pytest.fixture
def made(transactional_db, submit, work, kernel, row):
    kernel.outcome = {"figures": FIGURES}
    submitted = submit()
    work()
    return row(submitted.render)


def test_api_returns_figures_of_renders_and_visualizations(made, browser, owner):
    client = browser(owner)
    render = client.get(f"/api/v1/renders/{made.id}").json()
    visualization = client.get(f"/api/v1/visualizations/{made.visualization_id}").json()
    [listed] = client.get("/api/v1/visualizations").json()["items"]
    for given in (render, visualization, visualization["render"], listed):
        assert given["figures"] == EXPECTED


def test_reused_result_keeps_its_figures(made, submit, browser, owner):
    again = submit()
    assert not again.is_new
    assert browser(owner).get(f"/api/v1/renders/{again.render.id}").json()["figures"] == EXPECTED


def test_figures_are_shown_with_the_result(made, browser, owner):
    page = browser(owner).get(made.visualization.get_absolute_url()).content.decode()
    shown = page.split('id="aside-figures"')[1].split("</dl>")[0]
    assert "0.912346" in shown
    assert "12,345</strong> s" in " ".join(shown.split())
    assert "fit &lt;b&gt;" in shown


def test_figures_are_deleted_with_their_render(made, admin):
    made.visualization.delete()
    assert not RenderFigure.objects.exists()


def test_late_attempt_stores_no_figures(transactional_db, submit, work, kernel):
    kernel.outcome = {"figures": FIGURES}
    kernel.during = lambda: type(submitted.render).objects.filter(id=submitted.render.id).update(attempt=9)
    submitted = submit()
    work()
    assert not RenderFigure.objects.exists()


def test_list_reads_figures_in_a_fixed_number_of_queries(transactional_db, submit, work, kernel, browser, owner):
    client = browser(owner)

    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/api/v1/visualizations").status_code == 200
        return len(seen)

    kernel.outcome = {"figures": FIGURES}
    submit()
    work()
    of_one = queries()
    for number in range(4):
        submit(arguments={"max_rows": number + 1})
    work()
    assert queries() == of_one


def test_types_declare_their_figures(browser, owner):
    types = {each["key"]: each for each in browser(owner).get("/api/v1/types").json()["items"]}
    auc = next(each for each in types["roc_curve"]["figures"] if each["name"] == "auc")
    assert auc["better"] == "higher"
    assert types["custom"]["figures"] == []


@pytest.mark.kernel
def test_visualize_prints_figures(tmp_path, capsys):
    (tmp_path / "rows.csv").write_text("label,score\n1,0.9\n0,0.2\n1,0.6\n0,0.7\n")
    arguments = json.dumps({"target_column": "label", "trueclass": "1", "true_score_column": "score"})
    call_command(
        "visualize", "roc_curve", source=str(tmp_path / "rows.csv"), arguments=[arguments], output=tmp_path / "x.html"
    )
    assert "auc: 0.75 (higher is better)\n" in capsys.readouterr().out


def test_each_render_has_its_own_figures(made, owner, work, kernel, row):
    kernel.outcome = {"figures": (KeyFigure(name="auc", value=0.5),)}
    again = render_again(caller(owner), made.visualization)
    work()
    assert [each.value for each in row(again).figures.all()] == [0.5]
    assert made.figures.count() == 3
