"""Starts 2,000 threads that sleep.

gains: more threads than the allowed number of processes
limits: max_processes=60 timeout_s=15
ends: too_many_processes, succeeded, user_error, timed_out, kernel_died
"""

threading.stack_size(32768)
tried("threads")
started = 0
try:
    for _ in range(2000):
        threading.Thread(target=time.sleep, args=(2,), daemon=True).start()
        started += 1
except RuntimeError as error:
    say("REFUSED", "thread", error)
time.sleep(1)
# A library may start a thread for each processor, so threads may be more than processes, within reason.
say("GAINED" if started > 10 * V["max_processes"] else "REFUSED", "threads", started)
