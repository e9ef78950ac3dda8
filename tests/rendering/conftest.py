from pathlib import Path

import pytest

from apps.visualizations import rendering
from apps.visualizations.rendering.clearing import tree_remove
from vizportal.settings import BASE_DIR


@pytest.fixture(scope="session")
def interpreter() -> Path:
    path = BASE_DIR / ".environments" / "base" / "bin" / "python"
    assert path.exists(), "the environment base is not built: make setup"
    return path


@pytest.fixture(scope="session")
def host(interpreter, tmp_path_factory):
    """A render host for all tests of this process."""
    base = tmp_path_factory.mktemp("host")
    info = rendering.environments.environment_get("base", interpreter.parents[2])
    spec = rendering.HostSpec(
        environment="base",
        interpreter=interpreter,
        run_dir=base / "run",
        work_root=tmp_path_factory.getbasetemp(),
        preload=info.preload,
        idle_s=1,
    )
    found = rendering.RenderHost(spec)
    found.status()
    yield found
    found.leave()


@pytest.fixture
def run(host, tmp_path):
    """Renders code to its end and returns the outcome."""

    def run(code, *, variables=None, source="", cancel_after=None, **limits):
        directory = tmp_path / f"render-{len(list(tmp_path.iterdir()))}"
        directory.mkdir()
        order = rendering.RenderOrder(
            code=code,
            variables=variables or {},
            source=str(source),
            source_uri=str(source),
            title="Test",
            **limits,
        )
        seen = []
        return rendering.render(
            order,
            host=host,
            directory=directory,
            on_progress=seen.append,
            is_cancelled=lambda: cancel_after is not None and bool(seen) and seen[-1].cell >= cancel_after,
        )

    yield run
    for directory in tmp_path.glob("render-*"):
        tree_remove(directory)
    assert list(tmp_path.glob("render-*")) == []
