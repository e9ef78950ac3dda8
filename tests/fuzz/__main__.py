"""`make fuzz`: gives damaged and odd files to every type. A type must draw, or explain the error in its own words.

    python -m tests.fuzz [TYPE ...] [--cases N] [--seed WORD] [--first N] [--also FOLDER] [--out FOLDER]

It changes each type's example in small ways and runs the type's code on it, without a sandbox. It prints each finding
once per line of code, and keeps the file in `--out`. The same seed gives the same files. Exit status 1 if there are
findings.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.environments import ROOT
from tests.fuzz.finding import Case, cases_of, findings

CASES = 200


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.split("\n\n")[0])
    parser.add_argument("types", nargs="*", help="only these")
    parser.add_argument("--cases", type=int, default=CASES, help=f"for each type ({CASES})")
    parser.add_argument("--first", type=int, default=0, help="begin with this case")
    parser.add_argument("--seed", default="1", help="any word")
    parser.add_argument("--also", type=Path, help="a folder of files for types that read tables")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "fuzz", help="where the files of what is found go")
    given = parser.parse_args()
    seen: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="vzp-fuzz-") as folder:
        cases = cases_of(
            Path(folder), given.types, given.seed, range(given.first, given.first + given.cases), given.also
        )
        for case, said in findings(cases):
            place = said.partition(": ")[0]
            if place not in seen:
                seen.add(place)
                print(f"{case.type_key} {case.number}: {said}\n    {keep(case, given.out)}", flush=True)
    print(f"{len(seen)} found")
    return int(bool(seen))


def keep(case: Case, out: Path) -> Path:
    """Copies a case's files to `out` for inspection."""
    target = out / f"{case.type_key}-{case.number}"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    copy = shutil.copytree if case.source.is_dir() else shutil.copy
    return Path(copy(case.source, target / case.source.name))


if __name__ == "__main__":
    sys.exit(main())
