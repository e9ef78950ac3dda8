"""The page of a run that Kubeflow deleted says so and links to saved visualizations."""

from __future__ import annotations

import pytest

from tests.runs.test_pages import soup

PAGES = ["/runs/gone-1/", "/runs/gone-1/steps/train/", "/runs/gone-1/steps/train/artifacts/1/preview"]


@pytest.mark.parametrize("path", PAGES)
def test_pages_of_a_deleted_run_link_to_saved_visualizations(client, kubeflow, path):
    page = soup(client.get(path), status=404)
    assert page.h1.text == "No longer in Kubeflow"
    assert "gone-1" in page.select_one(".banner").text
    assert page.select_one("[hx-get='/runs/gone-1/visualizations/'][hx-trigger=load]")
    assert page.select_one("a[href='/visualizations/?q=gone-1']")


@pytest.mark.parametrize(
    "headers", [{"HX-Request": "true"}, {"Sec-Fetch-Dest": "iframe"}, {"HX-Request": "true", "HX-Target": "run-live"}]
)
def test_htmx_part_gets_only_a_sentence(client, kubeflow, headers):
    response = client.get("/runs/gone-1/", headers=headers)
    assert response.status_code == 404
    assert "<h1" not in response.content.decode()


def test_missing_step_of_an_existing_run_has_another_message(client, kubeflow):
    assert "No longer in Kubeflow" not in client.get("/runs/r1/steps/nothing/").content.decode()
    assert client.post("/runs/gone-1/archive").status_code == 404
