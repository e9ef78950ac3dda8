"""KFP 1.x viewers, and the frames that show files."""

from __future__ import annotations

import json

import pytest
from bs4 import BeautifulSoup

from apps.runs.entities import Artifact
from apps.runs.exceptions import NotFoundError
from apps.runs.previews import ui_metadata
from tests.runs import sampled

STEP = "/runs/r1/steps/train/"
MATRIX = {"labels": ["a"], "schema": [{}], "storage": "inline"}
CURVE = {"schema": [{"name": "fpr"}, {"name": "tpr"}], "storage": "inline"}
FRAME = {"Sec-Fetch-Dest": "iframe"}


@pytest.fixture
def ids(kubeflow):
    return sampled.with_every_kind(kubeflow)


def address(ids, name, rest):
    return f"{STEP}artifacts/{ids[name]}/{rest}"


def soup(response):
    return BeautifulSoup(response.content, "html.parser")


def nothing(uri, limit):
    raise NotFoundError(f"no {uri}")


def drawn(*outputs, read=nothing):
    return ui_metadata.draw(json.dumps({"outputs": outputs}).encode(), read).viewers


def test_every_kfp_1_viewer_is_drawn_or_explained(client, ids):
    response = client.get(address(ids, "mlpipeline-ui-metadata", "viewers"))
    page = soup(response)
    matrix, roc, table, text, app, board, bad_board, missing, hologram, nonsense = page.select(".viewer")
    assert [cell.text for cell in matrix.select("td.num")] == ["8", "2", "1", "9"]
    assert "rows: target, columns: guess" in matrix.text
    assert "AUC 0.8250" in roc.text
    assert [cell.text for cell in table.select("th, td")] == ["a", "<b>", "1", "x", "2", "y"]
    assert text.select_one(".prose strong").text == "bold"
    assert app.select_one("iframe")["sandbox"] == ["allow-scripts"]
    assert "gs://bucket/logs" in board.text
    assert not bad_board.select("a")
    assert "no such object" in missing.text
    assert "knows no viewer of the type hologram" in hologram.text
    assert "cannot be drawn" in nonsense.text
    assert b"<script>x" not in response.content


def test_viewers_load_automatically_on_the_artifacts_tab(client, ids):
    place = soup(client.get(STEP)).select_one(f"#viewers-output-{ids['mlpipeline-ui-metadata']}")
    assert place["hx-trigger"] == "load"
    part = client.get(place["hx-get"], headers={"HX-Request": "true", "HX-Target": place["id"]})
    assert b"<html" not in part.content
    assert len(soup(part).select(".viewer")) == 10


def test_kfp_1_metrics_are_shown_as_numbers(client, ids):
    page = soup(client.get(address(ids, "mlpipeline-metrics", "viewers")))
    assert [cell.text for cell in page.select(".metrics td")] == ["92.500%", "3"]


def test_web_app_is_served_only_into_a_sandboxed_frame(client, ids):
    url = address(ids, "mlpipeline-ui-metadata", "viewers/4/app")
    framed = client.get(url, headers=FRAME)
    assert b"My app" in framed.content
    assert framed["Content-Security-Policy"].startswith("sandbox allow-scripts; default-src 'none'")
    assert client.get(url, headers={"Sec-Fetch-Dest": "document"}).status_code == 302
    assert client.get(address(ids, "mlpipeline-ui-metadata", "viewers/2/app"), headers=FRAME).status_code == 404
    assert client.get(address(ids, "mlpipeline-ui-metadata", "viewers/99/app"), headers=FRAME).status_code == 404
    assert client.get(address(ids, "page.html", "viewers/0/app"), headers=FRAME).status_code == 404


def test_pdf_is_served_with_strict_headers(client, ids):
    response = client.get(address(ids, "paper.pdf", "frame"), headers=FRAME)
    assert response["Content-Type"] == "application/pdf"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "script-src" not in response["Content-Security-Policy"]
    page = client.get(address(ids, "page.html", "frame"), headers=FRAME)
    assert page["Content-Security-Policy"].startswith("sandbox allow-scripts")
    assert client.get(address(ids, "table.csv", "frame"), headers=FRAME).status_code == 404


