"""Replays Kubeflow's own vulnerabilities with artifacts and namespaces: attacks are blocked, legitimate use works.

The numbers are issues and pull requests of github.com/kubeflow/pipelines. `asked_for_bytes` returns the portal's
requests to Kubeflow for objects and logs: an attack must not cause any.
"""

import io
import json
import tarfile
from urllib.parse import quote

import pytest

from apps.accounts.models import AuditEntry
from apps.visualizations.models import Visualization

pytestmark = pytest.mark.django_db
ROOT = "minio://mlpipeline"
FRAME = {"Sec-Fetch-Dest": "iframe"}
# Link-local and loopback addresses, in spellings that URL parsers disagree about.
INTERNAL = (
    "http://169.254.169.254/latest/meta-data/",
    "http://[::ffff:169.254.169.254]/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://127.0.0.1:8888/",
    "http://localhost/",
    "http://metadata.google.internal/",
    "https://user@169.254.169.254/",
)


@pytest.fixture
def alice(clients):
    """Alice has only namespace team-b."""
    return clients["member_b"]


@pytest.fixture
def bob(clients):
    """Bob has namespace team-a, whose data Alice wants."""
    return clients["member_a"]


def asked_for_bytes(world):
    return [path for _, path in world.kubeflow.requests if path in {"/artifacts/get", "/k8s/pod/logs"}]


def artifact_addresses(run_id):
    step = f"/runs/{run_id}/steps/read-data/"
    ways = ("preview", "files", "download", "frame", "viewers")
    return [*(f"{step}artifacts/1/{way}" for way in ways), f"{step}log", f"{step}visualizations/", f"{step}?tab=logs"]


def body(response):
    return b"".join(response.streaming_content) if response.streaming else response.content


def create(client, run_id, **more):
    asked = {"run_id": run_id, "step_id": "read-data", "type": "table", "force": True, **more}
    return client.post("/api/v1/visualizations", json.dumps(asked), content_type="application/json")


def kubeflows_call(client, namespace, **more):
    path = f"/apis/v2beta1/visualizations/{namespace}"
    return client.post(path, json.dumps({"type": "TABLE", **more}), content_type="application/json")


@pytest.mark.parametrize("query", ["", "namespace=", "namespace=team-b", "namespace=team-b&namespace=team-a"])
def test_9889_omitting_the_namespace_gives_no_access(query, world, alice, bob):
    """Kubeflow's UI server checked only a namespace given in the query; without one, anyone who knew an
    artifact's address could read it. The portal looks an artifact up in its run, whose own namespace decides.
    """
    for path in artifact_addresses("r-team-a"):
        address = f"{path}{'&' if '?' in path else '?'}{query}"
        assert alice.get(address, headers=FRAME).status_code == 404, address
    assert asked_for_bytes(world) == []
    for path in artifact_addresses("r-team-a")[:3]:
        own = query.replace("team-b", "team-a")
        assert bob.get(f"{path}?{own}", headers=FRAME).status_code == 200, path


@pytest.mark.parametrize(
    "namespace",
    [
        "attacker.example",
        "team-a.attacker.example",
        "team-a@attacker.example",
        "team-a/../x",
        "../../etc",
        "a" * 64,
        "Team-A",
    ],
)
def test_13076_namespace_never_becomes_part_of_a_host(namespace, world, alice, bob, settings):
    """CVE-2023-6570: the namespace of the query became part of a host name. In the portal it must be one of
    those that the endpoint offers, or a valid Kubernetes name if it offers any, and is used in queries only.
    """
    configured = json.loads(settings.VIZPORTAL_ENDPOINTS)
    for offered in (["team-a", "team-b"], ["*"]):
        settings.VIZPORTAL_ENDPOINTS = json.dumps([{**configured[0], "namespaces": offered}])
        world.kubeflow.requests.clear()
        for path in ("/runs/", "/runs/r-team-b/", "/api/v1/runs", "/pipelines/"):
            assert alice.get(f"{path}?namespace={quote(namespace)}").status_code in {403, 404}, path
        assert kubeflows_call(alice, quote(namespace, safe="")).status_code == 404
        assert world.kubeflow.requests == []
        assert bob.get("/runs/?namespace=team-a").status_code == 200


@pytest.mark.parametrize("address", INTERNAL)
def test_12750_user_supplied_urls_are_not_fetched(address, world, alice, settings):
    """ADA-KUBEFL-01: pipelines could be created from any URL, which the API server fetched. In the portal a
    pipeline is uploaded as a file, and a source is an artifact of the run or allowed by VIZPORTAL_SOURCE_ALLOW.
    """
    settings.VIZPORTAL_SOURCE_ALLOW = ["https://files.example/"]
    for name in ("url", "pipeline_url", "file"):
        sent = alice.post("/pipelines/upload", {"name": "x", "description": "", name: address})
        assert sent.status_code == 422, name
    refused = create(alice, "r-team-b", source=address)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "source_refused")
    assert kubeflows_call(alice, "team-b", source=address).status_code == 400
    assert world.kubeflow.posted == []
    file = io.BytesIO(b'{"pipelineInfo": {"name": "x"}, "root": {"dag": {"tasks": {}}}, "schemaVersion": "2.1.0"}')
    file.name = "pipeline.json"
    assert alice.post("/pipelines/upload", {"name": "x", "description": "", "file": file}).status_code == 302
    assert "pipelineInfo" in world.kubeflow.posted[0]["body"]
    assert AuditEntry.objects.filter(action="pipeline.upload", outcome="done").count() == 1


