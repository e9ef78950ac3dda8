"""Compute figures independently, with an environment's own libraries in a separate process."""

import functools
import json
import os
import subprocess
import tempfile
from pathlib import Path

from vizportal.settings import BASE_DIR

# Forks a child for each order, a line of JSON, and answers with the child's exit status. Importing the libraries takes
# a second or two, which a test need not pay for each figure.
_WARM = """
import json, os, sys, traceback
import pandas, scipy.stats, sklearn.datasets, sklearn.metrics, sklearn.model_selection
for line in sys.stdin:
    order = json.loads(line)
    child = os.fork()
    if not child:
        status = 1
        try:
            os.chdir(order["folder"])
            for number, name in ((1, order["out"]), (2, order["error"])):
                os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
            exec(compile(order["code"], "<order>", "exec"), {"__name__": "__main__"})
            sys.stdout.flush()
            status = 0
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(status)
    print(os.waitpid(child, 0)[1], flush=True)
"""


def compute(environment, code, folder=None):
    """Runs code that assigns `answer`, and returns that value after a round trip through JSON."""
    whole = f"{code}\nimport json as _json, sys as _sys\n_sys.stdout.write('\\n' + _json.dumps(answer))"
    status, out, error = (_run_warm if environment == "base" else _run)(environment, whole, folder)
    assert status == 0, error
    return json.loads(out.rsplit("\n", 1)[-1])


def _run(environment, code, folder):
    done = subprocess.run([*_python(environment), code], cwd=folder, **_OPTIONS, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


def _run_warm(environment, code, folder):
    process = _warm(environment)
    with tempfile.TemporaryDirectory() as kept:
        out, error = Path(kept, "out"), Path(kept, "error")
        order = {"code": code, "folder": str(folder or Path.cwd()), "out": str(out), "error": str(error)}
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        assert answer, process.wait()
        return int(answer), out.read_text(), error.read_text()


@functools.cache
def _warm(environment):
    """Starts the process that forks. It ends with this one, which closes its input."""
    pipe = subprocess.PIPE
    return subprocess.Popen([*_python(environment), _WARM], stdin=pipe, stdout=pipe, **_OPTIONS)


def _python(environment):
    return [str(Path(BASE_DIR, ".environments", environment, "bin", "python")), "-W", "ignore", "-c"]


# Several tests run at once, so one thread per processor would be too many.
_OPTIONS = {"text": True, "env": {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}}


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
