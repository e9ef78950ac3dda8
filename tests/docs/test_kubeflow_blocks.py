"""Run the examples for kfp.Client and the gateway in README, docs/localkfp.md and docs/gateway.md."""

import shutil
import urllib.request

import pytest
from django.test import RequestFactory

from tests.callers import caller
from tests.docs.collecting import ROOT, changed, executes
from tests.runs.kubeflow import Kubeflow, with_finished_run
from tests.runs.kubeflow_server import serve
from tests.servers import free_port

SAMPLES = ROOT / "packages/localkfp/src/localkfp/samples"


@pytest.mark.slow
@executes("README.md: import kfp")
def test_client_starts_a_run_in_the_embedded_kubeflow(block, shell, served):
    made = shell()
    shutil.copy(SAMPLES / "control_flow.yaml", made.folder / "my_pipeline.yaml")
    assert "runs/details" in made.run(changed(block, portal_kubeflow=served.kubeflow_url), python=True)


@pytest.mark.slow
@executes(
    "docs/localkfp.md: .venv/bin/python -m localkfp --port 8888 --data-dir data/loc",
    "packages/localkfp/README.md: .venv/bin/python -m localkfp --port 8888 --data-dir data/loc",
)
def test_localkfp_starts_with_its_samples(block, shell):
    port = free_port()

    def has_samples():
        try:
            url = f"http://127.0.0.1:{port}/apis/v2beta1/pipelines"
            return b"tip-prediction" in urllib.request.urlopen(url, timeout=5).read()
        except OSError:
            return False

    with shell().started(changed(block, localkfp_port=f"--port {port}"), has_samples):
        pass


@pytest.mark.slow
@executes("docs/localkfp.md: .venv/bin/kfp --endpoint http://127.0.0.1:8888 run list")
def test_kfp_command_lists_runs(block, shell, served):
    assert "tip-prediction" in shell().run(changed(block, localkfp=served.kubeflow_url))


@pytest.mark.slow
@executes("docs/localkfp.md: import kfp")
def test_client_starts_a_run_of_a_function(block, shell, served):
    made = shell()
    # kfp reads a component's source from a file.
    (made.folder / "squares.py").write_text(changed(block, localkfp=served.kubeflow_url))
    assert "runs/details" in made.run(".venv/bin/python squares.py")


@pytest.mark.django_db
@executes("docs/gateway.md: from apps.runs.entities import State")
def test_gateway_reads_a_run_and_an_artifact(block, settings, django_user_model):
    person = django_user_model.objects.create_superuser("ada")
    with serve(with_finished_run(Kubeflow())) as served:
        settings.KFP_HOST = served.url
        names = {"caller": caller(person, request=RequestFactory().get("/"))}
        exec(block.replace('text="taxi"', 'text=""'), names)
    assert [run.id for run in names["page"].items] == ["r1"]
    assert names["details"].steps
    assert names["head"]
