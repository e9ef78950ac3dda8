"""The run list's address contains only set filters, even if a form sends all fields."""

import pytest


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("/runs/?q=&status=", "/runs/"), ("/runs/?q=tips&pipeline=", "/runs/?q=tips")],
)
def test_empty_fields_are_removed_by_a_redirect(client, kubeflow, sent, kept):
    response = client.get(sent)
    assert (response.status_code, response["Location"]) == (302, kept)
    assert client.get(kept).status_code == 200
