import pytest
import renderer
from renderer.clearing import tree_remove

from tests.jobs import make_job


@pytest.fixture
def run(host, tmp_path):
    """Runs a render to its end and returns the outcome. The test's teardown closes its files."""
    outcomes = []

    def run(code, *, variables=None, source="", cancel_after=None, **limits):
        directory = tmp_path / f"render-{len(list(tmp_path.iterdir()))}"
        directory.mkdir()
        order = make_job(
            code=code,
            variables=variables or {},
            source=str(source),
            source_uri=str(source),
            title="Test",
            **limits,
        )
        seen = []
        outcome = renderer.render(
            order,
            host=host,
            directory=directory,
            on_progress=seen.append,
            is_cancelled=lambda: cancel_after is not None and bool(seen) and seen[-1].cell >= cancel_after,
        )
        outcomes.append(outcome)
        return outcome

    yield run
    for outcome in outcomes:
        outcome.close()
    for directory in tmp_path.glob("render-*"):
        tree_remove(directory)
    assert list(tmp_path.glob("render-*")) == []
