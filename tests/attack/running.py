"""Runs an attack program in a mode, and judges the result from outside."""

import os
import re
import shutil
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import renderer
from renderer.clearing import tree_remove

from tests.attack import elf, handover, survivors
from tests.attack.stage import SECRET, shared_memory_remove
from tests.jobs import make_job

PRELUDE = Path(__file__).with_name("prelude.py").read_text(encoding="utf-8")
_OVER = '\n# %%\nsay("OVER", "program")\n'
_SAID = re.compile(r"^(GAINED|REFUSED|TRIED|OVER) (.*)$", re.MULTILINE)
_TRIED = re.compile(rb"\b(GAINED|REFUSED|TRIED) ")
# A forged statement uses this value, which no host of the product produces.
FORGED = "FORGED-424242"


@dataclass(slots=True)
class Judgement:
    """The result of a program in a mode.

    Attributes:
        verdict: blocked, open (declared as remaining), SUCCEEDED, BROKEN (it did not run as meant), n/a.
        evidence: what it gained, or why it is broken.
    """

    mode: str
    program: str
    verdict: str
    evidence: list[str] = field(default_factory=list)
    rounds: int = 0
    succeeded_rounds: int = 0
    seconds: float = 0.0


def run(arena, program, *, rounds=None, logs=None):
    """Runs a program `rounds` times, by default as often as its header says, and judges it.

    Args:
        logs: an open file, to which each render's output is appended.
    """
    found = Judgement(mode=arena.mode.label, program=program.key, verdict="blocked")
    if why := _not_applicable(arena.mode, program):
        found.verdict, found.evidence = "n/a", [why]
        return found
    began = time.monotonic()
    for number in range(rounds or program.repeat):
        attack = _Attack(arena, program, number, logs)
        gains = attack.run()
        found.rounds += 1
        found.succeeded_rounds += bool(gains)
        found.evidence += [gain for gain in gains if gain not in found.evidence]
        if attack.broken and not gains:
            found.verdict = "BROKEN"
            found.evidence.append(attack.broken)
            break
    if found.succeeded_rounds:
        found.verdict = "open" if arena.mode.names() & program.remains.keys() else "SUCCEEDED"
    found.seconds = round(time.monotonic() - began, 2)
    return found


def _not_applicable(mode, program):
    if program.only and not program.only & mode.names():
        return f"only in {', '.join(sorted(program.only))}"
    if program.needs & {"chain", "x86_64"} and os.uname().machine != "x86_64":
        return "machine code for x86-64"
    return ""


