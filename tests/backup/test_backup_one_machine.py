"""The documented backup of a portal in use, and its restore to an empty directory: every page opens."""

import hashlib
import shutil
import sqlite3
import subprocess
from contextlib import closing
from uuid import UUID

import pytest

from tests.backup.documented import commands, run
from tests.backup.writing import check_restored, writing
from tests.upgrade.machine import running
from tests.upgrade.versions import PRESENT
from tests.waiting import wait_until

pytestmark = [pytest.mark.installation, pytest.mark.kernel, pytest.mark.timeout(900)]
# No process listens there: saved results open without Kubeflow.
SETTINGS = {"KFP_HOST": "http://127.0.0.1:9", "ALLOW_CUSTOM_VISUALIZATIONS": "true"}
ROWS = """
SELECT made.id, made.state, owner.title, made.html
FROM visualizations_render made JOIN visualizations_visualization owner ON owner.id = made.visualization_id
"""


def rows(path):
    """Returns (id, state, title, name of the page) of every render in a database."""
    with closing(sqlite3.connect(path, timeout=20)) as database:
        return database.execute(ROWS).fetchall()


def succeeded(path):
    return sum(state == "succeeded" for _, state, _, _ in rows(path))


def manage(env, *arguments, stdin=""):
    call = [PRESENT.python, "manage.py", *arguments]
    done = subprocess.run(call, cwd=PRESENT.tree, env=env, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_portal_in_use_is_backed_up_and_restored_to_empty_directory(tmp_path):
    backup, restore = commands("One machine")
    data_dir = tmp_path / "data"
    database = data_dir / "db.sqlite3"
    env = PRESENT.settings({"VIZPORTAL_DATA_DIR": str(data_dir), **SETTINGS})
    with running(PRESENT, data_dir, **SETTINGS), writing(tmp_path, env) as told:
        # After the restore, values signed with the replaced key must still be valid.
        manage(env, "rotate_key")
        wait_until(lambda: succeeded(database) >= 10, 180, "the first pages")
        run(backup, tmp_path, env)
        at_backup = succeeded(tmp_path / "backup" / "db.sqlite3")
        wait_until(lambda: succeeded(database) >= at_backup + 5, 180, "pages after the backup")
    kept = rows(tmp_path / "backup" / "db.sqlite3")
    assert at_backup >= 10
    assert len(kept) < len(rows(database))
    with closing(sqlite3.connect(tmp_path / "backup" / "db.sqlite3")) as copied:
        assert copied.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert all((tmp_path / "backup" / "results" / name).is_file() for *_, name in kept if name)
    assert (tmp_path / "backup").stat().st_mode & 0o77 == 0, "it holds the key"

    shutil.rmtree(data_dir)
    run(restore, tmp_path, env)
    program = f"from django.core import signing; print(signing.loads({told['signed']!r}))"
    assert "kept" in manage(env, "shell", "-v0", stdin=program)

    def digest(render_id):
        [name] = [name for key, *_, name in rows(database) if str(UUID(key)) == render_id]
        return hashlib.sha256((data_dir / "results" / name).read_bytes()).hexdigest()

    with running(PRESENT, data_dir, **SETTINGS) as (door, _):
        ends = check_restored(door, {str(UUID(key)): (state, title) for key, state, title, _ in kept}, digest)
    assert list(ends.values()).count("succeeded") >= at_backup
    assert len(rows(database)) == len(kept), "nothing was doubled"
