"""Run the examples for types, notebooks and packages in docs/add-a-type.md and the packages' READMEs."""

import json

import pytest

from tests.docs.collecting import BLOCKS, executes

TYPE = "docs/add-a-type.md: # /// script"
COMMANDS = "docs/add-a-type.md: export VIZPORTAL_TYPES_DIRS=$PWD/types"
PARAMETERS = "docs/add-a-type.md: from typing import Literal"
RENDERER = "packages/renderer/README.md: .venv/bin/python -m renderer notebook.ipynb -o notebook.html"
PRICES = "price\n" + "\n".join(map(str, range(1, 60)))

pytestmark = [pytest.mark.slow, pytest.mark.kernel]


def notebook(*cells):
    """Returns the text of a notebook with these code cells. The first one is tagged `parameters`."""
    made = [
        {"cell_type": "code", "metadata": {"tags": ["parameters"]} if not number else {}, "source": code}
        | {"outputs": [], "execution_count": None}
        for number, code in enumerate(cells)
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made})


@executes(TYPE)
def test_documented_commands_check_and_render_the_type(block, shell):
    made = shell()
    (made.folder / "types").mkdir()
    (made.folder / "types" / "histogram.py").write_text(block)
    (made.folder / "data.csv").write_text(PRICES)
    assert "23 types are valid" in made.run(BLOCKS[COMMANDS].text)
    assert "data:image/png" in (made.folder / "price.html").read_text()


@executes(COMMANDS)
def test_documented_commands_refuse_a_type_with_a_wrong_header(block, shell):
    made = shell()
    (made.folder / "types").mkdir()
    (made.folder / "types" / "histogram.py").write_text(BLOCKS[TYPE].text.replace('type = "integer"', 'type = "int"'))
    (made.folder / "data.csv").write_text(PRICES)
    with pytest.raises(AssertionError, match="histogram"):
        made.run(block)


@executes(PARAMETERS)
def test_notebook_with_the_documented_cell_is_a_type(block, shell):
    made = shell(VIZPORTAL_TYPES_DIRS="types")
    (made.folder / "types").mkdir()
    (made.folder / "types" / "bars.ipynb").write_text(notebook(block, "print([column, bins, mode])"))
    (made.folder / "data.csv").write_text(PRICES)
    call = ".venv/bin/python manage.py visualize bars --source data.csv --output bars.html --arguments"
    made.run(f"{call} column=price bins=12")
    assert "['price', 12, 'count']" in (made.folder / "bars.html").read_text()
    with pytest.raises(AssertionError, match="column"):
        made.run(f"{call} bins=12")
    with pytest.raises(AssertionError, match="mode"):
        made.run(f"{call} column=price mode=neither")


@executes("docs/add-a-type.md: import vizkit")
def test_command_prints_key_figures(block, shell):
    made = shell(VIZPORTAL_TYPES_DIRS="types")
    (made.folder / "types").mkdir()
    (made.folder / "types" / "scored.py").write_text(block)
    said = made.run(".venv/bin/python manage.py visualize scored --output scored.html")
    assert "auc: 0.93 (higher is better)" in said
    assert "training time: 12.5 s (lower is better)" in said


@executes(RENDERER)
def test_renderer_command_runs_single_files(block, shell):
    made = shell()
    (made.folder / "notebook.ipynb").write_text(notebook("print('from the notebook')"))
    (made.folder / "histogram.py").write_text(BLOCKS[TYPE].text)
    (made.folder / "prices.csv").write_text(PRICES)
    made.run(block)
    assert "from the notebook" in (made.folder / "notebook.html").read_text()
    assert "data:image/png" in (made.folder / "histogram.html").read_text()


@executes("packages/renderer/README.md: import tempfile")
def test_renderer_api_renders_code(block, shell):
    assert "<html" in shell().run(block + "\nprint(page.decode())", python=True)


@executes("packages/vizkit/README.md: from vizkit.types import arguments, registry")
def test_registry_example_fills_in_defaults(block):
    names: dict = {}
    exec(block, names)
    assert names["values"]["trueclass"] == "yes"
    assert len(names["values"]) > 1
