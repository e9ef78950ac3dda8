"""Every state of a result is shown with a message, a cause and a next action."""

import re
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.runs.exceptions import EndpointDownError, ForbiddenError, NotFoundError
from apps.visualizations.models import Render
from apps.visualizations.states import RenderState
from apps.visualizations.views import creator

pytestmark = pytest.mark.django_db(transaction=True)
STEP = "/runs/r1/steps/s1/visualizations/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def kubeflow_for_pages(kubeflow, monkeypatch):
    monkeypatch.setattr(creator, "gateway_for", lambda _user, _key="", **_more: kubeflow)


@pytest.fixture
def raw(browser, owner):
    """Returns a page as the owner gets it."""
    return lambda url, **headers: browser(owner).get(url, headers=headers).content.decode()


@pytest.fixture
def get(raw):
    """Returns a page's text for the owner: collapsed white space and most tags removed."""

    def read(url, **headers):
        return re.sub(r"\s+", " ", re.sub(r"<(?!a |button|iframe)[^>]*>", " ", raw(url, **headers)))

    return read


@pytest.fixture
def ended(submit, row):
    """Returns a render with the given state and values."""

    def end(state, **values):
        made = submit()
        now = timezone.now()
        values = {"started_at": now - timedelta(seconds=3), "finished_at": now, **values}
        Render.objects.filter(id=made.render.id).update(state=state, **values)
        return row(made.render)

    return end


@pytest.fixture
def done(submit, work, row):
    made = submit()
    work()
    return row(made.render)


def move_artifact(kubeflow, uri="minio://b/second.csv"):
    """Moves the artifact, as a retried step does."""
    step = kubeflow.details.steps[0]
    moved = replace(step.artifacts[0], uri=uri)
    kubeflow.details = replace(kubeflow.details, steps=(replace(step, artifacts=(moved, step.artifacts[1])),))
    kubeflow.contents[uri] = b"score,label\n0.5,1\n"


def test_step_without_results_offers_fitting_types(get):
    page = get(STEP, **HTMX)
    assert "No visualizations of predictions yet. Types that fit this CSV:" in page
    assert 'data-choose-type="roc_curve"' in page
    assert 'data-choose-type="custom"' not in page
    assert len(re.findall(r"Score column\b", get(f"{STEP}?artifact=predictions&type=roc_curve"))) == 1


@pytest.mark.parametrize(
    ("before", "words"), [(0, "1st"), (1, "2nd"), (2, "3rd"), (10, "11th"), (11, "12th"), (20, "21st")]
)
def test_queued_render_shows_its_place(get, submit, before, words, settings):
    settings.VIZPORTAL_MAX_QUEUED_PER_USER = 100
    first = submit().render
    names = ("visualization", "requested_by", "code", "type_version", "environment", "timeout_s")
    fields = {name: getattr(first, name) for name in names}
    earlier = first.queued_at - timedelta(seconds=1)
    Render.objects.bulk_create([Render(number=2 + n, queued_at=earlier, **fields) for n in range(before)])
    page = get(first.get_absolute_url())
    assert f"Waiting: {words} in the queue" in page
    assert "Cancel" in page


def test_running_render_shows_progress(get, ended, monkeypatch):
    render = ended(RenderState.RUNNING, finished_at=None, cell=2, cells=3, log="so far")
    monkeypatch.setattr(Render, "duration", timedelta(seconds=3.2))
    page = get(render.get_absolute_url())
    assert "Rendering: cell 2 of 3, 3.2 s." in page
    for words in ("Cancel", "Show log", "so far"):
        assert words in page


def test_finished_render_offers_its_actions(get, done):
    page = get(done.visualization.get_absolute_url())
    for words in ("by owner", "14 bytes"):
        assert words in page
    for words in ("Render again", "Edit", "Copy link", "HTML", "Executed notebook", "Full screen"):
        assert words in page
    assert 'sandbox="allow-scripts"' in page


def test_changed_artifact_is_reported_on_step_and_page(get, done, kubeflow):
    origin = f"/visualizations/{done.visualization_id}/origin"
    words = "The artifact changed after this was rendered."
    assert words not in get(STEP, **HTMX)
    assert words not in get(origin)
    move_artifact(kubeflow)
    assert words in get(STEP, **HTMX)
    assert words in get(origin)


def test_render_again_reads_artifact_at_its_new_address(browser, owner, done, kubeflow, work, get):
    move_artifact(kubeflow)
    browser(owner).post(f"/visualizations/{done.visualization_id}/again", {"artifact": "current"})
    work()
    latest = Render.objects.get(visualization=done.visualization_id, number=2)
    assert (latest.state, latest.source_uri) == (RenderState.SUCCEEDED, "minio://b/second.csv")
    assert latest.source_digest != done.source_digest
    assert "The artifact changed" not in get(STEP, **HTMX)


def test_typed_in_source_does_not_go_stale(get, submit, work, kubeflow, settings):
    settings.VIZPORTAL_SOURCE_ALLOW = ["s3://shelf/"]
    submit(source="s3://shelf/x.csv")
    work()
    move_artifact(kubeflow)
    assert "The artifact changed" not in get(STEP, **HTMX)


