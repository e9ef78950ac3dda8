"""Changes the libraries that the next render imports, or their compiled copies.

gains: its code runs in other people's renders
remains(none): the environment, if the portal's user can write to it
"""

import importlib.util

import pandas

library = Path(pandas.__file__)
compiled = Path(importlib.util.cache_from_source(library))
for path in (library, compiled, Path(sys.executable).parent.parent / "pyvenv.cfg"):
    attempt(f"open {path.name}", lambda path=path: os.open(path, os.O_WRONLY | os.O_APPEND))
for folder in (library.parent, compiled.parent, Path(sys.executable).parent, Path(sys.prefix)):
    try:
        (folder / "attack.py").write_text("")
        gained(f"create in {folder}")
        (folder / "attack.py").unlink()
    except OSError as error:
        say("REFUSED", folder, error)