def test_12860_server_never_substitutes_its_own_namespace_or_credential(world, alice, clients):
    """Without a namespace, Kubeflow's server used its own namespace and credential. In the portal it is the
    endpoint's first namespace and the person's own name, and Kubeflow refuses those who may not read it.
    """
    for client in (alice, clients["administrator"]):
        assert client.get("/api/v1/runs").status_code == 404
        assert client.get("/runs/").status_code == 403
        assert client.get("/experiments/").status_code == 403
        assert kubeflows_call(client, "", source="x").status_code == 404
    told = {head.get("kubeflow-userid") for head in world.kubeflow.headers}
    assert told <= {"member_b@example.org", "administrator@example.org"}
    assert [run["id"] for run in alice.get("/api/v1/runs?namespace=team-b").json()["items"]] == ["r-team-b"]
    assert alice.get("/runs/?namespace=team-b").status_code == 200


def test_13433_own_namespace_gives_no_access_to_others_objects(world, alice):
    """An insecure direct object reference: the query had one's own namespace, but another's object key. In the portal
    an object is identified by the step that wrote it, and a path within it cannot leave it.
    """
    secret = f"{ROOT}/private-artifacts/team-a/secret.csv"
    world.kubeflow.objects["mlpipeline/private-artifacts/team-a/secret.csv"] = b"the secret\n"
    step = "/runs/r-team-b/steps/read-data/artifacts"
    inside = (
        "../../../../private-artifacts/team-a/secret.csv",
        "/private-artifacts/team-a/secret.csv",
        "..\\x",
        "a/../b",
    )
    for path in inside:
        for way in ("preview", "download", "frame"):
            assert alice.get(f"{step}/1/{way}", {"path": path}, headers=FRAME).status_code == 404, path
    for artifact_id in ("99", quote(secret, safe=""), "2"):
        assert alice.get(f"{step}/{artifact_id}/download").status_code == 404
    for source in (secret, secret.replace("team-a", "%74eam-a"), secret.replace("minio", "s3")):
        assert create(alice, "r-team-b", source=source).status_code == 400
        assert kubeflows_call(alice, "team-b", source=source).status_code == 400
    assert asked_for_bytes(world) == []
    assert body(alice.get(f"{step}/1/download")).startswith(b"total_bill")
    assert create(alice, "r-team-b", artifact="data").status_code == 202


def test_13511_portal_does_not_proxy_to_other_servers(world, alice, clients):
    """Kubeflow's UI proxies TensorBoard and other servers in the cluster, and the request could choose the target.
    The portal proxies nothing: TensorBoard is only a link, and Kubeflow's own paths do not exist.
    """
    for target in INTERNAL[:5]:
        world.kubeflow.objects["mlpipeline/viewers"] = json.dumps(
            {
                "outputs": [
                    {"type": "tensorboard", "source": target},
                    {"type": "web-app", "storage": "gcs", "source": target},
                ]
            }
        ).encode()
        page = alice.get("/runs/r-team-b/steps/read-data/artifacts/20/viewers")
        assert page.status_code == 200
        # The page may link to the target, but must not load it.
        assert f'src="{target}' not in page.content.decode()
        app = alice.get("/runs/r-team-b/steps/read-data/artifacts/20/viewers/1/app", headers=FRAME)
        assert app.status_code in {404, 502}
    proxied = (
        "/apps/tensorboard?logdir=s3://x&podtemplatespec={}",
        "/apps/tensorboard_proxy",
        "/data/plugin/scalars/tags",
        "/_proxy/http://169.254.169.254/",
        "/k8s/pod/logs?podname=pod-2&podnamespace=team-a",
        "/artifacts/get?source=minio&bucket=mlpipeline&key=x&namespace=team-b",
        "/apis/v2beta1/runs",
        "/ml_metadata.MetadataStoreService/GetArtifacts",
    )
    for path in proxied:
        for client in (alice, clients["superuser"]):
            assert client.get(path).status_code == 404, path
    world.kubeflow.objects["mlpipeline/viewers"] = json.dumps(
        {"outputs": [{"type": "web-app", "storage": "inline", "source": "<h1>mine</h1>"}]}
    ).encode()
    app = alice.get("/runs/r-team-b/steps/read-data/artifacts/20/viewers/0/app", headers=FRAME)
    assert (app.status_code, app.content) == (200, b"<h1>mine</h1>")


