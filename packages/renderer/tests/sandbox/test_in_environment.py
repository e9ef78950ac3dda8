"""Run an environment's own interpreter inside the sandbox."""

import subprocess
import textwrap

import pytest

from packages.renderer.tests.sandbox.forks import CHILD, needs_confinement

ENTER = """
import os, sys
sys.path.insert(0, {child!r})
from render_child.sandbox import confinement as sandbox
os.environ.update(HOME={room!r}, TMPDIR={room!r}, MPLCONFIGDIR={room!r}, IPYTHONDIR={room!r})
os.chdir({room!r})
def enter(sockets):
    box = sandbox.Sandbox.prepare(mode="landlock", read_paths=sandbox.read_paths())
    box.enter(readable=[], writable=[{room!r}], sockets=sockets, max_file_bytes=10**8)
"""
USE_LIBRARIES = """
import io, numpy, pandas, polars, matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
if {is_before}:
    pid = os.fork()
    if pid:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    enter("none")
a = numpy.random.default_rng(0).random((400, 400))
assert (a @ numpy.linalg.inv(a)).trace() > 399
pandas.DataFrame({{"a": [1, 2]}}).to_csv("a.csv")
assert pandas.read_csv("a.csv").a.sum() == 3
assert polars.read_csv("a.csv").lazy().filter(polars.col("a") > 1).collect().height == 1
plt.plot([1, 2]); plt.title("x"); plt.savefig("a.png")
try:
    open("/etc/shadow")
except PermissionError:
    print("done")
"""
RUN_KERNEL = """
enter("unix")
import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
cell = nbformat.v4.new_code_cell("print(open('/etc/shadow'))")
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("6 * 7"), cell])
manager = AsyncKernelManager(transport="ipc", ip="kernel")
NotebookClient(notebook, km=manager, startup_timeout=60, allow_errors=True).execute()
assert notebook.cells[0].outputs[0]["data"]["text/plain"] == "42"
print(notebook.cells[1].outputs[0]["ename"])
"""


def run_script(interpreter, directory, script, **fields):
    code = textwrap.dedent(ENTER + script).format(child=str(CHILD), room=str(directory), **fields)
    environ = {"PATH": f"{interpreter.parent}:/usr/bin:/bin"}
    command = [interpreter, "-I", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=120, check=False)
    return done.stdout.strip() or done.stderr[-3000:]


@needs_confinement
@pytest.mark.kernel
@pytest.mark.parametrize("is_before", [True, False], ids=["imported before", "imported inside"])
def test_libraries_work_inside(interpreter, tmp_path, is_before):
    enter = "" if is_before else 'enter("none")\n'
    assert run_script(interpreter, tmp_path, enter + USE_LIBRARIES, is_before=is_before) == "done"


@needs_confinement
@pytest.mark.kernel
def test_kernel_process_works_inside(interpreter, tmp_path):
    assert run_script(interpreter, tmp_path, RUN_KERNEL) == "PermissionError"
