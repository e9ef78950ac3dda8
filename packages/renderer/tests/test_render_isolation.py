"""A render cannot see or change its worker, other renders or the machine."""

import re
import shutil

import pytest
import renderer

from tests.jobs import make_job
from tests.outcomes import notebook_of

pytestmark = pytest.mark.kernel


def test_code_cannot_reach_the_worker_or_its_secrets(run, host, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "canary-in-env")
    secret = tmp_path / "db.sqlite3"
    secret.write_text("canary-in-file")
    other = tmp_path / "other-render"
    other.mkdir()
    (other / "result.html").write_text("canary-in-render")
    outcome = run(f"""
import glob, os, socket, urllib.request
def attempt(name, what):
    try:
        print(name, "GOT", what())
    except BaseException as error:
        print(name, "BLOCKED", type(error).__name__)
attempt("file", lambda: open({str(secret)!r}).read())
attempt("render", lambda: open({str(other / "result.html")!r}).read())
attempt("list", lambda: os.listdir({str(tmp_path)!r}))
attempt("root", lambda: os.listdir("/"))
attempt("parent", lambda: open(f"/proc/{{os.getppid()}}/environ").read())
attempt("memory", lambda: open(f"/proc/{{os.getppid()}}/mem").read(1))
attempt("shadow", lambda: open("/etc/shadow").read())
attempt("tcp", lambda: socket.create_connection(("127.0.0.1", 80), 1))
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
attempt("dns", lambda: socket.getaddrinfo("example.com", 80))
attempt("unix", lambda: socket.socket(socket.AF_UNIX).connect({str(host.spec.socket_path)!r}))
attempt("kill", lambda: os.kill(os.getppid(), 0))
attempt("shm", lambda: open("/dev/shm/x", "w"))
attempt("tmp", lambda: open("/tmp/x", "w"))
print("ENV", sorted(os.environ))
""")
    text = notebook_of(outcome)
    assert outcome.state == "succeeded", outcome.message
    assert re.findall(r"(\w+) GOT", text) == []
    assert len(re.findall(r"\w+ BLOCKED", text)) == 14
    assert "canary" not in text
    assert "SECRET" not in text
    assert outcome.sandbox.startswith("landlock; ended by ")


def test_state_does_not_leak_into_the_next_render(run):
    run("import builtins, numpy, os\nbuiltins.leak = numpy.leak = 1\nos.environ['LEAK'] = '1'\nleaked = 1")
    outcome = run(
        "import builtins, numpy, os\n"
        "print(hasattr(builtins, 'leak'), hasattr(numpy, 'leak'), 'LEAK' in os.environ, 'leaked' in globals())"
    )
    assert "False False False False" in outcome.log


def test_renders_get_different_random_numbers(run):
    code = "import numpy, random, uuid\nprint('DRAWN', numpy.random.rand(), random.random(), uuid.uuid4())"
    assert run(code).log != run(code).log


def test_custom_code_is_refused_without_sandbox(interpreter, tmp_path):
    spec = renderer.HostSpec(
        environment="base",
        interpreter=interpreter,
        run_dir=tmp_path / "run",
        work_root=tmp_path,
        sandbox="none",
        idle_s=1,
    )
    host = renderer.RenderHost(spec)

    def render(name, **order):
        directory = tmp_path / name
        directory.mkdir()
        with renderer.render(
            make_job(code="print(1)", variables={}, **order),
            host=host,
            directory=directory,
            on_progress=lambda _: None,
            is_cancelled=lambda: False,
        ) as outcome:
            return outcome

    refused, allowed = render("a", needs_sandbox=True), render("b")
    assert (refused.state, refused.reason) == ("failed", "unconfined")
    assert "confines" in refused.message
    assert allowed.state == "succeeded"
    assert allowed.sandbox.endswith("open: files, network, signals")


@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")
def test_bubblewrap_around_the_host_hides_the_portal_too(interpreter, tmp_path):
    spec = renderer.HostSpec(
        environment="base",
        interpreter=interpreter,
        run_dir=tmp_path / "data" / "run",
        work_root=tmp_path / "data" / "work",
        sandbox="bwrap",
        idle_s=1,
    )
    host = renderer.RenderHost(spec)
    try:
        status = host.status()
    except renderer.HostLostError as error:
        pytest.skip(f"no namespaces here: {error}")
    directory = spec.work_root / "render"
    directory.mkdir()
    with renderer.render(
        make_job(code="print('fine')", variables={}),
        host=host,
        directory=directory,
        on_progress=lambda _: None,
        is_cancelled=lambda: False,
    ) as outcome:
        pass
    assert status["mode"] == "bwrap+landlock"
    assert (outcome.state, outcome.sandbox.partition(";")[0]) == ("succeeded", "bwrap+landlock")
    host.leave()