def test_metrics_are_drawn_without_reading_the_artifact(client, kubeflow):
    kubeflow.requests.clear()
    page = soup(client.get("/runs/r1/steps/evaluate/artifacts/3/preview"))
    assert page.select_one(".roc")
    assert page.select_one(".confusion")
    assert "0.91" in client.get("/runs/r1/steps/evaluate/artifacts/2/preview").content.decode()
    assert "/artifacts/get" not in [path for _, path in kubeflow.requests]


def test_many_slices_are_collapsed(client, kubeflow):
    points = [{"falsePositiveRate": x, "recall": x} for x in (0, 0.5, 1)]
    slices = [{"slice": f"s{n}", "sliceClassificationMetrics": {"confidenceMetrics": points}} for n in range(9)]
    kubeflow.add_artifact(90, 3, "sliced", "system.SlicedClassificationMetrics", "", evaluationSlices=slices)
    page = soup(client.get(STEP))
    assert [summary.text.split()[0] for summary in page.select(".slices summary")] == [f"s{n}" for n in range(9)]
    assert len(page.select(".slices details[open]")) == 1


def test_unreadable_artifact_is_reported_in_its_place(client, kubeflow, ids):
    part = {"HX-Request": "true", "HX-Target": f"preview-output-{ids['table.csv']}"}
    kubeflow.objects.clear()
    assert "cannot be read" in client.get(address(ids, "table.csv", "preview"), headers=part).content.decode()
    viewers = {"HX-Request": "true", "HX-Target": f"viewers-output-{ids['mlpipeline-ui-metadata']}"}
    answer = client.get(address(ids, "mlpipeline-ui-metadata", "viewers"), headers=viewers)
    assert "cannot be read" in answer.content.decode()


@pytest.mark.parametrize("name", list(sampled.FILES))
def test_every_preview_kind_has_a_page(client, ids, name):
    response = client.get(address(ids, name, "preview"))
    assert response.status_code == 200
    shown = soup(response).select_one(".preview")
    assert shown.select("table, pre, iframe, img, .prose, .json-tree") or "empty" in shown.text
    assert not shown.select("script, style, b, i")


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"type": "confusion_matrix"}, "list of labels"),
        ({"type": "confusion_matrix", **MATRIX, "source": "a,a,x"}, "count"),
        ({"type": "confusion_matrix", **MATRIX, "source": "b,a,1"}, "labels"),
        ({"type": "confusion_matrix", **MATRIX, "labels": ["a", "b"], "source": "a,a,1"}, "4 rows"),
        ({"type": "roc", "storage": "inline", "source": "0,0"}, "schema"),
        ({"type": "roc", "schema": [{"name": "x"}], "storage": "inline", "source": "0,0"}, "fpr and tpr"),
        ({"type": "roc", **CURVE, "source": "a,b"}, "numbers"),
        ({"type": "roc", **CURVE, "source": "nan,nan"}, "two points"),
        ({"type": "table", "source": "x"}, "header"),
        ({"type": "table", "header": ["a"], "format": "xls", "storage": "inline", "source": "x"}, "only csv"),
        ({"type": "table", "header": ["a"], "storage": "inline", "source": ""}, "no rows"),
        ({"type": "markdown"}, "no source"),
        ({"type": "markdown", "source": 7}, "no source"),
        ({"type": "markdown", "source": "s3://b/x"}, "no s3://b/x"),
        ({"type": "tensorboard"}, "log directory"),
        ({"type": None}, "none"),
    ],
)  # fmt: skip
def test_invalid_viewer_is_explained_and_the_next_is_drawn(item, words):
    broken, fine = drawn(item, {"type": "markdown", "storage": "inline", "source": "*fine*"})
    assert words in broken.problem
    assert "<em>fine</em>" in fine.markup


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"outputs": 3}', b'{"metrics": {"a": 1}}', b"[" * 50_000])
def test_malformed_viewer_metadata_is_explained(body):
    assert ui_metadata.draw(body, nothing).note


@pytest.mark.parametrize("name", ["mlpipeline-ui-metadata", "mlpipeline_ui_metadata", "train-mlpipeline-metrics"])
def test_viewer_artifacts_are_recognized_by_name(name):
    assert ui_metadata.is_drawn(Artifact(id="1", name=name, type="", uri="", direction="output"))


def test_http_log_directory_of_tensorboard_is_a_link(client):
    (board,) = drawn({"type": "tensorboard", "source": "https://boards.example/run"})
    assert board.link == "https://boards.example/run"
