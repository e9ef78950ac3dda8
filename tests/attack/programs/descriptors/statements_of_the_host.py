"""Writes exit statuses, statuses and orders, as the host does, to every inherited descriptor.

gains: a statement that the worker believes
limits: timeout_s=6
ends: any
"""

tried("statements")
forge()
exit_status = {
    "exit_status": "exited",
    "mode": V["forged"],
    "gaps": [V["forged"]],
    "peak_memory_bytes": 424242,
    "wait_s": -1.0,
    "run_s": -1.0,
    "returncode": 0,
}
for message in ({"taken": True}, exit_status, {"exit_status": "timed_out"}, {"status": True}):
    tell(json.dumps(message).encode() + b"\n")
for words in (b"ready\n", b"retire\n", b"stop\n", b"result " + json.dumps(exit_status).encode() + b"\n"):
    tell(words)
time.sleep(0.5)
