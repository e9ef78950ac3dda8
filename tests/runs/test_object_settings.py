"""Errors in VIZPORTAL_OBJECT_STORES are reported without its secrets."""

import json

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from apps.runs.gateway.objects import stores
from tests.runs.s3 import SECRET


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f'[{{"prefix": "{SECRET}', "not JSON"),
        ("{}", "list of objects"),
        ('[{"prefix": "ftp://x/"}]', "must begin with"),
        ('[{"prefix": "s3:///x"}]', "a bucket"),
        ('[{"prefix": "s3://x/", "colour": "red"}]', "unknown 'colour'"),
        ('[{"prefix": "s3://x/", "is_anonymous": "yes"}]', "true or false"),
        ('[{"prefix": "s3://x/", "secret_file": "/no/such"}]', "cannot read"),
        ('[{"prefix": "file:///x"}]', "'root'"),
    ],
)
def test_invalid_setting_is_reported_without_its_secrets(settings, text, words):
    settings.VIZPORTAL_OBJECT_STORES = text
    with pytest.raises(ImproperlyConfigured, match=words) as caught:
        stores.stores()
    assert SECRET not in str(caught.value)
    with pytest.raises(SystemCheckError):
        call_command("check")


def test_portals_data_directory_cannot_be_a_store(settings):
    settings.VIZPORTAL_OBJECT_STORES = json.dumps(
        [{"prefix": "file:///", "root": str(settings.VIZPORTAL_DATA_DIR.parent)}]
    )
    with pytest.raises(ImproperlyConfigured, match="own data directory"):
        stores.stores()
