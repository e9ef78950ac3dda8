"""Requests to Kubeflow are timed, and those that failed are counted by what went wrong."""

import pytest

from apps.runs import exceptions
from apps.runs.gateway import gateway_for_service
from apps.runs.gateway.connection import read_json_text
from tests.runs.kubeflow import Kubeflow, with_finished_run
from tests.runs.kubeflow_server import serve


@pytest.fixture
def served(settings):
    with serve(with_finished_run(Kubeflow())) as found:
        settings.KFP_HOST = found.url
        yield found


def test_answers_are_timed_by_the_way_they_came(served, own):
    gateway = gateway_for_service()
    gateway.runs()
    gateway.run_details("r1")
    assert own("vizportal_kubeflow_request_seconds_count", endpoint="default", call="api") >= 2
    assert own("vizportal_kubeflow_request_seconds_count", endpoint="default", call="lineage") >= 1
    for kind in ("down", "not_signed_in", "error"):
        assert own("vizportal_kubeflow_errors_total", endpoint="default", kind=kind) == 0


def test_what_is_not_there_is_an_error_of_its_own_kind(served, own):
    with pytest.raises(exceptions.NotFoundError):
        gateway_for_service().run("no-such-run")
    assert own("vizportal_kubeflow_errors_total", endpoint="default", kind="not_found") == 1


def test_a_sign_in_page_is_counted(served, own):
    served.page = "<!DOCTYPE html><html>Sign in</html>"
    with pytest.raises(exceptions.NotSignedInError):
        gateway_for_service().runs()
    assert own("vizportal_kubeflow_errors_total", endpoint="default", kind="not_signed_in") == 1


def test_nobody_there_is_counted_with_the_time_it_took(settings, unused_port, own):
    settings.KFP_HOST = f"http://127.0.0.1:{unused_port}"
    gateway = gateway_for_service()
    with pytest.raises(exceptions.EndpointDownError):
        gateway.health()
    with pytest.raises(exceptions.EndpointDownError):
        read_json_text(gateway.connection, "/apis/v2beta1/healthz", {})
    assert own("vizportal_kubeflow_errors_total", endpoint="default", kind="down") == 2
    assert own("vizportal_kubeflow_request_seconds_count", endpoint="default", call="api") == 1
    assert own("vizportal_kubeflow_request_seconds_count", endpoint="default", call="stream") == 1
