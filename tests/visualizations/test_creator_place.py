"""The Creator is open while a step has no result and folded above the newest one; its state is in the address."""

import re
from dataclasses import replace

import pytest
from bs4 import BeautifulSoup

from apps.runs.entities import Artifact
from apps.visualizations.creator_address import creator_address
from apps.visualizations.forms import VisualizationForm
from apps.visualizations.views import creator

pytestmark = pytest.mark.django_db(transaction=True)
STEP = "/runs/r1/steps/s1/visualizations/"
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/runs/r1/steps/s1/?view=steps&tab=artifacts"}


@pytest.fixture(autouse=True)
def kubeflow_for_pages(kubeflow, monkeypatch):
    monkeypatch.setattr(creator, "gateway_for", lambda _user, _key="", **_more: kubeflow)


@pytest.fixture
def get(browser, owner):
    def read(url):
        return BeautifulSoup(browser(owner).get(url, headers=HTMX).content, "html.parser")

    return read


@pytest.fixture
def with_model(kubeflow):
    """Adds a model to the step, an artifact that no type fits."""
    step = kubeflow.details.steps[0]
    model = Artifact(id="77", name="model", type="system.Model", uri="s3://b/model.joblib", direction="output")
    changed = replace(step, artifacts=(*step.artifacts, model))
    kubeflow.details = replace(kubeflow.details, steps=(changed, *kubeflow.details.steps[1:]))


def is_folded(page):
    return page.select_one("details.creator-fold") is not None


def test_creator_is_open_without_results_and_folded_above_them(get, submit, work):
    assert not is_folded(get(STEP))
    submit()
    work()
    page = get(STEP)
    assert is_folded(page)
    assert page.select_one(".creator-fold summary").text.strip() == "New visualization"
    assert "of predictions" in re.sub(r"\s+", " ", page.select_one("article.render .card-header").text)


def test_address_opens_creator_for_what_has_no_result_yet(get, submit, work, with_model):
    submit()
    work()
    assert is_folded(get(f"{STEP}?artifact=predictions&type=table"))
    assert not is_folded(get(f"{STEP}?artifact=predictions&type=data_profile"))
    assert not is_folded(get(f"{STEP}?artifact=predictions&type=table&new=1"))
    page = get(f"{STEP}?artifact=model")
    assert not is_folded(page)
    assert "No visualizations of model yet" in page.text


def test_no_type_is_preselected_when_none_fits(get, with_model):
    page = get(f"{STEP}?artifact=model")
    assert page.select("[name=type][checked]") == []
    assert "No type fits this JOBLIB" in re.sub(r"\s+", " ", page.text)
    assert all(button.has_attr("disabled") for button in page.select(".creator-actions button"))
    assert page.select_one("[name=type]"), "one may still choose"


def test_options_at_their_defaults_are_folded(get):
    page = get(f"{STEP}?artifact=predictions&type=roc_curve")
    count = len(page.select("[data-arguments-fields] [name^='arguments-']"))
    assert page.select_one("details.arguments summary").text.split()[:2] == [str(count), "options"]
    assert not page.select_one("details.arguments").has_attr("open")
    changed = get(f"{STEP}?artifact=predictions&type=roc_curve&arguments-trueclass=yes")
    assert changed.select_one("[data-arguments-set] [name='arguments-trueclass']")["value"] == "yes"
    assert len(changed.select("[data-arguments-fields] [name^='arguments-']")) == count - 1


def test_refused_option_is_visible(browser, owner):
    data = {"artifact": "predictions", "type": "table", "arguments_view": "fields", "arguments-max_rows": "-4"}
    page = BeautifulSoup(browser(owner).post(STEP, data, headers=HTMX).content, "html.parser")
    field = page.select_one("[data-arguments-set] [name='arguments-max_rows']")
    assert field["value"] == "-4"
    assert page.select_one("[data-arguments-set] .error")
    assert not is_folded(page)


def test_address_follows_the_choice_in_the_form(browser, owner, kubeflow):
    query = "?artifact=predictions&type=roc_curve&arguments-trueclass=a%26b&arguments-decimal=,"
    response = browser(owner).get(f"{STEP}form{query}", headers=HTMX)
    address = response["HX-Replace-Url"]
    page, _, changed = address.partition("?")
    assert page == "/runs/r1/steps/s1/"
    assert changed == "view=steps&artifact=predictions&type=roc_curve&arguments-trueclass=a%26b&arguments-decimal=%2C"
    # The address leads back to the same choice.
    again = browser(owner).get(STEP + "?" + address.partition("?")[2], headers=HTMX).content.decode()
    assert 'value="a&amp;b"' in again


def test_address_of_other_page_is_unchanged_and_long_one_is_cut(kubeflow):
    step = kubeflow.details.steps[0]
    form = VisualizationForm(step, initial={"type": "roc_curve", "arguments": {"trueclass": "x" * 3000}})
    assert creator_address("http://testserver/visualizations/", step, form) == ""
    assert creator_address(f"http://h/runs/r1/steps/{step.id}/", step, form).endswith("type=roc_curve")
