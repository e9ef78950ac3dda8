"""Previews, the sandboxed view and downloads of artifacts."""

from __future__ import annotations

import pytest

from apps.runs.entities import Artifact
from apps.runs.gateway import ArtifactStream
from apps.runs.previews import LARGEST_WHOLE_BYTES, PEEK_BYTES, download_name, preview

STEP = "/runs/r1/steps/{}/artifacts/{}/{}"
FRAME = {"Sec-Fetch-Dest": "iframe"}


def shown(data, name="x", kind="system.Artifact", size=None, metadata=None, is_directory=False):
    artifact = Artifact(
        id="1", name="x", type=kind, uri=f"minio://b/{name}", direction="output", metadata=metadata or {}
    )
    stream = ArtifactStream(chunks=iter([data]), size_bytes=size, content_type="", is_directory=is_directory)
    return preview(artifact, stream)


@pytest.mark.parametrize(
    ("data", "options", "kind"),
    [
        (b"a,b\n1,2\n", {"name": "x.csv"}, "table"),
        (b"a\tb\n1\t2\n", {"name": "x.tsv"}, "table"),
        (b"a,b\n1,2\n", {"metadata": {"format": "csv"}}, "table"),
        (b"a,b\n1,2\n", {"kind": "system.Dataset"}, "table"),
        (b'{"a": 1}', {}, "json"),
        (b"hello", {}, "text"),
        ("caf\u00e9".encode()[:-1], {}, "text"),
        (b"# hi", {"kind": "system.Markdown"}, "markdown"),
        (b"<html>", {}, "html"),
        (b"\x89PNG....", {}, "image"),
        (b"\x00\x01", {}, "binary"),
        (b"\xff\xfe\xfa" * 9, {}, "binary"),
        (b"", {}, "empty"),
        (b"\x1f\x8b", {"is_directory": True}, "directory"),
        (b"<html>", {"size": LARGEST_WHOLE_BYTES + 1}, "too_large"),
    ],
)
def test_preview_kind_depends_on_type_name_and_first_bytes(data, options, kind):
    assert shown(data, **options).preview_kind == kind


def test_long_table_is_cut_after_a_complete_row():
    data = b"a,b\n" + b"".join(b"%d,x\n" % number for number in range(30_000))
    found = shown(data, name="x.csv", size=len(data))
    assert found.is_cut
    assert found.header == ("a", "b")
    assert found.rows[-1] == ("49", "x")
    assert found.size_bytes == len(data)


def test_only_the_beginning_of_a_long_text_is_read():
    found = shown(b"x" * (3 * PEEK_BYTES), size=3 * PEEK_BYTES)
    assert len(found.text) == PEEK_BYTES
    assert found.is_cut


def test_scripts_and_foreign_images_are_removed_from_markdown():
    found = shown(b'**b** <script>x</script><img src=//evil>\n\n<a href="javascript:x">l</a>', kind="system.Markdown")
    assert "<strong>b</strong>" in found.markup
    for bad in ("<script", "<img", "javascript:"):
        assert bad not in found.markup


@pytest.mark.parametrize(
    ("uri", "kind", "metadata", "is_directory", "name"),
    [
        ("minio://b/data.csv", "system.Dataset", {}, False, "data.csv"),
        ("minio://b/out", "system.Dataset", {"format": "csv"}, False, "out.csv"),
        ("minio://b/report", "system.HTML", {}, False, "report.html"),
        ("minio://b/stats", "system.Artifact", {}, True, "stats.tar.gz"),
        ("", "system.Artifact", {}, False, "key"),
    ],
)
def test_download_name_has_a_usable_extension(uri, kind, metadata, is_directory, name):
    artifact = Artifact(id="1", name="key", type=kind, uri=uri, direction="output", metadata=metadata)
    assert download_name(artifact, is_directory=is_directory) == name


def test_preview_is_a_page_or_an_htmx_part(client, kubeflow):
    url = STEP.format("read-data", 1, "preview")
    page = client.get(url).content.decode()
    assert "16.99" in page
    assert "<html" in page
    assert 'href="/runs/r1/steps/read-data/?artifact=1&amp;new=1"' in page, "from the preview to the Creator"
    part = client.get(url, headers={"HX-Request": "true", "HX-Target": "preview-output-1"}).content.decode()
    assert "16.99" in part
    assert "<html" not in part


def test_download_is_an_attachment(client, kubeflow):
    response = client.get(STEP.format("read-data", 1, "download"))
    assert b"".join(response.streaming_content).startswith(b"total_bill,tip,day")
    assert response["Content-Disposition"] == 'attachment; filename="data.csv"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox")
    report = client.get(STEP.format("evaluate", 4, "download"))
    assert report["Content-Disposition"] == 'attachment; filename="report.html"'
    report.close()


def test_html_is_served_only_into_a_sandboxed_frame(client, kubeflow):
    url = STEP.format("evaluate", 4, "frame")
    framed = client.get(url, headers=FRAME)
    assert framed["Content-Type"].startswith("text/html")
    policy = framed["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policy
    opened = client.get(url, headers={"Sec-Fetch-Dest": "document"})
    assert opened["Location"] == STEP.format("evaluate", 4, "preview")
    assert 'sandbox="allow-scripts"' in client.get("/runs/r1/steps/evaluate/").content.decode()


def test_image_is_served_with_its_content_type(client, kubeflow):
    response = client.get(STEP.format("evaluate", 6, "frame"), headers={"Sec-Fetch-Dest": "image"})
    assert response["Content-Type"] == "image/png"


def test_table_is_not_served_in_a_frame(client, kubeflow):
    assert client.get(STEP.format("read-data", 1, "frame"), headers=FRAME).status_code == 404


def test_artifact_is_found_only_in_its_steps(client, kubeflow):
    kubeflow.requests.clear()
    assert client.get(STEP.format("labels", 1, "download")).status_code == 404
    assert client.get(STEP.format("read-data", 999, "preview")).status_code == 404
    assert "/artifacts/get" not in [path for _, path in kubeflow.requests]


def test_missing_object_is_reported(client, kubeflow):
    kubeflow.objects.clear()
    url = STEP.format("read-data", 1, "preview")
    assert client.get(url).status_code == 404
    part = client.get(url, headers={"HX-Request": "true", "HX-Target": "preview-output-1"})
    assert "cannot be read: no such object" in part.content.decode()
