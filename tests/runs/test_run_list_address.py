"""The address of the run list has only the filters that say something, also where a form sends them all."""

import pytest


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("/runs/?q=&status=", "/runs/"), ("/runs/?q=tips&pipeline=", "/runs/?q=tips")],
)
def test_fields_that_were_left_empty_are_not_in_it(client, kubeflow, sent, kept):
    response = client.get(sent)
    assert (response.status_code, response["Location"]) == (302, kept)
    assert client.get(kept).status_code == 200
