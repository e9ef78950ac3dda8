"""Where messages may go: checked when an alert is created, and again at each attempt."""

import socket
import ssl

import pytest
from django.utils import timezone

from apps.notifications.addresses import Address, AddressRefusedError, is_allowed_inside, web_address
from apps.notifications.models import AlertEvent, Delivery, TargetKind
from apps.notifications.sending import address_check, message_send
from apps.visualizations.exceptions import InvalidRequestError
from tests.notifications.conftest import served
from tests.tls import Authority

pytestmark = pytest.mark.django_db(transaction=True)
RESOLVED = {
    "inside.example.org": ["10.1.2.3"],
    "half.example.org": ["93.184.215.14", "127.0.0.1"],
    "metadata.example.org": ["169.254.169.254"],
    "six.example.org": ["::1"],
    "public.example.org": ["93.184.215.14"],
}
REFUSED = [
    "http://127.0.0.1:8000/",
    "http://localhost/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0.0.0.0/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://[::]/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://172.16.0.1/",
    "http://100.64.0.1/",
    "http://224.0.0.1/",
    "https://inside.example.org/",
    "https://half.example.org/",
    "https://metadata.example.org/",
    "https://six.example.org/",
    "https://nowhere.example.org/",
]
MALFORMED = [
    "ftp://public.example.org/",
    "file:///etc/passwd",
    "//public.example.org/",
    "public.example.org",
    "https://user:pw@public.example.org/",
    "https://@public.example.org/",
    "https://public.example.org\\@127.0.0.1/",
    "https://public.example.org/#x",
    "https://public.example.org/ x",
    "https://public.example.org/\nx",
    "https://public.example.org:99999/",
    "https://púlic.example.org/",
    "https:///x",
    "https://[::1/",
    "javascript:alert(1)",
]


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """Resolves the test's names to the addresses in RESOLVED; numeric addresses resolve normally."""
    real = socket.getaddrinfo

    def resolve(host, *given, **more):
        if host in RESOLVED:
            return [(0, 0, 0, "", (each, 0)) for each in RESOLVED[host]]
        if host.endswith(".org"):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return real(host, *given, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.parametrize("url", REFUSED)
def test_internal_address_is_refused(make, url, settings):
    with pytest.raises(InvalidRequestError) as caught:
        make(targets=[(TargetKind.WEBHOOK, url)])
    assert list(caught.value.fields) == ["webhook"]


@pytest.mark.parametrize("url", REFUSED)
def test_internal_address_is_refused_at_each_attempt(url):
    """The name may have resolved to another address when the alert was created."""
    outcome = message_send(Address(kind=TargetKind.SLACK, address=url), "1", {"slack": "x"}, timezone.now())
    assert outcome.status_code is None
    assert outcome.is_final or "unknown" in outcome.error


@pytest.mark.parametrize("url", MALFORMED)
def test_malformed_address_is_refused(make, url):
    with pytest.raises(InvalidRequestError):
        make(targets=[(TargetKind.SLACK, url)])


def test_public_address_is_allowed():
    assert address_check("https://public.example.org/x?y=1") == "93.184.215.14"


def test_connection_uses_the_checked_address(settings, monkeypatch):
    """DNS rebinding: a name server answers first with a public address and then with a local one."""
    with served() as found:
        port = found.url.split(":")[2].split("/")[0]
        url = f"http://rebound.example.org:{port}/hook"
        answers = ["93.184.215.14", "127.0.0.1", "127.0.0.1"]
        asked = []

        def resolve(host, *_given, **_more):
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers[min(len(asked), 3) - 1], int(port)))]

        connected = []

        def connect(address, *_given, **_more):
            connected.append(address[0])
            raise OSError("not in a test")

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
        message_send(Address(kind=TargetKind.SLACK, address=url), "1", {"slack": "x"}, timezone.now())
        assert (asked, connected, found.requests) == (["rebound.example.org"], ["93.184.215.14"], [])


