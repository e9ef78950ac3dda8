"""The command `vizportal` of an installed wheel: manage.py, with everything that it keeps in the working directory.

The wheel holds the project as it lies in the repository, in the folder of this file, so that no package named `apps` or
`vizportal` appears among the installed packages.
"""

import os
import runpy
import sys
from pathlib import Path


def main() -> None:
    """Runs manage.py; without arguments, `up`."""
    project = Path(__file__).resolve().parent
    for name, folder in (("VIZPORTAL_DATA_DIR", "data"), ("VIZPORTAL_ENVIRONMENTS_DIR", ".environments")):
        os.environ.setdefault(name, str(Path.cwd() / folder))
    sys.path.insert(0, str(project))
    sys.argv = ["vizportal", *(sys.argv[1:] or ["up"])]
    runpy.run_path(str(project / "manage.py"), run_name="__main__")
