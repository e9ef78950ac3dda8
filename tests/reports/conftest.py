"""The users and the queue of tests/visualizations, and saved results with pages and key figures."""

import hashlib

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from apps.reports import drafting, services
from apps.reports.blocks import Draft
from apps.reports.models import BlockKind
from apps.visualizations.models import Render, RenderFigure, Visualization
from tests.callers import caller
from tests.visualizations.conftest import (  # noqa: F401  (fixtures)
    admin,
    browser,
    kernel,
    kubeflow,
    owner,
    queue,
    reader,
    valkey_url,
)

PAGE = (
    "<!doctype html><title>x</title><p id=\"a\" title='b'>A &amp; B</p>"
    '<script>document.body.dataset.ran = "yes"</script>'
)


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "results"


@pytest.fixture
def again():
    """Adds a render to a visualization and makes it the latest."""

    def make(visualization, html=PAGE, *, state="succeeded", figures=None):
        content = html.encode() if isinstance(html, str) else html
        render = Render.objects.create(
            visualization=visualization,
            number=visualization.renders.count() + 1,
            state=state,
            code="",
            type_version="1",
            environment="base",
            timeout_s=1,
        )
        if content:
            render.html = default_storage.save(f"renders/{render.id}.html", ContentFile(content))
            render.html_bytes, render.html_sha256 = len(content), hashlib.sha256(content).hexdigest()
            render.save()
        for name, value in (figures or {}).items():
            RenderFigure.objects.create(render=render, name=name, value=value, better="higher")
        visualization.latest, visualization.outcome = render, state
        visualization.save()
        return render

    return make


@pytest.fixture
def saved(owner, again):  # noqa: F811
    """Saves a visualization with one render."""

    def make(title="Curve", html=PAGE, *, by=None, figures=None, state="succeeded", **values):
        visualization = Visualization.objects.create(
            title=title,
            owner=by or owner,
            text=title.lower(),
            **{"type_key": "table", "endpoint_key": "default", **values},
        )
        again(visualization, html, figures=figures, state=state)
        return visualization

    return make


@pytest.fixture
def write(owner):  # noqa: F811
    """Creates a report of texts and visualizations."""

    def make(*parts, title="Weekly", by=None, kind=BlockKind.RENDER):
        drafts = []
        for part in parts:
            if isinstance(part, str):
                drafts.append(Draft(kind=BlockKind.TEXT, text=part))
            else:
                drafts += drafting.drafts_from([part], kind)
        return services.report_create(caller(by or owner), title, drafts)

    return make
