"""Fixtures: draw with a type as the portal does, and open the downloaded result in a browser."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import renderer
import vizkit
from renderer.clearing import tree_remove
from vizkit.types import arguments, registry

from apps.visualizations.services.assets import assets_publish, inline_assets_bytes
from tests.chromium import chromium
from tests.environments import ENVIRONMENTS
from tests.jobs import make_job
from tests.looks import violations
from tests.outcomes import page_of


@pytest.fixture(scope="session")
def hosts(tmp_path_factory, interpreter):
    """Provides a render host for each environment, started when first needed."""
    started: dict[str, renderer.RenderHost] = {}

    def get(key: str) -> renderer.RenderHost:
        if key not in started:
            info = ENVIRONMENTS.get(key)
            assert info.interpreter, f"the environment {key} is not built: manage.py environments build {key}"
            spec = renderer.HostSpec(
                environment=key,
                interpreter=info.interpreter,
                run_dir=tmp_path_factory.mktemp(f"host-{key}"),
                work_root=tmp_path_factory.getbasetemp(),
                preload=info.preload,
                toolkits=(vizkit.TOOLKIT_DIR,),
                idle_s=1,
            )
            started[key] = renderer.RenderHost(spec)
            started[key].status()
        return started[key]

    yield get
    for found in started.values():
        found.leave()


@pytest.fixture
def draw(hosts, tmp_path):
    """Renders a source with a type and returns the outcome and the page ("" if there is none)."""

    def draw(key, source="", /, *, kind=None, code=None, **given):
        kind = kind or registry.get(key)
        directory = tmp_path / f"render-{kind.key}-{len(list(tmp_path.iterdir()))}"
        directory.mkdir()
        order = make_job(
            code=code or kind.code,
            variables=arguments.clean(kind.schema, given),
            source=str(source),
            source_uri="s3://b/data",
        )
        with renderer.render(
            order,
            host=hosts(kind.environment),
            directory=directory,
            on_progress=lambda _: None,
            is_cancelled=lambda: False,
        ) as outcome:
            return outcome, page_of(outcome)

    yield draw
    for directory in tmp_path.glob("render-*"):
        tree_remove(directory)


@pytest.fixture(scope="module")
def browser():
    with chromium() as launched:
        yield launched


@dataclass(slots=True)
class Opened:
    """A result in a browser that has no network.

    Attributes:
        faults: messages of the console, and requests to the network.
    """

    page: object
    faults: list[str]

    def axe(self):
        return violations(self.page)


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """Publishes the environments' library code once for all tests, since compressing it takes half a second."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def opened(browser, tmp_path, settings, store):
    """Opens a page's download from disk: `opened(html, theme="dark", width=390)`. The test's teardown closes it."""
    settings.MEDIA_ROOT = settings.VIZPORTAL_DATA_DIR = store
    contexts = []

    def open_page(html, *, theme="light", width=1000, environment="base"):
        if not (store / environment).exists():
            assets_publish(ENVIRONMENTS.built_dir / environment)
            (store / environment).touch()
        whole = inline_assets_bytes(html.encode())
        loads = re.search(rb'<(?:link\b[^<>]*\bhref|[a-z]+\b[^<>]*\bsrc)=["\']?(?:/assets/|https?:)[^<>]{0,200}', whole)
        assert not loads, f"something is missing in the download: {loads[0]}"
        path = tmp_path / f"{hashlib.sha256(whole).hexdigest()[:12]}.html"
        path.write_bytes(whole)
        context = browser.new_context(offline=True, viewport={"width": width, "height": 900}, color_scheme=theme)
        contexts.append(context)
        page = context.new_page()
        faults: list[str] = []
        page.on(
            "console", lambda message: faults.append(message.text) if message.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: faults.append(request.url) if request.url.startswith("http") else None)
        page.goto(Path(path).as_uri())
        page.wait_for_load_state("networkidle")
        return Opened(page, faults)

    yield open_page
    for context in contexts:
        context.close()
