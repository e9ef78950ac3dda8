"""An approved type in the real kernel, in its sandbox, with a typed argument."""

import pytest

from apps.promotion import decisions, services
from apps.promotion.files import file_write
from apps.visualizations.jobs import RenderWorker
from apps.visualizations.states import RenderState
from tests.callers import caller

CODE = """\"\"\"Rows above a limit.\"\"\"
import pandas as pd

rows = pd.read_csv(source)
limit = variables.get("limit", 0.5)
display(rows[rows["score"] > limit])
print("limit is", limit + 1)
"""


@pytest.mark.kernel
@pytest.mark.django_db(transaction=True)
def test_approved_type_renders_with_its_typed_argument(
    submit, queue, settings, tmp_path, kubeflow, row, owner, reviewer
):
    settings.MEDIA_ROOT, settings.VIZPORTAL_DATA_DIR = tmp_path / "results", tmp_path / "data"
    kubeflow.contents["minio://b/predictions.csv"] = b"score,label\n0.125,0\n0.625,0\n0.875,1\n"

    def rendered(submission):
        RenderWorker([queue], connection=queue.connection).work(burst=True, logging_level="WARNING")
        render = row(submission.render)
        assert render.state == RenderState.SUCCEEDED, render.message
        return render, render.html.open().read().decode()

    sample, page = rendered(submit(type_key="custom", code=CODE))
    assert "0.625" in page
    draft = services.draft_begin(caller(owner), sample)
    file = file_write(draft).replace('description = ""', 'description = "Rows above it."')
    proposal = services.proposal_create(caller(owner), sample, file)
    services.proposal_propose(caller(owner), proposal)
    decisions.proposal_approve(caller(reviewer), proposal, 1)
    settings.ALLOW_CUSTOM_VISUALIZATIONS = False
    render, page = rendered(submit(type_key="rows_above_a_limit", arguments={"limit": 0.75}))
    assert "0.875" in page
    assert "0.625" not in page
    assert "limit is 1.75" in page
    assert (render.is_custom, render.type_version[:3], render.arguments) == (False, "v1-", {"limit": 0.75})
    assert render.sandbox.startswith(sample.sandbox.split()[0])
