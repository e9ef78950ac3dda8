"""A real S3 API with a bucket of a few objects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

BODY = bytes(range(256)) * 40
SECRET = "5ecret-5ecret"
_OBJECTS = {"one/data.bin": BODY, "folder/a.csv": b"a,b\n1,2\n", "folder/deep/b.txt": b"text"}


def s3_client(url: str) -> Any:
    """Returns a client that may read and write."""
    return boto3.client(
        "s3", endpoint_url=url, aws_access_key_id="k", aws_secret_access_key=SECRET, region_name="us-east-1"
    )


@contextmanager
def s3_server() -> Iterator[str]:
    """Serves the bucket `mlpipeline` and yields the address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        client = s3_client(url)
        client.create_bucket(Bucket="mlpipeline")
        for key, body in _OBJECTS.items():
            client.put_object(Bucket="mlpipeline", Key=key, Body=body)
        yield url
    finally:
        server.stop()