class _Attack:
    """One round: one or two renders, and a check of what changed."""

    def __init__(self, arena, program, number, logs):
        self._arena, self._program, self._number = arena, program, number
        self._stage = arena.stage
        self._gains = []
        self._logs = logs
        self.broken = ""

    def run(self):
        """Returns descriptions of what it gained."""
        self._arena.remember()
        for code in (self._program.code, *filter(None, [self._program.next_code])):
            directory = self._stage.work_root / f"render-{uuid.uuid4().hex[:12]}"
            directory.mkdir(mode=0o700)
            try:
                self._render(code, directory)
            finally:
                _remove(directory)
        self._gains += self._stage.damage()
        shared_memory_remove()
        return self._gains

    def _render(self, code, directory):
        mark = uuid.uuid4().hex
        seen = []
        limits = {"timeout_s": 20, "max_memory_bytes": 2 * 1024**3, **self._program.limits}
        job = make_job(
            code=f"{PRELUDE}\n# %%\n{code}{_OVER}",
            variables={**self._stage.variables(), **self._own_variables(mark, limits)},
            source=str(self._stage.lifeline),
            packages=self._stage.shared.parent,
            title="attack",
            **limits,
        )
        try:
            outcome = renderer.render(
                job,
                host=self._arena.host,
                directory=directory,
                on_progress=lambda progress: self._look(progress, seen),
                is_cancelled=lambda: self._is_cancelled(seen),
            )
            # Store the result first, as a worker does. The last processes may still be ending.
            self._judge(outcome, seen, job)
        except renderer.HostLostError as error:
            self._gains.append(f"the host was lost: {error}")
        except Exception as error:  # noqa: BLE001  (whatever a render makes the trusted side raise is a finding)
            self._gains.append(f"the trusted side raised {type(error).__name__}: {error}")
        finally:
            self._look_for_survivors(directory, mark)

    def _own_variables(self, mark, limits):
        return {
            "chain": elf.build().hex(),
            "round": self._number,
            "mark": mark,
            "forged": FORGED,
            "max_processes": limits.get("max_processes", 128),
            "max_memory_bytes": limits["max_memory_bytes"],
            "max_disk_bytes": limits.get("max_disk_bytes", 2 * 1024**3),
        }

    def _look(self, progress, seen):
        seen.append((progress.log, progress.page))
        self._gains += [each for each in self._stage.held_up() if each not in self._gains]

    def _is_cancelled(self, seen):
        """Counts from the first attempt, since the code may start late on a busy machine."""
        after_s = self._program.cancel_after_s
        begun = next((number for number, (log, _) in enumerate(seen) if _TRIED.search(log.encode())), len(seen))
        return after_s is not None and (len(seen) - begun) * 0.25 >= after_s

    def _look_for_survivors(self, directory, mark):
        lifeline = self._stage.lifeline
        if survivors.is_anybody_left(lifeline) or survivors.find(lifeline, directory, mark):
            self._gains.append("a process outlived its render")
            survivors.end_all(lifeline, directory, mark)

    def _judge(self, outcome, seen, job):
        if self._logs:
            head = f"--- {self._program.key} in {self._arena.mode.label}: {outcome.state} {outcome.reason}"
            print(head, outcome.message, outcome.log, sep="\n", file=self._logs, flush=True)
        stored = self._store(outcome, job)
        contents = [handover.content_of(each) for each in (outcome.html, outcome.notebook) if each]
        outcome.close()
        texts = handover.texts_of(outcome)
        said = outcome.log + "".join(log for log, _ in seen)
        everything = [*contents, *(content for _, content in stored), *(page for _, page in seen if page)]
        everything += [text.encode("utf-8", "surrogatepass") for text in (*texts.values(), said)]
        if any(SECRET.search(each) for each in everything):
            self._gains.append("a secret came out")
        self._gains += [f"it says: {text[:150]}" for word, text in _SAID.findall(outcome.log) if word == "GAINED"]
        self._gains += _untrue(outcome, texts, self._arena.status)
        self._gains += self._arena.host_damage()
        self._check_end(outcome, contents)

    def _store(self, outcome, job):
        folder = self._stage.base / "store"
        try:
            stored = handover.store(outcome, folder)
        except handover.StuckError as error:
            self._gains.append(str(error))
            return []
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self._gains += handover.mistakes(stored)
        if any(len(content) > job.limits.max_html_bytes for saved, content in stored if "html" in saved.name):
            self._gains.append("a page above the limit was stored")
        return stored

    def _check_end(self, outcome, contents):
        """Checks that "blocked" means that the attack was tried."""
        text = outcome.log.encode() + b"".join(contents)
        if not _TRIED.search(text) and not self._program.is_silent:
            self.broken = f"it tried nothing: {outcome.state} {outcome.reason} {outcome.message[:300]}"
        elif not {outcome.state, outcome.reason, "any"} & self._program.ends:
            self.broken = f"it ended otherwise: {outcome.state} {outcome.reason} {outcome.message[:300]}"


def _untrue(outcome, texts, status):
    """Returns false statements in the outcome. Only the render itself can have made them."""
    found = [f"{name} cannot be stored as text" for name, text in texts.items() if not _is_text(text)]
    own = {name: text for name, text in texts.items() if name not in {"log", "message", "traceback"}}
    found += [f"{name} is forged" for name, text in own.items() if FORGED in text]
    if not outcome.sandbox.startswith(status["mode"]):
        found.append(f"the receipt names another sandbox: {outcome.sandbox[:80]}")
    if outcome.peak_memory_bytes == 424242 or any(value < 0 for value in outcome.timings.values()):
        found.append("measurements are forged")
    return found


def _is_text(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def _remove(directory):
    """Removes a render's directory as the product does."""
    tree_remove(directory)
    # A render without a sandbox may have changed it.
    for path in directory.parent.glob(f"{directory.name}*"):
        path.unlink() if path.is_symlink() else tree_remove(path)
