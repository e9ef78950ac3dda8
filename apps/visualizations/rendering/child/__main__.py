"""The untrusted side of a render, run by the environment's interpreter: `python -I child DIRECTORY`."""

import sys
from pathlib import Path

from render_child.execute import run  # type: ignore[import-not-found]  # found beside this file, at run time

if __name__ == "__main__":
    run(Path(sys.argv[1]))
