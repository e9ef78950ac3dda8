"""The portal's scripts as they are served, and features that the reduced htmx lacks."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess

import brotli
import pytest
from django.conf import settings
from django.core.management import call_command

from vizportal.static_files import script_shorten

SCRIPTS = sorted((settings.BASE_DIR / "static" / "js").glob("*.js"))
PAGES = [*(settings.BASE_DIR / "templates").rglob("*.html"), *SCRIPTS]
# frontend/htmx.js omits the code of these features.
LEFT_OUT = re.compile(
    r"hx-(?:boost|on|ext|vals|vars|params|history)\b|<hx-|HX-Trigger|hx-trigger=\"[^\"]*(?:revealed|\[)"
    r"|hx-swap=\"[^\"]*(?:scroll:|show:(?!none))|htmx\.(?!ajax\b|process\b|trigger\b|config\b)[a-zA-Z]+\("
)


def test_shortened_script_keeps_every_line_of_code():
    text = "// Why.\n(() => {\n  const a = 1; // one\n\n  // two\n  return `//${a}`;\n})();\n"
    assert script_shorten(text) == "(() => {\nconst a = 1; // one\nreturn `//${a}`;\n})();\n"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_has_multiline_texts_or_comments(path):
    """Shortening would remove their white space."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        code = line.split(" // ")[0]
        assert line.strip().startswith("//") or code.count("`") % 2 == 0, f"{path.name}:{number}"
        assert "/*" not in code.replace("/* ", "").replace("*/*", ""), f"{path.name}:{number}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_page_uses_omitted_htmx_features(path):
    assert LEFT_OUT.findall(path.read_text()) == []


def test_htmx_does_not_evaluate_text():
    bundle = (settings.BASE_DIR / "static" / "vendor" / "htmx.js").read_text()
    assert not re.search(r"\beval\(|\bFunction\(", bundle)


def test_collected_scripts_are_shortened_and_compressed(tmp_path, settings):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "vizportal.static_files.ShorteningStorage"}}
    call_command("collectstatic", interactive=False, verbosity=0)
    for source in SCRIPTS:
        [served] = tmp_path.glob(f"js/{source.stem}.????????????.js")
        code = served.read_bytes()
        assert code.decode() == script_shorten(source.read_text())
        if len(code) > 400:
            assert gzip.decompress(served.with_name(f"{served.name}.gz").read_bytes()) == code
            assert brotli.decompress(served.with_name(f"{served.name}.br").read_bytes()) == code
        if node := shutil.which("node"):
            subprocess.run([node, "--check", served], check=True)
