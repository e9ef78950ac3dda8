"""The untrusted side of a render, run by the environment's interpreter: `python -I child DIRECTORY`."""

import sys
from pathlib import Path

from render_child.execute import run

if __name__ == "__main__":
    run(Path(sys.argv[1]))
