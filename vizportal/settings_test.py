"""Settings of the tests: all data is in a temporary directory."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from unittest import mock

# gRPC's fork handlers start threads in children that tests fork, but the tested code needs a single thread. gRPC reads
# the variable once, at its first use. Processes that tests start get the original environment.
with mock.patch.dict(os.environ, GRPC_ENABLE_FORK_SUPPORT="false"):
    import grpc

    grpc.insecure_channel("unix:/nowhere").close()

_scratch = Path(tempfile.mkdtemp(prefix="vizportal-test-"))
atexit.register(shutil.rmtree, _scratch, ignore_errors=True)
os.environ["VIZPORTAL_DATA_DIR"] = str(_scratch)
os.environ.setdefault("SECRET_KEY", "only-for-tests")

from vizportal.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    # The default store, in MEDIA_ROOT, which tests change.
    "default": {"BACKEND": "apps.stores.files.FileStore", "OPTIONS": {"base_url": None}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Users sign in as on a server, so that tests cover what others may see; `local` has tests of its own.
VIZPORTAL_AUTH = "password"
AXES_ENABLED = True
WHITENOISE_AUTOREFRESH = True
# With an in-memory database, a live server's threads would share the test's own connection, and an error between two of
# them would leave it in a transaction that no later test of the process can end.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": _scratch / "test.sqlite3"}  # noqa: F405
    # Data written by tests need not survive a power failure.
    DATABASES["default"]["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"  # noqa: F405
