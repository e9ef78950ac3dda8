"""Runs in an environment: reads orders (code, source, variables) as lines of JSON, and returns the error of each.

The response is "" for a result and for a ValueError of the toolkit that is worded for people. Otherwise it is the
error and the line of the toolkit that raised it.
"""

import contextlib
import io
import json
import os
import re
import resource
import signal
import sys
import traceback
from pathlib import Path

TOOLKIT, CHILD = map(Path, sys.argv[1:])
# Of the processor: on a busy machine a case may wait.
MOST_S = 20
MOST_BYTES = 6 * 1024**3


class TooSlowError(BaseException):
    """A case takes too long. The toolkit does not catch this exception."""


def too_slow(*_signal):
    raise TooSlowError(f"more than {MOST_S} s of the processor")


def is_for_people(text):
    """Returns whether an error is worded for people and does not only repeat a message of Python or a library."""
    return bool(text) and not re.search(r"has no attribute|NoneType|object is not|indices must|unhashable", text)


def run(order):
    names = {
        "source": order["source"],
        "source_uri": f"minio://b/{Path(order['source']).name}",
        "variables": order["variables"],
    }
    signal.setitimer(signal.ITIMER_PROF, MOST_S)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            exec(compile(order["code"], "<type>", "exec"), {"__name__": "__main__", **names})
    except TooSlowError as error:
        return f"{error} in {place_of(error)}"
    except SystemExit:
        return ""
    # A panic of Rust code in polars is not an Exception.
    except BaseException as error:  # noqa: BLE001 (what escapes a type is what is looked for)
        place = place_of(error)
        last = traceback.extract_tb(error.__traceback__)[-1].filename
        is_ours = last == "<type>" or last.startswith(str(TOOLKIT))
        if is_ours and isinstance(error, ValueError) and is_for_people(str(error)):
            return ""
        return f"{type(error).__name__} in {place}: {str(error).splitlines()[0][:120] if str(error) else ''}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return ""


def place_of(error):
    """Returns the last line of the toolkit or of the type in an error's traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [each for each in frames if each.filename.startswith(str(TOOLKIT)) or each.filename == "<type>"]
    last = ours[-1] if ours else frames[-1]
    return f"{last.filename.removeprefix(f'{TOOLKIT}/')}:{last.lineno}"


def main():
    sys.path[:0] = [str(TOOLKIT.parent), str(CHILD)]
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    signal.signal(signal.SIGPROF, too_slow)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        answer = run(json.loads(line))
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        if answer.startswith("more than"):
            os._exit(1)


if __name__ == "__main__":
    main()
