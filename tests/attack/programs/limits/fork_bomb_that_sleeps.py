"""Doubles itself ten times and sleeps: 1,023 processes.

gains: more processes than allowed, so many that no other process can run
limits: max_processes=60 timeout_s=15
ends: too_many_processes, succeeded, user_error, timed_out
"""

readable, writable = os.pipe()
signal.alarm(30)
tried("bomb")
first = os.getpid()
for _ in range(10):
    try:
        if not os.fork():
            signal.alarm(20)
            os.write(writable, b"x")
    except OSError:
        time.sleep(0.2)
if os.getpid() != first:
    time.sleep(10)
    os._exit(0)
signal.alarm(0)
time.sleep(1)
count = len(os.read(readable, 4096))
# The kernel's limit counts threads too, so it is some times higher than that for processes.
say("GAINED" if count > 5 * V["max_processes"] else "REFUSED", "processes", count)
time.sleep(3)
if count > V["max_processes"]:
    gained("processes that stay", count)
