"""The table reader's temporary copies are removed when its process ends."""

import gzip
import os
import subprocess

from vizkit import TOOLKIT_DIR


def test_temporary_copies_are_removed_with_their_process(interpreter, tmp_path):
    (tmp_path / "temp").mkdir()
    path = tmp_path / "rows.csv.gz"
    # The file is compressed, and polars reads neither its encoding nor its line ends, so there are two copies.
    path.write_bytes(gzip.compress("a;b\r1;ä\r2;x\r".encode("utf-16")))
    code = "import sys; from vizkit import tabular; print(tabular.read(sys.argv[1], '').total)"
    environ = {**os.environ, "TMPDIR": str(tmp_path / "temp"), "PYTHONPATH": str(TOOLKIT_DIR.parent)}
    command = [interpreter, "-c", code, str(path)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"
    assert list((tmp_path / "temp").iterdir()) == []
