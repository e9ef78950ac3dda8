"""Copies that the reader of tables makes: gone with the process that made them."""

import gzip
import os
import subprocess

from vizkit import TOOLKIT_DIR


def test_copies_are_gone_when_the_process_has_ended(interpreter, tmp_path):
    (tmp_path / "temp").mkdir()
    path = tmp_path / "rows.csv.gz"
    # Packed, and neither its encoding nor its line ends are what polars reads: two copies.
    path.write_bytes(gzip.compress("a;b\r1;ä\r2;x\r".encode("utf-16")))
    code = "import sys; from vizkit import tabular; print(tabular.read(sys.argv[1], '').total)"
    environ = {**os.environ, "TMPDIR": str(tmp_path / "temp"), "PYTHONPATH": str(TOOLKIT_DIR.parent)}
    command = [interpreter, "-c", code, str(path)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"
    assert list((tmp_path / "temp").iterdir()) == []
