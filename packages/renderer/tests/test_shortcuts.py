"""Shortcuts that save time give the same results."""

import re

import pytest

from tests.outcomes import page_of

pytestmark = pytest.mark.kernel


def test_module_of_a_frame_matches_inspect(run):
    outcome = run(
        "import inspect, json, sys, types\nfrom render_child.cells import shortcuts\n"
        "try: json.loads('{')\nexcept ValueError as error: trace = error.__traceback__\n"
        "deep = trace.tb_next\n"
        "print('modules', shortcuts._find_module(deep).__name__, inspect.getmodule(deep).__name__,\n"
        "    inspect.getmodule(deep.tb_frame).__name__, inspect.getmodule(json.loads).__name__)"
    )
    assert "modules json json json json" in page_of(outcome), outcome.traceback


def test_library_frames_have_the_line_numbers_of_the_traceback(run):
    outcome = run(
        "import argparse, traceback\nparser = argparse.ArgumentParser(exit_on_error=False)\n"
        "parser.add_argument('count', type=int)\n"
        "try: parser.parse_args(['many'])\nexcept argparse.ArgumentError as error:\n"
        "    for each in (error.__context__, error):\n"
        "        for frame in traceback.extract_tb(each.__traceback__): print('at', frame.filename, frame.lineno)\n"
        "    raise"
    )
    expected = re.findall(r"at \S+/argparse\.py (\d+)", outcome.log)
    assert len(expected) >= 6
    assert re.findall(r"argparse\.py:(\d+), in", outcome.traceback) == expected
    # The arrow points at this line, with its number in the file.
    assert re.findall(r"-> ?(\d+) +(.*)", outcome.traceback)[-1][1].startswith("raise ArgumentError(")


def test_error_in_a_long_cell_shows_the_surrounding_lines(run):
    filler = "\n".join(f"value_{number} = {number}" for number in range(150))
    outcome = run(f"{filler}\n1 / 0\nlast = 2")
    assert outcome.line == 151
    assert re.search(r"150 value_149 = 149\n-+> 151 1 / 0\n +152 last = 2", outcome.traceback)


def test_failing_render_takes_about_as_long_as_a_successful_one(run):
    for code in ("print(1)", "1 / 0"):
        run(code)
    good = min(run("print(1)").timings["cells"] for _ in range(5))
    bad = min(run("1 / 0").timings["cells"] for _ in range(5))
    # Measured 2 to 3 times; before 10 to 30.
    assert bad < 10 * good
