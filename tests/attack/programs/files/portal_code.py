"""Changes the render's own code, which the host and its successors run.

gains: its code runs in the host, outside every sandbox
remains(none): the portal's code, if the portal's user can write to it
"""

import render_child

code = Path(render_child.__path__[0])
for path in (code / "host" / "loop.py", code / "cells" / "direct.py"):
    attempt(f"open {path.name}", lambda path=path: os.open(path, os.O_WRONLY | os.O_APPEND))
try:
    (code / "attack.py").write_text("")
    gained("create")
    (code / "attack.py").unlink()
except OSError as error:
    say("REFUSED", "create", error)
