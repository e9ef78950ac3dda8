"""The ASGI application that uvicorn serves."""

import importlib
import os
import threading

import django

from apps.observing import tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vizportal.settings")
django.setup(set_prefix=False)

# Only now: it imports models.
from apps.visualizations.views.stream import EventStreams  # noqa: E402
from vizportal.asgi_parts import Lines, OneThreadHandler  # noqa: E402

application = EventStreams(Lines(OneThreadHandler(), streams=4, polls=8))
tracing.start("web")
# kfp takes seconds to import: meanwhile the server answers already, and the first person does not wait for it.
threading.Thread(target=importlib.import_module, args=["apps.runs.gateway.client"], daemon=True).start()
