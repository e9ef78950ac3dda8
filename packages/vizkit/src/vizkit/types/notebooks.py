"""A notebook with a cell tagged `parameters` as a type, as papermill has them: its assignments are the arguments.

The notebook is never run to be read: that cell is parsed, and only literals count. Values reach the code as JSON
that a constant cell takes in, so none of them is ever part of the code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from vizkit.types import headerless
from vizkit.types.entities import VisualizationType
from vizkit.types.header import TypeFileError, check_tool, digest, make_schema, make_type
from vizkit.types.parameters import NotLiteralError, read_parameters

MAX_NOTEBOOK_BYTES: Final = 20 * 1024**2
PARAMETERS_TAG: Final = "parameters"
_HEADING: Final = re.compile(r"(?m)^#{1,6}\s+(.+?)\s*#*\s*$")
_KEEP_INPUTS: Final = "_vizportal_inputs = source, source_uri, variables"
_SET: Final = """\
source, source_uri, variables = _vizportal_inputs
globals().update({{name: value for name, value in variables.items() if name in {names!r}}})
del _vizportal_inputs"""
_SHOW: Final = """\
from IPython.display import display_markdown as _vizportal_say
_vizportal_say({text}, raw=True)
del _vizportal_say"""


def read_notebook(path: Path, text: str) -> VisualizationType:
    """Reads a notebook as a type.

    Title, description and the other fields of a header may stand in its metadata under `vizportal`; else the first
    heading and the first paragraph count.

    Raises:
        TypeFileError: no notebook of Python, or no cell tagged `parameters`.
    """
    notebook = _load(path, text)
    cells = [(cell["cell_type"], _source(cell), cell) for cell in notebook["cells"]]
    marked = [number for number, (_, _, cell) in enumerate(cells) if _is_parameters(cell)]
    if len(marked) != 1:
        raise TypeFileError(f"{path.name}: needs exactly one code cell tagged `parameters`, found {len(marked)}")
    try:
        arguments, required = read_parameters(cells[marked[0]][1])
    except NotLiteralError as error:
        raise TypeFileError(f"{path.name}: {error}") from error
    code = _join(cells, marked[0], frozenset(arguments))
    tool = _tool(path, notebook, cells)
    check_tool(path, tool)
    return make_type(path, tool, schema=make_schema(path, arguments, required), code=code, version=digest(code))


def _load(path: Path, text: str) -> dict[str, Any]:
    import nbformat

    try:
        notebook: dict[str, Any] = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except (
        nbformat.ValidationError,
        nbformat.reader.NotJSONError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
    ) as error:
        raise TypeFileError(f"{path.name}: is not a notebook: {' '.join(str(error).split())[:200]}") from error
    except RecursionError as error:
        raise TypeFileError(f"{path.name}: is not a notebook: nested too deeply") from error
    metadata = notebook["metadata"]
    language = (metadata.get("kernelspec") or {}).get("language") or (metadata.get("language_info") or {}).get("name")
    if str(language or "python").lower() not in {"python", "ipython", "python3"}:
        raise TypeFileError(f"{path.name}: is a notebook of {language}; only Python can be a type")
    return notebook


def _source(cell: Mapping[str, Any]) -> str:
    found = cell["source"]
    return found if isinstance(found, str) else "".join(found)


def _is_parameters(cell: Mapping[str, Any]) -> bool:
    return cell["cell_type"] == "code" and PARAMETERS_TAG in (cell["metadata"].get("tags") or ())


def _join(cells: list[tuple[str, str, Any]], marked: int, names: frozenset[str]) -> str:
    """Returns the notebook as code in cells: texts are displayed, and after the parameters come the values."""
    pieces = [_KEEP_INPUTS]
    for number, (kind, source, _) in enumerate(cells):
        if kind == "code":
            pieces.append(source)
        elif kind == "markdown" and source.strip():
            pieces.append(_SHOW.format(text=json.dumps(source)))
        if number == marked:
            pieces.append(_SET.format(names=sorted(names)))
    return "".join(f"# %%\n{piece.rstrip()}\n" for piece in pieces if piece.strip())


def _tool(path: Path, notebook: Mapping[str, Any], cells: list[tuple[str, str, Any]]) -> dict[str, Any]:
    given = notebook["metadata"].get("vizportal")
    given = {name: value for name, value in given.items() if name != "arguments"} if isinstance(given, dict) else {}
    said = "\n\n".join(source for kind, source, _ in cells if kind == "markdown")
    heading = _HEADING.search(said)
    title = str(notebook["metadata"].get("title") or (heading[1] if heading else "")) or headerless.title_of(path)
    prose = [each for each in re.split(r"\n\s*\n", _HEADING.sub("\n\n", said)) if each.strip()]
    code = "\n".join(source for kind, source, _ in cells if kind == "code")
    tree = headerless.parse("\n".join(line for line in code.splitlines() if not line.lstrip().startswith(("%", "!"))))
    return {
        "key": headerless.key_of(path),
        "title": _plain(title)[: headerless.MAX_TITLE_CHARS],
        "description": headerless.first_paragraph(_plain(prose[0])) if prose else f"Runs the notebook {path.name}.",
        "environment": headerless.environment_of(tree),
        "needs_source": tree is None or "source" in headerless.names_in(tree),
        **given,
    }


def _plain(text: str) -> str:
    """Returns a line of Markdown without its marks."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)|[*`]+", r"\1", text)
