"""Audio and video artifacts are served in ranges from any store, with the type that their bytes prove."""

from __future__ import annotations

import io
import wave

import pytest

from apps.runs.views import media
from tests.runs.s3 import SECRET, s3_client
from tests.runs.test_pages import soup

URL = "/runs/r1/steps/evaluate/artifacts/90/"


def tone(seconds=1):
    """Returns a WAV file of silence."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes(128 + number % 3 for number in range(8000 * seconds)))
    return written.getvalue()


SOUND = tone(20)


@pytest.fixture(params=["endpoint", "store"])
def put(request, kubeflow, s3, configure):
    """Stores an artifact's bytes at the endpoint or in a separate store."""

    def write(name, data):
        if request.param == "store":
            configure(
                {
                    "prefix": "minio://mlpipeline/",
                    "endpoint_url": s3,
                    "key": "k",
                    "secret": SECRET,
                    "region": "us-east-1",
                }
            )
            s3_client(s3).put_object(Bucket="mlpipeline", Key=name, Body=data)
        kubeflow.objects[f"mlpipeline/{name}"] = data
        kubeflow.add_artifact(90, 4, "clip", "system.Artifact", f"minio://mlpipeline/{name}")

    return write


def body(response):
    return b"".join(response.streaming_content)


def test_preview_has_a_player(client, put):
    put("clip.wav", SOUND)
    player = soup(client.get(f"{URL}preview")).select_one("audio[controls]")
    assert player["src"] == f"{URL}media"
    assert player["aria-label"] == "clip"


def test_media_is_served_with_strict_headers(client, put):
    put("clip.wav", SOUND)
    answer = client.get(f"{URL}media")
    assert (answer.status_code, answer["Content-Type"], answer["Content-Length"]) == (200, "audio/wav", str(len(SOUND)))
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox ")
    assert answer["Accept-Ranges"] == "bytes"
    assert body(answer) == SOUND


@pytest.mark.parametrize(("asked", "start", "end"), [("0-", 0, None), ("5-9", 5, 10), ("70000-80000", 70000, 80001)])
def test_range_request_returns_the_requested_part(client, put, asked, start, end):
    put("clip", SOUND)
    answer = client.get(f"{URL}media", headers={"Range": f"bytes={asked}"})
    part = SOUND[start:end]
    assert (answer.status_code, answer["Content-Type"]) == (206, "audio/wav")
    assert answer["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{len(SOUND)}"
    assert answer["Content-Length"] == str(len(part))
    assert body(answer) == part


def test_range_after_the_end_returns_416(client, put):
    put("clip.wav", SOUND)
    assert client.get(f"{URL}media", headers={"Range": f"bytes={len(SOUND)}-"}).status_code == 416


@pytest.mark.parametrize("data", [b"<script>alert(1)</script>", b"\0\1\2", b"RIFF....AVI ", b"%PDF-1.4"])
def test_file_extension_alone_is_not_media(client, put, data):
    for name in ("clip.mp3", "clip.mp4"):
        put(name, data)
        assert client.get(f"{URL}media").status_code == 404
        assert client.get(f"{URL}media", headers={"Range": "bytes=1-"}).status_code == 404
        assert not soup(client.get(f"{URL}preview")).select("audio, video")


def test_media_opened_as_page_redirects_to_the_preview(client, put):
    put("clip.wav", SOUND)
    answer = client.get(f"{URL}media", headers={"Sec-Fetch-Dest": "document"})
    assert (answer.status_code, answer["Location"]) == (302, f"{URL}preview")


def test_long_media_without_range_support_is_sent_in_full(client, kubeflow, monkeypatch):
    monkeypatch.setattr(media, "LARGEST_SKIPPED_BYTES", 1000)
    kubeflow.objects["mlpipeline/clip"] = SOUND
    kubeflow.add_artifact(90, 4, "clip", "system.Artifact", "minio://mlpipeline/clip")
    answer = client.get(f"{URL}media", headers={"Range": "bytes=5-"})
    assert answer.status_code == 200
    assert not answer.has_header("Accept-Ranges")
    assert body(answer) == SOUND
