"""The ASGI application that uvicorn serves."""

import importlib
import os
import threading

import django

from apps.telemetry import trace_export

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vizportal.settings")
django.setup(set_prefix=False)

# After setup, because they import models.
from apps.visualizations.views.stream import EventStreams  # noqa: E402
from vizportal.asgi_parts import ConcurrencyLimits, OneThreadHandler  # noqa: E402

# Before the handler, because it adds a middleware.
trace_export.start("web")
application = EventStreams(ConcurrencyLimits(OneThreadHandler(), streams=4, polls=8))
# kfp takes seconds to import. In a thread, the server already answers meanwhile, and no user waits for the import.
threading.Thread(target=importlib.import_module, args=["apps.runs.gateway.client"], daemon=True).start()
