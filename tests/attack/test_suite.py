"""Test the suite itself: it detects attacks, and agrees with docs/threat-model.md."""

import shutil
import socket
import subprocess
import time

import pytest

from tests.attack import catalogue, elf, handover, modes, report, running, stage, survivors
from vizportal.settings import BASE_DIR

PROGRAMS = catalogue.read_all()


def test_threat_model_lists_exactly_the_remaining_attacks():
    text = (BASE_DIR / "docs" / "threat-model.md").read_text(encoding="utf-8")
    section = text.split("## What each mode leaves open\n")[1].split("\n## ")[0]
    # Tables about other attacks may follow.
    table, _, rest = section.strip().partition("| mode |")[2].partition("\n\n")
    assert f"| mode |{table}" == report.remaining(PROGRAMS.values())
    assert "| `none` |" not in rest


def test_there_are_enough_programs():
    assert len(PROGRAMS) >= 80
    assert {each.area for each in PROGRAMS.values()} == {
        "descriptors",
        "files",
        "handover",
        "limits",
        "neighbours",
        "processes",
        "sockets",
        "syscalls",
    }


@pytest.mark.parametrize("key", PROGRAMS)
def test_every_program_compiles_and_has_a_valid_header(key):
    program = PROGRAMS[key]
    compile(program.code, key, "exec")
    compile(program.next_code, key, "exec")
    assert program.summary.endswith(".")
    assert program.remains.keys() <= {*modes.SANDBOXES, *modes.TERMINATIONS, "root", "user"}
    assert program.only <= set(modes.SANDBOXES)


@pytest.mark.parametrize(
    ("text", "message"),
    [('"""A.\n\nends: any\n"""', "gains"), ('"""A.\n\ngains: x\nend: any\n"""', "no field")],
)
def test_invalid_header_raises_value_error(tmp_path, text, message):
    path = tmp_path / "program.py"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        catalogue.read(path)


@pytest.mark.skipif(not shutil.which("as") or not shutil.which("objcopy"), reason="no assembler here")
def test_machine_code_matches_its_source(tmp_path):
    source, made, code = (tmp_path / name for name in ("chain.s", "chain.o", "chain.bin"))
    source.write_text(elf.CHAIN_SOURCE)
    subprocess.run(["as", "--64", source, "-o", made], check=True)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", made, code], check=True)
    assert code.read_bytes() == elf.CHAIN_CODE


@pytest.fixture
def around(tmp_path):
    """Builds a stage without a host."""
    found = stage.build(stage.new_secret(), (tmp_path,))
    found.remember()
    yield found
    found.remove()


