"""Tests replace nothing private of our own code by its name in a text, which ruff's SLF001 does not see."""

import ast
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
# What a test may replace all the same, with the reason.
ALLOWED = {
    ("tests/visualizations/test_stores.py", "_save"): "what a store overrides, by Django's documentation",
    ("conftest.py", "_fixture_teardown"): "Django's flush, and it offers no setting for another one",
}


def replaced_names(path):
    """Yields the private names that calls of `setattr` and `patch` name in a text."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in {"setattr", "delattr", "patch"}:
            texts = [part.value for part in node.args[:2] if isinstance(part, ast.Constant)]
            yield from (text for text in texts if isinstance(text, str) and is_private(text.rpartition(".")[2]))
        if isinstance(node, ast.ImportFrom):
            yield from (name.name for name in node.names if is_private(name.name))


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def test_tests_replace_no_private_name():
    files = [ROOT / "conftest.py", *ROOT.glob("tests/**/*.py"), *ROOT.glob("packages/*/tests/**/*.py")]
    found = {(str(path.relative_to(ROOT)), name) for path in files for name in replaced_names(path)}
    assert found == set(ALLOWED)


def test_a_private_name_in_a_text_is_seen(tmp_path):
    path = tmp_path / "test_it.py"
    path.write_text(
        'patch.setattr(lease, "_claim", 1)\nmock.patch("apps.a._B")\nfrom apps.a import _C\nsetattr(x, "d", 1)'
    )
    assert set(replaced_names(path)) == {"_claim", "apps.a._B", "_C"}
