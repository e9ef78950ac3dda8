"""Leaves threads and a process with many threads behind, and ends only the main thread.

gains: threads that continue after the render
ends: kernel_died, succeeded, timed_out
limits: timeout_s=3
"""


def threads():
    for _ in range(20):
        threading.Thread(target=time.sleep, args=(60,)).start()
    time.sleep(60)


child(threads)
for _ in range(5):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
tried("threads")
time.sleep(0.1)
if os.uname().machine == "x86_64":
    # exit, not exit_group: the process becomes a zombie whose threads go on.
    call(60, 0)
