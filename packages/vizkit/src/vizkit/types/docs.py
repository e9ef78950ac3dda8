"""The documentation of types, written from their headers and docstrings: one page each, and an index."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from vizkit.types.entities import VisualizationType

INDEX: Final = "README.md"
_CELL: Final = re.compile(r"\s*\n\s*")


def pages(kinds: Iterable[VisualizationType]) -> dict[str, str]:
    """Returns the pages by file name."""
    known = list(kinds)
    return {INDEX: _index(known), **{f"{kind.key}.md": _page(kind) for kind in known}}


def write(kinds: Iterable[VisualizationType], folder: Path) -> list[Path]:
    """Writes the pages into a folder and removes those of types that are no more; returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    made = pages(kinds)
    for path in folder.glob("*.md"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in made]


def _index(kinds: list[VisualizationType]) -> str:
    rows = "\n".join(f"| [{kind.title}]({kind.key}.md) | `{kind.key}` | {_cell(kind.description)} |" for kind in kinds)
    return (
        "# Visualization types\n\n"
        "Written by `manage.py types --docs docs/types` from the headers of the types. How to add one: "
        "[Adding a visualization type](../add-a-type.md).\n\n"
        f"| type | key | |\n| --- | --- | --- |\n{rows}\n"
    )


def _page(kind: VisualizationType) -> str:
    parts = [
        f"# {kind.title}",
        kind.description,
        f"![{kind.title} of example data](../images/types/{kind.key}.png)",
        docstring(kind),
        _facts(kind),
        _arguments(kind),
        _figures(kind),
        _example(kind),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def docstring(kind: VisualizationType) -> str:
    """Returns what stands directly below a type's header; "" for nothing."""
    try:
        return ast.get_docstring(ast.parse(kind.code)) or ""
    except (SyntaxError, ValueError):
        # A type may hold IPython's magics; then it has no docstring either.
        return ""


def _facts(kind: VisualizationType) -> str:
    fits = [*(f"`{each}`" for each in kind.artifact_types), *(f"`{each}`" for each in kind.patterns)]
    lines = [
        f"- **Key:** `{kind.key}`",
        f"- **Environment:** `{kind.environment}`" + (f", kernel `{kind.kernel}`" if kind.kernel else ""),
        f"- **Source:** {'an artifact, a file, a pattern or a folder' if kind.needs_source else 'not needed'}",
        f"- **Offered first for:** {', '.join(fits)}" if fits else "",
    ]
    return "\n".join(line for line in lines if line)


def _arguments(kind: VisualizationType) -> str:
    rules: Mapping[str, Mapping[str, Any]] = kind.schema["properties"]
    if not rules:
        free = kind.schema.get("additionalProperties")
        return "## Arguments\n\n" + ("Any: the code reads them from `variables`." if free else "None.")
    rows = "\n".join(_argument(name, rule, is_required=name in kind.schema["required"]) for name, rule in rules.items())
    return f"## Arguments\n\n| name | type | default | |\n| --- | --- | --- | --- |\n{rows}"


def _figures(kind: VisualizationType) -> str:
    if not kind.figures:
        return ""
    rows = "\n".join(
        f"| `{each.name}` | {_cell(each.unit)} | {each.better} | {_cell(each.description)} |" for each in kind.figures
    )
    return f"## Key figures\n\n| name | unit | better | |\n| --- | --- | --- | --- |\n{rows}"


def _argument(name: str, rule: Mapping[str, Any], *, is_required: bool) -> str:
    default = (
        "required"
        if is_required
        else f"`{json.dumps(rule['default'], ensure_ascii=False)}`"
        if "default" in rule
        else ""
    )
    title = str(rule.get("title", "")).rstrip(".")
    words = ". ".join(each for each in (title, str(rule.get("description", ""))) if each)
    return f"| `{name}` | {_cell(_type(rule))} | {_cell(default)} | {_cell(words)} |"


def _type(rule: Mapping[str, Any]) -> str:
    if "enum" in rule:
        return "one of " + ", ".join(f"`{json.dumps(each, ensure_ascii=False)}`" for each in rule["enum"])
    kinds = rule["type"] if isinstance(rule["type"], list) else [rule["type"]]
    items = rule.get("items", {}).get("type")
    named = [f"list of {items}s" if kind == "array" and items else kind for kind in kinds]
    limits = [f"{name} {rule[key]}" for key, name in (("minimum", "from"), ("maximum", "to")) if key in rule]
    return ", ".join([" or ".join(named), *limits])


def _example(kind: VisualizationType) -> str:
    rules: Mapping[str, Mapping[str, Any]] = kind.schema["properties"]
    values = {name: rule["examples"][0] for name, rule in rules.items() if rule.get("examples")}
    given = "".join(f" '{name}={json.dumps(value, ensure_ascii=False)}'" for name, value in values.items())
    source = f" --source {_file(kind)}" if kind.needs_source else ""
    code = " --code mine.py --source data.csv" if kind.is_custom else source
    return (
        "## Try it\n\n```sh\n"
        f"manage.py visualize {kind.key}{code} --output result.html{f' --arguments{given}' if given else ''}\n```"
    )


def _file(kind: VisualizationType) -> str:
    """Returns a file name such as the type is offered for."""
    named = next((each for each in kind.patterns if each.startswith("*.")), "")
    return f"data{named[1:]}" if named else "data"


def _cell(text: str) -> str:
    return _CELL.sub(" ", text.strip()).replace("|", "\\|")
