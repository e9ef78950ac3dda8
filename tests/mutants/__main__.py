"""`make mutants`: measures how many small faults in the most important modules their tests find.

    python -m tests.mutants [WORD ...] [--jobs N]

WORD is a part of a module's path. Prints each surviving mutant and a table. Exit status 1 if the tests of a module
kill less than 85 % of its mutants.

A mutant is tested in a fork of this process, which has imported the libraries but none of our modules, since this
import takes longer than the tests. Python's import gets the changed source, so that no file changes.
"""

import argparse
import ctypes
import importlib
import importlib.machinery
import os
import select
import signal
import sys
import time
import traceback
from pathlib import Path

import pytest

from tests.mutants.equivalent import EQUIVALENT
from tests.mutants.mutations import mutants_of
from tests.mutants.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
GOAL = 0.85
# Exclude modules that a test process sets up itself or that need its settings.
NOT_SHARED = ("_pytest", "pytest", "xdist", "django.contrib", "axes", "django_rq", "mozilla_django_oidc", "ninja")
OURS = ("apps", "localkfp", "manage", "mlmd", "renderer", "tests", "vizkit", "vizportal", "conftest")
PR_SET_PDEATHSIG = 1
# By exit status. Any other status is a kill: a test failed, the import failed, or it took too long.
VERDICTS = {0: "survived", 5: "not tested"}


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.split("\n\n")[0])
    parser.add_argument("words", nargs="*", help="parts of paths: only these modules")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    targets = {
        path: tests
        for path, tests in TARGETS.items()
        if not arguments.words or any(word in path for word in arguments.words)
    }
    import_libraries(sorted({test for tests in targets.values() for test in tests}))
    rows = [module_row(path, tests, arguments.jobs) for path, tests in targets.items()]
    print("\n| module | mutants | equivalent | killed | per cent |\n| --- | ---: | ---: | ---: | ---: |")
    for path, mutants, equivalent, killed in rows:
        print(f"| {path} | {mutants} | {equivalent} | {killed} | {share(mutants - equivalent, killed):.0%} |")
    return int(any(share(mutants - equivalent, killed) < GOAL for _, mutants, equivalent, killed in rows))


def share(mutants, killed):
    return killed / mutants if mutants else 1.0


def import_libraries(tests):
    """Imports the foreign modules that the tests import. A first run finds them."""
    reading, writing = os.pipe()
    child = Child(lambda: collect(tests, writing))
    os.close(writing)
    with os.fdopen(reading) as names:
        known = names.read().split()
    assert child.end(600) == 0, f"these tests cannot be collected: {tests}"
    for name in known:
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001 (a module that needs more is imported by each child)
            continue


def collect(tests, writing):
    code = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", *tests])
    names = [name for name in sys.modules if not name.startswith(OURS + NOT_SHARED) and "." in name]
    os.write(writing, "\n".join(names).encode())
    return code


def module_row(path, tests, jobs):
    """Tests a module's mutants and returns its path and the numbers of mutants, equivalent ones and killed ones."""
    file = ROOT / path
    mutants = mutants_of(file.read_text(encoding="utf-8"))
    equivalent = [mutant for mutant in mutants if mutant.name.split(": ", 1)[1] in EQUIVALENT.get(path, {})]
    tested = [mutant for mutant in mutants if mutant not in equivalent]
    began = time.monotonic()
    assert Child(lambda: run_tests(file, file.read_text(encoding="utf-8"), tests)).end(600) == 0, (
        f"{tests} fail without any mutant"
    )
    timeout_s = 20 + 5 * (time.monotonic() - began)
    killed = 0
    for mutant, code in outcomes(file, tested, tests, jobs, timeout_s):
        verdict = VERDICTS.get(code, "killed")
        killed += verdict == "killed"
        if verdict != "killed":
            print(f"{path}:{mutant.name}  {verdict}", flush=True)
    print(f"{path}: {killed} of {len(tested)} killed", flush=True)
    return path, len(mutants), len(equivalent), killed


def outcomes(file, mutants, tests, jobs, timeout_s):
    """Yields each mutant with the exit status of its tests, in order of completion."""
    waiting, running = list(mutants), {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop(0)
            running[Child(lambda mutant=mutant: run_tests(file, mutant.source, tests))] = mutant
        first = min(running, key=lambda child: child.started)
        left_s = max(0, first.started + timeout_s - time.monotonic())
        ready = select.select(running, [], [], left_s)[0] or [first]
        for child in ready:
            yield running.pop(child), child.end(0)


class Child:
    """A fork of this process in its own process group, which ends with it even if a mutant ignores signals."""

    def __init__(self, work):
        self.started = time.monotonic()
        self.pid = os.fork()
        if not self.pid:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            run(work)
        self.end_of = os.pidfd_open(self.pid)

    def fileno(self):
        return self.end_of

    def end(self, patience_s):
        """Returns the exit status. A child that has not ended after `patience_s` seconds is killed, with status -9."""
        if not select.select([self], [], [], patience_s)[0]:
            os.killpg(self.pid, signal.SIGKILL)
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.end_of)
        return os.waitstatus_to_exitcode(status)


def run(work):
    """Runs `work` in a newly forked child and exits with its return value."""
    code = 70
    try:
        os.setsid()
        silent = os.open(os.environ.get("MUTANTS_LOG", os.devnull), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        code = work()
    except BaseException:  # noqa: BLE001 (a child never returns)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def run_tests(file, source, tests):
    """Runs tests with changed source of one module."""
    real = importlib.machinery.SourceFileLoader.get_code

    def get_code(loader, name):
        if loader.path and Path(loader.path).resolve() == file:
            return compile(source, str(file), "exec", dont_inherit=True)
        return real(loader, name)

    importlib.machinery.SourceFileLoader.get_code = get_code
    return pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", "--no-migrations", *tests])


if __name__ == "__main__":
    sys.exit(main())
