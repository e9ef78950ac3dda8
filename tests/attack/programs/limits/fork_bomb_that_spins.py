"""Doubles itself eight times; each process uses all the processor time that it gets.

gains: the machine's processors
limits: max_processes=60 timeout_s=8
ends: too_many_processes, succeeded, user_error, timed_out
suite: attack
"""

readable, writable = os.pipe()
tried("bomb")
first = os.getpid()
for _ in range(8):
    try:
        if not os.fork():
            signal.alarm(10)
            os.write(writable, b"x")
    except OSError:
        time.sleep(0.2)
if os.getpid() != first:
    until = time.monotonic() + 4
    while time.monotonic() < until:
        pass
    os._exit(0)
time.sleep(1)
count = len(os.read(readable, 4096))
# The kernel's limit counts threads too, so it is some times higher than that for processes.
say("GAINED" if count > 5 * V["max_processes"] else "REFUSED", "processes", count)
