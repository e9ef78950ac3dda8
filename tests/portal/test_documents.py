"""The documents tell the truth: every setting has its row, every name of the trace exists."""

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


def test_every_setting_has_a_row_and_every_row_a_setting():
    assert settings_read() == settings_documented()


def trace_names():
    return re.findall(r"^\| \w+ \| `([^`]+)` \|", (ROOT / "docs" / "trace.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", trace_names())
def test_every_name_of_the_trace_exists(name):
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


def test_the_trace_was_found():
    assert len(trace_names()) >= 12


def test_vendored_files_are_what_the_manifest_says():
    vendor = ROOT / "static" / "vendor"
    manifest = json.loads((vendor / "manifest.json").read_text())
    # Results refer to the charts' runtime among the toolkit's files.
    runtime = ROOT / "packages" / "vizkit" / "src" / "vizkit" / "static" / "vega-runtime.js"
    paths = {path.name: path for path in [*vendor.iterdir(), runtime]}
    assert set(manifest) == set(paths) - {"manifest.json"}
    for name, facts in manifest.items():
        assert hashlib.sha256(paths[name].read_bytes()).hexdigest() == facts["sha256"]
        assert all(part["version"] and part["licence"] for part in facts["from"])
