"""A writer that requests renders during a backup, and the checks after the restore."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.upgrade.api_client import ENDED, Door
from tests.upgrade.versions import PRESENT
from tests.waiting import wait_until

# A few renders wait at any time. They have no run, so no Kubeflow is needed.
_WRITE = """
import io, sys, time
from pathlib import Path
from django.contrib.auth.models import User
from django.core import signing
from apps.visualizations.models import Render
from apps.visualizations.services.requests import VisualizationRequest
from apps.visualizations.services.submission import visualization_create
from apps.accounts.caller import Caller, CallerKind
from django.core.management import call_command
ada = User.objects.create_superuser("ada", password="first light")
caller = Caller(kind=CallerKind.PAGE, user=ada)
made = io.StringIO()
call_command("token", "create", "script", user="ada", stdout=made)
print("TOKEN", made.getvalue().strip())
print("SIGNED", signing.dumps("kept"), flush=True)
number = 0
while not Path({stop!r}).exists():
    if Render.objects.filter(state="queued").count() > 5:
        time.sleep(0.02)
        continue
    title = f"page {{number}}"
    request = VisualizationRequest(type_key="custom", code=f"print({{title!r}})", title=title, force=True)
    visualization_create(caller, request, None)
    number += 1
"""


@contextmanager
def writing(root: Path, env: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Requests renders from a separate process; yields its `token` and a text `signed` with the installation's key."""
    stop, told = root / "stop-writing", root / "writer.log"
    with told.open("wb") as log:
        process = subprocess.Popen(
            [PRESENT.python, "manage.py", "shell", "-v0"],
            cwd=PRESENT.tree,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    assert process.stdin is not None
    process.stdin.write(_WRITE.format(stop=str(stop)).encode())
    process.stdin.close()

    def said() -> Any:
        assert process.poll() is None, told.read_text()
        return re.search(r"TOKEN (\S+)\nSIGNED (\S+)\n", told.read_text())

    try:
        found = wait_until(said, 180, f"the writer: {told}")
        yield {"token": found[1], "signed": found[2]}
        assert process.poll() is None, told.read_text()
    finally:
        stop.touch()
        process.wait(60)


def check_restored(door: Door, kept: Mapping[str, tuple[str, str]], digest: Callable[[str], str]) -> dict[str, str]:
    """Waits until all restored renders have ended, and opens every page.

    Args:
        kept: (state in the backup, title of the visualization) by render id.
        digest: returns the digest of a render's restored page, given the render's id.

    Returns:
        The final state of each render, by id.
    """
    open_ends = [render_id for render_id, (before, _) in kept.items() if before not in ENDED]
    assert open_ends, "the backup was made while somebody wrote"
    wait_until(lambda: ENDED.issuperset(door.states(open_ends)), 240, "the end of what waited and ran")
    ends = {}
    for render_id, (before, title) in kept.items():
        render = door.render(render_id)
        ends[render_id] = render["state"]
        if render["state"] == "lost":
            # Custom code that was interrupted: its page opens and says so.
            assert (before, render["reason"]) == ("running", "worker_lost")
            door.ask(render["url"])
            continue
        assert render["state"] == "succeeded", render
        assert title in door.page(render_id)
        assert digest(render_id) == render["html_sha256"]
    assert len(door.read("/api/v1/visualizations?page_size=5")["items"]) == 5
    assert title in door.ask(f"/visualizations/?q={quote(title)}")
    return ends
