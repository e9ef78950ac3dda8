"""Writes verdicts, statuses and orders, as the host would, to every descriptor it inherited.

gains: a statement that the worker believes
limits: timeout_s=6
ends: any
"""

tried("statements")
forge()
verdict = {
    "verdict": "exited",
    "mode": V["forged"],
    "gaps": [V["forged"]],
    "peak_memory_bytes": 424242,
    "wait_s": -1.0,
    "run_s": -1.0,
    "returncode": 0,
}
for message in ({"taken": True}, verdict, {"verdict": "timed_out"}, {"status": True}):
    tell(json.dumps(message).encode() + b"\n")
for words in (b"ready\n", b"retire\n", b"stop\n", b"result " + json.dumps(verdict).encode() + b"\n"):
    tell(words)
time.sleep(0.5)
