"""Sampling for trial renders: copies the first rows of each table in a source, and the code gets the copy instead.

It runs in the sandbox like the code, because the source's content is not trusted. Files that are not tables stay as
they are.
"""

from __future__ import annotations

import glob
import itertools
import json
import shutil
from pathlib import Path
from typing import Any, Final

_HEAD_BYTES: Final = 512
# One file of a folder of parts shows what the others look like, but images and the like come in dozens.
_MOST_FILES: Final = 20
_LONGEST_LINE: Final = 16 * 1024**2


def take_sample(directory: Path, rows: int) -> None:
    """Puts a sample of the source into the render's `tmp` folder, and its path into the inputs that the cells read.

    Args:
        directory: of the render. Its file `inputs.json` and its folder `tmp` must be writable.
    """
    path = directory / "inputs.json"
    inputs: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    source = str(inputs["source"])
    if not source:
        return
    target = directory / "tmp" / "sample"
    target.mkdir()
    inputs["source"] = _sampled(source, target, rows)
    path.write_text(json.dumps(inputs), encoding="utf-8")


def _sampled(source: str, target: Path, rows: int) -> str:
    path = Path(source)
    if path.is_file():
        _copy(path, target / path.name, rows)
        return str(target / path.name)
    if path.is_dir():
        _copy_all(path, sorted(each for each in path.rglob("*") if each.is_file()), target, rows)
        return str(target)
    base = Path(*itertools.takewhile(lambda part: not set("*?[") & set(part), path.parts))
    _copy_all(base, sorted(map(Path, glob.glob(source))), target, rows)  # noqa: PTH207  (an absolute pattern)
    return str(target / path.relative_to(base))


def _copy_all(base: Path, paths: list[Path], target: Path, rows: int) -> None:
    for path in paths[:_MOST_FILES]:
        copy = target / path.relative_to(base)
        copy.parent.mkdir(parents=True, exist_ok=True)
        _copy(path, copy, rows)


def _copy(path: Path, target: Path, rows: int) -> None:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(b"PAR1"):
        _copy_parquet(path, target, rows)
    elif head.startswith(b"ARROW1"):
        _copy_arrow(path, target, rows)
    elif _is_lines(path, head):
        _copy_lines(path, target, rows)
    else:
        shutil.copyfile(path, target)


def _is_lines(path: Path, head: bytes) -> bool:
    """Whether the file's rows are lines: text other than a single JSON document, which has to stay whole."""
    if b"\0" in head or path.suffix.lower() in {".ipynb", ".html", ".htm", ".md", ".svg", ".pbtxt", ".py"}:
        return False
    if head.lstrip()[:1] not in {b"{", b"[", b"<"}:
        return True
    with path.open("rb") as file:
        first, second = file.readline(_LONGEST_LINE), file.readline(1)
    try:
        return bool(second) and isinstance(json.loads(first), dict)
    except ValueError:
        return False


def _copy_lines(path: Path, target: Path, rows: int) -> None:
    with path.open("rb") as file, target.open("wb") as copy:
        # One more, for the column names.
        for _ in range(rows + 1):
            line = file.readline(_LONGEST_LINE)
            if not line:
                break
            copy.write(line)


def _copy_parquet(path: Path, target: Path, rows: int) -> None:
    import pyarrow as pa  # noqa: PLC0415  (only where there is such a file)
    import pyarrow.parquet as pq  # noqa: PLC0415

    with pq.ParquetFile(path) as file:
        batch = next(file.iter_batches(batch_size=rows), None)
        table = pa.Table.from_batches([batch] if batch is not None else [], schema=file.schema_arrow)
    pq.write_table(table, target)


def _copy_arrow(path: Path, target: Path, rows: int) -> None:
    import pyarrow as pa  # noqa: PLC0415  (as above)

    with pa.OSFile(str(path)) as source, pa.ipc.open_file(source) as file:
        batches, left = [], rows
        for number in range(file.num_record_batches):
            batch = file.get_batch(number)[:left]
            batches.append(batch)
            left -= len(batch)
            if left <= 0:
                break
        table = pa.Table.from_batches(batches, schema=file.schema)
    with pa.OSFile(str(target), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
