"""The WSGI application, for servers without ASGI; there, pages poll instead of using server-sent events."""

import os

from django.core.wsgi import get_wsgi_application

from apps.telemetry import trace_export

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vizportal.settings")

# Before the handler: it adds a middleware.
trace_export.start("web")
application = get_wsgi_application()