@pytest.mark.parametrize(("name", "is_sent"), [("hooks.example.org", True), ("other.example.org", False)])
def test_https_verifies_the_host_name(tmp_path, settings, monkeypatch, name, is_sent):
    authority = Authority(tmp_path)
    authority.issue(tmp_path, name)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    monkeypatch.setitem(RESOLVED, "hooks.example.org", ["127.0.0.1"])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    with served(tls=tls) as found:
        url = found.url.replace("127.0.0.1", "hooks.example.org")
        settings.VIZPORTAL_NOTIFY_ALLOW = [url.rpartition("/hook")[0] + "/"]
        outcome = message_send(Address(kind=TargetKind.SLACK, address=url), "1", {"slack": "x"}, timezone.now())
    assert (outcome.status_code == 200, len(found.requests) == 1) == (is_sent, is_sent)
    if is_sent:
        assert found.requests[0][1]["host"] == url.split("/")[2]
    else:
        assert outcome.error == "The connection failed (SSLError)."


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(make, ended, turn, send, receiver, status):
    make()
    with served() as inside:
        receiver.answers = [(status, {"Location": inside.url})]
        ended(0.5)
        turn()
        send()
        assert inside.requests == []
    row = Delivery.objects.get()
    assert (row.state, row.status_code) == ("failed", status)
    assert "redirect" in row.error


@pytest.mark.parametrize(
    ("prefix", "url", "is_allowed"),
    [
        ("http://hooks:8080/", "http://hooks:8080/a/b", True),
        ("http://hooks:8080", "http://hooks:8080/a", True),
        ("http://hooks:8080/a", "http://hooks:8080/a", True),
        ("http://hooks:8080/a", "http://hooks:8080/ab", False),
        ("http://hooks:8080/a/", "http://hooks:8080/a/../b", False),
        ("http://hooks:8080/a/", "http://hooks:8080/a/%2E%2e/b", False),
        ("http://hooks:8080/", "http://hooks:8081/", False),
        ("http://hooks/", "https://hooks/", False),
        ("hooks", "https://hooks/x", True),
        ("http://hooks/", "http://hooks.example.org/", False),
        ("http://HOOKS/", "http://hooks/x", True),
    ],
)
def test_allowed_internal_prefixes(settings, prefix, url, is_allowed):
    settings.VIZPORTAL_NOTIFY_ALLOW = [prefix]
    assert is_allowed_inside(web_address(url)) is is_allowed


def test_metadata_address_is_refused_even_if_allowed(settings):
    settings.VIZPORTAL_NOTIFY_ALLOW = ["http://169.254.169.254/", "https://metadata.example.org/"]
    for url in ("http://169.254.169.254/", "https://metadata.example.org/"):
        with pytest.raises(AddressRefusedError):
            address_check(url)


def test_response_with_a_long_header_counts_as_sent(make, ended, turn, send, receiver, monkeypatch):
    make()
    receiver.answers = [(200, {"X-Long": "x" * 1000})]
    ended(0.5)
    turn()
    send()
    assert Delivery.objects.get().state == "sent"


def test_refused_connection_is_retried(make, ended, turn, send, settings):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    settings.VIZPORTAL_NOTIFY_ALLOW = [url]
    make(targets=[(TargetKind.SLACK, url)])
    ended(0.5)
    turn()
    send()
    row = Delivery.objects.get()
    assert row.state == "waiting"
    assert row.error.startswith("The connection failed")


def test_email_goes_only_to_own_address_or_allowed_domain(make, settings, mail, admin):
    own = [(TargetKind.EMAIL, "Owner@example.com")]
    assert make(targets=own).alert.targets.get().shown == "Owner@example.com"
    for wrong in ("someone@elsewhere.org", "no address", "a@b, c@d", "x@example.com\nBcc: y@example.com"):
        with pytest.raises(InvalidRequestError):
            make(targets=[(TargetKind.EMAIL, wrong)])
    settings.VIZPORTAL_EMAIL_DOMAINS = ["elsewhere.org"]
    make(targets=[(TargetKind.EMAIL, "someone@elsewhere.org")])
    make(targets=[(TargetKind.EMAIL, "someone@other.org")], user=admin)


def test_alert_has_at_most_five_distinct_targets(make, receiver):
    with pytest.raises(InvalidRequestError, match="5 targets"):
        make(targets=[(TargetKind.SLACK, f"{receiver.url}&n={number}") for number in range(6)])
    same = [(TargetKind.SLACK, receiver.url)] * 3
    assert make(AlertEvent.RENDER_FAILED, targets=same).alert.targets.count() == 1
