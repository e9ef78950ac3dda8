"""The server returns artifact bytes and logs, and nothing outside its data directory."""

import io
import tarfile

import pytest
from localkfp import recorder
from localkfp.places import Places
from localkfp.recorder import Recorder

URI = "minio://mlpipeline/v2/artifacts/p/r/t/u/out.csv"


@pytest.fixture
def artifact(server):
    path = server.places.path_of(URI)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a,b\n1,2\n")
    return path


def get(server, key="v2/artifacts/p/r/t/u/out.csv", bucket="mlpipeline", source="minio", **query):
    query = {"source": source, "bucket": bucket, "key": key, **query}
    return server.call("GET", "/artifacts/get", params=query)


def test_uri_and_path_map_to_each_other(tmp_path):
    places = Places(root=tmp_path)
    path = places.path_of(URI)
    assert path == tmp_path / "artifacts" / "mlpipeline/v2/artifacts/p/r/t/u/out.csv"
    assert places.uri_of(str(path)) == URI
    for other in ("gs://b/k", "https://x/y", "minio://", "plain", "minio://../x", "minio://b/../../x"):
        assert places.path_of(other) is None


@pytest.mark.parametrize("source", ["minio", "s3"])
def test_file_or_its_first_bytes_are_sent(server, artifact, source):
    assert get(server, source=source).content == b"a,b\n1,2\n"
    assert get(server, source=source, peek=3).content == b"a,b"
    assert get(server, source=source, peek=9999).content == b"a,b\n1,2\n"


def test_folder_is_sent_as_tar_without_symlinks(server, artifact):
    (artifact.parent / "sub").mkdir()
    (artifact.parent / "sub" / "more.txt").write_text("more")
    (artifact.parent / "link").symlink_to("/etc/passwd")
    answer = get(server, "v2/artifacts/p/r/t/u")
    with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:gz") as archive:
        assert sorted(archive.getnames()) == ["out.csv", "sub", "sub/more.txt"]
        assert archive.extractfile("out.csv").read() == b"a,b\n1,2\n"
    assert "directory" in get(server, "v2/artifacts/p/r/t/u", peek=100).text


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        ("mlpipeline", "nothing/here"),
        ("nobody", "v2/artifacts/p/r/t/u/out.csv"),
        ("mlpipeline", "../localkfp.sqlite3"),
        ("mlpipeline", "../../localkfp.sqlite3"),
        ("..", "localkfp.sqlite3"),
        ("mlpipeline", "v2/./artifacts/p/r/t/u/out.csv"),
        ("mlpipeline", "//etc/passwd"),
        ("/etc", "passwd"),
        ("", "localkfp.sqlite3"),
        ("mlpipeline", ""),
        ("mlpipeline", "a\0b"),
        ("mlpipeline", "outside/passwd"),
        ("mlpipeline", "other-bucket"),
        ("mlpipeline", "loop"),
        ("a/b", "c"),
    ],
)
def test_missing_or_outside_path_returns_plain_text_404(server, artifact, bucket, key):
    root = server.places.artifacts / "mlpipeline"
    (root / "outside").symlink_to("/etc")
    (server.places.artifacts / "other").mkdir()
    (root / "other-bucket").symlink_to(server.places.artifacts / "other")
    (root / "loop").symlink_to(root / "loop")
    answer = get(server, key, bucket)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/plain")


def test_malformed_requests_get_the_same_response_as_from_kubeflow(server, artifact):
    assert get(server, "k" * 1025).status_code == 500
    assert get(server, source="gcs").status_code == 404
    assert get(server, peek="some").content == b"a,b\n1,2\n"


def test_log_can_be_read_while_the_step_runs(server):
    run_id = server.run()["run_id"]
    record = Recorder(store=server.store, run_id=run_id)
    record.start(recorder.CONTAINER, task_name="t", pod_name="p-1")

    def read(**query):
        return server.call("GET", "/k8s/pod/logs", params={"podname": "p-1", "runid": run_id, **query})

    assert (read().status_code, read().text) == (200, "")
    path = server.places.log(run_id, "p-1")
    path.parent.mkdir(parents=True)
    path.write_text("one\n")
    assert read().text == "one\n"
    path.write_text("one\ntwö\n")
    assert read(runid="").text == "one\ntwö\n"
    assert read(runid="another").status_code == 404
    assert read(podname="../../localkfp").status_code == 404
    assert read(podname="p-2").status_code == 404
