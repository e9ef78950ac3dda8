"""Install overlay packages from a real package index on this machine."""

import http.server
import threading
import zipfile

import pytest
from renderer import overlays

from tests.environments import ENVIRONMENTS
from tests.outcomes import page_of

pytestmark = pytest.mark.kernel


def wheel(folder, name, version, code, *, needs=()):
    """Writes a wheel and its link on an index page."""
    info = f"{name}-{version}.dist-info"
    place = folder / "simple" / name.replace("_", "-")
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{name}-{version}-py3-none-any.whl"
    metadata = [
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}",
        *(f"Requires-Dist: {each}" for each in needs),
    ]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", code)
        archive.writestr(f"{info}/METADATA", "\n".join(metadata) + "\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    links = "".join(
        f'<a href="{each.name}">{each.name}</a>' for each in sorted(place.iterdir()) if each.suffix != ".html"
    )
    (place / "index.html").write_text(f"<!doctype html><html><body>{links}</body></html>")


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """Serves an index with two small packages, one that needs pandas 1, and one with only a source distribution."""
    folder = tmp_path_factory.mktemp("index")
    wheel(folder, "vp_greeting", "1.0", "from vp_words import WORD\nTEXT = WORD + '!'\n", needs=["vp-words>=1"])
    wheel(folder, "vp_words", "1.2", "WORD = 'hello from an overlay'\n")
    wheel(folder, "vp_old", "1.0", "", needs=["pandas<2"])
    source = folder / "simple" / "vp-source"
    source.mkdir()
    (source / "vp_source-1.0.tar.gz").write_bytes(b"")
    (source / "index.html").write_text(
        '<html><body><a href="vp_source-1.0.tar.gz">vp_source-1.0.tar.gz</a></body></html>'
    )

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args, **more):
            super().__init__(*args, directory=str(folder), **more)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/simple"
        server.shutdown()
        thread.join()


@pytest.fixture
def build(interpreter, index, tmp_path, monkeypatch):
    # Don't use cached answers of an earlier index on the same port.
    monkeypatch.setenv("UV_NO_CACHE", "1")
    info = ENVIRONMENTS.get("base")

    def get(*texts, **more):
        clean = overlays.requirements_clean(texts)
        return overlays.overlay_get(info, clean, root=tmp_path / "overlays", index_url=index, **more)

    return get


def test_missing_packages_are_installed_once_and_reused(build):
    first = build("vp-greeting")
    assert sorted(path.name for path in first.path.glob("vp_*") if path.suffix != ".dist-info") == [
        "vp_greeting",
        "vp_words",
    ]
    mark = (first.path / "vp_words" / "__init__.py").stat().st_ino
    again = build("VP_Greeting")
    assert again == first
    assert (again.path / "vp_words" / "__init__.py").stat().st_ino == mark


def test_code_can_import_overlay_packages_but_not_write_them(build, run):
    packages = build("vp-greeting").path
    outcome = run("import vp_greeting\nprint(vp_greeting.TEXT)", packages=packages)
    assert outcome.state == "succeeded", outcome.message
    assert "hello from an overlay!" in page_of(outcome)
    hostile = run(f"open({str(packages / 'vp_words' / 'evil.py')!r}, 'w')", packages=packages)
    assert hostile.state == "failed"
    assert "PermissionError" in hostile.message
    assert run("import vp_greeting").state == "failed"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("vp-old", "pandas"),
        ("vp-nothing", "vp-nothing was not found"),
        ("vp-source", "vp-source"),
        ("vp-words>=2", "vp-words"),
    ],
)
def test_uninstallable_package_says_why_and_leaves_no_overlay(build, tmp_path, text, words):
    with pytest.raises(overlays.OverlayError, match=words):
        build(text)
    assert not [path for path in (tmp_path / "overlays").iterdir() if path.is_dir()]


@pytest.mark.parametrize(
    "text",
    [
        "x @ https://example.com/x.whl",
        "git+https://example.com/x",
        "-r /etc/passwd",
        "--index-url=http://evil",
        "./x",
        "x\ny",
        "",
    ],
)
def test_requirement_that_is_not_a_plain_package_is_refused(text):
    with pytest.raises(overlays.OverlayError):
        overlays.requirements_clean([text])


def test_build_stops_when_told_to(build, monkeypatch, tmp_path):
    class StoppedError(Exception):
        pass

    def on_wait():
        raise StoppedError

    stuck = tmp_path / "uv"
    stuck.write_text("#!/bin/sh\nexec sleep 60\n")
    stuck.chmod(0o700)
    monkeypatch.setattr(overlays, "find_uv", lambda: str(stuck))
    with pytest.raises(StoppedError):
        build("vp-words", on_wait=on_wait)
    assert not [path for path in (tmp_path / "overlays").iterdir() if path.is_dir()]


def test_least_recently_used_overlays_are_removed_first(build, monkeypatch, tmp_path):
    monkeypatch.setattr(overlays, "MAX_KEPT", 1)
    first, second = build("vp-words"), build("vp-greeting")
    assert second.path.is_dir()
    assert not first.path.exists()
    assert build("vp-words").path.is_dir()
