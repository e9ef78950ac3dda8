"""Reads the first rows of a Parquet or Arrow file; run by another environment's interpreter, in the sandbox.

The file is untrusted, and the readers are large native libraries: a fault in one must not affect the portal.

Arguments: the number of rows and columns. The file is `input` in the working directory. The answer is one JSON object
on standard output: {header, types, rows, row_count, column_count} or {error}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import polars as pl

_LONGEST_CELL: Final = 301


def main() -> None:
    """Reads the file and prints the answer."""
    most_rows, most_columns = map(int, sys.argv[1:])
    try:
        answer = _read(Path("input"), most_rows, most_columns)
    except Exception as error:  # noqa: BLE001  # whatever a library makes of a broken file
        answer = {"error": f"{type(error).__name__}: {error}"[:400]}
    json.dump(answer, sys.stdout)


def _read(path: Path, most_rows: int, most_columns: int) -> dict[str, Any]:
    with path.open("rb") as file:
        magic = file.read(6)
    if magic.startswith(b"PAR1"):
        lazy = pl.scan_parquet(path, glob=False)
    elif magic == b"ARROW1":
        lazy = pl.scan_ipc(path, glob=False)
    else:
        lazy = pl.read_ipc_stream(path).lazy()
    schema = lazy.collect_schema()
    names = list(schema)[:most_columns]
    frame = lazy.select(names).head(most_rows).collect()
    return {
        "header": names,
        "types": [str(schema[name]) for name in names],
        "rows": [[_cell(value) for value in row] for row in frame.rows()],
        "row_count": lazy.select(pl.len()).collect().item(),
        "column_count": len(schema),
    }


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return (value[:_LONGEST_CELL].hex() if isinstance(value, bytes) else str(value))[:_LONGEST_CELL]


if __name__ == "__main__":
    main()
