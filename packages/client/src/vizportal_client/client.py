"""Client of the portal's API."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, Self

import httpx

from vizportal_client.errors import PortalError, RenderFailedError, WaitedTooLongError
from vizportal_client.result import Result, result_of

_API: Final = "/api/v1"
_ACTIVE: Final = frozenset({"queued", "running"})
_FIRST_LOOK_S: Final = 0.2
_LONGEST_LOOK_S: Final = 2.0


class Client:
    """A connection to a portal with a person's token. As a context manager, closes its connections."""

    def __init__(
        self,
        url: str = "",
        token: str = "",
        *,
        timeout_s: float = 30,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Sets the portal's address and a token.

        Args:
            url: such as `https://portal.example.com`; "" for the variable VIZPORTAL_URL.
            token: created by `manage.py token create`; "" for the variable VIZPORTAL_TOKEN.
            timeout_s: for each response.
            transport: httpx's, such as one with a certificate; None for the default.

        Raises:
            ValueError: no address is given.
        """
        self._url = (url or os.environ.get("VIZPORTAL_URL", "")).rstrip("/")
        if not self._url:
            raise ValueError("Name the portal's address: Client(url, token), or the variable VIZPORTAL_URL.")
        token = token or os.environ.get("VIZPORTAL_TOKEN", "")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            base_url=self._url, headers=headers, timeout=timeout_s, follow_redirects=True, transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def visualize(
        self,
        run: str,
        step: str,
        artifact: str = "",
        type: str = "table",  # noqa: A002  (the API's word)
        *,
        title: str = "",
        code: str = "",
        force: bool = False,
        wait_s: float = 600,
        **arguments: Any,
    ) -> Result:
        """Renders an artifact of a run's step, waits, and returns the result, which notebooks display.

        Repeating a request returns the saved result.

        Args:
            run, step: ids.
            artifact: its name; "" for the one that best fits the type.
            type: the key of the visualization type.
            title: of the visualization; "" for a generated one.
            code: custom Python code, for the type `custom`.
            force: render even if there is a saved result.
            wait_s: maximum time to wait.
            arguments: of the type, by name.

        Raises:
            PortalError: the portal refuses, or does not answer.
            RenderFailedError: the render ended without a result.
            WaitedTooLongError: the render has not ended in time.
        """
        asked = {"run_id": run, "step_id": step, "type": type, "arguments": arguments, "force": force}
        asked |= {name: value for name, value in {"artifact": artifact, "title": title, "code": code}.items() if value}
        made = self._json("POST", f"{_API}/visualizations", json=asked)
        self._await(made["render"], wait_s)
        return self.result(made["id"])

    def result(self, visualization: str) -> Result:
        """Returns a saved visualization by its id.

        Raises:
            PortalError: it does not exist, or you may not see it.
            RenderFailedError: its latest render has no result.
        """
        found = self._visualization(visualization)
        render = found["render"] or {}
        if render.get("state") != "succeeded":
            raise RenderFailedError(render.get("message") or "It has no result.", code=render.get("reason") or "")
        download = render["download_url"]
        return result_of(found, self._url + found["url"], lambda: self._send("GET", download).text)

    def figures(self, series: str) -> Any:
        """Returns the key figures of a series, a row for each run, oldest first.

        Each row has `run_id`, `run_name`, `run_created_at`, `visualization_id`, and the figures by name. A run whose
        render left no figures has none.

        Args:
            series: the id of a series, or of a visualization in it.

        Returns:
            A pandas.DataFrame if pandas is installed, else a list of dicts.

        Raises:
            PortalError: the series does not exist, or you may not see it.
        """
        rows = [_row(each) for each in self._series(series)][::-1]
        try:
            import pandas as pd  # noqa: PLC0415  (it is not required)
        except ImportError:
            return rows
        return pd.DataFrame(rows)

    def compare(self, first: str, second: str) -> list[dict[str, Any]]:
        """Returns the key figures of two visualizations side by side.

        Returns:
            For each name: `name`, `unit`, `first`, `second`, `change`, and `is_better`: whether the second is better;
            None if one of them lacks the figure, they are equal, or neither direction is better.

        Raises:
            PortalError: one of them does not exist, or you may not see it.
        """
        sides = [{each["name"]: each for each in self._visualization(one)["figures"]} for one in (first, second)]
        return [_pair(name, *(side.get(name) for side in sides)) for name in dict.fromkeys([*sides[0], *sides[1]])]

    def _visualization(self, visualization: str) -> dict[str, Any]:
        return self._json("GET", f"{_API}/visualizations/{visualization}")

    def _series(self, series: str) -> Iterator[dict[str, Any]]:
        path, token = f"{_API}/series/{series}", ""
        try:
            page = self._json("GET", path, params={"page_size": 200})
        except PortalError as error:
            own = self._visualization(series).get("series_id") if error.status == 404 else None
            if not own:
                raise
            path = f"{_API}/series/{own}"
            page = self._json("GET", path, params={"page_size": 200})
        while True:
            yield from page["items"]
            token = page["next"] or ""
            if not token:
                return
            page = self._json("GET", path, params={"page_size": 200, "page_token": token})

    def _await(self, render: Mapping[str, Any], wait_s: float) -> None:
        end, look_s = time.monotonic() + wait_s, _FIRST_LOOK_S
        while render["state"] in _ACTIVE:
            left_s = end - time.monotonic()
            if left_s <= 0:
                raise WaitedTooLongError(
                    f"The render has not ended within {wait_s:g} s. See {self._url}{render['url']}"
                )
            time.sleep(min(look_s, left_s))
            look_s = min(2 * look_s, _LONGEST_LOOK_S)
            render = self._json("GET", render["api_url"])
        if render["state"] != "succeeded":
            message = render["message"] or f"The render ended as {render['state']}."
            raise RenderFailedError(message, code=render.get("reason") or "")

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self._send(method, path, **options)
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise PortalError(f"{self._url} answered with something that is not its API. Is the address right?")
        return found

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise PortalError(f"{self._url} does not answer: {error}") from error
        if answer.is_success:
            return answer
        raise _refusal(self._url, answer)


def _refusal(url: str, answer: httpx.Response) -> PortalError:
    try:
        error = answer.json()["error"]
        return PortalError(error["message"], status=answer.status_code, code=error["code"], fields=error.get("fields"))
    except (ValueError, KeyError, TypeError):
        return PortalError(f"{url} answered {answer.status_code}.", status=answer.status_code)


def _row(visualization: Mapping[str, Any]) -> dict[str, Any]:
    names = ("run_id", "run_name", "run_created_at")
    figures = {each["name"]: each["value"] for each in visualization["figures"]}
    return {"visualization_id": visualization["id"], **{name: visualization[name] for name in names}, **figures}


def _pair(name: str, first: Mapping[str, Any] | None, second: Mapping[str, Any] | None) -> dict[str, Any]:
    known = second or first or {}
    change = second["value"] - first["value"] if first and second else None
    direction = {"higher": 1, "lower": -1}.get(known.get("better", ""), 0)
    return {
        "name": name,
        "unit": known.get("unit", ""),
        "first": first["value"] if first else None,
        "second": second["value"] if second else None,
        "change": change,
        "is_better": change * direction > 0 if change and direction else None,
    }
