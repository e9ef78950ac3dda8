"""Each type's result as a download: whole without a network, accessible, in both themes, on a phone too."""

import ast

import pytest
from vizkit.types import registry

from packages.vizkit.tests.examples import all_examples

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def parts_of(key):
    """Returns what a type takes from vizkit to draw with."""
    imports = [node for node in ast.walk(ast.parse(registry.get(key).code)) if isinstance(node, ast.ImportFrom)]
    return {f"{node.module}.{name.name}" for node in imports for name in node.names if node.module.startswith("vizkit")}


def sample():
    """Returns types that together use every part of vizkit that any type uses."""
    left, chosen = {key: parts_of(key) for key in sorted(registry.types())}, []
    while any(left.values()):
        chosen.append(max(left, key=lambda key: len(left[key])))
        left = {key: parts - parts_of(chosen[-1]) for key, parts in left.items()}
    return chosen


# axe takes most of the time, and what one type draws with is drawn alike by the next.
IN_EVERY_LOOK = frozenset(sample())


def test_every_type_has_an_example():
    assert sorted(registry.types()) == sorted(all_examples())


@pytest.mark.kernel
@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("key", registry.types())
def test_its_result_opens_offline_and_can_be_read_by_everybody(draw, opened, tmp_path, key):
    folder = tmp_path / "example"
    folder.mkdir()
    source, given = all_examples()[key](folder)
    outcome, page = draw(key, source, **given)
    assert outcome.state == "succeeded", outcome.traceback
    for theme in ("light", "dark"):
        for width in (1000, 390):
            found = opened(page, theme=theme, width=width, environment=registry.get(key).environment)
            assert found.page.locator("main").bounding_box()["height"] > 80, "the page is empty"
            assert found.faults == [], (theme, width)
            if key in IN_EVERY_LOOK or (theme, width) == ("light", 1000):
                assert found.axe() == [], (theme, width)
            assert found.page.evaluate(OVERFLOW) <= 0, f"wider than {width} pixels"
