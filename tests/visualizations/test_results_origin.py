"""Results on a separate origin: what it serves, to whom, and that it serves nothing else."""

import hashlib
import uuid

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from renderer import Progress

from apps.visualizations import signed_addresses
from apps.visualizations.models import Render
from apps.visualizations.services.live import live_publish
from apps.visualizations.states import RenderState

pytestmark = pytest.mark.django_db(transaction=True)
FRAME = {"Sec-Fetch-Dest": "iframe"}
ORIGIN = "https://results.test:8443"
LIBRARY = b"plot();"
ASSET = f"/assets/{hashlib.sha256(LIBRARY).hexdigest()}.js"


@pytest.fixture(autouse=True)
def origin(settings):
    settings.VIZPORTAL_RESULTS_ORIGIN = ORIGIN
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "results.test"]


@pytest.fixture
def render(submit, work, row):
    made = submit(title="Scores")
    work()
    return row(made.render)


def led_to(client, render, query=""):
    """The address that the portal redirects a frame to, without its origin."""
    response = client.get(f"/renders/{render.id}/content{query}", headers=FRAME)
    assert response.status_code == 302
    assert response["Cache-Control"] == "no-store"
    assert response["Location"].startswith(f"{ORIGIN}/renders/{render.id}/content?")
    return response["Location"].removeprefix(ORIGIN)


def ask_there(address, client=None, **headers):
    return (client or Client()).get(address, headers={"Host": "results.test:8443", **FRAME, **headers})


def test_frame_is_redirected_to_results_origin_without_cookies(render, browser, reader):
    response = ask_there(led_to(browser(reader), render))
    assert b"".join(response.streaming_content) == b"<p>picture</p>"
    policy = response["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'; ")
    assert policy.endswith("; frame-ancestors http://testserver")
    assert f"script-src 'unsafe-inline' 'unsafe-eval' blob: data: {ORIGIN}/assets/; " in policy
    assert response["Connection-Allowlist"] == f'("{ORIGIN}/assets/*")'
    assert response["Cache-Control"] == "private, max-age=300"
    assert not response.cookies
    assert "X-Frame-Options" not in response


def test_no_redirect_for_anonymous_user_or_unknown_render(render, browser, owner):
    stranger = Client().get(f"/renders/{render.id}/content", headers=FRAME)
    assert stranger.status_code == 401
    assert "Location" not in stranger
    missing = browser(owner).get(f"/renders/{uuid.uuid4()}/content", headers=FRAME)
    assert missing.status_code == 404


def test_address_is_valid_for_its_render_only(submit, render, browser, owner):
    key = led_to(browser(owner), render).partition("?")[2]
    other = submit(force=True).render
    for address in (f"/renders/{other.id}/content?{key}", f"/renders/{render.id}/content?{key}x"):
        assert ask_there(address).status_code == 404
    # A session opens nothing there, even if its cookie is sent.
    assert ask_there(f"/renders/{render.id}/content", browser(owner)).status_code == 404


def test_address_expires(render, browser, owner, monkeypatch):
    address = led_to(browser(owner), render)
    monkeypatch.setattr(signed_addresses, "LIFE_S", -1)
    assert ask_there(address).status_code == 404


@pytest.mark.parametrize("change", ["inactive", "without a role", "deleted"])
def test_address_ends_with_its_users_permission(render, browser, reader, settings, change):
    address = led_to(browser(reader), render)
    assert ask_there(address).status_code == 200
    if change == "deleted":
        reader.delete()
    elif change == "inactive":
        reader.is_active = False
        reader.save()
    else:
        settings.VIZPORTAL_DEFAULT_ROLE = "none"
    assert ask_there(address).status_code == 404


def test_address_of_deleted_render_returns_404(render, browser, owner):
    address = led_to(browser(owner), render)
    render.visualization.delete()
    assert ask_there(address).status_code == 404


@pytest.mark.parametrize("destination", ["document", "script", "object"])
def test_only_a_frame_gets_the_result(render, browser, owner, destination):
    address = led_to(browser(owner), render)
    assert ask_there(address, **{"Sec-Fetch-Dest": destination}).status_code == 404
    # A direct visit to the portal's address still redirects to the render's page.
    shown = browser(owner).get(f"/renders/{render.id}/content", headers={"Sec-Fetch-Dest": destination})
    assert shown["Location"] == render.get_absolute_url()


def test_running_render_is_shown_on_results_origin(submit, browser, owner):
    render = submit().render
    Render.objects.filter(id=render.id).update(state=RenderState.RUNNING)
    live_publish(render, Progress(cell=1, cells=2, elapsed_s=1, log="", page=b"<p>so far</p>"))
    address = led_to(browser(owner), render, "?so-far=1")
    assert "so-far=1" in address
    response = ask_there(address)
    assert response.content == b"<p>so far</p>"
    assert response["Cache-Control"] == "no-store"
    assert "sandbox allow-scripts" in response["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/healthz", "/readyz", "/metrics", "/login/", "/admin/", "/api/v1/runs", "/api/v1/openapi.json"),
        *("/visualizations/", "/events/", "/favicon.ico", "/static/css/base.css", "/e/default/runs/"),
    ],
)
def test_results_origin_serves_no_other_pages(path, browser, owner, settings):
    settings.VIZPORTAL_METRICS_TOKEN = "secret"
    response = ask_there(path, browser(owner), Authorization="Bearer secret")
    assert (response.status_code, response["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert not response.cookies


def test_downloads_stay_on_the_portal_origin(render, browser, owner):
    address = f"/renders/{render.id}/download.html"
    assert b"".join(browser(owner).get(address).streaming_content).startswith(b"<p>")
    assert ask_there(address, browser(owner)).status_code == 404


def test_results_origin_refuses_post(render, browser, owner):
    address = led_to(browser(owner), render)
    assert Client().post(address, headers={"Host": "results.test:8443"}).status_code == 405


def test_assets_are_served_on_results_origin_only(browser, owner):
    default_storage.save(ASSET[1:], ContentFile(LIBRARY))
    response = ask_there(ASSET)
    assert b"".join(response.streaming_content) == LIBRARY
    assert response["Access-Control-Allow-Origin"] == "*"
    assert browser(owner).get(ASSET).status_code == 404
    assert ask_there("/assets/" + "0" * 64 + ".js").status_code == 404
