"""Figures computed a second way, by an environment's own libraries in a process of their own."""

import json
import subprocess
from pathlib import Path

from vizportal.settings import BASE_DIR


def compute(environment, code, folder=None):
    """Runs code that leaves its answer in `answer`; returns that, as JSON carries it."""
    interpreter = Path(BASE_DIR, ".environments", environment, "bin", "python")
    whole = f"{code}\nimport json as _json, sys as _sys\n_sys.stdout.write('\\n' + _json.dumps(answer))"
    done = subprocess.run(
        [interpreter, "-W", "ignore", "-c", whole], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rsplit("\n", 1)[-1])
