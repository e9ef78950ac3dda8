"""The servers for which the contract is checked.

These are the embedded Kubeflow, recordings of real API servers, and a real server if VIZPORTAL_TEST_KFP has its
address. With VIZPORTAL_TEST_KFP_RECORD, the real server's responses are written to the recording of that name.
"""

from __future__ import annotations

import os
import re
import warnings
from contextlib import ExitStack

import pytest

from apps.runs.gateway import details, gateway_for_service, request_metrics
from apps.runs.gateway import gateway as gateways
from apps.runs.gateway.silence import Silences
from tests.kubeflow_contract import recordings
from tests.kubeflow_contract.asking import SPEC, Server
from tests.servers import localkfp_server

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import kfp

REAL = "VIZPORTAL_TEST_KFP"
RECORD = "VIZPORTAL_TEST_KFP_RECORD"
CONSTANTS = {"spec": SPEC}
RECORDED = sorted(file.stem for file in recordings.DIRECTORY.glob("*.json"))


def _player(name):
    return recordings.read(recordings.DIRECTORY / f"{name}.json", CONSTANTS)


@pytest.fixture(scope="session", params=["localkfp", *(f"recorded {name}" for name in RECORDED), "real"])
def server(request, tmp_path_factory):
    """Returns a server. The real one is skipped if VIZPORTAL_TEST_KFP is not set."""
    with ExitStack() as open_until_end:
        if request.param == "localkfp":
            host = open_until_end.enter_context(localkfp_server(tmp_path_factory.mktemp("contract")))
            yield Server(host=host, name=request.param)
        elif request.param != "real":
            player = _player(request.param.removeprefix("recorded "))
            host = open_until_end.enter_context(recordings.serve(player))
            yield Server(host=host, name=request.param, tape=player, seed=player.seed, now=player.at)
        elif not os.environ.get(REAL):
            pytest.skip(f"{REAL} does not name a Kubeflow Pipelines API server")
        else:
            yield from _real(open_until_end)


def _real(open_until_end):
    address = os.environ[REAL].rstrip("/")
    if not os.environ.get(RECORD):
        yield Server(host=address, name="real")
        return
    recordings.DIRECTORY.mkdir(exist_ok=True)
    file = recordings.DIRECTORY / f"{os.environ[RECORD]}.json"
    recorder = recordings.Recorder(host=address, file=file, constants=CONSTANTS)
    host = open_until_end.enter_context(recordings.serve(recorder))
    yield Server(host=host, name="real", tape=recorder, seed=recorder.seed)
    recorder.write()


@pytest.fixture(autouse=True)
def _chapter(request, server):
    """Starts the test's chapter of the recording."""
    name = re.sub(rf"{re.escape(server.name)}-?|-{re.escape(server.name)}", "", request.node.name, count=1)
    server.begin(f"{request.node.path.stem}::{name.removesuffix('[]')}")
    yield
    if server.name == "localkfp":
        # It executes every run, two at a time, so the next test's runs would have to wait.
        server.end_runs()


@pytest.fixture(scope="session")
def client(server, tmp_path_factory):
    """Returns Kubeflow's own client."""
    server.begin("client")
    with pytest.MonkeyPatch.context() as patched, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # It keeps one context for all servers in HOME.
        patched.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield kfp.Client(host=server.host)


@pytest.fixture
def gateway(server, settings, monkeypatch):
    """Returns the portal's gateway to the server, without state from other servers."""
    settings.KFP_HOST = server.host
    settings.KFP_TIMEOUT = 60
    for name in ("kept_steps", "kept_specs", "kept_names", "kept_experiments"):
        monkeypatch.setattr(details, name, details.Kept(8))
    monkeypatch.setattr(request_metrics, "silences", own := Silences())
    monkeypatch.setattr("apps.runs.gateway.silences", own)
    monkeypatch.setattr("apps.runs.gateway.plugins.known_servers", {})
    monkeypatch.setattr(gateways, "known_task_apis", {})
    monkeypatch.setattr(gateways, "without_full_view", set())
    return gateway_for_service()


@pytest.fixture(scope="module")
def runs(server, request):
    """Starts three runs in a new experiment and returns them, oldest first."""
    server.begin(f"{request.node.path.stem}::runs")
    experiment = server.post("experiments", {"display_name": server.fresh("runs")})["experiment_id"]
    prefix = server.fresh("run")
    made = [server.start(f"{prefix}-{letter}", experiment_id=experiment) for letter in "abc"]
    return experiment, prefix, made
