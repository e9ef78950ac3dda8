"""A series with key figures, alerts on it, and a real web server that receives their messages."""

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import transaction
from django.utils import timezone

from apps.notifications import checking, deliveries, services
from apps.notifications.definitions import AlertDefinition
from apps.notifications.models import Alert, AlertEvent, Delivery, TargetKind
from apps.visualizations.models import Recipe, Render, RenderFigure, Visualization
from tests.callers import caller
from tests.visualizations.conftest import (  # noqa: F401  (fixtures)
    admin,
    browser,
    kernel,
    kubeflow,
    owner,
    queue,
    reader,
    submit,
    valkey_url,
    work,
)

NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)


@dataclass
class Receiver:
    """The requests that a server received, and its answers: those in `answers`, then 200."""

    url: str = ""
    requests: list = field(default_factory=list)
    answers: list = field(default_factory=list)
    during: object = None

    def answer(self):
        return self.answers.pop(0) if self.answers else (200, {})


@contextmanager
def served(host="127.0.0.1", tls=None):
    """Starts a server.

    Args:
        tls: an SSLContext for HTTPS.
    """
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.requests.append((self.path, {name.lower(): text for name, text in self.headers.items()}, body))
            if found.during:
                found.during()
            status, headers = found.answer()
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    found.url = f"{'https' if tls else 'http'}://{host}:{server.server_port}/hook?key=s3cret-path"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def receiver(settings):
    """A server that the administrator's setting allows."""
    with served() as found:
        settings.VIZPORTAL_NOTIFY_ALLOW = [found.url.partition("/hook")[0] + "/"]
        yield found


@pytest.fixture
def mail(settings, mailoutbox):
    """Configures e-mail and returns the outbox."""
    settings.EMAIL_HOST = "mail.example.org"
    settings.DEFAULT_FROM_EMAIL = "vizportal@example.org"
    return mailoutbox


@pytest.fixture
def recipe(db):
    return Recipe.objects.create(
        digest="d1", endpoint_key="default", pipeline_name="tips", step_id="s1", artifact_name="data", type_key="table"
    )


@pytest.fixture
def ended(recipe, owner):  # noqa: F811
    """Saves a render of the next run of the series, which ended a minute after the previous one."""
    count = [0]

    def save(auc=None, *, state="succeeded", visualization=None, at=None, message="", to=None):
        count[0] += 1
        number = count[0]
        visualization = visualization or Visualization.objects.create(
            title=f"table of data, run {number}",
            type_key="table",
            endpoint_key="default",
            pipeline_name="tips",
            run_id=f"r{number}",
            run_name=f"run {number}",
            recipe=to or recipe,
            owner=owner,
        )
        with transaction.atomic():
            render = Render.objects.create(
                visualization=visualization,
                number=visualization.renders.count() + 1,
                state=state,
                code="",
                message=message,
                type_version="1",
                environment="base",
                timeout_s=1,
                finished_at=at or timezone.now() + timedelta(minutes=number),
            )
            if auc is not None:
                RenderFigure.objects.create(render=render, name="auc", value=auc, better="higher")
        visualization.latest = render
        visualization.save()
        return render

    return save


@pytest.fixture
def make(recipe, owner, receiver):  # noqa: F811
    """Creates an alert of the owner, by default with a webhook to the receiver."""

    def made(event=AlertEvent.FIGURE_CROSSED, *, user=None, targets=None, rule=None, recovery=False, **condition):
        if event is AlertEvent.FIGURE_CROSSED:
            condition = {"figure": "auc", "direction": "below", "threshold": 0.8, **condition}
        if event is AlertEvent.FIGURE_CHANGED:
            condition = {"figure": "auc", "change": 0.1, **condition}
        definition = AlertDefinition(event=event, **condition)
        where = targets or [(TargetKind.WEBHOOK, receiver.url)]
        return services.alert_create(
            caller(user or owner),
            rule.recipe if rule else recipe,
            definition,
            where,
            rule=rule,
            sends_recovery=recovery,
        )

    return made


@pytest.fixture
def turn(db):
    """Runs the reconciler's pass over alerts as if the last one was long ago, optionally at a given time."""
    scan = checking.Scan()

    def run(now=None):
        Alert.objects.update(looked_at=None)
        return checking.alerts_pass(now, scan)

    return run


@pytest.fixture
def send():
    """Makes the next attempt of every waiting message, due or not; returns their number."""

    def run(now=None):
        rows = list(Delivery.objects.filter(state="waiting").values_list("id", "attempts"))
        for delivery_id, attempts in rows:
            deliveries.delivery_send(str(delivery_id), attempts + 1, now)
        return len(rows)

    return run


@pytest.fixture
def titles():
    """Returns the titles of all messages, the oldest first."""
    return lambda: [row.message["title"] for row in Delivery.objects.order_by("created_at", "id")]


@pytest.fixture
def crossing(make, ended, turn):
    """Creates an alert with one waiting message."""

    def cross(**values):
        made = make(**values)
        ended(0.5)
        turn()
        return made

    return cross
