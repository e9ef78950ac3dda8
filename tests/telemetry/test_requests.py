"""Each request has an id, is counted by view, and writes one log line."""

import asyncio
import logging

import pytest
from django.test import AsyncClient, Client

from apps.telemetry.logs import ACCESS_LOGGER
from apps.visualizations.views.stream import Hub

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("given", ["a", "6f2c-1.x_Y", "x" * 64])
def test_given_request_id_is_kept(given):
    assert Client().get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\nb", "<script>", "ä", 'a"b'])
def test_invalid_request_id_is_replaced(given):
    answered = Client().get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"]
    assert answered != given
    assert len(answered) == 32


def test_requests_have_different_ids():
    assert Client().get("/healthz")["X-Request-ID"] != Client().get("/healthz")["X-Request-ID"]


def test_asynchronous_responses_have_a_request_id():
    response = asyncio.run(AsyncClient().get("/events/", headers={"X-Request-ID": "abc"}))
    assert (response.status_code, response["X-Request-ID"]) == (302, "abc")


def test_requests_are_counted_by_view_not_by_path(own):
    for number in range(3):
        Client().get(f"/runs/{number}/")
        Client().get(f"/no/such/{number}/")
    Client().generic("BREW", "/healthz")
    assert own("vizportal_http_requests_total", view="runs:run_detail", method="GET", status="302") == 3
    assert own("vizportal_http_requests_total", view="unmatched", method="GET", status="404") == 3
    assert own("vizportal_http_requests_total", view="healthz", method="OTHER", status="405") == 1
    assert own("vizportal_http_request_seconds_count", view="runs:run_detail", method="GET") == 3


def test_access_log_line_has_the_view_and_no_query(caplog, browser, owner):
    caplog.set_level(logging.INFO, ACCESS_LOGGER)
    response = browser(owner).get("/visualizations/?q=something-private")
    [record] = [each for each in caplog.records if each.name == ACCESS_LOGGER]
    assert (record.method, record.view, record.status) == ("GET", "visualizations:gallery", 200)
    assert 0 < record.ms < 60_000
    assert response.status_code == 200
    assert "something-private" not in str(vars(record))


def test_probes_are_not_logged_at_info(caplog):
    caplog.set_level(logging.INFO, ACCESS_LOGGER)
    Client().get("/healthz")
    assert not [each for each in caplog.records if each.name == ACCESS_LOGGER]


def test_error_page_and_its_log_lines_have_the_request_id(monkeypatch, browser, owner, caplog):
    from apps.telemetry.logs import LineFormatter

    lines = []
    handler = logging.Handler()
    handler.setFormatter(LineFormatter())
    handler.emit = lambda record: lines.append(handler.format(record))
    logging.getLogger().addHandler(handler)
    monkeypatch.setattr("apps.ui.views.render", lambda *_: 1 / 0)
    client = browser(owner)
    client.raise_request_exception = False
    try:
        response = client.get("/design/", headers={"X-Request-ID": "id-of-this-one"})
    finally:
        logging.getLogger().removeHandler(handler)
    assert response.status_code == 500
    assert "<code>id-of-this-one</code>" in response.content.decode()
    assert response["X-Request-ID"] == "id-of-this-one"
    [traceback] = [line for line in lines if "ZeroDivisionError" in line]
    assert "request_id=id-of-this-one" in traceback
    assert f"user={owner.pk}" in traceback


def test_open_event_streams_are_counted(own, queue, settings, valkey_url):
    settings.REDIS_URL = valkey_url

    async def listen():
        hub = Hub()
        async with hub.listen(), hub.listen():
            assert own("vizportal_event_streams") == 2
        assert own("vizportal_event_streams") == 0

    asyncio.run(listen())
