"""After the first start, the run list says that the samples are still running."""

from __future__ import annotations

import pytest

from tests.runs.kubeflow import run_row

WORDS = "The sample pipelines are still running."


@pytest.mark.parametrize(
    ("name", "state", "is_embedded", "is_said"),
    [
        ("tip-prediction (sample run)", "RUNNING", True, True),
        ("tip-prediction (sample run)", "PENDING", True, True),
        ("tip-prediction (sample run)", "SUCCEEDED", True, False),
        ("my run", "RUNNING", True, False),
        ("tip-prediction (sample run)", "RUNNING", False, False),
    ],
)
def test_message_is_shown_only_while_samples_run(client, kubeflow, settings, name, state, is_embedded, is_said):
    settings.KFP_IS_EMBEDDED = is_embedded
    kubeflow.runs.append(run_row("s1", display_name=name, state=state))
    assert (WORDS in client.get("/runs/").content.decode()) is is_said
