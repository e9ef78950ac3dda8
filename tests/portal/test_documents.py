"""The documents match the code: every setting has a row, and every name in the trace exists."""

import hashlib
import importlib
import json
import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
READERS = re.compile(r'env\.read_\w+\(\s*"([A-Z_]+)"')


def settings_read():
    text = (ROOT / "vizportal" / "settings.py").read_text()
    return set(READERS.findall(text))


def settings_documented():
    rows = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    assert rows == sorted(rows)
    return set(rows)


def test_documented_settings_match_the_code():
    assert settings_read() == settings_documented()


def trace_names():
    return re.findall(r"^\| \w+ \| `([^`]+)` \|", (ROOT / "docs" / "trace.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", trace_names())
def test_every_name_in_the_trace_exists(name):
    if "/" in name:
        assert (ROOT / name).is_file()
        return
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[cut:]:
            found = getattr(found, attribute)
        return
    pytest.fail(f"{name} is nowhere")


def test_trace_is_found():
    assert len(trace_names()) >= 12


def test_vendored_files_match_the_manifest():
    vendor = ROOT / "static" / "vendor"
    manifest = json.loads((vendor / "manifest.json").read_text())
    # Results reference the chart runtime in the toolkit's files.
    runtime = ROOT / "packages" / "vizkit" / "src" / "vizkit" / "static" / "vega-runtime.js"
    paths = {path.name: path for path in [*vendor.iterdir(), runtime]}
    assert set(manifest) == set(paths) - {"manifest.json"}
    for name, facts in manifest.items():
        assert hashlib.sha256(paths[name].read_bytes()).hexdigest() == facts["sha256"]
        assert all(part["version"] and part["licence"] for part in facts["from"])
