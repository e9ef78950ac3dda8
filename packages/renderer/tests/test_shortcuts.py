"""What a render does in less time comes to the same."""

import pytest

from tests.outcomes import page_of

pytestmark = pytest.mark.kernel


def test_the_module_of_a_frame_is_inspects(run):
    outcome = run(
        "import inspect, json, sys, types\nfrom render_child.cells import shortcuts\n"
        "try: json.loads('{')\nexcept ValueError as error: trace = error.__traceback__\n"
        "deep = trace.tb_next\n"
        "print('modules', shortcuts._find_module(deep).__name__, inspect.getmodule(deep).__name__,\n"
        "    inspect.getmodule(deep.tb_frame).__name__, inspect.getmodule(json.loads).__name__)"
    )
    assert "modules json json json json" in page_of(outcome), outcome.traceback


def test_an_error_costs_about_as_much_as_a_good_render(run):
    for code in ("print(1)", "1 / 0"):
        run(code)
    good = min(run("print(1)").timings["cells"] for _ in range(5))
    bad = min(run("1 / 0").timings["cells"] for _ in range(5))
    # Measured 2 to 3 times; before 10 to 30.
    assert bad < 10 * good
