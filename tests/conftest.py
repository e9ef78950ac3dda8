"""What several kinds of tests share: the environment's interpreter and a render host, started when first asked for."""

from pathlib import Path

import pytest

from apps.visualizations import rendering
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
