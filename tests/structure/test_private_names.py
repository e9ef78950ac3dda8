"""Tests do not replace private names of our code by strings, which ruff's SLF001 does not detect."""

import ast
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
# Private names that tests may replace, with reasons.
ALLOWED = {
    ("tests/visualizations/test_stores.py", "_save"): "what a store overrides, by Django's documentation",
    ("conftest.py", "_fixture_teardown"): "Django's flush, and it offers no setting for another one",
}


def replaced_names(path):
    """Yields the private names in the string arguments of `setattr` and `patch`."""
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


def test_private_name_in_a_string_is_detected(tmp_path):
    path = tmp_path / "test_it.py"
    path.write_text(
        'patch.setattr(lease, "_claim", 1)\nmock.patch("apps.a._B")\nfrom apps.a import _C\nsetattr(x, "d", 1)'
    )
    assert set(replaced_names(path)) == {"_claim", "apps.a._B", "_C"}
