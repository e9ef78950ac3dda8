"""Each type's downloaded result works offline, is accessible, and fits both themes and a phone."""

import pytest
from vizkit.types import registry

from packages.vizkit.tests.examples import all_examples

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Both themes and both widths occur. They are independent, so two combinations are enough.
LOOKS = (("light", 1000), ("dark", 390))


def test_every_type_has_an_example():
    assert sorted(registry.types()) == sorted(all_examples())


@pytest.mark.kernel
@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("key", registry.types())
def test_result_of_every_type_opens_offline_and_is_accessible(draw, opened, tmp_path, key):
    folder = tmp_path / "example"
    folder.mkdir()
    source, given = all_examples()[key](folder)
    outcome, page = draw(key, source, **given)
    assert outcome.state == "succeeded", outcome.traceback
    for look in LOOKS:
        theme, width = look
        found = opened(page, theme=theme, width=width, environment=registry.get(key).environment)
        assert found.page.locator("main").bounding_box()["height"] > 80, "the page is empty"
        assert found.faults == [], look
        assert found.axe() == [], look
        assert found.page.evaluate(OVERFLOW) <= 0, f"wider than {width} pixels"
