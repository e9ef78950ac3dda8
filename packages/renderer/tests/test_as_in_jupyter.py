"""Code that works in Jupyter also works in a real render host, or fails with an error that says what to do."""

import re

import pytest

from tests.outcomes import page_of

pytestmark = pytest.mark.kernel


def test_image_data_may_be_bytes(run):
    outcome = run(
        "from PIL import Image\nfrom IPython.display import display\nimport io\nImage.new('RGB', (4, 4), 'red')\n# %%\n"
        "class Photo:\n    def _repr_jpeg_(self):\n        made = io.BytesIO()\n"
        "        Image.new('RGB', (4, 4)).save(made, 'JPEG')\n"
        "        return made.getvalue()\nPhoto()\n# %%\n"
        "import datetime\ndata = {'image/gif': memoryview(b'GIF89a')}\n"
        "data['application/json'] = {'at': datetime.datetime(2026, 1, 2)}\n"
        "display(data, raw=True)"
    )
    assert outcome.state == "succeeded", outcome.traceback
    page = page_of(outcome)
    assert re.findall(r"data:(image/\w+);base64,", page) == ["image/png", "image/jpeg", "image/gif"]


def test_code_can_query_the_processor_count(run):
    outcome = run(
        "import joblib, os\nfrom sklearn.ensemble import RandomForestClassifier\n"
        "RandomForestClassifier(n_estimators=4, n_jobs=-1).fit([[0], [1]] * 9, [0, 1] * 9)\n"
        "for name in ('cpu.max', 'cpu/cpu.cfs_quota_us', 'cpu/cpu.cfs_period_us'):\n"
        "    path = '/sys/fs/cgroup/' + name\n    if os.path.exists(path): open(path).read()\n"
        "done = joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(n) for n in (-1, 2))\n"
        "print('processors', joblib.cpu_count() >= 1, done)"
    )
    assert outcome.state == "succeeded", outcome.traceback
    assert "processors True [1, 2]" in page_of(outcome)


def test_process_pools_and_thread_pools_work(run):
    outcome = run(
        "import multiprocessing as mp, os\nfrom concurrent.futures import ProcessPoolExecutor\n"
        "from multiprocessing.pool import ThreadPool\n"
        "def work(n): return n * n, os.getpid()\n"
        "with mp.Pool(2) as pool: found = pool.map(work, range(9))\n"
        "with ProcessPoolExecutor(2) as pool: more = list(pool.map(work, range(9)))\n"
        "with ThreadPool(2) as pool: print('threads', pool.map(abs, [-1, 2]))\n"
        "for each in (found, more): print([n for n, _ in each], os.getpid() in {pid for _, pid in each})\n"
        "lock, count = mp.Lock(), mp.Value('i', 0)\n"
        "def add():\n    for _ in range(500):\n        with lock: count.value += 1\n"
        "all_ = [mp.Process(target=add) for _ in range(3)]\n"
        "[each.start() for each in all_]; [each.join() for each in all_]\nprint('counted', count.value)"
    )
    assert outcome.state == "succeeded", outcome.traceback
    page = page_of(outcome)
    assert page.count("[0, 1, 4, 9, 16, 25, 36, 49, 64] False") == 2
    assert "threads [1, 2]" in page
    assert "counted 1500" in page


def test_spawn_pool_error_suggests_fork(run):
    outcome = run("import multiprocessing; multiprocessing.get_context('spawn').Pool(2)")
    assert outcome.state == "failed"
    assert 'Use the start method "fork"' in outcome.message


def test_missing_package_error_shows_the_dependencies_line(run):
    outcome = run("import nosuchpackage.part")
    assert "No module named 'nosuchpackage'" in outcome.message
    assert '# dependencies = ["nosuchpackage"]' in outcome.message


def test_altair_draws_more_than_5000_rows(run):
    outcome = run(
        "import altair as alt, pandas as pd\nrows = pd.DataFrame({'x': range(6000)})\n"
        "alt.Chart(rows).mark_point().encode(x='x')"
    )
    assert outcome.state == "succeeded", outcome.traceback
    assert '"x": 5999' in page_of(outcome)


def test_bokeh_show_needs_no_output_notebook(run):
    outcome = run(
        "from bokeh.plotting import figure, show\nplot = figure()\nplot.line([1, 2], [2, 1])\n"
        "show(plot)\n# %%\nshow(plot)"
    )
    assert outcome.state == "succeeded", outcome.traceback
    page = page_of(outcome)
    assert page.count("data-root-id") >= 2
    assert page.count("bokeh_onload_callbacks = []") == 1


def test_output_captured_by_a_widget_is_shown(run):
    outcome = run(
        "import ipywidgets as w\nout = w.Output()\nwith out: print('captured')\nw.VBox([out, w.HTML('<b>rich</b>')])"
    )
    page = page_of(outcome)
    assert "<pre>captured</pre>" in page
    assert "<b>rich</b>" in page
