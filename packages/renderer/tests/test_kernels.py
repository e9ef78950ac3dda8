"""Kernels of their own process, through nbclient: another interpreter, another language, none of that name."""

import json
import os

import pytest

from tests.outcomes import notebook_of, page_of

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def toy_kernel(interpreter):
    """A kernel of another language, installed into the environment for this module: it answers with what it is sent."""
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


def test_python_in_a_kernel_of_its_own(run):
    outcome = run("import os\nprint('PARENT', os.getppid() > 0, variables['x'])", variables={"x": 5}, kernel="python3")
    assert (outcome.state, outcome.message) == ("succeeded", "")
    assert "PARENT True 5" in page_of(outcome)
    assert outcome.sandbox.startswith("landlock")


def test_an_error_in_a_kernel_says_where(run):
    outcome = run("# %%\nx = 1\n# %%\n\n1 / 0", kernel="python3")
    assert (outcome.state, outcome.reason, outcome.line) == ("failed", "user_error", 5)


def test_a_kernel_that_dies_says_so(run):
    outcome = run("import os; os._exit(1)", kernel="python3")
    assert (outcome.state, outcome.reason) == ("failed", "kernel_died")


def test_another_language_reads_its_inputs_itself(run, toy_kernel):
    outcome = run("# %%\nhello\n# %%\nworld", variables={"x": 5}, kernel=toy_kernel)
    assert (outcome.state, outcome.message) == ("succeeded", "")
    page = page_of(outcome)
    assert page.count("TOY") == 2
    assert "5" in page


def test_a_kernel_that_is_not_there_says_so(run):
    outcome = run("print(1)", kernel="cobol")
    assert (outcome.state, outcome.reason) == ("failed", "kernel_missing")
    assert "cobol" in outcome.message


def test_a_kernel_in_its_sandbox_has_no_network_and_sees_no_other_file(run, tmp_path):
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
