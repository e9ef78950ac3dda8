"""Finds the documented settings: those of docs/settings.md, and localkfp's own."""

import re

from vizportal.settings import BASE_DIR

_LOCALKFP = {"VIZPORTAL_LOCALKFP_TOKEN", "VIZPORTAL_STEPS_PYTHON"}


def documented_settings():
    page = (BASE_DIR / "docs" / "settings.md").read_text()
    own = (BASE_DIR / "docs" / "localkfp.md").read_text()
    assert all(f"`{name}`" in own for name in _LOCALKFP)
    return set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE)) | _LOCALKFP


def unknown_settings(names):
    """Returns the names without a row, either under the name itself or without its `_FILE`."""
    known = documented_settings()
    return {name for name in names if name not in known and name.removesuffix("_FILE") not in known}
