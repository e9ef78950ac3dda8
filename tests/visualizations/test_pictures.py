"""The first picture of a result: where it comes from, how it is stored and served, and hostile pages."""

import base64
import io
import json
import struct

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.visualizations.services import pictures
from tests.environments import ENVIRONMENTS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.kernel]
SPEC = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
    "data": {"values": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]},
    "mark": "point",
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
}
SHOWN = f'<main><script type="application/json" class="vizkit-spec">{json.dumps(SPEC)}</script></main>'.encode()
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg=="
)


@pytest.fixture
def made(submit, work, row, kernel, settings):
    settings.VIZPORTAL_ENVIRONMENTS_DIR = ENVIRONMENTS.built_dir

    def made(html):
        kernel.html = html
        found = submit(force=True)
        work()
        return row(found.render)

    return made


def test_vega_specification_is_drawn_as_svg_and_png(made, browser, reader):
    render = made(SHOWN)
    svg = browser(reader).get(f"/renders/{render.id}/picture.svg")
    assert svg.content.count(b'aria-roledescription="point"') == len(SPEC["data"]["values"])
    assert svg.headers["Content-Type"] == "image/svg+xml"
    assert svg.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none';")
    assert svg.headers["X-Content-Type-Options"] == "nosniff"
    png = browser(reader).get(f"/renders/{render.id}/picture.png").content
    assert png.startswith(b"\x89PNG")
    assert min(struct.unpack(">II", png[16:24])) > 100


def test_first_picture_of_page_is_used_and_bitmap_is_unchanged(made, browser, reader):
    image = b'<img alt="" src="data:image/png;base64,' + base64.b64encode(PNG) + b'">'
    render = made(b"<main>" + image + SHOWN.removeprefix(b"<main>"))
    assert browser(reader).get(f"/renders/{render.id}/picture.png").content == PNG
    assert base64.b64encode(PNG) in browser(reader).get(f"/renders/{render.id}/picture.svg").content


def test_picture_is_made_once_and_again_after_tampering(made, monkeypatch):
    render = made(SHOWN)
    calls = []
    real = pictures.picture_make
    monkeypatch.setattr(pictures, "picture_make", lambda *given: calls.append(given) or real(*given))
    first = pictures.picture_get(render, "svg")
    assert pictures.picture_get(render, "svg") == first
    assert len(calls) == 1
    (name,) = [
        f"{folder}/{file}"
        for folder in [render.html.name.rpartition("/")[0]]
        for file in default_storage.listdir(folder)[1]
        if file.endswith("picture.svg")
    ]
    with default_storage.open(name, "rb") as file:
        kept = file.read()
    default_storage.delete(name)
    default_storage.save(name, io.BytesIO(kept.replace(b"<svg", b"<svg onload='x'", 1)))
    assert pictures.picture_get(render, "svg") == first
    assert len(calls) == 2


@pytest.mark.parametrize(
    "html",
    [
        b"<p>no picture</p>",
        b'<main><script type="application/json" class="vizkit-spec">{"mark": }</script>',
        b'<main><img src="data:image/png;base64,AAAA">',
    ],
)
def test_page_without_valid_picture_has_none(made, browser, reader, html):
    render = made(html)
    assert browser(reader).get(f"/renders/{render.id}/picture.png").status_code == 404
    asked = browser(reader).get(f"/renders/{render.id}/picture.png?missing=nothing")
    assert (asked.status_code, asked.content) == (204, b"")


def test_specification_that_names_a_file_is_drawn_without_its_data(made, browser, reader, tmp_path):
    values = b'"values": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]'
    (tmp_path / "data.json").write_bytes(b'[{"x": 1, "y": 2}, {"x": 3, "y": 4}]')

    def picture(data):
        render = made(SHOWN.replace(values, data))
        return browser(reader).get(f"/renders/{render.id}/picture.svg").content

    named = f'"url": "file://{tmp_path}/data.json"'.encode()
    assert picture(named) == picture(b'"values": []') != picture(values)


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_visualize_writes_the_picture(tmp_path, kind):
    (tmp_path / "a.csv").write_text("target,score\na,0.1\nb,0.9\na,0.4\nb,0.3\n")
    output = tmp_path / f"out.{kind}"
    call_command("visualize", "roc_curve", source=str(tmp_path / "a.csv"), output=output, stdout=io.StringIO())
    assert output.read_bytes().startswith({"svg": b"<svg", "png": b"\x89PNG"}[kind])


def test_visualize_reports_missing_picture(tmp_path):
    (tmp_path / "a.md").write_text("# words\n")
    with pytest.raises(CommandError, match="no picture"):
        call_command("visualize", "markdown", source=str(tmp_path / "a.md"), output=tmp_path / "out.png")
