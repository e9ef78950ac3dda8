"""Run kernels in a separate process with nbclient: Python, another language, and a missing kernel."""

import json
import os

import pytest

from tests.outcomes import notebook_of, page_of

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def toy_kernel(interpreter):
    """Installs a kernel of another language into the environment. It echoes the code that it receives."""
    folder = interpreter.parents[1] / "share" / "jupyter" / "kernels" / f"toy-{os.getpid()}"
    folder.mkdir(parents=True)
    program = folder / "toy.py"
    program.write_text("""
import json
from ipykernel.kernelbase import Kernel
class Toy(Kernel):
    implementation = language = banner = "toy"
    implementation_version = language_version = "1"
    language_info = {"name": "toy", "mimetype": "text/plain", "file_extension": ".toy"}
    def do_execute(self, code, silent, *args, **more):
        inputs = json.load(open("../inputs.json"))
        text = f"TOY {code!r} {inputs['variables']}"
        self.send_response(self.iopub_socket, "stream", {"name": "stdout", "text": text})
        return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
if __name__ == "__main__":
    from ipykernel.kernelapp import IPKernelApp
    IPKernelApp.launch_instance(kernel_class=Toy)
""")
    argv = [str(interpreter), str(program), "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Toy", "language": "toy"}))
    yield folder.name
    for path in (program, folder / "kernel.json"):
        path.unlink()
    folder.rmdir()


def test_python_runs_in_a_separate_kernel(run):
    outcome = run("import os\nprint('PARENT', os.getppid() > 0, variables['x'])", variables={"x": 5}, kernel="python3")
    assert (outcome.state, outcome.message) == ("succeeded", "")
    assert "PARENT True 5" in page_of(outcome)
    assert outcome.sandbox.startswith("landlock")


def test_kernel_error_has_its_line(run):
    outcome = run("# %%\nx = 1\n# %%\n\n1 / 0", kernel="python3")
    assert (outcome.state, outcome.reason, outcome.line) == ("failed", "user_error", 5)


def test_dead_kernel_is_reported_as_kernel_died(run):
    outcome = run("import os; os._exit(1)", kernel="python3")
    assert (outcome.state, outcome.reason) == ("failed", "kernel_died")


def test_kernel_of_another_language_reads_its_own_inputs(run, toy_kernel):
    outcome = run("# %%\nhello\n# %%\nworld", variables={"x": 5}, kernel=toy_kernel)
    assert (outcome.state, outcome.message) == ("succeeded", "")
    page = page_of(outcome)
    assert page.count("TOY") == 2
    assert "5" in page


def test_missing_kernel_is_reported_by_name(run):
    outcome = run("print(1)", kernel="cobol")
    assert (outcome.state, outcome.reason) == ("failed", "kernel_missing")
    assert "cobol" in outcome.message


def test_sandboxed_kernel_cannot_reach_network_or_other_files(run, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("canary")
    outcome = run(
        f"import socket\nsocket.socket(socket.AF_INET)\nprint(open({str(secret)!r}).read())", kernel="python3"
    )
    assert outcome.state == "failed"
    assert "PermissionError" in outcome.message
    outcome = run(f"print(open({str(secret)!r}).read())", kernel="python3")
    assert outcome.state == "failed"
    assert "canary" not in notebook_of(outcome).replace(str(secret), "")
