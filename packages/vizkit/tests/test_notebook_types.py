"""A notebook with a cell tagged `parameters` in a folder of types is a type."""

import json

import nbformat
import pytest
from vizkit.types import arguments, registry
from vizkit.types.parameters import read_parameters

IN_R = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}
PARAMETERS = """\
# Where the data is; a render has its own.
source = "try.csv"
bins = 30  # How many bars.
share: float = 1
# Which column,
# by its name.
column: str
mode: Literal["count", "sum"] = "count"
names = ["a", "b"]
limits = (-1, 2.5)
nothing: int | None = None
deep = {"a": [1, True, None]}
computed = open("/etc/passwd").read()
a = b = 3
obj.attribute = 4
bins += 1
"""


def notebook(folder, *cells, name="counted.ipynb", **metadata):
    made = nbformat.v4.new_notebook(metadata=metadata)
    for kind, source, *tags in cells:
        new = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        made.cells.append(new(source, metadata={"tags": tags}))
    (folder / name).write_text(nbformat.writes(made))
    return folder


def test_literal_assignments_become_arguments():
    found, required = read_parameters(PARAMETERS)
    assert found == {
        "bins": {"type": "integer", "default": 30, "description": "How many bars."},
        "share": {"type": "number", "default": 1.0},
        "column": {"type": "string", "description": "Which column, by its name."},
        "mode": {"type": "string", "enum": ["count", "sum"], "default": "count"},
        "names": {"type": "array", "items": {"type": "string"}, "default": ["a", "b"]},
        "limits": {"type": "array", "default": [-1, 2.5]},
        "nothing": {"type": "integer"},
        "deep": {"type": "object", "default": {"a": [1, True, None]}},
    }
    assert required == ["column"]


def test_reading_a_notebook_runs_no_code(tmp_path):
    trap = tmp_path / "trap"
    code = f"x = open({str(trap)!r}, 'w')\ny = 1\n[open({str(trap)!r}, 'w') for _ in 'a']"
    kind = registry.get("counted", [notebook(tmp_path, ("code", code, "parameters"))])
    assert list(kind.schema["properties"]) == ["y"]
    assert not trap.exists()


def test_title_and_description_come_from_first_heading_and_paragraph(tmp_path):
    text = "# Bars *of* [words](http://x)\n\nHow often\neach `word` occurs.\n\nMore."
    kind = registry.get("counted", [notebook(tmp_path, ("markdown", text), ("code", "n = 1", "parameters"))])
    assert (kind.title, kind.description) == ("Bars of words", "How often each word occurs.")
    assert (kind.environment, kind.needs_source) == ("base", False)


def test_metadata_replaces_a_header(tmp_path):
    said = {"title": "Bars", "description": "Of words.", "patterns": ["*.TXT"], "artifact_types": ["system.Dataset"]}
    cells = [("code", "n = 1", "parameters"), ("code", "import tensorflow\nopen(source)")]
    kind = registry.get("counted", [notebook(tmp_path, *cells, vizportal=said)])
    assert (kind.title, kind.description, kind.patterns) == ("Bars", "Of words.", ("*.txt",))
    assert (kind.environment, kind.needs_source) == ("tfx", True)


@pytest.mark.parametrize(
    ("cells", "metadata", "words"),
    [
        ([("code", "n = 1")], {}, "tagged `parameters`, found 0"),
        ([("code", "n = 1", "parameters")] * 2, {}, "found 2"),
        ([("markdown", "n = 1", "parameters")], {}, "found 0"),
        ([("code", "n = = 1", "parameters")], {}, "not plain Python"),
        ([("code", "n = 1", "parameters")], IN_R, "of R"),
        ([("code", "n = 1", "parameters")], {"vizportal": {"titel": "x"}}, "titel"),
    ],
)  # fmt: skip
def test_notebook_that_cannot_be_a_type_is_explained(tmp_path, cells, metadata, words):
    notebook(tmp_path, *cells, **metadata)
    assert any(words in problem for problem in registry.problems([tmp_path]))
    assert "counted" not in registry.types([tmp_path])


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 5000, '{"cells": 1, "nbformat": 4}'])
def test_invalid_notebook_is_explained(tmp_path, text):
    (tmp_path / "counted.ipynb").write_text(text)
    assert any("counted.ipynb" in problem for problem in registry.problems([tmp_path]))


@pytest.mark.kernel
def test_values_reach_the_code_unchanged_and_markdown_is_shown(draw, tmp_path):
    hostile = '""" + open("/etc/passwd").read() #\n\'{}\\'
    cells = [
        ("markdown", "# A *title*\n\nWith $x^2$ and `code`."),
        ("code", "source = 'mine'\nword = 'w'\nbins: float = 2", "parameters"),
        ("code", "half = bins / 2"),
        ("markdown", "Between."),
        ("code", "import json\nprint(json.dumps([word, bins, half, source, variables]))"),
    ]
    kind = registry.get("counted", [notebook(tmp_path, *cells)])
    (tmp_path / "data.txt").write_text("x")
    outcome, page = draw("", tmp_path / "data.txt", kind=kind, word=hostile)
    assert outcome.state == "succeeded", outcome.traceback
    printed = json.loads(outcome.log.strip())
    assert printed == [hostile, 2.0, 1.0, str(tmp_path / "data.txt"), {"word": hostile, "bins": 2.0}]
    assert "<em>title</em>" in page
    assert "<math" in page
    assert page.index("Between.") < page.index("etc/passwd")


def test_missing_argument_is_required(tmp_path):
    kind = registry.get("counted", [notebook(tmp_path, ("code", "column: str", "parameters"))])
    with pytest.raises(arguments.ArgumentsError) as caught:
        arguments.clean(kind.schema, {})
    assert "required" in caught.value.fields["column"]