def test_saved_result_remains_after_run_is_deleted(get, done, kubeflow):
    kubeflow.details = replace(kubeflow.details, run=replace(kubeflow.details.run, id="other"))
    kubeflow.run_details = lambda run_id: (_ for _ in ()).throw(NotFoundError(run_id))
    page = get(f"/visualizations/{done.visualization_id}/origin")
    assert "The run was deleted from Kubeflow. This saved copy stays." in page
    assert "Download" in page
    assert f"/visualizations/?q={done.visualization.run_id}" in page
    assert 'sandbox="allow-scripts"' in get(done.visualization.get_absolute_url())


def test_unreachable_kubeflow_is_named_with_a_retry_button(get, done, kubeflow):
    kubeflow.error = EndpointDownError("Kubeflow at http://k does not answer (timed out after 3 s).")
    origin = f"/visualizations/{done.visualization_id}/origin"
    page = get(origin)
    assert "Kubeflow at http://k does not answer (timed out after 3 s). Saved visualizations still open." in page
    assert f'hx-get="{origin}"' in page
    assert "Retry" in page
    kubeflow.error = None
    assert get(origin).strip() == ""


def test_user_without_access_to_run_sees_nothing_of_it(get, done, kubeflow):
    kubeflow.error = ForbiddenError("Not yours.")
    assert get(f"/visualizations/{done.visualization_id}/origin").strip() == ""


def test_page_does_not_wait_for_kubeflow(raw, done, kubeflow):
    kubeflow.error = AssertionError("the page must not wait for Kubeflow")
    assert f'hx-get="/visualizations/{done.visualization_id}/origin"' in raw(done.visualization.get_absolute_url())


def test_origin_requires_sign_in_and_existing_visualization(done, browser, reader, monkeypatch):
    monkeypatch.setattr("vizportal.urls.handler404", "django.views.defaults.page_not_found")
    url = f"/visualizations/{done.visualization_id}/origin"
    assert Client().get(url).status_code == 302
    assert browser(reader).get(f"/visualizations/{uuid.uuid4()}/origin").status_code == 404


def test_failed_render_shows_reason_line_and_next_actions(get, ended):
    reason = {"reason": "code_failed", "message": 'Column "score" is not in the file.', "line": 2}
    render = ended(
        RenderState.FAILED,
        is_custom=True,
        code="a = 1\nraise KeyError\n",
        traceback="Traceback ...",
        log="said",
        **reason,
    )
    page = get(render.get_absolute_url())
    for words in ("Column &quot;score&quot; is not in the file.", "Line 2 of the code.", "raise KeyError"):
        assert words in page
    for words in ("Edit arguments", "Retry", "Show traceback", "Show log"):
        assert words in page


def test_longer_time_limit_is_offered_only_if_allowed(get, raw, ended, settings):
    settings.KERNEL_TIMEOUT = 100
    words = "Stopped after 5 s, the limit here."
    own_limit = ended(RenderState.TIMED_OUT, reason="timed_out", message=words, timeout_s=5)
    page = get(own_limit.get_absolute_url())
    assert words in page
    link = re.search(r'href="([^"]*timeout_s=100)">Retry with up to 100 s', page)[1].replace("&amp;", "&")
    assert re.search(r'name="timeout_s" value="100"', raw(link))
    Render.objects.update(timeout_s=100)
    page = get(own_limit.get_absolute_url())
    assert "Retry with up to" not in page
    assert "raise KERNEL_TIMEOUT" in page


def test_too_big_result_still_offers_the_notebook(get, ended):
    message = "The result is 82 MB, the limit is 64 MB."
    render = ended(RenderState.FAILED, reason="html_too_big", message=message, notebook="x.ipynb")
    page = get(render.get_absolute_url())
    assert message in page
    assert f'href="/renders/{render.id}/download.ipynb"' in page
    assert "Download .ipynb" in page


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        (RenderState.FAILED, "source_refused", "VIZPORTAL_SOURCE_ALLOW"),
        (RenderState.FAILED, "custom_off", "ALLOW_CUSTOM_VISUALIZATIONS"),
        (RenderState.FAILED, "out_of_memory", "Read fewer rows"),
        (RenderState.LOST, "poison", "Two workers died"),
        (RenderState.CANCELLED, "cancelled", "Retry"),
        (RenderState.FAILED, "never_heard_of", "It ended without a message."),
    ],
)
def test_every_outcome_says_what_to_do(get, ended, state, reason, words):
    page = get(ended(state, reason=reason).get_absolute_url())
    assert words in page
    assert "Edit arguments" in page


def test_refused_render_again_is_reported_in_the_card(browser, owner, submit):
    made = submit()
    answer = browser(owner).post(f"/visualizations/{made.visualization.id}/again", headers=HTMX)
    assert answer.status_code == 200
    assert "It is being rendered already." in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_visualization_links_to_previous_and_next(submit, raw):
    ids = [
        submit(title=title, force=True, arguments={"max_rows": number}).visualization.id
        for number, title in enumerate("abc", 1)
    ]
    pages = [raw(f"/visualizations/{each}/") for each in ids]
    assert f'href="/visualizations/{ids[2]}/" rel="prev"' in pages[1]
    assert f'href="/visualizations/{ids[0]}/" rel="next"' in pages[1]
    assert 'rel="next"' not in pages[0]
    assert 'rel="prev"' not in pages[2]
