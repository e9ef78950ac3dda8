"""What a render runs with: environment, overlay packages, a sample, and metadata as its source."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from apps.runs.entities import Artifact
from apps.visualizations.exceptions import InvalidRequestError
from apps.visualizations.services import hosts
from apps.visualizations.services.again import render_again
from tests.callers import caller

pytestmark = pytest.mark.django_db(transaction=True)
ASKS = '# /// script\n# dependencies = ["Humanize>=4"]\n# ///\nprint(1)'
MATRIX = {"confusionMatrix": {"annotationSpecs": [{"displayName": "a"}], "rows": [{"row": [3]}]}}


@pytest.fixture
def custom(settings, submit, kernel):
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    return lambda code, **more: submit(type_key="custom", code=code, **more)


def test_packages_are_installed_only_if_allowed(custom, settings, row, work):
    with pytest.raises(InvalidRequestError, match="VIZPORTAL_ALLOW_DEPENDENCIES") as caught:
        custom(ASKS)
    assert list(caught.value.fields) == ["code"]
    settings.VIZPORTAL_ALLOW_DEPENDENCIES = True
    made = custom(ASKS)
    assert made.render.dependencies == ["humanize>=4"]
    # The worker checks the setting again.
    settings.VIZPORTAL_ALLOW_DEPENDENCIES = False
    work()
    assert row(made.render).reason == "dependencies_refused"


@pytest.mark.parametrize(
    "header",
    [
        '# /// script\n# dependencies = ["x @ https://e/x.whl"]\n# ///',
        '# /// script\n# dependencies = ["--index-url=x"]\n# ///',
        '# /// script\n# dependencies = "humanize"\n# ///',
        "# /// script\n# dependencies = [\n# ///",
        "# /// script\n# x = 1\n# ///\n\n# /// script\n# y = 1\n# ///",
        f"# /// script\n# dependencies = {json.dumps([f'p{number}' for number in range(21)])}\n# ///",
    ],
)
def test_invalid_script_header_is_refused(custom, settings, header):
    settings.VIZPORTAL_ALLOW_DEPENDENCIES = True
    with pytest.raises(InvalidRequestError) as caught:
        custom(f"{header}\nprint(1)")
    assert list(caught.value.fields) == ["code"]


def test_script_header_sets_environment_and_request_overrides_it(custom, monkeypatch):
    monkeypatch.setattr(hosts, "environment_available", lambda _key: True)
    asks = '# /// script\n# [tool.vizportal]\n# environment = "tfx"\n# ///\nprint(1)'
    made = custom(asks)
    assert made.render.environment == "tfx"
    assert custom(asks, environment="base").render.environment == "base"
    assert custom("print(1)").render.environment == "base"
    with pytest.raises(InvalidRequestError, match="There is no environment") as caught:
        custom("print(1)", environment="../x")
    assert list(caught.value.fields) == ["environment"]


def test_unbuilt_environment_is_refused_with_build_command(custom, queue):
    with pytest.raises(InvalidRequestError, match=r"manage\.py environments build tfx"):
        custom("print(1)", environment="tfx")
    # A host on another machine is enough.
    queue.connection.set("vizportal:host:elsewhere:tfx", "{}")
    assert custom("print(1)", environment="tfx").is_new


def test_render_waits_for_remote_environment_scaled_to_zero(custom, settings):
    settings.VIZPORTAL_REMOTE_ENVIRONMENTS = ["tfx"]
    assert custom("print(1)", environment="tfx").render.state == "queued"


def test_creator_disables_render_button_for_unbuilt_environment(
    owner, browser, kubeflow, kernel, monkeypatch, settings
):
    from apps.visualizations.views import creator

    monkeypatch.setattr(creator, "gateway_for", lambda *_: kubeflow)
    folder = settings.VIZPORTAL_DATA_DIR / "types"
    folder.mkdir(parents=True)
    header = '# /// script\n# [tool.vizportal]\n# key = "heavy"\n# title = "Heavy"\n# description = "d"\n'
    (folder / "heavy.py").write_text(f'{header}# environment = "tfx"\n# ///\n')
    settings.VIZPORTAL_TYPES_DIRS = [folder]
    page = browser(owner).get("/runs/r1/steps/s1/visualizations/?type=heavy").content.decode()
    assert "manage.py environments build tfx" in page
    assert re.search(r'<button class="btn btn-primary" type="submit" disabled>', page)
    fine = browser(owner).get("/runs/r1/steps/s1/visualizations/?type=table").content.decode()
    assert "environments build" not in fine
    assert re.search(r'<button class="btn btn-primary" type="submit">', fine)


def test_sample_is_separate_result_until_all_rows_are_rendered(submit, work, kernel, row, owner, browser, kubeflow):
    whole = submit()
    work()
    tried = submit(is_sample=True)
    assert tried.is_new
    assert tried.visualization != whole.visualization
    assert tried.visualization.title.endswith(" (sample)")
    work()
    assert [job.spec.sample_rows for job in kernel.jobs] == [None, 1000]
    card = browser(owner).get(f"/renders/{tried.render.id}/fragment").content.decode()
    assert "first 1,000 rows" in card
    assert not submit(is_sample=True).is_new
    browser(owner).post(f"/visualizations/{tried.visualization.id}/again", {"whole": "yes"})
    work()
    tried.visualization.refresh_from_db()
    assert not tried.visualization.title.endswith("(sample)")
    assert kernel.jobs[-1].spec.sample_rows is None
    assert tried.visualization.latest.sample_rows is None


@pytest.fixture
def metrics(kubeflow):
    """Adds metrics without a stored object to the step."""
    [step] = kubeflow.details.steps
    for number, (name, uri) in enumerate((("with uri", "minio://b/nothing"), ("without", ""))):
        found = Artifact(
            id=f"9{number}",
            name=name,
            type="system.ClassificationMetrics",
            uri=uri,
            direction="output",
            metadata=MATRIX,
        )
        step = replace(step, artifacts=(*step.artifacts, found))
    kubeflow.details = replace(kubeflow.details, steps=(step,))


@pytest.mark.parametrize("name", ["with uri", "without"])
def test_metrics_are_rendered_from_their_metadata(metrics, submit, work, kernel, row, name):
    seen = []
    kernel.during = lambda: seen.append(Path(kernel.jobs[-1].source).read_text())
    made = submit(type_key="confusion_matrix", artifact_name=name)
    work()
    assert row(made.render).state == "succeeded"
    assert [json.loads(text) for text in seen] == [MATRIX]
    again = render_again(caller(made.render.requested_by), made.visualization)
    work()
    assert row(again).state == "succeeded"
    assert len(seen) == 2


def test_changed_metadata_changes_the_cache_key(metrics, submit, work, kubeflow):
    submit(type_key="confusion_matrix", artifact_name="without")
    work()
    assert not submit(type_key="confusion_matrix", artifact_name="without").is_new
    [step] = kubeflow.details.steps
    changed = replace(step.artifacts[-1], metadata={"confusionMatrix": {"rows": []}})
    kubeflow.details = replace(kubeflow.details, steps=(replace(step, artifacts=(*step.artifacts[:-1], changed)),))
    assert submit(type_key="confusion_matrix", artifact_name="without").is_new
