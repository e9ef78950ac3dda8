"""The ASGI application that uvicorn serves."""

import importlib
import os
import threading

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vizportal.settings")

application = get_asgi_application()
# kfp takes seconds to import: meanwhile the server answers already, and the first person does not wait for it.
threading.Thread(target=importlib.import_module, args=["apps.runs.gateway.client"], daemon=True).start()
