"""Sending messages: signatures, retries, no repetition after success, and workers that die."""

import email
import email.policy
import hashlib
import hmac
import json
import logging
import smtplib
from datetime import timedelta

import pytest
from django.core import mail as django_mail
from django.utils import timezone

from apps.accounts.caller import command_caller
from apps.notifications import deliveries, messages, services
from apps.notifications.deliveries import DELAYS, MOST_ATTEMPTS
from apps.notifications.models import AlertEvent, AlertTarget, Delivery, TargetKind
from tests.callers import caller
from tests.notifications.smtp import smtp_server

pytestmark = pytest.mark.django_db(transaction=True)


def test_webhook_is_signed_over_timestamp_and_body(crossing, send, receiver):
    made = crossing()
    send()
    [(path, headers, body)] = receiver.requests
    assert path == "/hook?key=s3cret-path"
    [secret] = made.secrets.values()
    signed = headers["x-vizportal-timestamp"].encode() + b"." + body
    wanted = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["x-vizportal-signature"] == f"sha256={wanted}"
    delivery = Delivery.objects.get()
    assert headers["x-vizportal-delivery"] == str(delivery.id)
    assert (delivery.state, delivery.attempts, delivery.status_code, delivery.error) == ("sent", 1, 200, "")


def test_message_has_the_facts_and_an_absolute_link(crossing, send, receiver, settings):
    settings.VIZPORTAL_PUBLIC_URL = "https://portal.example.org"
    made = crossing()
    send()
    message = json.loads(receiver.requests[0][2])
    assert message["event"] == "figure_crossed"
    assert message["alert"] == {"id": str(made.alert.id), "title": made.alert.name}
    assert message["run"] == {"id": "r1", "name": "run 1"}
    assert message["pipeline"] == "tips"
    assert message["figure"] == {"name": "auc", "value": 0.5, "unit": "", "direction": "below", "threshold": 0.8}
    assert message["url"].startswith("https://portal.example.org/visualizations/")
    assert message["id"] == str(Delivery.objects.get().id)
    assert {"lines", "slack"}.isdisjoint(message)


def test_debug_log_has_no_target_address(crossing, send, receiver, caplog):
    with caplog.at_level(logging.DEBUG):
        crossing()
        send()
    assert len(receiver.requests) == 1
    assert "s3cret-path" not in caplog.text


@pytest.mark.parametrize(
    ("bind", "public", "wanted"),
    [
        ("0.0.0.0:8000", "", "http://127.0.0.1:8000/x"),
        ("[::]:8000", "", "http://127.0.0.1:8000/x"),
        ("10.1.2.3:80", "", "http://10.1.2.3:80/x"),
        ("0.0.0.0:8000", "https://portal.example.org", "https://portal.example.org/x"),
    ],
)
def test_public_url(settings, bind, public, wanted):
    settings.VIZPORTAL_BIND, settings.VIZPORTAL_PUBLIC_URL = bind, public
    assert messages.public_url("/x") == wanted


def test_slack_message_is_unsigned_text(crossing, send, receiver, ended):
    crossing(targets=[(TargetKind.SLACK, receiver.url)])
    row = Delivery.objects.get()
    assert "auc is 0.5, below 0.8" in row.message["slack"]
    send()
    assert set(json.loads(receiver.requests[0][2])) == {"text"}
    assert "x-vizportal-signature" not in receiver.requests[0][1]


def test_markup_in_names_is_escaped_for_slack(make, ended, turn, receiver):
    make(AlertEvent.RENDER_SUCCEEDED, targets=[(TargetKind.SLACK, receiver.url)])
    render = ended()
    type(render.visualization).objects.update(title="<!channel> & all", run_name="a\nb")
    turn()
    text = Delivery.objects.get().message["slack"]
    assert "&lt;!channel&gt; &amp; all" in text
    assert "<!channel>" not in text


def test_email_has_the_facts_and_the_deliverys_message_id(crossing, send, mail):
    crossing(targets=[(TargetKind.EMAIL, "owner@example.com")])
    send()
    [sent] = mail
    assert (sent.to, sent.from_email) == (["owner@example.com"], "vizportal@example.org")
    assert sent.subject == "auc is 0.5, below 0.8: table of data, run 1"
    assert "auc: 0.5 (threshold 0.8)" in sent.body
    assert "/visualizations/" in sent.body
    assert sent.extra_headers["Message-ID"] == f"<{Delivery.objects.get().id}@example.org>"


@pytest.fixture
def smtp(settings):
    """A real mail server with Django's SMTP backend."""
    with smtp_server() as found:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", found.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        yield found


def test_email_arrives_at_a_real_mail_server(crossing, send, smtp):
    crossing(targets=[(TargetKind.EMAIL, "owner@example.com")])
    send()
    [received] = smtp.messages
    mail = email.message_from_bytes(received, policy=email.policy.default)
    assert (mail["To"], mail["Subject"]) == ("owner@example.com", "auc is 0.5, below 0.8: table of data, run 1")
    assert str(Delivery.objects.get().id) in mail["Message-ID"]
    assert "auc: 0.5 (threshold 0.8)" in mail.get_content()
    assert Delivery.objects.get().state == "sent"


def test_unknown_recipient_at_a_real_mail_server_fails(crossing, send, smtp):
    crossing(targets=[(TargetKind.EMAIL, "owner@example.com")])
    smtp.refused["owner@example.com"] = "550 no such user"
    send()
    row = Delivery.objects.get()
    assert (row.state, row.error, smtp.messages) == ("failed", "The mail server refuses this address.", [])


def test_email_waits_with_a_reason_without_mail_server(crossing, send, mail, settings):
    crossing(targets=[(TargetKind.EMAIL, "owner@example.com")])
    settings.EMAIL_HOST = ""
    send()
    assert "E-mail is not set up" in Delivery.objects.get().error


