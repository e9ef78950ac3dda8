"""Pipelines, their versions, and uploads."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile

import pytest

from tests.kubeflow_contract.asking import SPEC, all_pages, names, predicates, refusal

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
MISSING = "00000000-0000-4000-8000-000000000000"
TEXT = json.dumps(SPEC).encode()


def _zip():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("pipeline.yaml", TEXT)
    return file.getvalue()


def _tar():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("pipeline.yaml")
        member.size = len(TEXT)
        archive.addfile(member, io.BytesIO(TEXT))
    return gzip.compress(file.getvalue(), mtime=0)


@pytest.mark.parametrize(
    ("file", "content"), [("p.yaml", TEXT), ("p.json", TEXT), ("p.zip", _zip()), ("p.tar.gz", _tar())], ids=lambda x: x
    if isinstance(x, str) else "",
)  # fmt: skip
def test_a_pipeline_is_uploaded_in_each_form(server, file, content):
    name = server.fresh("form")
    made = server.good(server.send(file, content, name=name))
    (version,) = server.get(f"pipelines/{made['pipeline_id']}/versions")["pipeline_versions"]
    assert version["pipeline_spec"]["pipelineInfo"] == {"name": "contract"}


def test_a_pipeline_is_uploaded_read_and_deleted(server):
    name = server.fresh("pipeline")
    made = server.upload(name, description="words")
    path = f"pipelines/{made['pipeline_id']}"
    read = server.get(path)
    assert {key: read[key] for key in ("name", "display_name", "description")} == {
        "name": name, "display_name": name, "description": "words",
    }  # fmt: skip
    assert "tags" not in read
    assert server.get(f"pipelines/names/{name}")["pipeline_id"] == made["pipeline_id"]
    (version,) = server.get(f"{path}/versions")["pipeline_versions"]
    assert version["display_name"] == name
    version_path = f"{path}/versions/{version['pipeline_version_id']}"
    assert server.get(version_path)["pipeline_spec"]["pipelineInfo"] == {"name": "contract"}
    assert refusal(server.ask("DELETE", path))[0] == 400
    assert server.good(server.ask("DELETE", version_path)) == {}
    assert refusal(server.ask("GET", version_path)) == (404, 5)
    assert server.get(f"{path}/versions") == {}
    assert server.good(server.ask("DELETE", path)) == {}
    assert refusal(server.ask("GET", path)) == (404, 5)


def test_a_pipeline_is_deleted_with_its_versions(server):
    made = server.upload(server.fresh("whole"))
    path = f"pipelines/{made['pipeline_id']}"
    assert server.good(server.ask("DELETE", path, cascade="true")) == {}
    assert refusal(server.ask("GET", path)) == (404, 5)


def test_a_pipeline_has_a_name_and_a_display_name(server):
    name, shown = server.fresh("named"), server.fresh("Shown")
    made = server.upload(name, display_name=shown)
    assert (made["name"], made["display_name"]) == (name, shown)
    assert names(server.get("pipelines", filter=predicates(_equals("display_name", shown))), "pipelines") == [shown]
    assert server.get(f"pipelines/names/{name}")["display_name"] == shown


def test_an_upload_without_a_name_is_named_after_its_file(server):
    stem = server.fresh("file")
    made = server.good(server.send(f"{stem}.yaml", TEXT))
    assert made["display_name"] in {stem, f"{stem}.yaml"}


def test_a_pipeline_is_renamed_and_tagged(server):
    made = server.upload(server.fresh("tagged"))
    path = f"pipelines/{made['pipeline_id']}"
    shown = server.fresh("Other")
    answer = server.ask("PATCH", path, {"display_name": shown, "tags": {"team": "red"}})
    if answer.status_code in {404, 405, 501}:
        pytest.skip("this server does not change pipelines")
    assert answer.json()["display_name"] == shown
    read = server.get(path)
    assert (read["display_name"], read["tags"]) == (shown, {"team": "red"})
    (version,) = server.get(f"{path}/versions")["pipeline_versions"]
    version_path = f"{path}/versions/{version['pipeline_version_id']}"
    server.good(server.ask("PATCH", version_path, {"display_name": shown, "tags": {"stage": "test"}}))
    assert server.get(version_path)["tags"] == {"stage": "test"}


def test_versions_are_added_listed_and_paged(server):
    name = server.fresh("versions")
    pipeline = server.upload(name)["pipeline_id"]
    for number in (2, 3):
        server.upload(f"{name}-v{number}", "pipelines/upload_version", pipelineid=pipeline)
    listed = server.get(f"pipelines/{pipeline}/versions", sort_by="created_at desc", page_size=2)
    assert (len(listed["pipeline_versions"]), listed["total_size"]) == (2, 3)
    query = {"sort_by": "created_at desc", "page_size": 2, "page_token": listed["next_page_token"]}
    rest = server.get(f"pipelines/{pipeline}/versions", **query)
    found = [*names(listed, "pipeline_versions"), *names(rest, "pipeline_versions")]
    assert sorted(found) == sorted([name, f"{name}-v2", f"{name}-v3"])
    assert "next_page_token" not in rest


@pytest.mark.parametrize("sort", ["id", "pipeline_version_id", "name", "display_name", "created_at"])
def test_versions_are_sorted(server, sort):
    name = server.fresh("sorted")
    pipeline = server.upload(name)["pipeline_id"]
    server.upload(f"{name}-v2", "pipelines/upload_version", pipelineid=pipeline)
    path = f"pipelines/{pipeline}/versions"
    found = all_pages(server, path, key="pipeline_versions", sort_by=f"{sort} desc", page_size=1)
    assert sorted(row["display_name"] for row in found) == [name, f"{name}-v2"]
    if sort.endswith("name"):
        assert found[0]["display_name"] == f"{name}-v2"


def test_versions_are_filtered(server):
    name = server.fresh("filtered")
    pipeline = server.upload(name)["pipeline_id"]
    made = server.upload(f"{name}-v2", "pipelines/upload_version", pipelineid=pipeline)
    for key, value in (
        ("display_name", f"{name}-v2"), ("name", f"{name}-v2"), ("pipeline_version_id", made["pipeline_version_id"]),
    ):  # fmt: skip
        found = server.get(f"pipelines/{pipeline}/versions", filter=predicates(_equals(key, value)))
        assert names(found, "pipeline_versions") == [f"{name}-v2"], key


@pytest.fixture(scope="module")
def listed(server, request):
    """Uploads three pipelines, oldest first."""
    server.begin(f"{request.node.path.stem}::listed")
    prefix = server.fresh("listed")
    return prefix, [server.upload(f"{prefix}-{letter}") for letter in "abc"]


def _equals(key, value):
    return {"operation": "EQUALS", "key": key, "string_value": value}


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", "{prefix}-b"), ("display_name", "{prefix}-b"), ("id", "{b}"), ("pipeline_id", "{b}")],
    ids=["name", "display_name", "id", "pipeline_id"],
)
def test_pipelines_are_filtered(server, listed, key, value):
    prefix, made = listed
    filled = value.replace("{prefix}", prefix).replace("{b}", made[1]["pipeline_id"])
    assert names(server.get("pipelines", filter=predicates(_equals(key, filled))), "pipelines") == [f"{prefix}-b"]


@pytest.mark.parametrize("sort", ["id", "pipeline_id", "name", "display_name", "created_at"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_pipelines_are_sorted_and_paged_without_loss(server, listed, sort, direction):
    prefix, made = listed
    own = {"operation": "IS_SUBSTRING", "key": "display_name", "string_value": prefix}
    found = all_pages(server, "pipelines", filter=predicates(own), sort_by=f"{sort} {direction}", page_size=2)
    assert sorted(row["pipeline_id"] for row in found) == sorted(row["pipeline_id"] for row in made)
    if sort.endswith("name"):
        assert [row["display_name"][-1] for row in found] == list("abc" if direction == "asc" else "cba")


@pytest.mark.parametrize(
    "query",
    [
        {"sort_by": "nonsense"},
        {"page_token": "nonsense"},
        {"page_size": -1},
        {"filter": predicates(_equals("nonsense", "x"))},
    ],
    ids=str,
)
def test_a_wrong_question_is_refused(server, query):
    assert refusal(server.ask("GET", "pipelines", **query)) == (400, 3)


@pytest.mark.parametrize("path", [MISSING, f"{MISSING}/versions/{MISSING}", f"names/{MISSING}"], ids=str)
def test_a_pipeline_that_is_not_there_is_not_found(server, path):
    assert refusal(server.ask("GET", f"pipelines/{path}")) == (404, 5)


@pytest.mark.parametrize("path", [MISSING, f"{MISSING}/versions/{MISSING}"], ids=str)
def test_deleting_a_pipeline_that_is_not_there_is_not_found(server, path):
    assert refusal(server.ask("DELETE", f"pipelines/{path}")) == (404, 5)


def _upload_refusal(answer):
    # Uploads are not gRPC calls, and their errors have another form.
    assert answer.json().keys() == {"error_message", "error_details"}
    return answer.status_code


def test_a_pipeline_of_the_same_name_is_refused(server):
    name = server.fresh("same")
    server.upload(name)
    assert _upload_refusal(server.send("p.yaml", TEXT, name=name)) == 409


def test_a_version_of_the_same_name_is_refused(server):
    name = server.fresh("same")
    pipeline = server.upload(name)["pipeline_id"]
    answer = server.send("p.yaml", TEXT, "pipelines/upload_version", name=name, pipelineid=pipeline)
    assert _upload_refusal(answer) == 409


@pytest.mark.parametrize(
    ("file", "content"),
    [("p.yaml", b"no: pipeline\n"), ("p.zip", b"no archive"), ("p.yaml", b"")],
    ids=["not a pipeline", "not an archive", "empty"],
)
def test_an_upload_that_is_no_pipeline_is_refused(server, file, content):
    assert _upload_refusal(server.send(file, content, name=server.fresh("wrong"))) in {400, 500}


@pytest.mark.parametrize("query", [{}, {"pipelineid": MISSING}], ids=["none", "unknown"])
def test_a_version_of_no_pipeline_is_refused(server, query):
    answer = server.send("p.yaml", TEXT, "pipelines/upload_version", name=server.fresh("v"), **query)
    assert _upload_refusal(answer) in {400, 404, 500}
