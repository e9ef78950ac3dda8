"""Test the client with prepared responses. tests/docs runs it against a portal."""

import json
from html.parser import HTMLParser

import httpx
import pytest
from vizportal_client import Client, PortalError, RenderFailedError, WaitedTooLongError

URL = "http://portal.example"


def visualization(number, *, state="succeeded", figures=(), **render):
    address = f"/renders/{number}/"
    facts = {"state": state, "url": address, "api_url": f"/api/v1{address}", "download_url": address, "message": ""}
    return {
        "id": f"v{number}",
        "title": "<b>Curve</b>",
        "url": f"/visualizations/v{number}/",
        "series_id": "s1",
        "run_id": f"r{number}",
        "run_name": f"run {number}",
        "run_created_at": f"2026-09-0{number}T00:00:00Z",
        "figures": [{"unit": "", "better": "none", **each} for each in figures],
        "render": {**facts, "html_bytes": 10, **render},
    }


@pytest.fixture
def portal():
    """Responds by (method, path) with a body, the next body of a list, or (status, body), and records the requests."""
    answers, asked = {}, []

    def answer(request):
        asked.append(request)
        found = answers[request.method, request.url.path]
        found = found.pop(0) if isinstance(found, list) else found
        status, body = found if isinstance(found, tuple) else (200, found)
        return httpx.Response(status, text=body) if isinstance(body, str) else httpx.Response(status, json=body)

    client = Client(URL, "vzp_secret", transport=httpx.MockTransport(answer))
    client.answers, client.asked = answers, asked
    yield client
    client.close()


class Frames(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.frames = []
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "iframe":
            self.frames.append(dict(attrs))


def test_visualize_waits_and_shows_the_result_in_a_sandboxed_frame(portal):
    page = '<p class="x">"quoted" & </iframe><script>1</script></p>'
    render = {"state": "running", "api_url": "/api/v1/renders/1/", "url": "/renders/1/"}
    portal.answers |= {
        ("POST", "/api/v1/visualizations"): (202, {"id": "v1", "render": render}),
        ("GET", "/api/v1/renders/1/"): [render, {**render, "state": "succeeded"}],
        ("GET", "/api/v1/visualizations/v1"): visualization(1, figures=[{"name": "auc", "value": 0.9}]),
        ("GET", "/renders/1/"): page,
    }
    result = portal.visualize("r1", "evaluator", "predictions", "roc_curve", positive="yes")
    asked = json.loads(portal.asked[0].content)
    assert asked == {
        "run_id": "r1",
        "step_id": "evaluator",
        "artifact": "predictions",
        "type": "roc_curve",
        "arguments": {"positive": "yes"},
        "force": False,
    }
    assert {each.headers["Authorization"] for each in portal.asked} == {"Bearer vzp_secret"}
    assert (result.figures, result.url) == ({"auc": 0.9}, f"{URL}/visualizations/v1/")
    shown = Frames(result._repr_html_())
    assert [(each["sandbox"], each["srcdoc"]) for each in shown.frames] == [("allow-scripts", page)]
    assert "script" not in shown.tags
    assert "b" not in shown.tags


def test_very_large_result_is_shown_as_link(portal):
    portal.answers["GET", "/api/v1/visualizations/v1"] = visualization(1, html_bytes=2**30)
    shown = Frames(portal.result("v1")._repr_html_())
    assert (shown.frames, "a" in shown.tags) == ([], True)


@pytest.mark.parametrize("installed", [True, False])
def test_figures_have_one_row_per_run_oldest_first(portal, installed, monkeypatch):
    first = {"items": [visualization(3, figures=[{"name": "auc", "value": 0.9}]), visualization(2)], "next": "2"}
    last = {"items": [visualization(1, figures=[{"name": "auc", "value": 0.7}])], "next": None}
    portal.answers["GET", "/api/v1/series/s1"] = [first, last]
    made = []
    # pandas is not in this environment, so fake that it is installed or missing.
    frames = type("pandas", (), {"DataFrame": staticmethod(lambda rows: made.append(rows) or "frame")})
    monkeypatch.setitem(__import__("sys").modules, "pandas", frames if installed else None)
    found = portal.figures("s1")
    rows = made[0] if installed else found
    assert (found == "frame") is installed
    assert [(row["run_id"], row.get("auc")) for row in rows] == [("r1", 0.7), ("r2", None), ("r3", 0.9)]


def test_figures_accept_a_visualization_id(portal, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    missing = (404, {"error": {"code": "not_found", "message": "There is no such series."}})
    portal.answers |= {
        ("GET", "/api/v1/series/v1"): missing,
        ("GET", "/api/v1/visualizations/v1"): visualization(1),
        ("GET", "/api/v1/series/s1"): {"items": [visualization(1)], "next": None},
    }
    assert [row["visualization_id"] for row in portal.figures("v1")] == ["v1"]


@pytest.mark.parametrize(
    ("better", "values", "wanted"),
    [
        ("higher", (0.5, 0.75), (0.25, True)),
        ("lower", (0.5, 0.75), (0.25, False)),
        ("none", (0.5, 0.75), (0.25, None)),
        ("higher", (0.5, 0.5), (0.0, None)),
        ("higher", (None, 0.5), (None, None)),
        ("higher", (0.5, None), (None, None)),
    ],
)
def test_compare_returns_change_and_is_better(portal, better, values, wanted):
    for number, value in enumerate(values, 1):
        figures = [] if value is None else [{"name": "auc", "value": value, "better": better}]
        portal.answers["GET", f"/api/v1/visualizations/v{number}"] = visualization(number, figures=figures)
    [row] = portal.compare("v1", "v2")
    assert (row["name"], row["first"], row["second"]) == ("auc", *values)
    assert (row["change"], row["is_better"]) == wanted


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (
            (400, {"error": {"code": "invalid", "message": "Wrong.", "fields": {"type": "No such."}}}),
            400,
            "type: No such",
        ),
        ((502, "<html>bad gateway</html>"), 502, "answered 502"),
        ((200, "<html>sign in</html>"), 0, "not its API"),
        ((200, "[]"), 0, "not its API"),
    ],
)
def test_refused_request_raises_portal_error_with_message(portal, answer, status, said):
    portal.answers["GET", "/api/v1/visualizations/v1"] = answer
    with pytest.raises(PortalError, match=said) as caught:
        portal.result("v1")
    assert caught.value.status == status
    assert "vzp_secret" not in str(caught.value)


def test_failed_or_slow_render_raises_error(portal):
    failed = {"state": "failed", "message": "There is no column score.", "reason": "cell_error", "url": "/r/"}
    portal.answers["POST", "/api/v1/visualizations"] = {"id": "v1", "render": failed}
    with pytest.raises(RenderFailedError, match="no column score") as caught:
        portal.visualize("r1", "s1")
    assert caught.value.code == "cell_error"
    portal.answers["POST", "/api/v1/visualizations"] = {"id": "v1", "render": failed | {"state": "queued"}}
    with pytest.raises(WaitedTooLongError, match="/r/"):
        portal.visualize("r1", "s1", wait_s=0)


def test_unreachable_portal_raises_error():
    with Client("http://127.0.0.1:9", "x", timeout_s=2) as client, pytest.raises(PortalError, match="does not answer"):
        client.result("v1")


def test_address_and_token_come_from_the_environment(monkeypatch):
    monkeypatch.delenv("VIZPORTAL_URL", raising=False)
    with pytest.raises(ValueError, match="VIZPORTAL_URL"):
        Client()
    monkeypatch.setenv("VIZPORTAL_URL", URL)
    Client().close()
