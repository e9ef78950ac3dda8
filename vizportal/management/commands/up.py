"""`manage.py up`: runs the whole portal on one machine until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from renderer import EnvironmentUnusableError, hosts_end

from apps.accounts.first_account import FIRST_ACCOUNT, has_accounts
from apps.visualizations.build_progress import build_told
from apps.visualizations.environments import environments
from apps.visualizations.services.hosts import run_dir
from vizportal.up import checks, preparation, services
from vizportal.up.base_environment import BaseEnvironment
from vizportal.up.supervisor import StartError, Supervisor

# How long startup waits for the libraries of most types before it reports readiness, and before the other workers
# start.
_BEFORE_READY_S: Final = 4.0
_AFTER_READY_S: Final = 15.0


class Command(BaseCommand):
    """Starts queue, workers, reconciler, web, and Kubeflow (unless one is configured), and supervises them."""

    help = "Run the whole portal on this machine: queue, embedded Kubeflow Pipelines, workers, web. Ctrl-C ends it."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Checks, prepares, starts in order, watches, stops in reverse order."""
        data_dir: Path = settings.VIZPORTAL_DATA_DIR
        try:
            host, port = checks.parse_bind(settings.VIZPORTAL_BIND)
            checks.require_sign_in(host, settings.VIZPORTAL_AUTH)
            checks.prepare_data_dir(data_dir)
            lock = checks.lock_data_dir(data_dir)
            with lock:
                checks.require_free_port(host, port)
                self._check_kfp_service()
                self._run(host, port)
        except checks.CannotStartError as error:
            raise CommandError(str(error)) from error

    def _run(self, host: str, port: int) -> None:
        supervisor = Supervisor(log_dir=settings.VIZPORTAL_DATA_DIR / "logs", say=self._say)
        supervisor.catch_signals()
        base = BaseEnvironment(say=self._say)
        try:
            is_configured = bool(settings.KFP_HOST or settings.VIZPORTAL_ENDPOINTS)
            steps_python = None if is_configured else self._environment("steps")
            base.begin()
            plan = services.make_plan(host, port, steps_python)
            self._start(supervisor, plan, base)
            if not supervisor.is_asked_to_stop:
                self._greet(host, port, plan)
                self._watch(supervisor, plan, base)
        except (StartError, EnvironmentUnusableError) as error:
            raise CommandError(str(error)) from error
        finally:
            self._say("Stopping ...")
            base.leave()
            supervisor.stop()
            hosts_end(run_dir())
        self._say("Stopped. Everything is kept in " + str(settings.VIZPORTAL_DATA_DIR))

    def _check_kfp_service(self) -> None:
        if settings.VIZPORTAL_KFP_SERVICE_BIND:
            checks.require_free_port(*checks.kfp_service_address(settings), "VIZPORTAL_KFP_SERVICE_BIND")

    def _environment(self, key: str) -> Path:
        info = environments().get(key)
        if not (info.is_built and info.is_current):
            self._say(f"Building the environment {key}; this is done once ...")
            with build_told(key, self._say) as tell:
                info = environments().build(key, tell, compiles_bytecode=False)
        if info.interpreter is None:
            raise CommandError(f"The environment {key} has no interpreter after its build.")
        return info.interpreter

    def _start(self, supervisor: Supervisor, plan: services.Plan, base: BaseEnvironment) -> None:
        # Services start in parallel where possible. The workers come last, since they would take processor time from
        # the import of the libraries that they need.
        backing = [service for service in (plan.queue, plan.localkfp) if service is not None]
        for service in backing:
            supervisor.start(service)
        preparation.database_prepare()
        preparation.static_files_prepare()
        listeners = [service for service in (plan.web, plan.kfp_service) if service is not None]
        for service in listeners:
            supervisor.start(service)
        for service in (*backing, *listeners):
            supervisor.await_ready(service.name)
        base.await_built(lambda: supervisor.is_asked_to_stop)
        base.await_imported(_BEFORE_READY_S, lambda: supervisor.is_asked_to_stop)
        # One worker is enough for the first picture.
        if not supervisor.is_asked_to_stop:
            supervisor.start(plan.workers[0])

    def _watch(self, supervisor: Supervisor, plan: services.Plan, base: BaseEnvironment) -> None:
        base.await_imported(_AFTER_READY_S, lambda: supervisor.is_asked_to_stop)
        base.leave()
        for service in plan.workers[1:]:
            if not supervisor.is_asked_to_stop:
                supervisor.start(service)
        bytecode = base.bytecode(plan.environ)
        if bytecode is not None:
            supervisor.start(bytecode)
        supervisor.watch()

    def _greet(self, host: str, port: int, plan: services.Plan) -> None:
        shown = f"[{host}]" if ":" in host else host
        self._say("")
        self._say(self.style.SUCCESS(f"vizportal is ready: http://{shown}:{port}/"))
        kind = "embedded, for kfp.Client(host=...)" if plan.is_embedded else "configured"
        self._say(f"Kubeflow Pipelines ({kind}): {plan.kubeflow_host}")
        if plan.kfp_service is not None:
            self._say(f"Kubeflow's visualization protocol: http://{settings.VIZPORTAL_KFP_SERVICE_BIND}/")
        if plan.is_embedded and settings.VIZPORTAL_SAMPLES:
            self._say("Sample pipelines run at the first start; their runs fill up within a minute.")
        if settings.VIZPORTAL_AUTH == "password" and not has_accounts():
            self._say(self.style.WARNING(f"Nobody has an account yet. Create the first one: {FIRST_ACCOUNT}"))
        self._say(f"Data and logs: {settings.VIZPORTAL_DATA_DIR}    Ctrl-C stops everything.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
