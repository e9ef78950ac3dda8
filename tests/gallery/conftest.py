"""The users, the queue and the two stand-ins of tests/visualizations."""

import pytest

from apps.visualizations.models import Render, RenderFigure, Visualization
from apps.visualizations.services.indexing import text_of
from tests.visualizations.conftest import (  # noqa: F401  (fixtures)
    browser,
    kernel,
    kubeflow,
    owner,
    queue,
    reader,
    row,
    submit,
    valkey_url,
    work,
)


@pytest.fixture
def saved(owner):  # noqa: F811
    """Saves a visualization with one ended render and key figures given by name."""

    def save(title, *, state="succeeded", figures=None, by=None, **values):
        visualization = Visualization(
            title=title, owner=by or owner, outcome=state, **{"type_key": "table", "endpoint_key": "default", **values}
        )
        visualization.text = text_of(visualization)
        visualization.save()
        render = Render.objects.create(
            visualization=visualization,
            number=1,
            state=state,
            code="",
            type_version="1",
            environment="base",
            timeout_s=1,
        )
        visualization.latest = render
        visualization.save()
        for name, value in (figures or {}).items():
            RenderFigure.objects.create(render=render, name=name, value=value, better="higher")
        return visualization

    return save
