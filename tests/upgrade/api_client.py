"""A client of the portal's REST API, and helpers that read its responses."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.waiting import wait_until

ENDED = frozenset({"succeeded", "failed", "timed_out", "cancelled", "lost"})
# An output that a step of a sample run writes within seconds, and its content.
STEP, ARTIFACT, CONTENT = "importer", "artifact", "brick"


class _Stay(urllib.request.HTTPRedirectHandler):
    """Does not follow redirects, since a redirect to the sign-in page is not the requested page."""

    def redirect_request(self, *_args: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())


def sign_in(url: str, name: str, password: str) -> dict[str, str]:
    """Signs in with the form and returns the header that a browser sends from then on."""
    cookies = CookieJar()
    browser = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(cookies), _Stay()
    )
    with browser.open(f"{url}/login/", timeout=30) as form:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.read().decode())
    assert token is not None
    values = {"username": name, "password": password, "csrfmiddlewaretoken": token[1]}
    with pytest.raises(urllib.error.HTTPError, match="302"):
        browser.open(f"{url}/login/", urlencode(values).encode(), timeout=30)
    return {"Cookie": "; ".join(f"{each.name}={each.value}" for each in cookies)}


@dataclass(frozen=True, slots=True)
class Door:
    """A web process with headers for its requests."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def ask(self, path: str, body: Any = None) -> str:
        """Sends a request and returns the response's text. Any status except 2xx fails."""
        data = None if body is None else json.dumps(body).encode()
        headers = {**self.headers, **({"Content-Type": "application/json"} if data else {})}
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with _OPENER.open(request, timeout=30) as response:
                return response.read().decode()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read().decode()[:1000]}") from error

    def read(self, path: str, body: Any = None) -> Any:
        """Sends a request and returns the response's JSON."""
        return json.loads(self.ask(path, body))

    def is_open(self) -> bool:
        """Returns whether it responds."""
        try:
            return self.ask("/healthz") != ""
        except OSError:
            return False

    def find_step(self) -> dict[str, str]:
        """Waits for the sample step with ARTIFACT and returns its fields for a request."""
        return wait_until(self._step, 240, "the sample's first artifact")

    def _step(self) -> dict[str, str] | None:
        try:
            runs = self.read("/api/v1/runs")["items"]
        except AssertionError:
            # The embedded Kubeflow is still starting.
            return None
        for run in runs:
            for step in self.read(f"/api/v1/runs/{run['id']}")["steps"]:
                if step["name"] == STEP and [each for each in step["artifacts"] if each["name"] == ARTIFACT]:
                    return {"run_id": run["id"], "step_id": step["id"]}
        return None

    def submit(self, step: Mapping[str, str], **order: Any) -> str:
        """Requests a visualization and returns its render's id."""
        return self.read("/api/v1/visualizations", {**step, "force": True, **order})["render"]["id"]

    def custom(self, step: Mapping[str, str], mark: str, seconds: float = 0) -> str:
        """Requests code that works for some seconds and then prints its mark."""
        return self.submit(step, type="custom", title=mark, code=f"import time\ntime.sleep({seconds})\nprint({mark!r})")

    def table(self, step: Mapping[str, str], title: str) -> str:
        """Requests a table of the step's artifact, which Kubeflow must provide."""
        return self.submit(step, type="table", artifact=ARTIFACT, title=title)

    def render(self, render_id: str) -> Any:
        """Returns a render."""
        return self.read(f"/api/v1/renders/{render_id}")

    def states(self, renders: list[str]) -> list[str]:
        """Returns the renders' states, in the same order."""
        return [self.render(each)["state"] for each in renders]

    def await_running(self, renders: list[str]) -> None:
        """Waits until all of them run."""
        wait_until(lambda: self.states(renders) == ["running"] * len(renders), 120, "the renders' start")

    def await_ended(self, renders: list[str], seconds: float = 240) -> list[Any]:
        """Waits until all have ended, and returns them."""
        wait_until(lambda: ENDED.issuperset(self.states(renders)), seconds, "the renders' end")
        return [self.render(each) for each in renders]

    def page(self, render_id: str) -> str:
        """Returns a render's result. Its own page must open too."""
        render = self.render(render_id)
        assert "<html" in self.ask(render["url"])
        return self.ask(render["content_url"])
