"""The advice that the portal gives about a failed or timed out render."""

import pytest
from renderer import FailureReason

from apps.visualizations.advice import NO_NETWORK, advice
from apps.visualizations.models import Render

CONNECT = "  File socket.py, line 836, in create_connection\n    sock.connect(sa)\n"


@pytest.mark.parametrize(
    ("message", "traceback", "is_said"),
    [
        ("URLError: <urlopen error [Errno -3] Temporary failure in name resolution>", "", True),
        ("gaierror: [Errno -3] Temporary failure in name resolution", "", True),
        ("ConnectionError: HTTPSConnectionPool(host='x', port=443): Max retries exceeded with url: /", "", True),
        ("PermissionError: [Errno 13] Permission denied", CONNECT, True),
        ("PermissionError: [Errno 13] Permission denied", "open(path)", False),
        ("PermissionError: [Errno 13] Permission denied: '/etc/shadow'", CONNECT, False),
        ("KeyError: 'score'", CONNECT, False),
    ],
)
def test_advice_explains_missing_network_after_connection_errors(message, traceback, is_said):
    render = Render(reason="user_error", message=message, traceback=traceback, timeout_s=100)
    assert (advice(render) == NO_NETWORK) is is_said


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("timeout_s", "message"),
    [
        (5, "Stopped after 5 s, the limit that was chosen for it; this server allows 100 s."),
        (100, "Stopped after 100 s, the limit here."),
    ],
)
def test_timeout_message_says_whose_limit_applied(submit, work, row, kernel, settings, timeout_s, message):
    settings.KERNEL_TIMEOUT = 100
    said = f"Stopped after {timeout_s} s, the limit here."
    kernel.outcome = {"state": "timed_out", "reason": FailureReason.TIMED_OUT, "message": said, "html": None}
    made = submit(options={"timeout_s": timeout_s})
    work()
    ended = row(made.render)
    assert (ended.state, ended.message) == ("timed_out", message)
