"""The commands of the visualizations app."""

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as live_settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command, get_commands
from django.core.management.base import CommandError
from django.test import Client
from django.utils import timezone
from renderer import Environments

from apps.visualizations.environments import environments
from apps.visualizations.models import Render, Visualization
from apps.visualizations.services.lease import render_claim
from apps.visualizations.states import RenderState
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def run(name, *args, **options):
    out, err = io.StringIO(), io.StringIO()
    call_command(name, *args, stdout=out, stderr=err, no_color=True, **options)
    return out.getvalue() + err.getvalue()


def test_every_command_of_this_app_has_a_test_here():
    text = Path(__file__).read_text()
    ours = [name for name, app in get_commands().items() if app == "apps.visualizations"]
    assert ours
    assert [name for name in ours if not re.search(rf'(run\(|manage.py", )"{name}"', text)] == []


def test_types_are_listed_and_validated(settings, tmp_path):
    listed = run("types")
    assert "roc_curve" in listed
    assert "*.csv" in listed
    assert "are valid" in run("types", "--validate")
    (tmp_path / "bad.py").write_text("# /// script\nprint('half a header')")
    settings.VIZPORTAL_TYPES_DIRS = [tmp_path]
    with pytest.raises(CommandError, match="1 problem"):
        run("types", "--validate")
    assert "bad.py" in run("types")


def test_environments_are_listed_and_unknown_one_is_refused(settings, tmp_path):
    settings.VIZPORTAL_ENVIRONMENTS_DIR = tmp_path
    assert re.search(r"base +not built", run("environments", "list"))
    with pytest.raises(CommandError, match="no environment 'nothing'"):
        run("environments", "build", "nothing")


def test_current_environment_is_not_built_again(settings, monkeypatch):
    built = []
    real = environments().get("base")
    monkeypatch.setattr(Environments, "build", lambda _self, key, *_, **__: built.append(key) or real)
    run("environments", "build", "base")
    assert built == ["base"]
    if real.is_current:
        assert "up to date" in run("environments", "build", "base", "--if-needed")
        assert built == ["base"]


def test_token_command_creates_token_for_user(owner):
    raw = run("token", "create", "script", "--user", "owner", "--days", "1").strip()
    assert Client(headers={"Authorization": f"Bearer {raw}"}).get("/api/v1/types").status_code == 200
    with pytest.raises(CommandError, match="There is no user"):
        run("token", "create", "script")


def test_token_needs_no_user_with_local_authentication(settings):
    settings.VIZPORTAL_AUTH = "local"
    assert run("token", "create", "script").startswith("vzp_")


def test_reconcile_makes_one_pass(submit, row, queue):
    assert run("reconcile") == "nothing to do\n"
    made = submit()
    render_claim(made.render.id, 1)
    Render.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    queue.connection.flushall()
    assert run("reconcile") == "tried_again 1\n"


@pytest.mark.slow
def test_reconciler_loop_ends_on_sigterm(tmp_path, valkey_url):
    environ = {**os.environ, "VIZPORTAL_DATA_DIR": str(tmp_path), "REDIS_URL": valkey_url}
    environ["DJANGO_SETTINGS_MODULE"] = "vizportal.settings"
    root = live_settings.BASE_DIR
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], env=environ, cwd=root, check=True)
    command = [sys.executable, "manage.py", "reconcile", "--loop", "--every", "60", "--mark", str(tmp_path / "mark")]
    (tmp_path / "work" / "orphan").mkdir(parents=True)
    with subprocess.Popen(command, env=environ, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        wait_until((tmp_path / "mark").exists, 10, "the mark of the first pass")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.fixture
def three(submit, work, kubeflow):
    """Three rendered visualizations: two tables and a ROC curve."""
    kubeflow.contents["minio://b/model"] = b"x"
    made = [submit(), submit(artifact_name="model"), submit(type_key="roc_curve")]
    work()
    lock = environments().get("base").lock_digest
    Render.objects.update(environment_lock=lock)
    return [each.visualization for each in made]


def test_rerender_selects_by_filters(three, queue):
    for filters, count in [
        ([], 3),
        (["--type", "TABLE"], 2),
        (["--pipeline", "taxi"], 3),
        (["--pipeline", "x"], 0),
        (["--run", "r1", "--type", "roc_curve"], 1),
        (["--state", "failed"], 0),
        (["--stale"], 0),
    ]:
        assert f"{count} would be rendered again." in run("rerender", "--dry-run", *filters)
    assert queue.count == 0
    with pytest.raises(CommandError, match="no visualization type"):
        run("rerender", "--type", "nothing")


def test_rerender_stale_skips_queued_and_ignores_user_limit(three, queue, work, owner, settings):
    settings.VIZPORTAL_MAX_QUEUED_PER_USER = 1
    Render.objects.filter(visualization__in=three[:2]).update(type_version="0" * 16)
    assert "2 queued, 0 passed over." in run("rerender", "--stale")
    assert "0 queued, 0 passed over." in run("rerender", "--stale")
    assert queue.count == 2
    assert set(Render.objects.filter(number=2).values_list("requested_by", flat=True)) == {owner.pk}
    with pytest.raises(CommandError, match="confirm with --yes"):
        run("rerender")
    assert queue.count == 2
    assert "1 queued, 2 passed over." in run("rerender", "--yes")


def test_rerender_before_continues_an_interrupted_pass(three, queue, work):
    Render.objects.update(created_at=timezone.now() - timedelta(hours=1))
    # The option that the first line of the output tells people to continue with.
    began = re.search(r"--before (\S+):", run("rerender", "--type", three[0].type_key))[1]
    work()
    assert "0 passed over." in run("rerender", "--before", began)
    work()
    assert "0 queued, 0 passed over." in run("rerender", "--before", began)
    assert {each.renders.count() for each in three} == {2}
    with pytest.raises(CommandError, match="with its zone"):
        run("rerender", "--before", "2026-11-30T08:00:00")


def test_render_that_ended_during_selection_is_not_rendered_twice(three, queue, work, monkeypatch):
    from apps.visualizations.management.commands import rerender

    Render.objects.update(created_at=timezone.now() - timedelta(hours=1))
    began = re.search(r"--before (\S+):", run("rerender", "--yes"))[1]

    def look(_chosen):
        # All three are waiting when they are chosen and have ended a moment later.
        work()
        return {}

    monkeypatch.setattr(rerender, "renders_active", look)
    assert "0 queued, 3 passed over." in run("rerender", "--before", began)
    assert {each.renders.count() for each in three} == {2}


def test_rerender_dry_run_lists_runs_and_counts(three):
    Visualization.objects.filter(id=three[0].id).update(run_name="nightly", run_id="r9")
    shown = run("rerender", "--dry-run")
    names = set(Visualization.objects.values_list("run_name", flat=True))
    assert {line.rstrip(":") for line in shown.splitlines() if line.endswith(":")} == names
    assert "They are of 2 runs." in shown
    assert re.search(r"2 table\n", shown)
    assert re.search(r"1 roc_curve\n", shown)


@pytest.mark.parametrize(("answer", "count"), [("y", 3), ("", 0), ("n", 0)])
def test_rerender_of_everything_asks_for_confirmation(three, queue, monkeypatch, answer, count):
    asked = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda words: asked.append(words) or answer)
    with contextlib.suppress(CommandError):
        run("rerender")
    assert "all 3 saved visualizations" in asked[0]
    assert queue.count == count


