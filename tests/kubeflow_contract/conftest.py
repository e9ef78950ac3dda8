"""The servers that the contract is checked with: the embedded Kubeflow, and a real one where its address is given."""

from __future__ import annotations

import os
import warnings

import pytest

from tests.kubeflow_contract.asking import Server
from tests.servers import localkfp_server

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import kfp

REAL = "VIZPORTAL_TEST_KFP"


@pytest.fixture(scope="session", params=["localkfp", "real"])
def server(request, tmp_path_factory):
    """A server; the real one is skipped, with the reason, where VIZPORTAL_TEST_KFP does not name it."""
    if request.param == "localkfp":
        with localkfp_server(tmp_path_factory.mktemp("contract")) as host:
            yield Server(host)
    elif os.environ.get(REAL):
        yield Server(os.environ[REAL].rstrip("/"))
    else:
        pytest.skip(f"{REAL} does not name a Kubeflow Pipelines API server")


@pytest.fixture(scope="session")
def client(server, tmp_path_factory):
    """Kubeflow's own client."""
    with pytest.MonkeyPatch.context() as patched, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # It keeps its context below HOME, for all servers alike.
        patched.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield kfp.Client(host=server.host)
