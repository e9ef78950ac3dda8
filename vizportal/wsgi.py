"""The WSGI application, for servers that have no ASGI; server-sent events fall back to polling there."""

import os

from django.core.wsgi import get_wsgi_application

from apps.observing import tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vizportal.settings")

application = get_wsgi_application()
tracing.start("web")
