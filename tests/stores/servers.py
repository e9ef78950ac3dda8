"""Starts and stops real servers of the object stores' protocols, each with the same objects."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.servers import free_port
from tests.waiting import wait_until

HERE = Path(__file__).parent
OBJECTS = {
    "data/one.csv": b"a,b\n1,2\n",
    "stats/Split-train/FeatureStats.pb": b"train",
    "stats/Split-eval/FeatureStats.pb": b"eval",
    "stats/Split-eval/other.txt": b"no",
    "stats/README": b"no",
    "many/day=Sun/part 1.csv": b"x\n1\n",
    "odd/a#1 %2.csv": b"y\n2\n",
}
BUCKET = "pipelines"
# Microsoft publishes this key with the emulator; it is valid nowhere else.
_AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@contextmanager
def s3_store(scheme: str) -> Iterator[dict[str, Any]]:
    """An S3 API; MinIO uses the same API with another scheme."""
    with s3_process() as url:
        client = s3_client(url)
        client.create_bucket(Bucket=BUCKET)
        for key, body in OBJECTS.items():
            client.put_object(Bucket=BUCKET, Key=key, Body=body)
        yield {"prefix": f"{scheme}://{BUCKET}/", "endpoint_url": url, "key": "k", "secret": "s", "region": "us-east-1"}


def s3_client(url: str) -> Any:
    """Returns a client for a started store."""
    import boto3

    return boto3.client(
        "s3", endpoint_url=url, aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1"
    )


@contextmanager
def s3_process(host: str = "127.0.0.1", prefix: Sequence[str] = ()) -> Iterator[str]:
    """Yields the URL of an empty S3 API in a separate process, started through the command `prefix` if given."""
    import urllib3

    url = f"http://{host}:{free_port()}"
    call = [*prefix, sys.executable, "-m", "moto.server", "-H", host, "-p", url.rpartition(":")[2]]
    process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def answers() -> bool:
        assert process.poll() is None
        try:
            return urllib3.request("GET", f"{url}/moto-api/", retries=False, timeout=2).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    try:
        wait_until(answers, 60, "the S3 API")
        yield url
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def google_store() -> Iterator[dict[str, Any]]:
    """Google Cloud Storage's emulator."""
    from gcp_storage_emulator.server import create_server

    server = create_server("127.0.0.1", 0, in_memory=True, default_bucket=BUCKET)
    server.start()
    try:
        port = server._api._httpd.server_port  # noqa: SLF001 (the only place that has its port)
        url = f"http://127.0.0.1:{port}"
        for key, body in OBJECTS.items():
            _put(f"{url}/upload/storage/v1/b/{BUCKET}/o", key, body)
        yield {"prefix": f"gs://{BUCKET}/", "endpoint_url": url, "is_anonymous": True}
    finally:
        server.stop()


def _put(url: str, key: str, body: bytes) -> None:
    import urllib3

    query = urlencode({"uploadType": "media", "name": key})
    done = urllib3.request("POST", f"{url}?{query}", body=body, headers={"Content-Type": "application/octet-stream"})
    assert done.status == 200, done.data


@contextmanager
def azure_store() -> Iterator[dict[str, Any]]:
    """Azure's own emulator, a Node.js program."""
    from azure.storage.blob import BlobServiceClient

    process = subprocess.Popen(
        [
            "node",
            str(_azurite()),
            *["--inMemoryPersistence", "--blobPort", "0", "--skipApiVersionCheck", "--disableTelemetry"],
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "successfully listens on" in line)
        url = re.search(r"http://[\d.:]+", line)[0]
        connection = (
            f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={_AZURE_KEY};"
            f"BlobEndpoint={url}/devstoreaccount1;"
        )
        with BlobServiceClient.from_connection_string(connection) as service:
            container = service.create_container(BUCKET)
            for key, body in OBJECTS.items():
                container.upload_blob(key, body)
        yield {"prefix": f"abfs://{BUCKET}/", "connection_string": connection}
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def _azurite() -> Path:
    program = HERE / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    if not program.exists():
        npm = shutil.which("npm")
        assert npm, "Azure's emulator needs Node.js and npm"
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(command, cwd=HERE, check=True, env={**os.environ, "NODE_ENV": "production"})
    return program


STORES = {
    "s3": lambda: s3_store("s3"),
    "minio": lambda: s3_store("minio"),
    "gs": google_store,
    "abfs": azure_store,
}
