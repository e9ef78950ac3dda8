"""Compute figures independently, with an environment's own libraries in a separate process."""

import functools
import json
import os
import subprocess
import tempfile
from pathlib import Path

from vizportal.settings import BASE_DIR


def compute(environment, code, folder=None):
    """Runs code that assigns `answer`, and returns that value after a round trip through JSON."""
    interpreter = Path(BASE_DIR, ".environments", environment, "bin", "python")
    whole = f"{code}\nimport json as _json, sys as _sys\n_sys.stdout.write('\\n' + _json.dumps(answer))"
    # Several tests run at once, so one thread per processor would be too many.
    done = subprocess.run(
        [interpreter, "-W", "ignore", "-c", whole],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rsplit("\n", 1)[-1])


def make(environment, code, folder):
    """Runs code without input that writes files into `folder`, and returns its answer. The files are cached."""
    answer, files = _made(environment, code)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return json.loads(answer)


@functools.cache
def _made(environment, code):
    with tempfile.TemporaryDirectory() as folder:
        answer = compute(environment, code, folder)
        return json.dumps(answer), {path.name: path.read_bytes() for path in Path(folder).iterdir()}
