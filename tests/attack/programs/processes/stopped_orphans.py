"""Leaves processes that are stopped, whose parents have ended.

gains: a process that nobody ends
"""


def stop():
    if not os.fork():
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(60)


for _ in range(5):
    child(stop)
time.sleep(0.1)
