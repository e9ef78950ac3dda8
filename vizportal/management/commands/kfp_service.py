"""`manage.py kfp_service`: the listener for Kubeflow's visualization protocol."""

from __future__ import annotations

from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.kfp_service.app import make_app
from apps.telemetry import trace_export
from vizportal.up import checks

# Waiting clients are told that the listener ends, because a restart must not wait for their renders.
_SHUTDOWN_S = 2
# Go's client closes idle connections after 90 s. If the server closes one first, a request may fail.
_KEEP_ALIVE_S = 100


class Command(BaseCommand):
    """Serves on VIZPORTAL_KFP_SERVICE_BIND until SIGINT or SIGTERM."""

    help = "Serve Kubeflow's visualization protocol on VIZPORTAL_KFP_SERVICE_BIND. Needs the queue and workers."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Checks the address and serves."""
        if not settings.VIZPORTAL_KFP_SERVICE_BIND:
            raise CommandError("Set VIZPORTAL_KFP_SERVICE_BIND, such as 127.0.0.1:8888.")
        try:
            host, port = checks.kfp_service_address(settings)
        except checks.CannotStartError as error:
            raise CommandError(str(error)) from error
        trace_export.start("kfp-service")
        uvicorn.run(
            make_app(),
            host=host,
            port=port,
            access_log=False,
            log_config=None,
            lifespan="on",
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_SHUTDOWN_S,
        )
