"""Download from a store directly: ranges, folders, their files, and file names."""

import io
import tarfile

import pytest

from tests.runs.s3 import BODY, SECRET


def test_download_supports_ranges_if_the_store_does(client, kubeflow, s3, configure):
    configure(
        {"prefix": "minio://mlpipeline/", "endpoint_url": s3, "key": "k", "secret": SECRET, "region": "us-east-1"}
    )
    kubeflow.add_artifact(90, 4, "bin", "system.Artifact", "minio://mlpipeline/one/data.bin")
    url = "/runs/r1/steps/evaluate/artifacts/90/download"
    part = client.get(url, headers={"Range": "bytes=5-9"})
    assert part.status_code == 206
    assert b"".join(part.streaming_content) == BODY[5:10]
    assert (part["Content-Range"], part["Content-Length"]) == (f"bytes 5-9/{len(BODY)}", "5")
    rest = client.get(url, headers={"Range": f"bytes={len(BODY) - 2}-"})
    assert b"".join(rest.streaming_content) == BODY[-2:]
    assert client.get(url, headers={"Range": f"bytes={len(BODY)}-"}).status_code == 416
    for ignored in ("bytes=9-5", "bytes=0-1,4-5", "bytes=-5", "lines=1-2"):
        whole_answer = client.get(url, headers={"Range": ignored})
        assert (whole_answer.status_code, whole_answer["Accept-Ranges"]) == (200, "bytes")
    head = client.head(url)
    assert (head.status_code, head["Content-Length"], list(head.streaming_content)) == (200, str(len(BODY)), [])


def test_download_from_the_endpoint_ignores_ranges(client, kubeflow):
    url = "/runs/r1/steps/read-data/artifacts/1/download"
    answer = client.get(url, headers={"Range": "bytes=0-3"})
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content).startswith(b"total_bill")


@pytest.mark.parametrize("is_direct", [True, False])
def test_files_of_a_folder_are_listed_opened_and_downloaded(client, kubeflow, s3, configure, is_direct):
    if is_direct:
        configure(
            {"prefix": "minio://mlpipeline/", "endpoint_url": s3, "key": "k", "secret": SECRET, "region": "us-east-1"}
        )
    else:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for name, body in {"a.csv": b"a,b\n1,2\n", "deep/b.txt": b"text"}.items():
                member = tarfile.TarInfo(name)
                member.size = len(body)
                archive.addfile(member, io.BytesIO(body))
        kubeflow.objects |= {
            "mlpipeline/folder": packed.getvalue(),
            "mlpipeline/folder/a.csv": b"a,b\n1,2\n",
            "mlpipeline/folder/deep/b.txt": b"text",
        }
    kubeflow.add_artifact(91, 4, "dir", "system.Artifact", "minio://mlpipeline/folder")
    base = "/runs/r1/steps/evaluate/artifacts/91/"
    page = client.get(f"{base}files").content.decode()
    assert f"{base}preview?path=deep/b.txt" in page
    assert "a.csv" in page
    assert "<td>2</td>" in client.get(f"{base}preview?path=a.csv").content.decode()
    saved = client.get(f"{base}download?path=deep/b.txt")
    assert b"".join(saved.streaming_content) == b"text"
    assert "b.txt" in saved["Content-Disposition"]
    for path in ("../x", "a/../../x", "/etc/passwd", "a//b", "x\\y", "%2e%2e/x"):
        assert client.get(f"{base}download", {"path": path}).status_code in {404, 502}, path


def test_file_unpacked_by_the_endpoint_loses_its_archive_extension(client, kubeflow):
    kubeflow.objects["mlpipeline/one.tgz"] = b"hello"
    kubeflow.add_artifact(92, 4, "one", "system.Artifact", "minio://mlpipeline/one.tgz")
    saved = client.get("/runs/r1/steps/evaluate/artifacts/92/download")
    assert b"".join(saved.streaming_content) == b"hello"
    assert 'filename="one"' in saved["Content-Disposition"]
