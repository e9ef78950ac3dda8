"""Requests to Kubeflow are timed, and failed ones are counted by kind of error."""

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


def test_responses_are_timed_by_kind_of_call(served, own):
    gateway = gateway_for_service()
    gateway.runs()
    gateway.run_details("r1")
    assert own("vizportal_kubeflow_request_seconds_count", endpoint="default", call="api") >= 2
    assert own("vizportal_kubeflow_request_seconds_count", endpoint="default", call="lineage") >= 1
    for kind in ("down", "not_signed_in", "error"):
        assert own("vizportal_kubeflow_errors_total", endpoint="default", kind=kind) == 0


def test_not_found_is_a_separate_kind_of_error(served, own):
    with pytest.raises(exceptions.NotFoundError):
        gateway_for_service().run("no-such-run")
    assert own("vizportal_kubeflow_errors_total", endpoint="default", kind="not_found") == 1


def test_sign_in_page_counts_as_not_signed_in(served, own):
    served.page = "<!DOCTYPE html><html>Sign in</html>"
    with pytest.raises(exceptions.NotSignedInError):
        gateway_for_service().runs()
    assert own("vizportal_kubeflow_errors_total", endpoint="default", kind="not_signed_in") == 1


def test_unreachable_endpoint_is_counted_and_timed(settings, unused_port, own):
    settings.KFP_HOST = f"http://127.0.0.1:{unused_port}"
    gateway = gateway_for_service()
    with pytest.raises(exceptions.EndpointDownError):
        gateway.health()
    with pytest.raises(exceptions.EndpointDownError):
        read_json_text(gateway.connection, "/apis/v2beta1/healthz", {})
    assert own("vizportal_kubeflow_errors_total", endpoint="default", kind="down") == 2
    assert own("vizportal_kubeflow_request_seconds_count", endpoint="default", call="api") == 1
    assert own("vizportal_kubeflow_request_seconds_count", endpoint="default", call="stream") == 1
