"""VIZPORTAL_OBJECT_STORES: what is wrong with it is told, without what is secret in it."""

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
def test_a_wrong_setting_is_told_without_what_is_in_it(settings, text, words):
    settings.VIZPORTAL_OBJECT_STORES = text
    with pytest.raises(ImproperlyConfigured, match=words) as caught:
        stores.stores()
    assert SECRET not in str(caught.value)
    with pytest.raises(SystemCheckError):
        call_command("check")


def test_the_portal_s_own_data_is_no_artifact(settings):
    settings.VIZPORTAL_OBJECT_STORES = json.dumps(
        [{"prefix": "file:///", "root": str(settings.VIZPORTAL_DATA_DIR.parent)}]
    )
    with pytest.raises(ImproperlyConfigured, match="own data directory"):
        stores.stores()
