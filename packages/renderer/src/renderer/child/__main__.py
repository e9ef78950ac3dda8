"""The programs of the untrusted side.

`python -I child supervise FILE`, `python -I child serve OPTIONS`, `python -I child run OPTIONS [ARGUMENT ...]`.
"""

import json
import sys
from pathlib import Path

# Python puts a script's own folder on the path, and `-I -S` adds little else.
if __name__ == "__main__":
    program, argument, *rest = sys.argv[1:]
    if program == "supervise":
        from render_child.host.supervisor import Supervisor  # found next to this file, at run time

        sys.exit(Supervisor(json.loads(Path(argument).read_text(encoding="utf-8"))).run())
    if program == "run":
        from render_child.sandbox.run_program import run_program

        run_program(json.loads(argument), rest)
    else:
        from render_child.host.serve import serve

        serve(json.loads(argument))