def test_rerender_wait_reports_failures(three, queue, kernel, monkeypatch):
    from apps.visualizations import job_queue
    from apps.visualizations.services import execution

    def at_once(render):
        execution.render_execute(str(render.id), render.attempt)
        return True

    monkeypatch.setattr(job_queue, "render_announce", at_once)
    assert "3 queued" in run("rerender", "--wait", "--yes")
    kernel.outcome = {"state": "failed", "reason": "user_error", "message": "No.", "html": None}
    with pytest.raises(CommandError, match="3 of 3 did not succeed"):
        run("rerender", "--wait", "--yes")


def test_prune_deletes_orphans_and_old_renders_but_never_the_latest(three, submit, work):
    submit(force=True)
    work()
    orphan = default_storage.save("renders/00/orphan/1-result.html", ContentFile(b"x"))
    long_ago = timezone.now() - timedelta(days=40)
    Render.objects.update(finished_at=long_ago)
    options = ["--older-than", "30", "--grace", "0"]
    assert "1 renders" in run("prune", "--dry-run", *options)
    assert default_storage.exists(orphan)
    assert "0 orphaned files were deleted" in run("prune", "--grace", "60")
    assert "1 renders" in run("prune", *options)
    assert not default_storage.exists(orphan)
    assert Render.objects.count() == Visualization.objects.count() == 3
    assert all(default_storage.exists(render.html.name) for render in Render.objects.all())


def test_visualize_validates_input_before_it_starts(tmp_path, settings):
    source = tmp_path / "a.csv"
    source.write_text("score,label\n0.1,0\n")
    settings.ALLOW_CUSTOM_VISUALIZATIONS = False
    output = ["--output", str(tmp_path / "out.html")]
    for args, words in [
        (["nothing"], "no visualization type"),
        (["table"], "needs a --source"),
        (["table", "--source", "/nothing/x.csv"], "There is no file"),
        (["custom"], "switched off"),
        (["table", "--source", str(source), "--arguments", "nothing=1"], "arguments.nothing"),
        (["table", "--source", str(source), "--arguments", "x"], "neither a JSON object nor KEY=VALUE"),
    ]:
        with pytest.raises(CommandError, match=re.escape(words)):
            run("visualize", *args, *output)
    assert not (tmp_path / "out.html").exists()


@pytest.mark.kernel
def test_visualize_renders_with_the_real_kernel(tmp_path, settings):
    source, output = tmp_path / "a.csv", tmp_path / "out.html"
    source.write_text("score,name\n0.125,alpha\n0.5,beta\n")
    notebook = tmp_path / "out.ipynb"
    told = run("visualize", "TABLE", "--source", str(source), "--output", str(output), "--notebook", str(notebook))
    assert str(output) in told
    assert "0.125" in output.read_text()
    assert json.loads(notebook.read_text())["cells"]
    settings.ALLOW_CUSTOM_VISUALIZATIONS = True
    code = tmp_path / "code.py"
    code.write_text("x = 1\nraise ValueError('on purpose')\n")
    with pytest.raises(CommandError, match=r"user_error.*on purpose"):
        run("visualize", "custom", "--code", str(code), "--output", str(output))


@pytest.mark.kernel
def test_queued_renders_succeed_with_the_real_kernel(submit, queue, settings, tmp_path, kubeflow, row):
    from apps.visualizations.jobs import RenderWorker

    settings.MEDIA_ROOT, settings.VIZPORTAL_DATA_DIR = tmp_path / "results", tmp_path / "data"
    kubeflow.contents["minio://b/predictions.csv"] = b"score,label\n0.125,0\n0.75,1\n"
    made = [submit(title=f"{number}", force=True) for number in range(2)]
    RenderWorker([queue], connection=queue.connection).work(burst=True, logging_level="WARNING")
    for each in made:
        render = row(each.render)
        assert render.state == RenderState.SUCCEEDED, render.message
        assert b"0.125" in render.html.open().read()
        assert render.timings["total"] > 0
