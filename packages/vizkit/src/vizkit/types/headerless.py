"""Files that were written for Kubeflow's visualization server: Python that uses `source` and `variables`, no header.

They run unchanged. What a header would say is read from the file, which is never run for that.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, Final

from vizkit.types.entities import CUSTOM_KEY, VisualizationType
from vizkit.types.header import TypeFileError, check_tool, digest, make_schema, make_type

MAX_TITLE_CHARS: Final = 80
MAX_DESCRIPTION_CHARS: Final = 400
_PARAGRAPH: Final = re.compile(r"\n\s*\n")
# What the environment `base` has no library for, and vizkit.standins a stand-in.
_STOOD_IN_FOR: Final = ("tensorflow.python.lib.io",)
_IN_BASE: Final = frozenset({"tensorflow_metadata"})
# Files of Kubeflow import libraries that are not needed here, or old ways of others; see vizkit.standins.
_STAND_INS: Final = "from vizkit import standins; standins.install(); del standins"
_TFX_STAND_INS: Final = {
    "tensorflow_data_validation": "from vizkit import standins_tfx; standins_tfx.draw_facets(); del standins_tfx",
    "tensorflow_model_analysis": (
        "from vizkit import standins_tfx; standins_tfx.accept_evaluation_folders(); del standins_tfx"
    ),
}


def read_headerless(path: Path, text: str) -> VisualizationType:
    """Reads a file without a header as a type: its name is the key, its docstring the description.

    Its arguments are free; it runs in `tfx` where it imports TensorFlow's libraries, else in `base`.

    Raises:
        TypeFileError: its name cannot be a key.
    """
    tree = parse(text)
    doc = (ast.get_docstring(tree) or "") if tree else ""
    tool = {
        "key": key_of(path),
        "title": title_of(path),
        "description": first_paragraph(doc) or f"Runs {path.name}, which has no description.",
        "environment": environment_of(tree),
        "needs_source": tree is None or "source" in names_in(tree),
    }
    check_tool(path, tool)
    schema = make_schema(path, {}, (), is_open=True)
    code = f"{_prelude(tree)}\n# %%\n{text}"
    return make_type(path, tool, schema=schema, code=code, version=digest(code))


def _prelude(tree: ast.AST | None) -> str:
    packages = {module.partition(".")[0] for module in modules_of(tree)}
    return "\n".join([_STAND_INS, *(line for package, line in _TFX_STAND_INS.items() if package in packages)])


def parse(text: str) -> ast.Module | None:
    """Returns a file's syntax tree; None where it is not plain Python, as with IPython's magics."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def key_of(path: Path) -> str:
    """Returns the key that a file's name makes.

    Raises:
        TypeFileError: it makes none, or that of CUSTOM.
    """
    key = re.sub(r"[^a-z0-9]+", "_", path.stem.lower()).strip("_")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", key):
        raise TypeFileError(f"{path.name}: a type's name begins with a letter and has at most 40 letters and digits")
    if key == CUSTOM_KEY:
        raise TypeFileError(f"{path.name}: the key {CUSTOM_KEY!r} is for a person's own code")
    return key


def title_of(path: Path) -> str:
    """Returns a title made of a file's name."""
    words = re.sub(r"[\W_]+", " ", path.stem).strip()
    return (words[:1].upper() + words[1:])[:MAX_TITLE_CHARS]


def first_paragraph(text: str) -> str:
    """Returns a text's first paragraph in one line, cut to what a description may have."""
    return " ".join(_PARAGRAPH.split(text.strip())[0].split())[:MAX_DESCRIPTION_CHARS]


def names_in(tree: ast.AST) -> set[str]:
    """Returns every name that is used."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def environment_of(tree: ast.AST | None) -> str:
    """Returns the environment that has what the code imports."""
    return "tfx" if any(map(_needs_tensorflow, modules_of(tree))) else "base"


def modules_of(tree: ast.AST | None) -> set[str]:
    """Returns the dotted names of what is imported, also inside functions."""
    return {module for node in ast.walk(tree) for module in _imported(node)} if tree else set()


def _imported(node: Any) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level and node.module:
        return [f"{node.module}.{each.name}" for each in node.names]
    return []


def _needs_tensorflow(module: str) -> bool:
    package = module.partition(".")[0]
    if not package.startswith(("tensorflow", "tfx", "apache_beam")) or package in _IN_BASE:
        return False
    return not module.startswith(_STOOD_IN_FOR)
