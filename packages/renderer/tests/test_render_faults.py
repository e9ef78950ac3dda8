"""Hostile and faulty code ends with a reason, in time, and leaves nothing behind."""

import errno
import os
import resource
import socket
import time
from pathlib import Path

import pytest
from renderer.child.render_child.host import processes
from renderer.render import Wait

from tests.jobs import make_job

pytestmark = pytest.mark.kernel

FAULTS = {
    "a loop": ("while True: pass", {"timeout_s": 2}, ("timed_out", "timed_out"), 20),
    "a loop that swallows everything": (
        (
            "import signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n"
            "    except Exception: pass\n"
            "while True:\n    try: pass\n    except BaseException: pass"
        ),
        {"timeout_s": 2},
        ("timed_out", "timed_out"),
        20,
    ),
    "10 GB at once": (
        "x = bytearray(10 * 1024**3)\nx[::4096] = b'x' * len(x[::4096])",
        {"max_memory_bytes": 2**29},
        ("failed", "out_of_memory"),
        20,
    ),
    "a slow memory hog": (
        "import time\nx = []\nwhile True:\n    x.append(bytearray(b'x' * 30_000_000)); time.sleep(0.05)",
        {"max_memory_bytes": 2**29},
        ("failed", "out_of_memory"),
        20,
    ),
    "a hog in another process": (
        (
            "import subprocess, sys\n"
            "subprocess.run([sys.executable, '-c', 'x = [bytearray(b\"x\" * 10**7) for _ in range(10**4)]'])"
        ),
        {"max_memory_bytes": 2**29},
        ("failed", "out_of_memory"),
        20,
    ),
    "1000 forks": (
        "import os, time\nfor _ in range(1000):\n    if not os.fork(): time.sleep(60); os._exit(0)\ntime.sleep(60)",
        {"max_processes": 30},
        ("failed", "too_many_processes"),
        20,
    ),
    "a fork bomb of sessions": (
        (
            "import os, time\nwhile True:\n    if not os.fork():\n        os.setsid()\n"
            "        if os.fork(): os._exit(0)\n        time.sleep(60)"
        ),
        {"max_processes": 30},
        ("failed", "too_many_processes"),
        20,
    ),
    # It ends within milliseconds, before the host checks the limits.
    "forks that are refused": (
        "import os, time\nfor _ in range(1000):\n    if not os.fork(): time.sleep(60); os._exit(0)",
        {"max_processes": 2},
        ("failed", "too_many_processes"),
        20,
    ),
    "1 GB printed": (
        "for _ in range(1000): print('x' * 10**6)",
        {"max_html_bytes": 10**7},
        ("failed", "html_too_big"),
        30,
    ),
    "1 GB printed past Python": (
        "import os\nos.system('yes | head -c 1000000000')\nos.system('yes | head -c 1000000000 >&2')",
        {"max_html_bytes": 10**7},
        ("failed", "html_too_big"),
        30,
    ),
    "150 MB of HTML": (
        "from IPython.display import HTML\nHTML('x' * 150_000_000)",
        {"max_html_bytes": 10**7},
        ("failed", "html_too_big"),
        30,
    ),
    "a million files": (
        "for i in range(10**6): open(f'f{i}', 'w').close()",
        {"timeout_s": 60},
        ("failed", "disk_full"),
        20,
    ),
    "a file without end": (
        "f = open('f', 'wb')\nwhile True: f.write(bytes(10**7))",
        {"max_html_bytes": 10**7},
        ("failed", "user_error"),
        30,
    ),
    "many large files": (
        "for i in range(10**4):\n    with open(f'f{i}', 'wb') as f: f.write(bytes(5 * 10**6))",
        {"max_disk_bytes": 10**8},
        ("failed", "disk_full"),
        30,
    ),
    "os._exit": ("import os; os._exit(0)", {}, ("failed", "kernel_died"), 20),
    "SIGKILL to itself": ("import os; os.kill(os.getpid(), 9)", {}, ("failed", "kernel_died"), 20),
    "a segfault": ("import ctypes; ctypes.string_at(0)", {}, ("failed", "kernel_died"), 20),
    "SIGSTOP to itself": ("import os; os.kill(os.getpid(), 19)", {"timeout_s": 2}, ("timed_out", "timed_out"), 20),
    "input": ("input()", {}, ("failed", "user_error"), 20),
    "stdin": ("import sys; assert sys.stdin.read() == ''\nraise ValueError('empty')", {}, ("failed", "user_error"), 20),
    "exit with cells to come": ("# %%\nexit()\n# %%\nprint(1)", {}, ("failed", "kernel_died"), 20),
    "a link beside the results": (
        "import os; os.symlink('/etc/passwd', '../result.html')",
        {},
        ("failed", "user_error"),
        15,
    ),
    "progress is replaced": ("import os; os.rename('f', '../progress')", {}, ("failed", "user_error"), 15),
    "its folder is moved away": ("import os; os.rename('../work', '../elsewhere')", {}, ("failed", "user_error"), 15),
    "files without a name": (
        (
            "import os\nopen_files = []\nwhile True:\n    f = open('f', 'wb'); os.unlink('f'); open_files.append(f)\n"
            "    f.write(bytes(5 * 10**6)); f.flush()"
        ),
        {"max_disk_bytes": 10**8},
        ("failed", "disk_full"),
        30,
    ),
    "mapped files without a name": (
        (
            "import mmap, os\nmaps = []\nwhile True:\n    with open('f', 'w+b') as f:\n"
            "        f.write(bytes(5 * 10**6)); f.flush(); os.unlink('f'); maps.append(mmap.mmap(f.fileno(), 0))"
        ),
        {"max_disk_bytes": 10**8},
        ("failed", "disk_full"),
        30,
    ),
    "memory shared with itself": (
        "import mmap\nmaps = []\nwhile True:\n    m = mmap.mmap(-1, 10**8); m.write(bytes(10**8)); maps.append(m)",
        {"max_memory_bytes": 10**9},
        ("failed", "out_of_memory"),
        30,
    ),
    "deep folders": (
        "import os\nfor _ in range(3000):\n    os.mkdir('d'); os.chdir('d')",
        {},
        (None, None),
        20,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_ends_with_its_reason_in_time(run, host, name):
    code, limits, (state, reason), within_s = FAULTS[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    outcome = run(code, **limits)
    elapsed_s = time.monotonic() - started
    assert state in {None, outcome.state}, outcome.message
    assert reason in {None, outcome.reason}, outcome.message
    assert outcome.state == "succeeded" or outcome.message
    assert elapsed_s < within_s
    # The trusted side read nothing large, and the host serves the next render.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
    assert run("print('next')").state == "succeeded"


def test_faulty_renders_leave_no_process(run, host):
    supervisor = host.supervisor_pid()
    forks = "import os, time\nfor _ in range(10):\n    if not os.fork():\n        os.setsid(); time.sleep(60)\n"
    outcomes = [
        run(f"{forks}time.sleep(60)", timeout_s=2),
        run("import subprocess, os\nsubprocess.Popen(['sleep', '60'], start_new_session=True); os._exit(1)"),
        run("import subprocess\nfor _ in range(5): subprocess.Popen(['setsid', 'sh', '-c', 'sleep 60 & sleep 60'])"),
    ]
    for outcome in outcomes:
        outcome.wait_for_end()
    assert not {"sleep", "sh", "setsid"} & names_below(supervisor)


def names_below(root):
    """Returns the names of the running descendants of a process."""
    return {Path(f"/proc/{pid}/comm").read_text().strip() for pid in processes.descendants(root)}


def test_cancel_does_not_wait_for_the_code(run):
    started = time.monotonic()
    outcome = run("import time\ntime.sleep(60)", cancel_after=1, timeout_s=60)
    assert outcome.state == "cancelled"
    # Measured 0.3 to 0.7 s; the machine may be busy.
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("left", [0, 1, 2])
def test_lack_of_file_descriptors_is_not_blamed_on_the_code(tmp_path, left):
    """Without free descriptors, the kernel drops those of the results silently, as if the host had sent none."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    ours, theirs = socket.socketpair()
    order = make_job(code="", variables={})
    wait = Wait(ours, order, tmp_path, 0, on_progress=lambda _: None, is_cancelled=lambda: False)
    with theirs, (tmp_path / "result").open("wb") as result:
        socket.send_fds(theirs, [b'{"exit_status": "exited", "returncode": 0}\n'], [result.fileno()] * 3)
        theirs.sendall(b'{"gone": true}\n')
        before = len(list(Path("/proc/self/fd").iterdir()))
        free = [os.dup(0) for _ in range(left + 1)]
        for each in free:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free[left], limits[1]))
        try:
            with pytest.raises(OSError, match="open files") as raised:
                wait.exit_status()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        # The received descriptors and the connection are closed, since no process of the render is left.
        assert len(list(Path("/proc/self/fd").iterdir())) == before - 1
    assert raised.value.errno == errno.EMFILE
