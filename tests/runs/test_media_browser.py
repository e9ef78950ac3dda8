"""A real browser plays audio and video artifacts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.looks import violations
from tests.runs.test_media import SOUND, URL

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# One second of a changing canvas, encoded by the browser.
RECORD = """async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
  const drawing = canvas.getContext("2d");
  const recorder = new MediaRecorder(canvas.captureStream(10), { mimeType: "video/webm" });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const ended = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start();
  for (let number = 0; number < 10; number += 1) {
    drawing.fillStyle = `hsl(${number * 36} 80% 50%)`;
    drawing.fillRect(0, 0, 64, 64);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  recorder.stop();
  await ended;
  return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
}"""
PLAYED = """async (player) => {
  player.muted = true;
  await player.play();
  await new Promise((resolve) => { player.ontimeupdate = () => { if (player.currentTime > 0) resolve(); }; });
  return [player.error, player.videoWidth ?? 0];
}"""

SKIP = """(player) => new Promise((done) => {
  player.onseeked = () => done(player.currentTime);
  player.currentTime = 15;
})"""


def show(page, kubeflow, name, data):
    kubeflow.objects[f"mlpipeline/{name}"] = data
    kubeflow.add_artifact(90, 4, name, "system.Artifact", f"minio://mlpipeline/{name}")
    page.goto(f"{URL}preview")


def test_audio_plays_and_seeks(page, kubeflow):
    show(page, kubeflow, "clip.wav", SOUND)
    player = page.locator("audio")
    expect(player).to_be_visible()
    assert player.evaluate(PLAYED)[0] is None
    assert player.evaluate("player => player.duration") == pytest.approx(20, abs=0.1)
    assert player.evaluate(SKIP) >= 15
    assert violations(page) == []


def test_video_plays(page, kubeflow):
    page.goto("/design/")
    recorded = bytes(page.evaluate(RECORD))
    show(page, kubeflow, "clip.webm", recorded)
    player = page.locator("video")
    assert player.evaluate(PLAYED) == [None, 64]
    page.set_viewport_size({"width": 390, "height": 844})
    box = player.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert violations(page) == []
