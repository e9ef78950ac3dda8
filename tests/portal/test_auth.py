import pytest
from django.contrib.auth import get_user_model

pytestmark = pytest.mark.django_db


def test_a_stranger_is_led_to_the_sign_in_page(client):
    response = client.get("/visualizations/")
    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


def test_on_one_s_own_machine_everybody_is_the_administrator(client, settings):
    settings.VIZPORTAL_AUTH = "local"
    assert client.get("/visualizations/").status_code == 200
    assert client.get("/admin/").status_code == 200
    user = get_user_model().objects.get()
    assert user.is_superuser
    assert not user.has_usable_password()


def test_another_host_name_is_refused(client, settings):
    settings.VIZPORTAL_AUTH = "local"
    assert client.get("/visualizations/", headers={"host": "evil.example"}).status_code == 400


def test_pages_forbid_everything_foreign(client, settings):
    settings.VIZPORTAL_AUTH = "local"
    policy = client.get("/visualizations/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/nothing/here/", "/visualizations/00000000-0000-0000-0000-000000000000/"])
def test_an_unknown_address_is_a_page_with_a_way_on(client, settings, path):
    settings.VIZPORTAL_AUTH = "local"
    response = client.get(path)
    assert response.status_code == 404
    assert b"Go to the runs" in response.content


def test_the_page_of_components_draws(client, settings):
    settings.VIZPORTAL_AUTH = "local"
    assert client.get("/design/").status_code == 200


def test_the_old_address_of_the_icon_leads_to_it_without_signing_in(client):
    assert client.get("/favicon.ico")["Location"].endswith("favicon.svg")
