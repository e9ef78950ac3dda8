import pytest
from django.contrib.auth import get_user_model

pytestmark = pytest.mark.django_db


def test_anonymous_user_is_redirected_to_sign_in(client):
    response = client.get("/visualizations/")
    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


def test_local_auth_signs_in_as_superuser(client, settings):
    settings.VIZPORTAL_AUTH = "local"
    assert client.get("/visualizations/").status_code == 200
    assert client.get("/admin/").status_code == 200
    user = get_user_model().objects.get()
    assert user.is_superuser
    assert not user.has_usable_password()


def test_local_auth_refuses_other_host_names(client, settings):
    settings.VIZPORTAL_AUTH = "local"
    assert client.get("/visualizations/", headers={"host": "evil.example"}).status_code == 400


def test_content_security_policy_forbids_external_resources(client, settings):
    settings.VIZPORTAL_AUTH = "local"
    policy = client.get("/visualizations/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/nothing/here/", "/visualizations/00000000-0000-0000-0000-000000000000/"])
def test_404_page_links_to_the_runs(client, settings, path):
    settings.VIZPORTAL_AUTH = "local"
    response = client.get(path)
    assert response.status_code == 404
    assert b"Go to the runs" in response.content


def test_design_page_opens(client, settings):
    settings.VIZPORTAL_AUTH = "local"
    assert client.get("/design/").status_code == 200


def test_favicon_redirects_without_sign_in(client):
    assert client.get("/favicon.ico")["Location"].endswith("favicon.svg")
