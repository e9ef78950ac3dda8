"""A run with an artifact of every preview kind."""

from __future__ import annotations

import gzip
import io
import json
import tarfile

from tests.runs.kubeflow import Kubeflow

ROOT = "minio://mlpipeline/kinds"


def tgz(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name.replace("__", "."))
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def pdf(text: str = "A PDF page") -> bytes:
    drawn = f"BT /F1 24 Tf 40 120 Td ({text}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj%s endobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(body)
    return body + b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        table,
        start,
    )


NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {},
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Title\n", "<script>alert(1)</script>"]},
        {
            "cell_type": "code",
            "execution_count": 3,
            "metadata": {},
            "source": "1 / 0",
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": ["\x1b[31mred\x1b[0m\n"]},
                {"output_type": "display_data", "data": {"image/png": "AAAA"}, "metadata": {}},
                {
                    "output_type": "error",
                    "ename": "ZeroDivisionError",
                    "evalue": "no",
                    "traceback": ["\x1b[1mTrace\x1b[0m"],
                },
            ],
        },
    ],
}
UI_METADATA = {
    "outputs": [
        {
            "type": "confusion_matrix",
            "format": "csv",
            "storage": "inline",
            "schema": [
                {"name": "target", "type": "CATEGORY"},
                {"name": "guess", "type": "CATEGORY"},
                {"name": "count"},
            ],
            "labels": ["cat", "dog"],
            "source": "cat,cat,8\ncat,dog,2\ndog,cat,1\ndog,dog,9\n",
        },
        {
            "type": "roc",
            "format": "csv",
            "schema": [{"name": "fpr"}, {"name": "tpr"}, {"name": "thresholds"}],
            "source": f"{ROOT}/roc.csv",
        },
        {"type": "table", "format": "csv", "storage": "inline", "header": ["a", "<b>"], "source": "1,x\n2,y\n"},
        {"type": "markdown", "storage": "inline", "source": "**bold** <script>x</script>"},
        {"type": "web-app", "storage": "inline", "source": "<h1>My app</h1><script>document.title='x'</script>"},
        {"type": "tensorboard", "source": "gs://bucket/logs"},
        {"type": "tensorboard", "source": "javascript:alert(1)"},
        {"type": "table", "format": "csv", "header": ["a"], "source": f"{ROOT}/not-there.csv"},
        {"type": "hologram", "source": "x"},
        "nonsense",
    ]
}
METRICS = {
    "metrics": [{"name": "accuracy", "numberValue": 0.925, "format": "PERCENTAGE"}, {"name": "loss", "numberValue": 3}]
}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000100000001008020000009091683600000017494441547801636460f8cf400a602245"
    "f1a8865100000043bd011f0f0e6c250000000049454e44ae426082"
)
FILES: dict[str, bytes] = {
    "table.csv": b'name,note,n\n"A, B","two\nlines",1\nshort\n' + "caf\u00e9,x,3,extra\n".encode(),
    "latin.csv": "stadt;plz\nK\u00f6ln;50667\n".encode("cp1252"),
    "tree.json": json.dumps({"a": [1, 2.5, None, True], "<b>": {"deep": {"er": "x" * 600}}}).encode(),
    "lines.jsonl": b'{"a": 1, "b": {"c": 2}}\n{"a": "<i>", "d": null}\n',
    "utf16.txt": "gr\u00fc\u00dfe aus dem Norden\n".encode("utf-16"),
    "book.ipynb": json.dumps(NOTEBOOK).encode(),
    "paper.pdf": pdf(),
    "picture.png": PNG,
    "page.html": b"<!doctype html><h1>A page</h1>",
    "text.md": b"# Head\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
    "model.pkl": b"\x80\x04\x95" + bytes(range(256)) * 2,
    "one.tgz": tgz(data__csv=b"a,b\n1,2\n"),
    "many.tgz": tgz(a__txt=b"x", b__txt=b"yy"),
    "log.txt.gz": gzip.compress(b"packed words\n"),
    "empty.bin": b"",
    "mlpipeline-ui-metadata": tgz(mlpipeline_ui_metadata=json.dumps(UI_METADATA).encode()),
    "mlpipeline-metrics": json.dumps(METRICS).encode(),
}


def with_every_kind(kubeflow: Kubeflow) -> dict[str, str]:
    """Adds an artifact of every preview kind to the step `train` and returns their ids by name."""
    ids = {}
    for number, (name, data) in enumerate(FILES.items(), 100):
        kubeflow.add_artifact(number, 3, name, "system.Artifact", f"{ROOT}/{name}")
        kubeflow.objects[f"mlpipeline/kinds/{name}"] = data
        ids[name] = str(number)
    kubeflow.objects["mlpipeline/kinds/roc.csv"] = b"0,0,2\n0.1,0.6,0.9\n0.4,0.9,0.5\n1,1,0\n"
    return ids
