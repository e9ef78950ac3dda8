"""Render with a real host, a forked child and a sandbox."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import renderer
from renderer import environments

from tests.jobs import make_job
from tests.outcomes import notebook_of, page_of
from tests.waiting import wait_until
from vizportal.settings import BASE_DIR

pytestmark = pytest.mark.kernel


def processes_below(directory: Path) -> list[str]:
    """Returns the command lines of running processes that contain a render's directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(directory) in line:
            found.append(line)
    return found


def test_page_has_outputs_of_every_kind(run):
    code = """
print("plain <b>text</b>")
# %%
import pandas as pd
pd.DataFrame({"animal": ["ö<x>"], "n": [4.5]})
# %%
%matplotlib inline
import matplotlib.pyplot as plt
plt.plot([1, 2]); plt.show()
# %%
await __import__("asyncio").sleep(0)
from IPython.display import Markdown, display
display(Markdown("**bold** <script>1</script>"))
"""
    outcome = run(code)
    page = page_of(outcome)
    assert outcome.state == "succeeded"
    assert "plain &lt;b&gt;text" in page
    assert "ö&lt;x&gt;" in page
    assert "data:image/png;base64," in page
    assert "<strong>bold</strong>" in page
    assert outcome.cells == outcome.cells_done == 4
    assert json.loads(notebook_of(outcome))["cells"]


def test_page_loads_no_external_resources(run):
    page = page_of(run("print(1)"))
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "https://" not in page


def test_values_are_passed_as_data_and_never_run(run, tmp_path):
    evil = "'''\"\"\"\n__import__('os').system('touch pwned')\\"
    outcome = run("print([source_uri, variables['x']])", variables={"x": evil}, source=evil)
    assert outcome.state == "succeeded"
    assert repr(evil)[:20] in page_of(outcome).replace("&#39;", "'").replace("&quot;", '"').replace("&#34;", '"')
    assert list(tmp_path.rglob("pwned")) == []


@pytest.mark.parametrize(
    ("code", "reason", "line", "words"),
    [
        ("x = 1\n\n1 / 0\n", "user_error", 3, "ZeroDivisionError"),
        ("# %%\nx = 1\n# %%\ndef f():\n    return missing\n\nf()", "user_error", 5, "missing"),
        ("x = 1\ndef f(:\n", "syntax_error", 2, "SyntaxError"),
        ("raise ValueError('Say which column.')", "user_error", 1, "Say which column."),
        ("input()", "user_error", 1, "input"),
        ("import os; os._exit(3)", "kernel_died", None, "died"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "kernel_died", None, "died"),
    ],
)
def test_failure_has_line_and_reason(run, code, reason, line, words):
    outcome = run(code)
    assert (outcome.state, outcome.reason, outcome.line) == ("failed", reason, line)
    assert words in outcome.message + outcome.traceback
    assert notebook_of(outcome)


def test_endless_loop_times_out_and_leaves_no_process(run, tmp_path):
    started = time.monotonic()
    outcome = run("while True:\n    try:\n        pass\n    except BaseException:\n        pass", timeout_s=4)
    assert (outcome.state, outcome.reason) == ("timed_out", "timed_out")
    assert time.monotonic() - started < 4 + 12
    assert processes_below(tmp_path) == []


def test_a_daemon_in_its_own_session_ends_with_the_render(run, tmp_path):
    code = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", os.getcwd()], start_new_session=True)
"""
    outcome = run(code)
    assert outcome.state == "succeeded"
    outcome.wait_for_end()
    assert processes_below(tmp_path) == []


def test_exited_orphans_do_not_count_as_processes(run):
    code = """
import subprocess
for _ in range(700):
    subprocess.run(["sh", "-c", "true & exit 0"], check=True)
"""
    outcome = run(code)
    assert outcome.state == "succeeded", outcome.message


def test_daemon_of_a_dead_kernel_ends(run, tmp_path):
    code = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", os.getcwd()], start_new_session=True)
os.kill(os.getpid(), 9)
"""
    outcome = run(code)
    assert (outcome.state, outcome.reason) == ("failed", "kernel_died")
    assert "SIGKILL" in outcome.message
    outcome.wait_for_end()
    assert processes_below(tmp_path) == []


