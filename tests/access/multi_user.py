"""A stand-in for a multi-user Kubeflow: a header names the user, who sees only their own namespaces."""

import io
import json
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from tests.runs import kubeflow_server
from tests.runs.kubeflow import Kubeflow, run_row, with_finished_run

NAMESPACES = ("team-a", "team-b")


def namespaced(kubeflow):
    """Gives each namespace an experiment, a run, a recurring run and the artifacts of the run."""
    kubeflow.rights = {}
    kubeflow.runs, kubeflow.experiments, kubeflow.recurring = [], [], []
    for namespace in NAMESPACES:
        own = {"experiment_id": f"e-{namespace}"}
        kubeflow.experiments.append({**own, "display_name": namespace, "namespace": namespace})
        kubeflow.runs.append(run_row(f"r-{namespace}", **own))
        kubeflow.recurring.append(
            {"recurring_run_id": f"s-{namespace}", "display_name": f"nightly {namespace}", "status": "ENABLED", **own}
        )
    page = {"outputs": [{"type": "web-app", "storage": "inline", "source": "<h1>a page</h1>"}]}
    kubeflow.add_artifact(20, 2, "mlpipeline-ui-metadata", "system.Artifact", "minio://mlpipeline/viewers")
    kubeflow.add_artifact(21, 2, "clip", "system.Artifact", "minio://mlpipeline/clip")
    kubeflow.objects["mlpipeline/clip"] = b"fLaC...."
    kubeflow.objects["mlpipeline/viewers"] = json.dumps(page).encode()
    return kubeflow


class _Handler(kubeflow_server.Handler):
    def _answer(self):
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        person = self.headers.get("kubeflow-userid", "")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.command == "POST" and parts.path.endswith("/runs"):
            query["namespace"] = json.loads(body)["experiment_id"].removeprefix("e-")
        if self._is_open(parts.path) or self._namespace(parts.path, query) in self.kubeflow.rights.get(person, ()):
            connection, self.rfile = self.rfile, io.BytesIO(body)
            super()._answer()
            self.rfile = connection
            return
        self.kubeflow.requests.append((self.command, parts.path))
        self._json({"code": 7, "message": "not yours", "details": [{"message": "not yours"}]}, status=403)

    def _chosen(self, query):
        return [row for row in super()._chosen(query) if row["experiment_id"] == f"e-{query.get('namespace')}"]

    def _list(self, path, query):
        """Lists only the objects of the requested namespace."""
        before = {name: getattr(self.kubeflow, name) for name in ("recurring", "experiments")}
        own = f"e-{query.get('namespace')}"
        for name, rows in before.items():
            setattr(self.kubeflow, name, [row for row in rows if row["experiment_id"] == own])
        try:
            super()._list(path, query)
        finally:
            for name, rows in before.items():
                setattr(self.kubeflow, name, rows)

    def _is_open(self, path):
        """Whether a path needs no permission: pipelines are shared, and ML Metadata does not know users."""
        return path.startswith("/ml_metadata") or "/pipelines" in path or path.endswith("/healthz")

    def _namespace(self, path, query):
        """Returns the namespace of the requested object, or for lists the one in the query."""
        name = path.removeprefix("/apis/v2beta1/").partition(":")[0]
        for namespace in NAMESPACES:
            if name.rpartition("/")[2] in {f"r-{namespace}", f"e-{namespace}", f"s-{namespace}"}:
                return namespace
        return query.get("namespace") or query.get("podnamespace")


@contextmanager
def serve():
    """Serves the stand-in until the block ends. `rights` maps an email address to readable namespaces."""
    kubeflow = namespaced(with_finished_run(Kubeflow()))
    with kubeflow_server.serve(kubeflow, _Handler) as served:
        yield served
