"""Reads the first rows of a Parquet or Arrow file: run by another environment's interpreter, in the sandbox.

The file is somebody else's, and the readers are large native libraries: a fault in one must not be the portal's.
Arguments: the folder with the file `input`, the folder that holds `render_child`, how many rows and columns.
The answer is one JSON object on standard output: {header, types, rows, row_count} or {error}.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any, Final

_MEMORY_BYTES: Final = 3 * 1024**3  # of addresses, of which the library reserves far more than it uses
_CPU_S: Final = 10
_FILE_BYTES: Final = 4 * 1024**2
_LONGEST_CELL: Final = 301


def main() -> None:
    """Confines this process, reads, answers."""
    folder, rendering, most_rows, most_columns = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _confine(folder, rendering)
    os.chdir(folder)
    try:
        answer = _read(Path(folder) / "input", most_rows, most_columns)
    except Exception as error:  # noqa: BLE001  # whatever a library makes of a broken file
        answer = {"error": f"{type(error).__name__}: {error}"[:400]}
    json.dump(answer, sys.stdout)


def _confine(folder: str, rendering: str) -> None:
    sys.path.append(rendering)
    confinement = importlib.import_module("render_child.sandbox.confinement")
    # Without Landlock and seccomp (an old kernel, another system) the limits above are what is left.
    mode = confinement.describe("landlock").mode
    sandbox = confinement.Sandbox.prepare(mode=mode, read_paths=confinement.read_paths())
    # One process: the limits above are those of a process, and its end is the end of all that runs here.
    sandbox.enter(readable=[folder], writable=(), sockets="none", max_file_bytes=_FILE_BYTES, spawning="threads")


def _read(path: Path, most_rows: int, most_columns: int) -> dict[str, Any]:
    polars = importlib.import_module("polars")
    with path.open("rb") as file:
        magic = file.read(6)
    if magic.startswith(b"PAR1"):
        lazy = polars.scan_parquet(path, glob=False)
    elif magic == b"ARROW1":
        lazy = polars.scan_ipc(path, glob=False)
    else:
        lazy = polars.read_ipc_stream(path).lazy()
    schema = lazy.collect_schema()
    names = list(schema)[:most_columns]
    frame = lazy.select(names).head(most_rows).collect()
    return {
        "header": names,
        "types": [str(schema[name]) for name in names],
        "rows": [[_cell(value) for value in row] for row in frame.rows()],
        "row_count": lazy.select(polars.len()).collect().item(),
        "column_count": len(schema),
    }


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return (value[:_LONGEST_CELL].hex() if isinstance(value, bytes) else str(value))[:_LONGEST_CELL]


if __name__ == "__main__":
    main()
