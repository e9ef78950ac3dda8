"""Behind HTTPS, Django's own deployment check has nothing to say."""

import os
import subprocess
import sys

from django.conf import settings


def test_check_deploy_is_clean(tmp_path):
    environ = {**os.environ, "VIZPORTAL_HTTPS": "true", "VIZPORTAL_DATA_DIR": str(tmp_path)}
    environ = {name: value for name, value in environ.items() if name not in {"SECRET_KEY", "DJANGO_SETTINGS_MODULE"}}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