def test_line_break_in_title_adds_no_mail_header(make, ended, turn, send, mail):
    make(AlertEvent.RENDER_SUCCEEDED, targets=[(TargetKind.EMAIL, "owner@example.com")])
    render = ended()
    type(render.visualization).objects.update(title="x\r\nBcc: all@example.org")
    turn()
    send()
    assert mail[0].subject == "Succeeded: x Bcc: all@example.org"


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (smtplib.SMTPRecipientsRefused({"x": (550, b"no")}), "failed"),
        (smtplib.SMTPRecipientsRefused({"x": (450, b"later")}), "waiting"),
        (smtplib.SMTPDataError(554, b"no"), "waiting"),
        (ConnectionRefusedError(), "waiting"),
    ],
)
def test_permanent_and_temporary_mail_server_errors(crossing, send, mail, monkeypatch, error, state):
    def fail(*_args, **_more):
        raise error

    crossing(targets=[(TargetKind.EMAIL, "owner@example.com")])
    monkeypatch.setattr(django_mail.EmailMessage, "send", fail)
    send()
    row = Delivery.objects.get()
    assert row.state == state
    assert row.error.startswith("The mail server")


def test_message_is_retried_after_errors_and_never_after_success(crossing, send, receiver, turn):
    crossing()
    receiver.answers = [(500, {}), (429, {}), (200, {})]
    now = timezone.now()
    send(now)
    row = Delivery.objects.get()
    assert (row.state, row.error, row.status_code, row.due_at) == ("waiting", "It answered 500.", 500, now + DELAYS[0])
    assert send(now) == 1
    row.refresh_from_db()
    assert row.due_at == now + DELAYS[1]
    send(now)
    row.refresh_from_db()
    assert (row.state, row.attempts, row.error) == ("sent", 3, "")
    for attempt in range(1, 6):
        deliveries.delivery_send(str(row.id), attempt)
    turn(now + timedelta(days=2))
    assert send(now) == 0
    assert len(receiver.requests) == 3
    assert len({headers["x-vizportal-delivery"] for _, headers, _ in receiver.requests}) == 1
    assert len({body for _, _, body in receiver.requests}) == 1


def test_retry_delays_grow_and_attempts_are_limited(crossing, send, receiver):
    crossing()
    receiver.answers = [(503, {})] * 20
    while send():
        pass
    row = Delivery.objects.get()
    assert (row.state, row.attempts, len(receiver.requests)) == ("failed", MOST_ATTEMPTS, MOST_ATTEMPTS)
    assert list(DELAYS) == sorted(DELAYS)


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_client_error_response_is_final(crossing, send, receiver, status):
    crossing()
    receiver.answers = [(status, {})]
    send()
    row = Delivery.objects.get()
    assert (row.state, row.error, row.status_code) == ("failed", f"It answered {status}.", status)


@pytest.mark.parametrize("end", ["inactive", "role"])
def test_nothing_is_sent_when_the_owner_loses_access(crossing, send, turn, ended, owner, settings, receiver, end):
    alert = crossing().alert
    if end == "role":
        settings.VIZPORTAL_DEFAULT_ROLE = "none"
    else:
        owner.is_active = False
        owner.save()
    send()
    assert receiver.requests == []
    assert "Nothing is sent" in Delivery.objects.get().error
    ended(0.9)
    ended(0.5)
    turn()
    alert.refresh_from_db()
    assert "Nothing is sent" in alert.problem
    assert Delivery.objects.count() == 1


def test_problem_is_cleared_when_it_ends(make, turn, owner, ended):
    alert = make(AlertEvent.RENDER_SUCCEEDED).alert
    owner.is_active = False
    owner.save()
    ended()
    turn()
    alert.refresh_from_db()
    assert alert.problem
    owner.is_active = True
    owner.save()
    turn()
    alert.refresh_from_db()
    assert (alert.problem, Delivery.objects.count()) == ("", 1)


def test_pause_drops_waiting_messages_but_not_tests(crossing, send, owner, receiver):
    alert = crossing().alert
    services.alert_change(caller(owner), alert, is_enabled=False)
    assert services.alert_test(caller(owner), alert) == 1
    send()
    assert {row.is_test: row.state for row in Delivery.objects.all()} == {False: "dropped", True: "sent"}
    assert json.loads(receiver.requests[0][2])["is_test"] is True


def test_secrets_are_encrypted_and_re_encrypted_with_a_new_key(crossing, send, turn, settings, receiver):
    made = crossing()
    target = AlertTarget.objects.get()
    [secret] = made.secrets.values()
    stored = f"{target.sealed} {target.shown} {Delivery.objects.get().message}"
    assert secret not in stored
    assert "s3cret-path" not in stored
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another key, of at least fifty characters, for this test"
    settings.SECRET_KEY_FALLBACKS = [former]
    turn()
    settings.SECRET_KEY_FALLBACKS = []
    send()
    assert len(receiver.requests) == 1


def test_missing_key_is_reported(crossing, send, turn, settings, receiver):
    crossing()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key, of at least fifty characters, for this test", []
    turn()
    send()
    row = Delivery.objects.get()
    assert (row.state, row.error) == (
        "failed",
        "The target's address can no longer be decrypted. Create the alert again.",
    )


def test_test_messages_are_limited(make, owner, monkeypatch):
    from apps.visualizations.exceptions import InvalidRequestError

    alert = make().alert
    monkeypatch.setattr(services, "MOST_TESTS_PER_HOUR", 2)
    for _ in range(2):
        services.alert_test(caller(owner), alert)
    with pytest.raises(InvalidRequestError, match="2 tests"):
        services.alert_test(command_caller(), alert)
