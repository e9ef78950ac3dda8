"""Key figures travel from the render's code to the trusted side."""

import json

import pytest
from renderer import KeyFigure
from renderer.child.render_child.cells.key_figures import check_figures

from packages.renderer.tests.test_results import read
from tests.outcomes import notebook_of, page_of

SHOW = 'from IPython.display import display\nMIME = "application/vnd.vizportal.figure+json"\n'


@pytest.mark.kernel
def test_figures_come_with_the_result_and_are_not_in_the_page(run):
    outcome = run(
        SHOW + 'display({MIME: {"name": "auc", "value": 0.75, "unit": "", "better": "higher"}}, raw=True)\n'
        'display({MIME: {"name": "rows", "value": 10**6}}, raw=True)\n# %%\n'
        'display({MIME: {"name": "auc", "value": 0.5, "better": "higher"}}, raw=True)\nprint("done")'
    )
    assert outcome.state == "succeeded"
    assert outcome.figures == (KeyFigure(name="auc", value=0.5, better="higher"), KeyFigure(name="rows", value=1e6))
    assert "vizportal.figure" not in page_of(outcome).split('<details class="code">')[0]
    assert "vizportal.figure+json" in notebook_of(outcome)


@pytest.mark.kernel
def test_invalid_figures_are_ignored(run):
    outcome = run(
        SHOW + "for bad in (None, 1, [], {}, {'name': 'x' * 10**6, 'value': 1}, {'name': 'a', 'value': 10**400},\n"
        "            {'name': 'a', 'value': float('nan')}, {'name': 'a', 'value': '1'}, {'name': 'a', 'value': True},\n"
        "            {'name': 'a\\n', 'value': 1}, {'name': 'a', 'value': 1, 'better': 'best'}):\n"
        "    display({MIME: bad}, raw=True)\n"
        "display({MIME: {'name': 'good', 'value': -1.5, 'unit': 's'}}, raw=True)"
    )
    assert (outcome.state, outcome.figures) == ("succeeded", (KeyFigure(name="good", value=-1.5, unit="s"),))


@pytest.mark.kernel
def test_first_64_figures_are_stored_and_the_page_says_so(run):
    outcome = run(SHOW + "for n in range(70): display({MIME: {'name': f'f{n}', 'value': n}}, raw=True)")
    assert [each.name for each in outcome.figures] == [f"f{n}" for n in range(64)]
    assert "The code left 70 key figures. The first 64 are stored." in page_of(outcome)


@pytest.mark.kernel
def test_failed_render_has_no_figures(run):
    outcome = run(SHOW + "display({MIME: {'name': 'a', 'value': 1}}, raw=True)\n1 / 0")
    assert (outcome.state, outcome.figures) == ("failed", ())


@pytest.mark.parametrize(
    "figures",
    ["null", "7", '"x"', "{}", '[[["deep"]]]', '[{"name": {}, "value": 1}]', '[{"name": "a", "value": 1e999}]',
     '[{"name": "a", "value": NaN}]', '[{"name": "a", "value": ' + "9" * 400 + "}]",
     '[{"name": "a\\u0000", "value": 1}]',
     '[{"name": "\\ud800", "value": 1}]', '[{"name": "a", "value": 1, "better": []}]', '[{"name": "", "value": 1}]'],
)  # fmt: skip
def test_trusted_side_ignores_malformed_figures(tmp_path, figures):
    outcome = read(tmp_path, result=f'{{"state": "succeeded", "figures": {figures}}}')
    assert (outcome.state, outcome.figures) == ("succeeded", ())


def test_trusted_side_takes_at_most_64_figures(tmp_path):
    many = [{"name": f"f{n}", "value": n} for n in range(200)]
    outcome = read(tmp_path, result=json.dumps({"state": "succeeded", "figures": many}))
    assert [each.value for each in outcome.figures] == list(range(64))


def test_lengths_of_name_and_unit_are_limited():
    assert check_figures([{"name": "n" * 100, "value": 1, "unit": "u" * 20}])
    assert not check_figures([{"name": "n" * 101, "value": 1}, {"name": "n", "value": 1, "unit": "u" * 21}])
