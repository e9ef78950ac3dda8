"""A run that Kubeflow no longer has: its address says so, and leads to what was saved of it."""

from __future__ import annotations

import pytest

from tests.runs.test_pages import soup

PAGES = ["/runs/gone-1/", "/runs/gone-1/steps/train/", "/runs/gone-1/steps/train/artifacts/1/preview"]


@pytest.mark.parametrize("path", PAGES)
def test_its_pages_say_that_it_is_gone_and_link_what_was_saved(client, kubeflow, path):
    page = soup(client.get(path), status=404)
    assert page.h1.text == "No longer in Kubeflow"
    assert "gone-1" in page.select_one(".banner").text
    assert page.select_one("[hx-get='/runs/gone-1/visualizations/'][hx-trigger=load]")
    assert page.select_one("a[href='/visualizations/?q=gone-1']")


@pytest.mark.parametrize(
    "headers", [{"HX-Request": "true"}, {"Sec-Fetch-Dest": "iframe"}, {"HX-Request": "true", "HX-Target": "run-live"}]
)
def test_a_part_of_a_page_gets_one_sentence(client, kubeflow, headers):
    response = client.get("/runs/gone-1/", headers=headers)
    assert response.status_code == 404
    assert "<h1" not in response.content.decode()


def test_what_is_missing_in_a_run_that_is_there_is_something_else(client, kubeflow):
    assert "No longer in Kubeflow" not in client.get("/runs/r1/steps/nothing/").content.decode()
    assert client.post("/runs/gone-1/archive").status_code == 404
