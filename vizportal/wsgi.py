"""The WSGI application, for servers that have no ASGI; server-sent events fall back to polling there."""

import os

from django.core.wsgi import get_wsgi_application

from apps.telemetry import trace_export

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vizportal.settings")

# Before the handler: it adds a middleware.
trace_export.start("web")
application = get_wsgi_application()