def test_render_over_the_memory_limit_fails(run):
    outcome = run("hog = []\nwhile True:\n    hog.append(bytearray(b'x') * 20_000_000)", max_memory_bytes=2**29)
    assert (outcome.state, outcome.reason) == ("failed", "out_of_memory")
    # If the kernel enforces the limit, the peak does not exceed it.
    assert outcome.peak_memory_bytes >= 2**29 * 0.9


def test_render_with_too_many_processes_fails(run):
    code = "import os, time\nfor _ in range(60):\n    if os.fork() == 0:\n        time.sleep(60)\ntime.sleep(30)"
    outcome = run(code, max_processes=20)
    assert (outcome.state, outcome.reason) == ("failed", "too_many_processes")


def test_oversized_page_is_refused_and_the_notebook_is_kept(run):
    outcome = run("from IPython.display import HTML\nHTML('x' * 3_000_000)", max_html_bytes=1_000_000)
    assert (outcome.state, outcome.reason) == ("failed", "html_too_big")
    assert notebook_of(outcome)


def test_cancel_ends_the_render(run, tmp_path):
    outcome = run("import time\ntime.sleep(60)", cancel_after=1, timeout_s=60)
    assert (outcome.state, outcome.reason) == ("cancelled", "cancelled")
    assert processes_below(tmp_path) == []


def test_environment_variables_of_the_worker_are_not_passed_on(run, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "worker-secret")
    page = page_of(run("import os; print(sorted(os.environ.items()))"))
    assert "worker-secret" not in page
    assert "HOME" in page


def test_killed_worker_leaves_no_process(host, tmp_path):
    directory = tmp_path / "render"
    directory.mkdir()
    code = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", os.getcwd()], start_new_session=True)
print("STARTED")
time.sleep(100)
"""
    program = f"""
from pathlib import Path, PosixPath
import renderer as r
from renderer import HostSpec
r.render(r.RenderJob(spec=r.RenderSpec(code={code!r})), host=r.RenderHost({host.spec!r}),
    directory=Path({str(directory)!r}), on_progress=lambda p: print(p.log, flush=True), is_cancelled=lambda: False)
"""
    worker = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(BASE_DIR)},
    )
    text = ""
    while "STARTED" not in text:
        assert worker.poll() is None
        text += worker.stdout.readline().decode()
    started = str(directory / "work")
    assert any(line.endswith(f"{started}\0") for line in processes_below(directory))
    worker.kill()
    worker.wait()
    wait_until(lambda: not any(line.endswith(f"{started}\0") for line in processes_below(directory)), 20, "their end")


def test_missing_environment_is_reported(tmp_path):
    spec = renderer.HostSpec(
        environment="none", interpreter=tmp_path / "none", run_dir=tmp_path / "run", work_root=tmp_path
    )
    outcome = renderer.render(
        make_job(code="1", variables={}),
        host=renderer.RenderHost(spec),
        directory=tmp_path,
        on_progress=lambda _: None,
        is_cancelled=lambda: False,
    )
    assert outcome.reason == "environment_missing"
    assert "environments build" in outcome.message


def test_each_render_has_its_own_font_cache(run, interpreter):
    code = """
import matplotlib, pathlib
cache = pathlib.Path(matplotlib.get_cachedir())
print("FOUND", sorted(each.name for each in cache.glob("fontlist*")), cache.parent.name)
import matplotlib.pyplot as plt
plt.plot([1, 2]); plt.show()
(cache / "spoiled").touch()
"""
    first, second = run(code), run(code)
    kept = environments.matplotlib_cache_dir(interpreter)
    for outcome in (first, second):
        page = page_of(outcome)
        assert "data:image/png;base64," in page
        assert re.search(r"FOUND \[(&#39;|')fontlist\S+\] home", page)
        assert "temporary cache directory" not in page
    assert not (kept / "spoiled").exists()