def test_untouched_stage_has_no_damage(around):
    assert around.damage() == []
    assert around.held_up() == []


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda s: (s.base / "outside" / "victim").write_text("x"), "victim changed"),
        (lambda s: (s.base / "outside" / "victim").chmod(0o600), "victim changed"),
        (lambda s: (s.base / "outside" / "new").mkdir(), "new changed"),
        (lambda s: (s.base / "data" / "secret_key").unlink(), "secret_key changed"),
        (lambda s: (s.watched[0] / "x").touch(), "changed"),
        (lambda s: s.canary.send_signal(19), "state changed"),
        (lambda s: (s.canary.kill(), s.canary.wait()), "canary process ended"),
        (lambda s: socket.create_connection(s.listeners["tcp"].getsockname()).close(), "tcp socket"),
        (lambda s: socket.socket(socket.AF_UNIX).connect(s.variables()["queue"]), "queue socket"),
    ],
)
def test_damage_is_detected(around, act, message):
    act(around)
    until = time.monotonic() + 10
    found = around.damage()
    while not found and time.monotonic() < until:
        found = around.damage()  # a signal takes a moment to arrive
    assert any(message in each for each in found)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import fcntl; f = open(PATH); fcntl.flock(f, fcntl.LOCK_SH)", "a lock"),
        ("import fcntl; f = open(PATH); fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_RDLCK)", "a lease"),
        ("import fcntl; f = open(PATH, 'r+'); fcntl.lockf(f, fcntl.LOCK_EX)", "a record lock"),
    ],
)
def test_locks_of_other_processes_are_detected(around, code, message):
    code = f"PATH = {str(around.shared)!r}\nimport signal; signal.signal(signal.SIGIO, signal.SIG_IGN)\n{code}"
    holder = subprocess.Popen(
        ["python3", "-c", f"{code}\nprint('held', flush=True)\ninput()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout.readline()
    assert any(message in each for each in around.held_up())
    holder.communicate(b"\n", timeout=10)


def test_surviving_process_is_found_and_ended(around):
    code = f"import os, time; f = os.open({str(around.lifeline)!r}, os.O_RDONLY | os.O_NONBLOCK); print(1, flush=True)"
    left = subprocess.Popen(["python3", "-c", f"{code}\ntime.sleep(60)"], stdout=subprocess.PIPE, cwd=around.base)
    assert left.stdout.readline()
    assert survivors.find(around.lifeline, around.base, "no mark") == [left.pid]
    survivors.end_all(around.lifeline, around.base, "no mark")
    assert left.wait() == -9
    left.stdout.close()
    assert not survivors.is_anybody_left(around.lifeline)


def test_fork_chain_is_detected_by_its_fifo(around, tmp_path):
    program = tmp_path / "chain"
    program.write_bytes(elf.build())
    program.chmod(0o700)
    code = f"import os; f = os.open({str(around.lifeline)!r}, os.O_RDONLY | os.O_NONBLOCK); os.set_inheritable(f, True)"
    command = [str(program), "20000", str(elf.SIGCHLD), "/bin/true"]
    subprocess.run(["python3", "-c", f"{code}\nos.execv({command[0]!r}, {command!r})"], check=True)
    # The first process ended long ago. Its descendants keep the pipe open.
    assert survivors.is_anybody_left(around.lifeline)
    survivors.end_all(around.lifeline, around.base, "no mark")


def test_wrong_digest_of_a_stored_file_is_detected():
    saved = type("Saved", (), {"name": "page", "sha256": "0" * 64, "size_bytes": 1})
    assert len(handover.mistakes([(saved, b"xy")])) == 2


def test_matrix_has_a_line_for_a_successful_attack():
    judgement = running.Judgement(
        mode="none/auto/root", program="files/x", verdict="SUCCEEDED", evidence=["why"], rounds=3, succeeded_rounds=2
    )
    text = report.matrix(["files/x"], [judgement])
    assert "| files/x | SUCCEEDED 2/3 |" in text
    assert "SUCCEEDED files/x in none/auto/root: why" in text


# --- Programs that must succeed, to show that the suite can fail by each of its checks ------------------------------

MUST_SUCCEED = {
    "a secret": ("reads('x', read, V['secret'])", "a secret came out"),
    "a file": ("open(V['victim'], 'w').write('x')", "victim changed"),
    "a socket": ("socket.create_connection(('127.0.0.1', V['tcp']))", "tcp socket was reached"),
    "a word": ("gained('x')", "it says"),
    "a signal": ("os.kill(V['canary'], signal.SIGSTOP)", "canary state changed"),
    "a priority": ("os.setpriority(os.PRIO_PROCESS, V['canary'], 19)", "canary nice changed"),
}


@pytest.fixture(scope="module")
def open_arena(interpreter):
    with modes.arena(modes.Mode("none", "group", modes.own_user()), interpreter) as found:
        yield found


def own_program(code, **fields):
    return catalogue.Program(area="files", name="own", summary="", gains="", code=code, **fields)


@pytest.mark.kernel
@pytest.mark.parametrize("name", MUST_SUCCEED)
def test_unconfined_attack_succeeds(open_arena, name):
    code, evidence = MUST_SUCCEED[name]
    try:
        found = running.run(open_arena, own_program(f"tried('x')\n{code}", ends=frozenset({"any"})))
    finally:
        (open_arena.stage.base / "outside" / "victim").write_text("unharmed")
        open_arena.stage.canary.send_signal(18)
    assert found.verdict == "SUCCEEDED"
    assert any(evidence in each for each in found.evidence), found.evidence


@pytest.mark.kernel
@pytest.mark.parametrize("code", ["", "nonsense(", "tried('x')\nraise ValueError"])
def test_program_that_did_not_run_is_broken(open_arena, code):
    assert running.run(open_arena, own_program(code)).verdict == "BROKEN"


@pytest.mark.kernel
def test_declared_remaining_attack_is_open(open_arena):
    program = own_program("gained('x')", remains={"none": "everything"})
    assert running.run(open_arena, program).verdict == "open"