def test_13554_symbolic_links_in_artifacts_are_not_followed(world, alice, settings, tmp_path):
    """Embedded artifacts were archived with their symbolic links, which could point to any file. In the portal an
    archive's links are listed but never followed, and a file store opens no links; regular files are served.
    """
    (tmp_path / "secret").write_text("the secret")
    store = tmp_path / "store"
    store.mkdir()
    (store / "plain.txt").write_text("a plain file")
    (store / "link.txt").symlink_to(tmp_path / "secret")
    (store / "folder").symlink_to(tmp_path)
    settings.VIZPORTAL_OBJECT_STORES = json.dumps([{"prefix": "file:///artifacts", "root": str(store)}])
    uris = {30: "plain.txt", 31: "link.txt", 32: "folder/secret"}
    for number, name in uris.items():
        world.kubeflow.add_artifact(number, 2, f"file{number}", "system.Artifact", f"file:///artifacts/{name}")
    world.kubeflow.add_artifact(33, 2, "bundle", "system.Artifact", f"{ROOT}/bundle.tar.gz")
    world.kubeflow.objects["mlpipeline/bundle.tar.gz"] = archive(
        ("plain.txt", b"a plain file"), links=("secret", "/etc/passwd")
    )
    step = "/runs/r-team-b/steps/read-data/artifacts"
    assert body(alice.get(f"{step}/30/download")) == b"a plain file"
    for number in (31, 32):
        for way in ("download", "preview"):
            answer = alice.get(f"{step}/{number}/{way}")
            assert answer.status_code == 404, (number, way)
    page = alice.get(f"{step}/33/preview")
    assert (page.status_code, "plain.txt" in page.content.decode()) == (200, True)
    assert "root:" not in page.content.decode()


def archive(*files, links):
    kept = io.BytesIO()
    with tarfile.open(fileobj=kept, mode="w:gz") as tar:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        for target in links:
            entry = tarfile.TarInfo(f"link-{target.replace('/', '-')}")
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    return kept.getvalue()


def test_13683_key_that_only_resembles_own_prefix_is_refused(world, alice):
    """Ownership by prefix: `private-artifacts/<own>/../<other>/x` has one's own prefix and another's object. In the
    portal a prefix proves nothing; it reads only exact addresses from the run's lineage.
    """
    world.kubeflow.objects["mlpipeline/private-artifacts/team-a/x"] = b"the secret\n"
    keys = (
        "private-artifacts/team-b/../team-a/x",
        "private-artifacts/team-b/%2e%2e/team-a/x",
        "private-artifacts/team-b/..%2fteam-a/x",
        "private-artifacts/team-b//../team-a/x",
        "private-artifacts/team-b/./../team-a/x",
        "private-artifacts/team-a/x?prefix=private-artifacts/team-b/",
        "private-artifacts/team-b/\\..\\team-a\\x",
    )
    for key in keys:
        refused = create(alice, "r-team-b", source=f"{ROOT}/{key}")
        assert refused.status_code == 400, key
        assert kubeflows_call(alice, "team-b", source=f"{ROOT}/{key}").status_code == 400, key
    assert asked_for_bytes(world) == []
    assert not Visualization.objects.filter(source_uri__contains="team-a/x").exists()


@pytest.mark.parametrize(
    "key",
    [
        "v2/artifacts/tips/r/x/data.csv",  # without a namespace, as with a custom pipeline root
        "private-artifacts/team-b/r/data.csv",
        "private-artifacts/team-b/a name with spaces.csv",
        "private-artifacts/team-b/percent%20escaped.csv",
        "private-artifacts/team-b/Zürich & Söhne+1.csv",
        "artifacts/workflow-x/2026/07/08/workflow-x-1234/main-log.csv",  # KFP 1.x, possibly unknown to ML Metadata
        "team-a/shared/data.csv",  # another namespace's name in the key of one's own run is allowed
    ],
)
@pytest.mark.parametrize("bucket", ["mlpipeline", "team-b-bucket"])
def test_13683_artifacts_of_own_run_are_always_served(key, bucket, world, alice):
    """The fix of #13433 refused keys without a prefix and custom buckets: nearly all of KFP 1.x. In the portal the
    run's namespace decides, so its artifacts are served wherever they are and whatever their names.
    """
    world.kubeflow.add_artifact(40, 2, "own", "system.Dataset", f"minio://{bucket}/{key}")
    world.kubeflow.objects[f"{bucket}/{key}"] = b"a,b\n1,2\n"
    step = "/runs/r-team-b/steps/read-data/artifacts/40"
    assert body(alice.get(f"{step}/download")) == b"a,b\n1,2\n"
    assert alice.get(f"{step}/preview").status_code == 200
    assert create(alice, "r-team-b", artifact="own").status_code == 202
    assert create(alice, "r-team-b", source=f"minio://{bucket}/{key}").status_code == 202
