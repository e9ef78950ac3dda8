"""Run `python -m renderer` with a type, a notebook, failing code, and unusable files."""

import json
import subprocess
import sys

import pytest
import vizkit

pytestmark = pytest.mark.kernel


@pytest.fixture
def run(interpreter, tmp_path):
    def call(file, *more):
        command = [sys.executable, "-m", "renderer", file, "-o", tmp_path / "page.html", "--python", interpreter]
        return subprocess.run([*command, *more], capture_output=True, text=True, check=False)

    return call


def test_type_with_defaults_renders_into_a_self_contained_page(run, tmp_path):
    (tmp_path / "cities.csv").write_text("city,people\nParis,2100000\nLyon,520000\n")
    done = run(vizkit.PREDEFINED_DIR / "table.py", "--source", tmp_path / "cities.csv", "--toolkit", vizkit.TOOLKIT_DIR)
    assert (done.returncode, done.stderr) == (0, "")
    page = (tmp_path / "page.html").read_text()
    assert "Lyon" in page
    assert 'src="/assets/' not in page
    assert "data:text/javascript" in page


def test_notebook_cells_run_with_the_given_variables(run, tmp_path):
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# Words"},
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": ["n = 6 * 7\n", "n"]},
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": "print(variables)"},
    ]
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    (tmp_path / "words.ipynb").write_text(json.dumps(notebook))
    executed = tmp_path / "executed.ipynb"
    done = run(tmp_path / "words.ipynb", "--set", "name=Ada", "--set", "count=3", "--notebook", executed)
    assert (done.returncode, done.stderr) == (0, "")
    outputs = [each["outputs"] for each in json.loads(executed.read_text())["cells"] if each["cell_type"] == "code"]
    assert outputs[-2][0]["data"]["text/plain"] == "42"
    assert outputs[-1][0]["text"] == "{'name': 'Ada', 'count': 3}\n"


def test_code_that_reads_another_file_fails_with_permission_error(run, tmp_path):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "code.py").write_text(f"open({str(tmp_path / 'secret')!r}).read()")
    done = run(tmp_path / "code.py")
    assert done.returncode == 1
    assert "failed (user_error): PermissionError" in done.stderr
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize(
    ("name", "text", "more", "told"),
    [
        ("missing.py", None, (), "cannot be read"),
        ("broken.ipynb", "{}", (), "is not a notebook"),
        ("header.py", "# /// script\n# = 1\n# ///\n", (), "header is not TOML"),
        ("code.py", "1", ("--set", "name"), "expected NAME=VALUE"),
    ],
)
def test_unusable_input_is_reported_in_one_line(run, tmp_path, name, text, more, told):
    if text is not None:
        (tmp_path / name).write_text(text)
    done = run(tmp_path / name, *more)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
