"""Which namespaces a user may read, and for how long Kubeflow's response is cached, without a page."""

import json
import threading
import time
from types import SimpleNamespace

import pytest

from apps.accounts.caller import Caller, CallerKind, absent_caller
from apps.runs import access
from apps.runs.exceptions import EndpointDownError, ForbiddenError, NotSignedInError

TEAM = ("mesh", "team-a")
OTHER = ("mesh", "team-b")


def person(pk=7, **facts):
    known = {"is_authenticated": True, "is_active": True, "is_superuser": False, "has_perm": lambda _name: False}
    return SimpleNamespace(**{"pk": pk, "get_username": lambda: "ada", **known, **facts})


def page(user=None, **facts):
    return Caller(**{"kind": CallerKind.PAGE, "user": user or person(), "request": SimpleNamespace(), **facts})


@pytest.fixture
def kubeflow(settings, monkeypatch):
    """Configures a multi-user and a single-user endpoint with `allowed` namespaces, queries `asked`, and an `error`."""
    settings.VIZPORTAL_DEFAULT_ROLE = "viewer"
    settings.VIZPORTAL_ENDPOINTS = json.dumps(
        [
            {"key": "plain", "host": "http://plain.example"},
            {"key": "mesh", "host": "http://mesh.example", "namespaces": ["team-a", "team-b"]},
        ]
    )
    access.cache.clear()
    told = SimpleNamespace(allowed={"team-a"}, asked=[], error=None, gate=None)

    def gateway(way):
        def make(caller, key, namespace):
            def runs(*, page_size):
                told.asked.append((way, caller.user_id, key, namespace, page_size, threading.current_thread().name))
                if told.gate is not None:
                    told.gate.wait(60)
                if told.error is not None:
                    raise told.error
                if namespace not in told.allowed:
                    raise ForbiddenError("not yours")

            return SimpleNamespace(runs=runs)

        return make

    monkeypatch.setattr(access, "gateway_for_namespace", gateway("present"))
    monkeypatch.setattr(access, "gateway_for_absent", gateway("absent"))
    yield told
    # A late response must not be cached for the next test.
    for thread in threading.enumerate():
        if thread.name.startswith("access"):
            thread.join()


def asked(kubeflow):
    return [(way, namespace, size) for way, _user, _key, namespace, size, _thread in kubeflow.asked]


def test_readable_namespaces_are_queried_once(kubeflow):
    assert access.is_divided()
    for _ in range(2):
        assert access.readable(page(), [TEAM, OTHER]) == {TEAM}
    assert sorted(asked(kubeflow)) == [("present", "team-a", 1), ("present", "team-b", 1)]
    assert all(name.startswith("access") for *_, name in kubeflow.asked)


def test_each_user_has_a_separate_answer(kubeflow):
    assert access.readable(page(), [TEAM]) == {TEAM}
    kubeflow.allowed = set()
    assert access.readable(page(person(pk=8)), [TEAM]) == set()
    assert access.readable(page(), [TEAM]) == {TEAM}


def test_absent_user_is_checked_in_another_way(kubeflow):
    assert access.readable(absent_caller(person()), [TEAM]) == {TEAM}
    assert asked(kubeflow) == [("absent", "team-a", 1)]


@pytest.mark.parametrize(
    "caller",
    [
        Caller(kind=CallerKind.PAGE, request=SimpleNamespace()),
        Caller(kind=CallerKind.PAGE, user=person(is_active=False), request=SimpleNamespace()),
        Caller(kind=CallerKind.TOKEN, user=person()),
    ],
    ids=["nobody", "an account that was closed", "nobody to ask for"],
)
def test_other_callers_can_read_nothing_and_send_no_query(kubeflow, caller):
    assert access.readable(caller, [TEAM]) == set()
    assert kubeflow.asked == []


def test_user_without_view_permission_can_read_nothing(kubeflow, settings):
    settings.VIZPORTAL_DEFAULT_ROLE = "none"
    assert access.readable(page(), [TEAM]) == set()
    assert access.readable(absent_caller(person()), [TEAM]) == set()
    assert kubeflow.asked == []


