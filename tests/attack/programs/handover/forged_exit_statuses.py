"""Leaves a result.json with invalid values, one in each round.

gains: an error in the trusted side, or a false statement that it believes
limits: timeout_s=6
repeat: 18
ends: any
"""

values = (
    '{"state": "succeeded", "cells": 1e999}',
    '{"state": "succeeded", "cells": NaN, "cells_s": NaN}',
    '{"state": "succeeded", "cells": ' + "9" * 5000 + "}",
    '{"state": "succeeded", "cells_s": 1e308, "convert_s": -1, "sandbox_s": Infinity}',
    '{"state": "failed", "reason": "user_error", "message": "\\ud800", "traceback": "\\udfff"}',
    '{"state": "failed", "reason": "\\ud800", "message": "\\u0000"}',
    '{"state": "failed", "reason": "user_error", "message": ["x"], "line": true}',
    '{"state": "failed", "reason": "user_error", "message": "' + "x" * 200_000 + '"}',
    "[" * 100_000,
    '{"state": "succeeded", "sandbox": "' + V["forged"] + '", "mode": "' + V["forged"] + '"}',
    '{"state": "succeeded", "peak_memory_bytes": 424242, "lock": "' + V["forged"] + '"}',
    "[]",
    "null",
    "",
    "\xff\xfe",
    '{"state": "succeeded"}' + " " * 300_000,
    '{"state": "cancelled", "reason": "cancelled", "exit_status": "timed_out"}',
    '{"state": {"a": 1}, "cells": [1], "cells_done": {}, "cells_s": "x", "figures": [[[[]]]]}',
)
forge()
try:
    with open("../result.json", "w", encoding="latin-1") as file:
        file.write(values[ROUND % len(values)])
    tried("exit_status", ROUND)
except OSError as error:
    say("REFUSED", "exit_status", error)
tell(b"done")
time.sleep(0.1)
os._exit(0)
