"""`make attack`: runs every attack program in every mode that the machine offers, and prints a matrix of the results.

    python -m tests.attack [--programs WORD ...] [--modes WORD ...] [--rounds N] [--users root user] [--out FILE]

Some programs run as another user: this process starts itself once for each user (users.py), and each such process
prints one line of JSON per judgement. Exit status 1 if an undeclared attack succeeded, or an attack did not run.
"""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from tests.attack import catalogue, report, users
from tests.attack.stage import new_secret
from vizportal.settings import BASE_DIR


def main():
    """Runs the command line."""
    arguments = _read_arguments()
    programs = [each for each in catalogue.read_all().values() if _is_wanted(each.key, arguments.programs)]
    if arguments.remaining:
        print(report.remaining(programs))
        return 0
    if arguments.user:
        return _run_as_user(arguments, programs)
    judgements = [each for user in arguments.users for each in _results_of(user, arguments)]
    text = report.matrix([each.key for each in programs], judgements)
    text = f"{text}\n\n{report.totals(judgements)}"
    print(text)
    if arguments.out:
        Path(arguments.out).write_text(text + "\n", encoding="utf-8")
    return int(not judgements or any(each.verdict in {"SUCCEEDED", "BROKEN"} for each in judgements))


def _read_arguments():
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__.split("\n\n")[0])
    parser.add_argument("--programs", nargs="*", default=[], help="parts of names: only these")
    parser.add_argument("--modes", nargs="*", default=[], help="parts of names, as landlock/auto/root: only these")
    parser.add_argument("--users", nargs="*", default=["root", "user"] if os.getuid() == 0 else ["user"])
    parser.add_argument("--rounds", type=int, help="repeat every program so often")
    parser.add_argument("--out", help="the matrix goes into this file as well")
    parser.add_argument("--remaining", action="store_true", help="print the table of docs/threat-model.md")
    parser.add_argument("--logs", help="what the renders print goes into this file")
    parser.add_argument("--user", help=argparse.SUPPRESS)
    return parser.parse_args()


def _is_wanted(name, words):
    return not words or any(word in name for word in words)


def _results_of(user, arguments):
    """Runs this program as another user and yields the judgements."""
    from tests.attack.running import Judgement

    command = [sys.executable, "-m", "tests.attack", "--user", user]
    for option in ("programs", "modes"):
        if getattr(arguments, option):
            command += [f"--{option}", *getattr(arguments, option)]
    for option in ("rounds", "logs"):
        if getattr(arguments, option):
            command += [f"--{option}", str(getattr(arguments, option))]
    # The secret is in the environment from the start, as in a portal, since /proc shows only the initial environment.
    environ = {**os.environ, "ATTACK_SECRET": new_secret(), "DJANGO_SETTINGS_MODULE": "vizportal.settings_test"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=BASE_DIR, env=environ) as process:
        for line in process.stdout:
            found = json.loads(line) if line.startswith("{") else {}
            if "verdict" in found:
                yield Judgement(**found)
            else:
                print(found.get("measured", line), file=sys.stderr)
    if process.returncode:
        raise SystemExit(f"the attacks as {user} ended with {process.returncode}")


def _run_as_user(arguments, programs):
    logs = Path(arguments.logs).open("a", encoding="utf-8", errors="backslashreplace") if arguments.logs else None  # noqa: SIM115
    users.become(arguments.user)
    import django

    django.setup()
    from tests.attack import modes, running, starvation

    interpreter = BASE_DIR / ".environments" / "base" / "bin" / "python"
    for mode in modes.candidates(arguments.user):
        if not _is_wanted(mode.label, arguments.modes):
            continue
        try:
            with modes.arena(mode, interpreter) as arena:
                for program in programs:
                    judgement = running.run(arena, program, rounds=arguments.rounds, logs=logs)
                    print(f"{mode.label} {program.key}: {judgement.verdict} {judgement.seconds} s", file=sys.stderr)
                    print(json.dumps(asdict(judgement)), flush=True)
        except modes.NotOfferedError as error:
            print(f"{mode.label} is not offered here: {error}", file=sys.stderr)
            continue
        if not arguments.programs:
            with modes.arena(mode, interpreter, slots=1 + len(starvation.HOGS)) as arena:
                print(json.dumps({"measured": starvation.measure(arena)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