def test_endpoint_without_namespaces_is_not_queried(kubeflow):
    assert access.readable(page(), [("plain", "team-a"), ("gone", "team-a"), ("mesh", "")]) == set()
    assert kubeflow.asked == []


@pytest.mark.parametrize(
    ("endpoint", "namespace", "may"),
    [
        ("mesh", "team-a", True),
        ("mesh", "team-b", False),
        ("mesh", "", True),
        ("plain", "team-b", True),
        ("gone", "team-b", True),
        # The default endpoint is the first one.
        ("", "team-b", True),
    ],
)
def test_only_namespaces_of_multi_user_endpoints_restrict_access(kubeflow, endpoint, namespace, may):
    assert access.may_read(page(), endpoint, namespace) is may


def test_default_endpoint_is_queried_if_none_is_named(kubeflow, settings):
    settings.VIZPORTAL_ENDPOINTS = json.dumps(json.loads(settings.VIZPORTAL_ENDPOINTS)[::-1])
    assert access.may_read(page(), "", "team-a") is True
    assert access.may_read(page(), "", "team-b") is False
    assert {key for _way, _user, key, *_ in kubeflow.asked} == {"mesh"}


def test_superuser_and_system_need_no_query(kubeflow):
    for caller in (page(person(is_superuser=True)), Caller(kind=CallerKind.SYSTEM)):
        assert access.may_read(caller, *OTHER) is True
    assert kubeflow.asked == []


@pytest.mark.parametrize("error", [EndpointDownError("down"), NotSignedInError("no credential")])
def test_last_answer_is_used_while_kubeflow_is_unavailable(kubeflow, monkeypatch, error):
    assert access.readable(page(), [TEAM, OTHER]) == {TEAM}
    kubeflow.error = error
    monkeypatch.setattr(access, "FRESH_S", 0)
    assert access.readable(page(), [TEAM, OTHER]) == {TEAM}
    assert access.readable(page(person(pk=8)), [TEAM]) == set()
    assert len(kubeflow.asked) == 5


def test_revoked_access_ends_with_the_next_answer(kubeflow, monkeypatch):
    assert access.may_read(page(), *TEAM)
    kubeflow.allowed = set()
    assert access.may_read(page(), *TEAM)
    monkeypatch.setattr(access, "FRESH_S", 0)
    assert not access.may_read(page(), *TEAM)


def test_answer_is_cached_for_a_day(kubeflow, monkeypatch):
    kept = []
    monkeypatch.setattr(access, "cache", SimpleNamespace(get=lambda _slot: None, set=lambda *given: kept.append(given)))
    before = time.time()
    access.readable(page(), [TEAM])
    [(_slot, (may, at), seconds)] = kept
    assert (may, seconds) == (True, 24 * 3600)
    assert before <= at <= time.time()


def test_cached_answer_is_used_without_waiting_for_slow_kubeflow(kubeflow, monkeypatch):
    assert access.readable(page(), [TEAM]) == {TEAM}
    monkeypatch.setattr(access, "FRESH_S", 0)
    kubeflow.gate = threading.Event()
    kubeflow.allowed = set()
    # It returns although no response can have arrived.
    assert access.readable(page(), [TEAM]) == {TEAM}
    kubeflow.gate.set()


def test_slow_kubeflow_is_waited_for_without_cached_answer(kubeflow, monkeypatch):
    assert access.readable(page(), [TEAM]) == {TEAM}
    monkeypatch.setattr(access, "FRESH_S", 0)
    monkeypatch.setattr(access, "PATIENCE_S", 0)
    kubeflow.allowed = {"team-a", "team-b"}
    kubeflow.gate = threading.Event()
    threading.Timer(0.3, kubeflow.gate.set).start()
    assert access.readable(page(), [TEAM, OTHER]) == {TEAM, OTHER}
