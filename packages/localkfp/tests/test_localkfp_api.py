"""REST responses that kfp.Client and the portal rely on."""

import io
import tarfile
import zipfile

import pytest
import yaml

from packages.localkfp.tests.conftest import assert_error, assert_upload_error, names, predicates, spec


@pytest.mark.parametrize("prefix", ["", "/pipeline"])
def test_healthz_says_single_user_under_both_prefixes(server, prefix):
    answer = server.call("GET", f"{prefix}/apis/v2beta1/healthz")
    assert answer.json()["multi_user"] is False


def test_a_default_experiment_exists(server):
    assert names(server.get("/experiments"), "experiments") == ["Default"]


def test_experiment_name_is_unique(server):
    made = server.post("/experiments", {"display_name": "e", "description": "d"}).json()
    assert server.get(f"/experiments/{made['experiment_id']}").json() == made
    assert made["storage_state"] == "AVAILABLE"
    assert_error(server.post("/experiments", {"display_name": "e"}), 409, "already exists")
    assert_error(server.post("/experiments", {}), 400, "display_name")


def test_experiment_is_found_with_kfp_clients_filter(server):
    server.post("/experiments", {"display_name": "e"})
    # kfp.Client sends the operation as a number and the value's key in camel case.
    wanted = predicates({"operation": 1, "key": "display_name", "stringValue": "e"})
    assert names(server.get("/experiments", filter=wanted), "experiments") == ["e"]


def test_experiment_except_the_default_can_be_archived_and_deleted(server):
    made = server.post("/experiments", {"display_name": "e"}).json()["experiment_id"]
    server.post(f"/experiments/{made}:archive")
    assert server.get(f"/experiments/{made}").json()["storage_state"] == "ARCHIVED"
    assert server.delete(f"/experiments/{made}").status_code == 200
    assert_error(server.get(f"/experiments/{made}"), 404, "not found")
    default = server.get("/experiments").json()["experiments"][0]["experiment_id"]
    assert_error(server.delete(f"/experiments/{default}"), 409, "default")


def test_an_uploaded_pipeline_has_a_version_with_its_spec(server):
    made = server.upload(name="mine", description="text").json()
    versions = server.get(f"/pipelines/{made['pipeline_id']}/versions").json()["pipeline_versions"]
    assert [item["name"] for item in versions] == ["mine"]
    assert versions[0]["pipeline_spec"] == spec()
    assert server.get("/pipelines/names/mine").json() == server.get(f"/pipelines/{made['pipeline_id']}").json()
    assert_upload_error(server.upload(name="mine"), 409, "already exists")


def test_second_version_is_uploaded_and_versions_are_deleted(server):
    pipeline = server.upload(name="mine").json()["pipeline_id"]
    added = server.upload("/pipelines/upload_version", name="v2", pipelineid=pipeline).json()
    path = f"/pipelines/{pipeline}/versions"
    assert [item["name"] for item in server.get(path, sort_by="created_at desc").json()["pipeline_versions"]] == [
        "v2",
        "mine",
    ]
    assert server.get(f"{path}/{added['pipeline_version_id']}").json() == added
    assert_error(server.delete(f"/pipelines/{pipeline}"), 400, "2 version(s)")
    for item in server.get(path).json()["pipeline_versions"]:
        assert server.delete(f"{path}/{item['pipeline_version_id']}").status_code == 200
    assert server.delete(f"/pipelines/{pipeline}").status_code == 200
    assert_error(server.get(f"/pipelines/{pipeline}"), 404, "not found")
    gone = server.upload("/pipelines/upload_version", name="v", pipelineid=pipeline)
    assert_upload_error(gone, 400, "not found")


def zipped(text):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("pipeline.yaml", text)
    return buffer.getvalue()


def tarred(text):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo("pipeline.yaml")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.mark.parametrize("pack", [str, zipped, tarred])
def test_every_package_format_is_accepted(server, pack):
    assert server.upload(name="mine", content=pack(yaml.safe_dump(spec()))).status_code == 200


def test_package_with_platform_spec_keeps_both_documents(server):
    pipeline = server.upload(name="mine", content=yaml.safe_dump_all([spec(), {"platforms": {}}])).json()
    versions = server.get(f"/pipelines/{pipeline['pipeline_id']}/versions").json()["pipeline_versions"]
    assert versions[0]["pipeline_spec"] == {"pipeline_spec": spec(), "platform_spec": {"platforms": {}}}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("a: [", "not YAML"),
        ("", "no pipeline"),
        ("just text", "no pipeline"),
        ("a: 1", "not a compiled pipeline"),
        ("pipelineInfo: [1]\nroot: {}", "not a compiled pipeline"),
        ("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec: {}", "Argo workflow"),
        (b"PK\x03\x04 broken", "cannot be unpacked"),
        (b"\x1f\x8b broken", "cannot be unpacked"),
        (b"\xff\xfe\x00", "not YAML"),
    ],
)
def test_invalid_package_is_refused_with_a_reason(server, content, text):
    assert_upload_error(server.upload(name="mine", content=content), 400, text)


def test_upload_without_file_is_refused(server):
    answer = server.call("POST", "/apis/v2beta1/pipelines/upload", params={"name": "p"}, json={})
    assert_upload_error(answer, 400, "")


def test_oversized_body_is_refused(server):
    assert_error(server.upload(name="mine", content=b" " * (17 * 1024**2)), 413, "16 MB")


def test_pipeline_and_version_can_be_renamed_and_tagged(server):
    made = server.upload(name="mine").json()
    assert "tags" not in made
    path = f"/apis/v2beta1/pipelines/{made['pipeline_id']}"
    changed = server.call("PATCH", path, json={"display_name": "Mine", "tags": {"team": "ml"}}).json()
    assert (changed["display_name"], changed["tags"]) == ("Mine", {"team": "ml"})
    assert server.call("PATCH", path, json={"tags": {}}).json()["display_name"] == "Mine"
    version = server.get(f"/pipelines/{made['pipeline_id']}/versions").json()["pipeline_versions"][0]
    changed = server.call(
        "PATCH", f"{path}/versions/{version['pipeline_version_id']}", json={"display_name": "v1"}
    ).json()
    assert changed["display_name"] == "v1"
    for tags in ({"a": 1}, [], {"a" * 64: "x"}, {str(number): "x" for number in range(21)}):
        assert_error(server.call("PATCH", path, json={"tags": tags}), 400, "tags must be")
